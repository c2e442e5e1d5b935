"""Finding many strings in a long array of characters at once.

What `ahocorasick_rs` finds it hands over as one Python tuple an occurrence, and coding looks for so many strings that
those tuples cost more than the search. Here the same trie is walked for all places of the text together, one step of
NumPy for each further character, and the occurrences come as arrays. The tests hold it against `ahocorasick_rs`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

UNICODE = 0x110000


class Strings:
    """A set of strings made ready to be found.

    Attributes:
        strings: the different strings, in the order given; none is empty.
        number: of each string, its place in that order.
    """

    def __init__(self, strings: Sequence[str]):
        self.strings = tuple(dict.fromkeys(strings))
        self.number = {string: number for number, string in enumerate(self.strings)}
        if "" in self.number:
            raise ValueError("an empty string stands everywhere")
        alphabet = sorted(set("".join(self.strings)))
        self._letter = np.zeros(UNICODE, dtype=np.int32)  # 0: no string has this character
        self._letter[[ord(character) for character in alphabet]] = np.arange(1, len(alphabet) + 1)
        letter = {character: number for number, character in enumerate(alphabet, 1)}
        self._n = len(alphabet) + 1

        children: list[dict[int, int]] = [{}]  # of each node, 0 is the root
        string_at = [-1]
        for number, string in enumerate(self.strings):
            node = 0
            for character in string:
                following = children[node].get(letter[character])
                if following is None:
                    following = children[node][letter[character]] = len(children)
                    children.append({})
                    string_at.append(-1)
                node = following
            string_at[node] = number
        self._string_at = np.array(string_at, dtype=np.int64)
        self._has_string = self._string_at >= 0
        self._has_children = np.array([bool(following) for following in children], dtype=bool)
        # one step for the first two characters, which tell most places apart
        self._single = np.full(self._n, -1, dtype=np.int64)
        self._pair = np.zeros(self._n * self._n, dtype=np.int32)
        for first, node in children[0].items():
            self._single[first] = string_at[node]
            for second, following in children[node].items():
                self._pair[first * self._n + second] = following
        self._has_single, self._has_pair = self._single >= 0, self._pair > 0
        self._base, self._owner, self._following = _double_array(children, self._n)

    def find(self, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All occurrences, also those inside others.

        Args:
            codes: code points of the text.

        Returns:
            The number of each string found, where it starts, and where it ends (one beyond its last character): by
            length, the shortest first, and those of one length from the left.
        """
        letters = np.zeros(len(codes) + 1, dtype=np.int32)  # the end of the text ends all walks
        self._letter.take(codes, out=letters[:-1])
        at = self._has_single.take(letters).nonzero()[0]
        found = [(self._single[letters[at]], at, at + 1)]
        pairs = letters[:-1] * np.int32(self._n) + letters[1:]
        at = self._has_pair.take(pairs).nonzero()[0]
        nodes, length = self._pair[pairs[at]], 2
        while len(at):
            here = self._has_string[nodes].nonzero()[0]
            if len(here):
                start = at[here]
                found.append((self._string_at[nodes[here]], start, start + length))
            walks = self._has_children[nodes].nonzero()[0]
            at, nodes = at[walks], nodes[walks]
            # a walk that lives has not met the end, so `at + length` is a place
            slots = self._base[nodes] + letters[at + length]
            alive = (self._owner[slots] == nodes).nonzero()[0]
            at, nodes, length = at[alive], self._following[slots[alive]], length + 1
        number, start, end = (np.concatenate(column) for column in zip(*found, strict=True))
        return number, start, end


def _double_array(children: Sequence[dict[int, int]], n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A trie as three arrays: the child of a node for a letter is `following[base[node] + letter]`, if `owner` is the
    node there. Nodes less than two letters deep are left out."""
    deep = [node for first in children[0].values() for node in children[first].values()]
    for node in deep:  # grows as it is read
        deep.extend(children[node].values())
    deep.sort(key=lambda node: -len(children[node]))
    base, free = [0] * len(children), n  # so that no base is below 0
    taken: dict[int, int] = {}
    for node in deep:
        letters = children[node]
        if letters:
            while free in taken:
                free += 1
            start = free - min(letters)
            while any(start + letter in taken for letter in letters):
                start += 1
            base[node] = start
            taken.update(dict.fromkeys((start + letter for letter in letters), node))
    size = max(base) + n
    owner, following = np.full(size, -1, dtype=np.int32), np.zeros(size, dtype=np.int32)
    for slot, node in taken.items():
        owner[slot] = node
        following[slot] = children[node][slot - base[node]]
    return np.array(base, dtype=np.int32), owner, following


def outermost(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Of occurrences, the places of those that stand inside no other one, from the left.

    Args:
        start, end: of occurrences that all differ.
    """
    length = end - start
    longest = int(length.max(initial=0)) + 1
    order = (start * longest - length).argsort()  # from the left, the longest first
    reach = np.maximum.accumulate(end[order])
    return order[np.concatenate(([True], reach[1:] > reach[:-1]))[:len(order)]]
