"""The build: the same tables whatever the order, the number of processes, the folder or what was built before."""

import contextlib
import errno
import hashlib
import io
import json
import multiprocessing
import os
import platform
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, repeat
from multiprocessing.process import BaseProcess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fengxiang import build as building
from fengxiang import merging, partition, stories, tables
from fengxiang.build import build, partitions, raw_files
from fengxiang.errors import UserError
from fengxiang.patterns import Union
from fengxiang.terms import Lexicon, tokenise

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


def until(is_so):
    """Wait until something is so."""
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_two_articles_and_a_copy_counted_by_hand(raw, tmp_path):
    result = build(raw, tmp_path / "out", CODEBOOK)
    assert (result.n_files, result.n_rejected) == (3, 0)
    articles = tables.read(tmp_path / "out", "articles").set_index("source_file")
    assert articles["year"].to_dict() == {"a.md": 2026, "copy.md": 2026, "sub/b.md": 2022}
    assert articles.loc["copy.md", "article_id"] == articles.loc["a.md", "article_id"] + "-2"
    assert articles.loc["copy.md", "story_id"] == articles.loc["a.md", "article_id"]
    statements = tables.read(tmp_path / "out", "statements")
    statements = statements.sort_values(["source_file", "position"])
    assert [(r.text, list(r.regions), r.year) for r in statements.itertuples()] == [
        (A[:32], ["深圳"], 2026), (A[32:], ["深圳"], 2026), (A[:32], ["深圳"], 2026), (A[32:], ["深圳"], 2026),
        (B, ["北京"], 2022)]
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


