"""Findings: sentences rendered from rows of numbers, each with its evidence and with how far it can be trusted.

A finding is made by one function from a `View` of the build. The same function is run again on other views (without
reprints, by article, with each source left out …); the badge says in how many of them the claim stands. A sentence is
never typed: it is a template filled from the row, and `mismatches` fills and counts it again, by another way, before
the report is written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from . import measures
from .model import NATIONAL
from .tables import ALL, ALL_YEARS, NONE

if TYPE_CHECKING:
    from .charts import Names
    from .run import Run

MAX_EVIDENCE = 8  # statements kept with a finding; the rest are in the table `statements`
N_NAMED = 3  # themes or terms a sentence names before it says how many more there are
NOT_REGIONS = (ALL, NONE, NATIONAL)


@dataclass(frozen=True)
class View:
    """The corpus as a finding reads it; one of several ways of counting it.

    Attributes:
        label: what is special about this view, zh and en; empty for the ordinary one.
        articles: article_id, story_id, year, publisher, source_format, kind, date.
        article_themes: article_id, theme, year, region, n_statements (`all` holds the totals).
        article_terms: article_id, term, year, region, count: the listed terms.
    """

    label: dict[str, str]
    articles: pd.DataFrame
    article_themes: pd.DataFrame
    article_terms: pd.DataFrame

    @classmethod
    def of(cls, run: Run) -> View:
        """The ordinary view of a build: every statement of every article in scope."""
        articles = run.table("articles", ["article_id", "story_id", "year", "publisher", "source_format", "kind",
                                          "date", "scope"])
        return cls({"zh": "", "en": ""}, articles[articles["scope"] == "in"].drop(columns="scope"),
                   run.table("article_themes"), run.table("article_terms"))

    def only(self, keep: pd.Series, label: dict[str, str]) -> View:
        """The view of some articles alone; `keep` is a mask over `articles`."""
        ids = set(self.articles.loc[keep, "article_id"])
        return View(label, self.articles[keep], self.article_themes[self.article_themes["article_id"].isin(ids)],
                    self.article_terms[self.article_terms["article_id"].isin(ids)])

    def years(self) -> list[int]:
        """The years with enough statements and articles to speak of, ascending."""
        of_all = self.article_themes[(self.article_themes["theme"] == ALL) & (self.article_themes["region"] == ALL)]
        size = of_all.groupby("year").agg(n=("n_statements", "sum"), articles=("article_id", "nunique"))
        size = size[(size["n"] >= measures.MIN_STATEMENTS) & (size["articles"] >= measures.MIN_ARTICLES)]
        return sorted(int(y) for y in size.index if y > 0)


def variants(view: View, max_sources: int = 12) -> Iterator[View]:
    """Other ways of counting the same corpus.

    Without reprints; by article instead of statement (a theme counts once in an article); and with each of the
    `max_sources` largest publishers and each source format left out.
    """
    ordered = view.articles.sort_values(["story_id", "date", "article_id"], na_position="last")
    lead = ~ordered.duplicated("story_id")
    yield view.only(lead.reindex(view.articles.index), {"zh": "转载、重复的稿件只计一次", "en": "reprints counted once"})
    once = view.article_themes.assign(n_statements=1)
    yield replace(view, label={"zh": "按文章而不是语句计数", "en": "counted by article, not statement"}, article_themes=once)
    for column, zh, en in (("publisher", "不含{}", "without {}"), ("source_format", "不含{}形态的文件", "without {} files")):
        sizes = view.articles[column].dropna().value_counts()
        names = sorted(sizes.index, key=lambda n: (-sizes[n], n))[:max_sources]
        for name in names:
            if sizes[name] < len(view.articles):
                yield view.only(view.articles[column] != name, {"zh": zh.format(name), "en": en.format(name)})


@dataclass(frozen=True)
class Finding:
    """One sentence and the numbers it stands on.

    Attributes:
        id: stable name.
        metric: what was measured, e.g. `theme_share`.
        slice: year, region, theme, term … as far as they apply.
        value, low, high: the main number with its interval, in the unit of the metric.
        n, of: numerator and denominator in statements.
        grade: the rule that chose the wording.
        claim: the assertions the sentence makes.
        facts: all assertions of that kind that are true in the view; the claim holds in another view whose facts
            include it.
        zh, en: the sentences.
        numbers: the figures in the sentences, each with `zh`, `en`, and what it is counted from.
        evidence: statement identifiers.
        figure: stem of the figure that shows it.
        badge: how many views it stands in.
        caveat: what must be known with it, zh and en.
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
    claim: frozenset
    facts: frozenset
    zh: str
    en: str
    numbers: list[dict] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    figure: str = ""
    badge: dict = field(default_factory=dict)
    caveat: dict = field(default_factory=dict)


