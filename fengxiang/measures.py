"""The measures of the report: pure functions from count tables to tables, each with its source.

Shares are fractions of 1, never per cent; rates say "per 10,000 tokens" in their name. Intervals are at 95 % unless
`level` says otherwise. Frames come out sorted, ties broken by name. Nothing is drawn at random without a seed, and
the draw for a slice depends on that slice alone, so that a number does not move because another slice was added.

The count tables are those of the build: in all of them `year` is an int (0 unknown, -1 all years) and `region` a
short name, 全国, `none` or `all`.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from .model import NATIONAL

SEED = 20260209
N_RESAMPLES = 2000
MAX_CLUSTERS = 1000
"""Beyond so many articles in a slice they are pooled into so many random groups before resampling."""

MIN_STATEMENTS = 30
MIN_ARTICLES = 5
"""A slice with fewer statements or fewer articles is thin: shown grey, never ranked, never a trend."""

SPECIAL_ARTICLES = 2
"""A theme is no region’s speciality by the word of one article."""

MIN_SUPPORT = 5
"""A pair counts as supported when it was seen, or was to be expected by chance, in so many statements."""

NOT_ONE_REGION = ("all", "none", NATIONAL)

TREND_WORDS = {
    "rose": {"zh": "上升", "en": "rose"},
    "probably_rose": {"zh": "可能上升", "en": "probably rose"},
    "no_clear_change": {"zh": "没有明显变化", "en": "no clear change"},
    "probably_fell": {"zh": "可能下降", "en": "probably fell"},
    "fell": {"zh": "下降", "en": "fell"},
    "too_little": {"zh": "材料太少，不作判断", "en": "too little to say"},
}
TREND_RULE = {
    "zh": f"两个年份各有至少{MIN_STATEMENTS}条语句、{MIN_ARTICLES}篇文章，"
          f"且两年合计至少有{MIN_SUPPORT}条语句涉及该主题，才作判断。"
          "差值的95%区间不含0，写“上升”或“下降”；只有80%区间不含0，写“可能上升”或“可能下降”；否则写“没有明显变化”。"
          "计算区间时按文章聚类。",
    "en": f"A change is judged only when both years have at least {MIN_STATEMENTS} statements and {MIN_ARTICLES} "
          f"articles, and the theme at least {MIN_SUPPORT} statements in the two together. “Rose” or “fell”: the 95% "
          "interval of the difference leaves out zero. “Probably”: only the 80% interval does. Otherwise “no clear "
          "change”. The intervals take the statements of one article as a cluster.",
}
MIX_WARNINGS = {
    "mix_makes_it": {
        "zh": "文章构成一经拉平，这一变化就消失、减半或反向：变的可能是材料，而不是监管重点。",
        "en": "With the mix of articles held still, this change vanishes, halves or turns round: the material may have "
              "changed, not the priorities."},
    "mix_hides_it": {
        "zh": "文章构成一经拉平，变化明显加大：材料的变动掩盖了它。",
        "en": "With the mix of articles held still, the change is far larger: the mix hides it."},
    "no_common_ground": {
        "zh": "两个年份的文章大多不是同类，无法拉平构成后再比较。",
        "en": "The two years rest mostly on different kinds of articles, so the mix cannot be held still."},
}
CORRECTION_STATUS = {
    "corrected": {"zh": "已按实测误差校正", "en": "corrected for measured error"},
    "gold_too_small": {"zh": "参照标注太少，不能校正", "en": "too few reference labels to correct it"},
    "no_better_than_chance": {
        "zh": "该主题的识别不比碰巧好，不能校正",
        "en": "the coding of this theme is no better than chance, so it cannot be corrected"},
}
CO_OCCURRENCE = {
    "zh": "共现的定义：以语句为单位，语句即正文中的一句话，标题和小标题不算。"
          "一条语句同时归入两个主题，这两个主题即共现一次；同一主题在一句中出现几次都只算一次（布尔计数）。"
          "主题不与自身共现，所以没有对角线；共现不分先后，甲与乙、乙与甲是同一对，只记一行，代码按字母顺序靠前的在前。"
          "应有的次数（期望值）是两个主题各自的语句数相乘，再除以所取范围的语句总数，"
          "即两个主题互不相干时应有的共现数。一条语句归属几个地区，就在各地区各计一次，在“全部”中只计一次。",
    "en": "Co-occurrence is defined so: the unit is the statement, one sentence of body text; titles and headings are "
          "no statements. Two themes co-occur once in a statement that is coded with both; how often either shows "
          "within the sentence does not matter (boolean). A theme does not co-occur with itself: there is no diagonal. "
          "Co-occurrence is symmetric, and a pair is stored once, the code that comes first in the alphabet first. The "
          "expected number is the product of the two themes’ statement counts divided by the statements of the slice: "
          "what there would be if the themes had nothing to do with each other. A statement of several regions counts "
          "once in each of them and once in “all”.",
}
"""What counts as co-occurrence, in the words the report prints."""


# --- intervals and tests ------------------------------------------------------------------------------------------

def wilson_interval(k, n, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's score interval of a share.

    Args:
        k: successes; numbers or arrays of one shape. Fractions are taken, for effective counts.
        n: trials.
        level: of confidence.

    Returns:
        (low, high), arrays in that shape, within [0, 1]; NaN where n is 0.

    Raises:
        ValueError: a k under 0 or over its n.

    Source: Wilson (1927), JASA 22, 209–212.
    """
    k, n = np.broadcast_arrays(np.asarray(k, float), np.asarray(n, float))
    if np.any(k < 0) or np.any(k > n):
        raise ValueError("successes must lie between 0 and the number of trials")
    z2 = special.ndtri(0.5 + level / 2) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        share = k / n
        centre = (share + z2 / (2 * n)) / (1 + z2 / n)
        half = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    # At the ends the bound is 0 or 1 exactly; rounding alone would leave it a hair off.
    low = np.where(k == 0, np.where(n > 0, 0.0, np.nan), np.clip(centre - half, 0, 1))
    high = np.where(k == n, np.where(n > 0, 1.0, np.nan), np.clip(centre + half, 0, 1))
    return low, high


def benjamini_hochberg(p) -> np.ndarray:
    """q values: the smallest false discovery rate at which each test would be called.

    Args:
        p: p values in one dimension; NaN marks a test that was not made, and stays NaN.

    Source: Benjamini and Hochberg (1995), JRSS B 57, 289–300.
    """
    p = np.asarray(p, float)
    q = np.full(p.shape, np.nan)
    made = np.flatnonzero(~np.isnan(p))
    order = made[np.argsort(p[made], kind="stable")]
    if len(order):
        scaled = p[order] * len(order) / np.arange(1, len(order) + 1)
        q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return q


def hypergeometric_tails(k, n_a, n_b, n) -> tuple[np.ndarray, np.ndarray]:
    """P(X ≤ k) and P(X ≥ k), where X of the n_a statements drawn are among the n_b marked ones of n.

    Args:
        k, n_a, n_b, n: whole numbers or arrays of one shape, with max(0, n_a + n_b − n) ≤ k ≤ min(n_a, n_b).

    Returns:
        (lower, upper), each including k itself, so that they sum to 1 + P(X = k).

    Raises:
        ValueError: a k that cannot be.
    """
    k, n_a, n_b, n = (np.asarray(x, float) for x in np.broadcast_arrays(k, n_a, n_b, n))
    if np.any(k < np.maximum(0, n_a + n_b - n)) or np.any(k > np.minimum(n_a, n_b)) or np.any(n_b > n):
        raise ValueError("a pair cannot be in fewer statements than 0 or in more than either of its parts")
    at_k = np.exp(_log_choose(n_b, k) + _log_choose(n - n_b, n_a - k) - _log_choose(n, n_a))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(n > 0, n_a * n_b / n, 0)
    # Only the tail beyond the mean is summed; the other one is its complement, so no small number is a difference.
    above = _sum_away_from_mean(k, n_a, n_b, n, at_k)
    # The marked that were not drawn are hypergeometric too, and turn the lower tail into an upper one.
    below = _sum_away_from_mean(n_b - k, n - n_a, n_b, n, at_k)
    upper = np.where(k >= mean, above, np.minimum(1, 1 - below + at_k))
    lower = np.where(k >= mean, np.minimum(1, 1 - above + at_k), below)
    return lower, upper


def _log_choose(n, k):
    return special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)


