"""Every measure against an independent implementation, or against a case counted by hand."""

import math

import numpy as np
import pandas as pd
import prince
import pytest
import scipy.cluster.hierarchy
import scipy.spatial.distance
import scipy.stats
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from fengxiang import measures


def frame_of(columns: str, *rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns.split())


# --- intervals and tests ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("level", [0.8, 0.95])
def test_wilson_interval_is_that_of_statsmodels(level):
    k, n = np.array([0, 1, 7, 50, 99, 3]), np.array([10, 10, 10, 100, 100, 3])
    low, high = measures.wilson_interval(k, n, level)
    expected = proportion_confint(k, n, alpha=1 - level, method="wilson")
    np.testing.assert_allclose([low, high], expected, atol=1e-12)


def test_wilson_interval_of_nothing_is_unknown_and_of_too_much_an_error():
    assert np.isnan(measures.wilson_interval(0, 0)).all()
    with pytest.raises(ValueError, match="between 0"):
        measures.wilson_interval(3, 2)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_benjamini_hochberg_is_that_of_statsmodels(p):
    np.testing.assert_allclose(measures.benjamini_hochberg(p), multipletests(p, method="fdr_bh")[1], atol=1e-12)


def test_benjamini_hochberg_leaves_out_what_was_not_tested():
    np.testing.assert_allclose(measures.benjamini_hochberg([0.01, np.nan, 0.04]), [0.02, np.nan, 0.04])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_hypergeometric_tails_are_those_of_scipy(data):
    n = data.draw(st.integers(1, 3000))
    n_a, n_b = data.draw(st.integers(0, n)), data.draw(st.integers(0, n))
    k = data.draw(st.integers(max(0, n_a + n_b - n), min(n_a, n_b)))
    lower, upper = measures.hypergeometric_tails(k, n_a, n_b, n)
    law = scipy.stats.hypergeom(n, n_b, n_a)
    np.testing.assert_allclose(lower, law.cdf(k), rtol=1e-7, atol=1e-300)
    np.testing.assert_allclose(upper, law.sf(k - 1), rtol=1e-7, atol=1e-300)


def test_hypergeometric_tails_keep_small_chances_of_a_million_statements():
    lower, upper = measures.hypergeometric_tails([900, 350], [20000, 20000], [30000, 30000], [1_000_000, 1_000_000])
    law = scipy.stats.hypergeom(1_000_000, 30000, 20000)
    np.testing.assert_allclose(np.log(upper[0]), law.logsf(899), rtol=1e-6)
    np.testing.assert_allclose(np.log(lower[1]), law.logcdf(350), rtol=1e-6)


def test_hypergeometric_tails_refuse_a_pair_seen_more_often_than_its_parts():
    with pytest.raises(ValueError, match="pair"):
        measures.hypergeometric_tails(4, 3, 5, 10)


# --- statements clustered in articles -----------------------------------------------------------------------------

def test_clustered_interval_counted_by_hand():
    # Four articles of 10 statements with 1, 2, 3, 4 of the theme: share 0.25, deviations −1.5 −0.5 0.5 1.5,
    # variance 4/3 · (2.25 + 0.25 + 0.25 + 2.25) / 40² = 1/240, and 0.25 · 0.75 / (1/240) = 45 > 40: 40 count.
    low, high = measures.clustered_interval([1, 2, 3, 4], [10, 10, 10, 10])
    worth = 40 * (scipy.stats.norm.ppf(0.975) / scipy.stats.t.ppf(0.975, 3)) ** 2
    np.testing.assert_allclose((low, high), proportion_confint(0.25 * worth, worth, method="wilson"), atol=1e-12)


def test_clustered_interval_uses_the_variance_of_a_survey_ratio():
    rng = np.random.default_rng(7)
    totals = rng.integers(3, 30, 40)
    hits = rng.binomial(totals, rng.beta(1, 2, 40))
    # The share is the mean of the statements; its cluster-robust variance is the independent yardstick.
    article = np.repeat(np.arange(40), totals)
    coded = np.concatenate([np.r_[np.ones(k), np.zeros(t - k)] for k, t in zip(hits, totals, strict=True)])
    fit = sm.OLS(coded, np.ones(len(coded))).fit(cov_type="cluster", cov_kwds={"groups": article,
                                                                             "use_correction": False})
    share, variance = hits.sum() / totals.sum(), fit.bse[0] ** 2 * 40 / 39
    worth = share * (1 - share) / variance * (scipy.stats.norm.ppf(0.975) / scipy.stats.t.ppf(0.975, 39)) ** 2
    np.testing.assert_allclose(measures.clustered_interval(hits, totals),
                               proportion_confint(share * worth, worth, method="wilson"), rtol=1e-9)


def test_a_theme_nobody_speaks_of_is_bounded_by_the_number_of_articles():
    low, high = measures.clustered_interval([0] * 20, [50] * 20)
    worth = 20 * (scipy.stats.norm.ppf(0.975) / scipy.stats.t.ppf(0.975, 19)) ** 2
    assert (low, high) == (0, pytest.approx(proportion_confint(0, worth, method="wilson")[1]))


def test_one_article_is_one_opinion_however_long():
    assert measures.clustered_interval([30], [100]) == pytest.approx(proportion_confint(0.3, 1, method="wilson"))


def test_intervals_keep_their_level_where_plain_wilson_does_not():
    rng = np.random.default_rng(3)
    held = {"clustered": 0, "bootstrap": 0, "wilson": 0}
    rounds, true = 250, 0.2
    for i in range(rounds):
        totals = rng.integers(3, 20, 20)
        hits = rng.binomial(totals, rng.beta(0.6, 2.4, 20))
        for name, (low, high) in {
                "clustered": measures.clustered_interval(hits, totals),
                "bootstrap": measures.cluster_bootstrap_share(hits, totals, n_resamples=400, seed=i),
                "wilson": measures.wilson_interval(hits.sum(), totals.sum())}.items():
            held[name] += low <= true <= high
    assert held["clustered"] / rounds > 0.92
    assert held["bootstrap"] / rounds > 0.90
    assert held["wilson"] / rounds < 0.80


def test_bootstrap_is_that_of_scipy():
    rng = np.random.default_rng(5)
    totals = rng.integers(5, 30, 60)
    hits = rng.binomial(totals, rng.beta(2, 3, 60))
    low, high = measures.cluster_bootstrap_share(hits, totals, n_resamples=8000)
    m = len(totals)
    wider = 1 - 2 * scipy.stats.norm.cdf(math.sqrt(m / (m - 1)) * scipy.stats.t.ppf(0.025, m - 1))
    expected = scipy.stats.bootstrap((hits, totals), lambda k, n, axis: k.sum(axis) / n.sum(axis), paired=True,
                                     vectorized=True, method="percentile", n_resamples=8000, rng=1,
                                     confidence_level=wider).confidence_interval
    np.testing.assert_allclose((low, high), expected, atol=0.006)


