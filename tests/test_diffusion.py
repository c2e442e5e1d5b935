"""How wording and risk travel: cases counted by hand, and survival curves against statsmodels and scipy."""

import datetime
import pickle
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight
from statsmodels.stats.proportion import proportion_confint

from fengxiang import diffusion, tables
from fengxiang.errors import UserError
from fengxiang.run import Run
from fengxiang.workplace import Workplace

CODEBOOK = Path(__file__).parent.parent / "codebook"
RULES = diffusion.TransmissionRules.load(CODEBOOK)


def frame_of(columns: str, *rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns.split())


def day(*date) -> int:
    return datetime.date(*date).toordinal()


# --- who first ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("date", "expected"), [
    ("2024-02-09", (day(2024, 2, 9), day(2024, 2, 9))), ("2024-02", (day(2024, 2, 1), day(2024, 2, 29))),
    ("2025", (day(2025, 1, 1), day(2025, 12, 31))), (None, None), ("", None)])
def test_day_range(date, expected):
    assert diffusion.day_range(date) == expected


def test_a_date_that_is_none_is_an_error():
    with pytest.raises(ValueError, match=r"month|day|no ISO date|invalid"):
        diffusion.day_range("2024-13")
    with pytest.raises(ValueError, match="no ISO date"):
        diffusion.day_range("2024-01-01-05")


def test_first_use_by_hand():
    uses = frame_of("term region date article_id",
                    ("减量提质", "河北", "2024-03-01", "a3"), ("减量提质", "全国", "2024-01-20", "a1"),
                    ("减量提质", "河北", "2024-02-10", "a2"), ("减量提质", "广西", "2025", "a4"),
                    ("减量提质", "all", "2020-01-01", "a0"), ("减量提质", "深圳", None, "a5"),
                    ("白名单", "河北", "2024", "b1"), ("白名单", "湖北", "2024-06", "b2"))
    result = diffusion.first_use(uses)
    expected = frame_of(
        "term region date article_id day_low day_high order could_be_first first lag_low lag_high",
        ("减量提质", "全国", "2024-01-20", "a1", day(2024, 1, 20), day(2024, 1, 20), 1, True, True, 0, 0),
        ("减量提质", "河北", "2024-02-10", "a2", day(2024, 2, 10), day(2024, 2, 10), 2, False, False, 21, 21),
        ("减量提质", "广西", "2025", "a4", day(2025, 1, 1), day(2025, 12, 31), 3, False, False, 347, 711),
        # A year and a month of it: nobody can tell which came first.
        ("白名单", "河北", "2024", "b1", day(2024, 1, 1), day(2024, 12, 31), 1, True, False, 0, 365),
        ("白名单", "湖北", "2024-06", "b2", day(2024, 6, 1), day(2024, 6, 30), 2, True, False, 0, 181))
    pd.testing.assert_frame_equal(result, expected, check_dtype=False)
    pd.testing.assert_frame_equal(diffusion.first_use(uses.iloc[::-1]), result)


@pytest.fixture
def place(tmp_path):
    """A run of tables in three parts: a term of two regions in dated and undated articles."""
    dates = {"a3": "2024", "a1": "2024-03-01", "a2": "2024-03-01", "a4": None, "a5": "2025-02-02", "a0": "2024-01-05"}
    articles = [{"article_id": i, "date": date, "scope": "in"} for i, date in dates.items()]
    uses = [{"article_id": i, "term": "减量提质", "region": region, "year": year} for i, region, year in (
        ("a3", "河北", 2024), ("a2", "河北", 2024), ("a1", "河北", 2024), ("a1", "all", 2024), ("a5", "河北", 2024),
        ("a4", "广西", 2025), ("a5", "全国", 2025), ("a2", "全国", 2026), ("a0", "none", 2024))]
    for name, rows, cut in (("articles", articles, 3), ("article_terms", uses, 4)):
        columns = {f.name: f.type for f in tables.TABLES[name].schema if f.name in rows[0]}
        for bucket, part in (("0", rows[:cut]), ("10", []), ("11", rows[cut:])):
            tables.write_parquet(tables.path_of(tmp_path, name) / f"part-{bucket}.parquet",
                                 pa.Table.from_pylist(part, schema=pa.schema(columns)))
    return Run(Workplace(tmp_path, tmp_path, CODEBOOK))


