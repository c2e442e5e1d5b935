"""The notebooks as they are committed: their order, their opening, their cells, and what they declare.

Each rule answers a mistake seen in well-known notebook collections; each is tried on a notebook that breaks it.
"""

import ast
import inspect
import json
import os
import re
import sys
from dataclasses import fields
from pathlib import Path

import pyarrow.parquet
import pytest
from projects import code, interface, markdown, title, write_notebook

from fengxiang import charts, figures, running, workplace
from fengxiang.build import build

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MAX_LINES = 15
SILENCERS = re.compile(r"filterwarnings|simplefilter|catch_warnings|contextlib|suppress|seterr|chained_assignment|"
                       r"disable\(|stderr|devnull")


def problems(path: Path) -> list[str]:
    """What is wrong with a notebook, in words."""
    content = json.loads(path.read_text("utf-8"))
    cells = [{**cell, "source": "".join(cell["source"])} for cell in content["cells"]]
    return [*_opening(cells), *_languages(cells), *_cleanness(content, cells), *_code(cells), *_declared(path)]


def _tags(cell) -> list[str]:
    return cell["metadata"].get("tags", [])


def _opening(cells) -> list[str]:
    found = []
    for cell, language, mark in zip(cells, ("lang-zh", "lang-en"), ("？", "?"), strict=False):
        first = cell["source"].split("\n")[0]
        if cell["cell_type"] != "markdown" or _tags(cell) != [language] or not re.fullmatch(rf"# .+\{mark}", first):
            found.append(f"does not open with a question as title in a cell tagged {language}")
        elif "\n\n" not in cell["source"]:
            found.append(f"does not say in its first {language} cell what it answers and why it matters")
    if len(cells) < 3 or "interface" not in _tags(cells[2]):
        found.append("does not declare its interface in the third cell")
    return found


def _languages(cells) -> list[str]:
    found, i = [], 0
    while i < len(cells):
        cell = cells[i]
        if cell["cell_type"] == "markdown":
            follower = cells[i + 1] if i + 1 < len(cells) else {"metadata": {}, "source": ""}
            other = [tag for tag in _tags(cell) if not tag.startswith("lang-")]
            if sorted(_tags(cell)) != sorted(["lang-zh", *other]) or \
                    sorted(_tags(follower)) != sorted(["lang-en", *other]):
                found.append(f"cell {i + 1}: Chinese prose and its English must be neighbours with like tags")
                i += follower.get("cell_type") == "markdown"
            else:
                if re.findall(r"^#+", cell["source"], re.M) != re.findall(r"^#+", follower["source"], re.M):
                    found.append(f"cell {i + 1}: the headings of the two languages differ")
                i += 1
        i += 1
    return found


def _cleanness(content, cells) -> list[str]:
    found = []
    if content["nbformat"] != 4 or set(content["metadata"]) - {"kernelspec", "language_info"}:
        found.append("holds metadata that vary")
    names = [cell.get("id") for cell in cells]
    if None in names or len(names) != len(set(names)):
        found.append("holds cells without an id of their own")
    for i, cell in enumerate(cells, 1):
        if cell.get("outputs") or cell.get("execution_count") is not None:
            found.append(f"cell {i}: outputs or an execution count are saved")
        if set(cell["metadata"]) - {"tags"}:
            found.append(f"cell {i}: holds metadata that vary")
        if cell["cell_type"] == "code" and cell["source"].count("\n") >= MAX_LINES:
            found.append(f"cell {i}: is longer than {MAX_LINES} lines")
        if not cell["source"].strip():
            found.append(f"cell {i}: is empty")
    return found


def _code(cells) -> list[str]:
    found, checked = [], False
    for i, cell in enumerate(cells, 1):
        if cell["cell_type"] != "code":
            continue
        try:
            tree = ast.parse(cell["source"])
        except SyntaxError:
            found.append(f"cell {i}: is not plain Python")
            continue
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                found.append(f"cell {i}: defines {node.name}; that belongs in the package")
            if isinstance(node, ast.ExceptHandler):
                found.append(f"cell {i}: catches an error")
            if isinstance(node, ast.ImportFrom) and any(name.name == "*" for name in node.names):
                found.append(f"cell {i}: imports everything from {node.module}")
            if isinstance(node, ast.Constant) and isinstance(node.value, str) \
                    and re.match(r"(/|~|\\\\|[A-Za-z]:[\\/])\w", node.value):
                found.append(f"cell {i}: holds the absolute path {node.value}")
            if isinstance(node, ast.Assert):
                checked = True
        if SILENCERS.search(cell["source"]):
            found.append(f"cell {i}: silences a warning")
        if re.search(r"\brun\.write\(", cell["source"]) and not checked:
            found.append(f"cell {i}: writes before anything was checked")
    return found


