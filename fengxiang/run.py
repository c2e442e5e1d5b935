"""A run as a notebook sees it: its tables as frames, its codebook, the folders it writes to."""

from __future__ import annotations

import gc
import os
import re
import time
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from . import tables
from .workplace import BUILT, SIZES, Workplace, workplace

if TYPE_CHECKING:
    import pandas as pd

PATIENCE = 2  # seconds after which a notebook says how far the build of its tables is
BAR = 20  # characters of the bar it shows
_PART_OF = re.compile(r"(\d+)/(\d+) ")


@contextmanager
def _told():
    """A function that shows a message of a build below the cell it runs in, on one line, once the build has taken
    longer than `PATIENCE`, with a bar where it says how much is done (`3/16 partitions …`); in the end the line is
    wiped."""
    began, width = time.monotonic(), 0

    def tell(message: str) -> None:
        nonlocal width
        if width or time.monotonic() - began > PATIENCE:
            if part := _PART_OF.match(message):
                done = BAR * int(part[1]) // max(int(part[2]), 1)
                message = f"{'█' * done}{'░' * (BAR - done)} {message}"
            print(f"\r{message:<{width}}", end="", flush=True)
            width = max(width, len(message))

    try:
        yield tell
    finally:
        if width:
            print(f"\r{'':{width}}\r", end="", flush=True)


class Run:
    """The tables and the codebook of one run.

    Attributes:
        place: the folders.
    """

    def __init__(self, place: Workplace):
        self.place = place

    @classmethod
    def open(cls, raw=None, out=None, codebook=None) -> Run:
        """The run of these folders. In JupyterLab its tables are brought up to date first (nothing is done where they
        are); inside `make report`, which says so in the environment, they are already.

        Raises:
            UserError: a folder cannot be used or the codebook is broken.
        """
        from .build import build

        place = workplace(raw, out, codebook)
        if os.environ.get(BUILT) == "1":
            # a kernel that only draws and ends: walking its many small objects again and again frees nothing
            gc.set_threshold(200_000, 50, 100)
        else:
            with _told() as progress:
                build(place.raw, place.out, place.codebook, progress=progress)
        return cls(place)

    @property
    def out(self) -> Path:
        """Where everything is written."""
        return self.place.out

    def table(self, name: str, columns=None, filters=None, **shape) -> pd.DataFrame:
        """A table of `fengxiang.tables.TABLES` as a frame; arguments as `tables.read`."""
        return tables.read(self.out, name, columns, filters, **shape)

    def write(self, name: str, frame: pd.DataFrame) -> None:
        """Write a derived frame as `data/processed/NAME.csv`."""
        tables.write_csv(self.place.processed / f"{name}.csv", frame)

    def written(self, name: str) -> pd.DataFrame:
        """A frame that an earlier notebook wrote by `write`."""
        import pandas as pd

        return pd.read_csv(self.place.processed / f"{name}.csv", encoding="utf-8-sig")

    @cached_property
    def names(self):
        """What themes, groups and regions are called: `fengxiang.charts.Names`."""
        from .charts import Names

        return Names.of(self.codebook, self.place.codebook / "regions.yml")

    @cached_property
    def word_names(self):
        """What regions and terms are called, without the themes: what is made with them is not made again when the
        themes change."""
        from .charts import Names

        return Names.of(None, self.place.codebook / "regions.yml")

    @cached_property
    def terms(self) -> list[str]:
        """The listed terms that are counted: those of `terms.txt` that are no stop words, in the order of the file."""
        from .terms import read_words

        stop = set(read_words(self.place.codebook / "stopwords.txt"))
        return [term for term in read_words(self.place.codebook / "terms.txt") if term not in stop]

    def region_names(self, regions) -> dict[str, str]:
        """Regions as a list of those who speak for them reads, in zh and en: 全国 is the national regulator."""
        def name(region: str, lang: str) -> str:
            return self._speakers.get(region, {}).get(lang) or self.word_names.region(region, lang)

        return {"zh": "、".join(name(r, "zh") for r in regions), "en": ", ".join(name(r, "en") for r in regions)}

    @cached_property
    def _speakers(self) -> dict[str, dict[str, str | None]]:
        """What the regions are called as speakers by `regions.yml`, where it says so."""
        from .yamlfile import YamlFile

        return {row["name"]: {lang: row.get(f"speaker_{lang}") for lang in ("zh", "en")}
                for row in YamlFile(self.place.codebook / "regions.yml").data["regions"]}

    def theme_names(self, codes) -> dict[str, str]:
        """Themes as a list reads, in zh and en."""
        return {"zh": "、".join(self.names.theme(t, "zh") for t in codes),
                "en": ", ".join(self.names.theme(t, "en") for t in codes)}

    @cached_property
    def agency_names(self) -> list[str]:
        """Names of places and agencies of the codebook: nobody's wording."""
        from .diffusion import names_to_ignore
        from .yamlfile import YamlFile

        return names_to_ignore(YamlFile(self.place.codebook / "regions.yml").data)

    @cached_property
    def strata(self) -> dict[str, str]:
        """The kind of each article, or the shape of its file where all are of one kind: what a mix is made of."""
        from .views import strata

        return strata(self.table("articles", ["article_id", "kind", "source_format"]))

    @cached_property
    def finishing(self) -> dict:
        """What every chart function passes on: where its files go, in which sizes, and the source line."""
        n = int((self.table("articles", ["scope"])["scope"] == "in").sum())
        source = {"zh": f"风向，据本次语料的{n:,}篇文章", "en": f"Fengxiang, from {n:,} article{'' if n == 1 else 's'}"}
        return {"out": self.out, "size": os.environ.get(SIZES, "page").split(","), "source": source}

    @cached_property
    def year_span(self) -> tuple[int, int]:
        """The first and the last year with enough statements and articles to compare; where no two years have, of
        the years there are; (0, 0) without any."""
        from .measures import MIN_ARTICLES, MIN_STATEMENTS

        years = self.table("slices", filters=[("region", "=", "all"), ("year", ">", 0)])
        enough = years[(years["n_statements"] >= MIN_STATEMENTS) & (years["n_articles"] >= MIN_ARTICLES)]
        chosen = sorted(enough["year"] if len(enough) > 1 else years["year"]) or [0]
        return int(chosen[0]), int(chosen[-1])

    def statements(self, contains: str | None = None, **filters) -> pd.DataFrame:
        """Statements with the article they stand in; arguments as `fengxiang.concordance.statements`."""
        from .concordance import statements

        return statements(self.out, contains, **filters)

    @cached_property
    def codebook(self):
        """The theme codebook: `fengxiang.coding.Codebook`."""
        from .coding import Codebook

        return Codebook.load(self.place.codebook)

    @cached_property
    def gazetteer(self):
        """The table of regions and bureaus: `fengxiang.attribution.Gazetteer`."""
        from .attribution import Gazetteer

        return Gazetteer.load(self.place.codebook)
