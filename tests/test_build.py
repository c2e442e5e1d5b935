"""The build: the same tables whatever the order, the number of processes, the folder or what was built before."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from fengxiang import build as building
from fengxiang import partition, tables
from fengxiang.build import build, partitions, raw_files
from fengxiang.errors import UserError

CODEBOOK = Path(__file__).resolve().parent.parent / "codebook"
A = "深圳金融监管局提出，加快推进监管数智化建设，支持科技型企业发展。防范打击非法集资活动。"
B = "北京银保监局2022年推进绿色金融，督促银行保险机构做好消费者权益保护。"


def page(title, date, *paragraphs):
    return f"---\ntitle: {title}\ndate: {date}\n---\n\n" + "\n\n".join(paragraphs) + "\n"


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "raw"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.md").write_text(page("深圳部署2026年金融监管工作", "2026-01-10", A), encoding="utf-8")
    (folder / "sub" / "b.md").write_text(page("北京银保监局2022年工作", "2022-02-01", B), encoding="utf-8")
    (folder / "copy.md").write_text(page("深圳部署2026年金融监管工作", "2026-01-12", A), encoding="utf-8")
    return folder


def contents(out):
    """Every table's bytes."""
    folder = tables.processed(out)
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in sorted(folder.rglob("*")) if p.is_file()}


def test_two_articles_and_a_copy_counted_by_hand(raw, tmp_path):
    result = build(raw, tmp_path / "out", CODEBOOK)
    assert (result.n_files, result.n_rejected) == (3, 0)
    articles = tables.read(tmp_path / "out", "articles").set_index("source_file")
    assert articles["year"].to_dict() == {"a.md": 2026, "copy.md": 2026, "sub/b.md": 2022}
    assert articles.loc["copy.md", "article_id"] == articles.loc["a.md", "article_id"] + "-2"
    assert articles.loc["copy.md", "story_id"] == articles.loc["a.md", "article_id"]
    statements = tables.read(tmp_path / "out", "statements")
    assert [(r.text, list(r.regions), r.year) for r in statements.sort_values(["source_file", "position"]).itertuples()] \
        == [(t, region, year) for region, year, texts in (
            (["深圳"], 2026, [A[:32], A[32:]]), (["深圳"], 2026, [A[:32], A[32:]]), (["北京"], 2022, [B])) for t in texts]
    slices = tables.read(tmp_path / "out", "slices").set_index(["year", "region"])
    columns = ["n_statements", "n_articles", "n_stories", "n_agencies"]
    assert {k: tuple(int(v) for v in slices.loc[k, columns]) for k in slices.index} == {
        (-1, "all"): (5, 3, 2, 2), (-1, "深圳"): (4, 2, 1, 1), (-1, "北京"): (1, 1, 1, 1), (2022, "all"): (1, 1, 1, 1),
        (2022, "北京"): (1, 1, 1, 1), (2026, "all"): (4, 2, 1, 1), (2026, "深圳"): (4, 2, 1, 1)}
    themes = tables.read(tmp_path / "out", "theme_counts").set_index(["theme", "year", "region"])
    assert tuple(int(v) for v in themes.loc[("illegal_finance", -1, "all"), columns]) == (2, 2, 1, 1)
    assert tuple(int(v) for v in themes.loc[("green", 2022, "北京"), columns]) == (1, 1, 1, 1)
    terms = tables.read(tmp_path / "out", "term_counts").set_index(["term", "year", "region"])
    assert tuple(int(v) for v in terms.loc[("监管数智化", -1, "all")]) == (2, 2, 2, 1)
    pairs = tables.read(tmp_path / "out", "theme_pairs")
    pairs = pairs[(pairs["year"] == 2022) & (pairs["region"] == "all")]
    assert [(r.theme_a, r.theme_b, r.n_both, r.n_a, r.n_b, r.n_statements) for r in pairs.itertuples()] == [
        ("consumer", "green", 1, 1, 1, 1)]


def test_the_ledger_adds_up_to_every_file(raw, tmp_path):
    build(raw, tmp_path / "out", CODEBOOK)
    sizes = tables.read(tmp_path / "out", "ledger").groupby("source_file")["n_chars"].sum().to_dict()
    assert sizes == {name: len((raw / name).read_text(encoding="utf-8")) for name, _ in raw_files(raw)}


def test_nothing_changed_touches_nothing(raw, tmp_path):
    build(raw, tmp_path / "out", CODEBOOK)
    stamps = {p: p.stat().st_mtime_ns for p in tables.processed(tmp_path / "out").rglob("*")}
    result = build(raw, tmp_path / "out", CODEBOOK)
    assert not result.changed
    assert stamps == {p: p.stat().st_mtime_ns for p in tables.processed(tmp_path / "out").rglob("*")}


@pytest.fixture
def many(tmp_path, monkeypatch):
    """Forty articles over several partitions, in files and in a large JSON Lines file."""
    monkeypatch.setattr(building, "PARTITION_BYTES", 3_000)
    monkeypatch.setattr(building, "CHUNK_BYTES", 1_500)
    monkeypatch.setattr(building, "IN_PROCESS_BYTES", 0)
    folder = tmp_path / "raw"
    folder.mkdir()
    places = ["上海", "浙江", "天津", "广西", "重庆"]
    for i in range(30):
        text = f"{places[i % 5]}金融监管局称，{2020 + i % 5}年推进普惠金融{i}项，化解不良资产{i * 7}亿元。" + (A if i % 6 == 0 else B)
        (folder / f"{i:02d}.md").write_text(page(f"{places[i % 5]}第{i}次通报金融监管", f"{2020 + i % 5}-03-0{1 + i % 9}", text),
                                            encoding="utf-8")
    with open(folder / "feed.jsonl", "w", encoding="utf-8") as feed:
        for i in range(10):
            feed.write(json.dumps({"title": f"{places[i % 5]}金融监管局部署", "date": f"2026-01-{i + 10}", "content":
                                   f"{places[i % 5]}金融监管局提出，推进第{i}批房地产融资协调机制“白名单”项目。" * 2 + A},
                                  ensure_ascii=False) + "\n")
    return folder


