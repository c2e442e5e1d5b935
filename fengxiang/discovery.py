"""Words for the list: character runs that behave like a word and that the segmenter still cuts apart, and expressions
that authors put in quotation marks.

A run is a word when its parts occur together far more than by chance (cohesion) and when very different characters
stand before and after it (boundary entropy). Both are judged on the raw text, without a dictionary; what is proposed
stands with the sentences that speak for it, and an analyst decides.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from . import tables
from .terms import Lexicon

if TYPE_CHECKING:
    from .run import Run

MAX_CHARS = 2_000_000
"""Of a larger corpus the articles that hold the first so many characters are read: identifiers are hashes, so that they
are a random part."""

LONGEST = 8
_PART_OF_WORD = re.compile("[\u3400-\u9fffA-Za-z]")
_QUOTED = re.compile("“([^“”，。；：！？、\n]{2,16})”|‘([^‘’，。；：！？、\n]{2,16})’")
_BARE_NUMBER = re.compile("[0-9.,%％＋+一二三四五六七八九十百千万亿第]+")


def new_terms(texts: Sequence[str], articles: Sequence, lexicon: Lexicon, *, min_count: int = 5, min_articles: int = 3,
              min_cohesion: float = 4.0, min_entropy: float = 1.0, without: Collection[str] = ()) -> pd.DataFrame:
    """Runs of characters that behave like a word and are not known as one.

    Args:
        texts: statements.
        articles: the article of each.
        lexicon: what is known: its terms, its stop words, and all that its segmenter keeps whole.
        min_count: occurrences needed.
        min_articles: articles needed, so that one author's phrase is none.
        min_cohesion: bits of pointwise mutual information that the weakest of all cuts of the run in two must have.
        min_entropy: bits of entropy that the characters on each side must have. A boundary (punctuation, a figure, an
            end) is a neighbour of its own each time it occurs.
        without: names that are no terms (of places and agencies); a run that holds one is left out.

    A run must also begin and end where words do, in at least half of its occurrences, and none of its words may be a
    stop word: what is left are expressions of several words, and words that the dictionary lacks.

    Returns:
        term, count, n_articles, cohesion, entropy_left, entropy_right (bits); a run that occurs as often within a
        longer one of the table is left out; sorted by n_articles and count downward, longer first, then by name.

    Source: cohesion and freedom as in Bu, Zhu and Li (2010), COLING, 116–124, and Luo and Song (2004), LREC.
    """
    columns = ["term", "count", "n_articles", "cohesion", "entropy_left", "entropy_right"]
    joined = "\n".join(texts)
    if not joined:
        return pd.DataFrame(columns=columns)
    characters = np.frombuffer(joined.encode("utf-32-le", "replace"), dtype="<u4")
    vocabulary = sorted(set(joined))
    whole = np.array([bool(_PART_OF_WORD.match(c)) for c in vocabulary])
    letter = np.searchsorted(np.array([ord(c) for c in vocabulary], dtype="<u4"), characters).astype(np.int32)
    inside = whole[letter]
    starts = np.cumsum([0, *(len(t) + 1 for t in texts)])
    number, _ = pd.factorize(np.asarray(articles, dtype=object), sort=False)
    article = np.repeat(number.astype(np.int32), np.diff(starts))[:len(letter)]
    lengths = np.fromiter(map(len, lexicon.words(joined)), np.int64)
    edge = np.zeros(len(letter) + 1, bool)  # where words begin and end
    edge[np.concatenate([[0], np.cumsum(lengths)])] = True
    # the run of each length that begins at each place, by an exact number; -1 where it would cross a boundary
    total = int(inside.sum())
    ids = np.where(inside, letter, -1)
    found, occurs = {}, {1: _occurrences(ids)}
    for n in range(2, LONGEST + 1):
        pair = np.full(len(ids), -1, np.int64)
        after = letter[n - 1:]
        fits = (ids[:len(after)] >= 0) & inside[n - 1:]
        pair[:len(after)][fits] = ids[:len(after)][fits].astype(np.int64) * len(vocabulary) + after[fits]
        ids = np.full(len(pair), -1, np.int32)
        ids[pair >= 0] = np.unique(pair[pair >= 0], return_inverse=True)[1]
        occurs[n] = _occurrences(ids)
        often = np.flatnonzero((ids >= 0) & (occurs[n] >= min_count))
        if not len(often):
            break
        # rare runs are no parts of frequent ones
        ids[occurs[n] < min_count] = -1
        cohesion = np.full(len(often), np.inf)
        for k in range(1, n):
            parts = occurs[k][often].astype(float) * occurs[n - k][often + k]
            cohesion = np.minimum(cohesion, np.log2(occurs[n][often] * float(total) / parts))
        keep = often[cohesion >= min_cohesion]
        if len(keep):
            first = pd.Series(cohesion, index=often)
            found |= _described(keep, n, ids, letter, inside, edge, article, first, joined, min_articles, min_entropy)
    frame = pd.DataFrame([(t, *v) for t, v in found.items()], columns=columns)
    known = {*lexicon.terms, *lexicon.stop_words}
    good = [t not in known and len(words := lexicon.words(t)) > 1 and not lexicon.stop_words.intersection(words)
            and not any(name in t for name in without) for t in frame["term"]]
    frame = _longest(frame[np.array(good, bool)])
    frame = frame.assign(length=-frame["term"].str.len().astype("int64"))
    return frame.sort_values(["n_articles", "count", "length", "term"], ascending=[False, False, True, True],
                             ignore_index=True)[columns]


def _occurrences(ids: np.ndarray) -> np.ndarray:
    """How often the run at each place occurs; 0 where there is none."""
    counts = (np.bincount(ids[ids >= 0]) if (ids >= 0).any() else np.zeros(1)).astype(np.int32)
    return np.where(ids >= 0, counts[np.maximum(ids, 0)], np.int32(0))


def _described(places, n, ids, letter, inside, edge, article, cohesion, joined, min_articles, min_entropy) -> dict:
    """term → (count, n_articles, cohesion, entropies) of the runs of n characters at these places."""
    frame = pd.DataFrame({"id": ids[places], "place": places, "article": article[places],
                          "aligned": edge[places] & edge[places + n]})
    before, behind = places - 1, places + n
    unique = -1 - np.arange(len(places))  # a boundary is like nothing else
    for side, at in (("left", before), ("right", behind)):
        there = (at >= 0) & (at < len(letter))
        open_ = there & inside[np.clip(at, 0, len(letter) - 1)]
        frame[side] = np.where(open_, letter[np.clip(at, 0, len(letter) - 1)], unique)
    groups = frame.groupby("id")
    table = groups.agg(place=("place", "min"), count=("place", "size"), n_articles=("article", "nunique"),
                       aligned=("aligned", "mean"))
    for side in ("left", "right"):
        counts = frame.groupby(["id", side]).size()
        share = counts / table["count"].reindex(counts.index.get_level_values("id")).to_numpy()
        table[side] = (-share * np.log2(share)).groupby(level="id").sum()
    table = table[(table["n_articles"] >= min_articles) & (table[["left", "right"]].min(axis=1) >= min_entropy)
                  & (table["aligned"] >= 0.5)]
    table = table.rename(columns={"count": "n"})
    return {joined[r.place:r.place + n]: (int(r.n), int(r.n_articles), float(cohesion[r.place]), float(r.left),
                                          float(r.right)) for r in table.itertuples()}


def _longest(frame: pd.DataFrame) -> pd.DataFrame:
    """Without the runs that occur no more often than a longer one of the frame that holds them."""
    by_length = frame.sort_values("term", key=lambda t: -t.str.len(), kind="stable")
    within: dict[str, int] = {}
    keep = []
    for term, count in zip(by_length["term"], by_length["count"], strict=True):
        keep.append(within.get(term, 0) < count)
        if keep[-1]:
            for i in range(len(term)):
                for j in range(i + 2, len(term) + 1):
                    if j - i < len(term):
                        within[term[i:j]] = max(within.get(term[i:j], 0), count)
    return by_length[np.array(keep, bool)]


def quoted_terms(statements: pd.DataFrame, lexicon: Lexicon, min_count: int = 1) -> pd.DataFrame:
    """Expressions in quotation marks that are not in the list: wording that its authors feel to be wording.

    Args:
        statements: statement_id, article_id, year, regions, text.
        lexicon: its terms and stop words are left out, and bare numbers.
        min_count: statements needed.

    Returns:
        term, n_statements, n_articles, regions (sorted), first_year (0 where unknown), statement_id and text of the
        first statement of that year; sorted by n_articles and n_statements downward, then term.
    """
    known = {*lexicon.terms, *lexicon.stop_words}
    rows = []
    for sid, article, year, regions, text in statements[
            ["statement_id", "article_id", "year", "regions", "text"]].itertuples(index=False):
        inside = {a or b for a, b in _QUOTED.findall(text)}
        rows += [(term, sid, article, int(year) if year == year and year is not None else 0, tuple(regions), text)
                 for term in sorted(inside) if term not in known and not _BARE_NUMBER.fullmatch(term)]
    frame = pd.DataFrame(rows, columns=["term", "statement_id", "article_id", "year", "regions", "text"])
    columns = ["term", "n_statements", "n_articles", "regions", "first_year", "statement_id", "text"]
    if frame.empty:
        return pd.DataFrame(columns=columns)
    # the statement shown is of the earliest year; what is of no known year comes last
    frame = frame.sort_values("year", key=lambda years: years.where(years > 0, np.inf), kind="stable")
    out = frame.groupby("term").agg(
        n_statements=("statement_id", "size"), n_articles=("article_id", "nunique"),
        regions=("regions", lambda r: sorted({x for xs in r for x in xs})),
        first_year=("year", lambda y: min((v for v in y if v > 0), default=0)),
        statement_id=("statement_id", "first"), text=("text", "first")).reset_index()
    out = out[out["n_statements"] >= min_count]
    return out.sort_values(["n_articles", "n_statements", "term"], ascending=[False, False, True],
                           ignore_index=True)[columns]


def first_part(run: Run, columns: Sequence[str], max_chars: int = MAX_CHARS) -> pd.DataFrame:
    """The statements of the first articles, by identifier, that hold at most `max_chars` characters together; at least
    of one article. No more of the table is held at once than a part of it.

    Args:
        run: a build.
        columns: of its statements.
        max_chars: see above.
    """
    import pyarrow.compute as pc

    parts = tables.read_parts(run.out, "statements", ["article_id", "text"])
    lengths = (part.append_column("n", pc.utf8_length(part["text"])) for part in parts)
    sizes = pd.concat([part.group_by("article_id").aggregate([("n", "sum")]).to_pandas() for part in lengths])
    sizes = sizes.set_index("article_id")["n_sum"].sort_index()
    kept = sizes.index[(sizes.cumsum() <= max_chars) | (np.arange(len(sizes)) == 0)]
    return run.table("statements", columns, [("article_id", "in", kept.tolist())] if len(kept) < len(sizes) else None)
