"""Every command on a small folder, from raw files to the report and back, as a user types them."""

import csv
import getpass
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

import pyarrow.parquet as parquet
import pytest
from browser import Browser

ROOT = Path(__file__).resolve().parent.parent


class Folder:
    """A folder of shipped articles, a new one, and a file that is none, and what the commands say of it."""

    def __init__(self, place: Path):
        self.raw, self.out = place / "文章 1", place / "out"
        self.raw.mkdir()
        for path in sorted((ROOT / "data/raw/md").iterdir())[:5]:
            shutil.copy(path, self.raw)
        shutil.copy(ROOT / "data/raw/dumps/2026-02-09-newspaper-page.txt", self.raw)
        (self.raw / "new.md").write_text(
            "---\ntitle: 云南金融监管局部署2026年监管工作\ndate: 2026-01-20\n---\n\n"
            "云南金融监管局表示，今年把农信系统改革放在首位。\n\n"
            "该局要求各银行对停工楼盘逐一建账，不得抽贷断贷。\n", "utf-8")
        (self.raw / "empty.txt").write_bytes(b"")

    def run(self, *command: str) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, "-m", "fengxiang", *command, "--raw", self.raw, "--out", self.out],
                              cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False, timeout=300)

    def says(self, *command: str, status: int = 0) -> str:
        done = self.run(*command)
        assert done.returncode == status, done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout


