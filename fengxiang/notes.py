"""What notebooks say of their own work: which checks they passed, and how little some results rest on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from . import display
from .measures import MIN_ARTICLES, MIN_STATEMENTS

if TYPE_CHECKING:
    import pandas as pd


def failed(checks: Mapping[str, bool]) -> str:
    """The names of the checks that do not hold, for the message of an assertion."""
    return "; ".join(name for name, holds in checks.items() if not holds)


def passed(checks: Mapping[str, bool]) -> display.Display:
    """How many checks were made, once all of them hold.

    Raises:
        AssertionError: one does not hold; names it.
    """
    if failed(checks):
        raise AssertionError(failed(checks))
    n = len(checks)
    return display.prose(f"通过{n}项核对。", f"{n} check{'' if n == 1 else 's'} passed.")


def numbers_recounted(findings) -> display.Display:
    """How many numbers of the findings were counted again, once `recount.mismatches` has found nothing.

    Args:
        findings: of `findings.all_findings`.
    """
    n = sum(bool(x["cell"]) for f in findings for x in (*f.numbers, *f.caveat_numbers))
    return display.prose(f"发现及其说明中的{n}个数逐一重数，都对得上。",
                         f"{n} numbers in findings and their cautions were counted again, and all agree.")


def transmission_base(passings: pd.DataFrame) -> display.Display:
    """What the network of risks rests on, with a caution where that is little.

    Args:
        passings: of `diffusion.risk_transmission`.
    """
    statements, articles = passings["statement_id"].nunique(), passings["article_id"].nunique()
    zh = f"这里的传递关系来自{articles:,}篇文章的{statements:,}条语句。"
    en = (f"The ties come from {statements:,} statement{'' if statements == 1 else 's'} of {articles:,} "
          f"article{'' if articles == 1 else 's'}.")
    if statements < MIN_STATEMENTS or articles < MIN_ARTICLES:
        zh += "数量太少，只能当作例子来读，不能说明风险主要经由哪些渠道传递。"
        en += (" That is too few for more than examples: they do not show by which channels risk mainly passes.")
    return display.prose(zh, en)
