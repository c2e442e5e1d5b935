"""How wording and risk travel: who used a term first and who followed, who repeats whom, how a slogan lives and fades,
and which risks are said to pass into which.

Everything here is order in time. That one came before another is no evidence that it caused the other:
`TIMING_IS_NO_CAUSE` says so in the report's words. A date is as exact as the source: “2025” may be any day of that
year, and every order, lag and echo says whether the dates suffice to decide it.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from . import tables
from .measures import (
    MIN_ARTICLES,
    MIN_STATEMENTS,
    MIN_SUPPORT,
    NOT_ONE_REGION,
    clustered_interval,
    wilson_interval,
)
from .model import NATIONAL
from .tables import ALL
from .yamlfile import YamlFile

if TYPE_CHECKING:
    from .run import Run

TIMING_IS_NO_CAUSE = {
    "zh": "先后只表示时间次序。先见于甲、后见于乙，不等于乙学自甲："
          "两者可能同出一源，更早的用法也可能不在所收材料之内。",
    "en": "Order in time is only that. That a wording is found here first and there later does not mean that one took "
          "it from the other: both may draw on a third, and an earlier use may lie outside the material.",
}

MIN_RUN = 10
"""The shortest run of characters, punctuation aside, that counts as repeated wording."""

FADED = 0.5
"""A slogan has faded when its share of articles is at most this part of its peak, and stays so."""


# --- who first, who followed --------------------------------------------------------------------------------------

def day_range(date: str | None) -> tuple[int, int] | None:
    """First and last day a date can mean, as proleptic ordinals; None for no date.

    Args:
        date: ISO date, year-month or year.

    Raises:
        ValueError: anything else.
    """
    import datetime

    if not date:
        return None
    parts = [int(part) for part in date.split("-")]
    if not 1 <= len(parts) <= 3:
        raise ValueError(f"“{date}” is no ISO date, year-month or year")
    year, month = parts[0], parts[1] if len(parts) > 1 else None
    if month is None:
        return datetime.date(year, 1, 1).toordinal(), datetime.date(year, 12, 31).toordinal()
    if len(parts) == 3:
        day = datetime.date(*parts).toordinal()
        return day, day
    last = calendar.monthrange(year, month)[1]
    return datetime.date(year, month, 1).toordinal(), datetime.date(year, month, last).toordinal()


def _with_days(frame: pd.DataFrame) -> pd.DataFrame:
    """The dated rows of a frame, with day_low and day_high."""
    known = {date: day_range(date) for date in frame["date"].dropna().unique()}
    dated = frame[frame["date"].notna() & (frame["date"] != "")].copy()
    dated["day_low"] = [known[d][0] for d in dated["date"]]
    dated["day_high"] = [known[d][1] for d in dated["date"]]
    return dated


def earliest_uses(run: Run) -> pd.DataFrame:
    """Who has used which listed term in which year, with what `first_use` and `adoption` make of all uses and of these
    alike.

    Returns:
        term, region, year, date, article_id: for each three that are found together the use that may be the earliest,
        and the one that is the first to be surely past, where that is another. The uses pass by part for part.
    """
    articles = run.table("articles", ["article_id", "date"], [("scope", "=", "in")])
    articles = articles.sort_values("article_id", ignore_index=True)
    known = {date: day_range(date) for date in articles["date"].dropna().unique() if date}
    days = np.array([known.get(date, (np.iinfo(np.int64).max,) * 2) for date in articles["date"]]).reshape(-1, 2)
    orders = [np.lexsort(days.T[::-1]), np.lexsort(days.T)]  # by the first day a date may mean, and by the last
    ranks = [pa.array(np.argsort(order)) for order in orders]
    index, keys, named = pd.Index(articles["article_id"]), ["term", "region", "year"], ["low", "high"]

    def reduced(part: pa.Table) -> pa.Table:
        return part.group_by(keys).aggregate([(name, "min") for name in named]).rename_columns([*keys, *named])

    some = []
    for part in tables.read_parts(run.out, "article_terms", ["article_id", *keys], [("region", "!=", ALL)]):
        own = part["article_id"].combine_chunks().dictionary_encode()
        place = pa.array(index.get_indexer(own.dictionary.to_pandas())).take(own.indices)
        for name, rank in zip(named, ranks, strict=True):
            part = part.append_column(name, rank.take(place))
        some.append(reduced(part))
    uses = reduced(pa.concat_tables(some)).to_pandas()
    rows = [articles.iloc[order[uses[name]]].reset_index(drop=True) for name, order in zip(named, orders, strict=True)]
    found = pd.concat([uses[keys].join(one) for one in rows]).drop_duplicates()
    return found.sort_values([*keys, "article_id"], ignore_index=True)[[*keys, "date", "article_id"]]


def first_use(uses: pd.DataFrame) -> pd.DataFrame:
    """For every term, each region's first use: who was first and who followed, and when.

    Args:
        uses: term, region, date (ISO date, year-month or year; rows without one are left out), article_id; a row for
            each article of a region that uses the term. Rows of `all` and `none` are left out; 全国 is one of the
            users.

    Returns:
        term, region, date, article_id (of the region's first use), day_low, day_high (what the date can mean, as
        ordinals), order (1, 2, …; by day_low, day_high, region), could_be_first (no other use of the term is surely
        earlier), first (it alone could be first), lag_low, lag_high (days after the first use: the least and the
        most the dates allow). Sorted by term, order.
    """
    dated = _with_days(uses[~uses["region"].isin(["all", "none"])])
    columns = ["term", "region", "date", "article_id", "day_low", "day_high", "order", "could_be_first", "first",
               "lag_low", "lag_high"]
    if dated.empty:
        return pd.DataFrame(columns=columns)
    keys = ["term", "region"]
    frame = dated.sort_values([*keys, "day_low", "day_high", "article_id"]).drop_duplicates(keys)
    # By the end of any of its dates the region had surely used the term.
    surely = dated.groupby(keys, as_index=False)["day_high"].min()
    frame = frame.drop(columns="day_high").merge(surely, on=keys)
    frame = frame.sort_values(["term", "day_low", "day_high", "region"], ignore_index=True)
    by_term = frame.groupby("term")
    earliest, surely_used = by_term["day_low"].transform("min"), by_term["day_high"].transform("min")
    frame["order"] = by_term.cumcount() + 1
    frame["could_be_first"] = frame["day_low"] <= surely_used
    frame["first"] = frame["could_be_first"] & (frame.groupby("term")["could_be_first"].transform("sum") == 1)
    frame["lag_low"] = (frame["day_low"] - surely_used).clip(lower=0)
    frame["lag_high"] = (frame["day_high"] - earliest).where(~frame["first"], 0)
    return frame[columns]


def kaplan_meier(time, event, entry=None, level: float = 0.95) -> pd.DataFrame:
    """The share that has not yet had an event, where some are seen only for a while.

    Args:
        time: when each was last seen, or had its event.
        event: whether it was the event (True) or only the last sight of it (censored).
        entry: since when each was seen; it is at risk only after that. From the beginning when not given.
        level: of the interval.

    Returns:
        a row for each time of an event: time, at_risk, events, survival, low, high (log-log interval with Greenwood's
        variance; NaN where survival is 0 or 1); sorted by time.

    Raises:
        ValueError: someone whose time is not after its entry.

    Sources: Kaplan and Meier (1958), JASA 53, 457–481; Kalbfleisch and Prentice (2002), The Statistical Analysis of
    Failure Time Data, 2nd ed., 1.4.
    """
    names = ["time", "at_risk", "events", "survival", "low", "high"]
    return pd.DataFrame(dict(zip(names, _kaplan_meier(time, event, entry, level), strict=True)))


def _kaplan_meier(time, event, entry, level: float) -> tuple[np.ndarray, ...]:
    """The columns of `kaplan_meier`."""
    from scipy.special import ndtri

    time, event = np.asarray(time, float), np.asarray(event, bool)
    entry = np.full(len(time), -np.inf) if entry is None else np.asarray(entry, float)
    if np.any(time <= entry):
        raise ValueError("each must be seen for some time before its event or its last sight")
    times = np.unique(time[event])
    at_risk = np.array([np.sum((entry < t) & (time >= t)) for t in times], dtype="int64")
    events = np.array([np.sum(event & (time == t)) for t in times], dtype="int64")
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.cumprod(1 - events / at_risk)
        greenwood = np.cumsum(events / (at_risk * (at_risk - events)))
        half = ndtri(0.5 + level / 2) * np.sqrt(greenwood) / np.abs(np.log(survival))
        low, high = survival ** np.exp(half), survival ** np.exp(-half)
    open_end = (survival == 0) | (survival == 1)
    low, high = np.where(open_end, np.nan, low), np.where(open_end, np.nan, high)
    return times, at_risk, events, survival, low, high


def adoption(uses: pd.DataFrame, coverage: pd.DataFrame, min_regions: int = MIN_ARTICLES) -> pd.DataFrame:
    """How a term spread over the regions, year by year, counting only regions that could be seen to use it.

    A region is at risk from the year of the term's first use, or from its own first year of coverage if that is
    later, to the year of its first use; without one it is censored after its last year of coverage. A region without
    coverage from the first use on is not in the sum: it is no late adopter, nothing is known of it.

    Args:
        uses: term, region, year: a row for each region and year that uses the term.
        coverage: region, year: a row for each region and year with articles.
        min_regions: terms with fewer regions at risk get no rows.

    Returns:
        term, year, years_after (0 in the year of first use), at_risk, events, adopted (share of regions estimated to
        use the term by the end of that year), low, high, n_regions (ever at risk), n_unseen (without coverage);
        sorted by term, year. 全国, `all`, `none` and year 0 or −1 are left out.
    """
    uses, coverage = (frame[~frame["region"].isin(NOT_ONE_REGION) & (frame["year"] > 0)] for frame in (uses, coverage))
    columns = ["term", "year", "years_after", "at_risk", "events", "adopted", "low", "high", "n_regions", "n_unseen"]
    # A use is coverage, whatever the other table says.
    seen = pd.concat([coverage[["region", "year"]], uses[["region", "year"]]])
    regions = sorted(seen["region"].unique())
    place = {region: i for i, region in enumerate(regions)}
    since, until = (seen.groupby("region")["year"].agg(end).reindex(regions).to_numpy(float) for end in ("min", "max"))
    first = uses.groupby(["term", "region"])["year"].min()
    parts: dict[str, list] = {name: [] for name in columns}
    for term, part in first.groupby(level="term", sort=True):
        used = np.full(len(regions), np.nan)
        used[[place[region] for region in part.index.get_level_values("region")]] = part.to_numpy()
        origin = int(np.nanmin(used))
        at_risk = until >= origin
        if at_risk.sum() < min_regions:
            continue
        event = ~np.isnan(used[at_risk])
        # Years are counted from 1 so that a use in the first year comes after entry.
        time = np.where(event, used[at_risk], until[at_risk]) - origin + 1
        times, *counts, survival, low, high = _kaplan_meier(time, event, np.maximum(since[at_risk] - origin, 0), 0.95)
        after = (times - 1).astype("int64")
        row = (np.full(len(times), term, object), after + origin, after, *counts, 1 - survival, 1 - high, 1 - low,
               np.full(len(times), at_risk.sum()), np.full(len(times), (~at_risk).sum()))
        for name, values in zip(columns, row, strict=True):
            parts[name].append(values)
    return pd.DataFrame({name: np.concatenate(some) if some else [] for name, some in parts.items()})


MIN_USERS = 3
"""Regions that must have used a term before it is told how far it has spread."""


def reached(adopted: pd.DataFrame, min_users: int = MIN_USERS) -> pd.DataFrame:
    """How far each term has spread in the end, with what the share was found from.

    Args:
        adopted: from `adoption`.
        min_users: terms that fewer regions have used are left out.

    Returns:
        term, n_users (regions that have used it), year (the last in which one began to), base_low, base_high (the
        fewest and the most regions at risk in a year in which one began to), adopted, low, high; by adopted downward,
        then term.
    """
    by_term = adopted.sort_values(["term", "year"]).groupby("term")
    last = by_term.tail(1).set_index("term")[["year", "adopted", "low", "high"]]
    sums = by_term.agg(n_users=("events", "sum"), base_low=("at_risk", "min"), base_high=("at_risk", "max"))
    frame = sums.join(last).reset_index()
    frame = frame[frame["n_users"] >= min_users].sort_values(["adopted", "term"], ascending=[False, True])
    return frame[["term", "n_users", "year", "base_low", "base_high", "adopted", "low", "high"]].reset_index(drop=True)


# --- who repeats whom ---------------------------------------------------------------------------------------------

_NOT_WORDING = re.compile(r"[^A-Za-z\u3400-\u9fff]+")
_FIGURE = "[0-9]+[年月日]?"
_BASE = np.uint64(1_000_003)
_MOST_SOURCES, _CONFIRMED = 50, 3


def echo_index(later: pd.DataFrame, earlier: pd.DataFrame, ignore: Sequence[str] = (), min_run: int = MIN_RUN,
               words: Callable[[str], Sequence[str]] | None = None) -> pd.DataFrame:
    """How much of each text repeats, word for word, a text of the same or an earlier date.

    For the echo of the centre in the regions, `later` holds the bureaus' statements and `earlier` the national ones;
    the other way round it finds regional wording that the centre says later. Texts are compared without punctuation
    and spaces. Candidates share a run of `min_run` characters; the three that share most are aligned, and what
    stands in runs of at least that length, in the same order, is repeated. The source is the text that explains
    most; of equals the earliest.

    Args:
        later: statement_id, article_id, story_id, region, date, text.
        earlier: the same columns; region is not read. Texts of the same story are not compared, for their likeness
            is their writer's.
        ignore: names that are nobody's wording (of agencies, meetings, documents): they neither count as repeated nor
            as said, and no run goes across them. So it is with figures, and years, months and days in figures.
        min_run: in characters.
        words: cuts a text into its words, as `Lexicon.words`. A run then begins and ends with whole words of `later`,
            what is cut off at its ends is not repeated, and a run that so becomes too short is none. Without it a
            run may begin in the middle of a word.

    Returns:
        a row for each dated text of `later` with any wording: statement_id, article_id, region, date, n_chars
        (compared), n_repeated, share, longest_run, source_id, source_date, order (`after`; `unclear` where the dates
        do not decide; None without a source), lag_low, lag_high (days), repeated and added (lists of the runs
        repeated, and of the stretches between them where these have at least four characters that are compared, as
        they stand in the text, with their punctuation, names and figures); in the order of `later`.
    """
    later, earlier = _with_days(later), _with_days(earlier)
    names = map(re.escape, sorted(ignore, key=lambda s: (-len(s), s)))
    drop = re.compile("|".join((*names, _FIGURE)))
    texts = [_wording(text, drop) for text in later["text"]]
    earlier = earlier.sort_values(["day_low", "day_high", "statement_id"])
    sources = [_wording(text, drop) for text in earlier["text"]]
    windows = _windows(texts, min_run)
    candidates = _candidates(windows, _windows(sources, min_run), len(texts), len(sources))
    columns = {name: later[name].to_numpy() for name in ("story_id", "day_low", "day_high")}
    source_columns = {name: earlier[name].to_numpy() for name in ("story_id", "day_low", "day_high", "statement_id",
                                                                 "date")}
    rows = []
    for i, (text, original) in enumerate(zip(texts, later["text"], strict=True)):
        places: list[int] | None = None
        edges: set[int] = set()
        allowed = [j for j in candidates.get(i, ()) if source_columns["story_id"][j] != columns["story_id"][i]
                   and source_columns["day_low"][j] <= columns["day_high"][i]][:_CONFIRMED]
        best: tuple[int, list[tuple[int, int]]] | None = None
        for j in allowed:
            runs = _aligned_runs(text, sources[j], min_run)
            if runs and words:
                if places is None:
                    places = _places(original, drop)
                    edges = set(accumulate(map(len, words(original)), initial=0))
                runs = [(a, b) for a, b in (_whole_words(*run, places, edges) for run in runs) if b - a >= min_run]
            if runs and (best is None or sum(b - a for a, b in runs) > sum(b - a for a, b in best[1])):
                best = j, runs
        runs = best[1] if best else []
        n_chars = sum(c != "\n" for c in text)
        n_repeated = sum(b - a for a, b in runs)
        j = best[0] if best else None
        rows.append({
            "n_chars": n_chars, "n_repeated": n_repeated, "share": n_repeated / n_chars if n_chars else np.nan,
            "longest_run": max((b - a for a, b in runs), default=0),
            "source_id": None if j is None else source_columns["statement_id"][j],
            "source_date": None if j is None else source_columns["date"][j],
            "order": None if j is None else
            "after" if source_columns["day_high"][j] <= columns["day_low"][i] else "unclear",
            "lag_low": np.nan if j is None else max(columns["day_low"][i] - source_columns["day_high"][j], 0),
            "lag_high": np.nan if j is None else columns["day_high"][i] - source_columns["day_low"][j],
            **_as_they_stand(original, places or _places(original, drop), text, runs)})
    names = ["n_chars", "n_repeated", "share", "longest_run", "source_id", "source_date", "order", "lag_low",
             "lag_high", "repeated", "added"]
    result = pd.concat([later[["statement_id", "article_id", "region", "date"]].reset_index(drop=True),
                        pd.DataFrame(rows, columns=names)], axis=1)
    return result[result["n_chars"] > 0].reset_index(drop=True)


def _wording(text: str, drop: re.Pattern) -> str:
    """The text's letters and characters; a line feed where an ignored name or a figure stood."""
    return "\n".join(_NOT_WORDING.sub("", piece) for piece in drop.split(text))


