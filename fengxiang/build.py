"""The build: a folder of raw files in, the tables out.

Every count is a sum over documents, so the work is *map over partitions of raw files → partial tables → merge*. A
partition is a bucket of raw files (or line-aligned pieces of one large JSON Lines file); one pure function makes its
partials, through any `concurrent.futures` executor. Partials are kept in `OUT/.fengxiang/cache`, named by the content
of the raw files, of the codebook files they depend on and of the code, in three layers (cleaned; segmented; coded and
counted), so that a second build redoes only what changed. What cannot be decided inside a partition (which articles
are copies of one story) is a second pass over small signatures.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from .errors import UserError

PARTITION_BYTES = 1_000_000  # raw bytes a partition aims at
IN_PROCESS_BYTES = 3_000_000  # less raw text than this is not worth starting processes for
CHUNK_BYTES = 1_000_000  # a JSON Lines file larger than twice this is cut at line ends
MAX_FILE_BYTES = 256_000_000  # a larger file that cannot be cut is refused

_PACKAGE = Path(__file__).parent
_LAYER_MODULES = {
    "clean": ("model", "reading", "cleaning", "dating", "statements", "stories", "yamlfile", "errors", "build"),
    "words": ("terms",),
    "coded": ("attribution", "coding", "counts", "tables"),
}
_LAYER_CODEBOOK = {
    "clean": ("cleaning.yml", "scope.yml"),
    "words": ("terms.txt", "stopwords.txt"),
    "coded": ("regions.yml", "themes.yml", "deontic.yml"),
}


def _digest(*parts: str | bytes) -> str:
    h = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        h.update(len(data).to_bytes(8, "big"))
        h.update(data)
    return h.hexdigest()


# ---------------------------------------------------------------------------------------------- what is to be done


@dataclass(frozen=True, slots=True)
class Piece:
    """A raw file, or the lines of one from byte `start` to byte `end`."""

    source_file: str
    size: int
    mtime_ns: int
    start: int = 0
    end: int | None = None
    first_line: int = 1


@dataclass(frozen=True, slots=True)
class Task:
    """One partition, as a worker gets it."""

    raw: str
    cache: str
    bucket: int
    pieces: tuple[Piece, ...]
    toolkit: Toolkit


@dataclass(frozen=True, slots=True)
class Partial:
    """What a worker answers: the names of the partition's three cached layers, and the hash of each raw piece."""

    bucket: int
    hashes: tuple[str, ...]
    clean: str
    words: str
    coded: str


@dataclass
class Toolkit:
    """All that a codebook folder says, loaded; and a fingerprint of it and of the code for each layer."""

    fingerprints: dict[str, str]
    rules: object
    lexicon: object
    gazetteer: object
    codebook: object

    @classmethod
    def load(cls, folder: str | Path) -> Toolkit:
        """Read a codebook folder.

        Raises:
            UserError: the folder or a file of it cannot be used; names file and line.
        """
        from .attribution import Gazetteer
        from .cleaning import Rules
        from .coding import Codebook
        from .terms import Lexicon

        folder = Path(folder)
        if not folder.is_dir():
            raise UserError("is not a folder; a codebook is a folder like codebook/ of this project", folder)
        return cls(layer_fingerprints(folder), Rules.load(folder), Lexicon.load(folder), Gazetteer.load(folder),
                   Codebook.load(folder))


def layer_fingerprints(codebook: Path) -> dict[str, str]:
    """For each layer, a hash of the code and of the codebook files it depends on."""
    prints = {}
    for layer, modules in _LAYER_MODULES.items():
        parts: list[str | bytes] = [sys.version.split()[0]]
        parts += [(_PACKAGE / f"{m}.py").read_bytes() for m in modules]
        for name in _LAYER_CODEBOOK[layer]:
            file = codebook / name
            parts.append(file.read_bytes() if file.is_file() else b"")
        prints[layer] = _digest(*parts)
    return prints