def test_replicates_are_shares_of_articles_drawn_with_replacement():
    # of two articles, 1 of 2 and 0 of 2 statements: drawn as two of the first, one of each, two of the second
    drawn = pd.Series(measures.cluster_replicates([1, 0], [2, 2], 40_000)).value_counts(normalize=True)
    assert drawn.sort_index().index.tolist() == [0, 0.25, 0.5]
    assert drawn.sort_index().to_numpy() == pytest.approx(scipy.stats.binom.pmf([0, 1, 2], 2, 0.5), abs=0.01)
    both = measures.cluster_replicates(np.array([[1, 2], [0, 2]]), [2, 2], 50)
    assert both.shape == (50, 2)
    assert (both[:, 1] == 1).all()
    assert np.isnan(measures.cluster_replicates([0], [0], 3)).all()


def test_bootstrap_is_repeatable_and_pools_articles_beyond_its_limit(monkeypatch):
    rng = np.random.default_rng(5)
    totals = rng.integers(5, 30, 400)
    hits = rng.binomial(totals, 0.3)
    whole = measures.cluster_bootstrap_share(hits, totals)
    assert measures.cluster_bootstrap_share(hits, totals) == whole
    monkeypatch.setattr(measures, "MAX_CLUSTERS", 100)
    np.testing.assert_allclose(measures.cluster_bootstrap_share(hits, totals), whole, atol=0.006)


def test_bootstrap_of_no_variation_falls_back_on_articles():
    low, high = measures.cluster_bootstrap_share(np.array([[0, 9], [0, 4]]), np.array([9, 4]))
    np.testing.assert_allclose([low, high], proportion_confint([0, 2], [2, 2], method="wilson"), atol=1e-12)


def test_an_article_with_more_hits_than_statements_is_an_error():
    for interval in (measures.clustered_interval, measures.cluster_bootstrap_share):
        with pytest.raises(ValueError, match="more statements"):
            interval([3], [2])


# --- prevalence and trends ----------------------------------------------------------------------------------------

STATEMENTS = frame_of(
    "article_id year regions themes",
    ("a", 2025, ["北京"], ["green", "inclusive"]),
    ("a", 2025, ["北京", "天津"], ["green"]),
    ("a", 2026, [], []),
    ("b", 2025, ["天津"], []),
    ("b", None, [], ["inclusive"]),
)


def test_article_theme_counts_by_hand():
    counts = measures.article_theme_counts(STATEMENTS, by_region=True)
    expected = frame_of(
        "article_id year region theme n_statements",
        ("a", 2025, "all", "all", 2), ("a", 2025, "all", "green", 2), ("a", 2025, "all", "inclusive", 1),
        ("a", 2025, "北京", "all", 2), ("a", 2025, "北京", "green", 2), ("a", 2025, "北京", "inclusive", 1),
        ("a", 2025, "天津", "all", 1), ("a", 2025, "天津", "green", 1),
        ("a", 2026, "all", "all", 1), ("a", 2026, "none", "all", 1),
        ("b", 0, "all", "all", 1), ("b", 0, "all", "inclusive", 1), ("b", 0, "none", "all", 1),
        ("b", 0, "none", "inclusive", 1),
        ("b", 2025, "all", "all", 1), ("b", 2025, "天津", "all", 1))
    pd.testing.assert_frame_equal(counts, expected, check_dtype=False)
    pd.testing.assert_frame_equal(measures.article_theme_counts(STATEMENTS),
                                  expected[expected["region"] == "all"].reset_index(drop=True), check_dtype=False)


def test_prevalence_by_hand():
    theme_counts = frame_of("theme year region n_statements n_articles n_agencies", ("green", 2025, "all", 2, 1, 1),
                            ("all", 2025, "all", 3, 2, 1), ("inclusive", 2025, "all", 1, 1, 1),
                            ("inclusive", 2025, "北京", 40, 9, 2))
    slices = frame_of("year region n_statements n_articles", (2025, "all", 3, 2), (2025, "北京", 50, 10))
    low, high = proportion_confint(np.array([2, 0, 1, 40]), np.array([3, 50, 3, 50]), method="wilson")
    expected = pd.DataFrame({
        "theme": ["green", "green", "inclusive", "inclusive"], "year": 2025, "region": ["all", "北京"] * 2,
        "n": [2, 0, 1, 40], "n_statements": [3, 50, 3, 50], "share": [2 / 3, 0, 1 / 3, 0.8], "low": low, "high": high,
        "n_articles": [1, 0, 1, 9], "of_articles": [2, 10, 2, 10], "article_share": [0.5, 0, 0.5, 0.9],
        "n_agencies": [1, 0, 1, 2], "interval": "wilson", "n_effective": [3.0, 50.0, 3.0, 50.0],
        "thin": [True, False, True, False]})
    pd.testing.assert_frame_equal(measures.prevalence(theme_counts, slices), expected, check_dtype=False)


def many_articles(years=(2024, 2025), seed=1, n=30) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for year in years:
        for i in range(n):
            total = int(rng.integers(3, 15))
            rows.append((f"{year}-{i:02d}", year, "all", "all", total))
            for theme, rate in (("green", 0.1 if year == 2024 else 0.45), ("opening", 0.2)):
                hits = int(rng.binomial(total, rate))
                if hits:
                    rows.append((f"{year}-{i:02d}", year, "all", theme, hits))
    return frame_of("article_id year region theme n_statements", *rows)


def test_prevalence_takes_its_interval_from_the_articles():
    articles = many_articles()
    counted = articles.groupby(["theme", "year", "region"], as_index=False).agg(
        n_statements=("n_statements", "sum"), n_articles=("article_id", "nunique")).assign(n_agencies=1)
    slices = counted[counted["theme"] == "all"]
    result = measures.prevalence(counted, slices, articles).set_index(["theme", "year"])
    part = articles[articles["year"] == 2025].pivot_table(index="article_id", columns="theme", values="n_statements",
                                                         fill_value=0)
    for theme in ("green", "opening"):
        row = result.loc[(theme, 2025)]
        assert (row["low"], row["high"]) == pytest.approx(measures.clustered_interval(part[theme], part["all"]))
        assert row["interval"] == "cluster"
        assert row["n_articles"] == (part[theme] > 0).sum()
    shuffled = articles.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(measures.prevalence(counted, slices, shuffled),
                                  measures.prevalence(counted, slices, articles))


def test_prevalence_of_all_years_is_over_whole_articles():
    # One article with statements of two years is one cluster in the slice of all years.
    articles = frame_of("article_id year region theme n_statements", ("a", 2024, "all", "all", 4),
                        ("a", 2025, "all", "all", 6), ("a", 2025, "all", "green", 5), ("b", 2025, "all", "all", 10))
    counts = frame_of("theme year region n_statements n_articles n_agencies", ("green", -1, "all", 5, 1, 1))
    slices = frame_of("year region n_statements n_articles", (-1, "all", 20, 2))
    row = measures.prevalence(counts, slices, articles).iloc[0]
    assert (row["low"], row["high"]) == pytest.approx(measures.clustered_interval([5, 0], [10, 10]))


