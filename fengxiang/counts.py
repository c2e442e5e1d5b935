"""Counts over one partition, and their exact sum over many.

Every count is made for each year and region, for all years together (year -1), for all regions together (region
`all`), and for both. A statement of several regions counts once in each of them and once in `all`.

Counting is sorting: occurrences are put in the order of what is counted, the cell and the statement; then the counts
are the lengths of runs. All years are what the years add up to, but for articles whose statements are of several
years: partials and their sums hold the years, and in the rows of all years only what these are fewer; `with_all_years`
makes the rows of all years at the end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, count

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .tables import ALL, ALL_YEARS, NONE, UNKNOWN_YEAR

MAX_KEYS = 2 ** 63  # different keys that an integer can be
MERGED_ROWS = 4_000_000  # rows that are added up at once
KEYS_A_ROW = 4  # where there are rows for one in so many keys, they are put in their places; elsewhere they are sorted
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
        stretch: the number of the stretch of each entry: those of one cell and article stand side by side.
        opens: the entry that each stretch begins with.
    """

    regions: list[str]
    years: np.ndarray
    cell: np.ndarray
    statement: np.ndarray
    article: np.ndarray
    changing: np.ndarray
    stretch: np.ndarray
    opens: np.ndarray

    @classmethod
    def of(cls, regions: Sequence[Sequence[str]], years: Sequence[int | None], article: Sequence[int],
           kind: np.ndarray | None = None) -> Cells:
        """Cells from each statement's regions, year and article.

        Args:
            regions, years: of each statement; or, with `kind`, of kinds of statements.
            article: of each statement.
            kind: the kind of each statement.
        """
        regions_of, own = _numbered(map(tuple, regions), len(regions))
        years_of, own_year = _numbered((y or UNKNOWN_YEAR for y in years), len(years))
        names = sorted({*chain.from_iterable(regions_of), NONE, ALL})
        code = {name: i for i, name in enumerate(names)}
        members = [sorted({code[r] for r in (*(rs or (NONE,)), ALL)}) for rs in regions_of]
        size = np.array([len(m) for m in members], dtype=np.int64)
        flat = np.array([r for m in members for r in m], dtype=np.int64)
        year_names = sorted({ALL_YEARS, *years_of})
        year = np.array(list(map(year_names.index, years_of)), dtype=np.int64).take(own_year)
        if kind is not None:
            own, year = own.take(kind), year.take(kind)
        size, start = size.take(own), _before(size).take(own)
        at, member = _repeated(size, start)
        cell = year.take(at) * len(names) + flat.take(member)
        order = _order(cell)
        cell, statement = cell.take(order).astype(np.int32), at.take(order)
        article = np.asarray(article, dtype=np.int32)
        turns = (article[1:] == article[:-1]) & (year[1:] != year[:-1])
        is_changing = np.zeros(int(article.max(initial=-1)) + 1, dtype=bool)
        is_changing[article[1:][turns]] = True
        begins = _changes(cell) | _changes(article.take(statement))
        return cls(names, np.array(year_names, dtype=np.int64), cell, statement, article, is_changing.take(article),
                   narrowed(begins.cumsum() - 1), begins.nonzero()[0])

    def _spread(self, statement: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Each occurrence once for each cell of its statement, ordered by cell and statement.

        Args:
            statement: that of each occurrence.

        Returns:
            The entry of `cell` and `statement`, and the occurrence.
        """
        n = np.bincount(statement, minlength=len(self.article))
        entry, at = _repeated(n.take(self.statement), _before(n).take(self.statement))
        return entry, at if _ascends(statement) else _order(statement).take(at)

    @property
    def n_cells(self) -> int:
        return len(self.years) * len(self.regions)

    def _of_cells(self, cell: np.ndarray) -> dict[str, np.ndarray]:
        year, region = np.divmod(cell, len(self.regions))
        return {"year": self.years.take(year), "region": region}

    def occurrences(self, entity: np.ndarray, statement: np.ndarray) -> Occurrences:
        """Where entities stand, made ready to be counted.

        Args:
            entity: codes from 0, one entry an occurrence.
            statement: the statement of each occurrence.
        """
        entry, at = self._spread(np.asarray(statement))
        entity = narrowed(np.asarray(entity)).take(at)
        order = _order(entity)
        entity, stretch = entity.take(order), self.stretch.take(entry).take(order)
        begins = _changes(entity) | _changes(stretch)
        starts, again = begins.nonzero()[0], (~begins).nonzero()[0]
        # words seldom stand twice in a statement: which do is seen where they stand twice in an article
        repeated = entry.take(order.take(again)) == entry.take(order.take(again - 1))
        run = (again - np.arange(1, len(again) + 1))[repeated]  # as many runs begin before as are left
        return Occurrences(self, entity.take(starts), stretch.take(starts), starts, len(order), run)

    def counted(self, entity: np.ndarray, statement: np.ndarray) -> dict[str, np.ndarray]:
        """`Occurrences.counted` of entities: codes from 0, and the statement of each occurrence."""
        return self.occurrences(entity, statement).counted()

    def numbers(self, of: dict[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, dict[str, np.ndarray]]:
        """How many statements entities stand in by cell, for several kinds of entities at once, each of which stands
        once in a statement or counts as often as it stands.

        Args:
            of: for each kind the entities and the statements, as for `counted`.

        Returns:
            For each kind columns entity, year, region (code) and count, sorted by the first three.
        """
        ends = np.cumsum([int(entity.max(initial=-1)) + 1 for entity, _ in of.values()])
        entry, at = self._spread(np.concatenate([statement for _, statement in of.values()]))
        entity = np.concatenate([of_kind + before for (of_kind, _), before in zip(
            of.values(), (0, *ends.tolist()), strict=False)])
        entity = narrowed(entity).take(at)
        order = _order(entity)
        entity, cell = entity.take(order), self.cell.take(entry).take(order)
        starts = (_changes(entity) | _changes(cell)).nonzero()[0]
        entity, count = entity.take(starts).astype(np.int64), np.diff(starts, append=len(order))
        columns = self._of_cells(cell.take(starts)) | {"count": count}
        bounds = [0, *entity.searchsorted(ends).tolist()]
        return {kind: {"entity": entity[a:b] - before} | {name: c[a:b] for name, c in columns.items()}
                for kind, before, a, b in zip(of, (0, *ends.tolist()), bounds, bounds[1:], strict=False)}

    def sums(self, weight: np.ndarray, year: np.ndarray, region: np.ndarray) -> np.ndarray:
        """The sum of the weights (whole numbers) of the statements of each cell, given by its year and region code; of
        all years 0, since the years add up to it."""
        sums = np.bincount(self.cell, np.asarray(weight).take(self.statement), minlength=self.n_cells).astype(np.int64)
        return sums.take(self.years.searchsorted(year) * len(self.regions) + region)

    def distinct(self, entity: np.ndarray, statement: np.ndarray, value: np.ndarray) -> dict[str, np.ndarray]:
        """Distinct values (codes from 0) by entity and cell, that of all years too.

        Args:
            entity, statement, value: parallel, one entry an occurrence.

        Returns:
            Columns entity, year, region (code), value, count (occurrences), sorted by the first four.
        """
        entity, statement, value = (np.asarray(c, dtype=np.int64) for c in (entity, statement, value))
        width = int(value.max()) + 1 if len(value) else 1
        entry, at = self._spread(statement)
        cell = self.cell.take(entry)
        cell, at = np.append(cell, cell % len(self.regions)), np.append(at, at)
        key, count = _runs((entity[at] * self.n_cells + cell) * width + value[at])
        place, found = np.divmod(key, width)
        entity, cell = np.divmod(place, self.n_cells)
        return {"entity": entity} | self._of_cells(cell) | {"value": found, "count": count}


@dataclass(slots=True)
class Occurrences:
    """Where entities stand in the cells of a partition, in runs: of one entity in one stretch of `cells`.

    Attributes:
        entity, stretch: of each run, sorted by both; so by entity, cell and article.
        starts: the place at which each run starts among all occurrences, of which there are `n`.
        repeated: the runs of those that stand in the statement of the one before.
    """

    cells: Cells
    entity: np.ndarray
    stretch: np.ndarray
    starts: np.ndarray
    n: int
    repeated: np.ndarray

    def counted(self) -> dict[str, np.ndarray]:
        """Counts of entities by cell.

        Returns:
            Columns entity, year, region (code), count, n_statements, n_articles; sorted by the first three. What all
            years have beyond the sum of the years are rows of all years.
        """
        cells, entity = self.cells, self.entity
        cell = cells.cell.take(cells.opens).take(self.stretch)
        first = (_changes(entity) | _changes(cell)).nonzero()[0]
        count = np.diff(self.starts.take(first), append=self.n)
        again = first.searchsorted(self.repeated, side="right") - 1
        columns = {"count": count, "n_statements": count - np.bincount(again, minlength=len(first)),
                   "n_articles": np.diff(first, append=len(entity))}
        place = entity.take(first).astype(np.int64) * cells.n_cells + cell.take(first)
        is_changing = cells.changing.take(cells.statement.take(cells.opens))
        inside = is_changing.take(self.stretch).nonzero()[0]
        if len(inside):
            more, fewer = self._articles_of_several_years(inside, cell)
            columns = {n: np.append(c, fewer if n == "n_articles" else np.zeros_like(fewer))
                       for n, c in columns.items()}
            place = np.append(place, more)
            order = np.argsort(place, kind="stable")
            place, columns = place.take(order), {n: c.take(order) for n, c in columns.items()}
        entity, cell = np.divmod(place, cells.n_cells)
        return {"entity": entity} | cells._of_cells(cell) | columns

    def _articles_of_several_years(self, inside: np.ndarray, cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """By how much the articles of each entity and region are fewer in all years than in the years together.

        Args:
            inside: the runs in these articles.
            cell: of each run.

        Returns:
            Places (entity × cells + the cell of all years), and numbers below 0.
        """
        cells = self.cells
        article = self._articles(inside).astype(np.int64)
        width = int(article.max()) + 1
        place = self.entity.take(inside).astype(np.int64) * cells.n_cells + cell.take(inside) % len(cells.regions)
        key, years = _runs(place * width + article)
        several = years > 1
        place = key[several] // width
        starts = _changes(place).nonzero()[0]
        return place[starts], np.add.reduceat(1 - years[several], starts) if len(starts) else starts

    def _articles(self, runs: np.ndarray) -> np.ndarray:
        return self.cells.article.take(self.cells.statement.take(self.cells.opens)).take(self.stretch.take(runs))

    def by_article(self, number: np.ndarray) -> dict[str, np.ndarray]:
        """How often entities stand in each article and cell.

        Args:
            number: of each entity, the number it is to have; below 0, it is left out.

        Returns:
            Columns article, entity (its number), year, region (code), count, sorted by the first four.
        """
        runs = (number >= 0).take(self.entity).nonzero()[0]
        entity, article = number.take(self.entity.take(runs)), self._articles(runs)
        order = _order(entity)
        order = order.take(_order(article.take(order)))
        runs = runs.take(order)
        cell = self.cells.cell.take(self.cells.opens).take(self.stretch.take(runs))
        return {"article": article.take(order), "entity": entity.take(order)} | self.cells._of_cells(cell) | {
            "count": np.diff(self.starts, append=self.n).take(runs)}


def _numbered(values: Iterable[Hashable], n: int) -> tuple[list, np.ndarray]:
    """The different ones of `n` values, and for each of the values which of these it is."""
    number: defaultdict = defaultdict(count().__next__)  # each new one gets the next number
    numbers = np.fromiter(map(number.__getitem__, values), dtype=np.int64, count=n)
    return list(number), numbers


def words(values: Sequence[str | None] | pa.Array, number: np.ndarray) -> pa.DictionaryArray:
    """The texts of some values, given by their numbers. Each different one of these texts is there once and no other
    is, so that what is written tells of no more than stands in a row."""
    coded = (values if isinstance(values, pa.Array) else pa.array(values, type=pa.string())).dictionary_encode()
    place = coded.indices.fill_null(-1).to_numpy().take(number) + 1  # 0 is none
    names, is_used = coded.dictionary, np.bincount(place, minlength=len(coded.dictionary) + 1) > 0
    is_none = place == 0 if is_used[0] else None
    if not is_used[1:].all():
        names = names.filter(pa.array(is_used[1:]))
        place = np.cumsum(np.append(False, is_used[1:])).take(place)
    narrow = next(t for t in (np.int8, np.int16, np.int32) if len(names) <= np.iinfo(t).max)
    return pa.DictionaryArray.from_arrays(pa.array((place - 1).astype(narrow), mask=is_none), names)


def narrowed(values: np.ndarray) -> np.ndarray:
    """The same numbers in no more bytes than they need."""
    if not len(values) or values.dtype == np.uint64:
        return values
    low, high = int(values.min()), int(values.max())
    # of numbers some of which are negative, as many bits as the largest needs with its sign
    return values.astype(np.min_scalar_type(high) if low >= 0 else np.min_scalar_type(min(low, -high - 1)))


def _before(size: np.ndarray) -> np.ndarray:
    """For each place, the sum of the sizes of those before it."""
    return np.cumsum(size) - size


def _repeated(size: np.ndarray, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each index as often as `size` says, and its `first`, one more at each repeat."""
    at = np.repeat(np.arange(len(size)), size)
    return at, (first - _before(size)).take(at) + np.arange(len(at))


def _ascends(values: np.ndarray) -> bool:
    """Whether no value is smaller than the one before it."""
    return bool((values[1:] >= values[:-1]).all())


def _order(codes: np.ndarray) -> np.ndarray:
    """The order that sorts codes from 0, equal ones as they stand. In 16 bits, where they fit, they are sorted by
    their digits, in a quarter of the time."""
    return np.argsort(codes.astype(np.min_scalar_type(int(codes.max(initial=0))), copy=False), kind="stable")


def _changes(values: np.ndarray) -> np.ndarray:
    """Whether each of the values differs from the one before it."""
    out = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=out[1:])
    return out


