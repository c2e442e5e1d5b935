"""The corpus as findings count it: the statements as arrays, and the ways of looking at them.

A `Corpus` holds what is counted, a `View` which articles of it and in which unit. Every finding is computed from a
view, so that counting in another way is making it again from another view.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from . import enumerations, measures
from .concordance import coined
from .measures import MIN_ARTICLES, MIN_STATEMENTS
from .model import NATIONAL
from .quantities import chinese_number
from .tables import ALL_YEARS

if TYPE_CHECKING:
    import pyarrow as pa

    from .charts import Names
    from .run import Run

ALL_SIDES, NATIONAL_SIDE, BUREAUS = "all", "national", "bureaus"
N_EVIDENCE = 3
"""Statements kept for one number, spread over articles."""


@dataclass(frozen=True)
class Corpus:
    """The statements of a build as arrays, ordered by article.

    Attributes:
        articles: article_id, story_id, publisher, source_format, kind, date, digest (whether it names the text it was
            made from); one row an article, by article_id.
        statement_id: (statements,) of pandas' text type.
        article: (statements,) row of `articles`, ascending.
        year: (statements,) work year, 0 where unknown.
        codes: the themes of the codebook.
        theme: (statements, themes) whether the statement has the theme, as 0 and 1.
        national, bureau: (statements,) whether it is attributed to the national regulator, to any regional bureau.
        binding: (statements,) whether its wording has one of the two strongest grades.
        regions: the regions that any statement is attributed to.
        items: the lists of the texts: see `enumerations.enumerations`, with `themes` (tuple), `year`, and `said`:
            whether a regulator is found to speak in the statement that opens the list.
        terms: article (row of `articles`), term, year, region, count: the listed terms; term and region are categories.
        quoted: (term, year) of the listed terms that a statement of that year puts in quotation marks.
        unnamed: the listed terms that some statement gives to more bureaus than it names (河北、天津等多地).
    """

    articles: pd.DataFrame
    statement_id: pd.api.extensions.ExtensionArray
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
    quoted: frozenset[tuple[str, int]]
    unnamed: frozenset[str] = frozenset()
    _sums: dict = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, run: Run, names: Names) -> Corpus:
        """The statements of all articles in scope."""
        import pyarrow as pa
        import pyarrow.compute as pc
        from ahocorasick_rs import AhoCorasick

        from .tables import read_parts

        columns = ["article_id", "story_id", "publisher", "source_format", "kind", "date", "source_title", "scope"]
        articles = run.table("articles", columns)
        articles = articles[articles["scope"] == "in"]
        articles = articles.assign(digest=articles["source_title"].notna()).drop(columns=["source_title", "scope"])
        articles = articles.sort_values("article_id", ignore_index=True)
        index = pd.Index(articles["article_id"])
        codes, regions = tuple(names.themes), tuple(names.regions)
        is_national = np.array([r == NATIONAL for r in regions], bool)
        grades = pa.array(list(names.grades)[:2], pa.string())
        columns = ["statement_id", "article_id", "year", "regions", "themes", "deontic", "text", "evidence",
                   "speaker"]
        made: list[tuple[np.ndarray, ...]] = []
        ids, listing, any_region, listed, unnamed = [], [], np.zeros(len(regions), bool), list(run.terms), set()
        more, finder = more_places(regions), AhoCorasick(listed)
        for part in read_parts(run.out, "statements", columns):  # the texts of a large corpus are not held
            place = _membership(part["regions"], regions).astype(bool)
            any_region |= place.any(axis=0)
            marked = pc.match_substring_regex(part["text"], enumerations.MARK.pattern)
            listing.append(part.select(["text", "evidence", "speaker"]).filter(marked))
            open_ = "\n".join(part["text"].filter(leave_places_out(part["text"], part["regions"], more)).to_pylist())
            unnamed |= {listed[n] for n, _, _ in finder.find_matches_as_indexes(open_, overlapping=True)}
            ids.append(part["statement_id"])
            made.append((index.get_indexer(part["article_id"].to_pandas()),
                         pc.fill_null(part["year"], 0).to_numpy().astype(np.int64), _membership(part["themes"], codes),
                         place[:, is_national].any(axis=1), place[:, ~is_national].any(axis=1),
                         pc.is_in(part["deontic"], grades).to_numpy(), marked.to_numpy()))
        columns = [list(column) for column in zip(*made, strict=True)]
        made.clear()
        order = np.argsort(np.concatenate(columns[0]), kind="stable")

        def in_order(column: list[np.ndarray]) -> np.ndarray:
            whole = np.concatenate(column)
            column.clear()  # one column after the other, so that no more than one is held twice
            return whole[order]

        article, year, theme, national, bureau, binding, marked = map(in_order, columns)
        # text columns stay in Arrow or are categories: as objects they take several times as much
        statement_id = pa.chunked_array([chunk for column in ids for chunk in column.chunks], pa.string())
        statement_id = statement_id.take(pa.array(order)).to_pandas().array
        terms = run.table("article_terms", categories=["article_id", "term", "region"])
        own = terms.pop("article_id").cat
        terms["article"] = index.get_indexer(own.categories).astype(np.int32)[own.codes]
        corpus = cls(articles, statement_id, article, year, codes, theme, national, bureau, binding,
                     frozenset(np.array(regions, object)[any_region]), pd.DataFrame(),
                     terms, frozenset())
        likely = np.flatnonzero(marked)
        listing = pa.concat_tables(listing).take(np.argsort(np.argsort(order[likely])))
        quoted = frozenset((t, y) for t, years in coined(run, set(terms["term"].cat.categories)).items() for y in years)
        return replace(corpus, items=_items(listing, corpus, likely), quoted=quoted, unnamed=frozenset(unnamed))

    @cached_property
    def article_years(self) -> np.ndarray:
        """(pairs, 2): each row of `articles` with each year its statements are of, 0 where unknown."""
        pairs = np.unique(self.article * 10_000 + self.year)
        return np.stack([pairs // 10_000, pairs % 10_000], axis=1)

    def sums(self, year: int = ALL_YEARS, side: str = ALL_SIDES) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(statements with each theme (articles, themes), statements (articles,), binding statements (articles,)) of a
        year and a side, for every article."""
        return tuple(part.astype(np.int64) for part in self.small_sums(year, side))

    def small_sums(self, year: int = ALL_YEARS, side: str = ALL_SIDES) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """`sums` as they are kept: in as few bytes as they need, for of a large corpus there are many."""
        if (year, side) not in self._sums:
            mask = self.rows(year, side)
            n = np.bincount(self.article[mask], minlength=len(self.articles))
            binding = np.bincount(self.article[mask & self.binding], minlength=len(self.articles))
            counts = summed(self.theme[mask], self.article[mask], len(self.articles))
            self._sums[year, side] = tuple(a.astype(np.min_scalar_type(a.max(initial=0))) for a in (counts, n, binding))
        return self._sums[year, side]

    @cached_property
    def kinds(self) -> tuple[list[str], np.ndarray]:
        """(names, (articles,) place there): `strata` as numbers, with `unknown` for an article of none."""
        known = strata(self.articles)
        kind, names = pd.factorize(np.array([known.get(i) or "unknown" for i in self.articles["article_id"]], object))
        return list(names), kind

    @property
    def has_kinds(self) -> bool:
        """Whether the kind of any article is known."""
        return self.kinds[0] != ["unknown"]

    @cached_property
    def shared(self) -> np.ndarray:
        """(articles, pairs): statements of each article that hold both themes, for all pairs of `codes` in order."""
        several = np.flatnonzero(self.theme.sum(axis=1, dtype=np.int64) > 1)
        theme, article = np.asfortranarray(self.theme[several]).astype(bool), self.article[several]
        pairs = list(combinations(range(len(self.codes)), 2))
        out = np.zeros((len(self.articles), len(pairs)), np.uint16)
        for place, (i, j) in enumerate(pairs):
            out[:, place] = np.bincount(article[theme[:, i] & theme[:, j]], minlength=len(out))
        return out

    def rows(self, year: int = ALL_YEARS, side: str = ALL_SIDES) -> np.ndarray:
        """(statements,) whether a statement is of the year and the side."""
        mask = np.ones(len(self.article), bool) if year == ALL_YEARS else self.year == year
        return mask if side == ALL_SIDES else mask & (self.national if side == NATIONAL_SIDE else self.bureau)

    def spread(self, rows: np.ndarray, limit: int = N_EVIDENCE) -> list[str]:
        """The identifiers of some of these statements (a mask), spread over articles: the first of each article, then
        the second."""
        rows = np.flatnonzero(rows)
        order = pd.Series(self.article[rows]).groupby(self.article[rows]).cumcount().to_numpy()
        return [str(s) for s in self.statement_id[rows[np.argsort(order, kind="stable")]][:limit]]