def test_share_difference_is_newcombe_s_where_the_shares_are_wilson_s():
    a, b = proportion_confint(7, 50, method="wilson"), proportion_confint(20, 60, method="wilson")
    difference, low, high = measures.share_difference(7 / 50, *a, 20 / 60, *b)
    expected = confint_proportions_2indep(20, 60, 7, 50, method="newcomb", compare="diff")
    assert (difference, low, high) == pytest.approx((20 / 60 - 7 / 50, *expected))


def test_trend_grade_by_the_stated_rule():
    cases = [  # low95, high95, low80, high80, enough, word
        (0.01, 0.2, 0.05, 0.15, True, "rose"), (-0.01, 0.2, 0.01, 0.15, True, "probably_rose"),
        (-0.05, 0.06, -0.02, 0.03, True, "no_clear_change"), (0, 0.1, 0, 0.1, True, "no_clear_change"),
        (-0.2, 0.01, -0.1, -0.01, True, "probably_fell"), (-0.2, -0.01, -0.1, -0.02, True, "fell"),
        (0.01, 0.2, 0.05, 0.15, False, "too_little"), (np.nan, np.nan, np.nan, np.nan, True, "too_little")]
    *bounds, words = zip(*cases, strict=True)
    assert list(measures.trend_grade(*bounds)) == list(words)
    assert set(words) == set(measures.TREND_WORDS)


def test_trends_find_the_theme_that_rose_and_no_other():
    articles = many_articles()
    result = measures.trends(articles)
    assert list(result["theme"]) == ["green", "opening"]
    assert list(result["grade"]) == ["rose", "no_clear_change"]
    row = result.iloc[0]
    of_theme = articles[articles["theme"] == "green"].groupby("year")["n_statements"].sum()
    of_all = articles[articles["theme"] == "all"].groupby("year")["n_statements"].sum()
    assert row["difference"] == pytest.approx((of_theme / of_all).diff().iloc[-1])
    assert (row["n_from"], row["n_to"], row["n_articles_from"]) == (of_theme[2024], of_theme[2025], 30)
    assert row["low95"] < row["low80"] < row["difference"] < row["high80"] < row["high95"]
    assert row["p"] < 1e-4
    np.testing.assert_allclose(result["q"], multipletests(result["p"], method="fdr_bh")[1])


def test_p_of_a_trend_is_under_a_twentieth_exactly_when_the_interval_leaves_out_zero():
    result = pd.concat([measures.trends(many_articles(seed=i, n=8)) for i in range(30)])
    outside = (result["low95"] > 0) | (result["high95"] < 0)
    assert 0 < outside.sum() < len(result)
    assert ((result["p"] < 0.05) == outside).all()


def test_few_articles_are_too_little_to_say():
    result = measures.trends(many_articles(n=measures.MIN_ARTICLES - 1))
    assert set(result["grade"]) == {"too_little"}
    assert result["p"].isna().all()


def test_trends_pair_neighbouring_years_and_the_ends():
    result = measures.trends(many_articles((2022, 2023, 2025)), themes=["green"])
    assert list(zip(result["year_from"], result["year_to"], strict=True)) == [(2022, 2023), (2022, 2025), (2023, 2025)]


# --- the mix of sources -------------------------------------------------------------------------------------------

MIX = frame_of(
    "article_id year region theme n_statements",
    # newspapers say green in 1 of 2 statements, the web in 1 of 10, in both years; only the mix changes
    ("n1", 2024, "all", "all", 20), ("n1", 2024, "all", "green", 10),
    ("w1", 2024, "all", "all", 10), ("w1", 2024, "all", "green", 1),
    ("n2", 2025, "all", "all", 10), ("n2", 2025, "all", "green", 5),
    ("w2", 2025, "all", "all", 20), ("w2", 2025, "all", "green", 2))
SOURCES = {"n1": "newspaper", "n2": "newspaper", "w1": "web", "w2": "web"}


def test_mix_standardised_by_hand():
    result = measures.mix_standardised(MIX, SOURCES)
    # 30 of all 60 statements are a newspaper's: 0.5 · 0.5 + 0.5 · 0.1 = 0.3 in both years.
    assert list(result["share"]) == pytest.approx([11 / 30, 7 / 30])
    assert list(result["standardised"]) == pytest.approx([0.3, 0.3])
    assert list(result["coverage"]) == [1, 1]
    assert list(result["n_strata"]) == [2, 2]
    assert ((result["low"] < 0.3) & (result["high"] > 0.3)).all()


def test_one_stratum_leaves_the_share_and_its_interval_as_they_are():
    articles = many_articles()
    result = measures.mix_standardised(articles, dict.fromkeys(articles["article_id"], "web")).set_index(
        ["theme", "year"])
    np.testing.assert_allclose(result["standardised"], result["share"])
    part = articles[articles["year"] == 2024].pivot_table(index="article_id", columns="theme", values="n_statements",
                                                         fill_value=0)
    row = result.loc[("green", 2024)]
    assert (row["low"], row["high"]) == pytest.approx(measures.clustered_interval(part["green"], part["all"]))


def test_a_year_without_a_stratum_says_how_much_of_the_mix_it_covers():
    result = measures.mix_standardised(MIX[MIX["article_id"] != "n2"], SOURCES).set_index("year")
    assert result.loc[2025, "coverage"] == pytest.approx(30 / 50)
    assert result.loc[2025, "standardised"] == pytest.approx(0.1)


def test_the_mix_held_still_from_sums_by_hand():
    # of 40 statements 30 are of papers: in 2024 3/4 × 5/10 + 1/4 × 1/10, in 2025 those of papers alone
    cells = {2024: {"paper": (10, np.array([5, 0])), "web": (10, np.array([1, 2]))},
             2025: {"paper": (20, np.array([8, 10]))}}
    held = measures.held_still(cells)
    assert held[2024][0].tolist() == pytest.approx([0.4, 0.05])
    assert held[2025][0].tolist() == pytest.approx([0.4, 0.5])
    assert [(held[y][1], held[y][2]) for y in (2024, 2025)] == [(1, {"paper": 0.75, "web": 0.25}), (0.75, {"paper": 1})]
    # a rises from 6/20 to 8/20, but falls from 5/10 to 8/20 among papers; b rises in both ways
    told = measures.mix_warning_of(cells, ["a", "b"], [(2024, 2025), (2023, 2024)])
    assert told[["theme", "year_from", "year_to", "common", "warning"]].values.tolist() == [
        ["a", 2024, 2025, 0.5, "mix_makes_it"], ["b", 2024, 2025, 0.5, ""]]
    assert told["change"].tolist() == pytest.approx([0.1, 0.4])
    assert told["change_standardised"].tolist() == pytest.approx([-0.1, 0.5])


def test_mix_warning_when_only_the_sources_changed():
    result = measures.mix_warning(MIX, SOURCES, [(2024, 2025)])
    expected = frame_of("theme region year_from year_to change change_standardised common warning",
                        ("green", "all", 2024, 2025, -4 / 30, 0.0, 1.0, "mix_makes_it"))
    pd.testing.assert_frame_equal(result, expected, check_dtype=False)
    assert set(result["warning"]) <= set(measures.MIX_WARNINGS)


