"""The command line: `python -m fengxiang COMMAND`. Nothing heavy is imported before it is needed."""

from __future__ import annotations

import argparse
import contextlib
import errno
import gc
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from .errors import UserError
from .places import is_local, local_copy, remove, worked_on
from .workplace import BUILT, CODEBOOK, OUT, RAW, ROOT, SHEET, Workplace, workplace

VENV = ROOT / ".venv"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 1 a check failed, 2 a wrong command or an unusable folder."""
    for stream in (sys.stdout, sys.stderr):
        # a terminal of another encoding shows a question mark, it does not end the build
        stream.reconfigure(errors="replace")
    # no command multiplies large matrices; threads that wait for some would take time from the workers
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    parser = _parser()
    parser.set_defaults(run=lambda options: parser.print_help())
    options = parser.parse_args(arguments)
    try:
        status = options.run(options) or 0
        sys.stdout.flush()  # while what stands in the way can still be told
        return status
    except UserError as error:
        print(f"fengxiang: {printable(error)}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        _print_the_rest()  # whoever read the output has read enough (`… | head`)
        return 0
    except OSError as error:  # a disk that is full or read-only, at whatever moment
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        print(f"fengxiang: {printable(error.filename or 'a file')}: cannot be used ({error.strerror or error})"
              + ("; make room or choose another output folder and run it again: it goes on from what is done" * full),
              file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("fengxiang: stopped; the next build goes on from here", file=sys.stderr)
        return 130


def _print_the_rest() -> None:
    """Print what waits to be printed, or give it up where there is nowhere to."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def printable(message: object) -> str:
    """A message as a terminal may show it: control and direction marks from file names and texts made visible."""
    return "".join(ch if ch.isprintable() else f"\\u{ord(ch):04x}" for ch in str(message))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fengxiang", description="What China's financial regulators put first, by year and by region: a folder "
        "of Chinese articles in, tables, figures and a sourced report out.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    def command(name: str, run, help_: str, *, folders: bool = False, workers: bool = False):
        sub = commands.add_parser(name, help=help_, description=help_)
        sub.set_defaults(run=run)
        if folders:
            sub.add_argument("--raw", metavar="DIR", help="folder of raw articles (default: data/raw); like the "
                             "other two a path, or any address fsspec knows, such as s3://bucket/articles")
            sub.add_argument("--out", metavar="DIR", help="folder for all outputs (default: the project folder)")
            sub.add_argument("--codebook", metavar="DIR", help="codebook folder (default: codebook)")
        if workers:
            sub.add_argument("--workers", metavar="N", type=_count, help="processes (default: one a core)")
        return sub

    report = command("report", _report, "tables, notebooks, figures and both reports", folders=True, workers=True)
    report.add_argument("--no-text", action="store_true", help="withhold source texts: counts, short quotations and "
                        "citations alone")
    report.add_argument("--open", action="store_true", help="open the report in the browser when done")
    build = command("build", _build, "the tables only", folders=True, workers=True)
    build.add_argument("--cluster", metavar="ADDRESS", help="run the partitions on a Dask cluster")
    command("kit", _kit, "every figure in every size, and the office files", folders=True)
    command("check", _check, "whether a report and what it was made from are as its manifest has them", folders=True)
    command("codebook", _codebook, "what each pattern of the codebook finds, hides and would change", folders=True)
    gold = command("gold", _gold, "draw statements to code by hand, or read the coded sheet back and measure accuracy",
                   folders=True)
    gold.add_argument("--read", metavar="SHEET", help="a sheet that has been filled in")
    gold.add_argument("--rows", metavar="N", type=_count, default=60, help="statements to draw (default: 60)")
    test = command("test", _test, "the whole test suite")
    test.add_argument("pytest", nargs="*", help="arguments for pytest")
    command("lab", _lab, "JupyterLab on the notebooks", folders=True)
    bench = command("bench", _bench, "measure, print and write benchmarks/results.md")
    bench.add_argument("--sizes", metavar="N,N", help="articles of the corpora that growth is measured on (default: "
                       "1000,10000; 1000,10000,100000 takes about twice as long)")
    command("fuzz", _fuzz, "try to break the readers and the build, and write benchmarks/fuzz.md (half an hour)")
    command("env", _env, "make the environment in .venv/")
    command("lock", _lock, "resolve pyproject.toml into requirements.lock (needs uv)")
    command("sbom", _sbom, "write a bill of materials of what is locked, build/sbom.cdx.json (CycloneDX)")
    command("audit", _audit, "ask whether a locked package is known to be vulnerable (needs pip-audit and a network)")
    freeze = command("freeze", _freeze, "keep the present report's tables, numbers and codebook under a name",
                     folders=True)
    reproduce = command("reproduce", _reproduce, "count the numbers of a frozen report again, then and today",
                        folders=True)
    for named in (freeze, reproduce):
        named.add_argument("name", metavar="NAME", help="name of the frozen report, such as 2026-02")
    clean = command("clean", _clean, "remove everything that was built; frozen and kept vintages stay", folders=True)
    clean.set_defaults(raw=None)
    command("targets", _targets, "explain the make targets")
    return parser


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError("give a number, 1 or more")
    return int(text)