def test_the_earliest_uses_tell_of_all_uses(place):
    earliest = diffusion.earliest_uses(place)
    uses = place.table("article_terms", ["article_id", "term", "year", "region"], [("region", "!=", "all")])
    uses = uses.merge(place.table("articles", ["article_id", "date"]), on="article_id")
    first = diffusion.first_use(earliest).set_index("region")
    assert first["article_id"].to_dict() == {"河北": "a3", "全国": "a2"}
    assert first.loc["河北", ["day_low", "day_high"]].tolist() == [day(2024, 1, 1), day(2024, 3, 1)]
    pd.testing.assert_frame_equal(first.reset_index()[diffusion.first_use(uses).columns], diffusion.first_use(uses))
    assert earliest.loc[earliest["region"] == "河北", "article_id"].tolist() == ["a1", "a3"]
    years = [("全国", 2025), ("全国", 2026), ("广西", 2025), ("河北", 2024)]  # an undated use is one of its year
    assert sorted(set(zip(earliest["region"], earliest["year"], strict=True)) - {("none", 2024)}) == years


def test_a_second_use_with_a_closer_date_bounds_the_first():
    uses = frame_of("term region date article_id", ("t", "河北", "2024", "a"), ("t", "河北", "2024-03-01", "b"))
    row = diffusion.first_use(uses).iloc[0]
    assert (row["day_low"], row["day_high"]) == (day(2024, 1, 1), day(2024, 3, 1))


def test_kaplan_meier_is_that_of_scipy_and_statsmodels():
    rng = np.random.default_rng(1)
    time, event = rng.integers(1, 12, 60).astype(float), rng.random(60) < 0.6
    curve = diffusion.kaplan_meier(time, event)
    oracle = scipy.stats.ecdf(scipy.stats.CensoredData(uncensored=time[event], right=time[~event])).sf
    np.testing.assert_allclose(curve["survival"], oracle.evaluate(curve["time"]), atol=1e-12)
    interval = oracle.confidence_interval(method="log-log")
    inside = ~np.isnan(curve["low"])
    np.testing.assert_allclose(curve.loc[inside, "low"], interval.low.evaluate(curve["time"])[inside], atol=1e-9)
    np.testing.assert_allclose(curve.loc[inside, "high"], interval.high.evaluate(curve["time"])[inside], atol=1e-9)


def test_kaplan_meier_with_late_entry_is_that_of_statsmodels():
    rng = np.random.default_rng(2)
    entry = rng.integers(0, 5, 80).astype(float)
    time = entry + rng.integers(1, 9, 80)
    event = rng.random(80) < 0.7
    curve = diffusion.kaplan_meier(time, event, entry)
    oracle = SurvfuncRight(time, event.astype(int), entry=entry)
    np.testing.assert_allclose(curve["time"], oracle.surv_times)
    np.testing.assert_allclose(curve["survival"], oracle.surv_prob, atol=1e-12)
    np.testing.assert_array_equal(curve["at_risk"], oracle.n_risk)


def test_nobody_is_seen_for_no_time():
    with pytest.raises(ValueError, match="for some time"):
        diffusion.kaplan_meier([2, 3], [True, False], [2, 0])


def test_adoption_by_hand():
    uses = frame_of("term region year", ("t", "甲", 2022), ("t", "甲", 2024), ("t", "乙", 2023), ("t", "丙", 2024),
                    ("t", "全国", 2021), ("rare", "甲", 2023))
    coverage = frame_of("region year", ("甲", 2021), ("甲", 2024), ("乙", 2022), ("乙", 2023), ("丙", 2024),
                        ("丁", 2021), ("丁", 2022), ("戊", 2020), ("己", 2022), ("己", 2025))
    # First used in 2022. 丁 is censored after 2022, 己 after 2025; 丙 is seen from 2024 only; 戊 is never seen.
    result = diffusion.adoption(uses, coverage, min_regions=5)
    expected = frame_of("term year years_after at_risk events adopted n_regions n_unseen",
                        ("t", 2022, 0, 4, 1, 1 / 4, 5, 1), ("t", 2023, 1, 2, 1, 1 - 3 / 4 / 2, 5, 1),
                        ("t", 2024, 2, 2, 1, 1 - 3 / 4 / 2 / 2, 5, 1))
    pd.testing.assert_frame_equal(result.drop(columns=["low", "high"]), expected, check_dtype=False)
    assert (result["low"] < result["adopted"]).all()
    assert (result["adopted"] < result["high"]).all()
    assert diffusion.adoption(uses, coverage, min_regions=6).empty


