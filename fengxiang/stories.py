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
from collections.abc import Callable, Iterable

import numpy as np

SHINGLE = 5  # characters
SKETCH = 16  # hash values kept
SAME_STORY = 0.6  # Jaccard similarity of shingle sets from which two texts are one story
CONTAINED = 0.8  # or: this share of the shorter text's shingles stands in the longer one,
CONTAINED_MIN = 60  # if the shorter one has at least so many shingles

_NOT_LETTERS = re.compile(r"[^\w]|_")
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def normalised(text: str) -> str:
    """The letters and digits of a text, in one width and case: what identity and similarity are judged on."""
    return _NOT_LETTERS.sub("", unicodedata.normalize("NFKC", text)).lower()


def identifier(text: str) -> str:
    """Twelve hexadecimal digits made from a normalised text: they survive moving, renaming and re-downloading."""
    return hashlib.blake2b(text.encode("utf-8"), digest_size=6).hexdigest()


def shingles(text: str) -> np.ndarray:
    """The distinct 64-bit hashes of a normalised text's character 5-grams, sorted; of the whole text if shorter."""
    points = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    if not len(points):
        return np.zeros(0, dtype=np.uint64)
    width = min(SHINGLE, len(points))
    hashes = np.zeros(len(points) - width + 1, dtype=np.uint64)
    for i in range(width):
        hashes = hashes * _MULTIPLIER + points[i:len(points) - width + 1 + i]
    hashes ^= hashes >> np.uint64(29)  # mix, so that the smallest values are spread over all texts
    hashes *= np.uint64(0xBF58476D1CE4E5B9)
    hashes ^= hashes >> np.uint64(32)
    return np.unique(hashes)


def sketch(text: str) -> np.ndarray:
    """The signature of a normalised text: its `SKETCH` smallest shingle hashes, ascending; fewer for a short text."""
    return shingles(text)[:SKETCH]


def similar(a: str, b: str) -> bool:
    """Whether two normalised texts tell one story: by Jaccard similarity, or one containing the other."""
    a_shingles, b_shingles = shingles(a), shingles(b)
    shorter = min(len(a_shingles), len(b_shingles))
    if not shorter:
        return False
    common = len(np.intersect1d(a_shingles, b_shingles, assume_unique=True))
    union = len(a_shingles) + len(b_shingles) - common
    return common / union >= SAME_STORY or (shorter >= CONTAINED_MIN and common / shorter >= CONTAINED)


def link(keys: list, sketches: Iterable[np.ndarray], text_of: Callable[[object], str]) -> dict:
    """Which articles belong to one story.

    Args:
        keys: sortable keys of the articles, unique; the smallest of a group names it, so order them by date.
        sketches: the signature of each.
        text_of: the normalised text of a key; asked only for proposed pairs.

    Returns:
        key → smallest key of its story, for the articles that share one; articles that stand alone are left out.
        The same whatever the order of `keys`.
    """
    owner: dict[int, list] = {}
    for key, values in zip(keys, sketches, strict=True):
        for value in values.tolist():
            owner.setdefault(value, []).append(key)
    parent = {}

    def root(key):
        while parent.get(key, key) != key:
            parent[key] = parent.get(parent[key], parent[key])
            key = parent[key]
        return key

    texts: dict = {}

    def text(key):
        if key not in texts:
            texts[key] = text_of(key)
        return texts[key]

    tried = set()
    for _, members in sorted((v, sorted(m)) for v, m in owner.items() if len(m) > 1):
        # each is compared with the stories already in the group, not with every copy in them
        heads: list = []
        for key in members:
            if any(root(key) == root(h) for h in heads):
                continue
            for head in heads:
                pair = (head, key)
                if pair not in tried:
                    tried.add(pair)
                    if similar(text(head), text(key)):
                        first, second = sorted((root(head), root(key)))
                        parent[second] = first
                        break
            else:
                heads.append(key)
    return {key: root(key) for key in sorted(parent.keys() | set(parent.values()))}
