"""What each statement is about, and how binding its wording is: the codebook, and the coder that applies it.

Everything about a theme is data in `codebook/themes.yml`; the head of that file explains how its lines are written.
Here is only how lines are read and matched:

- Text is normalised character by character (width, case, quotation marks, spaces inside Chinese) and every match is
  carried back to its offsets in the statement as it stands.
- The first part of a line is its anchor. Anchors and masks are found by one pass of an automaton over all statements
  of a batch, longest first: an occurrence counts unless it stands inside another one.
- The further parts of a line are conditions on its clause or statement; they are looked up only where the anchor
  stands.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .errors import UserError
from .matching import UNICODE, Strings, outermost
from .model import Article, Attribution, Coding, Statements
from .yamlfile import YamlFile

CLAUSE_ENDS = "，；：。！？,;:!?\n"
QUOTES = "“”‘’\"'「」『』＂＇"
MAX_TERM = 40  # characters: an official term is shorter; a pasted sentence is a mistake
MAX_CLAUSE = 400  # characters before a word: bounds what of its clause is read again
BATCH = 12_000  # statements matched at a time: those of a partition, mostly; bounds memory


@dataclass(frozen=True, slots=True)
class Group:
    """A group of themes; `colour` is the one colour it has in every figure."""

    id: str
    name_zh: str
    name_en: str
    colour: str


@dataclass(frozen=True, slots=True)
class Condition:
    """One further part of a line: `op` is its sign, `within` the N of `+N`, else None."""

    op: str
    words: tuple[str, ...]
    within: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a theme as the analyst wrote it: it codes `theme` where an anchor stands and all conditions hold."""

    theme: int
    text: str
    anchors: tuple[str, ...]
    conditions: tuple[Condition, ...]
    place: int | None = None


@dataclass(frozen=True, slots=True)
class Theme:
    """One theme. `inherit` says whether a statement without a theme may take it over from a title that has exactly
    one: `yes`, `alone` (it gives way to another theme beside it) or `no` (nor does it stand in another's way). Where
    it stands in the same clause as one of `yields_to`, it does not count."""

    code: str
    name_zh: str
    name_en: str
    group: str
    definition_zh: str
    definition_en: str
    include: str
    exclude: str
    include_en: str
    exclude_en: str
    rationale: str
    collisions: str
    inherit: str
    yields_to: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a clause that is not coded: from a word of `first`, or the start of the clause, to one of `last`, or
    the end; when it `enumerates`, only if it lists several things."""

    first: tuple[str, ...]
    last: tuple[str, ...]
    enumerates: bool


@dataclass(frozen=True, slots=True)
class Grade:
    """A grade of binding wording; `rank` 1 is the strongest.

    Attributes:
        terms: words that give it.
        opening: words that give it in a plan, or where they open a clause, but not in a report.
        unless: with one of these words in the statement it is not given.
        quoted: whether words in quotation marks count.
    """

    id: str
    rank: int
    name_zh: str
    name_en: str
    definition_zh: str
    definition_en: str
    terms: tuple[str, ...]
    opening: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    quoted: bool = True


# ---------------------------------------------------------------------------------------------------------------
# Normalisation

def _character_table() -> np.ndarray:
    """What each character of the first plane becomes when it is matched (all others stay what they are); 0 is dropped,
    1 is a space that is dropped unless it parts two Latin words."""
    table = np.arange(0x10000, dtype=np.uint32)
    for code in range(0xFF01, 0xFF5F):  # full width to ASCII
        table[code] = code - 0xFEE0
    for wide in "，；：！？":  # clause ends keep their Chinese form
        table[ord(wide)] = ord(wide)
        table[ord(wide) - 0xFEE0] = ord(wide)
    upper = np.arange(ord("A"), ord("Z") + 1)
    table[upper] = upper + 32
    table[np.arange(0xFF21, 0xFF3B)] = upper + 32
    for mark in QUOTES:
        table[ord(mark)] = 0
    for mark in "×✕✖╳":
        table[ord(mark)] = ord("x")
    for mark in "－—–−":
        table[ord(mark)] = ord("-")
    for mark in "·•・‧":
        table[ord(mark)] = ord("·")
    for code in (*range(0x0A), *range(0x0B, 0x20), 0x7F, 0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF):
        table[code] = 0
    table[0xD800:0xE000] = 0xFFFD  # half a surrogate pair is no character
    for code in (0x09, 0x0B, 0x0C, 0x0D, 0x20, 0xA0, 0x3000, *range(0x2000, 0x200B), 0x202F, 0x205F):
        table[code] = 1
    return table


_TABLE = _character_table()
_HAN_ONLY = re.compile("[\u4e00-\u9fff]+")  # text that is matched as it stands
_CLAUSE_END_CODES = [ord(mark) for mark in CLAUSE_ENDS]
_IS_LATIN, _IS_PART_END = np.zeros((2, UNICODE), dtype=bool)
_IS_LATIN[[*range(0x30, 0x3A), *range(0x61, 0x7B)]] = True
_IS_PART_END[_CLAUSE_END_CODES] = True
_IS_PART_END[[ord("，"), ord(",")]] = False


# what a character is that is no mere text, above its code
_CODE, _ENDS_CLAUSE, _MARKS_TITLE, _DROPPED = 0xFFFFFF, 1 << 24, 2 << 24, 3 << 24
_KIND = np.zeros(len(_TABLE), dtype=np.uint32)
_KIND[_CLAUSE_END_CODES] = _ENDS_CLAUSE
_KIND[[ord("《"), ord("》")]] = _MARKS_TITLE
_KIND[:2] = _DROPPED
_KINDS_AND_CODES = _KIND[_TABLE] | _TABLE


def normalised(text: str) -> tuple[str, np.ndarray]:
    """The text as it is matched, and for each of its characters the offset it had in `text`."""
    raw = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    codes, dropped, _, _ = _normalised_codes(raw)
    return _string(codes), np.delete(np.arange(len(raw)), dropped)


def _string(codes: np.ndarray) -> str:
    return codes.tobytes().decode("utf-32-le")


def _normalised_codes(raw: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The characters as they are matched, the offsets of those that were dropped, and where among the others the marks
    of clauses and titles stand, and their kind."""
    codes = _KINDS_AND_CODES.take(raw, mode="clip")
    if raw.max(initial=0) >= len(_TABLE):
        beyond = raw >= len(_TABLE)
        codes[beyond] = raw[beyond]
    marks = (codes > _CODE).nonzero()[0]
    kind = codes.take(marks)
    codes &= _CODE
    is_dropped = kind > _DROPPED - 1
    kind &= ~np.uint32(_CODE)
    spaces = (is_dropped & (codes.take(marks) == 1)).nonzero()[0]
    if len(spaces):
        at = marks.take(spaces)
        inner = (at > 0) & (at < len(codes) - 1)
        inner[inner] = _IS_LATIN[codes[at[inner] - 1]] & _IS_LATIN[codes[at[inner] + 1]]
        codes[at[inner]] = 32
        is_dropped[spaces[inner]] = False
        kind[spaces[inner]] = 0
    dropped = marks[is_dropped]
    if not len(dropped):
        return codes, dropped, marks, kind
    keep = np.ones(len(codes), dtype=bool)
    keep[dropped] = False
    return codes[keep], dropped, (marks - is_dropped.cumsum())[~is_dropped], kind[~is_dropped]


def _term(text: str) -> str:
    return text if _HAN_ONLY.fullmatch(text) else normalised(text)[0]