def percent(share: float) -> str:
    """A share as printed: 12.3%."""
    return f"{100 * share:.1f}%"


def named(items: Sequence[str], lang: str, total: int | None = None) -> str:
    """Items as a sentence lists them; with `total`, how many there are when not all are named."""
    items = list(items)
    more = (total or len(items)) - len(items)
    if lang == "zh":
        return "、".join(items) + (f"等{total}个" if more > 0 else "")
    if more > 0:
        return ", ".join(items) + f" and {more} more"
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def _number(zh: str, en: str | None = None, n: int | None = None, of: int | None = None) -> dict:
    return {"zh": zh, "en": en or zh, "n": n, "of": of}


# ------------------------------------------------------------------------------------------------- the sentences


def leading_theme(view: View, names: Names) -> Finding | None:
    """Which theme comes first in the latest year; a tie is said to be one."""
    years = view.years()
    if not years:
        return None
    year = years[-1]
    shares = theme_shares(view, year, ALL)
    if shares.empty or not shares["n"].iloc[0]:
        return None
    first = shares.iloc[0]
    # the superlative needs an interval that excludes the runner-up
    rivals = shares[(shares["high"] >= first["low"]) & (shares["theme"] != first["theme"]) & (shares["n"] > 0)]
    zh, en = (names.theme(first["theme"], lang) for lang in ("zh", "en"))
    share, of = percent(first["share"]), int(first["of"])
    numbers = [_number(share, n=int(first["n"]), of=of), _number(f"{of:,}条", f"{of:,} statements")]
    if rivals.empty:
        grade = "first"
        text = (f"{year}年说得最多的是“{zh}”：{of:,}条语句中占{share}。",
                f"In {year} “{en}” comes first: {share} of {of:,} statements.")
    else:
        grade = "among_first"
        shown = rivals["theme"].head(N_NAMED - 1).tolist()
        others = {lang: named([names.theme(t, lang) for t in shown], lang, len(rivals)) for lang in ("zh", "en")}
        if len(rivals) > len(shown):
            others["en"] = ", ".join(f"“{names.theme(t, 'en')}”" for t in shown) + f" and {len(rivals) - len(shown)} more"
        text = (f"{year}年“{zh}”占{of:,}条语句的{share}，居于前列；但与{others['zh']}主题的差距在误差之内，不能说谁居首。",
                f"In {year} “{en}” takes {share} of {of:,} statements, but is within error of {others['en']}: "
                "no theme can be called first.")
    return Finding("leading_theme", "theme_share", {"year": year, "region": ALL, "theme": first["theme"]},
                   float(first["share"]), float(first["low"]), float(first["high"]), int(first["n"]), of, grade,
                   frozenset({("top", first["theme"])}),
                   frozenset(("top", t) for t in [first["theme"], *rivals["theme"]]), *text, numbers,
                   figure="theme_prevalence")


def theme_shares(view: View, year: int, region: str) -> pd.DataFrame:
    """theme, n, of, share, low, high of one slice, largest first; intervals respect articles (`measures.clustered_interval`)."""
    cell = view.article_themes[view.article_themes["region"] == region]
    if year != ALL_YEARS:
        cell = cell[cell["year"] == year]
    table = cell.pivot_table(index="article_id", columns="theme", values="n_statements", aggfunc="sum", fill_value=0)
    themes = [t for t in table.columns if t not in (ALL, NONE)]
    if not themes:
        return pd.DataFrame(columns=["theme", "n", "of", "share", "low", "high"])
    totals = table[ALL].to_numpy(float)
    counts = table[themes].to_numpy(float)
    low, high = measures.clustered_interval(counts, totals)
    n = counts.sum(axis=0)
    frame = pd.DataFrame({"theme": themes, "n": n.astype(int), "of": int(totals.sum()), "share": n / totals.sum(),
                          "low": low, "high": high})
    return frame.sort_values(["share", "theme"], ascending=[False, True], ignore_index=True)