def _windows(texts: Sequence[str], size: int) -> tuple[np.ndarray, np.ndarray]:
    """(hash, text) of every run of `size` characters within a text that goes across no line feed."""
    joined = "\n".join(texts)
    codes = np.frombuffer(joined.encode("utf-32-le"), dtype="<u4").astype(np.uint64)
    n = len(codes) - size + 1
    if n <= 0:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    hashes = np.zeros(n, np.uint64)
    for k in range(size):
        hashes = hashes * _BASE + codes[k:k + n]
    breaks = np.concatenate([[0], np.cumsum(codes == 10)])
    whole = breaks[size:] == breaks[:n]
    starts = np.cumsum([0, *(len(text) + 1 for text in texts)])
    owner = np.searchsorted(starts, np.arange(n), side="right") - 1
    return hashes[whole], owner[whole]


def _candidates(later: tuple, earlier: tuple, n_later: int, n_earlier: int) -> dict[int, list[int]]:
    """For each later text the earlier ones that share runs with it, most shared first, then the earliest."""
    hashes, owners = earlier
    order = np.lexsort((owners, hashes))
    hashes, owners = hashes[order], owners[order]
    fresh = np.r_[True, (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])] if len(hashes) else []
    hashes, owners = hashes[fresh], owners[fresh]
    first, last = np.searchsorted(hashes, later[0], "left"), np.searchsorted(hashes, later[0], "right")
    # A run that very many texts hold says little of where it came from; the earliest of them will do.
    counts = np.minimum(last - first, _MOST_SOURCES)
    if not counts.sum():
        return {}
    offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    pairs = np.repeat(later[1], counts) * np.int64(n_earlier) + owners[np.repeat(first, counts) + offset]
    pairs, shared = np.unique(pairs, return_counts=True)
    texts, sources = pairs // n_earlier, pairs % n_earlier
    found: dict[int, list[int]] = {}
    for k in np.lexsort((sources, -shared, texts)):
        found.setdefault(int(texts[k]), []).append(int(sources[k]))
    return found


