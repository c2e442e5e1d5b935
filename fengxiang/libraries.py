"""The libraries that are installed, by the names of their folders alone: to read what is in these takes longer than to
find that nothing has to be done."""

from __future__ import annotations

import os
import re
import sys


def library_versions() -> list[str]:
    """The installed distributions as `name-version`, sorted."""
    folders = {p for p in sys.path if p.endswith(("site-packages", "dist-packages")) and os.path.isdir(p)}
    return sorted({entry[:-len(".dist-info")] for p in folders for entry in os.listdir(p)
                   if entry.endswith(".dist-info")})


def installed_versions() -> dict[str, str]:
    """Version by name, as `normal` writes it."""
    return {normal(name): number for name, _, number in (entry.rpartition("-") for entry in library_versions())}


def normal(name: str) -> str:
    """The one way to write the name of a distribution: `PyYAML` and `python_docx` are `pyyaml` and `python-docx`."""
    return re.sub(r"[-_.]+", "-", name).lower()