def changed_themes(view: View, names: Names) -> Finding | None:
    """Which themes rose and which fell between the first and the last year with enough material."""
    years = view.years()
    if len(years) < 2:
        return None
    first, last = years[0], years[-1]
    frame = view.article_themes[view.article_themes["region"] == ALL]
    trends = measures.trends(frame, [(first, last)])
    rose, fell = (trends[trends["grade"].isin(g)].sort_values(["difference", "theme"], ascending=a)
                  for g, a in ((["rose"], False), (["fell"], True)))
    n_from, n_to = int(trends["n_statements_from"].iloc[0]), int(trends["n_statements_to"].iloc[0])
    numbers = [_number(f"{n_from:,}条", f"{n_from:,}"), _number(f"{n_to:,}条", f"{n_to:,}")]

    def side(rows, lang):
        shown = []
        for r in rows.head(N_NAMED).itertuples():
            name, a, b = names.theme(r.theme, lang), percent(r.share_from), percent(r.share_to)
            shown.append(f"“{name}”由{a}到{b}" if lang == "zh" else f"“{name}” from {a} to {b}")
            if lang == "zh":
                numbers.extend([_number(a, n=int(r.n_from), of=n_from), _number(b, n=int(r.n_to), of=n_to)])
        rest = len(rows) - len(shown)
        if lang == "zh":
            return "，".join(shown) + (f"，另有{rest}个主题" if rest > 0 else "")
        return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")

    basis = (f"（两年分别有{n_from:,}条和{n_to:,}条语句）", f" ({n_from:,} and {n_to:,} statements)")
    if rose.empty and fell.empty:
        text = (f"{first}年到{last}年，没有哪个主题的占比有明确变化{basis[0]}。",
                f"From {first} to {last} no theme’s share clearly changed{basis[1]}.")
    else:
        parts = {lang: [] for lang in ("zh", "en")}
        for rows, zh, en in ((rose, "占比上升的有", "rose"), (fell, "下降的有", "fell")):
            if len(rows):
                parts["zh"].append(f"{zh}{side(rows, 'zh')}")
                parts["en"].append(f"{side(rows, 'en')} {en}")
        text = (f"{first}年到{last}年，{'；'.join(parts['zh'])}{basis[0]}。",
                f"Between {first} and {last}, {'; '.join(parts['en'])}{basis[1]}.")
    top = (rose if len(rose) else fell if len(fell) else trends).iloc[0]
    return Finding("changed_themes", "theme_share_difference", {"year_from": first, "year_to": last, "region": ALL,
                                                                "theme": top["theme"]},
                   float(top["difference"]), float(top["low95"]), float(top["high95"]), int(top["n_to"]), n_to,
                   str(top["grade"]),
                   frozenset([("up", t) for t in rose["theme"].head(N_NAMED)]
                             + [("down", t) for t in fell["theme"].head(N_NAMED)]),
                   frozenset((("up" if r.difference > 0 else "down"), r.theme) for r in trends.itertuples()
                             if r.grade in ("rose", "probably_rose", "fell", "probably_fell")),
                   *text, numbers, figure="theme_change",
                   caveat=_mix_caveat(view, names, (first, last), [*rose["theme"], *fell["theme"]]))


