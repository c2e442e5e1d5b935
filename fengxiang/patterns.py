"""Many regular expressions tried as one: of all the patterns only those are tried of which a needed word is there.

Few lines hold any of the words that the patterns of a rule are made of. `needed_words` reads from a pattern strings of
which one stands in whatever it matches, and `Union` looks for those of all its patterns in one pass over the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property, lru_cache
from re import _constants as op
from re import _parser as parser  # what `re` itself reads expressions with

MAX_WORDS = 64  # strings that a part of a pattern is written out as
_SPACES = frozenset(filter(str.isspace, map(chr, range(0x3001))))  # what \s stands for
_SET = r"\[\^?\]?(?:\\.|[^\]\\])*\]"
_CLASS = re.compile(rf"(?s)\\.|{_SET}")  # a class, or what begins none
_NAMED_GROUP = re.compile(r"\(\?P<(\w+)>")
_STRICT = re.compile(r"\(\?<?!|\(\?>|[*+?}]\+")
_CHINESE = r"\u4e00-\u9fff"
_CHINESE_RANGE = re.compile(r"(?<!-)\\u4e00-\\u9fff(?!-)")


class Union:
    """Many patterns tried as one; a match is `(rule, spans of its named groups, match)`.

    Compiling a class of all Chinese characters takes longer than matching a line against all patterns. So what is
    tried first has a cheap class in its place that holds more, and patterns are compiled as they are only when they
    may match.

    Args:
        patterns: `(rule, expression)`, placeholders expanded, without flags for the whole.

    Raises:
        re.error: an expression is none.
    """

    def __init__(self, patterns: list[tuple[str, str]]):
        self._patterns = patterns
        needs = [_needs(pattern) for _, pattern in patterns]
        self._tried = [(rule, Late(_loose(p)), Late(p)) for rule, p in patterns]
        self._longest = [longest for _, longest in needs]
        self._tried_at_end = [(rule, Late(f"(?:{_loose(p)})$"), Late(f"(?:{p})$")) for rule, p in patterns]
        of_word: dict[str, list[int]] = {}
        self._always: list[int] = []
        for i, (words, _) in enumerate(needs):
            if words is None:
                self._always.append(i)
            for word in words or ():
                of_word.setdefault(word, []).append(i)
        self._words, self._of_word = list(of_word), list(of_word.values())
        self._automaton = None

    def __getstate__(self):
        return self.__dict__ | {"_automaton": None}

    def prepare(self) -> None:
        """Make the automaton, if it is not there."""
        if self._automaton is None:
            import ahocorasick_rs

            self._automaton = ahocorasick_rs.AhoCorasick(self._words)

    def _possible(self, text: str) -> list[int]:
        """Which patterns may match in a text, in their order."""
        self.prepare()
        hits = self._automaton.find_matches_as_indexes(text, overlapping=True)
        if not hits:
            return self._always
        found = set(self._always)
        for word, _, _ in hits:
            found.update(self._of_word[word])
        return sorted(found)

    def fullmatch(self, text: str):
        """The match with the whole text, or None."""
        longest, n = self._longest, len(text)
        for i in self._possible(text):
            if longest[i] < n:
                continue
            rule, loose, exact = self._tried[i]
            if loose.fullmatch(text) and (m := exact.fullmatch(text)):
                return rule, _spans(m), m
        return None

    def match(self, text: str):
        """The match at the start of the text, or None."""
        for i in self._possible(text):
            rule, loose, exact = self._tried[i]
            if loose.match(text) and (m := exact.match(text)):
                return rule, _spans(m), m
        return None

    def at_end(self, text: str):
        """The match at the very end of the text that begins first, or None."""
        found = None
        for i in self._possible(text):
            rule, loose, exact = self._tried_at_end[i]
            if loose.search(text) and (m := exact.search(text)) and (
                    found is None or m.start() < found[1].start()):
                found = rule, m
        return (found[0], _spans(found[1]), found[1]) if found else None

    @cached_property
    def _any(self) -> re.Pattern:
        # without groups around them, most fail at their first character
        return re.compile("|".join("(?:" + _NAMED_GROUP.sub(rf"(?P<\1__{i}>", _loose(pattern)) + ")"
                                   for i, (_, pattern) in enumerate(self._patterns)) or "(?!)")

    @cached_property
    def _is_exact(self) -> bool:
        return all(_loose(pattern) == pattern for _, pattern in self._patterns)

    @cached_property
    def may_start(self) -> Callable[[str], re.Match | None]:
        """What tells of most texts that they start with no match."""
        return self._any.match

    def starts(self, text: str) -> bool:
        """Whether the text starts with a match."""
        return self._any.match(text) is not None and (self._is_exact or self.match(text) is not None)


def _spans(m: re.Match) -> dict[str, tuple[int, int]]:
    """Where the named groups of a match are that took part in it."""
    return {name: m.span(name) for name in m.re.groupindex if m.start(name) >= 0}


def _loose(pattern: str) -> str:
    """An expression that matches whatever this one does, and more, without classes of all Chinese characters."""
    # what looks for no match, or gives back nothing, may fail where more is matched
    if _CHINESE not in pattern or _STRICT.search(pattern):
        return pattern
    return _CLASS.sub(lambda m: m[0] if m[0][1] == "^" else _CHINESE_RANGE.sub(r"\\w", m[0]), pattern)


class Late:
    """What `re.compile` makes of an expression, made when it is first used: most corpora need few of the patterns of a
    codebook, and to compile them all takes longer than to clean a hundred articles.

    Attributes:
        pattern: the expression.
    """

    def __init__(self, expression: str):
        self.pattern = expression

    @cached_property
    def _compiled(self) -> re.Pattern:
        return re.compile(self.pattern)

    def __getattr__(self, name: str):
        if name.startswith("__"):  # asked for by those who copy, who have not set the expression yet
            raise AttributeError(name)
        value = self.__dict__[name] = getattr(self._compiled, name)
        return value

    def __getstate__(self):
        return {"pattern": self.pattern}


def checked(pattern: str) -> str:
    """The pattern, if it is one that others may stand beside.

    Raises:
        re.error: it is none, or has flags for the whole.
    """
    _parsed(pattern)
    return pattern


def _parsed(pattern: str) -> parser.SubPattern:
    parsed = parser.parse(pattern)
    if parsed.state.flags != re.UNICODE:
        raise re.error("a flag must hold for a part", pattern)
    if "(?<" in pattern:
        re.compile(pattern)  # only the compiler tells whether what is looked for behind has one length
    return parsed


def needed_words(pattern: str) -> frozenset[str] | None:
    r"""Strings of which one at least stands in every text the pattern matches, the longest that are found; None where
    there are none, and anything may match.

    >>> sorted(needed_words(r"(?:图片|图)来源[:：].{0,30}")), needed_words(r"\d+")
    (['图来源:', '图来源：', '图片来源:', '图片来源：'], None)

    Raises:
        re.error: the pattern is none, or has flags for the whole.
    """
    return _needs(pattern)[0]


@lru_cache(maxsize=1024)
def _needs(pattern: str) -> tuple[frozenset[str] | None, int]:
    """The needed words of a pattern, and how many characters a match has at most."""
    parsed = _parsed(pattern)
    words = _best(_written_out(parsed)[1])
    return None if words is None else frozenset(words), parsed.getwidth()[1]


def _best(choices: list[set[str]]) -> set[str] | None:
    """Of sets of strings the one of which least texts hold any: of long ones that are no figures, and few of them; of
    several the last, since a text that begins as the pattern does most often ends in another way."""
    choices = [words for words in reversed(choices) if words and "" not in words]
    return max(choices, default=None, key=lambda words: (
        not "".join(words).isdecimal(), min(map(len, words)), -len(words)))


def _written_out(items) -> tuple[set[str] | None, list[set[str]]]:
    """All strings a sequence matches, None where they are too many; and the sets of which each match holds a string."""
    strings: set[str] = {""}  # what the items since the last that could not be written out match
    whole, choices = True, []
    for kind, value in items.data:  # its own iterator is slow
        more, needed = _item_written_out(kind, value)
        if more is not None and len(strings) * len(more) <= MAX_WORDS:
            strings = {a + b for a in strings for b in more}
            continue
        whole = False
        choices += [strings, *needed]
        strings = {""} if more is None else more
    return strings if whole else None, [*choices, strings]


def _item_written_out(kind, value) -> tuple[set[str] | None, list[set[str]]]:
    """The same for one item of a parsed expression; what it may be that is not named here says nothing."""
    if kind is op.LITERAL:
        return {chr(value)}, []
    if kind is op.IN:
        characters: set[str] = set()
        for each, what in value:
            if each is op.LITERAL:
                characters.add(chr(what))
            elif each is op.RANGE and what[1] - what[0] < MAX_WORDS:
                characters.update(map(chr, range(what[0], what[1] + 1)))
            elif each is op.CATEGORY and what is op.CATEGORY_SPACE:
                characters |= _SPACES
            else:
                return None, []
        return (characters if len(characters) <= MAX_WORDS else None), []
    if kind is op.SUBPATTERN:
        _, flags, without, inside = value
        return _written_out(inside) if not flags and not without else (None, [])
    if kind is op.BRANCH:
        branches = [_written_out(branch) for branch in value[1]]
        if all(strings is not None for strings, _ in branches):
            return set().union(*(strings for strings, _ in branches)), []
        needed = [_best(choices) for _, choices in branches]
        return None, [set().union(*needed)] if all(needed) else []
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
        least, most, inside = value
        strings, choices = _written_out(inside)
        if most == 1 and strings is not None:
            return (strings if least else strings | {""}), []
        return None, choices if least else []
    return None, []
