"""Dates in Chinese text: what a document states, what can be inferred from it by a stated rule, and its work year.

Nothing is guessed. A date is `stated` where the document gives it as its own (a byline, front matter, a meta tag, a
page head), `inferred` where a rule below derives it from the wording of the text, else None.
"""

from __future__ import annotations

import calendar
import re
from collections import Counter
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple

from .patterns import needed_words

FIRST_YEAR, LAST_YEAR = 1949, 2100
MAX_TEXT = 60_000  # characters of an article that are searched for dates
MAX_VALUE = 80  # characters of a metadata value that are read as a date

_DIGITS = {c: i for i, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "○": 0, "Ｏ": 0}
# Expressions begin with a literal so that the search runs at the speed of a byte search; what may not stand before the
# year is checked on the hits.
_DATES = tuple((century, re.compile(
    century + r"\d\d(?:\s{0,2}年\s{0,2}(\d{1,2})\s{0,2}月(?:\s{0,2}(\d{1,2})\s{0,2}[日号])?"
    r"|([-/.])(\d{1,2})\3(\d{1,2})(?!\d)|[-/](0[1-9]|1[0-2])(?![\d/-]))")) for century in ("20", "19"))
_NAMED_YEAR = re.compile(r"20\d\d年(?!以来|前|后|起)")
_ISO = re.compile(r"((?:19|20)\d\d)-(\d\d)-(\d\d)(?!\d)")
_NUMERALS = re.compile(r"([一二][〇零○Ｏ一二三四五六七八九]{3})年(?:([一二三四五六七八九十]{1,3})月)?"
                       r"(?:([一二三四五六七八九十]{1,3})[日号])?")
_TIME = re.compile(r"[T\s]{0,4}\d{1,2}\s?[:：时点]\s?\d{1,2}(?:\s?[:：分]\s?\d{1,2}(?:\.\d{1,6})?)?\s?[分秒]?"
                   r"(?:\s?(?:Z|[+-]\d\d:?\d\d|GMT))?")
_AS_OF = re.compile(r"截至\s?((?:19|20)\d\d)年(\d{1,2})月(\d{1,2})[日号]")
MONTH_DAY = re.compile(r"(?<![\d年])(?<!\d\s)(\d{1,2})月(\d{1,2})[日号]")
_DATELINE = re.compile(r"^.{0,24}?(?<!\d)(\d{1,2})月(\d{1,2})日\s?(?:电|讯)")
_GLOSS_AFTER = re.compile(r"年\s?[（(]\s?((?:19|20)\d\d)\s?年?\s?[）)]")
_GLOSS_BEFORE = re.compile(r"年\s?[（(]\s?(今年|去年|明年|前年)\s?[）)]")
_THIS_YEAR_MONTH = re.compile(r"今年\s?(\d{1,2})月")
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")
_DASHES = re.compile("(?<=[0-9])[\u2010-\u2015\u2212\uff0d](?=[0-9])")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"\b({'|'.join(_MONTHS)})[a-z]{{0,6}}\.?"
_ENGLISH = re.compile(rf"(?i){_MONTH}\s(\d{{1,2}})(?:st|nd|rd|th)?,?\s((?:19|20)\d\d)\b")
_BRITISH = re.compile(rf"(?i)\b(\d{{1,2}})(?:st|nd|rd|th)?[\s-]{_MONTH},?[\s-]((?:19|20)\d\d)\b")
_SHIFT = {"前年": 2, "去年": 1, "今年": 0, "明年": -1}


class FoundDate(NamedTuple):
    """A date with a year that stands at `start:end` of a text; `iso` is as exact as it is written. A time of day
    written after it is part of it."""

    start: int
    end: int
    iso: str


@lru_cache(maxsize=4096)  # few days are those of many articles
def iso_date(year, month=None, day=None) -> str | None:
    """The ISO form, as exact as what is given, or None where there is no such day.

    >>> iso_date(2025, 2, 30) is None, iso_date("2025", "2"), iso_date(2025, 12, 27)
    (True, '2025-02', '2025-12-27')
    """
    year = int(year)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    if month is None:
        return f"{year}"
    month = int(month)
    if not 1 <= month <= 12:
        return None
    if day is None:
        return f"{year}-{month:02d}"
    return f"{year}-{month:02d}-{int(day):02d}" if 1 <= int(day) <= _last_day(year, month) else None