def test_how_far_a_term_has_reached_is_told_with_its_users_and_their_base():
    adopted = frame_of("term year years_after at_risk events adopted low high n_regions n_unseen",
                       ("slogan", 2021, 0, 4, 1, 0.25, 0.04, 0.87, 32, 0),
                       ("wide", 2023, 1, 17, 2, 0.44, 0.2, 0.8, 32, 0), ("wide", 2022, 0, 13, 2, 0.15, 0.1, 0.5, 32, 0),
                       ("narrow", 2025, 0, 25, 3, 0.12, 0.0, 0.3, 25, 7))
    # four bureaus have used “wide”, one alone the slogan, whose share of the four then seen is high
    pd.testing.assert_frame_equal(diffusion.reached(adopted), frame_of(
        "term n_users year base_low base_high adopted low high", ("wide", 4, 2023, 13, 17, 0.44, 0.2, 0.8),
        ("narrow", 3, 2025, 25, 25, 0.12, 0.0, 0.3)), check_dtype=False)
    assert diffusion.reached(adopted, min_users=1)["term"].tolist() == ["wide", "slogan", "narrow"]
    assert diffusion.reached(adopted.iloc[:0]).empty


def test_coverage_by_year():
    slices = frame_of("year region n_articles", (2024, "河北", 3), (2024, "all", 9), (0, "河北", 1), (2023, "河北", 1),
                      (2024, "全国", 4), (2024, "广西", 0))
    assert diffusion.coverage_by_year(slices).to_dict("list") == {"region": ["河北", "河北"], "year": [2023, 2024]}


# --- who repeats whom ---------------------------------------------------------------------------------------------

OPENING = "稳步推进金融高水平对外开放，服务国际金融中心建设。"
CENTRE = "要求有力有序有效推进中小金融机构风险化解，牢牢守住不爆雷的底线。"
TEXTS = "statement_id article_id story_id region date text"


def test_echo_by_hand():
    earlier = frame_of(TEXTS, ("n1-001", "n1", "n1", "全国", "2026-01-15", CENTRE),
                       ("n2-001", "n2", "n2", "全国", "2026-03-01", OPENING))
    later = frame_of(TEXTS,
                     ("a-001", "a", "a", "河北", "2026-02-01",
                      "会议提出，有力有序有效推进中小金融机构风险化解，用好白名单制度。"),
                     ("b-001", "b", "b", "广西", "2026-02-01", OPENING),
                     ("c-001", "c", "n1", "湖北", "2026-02-01", CENTRE),
                     ("d-001", "d", "d", "湖南", "2026", CENTRE),
                     ("e-001", "e", "e", "辽宁", None, CENTRE),
                     ("f-001", "f", "f", "山西", "2026-02-02", "。"))
    result = diffusion.echo_index(later, earlier).set_index("statement_id")
    assert list(result.index) == ["a-001", "b-001", "c-001", "d-001"]
    a = result.loc["a-001"]
    assert a["repeated"] == ["有力有序有效推进中小金融机构风险化解"]
    assert a["added"] == ["会议提出", "用好白名单制度"]
    assert (a["n_chars"], a["n_repeated"], a["longest_run"]) == (29, 18, 18)
    assert a["share"] == pytest.approx(18 / 29)
    assert (a["source_id"], a["source_date"], a["order"]) == ("n1-001", "2026-01-15", "after")
    assert (a["lag_low"], a["lag_high"]) == (17, 17)
    assert result.loc["b-001", "n_repeated"] == 0  # the centre said it a month later
    assert result.loc["c-001", "n_repeated"] == 0  # the same story
    d = result.loc["d-001"]
    assert (d["share"], d["order"], d["lag_low"]) == (1, "unclear", 0)