def _aligned_runs(text: str, source: str, min_run: int) -> list[tuple[int, int]]:
    from difflib import SequenceMatcher

    runs = []
    for a, _, size in SequenceMatcher(None, text, source, autojunk=False).get_matching_blocks():
        start = a
        for piece in text[a:a + size].split("\n"):
            if len(piece) >= min_run:
                runs.append((start, start + len(piece)))
            start += len(piece) + 1
    return runs


def _places(text: str, drop: re.Pattern) -> list[int]:
    """Where in a text each character of its `_wording` stands; of a line feed, where what it stands for ends."""
    out, start = [], 0
    for m in [*drop.finditer(text), None]:
        for kept in re.finditer(r"[A-Za-z\u3400-\u9fff]", text[start:m.start() if m else len(text)]):
            out.append(start + kept.start())
        if m:
            start = m.end()
            out.append(start)
    return out


def _whole_words(start: int, end: int, places: Sequence[int], edges: set[int]) -> tuple[int, int]:
    """The run of compared characters without the parts of words at its ends; `edges` are the places between words."""
    while start < end and places[start] not in edges:
        start += 1
    while start < end and places[end - 1] + 1 not in edges:
        end -= 1
    return start, end


def _as_they_stand(original: str, places: Sequence[int], text: str, runs: Sequence[tuple[int, int]]
                   ) -> dict[str, list[str]]:
    """The runs repeated and what else the text says, in its own punctuation.

    Args:
        original: the text.
        places: of the characters compared, in it.
        text: the characters compared.
        runs: (start, end) of those repeated, in order.
    """
    repeated, added, at, done = [], [], 0, 0
    for start, end in [*runs, (len(text), len(text))]:
        a = places[start] if start < len(text) else len(original)
        if sum(c != "\n" for c in text[done:start]) >= 4:
            added.append(_trimmed(original[at:a]))
        if end > start:
            at, done = places[end - 1] + 1, end
            if at < len(original) and original[at] in _CLOSING and \
                    original.count(_OPENING[_CLOSING.index(original[at])], a, at) > original.count(original[at], a, at):
                at += 1  # the mark that closes what the run has opened
            repeated.append(original[a:at])
    return {"repeated": repeated, "added": added}


