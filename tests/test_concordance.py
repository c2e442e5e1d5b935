"""Statements behind a number, key words in context, and the wording of the regions: on a table of six sentences."""

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from ahocorasick_rs import AhoCorasick, MatchKind

from fengxiang import concordance, tables
from fengxiang.discovery import first_part
from fengxiang.run import Run
from fengxiang.workplace import Workplace

STATEMENTS = [  # id, article, year, regions, themes, text
    ("a-001", "a", 2026, ["深圳"], ["suptech"], "推进‘AI强监管’，强监管。"),
    ("a-002", "a", 2026, ["广西"], ["consolidation"], "深化农村中小金融机构改革。"),
    ("a-003", "a", 2026, ["河北", "天津", "深圳"], ["suptech"], "提出“监管数智化”等概念，还有别的许多话。"),
    ("b-001", "b", 2026, ["全国"], ["institution_risk"], "化解中小金融机构风险，防“爆雷”。"),
    ("b-002", "b", 2026, ["黑龙江", "全国"], [], "测算金融饱和度，防爆雷。"),
    ("c-001", "c", 2025, ["河北"], ["property_finance"], "监管数智化，白名单，白名单。"),
    ("c-002", "c", None, [], [], "没有年份的“白名单”。"),
]
EVIDENCE = {"a-001": [("suptech", 5, 8), ("suptech", 10, 13), ("suptech", 2, 7), ("opening", 0, 9)],
            "a-003": [("suptech", 3, 8)]}
TERMS = ["强监管", "AI强监管", "中小金融机构", "农村中小金融机构", "监管数智化", "金融饱和度", "爆雷", "白名单"]


def _table(name: str, rows: list[dict]) -> pa.Table:
    """Rows in the schema of a table; what they leave out is empty."""
    schema = tables.TABLES[name].schema
    blank = {f.name: None if f.nullable else [] if pa.types.is_list(f.type) else "" if pa.types.is_string(f.type) else 0
             for f in schema}
    return pa.Table.from_pylist([blank | row for row in rows], schema=schema)


@pytest.fixture(scope="module", params=["one file", "three parts"])
def run(request, tmp_path_factory) -> Run:
    out, codebook = tmp_path_factory.mktemp("out"), tmp_path_factory.mktemp("codebook")
    (codebook / "terms.txt").write_text("\n".join(TERMS) + "\n", encoding="utf-8")
    (codebook / "stopwords.txt").write_text("中小金融机构\n", encoding="utf-8")
    rows = [dict(zip(("statement_id", "article_id", "year", "regions", "themes", "text"), s, strict=True))
            | {"evidence": json.dumps(EVIDENCE.get(s[0], [])), "source_file": "a.txt"} for s in STATEMENTS]
    if request.param == "one file":
        tables.write_parquet(tables.path_of(out, "statements"), _table("statements", rows))
    else:
        for bucket, part in (("0", rows[:3]), ("10", []), ("11", rows[3:])):
            tables.write_parquet(tables.path_of(out, "statements") / f"part-{bucket}.parquet",
                                 _table("statements", part))
    articles = [{"article_id": a, "title": f"题{a}", "date": "2026"} for a in "abc"]
    tables.write_parquet(tables.path_of(out, "articles"), _table("articles", articles))
    return Run(Workplace(Path(out), Path(out), Path(codebook)))


def test_statements_by_text_theme_year_and_region(run):
    def ids(*args, **filters):
        return run.statements(*args, **filters)["statement_id"].tolist()

    assert ids("数智化") == ["a-003", "c-001"]
    assert ids(theme="suptech", year=2026) == ["a-001", "a-003"]
    assert ids(themes=["suptech"]) == ["a-001", "a-003"]
    assert ids(themes=["suptech", "consolidation"]) == []  # each stands alone
    assert ids(region="河北") == ["a-003", "c-001"]
    assert ids(region="全国", limit=1) == ["b-001"]
    assert run.statements(limit=1)["title"].tolist() == ["题a"]


