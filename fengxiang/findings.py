"""Findings: sentences rendered from rows of numbers, each with its evidence and with how far it can be trusted.

A finding is made by one function from a `View` of the corpus. The same function is run again on other views (see
`robustness`); the badge says in how many of them the claim stands, and of several things that could be said only those
that stand in all of them are. A sentence is never typed: it is a template filled from the row, and `mismatches` counts
its numbers again, from other tables than it was made of, before the report is written. Where there is too little
material the sentence says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import special

from . import measures
from .columns import FORMATS
from .measures import MIN_ARTICLES, MIN_STATEMENTS, MIN_SUPPORT
from .model import NATIONAL
from .tables import ALL, ALL_YEARS, NONE, read_parts
from .views import ALL_SIDES, BUREAUS, N_EVIDENCE, NATIONAL_SIDE, Coding, Corpus, Shares, View

if TYPE_CHECKING:
    from .charts import Names
    from .run import Run

N_NAMED = 3  # themes or terms a sentence names before it says how many more there are
MIN_BUREAUS = 5  # bureaus that must use listed terms in a year before one of them is said to have a term to itself
MIN_WITNESSES = 3  # articles that must use a term before it is called new, or hold a theme before a side has it
MIN_COMMON = 0.5  # part of the mix of all years that a year's kinds of articles must stand for, to hold the mix still
MIN_DIGESTS = 0.1  # part of the statements that must stand in digests for wording to be doubted
MAX_Q = 0.1  # share of false alarms tolerated among the changes that a headline may name
RULES = {
    "zh": "年份指文章所谈的工作年度，不是发表的年份。主要发现里所说的变化须过四关："
          f"95%区间不含0；在全部主题中校正多重比较后q不超过{MAX_Q}；"
          "拉平两年的文章构成后仍在；换用其他统计口径后仍在。“最多”“最紧”一类的说法，只在区间排除第二名时使用。新提法须见于至少"
          f"{MIN_WITNESSES}篇稿件。材料不足{MIN_STATEMENTS}条语句或{MIN_ARTICLES}篇文章的年份不比较占比。",
    "en": "Years are the work years that articles speak of, not those of publication. "
          "A change named in the findings has passed four tests: its 95% interval leaves out zero; q is at most "
          f"{MAX_Q} after correction over all themes; it remains when the mix of kinds of articles is held still; it "
          "remains in every other way of counting. A superlative is used only where the interval excludes the "
          f"runner-up. New wording stands in at least {MIN_WITNESSES} stories. Shares are not compared in years with "
          f"fewer than {MIN_STATEMENTS} statements or {MIN_ARTICLES} articles.",
}
"""The rules by which headlines are worded, as the report prints them."""


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
        caveat_numbers: the figures in the caveat, like `numbers`.
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
    caveat_numbers: list[dict] = field(default_factory=list)


def percent(share: float) -> str:
    """A share as printed: 12.3%."""
    return f"{100 * share:.1f}%"


def quoted(items: Iterable[str], lang: str) -> str:
    """Names in quotation marks as a sentence lists them; between the marks Chinese needs no comma."""
    items = [f"“{item}”" for item in items]
    if lang == "zh":
        return "".join(items)
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def _mark(term: str) -> str:
    """A term in quotation marks; marks within it become inner ones."""
    return f"“{term.replace('“', '‘').replace('”', '’')}”"


def _gloss(names: Names, term: str) -> str:
    """The English name of a term as it stands in brackets before something else; nothing where it has none."""
    return f"{names.terms[term]}; " if term in names.terms else ""


def listed(items: Sequence[str], lang: str, total: int | None = None) -> str:
    """Items as a sentence lists them; with `total`, how many there are when not all are named."""
    items = list(items)
    more = (total or len(items)) - len(items)
    if lang == "zh":
        return "、".join(items) + (f"等{total}个" if more > 0 else "")
    if more > 0:
        return ", ".join(items) + f" and {more} more"
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


DEFINITIONS = {
    "theme": ("含该主题的语句占全部语句的份额", "statements with the theme, of all statements"),
    "size": ("这一年度的全部语句", "all statements on the work of that year"),
    "standardised": ("把文章类别的构成拉平到各年合计之后的占比",
                     "the share with the kinds of articles held as they are in all years together"),
    "list": ("这份清单分条列出的重点", "points that the list sets out"),
    "new_terms": (f"首次出现、加引号且至少见于{MIN_WITNESSES}篇稿件的提法",
                  f"quoted terms that are new to the material and in {MIN_WITNESSES} stories or more"),
    "term_stories": ("用到它的稿件，占该工作年度全部稿件（转载合并后）",
                     "stories that use it, of all stories of the work year (reprints merged)"),
    "own_terms": ("词表所列、历年只有一个地方局用过的提法",
                  "listed terms that one bureau alone uses, in any year"),
    "term_regions": ("历年有语句用过这一提法的地方局", "the bureaus whose statements use it, in any year"),
    "pair": ("同时含两个主题的语句，占全部语句", "statements that hold both themes, of all statements"),
    "pair_ratio": ("同句条数除以两者互不相干时应有的条数", "shared statements over what chance would give"),
    "binding": ("用了最强两级措辞的语句，占该年度全部语句",
                "statements with wording of the two strongest grades, of all statements of the work year"),
    "digests": ("出自摘编的语句，占该年度全部语句",
                "statements taken from digests, of all statements of the work year"),
    "regions": ("至少有一条语句归给它的地区，占编码本所列地区",
                "regions that any statement is attributed to, of those of the codebook"),
}
"""What a number counts, by what its cell names: zh and en."""


def _number(zh: str, en: str | None = None, *, cell: dict, n: int | None = None, of: int | None = None,
            evidence: Sequence[str] = ()) -> dict:
    """A number of a sentence; `cell` says what it counts and where."""
    return {"zh": zh, "en": en or zh, "n": n, "of": of, "cell": cell, "evidence": list(evidence),
            "definition": dict(zip(("zh", "en"), DEFINITIONS[cell["what"]], strict=True))}


def _union(numbers: Sequence[dict], limit: int = 12) -> list[str]:
    """The evidence of several numbers, first of each, then second …, once each."""
    longest = max((len(x["evidence"]) for x in numbers), default=0)
    ordered = (x["evidence"][i] for i in range(longest) for x in numbers if i < len(x["evidence"]))
    return list(dict.fromkeys(ordered))[:limit]


def _share_number(view: View, theme: int, shares: Shares, year: int, side: str = ALL_SIDES) -> dict:
    """The share of one theme in a slice, as a number of a sentence."""
    corpus = view.corpus
    share = percent(shares.share[theme])
    return _number(share, n=int(shares.n[theme]), of=shares.of,
                   cell={"what": "theme", "theme": corpus.codes[theme], "year": year, "side": side},
                   evidence=view.evidence(corpus.rows(year, side) & corpus.theme[:, theme].astype(bool)))


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


def _only(facts: Iterable[tuple]) -> Finding:
    """The facts of a view of which nothing is told."""
    return Finding("", "", {}, None, None, None, 0, 0, "", "", "", facts=frozenset(facts))


def _stories(n: int) -> str:
    return f"{n:,} {'story' if n == 1 else 'stories'}"


def _many(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


# --------------------------------------------------------------------------------------------------- the sentences


def listed_first(view: View, names: Names) -> Finding:
    """What the lists of the latest year put first. Regulators name their tasks in the order of their weight; a list
    that none of them is found to speak is told as its writer's, with a caution."""
    year = view.latest
    items = view.items[view.items["year"] == year]
    known = items.groupby("list")["themes"].agg(lambda themes: np.mean([bool(t) for t in themes]))
    items = items[items["list"].isin(known.index[known > 0.5])]
    if items.empty:
        zh, en = (f"{year}年的材料里没有分条列出三项以上重点的清单，看不出排序。",
                  f"No list of three or more tasks stands in the material of {year}: there is no order to read.")
        if not year:
            zh, en = ("没有一条语句的年份可考，看不出各年清单的排序。",
                      "No statement’s year is known, so there are no lists of a year to read.")
        return _too_little("listed_first", "list_order", {"year": year}, zh, en)
    lists = [part.sort_values("rank") for _, part in items.groupby("list", sort=True)]
    longest = max(lists, key=lambda p: (len(p), len({t for ts in p["themes"] for t in ts}), -p["list"].iloc[0]))
    order = longest["themes"].tolist()
    n_first = sum(bool(set(part["themes"].iloc[0]) & set(order[0])) for part in lists)
    none = {"zh": "（不归入任何主题）", "en": "(no theme)"}
    own = bool(longest["said"].iloc[0])
    unit = "条" if own else "点"
    steps = {lang: [quoted([names.theme(t, lang) for t in themes], lang) if themes else none[lang] for themes in order]
             for lang in ("zh", "en")}
    corpus, n, k = view.corpus, len(lists), len(order)
    evidence = [str(s) for s in corpus.statement_id[longest["row"].to_numpy(np.int64)]]
    numbers = [_number(f"{k}{unit}", f"{k} points", cell={
        "what": "list", "article": str(corpus.articles["article_id"][longest["article"].iloc[0]]),
        "statement": evidence[0], "style": str(longest["style"].iloc[0]), "n": k}, evidence=evidence)]
    heading = {"zh": f"{year}年的清单以{steps['zh'][0]}打头", "en": f"The list of {year} begins with {steps['en'][0]}"}
    if n == 1 and not own:
        zh = f"{year}年的材料里，一篇文章把要点归为{k}点，依次是：{'；'.join(steps['zh'])}。"
        en = f"One article in the material of {year} sums up what matters in {k} points: {'; '.join(steps['en'])}."
        heading = {"zh": f"一篇文章归纳{year}年的要点，以{steps['zh'][0]}打头",
                   "en": f"One article’s summary of {year} begins with {steps['en'][0]}"}
    elif n == 1:
        zh = f"{year}年的材料里有一份分条列出的重点，共{k}条，依次是：{'；'.join(steps['zh'])}。"
        en = f"One list in the material of {year} sets out what comes first, in {k} points: {'; '.join(steps['en'])}."
    else:
        zh = (f"{year}年的材料里有{n}份分条列出的重点，其中{n_first}份以{steps['zh'][0]}打头；"
              f"条目最多的一份共{k}{unit}，依次是：{'；'.join(steps['zh'])}。")
        en = (f"Of {n} lists in the material of {year}, {n_first} begin with {steps['en'][0]}; the longest, in {k} "
              f"points: {'; '.join(steps['en'])}.")
    facts = {("order", year, tuple(part["themes"].tolist())) for part in lists}
    slice_ = {"year": year, "themes": [list(t) for t in order]}
    return Finding("listed_first", "list_order", slice_, float(k), None, None, n_first, n,
                   "one_list" if n == 1 else "lists", zh, en, frozenset({("order", year, tuple(order))}),
                   frozenset(facts), heading, numbers, evidence, caveat={} if own else _writers_list(n))


