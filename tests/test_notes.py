"""What notebooks say of their checks and of little material, and how values are told in tables."""

from pathlib import Path

import pandas as pd
import pytest

from fengxiang import columns, display, notes
from fengxiang.charts import Names
from fengxiang.coding import Codebook
from fengxiang.errors import UserError
from fengxiang.findings import Finding

NAMES = Names(themes={}, groups={}, regions={}, tiles={}, terms={"转嫁": "shifts", "白名单": "white list"})


def told(shown):
    return shown.bundle[display.PROSE]


def test_passed_checks_are_counted_and_a_failed_one_is_named():
    assert told(notes.passed({"a": True, "b": True})) == {"zh": "通过2项核对。", "en": "2 checks passed."}
    assert told(notes.passed({"a": True}))["en"] == "1 check passed."
    assert notes.failed({"a": True, "b": False, "c": False}) == "b; c"
    with pytest.raises(AssertionError, match=r"^b$"):
        notes.passed({"a": True, "b": False})


def test_numbers_that_were_counted_again_are_those_with_a_cell():
    number, bare = {"cell": {"what": "size"}}, {"cell": {}}
    finding = Finding("f", "", {}, None, None, None, 0, 0, "", "", "", numbers=[number, bare],
                      caveat_numbers=[number])
    assert "中的2个数" in told(notes.numbers_recounted([finding]))["zh"]


def test_a_network_of_few_statements_is_called_an_example():
    few = pd.DataFrame({"statement_id": ["a-1", "a-1", "b-1"], "article_id": ["a", "a", "b"]})
    assert told(notes.transmission_base(few)) == {
        "zh": "这里的传递关系来自2篇文章的2条语句。数量太少，只能当作例子来读，不能说明风险主要经由哪些渠道传递。",
        "en": "The ties come from 2 statements of 2 articles. That is too few for more than examples: they do not show "
              "by which channels risk mainly passes."}
    many = pd.DataFrame({"statement_id": [f"{i}" for i in range(30)], "article_id": [f"{i % 5}" for i in range(30)]})
    assert told(notes.transmission_base(many))["en"] == "The ties come from 30 statements of 5 articles."
    of_one = many.assign(article_id="a")
    assert "too few" in told(notes.transmission_base(of_one))["en"]


def test_themes_are_told_with_what_counts_and_what_does_not(tmp_path):
    theme = """
  - {{code: {0}, name_zh: 甲{0}, name_en: A{0}, group: g, definition_zh: 定义, definition_en: Meaning., {1}
     terms: [词{0}]}}"""
    (tmp_path / "themes.yml").write_text(
        "groups:\n  - {id: g, name_zh: 组, name_en: Group, colour: '#112233'}\nthemes:" + theme.format(
            "a", "include: 这些, include_en: These., exclude: 那些（用 b）；（用 c）, exclude_en: Those (under b)., ")
        + theme.format("b", "include: 只有中文, "), encoding="utf-8")
    (tmp_path / "deontic.yml").write_text(
        "grades:\n  - {id: must, name_zh: 必须, name_en: Duty, definition_zh: 必须, definition_en: Duty., "
        "terms: [必须]}\n",
        encoding="utf-8")
    shown = notes.theme_definitions(Codebook.load(tmp_path)).bundle[display.TABLE]
    assert shown["rows"] == [
        [{"zh": "甲a", "en": "Aa"}, {"zh": "组", "en": "Group"},
         {"zh": "定义。包括：这些。", "en": "Meaning. Included: These."},
         {"zh": "那些（归入“甲b”）；（用 c）", "en": "Those (under “Ab”)."}],
        [{"zh": "甲b", "en": "Ab"}, {"zh": "组", "en": "Group"},
         {"zh": "定义。包括：只有中文。", "en": "Meaning. Included: 只有中文"}, display.MISSING]]


def test_grades_are_defined_strongest_first():
    from fengxiang.coding import Codebook

    codebook = Codebook.load(Path(__file__).resolve().parent.parent / "codebook")
    rows = notes.grade_definitions(codebook).bundle[display.TABLE]["rows"]
    assert [name["en"] for name, _ in rows] == ["Prohibition", "Obligation", "Promotion", "Exploration"]
    assert all(means["zh"] and means["en"] for _, means in rows)