def test_what_is_denied_or_said_by_others_abroad_is_counted_apart(tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    texts = ["深圳金融监管局严厉打击非法集资。", "该局说明，这并非非法集资。", "美联储表示，非法集资须严查。",
             "这并非非法集资，该局同时推进绿色金融。"]
    (raw / "a.md").write_text(page("深圳部署2026年金融监管工作", "2026-01-10", "".join(texts)), encoding="utf-8")
    build(raw, tmp_path / "out", CODEBOOK)
    found = tables.read(tmp_path / "out", "statements").sort_values("position")
    assert [(r.text, list(r.themes), list(r.themes_guarded)) for r in found.itertuples()] == list(zip(
        texts, [["illegal_finance"], [], [], ["green"]],
        [[], ["illegal_finance"], ["illegal_finance"], ["illegal_finance"]], strict=True))
    themes = tables.read(tmp_path / "out", "theme_counts").set_index(["theme", "year", "region"])
    assert int(themes.loc[("illegal_finance", -1, "all"), "n_statements"]) == 1


def test_the_ledger_adds_up_to_every_file(raw, tmp_path):
    build(raw, tmp_path / "out", CODEBOOK)
    sizes = tables.read(tmp_path / "out", "ledger").groupby("source_file")["n_chars"].sum().to_dict()
    assert sizes == {name: len((raw / name).read_text(encoding="utf-8")) for name, *_ in raw_files(raw)}


def test_what_notebooks_put_beside_the_tables_is_no_change(raw, tmp_path):
    out = tmp_path / "out"
    build(raw, out, CODEBOOK)
    tables.write_csv(tables.processed(out) / "top_terms.csv", tables.read_arrow(out, "slices"))
    assert not build(raw, out, CODEBOOK).changed
    (tables.processed(out) / "slices.csv").unlink()
    assert build(raw, out, CODEBOOK).changed


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
        place, year = places[i % 5], 2020 + i % 5
        text = f"{place}金融监管局称，{year}年推进普惠金融{i}项，化解不良资产{i * 7}亿元。" + (A if i % 6 == 0 else B)
        (folder / f"{i:02d}.md").write_text(page(f"{place}第{i}次通报金融监管", f"{year}-03-0{1 + i % 9}", text),
                                            encoding="utf-8")
    with open(folder / "feed.jsonl", "w", encoding="utf-8") as feed:
        for i in range(10):
            text = f"{places[i % 5]}金融监管局提出，推进第{i}批房地产融资协调机制“白名单”项目。" * 2 + A
            feed.write(json.dumps({"title": f"{places[i % 5]}金融监管局部署", "date": f"2026-01-{i + 10}",
                                   "content": text}, ensure_ascii=False) + "\n")
    return folder


def test_any_number_of_processes_any_folder_gives_the_same_bytes(many, tmp_path):
    assert len(partitions(many)) > 3
    build(many, tmp_path / "one", CODEBOOK, workers=1)
    moved = tmp_path / "elsewhere" / "raw 移动"
    shutil.copytree(many, moved)
    build(moved, tmp_path / "two", CODEBOOK, workers=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


@pytest.mark.parametrize("workers", [1, 2])
def test_shared_texts_looked_at_by_workers_in_many_sets_give_the_same_tables(many, tmp_path, monkeypatch, workers):
    (many / "reprint.md").write_text(page("转载", "2026-03-01", A, B, "另据记者了解，工作正在推进。"), "utf-8")
    (many / "reprinted.md").write_text(page("原文", "2026-02-01", A, B), "utf-8")
    build(many, tmp_path / "expected", CODEBOOK, workers=1)
    asked, propose, count_surplus = [], merging.propose, merging.count_surplus
    if workers == 1:  # what other processes are asked is not seen here
        monkeypatch.setattr(merging, "propose", lambda task: asked.append(task.shards) or propose(task))
        monkeypatch.setattr(merging, "count_surplus", lambda task: asked.append(task.of) or count_surplus(task))
    monkeypatch.setattr(stories, "VALUES_AT_ONCE", 50)
    monkeypatch.setattr(merging, "SHARED_ROWS", 40)
    monkeypatch.setattr(building, "IN_PROCESS_BYTES", 0)
    build(many, tmp_path / "out", CODEBOOK, workers=workers)
    assert contents(tmp_path / "out") == contents(tmp_path / "expected")
    assert workers == 2 or (len([a for a in asked if isinstance(a, tuple)]) > 3 and max(
        a for a in asked if isinstance(a, int)) > 3)
    articles = tables.read(tmp_path / "out", "articles").set_index("source_file")
    assert articles.loc["reprint.md", "story_id"] == articles.loc["reprinted.md", "story_id"]


def test_an_incremental_build_equals_a_cold_one(many, tmp_path):
    out = tmp_path / "out"
    build(many, out, CODEBOOK, workers=1)
    text = "广西金融监管局要求严防风险“爆雷”。"
    (many / "new.md").write_text(page("广西金融监管局2026年部署", "2026-02-01", text, A), encoding="utf-8")
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
    cut, whole = (tables.read(tmp_path / o, "articles").sort_values(["source_file", "position"])
                  for o in ("cut", "whole"))
    columns = ["article_id", "source_file", "position", "story_id", "text"]
    assert cut[columns].values.tolist() == whole[columns].values.tolist()
    for name in ("term_counts", "theme_counts", "slices", "theme_pairs"):
        assert tables.read(tmp_path / "cut", name).equals(tables.read(tmp_path / "whole", name))


def test_bad_files_are_listed_and_stop_nothing(raw, tmp_path):
    (raw / "empty.txt").write_bytes(b"")
    (raw / "noise.bin").write_bytes(bytes(range(256)) * 40)
    (raw / "broken.json").write_text('{"title": "半截', encoding="utf-8")
    before = {n: (raw / n).read_bytes() for n, *_ in raw_files(raw)}
    result = build(raw, tmp_path / "out", CODEBOOK)
    rejected = tables.read(tmp_path / "out", "rejected").set_index("source_file")["reason"].to_dict()
    assert set(rejected) == {"empty.txt", "noise.bin", "broken.json"}
    assert "empty" in rejected["empty.txt"]
    assert result.n_rejected == 3
    assert len(tables.read(tmp_path / "out", "articles")) == 3
    assert before == {n: (raw / n).read_bytes() for n, *_ in raw_files(raw)}


def test_an_empty_folder_gives_empty_tables(tmp_path):
    (tmp_path / "raw").mkdir()
    build(tmp_path / "raw", tmp_path / "out", CODEBOOK)
    assert {n: len(tables.read(tmp_path / "out", n)) for n in tables.TABLES} == dict.fromkeys(tables.TABLES, 0)


@pytest.mark.parametrize("files", [{}, {"README.md": "x"}, {"空.txt": ""}])
@pytest.mark.parametrize(("name", "line"), [
    ("themes.yml", "    trems: [错字]"), ("regions.yml", "- ["), ("cleaning.yml", "- ["),
    ("terms.txt", "白名单")])
def test_a_broken_codebook_is_refused_even_where_there_is_nothing_to_code(tmp_path, files, name, line):
    raw, codebook = tmp_path / "raw", tmp_path / "codebook"
    raw.mkdir()
    for file, text in files.items():
        (raw / file).write_text(text, encoding="utf-8")
    shutil.copytree(CODEBOOK, codebook)
    build(raw, tmp_path / "out", codebook)
    with (codebook / name).open("a", encoding="utf-8") as handle:
        handle.write(f"\n{line}\n")
    for _ in range(2):
        with pytest.raises(UserError, match=name.replace(".", r"\.")):
            build(raw, tmp_path / "out", codebook)


@pytest.mark.parametrize("name", ["none", "raw/a.md"])
def test_an_unusable_folder_is_one_plain_sentence(raw, tmp_path, name):
    path = tmp_path / name
    with pytest.raises(UserError, match=f"{name}: is not a folder; give the folder that holds the articles"):
        build(path, tmp_path / "out", CODEBOOK)
    for use in (lambda: build(raw, tmp_path / "out", path), lambda: building.Toolkit.load(path)):
        with pytest.raises(UserError, match=f"{name}: is not a folder; give a codebook folder, like codebook/ of this "
                                            "project"):
            use()


@pytest.mark.parametrize(("name", "line"), [("stopwords.txt", "某个停用词"), ("cleaning.yml", "# a note")])
def test_a_codebook_edited_while_the_build_is_at_work_is_refused(raw, tmp_path, name, line):
    codebook = tmp_path / "codebook"
    shutil.copytree(CODEBOOK, codebook)
    before = (codebook / name).read_bytes()

    def edit(message):
        if message.startswith("0/"):
            (codebook / name).write_bytes(before + f"\n{line}\n".encode())

    with pytest.raises(UserError, match="codebook: the codebook or the program was changed while the build was at "
                                        "work, or a worker has other ones; build again"):
        build(raw, tmp_path / "out", codebook, progress=edit)
    assert build(raw, tmp_path / "edited", codebook).changed
    (codebook / name).write_bytes(before)
    build(raw, tmp_path / "out", codebook)  # nothing is kept of what was read in between
    build(raw, tmp_path / "cold", CODEBOOK)
    assert contents(tmp_path / "out") == contents(tmp_path / "cold")


# ------------------------------------------------------------------------------------- partitions that stay put


@pytest.mark.parametrize("size", [0, 3, 6, 9])
def test_a_file_is_read_whole_whatever_its_size_was(tmp_path, size):
    (tmp_path / "a.txt").write_bytes(b"abcdef")
    assert partition.read_pieces(str(tmp_path), [partition.Piece("a.txt", size)]) == [b"abcdef"]
    assert partition.read_pieces(str(tmp_path), [partition.Piece("a.txt", size, 1, 4)]) == [b"bcd"]


@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="this system cannot be told of files")
def test_the_system_is_told_of_some_files_before_the_first_is_read(tmp_path, monkeypatch):
    class Watched(io.FileIO):
        def read(self, size=-1):
            events.append(("read", Path(self.name).name))
            return super().read(size)

    events = []
    for name in "abd":
        (tmp_path / name).write_bytes(name.encode() * 9)
    monkeypatch.setattr(partition, "FILES_AHEAD", 3)
    monkeypatch.setattr(partition, "opened", lambda root, name, buffering: Watched(f"{root}/{name}"))
    monkeypatch.setattr(os, "posix_fadvise", lambda handle, start, size, advice: events.append((start, size)))
    pieces = [partition.Piece(name, 9) for name in "abcd"]
    pieces[1] = partition.Piece("b", 9, 2, 7)
    found = partition.read_pieces(str(tmp_path), [*pieces, partition.Piece("e", 9, refused="not for us")])
    assert found == [b"a" * 9, b"b" * 5, "cannot be read (No such file or directory)", b"d" * 9, "not for us"]
    assert events == [(0, 9), (2, 5), ("read", "a"), ("read", "b"), (0, 9), ("read", "d")]

    def refuse(*_):
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "posix_fadvise", refuse)
    assert partition.read_pieces(str(tmp_path), pieces[:1]) == [b"a" * 9]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 4000), min_size=1, max_size=40), st.integers(0, 4000))