# ---------------------------------------------------------------------------------------------------------------
# Reading the codebook

class _Reader:
    """Reads values of a YAML file and refuses, with the line, what is not as it should be."""

    def __init__(self, file: YamlFile):
        self.file = file

    def mapping(self, value: Any, keys: tuple, required: Sequence[str], optional: Sequence[str] = ()) -> dict:
        if not isinstance(value, dict):
            raise self.file.error("a block of “key: value” lines is expected here", *keys)
        for key in value:
            if key not in required and key not in optional:
                raise self.file.error(f"the key “{key}” is not known here; known are "
                                      f"{', '.join((*required, *optional))}", *keys, key)
        for key in required:
            if key not in value:
                raise self.file.error(f"the key “{key}” is missing", *keys)
        return value

    def string(self, value: Any, keys: tuple, empty: bool = False) -> str:
        if not isinstance(value, str) or not (empty or value.strip()):
            raise self.file.error(f"a text is expected here, not {value!r} (put numbers, yes and no in quotes)", *keys)
        return " ".join(value.split())

    def strings(self, value: Any, keys: tuple) -> list[str]:
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.file.error("a list is expected here, one “- …” a line or [a, b, c]", *keys)
        return [self.string(item, (*keys, i)) for i, item in enumerate(value)]

    def word(self, text: str, keys: tuple) -> str:
        out = _term(text)
        if not out:
            raise self.file.error(f"“{text}” has nothing to match once quotes and spaces are ignored", *keys)
        if "\n" in out or len(out) > MAX_TERM:
            raise self.file.error(f"“{text[:20]}…” is longer than the {MAX_TERM} characters a term may have", *keys)
        return out

    def words(self, value: Any, keys: tuple) -> tuple[str, ...]:
        out: dict[str, None] = {}
        for i, text in enumerate(self.strings(value, keys)):
            word = self.word(text, (*keys, i))
            if word in out:
                raise self.file.error(f"“{text}” stands twice in this list; keep one", *keys, i)
            out[word] = None
        return tuple(out)


class _Lines:
    """Reads lines of the rule language: `anchor/anchor + word/word - word`."""

    def __init__(self, reader: _Reader, lists: dict[str, tuple[str, ...]]):
        self.reader, self.lists = reader, lists

    def alternatives(self, text: str, keys: tuple) -> tuple[str, ...]:
        out: dict[str, None] = {}
        for part in text.split("/"):
            name = part.strip()
            if name.startswith("@"):
                if name[1:] not in self.lists:
                    raise self.reader.file.error(f"there is no list “{name[1:]}” under lists", *keys)
                out.update(dict.fromkeys(self.lists[name[1:]]))
            elif not name:
                raise self.reader.file.error("an alternative beside “/” is empty", *keys)
            else:
                out[self.reader.word(name, keys)] = None
        return tuple(out)

    def line(self, text: str, theme: int, keys: tuple) -> Line:
        parts = re.split(r"\s+([-+&!]\d*)\s+", text)
        if re.match(r"^[-+&!]\d*\s", text) or re.search(r"\s[-+&!]\d*$", text):
            raise self.reader.file.error(f"“{text}” has an operator with nothing on one side", *keys)
        conditions = []
        for op, words in zip(parts[1::2], parts[2::2], strict=True):
            if len(op) > 1 and op[0] != "+":
                raise self.reader.file.error(f"“{op}”: only + takes a number (“+8”: at most 8 characters away)", *keys)
            conditions.append(Condition(op[0], self.alternatives(words, keys), int(op[1:]) if len(op) > 1 else None))
        return Line(theme, text, self.alternatives(parts[0], keys), tuple(conditions), self.reader.file.line(*keys))

    def lines(self, value: Any, theme: int, keys: tuple) -> list[Line]:
        out: list[Line] = []
        seen: set[str] = set()
        for i, text in enumerate(self.reader.strings(value, keys)):
            if text in seen:
                raise self.reader.file.error(f"“{text}” stands twice in this list; keep one", *keys, i)
            seen.add(text)
            out.append(self.line(text, theme, (*keys, i)))
        return out


_THEME_TEXTS = ("code", "name_zh", "name_en", "group", "definition_zh", "definition_en", "include", "exclude",
                "include_en", "exclude_en", "rationale", "collisions")
_INHERIT = {True: "yes", False: "no", "yes": "yes", "no": "no", "alone": "alone"}


def _read_themes(file: YamlFile) -> dict[str, Any]:
    read = _Reader(file)
    top = read.mapping(file.data, (), ("groups", "themes"),
                       ("lists", "masks", "passing", "aside", "guards", "carry", "background"))
    groups = []
    for i, item in enumerate(_items(read, top, "groups")):
        keys = ("groups", i)
        item = read.mapping(item, keys, ("id", "name_zh", "name_en", "colour"))
        group = Group(*(read.string(item[k], (*keys, k)) for k in ("id", "name_zh", "name_en", "colour")))
        if not re.fullmatch(r"#[0-9A-Fa-f]{6}", group.colour):
            raise file.error(f"the colour “{group.colour}” is not written as \"#RRGGBB\"", *keys, "colour")
        if group.id in (g.id for g in groups):
            raise file.error(f"the group “{group.id}” stands twice", *keys, "id")
        groups.append(group)

    lists: dict[str, tuple[str, ...]] = {}
    for name in read.mapping(top.get("lists") or {}, ("lists",), tuple(top.get("lists") or ())):
        lists[str(name)] = read.words(top["lists"][name], ("lists", name))
    lines = _Lines(read, lists)

    spans: dict[str, list[Span]] = {"passing": [], "aside": []}
    for key, found in spans.items():
        for i, text in enumerate(read.strings(top.get(key), (key,))):
            ends = [part.strip() for part in text.split("…")]
            if len(ends) != 2 or not any(ends):
                raise file.error(f"“{text}” is not written as “聚焦 … 等领域”: a first word, …, a last word; "
                                 "one of them may be missing", key, i)
            first, last = (lines.alternatives(end, (key, i)) if end else () for end in ends)
            found.append(Span(first, last, key == "passing"))

    guards = read.mapping(top.get("guards") or {}, ("guards",), (), ("before", "anywhere"))
    before = read.words(guards.get("before"), ("guards", "before"))
    anywhere = read.words(guards.get("anywhere"), ("guards", "anywhere"))

    themes: list[Theme] = []
    codes = [item.get("code") if isinstance(item, dict) else None for item in _items(read, top, "themes")]
    for i, item in enumerate(top["themes"]):
        keys = ("themes", i)
        item = read.mapping(item, keys, ("code", "name_zh", "name_en", "group", "definition_zh", "definition_en"),
                            (*_THEME_TEXTS[6:], "inherit", "yields_to", "terms", "pairs", "unless"))
        texts = {k: read.string(item[k], (*keys, k)) if item.get(k) is not None else "" for k in _THEME_TEXTS}
        if not re.fullmatch(r"[a-z][a-z0-9_]*", texts["code"]) or texts["code"] in ("all", "none"):
            raise file.error(f"the code “{texts['code']}” is not a word of a-z, 0-9 and _ (all and none are taken)",
                             *keys, "code")
        if codes.index(texts["code"]) != i:
            raise file.error(f"the code “{texts['code']}” stands twice", *keys, "code")
        if texts["group"] not in (g.id for g in groups):
            raise file.error(f"there is no group “{texts['group']}” under groups", *keys, "group")
        inherit = item.get("inherit", "yes")
        if not isinstance(inherit, (bool, str)) or inherit not in _INHERIT:
            raise file.error("inherit is yes, alone or no", *keys, "inherit")
        yields_to = tuple(read.strings(item.get("yields_to"), (*keys, "yields_to")))
        for j, code_ in enumerate(yields_to):
            if code_ not in codes or code_ == texts["code"]:
                raise file.error(f"there is no other theme with the code “{code_}”; write one that there is", *keys,
                                 "yields_to", j)
        unless = read.words(item.get("unless"), (*keys, "unless"))
        always = (Condition("-", unless),) if unless else ()
        found = []
        for j, word in enumerate(read.words(item.get("terms"), (*keys, "terms"))):
            place = file.line(*keys, "terms", j)
            found.append(Line(i, str(item["terms"][j]), (word,), always, place))
        for line in lines.lines(item.get("pairs"), i, (*keys, "pairs")):
            found.append(Line(i, line.text, line.anchors, line.conditions + always, line.place))
        themes.append(Theme(**texts, inherit=_INHERIT[inherit], yields_to=yields_to, lines=tuple(found)))

    return {
        "groups": tuple(groups), "themes": tuple(themes), "masks": read.words(top.get("masks"), ("masks",)),
        "passing": (*spans["passing"], *spans["aside"]), "guards_before": before, "guards_anywhere": anywhere,
        "carry": read.words(top.get("carry"), ("carry",)),
        "background": tuple(lines.lines(top.get("background"), -1, ("background",))),
    }