def more_places(regions: Sequence[str]) -> re.Pattern:
    """Finds a place named and then 等, with the number that follows, if any: 河北、深圳等多地, 天津等3局."""
    places = "|".join(re.escape(r) for r in sorted(regions, key=lambda r: (-len(r), r)) if r != NATIONAL)
    return re.compile(rf"(?:{places or chr(0)})[省市]?(?:[一-鿿]{{0,6}}局)?"
                      r"等(?:(?P<n>[0-9]{1,3}|[一二两三四五六七八九十]{1,3})[个家]?[地省市局])?")


def leaves_places_out(text: str, n_named: int, more: re.Pattern) -> bool:
    """Whether a statement that belongs to so many bureaus speaks of others that it does not name: a list of places
    ends in 等, and is not closed by the number of those named (天津、河北、深圳等3地).

    Args:
        text: the statement.
        n_named: how many regions it is attributed to; with none there is nothing to be left out of.
        more: of `more_places`.
    """
    for m in more.finditer(text) if n_named else ():
        n = m["n"] and (int(m["n"]) if m["n"].isascii() else chinese_number(m["n"]))
        if n is None or n > n_named:
            return True
    return False


def leave_places_out(texts: pa.ChunkedArray, regions: pa.ChunkedArray, more: re.Pattern) -> np.ndarray:
    """(statements,) `leaves_places_out` of a whole column; `regions` are the lists of those they are attributed to."""
    import pyarrow.compute as pc

    n_named, out = pc.list_value_length(regions), np.zeros(len(texts), bool)
    rows = np.flatnonzero(pc.and_(pc.match_substring(texts, "等"), pc.greater(n_named, 0)))
    # the pattern is read by another engine here, on what is left; few statements name a place and then 等
    rows = rows[pc.match_substring_regex(texts.take(rows), more.pattern).to_numpy()]
    out[rows] = [leaves_places_out(text, n, more)
                 for text, n in zip(texts.take(rows).to_pylist(), n_named.take(rows).to_pylist(), strict=True)]
    return out