@lru_cache(maxsize=4096)
def _last_day(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _numeral(text: str) -> int:
    """A Chinese number up to 99, or a year digit by digit."""
    if len(text) == 4 and "十" not in text:
        return int("".join(str(_DIGITS[c]) for c in text))
    tens, ten, ones = text.partition("十")
    if not ten:
        return _DIGITS[text] if len(text) == 1 else 0
    return 10 * (_DIGITS[tens] if tens else 1) + (_DIGITS[ones] if ones else 0)


def find_dates(text: str, *, months: bool = True) -> list[FoundDate]:
    """The dates with a year that stand in a text (its first `MAX_TEXT` characters), in order, without overlaps.

    `2025年12月27日 18时38分`, `2022-02-08 05:32:12 +0800`, `2025/12/27`, `二〇二五年十二月二十七日`, and with
    `months` also `2025年12月` and `2025-12`.
    """
    text = text[:MAX_TEXT]
    found: list[FoundDate] = []
    for century, pattern in _DATES:
        if century not in text:
            continue
        for m in pattern.finditer(text):
            start = m.start()
            if start and (text[start - 1].isdigit() or text[start - 1] == "." or (
                    text[start - 1] in "-/" and text[start - 2 : start - 1].isdigit())):
                continue  # part of a longer number
            month, day = m[1] or m[4] or m[6], m[2] or m[5]
            iso = iso_date(text[start : start + 4], month, day) if day or months else None
            if iso:
                time = _TIME.match(text, m.end()) if day else None
                found.append(FoundDate(start, time.end() if time else m.end(), iso))
    if "年" in text and ("二〇" in text or "二○" in text or "一九" in text or "二零" in text):
        for m in _NUMERALS.finditer(text):
            if m[2] and (m[3] or months):
                iso = iso_date(_numeral(m[1]), _numeral(m[2]), _numeral(m[3]) if m[3] else None)
                if iso:
                    found.append(FoundDate(m.start(), m.end(), iso))
    return sorted(found) if len(found) > 1 else found


def stated_date(value) -> str | None:
    """What a metadata value says as a date: ISO date, year-month or year, or None.

    Takes text in the usual Chinese and international forms, a year as number, and Unix seconds or milliseconds.
    """
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, float):
        value = int(value) if value == value and abs(value) < 1e14 else ""
    return _date_of_text(str(value).strip()[:MAX_VALUE])


@lru_cache(maxsize=10_000)  # few days are those of many articles
def _date_of_text(text: str) -> str | None:
    if not text:
        return None
    text = _DASHES.sub("-", text)
    if m := _ISO.match(text):
        return iso_date(m[1], m[2], m[3])
    found = find_dates(text)
    if found:
        return found[0].iso
    if re.fullmatch(r"(?:19|20)\d\d(?:年度?)?", text):
        return iso_date(text[:4])
    if re.fullmatch(r"(?:19|20)\d{6}(?:\d{6})?", text):
        return iso_date(text[:4], text[4:6], text[6:8])
    if re.fullmatch(r"\d{10}|\d{13}", text):
        import datetime

        seconds = int(text[:10])
        day = datetime.datetime.fromtimestamp(seconds, datetime.timezone(datetime.timedelta(hours=8)))  # China's clock
        return day.date().isoformat()
    if m := _ENGLISH.search(text):
        return iso_date(m[3], _MONTHS.index(m[1].lower()) + 1, m[2])
    if m := _BRITISH.search(text):
        return iso_date(m[3], _MONTHS.index(m[2].lower()) + 1, m[1])
    if re.search(r"[A-Za-z]{3}", text):
        try:
            return parsedate_to_datetime(text).date().isoformat()
        except (ValueError, TypeError, IndexError):  # not a date of e-mail or HTTP: no date is known
            return None
    return None


def stated_year(value) -> int | None:
    """A work year given as metadata: the first four digits that are one."""
    m = _YEAR.search(str(value)[:MAX_VALUE]) if value is not None else None
    return int(m[1]) if m else None


def as_of_date(text: str) -> str | None:
    """The latest day a text counts up to (`截至2026年2月9日`), which is when it was written.

    Ends of months are left out: they are reporting dates. None also where the text names a later full date.
    """
    days = []
    for m in _AS_OF.finditer(text[:MAX_TEXT]):
        iso = iso_date(*m.groups())
        if iso and int(m[3]) != _last_day(int(m[1]), int(m[2])):
            days.append(iso)
    if not days:
        return None
    latest = max(days)
    others = (d.iso for d in find_dates(text, months=False))
    return None if any(d > latest for d in others) else latest


