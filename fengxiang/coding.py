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
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from .errors import UserError
from .model import Article, Attribution, Coding, Statements
from .yamlfile import YamlFile

CLAUSE_ENDS = "，；：。！？,;:!?\n"
QUOTES = "“”‘’\"'「」『』＂＇"
MAX_TERM = 40  # characters: an official term is shorter; a pasted sentence is a mistake
MAX_CLAUSE = 400  # characters each side of an anchor: bounds a clause
MAX_STATEMENT = 4000  # and a statement, in what is looked up around an anchor
BATCH = 4000  # statements matched at a time: bounds memory, and keeps the collector of garbage cheap


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
    """A grade of binding wording; `rank` 1 is the strongest. A statement with a word of `unless` only reports, and
    does not have this grade."""

    id: str
    rank: int
    name_zh: str
    name_en: str
    definition_zh: str
    definition_en: str
    terms: tuple[str, ...]
    unless: tuple[str, ...] = ()


# ---------------------------------------------------------------------------------------------------------------
# Normalisation

def _character_table() -> np.ndarray:
    """What each character of the Basic Multilingual Plane becomes when it is matched; 0 is dropped, 1 is a space
    that is dropped unless it parts two Latin words."""
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
_IS_LATIN = np.zeros(0x10000, dtype=bool)
_IS_LATIN[[*range(0x30, 0x3A), *range(0x61, 0x7B)]] = True
_IS_CLAUSE_END = np.zeros(0x10000, dtype=bool)
_IS_CLAUSE_END[[ord(mark) for mark in CLAUSE_ENDS]] = True


def normalised(text: str) -> tuple[str, np.ndarray]:
    """The text as it is matched, and for each of its characters the offset it had in `text`."""
    codes, kept = _normalised_codes(text)
    return codes.tobytes().decode("utf-32-le"), kept


def _normalised_codes(text: str) -> tuple[np.ndarray, np.ndarray]:
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    if len(codes) and codes.max() > 0xFFFF:  # rare: beyond the Basic Multilingual Plane nothing changes
        mapped = np.where(codes <= 0xFFFF, _TABLE[np.minimum(codes, 0xFFFF)], codes)
    else:
        mapped = _TABLE[codes]
    spaces = np.flatnonzero(mapped == 1)
    if len(spaces):
        inner = np.zeros(len(spaces), dtype=bool)
        edge = (spaces > 0) & (spaces < len(mapped) - 1)
        inner[edge] = _IS_LATIN[mapped[spaces[edge] - 1] & 0xFFFF] & _IS_LATIN[mapped[spaces[edge] + 1] & 0xFFFF]
        mapped[spaces] = np.where(inner, 32, 0)
    kept = np.flatnonzero(mapped)
    return mapped[kept], kept


def _term(text: str) -> str:
    return normalised(text)[0]


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
                raise self.file.error(f"“{text}” stands twice in this list", *keys, i)
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
                raise self.reader.file.error(f"“{text}” stands twice in this list", *keys, i)
            seen.add(text)
            out.append(self.line(text, theme, (*keys, i)))
        return out


_THEME_TEXTS = ("code", "name_zh", "name_en", "group", "definition_zh", "definition_en", "include", "exclude",
                "rationale", "collisions")
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
                raise file.error(f"there is no other theme with the code “{code_}”", *keys, "yields_to", j)
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
    top = read.mapping(file.data, (), ("grades",), ("masks",))
    grades: list[Grade] = []
    taken: dict[str, str] = {}
    texts = ("id", "name_zh", "name_en", "definition_zh", "definition_en")
    for i, item in enumerate(_items(read, top, "grades")):
        keys = ("grades", i)
        item = read.mapping(item, keys, (*texts, "terms"), ("unless",))
        values = {k: read.string(item[k], (*keys, k)) for k in texts}
        if values["id"] in (g.id for g in grades):
            raise file.error(f"the grade “{values['id']}” stands twice", *keys, "id")
        terms = read.words(item["terms"], (*keys, "terms"))
        for j, term in enumerate(terms):
            if term in taken:
                raise file.error(f"“{term}” is already a term of “{taken[term]}”", *keys, "terms", j)
            taken[term] = values["id"]
        unless = read.words(item.get("unless"), (*keys, "unless"))
        grades.append(Grade(rank=i + 1, terms=terms, unless=unless, **values))
    masks = read.words(top.get("masks"), ("masks",))
    for i, mask in enumerate(masks):
        if mask in taken:
            raise file.error(f"“{mask}” is both a mask and a term of “{taken[mask]}”", "masks", i)
    return {"grades": tuple(grades), "deontic_masks": masks}


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


