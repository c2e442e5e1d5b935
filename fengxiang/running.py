"""Run the notebooks that something has changed for, in their true order.

Each notebook declares in one cell, tagged `interface`, what it reads, what it writes and its parameters, as plain
literals. The graph of dependence is derived from these; the cell is read, never executed, to know it. A notebook
runs again if and only if the content of something it declares as input, its own source, its parameters, the
package, the libraries or one of its outputs is not what it was after its last run. Times of files decide nothing:
they only save hashing a file that has not been touched.

Nothing heavy is imported before a notebook has to run, so that finding nothing to do takes milliseconds.
"""

from __future__ import annotations

import ast
import hashlib
import io
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from .display import FIGURE
from .errors import UserError
from .kernels import Nursery
from .libraries import library_versions
from .workplace import READABLE

INTERFACE = ("INPUTS", "OUTPUTS", "PARAMETERS")
STATE_FOLDER = ".fengxiang"
PACKAGE = Path(__file__).parent
WATCHED = ("data", "figures")  # where a notebook writes, and where an undeclared file is looked for
# What only the report is made with: a change here renders it anew and leaves the notebooks as they are.
REPORT_ONLY = ("report.py", "report_template", "kit.py", "manifest.py", "supply.py", "withholding.py")
# A file touched so shortly before it was hashed may change again with the same time stamp.
TIMESTAMP_NS = 2_000_000_000
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, eq=False)
class Notebook:
    """A notebook as the graph sees it. `cells` are those of the file; `interface` is the index of the cell that
    declares inputs, outputs and parameters."""

    name: str
    path: Path
    cells: tuple[dict[str, Any], ...] = field(repr=False)
    interface: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    parameters: Mapping[str, Any]

    def error(self, message: str) -> UserError:
        return UserError(message, f"{self.path.parent.name}/{self.path.name}")


@dataclass(frozen=True)
class RunResult:
    """What became of one notebook: whether it ran and why, how long it took (seconds), its executed copy, and the
    files it has written, relative to the output folder."""

    name: str
    ran: bool
    reason: str
    seconds: float
    executed: Path
    outputs: tuple[str, ...]


def read_notebook(path: str | Path) -> Notebook:
    """A notebook with its declared interface.

    Raises:
        UserError: it is not a notebook, has not exactly one cell tagged `interface`, or that cell holds anything but
            the three literals.
    """
    path = Path(path)
    place = f"{path.parent.name}/{path.name}"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        cells = tuple({**cell, "source": "".join(cell["source"])} for cell in content["cells"])
    except (ValueError, KeyError, TypeError):
        raise UserError("is not a Jupyter notebook (version 4); save it once more from JupyterLab", place) from None
    found = [i for i, cell in enumerate(cells) if cell["cell_type"] == "code" and "interface" in tags(cell)]
    if len(found) != 1:
        raise UserError(f"needs exactly one code cell tagged “interface” with INPUTS, OUTPUTS and PARAMETERS; it has "
                        f"{len(found)}", place)
    declared = read_declarations(cells[found[0]]["source"], f"{place}: the interface cell")
    notebook = Notebook(path.stem, path, cells, found[0], tuple(declared["INPUTS"]), tuple(declared["OUTPUTS"]),
                        declared["PARAMETERS"])
    for name in (*(columns_of(name)[0] for name in notebook.inputs), *notebook.outputs):
        if not _is_plain(name):
            raise notebook.error(f"“{name}” is not a path within the project: write it relative, with “/” and "
                                 "without “..”")
    for name in notebook.outputs:
        if name.split("/")[0] not in WATCHED or _within(name, "data/raw"):
            raise notebook.error(f"declares to write “{name}”; notebooks write under data/processed and figures only")
    return notebook


def tags(cell: Mapping[str, Any]) -> list[str]:
    """The tags of a cell."""
    return list(cell.get("metadata", {}).get("tags", ()))


