"""Findings: sentences rendered from rows of numbers, each with its evidence and with how far it can be trusted.

A finding is made by one function from a `View` of the corpus. The same function is run again on other views (without
reprints, by article, with each source left out, with weaker patterns …); the badge says in how many of them the claim
stands. A sentence is never typed: it is a template filled from the row, and `mismatches` counts its numbers again, from
other tables than it was made of, before the report is written. Where there is too little material the sentence says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from . import enumerations, measures
from .measures import MIN_ARTICLES, MIN_STATEMENTS, MIN_SUPPORT
from .model import NATIONAL
from .tables import ALL, ALL_YEARS, NONE

if TYPE_CHECKING:
    from .charts import Names
    from .run import Run

N_NAMED = 3  # themes or terms a sentence names before it says how many more there are
N_EVIDENCE = 3  # statements kept for one number, spread over articles
N_SOURCES = 12  # the largest publishers, each left out once
MIN_WITNESSES = 3  # articles that must use a term before it is called new, or hold a theme before a side has it
MAX_RECOUNTED = 100_000  # statements coded or counted anew for the badges; of a larger corpus the first so many
ALL_SIDES, NATIONAL_SIDE, BUREAUS = "all", "national", "bureaus"


# ---------------------------------------------------------------------------------------- the corpus, and its views


@dataclass(frozen=True)
class Corpus:
    """The statements of a build as arrays, ordered by article.

    Attributes:
        articles: article_id, story_id, publisher, source_format, kind, date; one row an article, by article_id.
        statement_id: (statements,).
        article: (statements,) row of `articles`, ascending.
        year: (statements,) work year, 0 where unknown.
        codes: the themes of the codebook.
        theme: (statements, themes) whether the statement has the theme, as 0 and 1.
        national, bureau: (statements,) whether it is attributed to the national regulator, to any regional bureau.
        binding: (statements,) whether its wording has one of the two strongest grades.
        regions: the regions that any statement is attributed to.
        items: the lists of the texts: see `enumerations.enumerations`, with `themes` (tuple) and `year`.
        terms: article (row of `articles`), term, year, region, count: the listed terms.
    """

    articles: pd.DataFrame
    statement_id: np.ndarray
    article: np.ndarray
    year: np.ndarray
    codes: tuple[str, ...]
    theme: np.ndarray
    national: np.ndarray
    bureau: np.ndarray
    binding: np.ndarray
    regions: frozenset[str]
    items: pd.DataFrame
    terms: pd.DataFrame
    _sums: dict = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, run: Run, names: Names) -> Corpus:
        """The statements of all articles in scope."""
        from .tables import read_arrow

        articles = run.table("articles", ["article_id", "story_id", "publisher", "source_format", "kind", "date", "scope"])
        articles = articles[articles["scope"] == "in"].drop(columns="scope").sort_values("article_id", ignore_index=True)
        index = pd.Index(articles["article_id"])
        table = read_arrow(run.out, "statements", ["statement_id", "article_id", "year", "regions", "themes", "deontic"])
        article = index.get_indexer(table["article_id"].to_pandas())
        order = np.argsort(article, kind="stable")
        codes = tuple(names.themes)
        theme = _membership(table["themes"], codes)[order]
        regions = tuple(names.regions)
        place = _membership(table["regions"], regions)[order].astype(bool)
        is_national = np.array([r == NATIONAL for r in regions], bool)
        terms = run.table("article_terms")
        terms = terms.assign(article=index.get_indexer(terms["article_id"])).drop(columns="article_id")
        grade = table["deontic"].to_pandas().to_numpy(object)[order]
        binding = np.isin(grade.astype(str), list(names.grades)[:2])
        corpus = cls(articles, table["statement_id"].to_pandas().to_numpy(object)[order], article[order],
                     table["year"].to_pandas().fillna(0).to_numpy(np.int64)[order], codes, theme,
                     place[:, is_national].any(axis=1), place[:, ~is_national].any(axis=1), binding,
                     frozenset(r for r, any_ in zip(regions, place.any(axis=0), strict=True) if any_),
                     pd.DataFrame(), terms)
        return replace(corpus, items=_items(run, corpus, order))

    def sums(self, year: int = ALL_YEARS, side: str = ALL_SIDES) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(statements with each theme (articles, themes), statements (articles,), binding statements (articles,)) of a
        year and a side, for every article."""
        if (year, side) not in self._sums:
            mask = self.rows(year, side)
            n = np.bincount(self.article[mask], minlength=len(self.articles))
            binding = np.bincount(self.article[mask & self.binding], minlength=len(self.articles))
            counts = np.zeros((len(self.articles), len(self.codes)), np.int64)
            np.add.at(counts, self.article[mask], self.theme[mask])
            self._sums[year, side] = counts, n, binding
        return self._sums[year, side]

    def rows(self, year: int = ALL_YEARS, side: str = ALL_SIDES) -> np.ndarray:
        """(statements,) whether a statement is of the year and the side."""
        mask = np.ones(len(self.article), bool) if year == ALL_YEARS else self.year == year
        return mask if side == ALL_SIDES else mask & (self.national if side == NATIONAL_SIDE else self.bureau)

    def spread(self, rows: np.ndarray, limit: int = N_EVIDENCE) -> list[str]:
        """The identifiers of some of these statements, spread over articles: the first of each, then the second."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else np.sort(rows)
        order = pd.Series(self.article[rows]).groupby(self.article[rows]).cumcount().to_numpy()
        return [str(s) for s in self.statement_id[rows[np.argsort(order, kind="stable")]][:limit]]


def _membership(column, values: Sequence[str]) -> np.ndarray:
    """(rows, values): 1 where the list of the row holds the value."""
    import pyarrow.compute as pc

    column = column.combine_chunks()
    out = np.zeros((len(column), len(values)), np.uint8)
    at = pd.Index(values).get_indexer(pc.list_flatten(column).to_pandas())
    rows = pc.list_parent_indices(column).to_numpy()
    out[rows[at >= 0], at[at >= 0]] = 1
    return out


def _items(run: Run, corpus: Corpus, order: np.ndarray) -> pd.DataFrame:
    """The lists of the texts with their themes."""
    import pyarrow.compute as pc

    from .tables import read_arrow

    table = read_arrow(run.out, "statements", ["text", "evidence"])
    likely = np.flatnonzero(pc.match_substring_regex(table["text"], enumerations.MARK.pattern.replace("?P<", "?P<"))
                            .to_numpy(zero_copy_only=False)[order])
    some = table.take(order[likely]).to_pandas()
    found = enumerations.enumerations(zip(corpus.article[likely], likely, some["text"], strict=True))
    evidence = pd.Series(some["evidence"].to_numpy(), index=likely)
    return _with_themes(found, corpus, [json.loads(evidence[row]) for row in found["row"]])


def _with_themes(items: pd.DataFrame, corpus: Corpus, evidence: Sequence) -> pd.DataFrame:
    return items.assign(themes=enumerations.item_themes(items, evidence),
                        year=corpus.year[items["row"].to_numpy(np.int64)])


class Shares(NamedTuple):
    """Shares of themes in a slice; arrays (themes,) except `of`, `n_articles`."""

    share: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: np.ndarray
    of: int
    articles: np.ndarray
    n_articles: int


@dataclass(frozen=True)
class View:
    """The corpus as a finding reads it; one of several ways of counting it.

    Attributes:
        corpus: what is counted.
        keep: (articles,) which of them.
        by_article: a theme counts once in an article, and an article once.
    """

    corpus: Corpus
    keep: np.ndarray
    by_article: bool = False

    @classmethod
    def of(cls, corpus: Corpus) -> View:
        """The ordinary view: every statement of every article."""
        return cls(corpus, np.ones(len(corpus.articles), bool))

    @cached_property
    def latest(self) -> int:
        """The latest year that any statement is of; 0 when none is known."""
        return int(max(self.corpus.year[self.keep[self.corpus.article]], default=0))

    @cached_property
    def years(self) -> list[int]:
        """The years with enough statements and articles to compare shares, ascending."""
        return [y for y in sorted(set(self.corpus.year.tolist()) - {0}) if self.size(y)[2]]

    def size(self, year: int, side: str = ALL_SIDES) -> tuple[int, int, bool]:
        """Statements and articles of a slice, and whether they are enough to compare shares."""
        n = self.corpus.sums(year, side)[1][self.keep]
        statements, articles = int(n.sum()), int((n > 0).sum())
        return statements, articles, statements >= MIN_STATEMENTS and articles >= MIN_ARTICLES

    def sums(self, year: int, side: str = ALL_SIDES) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As `Corpus.sums`, for the articles of this view, in its unit."""
        counts, n, binding = (part[self.keep] for part in self.corpus.sums(year, side))
        some = n > 0
        counts, n, binding = counts[some], n[some], binding[some]
        return (np.minimum(counts, 1), np.minimum(n, 1), np.minimum(binding, 1)) if self.by_article else (counts, n, binding)

    def shares(self, year: int, side: str = ALL_SIDES, level: float = 0.95) -> Shares:
        """Shares of all themes in a slice, with intervals that respect articles (`measures.clustered_interval`)."""
        counts, n, _ = self.sums(year, side)
        low, high = measures.clustered_interval(counts, n, level)
        total = counts.sum(axis=0)
        return Shares(total / max(n.sum(), 1), low, high, total, int(n.sum()), (counts > 0).sum(axis=0), len(n))

    def article_themes(self, year: int, side: str = ALL_SIDES, as_year: int | None = None) -> pd.DataFrame:
        """A slice as the frame `article_themes` of `measures`, its year written as `as_year`."""
        counts, n, _ = (part[self.keep] for part in self.corpus.sums(year, side))
        ids = self.corpus.articles["article_id"].to_numpy()[self.keep]
        row, column = np.nonzero(counts)
        codes = np.array(self.corpus.codes, object)
        some = np.flatnonzero(n)
        return pd.DataFrame({
            "article_id": np.concatenate([ids[some], ids[row]]), "year": year if as_year is None else as_year,
            "region": ALL, "theme": np.concatenate([np.full(len(some), ALL, object), codes[column]]),
            "n_statements": np.concatenate([n[some], counts[row, column]])})

    @cached_property
    def terms(self) -> pd.DataFrame:
        """The listed terms of the articles of this view."""
        return self.corpus.terms[self.keep[self.corpus.terms["article"].to_numpy()]]

    @cached_property
    def items(self) -> pd.DataFrame:
        """The items of lists in the articles of this view."""
        return self.corpus.items[self.keep[self.corpus.items["article"].to_numpy(np.int64)]]