def _writers_list(n_lists: int) -> dict:
    """What must be said of a list that opens with a statement in which no regulator is found to speak."""
    which = ("这份清单", "The list") if n_lists == 1 else ("条目最多的这份清单", "The longest list")
    return {"zh": f"{which[0]}开头的语句没有归给任何监管部门：条目是文章作者对所述内容的概括，"
                  "先后也由作者排定，不能当作监管部门的排序。",
            "en": f"{which[1]} opens with a statement that is attributed to no regulator: it is the writer’s summary "
                  "of what was said, and its order is the writer’s, not a regulator’s ranking."}


def leading_theme(view: View, names: Names) -> Finding:
    """Which theme comes first in the latest year; where the interval does not exclude the runner-up, none does."""
    if not view.years or view.years[-1] != view.latest:
        return _thin_year(view, "leading_theme", "theme_share",
                          {"zh": "不比较哪个主题说得最多", "en": "which theme comes first is left open"},
                          "theme_prevalence")
    year = view.years[-1]
    shares = view.shares(year)
    order = np.lexsort((np.arange(len(shares.n)), -shares.share))
    first = int(order[0])
    close = measures.among_first(shares.share, shares.low, shares.high, shares.n)
    rivals = [int(i) for i in order[1:] if close[i]]
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
        grade, n, shown = "among_first", len(rivals), rivals[:N_NAMED - 1]
        other = {lang: quoted([names.theme(view.corpus.codes[i], lang) for i in shown], lang) for lang in ("zh", "en")}
        if n > len(shown):
            other = {"zh": f"{other['zh']}等{n}个主题",
                     "en": f"{', '.join(quoted([names.theme(view.corpus.codes[i], 'en')], 'en') for i in shown)} and "
                           f"{n - len(shown)} more"}
        text = (f"{year}年“{zh}”占{of:,}条语句的{share}；{other['zh']}与它的差距{'都' if n > 1 else ''}在误差之内，"
                f"这{n + 1}个主题分不出先后。",
                f"In {year} “{en}” takes {share} of {of:,} statements; {other['en']} {'is' if n == 1 else 'are'} "
                f"within error of it, so these {n + 1} cannot be ranked.")
        title = {"zh": f"{year}年“{zh}”占{share}，与另外{n}个主题分不出先后",
                 "en": f"In {year}, {share} of statements are on “{en}”, within error of {_many(n, 'other theme')}"}
    caveat, caveat_numbers = _standardised_caveat(view, year, first, shares, names)
    return Finding("leading_theme", "theme_share", {"year": year, "region": ALL, "theme": theme},
                   float(shares.share[first]), float(shares.low[first]), float(shares.high[first]),
                   int(shares.n[first]), of, grade, *text, frozenset({("top", year, theme)}),
                   frozenset(("top", year, view.corpus.codes[i]) for i in [first, *rivals]), title, numbers,
                   numbers[0]["evidence"], "theme_prevalence", caveat=caveat, caveat_numbers=caveat_numbers)


