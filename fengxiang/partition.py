"""One partition: raw files in, their cleaned, segmented, coded and counted rows out, kept by content.

The three layers of a partition are kept apart, so that a change of the codebook redoes only what depends on it. Within
one process the layers hand each other what they made; what is kept on disk is read back only when the layer before it
was made earlier.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
import os
import struct
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from . import places
from .errors import UserError
from .places import is_local, local_copy, opened, readable, shown_name, stored_files

if TYPE_CHECKING:
    from .coding import Coded, Themes
    from .counts import Counts
    from .model import Article, Statements
    from .terms import Tokens

MAX_FILE_BYTES = 256_000_000  # a larger file that cannot be cut is refused
SEVERAL = "、"  # between the names of agencies that speak together
FILES_AHEAD = 64  # that are open together, so that the system fetches them together
_TOO_LARGE = f"larger than {MAX_FILE_BYTES // 1_000_000} MB"
_LZ4_LEVEL = -5  # in two thirds of the time of the usual level, and a sixth larger
_PLACES = struct.Struct("<2Q")  # where a text of a file of texts starts, and where it ends and the next one starts
_INDEX_SIZE = 8  # bytes that say how long the index of a file in the cache is
_CHANGED = ("the codebook or the program was changed while the build was at work, or a worker has other ones; build "
            "again")
_WHOLE = b"ARROW1"  # the end of a file in the cache; that of an Arrow file, too

ARTICLE_STRINGS = ("source_file", "source_format", "title", "publisher", "url", "date", "date_basis", "kind",
                   "source_title", "scope", "scope_reason", "script")


def digest(*parts: str | bytes) -> str:
    """A name made from contents: 32 hexadecimal digits, other ones for any other parts."""
    h = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        h.update(len(data).to_bytes(8, "big"))
        h.update(data)
    return h.hexdigest()


class Piece(NamedTuple):
    """A raw file, or the lines of one from byte `start` to byte `end`."""

    source_file: str
    size: int  # of the file
    start: int = 0
    end: int | None = None
    first_line: int = 1
    refused: str = ""  # in plain words, why it is not read


@dataclass(frozen=True, slots=True)
class Task:
    """One partition, as a worker gets it. `codebook` is the folder, `fingerprints` what it and the code were like."""

    raw: str
    cache: str
    codebook: str
    fingerprints: tuple[tuple[str, str], ...]
    bucket: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Partial:
    """What a worker answers: a hash of what it read, the cache names of what it made, and whether some piece could
    not be read now and may be another time."""

    bucket: str
    content: str
    clean: str
    texts: str
    words: str
    coded: str
    unread: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The cache names."""
        return self.clean, self.texts, self.words, self.coded

    @classmethod
    def of(cls, bucket: str, content: str, fingerprints: dict[str, str], unread: bool = False) -> Partial:
        """The partial of a partition by what its files hold and what made it."""
        clean = digest(content, fingerprints["clean"])
        words = digest(clean, fingerprints["words"])
        return cls(bucket, content, f"clean-{clean}", f"texts-{clean}", f"words-{words}",
                   f"coded-{digest(words, fingerprints['coded'])}", unread)


def make_partials(task: Task) -> Partial:
    """Clean, segment, attribute, code and count one partition, or find that it was done already.

    Pure but for the cache: the same pieces, codebook and code give the same files. Runs in any process that sees the
    raw folder, the codebook folder and the cache folder.

    Raises:
        UserError: the codebook folder cannot be used, or is no longer what the build began with.
    """
    with no_collector():
        return _made(task)


