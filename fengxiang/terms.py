"""Words: segmentation with the project's own terms, and their counts by year and region."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from .errors import UserError

# What is counted: a word of at least two Chinese characters, or of two letters and digits that begin with a letter.
WORD = re.compile(r"(?:[\u3400-\u9fff]{2,}|[A-Za-z][A-Za-z0-9+\-]+|[0-9A-Za-z+\-]*[\u3400-\u9fff][0-9A-Za-z+\-\u3400-\u9fff]+)")
# What the segmenter can hold as one word. A term with anything else in it (a quotation mark, ×, a space) is found by
# matching instead.
_HOLDABLE = re.compile(r"[\u3400-\u9fff0-9A-Za-z]+")
_NEVER_COUNTED = re.compile(r"[0-9].*|[一二三四五六七八九十百千万亿零〇两第]+[年月日个家条项次季]?")
_TERM_FREQUENCY = 1_000_000  # high enough that a listed term always stays whole
_SEPARATOR = "\n"


def read_words(path: str | Path) -> list[str]:
    """The words of a list file: one a line, `#` begins a comment, order kept, repeats refused.

    Raises:
        UserError: the file is missing or not UTF-8, or a word stands twice; names the line.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise UserError("this file of the codebook is missing", path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot be read as UTF-8 text ({error.__class__.__name__})", path) from None
    words: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        word = line.split("#", 1)[0].strip()
        if word in words:
            raise UserError(f"“{word}” stands already on line {words[word]}; keep one", path, number)
        if word:
            words[word] = number
    return list(words)


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
        import rjieba

        segmenter = rjieba.Jieba()
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
    n = len(texts)
    joined = _SEPARATOR.join(t.replace(_SEPARATOR, " ") for t in texts)
    words = lexicon.words(joined)
    # ids in order of appearance, by one dictionary lookup a word
    ids: dict[str, int] = {_SEPARATOR: 0}
    flat = np.fromiter((ids.setdefault(w, len(ids)) for w in words), dtype=np.int32, count=len(words))
    statement = np.cumsum(flat == 0, dtype=np.int32)
    seen = list(ids)
    is_word = np.fromiter((bool(w.strip()) and any(map(str.isalnum, w)) for w in seen), dtype=bool, count=len(seen))
    n_words = np.bincount(statement[is_word[flat]], minlength=n).astype(np.int32)[:n] if n else np.zeros(0, np.int32)

    extra_terms, matcher = lexicon._matcher
    extra = matcher.find_matches_as_indexes(joined) if extra_terms else []
    kept = {w: i for w, i in ids.items() if lexicon.counted(w)}
    vocabulary = sorted({*kept, *(extra_terms[which] for which, _, _ in extra)})
    rank = {w: r for r, w in enumerate(vocabulary)}
    to_rank = np.full(len(seen), -1, dtype=np.int32)
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