def test_a_new_file_changes_one_partition_or_halves_it(tmp_path_factory, sizes, size):
    folder = tmp_path_factory.mktemp("raw")
    for i, n in enumerate(sizes):
        (folder / f"{i}.txt").write_bytes(b"x" * n)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "PARTITION_BYTES", 5_000)
        before = dict(partitions(folder))
        (folder / "new.txt").write_bytes(b"x" * size)
        after = dict(partitions(folder))
    assert sorted(p.source_file for ps in after.values() for p in ps) == sorted(
        [*(f"{i}.txt" for i in range(len(sizes))), "new.txt"])
    assert all(sum(p.size for p in ps) <= 5_000 or len(ps) == 1 for ps in after.values())
    changed = [b for b, ps in after.items() if before.get(b) != ps]
    gone = [b for b in before if b not in after]
    # every changed one lies where the one stood that took the file in, and all others are as they were
    assert len(gone) <= 1
    assert all(b.startswith(gone[0]) for b in changed) if gone else len(changed) == 1


def test_partitions_are_the_halves_of_halves(many):
    names = [b for b, _ in partitions(many)]
    assert names == sorted(names)
    assert sum(2.0 ** -len(b) for b in names) <= 1  # none lies within another
    assert not any(a != b and b.startswith(a) for a in names for b in names)


