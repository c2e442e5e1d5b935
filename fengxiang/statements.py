"""Statements: the sentences of an article's body text, the unit of coding and of co-occurrence."""

from __future__ import annotations

import re
from itertools import chain, pairwise, repeat

import numpy as np

from .model import Article, Statements
from .patterns import Late

# A sentence ends at 。！？；… and their runs, with the closing quotes and brackets behind them; at an ASCII ; ! ?
# only between Chinese, so that entities, addresses and Latin titles stay whole. What stands inside book-title marks
# or brackets is passed over in one step; a bracket that is not closed within its bound is an ordinary character.
# One pass finds the characters that matter, and only there the pattern of marks is tried. Every repetition in it
# is bounded or of one class, so the time is linear in the text.
_MATTERS = re.compile(r"[。！？；｡…⋯;!?《〈（(【〔\[]")
_PLAIN_END = frozenset("。！？；｡")
_AFTER_END = frozenset("。！？；｡…⋯!?;”’」』）)】〕》\" \t\r\n\u3000\xa0")
# What a character is, as bits. Letters are here only those of which most text is.
_IS_END, _IS_AFTER_END, _IS_MARK, _IS_BRACKET, _IS_LETTER, _IS_BOUND = (1 << n for n in range(6))
_BRACKETS = ("《》", "〈〉", "（）", "()", "【】", "〔〕", "[]")
_KIND = np.zeros(0x10000, dtype=np.uint8)  # the last one stands for all beyond, too
for _bit, _characters in ((_IS_END, _PLAIN_END), (_IS_AFTER_END, _AFTER_END), (_IS_MARK, "…⋯;!?"),
                          (_IS_BRACKET, "".join(_BRACKETS))):
    _KIND[[ord(character) for character in _characters]] |= _bit
for _first, _last in ("09", "AZ", "az", "一鿿"):
    _KIND[ord(_first):ord(_last) + 1] |= _IS_LETTER
_HEAD = np.arange(8)  # characters of a sentence among which four letters are looked for
_AT_ONCE = 1 << 14  # characters whose kinds are looked up together, so that the working memory stays in the cache
_MARK = Late(
    r"《[^《》]{1,200}》|〈[^〈〉]{1,200}〉"
    r"|（[^（）]{0,300}(?:（[^（）]{0,100}）[^（）]{0,200})?）"
    r"|\([^()]{0,300}(?:\([^()]{0,100}\)[^()]{0,200})?\)"
    r"|【[^【】]{1,200}】|〔[^〔〕]{1,100}〕|\[[^\[\]]{1,200}\]"
    r"|(?P<end>(?:[。！？；｡]|…{2,}|⋯{2,}|(?<=[㐀-鿿”’」』）》%％])[;!?](?=[\s㐀-鿿“‘「『《（”’」』]|$))"
    r"[。！？；｡…⋯!?;]*)(?P<close>[”’」』）)】〕》\"]*)\s*"
)
# A closed quotation goes on as part of its sentence before these.
_GOES_ON = frozenset("，、：,:的等和与及之地得")
# A remark in brackets behind a sentence belongs to it: （完）, （记者 …）.
_REMARK = re.compile(r"\s*[（(][^（）()]{1,40}[）)]\s*")
_LETTER = re.compile(r"[^\W_]")
_FOUR_LETTERS = re.compile(r"(?:[\W_]*[^\W_]){4}")


def split_statements(articles: list[Article]) -> Statements:
    """The statements of `articles`, in the order of the text.

    A statement is a sentence, or an item of an enumeration that ends with `；`. Sentences inside a quotation are
    statements of their own; book titles and brackets are never cut. One of fewer than four letters and digits is
    joined to the statement before it, or, as the first of its paragraph, to the one after it; a remark in brackets
    is joined to the statement before it. Headings and
    paragraphs without a letter or digit hold none. White space belongs to the statement before it, so that the
    statements of an article, joined, are its paragraphs, joined.

    Returns:
        Parallel columns; `article` counts from 0 in `articles`, `paragraph` from 0 in the article, `position`
        from 1 in the article.
    """
    texts: list[str] = []
    owners: list[int] = []  # of each paragraph its article
    numbers: list[int] = []
    headings: list[str | None] = []
    for index, article in enumerate(articles):
        heading = None
        for number, paragraph in enumerate(article.paragraphs):
            if paragraph.kind == "heading":
                heading = paragraph.text
            else:
                texts.append(paragraph.text)
                owners.append(index)
                numbers.append(number)
                headings.append(heading)
    if not texts:
        return Statements()
    sentences, counts = _all_sentences(texts)
    owner = np.repeat(owners, counts)
    n_own = np.bincount(owner)
    position = np.arange(1, len(owner) + 1) - np.repeat(n_own.cumsum() - n_own, n_own)
    return Statements(owner.tolist(), np.repeat(numbers, counts).tolist(), position.tolist(), sentences,
                      list(chain.from_iterable(map(repeat, headings, counts.tolist()))))


