"""The numbers of findings counted again, from other tables than they were made of.

Findings count statements; here the count tables of the build are read, which were summed up another way, and for lists
and for the bureaus together the texts and the statements one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from . import enumerations
from .concordance import MARKS
from .findings import MIN_WITNESSES, Finding, percent
from .model import NATIONAL
from .tables import ALL, ALL_YEARS, NONE
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
        made = set(made.loc[made["source_title"].notna(), "article_id"])
        told = self.run.table("statements", ["article_id"], [("year", "=", cell["year"])])["article_id"]
        return (number["n"], number["of"]), (sum(article in made for article in told), len(told))

    @cached_property
    def kinds(self) -> pd.DataFrame:
        """year, themes, deontic and kind (or file format) of every statement of known year."""
        articles = self.run.table("articles", ["article_id", "kind", "source_format"], [("scope", "=", "in")])
        told = self.run.table("statements", ["article_id", "year", "themes", "deontic"], [("year", ">", 0)])
        kind = articles.set_index("article_id")["kind" if articles["kind"].nunique() > 1 else "source_format"]
        return told.assign(kind=told["article_id"].map(kind).fillna("unknown"))

    def _standardised(self, number, cell):
        weights, now = self.kinds["kind"].value_counts(), self.kinds[self.kinds["year"] == cell["year"]]
        binding = now["deontic"].isin(list(self.run.names.grades)[:2])
        hits = binding if cell["theme"] == "binding" else now["themes"].map(lambda themes: cell["theme"] in themes)
        shares = hits.groupby(now["kind"]).mean()
        return number["zh"], percent((shares * weights).sum() / weights[shares.index].sum())

    def _new_terms(self, number, cell):
        new = self._new(cell["year"])
        texts = self.run.table("statements", ["text"], [("year", "=", cell["year"])])["text"]
        quoted_ = [any(m[0] + t + m[1] in text for text in texts for m in MARKS) for t in new.index]
        return cell["n"], int(((new >= MIN_WITNESSES) & np.array(quoted_, bool)).sum())

    def _term_stories(self, number, cell):
        return cell["n"], int(self._new(cell["year"]).get(cell["term"], 0))

    def _regions_of(self, year):
        single = self.terms[~self.terms["region"].isin([ALL, NONE])]
        used = set(single.loc[single["year"] == year, "term"])
        return {term: set(regions) for term, regions in single.groupby("term")["region"] if term in used}

    def _own_terms(self, number, cell):
        own = [t for t, r in self._regions_of(cell["year"]).items() if len(r) == cell["regions"] and NATIONAL not in r]
        more = more_places(list(self.run.names.regions))
        told = self.run.table("statements", ["text", "regions"])
        open_ = [leaves_places_out(t, len(r), more) for t, r in zip(told["text"], told["regions"], strict=True)]
        return cell["n"], sum(not any(t in text for text in told["text"][open_]) for t in own)

    def _term_regions(self, number, cell):
        return sorted(cell["regions"]), sorted(self._regions_of(cell["year"]).get(cell["term"], ()))

    def _regions(self, number, cell):
        single = {r for _, r in self.sizes.index} - {ALL, NONE, NATIONAL}
        return cell["n"], len(single)
