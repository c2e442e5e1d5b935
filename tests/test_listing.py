"""The listing of the raw folder: what it holds of a file, how it is cut into partitions, what it tells of a change."""

import hashlib
import os
import random
import tracemalloc
from concurrent.futures import Executor, Future

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_build import CODEBOOK, contents, many  # noqa: F401 (a fixture)

from fengxiang import build as building
from fengxiang import listing as listing_module
from fengxiang.build import build, partitions, raw_files
from fengxiang.listing import Listing, Partitions

N = 20_000


def listed(files: dict[str, tuple[int, int | str]], order=None) -> Listing:
    """A listing of name → (size, stamp)."""
    found = Listing()
    for name in order or files:
        found.add([name], [files[name][0]], [files[name][1]])
    return found


def cut(files: Listing, max_bytes: int = 100, max_files: int = 1_000, cuts=None) -> Partitions:
    return Partitions(files, cuts or {}, max_bytes, max_files)


# ------------------------------------------------------------------------------------------------- what it holds


def test_a_file_is_held_in_its_name_and_fifty_bytes():
    """Two objects a file would take more than three hundred."""
    names = [f"article-{i:07d}.md" for i in range(N)]
    cut(listed({"a": (1, 1)})).stats()  # what Arrow loads with its first array is there
    tracemalloc.start()
    try:
        files = Listing()
        for i in range(0, N, 1_000):
            files.add(names[i:i + 1_000], [2_000] * 1_000, list(range(10**18 + i, 10**18 + i + 1_000)), "2024/")
        parts = cut(files, 2_000_000)
        assert len(parts.stats()) == len(parts) > 10
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held / N < len("2024/article-0000000.md") + 50


def test_so_it_is_from_the_disk_on(tmp_path):
    n = 3_000
    for i in range(n):
        (tmp_path / f"article-{i:07d}.md").touch()
    partitions(tmp_path)
    tracemalloc.start()
    try:
        parts = partitions(tmp_path)
        parts.stats()
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(parts.listing) == n
    assert held / n < len("article-0000000.md") + 60
    assert peak > held


class _Immediate(Executor):
    """Runs what is submitted at once; keeps how many pieces were made by then, and how many it was given."""

    def __init__(self, made: list):
        self.made, self.seen, self.given = made, [], 0

    def submit(self, function, task, /):
        if hasattr(task, "pieces"):
            self.given += len(task.pieces)
            self.seen.append((len(self.made), self.given))
        done = Future()
        done.set_result(function(task))
        return done


def test_pieces_are_made_for_the_partition_that_is_handed_out(many, tmp_path, monkeypatch):  # noqa: F811
    made, piece = [], listing_module.Piece
    monkeypatch.setattr(listing_module, "Piece", lambda *a: made.append(a) or piece(*a))
    executor = _Immediate(made)
    result = build(many, tmp_path / "out", CODEBOOK, executor=executor)
    assert len(executor.seen) == result.n_partitions > 3
    assert all(n_made == n_given for n_made, n_given in executor.seen)
    build(many, tmp_path / "one", CODEBOOK, workers=1)
    assert contents(tmp_path / "out") == contents(tmp_path / "one")


# ------------------------------------------------------------------------------------------------ how it is cut


def halves(pieces, name=""):
    """As it is defined: a set that is too large is halved by the next binary digit of a hash of path and start."""
    def digits(piece):
        path = f"{piece[0]}\0{piece[1]}".encode("utf-8", "surrogatepass")
        return f"{int(hashlib.blake2b(path, digest_size=8).hexdigest(), 16):064b}"

    if not pieces:
        return []
    if len(pieces) == 1 or (sum(p[2] for p in pieces) <= 100 and len(pieces) <= 6):
        return [(name, sorted(pieces))]
    return [part for digit in "01"
            for part in halves([p for p in pieces if digits(p)[len(name)] == digit], name + digit)]


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=4) |
                       st.binary(min_size=1, max_size=3).map(lambda b: b.decode("utf-8", "surrogateescape")),
                       st.integers(0, 90), max_size=30), st.randoms(use_true_random=False))