def test_reverse_echo_finds_local_wording_that_the_centre_says_later():
    local = frame_of(TEXTS, ("x-001", "x", "x", "深圳", "2025-01-05", "深入推进人工智能强监管行动。"))
    centre = frame_of(TEXTS, ("y-001", "y", "y", "全国", "2025-06-05",
                              "总局要求深入推进人工智能强监管行动并总结经验。"))
    assert diffusion.echo_index(centre, local)["repeated"].iloc[0] == ["深入推进人工智能强监管行动"]
    assert diffusion.echo_index(local, centre)["n_repeated"].iloc[0] == 0


def test_figures_and_dates_are_nobody_s_wording():
    a = frame_of(TEXTS, ("x", "x", "x", "上海", "2025-07-01", "2025年6月18日增加值为8072.73亿元"))
    b = frame_of(TEXTS, ("y", "y", "y", "全国", "2025-06-19", "2025年6月18日增加值为8072.73亿元"))
    row = diffusion.echo_index(a, b, min_run=4).iloc[0]
    assert (row["n_chars"], row["repeated"]) == (6, ["增加值为"])


def test_names_are_nobody_s_wording():
    name = "国家金融监督管理总局河北监管局"
    a = frame_of(TEXTS, ("x-001", "x", "x", "河北", "2025-02-01", f"{name}召开会议"))
    b = frame_of(TEXTS, ("y-001", "y", "y", "全国", "2025-01-01", f"{name}获得批准"))
    assert diffusion.echo_index(a, b)["n_repeated"].iloc[0] == 15
    row = diffusion.echo_index(a, b, ignore=[name]).iloc[0]
    assert (row["n_repeated"], row["n_chars"], row["added"]) == (0, 4, [f"{name}召开会议"])


WORDS = ["融资协调", "小微企业", "普惠型", "月末", "贷款", "工作", "机制", "达到", "支持", "主题", "推进"]


def cut(text):
    """Words of a small list, the longest first; any other character is a word of its own."""
    out = []
    while text:
        out.append(next((word for word in WORDS if text.startswith(word)), text[0]))
        text = text[len(out[-1]):]
    return out


def echo_of(later, earlier, **options):
    a = frame_of(TEXTS, ("x", "x", "x", "浙江", "2025-07-01", later))
    b = frame_of(TEXTS, ("y", "y", "y", "全国", "2024-01-01", earlier))
    return diffusion.echo_index(a, b, **options).iloc[0]


def test_repeated_wording_begins_and_ends_with_a_word():
    later, earlier = "到6月末普惠型小微企业贷款达到新高。", "3月末普惠型小微企业贷款达标。"
    assert echo_of(later, earlier)["repeated"] == ["末普惠型小微企业贷款达"]  # 11 characters agree
    row = echo_of(later, earlier, min_run=9, words=cut)
    assert (row["repeated"], row["n_repeated"], row["longest_run"]) == (["普惠型小微企业贷款"], 9, 9)
    # what is left of it falls short of ten characters
    row = echo_of(later, earlier, words=cut)
    assert (row["repeated"], row["n_repeated"], row["source_id"]) == ([], 0, None)


def test_a_word_that_a_figure_or_a_name_cuts_is_no_whole_word():
    row = echo_of("6月末支持小微企业贷款", "末支持小微企业贷款", min_run=8, words=cut)
    assert row["repeated"] == ["支持小微企业贷款"]


