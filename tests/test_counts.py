"""Counts: a corpus small enough to count by hand, the whole table written out."""

import random
from collections import Counter, defaultdict
from itertools import combinations
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fengxiang import counts, partition
from fengxiang.attribution import Attributed
from fengxiang.coding import Coded, Evidence, Themes
from fengxiang.counts import Cells, Counts, added, outnumbered, row_counts, with_all_years
from fengxiang.model import Attribution, Statements
from fengxiang.terms import Tokens

# two articles; statement 0: 深圳 2025; 1: 深圳 and 天津 2026; 2 (second article): nobody, year unknown
CELLS = Cells.of([("深圳",), ("天津", "深圳"), ()], [2025, 2026, None], [0, 0, 1])


def rows(counted, cells=CELLS):
    return [(int(e), int(y), cells.regions[r], *map(int, rest)) for e, y, r, *rest in
            zip(*counted.values(), strict=True)]


def with_years(counted, cells=CELLS):
    """The rows of `counted` and those of all years."""
    names = [f"{i:02}" for i in range(10)]
    whole = with_all_years(Counts(pa.array(names), cells.regions, counted))
    return rows(whole.columns, Cells.of([whole.regions], [None], [0]))


def test_a_statement_of_two_regions_counts_in_each_and_once_in_all():
    # entity 0 stands twice in statement 1 and once in statement 2; entity 1 once in statement 0
    got = with_years(CELLS.counted(np.array([1, 0, 0, 0]), np.array([0, 1, 1, 2])))
    assert sorted(got) == sorted([
        (0, 2026, "天津", 2, 1, 1), (0, 2026, "深圳", 2, 1, 1), (0, 2026, "all", 2, 1, 1),
        (0, 0, "none", 1, 1, 1), (0, 0, "all", 1, 1, 1),
        (0, -1, "天津", 2, 1, 1), (0, -1, "深圳", 2, 1, 1), (0, -1, "none", 1, 1, 1), (0, -1, "all", 3, 2, 2),
        (1, 2025, "深圳", 1, 1, 1), (1, 2025, "all", 1, 1, 1), (1, -1, "深圳", 1, 1, 1), (1, -1, "all", 1, 1, 1)])


def test_articles_are_counted_once_over_years():
    # entity 0 in both years of the first article: two statements, one article
    counted = CELLS.counted(np.array([0, 0]), np.array([0, 1]))
    assert {r[:3]: r[3:] for r in with_years(counted)}[(0, -1, "深圳")] == (2, 2, 1)
    # of all years there is only what the years have too many: of 深圳 and of all regions
    assert [r for r in rows(counted) if r[1] == -1] == [(0, -1, "all", 0, 0, -1), (0, -1, "深圳", 0, 0, -1)]


def test_all_years_are_made_some_entities_at_a_time(monkeypatch):
    counted = CELLS.counted(np.array([1, 0, 0, 0]), np.array([0, 1, 1, 2]))
    at_once = with_years(counted)
    monkeypatch.setattr(counts, "MERGED_ROWS", 1)
    assert with_years(counted) == at_once


def test_weights_add_up_in_every_cell_of_their_statement():
    counted = CELLS.counted(np.array([0, 0, 0]), np.array([0, 1, 2]))
    counted["weight"] = CELLS.sums(np.array([10, 5, 1]), counted["year"], counted["region"])
    assert {r[1:3]: r[-1] for r in with_years(counted)} == {
        (2025, "深圳"): 10, (2025, "all"): 10, (2026, "深圳"): 5, (2026, "天津"): 5, (2026, "all"): 5,
        (0, "none"): 1, (0, "all"): 1, (-1, "深圳"): 15, (-1, "天津"): 5, (-1, "none"): 1, (-1, "all"): 16}


def test_distinct_values():
    d = CELLS.distinct(np.array([0, 0, 0]), np.array([0, 1, 2]), np.array([7, 7, 8]))
    got = {(int(y), CELLS.regions[r], int(v)) for y, r, v in zip(d["year"], d["region"], d["value"], strict=True)}
    assert got == {(2025, "深圳", 7), (2025, "all", 7), (2026, "深圳", 7), (2026, "天津", 7), (2026, "all", 7),
                   (0, "none", 8), (0, "all", 8), (-1, "深圳", 7), (-1, "天津", 7), (-1, "none", 8), (-1, "all", 7),
                   (-1, "all", 8)}