def summed(values: np.ndarray, group: np.ndarray, n_groups: int) -> np.ndarray:
    """Sums of the rows of `values` by group; (n_groups, columns). `group` is ascending."""
    out = np.zeros((n_groups, values.shape[1]), np.int64)
    if len(group):
        starts = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
        for column in range(values.shape[1]):  # all at once they would all be copied as wide integers
            out[group[starts], column] = np.add.reduceat(values[:, column], starts, dtype=np.int64)
    return out


def _membership(column, values: Sequence[str]) -> np.ndarray:
    """(rows, values): 1 where the list of the row holds the value."""
    import pyarrow.compute as pc

    column = column.combine_chunks()
    out = np.zeros((len(column), len(values)), np.uint8)
    at = pd.Index(values).get_indexer(pc.list_flatten(column).to_pandas())
    rows = pc.list_parent_indices(column).to_numpy()
    out[rows[at >= 0], at[at >= 0]] = 1
    return out


def _items(texts: pa.Table, corpus: Corpus, likely: np.ndarray) -> pd.DataFrame:
    """The lists of the texts (text, evidence and speaker of the rows `likely` of the corpus) with their themes."""
    some = texts.to_pandas()
    found = enumerations.enumerations(zip(corpus.article[likely], likely, some["text"], strict=True))
    evidence = pd.Series(some["evidence"].to_numpy(), index=likely)
    spoken = pd.Series(some["speaker"].notna().to_numpy(), index=likely)
    found = found.assign(said=spoken.reindex(found["list"]).to_numpy(bool))
    return with_themes(found, corpus.year, [json.loads(evidence[row]) for row in found["row"]])


