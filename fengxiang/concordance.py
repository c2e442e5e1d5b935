"""Concordance: the statements behind a number, and key words in context."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from . import tables
from .model import NATIONAL

if TYPE_CHECKING:
    from .run import Run

MARKS = ("“”", "‘’", "「」", "『』")
"""Quotation marks, left and right."""
_OPENING = f"[{''.join(left for left, _ in MARKS)}]"
ARTICLE_COLUMNS = ("article_id", "title", "publisher", "date", "url")


def statements(out: str | Path, contains: str | None = None, *, theme: str | None = None, themes: Sequence[str] = (),
               year: int | None = None, region: str | None = None, limit: int | None = None) -> pd.DataFrame:
    """Statements with the article they stand in.

    Args:
        out: output folder of a build.
        contains: a string that stands in the statement.
        theme: a theme code.
        themes: theme codes that a statement must all have.
        year: a work year.
        region: a region's short name, or 全国.
        limit: at most so many, in the order of the table.

    Returns:
        statement_id, text, year, regions, speaker, themes, evidence, and title, publisher, date, url, source_file
        of the article.
    """
    columns = ["statement_id", "article_id", "text", "year", "regions", "speaker", "themes", "evidence", "source_file"]
    filters = [("year", "=", year)] if year is not None else None
    parts, n = [], 0
    for part in tables.read_parts(out, "statements", columns, filters):  # the table may be long
        if contains:
            part = part.filter(pc.match_substring(part["text"], contains))
        for column, wanted in (("themes", theme), *(("themes", code) for code in themes), ("regions", region)):
            if wanted is not None:
                lists = part[column].combine_chunks()
                holding = pc.list_parent_indices(lists).filter(pc.equal(pc.list_flatten(lists), wanted))
                part = part.filter(np.isin(np.arange(len(part)), holding))
        parts.append(part if limit is None else part.slice(0, limit - n))
        n += len(parts[-1])
        if n == limit:
            break
    frame = pa.concat_tables(parts).to_pandas()
    articles = tables.read(out, "articles", ARTICLE_COLUMNS)
    return frame.merge(articles, on="article_id", how="left").drop(columns="article_id").reset_index(drop=True)


def sample_statements(run: Run, n: int) -> pd.DataFrame:
    """The first statements of each theme by identifier, no wording twice; one of several themes stands with its first.

    Args:
        run: a build.
        n: statements of each theme.

    Returns:
        theme, statement_id, text, title (of the article); sorted by theme and statement_id.
    """
    def first(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.sort_values("statement_id").drop_duplicates(["theme", "text"])
        return frame.groupby("theme").head(n)

    some = []
    for part in tables.read_parts(run.out, "statements", ["statement_id", "article_id", "text", "themes"]):
        part = part.filter(pc.greater(pc.list_value_length(part["themes"]), 0))
        part = part.append_column("theme", pc.list_element(part["themes"], 0)).drop_columns(["themes"])
        some.append(first(part.to_pandas()))  # what is not among the first of its part is not among the first of all
    titles = tables.read(run.out, "articles", ["article_id", "title"])
    found = first(pd.concat(some, ignore_index=True)).merge(titles, on="article_id")
    return found.sort_values(["theme", "statement_id"], ignore_index=True)[["theme", "statement_id", "text", "title"]]


def kwic(out: str | Path, term: str | None = None, *, width: int = 20, year: int | None = None,
         region: str | None = None, theme: str | None = None, limit: int | None = None) -> pd.DataFrame:
    """Key word in context: one row for each occurrence of `term` in a statement; without a term, for each place that
    made a statement state the theme.

    Args:
        out: output folder of a build.
        term: any string, punctuation included.
        width: characters of context on each side; the context does not leave the statement.
        year, region, theme: as `statements`.
        limit: at most so many lines.

    Returns:
        left, term (the words themselves), right, year, regions, title, publisher, date, url, source_file,
        statement_id; in the order of the table, then of the occurrences.

    Raises:
        ValueError: neither a term nor a theme.
    """
    if not term and theme is None:
        raise ValueError("a concordance needs a term or a theme")
    rows = []
    for row in statements(out, term, year=year, region=region, theme=theme).itertuples():
        for start, end in _places(row, term, theme):
            rows.append((row.text[max(0, start - width):start], row.text[start:end], row.text[end:end + width],
                         row.year, list(row.regions), row.title, row.publisher, row.date, row.url, row.source_file,
                         row.statement_id))
        if limit is not None and len(rows) >= limit:
            break
    columns = ["left", "term", "right", "year", "regions", "title", "publisher", "date", "url", "source_file",
               "statement_id"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame if limit is None else frame.head(limit)


def _places(row, term: str | None, theme: str | None) -> list[tuple[int, int]]:
    """Where a statement has the term or, without one, the words that made it state the theme; words that overlap are
    one place."""
    out: list[tuple[int, int]] = []
    if not term:
        for start, end in sorted((start, end) for code, start, end in json.loads(row.evidence) if code == theme):
            if out and start < out[-1][1]:
                start, end = out[-1][0], max(end, out.pop()[1])
            out.append((start, end))
        return out
    start = row.text.find(term)
    while start >= 0:
        out.append((start, start + len(term)))
        start = row.text.find(term, start + len(term))
    return out


def statements_with(run: Run, terms: Collection[str], *, year: int | None = None,
                    limit: int | None = None) -> pd.DataFrame:
    """Statements that hold terms of the list, each with where: found on the text, the longest listed term first.

    Args:
        run: a build; its whole list of terms decides what is longest, so that 中小金融机构 is not found within
            农村中小金融机构.
        terms: those wanted; any that are not in the list count as listed.
        year: a work year.
        limit: at most so many statements of each term, the first.

    Returns:
        a row for each statement and term: term, statement_id, article_id, regions, attribution, year, text, spans
        (pairs of start and end); in the order of the table, then of the text.
    """
    from ahocorasick_rs import AhoCorasick, MatchKind

    from .terms import read_words

    wanted = set(terms)
    every = sorted({*read_words(run.place.codebook / "terms.txt"), *wanted})
    columns = ["term", "statement_id", "article_id", "regions", "attribution", "year", "text", "spans"]
    if not wanted:
        return pd.DataFrame(columns=columns)
    filters = [("year", "=", year)] if year is not None else None
    finder = AhoCorasick(every, matchkind=MatchKind.LeftmostLongest)
    most = np.inf if limit is None else limit
    left = np.array([most if term in wanted else 0.0 for term in every])  # still to be found
    rows = []
    for part in tables.read_parts(run.out, "statements", columns[1:-1], filters):
        if not left.any():
            break
        matches = matches_in(finder, part["text"].to_pylist())
        spans: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for place, which, start in matches[left[matches[:, 1]] > 0].tolist():
            if (place, which) not in spans and left[which] > 0:
                left[which] -= 1
                spans[place, which] = []
            if (place, which) in spans:
                spans[place, which].append((start, start + len(every[which])))
        places = list(dict.fromkeys(place for place, _ in spans))
        said = dict(zip(places, part.take(pa.array(places, pa.int64())).to_pylist(), strict=True))
        rows += [(every[which], *(said[place][c] for c in columns[1:-1]), found)
                 for (place, which), found in spans.items()]
    return pd.DataFrame(rows, columns=columns)


def matches_in(finder, texts: Sequence[str], overlapping: bool = False) -> np.ndarray:
    """Where patterns stand in many texts, which are searched as one: that is far faster than one by one.

    Args:
        finder: an `AhoCorasick` of patterns without line ends.
        texts: to be searched.
        overlapping: as the finder takes it.

    Returns:
        (matches, 3): place of the text, number of the pattern, where in the text it begins; in the order of the texts.
    """
    found = finder.find_matches_as_indexes("\n".join(texts), overlapping=overlapping)
    which, start, _ = np.array(found, np.int64).reshape(-1, 3).T
    begins = np.append(0, np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)) + 1))
    place = np.searchsorted(begins, start, side="right") - 1
    return np.stack([place, which, start - begins[place]], axis=1)


def _pairs(matches: np.ndarray, n_patterns: int) -> tuple[np.ndarray, np.ndarray]:
    """(place of the text, number of the pattern) of `matches_in`, each pair once, sorted."""
    return np.divmod(np.unique(matches[:, 0] * n_patterns + matches[:, 1]), n_patterns)


def terms_of_statements(run: Run, terms: Collection[str]) -> pd.DataFrame:
    """Which terms of the list stand in which statement, found as by `statements_with`, for corpora in which they stand
    many times: nothing but the term is held of each.

    Args:
        run: a build.
        terms: those wanted; any that are not in the list count as listed.

    Returns:
        column term, a category; the index is the place of the statement in the table, ascending: to be joined to it.
    """
    from ahocorasick_rs import AhoCorasick, MatchKind

    from .terms import read_words

    every = sorted({*read_words(run.place.codebook / "terms.txt"), *terms})
    finder = AhoCorasick(every, matchkind=MatchKind.LeftmostLongest)
    some, n = [np.zeros((2, 0), np.int64)], 0
    for part in tables.read_parts(run.out, "statements", ["text"]):
        place, which = _pairs(matches_in(finder, part["text"].to_pylist()), len(every))
        some.append(np.stack([place + n, which]))
        n += len(part)
    places, found = np.concatenate(some, axis=1)
    frame = pd.DataFrame({"term": pd.Categorical.from_codes(found, every)}, index=places)
    return frame[frame["term"].isin(set(terms))]


def wording_by_region(run: Run, terms: Sequence[str], year: int) -> pd.DataFrame:
    """Which bureaus say each listed term in a year, and in which words.

    Args:
        run: a build.
        terms: of the list; others count as listed.
        year: a work year.

    Returns:
        a row for each term that any bureau says: term, regions (those whose bureaus say it, by name), n_regions,
        national (whether the national regulator says it that year), quoted (whether a statement puts it in quotation
        marks), n_statements, n_articles, statement_id, text, spans (of one statement of these bureaus: the one that the
        fewest share, then the shortest); terms of fewest regions first, then those that the national regulator does not
        say, then quoted ones, then rare ones, then longer ones.
    """
    from ahocorasick_rs import AhoCorasick, MatchKind

    from .terms import read_words

    every = sorted({*read_words(run.place.codebook / "terms.txt"), *terms})
    finder, wanted = AhoCorasick(every, matchkind=MatchKind.LeftmostLongest), set(terms)
    marks = {term: [left + term + right for left, right in MARKS] for term in wanted}
    is_wanted = np.array([term in wanted for term in every], bool)
    said: dict[int, set[str]] = {}  # of each term, the regions that say it
    quoted, best = set(), {}
    sizes = []
    for part in tables.read_parts(run.out, "statements", ["statement_id", "article_id", "regions", "text"],
                                  [("year", "=", year)]):
        texts, regions = part["text"].to_pylist(), part["regions"].to_pylist()
        matches = matches_in(finder, texts)
        place, which = _pairs(matches[is_wanted[matches[:, 1]]], len(every))
        for i, j in zip(place.tolist(), which.tolist(), strict=True):
            said.setdefault(j, set()).update(regions[i])
        marked = pc.match_substring_regex(part["text"], _OPENING).to_numpy()[place]
        for i, j in zip(place[marked].tolist(), which[marked].tolist(), strict=True):
            if j not in quoted and any(mark in texts[i] for mark in marks[every[j]]):
                quoted.add(j)
        sizes.append(pd.DataFrame({"which": which, "article_id": part["article_id"].to_pandas().array[place]}))
        shared = np.array([sum(r != NATIONAL for r in rs) for rs in regions], np.int64)[place]
        length = np.fromiter(map(len, texts), np.int64, len(texts))[place]
        order = np.lexsort([length, shared, which])
        order = order[shared[order] > 0]
        first = order[np.searchsorted(which[order], which[order])]  # of each term the best
        # there may be several alike: of these the first by identifier
        order = order[(shared[order] == shared[first]) & (length[order] == length[first])]
        ids = part["statement_id"].take(pa.array(place[order])).to_pylist()
        for i, statement in zip(order.tolist(), ids, strict=True):
            key, j = (shared[i], length[i], statement), which[i]
            if j not in best or key < best[j][0]:
                best[j] = key, texts[place[i]]
    counted = pd.concat(sizes).groupby("which")["article_id"].agg(["size", "nunique"])
    rows = []
    for which in sorted(best):
        (_, _, statement), text = best[which]
        regions = sorted(said[which] - {NATIONAL})
        spans = [(start, start + len(every[which])) for _, found, start in matches_in(finder, [text]).tolist()
                 if found == which]
        rows.append((every[which], regions, len(regions), NATIONAL in said[which], which in quoted,
                     *map(int, counted.loc[which]), statement, text, spans))
    columns = ["term", "regions", "n_regions", "national", "quoted", "n_statements", "n_articles", "statement_id",
               "text", "spans"]
    frame = pd.DataFrame(rows, columns=columns)
    frame = frame.assign(length=-frame["term"].str.len().astype("int64"), plain=~frame["quoted"].astype(bool))
    order = ["n_regions", "national", "plain", "n_statements", "length", "term"]
    return frame.sort_values(order, ignore_index=True)[columns]


def coined(run: Run, terms: Collection[str] | None = None) -> dict[str, list[int]]:
    """The counted terms that statements put in quotation marks: slogans and coinages, felt to be wording, rather than
    common words.

    Args:
        run: a build.
        terms: those asked for; `Run.terms` when not given.

    Returns:
        term → work years of such statements, ascending, 0 where unknown; sorted by term.
    """
    from ahocorasick_rs import AhoCorasick

    terms = sorted(run.terms if terms is None else terms)
    finder = AhoCorasick([left + term + right for term in terms for left, right in MARKS] or ["\0"])
    found: set[tuple[int, int]] = set()
    for part in tables.read_parts(run.out, "statements", ["text", "year"]):
        part = part.filter(pc.match_substring_regex(part["text"], _OPENING))
        place, which, _ = matches_in(finder, part["text"].to_pylist(), overlapping=True).T
        years = pc.fill_null(part["year"], 0).to_numpy()[place]
        found.update(zip((which // len(MARKS)).tolist(), years.tolist(), strict=True))
    out: dict[str, list[int]] = {}
    for i, year in sorted(found):
        out.setdefault(terms[i], []).append(year)
    return out
