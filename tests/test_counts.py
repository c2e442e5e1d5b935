"""Counts: a corpus small enough to count by hand, the whole table written out."""

import numpy as np
import pyarrow as pa

from fengxiang.counts import Cells, summed

# two articles; statement 0: 深圳 2025; 1: 深圳 and 天津 2026; 2 (second article): nobody, year unknown
CELLS = Cells.of([("深圳",), ("天津", "深圳"), ()], [2025, 2026, None], [0, 0, 1])


def rows(counted):
    return [(int(e), int(y), CELLS.regions[r], *map(int, rest)) for e, y, r, *rest in
            zip(*counted.values(), strict=True)]


def test_a_statement_of_two_regions_counts_in_each_and_once_in_all():
    # entity 0 stands twice in statement 1 and once in statement 2; entity 1 once in statement 0
    got = rows(CELLS.counted(np.array([1, 0, 0]), np.array([0, 1, 2]), np.array([1, 2, 1])))
    assert sorted(got) == sorted([
        (0, 2026, "天津", 2, 1, 1), (0, 2026, "深圳", 2, 1, 1), (0, 2026, "all", 2, 1, 1),
        (0, 0, "none", 1, 1, 1), (0, 0, "all", 1, 1, 1),
        (0, -1, "天津", 2, 1, 1), (0, -1, "深圳", 2, 1, 1), (0, -1, "none", 1, 1, 1), (0, -1, "all", 3, 2, 2),
        (1, 2025, "深圳", 1, 1, 1), (1, 2025, "all", 1, 1, 1), (1, -1, "深圳", 1, 1, 1), (1, -1, "all", 1, 1, 1)])


def test_articles_are_counted_once_over_years():
    # entity 0 in both years of the first article: two statements, one article
    got = {r[:3]: r[3:] for r in rows(CELLS.counted(np.array([0, 0]), np.array([0, 1])))}
    assert got[(0, -1, "深圳")] == (2, 2, 1)


def test_distinct_values():
    d = CELLS.distinct(np.array([0, 0, 0]), np.array([0, 1, 2]), np.array([7, 7, 8]))
    got = {(int(y), CELLS.regions[r], int(v)) for y, r, v in zip(d["year"], d["region"], d["value"], strict=True)}
    assert got == {(2025, "深圳", 7), (2025, "all", 7), (2026, "深圳", 7), (2026, "天津", 7), (2026, "all", 7),
                   (0, "none", 8), (0, "all", 8), (-1, "深圳", 7), (-1, "天津", 7), (-1, "none", 8), (-1, "all", 7),
                   (-1, "all", 8)}


def test_no_rows():
    assert [len(v) for v in CELLS.counted(np.array([], dtype=int), np.array([], dtype=int)).values()] == [0] * 6


def test_partials_add_up():
    a = pa.table({"term": ["乙", "甲"], "year": [2025, 2025], "n": [1, 2]})
    b = pa.table({"term": ["甲", "丙"], "year": [2025, 2026], "n": [5, 1]})
    assert summed([a, b], ["term", "year"]).to_pylist() == summed([b, a], ["term", "year"]).to_pylist() == [
        {"term": "丙", "year": 2026, "n": 1}, {"term": "乙", "year": 2025, "n": 1}, {"term": "甲", "year": 2025, "n": 7}]