@contextlib.contextmanager
def no_collector():
    """Without the collector of reference cycles: a partition makes many objects and hardly a cycle, and walking them
    over and over costs a tenth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _made(task: Task) -> Partial:
    partial, data = _read(task)
    cache = Cache(task.cache)
    if all(map(cache.has, partial.names)):
        return partial
    toolkit = kept_toolkit(task.codebook, task.fingerprints)
    batch = None if _is_cleaned(partial, cache) else _keep_cleaned(task, data, toolkit.rules, partial, cache)
    del data
    if cache.has(partial.words) and cache.has(partial.coded):
        return partial
    batch = batch or Batch.of_tables(cache.read(partial.clean, ("articles", "statements")))
    if cache.has(partial.words):
        tokens = _tokens_of_tables(cache.read(partial.words))
    else:
        tokens = _segment(batch, toolkit)
        cache.write(partial.words, _tables_of_tokens(tokens), packed=False)
    if not cache.has(partial.coded):
        cache.write(partial.coded, _code(batch, tokens, toolkit), packed=False)
    return partial


def clean_ahead(task: Task) -> None:
    """Make only the first layer of a partition, for `make_partials` to find: it needs the rules of cleaning alone,
    which are loaded in a quarter of the time that the whole codebook takes.

    Raises:
        UserError: as `make_partials`.
    """
    partial, data = _read(task)
    cache = Cache(task.cache)
    if not _is_cleaned(partial, cache):
        _keep_cleaned(task, data, kept_rules(Path(task.codebook), dict(task.fingerprints)["clean"]), partial, cache)


def _read(task: Task) -> tuple[Partial, list[bytes | str]]:
    """What the partials of a partition will be called, and what its pieces hold."""
    data = read_pieces(task.raw, task.pieces)
    content = digest(*(f"{p.source_file}\0{p.start}\0{p.first_line}\0{d if isinstance(d, str) else digest(d)}"
                       for p, d in zip(task.pieces, data, strict=True)))
    unread = any(isinstance(d, str) and not p.refused for p, d in zip(task.pieces, data, strict=True))
    return Partial.of(task.bucket, content, dict(task.fingerprints), unread), data


def _is_cleaned(partial: Partial, cache: Cache) -> bool:
    return cache.has(partial.clean) and cache.has(partial.texts)


def _keep_cleaned(task: Task, data: list[bytes | str], rules, partial: Partial, cache: Cache) -> Batch:
    batch, tables, texts = _clean(task.pieces, data, rules)
    cache.write_texts(partial.texts, texts)
    cache.write(partial.clean, tables, packed=False)
    return batch


_LOADING = threading.Lock()  # a worker of a cluster may have several threads


def kept_toolkit(codebook: str, fingerprints: tuple[tuple[str, str], ...]):
    """The codebook, loaded once a process: its automata and the segmenter's dictionary take longer than a partition.

    Raises:
        UserError: the folder cannot be used, or it, or the program, is not what the build began with.
    """
    with _LOADING:
        return _loaded_toolkit(codebook, fingerprints)


@lru_cache(maxsize=2)
def kept_rules(codebook: Path, fingerprint: str):
    """The rules of cleaning alone, loaded once a process; `fingerprint` is that of the layer made with them.

    Raises:
        UserError: the folder cannot be used, or it, or the program, is not what the build began with.
    """
    from .build import layer_fingerprints
    from .cleaning import Rules

    rules = Rules.load(codebook)
    if layer_fingerprints(codebook)["clean"] != fingerprint:
        raise UserError(_CHANGED, codebook)
    rules.prepare()
    return rules


@lru_cache(maxsize=2)
def _loaded_toolkit(codebook: str, fingerprints: tuple[tuple[str, str], ...]):
    # what each partition needs and merging too: of processes that are forked after this, none loads it again
    import numpy.ma  # noqa: F401 (pyarrow asks for it with the first array of NumPy)
    import pyarrow.parquet  # noqa: F401

    from . import counts, merging, recordfiles, statements, stories  # noqa: F401
    from .build import Toolkit, layer_fingerprints
    from .divisions import large_places

    with local_copy(codebook) as copy:
        toolkit = Toolkit.load(copy, kept_rules(copy, dict(fingerprints)["clean"]))
        prints = layer_fingerprints(copy)
    if prints != dict(fingerprints):
        raise UserError(_CHANGED, codebook)
    large_places()
    toolkit.prepare()
    return toolkit


def read_pieces(raw: str, pieces: Sequence[Piece]) -> list[bytes | str]:
    """The bytes of each piece, or in words why they cannot be had.

    The system is told of some files before the first of them is read. Of small ones that it does not hold in memory
    already it then fetches many at a time; one after the other, they take longer to come than to be cleaned.
    """
    at_once = FILES_AHEAD if is_local(places.folder(raw)) and hasattr(os, "posix_fadvise") else 1
    data: list[bytes | str] = []
    for start in range(0, len(pieces), at_once):
        readings = [_reading(raw, piece, is_told=at_once > 1) for piece in pieces[start:start + at_once]]
        opened_first = list(map(next, readings))
        data += map(next, readings, opened_first)
    return data


def _reading(raw: str, piece: Piece, is_told: bool) -> Iterator[bytes | str]:
    """Open a piece, then read it: gives an empty text, then its bytes; or why it cannot be had, and nothing more."""
    if piece.refused:
        yield piece.refused
        return
    if piece.end is None and piece.size > MAX_FILE_BYTES:
        yield _TOO_LARGE
        return
    try:
        with opened(raw, piece.source_file, buffering=0) as handle:
            if is_told:
                with contextlib.suppress(OSError):  # a file system that cannot be told anything can be read
                    os.posix_fadvise(handle.fileno(), piece.start, (piece.end or piece.size) - piece.start,
                                     os.POSIX_FADV_WILLNEED)
            yield ""
            if piece.start:
                handle.seek(piece.start)
            if piece.end is not None:
                data = handle.read(piece.end - piece.start)
            else:
                data = handle.read(piece.size + 1)
                if len(data) != piece.size:  # it has changed since it was listed, or came in parts
                    data += handle.read()
                # it may have grown since its size was taken
                data = data if len(data) <= MAX_FILE_BYTES else _TOO_LARGE
    except OSError as error:
        data = cannot_be_read(error)
    yield data


def cannot_be_read(error: OSError) -> str:
    """In plain words, why a file or folder cannot be read."""
    return f"cannot be read ({error.strerror or type(error).__name__})"


# ---------------------------------------------------------------------------------------------------------- layers


@dataclass(slots=True)
class Batch:
    """The articles of a partition and the statements of those in scope; `statements.article` indexes `articles`."""

    articles: list[Article]
    statements: Statements

    @classmethod
    def of_tables(cls, tables: dict) -> Batch:
        """What the layer kept of it."""
        from .model import Article, Paragraph, Statements

        columns = {n: tables["articles"][n].to_pylist() for n in tables["articles"].column_names}
        paragraphs = [[Paragraph(t, k) for t, k in zip(texts, kinds, strict=True)] for texts, kinds in
                      zip(columns.pop("paragraph_texts"), columns.pop("paragraph_kinds"), strict=True)]
        columns["rules"] = [json.loads(r) for r in columns["rules"]]
        del columns["n_chars"]
        names = list(columns)
        return cls([Article(**dict(zip(names, row, strict=True)), paragraphs=p)
                    for row, p in zip(zip(*columns.values(), strict=True), paragraphs, strict=True)],
                   Statements(**{n: tables["statements"][n].to_pylist() for n in tables["statements"].column_names}))


def _clean(pieces, data, rules) -> tuple[Batch, dict, list[str]]:
    """The batch, its tables, and the texts that copies are told by."""
    import numpy as np
    import pyarrow as pa

    from .cleaning import clean_document, simplified
    from .counts import row_counts, words
    from .model import Cleaned, Rejection
    from .statements import split_statements
    from .stories import SKETCH, all_normalised, identifier, sketches

    articles, ledger, ledger_article, rejected = [], [], [], []
    ledger_files, n_rows, units_above = [], [], []  # of each text
    for piece, content in zip(pieces, data, strict=True):
        name = shown_name(piece.source_file)
        if isinstance(content, bytes):
            done = clean_document(name, content, rules, first_position=piece.first_line)
        else:
            done = Cleaned(name, rejected=[Rejection(name, content)])
        # of packed files, each counts its articles from 1
        place = {(a.source_file, a.position): i for i, a in enumerate(done.articles, len(articles))}
        for file, rows, owners in done.accounts:
            ledger += rows
            ledger_article += [place.get((file, owner)) for owner in owners] if isinstance(owners, list) else (
                [place.get((file, owners))] * len(rows))
            ledger_files.append(file)
            n_rows.append(len(rows))
            units_above.append(piece.first_line - 1)
        articles += done.articles
        rejected += done.rejected
    inside = [i for i, a in enumerate(articles) if a.scope == "in"]
    statements = split_statements([articles[i] for i in inside])
    statements.article = list(map(inside.__getitem__, statements.article))
    texts = [a.text for a in articles]
    # a copy in the other script is the same text
    compared = all_normalised([simplified(t) if a.script == "hant" else t
                               for a, t in zip(articles, texts, strict=True)])
    write = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode
    rules = [tuple(a.rules.items()) for a in articles]  # few differ
    text_of_rules = {items: write(dict(items)) for items in set(rules)}
    formats = {a.source_file: a.source_format for a in articles}
    paragraphs = [p for a in articles for p in a.paragraphs]
    paragraph_texts, paragraph_kinds = [p.text for p in paragraphs], [p.kind for p in paragraphs]
    first = np.cumsum([0, *(len(a.paragraphs) for a in articles)])
    told = np.cumsum([0, *(0 if k == "heading" else len(t)
                           for t, k in zip(paragraph_texts, paragraph_kinds, strict=True))])[first]
    string, strings = pa.string(), pa.list_(pa.string())
    offsets = pa.array(first, type=pa.int32())
    columns = {n: pa.array(list(map(attrgetter(n), articles)), type=string) for n in ARTICLE_STRINGS}
    position = pa.array([a.position for a in articles], type=pa.int32())
    unit, n_chars, fate, rule, sample = zip(*ledger, strict=True) if ledger else repeat((), 5)
    text_of_row = np.repeat(np.arange(len(n_rows)), n_rows)
    units = np.array(unit, dtype=np.int32) + np.repeat(np.array(units_above, dtype=np.int32), n_rows)
    ledger_columns = {
        "source_file": words(ledger_files, text_of_row), "unit": pa.array(units),
        "n_chars": pa.array(n_chars, type=pa.int64()), "fate": pa.array(fate, type=string).dictionary_encode(),
        "rule": pa.array(rule, type=string).dictionary_encode(), "sample": pa.array(sample, type=string)}
    cut = [shown_name(p.source_file) for p in pieces if p.end is not None]
    tables = {
        "keys": pa.table({
            "base_id": pa.array([identifier(t) for t in compared], type=string),
            "date": columns["date"], "source_file": columns["source_file"], "position": position,
            "sketch": pa.FixedSizeListArray.from_arrays(pa.array(sketches(compared).ravel()), SKETCH)}),
        "rejected": pa.table({n: pa.array([getattr(r, n) for r in rejected], type=string)
                              for n in ("source_file", "reason", "detail")}),
        "cut_files": pa.table({"source_file": pa.array(sorted(set(cut)), type=string)}),
        "ledger_counts": row_counts(
            pa.table({"source_file": ledger_columns["source_file"],
                      "source_format": words([formats.get(f, "none") for f in ledger_files], text_of_row),
                      "fate": ledger_columns["fate"], "rule": ledger_columns["rule"],
                      "n_units": pa.array(np.ones(len(ledger), dtype=np.int64)),
                      "n_chars": ledger_columns["n_chars"]})),
        "statements": pa.table({
            "article": pa.array(statements.article, type=pa.int32()),
            "paragraph": pa.array(statements.paragraph, type=pa.int32()),
            "position": pa.array(statements.position, type=pa.int32()),
            "text": pa.array(statements.text, type=string),
            "heading": pa.array(statements.heading, type=string)}),
        "articles": pa.table(columns | {
            "position": position,
            "authors": pa.array([a.authors for a in articles], type=strings),
            "year": pa.array([a.year for a in articles], type=pa.int32()),
            "n_chars": pa.array(np.diff(told), type=pa.int64()),
            "rules": pa.array(list(map(text_of_rules.__getitem__, rules)), type=string),
            "paragraph_kinds": pa.ListArray.from_arrays(offsets, pa.array(paragraph_kinds, type=string)),
            "paragraph_texts": pa.ListArray.from_arrays(offsets, pa.array(paragraph_texts, type=string))}),
        "ledger": pa.table(ledger_columns | {"article": pa.array(ledger_article, type=pa.int32())}),
    }
    return Batch(articles, statements), tables, compared


def _segment(batch: Batch, toolkit) -> Tokens:
    from .cleaning import simplified
    from .terms import tokenise

    traditional = {i for i, a in enumerate(batch.articles) if a.script == "hant"}
    texts = batch.statements.text
    if traditional:
        texts = [simplified(t) if o in traditional else t for t, o in zip(texts, batch.statements.article, strict=True)]
    return tokenise(texts, toolkit.lexicon)


def _tables_of_tokens(tokens: Tokens) -> dict:
    import numpy as np
    import pyarrow as pa

    n_counted = np.bincount(tokens.statement, minlength=len(tokens.n_words)).astype(np.int32)
    return {"statements": pa.table({"n_words": tokens.n_words, "n_counted": n_counted}),
            "vocabulary": pa.table({"term": pa.array(tokens.vocabulary, type=pa.string())}),
            "tokens": pa.table({"term": tokens.term})}


def _tokens_of_tables(tables: dict) -> Tokens:
    import numpy as np

    from .terms import Tokens

    n_words, n_counted = (column.to_numpy() for column in tables["statements"].columns)
    return Tokens(tables["vocabulary"]["term"].to_pylist(), tables["tokens"]["term"].to_numpy(),
                  np.repeat(np.arange(len(n_words), dtype=np.int32), n_counted), n_words)


def _code(batch: Batch, tokens: Tokens, toolkit) -> dict:
    import numpy as np
    import pyarrow as pa

    from .attribution import attribute
    from .coding import coded
    from .counts import Cells, narrowed, words
    from .tables import ALL, NONE

    statements = batch.statements
    found = attribute(batch.articles, statements, toolkit.gazetteer)
    coding = coded(batch.articles, statements, toolkit.codebook)
    voices = found.rows
    n = len(statements)
    number = np.arange(n)
    cells = Cells.of(voices.regions, voices.year, statements.article, found.number)

    # terms are numbered in their order, so that what is counted of them is in order
    in_order = np.array(sorted(range(len(tokens.vocabulary)), key=tokens.vocabulary.__getitem__), dtype=np.int64)
    rank = np.empty(len(in_order), dtype=np.min_scalar_type(len(in_order)))
    rank[in_order] = np.arange(len(in_order))
    terms = cells.occurrences(rank.take(tokens.term), tokens.statement)

    # the themes of a statement, or none, and all together
    given = coding.themes()
    labels = sorted({*map(coding.codes.__getitem__, np.bincount(given.theme).nonzero()[0].tolist()), ALL, NONE})
    every, none, width = labels.index(ALL), labels.index(NONE), len(labels)
    own = np.array([labels.index(code) if code in labels else none for code in coding.codes],
                   dtype=np.int64).take(given.theme)
    bare = (np.bincount(given.statement, minlength=n) == 0).nonzero()[0]
    label = np.concatenate((own, np.full(len(bare), none), np.full(n, every)))
    label_at = np.concatenate((given.statement, bare, number))
    by_label = cells.occurrences(label, label_at)
    counted = by_label.counted()
    is_total = counted["entity"] == every
    totals, themes = ({name: column[rows] for name, column in counted.items() if name != "count"}
                      for rows in (is_total, ~is_total))
    totals["n_tokens"] = cells.sums(tokens.n_words, totals["year"], totals["region"])

    # two themes of a statement, in order
    at, own = np.divmod(np.sort(given.statement * width + own, kind="stable"), width)
    pairs, pairs_at = [at[:0]], [at[:0]]
    for apart in range(1, width):
        first = (at[apart:] == at[:-apart]).nonzero()[0]
        if not len(first):
            break
        pairs.append(own[first] * width + own[first + apart])
        pairs_at.append(at[first])

    # several agencies may speak in one statement: each counts
    place = {voice: i for i, voice in enumerate(dict.fromkeys(voices.speaker))}
    spoken_by = [[name for name in (voice or "").split(SEVERAL) if name] for voice in place]
    speakers = sorted({name for names in spoken_by for name in names})
    voice = np.array(list(map(place.__getitem__, voices.speaker)), dtype=np.int64).take(found.number)
    spoken, spoken_at = _listed([list(map(speakers.index, names)) for names in spoken_by], voice)
    n_spoken = np.bincount(spoken_at, minlength=n)
    repeats = n_spoken.take(label_at)
    pick = np.repeat(np.arange(len(label)), repeats)
    nth = np.arange(len(pick)) - (np.cumsum(repeats) - repeats).take(pick)
    agency = spoken.take((np.cumsum(n_spoken) - n_spoken).take(label_at).take(pick) + nth)

    grades = [NONE if grade is None else grade for grade in coding.grades]
    grade_names = sorted(set(grades), key=lambda grade: f"{grade}\t")  # as they are sorted before a label
    grade = np.array(list(map(grade_names.index, grades)), dtype=np.int64).take(coding.grade)
    small = {"pair": (np.concatenate(pairs), np.concatenate(pairs_at), labels, labels),
             "deontic": (grade.take(label_at) * width + label, label_at, grade_names, labels),
             "agency": (label.take(pick) * len(speakers) + agency, label_at.take(pick), labels, speakers)}
    parts = {"term": _counts(terms.counted(), [tokens.vocabulary[i] for i in in_order.tolist()], cells.regions),
             "theme": _counts(themes, labels, cells.regions), "total": _counts(totals, labels, cells.regions)}
    of_kind = cells.numbers({kind: columns[:2] for kind, columns in small.items()})
    for kind, (_, _, first, second) in small.items():
        columns = of_kind[kind] if kind == "agency" else {
            {"count": "n_statements"}.get(name, name): column for name, column in of_kind[kind].items()}
        parts[kind] = _counts(columns, [f"{a}\t{b}" for a in first for b in second], cells.regions)

    # by article, year and region: what bootstraps over articles need of themes, and dispersion and first use of terms
    by_theme = by_label.by_article(np.where(np.arange(width) == none, -1, np.arange(width)))
    is_listed = np.fromiter(map(set(toolkit.lexicon.terms).__contains__, tokens.vocabulary), dtype=bool,
                            count=len(tokens.vocabulary))
    by_term = terms.by_article(np.where(is_listed, np.arange(len(in_order)), -1).take(in_order))

    def by_article(rows: dict, names: list[str], name: str, count: str) -> pa.Table:
        return pa.table({"article": narrowed(rows["article"]),
                         name: words(names, rows["entity"]), "year": narrowed(rows["year"]),
                         "region": words(cells.regions, rows["region"]), count: narrowed(rows["count"])})

    string, strings = pa.string(), pa.list_(pa.string())
    row, codes = pa.array(found.number), pa.array(coding.codes, type=string)

    def lists(themes: Themes) -> pa.Array:
        return pa.ListArray.from_arrays(_offsets(themes.statement, n), codes.take(pa.array(themes.theme)))

    tables = {}
    for name, part in parts.items():
        tables |= part.tables(name)
    return tables | {
        "statements": pa.table({
            "year": pa.array(voices.year, type=pa.int32()).take(row),
            "speaker": words(voices.speaker, found.number),
            "level": words(voices.level, found.number),
            "regions": pa.array(voices.regions, type=strings).take(row),
            "attribution": words(voices.basis, found.number),
            "mentioned": pa.array(voices.mentioned, type=strings).take(row),
            "years_mentioned": pa.array(voices.years_mentioned, type=pa.list_(pa.int32())).take(row),
            "themes": lists(given),
            "themes_inherited": lists(coding.inherited),
            "themes_guarded": lists(coding.guarded),
            "deontic": words(coding.grades, coding.grade),
            "evidence": _evidence_texts(coding, n)}),
        "article_themes": by_article(by_theme, labels, "theme", "n_statements"),
        "article_terms": by_article(by_term, tokens.vocabulary, "term", "count"),
    }


def _counts(columns: dict, names: list[str], regions: list[str]) -> Counts:
    """What is counted of entities, which ascend; `names` has their names, sorted. Those that stand somewhere are
    kept."""
    import numpy as np
    import pyarrow as pa

    from .counts import Counts

    begins = np.diff(columns["entity"], prepend=-1) > 0
    used = columns["entity"][begins].tolist()
    return Counts(pa.array(list(map(names.__getitem__, used)), type=pa.string()), regions,
                  columns | {"entity": np.cumsum(begins) - 1})


def _offsets(at, n: int):
    """Where the list of each of `n` statements begins, and the end: `at` is the statement of each item, ascending."""
    import numpy as np
    import pyarrow as pa

    return pa.array(np.append(0, np.bincount(at, minlength=n).cumsum()).astype(np.int32))


def _evidence_texts(coding: Coded, n: int):
    """The evidence of each of `n` statements as JSON: `[["risk", 3, 7]]`."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    evidence = coding.evidence
    codes = pa.array([f"[{json.dumps(code, ensure_ascii=False)}, " for code in coding.codes], type=pa.string())
    # most offsets are small and stand many times: each number is written once
    numbers = pc.cast(pa.array(np.arange(evidence.end.max(initial=0) + 1)), pa.string())
    starts, ends = (pc.binary_join_element_wise(numbers, mark, "") for mark in (", ", "]"))
    entries = pc.binary_join_element_wise(codes.take(pa.array(evidence.theme)), starts.take(pa.array(evidence.start)),
                                          ends.take(pa.array(evidence.end)), "")
    lists = pa.ListArray.from_arrays(_offsets(evidence.statement, n), entries)
    return pc.binary_join_element_wise("[", pc.binary_join(lists, ", "), "]", "")