# ------------------------------------------------------------------------------------------- what is left alone


def test_only_the_parts_that_changed_are_written(many, tmp_path):
    out = tmp_path / "out"
    build(many, out, CODEBOOK, workers=1)
    stamps = {p: p.stat().st_mtime_ns for p in tables.processed(out).glob("*/part-*.parquet")}
    text = "云南金融监管局要求银行机构梳理授信业务，逐户核对抵押物清单，月底前报送。"
    (many / "new.md").write_text(page("云南金融监管局工作部署", "2026-02-01", text), encoding="utf-8")
    result = build(many, out, CODEBOOK, workers=1)
    again = [p for p, t in stamps.items() if not p.exists() or p.stat().st_mtime_ns != t]
    assert result.n_redone < result.n_partitions
    assert 0 < len(again) <= 6 * result.n_redone + 1
    build(many, tmp_path / "cold", CODEBOOK, workers=1)
    assert contents(out) == contents(tmp_path / "cold")


def test_a_corpus_that_shrinks_to_one_partition_and_grows_again_leaves_nothing_behind(many, tmp_path):
    out = tmp_path / "out"
    build(many, out, CODEBOOK, workers=1)
    assert tables.path_of(out, "statements").is_dir()
    aside = tmp_path / "aside"
    aside.mkdir()
    for path in sorted(many.iterdir())[3:]:
        shutil.move(path, aside / path.name)
    build(many, out, CODEBOOK, workers=1)
    assert tables.path_of(out, "statements").is_file()
    build(many, tmp_path / "small", CODEBOOK, workers=1)
    assert contents(out) == contents(tmp_path / "small")
    for path in aside.iterdir():
        shutil.move(path, many / path.name)
    build(many, out, CODEBOOK, workers=1)
    build(many, tmp_path / "large", CODEBOOK, workers=1)
    assert contents(out) == contents(tmp_path / "large")


def test_stories_over_several_partitions_are_counted_once(many, tmp_path):
    text = "".join(f"{p}金融监管局2024年组织辖内机构排查第{i}类隐患，建立台账逐项销号。"
                   for i, p in enumerate("沪浙津桂渝"))
    for i in range(12):
        (many / f"told-{i}.md").write_text(
            page(f"隐患排查通报之{i}", f"2024-05-{i + 10}", f"本报第{i}版消息。", text), encoding="utf-8")
    out = tmp_path / "out"
    build(many, out, CODEBOOK, workers=1)
    where = {p.source_file: b for b, ps in partitions(many) for p in ps}
    assert len({where[f"told-{i}.md"] for i in range(12)}) > 2
    articles = tables.read(out, "articles")
    told = articles[articles["source_file"].str.startswith("told-")]
    assert told["story_id"].nunique() == 1
    lead = told.loc[told["date"] == told["date"].min(), "article_id"].item()
    assert set(told["story_id"]) == {lead}
    terms = tables.read(out, "term_counts").set_index(["term", "year", "region"])
    assert terms.loc[("台账", -1, "all"), ["n_articles", "n_stories"]].tolist() == [12, 1]
    assert_stories_are_those_of_the_rows(out)


def assert_stories_are_those_of_the_rows(out):
    """Stories of each region and of each term, against plain sets over the rows of statements."""
    statements = tables.read(out, "statements")
    spoken = statements.assign(region=[[*(r if len(r) else ["none"]), "all"] for r in statements["regions"]])
    spoken = spoken.explode("region")
    slices = tables.read(out, "slices")
    slices = slices[slices["year"] == -1].set_index("region")["n_stories"]
    assert slices.to_dict() == spoken.groupby("region")["story_id"].nunique().to_dict()
    coded = spoken.assign(theme=[t if len(t) else ["none"] for t in spoken["themes"]]).explode("theme")
    themes = tables.read(out, "theme_counts")
    themes = themes[themes["year"] == -1].set_index(["theme", "region"])["n_stories"]
    counted = coded.groupby(["theme", "region"])["story_id"].nunique()
    assert {k: n for k, n in themes.items() if k[0] != "all"} == counted.to_dict()


