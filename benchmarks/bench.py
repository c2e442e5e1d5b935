"""Measure the build and the report against what else there is, print one table, and write it with what follows from
it to benchmarks/results.md.

    python benchmarks/bench.py [--sizes 1000,10000] [--articles 7000] [--repeat 3] [--skip-report] [--skip-rivals]

Every row is of whole processes with their children, started anew. Seconds are medians of repeated runs, taken in
turns; CPU seconds are what all processes together took of the processors, which tells more where other work goes on
beside; memory is the peak of the largest single process. Rivals run in the same session on the text of the same
articles, each in an environment of its own under build/rivals, in the versions named here; one that cannot be
installed, fails or takes too long is left out, and the page says so. The page is written anew after each part. The
default takes about twelve minutes; `--sizes 1000,10000,100000` about ten more, and adds the report of the largest;
1000000 at their end, which is built once, some ten more, and 27 GB of disk. Linux and macOS only.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import math
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))
sys.path.insert(0, str(ROOT))
import generate  # noqa: E402

PAGE = ROOT / "benchmarks" / "results.md"
RIVAL_FOLDER = ROOT / "build" / "rivals"
INSTALL_SECONDS = 300  # a rival that takes longer to install is left out
FROM_SOURCE = ("jieba",)  # packages that are published without a wheel; all others are taken as wheels
RIVAL_SECONDS = 240  # one that takes longer to run, too
OWN_SECONDS = 3000  # a run of our own that takes longer is ended
REPEATED_TO = 100_000  # articles of the largest corpus that is built several times to show growth
REPORT_AT = 100_000  # articles from which a size is also changed and made a report of,
REPORT_UNDER = 1_000_000  # and from which not, since that takes hours
PLANNED = 100_000_000  # articles of the capacity plan
PLANNED_CORES = 100
NOISE = 0.25  # what the merging process takes more for the larger of two sizes counts from this share of the smaller
LAYERS = ("clean", "texts", "words", "coded")


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


# ------------------------------------------------------------------------------------------------------ rivals

READ = """
import sys, pathlib
texts = [p.read_text(encoding="utf-8") for p in sorted(pathlib.Path(sys.argv[1]).rglob("*.txt"))][:int(sys.argv[2])]
"""
JIEBA = READ + """
import jieba
from collections import Counter
jieba.setLogLevel(60)
counts = Counter()
for text in texts:
    counts.update(jieba.cut(text))
print(len(counts))
"""
VECTORIZER = READ + """
import rjieba
from sklearn.feature_extraction.text import CountVectorizer
print(CountVectorizer(tokenizer=rjieba.cut, token_pattern=None, lowercase=False).fit_transform(texts).shape)
"""
CNTEXT = READ + """
import cntext
from collections import Counter
counts = Counter()
for text in texts:
    counts.update(cntext.word_count(text, lang="chinese"))
print(len(counts))
"""
PYCORPDIFF = READ + """
import jieba
import pandas as pd
import pycorpdiff
jieba.setLogLevel(60)
half = len(texts) // 2
first, second = (pycorpdiff.from_dataframe(pd.DataFrame({"text": some}), tokenizer=jieba.lcut)
                 for some in (texts[:half], texts[half:]))
