"""How well cleaning did against articles of which the right result is known; where a rule takes more than elsewhere."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .model import Article

if TYPE_CHECKING:
    import pandas as pd

ALARM_FILES = 5  # documents of a shape, below which no rule is called loud
ALARM_SHARE = 0.1  # of a document's characters
ALARM_TIMES = 4  # as much as in the other documents of its shape

COLUMNS = (
    "source_format", "n_articles_expected", "n_articles_found", "n_boundaries_right", "n_titles", "n_titles_right",
    "n_dates", "n_dates_right", "n_publishers", "n_publishers_right", "n_headings", "n_headings_right",
    "n_body_chars_expected", "n_body_chars_found", "n_body_chars_shared")  # fmt: skip
ALL = "all"


def quality_table(expected: Iterable[Mapping], found: Iterable[Article]) -> list[dict]:
    """What cleaning made of known documents, counted by source format and in all.

    Args:
        expected: a record an article, as in `codebook/gold/articles.json`: `source_file`, `position`, `source_format`,
            and any of `title`, `date`, `publisher`, `headings` and `body` (body paragraphs joined by line feeds). What
            a record does not hold is not counted; a value of None counts as right where none was found.
        found: the articles of the same documents.

    Returns:
        Rows of `COLUMNS`, formats in order, `all` last. A boundary is right where an article of that place in its file
        was found and begins and ends with the paragraphs expected. Body characters are counted without white space;
        `shared` is the longest common subsequence of paragraphs, in characters.
    """
    articles = {(a.source_file, a.position): a for a in found}
    counts: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(COLUMNS[1:], 0))
    files: dict[str, str] = {}
    for record in expected:
        form = record["source_format"]
        files[record["source_file"]] = form
        article = articles.get((record["source_file"], record["position"]))
        for row in (counts[form], counts[ALL]):
            _add(row, record, article)
    for (file, _), _article in articles.items():
        if file in files:
            for row in (counts[files[file]], counts[ALL]):
                row["n_articles_found"] += 1
    order = [*sorted(set(counts) - {ALL}), *([ALL] if ALL in counts else [])]
    return [{"source_format": form, **counts[form]} for form in order]


def _add(row: dict[str, int], record: Mapping, article: Article | None) -> None:
    row["n_articles_expected"] += 1
    for name in ("title", "date", "publisher"):
        if name in record:
            row[f"n_{name}s"] += 1
            row[f"n_{name}s_right"] += article is not None and getattr(article, name) == record[name]
    headings = [p.text for p in article.paragraphs if p.kind == "heading"] if article else []
    if "headings" in record:
        row["n_headings"] += len(record["headings"])
        row["n_headings_right"] += len(set(record["headings"]) & set(headings))
    if "body" not in record:
        row["n_boundaries_right"] += article is not None
        return
    wanted = [_squeezed(p) for p in record["body"].split("\n")]
    made = [_squeezed(p.text) for p in article.paragraphs if p.kind != "heading"] if article else []
    row["n_boundaries_right"] += bool(made) and made[0] == wanted[0] and made[-1] == wanted[-1]
    row["n_body_chars_expected"] += sum(map(len, wanted))
    row["n_body_chars_found"] += sum(map(len, made))
    row["n_body_chars_shared"] += _shared(wanted, made)


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _shared(a: list[str], b: list[str]) -> int:
    """Characters of the longest common subsequence of two lists of paragraphs."""
    best = [0] * (len(b) + 1)
    for x in a:
        diagonal = 0
        for j, y in enumerate(b, 1):
            above = best[j]
            best[j] = diagonal + len(x) if x == y else max(above, best[j - 1])
            diagonal = above
    return best[-1]


def measured(raw: str | Path, codebook: str | Path) -> list[dict]:
    """`quality_table` of the documents of which that is known and which lie in this raw folder; empty where none do.

    Args:
        raw: a folder of raw files.
        codebook: a codebook folder; its `gold/articles.json` says what cleaning must make of which documents.
    """
    from .cleaning import Rules, clean_document

    path = Path(codebook) / "gold" / "articles.json"
    if not path.is_file():
        return []
    expected = json.loads(path.read_text(encoding="utf-8"))["articles"]
    files = sorted({e["source_file"] for e in expected if (Path(raw) / e["source_file"]).is_file()})
    rules = Rules.load(codebook)
    found = [a for f in files for a in clean_document(f, (Path(raw) / f).read_bytes(), rules).articles]
    return quality_table([e for e in expected if e["source_file"] in set(files)], found) if files else []


def alarms(ledger_counts: pd.DataFrame) -> pd.DataFrame:
    """Where a rule takes far more out of one document than out of the others of its shape.

    Args:
        ledger_counts: source_file, source_format, fate, rule, n_chars.

    Returns:
        source_file, source_format, rule, share (of the document's characters), elsewhere (the rule's share in the other
        documents of that shape); only shapes with at least `ALARM_FILES` documents, shares of at least `ALARM_SHARE`
        and `ALARM_TIMES` times the share elsewhere; largest first.
    """
    import pandas as pd

    size = ledger_counts.groupby(["source_format", "source_file"])["n_chars"].sum()
    gone = ledger_counts[ledger_counts["fate"].isin(["boilerplate", "duplicate", "unreadable"])]
    rows = []
    for (shape, rule), part in gone.groupby(["source_format", "rule"]):
        sizes = size[shape]
        if len(sizes) < ALARM_FILES:
            continue
        taken = part.groupby("source_file")["n_chars"].sum().reindex(sizes.index, fill_value=0)
        elsewhere = (taken.sum() - taken) / (sizes.sum() - sizes)
        share = taken / sizes
        loud = (share >= ALARM_SHARE) & (share >= ALARM_TIMES * elsewhere)
        rows += [(f, shape, rule, float(share[f]), float(elsewhere[f])) for f in sizes.index[loud]]
    frame = pd.DataFrame(rows, columns=["source_file", "source_format", "rule", "share", "elsewhere"])
    return frame.sort_values(["share", "source_file", "rule"], ascending=[False, True, True], ignore_index=True)