def _standardised_caveat(view: View, year: int, first: int, shares: Shares, names: Names) -> tuple[dict, list[dict]]:
    """What must be said where the theme with the largest share owes its place to the kinds of articles that the year
    happens to hold: with the mix of all years its share lies outside its interval, or another theme has a larger one;
    with the numbers said."""
    if view.bare:
        return {}, []
    codes = view.corpus.codes
    held, unlike = _held_still(view, year)
    if held is None or unlike:
        return unlike, []
    value = held[:-1]
    best = int(np.lexsort((np.arange(len(value)), -value))[0])
    if best == first and shares.low[first] <= value[first] <= shares.high[first]:
        return {}, []

    def number(i):
        return _number(percent(value[i]), cell={"what": "standardised", "theme": codes[i], "year": year})

    numbers = [number(first)]
    zh, en = (f"各年材料的文章类别构成不同；按各年合计的构成拉平后，这一占比是{numbers[0]['zh']}",
              "The years hold different kinds of articles; with the mix of all years together this share would be "
              f"{numbers[0]['en']}")
    if best != first:
        numbers.append(number(best))
        n = int((value > value[first]).sum())
        zh += (f"，有{n}个主题在它前面，最高的是“{names.theme(codes[best], 'zh')}”（{numbers[1]['zh']}）" if n > 1 else
               f"，排在它前面的是“{names.theme(codes[best], 'zh')}”（{numbers[1]['zh']}）")
        en += (f", and {n} themes would stand before it, “{names.theme(codes[best], 'en')}” highest "
               f"({numbers[1]['en']})" if n > 1 else
               f", and “{names.theme(codes[best], 'en')}” would stand before it ({numbers[1]['en']})")
    return {"zh": f"{zh}。", "en": f"{en}."}, numbers


def _held_still(view: View, year: int) -> tuple[np.ndarray | None, dict]:
    """(the shares of a year as they would be with the mix of kinds of articles of all years: of each theme, and last
    of binding wording; what must be said where the year's kinds are too unlike the others); no shares where there are
    no kinds."""
    if not view.corpus.has_kinds:
        return None, {}
    shares, coverage, _ = measures.held_still({y: view.by_kind(y) for y in view.known_years})[year]
    if coverage < MIN_COMMON:
        return shares, {
            "zh": "这一年的文章类别同各年合计相差太大，无法把类别构成拉平后再看。",
            "en": "The kinds of articles of this year are too unlike those of all years together for the mix to be "
                  "held still."}
    return shares, {}


def changed_themes(view: View, names: Names) -> Finding:
    """Which themes rose and which fell between the first and the last year with enough material, by `TREND_RULE` and
    after correction for the number of themes; changes that the mix of kinds of articles makes are set apart."""
    if len(view.years) < 2:
        only = {"zh": "没有哪一年", "en": "no year has"}
        if view.years:
            only = {"zh": f"只有{view.years[0]}年", "en": f"only {view.years[0]} has"}
        return _too_little("changed_themes", "theme_share_difference", {"years": view.years},
                           f"{only['zh']}有足够的材料{TOO_LITTLE_RULE['zh']}，谈不上年份之间的变化。",
                           f"There is no change between years to speak of: {only['en']} enough material"
                           f"{TOO_LITTLE_RULE['en']}.", "theme_change")
    first, last = view.years[0], view.years[-1]
    rows = theme_changes(view, first, last)
    facts = {r.theme: ("rose" if r.difference > 0 else "fell", first, last, r.theme) for r in rows.itertuples()
             if r.grade in ("rose", "probably_rose", "fell", "probably_fell")}
    if view.bare:
        return _only(facts.values())
    clear = rows[rows["grade"].isin(["rose", "fell"]) & (rows["q"] <= MAX_Q)]
    doubted, no_ground = _made_by_mix(view, first, last, list(clear["theme"]))
    kept = clear[np.array([t not in doubted and view.may_say(facts[t]) for t in clear["theme"]], bool)]
    sides = {"rose": kept[kept["difference"] > 0].sort_values(["difference", "theme"], ascending=[False, True]),
             "fell": kept[kept["difference"] < 0].sort_values(["difference", "theme"])}
    left_out = {t: [] for t in rows.loc[rows["grade"].isin(["rose", "fell"]) & ~(rows["q"] <= MAX_Q), "theme"]}
    left_out |= {t: list(view.failed.get(facts[t], ())) for t in clear["theme"]
                 if t not in doubted and not view.may_say(facts[t])}
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
        text = (f"{first}年到{last}年，{'；'.join(parts)}{basis[0]}。",
                f"Between {first} and {last} {'; '.join(parts_en)}{basis[1]}.")
        title = _change_title(sides, names, first, last)
    top = (sides["rose"] if len(sides["rose"]) else sides["fell"] if len(sides["fell"]) else rows).iloc[0]
    shown = {s: part["theme"].head(N_NAMED) for s, part in sides.items()}
    slice_ = {"year_from": first, "year_to": last, "region": ALL, "theme": top["theme"]}
    return Finding("changed_themes", "theme_share_difference", slice_, float(top["difference"]), float(top["low95"]),
                   float(top["high95"]), int(top["n_to"]), of[1], grade, *text,
                   frozenset((s, first, last, t) for s, themes in shown.items() for t in themes),
                   frozenset(facts.values()), title, numbers, _union(numbers), "theme_change",
                   caveat=_joined(_mix_caveat(doubted, no_ground, names), _left_out_caveat(left_out, names),
                                  _error_caveat(view, [(r.theme, r.share_from, r.share_to, r.low95, r.high95) for part
                                                       in sides.values() for r in part.head(N_NAMED).itertuples()],
                                                names)))


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
        "theme": view.corpus.codes, "column": np.arange(len(view.corpus.codes)), "share_from": a.share,
        "share_to": b.share, "n_to": b.n, "n_statements_from": a.of, "n_statements_to": b.of,
        "difference": difference, "low95": low95,
        "high95": high95, "p": p, "q": measures.benjamini_hochberg(p),
        "grade": measures.trend_grade(low95, high95, *bounds[0.8][1:], enough)})


def _made_by_mix(view: View, first: int, last: int, themes: list[str]) -> tuple[set[str], bool]:
    """Themes whose change vanishes once the mix of kinds of articles is held still; and whether it cannot be."""
    if not themes or not view.corpus.has_kinds:
        return set(), False
    warned = measures.mix_warning_of({y: view.by_kind(y) for y in (first, last)}, _counted(view), [(first, last)])
    warned = warned[warned["theme"].isin(themes)]
    return (set(warned.loc[warned["warning"] == "mix_makes_it", "theme"]),
            bool((warned["warning"] == "no_common_ground").any()))


def _counted(view: View) -> list[str]:
    """What `View.by_kind` counts."""
    return [*view.corpus.codes, "binding"]


def _joined(*caveats: dict) -> dict:
    """Several caveats as one."""
    some = [c for c in caveats if c]
    return {"zh": "".join(c["zh"] for c in some), "en": " ".join(c["en"] for c in some)} if some else {}


def _left_out_caveat(left_out: Mapping[str, list], names: Names) -> dict:
    """Which clear changes are not named, and by which test they fell: the ways of counting, or none for q."""
    zh, en = [], []
    for theme in names.theme_order(left_out):
        checks = left_out[theme]
        zh.append(f"“{names.theme(theme, 'zh')}”（" + ("、".join(c.zh for c in checks) if checks else
                                                     f"校正后q大于{MAX_Q}") + "）")
        en.append(f"“{names.theme(theme, 'en')}” (" + ("; ".join(c.en for c in checks) if checks else
                                                     f"q above {MAX_Q} after correction") + ")")
    if not zh:
        return {}
    return {"zh": f"{'、'.join(zh)}的变化，区间虽不含0，却没有通过括号里的检验，所以也不列入。",
            "en": f"{listed(en, 'en')} changed by more than error too, but did not pass the test in brackets and "
                  f"{'is' if len(en) == 1 else 'are'} left out."}