def _sum_away_from_mean(k, n_a, n_b, n, at_k):
    """P(X ≥ k) for the entries whose k is at or above the mean; others are left at P(X = k)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        going = k >= np.where(n > 0, n_a * n_b / n, 0)
    x, term, total = k.copy(), at_k.copy(), at_k.copy()
    while going.any():
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = (n_b - x) * (n_a - x) / ((x + 1) * (n - n_a - n_b + x + 1))
        term = np.where(going, term * np.where(np.isfinite(ratio), ratio, 0), 0)
        total += term
        x += 1
        going &= term > total * 1e-17
    return np.minimum(total, 1)


# --- statements clustered in articles ------------------------------------------------------------------------------

def clustered_interval(successes_by_article, totals_by_article, level: float = 0.95):
    """Interval of a share whose statements are clustered in articles: the one the report prints.

    Wilson's interval on the effective number of statements: how many independent ones would give the share its
    linearised variance between articles, lowered as a t interval on that many articles is wider than a normal one,
    and never above the real number. Where a theme is in no statement or in all of them the articles show no variation
    to measure, and each counts as one statement; a single article counts as one statement too. In simulation
    (tests/test_measures.py) it keeps its level better than the bootstrap where a theme is rare.

    Args:
        successes_by_article: array (articles,) or (articles, themes): statements with the theme.
        totals_by_article: array (articles,): statements of the article.
        level: of confidence.

    Returns:
        (low, high); each a float for one theme and an array (themes,) for several; NaN without statements.

    Raises:
        ValueError: more successes than statements in an article.

    Sources: Korn and Graubard (1998), Survey Methodology 24, 193–201 (effective number with degrees of freedom);
    Dean and Pagano (2015), Journal of Survey Statistics and Methodology 3, 484–503 (with Wilson's interval).
    """
    successes, totals = np.asarray(successes_by_article, float), np.asarray(totals_by_article, float)
    matrix = successes if successes.ndim == 2 else successes[:, None]
    _check_clusters(matrix, totals)
    n, m = totals.sum(), np.count_nonzero(totals)
    share = matrix.sum(axis=0) / max(n, 1)
    squares = ((matrix - np.outer(totals, share)) ** 2).sum(axis=0) / max(n, 1) ** 2
    effective = _effective_statements(share, n, m, squares, level)
    low, high = wilson_interval(share * effective, effective, level)
    return (low, high) if successes.ndim == 2 else (float(low[0]), float(high[0]))


def _check_clusters(matrix: np.ndarray, totals: np.ndarray) -> None:
    if np.any(matrix > totals[:, None]) or np.any(matrix < 0):
        raise ValueError("an article cannot have more statements with a theme than statements")


def _effective_statements(share, n, m, squares, level: float) -> np.ndarray:
    """How many independent statements a share of n statements in m articles is worth; arrays of one shape.

    `squares` is the sum over articles of what each adds to the share, squared: for a plain share
    ((statements with the theme − share × statements) / n)².
    """
    share, n, m, squares = (np.asarray(x, float) for x in np.broadcast_arrays(share, n, m, squares))
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = m / (m - 1) * np.maximum(squares, 0)
        worth = np.where(variance > 0, np.minimum(share * (1 - share) / variance, n), n)
        worth = np.where((share == 0) | (share == 1), m, worth)
        fewer = (special.ndtri(0.5 - level / 2) / special.stdtrit(np.maximum(m - 1, 1), 0.5 - level / 2)) ** 2
    return np.where(m > 1, worth * fewer, np.minimum(m, 1))


def cluster_replicates(successes, totals, n_resamples: int = N_RESAMPLES,
                       seed: int | Sequence[int] = SEED) -> np.ndarray:
    """Shares recomputed on resamples of whole articles.

    Args:
        successes: array (articles,) or (articles, themes): statements with the theme, in each article.
        totals: array (articles,): statements of each article.
        n_resamples: how many.
        seed: of the draw.

    Returns:
        array (n_resamples,) or (n_resamples, themes). A resample without a statement gives NaN.

    Source: Davison and Hinkley (1997), Bootstrap Methods and their Application, 3.8 (resampling whole clusters).
    """
    successes, totals = np.asarray(successes), np.asarray(totals, float)
    rng = np.random.default_rng(seed)
    if len(totals) > MAX_CLUSTERS:
        group = rng.permutation(len(totals)) % MAX_CLUSTERS
        # column by column: no copy of all in floating point
        columns = successes.T if successes.ndim > 1 else [successes]
        pooled = np.stack([np.bincount(group, column, MAX_CLUSTERS) for column in columns], axis=-1)
        successes, totals = pooled.reshape(MAX_CLUSTERS, *successes.shape[1:]), np.bincount(group, totals, MAX_CLUSTERS)
    successes = successes.astype(float)
    weights = _times_drawn(len(totals), n_resamples, rng)
    drawn = weights @ totals
    with np.errstate(divide="ignore", invalid="ignore"):
        return weights @ successes / (drawn if successes.ndim == 1 else drawn[:, None])


def _times_drawn(m: int, n_resamples: int, rng: np.random.Generator) -> np.ndarray:
    """How often each of m clusters is drawn in each resample of m: (n_resamples, m)."""
    return rng.multinomial(m, np.full(m, 1 / max(m, 1)), size=n_resamples).astype(float) if m else np.zeros(
        (n_resamples, 0))


def cluster_bootstrap_share(successes_by_article, totals_by_article, level: float | Sequence[float] = 0.95,
                            n_resamples: int = N_RESAMPLES, seed: int | Sequence[int] = SEED):
    """Interval of a share whose statements are clustered in articles, by resampling articles.

    A second opinion on `clustered_interval`, and the model for numbers that have no formula. The percentile
    interval of `cluster_replicates`, with the percentiles moved out as far as a t interval on that many articles
    would be wider than a normal one (without this it is too narrow for few articles). Where a theme is in no
    statement or in all of them, or there is one article only, resampling sees no variation: the interval is then
    Wilson's with the number of articles as n.

    Args:
        successes_by_article: array (articles,) or (articles, themes).
        totals_by_article: array (articles,).
        level: of confidence, or several.
        n_resamples, seed: of the bootstrap.

    Returns:
        (low, high); each a float for one theme and an array (themes,) for several. For several levels, a list of
        such pairs, all from the same resamples.

    Raises:
        ValueError: more successes than statements in an article.

    Source: Hesterberg (2015), The American Statistician 69, 371–386 (expanded percentile interval).
    """
    successes, totals = np.asarray(successes_by_article, float), np.asarray(totals_by_article, float)
    matrix = successes if successes.ndim == 2 else successes[:, None]
    _check_clusters(matrix, totals)
    matrix, totals = matrix[totals > 0], totals[totals > 0]
    levels = [level] if np.isscalar(level) else list(level)
    m, n = len(totals), totals.sum()
    found = matrix.sum(axis=0)
    flat = (found == 0) | (found == n) | (m < 2)
    replicates = cluster_replicates(matrix[:, ~flat], totals, n_resamples, seed)
    out = []
    for one in levels:
        low, high = np.full(len(found), np.nan), np.full(len(found), np.nan)
        if n > 0:
            low[flat], high[flat] = wilson_interval(found[flat] / n * m, m, one)
        if not flat.all():
            low[~flat], high[~flat] = _expanded_percentiles(replicates, m, one)
        out.append((low, high) if successes.ndim == 2 else (float(low[0]), float(high[0])))
    return out[0] if np.isscalar(level) else out


def _expanded_percentiles(replicates: np.ndarray, m: int, level: float) -> tuple[np.ndarray, np.ndarray]:
    tail = special.ndtr(np.sqrt(m / (m - 1)) * special.stdtrit(m - 1, 0.5 - level / 2))
    low, high = np.nanquantile(replicates, [tail, 1 - tail], axis=0)
    return low, high


# --- themes by article, prevalence, trends ------------------------------------------------------------------------

def article_theme_counts(statements: pd.DataFrame, by_region: bool = False) -> pd.DataFrame:
    """How many statements of each article have each theme: what resampling by article needs.

    Args:
        statements: the table `statements` (article_id, year, regions, themes).
        by_region: also a row for each region of a statement (`none` where it has none).

    Returns:
        article_themes: article_id, year, region, theme, n_statements. A row is an article's statements with a
        theme in a year and region; theme `all` holds all its statements there, region `all` each statement once.
    """
    base = pd.DataFrame({
        "article_id": statements["article_id"].to_numpy(),
        "year": statements["year"].fillna(0).astype("int64").to_numpy(),
        "region": "all",
        "theme": list(statements["themes"]),
    })
    if by_region:
        regional = base.assign(region=[list(r) or ["none"] for r in statements["regions"]]).explode("region")
        base = pd.concat([base, regional], ignore_index=True)
    keys = ["article_id", "year", "region"]
    totals = base.groupby(keys).size().rename("n_statements").reset_index().assign(theme="all")
    coded = base.explode("theme").dropna(subset="theme")
    counts = coded.groupby([*keys, "theme"]).size().rename("n_statements").reset_index()
    return (pd.concat([totals, counts])[[*keys, "theme", "n_statements"]]
            .sort_values([*keys, "theme"], ignore_index=True))


def _themes_in(frame: pd.DataFrame) -> list[str]:
    return sorted(set(frame["theme"]) - {"all", "none"})


def _cluster_sums(article_themes: pd.DataFrame, themes: Sequence[str]) -> pd.DataFrame:
    """For every theme, year (also -1) and region of `article_themes`: n, n_statements, n_articles (with the theme),
    of_articles, share, squares (as `_effective_statements` takes them); zero cells included."""
    # articles as numbers: as texts the long frames take several times as much
    article = pd.factorize(article_themes["article_id"])[0].astype(np.int32)
    single = article_themes[["year", "region", "theme", "n_statements"]].assign(article_id=article)
    single = single[single["year"] != -1]
    every = single.assign(year=-1).groupby(["article_id", "year", "region", "theme"], as_index=False)[
        "n_statements"].sum()
    both = pd.concat([every, single], ignore_index=True)
    place = ["year", "region"]
    size = both[(both["theme"] == "all") & (both["n_statements"] > 0)].rename(columns={"n_statements": "t"})
    size = size[["article_id", *place, "t"]]
    slices = size.assign(t2=size["t"] ** 2).groupby(place, as_index=False).agg(
        n_statements=("t", "sum"), of_articles=("t", "size"), t2=("t2", "sum"))
    coded = both[both["theme"].isin(themes) & (both["n_statements"] > 0)].rename(columns={"n_statements": "s"})
    coded = coded.merge(size, on=["article_id", *place], how="left")
    if not (coded["s"] <= coded["t"]).all():
        raise ValueError("an article has more statements with a theme than its row of theme “all” says")
    sums = coded.assign(s2=coded["s"] ** 2, st=coded["s"] * coded["t"]).groupby(["theme", *place], as_index=False).agg(
        n=("s", "sum"), n_articles=("s", "size"), s2=("s2", "sum"), st=("st", "sum"))
    cells = slices.merge(pd.DataFrame({"theme": list(themes)}, dtype=article_themes["theme"].dtype), how="cross")
    frame = cells.merge(sums, on=["theme", *place], how="left")
    frame[["n", "n_articles", "s2", "st"]] = frame[["n", "n_articles", "s2", "st"]].fillna(0).astype("int64")
    share = frame["share"] = frame["n"] / frame["n_statements"]
    # Σ(s − share·t)², opened so that it is made of sums.
    frame["squares"] = (frame["s2"] - 2 * share * frame["st"] + share**2 * frame["t2"]) / frame["n_statements"] ** 2
    return frame[["theme", *place, "n", "n_statements", "n_articles", "of_articles", "share", "squares"]]


def prevalence(theme_counts: pd.DataFrame, slices: pd.DataFrame, article_themes: pd.DataFrame | None = None,
               themes: Sequence[str] | None = None, level: float = 0.95) -> pd.DataFrame:
    """The share of statements with each theme, in every slice, zero cells included.

    Args:
        theme_counts: theme, year, region, n_statements, n_articles, n_agencies.
        slices: year, region, n_statements, n_articles: the denominators.
        article_themes: as `article_theme_counts` gives it. Slices found there get `clustered_interval`; the others
            plain Wilson intervals, which take statements as independent and are too narrow.
        themes: the codes to give rows to; those of `theme_counts` when not given.
        level: of the intervals.

    Returns:
        theme, year, region; `n` statements of the theme of `n_statements` in the slice; `share` = n / n_statements
        with `low`, `high`; `n_articles` with the theme of `of_articles`; `article_share`; `n_agencies`; `interval`
        (`cluster` or `wilson`); `n_effective`, the independent statements the slice is worth for this theme;
        `thin`: the slice has under MIN_STATEMENTS statements or MIN_ARTICLES articles. Sorted by theme, year,
        region. A slice without a statement has NaN shares.
    """
    themes = list(themes) if themes is not None else _themes_in(theme_counts)
    keys = ["theme", "year", "region"]
    size = slices[["year", "region", "n_statements", "n_articles"]].rename(columns={"n_articles": "of_articles"})
    cells = size.merge(pd.DataFrame({"theme": themes}, dtype=theme_counts["theme"].dtype), how="cross")
    found = theme_counts[[*keys, "n_statements", "n_articles", "n_agencies"]].rename(columns={"n_statements": "n"})
    frame = cells.merge(found, on=keys, how="left")
    frame[["n", "n_articles", "n_agencies"]] = frame[["n", "n_articles", "n_agencies"]].fillna(0).astype("int64")
    frame["share"] = frame["n"] / frame["n_statements"].replace(0, np.nan)
    frame["article_share"] = frame["n_articles"] / frame["of_articles"].replace(0, np.nan)
    frame["interval"], frame["n_effective"] = "wilson", frame["n_statements"].astype(float)
    if article_themes is not None:
        sums = _cluster_sums(article_themes, themes)
        sums["worth"] = _effective_statements(sums["share"], sums["n_statements"], sums["of_articles"],
                                              sums["squares"], level)
        frame = frame.merge(sums[[*keys, "worth"]], on=keys, how="left")
        known = frame["worth"].notna()
        frame.loc[known, "interval"] = "cluster"
        frame["n_effective"] = frame["worth"].where(known, frame["n_effective"])
    frame["low"], frame["high"] = wilson_interval(frame["share"].fillna(0) * frame["n_effective"],
                                                  frame["n_effective"], level)
    frame["thin"] = (frame["n_statements"] < MIN_STATEMENTS) | (frame["of_articles"] < MIN_ARTICLES)
    columns = [*keys, "n", "n_statements", "share", "low", "high", "n_articles", "of_articles", "article_share",
               "n_agencies", "interval", "n_effective", "thin"]
    return frame[columns].sort_values(keys, ignore_index=True)


def among_first(value, low, high, n=None) -> np.ndarray:
    """Which of several values may truly be the largest: the largest itself, and those whose upper bound reaches its
    lower bound.

    Args:
        value, low, high: arrays of one shape; a missing bound or value is never first.
        n: how often each was counted in one and the same material, where that is so; what is not there at all is then
            not among the first, however wide its interval.

    Returns:
        array of bool, one of them True at least where any value is known.
    """
    value, low, high = (np.asarray(x, float) for x in (value, low, high))
    known = np.isfinite(value) & np.isfinite(low) & np.isfinite(high)
    if not known.any():
        return known
    first = int(np.argmax(np.where(known, value, -np.inf)))
    rivals = known & (high >= low[first])
    if n is not None:
        rivals &= np.asarray(n) > 0
    rivals[first] = True
    return rivals


def share_difference(share_a, low_a, high_a, share_b, low_b, high_b) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """b − a with an interval made from the intervals of two independent shares.

    Unlike the percentiles of resampled differences it stays honest where one of the shares is 0 or 1.

    Args:
        share_a, low_a, high_a, share_b, low_b, high_b: arrays of one shape.

    Returns:
        (difference, low, high).

    Source: Zou and Donner (2008), Statistics in Medicine 27, 1693–1702; with Wilson intervals it is the hybrid
    score interval of Newcombe (1998), Statistics in Medicine 17, 873–890.
    """
    a, la, ha, b, lb, hb = (np.asarray(x, float) for x in (share_a, low_a, high_a, share_b, low_b, high_b))
    difference = b - a
    return difference, difference - np.hypot(b - lb, ha - a), difference + np.hypot(hb - b, a - la)


def trend_grade(low95, high95, low80, high80, enough) -> np.ndarray:
    """The word a change has earned, by `TREND_RULE`.

    Args:
        low95, high95, low80, high80: bounds of the difference (later minus earlier), arrays of one shape.
        enough: whether there is enough material at all (bool).

    Returns:
        array of keys of `TREND_WORDS`: `rose`, `probably_rose`, `no_clear_change`, `probably_fell`, `fell`,
        `too_little`. A missing bound is too little.
    """
    low95, high95, low80, high80 = (np.asarray(x, float) for x in (low95, high95, low80, high80))
    unknown = ~np.asarray(enough, bool) | np.isnan(low95) | np.isnan(high95) | np.isnan(low80) | np.isnan(high80)
    return np.select([unknown, low95 > 0, high95 < 0, low80 > 0, high80 < 0],
                     ["too_little", "rose", "fell", "probably_rose", "probably_fell"], "no_clear_change")


def trends(article_themes: pd.DataFrame, pairs: Sequence[tuple[int, int]] | None = None,
           themes: Sequence[str] | None = None) -> pd.DataFrame:
    """How the share of each theme changed between years, with the word it has earned.

    Args:
        article_themes: as `article_theme_counts` gives it; every region in it is treated.
        pairs: (earlier, later) years; by default each year and the next one present, and the first and the last.
        themes: by default all in the frame.

    Returns:
        theme, region, year_from, year_to, share_from, share_to, n_from, n_to (statements with the theme),
        n_statements_from, n_statements_to, n_articles_from, n_articles_to (of the slices), difference, low95,
        high95, low80, high80 (`share_difference` of `clustered_interval`s), p, q, grade. p tells at what level the
        interval would touch zero; q is Benjamini–Hochberg over the rows of one region that had enough material.
        Sorted by theme, region, year_from, year_to.
    """
    themes = list(themes) if themes is not None else _themes_in(article_themes)
    frame = _cluster_sums(article_themes, themes)
    for level in (95, 80):
        worth = _effective_statements(frame["share"], frame["n_statements"], frame["of_articles"], frame["squares"],
                                      level / 100)
        frame[f"low{level}"], frame[f"high{level}"] = wilson_interval(frame["share"] * worth, worth, level / 100)
    if pairs is None:
        years = sorted(set(frame.loc[frame["year"] > 0, "year"]))
        pairs = sorted({*itertools.pairwise(years), *([(years[0], years[-1])] if len(years) > 1 else [])})
    wanted = pd.DataFrame(pairs, columns=["year_from", "year_to"], dtype="int64")
    frame = frame.rename(columns={"of_articles": "size"})[["theme", "region", "year", "n", "n_statements", "size",
                                                           "share", "low95", "high95", "low80", "high80"]]
    frame = (wanted.merge(frame.rename(columns={"year": "year_from"}), on="year_from")
             .merge(frame.rename(columns={"year": "year_to"}), on=["year_to", "theme", "region"],
                    suffixes=("_from", "_to")))
    for level in (95, 80):
        names = ("share", f"low{level}", f"high{level}")
        frame["difference"], frame[f"low{level}"], frame[f"high{level}"] = share_difference(
            *(frame[f"{name}_{end}"] for end in ("from", "to") for name in names))
    enough = ((frame[["n_statements_from", "n_statements_to"]].min(axis=1) >= MIN_STATEMENTS)
              & (frame[["size_from", "size_to"]].min(axis=1) >= MIN_ARTICLES)
              & (frame["n_from"] + frame["n_to"] >= MIN_SUPPORT)).to_numpy()
    d = frame["difference"].to_numpy()
    towards_zero = np.where(d > 0, d - frame["low95"], frame["high95"] - d)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(d == 0, 0, special.ndtri(0.975) * np.abs(d) / towards_zero)
    frame["p"] = np.where(enough, 2 * special.ndtr(-z), np.nan)
    frame["grade"] = trend_grade(frame["low95"], frame["high95"], frame["low80"], frame["high80"], enough)
    frame["q"] = np.nan
    for rows in frame.groupby("region").groups.values():
        frame.loc[rows, "q"] = benjamini_hochberg(frame.loc[rows, "p"])
    frame = frame.rename(columns={"size_from": "n_articles_from", "size_to": "n_articles_to"})
    columns = ["theme", "region", "year_from", "year_to", "share_from", "share_to", "n_from", "n_to",
               "n_statements_from", "n_statements_to", "n_articles_from", "n_articles_to", "difference", "low95",
               "high95", "low80", "high80", "p", "q", "grade"]
    return frame[columns].sort_values(["theme", "region", "year_from", "year_to"], ignore_index=True)


# --- a change of sources is no change of priorities ---------------------------------------------------------------

def _years_of_articles(article_themes: pd.DataFrame, region: str, themes: Sequence[str]) -> Iterator[tuple]:
    """(year, article ids, statements (articles,), statements with a theme (articles, themes)) for each known year."""
    of_region = article_themes[(article_themes["region"] == region) & (article_themes["year"] > 0)]
    column = {theme: i for i, theme in enumerate(themes)}
    for year, part in of_region.groupby("year", sort=True):
        of_all = part[part["theme"] == "all"].sort_values("article_id")
        coded = part[part["theme"].isin(column)]
        matrix = np.zeros((len(of_all), len(themes)))
        rows = pd.Index(of_all["article_id"]).get_indexer(coded["article_id"])
        np.add.at(matrix, (rows, coded["theme"].map(column).to_numpy(int)), coded["n_statements"].to_numpy(float))
        yield int(year), of_all["article_id"].to_numpy(), of_all["n_statements"].to_numpy(float), matrix


def mix_standardised(article_themes: pd.DataFrame, strata: Mapping[str, str], region: str = "all",
                     themes: Sequence[str] | None = None, level: float = 0.95) -> pd.DataFrame:
    """The share of each theme by year as it would be had the mix of sources stood still.

    Direct standardisation: the share in each stratum (a source format, a publisher, a kind of article) weighted by
    that stratum's part of all statements of known year. In a year without some stratum the weights of the others
    are scaled up to 1, and `coverage` says how much of the standard mix they stand for. The interval is made as
    `clustered_interval` makes it; a stratum of a single article, which shows no variation of its own, is held
    against the year's share.

    Args:
        article_themes: as `article_theme_counts` gives it.
        strata: article_id → stratum; an article without one belongs to the stratum `unknown`.
        region: the slice to treat.
        themes: by default all in the frame.
        level: of the intervals.

    Returns:
        theme, year, region, share (as it is), standardised, low, high, coverage, n_strata, n_statements, n_articles;
        sorted by theme, year.

    Source: Fleiss, Levin and Paik (2003), Statistical Methods for Rates and Proportions, ch. 19.
    """
    themes = list(themes) if themes is not None else _themes_in(article_themes)
    years = [(year, np.array([(strata.get(i) or "unknown") for i in ids], dtype=object), totals, matrix)
             for year, ids, totals, matrix in _years_of_articles(article_themes, region, themes)]
    cells = {year: {name: (totals[names == name].sum(), matrix[names == name].sum(axis=0)) for name in set(names)}
             for year, names, totals, matrix in years}
    held = held_still(cells)
    frames = []
    for year, names, totals, matrix in years:
        present = sorted(set(names))
        n, m, plain = totals.sum(), len(totals), matrix.sum(axis=0) / totals.sum()
        value, coverage, weights = held[year]
        squares = np.zeros(len(themes))
        for name in present:
            rows = names == name
            size, with_theme = cells[year][name]
            centre = with_theme / size if rows.sum() > 1 else plain
            squares += ((weights[name] / size * (matrix[rows] - np.outer(totals[rows], centre))) ** 2).sum(axis=0)
        worth = _effective_statements(value, n, m, squares, level)
        low, high = wilson_interval(value * worth, worth, level)
        frames.append(pd.DataFrame({
            "theme": themes, "year": year, "region": region, "share": plain, "standardised": value, "low": low,
            "high": high, "coverage": coverage, "n_strata": len(present), "n_statements": int(n),
            "n_articles": m}))
    columns = ["theme", "year", "region", "share", "standardised", "low", "high", "coverage", "n_strata",
               "n_statements", "n_articles"]
    if not frames:
        return pd.DataFrame(columns=columns)
    return pd.concat(frames)[columns].sort_values(["theme", "year"], ignore_index=True)


def held_still(cells: Mapping[int, Mapping[str, tuple[float, np.ndarray]]]
               ) -> dict[int, tuple[np.ndarray, float, dict[str, float]]]:
    """The shares of themes as they would be had the mix of sources stood still, as `mix_standardised` says.

    Args:
        cells: year → stratum → (statements, statements with each theme (themes,)).

    Returns:
        year → (shares (themes,), the part of the standard mix that its strata stand for, the weight of each stratum).
    """
    standard: dict[str, float] = {}
    for strata in cells.values():
        for name, (size, _) in strata.items():
            standard[name] = standard.get(name, 0) + size
    out = {}
    for year, strata in cells.items():
        covered = sum(standard[name] for name in strata)
        weights = {name: standard[name] / covered for name in sorted(strata)}
        value = sum(weight * (strata[name][1] / strata[name][0]) for name, weight in weights.items())
        out[year] = np.clip(value, 0, 1), covered / sum(standard.values()), weights
    return out


def mix_warning(article_themes: pd.DataFrame, strata: Mapping[str, str], pairs: Sequence[tuple[int, int]],
                region: str = "all", themes: Sequence[str] | None = None, min_change: float = 0.01,
                min_common: float = 0.5) -> pd.DataFrame:
    """Whether a change between two years comes from a change of sources.

    The change is taken again within the strata both years have, each weighted by its part of the statements of
    the two years together. `mix_makes_it`: the plain change is at least `min_change`, and the standardised one is
    under half of it or has the other sign. `mix_hides_it`: the standardised change is at least `min_change` and
    more than twice the plain one. `no_common_ground`: in one of the years under `min_common` of the statements are
    in common strata. Otherwise the warning is empty.

    Args:
        article_themes, strata, region, themes: as for `mix_standardised`.
        pairs: (earlier, later) years.
        min_change: of shares, as a fraction of 1.
        min_common: share of statements.

    Returns:
        theme, region, year_from, year_to, change, change_standardised, common (the smaller of the two years' shares
        of statements in common strata), warning (a key of `MIX_WARNINGS` or ""); sorted.
    """
    themes = list(themes) if themes is not None else _themes_in(article_themes)
    cells: dict[int, dict[str, tuple[float, np.ndarray]]] = {}
    for year, ids, totals, matrix in _years_of_articles(article_themes, region, themes):
        names = np.array([(strata.get(i) or "unknown") for i in ids], dtype=object)
        cells[year] = {name: (totals[names == name].sum(), matrix[names == name].sum(axis=0)) for name in set(names)}
    return mix_warning_of(cells, themes, pairs, region, min_change, min_common)


def mix_warning_of(cells: Mapping[int, Mapping[str, tuple[float, np.ndarray]]], themes: Sequence[str],
                   pairs: Sequence[tuple[int, int]], region: str = "all", min_change: float = 0.01,
                   min_common: float = 0.5) -> pd.DataFrame:
    """As `mix_warning`, from sums: `cells` are those of `held_still`, with one number for each of `themes`."""
    frames = []
    for first, last in pairs:
        if first not in cells or last not in cells:
            continue
        a, b = cells[first], cells[last]
        n_a, n_b = sum(n for n, _ in a.values()), sum(n for n, _ in b.values())
        plain = sum(k for _, k in b.values()) / n_b - sum(k for _, k in a.values()) / n_a
        shared = sorted(set(a) & set(b))
        common = min(sum(a[s][0] for s in shared) / n_a, sum(b[s][0] for s in shared) / n_b)
        weights = {s: a[s][0] + b[s][0] for s in shared}
        whole = sum(weights.values())
        held = np.full(len(themes), np.nan)
        if shared:
            held = sum(weights[s] / whole * (b[s][1] / b[s][0] - a[s][1] / a[s][0]) for s in shared)
        made = (np.abs(plain) >= min_change) & ((held * plain < 0) | (np.abs(held) < np.abs(plain) / 2))
        hidden = (np.abs(held) >= min_change) & (np.abs(held) > 2 * np.abs(plain))
        warning = np.select([np.full(len(themes), common < min_common), made, hidden],
                            ["no_common_ground", "mix_makes_it", "mix_hides_it"], "")
        frames.append(pd.DataFrame({"theme": themes, "region": region, "year_from": first, "year_to": last,
                                    "change": plain, "change_standardised": held, "common": common,
                                    "warning": warning}))
    columns = ["theme", "region", "year_from", "year_to", "change", "change_standardised", "common", "warning"]
    if not frames:
        return pd.DataFrame(columns=columns)
    return pd.concat(frames)[columns].sort_values(["theme", "year_from", "year_to"], ignore_index=True)


# --- measured error of the coding ---------------------------------------------------------------------------------

def corrected_prevalence(n, n_statements, tp, fp, fn, tn, level: float = 0.95, n_effective=None,
                         min_gold: int = 10) -> pd.DataFrame:
    """Prevalence corrected for the codebook's measured error, with an interval that carries both uncertainties.

    Args:
        n, n_statements: statements coded with the theme, and all statements; arrays of one shape or numbers.
        tp, fp, fn, tn: the theme's hits, false alarms, misses and right silences on the hand-marked sample.
        level: of confidence.
        n_effective: the number of independent statements the sample is worth (n_statements divided by the design
            effect of clustering); n_statements when not given.
        min_gold: so many hand-marked statements with, and as many without the theme, are needed.

    Returns:
        one row each: share, corrected, low, high (within [0, 1]), bounded (the uncorrected estimate lay outside
        [0, 1]), status (a key of `CORRECTION_STATUS`; NaN in the numbers unless `corrected`).

    Source: Rogan and Gladen (1978), American Journal of Epidemiology 107, 71–76; interval of Lang and Reiczigel
    (2014), Preventive Veterinary Medicine 113, 13–22.
    """
    n, size, tp, fp, fn, tn = (np.atleast_1d(np.asarray(x, float)) for x in np.broadcast_arrays(
        n, n_statements, tp, fp, fn, tn))
    worth = size if n_effective is None else np.broadcast_to(np.asarray(n_effective, float), size.shape)
    positives, negatives = tp + fn, tn + fp
    z = special.ndtri(0.5 + level / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = n / size
        sensitivity, specificity = tp / positives, tn / negatives
        plain = (share + specificity - 1) / (sensitivity + specificity - 1)
        se, sp = (tp + 1) / (positives + 2), (tn + 1) / (negatives + 2)
        shrunk = (share * worth + z * z / 2) / (worth + z * z)
        youden = se + sp - 1
        centre = (shrunk + sp - 1) / youden
        var_se, var_sp = se * (1 - se) / (positives + 2), sp * (1 - sp) / (negatives + 2)
        shift = 2 * z * z * (centre * var_se - (1 - centre) * var_sp)
        half = z * np.sqrt(shrunk * (1 - shrunk) / (worth + z * z) + centre**2 * var_se
                           + (1 - centre) ** 2 * var_sp) / np.abs(youden)
        chance = ~(youden - z * np.sqrt(var_se + var_sp) > 0)
    status = np.select([(positives < min_gold) | (negatives < min_gold), chance],
                       ["gold_too_small", "no_better_than_chance"], "corrected")
    usable = (status == "corrected") & (size > 0)

    def only(values):
        return np.where(usable, np.clip(values, 0, 1), np.nan)

    with np.errstate(invalid="ignore"):
        low, high = only(centre + shift - half), only(centre + shift + half)
    return pd.DataFrame({"share": share, "corrected": only(plain), "low": low, "high": high,
                         "bounded": usable & ((plain < 0) | (plain > 1)), "status": status})


def corrected_shares(prevalence: pd.DataFrame, accuracy: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Shares of themes as coded, and corrected for the error measured on hand-marked statements.

    Args:
        prevalence: as `prevalence` gives it.
        accuracy: theme, tp, fp, fn, tn, as `accuracy` gives them; themes without a row were not marked.
        level: of the intervals.

    Returns:
        theme, year, region, n, n_statements, and the columns of `corrected_prevalence`; in the order of `prevalence`.
    """
    marked = accuracy.set_index("theme").reindex(prevalence["theme"])
    tp, fp, fn, tn = (marked[c].astype("float64").fillna(0).to_numpy() for c in ("tp", "fp", "fn", "tn"))
    corrected = corrected_prevalence(prevalence["n"], prevalence["n_statements"], tp, fp, fn, tn, level,
                                     n_effective=prevalence["n_effective"].to_numpy(float))
    frame = prevalence[["theme", "year", "region", "n", "n_statements"]].reset_index(drop=True)
    return pd.concat([frame, corrected], axis=1)


def accuracy(predicted: Sequence[Collection[str]], gold: Sequence[Collection[str]],
             contested: Sequence[Collection[str]] | None = None, clusters: Sequence[str] | None = None,
             themes: Sequence[str] | None = None, level: float = 0.95, n_resamples: int = 1000,
             seed: int = SEED) -> pd.DataFrame:
    """Precision, recall and F1 of each theme against hand labels.

    Args:
        predicted, gold: the codes of each statement, in the same order.
        contested: codes of each statement on which the hand labels do not settle; there the theme is neither hit
            nor miss.
        clusters: the article of each statement; F1 is resampled by it (by statement when not given).
        themes: codes to give rows to; those of gold and predictions when not given.
        level, n_resamples, seed: of the intervals.

    Returns:
        theme, tp, fp, fn, tn, precision, precision_low, precision_high, recall, recall_low, recall_high, f1,
        f1_low, f1_high. Intervals of precision and recall are Wilson's, of F1 the bootstrap's (expanded
        percentiles). Last come `all` (every decision counted once: micro average) and `mean` (the plain mean over
        themes that gold has: macro average, its precision and recall left empty). A share of nothing is NaN.

    Raises:
        ValueError: sequences of different lengths.
    """
    contested = [()] * len(gold) if contested is None else contested
    clusters = range(len(gold)) if clusters is None else clusters
    if not len(predicted) == len(gold) == len(contested) == len(clusters):
        raise ValueError("predicted, gold, contested and clusters must be of one length")
    if themes is None:
        themes = sorted({code for codes in (*predicted, *gold) for code in codes})
    column = {code: j for j, code in enumerate(themes)}
    p, g, c = (_incidence(x, column) for x in (predicted, gold, contested))
    hit, alarm, miss, right = p & g & ~c, p & ~g & ~c, ~p & g & ~c, ~p & ~g & ~c
    tp, fp, fn, tn = (x.sum(axis=0) for x in (hit, alarm, miss, right))
    groups, names = pd.factorize(np.asarray(list(clusters), dtype=object), sort=True)
    m = len(names)
    summed = [np.zeros((m, len(themes))) for _ in range(3)]
    for total, part in zip(summed, (hit, alarm, miss), strict=True):
        np.add.at(total, groups, part)
    weights = _times_drawn(m, n_resamples, np.random.default_rng(seed))
    in_gold = (tp + fn) > 0

    def row(theme, tp, fp, fn, tn, replicates):
        tp, fp, fn, tn = int(tp), int(fp), int(fn), int(tn)
        p_low, p_high = wilson_interval(tp, tp + fp, level)
        r_low, r_high = wilson_interval(tp, tp + fn, level)
        low, high = interval_of_replicates(replicates, m, level)
        return {"theme": theme, "tp": tp, "fp": fp, "fn": fn, "tn": tn, "precision": _over(tp, tp + fp),
                "precision_low": float(p_low), "precision_high": float(p_high), "recall": _over(tp, tp + fn),
                "recall_low": float(r_low), "recall_high": float(r_high), "f1": _over(2 * tp, 2 * tp + fp + fn),
                "f1_low": low, "f1_high": high}

    with np.errstate(divide="ignore", invalid="ignore"):
        w_tp, w_fp, w_fn = (weights @ x for x in summed)
        f1 = 2 * w_tp / (2 * w_tp + w_fp + w_fn)
        f1_all = 2 * w_tp.sum(axis=1) / (2 * w_tp + w_fp + w_fn).sum(axis=1)
        # A resample may hold no case of a theme; its mean is over the themes it does hold.
        known = ~np.isnan(f1[:, in_gold])
        f1_mean = np.where(known, f1[:, in_gold], 0).sum(axis=1) / known.sum(axis=1)
    rows = [row(theme, tp[j], fp[j], fn[j], tn[j], f1[:, j]) for j, theme in enumerate(themes)]
    mean = dict.fromkeys(rows[0] if rows else row("", 0, 0, 0, 0, f1_all), np.nan) | {"theme": "mean"}
    mean["f1"] = float(np.mean([r["f1"] for r, known in zip(rows, in_gold, strict=True) if known])) \
        if in_gold.any() else np.nan
    mean["f1_low"], mean["f1_high"] = interval_of_replicates(f1_mean, m, level)
    rows.append(row("all", tp.sum(), fp.sum(), fn.sum(), tn.sum(), f1_all))
    frame = pd.DataFrame([*rows, mean])
    return frame.astype(dict.fromkeys(("tp", "fp", "fn", "tn"), "Int64"))


def _over(a, b) -> float:
    return a / b if b else np.nan


def _incidence(codes: Sequence[Collection[str]], column: Mapping[str, int]) -> np.ndarray:
    out = np.zeros((len(codes), len(column)), bool)
    for i, some in enumerate(codes):
        for code in some:
            if code in column:
                out[i, column[code]] = True
    return out


def interval_of_replicates(replicates: np.ndarray, m: int, level: float = 0.95) -> tuple[float, float]:
    """The interval of a number from its values on resamples.

    Args:
        replicates: the number on each resample, in one dimension; NaN where it does not exist.
        m: how many clusters were resampled.
        level: of confidence.

    Returns:
        (low, high): the expanded percentiles (see `cluster_bootstrap_share`) of the resamples in which the number
        exists; NaN with under two clusters, or when it exists in under half of the resamples.
    """
    known = replicates[~np.isnan(replicates)]
    if m < 2 or len(known) * 2 < len(replicates) or not len(known):
        return np.nan, np.nan
    low, high = _expanded_percentiles(known, m, level)
    return float(low), float(high)


def masi_distance(a: Collection[str], b: Collection[str]) -> float:
    """1 − MASI of two sets of codes: 0 when equal (two empty sets too), 1 when nothing is shared.

    MASI is the Jaccard index times 1 for equal sets, 2/3 where one holds the other, 1/3 where they only overlap.

    Source: Passonneau (2006), LREC, 831–836.
    """
    a, b = set(a), set(b)
    if a == b:
        return 0.0
    shared = a & b
    if not shared:
        return 1.0
    return 1 - len(shared) / len(a | b) * (2 / 3 if a <= b or b <= a else 1 / 3)


def wording_shares(statements: pd.DataFrame, key: str, grades: Sequence[str], n_binding: int = 2) -> pd.DataFrame:
    """How binding the wording is, by year or by region.

    Args:
        statements: article_id, deontic and the key; a row for each statement and value of the key.
        key: the column to tell apart.
        grades: binding grades, strongest first.
        n_binding: so many of them bind.

    Returns:
        the key, n_statements, n_articles, for each grade the share of statements that have it, binding (the share of
        the first `n_binding` together), low, high (`clustered_interval`, by article) and thin (too few statements or
        articles to be compared); sorted by the key.
    """
    rows = []
    for value, part in statements.groupby(key, sort=True):
        binding = part["deontic"].isin(list(grades[:n_binding]))
        by_article = binding.groupby(part["article_id"]).agg(["sum", "size"])
        low, high = clustered_interval(by_article["sum"], by_article["size"])
        rows.append({key: value, "n_statements": len(part), "n_articles": len(by_article),
                     **{grade: float((part["deontic"] == grade).mean()) for grade in grades},
                     "binding": float(binding.mean()), "low": low, "high": high,
                     "thin": len(part) < MIN_STATEMENTS or len(by_article) < MIN_ARTICLES})
    columns = [key, "n_statements", "n_articles", *grades, "binding", "low", "high", "thin"]
    return pd.DataFrame(rows, columns=columns)


def agreement(codes_a: Sequence[Collection[str]], codes_b: Sequence[Collection[str]],
              themes: Sequence[str] | None = None, level: float = 0.95, n_resamples: int = 1000,
              seed: int = SEED) -> pd.DataFrame:
    """Krippendorff's alpha between two coders: of each theme (given or not), and of the whole sets of codes.

    Args:
        codes_a, codes_b: the codes each coder gave to each statement, in the same order.
        themes: codes to give rows to; all that were given when None.
        level, n_resamples, seed: of the intervals, by resampling statements.

    Returns:
        theme, n (statements), n_a, n_b (given by each coder), agree (share of statements treated alike), alpha,
        low, high. The last row, `all`, compares whole sets: alpha with `masi_distance`, agree = sets equal, n_a and
        n_b the statements with any code. Alpha is NaN where only one value was ever given: there is nothing to
        agree on beyond chance.

    Raises:
        ValueError: sequences of different lengths.

    Source: Krippendorff (2019), Content Analysis, 4th ed., ch. 12.
    """
    if len(codes_a) != len(codes_b):
        raise ValueError("both coders must have coded the same statements")
    if themes is None:
        themes = sorted({code for codes in (*codes_a, *codes_b) for code in codes})
    column = {code: j for j, code in enumerate(themes)}
    n = len(codes_a)
    a, b = _incidence(codes_a, column), _incidence(codes_b, column)
    weights = _times_drawn(n, n_resamples, np.random.default_rng(seed))
    rows = []
    nominal = np.array([[0.0, 1.0], [1.0, 0.0]])
    for j, theme in enumerate(themes):
        x, y = a[:, j].astype(int), b[:, j].astype(int)
        rows.append({"theme": theme, "n": n, "n_a": int(x.sum()), "n_b": int(y.sum()),
                     "agree": _over((x == y).sum(), n), **_alpha_row(x, y, nominal, weights, n, level)})
    sets = [frozenset(s) for s in (*codes_a, *codes_b)]
    values = sorted(set(sets), key=sorted)
    place = {value: i for i, value in enumerate(values)}
    ids = np.array([place[s] for s in sets], dtype=int)
    distance = np.array([[masi_distance(u, v) for v in values] for u in values]).reshape(len(values), len(values))
    x, y = ids[:n], ids[n:]
    rows.append({"theme": "all", "n": n, "n_a": sum(map(bool, codes_a)), "n_b": sum(map(bool, codes_b)),
                 "agree": _over((x == y).sum(), n), **_alpha_row(x, y, distance, weights, n, level)})
    return pd.DataFrame(rows, columns=["theme", "n", "n_a", "n_b", "agree", "alpha", "low", "high"])


def _alpha_row(x, y, distance, weights, n, level) -> dict[str, float]:
    if n == 0:
        return {"alpha": np.nan, "low": np.nan, "high": np.nan}
    value = _alphas(np.ones((1, n)), x, y, distance)[0]
    low, high = interval_of_replicates(_alphas(weights, x, y, distance), n, level)
    return {"alpha": float(value), "low": low, "high": high}


def _alphas(weights, x, y, distance) -> np.ndarray:
    """Alpha of two coders without gaps, under each row of statement weights."""
    n_values = 2 * weights.sum(axis=1)
    given = np.zeros((len(x), len(distance)))
    np.add.at(given, (np.arange(len(x)), x), 1)
    np.add.at(given, (np.arange(len(x)), y), 1)
    counts = weights @ given
    observed = 2 * (weights @ distance[x, y]) / n_values
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.einsum("bi,ij,bj->b", counts, distance, counts, optimize=True) / (n_values * (n_values - 1))
        return np.where(expected > 0, 1 - observed / expected, np.nan)


# --- words: keyness and dispersion --------------------------------------------------------------------------------

def keyness(counts_a: pd.Series, counts_b: pd.Series, total_a: int | None = None, total_b: int | None = None,
            prior: pd.Series | None = None, prior_size: float | None = None, min_count: int = 5,
            level: float = 0.95) -> pd.DataFrame:
    """Which terms mark slice A off from slice B.

    Args:
        counts_a, counts_b: counts by term. The slices must not overlap: to set a part against the whole, subtract
            it from the whole first.
        total_a, total_b: tokens of the slices; the sums of the counts when not given.
        prior: counts by term that say what is usual; the two slices together when not given.
        prior_size: the number of tokens the prior shall weigh; its own sum when not given.
        min_count: terms under it in both slices together get no row, and no part in q.
        level: of the interval of the log ratio.

    Returns:
        term; count_a, count_b; per_10k_a, per_10k_b; `log_odds` (difference of log odds under the prior) and its
        `z`; `g2`; `log_ratio` (binary logarithm of the ratio of relative frequencies: 1 is twice as frequent in A)
        with `low`, `high`; `p` of G², `q` by Benjamini–Hochberg. Sorted by z downward, then term: A's terms
        first. Tokens of an article are not independent, so p flatters terms of few articles: read it beside
        `dispersion`.

    Raises:
        ValueError: a slice without tokens, or a total under the sum of its counts.

    Sources: Monroe, Colaresi and Quinn (2008), Political Analysis 16, 372–403, eq. 15–22; Dunning (1993),
    Computational Linguistics 19, 61–74; Hardie (2014), log ratio; interval of a ratio of shares by Katz et al.
    (1978), Biometrics 34, 469–474, half an occurrence added on both sides where one is 0.
    """
    terms = counts_a.index.union(counts_b.index)
    a = counts_a.reindex(terms, fill_value=0).to_numpy(float)
    b = counts_b.reindex(terms, fill_value=0).to_numpy(float)
    n_a, n_b = float(a.sum() if total_a is None else total_a), float(b.sum() if total_b is None else total_b)
    if min(n_a, n_b) <= 0 or a.sum() > n_a or b.sum() > n_b:
        raise ValueError("each slice needs tokens, and no fewer than its terms count together")
    alpha = a + b if prior is None else prior.reindex(terms, fill_value=0).to_numpy(float)
    alpha_all = (n_a + n_b) if prior is None else float(prior.sum())
    if prior_size is not None:
        alpha, alpha_all = alpha * prior_size / alpha_all, float(prior_size)
    keep = a + b >= max(min_count, 1)
    terms, a, b, alpha = terms[keep], a[keep], b[keep], alpha[keep]
    # A term the prior does not know keeps a hundredth of an occurrence, or its odds would be infinite.
    alpha = np.maximum(alpha, 0.01)
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = np.log((a + alpha) / np.maximum(n_a + alpha_all - a - alpha, 1e-12)) \
            - np.log((b + alpha) / np.maximum(n_b + alpha_all - b - alpha, 1e-12))
    z = odds / np.sqrt(1 / (a + alpha) + 1 / (b + alpha))
    g2 = 2 * sum(special.xlogy(o, o * (n_a + n_b) / (row * total)) for o, row, total in (
        (a, a + b, n_a), (b, a + b, n_b),
        (n_a - a, np.maximum(n_a + n_b - a - b, 1e-12), n_a), (n_b - b, np.maximum(n_a + n_b - a - b, 1e-12), n_b)))
    g2 = np.maximum(g2, 0)
    pad = np.where((a == 0) | (b == 0), 0.5, 0)
    x, y, m, k = a + pad, b + pad, n_a + pad, n_b + pad
    ratio = np.log2((x / m) / (y / k))
    half = special.ndtri(0.5 + level / 2) * np.sqrt(1 / x - 1 / m + 1 / y - 1 / k) / np.log(2)
    p = special.chdtrc(1, g2)
    frame = pd.DataFrame({
        "term": terms.to_numpy(), "count_a": a.astype("int64"), "count_b": b.astype("int64"),
        "per_10k_a": a / n_a * 1e4, "per_10k_b": b / n_b * 1e4, "log_odds": odds, "z": z, "g2": g2,
        "log_ratio": ratio, "low": ratio - half, "high": ratio + half, "p": p, "q": benjamini_hochberg(p)})
    return frame.sort_values(["z", "term"], ascending=[False, True], ignore_index=True)


def keyness_between(term_counts: pd.DataFrame, slices: pd.DataFrame, slice_a: tuple[int, str],
                    slice_b: tuple[int, str], **options) -> pd.DataFrame:
    """`keyness` of one slice against another.

    Args:
        term_counts: term, year, region, count.
        slices: year, region, n_tokens.
        slice_a, slice_b: (year, region), −1 for all years, `all` for everything; `bureaus` is what regional bureaus say
            and the national regulator does not: everything less 全国 and what belongs to nobody. They must not overlap.
        options: of `keyness`.

    Returns:
        as `keyness`; no rows where either slice has no tokens or both are one.
    """
    def of(year, region):
        tokens = slices[slices["year"] == year].set_index("region")["n_tokens"]
        if region != "bureaus":
            return slice_counts(term_counts, year, region), int(tokens.get(region, 0))
        counts = slice_counts(term_counts, year)
        for part in (NATIONAL, "none"):
            counts = counts.sub(slice_counts(term_counts, year, part), fill_value=0).reindex(counts.index)
        # a statement of both belongs to the national regulator here, so that the slices do not overlap
        return counts.astype("int64"), int(tokens.get("all", 0) - tokens.get(NATIONAL, 0) - tokens.get("none", 0))

    (counts_a, total_a), (counts_b, total_b) = of(*slice_a), of(*slice_b)
    if slice_a == slice_b or min(total_a, total_b) <= 0:
        some = pd.Series({"": 1})
        return keyness(some, some).head(0)
    return keyness(counts_a, counts_b, total_a, total_b, **options)


def slice_counts(term_counts: pd.DataFrame, year: int = -1, region: str = "all", column: str = "count") -> pd.Series:
    """The counts by term of one slice of `term_counts`, as `keyness` takes them."""
    part = term_counts[(term_counts["year"] == year) & (term_counts["region"] == region)]
    return part.set_index("term")[column].sort_index()


def term_frequencies(term_counts: pd.DataFrame, slices: pd.DataFrame, year: int = -1) -> pd.DataFrame:
    """How often and how widely each term is used in a year.

    Args:
        term_counts: term, year, region, count, n_statements, n_articles, n_stories.
        slices: year, region, n_statements, n_articles, n_tokens: the denominators.
        year: -1 for all years.

    Returns:
        term, count, per_10k (occurrences per 10,000 tokens), n_articles, article_share, n_stories, n_bureaus (regions
        whose bureaus use it), bureau_share (of the regions with any statement that year); sorted by count
        downward, term.
    """
    part, size = (frame[frame["year"] == year] for frame in (term_counts, slices))
    whole = part[part["region"] == "all"].set_index("term")[["count", "n_articles", "n_stories"]]
    regional = part[~part["region"].isin(NOT_ONE_REGION)]
    frame = whole.join(regional.groupby("term")["region"].nunique().rename("n_bureaus")).reset_index()
    frame["n_bureaus"] = frame["n_bureaus"].fillna(0).astype("int64")
    of_all = size[size["region"] == "all"]
    n_regions = (~size["region"].isin(NOT_ONE_REGION) & (size["n_statements"] > 0)).sum()
    frame["per_10k"] = frame["count"] / max(of_all["n_tokens"].sum(), 1) * 1e4
    frame["article_share"] = frame["n_articles"] / max(of_all["n_articles"].sum(), 1)
    frame["bureau_share"] = frame["n_bureaus"] / max(n_regions, 1)
    columns = ["term", "count", "per_10k", "n_articles", "article_share", "n_stories", "n_bureaus", "bureau_share"]
    return frame[columns].sort_values(["count", "term"], ascending=[False, True], ignore_index=True)


def dispersion(term_parts: pd.DataFrame, part_sizes: pd.Series) -> pd.DataFrame:
    """How evenly each term is spread over the parts (articles) of a slice.

    Args:
        term_parts: term, part, count: a row for each part a term is in.
        part_sizes: tokens by part, all parts of the slice, also those no term is in.

    Returns:
        term, count, `range` (parts it is in), `range_share` (of all parts), `dp` (0 as even as can be, towards 1
        all in one small part), `dp_norm` (scaled so that 1 is the worst possible), `top_share` (share of the
        occurrences that stand in one part alone), sorted by term. With a single part dp_norm is 0.

    Raises:
        ValueError: a part without a size.

    Sources: Gries (2008), International Journal of Corpus Linguistics 13, 403–437; normalisation of Lijffijt and
    Gries (2012), ibid. 17, 147–149.
    """
    sizes = part_sizes[part_sizes > 0]
    part, parts = pd.factorize(term_parts["part"], sort=True)
    expected = (sizes / sizes.sum()).reindex(np.asarray(parts)).to_numpy()
    if np.isnan(expected).any():
        raise ValueError("a part has occurrences of a term but no tokens")
    frame = term_parts[["term", "count"]].assign(part=part).groupby(["term", "part"], as_index=False)["count"].sum()
    frame = frame[frame["count"] > 0]
    frame["expected"] = expected[frame["part"]]
    frame["share"] = frame["count"] / frame.groupby("term")["count"].transform("sum")
    frame["gap"] = (frame["share"] - frame["expected"]).abs()
    out = frame.groupby("term").agg(count=("count", "sum"), range=("part", "size"), gap=("gap", "sum"),
                                    inside=("expected", "sum"), top_share=("share", "max")).reset_index()
    out["range_share"] = out["range"] / len(sizes)
    # A part without the term is off by its whole expected share.
    out["dp"] = np.clip((out["gap"] + np.maximum(1 - out["inside"], 0)) / 2, 0, 1)
    worst = 1 - (sizes / sizes.sum()).min() if len(sizes) else np.nan
    out["dp_norm"] = np.clip(out["dp"] / worst, 0, 1) if worst > 0 else 0.0
    columns = ["term", "count", "range", "range_share", "dp", "dp_norm", "top_share"]
    return out[columns].sort_values("term", ignore_index=True)


# --- co-occurrence ------------------------------------------------------------------------------------------------

def pair_counts(incidence: pd.DataFrame, unit: str = "statement_id", item: str = "theme") -> pd.DataFrame:
    """Co-occurring pairs of any items (themes, terms) in any units (statements, paragraphs), as `CO_OCCURRENCE` says.

    Args:
        incidence: a row for each item of a unit; units without an item have one row whose item is missing, so that
            they are counted. Repeated rows count once.
        unit, item: the columns that hold them.

    Returns:
        `<item>_a`, `<item>_b` (a before b), n_both, n_a, n_b, n_units; only pairs that were seen; sorted.
    """
    from scipy import sparse

    rows, units = pd.factorize(incidence[unit])
    columns, names = pd.factorize(incidence[item], sort=True)
    n_units = len(units)
    cells = rows * len(names) + columns
    rows, columns = np.divmod(pd.unique(cells[(rows >= 0) & (columns >= 0)]), max(len(names), 1))
    matrix = sparse.csr_matrix((np.ones(len(rows), dtype=np.int64), (rows, columns)), shape=(n_units, len(names)))
    both = sparse.triu(matrix.T @ matrix, k=1).tocoo()
    single = np.asarray(matrix.sum(axis=0)).ravel()
    names = np.asarray(names, dtype=object)
    frame = pd.DataFrame({f"{item}_a": names[both.row], f"{item}_b": names[both.col], "n_both": both.data,
                          "n_a": single[both.row], "n_b": single[both.col], "n_units": n_units})
    return frame.sort_values([f"{item}_a", f"{item}_b"], ignore_index=True)


def pair_columns(pairs: pd.DataFrame) -> tuple[str, str]:
    """The two columns that name a pair: theme_a and theme_b, or term_a and term_b, …"""
    first = next(c for c in pairs.columns if c.endswith("_a") and c != "n_a" and f"{c[:-2]}_b" in pairs)
    return first, f"{first[:-2]}_b"


def complete_pairs(theme_pairs: pd.DataFrame, theme_counts: pd.DataFrame, slices: pd.DataFrame) -> pd.DataFrame:
    """`theme_pairs` with the pairs that were never seen together, so that avoidance can be told from chance.

    Args:
        theme_pairs, theme_counts, slices: tables of the build.

    Returns:
        every pair of themes present in a slice: the columns of `theme_pairs`, n_both 0 where unseen; sorted by
        year, region, theme_a, theme_b.
    """
    present = theme_counts[~theme_counts["theme"].isin(["all", "none"]) & (theme_counts["n_statements"] > 0)]
    present = present[["theme", "year", "region", "n_statements"]]
    pairs = present.merge(present, on=["year", "region"], suffixes=("_a", "_b"))
    pairs = pairs[pairs["theme_a"] < pairs["theme_b"]].rename(
        columns={"n_statements_a": "n_a", "n_statements_b": "n_b"})
    pairs = pairs.merge(slices[["year", "region", "n_statements"]], on=["year", "region"])
    seen = theme_pairs[["theme_a", "theme_b", "year", "region", "n_both"]]
    pairs = pairs.merge(seen, on=["theme_a", "theme_b", "year", "region"], how="left")
    pairs["n_both"] = pairs["n_both"].fillna(0).astype("int64")
    columns = ["theme_a", "theme_b", "year", "region", "n_both", "n_a", "n_b", "n_statements"]
    return pairs[columns].sort_values(["year", "region", "theme_a", "theme_b"], ignore_index=True)


def cooccurrence(theme_pairs: pd.DataFrame, min_support: int = MIN_SUPPORT) -> pd.DataFrame:
    """How far each pair is from chance, in every slice.

    What co-occurrence is stands in `CO_OCCURRENCE`.

    Args:
        theme_pairs: theme_a, theme_b, year, region, n_both, n_a, n_b, n_statements (other columns are kept); from
            `complete_pairs` where the pairs that are missing matter too. What `pair_counts` gives is taken as it is.
        min_support: see MIN_SUPPORT.

    Returns:
        the rows of `theme_pairs`, sorted by year, region, theme_a, theme_b, with `expected` = n_a · n_b /
        n_statements; `ratio` = n_both / expected; `npmi` in [−1, 1] (−1 never together, 0 as by chance, 1 only
        together); `log_dice` (at most 14; one less is half as close; NaN when never together); `p_more` and
        `p_fewer`, the chances of as many or more, and of as few or fewer, were the themes unrelated; `q_more`,
        `q_fewer`, Benjamini–Hochberg over the supported pairs of the slice; `supported`. Statements of an article
        are not independent, so the p values flatter pairs that few articles make.

    Raises:
        ValueError: counts that cannot be.

    Sources: Bouma (2009), GSCL, 31–40 (NPMI); Rychlý (2008), RASLAN, 6–9 (logDice).
    """
    by = [k for k in ("year", "region") if k in theme_pairs]
    frame = theme_pairs.sort_values([*by, *pair_columns(theme_pairs)], ignore_index=True)
    units = "n_statements" if "n_statements" in frame else "n_units"
    both, a, b, n = (frame[c].to_numpy(float) for c in ("n_both", "n_a", "n_b", units))
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = a * b / n
        frame["expected"] = expected
        frame["ratio"] = both / expected
        frame["npmi"] = np.where(both == 0, np.where(expected > 0, -1.0, np.nan),
                                 np.log(both / expected) / -np.log(both / n))
        frame["log_dice"] = np.where(both == 0, np.nan, 14 + np.log2(2 * both / (a + b)))
    frame["p_fewer"], frame["p_more"] = hypergeometric_tails(both, a, b, n)
    frame["supported"] = np.maximum(both, expected) >= min_support
    frame["q_more"], frame["q_fewer"] = np.nan, np.nan
    groups = frame.groupby(by).groups.values() if by else [frame.index]
    for rows in groups:
        use = frame.loc[rows, "supported"].to_numpy()
        for tail in ("more", "fewer"):
            p = np.where(use, frame.loc[rows, f"p_{tail}"], np.nan)
            frame.loc[rows, f"q_{tail}"] = benjamini_hochberg(p)
    return frame


def cooccurrence_difference(pairs_a: pd.DataFrame, pairs_b: pd.DataFrame, level: float = 0.95,
                            min_support: int = MIN_SUPPORT) -> pd.DataFrame:
    """Whether two themes go together more in slice B than in slice A: two years, or two regions.

    The tie of a pair in a slice is the log odds ratio of its fourfold table, half a statement added to each cell;
    the difference of two slices without common statements has the sum of their variances.

    Args:
        pairs_a, pairs_b: one slice each of `complete_pairs`: theme_a, theme_b, n_both, n_a, n_b, n_statements.
        level: of the interval.
        min_support: a pair is tested when it was seen, or to be expected, in so many statements of either slice.

    Returns:
        theme_a, theme_b, n_both_a, n_both_b, log_odds_a, log_odds_b, difference (B minus A, natural logarithm), low,
        high, p, q (Benjamini–Hochberg over supported pairs; NaN otherwise), supported; only pairs whose themes are
        in both slices; sorted by theme_a, theme_b.

    Source: Haldane (1956), Annals of Human Genetics 20, 309–311; Woolf (1955), ibid. 19, 251–253.
    """
    keys = ["theme_a", "theme_b"]
    columns = [*keys, "n_both", "n_a", "n_b", "n_statements"]
    frame = pairs_a[columns].merge(pairs_b[columns], on=keys, suffixes=("_1", "_2"))
    frame = frame.sort_values(keys, ignore_index=True)
    ties, variances, strong = [], [], np.zeros(len(frame), bool)
    for i in ("1", "2"):
        both, a, b, n = (frame[f"{c}_{i}"].to_numpy(float) for c in ("n_both", "n_a", "n_b", "n_statements"))
        cells = np.stack([both, a - both, b - both, n - a - b + both]) + 0.5
        if np.any(cells < 0.5):
            raise ValueError("a pair cannot be in more statements than either of its parts")
        ties.append(np.log(cells[0] * cells[3] / (cells[1] * cells[2])))
        variances.append((1 / cells).sum(axis=0))
        with np.errstate(divide="ignore", invalid="ignore"):
            strong |= np.maximum(both, a * b / n) >= min_support
    difference = ties[1] - ties[0]
    error = np.sqrt(variances[0] + variances[1])
    half = special.ndtri(0.5 + level / 2) * error
    p = 2 * special.ndtr(-np.abs(difference) / error)
    return pd.DataFrame({
        "theme_a": frame["theme_a"], "theme_b": frame["theme_b"], "n_both_a": frame["n_both_1"],
        "n_both_b": frame["n_both_2"], "log_odds_a": ties[0], "log_odds_b": ties[1], "difference": difference,
        "low": difference - half, "high": difference + half, "p": p,
        "q": benjamini_hochberg(np.where(strong, p, np.nan)), "supported": strong})


def region_differences(pairs: pd.DataFrame, sides: Sequence[tuple[str, str]], **options) -> pd.DataFrame:
    """`cooccurrence_difference` between several pairs of regions, one after the other.

    Args:
        pairs: one year of `complete_pairs`.
        sides: (region, region); 全国 is one too. Statements of both make the interval wider than it need be.
        options: of `cooccurrence_difference`.

    Returns:
        former, latter (the regions), then its columns; a difference is latter minus former.
    """
    frames = [cooccurrence_difference(pairs[pairs["region"] == a], pairs[pairs["region"] == b], **options)
              .assign(former=a, latter=b) for a, b in sides]
    frame = pd.concat(frames or [cooccurrence_difference(pairs.head(0), pairs.head(0)).assign(former="", latter="")],
                      ignore_index=True)
    return frame[["former", "latter", *(c for c in frame if c not in ("former", "latter"))]]


# --- regions ------------------------------------------------------------------------------------------------------

def region_table(theme_counts: pd.DataFrame, year: int = -1, column: str = "n_statements") -> pd.DataFrame:
    """Regions × themes of one year: counts, zeros filled in; single regions only, both sorted by name."""
    part = theme_counts[(theme_counts["year"] == year) & ~theme_counts["region"].isin(NOT_ONE_REGION)
                        & ~theme_counts["theme"].isin(["all", "none"])]
    table = part.pivot_table(index="region", columns="theme", values=column, aggfunc="sum", fill_value=0)
    return table.sort_index().sort_index(axis=1).rename_axis(index=None, columns=None)


def location_quotient(theme_counts: pd.DataFrame, slices: pd.DataFrame, article_themes: pd.DataFrame | None = None,
                      level: float = 0.95) -> pd.DataFrame:
    """What a region speaks of more than regions do on the whole.

    The share of a theme in a region's statements over its share in the statements of all single regions of that
    year together (a statement of two regions counts in both). The bounds are those of the region's share, over the
    same reference.

    Args:
        theme_counts, slices, article_themes, level: as for `prevalence`.

    Returns:
        theme, year, region, n, n_statements, n_articles (with the theme), share, reference, quotient (1 is as
        elsewhere), low, high, special (the region is not thin, low is over 1, and at least SPECIAL_ARTICLES articles
        have the theme), thin; for every theme and single region, zero cells included; sorted by year, region, then
        quotient downward, theme. NaN where no region has the theme in that year.

    Source: Isard (1960), Methods of Regional Analysis, ch. 5.
    """
    frame = prevalence(theme_counts, slices[~slices["region"].isin(NOT_ONE_REGION)], article_themes, level=level)
    by_year = frame.groupby(["theme", "year"])
    whole = by_year["n"].transform("sum") / by_year["n_statements"].transform("sum").replace(0, np.nan)
    frame["reference"] = whole
    reference = whole.replace(0, np.nan)
    frame["quotient"] = frame["share"] / reference
    frame["low"], frame["high"] = frame["low"] / reference, frame["high"] / reference
    frame["special"] = ~frame["thin"] & (frame["low"] > 1) & (frame["n_articles"] >= SPECIAL_ARTICLES)
    columns = ["theme", "year", "region", "n", "n_statements", "n_articles", "share", "reference", "quotient", "low",
               "high", "special", "thin"]
    return frame[columns].sort_values(["year", "region", "quotient", "theme"], ascending=[True, True, False, True],
                                      ignore_index=True)


@dataclass(frozen=True)
class Correspondence:
    """A correspondence analysis.

    Attributes:
        rows, columns: principal coordinates, one line a row (column) of the table, columns `axis_1`, `axis_2`, ….
        row_contributions, column_contributions: share of each axis' inertia that a point makes; columns sum to 1.
        row_quality, column_quality: squared cosine: share of a point's inertia that an axis shows.
        inertia: of each axis; its sum is the table's chi-square over its total.
        explained: `inertia` as shares of their sum.
        dropped: rows and columns left out because they are empty.
    """

    rows: pd.DataFrame
    columns: pd.DataFrame
    row_contributions: pd.DataFrame
    column_contributions: pd.DataFrame
    row_quality: pd.DataFrame
    column_quality: pd.DataFrame
    inertia: np.ndarray
    explained: np.ndarray
    dropped: tuple[str, ...]


def correspondence_analysis(table: pd.DataFrame, n_axes: int = 2) -> Correspondence:
    """Rows and columns of a table of counts in one plane: near points have like profiles.

    Args:
        table: counts ≥ 0, at least two rows and two columns that are not empty.
        n_axes: axes to give, at most the smaller side less one.

    Returns:
        a `Correspondence`. An axis points where its largest column coordinate is positive (the first by name where
        two are equally large), so that it never flips between builds.

    Raises:
        ValueError: negative or missing counts, or too small a table.

    Source: Greenacre (2017), Correspondence Analysis in Practice, 3rd ed., appendix A.
    """
    values = table.to_numpy(float)
    if np.isnan(values).any() or (values < 0).any():
        raise ValueError("a table of counts has no missing and no negative cells")
    keep_r, keep_c = values.sum(axis=1) > 0, values.sum(axis=0) > 0
    if keep_r.sum() < 2 or keep_c.sum() < 2:
        raise ValueError("correspondence analysis needs two rows and two columns that are not empty")
    dropped = (*map(str, table.index[~keep_r]), *map(str, table.columns[~keep_c]))
    share = values[keep_r][:, keep_c] / values.sum()
    r, c = share.sum(axis=1), share.sum(axis=0)
    residual = (share - np.outer(r, c)) / np.sqrt(np.outer(r, c))
    u, s, vt = np.linalg.svd(residual, full_matrices=False)
    rank = min(share.shape) - 1
    u, s, v = u[:, :rank], s[:rank], vt.T[:, :rank]
    s = np.where(s > 1e-12, s, 0)
    rows, columns = u * s / np.sqrt(r)[:, None], v * s / np.sqrt(c)[:, None]
    for axis in range(rank):
        size = np.round(np.abs(columns[:, axis]), 9)
        sign = np.sign(columns[int(np.argmax(size)), axis]) or 1
        u[:, axis], v[:, axis] = u[:, axis] * sign, v[:, axis] * sign
        rows[:, axis], columns[:, axis] = rows[:, axis] * sign, columns[:, axis] * sign
    inertia = s**2
    n_axes = min(n_axes, rank)
    names = [f"axis_{i + 1}" for i in range(n_axes)]

    def frame(matrix, index):
        return pd.DataFrame(matrix[:, :n_axes], index=index, columns=names)

    def quality(coordinates):
        total = (coordinates**2).sum(axis=1, keepdims=True)
        return np.divide(coordinates**2, total, out=np.zeros_like(coordinates), where=total > 0)

    row_names, column_names = table.index[keep_r], table.columns[keep_c]
    total = inertia.sum()
    return Correspondence(
        frame(rows, row_names), frame(columns, column_names), frame(u**2, row_names), frame(v**2, column_names),
        frame(quality(rows), row_names), frame(quality(columns), column_names), inertia[:n_axes],
        inertia[:n_axes] / total if total > 0 else np.zeros(n_axes), dropped)


def js_distance(table: pd.DataFrame) -> pd.DataFrame:
    """How unlike the profiles of the rows are: the square root of the Jensen–Shannon divergence.

    Args:
        table: counts ≥ 0; rows are regions, columns themes.

    Returns:
        a symmetric frame of rows × rows in [0, 1] (binary logarithm), diagonal 0; NaN for an empty row.

    Source: Endres and Schindelin (2003), IEEE Transactions on Information Theory 49, 1858–1860.
    """
    values = table.to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        profile = values / values.sum(axis=1, keepdims=True)
    out = np.zeros((len(profile), len(profile)))
    for i, p in enumerate(profile):
        middle = (p + profile) / 2
        divergence = (special.rel_entr(p, middle) + special.rel_entr(profile, middle)).sum(axis=1) / 2 / np.log(2)
        out[i] = np.sqrt(np.clip(divergence, 0, 1))
    known = ~np.isnan(profile).any(axis=1)
    out = np.maximum(out, out.T)
    np.fill_diagonal(out, np.where(known, 0.0, np.nan))
    return pd.DataFrame(out, index=table.index, columns=table.index)


def dendrogram_order(distances: pd.DataFrame) -> tuple[list[str], np.ndarray]:
    """The leaves of the average-linkage tree, neighbours as like each other as can be.

    Args:
        distances: a symmetric frame without gaps; its order does not matter.

    Returns:
        (names in the order of the leaves, linkage matrix in scipy's format over the names sorted). Of the two
        directions the one whose first name comes first in sorted order. Under three rows the linkage may be empty.

    Raises:
        ValueError: a missing distance.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    names = sorted(distances.index)
    matrix = distances.loc[names, names].to_numpy(float)
    if np.isnan(matrix).any():
        raise ValueError("leave out rows without a profile first")
    if len(names) < 2:
        return names, np.empty((0, 4))
    # Rounded, so that the last bit of a distance cannot turn a tie round.
    tree = linkage(squareform(np.round(matrix, 12), checks=False), method="average", optimal_ordering=True)
    order = [names[i] for i in leaves_list(tree)]
    return (order if order[0] < order[-1] else order[::-1]), tree


def silence(theme_counts: pd.DataFrame, slices: pd.DataFrame, year: int = -1,
            themes: Sequence[str] | None = None) -> pd.DataFrame:
    """Themes a region does not speak of, with the chance of that silence given how much it said.

    The chance that none of the region's statements has the theme, were its rate that of the other regions: with the
    rate's own uncertainty (beta-binomial on the other regions' counts, Jeffreys' prior). Statements of one article
    go together, which makes silence likelier than that; so the chance is taken by articles as well, and the larger
    of the two counts. What differs between regions beyond chance is not in it: it tells where to look, no more.

    Args:
        theme_counts, slices: tables of the build.
        year: -1 for all years.
        themes: by default all in the table.

    Returns:
        theme, year, region, n_statements, n_articles (of the region), rate_elsewhere, expected (statements),
        p_statements, p_articles, p, q (Benjamini–Hochberg over the cells of all regions that are not thin, those with
        the theme at p = 1; NaN for thin ones), thin; only silent cells; sorted by p, theme, region.
    """
    frame = prevalence(theme_counts, slices[(slices["year"] == year) & ~slices["region"].isin(NOT_ONE_REGION)],
                       themes=themes)
    chances = {}
    for unit, k, n in (("statements", "n", "n_statements"), ("articles", "n_articles", "of_articles")):
        by_theme = frame.groupby("theme")
        hits = (by_theme[k].transform("sum") - frame[k]).to_numpy(float)
        misses = (by_theme[n].transform("sum") - frame[n]).to_numpy(float) - hits
        with np.errstate(divide="ignore", invalid="ignore"):
            frame[f"rate_{unit}"] = hits / (hits + misses)
        said = frame[n].to_numpy(float)
        chances[unit] = np.exp(special.betaln(hits + 0.5, misses + 0.5 + said)
                               - special.betaln(hits + 0.5, misses + 0.5))
    silent = (frame["n"] == 0).to_numpy()
    for unit, chance in chances.items():
        frame[f"p_{unit}"] = np.where(silent, chance, 1.0)
    frame["p"] = frame[["p_statements", "p_articles"]].max(axis=1)
    frame["q"] = benjamini_hochberg(frame["p"].where(~frame["thin"]))
    frame["rate_elsewhere"] = frame["rate_statements"]
    frame["expected"] = frame["rate_elsewhere"] * frame["n_statements"]
    frame["n_articles"] = frame["of_articles"]
    columns = ["theme", "year", "region", "n_statements", "n_articles", "rate_elsewhere", "expected", "p_statements",
               "p_articles", "p", "q", "thin"]
    return frame.loc[silent, columns].sort_values(["p", "theme", "region"], ignore_index=True)
