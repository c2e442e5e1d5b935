import json
import os
import subprocess
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from projects import COPY, chain, code, interface, markdown, title, write_notebook

from fengxiang import running
from fengxiang.errors import UserError
from fengxiang.running import read_notebook, run_notebooks
from fengxiang.workplace import READABLE

# ---- what a notebook declares ---------------------------------------------------------------------------------------


def test_the_interface_is_read_and_not_run(tmp_path):
    path = write_notebook(tmp_path, "01-a", [
        markdown("# A"), code('INPUTS = ["data/raw"]\nOUTPUTS = ["figures/a", "data/processed/a.csv"]\n'
                              'PARAMETERS = {"top": 3, "names": ["甲"]}', "interface"), code("1 / 0")])
    notebook = read_notebook(path)
    assert (notebook.name, notebook.interface) == ("01-a", 1)
    assert notebook.inputs == ("data/raw",)
    assert notebook.outputs == ("figures/a", "data/processed/a.csv")
    assert notebook.parameters == {"top": 3, "names": ["甲"]}


@pytest.mark.parametrize(("source", "message"), [
    ("INPUTS = []\nOUTPUTS = []", "lacks PARAMETERS"),
    ("INPUTS = []\nOUTPUTS = []\nPARAMETERS = {}\nprint(1)", ":4: holds only one assignment each"),
    ("INPUTS = []\nINPUTS = []", ":2: holds only one assignment each"),
    ("INPUTS = list()\nOUTPUTS = []\nPARAMETERS = {}", ":1: INPUTS must be a plain literal, for it is read and not "
                                                       "run; write the value out"),
    ("INPUTS = [__import__('os').getcwd()]\nOUTPUTS = []\nPARAMETERS = {}", ":1: INPUTS must be a plain literal"),
    ("INPUTS = 'a'\nOUTPUTS = []\nPARAMETERS = {}", "INPUTS must be a list of paths"),
    ("INPUTS = []\nOUTPUTS = []\nPARAMETERS = []", "PARAMETERS must map names to values"),
    ("INPUTS = [", ":1: is not valid Python: '[' was never closed; mend this line"),
    ("INPUTS = ['/etc/passwd']\nOUTPUTS = []\nPARAMETERS = {}", "“/etc/passwd” is not a path within the project"),
    ("INPUTS = ['codebook/../a']\nOUTPUTS = []\nPARAMETERS = {}", "is not a path within the project"),
    ("INPUTS = ['C:/a']\nOUTPUTS = []\nPARAMETERS = {}", "is not a path within the project"),
    ("INPUTS = []\nOUTPUTS = ['codebook/themes.yml']\nPARAMETERS = {}",
     "declares to write “codebook/themes.yml”; notebooks write under data/processed and figures only"),
    ("INPUTS = []\nOUTPUTS = ['data/raw/a.txt']\nPARAMETERS = {}", "write under data/processed and figures only"),
])
def test_a_bad_interface_is_refused_in_a_sentence(tmp_path, source, message):
    path = write_notebook(tmp_path, "01-a", [code(source, "interface")])
    with pytest.raises(UserError) as error:
        read_notebook(path)
    assert message in str(error.value)
    assert str(error.value).startswith("notebooks/01-a.ipynb: ")


def test_a_notebook_has_one_interface_cell(tmp_path):
    for number, cells in ((0, [code("1")]), (2, [interface([], []), interface([], [])])):
        with pytest.raises(UserError, match="needs exactly one code cell tagged “interface” with INPUTS, OUTPUTS and "
                                            f"PARAMETERS; it has {number}"):
            read_notebook(write_notebook(tmp_path, "01-a", cells))
    (tmp_path / "notebooks/01-a.ipynb").write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match=r"notebooks/01-a\.ipynb: is not a Jupyter notebook \(version 4\); save it once "
                                        "more from JupyterLab"):
        read_notebook(tmp_path / "notebooks/01-a.ipynb")


def graph(root, **declared):
    """The order of notebooks given as name=(inputs, outputs), with what each waits for."""
    paths = [write_notebook(root, name, [interface(*both)]) for name, both in declared.items()]
    return {n.name: [m.name for m in needed] for n, needed in running.order(map(read_notebook, paths)).items()}


