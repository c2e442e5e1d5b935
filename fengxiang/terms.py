"""Words: segmentation with the project's own terms, and their counts by year and region."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from .errors import UserError
from .yamlfile import read_text

# What is counted: a word of at least two Chinese characters, or of two letters and digits that begin with a letter.
WORD = re.compile(r"(?:[\u3400-\u9fff]{2,}|[A-Za-z][A-Za-z0-9+\-]+"
                  r"|[0-9A-Za-z+\-]*[\u3400-\u9fff][0-9A-Za-z+\-\u3400-\u9fff]+)")
# What the segmenter can hold as one word. A term with anything else in it (a quotation mark, ×, a space) is found by
# matching instead.
_HOLDABLE = re.compile(r"[\u3400-\u9fff0-9A-Za-z]+")
_NEVER_COUNTED = re.compile(r"[0-9].*|[一二三四五六七八九十百千万亿零〇两第]+[年月日个家条项次季]?")
_TERM_FREQUENCY = 1_000_000  # high enough that a listed term always stays whole
_SEPARATOR = "\n"
_NO_WORD, _WORD, _COUNTED = range(3)
_taken = False  # whether the library's own segmenter is in use


def read_words(path: str | Path) -> list[str]:
    """The words of a list file: one a line, `#` begins a comment, order kept, repeats refused.

    Raises:
        UserError: the file is missing or not UTF-8, or a word stands twice; names the line.
    """
    words: dict[str, int] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        word = line.split("#", 1)[0].strip()
        if word in words:
            raise UserError(f"“{word}” stands already on line {words[word]}; keep one", path, number)
        if word:
            words[word] = number
    return list(words)


def _fresh_segmenter():
    """A segmenter that nobody else adds words to. The first one of a process is the one that the library has made
    for itself when it was imported: reading its dictionary again costs as much as segmenting several megabytes."""
    import rjieba

    global _taken
    if _taken:
        return rjieba.Jieba()
    _taken = True
    return rjieba._DEFAULT_JIEBA


@dataclass
class Lexicon:
    """The words an analyst lists: `terms` that stay whole, `stop_words` that are not counted.

    Picklable; the segmenter is built in each process when first used.
    """

    terms: list[str]
    stop_words: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def load(cls, codebook: str | Path) -> Lexicon:
        """Read `terms.txt` and `stopwords.txt` of a codebook folder."""
        return cls(read_words(Path(codebook) / "terms.txt"),
                   frozenset(read_words(Path(codebook) / "stopwords.txt")))

    @cached_property
    def _segmenter(self):
        segmenter = _fresh_segmenter()
        for term in self.terms:
            if _HOLDABLE.fullmatch(term):
                segmenter.add_word(term, _TERM_FREQUENCY, "n")
        return segmenter

    @cached_property
    def _matcher(self):
        import ahocorasick_rs

        unholdable = [t for t in self.terms if not _HOLDABLE.fullmatch(t)]
        return unholdable, ahocorasick_rs.AhoCorasick(unholdable or ["\0"],
                                                      matchkind=ahocorasick_rs.MatchKind.LeftmostLongest)

    def __getstate__(self):
        return {"terms": self.terms, "stop_words": self.stop_words}

    def words(self, text: str) -> list[str]:
        """`text` cut into words, punctuation included."""
        return self._segmenter.cut(text)

    def counted(self, word: str) -> bool:
        """Whether a word is counted as a term: a word by `WORD`, no stop word, no number."""
        return bool(WORD.fullmatch(word)) and word not in self.stop_words and not _NEVER_COUNTED.fullmatch(word)

    @cached_property
    def standing(self) -> Callable[[str], int]:
        """A function that tells of a word whether it is counted, only a word, or punctuation; it remembers."""

        @lru_cache(maxsize=500_000)
        def standing(word: str) -> int:
            return _COUNTED if self.counted(word) else _WORD if any(map(str.isalnum, word)) else _NO_WORD

        return standing


@dataclass(slots=True)
class Tokens:
    """The words of many statements, one entry an occurrence that is counted.

    Attributes:
        vocabulary: the distinct terms, sorted.
        term: index into `vocabulary` of each occurrence, int32.
        statement: index of the statement it stands in, int32, ascending.
        n_words: number of words of each statement, stop words included and punctuation not: the denominator of rates.
    """

    vocabulary: list[str]
    term: np.ndarray
    statement: np.ndarray
    n_words: np.ndarray


class _Numbers(dict):
    """Numbers words as they come."""

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        return number


def tokenise(texts: list[str], lexicon: Lexicon) -> Tokens:
    """Segment statements.

    Args:
        texts: the statements; a line feed inside one is taken as a space.
        lexicon: terms and stop words.
    """
    n = len(texts)
    joined = _SEPARATOR.join(texts)
    if joined.count(_SEPARATOR) != max(n - 1, 0) or "\r" in joined:
        joined = _SEPARATOR.join(t.replace(_SEPARATOR, " ").replace("\r", " ") for t in texts)
    words = lexicon.words(joined)
    ids = _Numbers({_SEPARATOR: 0})
    flat = np.fromiter(map(ids.__getitem__, words), dtype=np.int32, count=len(words))
    statement = np.cumsum(flat == 0, dtype=np.int32)
    standing = np.fromiter(map(lexicon.standing, ids), dtype=np.int8, count=len(ids))
    is_word = standing > _NO_WORD
    n_words = np.bincount(statement[is_word[flat]], minlength=n).astype(np.int32)[:n] if n else np.zeros(0, np.int32)

    extra_terms, matcher = lexicon._matcher
    extra = matcher.find_matches_as_indexes(joined) if extra_terms else []
    seen = list(ids)
    kept = {seen[i]: i for i in np.flatnonzero(standing == _COUNTED).tolist()}
    vocabulary = sorted({*kept, *(extra_terms[which] for which, _, _ in extra)})
    rank = {w: r for r, w in enumerate(vocabulary)}
    to_rank = np.full(len(ids), -1, dtype=np.int32)
    for word, i in kept.items():
        to_rank[i] = rank[word]
    term = to_rank[flat]
    counted = term >= 0
    term, statement = term[counted], statement[counted]
    if extra:
        breaks = np.flatnonzero(np.frombuffer(joined.encode("utf-32-le"), dtype=np.uint32) == ord(_SEPARATOR))
        starts = np.fromiter((start for _, start, _ in extra), dtype=np.int64, count=len(extra))
        more = np.fromiter((rank[extra_terms[which]] for which, _, _ in extra), dtype=np.int32, count=len(extra))
        term = np.concatenate([term, more])
        statement = np.concatenate([statement, np.searchsorted(breaks, starts).astype(np.int32)])
        order = np.argsort(statement, kind="stable")
        term, statement = term[order], statement[order]
    return Tokens(vocabulary, term, statement, n_words)
