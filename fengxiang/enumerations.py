"""What is put first: the lists of a text, 一是……二是…… or 其一……其二……, item by item in their order.

Regulators rank their tasks by the order in which they name them. A list is a run of ordinals of one style in one
article, from the first without a gap; it may go over several sentences and paragraphs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import pandas as pd

MIN_ITEMS = 3
"""A list has at least so many items; two are more often a distinction than an order."""

_NUMERALS = "一二三四五六七八九十"
_STYLES = {"是": "{}是", "其": "其{}", "第": "第{}"}
# An ordinal counts at the beginning of a sentence and after a stop or a colon, where an item of a list begins.
MARK = re.compile(rf"(?:^|[：:；;，,。])(?P<mark>(?P<shi>[{_NUMERALS}])是|其(?P<qi>[{_NUMERALS}])[，,、：:]?|"
                  rf"第(?P<di>[{_NUMERALS}])(?:是|[，,、：:]))")
COLUMNS = ["list", "article", "style", "rank", "row", "start", "end"]


def enumerations(texts: Iterable[tuple[int, int, str]], min_items: int = MIN_ITEMS) -> pd.DataFrame:
    """The items of all lists.

    Args:
        texts: (article, row, text) of each statement, an article's statements together and in their order; statements
            without an ordinal may be left out.
        min_items: shorter lists are left out.

    Returns:
        a row for each item: list (row of the statement in which the list begins), article, style (是 for 一是, 其 for
        其一, 第 for 第一), rank from 1, row, start and end of the item within its statement; sorted by list, rank. An
        item ends with its statement or where the next one begins.
    """
    lists: list[list[tuple]] = []
    open_lists: dict[str, list[tuple]] = {}
    current = None
    for article, row, text in texts:
        if article != current:
            open_lists, current = {}, article
        marks = list(MARK.finditer(text))
        for k, m in enumerate(marks):
            style, numeral = next((s, n) for s, n in zip("是其第", m.group("shi", "qi", "di"), strict=True) if n)
            number = _NUMERALS.index(numeral) + 1
            item = (article, style, number, row, m.start("mark"),
                    marks[k + 1].start("mark") if k + 1 < len(marks) else len(text))
            if number == 1:
                open_lists[style] = [item]
                lists.append(open_lists[style])
            elif style in open_lists and number == len(open_lists[style]) + 1:
                open_lists[style].append(item)
    rows = [(items[0][3], *item) for items in lists if len(items) >= min_items for item in items]
    return pd.DataFrame(rows, columns=COLUMNS).sort_values(["list", "rank"], ignore_index=True)


def item_themes(items: pd.DataFrame, evidence: Sequence[Sequence[Sequence]]) -> list[tuple[str, ...]]:
    """The themes each item states, in the order in which its words name them.

    Args:
        items: from `enumerations`.
        evidence: for each item, what was matched in its statement: (code, start, end).
    """
    out = []
    for start, end, found in zip(items["start"], items["end"], evidence, strict=True):
        inside = sorted((a, code) for code, a, _ in found if start <= a < end)
        out.append(tuple(dict.fromkeys(code for _, code in inside)))
    return out


def n_items(text: str, style: str, begins: str) -> int:
    """How many items the list has that begins with the words `begins` in the text of an article: the ordinals of its
    style one after the other. A second way of counting, for the check of findings."""
    at, n = text.find(begins), 0
    while at >= 0 and n < len(_NUMERALS):
        found = text.find(_STYLES[style].format(_NUMERALS[n]), at)
        again = text.find(_STYLES[style].format(_NUMERALS[0]), at + 1) if n else -1
        if found < 0 or 0 <= again < found:
            break
        at, n = found, n + 1
    return n
