"""Stories: articles that are copies or reprints of one text.

Near-copies are proposed by small signatures and confirmed on the texts, so that a corpus of any size needs only the
signatures in memory. The signature is a bottom-k MinHash sketch of character 5-grams (Cohen and Kaplan 2007): the k
smallest hash values of the set of shingles; two texts of Jaccard similarity J share any given one of them with a
probability near J.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, pairwise

import numpy as np

SHINGLE = 5  # characters
SKETCH = 32  # hash values kept
NOTHING = np.uint32(0xFFFFFFFF)  # where a text has fewer
SAME_STORY = 0.6  # Jaccard similarity of shingle sets from which two texts are one story
CONTAINED = 0.8  # or: this share of the shorter text's shingles stands in the longer one,
CONTAINED_MIN = 60  # if the shorter one has at least so many shingles
STOCK_PHRASE = 64  # a hash value that more texts share is a stock phrase: it proposes only texts of like signature,
NEIGHBOURS = 4  # each with so many before it in the order of the signatures
SHARDS = 1024  # of hash values: a power of two
VALUES_AT_ONCE = 1_000_000  # hash values of shards that are looked at together
ROWS_AT_ONCE = 100_000  # signatures that are taken apart together
SIGNATURES_AT_ONCE = 8_000  # that are turned on their side together: they stay near the processor
CHARS_AT_ONCE = 100_000  # characters that are worked on together: what is made of them stays near the processor
PAIRS_AT_ONCE = 16_000  # pairs of signatures that are made and sifted together: they stay near the processor
MARKS = 512  # bits by which pairs that have little in common are told at once
TURNS = 4  # in which only one pair of each group of copies is read; then all that are left
LIKELY = 0.4  # share of common values, where both signatures reach, from which a pair is read in full

_NOT_LETTERS = re.compile(r"[^\w]|_")
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_GONE, _NEW, _UNSURE = 0, 1, 0xFFFFFFFF
_HALF = np.uint64(32)
_SCALE = 2 ** 64 - 1  # the largest hash value
# Where a character is normalised alone, whatever stands beside it: no marks that combine, no letters that compose.
_ALONE = ((0x0, 0x2FF), (0x2000, 0x206F), (0x2070, 0x20CF), (0x2100, 0x2BFF), (0x3000, 0x3029), (0x3030, 0x303F),
          (0x3105, 0x312F), (0x3200, 0x9FFF), (0xF900, 0xFAFF), (0xFE10, 0xFE1F), (0xFE30, 0xFE6F), (0xFF00, 0xFF60),
          (0xFFE0, 0xFFEE), (0x20000, 0x3FFFF))
_normal_forms = np.full(0x110000, _NEW, dtype=np.uint32)  # of each character asked for so far
_normal_forms[0x4E00:0x9FA6] = np.arange(0x4E00, 0x9FA6)  # what most of a text is made of stays as it is


def normalised(text: str) -> str:
    """The letters and digits of a text, in one width and case: what identity and similarity are judged on."""
    return _NOT_LETTERS.sub("", unicodedata.normalize("NFKC", text)).lower()


def all_normalised(texts: Sequence[str]) -> list[str]:
    """`normalised` of many texts at once."""
    return [normal for start, end in _runs(texts) for normal in _some_normalised(texts[start:end])]


def _runs(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where to cut a list of texts so that about `CHARS_AT_ONCE` characters are worked on at once."""
    start = n = 0
    for end, size in enumerate(map(len, texts), 1):
        n += size
        if n >= CHARS_AT_ONCE:
            yield start, end
            start, n = end, 0
    if start < len(texts):
        yield start, len(texts)