def test_repeated_and_added_wording_is_told_as_it_stands():
    later = "总局2025年要求：支持“小微企业”融资协调，工作机制要管用；会上还通报了12家机构、两起案例。"
    row = echo_of(later, "支持小微企业融资协调工作机制。", ignore=["总局"], words=cut)
    assert row["repeated"] == ["支持“小微企业”融资协调，工作机制"]
    assert (row["n_repeated"], row["longest_run"]) == (14, 14)
    assert row["added"] == ["要管用；会上还通报了12家机构、两起案例"]  # 要求 has two characters of wording only
    row = echo_of("主题是“普惠型小微企业贷款机制 支持工作”的活动。", "主题是普惠型小微企业贷款机制支持工作", words=cut)
    assert row["repeated"] == ["主题是“普惠型小微企业贷款机制 支持工作”"]
    assert row["added"] == []
    row = echo_of("贷款增长12.5%，（据通报）小微企业融资协调工作机制“好用”，增幅达到3%。",
                  "小微企业融资协调工作机制", words=cut)
    assert row["added"] == ["贷款增长12.5%，（据通报）", "“好用”，增幅达到3%"]


def test_the_source_is_the_one_that_explains_most_and_of_equals_the_earliest():
    earlier = frame_of(TEXTS, ("late", "1", "1", "全国", "2025-03-01", CENTRE),
                       ("early", "2", "2", "全国", "2025-01-01", CENTRE),
                       ("part", "3", "3", "全国", "2024-01-01", "推进中小金融机构风险化解"))
    later = frame_of(TEXTS, ("x", "x", "x", "河北", "2025-05-01", CENTRE))
    assert diffusion.echo_index(later, earlier)["source_id"].iloc[0] == "early"
    assert diffusion.echo_index(later, earlier.iloc[::-1])["source_id"].iloc[0] == "early"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("甲乙丙，", min_size=0, max_size=30), min_size=1, max_size=6), st.text("甲乙丙，", max_size=30))
def test_echo_is_that_of_comparing_every_pair(sources, text):
    earlier = pd.DataFrame({"statement_id": [f"s{i}" for i in range(len(sources))], "article_id": "n",
                            "story_id": [f"n{i}" for i in range(len(sources))], "region": "全国",
                            "date": "2024-01-01", "text": sources})
    later = frame_of(TEXTS, ("x", "x", "x", "河北", "2025-01-01", text))
    plain = text.replace("，", "")
    best = max(sum(m.size for m in SequenceMatcher(None, plain, s.replace("，", ""), autojunk=False)
                   .get_matching_blocks() if m.size >= 4) for s in sources)
    result = diffusion.echo_index(later, earlier, min_run=4)
    if not plain:
        assert result.empty
    else:
        # Only the three candidates that share most are aligned; with more there may be a better one.
        found = result["n_repeated"].iloc[0]
        assert found <= best
        if len(sources) <= 3:
            assert found == best


def test_echo_by_region_by_hand():
    echo = frame_of("statement_id article_id region date source_date n_chars n_repeated order lag_low",
                    ("a1", "a", "河北", "2025-02", "2025-01-20", 30, 15, "after", 10),
                    ("a2", "a", "河北", "2025-02", None, 20, 0, None, np.nan),
                    ("b1", "b", "河北", "2026", "2025-12-01", 50, 10, "unclear", 0),
                    ("c1", "c", "广西", "2026", None, 10, 0, None, np.nan))
    result = diffusion.echo_by_region(echo).set_index("region")
    assert list(result.index) == ["广西", "河北"]
    row = result.loc["河北"]
    assert list(row[["n_statements", "n_articles", "n_chars", "n_repeated", "n_echoing"]]) == [3, 2, 100, 15, 1]
    assert (row["share"], row["median_lag"], row["thin"]) == (0.15, 10, True)
    assert row["low"] < 0.15 < row["high"]
    both = diffusion.echo_by_region(echo, surely_after=False).set_index("region")
    assert both.loc["河北", ["share", "share_same_year"]].tolist() == [0.25, 0.15]
    assert row["share_same_year"] == 0.15
    assert np.isnan(both.loc["广西", "median_lag"])


def test_national_and_regional():
    statements = frame_of("statement_id article_id story_id regions attribution text",
                          ("a-001", "a", "a", ["全国", "河北"], "named", "甲"), ("a-002", "a", "a", [], None, "乙"),
                          ("a-003", "a", "a", ["广西"], "mentioned", "丙"),
                          ("b-001", "b", "b", ["广西"], "carried", "丁"))
    articles = frame_of("article_id date", ("a", "2025-01-01"), ("b", None))
    national, regional = diffusion.national_and_regional(statements, articles)
    assert list(national["statement_id"]) == ["a-001"]
    assert list(regional["statement_id"]) == ["a-001", "b-001"]
    assert list(regional["region"]) == ["河北", "广西"]


