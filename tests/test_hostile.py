"""Hard to break: whatever stands in the folder ends in the tables or is listed with a plain reason, within the stated
limits, and the rest of the build is unharmed."""

import base64
import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hostile import BAD, HEAVY, PAGE, WHOLE, documents, faults_of, is_plain, place_odd_entries, place_odd_names
from hypothesis import HealthCheck, given, settings

from fengxiang import build as building
from fengxiang import reading, tables
from fengxiang.build import build, raw_files
from fengxiang.cleaning import Rules, clean_document
from fengxiang.places import shown_name

ROOT = Path(__file__).resolve().parent.parent
CODEBOOK = ROOT / "codebook"
SECONDS = 20  # that one document of those below may take on a machine that others use too
posix = pytest.mark.skipif(os.name != "posix", reason="names and links of a POSIX file system")


@pytest.fixture(scope="module")
def rules():
    return Rules.load(CODEBOOK)


def state_of(folder: Path) -> dict[bytes, tuple]:
    """All that stands in a folder: what each file holds, where each link leads."""
    found = {}
    for path, folders, files in os.walk(os.fsencode(folder)):
        for name in folders + files:
            entry = os.path.join(path, name)
            stat = os.lstat(entry)
            content = os.readlink(entry) if os.path.islink(entry) else b""
            if os.path.isfile(entry) and not os.path.islink(entry):
                with open(entry, "rb") as file:
                    content = hashlib.sha256(file.read()).digest()
            found[entry] = (stat.st_mode, stat.st_mtime_ns, content)
    return found


def articles_of(out: Path) -> list[tuple]:
    frame = tables.read(out, "articles")
    return sorted(zip(frame["source_file"], frame["title"], frame["text"], strict=True))


@pytest.mark.parametrize("name", sorted(BAD))
def test_bad_input_is_used_or_refused_in_bounded_time_and_accounted_for(rules, name):
    data = BAD[name]()
    started = time.perf_counter()
    done = clean_document("x", data, rules)
    assert time.perf_counter() - started < SECONDS
    assert faults_of(done, data) == []
    assert [a.source_file for a in done.articles if ".." in a.source_file.split("/")] == []


