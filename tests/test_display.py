import html
import json
import re

import mistune
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fengxiang import display

BOTH = {"zh": "主题", "en": "Theme"}


def test_a_table_holds_formatted_cells_in_both_languages_and_names_its_thin_rows():
    frame = pd.DataFrame({"theme": ["green", "other"], "n": [1234.0, None], "share": [0.1234, -0.5],
                          "thin": [False, True]})
    shown = display.table(
        frame, {"theme": {**BOTH, "labels": {"green": {"zh": "绿色金融", "en": "Green finance"}}},
                "n": {"zh": "数", "en": "n", "format": ",d"}, "share": {"zh": "占比", "en": "Share", "format": ".1%"}},
        {"zh": "占比", "en": "Shares"}, mark_thin="thin", thin_note={"zh": "不足", "en": "too few"})
    assert shown.bundle[display.TABLE] == {
        "columns": [{**BOTH, "numeric": False}, {"zh": "数", "en": "n", "numeric": True},
                    {"zh": "占比", "en": "Share", "numeric": True}],
        "rows": [[{"zh": "绿色金融", "en": "Green finance"}, "1,234", "12.3%"], ["other", "—", "−50.0%"]],
        "n_rows": 2, "caption": {"zh": "占比", "en": "Shares"}, "thin": [1],
        "thin_note": {"zh": "不足", "en": "too few"}, "note": None}
    assert repr(shown) == "Theme\tn\tShare\n绿色金融\t1,234\t12.3%\nother\t—\t−50.0%"


def test_a_long_table_is_cut_and_says_how_long_it_is():
    data = display.table(pd.DataFrame({"a": range(9)}), max_rows=2).bundle
    assert data[display.TABLE]["rows"] == [["0"], ["1"]]
    assert data[display.TABLE]["n_rows"] == 9
    assert "<p>2 / 9</p>" in data["text/html"]


@pytest.mark.parametrize(("rows", "shown"), [(8, 8), (12, 12), (13, 8), (100, 8)])
def test_a_rest_shorter_than_half_of_what_is_shown_is_shown(rows, shown):
    data = display.table(pd.DataFrame({"a": range(rows)}), max_rows=8, file="data/processed/a.csv").bundle
    assert len(data[display.TABLE]["rows"]) == shown
    assert data[display.TABLE].get("file") == (None if shown == rows else "data/processed/a.csv")
    assert ("data/processed/a.csv" in data["text/html"]) is (shown < rows)


def test_differences_of_shares_have_their_unit_in_the_heading_and_fractions_stand_right():
    frame = pd.DataFrame({"d": [0.1234], "right": ["21/21"], "text": ["1/x"]})
    data = display.table(frame, {"d": {"zh": "差", "en": "gap", "format": "+.1pp"}, "right": {}, "text": {}}).bundle
    assert [(c["zh"], c["en"], c["numeric"]) for c in data[display.TABLE]["columns"]] == [
        ("差（百分点）", "gap (pp)", True), ("right", "right", True), ("text", "text", False)]
    assert data[display.TABLE]["rows"] == [["+12.3", "21/21", "1/x"]]


@pytest.mark.parametrize(("names", "sides"), [
    (["left", "term", "right", "year"], ["left", "term", "right", None]),
    (["year", "left", "term", "right"], [None, "left", "term", "right"]),
    (["left", "right", "term"], [None] * 3), (["term", "right"], [None] * 2)])
def test_only_the_columns_of_a_concordance_stand_around_its_word(names, sides):
    data = display.table(pd.DataFrame({name: ["x"] for name in names})).bundle
    assert [c.get("side") for c in data[display.TABLE]["columns"]] == sides
    aligned = re.findall(r'<td style="text-align:(\w+)', data["text/html"])
    around = {"left": "right", "term": "center", "right": "left", None: "left"}
    assert aligned == [around[side] for side in sides]


