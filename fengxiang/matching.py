"""Finding many strings in a long array of characters at once.

What `ahocorasick_rs` finds it hands over as one Python tuple an occurrence, and coding looks for so many strings that
those tuples cost more than the search. Here the same trie is walked for all places of the text together, one step of
NumPy for each further character, and the occurrences come as arrays. The tests hold it against `ahocorasick_rs`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

UNICODE = 0x110000
_WIDE = 8  # more children than that are many
_MIXING_PAIRS = np.uint16(0x9E37)  # odd
_MIXING = 0x9E3779B97F4A7C15  # odd: the upper bits of a product with it depend on all bits of a number


class Strings:
    """A set of strings made ready to be found.

    Attributes:
        strings: the different strings, in the order given; none is empty.
        number: of each string, its place in that order.
    """

    def __init__(self, strings: Sequence[str]):
        self.strings = tuple(dict.fromkeys(strings))
        self.number = dict(zip(self.strings, range(len(self.strings)), strict=True))
        if "" in self.number:
            raise ValueError("an empty string stands everywhere")
        length = np.fromiter(map(len, self.strings), dtype=np.int64, count=len(self.strings))
        first = np.cumsum(length) - length
        codes = np.frombuffer("".join(self.strings).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        alphabet = _flagged(codes, UNICODE)
        self._n = n = len(alphabet) + 1
        self._letter = np.zeros(UNICODE, dtype=np.int32)  # 0: no string has this character
        self._letter[alphabet] = np.arange(1, n)
        letters = self._letter.take(codes)
        self._length = length
        # most places of a text are told to be none by 16 bits of their character, or of a mix of it and the next one:
        # tables so small that they stay in the processor
        pairs = (length > 1).nonzero()[0]
        self._may_begin = np.zeros(1 << 16, dtype=bool)
        low = codes.astype(np.uint16)
        self._may_begin[_mixed(low[first[pairs]], low[first[pairs] + 1])] = True
        self._may_be_single = np.zeros(1 << 16, dtype=bool)
        self._may_be_single[low[first[length == 1]]] = True
        self._singles = bool((length == 1).any())

        # the trie, by depth: its edges are the different pairs of a node and the letter that follows; 0 is the root
        node = np.zeros(len(self.strings), dtype=np.int64)
        edges = [np.zeros((0, 3), dtype=np.int64)]
        for depth in range(int(length.max(initial=0))):
            longer = (length > depth).nonzero()[0]
            key, which = np.unique(node[longer] * n + letters[first[longer] + depth], return_inverse=True)
            child = np.arange(len(key)) + 1 + sum(map(len, edges))
            edges.append(np.stack((key // n, key % n, child), axis=1))
            node[longer] = child[which]
        parent, letter, child = np.concatenate(edges).T
        self._string_at = np.full(len(parent) + 1, -1, dtype=np.int32)
        self._string_at[node] = np.arange(len(self.strings))
        n_children = np.bincount(parent, minlength=len(parent) + 1)
        self._goes_on = n_children > 0
        # one step for the first two characters, which tell most places apart
        top = parent == 0
        self._single = np.full(n, -1, dtype=np.int32)
        self._single[letter[top]] = self._string_at[child[top]]
        letter_of = np.zeros(len(parent) + 1, dtype=np.int64)
        letter_of[child[top]] = letter[top]
        second = (letter_of[parent] > 0).nonzero()[0]
        self._pair = np.zeros(n * n, dtype=np.int32)
        self._pair[letter_of[parent[second]] * n + letter[second]] = child[second]
        # then the child of a node is `following[base[node] + letter]`, if `owner` is the node there. The slots of a
        # node lie among those of others: kept small, the tables stay near the processor and are made at once
        deep = (~top & (letter_of[parent] == 0)).nonzero()[0]
        is_wide = n_children[parent[deep]] > _WIDE
        wide = _flagged(parent[deep[is_wide]], len(n_children))  # these few have a slot for each letter
        free, spread = len(wide) * n, 4 * len(deep) + 1
        self._base = np.zeros(len(parent) + 1, dtype=np.int32)
        self._base[wide] = np.arange(len(wide)) * n
        self._owner, self._following = np.zeros((2, free + spread + n), dtype=np.int32)  # the root owns nothing
        slot = self._base[parent[deep[is_wide]]] + letter[deep[is_wide]]
        self._owner[slot], self._following[slot] = parent[deep[is_wide]], child[deep[is_wide]]
        waiting, mixing = deep[~is_wide], _MIXING
        while len(waiting):
            # each of the others tries some place, and again elsewhere when a slot there is not its own
            node = parent[waiting]
            self._base[node] = free + (node.astype(np.uint64) * np.uint64(mixing) >> np.uint64(32)) % np.uint64(spread)
            slot = self._base[node] + letter[waiting]
            unowned = self._owner[slot] == 0
            self._owner[slot[unowned]] = node[unowned]
            taken = self._owner[slot] != node
            goes = np.zeros(len(n_children), dtype=bool)
            goes[node[taken]] = True
            goes = goes[node]
            self._owner[slot[goes & ~taken]] = 0
            self._following[slot[~goes]] = child[waiting[~goes]]
            waiting, mixing = waiting[goes], mixing * 5 % 2**64

    def find(self, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All occurrences, also those inside others.

        Args:
            codes: code points of the text.

        Returns:
            The number of each string found, where it starts, and where it ends (one beyond its last character): from
            the left, and of those that start at one place the longest first.
        """
        found = []
        low = codes.astype(np.uint16)
        if self._singles:
            at = self._may_be_single.take(low).nonzero()[0]
            number = self._single.take(self._letter.take(codes.take(at)))
            is_found = (number >= 0).nonzero()[0]
            found.append((number.take(is_found), at.take(is_found)))
        at, length = self._may_begin.take(_mixed(low[:-1], low[1:])).nonzero()[0], 2
        nodes = self._pair.take(self._letter.take(codes.take(at)) * self._n + self._letter.take(codes.take(at + 1)))
        alive = (nodes > 0).nonzero()[0]
        at, nodes = at.take(alive), nodes.take(alive)
        while len(at):
            number = self._string_at.take(nodes)
            is_found = (number >= 0).nonzero()[0]
            if len(is_found):
                found.append((number.take(is_found), at.take(is_found)))
            walks = self._goes_on.take(nodes).nonzero()[0]
            at, nodes = at.take(walks), nodes.take(walks)
            within = at.searchsorted(len(codes) - length)  # the end of the text ends all walks
            at, nodes = at[:within], nodes[:within]
            slots = self._base.take(nodes) + self._letter.take(codes.take(at + length))
            alive = (self._owner.take(slots) == nodes).nonzero()[0]
            at, nodes, length = at.take(alive), self._following.take(slots.take(alive)), length + 1
        if not found:
            return (np.zeros(0, dtype=np.int64),) * 3
        number, start = (np.concatenate(column) for column in zip(*reversed(found), strict=True))
        # those of one length are in order already: a sort that takes up such runs is far quicker than another
        order = start.argsort(kind="stable")
        number, start = number.take(order), start.take(order)
        return number, start, start + self._length.take(number)