def read_declarations(source: str, place: str) -> dict[str, Any]:
    """What an interface cell declares: its three literals by name.

    Raises:
        UserError: the cell holds anything else; `place` names it.
    """
    found: dict[str, Any] = {}
    try:
        body = ast.parse(source).body
    except SyntaxError as error:
        raise UserError(f"is not valid Python: {error.msg}; mend this line", place, error.lineno) from None
    for statement in body:
        named = isinstance(statement, ast.Assign) and len(statement.targets) == 1 \
            and isinstance(statement.targets[0], ast.Name)
        name = statement.targets[0].id if named else None
        if name not in INTERFACE or name in found:
            raise UserError("holds only one assignment each to INPUTS, OUTPUTS and PARAMETERS", place,
                            statement.lineno)
        try:
            found[name] = ast.literal_eval(statement.value)
        except ValueError:
            raise UserError(f"{name} must be a plain literal, for it is read and not run; write the value out", place,
                            statement.lineno) from None
    if missing := [name for name in INTERFACE if name not in found]:
        raise UserError(f"lacks {', '.join(missing)}", place)
    for name in INTERFACE[:2]:
        if not isinstance(found[name], list) or not all(isinstance(item, str) for item in found[name]):
            raise UserError(f"{name} must be a list of paths", place)
    parameters = found["PARAMETERS"]
    if not isinstance(parameters, dict) or not all(isinstance(key, str) for key in parameters):
        raise UserError("PARAMETERS must map names to values", place)
    return found


def _is_plain(name: str) -> bool:
    parts = name.split("/")
    return bool(name) and "\\" not in name and ":" not in name and not set(parts) & {"", ".", ".."}


def _within(name: str, folder: str) -> bool:
    return name == folder or name.startswith(folder + "/")


def is_stem(name: str) -> bool:
    """Whether a declared path stands for all files of one figure: `figures/coverage` for `figures/coverage.zh.png`,
    `figures/coverage.csv`, `figures/slide/coverage.zh.png` and so on."""
    return name.startswith("figures/") and not PurePosixPath(name).suffix


OPTIONAL = "?"
_COLUMNS = re.compile(r"(data/processed/[^#]+\.parquet)#(.+)")


def columns_of(name: str) -> tuple[str, tuple[str, ...]]:
    """A declared input and the columns of it that are read: `data/processed/statements.parquet#text,year` is two
    columns of a table; a table without a list is read whole. `codebook/terms_en.txt?` may be missing."""
    name = name.removesuffix(OPTIONAL)
    found = _COLUMNS.fullmatch(name)
    return (found[1], tuple(found[2].split(","))) if found else (name, ())


def feeds(output: str, wanted: str) -> bool:
    """Whether writing `output` changes what is read as `wanted`."""
    wanted, _ = columns_of(wanted)
    if is_stem(output) and wanted.startswith("figures/") and wanted.split("/")[-1].startswith(output[8:] + "."):
        return True
    return _within(output, wanted) or _within(wanted, output)


def order(notebooks: Iterable[Notebook]) -> dict[Notebook, tuple[Notebook, ...]]:
    """The notebooks in an order in which they can run, each with those it has to wait for.

    Raises:
        UserError: two write the same file, or they wait for each other in a ring.
    """
    notebooks = sorted(notebooks, key=lambda n: n.name)
    for i, one in enumerate(notebooks):
        for other in notebooks[i + 1:]:
            for name in one.outputs:
                if any(feeds(name, theirs) or feeds(theirs, name) for theirs in other.outputs):
                    raise other.error(f"writes “{name}”, which {one.name} writes too")
    needs = {b.name: [a for a in notebooks if any(feeds(o, i) for o in a.outputs for i in b.inputs)]
             for b in notebooks}
    ordered: dict[Notebook, tuple[Notebook, ...]] = {}
    visiting: list[str] = []

    def visit(notebook: Notebook) -> None:
        if notebook in ordered:
            return
        if notebook.name in visiting:
            ring = [*visiting[visiting.index(notebook.name):], notebook.name]
            raise notebook.error("reads what depends on what it writes: " + " → ".join(reversed(ring)))
        visiting.append(notebook.name)
        for other in needs[notebook.name]:
            visit(other)
        visiting.pop()
        ordered[notebook] = tuple(needs[notebook.name])

    for notebook in notebooks:
        visit(notebook)
    return ordered


