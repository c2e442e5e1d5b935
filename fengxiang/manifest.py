"""The manifest of a run: what it was made from and what came out, each file with its SHA-256, in report/manifest.json.

It names inputs, codebook, code, library versions and outputs, sorted, without times and without a word about the
machine, so that the same run gives the same manifest anywhere. `differences` compares a run with its manifest: whether
a report is still what was built, and whether what stands beside it now is what it was built from.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import libraries, running
from .errors import UserError
from .workplace import Workplace

MANIFEST = "report/manifest.json"
VERSION = 1
MADE_FROM = ("inputs", "codebook", "code", "libraries")
SECTIONS = (*MADE_FROM, "outputs")
FOLDERS = ("data/processed", "figures", "report")  # where outputs are


@dataclass(frozen=True)
class Difference:
    """Something that is not as the manifest has it.

    Attributes:
        section: one of `SECTIONS`.
        name: the file, relative to its folder with `/`, or the library.
        what: `missing`, `changed` or `added`.
        detail: for a library, the version then and now.
    """

    section: str
    name: str
    what: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.section}: {self.what}: {self.name}" + (f" ({self.detail})" if self.detail else "")


def write_manifest(root: str | Path, place: Workplace, *, more: Iterable[Path] = ()) -> Path:
    """Write OUT/report/manifest.json for a run of the report that has just ended. (A build of the tables alone writes
    none: to read every raw file again, in one process, would cost it more than a small change of the corpus does.)

    What an earlier manifest lists besides is kept where it was made from the same and is still as listed.

    Args:
        root: the project folder, with `notebooks/` and `requirements.lock`.
        place: the folders of the run.
        more: other files that were made, within the output folder: the kit's.

    Returns:
        The file.

    Raises:
        UserError: the raw folder cannot be read.
    """
    root, state = Path(root), running.State(place.raw, place.out, place.codebook)
    made = {*_table_files(place.out), *(path.relative_to(place.out).as_posix() for path in more)}
    names = [path.stem for path in (root / "notebooks").glob("[0-9][0-9]-*.ipynb")] + ["report"]
    made.update(name for run in names for name in state.runs.get(run, {"outputs": ()})["outputs"]
                if not name.startswith(f"{running.STATE_FOLDER}/"))
    made.update(name for name in ("figures/README.md",) if (place.out / name).is_file())
    content = _made_from(root, place, state)
    before = _kept(place.out / MANIFEST)
    if before and all(before[section] == content[section] for section in MADE_FROM):
        now = _files(state, before["outputs"].keys() & set(_output_names(place.out)))
        made.update(name for name, entry in now.items() if entry == before["outputs"][name])
    content["outputs"] = _files(state, made)
    state.save()
    path, text = place.out / MANIFEST, _text(content)
    if not path.is_file() or path.read_bytes() != text.encode():
        running.write_atomically(path, text)
    return path


def differences(root: str | Path, place: Workplace) -> tuple[list[Difference], dict[str, int]]:
    """What is no longer as the manifest of a run has it, and how many entries each section of the manifest has. Every
    file is read anew; nothing that the manifest names is opened unless it lies in one of the run's own folders.

    Raises:
        UserError: there is no manifest, or it is none.
    """
    path = place.out / MANIFEST
    if not path.is_file():
        raise UserError("there is no manifest; run `make report` in this output folder first", path)
    then = _kept(path)
    if then is None:
        raise UserError("is not a manifest of this version of the program; run `make report` again", path)
    state = running.State(place.raw, place.out, place.codebook)
    state.files = {}  # times of files prove nothing here
    now = _made_from(Path(root), place, state)
    # folders the run has not written to are not its business: a build of the tables leaves the figures alone
    folders = {folder for name in then["outputs"] for folder in FOLDERS if name.startswith(f"{folder}/")}
    now["outputs"] = _files(state, (name for name in _output_names(place.out)
                                    if any(name.startswith(f"{folder}/") for folder in folders)))
    return ([difference for section in SECTIONS for difference in _compare(section, then[section], now[section])],
            {section: len(then[section]) for section in SECTIONS})


def _compare(section: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterable[Difference]:
    for name in sorted(then.keys() | now.keys()):
        if name not in now:
            yield Difference(section, name, "missing")
        elif name not in then:
            yield Difference(section, name, "added")
        elif then[name] != now[name]:
            detail = f"{then[name]}, now {now[name]}" if section == "libraries" else ""
            yield Difference(section, name, "changed", detail)


def _made_from(root: Path, place: Workplace, state: running.State) -> dict[str, Any]:
    from .build import raw_files

    codebook = [name for name in state.files_of("codebook") if "/." not in name]
    package = [name for name in state.files_of("package") if "__pycache__" not in name]
    code = {f"fengxiang/{name[8:]}": entry for name, entry in _files(state, package).items()}
    for path in sorted((root / "notebooks").glob("[0-9][0-9]-*.ipynb")):
        # what its cells say: saving it with outputs changes nothing
        cells = [[cell["cell_type"], running.tags(cell), cell["source"]] for cell in running.read_notebook(path).cells]
        code[f"notebooks/{path.name}"] = {"sha256": running.digest(cells)}
    found = raw_files(place.raw)
    inputs = _files(state, (f"data/raw/{file.name}" for file in found if not file.refused))
    return {"inputs": {name[9:]: entry for name, entry in inputs.items()} | {
                file.name: {"bytes": None, "sha256": None} for file in found if file.refused},
            "codebook": {name[9:]: entry for name, entry in _files(state, codebook).items()},
            "code": code, "libraries": _libraries(root)}


def _files(state: running.State, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of files; None for one that cannot be read, and nothing for one that is gone."""
    found = {}
    for name in sorted(names):
        try:
            found[name] = {"bytes": state.path_of(name).stat().st_size, "sha256": state.hash(name)}
        except FileNotFoundError:
            continue
        except OSError:
            found[name] = {"bytes": None, "sha256": None}
    return found