def _error_caveat(view: View, differences: Iterable[tuple], names: Names, of_levels: bool = False) -> dict:
    """What must be said where errors of coding could make the difference of two shares (theme, one share, the other,
    low and high of their difference) by themselves: see `Coding.could_make`."""
    if view.bare or view.coding is None:
        return {}
    made = [theme for theme, a, b, low, high in differences
            if view.coding.could_make(theme, max(a, b), min(a, b), low if low > 0 else -high, of_levels)]
    if not made:
        return {}
    shown = {lang: quoted([names.theme(t, lang) for t in names.theme_order(made)], lang) for lang in ("zh", "en")}
    return {"zh": f"编码并非全对：假如{shown['zh']}的误判多到参照标注显示的上限，又都偏向同一边，这一差别就可能只是误判"
                  "（见“编码有多准”一节）。",
            "en": f"Coding has errors: if {shown['en']} were miscoded as often as the reference labels allow, and "
                  "always to one side, that alone could make the difference (see “How good the coding is”)."}


def _mix_caveat(doubted: set[str], no_ground: bool, names: Names) -> dict:
    if no_ground:
        return dict(measures.MIX_WARNINGS["no_common_ground"])
    if not doubted:
        return {}
    shown = {lang: quoted([names.theme(t, lang) for t in names.theme_order(doubted)], lang) for lang in ("zh", "en")}
    return {"zh": f"{shown['zh']}的占比也变了，但两年材料的文章类别构成不同，把构成拉平后，"
                  "这一变化消失、减半或反向，所以不列入。",
            "en": f"{shown['en']} changed too, but the two years hold different kinds of articles; with the mix held "
                  "still that change vanishes, halves or turns round, so it is left out."}


def new_wording(view: View, names: Names) -> Finding:
    """Listed terms that first turn up in the latest year, in at least `MIN_WITNESSES` stories and in quotation marks
    in one of them: quoted because they are felt to be wording, where a common noun may be new by chance."""
    uses = view.terms[(view.terms["region"] == ALL) & (view.terms["year"] > 0)]
    year = view.latest
    if len(view.known_years) < 2:
        return _too_little("new_wording", "new_terms", {"year": year}, "材料不到两年，谈不上新提法。",
                           "With less than two years of material there is no new wording to speak of.")
    story = view.corpus.articles["story_id"].to_numpy()
    uses = uses.assign(story=story[uses["article"].to_numpy(np.int64)])
    since = uses.groupby("term")["year"].min()
    new = uses[uses["term"].isin(since.index[since == year])].groupby("term")["story"].nunique()
    of = pd.unique(story[view.articles_of(year, year)]).size
    new = new[[n >= 2 and (t, year) in view.corpus.quoted for t, n in new.items()] if len(new) else []]
    if view.bare:
        return _only((year, t) for t in new.index)
    every = new[new >= MIN_WITNESSES]
    witnessed = every[[view.may_say((year, t)) for t in every.index] if len(every) else []]
    witnessed = witnessed.rename("n").reset_index().sort_values(["n", "term"], ascending=[False, True])
    if witnessed.empty:
        return _too_little("new_wording", "new_terms", {"year": year},
                           f"{year}年没有哪个词表所列、文中加引号的提法既是首次出现、又见于至少{MIN_WITNESSES}篇稿件。",
                           f"In {year} no listed term that is put in quotation marks is both new to the material and "
                           f"used in {MIN_WITNESSES} stories or more.")
    shown, n = witnessed.head(2 * N_NAMED), len(every)
    numbers = [_number(f"{n}个", _many(n, "quoted term"), n=n, cell={"what": "new_terms", "year": year, "n": n})]
    for r in shown.itertuples():
        said = f"{_mark(r.term)}（{r.n}篇）", f"{_mark(r.term)} ({_gloss(names, r.term)}{_stories(int(r.n))})"
        numbers.append(_number(*said, n=int(r.n), of=of,
                               cell={"what": "term_stories", "term": r.term, "year": year, "n": int(r.n)}))
    more = n > len(shown)
    zh = (f"谈{year}年度工作的材料里，有{n}个加引号的提法首次出现，且至少见于{MIN_WITNESSES}篇稿件："
          + "、".join(x["zh"] for x in numbers[1:]) + ("等" if more else "") + "。")
    en = (f"In the material on the work of {year}, {numbers[0]['en']} {'turns' if n == 1 else 'turn'} up for the first "
          f"time, in at least {MIN_WITNESSES} stories{'' if n == 1 else ' each'}: "
          + ", ".join(x["en"] for x in numbers[1:]) + (" and others" if more else "") + ".")
    earlier = len(view.articles_of(1, year - 1))
    return Finding("new_wording", "new_terms", {"year": year, "terms": shown["term"].tolist()}, float(n), None, None, n,
                   len(since), "count", zh, en, frozenset((year, t) for t in shown["term"]),
                   frozenset((year, t) for t in new.index), {}, numbers, figure="",
                   caveat={"zh": "“首次”只就所收材料而言，年份是文章所谈的工作年度，发表可以早在上一年年底：谈此前"
                                 f"各年的{earlier:,}篇文章没有用过，材料之外可能早已有人用。稿件是转载合并后的文章。",
                           "en": "“First” is within the material, and by the work year spoken of, not by "
                                 "the date of publication, which may be late in the year before: none of "
                                 f"{_many(earlier, 'article')} on earlier years uses them; outside the material they "
                                 "may be older. Stories are articles with reprints merged."})


