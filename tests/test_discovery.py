"""New terms: cohesion and entropy counted by hand, what is left out, and quoted wording."""

import math

import pandas as pd
import pytest

from fengxiang.discovery import new_terms, quoted_terms
from fengxiang.terms import Lexicon

# 帐篷银行 stands in five sentences of three articles, each time between other characters; it is cut in two.
TEXTS = ["甲帐篷银行乙", "丙帐篷银行丁", "戊帐篷银行己", "庚帐篷银行辛", "壬帐篷银行癸"]
ARTICLES = ["a", "a", "b", "b", "c"]


def proposed(texts=TEXTS, articles=ARTICLES, lexicon=None, **options) -> pd.DataFrame:
    return new_terms(texts, articles, lexicon or Lexicon([]), **{"min_cohesion": 1.0, **options})


def test_a_candidate_with_every_number_counted_by_hand():
    frame = proposed()
    assert frame["term"].tolist() == ["帐篷银行"]
    row = frame.iloc[0]
    # 30 characters in all, each part of the run 5 times: every cut gives log2(5 · 30 / (5 · 5))
    assert (row["count"], row["n_articles"]) == (5, 3)
    assert row["cohesion"] == pytest.approx(math.log2(5 * 30 / 25))
    # five different characters on either side, each once: log2(5)
    assert row["entropy_left"] == row["entropy_right"] == pytest.approx(math.log2(5))


def test_the_weakest_cut_decides_the_cohesion():
    # 银行 stands three more times by itself: 8 of 36 characters are 银, so the cut 帐篷|银行 is log2(5 · 39 / (5 · 8))
    frame = proposed([*TEXTS, "子银行", "丑银行", "寅银行"], [*ARTICLES, "a", "a", "a"])
    assert frame.loc[0, "cohesion"] == pytest.approx(math.log2(5 * 39 / (5 * 8)))


def test_the_same_neighbour_has_no_entropy_and_a_boundary_is_a_new_one_each_time():
    assert proposed(["甲帐篷银行乙"] * 5)["term"].tolist() == ["甲帐篷银行乙"]
    frame = proposed(["，帐篷银行。"] * 5)
    assert frame.loc[0, ["entropy_left", "entropy_right"]].tolist() == pytest.approx([math.log2(5)] * 2)


@pytest.mark.parametrize("options", [{"min_count": 6}, {"min_articles": 4}, {"min_cohesion": 3.0},
                                     {"min_entropy": 2.5}, {"without": ["银行"]}])
def test_each_minimum_and_each_exclusion_counts(options):
    assert proposed(**options).empty


def test_what_is_known_is_not_proposed():
    assert proposed(lexicon=Lexicon(["帐篷银行"])).empty
    assert proposed(lexicon=Lexicon([], frozenset({"帐篷"}))).empty
    assert proposed([t.replace("帐篷银行", "银行") for t in TEXTS]).empty  # the segmenter keeps it whole


def test_a_run_within_a_longer_one_of_equal_count_is_left_out_and_one_that_stands_alone_as_well_is_kept():
    longer = [t.replace("帐篷银行", "流动帐篷银行") for t in TEXTS]
    assert proposed(longer)["term"].tolist() == ["流动帐篷银行"]
    both = proposed([*longer, *TEXTS], ARTICLES * 2)
    assert set(both["term"]) == {"流动帐篷银行", "帐篷银行"}


def test_a_run_must_begin_and_end_where_words_do():
    # 农村商|业银行: cut within words
    texts = [f"{a}农村商业银行{b}" for a, b in zip("甲丙戊庚壬", "乙丁己辛癸", strict=True)]
    assert not {"商业银", "村商业"} & set(proposed(texts)["term"])


def test_nothing_gives_nothing_and_order_does_not_matter():
    assert new_terms([], [], Lexicon([])).empty
    assert new_terms(["", "，"], ["a", "b"], Lexicon([])).empty
    again = proposed(TEXTS[::-1], ARTICLES[::-1])
    pd.testing.assert_frame_equal(again, proposed())


def test_quoted_wording_that_is_not_in_the_list():
    statements = pd.DataFrame([
        ("s1", "a", 2022, ["北京"], "围绕“四个中心”和“五子”联动。"),
        ("s2", "b", None, ["上海", "北京"], "“五子”与‘一老一小’；“30”；“他说，好。”"),
        ("s3", "c", 2021, [], "又提“五子”，又提“白名单”。")],
        columns=["statement_id", "article_id", "year", "regions", "text"])
    frame = quoted_terms(statements, Lexicon(["白名单"]))
    assert frame[["term", "n_statements", "n_articles", "regions", "first_year", "statement_id"]].values.tolist() == [
        ["五子", 3, 3, ["上海", "北京"], 2021, "s3"], ["一老一小", 1, 1, ["上海", "北京"], 0, "s2"],
        ["四个中心", 1, 1, ["北京"], 2022, "s1"]]
    assert quoted_terms(statements, Lexicon(["白名单"]), min_count=2)["term"].tolist() == ["五子"]
    assert quoted_terms(statements.head(0), Lexicon([])).empty