def _listed(lists: list[list[int]], kind) -> tuple:
    """The items of each statement's list, one after the other, and the statement of each; `kind` says which list."""
    import numpy as np

    size = np.array([len(items) for items in lists] or [0], dtype=np.int64)
    flat = np.array([i for items in lists for i in items], dtype=np.int64)
    start = np.cumsum(size) - size
    repeats = size[kind] if len(kind) else np.zeros(0, dtype=np.int64)
    at = np.repeat(np.arange(len(kind)), repeats)
    within = np.arange(len(at)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    return flat[start[kind[at]] + within] if len(at) else flat[:0], at


# ----------------------------------------------------------------------------------------------------------- cache


class Cache:
    """Partials on disk: named groups of Arrow tables, or texts, written whole or not at all."""

    def __init__(self, folder: str | Path):
        self.folder = places.folder(folder)

    @staticmethod
    def _file(name: str) -> str:
        return f"{name[-2:]}/{name}.kept"

    def _path(self, name: str) -> Path:
        return self.folder / self._file(name)

    def _source(self, name: str):
        """What is kept under a name, as Arrow reads it: no more of it than is asked for."""
        import pyarrow as pa

        path = self._path(name)
        return pa.memory_map(str(path)) if is_local(path) else pa.PythonFile(path.fs.open(path.path, "rb"), "r")

    def has(self, name: str) -> bool:
        """Whether it is there, whole: the last bytes say so, since a file's name may outlive a power cut and what
        was to be in it not."""
        try:
            with opened(self.folder, self._file(name), buffering=0) as handle:
                handle.seek(-len(_WHOLE), os.SEEK_END)
                return handle.read() == _WHOLE
        except OSError:
            return False

    def write(self, name: str, tables: dict, *, packed: bool = True) -> None:
        """Keep tables under one name, in the order given; not `packed`, they are read without being copied."""
        import pyarrow as pa

        from .tables import replace_file

        packing = pa.Codec("lz4", compression_level=_LZ4_LEVEL) if packed else None
        options = pa.ipc.IpcWriteOptions(compression=packing, use_threads=False)

        def put(path):
            index = {}
            with pa.OSFile(str(path), "wb") as sink:
                for key, table in tables.items():
                    index[key] = sink.tell(), table.column_names
                    with pa.ipc.new_stream(sink, table.schema.remove_metadata(), options=options) as writer:
                        writer.write_table(table)
                told = json.dumps(index).encode()
                sink.write(told + len(told).to_bytes(_INDEX_SIZE, "big") + _WHOLE)

        replace_file(self._path(name), put, durable=False)

    def read(self, name: str, wanted: Iterable[str] | Mapping[str, Iterable[str] | None] | None = None) -> dict:
        """The tables kept under a name: all, or those wanted; with the columns wanted where `wanted` says which.
        Nothing else is read."""
        import pyarrow as pa

        tables = {}
        with self._source(name) as source:
            end = source.size() - len(_WHOLE) - _INDEX_SIZE
            source.seek(end)
            size = int.from_bytes(source.read(_INDEX_SIZE), "big")
            source.seek(end - size)
            index = json.loads(source.read(size))
            wanted = index if wanted is None else wanted
            for key in wanted:
                start, columns = index[key]
                some = wanted[key] if wanted is not index and isinstance(wanted, Mapping) else None
                options = pa.ipc.IpcReadOptions(use_threads=False, included_fields=None if some is None else
                                                [i for i, column in enumerate(columns) if column in some])
                source.seek(start)
                with pa.ipc.open_stream(source, options=options) as reader:
                    tables[key] = reader.read_all()
        return tables

    def write_texts(self, name: str, texts: list[str]) -> None:
        """Keep texts under a name, so that any one can be read without the others: where each begins and the last one
        ends, then all of them."""
        import numpy as np

        from .tables import replace_file

        encoded = [text.encode() for text in texts]
        starts = np.cumsum([_PLACES.size // 2 * (len(texts) + 1), *map(len, encoded)])
        data = b"".join((starts.astype("<u8").tobytes(), *encoded, _WHOLE))
        replace_file(self._path(name), lambda path: path.write_bytes(data), durable=False)

    def text(self, name: str, number: int) -> str:
        """One of the texts kept under a name."""
        size = _PLACES.size // 2
        if is_local(self.folder):
            with opened(self.folder, self._file(name), buffering=0) as handle:
                handle.seek(size * number)
                start, end = _PLACES.unpack(handle.read(2 * size))
                handle.seek(start)
                return handle.read(end - start).decode()
        path = self._path(name)
        with readable(path):  # no more of it than is asked for
            start, end = _PLACES.unpack(path.fs.cat_file(path.path, size * number, size * (number + 2)))
            return path.fs.cat_file(path.path, start, end).decode()

    def keep_only(self, names: set[str]) -> None:
        """Delete all that is not among `names`, and what a build that was ended has left half-written."""
        paths = self.folder.glob("*/*") if is_local(self.folder) else \
            (self.folder / file.name for file in stored_files(self.folder))
        for path in paths:
            if path.suffix != ".kept" or path.stem not in names:
                path.unlink(missing_ok=True)