class State:
    """What is known of earlier runs, kept under OUT/.fengxiang, and the hashes of files.

    Names of files are those of the project (`data/raw/…`, `codebook/…`, `figures/…`, `package/…`), so that nothing
    kept here tells where on which machine they lie.
    """

    def __init__(self, raw: Path, out: Path, codebook: Path):
        self.raw, self.out, self.codebook = raw, out, codebook
        self.folder = out / STATE_FOLDER
        self.path = self.folder / "notebooks.json"
        try:
            kept = json.loads(self.path.read_text(encoding="utf-8"))
            self.files, self.runs = dict(kept["files"]), dict(kept["runs"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):  # never built here, or cut short: build anew
            self.files, self.runs = {}, {}
        self._saved = self._text()

    def _text(self) -> str:
        # in ASCII, since the name of a file may hold bytes that are no text
        return json.dumps({"files": self.files, "runs": self.runs}, sort_keys=True, indent=0)

    def save(self) -> None:
        """Keep what is known now, whole or not at all."""
        text = self._text()
        if text != self._saved:
            write_atomically(self.path, text)
            self._saved = text

    def path_of(self, name: str) -> Path:
        """Where the file or folder of a declared name lies."""
        name, _ = columns_of(name)
        for folder, place in (("data/raw", self.raw), ("codebook", self.codebook), ("package", PACKAGE)):
            if _within(name, folder):
                return place / name[len(folder) + 1:]
        return self.out / name

    def files_of(self, name: str) -> list[str]:
        """The names of the existing files a declared name stands for: itself, all of a folder, or those of a figure;
        with the columns that are read where the name tells them."""
        if columns := columns_of(name)[1]:
            return [f"{file}#{','.join(columns)}" for file in self.files_of(columns_of(name)[0])]
        name, path = columns_of(name)[0], self.path_of(name)
        if is_stem(name):
            return sorted(p.relative_to(self.out).as_posix() for pattern in (f"{path.name}.*", f"*/{path.name}.*")
                          for p in path.parent.glob(pattern))
        if path.is_file():
            return [name]
        return sorted(f"{name}/{p.relative_to(path).as_posix()}" for p in path.rglob("*")
                      if p.is_file() and not p.name.startswith("."))

    def hash(self, name: str) -> str:
        """SHA-256 of a file, or of the columns of it that the name tells; read again only where its size or times are
        not those of the last reading."""
        path = self.path_of(name)
        info = path.stat()
        stamp = [info.st_size, info.st_mtime_ns, info.st_ctime_ns]
        known = self.files.get(name)
        if known and known[:3] == stamp and known[3] - max(stamp[1:]) > TIMESTAMP_NS:
            return known[4]
        now = time.time_ns()
        if columns := columns_of(name)[1]:
            digest = _hash_of_columns(path, columns)
        else:
            with open(path, "rb") as handle:
                digest = hashlib.file_digest(handle, "sha256").hexdigest()
        self.files[name] = [*stamp, now, digest]
        return digest

    def hashes(self, name: str) -> dict[str, str]:
        """The hash of every file a declared name stands for."""
        return {found: self.hash(found) for found in self.files_of(name)}


def _hash_of_columns(path: Path, columns: tuple[str, ...]) -> str:
    """SHA-256 of what some columns of a Parquet file hold.

    Raises:
        UserError: it has no such column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    hashed = hashlib.sha256()

    class Hashing(io.RawIOBase):
        """A file that is hashed instead of kept."""

        def writable(self) -> bool:
            return True

        def write(self, data) -> int:
            hashed.update(data)
            return len(data)

    with pq.ParquetFile(path) as file:
        if missing := [column for column in columns if column not in file.schema_arrow.names]:
            raise UserError(f"has no column “{missing[0]}”", path.name)
        schema = pa.schema([file.schema_arrow.field(column) for column in columns])
        with pa.ipc.new_stream(Hashing(), schema) as stream:
            for batch in file.iter_batches(columns=list(columns)):
                stream.write_batch(batch.select(list(columns)).cast(schema))
    return hashed.hexdigest()


def write_atomically(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(text.encode("utf-8", "replace"))
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def package_hash(state: State) -> str:
    """One hash over the code and data of this package, without what only the report is made with."""
    names = (name for name in state.files_of("package") if not any(_within(name[8:], r) for r in REPORT_ONLY)
             and "__pycache__" not in name)
    return digest({name: state.hash(name) for name in names})


def digest(value: Any) -> str:
    """SHA-256 of a plain value."""
    return hashlib.sha256(json.dumps(value, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def common_parts(state: State) -> dict[str, str]:
    """What the result of everything depends on: each part by name, as a hash."""
    return {"the package": package_hash(state), "the libraries": digest([sys.version, library_versions()])}


def fingerprint(notebook: Notebook, state: State, common: Mapping[str, str]) -> dict[str, str]:
    """What the result of a notebook depends on: each part by name, as a hash.

    Raises:
        UserError: an input does not exist, although everything that could make it has run.
    """
    source = [[cell["cell_type"], tags(cell), cell["source"]] for i, cell in enumerate(notebook.cells)
              if i != notebook.interface]
    parts = {"its source": digest([source, notebook.inputs, notebook.outputs]),
             "its parameters": digest(notebook.parameters), **common}
    for name in notebook.inputs:
        found = state.hashes(name)
        if not found and not name.endswith(OPTIONAL) and not state.path_of(name).is_dir():
            raise notebook.error(f"reads “{name}”, which does not exist and which no notebook writes")
        parts |= found
    return parts


def reason_to_run(notebook: Notebook, state: State, parts: Mapping[str, str]) -> str:
    """Why a notebook has to run, in words; empty when it has not."""
    last = state.runs.get(notebook.name)
    if last is None:
        return "first run"
    before = last["parts"]
    for name in sorted(set(parts) | set(before), key=lambda n: (not n.startswith("its"), n)):
        if parts.get(name) != before.get(name):
            return f"{name} changed" if name in parts and name in before else \
                f"{name} is new" if name in parts else f"{name} is gone"
    for name, digest in last["outputs"].items():
        if not state.path_of(name).is_file():
            return f"{name} is missing"
        if state.hash(name) != digest:
            return f"{name} is not what was written"
    return ""


def executed_path(out: str | Path, name: str) -> Path:
    """Where the executed copy of a notebook stands."""
    return Path(out) / STATE_FOLDER / "executed" / f"{name}.ipynb"


def run_notebooks(root: str | Path, raw: str | Path, out: str | Path, codebook: str | Path, workers: int = 2,
                  log: Callable[[str], None] | None = None,
                  parameters: Mapping[str, Mapping[str, Any]] | None = None,
                  nursery: Nursery | None = None) -> list[RunResult]:
    """Bring the results of all notebooks up to date.

    Args:
        root: the project folder, with `notebooks/`.
        raw, out, codebook: the folders of raw files, of outputs and of the codebook.
        workers: how many notebooks may run at a time.
        log: gets a line for each notebook that has run, with its time and the reason, and what it wrote to standard
            error.
        parameters: values that replace declared parameters, by notebook (`{"02-terms": {"top_terms": 50}}`).
        nursery: where the kernels come from, with the settings of `kernel_environment`, if it has been started
            already; it is at its end when this returns.

    Returns:
        A result for each notebook, in the order of their numbers.

    Raises:
        UserError: a notebook cannot be read, needs what nobody makes, fails, or does not do what it declares.
    """
    root, raw, out, codebook = (Path(p).resolve() for p in (root, raw, out, codebook))
    paths = sorted((root / "notebooks").glob("[0-9][0-9]-*.ipynb"))
    if not paths:
        raise UserError("holds no notebooks named like 01-clean.ipynb", root / "notebooks")
    notebooks = [_override(read_notebook(path), (parameters or {}).get(path.stem, {})) for path in paths]
    if unknown := sorted(set(parameters or {}) - {n.name for n in notebooks}):
        raise UserError(f"there is no notebook “{unknown[0]}” to set parameters of")
    graph = order(notebooks)
    state = State(raw, out, codebook)
    for notebook in notebooks:
        for name in notebook.inputs:
            made = any(feeds(output, name) for other in graph[notebook] for output in other.outputs)
            if not (made or name.endswith(OPTIONAL) or state.files_of(name) or state.path_of(name).is_dir()):
                raise notebook.error(f"reads “{name}”, which does not exist and which no notebook writes")
    common = common_parts(state)
    try:
        results: dict[str, RunResult] = {}
        for notebook, needed in graph.items():
            if all(not results[n.name].ran for n in needed if n.name in results) \
                    and all(n.name in results for n in needed):
                parts = fingerprint(notebook, state, common)
                if not reason_to_run(notebook, state, parts):
                    results[notebook.name] = _result(notebook, out, state, ran=False)
        if len(results) < len(notebooks):
            with nursery or Nursery(kernel_environment(raw, out, codebook)) as nursery:
                _run(graph, results, state, common, root, workers, log or (lambda line: None), nursery)
        return [results[notebook.name] for notebook in notebooks]
    except OSError as error:
        raise UserError(f"cannot be used ({error.strerror or error}); mend that or choose another output folder",
                        error.filename or out) from error
    finally:
        state.save()


def _override(notebook: Notebook, values: Mapping[str, Any]) -> Notebook:
    """The notebook with some parameters replaced, by a cell after its interface cell."""
    if not values:
        return notebook
    for name in values:
        if name not in notebook.parameters:
            raise notebook.error(f"has no parameter “{name}”; it has {', '.join(notebook.parameters) or 'none'}")
    source = f"PARAMETERS |= {dict(sorted(values.items()))!r}"
    cell = {"cell_type": "code", "metadata": {"tags": ["interface-override"]}, "source": source, "outputs": [],
            "execution_count": None}
    at = notebook.interface + 1
    return Notebook(notebook.name, notebook.path, (*notebook.cells[:at], cell, *notebook.cells[at:]),
                    notebook.interface, notebook.inputs, notebook.outputs, {**notebook.parameters, **values})


def _result(notebook: Notebook, out: Path, state: State, ran: bool, reason: str = "", seconds: float = 0.0):
    written = tuple(name for name in state.runs[notebook.name]["outputs"] if not _within(name, STATE_FOLDER))
    return RunResult(notebook.name, ran, reason, seconds, executed_path(out, notebook.name), written)


def _run(graph, results: dict[str, RunResult], state: State, common, root: Path, workers: int, log, nursery) -> None:
    """Run what has to run, each notebook when those it waits for are done, first those that most others wait for."""
    import asyncio
    import tempfile

    async def one(notebook: Notebook) -> None:
        parts = fingerprint(notebook, state, common)
        reason = reason_to_run(notebook, state, parts)
        if not reason:
            results[notebook.name] = _result(notebook, state.out, state, ran=False)
            return
        state.runs.pop(notebook.name, None)
        started = time.perf_counter()
        await _execute(notebook, state, root, Path(scratch), nursery, log)
        state.runs[notebook.name] = {"parts": parts, "outputs": _written(notebook, state)}
        seconds = time.perf_counter() - started
        results[notebook.name] = _result(notebook, state.out, state, True, reason, seconds)
        log(f"{notebook.name}  {seconds:.1f} s  ({reason})")

    async def everything() -> None:
        queue = sorted(waiting, key=lambda n: (-len(_dependents(n, graph)), n.name))
        active: set[asyncio.Task] = set()
        try:
            while queue or active:
                ready = [n for n in queue if all(needed.name in results for needed in graph[n])]
                for notebook in ready[:max(1, workers) - len(active)]:
                    queue.remove(notebook)
                    active.add(asyncio.create_task(one(notebook)))
                done, active = await asyncio.wait(active, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            for task in active:
                task.cancel()
            await asyncio.gather(*active, return_exceptions=True)

    before = file_stamps(state.out)
    waiting = [notebook for notebook in graph if notebook.name not in results]
    with tempfile.TemporaryDirectory(prefix="fengxiang-", ignore_cleanup_errors=True) as scratch, \
            asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(everything())
    _check_nothing_undeclared(before, [n for n in waiting if results[n.name].ran], state)


def _dependents(notebook: Notebook, graph) -> set[str]:
    """The names of all notebooks that wait for this one, directly or not."""
    direct = [other for other, needed in graph.items() if notebook in needed]
    return {other.name for other in direct}.union(*(_dependents(other, graph) for other in direct))


def _written(notebook: Notebook, state: State) -> dict[str, str]:
    """The hashes of all a notebook has written, its executed copy among them; what it declared must be there."""
    outputs = state.hashes(f"{STATE_FOLDER}/executed/{notebook.name}.ipynb")
    for name in notebook.outputs:
        found = state.hashes(name)
        if not found:
            raise notebook.error(f"declares to write “{name}” and did not")
        outputs |= found
    return outputs


def file_stamps(out: Path) -> dict[str, tuple[int, int, int]]:
    """Size and times of every file where notebooks write."""
    stamps = {}
    for folder in WATCHED:
        for path in (out / folder).rglob("*"):
            if path.is_file():
                info = path.stat()
                stamps[path.relative_to(out).as_posix()] = (info.st_size, info.st_mtime_ns, info.st_ctime_ns)
    return stamps


def _check_nothing_undeclared(before: Mapping[str, tuple], ran: list[Notebook], state: State) -> None:
    changed = [name for name, stamp in file_stamps(state.out).items() if before.get(name) != stamp]
    declared = [name for notebook in ran for name in notebook.outputs]
    for name in sorted(changed):
        if not any(feeds(output, name) for output in declared):
            for notebook in ran:  # so that the next build says it again, until it is mended
                state.runs.pop(notebook.name, None)
            writers = " or ".join(n.name for n in ran)
            raise UserError(f"was written by {writers} without being declared in OUTPUTS", name)


def import_jsonschema() -> None:
    """Import jsonschema, which reading notebooks needs, without the check of internationalised addresses, which it
    does not: where the package for that is installed, its grammar is compiled at every import, for two seconds."""
    if "jsonschema" not in sys.modules and "rfc3987_syntax" not in sys.modules:
        sys.modules["rfc3987_syntax"] = None  # makes its import fail, which jsonschema expects
        try:
            import jsonschema  # noqa: F401
        finally:
            del sys.modules["rfc3987_syntax"]


async def _execute(notebook: Notebook, state: State, root: Path, scratch: Path, nursery: Nursery, log) -> None:
    """Run one notebook in a kernel of its own and keep the executed copy, stripped of all that varies.

    The kernel is this very Python, found through a kernel spec made for the occasion, with settings of its own: what
    is installed or configured for Jupyter on the machine plays no part. Where the system has local sockets, no
    network port is opened.
    """
    import asyncio

    import_jsonschema()
    import nbformat
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient.client import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    home = scratch / notebook.name
    (home / "kernels" / "fengxiang").mkdir(parents=True)
    own = {"IPYTHONDIR": str(home / "ipython"), "JUPYTER_CONFIG_DIR": str(home / "jupyter"),
           "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
           READABLE: json.dumps({PurePosixPath(path).stem: columns for path, columns in
                                        map(columns_of, notebook.inputs) if columns})}
    spec = {"argv": nursery.command(root / "notebooks", own), "display_name": "Fengxiang", "language": "python"}
    (home / "kernels" / "fengxiang" / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    manager = AsyncKernelManager(
        kernel_name="fengxiang", kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(home / "kernels")]),
        connection_file=str(home / "connection.json"),
        **({} if os.name == "nt" else {"transport": "ipc", "ip": str(home / "k")}))
    document = nbformat.from_dict({
        "cells": [{"cell_type": cell["cell_type"], "id": f"cell-{i}", "source": cell["source"],
                   "metadata": {"tags": tags(cell)},
                   **({"outputs": [], "execution_count": None} if cell["cell_type"] == "code" else {})}
                  for i, cell in enumerate(notebook.cells, 1)],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4, "nbformat_minor": 5})
    client = NotebookClient(document, km=manager, timeout=None, record_timing=False, store_widget_state=False,
                            coalesce_streams=True)
    client.reset_execution_trackers()
    number = 0
    try:
        await client.async_start_new_kernel(env=nursery.environment | own, cwd=str(root / "notebooks"))
        await client.async_start_new_kernel_client()
        for index, cell in enumerate(document.cells):
            number += cell.cell_type == "code"
            await client.async_execute_cell(cell, index)
    except (CellExecutionError, CellTimeoutError, DeadKernelError, RuntimeError) as error:
        if asyncio.current_task().cancelling():
            raise asyncio.CancelledError from None
        raise _failure(notebook, state, number, error) from None
    finally:
        if client.kc is not None:
            client.kc.stop_channels()
        if manager.has_kernel:
            await manager.shutdown_kernel(now=True)
    for index, cell in enumerate(document.cells, 1):
        cell.pop("execution_count", None)
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.outputs = _kept(cell.outputs, lambda text, n=index: log(f"{notebook.name}, cell {n}: {text}"))
    write_atomically(executed_path(state.out, notebook.name),
                     json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1) + "\n")


def kernel_environment(raw: Path, out: Path, codebook: Path) -> dict[str, str]:
    """The environment of a kernel: the folders of the run for `fengxiang.open_run()`, and settings under which the
    same notebook gives the same bytes on every machine."""
    path = os.pathsep.join(p for p in (str(PACKAGE.parent), os.environ.get("PYTHONPATH")) if p)
    return {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0", "PYTHONUTF8": "1", "MPLBACKEND": "agg",
            "TZ": "UTC", "LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
            "FENGXIANG_RAW": str(raw), "FENGXIANG_OUT": str(out), "FENGXIANG_CODEBOOK": str(codebook)}


def _kept(outputs: list, warn: Callable[[str], None]) -> list:
    """The outputs without what varies from run to run. Standard error names files of this machine: it goes to the
    log, not into the copy."""
    kept = []
    for output in outputs:
        if output.output_type == "stream" and output.name == "stderr":
            for line in _ANSI.sub("", output.text).strip().splitlines():
                warn(line)
            continue
        if "execution_count" in output:
            output.execution_count = None
        if FIGURE in output.get("data", {}):  # the picture stands in figures/ already
            output.data.pop("image/png", None)
        kept.append(output)
    return kept


def _failure(notebook: Notebook, state: State, number: int, error: Exception) -> UserError:
    """The plain sentence for a failed cell; its traceback goes to a log file."""
    logfile = state.folder / "logs" / f"{notebook.name}.txt"
    traceback = _ANSI.sub("", getattr(error, "traceback", "") or str(error))
    write_atomically(logfile, traceback + "\n")
    where = f"{STATE_FOLDER}/logs/{logfile.name} in the output folder has the details"
    name = getattr(error, "ename", None)
    if name is None:
        return notebook.error(f"code cell {number}: the kernel stopped before the cell was done, perhaps for want of "
                              f"memory; {where}")
    value = _ANSI.sub("", error.evalue).strip()
    if name == "UserError":
        return notebook.error(f"code cell {number}: {value}")
    lines = re.findall(r"^(?:-+> ?|→ ?)(\d+) (.*)$", traceback, flags=re.MULTILINE)
    line = f", line {lines[0][0]} “{lines[0][1].strip()}”" if lines else ""
    return notebook.error(f"code cell {number}{line}: {name}: {value.splitlines()[0] if value else ''}; {where}")
