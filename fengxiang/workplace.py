"""Where a run's folders are: asked once, by the command line and by the notebooks."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from .errors import UserError
from .places import folder, is_local

ROOT = Path(__file__).resolve().parent.parent
RAW, OUT, CODEBOOK = "FENGXIANG_RAW", "FENGXIANG_OUT", "FENGXIANG_CODEBOOK"
SIZES = "FENGXIANG_SIZES"  # the sizes figures are drawn in, joined by commas; "page" alone when not set
SHEET = "gold-sheet.csv"  # statements to code by hand, among the derived tables
BUILT = "FENGXIANG_BUILT"  # "1" in the environment: the tables have just been made
READABLE = "FENGXIANG_COLUMNS"  # of tables a notebook reads in part: table → columns, as JSON


@dataclass(frozen=True)
class Workplace:
    """The folders of one run. A location that is no folder of this machine is a path of `upath`; see `places`.

    Attributes:
        raw: raw files, read only.
        out: everything that is written goes under it.
        codebook: what the analyst edits.
        address: where `out` is a copy of a location, the address of that.
    """

    raw: Path
    out: Path
    codebook: Path
    address: str = ""

    @property
    def processed(self) -> Path:
        """Derived tables."""
        return self.out / "data" / "processed"

    @property
    def figures(self) -> Path:
        """Figures."""
        return self.out / "figures"


def workplace(raw: str | Path | None = None, out: str | Path | None = None,
              codebook: str | Path | None = None) -> Workplace:
    """The folders of this run: as given, else from the environment that `make report` sets, else the project's own.

    Raises:
        UserError: the raw folder or the codebook is not a folder.
    """
    places = (folder(raw or os.environ.get(RAW) or ROOT / "data" / "raw"),
              folder(out or os.environ.get(OUT) or ROOT),
              folder(codebook or os.environ.get(CODEBOOK) or ROOT / "codebook"))
    chosen = Workplace(*(path.resolve() if is_local(path) else path for path in places))
    for path, what in ((chosen.raw, "the folder that holds the articles"),
                       (chosen.codebook, "a codebook folder, like codebook/ of this project")):
        if not path.is_dir():
            raise UserError(f"is not a folder; give {what}", path)
    return chosen