def test_stories_that_stand_in_several_rows_are_told():
    articles = pd.DataFrame([("s", "pdf", "in"), ("s", "docx", "in"), ("t", "pdf", "in"), ("t", "pdf", "in"),
                             ("u", "pdf", "out"), ("u", "docx", "out")], columns=["story_id", "format", "scope"])
    assert notes.stories_in_several_rows(articles, ["format"]) == {
        "zh": "稿件一栏，范围内各行相加是3，合起来只有2篇：有1篇稿件以不止一种格式收到，在每种格式各计一次。",
        "en": "The stories in scope add up to 3 over the rows, but are 2: 1 has arrived in more than one format and is "
              "counted in each."}
    assert notes.stories_in_several_rows(articles[articles["story_id"] != "s"], ["format"]) is None
    assert notes.stories_in_several_rows(articles.iloc[:0], ["format"]) is None


def test_notes_are_joined_and_spans_told():
    a, b = {"zh": "甲。", "en": "A."}, {"zh": "乙。", "en": "B."}
    assert notes.sentences(a, None, b) == {"zh": "甲。乙。", "en": "A. B."}
    assert columns.spans([4, 25], [1700, 25]) == [{"zh": "4—1,700", "en": "4–1,700"}, {"zh": "25", "en": "25"}]


def test_no_probability_is_told_as_nothing():
    frame = pd.DataFrame({"q": [0.0, 0.00049, 0.0009999, 0.001, 0.25, None], "n": 1})
    shown = display.table(columns.with_probabilities(frame, "q"), {"q": {"zh": "q", "en": "q", "format": ".3f"}})
    data = shown.bundle[display.TABLE]
    assert [row[0] for row in data["rows"]] == ["<0.001", "<0.001", "<0.001", "0.001", "0.250", display.MISSING]
    assert data["columns"][0]["numeric"]
    small = columns.Probability(0.004)
    assert f"{small:.2f} {small:.1%} {small}" == "<0.01 0.4% 0.004"


def test_a_number_beside_its_limit_is_told_with_as_many_digits_as_it_takes():
    frame = pd.DataFrame({"low": [1.0049, 0.99999999, 1.0, 1.01, 1.006, None], "n": 1})
    shown = display.table(columns.told_apart(frame, 1, "low"), {"low": {"zh": "低", "en": "low", "format": ".2f"}})
    data = shown.bundle[display.TABLE]
    assert [row[0] for row in data["rows"]] == ["1.005", "0.99999999", "1.00", "1.01", "1.01", display.MISSING]
    assert data["columns"][0]["numeric"]
    around = columns.told_apart(pd.DataFrame({"d": [-0.004, 0.0, 0.2]}), 0, "d")["d"]
    assert [f"{d:+.1f}" for d in around] == ["-0.004", "+0.0", "+0.2"]


def test_differences_of_shares_are_told_in_points():
    frame = pd.DataFrame({"change": [-0.1636, 0.05, None], "n": 1})
    shown = display.table(columns.in_points(frame, "change"), {"change": columns.MIX["change"]}).bundle[display.TABLE]
    assert [row[0] for row in shown["rows"]] == ["−16.4", "+5.0", display.MISSING]
    assert (shown["columns"][0]["zh"], shown["columns"][0]["en"]) == ("占比之差（百分点）", "change (pp)")
    assert frame["change"].tolist()[:2] == [-0.1636, 0.05]