def test_entities_are_counted_by_article_under_the_numbers_asked_for():
    found = CELLS.occurrences(np.array([0, 1, 1, 2, 0]), np.array([0, 1, 1, 1, 2])).by_article(np.array([5, 3, -1]))
    assert rows({n: c for n, c in found.items() if n != "article"}) == [
        (3, 2026, "all", 2), (3, 2026, "天津", 2), (3, 2026, "深圳", 2), (5, 2025, "all", 1), (5, 2025, "深圳", 1),
        (5, 0, "all", 1), (5, 0, "none", 1)]
    assert found["article"].tolist() == [0, 0, 0, 0, 0, 1, 1]


def test_kinds_are_counted_at_once_each_for_itself():
    entity, statement = np.array([1, 0, 0]), np.array([0, 1, 2])
    nothing = np.array([], dtype=int)
    got = CELLS.numbers({"a": (nothing, nothing), "b": (entity, statement), "c": (entity * 3, statement)})
    counted = CELLS.counted(entity, statement)
    own = counted["year"] >= 0
    expected = {n: counted[n][own] for n in ("entity", "year", "region", "count")}
    assert rows(got["a"]) == []
    assert rows(got["b"]) == rows(expected)
    assert rows(got["c"]) == rows(expected | {"entity": expected["entity"] * 3})


def test_no_rows():
    assert [len(v) for v in CELLS.counted(np.array([], dtype=int), np.array([], dtype=int)).values()] == [0] * 6
    nothing = Cells.of([], [], [])
    assert [len(v) for v in nothing.counted(np.array([], dtype=int), np.array([], dtype=int)).values()] == [0] * 6


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.lists(st.sampled_from("甲乙丙"), unique=True), st.sampled_from([None, 2025, 2026]),
                          st.booleans(), st.lists(st.integers(0, 4), max_size=6)), max_size=12))
def test_counts_are_those_of_plain_loops(statements):
    article, number = [], 0
    for _, _, begins, _ in statements:
        number += begins
        article.append(number)
    cells = Cells.of([r for r, *_ in statements], [y for _, y, *_ in statements], article)
    occurrences, inside, articles = Counter(), defaultdict(set), defaultdict(set)
    for i, (regions, year, _, entities) in enumerate(statements):
        for e in entities:
            for y in (year or 0, -1):
                for r in [*(regions or ["none"]), "all"]:
                    occurrences[e, y, r] += 1
                    inside[e, y, r].add(i)
                    articles[e, y, r].add(article[i])
    flat = [(e, i) for i, s in enumerate(statements) for e in s[3]]
    got = cells.counted(np.array([e for e, _ in flat], dtype=int), np.array([i for _, i in flat], dtype=int))
    assert {r[:3]: r[3:] for r in with_years(got, cells)} == {
        k: (n, len(inside[k]), len(articles[k])) for k, n in occurrences.items()}
    place = [r[:2] for r in rows(got, cells)]
    assert place == sorted(place)
    by_article = Counter((article[i], e, statements[i][1] or 0, r) for e, i in flat
                         for r in [*(statements[i][0] or ["none"]), "all"])
    number = [3, 1, 2, 0, -1]
    found = cells.occurrences(*(np.array([pair[k] for pair in flat], dtype=int) for k in (0, 1))).by_article(
        np.array(number))
    assert [(int(a), *r) for a, r in zip(found.pop("article"), rows(found, cells), strict=True)] == sorted(
        ((a, number[e], y, r, n) for (a, e, y, r), n in by_article.items() if number[e] >= 0),
        key=lambda row: (*row[:3], cells.regions.index(row[3])))
    shuffled = np.random.default_rng(len(flat)).permutation(len(flat))
    again = cells.counted(np.array([e for e, _ in flat], dtype=int)[shuffled],
                          np.array([i for _, i in flat], dtype=int)[shuffled])
    assert all(np.array_equal(again[n], c) for n, c in got.items())