def _runs(key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct keys, sorted, and how often each stands."""
    key = np.sort(key)  # what is in no runs is sorted so in a tenth of the time that a stable sort takes
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

    @property
    def entities(self) -> pa.DictionaryArray:
        """The name of what is counted in each row."""
        return words(self.names, self.columns["entity"])

    def tables(self, kind: str) -> dict[str, pa.Table]:
        """As Arrow tables, to be kept under the name `kind`."""
        return {f"{kind} names": pa.table({"name": self.names}),
                f"{kind} regions": pa.table({"region": pa.array(self.regions, type=pa.string())}),
                kind: pa.table({n: narrowed(v) for n, v in self.columns.items()})}

    @classmethod
    def of_tables(cls, kind: str, tables: dict[str, pa.Table]) -> Counts:
        """What `tables` gave."""
        return cls(_flat(tables[f"{kind} names"]["name"]), tables[f"{kind} regions"]["region"].to_pylist(),
                   {n: tables[kind][n].to_numpy() for n in tables[kind].column_names})

    def table(self, label: str) -> pa.Table:
        """One row a cell: `label` (the entity's name), year, region (its name) and the counts."""
        keys = {label: self.entities, "year": pa.array(self.columns["year"].astype(np.int32)),
                "region": words(self.regions, self.columns["region"])}
        return pa.table(keys | {n: pa.array(self.columns[n].astype(np.int64)) for n in self.values})

    def relabelled(self, label: Callable[[str], str]) -> Counts:
        """The same rows under other names; `label` says which for each. Rows keep their order, so they need not be
        sorted any more; several may have one name."""
        labels = [label(name) for name in self.names.to_pylist()]
        names = sorted(set(labels))
        code = {name: i for i, name in enumerate(names)}
        of = np.array([code[name] for name in labels], dtype=np.int64)
        return Counts(pa.array(names, type=pa.string()), self.regions,
                      self.columns | {"entity": of[self.columns["entity"]] if len(of) else self.columns["entity"]})

    def of_kind(self, begins: str) -> Counts:
        """The rows of the names that begin so, under what follows in them."""
        names = self.names.filter(pc.starts_with(self.names, begins))
        first = pc.index_in(names[:1], self.names)[0].as_py() if len(names) else 0  # they stand side by side
        start, end = self.columns["entity"].searchsorted([first, first + len(names)])
        columns = {n: c[start:end] for n, c in self.columns.items()}
        return Counts(pc.utf8_slice_codeunits(names, len(begins)), self.regions,
                      columns | {"entity": columns["entity"] - first})

    def at(self, other: Counts, column: str) -> np.ndarray:
        """`column` of `other` for each row of this, by entity, year and region; 0 where it has none."""
        out = np.zeros(len(self), dtype=np.int64)
        if not len(other) or not len(self):
            return out
        # both numbered as the names, years and regions of this are: an order that both keep
        entity = pc.fill_null(pc.index_in(other.names, self.names), -1).to_numpy(zero_copy_only=False)
        region = np.array([self.regions.index(r) if r in self.regions else -1 for r in other.regions])
        years = [c.columns["year"].astype(np.int64) for c in (self, other)]
        first, last = int(years[0].min()), int(years[0].max())
        of_entity, of_region = entity.take(other.columns["entity"]), region.take(other.columns["region"])
        may_be = ((of_entity >= 0) & (of_region >= 0) & (years[1] >= first) & (years[1] <= last)).nonzero()[0]
        ours, theirs = (
            (e.astype(np.int64) * (last - first + 1) + y - first) * len(self.regions) + r for e, y, r in (
                (self.columns["entity"], years[0], self.columns["region"]),
                (of_entity.take(may_be), years[1].take(may_be), of_region.take(may_be))))
        values = other.columns[column].take(may_be)
        if not len(theirs):
            return out
        if (ours[1:] > ours[:-1]).all():  # of sorted numbers the fewer are sought among the more
            found = np.minimum(np.searchsorted(ours, theirs), len(ours) - 1)
            same = ours.take(found) == theirs
            out[found[same]] = values[same]
            return out
        found = np.minimum(np.searchsorted(theirs, ours), len(theirs) - 1)
        return np.where(theirs.take(found) == ours, values.take(found), 0).astype(np.int64)


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
        low = int(key.min(initial=MAX_KEYS - 1))
        if int(key.max(initial=0)) - low < KEYS_A_ROW * len(key):
            key -= low
            used = np.bincount(key).nonzero()[0]
            found.append(used + low)
            for name, values in columns.items():  # whole numbers far below those that a float cannot hold
                sums[name].append(np.bincount(key, values).take(used).astype(np.int64))
            continue
        order = np.argsort(key, kind="stable")  # it makes use of what is sorted already
        key = key.take(order)
        starts = np.flatnonzero(_changes(key))
        found.append(key[starts])
        for name, values in columns.items():
            sums[name].append(np.add.reduceat(values.take(order), starts, dtype=np.int64) if len(starts) else key[:0])
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
    row.sort()
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
    first = int(years.min(initial=0))
    nth = np.searchsorted(years, np.arange(first, int(years.max(initial=0)) + 1))  # of each year that may be
    keys = []
    for p, entity in zip(parts, entities, strict=True):
        region = np.array([code[r] for r in p.regions], dtype=np.int64)
        year = nth.take(p.columns["year"].astype(np.int64) - first)
        keys.append(((entity * len(years)).take(p.columns["entity"]) + year) * len(regions)
                    + region.take(p.columns["region"]) if len(p) else np.zeros(0, dtype=np.int64))
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
    """`table` with its numbers (`n_…`) added up over rows of the same words, sorted by these. Words may be encoded by a
    dictionary there; here they are not any more."""
    keys = [n for n in table.column_names if not n.startswith("n_")]
    values = [n for n in table.column_names if n.startswith("n_")]
    if not len(table):
        return pa.table({n: table[n].cast(pa.string()) for n in keys} | {n: table[n] for n in values})
    key, n_keys = np.zeros(len(table), dtype=np.int64), 1
    for name in keys:
        texts, (code,) = _unified([_flat(table[name])])
        if n_keys * len(texts) > MAX_KEYS:  # more than fit a key: those that stand there, numbered
            different, key = np.unique(key, return_inverse=True)
            n_keys = len(different)
        key, n_keys = key * len(texts) + code, n_keys * len(texts)
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(_changes(key[order]))
    first = pa.array(order[starts])
    return pa.table({n: table[n].take(first).cast(pa.string()) for n in keys} | {
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
    coded = pa.chunked_array(names, type=names[0].type if names else pa.string()).dictionary_encode()
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