def test_grey_rows_are_explained_in_the_notebook():
    shown = display.table(pd.DataFrame({"a": [1]}), mark_thin=[True], thin_note={"zh": "不足", "en": "too few"})
    assert re.search(r"■</span> 不足 too few</p>", shown.bundle["text/html"])
    assert "■" not in display.table(pd.DataFrame({"a": [1]}), mark_thin=[False]).bundle["text/html"]


def test_a_table_of_a_column_that_is_not_there_is_refused():
    with pytest.raises(KeyError, match="b"):
        display.table(pd.DataFrame({"a": [1]}), {"b": BOTH})


def test_in_the_notebook_text_stands_left_numbers_right_and_short_text_on_one_line():
    """JupyterLab sets everything to the right, captions in the middle, and breaks 小微企业 over two lines."""
    frame = pd.DataFrame({"a": ["小微企业", "中小金融机构风险化解与处置"], "n": [1, 20]})
    shown = display.table(frame, {"a": BOTH, "n": {"zh": "数", "en": "n"}}, BOTH).bundle["text/html"]
    cells = re.findall(r'<(caption|th|td)[^>]* style="([^"]*)">(.*?)</', shown)
    assert [(name, re.search(r"text-align:(\w+)", style)[1], "nowrap" in style, text)
            for name, style, text in cells] == [
        ("caption", "left", False, "主题 Theme"), ("th", "left", False, "主题 Theme"), ("th", "right", False, "数 n"),
        ("td", "left", True, "小微企业"), ("td", "right", True, "1"),
        ("td", "left", False, "中小金融机构风险化解与处置"), ("td", "right", True, "20")]
    assert "tabular-nums" in shown


def test_text_of_a_table_is_escaped_for_the_notebook():
    shown = display.table(pd.DataFrame({"<i>": ["<script>alert(1)</script>"]}), caption="<b>").bundle["text/html"]
    assert re.findall(r"<(?:script|i|b)\b", shown) == []
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown


@pytest.mark.parametrize(("value", "spec", "shown"), [
    (None, "", "—"), (float("nan"), ".1%", "—"), (pd.NA, "", "—"), (pd.NaT, "", "—"), (0, "", "0"), (3.0, ",d", "3"),
    (-3, "d", "−3"), (0.5, "+.0%", "+50%"), (True, "", {"zh": "是", "en": "yes"}), ([], "", "—"),
    (["甲", "乙"], "", {"zh": "甲、乙", "en": "甲, 乙"}), (["甲"], "", "甲"), ("a\x1b[0m", "", "a[U+001B][0m"),
    (0.000065, ".3f", "<0.001"), (0.0004, ".1%", "<0.1%"), (0.004, ".0%", "<1%"), (0.0, ".3f", "0.000"),
    (0.0005001, ".3f", "0.001"), (0.0001, "+.1%", "+0.0%"), (-0.164, "+.1pp", "−16.4"), (0.0304, "+.1pp", "+3.0"),
    ({"zh": "甲", "en": "A"}, "", {"zh": "甲", "en": "A"}), (pd.Series(["甲", "乙"]).to_numpy(), "",
                                                           {"zh": "甲、乙", "en": "甲, 乙"}),
])
def test_a_value_shows_as(value, spec, shown):
    assert display.cell_text(value, spec) == shown


def test_prose_needs_both_languages_and_travels_as_both():
    shown = display.prose("占**12%**。", "**12%** of all.")
    assert shown.bundle == {display.PROSE: {"zh": "占**12%**。", "en": "**12%** of all."},
                            "text/markdown": "占**12%**。\n\n**12%** of all."}
    with pytest.raises(ValueError, match="both languages"):
        display.pair({"zh": "只有中文"})


