"""What each statement is about, and how binding its wording is: the codebook, and the coder that applies it.

Everything about a theme is data in `codebook/themes.yml`; the head of that file explains how its lines are written.
Here is only how lines are read and matched:

- Text is normalised character by character (width, case, quotation marks, spaces inside Chinese) and every match is
  carried back to its offsets in the statement as it stands.
- The first part of a line is its anchor. Anchors are found by one pass of an automaton over all statements of a
  batch, leftmost and longest first: a word inside a longer anchor, or inside a mask, is not found.
- The further parts of a line are conditions on the clause, the statement, or the title and heading above it; they
  are looked up only where the anchor stands.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .errors import UserError
from .model import Article, Attribution, Coding, Statements
from .yamlfile import YamlFile

CLAUSE_ENDS = "，；：。！？,;:!?\n"
QUOTES = "“”‘’\"'「」『』＂＇"
OPERATORS = ("+", "-", "&", "!", "^")
MAX_TERM = 40  # characters: an official term is shorter; a pasted sentence is a mistake
MAX_ENUMERATION = 80  # characters: bounds how far a passing enumeration is followed
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
    """One further part of a line: `op` as in `OPERATORS`, `within` characters for `+N`, else None."""

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
class Grade:
    """A grade of binding wording; `rank` 1 is the strongest."""

    id: str
    rank: int
    name_zh: str
    name_en: str
    definition_zh: str
    definition_en: str
    terms: tuple[str, ...]


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
    for code in (0x09, 0x0B, 0x0C, 0x0D, 0x20, 0xA0, 0x3000, *range(0x2000, 0x200B), 0x202F, 0x205F):
        table[code] = 1
    return table


_TABLE = _character_table()


def normalised(text: str) -> tuple[str, np.ndarray]:
    """The text as it is matched, and for each of its characters the offset it had in `text`."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    mapped = np.where(codes < 0x10000, _TABLE[np.minimum(codes, 0xFFFF)], codes)
    spaces = np.flatnonzero(mapped == 1)
    if len(spaces):
        word = ((mapped >= 48) & (mapped <= 57)) | ((mapped >= 97) & (mapped <= 122))
        padded = np.concatenate(([False], word, [False]))
        between = padded[spaces] & padded[spaces + 2]
        mapped[spaces] = np.where(between, 32, 0)
    kept = np.flatnonzero(mapped)
    return mapped[kept].tobytes().decode("utf-32-le", "surrogatepass"), kept


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
            raise self.file.error(f"a text is expected here, not {value!r} (put it in quotes if it is a number)", *keys)
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
        parts = re.split(r"\s+([-+&!^]\d*)\s+", text)
        if re.match(r"^[-+&!^]\d*\s", text) or re.search(r"\s[-+&!^]\d*$", text):
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
                       ("lists", "masks", "passing", "guards", "carry", "background"))
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

    passing = []
    for i, text in enumerate(read.strings(top.get("passing"), ("passing",))):
        ends = [part.strip() for part in text.split("…")]
        if len(ends) != 2 or not ends[0]:
            raise file.error(f"“{text}” is not written as “聚焦 … 等领域”: a first word, …, a last word or nothing",
                             "passing", i)
        passing.append(tuple(lines.alternatives(end, ("passing", i)) if end else () for end in ends))

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
        "passing": tuple(passing), "guards_before": before, "guards_anywhere": anywhere,
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
        item = read.mapping(item, keys, (*texts, "terms"))
        values = {k: read.string(item[k], (*keys, k)) for k in texts}
        if values["id"] in (g.id for g in grades):
            raise file.error(f"the grade “{values['id']}” stands twice", *keys, "id")
        terms = read.words(item["terms"], (*keys, "terms"))
        for j, term in enumerate(terms):
            if term in taken:
                raise file.error(f"“{term}” is already a term of “{taken[term]}”", *keys, "terms", j)
            taken[term] = values["id"]
        grades.append(Grade(rank=i + 1, terms=terms, **values))
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
        passing: (first words, last words) between which an enumeration only names topics.
        guards_before, guards_anywhere: words that turn a match into a guarded one.
        carry: words; a statement that opens with one refers to the statement before it.
        background: lines; a statement that meets one inherits nothing.
        folder: where it was read from.
    """

    themes: tuple[Theme, ...]
    groups: tuple[Group, ...]
    grades: tuple[Grade, ...]
    masks: tuple[str, ...] = ()
    passing: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()
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
# Matching

Match = tuple[int, int, int, Line]  # theme, start, end, line; offsets in the text that was matched


class _Matcher:
    """A codebook made ready for matching. Holds automata and compiled patterns, so it is built anew in each process
    and never pickled."""

    def __init__(self, book: Codebook):
        lines: dict[str, list[Line]] = defaultdict(list)
        for theme in book.themes:
            for line in theme.lines:
                for anchor in line.anchors:
                    lines[anchor].append(line)
        # a mask has no lines of its own; a string that is both an anchor and a mask is an anchor
        self.lines = {string: tuple(lines.get(string, ())) for string in sorted({*lines, *book.masks})}
        self.after = _overlapping_successors(list(self.lines))
        self.find = _finder([*self.lines, "\n"])
        index = {theme.code: i for i, theme in enumerate(book.themes)}
        self.yields = {i: frozenset(index[code] for code in theme.yields_to)
                       for i, theme in enumerate(book.themes) if theme.yields_to}
        self.inherit = [theme.inherit for theme in book.themes]
        inside = f"([^{re.escape(CLAUSE_ENDS)}]{{1,{MAX_ENUMERATION}}}?)"
        self.passing = [re.compile(f"(?:{_either(first)}){inside}(?:{_either(last) or _CLAUSE_END})")
                        for first, last in book.passing]
        self.guard_before = _search(book.guards_before)
        self.guard_anywhere = _search(book.guards_anywhere)
        # the words that may take matches away again: looked for in all statements at once, as they are rare
        cautions = {*book.guards_before, *book.guards_anywhere}
        cautions.update(word for first, last in book.passing for word in last or first)
        self.find_cautions = _finder([*sorted(cautions), "\n"])
        self.carry = _search(book.carry)
        self.background = [(_search(line.anchors), line.conditions) for line in book.background]
        self.background_any = _search([word for line in book.background for word in line.anchors])
        self.rank = {term: grade.rank for grade in book.grades for term in grade.terms}
        self.grade_names = (None, *(grade.id for grade in book.grades))
        self.find_grades = _finder([*sorted({*self.rank, *book.deontic_masks}), "\n"])

    def read(self, texts: Sequence[str], above: Callable[[int], str]) -> list[tuple[list[Match], list[int]]]:
        """What each text gives: its matches in order, and the themes that only a negation or a quotation gives.

        Args:
            texts: normalised, without line feeds.
            above: the normalised title and heading above the text of this number.
        """
        out = [_NOTHING] * len(texts)
        if not texts:
            return out
        joined = "\n".join(texts)
        cautious = self._cautious(joined)
        after, index = self.after, joined.index
        spans: list[tuple[int, int, str]] = []
        overlapping = False
        i = base = end = 0
        for string in (*self.find(joined), "\n"):
            if string == "\n":
                if spans:
                    if overlapping:
                        spans = _outermost(spans)
                        overlapping = False
                    out[i] = self._matches(texts[i], spans, i in cautious, above, i)
                    spans = []
                base += len(texts[i]) + 1
                end = base
                i += 1
                continue
            start = index(string, end)
            end = start + len(string)
            spans.append((start - base, end - base, string))
            others = after.get(string)
            if others is not None:
                # the automaton goes on behind what it found: an anchor that begins inside and reaches beyond is
                # looked up here, so that no neighbour hides another
                for offset, other in others.get(joined[end:end + 1], ()):
                    if joined.startswith(other, start + offset):
                        overlapping = True
                        spans.append((start + offset - base, start + offset + len(other) - base, other))
        return out

    def _cautious(self, joined: str) -> set[int]:
        """The numbers of the texts that hold a guard word or the end of a passing enumeration."""
        out, i = set(), 0
        for string in self.find_cautions(joined):
            if string == "\n":
                i += 1
            else:
                out.add(i)
        return out

    def _matches(self, text: str, spans: list[tuple[int, int, str]], cautious: bool, above: Callable[[int], str],
                 number: int) -> tuple[list[Match], list[int]]:
        plain = text
        matches: list[Match] = []
        conditional = False
        for start, end, string in spans:
            lines = self.lines[string]
            for line in lines:
                if line.conditions:
                    conditional = True
                else:
                    matches.append((line.theme, start, end, line))
            if not lines:
                plain = f"{plain[:start]}{_HIDDEN * (end - start)}{plain[end:]}"
        if conditional:
            for start, end, string in spans:
                left = -1
                for line in self.lines[string]:
                    if line.conditions:
                        if left < 0:
                            left, right = _clause(plain, start, end)
                        if _holds(line.conditions, plain, left, right, start, end, above, number):
                            matches.append((line.theme, start, end, line))
        if not matches:
            return _NOTHING
        if len(matches) > 1:
            if conditional:
                matches.sort(key=_place)
            if self.yields:
                matches = self._yielded(plain, matches)
        return self._cautioned(plain, matches) if cautious else (matches, [])

    def _yielded(self, plain: str, matches: list[Match]) -> list[Match]:
        """The matches without those of a theme that yields to another one in their clause."""
        themes = {match[0] for match in matches}
        if not any(theme in self.yields and self.yields[theme] & themes for theme in themes):
            return matches
        clause = [_clause(plain, match[1], match[2])[0] for match in matches]
        present = {(match[0], left) for match, left in zip(matches, clause, strict=True)}
        return [match for match, left in zip(matches, clause, strict=True)
                if not any((to, left) in present for to in self.yields.get(match[0], ()))]

    def _cautioned(self, plain: str, matches: list[Match]) -> tuple[list[Match], list[int]]:
        """The matches that are no mere topic of an enumeration and that no guard word takes away; and the themes
        that are left without a match by a guard word."""
        topics = [found.span(1) for pattern in self.passing for found in pattern.finditer(plain)
                  if _ENUMERATES(found.group(1))]
        if topics:
            matches = [m for m in matches if not any(a <= m[1] and m[2] <= b for a, b in topics)]
        if self.guard_anywhere is not None and self.guard_anywhere(plain):
            return [], sorted({m[0] for m in matches})
        if self.guard_before is not None and self.guard_before(plain):
            kept = [m for m in matches if not self.guard_before(plain, _clause(plain, m[1], m[2])[0], m[1])]
            return kept, sorted({m[0] for m in matches} - {m[0] for m in kept})
        return matches, []

    def is_background(self, text: str) -> bool:
        """Whether a normalised text meets a line of `background`, and so takes nothing over."""
        if self.background_any is None or not self.background_any(text):
            return False
        for search, conditions in self.background:
            found = search(text)
            while found:
                start, end = found.span()
                if _holds(conditions, text, *_clause(text, start, end), start, end, _no_context, 0):
                    return True
                found = search(text, end)
        return False

    def heritage(self, title: str) -> int | None:
        """The one theme that a normalised title or heading hands down, or None."""
        matches, _ = self.read([title], lambda _: title)[0]
        for rule in ("yes", "alone"):
            themes = {match[0] for match in matches if self.inherit[match[0]] == rule}
            if themes:
                return themes.pop() if len(themes) == 1 else None
        return None

    def grades(self, texts: Sequence[str]) -> list[str | None]:
        """For each normalised text the strongest grade of binding wording in it, or None."""
        out: list[str | None] = [None] * len(texts)
        rank, names = self.rank, self.grade_names
        weakest = len(names)
        best, i = weakest, 0
        for string in self.find_grades("\n".join(texts)):
            if string == "\n":
                if best < weakest:
                    out[i] = names[best]
                    best = weakest
                i += 1
            elif rank.get(string, weakest) < best:
                best = rank[string]
        if best < weakest:
            out[i] = names[best]
        return out


_NOTHING: tuple[list[Match], list[int]] = ([], [])
_HIDDEN = "\0"
_CLAUSE_END = f"(?=[{re.escape(CLAUSE_ENDS)}]|$)"
_ENUMERATES = re.compile("[、和与及或]").search
_NEXT_CLAUSE = re.compile(f"[{re.escape(CLAUSE_ENDS)}]").search


def _finder(strings: Sequence[str]) -> Callable[[str], list[str]]:
    """A function that finds the strings in a text, leftmost and longest first, without overlaps, in order."""
    from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

    return AhoCorasick(strings, matchkind=MatchKind.LeftmostLongest, store_patterns=True,
                       implementation=Implementation.ContiguousNFA).find_matches_as_strings


def _either(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(set(words), key=lambda word: (-len(word), word)))


def _search(words: Sequence[str]) -> Callable[..., re.Match | None] | None:
    """A search for any of the words, or None where there are none."""
    return re.compile(_either(words)).search if words else None


def _place(match: Match) -> tuple[int, int, int]:
    return match[1], match[2], match[0]


def _no_context(_: int) -> str:
    return ""


def _clause(text: str, start: int, end: int) -> tuple[int, int]:
    """Where the clause around start–end begins and ends."""
    left = max([text.rfind(mark, 0, start) for mark in CLAUSE_ENDS]) + 1
    found = _NEXT_CLAUSE(text, end)
    return left, found.start() if found else len(text)


def _holds(conditions: Sequence[Condition], text: str, left: int, right: int, start: int, end: int,
           above: Callable[[int], str], number: int) -> bool:
    """Whether all conditions of a line hold for the anchor at start–end of the clause at left–right."""
    for condition in conditions:
        op, wanted = condition.op, condition.op in "+&^"
        if condition.within is not None:
            reach = condition.within
            for word in condition.words:
                if text.rfind(word, max(left, start - reach - len(word)), start) >= 0 or \
                        text.find(word, end, min(right, end + reach + len(word))) >= 0:
                    break
            else:
                return False
            continue
        if op in "+-":
            where = text[left:right]
        elif op == "^":
            where = above(number)
        else:
            where = text
        for word in condition.words:
            if word in where:
                if not wanted:
                    return False
                break
        else:
            if wanted:
                return False
    return True


def _overlapping_successors(strings: Sequence[str]) -> dict[str, dict[str, tuple[tuple[int, str], ...]]]:
    """For each string the others that can begin inside it and reach beyond: by the first character beyond it, the
    offset at which they begin and the other."""
    begins: dict[str, list[str]] = defaultdict(list)
    for string in strings:
        for n in range(1, len(string)):
            begins[string[:n]].append(string)
    out = {}
    for string in strings:
        after: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for offset in range(1, len(string)):
            shared = len(string) - offset
            for other in begins.get(string[offset:], ()):
                after[other[shared]].append((offset, other))
        if after:
            out[string] = {c: tuple(sorted(others)) for c, others in after.items()}
    return out


def _outermost(spans: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """The spans that do not stand inside another one, in order."""
    out: list[tuple[int, int, str]] = []
    reach = -1
    for span in sorted(set(spans), key=lambda span: (span[0], -span[1])):
        if span[1] > reach:
            out.append(span)
            reach = span[1]
    return out


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
    its title; always only where there is exactly one, and never a background statement. A statement whose only
    themes are such as nothing can inherit (joint work of departments) takes over one as well: it tells how, the
    title what.

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
    matcher = codebook.matcher
    out = Coding()
    contexts: dict[tuple[str, bool], tuple[str, int | None]] = {}

    def context(text: str | None, hant: bool) -> tuple[str, int | None]:
        if text is None:
            return "", None
        known = contexts.get((text, hant))
        if known is None:
            plain = normalised(_simplified(text) if hant else text)[0].replace("\n", " ")
            known = contexts[text, hant] = plain, matcher.heritage(plain)
        return known

    for first in range(0, len(statements), BATCH):
        _code_batch(articles, statements, range(first, min(first + BATCH, len(statements))), codebook, context, out)
    return out


def _code_batch(articles: Sequence[Article], statements: Statements, batch: range, codebook: Codebook,
                context: Callable[[str | None, bool], tuple[str, int | None]], out: Coding) -> None:
    matcher = codebook.matcher
    codes = [theme.code for theme in codebook.themes]
    process = {i for i, theme in enumerate(codebook.themes) if theme.inherit == "no"}
    inherit = {theme.code: theme.inherit for theme in codebook.themes}
    in_articles, in_paragraphs, headings = statements.article, statements.paragraph, statements.heading
    texts = statements.text[batch.start:batch.stop]
    if any(article.script == "hant" for article in {id(a): a for a in map(articles.__getitem__, set(
            in_articles[batch.start:batch.stop]))}.values()):
        texts = [_simplified(text) if articles[in_articles[i]].script == "hant" else text
                 for i, text in zip(batch, texts, strict=True)]
    joined, kept = normalised("\n".join(texts))
    plains = joined.split("\n")
    if len(plains) != len(texts):
        texts = [text.replace("\n", " ") for text in texts]
        joined, kept = normalised("\n".join(texts))
        plains = joined.split("\n")

    def above(k: int) -> str:
        i = batch[k]
        hant = articles[in_articles[i]].script == "hant"
        return f"{context(headings[i], hant)[0]}\n{context(articles[in_articles[i]].title, hant)[0]}"

    readings = matcher.read(plains, above)
    out.deontic.extend(matcher.grades(plains))

    places: list[int] = []  # of the first and the last character of each piece of evidence, in `joined`
    origins: list[int] = []  # where its statement begins in the joined original
    labels: list[str] = []
    counts: list[int] = []
    origin = base = 0
    before: tuple[int, int, tuple[str, ...]] = (-1, -1, ())
    article_now, from_title, hant = -1, None, False
    for k, i in enumerate(batch):
        matches, guarded = readings[k]
        article = in_articles[i]
        if article != article_now:
            article_now, hant = article, articles[article].script == "hant"
            from_title = context(articles[article].title, hant)[1]
        pieces: list[tuple[int, int, int]] = []
        themes: set[int] = set()
        if matches:
            for theme, start, end, _ in matches:
                if (start, end, theme) not in pieces:
                    pieces.append((start, end, theme))
                    themes.add(theme)
                    labels.append(codes[theme])
                    places += (base + start, base + end - 1)
                    origins.append(origin)
        counts.append(len(pieces))
        stated = tuple([codes[theme] for theme in sorted(themes)]) if themes else ()
        inherited: tuple[str, ...] = ()
        if not themes or themes <= process:
            plain = plains[k]
            theme = codes[from_title] if from_title is not None else None
            if headings[i] is not None:
                from_heading = context(headings[i], hant)[1]
                if from_heading is not None:
                    theme = codes[from_heading]
            if before[0] == article and before[1] == in_paragraphs[i] and len(before[2]) == 1 and \
                    matcher.carry is not None and not themes and matcher.carry(plain, 0, 8) and \
                    matcher.carry(plain, 0, 8).start() == 0:
                theme = before[2][0]
            if theme is not None and not (themes and inherit[theme] != "yes") and not matcher.is_background(plain) and \
                    all(codes[g] != theme for g in guarded):
                inherited = (theme,)
        out.stated.append(stated)
        out.inherited.append(inherited)
        out.guarded.append(tuple([codes[theme] for theme in guarded]) if guarded else ())
        before = (article, in_paragraphs[i], stated + inherited)
        origin += len(texts[k]) + 1
        base += len(plains[k]) + 1
    offsets = kept[np.array(places, dtype=np.int64)].reshape(-1, 2) - np.array(origins, dtype=np.int64)[:, None]
    offsets[:, 1] += 1
    evidence = list(zip(labels, *offsets.T.tolist(), strict=True))
    end = 0
    for count in counts:
        out.evidence.append(tuple(evidence[end:end + count]) if count else ())
        end += count