def _mix_caveat(view: View, names: Names, years: tuple[int, int], themes: list[str]) -> dict:
    """What must be said when a change comes with a change in the kinds of articles; empty when nothing need be."""
    column = "kind" if view.articles["kind"].nunique() > 1 else "source_format"
    strata = view.articles.dropna(subset=column).set_index("article_id")[column].to_dict()
    if not themes or not strata:
        return {}
    frame = view.article_themes[view.article_themes["region"] == ALL]
    warned = measures.mix_warning(frame, strata, [years], themes=themes)
    if (warned["warning"] == "no_common_ground").all():
        return measures.MIX_WARNINGS["no_common_ground"]
    made = [t for t in themes if t in set(warned.loc[warned["warning"] == "mix_makes_it", "theme"])]
    if not made:
        return {}
    word = {"kind": ("文章类别", "kinds of articles"), "source_format": ("文件形态", "shapes of files")}[column]
    shown = {lang: named([f"“{names.theme(t, lang)}”" for t in made[:N_NAMED]], lang, len(made)) for lang in ("zh", "en")}
    return {"zh": f"两年材料的{word[0]}构成不同；把构成拉平后，{shown['zh']}的变化消失、减半或反向，可能只是材料变了。",
            "en": f"The two years hold different {word[1]}. With the mix held still, the change of {shown['en']} vanishes, "
                  "halves or turns round: the material may have changed, not the priorities."}


def national_and_regional(view: View, names: Names) -> Finding | None:
    """What the national regulator says more of than the bureaus, and what they say more of."""
    frame = view.article_themes
    national = frame[frame["region"] == NATIONAL]
    bureaus = frame[~frame["region"].isin(NOT_REGIONS)]
    sides = []
    for part in (national, bureaus):
        table = part.pivot_table(index="article_id", columns="theme", values="n_statements", aggfunc="sum", fill_value=0)
        if len(table) < measures.MIN_ARTICLES or ALL not in table or \
                table[ALL].sum() < measures.MIN_STATEMENTS:
            return None
        sides.append(table)
    themes = sorted((set(sides[0]) | set(sides[1])) - {ALL, NONE})
    rows = []
    for table in sides:
        counts = table.reindex(columns=themes, fill_value=0).to_numpy(float)
        totals = table[ALL].to_numpy(float)
        low, high = measures.clustered_interval(counts, totals)
        rows.append((counts.sum(axis=0) / totals.sum(), low, high, counts.sum(axis=0), totals.sum()))
    difference, low, high = measures.share_difference(rows[1][0], rows[1][1], rows[1][2], rows[0][0], rows[0][1],
                                                      rows[0][2])
    clear = pd.DataFrame({"theme": themes, "difference": difference, "low": low, "high": high,
                          "national": rows[0][0], "regional": rows[1][0], "n": rows[0][3], "n_regional": rows[1][3]})
    of, of_regional = int(rows[0][4]), int(rows[1][4])
    up = clear[clear["low"] > 0].sort_values(["difference", "theme"], ascending=[False, True])
    down = clear[clear["high"] < 0].sort_values(["difference", "theme"])
    numbers: list[dict] = []

    def side(row, lang):
        a, b = percent(row["national"]), percent(row["regional"])
        if lang == "zh":
            numbers.extend([_number(a, n=int(row["n"]), of=of), _number(b, n=int(row["n_regional"]), of=of_regional)])
            return f"“{names.theme(row['theme'], 'zh')}”（{a}对{b}）"
        return f"“{names.theme(row['theme'], 'en')}” ({a} against {b})"

    if up.empty and down.empty:
        text = ("总局与地方局的主题占比没有明确差别。", "No theme’s share clearly differs between the national regulator and the bureaus.")
    else:
        zh, en = [], []
        if len(up):
            zh.append(f"总局比地方局更多谈{side(up.iloc[0], 'zh')}")
            en.append(f"the national regulator speaks more of {side(up.iloc[0], 'en')}")
        if len(down):
            zh.append(f"{'地方局更多谈' if len(up) else '地方局比总局更多谈'}{side(down.iloc[0], 'zh')}")
            en.append(f"the bureaus more of {side(down.iloc[0], 'en')}")
        en_text = ", ".join(en)
        note = ("；括号内前为总局，后为地方局" if len(zh) else "")
        text = ("，".join(zh) + note + "。", en_text[0].upper() + en_text[1:] + "; the national share stands first.")
    top = (up if len(up) else down if len(down) else clear).iloc[0]
    return Finding("national_and_regional", "theme_share_difference", {"year": ALL_YEARS, "region": NATIONAL,
                                                                       "theme": top["theme"]},
                   float(top["difference"]), float(top["low"]), float(top["high"]), int(top["n"]), of,
                   "differs" if len(up) or len(down) else "no_clear_difference",
                   frozenset([("national", t) for t in up["theme"].head(1)]
                             + [("regional", t) for t in down["theme"].head(1)]),
                   frozenset([("national", t) for t in up["theme"]] + [("regional", t) for t in down["theme"]]),
                   *text, numbers,
                   figure="theme_region")