_OPENING, _CLOSING = "“‘《（「『", "”’》）」』"
_STOPS = frozenset("，。；：！？、,.;:!?… \u3000\n")


def _trimmed(text: str) -> str:
    """A stretch of a text without the punctuation at its ends, and without a mark there whose other half is outside."""
    def loose(mark: str) -> bool:
        at = (_OPENING + _CLOSING).find(mark)
        return mark in _STOPS or (at >= 0 and (_CLOSING + _OPENING)[at] not in text)

    while text and loose(text[0]):
        text = text[1:]
    while text and loose(text[-1]):
        text = text[:-1]
    return text


def not_said_before(echoes: pd.DataFrame, sayers: pd.DataFrame) -> pd.DataFrame:
    """Echoes whose wording those who repeat it had not used themselves before their source did.

    Args:
        echoes: rows of `echo_index`; each is of one of `sayers`.
        sayers: statement_id, date, text: all that they have said.
    """
    said = _with_days(sayers).sort_values("day_low")[["day_low", "text"]]
    sources = _with_days(echoes[["source_date"]].rename(columns={"source_date": "date"}).drop_duplicates())
    day_of = dict(zip(sources["date"], sources["day_high"], strict=True))
    keep = []
    for repeated, date in zip(echoes["repeated"], echoes["source_date"], strict=True):
        earlier = said.loc[said["day_low"] < day_of[date], "text"]
        keep.append(not any(earlier.str.contains(run, regex=False).any() for run in repeated))
    return echoes[np.array(keep, dtype=bool)]