def with_themes(items: pd.DataFrame, years: np.ndarray, evidence: Sequence[Sequence]) -> pd.DataFrame:
    """Items of lists with their `themes` and `year`; `years` is (statements,), `evidence` for each item what was
    matched in its statement."""
    return items.assign(themes=enumerations.item_themes(items, evidence), year=years[items["row"].to_numpy(np.int64)])


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
class Coding:
    """How good the coding is at the least, by labels that were held out from whoever wrote its rules.

    Attributes:
        themes: theme → lower ends (95 %) of precision and recall.
        level: lower end of the share of statements rightly told to be national or regional.
    """

    themes: Mapping[str, tuple[float, float]]
    level: float

    @classmethod
    def of(cls, run: Run) -> Coding | None:
        """That of a build; None where no statement of it has a label that was held out."""
        from . import gold

        compared = gold.compare_build(gold.load(run.place.codebook / "gold"), run.out)
        held_out = compared[compared["part"] == "held_out"]
        if held_out.empty:
            return None
        found = gold.theme_accuracy(held_out).set_index("theme")
        level = gold.summary(held_out).query("kind == 'level' and part == 'held_out'")["low"].iloc[0]
        known = found[(found["tp"] + found["fp"] > 0) & (found["tp"] + found["fn"] > 0)]
        return cls({theme: (float(r["precision_low"]), float(r["recall_low"])) for theme, r in known.iterrows()},
                   0.0 if np.isnan(level) else float(level))

    def could_make(self, theme: str, higher: float, lower: float, nearest: float, of_levels: bool = False) -> bool:
        """Whether a difference of two shares could be one of errors alone, if the errors were as large as the labels
        allow and all on the wrong side: the higher share is too high and the lower too low.

        Args:
            theme: whose shares they are.
            higher, lower: the shares.
            nearest: the end of the interval of the difference that is nearest to zero, as a distance from it.
            of_levels: the shares are those of the national regulator and of the bureaus, which may be confused.
        """
        if theme not in self.themes:
            return True
        precision, recall = self.themes[theme]
        level = self.level if of_levels else 1.0
        made = (higher - lower) - (higher * precision * level - min(lower / max(recall * level, 1e-9), 1))
        return made >= nearest


