"""A run as notebooks see it."""

from pathlib import Path

import pandas as pd
import pytest

from fengxiang.run import Run
from fengxiang.workplace import workplace

ROOT = Path(__file__).parent.parent


def test_a_notebook_tells_how_far_a_long_build_is_and_says_nothing_of_a_short_one(monkeypatch, tmp_path, capsys):
    """In a kernel; the clock is ours. What a line said is wiped by the next, and by nothing at the end."""
    from fengxiang import build, run

    clock = [0.0]

    def at_pace(pace):
        def slow(raw, out, codebook, progress):
            for seconds, message in ((0, "0/2 read"), (1, "1/4 read"), (5, "3/4 read"), (9, "done")):
                clock[0] = seconds * pace
                progress(message)
        return slow

    monkeypatch.setattr(run.time, "monotonic", lambda: clock[0])
    bar, wiped = "█" * 15 + "░" * 5 + " 3/4 read", " " * 29
    for pace, told in ((0.1, ""), (1, f"\r{bar}\rdone{wiped[4:]}\r{wiped}\r")):
        clock[0] = 0.0
        monkeypatch.setattr(build, "build", at_pace(pace))
        Run.open(ROOT / "data/raw", tmp_path, ROOT / "codebook")
        assert capsys.readouterr().out == told


def test_who_speaks_for_the_nation_is_the_national_regulator(tmp_path):
    run = Run(workplace(ROOT / "data/raw", tmp_path, ROOT / "codebook"))
    assert run.region_names(["全国", "河北"]) == {"zh": "总局、河北", "en": "National regulator, Hebei"}
    assert run.region_names([]) == {"zh": "", "en": ""}


@pytest.mark.parametrize(("rows", "expected"), [
    ([0, 1, 2, 3], (2022, 2024)), ([0, 1], (2021, 2022)), ([1], (2022, 2022)), ([], (0, 0))])
def test_years_to_compare_leave_thin_years_out(monkeypatch, tmp_path, rows, expected):
    slices = pd.DataFrame({"year": [2021, 2022, 2024, 2026], "region": "all", "n_statements": [5, 80, 90, 3],
                           "n_articles": [1, 8, 9, 1]}).iloc[rows]
    run = Run(workplace(ROOT / "data/raw", tmp_path, ROOT / "codebook"))
    monkeypatch.setattr(run, "table", lambda name, filters: slices)
    assert run.year_span == expected
