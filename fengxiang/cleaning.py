"""Raw documents to articles, with an account of every character.

`clean_document` takes the bytes of one file and gives its articles (unwrapped, without page furniture and without text
that stands twice), a ledger that says what became of each line and under which rule, and what had to be rejected. What
counts as furniture, a byline or a title is data: `cleaning.yml` and `scope.yml` of the codebook folder.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import groupby, pairwise, repeat
from operator import itemgetter

from . import bylines, dating, reading
from .cleaningrules import SENTENCE_ENDS, Rules, bare, segmenter
from .model import Account, Article, Cleaned, Paragraph, Rejection
from .patterns import Late

__all__ = ["FATES", "Rules", "clean_document", "script_of", "simplified"]

FATES = ("title", "metadata", "heading", "body", "boilerplate", "duplicate", "unreadable")
ONE_EACH = ("json", "jsonl", "table", "email", "xml", "labelled")  # formats whose sources are an article each
SAMPLE = 80  # characters of a ledger sample
WEB_MARKS = 3  # lines of page furniture that make plain text the dump of a web page
LONG = 20  # characters from which a line that stands twice is a copy even alone
AHEAD = 8  # lines within which an article must begin after its title
MAX_KICKERS = 2  # lines above a title that are part of it; more are buttons
MAX_ACCOUNT = 20  # characters of the name of an account
MAX_NAMEPLATE = 8  # characters of the name of a newspaper
MIN_LONGER = 4  # characters by which a title is longer than the name of a medium below it
SAME = 0.9  # likeness of two paragraphs of which one is the other with a few words changed
SHORT = 40  # characters at the start of a paragraph in which a dateline stands
START = 12  # characters by which the beginnings of paragraphs are compared
FEW = 40  # paragraphs of an ordinary article
NEAR = 400  # paragraphs above among which one that contains another is looked for
MIN_WRAP, MAX_WRAP = 10, 60  # widths, in Chinese characters, at which lines may have been cut
SCRIPT_LOOK = 4_000  # characters of a document that are looked through for its script at once
SCRIPT_SAMPLE = 1_200  # characters by which the script of a text is decided

_INDENT = "　　"  # before a first line
_TERMINAL = "。！？…；：!?;:"
_CLOSERS = "”’）】》」』)\"'"
_PUNCTUATION = re.compile(r"[，。；：！？、,;!?]")
_STOP = re.compile("[。；]")
_CLAUSE = re.compile("[，。；、]")
_SENTENCES = re.compile("[。！？；]")
_COUNTED = frozenset("年月日时分秒亿万千百个家项条次户元倍级号期届岁%.．")  # what may stand right behind a number
_ITEM_MARKS = "■●◆▲□◎★▇█◼▪○◇"
_BULLET = "■●◆▲□◎★▇█◼▪"
_PAGE_NUMBER = re.compile(r"[-—–·•|\s]{0,4}(?:第?\s?\d{1,4}\s?页?|\d{1,4}\s?/\s?\d{1,4})[-—–·•|\s]{0,4}")
_PAGE_AT_START = re.compile(r"\d{1,4}[\s|·]{1,4}")
_PAGE_AT_END = re.compile(r"[\s|·]{1,4}\d{1,4}$")
_BLANK_BESIDE_MARK = re.compile(r"(?<=[，。：；！？、”》）])\s+|\s+(?=[，。：；！？、“《（])")
_PARAGRAPH_GAP = re.compile(r"(?<=[。！？”）])\s{2,}")
_NOT_IN_KEY = re.compile(r"[\s，。：；！？、,.:;!?“”\"'‘’《》（）()—·-]+")
_BETWEEN_WORDS = re.compile(r"[\s|｜]{1,9}")
_FIGURES = re.compile(r"\d+")
_PICTURE = re.compile(r"(?i)\.(?:jpe?g|png|gif|webp|svg)$")
_DAY = re.compile(r"[\d年月日号时分秒:：.\s/-]+")
_NUMERIC = re.compile(r"[\d\s.,%+-]+")
_COLUMN = re.compile(r"([\u4e00-\u9fff]{2,8})(?:\s{1,4}([A-Za-z][A-Za-z &]{2,40}))?")
_HEAD_SPACE = re.compile(r"^((?:\d{1,4} )?\S{4,40}(?: \S{1,20}){0,3}) (\S.*)$")
_TRADITIONAL = Late(f"[{reading.TRADITIONAL}]")
_SIMPLIFIED = Late(  # the same characters in the other script
    "["
    "业监贷银机险亿资构万发务动点产会为个总风项长数区国与进农对开设报并实协体办调经户据专强广统内级续议质导门台创规传单额试处东转范当两场还过计于组费关债联类来应时责领权准该赔标扩结网稳灾营县线预举条说济后态护优启余战让占绿从"
    "给购乡绍证将群获财别减际严题筹参负现约识达击继问复贸员这辖视况头术镇围称划备运难苏兴盖无层环织则访础罚决众链适评间华价帮贵尽边争频养车细学张讲见牵显压连湾职较审络确庆贫测坚换节认励担脱挥纠损闻厅绕里粮样谈团黄维园综属变竞"
    "]"
)


# ------------------------------------------------------------------------------------------------- entry point


def clean_document(source_file: str, data: bytes, rules: Rules, *, first_position: int = 1) -> Cleaned:
    """The articles of one raw document, its ledger, and what had to be rejected.

    Pure, and raises nothing for bad input: every failure is a `Rejection`. Time and memory are bounded by the limits
    of `reading`.

    Args:
        source_file: path relative to the raw folder; members of a ZIP folder become `a.zip/member`.
        data: the bytes of the file, or of whole lines of a JSON-lines file.
        rules: the compiled rules.
        first_position: position of the first record where `data` is a chunk of JSON lines; units count from 1.

    Returns:
        Cleaned: over each `source_file` of the ledger `n_chars` adds up to the characters of the decoded text.
    """
    out = Cleaned(source_file)
    position: dict[str, int] = {}
    n_chars = 0
    for item in reading.sources(source_file, data, rules.names, first_position):
        if isinstance(item, tuple):
            out.rejected.append(Rejection(*item))
            continue
        name = item.source_file
        n_chars += sum(item.lines.n)
        if n_chars > reading.MAX_CHARS:
            out.accounts.append(_given_up(item))
            out.rejected.append(Rejection(name, "too much text in one file",
                                          f"the limit is {reading.MAX_CHARS:,} characters; cut it into several files"))
            continue
        start = position.get(name, 0) + 1
        try:
            articles, account = _Document(item, rules, start).clean()
        except Exception as error:  # a document no rule foresaw is listed with its characters; the build goes on
            articles, account = [], _given_up(item)
            out.rejected.append(Rejection(name, "could not be cleaned", f"{type(error).__name__}: {error}"[:200]))
        position[name] = start - 1 + len(articles)
        out.articles += articles
        out.accounts.append(account)
        if item.n_undecodable:
            out.rejected.append(Rejection(name, "some bytes could not be decoded", f"{item.n_undecodable} characters"))
        if not articles and item.lines.text and not (
                out.rejected and out.rejected[-1].reason == "could not be cleaned"):
            out.rejected.append(Rejection(name, "no article found in it", item.lines.text[0][:80]))
    if not out.articles and not out.rejected:
        out.rejected.append(Rejection(source_file, "empty file"))
    return out


def _given_up(source: reading.Source) -> Account:
    """The ledger of a document that could not be cleaned."""
    lines = source.lines
    rows = [(u, n, "unreadable", "unreadable_line", t[:SAMPLE])
            for u, n, t in zip(lines.unit, lines.n, lines.text, strict=True)]
    return Account(source.source_file, rows + [row for row in source.settled if row[1]])


def simplified(text: str) -> str:
    """A text in simplified characters (OpenCC, t2s); the same object where nothing in it is traditional."""
    convert, traditional = _opencc()
    return text if traditional.isdisjoint(text) else convert(text)


@lru_cache(maxsize=1)
def _opencc():
    """OpenCC's conversion to simplified characters, and the characters it changes."""
    import opencc

    convert = opencc.OpenCC("t2s").convert
    han = [chr(c) for c in (*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000))]
    changed = zip(han, convert("\n".join(han)).split("\n"), strict=True)
    return convert, frozenset(a for a, b in changed if a != b)


def script_of(text: str) -> str:
    """`hant` where a text is written in traditional characters, else `hans`."""
    sample = text[:SCRIPT_SAMPLE]
    if _TRADITIONAL.search(sample) is None:
        return "hans"
    traditional = len(_TRADITIONAL.findall(sample))
    return "hant" if traditional >= 2 and traditional > len(_SIMPLIFIED.findall(sample)) else "hans"


# ------------------------------------------------------------------------------------------------- one document


@dataclass(slots=True)
class _Block:
    """A paragraph, heading or list item with the lines it was made of."""

    text: str
    lines: list[int]
    kind: str = "body"
    signed: bool = False


