"""The shipped corpus: the raw files hold what codebook/gold/articles.json says, and cleaning recovers it.

The first half reads the raw files by itself (bytes, encodings, tags, white space) and knows nothing of the cleaner, so
that an error in the files and an error in the cleaner cannot hide each other.
"""

from __future__ import annotations

import html
import json
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RAW = ROOT / "data" / "raw"
SEEDS = ROOT.parent / "shared" / "seeds"
EXPECTED = json.loads((ROOT / "codebook" / "gold" / "articles.json").read_text(encoding="utf-8"))["articles"]
BY_FILE = defaultdict(list)
for _record in EXPECTED:
    BY_FILE[_record["source_file"]].append(_record)
FIELDS = ("title", "publisher", "authors", "url", "date", "date_basis", "year", "kind", "source_title", "scope",
          "source_format", "script", "headings")  # fmt: skip

# What pages and columns put into the middle of a sentence of these files.
RUNNING_HEADS = {
    "dumps/2024-journal.txt": ["地方债、中小机构与风险传递：防范化解金融风险的难点和对策", "专题摘编Digest"],
}
ASCII_PUNCTUATION = str.maketrans(",:;()", "，：；（）")  # one dump prints ASCII commas and colons


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def raw_text(path: str) -> str:
    """The text of a raw file as one run of characters, by its recorded encoding, without tags and white space."""
    text = (RAW / path).read_bytes().decode(BY_FILE[path][0]["encoding"])
    suffix = path.rsplit(".", 1)[1]
    if suffix == "jsonl":
        text = "\n".join(text for line in text.splitlines() for text in map(str, json.loads(line).values()))
    elif suffix == "json":
        text = "\n".join(map(str, json.loads(text).values()))
    elif suffix == "html":
        text = html.unescape(re.sub(r"<[^<>]*>", "", re.sub(r"(?is)<(script|style)\b.*?</\1>", "", text)))
    elif suffix == "md":
        text = re.sub(r"<[^<>]*>", "", text).replace("**", "")
    text = squeezed(text).replace("\ufeff", "")
    for head in RUNNING_HEADS.get(path, []):
        text = text.replace(head, "")
    return text


@pytest.fixture(scope="module")
def raw_texts() -> dict[str, str]:
    return {path: raw_text(path) for path in sorted(BY_FILE)}


def test_every_raw_file_is_described_and_every_described_file_is_there():
    found = {p.relative_to(RAW).as_posix() for p in RAW.rglob("*") if p.is_file()}
    assert found == set(BY_FILE) | {"README.md"}
    assert sum(p.stat().st_size for p in RAW.rglob("*") if p.is_file()) < 1_500_000


def test_the_143_digests_are_there_once_and_one_stands_in_both_scripts():
    assert len({e["id"] for e in EXPECTED}) == len(EXPECTED) == 144
    assert [e["id"] for e in EXPECTED if e["copy_of"]] == ["2025-fujian-1-hant"]
    digests = [e for e in EXPECTED if not e["copy_of"]]
    assert Counter(e["year"] for e in digests) == {2021: 5, 2022: 19, 2023: 22, 2024: 25, 2025: 53, 2026: 19}
    assert Counter(e["kind"] for e in digests) == {
        "priorities": 29, "policy": 22, "action": 47, "review": 42, "analysis": 1, "off_topic": 2}  # fmt: skip
    assert all((e["scope"] == "out") == (e["kind"] == "off_topic") for e in EXPECTED)
    assert all(e["n_body_chars"] == len(squeezed(e["body"])) > 60 for e in EXPECTED)


def test_positions_count_the_articles_of_a_file_from_one():
    for path, records in BY_FILE.items():
        assert [e["position"] for e in records] == list(range(1, len(records) + 1)), path


def test_each_body_stands_whole_in_its_file_and_in_no_other(raw_texts):
    folded = {path: text.translate(ASCII_PUNCTUATION) for path, text in raw_texts.items()}
    for e in EXPECTED:
        at = 0
        for paragraph in e["body"].split("\n"):
            paragraph = squeezed(paragraph).translate(ASCII_PUNCTUATION)
            holders = [path for path, text in folded.items() if paragraph in text]
            assert holders == [e["source_file"]], (e["id"], paragraph[:30])
            at = folded[e["source_file"]].find(paragraph, at)
            assert at >= 0, (e["id"], "paragraphs out of order", paragraph[:30])
            at += len(paragraph)


