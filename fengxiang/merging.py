"""From the partials of all partitions to the tables: stories linked, counts added up, parts written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from . import tables
from .cleaning import simplified
from .counts import Cells, summed
from .stories import link, normalised
from .tables import NONE


ROW_TABLES = ("articles", "statements", "ledger", "article_themes", "article_terms")


@dataclass(frozen=True, slots=True)
class Finish:
    """One partition with what only the whole corpus knows: identifiers and stories of its articles, and which of
    its articles share a story with another one."""

    number: int
    partial: object
    cache: str
    out: str
    single: bool
    article_ids: tuple[str, ...]
    story_ids: tuple[str, ...]
    shared: tuple[int, ...]


def merge(partials: list, cache, out: Path, run: Callable, progress: Callable[[str], None]) -> int:
    """Write every table of `out`.

    Args:
        partials: the partitions, in the order of their buckets.
        cache: where their layers are.
        run: a `map` over tasks.
        progress: called with a short message.

    Returns:
        The number of rejected files.
    """
    keys, sketches, base_ids, sizes = [], [], [], []
    for number, partial in enumerate(partials):
        articles = cache.read(partial.clean)["articles"]
        sizes.append(len(articles))
        base_ids += articles["base_id"].to_pylist()
        sketches += [np.array(s, dtype=np.uint64) for s in articles["sketch"].to_pylist()]
        # an undated copy never leads: "~" sorts after every date
        keys += [(d or "~", f, p, number, i) for i, (d, f, p) in enumerate(zip(
            articles["date"].to_pylist(), articles["source_file"].to_pylist(), articles["position"].to_pylist(),
            strict=True))]
    identifiers = _identifiers(base_ids, [k[1:3] for k in keys])

    texts: dict[int, tuple] = {}

    def text_of(key):
        number, i = key[3], key[4]
        if number not in texts:
            articles = cache.read(partials[number].clean)["articles"]
            texts[number] = articles["text"], articles["script"]
        text, script = (column[i].as_py() for column in texts[number])
        return normalised(simplified(text) if script == "hant" else text)

    progress("looking for copies and reprints")
    story = link(keys, sketches, text_of)
    identifier_of = dict(zip(keys, identifiers, strict=True))
    finishes, start = [], 0
    for number, (partial, size) in enumerate(zip(partials, sizes, strict=True)):
        mine = keys[start:start + size]
        finishes.append(Finish(
            number, partial, str(cache.folder), str(out), len(partials) == 1,
            tuple(identifiers[start:start + size]), tuple(identifier_of[story.get(k, k)] for k in mine),
            tuple(i for i, k in enumerate(mine) if k in story)))
        start += size
    progress("writing the tables")
    shared = [s for s in run(finish, finishes) if s is not None]
    for name in ROW_TABLES:
        _drop_stale(out, name, len(partials))

    def coded(key):
        return [cache.read(p.coded)[key] for p in partials] if partials else []

    def stories(kind, names, counts):
        return _with_stories(counts, [s[kind] for s in shared], names)

    _write_counts(out, coded, stories)
    rejected = pa.concat_tables([cache.read(p.clean)["rejected"] for p in partials] or [_empty("rejected")])
    _write(out, "rejected", rejected.sort_by([(n, "ascending") for n in rejected.column_names]))
    ledger = summed([cache.read(p.clean)["ledger"].append_column(
        "source_format", _formats(cache.read(p.clean))) .append_column(
        "n_units", pa.array(np.ones(len(cache.read(p.clean)["ledger"]), dtype=np.int64)))
        .select(["source_file", "source_format", "fate", "rule", "n_units", "n_chars"]) for p in partials]
        or [_empty("ledger_counts")], ["source_file", "source_format", "fate", "rule"])
    _write(out, "ledger_counts", ledger)
    return len(rejected)


def _formats(cleaned: dict) -> pa.Array:
    by_file = dict(zip(cleaned["articles"]["source_file"].to_pylist(), cleaned["articles"]["source_format"].to_pylist(),
                       strict=True))
    return pa.array([by_file.get(f, "none") for f in cleaned["ledger"]["source_file"].to_pylist()], type=pa.string())


def _identifiers(base_ids: list[str], places: list[tuple]) -> list[str]:
    """Unique identifiers: the same text in a second place gets `-2`, in the order of the files."""
    groups: dict[str, list[int]] = {}
    for i, base in enumerate(base_ids):
        groups.setdefault(base, []).append(i)
    out = list(base_ids)
    for base, members in groups.items():
        for rank, i in enumerate(sorted(members, key=lambda i: places[i]), 1):
            out[i] = base if rank == 1 else f"{base}-{rank}"
    return out


def finish(task: Finish) -> dict | None:
    """Write one partition's rows of the row tables; return which stories its shared articles' counts belong to."""
    from .build import Cache

    cache = Cache(task.cache)
    clean, coded = cache.read(task.partial.clean), cache.read(task.partial.coded)
    ids, stories = pa.array(task.article_ids, type=pa.string()), pa.array(task.story_ids, type=pa.string())
    articles, statements = clean["articles"], clean["statements"]
    per_article = np.bincount(statements["article"].to_numpy(), minlength=len(articles)).astype(np.int32)
    n_words = cache.read(task.partial.words)["n_words"]["n_words"].to_numpy()
    tokens = np.bincount(statements["article"].to_numpy(), weights=n_words, minlength=len(articles)).astype(np.int64)
    articles = articles.append_column("article_id", ids).append_column("story_id", stories) \
        .append_column("n_statements", pa.array(per_article[:len(articles)])) \
        .append_column("n_tokens", pa.array(tokens[:len(articles)])) \
        .select(tables.TABLES["articles"].schema.names)
    owner = statements["article"]
    positions = [f"{p:03d}" for p in statements["position"].to_pylist()]
    article_id = ids.take(owner.combine_chunks())
    rows = {"statement_id": pc.binary_join_element_wise(article_id, pa.array(positions, type=pa.string()), "-"),
            "article_id": article_id, "story_id": stories.take(owner.combine_chunks()),
            "source_file": clean["articles"]["source_file"].combine_chunks().take(owner.combine_chunks())}
    rows |= {n: statements[n] for n in ("paragraph", "position", "text", "heading")}
    rows |= {n: coded["statements"][n] for n in coded["statements"].column_names}
    ledger = clean["ledger"]
    by_place = {(f, p): i for f, p, i in zip(clean["articles"]["source_file"].to_pylist(),
                                             clean["articles"]["position"].to_pylist(), task.article_ids, strict=True)}
    ledger = ledger.append_column("article_id", pa.array(
        [by_place.get(k) for k in zip(ledger["source_file"].to_pylist(), ledger["position"].to_pylist(), strict=True)],
        type=pa.string())).drop_columns(["position"])
    themes = coded["article_themes"]
    at = themes["article"].combine_chunks()

    def of_article(name):
        return pc.fill_null(clean["articles"][name].combine_chunks().take(at), NONE)

    article_themes = pa.table({"article_id": ids.take(at), "theme": themes["theme"], "year": themes["year"],
                               "region": themes["region"],
                               "source_format": of_article("source_format"), "kind": of_article("kind"),
                               "publisher": of_article("publisher"), "n_statements": themes["n_statements"]})
    terms = coded["article_terms"]
    article_terms = pa.table({"article_id": ids.take(terms["article"].combine_chunks())}
                             | {n: terms[n] for n in ("term", "year", "region", "count")})
    for name, table in (("articles", articles), ("statements", pa.table(rows)), ("ledger", ledger),
                        ("article_themes", article_themes), ("article_terms", article_terms)):
        path = tables.path_of(task.out, name)
        if not task.single:
            path = path / f"part-{task.number:05d}.parquet"
        elif path.is_dir():
            _remove_folder(path)
        if not task.single and path.parent.is_file():
            path.parent.unlink()
        tables.write_parquet(path, tables.checked(name, table))
    return _shared_stories(task, clean, coded, cache) if task.shared else None


def _shared_stories(task: Finish, clean: dict, coded: dict, cache) -> dict:
    """For the articles that share a story: in which cells each term and theme stands, by story."""
    shared = set(task.shared)
    owner = clean["statements"]["article"].to_pylist()
    story_names = sorted({task.story_ids[i] for i in shared})
    story_code = {s: i for i, s in enumerate(story_names)}
    inside = [i for i, o in enumerate(owner) if o in shared]
    renumber = {s: i for i, s in enumerate(inside)}
    columns = coded["statements"].take(inside)
    cells = Cells.of([tuple(r) for r in columns["regions"].to_pylist()], columns["year"].to_pylist(),
                     [owner[s] for s in inside])
    value = [story_code[task.story_ids[owner[s]]] for s in inside]
    words = cache.read(task.partial.words)
    vocabulary = words["vocabulary"]["term"].to_pylist()
    tokens = sorted({(t, renumber[s]) for t, s in zip(words["tokens"]["term"].to_pylist(),
                                                      words["tokens"]["statement"].to_pylist(), strict=True)
                     if s in renumber})
    themes = columns["themes"].to_pylist()
    codes = sorted({t for ts in themes for t in ts}) + [NONE]
    theme_code = {t: i for i, t in enumerate(codes)}
    coded_pairs = [(theme_code[t], i) for i, ts in enumerate(themes) for t in (ts or [NONE])]

    def rows(label, names, pairs):
        entity = np.array([e for e, _ in pairs], dtype=np.int64)
        at = np.array([s for _, s in pairs], dtype=np.int64)
        # articles of one story count once each in n_articles, so the article stays beside the story
        d = cells.distinct(entity, at, np.array([value[s] * (len(owner) + 1) + 0 for _, s in pairs], dtype=np.int64))
        n_articles = cells.counted(entity, at)
        frame = {label: pa.array([names[e] for e in d["entity"].tolist()], type=pa.string()),
                 "year": pa.array(d["year"], type=pa.int32()),
                 "region": pa.array([cells.regions[r] for r in d["region"].tolist()], type=pa.string()),
                 "story": pa.array([story_names[v // (len(owner) + 1)] for v in d["value"].tolist()],
                                   type=pa.string())}
        articles = {label: pa.array([names[e] for e in n_articles["entity"].tolist()], type=pa.string()),
                    "year": pa.array(n_articles["year"], type=pa.int32()),
                    "region": pa.array([cells.regions[r] for r in n_articles["region"].tolist()], type=pa.string()),
                    "n_shared": pa.array(n_articles["n_articles"])}
        return pa.table(frame), pa.table(articles)

    return {"term": rows("term", vocabulary, tokens), "theme": rows("theme", codes, coded_pairs),
            "total": rows("total", ["all"], [(0, i) for i in range(len(inside))])}


def _with_stories(counts: pa.Table, shared: list[tuple[pa.Table, pa.Table]], names: list[str]) -> pa.Table:
    """`counts` with n_stories: its articles, less those that share a story, plus the distinct stories these tell."""
    n_stories = counts["n_articles"].to_numpy().astype(np.int64).copy()
    if shared:
        label = names[0] if names else "total"
        keys = [label, "year", "region"]
        fewer = summed([s[1] for s in shared], keys)
        more = pa.concat_tables([s[0] for s in shared]).group_by([*keys, "story"], use_threads=False).aggregate([])
        more = more.group_by(keys, use_threads=False).aggregate([("story", "count")])
        place = {k: i for i, k in enumerate(zip(*(counts[n].to_pylist() for n in ([*names, "year", "region"])),
                                                strict=True))}

        def at(table):
            rows = zip(*(table[n].to_pylist() for n in (keys if names else keys[1:])), strict=True)
            return [place[r] for r in rows]

        np.subtract.at(n_stories, at(fewer), fewer["n_shared"].to_numpy())
        np.add.at(n_stories, at(more), more["story_count"].to_numpy())
    return counts.append_column("n_stories", pa.array(n_stories))


def _distinct_agencies(parts: list[pa.Table]) -> pa.Table:
    rows = pa.concat_tables(parts).group_by(["theme", "year", "region", "agency"], use_threads=False).aggregate([])
    counts = rows.group_by(["theme", "year", "region"], use_threads=False).aggregate([("agency", "count")])
    return counts.rename_columns([n.replace("agency_count", "n_agencies") for n in counts.column_names])


def _joined(left: pa.Table, right: pa.Table, keys: list[str], value: str) -> pa.Table:
    """`left` with `value` of `right` by `keys`; 0 where there is none."""
    found = dict(zip(zip(*(right[k].to_pylist() for k in keys), strict=True), right[value].to_pylist(), strict=True))
    rows = zip(*(left[k].to_pylist() for k in keys), strict=True)
    return left.append_column(value, pa.array([found.get(r, 0) for r in rows], type=pa.int64()))


def _write_counts(out: Path, coded: Callable[[str], list], stories: Callable) -> None:
    cell = ["year", "region"]
    if not coded("terms"):
        for name in ("term_counts", "theme_counts", "theme_pairs", "slices", "deontic_counts"):
            _write(out, name, _empty(name))
        for name in ROW_TABLES:
            _write(out, name, _empty(name))
        return
    terms = summed(coded("terms"), ["term", *cell])
    _write(out, "term_counts", stories("term", ["term"], terms))

    themes = summed(coded("themes"), ["theme", *cell])
    agencies = _distinct_agencies(coded("theme_agencies"))
    _write(out, "theme_counts", _joined(stories("theme", ["theme"], themes), agencies, ["theme", *cell], "n_agencies"))

    totals = summed(coded("totals"), cell)
    totals = totals.rename_columns(["n_tokens" if n == "count" else n for n in totals.column_names])
    agencies = _distinct_agencies(coded("total_agencies"))
    _write(out, "slices", _joined(stories("total", [], totals), agencies, cell, "n_agencies"))

    pairs = summed(coded("pairs"), ["pair", *cell])
    split = [p.split("\t") for p in pairs["pair"].to_pylist()]
    pairs = pa.table({"theme_a": pa.array([s[0] for s in split], type=pa.string()),
                      "theme_b": pa.array([s[1] for s in split], type=pa.string()),
                      "year": pairs["year"], "region": pairs["region"], "n_both": pairs["n_statements"]})
    for label, side in (("n_a", "theme_a"), ("n_b", "theme_b")):
        ours = themes.rename_columns([{"theme": side, "n_statements": label}.get(n, n) for n in themes.column_names])
        pairs = _joined(pairs, ours, [side, *cell], label)
    _write(out, "theme_pairs", _joined(pairs, totals, cell, "n_statements"))

    deontic = summed(coded("deontic"), ["graded", *cell])
    split = [g.split("\t") for g in deontic["graded"].to_pylist()]
    _write(out, "deontic_counts", pa.table({
        "deontic": pa.array([s[0] for s in split], type=pa.string()),
        "theme": pa.array([s[1] for s in split], type=pa.string()),
        "year": deontic["year"], "region": deontic["region"], "n_statements": deontic["n_statements"]}))


def _empty(name: str) -> pa.Table:
    return tables.TABLES[name].schema.empty_table()


def _write(out: Path, name: str, table: pa.Table) -> None:
    table = tables.checked(name, table)
    path = tables.path_of(out, name)
    if path.is_dir():
        _remove_folder(path)
    tables.write_parquet(path, table)
    if tables.TABLES[name].csv:
        tables.write_csv(path.with_suffix(".csv"), table.to_pandas())


def _drop_stale(out: Path, name: str, n: int) -> None:
    """Remove parts that a larger corpus left behind."""
    path = tables.path_of(out, name)
    if path.is_dir():
        for part in path.glob("part-*.parquet"):
            if int(part.stem.removeprefix("part-")) >= n:
                part.unlink()


def _remove_folder(path: Path) -> None:
    for part in path.glob("part-*.parquet"):
        part.unlink()
    path.rmdir()
