"""Lists in texts: which runs of ordinals are one, and which themes each item names first."""

import pandas as pd

from fengxiang.enumerations import enumerations, item_themes, n_items

SIGNALS = ["会议传出四个信号：一是化解风险；", "二是防住房地产风险；", "三是减量提质；", "四是加强监管。"]


def found(texts: list[str], article: int = 0) -> list[tuple]:
    items = enumerations((article, row, text) for row, text in enumerate(texts))
    return [(r.list, r.style, r.rank, texts[r.row][r.start:r.end]) for r in items.itertuples()]


def test_a_list_goes_over_statements_and_begins_after_a_colon():
    assert found(SIGNALS) == [(0, "是", 1, "一是化解风险；"), (0, "是", 2, "二是防住房地产风险；"),
                              (0, "是", 3, "三是减量提质；"), (0, "是", 4, "四是加强监管。")]


def test_a_list_may_stand_in_one_statement_and_other_sentences_may_stand_between_its_items():
    assert found(["其一，甲；其二，乙；其三，丙。"]) == [
        (0, "其", 1, "其一，甲；"), (0, "其", 2, "其二，乙；"), (0, "其", 3, "其三，丙。")]
    assert [x[2] for x in found(["第一，甲。", "此外另有话说。", "第二，乙。", "第三，丙。"])] == [1, 2, 3]


def test_two_items_are_no_list_and_a_gap_ends_one():
    assert found(["一是甲；", "二是乙。"]) == []
    assert found(["一是甲；", "二是乙；", "四是丁。"]) == []


def test_a_new_first_item_begins_a_new_list_and_styles_do_not_mix():
    texts = ["一是甲；", "二是乙；", "三是丙。", "一是丁；", "二是戊；", "三是己。"]
    assert [(x[0], x[2]) for x in found(texts)] == [(0, 1), (0, 2), (0, 3), (3, 1), (3, 2), (3, 3)]
    assert found(["一是甲；", "其二，乙；", "第三，丙。"]) == []
    nested = ["第一，甲。", "一是子；", "二是丑；", "三是寅。", "第二，乙。", "第三，丙。"]
    assert [(x[0], x[1], x[2]) for x in found(nested)] == [
        (0, "第", 1), (0, "第", 2), (0, "第", 3), (1, "是", 1), (1, "是", 2), (1, "是", 3)]


def test_a_list_ends_with_its_article():
    texts = [(0, 0, "一是甲；"), (0, 1, "二是乙；"), (1, 2, "三是丙。")]
    assert enumerations(texts).empty


def test_ordinals_within_a_sentence_are_no_items():
    assert found(["这是第一是非；", "位居第二，", "全国第三，"]) == []
    assert found(["三季度第一次开会，第二次开会，第三次开会。"]) == []


def test_themes_of_an_item_are_those_its_own_words_name_in_their_order():
    items = enumerations((0, 0, text) for text in ["其一，房产和债务；其二，减量；其三，无。"])
    evidence = [("debt", 6, 8), ("property", 3, 5), ("consolidation", 12, 14), ("debt", 7, 8)]
    assert item_themes(items, [evidence] * 3) == [("property", "debt"), ("consolidation",), ()]
    assert item_themes(pd.DataFrame(columns=["start", "end"]), []) == []


def test_items_are_counted_again_in_the_text_of_the_article():
    text = "开头。\n" + "".join(SIGNALS) + "\n后来一是别的；二是别的。"
    assert n_items(text, "是", SIGNALS[0]) == 4
    assert n_items(text, "其", SIGNALS[0]) == 0
    assert n_items("没有", "是", SIGNALS[0]) == 0
    assert n_items("一是甲；一是乙；二是丙。", "是", "一是甲") == 1