def echo_by_region(echo: pd.DataFrame, surely_after: bool = True, level: float = 0.95) -> pd.DataFrame:
    """The share of each region's wording that repeats the other side's.

    Args:
        echo: from `echo_index`.
        surely_after: count only repetition whose dates decide that it came after, or on the same day.
        level: of the interval, which takes the characters of an article as a cluster.

    Returns:
        region, n_statements, n_articles, n_chars, n_repeated, share, low, high, share_same_year (repeated from a text
        of the same year), n_echoing (statements that repeat anything), median_lag (days, by the least lags; NaN without
        repetition), thin; sorted by region.
    """
    frame = echo.copy()
    if surely_after:
        frame.loc[frame["order"] != "after", "n_repeated"] = 0
    same_year = frame["date"].str[:4] == frame["source_date"].str[:4]
    frame["n_same_year"] = frame["n_repeated"].where(same_year, 0)
    rows = []
    for region, part in frame.groupby("region", sort=True):
        by_article = part.groupby("article_id")[["n_repeated", "n_chars"]].sum()
        low, high = clustered_interval(by_article["n_repeated"], by_article["n_chars"], level)
        repeating = part[part["n_repeated"] > 0]
        rows.append({
            "region": region, "n_statements": len(part), "n_articles": len(by_article),
            "n_chars": int(part["n_chars"].sum()), "n_repeated": int(part["n_repeated"].sum()),
            "share": part["n_repeated"].sum() / part["n_chars"].sum(), "low": low, "high": high,
            "share_same_year": part["n_same_year"].sum() / part["n_chars"].sum(),
            "n_echoing": len(repeating),
            "median_lag": repeating["lag_low"].median(),
            "thin": len(part) < MIN_STATEMENTS or len(by_article) < MIN_ARTICLES})
    return pd.DataFrame(rows, columns=["region", "n_statements", "n_articles", "n_chars", "n_repeated", "share", "low",
                                       "high", "share_same_year", "n_echoing", "median_lag", "thin"])


# --- how a slogan lives -------------------------------------------------------------------------------------------

def slogan_life(term_counts: pd.DataFrame, slices: pd.DataFrame, ties: pd.DataFrame | None = None,
                region: str = "all", level: float = 0.95) -> pd.DataFrame:
    """When each term came up, peaked and faded, and which took its place.

    All by the share of the year's articles that use the term. A term fades in the first year after its peak from
    which the share never again exceeds FADED of the peak. Its successor is a term that came up later than it, peaked
    after it, and in the last year is in more articles than it; of several the one that stands closest: tied to it in
    statements they share or, where no tie is known, alike in wording (at least half of its pairs of characters).

    Args:
        term_counts: term, year, region, n_articles.
        slices: year, region, n_articles.
        ties: term_a, term_b, npmi, from `measures.cooccurrence` on terms; supported pairs only.
        region: the slice to treat.
        level: of the intervals (Wilson's, by articles).

    Returns:
        term, n_articles, birth, birth_known (False when the first year of the material has it already), peak,
        peak_share, peak_low, peak_high, last (year of use), fade (None while it lives), fade_sure (the interval of
        the fade year lies under that of the peak), successor, successor_by (`co-occurrence`, `wording` or None), thin
        (under MIN_SUPPORT articles, or a peak in a year with under MIN_ARTICLES); sorted by term.
    """
    size = slices[(slices["region"] == region) & (slices["year"] > 0) & (slices["n_articles"] > 0)]
    size = size.set_index("year")["n_articles"].sort_index()
    part = term_counts[(term_counts["region"] == region) & term_counts["year"].isin(size.index)]
    counts = part.pivot_table(index="term", columns="year", values="n_articles", aggfunc="sum", fill_value=0)
    counts = counts.reindex(columns=size.index, fill_value=0)
    counts = counts[counts.sum(axis=1) > 0].sort_index()
    columns = ["term", "n_articles", "birth", "birth_known", "peak", "peak_share", "peak_low", "peak_high", "last",
               "fade", "fade_sure", "successor", "successor_by", "thin"]
    if counts.empty:
        return pd.DataFrame(columns=columns)
    years, k, n = counts.columns.to_numpy(), counts.to_numpy(), size.to_numpy()
    share = k / n
    low, high = wilson_interval(k, np.broadcast_to(n, k.shape), level)
    peak = share.argmax(axis=1)
    rows, fades = [], []
    for i, term in enumerate(counts.index):
        used, p = np.flatnonzero(k[i]), peak[i]
        under = share[i] <= FADED * share[i, p]
        fade = len(years)
        while fade > p + 1 and under[fade - 1]:
            fade -= 1
        faded = fade < len(years)
        fades.append(int(years[fade]) if faded else None)
        rows.append({
            "term": term, "n_articles": int(k[i].sum()), "birth": int(years[used[0]]), "birth_known": bool(used[0] > 0),
            "peak": int(years[p]), "peak_share": share[i, p], "peak_low": low[i, p], "peak_high": high[i, p],
            "last": int(years[used[-1]]), "fade_sure": bool(faded and high[i, fade] < low[i, p]),
            "thin": bool(k[i].sum() < MIN_SUPPORT or n[p] < MIN_ARTICLES)})
    life = pd.DataFrame(rows)
    known = _closeness(ties)
    born, peaked, now = life["birth"].to_numpy(), life["peak"].to_numpy(), share[:, -1]
    by_pair: dict[str, list[int]] = {}
    for i, term in enumerate(life["term"]):
        for pair in _character_pairs(term):
            by_pair.setdefault(pair, []).append(i)
    successors = []
    for i, term in enumerate(life["term"]):
        choices = []
        if fades[i] is not None:
            pairs = _character_pairs(term)
            alike = {j for pair in pairs for j in by_pair[pair]}
            tied = known.get(term, {})
            for j in sorted(alike | {counts.index.get_loc(other) for other in tied if other in counts.index}):
                if not (born[j] > born[i] and peaked[j] > peaked[i] and now[j] > now[i]) or life.at[j, "thin"]:
                    continue
                other = life.at[j, "term"]
                likeness = len(pairs & _character_pairs(other)) / len(pairs)
                if other in tied:
                    choices.append((0, -tied[other], other, "co-occurrence"))
                elif likeness >= 0.5:
                    choices.append((1, -likeness, other, "wording"))
        successors.append(min(choices)[2:] if choices else (None, None))
    life[["successor", "successor_by"]] = pd.DataFrame(successors, dtype=object)
    life["fade"] = pd.array(fades, dtype="Int64")
    return life[columns]