def part(rows_, regions=("all", "天津", "深圳")):
    names = sorted({r[0] for r in rows_})
    rows_ = sorted(rows_, key=lambda r: (r[0], r[1], r[2]))
    return Counts(pa.array(names, type=pa.string()), list(regions), {
        "entity": np.array([names.index(r[0]) for r in rows_], dtype=np.int64),
        "year": np.array([r[1] for r in rows_], dtype=np.int64),
        "region": np.array([regions.index(r[2]) for r in rows_], dtype=np.int64),
        "n": np.array([r[3] for r in rows_], dtype=np.int64)})


def listed(table):
    return [tuple(row.values()) for row in table.to_pylist()]


def test_partials_add_up_whatever_their_order_and_grouping(monkeypatch):
    a = part([("乙", 2025, "all", 1), ("甲", 2025, "深圳", 2)])
    b = part([("甲", 2025, "深圳", 5), ("丙", -1, "all", 1)], ("all", "深圳"))
    c = part([], ("all",))
    expected = [("丙", -1, "all", 1), ("乙", 2025, "all", 1), ("甲", 2025, "深圳", 7)]
    assert listed(added([a, b, c]).table("term")) == expected
    assert listed(added([c, b, a]).table("term")) == expected
    assert listed(added([added([a, c]), b]).table("term")) == expected
    monkeypatch.setattr(counts, "MERGED_ROWS", 1)  # a block for every few rows
    assert listed(added([a, b, c]).table("term")) == expected


@pytest.mark.parametrize("keys_a_row", [0, 10**6], ids=["by sorting", "by place"])
def test_sums_are_those_of_a_dictionary(keys_a_row, monkeypatch):
    monkeypatch.setattr(counts, "KEYS_A_ROW", keys_a_row)
    monkeypatch.setattr(counts, "MERGED_ROWS", 50)
    rng = random.Random(5)
    expected = Counter()
    parts = []
    for _ in range(6):
        rows_ = {(rng.choice("甲乙丙丁戊"), rng.choice([-1, 0, 2024, 2025]), rng.choice(["all", "天津", "深圳"])):
                 rng.randint(1, 2**40) for _ in range(rng.randint(0, 30))}
        expected.update(rows_)
        own = part([(*place, n) for place, n in rows_.items()])
        parts.append(Counts.of_tables("own", own.tables("own")))  # in no more bytes than the numbers need
    assert [(tuple(row[:3]), row[3]) for row in listed(added(parts).table("term"))] == sorted(expected.items())


def test_what_was_added_can_be_taken_away():
    a = part([("乙", 2025, "all", 1), ("甲", 2025, "深圳", 2)])
    b = part([("甲", 2025, "深圳", 5), ("丙", -1, "all", 1)], ("all", "深圳"))
    c = part([("甲", 2026, "all", 4)], ("all",))
    assert listed(added([added([a, b]), c], [b]).table("term")) == listed(added([a, c]).table("term"))
    assert listed(added([a], [a]).table("term")) == []


def test_by_how_much_rows_outnumber_the_values_of_a_column():
    a = part([("甲", 2025, "all", 11), ("甲", 2025, "all", 12), ("乙", 2025, "all", 11)])
    b = part([("甲", 2025, "all", 11), ("甲", 2025, "深圳", 11)])
    assert listed(outnumbered([a, b], "n").table("term")) == [("甲", 2025, "all", 1)]


@given(st.lists(st.lists(st.tuples(st.sampled_from("甲乙丙"), st.sampled_from([-1, 2025]),
                                   st.sampled_from(["all", "深圳"]), st.integers(0, 2)), max_size=12), min_size=1,
                max_size=3))
def test_rows_outnumber_values_as_sets_say(some):
    expected = {}
    for place in sorted({r[:3] for rows_ in some for r in rows_}):
        values = [r[3] for rows_ in some for r in rows_ if r[:3] == place]
        if len(values) > len(set(values)):
            expected[place] = len(values) - len(set(values))
    assert {r[:3]: r[3] for r in listed(outnumbered(list(map(part, some)), "n").table("term"))} == expected


def test_a_value_is_looked_up_by_entity_year_and_region():
    a = part([("乙", 2025, "all", 1), ("甲", 2025, "深圳", 2), ("甲", 2026, "all", 3), ("戊", 2025, "all", 9)])
    b = part([("甲", 2025, "深圳", 5), ("甲", 2025, "all", 6), ("乙", 2025, "all", 7)], ("all", "深圳"))
    assert a.at(b, "n").tolist() == [7, 0, 5, 0]  # 乙, 戊, 甲 2025, 甲 2026
    assert a.at(part([]), "n").tolist() == [0, 0, 0, 0]


