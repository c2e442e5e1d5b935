"""The figures a statement quotes: value, unit, what they count, and where they stand.

A quantity is a number with a unit or a measure word: 5397件, 43.5亿元, 同比增长11.31%, 近30地, 十至二十家, 15bp. No
quantities are dates and years (2025年, 3月末), quarters, ordinals (第三次), numbers of documents and lists, codes
(884111.WI), versions and model names (Seedance2.0), numbers in names and set phrases (五篇大文章, whatever stands
between 《 and 》, counts in a short quoted name), and 一 before a measure word, which says “a” rather than “one”. Words
without a number (多家) are none either, but a vague number is one: 数十家 is 10 to 99.

Which words are units, modifiers and names stands in codebook/quantities.yml.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .yamlfile import YamlFile

if TYPE_CHECKING:
    import pandas as pd

KINDS = {
    "amount": {"zh": "金额", "en": "amount of money"}, "percent": {"zh": "百分比", "en": "per cent"},
    "percentage_points": {"zh": "百分点", "en": "percentage points"},
    "basis_points": {"zh": "基点", "en": "basis points"}, "ratio": {"zh": "倍数与比例", "en": "ratio"},
    "duration": {"zh": "时长", "en": "duration"}, "count": {"zh": "件数", "en": "count of things"},
    "number": {"zh": "未写单位的数", "en": "number without a unit"},
}
APPROX = {
    "about": {"zh": "约", "en": "about"}, "nearly": {"zh": "近", "en": "nearly"}, "over": {"zh": "逾", "en": "over"},
    "under": {"zh": "不到", "en": "under"}, "at_least": {"zh": "不少于", "en": "at least"},
    "at_most": {"zh": "不超过", "en": "at most"},
}
CHANGES = {"up": {"zh": "升", "en": "a rise"}, "down": {"zh": "降", "en": "a fall"}}

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_POWERS = {"十": 1, "百": 2, "千": 3, "万": 4, "亿": 8}
_TO_ASCII = {0xFF10 + i: 0x30 + i for i in range(10)} | {0xFF0E: 0x2E}
_CLAUSE_ENDS = "，。；：！？、,;:!?\n（）()“”《》"
_CLAUSE_END = re.compile(f"[{re.escape(_CLAUSE_ENDS)}]")
_FULL_WIDTH = re.compile("[０-９]")
_LIST_MARKS = ("、", "和", "与", "及", "以及", "，")
_MINUS = "-－−"
_SENTENCE_PART = re.compile(f"[{re.escape(_CLAUSE_ENDS.replace('、', ''))}]")
_SEPARATELY = ("分别", "依次")
_LONGEST_WHAT, _LONGEST_NAME = 24, 13


@dataclass(frozen=True, slots=True)
class Quantity:
    """One quoted figure.

    Attributes:
        value: in units of `unit`: 43.5亿元 is 4.35e9 元, 八成 is 80 %, 6个月 is 6 月.
        value_high: the upper end of a range (十至二十家, 数十家); None otherwise.
        unit: 元, %, 百分点, 基点, 倍, 月, 家 …; "" for a fraction (三分之一) or where no unit is said (10万).
        kind: one of `KINDS`; `number` where no unit is said.
        approx: one of `APPROX`, or None for a plain number.
        change: `up` or `down` where the figure is told as a change, else None.
        against: what a change is measured against (同比, 比年初), else None.
        what: what is counted or measured, in the sentence's words; None where it does not say.
        text: the figure as written, modifiers included (近30地, 1.2%左右): statement[start:end].
        start, end: in characters of the statement.
    """

    value: float
    value_high: float | None
    unit: str
    kind: str
    approx: str | None
    change: str | None
    against: str | None
    what: str | None
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Unit:
    kind: str
    name: str
    times: float
    not_before: str
    digits: bool


_FRACTION = _Unit("ratio", "", 1, "", False)
_NO_UNIT = _Unit("number", "", 1, "", False)
_PERCENT = _Unit("percent", "%", 1, "", False)


class QuantityRules:
    """The units, modifiers and names of codebook/quantities.yml, compiled.

    Args:
        path: the YAML file.

    Raises:
        UserError: it is missing or says something that cannot be used; names the line.
    """

    def __init__(self, path: str | Path):
        file = YamlFile(path)
        self._path = file.path
        data = file.data if isinstance(file.data, dict) else {}
        shapes = dict.fromkeys(
            ("units", "range_marks", "change_tail", "against", "names", "what_ends", "what_tail", "what_head", "share",
             "share_not", "share_names"), list)
        shapes |= dict.fromkeys(("not_before", "before", "after", "compare", "inside", "half_after", "change"), dict)
        shapes |= dict.fromkeys(("before_not_after", "after_not_before", "last_before_duration", "bare_scale_after",
                                 "not_after", "no_duration_after"), str)
        for key in sorted(set(data) - set(shapes)):
            raise file.error(f"“{key}” is not known here", key)
        for key, shape in shapes.items():
            if not isinstance(data.get(key), shape) or not data[key]:
                raise file.error(f"“{key}” must be {({list: 'a list', dict: 'a mapping', str: 'a text'})[shape]}", key)
        kinds = [kind for kind in KINDS if kind != "number"]
        self.units: dict[str, _Unit] = {}
        for i, row in enumerate(data["units"]):
            if not isinstance(row, dict) or row.get("kind") not in kinds or not row.get("words"):
                raise file.error(f"a unit has a `kind`, one of {', '.join(kinds)}, and `words`", "units", i)
            for word in row["words"]:
                if word in self.units:
                    raise file.error(f"the unit “{word}” stands twice", "units", i)
                self.units[word] = _Unit(row["kind"], row.get("as", word), row.get("times", 1),
                                         row.get("not_before", "") + data["not_before"].get(word, ""),
                                         bool(row.get("digits")))
        for word in data["not_before"]:
            if word not in self.units:
                raise file.error(f"“{word}” is none of the units above", "not_before", word)
        for key, known in (("before", APPROX), ("after", APPROX), ("change", CHANGES)):
            for name in data[key]:
                if name not in known:
                    raise file.error(f"“{name}” is none of {', '.join(known)}", key, name)
        self.before, self.after, self.change = (
            _Words({word: name for name, words in data[key].items() for word in words})
            for key in ("before", "after", "change"))
        self.inside, self.marks = data["inside"], tuple(sorted(data["range_marks"], key=_longest_first))
        self.before_not_after, self.after_not_before = data["before_not_after"], data["after_not_before"]
        self.half_after = data["half_after"]
        self.bare_scale_after, self.not_after = data["bare_scale_after"], data["not_after"]
        self.no_duration_after = data["no_duration_after"]
        self.change_tail = _Words(dict.fromkeys(data["change_tail"]))
        self.what_tail = _Words(dict.fromkeys(data["what_tail"]) | self.change.meaning)
        self.what_head = _Words(dict.fromkeys(data["what_head"]))
        self.against = re.compile(_any_of(data["against"]))
        self.compare, self.last_before_duration = _Words(data["compare"]), data["last_before_duration"]
        self.names = re.compile(_any_of(data["names"]))
        self.what_end = re.compile(_any_of(data["what_ends"]) + "|[0-9" + re.escape(_CLAUSE_ENDS) + "]")
        self.share = re.compile(f"(?P<other>{_any_of(data['share_not'])})|{_any_of(data['share'])}")
        self.share_names = re.compile(_any_of(data["share_names"]))
        numeral = "〇零一二两三四五六七八九十百千万亿半"
        some = (rf"[0-9]{{1,15}}(?:,[0-9]{{3}}){{0,4}}(?:\.[0-9]{{1,6}})?|"
                rf"[数几]?[{numeral}]{{1,12}}(?:点[{numeral}]{{1,4}})?")
        # Every repeat is bounded and of one class of characters, so matching is linear whatever the text. A Chinese
        # numeral needs a unit, or what makes it the first end of a range or list.
        self.figure = re.compile(
            rf"(?P<n>{some})(?P<s>(?: ?[十百千万亿]{{1,3}})?)(?P<v>{_any_of(self.inside)}|)(?P<t>[百千万亿]{{0,2}})"
            rf"(?:分之(?P<f>{some})|(?P<u> ?(?:{_any_of(self.units)}))|(?<=[0-9十百千万亿半{''.join(self.inside)}])|"
            rf"(?={_any_of(self.marks)}))")

    @classmethod
    def load(cls, codebook: str | Path) -> QuantityRules:
        """Read `quantities.yml` of a codebook folder."""
        return cls(Path(codebook) / "quantities.yml")

    def __reduce__(self):
        return QuantityRules, (self._path,)


def _longest_first(word: str) -> tuple[int, str]:
    return -len(word), word


def _any_of(words) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=_longest_first))


class _Words:
    """Words with a meaning, found where they end or begin, longest first."""

    def __init__(self, meaning: dict[str, str | None]):
        self.meaning = meaning
        self._by_end: dict[str, list[str]] = {}
        self._by_start: dict[str, list[str]] = {}
        for word in sorted(meaning, key=_longest_first):
            self._by_end.setdefault(word[-1], []).append(word)
            self._by_start.setdefault(word[0], []).append(word)

    def ending(self, text: str, end: int) -> str:
        """The longest word that ends at `end`, or ""."""
        for word in self._by_end.get(text[end - 1:end], ()):
            if text.endswith(word, 0, end):
                return word
        return ""

    def starting(self, text: str, start: int) -> str:
        """The longest word that starts at `start`, or ""."""
        for word in self._by_start.get(text[start:start + 1], ()):
            if text.startswith(word, start):
                return word
        return ""


@dataclass(slots=True)
class _Figure:
    """A number and its unit as the pattern found them, before modifiers.

    `scaled`: it ends in 万 or 亿; `bare`: it is a scale without a digit (百家); `parts`: it is a part of what is named
    after it (八成, 三分之一).
    """

    value: float
    high: float | None
    unit: _Unit | None
    start: int
    end: int
    written: str
    vague: str | None = None
    scaled: bool = False
    bare: bool = False
    parts: bool = False

    @property
    def digits(self) -> bool:
        return "0" <= self.written[0] <= "9"


def extract_quantities(texts: Sequence[str], rules: QuantityRules) -> list[list[Quantity]]:
    """The quantities of each statement, in the order of the text.

    Args:
        texts: statements.
        rules: of the codebook.

    Returns:
        one list for each statement, empty where it quotes no figure.
    """
    return [_of_statement(text, rules) for text in texts]


def _of_statement(text: str, rules: QuantityRules) -> list[Quantity]:
    plain = text.translate(_TO_ASCII) if _FULL_WIDTH.search(text) else text
    figures = [figure for m in rules.figure.finditer(plain) if (figure := _read(m, plain, rules))]
    if not figures:
        return []
    figures = _share_units(_join_ranges(figures, plain, rules), plain)
    names = [m.span() for m in rules.names.finditer(plain)]
    clauses = [m.end() for m in _CLAUSE_END.finditer(plain)]
    found: list[Quantity] = []
    shared = False  # whether the last figure was told as a share of something
    for figure in figures:
        unit = figure.unit
        if unit is None:
            if not (figure.digits and figure.scaled):
                continue
            unit = _NO_UNIT
        if any(a <= figure.start < b for a, b in names) or not _is_quantity(figure, unit, plain, rules):
            continue
        start, before = _modifier_before(plain, figure.start, rules)
        if figure.bare and not before and not (start and plain[start - 1] in rules.bare_scale_after):
            continue
        if unit.kind == "duration" and plain[start:figure.start] == rules.last_before_duration:
            before = None
        end, after = _modifier_after(plain, figure.end, rules)
        last = found[-1] if found else None
        i = bisect_right(clauses, start)
        clause, floor = clauses[i - 1] if i else 0, last.end if last else 0
        change, against = _change(plain, clause, start, rules)
        if change is None and last and last.kind == unit.kind and plain[last.end:start] in _LIST_MARKS:
            change, against = last.change, last.against
        what, piece = None, plain[max(clause, floor):start]
        # 占全市的52.8%、全区GDP的24.3%: two shares of one thing
        goes_on = shared and piece.endswith("的") and plain[last.end:start].startswith(_LIST_MARKS)
        shared = goes_on or _share_in(piece, rules) is not None
        if unit.kind in ("count", "amount") or figure.parts or plain[end:end + 1] == "的":
            what = _named_after(plain, end, rules)
        if what is None and not goes_on:
            what, compared = _named_before(piece, rules)
            if what is None and not last and i:
                earlier = clauses[i - 2] if i > 1 else 0
                end_of_subject = rules.what_end.search(plain, min(earlier + 1, clause - 1), clause)
                what, _ = _named_before(plain[earlier:end_of_subject.start()], rules)
            if compared and against is None:
                against, change = compared, change or rules.compare.meaning[rules.compare.starting(compared, 0)]
        found.append(Quantity(figure.value, figure.high, unit.name, unit.kind, before or after or figure.vague, change,
                              against, what or (last.what if last else None), text[start:end], start, end))
    return _told_apart(found, plain, rules)


# --- numbers ------------------------------------------------------------------------------------------------------

def _read(m: re.Match, text: str, rules: QuantityRules) -> _Figure | None:
    """What a match says, or None where it is no number with a unit."""
    number, scale, inside, more_scale, part, written = m.groups()
    start, end = m.span()
    scale = scale.lstrip() + more_scale
    digits = "0" <= number[0] <= "9"
    previous = text[start - 1] if start else "\n"
    if previous in rules.not_after or (digits and previous.isascii() and (previous.isalnum() or previous in "._+/%")):
        return None
    if part is not None:
        return None if scale else _fraction(number, part, start, end)
    unit = None
    if written is not None:
        written = written.lstrip()
        unit, following = rules.units[written], text[end:end + 1] or "\n"
        if following in unit.not_before or (unit.digits and not digits) or (
                written.isascii() and written.isalpha() and following.isascii() and following.isalpha()):
            unit = None
    if number in ("一半", "半") and (unit is None or unit.kind == "count"):
        approx = rules.half_after.get(previous) if number == "半" else None
        if number == "半" and approx is None and text[start + 1:start + 2] != "数":
            return None
        end = start + 2 if number == "一半" or text[start + 1:start + 2] == "数" else start + 1
        return _Figure(0.5, None, _FRACTION, start - bool(approx), end, number, approx, parts=True)
    if written is not None and unit is None:
        return None
    value, high, bare = _value(number, scale, inside)
    if value is None:
        return None
    if unit is not None:
        if unit.times != 1:
            value, high = round(value * unit.times, 10), None if high is None else round(high * unit.times, 10)
        if unit.kind == "duration" and number != "半" and text[end:end + 1] == "半":
            value, end = value + 0.5, end + 1
    if digits and previous in _MINUS and not (
            start > 1 and ("0" <= text[start - 2] <= "z" or text[start - 2] in "%％)）")):
        value, start = -value, start - 1
    return _Figure(value, high, unit, start, end, number, rules.inside.get(inside),
                   scaled=scale[-1:] in ("万", "亿"), bare=bare,
                   parts=unit is not None and unit.times == 10)


def _fraction(whole: str, part: str, start: int, end: int) -> _Figure | None:
    """百分之五 as 5 %, 三分之二 as two thirds."""
    value, _, _ = _value(part, "", "")
    if value is None:
        return None
    if whole in ("百", "千"):
        return _Figure(value if whole == "百" else value / 10, None, _PERCENT, start, end, whole)
    by, _, _ = _value(whole, "", "")
    return _Figure(value / by, None, _FRACTION, start, end, whole, parts=True) if by else None


def _value(number: str, scale: str, vague: str) -> tuple[float | None, float | None, bool]:
    """(value, upper end or None, whether the number is a mere scale such as 百); value None where it is no number."""
    if "0" <= number[0] <= "9":
        power = sum(_POWERS[c] for c in scale)
        value = float(f"{number.replace(',', '')}e{power}")
        return value, (value + 9 if vague == "几" and not power else None), False
    if number[0] in "数几":
        rest = number[1:] + scale
        if any(c not in _POWERS for c in rest):
            return None, None, False
        power, first = sum(_POWERS[c] for c in rest), _POWERS[rest[0]]
        return float(f"1e{power}"), float(f"{10 ** (first + 1) - 1}e{power - first}"), False
    whole = number + scale
    if number == "半":
        return (0.5, None, False) if not scale else (None, None, False)
    a, b, rest = _DIGITS.get(whole[0]), _DIGITS.get(whole[1:2]), whole[2:]
    if a and b and a < b <= a + 2 and len(whole) > 1 and all(c in _POWERS for c in rest):  # 两三家, 七八十, 三五年
        power = sum(_POWERS[c] for c in rest)
        return float(f"{a}e{power}"), float(f"{b}e{power}"), False
    value = chinese_number(whole)
    high = None
    if value is not None and vague == "几" and whole[-1] in "十百千":
        high = value + 10 ** _POWERS[whole[-1]] - 1
    return value, high, whole[0] in "百千万亿"


def chinese_number(numeral: str) -> float | None:
    """The value of a numeral in Chinese characters (三百二十, 一万五千, 十, 三点五), or None where it is none.

    Digits in a row (二〇二五, 三一) are no numeral. A scale without a digit before it counts once (百 is 100).
    """
    numeral, _, decimals = numeral.partition("点")
    hundred_millions = ten_thousands = section = 0
    digit: int | None = None
    smallest = 9
    for c in numeral:
        if c in _DIGITS:
            if digit:
                return None
            digit = _DIGITS[c]
        elif c == "万":
            if ten_thousands:
                return None
            ten_thousands, section, digit, smallest = ((section + (digit or 0)) or 1) * 10_000, 0, None, 9
        elif c == "亿":
            if hundred_millions:
                return None
            hundred_millions = ((ten_thousands + section + (digit or 0)) or 1) * 100_000_000
            ten_thousands, section, digit, smallest = 0, 0, None, 9
        elif c in _POWERS:
            if _POWERS[c] >= smallest:
                return None
            section += (1 if digit is None else digit) * 10 ** _POWERS[c]
            digit, smallest = None, _POWERS[c]
        else:
            return None
    value = hundred_millions + ten_thousands + section + (digit or 0)
    if decimals:
        if any(c not in _DIGITS for c in decimals):
            return None
        return float(f"{value}.{''.join(str(_DIGITS[c]) for c in decimals)}")
    return float(value) if numeral else None


def _join_ranges(figures: list[_Figure], text: str, rules: QuantityRules) -> list[_Figure]:
    """十至二十家 as one figure; 从60%到80% stays two."""
    out: list[_Figure] = []
    for figure in figures:
        first = out[-1] if out else None
        if first is not None and first.high is None and text[first.end:figure.start] in rules.marks \
                and text[first.start - 1:first.start] not in ("从", "由") and figure.value > 0 \
                and (first.unit is None or first.unit == figure.unit):
            low = first.value
            if first.unit is None and not first.scaled and figure.scaled and low < figure.value / 1e4:
                power = 0
                while low * 10 ** (power + 4) <= figure.value:
                    power += 4
                low *= 10 ** power
            if first.unit is None and figure.unit is not None and figure.unit.times != 1:
                low = round(low * figure.unit.times, 10)
            if low < figure.value:
                out[-1] = replace(figure, value=low, high=figure.value, start=first.start, bare=False)
                continue
        out.append(figure)
    return out


def _share_units(figures: list[_Figure], text: str) -> list[_Figure]:
    """14.4、14.43个百分点: a number in digits takes the unit of the next one in its list."""
    for i in range(len(figures) - 2, -1, -1):
        one, next_ = figures[i], figures[i + 1]
        if one.unit is None and one.digits and next_.digits and next_.unit is not None and next_.high is None \
                and text[one.end:next_.start] in ("、", "和", "与", "及") and not one.scaled \
                and next_.unit.kind != "duration" and not next_.scaled:
            one.unit = next_.unit
    return figures


def _is_quantity(figure: _Figure, unit: _Unit, text: str, rules: QuantityRules) -> bool:
    previous = text[figure.start - 1:figure.start] or " "
    following = text[figure.end:figure.end + 1]
    if text.rfind("《", 0, figure.start) > text.rfind("》", 0, figure.start):
        return False
    if unit.kind == "duration":
        if previous in rules.no_duration_after:
            return False
        if unit.name == "年" and figure.digits and figure.high is None and figure.value.is_integer():
            if 1900 <= figure.value <= 2100:
                return False
            if 10 <= figure.value < 100 and following and following in "末初底全上下第中一二三四0123456789":
                return False
        if unit.name == "年" and figure.high is not None and figure.high >= 1900:
            return False
        if unit.name == "日" and text[figure.end - 1] == "日" and text[figure.end - 2] not in "作易然" \
                and following != "内" and text[figure.end:figure.end + 2] != "之内":
            return False
    if unit.kind == "count":
        if figure.written == "一" and previous != "仅":
            return False
        opening = text.rfind("“", 0, figure.start)
        if opening > text.rfind("”", 0, figure.start):
            closing = text.find("”", figure.end)
            if closing >= 0 and closing - opening <= _LONGEST_NAME:
                return False
    return True


# --- words around the number --------------------------------------------------------------------------------------

def _modifier_before(text: str, start: int, rules: QuantityRules) -> tuple[int, str | None]:
    word = rules.before.ending(text, start)
    first = start - len(word)
    if not word or (first and text[first - 1] in rules.before_not_after):
        return start, None
    return first, rules.before.meaning[word]


def _modifier_after(text: str, end: int, rules: QuantityRules) -> tuple[int, str | None]:
    word = rules.after.starting(text, end)
    past = end + len(word)
    if not word or (past < len(text) and text[past] in rules.after_not_before):
        return end, None
    return past, rules.after.meaning[word]


def _change(text: str, clause: int, start: int, rules: QuantityRules) -> tuple[str | None, str | None]:
    end = start
    while not (word := rules.change.ending(text, end)) and (tail := rules.change_tail.ending(text, end)):
        end -= len(tail)
    if not word:
        return None, None
    against = None
    for m in rules.against.finditer(text, clause, end):
        against = m[0]
    return rules.change.meaning[word], against


_TIME = re.compile(r"[0-9]{2,4}年(?:前?[一二三四]季度|[上下]半年|[0-9]{1,2}月(?:[0-9]{1,2}日)?)?"
                   r"(?:[末底初]|以来|全年)?|[0-9]{1,2}月(?:[0-9]{1,2}日)?[末底初]?|前?[一二三四]季度末?|[上下]半年|[年月季]末|年底")


_WITHIN = re.compile(r"在[^在]{0,24}[中里内]$")  # 在全部贷款中占: no subject
_TIMES_OF = re.compile(r"[^为是]{0,2}[为是][^为是]+的")  # 为上年同期的12.8倍


def _told_apart(found: list[Quantity], text: str, rules: QuantityRules) -> list[Quantity]:
    """Figures of one unit in a list, each with its own of the things named together before them.

    渔船、渔港投保率81%、64% is one such list, 罚单21张，罚没3亿元，分别增长36%和19% another. Where 分别 says that
    the figures are of different things, and there are not as many things as figures, nothing is said of which is which.
    """
    i = 0
    while i < len(found):
        n = 1
        while i + n < len(found) and found[i + n].unit == found[i].unit and \
                text[found[i + n - 1].end:found[i + n].start] in _LIST_MARKS:
            n += 1
        if n > 1 and _share_in(text[:found[i].start], rules) is None:
            things = _things_before(found, i, n, text, rules)
            found[i:i + n] = [replace(q, what=things[k]) for k, q in enumerate(found[i:i + n])]
        i += n
    return found


def _things_before(found: list[Quantity], i: int, n: int, text: str, rules: QuantityRules) -> list[str | None]:
    """What each of the `n` figures from place `i` counts."""
    floor = 0
    for q in reversed(found[:i]):
        if not (q.kind == "count" and q.value == n):  # 三类贷款 goes on naming them
            floor = q.end
            break
    begin = max([floor, *(m.end() for m in _SENTENCE_PART.finditer(text, 0, found[i].start))])
    words = _TIME.split(text[begin:found[i].start])[-1]
    separately = any(word in words for word in _SEPARATELY)
    words = _thing_in(words, rules)
    if not words and separately:
        before = [q.what for q in found[max(i - n, 0):i]]
        return before if len(before) == n and len(set(before)) == n else [None] * n
    things = _and_last(words.split("、"), n)
    if len(things) != n or not all(things):
        return [None] * n if separately else [q.what for q in found[i:i + n]]
    counted = [q for q in found[:i] if q.start >= begin]
    last = things[-1]
    for q in counted:  # 三类 is none of its words
        last = last.replace(q.text, "")
    shared = last.rfind(things[-2][-1]) + 1
    if 1 < shared < len(last):  # 近海渔船、远洋渔船|投保率
        return [*(thing + last[shared:] for thing in things[:-1]), last]
    return [*things[:-1], last]


def _and_last(things: list[str], n: int) -> list[str]:
    """Things named together; the last two may be joined by 和 where one is wanting."""
    if len(things) == n - 1:
        for mark in ("以及", "和", "与", "及"):
            first, found, second = things[-1].partition(mark)
            if found and len(first) > 1 and len(second) > 1:
                return [*things[:-1], first, second]
    return things


def _share_in(clause: str, rules: QuantityRules) -> int | None:
    """Where the words before a number say that it is a share: the place of the last 占; None where they do not, or
    where the ratio has a name of its own."""
    marks = [m.start() for m in rules.share.finditer(clause) if m["other"] is None]
    return marks[-1] if marks and not rules.share_names.search(clause, marks[-1]) else None


def _thing_in(words: str, rules: QuantityRules) -> str:
    """What is left of the words before a number without those that only lead to it, and what it is held against."""
    while word := rules.what_tail.ending(words, len(words)):
        words = words[:-len(word)]
    if m := rules.against.search(words):
        words = words[:m.start()]
    while word := rules.what_head.starting(words, 0):
        words = words[len(word):]
    return words


def _named_before(clause: str, rules: QuantityRules) -> tuple[str | None, str | None]:
    """(what the words before the number are about, what they hold it against instead); neither where they only say
    what it is a share or a multiple of."""
    if (share := _share_in(clause, rules)) is not None:
        clause = _WITHIN.sub("", clause[:share])
    elif _TIMES_OF.fullmatch(clause):
        return None, None
    for piece in reversed(_TIME.split(clause)):
        piece = _thing_in(piece, rules)
        if len(piece) > 1:
            if rules.compare.starting(piece, 0):
                return None, piece[:_LONGEST_WHAT]
            return piece[-_LONGEST_WHAT:], None
    return None, None


def _named_after(text: str, end: int, rules: QuantityRules) -> str | None:
    """The noun that follows a measure word, or None."""
    if text[end:end + 1] == "的":
        end += 1
    m = rules.what_end.search(text, end, end + _LONGEST_WHAT)
    what = text[end:m.start() if m else end + _LONGEST_WHAT]
    return what if len(what) > 1 else None


# --- the table ----------------------------------------------------------------------------------------------------

def quantity_table(statements: pd.DataFrame, rules: QuantityRules) -> pd.DataFrame:
    """Every quantity of a table of statements, to search and to export.

    Args:
        statements: statement_id, article_id, year, regions, text.
        rules: of the codebook.

    Returns:
        a row for each quantity: statement_id, article_id, year, regions, the attributes of `Quantity` (its `text`
        is named `quantity`) and the statement's text; in the order of the statements and of the text.
    """
    import pandas as pd

    extracted = extract_quantities(list(statements["text"]), rules)
    rows = [(i, *(getattr(q, f.name) for f in fields(Quantity))) for i, found in enumerate(extracted) for q in found]
    names = ["row", *(f.name for f in fields(Quantity))]
    table = pd.DataFrame(rows, columns=names).rename(columns={"text": "quantity"})
    context = statements[["statement_id", "article_id", "year", "regions", "text"]].iloc[table["row"]]
    context = context.reset_index(drop=True)
    table = pd.concat([context.drop(columns="text"), table.drop(columns="row"), context[["text"]]], axis=1)
    return table.astype({"value": "float64", "value_high": "float64", "start": "int64", "end": "int64"})


NOT_SETTLED = "?"
NOT_SAID = "-"
OBJECTS = "quantity_objects.csv"


def objects_marked(gold: str | Path) -> pd.DataFrame:
    """The figures of which it was marked what they count: part (`random` and `share` were drawn before the rule on
    shares was written, `later` after it, at random), start, what (words that must be in what is found, or `-` where the
    sentence does not say), text; without rows where the folder has none."""
    import pandas as pd

    path = Path(gold) / OBJECTS
    if not path.is_file():
        return pd.DataFrame(columns=["part", "start", "what", "text"])
    return pd.read_csv(path, encoding="utf-8-sig", keep_default_na=False)


def object_accuracy(marked: pd.DataFrame, rules: QuantityRules) -> pd.DataFrame:
    """Of how many marked figures it is told right what they count.

    Args:
        marked: as `objects_marked` gives it.
        rules: of the codebook.

    Returns:
        part, right, n, share, low, high (Wilson's, at 95 %); parts sorted.
    """
    import pandas as pd

    from .measures import wilson_interval

    counts: dict[str, list[int]] = {}
    for row, found in zip(marked.itertuples(), extract_quantities(marked["text"].tolist(), rules), strict=True):
        of_part = counts.setdefault(row.part, [0, 0])
        of_part[0] += any(q.start == row.start and _names_it(q.what, row.what, rules) for q in found)
        of_part[1] += 1
    return pd.DataFrame([(part, right, n, right / n, *map(float, wilson_interval(right, n)))
                         for part, (right, n) in sorted(counts.items())],
                        columns=["part", "right", "n", "share", "low", "high"])


def _names_it(what: str | None, marked: str, rules: QuantityRules) -> bool:
    """Whether what was found names what was marked, and not besides it what it is a share of."""
    if marked == NOT_SAID or what is None:
        return marked == NOT_SAID and what is None
    return marked in what and all(m[0] in marked for m in rules.share.finditer(what))


def quantity_accuracy(labels: pd.DataFrame, rules: QuantityRules) -> pd.DataFrame:
    """How many of the figures marked by hand are found, and how many of those found are right.

    Args:
        labels: text, part, and quantities: the figures as they stand in the text, joined by “|”, empty for none, “?”
            where the markers did not settle (such sentences are left out).
        rules: of the codebook.

    Returns:
        part, n (sentences), tp (figures found as marked), fp (found and not marked, or with other words), fn (marked
        and not found so), precision, precision_low, precision_high, recall, recall_low, recall_high (Wilson's, at
        95 %); a row for each part, sorted, and for `all`.
    """
    from collections import Counter

    import pandas as pd

    from .measures import wilson_interval

    settled = labels[labels["quantities"] != NOT_SETTLED]
    found = extract_quantities(settled["text"].tolist(), rules)
    counts: dict[str, list[int]] = {part: [0, 0, 0, 0] for part in (*sorted(set(settled["part"])), "all")}
    for part, marked, quantities in zip(settled["part"], settled["quantities"], found, strict=True):
        wanted = Counter(q.strip() for q in marked.split("|") if q.strip())
        got = Counter(q.text for q in quantities)
        right = (wanted & got).total()
        for row in (counts[part], counts["all"]):
            for k, n in enumerate((1, right, got.total() - right, wanted.total() - right)):
                row[k] += n
    rows = []
    for part, (n, tp, fp, fn) in counts.items():
        row = {"part": part, "n": n, "tp": tp, "fp": fp, "fn": fn}
        for name, of in (("precision", tp + fp), ("recall", tp + fn)):
            low, high = wilson_interval(tp, of)
            row |= {name: tp / of if of else float("nan"), f"{name}_low": float(low), f"{name}_high": float(high)}
        rows.append(row)
    return pd.DataFrame(rows)