def _closeness(ties: pd.DataFrame | None) -> dict[str, dict[str, float]]:
    known: dict[str, dict[str, float]] = {}
    if ties is not None:
        near = ties[ties["supported"] & (ties["npmi"] > 0)]
        for a, b, npmi in near[["term_a", "term_b", "npmi"]].itertuples(index=False):
            known.setdefault(a, {})[b] = npmi
            known.setdefault(b, {})[a] = npmi
    return known


def _character_pairs(term: str) -> set[str]:
    return {term[i:i + 2] for i in range(len(term) - 1)} or {term}


# --- which risk passes into which ---------------------------------------------------------------------------------

UNNAMED = "unnamed"
"""The end of a passing that the clause does not name."""

STANCES = ("told", "possible", "warned", "denied")
_CLAUSE_END = re.compile("[，。；：！？,;!?\n]|”“")


@dataclass(frozen=True, slots=True)
class Place:
    """A place of risk. `theme` is the code it stands for, or None; `medium` is a word such as 跨市场, which only says
    where risk goes; `weak` one such as 我国, which tells something only beside another place."""

    id: str
    theme: str | None
    name_zh: str
    name_en: str
    medium: bool
    weak: bool


class TransmissionRules:
    """The verbs and places of codebook/transmission.yml.

    Args:
        path: the YAML file.

    Raises:
        UserError: it is missing or says something that cannot be used; names the line.
    """

    def __init__(self, path: str | Path):
        file = YamlFile(path)
        self._path = file.path
        data = file.data if isinstance(file.data, dict) else {}
        shapes = dict.fromkeys(("masks", "verbs", "risk", "and", "between", "towards", "from", "no_marks", "into",
                                "places"), list)
        shapes["stance"] = dict
        for key in sorted(set(data) - set(shapes)):
            raise file.error(f"“{key}” is not known here", key)
        for key, shape in shapes.items():
            if not isinstance(data.get(key), shape) or not data[key]:
                raise file.error(f"“{key}” must be {'a list' if shape is list else 'a mapping'}", key)
        for name in data["stance"]:
            if name not in STANCES[1:]:
                raise file.error(f"“{name}” is none of {', '.join(STANCES[1:])}", "stance", name)
        words: dict[str, tuple] = {}

        def add(word, meaning, *keys):
            if not isinstance(word, str) or not word:
                raise file.error("a word is missing; write a text", *keys)
            if word in words:
                raise file.error(f"“{word}” stands twice; keep one", *keys)
            words[word] = meaning

        for i, verb in enumerate(data["verbs"]):
            if not isinstance(verb, dict) or not isinstance(verb.get("words"), list):
                raise file.error("a row of verbs has `words`", "verbs", i)
            for word in verb["words"]:
                add(word, ("verb", bool(verb.get("alone")), bool(verb.get("direct"))), "verbs", i)
        self.places: dict[str, Place] = {}
        for i, row in enumerate(data["places"]):
            missing = [k for k in ("id", "name_zh", "name_en", "words") if not (isinstance(row, dict) and row.get(k))]
            if missing:
                raise file.error(f"a place needs {', '.join(missing)}", "places", i)
            for key in sorted(set(row) - {"id", "theme", "name_zh", "name_en", "words", "medium", "weak"}, key=str):
                raise file.error(f"“{key}” is not known here; a name with a comma stands in quotation marks", "places",
                                 i)
            place = Place(row["id"], row.get("theme"), row["name_zh"], row["name_en"], bool(row.get("medium")),
                          bool(row.get("weak")))
            if place.id in self.places or place.id == UNNAMED:
                raise file.error(f"the place “{place.id}” stands twice", "places", i)
            self.places[place.id] = place
            for word in row["words"]:
                add(word, ("place", place), "places", i)
        for i, word in enumerate(data["masks"]):
            add(word, ("mask",), "masks", i)
        self._words = words
        self.verb = re.compile("|".join(map(re.escape, sorted(w for w, m in words.items() if m[0] == "verb"))))
        self.any = re.compile("|".join(map(re.escape, sorted(words, key=lambda w: (-len(w), w)))))
        self.risk, self.stance = tuple(data["risk"]), {k: tuple(v) for k, v in data["stance"].items()}
        self.joins, self.between = frozenset(data["and"]), tuple(data["between"])
        self.towards, self.come_from, self.no_marks = (tuple(data[k]) for k in ("towards", "from", "no_marks"))
        self.into = tuple(data["into"])

    @classmethod
    def load(cls, codebook: str | Path) -> TransmissionRules:
        """Read `transmission.yml` of a codebook folder."""
        return cls(Path(codebook) / "transmission.yml")

    def __reduce__(self):
        return TransmissionRules, (self._path,)

    def found(self, text: str, start: int, end: int) -> list[tuple]:
        """(meaning, start, end) of the words of a clause, the longest from the left."""
        return [(self._words[m[0]], m.start(), m.end()) for m in self.any.finditer(text, start, end)]