print(len(pycorpdiff.compare(first, second).keyness().to_df()))
"""


@dataclass(frozen=True)
class Rival:
    """Another way to count words: its name in the table, its column of ratios, what is installed for it, its script
    (arguments: folder of texts, number of texts), and how many texts it is given (a slow one fewer)."""

    name: str
    column: str
    packages: tuple[str, ...]
    script: str
    texts: int | None = None

    @property
    def python(self) -> Path:
        """The interpreter of its environment."""
        return RIVAL_FOLDER / self.column / "bin" / "python"

    def install(self) -> str:
        """Make its environment where it is not there; returns why that could not be done, or nothing."""
        folder = RIVAL_FOLDER / self.column
        marker, wanted = folder / "installed", "\n".join(self.packages)
        if marker.is_file() and marker.read_text(encoding="utf-8") == wanted:
            return ""
        try:
            shutil.rmtree(folder, ignore_errors=True)
            venv.EnvBuilder(with_pip=True).create(folder)
            done = run([str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                        "--only-binary", ":all:", "--no-binary", ",".join(FROM_SOURCE), *self.packages],
                       INSTALL_SECONDS)
        except (OSError, subprocess.SubprocessError, Failed) as error:
            return f"could not be installed ({error})"
        marker.write_text(wanted, encoding="utf-8")
        return "" if done is not None else "could not be installed"


def rivals() -> tuple[Rival, ...]:
    """The rivals; what we use too, they get in the version that we use."""
    def same(package: str) -> str:
        return f"{package}=={_installed(package)}" if _installed(package) else package

    return (Rival("jieba and a Counter", "jieba", (same("jieba"), "setuptools<81"), JIEBA),
            Rival("CountVectorizer over rjieba, counting only", "CountVectorizer",
                  (same("rjieba"), same("scikit-learn")), VECTORIZER),
            Rival("cntext, word counts", "cntext", ("cntext==2.2.1", "ipython"), CNTEXT, 1500),
            Rival("pycorpdiff, keyness", "pycorpdiff", ("pycorpdiff==0.1.0a27", same("jieba"), "setuptools<81"),
                  PYCORPDIFF, 1500))


# -------------------------------------------------------------------------------------------------- measuring

# runs a command and says: seconds, CPU seconds, peak of the largest process; the first line of what it said comes last
WATCHED = """
import resource, subprocess, sys, time
begun = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE)
seconds = time.perf_counter() - begun
used = resource.getrusage(resource.RUSAGE_CHILDREN)
sys.stdout.buffer.write(done.stdout)
print()
print(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss)
sys.exit(done.returncode)
"""
# runs the command line of this project, as `python -m fengxiang` does, and says what the process itself took when it
# ends: CPU seconds, peak
OWN = """
import os, resource, runpy
leave, itself = os._exit, os.getpid()
def told(status):
    if os.getpid() == itself:  # and none of its workers
        used = resource.getrusage(resource.RUSAGE_SELF)
        print("itself", used.ru_utime + used.ru_stime, used.ru_maxrss, flush=True)
    leave(status)
os._exit = told
runpy.run_module("fengxiang", run_name="__main__", alter_sys=True)
"""
# builds with two workers and says when, in seconds after the time given, each step began, and when all was done
STEPS = """
import sys, time
from fengxiang.build import build, only_build
if __name__ == "__main__":
    raw, out, codebook, begun = sys.argv[1:]
    only_build()
    say = lambda message: print(f"{time.time() - float(begun):.3f} {message}", flush=True)
    build(raw, out, codebook, workers=2, progress=say)
    say("done")