def local_wording(view: View, names: Names) -> Finding:
    """Listed terms that the national regulator never uses and that one bureau alone, or two or three together, use.
    Those put in quotation marks are named first, then rare ones: they are wording rather than common words. A term that
    a statement gives to more bureaus than it names is nobody's own, and is told as found with those it names."""
    year = view.latest
    uses = view.terms[~view.terms["region"].isin([ALL, NONE])]
    now = uses[uses["year"] == year]
    ever = {term: set(part) for term, part in uses.drop_duplicates(["term", "region"]).groupby("term")["region"]}
    counted = now.groupby("term")["count"].sum()
    n_bureaus = now.loc[now["region"] != NATIONAL, "region"].nunique()
    if year and n_bureaus < MIN_BUREAUS:
        return _too_little("local_wording", "terms_of_few_regions", {"year": year},
                           f"{year}年的材料里用到词表所列提法的地方局只有{n_bureaus}个（下限为{MIN_BUREAUS}个），"
                           "谈不上哪个提法只见于一地。",
                           f"In the material of {year} only {_many(n_bureaus, 'bureau')} of the {MIN_BUREAUS} needed "
                           f"{'uses' if n_bureaus == 1 else 'use'} listed terms: which terms are found with one bureau "
                           "only is left open.")
    own: dict[int, list[tuple[str, tuple[str, ...]]]] = {1: [], 2: []}
    for term in sorted(counted.index, key=lambda t: ((t, year) not in view.corpus.quoted, counted[t], -len(t), t)):
        if NATIONAL not in ever[term] and len(ever[term]) <= N_NAMED and not (
                len(ever[term]) == 1 and term in view.corpus.unnamed):
            own[min(len(ever[term]), 2)].append((term, tuple(r for r in names.regions if r in ever[term])))
    alone, shared = own[1], own[2]
    if not alone and not shared:
        zh, en = (f"{year}年没有哪个词表所列的提法只见于个别地方局。",
                  f"In {year} no listed term is found with one or a few bureaus only.")
        if not year:
            zh, en = ("没有一条语句的年份可考，不谈各地的提法。",
                      "No statement’s year is known, so the wording of the regions is left aside.")
        return _too_little("local_wording", "terms_of_few_regions", {"year": year}, zh, en)
    shown = alone[:4]
    zh, en, numbers = [], [], []
    if alone:
        zh.append(f"有{len(alone)}个提法在材料中只见于一个地方局，总局和其他地方局历年都没有用过："
                  + "、".join(f"{_mark(t)}（{r[0]}）" for t, r in shown) + ("等" if len(alone) > len(shown) else ""))
        en.append(f"{_many(len(alone), 'term')} {'is' if len(alone) == 1 else 'are'} found only with one bureau, used "
                  "neither by the national regulator nor by any other bureau in any year: "
                  + ", ".join(f"{_mark(t)} ({_gloss(names, t)}{names.region(r[0], 'en')})" for t, r in shown)
                  + (" and others" if len(alone) > len(shown) else ""))
        numbers.append(_number(f"{len(alone)}个", _many(len(alone), "term"), n=len(alone), cell={
            "what": "own_terms", "year": year, "regions": 1, "n": len(alone)}))
    for t, regions in shared[:2]:
        places = [names.region(r, "en") for r in regions]
        gloss = f" ({names.terms[t]})" if t in names.terms else ""
        if t in view.corpus.unnamed:
            zh.append(f"{_mark(t)}见于{listed(regions, 'zh')}等地，原句没有逐一点名")
            en.append(f"{_mark(t)}{gloss} is found with {listed(places, 'en')}, among others")
        else:
            zh.append(f"{_mark(t)}只见于{listed(regions, 'zh')}")
            en.append(f"{_mark(t)}{gloss} is found only in {listed(places, 'en')}")
    text = f"{year}年{'；'.join(zh)}。", f"In {year}, {'; '.join(en)}."
    said = [(t, r) for t, r in shown] + shared[:2]
    numbers += [_number(_mark(t), cell={"what": "term_regions", "term": t, "regions": list(r), "year": year})
                for t, r in said]
    return Finding("local_wording", "terms_of_few_regions", {"year": year, "terms": {t: list(r) for t, r in said}},
                   float(len(alone)), None, None, len(alone), len(counted), "count", *text,
                   frozenset((year, t, r) for t, r in said), frozenset((year, t, r) for t, r in alone + shared), {},
                   numbers, caveat={
                       "zh": f"只就所收材料而言，{year}年用到词表所列提法的地方局共{n_bureaus}个；"
                             "材料之外的局未必没有用过。",
                       "en": f"Within the material: {_many(n_bureaus, 'bureau')} in it use listed terms in {year}; "
                             "what others say is not known."})


def national_and_regional(view: View, names: Names) -> Finding:
    """What the national regulator says more of than the bureaus, and what they say more of; all years."""
    sizes = {side: view.size(ALL_YEARS, side) for side in (NATIONAL_SIDE, BUREAUS)}
    thin = [side for side, size in sizes.items() if not size[2]]
    if thin:
        words = {NATIONAL_SIDE: ("总局", "the national regulator"), BUREAUS: ("地方局", "the bureaus")}
        whose = {lang: word.join(words[s][i] for s in thin) for i, (lang, word) in enumerate(
            (("zh", "和"), ("en", " and ")))}
        return _too_little("national_and_regional", "theme_share_difference", {},
                           f"归属于{whose['zh']}的语句太少{TOO_LITTLE_RULE['zh']}，不比较总局与地方局。",
                           f"Too few statements belong to {whose['en']}{TOO_LITTLE_RULE['en']}: the national regulator "
                           "is not compared with the bureaus.")
    national, regional = (view.shares(ALL_YEARS, side) for side in (NATIONAL_SIDE, BUREAUS))
    difference, low, high = measures.share_difference(regional.share, regional.low, regional.high, national.share,
                                                      national.low, national.high)
    codes = view.corpus.codes
    facts = [("national" if d > 0 else "regional", code) for d, code in zip(difference, codes, strict=True)]
    witnessed = np.where(difference > 0, national.articles, regional.articles) >= MIN_WITNESSES
    clear = [bool(c) for c in witnessed & ((low > 0) | (high < 0))]
    if view.bare:
        return _only(f for f, c in zip(facts, clear, strict=True) if c)
    said = [i for i, fact in enumerate(facts) if clear[i] and view.may_say(fact)]
    up = sorted((i for i in said if difference[i] > 0), key=lambda i: (-difference[i], i))
    down = sorted((i for i in said if difference[i] < 0), key=lambda i: (difference[i], i))
    numbers: list[dict] = []
    sides = {NATIONAL_SIDE: national, BUREAUS: regional}

    def side(i, lang):
        a, b = percent(national.share[i]), percent(regional.share[i])
        if lang == "zh":
            numbers.extend(_share_number(view, i, shares, ALL_YEARS, s) for s, shares in sides.items())
            return f"“{names.theme(view.corpus.codes[i], 'zh')}”（{a}，地方局{b}）"
        return f"“{names.theme(view.corpus.codes[i], 'en')}” ({a}, the bureaus {b})"

    if not up and not down:
        text = ("总局与地方局各主题的占比，没有在所试各种口径下都成立的差别。",
                "Between the national regulator and the bureaus no theme’s share differs in every recount.")
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
                   frozenset(facts[i] for i in (*up[:1], *down[:1])),
                   frozenset(f for f, c in zip(facts, clear, strict=True) if c), {}, numbers, _union(numbers),
                   caveat=_joined(_side_caveat(view, [*up[:1], *down[:1]], names), _error_caveat(
                       view, [(codes[i], national.share[i], regional.share[i], low[i], high[i])
                              for i in (*up[:1], *down[:1])], names, of_levels=True)))


def _side_caveat(view: View, themes: list[int], names: Names) -> dict:
    """What must be said when the two sides differ because they speak in different years, or in different kinds of
    articles."""
    if not themes or view.by_article or view.bare:
        return {}
    codes = [view.corpus.codes[i] for i in themes]
    by_year: dict[int, dict] = {1: {}, 2: {}}
    by_kind: dict[int, dict] = {1: {}, 2: {}}
    for year in sorted(set(view.corpus.article_years[:, 1].tolist())):
        for number, side in ((1, NATIONAL_SIDE), (2, BUREAUS)):
            for kind, (n, with_theme) in view.by_kind(year, side).items():
                for cells, name in ((by_year, str(year)), (by_kind, kind)):
                    before = cells[number].get(name, (0, 0))
                    cells[number][name] = before[0] + n, before[1] + with_theme
    caveats = []
    for cells, zh, en in ((by_year, "总局与地方局的材料分布在不同年份；逐年比较再合计",
                           "The two sides speak in different years; compared year by year"),
                          (by_kind, "总局与地方局的材料类别不同；逐类比较再合计",
                           "The two sides speak in different kinds of articles; compared kind by kind")):
        warned = measures.mix_warning_of(cells, _counted(view), [(2, 1)])
        warned = warned[warned["theme"].isin(codes)]
        made = list(warned.loc[warned["warning"] == "mix_makes_it", "theme"]) if len(warned) else []
        if made:
            shown = {lang: quoted([names.theme(t, lang) for t in names.theme_order(made)], lang)
                     for lang in ("zh", "en")}
            caveats.append({"zh": f"{zh}，{shown['zh']}的差别消失、减半或反向。",
                            "en": f"{en}, the difference in {shown['en']} vanishes, halves or turns round."})
    return _joined(*caveats)


