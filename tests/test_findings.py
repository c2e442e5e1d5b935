"""Findings: against measures computed from tables, on corpora small enough to count by hand, and on the shipped one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
import pytest

from fengxiang import build as build_module
from fengxiang import concordance, display, findings, gold, measures, recount, robustness, tables
from fengxiang.build import build
from fengxiang.charts import Names
from fengxiang.run import Run
from fengxiang.terms import read_words
from fengxiang.views import (
    ALL_YEARS,
    BUREAUS,
    NATIONAL_SIDE,
    Coding,
    Corpus,
    View,
    leave_places_out,
    leaves_places_out,
    more_places,
    strata,
)
from fengxiang.workplace import workplace

ROOT = Path(__file__).parent.parent
NAMES = Names(
    themes={c: {"zh": f"主题{c}", "en": f"Theme {c}", "group": "g"} for c in "abc"},
    groups={"g": {"zh": "组", "en": "Group", "colour": "#000000"}}, regions={"北京": "Beijing", "上海": "Shanghai",
                                                                            "全国": "National"},
    tiles={}, grades={"must": {"zh": "必须", "en": "Obligation"}, "may": {"zh": "可以", "en": "Permission"}})


def corpus(rows: list[tuple], terms=(), quoted=(), items=(), kinds=None, digests=(), unnamed=()) -> Corpus:
    """A corpus by hand: rows are (article, year, themes, side, binding); side is n, b, nb or empty."""
    rows = sorted(rows, key=lambda r: r[0])
    ids = sorted({r[0] for r in rows})
    kinds = kinds or {}
    articles = pd.DataFrame({"article_id": ids, "story_id": ids, "publisher": [i[0] for i in ids],
                             "source_format": "plain", "kind": [kinds.get(i, "review") for i in ids], "date": "2026",
                             "digest": [i in digests for i in ids]})
    place = {i: n for n, i in enumerate(ids)}
    columns = ["list", "article", "style", "rank", "row", "start", "end", "themes", "year", "said"]
    return Corpus(
        articles, np.array([f"{r[0]}-{n:03d}" for n, r in enumerate(rows)], object),
        np.array([place[r[0]] for r in rows], np.int64), np.array([r[1] for r in rows], np.int64), tuple("abc"),
        np.array([[c in r[2] for c in "abc"] for r in rows], np.uint8).reshape(-1, 3),
        np.array(["n" in r[3] for r in rows], bool), np.array(["b" in r[3] for r in rows], bool),
        np.array([r[4] for r in rows], bool), frozenset({"北京"}), pd.DataFrame(list(items), columns=columns),
        pd.DataFrame([(place[a], *rest) for a, *rest in terms], columns=["article", "term", "year", "region", "count"]),
        frozenset(quoted), frozenset(unnamed))


def many(prefix: str, year: int, n_articles: int, each: int, themes: str, side: str = "", binding: bool = False):
    """Rows for so many articles of so many statements, all alike."""
    return [(f"{prefix}{year}{i:02d}", year, themes, side, binding) for i in range(n_articles) for _ in range(each)]


def view(*args, **options) -> View:
    return View.of(corpus(*args, **options))


# ---- the arrays against the tables ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped(tmp_path_factory) -> Run:
    """The shipped corpus, built."""
    out = tmp_path_factory.mktemp("shipped")
    build(ROOT / "data/raw", out, ROOT / "codebook")
    return Run(workplace(ROOT / "data/raw", out, ROOT / "codebook"))


@pytest.fixture(scope="module")
def told(shipped) -> list[findings.Finding]:
    return findings.all_findings(shipped, shipped.names)


def test_the_arrays_hold_what_the_tables_hold(shipped):
    ordinary = View.of(Corpus.of(shipped, shipped.names))
    counts = shipped.table("theme_counts").set_index(["theme", "year", "region"])["n_statements"]
    for year in (ALL_YEARS, 2022, 2026):
        for side, region in (("all", "all"), (NATIONAL_SIDE, "全国")):
            shares = ordinary.shares(year, side)
            for i, code in enumerate(ordinary.corpus.codes):
                assert shares.n[i] == counts.get((code, year, region), 0), (code, year, region)


def test_a_corpus_read_part_by_part_is_the_same(shipped, tmp_path, monkeypatch):
    monkeypatch.setattr(build_module, "PARTITION_BYTES", 60_000)
    build(ROOT / "data/raw", tmp_path, ROOT / "codebook", workers=1)
    assert len(list(tables.read_parts(tmp_path, "statements", ["year"]))) > 3
    parted = Run(workplace(ROOT / "data/raw", tmp_path, ROOT / "codebook"))
    whole, again = (Corpus.of(run, run.names) for run in (shipped, parted))
    assert (whole.codes, whole.regions, whole.quoted) == (again.codes, again.regions, again.quoted)
    for name in ("statement_id", "article", "year", "theme", "national", "bureau", "binding"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(again, name), err_msg=name)
    pd.testing.assert_frame_equal(whole.items, again.items)
    keys = ["article", "term", "year", "region"]
    pd.testing.assert_frame_equal(*(c.terms.sort_values(keys, ignore_index=True) for c in (whole, again)))
    pd.testing.assert_frame_equal(*(robustness._texts_of(run, View.of(corpus)) for run, corpus in (
        (shipped, whole), (parted, again))))
    labels = gold.load(ROOT / "codebook" / "gold")
    compared = gold.compare(labels, shipped.table("statements", gold.COLUMNS))
    assert len(compared) > 500
    pd.testing.assert_frame_equal(gold.compare_build(labels, shipped.out), compared)
    assert gold.compare_build(labels, tmp_path)["id"].tolist() == compared["id"].tolist()


def test_changes_are_those_of_measures_on_the_table_of_articles(shipped):
    ordinary = View.of(Corpus.of(shipped, shipped.names))
    mine = findings.theme_changes(ordinary, 2022, 2026).set_index("theme")
    frame = shipped.table("article_themes", filters=[("region", "=", "all")])
    theirs = measures.trends(frame, [(2022, 2026)], themes=sorted(mine.index)).set_index("theme").loc[mine.index]
    for column in ("share_from", "share_to", "difference", "low95", "high95", "p", "q"):
        np.testing.assert_allclose(mine[column], theirs[column], atol=1e-12, err_msg=column)
    assert (mine["grade"] == theirs["grade"]).all()


def test_intervals_of_sides_are_those_of_clustered_articles(shipped):
    ordinary = View.of(Corpus.of(shipped, shipped.names))
    statements = shipped.table("statements", ["article_id", "regions", "themes"])
    rows = statements[[any(r != "全国" for r in regions) for regions in statements["regions"]]]
    hits = rows.assign(hit=["green" in t for t in rows["themes"]])
    by_article = hits.groupby("article_id")["hit"].agg(["sum", "size"])
    shares = ordinary.shares(ALL_YEARS, BUREAUS)
    i = ordinary.corpus.codes.index("green")
    assert (shares.n[i], shares.of) == (by_article["sum"].sum(), by_article["size"].sum())
    expected = measures.clustered_interval(by_article["sum"], by_article["size"])
    assert (shares.low[i], shares.high[i]) == pytest.approx(expected)


def test_a_view_by_article_counts_a_theme_once_and_one_of_some_articles_those_alone():
    ordinary = view([*many("x", 2026, 2, 3, "a"), ("y", 2026, "", "", True)])
    assert [part.tolist() for part in ordinary.sums(2026)] == [[[3, 0, 0], [3, 0, 0], [0, 0, 0]], [3, 3, 1], [0, 0, 1]]
    by_article = replace(ordinary, by_article=True)
    assert [part.tolist() for part in by_article.sums(2026)] == [
        [[1, 0, 0], [1, 0, 0], [0, 0, 0]], [1, 1, 1], [0, 0, 1]]
    some = replace(ordinary, keep=np.array([True, False, True]))
    assert some.sums(2026)[1].tolist() == [3, 1]
    assert {kind: (n, sums.tolist()) for kind, (n, sums) in some.by_kind(2026).items()} == {
        "plain": (4, [3, 0, 0, 1])}
    kinds = replace(some.corpus, articles=some.corpus.articles.assign(kind=["news", "news", "speech"]))
    assert {kind: (n, sums.tolist()) for kind, (n, sums) in replace(some, corpus=kinds).by_kind(2026).items()} == {
        "news": (3, [3, 0, 0, 0]), "speech": (1, [0, 0, 0, 1])}
    assert some.known_years == [2026]
    assert some.articles_of(2026, 2026).tolist() == [0, 2]
    assert some.articles_of(2027, 2030).tolist() == []


# ---- what may be said ----------------------------------------------------------------------------------------------


def test_a_superlative_is_refused_unless_the_interval_excludes_the_runner_up():
    clear = findings.leading_theme(view([*many("x", 2026, 12, 8, "a"), *many("y", 2026, 2, 4, "b")]), NAMES)
    assert clear.grade == "first"
    assert clear.zh == "2026年说得最多的主题是“主题a”，占104条语句的92.3%。"
    close = findings.leading_theme(view([*many("x", 2026, 6, 8, "a"), *many("y", 2026, 5, 8, "b")]), NAMES)
    assert close.grade == "among_first"
    assert close.zh == "2026年“主题a”占88条语句的54.5%；“主题b”与它的差距在误差之内，这2个主题分不出先后。"
    assert close.en == ("In 2026 “Theme a” takes 54.5% of 88 statements; “Theme b” is within error of it, so "
                        "these 2 cannot be ranked.")
    assert close.title == {
        "zh": "2026年“主题a”占54.5%，与另外1个主题分不出先后",
        "en": "In 2026, 54.5% of statements are on “Theme a”, within error of 1 other theme"}
    assert close.facts == {("top", 2026, "a"), ("top", 2026, "b")}


def test_the_first_theme_carries_a_caution_where_the_mix_of_kinds_of_articles_puts_it_there():
    # of plans every statement is on a, of reviews none; 2026 has mostly plans, all years together half and half
    rows = [*many("p", 2025, 4, 10, "a"), *many("r", 2025, 16, 10, "b"),
            *many("p", 2026, 16, 10, "a"), *many("r", 2026, 4, 10, "b")]
    kinds = {r[0]: {"p": "plan", "r": "review"}[r[0][0]] for r in rows}
    even = [*rows, *many("r", 2024, 1, 10, "b")]
    told = findings.leading_theme(view(even, kinds={**kinds, "r202400": "review"}), NAMES)
    assert told.grade == "first"
    # 200 plans and 210 reviews in all: a would have 200 of 410
    assert told.caveat["zh"] == ("各年材料的文章类别构成不同；按各年合计的构成拉平后，这一占比是48.8%，"
                                 "排在它前面的是“主题b”（51.2%）。")
    assert told.caveat["en"].endswith("this share would be 48.8%, and “Theme b” would stand before it (51.2%).")
    assert [x["zh"] for x in told.caveat_numbers] == ["48.8%", "51.2%"]
    both = findings.leading_theme(view([r if r[2] != "b" else (*r[:2], "bc", *r[3:]) for r in even],
                                       kinds={**kinds, "r202400": "review"}), NAMES)  # reviews are on c as well
    assert both.caveat["zh"].endswith("这一占比是48.8%，有2个主题在它前面，最高的是“主题b”（51.2%）。")
    assert both.caveat["en"].endswith("and 2 themes would stand before it, “Theme b” highest (51.2%).")
    # the same shares where every year has the same mix: nothing to be cautious of
    alike = [*many("p", 2025, 16, 10, "a"), *many("r", 2025, 4, 10, "b"), *rows[-200:]]
    alike_kinds = {r[0]: {"p": "plan", "r": "review"}[r[0][0]] for r in alike}
    assert findings.leading_theme(view(alike, kinds=alike_kinds), NAMES).caveat == {}
    # outside its interval, though still first
    rows = [*many("p", 2025, 10, 10, "a"), *many("r", 2025, 8, 10, "b"), *many("s", 2025, 8, 10, "c"),
            *many("p", 2026, 20, 10, "a"), *many("r", 2026, 1, 10, "b"), *many("s", 2026, 1, 10, "c")]
    kinds = {r[0]: r[0][0] for r in rows}
    told = findings.leading_theme(view(rows, kinds=kinds), NAMES)
    assert told.caveat["zh"] == "各年材料的文章类别构成不同；按各年合计的构成拉平后，这一占比是62.5%。"
    # in a year of kinds that the other years hardly have, the mix cannot be held still
    rows = [*many("q", 2025, 40, 10, "b"), *many("p", 2026, 16, 10, "a")]
    kinds = {r[0]: r[0][0] for r in rows}
    told = findings.leading_theme(view(rows, kinds=kinds), NAMES)
    assert "无法把类别构成拉平后再看" in told.caveat["zh"]


def test_thin_years_are_not_compared():
    thin = view([*many("x", 2026, 4, 20, "a"), *many("x", 2025, 5, 6, "b")])
    assert thin.years == [2025]
    assert thin.latest == 2026
    told = findings.leading_theme(thin, NAMES)
    assert told.grade == "too_little"
    assert told.zh == "2026年只有4篇文章、80条语句，材料太少（下限为30条语句、5篇文章），不比较哪个主题说得最多。"
    assert told.en == ("2026 has 4 articles and 80 statements, too little (at least 30 statements and 5 articles are "
                       "needed): which theme comes first is left open.")
    assert findings.changed_themes(thin, NAMES).zh.startswith("只有2025年有足够的材料")


def test_a_change_is_named_when_it_is_clear_and_not_made_by_the_mix():
    rows = [*many("x", 2022, 20, 5, "b"), *many("x", 2026, 20, 5, "a")]
    told = findings.changed_themes(view(rows), NAMES)
    assert told.zh == ("2022年到2026年，“主题a”由0.0%升至100.0%；“主题b”由100.0%降至0.0%（两年各有100条、100条语句）。")
    assert told.caveat == {}
    # the same numbers, but theme a belongs to plans and b to reviews, and the years differ in their kinds alone
    mixed = [*many("p", 2022, 4, 5, "a"), *many("r", 2022, 16, 5, "b"),
             *many("p", 2026, 16, 5, "a"), *many("r", 2026, 4, 5, "b")]
    kinds = {r[0]: {"p": "plan", "r": "review"}[r[0][0]] for r in mixed}
    told = findings.changed_themes(view(mixed, kinds=kinds), NAMES)
    assert told.grade == "no_clear_change"
    assert "“主题a”“主题b”的占比也变了，但两年材料的文章类别构成不同" in told.caveat["zh"]


def test_a_clear_change_that_is_left_out_is_named_with_the_test_it_failed():
    rows = [*many("x", 2022, 20, 5, "b"), *many("x", 2026, 20, 5, "a")]
    check = robustness.Check("sources", "逐个剔除来源", "each source left out", "剔除来源", "a source out",
                             lambda _: [])
    told = findings.changed_themes(replace(
        view(rows), allowed=frozenset({("rose", 2022, 2026, "a")}),
        failed={("fell", 2022, 2026, "b"): [check]}), NAMES)
    assert told.caveat == {
        "zh": "“主题b”（逐个剔除来源）的变化，区间虽不含0，却没有通过括号里的检验，所以也不列入。",
        "en": "“Theme b” (each source left out) changed by more than error too, but did not pass the test in brackets "
              "and is left out."}
    # q of three themes: with two that do not change at all, a p just under 0.05 is not enough
    assert findings._left_out_caveat({"a": []}, NAMES)["zh"].startswith("“主题a”（校正后q大于0.1）")
    assert findings._left_out_caveat({}, NAMES) == {}


def test_errors_of_coding_could_make_a_small_difference_but_no_large_one():
    coding = Coding({"a": (0.9, 0.9), "b": (0.5, 1.0)}, 0.95)
    # 30 % against 10 %: at worst 27 % against 11.1 %; the difference loses 4.1 points
    assert not coding.could_make("a", 0.3, 0.1, 0.05)
    assert coding.could_make("a", 0.3, 0.1, 0.04)
    # levels confused besides: 25.65 % against 11.7 %; it loses 6.05 points
    assert coding.could_make("a", 0.3, 0.1, 0.05, of_levels=True)
    assert not coding.could_make("a", 0.3, 0.1, 0.061, of_levels=True)
    assert coding.could_make("b", 0.3, 0.1, 0.14)  # loses 15 points
    assert coding.could_make("c", 0.9, 0.1, 0.7)  # never labelled
    rows = [*many("n", 2025, 10, 6, "a", "n"), *many("b", 2025, 10, 6, "b", "b")]
    made = view(rows)
    assert findings.national_and_regional(made, NAMES).caveat == {}
    told = findings.national_and_regional(replace(made, coding=Coding({"a": (0.9, 0.9)}, 1.0)), NAMES)
    assert told.caveat["zh"].startswith("编码并非全对：假如“主题b”的误判多到参照标注显示的上限")


def test_binding_wording_carries_a_caution_where_the_mix_of_kinds_makes_its_share():
    # every statement of plans binds, none of reviews; 2026 has mostly plans, all years together 200 of 400
    rows = [*many("p", 2025, 4, 10, "a", binding=True), *many("r", 2025, 16, 10, "b"),
            *many("p", 2026, 16, 10, "a", binding=True), *many("r", 2026, 4, 10, "b")]
    kinds = {r[0]: r[0][0] for r in rows}
    told = findings.binding_wording(view(rows, kinds=kinds), NAMES)
    assert told.zh.startswith("2026年200条语句中，80.0%用了")
    assert told.caveat["zh"].endswith("所以不说升降。按各年合计的构成拉平后，2026年的占比是50.0%。")
    assert told.caveat["en"].endswith("change. With the mix of all years together the share of 2026 would be 50.0%.")
    # 2025 is too thin for a change, and the mix has not been spoken of: 170 of 360
    thin = [*many("p", 2025, 1, 10, "a", binding=True), *many("r", 2025, 3, 50, "b"), *rows[-200:]]
    alone = findings.binding_wording(view(thin, kinds={r[0]: r[0][0] for r in thin}), NAMES)
    assert alone.caveat["zh"] == "各年材料的文章类别构成不同；按各年合计的构成拉平后，2026年的占比是47.2%。"
    assert alone.caveat["en"].startswith("The years hold different kinds of articles; with the mix of all years")
    assert told.caveat_numbers[-1]["cell"] == {"what": "standardised", "theme": "binding", "year": 2026}
    alike = [*rows[:40], *many("r", 2025, 1, 10, "b"), *many("p", 2026, 4, 10, "a", binding=True),
             *many("r", 2026, 1, 10, "b")]
    assert findings.binding_wording(view(alike, kinds=kinds), NAMES).caveat == {}


def test_wording_in_digests_may_be_the_writers():
    rows = many("x", 2026, 20, 5, "a", binding=True)
    told = findings.binding_wording(view(rows, digests={"x202600", "x202601", "x202602"}), NAMES)
    assert told.caveat["zh"].startswith("2026年的全部语句中，至少15.0%出自注明原文标题的摘编")
    assert [(x["n"], x["of"]) for x in told.caveat_numbers] == [(15, 100)]
    assert findings.binding_wording(view(rows, digests={"x202600"}), NAMES).caveat == {}  # 5 %


LISTS_OF_PLACES = [
    ("概念见于甲地、北京、上海等多地监管局的表述", 2, True), ("北京、上海等地", 2, True),
    ("北京、上海等2地", 2, False), ("北京、上海等两地监管局", 2, False),
    ("北京、上海等三地", 2, True), ("北京市等", 1, True), ("上海监管局等部门", 1, True),
    ("北京、上海两地", 2, False), ("北京推进水电等工程", 1, False), ("北京等多地", 0, False),
    ("上海等一批城市", 1, True)]


@pytest.mark.parametrize(("text", "n", "more"), LISTS_OF_PLACES)
def test_a_list_of_places_that_goes_on(text, n, more):
    assert leaves_places_out(text, n, more_places(["北京", "上海", "全国"])) is more


@pytest.mark.parametrize("first", [0, 3, 9])
def test_lists_of_places_that_go_on_are_told_in_a_column(first):
    some = LISTS_OF_PLACES[first:]
    texts = pyarrow.chunked_array([[text for text, *_ in some]])
    places = ["北京", "上海", "全国"]
    regions = pyarrow.chunked_array([[places[:n] for _, n, _ in some]], pyarrow.list_(pyarrow.string()))
    assert leave_places_out(texts, regions, more_places(places)).tolist() == [more for *_, more in some]
    assert not leave_places_out(texts, regions, more_places(["全国"])).any()  # no place that could be named
    assert leave_places_out(texts[:0], regions[:0], more_places(["北京"])).tolist() == []


def test_of_several_facts_only_allowed_ones_are_said():
    rows = [*many("x", 2022, 20, 5, "b"), *many("x", 2026, 20, 5, "a")]
    told = findings.changed_themes(replace(view(rows), allowed=frozenset({("rose", 2022, 2026, "a")})), NAMES)
    assert told.claim == {("rose", 2022, 2026, "a")}
    assert "主题b" not in told.zh


def test_national_and_regional_need_three_articles_and_material_on_both_sides():
    rows = [*many("n", 2025, 10, 6, "a", "n"), *many("b", 2025, 10, 6, "b", "b")]
    told = findings.national_and_regional(view(rows), NAMES)
    assert told.zh == ("各年合计，总局比地方局更多谈“主题a”（100.0%，地方局0.0%），"
                       "更少谈“主题b”（0.0%，地方局100.0%）。")
    few = [*many("n", 2025, 2, 30, "a", "n"), *many("m", 2025, 8, 1, "", "n"), *many("b", 2025, 10, 6, "b", "b")]
    assert findings.national_and_regional(view(few), NAMES).claim == {("regional", "b")}
    alone = findings.national_and_regional(view(many("n", 2025, 10, 6, "a", "n")), NAMES)
    assert alone.zh == "归属于地方局的语句太少（下限为30条语句、5篇文章），不比较总局与地方局。"


def test_a_difference_of_years_is_no_difference_of_sides():
    rows = [*many("n", 2022, 10, 6, "a", "n"), *many("b", 2022, 2, 6, "a", "b"),
            *many("n", 2026, 2, 6, "b", "n"), *many("b", 2026, 10, 6, "b", "b")]
    assert "总局与地方局的材料分布在不同年份" in findings.national_and_regional(view(rows), NAMES).caveat["zh"]
    rows = [*many("p", 2025, 10, 6, "a", "n"), *many("q", 2025, 2, 6, "a", "b"),
            *many("r", 2025, 2, 6, "b", "n"), *many("s", 2025, 10, 6, "b", "b")]
    kinds = {r[0]: {"p": "plan", "q": "plan", "r": "review", "s": "review"}[r[0][0]] for r in rows}
    caveat = findings.national_and_regional(view(rows, kinds=kinds), NAMES).caveat
    assert caveat["zh"] == "总局与地方局的材料类别不同；逐类比较再合计，“主题a”“主题b”的差别消失、减半或反向。"


def test_binding_wording_is_compared_where_the_kinds_of_articles_are_alike():
    rows = [*many("x", 2022, 20, 5, "a"), *many("x", 2026, 20, 5, "a", binding=True)]
    told = findings.binding_wording(view(rows), NAMES)
    assert told.grade == "rose"
    assert told.zh.endswith("，与2022年的0.0%相比上升。")
    kinds = {r[0]: "plan" if r[4] else "review" for r in rows}
    told = findings.binding_wording(view([*rows, ("z", 2022, "a", "", True), ("z", 2026, "a", "", False)],
                                         kinds=kinds), NAMES)
    assert told.grade in ("share", "rose")


def test_the_closest_pair_is_one_only_where_the_next_is_clearly_looser():
    rows = [*many("x", 2026, 12, 4, "ab"), *many("y", 2026, 12, 4, "c"), *many("z", 2026, 12, 4, "")]
    told = findings.closest_pair(view(rows), NAMES)
    assert told.grade == "closest"
    assert told.zh == "结合最紧的两个主题是“主题a”“主题b”（同句48条，为互不相干时的3.0倍）。"
    rows = [*many("x", 2026, 6, 4, "ab"), *many("y", 2026, 6, 4, "bc"), *many("z", 2026, 24, 4, "")]
    told = findings.closest_pair(view(rows), NAMES)
    assert told.grade == "together"
    assert told.zh.startswith("结合紧密、在所试各种口径下都成立的主题有2对："
                              "“主题a”“主题b”（同句24条，为互不相干时的3.0倍）、")
    assert told.title["zh"] == "“主题a”“主题b”常同句出现，为互不相干时的3.0倍"
    assert told.claim == {("pair", "a", "b"), ("pair", "b", "c")}
    assert told.facts - told.claim == {("closest", "a", "b"), ("closest", "b", "c")}
    one = findings.closest_pair(replace(view(rows), allowed=frozenset({("pair", "b", "c")})), NAMES)
    assert one.zh == ("结合紧密、在所试各种口径下都成立的主题组合只有一对："
                      "“主题b”“主题c”（同句24条，为互不相干时的3.0倍）。")
    assert one.title == {
        "zh": "各种口径下都成立的搭配只有“主题b”“主题c”一对，为互不相干时的3.0倍",
        "en": "Only “Theme b” and “Theme c” go together in every recount, 3.0 times as often as by chance"}
    none = findings.closest_pair(replace(view(rows), allowed=frozenset()), NAMES)
    assert none.zh == "没有哪两个主题的搭配在所试各种口径下都成立。"
    assert findings.closest_pair(view(many("x", 2026, 5, 8, "a")), NAMES).grade == "too_little"


def test_lists_are_told_in_their_order():
    def items(article, first, themes, said=True):
        return [(first, article, "是", n, first + n - 1, 0, 5, t, 2026, said) for n, t in enumerate(themes, 1)]

    rows = many("x", 2026, 3, 4, "")
    one = view(rows, items=items(0, 0, [("a",), ("b", "c"), ()]))
    told = findings.listed_first(one, NAMES)
    assert told.zh == "2026年的材料里有一份分条列出的重点，共3条，依次是：“主题a”；“主题b”“主题c”；（不归入任何主题）。"
    assert told.evidence == ["x202600-000", "x202600-001", "x202600-002"]
    assert told.caveat == {}
    # no regulator is found to speak where it opens: it is told as the writer's
    written = findings.listed_first(view(rows, items=items(0, 0, [("a",), ("b", "c"), ()], said=False)), NAMES)
    assert written.zh == "2026年的材料里，一篇文章把要点归为3点，依次是：“主题a”；“主题b”“主题c”；（不归入任何主题）。"
    assert written.en == ("One article in the material of 2026 sums up what matters in 3 points: “Theme a”; “Theme b” "
                          "and “Theme c”; (no theme).")
    assert written.numbers[0]["zh"] == "3点"
    assert "先后也由作者排定" in written.caveat["zh"]
    assert "its order is the writer’s" in written.caveat["en"]
    two = view(rows, items=[*items(0, 0, [("a",), ("b",), ("c",)]), *items(1, 4, [("a",), ("b",), ("c",), ("a",)])])
    told = findings.listed_first(two, NAMES)
    assert told.zh.startswith("2026年的材料里有2份分条列出的重点，其中2份以“主题a”打头；条目最多的一份共4条")
    assert told.caveat == {}
    two = view(rows, items=[*items(0, 0, [("a",), ("b",), ("c",)]),
                            *items(1, 4, [("a",), ("b",), ("c",), ("a",)], said=False)])
    told = findings.listed_first(two, NAMES)
    assert told.caveat["zh"].startswith("条目最多的这份清单开头的语句没有归给任何监管部门")
    assert findings.listed_first(view(rows), NAMES).zh == "2026年的材料里没有分条列出三项以上重点的清单，看不出排序。"


def test_new_and_local_wording():
    rows = [*many("x", 2025, 5, 8, ""), *many("x", 2026, 5, 8, "")]
    terms = [("x202500", "老词", 2025, "all", 1), *[(f"x20260{i}", "老词", 2026, "all", 1) for i in range(4)],
             *[(f"x20260{i}", "新词", 2026, "all", 2) for i in range(3)],
             *[(f"x20260{i}", "平常", 2026, "all", 1) for i in range(5)],
             ("x202600", "新词", 2026, "北京", 1), ("x202601", "新词", 2026, "全国", 1),
             ("x202602", "独“词”", 2026, "上海", 1), ("x202600", "共用", 2026, "北京", 1),
             ("x202601", "共用", 2026, "上海", 1),
             *[("x202603", "平常", 2026, region, 1) for region in ("全国", "天津", "河北", "山西")]]
    made = view(rows, terms=terms, quoted={("新词", 2026), ("老词", 2026)})
    told = findings.new_wording(made, NAMES)
    assert told.zh == "谈2026年度工作的材料里，有1个加引号的提法首次出现，且至少见于3篇稿件：“新词”（3篇）。"
    assert told.en == ("In the material on the work of 2026, 1 quoted term turns up for the first time, in at least 3 "
                       "stories: “新词” (3 stories).")
    assert [(x["n"], x["of"]) for x in told.numbers] == [(1, None), (3, 5)]  # of all stories of the year
    assert "谈此前各年的5篇文章没有用过" in told.caveat["zh"]
    told = findings.local_wording(made, NAMES)
    assert told.zh == ("2026年有1个提法在材料中只见于一个地方局，总局和其他地方局历年都没有用过："
                       "“独‘词’”（上海）；“共用”只见于北京、上海。")
    assert told.en.endswith("“独‘词’” (Shanghai); “共用” is found only in Beijing and Shanghai.")
    assert told.claim == {(2026, "独“词”", ("上海",)), (2026, "共用", ("北京", "上海"))}
    assert told.caveat["zh"].startswith("只就所收材料而言，2026年用到词表所列提法的地方局共5个")
    open_ = findings.local_wording(view(rows, terms=terms, unnamed={"独“词”", "共用"}), NAMES)
    assert open_.zh == "2026年“共用”见于北京、上海等地，原句没有逐一点名。"
    assert open_.en == "In 2026, “共用” is found with Beijing and Shanghai, among others."
    assert open_.facts == {(2026, "共用", ("北京", "上海"))}
    few = view(rows, terms=[t for t in terms if t[3] != "山西"])
    assert findings.local_wording(few, NAMES).zh == (
        "2026年的材料里用到词表所列提法的地方局只有4个（下限为5个），谈不上哪个提法只见于一地。")


@pytest.mark.parametrize("rows", [[], [("a", 0, "a", "b", True)], [("a", 2026, "", "", False)]])
def test_next_to_nothing_is_told_in_good_prose(rows):
    poor = view(rows)
    for make in findings.HEADLINES.values():
        told = make(poor, NAMES)
        assert told.grade == "too_little", told
        assert told.zh.endswith("。")
        assert told.en.endswith(".")
        assert "nan" not in told.zh + told.en
        assert "0年" not in told.zh.replace("2026年", "")


# ---- badges --------------------------------------------------------------------------------------------------------


def test_a_fact_fails_where_it_was_true_and_is_no_more():
    ordinary, other = view([]), view([])
    facts = {id(ordinary): frozenset("ab"), id(other): frozenset("b")}
    variants = [robustness.Variant(other, ordinary, "x"), robustness.Variant(ordinary, ordinary, "y")]
    assert robustness.failures(frozenset("ab"), variants, lambda v: facts[id(v)]) == {"x": {"a"}}
    assert robustness.failures(frozenset("c"), variants, lambda v: facts[id(v)]) == {}


def test_every_theme_loses_the_line_that_finds_most_for_it(shipped):
    codebook = shipped.codebook
    weaker = robustness.without_best_lines(codebook, ["爆雷爆雷风险"], [[("institution_risk", 0, 2)]])
    before, after = ({t.code: t.lines for t in c.themes} for c in (codebook, weaker))
    assert {code: len(before[code]) - len(after[code]) for code in before} == {
        code: int(len(lines) > 1) for code, lines in before.items()}
    gone = set(before["institution_risk"]) - set(after["institution_risk"])
    if any(a in "爆雷" for line in before["institution_risk"] for a in line.anchors):
        assert any(a in "爆雷" for line in gone for a in line.anchors)


def test_recoding_with_the_same_codebook_changes_nothing(shipped):
    ordinary = View.of(Corpus.of(shipped, shipped.names))
    again = robustness.recoded(shipped, ordinary, robustness._texts_of(shipped, ordinary), shipped.codebook)
    assert (again.theme == ordinary.corpus.theme).all()
    pd.testing.assert_frame_equal(again.items, ordinary.corpus.items)


def test_badges_say_which_source_a_finding_hangs_on(told):
    badges = {f.id: f.badge for f in told if f.badge}
    assert set(badges) <= set(findings.HEADLINES)
    for badge in badges.values():
        assert badge["of"] == len(badge["checks"]) == len({c["zh"] for c in badge["checks"]})
        assert badge["holds"] == sum(c["holds"] for c in badge["checks"])
        for check in badge["checks"]:  # heads of columns
            assert 2 <= len(check["short"]["zh"]) <= 5
            assert max(map(len, check["short"]["en"].split())) <= 9
    by_id = {f.id: f for f in told}
    for id_ in findings.CHOOSING:  # they say what stands in every other way of counting
        assert by_id[id_].grade == "too_little" or by_id[id_].badge["holds"] == by_id[id_].badge["of"]
    assert by_id["listed_first"].detail["zh"] == (
        "若剔除来源“财经”，或剔除报纸版面，或各主题去掉最管用的一条规则，这句话就不再成立。")
    assert by_id["listed_first"].detail["en"] == (
        "It no longer stands without the source “财经”, nor without newspaper pages, nor with each theme stripped of "
        "its most productive pattern.")


def test_headlines_that_stand_in_fewer_than_half_of_the_checks_come_last():
    def finding(id_, *badge):
        return findings.Finding(id_, "", {}, None, None, None, 0, 0, "", "", "",
                                badge=dict(zip(("holds", "of"), badge, strict=False)))

    found = [finding("leading_theme", 2, 5), finding("listed_first", 2, 4), finding("changed_themes"),
             finding("new_wording", 0, 3), finding("closest_pair", 5, 5), finding("covered_regions")]
    assert [f.id for f in findings.headlines(found)] == [
        "listed_first", "changed_themes", "closest_pair", "leading_theme", "new_wording"]


# ---- the ledger ----------------------------------------------------------------------------------------------------


def test_five_to_eight_headlines_each_with_evidence_that_is_there(shipped, told):
    headlines = findings.headlines(told)
    assert 5 <= len([f for f in headlines if f.grade != "too_little"]) <= 8
    known = set(shipped.table("statements", ["statement_id"])["statement_id"])
    for f in told:
        assert f.evidence or f.grade == "too_little", f.id
        assert set(f.evidence) <= known
    display.findings(findings.as_rows(told))


def test_prose_and_data_agree_and_a_wrong_number_is_found(shipped, told):
    assert recount.mismatches(told, shipped) == []
    for f in told:
        for k, number in enumerate(f.numbers):
            cell = number["cell"]
            if not cell:
                continue
            wrong = [{**number, "n": (number["n"] or 0) + 1, "zh": number["zh"],
                      "cell": {**cell, **({"n": cell["n"] + 1} if "n" in cell else {}),
                               **({"regions": ["北京"]} if cell["what"] == "term_regions" else {})}}]
            if cell["what"] == "pair_ratio":
                wrong[0]["zh"] = "99.9倍"
            spoilt = replace(f, numbers=[*f.numbers[:k], *wrong, *f.numbers[k + 1:]])
            assert recount.mismatches([spoilt], shipped), (f.id, cell)
    of_caveats = [(f, k) for f in told for k in range(len(f.caveat_numbers))]
    assert {f.caveat_numbers[k]["cell"]["what"] for f, k in of_caveats} == {"standardised", "binding", "digests"}
    for f, k in of_caveats:
        number = f.caveat_numbers[k]
        spoilt = replace(f, caveat={lang: text.replace(number[lang], "99.9%") for lang, text in f.caveat.items()},
                         caveat_numbers=[{**number, "zh": "99.9%", "en": "99.9%"}])
        assert recount.mismatches([spoilt], shipped), number
    spoilt = replace(told[0], zh=told[0].zh.replace("2", "3"))
    assert any("does not stand in" in p for p in recount.mismatches([spoilt], shipped))


def test_the_ledgers_hold_every_finding_and_every_number(told):
    frame, numbers = findings.as_frame(told), findings.number_ledger(told)
    assert frame["id"].tolist() == [*findings.HEADLINES, "covered_regions"]
    assert len(numbers) == sum(len(f.numbers) + len(f.caveat_numbers) for f in told)
    assert all(json.loads(row) for row in numbers["cell"])


def test_the_same_inputs_give_the_same_findings(shipped, told):
    again = findings.all_findings(shipped, shipped.names)
    assert findings.as_frame(again).equals(findings.as_frame(told))


def test_a_pair_that_shares_lists_and_figures_carries_a_caution(shipped, told, monkeypatch):
    pair = next(f for f in told if f.id == "closest_pair")
    said = "同句的语句多半在罗列事项，或列举贷款等数字"
    assert said in pair.caveat["zh"]
    ordinary = View.of(Corpus.of(shipped, shipped.names))
    bare = replace(pair, caveat={})
    assert said in findings._with_shared_texts(shipped, ordinary, bare).caveat["zh"]

    def plain(out, name, columns):
        for part in tables.read_parts(out, name, columns):
            yield part.set_column(1, "text", pyarrow.array(["绿色信贷支持当地发展，两者并举。"] * len(part)))

    monkeypatch.setattr(findings, "read_parts", plain)
    assert findings._with_shared_texts(shipped, ordinary, bare).caveat == {}


def test_the_mix_is_of_kinds_or_else_of_files():
    frame = pd.DataFrame({"article_id": ["a", "b"], "kind": ["x", None], "source_format": ["json", "plain"]})
    assert strata(frame) == {"a": "json", "b": "plain"}
    assert strata(frame.assign(kind=["x", "y"])) == {"a": "x", "b": "y"}


# ---- what the journalists found by hand, from the shipped digests ---------------------------------------------------


def test_the_four_signals_of_2026_are_found_in_their_order(told):
    listed = next(f for f in told if f.id == "listed_first")
    assert listed.slice == {"year": 2026, "themes": [
        ["institution_risk"], ["property_finance", "local_debt"], ["consolidation"], ["strong_supervision"]]}
    # “the signals of the meeting can be put into four” are the paper's words
    assert listed.zh.startswith("2026年的材料里，一篇文章把要点归为4点，依次是：")
    assert "先后也由作者排定" in listed.caveat["zh"]
    assert findings.headlines(told)[-1].id == "listed_first"


def test_the_wording_of_the_bureaus_in_2026(shipped, told):
    wording = concordance.wording_by_region(shipped, read_words(ROOT / "codebook/terms.txt"), 2026).set_index("term")
    assert wording["regions"][["监管数智化", "AI强监管", "白名单", "金融饱和度", "一地一策"]].to_dict() == {
        "监管数智化": ["天津", "河北", "深圳"], "AI强监管": ["深圳"], "白名单": ["河北"], "金融饱和度": ["黑龙江"],
        "一地一策": ["黑龙江"]}
    # the digest tells of Guangxi's early and effective supervision in other words than 监管前瞻性
    assert wording["regions"]["及早预警"] == ["广西"]
    local = next(f for f in told if f.id == "local_wording")
    assert {t: r for _, t, r in local.claim}["AI强监管"] == ("深圳",)
    assert {t: r for _, t, r in local.claim}["监管数智化"] == ("天津", "河北", "深圳")


def test_the_strategies_of_the_regions_in_2022(shipped):
    wording = concordance.wording_by_region(shipped, read_words(ROOT / "codebook/terms.txt"), 2022).set_index("term")
    expected = {"北京": ["四个中心", "“五子”联动", "房住不炒", "灰犀牛"],
                "青海": ["国家公园示范省"], "广东": ["十大工程"],
                "上海": ["三大任务一大平台", "五型经济", "四大功能", "3+6"], "海南": ["3+1", "自贸港"]}
    for region, terms in expected.items():
        for term in terms:
            assert wording["regions"][term] == [region], term
    assert "天津" in wording["regions"]["两增"]


def test_the_bureaus_that_speak_and_those_of_which_nothing_is_known(told):
    coverage = told[-1]
    assert coverage.claim == {("missing", r) for r in ("大连", "宁波", "甘肃", "宁夏")}
