"""The numbers of findings counted again, from other tables than they were made of.

Findings count statements; here the count tables of the build are read, which were summed up another way, and for lists
and for the bureaus together the texts and the statements one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow.compute as pc

from . import enumerations
from .concordance import MARKS
from .findings import MIN_WITNESSES, Finding, percent
from .model import NATIONAL
from .tables import ALL, ALL_YEARS, NONE, UNKNOWN_YEAR, read_parts
from .views import BUREAUS, NATIONAL_SIDE, leaves_places_out, more_places

if TYPE_CHECKING:
    from .run import Run


def mismatches(findings: Sequence[Finding], run: Run) -> list[str]:
    """What is wrong with the findings, in words; empty when prose and data agree.

    Looks for every number in its sentences, computes percentages from their parts, and counts each number again from
    the count tables of the build (or, for lists and for the bureaus together, from the texts and statements), which is
    another way than it was made.
    """
    recount = Recount(run)
    problems = []
    for f in findings:
        places = [(x, {"zh": f.zh, "en": f.en}) for x in f.numbers] + [(x, f.caveat) for x in f.caveat_numbers]
        for x, told in places:
            for lang in ("zh", "en"):
                if x[lang] not in told.get(lang, ""):
                    problems.append(f"{f.id}: “{x[lang]}” does not stand in “{told.get(lang, '')}”")
            if x["n"] is not None and x["of"] and x["zh"].endswith("%") and percent(x["n"] / x["of"]) != x["zh"]:
                problems.append(f"{f.id}: {x['zh']} is not {x['n']} of {x['of']}")
            said, counted = recount(x)
            if said != counted:
                problems.append(f"{f.id}: “{x['zh']}” says {said}, the tables say {counted}")
        if f.value is not None and f.low is not None and not f.low <= f.value <= f.high:
            problems.append(f"{f.id}: its value lies outside its interval")
    return problems


class Recount:
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
        frame = self.run.table("slices", ["year", "region", "n_statements"])
        return frame.set_index(["year", "region"])["n_statements"]

    @cached_property
    def bureaus(self) -> tuple[pd.Series, pd.Series]:
        """Statements of any bureau: (by year, by theme and year)."""
        regions = self.run.table("statements", ["year", "regions"], explode="regions", categories=["regions"])
        named = regions["regions"].notna() & (regions["regions"] != NATIONAL)
        years = regions.loc[named, "year"].fillna(UNKNOWN_YEAR).groupby(level=0).first()
        themes = self.run.table("statements", ["themes"], explode="themes", categories=["themes"])["themes"]
        themes = themes[themes.index.isin(years.index)].dropna()
        by_theme = pd.DataFrame({"theme": themes, "year": years.reindex(themes.index)})
        return years.value_counts(), by_theme.groupby(["theme", "year"], observed=True).size()

    @cached_property
    def terms(self) -> pd.DataFrame:
        listed_terms = self.run.table("article_terms", ["term"], categories=["term"])["term"].cat.categories
        frame = self.run.table("term_counts", ["term", "year", "region", "n_stories"])
        return frame[frame["term"].isin(listed_terms) & (frame["year"] > 0)]

    def _theme(self, number, cell):
        if cell["side"] == BUREAUS:
            sizes, themes = self.bureaus
            years = list(sizes.index) if cell["year"] == ALL_YEARS else [cell["year"]]
            return (number["n"], number["of"]), tuple(sum(int(counts.get(key, 0)) for key in keys) for counts, keys in (
                (themes, [(cell["theme"], year) for year in years]), (sizes, years)))
        region = NATIONAL if cell["side"] == NATIONAL_SIDE else ALL
        return (number["n"], number["of"]), (int(self.themes.get((cell["theme"], cell["year"], region), 0)),
                                             int(self.sizes[cell["year"], region]))

    def _size(self, number, cell):
        return cell["n"], int(self.sizes[cell["year"], ALL])

    def _binding(self, number, cell):
        frame = self.run.table("deontic_counts", filters=[("year", "=", cell["year"]), ("region", "=", ALL),
                                                          ("theme", "=", ALL)])
        binding = frame["deontic"].isin(list(self.run.names.grades)[:2])
        n = frame.loc[binding, "n_statements"].sum()
        return (number["n"], number["of"]), (int(n), int(frame["n_statements"].sum()))

    def _one_pair(self, cell):
        a, b = sorted((cell["a"], cell["b"]))
        return self.run.table("theme_pairs", filters=[("theme_a", "=", a), ("theme_b", "=", b),
                                                      ("year", "=", ALL_YEARS), ("region", "=", ALL)]).iloc[0]

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

    def _digests(self, number, cell):
        made = self.run.table("articles", ["article_id", "source_title"], [("scope", "=", "in")])
        made = made.loc[made["source_title"].notna(), "article_id"]
        told = self.run.table("statements", ["article_id"], [("year", "=", cell["year"])], categories=["article_id"])
        return (number["n"], number["of"]), (int(told["article_id"].isin(made).sum()), len(told))

    @cached_property
    def kinds(self) -> pd.DataFrame:
        """year, deontic and kind (or file format) of every statement of known year; the index is its place among
        these."""
        articles = self.run.table("articles", ["article_id", "kind", "source_format"], [("scope", "=", "in")])
        told = self.run.table("statements", ["article_id", "year", "deontic"], [("year", ">", 0)],
                              categories=["article_id", "deontic"])
        kind = articles.set_index("article_id")["kind" if articles["kind"].nunique() > 1 else "source_format"]
        own = told.pop("article_id").cat
        kind = kind.reindex(own.categories).fillna("unknown").astype("category")
        return told.assign(kind=pd.Categorical.from_codes(kind.cat.codes.to_numpy()[own.codes], kind.cat.categories))

    @cached_property
    def themes_of_kinds(self) -> pd.Series:
        """The themes of the statements of `kinds`, a row for each, under the same index."""
        return self.run.table("statements", ["themes"], [("year", ">", 0)], explode="themes",
                              categories=["themes"])["themes"]

    def _standardised(self, number, cell):
        weights, now = self.kinds["kind"].value_counts(), self.kinds[self.kinds["year"] == cell["year"]]
        hits = now["deontic"].isin(list(self.run.names.grades)[:2])
        if cell["theme"] != "binding":
            having = self.themes_of_kinds.index[self.themes_of_kinds == cell["theme"]]
            hits = pd.Series(now.index.isin(having), now.index)
        shares = hits.groupby(now["kind"], observed=True).mean()
        return number["zh"], percent((shares * weights).sum() / weights[shares.index].sum())

    def _new_terms(self, number, cell):
        new, quoted_ = self._new(cell["year"]), set()
        for part in read_parts(self.run.out, "statements", ["text"], [("year", "=", cell["year"])]):
            texts = "\n".join(part["text"].to_pylist())
            quoted_ |= {t for t in new.index if any(m[0] + t + m[1] in texts for m in MARKS)}
        return cell["n"], int(((new >= MIN_WITNESSES) & new.index.isin(quoted_)).sum())

    def _term_stories(self, number, cell):
        return cell["n"], int(self._new(cell["year"]).get(cell["term"], 0))

    def _regions_of(self, year):
        single = self.terms[~self.terms["region"].isin([ALL, NONE])]
        used = set(single.loc[single["year"] == year, "term"])
        return {term: set(regions) for term, regions in single.groupby("term")["region"] if term in used}

    def _own_terms(self, number, cell):
        own = [t for t, r in self._regions_of(cell["year"]).items() if len(r) == cell["regions"] and NATIONAL not in r]
        more = more_places(list(self.run.names.regions))
        open_: set[str] = set()
        for part in read_parts(self.run.out, "statements", ["text", "regions"]):
            sizes = pc.list_value_length(part["regions"]).to_pylist()
            texts = [text for text, n in zip(part["text"].to_pylist(), sizes, strict=True)
                     if "等" in text and leaves_places_out(text, n, more)]
            open_ |= {t for t in own if any(t in text for text in texts)}
        return cell["n"], len(own) - len(open_)

    def _term_regions(self, number, cell):
        return sorted(cell["regions"]), sorted(self._regions_of(cell["year"]).get(cell["term"], ()))

    def _regions(self, number, cell):
        single = {r for _, r in self.sizes.index} - {ALL, NONE, NATIONAL}
        return cell["n"], len(single)