class _Batch:
    """Normalised texts, joined by line feeds.

    Attributes:
        texts: the normalised texts.
        joined: them joined; `codes` its characters, and a line feed; `ends` the offsets at which its clauses end.
        starts: where each text begins in `joined`.
    """

    def __init__(self, texts: Sequence[str]):
        source = "\n".join(texts)
        if source.count("\n") != len(texts) - 1:
            source = "\n".join([text.replace("\n", " ") for text in texts])
        self.codes, self._kept = _normalised_codes(source + "\n")
        self.joined = self.codes[:-1].tobytes().decode("utf-32-le")
        self.texts = self.joined.split("\n")
        self.ends = np.flatnonzero(_IS_CLAUSE_END[self.codes & 0xFFFF])
        breaks = self.ends[self.codes[self.ends] == 10][:-1]
        self.starts = np.concatenate(([0], breaks + 1))
        self._origins = np.concatenate(([0], self._kept[breaks] + 1))

    def clauses(self, starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the clause around each starts–ends of `joined` begins and ends, as far as it is looked at."""
        first = np.searchsorted(self.ends, starts)
        lefts = np.where(first > 0, self.ends[first - 1] + 1, 0)
        rights = self.ends[np.searchsorted(self.ends, ends)]
        return np.maximum(lefts, starts - MAX_CLAUSE), np.minimum(rights, ends + MAX_CLAUSE)

    def number(self, offsets: np.ndarray) -> np.ndarray:
        """The number of the text in which each offset of `joined` lies."""
        return np.searchsorted(self.starts, offsets, side="right") - 1

    def origin(self, offsets: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """For offsets in `joined`, in texts of these numbers, those in the text as it stood before normalisation."""
        return self._kept[offsets] - self._origins[numbers]


class _LineMatcher:
    """Finds where lines hold in many texts at once. Holds an automaton, so it is built anew in each process and never
    pickled."""

    def __init__(self, lines: Sequence[Line], masks: Iterable[str]):
        from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

        by_anchor: dict[str, list[int]] = {mask: [] for mask in masks}
        for number, line in enumerate(lines):
            for anchor in line.anchors:
                by_anchor.setdefault(anchor, []).append(number)
        self.strings = sorted(by_anchor)
        self.find = AhoCorasick(self.strings, matchkind=MatchKind.LeftmostLongest,
                                implementation=Implementation.ContiguousNFA).find_matches_as_indexes
        self.theme = np.array([line.theme for line in lines], dtype=np.int64)
        # by string: is it only a mask; the lines that need nothing else; the lines that have conditions
        self.masks = np.array([not by_anchor[string] for string in self.strings], dtype=bool)
        certain = [[n for n in by_anchor[string] if not lines[n].conditions] for string in self.strings]
        self.n_certain = np.array([len(numbers) for numbers in certain], dtype=np.int64)
        self.first_certain = np.cumsum(self.n_certain) - self.n_certain
        self.certain = np.array([n for numbers in certain for n in numbers], dtype=np.int64)
        self.possible = [[(n, [(c.op, c.within, c.words) for c in lines[n].conditions])
                          for n in by_anchor[string] if lines[n].conditions] for string in self.strings]
        self.has_possible = np.array([bool(numbers) for numbers in self.possible], dtype=bool)
        # by string and first character beyond it: whether another string can begin inside and reach beyond, and which
        self.after = _overlapping_successors(self.strings)
        beyond = sorted({character for _, character in self.after})
        self.beyond = np.zeros(0x10000, dtype=np.int64)
        self.beyond[[ord(character) & 0xFFFF for character in beyond]] = np.arange(1, len(beyond) + 1)
        self.may_overlap = np.zeros((len(self.strings), len(beyond) + 1), dtype=bool)
        for string, character in self.after:
            self.may_overlap[string, self.beyond[ord(character) & 0xFFFF]] = True

    def read(self, batch: _Batch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where lines hold: `start` and `end` in the joined texts and the number of the line, in order."""
        strings, starts, ends = self._spans(batch)
        plain = batch.joined
        masked = self.masks[strings]
        if masked.any():
            codes = batch.codes.copy()
            for start, end in zip(starts[masked].tolist(), ends[masked].tolist(), strict=True):
                codes[start:end] = 0
            plain = codes[:-1].tobytes().decode("utf-32-le")

        n = self.n_certain[strings]
        within = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
        found = [np.repeat(starts, n), np.repeat(ends, n),
                 self.certain[np.repeat(self.first_certain[strings], n) + within]]

        hits = np.flatnonzero(self.has_possible[strings])
        if len(hits):
            where = self._possible(batch, plain, strings[hits], starts[hits], ends[hits])
            found = [np.concatenate(pair) for pair in zip(found, where, strict=True)]
            # by start, end and line, as one number: a text of a batch and a line of a codebook stay far below 2**24
            start, end, line = found
            order = np.argsort(start << 32 | (end - start) << 24 | line, kind="stable")
            found = [column[order] for column in found]
        return tuple(found)

    def _spans(self, batch: _Batch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The strings found, leftmost and longest first, and where they start and end."""
        found = np.fromiter(chain.from_iterable(self.find(batch.joined)), dtype=np.int64).reshape(-1, 3)
        strings, starts, ends = np.ascontiguousarray(found.T)
        # The automaton goes on behind what it found. An anchor that begins inside that and reaches beyond is looked
        # up here, so that no neighbour hides another.
        following = batch.codes[ends]
        more = []
        for k in np.flatnonzero(self.may_overlap[strings, self.beyond[following & 0xFFFF]]).tolist():
            for offset, other in self.after.get((int(strings[k]), chr(following[k])), ()):
                start = int(starts[k]) + offset
                if batch.joined.startswith(self.strings[other], start):
                    more.append((other, start, start + len(self.strings[other])))
        if more:
            found = np.concatenate((found, np.array(more, dtype=np.int64)))
            found = found[np.lexsort((-found[:, 2], found[:, 1]))]
            reach = np.maximum.accumulate(found[:, 2])
            strings, starts, ends = found[np.concatenate(([True], found[1:, 2] > reach[:-1]))].T
        return strings, starts, ends

    def _possible(self, batch: _Batch, plain: str, strings: np.ndarray, starts: np.ndarray,
                  ends: np.ndarray) -> np.ndarray:
        """Of lines with conditions, those that hold: start, end and number of the line."""
        lefts, rights = batch.clauses(starts, ends)
        numbers = batch.number(starts)
        found = []
        for string, start, end, left, right, number in zip(
                strings.tolist(), starts.tolist(), ends.tolist(), lefts.tolist(), rights.tolist(), numbers.tolist(),
                strict=True):
            clause = plain[left:right]
            for line, conditions in self.possible[string]:
                for op, reach, words in conditions:
                    if reach is not None:
                        where = f"{plain[max(left, start - reach):start]}\n{plain[end:min(right, end + reach)]}"
                    elif op in "+-":
                        where = clause
                    else:
                        here = int(batch.starts[number])
                        where = plain[max(here, start - MAX_STATEMENT):
                                      min(here + len(batch.texts[number]), end + MAX_STATEMENT)]
                    for word in words:
                        if word in where:
                            holds = op in "+&"
                            break
                    else:
                        holds = op in "-!"
                    if not holds:
                        break
                else:
                    found.append((start, end, line))
        return np.array(found, dtype=np.int64).reshape(-1, 3).T


def _overlapping_successors(strings: Sequence[str]) -> dict[tuple[int, str], tuple[tuple[int, int], ...]]:
    """The strings that can begin inside another one and reach beyond it: by the number of this one and the first
    character beyond it, the offset at which the other begins and its number."""
    begins: dict[str, list[int]] = defaultdict(list)
    for number, string in enumerate(strings):
        for n in range(1, len(string)):
            begins[string[:n]].append(number)
    out: dict[tuple[int, str], list[tuple[int, int]]] = defaultdict(list)
    for number, string in enumerate(strings):
        for offset in range(1, len(string)):
            for other in begins.get(string[offset:], ()):
                out[number, strings[other][len(string) - offset]].append((offset, other))
    return {key: tuple(sorted(others)) for key, others in out.items()}


@dataclass(slots=True)
class _Found:
    """The matches of a batch that count, as parallel arrays in order: the number of the `text`, the `theme`, where
    in the joined texts the match starts and ends, and the number of the `line`. `guarded` holds, by the number of a
    text, the themes that only a negation or a quotation gives."""

    text: np.ndarray
    theme: np.ndarray
    start: np.ndarray
    end: np.ndarray
    line: np.ndarray
    guarded: dict[int, list[int]] = field(default_factory=dict)

    def only(self, keep: np.ndarray) -> _Found:
        return _Found(*(getattr(self, name)[keep] for name in ("text", "theme", "start", "end", "line")), self.guarded)


class _Matcher:
    """A codebook made ready for coding."""

    def __init__(self, book: Codebook):
        self.all_lines = [line for theme in book.themes for line in theme.lines]
        self.lines = _LineMatcher(self.all_lines, book.masks)
        self.background = _LineMatcher(book.background, ())
        index = {theme.code: i for i, theme in enumerate(book.themes)}
        self.yields = [(i, [index[code] for code in theme.yields_to])
                       for i, theme in enumerate(book.themes) if theme.yields_to]
        self.inherit = np.array([theme.inherit for theme in book.themes])
        self.guard_before = _search(book.guards_before)
        self.guard_anywhere = _search(book.guards_anywhere)
        # The words that may take matches away again, looked for in all statements at once, as they are rare: whether
        # each is a guard word, and for each span that it closes the span and the search for what opens it (None: the
        # start of the clause), or that it opens when nothing closes it but the end of the clause.
        guards = {*book.guards_before, *book.guards_anywhere}
        closes: dict[str, list[tuple[Span, Any]]] = {word: [] for word in guards}
        for span in book.passing:
            for word in span.last or span.first:
                closes.setdefault(word, []).append((span, _search(span.first) if span.last else None))
        self.cautions = [(word in guards, closes[word]) for word in sorted(closes)]
        self.find_cautions = _finder(sorted(closes)).find_matches_as_indexes
        self.carry = book.carry
        self.grade_names = [grade.id for grade in book.grades]
        # for each string two bits a grade: whether it gives the grade, and whether it takes it back
        self.gives = dict.fromkeys(book.deontic_masks, 0)
        for rank, grade in enumerate(book.grades):
            for bit, words in ((1, grade.terms), (2, grade.unless)):
                for word in words:
                    self.gives[word] = self.gives.get(word, 0) | bit << 2 * rank
        self.find_grades = _finder([*sorted(self.gives), "\n"], store_patterns=True).find_matches_as_strings

    def read(self, batch: _Batch) -> _Found:
        """The matches of a batch that count."""
        start, end, line = self.lines.read(batch)
        found = _Found(batch.number(start), self.lines.theme[line], start, end, line)
        for theme, to in self.yields:
            yielding = np.flatnonzero(found.theme == theme)
            preferred = found.theme == to[0] if len(to) == 1 else np.isin(found.theme, to)
            if len(yielding) and preferred.any():
                clause = np.searchsorted(batch.ends, found.start)
                keep = np.ones(len(found.theme), dtype=bool)
                keep[yielding] = ~np.isin(clause[yielding], clause[preferred])
                found = found.only(keep)
        cautions = self._cautions(batch)
        if cautions:
            keep = np.ones(len(found.theme), dtype=bool)
            bounds = np.searchsorted(found.text, (list(cautions), [text + 1 for text in cautions])).T.tolist()
            for (text, (topics, guards)), (a, b) in zip(cautions.items(), bounds, strict=True):
                if a < b and (topics or guards):
                    self._take_away(batch, found, keep, text, range(a, b), topics, guards)
            found = found.only(keep)
        return found

    def _cautions(self, batch: _Batch) -> dict[int, tuple[list[tuple[int, int]], list[int]]]:
        """By the number of a text with a word that may take matches away: where, in the joined texts, it enumerates
        mere topics, and where its guard words stand."""
        warnings = self.find_cautions(batch.joined)
        if not warnings:
            return {}
        _, starts, ends = np.array(warnings, dtype=np.int64).T
        lefts, rights = (side.tolist() for side in batch.clauses(starts, ends))
        out: dict[int, tuple[list[tuple[int, int]], list[int]]] = {}
        for (word, start, end), text, left, right in zip(warnings, batch.number(starts).tolist(), lefts, rights,
                                                         strict=True):
            topics, guards = out.setdefault(text, ([], []))
            is_guard, openings = self.cautions[word]
            if is_guard:
                guards.append(start)
            for span, opening in openings:
                opened = opening(batch.joined, left, start) if opening else None
                if opening and not opened:
                    continue
                inside = (opened.end() if opened else left, start) if span.last else (end, right)
                if not span.enumerates or _ENUMERATES(batch.joined, *inside):
                    topics.append(inside)
        return out

    def _take_away(self, batch: _Batch, found: _Found, keep: np.ndarray, text: int, matches: range,
                   topics: list[tuple[int, int]], guards: list[int]) -> None:
        """Take from `keep` those of the matches, all of one text, that are mere topics or stand under a guard word;
        the themes that a guard word leaves without a match are noted as guarded."""
        everywhere = bool(guards) and self.guard_anywhere is not None and self.guard_anywhere(batch.texts[text])
        before = bool(guards) and self.guard_before
        topics.sort()
        lefts = [left for left, _ in topics]
        reach = list(accumulate((right for _, right in topics), max))
        stated, guarded = set(), set()
        for k in matches:
            start, end, theme = int(found.start[k]), int(found.end[k]), int(found.theme[k])
            opened = bisect_right(lefts, start)
            if opened and end <= reach[opened - 1]:
                keep[k] = False
            elif everywhere or (before and before(batch.joined, _clause_start(batch.joined, start), start)):
                keep[k] = False
                guarded.add(theme)
            else:
                stated.add(theme)
        if guarded - stated:
            found.guarded[text] = sorted(guarded - stated)

    def heritage(self, batch: _Batch) -> list[int]:
        """For each title or heading of a batch the one theme that it hands down, or -1."""
        found = self.read(batch)
        out = np.full(len(batch.texts), -1)
        for rule in ("alone", "yes"):  # the second goes before the first
            counts = np.where(self.inherit[found.theme] == rule)[0]
            texts, themes = np.divmod(np.unique(found.text[counts] * len(self.inherit) + found.theme[counts]),
                                      len(self.inherit))
            several = np.bincount(texts, minlength=len(out)) > 1
            out[texts] = np.where(several[texts], -1, themes)
        return out.tolist()

    def grades(self, batch: _Batch) -> list[str | None]:
        """For each text the strongest grade of binding wording in it that its report does not take back, or None."""
        out: list[str | None] = [None] * len(batch.texts)
        given, i = 0, 0
        for string in (*self.find_grades(batch.joined), "\n"):
            if string != "\n":
                given |= self.gives[string]
            else:
                if given:
                    out[i] = self._grade(given)
                    given = 0
                i += 1
        return out

    def _grade(self, given: int) -> str | None:
        """The name of the strongest grade that is given and not taken back."""
        for rank, name in enumerate(self.grade_names):
            if given >> 2 * rank & 3 == 1:
                return name
        return None


def _clause_start(text: str, at: int) -> int:
    return max(text.rfind(mark, max(0, at - MAX_CLAUSE), at) for mark in CLAUSE_ENDS) + 1


def _finder(strings: Sequence[str], **options: bool) -> Any:
    from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

    return AhoCorasick(strings, matchkind=MatchKind.LeftmostLongest, implementation=Implementation.ContiguousNFA,
                       **options)


def _either(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(set(words), key=lambda word: (-len(word), word)))


def _search(words: Sequence[str]) -> Callable[..., re.Match | None] | None:
    """A search for any of the words, or None where there are none."""
    return re.compile(_either(words)).search if words else None


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
    out = Coding()
    first = 0
    while first < len(statements):
        last = min(first + BATCH, len(statements))
        while last < len(statements) and statements.article[last] == statements.article[last - 1]:
            last += 1  # an article is never cut
        _code_batch(articles, statements, first, last, codebook, out)
        first = last
    return out


def _code_batch(articles: Sequence[Article], statements: Statements, first: int, last: int, codebook: Codebook,
                out: Coding) -> None:
    matcher = codebook.matcher
    codes = np.array([theme.code for theme in codebook.themes], dtype=object)
    n = last - first
    in_article, headings = statements.article[first:last], statements.heading[first:last]
    texts = statements.text[first:last]
    hant = {a for a in set(in_article) if articles[a].script == "hant"}
    if hant:
        texts = [_simplified(text) if a in hant else text for a, text in zip(in_article, texts, strict=True)]

    # what titles and headings hand down, each read once; a heading goes before the title
    places = dict.fromkeys(zip(in_article, headings, strict=True))
    lines = list(dict.fromkeys((line or "", a in hant) for a, heading in places
                               for line in (heading, articles[a].title)))
    heritage = dict(zip(lines, matcher.heritage(_Batch([_simplified(line) if is_hant else line
                                                        for line, is_hant in lines])), strict=True))
    for a, heading in places:
        theme = heritage[heading or "", a in hant]
        places[a, heading] = theme if theme >= 0 else heritage[articles[a].title or "", a in hant]
    handed = [places[place] for place in zip(in_article, headings, strict=True)]

    batch = _Batch(texts)
    found = matcher.read(batch)
    out.deontic.extend(matcher.grades(batch))

    # lines stand in the order of their themes, so two lines that give one theme at one place stand side by side
    place = np.stack((found.start, found.end, found.theme))
    once = found.only(np.concatenate(([True], (place[:, 1:] != place[:, :-1]).any(axis=0))) if len(found.text) else [])
    evidence = list(zip(codes[once.theme].tolist(), batch.origin(once.start, once.text).tolist(),
                        (batch.origin(once.end - 1, once.text) + 1).tolist(), strict=True))
    bounds = np.searchsorted(once.text, np.arange(n + 1)).tolist()
    out.evidence.extend([tuple(evidence[a:b]) for a, b in pairwise(bounds)])

    text, theme = np.divmod(np.unique(found.text * len(codes) + found.theme), len(codes))
    labels = codes[theme].tolist()
    bounds = np.searchsorted(text, np.arange(n + 1)).tolist()
    stated = [tuple(labels[a:b]) for a, b in pairwise(bounds)]
    guarded = [()] * n
    for k, themes in found.guarded.items():
        guarded[k] = tuple(codes[themes].tolist())

    # statements that may take a theme over: those without a topic of their own that are no background
    group = [theme.group for theme in codebook.themes]
    topical = np.zeros(n, dtype=bool)
    topical[text[matcher.inherit[theme] != "no"]] = True
    heirs = {}
    for k in np.flatnonzero(~topical).tolist():
        carried = bool(matcher.carry) and not stated[k] and batch.texts[k].startswith(matcher.carry)
        if carried or (handed[k] >= 0 and (not stated[k] or group[handed[k]] not in
                                             {group[t] for t in theme[bounds[k]:bounds[k + 1]]})):
            heirs[k] = carried
    if heirs:
        silent = _Batch([batch.texts[k] for k in heirs])
        background = set(silent.number(matcher.background.read(silent)[0]).tolist())
        heirs = {k: carried for j, (k, carried) in enumerate(heirs.items()) if j not in background}
    inherited: list[tuple[str, ...]] = [()] * n
    for k, carried in heirs.items():
        if handed[k] >= 0 and codes[handed[k]] not in guarded[k]:
            inherited[k] = (codes[handed[k]],)
        if carried and k and in_article[k] == in_article[k - 1]:
            before = stated[k - 1] + inherited[k - 1]
            if len(before) == 1:
                inherited[k] = before
    out.stated.extend(stated)
    out.inherited.extend(inherited)
    out.guarded.extend(guarded)


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
    from ahocorasick_rs import AhoCorasick

    matcher = codebook.matcher
    batch = _Batch(texts)
    found = matcher.read(batch)
    themes = [set(found.theme[a:b].tolist())
              for a, b in pairwise(np.searchsorted(found.text, np.arange(len(texts) + 1)).tolist())]
    strings = matcher.lines.strings
    holds: list[set[int]] = [set() for _ in batch.texts]  # all strings in each text, also those within others
    n_texts = np.zeros(len(strings), dtype=np.int64)
    everything = AhoCorasick(strings) if strings else None
    for number, plain in enumerate(batch.texts):
        if everything is not None:
            holds[number].update(string for string, _, _ in everything.find_matches_as_indexes(plain, overlapping=True))
        n_texts[sorted(holds[number])] += 1
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
            small = _Batch([batch.texts[k] for k in mine])
            again = others.read(small)
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
    return replace(codebook, themes=tuple(themes), grades=(), background=(),
                   masks=tuple(mask for mask in codebook.masks if mask in strings))


def pattern_report(texts: Sequence[str], codebook: Codebook) -> Iterator[str]:
    """What each theme of the codebook finds in the texts, as lines to print: its hits, its nested terms and who wins,
    and what taking out each line would change."""
    uses: dict[str, list[LineUse]] = {theme.code: [] for theme in codebook.themes}
    for use in line_uses(texts, codebook):
        uses[use.theme].append(use)
    batch = _Batch(texts)
    found = codebook.matcher.read(batch)
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