def test_names_to_ignore_takes_every_chinese_name():
    regions = {"regions": [{"name": "河北", "en": "Hebei", "aliases": ["河北省"], "short": "冀", "tile": [1, 2],
                            "bureaus": [{"name": "河北银保监局", "from": 2018}]}]}
    assert diffusion.names_to_ignore(regions) == ["河北", "河北省", "河北银保监局"]


# --- slogans ------------------------------------------------------------------------------------------------------

def counts_of(**terms):
    rows = [(term, year, "all", n) for term, by_year in terms.items() for year, n in by_year.items()]
    return frame_of("term year region n_articles", *rows)


SLICES = frame_of("year region n_articles", *[(year, "all", 50) for year in range(2020, 2026)], (-1, "all", 300))


def test_slogan_life_by_hand():
    counts = counts_of(监管数字化={2020: 5, 2021: 30, 2022: 20, 2023: 5, 2024: 6},
                       监管数智化={2023: 10, 2024: 30, 2025: 40}, 白名单={2024: 10, 2025: 10}, 罕见={2022: 1})
    result = diffusion.slogan_life(counts, SLICES).set_index("term")
    old = result.loc["监管数字化"]
    assert (old["n_articles"], old["birth"], old["birth_known"], old["peak"], old["last"], old["fade"]) == (
        66, 2020, False, 2021, 2024, 2023)
    assert (old["peak_share"], old["fade_sure"], old["thin"]) == (0.6, True, False)
    assert (old["peak_low"], old["peak_high"]) == pytest.approx(proportion_confint(30, 50, method="wilson"))
    assert (old["successor"], old["successor_by"]) == ("监管数智化", "wording")
    new = result.loc["监管数智化"]
    assert (new["birth"], new["birth_known"], new["peak"]) == (2023, True, 2025)
    assert new["fade"] is pd.NA
    assert new["successor"] is None
    assert result.loc["白名单", "peak"] == 2024  # the first of equal years
    assert result.loc["罕见", "thin"]
    assert result.loc["罕见", "fade"] == 2023


def test_a_tie_in_shared_statements_goes_before_likeness_of_wording():
    counts = counts_of(旧提法={2020: 5, 2021: 30, 2022: 2}, 旧提法改={2022: 20, 2023: 20, 2025: 25},
                       新口号={2022: 5, 2025: 20})
    ties = frame_of("term_a term_b npmi supported", ("新口号", "旧提法", 0.4, True), ("旧提法", "旧提法改", 0.9, False))
    result = diffusion.slogan_life(counts, SLICES, ties).set_index("term")
    assert (result.loc["旧提法", "successor"], result.loc["旧提法", "successor_by"]) == ("新口号", "co-occurrence")


def test_a_slogan_that_comes_back_has_not_faded():
    result = diffusion.slogan_life(counts_of(t={2020: 1, 2021: 30, 2022: 3, 2025: 28}), SLICES).iloc[0]
    assert result["fade"] is pd.NA
    assert diffusion.slogan_life(counts_of(t={2020: 0}), SLICES).empty


def test_timing_is_no_cause_in_both_languages():
    assert set(diffusion.TIMING_IS_NO_CAUSE) == {"zh", "en"}


# --- risk transmission --------------------------------------------------------------------------------------------

def passings(*texts):
    statements = pd.DataFrame({"statement_id": [f"a-{i:03d}" for i in range(1, len(texts) + 1)], "article_id": "a",
                               "year": 2024, "text": texts})
    return diffusion.risk_transmission(statements, RULES)