def _declared(path: Path) -> list[str]:
    """What the source plainly reads or writes must be declared."""
    notebook = running.read_notebook(path)
    inputs = {running.columns_of(name)[0] for name in notebook.inputs}
    found = []
    for node in ast.walk(ast.parse("\n".join(c["source"] for c in notebook.cells if c["cell_type"] == "code"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        called = ast.unparse(node.func)
        name = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
        reads, writes = {"run.table": [f"data/processed/{name}.parquet"], "run.written": [f"data/processed/{name}.csv"],
                         "run.statements": ["data/processed/statements.parquet"]}.get(called, []), []
        if called == "run.write":
            writes = [f"data/processed/{name}.csv"]
        elif called.startswith("charts.") and any(keyword.arg is None for keyword in node.keywords):
            chart = getattr(charts, called.removeprefix("charts."), None)
            if chart is None:
                found.append(f"calls {called}, which does not exist")
                continue
            asked = inspect.signature(chart).parameters
            if "names" in asked and asked["names"].default is None \
                    and "names" not in {keyword.arg for keyword in node.keywords}:
                found.append(f"calls {called} without names: its English would show Chinese")
            given = [keyword.value.value for keyword in node.keywords if keyword.arg == "stem"]
            writes = [f"figures/{given[0] if given else asked['stem'].default}"]
        found += [f"reads {r} and does not declare it" for r in reads if r not in inputs]
        found += [f"writes {w} and does not declare it" for w in writes if w not in notebook.outputs]
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_keeps_the_rules(path):
    assert problems(path) == []


def test_the_notebooks_are_numbered_and_depend_on_earlier_ones_only():
    assert [path.name[:3] for path in NOTEBOOKS] == ["01-", "02-", "03-", "04-", "05-", "06-"]
    graph = running.order([running.read_notebook(path) for path in NOTEBOOKS])
    assert [notebook.path for notebook in graph] == NOTEBOOKS


def test_every_codebook_file_a_notebook_declares_is_there():
    for path in NOTEBOOKS:
        for name in running.read_notebook(path).inputs:
            if name.startswith("codebook/"):
                assert (ROOT / running.columns_of(name)[0]).exists(), f"{path.name}: {name}"


# ---- the rules are tried on notebooks that break them --------------------------------------------------------------


def good() -> list[dict]:
    return [markdown("# 甲？\n\n因为。", "lang-zh"), markdown("# A?\n\nBecause.", "lang-en"),
            interface(["data/processed/slices.parquet"], ["data/processed/a.csv", "figures/coverage"]),
            code('slices = run.table("slices")\ncharts.coverage(slices, **run.finishing)'),
            markdown("## 核对", "lang-zh"), markdown("## Checks", "lang-en"), code("assert len(slices)"),
            code('run.write("a", slices)')]


def test_a_good_notebook_has_no_problems(tmp_path):
    assert problems(write_notebook(tmp_path, "01-a", good())) == []


@pytest.mark.parametrize(("at", "cell", "expected"), [
    (0, markdown("# 甲\n\n因为。", "lang-zh"), "does not open with a question as title in a cell tagged lang-zh"),
    (1, markdown("# A?", "lang-en"), "does not say in its first lang-en cell what it answers and why it matters"),
    (3, interface([], []), None),
    (4, markdown("## 核对"), "cell 5: Chinese prose and its English must be neighbours with like tags"),
    (5, markdown("### Checks", "lang-en"), "cell 5: the headings of the two languages differ"),
    (5, markdown("## Checks", "lang-en", "section-limits"),
     "cell 5: Chinese prose and its English must be neighbours with like tags"),
    (3, {**code("1"), "execution_count": 1}, "cell 4: outputs or an execution count are saved"),
    (3, {**code("1"), "outputs": [{}]}, "cell 4: outputs or an execution count are saved"),
    (3, {**code("1"), "metadata": {"scrolled": True}}, "cell 4: holds metadata that vary"),
    (3, {**code("1"), "id": "cell-1"}, "holds cells without an id of their own"),
    (3, code("1\n" * 15 + "1"), "cell 4: is longer than 15 lines"),
    (3, code(" "), "cell 4: is empty"),
    (3, code("def f(): pass"), "cell 4: defines f; that belongs in the package"),
    (3, code("class A: pass"), "cell 4: defines A; that belongs in the package"),
    (3, code("%matplotlib inline"), "cell 4: is not plain Python"),
    (3, code("try:\n    1\nexcept:\n    2"), "cell 4: catches an error"),
    (3, code("from os import *"), "cell 4: imports everything from os"),
    (3, code("'/home/me'"), "cell 4: holds the absolute path /home/me"),
    (3, code("r'C:\\me'"), "cell 4: holds the absolute path C:\\me"),
    (3, code("import warnings; warnings.simplefilter('ignore')"), "cell 4: silences a warning"),
    (3, code("run.write('a', 1)"), "cell 4: writes before anything was checked"),
    (3, code("run.table('articles')"), "reads data/processed/articles.parquet and does not declare it"),
    (3, code("run.written('b')"), "reads data/processed/b.csv and does not declare it"),
    (3, code("run.statements()"), "reads data/processed/statements.parquet and does not declare it"),
    (3, code("charts.dendrogram(1, **run.finishing)"), "writes figures/dendrogram and does not declare it"),
    (3, code("charts.bottom(1, **run.finishing)"), "calls charts.bottom, which does not exist"),
    (3, code("charts.coverage(1, stem='x', **run.finishing)"), "writes figures/x and does not declare it"),
    (3, code("charts.keyness(1, stem='coverage', **run.finishing)"),
     "calls charts.keyness without names: its English would show Chinese"),
    (7, code("run.write('b', 1)"), "writes data/processed/b.csv and does not declare it"),
])
def test_a_broken_rule_is_named(tmp_path, at, cell, expected):
    cells = good()
    cells[at] = cell
    path = write_notebook(tmp_path, "01-a", cells)
    if expected is None:
        with pytest.raises(running.UserError, match="exactly one code cell tagged “interface”"):
            problems(path)
    elif "plain Python" in expected:
        assert expected in _code(cells)
    else:
        assert problems(path) == [expected]


def test_an_interface_that_is_not_third_is_named(tmp_path):
    cells = [*title("甲？", "A?"), code("1"), interface([], [])]
    assert "does not declare its interface in the third cell" in problems(write_notebook(tmp_path, "01-a", cells))


# ---- what they really read and write --------------------------------------------------------------------------------


class Reads:
    """The files opened for reading while it is `active`: by Python, seen by an audit hook, and as Parquet."""

    def __init__(self):
        self.active, self.paths = False, set()
        sys.addaudithook(self._opened)

    def _opened(self, event, arguments):
        if self.active and event == "open" and isinstance(arguments[0], (str, os.PathLike)) \
                and set(arguments[1] or "r") <= set("rbtU"):
            self.paths.add(Path(arguments[0]).absolute())

    def of(self, function):
        """`function`, with the path it is given taken down."""
        def reading(path, *arguments, **options):
            if self.active:
                self.paths.add(Path(path).absolute())
            return function(path, *arguments, **options)
        return reading


READS = Reads()


def finish_without_drawing(draw, *, out, stem, data, **options):
    """What `figures.finish` leaves, without the pictures, which would take a minute."""
    told = {field.name: options[field.name] for field in fields(figures.FigureCard) if field.name in options}
    card = figures.FigureCard(out=out, stem=stem, content_hash="", citation={}, files={"zh": {}, "en": {}}, **told)
    for suffix in ("zh.png", "en.png", "csv", "json"):
        path = Path(out) / f"figures/{stem}.{suffix}"
        path.parent.mkdir(exist_ok=True)
        path.write_text(stem, "utf-8")
    return card


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """An output folder with the tables of the shipped corpus."""
    out = tmp_path_factory.mktemp("out")
    build(ROOT / "data/raw", out, ROOT / "codebook")
    return out


def test_the_notebooks_read_and_write_what_they_declare_and_nothing_else(built, monkeypatch):
    for name, value in ((workplace.RAW, ROOT / "data/raw"), (workplace.OUT, built),
                        (workplace.CODEBOOK, ROOT / "codebook"), (workplace.BUILT, 1)):
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(pyarrow.parquet, "read_table", READS.of(pyarrow.parquet.read_table))
    monkeypatch.setattr(figures, "finish", finish_without_drawing)
    places = {built: "", ROOT / "codebook": "codebook/", ROOT / "data/raw": "data/raw/"}
    # The names of regions come with those of themes, in files that a notebook of regions alone need not depend on.
    READS.paths, READS.active = set(), True
    charts.Names.load(ROOT / "codebook")
    found = []
    READS.active, for_names = False, {f"codebook/{path.name}" for path in READS.paths}
    for path in NOTEBOOKS:
        notebook = running.read_notebook(path)
        before = running.file_stamps(built)
        READS.paths, READS.active, names = set(), True, {}
        try:
            for cell in notebook.cells:
                if cell["cell_type"] == "code":
                    exec(compile(cell["source"], path.name, "exec"), names)
        finally:
            READS.active = False
        written = {name for name, stamp in running.file_stamps(built).items() if before.get(name) != stamp}
        read = {prefix + p.relative_to(place).as_posix() for p in READS.paths for place, prefix in places.items()
                if p.is_relative_to(place) and built / running.STATE_FOLDER not in p.parents} - written
        read -= for_names - set(notebook.inputs)
        found += [f"{path.name} reads {n}" for n in sorted(read)
                  if not any(running.feeds(n, i) for i in notebook.inputs)]
        found += [f"{path.name} writes {n}" for n in sorted(written)
                  if not any(running.feeds(o, n) for o in notebook.outputs)]
        found += [f"{path.name} declares {o} and does not write it" for o in notebook.outputs
                  if not any(running.feeds(o, n) for n in written)]
        found += [f"{path.name} declares {i} and does not read it" for i in notebook.inputs
                  if not i.startswith("codebook/")  # of the codebook, what is cached is read once for all notebooks
                  and not any(running.feeds(n, i) for n in read)]
    assert not found, "\n".join(found)