def closest_pair(view: View, names: Names) -> Finding:
    """The themes that go together, against chance; the closest only where its interval excludes the next."""
    corpus = view.corpus
    counts, units, shared = view.pairs()
    single, both, n = counts.sum(axis=0), shared.sum(axis=0, dtype=np.int64), int(units.sum())
    pairs = pd.DataFrame([(corpus.codes[i], corpus.codes[j], i, j, k, both[k], single[i], single[j], n)
                          for k, (i, j) in enumerate(combinations(range(len(corpus.codes)), 2)) if both[k]],
                         columns=["theme_a", "theme_b", "i", "j", "k", "n_both", "n_a", "n_b", "n_statements"])
    pairs = measures.cooccurrence(pairs)
    pairs = pairs[pairs["supported"] & (pairs["q_more"] < 0.05)] if len(pairs) else pairs
    if pairs.empty:
        return _too_little("closest_pair", "cooccurrence_npmi", {"year": ALL_YEARS},
                           f"没有哪两个主题同句出现的次数经得起检验（至少{MIN_SUPPORT}条语句、校正后显著），不谈搭配。",
                           f"No two themes share statements often enough to tell it from chance (at least "
                           f"{MIN_SUPPORT} statements, significant after correction).", "cooccurrence_matrix")
    pairs = pairs.sort_values(["npmi", "theme_a", "theme_b"], ascending=[False, True, True], ignore_index=True)
    codes = list(zip(pairs["theme_a"], pairs["theme_b"], strict=True))
    low, high = _npmi_intervals(pairs, counts, units, shared, 250 if view.bare else 1000)
    rivals = [k for k in range(1, len(pairs)) if not high[k] < low[0]]
    facts = {("pair", *ab) for ab in codes} | {("closest", *codes[k]) for k in [0, *rivals]}
    if view.bare:
        return _only(facts)
    known = [k for k, ab in enumerate(codes) if view.may_say(("pair", *ab))]
    closest = not rivals and view.may_say(("closest", *codes[0])) and view.may_say(("pair", *codes[0]))
    shown = [0] if closest else known[:N_NAMED]
    if not shown:
        return replace(_too_little("closest_pair", "cooccurrence_npmi", {"year": ALL_YEARS},
                                   "没有哪两个主题的搭配在所试各种口径下都成立。",
                                   "No pair of themes goes together in every recount.", "cooccurrence_matrix"),
                       facts=frozenset(facts))
    numbers, said = [], []
    for k in shown:
        r = pairs.iloc[k]
        inside = corpus.theme[:, r["i"]].astype(bool) & corpus.theme[:, r["j"]].astype(bool)
        both_names = {lang: quoted([names.theme(t, lang) for t in codes[k]], lang) for lang in ("zh", "en")}
        same = _number(f"{r['n_both']:,}条", f"{r['n_both']:,} statements", n=int(r["n_both"]), of=n,
                         cell={"what": "pair", "a": r["theme_a"], "b": r["theme_b"], "n": int(r["n_both"])},
                         evidence=view.evidence(inside))
        times = _number(f"{r['ratio']:.1f}倍", f"{r['ratio']:.1f} times",
                        cell={"what": "pair_ratio", "a": r["theme_a"], "b": r["theme_b"]})
        numbers += [same, times]
        said.append({"zh": f"{both_names['zh']}（同句{same['zh']}，为互不相干时的{times['zh']}）",
                     "en": f"{both_names['en']} ({same['en']}, {times['en']} as many as by chance)", **{
                         f"title_{lang}": both_names[lang] for lang in ("zh", "en")}})
    top, ratio = shown[0], numbers[1]
    if closest:
        text = f"结合最紧的两个主题是{said[0]['zh']}。", f"The themes that go together most are {said[0]['en']}."
    else:
        more = len(known) - len(shown)
        text = (f"结合紧密、在所试各种口径下都成立的主题有{len(known)}对{'，例如' if more else '：'}"
                f"{'、'.join(s['zh'] for s in said)}；彼此差距在误差之内，不说哪一对最紧。",
                f"{len(known)} pairs of themes go together in every recount{', among them' if more else ':'} "
                f"{'; '.join(s['en'] for s in said)}. They are within error of each other: none is called the closest.")
    if len(known) == 1 and not closest:
        text = (f"结合紧密、在所试各种口径下都成立的主题组合只有一对：{said[0]['zh']}。",
                f"Only one pair of themes goes together in every recount: {said[0]['en']}.")
    groups = {names.themes.get(code, {}).get("group") for code in codes[top]}
    claim = {("pair", *codes[k]) for k in shown} | ({("closest", *codes[0])} if closest else set())
    title = {"zh": f"各种口径下都成立的搭配只有{said[0]['title_zh']}一对，为互不相干时的{ratio['zh']}",
             "en": f"Only {said[0]['title_en']} go together in every recount, {ratio['en']} as often as by "
                   "chance"} if len(known) == 1 and not closest else {
             "zh": f"{said[0]['title_zh']}{'最' if closest else ''}常同句出现，为互不相干时的{ratio['zh']}",
             "en": f"{said[0]['title_en']} {'go together most' if closest else 'often share a sentence'}, "
                   f"{ratio['en']} as often as by chance"}
    return Finding("closest_pair", "cooccurrence_npmi",
                   {"year": ALL_YEARS, "region": ALL, "theme": codes[top][0], "other": codes[top][1]},
                   float(pairs["npmi"][top]), float(low[top]), float(high[top]), int(pairs["n_both"][top]), n,
                   "closest" if closest else "together", *text, frozenset(claim), frozenset(facts), title, numbers,
                   _union(numbers), "cooccurrence_matrix",
                   caveat={"zh": "这两个主题同属一组，定义相邻，一部分同现来自编码本身。",
                           "en": "The two belong to one group and have neighbouring definitions: some of the tie is "
                                 "the coding’s."} if len(groups) == 1 and len(shown) == 1 else {})