@pytest.mark.parametrize(("sources", "changed", "warning"), [
    # every source doubled its share: no warning
    ({"n1": "x", "w1": "x", "n2": "x", "w2": "x"}, 20, ""),
    # nothing in common between the years
    ({"n1": "a", "w1": "a", "n2": "b", "w2": "b"}, 20, "no_common_ground"),
    # the web's real rise (0.1 → 0.4) is hidden by the fall of the newspaper's weight
    (SOURCES, 8, "mix_hides_it"),
])
def test_mix_warning_other_cases(sources, changed, warning):
    frame = MIX.copy()
    if changed == 20:
        frame.loc[(frame["year"] == 2025) & (frame["theme"] == "green"), "n_statements"] = [8, 14]
    else:
        frame.loc[(frame["article_id"] == "w2") & (frame["theme"] == "green"), "n_statements"] = changed
    assert list(measures.mix_warning(frame, sources, [(2024, 2025)])["warning"]) == [warning]


# --- measured error -----------------------------------------------------------------------------------------------

def test_corrected_prevalence_by_hand():
    # sensitivity 0.8, specificity 0.9: (0.31 + 0.9 − 1) / 0.7 = 0.3
    row = measures.corrected_prevalence(310, 1000, 80, 10, 20, 90).iloc[0]
    assert row["corrected"] == pytest.approx(0.3)
    assert row["low"] < 0.3 < row["high"]
    assert (row["status"], row["bounded"]) == ("corrected", False)


def test_corrected_prevalence_keeps_its_level():
    rng = np.random.default_rng(2)
    rounds, true, se, sp = 2000, 0.1, 0.8, 0.95
    tp, fp = rng.binomial(60, se, rounds), rng.binomial(300, 1 - sp, rounds)
    n = rng.binomial(600, true * se + (1 - true) * (1 - sp), rounds)
    result = measures.corrected_prevalence(n, 600, tp, fp, 60 - tp, 300 - fp)
    assert 0.935 < ((result["low"] <= true) & (true <= result["high"])).mean() < 0.975


def test_correction_says_when_it_cannot_be_made():
    result = measures.corrected_prevalence([10, 10, 1], 100, [5, 50, 45], [1, 60, 10], [2, 50, 5], [90, 40, 90])
    assert list(result["status"]) == ["gold_too_small", "no_better_than_chance", "corrected"]
    assert result.loc[:1, ["corrected", "low", "high"]].isna().all(axis=None)
    assert result.loc[2, "bounded"]
    assert result.loc[2, "corrected"] == 0
    assert set(result["status"]) == set(measures.CORRECTION_STATUS)


def test_fewer_effective_statements_widen_the_correction():
    wide = measures.corrected_prevalence(310, 1000, 80, 10, 20, 90, n_effective=100).iloc[0]
    slim = measures.corrected_prevalence(310, 1000, 80, 10, 20, 90).iloc[0]
    assert wide["low"] < slim["low"] < slim["high"] < wide["high"]


PREDICTED = [{"x"}, {"x", "y"}, set(), {"y"}, {"x"}, set()]
GOLD = [{"x"}, {"x"}, {"x"}, {"y"}, set(), set()]


def test_accuracy_by_hand_and_by_scikit_learn():
    result = measures.accuracy(PREDICTED, GOLD).set_index("theme")
    counts = result[["tp", "fp", "fn", "tn"]]
    assert list(counts.loc["x"]) == [2, 1, 1, 2]
    assert list(counts.loc["y"]) == [1, 1, 0, 4]
    assert list(counts.loc["all"]) == [3, 2, 1, 6]
    truth, guess = (np.array([[t in s for t in "xy"] for s in codes]) for codes in (GOLD, PREDICTED))
    each = precision_recall_fscore_support(truth, guess)
    micro = precision_recall_fscore_support(truth, guess, average="micro")
    np.testing.assert_allclose(result.loc[["x", "y"], ["precision", "recall", "f1"]].T, each[:3])
    np.testing.assert_allclose(result.loc["all", ["precision", "recall", "f1"]].astype(float), micro[:3])
    assert result.loc["mean", "f1"] == pytest.approx(each[2].mean())
    assert (result.loc["x", "precision_low"], result.loc["x", "precision_high"]) == pytest.approx(
        proportion_confint(2, 3, method="wilson"))


def test_accuracy_counts_a_contested_code_neither_way():
    result = measures.accuracy(PREDICTED, GOLD, [set(), {"y"}, set(), set(), {"x"}, set()]).set_index("theme")
    assert list(result.loc["x", ["tp", "fp", "fn", "tn"]]) == [2, 0, 1, 2]
    assert list(result.loc["y", ["tp", "fp", "fn", "tn"]]) == [1, 0, 0, 4]