def test_partitions_follow_from_names_and_sizes_alone(files, order):
    names = list(files)
    order.shuffle(names)
    found = listed({name: (size, order.getrandbits(60)) for name, size in files.items()}, names)
    assert [(f.name, f.size) for f in found] == sorted(files.items())
    large = {number: [(0, 40, 1), (40, files[name], 3)] for number, name in enumerate(names) if files[name] > 80}
    pieces = [(name, start, end - start) for number, name in enumerate(names)
              for start, end, _ in large.get(number, [(0, files[name], 1)])]
    parts = cut(found, 100, 6, large)
    assert [(name, [(p.source_file, p.start, (p.size if p.end is None else p.end) - p.start) for p in part])
            for name, part in parts] == halves(pieces)
    assert parts.sizes == [sum(p[2] for p in part) for _, part in halves(pieces)]
    assert {p.first_line for _, part in parts for p in part if p.start} <= {3}


def test_files_that_are_next_to_empty_are_not_all_in_one_partition(tmp_path, monkeypatch):
    monkeypatch.setattr(building, "PARTITION_FILES", 10)
    for i in range(60):
        (tmp_path / f"{i}.md").touch()
    parts = [pieces for _, pieces in partitions(tmp_path)]
    assert max(map(len, parts)) <= 10
    assert sorted(p.source_file for part in parts for p in part) == sorted(f"{i}.md" for i in range(60))


def test_sizes_that_are_claimed_to_be_huge_are_one_partition_each():
    assert [len(part) for _, part in cut(listed({"a": (2**62, 1), "b": (2**62, 1), "c": (2**62, 1)}))] == [1, 1, 1]


def test_an_empty_folder_has_no_partitions(tmp_path):
    parts = partitions(tmp_path)
    assert (len(parts), list(parts), parts.stats(), parts.untold(), list(raw_files(tmp_path))) == (0, [], {}, set(), [])


# -------------------------------------------------------------------------------------------- what tells a change

FILES = {"甲.md": (10, 1_700_000_000_000_000_000), "sub/b.md": (20, 5), "\udcff.md": (0, 7)}


def stat_of(files=None, order=None, refused=(), cuts=None) -> str:
    found = listed({**FILES, **(files or {})}, order)
    for name, why in refused:
        found.refuse(name, why)
    (stat,) = cut(found, 1_000, 1_000, cuts).stats().values()
    return stat


def test_what_was_not_touched_tells_the_same_in_whatever_order_it_is_listed():
    names = list(FILES)
    for i in range(5):
        random.Random(i).shuffle(names)
        assert stat_of(order=names) == stat_of()


def test_each_change_tells_another_thing():
    changes = [
        {}, {"files": {"甲.md": (10, 1_700_000_000_000_000_001)}},
        {"files": {"甲.md": (11, 1_700_000_000_000_000_000)}},
        {"files": {"甲.md": (10, "ETag=1")}}, {"files": {"甲.md": (10, "ETag=2")}}, {"files": {"甲.md": (10, 2**63)}},
        {"files": {"甲.md": (10, 2**63 + 1)}}, {"files": {"new.md": (0, 0)}}, {"order": ["甲.md", "sub/b.md"]},
        {"refused": [("loop", "a link")]}, {"refused": [("loop", "a pipe")]}, {"cuts": {1: [(0, 20, 1)]}},
        {"cuts": {1: [(0, 15, 1), (15, 20, 2)]}}, {"cuts": {1: [(0, 15, 1), (15, 20, 3)]}}]
    assert len({stat_of(**change) for change in changes}) == len(changes)


def test_names_that_read_alike_one_after_the_other_tell_different_things():
    for x in "abcdefgh":  # of some of them, the hash keeps the order
        one, two = (cut(listed(dict.fromkeys(names, (1, 1)))).stats() for names in ((f"{x}y", "z"), (x, "yz")))
        assert one != two


def test_partitions_of_which_a_store_tells_nothing_are_known():
    parts = cut(listed({"a": (60, ""), "b": (60, "ETag=1"), "c": (60, 1), "d": (60, "")}))
    where = {p.source_file: name for name, part in parts for p in part}
    assert len(set(where.values())) > 2
    assert parts.untold() == {where["a"], where["d"]}


def test_a_time_far_ahead_is_a_time(tmp_path):
    path = tmp_path / "a.md"
    path.write_text("x", encoding="utf-8")
    seen = set()
    for second in (10_000_000_000, 10_000_000_001):  # in the year 2286: too many ns for 64 bits
        os.utime(path, (second, second))
        if path.stat().st_mtime < second:
            pytest.skip("this disk does not know times so far ahead")
        seen.update(partitions(tmp_path).stats().values())
    assert len(seen) == 2