@pytest.mark.parametrize("kind", sorted(WHOLE))
def test_a_document_cut_off_anywhere_is_used_or_refused(rules, kind):
    data = WHOLE[kind]()
    assert clean_document("x", data, rules).articles
    step = max(1, len(data) // 40)
    for end in range(0, len(data), step):
        assert faults_of(clean_document("x", data[:end], rules), data[:end]) == []


@pytest.mark.parametrize("kind", [*sorted(WHOLE), "fragments"])
def test_made_up_documents_are_used_or_refused(rules, kind):
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(documents(kind))
    def check(data):
        assert faults_of(clean_document("x", data, rules), data) == []

    check()


def test_what_the_guided_fuzzer_reached_more_code_with_is_used_or_refused(rules):
    for seed in json.loads((Path(__file__).parent / "fuzz-seeds.json").read_text("utf-8")):
        data = base64.b64decode(seed)
        assert faults_of(clean_document("x", data, rules), data) == [], seed


def test_one_bad_file_of_each_kind_harms_no_other(tmp_path):
    good, mixed = tmp_path / "good", tmp_path / "mixed"
    for folder in (good, mixed):
        folder.mkdir()
        for kind, make in WHOLE.items():
            (folder / f"good.{kind}").write_bytes(make())
    for i, name in enumerate(sorted(BAD)):
        (mixed / f"bad{i:02}").write_bytes(BAD[name]())
    before = state_of(mixed)
    build(good, tmp_path / "a", CODEBOOK, workers=1)
    build(mixed, tmp_path / "b", CODEBOOK, workers=1)
    assert state_of(mixed) == before
    assert [row for row in articles_of(tmp_path / "b") if row[0].startswith("good")] == articles_of(tmp_path / "a")
    told = {name.split("/")[0] for table in ("articles", "rejected")
            for name in tables.read(tmp_path / "b", table)["source_file"]}
    assert sorted(told - {f"good.{kind}" for kind in WHOLE}) == [f"bad{i:02}" for i in range(len(BAD))]
    assert not list(tmp_path.rglob("pwned"))
    assert not Path("pwned").exists()


_ALONE = """
import json, resource, sys
sys.path[:0] = [{root!r}, {tests!r}]
from pathlib import Path
from fengxiang.build import build
before = resource.getrusage(resource.RUSAGE_SELF)
result = build({raw!r}, {out!r}, {codebook!r}, workers=1)
after = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([result.n_rejected, after.ru_maxrss / 1024, after.ru_utime - before.ru_utime]))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="measures memory as Linux tells it")
@pytest.mark.parametrize("name", sorted(HEAVY))
def test_heavy_input_keeps_within_the_stated_limits(tmp_path, name):
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "heavy").write_bytes(HEAVY[name]())
    (raw / "good.md").write_text(PAGE, encoding="utf-8")
    program = _ALONE.format(root=str(ROOT), tests=str(ROOT / "tests"), raw=str(raw), out=str(tmp_path / "out"),
                            codebook=str(CODEBOOK))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300)
    n_rejected, megabytes, seconds = json.loads(done.stdout)
    assert megabytes < 1500
    assert seconds < 60
    names = list(tables.read(tmp_path / "out", "articles")["source_file"])
    assert "good.md" in names
    assert n_rejected or "heavy" in names
    assert all(map(is_plain, tables.read(tmp_path / "out", "rejected")["reason"]))


def test_no_more_text_than_the_limit_is_taken_from_one_file(rules, monkeypatch):
    monkeypatch.setattr(reading, "MAX_CHARS", 100)
    rows = "".join(f"甲{i},{'监管' * 20}\n" for i in range(5))
    done = clean_document("x", f"标题,正文\n{rows}".encode(), rules)
    assert [a.title for a in done.articles] == ["甲0", "甲1"]
    assert [(r.reason, r.detail) for r in done.rejected] == [
        ("too much text in one file", "the limit is 100 characters; cut it into several files")] * 3
    assert sum(row.n_chars for row in done.ledger) == len(f"标题,正文\n{rows}")


def test_a_table_of_too_many_rows_is_read_up_to_the_limit(rules, monkeypatch):
    monkeypatch.setattr(reading, "MAX_RECORDS", 2)
    text = "标题,正文\n" + "".join(f"甲{i},{'监管' * 20}\n" for i in range(5))
    done = clean_document("x", text.encode(), rules)
    assert [a.title for a in done.articles] == ["甲0", "甲1"]
    assert [(r.reason, r.detail) for r in done.rejected] == [
        ("too many records", "row 4 and what follows; the limit is 2")]
    assert sum(row.n_chars for row in done.ledger) == len(text)


def test_a_name_given_twice_loses_no_value_in_silence(rules):
    twice = '{"title": "甲", "content": "%s", "content": "%s"}'
    same = clean_document("x", ("[" + twice % ("监管" * 20, "监管" * 20) + "]").encode(), rules)
    assert [a.text for a in same.articles] == ["监管" * 20]
    other = clean_document("x", ("[" + twice % ("监管" * 20, "银行" * 20) + "]").encode(), rules)
    assert other.articles == []
    assert [(r.reason, r.detail) for r in other.rejected] == [
        ("broken JSON", "'content' stands twice with different values")]


def test_attachments_beyond_the_limit_are_told(rules, monkeypatch):
    from email.message import EmailMessage

    monkeypatch.setattr(reading, "MAX_ATTACHMENTS", 2)
    message = EmailMessage()
    message["Subject"], message["From"] = "甲", "a@example.org"
    message.set_content("监管" * 20)
    for i in range(4):
        message.add_attachment(PAGE.encode(), maintype="text", subtype="markdown", filename=f"{i}.md")
    done = clean_document("x", message.as_bytes(), rules)
    assert [a.source_file for a in done.articles] == ["x", "x/0.md", "x/1.md"]
    assert [(r.reason, r.detail) for r in done.rejected] == [
        ("too many attachments", "those after the first 2 are not read")]


# ------------------------------------------------------------------------------------------------ names and links


@posix
def test_whatever_a_file_is_named_it_is_read_under_that_name(tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    names = place_odd_names(raw)
    before = state_of(raw)
    build(raw, tmp_path / "out", CODEBOOK)
    assert state_of(raw) == before
    assert sorted(tables.read(tmp_path / "out", "articles")["source_file"]) == sorted(names)
    assert len(set(names)) == len(names)
    assert len(tables.read(tmp_path / "out", "rejected")) == 0
    assert not build(raw, tmp_path / "out", CODEBOOK).changed


def test_no_two_names_are_shown_alike():
    names = [b"\xff", b"\\xff", b"\\\\xff", b"\xff\\", b"\\xff\xff", "深".encode(), "深".encode("gb18030"), b"\\u6df1"]
    shown = [shown_name(os.fsdecode(name)) for name in names]
    assert shown == ["\\xff", "\\\\xff", "\\\\\\\\xff", "\\xff\\\\", "\\\\xff\\xff", "深", "\\xc9\\xee", "\\\\u6df1"]


@posix
def test_links_and_what_is_no_file_are_listed_and_never_followed_out(tmp_path):
    raw, secret = tmp_path / "raw", tmp_path / "outside" / "secret.md"
    raw.mkdir()
    secret.parent.mkdir()
    secret.write_text(PAGE.replace("深圳", "机密"), encoding="utf-8")
    (raw / "good.md").write_text(PAGE, encoding="utf-8")
    expected = place_odd_entries(raw, secret)
    before = state_of(raw)
    build(raw, tmp_path / "out", CODEBOOK)
    assert state_of(raw) == before
    told = tables.read(tmp_path / "out", "rejected")
    assert dict(zip(told["source_file"], told["reason"], strict=True)) == expected
    assert sorted(tables.read(tmp_path / "out", "articles")["source_file"]) == [
        "d/" * 300 + "深.md", "good.md", "link to a file.md"]
    assert not build(raw, tmp_path / "out", CODEBOOK).changed
    (raw / "leads nowhere").unlink()
    assert build(raw, tmp_path / "out", CODEBOOK).n_rejected == len(expected) - 1


@pytest.mark.parametrize("blocked", ["folder", "folder asked by its path", "file"])
def test_what_may_not_be_read_is_listed(tmp_path, monkeypatch, blocked):
    raw = tmp_path / "raw"
    (raw / "shut").mkdir(parents=True)
    for name in ("good.md", "shut/a.md"):
        (raw / name).write_text(PAGE, encoding="utf-8")

    def refuse(real, where):
        def called(path, *more, **options):
            if str(path).endswith(where):
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return real(path, *more, **options)
        return called

    if blocked == "folder" and os.scandir in os.supports_fd:
        monkeypatch.setattr(building.os, "open", refuse(os.open, "shut"))
    elif blocked != "file":  # what is put in its place is not among those that can be asked about an open folder
        monkeypatch.setattr(building.os, "scandir", refuse(os.scandir, "shut"))
    else:
        monkeypatch.setattr("builtins.open", refuse(open, "shut/a.md"))
    build(raw, tmp_path / "out", CODEBOOK, workers=1)
    told = tables.read(tmp_path / "out", "rejected")
    assert list(zip(told["source_file"], told["reason"], strict=True)) == [
        ("shut/a.md" if blocked == "file" else "shut/", "cannot be read (Permission denied)")]
    assert list(tables.read(tmp_path / "out", "articles")["source_file"]) == ["good.md"]
    monkeypatch.undo()
    build(raw, tmp_path / "out", CODEBOOK, workers=1)  # it can be read again
    assert len(tables.read(tmp_path / "out", "articles")) == 2
    assert len(tables.read(tmp_path / "out", "rejected")) == 0


@pytest.mark.parametrize("what", ["vanishes", "shrinks", "grows"])
def test_a_file_that_changes_while_it_is_read_harms_nothing(tmp_path, monkeypatch, what):
    raw = tmp_path / "raw"
    raw.mkdir()
    for name in ("good.md", "moving.md"):
        (raw / name).write_text(PAGE, encoding="utf-8")
    listed = building.raw_files

    def then_changed(folder):
        found = listed(folder)
        if what == "vanishes":
            (raw / "moving.md").unlink()
        else:
            text = PAGE[:-20] if what == "shrinks" else PAGE + "\n监管部门支持科技企业。\n"
            (raw / "moving.md").write_text(text, encoding="utf-8")
        return found

    monkeypatch.setattr(building, "raw_files", then_changed)
    build(raw, tmp_path / "out", CODEBOOK, workers=1)
    monkeypatch.undo()
    assert "good.md" in set(tables.read(tmp_path / "out", "articles")["source_file"])
    told = tables.read(tmp_path / "out", "rejected")
    assert list(told["reason"]) == (["cannot be read (No such file or directory)"] if what == "vanishes" else [])
    build(raw, tmp_path / "out", CODEBOOK, workers=1)  # as it is now
    build(raw, tmp_path / "cold", CODEBOOK, workers=1)
    assert articles_of(tmp_path / "out") == articles_of(tmp_path / "cold")
    assert len(articles_of(tmp_path / "out")) == len(raw_files(raw))


# --------------------------------------------------------------------------------- disks that are full or read-only

_ON_A_DISK = """
import hashlib, subprocess, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from fengxiang import tables
from fengxiang.build import build
from fengxiang.errors import UserError

def contents(out):
    return [(p.name, hashlib.sha256(p.read_bytes()).hexdigest())
            for p in sorted(tables.processed(out).rglob("*")) if p.is_file()]

raw, out, codebook = {raw!r}, {out!r}, {codebook!r}

def attempt(workers):
    try:
        build(raw, out, codebook, workers=workers)
        return "built"
    except UserError as error:
        return str(error)

{do}
"""
_FULL = """
subprocess.run(["mount", "-t", "tmpfs", "-o", "size={kilobytes}k", "none", out], check=True)
print(attempt({workers}))
subprocess.run(["mount", "-o", "remount,size=200m", out], check=True)
print(attempt(1))
build(raw, {cold!r}, codebook, workers=1)
print(contents(out) == contents({cold!r}))
print(sorted(p.name for p in Path(out).rglob("*.tmp")))
"""
_READ_ONLY = """
subprocess.run(["mount", "--bind", out, out], check=True)
subprocess.run(["mount", "-o", "remount,bind,ro", out], check=True)
print(attempt(1))
"""


def said_on_a_disk(tmp_path: Path, do: str) -> list[str]:
    """What a program says that may mount disks of its own."""
    own = ["unshare", "--map-root-user", "--mount"]
    if not shutil.which("unshare") or subprocess.run(
            [*own, "mount", "-t", "tmpfs", "none", str(tmp_path / "out")], capture_output=True, check=False).returncode:
        pytest.skip("this system mounts no disk for a test")
    program = _ON_A_DISK.format(root=str(ROOT), raw=str(tmp_path / "raw"), out=str(tmp_path / "out"),
                                codebook=str(CODEBOOK), do=do)
    done = subprocess.run([*own, sys.executable, "-c", program], capture_output=True, text=True, check=False,
                          timeout=200)
    assert not done.returncode, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def on_disk(tmp_path):
    """A folder of articles and an empty output folder; returns the place of both."""
    for name in ("raw", "out"):
        (tmp_path / name).mkdir()
    for path in sorted((ROOT / "data/raw/md").iterdir())[:12]:
        shutil.copy(path, tmp_path / "raw")
    return tmp_path


@pytest.mark.parametrize(("kilobytes", "workers"), [(4, 1), (40, 1), (120, 1), (200, 2), (240, 1)])
def test_a_disk_that_is_full_is_said_plainly_and_the_next_build_is_whole(on_disk, kilobytes, workers):
    before = state_of(on_disk / "raw")
    first, second, same, left = said_on_a_disk(
        on_disk, _FULL.format(kilobytes=kilobytes, workers=workers, cold=str(on_disk / "cold")))
    assert first == (f"{on_disk / 'out'}: cannot be written to (No space left on device); make room or choose another "
                     "output folder and build again: it goes on from what is done")
    assert (second, same, left) == ("built", "True", "[]")
    assert state_of(on_disk / "raw") == before


def test_a_folder_that_is_read_only_is_said_plainly(on_disk):
    assert said_on_a_disk(on_disk, _READ_ONLY) == [
        f"{on_disk / 'out'}: cannot be written to (Read-only file system); choose another output folder"]
