"""Measure the build and the report, print one table, and write it to benchmarks/results.md.

    python benchmarks/bench.py [--articles 7000] [--repeat 3] [--large 100000] [--skip-report]

Every row is of whole processes with their children, started anew. Seconds are medians of repeated runs; CPU seconds
are what all processes together took of the processors, which tells more where other work goes on beside; memory is
the peak of the largest single process. Rivals run in the same session on the same text: the plain script a user would
write (jieba and a Counter), and scikit-learn's CountVectorizer over rjieba, which only counts. `--large` adds a corpus
of so many articles (100,000: about eight minutes more).
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))
sys.path.insert(0, str(ROOT))

JIEBA = """
import sys, pathlib, jieba
from collections import Counter
jieba.setLogLevel(60)
counts = Counter()
for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.txt")):
    counts.update(jieba.cut(path.read_text(encoding="utf-8")))
print(len(counts))
"""
VECTORIZER = """
import sys, pathlib, rjieba
from sklearn.feature_extraction.text import CountVectorizer
texts = [p.read_text(encoding="utf-8") for p in sorted(pathlib.Path(sys.argv[1]).rglob("*.txt"))]
print(CountVectorizer(tokenizer=rjieba.cut, token_pattern=None, lowercase=False).fit_transform(texts).shape)
"""
# name, packages it needs, script, runs
RIVALS = (("jieba and a Counter", ("jieba",), JIEBA, 1),
          ("CountVectorizer over rjieba, counting only", ("rjieba", "sklearn"), VECTORIZER, None))
PACKAGES = ("jieba", "rjieba", "scikit-learn", "ahocorasick-rs", "numpy", "pyarrow", "pandas", "matplotlib")
LAYERS = ("clean", "texts", "words", "coded")
# runs a command and says: seconds, CPU seconds, peak of the largest process
WATCHED = """
import resource, subprocess, sys, time
begun = time.perf_counter()
status = subprocess.call(sys.argv[1:], stdout=sys.stderr)
seconds = time.perf_counter() - begun
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss)
sys.exit(status)
"""


@dataclass(frozen=True)
class Figures:
    """What a command took: seconds, CPU seconds, peak megabytes of its largest process."""

    seconds: float
    cpu: float
    peak: float


def measured(command: list[str], repeat: int = 1, prepare=lambda: None) -> Figures:
    """Medians of repeated runs of a command; stops the benchmark if it fails."""
    runs = []
    for _ in range(repeat):
        prepare()
        with tempfile.NamedTemporaryFile() as log:
            done = subprocess.run([sys.executable, "-c", WATCHED, *command], cwd=ROOT, stdout=subprocess.PIPE,
                                  stderr=log, text=True, check=False)
            if done.returncode:
                log.seek(0)
                sys.exit(f"{' '.join(command)} failed:\n{log.read().decode(errors='replace')[-2000:]}")
        seconds, cpu, kilobytes = map(float, done.stdout.split()[-3:])
        runs.append((seconds, cpu, kilobytes / (1024 if sys.platform != "darwin" else 1024 * 1024)))
    seconds, cpu, peak = zip(*runs, strict=True)
    return Figures(statistics.median(seconds), statistics.median(cpu), max(peak))


class Results:
    """The rows, printed as they come and written at the end."""

    HEAD = ("what", "corpus", "seconds", "CPU s", "MB/s", "× jieba", "× CountVectorizer", "peak MB", "note")

    def __init__(self):
        self.rows: list[tuple[str, ...]] = []
        self.stages: list[str] = []
        self.speeds: list[float | None] = []
        self.load = os.getloadavg() if hasattr(os, "getloadavg") else None
        print(_machine(), flush=True)

    def add(self, what: str, corpus: str, figures: Figures | None, megabytes: float = 0, note: str = "", *,
            rival: bool = False) -> None:
        """A row; `megabytes` of raw text give a speed, and that its ratio to each rival."""
        speed = megabytes / figures.seconds if figures and megabytes else None
        ratios = ["" if rival or not speed or not other else f"{speed / other:.1f}" for other in self.speeds]
        if rival:
            self.speeds.append(speed)
        measures = [""] * 3
        if figures:
            measures = [f"{figures.seconds:.2f}", f"{figures.cpu:.2f}", f"{speed:.2f}" if speed else ""]
        row = (what, corpus, *measures, *[*ratios, "", ""][:2], f"{figures.peak:.0f}" if figures else "", note)
        self.rows.append(row)
        print("  ".join(f"{cell:>9}" if 1 < i < 8 else f"{cell:<{44 if i == 0 else 28}}"
                        for i, cell in enumerate(row)), flush=True)

    def write(self) -> None:
        """benchmarks/results.md"""
        lines = ["# Benchmark", "", _machine() + ".", "",
                 f"Written by `make bench` on {time.strftime('%Y-%m-%d')}. Whole processes with their children; "
                 "seconds are medians, CPU seconds those of all processes together, memory the peak of the largest "
                 "process, MB are of raw files. Two workers where it is not said otherwise." + (
                     f" Load of the machine when it began: {self.load[0]:.1f}." if self.load else ""), "",
                 f"| {' | '.join(self.HEAD)} |", "|---|---|" + "---:|" * 6 + "---|"]
        lines += [f"| {' | '.join(row)} |" for row in self.rows]
        (ROOT / "benchmarks" / "results.md").write_text("\n".join([*lines, "", *self.stages]) + "\n", encoding="utf-8")


def _machine() -> str:
    def of(package):
        try:
            return f"{package} {version(package)}"
        except PackageNotFoundError:
            return f"{package} not installed"

    processor = ""
    if Path("/proc/cpuinfo").is_file():
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                processor = f", {line.partition(':')[2].strip()}"
                break
    return (f"Python {platform.python_version()}, {platform.system()} {platform.machine()}{processor}, "
            f"{os.cpu_count()} cores; {', '.join(map(of, PACKAGES))}")


def stages(raw: Path, cache: Path, megabytes: float = 4) -> list[str]:
    """Where the time goes: CPU seconds of each stage in one process, over the first partitions of a corpus, after one
    to warm up. A Markdown table."""
    from unittest.mock import patch

    from fengxiang import attribution, cleaning, coding, partition, statements
    from fengxiang.build import Toolkit, partitions
    from fengxiang.merging import Finish, finish

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
        keep.write(made.clean, tables)
        keep.write_texts(made.texts, texts)
        keep.write(made.words, partition._tables_of_tokens(tokens))
        keep.write(made.coded, layers)

    size = 0
    inside = ((cleaning, "clean_document", "clean"), (statements, "split_statements", "split into statements"),
              (attribution, "attribute", "attribute"), (coding, "code", "code"))
    with contextlib.ExitStack() as stack:
        stack.enter_context(partition._no_collector())
        for module, name, stage in inside:
            stack.enter_context(patch.object(module, name, timed(stage, getattr(module, name))))
        for number, (bucket, pieces) in enumerate(partitions(raw)):
            if number == 1:
                size = 0
                spent.clear()
            if size >= megabytes * 1e6:
                break
            data = timed("read", lambda pieces: [partition._read_piece(str(raw), p) for p in pieces])(pieces)
            size += sum(map(len, data))
            batch, tables, texts = timed("all of cleaning", partition._clean)(pieces, data, toolkit)
            tokens = timed("segment", partition._segment)(batch, toolkit)
            layers = timed("all of coding", partition._code)(batch, tokens, toolkit)
            made = partition.Partial(bucket, str(number), *(f"{layer}-{number:032d}" for layer in LAYERS))
            timed("keep the layers", kept)(made, tables, texts, tokens, layers)
            ids = tuple(f"{i:012x}" for i in range(len(texts)))
            task = Finish(made, str(keep.folder), str(cache / "out"), f"{number:032d}", ids, ids, ())
            timed("write the tables", finish)(task)
    spent["keys and signatures"] = spent["all of cleaning"] - spent["clean"] - spent["split into statements"]
    spent["count"] = spent["all of coding"] - spent["attribute"] - spent["code"]
    order = ("read", "clean", "split into statements", "keys and signatures", "segment", "attribute", "code", "count",
             "keep the layers", "write the tables")
    total = sum(spent[s] for s in order)
    lines = [f"Where the time goes: one process, {size / 1e6:.1f} MB of the corpus in files, without start-up, and "
             "without what is done once over all partitions.", "", "| stage | ms/MB | share |", "|---|---:|---:|"]
    lines += [f"| {s} | {1e9 * spent[s] / size:.0f} | {spent[s] / total:.0%} |" for s in order]
    lines += [f"| all | {1e9 * total / size:.0f} | 100% |", "",
              "Attribution and coding together take "
              f"{(spent['attribute'] + spent['code']) / spent['segment']:.2f} times the time of segmentation."]
    return lines


def main() -> None:
    """Run all measurements and write the table."""
    import generate

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--articles", type=int, default=7000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--large", type=int, default=0, help="also a corpus of so many articles")
    parser.add_argument("--skip-report", action="store_true", help="tables only")
    options = parser.parse_args()
    fx = [sys.executable, "-m", "fengxiang"]
    results = Results()
    with tempfile.TemporaryDirectory(prefix="fengxiang-bench-") as folder:
        work = Path(folder)
        results.add("start-up: --help", "", measured([*fx, "--help"], 5))
        _rivals(work, generate, options, results)
        sizes = {}
        for shape, writer in (("files", generate.write_files), ("jsonl", generate.write_json_lines)):
            sizes[shape] = writer(work / shape, options.articles) / 1e6
            out = work / f"out-{shape}"
            command = [*fx, "build", "--raw", str(work / shape), "--out", str(out), "--workers", "2"]
            for repeat, workers in ((options.repeat, "2"), (1, "1")):
                figures = measured([*command[:-1], workers], repeat,
                                   lambda out=out: shutil.rmtree(out, ignore_errors=True))
                results.add("whole build, cold" + (", one worker" if workers == "1" else ""),
                            f"{options.articles:,} articles, {shape}", figures, sizes[shape])
        _incremental(work, fx, "files", options.articles, results)
        results.stages = stages(work / "files", work / "stages")
        print("\n".join(results.stages), flush=True)
        for n in (1000, 10_000, *([options.large] if options.large else [])):
            size = generate.write_files(work / f"n{n}", n, seed=2) / 1e6
            command = [*fx, "build", "--raw", str(work / f"n{n}"), "--out", str(work / f"out-n{n}"), "--workers", "2"]
            results.add("whole build, cold (growth)", f"{n:,} articles, files", measured(command), size)
            if n == options.large:
                _incremental(work, fx, f"n{n}", n, results)
        results.write()
        if not options.skip_report:
            _report_times(work, fx, results)
            results.write()


def _rivals(work: Path, generate, options, results: Results) -> None:
    text = work / "text"
    text.mkdir()
    for i, article in enumerate(generate.articles(options.articles)):
        (text / f"{i:07d}.txt").write_text("\n".join(article["paragraphs"]), encoding="utf-8")
    size = sum(p.stat().st_size for p in text.iterdir()) / 1e6
    for name, needed, script, repeat in RIVALS:
        missing = [n for n in needed if importlib.util.find_spec(n) is None]
        figures = None if missing else measured([sys.executable, "-c", script, str(text)], repeat or options.repeat)
        results.add(name, f"{options.articles:,} texts", figures, size,
                    f"skipped: {', '.join(missing)} is not installed" if missing else "", rival=True)


def _incremental(work: Path, fx: list[str], name: str, n: int, results: Results) -> None:
    command = [*fx, "build", "--raw", str(work / name), "--out", str(work / f"out-{name}"), "--workers", "2"]
    cold = float(next(r for r in reversed(results.rows) if r[0].startswith("whole build") and f"{n:,}" in r[1]
                      and "one worker" not in r[0])[2])
    measured(command)
    runs = []
    for i in range(3):
        page = f"---\ntitle: 新增第{i}篇\ndate: 2026-01-01\n---\n\n上海金融监管局2026年推进科技金融，惠及{i * 37}户。\n"
        (work / name / "0000" / f"added-{i}.md").write_text(page, encoding="utf-8")
        runs.append(measured(command))
    middle = sorted(runs, key=lambda figures: figures.seconds)[1]
    results.add("one article added", f"{n:,} articles, files", middle, note=f"{middle.seconds / cold:.1%} of cold")
    results.add("nothing changed", f"{n:,} articles, files", measured(command, 3))


def _report_times(work: Path, fx: list[str], results: Results) -> None:
    out, raw = work / "report", work / "shipped"
    shutil.copytree(ROOT / "data" / "raw", raw)
    command = [*fx, "report", "--raw", str(raw), "--out", str(out)]
    cold = measured(command)
    html = " + ".join(f"{p.stat().st_size:,}" for p in sorted((out / "report").glob("*.html")))
    results.add("report in both languages, cold", "shipped", cold, note=f"HTML {html} bytes")
    results.add("report, nothing changed", "shipped", measured(command, 3))
    page = next(p for p in sorted((raw / "md").glob("*.md")))
    with open(page, "a", encoding="utf-8") as handle:
        handle.write("\n\n该局还要求守住不发生系统性风险的底线。\n")
    results.add("report, one article changed", "shipped", measured(command))


if __name__ == "__main__":
    main()