@given(*(st.dictionaries(st.tuples(st.sampled_from(names), st.sampled_from([-1, 2024, 2025, 2027]),
                                   st.sampled_from(["all", "宁波", "深圳"])), st.integers(1, 9), max_size=12)
         for names in ("甲乙丙丁", "乙丙戊")), st.booleans())
def test_values_are_looked_up_as_in_a_dict(ours, theirs, are_sorted):
    a, b = (part([(*key, n) for key, n in some.items()], ("all", "宁波", "深圳")) for some in (ours, theirs))
    if not are_sorted:  # two entities under one name, in an order that is not that of the names
        a = a.relabelled(lambda name: {"甲": "丁", "乙": "丙"}.get(name, "乙"))
    expected = [theirs.get(row[:3], 0) for row in listed(a.table("term"))]
    assert a.at(b, "n").tolist() == expected


def test_a_table_of_counts_holds_no_word_that_stands_in_no_row():
    column = part([("乙", 2025, "all", 1), ("甲", 2025, "深圳", 1)]).of_kind("乙").table("term")["region"]
    assert column.chunk(0).dictionary.to_pylist() == ["all"]


@pytest.mark.parametrize("n", [3, 127, 128, 300, 40_000])
@pytest.mark.parametrize("kind", [np.int64, np.uint16])
def test_words_by_their_place_are_read_back_and_each_is_there_once(n, kind):
    rng, names = np.random.default_rng(n), [f"词{i}" for i in range(n)]
    code = rng.integers(0, n, 500).astype(kind)
    coded = counts.words(names, code)
    assert coded.to_pylist() == [names[i] for i in code.tolist()]
    assert coded.dictionary.to_pylist() == [names[i] for i in sorted(set(code.tolist()))]


def test_words_may_be_none_or_stand_under_several_numbers():
    coded = counts.words(["甲", None, "乙", "甲", "丙"], np.array([3, 1, 4, 0, 3]))
    assert coded.to_pylist() == ["甲", None, "丙", "甲", "甲"]
    assert coded.dictionary.to_pylist() == ["甲", "丙"]
    assert counts.words([None], np.array([0, 0])).to_pylist() == [None, None]
    assert counts.words([], np.array([], dtype=np.int64)).to_pylist() == []


def test_counts_survive_being_kept():
    a = part([("乙", 2025, "all", 1), ("甲", -1, "深圳", 2**40)])
    kept = Counts.of_tables("term", a.tables("term"))
    assert listed(kept.table("term")) == listed(a.table("term"))


def test_rows_of_the_same_words_are_added():
    table = pa.table({"rule": ["乙", "甲", "乙"], "fate": ["x", "x", "x"], "n_units": [1, 2, 3],
                      "n_chars": [10, 20, 30]})
    assert listed(row_counts(table)) == [("乙", "x", 4, 40), ("甲", "x", 2, 20)]


@given(st.lists(st.tuples(st.sampled_from("甲乙丙"), st.sampled_from(["", "x", "xy"]), st.integers(0, 9)), max_size=30),
       st.integers(0, 30))
def test_rows_are_added_as_a_dictionary_adds_them(rows, cut):
    columns = {name: pa.chunked_array([pa.array([r[i] for r in some], type=kind) for some in (rows[:cut], rows[cut:])])
               for i, (name, kind) in enumerate((("rule", pa.string()), ("fate", pa.string()), ("n", pa.int64())))}
    columns = {"rule": columns["rule"], "fate": columns["fate"], "n_units": columns["n"]}
    expected: dict = {}
    for rule, fate, n in rows:
        expected[rule, fate] = expected.get((rule, fate), 0) + n
    in_full = [(*k, n) for k, n in sorted(expected.items())]
    assert listed(row_counts(pa.table(columns))) == in_full
    with patch.object(counts, "MAX_KEYS", 4):  # as with columns of many words
        assert listed(row_counts(pa.table(columns))) == in_full


