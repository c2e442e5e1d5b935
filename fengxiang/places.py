"""Folders anywhere: a folder of this machine, or any location fsspec knows (`s3://bucket/folder`, `gs://…`).

A folder of this machine is a `pathlib.Path` and costs nothing more than one. Any other location is a `upath.UPath`,
which joins and reads like a path; what the two do differently stands here. Of an object store it is taken that an
object appears whole or not at all, and that a worker sees what another one has written. Nothing locks it: of two
builds at once in one location, the last to write a table has it.

How to reach a store (keys, endpoints) is told to fsspec in its own way, by its configuration or the environment, so
that it reaches the worker processes too.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

from .errors import UserError

# What the listing of a store may hold that is another thing when the content is.
_TELLING = ("ETag", "etag", "checksum", "md5Hash", "content_md5", "generation", "version_id", "mtime", "LastModified",
            "last_modified", "modified", "updated", "created")
_OWN_ONLY = ("memory",)  # protocols of stores that no other process sees


class StoredFile(NamedTuple):
    """A file of a location: its name from there, with `/`, its size in bytes, and what differs when the file was
    changed (its time in ns, or a text that is empty where a store tells nothing of the kind). `refused` says in plain
    words why something that stands there is not read."""

    name: str
    size: int
    stamp: int | str
    refused: str = ""


def shown_name(name: str) -> str:
    """The name of a file as text that can be written anywhere: bytes that are no UTF-8 stand as `\\xff`, and so that
    no two names look alike, a backslash stands twice."""
    if "\\" not in name and name.isascii():
        return name
    escaped = name.replace("\\", "\\\\")
    return escaped.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def folder(location: str | Path) -> Path:
    """The folder at a location, a path or an address with `://`; joins, opens and lists like a path.

    Raises:
        UserError: fsspec does not know that kind of address, or needs a package for it.
    """
    if not isinstance(location, str) or "://" not in location:
        return Path(location) if isinstance(location, str) else location
    import warnings

    from upath import UPath

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of kinds of stores that have no class of paths of their own
            found = UPath(location)
            found.fs  # noqa: B018 (raises what is missing)
    except (ImportError, ValueError, TypeError) as error:
        raise UserError(f"cannot be opened ({error}); give a folder of this machine, or an address like "
                        "s3://bucket/folder with the package of its kind installed", location) from None
    return Path(found.path) if found.protocol in ("", "file", "local") else found


def is_local(path: Path) -> bool:
    """Whether a folder or file is one of this machine."""
    return isinstance(path, Path)


def is_shared(path: Path) -> bool:
    """Whether other processes see what is there."""
    return is_local(path) or path.protocol not in _OWN_ONLY


def stored_files(root: Path) -> list[StoredFile]:
    """Every file of a location that is no local folder, sorted by name.

    Raises:
        UserError: it cannot be listed, or the store does not tell how large a file is.
    """
    try:
        root.fs.invalidate_cache()
        found = root.fs.find(root.path, detail=True)
    except Exception as error:  # each kind of store has errors of its own
        raise UserError(f"cannot be listed ({type(error).__name__}: {error}); mend the address, or the right to read "
                        "there", str(root)) from None
    base = root.path.rstrip("/") + "/"
    files = []
    for path, about in found.items():
        if about.get("size") is None:
            raise UserError("cannot be used: its store does not tell how large a file is", str(root))
        if path.startswith(base) and not path.endswith("/"):
            stamp = ";".join(f"{key}={about[key]}" for key in _TELLING if about.get(key) is not None)
            files.append(StoredFile(path[len(base):], int(about["size"]), stamp))
    return sorted(files)


def opened(root: str | Path, name: str, buffering: int = -1) -> contextlib.AbstractContextManager[BinaryIO]:
    """A file of a folder, open for reading bytes; `buffering` is that of a local one, as of `open`.

    Raises:
        OSError: it cannot be read.
    """
    if isinstance(root, Path) or (isinstance(root, str) and "://" not in root):
        return open(f"{root}/{name}", "rb", buffering)
    return _opened_in_store(root, name)


@contextlib.contextmanager
def _opened_in_store(root: str | Path, name: str) -> Iterator[BinaryIO]:
    with readable(root):
        place = folder(root)
        with place.fs.open(f"{place.path.rstrip('/')}/{name}", "rb") as handle:
            yield handle


@contextlib.contextmanager
def readable(what: str | Path) -> Iterator[None]:
    """Turn what a store may raise into an OSError, as a disk does."""
    try:
        yield
    except (OSError, UserError):
        raise
    except Exception as error:  # each kind of store has errors of its own
        raise OSError(f"{type(error).__name__}: {error}") from error


def put(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file of a store: `write(local_path)`, then send it whole."""
    import tempfile

    with tempfile.TemporaryDirectory() as scratch, readable(path):
        local = Path(scratch, "file")
        write(local)
        path.fs.makedirs(path.parent.path, exist_ok=True)
        path.fs.put_file(str(local), path.path)


@contextlib.contextmanager
def local_copy(location: str | Path) -> Iterator[Path]:
    """A location as a folder of this machine: itself, or a copy for as long as it is used.

    Raises:
        UserError: it cannot be read, or the name of a file leads out of it.
    """
    place = folder(location)
    if is_local(place):
        yield place
        return
    import tempfile

    with tempfile.TemporaryDirectory(prefix="fengxiang-") as scratch:
        copy = Path(scratch, place.name or "folder")
        fetch(place, copy)
        yield copy


def fetch(place: Path, copy: Path) -> None:
    """Copy all files of a location into a local folder.

    Raises:
        UserError: it cannot be read, or the name of a file leads out of it.
    """
    import shutil

    copy.mkdir(parents=True, exist_ok=True)
    for file in stored_files(place):
        parts = PurePosixPath(file.name).parts
        if "\\" in file.name or ":" in file.name or ".." in parts or file.name.startswith("/"):
            raise UserError(f"holds “{file.name}”, which is no name of a file within it", str(place))
        target = copy.joinpath(*parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        with opened(place, file.name) as source, open(target, "wb") as sink:
            shutil.copyfileobj(source, sink)


def remove(place: Path) -> None:
    """Remove a folder with all that is in it, if it is there."""
    import shutil

    if is_local(place):
        shutil.rmtree(place, ignore_errors=True)
    elif place.is_dir():
        place.fs.rm(place.path, recursive=True)


def _stamps(copy: Path) -> dict[str, tuple[int, ...]]:
    return {p.relative_to(copy).as_posix(): (p.stat().st_size, p.stat().st_mtime_ns, p.stat().st_ctime_ns)
            for p in copy.rglob("*") if p.is_file() and not p.is_symlink() and p.suffix != ".tmp" and p.name != "lock"}


@contextlib.contextmanager
def worked_on(place: Path) -> Iterator[Path]:
    """An output location as a folder of this machine: itself, or a copy; what has been written there, and what has
    been removed, is so in the location too when the work has ended, well or not.

    Raises:
        UserError: it cannot be read or written to.
    """
    if is_local(place):
        yield place
        return
    import shutil

    with local_copy(place) as copy:
        before = _stamps(copy)
        try:
            yield copy
        finally:
            after = _stamps(copy)
            try:
                for name in sorted(n for n in after if after[n] != before.get(n)):
                    data = copy / name
                    put(place / name, lambda target, data=data: shutil.copyfile(data, target))
                for name in sorted(before.keys() - after.keys()):
                    (place / name).unlink(missing_ok=True)
            except OSError as error:
                raise UserError(f"cannot be written to ({error})", str(place)) from None
