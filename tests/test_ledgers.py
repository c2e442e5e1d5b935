"""The ledger of a build: made once of its inputs, kept, and read by all who ask."""

from __future__ import annotations

import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pyarrow.parquet
import pytest

from fengxiang import findings, ledgers
from fengxiang.build import build
from fengxiang.run import Run
from fengxiang.workplace import workplace

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory) -> Run:
    """The shipped corpus, built, with a codebook of its own."""
    folder = tmp_path_factory.mktemp("shipped")
    shutil.copytree(ROOT / "codebook", folder / "codebook")
    build(ROOT / "data/raw", folder / "out", folder / "codebook")
    return Run(workplace(ROOT / "data/raw", folder / "out", folder / "codebook"))


@pytest.fixture(scope="module")
def ledger(shipped) -> ledgers.Ledger:
    return ledgers.made(shipped)


@pytest.fixture
def makings(shipped, ledger, monkeypatch) -> list:
    """A list that grows each time a ledger is made; none is kept at first."""
    (shipped.out / ".fengxiang/findings.json").unlink(missing_ok=True)
    made: list = []
    monkeypatch.setattr(ledgers, "made", lambda run: made.append(run) or ledger)
    return made


def test_what_is_kept_is_read_as_it_was(ledger):
    again = ledgers.Ledger.read(ledger.text())
    assert again.findings == ledger.findings
    assert any(f.facts for f in ledger.findings)
    pd.testing.assert_frame_equal(again.shares, ledger.shares)
    assert again.text() == ledger.text()
    pd.testing.assert_frame_equal(findings.as_frame(again.findings), findings.as_frame(ledger.findings))


def test_it_is_made_once_for_all_who_ask_at_a_time_and_after(shipped, ledger, makings):
    with ThreadPoolExecutor(4) as pool:
        every = list(pool.map(ledgers.ledger_of, [shipped] * 4))
    every.append(ledgers.ledger_of(shipped))
    assert len(makings) == 1
    assert all(one.findings == ledger.findings for one in every)


@pytest.mark.parametrize("file", ["codebook/themes.yml", "codebook/gold/statements.csv", "codebook/quantities.yml",
                                  "out/data/processed/article_terms.parquet"])
def test_it_is_made_again_when_one_of_its_inputs_has_changed(shipped, makings, file):
    path = shipped.place.codebook.parent / file
    ledgers.ledger_of(shipped)
    kept = path.read_bytes()
    try:
        path.write_bytes(kept + b"\n")
        ledgers.ledger_of(shipped)
        assert len(makings) == 2
    finally:
        path.write_bytes(kept)
    ledgers.ledger_of(shipped)
    assert len(makings) == 3  # only the newest is kept


def test_it_is_made_again_with_other_code_but_not_for_a_file_it_does_not_read(shipped, makings, monkeypatch):
    ledgers.ledger_of(shipped)
    (shipped.place.codebook / "glossary.yml").touch()
    with (shipped.place.codebook / "transmission.yml").open("a") as handle:
        handle.write("\n")
    ledgers.ledger_of(shipped)
    assert len(makings) == 1
    monkeypatch.setattr(ledgers.running, "package_hash", lambda state: "other")
    ledgers.ledger_of(shipped)
    assert len(makings) == 2


def test_a_kept_ledger_that_is_cut_short_is_made_anew(shipped, ledger, makings):
    ledgers.ledger_of(shipped)
    path = shipped.out / ".fengxiang/findings.json"
    path.write_text(path.read_text("utf-8")[:-100], "utf-8")
    assert ledgers.ledger_of(shipped).findings == ledger.findings
    assert len(makings) == 2


def test_nothing_is_read_that_is_not_declared(shipped, monkeypatch):
    read, parquet = set(), pyarrow.parquet.read_table

    def reading(path, *arguments, **options):
        read.add(Path(path))
        return parquet(path, *arguments, **options)

    monkeypatch.setattr(pyarrow.parquet, "read_table", reading)
    on = [True]
    sys.addaudithook(lambda event, a: on and event == "open" and isinstance(a[0], str) and read.add(Path(a[0])))
    again = Run(shipped.place)
    ledgers.made(again)
    on.clear()
    places = {shipped.out: "", shipped.place.codebook: "codebook/", ROOT / "codebook": "codebook/"}
    names = {prefix + p.relative_to(place).as_posix() for p in read for place, prefix in places.items()
             if p.is_relative_to(place)}
    declared = {name for name in names if any(name == r or name.startswith(f"{r}/") for r in ledgers.READ)}
    assert names - declared == set()
    assert {r for r in ledgers.READ if r.startswith("data/")} <= declared


def test_titles_are_those_of_the_findings(shipped, ledger, makings):
    told = {f.id: f for f in ledger.findings}
    titles = ledgers.titles(shipped, "leading_theme", "closest_pair")
    assert titles == {told[id_].figure: told[id_].title for id_ in ("leading_theme", "closest_pair")}
    thin = findings._too_little("x", "m", {}, "材料太少。", "Too little.", "some_figure")
    assert findings.titles([thin]) == {"some_figure": {"zh": "材料太少", "en": "Too little"}}
