"""A run as notebooks see it."""

from pathlib import Path

import pandas as pd
import pytest

from fengxiang.run import Run
from fengxiang.workplace import workplace

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(("rows", "expected"), [
    ([0, 1, 2, 3], (2022, 2024)), ([0, 1], (2021, 2022)), ([1], (2022, 2022)), ([], (0, 0))])
def test_years_to_compare_leave_thin_years_out(monkeypatch, tmp_path, rows, expected):
    slices = pd.DataFrame({"year": [2021, 2022, 2024, 2026], "region": "all", "n_statements": [5, 80, 90, 3],
                           "n_articles": [1, 8, 9, 1]}).iloc[rows]
    run = Run(workplace(ROOT / "data/raw", tmp_path, ROOT / "codebook"))
    monkeypatch.setattr(run, "table", lambda name, filters: slices)
    assert run.year_span == expected