"""
_UNIT = 1024 if sys.platform != "darwin" else 1024 * 1024  # of ru_maxrss in a megabyte


class Failed(Exception):
    """A command that was measured did not end well; says how."""


@dataclass(frozen=True)
class Figures:
    """What a command took: seconds, CPU seconds, peak megabytes of its largest process; the CPU seconds and the peak
    of the process that was started itself, where it said so; and what it printed."""

    seconds: float
    cpu: float
    peak: float
    own_cpu: float = 0
    own_peak: float = 0
    said: str = ""


def run(command: list[str], timeout: float) -> str:
    """What a command prints; ended with all that it has started when it takes too long.

    Raises:
        Failed: it took too long or did not end well.
    """
    # as installed: where compiled modules may not be kept, each process would compile this project anew
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True,
                                   env=environment, start_new_session=True)
        try:
            said, _ = process.communicate(timeout=timeout)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            if isinstance(error, subprocess.TimeoutExpired):
                raise Failed(f"took more than {timeout:.0f} s") from None
            raise
        if process.returncode:
            log.seek(0)
            lines = [x for x in log.read().decode(errors="replace").splitlines() if x.strip()]
            raise Failed(lines[-1][:200] if lines else f"ended with status {process.returncode}")
        return said


def measured(command: list[str], timeout: float = OWN_SECONDS) -> Figures:
    """What one run of a command takes.

    Raises:
        Failed: it took too long or did not end well.
    """
    *said, last = run([sys.executable, "-c", WATCHED, *command], timeout).strip().splitlines()
    seconds, cpu, kilobytes = map(float, last.split())
    own = next((line.split()[1:] for line in reversed(said) if line.startswith("itself ")), (0, 0))
    return Figures(seconds, cpu, kilobytes / _UNIT, float(own[0]), float(own[1]) / _UNIT, "\n".join(said))


def median(runs: list[Figures]) -> Figures:
    """Medians of repeated runs; the largest peaks."""
    return Figures(statistics.median(r.seconds for r in runs), statistics.median(r.cpu for r in runs),
                   max(r.peak for r in runs), statistics.median(r.own_cpu for r in runs),
                   max(r.own_peak for r in runs), runs[-1].said)


@dataclass
class Job:
    """Something to be measured in turns with others: a command, what is done before each run, how often it is run at
    most, and what came out."""

    command: list[str]
    prepare: Callable[[], None] = lambda: None
    timeout: float = OWN_SECONDS
    most: int | None = None
    runs: list[Figures] = field(default_factory=list)
    failure: str = ""

    @property
    def figures(self) -> Figures | None:
        """Medians, or None where a run has failed."""
        return median(self.runs) if self.runs and not self.failure else None


def in_turns(jobs: list[Job], repeat: int) -> None:
    """Run each job so often, one after the other, so that what slows the machine for a while slows all of them."""
    for _ in range(repeat):
        for job in jobs:
            if not job.failure and (job.most is None or len(job.runs) < job.most):
                try:
                    job.prepare()
                    job.runs.append(measured(job.command, job.timeout))
                except Failed as error:
                    job.failure = str(error)


def fx(*arguments: str | Path) -> list[str]:
    """The command line of this project."""
    return [sys.executable, "-c", OWN, *map(str, arguments)]


# ------------------------------------------------------------------------------------------------------- page


@dataclass
class Row:
    """A row of the table."""

    what: str
    corpus: str
    figures: Figures | None
    megabytes: float = 0
    html: str = ""
    note: str = ""
    rival: str = ""  # the column of ratios to it

    @property
    def speed(self) -> float | None:
        """Megabytes of text a second."""
        return self.megabytes / self.figures.seconds if self.figures and self.megabytes else None


class Results:
    """Rows and sections, printed as they come; the page is written anew after each part."""

    def __init__(self, columns: list[str]):
        self.columns = columns
        self.rows: list[Row] = []
        self.sections: dict[str, list[str]] = {}
        self.failures: list[str] = []
        self.load = os.getloadavg()[0]
        print(machine(), flush=True)

    def add(self, row: Row) -> None:
        """A row of the table."""
        self.rows.append(row)
        print("  ".join(f"{cell:<44.44}" if i == 0 else f"{cell:<30.30}" if i == 1 else cell
                        for i, cell in enumerate(self.cells(row)) if cell), flush=True)

    def section(self, title: str, lines: list[str]) -> None:
        """A part of the page below the table."""
        self.sections[title] = lines
        print("\n".join(["", title, *lines]), flush=True)

    def part(self, name: str, measure: Callable[[], object]) -> None:
        """Measure one part and write the page; a part that fails is named on it, and the others go on."""
        try:
            measure()
        except Exception as error:  # whatever it is, it must not cost what has been measured
            self.failures.append(f"{name}: not measured ({type(error).__name__}: {str(error)[:300]})")
            print(self.failures[-1], flush=True)
        self.write()

    def cells(self, row: Row) -> list[str]:
        """A row as text."""
        f = row.figures
        speeds = {r.rival: r.speed for r in self.rows if r.rival}
        ratios = [f"{row.speed / speeds[c]:.1f}" if row.speed and speeds.get(c) and not row.rival else ""
                  for c in self.columns]
        return [row.what, row.corpus, f"{f.seconds:.2f}" if f else "", f"{f.cpu:.2f}" if f else "",
                f"{row.speed:.2f}" if row.speed else "", f"{f.peak:.0f}" if f else "", *ratios, row.html, row.note]

    def write(self) -> None:
        """benchmarks/results.md"""
        head = ["what", "corpus", "seconds", "CPU s", "MB/s", "peak MB", *(f"× {c}" for c in self.columns),
                "bytes of HTML", "note"]
        lines = ["# Benchmark", "", f"{machine()}.", "",
                 f"Written by `make bench` on {time.strftime('%Y-%m-%d')}; load of the machine when it began: "
                 f"{self.load:.1f}. Whole processes with their children, started anew; seconds are medians of runs "
                 "taken in turns, CPU seconds those of all processes together, peak that of the largest one. MB are of "
                 "raw files, for rivals of the text of the same articles. Two workers where nothing else is said. "
                 "“× jieba” is how many times as many MB a second as that rival.", "",
                 f"| {' | '.join(head)} |", "|---|---|" + "---:|" * (len(head) - 3) + "---|"]
        lines += [f"| {' | '.join(cell.replace('|', '/') for cell in self.cells(row))} |" for row in self.rows]
        for title, body in self.sections.items():
            lines += ["", f"## {title}", "", *body]
        if self.failures:
            lines += ["", "## Not measured", "", *(f"- {failure}" for failure in self.failures)]
        PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def machine() -> str:
    """The machine and the versions."""
    packages = ("jieba", "rjieba", "scikit-learn", "ahocorasick-rs", "numpy", "pyarrow", "pandas", "matplotlib")
    processor, memory = "", ""
    if Path("/proc/cpuinfo").is_file():
        found = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
        processor = f", {found[1]}" if found else ""
    if Path("/proc/meminfo").is_file():
        found = re.search(r"^MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(encoding="utf-8"))
        memory = f", {int(found[1]) / 1e6:.0f} GB" if found else ""
    versions = ", ".join(f"{package} {_installed(package) or 'not installed'}" for package in packages)
    return (f"Python {platform.python_version()}, {platform.system()} {platform.machine()}{processor}, "
            f"{os.cpu_count()} cores{memory}; {versions}")


# ------------------------------------------------------------------------------------------------------- parts


def stages(raw: Path, cache: Path, megabytes: float = 4) -> list[str]:
    """Where the time goes: CPU seconds of each stage in one process, over the first partitions of a corpus, after one
    to warm up. A Markdown table."""
    from unittest.mock import patch

    from fengxiang import attribution, cleaning, coding, partition, statements
    from fengxiang.build import Toolkit, partitions
    from fengxiang.merging import Finish, write_of_articles, write_of_stories

    toolkit = Toolkit.load(ROOT / "codebook")
    keep = partition.Cache(cache / "cache")
    spent: dict[str, float] = {}

    def timed(stage, function):
        def watched(*arguments, **named):
            begun = time.process_time()
            done = function(*arguments, **named)
            spent[stage] = spent.get(stage, 0) + time.process_time() - begun
            return done

        return watched

    def kept(made, tables, texts, tokens, layers):
        keep.write(made.clean, tables, packed=False)
        keep.write_texts(made.texts, texts)
        keep.write(made.words, partition._tables_of_tokens(tokens), packed=False)
        keep.write(made.coded, layers)

    size = 0
    inside = ((cleaning, "clean_document", "clean"), (statements, "split_statements", "split into statements"),
              (attribution, "attribute", "attribute"), (coding, "coded", "code"))
    with contextlib.ExitStack() as stack:
        stack.enter_context(partition.no_collector())
        for module, name, stage in inside:
            stack.enter_context(patch.object(module, name, timed(stage, getattr(module, name))))
        for number, (bucket, pieces) in enumerate(partitions(raw)):
            if number == 1:
                size = 0
                spent.clear()
            if size >= megabytes * 1e6:
                break
            data = timed("read", partition.read_pieces)(str(raw), pieces)
            size += sum(map(len, data))
            batch, tables, texts = timed("all of cleaning", partition._clean)(pieces, data, toolkit.rules)
            tokens = timed("segment", partition._segment)(batch, toolkit)
            layers = timed("all of coding", partition._code)(batch, tokens, toolkit)
            made = partition.Partial(bucket, str(number), *(f"{layer}-{number:032d}" for layer in LAYERS))
            timed("keep the layers", kept)(made, tables, texts, tokens, layers)
            task = Finish(made, str(keep.folder), str(cache / "out"), "", f"{number:032d}", (), ())
            timed("write the tables", write_of_articles)(task)
            timed("write the tables", write_of_stories)(task)
    spent["keys and signatures"] = spent["all of cleaning"] - spent["clean"] - spent["split into statements"]
    spent["count"] = spent["all of coding"] - spent["attribute"] - spent["code"]
    order = ("read", "clean", "split into statements", "keys and signatures", "segment", "attribute", "code", "count",
             "keep the layers", "write the tables")
    total = sum(spent[s] for s in order)
    lines = [f"One process, {size / 1e6:.1f} MB of the corpus in files, CPU time, without start-up and without what is "
             "done once over all partitions.", "", "| stage | ms/MB | share |", "|---|---:|---:|"]
    lines += [f"| {s} | {1e9 * spent[s] / size:.0f} | {spent[s] / total:.0%} |" for s in order]
    lines += [f"| all | {1e9 * total / size:.0f} | 100% |", "",
              "Attribution and coding together take "
              f"{(spent['attribute'] + spent['code']) / spent['segment']:.2f} times the time of segmentation."]
    return lines


def course(raw: Path, out: Path) -> list[str]:
    """When a cold build with two workers does what: a paragraph."""
    said = run([sys.executable, "-c", STEPS, str(raw), str(out), str(ROOT / "codebook"), str(time.time())], OWN_SECONDS)
    times = [(float(seconds), message) for seconds, _, message in (line.partition(" ") for line in said.splitlines())]
    done = [seconds for seconds, message in times if message.endswith(" partitions read, cleaned, coded")]
    end = times[-1][0]
    listed, partitioned = done[0], done[-1]
    return [f"A cold build of the whole corpus in files, with two workers, took {end:.2f} s in one run: {listed:.2f} s "
            "until the files were listed (Python, its libraries, the list), "
            f"{partitioned - listed:.2f} s until all partitions were done (codebook and dictionary, loaded before the "
            f"first of them, included), and {end - partitioned:.2f} s after that (copies and reprints, sums, the rows "
            "of all tables, which need both)."]


@dataclass
class Size:
    """What a corpus of so many articles took: bytes of raw files and of the output folder, and a cold build."""

    n: int
    raw: int
    out: int
    cold: Figures


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


class Bench:
    """One run of the benchmark: its folder, its options, its results."""

    def __init__(self, work: Path, options: argparse.Namespace):
        self.work, self.options = work, options
        self.rivals = () if options.skip_rivals else rivals()
        self.results = Results([r.column for r in self.rivals])
        self.sizes: list[Size] = []

    def start_up(self) -> None:
        """The command line alone."""
        job = Job([sys.executable, "-m", "fengxiang", "--help"])
        in_turns([job], 5)
        self.results.add(Row("start-up: --help", "", job.figures, note=job.failure))

    def throughput(self) -> None:
        """The whole build of some megabytes, and the rivals on the text of the same articles."""
        n, repeat = self.options.articles, self.options.repeat
        texts = self.work / "text"
        texts.mkdir()
        sizes = []
        for i, article in enumerate(generate.articles(n)):
            sizes.append((texts / f"{i:07d}.txt").write_bytes("\n".join(article["paragraphs"]).encode()))
        jobs, skipped = {}, {}
        for rival in self.rivals:
            skipped[rival] = rival.install()
            if not skipped[rival]:
                command = [str(rival.python), "-c", rival.script, str(texts), str(rival.texts or n)]
                jobs[rival] = Job(command, timeout=RIVAL_SECONDS)
        builds, raw = {}, {}
        for shape, writer in (("files", generate.write_files), ("jsonl", generate.write_json_lines)):
            raw[shape] = writer(self.work / shape, n) / 1e6
            for workers in (2, 1):
                out = self.work / f"out-{shape}-{workers}"
                command = fx("build", "--raw", self.work / shape, "--out", out, "--workers", workers)
                builds[shape, workers] = Job(command, lambda out=out: shutil.rmtree(out, ignore_errors=True))
        in_turns([*jobs.values(), *(job for (_, workers), job in builds.items() if workers == 2)], repeat)
        in_turns([job for (_, workers), job in builds.items() if workers == 1], 1)
        for rival in self.rivals:
            some = rival.texts if rival.texts and rival.texts < n else n
            job = jobs.get(rival)
            note = f"left out: {skipped[rival] or job.failure}" if skipped[rival] or job.failure else \
                ", ".join(p for p in rival.packages if "<" not in p)
            self.results.add(Row(rival.name, f"{some:,} texts", job.figures if job else None, sum(sizes[:some]) / 1e6,
                                 note=note, rival=rival.column))
        for (shape, workers), job in builds.items():
            what = "whole build, cold" + (", one worker" if workers == 1 else "")
            self.results.add(Row(what, f"{n:,} articles, {shape}", job.figures, raw[shape], note=job.failure))
        cold = builds["files", 2].figures
        if cold:
            self.small_changes(n, self.work / "files", self.work / "out-files-2", cold)

    def small_changes(self, n: int, raw: Path, out: Path, cold: Figures) -> None:
        """One article more, nothing more, one more line in the codebook: what each costs after a cold build."""
        corpus = f"{n:,} articles, files"
        command = fx("build", "--raw", raw, "--out", out, "--workers", "2")

        def share(figures: Figures) -> str:
            return f"{figures.cpu / cold.cpu:.1%} of the CPU seconds of a cold build"

        runs, added = [], list(generate.articles(self.options.repeat, seed=3))
        for i in range(self.options.repeat):
            body = "\n\n".join(added[i]["paragraphs"])
            page = f"---\ntitle: {added[i]['title']}\ndate: {added[i]['date']}\n---\n\n{body}\n"
            (raw / "0000" / f"added-{i}.md").write_text(page, encoding="utf-8")
            runs.append(measured(command))
        self.results.add(Row("one article added", corpus, median(runs), note=share(median(runs))))
        again = median([measured(command) for _ in range(self.options.repeat)])
        self.results.add(Row("nothing changed", corpus, again, note=share(again)))
        codebook = self.work / f"codebook-{n}"
        shutil.copytree(ROOT / "codebook", codebook)
        with open(codebook / "themes.yml", "a", encoding="utf-8") as handle:
            handle.write("# one line more\n")
        changed = measured([*command, "--codebook", str(codebook)])
        self.results.add(Row("themes.yml changed: coded again", corpus, changed, note=share(changed)))

    def stages(self) -> None:
        """Where the time goes."""
        raw = self.work / "files"
        self.results.section("Where the time goes", [*stages(raw, self.work / "stages"), "",
                                                     *course(raw, self.work / "course")])

    def cleaning(self) -> None:
        """How well cleaning did."""
        from fengxiang.cleaningscore import measured as quality

        def rate(part: int, whole: int) -> str:
            return f"{part / whole:.1%} of {whole:,}" if whole else ""

        lines = ["The shipped documents that were marked by hand. A body character is right where it stands in the "
                 "longest common run of paragraphs.", "",
                 "| shape | articles | boundaries | titles | dates | publishers | headings | body: recall | body: "
                 "precision |", "|---|---:|" + "---:|" * 7]
        for row in quality(ROOT / "data" / "raw", ROOT / "codebook"):
            parts = [rate(row["n_boundaries_right"], row["n_articles_expected"])]
            parts += [rate(row[f"n_{x}_right"], row[f"n_{x}"]) for x in ("titles", "dates", "publishers", "headings")]
            parts += [rate(row["n_body_chars_shared"], row[f"n_body_chars_{x}"]) for x in ("expected", "found")]
            found = f"{row['n_articles_found']} of {row['n_articles_expected']}"
            lines.append(f"| {row['source_format']} | {found} | {' | '.join(parts)} |")
        self.results.section("Quality of cleaning", lines)

    def grown(self, n: int) -> tuple[Path, Path]:
        """The raw and the output folder of a corpus that shows growth."""
        return self.work / f"n{n}", self.work / f"out-n{n}"

    def growth(self) -> None:
        """Corpora of several sizes, built from nothing in turns."""
        sizes, jobs = {}, {}
        for n in self.options.sizes:
            raw, out = self.grown(n)
            sizes[n] = generate.write_files(raw, n, seed=2)
            jobs[n] = Job(fx("build", "--raw", raw, "--out", out, "--workers", "2"),
                          lambda out=out: shutil.rmtree(out, ignore_errors=True), most=1 if n > REPEATED_TO else None)
        in_turns(list(jobs.values()), self.options.repeat)
        for n, job in jobs.items():
            note = job.failure or (f"the process that merges: {job.figures.own_cpu:.1f} CPU s, "
                                   f"{job.figures.own_peak:.0f} MB; all seconds: "
                                   f"{', '.join(f'{run.seconds:.1f}' for run in job.runs)}")
            self.results.add(Row("whole build, cold (growth)", f"{n:,} articles, files", job.figures, sizes[n] / 1e6,
                                 note=note))
            if job.figures:
                self.sizes.append(Size(n, sizes[n], size_of(self.grown(n)[1]), job.figures))
        self.plan()

    def changes(self, size: Size) -> None:
        """A large corpus, changed and reported."""
        raw, out = self.grown(size.n)
        self.small_changes(size.n, raw, out, size.cold)
        if not self.options.skip_report:
            shutil.rmtree(out)
            self.report(f"{size.n:,} articles, files", raw, out)

    def report(self, corpus: str, raw: Path, out: Path) -> list[str]:
        """The report from nothing; the command, for more."""
        command = fx("report", "--raw", raw, "--out", out)
        cold = measured(command)
        html = " + ".join(f"{p.stat().st_size:,}" for p in sorted((out / "report").glob("*.html")))
        times = re.findall(r"^(\d\d)-[\w-]+: ([\d.]+) s$", cold.said, re.MULTILINE)
        note = "notebooks, wall: " + ", ".join(f"{number} {seconds} s" for number, seconds in times)
        self.results.add(Row("report in both languages, cold", corpus, cold, html=html, note=note))
        return command

    def shipped_report(self) -> None:
        """The report of the shipped corpus: from nothing, unchanged, with one article changed."""
        out, raw = self.work / "report", self.work / "shipped"
        shutil.copytree(ROOT / "data" / "raw", raw)
        repeat = self.options.repeat
        cold = []
        for i in range(repeat):
            shutil.rmtree(out, ignore_errors=True)
            if i < repeat - 1:
                cold.append(measured(fx("report", "--raw", raw, "--out", out)))
        command = self.report("shipped", raw, out)
        row = self.results.rows[-1]
        row.figures = median([*cold, row.figures])
        row.note += f"; all seconds: {', '.join(f'{f.seconds:.1f}' for f in cold)} and the last" if cold else ""
        self.results.add(Row("report, nothing changed", "shipped", median([measured(command) for _ in range(repeat)])))
        page = next(iter(sorted((raw / "md").glob("*.md"))))
        with open(page, "a", encoding="utf-8") as handle:
            handle.write("\n\n该局还要求守住不发生系统性风险的底线。\n")
        self.results.add(Row("report, one article changed", "shipped", measured(command)))

    def plan(self) -> None:
        """How the cost grows, and what that comes to for a very large corpus."""
        if len(self.sizes) < 2:
            return
        first, last = self.sizes[0], self.sizes[-1]
        before = self.sizes[-2]
        logs = [(math.log(s.n), math.log(s.cold.cpu), math.log(s.cold.seconds)) for s in self.sizes]
        powers = [_slope([(x, ys[i]) for x, *ys in logs]) for i in (0, 1)]
        lines = [f"Over {first.n:,} to {last.n:,} articles CPU seconds grow like n^{powers[0]:.3f}, wall seconds like "
                 f"n^{powers[1]:.3f} (least squares on logarithms): ten times the articles take {10 ** powers[0]:.1f} "
                 f"times the CPU seconds and {10 ** powers[1]:.1f} times the wall seconds, start-up included.", "",
                 "| articles | CPU s | CPU ms an article | seconds | times the CPU s, and the seconds, of the size "
                 "before | peak of a worker or the merging process, MB | of the merging process, MB |",
                 "|---:|---:|---:|---:|---:|---:|---:|"]
        steps = ["", *(f"{b.cold.cpu / a.cold.cpu:.1f}, {b.cold.seconds / a.cold.seconds:.1f}"
                       for a, b in itertools.pairwise(self.sizes))]
        lines += [f"| {s.n:,} | {s.cold.cpu:.1f} | {1000 * s.cold.cpu / s.n:.2f} | {s.cold.seconds:.1f} | {step} | "
                  f"{s.cold.peak:.0f} | {s.cold.own_peak:.0f} |" for s, step in zip(self.sizes, steps, strict=True)]
        self.results.section("Growth", lines)

        def added(of: Callable[[Size], float]) -> float:
            """How much one article more adds, between the two largest sizes."""
            return (of(last) - of(before)) / (last.n - before.n)

        cpu, own = added(lambda s: s.cold.cpu), added(lambda s: s.cold.own_cpu)
        memory = added(lambda s: s.cold.own_peak)
        raw, out, n = added(lambda s: s.raw), added(lambda s: s.out), PLANNED
        # only what stands out of the noise of starting says anything about an article
        merges = last.cold.own_cpu - before.cold.own_cpu > NOISE * before.cold.own_cpu
        grows = last.cold.own_peak - before.cold.own_peak > NOISE * before.cold.own_peak
        workers = (cpu - own if merges else cpu) * n / 3600
        small = "too small to measure between these sizes"
        rows = [
            ("raw text", f"{raw:,.0f} bytes an article", f"{raw * n / 1e12:.2f} TB"),
            ("tables and cache", f"{out:,.0f} bytes an article", f"{out * n / 1e12:.2f} TB"),
            ("workers, processor time" if merges else "all processor time",
             f"{3.6e6 * workers / n:.2f} ms an article", f"{workers:,.0f} core hours"),
            (f"the same on {PLANNED_CORES} cores", "", f"{workers / PLANNED_CORES:.1f} hours"),
            ("merging, in one process", f"{1000 * own:.3f} ms an article" if merges else small,
             f"{own * n / 3600:.1f} hours" if merges else ""),
            ("memory of a worker",
             f"at any size no process took more than {max(s.cold.peak for s in self.sizes):,.0f} MB",
             "no more: partitions do not grow"),
            ("memory of the merging process", f"{1e6 * memory:,.0f} bytes an article" if grows else small,
             f"{(last.cold.own_peak + memory * (n - last.n)) / 1000:,.0f} GB" if grows else ""),
        ]
        if grows and last.n < 1_000_000:
            million = last.cold.own_peak + memory * (1_000_000 - last.n)
            rows.append(("the same at a million articles", "", f"{million / 1000:.2f} GB"))
        self.results.section(f"Capacity plan for {n:,} articles", [
            f"Each figure is what one article more adds between {before.n:,} and {last.n:,} articles, times the number "
            "of articles. Nothing is measured beyond that: it is arithmetic, and it supposes that a cluster's network "
            "and store keep pace.", "", "| what | measured | then |", "|---|---:|---:|",
            *(f"| {' | '.join(row)} |" for row in rows)])

    def run(self) -> int:
        """All parts in turn; the exit status: 1 where something could not be measured."""
        part = self.results.part
        part("start-up", self.start_up)
        part("throughput", self.throughput)
        part("stages", self.stages)
        part("cleaning", self.cleaning)
        if not self.options.skip_report:
            part("report", self.shipped_report)
        part("growth", self.growth)
        for size in self.sizes:
            if REPORT_AT <= size.n < REPORT_UNDER:
                part(f"changes to {size.n:,} articles", lambda size=size: self.changes(size))
        print(f"written to {PAGE.relative_to(ROOT)}")
        return int(bool(self.results.failures))


def _slope(points: list[tuple[float, float]]) -> float:
    """Of the least-squares line through points."""
    mean_x, mean_y = (statistics.fmean(c) for c in zip(*points, strict=True))
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)


def main() -> int:
    """Run all measurements and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--articles", type=int, default=7000, help="of the corpus that speed is measured on")
    parser.add_argument("--repeat", type=int, default=3, help="runs of which the median is taken")
    parser.add_argument("--sizes", default="1000,10000", help="of the corpora that growth is measured on",
                        type=lambda text: sorted({int(n) for n in text.replace("_", "").split(",") if n}))
    parser.add_argument("--skip-report", action="store_true", help="tables only")
    parser.add_argument("--skip-rivals", action="store_true", help="ourselves only")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fengxiang-bench-") as folder:
        return Bench(Path(folder), options).run()


if __name__ == "__main__":
    sys.exit(main())
