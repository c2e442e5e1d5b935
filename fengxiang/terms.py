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
_END, _WORD_END = "\n\r"  # of a statement, a word for itself; of a word, when words are strung together
_AT_ONCE = 256  # statements that are cut together: the memory that their words take is used again for the next ones
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
        return unholdable, ahocorasick_rs.BytesAhoCorasick([t.encode() for t in unholdable],
                                                           matchkind=ahocorasick_rs.MatchKind.LeftmostLongest)

    def prepare(self) -> None:
        """Make the segmenter and the matcher now."""
        _ = self._segmenter, self._matcher

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


def tokenise(texts: list[str], lexicon: Lexicon) -> Tokens:
    """Segment statements.

    Args:
        texts: the statements; a line feed inside one is taken as a space.
        lexicon: terms and stop words.
    """
    extra_terms, matcher = lexicon._matcher
    cut, more, more_in = [], [], []
    for start in range(0, len(texts), _AT_ONCE):
        some = texts[start:start + _AT_ONCE]
        joined = _END.join([*some, ""])
        if joined.count(_END) != len(some) or _WORD_END in joined:
            joined = _END.join([*(t.replace(_END, " ").replace(_WORD_END, " ") for t in some), ""])
        cut.append((_WORD_END.join(lexicon.words(joined)) + _WORD_END).encode("utf-16-le"))
        if extra_terms:
            encoded = joined.encode()
            if found := matcher.find_matches_as_indexes(encoded):
                more += [extra_terms[which] for which, _, _ in found]
                ends = np.flatnonzero(np.frombuffer(encoded, dtype=np.uint8) == ord(_END))
                more_in.append(start + np.searchsorted(ends, [place for _, place, _ in found]))
    if not cut:
        return Tokens([], *(np.zeros(0, dtype=np.int32) for _ in range(3)))

    flat, distinct = _numbered(b"".join(cut))
    standing = lexicon.standings(distinct)
    ends = np.flatnonzero(flat == distinct.index(_END))
    starts = np.append(0, ends[:-1] + 1)
    n_words = np.add.reduceat((standing > _NO_WORD).take(flat), starts, dtype=np.int32)

    kept = np.flatnonzero(standing == _COUNTED)
    kept_words = [distinct[i] for i in kept.tolist()]
    vocabulary = sorted({*kept_words, *more})
    rank = {w: r for r, w in enumerate(vocabulary)}
    to_rank = np.full(len(distinct), -1, dtype=np.int32)
    to_rank[kept] = [rank[w] for w in kept_words]
    term = to_rank.take(flat)
    counted = term >= 0
    term = term.compress(counted)
    statement = np.repeat(np.arange(len(texts), dtype=np.int32), np.add.reduceat(counted, starts, dtype=np.int32))
    if more:
        term = np.append(term, np.array([rank[w] for w in more], dtype=np.int32))
        statement = np.append(statement, np.concatenate(more_in).astype(np.int32))
        order = np.argsort(statement, kind="stable")
        term, statement = term[order], statement[order]
    return Tokens(vocabulary, term, statement, n_words)


def _numbered(text: bytes) -> tuple[np.ndarray, list[str]]:
    """The words of a text in UTF-16, each followed by `_WORD_END`, as numbers, int32; and the word of each number.

    Cheaper than to look up each word in a dict.
    """
    import pyarrow as pa

    ends = np.flatnonzero(np.frombuffer(text, dtype="<u2") == ord(_WORD_END))
    offsets = np.zeros(len(ends) + 1, dtype=np.int32)
    offsets[1:] = 2 * (ends + 1)
    words = pa.BinaryArray.from_buffers(pa.binary(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(text)])
    words = words.dictionary_encode()
    distinct = b"".join(words.dictionary.to_pylist()).decode("utf-16-le").split(_WORD_END)[:-1]
    return words.indices.to_numpy(), distinct