def _some_normalised(texts: Sequence[str]) -> list[str]:
    sizes = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    points = _points("".join(texts))
    if not len(points):
        return [""] * len(texts)
    normal = _normal_forms.take(points)
    new = normal == _NEW
    if new.any():
        for point in set(points[new].tolist()):
            _normal_forms[point] = _normal_form(point)
        normal = _normal_forms.take(points)
    kept = np.flatnonzero(normal != _GONE)
    letters = normal.take(kept)
    ends = [0, *np.searchsorted(kept, np.cumsum(sizes)).tolist()]
    # the letters as one string, of which each text's is a part; half a surrogate pair is no letter, but is unsure
    is_unsure = letters == _UNSURE
    unsure = set()
    if is_unsure.any():
        unsure = set((np.searchsorted(ends, np.flatnonzero(is_unsure), side="right") - 1).tolist())
        letters[is_unsure] = ord(" ")
    joined = letters.tobytes().decode("utf-32-le")
    out = [joined[start:end] for start, end in pairwise(ends)]
    for number in unsure:
        out[number] = normalised(texts[number])
    return out


def _normal_form(point: int) -> int:
    """The one letter that a character becomes, or that it goes, or that only its text can tell."""
    if not any(low <= point <= high for low, high in _ALONE):
        return _UNSURE
    form = normalised(chr(point))
    if not form:
        return _GONE
    return ord(form) if len(form) == 1 and not unicodedata.combining(form) and ord(form) > 1 else _UNSURE


def identifier(text: str) -> str:
    """Twelve hexadecimal digits made from a normalised text: they survive moving, renaming and re-downloading."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _hashes(points: np.ndarray, width: int) -> np.ndarray:
    """A 64-bit hash of each run of `width` characters."""
    n = len(points) - width + 1
    points = points.astype(np.uint64)
    hashes = points[:n].copy()
    for i in range(1, width):
        hashes *= _MULTIPLIER
        hashes += points[i:n + i]
    return _mixed(hashes)  # so that the smallest values are spread over all texts


def _mixed(values: np.ndarray) -> np.ndarray:
    """The 64-bit `values`, changed in place so that each bit depends on many."""
    values ^= values >> np.uint64(29)
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> _HALF
    return values


def _distinct(values: np.ndarray) -> np.ndarray:
    """The different values, sorted: for small arrays faster than by hashing."""
    values = np.sort(values)
    return values[np.append(True, values[1:] != values[:-1])] if len(values) else values


def _points(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def shingles(text: str) -> np.ndarray:
    """The distinct 64-bit hashes of a normalised text's character 5-grams, sorted; of the whole text if shorter."""
    if not text:
        return np.zeros(0, dtype=np.uint64)
    return _distinct(_hashes(_points(text), min(SHINGLE, len(text))))


def sketch(text: str) -> np.ndarray:
    """The signature of a normalised text: the upper halves of its `SKETCH` smallest shingle hashes, ascending; a short
    text has fewer, and `NOTHING` after them."""
    out = np.full(SKETCH, NOTHING, dtype=np.uint32)
    smallest = shingles(text)[:SKETCH]
    out[:len(smallest)] = smallest >> _HALF
    return out


def sketches(texts: Sequence[str]) -> np.ndarray:
    """`sketch` of many normalised texts at once, a row each."""
    out = np.full((len(texts), SKETCH), NOTHING, dtype=np.uint32)
    for start, end in _runs(texts):
        _some_sketches(texts[start:end], out[start:end])
    return out