VOICES = st.sampled_from([None, "甲局", "乙局", "甲局、乙局"])
THEMES, GRADES = ["risk", "aid", "sme"], ["must", "may", None]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.lists(st.sampled_from("甲乙丙"), unique=True).map(tuple),
                          st.sampled_from([None, 2025, 2026]), VOICES, st.booleans(),
                          st.lists(st.integers(0, 2), unique=True).map(sorted), st.booleans(), st.integers(0, 2),
                          st.lists(st.sampled_from(["资本", "普惠", "监管"]), max_size=4)), max_size=10))
def test_what_is_counted_of_coded_statements_is_what_plain_loops_count(statements):
    article, at, theme, taken = [], [], [], ([], [])
    for i, (_, _, _, begins, themes, inherits, _, _) in enumerate(statements):
        article.append((article[-1] if article else 0) + begins)
        own = themes[:-1] if inherits else themes
        theme += own
        at += [i] * len(own)
        if inherits and themes:
            taken[0].append(themes[-1])
            taken[1].append(i)
    numbers = [np.array(c, dtype=np.int64) for c in (theme, at, *taken)]
    nothing = np.zeros(0, dtype=np.int64)
    grade = np.array([s[6] for s in statements], dtype=np.int64)
    found = Coded(THEMES, GRADES, Themes(*numbers[:2]), Themes(*numbers[2:]), Themes(nothing, nothing), grade,
                  Evidence(*[nothing] * 4))
    rows = Attribution([s[1] for s in statements], [s[2] for s in statements], [None] * len(statements),
                       [s[0] for s in statements], *([[None] * len(statements)] + [[()] * len(statements)] * 2))
    vocabulary = ["资本", "普惠", "监管"]  # not in order
    tokens = Tokens(vocabulary, *(np.array(c, dtype=np.int32) for c in (
        [vocabulary.index(t) for s in statements for t in s[7]], [i for i, s in enumerate(statements) for _ in s[7]],
        [len(s[7]) for s in statements])))
    toolkit = SimpleNamespace(gazetteer=None, codebook=None, lexicon=SimpleNamespace(terms=["监管", "资本"]))
    batch = partition.Batch([], Statements(article=article, text=[""] * len(statements)))
    with patch("fengxiang.attribution.attribute", return_value=Attributed(rows, np.arange(len(statements)))), \
            patch("fengxiang.coding.coded", return_value=found):
        tables = partition._code(batch, tokens, toolkit)

    expected = defaultdict(Counter)
    for i, (regions, year, voice, _, themes, _, grade, terms) in enumerate(statements):
        labels = sorted(THEMES[t] for t in themes)
        for region in (*(regions or ("none",)), "all"):
            for label in (*(labels or ["none"]), "all"):
                cell = year or 0, region
                expected["total" if label == "all" else "theme"][label, *cell] += 1
                expected["deontic"][f"{GRADES[grade] or 'none'}\t{label}", *cell] += 1
                for name in voice.split("、") if voice else ():
                    expected["agency"][f"{label}\t{name}", *cell] += 1
                if label != "none":
                    expected["by theme"][article[i], label, *cell] += 1
            for a, b in combinations(labels, 2):
                expected["pair"][f"{a}\t{b}", *cell] += 1
            for term in terms:
                expected["term"][term, *cell] += 1
                if term != "普惠":
                    expected["by term"][article[i], term, *cell] += 1
    for kind, n in (("total", "n_statements"), ("theme", "n_statements"), ("deontic", "n_statements"),
                    ("pair", "n_statements"), ("agency", "count"), ("term", "count")):
        found = Counts.of_tables(kind, tables).table("name").to_pylist()
        got = [((row["name"], row["year"], row["region"]), row[n]) for row in found if row["year"] >= 0]
        assert got == sorted(expected[kind].items())
    for name, label, n in (("article_themes", "theme", "n_statements"), ("article_terms", "term", "count")):
        got = [((row["article"], row[label], row["year"], row["region"]), row[n]) for row in tables[name].to_pylist()]
        order = vocabulary.index if label == "term" else str
        assert got == sorted(expected[f"by {label}"].items(), key=lambda row: (row[0][0], order(row[0][1]), row[0][2:]))
    assert tables["statements"]["themes"].to_pylist() == [[THEMES[t] for t in s[4]] for s in statements]
    totals = Counts.of_tables("total", tables).table("name").to_pylist()
    assert sum(row["n_tokens"] for row in totals if row["region"] == "all") == sum(len(s[7]) for s in statements)