def raw_files(raw: Path) -> list[tuple[str, os.stat_result]]:
    """The raw files of a folder, sorted by path relative to it: all but hidden ones and READMEs. A symbolic link is
    taken only if it leads to a file inside the folder."""
    root = raw.resolve()
    found = []

    def visit(folder: Path, prefix: str):
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if name.startswith(".") or name.lower().startswith("readme"):
                    continue
                relative = prefix + name
                if entry.is_dir(follow_symlinks=False):
                    visit(Path(entry.path), relative + "/")
                elif entry.is_symlink():
                    target = Path(entry.path).resolve()
                    if target.is_file() and target.is_relative_to(root):
                        found.append((relative, target.stat()))
                elif entry.is_file(follow_symlinks=False):
                    found.append((relative, entry.stat(follow_symlinks=False)))

    visit(raw, "")
    return sorted(found)


def _pieces(raw: Path, source_file: str, stat: os.stat_result) -> Iterator[Piece]:
    whole = Piece(source_file, stat.st_size, stat.st_mtime_ns)
    if stat.st_size <= 2 * CHUNK_BYTES:
        yield whole
        return
    with open(raw / source_file, "rb") as handle:
        head = handle.read(65_536)
        if not _looks_like_json_lines(head):
            yield whole
            return
        start, line = 0, 1
        while start < stat.st_size:
            handle.seek(start)
            block = handle.read(CHUNK_BYTES)
            block += handle.readline()
            yield Piece(source_file, stat.st_size, stat.st_mtime_ns, start, start + len(block), line)
            start, line = start + len(block), line + block.count(b"\n")


def _looks_like_json_lines(head: bytes) -> bool:
    lines = head.split(b"\n")[:2]
    if len(lines) < 2 or not lines[0].lstrip().startswith(b"{"):
        return False
    try:
        return isinstance(json.loads(lines[0]), dict) and lines[1].lstrip().startswith(b"{")
    except (ValueError, RecursionError):
        return False


def partitions(raw: Path) -> list[tuple[int, tuple[Piece, ...]]]:
    """The raw folder cut into buckets of about `PARTITION_BYTES`.

    A piece goes to the bucket that its path says, whatever else is there, so that a new file touches one bucket
    only; the number of buckets is a power of two and grows with the corpus.
    """
    pieces = [p for source_file, stat in raw_files(raw) for p in _pieces(raw, source_file, stat)]
    total = sum((p.end or p.size) - p.start for p in pieces)
    n = 1
    while n * PARTITION_BYTES < total:
        n *= 2
    buckets: dict[int, list[Piece]] = {}
    for p in pieces:
        spread = int(_digest(p.source_file, str(p.start))[:8], 16) % n
        buckets.setdefault(spread, []).append(p)
    return sorted((b, tuple(sorted(ps, key=lambda p: (p.source_file, p.start)))) for b, ps in buckets.items())


# ------------------------------------------------------------------------------------------------ one partition


def make_partials(task: Task) -> Partial:
    """Clean, segment, attribute, code and count one partition, or find that it was done already.

    Pure but for the cache: the same pieces, codebook and code give the same files. Runs in any process that sees the
    raw folder and the cache folder.
    """
    toolkit = _kept(task.toolkit)
    data = [_read_piece(task.raw, p) for p in task.pieces]
    hashes = tuple(_digest(d) if isinstance(d, bytes) else f"!{d}" for d in data)
    names = layer_names(task.pieces, hashes, toolkit.fingerprints)
    cache = Cache(task.cache)
    partial = Partial(task.bucket, hashes, *names)
    if not cache.has(partial.clean):
        cache.write(partial.clean, _clean(task.pieces, data, toolkit))
    if cache.has(partial.words) and cache.has(partial.coded):
        return partial
    cleaned = cache.read(partial.clean)
    if not cache.has(partial.words):
        cache.write(partial.words, _segment(cleaned, toolkit))
    if not cache.has(partial.coded):
        cache.write(partial.coded, _code(cleaned, cache.read(partial.words), toolkit))
    return partial


_TOOLKITS: dict[str, Toolkit] = {}


def _kept(toolkit: Toolkit) -> Toolkit:
    # the automata and the segmenter's dictionary are built once a process, not once a partition
    return _TOOLKITS.setdefault(_digest(*sorted(toolkit.fingerprints.values())), toolkit)