def test_one_text_alone_in_two_partitions_is_one_story(tmp_path, monkeypatch):
    """Neither partition holds another text that is told twice: what each has to say of stories looks the same."""
    monkeypatch.setattr(building, "PARTITION_BYTES", 1)  # each file alone
    raw, out = tmp_path / "raw", tmp_path / "out"
    raw.mkdir()
    for name, text in (("a", A), ("b", B), ("again", A)):
        (raw / f"{name}.md").write_text(page("金融监管局部署", "2026-01-10", text), encoding="utf-8")
    result = build(raw, out, CODEBOOK, workers=1)
    assert result.n_partitions == 3
    assert tables.read(out, "articles")["story_id"].nunique() == 2
    slices = tables.read(out, "slices").set_index(["year", "region"])
    assert slices.loc[(-1, "all"), ["n_articles", "n_stories"]].tolist() == [3, 2]
    assert_stories_are_those_of_the_rows(out)


def test_what_other_code_kept_of_stories_is_not_taken(raw, tmp_path, monkeypatch):
    monkeypatch.setattr(building, "PARTITION_BYTES", 1)
    out = tmp_path / "out"

    def kept():
        return {p.stem for p in (out / ".fengxiang" / "cache").rglob("stories-*")}

    build(raw, out, CODEBOOK, workers=1)
    before = kept()
    prints = building.layer_fingerprints
    monkeypatch.setattr(building, "layer_fingerprints", lambda folder: prints(folder) | {"merged": "other code"})
    build(raw, out, CODEBOOK, workers=1)
    assert before
    assert kept()
    assert not before & kept()


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=4))
@example([(1, 0, 0), (3, 0, 0), (5, 0, 0), (7, 0, 0)])  # a theme is no longer told of
def test_stories_of_a_build_that_goes_on_from_the_last_one_equal_a_cold_one(tmp_path_factory, changes):
    """Articles in partitions of their own, some of them told in several; each change rewrites one, copies one or
    removes one, and only the stories of changed partitions are counted anew."""
    from fengxiang import merging

    folder = tmp_path_factory.mktemp("going-on")
    raw, out, cold = folder / "raw", folder / "out", folder / "cold"
    raw.mkdir()
    texts = [f"{p}金融监管局2026年组织辖内机构排查第{i}类隐患，建立台账逐项销号。{B if i % 2 else A}"
             for i, p in enumerate(["上海", "浙江", "天津", "广西", "重庆", "吉林"])]

    def write(name, which, day):
        (raw / f"{name}.md").write_text(page("金融监管局部署", f"2026-01-1{day}", texts[which]), encoding="utf-8")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "PARTITION_BYTES", 1)
        patch.setattr(building, "IN_PROCESS_BYTES", 10**9)
        patch.setattr(merging, "FEW_CHANGES", 0)
        for i in range(8):
            write(i, i % 4, 5)
        build(raw, out, CODEBOOK, workers=1)
        for name, which, day in changes:
            if day == 3:
                (raw / f"{name}.md").unlink(missing_ok=True)
            else:
                write(name, which, day)
            build(raw, out, CODEBOOK, workers=1)
        build(raw, cold, CODEBOOK, workers=1)
    assert contents(out) == contents(cold)
    assert_stories_are_those_of_the_rows(out)


# --------------------------------------------------------------------------------------------- killed and broken


def test_a_damaged_or_foreign_table_is_made_again(many, tmp_path):
    out = tmp_path / "out"
    build(many, out, CODEBOOK, workers=1)
    whole = contents(out)
    part = next(tables.path_of(out, "articles").glob("part-*.parquet"))
    part.write_bytes(part.read_bytes()[:100])
    (tables.processed(out) / "slices.csv").unlink()
    assert build(many, out, CODEBOOK, workers=1).changed
    assert contents(out) == whole


def test_of_what_is_kept_only_what_is_wanted_is_read(tmp_path):
    from fengxiang.partition import Cache

    cache, kept = Cache(tmp_path), {
        "rows": pa.table({"n": [1, 2], "words": pa.array(["甲", "乙"]).dictionary_encode(), "text": ["平稳", None]}),
        "nothing": pa.table({"n": pa.array([], pa.int8())}), "last": pa.table({"x": [0.5]})}
    for packed in (True, False):
        cache.write("name", kept, packed=packed)
        assert cache.has("name")
        assert cache.read("name") == kept
        assert cache.read("name", ("last", "rows")) == {n: kept[n] for n in ("last", "rows")}
        assert cache.read("name", {"rows": ("text", "n"), "nothing": None}) == {
            "rows": kept["rows"].select(["n", "text"]), "nothing": kept["nothing"]}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.sampled_from(["监管", "，", "科技", "“AI+”"]), max_size=4).map("".join), max_size=5))