def closest_pair(view: View, names: Names, pairs: pd.DataFrame) -> Finding | None:
    """The pair of themes that go together most, against chance."""
    frame = measures.cooccurrence(pairs[(pairs["year"] == ALL_YEARS) & (pairs["region"] == ALL)])
    frame = frame[frame["supported"] & (frame["q_more"] < 0.05)]
    if frame.empty:
        return None
    row = frame.sort_values(["npmi", "theme_a"], ascending=[False, True]).iloc[0]
    n, of = int(row["n_both"]), int(row["n_statements"])
    times = f"{row['ratio']:.1f}倍"
    zh, en = ([names.theme(row[t], lang) for t in ("theme_a", "theme_b")] for lang in ("zh", "en"))
    numbers = [_number(f"{n:,}条", f"{n:,} statements", n=n, of=of), _number(times, f"{row['ratio']:.1f} times")]
    return Finding("closest_pair", "cooccurrence_npmi", {"year": ALL_YEARS, "region": ALL, "theme": row["theme_a"],
                                                         "other": row["theme_b"]},
                   float(row["npmi"]), None, None, n, of, "together", frozenset(), frozenset(),
                   f"“{zh[0]}”与“{zh[1]}”结合最紧：同在{n:,}条语句里出现，是两者互不相干时应有条数的{times}。",
                   f"“{en[0]}” and “{en[1]}” go together most: in {n:,} statements, {row['ratio']:.1f} times as many as "
                   "if they had nothing to do with each other.", numbers, figure="cooccurrence_matrix")


def covered_regions(view: View, names: Names) -> Finding | None:
    """How many of the bureaus have any statement, and which have none."""
    seen = set(view.article_themes["region"]) - set(NOT_REGIONS)
    regions = [r for r in names.regions if r not in NOT_REGIONS]
    missing = [r for r in regions if r not in seen]
    n, of = len(regions) - len(missing), len(regions)
    numbers = [_number(f"{n}个", f"{n} of", n=n, of=of)]
    if not missing:
        text = (f"{of}个省级监管局都有语句可查，共{n}个。", f"All regional bureaus have statements here: {n} of {of}.")
    else:
        shown = missing if len(missing) <= 9 else missing[:9]
        zh = "、".join(shown) + (f"等{len(missing)}个" if len(missing) > len(shown) else "")
        en = named([names.region(r, "en") for r in shown], "en", len(missing))
        text = (f"材料只涉及{of}个省级监管局中的{n}个；{zh}没有任何语句，以下各图不能说明这些地方的情况。",
                f"The material covers {n} of {of} regional bureaus; nothing is known here about {en}.")
    return Finding("covered_regions", "regions_covered", {"year": ALL_YEARS}, float(n), None, None, n, of, "count",
                   frozenset(), frozenset(), *text, numbers, figure="coverage")


def local_wording(view: View, names: Names, terms: Iterable[str]) -> Finding | None:
    """Listed terms that in the latest year one bureau alone uses."""
    # who uses a word needs no share and so no minimum of statements
    years = sorted(int(y) for y in view.article_terms["year"].unique() if y > 0)
    if not years:
        return None
    uses = term_regions(view, years[-1], terms)
    alone = uses[(uses["n_regions"] == 1) & ~uses["national"].astype(bool)]
    if alone.empty:
        return None
    shown = alone.head(4)
    zh = "，".join(f"“{r.term}”只见于{r.regions[0]}" for r in shown.itertuples())
    en = ", ".join(f"“{r.term}” only in {names.region(r.regions[0], 'en')}" for r in shown.itertuples())
    n = len(alone)
    return Finding("local_wording", "terms_of_one_region", {"year": years[-1]}, float(n), None, None, n, len(uses),
                   "count", *(frozenset((r.term, r.regions[0]) for r in f.itertuples()) for f in (shown, alone)),
                   f"{years[-1]}年有{n}个词表所列的提法，总局没有用，材料中只有一个地方局用：{zh}。",
                   f"In {years[-1]} {n} listed terms are used by a single bureau and not by the national regulator: {en}.",
                   [_number(f"{n}个", f"{n} listed", n=n, of=len(uses))], figure="")