def _read_piece(raw: str, piece: Piece) -> bytes | str:
    if piece.end is None and piece.size > MAX_FILE_BYTES:
        return f"larger than {MAX_FILE_BYTES // 1_000_000} MB"
    try:
        with open(Path(raw) / piece.source_file, "rb") as handle:
            handle.seek(piece.start)
            return handle.read() if piece.end is None else handle.read(piece.end - piece.start)
    except OSError as error:
        return f"cannot be read ({error.strerror or type(error).__name__})"


def layer_names(pieces: tuple[Piece, ...], hashes: tuple[str, ...], prints: dict[str, str]) -> tuple[str, str, str]:
    """The cache names of a partition's layers: cleaned, segmented, coded and counted."""
    content = _digest(*(f"{p.source_file}\0{p.start}\0{p.first_line}\0{h}" for p, h in zip(pieces, hashes, strict=True)))
    clean = _digest(content, prints["clean"])
    words = _digest(clean, prints["words"])
    return f"clean-{clean}", f"words-{words}", f"coded-{_digest(words, prints['coded'])}"


def _clean(pieces, data, toolkit) -> dict:
    import pyarrow as pa

    from .cleaning import clean_document, simplified
    from .model import Cleaned, Rejection
    from .statements import split_statements
    from .stories import identifier, normalised, sketch

    articles, ledger, rejected = [], [], []
    for piece, content in zip(pieces, data, strict=True):
        if isinstance(content, bytes):
            done = clean_document(piece.source_file, content, toolkit.rules, first_position=piece.first_line)
        else:
            done = Cleaned(piece.source_file, rejected=[Rejection(piece.source_file, content)])
        for row in done.ledger:
            row.unit += piece.first_line - 1
        articles += done.articles
        ledger += done.ledger
        rejected += done.rejected
    inside = [i for i, a in enumerate(articles) if a.scope == "in"]
    statements = split_statements([articles[i] for i in inside])
    texts = [a.text for a in articles]
    # a copy in the other script is the same text
    compared = [normalised(simplified(t) if a.script == "hant" else t) for a, t in zip(articles, texts, strict=True)]
    article_columns = {name: [getattr(a, name) for a in articles] for name in (
        "source_file", "source_format", "position", "title", "publisher", "authors", "url", "date", "date_basis",
        "year", "kind", "source_title", "scope", "scope_reason", "script")}
    article_columns |= {
        "text": texts,
        "n_chars": [sum(len(p.text) for p in a.paragraphs if p.kind != "heading") for a in articles],
        "rules": [json.dumps(a.rules, ensure_ascii=False, sort_keys=True) for a in articles],
        "paragraph_kinds": [[p.kind for p in a.paragraphs] for a in articles],
        "paragraph_texts": [[p.text for p in a.paragraphs] for a in articles],
        "base_id": [identifier(t) for t in compared],
        "sketch": [sketch(t).tolist() for t in compared],
    }
    strings = pa.list_(pa.string())
    types = {"authors": strings, "paragraph_kinds": strings, "paragraph_texts": strings, "position": pa.int32(),
             "year": pa.int32(), "n_chars": pa.int64(), "sketch": pa.list_(pa.uint64())}
    return {
        "articles": pa.table({k: pa.array(v, type=types.get(k, pa.string())) for k, v in article_columns.items()}),
        "statements": pa.table({
            "article": pa.array([inside[i] for i in statements.article], type=pa.int32()),
            "paragraph": pa.array(statements.paragraph, type=pa.int32()),
            "position": pa.array(statements.position, type=pa.int32()),
            "text": pa.array(statements.text, type=pa.string()),
            "heading": pa.array(statements.heading, type=pa.string())}),
        "ledger": pa.table({
            "source_file": pa.array([r.source_file for r in ledger], type=pa.string()),
            "unit": pa.array([r.unit for r in ledger], type=pa.int32()),
            "n_chars": pa.array([r.n_chars for r in ledger], type=pa.int64()),
            "fate": pa.array([r.fate for r in ledger], type=pa.string()),
            "position": pa.array([r.position for r in ledger], type=pa.int32()),
            "rule": pa.array([r.rule for r in ledger], type=pa.string()),
            "sample": pa.array([r.sample for r in ledger], type=pa.string())}),
        "rejected": pa.table({n: pa.array([getattr(r, n) for r in rejected], type=pa.string())
                              for n in ("source_file", "reason", "detail")}),
    }


