"""From the partials of all partitions to the tables: stories linked, counts added up, parts written.

Counts are added up along a tree; where few partitions have changed, what these gave before is taken from the last sum
and what they give now is added. Rows are written a part for each partition, and a part whose rows have not changed is
left alone. Of the whole corpus only a short key and the signature of each article are held at once.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, groupby
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from . import tables
from .counts import KEYS, Cells, Counts, added, outnumbered, row_counts, with_all_years
from .partition import Cache, Partial, digest
from .places import folder, is_local
from .stories import SKETCH, Judged, Proposed, Signatures, batches, link, proposed, shingles, similar
from .tables import ALL, NONE, PARTED

KINDS = ("term", "theme", "total", "agency", "pair", "deontic")
COUNTING_STORIES = {"term": "term_counts", "theme": "theme_counts", "total": "slices"}  # kinds that also count stories
CELLS = "cells"  # the counts of these kinds together: a name begins with its kind and a tab
WITH_ALL_YEARS = "with all years: "  # begins the names of the tables of a sum that have the rows of all years, too
OF_STORIES = ("articles", "statements")  # the parted tables whose rows name a story
OF_ARTICLES = tuple(name for name in PARTED if name not in OF_STORIES)
FEW_CHANGES = 8  # at most one in so many partials is other than before, and the old sum is taken as a start
FAN_IN = 16  # partials that a node of the tree adds up
MAX_BITS = 4  # a node has at most two to this power children
SHARED_ROWS = 8_000_000  # cells of shared articles that are looked at together
PAIRS_AT_ONCE = 100  # texts that are compared in one task
SIGNATURES = "signatures"  # what the cache keeps under this name is of the build that is at work
CUT_FILES = "cut"  # the part of ledger_counts with the files that stand in several partitions
_HARDLY_TWICE = {"statement_id", "text", "evidence", "sample", "url", "title"}  # columns that a dictionary only slows


@dataclass(slots=True)
class Merged:
    """What a merge leaves: how many files were rejected; for each part the keys of its rows, of those that name an
    article and of those that name its story too, and the cache name of the cells of its shared articles; the cache
    names in use."""

    n_rejected: int
    parts: dict[str, list[str]]
    names: set[str]


def merge(partials: Sequence[Partial], cache: Cache, fingerprint: str, out: Path, state: dict, before: dict[str, str],
          run: Callable, progress: Callable[[str], None]) -> Merged:
    """Write every table of `out`.

    The workers always have something to do: they add up counts and write the rows that need no stories while copies
    are looked for, count what stories share, and write the other rows while the counts are written.

    Args:
        partials: the partitions, in their order.
        cache: where their layers are.
        fingerprint: of the code that merges.
        out: the output folder.
        state: what the last build left; parts that it wrote and that have not changed stay as they are.
        before: bucket → cache name of the counts of the partitions of the last build.
        run: a `map` over tasks.
        progress: called with a short message.
    """
    names: set[str] = set()
    root = _adding_up(partials, before, cache, fingerprint, run, names)  # goes on in the workers meanwhile
    _make_way(out, [p.bucket for p in partials])
    # what other code has left is written anew
    written = state["parts"] if partials and state.get("fingerprints", {}).get("merged") == fingerprint else {}
    stats, stats_before = tables.file_stats(out), state.get("tables", {})
    parts = {p.bucket: list(written.get(p.bucket, ("", "", ""))) for p in partials}

    def changed(kind: int) -> list[Finish]:
        """The tasks whose rows, of articles or of stories, are not those written; their key becomes that of the part.
        """
        found = []
        for number, partial in enumerate(partials):
            again, shared = corpus.again_in(number), corpus.shared_in(number)
            key = digest(fingerprint, *partial.names, repr(again), repr(shared))
            task = Finish(partial, str(cache.folder), str(out), fingerprint, key, again, shared)
            bucket = partial.bucket
            end = f"/part-{bucket}.parquet" if bucket else ""
            files = [f"{name}.parquet{end}" for name in (OF_ARTICLES, OF_STORIES)[kind]]
            if parts[bucket][kind] != key or any(
                    f not in stats or stats[f] != stats_before.get(f) for f in files) or (
                    shared and not cache.has(parts[bucket][2])):
                found.append(task)
                parts[bucket][kind] = key
        return found

    progress("looking for copies and reprints")
    corpus = _Corpus.of(partials, cache)
    of_articles = run(write_of_articles, changed(0))  # nothing is known of stories yet
    corpus.tell_apart(fingerprint, run, names)

    progress("adding up")
    of_stories = changed(1)
    for task, cells in zip(of_stories, run(share, of_stories), strict=True):
        parts[task.partial.bucket][2] = cells
    # partitions that tell the same alike have files of one name, each of which counts
    shared, shared_before = (sorted(cells for *_, cells in some.values() if cells) for some in (parts, written))
    names.update(shared)
    surplus = _surplus(shared, shared_before, cache, fingerprint, run, names)
    finished = run(write_of_stories, of_stories)
    whole = root()
    _write_counts_of_stories(out, whole, _write_counts(out, whole), surplus())  # while the workers write rows
    for number, _ in enumerate(chain(of_articles, finished), 1):
        progress(f"{number} parts of the tables written")
    _write_cut_files(out, corpus.cut, cache)
    for name in PARTED if not partials else ():
        _write(out, name, tables.TABLES[name].schema.empty_table())
    rejected = corpus.rejected
    _write(out, "rejected", rejected.take(pc.sort_indices(rejected, [(n, "ascending") for n in rejected.column_names])))
    return Merged(len(rejected), parts, names)


# --------------------------------------------------------------------------------------------------------- stories


@dataclass(slots=True)
class _Corpus:
    """What is held of every article: where it stands, what its text is called, its date, its signature. Arrays, not
    objects: a process that merges a million articles holds hardly more than these.

    Attributes:
        partials: the partitions.
        cache: where they are.
        starts: the index of each partition's first article; one more at the end.
        names: what each article's text is called: the number that its identifier is made of.
        places: date, source_file, position: a row an article; given up by `tell_apart`.
        sketches: the signature of each; given up by `tell_apart`.
        rejected: all rejections.
        cut: the partials that hold pieces of files that stand in several partitions, by cache name.
        again: of each article, the how manieth it is with the same text, in the order of the files.
        first: of each article, the index of the first one of its story.
        shared: of each article, whether others tell its story.
    """

    partials: Sequence[Partial]
    cache: Cache
    starts: np.ndarray
    names: np.ndarray
    places: pa.Table
    sketches: np.ndarray
    rejected: pa.Table
    cut: list[str]
    again: np.ndarray = field(init=False)
    first: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    shared: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))

    @classmethod
    def of(cls, partials: Sequence[Partial], cache: Cache) -> _Corpus:
        """Read what is needed from the partials."""
        sizes, names, places, sketches, rejected, cut = [0], [], [], [], [], []
        for partial in partials:
            read = cache.read(partial.clean, ("keys", "rejected", "cut_files"))
            own = read["keys"]
            sizes.append(len(own))
            names.append(_numbers(_flat(own["base_id"])))
            places.append(own.select(["date", "source_file", "position"]))
            sketches += [c.flatten().to_numpy() for c in own["sketch"].chunks]
            rejected.append(read["rejected"])
            if len(read["cut_files"]):
                cut.append(partial.clean)
        schema = pa.schema([("date", pa.string()), ("source_file", pa.string()), ("position", pa.int32())])
        flat = np.concatenate(sketches) if sketches else np.zeros(0, dtype=np.uint32)
        return cls(partials, cache, np.cumsum(sizes), np.concatenate(names or [np.zeros(0, dtype=np.uint64)]),
                   pa.concat_tables(places or [schema.empty_table()]), flat.reshape(-1, SKETCH),
                   pa.concat_tables(rejected or [tables.TABLES["rejected"].schema.empty_table()]), cut)

    def __post_init__(self) -> None:
        self.again = self._again()

    def tell_apart(self, fingerprint: str, run: Callable, names: set[str]) -> None:
        """Find out which articles belong to one story.

        Args:
            fingerprint: of the code that finds out.
            run: a `map` over tasks.
            names: gets the cache names of what is found out about pairs of texts, for the next time.
        """
        # an undated copy never leads: "~" sorts after every date
        order = pc.sort_indices(self.places.set_column(0, "date", pc.fill_null(self.places["date"], "~")),
                                [(n, "ascending") for n in ("date", "source_file", "position")]).to_numpy()
        ranks = np.empty(len(order), dtype=np.int64)
        ranks[order] = np.arange(len(order))
        self.places = self.places.slice(0, 0)
        name, judged = f"judged-{digest(fingerprint)}", Judged()
        if self.cache.has(name):
            a, b, same = (column.to_numpy() for column in self.cache.read(name)["judged"].columns)
            judged = Judged(np.column_stack([a, b]), same.astype(bool))
        before = judged.pairs
        self.first = link(ranks, self.names, self.sketches, lambda pairs: self._judged(pairs, run),
                          lambda signatures: self._proposed(signatures, fingerprint, run, names), judged)
        self.sketches = self.sketches[:0]
        self.shared = np.bincount(self.first, minlength=len(self.first))[self.first] > 1
        if not self.cache.has(name) or not np.array_equal(before, judged.pairs):
            a, b = np.ascontiguousarray(judged.pairs.T)
            self.cache.write(name, {"judged": pa.table({"a": a, "b": b, "same": judged.same.astype(np.int8)})})
        names.add(name)

    def _again(self) -> np.ndarray:
        again = np.ones(len(self.names), dtype=np.int32)
        _, inverse, counts = np.unique(self.names, return_inverse=True, return_counts=True)
        several = np.flatnonzero(counts[inverse] > 1)
        if len(several):
            rows = self.places.select(["source_file", "position"]).take(pa.array(several))
            rows = rows.append_column("name", pa.array(inverse[several]))
            order = pc.sort_indices(rows, [(n, "ascending") for n in ("name", "source_file", "position")]).to_numpy()
            name = inverse[several][order]
            start = np.flatnonzero(np.append(True, name[1:] != name[:-1]))
            nth = np.arange(len(name)) - np.repeat(start, np.diff(np.append(start, len(name))))
            again[several[order]] = nth + 1
        return again

    def _proposed(self, signatures: Signatures, fingerprint: str, run: Callable, names: set[str]
                  ) -> Iterator[np.ndarray]:
        """The pairs of names that signatures propose, some shards at a time, by the workers if they are many."""
        sets = batches(signatures)
        tasks = [Propose(str(self.cache.folder), f"proposed-{digest(fingerprint, str(len(sets)), str(i))}",
                         tuple(shards.tolist()), tuple(stamps.tolist())) for i, (shards, stamps) in enumerate(sets)]
        names.update(task.name for task in tasks)
        if len(tasks) == 1:
            done = iter([_propose(tasks[0], signatures)])
        else:
            self.cache.write(SIGNATURES, {"signatures": pa.table({n: pa.FixedSizeListArray.from_arrays(
                pa.array(values.ravel()), values.size // len(values)) for n, values in (
                (n, getattr(signatures, n)) for n in Signatures.__dataclass_fields__)})}, packed=False)
            done = run(propose, tasks)
        for name in done:
            pairs = self.cache.read(name, ("pairs",))["pairs"]
            yield np.column_stack([pairs["a"].to_numpy(), pairs["b"].to_numpy()])

    def _judged(self, pairs: np.ndarray, run: Callable) -> np.ndarray:
        """Whether the articles of each row tell one story, by their texts."""
        number = np.searchsorted(self.starts, pairs, side="right") - 1
        row = pairs - self.starts[number]
        order = np.lexsort((pairs[:, 1], pairs[:, 0]))  # so that a task reads few partitions, and many a text once
        tasks = [Judge(str(self.cache.folder), tuple(
            (self.partials[m].texts, i, self.partials[n].texts, j)
            for (m, n), (i, j) in zip(number[some].tolist(), row[some].tolist(), strict=True)))
            for some in (order[i:i + PAIRS_AT_ONCE] for i in range(0, len(order), PAIRS_AT_ONCE))]
        same = np.zeros(len(pairs), dtype=bool)
        same[order] = [answer for found in run(judge, tasks) for answer in found]
        return same

    def _identifier(self, i: int) -> str:
        return _identifier(f"{int(self.names[i]):012x}", int(self.again[i]))

    def again_in(self, number: int) -> tuple[tuple[int, int], ...]:
        """Of the articles of a partition, those whose text stands in an earlier place: row, how manieth."""
        again = self.again[self.starts[number]:self.starts[number + 1]]
        rows = np.flatnonzero(again > 1)
        return tuple(zip(rows.tolist(), again[rows].tolist(), strict=True))

    def shared_in(self, number: int) -> tuple[tuple[int, str], ...]:
        """Of the articles of a partition, those whose story others tell too: row, identifier of the story's first."""
        start, end = self.starts[number], self.starts[number + 1]
        rows = np.flatnonzero(self.shared[start:end])
        return tuple((i, self._identifier(j)) for i, j in zip(rows.tolist(), self.first[start + rows], strict=True))