# ------------------------------------------------------------------------------------------------------- commands


def _place(options):
    return workplace(options.raw, options.out, options.codebook)


@contextlib.contextmanager
def _at_hand(options):
    """The folders of this run on this machine. Those of a store are copied here, and what has been made is sent to
    the store at the end: notebooks, figures and pages are made of files."""
    place = _place(options)
    with local_copy(place.raw) as raw, worked_on(place.out) as out, local_copy(place.codebook) as codebook:
        yield Workplace(raw, out, codebook, "" if is_local(place.out) else str(place.out))


def _build(options) -> int:
    if __name__ == "__main__":  # the process is for nothing else
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # read when Arrow is loaded; see `only_build`
        from .build import only_build

        only_build()
    place = _place(options)
    started = time.perf_counter()
    result = _tables(place, options.workers, getattr(options, "cluster", None))
    print(_summary(result, place, time.perf_counter() - started))
    return 0


def _tables(place, workers, cluster=None, at_work=lambda: None):
    """The tables brought up to date; `at_work` is called when it turns out that there is something to do."""
    from .build import build

    with Progress(at_work) as progress:
        if cluster is None:
            result = build(place.raw, place.out, place.codebook, workers=workers, progress=progress)
        else:
            from .cluster import executor_of

            with executor_of(cluster) as executor:
                result = build(place.raw, place.out, place.codebook, executor=executor, progress=progress)
    if result.n_rejected:
        listed = place.processed / "rejected.csv"
        what = "1 file or record" if result.n_rejected == 1 else f"{result.n_rejected} files or records"
        print(f"fengxiang: {what} could not be used; "
              f"see {printable(_shown(listed, place))}", file=sys.stderr)
    return result


def _summary(result, place, seconds: float) -> str:
    if not result.changed:
        return f"tables: up to date ({result.n_files} files, {seconds:.1f} s)"
    return (f"tables: {result.n_files} files, {result.n_redone} of {result.n_partitions} partitions made, "
            f"{seconds:.1f} s → {printable(_shown(place.processed, place))}")


def _report(options) -> int:
    if options.open and not is_local(_place(options).out):
        raise UserError("is no folder of this machine; without --open the report is made there", options.out)
    with _at_hand(options) as place:
        return _report_at(place, options)


def _report_at(place: Workplace, options) -> int:
    from .kernels import Nursery
    from .running import kernel_environment, run_notebooks

    started = time.perf_counter()
    with Nursery(kernel_environment(place.raw, place.out, place.codebook) | {BUILT: "1"}) as nursery:
        result = _tables(place, options.workers, at_work=nursery.start)
        print(_summary(result, place, time.perf_counter() - started))
        with Progress() as progress:
            runs = run_notebooks(ROOT, place.raw, place.out, place.codebook, workers=options.workers or 2,
                                 log=progress, nursery=nursery)
    for run in runs:
        print(f"{run.name}: " + (f"{run.seconds:.1f} s" if run.ran else "up to date"))
    gallery = place.figures / "README.md"
    if any(run.ran for run in runs) or not gallery.is_file():
        from .figures import write_gallery

        write_gallery(place.out)
    from .report import write_report

    for page in (pages := write_report(ROOT, place.out, place.codebook, withhold_text=options.no_text)):
        print(f"{printable(_shown(page, place))} ({page.stat().st_size / 1e6:.2f} MB)")
    from .manifest import write_manifest

    write_manifest(ROOT, place)
    print(f"done in {time.perf_counter() - started:.1f} s")
    if options.open:
        import webbrowser

        webbrowser.open(pages[0].as_uri())
    return 0


def _kit(options) -> int:
    from .kit import write_kit
    from .manifest import write_manifest

    with _at_hand(options) as place:
        _tables(place, None)
        with Progress() as progress:
            files = write_kit(place, progress)
        write_manifest(ROOT, place, more=files)
        folders = [printable(_shown(folder, place)) for folder in (place.figures, place.out / "report")]
        print(f"{len(files)} files in {' and '.join(folders)}")
    return 0


