"""What stands in the raw folder, and how it is cut into partitions: in columns, since there may be millions of files.

A file takes its name and some forty bytes; objects are made of those of one partition at a time.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b

import numpy as np
import pyarrow as pa

from .partition import Piece, digest
from .places import StoredFile

_UNTOLD = -2**63  # the stamp of a file of which a store does not tell whether it was changed
_HUGE = 1 << 40  # bytes a piece counts for at most: the sum of many that claim to be huge is a number of 64 bits, too


class Listing:
    """Files, in columns; a number names each. Iterates as `StoredFile`, sorted by name, with a number for a stamp.

    Attributes:
        refused: number → in plain words, why that one is not read.
    """

    def __init__(self):
        self.refused: dict[int, str] = {}
        self._names, self._ends = bytearray(), array("q", [0])
        self._places, self._sizes, self._stamps = bytearray(), array("q"), array("q")

    def add(self, names: Sequence[str], sizes: Sequence[int], stamps: Sequence[int | str], prefix: str = "") -> None:
        """Add files: their names, which `prefix` is put before, and what `StoredFile` has of them."""
        before, end = _bytes(prefix), len(self._names)
        whole = [before + _bytes(name) for name in names]
        for name in whole:
            end += len(name)
            self._ends.append(end)
        self._names += b"".join(whole)
        # as `_place(name, 0)`; written out, since it is half the time of this
        self._places += b"".join([blake2b(name + b"\x000", digest_size=8).digest() for name in whole])
        self._sizes.extend(sizes)
        try:
            self._stamps.extend(stamps)
        except (TypeError, OverflowError):  # texts, or a time after the year 2262
            del self._stamps[len(self._sizes) - len(names):]
            self._stamps.extend(map(_number, stamps))

    def refuse(self, name: str, why: str) -> None:
        """Add what stands there and is not read."""
        self.refused[len(self)] = why
        self.add([name], [0], [0])

    def __len__(self) -> int:
        return len(self._sizes)

    def __iter__(self) -> Iterator[StoredFile]:
        import pyarrow.compute as pc

        return map(self.file, pc.array_sort_indices(self.names).to_pylist())

    def file(self, number: int) -> StoredFile:
        """One of the files."""
        return StoredFile(_text(self._names[self._ends[number]:self._ends[number + 1]]), self._sizes[number],
                          self._stamps[number], self.refused.get(number, ""))

    @property
    def names(self) -> pa.LargeBinaryArray:
        """The names as bytes, which sort as the names do. No file can be added as long as this is held."""
        return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(self), [
            None, pa.py_buffer(self._ends), pa.py_buffer(self._names)])

    def joined_names(self, files: np.ndarray) -> tuple[bytes, np.ndarray]:
        """The names of some files behind each other, and how many bytes each has. (Arrow would do it in one call, and
        take longer to be made ready for it than to list a thousand files.)"""
        ends = np.frombuffer(self._ends, dtype=np.int64)
        start = ends[files]
        length = ends[files + 1] - start
        at = np.repeat(start - np.cumsum(length) + length, length) + np.arange(length.sum())
        return np.frombuffer(self._names, dtype=np.uint8).take(at).tobytes(), length

    @property
    def sizes(self) -> np.ndarray:
        """Bytes of each; as with `names`, no file can be added meanwhile."""
        return np.frombuffer(self._sizes, dtype=np.int64)

    @property
    def stamps(self) -> np.ndarray:
        """A number that is another one when the file was changed; as with `names`, no file can be added meanwhile."""
        return np.frombuffer(self._stamps, dtype=np.int64)

    @property
    def places(self) -> np.ndarray:
        """`_place` of each as one piece; as with `names`, no file can be added meanwhile."""
        return np.frombuffer(self._places, dtype=">u8")


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")  # in this code, bytes sort as the characters do


def _text(name: bytes | bytearray) -> str:
    return name.decode("utf-8", "surrogatepass")


def _place(name: str, start: int) -> int:
    """Where a hash of its path, and of the byte it begins at, puts a piece: a number of 64 bits."""
    return int.from_bytes(blake2b(_bytes(f"{name}\0{start}"), digest_size=8).digest(), "big")


def _number(stamp: int | str) -> int:
    """A stamp as a number of 64 bits."""
    if stamp == "":
        return _UNTOLD
    return int.from_bytes(blake2b(_bytes(str(stamp)), digest_size=8).digest(), "big", signed=True)


class Partitions(Sequence[tuple[str, tuple[Piece, ...]]]):
    """A listing cut into sets of pieces, each under a name of binary digits: a sequence of names and `Piece`s, sorted
    by name; the pieces are made when one is asked for.

    Pieces are spread by a hash of their path, and a set that is too large is halved by the next digit of it. So the
    sets follow from what is in the folder, not from what was there before, and a new file changes one of them.

    Attributes:
        listing: the files.
        sizes: bytes of each set.
    """

    def __init__(self, listing: Listing, cuts: Mapping[int, Sequence[tuple[int, int, int]]], max_bytes: int,
                 max_files: int):
        """Cut a listing.

        Args:
            listing: the files.
            cuts: of each that is not to be one piece, its pieces: first byte, byte after the last, number of the line.
            max_bytes, max_files: a set holds no more, unless it is one piece.
        """
        self.listing = listing
        whole = np.delete(np.arange(len(listing)), list(cuts))
        cut = [(file, *piece) for file, pieces in cuts.items() for piece in pieces]
        places = np.array([_place(listing.file(file).name, start) for file, start, _, _ in cut], dtype=np.uint64)
        places = np.append(listing.places[whole].astype(np.uint64), places)
        order = np.argsort(places, kind="stable")
        places = places[order]
        self._file = np.append(whole, np.array([file for file, *_ in cut], dtype=np.int64))[order]
        size = np.append(listing.sizes[whole], np.array([end - start for _, start, end, _ in cut], dtype=np.int64))
        size = np.append(0, np.cumsum(np.minimum(size[order], _HUGE)))
        self._cut = {int(row): cut[order[row] - len(whole)][1:] for row in np.flatnonzero(order >= len(whole))}
        self.sizes: list[int] = []
        self._sets: list[tuple[str, int, int]] = []
        waiting = [(0, len(order), "")]
        while waiting:
            low, high, name = waiting.pop()
            held = int(size[high] - size[low])
            if high - low <= 1 or len(name) == 64 or (held <= max_bytes and high - low <= max_files):
                if low < high:
                    self.sizes.append(held)
                    self._sets.append((name, low, high))
                continue
            first = np.uint64(int((name + "1").ljust(64, "0"), 2))  # of those whose next digit is 1
            middle = low + int(np.searchsorted(places[low:high], first))
            waiting += [(middle, high, name + "1"), (low, middle, name + "0")]

    def __len__(self) -> int:
        return len(self._sets)

    def __getitem__(self, number: int) -> tuple[str, tuple[Piece, ...]]:
        name, low, high = self._sets[number]
        pieces = []
        for row, file in enumerate(self._file[low:high].tolist(), low):
            source_file, size, _, refused = self.listing.file(file)
            pieces.append(Piece(source_file, size, *self._cut.get(row, (0, None, 1)), refused))
        pieces.sort(key=lambda p: (p.source_file, p.start))
        return name, tuple(pieces)

    def stats(self) -> dict[str, str]:
        """Of each partition, what is another text when a file was added to it, taken from it or changed."""
        sizes, stamps, refused = self.listing.sizes, self.listing.stamps, self.listing.refused
        found = {}
        for name, low, high in self._sets:
            files = self._file[low:high]
            names, lengths = self.listing.joined_names(files)
            cut = [(row - low, self._cut[row]) for row in range(low, high) if row in self._cut] if self._cut else []
            why = [(i, refused[file]) for i, file in enumerate(files.tolist()) if file in refused] if refused else []
            found[name] = digest(names, lengths.tobytes(), sizes[files].tobytes(), stamps[files].tobytes(), repr(cut),
                                 repr(why))
        return found

    def untold(self) -> set[str]:
        """Partitions with a file of which a store does not tell whether it was changed."""
        is_untold = self.listing.stamps == _UNTOLD
        if not is_untold.any():
            return set()
        return {name for name, low, high in self._sets if is_untold[self._file[low:high]].any()}