def test_words_that_are_kept_are_read_as_they_were(tmp_path_factory, texts):
    cache = partition.Cache(tmp_path_factory.mktemp("cache"))
    tokens = tokenise(texts, Lexicon(["监管科技", "“AI+”"]))
    cache.write("words-00", partition._tables_of_tokens(tokens), packed=False)
    read = partition._tokens_of_tables(cache.read("words-00"))
    assert read.vocabulary == tokens.vocabulary
    for name in ("term", "statement", "n_words"):
        before, after = getattr(tokens, name), getattr(read, name)
        assert (before.tolist(), before.dtype) == (after.tolist(), after.dtype)


def test_what_all_partitions_need_is_made_before_processes_are_forked():
    partition._loaded_toolkit.cache_clear()
    toolkit = partition.kept_toolkit(str(CODEBOOK), tuple(sorted(building.layer_fingerprints(CODEBOOK).items())))
    assert {"_segmenter", "_matcher"} <= set(vars(toolkit.lexicon))
    assert "matcher" in vars(toolkit.codebook)
    assert all([toolkit.gazetteer._matcher, toolkit.rules.scope._automaton,
                *(part._automaton for part in vars(toolkit.rules).values() if isinstance(part, Union))])


def test_each_row_of_the_ledger_names_the_article_of_its_own_file(tmp_path):
    """Of packed files, each counts its articles from 1."""
    folder = tmp_path / "raw"
    folder.mkdir()
    with zipfile.ZipFile(folder / "a.zip", "w") as packed:
        packed.writestr("one.md", page("深圳部署2026年金融监管工作", "2026-01-10", A))
        packed.writestr("two.md", page("北京银保监局2022年工作", "2022-02-01", B))
        packed.writestr("two.jsonl", "".join(
            json.dumps({"title": f"{place}金融监管局部署", "date": "2026-01-12", "content": f"{text}{place}。"},
                       ensure_ascii=False) + "\n" for place, text in (("浙江", A), ("天津", B))))
    build(folder, tmp_path / "out", CODEBOOK)
    articles = tables.read(tmp_path / "out", "articles")
    assert sorted(articles["source_file"]) == ["a.zip/one.md", "a.zip/two.jsonl", "a.zip/two.jsonl", "a.zip/two.md"]
    ledger = tables.read(tmp_path / "out", "ledger").dropna(subset="article_id")
    body = ledger[ledger["fate"] == "body"]
    assert sorted(body["article_id"]) == sorted(articles["article_id"])
    file_of = articles.set_index("article_id")["source_file"]
    assert (ledger["article_id"].map(file_of) == ledger["source_file"]).all()
    text_of = articles.set_index("article_id")["text"]
    assert all(text_of[i].startswith(sample) for i, sample in zip(body["article_id"], body["sample"], strict=True))


@pytest.mark.skipif(sys.platform != "linux", reason="no process is forked elsewhere")
def test_what_is_cleaned_while_the_codebook_is_loaded_is_what_would_be_cleaned_later(many, tmp_path):
    prints = building.layer_fingerprints(CODEBOOK)
    parts = partitions(many)
    ahead, later = ([building.Task(str(many), str(tmp_path / name), str(CODEBOOK), tuple(sorted(prints.items())),
                                   *parts[i]) for i in range(len(parts))] for name in ("ahead", "later"))
    expected = [partition.make_partials(task) for task in later]
    made = [partition.Cache(tmp_path / "ahead")._path(name) for p in expected for name in (p.clean, p.texts)]
    with contextlib.ExitStack() as stack:
        # the last task comes again and again: it ends because the block is left
        tasks = chain(ahead, repeat(ahead[-1]))
        with building._cleaning_ahead(tasks, CODEBOOK, prints["clean"], stack):
            until(lambda: all(path.exists() for path in made))
    assert not multiprocessing.active_children()
    for path in made:
        assert path.read_bytes() == partition.Cache(tmp_path / "later")._path(path.stem).read_bytes()
    assert sorted(tmp_path.glob("ahead/*/*.kept")) == sorted(made)