def _table_files(out: Path) -> list[str]:
    from .tables import file_stats

    return [f"data/processed/{name}" for name in file_stats(out)]


def _output_names(out: Path) -> list[str]:
    """Every file in the folders for outputs but hidden ones and the manifest itself."""
    found = []
    for folder in FOLDERS:
        for path, folders, files in os.walk(out / folder):
            folders[:] = [name for name in folders if not name.startswith(".")]
            within = Path(path).relative_to(out).as_posix()
            found += [f"{within}/{name}" for name in files if not name.startswith(".")]
    return sorted(set(found) - {MANIFEST})


def _libraries(root: Path) -> dict[str, str]:
    """The versions of Python and of what is installed of the lock file, by name."""
    lock = root / "requirements.lock"
    locked = set(re.findall(r"^([\w.-]+)==", lock.read_text("utf-8"), re.MULTILINE)) if lock.is_file() else None
    return dict(sorted({"python": sys.version.split()[0], **{
        name: version for name, version in libraries.installed_versions().items()
        if locked is None or name in locked}}.items()))


def _kept(path: Path) -> dict[str, Any] | None:
    """A manifest as it was written; None when there is none or it is something else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    fits = isinstance(content, dict) and content.get("manifest") == VERSION and all(
        isinstance(content.get(section), dict) for section in SECTIONS)
    return content if fits else None


def _text(content: Mapping[str, Any]) -> str:
    """A manifest as text: one entry a line, and what no terminal should print escaped (names of raw files)."""
    parts = [f' "manifest": {VERSION}']
    for section in SECTIONS:
        entries = (f"  {_line(name)}: {_line(entry)}" for name, entry in sorted(content[section].items()))
        parts.append(f' "{section}": {{\n' + ",\n".join(entries) + "\n }")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _line(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return "".join(ch if ch.isprintable() else json.dumps(ch)[1:-1] for ch in text)
