import hashlib
import json
import os

import pytest
from projects import code, interface, write_notebook

from fengxiang import libraries, manifest, running
from fengxiang.__main__ import printable
from fengxiang.errors import UserError
from fengxiang.manifest import differences, write_manifest
from fengxiang.workplace import Workplace


class Project:
    """A small project of which a report has been made: one raw file, one notebook, a table, a figure and a page."""

    def __init__(self, folder):
        self.root, self.out = folder, folder / "out"
        self.place = Workplace(folder / "raw", self.out, folder / "codebook")
        self.write("raw/甲.txt", "甲")
        self.write("raw/README.md", "not an article")
        self.write("codebook/themes.yml", "themes: []\n")
        self.write("codebook/.themes.yml.swp", "of an editor")
        self.write("requirements.lock", "pandas==3.0.1 \\\n    --hash=sha256:00\n")
        write_notebook(self.root, "01-a", [interface([], ["figures/a"]), code("x = 1")])
        self.write("out/data/processed/articles.parquet", "table")
        self.write("out/figures/a.csv", "figure")
        self.write("out/report/index.html", "page")
        state = running.State(self.place.raw, self.out, self.place.codebook)
        state.runs = {"01-a": {"parts": {}, "outputs": {"figures/a.csv": "", ".fengxiang/executed/01-a.ipynb": ""}},
                      "report": {"signature": "", "outputs": {"report/index.html": ""}}}
        state.save()

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def manifest(self, **options):
        return json.loads(write_manifest(self.root, self.place, **options).read_text("utf-8"))

    def differences(self):
        return [str(difference) for difference in differences(self.root, self.place)[0]]


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setattr(libraries, "library_versions", lambda: ["Pandas-3.0.1", "of_mine-1.0"])
    return Project(tmp_path / "项目 1")


def entry(text):
    return {"bytes": len(text.encode()), "sha256": hashlib.sha256(text.encode()).hexdigest()}


def test_a_manifest_lists_what_went_in_and_what_came_out(project):
    kept = project.manifest()
    assert list(kept) == ["manifest", *manifest.SECTIONS]
    assert kept["inputs"] == {"甲.txt": entry("甲")}
    assert kept["codebook"] == {"themes.yml": entry("themes: []\n")}
    assert kept["outputs"] == {"data/processed/articles.parquet": entry("table"), "figures/a.csv": entry("figure"),
                               "report/index.html": entry("page")}
    assert kept["libraries"] == {"pandas": "3.0.1", "python": manifest.sys.version.split()[0]}
    assert "notebooks/01-a.ipynb" in kept["code"]
    source = (running.PACKAGE / "report.py").read_bytes()
    assert kept["code"]["fengxiang/report.py"]["sha256"] == hashlib.sha256(source).hexdigest()
    assert not [name for name in kept["code"] if "__pycache__" in name]
    assert project.differences() == []


def test_it_is_the_same_in_another_folder_and_says_nothing_of_the_machine(project, tmp_path):
    other = Project(tmp_path / "elsewhere")
    text = write_manifest(project.root, project.place).read_bytes()
    assert write_manifest(other.root, other.place).read_bytes() == text
    assert str(tmp_path).encode() not in text
    lines = text.decode().splitlines()
    assert ' "inputs": {' in lines
    entries = [line for line in lines if line.startswith("  ")]
    assert len(entries) == sum(len(v) for k, v in json.loads(text).items() if k != "manifest")


CHANGES = {
    "inputs: changed: 甲.txt": lambda p: p.write("raw/甲.txt", "乙"),
    "inputs: missing: 甲.txt": lambda p: (p.place.raw / "甲.txt").unlink(),
    "inputs: added: md/乙.md": lambda p: p.write("raw/md/乙.md", "乙"),
    "codebook: changed: themes.yml": lambda p: p.write("codebook/themes.yml", "themes: [1]\n"),
    "codebook: added: gold/a.csv": lambda p: p.write("codebook/gold/a.csv", "a"),
    "code: changed: notebooks/01-a.ipynb": lambda p: write_notebook(
        p.root, "01-a", [interface([], ["figures/a"]), code("x = 2")]),
    "code: added: notebooks/02-b.ipynb": lambda p: write_notebook(p.root, "02-b", [interface([], [])]),
    "outputs: changed: data/processed/articles.parquet": lambda p: p.write("out/data/processed/articles.parquet", "x"),
    "outputs: missing: figures/a.csv": lambda p: (p.out / "figures/a.csv").unlink(),
    "outputs: added: figures/slide/a.zh.png": lambda p: p.write("out/figures/slide/a.zh.png", "x"),
    "outputs: changed: report/index.html": lambda p: p.write("out/report/index.html", "egap"),
}