# ------------------------------------------------------------------------------------------------------- a finding


@dataclass(frozen=True)
class Finding:
    """One sentence and the numbers it stands on.

    Attributes:
        id: stable name.
        metric: what was measured, e.g. `theme_share`.
        slice: year, region, theme, term … as far as they apply.
        value, low, high: the main number with its interval, in the unit of the metric.
        n, of: numerator and denominator of the main number.
        grade: the rule that chose the wording; `too_little` where there is too little to say.
        claim: the assertions the sentence makes.
        facts: all assertions of that kind that are true in the view; the claim holds in another view whose facts
            include it.
        zh, en: the sentences.
        title: the same, short enough for a figure's title, zh and en; empty where nothing can be said.
        numbers: the figures in the sentences, each with `zh`, `en`, `n`, `of`, `definition`, `evidence` and `cell`,
            which names the cell of the tables it must be found in again.
        evidence: statement identifiers.
        figure: stem of the figure that shows it.
        badge: how many other views it stands in.
        detail, caveat: what must be known with it, zh and en.
    """

    id: str
    metric: str
    slice: dict
    value: float | None
    low: float | None
    high: float | None
    n: int
    of: int
    grade: str
    zh: str
    en: str
    claim: frozenset = frozenset()
    facts: frozenset = frozenset()
    title: dict = field(default_factory=dict)
    numbers: list[dict] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    figure: str = ""
    badge: dict = field(default_factory=dict)
    detail: dict = field(default_factory=dict)
    caveat: dict = field(default_factory=dict)


def percent(share: float) -> str:
    """A share as printed: 12.3%."""
    return f"{100 * share:.1f}%"


def quoted(items: Iterable[str], lang: str) -> str:
    """Names in quotation marks as a sentence lists them; between the marks Chinese needs no comma."""
    items = [f"“{item}”" for item in items]
    if lang == "zh":
        return "".join(items)
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def listed(items: Sequence[str], lang: str, total: int | None = None) -> str:
    """Items as a sentence lists them; with `total`, how many there are when not all are named."""
    items = list(items)
    more = (total or len(items)) - len(items)
    if lang == "zh":
        return "、".join(items) + (f"等{total}个" if more > 0 else "")
    if more > 0:
        return ", ".join(items) + f" and {more} more"
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def _number(zh: str, en: str | None = None, n: int | None = None, of: int | None = None, cell: dict | None = None,
            evidence: Sequence[str] = (), definition: dict | None = None) -> dict:
    return {"zh": zh, "en": en or zh, "n": n, "of": of, "cell": cell or {}, "evidence": list(evidence),
            "definition": definition}


def _union(numbers: Sequence[dict], limit: int = 12) -> list[str]:
    """The evidence of several numbers, first of each, then second …, once each."""
    longest = max((len(x["evidence"]) for x in numbers), default=0)
    return list(dict.fromkeys(x["evidence"][i] for i in range(longest) for x in numbers if i < len(x["evidence"])))[:limit]


def _share_number(view: View, theme: int, shares: Shares, year: int, side: str = ALL_SIDES) -> dict:
    """The share of one theme in a slice, as a number of a sentence."""
    corpus = view.corpus
    share = percent(shares.share[theme])
    return _number(share, n=int(shares.n[theme]), of=shares.of,
                   cell={"what": "theme", "theme": corpus.codes[theme], "year": year, "side": side},
                   evidence=corpus.spread(corpus.rows(year, side) & corpus.theme[:, theme].astype(bool)),
                   definition={"zh": "含该主题的语句占全部语句的份额", "en": "statements with the theme, of all statements"})


def _size_number(of: int, year: int, side: str = ALL_SIDES) -> dict:
    return _number(f"{of:,}条", f"{of:,}", cell={"what": "size", "year": year, "side": side, "n": of})


TOO_LITTLE_RULE = {
    "zh": f"（下限为{MIN_STATEMENTS}条语句、{MIN_ARTICLES}篇文章）",
    "en": f" (at least {MIN_STATEMENTS} statements and {MIN_ARTICLES} articles are needed)",
}


def _too_little(id_: str, metric: str, slice_: dict, zh: str, en: str, figure: str = "") -> Finding:
    """The sentence that says that there is too little to say."""
    return Finding(id_, metric, slice_, None, None, None, 0, 0, "too_little", zh, en, figure=figure)


def _thin_year(view: View, id_: str, metric: str, what: dict, figure: str = "") -> Finding:
    """Too little in the latest year; `what` says what is therefore left unsaid."""
    year = view.latest
    if not year:
        return _too_little(id_, metric, {}, f"没有一条语句的年份可考，{what['zh']}。",
                           f"No statement’s year is known, so {what['en']}.", figure)
    n, articles, _ = view.size(year)
    return _too_little(id_, metric, {"year": year},
                       f"{year}年只有{articles}篇文章、{n:,}条语句，材料太少{TOO_LITTLE_RULE['zh']}，{what['zh']}。",
                       f"{year} has {_many(articles, 'article')} and {_many(n, 'statement')}, too little"
                       f"{TOO_LITTLE_RULE['en']}: {what['en']}.", figure)