def _all_sentences(texts: list[str]) -> tuple[list[str], np.ndarray]:
    """The sentences of many paragraphs, and how many each of these has.

    Most paragraphs hold no mark that asks for a closer look, no sentence end between brackets, and no sentence that
    may be too short to stand alone: they are cut together, as one array of characters.
    """
    joined = "\n".join(texts) + "\n"
    points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    kind = np.empty(len(points), dtype=np.uint8)
    for start in range(0, len(points), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        _KIND.take(points[part], mode="clip", out=kind[part])
    ends = np.cumsum(np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) + 1) - 1
    kind[ends] = _IS_BOUND
    telling = (kind & (_IS_END | _IS_MARK | _IS_BRACKET) > 0).nonzero()[0]
    kind_told = kind.take(telling)
    at = telling[kind_told & _IS_END > 0]
    brackets = telling[kind_told & _IS_BRACKET > 0]
    behind = kind.take(at + 1)
    cuts = at[behind & (_IS_AFTER_END | _IS_BOUND) == 0] + 1
    stops = np.sort(np.concatenate((cuts, ends)))
    starts = np.concatenate(([0], stops[:-1] + (kind.take(stops[:-1]) == _IS_BOUND)))
    head = np.add.outer(_HEAD, starts)
    letters = (kind.take(head, mode="clip") & _IS_LETTER > 0) & (head < stops)
    # the paragraphs that are to be read one by one
    closer = np.zeros(len(texts), dtype=bool)
    closer[ends.searchsorted(np.concatenate((
        telling[kind_told & _IS_MARK > 0], at[behind & _IS_AFTER_END > 0], stops[letters.sum(axis=0) < 4],
        _around_ends(brackets, points.take(brackets), at, ends))))] = True
    # one with brackets may close with a remark in them
    bracketed = ends.searchsorted(brackets)
    closer[bracketed[kind.take(ends[bracketed] - 1) & (_IS_LETTER | _IS_END) == 0]] = True
    owner = ends.searchsorted(stops)
    alone = ~closer[owner]
    counts = np.bincount(owner[alone], minlength=len(texts))
    plain = [joined[start:stop] for start, stop in zip(starts[alone].tolist(), stops[alone].tolist(), strict=True)]
    out: list[str] = []
    done = 0
    for number, before in zip(closer.nonzero()[0].tolist(), counts.cumsum()[closer].tolist(), strict=True):
        found = _sentences(texts[number])
        counts[number] = len(found)
        out += plain[done:before]
        out += found
        done = before
    return out + plain[done:], counts


def _around_ends(brackets: np.ndarray, points: np.ndarray, at: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Which opening brackets may be closed, within their paragraph, behind the end of a sentence.

    Args:
        brackets: where brackets stand, in order; `points` are their code points.
        at: where sentences may end, in order.
        ends: where paragraphs end, in order.
    """
    never = np.full(2, ends[-1] + 1)
    out = []
    for opening, closing in _BRACKETS:
        opens = brackets[points == ord(opening)]
        closes = np.append(brackets[points == ord(closing)], never)
        nth = closes.searchsorted(opens)
        if opening in "（(":  # which may hold another pair
            nth += np.append(opens, never[0])[1:] < closes[nth]
        closed = closes[nth]
        out.append(opens[(np.append(at, never[0])[at.searchsorted(opens)] < closed)
                         & (closed < ends[ends.searchsorted(opens)])])
    return np.concatenate(out)


def _sentences(text: str) -> list[str]:
    """The sentences of one paragraph; joined, they are the paragraph."""
    cuts: list[int] = []
    start = counted = straight = 0
    done = 0
    last = len(text) - 1
    for found in _MATTERS.finditer(text):
        at = found.start()
        if at < done:
            continue
        if text[at] in _PLAIN_END and at < last and text[at + 1] not in _AFTER_END:
            cuts.append(at + 1)
            start = at + 1
            continue
        mark = _MARK.match(text, at)
        if mark is None:
            continue
        done = mark.end()
        if mark.lastgroup is None:
            continue
        close_at, close_end = mark.span("close")
        if close_end > close_at:
            # A straight quote closes when an odd number of them has been opened.
            quote = text.find('"', close_at, close_end)
            if quote >= 0:
                straight += text.count('"', counted, quote)
                counted = quote
                if straight % 2 == 0:
                    close_end = quote
            if close_end > close_at and _goes_on(text, start, close_at, close_end):
                continue
        if close_end < mark.end("close"):
            done = close_end
        if done <= last:
            cuts.append(done)
            start = done
    return _joined(text, cuts)


def _goes_on(text: str, start: int, close_at: int, close_end: int) -> bool:
    """Whether the sentence that began at `start` goes on behind the quotation closed at `close_at`."""
    if close_end >= len(text):
        return False
    if text[close_end] in _GOES_ON:
        return True
    # 以“你的钱安全吗？”为主题: a question or call quoted as a name, not as speech, within the sentence around it.
    if text[close_at - 1] not in "！？!?" or text[close_end].isspace():
        return False
    opening = max(text.rfind(mark, max(start, close_at - 40), close_at) for mark in '“‘「『"')
    return opening > start and text[opening - 1] not in "：:，,。；！？"


def _joined(text: str, cuts: list[int]) -> list[str]:
    """The pieces of `text` between `cuts`, those too short to stand alone joined to a neighbour."""
    out: list[str] = []
    lead = 0
    for start, end in pairwise([0, *cuts, len(text)]):
        # most pieces begin with four letters, and so are no remarks
        if (end - start >= 4 and text[start:start + 4].isalnum()) or (
                _FOUR_LETTERS.match(text, start, end) and not (out and _REMARK.fullmatch(text, start, end))):
            out.append(text[lead:end])
            lead = end
        elif out:
            out[-1] += text[start:end]
            lead = end
    if not out and _LETTER.search(text):
        out.append(text)
    return out
