"""Nothing runs: payloads in every field of the raw files and of the codebook, from the folder to the browser, the
spreadsheet and the terminal."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from browser import Browser
from hostile import TEXT

ROOT = Path(__file__).resolve().parent.parent
ACTING = [
    "<script>window.acted=1</script>", "</script><script>window.acted=2</script>",
    "<img src=x onerror=window.acted=3>",
    "\"'><svg onload=window.acted=4>", "javascript:window.acted=5", "<style>*{display:none}</style>",
    "<a href=\"javascript:window.acted=6\">x</a>", "<base href=//evil.example>", "<iframe srcdoc='<script>top.acted=7"
    "</script>'>", "data:text/html,<script>window.acted=8</script>", "<svg><style>@import'//evil'</style></svg>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>", "\u202e<b onclick=acted=9>\u2066", "${window.acted=10}",
]
FORMULAS = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1+1)", "\t=1+1", "=HYPERLINK(\"http://evil.example\",\"x\")"]
ESCAPES = ["\x1b[2J\x1b[31mred", "\x1b]0;title\x07", "\x9b31m", "\r\x08\x08overwritten"]
PAYLOADS = [*ACTING, *FORMULAS, *ESCAPES]
NAMES = ["<b>粗</b>", "=1+1", "@SUM(1)", "</script>", "<s id=x>", "{{7*7}}", "-2+3", "&lt;i&gt;", "\"'><p>"]


def place(folder: Path) -> tuple[Path, Path]:
    """A raw folder and a codebook with payloads in every field."""
    raw, codebook = folder / "raw", folder / "codebook"
    raw.mkdir()
    shutil.copytree(ROOT / "codebook", codebook)
    cities = ["深圳", "厦门", "青岛", "宁波", "大连", "北京", "上海"]
    with (raw / "records.jsonl").open("w", encoding="utf-8") as file:
        for i, payload in enumerate(PAYLOADS):
            texts = [f"{cities[i % 7]}金融监管局{part}提出，{payload}，{TEXT[8:]}" for part in ("", "党委")]
            file.write(json.dumps({
                "title": f"{payload}{cities[i % 7]}部署202{2 + i % 5}年监管工作", "content": "\n\n".join(texts),
                "source": payload, "author": payload, "url": payload, "date": f"202{2 + i % 5}-01-1{i % 9}",
                "category": payload}, ensure_ascii=False) + "\n")
            file.write(json.dumps({"title": payload, "content": payload * 3, "date": payload}) + "\n")
    for i, payload in enumerate(PAYLOADS):
        name = re.sub(r"[/\x00]", "∕", payload)[:80] + f"{i}.md"
        value = json.dumps(payload)
        (raw / name).write_text(
            f"---\ntitle: {value[:-1]}深圳部署2026年监管工作\"\nauthor: {value}\nsource: {value}\nurl: {value}\n"
            f"date: 2026-01-10\n---\n\n# {payload}\n\n{TEXT}\n\n深圳金融监管局表示，{payload}。\n", encoding="utf-8")
        (raw / f"{name}.bad").write_bytes(b"\x89PNG\r\n\x1a\n")
    themes = codebook / "themes.yml"
    text, payloads = themes.read_text("utf-8"), iter(NAMES * 9)
    for key in ("name_zh", "name_en"):
        # not the groups, which stand in one line each
        text = re.sub(rf"(?m)^(    {key}: ).*$", lambda m: m[1] + json.dumps(next(payloads)), text)
    themes.write_text(text, encoding="utf-8")
    return raw, codebook


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("payloads")
    raw, codebook = place(folder)
    done = [subprocess.run([sys.executable, "-m", "fengxiang", command, "--raw", raw, "--out", folder / "out",
                            "--codebook", codebook], cwd=ROOT, capture_output=True, check=False, timeout=400)
            for command in ("report", "kit")]
    for run in done:
        assert run.returncode == 0, run.stderr.decode()
    return folder / "out", done


@pytest.mark.parametrize("name", ["index.html", "index.en.html"])
def test_no_payload_acts_in_the_report(hostile, name):
    browser = Browser(1440)
    try:
        browser.open(hostile[0] / "report" / name)
        browser.run("for (const d of document.querySelectorAll('details')) d.open = true")
        assert browser.run("typeof window.acted") == "undefined"
        assert browser.run("document.querySelectorAll('iframe, base, object, embed').length") == 0
        assert browser.run("[...document.querySelectorAll('*')].filter(e => [...e.attributes].some("
                           "a => a.name.startsWith('on'))).length") == 0
        assert browser.run("[...document.querySelectorAll('[href]')].map(e => e.getAttribute('href')).filter("
                           "h => !/^(#|https?:|index|data:(image|application|text.csv|,$))/.test(h)).length") == 0
        assert browser.run("getComputedStyle(document.querySelector('main')).display") != "none"
        assert "window.acted=1</script>" in browser.run("document.body.innerText")  # it is shown, as text
        assert browser.problems == []
    finally:
        browser.close()


def cells(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [cell for row in csv.reader(file) for cell in row]


def test_no_cell_acts_in_a_spreadsheet(hostile):
    found = sorted(hostile[0].rglob("*.csv"))
    assert len(found) > 20
    for path in found:
        acting = [cell for cell in cells(path) if cell[:1] in "=+-@\t\r" and cell and not is_number(cell)]
        assert acting == [], path.name
    with zipfile.ZipFile(next(hostile[0].rglob("tables*.xlsx"))) as book:
        for name in book.namelist():
            sheet = book.read(name)
            assert b"<f>" not in sheet, name
            assert b'TargetMode="External"' not in sheet, name  # links lead from sheet to sheet alone
        assert not [name for name in book.namelist() if "external" in name.lower() or "vba" in name.lower()]


def is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"-?\d+(\.\d+)?(e[-+]?\d+)?%?|-", cell))


def test_no_control_mark_reaches_the_terminal(hostile):
    for run in hostile[1]:
        said = run.stdout.decode() + run.stderr.decode()
        assert [ch for ch in said if not (ch.isprintable() or ch == "\n")] == []
        assert "could not be used" in said or run is hostile[1][1]


def test_no_file_was_made_elsewhere(hostile):
    root = hostile[0].parent
    assert sorted(os.listdir(root)) == ["codebook", "out", "raw"]
    assert not [path for path in root.rglob("*") if path.suffix in (".pkl", ".pickle", ".exe", ".js")]
