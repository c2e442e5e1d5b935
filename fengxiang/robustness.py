"""Other ways of counting the same corpus, to see which findings stand in them.

Reprints counted once; by article instead of statement; sources and file formats left out one at a time; every theme
without the pattern that finds most for it; terms cut out by another segmenter, the longest match on the text. A finding
names the facts it asserts; a fact stands in another view if it is true there too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .concordance import matches_in
from .tables import ALL, NONE
from .views import Corpus, View, with_themes

if TYPE_CHECKING:
    from .run import Run

N_SOURCES = 12
"""The largest publishers, each left out once; those that a finding cites are left out besides."""

MAX_RECOUNTED = 100_000
"""Statements coded or matched anew; of a larger corpus the articles that hold the first so many. Identifiers are
hashes, so that the first articles are a random part."""


@dataclass(frozen=True)
class Variant:
    """One other view, the view whose facts must be true in it, and what is special about it (empty when alone)."""

    view: View
    reference: View
    name: str = ""


@dataclass(frozen=True)
class Check:
    """One other way of counting.

    Attributes:
        id, zh, en: what it is.
        short_zh, short_en: the same for the head of a column.
        lost: what it must be told with where it is lost and the variant has no name, zh and en.
        variants: from the publishers that stand behind a finding, its views; they are the same object for the same
            view, so that what is made from one is made once.
    """

    id: str
    zh: str
    en: str
    short_zh: str
    short_en: str
    variants: Callable[[Collection[str]], list[Variant]]
    lost: Mapping[str, str] = field(default_factory=dict, compare=False)


def checks(run: Run, view: View) -> Iterator[Check]:
    """Every other way of counting, from the ordinary view of a build."""
    articles = view.corpus.articles
    # of copies and reprints the earliest; among those of one day the first by identifier
    ordered = articles.sort_values(["story_id", "date", "article_id"], na_position="last")
    lead = (~ordered.duplicated("story_id")).reindex(articles.index).to_numpy()
    yield _single("reprints", ("转载只计一次", "reprints counted once"), ("转载计一篇", "reprints once"),
                  "with reprints counted once", replace(view, keep=lead), view)
    yield _single("unit", ("按文章而不按语句计数", "by article, not by statement"), ("按篇计数", "by article"),
                  "with articles counted instead of statements", replace(view, by_article=True), view)

    @cache
    def without(column: str, name: str) -> Variant:
        return Variant(replace(view, keep=(articles[column] != name).to_numpy()), view, name)

    def largest(column: str, most: int | None) -> list[str]:
        sizes = articles[column].value_counts()
        return [n for n in sorted(sizes.index, key=lambda n: (-sizes[n], n))[:most] if sizes[n] < len(articles)]

    publishers, formats = largest("publisher", N_SOURCES), largest("source_format", None)
    known = set(largest("publisher", None))
    yield Check("sources", "逐个剔除来源", "each source left out", "剔除来源", "a source out",
                lambda cited: [without("publisher", n) for n in
                               [*publishers, *sorted((set(cited) & known) - set(publishers))]])
    yield Check("formats", "逐个剔除文件格式", "each file format left out", "剔除格式", "a format out",
                lambda _: [without("source_format", n) for n in formats])
    part = first_part(view)
    statements = _texts_of(run, part)
    yield _single("patterns", ("各主题去掉最管用的一条规则", "each theme without its most productive pattern"),
                  ("剔除规则", "a pattern out"), "with each theme stripped of its most productive pattern",
                  replace(part, corpus=ablated(run, part, statements)), part)
    yield _single("segmentation", ("换一种切词法（最长匹配）", "another segmenter (longest match)"),
                  ("换切词法", "other segmenter"), "with another segmenter",
                  replace(part, corpus=unsegmented(run, part, statements)), part)


def _single(id_: str, name: tuple[str, str], short: tuple[str, str], lost_en: str, view: View,
            reference: View) -> Check:
    """A check of one variant; names in zh and en."""
    variants = [Variant(view, reference)]
    return Check(id_, *name, *short, lambda _: variants, {"zh": name[0], "en": lost_en})


_RECOUNTED = ("article_id", "paragraph", "position", "text", "heading", "evidence", "regions")


def first_part(view: View) -> View:
    """The view, or the part of it that is counted anew: see `MAX_RECOUNTED`."""
    if len(view.corpus.article) <= MAX_RECOUNTED:
        return view
    last = int(view.corpus.article[MAX_RECOUNTED])
    return replace(view, keep=view.keep & (np.arange(len(view.keep)) < last))


def _texts_of(run: Run, view: View) -> pd.DataFrame:
    """What the statements of a view are counted anew from, in the order of its corpus, with their row there."""
    import pyarrow as pa

    from .tables import read_parts

    rows = np.flatnonzero(view.keep[view.corpus.article])
    wanted = pd.Index(view.corpus.statement_id[rows])
    found, places = [], []
    for part in read_parts(run.out, "statements", ["statement_id", *_RECOUNTED]):
        place = wanted.get_indexer(part["statement_id"].to_pandas())
        found.append(part.take(np.flatnonzero(place >= 0)))
        places.append(place[place >= 0])
    table = pa.concat_tables(found).take(np.argsort(np.concatenate(places)))
    return table.to_pandas().assign(row=rows)


def ablated(run: Run, view: View, statements: pd.DataFrame) -> Corpus:
    """The corpus of a view, coded by a codebook in which each theme lacks the line that finds most for it; `statements`
    are those that `recoded` takes, with evidence."""
    weaker = without_best_lines(run.codebook, statements["text"], map(json.loads, statements["evidence"]))
    return recoded(run, view, statements, weaker)


def recoded(run: Run, view: View, statements: pd.DataFrame, codebook) -> Corpus:
    """The corpus of a view, coded anew.

    Args:
        run: the build.
        view: of its corpus.
        statements: article_id, paragraph, position, text, heading, and `row` in the corpus.
        codebook: `fengxiang.coding.Codebook`; themes that the corpus does not have are left out.
    """
    from .coding import code
    from .model import Article, Statements

    def known(value):
        return value if isinstance(value, str) else None

    ids, number = np.unique(statements["article_id"].to_numpy(object).astype(str), return_inverse=True)
    told = run.table("articles", ["article_id", "title", "script", "source_file", "source_format", "position"])
    told = told.set_index("article_id").loc[ids]
    articles = [Article(r.source_file, r.source_format, int(r.position), title=known(r.title), script=r.script)
                for r in told.itertuples()]
    coding = code(articles, Statements(number.tolist(), statements["paragraph"].tolist(),
                                       statements["position"].tolist(), statements["text"].tolist(),
                                       [known(h) for h in statements["heading"]]), None, codebook)
    corpus = view.corpus
    theme = np.zeros_like(corpus.theme)
    column = {c: i for i, c in enumerate(corpus.codes)}
    for row, stated, inherited in zip(statements["row"], coding.stated, coding.inherited, strict=True):
        theme[row, [column[c] for c in (*stated, *inherited) if c in column]] = 1
    evidence = dict(zip(statements["row"], coding.evidence, strict=True))
    items = with_themes(corpus.items, corpus.year, [evidence.get(row, ()) for row in corpus.items["row"]])
    return replace(corpus, theme=theme, items=items)


def without_best_lines(codebook, texts: Iterable[str], evidence: Iterable[Sequence]):
    """The codebook without the line of each theme that has an anchor in most of the places where the theme was found;
    a theme of a single line keeps it.

    Args:
        codebook: `fengxiang.coding.Codebook`.
        texts: statements.
        evidence: for each, what was matched in it: (code, start, end).
    """
    hits: dict[str, dict[str, int]] = {}
    for text, found in zip(texts, evidence, strict=True):
        for code, start, end in found:
            of_theme = hits.setdefault(code, {})
            matched = text[start:end].lower()
            of_theme[matched] = of_theme.get(matched, 0) + 1
    themes = []
    for theme in codebook.themes:
        of_theme = hits.get(theme.code, {})
        worth = [sum(n for matched, n in of_theme.items() if any(a.lower() in matched for a in line.anchors))
                 for line in theme.lines]
        best = int(np.argmax(worth)) if worth else 0
        keep = theme.lines if len(theme.lines) < 2 else theme.lines[:best] + theme.lines[best + 1:]
        themes.append(replace(theme, lines=keep))
    return replace(codebook, themes=tuple(themes))


def unsegmented(run: Run, view: View, statements: pd.DataFrame) -> Corpus:
    """The corpus of a view with the listed terms cut out by another segmenter: the longest listed term at each place of
    the text, with no dictionary of other words that could keep it from being found; `statements` has text, regions, and
    `row` in the corpus."""
    from ahocorasick_rs import AhoCorasick, MatchKind

    from .terms import read_words

    terms = read_words(run.place.codebook / "terms.txt")
    finder, counted = AhoCorasick(terms or ["\0"], matchkind=MatchKind.LeftmostLongest), set(run.terms)
    corpus, rows = view.corpus, []
    row, regions = statements["row"].to_numpy(), statements["regions"].tolist()
    for place, which, _ in matches_in(finder, statements["text"].tolist()).tolist():
        if terms[which] in counted:
            rows += [(corpus.article[row[place]], terms[which], corpus.year[row[place]], region)
                     for region in (ALL, *(regions[place] if len(regions[place]) else [NONE]))]
    keys = ["article", "term", "year", "region"]
    uses = pd.DataFrame(rows, columns=keys)
    return replace(corpus, terms=uses.groupby(keys).size().rename("count").reset_index())


def failures(claim: frozenset, variants: Iterable[Variant],
             facts: Callable[[View], frozenset]) -> Mapping[str, frozenset]:
    """What of a claim is not true in which variants: the variant's name → the facts that fail there.

    Args:
        claim: facts that are true in the ordinary view.
        variants: of one check.
        facts: all facts of the kind that are true in a view.
    """
    out = {}
    for variant in variants:
        lost = (claim & facts(variant.reference)) - facts(variant.view)
        if lost:
            out[variant.name] = lost
    return out
