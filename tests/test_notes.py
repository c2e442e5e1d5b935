"""What notebooks say of their checks and of little material, and how values are told in tables."""

import pandas as pd
import pytest

from fengxiang import columns, display, notes
from fengxiang.charts import Names
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


def test_no_probability_is_told_as_nothing():
    frame = pd.DataFrame({"q": [0.0, 0.00049, 0.0009999, 0.001, 0.25, None], "n": 1})
    shown = display.table(columns.with_probabilities(frame, "q"), {"q": {"zh": "q", "en": "q", "format": ".3f"}})
    data = shown.bundle[display.TABLE]
    assert [row[0] for row in data["rows"]] == ["<0.001", "<0.001", "<0.001", "0.001", "0.250", display.MISSING]
    assert data["columns"][0]["numeric"]
    small = columns.Probability(0.004)
    assert f"{small:.2f} {small:.1%} {small}" == "<0.01 0.4% 0.004"


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