def _read_deontic(file: YamlFile) -> dict[str, Any]:
    read = _Reader(file)
    top = read.mapping(file.data, (), ("grades",), ("masks", "report", "plan", "adverbs", "agents"))
    grades: list[Grade] = []
    taken: dict[str, str] = {}
    texts = ("id", "name_zh", "name_en", "definition_zh", "definition_en")
    for i, item in enumerate(_items(read, top, "grades")):
        keys = ("grades", i)
        item = read.mapping(item, keys, (*texts, "terms"), ("opening", "unless", "quoted"))
        values = {k: read.string(item[k], (*keys, k)) for k in texts}
        if values["id"] in (g.id for g in grades):
            raise file.error(f"the grade “{values['id']}” stands twice", *keys, "id")
        words = {k: read.words(item.get(k), (*keys, k)) for k in ("terms", "opening", "unless")}
        for key in ("terms", "opening"):
            for j, term in enumerate(words[key]):
                if term in taken:
                    raise file.error(f"“{term}” is already a term of “{taken[term]}”; keep one", *keys, key, j)
                taken[term] = values["id"]
        quoted = item.get("quoted", True)
        if not isinstance(quoted, bool):
            raise file.error("quoted is yes or no", *keys, "quoted")
        grades.append(Grade(rank=i + 1, quoted=quoted, **words, **values))
    lists = {key: read.words(top.get(key), (key,)) for key in ("masks", "report", "plan", "adverbs", "agents")}
    for i, mask in enumerate(lists["masks"]):
        if mask in taken:
            raise file.error(f"“{mask}” is both a mask and a term of “{taken[mask]}”; keep one", "masks", i)
    return {"grades": tuple(grades), "deontic_masks": lists.pop("masks"), **lists}


def _items(read: _Reader, top: dict, key: str) -> list:
    if not isinstance(top[key], list) or not top[key]:
        raise read.file.error(f"{key} is a list with at least one “- …”", key)
    return top[key]


@dataclass
class Codebook:
    """The themes and the grades of binding wording of one codebook folder.

    Attributes:
        themes: in the order of the file.
        groups: of themes, with their colours.
        grades: of binding wording, strongest first.
        masks: strings that hide what lies within them.
        passing: parts of a clause that only name topics, or what is mentioned by the way.
        guards_before, guards_anywhere: words that turn a match into a guarded one.
        carry: words; a statement that opens with one refers to the statement before it.
        background: lines; a statement that meets one inherits nothing.
        deontic_masks: strings that hide what lies within them from the grades.
        report, plan: words of a statement that reports, or that says what is to be done.
        adverbs: words that may stand before a word that opens a clause.
        agents: words that end the name of whose task it is: behind them a word opens a clause too.
        folder: where it was read from.
    """

    themes: tuple[Theme, ...]
    groups: tuple[Group, ...]
    grades: tuple[Grade, ...]
    masks: tuple[str, ...] = ()
    passing: tuple[Span, ...] = ()
    guards_before: tuple[str, ...] = ()
    guards_anywhere: tuple[str, ...] = ()
    carry: tuple[str, ...] = ()
    background: tuple[Line, ...] = ()
    deontic_masks: tuple[str, ...] = ()
    report: tuple[str, ...] = ()
    plan: tuple[str, ...] = ()
    adverbs: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    folder: Path = field(default_factory=Path)

    @classmethod
    def load(cls, codebook_dir: str | Path) -> Codebook:
        """Read `themes.yml` and `deontic.yml` of a codebook folder.

        Raises:
            UserError: a file is missing or a line of it is not as the head of `themes.yml` says; names the line.
        """
        folder = Path(codebook_dir)
        if not folder.is_dir():
            raise UserError("there is no such codebook folder", folder)
        return cls(**_read_themes(YamlFile(folder / "themes.yml")), **_read_deontic(YamlFile(folder / "deontic.yml")),
                   folder=folder)

    def __getstate__(self) -> dict:
        return {k: v for k, v in self.__dict__.items() if k != "matcher"}

    @cached_property
    def matcher(self) -> _Matcher:
        return _Matcher(self)


# ---------------------------------------------------------------------------------------------------------------
# Matching: everything that concerns all statements of a batch is done on arrays, for a statement's share of the work
# must stay far below that of segmenting it

_ENUMERATES = re.compile("[、和与及或]").search
_LINE_FEED = ord("\n")
_IS_OPENING_QUOTE, _IS_CLOSING_QUOTE = np.zeros((2, UNICODE), dtype=bool)
_IS_OPENING_QUOTE[[ord(mark) for mark in "“「『"]] = True
_IS_CLOSING_QUOTE[[ord(mark) for mark in "”」』"]] = True
_TITLE_OPEN = ord("《")