def term_regions(view: View, year: int, terms: Iterable[str]) -> pd.DataFrame:
    """term, n (occurrences), regions (those that use it, sorted), n_regions, national (bool): listed terms of a year,
    the rarest first, longer terms before shorter ones."""
    wanted = set(terms)
    part = view.article_terms[(view.article_terms["year"] == year) & view.article_terms["term"].isin(wanted)]
    rows = []
    for term, group in part.groupby("term"):
        regions = sorted(set(group["region"]) - set(NOT_REGIONS))
        rows.append((term, int(group.loc[group["region"] == ALL, "count"].sum()), regions, len(regions),
                     NATIONAL in set(group["region"])))
    frame = pd.DataFrame(rows, columns=["term", "n", "regions", "n_regions", "national"])
    frame = frame.assign(length=-frame["term"].str.len().astype(int)).sort_values(
        ["n_regions", "national", "length", "term"], ignore_index=True)
    return frame.drop(columns="length")


def binding_wording(view: View, names: Names, deontic: pd.DataFrame, grades: Sequence[str]) -> Finding | None:
    """How much of the wording binds, in the latest year."""
    years = view.years()
    part = deontic[(deontic["theme"] == ALL) & (deontic["region"] == ALL)]
    if not years or part.empty:
        return None
    year = years[-1]
    part = part[part["year"] == year].set_index("deontic")["n_statements"]
    of = int(part.sum())
    n = int(part.reindex(list(grades)).fillna(0).sum())
    low, high = (float(x) for x in measures.wilson_interval(n, of))
    share, span = percent(n / of), f"{percent(low)}—{percent(high)}"
    return Finding("binding_wording", "binding_share", {"year": year, "region": ALL}, n / of, low, high, n, of, "share",
                   frozenset(), frozenset(),
                   f"{year}年{of:,}条语句中，{share}用了“必须”“要”“严禁”一类有约束力的措辞（95%区间{span}）。",
                   f"In {year}, {share} of {of:,} statements use binding wording such as must or must not (95% interval "
                   f"{percent(low)}–{percent(high)}).", [_number(share, n=n, of=of)], figure="deontic_strength")


# ----------------------------------------------------------------------------------------- all of them, with badges


def all_findings(run: Run, names: Names) -> list[Finding]:
    """The findings of a build in the order of the report, with badges and evidence."""
    view = View.of(run)
    pairs = run.table("theme_pairs")
    deontic = run.table("deontic_counts")
    from .terms import read_words

    terms = read_words(run.place.codebook / "terms.txt")
    binding = [g for g in names.grades][:2]
    makers: list[Callable[[View], Finding | None]] = [
        lambda v: leading_theme(v, names), lambda v: changed_themes(v, names),
        lambda v: national_and_regional(v, names), lambda v: local_wording(v, names, terms)]
    single: list[Callable[[View], Finding | None]] = [
        lambda v: closest_pair(v, names, pairs), lambda v: binding_wording(v, names, deontic, binding),
        lambda v: covered_regions(v, names)]
    others = list(variants(view))
    found = []
    for make in makers:
        finding = make(view)
        if finding is not None:
            checks = []
            for other in others:
                again = make(other)
                if again is not None:
                    checks.append({**other.label, "holds": finding.claim <= again.facts})
            found.append(replace(finding, badge={"holds": sum(c["holds"] for c in checks), "of": len(checks),
                                                 "checks": checks}))
    found += [f for f in (make(view) for make in single) if f is not None]
    return [replace(f, evidence=evidence_of(run, f)) for f in found]


