"""Every command on a small folder, from raw files to the report and back, as a user types them."""

import csv
import shutil
import subprocess
import sys
from pathlib import Path

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


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = Folder(tmp_path_factory.mktemp("commands"))
    before = {path.name: path.read_bytes() for path in folder.raw.iterdir()}
    folder.first = folder.run("report")
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