def _some_sketches(texts: Sequence[str], out: np.ndarray) -> None:
    joined = "".join(texts)
    hashes = _hashes(_points(joined), SHINGLE) if len(joined) >= SHINGLE else np.zeros(0, dtype=np.uint64)
    size = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    end = np.cumsum(size)
    n_own = np.maximum(size - SHINGLE + 1, 0)
    for k in range(1, SHINGLE):  # what runs into the next text
        hashes[end[(end >= k) & (end - k < len(hashes))] - k] = _SCALE
    # of each text the smallest few, and more of them: where a text repeats itself, some are one value
    limit = np.where(n_own > 3 * SKETCH, np.uint64(_SCALE) // np.maximum(n_own, 1).astype(np.uint64)
                     * np.uint64(2 * SKETCH), np.uint64(_SCALE))
    at = (hashes < np.repeat(limit, size)[:len(hashes)]).nonzero()[0]
    row, found = np.searchsorted(end, at, side="right"), hashes[at]
    n_found = np.bincount(row, minlength=len(texts))
    few = (n_found <= 4 * SKETCH).nonzero()[0]  # not all: one text with many would make the matrix wide
    table = np.full((len(texts), 4 * SKETCH), _SCALE, dtype=np.uint64)
    nth = np.arange(len(row)) - (np.cumsum(n_found) - n_found)[row]
    fits = nth < 4 * SKETCH
    table[row[fits], nth[fits]] = found[fits]
    table.sort(axis=1)
    table[:, 1:][table[:, 1:] == table[:, :-1]] = _SCALE
    table.sort(axis=1)
    whole = few[table[few, SKETCH - 1] < _SCALE]
    out[whole] = table[whole, :SKETCH] >> _HALF
    left = np.ones(len(texts), dtype=bool)
    left[whole] = False
    for i in left.nonzero()[0].tolist():
        out[i] = sketch(texts[i])