def _segment(cleaned: dict, toolkit) -> dict:
    import pyarrow as pa

    from .cleaning import simplified
    from .terms import tokenise

    traditional = {i for i, s in enumerate(cleaned["articles"]["script"].to_pylist()) if s == "hant"}
    texts = cleaned["statements"]["text"].to_pylist()
    if traditional:
        owners = cleaned["statements"]["article"].to_pylist()
        texts = [simplified(t) if o in traditional else t for t, o in zip(texts, owners, strict=True)]
    tokens = tokenise(texts, toolkit.lexicon)
    listed = set(toolkit.lexicon.terms)
    return {"vocabulary": pa.table({"term": pa.array(tokens.vocabulary, type=pa.string()),
                                    "listed": pa.array([t in listed for t in tokens.vocabulary], type=pa.bool_())}),
            "tokens": pa.table({"term": tokens.term, "statement": tokens.statement}),
            "n_words": pa.table({"n_words": tokens.n_words})}


def _code(cleaned: dict, words: dict, toolkit) -> dict:
    import numpy as np
    import pyarrow as pa

    from .attribution import attribute
    from .coding import code
    from .counts import Cells
    from .model import Article, Paragraph, Statements
    from .tables import ALL, NONE

    rows = cleaned["articles"].to_pylist()
    articles = [Article(r["source_file"], r["source_format"], r["position"], r["title"], r["publisher"], r["authors"],
                        r["url"], r["date"], r["date_basis"], r["year"], r["kind"], r["source_title"], r["scope"],
                        r["scope_reason"], r["script"],
                        [Paragraph(t, k) for t, k in zip(r["paragraph_texts"], r["paragraph_kinds"], strict=True)])
                for r in rows]
    columns = {n: cleaned["statements"][n].to_pylist() for n in cleaned["statements"].column_names}
    statements = Statements(**columns)
    found = attribute(articles, statements, toolkit.gazetteer)
    coding = code(articles, statements, found, toolkit.codebook)
    themes = [s + i for s, i in zip(coding.stated, coding.inherited, strict=True)]

    cells = Cells.of(found.regions, found.year, statements.article)
    n = len(statements)
    number = np.arange(n)
    speakers = sorted({s for s in found.speaker if s})
    speaker_code = {s: i for i, s in enumerate(speakers)}
    spoken = np.array([speaker_code.get(s, -1) for s in found.speaker], dtype=np.int64)

    def counted(names, entity, statement, weight=None, label="entity"):
        c = cells.counted(np.asarray(entity, dtype=np.int64), np.asarray(statement, dtype=np.int64), weight)
        out = {label: pa.array([names[e] for e in c["entity"].tolist()], type=pa.string()),
               "year": pa.array(c["year"], type=pa.int32()),
               "region": pa.array([cells.regions[r] for r in c["region"].tolist()], type=pa.string())}
        return pa.table(out | {k: pa.array(c[k]) for k in ("count", "n_statements", "n_articles")})

    def agencies(names, entity, statement):
        entity, statement = np.asarray(entity, dtype=np.int64), np.asarray(statement, dtype=np.int64)
        known = spoken[statement] >= 0 if len(statement) else np.zeros(0, dtype=bool)
        d = cells.distinct(entity[known], statement[known], spoken[statement][known] if len(statement) else statement)
        return pa.table({"theme": pa.array([names[e] for e in d["entity"].tolist()], type=pa.string()),
                         "year": pa.array(d["year"], type=pa.int32()),
                         "region": pa.array([cells.regions[r] for r in d["region"].tolist()], type=pa.string()),
                         "agency": pa.array([speakers[v] for v in d["value"].tolist()], type=pa.string())})

    # a word twice in a statement is one pair of two occurrences
    vocabulary = words["vocabulary"]["term"].to_pylist()
    token_term = words["tokens"]["term"].to_numpy().astype(np.int64)
    token_statement = words["tokens"]["statement"].to_numpy().astype(np.int64)
    pairs, weights = np.unique(token_statement * max(len(vocabulary), 1) + token_term, return_counts=True)
    term_table = counted(vocabulary, pairs % max(len(vocabulary), 1), pairs // max(len(vocabulary), 1),
                         weights.astype(np.int64), "term")
    n_words = words["n_words"]["n_words"].to_numpy().astype(np.int64)
    totals = counted([ALL], np.zeros(n), number, n_words)

    # where the listed terms stand: by article, year and region, what dispersion and first use need
    listed = words["vocabulary"]["listed"].to_numpy(zero_copy_only=False)[token_term] if len(token_term) else []
    uses = Counter((statements.article[s], vocabulary[t], found.year[s] or 0, r)
                   for t, s in zip(token_term[listed].tolist(), token_statement[listed].tolist(), strict=True)
                   for r in [*(found.regions[s] or (NONE,)), ALL])
    use_keys = sorted(uses)

    codes = sorted({t for ts in themes for t in ts}) + [NONE]
    theme_code = {t: i for i, t in enumerate(codes)}
    entity, at = [], []
    a, b, pair_at = [], [], []
    for i, ts in enumerate(themes):
        coded = sorted(theme_code[t] for t in ts) or [theme_code[NONE]]
        entity += coded
        at += [i] * len(coded)
        for j, first in enumerate(coded):
            for second in coded[j + 1:]:
                a.append(first)
                b.append(second)
                pair_at.append(i)
    theme_pairs = counted([f"{x}\t{y}" for x in codes for y in codes],
                          np.array(a, dtype=np.int64) * len(codes) + np.array(b, dtype=np.int64), pair_at, None, "pair")

    grades = sorted({d for d in coding.deontic if d} | {NONE})
    graded_names = [f"{g}\t{t}" for g in grades for t in [*codes, ALL]]
    width = len(codes) + 1
    grade = [grades.index(d or NONE) for d in coding.deontic]
    graded = [grade[i] * width + e for e, i in zip(entity, at, strict=True)] + [g * width + width - 1 for g in grade]
    deontic = counted(graded_names, graded, [*at, *range(n)], None, "graded")

    by_article: dict[tuple, int] = {}
    for i, ts in enumerate(themes):
        for region in [*(found.regions[i] or (NONE,)), ALL]:
            for t in [*ts, ALL]:
                key = (statements.article[i], t, found.year[i] or 0, region)
                by_article[key] = by_article.get(key, 0) + 1
    keys = sorted(by_article)
    strings = pa.list_(pa.string())
    return {
        "statements": pa.table({
            "year": pa.array(found.year, type=pa.int32()),
            "speaker": pa.array(found.speaker, type=pa.string()),
            "level": pa.array(found.level, type=pa.string()),
            "regions": pa.array(found.regions, type=strings),
            "attribution": pa.array(found.basis, type=pa.string()),
            "mentioned": pa.array(found.mentioned, type=strings),
            "years_mentioned": pa.array(found.years_mentioned, type=pa.list_(pa.int32())),
            "themes": pa.array(themes, type=strings),
            "themes_inherited": pa.array(coding.inherited, type=strings),
            "themes_guarded": pa.array(coding.guarded, type=strings),
            "deontic": pa.array(coding.deontic, type=pa.string()),
            "evidence": pa.array([json.dumps(e, ensure_ascii=False) for e in coding.evidence], type=pa.string())}),
        "terms": term_table,
        "themes": counted(codes, entity, at, None, "theme").drop_columns(["count"]),
        "theme_agencies": agencies(codes, entity, at),
        "pairs": theme_pairs.select(["pair", "year", "region", "n_statements"]),
        "totals": totals.drop_columns(["entity"]),
        "total_agencies": agencies([ALL], np.zeros(n), number),
        "deontic": deontic.select(["graded", "year", "region", "n_statements"]),
        "article_themes": pa.table({
            "article": pa.array([k[0] for k in keys], type=pa.int32()),
            "theme": pa.array([k[1] for k in keys], type=pa.string()),
            "year": pa.array([k[2] for k in keys], type=pa.int32()),
            "region": pa.array([k[3] for k in keys], type=pa.string()),
            "n_statements": pa.array([by_article[k] for k in keys], type=pa.int64())}),
        "article_terms": pa.table({
            "article": pa.array([k[0] for k in use_keys], type=pa.int32()),
            "term": pa.array([k[1] for k in use_keys], type=pa.string()),
            "year": pa.array([k[2] for k in use_keys], type=pa.int32()),
            "region": pa.array([k[3] for k in use_keys], type=pa.string()),
            "count": pa.array([uses[k] for k in use_keys], type=pa.int64())}),
    }


