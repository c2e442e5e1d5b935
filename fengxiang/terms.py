"""Words: segmentation with the project's own terms, and their counts by year and region."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from .errors import UserError
from .yamlfile import read_text

# What the segmenter can hold as one word. A term with anything else in it (a quotation mark, ×, a space) is found by
# matching instead.
_HOLDABLE = re.compile(r"[\u3400-\u9fff0-9A-Za-z]+")
# What a character is, as bits.
_IN_WORD, _HAN, _LETTER, _DIGIT, _NUMERAL, _UNIT, _SURELY_ALNUM = (1 << n for n in range(7))
_KIND = np.zeros(0x10000, dtype=np.uint8)  # the last one stands for all beyond, too
for _bits, _first, _last in ((_IN_WORD | _HAN, "\u3400", "\u9fff"), (_SURELY_ALNUM, "\u4e00", "\u9fa5"),
                             (_IN_WORD | _LETTER | _SURELY_ALNUM, "A", "Z"),
                             (_IN_WORD | _LETTER | _SURELY_ALNUM, "a", "z"),
                             (_IN_WORD | _DIGIT | _SURELY_ALNUM, "0", "9"), (_IN_WORD, "+", "+"), (_IN_WORD, "-", "-")):
    _KIND[ord(_first):ord(_last) + 1] |= _bits
for _bit, _characters in ((_NUMERAL, "一二三四五六七八九十百千万亿零〇两第"), (_UNIT, "年月日个家条项次季")):
    _KIND[[ord(character) for character in _characters]] |= _bit
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
        """Whether a word is counted as a term.

        It has at least two characters, all of them Chinese ones, Latin letters, digits, + and -; it begins with a
        letter, or holds a Chinese character before its last one. It is no stop word, does not begin with a digit, and
        is no Chinese number, with or without 年, 个 or the like.
        """
        return bool(word) and self.standings([word])[0] == _COUNTED

    def standings(self, words: list[str]) -> np.ndarray:
        """Of each word whether it is counted, only a word, or punctuation: `counted` for many at once.

        Args:
            words: none of them empty.
        """
        if not words:
            return np.zeros(0, dtype=np.int8)
        kind = _KIND.take(np.frombuffer("".join(words).encode("utf-32-le", "surrogatepass"), dtype=np.uint32),
                          mode="clip")
        length = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
        last = np.cumsum(length) - 1
        first = last - length + 1
        opening, ending = kind[first], kind[last]
        every, some = np.bitwise_and.reduceat(kind, first), np.bitwise_or.reduceat(kind, first)
        kind[last] = 0
        some_before = np.bitwise_or.reduceat(kind, first)
        kind[last] = 255
        every_before = np.bitwise_and.reduceat(kind, first)
        is_number = (opening & _DIGIT > 0) | ((every_before & _NUMERAL > 0) & (ending & (_NUMERAL | _UNIT) > 0))
        counted = (every & _IN_WORD > 0) & (length > 1) & ~is_number & (
            (some_before & _HAN > 0) | ((some & _HAN == 0) & (opening & _LETTER > 0)))
        for place in counted.nonzero()[0].tolist():
            if words[place] in self.stop_words:
                counted[place] = False
        is_word = some & _SURELY_ALNUM > 0
        for place in (~is_word).nonzero()[0].tolist():
            is_word[place] = any(map(str.isalnum, words[place]))
        return np.where(counted, _COUNTED, np.where(is_word, _WORD, _NO_WORD)).astype(np.int8)


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
    seen = list(ids)
    standing = lexicon.standings(seen)
    is_word = standing > _NO_WORD
    n_words = np.bincount(statement[is_word[flat]], minlength=n).astype(np.int32)[:n] if n else np.zeros(0, np.int32)

    extra_terms, matcher = lexicon._matcher
    extra = matcher.find_matches_as_indexes(joined) if extra_terms else []
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