def test_f1_interval_is_wider_when_the_statements_share_articles():
    rng = np.random.default_rng(0)
    right = np.repeat(rng.random(20) < 0.7, 10)
    gold = [{"x"}] * 200
    predicted = [{"x"} if ok else set() for ok in right]
    alone = measures.accuracy(predicted, gold).set_index("theme").loc["x"]
    articles = [str(i // 10) for i in range(200)]
    together = measures.accuracy(predicted, gold, clusters=articles).set_index("theme").loc["x"]
    assert together["f1_high"] - together["f1_low"] > 2 * (alone["f1_high"] - alone["f1_low"])
    assert together["f1_low"] < together["f1"] < together["f1_high"]


def test_accuracy_refuses_unequal_lengths():
    with pytest.raises(ValueError, match="one length"):
        measures.accuracy(PREDICTED, GOLD[:-1])


@pytest.mark.parametrize(("a", "b", "distance"), [
    ((), (), 0), (("x",), ("x",), 0), (("x",), (), 1), (("x",), ("y",), 1), (("x",), ("x", "y"), 1 - 1 / 2 * 2 / 3),
    (("x", "y"), ("y", "z"), 1 - 1 / 3 / 3)])
def test_masi_distance(a, b, distance):
    assert measures.masi_distance(a, b) == pytest.approx(distance)
    assert measures.masi_distance(b, a) == pytest.approx(distance)


def alpha_by_definition(a, b, distance):
    """Krippendorff's alpha of two coders who both coded everything: one less the mean distance within units over the
    mean distance between any two values, each pair of values taken one by one."""
    values = [*a, *b]
    within = [distance(x, y) for x, y in zip(a, b, strict=True)]
    between = [distance(x, y) for i, x in enumerate(values) for j, y in enumerate(values) if i != j]
    return 1 - np.mean(within) / np.mean(between)


def test_the_definition_gives_the_published_example():
    # Krippendorff, "Computing Krippendorff's alpha-reliability" (2011), two observers, nominal data: 0.095
    a, b = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    assert alpha_by_definition(a, b, lambda x, y: x != y) == pytest.approx(1 - 19 * 4 / (14 * 6))


def test_agreement_is_krippendorff_s():
    rng = np.random.default_rng(4)
    a = [frozenset(t for t in "xyz" if rng.random() < 0.4) for _ in range(60)]
    b = [frozenset(t for t in "xyz" if (t in s) != (rng.random() < 0.2)) for s in a]
    result = measures.agreement(a, b).set_index("theme")
    for theme in "xyz":
        coded = [[theme in s for s in codes] for codes in (a, b)]
        expected = alpha_by_definition(*coded, lambda x, y: x != y)
        assert result.loc[theme, "alpha"] == pytest.approx(expected)
        assert result.loc[theme, "low"] < result.loc[theme, "alpha"] < result.loc[theme, "high"]
    expected = alpha_by_definition(a, b, measures.masi_distance)
    assert result.loc["all", "alpha"] == pytest.approx(expected)
    assert result.loc["all", "agree"] == pytest.approx(np.mean([s == t for s, t in zip(a, b, strict=True)]))


def test_agreement_on_nothing_is_unknown():
    result = measures.agreement([set(), set()], [set(), set()], themes=["x"]).set_index("theme")
    assert result["alpha"].isna().all()
    assert list(result["agree"]) == [1, 1]


# --- words --------------------------------------------------------------------------------------------------------

A = pd.Series({"化险": 40, "监管": 100, "绿色": 2, "转型": 8})
B = pd.Series({"化险": 10, "监管": 200, "绿色": 30, "对外": 3})


def test_keyness_against_scipy_and_the_paper_s_formula():
    result = measures.keyness(A, B, total_a=1000, total_b=3000).set_index("term")
    assert list(result.index) == ["化险", "转型", "监管", "绿色"]  # 对外 has 3 in all: under min_count
    for term, row in result.iterrows():
        y, x = A.get(term, 0), B.get(term, 0)
        g2 = scipy.stats.chi2_contingency([[y, x], [1000 - y, 3000 - x]], correction=False, lambda_="log-likelihood")
        assert (row["g2"], row["p"]) == pytest.approx((g2.statistic, g2.pvalue))
        prior, prior_all = y + x, 4000
        delta = math.log((y + prior) / (1000 + prior_all - y - prior)) - math.log(
            (x + prior) / (3000 + prior_all - x - prior))
        assert row["log_odds"] == pytest.approx(delta)
        assert row["z"] == pytest.approx(delta / math.sqrt(1 / (y + prior) + 1 / (x + prior)))
        if min(y, x) > 0:
            ratio = scipy.stats.contingency.relative_risk(y, 1000, x, 3000)
            interval = ratio.confidence_interval(0.95)
            assert (row["log_ratio"], row["low"], row["high"]) == pytest.approx(
                (math.log2(ratio.relative_risk), math.log2(interval.low), math.log2(interval.high)))
    np.testing.assert_allclose(result["q"], multipletests(result["p"], method="fdr_bh")[1])
    assert result.loc["化险", "per_10k_a"] == 400
    # 8.5 of 1000.5 against 0.5 of 3000.5, because 转型 is in A only
    assert result.loc["转型", "log_ratio"] == pytest.approx(math.log2(8.5 / 1000.5 / (0.5 / 3000.5)))


def test_keyness_turns_round_with_its_slices():
    one, other = measures.keyness(A, B), measures.keyness(B, A)
    merged = one.merge(other, on="term")
    np.testing.assert_allclose(merged["z_x"], -merged["z_y"])
    np.testing.assert_allclose(merged["low_x"], -merged["high_y"])
    np.testing.assert_allclose(merged["g2_x"], merged["g2_y"])


def test_a_larger_prior_shrinks_keyness():
    weak = measures.keyness(A, B, prior_size=10).set_index("term")["log_odds"].abs()
    strong = measures.keyness(A, B, prior_size=100_000).set_index("term")["log_odds"].abs()
    assert (strong < weak[strong.index]).all()


def test_keyness_of_an_empty_slice_is_an_error():
    with pytest.raises(ValueError, match="tokens"):
        measures.keyness(A, pd.Series(dtype=int))


def test_slice_counts():
    counts = frame_of("term year region count", ("b", 2025, "all", 2), ("a", 2025, "all", 3), ("a", -1, "all", 9))
    assert measures.slice_counts(counts, 2025).to_dict() == {"a": 3, "b": 2}


def test_dispersion_by_hand():
    # Parts of 10, 20, 30, 40 tokens: expected shares 0.1 0.2 0.3 0.4.
    sizes = pd.Series({"p1": 10, "p2": 20, "p3": 30, "p4": 40})
    parts = frame_of("term part count", ("even", "p1", 1), ("even", "p2", 2), ("even", "p3", 3), ("even", "p4", 4),
                     ("lump", "p1", 6), ("two", "p3", 1), ("two", "p4", 1))
    expected = frame_of("term count range range_share dp dp_norm top_share",
                        ("even", 10, 4, 1.0, 0.0, 0.0, 0.4),
                        ("lump", 6, 1, 0.25, (0.9 + 0.9) / 2, 1.0, 1.0),
                        ("two", 2, 2, 0.5, (0.1 + 0.2 + 0.2 + 0.1) / 2, 0.3 / 0.9, 0.5))
    pd.testing.assert_frame_equal(measures.dispersion(parts, sizes), expected, check_dtype=False)


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 9)), min_size=2, max_size=8).filter(
    lambda parts: any(count for _, count in parts)))
def test_dispersion_is_half_the_sum_of_the_gaps(parts):
    sizes = pd.Series({str(i): size for i, (size, _) in enumerate(parts)})
    frame = pd.DataFrame({"term": "t", "part": sizes.index, "count": [count for _, count in parts]})
    s = sizes.to_numpy() / sizes.sum()
    v = frame["count"].to_numpy() / frame["count"].sum()
    row = measures.dispersion(frame, sizes).iloc[0]
    assert row["dp"] == pytest.approx(np.abs(v - s).sum() / 2, abs=1e-12)
    assert row["dp_norm"] == pytest.approx(np.abs(v - s).sum() / 2 / (1 - s.min()), abs=1e-12)


def test_dispersion_needs_the_size_of_every_part():
    with pytest.raises(ValueError, match="no tokens"):
        measures.dispersion(frame_of("term part count", ("t", "p", 1)), pd.Series({"q": 3}))


# --- co-occurrence ------------------------------------------------------------------------------------------------

def test_pair_counts_by_hand():
    incidence = frame_of("statement_id theme", ("s1", "b"), ("s1", "a"), ("s1", "a"), ("s2", "a"), ("s2", "b"),
                         ("s2", "c"), ("s3", "c"), ("s4", None))
    expected = frame_of("theme_a theme_b n_both n_a n_b n_units", ("a", "b", 2, 2, 2, 4), ("a", "c", 1, 2, 2, 4),
                        ("b", "c", 1, 2, 2, 4))
    pd.testing.assert_frame_equal(measures.pair_counts(incidence), expected, check_dtype=False)
    pd.testing.assert_frame_equal(measures.pair_counts(incidence.iloc[::-1]), expected, check_dtype=False)
    tied = measures.cooccurrence(measures.pair_counts(incidence.rename(columns={"theme": "term"}), item="term"))
    assert list(tied["expected"]) == [1, 1, 1]
    assert list(tied["term_a"]) == ["a", "a", "b"]