class Cache:
    """Partials on disk: named groups of Arrow tables, written whole or not at all."""

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)

    def _path(self, name: str) -> Path:
        return self.folder / name[-2:] / f"{name}.arrow"

    def has(self, name: str) -> bool:
        return self._path(name).is_file()

    def write(self, name: str, tables: dict) -> None:
        """Write the tables of a layer under one name."""
        import pyarrow as pa

        from .tables import replace_file

        def put(path):
            with pa.OSFile(str(path), "wb") as sink:
                for key, table in tables.items():
                    table = table.replace_schema_metadata({"name": key})
                    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as w:
                        w.write_table(table)

        replace_file(self._path(name), put)

    def read(self, name: str) -> dict:
        """The tables of a layer."""
        import pyarrow as pa

        tables = {}
        with pa.OSFile(str(self._path(name))) as source:
            while source.tell() < source.size():
                with pa.ipc.open_stream(source) as reader:
                    key = reader.schema.metadata[b"name"].decode()
                    tables[key] = reader.read_all().replace_schema_metadata(None)
        return tables

    def keep_only(self, names: set[str]) -> None:
        """Delete every partial that is not among `names`."""
        for path in self.folder.glob("*/*.arrow"):
            if path.stem not in names:
                path.unlink(missing_ok=True)