def risk_transmission(statements: pd.DataFrame, rules: TransmissionRules) -> pd.DataFrame:
    """Statements that say, warn or suppose that one risk passes into another.

    Read clause by clause: who comes before the verb is where the risk comes from, who comes after it or after 向, 对,
    给 where it goes; 受 and 遭 turn that round; 甲与乙之间 goes both ways. Of adjoining places the last is meant
    (我国外汇市场 is the market).

    Args:
        statements: statement_id, article_id, year, text.
        rules: of the codebook.

    Returns:
        a row for each passing: statement_id, article_id, year, source, target (place ids, or UNNAMED for one of them),
        source_theme, target_theme (codes or None), verb, stance (one of STANCES: `told` as a fact, `possible`,
        `warned` against, `denied`), mutual, start, end, span (the words from the first place to the last, or to the
        verb); in the order of the statements and of the text.
    """
    columns = ["statement_id", "article_id", "year", "source", "target", "source_theme", "target_theme", "verb",
               "stance", "mutual", "start", "end", "span"]
    rows = []
    for sid, article, year, text in statements[["statement_id", "article_id", "year", "text"]].itertuples(index=False):
        if not rules.verb.search(text):
            continue
        for source, target, verb, stance, mutual, start, end in _passings(text, rules):
            rows.append((sid, article, year, source.id if source else UNNAMED, target.id if target else UNNAMED,
                         source.theme if source else None, target.theme if target else None, verb, stance, mutual,
                         start, end, text[start:end]))
    return pd.DataFrame(rows, columns=columns)


def _passings(text: str, rules: TransmissionRules) -> list[tuple]:
    out, start = [], 0
    told_before: list[tuple[Place, int, int]] = []  # who the clauses before speak of, if of their risk
    for m in [*_CLAUSE_END.finditer(text), None]:
        end = m.start() if m else len(text)
        words = rules.found(text, start, end)
        verbs = _merged([w for w in words if w[0][0] == "verb"], text, rules)
        risky = any(word in text[start:end] for word in rules.risk)
        for k, (alone, direct, first, last) in enumerate(verbs):
            if not (alone or risky):
                continue
            # Another verb's words are its own: 甲传给乙，乙波及丙.
            floor = verbs[k - 1][3] if k else start
            ceiling = verbs[k + 1][2] if k + 1 < len(verbs) else end
            places = _heads([w for w in words if w[0][0] == "place" and floor <= w[1] < ceiling], text)
            out.extend(_passing(text, start, first, last, direct, places, told_before, rules))
        places = [p for p in _heads([w for w in words if w[0][0] == "place"], text) if not p[0].medium]
        if places and risky:
            told_before = _subject(places, text, end, rules)
        start = m.end() if m else end
    return out


def _merged(verbs: list[tuple], text: str, rules: TransmissionRules) -> list[tuple[bool, bool, int, int]]:
    """(alone, direct, start, end); verbs in a row (转移、转嫁) as one."""
    out: list[tuple[bool, bool, int, int]] = []
    for (_, alone, direct), start, end in verbs:
        if out and (text[out[-1][3]:start] in rules.joins or start == out[-1][3]):
            out[-1] = (out[-1][0] or alone, direct, out[-1][2], end)
        else:
            out.append((alone, direct, start, end))
    return out


def _heads(places: list[tuple], text: str) -> list[tuple[Place, int, int]]:
    """(place, start, end): of places that stand together as one noun, the last."""
    out: list[tuple[Place, int, int]] = []
    for (_, place), start, end in places:
        if out and text[out[-1][2]:start] in ("", "的") and not out[-1][0].medium and not place.medium:
            out[-1] = (place, out[-1][1], end)
        else:
            out.append((place, start, end))
    return out


def _passing(text: str, clause: int, first: int, last: int, direct: bool, places: list[tuple],
             told_before: list[tuple], rules: TransmissionRules) -> list[tuple]:
    """(source, target, verb, stance, mutual, start, end) of one verb; source or target may be None."""
    before = [p for p in places if p[2] <= first]
    verb, stance = text[first:last], _stance(text[clause:first], rules)
    named = [p for p in before if not p[0].medium]
    if named and text.startswith(rules.between, named[-1][2]):
        pair = _listed(named, text, rules)
        ends = [(a, b) for i, a in enumerate(pair) for j, b in enumerate(pair) if i != j] or [(pair[0], pair[0])]
        return [(a[0], b[0], verb, stance, True, min(a[1], b[1]), last) for a, b in ends]
    at_mark = next((i for i, p in enumerate(named) if _mark_before(text, p[1], rules.towards, rules.no_marks)), None)
    at_turn = next((i for i, p in enumerate(named) if _mark_before(text, p[1], rules.come_from, ("\0",))), None)
    if at_turn is not None:  # 乙受甲拖累
        sources, targets = _listed(named[at_turn:], text, rules), _listed(named[:at_turn], text, rules)
    elif named and any(mark in text[named[-1][2]:first] for mark in rules.come_from):  # 乙也受到冲击
        sources, targets = [], _listed(named, text, rules)
    else:
        media = [p for p in before if p[0].medium and not any(q[1] > p[2] for q in named)]
        targets = _listed(named[at_mark:], text, rules) if at_mark is not None else \
            _reached([p for p in places if p[1] >= last], text, last, direct, rules) or media
        sources = _subject(named[:at_mark], text, first, rules)
        if at_mark is not None and not sources:  # 房企暴雷，给金融体系带来冲击
            sources = told_before
    if all(p[0].weak for p in (*sources, *targets)):
        return []
    out = []
    for source in sources or [None]:
        for target in targets or [None]:
            spans = [p for p in (source, target) if p]
            out.append((source and source[0], target and target[0], verb, stance, False,
                        min(first, *(p[1] for p in spans)), max(last, *(p[2] for p in spans))))
    return out


def _mark_before(text: str, start: int, marks: tuple[str, ...], never: tuple[str, ...]) -> bool:
    """Whether a mark stands right before, at most two characters of an attribute between (向我国银行业)."""
    return any(text.endswith(marks, 0, end) and not text.endswith(never, 0, end)
               for end in range(start, max(start - 3, 0), -1))