def _numbers(base_ids: pa.Array) -> np.ndarray:
    """The numbers that identifiers are written of, in twelve hexadecimal digits."""
    digits = np.frombuffer(base_ids.cast(pa.binary()).cast(pa.binary(12)).buffers()[1], dtype=np.uint8)
    digits = digits[:12 * len(base_ids)].reshape(-1, 12).T
    numbers = np.zeros(len(base_ids), dtype=np.uint64)
    for digit in digits:
        numbers <<= np.uint64(4)
        numbers |= np.where(digit > ord("9"), digit - (ord("a") - 10), digit & 15)
    return numbers


def _identifier(base_id: str, again: int) -> str:
    """A unique identifier: the same text in a second place gets `-2`."""
    return base_id if again == 1 else f"{base_id}-{again}"


@dataclass(frozen=True, slots=True)
class Propose:
    """Some shards of hash values with their stamps; the cache has the signatures, and under `name` what these shards
    proposed the last time and are to propose now."""

    cache: str
    name: str
    shards: tuple[int, ...]
    stamps: tuple[int, ...]


def propose(task: Propose) -> str:
    """Find the pairs of texts that some shards propose; kept in the cache under the name returned."""
    kept = Cache(task.cache).read(SIGNATURES)["signatures"]
    columns = {n: _flat(kept[n]) for n in kept.column_names}
    values = {n: c.flatten().to_numpy().reshape(len(kept), -1) for n, c in columns.items()}
    return _propose(task, Signatures(**{n: v if v.shape[1] > 1 else v[:, 0] for n, v in values.items()}))


