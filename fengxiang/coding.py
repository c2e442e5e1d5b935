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
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
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
            raise self.file.error("a text is expected here (put it in quotes if it looks like a number)", *keys)
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
    top = read.mapping(file.data, (), ("groups", "themes"), ("lists", "masks", "passing", "guards", "background"))
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

@dataclass(slots=True)
class _Reading:
    """What one text gives: `matches` are `(theme, start, end, line)` that count, in normalised offsets, in order;
    `guarded` are themes that only a negation or a quotation gives."""

    matches: list[tuple[int, int, int, Line]] = field(default_factory=list)
    guarded: list[int] = field(default_factory=list)

    @property
    def themes(self) -> list[int]:
        return sorted({match[0] for match in self.matches})


_NOTHING = _Reading()


def _either(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(set(words), key=lambda w: (-len(w), w)))


def _search(words: Sequence[str]):
    """A search for any of the words, or None where there are none."""
    return re.compile(_either(words)).search if words else None


class _Matcher:
    """A codebook made ready for matching. Holds an automaton and compiled patterns, so it is built anew in each
    process and never pickled."""

    def __init__(self, book: Codebook):
        from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

        self.book = book
        self.by_anchor: dict[str, list[Line]] = defaultdict(list)
        for theme in book.themes:
            for line in theme.lines:
                for anchor in line.anchors:
                    self.by_anchor[anchor].append(line)
        strings = sorted({*self.by_anchor, *book.masks})
        self.after = _overlapping_successors(strings)
        self.masks = frozenset(book.masks) - self.by_anchor.keys()
        index = {theme.code: i for i, theme in enumerate(book.themes)}
        self.yields = {i: frozenset(index[code] for code in theme.yields_to)
                       for i, theme in enumerate(book.themes) if theme.yields_to}
        ends = f"[^{re.escape(CLAUSE_ENDS)}]{{1,80}}?"
        self.passing = [re.compile(f"(?:{_either(first)})({ends})(?:{_either(last)})" if last else
                                   f"(?:{_either(first)})({ends})(?=[{re.escape(CLAUSE_ENDS)}]|$)")
                        for first, last in book.passing]
        self.passing_any = _search([word for first, last in book.passing for word in last or first])
        self.guard_before = _search(book.guards_before)
        self.guard_anywhere = _search(book.guards_anywhere)
        self.background = [(_search(line.anchors), line) for line in book.background]
        self.background_any = _search([word for line in book.background for word in line.anchors])
        kind = {"matchkind": MatchKind.LeftmostLongest, "implementation": Implementation.ContiguousNFA,
                "store_patterns": True}
        self.find = AhoCorasick([*strings, "\n"], **kind).find_matches_as_strings
        self.rank = {term: grade.rank for grade in book.grades for term in grade.terms}
        self.find_deontic = AhoCorasick([*sorted({*self.rank, *book.deontic_masks}), "\n"],
                                        **kind).find_matches_as_strings

    def anchors(self, texts: Sequence[str]) -> list[list[str] | None]:
        """For each normalised text the anchors and masks found in it, leftmost and longest first."""
        out: list[list[str] | None] = [None] * len(texts)
        hits: list[str] = []
        i = 0
        for string in self.find("\n".join(texts)):
            if string != "\n":
                hits.append(string)
                continue
            if hits:
                out[i] = hits
                hits = []
            i += 1
        if hits:
            out[i] = hits
        return out

    def grades(self, texts: Sequence[str]) -> list[str | None]:
        """For each normalised text the strongest grade of binding wording in it, or None."""
        out: list[str | None] = [None] * len(texts)
        names = [None, *(grade.id for grade in self.book.grades)]
        none = len(names)
        best, i = none, 0
        for string in self.find_deontic("\n".join(texts)):
            if string == "\n":
                if best < none:
                    out[i] = names[best]
                    best = none
                i += 1
            else:
                rank = self.rank.get(string, none)
                if rank < best:
                    best = rank
        if best < none:
            out[i] = names[best]
        return out

    def read(self, text: str, hits: Sequence[str], context: str) -> _Reading:
        """What a normalised text gives, from its anchors and its normalised title and heading."""
        spans, hidden = self._spans(text, hits)
        plain = text
        for start, end in hidden:
            plain = plain[:start] + "\0" * (end - start) + plain[end:]
        ends = None
        matches: list[tuple[int, int, int, Line]] = []
        for start, end, anchor in spans:
            left = None
            for line in self.by_anchor[anchor]:
                if line.conditions:
                    if left is None:
                        if ends is None:
                            ends = [0, *(i + 1 for i, c in enumerate(plain) if c in CLAUSE_ENDS), len(plain) + 1]
                        k = bisect_right(ends, start) - 1
                        left, right = ends[k], ends[bisect_right(ends, end - 1)] - 1
                        clause = plain[left:right]
                    if not _holds(line.conditions, plain, clause, left, right, start, end, context):
                        continue
                matches.append((line.theme, start, end, line))
        if not matches:
            return _NOTHING
        if self.passing_any is not None and self.passing_any(plain):
            lists = [m.span(1) for p in self.passing for m in p.finditer(plain) if _ENUMERATES(m.group(1))]
            if lists:
                matches = [m for m in matches if not any(a <= m[1] and m[2] <= b for a, b in lists)]
        if self.yields and len(matches) > 1:
            matches = self._yielded(plain, matches)
        guarded: list[int] = []
        if self.guard_anywhere is not None and self.guard_anywhere(plain):
            guarded, matches = sorted({m[0] for m in matches}), []
        elif self.guard_before is not None and self.guard_before(plain):
            kept = []
            for match in matches:
                left = max(plain.rfind(c, 0, match[1]) for c in CLAUSE_ENDS) + 1
                if not self.guard_before(plain, left, match[1]):
                    kept.append(match)
            guarded = sorted({m[0] for m in matches} - {m[0] for m in kept})
            matches = kept
        return _Reading(matches, guarded)

    def _spans(self, text: str, hits: Sequence[str]) -> tuple[list[tuple[int, int, str]], list[tuple[int, int]]]:
        """Where the anchors stand, and where the masks. The automaton resumes behind what it found; an anchor that
        begins inside what it found and reaches beyond is looked up here, so that no neighbour hides another."""
        spans: list[tuple[int, int, str]] = []
        overlaps = False
        end = 0
        for string in hits:
            start = text.index(string, end)
            end = start + len(string)
            spans.append((start, end, string))
            after = self.after.get(string)
            if after and end < len(text):
                for offset, other in after.get(text[end], ()):
                    if text.startswith(other, start + offset):
                        spans.append((start + offset, start + offset + len(other), other))
                        overlaps = True
        if overlaps:
            spans = _outermost(spans)
        hidden = [(start, end) for start, end, string in spans if string in self.masks]
        if hidden:
            spans = [span for span in spans if span[2] not in self.masks]
        return spans, hidden

    def _yielded(self, plain: str, matches: list) -> list:
        """The matches without those of a theme that yields to another one in their clause."""
        themes = {m[0] for m in matches}
        if not any(self.yields.get(theme, frozenset()) & themes for theme in themes):
            return matches
        at = [i for i, c in enumerate(plain) if c in CLAUSE_ENDS]
        present = {(m[0], bisect_right(at, m[1])) for m in matches}
        return [m for m in matches if not any((to, bisect_right(at, m[1])) in present
                                              for to in self.yields.get(m[0], ()))]

    def is_background(self, text: str) -> bool:
        """Whether a normalised text meets a line of `background`, and so inherits nothing."""
        if self.background_any is None or not self.background_any(text):
            return False
        ends = [0, *(i + 1 for i, c in enumerate(text) if c in CLAUSE_ENDS), len(text) + 1]
        for search, line in self.background:
            found = search(text)
            while found:
                start, end = found.span()
                left, right = ends[bisect_right(ends, start) - 1], ends[bisect_right(ends, end - 1)] - 1
                if _holds(line.conditions, text, text[left:right], left, right, start, end, ""):
                    return True
                found = search(text, end)
        return False

    def heritage(self, reading: _Reading) -> int | None:
        """The one theme that a title or heading hands down, or None."""
        for rule in ("yes", "alone"):
            themes = [theme for theme in reading.themes if self.book.themes[theme].inherit == rule]
            if themes:
                return themes[0] if len(themes) == 1 else None
        return None