def test_the_columns_of_a_pair_are_found_whatever_is_paired():
    for item in ("theme", "term"):
        pairs = frame_of(f"n_a n_b {item}_a {item}_b", (1, 2, "x", "y"))
        assert measures.pair_columns(pairs) == (f"{item}_a", f"{item}_b")


def test_complete_pairs_adds_what_was_never_seen():
    pairs = frame_of("theme_a theme_b year region n_both n_a n_b n_statements", ("a", "b", 2025, "all", 2, 5, 4, 20))
    counts = frame_of("theme year region n_statements", ("a", 2025, "all", 5), ("b", 2025, "all", 4),
                      ("c", 2025, "all", 3), ("all", 2025, "all", 20), ("none", 2025, "all", 9), ("a", 2024, "all", 1))
    slices = frame_of("year region n_statements", (2025, "all", 20), (2024, "all", 7))
    expected = frame_of("theme_a theme_b year region n_both n_a n_b n_statements", ("a", "b", 2025, "all", 2, 5, 4, 20),
                        ("a", "c", 2025, "all", 0, 5, 3, 20), ("b", "c", 2025, "all", 0, 4, 3, 20))
    pd.testing.assert_frame_equal(measures.complete_pairs(pairs, counts, slices), expected, check_dtype=False)


PAIRS = frame_of("theme_a theme_b year region n_both n_a n_b n_statements",
                 ("a", "c", 2025, "all", 0, 10, 20, 40), ("a", "b", 2025, "all", 10, 10, 10, 40),
                 ("b", "c", 2025, "all", 5, 10, 20, 40), ("a", "d", 2025, "all", 1, 10, 2, 40))


def test_cooccurrence_by_hand():
    result = measures.cooccurrence(PAIRS)
    assert list(zip(result["theme_a"], result["theme_b"], strict=True)) == [
        ("a", "b"), ("a", "c"), ("a", "d"), ("b", "c")]
    assert list(result["expected"]) == [2.5, 5, 0.5, 5]
    assert list(result["ratio"]) == [4, 0, 2, 1]
    np.testing.assert_allclose(result["npmi"], [1, -1, math.log(2) / math.log(40), 0], atol=1e-12)
    np.testing.assert_allclose(result["log_dice"], [14, np.nan, 14 + math.log2(2 / 12), 14 + math.log2(10 / 30)])
    assert list(result["supported"]) == [True, True, False, True]
    p_more = [scipy.stats.hypergeom.sf(k - 1, 40, b, 10) for k, b in ((10, 10), (0, 20), (1, 2), (5, 20))]
    p_fewer = [scipy.stats.hypergeom.cdf(k, 40, b, 10) for k, b in ((10, 10), (0, 20), (1, 2), (5, 20))]
    np.testing.assert_allclose(result["p_more"], p_more)
    np.testing.assert_allclose(result["p_fewer"], p_fewer)
    tested = [0, 1, 3]
    q = multipletests([p_more[i] for i in tested], method="fdr_bh")[1]
    np.testing.assert_allclose(result["q_more"], [q[0], q[1], np.nan, q[2]])
    # Fisher's exact test of the fourfold table is the same upper tail.
    assert result.loc[0, "p_more"] == pytest.approx(
        scipy.stats.fisher_exact([[10, 0], [0, 30]], alternative="greater").pvalue)


def test_cooccurrence_corrects_within_each_slice_and_does_not_mind_row_order():
    two = pd.concat([PAIRS, PAIRS.assign(year=2026)])
    result = measures.cooccurrence(two.sample(frac=1, random_state=1))
    alone = measures.cooccurrence(PAIRS)
    for year in (2025, 2026):
        part = result[result["year"] == year].drop(columns="year").reset_index(drop=True)
        pd.testing.assert_frame_equal(part, alone.drop(columns="year"))


def test_definition_of_cooccurrence_is_there_in_both_languages():
    assert set(measures.CO_OCCURRENCE) == {"zh", "en"}
    assert all(word in measures.CO_OCCURRENCE["zh"] for word in ("语句", "布尔", "对角线", "期望值"))
    assert all(word in measures.CO_OCCURRENCE["en"] for word in ("statement", "boolean", "diagonal", "symmetric"))


def test_cooccurrence_difference_is_that_of_two_fourfold_tables_of_statsmodels():
    a = frame_of("theme_a theme_b n_both n_a n_b n_statements", ("a", "b", 4, 20, 30, 200), ("a", "z", 1, 2, 2, 200),
                 ("b", "c", 0, 9, 7, 200))
    b = frame_of("theme_a theme_b n_both n_a n_b n_statements", ("a", "b", 25, 40, 50, 300), ("b", "c", 1, 4, 3, 300))
    result = measures.cooccurrence_difference(a, b)
    assert list(zip(result["theme_a"], result["theme_b"], strict=True)) == [("a", "b"), ("b", "c")]
    row = result.iloc[0]
    one = sm.stats.Table2x2(np.array([[4.5, 16.5], [26.5, 154.5]]))
    two = sm.stats.Table2x2(np.array([[25.5, 15.5], [25.5, 235.5]]))
    difference = two.log_oddsratio - one.log_oddsratio
    law = scipy.stats.norm(difference, math.hypot(one.log_oddsratio_se, two.log_oddsratio_se))
    assert (row["log_odds_a"], row["log_odds_b"]) == pytest.approx((one.log_oddsratio, two.log_oddsratio))
    assert (row["difference"], row["low"], row["high"]) == pytest.approx((difference, *law.interval(0.95)))
    assert row["p"] == pytest.approx(2 * law.cdf(0))
    assert list(result["supported"]) == [True, False]
    assert result["q"].tolist() == pytest.approx([row["p"], np.nan], nan_ok=True)


# --- regions ------------------------------------------------------------------------------------------------------

COUNTS = frame_of(
    "theme year region n_statements n_articles n_agencies",
    ("green", -1, "北京", 30, 5, 1), ("green", -1, "天津", 10, 4, 1), ("green", -1, "all", 60, 20, 2),
    ("opening", -1, "北京", 10, 3, 1), ("opening", -1, "全国", 40, 9, 1), ("all", -1, "北京", 100, 20, 1),
    ("none", -1, "北京", 60, 9, 1))
SLICES = frame_of("year region n_statements n_articles", (-1, "北京", 100, 20), (-1, "天津", 60, 12),
                  (-1, "上海", 40, 8), (-1, "全国", 200, 30), (-1, "all", 350, 60), (-1, "none", 20, 5))


def test_region_differences_stand_one_after_the_other_and_turn_round_with_their_sides():
    pairs = pd.DataFrame([("a", "b", r, k, 10, 8, n) for r, k, n in (("甲", 6, 40), ("乙", 2, 50), ("丙", 5, 30))],
                         columns=["theme_a", "theme_b", "region", "n_both", "n_a", "n_b", "n_statements"])
    frame = measures.region_differences(pairs, [("甲", "乙"), ("乙", "甲"), ("乙", "丙")])
    assert frame[["former", "latter", "n_both_a", "n_both_b"]].values.tolist() == [
        ["甲", "乙", 6, 2], ["乙", "甲", 2, 6], ["乙", "丙", 2, 5]]
    # half a statement added to each cell: 甲 6.5·28.5/(4.5·2.5), 乙 2.5·34.5/(8.5·6.5)
    expected = math.log(2.5 * 34.5 / (8.5 * 6.5)) - math.log(6.5 * 28.5 / (4.5 * 2.5))
    assert frame["difference"].tolist()[:2] == pytest.approx([expected, -expected])
    assert frame.loc[0, "low"] == pytest.approx(-frame.loc[1, "high"])
    assert list(measures.region_differences(pairs, []).columns) == list(frame.columns)