def _propose(task: Propose, signatures: Signatures) -> str:
    cache, stamps, before = Cache(task.cache), np.array(task.stamps, dtype=np.uint64), None
    if cache.has(task.name):
        read = cache.read(task.name)
        before = Proposed(read["stamps"]["stamp"].to_numpy(), np.column_stack([
            c.to_numpy() for c in read["pairs"].columns]))
    if before is None or not np.array_equal(before.stamps, stamps):
        now = proposed(signatures, np.array(task.shards), stamps, before)
        shard, a, b = np.ascontiguousarray(now.pairs.T)
        cache.write(task.name, {"stamps": pa.table({"stamp": now.stamps}),
                                "pairs": pa.table({"shard": shard, "a": a, "b": b})})
    return task.name


@dataclass(frozen=True, slots=True)
class Judge:
    """Pairs of texts that may be one story: cache name and number of one, cache name and number of the other."""

    cache: str
    pairs: tuple[tuple[str, int, str, int], ...]


def judge(task: Judge) -> list[bool]:
    """Whether the texts of each pair are one story."""
    cache = Cache(task.cache)

    @lru_cache(maxsize=PAIRS_AT_ONCE)  # many a text stands in several pairs
    def shingles_of(name: str, number: int) -> np.ndarray:
        return shingles(cache.text(name, number))

    return [similar(shingles_of(a, i), shingles_of(b, j)) for a, i, b, j in task.pairs]