def test_the_order_follows_what_is_read_and_written(tmp_path):
    assert graph(tmp_path, a=(["data/processed/late.csv"], []), b=([], ["data/processed/late.csv"]),
                 c=(["figures/x.json"], []), d=([], ["figures/x"]), e=(["data/processed"], [])) == {
        "b": [], "a": ["b"], "d": [], "c": ["d"], "e": ["b"]}
    assert list(graph(tmp_path, a=(["data/processed/late.csv"], []), b=([], ["data/processed/late.csv"]))) == ["b", "a"]


def test_a_stem_is_all_files_of_a_figure_and_of_no_other(tmp_path):
    assert graph(tmp_path, a=([], ["figures/x"]), b=(["figures/xy.json"], []), c=(["figures/slide/x.zh.png"], []),
                 d=(["figures"], [])) == {"a": [], "b": [], "c": ["a"], "d": ["a"]}


def test_a_ring_is_refused(tmp_path):
    with pytest.raises(UserError, match="reads what depends on what it writes: a → b → c → a"):
        graph(tmp_path, a=(["data/processed/3"], ["data/processed/1"]), b=(["data/processed/1"], ["data/processed/2"]),
              c=(["data/processed/2"], ["data/processed/3"]))
    with pytest.raises(UserError, match="reads what depends on what it writes: e → e"):
        graph(tmp_path, e=(["data/processed"], ["data/processed/e.csv"]))


def test_two_writers_of_one_file_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"b\.ipynb: writes “figures/x”, which a writes too"):
        graph(tmp_path, a=([], ["figures/x"]), b=([], ["figures/x.csv"]))


