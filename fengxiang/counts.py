"""Counts over one partition, and their exact sum over many.

Every count is made for each year and region, for all years together (year -1), for all regions together (region
`all`), and for both. A statement of several regions counts once in each of them and once in `all`.

Counting is sorting: occurrences are put in the order of what is counted, the cell and the statement; then the counts
are the lengths of runs. All years are what the years add up to, but for articles whose statements are of several
years: partials and their sums hold the years, and in the rows of all years only what these are fewer; `with_all_years`
makes the rows of all years at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .tables import ALL, ALL_YEARS, NONE, UNKNOWN_YEAR

MAX_KEYS = 2 ** 63  # different keys that an integer can be
MERGED_ROWS = 4_000_000  # rows that are added up at once
KEYS = ("entity", "year", "region")


@dataclass(slots=True)
class Cells:
    """Which cells (year × region) each statement of a partition counts in: its own year with each of its regions and
    with all regions. The cells of all years follow from these, see `with_all_years`.

    Attributes:
        regions: the names of the region codes, sorted.
        years: the years of the year codes, sorted; the first is all years.
        cell: cell codes (year code × regions + region code), ascending, one entry a statement and cell.
        statement: the statement of each entry, ascending within a cell.
        article: for each statement, its article; ascending.
        changing: for each statement, whether its article has statements of several years.
    """

    regions: list[str]
    years: np.ndarray
    cell: np.ndarray
    statement: np.ndarray
    article: np.ndarray
    changing: np.ndarray

    @classmethod
    def of(cls, regions: Sequence[Sequence[str]], years: Sequence[int | None], article: Sequence[int]) -> Cells:
        """Cells from each statement's regions, year and article."""
        regions = list(map(tuple, regions))
        kinds = {r: i for i, r in enumerate(dict.fromkeys(regions))}
        kind = np.fromiter(map(kinds.__getitem__, regions), dtype=np.int64, count=len(regions))
        names = sorted({r for rs in kinds for r in rs} | {NONE, ALL})
        code = {name: i for i, name in enumerate(names)}
        members = [sorted({code[r] for r in (*(rs or (NONE,)), ALL)}) for rs in kinds]
        size = np.array([len(m) for m in members], dtype=np.int64)
        start = _before(size)
        flat = np.array([r for m in members for r in m], dtype=np.int64)
        year_names, year = np.unique(np.array([ALL_YEARS, *[y or UNKNOWN_YEAR for y in years]], dtype=np.int64),
                                     return_inverse=True)
        year = year[1:]
        at, member = _repeated(size[kind], start[kind])
        cell = year[at] * len(names) + flat[member]
        order = _order(cell)
        article = np.asarray(article, dtype=np.int32)
        turns = (article[1:] == article[:-1]) & (year[1:] != year[:-1])
        changing = np.isin(article, article[1:][turns])
        return cls(names, year_names, cell.take(order).astype(np.int32), at.take(order), article, changing)

    def _spread(self, statement: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Each occurrence once for each cell of its statement, ordered by cell and statement.

        Args:
            statement: that of each occurrence.

        Returns:
            The entry of `cell` and `statement`, and the occurrence.
        """
        n = np.bincount(statement, minlength=len(self.article)).astype(np.int32)
        entry, at = _repeated(n.take(self.statement), _before(n).take(self.statement))
        return entry, at if _ascends(statement) else _order(statement).take(at)

    @property
    def n_cells(self) -> int:
        return len(self.years) * len(self.regions)

    def _of_cells(self, cell: np.ndarray) -> dict[str, np.ndarray]:
        year, region = np.divmod(cell, len(self.regions))
        return {"year": self.years[year], "region": region}

    def counted(self, entity: np.ndarray, statement: np.ndarray, weight: np.ndarray | None = None
                ) -> dict[str, np.ndarray]:
        """Counts of entities by cell.

        Args:
            entity: codes from 0, one entry an occurrence.
            statement: the statement of each occurrence.
            weight: of each statement; summed over the occurrences.

        Returns:
            Columns entity, year, region (code), count, n_statements, n_articles and, if asked for, weight; sorted by
            the first three. What all years have beyond the sum of the years are rows of all years.
        """
        names = ("count", "n_statements", "n_articles", *(() if weight is None else ("weight",)))
        if not len(entity):
            return {n: np.zeros(0, dtype=np.int64) for n in (*KEYS, *names)}
        entry, at = self._spread(np.asarray(statement))
        entity = _narrowed(np.asarray(entity)).take(at)
        order = _order(entity)
        entity, entry = entity.take(order), entry.take(order)
        cell, owner = self.cell.take(entry), self.statement.take(entry)
        new_place = _changes(entity) | _changes(cell)
        # words seldom stand twice in a statement or in the statements of an article that count in a cell
        same_statement = (~(new_place | _changes(owner))).nonzero()[0]
        new_article = new_place | _changes(self.article.take(owner))
        starts = new_place.nonzero()[0]
        size = np.diff(starts, append=len(entry))
        place = entity.take(starts).astype(np.int64) * self.n_cells + cell.take(starts)
        columns = {"count": size} | {
            name: size - np.bincount(starts.searchsorted(again, side="right") - 1, minlength=len(starts))
            for name, again in (("n_statements", same_statement), ("n_articles", (~new_article).nonzero()[0]))}
        if weight is not None:
            columns["weight"] = np.add.reduceat(np.asarray(weight, dtype=np.int64).take(owner), starts)
        inside = (new_article & self.changing.take(owner)).nonzero()[0]
        if len(inside):
            more, fewer = self._articles_of_several_years(entity.take(inside), cell.take(inside),
                                                          self.article.take(owner.take(inside)))
            columns = {n: np.append(c, fewer if n == "n_articles" else np.zeros_like(fewer))
                       for n, c in columns.items()}
            place = np.append(place, more)
            order = np.argsort(place, kind="stable")
            place, columns = place[order], {n: c[order] for n, c in columns.items()}
        entity, cell = np.divmod(place, self.n_cells)
        return {"entity": entity} | self._of_cells(cell) | columns

    def _articles_of_several_years(self, entity: np.ndarray, cell: np.ndarray, article: np.ndarray
                                   ) -> tuple[np.ndarray, np.ndarray]:
        """By how much the articles of each entity and region are fewer in all years than in the years together.

        Args:
            entity, cell, article: where each of these articles counts, all different.

        Returns:
            Places (entity × cells + the cell of all years), and numbers below 0.
        """
        width = int(article.max()) + 1
        place = entity.astype(np.int64) * self.n_cells + cell % len(self.regions)
        key, years = _runs(place * width + article)
        several = years > 1
        place = key[several] // width
        starts = _changes(place).nonzero()[0]
        return place[starts], np.add.reduceat(1 - years[several], starts) if len(starts) else starts

    def distinct(self, entity: np.ndarray, statement: np.ndarray, value: np.ndarray, *,
                 own_year: bool = False) -> dict[str, np.ndarray]:
        """Distinct values (codes from 0) by entity and cell.

        Args:
            entity, statement, value: parallel, one entry an occurrence.
            own_year: leave out the cells of all years.

        Returns:
            Columns entity, year, region (code), value, count (occurrences), sorted by the first four.
        """
        entity, statement, value = (np.asarray(c, dtype=np.int64) for c in (entity, statement, value))
        width = int(value.max()) + 1 if len(value) else 1
        entry, at = self._spread(statement)
        cell = self.cell.take(entry)
        if not own_year:
            cell, at = np.append(cell, cell % len(self.regions)), np.append(at, at)
        key, count = _runs((entity[at] * self.n_cells + cell) * width + value[at])
        place, found = np.divmod(key, width)
        entity, cell = np.divmod(place, self.n_cells)
        return {"entity": entity} | self._of_cells(cell) | {"value": found, "count": count}


def _narrowed(values: np.ndarray) -> np.ndarray:
    """The same numbers in no more bytes than they need."""
    if not len(values) or values.dtype == np.uint64:
        return values
    low, high = int(values.min()), int(values.max())
    # of numbers some of which are negative, as many bits as the largest needs with its sign
    return values.astype(np.min_scalar_type(high) if low >= 0 else np.min_scalar_type(min(low, -high - 1)))


def _before(size: np.ndarray) -> np.ndarray:
    """For each place, the sum of the sizes of those before it."""
    return np.cumsum(size, dtype=np.int32) - size


def _repeated(size: np.ndarray, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each index as often as `size` says, and its `first`, one more at each repeat."""
    at = np.repeat(np.arange(len(size), dtype=np.int32), size)
    return at, np.repeat(first - _before(size), size) + np.arange(len(at), dtype=np.int32)


def _ascends(values: np.ndarray) -> bool:
    """Whether no value is smaller than the one before it."""
    return bool((values[1:] >= values[:-1]).all())


def _order(codes: np.ndarray) -> np.ndarray:
    """The order that sorts codes from 0, equal ones as they stand. In 16 bits, where they fit, they are sorted by
    their digits, in a quarter of the time."""
    return np.argsort(codes.astype(np.min_scalar_type(int(codes.max(initial=0)))), kind="stable")


def _changes(values: np.ndarray) -> np.ndarray:
    """Whether each of the values differs from the one before it."""
    out = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=out[1:])
    return out


