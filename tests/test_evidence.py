"""Ten numbers of the report as built, drawn at random: each opens its drawer, and pandas finds in the tables what the
drawer says."""

import json
import random
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml
from browser import Browser

ROOT = Path(__file__).resolve().parent.parent
SEED = 6


@pytest.fixture(scope="module")
def tables():
    folder = ROOT / "data/processed"
    if not (ROOT / "report/index.html").is_file() or not (folder / "numbers.csv").is_file():
        pytest.skip("there is no report here to look into: run make report first")
    numbers = pd.read_csv(folder / "numbers.csv", encoding="utf-8-sig")
    statements = pd.read_parquet(folder / "statements.parquet",
                                 columns=["statement_id", "text", "year", "regions", "themes", "deontic"])
    return numbers, statements.set_index("statement_id")


@pytest.fixture(scope="module")
def page(tables):
    browser = Browser()
    browser.open(ROOT / "report/index.html")
    yield browser
    browser.close()


def counted(cell, statements):
    """(how many, of how many) by counting statements; None for what is not a count of statements."""
    part = statements if cell.get("year", -1) == -1 else statements[statements["year"] == cell["year"]]
    if cell.get("side") == "national":
        part = part[["全国" in regions for regions in part["regions"]]]
    elif cell.get("side") == "bureaus":
        part = part[[any(r != "全国" for r in regions) for regions in part["regions"]]]
    if cell["what"] == "theme":
        return sum(cell["theme"] in themes for themes in part["themes"]), len(part)
    if cell["what"] == "pair":
        return sum({cell["a"], cell["b"]} <= set(themes) for themes in part["themes"]), len(part)
    if cell["what"] == "binding":
        grades = yaml.safe_load((ROOT / "codebook/deontic.yml").read_text("utf-8"))["grades"]
        return int(part["deontic"].isin([grade["id"] for grade in grades[:2]]).sum()), len(part)
    return None


def bears(cell, row):
    """Whether a statement is one of those the number counts."""
    if cell["what"] == "theme":
        return cell["theme"] in row["themes"] and cell["year"] in (-1, row["year"])
    if cell["what"] == "pair":
        return {cell["a"], cell["b"]} <= set(row["themes"])
    if cell["what"] == "term_regions":
        return cell["term"] in row["text"] and bool(set(cell["regions"]) & set(row["regions"]))
    if cell["what"] == "term_stories":
        return cell["term"] in row["text"] and cell["year"] == row["year"]
    return cell["what"] != "size"


def plain(text):
    return re.sub(r"\s", "", text)


def test_the_evidence_behind_ten_numbers_is_right(page, tables):
    numbers, statements = tables
    on_page = page.run("[...document.querySelectorAll('.findings > li')].flatMap((li) => "
                       "[...li.querySelectorAll('.sentence a.number')].map((a, i) => [li.id, i, a.textContent]))")
    assert len(on_page) >= 10
    texts = {plain(text) for text in statements["text"]}
    for finding, i, text in random.Random(SEED).sample(on_page, 10):
        rows = numbers[numbers["finding"] == finding.removeprefix("finding-")]
        row = next(r for r in rows.itertuples() if plain(r.zh) == plain(text))
        cell, evidence = json.loads(row.cell), json.loads(row.evidence)
        opened = page.run(f"""(async () => {{
            const li = document.getElementById({finding!r});
            const drawer = li.querySelector('.drawer');
            drawer.open = false;
            li.querySelectorAll('.sentence a.number')[{i}].click();
            await new Promise((done) => setTimeout(done, 60));
            return [drawer.open, [...drawer.querySelectorAll('.numbers li')].map((x) => x.textContent),
                    [...drawer.querySelectorAll('.statement blockquote')].map((x) => x.textContent)];
        }})()""")
        is_open, said, shown = opened
        assert is_open, (finding, text)
        line = next(x for x in said if plain(x).startswith(plain(text)))
        if row.of == row.of:  # not missing
            assert f"{row.n:,.0f}/{row.of:,.0f}" in plain(line), line
        found = counted(cell, statements)
        if found and row.of == row.of:
            assert found == (row.n, row.of), (finding, text)
        if cell["what"] == "size":
            assert cell["n"] == (statements["year"] == cell["year"]).sum()
        assert all(bears(cell, statements.loc[s]) for s in evidence), (finding, text)
        assert all(plain(x) in texts for x in shown), finding
        assert len({plain(statements.loc[s, "text"]) for s in evidence} & {plain(x) for x in shown}) > 0 or not evidence