def _many(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


# --------------------------------------------------------------------------------------------------- the sentences


def listed_first(view: View, names: Names) -> Finding:
    """What the lists of the latest year put first: the order in which tasks are named is the order of their weight."""
    year = view.latest
    items = view.items[view.items["year"] == year]
    known = items.groupby("list")["themes"].agg(lambda themes: np.mean([bool(t) for t in themes]))
    items = items[items["list"].isin(known.index[known > 0.5])]
    if items.empty:
        return _too_little("listed_first", "list_order", {"year": year},
                           f"{year}年的材料里没有分条列出三项以上重点的清单，无从看排序。" if year else
                           "没有一条语句的年份可考，无从看各年清单的排序。",
                           f"No list of three or more tasks stands in the material of {year}, so there is no order to read."
                           if year else "No statement’s year is known, so there are no lists of a year to read.")
    lists = [part for _, part in items.groupby("list", sort=True)]
    longest = max(lists, key=lambda part: (len(part), len({t for ts in part["themes"] for t in ts}), -part["list"].iloc[0]))
    order = longest.sort_values("rank")["themes"].tolist()
    first = order[0]
    n_first = sum(bool(set(part.sort_values("rank")["themes"].iloc[0]) & set(first)) for part in lists)
    steps = {lang: [quoted([names.theme(t, lang) for t in themes], lang) if themes else
                    {"zh": "（不归入任何主题）", "en": "(no theme)"}[lang] for themes in order] for lang in ("zh", "en")}
    corpus, n, k = view.corpus, len(lists), len(order)
    row = longest.sort_values("rank")["row"].to_numpy(np.int64)
    evidence = [str(s) for s in corpus.statement_id[row]]
    numbers = [_number(f"{k}条", f"{k} points", cell={
        "what": "list", "article": str(corpus.articles["article_id"][longest["article"].iloc[0]]),
        "statement": evidence[0], "style": str(longest["style"].iloc[0]), "n": k}, evidence=evidence)]
    if n == 1:
        zh = f"{year}年的材料里有一份分条列出的重点，共{k}条，依次是：{'；'.join(steps['zh'])}。"
        en = f"One list in the material of {year} orders what comes first, in {k} points: {'; '.join(steps['en'])}."
    else:
        zh = (f"{year}年的材料里有{n}份分条列出的重点，其中{n_first}份以{steps['zh'][0]}打头；条目最多的一份共{k}条，依次是："
              f"{'；'.join(steps['zh'])}。")
        en = (f"Of {n} lists in the material of {year}, {n_first} begin with {steps['en'][0]}; the longest, in {k} points: "
              f"{'; '.join(steps['en'])}.")
    facts = {("order", year, tuple(part.sort_values("rank")["themes"].tolist())) for part in lists}
    return Finding("listed_first", "list_order", {"year": year, "themes": [list(t) for t in order]}, float(k), None, None,
                   n_first, n, "one_list" if n == 1 else "lists", zh, en,
                   frozenset({("order", year, tuple(order))}), frozenset(facts),
                   {lang: {"zh": f"{year}年的清单以{steps['zh'][0]}打头", "en": f"The list of {year} begins with {steps['en'][0]}"}
                    [lang] for lang in ("zh", "en")}, numbers, evidence)


def leading_theme(view: View, names: Names) -> Finding:
    """Which theme comes first in the latest year; where the interval does not exclude the runner-up, none does."""
    if not view.years or view.years[-1] != view.latest:
        return _thin_year(view, "leading_theme", "theme_share",
                          {"zh": "不比较哪个主题说得最多", "en": "which theme comes first is left open"}, "theme_prevalence")
    year = view.years[-1]
    shares = view.shares(year)
    order = np.lexsort((np.arange(len(shares.n)), -shares.share))
    first = int(order[0])
    rivals = [int(i) for i in order[1:] if shares.high[i] >= shares.low[first] and shares.n[i] > 0]
    theme = view.corpus.codes[first]
    zh, en = (names.theme(theme, lang) for lang in ("zh", "en"))
    numbers = [_share_number(view, first, shares, year), _size_number(shares.of, year)]
    share, of = numbers[0]["zh"], shares.of
    if not rivals:
        grade = "first"
        text = (f"{year}年说得最多的主题是“{zh}”，占{of:,}条语句的{share}。",
                f"In {year} “{en}” comes first, with {share} of {of:,} statements.")
        title = {"zh": f"{year}年“{zh}”说得最多，占{share}", "en": f"In {year} “{en}” comes first, with {share}"}
    else:
        grade = "among_first"
        shown = rivals[:N_NAMED - 1]
        other = {lang: quoted([names.theme(view.corpus.codes[i], lang) for i in shown], lang) for lang in ("zh", "en")}
        n = len(rivals)
        more = {"zh": f"等{n}个主题" if n > len(shown) else "", "en": f" and {n - len(shown)} more" if n > len(shown) else ""}
        if n > len(shown):
            other["en"] = other["en"].replace(" and ", ", ")
        text = (f"{year}年“{zh}”占{of:,}条语句的{share}，居于前列；{other['zh']}{more['zh']}与它的差距都在误差之内，不能说谁居首。",
                f"In {year} “{en}” takes {share} of {of:,} statements and is among the first; {other['en']}{more['en']} "
                f"{'is' if n == 1 else 'are'} within error of it, so that none can be called first.")
        title = {"zh": f"{year}年“{zh}”居前（{share}），与另外{n}个主题难分先后",
                 "en": f"In {year} “{en}” is among the first ({share}), within error of {n} other{'' if n == 1 else 's'}"}
    return Finding("leading_theme", "theme_share", {"year": year, "region": ALL, "theme": theme},
                   float(shares.share[first]), float(shares.low[first]), float(shares.high[first]), int(shares.n[first]),
                   of, grade, *text, frozenset({("top", year, theme)}),
                   frozenset(("top", year, view.corpus.codes[i]) for i in [first, *rivals]), title, numbers,
                   numbers[0]["evidence"], "theme_prevalence")


def changed_themes(view: View, names: Names) -> Finding:
    """Which themes rose and which fell between the first and the last year with enough material, by `TREND_RULE` and
    after correction for the number of themes; changes that the mix of kinds of articles makes are set apart."""
    if len(view.years) < 2:
        years = listed([str(y) for y in view.years], "zh") if view.years else ""
        only = {"zh": f"只有{years}年" if years else "没有哪一年", "en": f"only {years} has" if years else "no year has"}
        return _too_little("changed_themes", "theme_share_difference", {"years": view.years},
                           f"{only['zh']}有足够的材料{TOO_LITTLE_RULE['zh']}，谈不上年份之间的变化。",
                           f"There is no change between years to speak of: {only['en']} enough material"
                           f"{TOO_LITTLE_RULE['en']}.", "theme_change")
    first, last = view.years[0], view.years[-1]
    rows = theme_changes(view, first, last)
    clear = rows[rows["grade"].isin(["rose", "fell"]) & (rows["q"] < 0.05)]
    doubted, no_ground = (set(), False) if view.by_article else _made_by_mix(view, first, last, list(clear["theme"]))
    kept = clear[~clear["theme"].isin(doubted)]
    sides = {"rose": kept[kept["difference"] > 0].sort_values(["difference", "theme"], ascending=[False, True]),
             "fell": kept[kept["difference"] < 0].sort_values(["difference", "theme"])}
    of = int(rows["n_statements_from"].iloc[0]), int(rows["n_statements_to"].iloc[0])
    numbers: list[dict] = []
    shares = {y: view.shares(y) for y in (first, last)}
    for part in sides.values():
        for r in part.head(N_NAMED).itertuples():
            numbers += [_share_number(view, r.column, shares[y], y) for y in (first, last)]
    numbers += [_size_number(of[0], first), _size_number(of[1], last)]

    def side(part, lang, verb):
        shown = []
        for r in part.head(N_NAMED).itertuples():
            name, a, b = names.theme(r.theme, lang), percent(r.share_from), percent(r.share_to)
            shown.append(f"“{name}”由{a}{verb}{b}" if lang == "zh" else f"“{name}” {verb} from {a} to {b}")
        rest = len(part) - len(shown)
        if lang == "zh":
            return "、".join(shown) + (f"，另有{rest}个主题{verb[0]}" if rest > 0 else "")
        return ", ".join(shown) + (f" and {rest} more {verb}" if rest > 0 else "")

    basis = (f"（两年各有{of[0]:,}条、{of[1]:,}条语句）", f" ({of[0]:,} and {of[1]:,} statements)")
    if kept.empty:
        grade = "no_clear_change"
        text = (f"{first}年到{last}年，没有哪个主题的占比有站得住的变化{basis[0]}。",
                f"From {first} to {last} no theme’s share changed in a way that stands{basis[1]}.")
        title = {"zh": f"{first}年到{last}年，没有哪个主题的占比有站得住的变化",
                 "en": f"From {first} to {last} no theme’s share clearly changed"}
    else:
        grade = "changed"
        parts = [side(sides[s], "zh", v) for s, v in (("rose", "升至"), ("fell", "降至")) if len(sides[s])]
        parts_en = [side(sides[s], "en", s) for s in ("rose", "fell") if len(sides[s])]
        text = (f"{first}年到{last}年，{'；'.join(parts)}{basis[0]}。", f"Between {first} and {last} {'; '.join(parts_en)}{basis[1]}.")
        title = _change_title(sides, names, first, last)
    top = (sides["rose"] if len(sides["rose"]) else sides["fell"] if len(sides["fell"]) else rows).iloc[0]
    shown = {s: part["theme"].head(N_NAMED) for s, part in sides.items()}
    return Finding("changed_themes", "theme_share_difference",
                   {"year_from": first, "year_to": last, "region": ALL, "theme": top["theme"]}, float(top["difference"]),
                   float(top["low95"]), float(top["high95"]), int(top["n_to"]), of[1], grade, *text,
                   frozenset((s, first, last, t) for s, themes in shown.items() for t in themes),
                   frozenset(("rose" if r.difference > 0 else "fell", first, last, r.theme) for r in rows.itertuples()
                             if r.grade in ("rose", "probably_rose", "fell", "probably_fell")),
                   title, numbers, _union(numbers), "theme_change", caveat=_mix_caveat(doubted, no_ground, names))


def _change_title(sides: Mapping[str, pd.DataFrame], names: Names, first: int, last: int) -> dict:
    zh, en = [], []
    for side, word_zh, word_en in (("rose", "上升", "rose"), ("fell", "下降", "fell")):
        part = sides[side]
        if len(part):
            name, more = part["theme"].iloc[0], len(part) - 1
            zh.append(f"“{names.theme(name, 'zh')}”" + (f"等{more + 1}个主题" if more else "") + word_zh)
            en.append(f"“{names.theme(name, 'en')}”" + (f" and {more} other{'' if more == 1 else 's'}" if more else "")
                      + f" {word_en}")
    return {"zh": f"{first}年到{last}年，{'，'.join(zh)}", "en": f"From {first} to {last} {', '.join(en)}"}


def theme_changes(view: View, first: int, last: int) -> pd.DataFrame:
    """The change of every theme's share between two years, as `measures.trends` has it, from the arrays of a view.

    Returns:
        theme, column, share_from, share_to, n_to, n_statements_from, n_statements_to, difference, low95, high95, p, q,
        grade.
    """
    bounds = {}
    for level in (0.95, 0.8):
        a, b = view.shares(first, level=level), view.shares(last, level=level)
        bounds[level] = measures.share_difference(a.share, a.low, a.high, b.share, b.low, b.high)
    difference, low95, high95 = bounds[0.95]
    enough = (view.size(first)[2] and view.size(last)[2]) & (a.n + b.n >= MIN_SUPPORT)
    towards_zero = np.where(difference > 0, difference - low95, high95 - difference)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(difference == 0, 0, special.ndtri(0.975) * np.abs(difference) / towards_zero)
    p = np.where(enough, 2 * special.ndtr(-z), np.nan)
    return pd.DataFrame({
        "theme": view.corpus.codes, "column": np.arange(len(view.corpus.codes)), "share_from": a.share, "share_to": b.share,
        "n_to": b.n, "n_statements_from": a.of, "n_statements_to": b.of, "difference": difference, "low95": low95,
        "high95": high95, "p": p, "q": measures.benjamini_hochberg(p),
        "grade": measures.trend_grade(low95, high95, *bounds[0.8][1:], enough)})


def _made_by_mix(view: View, first: int, last: int, themes: list[str]) -> tuple[set[str], bool]:
    """Themes whose change vanishes once the mix of kinds of articles is held still; and whether it cannot be."""
    column = "kind" if view.corpus.articles["kind"].nunique() > 1 else "source_format"
    known = view.corpus.articles.dropna(subset=column)
    if not themes or known.empty:
        return set(), False
    strata = dict(zip(known["article_id"], known[column], strict=True))
    frame = pd.concat([view.article_themes(first), view.article_themes(last)], ignore_index=True)
    warned = measures.mix_warning(frame, strata, [(first, last)], themes=themes)
    return (set(warned.loc[warned["warning"] == "mix_makes_it", "theme"]),
            bool((warned["warning"] == "no_common_ground").any()))


def _mix_caveat(doubted: set[str], no_ground: bool, names: Names) -> dict:
    if no_ground:
        return dict(measures.MIX_WARNINGS["no_common_ground"])
    if not doubted:
        return {}
    shown = {lang: quoted([names.theme(t, lang) for t in names.theme_order(doubted)], lang) for lang in ("zh", "en")}
    return {"zh": f"{shown['zh']}的占比也变了，但两年材料的文章类别构成不同，把构成拉平后这一变化消失、减半或反向，所以不列入。",
            "en": f"{shown['en']} changed too, but the two years hold different kinds of articles; with the mix held still "
                  "that change vanishes, halves or turns round, so it is left out."}


def new_wording(view: View, names: Names) -> Finding:
    """Listed terms that first turn up in the latest year, in at least `MIN_WITNESSES` stories."""
    uses = view.terms[(view.terms["region"] == ALL) & (view.terms["year"] > 0)]
    year = view.latest
    first_year = int(uses["year"].min()) if len(uses) else 0
    if not year or first_year >= year:
        return _too_little("new_wording", "new_terms", {"year": year}, "材料不到两年，谈不上新提法。",
                           "With less than two years of material there is no new wording to speak of.")
    story = view.corpus.articles["story_id"].to_numpy()
    uses = uses.assign(story=story[uses["article"].to_numpy()])
    since = uses.groupby("term")["year"].min()
    new = uses[uses["term"].isin(since.index[since == year])].groupby("term")["story"].nunique()
    of = int(uses.loc[uses["year"] == year, "story"].nunique())
    witnessed = new[new >= MIN_WITNESSES].rename("n").reset_index().sort_values(["n", "term"], ascending=[False, True])
    if witnessed.empty:
        return _too_little("new_wording", "new_terms", {"year": year},
                           f"{year}年没有哪个词表所列的提法既是首次出现、又见于至少{MIN_WITNESSES}篇稿件。",
                           f"In {year} no listed term is both new to the material and used in {MIN_WITNESSES} stories or more.")
    shown, n = witnessed.head(2 * N_NAMED), len(witnessed)
    corpus = view.corpus
    rows = corpus.rows(year)
    numbers = [_number(f"{n}个", f"{n} listed", n=n, cell={"what": "new_terms", "year": year, "n": n})]
    for r in shown.itertuples():
        inside = uses.loc[(uses["term"] == r.term), "article"].unique()
        numbers.append(_number(f"“{r.term}”（{r.n}篇）", f"“{r.term}” ({r.n})", n=int(r.n), of=of, cell={
            "what": "term_stories", "term": r.term, "year": year, "n": int(r.n)},
            evidence=[r.term, *corpus.spread(rows & np.isin(corpus.article, inside), 0)]))
    more = n > len(shown)
    zh = (f"{year}年有{n}个词表所列的提法首次见于材料，且至少有{MIN_WITNESSES}篇稿件使用："
          + "、".join(f"“{r.term}”（{r.n}篇）" for r in shown.itertuples()) + ("等" if more else "") + "。")
    en = (f"In {year} {n} listed terms turn up for the first time and in at least {MIN_WITNESSES} stories: "
          + ", ".join(f"“{r.term}” ({r.n})" for r in shown.itertuples()) + (" and others" if more else "") + ".")
    earlier = int((np.bincount(corpus.article[(corpus.year > 0) & (corpus.year < year)], minlength=len(view.keep)) > 0)
                  [view.keep].sum())
    return Finding("new_wording", "new_terms", {"year": year, "terms": shown["term"].tolist()}, float(n), None, None, n,
                   len(since), "count", zh, en, frozenset((year, t) for t in shown["term"]),
                   frozenset((year, t) for t in new.index[new >= 2]), {}, numbers, figure="",
                   caveat={"zh": f"“首次”只就材料而言：此前各年共{earlier:,}篇文章没有用过，材料之外可能早已有人用。",
                           "en": f"“First” is within the material: none of {_many(earlier, 'earlier article')} uses them; "
                                 "outside it they may be older."})


def local_wording(view: View, names: Names) -> Finding:
    """Listed terms that the national regulator never uses and that one bureau alone, or two or three together, use."""
    year = view.latest
    uses = view.terms[~view.terms["region"].isin([ALL, NONE])]
    now = uses[uses["year"] == year]
    ever = {term: set(part) for term, part in uses.groupby("term")["region"]}
    counted = now.groupby("term")["count"].sum()
    own: dict[int, list[tuple[str, tuple[str, ...]]]] = {1: [], 2: []}
    for term in sorted(counted.index, key=lambda t: (-len(t), t)):
        if NATIONAL not in ever[term] and len(ever[term]) <= N_NAMED:
            own[min(len(ever[term]), 2)].append((term, tuple(r for r in names.regions if r in ever[term])))
    alone, shared = own[1], own[2]
    if not alone and not shared:
        return _too_little("local_wording", "terms_of_few_regions", {"year": year},
                           f"{year}年没有哪个词表所列的提法只为个别地方局所用。" if year else "没有一条语句的年份可考，不谈各地的提法。",
                           f"In {year} no listed term belongs to one or a few bureaus alone." if year else
                           "No statement’s year is known, so the wording of the regions is left aside.")
    shown = alone[:4]
    zh, en, numbers = [], [], []
    if alone:
        zh.append(f"有{len(alone)}个词表所列的提法总局未用、历年也只见于一个地方局："
                  + "、".join(f"“{t}”（{r[0]}）" for t, r in shown) + ("等" if len(alone) > len(shown) else ""))
        en.append(f"{_many(len(alone), 'listed term')} {'is' if len(alone) == 1 else 'are'} used by a single bureau and never "
                  "by the national regulator: "
                  + ", ".join(f"“{t}” ({names.region(r[0], 'en')})" for t, r in shown)
                  + (" and others" if len(alone) > len(shown) else ""))
        numbers.append(_number(f"{len(alone)}个", f"{len(alone)} listed", n=len(alone), cell={
            "what": "own_terms", "year": year, "regions": 1, "n": len(alone)}))
    for term, regions in shared[:2]:
        zh.append(f"“{term}”见于{listed(regions, 'zh')}")
        en.append(f"“{term}” by {listed([names.region(r, 'en') for r in regions], 'en')}")
    text = f"{year}年{'；'.join(zh)}。", f"In {year} {'; '.join(en)}."
    said = [(t, r) for t, r in shown] + shared[:2]
    numbers += [_number(f"“{t}”", f"“{t}”", cell={"what": "term_regions", "term": t, "regions": list(r), "year": year},
                        evidence=[t]) for t, r in said]
    return Finding("local_wording", "terms_of_few_regions", {"year": year, "terms": {t: list(r) for t, r in said}},
                   float(len(alone)), None, None, len(alone), len(counted), "count", *text,
                   frozenset((year, t, r) for t, r in said), frozenset((year, t, r) for t, r in alone + shared), {}, numbers)


def national_and_regional(view: View, names: Names) -> Finding:
    """What the national regulator says more of than the bureaus, and what they say more of; all years."""
    sizes = {side: view.size(ALL_YEARS, side) for side in (NATIONAL_SIDE, BUREAUS)}
    thin = [side for side, size in sizes.items() if not size[2]]
    if thin:
        words = {NATIONAL_SIDE: ("总局", "the national regulator"), BUREAUS: ("地方局", "the bureaus")}
        return _too_little("national_and_regional", "theme_share_difference", {},
                           f"归属于{'和'.join(words[s][0] for s in thin)}的语句太少{TOO_LITTLE_RULE['zh']}，不比较总局与地方局。",
                           f"Too few statements belong to {' and '.join(words[s][1] for s in thin)}{TOO_LITTLE_RULE['en']} to "
                           "compare the national regulator with the bureaus.")
    national, regional = (view.shares(ALL_YEARS, side) for side in (NATIONAL_SIDE, BUREAUS))
    difference, low, high = measures.share_difference(regional.share, regional.low, regional.high, national.share,
                                                      national.low, national.high)
    up = [int(i) for i in np.argsort(-difference, kind="stable") if low[i] > 0 and national.articles[i] >= MIN_WITNESSES]
    down = [int(i) for i in np.argsort(difference, kind="stable") if high[i] < 0 and regional.articles[i] >= MIN_WITNESSES]
    numbers: list[dict] = []
    sides = {NATIONAL_SIDE: national, BUREAUS: regional}

    def side(i, lang):
        a, b = percent(national.share[i]), percent(regional.share[i])
        if lang == "zh":
            numbers.extend(_share_number(view, i, shares, ALL_YEARS, s) for s, shares in sides.items())
            return f"“{names.theme(view.corpus.codes[i], 'zh')}”（{a}，地方局{b}）"
        return f"“{names.theme(view.corpus.codes[i], 'en')}” ({a}, the bureaus {b})"

    if not up and not down:
        text = ("总局与地方局的主题占比没有明确差别。",
                "No theme’s share clearly differs between the national regulator and the bureaus.")
    else:
        zh, en = [], []
        if up:
            zh.append(f"总局比地方局更多谈{side(up[0], 'zh')}")
            en.append(f"the national regulator says more of {side(up[0], 'en')}")
        if down:
            zh.append(f"{'更少谈' if up else '总局比地方局更少谈'}{side(down[0], 'zh')}")
            en.append(f"{'less' if up else 'the national regulator says less'} of {side(down[0], 'en')}")
        joined = " and ".join(en)
        text = f"各年合计，{'，'.join(zh)}。", f"Over all years {joined}."
    top = (up or down or [0])[0]
    return Finding("national_and_regional", "theme_share_difference",
                   {"year": ALL_YEARS, "region": NATIONAL, "theme": view.corpus.codes[top]}, float(difference[top]),
                   float(low[top]), float(high[top]), int(national.n[top]), national.of,
                   "differs" if up or down else "no_clear_difference", *text,
                   frozenset([("national", view.corpus.codes[i]) for i in up[:1]]
                             + [("regional", view.corpus.codes[i]) for i in down[:1]]),
                   frozenset([("national", view.corpus.codes[i]) for i in up] + [("regional", view.corpus.codes[i]) for i in down]),
                   {}, numbers, _union(numbers), "region_themes", caveat=_year_caveat(view, [*up[:1], *down[:1]], names))


def _year_caveat(view: View, themes: list[int], names: Names) -> dict:
    """What must be said when the two sides differ because they speak in different years."""
    if not themes or view.by_article:
        return {}
    codes = [view.corpus.codes[i] for i in themes]
    years, strata, frames = sorted(set(view.corpus.year.tolist())), {}, []
    for year in years:
        for as_year, side in ((1, NATIONAL_SIDE), (2, BUREAUS)):
            part = view.article_themes(year, side, as_year)
            part["article_id"] = [f"{year}-{i}" for i in part["article_id"]]  # an article may speak of several years
            strata |= dict.fromkeys(part["article_id"], str(year))
            frames.append(part)
    warned = measures.mix_warning(pd.concat(frames, ignore_index=True), strata, [(2, 1)], themes=codes)
    made = list(warned.loc[warned["warning"] == "mix_makes_it", "theme"])
    if not made:
        return {}
    shown = {lang: quoted([names.theme(t, lang) for t in names.theme_order(made)], lang) for lang in ("zh", "en")}
    return {"zh": f"总局与地方局的材料分布在不同年份；逐年比较再合计，{shown['zh']}的差别消失、减半或反向。",
            "en": f"The two sides speak in different years; compared year by year, the difference in {shown['en']} vanishes, "
                  "halves or turns round."}


def closest_pair(view: View, names: Names) -> Finding:
    """The themes that go together most, against chance; the closest only where its interval excludes the next."""
    corpus = view.corpus
    rows = view.keep[corpus.article]
    theme, article = corpus.theme[rows].astype(np.int64), corpus.article[rows]
    if view.by_article:
        counts = np.zeros((len(corpus.articles), len(corpus.codes)), np.int64)
        np.add.at(counts, article, theme)
        present = np.bincount(article, minlength=len(counts)) > 0
        theme, article = (counts[present] > 0).astype(np.int64), np.flatnonzero(present)
    both = theme.T @ theme
    single, n = np.diag(both), len(theme)
    pairs = pd.DataFrame([(corpus.codes[i], corpus.codes[j], i, j, both[i, j], single[i], single[j], n)
                          for i, j in combinations(range(len(corpus.codes)), 2) if both[i, j]],
                         columns=["theme_a", "theme_b", "i", "j", "n_both", "n_a", "n_b", "n_statements"])
    pairs = measures.cooccurrence(pairs)
    pairs = pairs[pairs["supported"] & (pairs["q_more"] < 0.05)] if len(pairs) else pairs
    if pairs.empty:
        return _too_little("closest_pair", "cooccurrence_npmi", {"year": ALL_YEARS},
                           f"没有哪两个主题同句出现的次数经得起检验（至少{MIN_SUPPORT}条语句、校正后显著），不谈搭配。",
                           f"No two themes share statements often enough to stand the test (at least {MIN_SUPPORT} "
                           "statements, significant after correction).", "cooccurrence_matrix")
    pairs = pairs.sort_values(["npmi", "theme_a", "theme_b"], ascending=[False, True, True]).head(12).reset_index(drop=True)
    low, high = _npmi_intervals(pairs, theme, article)
    first = pairs.iloc[0]
    rivals = [k for k in range(1, len(pairs)) if not high[k] < low[0]]
    names_of = [{lang: quoted([names.theme(r.theme_a, lang), names.theme(r.theme_b, lang)], lang) for lang in ("zh", "en")}
                for r in pairs.itertuples()]
    numbers, shown = [], [0, *rivals[:N_NAMED - 1]] if rivals else [0]
    for k in shown:
        r = pairs.iloc[k]
        inside = corpus.theme[:, r["i"]].astype(bool) & corpus.theme[:, r["j"]].astype(bool)
        numbers.append(_number(f"{r['n_both']:,}条", f"{r['n_both']:,} statements", n=int(r["n_both"]), of=n, cell={
            "what": "pair", "a": r["theme_a"], "b": r["theme_b"], "n": int(r["n_both"])}, evidence=corpus.spread(inside)))
        numbers.append(_number(f"{r['ratio']:.1f}倍", f"{r['ratio']:.1f} times", cell={
            "what": "pair_ratio", "a": r["theme_a"], "b": r["theme_b"]}, definition={
            "zh": "同句条数除以两者互不相干时应有的条数", "en": "shared statements over what chance would give"}))
    said = [{"zh": f"{names_of[k]['zh']}（同句{numbers[2 * q]['zh']}，为互不相干时的{numbers[2 * q + 1]['zh']}）",
             "en": f"{names_of[k]['en']} ({numbers[2 * q]['en']}, {numbers[2 * q + 1]['en']} as many as by chance)"}
            for q, k in enumerate(shown)]
    if not rivals:
        grade = "closest"
        text = f"结合最紧的两个主题是{said[0]['zh']}。", f"The themes that go together most are {said[0]['en']}."
    else:
        grade = "among_closest"
        n_more = len(rivals) + 1 - len(shown)
        text = (f"结合紧的主题有{'、'.join(s['zh'] for s in said)}{f'等{len(rivals) + 1}对' if n_more else ''}，"
                "彼此差距在误差之内，不能说哪一对最紧。",
                f"Closely tied are {'; '.join(s['en'] for s in said)}{f'; and {n_more} more' if n_more else ''}: within error of "
                "each other, so that none can be called the closest.")
    same = names.themes.get(first["theme_a"], {}).get("group") == names.themes.get(first["theme_b"], {}).get("group")
    return Finding("closest_pair", "cooccurrence_npmi",
                   {"year": ALL_YEARS, "region": ALL, "theme": first["theme_a"], "other": first["theme_b"]},
                   float(first["npmi"]), float(low[0]), float(high[0]), int(first["n_both"]), n, grade, *text,
                   frozenset({("pair", first["theme_a"], first["theme_b"])}),
                   frozenset(("pair", pairs["theme_a"][k], pairs["theme_b"][k]) for k in [0, *rivals]),
                   {"zh": f"{names_of[0]['zh']}{'最' if not rivals else ''}常同句出现，为互不相干时的{first['ratio']:.1f}倍",
                    "en": f"{names_of[0]['en']} {'go together most' if not rivals else 'often share a sentence'}, "
                          f"{first['ratio']:.1f} times as often as by chance"},
                   numbers, _union(numbers), "cooccurrence_matrix",
                   caveat={"zh": "这两个主题同属一组，定义相邻，一部分同现来自编码本身。",
                           "en": "The two belong to one group and have neighbouring definitions: some of the tie is the "
                                 "coding’s."} if same and not rivals else {})


def _npmi_intervals(pairs: pd.DataFrame, theme: np.ndarray, article: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Intervals of NPMI by resampling articles; `theme` is (units, themes), `article` the article of each unit."""
    columns = sorted(set(pairs["i"]) | set(pairs["j"]))
    place = {column: k for k, column in enumerate(columns)}
    units = np.concatenate([theme[:, columns], theme[:, pairs["i"]] & theme[:, pairs["j"]]], axis=1)
    _, number = np.unique(article, return_inverse=True)
    m = int(number.max()) + 1
    summed = np.zeros((m, units.shape[1]))
    np.add.at(summed, number, units)
    shares = measures.cluster_replicates(summed, np.bincount(number, minlength=m), n_resamples=1000)
    low, high = np.full(len(pairs), np.nan), np.full(len(pairs), np.nan)
    for k, (i, j) in enumerate(zip(pairs["i"], pairs["j"], strict=True)):
        a, b, ab = shares[:, place[i]], shares[:, place[j]], shares[:, len(columns) + k]
        with np.errstate(divide="ignore", invalid="ignore"):
            npmi = np.where(ab > 0, np.log(ab / (a * b)) / -np.log(ab), np.where((a > 0) & (b > 0), -1.0, np.nan))
        low[k], high[k] = measures.interval_of_replicates(npmi, min(m, measures.MAX_CLUSTERS))
        # the formula of the measure, not of its resamples: rounding must not leave the value outside
        low[k], high[k] = min(low[k], pairs["npmi"][k]), max(high[k], pairs["npmi"][k])
    return low, high


def binding_wording(view: View, names: Names) -> Finding:
    """How much of the wording binds in the latest year, and whether that has changed."""
    grades = {lang: quoted([g[lang] for g in list(names.grades.values())[:2]], lang) for lang in ("zh", "en")}
    if not view.years or view.years[-1] != view.latest or not names.grades:
        return _thin_year(view, "binding_wording", "binding_share",
                          {"zh": "不说有约束力的措辞占多少", "en": "how much of the wording binds is left open"},
                          "deontic_strength")
    last, first = view.years[-1], view.years[0]
    parts = {}
    for year in {first, last}:
        _, n, binding = view.sums(year)
        parts[year] = [binding.sum() / n.sum(), *measures.clustered_interval(binding, n),
                       *measures.clustered_interval(binding, n, 0.8), int(binding.sum()), int(n.sum())]
    share, low, high, _, _, n, of = parts[last]
    corpus = view.corpus

    def number(year):
        return _number(percent(parts[year][0]), n=parts[year][5], of=parts[year][6],
                       cell={"what": "binding", "year": year}, evidence=corpus.spread(corpus.rows(year) & corpus.binding))

    numbers = [number(last), _size_number(of, last)]
    text = (f"{last}年{of:,}条语句中，{percent(share)}用了{grades['zh']}两级有约束力的措辞（95%区间{percent(low)}—{percent(high)}）",
            f"In {last} {percent(share)} of {of:,} statements use binding wording of the grades {grades['en']} (95% interval "
            f"{percent(low)}–{percent(high)})")
    grade, facts = "share", {("binding", last, "said")}
    if first < last:
        a, b = parts[first], parts[last]
        bounds = [measures.share_difference(a[0], a[k], a[k + 1], b[0], b[k], b[k + 1])[1:] for k in (1, 3)]
        grade = str(measures.trend_grade(*bounds[0], *bounds[1], True))
        numbers.append(number(first))
        word = measures.TREND_WORDS[grade]
        text = (f"{text[0]}，{first}年为{percent(a[0])}，{word['zh']}。", f"{text[1]}, {percent(a[0])} in {first}: {word['en']}.")
        facts = {("binding", first, last, direction) for direction in _directions(grade)}
    else:
        text = f"{text[0]}。", f"{text[1]}."
    return Finding("binding_wording", "binding_share", {"year": last, "region": ALL}, float(share), float(low), float(high),
                   n, of, grade, *text, frozenset(sorted(facts)[:1]), frozenset(facts),
                   {"zh": f"{last}年{percent(share)}的语句用了有约束力的措辞", "en": f"In {last} {percent(share)} of statements bind"},
                   numbers, _union(numbers), "deontic_strength")


def _directions(grade: str) -> list[str]:
    """What a graded change asserts; “probably rose” agrees with both neighbours."""
    return {"rose": ["rose"], "probably_rose": ["rose", "same"], "no_clear_change": ["same"],
            "probably_fell": ["fell", "same"], "fell": ["fell"]}.get(grade, [])


def covered_regions(view: View, names: Names) -> Finding:
    """How many of the bureaus have any statement, and which have none."""
    regions = [r for r in names.regions if r != NATIONAL]
    missing = [r for r in regions if r not in view.corpus.regions]
    n, of = len(regions) - len(missing), len(regions)
    cell = {"what": "regions", "n": n}
    if not missing:
        text = (f"{of}个省级监管局都有语句可查。", f"All {of} regional bureaus have statements here.")
        numbers = [_number(f"{of}个", f"{of} regional", n=n, of=of, cell=cell)]
    else:
        shown = missing if len(missing) <= 9 else missing[:9]
        zh = "、".join(shown) + (f"等{len(missing)}个" if len(missing) > len(shown) else "")
        en = listed([names.region(r, "en") for r in shown], "en", len(missing))
        text = (f"材料只涉及{of}个省级监管局中的{n}个；{zh}没有任何语句，各图不能说明这些地方的情况。",
                f"The material covers {n} of {of} regional bureaus; nothing is known here about {en}.")
        numbers = [_number(f"{n}个", f"{n} of", n=n, of=of, cell=cell)]
    return Finding("covered_regions", "regions_covered", {"year": ALL_YEARS}, float(n), None, None, n, of, "count", *text,
                   frozenset({("missing", r) for r in missing}), frozenset({("missing", r) for r in missing}), {}, numbers,
                   view.corpus.spread(view.corpus.bureau, 2 * N_EVIDENCE), "coverage")


HEADLINES: dict[str, Callable[[View, Names], Finding]] = {f.__name__: f for f in (
    listed_first, leading_theme, changed_themes, new_wording, local_wording, national_and_regional, closest_pair,
    binding_wording)}
"""The headline sentences, in the order of the report."""
OF_TERMS = ("new_wording", "local_wording")
OF_LISTS = ("listed_first",)


# --------------------------------------------------------------------------------------------- other ways of counting


class Check(NamedTuple):
    """One other way of counting: its name, whether a finding is checked by it, and the views to make it from. Each view
    comes with the view whose claim it must bear, and with what is special about it (zh, en)."""

    zh: str
    en: str
    applies: Callable[[str], bool]
    views: Iterable[tuple[View, View, dict]]


def checks(run: Run, names: Names, view: View) -> Iterator[Check]:
    """Other ways of counting the same corpus.

    Reprints counted once; by article instead of statement; the largest publishers and all shapes of files left out one
    at a time; every theme without the pattern that finds most for it; listed terms counted as plain strings, without
    segmentation. Of a corpus of more than `MAX_RECOUNTED` statements the last two take a part, and hold the claim of
    that same part against it.
    """
    articles = view.corpus.articles
    # of copies and reprints the earliest; among those of one day the first by identifier
    lead = ~articles.sort_values(["story_id", "date", "article_id"], na_position="last").duplicated("story_id")
    lead = lead.reindex(articles.index).to_numpy()
    yield Check("转载只计一次", "reprints counted once", lambda _: True, [(replace(view, keep=lead), view, {})])
    yield Check("按文章而不按语句计数", "by article, not by statement",
                lambda id_: id_ not in OF_TERMS + OF_LISTS, [(replace(view, by_article=True), view, {})])
    for column, zh, en, most in (("publisher", "逐个剔除来源", "each source left out", N_SOURCES),
                                 ("source_format", "逐个剔除文件形态", "each shape of file left out", None)):
        sizes = articles[column].value_counts()
        chosen = sorted(sizes.index, key=lambda n: (-sizes[n], n))[:most]
        yield Check(zh, en, lambda _: True, [
            (replace(view, keep=(articles[column] != name).to_numpy()), view, {"zh": str(name), "en": str(name)})
            for name in chosen if sizes[name] < len(articles)])
    part = _part(view)
    yield Check("每个主题去掉最管用的一条规则", "each theme without its most productive pattern",
                lambda id_: id_ not in OF_TERMS, [(replace(part, corpus=ablated(run, names, part)), part, {})])
    yield Check("不分词，按字符串计数", "plain strings, no segmentation", lambda id_: id_ in OF_TERMS,
                [(replace(part, corpus=unsegmented(run, part)), part, {})])


def _part(view: View) -> View:
    """The view, or the articles that hold its first `MAX_RECOUNTED` statements; identifiers are hashes, so that the
    first articles are a random part."""
    if len(view.corpus.article) <= MAX_RECOUNTED:
        return view
    last = int(view.corpus.article[MAX_RECOUNTED])
    return replace(view, keep=view.keep & (np.arange(len(view.keep)) < last))


def _texts_of(run: Run, view: View, columns: Sequence[str]) -> pd.DataFrame:
    """Columns of the statements of a view, in the order of its corpus, with their row there."""
    from .tables import read_arrow

    rows = np.flatnonzero(view.keep[view.corpus.article])
    table = read_arrow(run.out, "statements", ["statement_id", *columns])
    at = pd.Index(table["statement_id"].to_pandas()).get_indexer(view.corpus.statement_id[rows])
    return table.take(at).to_pandas().assign(row=rows)


def ablated(run: Run, names: Names, view: View) -> Corpus:
    """The corpus coded by a codebook in which each theme lacks the line that finds most for it."""
    from .coding import code
    from .model import Article, Statements

    statements = _texts_of(run, view, ["article_id", "paragraph", "position", "text", "heading", "evidence"])
    evidence = [json.loads(e) for e in statements["evidence"]]
    weaker = without_best_lines(run.codebook, statements["text"], evidence)
    ids, number = np.unique(statements["article_id"].to_numpy(object).astype(str), return_inverse=True)
    told = run.table("articles", ["article_id", "title", "script", "source_file", "source_format", "position"])
    told = told.set_index("article_id").loc[ids]
    articles = [Article(r.source_file, r.source_format, int(r.position), title=_known(r.title), script=r.script)
                for r in told.itertuples()]
    coding = code(articles, Statements(number.tolist(), statements["paragraph"].tolist(), statements["position"].tolist(),
                                       statements["text"].tolist(), [_known(h) for h in statements["heading"]]), None, weaker)
    corpus = view.corpus
    theme = np.zeros_like(corpus.theme)
    column = {c: i for i, c in enumerate(corpus.codes)}
    for row, stated, inherited in zip(statements["row"], coding.stated, coding.inherited, strict=True):
        theme[row, [column[c] for c in (*stated, *inherited)]] = 1
    again = dict(zip(statements["row"], coding.evidence, strict=True))
    items = corpus.items
    return replace(corpus, theme=theme, items=_with_themes(items, corpus, [again.get(row, ()) for row in items["row"]]))


def _known(value):
    return value if isinstance(value, str) else None


def without_best_lines(codebook, texts: Iterable[str], evidence: Iterable[Sequence]):
    """The codebook without the line of each theme that has an anchor in most of the places where the theme was found;
    a theme of a single line keeps it."""
    hits: dict[str, dict[str, int]] = {}
    for text, found in zip(texts, evidence, strict=True):
        for code, start, end in found:
            of_theme = hits.setdefault(code, {})
            matched = text[start:end].lower()
            of_theme[matched] = of_theme.get(matched, 0) + 1
    themes = []
    for theme in codebook.themes:
        of_theme = hits.get(theme.code, {})
        worth = [sum(n for matched, n in of_theme.items() if any(a.lower() in matched for a in line.anchors))
                 for line in theme.lines]
        best = int(np.argmax(worth)) if worth else 0
        keep = theme.lines if len(theme.lines) < 2 else theme.lines[:best] + theme.lines[best + 1:]
        themes.append(replace(theme, lines=keep))
    return replace(codebook, themes=tuple(themes))


def unsegmented(run: Run, view: View) -> Corpus:
    """The corpus with listed terms counted wherever their characters stand; of terms that overlap, each."""
    import ahocorasick_rs

    from .terms import read_words

    terms = read_words(run.place.codebook / "terms.txt")
    statements = _texts_of(run, view, ["text", "regions"])
    finder = ahocorasick_rs.AhoCorasick(terms or ["\0"])
    corpus, rows = view.corpus, []
    for row, text, regions in zip(statements["row"], statements["text"], statements["regions"], strict=True):
        for which, _, _ in finder.find_matches_as_indexes(text, overlapping=True):
            rows += [(corpus.article[row], terms[which], corpus.year[row], region)
                     for region in (ALL, *(list(regions) or [NONE]))]
    uses = pd.DataFrame(rows, columns=["article", "term", "year", "region"])
    return replace(corpus, terms=uses.groupby(["article", "term", "year", "region"]).size().rename("count").reset_index())


# ----------------------------------------------------------------------------------------- all of them, with badges


def all_findings(run: Run, names: Names, with_badges: bool = True) -> list[Finding]:
    """The findings of a build in the order of the report, with badges and evidence; last the coverage, which is no
    headline but a limit.

    Args:
        run: the build.
        names: what themes and regions are called.
        with_badges: count in other ways too.
    """
    view = View.of(Corpus.of(run, names))
    found = {id_: make(view, names) for id_, make in HEADLINES.items()}
    if with_badges:
        results: dict[str, list[dict]] = {id_: [] for id_ in found}
        for check in checks(run, names, view):
            ids = [id_ for id_, f in found.items() if f.grade != "too_little" and check.applies(id_)]
            failed: dict[str, list[dict]] = {id_: [] for id_ in ids}
            for other, reference, special_ in check.views:
                for id_ in ids:
                    claim = (found[id_] if reference is view else HEADLINES[id_](reference, names)).claim
                    if not claim <= HEADLINES[id_](other, names).facts:
                        failed[id_].append(special_)
            for id_ in ids:
                results[id_].append({"zh": check.zh, "en": check.en, "holds": not failed[id_],
                                     "without": [s for s in failed[id_] if s]})
        found = {id_: _with_badge(f, results[id_]) for id_, f in found.items()}
    found = [_with_term_evidence(run, f) for f in found.values()]
    return [*found, covered_regions(view, names)]


def _with_badge(finding: Finding, results: list[dict]) -> Finding:
    if not results:
        return finding
    zh, en = [], []
    for r in results:
        if r["without"]:
            some = r["without"][:N_NAMED]
            more = len(r["without"]) - len(some)
            zh.append(f"剔除{'、'.join(s['zh'] for s in some)}{f'等{len(r["without"])}个' if more else ''}{'（任一个）' if len(some) > 1 else ''}")
            en.append(f"{' or '.join(s['en'] for s in some)}{f' or {more} more' if more else ''}")
    detail = {"zh": f"{'；'.join(zh)}后，这句话不再成立。", "en": f"It no longer stands without {'; nor without '.join(en)}."} if zh else {}
    return replace(finding, detail=detail, badge={
        "holds": sum(r["holds"] for r in results), "of": len(results),
        "checks": [{k: r[k] for k in ("zh", "en", "holds")} for r in results]})


def _with_term_evidence(run: Run, finding: Finding) -> Finding:
    """The finding with the statements that hold its terms, where its numbers name terms."""
    if finding.id not in OF_TERMS or finding.grade == "too_little":
        return finding
    from .concordance import statements_with

    numbers = []
    terms = [x["cell"]["term"] for x in finding.numbers if "term" in x["cell"]]
    found = statements_with(run, terms, year=finding.slice["year"])
    for x in finding.numbers:
        if "term" in x["cell"]:
            rows = found[found["term"] == x["cell"]["term"]]
            wanted = set(x["cell"].get("regions", ()))
            if wanted:
                rows = rows[[bool(wanted & set(r)) for r in rows["regions"]]]
            rows = rows.assign(order=rows.groupby("article_id").cumcount()).sort_values(["order", "statement_id"])
            x = {**x, "evidence": rows["statement_id"].head(N_EVIDENCE).tolist()}
        numbers.append(x)
    return replace(finding, numbers=numbers, evidence=_union(numbers))


def titles(run: Run, names: Names) -> dict[str, dict[str, str] | None]:
    """Titles for figures from the ledger: the stem of the figure → its title zh and en, None where the ledger has
    nothing short to say and the figure speaks for itself."""
    found = all_findings(run, names, with_badges=False)
    out = dict.fromkeys((f.figure for f in found if f.figure), None)
    for f in found:
        if f.figure and f.title:
            out[f.figure] = f.title
        elif f.figure and f.grade == "too_little":
            out[f.figure] = {"zh": f.zh.rstrip("。"), "en": f.en.rstrip(".")}
    return out


# ------------------------------------------------------------------------------------------------------ the ledger


def _text(value) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=list)


def as_frame(findings: Sequence[Finding]) -> pd.DataFrame:
    """The ledger: one row a finding; lists and mappings as JSON."""
    return pd.DataFrame([{
        "id": f.id, "metric": f.metric, "slice": _text(f.slice), "value": f.value, "low": f.low, "high": f.high,
        "n": f.n, "of": f.of, "grade": f.grade, "claim": _text(sorted(f.claim)), "zh": f.zh, "en": f.en,
        "numbers": _text(f.numbers), "evidence": _text(f.evidence), "figure": f.figure, "badge": _text(f.badge),
        "detail": _text(f.detail), "caveat": _text(f.caveat)} for f in findings])


def as_rows(findings: Sequence[Finding]) -> list[dict]:
    """The findings as `display.findings` shows them."""
    return [{"id": f.id, "zh": f.zh, "en": f.en, "numbers": f.numbers, "evidence": f.evidence, "badge": f.badge or None,
             "detail": f.detail or None, "caveat": f.caveat or None, "figure": f.figure or None} for f in findings]


def headlines(findings: Sequence[Finding]) -> list[Finding]:
    """Those that are headlines: all but the coverage."""
    return [f for f in findings if f.id in HEADLINES]


def number_ledger(findings: Sequence[Finding]) -> pd.DataFrame:
    """One row for each figure printed in a finding: finding, the figure in zh and en, numerator, denominator, the cell
    of the tables it comes from, and statements behind it (both as JSON)."""
    return pd.DataFrame([{"finding": f.id, "zh": x["zh"], "en": x["en"], "n": x["n"], "of": x["of"],
                          "cell": _text(x["cell"]), "evidence": _text(x["evidence"])}
                         for f in findings for x in f.numbers],
                        columns=["finding", "zh", "en", "n", "of", "cell", "evidence"])


def mismatches(findings: Sequence[Finding], run: Run) -> list[str]:
    """What is wrong with the findings, in words; empty when prose and data agree.

    Looks for every number in its sentences, computes percentages from their parts, and counts each number again from
    the count tables of the build (or, for lists and for the bureaus together, from the texts and statements), which is
    another way than it was made.
    """
    recount = _Recount(run)
    problems = []
    for f in findings:
        for x in f.numbers:
            for lang in ("zh", "en"):
                if x[lang] not in getattr(f, lang):
                    problems.append(f"{f.id}: “{x[lang]}” does not stand in “{getattr(f, lang)}”")
            if x["n"] is not None and x["of"] and x["zh"].endswith("%") and percent(x["n"] / x["of"]) != x["zh"]:
                problems.append(f"{f.id}: {x['zh']} is not {x['n']} of {x['of']}")
            said, counted = recount(x)
            if said != counted:
                problems.append(f"{f.id}: “{x['zh']}” says {said}, the tables say {counted}")
        if f.value is not None and f.low is not None and not f.low <= f.value <= f.high:
            problems.append(f"{f.id}: its value lies outside its interval")
    return problems


class _Recount:
    """Counts the numbers of findings again."""

    def __init__(self, run: Run):
        self.run = run

    def __call__(self, number: Mapping) -> tuple:
        """(what the number says, what the tables say); two Nones for one that names no cell."""
        cell = number["cell"]
        return getattr(self, f"_{cell['what']}")(number, cell) if cell else (None, None)

    @cached_property
    def themes(self) -> pd.Series:
        frame = self.run.table("theme_counts", ["theme", "year", "region", "n_statements"])
        return frame.set_index(["theme", "year", "region"])["n_statements"]

    @cached_property
    def sizes(self) -> pd.Series:
        return self.run.table("slices", ["year", "region", "n_statements"]).set_index(["year", "region"])["n_statements"]

    @cached_property
    def bureaus(self) -> pd.DataFrame:
        """year and themes of the statements of any bureau."""
        frame = self.run.table("statements", ["year", "regions", "themes"])
        return frame[[any(r != NATIONAL for r in regions) for regions in frame["regions"]]]

    @cached_property
    def terms(self) -> pd.DataFrame:
        listed_terms = set(self.run.table("article_terms", ["term"])["term"])
        frame = self.run.table("term_counts", ["term", "year", "region", "n_stories"])
        return frame[frame["term"].isin(listed_terms) & (frame["year"] > 0)]

    def _theme(self, number, cell):
        if cell["side"] == BUREAUS:
            part = self.bureaus if cell["year"] == ALL_YEARS else self.bureaus[self.bureaus["year"] == cell["year"]]
            return (number["n"], number["of"]), (sum(cell["theme"] in t for t in part["themes"]), len(part))
        region = NATIONAL if cell["side"] == NATIONAL_SIDE else ALL
        return (number["n"], number["of"]), (int(self.themes.get((cell["theme"], cell["year"], region), 0)),
                                             int(self.sizes[cell["year"], region]))

    def _size(self, number, cell):
        return cell["n"], int(self.sizes[cell["year"], ALL])

    def _binding(self, number, cell):
        frame = self.run.table("deontic_counts", filters=[("year", "=", cell["year"]), ("region", "=", ALL),
                                                          ("theme", "=", ALL)])
        binding = frame["deontic"].isin(list(self.run.names.grades)[:2])
        return (number["n"], number["of"]), (int(frame.loc[binding, "n_statements"].sum()), int(frame["n_statements"].sum()))

    def _one_pair(self, cell):
        a, b = sorted((cell["a"], cell["b"]))
        frame = self.run.table("theme_pairs", filters=[("theme_a", "=", a), ("theme_b", "=", b), ("year", "=", ALL_YEARS),
                                                       ("region", "=", ALL)])
        return frame.iloc[0]

    def _pair(self, number, cell):
        return cell["n"], int(self._one_pair(cell)["n_both"])

    def _pair_ratio(self, number, cell):
        row = self._one_pair(cell)
        return number["zh"], f"{row['n_both'] * row['n_statements'] / (row['n_a'] * row['n_b']):.1f}倍"

    def _list(self, number, cell):
        text = self.run.table("articles", ["text"], [("article_id", "=", cell["article"])])["text"].iloc[0]
        begins = self.run.table("statements", ["text"], [("statement_id", "=", cell["statement"])])["text"].iloc[0]
        return cell["n"], enumerations.n_items(text, cell["style"], begins)

    def _new(self, year):
        everywhere = self.terms[self.terms["region"] == ALL]
        since = everywhere.groupby("term")["year"].min()
        return everywhere[everywhere["term"].isin(since.index[since == year])].set_index("term")["n_stories"]

    def _new_terms(self, number, cell):
        return cell["n"], int((self._new(cell["year"]) >= MIN_WITNESSES).sum())

    def _term_stories(self, number, cell):
        return cell["n"], int(self._new(cell["year"]).get(cell["term"], 0))

    def _regions_of(self, year):
        single = self.terms[~self.terms["region"].isin([ALL, NONE])]
        used = set(single.loc[single["year"] == year, "term"])
        return {term: set(regions) for term, regions in single.groupby("term")["region"] if term in used}

    def _own_terms(self, number, cell):
        own = [t for t, r in self._regions_of(cell["year"]).items() if len(r) == cell["regions"] and NATIONAL not in r]
        return cell["n"], len(own)

    def _term_regions(self, number, cell):
        return sorted(cell["regions"]), sorted(self._regions_of(cell["year"]).get(cell["term"], ()))

    def _regions(self, number, cell):
        single = {r for _, r in self.sizes.index} - {ALL, NONE, NATIONAL}
        return cell["n"], len(single)
