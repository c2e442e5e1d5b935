"""The ledger of a build: its findings and the shares they are compared by, made once and read by every notebook.

Three notebooks tell of the findings: two take titles from them, one prints them. To make them all statements are read
and counted in several ways, so the first that asks makes them and the others, which may run at the same time, wait for
it and read what it has kept. What is kept is that of its inputs: tables, codebook, code and libraries, all by content.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from . import findings, running
from .findings import Finding
from .places import is_local
from .tables import ALL_YEARS
from .views import View

if TYPE_CHECKING:
    from .run import Run

READ = (
    "data/processed/articles.parquet", "data/processed/statements.parquet", "data/processed/article_terms.parquet",
    "codebook/themes.yml", "codebook/deontic.yml", "codebook/regions.yml", "codebook/terms.txt",
    "codebook/stopwords.txt", "codebook/terms_en.txt", "codebook/quantities.yml", "codebook/gold",
)
"""What findings are made from, named as notebooks declare their inputs."""
_SETS = ("claim", "facts")
_SHARES = ["theme", "year", "n", "of", "share", "low", "high"]


@dataclass(frozen=True)
class Ledger:
    """What is told of a build.

    Attributes:
        findings: as `findings.all_findings` gives them.
        shares: of `shares_of`.
    """

    findings: list[Finding]
    shares: pd.DataFrame

    def text(self) -> str:
        """As JSON."""
        told = [{f.name: sorted(value, key=_text) if f.name in _SETS else value
                 for f in fields(Finding) for value in [getattr(finding, f.name)]} for finding in self.findings]
        return _text({"findings": told, "shares": self.shares.values.tolist()})

    @classmethod
    def read(cls, text: str) -> Ledger:
        """A ledger from its text."""
        kept = json.loads(text)
        told = [Finding(**{name: frozenset(map(_tuples, value)) if name in _SETS else value
                           for name, value in finding.items()}) for finding in kept["findings"]]
        return cls(told, pd.DataFrame(kept["shares"], columns=_SHARES))


def _text(value) -> str:
    return json.dumps(value, ensure_ascii=False, default=lambda v: v.item() if isinstance(v, np.generic) else list(v))


def _tuples(value):
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def shares_of(view: View) -> pd.DataFrame:
    """Shares of all themes in all years together and in each year known: theme, year, n, of, share, low, high."""
    rows = []
    for year in [ALL_YEARS, *view.known_years]:
        s = view.shares(year)
        rows += [(code, year, int(s.n[i]), s.of, float(s.share[i]), float(s.low[i]), float(s.high[i]))
                 for i, code in enumerate(view.corpus.codes)]
    return pd.DataFrame(rows, columns=_SHARES)


def made(run: Run) -> Ledger:
    """The ledger of a build, made anew."""
    view = findings.ordinary_view(run, run.names)
    return Ledger(findings.all_findings(run, run.names, view=view), shares_of(view))


def ledger_of(run: Run) -> Ledger:
    """The ledger of a build: the one that is kept in its output folder if it was made from the same, else made anew and
    kept. One that is being made by another process is waited for. In a store nothing is kept."""
    if not is_local(run.out):
        return made(run)
    import filelock

    state = running.State(run.place.raw, run.out, run.place.codebook)
    made_from = running.digest([running.common_parts(state), {name: state.hashes(name) for name in READ}])
    path = state.folder / "findings.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(str(path.with_suffix(".lock"))):
        try:
            key, _, text = path.read_text(encoding="utf-8").partition("\n")
            if key == made_from:
                return Ledger.read(text)
        except (OSError, ValueError, KeyError, TypeError):  # not there, or cut short: made anew
            pass
        ledger = made(run)
        running.write_atomically(path, f"{made_from}\n{ledger.text()}")
        return ledger


def titles(run: Run, *ids: str) -> dict[str, dict[str, str] | None]:
    """Titles for figures from the ledger.

    Args:
        run: the build.
        ids: of the headlines whose figures are to be titled.

    Returns:
        stem of the figure → its title zh and en; None where the ledger has nothing short to say, so that the figure
        speaks for itself.
    """
    return findings.titles([f for f in ledger_of(run).findings if f.id in ids])