def test_findings_keep_sentence_numbers_badge_and_evidence():
    row = {"id": "share", "zh": "占12.5%。", "en": "It is 12.5%.", "evidence": ["a-001"],
           "numbers": [{"zh": "12.5%", "en": "12.5%", "n": 1, "of": 8, "cell": {"what": "theme", "year": 2026}}],
           "badge": {"holds": 2, "of": 3, "checks": [{"zh": "去重", "en": "no reprints", "holds": True}]},
           "caveat": {"zh": "少", "en": "few"}, "figure": "shares"}
    expected = [{
        "id": "share", "zh": "占12.5%。", "en": "It is 12.5%.",
        "numbers": [{"zh": "12.5%", "en": "12.5%", "n": 1, "of": 8, "definition": None, "evidence": [],
                     "cell": {"what": "theme", "year": 2026}}],
        "evidence": ["a-001"],
        "badge": {"holds": 2, "of": 3, "checks": [{"zh": "去重", "en": "no reprints", "holds": True}]},
        "detail": None, "caveat": {"zh": "少", "en": "few"}, "figure": "shares"}]
    assert display.findings([row]).bundle[display.FINDINGS] == expected
    as_kept_in_csv = {key: json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else value
                      for key, value in row.items()}
    frame = pd.DataFrame([{**as_kept_in_csv, "detail": None}])
    assert display.findings(frame).bundle[display.FINDINGS] == expected


def test_findings_without_names_are_numbered():
    shown = display.findings([{"zh": "甲", "en": "A"}, {"zh": "乙", "en": "B"}]).bundle[display.FINDINGS]
    assert [f["id"] for f in shown] == ["F1", "F2"]


def test_a_number_must_stand_in_its_sentence_in_both_languages():
    with pytest.raises(ValueError, match=r"F1: “13%” does not stand in “It is 12%\.”"):
        display.findings([{"zh": "占12%。", "en": "It is 12%.", "numbers": [{"zh": "12%", "en": "13%"}]}])
    with pytest.raises(ValueError, match="both languages"):
        display.findings([{"zh": "占12%。", "en": ""}])


def test_evidence_takes_the_matches_from_the_statements_table_and_says_how_many_there_are():
    rows = [{"statement_id": "a-001", "text": "化解风险", "evidence": '[["risk", 2, 4], ["other", 0, 2]]',
             "title": "标题", "regions": ["北京"], "year": 2026}] * (display.MAX_EVIDENCE + 1)
    data = display.evidence(pd.DataFrame(rows)).bundle[display.EVIDENCE]
    assert data["total"] == display.MAX_EVIDENCE + 1
    assert len(data["statements"]) == display.MAX_EVIDENCE
    assert data["statements"][0] == {
        "text": "化解风险", "spans": [(0, 2), (2, 4)], "statement_id": "a-001", "title": "标题", "publisher": None,
        "date": None, "source_file": None, "url": None, "year": "2026", "regions": ["北京"]}


def test_metrics_are_formatted():
    data = display.metrics([{"zh": "文章", "en": "Articles", "value": 1234, "format": ",d"}]).bundle[display.METRICS]
    assert data == [{"name": {"zh": "文章", "en": "Articles"}, "value": {"zh": "1,234", "en": "1,234"}, "note": None}]


def test_what_is_shown_can_be_kept_as_json():
    frame = pd.DataFrame({"n": pd.Series([1], dtype="Int64"), "x": [0.5]})
    for shown in (display.table(frame), display.metrics([{"zh": "甲", "en": "A", "value": frame["n"].iloc[0]}]),
                  display.evidence([{"text": "甲", "year": frame["n"].iloc[0]}])):
        assert json.loads(json.dumps(shown.bundle)) is not None


@given(st.text())
def test_visible_text_holds_nothing_that_acts(text):
    shown = display.visible(text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]", shown)
    shown.encode("utf-8")
    if text.isprintable():
        assert shown == text


@given(st.text(alphabet="ab甲`*_[]()<>#+-.!|~$&\\:=^1\n 。<https://x.y>"))
def test_literal_text_shows_in_markdown_exactly_as_it_is(text):
    rendered = mistune.create_markdown(plugins=["table", "strikethrough"])("一" + display.literal(text) + "一")
    assert html.unescape(re.sub(r"^<p>|</p>\n$", "", rendered)) == "一" + " ".join(
        re.split(r"\s+", text)) + "一"
