"""The five real documents beside this checkout come out as seven articles, exactly as their expectations say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fengxiang import cleaning, reading

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
SEEDS, EXPECTED = SHARED / "seeds", SHARED / "expected" / "seeds.json"

pytestmark = pytest.mark.skipif(
    not (SEEDS.is_dir() and EXPECTED.is_file()),
    reason="the seed documents and their expectations are not beside this checkout (../shared)")


@pytest.fixture(scope="module")
def rules() -> cleaning.Rules:
    return cleaning.Rules.load(ROOT / "codebook")


@pytest.fixture(scope="module")
def cleaned(rules) -> dict:
    return {p.name: cleaning.clean_document(p.name, p.read_bytes(), rules) for p in sorted(SEEDS.glob("*.txt"))}


@pytest.fixture(scope="module")
def pairs(cleaned) -> list:
    expected = json.loads(EXPECTED.read_text(encoding="utf-8"))["articles"]
    found = {(a.source_file, a.position): a for done in cleaned.values() for a in done.articles}
    assert sorted(found) == sorted((e["source_file"], e["position"]) for e in expected)
    return [(e, found[e["source_file"], e["position"]]) for e in expected]


def test_seven_articles_come_out_and_nothing_is_rejected(cleaned):
    assert [len(done.articles) for done in cleaned.values()] == [3, 1, 1, 1, 1]
    assert [r for done in cleaned.values() for r in done.rejected] == []


@pytest.mark.parametrize(
    "field", ["source_format", "title", "publisher", "authors", "date", "date_basis", "year", "scope"])
def test_what_is_said_of_each_article(pairs, field):
    found = [(a.source_file, a.position, getattr(a, field)) for e, a in pairs if field in e]
    assert found == [(e["source_file"], e["position"], e[field]) for e, _ in pairs if field in e]


def test_headings_are_those_expected_and_no_others(pairs):
    for e, a in pairs:
        assert [p.text for p in a.paragraphs if p.kind == "heading"] == e.get("headings", []), a.title


def test_broken_sentences_are_whole_and_page_furniture_is_gone(pairs):
    for e, a in pairs:
        for text in e["must_contain"]:
            assert any(text in p.text for p in a.paragraphs), (a.title, text)
        for text in e["must_not_contain"]:
            assert text not in a.text, (a.title, text)


def test_text_that_stands_twice_counts_once(pairs, cleaned):
    twice = [(e, a) for e, a in pairs if e.get("copies_in_document") == 2]
    assert len(twice) == 1
    for _, a in twice:
        texts = [p.text for p in a.paragraphs]
        assert len(set(texts)) == len(texts)
        rows = cleaned[a.source_file].ledger
        body = sum(r.n_chars for r in rows if r.fate == "body")
        copies = sum(r.n_chars for r in rows if r.fate == "duplicate")
        assert body <= copies <= 1.1 * body  # the copy holds title, byline and headings too


def test_every_character_is_accounted_for(cleaned):
    for name, done in cleaned.items():
        text, _, bad = reading.decode((SEEDS / name).read_bytes())
        assert bad == 0
        assert sum(r.n_chars for r in done.ledger) == len(text), name


def test_no_line_of_a_seed_is_left_to_chance(cleaned):
    for name, done in cleaned.items():
        assert {r.rule for r in done.ledger}.isdisjoint({"unattached", "no_article", "unreadable_line"}), name
        assert {r.fate for r in done.ledger}.isdisjoint({"unreadable"}), name