def _check(options) -> int:
    from .manifest import MANIFEST, differences

    with _at_hand(options) as place:
        found, counted = differences(ROOT, place)
    for difference in found:
        print(printable(difference))
    listed = ", ".join(f"{n} {section}" for section, n in counted.items())
    said = "as listed" if not found else "1 difference" if len(found) == 1 else f"{len(found)} differences"
    print(f"{printable(_shown(place.out / MANIFEST, place))}: {listed}: {said}")
    return 1 if found else 0


def _codebook(options) -> int:
    from .coding import Codebook, pattern_report
    from .tables import read

    with _at_hand(options) as place:
        _tables(place, None)
        statements = read(place.out, "statements", ["text"])
        for line in pattern_report(statements["text"].tolist(), Codebook.load(place.codebook)):
            print(line)
    return 0


def _gold(options) -> int:
    if options.read is not None and not is_local(_place(options).codebook):
        raise UserError("codings are written into a codebook of this machine; copy it here and give that folder",
                        _place(options).codebook)
    with _at_hand(options) as place:
        _tables(place, None)
        return _draw(place, options.rows) if options.read is None else _read_back(place, Path(options.read))


def _draw(place: Workplace, rows: int) -> int:
    """Write a sheet of statements to code by hand."""
    from . import gold
    from .tables import read

    columns = ["statement_id", "article_id", "story_id", "text", "heading", "themes", "themes_inherited",
               "themes_guarded", "evidence"]
    sheet = gold.sampling_sheet(read(place.out, "statements", columns), gold.load(place.codebook / "gold"), rows)
    if sheet.empty:
        print("every statement of this folder is labelled already")
        return 0
    path = place.processed / SHEET
    gold.write_sheet(path, sheet)
    shown = printable(_shown(path, place))
    print(f"{len(sheet)} statements to code → {shown}\n"
          f"fill in {', '.join(gold.KINDS)} and who coded it (several values with ; between them, none where there is "
          f"nothing),\nthen: python -m fengxiang gold --read {shown}")
    return 0


def _read_back(place: Workplace, path: Path) -> int:
    """Read a coded sheet into the labels, and print the accuracy measured on them."""
    from . import gold
    from .attribution import Gazetteer
    from .coding import Codebook
    from .tables import read

    folder, book = place.codebook / "gold", Codebook.load(place.codebook)
    grades = [grade.id for grade in book.grades]
    sheet = gold.read_sheet(path, read(place.out, "statements", ["statement_id", "text"]),
                            [theme.code for theme in book.themes],
                            [region.name for region in Gazetteer.load(place.codebook).regions], grades)
    gold.merge(folder, sheet)
    here, labels = Workplace(place.raw, place.out, place.codebook), gold.load(folder)
    print(f"{len(sheet)} coded statements read into {printable(_shown(folder, here))}")
    for line in gold.said_of(gold.compare_build(labels, place.out), grades):
        print(line)
    return 0


def _test(options) -> int:
    return subprocess.call([sys.executable, "-m", "pytest", *options.pytest], cwd=ROOT)


def _lab(options) -> int:
    with _at_hand(options) as place:
        return _lab_at(place)