def similar(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two texts, given by their `shingles`, tell one story: by Jaccard similarity, or one containing the
    other."""
    shorter = min(len(a), len(b))
    if not shorter:
        return False
    both = np.sort(np.concatenate([a, b]))
    common = np.count_nonzero(both[1:] == both[:-1])
    union = len(a) + len(b) - common
    return common / union >= SAME_STORY or (shorter >= CONTAINED_MIN and common / shorter >= CONTAINED)


@dataclass(slots=True)
class Judged:
    """Pairs of texts that were read in full, by their names; it holds whatever the corpus is.

    Attributes:
        pairs: rows of two names, the smaller first, sorted.
        same: of each, whether the texts are one story.
    """

    pairs: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), dtype=np.uint64))
    same: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))


@dataclass(slots=True)
class Proposed:
    """What some shards of hash values propose.

    Attributes:
        stamps: for each of these shards, a hash of the values and names in it.
        pairs: rows of shard, name, name, as uint64, sorted.
    """

    stamps: np.ndarray
    pairs: np.ndarray = field(default_factory=lambda: np.zeros((0, 3), dtype=np.uint64))


@dataclass(frozen=True, slots=True)
class Signatures:
    """What is looked at to propose pairs of texts; a row a text, in the order of the signatures.

    Attributes:
        names: a number for each text.
        sketches: the signature of each.
        marks: `MARKS` bits for each signature, one set for each of its values.
        doubled: how many of its values found theirs set.
    """

    names: np.ndarray
    sketches: np.ndarray
    marks: np.ndarray
    doubled: np.ndarray

    @classmethod
    def of(cls, names: np.ndarray, sketches: np.ndarray) -> Signatures:
        """Those of named texts, given by their sketches."""
        order = np.lexsort(sketches[:, 3::-1].T)
        names, sketches, n = names[order], sketches[order], len(order)
        marks = np.zeros((n, MARKS // 64), dtype=np.uint64)
        words = marks.ravel()
        for start in range(0, n, SIGNATURES_AT_ONCE):
            some = np.ascontiguousarray(sketches[start:start + SIGNATURES_AT_ONCE].T)
            first = np.arange(start, start + some.shape[1]) * marks.shape[1]
            for column in some:
                bit = (column != NOTHING).astype(np.uint64) << (column & np.uint32(63)).astype(np.uint64)
                words[first + ((column >> np.uint32(6)) & np.uint32(marks.shape[1] - 1))] |= bit
        doubled = np.count_nonzero(sketches != NOTHING, axis=1) - np.bitwise_count(marks).sum(axis=1, dtype=np.int64)
        return cls(names, sketches, marks, doubled)


def link(keys: np.ndarray, names: np.ndarray, sketches: np.ndarray, judge: Callable[[np.ndarray], np.ndarray],
         propose: Callable[[Signatures], Iterable[np.ndarray]] | None = None, judged: Judged | None = None
         ) -> np.ndarray:
    """Which articles belong to one story.

    Two texts belong together if their shingles are `similar`, or by a chain of such pairs. A pair may be similar if the
    signatures share a value that is no stock phrase (or stand side by side among those that share one), and if they
    agree in `LIKELY` of the values where both reach. Such a pair is read in full, unless a chain of others has brought
    its texts together already: of many copies of one text, few pairs are read. Memory grows with the number of texts,
    not of pairs.

    Args:
        keys: sortable keys of the articles, unique; the smallest of a group leads it, so order them by date.
        names: a number for each text, uint64: the same number, the same text.
        sketches: the signature of each, a row each.
        judge: says of pairs, rows of two indices of articles, whether the shingles of their texts are `similar`.
        propose: gives for signatures, a few shards at a time, the pairs of names that these propose, by other
            processes for example.
        judged: what was found out about pairs before; brought up to date.

    Returns:
        Of each article, the index of the first one of its story: its own, where it stands alone. The same whatever
        the order of `keys` and whatever was found out before.
    """
    judged = Judged() if judged is None else judged
    order = np.flatnonzero(sketches[:, 0] != NOTHING)
    order = order[np.argsort(keys[order], kind="stable")]
    # the same text is the same story; only the first of each is compared with others
    different, first, which = np.unique(names[order], return_index=True, return_inverse=True)
    # nodes are places in `order`, so that the smallest of a story is its first article; each points to an earlier one
    parent = first[which]
    n = max(len(different), 1)
    at = np.minimum(np.searchsorted(different, judged.pairs), n - 1)
    held = (different[at] == judged.pairs).all(axis=1) if len(different) else np.zeros(len(at), dtype=bool)
    told, told_same = at[held, 0] * n + at[held, 1], judged.same[held]  # a pair as one number, ascending
    used = np.zeros(len(told), dtype=bool)
    for names_of_pairs in (propose or _all_proposed)(Signatures.of(different, sketches[order[first]])):
        i, j = np.searchsorted(different, names_of_pairs).T
        pairs = _distinct(i * n + j)
        place = np.searchsorted(told, pairs)
        place[place == len(told)] = 0
        known = told[place] == pairs if len(told) else np.zeros(len(pairs), dtype=bool)
        used[place[known]] = True
        a, b = first[np.stack(np.divmod(pairs, n))]
        is_new, same = ~known, known.copy()
        same[known] = told_same[place[known]]
        _unite(parent, a[same], b[same])
        for turn in count():
            low, high = np.sort([_roots(parent, a), _roots(parent, b)], axis=0)
            left = np.flatnonzero(~known & (low != high))
            if not len(left):
                break
            if turn < TURNS:  # of each group one pair with an earlier group, if there is any
                left = left[np.unique(high[left], return_index=True)[1]]
            same[left] = judge(np.column_stack([order[a[left]], order[b[left]]]))
            known[left] = True
            _unite(parent, a[left[same[left]]], b[left[same[left]]])
        new = known & is_new
        told, into = np.concatenate([told, pairs[new]]), np.concatenate([told_same, same[new]])
        by = np.argsort(told)
        told, told_same, used = told[by], into[by], np.append(used, np.ones(new.sum(), dtype=bool))[by]
    judged.pairs, judged.same = different[np.column_stack(np.divmod(told[used], n))], told_same[used]
    out = np.arange(len(keys))
    out[order] = order[_roots(parent, np.arange(len(order)))]
    return out


def _roots(parent: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """The node that each of some nodes leads to, by way of `parent`."""
    found = parent[nodes]
    while not np.array_equal(further := parent[found], found):
        found = further
    return found


def _unite(parent: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    """Let the nodes at both ends of each edge lead to one: the smallest of all that are joined."""
    while True:
        low, high = np.sort([_roots(parent, a), _roots(parent, b)], axis=0)
        apart = low != high
        if not apart.any():
            return
        np.minimum.at(parent, high[apart], low[apart])


def batches(signatures: Signatures) -> list[tuple[np.ndarray, np.ndarray]]:
    """The shards in sets of some `VALUES_AT_ONCE` values: the shards of each, and their stamps as of `Proposed`."""
    stamps, n_values = _stamps(signatures.names, signatures.sketches)
    n = min(1 << (n_values // VALUES_AT_ONCE).bit_length(), SHARDS)
    return [(shards, stamps[shards]) for shards in np.split(np.arange(SHARDS), n)]


def proposed(signatures: Signatures, shards: np.ndarray, stamps: np.ndarray, before: Proposed | None) -> Proposed:
    """What some shards propose; what a shard proposes follows from the values and names in it alone, so one whose
    stamp is as it was `before` is not looked at again."""
    is_other = np.ones(len(shards), dtype=bool) if before is None else stamps != before.stamps
    found = [_proposals(signatures, shards[is_other])] if is_other.any() else []
    if before is not None:
        place = np.searchsorted(shards, before.pairs[:, 0])
        found.append(before.pairs[~is_other[place]])
    pairs = np.concatenate(found)
    return Proposed(stamps, pairs[np.lexsort(pairs.T[::-1])])


def _all_proposed(signatures: Signatures) -> Iterable[np.ndarray]:
    return (proposed(signatures, *batch, None).pairs[:, 1:] for batch in batches(signatures))


def _stamps(names: np.ndarray, sketches: np.ndarray) -> tuple[np.ndarray, int]:
    """Of each shard, a hash of the set of its values with the names of their texts; and how many values there are.
    Sums, so that nothing has to be sorted to tell a shard that is as it was."""
    stamps, n_values = np.zeros(SHARDS, dtype=np.uint64), 0
    for start in range(0, len(names), ROWS_AT_ONCE):
        some = sketches[start:start + ROWS_AT_ONCE].ravel()
        at = np.flatnonzero(some != NOTHING)
        value = some.take(at)
        mixed = _mixed((names.take(start + at // SKETCH) * _MULTIPLIER) ^ value)
        np.add.at(stamps, value & np.uint32(SHARDS - 1), mixed)
        n_values += len(value)
    return stamps, n_values


def _held(sketches: np.ndarray, shards: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The hash values of some shards, each beginning with the number of its shard, ascending; and the row of
    `sketches` each stands in."""
    bits = SHARDS.bit_length() - 1
    is_wanted = np.zeros(SHARDS, dtype=bool)
    is_wanted[shards] = True
    found = [np.zeros(0, dtype=np.uint64)]
    for start in range(0, len(sketches), ROWS_AT_ONCE):
        some = sketches[start:start + ROWS_AT_ONCE].ravel()
        at = np.flatnonzero(is_wanted.take(some & np.uint32(SHARDS - 1)) & (some != NOTHING))
        value = some.take(at)
        value = (value << np.uint32(32 - bits)) | (value >> np.uint32(bits))
        # value and text in one integer: one sort brings those together that share a value
        found.append((value.astype(np.uint64) << _HALF) | (start + at // SKETCH).astype(np.uint64))
    held = np.concatenate(found)
    found.clear()
    held.sort()
    return (held >> _HALF).astype(np.uint32), (held & np.uint64(NOTHING)).astype(np.int64)


def _proposals(signatures: Signatures, shards: np.ndarray) -> np.ndarray:
    """The likely pairs of texts that share a value of some shards: rows of the shard and two names, as uint64.

    A value proposes at most `STOCK_PHRASE` pairs for each text, and pairs are sifted by `_likely` as they come: a pair
    once for each value that proposes it, since most are told to be unlikely in less time than sorting them takes.
    """
    values, owner = _held(signatures.sketches, shards)
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1])) if len(values) else np.zeros(0, dtype=np.int64)
    size = np.diff(np.append(starts, len(values)))
    found = [np.zeros((0, 3), dtype=np.int64)]
    waiting: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    n_waiting = 0

    def sift(a: np.ndarray, b: np.ndarray, value: np.ndarray, at_once: int = PAIRS_AT_ONCE) -> None:
        nonlocal n_waiting
        waiting.append((a.ravel(), b.ravel(), np.broadcast_to(value, a.shape).ravel()))
        n_waiting += a.size
        if n_waiting >= at_once:
            a, b, value = (np.concatenate(column) for column in zip(*waiting, strict=True))
            waiting.clear()
            n_waiting = 0
            likely = np.flatnonzero(_likely(signatures, a, b))
            found.append(np.column_stack([value[likely], a[likely], b[likely]]))

    few = (size > 1) & (size <= STOCK_PHRASE)
    # groups of one size make a matrix: each column with each later one
    for s in _distinct(size[few]).tolist():
        at = starts[few & (size == s)]
        a, b = np.triu_indices(s, 1)
        for some in np.array_split(at, len(at) * len(a) // PAIRS_AT_ONCE + 1):
            groups = owner.take(some[:, None] + np.arange(s))
            sift(groups.take(a, axis=1), groups.take(b, axis=1), values[some][:, None])
    is_stock = np.repeat(size > STOCK_PHRASE, size)
    stock, member = values[is_stock], owner[is_stock]
    for apart in range(1, NEIGHBOURS + 1):
        for start in range(apart, len(stock), PAIRS_AT_ONCE):
            end = min(start + PAIRS_AT_ONCE, len(stock))
            at = start + np.flatnonzero(stock[start:end] == stock[start - apart:end - apart])
            sift(member.take(at), member.take(at - apart), stock.take(at))
    sift(owner[:0], owner[:0], values[:0], 0)
    likely = np.concatenate(found)
    shard = likely[:, 0].astype(np.uint64) >> np.uint64(32 - (SHARDS.bit_length() - 1))
    return np.column_stack([shard, np.sort(signatures.names[likely[:, 1:]], axis=1)])


def _likely(signatures: Signatures, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Whether the signatures of each pair agree in `LIKELY` of the values below the point up to which both are whole.

    A signature holds all of its text's hash values up to its largest one, or simply all if it is not full. Below the
    smaller of the two largest ones, a text that stands within another shares all its values with it.
    """
    sketches, marks, doubled = signatures.sketches, signatures.marks, signatures.doubled
    values, of_first, of_second = sketches.ravel(), first * SKETCH, second * SKETCH
    largest = np.minimum(values.take(of_first + (SKETCH - 1)), values.take(of_second + (SKETCH - 1)))
    reach = np.minimum(largest, NOTHING - np.uint32(1))
    # most pairs cannot be likely: no more values are common than bits, and those that share a bit in one of both
    bits = np.bitwise_count(marks.take(first, axis=0) & marks.take(second, axis=0))
    common = bits @ np.ones(bits.shape[1], dtype=np.uint8) + np.minimum(doubled.take(first), doubled.take(second))
    # with so many values in common, a pair is likely if at most so many are in reach
    n = np.arange(SKETCH + 1)
    most = np.count_nonzero(LIKELY * n <= n[:, None], axis=1) - 1
    enough = most.take(common, mode="clip")
    beyond = np.minimum(enough, SKETCH - 1)  # the value that must be out of reach in one of them
    maybe = np.flatnonzero((common > 0) & ((enough == SKETCH) | (values.take(of_first + beyond) > reach)
                                           | (values.take(of_second + beyond) > reach)))
    a, b, reach = sketches.take(first[maybe], axis=0), sketches.take(second[maybe], axis=0), reach[maybe][:, None]
    in_reach = np.minimum(np.count_nonzero(a <= reach, axis=1), np.count_nonzero(b <= reach, axis=1))
    both = np.sort(np.concatenate([a, b], axis=1), axis=1)
    later = both[:, 1:]
    same = np.count_nonzero((later == both[:, :-1]) & (later <= reach), axis=1)
    out = np.zeros(len(first), dtype=bool)
    out[maybe] = same >= LIKELY * np.maximum(in_reach, 1)
    return out
