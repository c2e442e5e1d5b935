"""What the journalists found by hand in the five documents comes out by itself, as findings and tables: when these are
built, where they are here, and always from the shipped digests, which tell the same facts among many others."""

from __future__ import annotations

from pathlib import Path

import pytest

from fengxiang import concordance, diffusion, findings, recount
from fengxiang.build import build
from fengxiang.run import Run
from fengxiang.terms import read_words
from fengxiang.workplace import workplace

ROOT = Path(__file__).parent.parent
SEEDS = (ROOT.parent / "shared" / "seeds").resolve()
TERMS = read_words(ROOT / "codebook" / "terms.txt")
CORPORA = {"seeds": SEEDS, "digests": ROOT / "data" / "raw"}


@pytest.fixture(scope="module", params=CORPORA)
def run(request, tmp_path_factory) -> Run:
    raw = CORPORA[request.param]
    if not raw.is_dir():
        pytest.skip("the five documents are not here: no ../shared/seeds")
    out = tmp_path_factory.mktemp(request.param)
    build(raw, out, ROOT / "codebook")
    return Run(workplace(raw, out, ROOT / "codebook"))


@pytest.fixture(scope="module")
def told(run) -> dict[str, findings.Finding]:
    return {f.id: f for f in findings.all_findings(run, run.names)}


@pytest.fixture(scope="module")
def wording(run) -> dict[int, dict[str, list[str]]]:
    """year → term → regions whose bureaus say it."""
    return {year: concordance.wording_by_region(run, TERMS, year).set_index("term")["regions"].to_dict()
            for year in (2022, 2026)}


def test_the_four_signals_of_2026_come_out_by_themselves(run, told):
    assert told["listed_first"].slice == {"year": 2026, "themes": [
        ["institution_risk"], ["property_finance", "local_debt"], ["consolidation"], ["strong_supervision"]]}
    assert len(told["listed_first"].evidence) == 4
    items = run.statements(year=2026).set_index("statement_id").loc[told["listed_first"].evidence, "themes"]
    assert [list(t) for t in items] == [["institution_risk"], ["property_finance", "local_debt"], ["consolidation"],
                                        ["strong_supervision"]]


@pytest.mark.parametrize(("term", "regions"), [
    ("监管数智化", ["天津", "河北", "深圳"]), ("AI强监管", ["深圳"]), ("监管前瞻性", ["广西"]), ("白名单", ["河北"]),
    ("金融饱和度", ["黑龙江"]), ("一地一策", ["黑龙江"])])
def test_who_says_what_in_2026(wording, term, regions):
    assert wording[2026][term] == regions


def test_the_same_as_a_headline(run, told):
    claim = {term: regions for _, term, regions in told["local_wording"].claim}
    assert claim["AI强监管"] == ("深圳",)
    assert claim["监管数智化"] == ("天津", "河北", "深圳")
    assert told["local_wording"].badge["holds"] == told["local_wording"].badge["of"]
    facts = {term: regions for _, term, regions in told["local_wording"].facts}
    assert facts["监管前瞻性"] == ("广西",)
    assert facts["金融饱和度"] == ("黑龙江",)
    if run.place.raw == SEEDS:  # elsewhere other bureaus have used the word in other years
        assert claim["白名单"] == ("河北",)


@pytest.mark.parametrize(("region", "terms"), [
    ("北京", ["四个中心", "“五子”联动", "国际消费中心", "房住不炒"]),
    ("上海", ["三大任务一大平台", "五型经济", "四大功能", "3+6", "国际金融中心"]),
    ("广东", ["十大工程", "粤港澳大湾区"]),
    ("海南", ["3+1", "自贸港"]), ("天津", ["两增", "减费让利"]), ("青海", ["国家公园示范省", "绿色金融"])])
def test_the_strategies_of_the_regions_in_2022(wording, region, terms):
    assert {term: wording[2022].get(term) for term in terms} == {term: [region] for term in terms}


def test_the_channels_of_contagion_come_out_of_the_study_of_2024(run):
    passings = diffusion.risk_transmission(run.table("statements", ["statement_id", "article_id", "year", "text"]),
                                           diffusion.TransmissionRules.load(ROOT / "codebook"))
    ties = set(zip(passings["source"], passings["target"], strict=True))
    # firms to institutions, abroad to the markets: across firms, markets and borders
    assert {("firms", "institutions"), ("abroad", "markets")} <= ties
    if run.place.raw == SEEDS:  # the digest of the study is shorter
        assert {("property", "institutions"), ("abroad", "home")} <= ties


def test_with_one_article_a_year_most_things_are_too_little_to_say(run, told):
    if run.place.raw != SEEDS:
        pytest.skip("the digests have many articles a year")
    for id_ in ("leading_theme", "changed_themes", "new_wording", "national_and_regional", "binding_wording"):
        assert told[id_].grade == "too_little", id_
        assert told[id_].zh.endswith("。")


def test_prose_and_data_agree(run, told):
    assert recount.mismatches(list(told.values()), run) == []