def _joined(texts: Sequence[str]) -> np.ndarray:
    """The characters of the texts, and a line feed behind each."""
    return np.frombuffer(("\n".join(texts) + "\n").encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


class _Batch:
    """Normalised texts, joined by line feeds.

    Attributes:
        n: how many texts.
        codes: their characters, and a line feed behind each.
        starts: where each text begins in `codes`.
        ends: where the clauses end in `codes`.
        clause: of each character, the number of its clause.
        text_of: of each clause, the number of its text.
    """

    def __init__(self, texts: Sequence[str]):
        self.n = len(texts)
        raw = _joined(texts)
        if np.count_nonzero(raw == _LINE_FEED) != len(texts):
            raw = _joined([text.replace("\n", " ") for text in texts])
        self.codes, dropped, marks, kind = _normalised_codes(raw)
        self._dropped = raw[dropped]
        self._gaps = dropped - np.arange(len(dropped))  # before which characters of `codes` they stood
        self.ends, self._title_marks = marks[kind == _ENDS_CLAUSE], marks[kind == _MARKS_TITLE]
        self.clause = np.arange(len(self.ends), dtype=np.int32).repeat(np.diff(self.ends, prepend=-1))
        closing = self.codes.take(self.ends) == _LINE_FEED
        breaks = self.ends[closing][:-1]
        self.starts = np.concatenate(([0], breaks + 1))
        self.text_of = np.cumsum(closing)
        self.text_of[closing] -= 1
        self._origins = np.concatenate(([0], self._before(breaks) + 1))

    def clauses(self, number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where clauses begin and end."""
        return np.where(number > 0, self.ends[number - 1] + 1, 0), self.ends[number]

    @cached_property
    def _whole(self) -> str:
        return _string(self.codes)

    def string(self, start: int, end: int) -> str:
        """The characters from `start` to `end`."""
        return self._whole[start:end]

    def text(self, number: int) -> str:
        """The normalised text of this number."""
        following = self.starts[number + 1] if number + 1 < self.n else len(self.codes)
        return self.string(self.starts[number], following - 1)

    def _ends_clause(self, offsets: np.ndarray) -> np.ndarray:
        """Whether a clause ends with each of these characters of `codes`."""
        return _KIND.take(self.codes.take(offsets), mode="clip") == _ENDS_CLAUSE

    def _before(self, offsets: np.ndarray) -> np.ndarray:
        """Offsets in `codes` as they were in the joined texts before normalisation."""
        return offsets + self._gaps.searchsorted(offsets, side="right")

    def origin(self, offsets: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """For offsets in `codes`, in texts of these numbers, those in the text as it stood before normalisation."""
        return self._before(offsets) - self._origins[numbers]

    def between(self, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which of these offsets in `codes` lie in quotation marks that make a name of what they hold, and which in the
        title of a document. What opens a clause and either goes over several or ends its text is speech, no name."""
        opens, closes = _IS_OPENING_QUOTE.take(self._dropped), _IS_CLOSING_QUOTE.take(self._dropped)
        quotes = (opens | closes).nonzero()[0]
        titles = self._title_marks
        out = []
        for at, is_open in ((self._gaps[quotes], opens[quotes]), (titles, self.codes[titles] == _TITLE_OPEN)):
            # a pair is an opening mark followed by a closing one, in the same text
            text = self.text_of[self.clause[at]]
            first = (is_open[:-1] & ~is_open[1:] & (text[:-1] == text[1:])).nonzero()[0]
            opened, closed = at[first], at[first + 1]
            if not out:
                begins = (opened == 0) | self._ends_clause(opened - 1)
                over = self.clause[np.maximum(closed - 1, opened)] > self.clause[opened]
                behind = self.codes[np.minimum(closed + 1, len(self.codes) - 1)]
                last = self._ends_clause(closed) & (behind == _LINE_FEED) | (self.codes[closed] == _LINE_FEED)
                named = ~(begins & (over | last))
                opened, closed = opened[named], closed[named]
            opened, closed = (np.concatenate(([0], marks)) for marks in (opened, closed))
            out.append(offsets < closed[opened.searchsorted(offsets, side="right") - 1])
        return out[0], out[1]


def _rows(pairs: Iterable[tuple[int, int]], n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lists of numbers as arrays: where each of the `n` begins, how long it is, and all of them in turn.

    Args:
        pairs: the number of a list, and an entry of it; the entries of a list in their order.
    """
    of, entries = np.array([*pairs], dtype=np.int64).reshape(-1, 2).T
    count = np.bincount(of, minlength=n)
    return np.cumsum(count) - count, count, entries[of.argsort(kind="stable")]


def _expanded(rows: tuple[np.ndarray, np.ndarray, np.ndarray], which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The entries of the lists of these numbers: the place in `which` each belongs to, and the entry."""
    first, count, entries = rows
    n = count.take(which)
    owner = np.arange(len(which)).repeat(n)
    return owner, entries.take(np.arange(len(owner)) + (first.take(which) - n.cumsum() + n).take(owner))


class _Kinds:
    """Kinds of strings that are looked for, a bit each: what is found is looked at once for all of them.

    Attributes:
        of: the kinds of each string.
    """

    def __init__(self, strings: Strings):
        self._strings, self._n = strings, 0
        self.of = np.zeros(len(strings.strings), dtype=np.uint16)

    def new(self, words: Iterable[str]) -> np.uint16:
        """A new kind: that of these words."""
        kind = np.uint16(1 << self._n)
        self._n += 1
        self.of[[self._strings.number[word] for word in words]] |= kind
        return kind


class _Scan:
    """All strings that a codebook looks for, as found in a batch: from the left, the longest first.

    Attributes:
        number, start, end: of each string found.
        kinds: its kinds.
        clause: that it starts in.
        anchors: the places among them where an anchor of a theme stands that is inside no other one and in no mask.
        codes: the characters of the batch; those of masks are 0.
    """

    def __init__(self, batch: _Batch, strings: Strings, kinds: _Kinds, anchor: np.uint16, mask: np.uint16):
        self.batch = batch
        self.number, self.start, self.end = strings.find(batch.codes)
        self.kinds = kinds.of.take(self.number)
        self.clause = batch.clause.take(self.start)
        self.anchors, self.codes = self.outermost(anchor | mask), batch.codes
        is_anchor = self.kinds.take(self.anchors) & anchor > 0
        if not is_anchor.all():
            masks, self.anchors = self.anchors[~is_anchor], self.anchors[is_anchor]
            self.codes = batch.codes.copy()
            for start, end in zip(self.start[masks].tolist(), self.end[masks].tolist(), strict=True):
                self.codes[start:end] = 0

    def of(self, kinds: np.uint16) -> np.ndarray:
        """The places of the strings of any of these kinds, from the left."""
        return (self.kinds & kinds > 0).nonzero()[0]

    def outermost(self, kinds: np.uint16) -> np.ndarray:
        """The places of the strings of these kinds that are inside no other one of them: from the left."""
        at = self.of(kinds)
        return at.take(outermost(self.end.take(at)))

    def shown(self, at: np.ndarray) -> np.ndarray:
        """Whether the string at each of these places neither begins nor ends in a mask."""
        return (self.codes.take(self.start.take(at)) > 0) & (self.codes.take(self.end.take(at) - 1) > 0)


class _WordLists:
    """Lists of words, and which of them have a word in a clause or a text."""

    def __init__(self, lists: Sequence[tuple[str, ...]], strings: Strings, kinds: _Kinds):
        # of each string, the lists it is on, as bits
        self.lists_of = np.zeros((len(strings.strings), -(-len(lists) // 64)), dtype=np.uint64)
        word, number = np.array([(strings.number[word], number) for number, words in enumerate(lists)
                                 for word in words], dtype=np.int64).reshape(-1, 2).T
        np.bitwise_or.at(self.lists_of, (word, number >> 6), np.uint64(1) << (number & 63).astype(np.uint64))
        self.listed = kinds.new(word for words in lists for word in words)

    def stand(self, scan: _Scan, text_of: np.ndarray | None, asked: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Whether a word of the list `which` stands in the clause `asked` (or in its text, when that of each clause is
        given), for each pair of them."""
        asked = asked if text_of is None else text_of.take(asked)
        wanted = np.zeros(len(scan.batch.ends), dtype=bool)
        wanted[asked] = True
        at = scan.of(self.listed)
        unit = scan.clause.take(at) if text_of is None else text_of.take(scan.clause.take(at))
        here = wanted.take(unit).nonzero()[0]
        at, unit = at.take(here), unit.take(here)
        here = scan.shown(at)
        if not here.all():
            at, unit = at[here], unit[here]
        if not len(at):
            return np.zeros(len(asked), dtype=bool)
        # words stand in the order of the text: those of a unit side by side
        first = np.concatenate(([True], unit[1:] != unit[:-1])).nonzero()[0]
        lists = np.bitwise_or.reduceat(self.lists_of.take(scan.number.take(at), axis=0), first, axis=0)
        row = np.full(len(wanted), -1, dtype=np.int32)
        row[unit.take(first)] = np.arange(len(first))
        row = row.take(asked)
        bits = lists[row, which >> 6] >> (which & 63).astype(np.uint64) & np.uint64(1)
        return (bits > 0) & (row >= 0)


def _is_looked_for(condition: Condition) -> bool:
    """Whether its words are looked for in all texts: not if they must be near the anchor and are as short as digits,
    which stand everywhere."""
    return condition.within is None or min(map(len, condition.words)) > 1


class _LineMatcher:
    """Finds where lines hold in many texts at once."""

    def __init__(self, lines: Sequence[Line], strings: Strings, kinds: _Kinds):
        self.lines_of = _rows(((strings.number[anchor], number) for number, line in enumerate(lines)
                               for anchor in line.anchors), len(strings.strings))
        self.anchor = kinds.new(anchor for line in lines for anchor in line.anchors)
        self.levels = []
        for ops in ("+-", "&!"):  # of the clause, of the text
            asked = [(number, c) for number, line in enumerate(lines)
                     for c in line.conditions if c.op in ops and _is_looked_for(c)]
            number_of = {words: number for number, words in enumerate(dict.fromkeys(c.words for _, c in asked))}
            # twice the number of the list, and one more where it must not stand
            self.levels.append((_WordLists(list(number_of), strings, kinds), _rows(
                ((number, 2 * number_of[c.words] + (c.op in "-!")) for number, c in asked), len(lines))))
        # words near the anchor stand in its clause as well; how near is read in the text, where all else holds
        self.near = [[(c.within, _search(c.words)) for c in line.conditions if c.within is not None] for line in lines]
        self.is_near = np.array([bool(near) for near in self.near], dtype=bool)

    def read(self, scan: _Scan, anchors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where lines hold: of the anchors, which are places in the scan, those that count, and the line."""
        owner, line = _expanded(self.lines_of, scan.number[anchors])
        at = anchors[owner]
        holds = np.ones(len(at), dtype=bool)
        clause = scan.clause[at]
        for (words, conditions), text_of in zip(self.levels, (None, scan.batch.text_of), strict=True):
            still = holds.nonzero()[0]
            owner, asked = _expanded(conditions, line[still])
            if len(owner):
                owner = still[owner]
                stands = words.stand(scan, text_of, clause[owner], asked >> 1)
                holds[owner[stands == (asked & 1)]] = False
        near = (holds & self.is_near[line]).nonzero()[0]
        text = _string(scan.codes) if len(near) else ""
        lefts, rights = scan.batch.clauses(clause[near])
        for k, number, start, end, left, right in zip(
                near.tolist(), line[near].tolist(), scan.start[at[near]].tolist(), scan.end[at[near]].tolist(),
                lefts.tolist(), rights.tolist(), strict=True):
            for within, search in self.near[number]:
                if not search(text, max(left, start - within), start) and not search(
                        text, end, min(right, end + within)):
                    holds[k] = False
                    break
        return at[holds], line[holds]


@dataclass(slots=True)
class _Found:
    """The matches of a batch that count, as parallel arrays, from the left: the number of the `text`, the `theme`,
    where in the batch the match starts and ends, its `clause`, and the number of the `line`. `guarded` holds, by the
    number of a text, the themes that only a negation or a quotation gives."""

    text: np.ndarray
    theme: np.ndarray
    start: np.ndarray
    end: np.ndarray
    clause: np.ndarray
    line: np.ndarray
    guarded: dict[int, list[int]] = field(default_factory=dict)

    def only(self, keep: np.ndarray | slice) -> _Found:
        return _Found(*(getattr(self, name)[keep] for name in ("text", "theme", "start", "end", "clause", "line")),
                      self.guarded)


class _Grader:
    """Finds how binding the wording of texts is."""

    ADVERBS = 4  # that may stand one behind the other
    LEAD = 24  # characters of a clause that leads up to one, with its comma

    def __init__(self, book: Codebook, strings: Strings, kinds: _Kinds):
        self.n_grades = len(book.grades)
        self.gives = np.zeros(len(strings.strings), dtype=np.int64)
        # bits: of each grade, that a word of it stands there, that one does which must open a clause, and that one
        # does which takes it back
        self.opening = self.unquoted = 0
        for rank, grade in enumerate(book.grades):
            for bit, words in ((1, grade.terms), (2, grade.opening), (4, grade.unless)):
                for word in words:
                    self.gives[strings.number[word]] |= bit << 3 * rank
            self.opening |= 2 << 3 * rank
            self.unquoted |= 0 if grade.quoted else 7 << 3 * rank
        graded = [word for grade in book.grades for word in (*grade.terms, *grade.opening, *grade.unless)]
        self.word, self.report, self.plan, self.adverb, self.agent = map(kinds.new, (
            (*book.deontic_masks, *book.report, *graded), book.report, book.plan, book.adverbs, book.agents))

    def read(self, scan: _Scan) -> np.ndarray:
        """For each text the strongest grade of binding wording in it that its report does not take back, as its place
        among the grades; where there is none, how many there are."""
        batch = scan.batch
        at = scan.outermost(self.word)
        plan = scan.of(self.plan)
        quoted, titled = batch.between(scan.start[np.concatenate((at, plan))])
        plan = plan[~(quoted | titled)[len(at):]]
        quoted, titled = quoted[:len(at)], titled[:len(at)]
        bits = self.gives[scan.number[at]]
        bits[quoted] &= ~self.unquoted
        bits[titled] = 0
        text = batch.text_of[scan.clause[at]]
        planned, reported = np.zeros(batch.n, dtype=bool), np.zeros(batch.n, dtype=bool)
        planned[batch.text_of[scan.clause[plan]]] = True
        reported[text[(scan.kinds[at] & self.report > 0) & ~quoted & ~titled]] = True
        given = np.zeros(batch.n, dtype=np.int64)
        if len(at):
            # words that must open a clause count nowhere in a report, and anywhere in a plan
            bits[reported[text]] &= ~self.opening
            opening = ((bits & self.opening > 0) & ~planned[text]).nonzero()[0]
            bits[opening[~self._opens(scan, at[opening])]] &= ~self.opening
            first = np.concatenate(([True], text[1:] != text[:-1])).nonzero()[0]
            given[text[first]] = np.bitwise_or.reduceat(bits, first)
        grade = np.full(batch.n, self.n_grades)
        for rank in reversed(range(self.n_grades)):
            of_grade = given >> 3 * rank & 7
            grade[(of_grade > 0) & (of_grade < 4)] = rank
        return grade

    def _opens(self, scan: _Scan, at: np.ndarray) -> np.ndarray:
        """Which of these places of the scan open a clause: nothing but adverbs stands before them in it, or before
        these an agent, and before that in the sentence or its part only clauses opened in the same way and short ones,
        which lead up to them."""
        batch = scan.batch
        opens = np.zeros(len(batch.codes) + 1, dtype=bool)
        opens[0] = True
        opens[batch.ends + 1] = True
        opens[scan.end[scan.of(self.agent)]] = True
        adverbs = scan.of(self.adverb)
        start, end = scan.start[adverbs], scan.end[adverbs]
        for _ in range(self.ADVERBS):
            opens[end[opens[start]]] = True
        opening = opens[scan.start[at]]
        lasts = np.diff(batch.ends, prepend=-1) > self.LEAD
        lasts[scan.clause[at[opening]]] = False
        bars = np.cumsum(lasts)  # clauses that bar those behind them, up to and with each
        begins = np.concatenate(([True], np.take(_IS_PART_END, batch.codes[batch.ends])[:-1]))
        before = np.maximum.accumulate(np.where(begins, bars - lasts, 0))  # before the part of the sentence
        clause = scan.clause[at]
        return opening & (bars[clause] - lasts[clause] == before[clause])


class _Matcher:
    """A codebook made ready for coding."""

    def __init__(self, book: Codebook):
        self.all_lines = [line for theme in book.themes for line in theme.lines]
        guards = {*book.guards_before, *book.guards_anywhere}
        grade_words = [word for grade in book.grades for word in (*grade.terms, *grade.opening, *grade.unless)]
        self.strings = Strings([
            *(string for line in (*self.all_lines, *book.background) for words in (
                line.anchors, *(c.words for c in line.conditions if _is_looked_for(c))) for string in words),
            *book.masks, *(word for span in book.passing for word in span.last or span.first), *guards, *book.carry,
            *book.deontic_masks, *book.report, *book.plan, *book.adverbs, *book.agents,
            *grade_words])
        kinds = self.kinds = _Kinds(self.strings)
        self.lines = _LineMatcher(self.all_lines, self.strings, kinds)
        self.background = _LineMatcher(book.background, self.strings, kinds)
        self.mask, self.carry, self.guard = map(kinds.new, (book.masks, book.carry, guards))
        self.grader = _Grader(book, self.strings, kinds)
        self.theme = np.array([line.theme for line in self.all_lines], dtype=np.int64)
        index = {theme.code: i for i, theme in enumerate(book.themes)}
        self.yields = [(i, np.isin(np.arange(len(index)), [index[code] for code in theme.yields_to]))
                       for i, theme in enumerate(book.themes) if theme.yields_to]
        self.inherit = np.array([theme.inherit for theme in book.themes])
        self.guard_before = _search(book.guards_before)
        self.guard_anywhere = _search(book.guards_anywhere)
        # The words that may take matches away again, by their number: whether each is a guard word, and for each span
        # that it closes the span and the search for what opens it (None: the start of the clause), or that it opens
        # when nothing closes it but the end of the clause.
        self.cautions: dict[int, tuple[bool, list[tuple[Span, Any]]]] = {
            self.strings.number[word]: (True, []) for word in guards}
        for span in book.passing:
            for word in span.last or span.first:
                self.cautions.setdefault(self.strings.number[word], (False, []))[1].append(
                    (span, _search(span.first) if span.last else None))
        self.caution = kinds.new(self.strings.strings[number] for number in self.cautions)

    def scan(self, batch: _Batch) -> _Scan:
        return _Scan(batch, self.strings, self.kinds, self.lines.anchor, self.mask)

    def read(self, scan: _Scan) -> _Found:
        """The matches of a batch that count."""
        at, line = self.lines.read(scan, scan.anchors)
        clause = scan.clause[at]
        found = _Found(scan.batch.text_of[clause], self.theme[line], scan.start[at], scan.end[at], clause, line)
        for theme, preferred in self.yields:
            yielding = (found.theme == theme).nonzero()[0]
            before = np.zeros(len(scan.batch.ends), dtype=bool)
            before[found.clause[preferred[found.theme]]] = True
            yielding = yielding[before[found.clause[yielding]]]
            if len(yielding):
                keep = np.ones(len(found.theme), dtype=bool)
                keep[yielding] = False
                found = found.only(keep)
        cautions = self._cautions(scan, found)
        if cautions:
            keep = np.ones(len(found.theme), dtype=bool)
            bounds = np.searchsorted(found.text, (list(cautions), [text + 1 for text in cautions])).T.tolist()
            for (text, (topics, guards)), (a, b) in zip(cautions.items(), bounds, strict=True):
                if topics or guards:
                    self._take_away(scan.batch, found, keep, text, range(a, b), topics, guards)
            found = found.only(keep)
        return found

    def _cautions(self, scan: _Scan, found: _Found) -> dict[int, tuple[list[tuple[int, int]], list[int]]]:
        """By the number of a text with matches and with a word that may take them away: where in the batch it
        enumerates mere topics or mentions something by the way, and where its guard words stand."""
        batch = scan.batch
        matched, matched_here = np.zeros(batch.n, dtype=bool), np.zeros(len(batch.ends), dtype=bool)
        matched[found.text] = matched_here[found.clause] = True
        at = scan.of(self.caution)
        at = at[matched_here[scan.clause[at]] | ((scan.kinds[at] & self.guard > 0) & matched[
            batch.text_of[scan.clause[at]]])]
        out: dict[int, tuple[list[tuple[int, int]], list[int]]] = {}
        lefts, rights = batch.clauses(scan.clause[at])
        for word, start, end, text, left, right in zip(
                scan.number[at].tolist(), scan.start[at].tolist(), scan.end[at].tolist(),
                batch.text_of[scan.clause[at]].tolist(), lefts.tolist(), rights.tolist(), strict=True):
            topics, guards = out.setdefault(text, ([], []))
            is_guard, openings = self.cautions[word]
            if is_guard:
                guards.append(start)
            for span, opening in openings:
                left = max(left, start - MAX_CLAUSE)
                opened = opening(batch.string(left, start)) if opening else None
                if opening and not opened:
                    continue
                inside = (left + (opened.end() if opened else 0), start) if span.last else (end, right)
                if not span.enumerates or _ENUMERATES(batch.string(*inside)):
                    topics.append(inside)
        return out

    def _take_away(self, batch: _Batch, found: _Found, keep: np.ndarray, text: int, matches: range,
                   topics: list[tuple[int, int]], guards: list[int]) -> None:
        """Take from `keep` those of the matches, all of one text, that are mere topics or stand under a guard word;
        the themes that a guard word leaves without a match are noted as guarded."""
        everywhere = bool(guards) and self.guard_anywhere is not None and self.guard_anywhere(batch.text(text))
        before = bool(guards) and self.guard_before
        topics.sort()
        lefts, reach = [left for left, _ in topics], list(accumulate((right for _, right in topics), max))
        stated, guarded = set(), set()
        for k in matches:
            start, end, theme = int(found.start[k]), int(found.end[k]), int(found.theme[k])
            opened = bisect_right(lefts, start)
            if opened and end <= reach[opened - 1]:
                keep[k] = False
            elif everywhere or (before and before(batch.string(
                    max(int(batch.clauses(found.clause[k])[0]), start - MAX_CLAUSE), start))):
                keep[k] = False
                guarded.add(theme)
            else:
                stated.add(theme)
        if guarded - stated:
            found.guarded[text] = sorted(guarded - stated)

    def heritage(self, states: np.ndarray) -> np.ndarray:
        """The one theme that each title or heading hands down, or -1; `states` tells for each of them, a row, whether
        it states each theme."""
        out = np.full(len(states), -1)
        for rule in ("alone", "yes"):  # the second goes before the first
            counting = states & (self.inherit == rule)
            n = counting.sum(axis=1)
            out[n > 0] = np.where(n > 1, -1, counting.argmax(axis=1))[n > 0]
        return out

    def is_background(self, scan: _Scan, asked: np.ndarray) -> np.ndarray:
        """Which of the texts are background, of those asked: both as one truth value for each text of the scan."""
        anchors = scan.outermost(self.background.anchor)
        at, _ = self.background.read(scan, anchors[asked[scan.batch.text_of[scan.clause[anchors]]]
                                                   & scan.shown(anchors)])
        out = np.zeros(scan.batch.n, dtype=bool)
        out[scan.batch.text_of[scan.clause[at]]] = True
        return out


def _search(words: Sequence[str]) -> Callable[..., re.Match | None] | None:
    """A search for any of the words, the longest first, or None where there are none."""
    if not words:
        return None
    return re.compile("|".join(re.escape(word) for word in sorted(set(words), key=lambda w: (-len(w), w)))).search


# ---------------------------------------------------------------------------------------------------------------
# Coding

def _simplified(text: str) -> str:
    """Simplified characters, one for one, so that offsets stay."""
    from .cleaning import simplified

    out = simplified(text)
    return out if len(out) == len(text) else "".join((simplified(c) or c)[0] for c in text)


def code(articles: Sequence[Article], statements: Statements, attribution: Attribution | None,
         codebook: Codebook) -> Coding:
    """The themes of each statement, the evidence for them, and how binding its wording is.

    A statement states the themes whose lines hold in it. One that states none takes over a theme: that of the
    statement before it, when it opens with a word of `carry`; else that of its heading or, where this has none, of
    its title; always only where there is exactly one, and never a background statement. A statement that states nothing
    but a theme that is never inherited (joint work of departments) takes one of another group over as well: it says
    who works together, the title on what.

    Args:
        articles: those that `statements.article` indexes; `script` says whether the text is matched in simplified
            characters.
        statements: of a batch of articles.
        attribution: of the same statements, or None. Who acts is read from the clause itself, so that coding does
            not depend on it.
        codebook: what to code by.

    Returns:
        Columns parallel to `statements`; themes in the order of the codebook, offsets of evidence in
        `statements.text`.
    """
    found = coded(articles, statements, codebook)
    n, evidence = len(statements), found.evidence
    themes = zip([found.codes[i] for i in evidence.theme.tolist()], evidence.start.tolist(), evidence.end.tolist(),
                 strict=True)
    return Coding(*(_tuples((found.codes[i] for i in some.theme.tolist()), some.statement, n)
                    for some in (found.stated, found.inherited)), _tuples(themes, evidence.statement, n),
                  _tuples((found.codes[i] for i in found.guarded.theme.tolist()), found.guarded.statement, n),
                  [found.grades[i] for i in found.grade.tolist()])


def _tuples(items: Iterable, statement: np.ndarray, n: int) -> list[tuple]:
    """The items of each of `n` statements; `statement` says whose each is, ascending."""
    items = list(items)
    return [tuple(items[a:b]) for a, b in pairwise(statement.searchsorted(np.arange(n + 1)).tolist())]


class Themes(NamedTuple):
    """Themes of statements, as their places in the codebook: parallel, `statement` ascending."""

    theme: np.ndarray
    statement: np.ndarray


class Evidence(NamedTuple):
    """What was matched: the place of the `theme` in the codebook, and `start` and `end` in the text of its `statement`.
    Parallel, `statement` ascending."""

    theme: np.ndarray
    start: np.ndarray
    end: np.ndarray
    statement: np.ndarray


@dataclass(frozen=True, slots=True)
class Coded:
    """What `Coding` has, as arrays: themes as their places in `codes`, and of each statement its `grade` as the place
    in `grades`, the last of which is None."""

    codes: list[str]
    grades: list[str | None]
    stated: Themes
    inherited: Themes
    guarded: Themes
    grade: np.ndarray
    evidence: Evidence

    def themes(self) -> Themes:
        """Those that statements state and, behind them, the one that each takes over; never twice the same."""
        theme, statement = map(np.concatenate, zip(self.stated, self.inherited, strict=True))
        order = statement.argsort(kind="stable")
        return Themes(theme.take(order), statement.take(order))


def coded(articles: Sequence[Article], statements: Statements, codebook: Codebook) -> Coded:
    """As `code`, but as arrays."""
    none = np.zeros(0, dtype=np.int64)
    parts = [(none,) * 11]
    first = 0
    while first < len(statements):
        last = min(first + BATCH, len(statements))
        while last < len(statements) and statements.article[last] == statements.article[last - 1]:
            last += 1  # an article is never cut
        parts.append(_code_batch(articles, statements, first, last, codebook))
        first = last
    columns = [*map(np.concatenate, zip(*parts, strict=True))]
    return Coded([theme.code for theme in codebook.themes], [*(grade.id for grade in codebook.grades), None],
                 Themes(*columns[:2]), Themes(*columns[2:4]), Themes(*columns[4:6]), columns[6], Evidence(*columns[7:]))


def _code_batch(articles: Sequence[Article], statements: Statements, first: int, last: int, codebook: Codebook
                ) -> tuple[np.ndarray, ...]:
    """The columns of `Coded.stated`, `inherited` and `guarded`, `grade`, and those of `Evidence`."""
    matcher = codebook.matcher
    n_themes = len(codebook.themes)
    n = last - first
    in_article, headings = np.array(statements.article[first:last]), statements.heading[first:last]
    texts = statements.text[first:last]

    # titles and headings are read with the statements, each once
    heading = np.fromiter(headings, dtype=object, count=n)  # `np.array` looks into each of them
    begins = np.concatenate(([True], (in_article[1:] != in_article[:-1]) | (heading[1:] != heading[:-1])))
    places = [(int(in_article[k]), headings[k]) for k in begins.nonzero()[0].tolist()]
    hant = {a for a, _ in places if articles[a].script == "hant"}
    if hant:
        texts = [_simplified(text) if a in hant else text for a, text in zip(in_article.tolist(), texts, strict=True)]
    above = {key: i for i, key in enumerate(dict.fromkeys(
        (line or "", a in hant) for a, heading in places for line in (heading, articles[a].title)))}
    batch = _Batch([*texts, *(_simplified(line) if is_hant else line for line, is_hant in above)])
    scan = matcher.scan(batch)
    found = matcher.read(scan)
    grade = matcher.grader.read(scan)[:n]
    states = np.zeros((batch.n, n_themes), dtype=bool)
    states[found.text, found.theme] = True
    heritage = matcher.heritage(states[n:])
    # what a heading hands down goes before what the title does
    of_heading, of_title = (heritage[[above[line or "", a in hant] for a, line in lines]] for lines in (
        places, [(a, articles[a].title) for a, _ in places]))
    handed = np.where(of_heading >= 0, of_heading, of_title)[begins.cumsum() - 1]
    found = found.only(slice(np.searchsorted(found.text, n)))

    # lines stand in the order of their themes, so two lines that give one theme at one place stand side by side
    place = np.stack((found.start, found.end, found.theme))
    once = found.only(np.concatenate(([True], (place[:, 1:] != place[:, :-1]).any(axis=0))) if len(found.text) else [])
    evidence = (once.theme, batch.origin(once.start, once.text), batch.origin(once.end - 1, once.text) + 1,
                once.text + first)

    text, theme = np.divmod(states[:n].ravel().nonzero()[0], n_themes)
    guarded = sorted((k, themes) for k, themes in found.guarded.items() if k < n)

    # statements that may take a theme over: those without a topic of their own that are no background
    topical = np.zeros(n, dtype=bool)
    topical[text[matcher.inherit[theme] != "no"]] = True
    refers = np.zeros(batch.n, dtype=bool)
    opens = scan.of(matcher.carry)
    opened = batch.text_of[scan.clause[opens]]
    refers[opened[scan.start[opens] == batch.starts[opened]]] = True
    may_inherit = np.zeros(batch.n, dtype=bool)
    may_inherit[:n] = ~topical & (refers[:n] | (handed >= 0))
    heirs = (may_inherit & ~matcher.is_background(scan, may_inherit)).nonzero()[0]
    group, guarded_in = [theme.group for theme in codebook.themes], dict(guarded)
    bounds, stated = text.searchsorted(np.arange(n + 1)), theme.tolist()
    inherited: dict[int, int] = {}
    for k, carried, taken, a, b in zip(heirs.tolist(), refers[heirs].tolist(), handed[heirs].tolist(),
                                       bounds[heirs].tolist(), bounds[heirs + 1].tolist(), strict=True):
        if taken >= 0 and taken not in guarded_in.get(k, ()) and group[taken] not in {group[t] for t in stated[a:b]}:
            inherited[k] = taken
        if carried and a == b and k and in_article[k] == in_article[k - 1]:
            before = {*stated[bounds[k - 1]:a], inherited.get(k - 1)} - {None}
            if len(before) == 1:
                inherited[k] = before.pop()
    return (theme, text + first, *(np.array([*some], dtype=np.int64) for some in (
        inherited.values(), (k + first for k in inherited), (t for _, themes in guarded for t in themes),
        (k + first for k, themes in guarded for _ in themes))), grade, *evidence)


# ---------------------------------------------------------------------------------------------------------------
# What the lines of a codebook do

@dataclass(frozen=True, slots=True)
class LineUse:
    """What one line does in a set of texts.

    Attributes:
        theme: its code.
        text: the line as written; `place` its line in `themes.yml`.
        n: texts it codes.
        lost: texts that would no longer state the theme without it.
        gained: texts that would state another theme without it, because it hides a shorter term or makes one yield.
        inside: the longer strings that hide an anchor of it: the anchor, the string, the codes this codes (none: a
            mask), and how many texts hold it.
    """

    theme: str
    text: str
    place: int | None
    n: int
    lost: int
    gained: int
    inside: tuple[tuple[str, str, tuple[str, ...], int], ...]


def line_uses(texts: Sequence[str], codebook: Codebook) -> list[LineUse]:
    """What each line of the codebook does in the texts, in the order of the codebook: term ablation.

    Every line is taken out once, and the texts that it codes are coded anew without it, so that `lost` and `gained`
    are exact. Titles and headings are not looked at.
    """
    matcher = codebook.matcher
    batch = _Batch(texts)
    scan = matcher.scan(batch)
    found = matcher.read(scan)
    themes = [set(found.theme[a:b].tolist())
              for a, b in pairwise(np.searchsorted(found.text, np.arange(len(texts) + 1)).tolist())]
    strings = matcher.strings.strings
    holds: list[set[int]] = [set() for _ in texts]  # all anchors and masks in each text, also those within others
    at = scan.of(matcher.lines.anchor | matcher.mask)
    for number, string in zip(batch.text_of[scan.clause[at]].tolist(), scan.number[at].tolist(), strict=True):
        holds[number].add(string)
    n_texts = np.bincount([string for held in holds for string in held], minlength=len(strings))
    codes_of: dict[str, set[int]] = defaultdict(set)
    for line in matcher.all_lines:
        for anchor in line.anchors:
            codes_of[anchor].add(line.theme)
    longer: dict[str, list[int]] = defaultdict(list)
    for number, string in enumerate(strings):
        if n_texts[number]:
            for a in range(len(string)):
                for b in range(a + 1, len(string) + 1):
                    if b - a < len(string):
                        longer[string[a:b]].append(number)

    out = []
    for number, line in enumerate(matcher.all_lines):
        mine = np.unique(found.text[found.line == number]).tolist()
        lost = gained = 0
        if mine:
            others = _without(codebook, number, {strings[s] for k in mine for s in holds[k]}).matcher
            again = others.read(others.scan(_Batch([batch.text(k) for k in mine])))
            for j, k in enumerate(mine):
                now = set(again.theme[again.text == j].tolist())
                lost += line.theme not in now
                gained += bool(now - themes[k])
        inside = [(anchor, s) for anchor in line.anchors for s in sorted(set(longer.get(anchor, ())))]
        out.append(LineUse(
            codebook.themes[line.theme].code, line.text, line.place, len(mine), lost, gained,
            tuple((anchor, strings[s], tuple(codebook.themes[t].code for t in sorted(codes_of[strings[s]])),
                   int(n_texts[s])) for anchor, s in inside)))
    return out


def _without(codebook: Codebook, number: int, strings: set[str]) -> Codebook:
    """The codebook without the line of this number, and with only these anchors and masks."""
    themes, n = [], 0
    for theme in codebook.themes:
        lines = []
        for line in theme.lines:
            anchors = tuple(anchor for anchor in line.anchors if anchor in strings)
            if n != number and anchors:
                lines.append(replace(line, anchors=anchors))
            n += 1
        themes.append(replace(theme, lines=tuple(lines)))
    return replace(codebook, themes=tuple(themes), grades=(), background=(), deontic_masks=(), report=(), plan=(),
                   adverbs=(), agents=(), masks=tuple(mask for mask in codebook.masks if mask in strings))


def pattern_report(texts: Sequence[str], codebook: Codebook) -> Iterator[str]:
    """What each theme of the codebook finds in the texts, as lines to print: its hits, its nested terms and who wins,
    and what taking out each line would change."""
    uses: dict[str, list[LineUse]] = {theme.code: [] for theme in codebook.themes}
    for use in line_uses(texts, codebook):
        uses[use.theme].append(use)
    matcher = codebook.matcher
    found = matcher.read(matcher.scan(_Batch(texts)))
    yield (f"{len(texts):,} statements · hits: statements the line codes · lost: statements that would lose the theme "
           "without it · gained: statements that would get another theme without it")
    for number, theme in enumerate(codebook.themes):
        lines = uses[theme.code]
        n = len(np.unique(found.text[found.theme == number]))
        idle = [use for use in lines if not use.n]
        yield ""
        yield f"{theme.code}  {theme.name_zh}  {theme.name_en}: {n:,} statements, {len(lines)} lines, {len(idle)} idle"
        yield f"{'line':>8} {'hits':>6} {'lost':>6} {'gained':>6}  "
        for use in sorted(lines, key=lambda use: (-use.lost, -use.n, use.place or 0)):
            if use.n:
                yield f"{use.place or '':>8} {use.n:>6} {use.lost:>6} {use.gained or '':>6}  {use.text}"
        nested = dict.fromkeys(row for use in lines for row in use.inside)
        for anchor, string, codes, count in nested:
            if theme.code not in codes:
                winner = ", ".join(codes) or "mask"
                yield f"{'nested':>8} {count:>6}  “{anchor}” stands inside “{string}”, which wins ({winner})"
        within = sum(theme.code in codes for _, _, codes, _ in nested)
        if within:
            yield f"{'nested':>8} {within:>6}  terms stand inside longer terms of this theme"
        if idle:
            yield f"{'idle':>8} {len(idle):>6}  " + "、".join(use.text for use in idle)