@pytest.mark.parametrize(("text", "expected"), [
    ("小微企业困难拖累资产质量。", [("firms", "asset_quality", "拖累", "told", "小微企业困难拖累资产质量")]),
    ("实体企业破产可能波及金融机构，母公司风险也会传给旗下金融机构。", [
        ("firms", "institutions", "波及", "possible", "实体企业破产可能波及金融机构"),
        ("parents", "institutions", "传给", "possible", "母公司风险也会传给旗下金融机构")]),
    ("防止股东风险传给银行", [("parents", "institutions", "传给", "warned", "股东风险传给银行")]),
    ("防止外部风险向银行业保险业转移、转嫁。", [
        ("outside", "institutions", "转移、转嫁", "warned", "外部风险向银行业保险业转移、转嫁")]),
    ("防范房企风险外溢。", [("property", "unnamed", "风险外溢", "warned", "房企风险外溢")]),
    ("房企暴雷，给金融体系带来冲击。", [("property", "institutions", "冲击", "told", "房企暴雷，给金融体系带来冲击")]),
    ("小微企业受房企违约拖累。", [("property", "firms", "拖累", "told", "小微企业受房企违约拖累")]),
    ("美国加息也冲击我国外汇市场。", [("abroad", "markets", "冲击", "told", "美国加息也冲击我国外汇市场")]),
    ("实业与金融业之间的风险传染", [
        ("firms", "institutions", "风险传染", "told", "实业与金融业之间的风险传染"),
        ("institutions", "firms", "风险传染", "told", "实业与金融业之间的风险传染")]),
    ("金融市场间的风险共振", [("markets", "markets", "风险共振", "told", "金融市场间的风险共振")]),
    ("防范风险跨区域、跨境传递共振", [
        ("unnamed", "other_regions", "传递共振", "warned", "跨区域、跨境传递共振"),
        ("unnamed", "across_borders", "传递共振", "warned", "跨境传递共振")]),
    ("地方债务风险并未演变为系统性风险", [
        ("local_debt", "systemic", "演变为", "denied", "地方债务风险并未演变为系统性风险")]),
    ("房地产、融资平台风险向中小银行和保险机构传导", [
        ("property", "small_institutions", "传导", "told", "房地产、融资平台风险向中小银行和保险机构传导"),
        ("property", "institutions", "传导", "told", "房地产、融资平台风险向中小银行和保险机构传导"),
        ("local_debt", "small_institutions", "传导", "told", "融资平台风险向中小银行和保险机构传导"),
        ("local_debt", "institutions", "传导", "told", "融资平台风险向中小银行和保险机构传导")]),
    ("应对房企风险外溢", [("property", "unnamed", "风险外溢", "told", "房企风险外溢")]),
    ("监管能力与行业同频共振。", []), ("疏通信息和资金传导的堵点。", []), ("新产品引发热议。", []),
    ("银保监会加大对农村的转移支付。", []), ("我国防范风险传染。", []), ("风险传染。", []), ("银行业稳健运行。", []),
])
def test_who_passes_risk_to_whom(text, expected):
    result = passings(text)
    assert list(result[["source", "target", "verb", "stance", "span"]].itertuples(index=False, name=None)) == expected
    for row in result.itertuples():
        assert text[row.start:row.end] == row.span


def test_places_carry_their_theme():
    row = passings("房地产泡沫引发信贷危机").iloc[0]
    assert (row["source_theme"], row["target_theme"], row["mutual"]) == ("property_finance", "asset_capital", False)
    assert passings("实业与金融业之间的风险传染")["mutual"].all()


def test_every_theme_of_a_place_is_in_the_codebook():
    from fengxiang.yamlfile import YamlFile

    codes = {theme["code"] for theme in YamlFile(CODEBOOK / "themes.yml").data["themes"]}
    assert {place.theme for place in RULES.places.values()} - {None} <= codes


