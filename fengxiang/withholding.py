"""Source texts withheld: what a report may still show of articles that may not be handed on.

Counts, quotations of at most `SHORT_QUOTE` letters, digits and characters, and citations: titles of at most
`SHORT_TITLE` characters, media, dates, addresses. Whatever a page shows is compared with every article, so that this
holds of tables and prose that quote in ways nobody thought of here, too: a longer run of the text of an article is cut
where it stands.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from .errors import UserError
from .report import SHORT_QUOTE, SHORT_TITLE, table_rows

CUT = "……"
_AFTER = set("，。；：、！？,.;:!?% ")  # what would stand alone after a cut
_BATCH = 2_000_000  # characters of articles compared at a time
_CITED = ("title", "source_title", "publisher", "url", "source_file")
_BASE = 0x9E3779B97F4A7C15  # odd, so that nothing is lost when it is multiplied modulo 2**64


def shortened(title: str | None) -> str | None:
    """A title as it may be cited."""
    return title if title is None or len(title) <= SHORT_TITLE else title[:SHORT_TITLE] + CUT


def quotations_cut(shown: Iterable[str], texts: Iterable[str], cited: Iterable[str] = ()) -> dict[str, str]:
    """Those of the strings `shown` that hold a longer quotation than may be, each with what may be shown in its place.

    That is a run of more than `SHORT_QUOTE` letters, digits and Chinese characters that stand in this order in one of
    `texts`; blanks, punctuation and marks of formatting between them do not count, and hide nothing. Of a run the
    beginning stays. What stands in one of `cited` is no quotation.
    """
    strings = sorted({string for string in shown if len(string) > SHORT_QUOTE})
    letters, places, owners = _letters(strings)
    windows = _windows(letters)
    known, inverse = np.unique(windows, return_inverse=True)
    found = _contained(known, texts) & ~_contained(known, cited)
    hits = np.flatnonzero(found[inverse])
    hits = hits[owners[hits] == owners[hits + SHORT_QUOTE]] if len(hits) else hits
    out: dict[str, str] = {}
    for owner in np.unique(owners[hits]) if len(hits) else ():
        starts = hits[owners[hits] == owner]
        parts, position, string = [], 0, strings[owner]
        for run in np.split(starts, np.flatnonzero(np.diff(starts) > SHORT_QUOTE) + 1):
            kept, last = places[run[0] + SHORT_QUOTE - 1] + 1, places[run[-1] + SHORT_QUOTE] + 1
            parts += [string[position:kept], CUT]
            position = last
            while string[position:position + 1] in _AFTER:
                position += 1
        out[string] = "".join(parts) + string[position:]
    return out


def withhold(notebook: Any, out: Path) -> None:
    """Cut every quotation in the cells and outputs of an executed notebook, in place.

    Raises:
        UserError: a figure quotes: its pictures cannot be cut.
    """
    leaves = list(_leaves(notebook.cells))
    stems = sorted(path.stem for path in (out / "figures").glob("*.json"))
    drawn = {stem: list(_drawn(out / "figures", stem)) for stem in stems}
    cut = quotations_cut(chain((place[key] for place, key in leaves), *drawn.values()), _texts(out), _cited(out))
    for stem, texts in drawn.items():
        if any(text in cut for text in texts):
            raise UserError(f"quotes more than {SHORT_QUOTE} characters of an article, which a report without source "
                            "texts may not show; leave the figure out of its notebook", f"figures/{stem}")
    for place, key in leaves:
        place[key] = cut.get(place[key], place[key])


def _leaves(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every string within lists and mappings, as the place it can be replaced in. Pictures are none."""
    for key, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
        if isinstance(item, str):
            if not str(key).startswith("image/"):
                yield value, key
        elif isinstance(item, (dict, list)):
            yield from _leaves(item)


def _drawn(folder: Path, stem: str) -> Iterator[str]:
    """Every text of a figure: those of its card, and the cells of its data."""
    card = [json.loads((folder / f"{stem}.json").read_text("utf-8"))]
    yield from (place[key] for place, key in _leaves(card))
    if (data := folder / f"{stem}.csv").is_file():
        for row in csv.reader(io.StringIO(data.read_text("utf-8-sig"), newline="")):
            yield from row


def _texts(out: Path) -> Iterator[str]:
    """Everything that was read: the articles, and the beginnings of the lines left out of them."""
    return chain((row["text"] for row in table_rows(out, "articles", ["text"])),
                 (row["sample"] for row in table_rows(out, "ledger", ["sample"])))


def _cited(out: Path) -> Iterator[str]:
    return (shortened(row[name]) for row in table_rows(out, "articles", list(_CITED)) for name in _CITED if row[name])


# ---- runs of letters ------------------------------------------------------------------------------------------------


@cache
def _is_letter() -> np.ndarray:
    return np.array([chr(code).isalnum() for code in range(0x20000)])


def _codes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _letters(strings: Iterable[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The letters of all strings in one array, with the place of each in its string and the number of that."""
    codes = [_codes(string) for string in strings]
    lengths = [len(part) for part in codes]
    whole = np.concatenate([*codes, np.empty(0, np.uint32)])
    owners = np.repeat(np.arange(len(codes)), lengths)
    places = np.arange(len(whole)) - np.repeat(np.cumsum([0, *lengths])[:-1], lengths)
    kept = _is_letter()[np.minimum(whole, 0x1FFFF)] | (whole >= 0x20000)
    return whole[kept], places[kept], owners[kept]


def _windows(letters: np.ndarray) -> np.ndarray:
    """A hash of each run of `SHORT_QUOTE` + 1 letters, by where it begins."""
    total, done, power = np.zeros(len(letters), np.uint64), 0, 1
    block, size, factor = letters.astype(np.uint64) + np.uint64(1), 1, _BASE
    left = SHORT_QUOTE + 1
    while left:  # blocks of 1, 2, 4, … letters, put together as the binary digits of the length say
        if left & 1:
            n = len(block) - done
            if n <= 0:
                return np.empty(0, np.uint64)
            total = block[done:] * np.uint64(power) + total[:n]
            done, power = done + size, power * factor % 2**64
        left >>= 1
        block = block[:-size] + block[size:] * np.uint64(factor)
        size, factor = 2 * size, factor * factor % 2**64
    return total


def _contained(known: np.ndarray, texts: Iterable[str]) -> np.ndarray:
    """Which of the sorted hashes `known` are those of a run within one of `texts`."""
    found = np.zeros(len(known), bool)
    if not len(known):
        return found
    for batch in _batches(texts):
        letters, _, owners = _letters(batch)
        windows = _windows(letters)
        within = windows[owners[:len(windows)] == owners[SHORT_QUOTE:]] if len(windows) else windows
        at = np.searchsorted(known, within)
        at[at == len(known)] = 0
        found[at[known[at] == within]] = True
    return found


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    batch, size = [], 0
    for text in texts:
        batch.append(text)
        size += len(text)
        if size >= _BATCH:
            yield batch
            batch, size = [], 0
    yield batch