def _runs(key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct keys, sorted, and how often each stands."""
    key = np.sort(key)
    starts = np.flatnonzero(_changes(key))
    return key[starts], np.diff(np.append(starts, len(key)))


# ------------------------------------------------------------------------------------------------- sums of partials


@dataclass(slots=True)
class Counts:
    """Count columns by entity, year and region: of one partition, or of many added up.

    Attributes:
        names: the entities, sorted; `columns["entity"]` indexes them.
        regions: the regions, sorted; `columns["region"]` indexes them.
        columns: entity, year, region, then what is counted, sorted by the first three.
    """

    names: pa.Array
    regions: list[str]
    columns: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.columns["entity"])

    @property
    def values(self) -> list[str]:
        """The names of the columns that are added up."""
        return [n for n in self.columns if n not in KEYS]

    def tables(self, kind: str) -> dict[str, pa.Table]:
        """As Arrow tables, to be kept under the name `kind`."""
        return {f"{kind} names": pa.table({"name": self.names}),
                f"{kind} regions": pa.table({"region": pa.array(self.regions, type=pa.string())}),
                kind: pa.table({n: _narrowed(v) for n, v in self.columns.items()})}

    @classmethod
    def of_tables(cls, kind: str, tables: dict[str, pa.Table]) -> Counts:
        """What `tables` gave."""
        return cls(_flat(tables[f"{kind} names"]["name"]), tables[f"{kind} regions"]["region"].to_pylist(),
                   {n: tables[kind][n].to_numpy() for n in tables[kind].column_names})

    def table(self, label: str) -> pa.Table:
        """One row a cell: `label` (the entity's name), year, region (its name) and the counts."""
        taken = {label: self.names.take(pa.array(self.columns["entity"])),
                 "year": pa.array(self.columns["year"].astype(np.int32)),
                 "region": pa.array(self.regions, type=pa.string()).take(pa.array(self.columns["region"]))}
        return pa.table(taken | {n: pa.array(self.columns[n].astype(np.int64)) for n in self.values})

    def relabelled(self, label: Callable[[str], str]) -> Counts:
        """The same rows under other names; `label` says which for each. Rows keep their order, so they need not be
        sorted any more; several may have one name."""
        labels = [label(name) for name in self.names.to_pylist()]
        names = sorted(set(labels))
        code = {name: i for i, name in enumerate(names)}
        of = np.array([code[name] for name in labels], dtype=np.int64)
        return Counts(pa.array(names, type=pa.string()), self.regions,
                      self.columns | {"entity": of[self.columns["entity"]] if len(of) else self.columns["entity"]})

    def at(self, other: Counts, column: str) -> np.ndarray:
        """`column` of `other` for each row of this, by entity, year and region; 0 where it has none."""
        if not len(other) or not len(self):
            return np.zeros(len(self), dtype=np.int64)
        entity = pc.fill_null(pc.index_in(self.names, other.names), -1).to_numpy(zero_copy_only=False)
        region = np.array([other.regions.index(r) if r in other.regions else -1 for r in self.regions])
        years = np.unique(other.columns["year"])
        e, r = entity[self.columns["entity"]].astype(np.int64), region[self.columns["region"]]
        y = np.searchsorted(years, self.columns["year"])
        y[(y == len(years)) | (years[np.minimum(y, len(years) - 1)] != self.columns["year"])] = -1
        ours = np.where((e < 0) | (r < 0) | (y < 0), -1, (e * len(years) + y) * len(other.regions) + r)
        theirs = ((other.columns["entity"].astype(np.int64) * len(years)
                   + np.searchsorted(years, other.columns["year"])) * len(other.regions) + other.columns["region"])
        found = np.minimum(np.searchsorted(theirs, ours), len(theirs) - 1)
        return np.where(theirs[found] == ours, other.columns[column][found], 0).astype(np.int64)


def added(parts: Sequence[Counts], taken_away: Sequence[Counts] = ()) -> Counts:
    """The sum of counts, the same whatever the order and grouping of `parts`.

    Args:
        parts: what is added up.
        taken_away: what is subtracted: counts that have been added before. Rows that come to nothing are left out.
    """
    n_added, parts = len(parts), [*parts, *taken_away]
    whole, keys = _placed(parts)
    # names, years and regions of each part are in the order of the whole, so the keys of sorted parts are sorted
    if not all(map(_ascends, keys)):
        orders = [np.argsort(k, kind="stable") for k in keys]
        keys = [k[o] for k, o in zip(keys, orders, strict=True)]
        parts = [Counts(p.names, p.regions, {n: c[o] for n, c in p.columns.items()})
                 for p, o in zip(parts, orders, strict=True)]
    found: list[np.ndarray] = []
    sums: dict[str, list[np.ndarray]] = {n: [] for n in parts[0].values}
    for cuts in _blocks(keys):
        key = np.concatenate([k[a:b] for k, (a, b) in zip(keys, cuts, strict=True)])
        columns = {n: np.concatenate([p.columns[n][a:b] if i < n_added else -p.columns[n][a:b].astype(np.int64)
                                      for i, (p, (a, b)) in enumerate(zip(parts, cuts, strict=True))]) for n in sums}
        order = np.argsort(key, kind="stable")  # it makes use of what is sorted already
        key = key.take(order)
        starts = np.flatnonzero(_changes(key))
        found.append(key[starts])
        for name, values in columns.items():
            values = values.take(order)
            sums[name].append(np.add.reduceat(values, starts, dtype=np.int64) if len(starts) else key[:0])
    key = np.concatenate(found)
    columns = {n: np.concatenate(v) for n, v in sums.items()}
    if taken_away:
        left = np.any(list(columns.values()), axis=0)
        key, columns = key[left], {n: c[left] for n, c in columns.items()}
    return whole.at_places(key, columns)


def outnumbered(parts: Sequence[Counts], column: str) -> Counts:
    """By how much the rows of each entity, year and region outnumber the different values of a column, over all parts:
    column n_fewer, only where it is not 0. The same whatever the order of `parts`; all are held at once."""
    whole, keys = _placed(parts)
    runs = [_changes(p.columns[column]) for p in parts]  # values mostly stand in runs
    values = [p.columns[column][new] for p, new in zip(parts, runs, strict=True)]
    every = np.unique(np.concatenate(values))
    ranks = [np.searchsorted(every, some)[np.cumsum(new) - 1] for some, new in zip(values, runs, strict=True)]
    row = np.concatenate([k * len(every) + r for k, r in zip(keys, ranks, strict=True)])
    row.sort(kind="stable")
    key = row // max(len(every), 1)
    starts = np.flatnonzero(_changes(key))
    again = ~_changes(row)
    fewer = np.add.reduceat(again, starts, dtype=np.int64) if len(starts) else key[:0]
    left = fewer > 0
    return whole.at_places(key[starts][left], {"n_fewer": fewer[left]})


@dataclass(slots=True)
class _Whole:
    """What several counts are of together: names, regions and years, each sorted."""

    names: pa.Array
    regions: list[str]
    years: np.ndarray

    def at_places(self, place: np.ndarray, columns: dict[str, np.ndarray]) -> Counts:
        """Counts by places, as `_placed` numbers them."""
        place, region = np.divmod(place, max(len(self.regions), 1))
        entity, year = np.divmod(place, max(len(self.years), 1))
        keys = {"entity": entity, "year": self.years[year], "region": region}
        return Counts(self.names, self.regions, keys | columns)


def _placed(parts: Sequence[Counts]) -> tuple[_Whole, list[np.ndarray]]:
    """What the parts are of together, and for the rows of each a number that says entity, year and region, in the
    order of these."""
    names, entities = _unified([p.names for p in parts])
    regions = sorted({r for p in parts for r in p.regions})
    code = {r: i for i, r in enumerate(regions)}
    years = np.unique(np.concatenate([_different(p.columns["year"]) for p in parts]))
    keys = []
    for p, entity in zip(parts, entities, strict=True):
        region = np.array([code[r] for r in p.regions], dtype=np.int64)
        keys.append(((entity[p.columns["entity"]] * len(years) + np.searchsorted(years, p.columns["year"]))
                     * len(regions) + region[p.columns["region"]]) if len(p) else np.zeros(0, dtype=np.int64))
    return _Whole(names, regions, years), keys


def with_all_years(counts: Counts) -> Counts:
    """Counts of years with the rows of all years; what stands in these before is what they have beyond the sum."""
    width = max(len(counts.regions), 1)
    entity, region = (counts.columns[n].astype(np.int64) for n in ("entity", "region"))
    place = entity * width + region
    found: list[np.ndarray] = []
    sums: dict[str, list[np.ndarray]] = {n: [] for n in counts.values}
    for first in range(0, len(counts.names), max(MERGED_ROWS // width, 1)):
        start, end = np.searchsorted(entity, (first, first + max(MERGED_ROWS // width, 1)))
        here = place[start:end] - first * width
        used = np.bincount(here).nonzero()[0]
        found.append(used + first * width)
        for name, parts in sums.items():  # whole numbers far below those that a float cannot hold
            parts.append(np.bincount(here, counts.columns[name][start:end])[used].astype(np.int64))
    all_years = np.concatenate([place[:0], *found])
    own = (counts.columns["year"] != ALL_YEARS).nonzero()[0]
    rows = {"entity": all_years // width, "year": np.full(len(all_years), ALL_YEARS), "region": all_years % width}
    rows |= {n: np.concatenate([place[:0], *parts]) for n, parts in sums.items()}
    rows = {n: np.concatenate([c, counts.columns[n][own]]) for n, c in rows.items()}
    # both are sorted; the rows of all years come first of each entity
    order = np.argsort(rows["entity"], kind="stable")
    return Counts(counts.names, counts.regions, {n: c.take(order) for n, c in rows.items()})


def _different(years: np.ndarray) -> np.ndarray:
    """The different values of small numbers, sorted."""
    if not len(years):
        return np.zeros(0, dtype=np.int64)
    lowest = int(years.min())
    return np.flatnonzero(np.bincount(years.astype(np.int64) - lowest)) + lowest


def row_counts(table: pa.Table) -> pa.Table:
    """`table` with its numbers (`n_…`) added up over rows of the same words, sorted by these."""
    keys = [n for n in table.column_names if not n.startswith("n_")]
    values = [n for n in table.column_names if n.startswith("n_")]
    if not len(table):
        return table.select(keys + values)
    key, n_keys = np.zeros(len(table), dtype=np.int64), 1
    for name in keys:
        words, (code,) = _unified([_flat(table[name])])
        if n_keys * len(words) > MAX_KEYS:  # more than fit a key: those that stand there, numbered
            different, key = np.unique(key, return_inverse=True)
            n_keys = len(different)
        key, n_keys = key * len(words) + code, n_keys * len(words)
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(_changes(key[order]))
    first = pa.array(order[starts])
    return pa.table({n: table[n].take(first) for n in keys} | {
        n: pa.array(np.add.reduceat(table[n].to_numpy()[order], starts), type=table[n].type) for n in values})


def _blocks(keys: list[np.ndarray]):
    """Where to cut sorted arrays so that equal keys stay together: for each block, the range of each array."""
    total = sum(map(len, keys))
    longest = max(keys, key=len)
    n = total // MERGED_ROWS + 1
    bounds = longest[np.linspace(0, len(longest), n + 1)[1:-1].astype(int)] if len(longest) else []
    cuts = np.array([[0, *np.searchsorted(k, bounds), len(k)] for k in keys])
    for i in range(n):
        yield [(int(a), int(b)) for a, b in cuts[:, i:i + 2]]


def _unified(names: list[pa.Array]) -> tuple[pa.Array, list[np.ndarray]]:
    """All names once, sorted, and for each list the place of its names in it."""
    coded = pa.chunked_array(names, type=pa.string()).dictionary_encode()
    if not coded.num_chunks or not len(coded):
        return pa.array([], type=pa.string()), [np.zeros(0, dtype=np.int64) for _ in names]
    coded = coded.unify_dictionaries()
    every = coded.chunk(0).dictionary
    order = pc.sort_indices(every).to_numpy()
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    flat = rank[np.concatenate([c.indices.to_numpy() for c in coded.chunks])]
    return every.take(pa.array(order)), np.split(flat, np.cumsum([len(n) for n in names])[:-1])


def _flat(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