# ---- what runs again: with the kernels replaced by plain execution -------------------------------------------------


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The chain of three notebooks, and a function that builds it and tells what ran."""
    root = chain(tmp_path / "项目 1")

    async def execute(notebook, state, root, scratch, nursery, log):
        monkeypatch.setenv("FENGXIANG_RAW", str(state.raw))
        monkeypatch.setenv("FENGXIANG_OUT", str(state.out))
        monkeypatch.setenv("FENGXIANG_CODEBOOK", str(state.codebook))
        names = {}
        for cell in notebook.cells:
            if cell["cell_type"] == "code":
                exec(cell["source"], names)
        running.write_atomically(running.executed_path(state.out, notebook.name), json.dumps({"cells": []}))

    monkeypatch.setattr(running, "_execute", execute)
    monkeypatch.setattr(running, "package_hash", lambda state: "of this test")  # the sources may be edited meanwhile

    def build(**options):
        results = run_notebooks(root, root / "data/raw", root / "out", root / "codebook", **options)
        return {result.name[:2]: result.reason for result in results if result.ran}

    build.root, build.out = root, root / "out"
    return build


FIRST = {"01": "first run", "02": "first run", "03": "first run"}


def test_everything_runs_once_and_then_nothing(project):
    assert project() == FIRST
    assert (project.out / "data/processed/c.csv").read_text("utf-8") == "甲甲"
    assert project() == {}
    assert project() == {}


def test_touching_without_changing_runs_nothing(project):
    project()
    for path in [*project.root.rglob("*.txt"), *project.root.rglob("*.ipynb"), *project.root.rglob("*.yml")]:
        os.utime(path)
    assert project() == {}


def test_saving_a_notebook_with_outputs_runs_nothing(project):
    project()
    path = project.root / "notebooks/02-themes.ipynb"
    content = json.loads(path.read_text("utf-8"))
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"execution_count": 7, "outputs": [{"output_type": "stream", "name": "stdout", "text": "x"}]}
    path.write_text(json.dumps(content), "utf-8")
    assert project() == {}


def test_the_codebook_runs_from_themes_on_and_what_comes_out_the_same_stops_there(project):
    project()
    (project.root / "codebook/themes.yml").write_text("themes: [1]\n", "utf-8")
    assert project() == {"02": "codebook/themes.yml changed"}  # it writes the same, so 03 has nothing new to read


def test_a_change_runs_what_it_reaches(project):
    project()
    (project.root / "data/raw/a.txt").write_text("乙", "utf-8")
    assert project() == {"01": "data/raw/a.txt changed", "02": "data/processed/a.csv changed",
                         "03": "figures/b.csv changed"}
    assert (project.out / "data/processed/c.csv").read_text("utf-8") == "乙乙"
    (project.root / "data/raw/b.txt").write_text("", "utf-8")
    assert project() == {"01": "data/raw/b.txt is new"}
    (project.root / "data/raw/b.txt").unlink()
    assert project() == {"01": "data/raw/b.txt is gone"}


def test_of_a_table_only_the_columns_that_are_read_count(project):
    path = project.out / "data/processed/statements.parquet"

    def put(**columns):
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), path)

    put(text=["甲", "乙"], year=[2025, 2026], themes=[["green"], []])
    write_notebook(project.root, "05-words", [
        interface(["data/processed/statements.parquet#text,year", "codebook/words.txt?"], ["data/processed/w.csv"]),
        code(f"import pathlib\npathlib.Path({str(project.out)!r}, 'data/processed/w.csv').write_text('w')")])
    assert project()["05"] == "first run"
    put(text=["甲", "乙"], year=[2025, 2026], themes=[["green"], ["local_debt"]])
    assert "05" not in project()
    put(text=["甲", "丙"], year=[2025, 2026], themes=[["green"], ["local_debt"]])
    assert project()["05"] == "data/processed/statements.parquet#text,year changed"
    (project.root / "codebook/words.txt").write_text("白名单", "utf-8")  # a file that may be missing
    assert project()["05"] == "codebook/words.txt is new"
    put(text=["甲", "丙"])
    with pytest.raises(UserError, match=r"statements\.parquet: has no column “year”"):
        project()
    assert running.feeds("data/processed/statements.parquet", "data/processed/statements.parquet#text,year")


def test_a_notebook_reads_no_columns_it_does_not_declare(tmp_path, monkeypatch):
    from fengxiang import tables

    (tmp_path / "data/processed").mkdir(parents=True)
    pq.write_table(pa.table({"text": ["甲"], "themes": [["green"]]}), tmp_path / "data/processed/statements.parquet")
    monkeypatch.setenv(READABLE, json.dumps({"statements": ["text"]}))
    assert list(tables.read(tmp_path, "statements", ["text"])["text"]) == ["甲"]
    for columns in (["text", "themes"], None):
        with pytest.raises(UserError, match="statements: this notebook declares to read only text of the table; it "
                                            r"reads (themes|all): add that to its INPUTS"):
            tables.read(tmp_path, "statements", columns)


def test_an_edited_notebook_runs(project):
    project()
    path = project.root / "notebooks/03-findings.ipynb"
    path.write_text(path.read_text("utf-8").replace("发现了什么", "看到了什么"), "utf-8")
    assert project() == {"03": "its source changed"}


def test_an_output_that_is_missing_or_was_changed_is_made_again(project):
    project()
    (project.out / "figures/b.zh.txt").unlink()
    assert project() == {"02": "figures/b.zh.txt is missing"}
    (project.out / "figures/b.csv").write_text("丙丙", "utf-8")  # 03 has nothing to do: it runs after 02 is mended
    assert project() == {"02": "figures/b.csv is not what was written"}
    assert project() == {}
    running.executed_path(project.out, "01-clean").unlink()
    assert project() == {"01": ".fengxiang/executed/01-clean.ipynb is missing"}


def test_package_and_libraries_count(project, monkeypatch):
    project()
    monkeypatch.setattr(running, "package_hash", lambda state: "other")
    assert project() == dict.fromkeys(FIRST, "the package changed")
    monkeypatch.setattr(running, "library_versions", lambda: ["pandas-99"])
    assert project() == dict.fromkeys(FIRST, "the libraries changed")


def test_the_hash_of_the_package_covers_code_and_data_and_leaves_out_what_makes_only_the_report(tmp_path, monkeypatch):
    package = tmp_path / "package"
    monkeypatch.setattr(running, "PACKAGE", package)
    hashes = []
    for name in ("a.py", "style.mplstyle", "sub/b.py", "report.py", "report_template/x.css", "__pycache__/a.pyc"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(name, "utf-8")
        hashes.append(running.package_hash(running.State(tmp_path, tmp_path / "out", tmp_path)))
    assert len(set(hashes[:3])) == 3
    assert set(hashes[3:]) == {hashes[2]}


def test_parameters_can_be_given_from_outside(project):
    project()
    assert project(parameters={"02-themes": {"times": 3}}) == {"02": "its parameters changed",
                                                              "03": "figures/b.csv changed"}
    assert (project.out / "data/processed/c.csv").read_text("utf-8") == "甲甲甲"
    with pytest.raises(UserError, match=r"02-themes\.ipynb: has no parameter “time”; it has times"):
        project(parameters={"02-themes": {"time": 3}})
    with pytest.raises(UserError, match="there is no notebook “02-theme” to set parameters of"):
        project(parameters={"02-theme": {}})


def test_a_lost_or_damaged_state_builds_anew(project):
    project()
    state = project.out / ".fengxiang/notebooks.json"
    for damage in ("", "[]", state.read_text("utf-8")[:100]):
        state.write_text(damage, "utf-8")
        assert project() == FIRST


def test_a_file_changed_within_the_grain_of_its_time_stamp_is_seen(project):
    project()
    path = project.root / "data/raw/a.txt"
    before = path.stat()
    path.write_text("丁", "utf-8")  # the same size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert project() == {"01": "data/raw/a.txt changed", "02": "data/processed/a.csv changed",
                         "03": "figures/b.csv changed"}


def test_an_input_that_nobody_makes_is_refused_before_anything_runs(project):
    write_notebook(project.root, "04-more", [interface(["data/processed/none.parquet"], [])])
    with pytest.raises(UserError, match=r"04-more\.ipynb: reads “data/processed/none\.parquet”, which does not "
                                        "exist and which no notebook writes"):
        project()
    assert not (project.out / "data").exists()


def test_what_is_declared_must_be_written(project):
    write_notebook(project.root, "04-more", [interface([], ["data/processed/d.csv"])])
    with pytest.raises(UserError, match=r"04-more\.ipynb: declares to write “data/processed/d\.csv” and did not"):
        project()


def test_what_is_written_must_be_declared_and_is_said_again_until_mended(project):
    write_notebook(project.root, "04-more", [interface([], []), code(COPY), code(
        '(out / "data/processed/secret.csv").write_text("1")')])
    for _ in range(2):
        with pytest.raises(UserError, match=r"^data/processed/secret\.csv: was written by .*04-more without being "
                                            "declared in OUTPUTS$"):
            project()
        (project.out / "data/processed/secret.csv").unlink()


def test_an_output_folder_that_cannot_be_used_is_named(project):
    project.out.mkdir()
    (project.out / "data").write_text("a file, not a folder", "utf-8")
    with pytest.raises(UserError, match=r"out.*: cannot be used \(.*\); mend that or choose another output folder"):
        project()


def test_a_failure_keeps_what_was_done(project):
    write_notebook(project.root, "04-more", [interface(["data/processed/c.csv"], []), code("raise ValueError('no')")])
    with pytest.raises(ValueError, match="no"):
        project()
    write_notebook(project.root, "04-more", [interface(["data/processed/c.csv"], []), code("1")])
    assert project() == {"04": "first run"}


def test_what_most_others_wait_for_runs_first(project):
    write_notebook(project.root, "00-aside", [interface([], [])])
    order = []
    project(workers=1, log=lambda line: order.append(line.split()[0]))
    assert order == ["01-clean", "02-themes", "00-aside", "03-findings"]


def test_a_folder_without_notebooks_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"notebooks: holds no notebooks named like 01-clean\.ipynb"):
        run_notebooks(tmp_path, tmp_path, tmp_path, tmp_path)


def test_finding_nothing_to_do_takes_no_time_and_no_heavy_import(project):
    project()
    root = project.root
    script = ("import sys, time; start = time.perf_counter(); from fengxiang import running; f = running.package_hash; "
              "running.package_hash = lambda state: (f(state), 'of this test')[1]; "
              f"r = running.run_notebooks({str(root)!r}, {str(root / 'data/raw')!r}, {str(root / 'out')!r}, "
              f"{str(root / 'codebook')!r}); print(time.perf_counter() - start, any(x.ran for x in r), "
              "sorted({'pandas', 'nbclient', 'nbconvert', 'asyncio', 'yaml', 'numpy'} & set(sys.modules)))")
    answers = [subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True,
                              cwd=running.PACKAGE.parent).stdout.split(maxsplit=2) for _ in range(3)]
    assert all(answer[1:] == ["False", "[]\n"] for answer in answers), answers
    assert min(float(answer[0]) for answer in answers) < 0.3


# ---- real kernels ---------------------------------------------------------------------------------------------------


def test_a_kernel_runs_with_the_folders_and_a_fixed_environment_and_leaves_nothing_that_varies(tmp_path):
    root = chain(tmp_path / "项目 1")
    show = ("import locale, sys\nprint(hash('风'), time.tzname[0], sys.flags.utf8_mode)\n"
            "print('to the log', file=sys.stderr)\nos.getcwd().endswith('notebooks')")
    write_notebook(root, "01-clean", [*title("甲", "A"), interface(["data/raw"], ["data/processed/a.csv"]), code(COPY),
                                      code('import time\n(out / "data/processed/a.csv").write_text("甲", "utf-8")'),
                                      code(show)])
    (root / "notebooks/02-themes.ipynb").unlink()
    (root / "notebooks/03-findings.ipynb").unlink()
    lines = []
    [first] = run_notebooks(root, root / "data/raw", root / "out", root / "codebook", log=lines.append)
    kept = first.executed.read_bytes()
    assert (first.ran, first.reason, first.outputs) == (True, "first run", ("data/processed/a.csv",))
    assert lines[0] == "01-clean, cell 6: to the log"
    assert lines[1].startswith("01-clean  ")
    cells = json.loads(kept)["cells"]
    hashed = subprocess.run([sys.executable, "-c", "print(hash('风'))"], capture_output=True, text=True, check=True,
                            env={**os.environ, "PYTHONHASHSEED": "0"}).stdout.strip()
    assert cells[-1]["outputs"][0]["text"] == f"{hashed} UTC 1\n"
    assert cells[-1]["outputs"][1]["data"]["text/plain"] == "True"
    assert {cell.get("execution_count") for cell in cells} == {None}
    assert str(tmp_path) not in kept.decode("utf-8")
    state = (root / "out/.fengxiang/notebooks.json").read_text("utf-8")
    assert str(tmp_path) not in state
    (root / "out/data/processed/a.csv").unlink()
    run_notebooks(root, root / "data/raw", root / "out", root / "codebook")
    assert first.executed.read_bytes() == kept


def test_an_error_stops_the_build_with_notebook_cell_and_line(tmp_path):
    root = tmp_path
    write_notebook(root, "01-a", [*title("甲", "A"), interface([], []), code("x = 1\ny = {}['key']\n")])
    write_notebook(root, "02-b", [*title("乙", "B"), interface([], []), code(
        "from fengxiang.errors import UserError\nraise UserError('is broken', 'codebook/themes.yml', 3)")])
    with pytest.raises(UserError) as error:
        run_notebooks(root, root, root / "out", root, workers=1)
    assert str(error.value) == ("notebooks/01-a.ipynb: code cell 2, line 2 “y = {}['key']”: KeyError: 'key'; "
                                ".fengxiang/logs/01-a.txt in the output folder has the details")
    log = (root / "out/.fengxiang/logs/01-a.txt").read_text("utf-8")
    assert "KeyError" in log
    assert "\x1b" not in log
    (root / "notebooks/01-a.ipynb").unlink()
    with pytest.raises(UserError) as error:
        run_notebooks(root, root, root / "out", root)
    assert str(error.value) == "notebooks/02-b.ipynb: code cell 2: codebook/themes.yml:3: is broken"


def test_a_kernel_that_dies_is_reported(tmp_path):
    write_notebook(tmp_path, "01-a", [*title("甲", "A"), interface([], []), code("import os\nos._exit(1)")])
    start = time.perf_counter()
    with pytest.raises(UserError, match="code cell 2: the kernel stopped before the cell was done"):
        run_notebooks(tmp_path, tmp_path, tmp_path / "out", tmp_path)
    assert time.perf_counter() - start < 60
