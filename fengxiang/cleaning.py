"""Raw documents to articles, with an account of every character.

`clean_document` takes the bytes of one file and gives its articles (unwrapped, without page furniture and without text
that stands twice), a ledger that says what became of each line and under which rule, and what had to be rejected. What
counts as furniture, a byline or a title is data: `cleaning.yml` and `scope.yml` of the codebook folder.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from . import dating, reading
from .model import Article, Cleaned, LedgerRow, Paragraph, Rejection
from .yamlfile import YamlFile

FATES = ("title", "metadata", "heading", "body", "boilerplate", "duplicate", "unreadable")
SAMPLE = 80  # characters of a ledger sample
LONG = 20  # characters from which a line that stands twice is a copy even alone
MIN_WRAP, MAX_WRAP = 10, 60  # widths, in Chinese characters, at which lines may have been cut

_NAME = r"[\u4e00-\u9fff]{1,4}(?:·[\u4e00-\u9fff]{1,6})?"
_NAMES = rf"{_NAME}(?:[\s、，,/]{{1,3}}{_NAME}){{0,9}}"
_MEDIUM = r"[《]?[\u4e00-\u9fffA-Za-z0-9·]{2,16}[》]?"
_TERMINAL = "。！？…；：!?;:"
_CLOSERS = "”’）】》」』)\"'"
_PUNCTUATION = re.compile(r"[，。；：！？、,;!?]")
_STOP = re.compile("[。；]")
_APART = frozenset(" \t|｜·/（()）")
_STOPS = re.compile("[，。；：！？]")
_SENTENCES = re.compile("[。！？；]")
_SEPARATED = re.compile(r"[\s、，,/]+")
_HEAD_SPACE = re.compile(r"^(\S{4,40}(?: \S{1,20}){0,3}) (\S.*)$")
# The most frequent characters that differ between the scripts: enough to tell them apart without loading OpenCC.
_TRADITIONAL = frozenset(
    "業監貸銀機險億資構萬發務動點產會爲個總風項長數區國與進農對開設報並實協體辦調經戶據專強廣統內級續議質導門臺創規傳單額試處東轉範當兩場還過計於組費關債聯類來應時責領權準該賠標擴結網穩災營縣線預舉條說濟後態護優啓餘戰讓佔綠從"
    "給購鄉紹證將羣獲財別減際嚴題籌參負現約識達擊繼問復貿員這轄視況頭術鎮圍稱劃備運難蘇興蓋無層環織則訪礎罰決衆鏈適評間華價幫貴盡邊爭頻養車細學張講見牽顯壓連灣職較審絡確慶貧測堅換節認勵擔脫揮糾損聞廳繞裏糧樣談團黃維園綜屬變競"
)
_SIMPLIFIED = frozenset(
    "业监贷银机险亿资构万发务动点产会为个总风项长数区国与进农对开设报并实协体办调经户据专强广统内级续议质导门台创规传单额试处东转范当两场还过计于组费关债联类来应时责领权准该赔标扩结网稳灾营县线预举条说济后态护优启余战让占绿从"
    "给购乡绍证将群获财别减际严题筹参负现约识达击继问复贸员这辖视况头术镇围称划备运难苏兴盖无层环织则访础罚决众链适评间华价帮贵尽边争频养车细学张讲见牵显压连湾职较审络确庆贫测坚换节认励担脱挥纠损闻厅绕里粮样谈团黄维园综属变竞"
)


# ------------------------------------------------------------------------------------------------- the rules


class Rules:
    """The cleaning rules of a codebook folder, compiled. Can be pickled.

    Attributes:
        labels: `{rule id: (zh, en)}` of every rule and built-in step a ledger can name.
        fingerprint: not kept here; the build hashes the files.
    """

    @classmethod
    def load(cls, codebook_dir: str | Path) -> Rules:
        """Read `cleaning.yml` and `scope.yml`.

        Raises:
            UserError: a file is missing or a rule is broken; names the line.
        """
        return cls(YamlFile(Path(codebook_dir) / "cleaning.yml"), YamlFile(Path(codebook_dir) / "scope.yml"))

    def __init__(self, cleaning: YamlFile, scope: YamlFile):
        check = _Checked(cleaning)
        data = cleaning.data if isinstance(cleaning.data, dict) else {}
        if not data:
            raise cleaning.error("holds no rules")
        self.max_line: int = check.number(("max_line",))
        self.labels: dict[str, tuple[str, str]] = {}
        for key in check.mapping(("steps",)):
            self.labels[key] = check.names(("steps", key))
        self._load_names(check)
        self._load_furniture(check, data)
        self.page_heads = check.union(("page_heads",))
        self.bylines = check.union(("bylines",))
        self.datelines = check.union(("datelines",))
        self.signatures = check.union(("signatures",))
        self.medium_ends = tuple(check.strings(("medium_ends",)))
        self.not_authors = frozenset(check.strings(("not_authors",)))
        self.not_publishers = frozenset(check.strings(("not_publishers",)))
        self._load_labels(check)
        self.citation_starts = tuple(check.strings(("citation", "starts")))
        self.citation_labels = {
            word: "" if name == "none" else name
            for name in check.mapping(("citation", "labels")) for word in check.strings(("citation", "labels", name))}
        self.work_year = dating.WorkYear(check.strings(("work_year", "phrases")), check.number(("work_year", "gap")))
        self.max_heading = check.number(("heading", "max_chars"))
        self.max_title = check.number(("heading", "max_title"))
        self.not_ends = tuple(check.strings(("heading", "not_ends")))
        self.not_next = tuple(check.strings(("heading", "not_next")))
        self.not_starts = tuple(check.strings(("heading", "not_starts")))
        self.numbered = check.union(("heading", "numbered"))
        self.items = [check.compiled(("heading", "items", i), p)
                      for i, p in enumerate(check.strings(("heading", "items")))]
        self.any_item = check.union(("heading", "items"))
        self.columns = frozenset(check.strings(("columns",)))
        self.columns_english = check.compiled(("columns_english",), check.string(("columns_english",)))
        self.scope = Scope(scope)

    def _load_names(self, check: _Checked) -> None:
        keys = {}
        for name in check.mapping(("keys",)):
            for word in check.strings(("keys", name)):
                keys[word.lower()] = name
        meta = {}
        for name in check.mapping(("meta",)):
            for word in check.strings(("meta", name)):
                meta[word.lower()] = name
        self.names = {
            "json": keys, "html": {"meta": meta, "furniture": check.compiled(("outside",), check.string(("outside",)))}}

    def _load_furniture(self, check: _Checked, data: dict) -> None:
        rules = check.list(("furniture",))
        self.whole_lines: dict[str, str] = {}
        self.closing: set[str] = set()
        patterns, ends, starts = [], [], []
        for i, rule in enumerate(rules):
            at = ("furniture", i)
            if not isinstance(rule, dict) or not isinstance(rule.get("id"), str):
                raise check.file.error("a furniture rule needs an id", *at)
            known = {"id", "zh", "en", "closes", "lines", "patterns", "starts", "ends"}
            if unknown := sorted(set(rule) - known):
                raise check.file.error(f"“{unknown[0]}” is no part of a furniture rule", *at, unknown[0])
            if rule["id"] in self.labels:
                raise check.file.error(f"the id “{rule['id']}” stands twice", *at, "id")
            self.labels[rule["id"]] = check.names(at)
            if rule.get("closes"):
                self.closing.add(rule["id"])
            for word in check.strings((*at, "lines"), optional=True):
                self.whole_lines.setdefault(_bare(word), rule["id"])
            for kind, into in (("patterns", patterns), ("ends", ends), ("starts", starts)):
                for j, pattern in enumerate(check.strings((*at, kind), optional=True)):
                    check.compiled((*at, kind, j), pattern)
                    into.append((rule["id"], pattern))
        self.furniture = Union(patterns)
        self.ends = Union(ends)
        self.starts = Union(starts)

    def _load_labels(self, check: _Checked) -> None:
        self.info_labels: dict[str, str] = {}
        for name in check.mapping(("labels",)):
            for word in check.strings(("labels", name)):
                self.info_labels[word] = "" if name == "none" else name
        words = sorted(self.info_labels, key=lambda w: (-len(w), w))
        long = "|".join(re.escape(w) for w in words if len(w) > 1)
        short = "|".join(re.escape(w) for w in words if len(w) == 1)
        self.info_label = re.compile(rf"({long})\s{{0,3}}[:：|｜]\s{{0,3}}|(?:^|(?<=\s))({short or '(?!)'})\s{{0,3}}[:：|｜丨/]\s{{0,3}}"
                                     rf"|(?:^|(?<=[\s·]))(转自|来源|作者)\s")
        idle = check.strings(("idle",))
        for i, pattern in enumerate(idle):
            check.compiled(("idle", i), pattern)
        self.idle = re.compile("|".join(f"(?:{p})" for p in idle))

    def label(self, rule: str) -> tuple[str, str]:
        """The Chinese and the English name of a rule as ledgers name it."""
        return self.labels.get(rule, (rule, rule))


class Union:
    """Many patterns tried as one; tells which rule matched and what its named groups hold."""

    def __init__(self, patterns: list[tuple[str, str]]):
        self._rules = [rule for rule, _ in patterns]
        parts = []
        for i, (_, pattern) in enumerate(patterns):
            named = re.sub(r"\(\?P<(\w+)>", rf"(?P<\1__{i}>", _expanded(pattern))
            parts.append(f"(?P<r__{i}>{named})")
        self._pattern = re.compile("|".join(parts) or "(?!)")
        self._at_end = re.compile(f"(?:{'|'.join(parts) or '(?!)'})$")

    def fullmatch(self, text: str):
        """`(rule, match)` or None."""
        m = self._pattern.fullmatch(text)
        return None if m is None else (self._rules[int(m.lastgroup.split("__")[1])], m)

    def match(self, text: str):
        """`(rule, match)` at the start, or None."""
        m = self._pattern.match(text)
        return None if m is None else (self._rules[int(m.lastgroup.split("__")[1])], m)

    def at_end(self, text: str):
        """`(rule, match)` at the very end, or None."""
        m = self._at_end.search(text)
        return None if m is None else (self._rules[int(m.lastgroup.split("__")[1])], m)


def _spans(m: re.Match) -> dict[str, tuple[int, int]]:
    """The spans of the named groups that took part."""
    return {name.split("__")[0]: m.span(name) for name in m.groupdict()
            if not name.startswith("r__") and m.start(name) >= 0}


def _expanded(pattern: str) -> str:
    return pattern.replace("{names}", _NAMES).replace("{name}", _NAME).replace("{medium}", _MEDIUM)


class _Checked:
    """Reads values of a YAML file and says by line what is wrong with them."""

    def __init__(self, file: YamlFile):
        self.file = file

    def value(self, keys: tuple):
        at = self.file.data
        for key in keys:
            try:
                at = at[key]
            except (KeyError, IndexError, TypeError):
                raise self.file.error(f"“{'.'.join(map(str, keys))}” is missing", *keys) from None
        return at

    def mapping(self, keys: tuple) -> dict:
        value = self.value(keys)
        if not isinstance(value, dict):
            raise self.file.error(f"“{keys[-1]}” must be a mapping", *keys)
        return value

    def list(self, keys: tuple) -> list:
        value = self.value(keys)
        if not isinstance(value, list):
            raise self.file.error(f"“{keys[-1]}” must be a list", *keys)
        return value

    def strings(self, keys: tuple, optional: bool = False) -> list[str]:
        if optional and keys[-1] not in self.value(keys[:-1]):
            return []
        values = self.list(keys)
        for i, value in enumerate(values):
            if not isinstance(value, str) or not value:
                raise self.file.error(f"“{keys[-1]}” must hold words; put {value!r} between quotation marks", *keys, i)
        return values

    def string(self, keys: tuple) -> str:
        value = self.value(keys)
        if not isinstance(value, str) or not value:
            raise self.file.error(f"“{keys[-1]}” must be a text", *keys)
        return value

    def number(self, keys: tuple) -> int:
        value = self.value(keys)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.file.error(f"“{keys[-1]}” must be a whole number", *keys)
        return value

    def names(self, keys: tuple) -> tuple[str, str]:
        value = self.mapping(keys)
        for language in ("zh", "en"):
            if not isinstance(value.get(language), str) or not value[language].strip():
                raise self.file.error(f"a rule needs a name in both languages (“{language}” is missing)", *keys)
        return value["zh"], value["en"]

    def compiled(self, keys: tuple, pattern: str) -> re.Pattern:
        try:
            return re.compile(_expanded(pattern))
        except (re.error, RecursionError, OverflowError) as error:
            raise self.file.error(f"is not a regular expression: {error}", *keys) from None

    def union(self, keys: tuple) -> Union:
        patterns = self.strings(keys)
        for i, pattern in enumerate(patterns):
            self.compiled((*keys, i), pattern)
        return Union([(str(keys[-1]), p) for p in patterns])


class Scope:
    """Whether an article belongs to the subject, by counted words (`scope.yml`)."""

    def __init__(self, file: YamlFile):
        check = _Checked(file)
        if not isinstance(file.data, dict):
            raise file.error("holds no rules")
        self.enabled = check.value(("enabled",))
        if not isinstance(self.enabled, bool):
            raise file.error("“enabled” must be true or false", "enabled")
        self.minimum = check.number(("minimum",))
        self.per_1000 = check.number(("per_1000_chars",))
        self.agency_weight = check.number(("agency_weight",))
        self.title_weight = check.number(("title_weight",))
        agencies, terms = check.strings(("agencies",)), check.strings(("terms",))
        masks = check.strings(("not_agencies",))
        self._words = list(dict.fromkeys([*agencies, *terms, *masks]))
        if not self._words:
            raise file.error("names no agency and no term", "agencies")
        kinds = dict.fromkeys(terms, "term") | dict.fromkeys(agencies, "agency") | dict.fromkeys(masks, "mask")
        self._kind = [kinds[w] for w in self._words]
        self._automaton = None

    def __getstate__(self):
        return self.__dict__ | {"_automaton": None}

    def judge(self, title: str, text: str) -> tuple[str, str]:
        """`("in", "")`, or `("out", reason)` with the reason in Chinese and English."""
        if not self.enabled:
            return "in", ""
        if self._automaton is None:
            import ahocorasick_rs

            self._automaton = ahocorasick_rs.AhoCorasick(
                self._words, matchkind=ahocorasick_rs.MatchKind.LeftmostLongest)
        agencies, terms = 0, set()
        for part, weight in ((title, self.title_weight), (text, 1)):
            for i, _, _ in self._automaton.find_matches_as_indexes(part):
                kind = self._kind[i]
                if kind == "agency":
                    agencies += weight
                elif kind == "term":
                    terms.add(i)
        evidence = agencies * self.agency_weight + len(terms)
        needed = self.minimum + self.per_1000 * len(text) // 1000
        if evidence >= needed:
            return "in", ""
        return "out", (f"与本题无关：监管机构出现 {agencies} 次，主题词 {len(terms)} 个，证据 {evidence}，未到 {needed}"
                       f" / off the subject: regulators named {agencies} times, {len(terms)} subject terms, evidence"
                       f" {evidence} of the {needed} needed")


def _bare(text: str) -> str:
    return text.strip(" \t：:·•>»«<|｜【】[]（）()…-—*#").replace(" ", "")


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
    works: list[tuple[reading.Source, list[Article]]] = []
    for item in reading.sources(source_file, data, rules.names, first_position):
        if isinstance(item, tuple):
            out.rejected.append(Rejection(*item))
            continue
        name = item.source_file
        start = position.get(name, 0) + 1
        articles, ledger = _Document(item, rules, start).clean()
        position[name] = start - 1 + len(articles)
        out.articles += articles
        out.ledger += ledger
        if item.n_undecodable:
            out.rejected.append(Rejection(name, "some bytes could not be decoded", f"{item.n_undecodable} characters"))
        if articles:
            works.append((item, articles))
        elif item.lines.text:
            out.rejected.append(Rejection(name, "no article found in it", item.lines.text[0][:80]))
    if not out.articles and not out.rejected:
        out.rejected.append(Rejection(source_file, "empty file"))
    return out


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
    characters = set(text[:4000])
    traditional = len(characters & _TRADITIONAL)
    return "hant" if traditional >= 2 and traditional > len(characters & _SIMPLIFIED) else "hans"


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
        self.whole = source.source_format in ("json", "jsonl", "table", "email")  # one article by its nature
        self.hant = any(_TRADITIONAL.intersection(t) for t in lines.text[:20])
        self.web_marks = 0
        self.heads: list[str] = []
        self.columns: list[str] = []

    def clean(self) -> tuple[list[Article], list[LedgerRow]]:
        """`(articles, ledger rows)`."""
        if self.size:
            self.width, self.by_length, self.gaps_tell = _wrapping(self.text, self.gap, self.hint, self.indent)
            self.indented = any(self.indent) and not all(self.indent)
            self.lost_indent = bool(self.width) and not self.by_length and not self.indented and self._indent_lost()
            self.usual_gap = Counter(g for g in self.gap if g).most_common(1)[0][0] if any(self.gap) else 0
            self._mark_unreadable()
            self._mark_running_heads()
            self._mark_copies()
            self._mark_furniture()
            titles = self._titles()
            blocks = self._blocks(titles)
            drafts = self._drafts(blocks, titles)
            articles = self._articles(drafts)
        else:
            articles = []
        return articles, self._ledger(articles)

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
        """Running heads, page numbers and names of columns, at page tops or repeated down a document of lines."""
        if self.source.source_format not in ("plain", "pdf"):
            return
        text, page = self.text, self.source.lines.page
        for i, line in enumerate(text):
            if len(line) <= 40 and self._is_column(line):
                self._settle(i, "boilerplate", "column_label")
                if i and (page[i - 1] or i == 1) and len(text[i - 1]) <= self.rules.max_title:
                    self.columns.append(text[i - 1])
            elif len(line) <= 8 and re.fullmatch(r"[-—–·•\s]{0,4}(?:第?\s?\d{1,4}\s?页?|\d{1,4}\s?/\s?\d{1,4})[-—–·•\s]{0,4}",
                                                 line) and (page[i] or self.width or (i + 1 < self.size and page[i + 1])):
                self._settle(i, "boilerplate", "page_number")
        counts = Counter(line for line in text if 4 <= len(line) <= self.rules.max_title and line[-1] not in "。；，")
        tops = {text[i] for i in range(self.size) if page[i] and len(text[i]) <= self.rules.max_title}
        for i, line in enumerate(text):
            if self.fate[i] or not page[i]:
                continue
            split = self._head_in_line(i)
            if split:
                head, rest = split
                if head not in self.columns:
                    self.heads.append(head)
                self._cut(i, len(head) + 1, "boilerplate", "running_head", head)
                self.text[i] = rest
        known = set(self.heads) | set(self.columns)
        for i, line in enumerate(text):
            if self.fate[i] or len(line) > self.rules.max_title:
                continue
            if line in self.columns or (line in known and (page[i] or counts[line] >= 2)):
                self._settle(i, "boilerplate", "running_head")
            elif (line in tops and counts[line] >= 3) or (page[i] and i and self._flows(i - 1) and counts[line] >= 2):
                if line not in self.heads:
                    self.heads.append(line)
                self._settle(i, "boilerplate", "running_head")

    def _is_column(self, line: str) -> bool:
        return line in self.rules.columns or (line[:1].isascii() is False and (
            self.rules.columns_english.fullmatch(line) is not None))

    def _flows(self, i: int) -> bool:
        """Whether line `i` breaks off in the middle of a sentence."""
        return self.text[i][-1] not in _TERMINAL + _CLOSERS and _PUNCTUATION.search(self.text[i]) is not None

    def _head_in_line(self, i: int) -> tuple[str, str] | None:
        """Head and rest of a page's first line where a running head was written into it: without the head the line is
        as wide as the others, or the sentence of the line above goes on."""
        m = _HEAD_SPACE.match(self.text[i]) if i else None
        if not m or _STOP.search(m[1]):
            return None
        head, rest = m[1], m[2]
        if self.width:
            fits = _width(rest, self.by_length) <= self.width + 1 < _width(self.text[i], self.by_length)
        else:
            fits = head in self.heads
        return (head, rest) if fits and (self._flows_any(i - 1) or head in self.heads) else None

    def _flows_any(self, i: int) -> bool:
        return self.text[i][-1] not in "。！？"

    def _mark_copies(self) -> None:
        """Lines that stand a second time: long ones, and short ones beside them."""
        seen: dict[str, int] = {}
        again = []
        for i, text in enumerate(self.text):
            if self.fate[i]:
                continue
            if text in seen:
                again.append(i)
            else:
                seen[text] = i
        if not again:
            return
        run: list[int] = []
        live = [i for i in range(self.size) if not self.fate[i]]
        place = {i: p for p, i in enumerate(live)}
        for i in [*again, None]:
            if run and (i is None or place[i] != place[run[-1]] + 1):
                chars = sum(len(self.text[j]) for j in run)
                long = any(len(self.text[j]) >= LONG for j in run)
                if (long if not self.width else len(run) >= 3 and chars >= 3 * LONG) or (
                        len(run) >= 3 and chars >= 2 * LONG):
                    for j in run:
                        self._settle(j, "duplicate", "repeated")
                run = []
            if i is not None:
                run.append(i)

    def _mark_furniture(self) -> None:
        rules, source, limit = self.rules, self.source, self.rules.max_line
        closing = False
        for i, text in enumerate(self.text):
            if self.fate[i] == "duplicate":
                closing = False
            if self.fate[i]:
                continue
            hint = self.hint[i]
            if hint == "x":
                self._settle(i, "boilerplate", "outside_body")
                continue
            if hint[:2] == "f:":
                self._settle(i, "boilerplate", hint[2:])
                continue
            if hint == "u":
                self.meta[i] = [("url", text, "source_link")]
                self._settle(i, "metadata", "source_link")
                continue
            if text.startswith(rules.citation_starts):
                raw = source.raw[source.lines.unit[i] - 1].strip() if source.raw else text
                fields = _citation(raw, rules)
                if fields:
                    self.meta[i] = fields
                    self._settle(i, "metadata", "citation_line")
                    continue
            if len(text) > limit:
                closing = False
                continue
            line = self._matchable(text)
            rule = rules.whole_lines.get(_bare(line)) if len(line) <= 24 else None
            if rule is None:
                if (fields := self._byline(line, text)) is not None:
                    self.meta[i] = fields
                    self._settle(i, "metadata", "byline")
                    closing = False
                    continue
                found = rules.furniture.fullmatch(line)
                if found is None and (fields := _info_line(line, text, rules, self._below_title(i))) is not None:
                    self.meta[i] = fields
                    self._settle(i, "metadata", "info_line")
                    closing = False
                    continue
                if found:
                    rule, m = found
                    spans = _spans(m)
                    if spans:
                        self.meta[i] = [(name, text[a:b].strip(), rule) for name, (a, b) in spans.items()]
                else:
                    found = rules.page_heads.fullmatch(line) if self.source.source_format in ("plain", "pdf") else None
                    if found:
                        spans = _spans(found[1])
                        self.meta[i] = [(name, _unmarked(text[a:b]), "page_head") for name, (a, b) in spans.items()]
                        self._settle(i, "metadata", "page_head")
                        continue
            if rule is not None:
                self._settle(i, "boilerplate", rule)
                self.web_marks += 1
                closing = rule in rules.closing
            elif closing:
                if self._title_like(i) and not self._meta_follows(i):
                    self._settle(i, "boilerplate", "related")
                else:
                    closing = False

    def _below_title(self, i: int) -> bool:
        above = i - 1
        while above >= 0 and self.fate[above] in ("metadata", "boilerplate"):
            above -= 1
        return above < 0 or self.hint[above] in ("t", "k") or self._title_like(above)

    def _byline(self, line: str, text: str) -> list | None:
        if len(line) > 70 or line[-1] in "。；，！？":
            return None
        found = self.rules.bylines.fullmatch(line)
        if not found:
            return None
        spans = _spans(found[1])
        if "rest" in spans:
            start, end = spans["rest"]
            return _names_and_medium(text[start:end], self.rules)
        fields: list[tuple[str, object, str]] = []
        for name, (a, b) in spans.items():
            value = _unmarked(text[a:b])
            if name == "authors":
                people = _people(value, self.rules)
                if people:
                    fields.append(("authors", people, "byline"))
            elif value and value not in self.rules.not_publishers:
                fields.append((name, value, "byline"))
        return fields

    # -------------------------------------------------------------------------------------------- titles

    def _title_like(self, i: int) -> bool:
        text = self.text[i]
        if self.hint[i] in ("t", "h"):
            return True
        if self.hint[i] in ("l", "x", "u") or len(text) > self.rules.max_title or len(text) < 2:
            return False
        return text[-1] not in "。；，、：;,:" and "。" not in text and self.fate[i] is None

    def _meta_follows(self, i: int) -> bool:
        """Whether a byline or a line of source and date comes next, looking past marked lines."""
        for j in range(i + 1, min(i + 6, self.size)):
            if j in self.meta:
                return True
            line = self._matchable(self.text[j]) if len(self.text[j]) <= self.rules.max_line else ""
            if line and (self._byline(line, self.text[j]) is not None
                         or _info_line(line, self.text[j], self.rules, True) is not None):
                return True
            rule = self.rules.whole_lines.get(_bare(line)) if line else None
            if not (self.fate[j] == "boilerplate" or rule or (line and self.rules.furniture.fullmatch(line))):
                return False
        return False

    def _titles(self) -> dict[int, str]:
        """Lines that are titles of articles, and the rule that says so."""
        if self.whole:
            return {}
        titles: dict[int, str] = {}
        body = False
        live = [i for i in range(self.size) if self.fate[i] not in ("boilerplate", "duplicate", "unreadable")]
        known = self._known_title()
        for p, i in enumerate(live):
            if i in self.meta:
                above = p - 1
                if above >= 0 and live[above] not in self.meta and self._title_like(live[above]):
                    j = live[above]
                    if (body or not titles) and not self._continues(live, above) and known is None:
                        titles[j] = "above_byline"
                        body = False
                continue
            if self.hint[i] == "t" and known is None and not titles:
                titles[i] = "first_heading"
            if not self._title_like(i):
                body = True
        return titles

    def _known_title(self) -> str | None:
        return next((str(v) for name, v, _ in self.source.fields if name == "title"), None)

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
        live = [i for i in range(self.size) if self.fate[i] is None]
        open_block: _Block | None = None
        for p, i in enumerate(live):
            if i in titles or self.hint[i] == "k":
                out.append(_Block(self.text[i], [i], "title" if i in titles else "head"))
                open_block = None
                continue
            if open_block is not None and self._joins(open_block, i, live, p):
                open_block.text = _glued(open_block.text, self.text[i], self.by_length)
                open_block.lines.append(i)
                continue
            kind = {"t": "heading", "h": "heading", "l": "list"}.get(self.hint[i], "body")
            open_block = _Block(self.text[i], [i], kind)
            out.append(open_block)
        return out

    def _joins(self, block: _Block, i: int, live: list[int], p: int) -> bool:
        """Whether line `i` goes on with the block above it."""
        text, hint, last = self.text[i], self.hint[i], block.lines[-1]
        if hint in ("t", "h", "l") or self.hint[last] in ("t", "h"):
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
                return self.rules.any_item.match(text) is None
            if full:
                return not (self.gaps_tell and self.gap[i] and not _PUNCTUATION.search(block.text))
            slack = 4.5 if self.lost_indent else 2.5
            if len(block.lines) == 1 and not self.by_length and self._reach(last) >= self.width - slack and (
                    self._reach(i) >= self.width - 1.25 or _word_spans(block.text, text)
                    or ("，" in block.text and self._reach(i) >= self.width - 4.5)):
                return True  # a paragraph's first line whose indentation was lost, followed by a full line
            return (len(block.lines) > 1 or self._is_prose(block.text)) and not self._is_heading(block, i)
        if ended or self.rules.any_item.match(text):
            return False
        if block.text[-1] in _CLOSERS and len(block.text) > 1 and block.text[-2] in _TERMINAL:
            return False
        if self._is_heading(block, i):
            return False
        return self._is_prose(block.text) or len(block.text) >= LONG or text.startswith(self.rules.not_next)

    def _goes_on(self, i: int, live: list[int], p: int) -> bool:
        """Whether the line below continues the sentence of line `i`."""
        if p + 1 >= len(live):
            return False
        after = self.text[live[p + 1]]
        return self.text[i][-1] in "，、（“‘《" or after[0] in "，。、；：）》”’？！" or _word_spans(self.text[i], after)

    def _column(self, block: _Block) -> float:
        """The width of the column a block stands in: columns of one page differ by a character or two."""
        widest = max(self._reach(i) for i in block.lines) if len(block.lines) > 1 else self.width
        return min(max(widest, self.width - 2), self.width)

    def _indent_lost(self) -> bool:
        """Whether first lines of paragraphs are narrower than the others: they were indented, and the blanks are gone.
        Lines below a short line are known to be first lines."""
        reach = [_width(t, False) for t in self.text]
        firsts = [b for a, b in zip(reach, reach[1:], strict=False) if a < self.width - 5 <= b]
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
        if rules.numbered.match(text):
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
            if after[0] in "（(" and not self.rules.any_item.match(after):
                return False
            if after[0] in "，。、；：）》”’？！,.;:)" or after[1:2] in tuple("，。；、：") or (
                    after.startswith(rules.not_next) or _word_spans(text, after)):
                return False
        return not text.replace(" ", "").replace(",", "").replace(".", "").isdigit()

    # -------------------------------------------------------------------------------------------- articles

    def _drafts(self, blocks: list[_Block], titles: dict[int, str]) -> list[_Draft]:
        """Blocks and metadata lines dealt out to articles, in the order of the document."""
        drafts: list[_Draft] = [_Draft()]
        known = self._known_title()
        if known:
            drafts[0].title, drafts[0].title_rule = known, next(r for n, _, r in self.source.fields if n == "title")
        events = sorted([(b.lines[0], 1, b) for b in blocks] + [(i, 0, None) for i in self.meta])
        pending: list[_Block] = []
        for i, is_block, block in events:
            draft = drafts[-1]
            if not is_block:
                draft.fields += self.meta[i]
                draft.lines.append(i)
                continue
            if block.kind == "title":
                rule = titles[block.lines[0]]
                if draft.title is not None or any(b.kind == "body" for b in draft.blocks):
                    drafts.append(_Draft())
                    draft, before = drafts[-1], drafts[-2]
                    while before.blocks and self._trailing_head(before.blocks[-1]):
                        draft.lines += self._as_subtitle(before.blocks.pop())
                elif draft.blocks:
                    for b in draft.blocks:
                        draft.lines += self._as_subtitle(b)
                    draft.blocks = []
                draft.title, draft.title_rule = block.text, rule
                for j in block.lines:
                    self._settle(j, "title", "title_line")
                draft.lines += block.lines
                continue
            draft.blocks.append(block)
        del pending
        for draft in drafts:
            self._shape(draft)
        return [d for d in drafts if d.blocks and any(b.kind != "heading" for b in d.blocks)] or self._none(drafts)

    def _none(self, drafts: list[_Draft]) -> list[_Draft]:
        for draft in drafts:
            for block in draft.blocks:
                for j in block.lines:
                    self._settle(j, "boilerplate", "no_article")
        return []

    def _trailing_head(self, block: _Block) -> bool:
        return len(block.text) <= self.rules.max_heading and not _ended(block.text) and self._is_heading(block, None)

    def _as_subtitle(self, block: _Block) -> list[int]:
        for j in block.lines:
            self._settle(j, "title", "subtitle")
        return block.lines

    def _shape(self, draft: _Draft) -> None:
        """Give a draft its title and tell headings, list items, repeated text, signatures and furniture apart."""
        blocks = draft.blocks
        if draft.title is None:
            labelled = next(((str(v), r) for n, v, r in draft.fields if n == "title"), None)
            if labelled:
                draft.title, draft.title_rule = labelled
            else:
                self._find_title(draft)
        kept: list[_Block] = []
        seen: set[str] = set()
        title_key = _key(draft.title or "")
        for n, block in enumerate(blocks):
            if block.kind == "head":
                self._head_block(block, draft)
                continue
            if draft.title and len(block.text) <= self.rules.max_title + 10:
                rule = self._title_again(block, title_key, n, kept)
                if rule:
                    for j in block.lines:
                        self._settle(j, "title", rule)
                    draft.lines += block.lines
                    continue
            if len(block.lines) > 1 and len(block.text) <= self.rules.max_line:
                found = self.rules.furniture.fullmatch(self._matchable(block.text))
                if found:
                    for j in block.lines:
                        self._settle(j, "boilerplate", found[0])
                    continue
            self._trim(block, draft, first=not kept)
            if not block.text:
                continue
            if self._stands_above(block, seen):
                for j in block.lines:
                    if self.fate[j] is None:
                        self._settle(j, "duplicate", "repeated")
                continue
            kept.append(block)
        for n, block in enumerate(kept):
            following = next((b for b in kept[n + 1 :]), None)
            self._kind(block, kept[n - 1] if n else None, following)
        while kept and kept[-1].kind == "heading" and self.hint[kept[-1].lines[0]] not in ("h", "t"):
            block = kept[-1]
            if not any(b.kind != "heading" for b in kept):
                break
            block.kind = "body"
            break
        draft.blocks = kept
        for block in kept:
            fate, rule = {"heading": ("heading", "heading_line"), "list": ("body", "list_item")}.get(
                block.kind, ("body", "paragraph"))
            for j in block.lines:
                if self.fate[j] is None:
                    self._settle(j, fate, rule)

    def _find_title(self, draft: _Draft) -> None:
        """A title from the running head, or the first line where it reads as one."""
        heads = [h for h in dict.fromkeys(self.heads) if h not in self.columns]
        blocks = draft.blocks
        first = next((b for b in blocks if b.kind != "head"), None)
        if first is None:
            return
        top = len(first.text) <= self.rules.max_title and self._is_title_block(first, blocks)
        if heads and not (top and any(_key(first.text) == _key(h) for h in heads)):
            draft.title, draft.title_rule = heads[0], "running_head"
            if top and _alike(first.text, heads[0]) >= 0.85:
                return
            return
        if top and len(blocks) > 1:
            draft.title, draft.title_rule = first.text, "first_line"
            for j in first.lines:
                self._settle(j, "title", "title_line")
            draft.lines += first.lines
            blocks.remove(first)
        elif self.columns:
            draft.title, draft.title_rule = self.columns[0], "column_head"

    def _is_title_block(self, block: _Block, blocks: list[_Block]) -> bool:
        if self.whole and self.source.source_format in ("json", "jsonl", "table"):
            return False
        text = block.text
        if block.kind == "heading":
            return True
        return (len(text) >= 4 and text[-1] not in "。；，、：" and "。" not in text and len(block.lines) <= 2
                and self.rules.any_item.match(text) is None and blocks[-1] is not block)

    def _head_block(self, block: _Block, draft: _Draft) -> None:
        """A block between the title and the body of a page."""
        fate, rule = "boilerplate", "outside_body"
        if draft.title and _key(block.text) == _key(draft.title):
            fate, rule = "title", "title_again"
        for j in block.lines:
            self._settle(j, fate, rule)

    def _title_again(self, block: _Block, title_key: str, n: int, kept: list[_Block]) -> str:
        key = _key(block.text)
        if not key or not title_key:
            return ""
        if key == title_key:
            return "title_again"
        if self.source.source_format == "plain" and self.heads and not _ended(block.text) and (
                _alike(key, title_key) >= 0.85):
            return "title_again"
        if not kept and block.text.startswith("——"):
            return "subtitle"
        return ""

    def _trim(self, block: _Block, draft: _Draft, first: bool) -> None:
        """Cut datelines, signatures and notes off the ends of a paragraph."""
        rules = self.rules
        if block.text[-1] in "）】)]":
            for _ in range(3):
                tail = block.text[-120:]
                line = self._matchable(tail)
                found = rules.signatures.at_end(line) or rules.ends.at_end(line)
                if not found:
                    break
                rule, m = found
                for name, (a, b) in _spans(m).items():
                    value = tail[a:b].strip()
                    if name == "authors":
                        draft.fields.append(("authors", _people(value, rules), "signature"))
                    else:
                        draft.fields.append((name, value, rule))
                n = len(tail) - m.start()
                block.signed = rule == "signatures"
                fate, name = ("metadata", "signature") if block.signed else ("boilerplate", rule)
                self._take_end(block, n, fate, name, tail[m.start() :])
                if not block.text:
                    return
        head = block.text[:80]
        if "电" in head or "讯" in head or "記者" in head or "记者" in head:
            found = rules.datelines.match(self._matchable(head))
            if found and len(found[1][0]) < len(block.text):
                spans = _spans(found[1])
                if "authors" in spans:
                    draft.fields.append(("authors", _people(head[slice(*spans["authors"])], rules), "dateline"))
                if "publisher" in spans and (value := _unmarked(head[slice(*spans["publisher"])])) and (
                        value not in rules.not_publishers):
                    draft.fields.append(("publisher", value, "dateline"))
                if day := dating.dateline(head):
                    draft.fields.append(("dateline", day, "dateline"))
                n = len(found[1][0])
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

    def _stands_above(self, block: _Block, seen: set[str]) -> bool:
        """Whether every sentence of a block has been read before in this article; notes its sentences."""
        text = block.text
        if len(text) < LONG:
            return False
        parts = [s for s in _SENTENCES.split(text) if len(s) >= 6]
        if text in seen or (parts and sum(map(len, parts)) >= LONG and all(s in seen for s in parts)):
            return True
        seen.add(text)
        seen.update(parts)
        return False

    def _kind(self, block: _Block, before: _Block | None, after: _Block | None) -> None:
        if block.kind == "heading":
            return
        hint = self.hint[block.lines[0]]
        text = block.text
        if block.kind == "body" and hint != "l" and after is not None and not block.signed and self._is_heading(block, None) \
                and (before is None or before.kind == "heading" or _ended(before.text) or before.signed
                     or before.kind == "list" or self._is_heading(before, None)) \
                and not (text[-1] in "！？" and len(text) > 25):
            numbered = next((p for p in self.rules.items if p.match(text)), None)
            if numbered is None or not ((numbered.match(after.text) and not _ended(after.text) and
                                        len(after.text) <= self.rules.max_heading) or
                                        (before is not None and before.kind == "list" and numbered.match(before.text))):
                block.kind = "heading"
                return
        if hint == "l" or self.rules.any_item.match(text):
            block.kind = "list"

    def _articles(self, drafts: list[_Draft]) -> list[Article]:
        source, rules = self.source, self.rules
        form = self._format(len(drafts))
        articles = []
        page_dates = [v for i in sorted(self.meta) for n, v, r in self.meta[i] if n == "date" and r == "page_head"]
        for n, draft in enumerate(drafts):
            article = Article(source.source_file, form, self.position + n if source.position is None else source.position)
            article.paragraphs = [Paragraph(b.text, b.kind) for b in draft.blocks]
            for i in draft.lines:
                self.owner[i] = article.position
            for block in draft.blocks:
                for i in block.lines:
                    self.owner[i] = article.position
            self._fill(article, draft, page_dates)
            articles.append(article)
        if form == "newspaper_page":
            years = {a.year for a in articles if a.year is not None}
            for article in articles:
                if article.year is None and len(years) == 1:
                    article.year, article.rules["year"] = next(iter(years)), "same_page"
                    article.date_basis = "inferred"
        for article in articles:
            body = article.text
            title = article.title or ""
            article.script = script_of(body)
            if article.script == "hant":
                title, body = simplified(title), simplified(body)
            article.scope, article.scope_reason = rules.scope.judge(title, body)
        return articles

    def _format(self, n_articles: int) -> str:
        form = self.source.source_format
        if form != "plain":
            return form
        marked = any(self.text[i][0] in "■●◆▲□◎★" for i in self.meta)
        if marked or n_articles > 1 or any(r == "page_head" for f in self.meta.values() for _, _, r in f):
            return "newspaper_page"
        if self.width and (self.heads or self.columns):
            return "journal"
        return "web_page" if self.web_marks >= 3 else "plain"

    def _fill(self, article: Article, draft: _Draft, page_dates: list[str]) -> None:
        """Title, publisher, authors, address, dates, each with the rule that found it."""
        rules = self.rules
        fields = [f for f in self.source.fields]
        fields += sorted(draft.fields, key=lambda f: _TRUST.get(f[2], 1))
        if draft.title:
            article.title, article.rules["title"] = draft.title.strip(), draft.title_rule
        for name, value, rule in fields:
            if name == "publisher" and article.publisher is None:
                value = _unmarked(str(value))
                if value and value not in rules.not_publishers and len(value) <= 60:
                    article.publisher, article.rules["publisher"] = value, rule
            elif name == "authors" and not article.authors:
                people = value if isinstance(value, list) else _people(str(value), rules)
                if people:
                    article.authors, article.rules["authors"] = people, rule
            elif name == "url" and article.url is None:
                if re.match(r"https?://\S{4,}$", str(value)):
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
        if article.date is None and page_dates and (day := dating.stated_date(page_dates[0])):
            article.date, article.date_basis, article.rules["date"] = day, "stated", "page_head"
        body = "\n".join(p.text for p in article.paragraphs)
        if article.date is None and (day := dating.as_of_date(body)):
            article.date, article.date_basis, article.rules["date"] = day, "inferred", "as_of"
        self._work_year(article, draft, body)

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
        day = next((v for n, v, _ in draft.fields if n == "dateline"), None)
        if article.date is None and day and article.year is not None and day[0] <= 3:
            article.date = dating.iso_date(article.year, *day)
            article.rules["date"] = "dateline_of_work_year"
        if article.date_basis == "unknown" and article.year is not None:
            article.date_basis = "inferred"

    # -------------------------------------------------------------------------------------------- ledger

    def _ledger(self, articles: list[Article]) -> list[LedgerRow]:
        source, rows = self.source, []
        file, text, unit = source.source_file, self.text, source.lines.unit
        first = articles[0].position if articles else None
        single = first if len(articles) == 1 else None
        for i in range(self.size):
            n = source.lines.n[i]
            fate = self.fate[i] or "boilerplate"
            rule = self.rule[i] if self.fate[i] else "unattached"
            for m, other_fate, other_rule, sample in self.cuts.get(i, ()):
                rows.append(LedgerRow(file, unit[i], m, other_fate, self.owner[i], other_rule, sample))
                n -= m
            if n:
                rows.append(LedgerRow(file, unit[i], n, fate, self.owner[i] or single, rule, text[i][:SAMPLE]))
        for at, n, fate, rule, sample in source.settled:
            if n:
                rows.append(LedgerRow(file, at, n, fate, single, rule, sample))
        rows.sort(key=lambda r: r.unit)
        return rows


_TRUST = {"citation_line": 0, "signature": 2, "dateline": 2, "source_note": 3, "page_head": 3, "issue": 4}


# ------------------------------------------------------------------------------------------------- small helpers


def _unmarked(text: str) -> str:
    """A name without the title marks around it."""
    text = text.strip(" \t|｜·")
    inner = text[1:-1]
    return inner.strip() if text[:1] == "《" and text[-1:] == "》" and "》" not in inner else text


def _key(text: str) -> str:
    return re.sub(r"[\s，。：；！？、,.:;!?“”\"'‘’《》（）()—·-]+", "", text)


def _alike(a: str, b: str) -> float:
    from rapidfuzz import fuzz

    return fuzz.ratio(a, b) / 100


def _ended(text: str) -> bool:
    """Whether a text ends where a sentence does."""
    end = text.rstrip(_CLOSERS)
    return not end or end[-1] in _TERMINAL or (text[-1] in "）】)" and end[-1:] in _TERMINAL)


def _word_spans(a: str, b: str) -> bool:
    """Whether a word of the dictionary stands across the end of `a` and the start of `b`."""
    if not ("\u4e00" <= a[-1] <= "\u9fff" and "\u4e00" <= b[0] <= "\u9fff"):
        return False
    left = a[-4:]
    at = 0
    for word in _segmenter().cut(left + b[:4], False):
        if at < len(left) < at + len(word):
            return True
        at += len(word)
    return False


@lru_cache(maxsize=1)
def _segmenter():
    import rjieba

    return rjieba.Jieba()


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


def _wrapping(text: list[str], gap: list[int], hint: list[str], indent: list[bool]) -> tuple[float, bool, bool]:
    """At which width lines were cut: `(width or 0, counted in characters, blank lines tell paragraphs)`.

    Hard-wrapped text has many lines of one width, none that is wider, and most of those break off in mid-sentence.
    """
    mixed = any(indent) and not all(indent)
    lines = ["　　" + t if mixed and d else t for t, h, d in zip(text, hint, indent, strict=True) if h == ""]
    if len(lines) < 2:
        return 0, False, False
    sample = lines[:4000]
    best = (0.0, 0.0, False)
    for by_length in (True, False):
        widths = [_width(t, by_length) for t in sample]
        counts = Counter(int(w + 0.5) for w in widths)
        for top, n in counts.most_common(3):
            if n < 2 or not MIN_WRAP <= top <= MAX_WRAP:
                continue
            low, high = (top, top) if by_length else (top - 1.25, top + 0.75)  # full-width stops may not begin a line
            near = [t for t, w in zip(sample, widths, strict=True) if low <= w <= high]
            wider = sum(w > high + 1 for w in widths)
            torn = sum(t[-1] not in _TERMINAL for t in near)
            share = len(near) / len(sample)
            if n < 3 and not (by_length and top >= LONG - 2 and torn == n):
                continue
            if share >= 0.3 and wider <= 0.1 * len(sample) + (1 if len(sample) < 12 else 0) and torn >= 0.5 * len(near):
                rank = share * torn / len(near) + (0.05 if by_length else 0)
                if rank > best[0]:
                    best = (rank, float(top), by_length)
    if not best[1]:
        return 0, False, False
    gaps = sum(g > 0 for g in gap[1:])
    tell = 0.02 * len(gap) < gaps < 0.8 * len(gap)
    return best[1], best[2], tell


def _people(text: str, rules: Rules) -> list[str]:
    """The names in a byline; two lone characters are one name set wide (`吕　倩`)."""
    names: list[str] = []
    parts = [p for p in _SEPARATED.split(str(text).strip("（）() ")) if p]
    i = 0
    while i < len(parts) and len(names) < 20:
        part = parts[i]
        if len(part) == 1 and i + 1 < len(parts) and len(parts[i + 1]) == 1:
            part, i = part + parts[i + 1], i + 1
        i += 1
        part = re.sub(r"^(?:本报|本刊)?(?:特约|见习|实习)?(?:记者|通讯员|作者|编辑)[:：]?|(?:报道|摄影|整理|/文|等)$", "", part)
        if 2 <= len(part) <= 24 and part not in rules.not_authors and part not in names and (
                not part.endswith(rules.medium_ends) or len(part) <= 3) and not re.search(r"\d|https?:", part):
            names.append(part)
    return names


def _names_and_medium(text: str, rules: Rules) -> list | None:
    """The fields of what stands behind a byline mark: a medium first, then people; other roles are left out."""
    text = re.split(r"\s?(?:图|摄影|制图|编辑|责编|美编|视频|校对|审核)\s?[|｜丨/／:：]", text, maxsplit=1)[0].strip()
    m = re.match(r"《([^《》]{1,20})》\s?(.*)$", text)
    medium, rest = (m[1], m[2]) if m else (None, text)
    rest = re.sub(r"(?:特约|见习|实习|首席|资深)?(?:记者|通讯员|特约撰稿人?|撰稿人?)", " ", rest).strip(" :：")
    parts = [p for p in _SEPARATED.split(rest) if p]
    if len(text) > 50 or any(len(p) > 16 for p in parts) or _PUNCTUATION.search(rest.replace("，", "").replace("、", "")):
        return None
    if medium is None and parts and ((len(parts) > 1 and (len(parts[0]) > 3 or parts[0].endswith(rules.medium_ends)))
                                     or len(parts[0]) > 4):
        medium, parts = parts[0], parts[1:]
    people = _people(" ".join(parts), rules)
    fields: list = []
    if medium and medium not in rules.not_publishers:
        fields.append(("publisher", medium, "byline"))
    if people:
        fields.append(("authors", people, "byline"))
    return fields if fields or medium else None


def _info_line(line: str, text: str, rules: Rules, below_title: bool) -> list | None:
    """What a line of source, authors and date says, or None where the line is something else.

    The whole line must be used up by labels with values, dates and idle words; a bare name is taken for the medium
    where a full date stands beside it below a title.
    """
    labelled = rules.info_label.search(line)
    dates = dating.find_dates(line, months=below_title and len(line) <= 40) if ("20" in line or "19" in line or "二〇" in line) else []
    if (not labelled and not dates) or line[-1] in "。！？；" or "。" in line:
        return None
    fields: list = []
    pieces, at = [], 0
    for d in dates:
        pieces += [line[at : d.start], "\x00" * (d.end - d.start)]
        at = d.end
        fields.append(("date", d.iso, "info_line"))
    masked = "".join(pieces) + line[at:]
    marks = list(rules.info_label.finditer(masked))
    residue = masked[: marks[0].start()] if marks else masked
    for k, m in enumerate(marks):
        end = marks[k + 1].start() if k + 1 < len(marks) else len(masked)
        label = m[1] or m[2] or m[3]
        name = rules.info_labels.get(label, "publisher" if label in ("转自", "来源") else "authors")
        value = masked[m.end() : end]
        cut = re.search(r"\s{2,}|\x00|[|｜·]\s", value)
        if cut:
            residue += " " + value[cut.start() :]
        span = (m.end(), m.end() + (cut.start() if cut else len(value)))
        value = _unmarked(text[slice(*span)])
        idle = rules.idle.search(value)
        if idle and idle.end() == len(value) and name == "publisher":
            value = value[: idle.start()].strip()
        if len(value) > 50 or _STOP.search(value):
            return None
        if label == "文" or label == "撰文":
            found = _names_and_medium(value, rules)
            fields += [(n, v, "info_line") for n, v, _ in found or []]
        elif name == "publisher" and value and value not in rules.not_publishers:
            parts = value.split()
            if len(parts) > 1 and len(value) <= 30 and all(2 <= len(p) <= 3 for p in parts[1:]):
                fields.append(("authors", _people(" ".join(parts[1:]), rules), "info_line"))
                value = parts[0]
            fields.append(("publisher", value, "info_line"))
        elif name == "authors" and value:
            fields.append(("authors", _people(value, rules), "info_line"))
        elif name == "title" and value:
            fields.append(("title", value, "info_line"))
        elif name == "date" and value and not dates and (day := dating.stated_date(value)):
            fields.append(("date", day, "info_line"))
    rest = rules.idle.sub(" ", residue.replace("\x00", " ")).strip(" \t|｜丨/·,，、[]【】()（）:：-—")
    if rest:
        short = len(rest) <= 20 and not _STOPS.search(rest)
        apart = (line[0] in "（(" and line[-1] in "）)") or all(
            (d.start == 0 or line[d.start - 1] in _APART) and (
                d.end == len(line) or line[d.end] in _APART or line[d.end - 1] in _APART) for d in dates)
        if dates and below_title and short and (apart or marks):
            place = line.find(rest)
            if not any(n == "publisher" for n, _, _ in fields):
                name = text[place : place + len(rest)] if place >= 0 else rest
                fields.append(("publisher", name, "name_beside_date"))
        elif not (marks and dates and short):
            return None
    return fields


def _citation(text: str, rules: Rules) -> list | None:
    """The fields of a citation line, `摘编自：媒体｜原题｜日期｜地址｜类别：…｜工作年度：…`, any of them missing."""
    m = re.match(r"[\u4e00-\u9fff]{2,3}\s{0,3}[:：]\s{0,3}", text)
    if not m or ("｜" not in text and "|" not in text and not text.startswith(("摘编自", "摘編自"))):
        return None
    fields: list = []
    loose: list[str] = []
    for part in re.split("[｜|]", text[m.end() :][:4000]):
        part = part.strip()
        if not part:
            continue
        label, sep, value = part.partition("：")
        name = rules.citation_labels.get(simplified(label.strip())) if sep else None
        if name is not None:
            if name:
                fields.append((name, value.strip(), "citation_line"))
        elif part.startswith(("http://", "https://")):
            fields.append(("url", part, "citation_line"))
        elif re.fullmatch(r"(?:19|20)\d\d(?:[-年/.]\d{1,2}(?:[-月/.]\d{1,2}日?|月)?|年)?", part):
            fields.append(("date", part, "citation_line"))
        else:
            loose.append(part)
    if loose and loose[0].startswith("《") and loose[0].endswith("》") and (len(loose) == 1 or len(loose[0]) > 10):
        fields.append(("source_title", loose[0][1:-1], "citation_line"))
    elif loose:
        fields.append(("publisher", loose[0], "citation_line"))
        if len(loose) > 1:
            title = loose[1]
            fields.append(("source_title", title, "citation_line"))
    return fields