def _mixed(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """A number of 16 bits for each two characters, given by their lower 16 bits; few pairs in a text share theirs with
    a given one."""
    mixed = first * _MIXING_PAIRS
    mixed += second
    return mixed


def _flagged(numbers: np.ndarray, n: int) -> np.ndarray:
    """The different ones of numbers below `n`, sorted."""
    flags = np.zeros(n, dtype=bool)
    flags[numbers] = True
    return flags.nonzero()[0]


def outermost(end: np.ndarray) -> np.ndarray:
    """Of occurrences in the order in which they are found, the places of those that stand inside no other one.

    Args:
        end: where they end.
    """
    reach = np.maximum.accumulate(end)
    return np.concatenate(([True], reach[1:] > reach[:-1]))[:len(end)].nonzero()[0]


def leftmost(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Of occurrences in the order in which they are found, the places of those that are taken when one reads from the
    left, takes the longest that starts at a place, and reads on behind it.

    Args:
        start, end: where they start and end.
    """
    # what starts where all before it have ended is taken, what starts inside that is not: few are left to go through
    taken = np.ones(len(start), dtype=bool)
    taken[1:] = start[1:] >= np.maximum.accumulate(end)[:-1]
    opener = np.maximum.accumulate(np.where(taken, np.arange(len(start)), 0))
    rest = (~taken & (start >= end[opener])).nonzero()[0]
    behind = 0
    for place, begins, ends, opener_ends in zip(
            rest.tolist(), start[rest].tolist(), end[rest].tolist(), end[opener[rest]].tolist(), strict=True):
        if begins >= behind or behind < opener_ends:
            taken[place] = True
            behind = ends
    return taken.nonzero()[0]