def test_what_differs_between_sides_is_said_in_words():
    sides = [({"zh": "总局", "en": "National"}, {"zh": "北京", "en": "Beijing"}),
             ({"zh": "北京", "en": "Beijing"}, {"zh": "广东", "en": "Guangdong"}),
             ({"zh": "甲", "en": "A"}, {"zh": "乙", "en": "B"})]
    rows = [(0, True, 0.082), (0, True, 0.385), (0, False, None), (1, False, None), (2, True, 0.03), (2, True, 0.2)]
    frame = pd.DataFrame(rows, columns=["side", "supported", "q"])
    text = told(notes.pair_differences([frame[frame["side"] == i] for i in range(3)], sides))
    assert text["zh"] == ("总局与北京：可比的主题搭配有2对，差别都不显著（q最小为0.082）。"
                          "北京与广东：没有一对主题的材料多到可以比较。甲与乙：可比的主题搭配有2对，其中1对差别显著。")
    assert text["en"] == ("National and Beijing: 2 pairs of themes can be compared, and none differs significantly "
                          "(smallest q 0.082). Beijing and Guangdong: no pair of themes has enough material. "
                          "A and B: 2 pairs of themes can be compared; 1 differs significantly.")
    assert told(notes.pair_differences([], []))["zh"] == "有语句可归属的地区不到两个，无从比较。"


GLOSSARY = """
terms:
  - {zh: 区位商, en: location quotient, says_zh: 甲。, says_en: A., read_zh: 乙。, read_en: B., source: Isard (1960)}
"""


def test_the_glossary_is_a_table_of_the_codebook_s(tmp_path):
    (tmp_path / "glossary.yml").write_text(GLOSSARY, "utf-8")
    data = notes.glossary(tmp_path).bundle[display.TABLE]
    assert data["rows"] == [[{"zh": "区位商 location quotient", "en": "location quotient 区位商"},
                             {"zh": "甲。乙。", "en": "A. B."}, "Isard (1960)"]]
    assert notes.glossary(tmp_path / "none").bundle[display.TABLE]["n_rows"] == 0


@pytest.mark.parametrize(("old", "new", "message"), [
    ("says_zh: 甲。, ", "", "a term needs says_zh"), ("terms:", "words:", "“words” is not known here"),
    ("  - {zh", "  - 1\n  - {zh", "a term needs zh, en, says_zh")])
def test_a_broken_glossary_is_named_with_its_line(tmp_path, old, new, message):
    assert old in GLOSSARY
    (tmp_path / "glossary.yml").write_text(GLOSSARY.replace(old, new, 1), "utf-8")
    with pytest.raises(UserError, match=message) as error:
        notes.glossary(tmp_path)
    assert error.value.line


def test_the_glossary_explains_what_the_tables_are_headed_with():
    from pathlib import Path

    rows = notes.glossary(Path(__file__).parent.parent / "codebook").bundle[display.TABLE]["rows"]
    names = [display.pair(row[0])["zh"] for row in rows]
    for word in ("关键性", "NPMI", "logDice", "离散度", "区位商", "q", "右删失", "对数几率比", "精确率", "召回率", "F1",
                 "α"):
        assert any(word in name for name in names)
    assert len(set(names)) == len(names)


def test_terms_have_their_english_in_brackets():
    assert columns.glossed(["白名单", "未列词"], NAMES) == [
        {"zh": "白名单", "en": "白名单 (white list)"}, {"zh": "未列词", "en": "未列词"}]
    assert columns.glossed_lists([["转嫁、白名单", "转嫁"], []], NAMES) == [
        {"zh": "转嫁、白名单、转嫁", "en": "转嫁 (shifts), 白名单 (white list), 转嫁 (shifts)"}, {"zh": "", "en": ""}]


def test_units_with_a_name_are_told_in_english_and_measure_words_stand():
    frame = pd.DataFrame({"unit": ["元", "家", "%"]})
    shown = display.table(frame, {"unit": columns.QUANTITIES["unit"]}).bundle[display.TABLE]
    assert shown["rows"] == [[{"zh": "元", "en": "yuan"}], ["家"], ["%"]]


def test_every_verb_of_risk_passing_on_has_an_english_name():
    from pathlib import Path

    import yaml

    codebook = Path(__file__).parent.parent / "codebook"
    rows = yaml.safe_load((codebook / "transmission.yml").read_text("utf-8"))["verbs"]
    names = Names.load(codebook)
    assert not [word for row in rows for word in row["words"] if word not in names.terms]