def test_region_table_by_hand():
    expected = pd.DataFrame({"green": [30, 10], "opening": [10, 0]}, index=["北京", "天津"])
    pd.testing.assert_frame_equal(measures.region_table(COUNTS), expected, check_dtype=False, check_index_type=False,
                                  check_column_type=False)


def test_location_quotient_by_hand():
    result = measures.location_quotient(COUNTS, SLICES)
    assert list(zip(result["region"], result["theme"], strict=True)) == [
        ("上海", "green"), ("上海", "opening"), ("北京", "opening"), ("北京", "green"), ("天津", "green"),
        ("天津", "opening")]
    # 40 of the 200 statements of single regions are green, 10 are opening; the quotient of 北京 for opening, 0.1 /
    # 0.05, is 2, for green 0.3 / 0.2 = 1.5: opening comes first there.
    assert set(result["reference"]) == {0.2, 0.05}
    quotient = result.set_index(["region", "theme"])["quotient"]
    assert quotient[("北京", "opening")] == pytest.approx(2)
    assert quotient[("北京", "green")] == pytest.approx(1.5)
    assert quotient[("天津", "green")] == pytest.approx(10 / 60 / 0.2)
    low = result.set_index(["region", "theme"]).loc[("北京", "opening"), "low"]
    assert low == pytest.approx(proportion_confint(10, 100, method="wilson")[0] / 0.05)
    assert not result["thin"].any()
    special = result[result["special"]]
    assert list(zip(special["region"], special["theme"], strict=True)) == [("北京", "opening"), ("北京", "green")]


def test_one_article_makes_no_speciality():
    counts = COUNTS.assign(n_articles=1)
    assert not measures.location_quotient(counts, SLICES)["special"].any()


def crosstab(seed=0, shape=(8, 5)) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.integers(0, 30, shape), index=[f"r{i}" for i in range(shape[0])],
                        columns=[f"t{j}" for j in range(shape[1])])


def test_correspondence_analysis_is_prince_s():
    table = crosstab()
    result = measures.correspondence_analysis(table, n_axes=3)
    oracle = prince.CA(n_components=3, engine="scipy").fit(table)
    np.testing.assert_allclose(result.inertia, oracle.eigenvalues_, atol=1e-10)
    np.testing.assert_allclose(result.explained * 100, oracle.percentage_of_variance_, atol=1e-8)
    np.testing.assert_allclose(np.abs(result.rows), np.abs(oracle.row_coordinates(table)), atol=1e-8)
    np.testing.assert_allclose(np.abs(result.columns), np.abs(oracle.column_coordinates(table)), atol=1e-8)
    np.testing.assert_allclose(result.row_contributions, oracle.row_contributions_, atol=1e-8)
    np.testing.assert_allclose(result.column_contributions, oracle.column_contributions_, atol=1e-8)
    np.testing.assert_allclose(result.row_quality, oracle.row_cosine_similarities(table), atol=1e-8)


def test_correspondence_analysis_axes_never_flip():
    table = crosstab(3)
    result = measures.correspondence_analysis(table)
    other = measures.correspondence_analysis(table.iloc[::-1])
    np.testing.assert_allclose(result.columns, other.columns, atol=1e-10)
    np.testing.assert_allclose(result.rows, other.rows.loc[table.index], atol=1e-10)
    for axis in result.columns:
        assert result.columns[axis].iloc[result.columns[axis].abs().to_numpy().argmax()] > 0


def test_correspondence_analysis_drops_the_empty_and_refuses_the_impossible():
    table = crosstab()
    table["empty"] = 0
    table.loc["nobody"] = 0
    assert measures.correspondence_analysis(table).dropped == ("nobody", "empty")
    with pytest.raises(ValueError, match="two rows"):
        measures.correspondence_analysis(table[["t0", "empty"]])
    with pytest.raises(ValueError, match="negative"):
        measures.correspondence_analysis(-table)


def test_total_inertia_is_chi_square_over_the_total():
    table = crosstab(5)
    result = measures.correspondence_analysis(table, n_axes=4)
    assert result.inertia.sum() == pytest.approx(scipy.stats.chi2_contingency(table).statistic / table.to_numpy().sum())
    assert result.explained.sum() == pytest.approx(1)


def test_js_distance_is_scipy_s():
    table = crosstab(2)
    result = measures.js_distance(table)
    for i in table.index:
        for j in table.index:
            expected = scipy.spatial.distance.jensenshannon(table.loc[i], table.loc[j], base=2)
            assert result.loc[i, j] == pytest.approx(expected, abs=1e-8)


def test_js_distance_by_hand():
    result = measures.js_distance(pd.DataFrame([[1, 0], [0, 5], [0, 0]], index=list("abc")))
    np.testing.assert_allclose(result, [[0, 1, np.nan], [1, 0, np.nan], [np.nan] * 3])


def test_dendrogram_order_puts_like_beside_like_whatever_the_row_order():
    table = pd.DataFrame([[10, 1, 0], [0, 9, 9], [9, 1, 0], [0, 9, 10]], index=list("dbca"))
    distances = measures.js_distance(table)
    order, tree = measures.dendrogram_order(distances)
    assert order == ["a", "b", "c", "d"]
    again, same = measures.dendrogram_order(distances.loc[list("abcd"), list("abcd")])
    assert again == order
    np.testing.assert_array_equal(tree, same)
    condensed = scipy.spatial.distance.squareform(distances.loc[sorted("abcd"), sorted("abcd")], checks=False)
    expected = scipy.cluster.hierarchy.average(condensed)
    np.testing.assert_allclose(np.sort(tree[:, 2]), np.sort(expected[:, 2]), atol=1e-9)


def test_among_the_first_are_those_whose_interval_reaches_the_first():
    share, low, high = [0.3, 0.5, 0.1, 0.0], [0.2, 0.4, 0.05, 0.0], [0.4, 0.6, 0.39, 0.45]
    assert measures.among_first(share, low, high).tolist() == [True, True, False, True]
    # of one material, what was never said is not among the first, though too little was read to rule it out
    assert measures.among_first(share, low, high, [3, 5, 1, 0]).tolist() == [True, True, False, False]
    assert measures.among_first([np.nan, 0.2], [0.1, 0.1], [0.9, 0.3]).tolist() == [False, True]
    assert measures.among_first([np.nan], [0.1], [0.9]).tolist() == [False]
    assert measures.among_first([], [], []).tolist() == []


