"""Counts over one partition, and their exact sum over many.

Every count is made for each year and region, for all years together (year -1), for all regions together (region
`all`), and for both. A statement of several regions counts once in each of them and once in `all`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from .tables import ALL, ALL_YEARS, NONE, UNKNOWN_YEAR


@dataclass(slots=True)
class Cells:
    """Which cells (year × region) each statement of a partition counts in.

    Attributes:
        regions: names of the region codes; the last is `all`.
        statement: for each membership, its statement; ascending.
        region: for each membership, its region code.
        year: for each statement, its work year or 0.
        article: for each statement, its article; ascending.
    """

    regions: list[str]
    statement: np.ndarray
    region: np.ndarray
    year: np.ndarray
    article: np.ndarray

    @classmethod
    def of(cls, regions: list[tuple[str, ...]], years: list[int | None], article: list[int]) -> Cells:
        """Cells from each statement's regions, year and article."""
        names = sorted({r for rs in regions for r in rs} | {NONE}) + [ALL]
        code = {name: i for i, name in enumerate(names)}
        everywhere, nowhere = len(names) - 1, (code[NONE],)
        statement, region = [], []
        for i, rs in enumerate(regions):
            for r in sorted(code[r] for r in rs) if rs else nowhere:
                statement.append(i)
                region.append(r)
            statement.append(i)
            region.append(everywhere)
        return cls(names, np.array(statement, dtype=np.int64), np.array(region, dtype=np.int64),
                   np.array([y or UNKNOWN_YEAR for y in years], dtype=np.int64), np.array(article, dtype=np.int64))

    def counted(self, entity: np.ndarray, statement: np.ndarray, weight: np.ndarray | None = None) -> dict:
        """Counts of entities by cell.

        Args:
            entity: codes from 0, one for each pair of an entity and a statement it stands in; a pair stands once.
            statement: the statement of each pair.
            weight: occurrences of each pair; 1 by default.

        Returns:
            Columns entity, year, region, count, n_statements, n_articles (NumPy arrays), sorted by the first three.
        """
        names = ("entity", "year", "region", "count", "n_statements", "n_articles")
        if not len(entity):
            return {n: np.zeros(0, dtype=np.int64) for n in names}
        entity, statement = entity.astype(np.int64), statement.astype(np.int64)
        per_statement = np.bincount(self.statement, minlength=len(self.year))
        first = np.concatenate([[0], np.cumsum(per_statement)[:-1]])
        repeats = per_statement[statement]
        pair = np.repeat(np.arange(len(entity)), repeats)
        within = np.arange(len(pair)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
        region = self.region[first[statement[pair]] + within]
        year_names, year_code = np.unique(np.append(self.year, ALL_YEARS), return_inverse=True)
        year = year_code[:-1][statement[pair]]
        all_years = int(np.searchsorted(year_names, ALL_YEARS))
        n_years, n_regions, n_articles = len(year_names), len(self.regions), int(self.article.max()) + 1
        base = entity[pair] * n_years
        cell = np.concatenate([(base + year) * n_regions + region, (base + all_years) * n_regions + region])
        article = np.tile(self.article[statement[pair]], 2)
        weights = np.tile((np.ones(len(entity), dtype=np.int64) if weight is None else weight)[pair], 2)
        key = cell * n_articles + article
        order = np.argsort(key, kind="stable")
        key, weights = key[order], weights[order]
        new_article = np.append(True, key[1:] != key[:-1])
        cells = key // n_articles
        starts = np.flatnonzero(np.append(True, cells[1:] != cells[:-1]))
        cells = cells[starts]
        return {"entity": cells // (n_years * n_regions), "year": year_names[cells // n_regions % n_years],
                "region": cells % n_regions, "count": np.add.reduceat(weights, starts),
                "n_statements": np.diff(np.append(starts, len(key))),
                "n_articles": np.add.reduceat(new_article.astype(np.int64), starts)}

    def distinct(self, entity: np.ndarray, statement: np.ndarray, value: np.ndarray) -> dict:
        """Distinct values (codes from 0) by entity and cell: columns entity, year, region, value, sorted."""
        columns = {n: [] for n in ("entity", "year", "region", "value")}
        if len(entity):
            by_statement: dict[int, list[int]] = {}
            for s, r in zip(self.statement.tolist(), self.region.tolist(), strict=True):
                by_statement.setdefault(s, []).append(r)
            rows = set()
            for e, s, v in zip(entity.tolist(), statement.tolist(), value.tolist(), strict=True):
                for r in by_statement[s]:
                    rows.add((e, int(self.year[s]), r, v))
                    rows.add((e, ALL_YEARS, r, v))
            for row in sorted(rows):
                for name, item in zip(columns, row, strict=True):
                    columns[name].append(item)
        return {n: np.array(v, dtype=np.int64) for n, v in columns.items()}


def summed(tables: list[pa.Table], keys: list[str]) -> pa.Table:
    """The sum of count tables by `keys`, sorted by them; every other column is added up."""
    table = pa.concat_tables(tables).combine_chunks()
    values = [n for n in table.column_names if n not in keys]
    grouped = table.group_by(keys, use_threads=False).aggregate([(v, "sum") for v in values])
    grouped = grouped.rename_columns([n.removesuffix("_sum") if n not in keys else n for n in grouped.column_names])
    return grouped.select(keys + values).sort_by([(k, "ascending") for k in keys])