def test_matches_in_texts_searched_as_one_stay_within_their_text():
    finder = AhoCorasick(["监管", "管强", "强监管"], matchkind=MatchKind.LeftmostLongest)
    texts = ["强监管", "", "监", "管强监管，监管", "𠮷监管"]
    assert concordance.matches_in(finder, texts).tolist() == [[0, 2, 0], [3, 1, 0], [3, 0, 2], [3, 0, 5], [4, 0, 1]]
    both = AhoCorasick(["监管", "强监管"])
    assert concordance.matches_in(both, texts[:1], overlapping=True).tolist() == [[0, 1, 0], [0, 0, 1]]
    assert concordance.matches_in(finder, []).tolist() == []


def test_lists_become_rows_with_their_place_in_the_table(run):
    frame = run.table("statements", ["statement_id", "regions"], explode="regions", categories=["regions"])
    assert frame["statement_id"].tolist() == ["a-001", "a-002", "a-003", "a-003", "a-003", "b-001", "b-002", "b-002",
                                              "c-001", "c-002"]
    assert frame["regions"].astype(object).tolist()[:9] == ["深圳", "广西", "河北", "天津", "深圳", "全国", "黑龙江",
                                                            "全国", "河北"]
    assert frame["regions"].isna().tolist() == [False] * 9 + [True]
    assert frame.index.tolist() == [0, 1, 2, 2, 2, 3, 4, 4, 5, 6]
    lists = run.table("statements", ["statement_id", "regions"]).explode("regions")
    assert frame["regions"].astype(object).dropna().tolist() == lists["regions"].dropna().tolist()
    assert frame.index.tolist() == lists.index.tolist()
    assert frame["regions"].cat.categories.tolist() == sorted({"深圳", "广西", "河北", "天津", "全国", "黑龙江"})


def test_a_list_can_become_rows_alone(run):
    alone = run.table("statements", ["themes"], explode="themes", categories=["themes"])["themes"]
    assert alone.isna().sum() == 2
    assert alone.value_counts().to_dict() == {"suptech": 2, "consolidation": 1, "institution_risk": 1,
                                              "property_finance": 1}


def test_only_the_first_rows_of_a_table(run):
    assert run.table("statements", ["statement_id"], limit=4)["statement_id"].tolist() == [
        "a-001", "a-002", "a-003", "b-001"]
    assert len(run.table("statements", ["statement_id"], limit=100)) == 7
    assert run.table("statements", ["statement_id"], limit=0).empty


def test_samples_are_the_first_statements_of_each_theme(run):
    frame = concordance.sample_statements(run, 1)
    assert frame.values.tolist() == [
        ["consolidation", "a-002", "深化农村中小金融机构改革。", "题a"],
        ["institution_risk", "b-001", "化解中小金融机构风险，防“爆雷”。", "题b"],
        ["property_finance", "c-001", "监管数智化，白名单，白名单。", "题c"],
        ["suptech", "a-001", "推进‘AI强监管’，强监管。", "题a"]]
    assert concordance.sample_statements(run, 2)["statement_id"].tolist()[-2:] == ["a-001", "a-003"]


def test_the_first_articles_by_identifier_that_hold_so_many_characters(run):
    def ids(n):
        return first_part(run, ["statement_id"], n)["statement_id"].tolist()

    sizes = {a: sum(len(s[-1]) for s in STATEMENTS if s[1] == a) for a in "abc"}
    assert sizes == {"a": 48, "b": 29, "c": 25}
    assert ids(1) == ids(76) == ["a-001", "a-002", "a-003"]
    assert ids(77) == ids(101) == ["a-001", "a-002", "a-003", "b-001", "b-002"]
    assert len(ids(102)) == 7


def test_a_key_word_in_context_once_for_each_occurrence(run):
    frame = concordance.kwic(run.out, "白名单", width=4, year=2025)
    assert frame[["left", "term", "right"]].values.tolist() == [
        ["数智化，", "白名单", "，白名单"], ["白名单，", "白名单", "。"]]
    assert len(concordance.kwic(run.out, "白名单", limit=1)) == 1
    with pytest.raises(ValueError, match="needs a term or a theme"):
        concordance.kwic(run.out, "")