# ------------------------------------------------------------------------------------------------------------ rows


@dataclass(frozen=True, slots=True)
class Finish:
    """One partition with what only the whole corpus knows: which of its articles have a text that stands elsewhere
    before (row, how manieth), and which share a story with others (row, identifier of its first article).
    `fingerprint` is of the code that merges, `key` says by what its rows are made."""

    partial: Partial
    cache: str
    out: str
    fingerprint: str
    key: str
    again: tuple[tuple[int, int], ...]
    shared: tuple[tuple[int, str], ...]


def write_of_articles(task: Finish) -> None:
    """Write one partition's rows of the tables that name articles and not their stories."""
    cache, bucket = Cache(task.cache), task.partial.bucket
    clean = cache.read(task.partial.clean, {
        "keys": ("base_id",), "articles": ("source_format", "kind", "publisher"), "ledger": None,
        "ledger_counts": None, "cut_files": None})
    coded = cache.read(task.partial.coded, ("article_themes", "article_terms"))
    articles, ledger = clean["articles"], clean["ledger"]
    themes, terms = coded["article_themes"], coded["article_terms"]
    # what stands in many rows is encoded once, by article
    of_article = {n: pc.fill_null(_flat(articles[n]), NONE).dictionary_encode() for n in articles.column_names}
    of_article["article_id"] = _identifiers(task, clean["keys"]).dictionary_encode()
    at = _flat(themes["article"])
    counts = clean["ledger_counts"]
    if bucket and len(clean["cut_files"]):
        counts = counts.filter(pc.invert(pc.is_in(counts["source_file"], _flat(clean["cut_files"]["source_file"]))))
    for name, table in (
            ("ledger", ledger.append_column("article_id", of_article["article_id"].take(_flat(ledger["article"])))
                             .drop_columns(["article"])),
            ("ledger_counts", counts),
            ("article_themes", pa.table(
                {n: themes[n] for n in ("theme", "year", "region", "n_statements")}
                | {n: of_article[n].take(at) for n in ("article_id", "source_format", "kind", "publisher")})),
            ("article_terms", pa.table({"article_id": of_article["article_id"].take(_flat(terms["article"]))}
                                       | {n: terms[n] for n in ("term", "year", "region", "count")}))):
        _write(folder(task.out), name, table, bucket)