def _npmi_intervals(pairs: pd.DataFrame, counts: np.ndarray, units: np.ndarray, shared: np.ndarray,
                    n_resamples: int) -> tuple[np.ndarray, np.ndarray]:
    """Intervals of NPMI by resampling articles; the arrays are those of `View.pairs`."""
    columns = sorted(set(pairs["i"]) | set(pairs["j"]))
    place, m = {column: k for k, column in enumerate(columns)}, len(units)
    together = np.concatenate([counts[:, columns], shared[:, pairs["k"]]], axis=1)
    shares = measures.cluster_replicates(together, units, n_resamples)
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
                       cell={"what": "binding", "year": year},
                       evidence=view.evidence(corpus.rows(year) & corpus.binding))

    numbers = [number(last), _size_number(of, last)]
    text = (f"{last}年{of:,}条语句中，{percent(share)}用了{grades['zh']}两级有约束力的措辞"
            f"（95%区间{percent(low)}—{percent(high)}）",
            f"In {last}, {percent(share)} of {of:,} statements use binding wording, of the grades {grades['en']} (95% "
            f"interval {percent(low)}–{percent(high)})")
    grade, facts, caveat, caveat_numbers = "share", {("binding", last)}, {}, []
    if first < last:
        a, b = parts[first], parts[last]
        bounds = [measures.share_difference(a[0], a[k], a[k + 1], b[0], b[k], b[k + 1])[1:] for k in (1, 3)]
        grade = str(measures.trend_grade(*bounds[0], *bounds[1], True))
        facts |= {("binding", first, last, direction) for direction in _directions(grade)}
        word = measures.TREND_WORDS[grade]
        if not view.bare and grade != "no_clear_change" and _binding_by_mix(view, first, last):
            grade, facts = "share", {("binding", last)}
            caveat_numbers.append(number(first))
            caveat = {"zh": f"{first}年为{percent(a[0])}，但两年材料的文章类别构成不同，把构成拉平后，"
                            "差别消失、减半或反向，所以不说升降。",
                      "en": f"It was {percent(a[0])} in {first}, but the two years hold different kinds of articles, "
                            "and with the mix held still the difference vanishes, halves or turns round: nothing is "
                            "said of a change."}
        else:
            numbers.append(number(first))
            text = (f"{text[0]}，与{first}年的{percent(a[0])}相比{word['zh']}",
                    f"{text[1]}; against {percent(a[0])} in {first}: {word['en']}")
    text = f"{text[0]}。", f"{text[1]}."
    title = {"zh": f"{last}年{percent(share)}的语句用了有约束力的措辞",
             "en": f"In {last}, {percent(share)} of statements use binding wording"}
    claim = {f for f in facts if "probably" not in grade or f[-1] != "same"}
    for more, its_numbers in (_binding_held_still(view, last, low, high, bool(caveat)), _digest_caveat(view, last)):
        caveat, caveat_numbers = _joined(caveat, more), [*caveat_numbers, *its_numbers]
    return Finding("binding_wording", "binding_share", {"year": last, "region": ALL}, float(share), float(low),
                   float(high), n, of, grade, *text, frozenset(claim), frozenset(facts), title, numbers,
                   _union(numbers), "deontic_strength", caveat=caveat, caveat_numbers=caveat_numbers)


def _digest_caveat(view: View, year: int) -> tuple[dict, list[dict]]:
    """What must be said of wording where many statements stand in digests: articles that name the text they were made
    from; with the number said. Nothing where they are under `MIN_DIGESTS` of the year."""
    if view.bare:
        return {}, []
    corpus = view.corpus
    rows = corpus.rows(year) & view.keep[corpus.article]
    of = int(rows.sum())
    n = int((rows & corpus.articles["digest"].to_numpy()[corpus.article]).sum())
    if not of or n / of < MIN_DIGESTS:
        return {}, []
    share = percent(n / of)
    return ({"zh": f"{year}年的全部语句中，至少{share}出自注明原文标题的摘编；"
                   "摘编里“必须”“严禁”一类的字眼可能是摘编者的，未必是监管部门的。",
             "en": f"Of all statements of {year}, at least {share} stand in digests, which name the text they were "
                   "made from: “must” and “must not” may there be the digest writer’s words, not the regulator’s."},
            [_number(share, n=n, of=of, cell={"what": "digests", "year": year})])


def _binding_by_mix(view: View, first: int, last: int) -> bool:
    """Whether the change in binding wording comes with a change in the kinds of articles."""
    if not view.corpus.has_kinds:
        return False
    warned = measures.mix_warning_of({y: view.by_kind(y) for y in (first, last)}, _counted(view), [(first, last)])
    return bool((warned.loc[warned["theme"] == "binding", "warning"] == "mix_makes_it").any())


def _binding_held_still(view: View, year: int, low: float, high: float, said: bool) -> tuple[dict, list[dict]]:
    """What must be said where the share of binding wording lies outside its interval once the mix of kinds of articles
    is that of all years, with the number said. `said`: that years differ in their kinds has been said before."""
    if view.bare:
        return {}, []
    held, unlike = _held_still(view, year)
    if held is None or unlike or low <= held[-1] <= high:
        return unlike, []
    number = _number(percent(held[-1]), cell={"what": "standardised", "theme": "binding", "year": year})
    why = ("", "With") if said else ("各年材料的文章类别构成不同；",
                                    "The years hold different kinds of articles; with")
    return {"zh": f"{why[0]}按各年合计的构成拉平后，{year}年的占比是{number['zh']}。",
            "en": f"{why[1]} the mix of all years together the share of {year} would be {number['en']}."}, [number]


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
    gaps = frozenset(("missing", r) for r in missing)
    return Finding("covered_regions", "regions_covered", {"year": ALL_YEARS}, float(n), None, None, n, of, "count",
                   *text, gaps, gaps, {}, numbers, view.evidence(view.corpus.bureau, 2 * N_EVIDENCE), "coverage")


HEADLINES: dict[str, Callable[[View, Names], Finding]] = {f.__name__: f for f in (
    leading_theme, listed_first, changed_themes, new_wording, local_wording, national_and_regional, closest_pair,
    binding_wording)}
"""The headline sentences, in the order of the report; see `headlines` for those that come last."""
SUBJECTS = {
    "leading_theme": {"zh": "居首的主题", "en": "the theme that comes first"},
    "listed_first": {"zh": "清单的次序", "en": "the order of lists"},
    "changed_themes": {"zh": "升降的主题", "en": "themes that rose or fell"},
    "new_wording": {"zh": "新提法", "en": "new wording"},
    "local_wording": {"zh": "只见于一地的提法", "en": "wording found with one bureau"},
    "national_and_regional": {"zh": "总局与地方局之别", "en": "the centre and the bureaus"},
    "closest_pair": {"zh": "主题的搭配", "en": "themes that go together"},
    "binding_wording": {"zh": "有约束力的措辞", "en": "binding wording"},
    "covered_regions": {"zh": "覆盖的地区", "en": "regions covered"},
}
"""What each finding is about."""
OF_TERMS = ("new_wording", "local_wording")
CHOOSING = ("changed_themes", "new_wording", "national_and_regional", "closest_pair")
"""Headlines that choose what to name among several facts: they name what stands in every other way of counting."""
CHECKS_OF_THEMES = ("reprints", "unit", "sources", "formats", "patterns")
CHECKS = {"listed_first": ("reprints", "sources", "formats", "patterns"),
          "new_wording": ("reprints", "sources", "segmentation"),
          # leaving a source out cannot make another bureau use a term, so it tests nothing here
          "local_wording": ("reprints", "segmentation")}
"""Which other ways of counting bear on a headline; by default those of themes."""


# ----------------------------------------------------------------------------------------- all of them, with badges


def ordinary_view(run: Run, names: Names) -> View:
    """The view that the findings of a build are told from."""
    return replace(View.of(Corpus.of(run, names)), coding=Coding.of(run))