def test_a_theme_in_context_where_it_is_stated(run):
    frame = concordance.kwic(run.out, theme="suptech", width=2, year=2026, region="深圳")
    assert frame[["left", "term", "right", "regions", "title", "date", "source_file"]].values.tolist() == [
        ["推进", "‘AI强监管", "’，", ["深圳"], "题a", "2026", "a.txt"],
        ["’，", "强监管", "。", ["深圳"], "题a", "2026", "a.txt"],
        ["出“", "监管数智化", "”等", ["河北", "天津", "深圳"], "题a", "2026", "a.txt"]]
    assert concordance.kwic(run.out, theme="suptech", year=2025).empty
    assert concordance.kwic(run.out, theme="consolidation").empty  # inherited: no words of its own
    assert concordance.kwic(run.out, "强监管", theme="suptech", limit=1)["left"].tolist() == ["推进‘AI"]


def test_the_longest_listed_term_is_found_even_when_another_is_asked_for(run):
    found = concordance.statements_with(run, ["强监管", "中小金融机构"])
    assert found[["term", "statement_id", "spans"]].values.tolist() == [
        ["强监管", "a-001", [(10, 13)]], ["中小金融机构", "b-001", [(2, 8)]]]
    assert concordance.statements_with(run, ["白名单"], year=2025)["spans"].tolist() == [[(6, 9), (10, 13)]]
    assert concordance.statements_with(run, ["改革"])["statement_id"].tolist() == ["a-002"]  # not listed, yet found
    assert concordance.statements_with(run, []).empty
    wanted = ["白名单", "强监管", "爆雷"]
    every = concordance.statements_with(run, wanted)
    assert every["term"].value_counts().to_dict() == {"白名单": 2, "强监管": 1, "爆雷": 2}
    first = concordance.statements_with(run, wanted, limit=1)
    pd.testing.assert_frame_equal(first, every.drop_duplicates("term").reset_index(drop=True), check_dtype=False)
    assert first.set_index("term")["spans"]["白名单"] == [(6, 9), (10, 13)]  # both places in one statement
    pd.testing.assert_frame_equal(concordance.statements_with(run, wanted, limit=2), every)


def test_terms_of_statements_are_those_found_with_their_statements(run):
    ids = run.table("statements", ["statement_id"])
    for terms in ([*TERMS, "改革"], ["中小金融机构"], []):
        found = concordance.statements_with(run, terms)[["statement_id", "term"]]
        joined = ids.join(concordance.terms_of_statements(run, terms)).dropna()
        assert sorted(joined.values.tolist()) == sorted(found.values.tolist())
    assert concordance.terms_of_statements(run, TERMS).index.is_monotonic_increasing


def test_the_wording_of_the_regions_rarest_first(run):
    frame = concordance.wording_by_region(run, TERMS, 2026)
    assert frame[["term", "regions", "national", "quoted", "n_statements", "statement_id"]].values.tolist() == [
        ["AI强监管", ["深圳"], False, True, 1, "a-001"],
        ["农村中小金融机构", ["广西"], False, False, 1, "a-002"],
        ["强监管", ["深圳"], False, False, 1, "a-001"],
        ["爆雷", ["黑龙江"], True, True, 2, "b-002"],
        ["金融饱和度", ["黑龙江"], True, False, 1, "b-002"],
        ["监管数智化", ["天津", "河北", "深圳"], False, True, 1, "a-003"]]
    assert frame.loc[0, "spans"] == [(3, 8)]
    assert concordance.wording_by_region(run, TERMS, 1999).empty


def test_coined_terms_are_those_in_quotation_marks_with_their_years(run):
    assert concordance.coined(run) == {"AI强监管": [2026], "爆雷": [2026], "白名单": [0], "监管数智化": [2026]}
    assert concordance.coined(run, ["爆雷", "强监管"]) == {"爆雷": [2026]}
    assert concordance.coined(run, []) == {}


def test_stop_words_are_listed_but_not_counted(run):
    assert run.terms == [t for t in TERMS if t != "中小金融机构"]