@dataclass(frozen=True)
class View:
    """The corpus as a finding reads it; one of several ways of counting it.

    Attributes:
        corpus: what is counted.
        keep: (articles,) which of them.
        by_article: a theme counts once in an article, and an article once.
        bare: only facts are wanted of what is made from it, no evidence and no caveats.
        allowed: the facts a sentence may assert; None for all.
        failed: facts that are not allowed → the ways of counting (`robustness.Check`) in which they are not true.
        coding: how good the coding is on labels held out; None where that is not known.
    """

    corpus: Corpus
    keep: np.ndarray
    by_article: bool = False
    bare: bool = False
    allowed: frozenset | None = None
    failed: Mapping = field(default_factory=dict)
    coding: Coding | None = None

    @classmethod
    def of(cls, corpus: Corpus) -> View:
        """The ordinary view: every statement of every article."""
        return cls(corpus, np.ones(len(corpus.articles), bool))

    @cached_property
    def latest(self) -> int:
        """The latest year that any statement is of; 0 when none is known."""
        return max(self.known_years, default=0)

    @cached_property
    def known_years(self) -> list[int]:
        """The years that any statement is of, ascending."""
        pairs = self.corpus.article_years
        return sorted(set(pairs[self.keep[pairs[:, 0]], 1].tolist()) - {0})

    def articles_of(self, first: int, last: int) -> np.ndarray:
        """The rows of the articles that speak of a year from `first` to `last`, ascending."""
        article, year = self.corpus.article_years.T
        return np.unique(article[self.keep[article] & (year >= first) & (year <= last)])

    @cached_property
    def years(self) -> list[int]:
        """The years with enough statements and articles to compare shares, ascending."""
        return [y for y in self.known_years if self.size(y)[2]]

    def size(self, year: int, side: str = ALL_SIDES) -> tuple[int, int, bool]:
        """Statements and articles of a slice, and whether they are enough to compare shares."""
        n = self.corpus.small_sums(year, side)[1][self.keep]
        statements, articles = int(n.sum()), int((n > 0).sum())
        return statements, articles, statements >= MIN_STATEMENTS and articles >= MIN_ARTICLES

    def sums(self, year: int, side: str = ALL_SIDES) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As `Corpus.sums`, for the articles of this view, in its unit."""
        counts, n, binding = self.corpus.small_sums(year, side)
        some = self.keep & (n > 0)
        counts, n, binding = (part[some].astype(np.int64) for part in (counts, n, binding))
        if self.by_article:
            return np.minimum(counts, 1), np.minimum(n, 1), np.minimum(binding, 1)
        return counts, n, binding

    def may_say(self, fact: tuple) -> bool:
        """Whether a sentence may assert a fact."""
        return self.allowed is None or fact in self.allowed

    def evidence(self, rows: np.ndarray, limit: int = N_EVIDENCE) -> list[str]:
        """Some of these statements, spread over articles; none where only facts are wanted."""
        return [] if self.bare else self.corpus.spread(rows & self.keep[self.corpus.article], limit)

    def pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As `sums` for all years, with the units (statements, or articles) that hold both themes of each pair in the
        order of `itertools.combinations`: (each theme, all units, both themes), a row an article."""
        counts, n, _ = self.sums(ALL_YEARS)
        if self.by_article:
            first, second = np.triu_indices(len(self.corpus.codes), k=1)
            small = counts.astype(np.uint16)  # 0 or 1
            both = small[:, first]
            both *= small[:, second]
            return counts, n, both
        some = self.keep & (self.corpus.small_sums(ALL_YEARS)[1] > 0)
        return counts, n, self.corpus.shared if some.all() else self.corpus.shared[some]

    def shares(self, year: int, side: str = ALL_SIDES, level: float = 0.95) -> Shares:
        """Shares of all themes in a slice, with intervals that respect articles (`measures.clustered_interval`)."""
        counts, n, _ = self.sums(year, side)
        low, high = measures.clustered_interval(counts, n, level)
        total = counts.sum(axis=0)
        return Shares(total / max(n.sum(), 1), low, high, total, int(n.sum()), (counts > 0).sum(axis=0), len(n))

    def by_kind(self, year: int, side: str = ALL_SIDES) -> dict[str, tuple[float, np.ndarray]]:
        """The statements of a slice by kind of article: kind → (statements, those with each theme of `codes` and last
        those with binding wording); kinds as `strata`, `unknown` where it is not known."""
        counts, n, binding = (part[self.keep] for part in self.corpus.small_sums(year, side))
        names, kind = self.corpus.kinds
        some = np.flatnonzero(n)
        kind = kind[self.keep][some]
        size = np.bincount(kind, n[some], len(names))
        sums = np.stack([np.bincount(kind, column[some], len(names)) for column in (*counts.T, binding)], axis=1)
        return {names[i]: (size[i], sums[i]) for i in np.flatnonzero(size).tolist()}

    @cached_property
    def terms(self) -> pd.DataFrame:
        """The listed terms of the articles of this view."""
        terms = self.corpus.terms
        return terms if self.keep.all() else terms[self.keep[terms["article"].to_numpy(np.int64)]]

    @cached_property
    def items(self) -> pd.DataFrame:
        """The items of lists in the articles of this view."""
        return self.corpus.items[self.keep[self.corpus.items["article"].to_numpy(np.int64)]]


def strata(articles: pd.DataFrame) -> dict[str, str]:
    """The kind of each article, or the shape of its file where all are of one kind: what a mix of sources is made of.

    Args:
        articles: article_id, kind, source_format.
    """
    column = "kind" if articles["kind"].nunique() > 1 else "source_format"
    known = articles.dropna(subset=column)
    return dict(zip(known["article_id"], known[column], strict=True))