# ------------------------------------------------------------------------------------------------------ the whole


@dataclass
class BuildResult:
    """What a build did.

    Attributes:
        n_files: raw files seen.
        n_rejected: files, members or records that could not be used.
        n_partitions, n_redone: partitions in all, and those that were not taken from the cache.
        tables: name → path of each table written.
        changed: whether any table's content changed.
    """

    n_files: int = 0
    n_rejected: int = 0
    n_partitions: int = 0
    n_redone: int = 0
    tables: dict[str, Path] = field(default_factory=dict)
    changed: bool = True


class Workspace:
    """The hidden working folder of an output folder: cache, state, lock."""

    def __init__(self, out: Path):
        self.folder = out / ".fengxiang"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"cannot be written to ({error.strerror}); choose another output folder", out) from None

    @contextlib.contextmanager
    def locked(self, wait: Callable[[], None] | None = None) -> Iterator[None]:
        """Hold the folder for this build; another build in the same folder waits for it."""
        import filelock

        lock = filelock.FileLock(str(self.folder / "lock"))
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            if wait:
                wait()
            lock.acquire()
        except OSError as error:
            raise UserError(f"cannot be written to ({error.strerror}); choose another output folder",
                            self.folder.parent) from None
        try:
            yield
        finally:
            lock.release()

    @cached_property
    def state(self) -> dict:
        """What the last build left, or nothing."""
        try:
            return json.loads((self.folder / "state.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}

    def save_state(self, state: dict) -> None:
        from .tables import replace_file

        text = json.dumps(state, ensure_ascii=False, sort_keys=True)
        replace_file(self.folder / "state.json", lambda p: p.write_text(text, "utf-8", errors="surrogateescape"))
        self.state = state


def build(raw: str | Path, out: str | Path, codebook: str | Path, *, workers: int | None = None,
          executor: Executor | None = None, progress: Callable[[str], None] = lambda message: None) -> BuildResult:
    """Make every table of `out` from the files of `raw`.

    Args:
        raw: folder of raw files; read only.
        out: output folder; the tables go to `out/data/processed`.
        codebook: folder of the codebook.
        workers: processes; by default one a core, and none for a small corpus.
        executor: run the partitions through this one instead (a Dask cluster's, say).
        progress: called with a short message as the work goes on.

    Raises:
        UserError: a folder cannot be used or the codebook is broken.
    """
    raw, out, codebook = Path(raw), Path(out), Path(codebook)
    if not raw.is_dir():
        raise UserError("is not a folder; give the folder that holds the articles", raw)
    space = Workspace(out)
    with space.locked(lambda: progress("another build is at work in this folder; waiting for it")):
        parts = partitions(raw)
        n_files = len({p.source_file for _, pieces in parts for p in pieces})
        prints = layer_fingerprints(codebook) if codebook.is_dir() else {}
        cache = Cache(space.folder / "cache")
        known = _known_partials(space.state, parts, prints, cache)
        result = BuildResult(n_files=n_files, n_partitions=len(parts))
        if _is_current(space.state, parts, prints, known, out):
            result.changed, result.n_rejected = False, space.state["n_rejected"]
            result.tables = _paths(out)
            return result
        toolkit = Toolkit.load(codebook)
        todo = [Task(str(raw.resolve()), str(cache.folder), b, pieces, toolkit) for b, pieces in parts
                if b not in known]
        result.n_redone = len(todo)
        size = sum((p.end or p.size) - p.start for t in todo for p in t.pieces)
        with _executor(executor, workers, size) as run:
            done = dict(known)
            for i, partial in enumerate(run(make_partials, todo), 1):
                done[partial.bucket] = partial
                progress(f"{i}/{len(todo)} partitions read, cleaned, coded")
            partials = [done[b] for b, _ in parts]
            from .merging import merge

            result.n_rejected = merge(partials, cache, out, run, progress)
        space.save_state({
            "fingerprints": prints, "n_rejected": result.n_rejected,
            "partitions": [{"bucket": b, "pieces": [_piece_state(p) for p in pieces], "hashes": list(done[b].hashes)}
                           for b, pieces in parts],
            "tables": {n: _stat(p) for n, p in _paths(out).items()}})
        cache.keep_only({n for p in partials for n in (p.clean, p.words, p.coded)})
        result.tables = _paths(out)
        return result


def _piece_state(p: Piece) -> list:
    return [p.source_file, p.size, p.mtime_ns, p.start, p.end, p.first_line]


def _known_partials(state: dict, parts, prints, cache: Cache) -> dict[int, Partial]:
    """Partitions whose files have not been touched since the last build and whose partials are all there."""
    before = {tuple(map(tuple, p["pieces"])): p["hashes"] for p in state.get("partitions", [])}
    known = {}
    for bucket, pieces in parts:
        hashes = before.get(tuple(tuple(_piece_state(p)) for p in pieces))
        if hashes is None or not prints or any(h.startswith("!") for h in hashes):
            continue
        partial = Partial(bucket, tuple(hashes), *layer_names(pieces, tuple(hashes), prints))
        if cache.has(partial.clean) and cache.has(partial.words) and cache.has(partial.coded):
            known[bucket] = partial
    return known


def _is_current(state, parts, prints, known, out: Path) -> bool:
    return (bool(prints) and state.get("fingerprints") == prints and len(known) == len(parts)
            and [p["bucket"] for p in state.get("partitions", [])] == [b for b, _ in parts]
            and state.get("tables") == {n: _stat(p) for n, p in _paths(out).items()})


def _paths(out: Path) -> dict[str, Path]:
    from .tables import TABLES, path_of

    return {name: path_of(out, name) for name in TABLES}


def _stat(path: Path) -> list:
    files = sorted(path.glob("part-*.parquet")) if path.is_dir() else [path]
    return [[f.name, f.stat().st_size, f.stat().st_mtime_ns] if f.is_file() else [f.name] for f in files]


@contextlib.contextmanager
def _executor(executor: Executor | None, workers: int | None, size: int):
    """A lazy `map` over tasks: in this process for little work, else through processes, else as given."""
    if executor is not None:
        yield executor.map
        return
    workers = workers or os.cpu_count() or 1
    if workers == 1 or size < IN_PROCESS_BYTES:
        yield map
        return
    with ProcessPoolExecutor(workers) as pool:
        yield pool.map