def write_of_stories(task: Finish) -> None:
    """Write one partition's rows of the tables that name articles and their stories."""
    cache = Cache(task.cache)
    shown = ("paragraph_texts", *(c.name for c in tables.TABLES["articles"].columns))
    clean = cache.read(task.partial.clean, {"keys": ("base_id",), "articles": shown, "statements": None})
    coded = cache.read(task.partial.coded, ("statements",))["statements"]
    segmented = cache.read(task.partial.words, {"statements": ("n_words",)})
    articles, statements = clean["articles"], clean["statements"]
    ids = _identifiers(task, clean["keys"])
    names = ids.to_pylist()
    for i, story in task.shared:
        names[i] = story
    # what stands in many rows is encoded once, by article
    of_article = {n: column.dictionary_encode() for n, column in (
        ("article_id", ids), ("story_id", pa.array(names, type=pa.string())),
        ("source_file", _flat(articles["source_file"])))}
    owner = _flat(statements["article"])
    n_words = segmented["statements"]["n_words"].to_numpy()
    rows = {n: articles[n] for n in articles.column_names if not n.startswith("paragraph_")} | of_article
    rows |= {"text": pc.binary_join(_flat(articles["paragraph_texts"]), "\n"),
             "n_statements": pa.array(np.bincount(owner, minlength=len(articles)).astype(np.int32)),
             "n_tokens": pa.array(np.bincount(owner, weights=n_words, minlength=len(articles)).astype(np.int64))}
    position = _flat(statements["position"])
    numbers = pc.utf8_lpad(pc.cast(pa.array(range((pc.max(position).as_py() or 0) + 1)), pa.string()), 3, "0")
    of_statement = {"statement_id": pc.binary_join_element_wise(ids.take(owner), numbers.take(position), "-")}
    of_statement |= {n: column.take(owner) for n, column in of_article.items()}
    of_statement |= {n: statements[n] for n in ("paragraph", "position", "text", "heading")}
    of_statement |= {n: coded[n] for n in coded.column_names}
    for name, table in (("articles", pa.table(rows)), ("statements", pa.table(of_statement))):
        _write(folder(task.out), name, table, task.partial.bucket)


def _identifiers(task: Finish, keys: pa.Table) -> pa.Array:
    """The identifiers of a partition's articles."""
    names = keys["base_id"].to_pylist()
    for i, nth in task.again:
        names[i] = _identifier(names[i], nth)
    return pa.array(names, type=pa.string())


def share(task: Finish) -> str:
    """In which cells each term and theme stands in the articles of a partition that share a story: entity, year,
    region, story (a number made from its name), one row an article. Kept in the cache under the name returned, which
    is made from the content: other articles of the partition may change without it; empty where none is shared."""
    if not task.shared:
        return ""
    cache = Cache(task.cache)
    owner = _flat(cache.read(task.partial.clean, {"statements": ("article",)})["statements"]["article"]).to_numpy()
    coded = cache.read(task.partial.coded, {"statements": ("regions", "year", "themes")})["statements"]
    segmented = cache.read(task.partial.words, {"statements": ("n_counted",), "vocabulary": None, "tokens": None})
    n_articles = max(int(owner.max(initial=-1)), *(i for i, _ in task.shared)) + 1
    story, is_shared = np.zeros(n_articles, dtype=np.uint64), np.zeros(n_articles, dtype=bool)
    for i, name in task.shared:
        story[i], is_shared[i] = int(digest(name)[:16], 16), True
    inside = np.flatnonzero(is_shared[owner])
    renumbered = np.full(len(owner), -1, dtype=np.int64)
    renumbered[inside] = np.arange(len(inside))
    columns = coded.take(pa.array(inside))
    cells = Cells.of(columns["regions"].to_pylist(), columns["year"].to_pylist(), owner[inside])
    vocabulary = _flat(segmented["vocabulary"]["term"])
    at = np.repeat(renumbered, segmented["statements"]["n_counted"].to_numpy())
    term, at = segmented["tokens"]["term"].to_numpy()[at >= 0], at[at >= 0]
    coded_themes = [(t, i) for i, ts in enumerate(columns["themes"].to_pylist()) for t in (ts or [NONE])]
    codes = sorted({t for t, _ in coded_themes})
    stories, rank = np.unique(story, return_inverse=True)
    rank = rank.astype(np.min_scalar_type(len(stories)))  # small numbers are soon sorted
    labels, rows, n_labels = [], [], 0
    for kind, names, entity, statement in (  # in the order of their names
            ("term", vocabulary, term, at),
            ("theme", pa.array(codes, type=pa.string()), [codes.index(t) for t, _ in coded_themes],
             [i for _, i in coded_themes]),
            ("total", pa.array([ALL]), np.zeros(len(inside)), np.arange(len(inside)))):
        statement = np.asarray(statement, dtype=np.int64)
        found = cells.distinct(entity, statement, owner[inside].take(statement))
        is_new = np.diff(found["entity"], prepend=-1) > 0  # they ascend
        labels.append(pc.binary_join_element_wise(kind, names.take(pa.array(found["entity"][is_new])), "\t"))
        rows.append((n_labels + np.cumsum(is_new) - 1, found["year"], found["region"], rank.take(found["value"])))
        n_labels += len(labels[-1])
    entity, year, region, of_story = map(np.concatenate, zip(*rows, strict=True))
    # those of a story together, so that who counts some stories reads no others
    order = np.argsort(of_story, kind="stable")
    columns = {"entity": entity, "year": year, "region": region, "story": stories.take(of_story)}
    kept = Counts(pa.concat_arrays(labels), cells.regions, {n: c.take(order) for n, c in columns.items()}).tables(CELLS)
    content = ["\n".join(kept[n].columns[0].to_pylist()) for n in (f"{CELLS} names", f"{CELLS} regions")]
    content += [str(kept[CELLS].schema), *(c.to_numpy().tobytes() for c in kept[CELLS].columns)]
    name = f"stories-{digest(task.fingerprint, *content)}"
    if not cache.has(name):
        cache.write(name, kept | {"rows": pa.table({"n": [len(order)]}),
                                  "stories": pa.table({"story": np.unique(story[is_shared])})}, packed=False)
    return name


