"""Measure the build and the report, print one table, and write it to benchmarks/results.md.

    python benchmarks/bench.py [--articles 7000] [--repeat 3]

Every figure is of a whole process and its children; seconds are medians of repeated runs, memory is the peak of the
largest single process. Rivals run in the same session on the same text: the plain script a user would write (jieba and
a Counter), and scikit-learn's CountVectorizer over rjieba, which only counts.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
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


def measured(command: list[str], repeat: int = 1, prepare=lambda: None) -> tuple[float, float]:
    """Median seconds and peak megabytes (largest process) of a command; stops the benchmark if it fails."""
    seconds, peak = [], 0.0
    for _ in range(repeat):
        prepare()
        with tempfile.NamedTemporaryFile() as log:
            wrapper = [sys.executable, "-c", "import resource, subprocess, sys, time; t = time.perf_counter(); "
                       "status = subprocess.call(sys.argv[1:], stdout=sys.stderr); s = time.perf_counter() - t; "
                       "print(s, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(status)", *command]
            done = subprocess.run(wrapper, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True, check=False)
            if done.returncode:
                log.seek(0)
                sys.exit(f"{' '.join(command)} failed:\n{log.read().decode(errors='replace')[-2000:]}")
        s, kilobytes = done.stdout.split()[-2:]
        seconds.append(float(s))
        peak = max(peak, int(kilobytes) / (1024 if sys.platform != "darwin" else 1024 * 1024))
    return statistics.median(seconds), peak


def main() -> None:
    """Run all measurements and write the table."""
    import generate

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--articles", type=int, default=7000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    fx = [sys.executable, "-m", "fengxiang"]
    rows: list[tuple] = []

    def row(what, corpus, megabytes, seconds, peak, note=""):
        rows.append((what, corpus, f"{seconds:.2f}", f"{megabytes / seconds:.2f}" if megabytes else "", f"{peak:.0f}", note))
        print(f"{what:58} {corpus:24} {seconds:8.2f} s  {rows[-1][3]:>6} MB/s  {peak:6.0f} MB  {note}", flush=True)

    with tempfile.TemporaryDirectory(prefix="fengxiang-bench-") as folder:
        work = Path(folder)
        _report_times(work, fx, row)
        sizes: dict[str, float] = {}
        for shape, writer in (("files", generate.write_files), ("jsonl", generate.write_json_lines)):
            sizes[shape] = writer(work / shape, options.articles) / 1e6
        text = work / "text"
        text.mkdir()
        for i, article in enumerate(generate.articles(options.articles)):
            (text / f"{i:07d}.txt").write_text("\n".join(article["paragraphs"]), encoding="utf-8")
        plain = sum(p.stat().st_size for p in text.iterdir()) / 1e6
        rivals = {}
        for name, script in (("jieba and a Counter", JIEBA), ("CountVectorizer over rjieba, counting only", VECTORIZER)):
            seconds, peak = measured([sys.executable, "-c", script, str(text)], 1 if script is JIEBA else options.repeat)
            rivals[name] = plain / seconds
            row(name, f"{options.articles:,} texts", plain, seconds, peak)
        for shape in sizes:
            out = work / f"out-{shape}"
            seconds, peak = measured([*fx, "build", "--raw", str(work / shape), "--out", str(out)], options.repeat,
                                     lambda out=out: shutil.rmtree(out, ignore_errors=True))
            ratios = ", ".join(f"{sizes[shape] / seconds / speed:.1f}× {name}" for name, speed in rivals.items())
            row("whole build, cold", f"{options.articles:,} articles, {shape}", sizes[shape], seconds, peak, ratios)
        out = work / "out-files"
        new = work / "files" / "0000" / "added.md"
        new.write_text("---\ntitle: 新增一篇\ndate: 2026-01-01\n---\n\n上海金融监管局2026年推进科技金融。\n", encoding="utf-8")
        seconds, peak = measured([*fx, "build", "--raw", str(work / "files"), "--out", str(out)])
        row("one article added", f"{options.articles + 1:,} articles, files", 0, seconds, peak)
        seconds, peak = measured([*fx, "build", "--raw", str(work / "files"), "--out", str(out)], options.repeat)
        row("nothing changed", f"{options.articles + 1:,} articles, files", 0, seconds, peak)
        for n in (1000, 10_000):
            size = generate.write_json_lines(work / f"n{n}", n, seed=2) / 1e6
            seconds, peak = measured([*fx, "build", "--raw", str(work / f"n{n}"), "--out", str(work / f"o{n}")])
            row("whole build, cold (growth)", f"{n:,} articles, jsonl", size, seconds, peak)
    _write(rows)


def _report_times(work: Path, fx: list[str], row) -> None:
    out, raw = work / "report", work / "shipped"
    shutil.copytree(ROOT / "data" / "raw", raw)
    command = [*fx, "report", "--raw", str(raw), "--out", str(out)]
    seconds, peak = measured(command)
    html = " + ".join(f"{p.stat().st_size / 1e6:.2f}" for p in sorted((out / "report").glob("*.html")))
    row("report in both languages, cold", "shipped corpus", 0, seconds, peak, f"HTML {html} MB")
    seconds, peak = measured(command, 3)
    row("report, nothing changed", "shipped corpus", 0, seconds, peak)
    with open(raw / "md" / "2026-hebei-1.md", "a", encoding="utf-8") as handle:
        handle.write("\n\n该局还要求守住不发生系统性风险的底线。\n")
    seconds, peak = measured(command)
    row("report, one article changed", "shipped corpus", 0, seconds, peak)
    seconds, peak = measured([*fx, "--help"], 5)
    row("start-up: --help", "", 0, seconds, peak)


def _write(rows: list[tuple]) -> None:
    def of(package):
        try:
            return f"{package} {version(package)}"
        except PackageNotFoundError:
            return f"{package} not installed"

    lines = ["# Benchmark", "", f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
             f"{os.cpu_count()} cores; " + ", ".join(of(p) for p in ("jieba", "rjieba", "scikit-learn", "pandas", "pyarrow",
                                                                     "matplotlib")) + ".",
             "", "Whole processes; seconds are medians, memory is the peak of the largest process. `make bench` writes this "
             f"page ({time.strftime('%Y-%m-%d')}).", "", "| what | corpus | seconds | MB/s | peak MB | note |",
             "|---|---|---:|---:|---:|---|"]
    lines += [f"| {' | '.join(r)} |" for r in rows]
    (ROOT / "benchmarks" / "results.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