@dataclass(slots=True)
class _Draft:
    """An article in the making."""

    title: str | None = None
    title_rule: str = ""
    blocks: list[_Block] = field(default_factory=list)
    fields: list[tuple[str, object, str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)  # title and metadata lines


class _Document:
    """Cleans one source; the steps in order are those of `clean`."""

    def __init__(self, source: reading.Source, rules: Rules, position: int):
        self.source, self.rules, self.position = source, rules, position
        lines = source.lines
        self.text, self.hint, self.gap, self.indent = lines.text, lines.hint, lines.gap, lines.indent
        self.size = len(lines.text)
        self.fate: list[str | None] = [None] * self.size
        self.rule: list[str] = [""] * self.size
        self.owner: list[int | None] = [None] * self.size
        self.cuts: dict[int, list[tuple[int, str, str, str]]] = {}  # parts of a line with another fate than the line
        self.meta: dict[int, list[tuple[str, object, str]]] = {}  # metadata lines and what they say
        self.whole = source.source_format in ONE_EACH
        self.joined = joined = "".join(lines.text)
        # what holds no traditional character at all needs no second look
        self.hans = lines.hans or (len(joined) <= SCRIPT_LOOK and _TRADITIONAL.search(joined) is None)
        self.hant = not self.hans and _TRADITIONAL.search("".join([t[:200] for t in lines.text[:10]])) is not None
        self.known_title: tuple[str, str] | None = None
        for name, value, rule in source.fields:
            if name == "title":
                self.known_title = str(value), rule
                break
        self.web_marks = 0
        self.heads: list[str] = []
        self.columns: list[str] = []

    def clean(self) -> tuple[list[Article], Account]:
        """The articles, and the ledger."""
        source = self.source
        if self.size:
            if source.source_format in ("plain", "docx", "pdf") and (
                    len(self.text[0]) > self.rules.max_title and "。" in self.text[0]):
                self._open_first_line()
            self.width, self.by_length, self.gaps_tell = _wrapping(source.lines, self.joined)
            self.indented = any(self.indent) and not all(self.indent)
            if source.n_undecodable or "\ufffd" in self.joined:
                self._mark_unreadable()
            self._mark_copies()
            self._mark_running_heads()
            self._mark_furniture()
            titles = self._titles()
            blocks = self._blocks(titles)
            drafts = self._drafts(blocks, titles)
            articles = self._articles(drafts)
        else:
            articles = []
        return articles, self._ledger(articles)

    @cached_property
    def in_chinese(self) -> bool:
        """Whether most lines hold other characters than ASCII, and none was cut."""
        return not self.width and self.size - sum(map(str.isascii, self.text)) > self.size // 2

    @cached_property
    def usual_gap(self) -> int:
        """The most frequent number of blank lines above a line that has any; 0 where none has."""
        gaps = Counter(filter(None, self.gap))
        return gaps.most_common(1)[0][0] if gaps else 0

    def _open_first_line(self) -> None:
        """Put title, byline and text on lines of their own where a document begins with all of them in one line."""
        line = self._matchable(self.text[0])
        span = bylines.span_in_line(line, self.rules)
        if span is None:
            return
        text, lines = self.text[0], self.source.lines
        parts = [text[: span[0]], text[slice(*span)], *_PARAGRAPH_GAP.split(text[span[1] :])]
        parts = [part.strip() for part in parts]
        left = lines.n[0] - sum(map(len, parts))
        if left < 0 or not all(parts):
            return
        k = len(parts) - 1
        self.text[:1] = parts
        lines.n[:1] = [*map(len, parts[:-1]), len(parts[-1]) + left]
        for values, more in ((lines.unit, lines.unit[0]), (lines.hint, ""), (lines.gap, 0), (lines.indent, False),
                             (lines.page, False)):
            values[1:1] = [more] * k
        self.size += k
        self.fate, self.rule, self.owner = [None] * self.size, [""] * self.size, [None] * self.size
        self.source.raw = None  # a line is no longer what it was

    # -------------------------------------------------------------------------------------------- marking lines

    def _settle(self, i: int, fate: str, rule: str) -> None:
        self.fate[i], self.rule[i] = fate, rule

    def _cut(self, i: int, n: int, fate: str, rule: str, sample: str) -> None:
        n = min(n, self.source.lines.n[i] - sum(c[0] for c in self.cuts.get(i, ())))
        if n > 0:
            self.cuts.setdefault(i, []).append((n, fate, rule, sample[:SAMPLE]))

    def _matchable(self, text: str) -> str:
        """The line in simplified characters, for the rules; positions stay the same."""
        if not self.hant:
            return text
        other = simplified(text)
        return other if len(other) == len(text) else text

    def _mark_unreadable(self) -> None:
        for i, text in enumerate(self.text):
            bad = text.count("\ufffd")
            if bad:
                if bad > 0.3 * len(text):
                    self._settle(i, "unreadable", "unreadable_line")
                else:
                    self._cut(i, bad, "unreadable", "undecodable", "\ufffd" * min(bad, 8))

    def _mark_running_heads(self) -> None:
        """Running heads, page numbers and names of columns: at page tops, repeated down the document, or written into
        the first line of a page."""
        if self.source.source_format not in ("plain", "pdf"):
            return
        text, page, limit = self.text, self.source.lines.page, self.rules.max_title
        short = [i for i, line in enumerate(text) if len(line) <= limit]
        unpaged = {i: _unpaged(text[i]) for i in short}
        for i in short:
            line = unpaged[i] if len(text[i]) > 8 else text[i]
            if (self.width or " " in line) and len(line) <= 50 and self._is_column(line):
                self._settle(i, "boilerplate", "column_label")
                if i and (page[i - 1] or i == 1) and len(text[i - 1]) <= limit:
                    self.columns.append(text[i - 1])
            elif len(line) <= 10 and _PAGE_NUMBER.fullmatch(line) and (
                    page[i] or self.width or (i + 1 < self.size and page[i + 1])):
                self._settle(i, "boilerplate", "page_number")
            elif self.width and line[0] in "·•|｜—" and line[-1] == line[0] and len(line) > 4:
                self._settle(i, "boilerplate", "running_head")  # set between marks: ·金融研究·
        if self.width or any(page):
            for i in range(1, self.size):
                if self.fate[i] is None and " " in text[i] and (split := self._head_in_line(i)):
                    head, rest = split
                    if head not in self.columns and head not in self.heads:
                        self.heads.append(head)
                    self._cut(i, len(text[i]) - len(rest), "boilerplate", "running_head", text[i][: -len(rest)])
                    self.text[i] = rest
                    if i in unpaged:
                        unpaged[i] = _unpaged(rest)
        self._mark_repeated_heads({i: line for i, line in unpaged.items() if self.fate[i] is None})

    def _mark_repeated_heads(self, keys: dict[int, str]) -> None:
        """Running heads among short lines, given without their page numbers."""
        text, page = self.text, self.source.lines.page
        if not self.heads and not self.columns and len(set(keys.values())) == len(keys):
            return
        places: dict[str, list[int]] = {}
        for i, key in keys.items():
            if len(key) >= 4 and key[-1] not in "。；，" and not ("，" in key and self.width and self._is_full(i)):
                places.setdefault(key, []).append(i)
        known = set(self.heads) | set(self.columns)
        prose = next((i for i, t in enumerate(text) if _STOP.search(t) or (self.width and self._is_full(i))), 0)
        for key, where in places.items():
            if (key not in known and len(where) < 2) or self.rules.furniture(text[where[0]]):
                continue
            torn = [i for i in where if (above := self._open_above(i)) is not None and self._flows(above)
                    and self._is_full(above) and (_CLAUSE.search(text[above]) or not _PUNCTUATION.search(text[above]))]
            tops = [i for i in where if page[i] or self._tops_page(i)]
            if key not in known and not torn and len(tops) < 2 and not (tops and len(where) >= 3):
                continue
            if key not in known:
                self.heads.append(key)
            for n, i in enumerate(where):
                first = n == 0 and key not in self.columns and (i < prose or (i not in tops and i not in torn))
                if not first and (key in self.columns or i in tops or len(where) >= 2):
                    self._settle(i, "boilerplate", "running_head")

    def _open_above(self, i: int) -> int | None:
        """The nearest line above that no rule has settled."""
        return next((j for j in range(i - 1, max(i - 6, -1), -1) if self.fate[j] is None), None)

    def _tops_page(self, i: int) -> bool:
        """Whether only page numbers and column names stand between the top of the page and line `i`; a page number
        right above or below it will do where no mark tells the pages apart."""
        page = self.source.lines.page
        if not any(page):
            return "page_number" in (self.rule[i - 1] if i else "", self.rule[i + 1] if i + 1 < self.size else "")
        while i and self.rule[i - 1] in ("page_number", "column_label", "running_head"):
            i -= 1
            if page[i]:
                return True
        return False

    def _is_full(self, i: int) -> bool:
        return self._reach(i) >= self.width - 1.5 if self.width else len(self.text[i]) >= 1.5 * LONG

    def _is_column(self, line: str) -> bool:
        m = _COLUMN.fullmatch(line)
        if not m:
            return False
        if not m[2]:
            return m[1] in self.rules.columns and self.width > 0
        return not self.rules.column_words.isdisjoint(m[2].title().split())

    def _flows(self, i: int) -> bool:
        """Whether line `i` breaks off in the middle of a sentence."""
        text = self.text[i]
        return text[-1] not in _TERMINAL + _CLOSERS and (_PUNCTUATION.search(text) is not None or (
            self.width > 0 and self._reach(i) >= self.width - 1.5))

    def _head_in_line(self, i: int) -> tuple[str, str] | None:
        """Head and rest of a line into which a running head was written: without it the line is no wider than the
        others, and the sentence of the line above goes on."""
        text = self.text[i]
        m = _HEAD_SPACE.match(text)
        if not m or _STOP.search(m[1]) or text[0] in _BULLET or self.rules.furniture(self._matchable(text)):
            return None
        head, rest = _unpaged(m[1]), m[2]
        if head in self.heads:
            return head, rest
        if not self.width or self.text[i - 1][-1] in "。！？":
            return None
        reach = _width(text, self.by_length)
        fits = _width(rest, self.by_length) <= self.width + 1 and reach > self.width + 3
        return (head, rest) if fits and self._flows(i - 1) and not self._meta_follows(i) else None

    def _mark_copies(self) -> None:
        """Lines that stand a second time: long ones, and short ones beside them. Where lines were cut, only whole
        sentences count."""
        if len(set(self.text)) == self.size:
            return
        seen: dict[str, int] = {}
        first_of: dict[int, int] = {}
        live = [i for i in range(self.size) if not self.fate[i]]
        for i in live:
            if self.text[i] in seen:
                first_of[i] = seen[self.text[i]]
            else:
                seen[self.text[i]] = i
        if not first_of:
            return
        place = {i: p for p, i in enumerate(live)}
        if not self.width:
            self._find_near_copies(first_of, live, place)
        again = sorted(first_of)
        run: list[int] = []
        for i in [*again, None]:
            if run and (i is None or place[i] != place[run[-1]] + 1):
                if self.width:
                    run = self._whole_sentences(run, live, place)
                chars = sum(len(self.text[j]) for j in run)
                long = any(len(self.text[j]) >= LONG for j in run) and not self.width
                if long or (len(run) >= 3 and chars >= 2 * LONG):
                    for j in run:
                        self._settle(j, "duplicate", "repeated")
                run = []
            if i is not None:
                run.append(i)

    def _find_near_copies(self, first_of: dict[int, int], live: list[int], place: dict[int, int]) -> None:
        """Add long lines beside a copy of which a few words were changed, but no figure, to the copies."""
        for step in (1, -1):
            for i in live[::step]:
                p = place[i] - step
                if i in first_of or len(self.text[i]) < LONG or not 0 <= p < len(live) or live[p] not in first_of:
                    continue
                q = place[first_of[live[p]]] + step
                if 0 <= q < place[i] and live[q] not in first_of and _nearly(self.text[i], self.text[live[q]]):
                    first_of[i] = live[q]

    def _whole_sentences(self, run: list[int], live: list[int], place: dict[int, int]) -> list[int]:
        """A run of cut lines without the parts of sentences at its ends."""
        first, last = 0, len(run)
        before = place[run[0]] - 1
        if before >= 0 and self._flows(live[before]) and self._is_full(live[before]):
            first = next((k + 1 for k, i in enumerate(run) if _ended(self.text[i])), last)
        after = place[run[-1]] + 1
        if after < len(live) and not _ended(self.text[run[-1]]):
            last = next((k + 1 for k in range(len(run) - 1, -1, -1) if _ended(self.text[run[k]])), first)
        return run[first:last]

    def _mark_furniture(self) -> None:
        """Marks of the format, metadata lines and page furniture, line by line."""
        rules, text, hint, fate, max_line = self.rules, self.text, self.hint, self.fate, self.rules.max_line
        citation_marks = rules.citation_marks
        mode, body = "", False  # inside a list of links ("closing"), behind the end of an article ("ended")
        for i, line in enumerate(text):
            if fate[i]:
                if fate[i] == "duplicate":
                    mode = ""
                continue
            if (hint[i] not in _STRUCTURE or line[0] in citation_marks or line.isascii()) and self._mark_by_format(i):
                continue
            if mode == "closing" and len(line) <= rules.max_title and not self._prose_ahead(i):
                self._settle(i, "boilerplate", self._listed_rule(i) or "related")
                continue
            rule = None
            if len(line) <= max_line:
                rule = self._furniture_rule(i)
                if fate[i] == "metadata":
                    if mode == "closing":
                        mode = ""
                    continue
            if rule:
                self._settle(i, "boilerplate", rule)
                self.web_marks += 1
                whole = rules.whole_lines.get(bare(self._matchable(line))) == rule
                if rule in rules.ending and whole and body:
                    mode = "ended"
                elif mode != "ended":
                    mode = "closing" if rule in rules.closing else ""
            elif mode:
                starts_anew = self._title_like(i) and (
                    (self._meta_follows(i) and self._prose_ahead(i)) or (mode == "closing" and self._prose_follows(i)))
                if starts_anew or (mode == "closing" and not self._title_like(i)):
                    mode = ""
                    body = body and not starts_anew
                else:
                    self._settle(i, "boilerplate", "related" if mode == "closing" else "after_end")
            if not body and not mode and line[-1] in _TERMINAL and len(line) >= LONG // 2:
                body = True
        if self.meta:
            self._mark_signing_agencies()
            self._mark_nameplates()
            self._mark_accounts()
        if self.web_marks >= WEB_MARKS and self.source.source_format in ("plain", "web_page"):
            self._mark_between_furniture()

    def _mark_signing_agencies(self) -> None:
        """The agency that signs an official paper, right above its date."""
        for i in [below - 1 for below in sorted(self.meta) if below > 1]:
            if self.fate[i] is None and len(self.text[i]) <= self.rules.max_heading and (
                    self._prose_ends(i - 1) and self.rules.agency.fullmatch(self._matchable(self.text[i]))):
                self._note(i, [("publisher", self.text[i], "signing_agency")], "signing_agency")

    def _mark_nameplates(self) -> None:
        """The name of a newspaper on a line of its own beside the head of the page, above the first title."""
        for i in [i for i in self.meta if self.rule[i] == "page_head"]:
            for j in (i - 1, i + 1):
                if not 0 <= j < self.size or self.fate[j] or len(self.text[j]) > MAX_NAMEPLATE or not (
                        self.rules.site_name.fullmatch(self._matchable(self.text[j]))):
                    continue
                below = next((k for k in range(max(i, j) + 1, self.size) if self.fate[k] is None), None)
                if below is not None and self._title_like(below) and (j < i or not self._meta_follows(j)):
                    self._note(j, [("publisher", self.text[j], "page_head")], "page_head")

    def _mark_accounts(self) -> None:
        """The name of a medium on a line of its own between a title and a date, as apps show it."""
        for i in [i for i, fields in self.meta.items() if i > 1 and any(f[0] == "date" for f in fields)
                  and not any(f[0] == "publisher" for f in fields)]:
            name, title = self.text[i - 1], self.text[i - 2]
            if self.fate[i - 1] is None and self.fate[i - 2] is None and self.hint[i - 1] not in ("t", "h") and (
                    len(title) >= len(name) + MIN_LONGER and self._title_like(i - 2)) and (
                    self.rules.site_name.fullmatch(self._matchable(name))):
                self._note(i - 1, [("publisher", name, "name_beside_date")], "info_line")

    def _prose_ends(self, i: int) -> bool:
        """Whether a paragraph ends with line `i`, which may be no more than the last word of a cut one."""
        text = self.text[i]
        return self.fate[i] is None and text[-1] in "。！”）" and (len(text) >= LONG // 2 or (
            i > 0 and self.fate[i - 1] is None and len(self.text[i - 1]) >= LONG // 2 and self._flows(i - 1)))

    def _mark_between_furniture(self) -> None:
        """Short lines below the first line of metadata that stand between two lines of page furniture, and those that
        stand behind the last sentence of the document with furniture above them: the rest of lists of buttons."""
        first = min((i for i in self.meta if self.fate[i] == "metadata"), default=self.size)
        web = {rule for rule in self.rules.labels if rule not in _LAYOUT}
        marked = [self.fate[i] == "boilerplate" and self.rule[i] in web for i in range(self.size)]
        last = next((i for i in range(self.size - 1, -1, -1) if self.fate[i] in ("duplicate", "metadata") or (
            self.fate[i] is None and (_ended(self.text[i]) or len(self.text[i]) > self.rules.max_heading))), -1)
        behind = False
        for i in range(first + 1, self.size):
            behind = i > last and (behind or marked[i])
            between = (marked[i - 1] or self.fate[i - 1] == "metadata") and i + 1 < self.size and marked[i + 1]
            if self.fate[i] is None and (behind or between) and len(self.text[i]) <= self.rules.max_heading and not (
                    _ended(self.text[i]) or (self._title_like(i) and self._meta_follows(i))):
                self._settle(i, "boilerplate", "between_furniture")
                marked[i] = True

    def _prose_ahead(self, i: int) -> bool:
        """Whether a sentence of body text stands within the next lines."""
        for j in range(i + 1, min(i + 1 + AHEAD, self.size)):
            text = self.text[j]
            if len(text) >= LONG and self.hint[j] != "x" and (text[-1] in "。！？”」：" or (
                    self.width > 0 and self._is_full(j))) and not (
                    len(text) <= self.rules.max_line and self.rules.furniture(self._matchable(text))):
                return True
        return False

    def _listed_rule(self, i: int) -> str | None:
        """The rule whose list of lines holds line `i`, or each of its words."""
        text = self.text[i]
        if len(text) > 60:
            return None
        line = self._matchable(text)
        listed = self.rules.whole_lines
        if rule := listed.get(bare(line)):
            return rule
        words = _BETWEEN_WORDS.split(line)
        rule = listed.get(bare(words[0])) if len(words) > 1 else None
        return rule if rule and all(bare(w) in listed or w.isdigit() for w in words if w) else None

    def _mark_by_format(self, i: int) -> bool:
        """Mark a line that the format itself, or the form of a citation line, tells apart."""
        hint, line = self.hint[i], self.text[i]
        if hint == "x":
            self._settle(i, "boilerplate", "outside_body")
        elif hint[:2] == "f:":
            self._settle(i, "boilerplate", hint[2:])
            if hint == "f:running_head" and line[-1] not in SENTENCE_ENDS:
                found = self.rules.furniture(self._matchable(line))
                if found and found[1]:  # it names the journal and its issue
                    self.meta[i] = [(name, bylines.unmarked(line[a:b]), found[0]) for name, (a, b) in found[1].items()]
        elif hint == "u":
            self.meta[i] = [("url", line, "source_link")]
            self._settle(i, "metadata", "source_link")
        elif line.startswith(self.rules.citation_starts):
            raw = self.source.raw[self.source.lines.unit[i] - 1].strip() if self.source.raw else line
            fields = bylines.citation(raw, self.rules)
            if fields is None:
                return False
            self.meta[i] = fields
            self._settle(i, "metadata", "citation_line")
        elif line.isascii() and len(line) > LONG and self.in_chinese and sum(map(str.isalpha, line)) > LONG:
            self._settle(i, "boilerplate", "no_chinese")
        else:
            return False
        return True

    def _furniture_rule(self, i: int) -> str | None:
        """The furniture rule a line falls under, or None; a line of metadata is settled as such."""
        rules, text = self.rules, self.text[i]
        line = self._matchable(text)
        if line[-1] in SENTENCE_ENDS:
            found = rules.furniture(line)
            return found[0] if found and rules.may_be_furniture(text) else None
        if rule := self._listed_rule(i):
            return rule
        below, layout = self._below_title(i), self.source.source_format in ("plain", "pdf")
        if layout and (found := rules.page_heads.fullmatch(line)):
            fields = [(name, bylines.unmarked(text[a:b]), "page_head") for name, (a, b) in found[1].items()]
            self._note(i, fields, "page_head")
            return None
        torn = self.width > 0 and self._is_full(i) and self._flows(i) and not (
            line[0] in _BULLET and rules.role_inside.search(line))
        listed = line[0] in _ITEM_MARKS and any(
            0 <= j < self.size and self.text[j][0] == line[0] for j in (i - 1, i + 1))
        if not (torn or listed) and (fields := bylines.byline(line, text, rules, below and layout)) is not None:
            self._note(i, fields, "byline")
            return None
        if line[-1] in "）】)" and line[0] in "（【(" and (found := rules.signatures.fullmatch(line)):
            fields = [(name, bylines.people(text[a:b], rules) if name == "authors" else text[a:b], "signature")
                      for name, (a, b) in found[1].items()]
            self._note(i, fields, "signature")
            return None
        found = rules.furniture(line)
        if found:
            rule, spans, _ = found
            if spans:
                self.meta[i] = [(name, bylines.unmarked(text[a:b]), rule) for name, (a, b) in spans.items()]
            return rule
        if (fields := bylines.info_line(line, text, rules, below)) is not None:
            self._note(i, fields, "info_line")
        return None

    def _note(self, i: int, fields: list, rule: str) -> None:
        self.meta[i] = fields
        self._settle(i, "metadata", rule)

    def _below_title(self, i: int) -> bool:
        above = i - 1
        while above >= 0 and self.fate[above] in ("metadata", "boilerplate", "duplicate"):
            above -= 1
        return above < 0 or self.hint[above] in ("t", "k") or self._title_like(above)

    # -------------------------------------------------------------------------------------------- titles

    def _title_like(self, i: int) -> bool:
        text = self.text[i]
        if self.hint[i] in ("t", "h"):
            return True
        if self.hint[i] in ("l", "x", "u") or len(text) > self.rules.max_title or len(text) < 2:
            return False
        return text[-1] not in "。；，、：;,:" and "。" not in text and self.fate[i] is None

    def _prose_follows(self, i: int) -> bool:
        """Whether a sentence of body text stands right below."""
        if i + 1 >= self.size or self.fate[i + 1] or self.hint[i + 1] == "x":
            return False
        text = self.text[i + 1]
        return text[-1] in "。！？”" and len(text) >= LONG // 2 and not (
            len(text) <= self.rules.max_line and self.rules.furniture(self._matchable(text)))

    def _meta_follows(self, i: int) -> bool:
        """Whether a byline or a line of source and date comes next, looking past furniture."""
        rules = self.rules
        for j in range(i + 1, min(i + 6, self.size)):
            if j in self.meta:
                return True
            text = self.text[j]
            if len(text) > rules.max_line:
                return False
            line = self._matchable(text)
            if (bylines.byline(line, text, rules, False) is not None
                    or bylines.info_line(line, text, rules, True) is not None):
                return True
            if not (self.fate[j] == "boilerplate" or bare(line) in rules.whole_lines
                    or rules.furniture(line)):
                return False
        return False

    def _titles(self) -> dict[int, str]:
        """Lines that are titles of articles, and the rule that says so: above a byline or a line of source and date,
        above a dateline, below the signature that ended the article before."""
        if self.whole or self.known_title is not None:
            return {}
        titles: dict[int, str] = {}
        body = signed = False
        live = [i for i, fate in enumerate(self.fate) if fate not in ("boilerplate", "duplicate", "unreadable")]
        above, like, max_title = None, False, self.rules.max_title
        for p, i in enumerate(live):
            if p:
                above = live[p - 1]
            above_like = like
            like = (len(self.text[i]) <= max_title or self.hint[i] in ("t", "h")) and self._title_like(i)
            free = body or not titles
            if i in self.meta:
                if (above is not None and free and above not in self.meta and above_like
                        and not self._continues(live, p - 1)):
                    higher = live[p - 2] if p > 1 else above
                    if self.text[above].startswith(("—", "–", "－－")) and higher not in self.meta and (
                            higher not in titles and self._title_like(higher)):
                        above = higher  # what begins with a dash is the subtitle
                    titles[above] = "above_byline"
                    if p > 1 and higher not in self.meta and higher not in titles and self._breaks_off(higher, above):
                        titles[higher] = "above_byline"  # a title over two lines
                    body = signed = False
                continue
            if self.hint[i] == "t" and not titles:
                headed = sum(b in self.meta and self.hint[a] == "h" for a, b in pairwise(live))
                if headed < 2 or (p + 1 < len(live) and live[p + 1] in self.meta):  # else that of a collection
                    titles[i] = "first_heading"
            elif above_like and free and above not in titles and (
                    self._has_dateline(i) and not self._continues(live, p - 1)):
                titles[above] = "above_dateline"
                body = False
            elif signed and like and p + 1 < len(live) and self._reads_on(live[p + 1]):
                titles[i] = "below_signature"
                body = signed = False
            text = self.text[i]
            if not like and len(text) >= 5:
                body = True
                signed = text[-1] in "）】)" and self.rules.signatures.at_end(self._matchable(text[-60:])) is not None
        return titles

    def _reads_on(self, i: int) -> bool:
        """Whether a line is body text: no title by its form, or a long one that breaks off in mid-sentence."""
        return not self._title_like(i) or (len(self.text[i]) > self.rules.max_heading and self._flows(i))

    def _breaks_off(self, i: int, j: int) -> bool:
        """Whether the title on line `j` began on line `i`: a clause, a quotation or a word is torn between them."""
        a, b = self.text[i], self.text[j]
        if len(a) + len(b) > self.rules.max_title or self.hint[i] in ("p", "x"):
            return False
        if any(self.fate[k] for k in range(i + 1, j)):
            return False  # what was taken out between them set them apart
        if _STOP.search(a) or _ended(a.rstrip("：:")):
            return False
        return a[-1] in "，、：—" or (not _balanced(a) and _balanced(a + b)) or _word_spans(a, b)

    def _has_dateline(self, i: int) -> bool:
        text = self.text[i]
        return self.rules.dateline_mark.search(text, 0, SHORT) is not None and self.rules.datelines.starts(
            self._matchable(text[:80]))

    def _continues(self, live: list[int], p: int) -> bool:
        """Whether the line at `live[p]` is the end of the sentence above it rather than a line of its own."""
        if p == 0:
            return False
        above, text = live[p - 1], self.text[live[p]]
        if above in self.meta or self.hint[above] in ("t", "h", "k"):
            return False
        return self._flows(above) and _PUNCTUATION.search(text) is not None

    # -------------------------------------------------------------------------------------------- unwrapping

    def _blocks(self, titles: dict[int, str]) -> list[_Block]:
        """Lines joined to paragraphs. Marked lines do not stand in the way of a sentence; titles and metadata do."""
        out: list[_Block] = []
        text, hint = self.text, self.hint
        live = [i for i, fate in enumerate(self.fate) if fate is None]
        self.lost_indent = bool(self.width) and not self.indented and self._indent_lost(live)
        open_block: _Block | None = None
        for p, i in enumerate(live):
            if i in titles or hint[i] == "k":
                if i in titles and out and out[-1].kind == "title" and live[p - 1] in titles:
                    out[-1].text += text[i]
                    out[-1].lines.append(i)
                else:
                    out.append(_Block(text[i], [i], "title" if i in titles else "head"))
                open_block = None
                continue
            # where no line was cut, nothing goes on with what has ended
            if open_block is not None and (self.width or open_block.text[-1] not in _TERMINAL) and (
                    self._joins(open_block, i, live, p)):
                open_block.text = _glued(open_block.text, text[i], self.by_length)
                open_block.lines.append(i)
                continue
            open_block = _Block(text[i], [i], _KIND_OF_HINT.get(hint[i], "body"))
            out.append(open_block)
        return out

    def _joins(self, block: _Block, i: int, live: list[int], p: int) -> bool:
        """Whether line `i` goes on with the block above it."""
        text, hint, last = self.text[i], self.hint[i], block.lines[-1]
        if block.text[-1] in "）】)" and self.rules.signatures.at_end(self._matchable(block.text[-60:])):
            return False
        if hint in ("t", "h", "l") or self.hint[last] in ("t", "h"):
            return False
        if self.hint[last] == "l" and (self.gap[i] or hint == "p"):
            return False
        if hint == "p" and not (self._is_prose(block.text) and len(block.text) >= LONG - 5):
            return False
        if last + 1 != i and any(j in self.meta and self.fate[j] == "metadata" for j in range(last + 1, i)):
            return False
        ended = _ended(block.text)
        if self.width and hint == "":
            full = self._reach(last) >= (self.width - 0.5 if self.by_length else self._column(block) - 1.5)
            if self.indented and self.indent[i]:
                return False
            if ended:
                if not full or (self.gaps_tell and self.gap[i]):
                    return False
                if self.lost_indent and not _ended(text) and self.width - 4.5 <= self._reach(i) <= self.width - 1.5:
                    return False  # a paragraph's first line whose indentation was lost
                if not _ended(text) and self._reach(i) < self._column(block) - 1.5 and not self._goes_on(i, live, p):
                    return False  # a short line that ends no sentence is no end of a paragraph
                return not self.rules.any_item.starts(text)
            if full:
                return not (self.gaps_tell and self.gap[i] and not _PUNCTUATION.search(block.text))
            slack = 4.5 if self.lost_indent else 2.5
            if len(block.lines) == 1 and (self.lost_indent or not self.by_length) and (
                    self._reach(last) >= self.width - slack) and (
                    self._reach(i) >= self.width - 1.25 or _word_spans(block.text, text)
                    or ("，" in block.text and self._reach(i) >= self.width - 4.5)):
                return True  # a paragraph's first line whose indentation was lost, followed by a full line
            return not (self._is_heading(block, i) or _NUMERIC.fullmatch(block.text)) or _word_spans(block.text, text)
        if ended or self.rules.any_item.starts(text):
            return False
        if block.text[-1] in _CLOSERS and len(block.text) > 1 and block.text[-2] in _TERMINAL:
            return False
        if self._is_heading(block, i):
            return False
        return not _NUMERIC.fullmatch(block.text)

    def _goes_on(self, i: int, live: list[int], p: int) -> bool:
        """Whether the line below continues the sentence of line `i`."""
        if p + 1 >= len(live):
            return False
        text, after = self.text[i], self.text[live[p + 1]]
        return text[-1] in "，、（“‘《" or after[0] in "，。、；：）》”’？！" or _word_spans(text, after)

    def _column(self, block: _Block) -> float:
        """The width of the column a block stands in: columns of one page differ by a character or two."""
        widest = max(self._reach(i) for i in block.lines) if len(block.lines) > 1 else self.width
        return min(max(widest, self.width - 2), self.width)

    def _indent_lost(self, live: list[int]) -> bool:
        """Whether first lines of paragraphs are narrower than the others: they were indented, and the blanks are gone.
        Lines below a short line are known to be first lines."""
        reach = [_width(self.text[i], self.by_length) for i in live]
        firsts = [b for a, b in pairwise(reach) if a < self.width - 5 <= b]
        return len(firsts) >= 2 and sum(b <= self.width - 1.5 for b in firsts) >= 0.6 * len(firsts)

    def _reach(self, i: int) -> float:
        """How far a line reaches to the right, its indentation included."""
        return _width(self.text[i], self.by_length) + (2 if self.indented and self.indent[i] else 0)

    @staticmethod
    def _is_prose(text: str) -> bool:
        return _PUNCTUATION.search(text) is not None

    def _is_heading(self, block: _Block, following: int | None) -> bool:
        """Whether a block reads as a heading: short, no end of a sentence, and the next line does not go on with it."""
        text, rules = block.text, self.rules
        if block.kind == "heading":
            return True
        if not 2 <= len(text) <= rules.max_heading or _STOP.search(text) or text[-1] in "，、：（《“‘—,:":
            return False
        if len(block.lines) == 1 and self.hint[block.lines[0]] == "l":
            return False
        if rules.speaker.match(self._matchable(text[:24])):
            return False
        if rules.numbered.starts(text):
            return not _ended(text)
        if text.endswith(rules.not_ends) or not _balanced(text):
            return False
        commas = text.count("，")
        if commas > 1 or (commas and (text.startswith(rules.not_starts) or (text[0].isdigit() and "年" in text[:6]))):
            return False
        if following is not None and self.gap[following] > self.usual_gap > 0 and len(text) >= 12 and (
                self.source.source_format == "plain"):
            return False  # no heading stands at the foot of a column
        if following is not None:
            after = self.text[following]
            if len(text) >= LONG - 4 and len(after) <= len(text) and _ended(after):
                return False  # no heading is longer than what stands below it
            if after[0] in "（(" and not self.rules.any_item.starts(after):
                return False
            if after[0] in "，。、；：）》”’？！,.;:)" or after[1:2] in tuple("，。；、：") or (
                    self._goes_on_with(after) or _word_spans(text, after)):
                return False
        return not _NUMERIC.fullmatch(text)

    def _goes_on_with(self, text: str) -> bool:
        """Whether a line begins with a word that no paragraph begins with, such as 的 or 和; 上海 is not 上."""
        rules = self.rules
        return text.startswith(rules.not_next) and not text.startswith(rules.begins) and (
            segmenter().cut(text[:8], False)[0] in rules.not_next)

    # -------------------------------------------------------------------------------------------- articles

    def _drafts(self, blocks: list[_Block], titles: dict[int, str]) -> list[_Draft]:
        """Blocks and metadata lines dealt out to articles, in the order of the document."""
        drafts = [_Draft()]
        if self.known_title:
            drafts[0].title, drafts[0].title_rule = self.known_title
        if titles or self.meta:
            self._deal_out(blocks, titles, drafts)
        else:
            drafts[0].blocks = blocks
        kept = []
        for draft in drafts:
            self._shape(draft)
            if kept and draft.title and (first := next((d for d in kept if _told_again(draft, d)), None)) is not None:
                self._settle_copy(draft, first)
            elif draft.blocks and (draft.blocks[-1].kind != "heading" or any(
                    b.kind != "heading" for b in draft.blocks)):
                kept.append(draft)
            else:
                for block in draft.blocks:
                    self._settle_block(block, "boilerplate", "no_article")
        return kept

    def _settle_copy(self, copy: _Draft, first: _Draft) -> None:
        """Count an article that stands a second time once; what its lines of metadata say goes to the first."""
        for i in [*copy.lines, *(i for b in copy.blocks for i in b.lines)]:
            if self.fate[i] != "metadata":
                self._settle(i, "duplicate", "repeated")
            first.lines.append(i)
        first.fields += copy.fields

    def _deal_out(self, blocks: list[_Block], titles: dict[int, str], drafts: list[_Draft]) -> None:
        events = sorted([*[(b.lines[0], b) for b in blocks], *[(i, None) for i in self.meta]], key=itemgetter(0))
        late: list[tuple[str, object, str]] = []  # sources named amid the text, which may be those of a chart
        for i, block in events:
            draft = drafts[-1]
            if block is None:
                labelled = any(n == "title" and r == "info_line" for n, _, r in self.meta[i])
                if labelled and any(b.kind == "body" and self._is_text(b) for b in draft.blocks):
                    draft.fields += late
                    late = []
                    draft = _Draft()  # records under each other, each with its labels
                    drafts.append(draft)
                amid = len(draft.blocks) > 1 and sum(_ended(b.text) for b in draft.blocks) > 1
                for f in self.meta[i]:
                    doubtful = amid and f[0] == "publisher" and f[2] in ("info_line", "source_note")
                    (late if doubtful else draft.fields).append(f)
                draft.lines.append(i)
            elif block.kind != "title":
                late.clear()
                draft.blocks.append(block)
            else:
                draft.fields += late
                late = []
                lead_ins = [b for b in draft.blocks if b.text.startswith(self.rules.lead_ins)]
                if draft.title is None and lead_ins and all(
                        b in lead_ins or self._trailing_head(b) for b in draft.blocks):
                    for other in draft.blocks:
                        if other not in lead_ins:
                            self._as_subtitle(other, draft)
                    draft.blocks = lead_ins  # an editor's note belongs to the article below it
                elif draft.title is not None or any(b.kind == "body" and self._is_text(b) for b in draft.blocks):
                    drafts.append(_Draft())
                    draft, before = drafts[-1], drafts[-2]
                    while before.blocks and self._trailing_head(before.blocks[-1]):
                        self._as_subtitle(before.blocks.pop(), draft)
                else:
                    self._take_kickers(draft)
                draft.title, draft.title_rule = block.text, titles[i]
                self._settle_block(block, "title", "title_line")
                draft.lines += block.lines
        drafts[-1].fields += late

    def _settle_block(self, block: _Block, fate: str, rule: str) -> None:
        for i in block.lines:
            if self.fate[i] is None:
                self.fate[i], self.rule[i] = fate, rule

    def _trailing_head(self, block: _Block) -> bool:
        """Whether a block at the end of an article is a kicker of the title that follows."""
        return len(block.text) <= self.rules.max_heading and not _ended(block.text) and self._is_heading(block, None)

    def _is_text(self, block: _Block) -> bool:
        """Whether a block holds a sentence, or is too long for a line above a title."""
        return _ended(block.text) or _STOP.search(block.text) is not None or len(block.text) > self.rules.max_title

    def _take_kickers(self, draft: _Draft) -> None:
        """What stands above the first title: the name of the site, a kicker or two, or a row of buttons."""
        others = []
        for block in draft.blocks:
            if self.rules.site_name.fullmatch(self._matchable(block.text)):
                self._settle_block(block, "metadata", "site_name")
                draft.lines += block.lines
                draft.fields.append(("site", block.text, "site_name"))
            else:
                others.append(block)
        for block in others:
            if len(others) > MAX_KICKERS:
                self._settle_block(block, "boilerplate", "between_furniture")
            else:
                self._as_subtitle(block, draft)
        draft.blocks = []

    def _as_subtitle(self, block: _Block, draft: _Draft) -> None:
        self._settle_block(block, "title", "subtitle")
        draft.lines += block.lines

    def _shape(self, draft: _Draft) -> None:
        """Give a draft its title and tell headings, list items, repeated text, signatures and furniture apart."""
        if draft.title is None:
            labelled = next(((str(v), r) for n, v, r in draft.fields if n == "title"), None)
            if labelled:
                draft.title, draft.title_rule = labelled
            else:
                self._find_title(draft)
        blocks, title, rules = draft.blocks, draft.title or "", self.rules
        texts = [b.text for b in blocks]
        joined = "\n".join(texts)
        like_title = len(title) + 20 if title else 0  # characters of a line that may repeat it
        title_key: str | None = None
        title_inside = len(title) >= 8 and title in joined
        repeated = self._repeated_starts(texts, joined)
        datelines, abstract_marks = rules.may_have_dateline(joined), rules.abstract_marks
        kept: list[_Block] = []
        seen: set[str] = set()
        for block in blocks:
            text = block.text
            if block.kind == "head":
                again = title and _key(title) and _key(text) == _key(title)
                self._settle_block(block, *(("title", "title_again") if again else ("boilerplate", "outside_body")))
                continue
            if len(text) <= like_title:
                title_key = _key(title) if title_key is None else title_key
                if rule := self._title_again(block, title_key, kept):
                    self._settle_block(block, "title", rule)
                    draft.lines += block.lines
                    continue
            if len(block.lines) > 1 and len(text) <= rules.max_line and (
                    found := rules.furniture(self._matchable(text))):
                self._settle_block(block, "boilerplate", found[0])
                continue
            if title_inside and title in text:
                self._take_head(block, title)
            if text[-1] in "）】)]":
                self._cut_notes(block, draft)
            if text[0] in abstract_marks and text.startswith(rules.abstracts) and (
                    self._is_told_below(text, joined)):
                self._settle_block(block, "duplicate", "repeated")
                continue
            if not block.text:
                continue
            if datelines:
                self._cut_dateline(block, draft)
            if repeated and self._stands_above(block, kept, seen, repeated):
                self._settle_block(block, "duplicate", "repeated")
                continue
            kept.append(block)
        if kept and len(kept[-1].text) <= MAX_ACCOUNT and any(
                f[0] == "publisher" and f[1] == kept[-1].text for f in (*draft.fields, *self.source.fields)):
            self._settle_block(kept[-1], "boilerplate", "site_name")  # the account once more, below its article
            kept.pop()
        fates, named = self.fate, self.rule
        before = None
        longest, may_be_item, is_item = rules.max_heading, rules.any_item.may_start, rules.any_item.starts
        for block, after in zip(kept, [*kept[1:], None], strict=False):
            if block.kind == "body":
                if len(block.text) <= longest and self._reads_as_heading(block, before, after):
                    block.kind = "heading"
                elif may_be_item(block.text) and is_item(block.text):
                    block.kind = "list"
            fate, rule = _FATE_OF_KIND[block.kind]
            for i in block.lines:
                if fates[i] is None:
                    fates[i], named[i] = fate, rule
            before = block
        draft.blocks = kept

    def _find_title(self, draft: _Draft) -> None:
        """A title from the running head, or the first line where it reads as one."""
        blocks = draft.blocks
        first = next((b for b in blocks if b.kind != "head"), None)
        if first is None:
            return
        heads = [h for h in self.heads if h not in self.columns]
        top = first is not blocks[-1] and len(first.text) <= self.rules.max_title and self._is_title_block(first)
        if heads and not (top and any(_key(first.text) == _key(h) for h in heads)):
            draft.title, draft.title_rule = heads[0], "running_head"
        elif top:
            draft.title, draft.title_rule = first.text, "first_line"
            self._settle_block(first, "title", "title_line")
            draft.lines += first.lines
            blocks.remove(first)
        elif self.columns:
            draft.title, draft.title_rule = self.columns[0], "column_head"

    def _is_title_block(self, block: _Block) -> bool:
        if self.whole and self.source.source_format != "email":
            return False
        text = block.text
        return block.kind == "heading" or (
            len(text) >= 4 and text[-1] not in "。；，、：" and "。" not in text and len(block.lines) <= 2
            and not self.rules.any_item.starts(text))

    def _title_again(self, block: _Block, title_key: str, kept: list[_Block]) -> str:
        key = _key(block.text)
        if not key:
            return ""
        if key == title_key:
            return "title_again"
        if self.heads and self.source.source_format == "plain" and not _ended(block.text) and (
                _alike(key, title_key) >= 0.85):
            return "title_again"
        if not kept and (block.text.startswith("——") or self.hint[block.lines[0]] == "t"):
            return "subtitle"
        return ""

    def _take_head(self, block: _Block, title: str) -> None:
        """Take a running head (the title, between blanks) out of the middle of a sentence."""
        parts = re.split(rf"(?<=[^\s。！？]) {re.escape(title)} (?=\S)", block.text)
        if len(parts) == 1:
            return
        n = len(title) + 2
        for i in block.lines:
            if f" {title} " in self.text[i]:
                times = self.text[i].count(f" {title} ")
                self._cut(i, n * times, "boilerplate", "running_head", title)
        block.text = "".join(parts)

    def _cut_notes(self, block: _Block, draft: _Draft) -> None:
        """Cut signatures and notes in brackets off the end of a paragraph."""
        rules = self.rules
        for _ in range(3):
            if not block.text or block.text[-1] not in "）】)]":
                break
            tail = block.text[-120:]
            line = self._matchable(tail)
            signature = rules.signatures.at_end(line)
            found = signature or rules.ends.at_end(line)
            if not found:
                break
            rule, spans, m = found
            for name, (a, b) in spans.items():
                value = tail[a:b].strip()
                draft.fields.append((name, bylines.people(value, rules) if name == "authors" else value,
                                     "signature" if signature else rule))
            block.signed = bool(signature)
            self._take_end(block, len(tail) - m.start(), *(("metadata", "signature") if signature
                                                           else ("boilerplate", rule)), tail[m.start() :])

    def _cut_dateline(self, block: _Block, draft: _Draft) -> None:
        """Cut a dateline off the start of a paragraph."""
        head = block.text[:80]
        found = self.rules.datelines.match(self._matchable(head))
        if found and len(found[2][0]) < len(block.text):
            self._take_dateline(block, draft, head, found)

    def _take_dateline(self, block: _Block, draft: _Draft, head: str, found) -> None:
        _, spans, m = found
        for name, (a, b) in spans.items():
            value = bylines.unmarked(head[a:b])
            if name == "authors":
                draft.fields.append(("authors", bylines.people(value, self.rules), "dateline"))
            elif value and value not in self.rules.not_publishers:
                draft.fields.append((name, value, "dateline"))
        if day := dating.dateline(head):
            draft.fields.append(("dateline", day, "dateline"))
        n = len(m[0])
        self._cut(block.lines[0], n, "metadata", "dateline", head[:n])
        block.text = block.text[n:]

    def _take_end(self, block: _Block, n: int, fate: str, rule: str, sample: str) -> None:
        """Cut the last `n` characters off a block and off the lines they stand in."""
        block.text = block.text[:-n].rstrip()
        for j in reversed(block.lines):
            if n <= 0:
                break
            size = len(self.text[j])
            if n >= size:
                self._settle(j, fate, rule)
            else:
                self._cut(j, n, fate, rule, sample)
            n -= size

    @staticmethod
    def _repeated_starts(texts: list[str], joined: str) -> set[str]:
        """The beginnings of paragraphs below the first that stand in an article twice."""
        starts = [t[:START] for t in texts[1:] if len(t) >= LONG]
        if len(texts) <= FEW:  # cheaper than to cut the article into sentences
            return {s for s, n in zip(starts, map(joined.count, starts), strict=True) if n > 1}
        counts = Counter(s[:START] for s in _SENTENCES.split(joined.replace("\n", "。")))
        return {s for s in starts if counts[s] > 1}

    @staticmethod
    def _is_told_below(text: str, joined: str) -> bool:
        """Whether each sentence of an abstract stands in the text of its article too."""
        parts = [s for s in _SENTENCES.split(text.partition("：")[2]) if len(s) >= 6]
        return bool(parts) and all(joined.count(s) > 1 for s in parts)

    @staticmethod
    def _stands_above(block: _Block, kept: list[_Block], seen: set[str], repeated: set[str]) -> bool:
        """Whether a block, or every sentence of it, has been read before in this article; notes its sentences."""
        text = block.text
        if len(text) < LONG:
            return False
        parts = [s for s in _SENTENCES.split(text) if len(s) >= 6]
        if text[:START] in repeated:
            known = sum(map(len, parts)) >= LONG - 2 and all(s in seen for s in parts)
            if known or any(text in b.text for b in kept[-NEAR:]):
                return True
        seen.update(parts)
        return False

    def _reads_as_heading(self, block: _Block, before: _Block | None, after: _Block | None) -> bool:
        """Whether a short block is a heading though no markup says so."""
        text = block.text
        if after is None or block.signed or _STOP.search(text):
            return False
        fresh = (before is None or before.kind in ("heading", "list") or before.signed or _ended(before.text)
                 or self._is_heading(before, None))
        question = text[-1] in "！？" and len(text) > 25
        return (fresh and not question and self._is_heading(block, None)
                and not self._is_item(block, before, after))

    def _is_item(self, block: _Block, before: _Block | None, after: _Block) -> bool:
        """Whether a short numbered line is one of a list: another of its kind stands right above or below it."""
        pattern = next((p for p in self.rules.items if p.match(block.text)), None)
        if pattern is None:
            return False
        short = not _ended(after.text) and len(after.text) <= self.rules.max_heading
        return (short and pattern.match(after.text) is not None) or (
            before is not None and before.kind == "list" and pattern.match(before.text) is not None)

    def _articles(self, drafts: list[_Draft]) -> list[Article]:
        source, rules = self.source, self.rules
        form = self._format(len(drafts))
        articles, bodies = [], []
        page = {n: v for i in sorted(self.meta, reverse=True) for n, v, r in self.meta[i] if r == "page_head"} if (
            self.meta) else {}
        for n, draft in enumerate(drafts):
            position = self.position + n if source.position is None else source.position
            article = Article(source.source_file, form, position)
            article.paragraphs = [Paragraph(b.text, b.kind) for b in draft.blocks]
            if len(drafts) > 1 or self.cuts:  # else all lines are those of the one article
                for lines in (draft.lines, *(block.lines for block in draft.blocks)):
                    for i in lines:
                        self.owner[i] = position
            bodies.append(article.text)
            self._fill(article, draft, bodies[-1], page)
            articles.append(article)
        if form == "newspaper_page":
            years = {a.year for a in articles if a.year is not None}
            for article in articles:
                if article.year is None and len(years) == 1:
                    article.year, article.rules["year"] = next(iter(years)), "same_page"
                    article.date_basis = "inferred"
        for article, body in zip(articles, bodies, strict=True):
            title = article.title or ""
            article.script = "hans" if self.hans else script_of(body)
            if article.script == "hant":
                title, body = simplified(title), simplified(body)
            article.scope, article.scope_reason = rules.scope.judge(title, body)
        return articles

    def _format(self, n_articles: int) -> str:
        form = self.source.source_format
        if form != "plain":
            return form
        if n_articles == 1 and self.width and (self.heads or self.columns):
            return "journal"
        marked = any(self.text[i][0] in _BULLET for i in self.meta)
        if marked or n_articles > 1 or any(r == "page_head" for f in self.meta.values() for _, _, r in f):
            return "newspaper_page"
        return "web_page" if self.web_marks >= WEB_MARKS else "plain"

    def _fill(self, article: Article, draft: _Draft, body: str, page: dict) -> None:
        """Title, publisher, authors, address, dates, each with the rule that found it."""
        rules = self.rules
        source_fields = self.source.fields
        sender = [f for f in source_fields if f[2] in ("mail:from", "mail:date")]  # who passed the article on, and when
        stated = [f for f in source_fields if f not in sender] if sender else source_fields
        found = sorted(draft.fields, key=lambda f: _TRUST.get(f[2], 1)) if draft.fields else ()
        fields = [*stated, *found, *sender]
        if draft.title:
            article.title, article.rules["title"] = _tidy_title(draft.title), draft.title_rule
        for name, value, rule in fields:
            if name == "publisher" and str(value).startswith(("http://", "https://")):
                name = "url"  # a source given as an address
            if name == "publisher" and article.publisher is None:
                value = bylines.unmarked(str(value))
                value = rules.portal.sub("", value, count=1) if rules.portal.match(value) else value
                plain = self._matchable(value)
                if value and len(value) <= 60 and plain not in rules.not_publishers and not (
                        bylines.names_a_place(plain, rules) or (value[0].isdigit() and _DAY.fullmatch(value))):
                    article.publisher, article.rules["publisher"] = value, rule
            elif name == "authors" and not article.authors:
                people = value if isinstance(value, list) else bylines.people(str(value), rules)
                if people:
                    article.authors, article.rules["authors"] = people, rule
            elif name == "url" and article.url is None:
                if re.match(r"https?://\S{4,}$", str(value)) and not _PICTURE.search(str(value)):
                    article.url, article.rules["url"] = str(value), rule
            elif name == "date" and article.date is None:
                day = dating.stated_date(value)
                if day:
                    article.date, article.date_basis, article.rules["date"] = day, "stated", rule
            elif name == "year" and article.year is None:
                year = dating.stated_year(value)
                if year:
                    article.year, article.rules["year"] = year, rule
            elif name == "kind" and article.kind is None:
                article.kind = str(value)[:40]
            elif name == "source_title" and article.source_title is None:
                article.source_title = str(value)
        if article.publisher is None:
            self._name_publisher(article, fields, page)
        if article.date is None and (day := dating.stated_date(page.get("date"))):
            article.date, article.date_basis, article.rules["date"] = day, "stated", "page_head"
        if article.date is None and (day := dating.as_of_date(body)):
            article.date, article.date_basis, article.rules["date"] = day, "inferred", "as_of"
        self._work_year(article, draft, body)

    def _name_publisher(self, article: Article, fields: list, page: dict) -> None:
        """The publisher where no field names it: a tag, the site, the head of the page."""
        rules = self.rules
        tags = next((str(v) for name, v, _ in self.source.fields if name == "medium_tags"), "")
        if medium := bylines.medium_of_tags(tags, rules):
            article.publisher, article.rules["publisher"] = medium, "medium_tags"
            return
        site = next(((str(v), r) for n, v, r in fields if n == "site"
                     and v not in rules.not_publishers and (r != "meta:title:tag" or any(
                         known.fullmatch(self._matchable(str(v))) for known in (rules.site_name, rules.agency)))), None)
        if site and len(site[0]) <= 60:
            article.publisher, article.rules["publisher"] = site
        elif (medium := page.get("publisher")) and medium not in rules.not_publishers:
            article.publisher, article.rules["publisher"] = medium, "page_head"

    def _work_year(self, article: Article, draft: _Draft, body: str) -> None:
        published = int(article.date[:4]) if article.date else None
        if article.year is None:
            stated = self.rules.work_year.of(article.title or "", body, published)
            if stated is None and published is not None:
                stated = published, "publication"
            if stated is None:
                stated = dating.writing_year(body)
            if stated:
                article.year, article.rules["year"] = stated
        if article.date is None and article.year is not None:
            day = next((v for n, v, _ in draft.fields if n == "dateline"), None)
            if day and day[0] <= 3:
                article.date = dating.iso_date(article.year, *day)
                article.rules["date"] = "dateline_of_work_year"
        if article.date_basis == "unknown" and article.year is not None:
            article.date_basis = "inferred"

    # -------------------------------------------------------------------------------------------- ledger

    def _ledger(self, articles: list[Article]) -> Account:
        source, lines = self.source, self.source.lines
        raw, fates, rules = source.raw, self.fate, self.rule
        samples = [raw[unit - 1].strip()[:SAMPLE] for unit in lines.unit] if raw else [t[:SAMPLE] for t in self.text]
        if None in fates:
            rules = [rule if fate else "unattached" for fate, rule in zip(fates, rules, strict=True)]
            fates = [fate or "boilerplate" for fate in fates]
        rows = list(zip(lines.unit, lines.n, fates, rules, samples, strict=True))
        single = articles[0].position if len(articles) == 1 else None
        if len(articles) <= 1 and not self.cuts:  # all lines are those of the one article, or of none
            rows += source.settled
            return Account(source.source_file, self._in_order(rows), single)
        owners = self.owner if single is None else repeat(single, self.size)
        rows = [(*row, owner) for row, owner in zip(rows, owners, strict=True)]
        for i in sorted(self.cuts, reverse=True):
            unit, n, fate, rule, _, owner = rows[i]
            parts = [(unit, m, other, other_rule, sample, self.owner[i])
                     for m, other, other_rule, sample in self.cuts[i]]
            n -= sum(part[1] for part in parts)
            rows[i : i + 1] = [*parts, (unit, n, fate, rule, self.text[i][:SAMPLE], owner)]
        rows += [(*row, single) for row in source.settled]
        rows = self._in_order(rows, alike=itemgetter(0, 2, 3, 5))
        return Account(source.source_file, [row[:5] for row in rows], [row[5] for row in rows])

    def _in_order(self, rows: list[tuple], alike=itemgetter(0, 2, 3)) -> list[tuple]:
        """Rows in the order of their units, without empty ones; of a record, those of one unit, fate and rule (and
        article) that follow each other as one."""
        rows = _run_together(rows, alike) if self.whole else list(filter(itemgetter(1), rows))
        rows.sort(key=itemgetter(0))
        return rows


def _run_together(rows: list[tuple], alike: Callable[[tuple], tuple]) -> list[tuple]:
    """Rows of a record, those that are alike and follow each other as one; no empty ones."""
    out: list[tuple] = []
    for _, group in groupby(filter(itemgetter(1), rows), key=alike):
        first, *others = group
        out.append((first[0], first[1] + sum([row[1] for row in others]), *first[2:]) if others else first)
    return out


_KIND_OF_HINT = {"t": "heading", "h": "heading", "l": "list"}
# Kinds of blocks as fates and rules of the ledger.
_FATE_OF_KIND = {"heading": ("heading", "heading_line"), "list": ("body", "list_item"), "body": ("body", "paragraph")}
# Hints that say what a line is, and not what becomes of it.
_STRUCTURE = frozenset(("", "t", "h", "p", "l", "k"))
# Rules of layout, whose lines stand amid the text of an article.
_LAYOUT = frozenset(("running_head", "page_number", "column_label", "image", "references", "contribution", "issue"))
# Where fields of one document disagree: the citation line first, what stands in the text last.
_TRUST = {"citation_line": 0, "name_beside_date": 2,
          "signature": 2, "dateline": 2, "source_note": 3, "page_head": 3, "issue": 4}


# ------------------------------------------------------------------------------------------------- small helpers


def _unpaged(text: str) -> str:
    """A line without the page number at its ends."""
    if text[0].isdigit() and (m := _PAGE_AT_START.match(text)):
        text = text[m.end() :]
    if text[-1:].isdigit() and (m := _PAGE_AT_END.search(text, max(len(text) - 8, 0))):  # no longer than that
        text = text[: m.start()]
    return text


def _tidy_title(title: str) -> str:
    title = reading.normal(title).strip()
    return _BLANK_BESIDE_MARK.sub("", title) if len(title.split(maxsplit=1)) > 1 else title


def _key(text: str) -> str:
    return _NOT_IN_KEY.sub("", text)


def _alike(a: str, b: str) -> float:
    from rapidfuzz import fuzz

    return fuzz.ratio(a, b) / 100


def _told_again(copy: _Draft, first: _Draft) -> bool:
    """Whether an article stands a second time under the same title, a few words of it changed, but no figure."""
    return _key(copy.title or "") == _key(first.title or "") and all(
        any(_nearly(a.text, b.text) for a in first.blocks) for b in copy.blocks)


def _nearly(a: str, b: str) -> bool:
    """Whether two paragraphs are one, a few words apart, with the same figures."""
    return _FIGURES.findall(a) == _FIGURES.findall(b) and _alike(a, b) >= SAME


def _ended(text: str) -> bool:
    """Whether a text ends where a sentence does."""
    end = text.rstrip(_CLOSERS)
    return not end or end[-1] in _TERMINAL or (text[-1] in "）】)" and end[-1:] in _TERMINAL)


def _word_spans(a: str, b: str) -> bool:
    """Whether a word of the dictionary is torn between the end of `a` and the start of `b`, or a number from what it
    counts."""
    if a[-1].isdigit() and (b[0].isdigit() or b[0] in _COUNTED):
        return True
    if not ("\u4e00" <= a[-1] <= "\u9fff" and "\u4e00" <= b[0] <= "\u9fff"):
        return False
    left = a[-6:]
    if len(segmenter().cut(left, False)[-1]) > 1:
        return False  # a whole word stands at the end
    at = 0
    for word in segmenter().cut(left + b[:4], False):
        if at < len(left) < at + len(word):
            return True
        at += len(word)
    return False


def _balanced(text: str) -> bool:
    return all(text.count(a) == text.count(b) for a, b in ("“”", "《》", "（）", "‘’", "【】"))


def _glued(a: str, b: str, by_length: bool) -> str:
    """Two parts of a cut line put together: no space between Chinese characters, one between Latin words, unless lines
    were cut after so many characters, wherever that was."""
    latin = not by_length and a[-1].isascii() and a[-1].isalpha() and b[0].isascii() and b[0].isalpha()
    return f"{a} {b}" if latin and not (a[-1].isupper() and b[0].isupper()) else a + b


def _width(text: str, by_length: bool) -> float:
    """Width of a line in Chinese characters, or its number of characters."""
    if by_length:
        return len(text)
    n = len(text)
    wide = (len(text.encode("utf-8", "replace")) - n) // 2
    return wide + (n - wide) / 2


def _wrapping(raw: reading.Lines, joined: str) -> tuple[float, bool, bool]:
    """At which width lines were cut: `(width or 0, counted in characters, blank lines tell paragraphs)`.

    Hard-wrapped text has many lines of one width, none that is wider (but where a running head was written into the
    first line of a page), and most of those break off in mid-sentence.
    """
    # two lines of one width can be told, and a line whose end is torn
    least = MIN_WRAP - len(_INDENT)
    if sum([least <= len(t) <= 2 * MAX_WRAP for t in raw.text]) < 2 or {t[-1] for t in raw.text}.issubset(_TERMINAL):
        return 0, False, False
    mixed = any(raw.indent) and not all(raw.indent)
    if mixed or any(raw.hint) or any(raw.page) or "｜" in joined or "[" in joined or "http" in joined:
        rows = zip(raw.text, raw.hint, raw.indent, raw.page, strict=True)
        lines = [_INDENT + t if mixed and d else t for t, h, d, p in rows if h == "" and not (p and " " in t)
                 and "｜" not in t and "http" not in t and not (t[0] == "[" and t[1:2].isdigit())]
    else:
        lines = raw.text
    if len(lines) < 2:
        return 0, False, False
    sample = list(dict.fromkeys(lines[:4000]))
    if sum([len(t) > 2 * MAX_WRAP for t in sample]) > 0.1 * len(sample) + 1:
        return 0, False, False
    if sum([t[-1] not in _TERMINAL for t in sample]) < 0.15 * len(sample):  # hard-wrapped text is torn
        return 0, False, False
    best = (0.0, 0.0, False)
    for by_length in (True, False):
        widths = [_width(t, by_length) for t in sample]
        counts = Counter(int(w + 0.5) for w in widths)
        for top, n in counts.most_common(3):
            if n < 2 or not MIN_WRAP <= top <= MAX_WRAP:
                continue
            low, high = (top, top) if by_length else (top - 1.25, top + 0.75)  # full-width stops may not begin a line
            near = [t for t, w in zip(sample, widths, strict=True) if low <= w <= high]
            wider = sum((w > high + 1) + 2 * (w > 2 * top) for w in widths)  # a title may be wider, paragraphs may not
            torn = sum(not _ended(t) for t in near)
            share = len(near) / len(sample)
            if n < 3 and not (by_length and top >= LONG - 2 and torn == n):
                continue
            least = 0.15 if by_length and torn >= 0.75 * n else 0.3  # of one very length, torn and widest by no chance
            titles = 2 if by_length else 1 if len(sample) < 12 else 0
            if share >= least and wider <= 0.1 * len(sample) + titles and torn >= 0.5 * len(near):
                rank = share * torn / len(near) + (0.05 if by_length else 0)
                if rank > best[0]:
                    best = (rank, float(top), by_length)
    if not best[1]:
        return 0, False, False
    gaps = sum(g > 0 for g in raw.gap[1:])
    tell = 0.02 * len(raw.gap) < gaps < 0.8 * len(raw.gap)
    return best[1], best[2], tell