def test_each_article_carries_its_citation():
    for e in EXPECTED:
        text = html.unescape((RAW / e["source_file"]).read_bytes().decode(e["encoding"]))
        text = text.replace('\\"', '"').replace("''", "'")  # quotation marks as JSON and YAML write them
        for field in ("publisher", "source_title", "url", "kind"):
            assert e[field] is None or e[field] in text, (e["id"], field)
        year, *month_and_day = e["date"].split("-")
        date = year + "".join(rf"[-/年月]0?{int(number)}(?!\d)" for number in month_and_day)
        assert re.search(date, text), (e["id"], e["date"])


def test_encodings_and_line_ends_are_as_various_as_the_readme_says():
    plain = [e for e in EXPECTED if e["source_format"] == "plain"]
    assert Counter(e["encoding"] for e in plain) == {"utf-8": 16, "gb18030": 2, "utf-16": 2, "utf-8-sig": 1}
    assert sum(b"\r" in (RAW / e["source_file"]).read_bytes() for e in plain) == 4
    pages = {p.name: p.read_bytes() for p in sorted((RAW / "html").glob("*.html"))}
    declared = {name: re.search(rb'charset="?([\w-]+)', data)[1].decode().lower() for name, data in pages.items()}
    actual = {Path(e["source_file"]).name: e["encoding"] for e in EXPECTED if e["source_file"].startswith("html/")}
    assert Counter((declared[name], actual[name]) for name in pages) == {
        ("utf-8", "utf-8"): 26, ("gb18030", "gb18030"): 1, ("gb2312", "gb18030"): 1,
        ("gb2312", "utf-8"): 1, ("utf-8", "gb18030"): 1}  # fmt: skip


def test_no_raw_file_repeats_the_seeds():
    """No run of 24 characters, titles in 《》 and addresses apart."""
    if not SEEDS.is_dir():
        pytest.skip("the seed documents are not beside this checkout (../shared/seeds)")
    runs = set()
    for seed in sorted(SEEDS.glob("*.txt")):
        text = seed.read_text(encoding="utf-8")
        runs.update(text[i : i + 24] for i in range(len(text) - 23))
    assert len(runs) > 10_000
    for path, records in BY_FILE.items():
        text = (RAW / path).read_bytes().decode(records[0]["encoding"])
        text = re.sub(r"《[^》]*》", "", re.sub(r"https?://[^\s<>｜\"]+", "", text))
        assert not [text[i : i + 24] for i in range(len(text) - 23) if text[i : i + 24] in runs], path


# -------------------------------------------------------------------------------------- what cleaning makes of it


@pytest.fixture(scope="module")
def cleaned():
    from fengxiang import cleaning

    rules = cleaning.Rules.load(ROOT / "codebook")
    return {path: cleaning.clean_document(path, (RAW / path).read_bytes(), rules) for path in sorted(BY_FILE)}


@pytest.fixture(scope="module")
def pairs(cleaned):
    """Each expected record with the article cleaned from the same file at the same position, or None."""
    articles = {(a.source_file, a.position): a for done in cleaned.values() for a in done.articles}
    return [(e, articles.get((e["source_file"], e["position"]))) for e in EXPECTED]


def simplified(value):
    from opencc import OpenCC

    return OpenCC("t2s").convert(value) if isinstance(value, str) else value


def test_cleaning_finds_every_article_and_rejects_no_file(cleaned):
    assert {path: len(done.articles) for path, done in cleaned.items()} == {p: len(r) for p, r in BY_FILE.items()}
    assert [done.rejected for done in cleaned.values() if done.rejected] == []


@pytest.mark.parametrize("field", FIELDS)
def test_cleaning_recovers(pairs, field):
    wrong = []
    for e, article in pairs:
        if field == "headings":
            found = article and [p.text for p in article.paragraphs if p.kind == "heading"]
        else:
            found = article and getattr(article, field)
        same = simplified if e["script"] == "hant" else lambda value: value
        if same(found) != same(e[field]):
            wrong.append((e["source_file"], e["position"], "found", found, "expected", e[field]))
    assert wrong == []


def test_cleaning_recovers_the_body_paragraph_by_paragraph_and_nothing_else(pairs):
    wrong = []
    for e, article in pairs:
        found = article and "\n".join(p.text for p in article.paragraphs if p.kind != "heading")
        same = simplified if e["script"] == "hant" else lambda value: value
        if same(found) != same(e["body"]):
            wrong.append((e["source_file"], e["position"], found, e["body"]))
    assert wrong == []


def test_cleaning_accounts_for_every_character(cleaned):
    """By the recorded encoding, not the one the cleaner took."""
    for path, done in cleaned.items():
        text = (RAW / path).read_bytes().decode(BY_FILE[path][0]["encoding"])
        assert sum(row.n_chars for row in done.ledger) == len(text), path