def outputs(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for name in ("data", "figures", "report")
            for path in sorted((out / name).rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = Folder(tmp_path_factory.mktemp("commands"))
    before = {path.name: path.read_bytes() for path in folder.raw.iterdir()}
    folder.first = folder.run("report")
    folder.made = outputs(folder.out)
    assert {path.name: path.read_bytes() for path in folder.raw.iterdir()} == before
    return folder


def test_the_report_is_made_and_what_could_not_be_used_is_listed(folder):
    assert folder.first.returncode == 0, folder.first.stderr
    assert "1 file or record could not be used" in folder.first.stderr
    with (folder.out / "data/processed/rejected.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [(row["source_file"], row["reason"]) for row in csv.DictReader(file)] == [("empty.txt", "empty file")]
    for name, lang in (("index.html", "zh-CN"), ("index.en.html", "en")):
        page = (folder.out / "report" / name).read_text("utf-8")
        assert f'<html lang="{lang}"' in page
    assert sorted(path.name for path in (folder.out / "figures").glob("coverage.*")) == sorted(
        ["coverage.csv", "coverage.json", *(f"coverage.{lang}.{kind}" for lang in ("zh", "en")
                                            for kind in ("png", "svg", "pdf"))])


def test_a_second_report_makes_nothing_anew(folder):
    pages = {path: path.stat().st_mtime_ns for path in (folder.out / "report").glob("*.html")}
    said = folder.says("report")
    assert said.count("up to date") == 7  # the tables and six notebooks
    assert {path: path.stat().st_mtime_ns for path in pages} == pages


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("name", ["index.html", "index.en.html"])
def test_the_report_serves_those_who_do_not_see_it(folder, name, width):
    browser = Browser(width)
    try:
        browser.open(folder.out / "report" / name)
        browser.run("for (const d of document.querySelectorAll('details')) d.open = true")
        assert browser.violations() == []
        assert browser.problems == []
    finally:
        browser.close()


def test_a_report_is_checked_against_its_manifest(folder):
    assert "as listed" in folder.says("check")
    path = folder.out / "data/processed/findings.csv"
    kept = path.read_bytes()
    path.write_bytes(kept.replace(b"2", b"3", 1))
    said = folder.says("check", status=1)
    path.write_bytes(kept)
    assert "data/processed/findings.csv" in said
    assert "1 difference" in said


def test_a_frozen_report_is_counted_again(folder):
    assert "2026-02" in folder.says("freeze", "2026-02")
    assert folder.says("reproduce", "2026-02").strip()


def test_the_codebook_tells_what_its_lines_find(folder):
    said = folder.says("codebook")
    assert "institution_risk" in said
    assert "化险" in said


def test_a_sheet_to_code_by_hand(folder):
    said = folder.says("gold")
    assert "gold-sheet.csv" in said
    with (folder.out / "data/processed/gold-sheet.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["text"] for row in rows} == {  # the others are labelled already
        "云南金融监管局表示，今年把农信系统改革放在首位。", "该局要求各银行对停工楼盘逐一建账，不得抽贷断贷。"}
    assert all(not row["themes"] for row in rows)


def test_a_bill_of_materials():
    done = subprocess.run([sys.executable, "-m", "fengxiang", "sbom"], cwd=ROOT, capture_output=True, text=True,
                          encoding="utf-8", check=True)
    assert Path(done.stdout.strip()) == Path("build/sbom.cdx.json")


# Put first on the path of every Python process that a command starts: says that it is there, and lets nothing out.
_NO_NETWORK = '''
import os, sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg"):
        address = arguments[1] if event in ("socket.connect", "socket.sendto", "socket.sendmsg") else arguments[0]
        if not isinstance(address, (str, bytes)) and address and address[0] in ("127.0.0.1", "::1"):
            return
        if event == "socket.connect" and isinstance(address, (str, bytes)):
            return  # a socket of this machine's file system
        with open({log!r}, "a") as file:
            file.write(f"{{event}} {{address!r}}\\n")
        raise OSError("the network is cut")

sys.addaudithook(refuse)
with open({log!r}, "a") as file:
    file.write("watched\\n")
'''


@pytest.fixture(scope="module")
def elsewhere(folder, tmp_path_factory):
    """The same folder, its files put there in another order at another time, reported on in another folder, with one
    worker, another locale, time zone, home and seed of hashes, and without a network."""
    place = tmp_path_factory.mktemp("anderswo") / "ein anderer Ort"
    raw, out, watch = place / "文章 1", place / "out", place / "watch"
    for made in (raw, watch):
        made.mkdir(parents=True)
    for path in sorted(folder.raw.iterdir(), reverse=True):
        shutil.copyfile(path, raw / path.name)
        os.utime(raw / path.name, (1e9, 1e9))
    (watch / "sitecustomize.py").write_text(_NO_NETWORK.format(log=str(watch / "log")), encoding="utf-8")
    command = [sys.executable, "-m", "fengxiang", "report", "--workers", "1", "--raw", raw, "--out", out]
    cut = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up; exec "$@"', "sh"]
    if shutil.which("unshare") and shutil.which("ip") and not subprocess.run(
            [*cut, "true"], capture_output=True, check=False).returncode:
        command = cut + command  # in a network namespace of its own no packet can leave
    environment = os.environ | {"LC_ALL": "C", "LANG": "C", "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "7",
                                "HOME": str(place), "PYTHONPATH": str(watch)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, encoding="utf-8",
                          check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return out, (watch / "log").read_text("utf-8").split("\n")[:-1]


def test_other_circumstances_give_the_same_bytes(folder, elsewhere):
    here, there = folder.made, outputs(elsewhere[0])
    assert sorted(here) == sorted(there)
    assert [name for name in here if here[name] != there[name]] == []


def test_nothing_asks_for_the_network(elsewhere):
    assert set(elsewhere[1]) == {"watched"}
    assert elsewhere[1]  # kernels are forked from what is watched, and watched with it


def test_a_full_disk_and_a_kill_are_made_good_by_the_next_report(folder, elsewhere, tmp_path):
    raw, out = elsewhere[0].parent / "文章 1", tmp_path / "out"
    out.mkdir()
    own = ["unshare", "--map-root-user", "--mount"]
    if not shutil.which("unshare") or subprocess.run([*own, "mount", "-t", "tmpfs", "none", str(out)],
                                                     capture_output=True, check=False).returncode:
        pytest.skip("this system mounts no disk for a test")
    program = """
import shutil, subprocess, sys, time
raw, out, there = sys.argv[1:]
report = [sys.executable, "-m", "fengxiang", "report", "--raw", raw, "--out", out]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", out], check=True)
done = subprocess.run(report, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
print(done.returncode, done.stderr.splitlines()[-1], flush=True)
subprocess.run(["mount", "-o", "remount,size=500m", out], check=True)
process = subprocess.Popen(report, stdout=subprocess.PIPE, text=True)
for line in process.stdout:
    if line.startswith("02"):  # some notebooks have run, others are at it
        break
time.sleep(1)
process.kill()
print(process.wait())
time.sleep(2)
print(subprocess.run(report, stdout=subprocess.DEVNULL).returncode)
shutil.copytree(out, there)
"""
    done = subprocess.run([*own, sys.executable, "-c", program, raw, out, tmp_path / "there"], cwd=ROOT,
                          capture_output=True, text=True, encoding="utf-8", check=False, timeout=500)
    assert done.returncode == 0, done.stderr
    full, killed, last = done.stdout.splitlines()
    assert full.startswith("2 fengxiang: ")
    assert "No space left on device" in full
    assert (killed, last) == ("-9", "0")
    assert outputs(tmp_path / "there") == folder.made


def unpacked(name: str, data: bytes) -> list[bytes]:
    """What a file holds, and what is packed in it."""
    if data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as inside:
            return [part for member in inside.namelist() for part in unpacked(member, inside.read(member))]
    if name.endswith(".parquet"):
        table = parquet.read_table(io.BytesIO(data))
        metadata = b"".join(k + v for k, v in (table.schema.metadata or {}).items())
        return [data, metadata, json.dumps(table.to_pylist(), ensure_ascii=False, default=str).encode()]
    packed = [data]
    for match in re.finditer(rb"stream\r?\n", data) if name.endswith(".pdf") else ():
        try:
            packed.append(zlib.decompressobj().decompress(data[match.end():]))
        except zlib.error:
            packed.append(b"")  # a stream of another kind
    return packed


def test_no_output_tells_of_the_machine_or_its_user(folder):
    told = {str(ROOT), str(folder.raw.parent), f"{Path.home()}/", f"{tempfile.gettempdir()}/", socket.gethostname(),
            getpass.getuser()}
    # names so short or common that they stand in texts by chance say nothing
    words = [word.encode() for word in told if len(word) > 4]
    assert len(words) >= 3
    found = {(name, word) for name, data in folder.made.items() for part in unpacked(name, data)
             for word in words if word in part}
    assert found == set()