_ENUMERATES = re.compile("[、和与及或]").search


def _holds(conditions, plain: str, clause: str, left: int, right: int, start: int, end: int, context: str) -> bool:
    for condition in conditions:
        op = condition.op
        if op in "+-":
            if condition.within is None:
                where = clause
            else:
                if not any(_near(plain, word, start, end, condition.within, left, right) for word in condition.words):
                    return False
                continue
        elif op == "^":
            where = context
        else:
            where = plain
        wanted = op in "+&^"
        for word in condition.words:
            if word in where:
                if wanted:
                    break
                return False
        else:
            if wanted:
                return False
    return True


def _near(text: str, word: str, start: int, end: int, within: int, left: int, right: int) -> bool:
    """Whether the word stands at most `within` characters from start–end, in left–right, without covering it."""
    before = text.rfind(word, max(left, start - within - len(word)), start)
    if before >= 0:
        return True
    return text.find(word, end, min(right, end + within + len(word))) >= 0


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
    for span in sorted(set(spans), key=lambda s: (s[0], -s[1])):
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

    Args:
        articles: the articles that `statements.article` indexes; titles give inherited themes, `script` says whether
            the text is matched in simplified characters.
        statements: of a batch of articles.
        attribution: of the same statements, or None. Reserved for codebooks that ask who speaks; the rules of the
            shipped one look at who acts in the clause itself.
        codebook: what to code by.

    Returns:
        Columns parallel to `statements`; themes in the order of the codebook, offsets of evidence in
        `statements.text`.
    """
    matcher = codebook.matcher
    codes = [theme.code for theme in codebook.themes]
    out = Coding()
    contexts: dict[tuple[str | None, bool], tuple[str, int | None]] = {}

    def context(text: str | None, hant: bool) -> tuple[str, int | None]:
        known = contexts.get((text, hant))
        if known is None:
            plain = "" if text is None else normalised(_simplified(text) if hant else text)[0].replace("\n", " ")
            hits = matcher.anchors([plain])[0]
            known = plain, matcher.heritage(matcher.read(plain, hits, plain)) if hits else None
            contexts[text, hant] = known
        return known

    for first in range(0, len(statements), BATCH):
        last = min(first + BATCH, len(statements))
        texts = [_simplified(t) if articles[a].script == "hant" else t
                 for a, t in zip(statements.article[first:last], statements.text[first:last], strict=True)]
        if any("\n" in text for text in texts):
            texts = [text.replace("\n", " ") for text in texts]
        joined, kept = normalised("\n".join(texts))
        plains = joined.split("\n")
        found = matcher.anchors(plains)
        out.deontic.extend(matcher.grades(plains))
        origin = base = 0
        at: list[int] = []  # normalised offsets of evidence in `joined`
        origins: list[int] = []
        shapes: list[tuple[tuple[int, int], ...]] = []
        for k, plain in enumerate(plains):
            i = first + k
            article = articles[statements.article[i]]
            hant = article.script == "hant"
            title, handed_down = context(article.title, hant)
            heading = statements.heading[i]
            above = title
            if heading is not None:
                head, from_heading = context(heading, hant)
                above = head + "\n" + title
                if from_heading is not None:
                    handed_down = from_heading
            reading = matcher.read(plain, found[k], above) if found[k] else _NOTHING
            stated = inherited = guarded = ()
            evidence: list[tuple[int, int]] = []
            if reading.matches:
                stated = tuple(codes[t] for t in reading.themes)
                for theme, start, end in sorted({m[:3] for m in reading.matches}, key=lambda m: (m[1], m[2], m[0])):
                    evidence.append((theme, len(at)))
                    at += (base + start, base + end - 1)
                    origins += (origin, origin)
            if reading.guarded:
                guarded = tuple(codes[t] for t in reading.guarded)
            if not stated and handed_down is not None and codes[handed_down] not in guarded \
                    and not matcher.is_background(plain):
                inherited = (codes[handed_down],)
            out.stated.append(stated)
            out.inherited.append(inherited)
            out.guarded.append(guarded)
            shapes.append(tuple(evidence))
            origin += len(texts[k]) + 1
            base += len(plain) + 1
        offsets = (kept[np.array(at, dtype=np.int64)] - np.array(origins, dtype=np.int64)).tolist() if at else []
        out.evidence.extend(tuple((codes[theme], offsets[j], offsets[j + 1] + 1) for theme, j in shape)
                            for shape in shapes)
    return out
