"""Concordance: the statements behind a number, and key words in context."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.compute as pc

from . import tables

ARTICLE_COLUMNS = ("article_id", "title", "publisher", "date", "url")


def statements(out: str | Path, contains: str | None = None, *, theme: str | None = None, year: int | None = None,
               region: str | None = None, limit: int | None = None) -> pd.DataFrame:
    """Statements with the article they stand in.

    Args:
        out: output folder of a build.
        contains: a string that stands in the statement.
        theme: a theme code.
        year: a work year.
        region: a region's short name, or 全国.
        limit: at most so many, in the order of the table.

    Returns:
        statement_id, text, year, regions, speaker, themes, evidence, and title, publisher, date, url, source_file
        of the article.
    """
    columns = ["statement_id", "article_id", "text", "year", "regions", "speaker", "themes", "evidence", "source_file"]
    table = tables.read_arrow(out, "statements", columns, [("year", "=", year)] if year is not None else None)
    if contains:
        table = table.filter(pc.match_substring(table["text"], contains))
    frame = table.to_pandas()
    for column, wanted in (("themes", theme), ("regions", region)):
        if wanted is not None:
            frame = frame[[wanted in items for items in frame[column]]]
    if limit is not None:
        frame = frame.head(limit)
    articles = tables.read(out, "articles", ARTICLE_COLUMNS)
    return frame.merge(articles, on="article_id", how="left").drop(columns="article_id").reset_index(drop=True)


def kwic(out: str | Path, term: str, *, width: int = 20, year: int | None = None, region: str | None = None,
         theme: str | None = None, limit: int | None = None) -> pd.DataFrame:
    """Key word in context: one row for each occurrence of `term` in a statement.

    Args:
        out: output folder of a build.
        term: any string, punctuation included.
        width: characters of context on each side; the context does not leave the statement.
        year, region, theme: as `statements`.
        limit: at most so many lines.

    Returns:
        left, term, right, year, regions, title, publisher, date, url, source_file, statement_id; in the order of the
        table, then of the occurrences.

    Raises:
        ValueError: the term is empty.
    """
    if not term:
        raise ValueError("a concordance needs a term")
    rows = []
    for row in statements(out, term, year=year, region=region, theme=theme).itertuples():
        start = row.text.find(term)
        while start >= 0:
            end = start + len(term)
            rows.append((row.text[max(0, start - width):start], term, row.text[end:end + width], row.year,
                         list(row.regions), row.title, row.publisher, row.date, row.url, row.source_file,
                         row.statement_id))
            start = row.text.find(term, end)
    columns = ["left", "term", "right", "year", "regions", "title", "publisher", "date", "url", "source_file",
               "statement_id"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame if limit is None else frame.head(limit)