@pytest.mark.skipif(sys.platform != "linux", reason="no process is forked elsewhere")
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_what_stops_the_whole_build_is_not_told_twice(capfd, error):
    def tasks():
        raise error
        yield

    with contextlib.ExitStack() as stack, building._cleaning_ahead(
            tasks(), CODEBOOK, building.layer_fingerprints(CODEBOOK)["clean"], stack):
        pass
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be asked for there without ending it")
def test_the_executor_is_left_when_its_processes_have_ended(monkeypatch):
    ended = BaseProcess.join
    monkeypatch.setattr(BaseProcess, "join", lambda self, *patience: (time.sleep(0.2), ended(self, *patience)))
    with building._executor(None, 2) as (run, release):
        workers = set(run(_own_number, range(8)))
        release()
    assert workers
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)


def _own_number(_) -> int:
    return os.getpid()


class _Counting(ThreadPoolExecutor):
    """Counts what it is handed."""

    n = 0

    def submit(self, *arguments):
        self.n += 1
        return super().submit(*arguments)


def test_only_so_many_tasks_are_out_and_others_follow_whether_or_not_results_are_taken(monkeypatch):
    monkeypatch.setattr(building, "TASKS_AHEAD", 3)
    gate = threading.Event()
    with _Counting(2) as pool:
        results = building._through(pool)(lambda n: gate.wait(60) and n * n, iter(range(50)))
        time.sleep(0.05)
        assert pool.n == 3
        gate.set()
        until(lambda: pool.n == 50)
        assert list(results) == [n * n for n in range(50)]


@pytest.mark.parametrize("is_shut", [False, True])
def test_what_goes_wrong_when_a_later_task_is_made_or_handed_out_is_told_in_its_place(monkeypatch, is_shut):
    monkeypatch.setattr(building, "TASKS_AHEAD", 2)
    gate, taken = threading.Event(), []

    def tasks():
        yield from range(4)
        if not is_shut:
            raise UserError("cannot be read", "feed.jsonl")
        yield 4

    with ThreadPoolExecutor(1) as pool:
        results = building._through(pool)(lambda n: gate.wait(60) and n, tasks())
        if is_shut:
            pool.shutdown(wait=False)
        gate.set()
        with pytest.raises((UserError, RuntimeError), match="after shutdown" if is_shut else "feed.jsonl: cannot be"):
            list(map(taken.append, results))
    assert taken == ([0, 1] if is_shut else [0, 1, 2, 3])


def test_a_half_written_partial_is_made_again(many, tmp_path):
    out = tmp_path / "out"
    build(many, out, CODEBOOK, workers=1)
    whole = contents(out)
    for i, path in enumerate(sorted((out / ".fengxiang" / "cache").glob("*/*.kept"))):
        if i % 2:
            path.write_bytes(path.read_bytes()[:-1000 - i])
    shutil.rmtree(tables.processed(out))
    build(many, out, CODEBOOK, workers=1)
    assert contents(out) == whole


def test_the_state_is_written_last(many, tmp_path, monkeypatch):
    out = tmp_path / "out"
    build(many, out, CODEBOOK, workers=1)
    (many / "new.md").write_text(page("广西金融监管局2026年部署", "2026-02-01", A), encoding="utf-8")

    def full(self, state):
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(building.Workspace, "save_state", full)
        with pytest.raises(UserError, match=r"cannot be written to \(no space left on device\); make room"):
            build(many, out, CODEBOOK, workers=1)
    # tables of the new build beside the state of the old one: they are not taken for what the old one wrote
    assert build(many, out, CODEBOOK, workers=1).changed
    build(many, tmp_path / "cold", CODEBOOK, workers=1)
    assert contents(out) == contents(tmp_path / "cold")


def test_written_tables_outlive_a_power_cut_before_the_state_says_they_are_there(raw, tmp_path, monkeypatch):
    out, events = tmp_path / "out", []
    flush, save = tables._flush, building.Workspace.save_state
    monkeypatch.setattr(tables, "_flush", lambda path: (events.append(path.name), flush(path)))
    monkeypatch.setattr(building.Workspace, "save_state", lambda *a: (events.append("state"), save(*a)))
    build(raw, out, CODEBOOK)
    assert sorted(events[:events.index("state")]) == sorted(tables.file_stats(out))
    del events[:]
    build(raw, out, CODEBOOK)
    assert events == []


@pytest.mark.parametrize("moment", [0, 3, 9, 20])
def test_a_full_disk_is_said_plainly_and_loses_nothing(many, tmp_path, monkeypatch, moment):
    out, left = tmp_path / "out", [moment]

    def full(source, target, real=os.replace):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(tables.os, "replace", full)
        with pytest.raises(UserError, match=r"out: cannot be written to \(No space left on device\); make room"):
            build(many, out, CODEBOOK, workers=1)
    build(many, out, CODEBOOK, workers=1)
    build(many, tmp_path / "cold", CODEBOOK, workers=1)
    assert contents(out) == contents(tmp_path / "cold")
    assert not list(out.rglob("*.tmp"))