def evidence_of(run: Run, finding: Finding, limit: int = MAX_EVIDENCE) -> list[str]:
    """Identifiers of statements behind a finding: those of its year, theme and region, spread over articles."""
    cut = finding.slice
    if "theme" not in cut:
        return []
    year = cut.get("year", cut.get("year_to", ALL_YEARS))
    filters = [("year", "=", year)] if year > 0 else None
    frame = run.table("statements", ["statement_id", "article_id", "themes", "regions"], filters)
    wanted = {cut["theme"], *([cut["other"]] if "other" in cut else [])}
    region = cut.get("region", ALL)
    keep = [wanted <= set(t) and (region == ALL or region in r)
            for t, r in zip(frame["themes"], frame["regions"], strict=True)]
    frame = frame[keep].sort_values("statement_id")
    order = frame.groupby("article_id").cumcount()
    return frame.assign(order=order).sort_values(["order", "statement_id"])["statement_id"].head(limit).tolist()


def as_frame(findings: Sequence[Finding]) -> pd.DataFrame:
    """The ledger: one row a finding; lists and mappings as JSON."""
    def text(value):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)

    return pd.DataFrame([{
        "id": f.id, "metric": f.metric, "slice": text(f.slice), "value": f.value, "low": f.low, "high": f.high,
        "n": f.n, "of": f.of, "grade": f.grade, "claim": text(sorted(f.claim)), "zh": f.zh, "en": f.en,
        "numbers": text(f.numbers), "evidence": text(f.evidence), "figure": f.figure, "badge": text(f.badge), "caveat": text(f.caveat)}
        for f in findings])


def as_rows(findings: Sequence[Finding]) -> list[dict]:
    """The findings as `display.findings` shows them."""
    return [{"id": f.id, "zh": f.zh, "en": f.en, "numbers": f.numbers, "evidence": f.evidence, "badge": f.badge or None,
             "caveat": f.caveat or None, "figure": f.figure or None} for f in findings]


def number_ledger(findings: Sequence[Finding]) -> pd.DataFrame:
    """One row for each figure printed in a finding: finding, number zh and en, numerator, denominator."""
    return pd.DataFrame([{"finding": f.id, "zh": x["zh"], "en": x["en"], "n": x["n"], "of": x["of"]}
                         for f in findings for x in f.numbers], columns=["finding", "zh", "en", "n", "of"])


def mismatches(findings: Sequence[Finding], run: Run) -> list[str]:
    """What is wrong with the findings, in words; empty when prose and data agree.

    Counts each finding's numerator and denominator again straight from the table of statements, by another way than
    it was made, and looks for every number in its sentences.
    """
    problems = []
    statements = run.table("statements", ["year", "regions", "themes"])
    years = statements["year"].fillna(0).astype(int).to_numpy()
    for f in findings:
        for number in f.numbers:
            for lang in ("zh", "en"):
                if number[lang] not in getattr(f, lang):
                    problems.append(f"{f.id}: “{number[lang]}” does not stand in “{getattr(f, lang)}”")
            if number["n"] is not None and number["zh"].endswith("%") and percent(number["n"] / number["of"]) != number["zh"]:
                problems.append(f"{f.id}: {number['zh']} is not {number['n']} of {number['of']}")
        if f.metric in ("theme_share", "theme_share_difference", "cooccurrence_npmi"):
            year = f.slice.get("year", f.slice.get("year_to", ALL_YEARS))
            region = f.slice.get("region", ALL)
            inside = (years == year) if year > 0 else np.ones(len(years), bool)
            if region != ALL:
                inside = inside & np.array([region in r for r in statements["regions"]])
            wanted = {f.slice["theme"], *([f.slice["other"]] if "other" in f.slice else [])}
            n = sum(wanted <= set(t) for t in statements["themes"][inside])
            if (n, int(inside.sum())) != (f.n, f.of):
                problems.append(f"{f.id}: says {f.n} of {f.of}, the statements say {n} of {int(inside.sum())}")
        if f.value is not None and f.low is not None and not f.low <= f.value <= f.high:
            problems.append(f"{f.id}: its value lies outside its interval")
    return problems