def writing_year(text: str) -> tuple[int, str] | None:
    """The year in which a text was written, where its own wording fixes it, and the rule that says so.

    - `this_year_is`: it glosses 今年 or 去年 itself, `去年（2023年）`.
    - `this_year_after`: it speaks of `今年1月16日` after `2023年10月底`: a writer of 2023 would not have named the year
      of October, and the month of 今年 has come round again, so this year is the one after the latest year that is
      named with a later month.
    """
    text = text[:MAX_TEXT]
    for m in _GLOSS_AFTER.finditer(text):
        word = text[max(m.start() - 1, 0) : m.start() + 1]
        if word in _SHIFT:
            return int(m[1]) + _SHIFT[word], "this_year_is"
    for m in _GLOSS_BEFORE.finditer(text):
        year = text[max(m.start() - 4, 0) : m.start()]
        if re.fullmatch(r"(?:19|20)\d\d", year):
            return int(year) + _SHIFT[m[1]], "this_year_is"
    m = _THIS_YEAR_MONTH.search(text)
    if m and 1 <= int(m[1]) <= 12:
        before = [d.iso for d in find_dates(text[: m.start()])]
        if before:
            year, month = max(before)[:7].split("-")
            if int(m[1]) < int(month):
                return int(year) + 1, "this_year_after"
    return None


class WorkYear:
    """Finds the work year a text states: `2026年工作会议`, `2026年金融监管工作`, by phrases that are data.

    Args:
        phrases: what may follow the year and a few characters (`工作会议`, `重点工作` …).
        gap: how many characters may stand between the year and the phrase.
        plans: expressions whose one group is a year for which something is laid down (`会议强调，2025年要…`).
    """

    def __init__(self, phrases: list[str], gap: int = 12, plans: list[str] = ()):
        self._marks = [p for p in dict.fromkeys(phrases) if not any(q in p for q in phrases if q != p)]
        self._plans = [re.compile(pattern) for pattern in plans]
        needed = [needed_words(pattern) for pattern in plans]
        hints = None if None in needed else {*self._marks, *(word for words in needed for word in words)}
        self._hint = re.compile("" if hints is None else "|".join(sorted(map(re.escape, hints))) or "(?!)")
        words = "|".join(sorted(map(re.escape, phrases), key=lambda w: (-len(w), w))) or "(?!)"
        self._pattern = re.compile(
            r"20\d\d年度?(?![初末底中]|\d|上半|前\d|以来)[^，。；！？\d\n]{0,%d}?(?:%s)" % (gap, words))  # noqa: UP031

    def years(self, text: str) -> list[int]:
        """The work years a text states, in order, with repeats."""
        text = text[:MAX_TEXT]
        for mark in self._marks:  # each phrase holds one of these
            if mark in text:
                return [int(m[0][:4]) for m in self._pattern.finditer(text)
                        if not m.start() or not (text[m.start() - 1].isdigit() or text[m.start() - 1] == ".")]
        return []

    def _planned(self, text: str) -> list[int]:
        """The years for which a text says that something is laid down."""
        return [int(m[1]) for pattern in self._plans for m in pattern.finditer(text[:MAX_TEXT])]

    def of(self, title: str, text: str, published: int | None) -> tuple[int, str] | None:
        """The work year and the rule: `work_year_title`, `title_year`, `work_year_text`.

        A title that names one year, that of publication or the one before or after it, is about that year. Work years
        before that of publication are background. Of several the most frequent counts, then the latest.
        """
        for place, part in (("work_year_title", title), ("work_year_text", text)):
            years = [y for y in self.years(part) or self._planned(part)
                     if published is None or published <= y <= published + 1] if self._hint.search(part) else ()
            if years:
                counts = Counter(years)
                return max(counts, key=lambda y: (counts[y], y)), place
            if place == "work_year_title":
                named = {int(m[0][:4]) for m in _NAMED_YEAR.finditer(title[:200])
                         if not m.start() or not title[m.start() - 1].isdigit()}
                if len(named) == 1 and (published is None or abs(min(named) - published) <= 1):
                    return min(named), "title_year"
        return None


def event_dates(text: str, work_year: WorkYear) -> list[FoundDate]:
    """The days of events a text names, those without a year resolved by the work year beside them.

    `1月12日召开的2025年监管工作会议` is 2025-01-12: an annual work meeting of the first quarter is held in its work
    year. A day without a year that no such meeting follows stays out.
    """
    text = text[:MAX_TEXT]
    found = find_dates(text, months=False)
    taken = {d.end for d in found} | {d.start for d in found}
    for m in MONTH_DAY.finditer(text):
        if m.end() in taken or int(m[1]) > 3:
            continue
        near = re.split(r"[。！？；\n]", text[m.end() : m.end() + 40], maxsplit=1)[0]
        years = work_year.years(near)
        iso = iso_date(years[0], m[1], m[2]) if years else None
        if iso:
            found.append(FoundDate(m.start(), m.end(), iso))
    return sorted(found, key=lambda d: d.start)


def dateline(text: str) -> tuple[int, int] | None:
    """Month and day of a news dateline at the head of a text (`新华社北京1月12日电`), which names no year."""
    m = _DATELINE.match(text)
    if not m or iso_date(2024, m[1], m[2]) is None:
        return None
    return int(m[1]), int(m[2])