def test_transmission_network_by_hand():
    edges = frame_of(
        "statement_id article_id year source target source_theme target_theme verb stance mutual",
        ("a-001", "a", 2024, "property", "institutions", "property_finance", None, "冲击", "told", False),
        ("a-001", "a", 2024, "property", "institutions", "property_finance", None, "传导", "told", False),
        ("b-001", "b", 2025, "property", "institutions", "property_finance", None, "冲击", "warned", False),
        ("b-002", "b", 2025, "firms", "institutions", None, None, "波及", "possible", False),
        ("b-003", "b", 2025, "firms", "markets", None, None, "波及", "denied", False),
        ("b-004", "b", 2025, "property", "unnamed", "property_finance", None, "外溢", "told", False))
    result = diffusion.transmission_network(edges)
    assert result[["source", "target", "n_statements", "n_articles", "n_told", "n_possible", "n_warned", "verbs",
                   "statement_ids"]].values.tolist() == [
        ["property", "institutions", 2, 2, 1, 0, 1, ["冲击", "传导"], ["a-001", "b-001"]],
        ["firms", "institutions", 1, 1, 0, 1, 0, ["波及"], ["b-002"]]]
    # said twice in one sentence is said once
    assert list(diffusion.transmission_network(edges, 2024)["n_statements"]) == [1]
    assert diffusion.transmission_network(edges.iloc[:0]).empty
    by_year = diffusion.transmission_by_year(edges)
    assert by_year[["year", "source", "target", "n_statements"]].values.tolist() == [
        [2025, "firms", "institutions", 1], [2025, "property", "institutions", 1],
        [2024, "property", "institutions", 1]]
    assert list(diffusion.transmission_by_year(edges.iloc[:0]).columns) == list(by_year.columns)


@settings(max_examples=150)
@given(st.lists(st.sampled_from(["房企", "银行", "风险", "向", "受", "传导", "传染", "冲击", "跨市场", "与", "之间",
                                 "，", "。", "”“", "我国", "、", "到", "可能"]), max_size=25).map("".join))
def test_any_text_is_read_without_error(text):
    for row in passings(text).itertuples():
        assert text[row.start:row.end] == row.span
        assert row.stance in diffusion.STANCES
        assert not row.source == row.target == diffusion.UNNAMED


@pytest.mark.parametrize(("old", "new", "message"), [
    ("into: [", "onto: [", "not known"), ("  warned: [", "  feared: [", "“feared” is none of possible, warned, denied"),
    ("  - {id: firms, theme: null,", "  - {theme: null,", "a place needs id"),
    ("masks: [同频共振,", "masks: [传染,", "“传染” stands twice; keep one"),
    ("masks: [同频共振,", "masks: [1,", "a word is missing; write a text"),
    ("name_en: Property,", "name_en: Homes, offices and land,",
     "“offices and land” is not known here; a name with a comma stands in quotation marks"),
    ("  - {words: [传导,", "  - {word: [传导,", "a row of verbs has `words`"),
    ("between: [", "between: {a: 1}\n# [", "“between” must be a list")])
def test_a_broken_rule_file_is_named_with_its_line(tmp_path, old, new, message):
    text = (CODEBOOK / "transmission.yml").read_text("utf-8")
    assert old in text
    path = tmp_path / "transmission.yml"
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(UserError, match=message) as error:
        diffusion.TransmissionRules(path)
    assert error.value.line


def test_rules_can_be_sent_to_another_process():
    again = pickle.loads(pickle.dumps(RULES))
    assert again.places == RULES.places


def test_what_the_centre_had_said_itself_before_is_no_echo_of_a_region():
    echoes = pd.DataFrame([("n2", ["建立融资协调机制"], "2024-11-18"), ("n3", ["一行一策"], "2024-11-18"),
                           ("n4", ["保险下乡"], "2024")], columns=["statement_id", "repeated", "source_date"])
    said = pd.DataFrame([("n1", "2024-10-16", "要建立融资协调机制。"), ("n2", "2025-05-30", "建立融资协调机制，见效。"),
                         ("n3", "2024-11-18", "推行一行一策。"),  # the day of the source itself decides nothing
                         ("n4", "2025-01-01", "推进保险下乡。"), ("n0", "2024", "谈到保险下乡。")],
                        columns=["statement_id", "date", "text"])
    assert diffusion.not_said_before(echoes, said)["statement_id"].tolist() == ["n3"]
    assert diffusion.not_said_before(echoes, said.iloc[1:4])["statement_id"].tolist() == ["n2", "n3", "n4"]
    assert diffusion.not_said_before(echoes.head(0), said).empty