def test_any_number_of_processes_any_folder_gives_the_same_bytes(many, tmp_path):
    assert len(partitions(many)) > 3
    build(many, tmp_path / "one", CODEBOOK, workers=1)
    moved = tmp_path / "elsewhere" / "raw 移动"
    shutil.copytree(many, moved)
    build(moved, tmp_path / "two", CODEBOOK, workers=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_an_incremental_build_equals_a_cold_one(many, tmp_path):
    out = tmp_path / "out"
    build(many, out, CODEBOOK, workers=1)
    (many / "new.md").write_text(page("广西金融监管局2026年部署", "2026-02-01", "广西金融监管局要求严防风险“爆雷”。", A),
                                 encoding="utf-8")
    (many / "03.md").unlink()
    (many / "07.md").write_text(page("重庆金融监管局通报", "2025-02-01", B), encoding="utf-8")
    result = build(many, out, CODEBOOK, workers=1)
    assert 0 < result.n_redone < result.n_partitions
    build(many, tmp_path / "cold", CODEBOOK, workers=1)
    assert contents(out) == contents(tmp_path / "cold")


def test_a_codebook_change_recodes_without_cleaning_or_segmenting(many, tmp_path, monkeypatch):
    edited = tmp_path / "codebook"
    shutil.copytree(CODEBOOK, edited)
    out = tmp_path / "out"
    build(many, out, edited, workers=1)
    themes = (edited / "themes.yml").read_text(encoding="utf-8")
    (edited / "themes.yml").write_text(themes.replace("masks:\n", "masks:\n  - 普惠金融\n", 1), encoding="utf-8")
    forbidden = []
    monkeypatch.setattr(partition, "_clean", lambda *a: forbidden.append("clean"))
    monkeypatch.setattr(partition, "_segment", lambda *a: forbidden.append("segment"))
    before = contents(out)
    build(many, out, edited, workers=1)
    monkeypatch.undo()
    after = contents(out)
    assert forbidden == []
    assert before["theme_counts.csv"] != after["theme_counts.csv"]
    monkeypatch.setattr(building, "PARTITION_BYTES", 3_000)
    monkeypatch.setattr(building, "CHUNK_BYTES", 1_500)
    build(many, tmp_path / "cold", edited, workers=1)
    assert after == contents(tmp_path / "cold")


def test_a_large_json_lines_file_is_cut_at_line_ends(many, tmp_path, monkeypatch):
    build(many, tmp_path / "cut", CODEBOOK, workers=1)
    monkeypatch.setattr(building, "CHUNK_BYTES", 10**9)
    build(many, tmp_path / "whole", CODEBOOK, workers=1)
    cut, whole = (tables.read(tmp_path / o, "articles").sort_values(["source_file", "position"]) for o in ("cut", "whole"))
    columns = ["article_id", "source_file", "position", "story_id", "text"]
    assert cut[columns].values.tolist() == whole[columns].values.tolist()
    for name in ("term_counts", "theme_counts", "slices", "theme_pairs"):
        assert tables.read(tmp_path / "cut", name).equals(tables.read(tmp_path / "whole", name))


def test_bad_files_are_listed_and_stop_nothing(raw, tmp_path):
    (raw / "empty.txt").write_bytes(b"")
    (raw / "noise.bin").write_bytes(bytes(range(256)) * 40)
    (raw / "broken.json").write_text('{"title": "半截', encoding="utf-8")
    before = {n: (raw / n).read_bytes() for n, _ in raw_files(raw)}
    result = build(raw, tmp_path / "out", CODEBOOK)
    rejected = tables.read(tmp_path / "out", "rejected").set_index("source_file")["reason"].to_dict()
    assert set(rejected) == {"empty.txt", "noise.bin", "broken.json"}
    assert "empty" in rejected["empty.txt"]
    assert result.n_rejected == 3
    assert len(tables.read(tmp_path / "out", "articles")) == 3
    assert before == {n: (raw / n).read_bytes() for n, _ in raw_files(raw)}


def test_an_empty_folder_gives_empty_tables(tmp_path):
    (tmp_path / "raw").mkdir()
    build(tmp_path / "raw", tmp_path / "out", CODEBOOK)
    assert {n: len(tables.read(tmp_path / "out", n)) for n in tables.TABLES} == dict.fromkeys(tables.TABLES, 0)


def test_a_link_out_of_the_folder_is_not_followed(raw, tmp_path):
    (tmp_path / "secret.md").write_text(page("外面", "2026-01-01", A), encoding="utf-8")
    try:
        (raw / "link.md").symlink_to(tmp_path / "secret.md")
        (raw / "loop").symlink_to(raw)
    except OSError:
        pytest.skip("this system makes no symbolic links")
    assert [n for n, _ in raw_files(raw)] == ["a.md", "copy.md", "sub/b.md"]


@pytest.mark.parametrize(("folder", "words"), [("none", "is not a folder"), ("raw/a.md", "is not a folder")])
def test_an_unusable_folder_is_one_plain_sentence(raw, tmp_path, folder, words):
    with pytest.raises(UserError, match=words):
        build(tmp_path / folder, tmp_path / "out", CODEBOOK)