def test_processes_started_anew_make_the_same_as_forked_ones(many, tmp_path, monkeypatch):
    build(many, tmp_path / "one", CODEBOOK, workers=1)
    monkeypatch.setattr(building.threading, "active_count", lambda: 2)  # beside other threads nothing is forked
    build(many, tmp_path / "two", CODEBOOK, workers=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


forks = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="kills forked processes")


def _forked(raw, out, workers=1):
    process = multiprocessing.get_context("fork").Process(target=build, args=(raw, out, CODEBOOK),
                                                          kwargs={"workers": workers})
    process.start()
    return process


@forks
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_at_any_moment_the_next_build_equals_an_undisturbed_one(many, tmp_path, workers):
    for path in sorted(many.glob("[12]*.md")):
        path.unlink()
    started = time.monotonic()
    build(many, tmp_path / "whole", CODEBOOK, workers=1)
    seconds, whole = time.monotonic() - started, contents(tmp_path / "whole")
    survived = 0
    for i in range(10):
        out = tmp_path / f"out{i % 2}"  # every other time over what the kill before has left
        if i >= 6:
            shutil.rmtree(out / "data", ignore_errors=True)
        process = _forked(many, out, workers)
        process.join(seconds * (i + 0.5) / 10)
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
            survived += 1
        process.join()
        for path in tables.processed(out).rglob("*.parquet"):
            if path.is_file():
                assert parquet.read_metadata(path).num_rows >= 0  # whole, or it could not be read
        build(many, out, CODEBOOK, workers=1)
        assert contents(out) == whole
        if i % 2:
            shutil.rmtree(tmp_path / "out0")
            shutil.rmtree(tmp_path / "out1")
    assert survived >= 3


@forks
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_worker_that_is_ended_is_said_and_the_next_build_goes_on(many, tmp_path, monkeypatch):
    monkeypatch.setattr(building.threading, "active_count", lambda: 1)  # so that the workers are forked, with the patch
    with monkeypatch.context() as ended:
        ended.setattr(partition, "_segment", lambda *a: os.kill(os.getpid(), signal.SIGKILL))
        with pytest.raises(UserError, match="a worker process was ended, perhaps for want of memory; build again with "
                                            "fewer --workers: it goes on from what is done"):
            build(many, tmp_path / "out", CODEBOOK, workers=2)
    build(many, tmp_path / "out", CODEBOOK, workers=1)
    build(many, tmp_path / "whole", CODEBOOK, workers=1)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


@forks
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_two_builds_at_once_in_one_folder_wait_for_each_other(many, tmp_path):
    processes = [_forked(many, tmp_path / "out") for _ in range(2)]
    for process in processes:
        process.join(60)
    assert [p.exitcode for p in processes] == [0, 0]
    build(many, tmp_path / "alone", CODEBOOK, workers=1)
    assert contents(tmp_path / "out") == contents(tmp_path / "alone")
    assert not build(many, tmp_path / "out", CODEBOOK, workers=1).changed


def test_agencies_that_speak_together_count_one_each(tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    texts = "深圳金融监管局、天津金融监管局提出，推进监管数智化建设。", "深圳金融监管局还提出，推进科技金融发展。"
    (raw / "a.md").write_text(page("深圳、天津两地金融监管部署", "2026-02-01", *texts), encoding="utf-8")
    build(raw, tmp_path / "out", CODEBOOK)
    statements = tables.read(tmp_path / "out", "statements")
    assert statements["speaker"].tolist() == ["深圳金融监管局、天津金融监管局", "深圳金融监管局"]
    slices = tables.read(tmp_path / "out", "slices").set_index(["year", "region"])["n_agencies"].to_dict()
    assert slices[(2026, "all")] == 2
    themes = tables.read(tmp_path / "out", "theme_counts").set_index(["theme", "year", "region"])["n_agencies"]
    assert (themes["suptech", 2026, "all"], themes["tech_finance", 2026, "all"]) == (2, 1)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator is that of glibc")
def test_a_worker_uses_the_memory_again_that_it_has_freed():
    code = """if True:
        import resource, sys, numpy as np
        from fengxiang import build
        if "kept" in sys.argv:
            build._keep_freed_memory()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(20):
            arrays = [np.ones(1_250_000) for _ in range(3)]
            del arrays
        print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)"""
    new_pages = [int(subprocess.run([sys.executable, "-c", code, word], check=True, capture_output=True).stdout)
                 for word in ("kept", "freed")]
    assert new_pages[0] < new_pages[1] / 2