def _lab_at(place: Workplace) -> int:
    _tables(place, None)
    environment = os.environ | {RAW: str(place.raw), OUT: str(place.out), CODEBOOK: str(place.codebook),
                                "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}
    return subprocess.call([sys.executable, "-m", "jupyterlab", str(ROOT / "notebooks")], env=environment)


def _bench(options) -> int:
    sizes = ["--sizes", options.sizes] if options.sizes else []
    return subprocess.call([sys.executable, str(ROOT / "benchmarks" / "bench.py"), *sizes], cwd=ROOT)


def _fuzz(options) -> int:
    return subprocess.call([sys.executable, str(ROOT / "benchmarks" / "fuzz.py")], cwd=ROOT)


def _env(options) -> int:
    if sys.version_info < (3, 11):  # noqa: UP036  before the environment, on any Python
        raise UserError(f"Python 3.11 or newer is needed, and this is {sys.version.split()[0]}; install one and "
                        "run `make env` with it")
    import venv

    ready = VENV / "ready"
    ready.unlink(missing_ok=True)
    print("making the environment in .venv/ (a few minutes, once)")
    venv.EnvBuilder(with_pip=True, symlinks=os.name != "nt").create(VENV)
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    status = subprocess.call([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                              "--require-hashes", "-r", str(ROOT / "requirements.lock")])
    if status:
        raise UserError("the packages of requirements.lock could not be installed; the reason stands above; "
                        "run `make env` again once it is mended")
    # the notebooks import the package from any folder of JupyterLab
    site = subprocess.check_output([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
                                   text=True).strip()
    Path(site, "fengxiang.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    ready.write_text("", encoding="utf-8")
    return 0


def _lock(options) -> int:
    return subprocess.call(["uv", "pip", "compile", "pyproject.toml", "--extra", "test", "--universal",
                            "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-header",
                            "--no-config", "--python-version", "3.11", "--quiet", "-o", "requirements.lock"], cwd=ROOT)


def _sbom(options) -> int:
    from .supply import write_bill_of_materials

    print(write_bill_of_materials(ROOT).relative_to(ROOT))
    return 0


def _audit(options) -> int:
    from .supply import audit

    answer = audit(ROOT)
    for line in [*(f"not checked: {package}" for package in answer.unchecked), *answer.vulnerable]:
        print(printable(line))
    packages = "1 package" if answer.n_checked == 1 else f"{answer.n_checked} packages"
    known = "nothing known" if not answer.vulnerable else "1 known vulnerability" if len(answer.vulnerable) == 1 else \
        f"{len(answer.vulnerable)} known vulnerabilities"
    print(f"{answer.source}: {packages} checked, {known}")
    return 1 if answer.vulnerable or answer.unchecked else 0


def _freeze(options) -> int:
    from .changes import freeze

    with _at_hand(options) as place:
        print(f"kept in {printable(_shown(freeze(place, options.name), place))}")
    return 0


def _reproduce(options) -> int:
    from .changes import frozen_run, reproduce, said_of_reproduced

    with _at_hand(options) as place:
        frozen_run(place, options.name)  # a name that is not there is refused before anything is built
        _tables(place, None)
        numbers = reproduce(place, options.name)
    for line in said_of_reproduced(numbers):
        print(printable(line))
    return int((numbers["found"] == "no").any())


def _clean(options) -> int:
    from .changes import VINTAGES

    place = workplace(None, options.out, options.codebook)
    sizes = (place.figures / size for size in ("slide", "half", "thumbnail"))
    # vintages and codings are no product of the last build: nothing can make them again
    state = sorted(p for p in (place.out / ".fengxiang").glob("*") if p.name != VINTAGES)
    derived = sorted(p for p in place.processed.glob("*") if p.name != SHEET)
    for path in [*state, *derived, *sizes]:
        if path.is_dir():
            remove(path)
        else:
            path.unlink(missing_ok=True)
    if place.processed.is_dir() and not any(place.processed.iterdir()):
        remove(place.processed)
    kept = {".png", ".md"} if place.out == ROOT else set()
    office = ["*.html", "*.pptx", "*.docx", "*.xlsx", "manifest.json"]
    for folder, patterns in ((place.figures, ["*"]), (place.out / "report", office)):
        for pattern in patterns:
            for path in sorted(folder.glob(pattern)):
                if path.is_file() and path.suffix not in kept:
                    path.unlink()
    return 0


def _targets(options) -> int:
    print("风向 Fengxiang: a folder of Chinese articles in, a sourced report out.\n")
    for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines():
        match = re.match(r"([a-z]+):.*?## (.*)", line)
        if match:
            print(f"  make {match[1]:10}{match[2]}")
    print("\nAnother folder: make report RAW=my/articles OUT=build/mine [CODEBOOK=my/codebook]"
          "\nWithout make: python -m fengxiang report --raw … --out …")
    return 0


# ------------------------------------------------------------------------------------------------------- progress


class Progress:
    """One line on a terminal that says what is going on; silent when the output is not a terminal. Calls `at_work`
    whenever there is something to say."""

    def __init__(self, at_work: Callable[[], object] = lambda: None):
        self.shown = sys.stderr.isatty()
        self._at_work = at_work

    def __enter__(self):
        return self

    def __call__(self, message: object) -> None:
        self._at_work()
        if self.shown:
            print(f"\r\x1b[2K{printable(message)[:100]}", end="", file=sys.stderr, flush=True)

    def __exit__(self, *_):
        if self.shown:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)


def _shown(path: Path, place: Workplace) -> str:
    if place.address:
        return f"{place.address}/{path.relative_to(place.out).as_posix()}"
    if not is_local(path):
        return str(path)
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


if __name__ == "__main__":
    gc.disable()  # one run and out: walking its objects again and again frees nothing
    status = main()
    _print_the_rest()
    os._exit(status)  # nor is there use in taking apart what the system takes back at once