@pytest.mark.parametrize("said", CHANGES)
def test_whatever_differs_is_said_exactly(project, said):
    project.manifest()
    CHANGES[said](project)
    assert project.differences() == [said]


def test_versions_of_libraries_are_told(project, monkeypatch):
    project.manifest()
    monkeypatch.setattr(libraries, "library_versions", lambda: ["pandas-3.0.2"])
    assert project.differences() == ["libraries: changed: pandas (3.0.1, now 3.0.2)"]


def test_what_changes_nothing_is_no_difference(project):
    project.manifest()
    project.write("raw/.hidden", "x")
    project.write("raw/README.md", "other words")
    project.write("out/figures/.a.csv.1.tmp", "x")
    saved = json.loads((project.root / "notebooks/01-a.ipynb").read_text("utf-8"))
    saved["cells"][1] |= {"execution_count": 3, "outputs": [{"output_type": "stream", "name": "stdout", "text": "x"}]}
    project.write("notebooks/01-a.ipynb", json.dumps(saved))
    assert project.differences() == []


def test_a_check_believes_no_time_of_a_file(project):
    project.manifest()
    path = project.out / "report/index.html"
    before = path.stat()
    path.write_text("egap", "utf-8")  # of the same size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    state = running.State(project.place.raw, project.out, project.place.codebook)
    stamp = path.stat()
    state.files["report/index.html"] = [stamp.st_size, stamp.st_mtime_ns, stamp.st_ctime_ns, 2**63,
                                        entry("page")["sha256"]]
    state.save()
    assert project.differences() == ["outputs: changed: report/index.html"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_names_of_raw_files_are_kept_and_cannot_act(project):
    names = ['"a}{"sha256": 1".txt', "\u202egpj.\x1b[31m\n.txt", os.fsdecode(b"\xff.txt"), "\U000e0001.txt"]
    for name in names:
        (project.place.raw / name).write_text("x", "utf-8")
    text = write_manifest(project.root, project.place).read_text("utf-8")
    assert {*names, "甲.txt"} == set(json.loads(text)["inputs"])
    assert all(ch.isprintable() for line in text.splitlines() for ch in line)
    assert project.differences() == []
    (project.place.raw / names[1]).unlink()
    assert [printable(said) for said in project.differences()] == [
        "inputs: missing: \\u202egpj.\\u001b[31m\\u000a.txt"]


def test_what_the_kit_made_stays_until_something_changes(project):
    office = project.write("out/report/tables.xlsx", "kit")
    assert "report/tables.xlsx" not in project.manifest()["outputs"]
    assert project.differences() == ["outputs: added: report/tables.xlsx"]
    kept = project.manifest(more=[office])
    assert kept["outputs"]["report/tables.xlsx"] == entry("kit")
    assert project.manifest() == kept
    project.write("codebook/themes.yml", "themes: [1]\n")
    assert "report/tables.xlsx" not in project.manifest()["outputs"]


def test_writing_again_without_a_change_leaves_the_file_alone(project):
    path = write_manifest(project.root, project.place)
    before = path.stat().st_mtime_ns
    write_manifest(project.root, project.place)
    assert path.stat().st_mtime_ns == before


def test_what_a_manifest_names_outside_the_folders_is_not_opened(project):
    project.manifest()
    secret = project.write("out/secret.txt", "x")
    path = project.out / manifest.MANIFEST
    kept = json.loads(path.read_text("utf-8"))
    for name in ("secret.txt", "figures/../secret.txt", str(secret)):
        kept["outputs"][name] = entry("x")
    path.write_text(json.dumps(kept), "utf-8")
    assert project.differences() == [f"outputs: missing: {name}" for name in sorted(
        ("secret.txt", "figures/../secret.txt", str(secret)))]


def test_without_a_manifest_or_with_something_else_it_is_said(project):
    with pytest.raises(UserError, match=r"manifest\.json: there is no manifest; run `make report` in this output fold"):
        differences(project.root, project.place)
    for text in ("", "[]", "{}", '{"manifest": 99}', "[" * 100_000):
        project.write("out/report/manifest.json", text)
        with pytest.raises(UserError, match=r"manifest\.json: is not a manifest of this version of the program; run"):
            differences(project.root, project.place)
    assert project.manifest()["outputs"]  # and is written over