def test_silence_by_hand():
    result = measures.silence(COUNTS, SLICES)
    assert list(zip(result["theme"], result["region"], strict=True)) == [
        ("green", "上海"), ("opening", "天津"), ("opening", "上海")]
    row = result.iloc[0]  # elsewhere 40 of 160 statements and 9 of 32 articles; 上海 has 40 statements, 8 articles
    assert row["rate_elsewhere"] == 0.25
    assert row["expected"] == 10
    assert row["p_statements"] == pytest.approx(scipy.stats.betabinom.pmf(0, 40, 40.5, 120.5))
    assert row["p_articles"] == pytest.approx(scipy.stats.betabinom.pmf(0, 8, 9.5, 23.5))
    assert row["p"] == max(row["p_statements"], row["p_articles"])
    np.testing.assert_allclose(result["q"], multipletests([*result["p"], 1, 1, 1], method="fdr_bh")[1][:3])


def test_no_measure_minds_an_empty_corpus():
    nothing = frame_of("theme year region n_statements n_articles n_agencies")
    no_slices = frame_of("year region n_statements n_articles")
    articles = measures.article_theme_counts(STATEMENTS.iloc[:0])
    assert measures.prevalence(nothing, no_slices, articles).empty
    assert measures.trends(articles).empty
    assert measures.mix_standardised(articles, {}).empty
    assert measures.mix_warning(articles, {}, [(2024, 2025)]).empty
    assert measures.location_quotient(nothing, no_slices).empty
    assert measures.silence(nothing, no_slices).empty
    assert measures.cooccurrence(PAIRS.iloc[:0]).empty
    assert measures.cooccurrence_difference(PAIRS.iloc[:0], PAIRS.iloc[:0]).empty


# ---- slices of words ------------------------------------------------------------------------------------------------

TERM_COUNTS = frame_of(
    "term year region count n_statements n_articles n_stories",
    ("化债", -1, "all", 20, 18, 9, 8), ("化债", -1, "全国", 5, 5, 3, 3), ("化债", -1, "北京", 9, 8, 4, 4),
    ("化债", -1, "天津", 4, 4, 2, 2), ("化债", -1, "none", 3, 3, 2, 2), ("消保", -1, "all", 6, 6, 4, 4),
    ("消保", -1, "全国", 6, 6, 4, 4), ("化债", 2025, "all", 4, 4, 3, 3), ("化债", 2026, "all", 16, 14, 6, 5))
TOKENS = frame_of(
    "year region n_statements n_articles n_tokens",
    (-1, "all", 100, 20, 2000), (-1, "全国", 30, 8, 600), (-1, "none", 10, 3, 200), (-1, "北京", 40, 9, 900),
    (-1, "天津", 20, 5, 500), (-1, "上海", 0, 0, 0), (2025, "all", 40, 8, 800), (2026, "all", 60, 12, 1200))


def test_term_frequencies_by_hand():
    frame = measures.term_frequencies(TERM_COUNTS, TOKENS).set_index("term")
    assert frame.loc["化债"].to_dict() == {"count": 20, "per_10k": 100.0, "n_articles": 9, "article_share": 0.45,
                                         "n_stories": 8, "n_bureaus": 2, "bureau_share": 1.0}
    # the national regulator is no bureau, and 上海 has no statement to use a term in
    assert frame.loc["消保", ["n_bureaus", "bureau_share"]].tolist() == [0, 0.0]
    assert measures.term_frequencies(TERM_COUNTS, TOKENS, 2026)["per_10k"].tolist() == pytest.approx([16 / 1200 * 1e4])
    assert measures.term_frequencies(TERM_COUNTS, TOKENS, 2020).empty


def test_keyness_between_slices_is_keyness_of_their_counts():
    years = measures.keyness_between(TERM_COUNTS, TOKENS, (2026, "all"), (2025, "all"))
    expected = measures.keyness(pd.Series({"化债": 16}), pd.Series({"化债": 4}), 1200, 800)
    pd.testing.assert_frame_equal(years, expected)
    # what bureaus say: everything less the national regulator and nobody, so 20 − 5 − 3 and 6 − 6 of 2000 − 600 − 200
    sides = measures.keyness_between(TERM_COUNTS, TOKENS, (-1, "全国"), (-1, "bureaus"))
    expected = measures.keyness(pd.Series({"化债": 5, "消保": 6}), pd.Series({"化债": 12, "消保": 0}), 600, 1200)
    pd.testing.assert_frame_equal(sides, expected)
    assert measures.keyness_between(TERM_COUNTS, TOKENS, (2025, "all"), (2025, "all")).empty
    assert measures.keyness_between(TERM_COUNTS, TOKENS, (2025, "all"), (2020, "all")).empty


def test_corrected_shares_are_those_of_each_theme_s_marks():
    prevalence = frame_of("theme year region n n_statements n_effective",
                          ("a", 2026, "all", 30, 100, 50.0), ("b", 2026, "all", 30, 100, 50.0))
    marks = frame_of("theme tp fp fn tn", ("a", 40, 10, 10, 140), ("all", 1, 1, 1, 1))
    frame = measures.corrected_shares(prevalence, marks)
    alone = measures.corrected_prevalence(30, 100, 40, 10, 10, 140, n_effective=50)
    assert frame.loc[0, ["share", "corrected", "low", "high"]].tolist() == alone.loc[
        0, ["share", "corrected", "low", "high"]].tolist()
    # sensitivity 0.8, specificity 14/15: (0.3 − 1/15) / (0.8 − 1/15)
    assert frame.loc[0, "corrected"] == pytest.approx((0.3 - 1 / 15) / (0.8 - 1 / 15))
    assert frame["status"].tolist() == ["corrected", "gold_too_small"]


def test_the_interval_of_replicates_needs_enough_of_them():
    replicates = np.arange(101) / 100
    low, high = measures.interval_of_replicates(replicates, 1000)
    assert (low, high) == pytest.approx((0.025, 0.975), abs=0.001)
    wider = measures.interval_of_replicates(replicates, 5)
    assert wider[0] < low < high < wider[1]
    missing = np.where(np.arange(101) < 60, np.nan, replicates)
    assert np.isnan(measures.interval_of_replicates(missing, 1000)).all()
    assert np.isnan(measures.interval_of_replicates(replicates, 1)).all()


def test_wording_by_year():
    rows = [("a", 2025, "must"), ("a", 2025, None), ("b", 2025, "prohibit"), ("b", 2025, "promote"), ("c", 2026, None)]
    statements = pd.DataFrame(rows, columns=["article_id", "year", "deontic"])
    found = measures.wording_shares(statements, "year", ["prohibit", "must", "promote"])
    first, second = found.to_dict("records")
    assert [first[c] for c in ("year", "n_statements", "n_articles", "prohibit", "must", "promote", "binding")] == [
        2025, 4, 2, 0.25, 0.25, 0.25, 0.5]
    assert (first["low"], first["high"]) == measures.clustered_interval([1, 1], [2, 2])
    assert (second["binding"], second["thin"]) == (0, True)
    enough = pd.DataFrame({"article_id": [str(i) for i in range(200)], "year": 2025, "deontic": "must"})
    assert not measures.wording_shares(enough, "year", ["prohibit", "must"])["thin"].any()
    assert measures.wording_shares(statements[:0], "year", ["must"]).empty