def all_findings(run: Run, names: Names, with_badges: bool = True, view: View | None = None) -> list[Finding]:
    """The findings of a build in the order of the report, with badges and evidence; last the coverage, which is no
    headline but a limit.

    Args:
        run: the build.
        names: what themes and regions are called.
        with_badges: count in other ways too. Without, a headline may name what does not stand in them.
        view: of `ordinary_view`; made when not given.
    """
    view = ordinary_view(run, names) if view is None else view
    found = {id_: make(view, names) for id_, make in HEADLINES.items()}
    if with_badges:
        found = _checked(run, names, view, found)
    found = {id_: _with_term_evidence(run, f) for id_, f in found.items()}
    found["closest_pair"] = _with_shared_texts(run, view, found["closest_pair"])
    return [*found.values(), covered_regions(view, names)]


def _checked(run: Run, names: Names, view: View, found: dict[str, Finding]) -> dict[str, Finding]:
    """The findings with badges; where several things could be said, made again from what stands in every view."""
    from .robustness import checks, failures

    made: dict[tuple[int, str], frozenset] = {}
    every = list(checks(run, view))

    def facts(id_: str, other: View) -> frozenset:
        if (id(other), id_) not in made:
            made[id(other), id_] = HEADLINES[id_](replace(other, bare=True), names).facts
        return made[id(other), id_]

    publisher = dict(zip(view.corpus.articles["article_id"], view.corpus.articles["publisher"], strict=True))

    def cited(finding: Finding) -> set[str]:
        return {publisher[s.rpartition("-")[0]] for s in finding.evidence}

    out = {}
    for id_, finding in found.items():
        if finding.grade == "too_little":
            out[id_] = finding
            continue
        of_kind = [check for check in every if check.id in CHECKS.get(id_, CHECKS_OF_THEMES)]
        claim, sources, told = finding.facts if id_ in CHOOSING else finding.claim, set(), finding
        while not sources or not cited(told) <= sources:  # what is told instead may rest on other sources
            sources |= cited(told)
            lost = {check: failures(claim, check.variants(sources), lambda other, id_=id_: facts(id_, other))
                    for check in of_kind}
            if id_ in CHOOSING:
                failed: dict[tuple, list] = {}
                for check, by_name in lost.items():
                    for fact in frozenset().union(*by_name.values()):
                        failed.setdefault(fact, []).append(check)
                told = HEADLINES[id_](replace(view, allowed=finding.facts.difference(failed), failed=failed), names)
            if not told.evidence:
                break
        if told.grade != "too_little" and told.claim:
            told = _with_badge(told, {check: [name for name, some in by_name.items() if some & told.claim]
                                      for check, by_name in lost.items()})
        out[id_] = told
    return out


def _with_badge(finding: Finding, lost: Mapping) -> Finding:
    """The finding with its badge: `lost` has, for each check, the names of the variants in which it does not stand."""
    zh, en = [], []
    for check, names in lost.items():
        some, n = [name for name in names if name][:N_NAMED], len(names)
        if names and not some:  # a check of one view
            zh.append(check.lost["zh"])
            en.append(check.lost["en"])
        if some:
            more, formats = n > len(some), [FORMATS[name] for name in some if name in FORMATS]
            # What is no format is a publisher: a name, which stays as it is and is quoted.
            zh.append("剔除" + ("、".join(s["zh"] for s in formats) if formats else
                              "来源" + "".join(f"“{name}”" for name in some))
                      + (f"等{n}个中的任一个" if more else "之一" if n > 1 else ""))
            en.append("without " + (" or ".join(s["en"] for s in formats) if formats
                                    else "the source " + " or ".join(f"“{name}”" for name in some))
                      + (f" or any of {n - len(some)} more" if more else ""))
    detail = {"zh": f"若{'，或'.join(zh)}，这句话就不再成立。",
              "en": f"It no longer stands {', nor '.join(en)}."} if zh else {}
    return replace(finding, detail=detail, badge={
        "holds": sum(not names for names in lost.values()), "of": len(lost),
        "checks": [{"zh": check.zh, "en": check.en, "short": {"zh": check.short_zh, "en": check.short_en},
                    "holds": not names} for check, names in lost.items()]})


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


_LISTING = re.compile("[^，。；：！？,;:!?]*(?:、[^，。；：！？,;:!?]*){2}")


def _with_shared_texts(run: Run, view: View, finding: Finding) -> Finding:
    """The closest pair with a caution where half of the statements that hold both themes or more are lists of three
    items or quote amounts or rates: what stands side by side there need not belong together."""
    if finding.grade == "too_little":
        return finding
    from .quantities import QuantityRules, extract_quantities

    corpus = view.corpus
    columns = [corpus.codes.index(finding.slice[name]) for name in ("theme", "other")]
    wanted = pd.Index(corpus.statement_id[corpus.theme[:, columns].all(axis=1)])
    texts = [row["text"] for part in read_parts(run.out, "statements", ["statement_id", "text"])
             for row in part.filter(wanted.get_indexer(part["statement_id"].to_pandas()) >= 0).to_pylist()]
    found = extract_quantities(texts, QuantityRules.load(run.place.codebook))
    n = sum(bool(_LISTING.search(text)) or any(q.kind in ("amount", "percent", "percentage_points") for q in quantities)
            for text, quantities in zip(texts, found, strict=True))
    if 2 * n < len(texts):
        return finding
    pair = len(finding.claim) > 1
    return replace(finding, caveat=_joined(finding.caveat, {
        "zh": f"{'第一对主题的' if pair else ''}同句的语句多半在罗列事项，或列举贷款等数字："
              "并列在一句里，未必是有意搭配。",
        "en": f"Most of the statements that hold both {'themes of the first pair' if pair else 'themes'} are lists or "
              "quote amounts and rates: what is named side by side need not be meant to go together."}))


def titles(found: Iterable[Finding]) -> dict[str, dict[str, str] | None]:
    """Titles for the figures of findings: stem of the figure → its title zh and en; None where a finding has nothing
    short to say, so that the figure speaks for itself."""
    return {f.figure: f.title or ({"zh": f.zh.rstrip("。"), "en": f.en.rstrip(".")} if f.grade == "too_little"
                                  else None) for f in found}


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
    """Those that are headlines: all but the coverage. Last come those that stand in fewer than half of the other ways
    of counting."""
    return sorted((f for f in findings if f.id in HEADLINES), key=_is_weak)


def _is_weak(finding: Finding) -> bool:
    return bool(finding.badge) and 2 * finding.badge["holds"] < finding.badge["of"]


def number_ledger(findings: Sequence[Finding]) -> pd.DataFrame:
    """One row for each figure printed in a finding or its caveat: finding, the figure in zh and en, numerator,
    denominator, the cell of the tables it comes from, and statements behind it (both as JSON)."""
    return pd.DataFrame([{"finding": f.id, "zh": x["zh"], "en": x["en"], "n": x["n"], "of": x["of"],
                          "cell": _text(x["cell"]), "evidence": _text(x["evidence"])}
                         for f in findings for x in (*f.numbers, *f.caveat_numbers)],
                        columns=["finding", "zh", "en", "n", "of", "cell", "evidence"])
