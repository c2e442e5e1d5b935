"""Try to break the readers: at least a hundred thousand made-up documents, and builds killed at random moments, printed
as tables and written to benchmarks/fuzz.md.

    python benchmarks/fuzz.py [--cases 110000] [--guided 25000] [--kills 50] [--seed 1]

Most cases come from hypothesis: good documents of every kind with pieces cut out, doubled, overwritten and put in, and
texts put together from what readers look for. The others come from atheris, which changes documents so that they
reach code not reached before; it is installed into an environment of its own under build/fuzz, and left out with a
word where it cannot be. What a case must hold to is `tests/hostile.py: faults_of`; the first case of each fault is kept
in build/fuzz/faults, to become a test. Of what the guided fuzzer found to reach more code, the smallest documents are
kept in tests/fuzz-seeds.json (`--keep-seeds`), where the tests try them again and the next campaign begins.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import multiprocessing
import os
import platform
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import venv
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

ATHERIS = "atheris==3.0.0"
SEEDS = ROOT / "tests" / "fuzz-seeds.json"
PLACE = ROOT / "build" / "fuzz"
MAX_LEN = 6_000  # bytes of a document of the guided fuzzer
KEPT = 160  # documents kept as seeds
BATCH = 400  # cases that are built together, through all stages


class Tally:
    """What became of cases, by kind of document."""

    def __init__(self):
        self.cases, self.used, self.refused, self.guarded = Counter(), Counter(), Counter(), Counter()
        self.faults: dict[str, bytes] = {}
        self.slowest = 0.0

    def try_case(self, kind: str, data: bytes, rules) -> None:
        from hostile import faults_of

        from fengxiang.cleaning import clean_document

        started = time.perf_counter()
        self.cases[kind] += 1
        try:
            done = clean_document("x", data, rules)
            faults = faults_of(done, data)
            self.used[kind] += bool(done.articles)
            self.refused[kind] += not done.articles
            self.guarded[kind] += any(r.reason == "cannot be read: the file is damaged" for r in done.rejected)
        except Exception as error:  # the fault that is looked for
            faults = [f"raised {type(error).__name__}: {str(error)[:80]}"]
        seconds = time.perf_counter() - started
        self.slowest = max(self.slowest, seconds)
        if seconds > 20:
            faults.append("took more than 20 s")
        for fault in faults:
            if fault not in self.faults:
                self.faults[fault] = data

    def rows(self) -> list[list]:
        return [[kind, self.cases[kind], self.used[kind], self.refused[kind], self.guarded[kind]]
                for kind in sorted(self.cases)]


def random_cases(cases: int, seed: int) -> Tally:
    """Cases from hypothesis, shared out over the kinds; each batch of them is built through all stages too."""
    import hypothesis
    from hostile import WHOLE, documents
    from hypothesis import HealthCheck, Phase, given, settings

    from fengxiang.build import build
    from fengxiang.cleaning import Rules

    rules, tally = Rules.load(ROOT / "codebook"), Tally()
    batch: list[bytes] = []

    def build_batch():
        with tempfile.TemporaryDirectory() as folder:
            raw, out = Path(folder, "raw"), Path(folder, "out")
            raw.mkdir()
            for i, data in enumerate(batch):
                (raw / f"{i:04}").write_bytes(data)
            try:
                build(raw, out, ROOT / "codebook", workers=1)
            except Exception as error:  # the fault that is looked for
                tally.faults.setdefault(f"a build raised {type(error).__name__}: {str(error)[:80]}", b"")
                shutil.copytree(raw, PLACE / "faults" / f"batch-{tally.cases.total()}", dirs_exist_ok=True)
        batch.clear()

    def try_all(kind: str, n_cases: int) -> None:
        @hypothesis.seed(seed)
        @settings(max_examples=n_cases, database=None, deadline=None, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))
        @given(documents(kind))
        def one(data):
            tally.try_case(kind, data, rules)
            batch.append(data)
            if len(batch) == BATCH:
                build_batch()

        one()

    kinds = [*sorted(WHOLE), "fragments"]
    for kind in kinds:
        try_all(kind, -(-cases // len(kinds)))
        print(f"{kind}: {tally.cases[kind]:,} cases", flush=True)
    if batch:
        build_batch()
    return tally


def guided_environment() -> Path | None:
    """The Python of the environment with atheris, or None where it cannot be installed."""
    folder = PLACE / "env"
    python = folder / "bin" / "python"
    marker = folder / ATHERIS
    if not marker.is_file():
        venv.EnvBuilder(with_pip=True, clear=True).create(folder)
        done = subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ATHERIS],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{ATHERIS} could not be installed; cases are made without guidance", flush=True)
            return None
        marker.touch()
    return python


def guided_cases(cases: int, seed: int, keep: bool) -> Tally | None:
    """Cases from atheris, in a process of its own; None where it cannot be installed."""
    from hostile import BAD, WHOLE

    python = guided_environment()
    if python is None:
        return None
    corpus = PLACE / "corpus"
    shutil.rmtree(corpus, ignore_errors=True)
    corpus.mkdir(parents=True)
    first = [make() for make in [*WHOLE.values(), *BAD.values()]]
    if SEEDS.is_file():
        first += map(base64.b64decode, json.loads(SEEDS.read_text("utf-8")))
    for data in first:
        if len(data) <= MAX_LEN:
            (corpus / hashlib.sha256(data).hexdigest()).write_bytes(data)
    told = PLACE / "guided.json"
    told.unlink(missing_ok=True)
    paths = [p for p in sys.path if p.endswith("site-packages")]
    done = subprocess.run(
        [python, Path(__file__), "--guided-child", str(told), str(corpus), f"-runs={cases}", f"-seed={seed}",
         f"-max_len={MAX_LEN}", "-timeout=60", "-rss_limit_mb=3000", "-print_final_stats=1", "-verbosity=0"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)}, cwd=PLACE, check=False)
    tally = Tally()
    kept = json.loads(told.read_text("utf-8"))
    for name in ("cases", "used", "refused", "guarded"):
        setattr(tally, name, Counter(kept[name]))
    tally.faults = {fault: base64.b64decode(data) for fault, data in kept["faults"].items()}
    tally.slowest = kept["slowest"]
    if done.returncode:
        tally.faults.setdefault(f"the process ended with status {done.returncode}", b"")
    if keep:
        found = sorted((p.read_bytes() for p in corpus.iterdir()), key=lambda data: (len(data), data))
        random.Random(seed).shuffle(found)
        kept = sorted(base64.b64encode(data).decode() for data in found[:KEPT])
        SEEDS.write_text(json.dumps(kept, indent=0) + "\n", "utf-8")
    return tally


def guided_child(told: str, arguments: list[str]) -> None:
    """What runs in the environment of atheris; tells the tally to a file as it goes, since atheris ends the process."""
    import atheris

    with atheris.instrument_imports(include=["fengxiang"]):
        import fengxiang.cleaning
        import fengxiang.officefiles
        import fengxiang.reading
        import fengxiang.recordfiles
    rules, tally = fengxiang.cleaning.Rules.load(ROOT / "codebook"), Tally()

    def one(data: bytes) -> None:
        tally.try_case("guided", data, rules)
        if tally.cases["guided"] % 500 == 1:
            tell()

    def tell() -> None:
        text = json.dumps({name: dict(getattr(tally, name)) for name in ("cases", "used", "refused", "guarded")} | {
            "faults": {fault: base64.b64encode(data).decode() for fault, data in tally.faults.items()},
            "slowest": tally.slowest})
        Path(told).write_text(text, "utf-8")

    atheris.Setup([sys.argv[0], *arguments], one)
    atheris.Fuzz()


def killed_builds(kills: int, seed: int) -> dict[str, int]:
    """Builds killed at random moments, each followed by one that is let run; how many of these gave other bytes than
    an undisturbed one, and how often raw files were changed."""
    from hostile import WHOLE

    from fengxiang import tables
    from fengxiang.build import build

    def contents(out: Path) -> dict[str, str]:
        folder = tables.processed(out)
        return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
                for p in sorted(folder.rglob("*")) if p.is_file()}

    chance = random.Random(seed)
    counts = Counter({"killed": 0, "over before the moment came": 0, "other tables than an undisturbed build": 0,
                      "a raw file changed": 0, "a half-written table": 0})
    with tempfile.TemporaryDirectory() as folder:
        raw, whole = Path(folder, "raw"), Path(folder, "whole")
        raw.mkdir()
        for path in sorted((ROOT / "data/raw/md").iterdir()):
            shutil.copy(path, raw)
        for kind, make in WHOLE.items():
            (raw / f"whole.{kind}").write_bytes(make())
        before = {p.name: p.read_bytes() for p in raw.iterdir()}
        started = time.monotonic()
        build(raw, whole, ROOT / "codebook", workers=1)
        seconds, expected = time.monotonic() - started, contents(whole)
        fork = multiprocessing.get_context("fork")
        for _ in range(100 * kills):
            if counts["killed"] == kills:
                break
            out = Path(folder, f"out{chance.randrange(3)}")  # over what an earlier kill has left, or into nothing
            if chance.random() < .5:
                shutil.rmtree(out, ignore_errors=True)
            elif chance.random() < .5:
                shutil.rmtree(out / "data", ignore_errors=True)
            process = fork.Process(target=build, args=(raw, out, ROOT / "codebook"),
                                   kwargs={"workers": chance.choice([1, 2])})
            process.start()
            process.join(seconds * chance.random())
            if process.is_alive():
                os.kill(process.pid, signal.SIGKILL)
                counts["killed"] += 1
            else:
                counts["over before the moment came"] += 1
            process.join()
            import pyarrow.parquet as parquet

            for path in tables.processed(out).rglob("*.parquet"):
                try:
                    parquet.read_metadata(path)
                except Exception:  # counted, not hidden: the campaign fails with it
                    counts["a half-written table"] += 1
            build(raw, out, ROOT / "codebook", workers=1)
            counts["other tables than an undisturbed build"] += contents(out) != expected
            counts["a raw file changed"] += {p.name: p.read_bytes() for p in raw.iterdir()} != before
    return dict(counts)


def page(tallies: dict[str, Tally], kills: dict[str, int], seconds: float, commit: str) -> str:
    """The page of the campaign, in Markdown."""
    total = sum(t.cases.total() for t in tallies.values())
    faults = [fault for t in tallies.values() for fault in t.faults]
    lines = ["# Attempts to break the readers and the build", "",
             f"One run of `python benchmarks/fuzz.py` on the code of `{commit}`, Python {platform.python_version()}, "
             f"{os.cpu_count()} cores, {seconds / 60:.0f} minutes: **{total:,} documents, {len(faults)} faults; "
             f"{kills.get('killed', 0)} builds killed, "
             f"{kills.get('other tables than an undisturbed build', 0)} with other tables afterwards.**", "",
             "| Made by | Kind of document | Cases | Used | Refused | of these by the last guard |",
             "|---|---|--:|--:|--:|--:|"]
    for maker, tally in tallies.items():
        lines += [f"| {maker} | {kind} | " + " | ".join(f"{n:,}" for n in numbers) + " |"
                  for kind, *numbers in tally.rows()]
    slowest = max((t.slowest for t in tallies.values()), default=0)
    lines += ["", f"The slowest document took {slowest:.1f} s. A fault is: an exception; neither an article nor a "
              "reason; a text that cannot be written; a ledger that does not add up to a text's characters; a reason "
              "that is not in words; more than 20 s. The last guard lists a file as damaged whose parser failed "
              "in a way not foreseen here.", "", "| Builds killed with SIGKILL at a random moment | |", "|---|--:|"]
    lines += [f"| {what} | {n} |" for what, n in kills.items()]
    if faults:
        lines += ["", "Faults:", "", *(f"- {fault}" for fault in faults)]
    return "\n".join(lines) + "\n"


def main() -> int:
    if sys.argv[1:2] == ["--guided-child"]:
        guided_child(sys.argv[2], sys.argv[3:])
        return 0
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--cases", type=int, default=110_000)
    parser.add_argument("--guided", type=int, default=25_000, help="cases among them from atheris")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep-seeds", action="store_true")
    options = parser.parse_args()
    started = time.monotonic()
    (PLACE / "faults").mkdir(parents=True, exist_ok=True)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True,
                            check=False).stdout.strip() or "no commit"
    tallies = {}
    guided = guided_cases(options.guided, options.seed, options.keep_seeds) if options.guided else None
    if guided:
        tallies["atheris"] = guided
    tallies["hypothesis"] = random_cases(options.cases - (guided.cases.total() if guided else 0), options.seed)
    for tally in tallies.values():
        for fault, data in tally.faults.items():
            name = re.sub(r"\W+", "-", fault)[:60]
            (PLACE / "faults" / name).write_bytes(data)
    kills = killed_builds(options.kills, options.seed)
    text = page(tallies, kills, time.monotonic() - started, commit)
    print(text)
    (ROOT / "benchmarks" / "fuzz.md").write_text(text, "utf-8")
    broken = [what for what in ("other tables than an undisturbed build", "a raw file changed", "a half-written table")
              if kills[what]]
    return 1 if broken or any(t.faults for t in tallies.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