def _flat(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


# ------------------------------------------------------------------------------------------------------------ sums


@dataclass(frozen=True, slots=True)
class Sum:
    """A node of the tree: what it adds up and what it takes away, by cache name, the name it is kept under, and
    whether it is the sum of the whole corpus."""

    cache: str
    name: str
    children: tuple[str, ...]
    taken_away: tuple[str, ...] = ()
    is_whole: bool = False


def add_up(task: Sum) -> str:
    """Add up the counts of some partials or nodes; the sum is kept in the cache, that of the whole corpus with the
    rows of all years besides."""
    cache = Cache(task.cache)
    if cache.has(task.name):
        return task.name
    read = [[cache.read(name, _count_tables(KINDS)) for name in names] for names in (task.children, task.taken_away)]
    sums = {kind: added(*([Counts.of_tables(kind, r) for r in tables_] for tables_ in read)) for kind in KINDS}
    out = {name: table for kind in KINDS for name, table in sums[kind].tables(kind).items()}
    for kind in KINDS if task.is_whole else ():
        out |= with_all_years(sums[kind]).tables(WITH_ALL_YEARS + kind)
    cache.write(task.name, out, packed=False)
    return task.name


def _count_tables(kinds: Iterable[str]) -> list[str]:
    return [name for k in kinds for name in (f"{k} names", f"{k} regions", k)]


def _adding_up(partials: Sequence[Partial], before: dict[str, str], cache: Cache, fingerprint: str, run: Callable,
               names: set[str]) -> Callable[[], dict[str, Counts] | None]:
    """Begin to add up the counts of the whole corpus. The function returned waits for them and gives them by kind, or
    None for an empty corpus.

    Args:
        partials: the partitions.
        before: bucket → cache name of the counts of the last build; where few are others, they are taken from its sum.
        cache: where they are.
        fingerprint: of the code that adds.
        run: a `map` over tasks.
        names: gets the cache name of the sum.
    """
    if not partials:
        return lambda: None
    now = {p.bucket: p.coded for p in partials}
    new, gone = sorted(set(now.values()) - set(before.values())), sorted(set(before.values()) - set(now.values()))
    whole, old = (f"sums-{digest(fingerprint, *sorted(leaves.values()))}" for leaves in (now, before))
    levels: list[list[Sum]] = []
    if cache.has(whole):
        pass
    elif FEW_CHANGES * (len(new) + len(gone)) < len(now) and all(map(cache.has, (old, *gone))):
        levels = [[Sum(str(cache.folder), whole, (old, *new), tuple(gone), is_whole=True)]]
    else:
        _planned(sorted(now.items()), 0, str(cache.folder), fingerprint, levels, whole)
    names.add(whole)
    first = run(add_up, levels[0]) if levels else iter(())

    def added_up() -> dict[str, Counts]:
        deque(first, maxlen=0)
        for level in levels[1:]:
            deque(run(add_up, level), maxlen=0)
        read = cache.read(whole, _count_tables(WITH_ALL_YEARS + kind for kind in KINDS))
        return {kind: Counts.of_tables(WITH_ALL_YEARS + kind, read) for kind in KINDS}

    return added_up


def _planned(leaves: list[tuple[str, str]], depth: int, folder: str, fingerprint: str, levels: list[list[Sum]],
             name: str = "") -> tuple[str, int]:
    """The name and the height of the node over `leaves` (bucket, cache name), which share `depth` binary digits; it
    and the nodes below it are added to `levels` by height. `name` is the name it is to have."""
    if len(leaves) == 1 and not name:
        return leaves[0][1], 0
    if len(leaves) <= FAN_IN:
        below = [(leaf, 0) for _, leaf in leaves]
    else:
        bits = min(MAX_BITS, ((len(leaves) - 1) // FAN_IN).bit_length())
        below = [_planned(list(group), depth + bits, folder, fingerprint, levels)
                 for _, group in groupby(leaves, key=lambda leaf: leaf[0][:depth + bits])]
    children = tuple(child for child, _ in below)
    height = max(h for _, h in below)
    while len(levels) <= height:
        levels.append([])
    node = Sum(folder, name or f"part-of-sums-{digest(fingerprint, *children)}", children, is_whole=bool(name))
    levels[height].append(node)
    return node.name, height + 1


@dataclass(frozen=True, slots=True)
class Surplus:
    """Some of the stories that several articles tell: those whose number is in the part `number` of `of` equal parts
    of all numbers.

    Where few `files` are others than those `files_before` whose surplus is kept under `before`, they can be these
    alone: then the stories are those that any of them tells, and all else is as it was.
    """

    cache: str
    name: str
    files: tuple[str, ...]
    number: int
    of: int
    before: str = ""
    files_before: tuple[str, ...] = ()


def count_surplus(task: Surplus) -> str:
    """By how much articles outnumber stories in each cell, for some of the stories; kept in the cache."""
    cache, now, then = Cache(task.cache), Counter(task.files), Counter(task.files_before)
    if task.before:
        told = [_stories_told(name, cache) for name in sorted((now - then) + (then - now))]
        stories = np.unique(np.concatenate(told))
        both = _shared_cells(task, now & then, stories, cache)
        found, gone = (_surplus_of(both, _shared_cells(task, files, stories, cache))
                       for files in (now - then, then - now))
        found = added([Counts.of_tables(CELLS, cache.read(task.before)), found], [gone])
    else:
        found = _surplus_of(_shared_cells(task, now, None, cache))
    cache.write(task.name, found.tables(CELLS))
    return task.name


def _stories_told(name: str, cache: Cache) -> np.ndarray:
    """The numbers of the stories of a file of shared cells, ascending."""
    return cache.read(name, ["stories"])["stories"]["story"].to_numpy()


def _shared_cells(task: Surplus, files: Counter, stories: np.ndarray | None, cache: Cache) -> list[Counts]:
    """The cells of shared articles of a task's stories, a part for each file: of all its stories, or of `stories`,
    which ascend."""
    parts: list[Counts] = []
    for name in files.elements():
        if stories is not None:
            told = _stories_told(name, cache)
            place = np.searchsorted(told, stories)
            if not (told.take(place, mode="clip") == stories).any():
                continue
        parts.append(_of_stories(Counts.of_tables(CELLS, cache.read(name, _count_tables((CELLS,)))), task, stories))
    return parts


def _surplus_of(*several: list[Counts]) -> Counts:
    """By how much articles outnumber stories in each cell, over several lists of parts."""
    nothing = Counts(pa.array([], pa.string()), [], {n: np.zeros(0, np.int64) for n in (*KEYS, "story")})
    return outnumbered([nothing, *chain.from_iterable(several)], "story")


def _of_stories(cells: Counts, task: Surplus, stories: np.ndarray | None) -> Counts:
    """Of the cells of shared articles, those of a task's stories."""
    story = cells.columns["story"]
    start, end = (np.searchsorted(story, np.uint64(i * 2 ** 64 // task.of)) if i < task.of else len(story)
                  for i in (task.number, task.number + 1))
    # copied, so that the file is let go: of many, the pages that lie about the rows would add up
    columns = {n: c[start:end].copy() for n, c in cells.columns.items()}
    if stories is None and end - start == len(story):
        return Counts(cells.names, cells.regions, columns)
    if stories is not None:
        told = np.isin(columns["story"], stories)
        columns = {n: c[told] for n, c in columns.items()}
    used = np.unique(columns["entity"])
    return Counts(cells.names.take(pa.array(used)), cells.regions,
                  columns | {"entity": np.searchsorted(used, columns["entity"])})


def _surplus(files: list[str], before: list[str], cache: Cache, fingerprint: str, run: Callable,
             names: set[str]) -> Callable[[], dict[str, Counts] | None]:
    """Begin to count by how much articles outnumber stories. The function returned waits for it and gives it for each
    cell, by kind; or None where no story is told twice.

    Args:
        files: of the cells of shared articles, by cache name, one for each partition that has any; sorted.
        before: those of the last build; where few are others, its surplus is taken as a start.
        cache: where they are.
        fingerprint: of the code that counts.
        run: a `map` over tasks.
        names: gets the cache names of what is made.
    """
    if not files:
        return lambda: None
    n_rows = sum(cache.read(f, ["rows"])["rows"]["n"][0].as_py() for f in files)
    n = n_rows // SHARED_ROWS + 1

    def named(i: int, some: list[str]) -> str:
        return f"surplus-{digest(fingerprint, str(i), str(n), *some)}"

    now, then = Counter(files), Counter(before)
    few = FEW_CHANGES * ((now - then) + (then - now)).total() < len(files) and all(map(cache.has, before))
    tasks = []
    for i in range(n):
        start = few and cache.has(named(i, before))
        tasks.append(Surplus(str(cache.folder), named(i, files), tuple(files), i, n,
                             *((named(i, before), tuple(before)) if start else ())))
    names.update(task.name for task in tasks)
    counted = run(count_surplus, [task for task in tasks if not cache.has(task.name)])

    def surplus() -> dict[str, Counts]:
        deque(counted, maxlen=0)
        whole = added([Counts.of_tables(CELLS, cache.read(task.name)) for task in tasks])
        return {kind: whole.of_kind(f"{kind}\t") for kind in COUNTING_STORIES}

    return surplus


# ---------------------------------------------------------------------------------------------------------- tables


def _write_counts(out: Path, root: dict[str, Counts] | None) -> dict[str, pa.Table]:
    """Write the counts that stories do not matter for; returns the others by kind, but for n_stories."""
    if root is None:
        for name in (*COUNTING_STORIES.values(), "theme_pairs", "deontic_counts"):
            _write(out, name, tables.TABLES[name].schema.empty_table())
        return {}
    themes, totals, pairs, deontic = (root[kind] for kind in ("theme", "total", "pair", "deontic"))
    first, second = (pairs.relabelled(lambda name, side=side: name.split("\t")[side]) for side in (0, 1))
    rows = pairs.table("name")
    _write(out, "theme_pairs", pa.table({
        "theme_a": first.entities, "theme_b": second.entities, "year": rows["year"], "region": rows["region"],
        "n_both": rows["n_statements"],
        "n_a": pa.array(first.at(themes, "n_statements")), "n_b": pa.array(second.at(themes, "n_statements")),
        "n_statements": pa.array(pairs.relabelled(lambda name: ALL).at(totals, "n_statements"))}))

    grade, theme = (deontic.relabelled(lambda name, side=side: name.split("\t")[side]) for side in (0, 1))
    rows = deontic.table("name").drop_columns(["name"])
    _write(out, "deontic_counts", rows.append_column("deontic", grade.entities)
                                      .append_column("theme", theme.entities))

    agencies = root["agency"].relabelled(lambda name: name.split("\t")[0])
    agencies.columns["n_agencies"] = np.ones(len(agencies), dtype=np.int64)
    agencies = added([agencies])
    return {"term": root["term"].table("term")} | {
        kind: root[kind].table(kind).append_column("n_agencies", pa.array(root[kind].at(agencies, "n_agencies")))
        for kind in ("theme", "total")}


def _write_counts_of_stories(out: Path, root: dict[str, Counts] | None, counted: dict[str, pa.Table],
                             surplus: dict[str, Counts] | None) -> None:
    """Write what `_write_counts` left: an article is one story, but where `surplus` says that there are fewer."""
    for kind, table in counted.items():
        fewer = root[kind].at(surplus[kind], "n_fewer") if surplus else 0
        table = table.append_column("n_stories", pa.array(root[kind].columns["n_articles"].astype(np.int64) - fewer))
        _write(out, COUNTING_STORIES[kind], table.drop_columns(["total"]) if kind == "total" else table)


def _write_cut_files(out: Path, cut: list[str], cache: Cache) -> None:
    """The part of ledger_counts with the files that stand in several partitions."""
    folder = tables.path_of(out, "ledger_counts")
    if not folder.is_dir():
        return
    found = []
    for name in cut:
        read = cache.read(name, ("ledger_counts", "cut_files"))
        found.append(read["ledger_counts"].filter(
            pc.is_in(read["ledger_counts"]["source_file"], _flat(read["cut_files"]["source_file"]))))
    if found:
        _write(out, "ledger_counts", row_counts(pa.concat_tables(found)), CUT_FILES)
    else:
        _part(out, "ledger_counts", CUT_FILES).unlink(missing_ok=True)


def _part(out: Path, name: str, bucket: str) -> Path:
    """Where a partition's rows of a table go: the table itself for the only partition, else a part of it."""
    path = tables.path_of(out, name)
    return path / f"part-{bucket}.parquet" if bucket else path


def _write(out: Path, name: str, table: pa.Table, bucket: str = "") -> None:
    table = tables.checked(name, table)
    plain = [c for c in table.column_names if c not in _HARDLY_TWICE]
    tables.write_parquet(_part(out, name, bucket), table, dictionary=plain if name in PARTED else None, durable=False)
    if tables.TABLES[name].csv and not bucket:
        tables.write_csv(tables.path_of(out, name).with_suffix(".csv"), table, durable=False)


def _make_way(out: Path, buckets: list[str]) -> None:
    """Remove what a build of other partitions left, parts or the table in one file, and what a build that was ended
    left half-written."""
    single = buckets in ([], [""])
    wanted = {f"part-{b}.parquet" for b in (*buckets, CUT_FILES)}
    for half_written in tables.processed(out).glob(".*.tmp"):
        half_written.unlink()
    for name in tables.TABLES:
        path = tables.path_of(out, name)
        if path.is_dir():
            for part in path.iterdir():
                if single or name not in PARTED or part.name not in wanted:
                    part.unlink()
            if (single or name not in PARTED) and path.is_dir():  # a store has no empty folders
                path.rmdir()
        elif name in PARTED and not single:
            # a table in parts is for programs: no spreadsheet holds it
            path.unlink(missing_ok=True)
            path.with_suffix(".csv").unlink(missing_ok=True)
            if is_local(path):
                path.mkdir(parents=True)