def _listed(places: list[tuple], text: str, rules: TransmissionRules) -> list[tuple]:
    """The last of the places with those joined to it by 、 or 和."""
    out = places[-1:]
    for place in reversed(places[:-1]):
        if text[place[2]:out[0][1]] not in rules.joins:
            break
        out.insert(0, place)
    return out


def _reached(places: list[tuple], text: str, last: int, direct: bool, rules: TransmissionRules) -> list[tuple]:
    """The first place after the verb and those joined to it, if the verb takes it (波及银行) or a word leads there
    (传染到国内)."""
    if not places or places[0][1] - last > 12 or not (direct or text.startswith(rules.into, last)):
        return []
    out = places[:1]
    for place in places[1:]:
        if text[out[-1][2]:place[1]] not in rules.joins:
            break
        out.append(place)
    return out


def _subject(places: list[tuple], text: str, verb: int, rules: TransmissionRules) -> list[tuple]:
    """The first place of which something risky is said, else the nearest; with those listed with it."""
    for i, place in enumerate(places):
        until = places[i + 1][1] if i + 1 < len(places) else verb
        if any(word in text[place[1]:until] for word in rules.risk):
            return _listed(places[:i + 1], text, rules)
    return _listed(places, text, rules)


def _stance(lead: str, rules: TransmissionRules) -> str:
    """How a passing is said, from the words before its verb. A word of one character counts only right before it: 会 is
    also the end of 银保监会."""
    for name in ("denied", "warned", "possible"):
        near = lead[-6:] if name == "denied" else lead
        if any(lead.endswith(word) if len(word) == 1 else word in near for word in rules.stance.get(name, ())):
            return name
    return "told"


def transmission_network(passings: pd.DataFrame, year: int | None = None) -> pd.DataFrame:
    """Who is said to pass risk to whom, and how often: the ties of a directed network.

    Args:
        passings: from `risk_transmission`.
        year: one work year; all together when None.

    Returns:
        source, target, source_theme, target_theme, n_statements, n_articles, n_told, n_possible, n_warned (statements
        by stance), verbs (list, the most frequent first), statement_ids (list); what is denied and what names one
        end only is left out; sorted by n_statements downward, source, target.
    """
    part = passings[(passings["source"] != UNNAMED) & (passings["target"] != UNNAMED)
                    & (passings["stance"] != "denied")]
    if year is not None:
        part = part[part["year"] == year]
    rows = []
    for (source, target), group in part.groupby(["source", "target"], sort=True):
        by_statement = group.drop_duplicates("statement_id")
        verbs = group["verb"].value_counts().rename_axis("verb").reset_index().sort_values(
            ["count", "verb"], ascending=[False, True])["verb"]
        rows.append({
            "source": source, "target": target, "source_theme": group["source_theme"].iloc[0],
            "target_theme": group["target_theme"].iloc[0], "n_statements": len(by_statement),
            "n_articles": group["article_id"].nunique(),
            **{f"n_{s}": int((by_statement["stance"] == s).sum()) for s in ("told", "possible", "warned")},
            "verbs": list(verbs), "statement_ids": sorted(by_statement["statement_id"])})
    columns = ["source", "target", "source_theme", "target_theme", "n_statements", "n_articles", "n_told", "n_possible",
               "n_warned", "verbs", "statement_ids"]
    return pd.DataFrame(rows, columns=columns).sort_values(["n_statements", "source", "target"],
                                                           ascending=[False, True, True], ignore_index=True)


def transmission_by_year(passings: pd.DataFrame) -> pd.DataFrame:
    """The directed network of each work year: `transmission_network` with the column year before the others, the
    latest year first; what is of no known year is left out."""
    years = sorted({int(year) for year in passings["year"].dropna() if year > 0}, reverse=True)
    networks = [transmission_network(passings, year).assign(year=year) for year in years]
    ties = pd.concat(networks or [transmission_network(passings.iloc[:0]).assign(year=0)], ignore_index=True)
    return ties[["year", *ties.columns.drop("year")]]


def coverage_by_year(slices: pd.DataFrame) -> pd.DataFrame:
    """region, year with articles, from the table `slices`: what `adoption` takes as coverage; single regions only."""
    part = slices[~slices["region"].isin(NOT_ONE_REGION) & (slices["year"] > 0) & (slices["n_articles"] > 0)]
    return part[["region", "year"]].sort_values(["region", "year"], ignore_index=True)


def national_and_regional(statements: pd.DataFrame, articles: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The statements of the centre and of the regions, dated, as `echo_index` takes them.

    Args:
        statements: statement_id, article_id, story_id, regions, attribution, text.
        articles: article_id, date.

    Returns:
        (national, regional): statement_id, article_id, story_id, region, date, text. A statement of several regions
        stands once for each; one of 全国 and regions is both; only statements somebody makes (attribution not
        `mentioned`).
    """
    made = statements[statements["attribution"].isin(["named", "carried"])]
    frame = made[["statement_id", "article_id", "story_id", "regions", "text"]].explode("regions").dropna(
        subset="regions").rename(columns={"regions": "region"})
    frame = frame.merge(articles[["article_id", "date"]], on="article_id", how="left")
    frame = frame[["statement_id", "article_id", "story_id", "region", "date", "text"]]
    national = frame["region"] == NATIONAL
    return frame[national].reset_index(drop=True), frame[~national].reset_index(drop=True)


def names_to_ignore(regions: Mapping) -> list[str]:
    """Names of agencies and places of codebook/regions.yml, as `echo_index` ignores them.

    Args:
        regions: the data of the file: `regions` with name, aliases and bureaus.
    """
    names: set[str] = set()

    def walk(value):
        if isinstance(value, str):
            if len(value) > 1 and re.search("[\u3400-\u9fff]", value):
                names.add(value)
        elif isinstance(value, Mapping):
            for key, inner in value.items():
                if key not in ("en", "kind", "name_en"):
                    walk(inner)
        elif isinstance(value, (list, tuple)):
            for inner in value:
                walk(inner)

    walk(regions)
    return sorted(names)
