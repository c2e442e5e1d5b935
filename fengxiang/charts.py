"""One function per chart: from a table of the build, or the frame of a measure, to a finished figure.

Every function takes the frame it draws, `names` (what themes and regions are called) and a filter of each thing that
the frame tells apart, all of it by default, under one set of names:

    year, region, theme         one of them, where the chart draws one slice
    years, regions, themes      some of them
    year_from, year_to          the two ends, where the chart compares two years
    terms                       some terms
    sources, targets            some places of risk

What it draws and says, from title to CSV, is of what the filters leave. A value that the frame does not hold leaves
nothing, and nothing is told in prose like any too little. A docstring says “No filter of …” where the frame cannot
tell. The rest is passed on to `figures.finish`: `out` and `source` always, `size` and `formats` where wanted.
Without a `title` it writes one from the plotted numbers, and claims no order that the intervals do not bear. With too
little to draw it says so in the figure, in prose.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from . import figures, measures
from .drawing import (
    COUNT_PT,
    EARLIER,
    EMPTY_STYLE,
    LATER,
    MARK,
    SMALL_SHEET_RULE,
    THIN_STYLE,
    UNCLEAR,
    Panel,
    Tile,
    diverging_tint,
    draw_key,
    draw_tiles,
    fill_cells,
    keep_apart,
    key_width,
    label_margin,
    longest_that_fits,
    mark_beyond,
    pack_cloud,
    pale,
    place_labels,
    rows_that_fit,
    shade_step,
    small_multiples,
    stand_counts,
    swatch,
    theme_shades,
    tint,
    vertical,
    write,
    write_groups,
    write_marks_key,
    write_more,
    write_placed,
    write_rows,
    write_scale,
)
from .figures import GRID, INK, NEUTRAL, PAPER, QUIET_INK, SOFT_INK, FigureCard, add_axes, size_inches, text_width
from .model import NATIONAL

if TYPE_CHECKING:
    from .coding import Codebook

UNKNOWN_YEAR, ALL_YEARS = 0, -1

Bilingual = Mapping[str, str]


# ---- names ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Names:
    """What the codebook calls things, and where a region stands on the tile grid.

    Attributes:
        themes: code → zh, en, group (its id); in the order of the codebook.
        groups: id → zh, en, colour.
        regions: short name → en; in the order of the codebook, 全国 last.
        tiles: short name → (column, row), from the upper left.
        grades: binding grades, strongest first: id → zh, en.
        terms: term → its English name, for those that have one.
    """

    themes: dict[str, dict[str, str]]
    groups: dict[str, dict[str, str]]
    regions: dict[str, str]
    tiles: dict[str, tuple[int, int]]
    grades: dict[str, dict[str, str]] = field(default_factory=dict)
    terms: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, codebook: Codebook | None, regions_file: str | Path) -> Names:
        """Names of a loaded codebook, of its `regions.yml` and, where there is one, of `terms_en.txt` beside that;
        without a codebook, of regions and terms alone.

        Raises:
            UserError: a line of `terms_en.txt` is no “term = English”, or a term stands twice; names the line.
        """
        from .yamlfile import YamlFile

        regions = YamlFile(regions_file).data["regions"]
        return cls(
            themes={t.code: {"zh": t.name_zh, "en": t.name_en, "group": t.group}
                    for t in (codebook.themes if codebook else ())},
            groups={g.id: {"zh": g.name_zh, "en": g.name_en, "colour": g.colour}
                    for g in (codebook.groups if codebook else ())},
            regions={r["name"]: r["en"] for r in regions},
            tiles={r["name"]: tuple(r["tile"]) for r in regions if r.get("tile")},
            grades={g.id: {"zh": g.name_zh, "en": g.name_en} for g in (codebook.grades if codebook else ())},
            terms=_english_terms(Path(regions_file).with_name("terms_en.txt")))

    @classmethod
    def load(cls, codebook_dir: str | Path) -> Names:
        """Names of a codebook folder.

        Raises:
            UserError: a file of it is missing or broken.
        """
        from .coding import Codebook

        return cls.of(Codebook.load(codebook_dir), Path(codebook_dir) / "regions.yml")

    def theme(self, code: str, lang: str) -> str:
        return self.themes[code][lang] if code in self.themes else code

    def term(self, term: str, lang: str) -> str:
        """A term as a sentence says it: in English by its English name where it has one."""
        return self.terms.get(term, term) if lang == "en" else term

    def term_label(self, term: str, lang: str) -> str:
        """A term as a label shows it: in English with the Chinese before its English name."""
        return f"{term} {self.terms[term]}" if lang == "en" and term in self.terms else term

    def group_colour(self, code: str) -> str:
        """The colour of a theme's group: for names in words, and for scales, whose shades say how much."""
        group = self.themes.get(code, {}).get("group")
        return self.groups[group]["colour"] if group in self.groups else NEUTRAL

    def colour(self, code: str) -> str:
        """The colour of a theme's own marks, the same in every figure: a shade of its group's colour that differs
        from those of all other themes."""
        return self._shades.get(code, NEUTRAL)

    @cached_property
    def _shades(self) -> dict[str, str]:
        members = {group: [code for code, theme in self.themes.items() if theme["group"] == group]
                   for group in self.groups}
        shades = theme_shades([self.groups[g]["colour"] for g in members], [len(codes) for codes in members.values()])
        return {code: shade for codes, own in zip(members.values(), shades, strict=True)
                for code, shade in zip(codes, own, strict=True)}

    def region(self, name: str, lang: str) -> str:
        if lang == "zh":
            return {"all": "全部", "none": "无归属"}.get(name, name)
        return {"all": "All", "none": "Not attributed"}.get(name, self.regions.get(name, name))

    def theme_order(self, codes) -> list[str]:
        """`codes` group by group in the order of the codebook, unknown ones last by name."""
        groups = {group: i for i, group in enumerate(self.groups)}
        known = {code: (groups.get(theme["group"], len(groups)), i)
                 for i, (code, theme) in enumerate(self.themes.items())}
        return sorted(codes, key=lambda code: (known.get(code, (len(groups), len(known))), code))


_NO_NAMES = Names({}, {}, {}, {})


def _english_terms(path: Path) -> dict[str, str]:
    """term → English name, from lines “term = English”; # begins a comment. Empty where there is no such file."""
    from .errors import UserError
    from .yamlfile import read_text

    terms: dict[str, str] = {}
    if not path.exists():
        return terms
    for number, line in enumerate(read_text(path).splitlines(), 1):
        line = line.split("#", 1)[0].strip()
        if line:
            term, mark, english = (part.strip() for part in line.partition(" = "))
            if not (term and mark and english):
                raise UserError("write a term and its English name as “term = English”", path, number)
            if term in terms:
                raise UserError(f"“{term}” stands twice", path, number)
            terms[term] = english
    return terms


# ---- wording --------------------------------------------------------------------------------------------------------


def count(n) -> str:
    """A whole number as printed."""
    return f"{int(n):,}"


def percent(share, digits: int = 1) -> str:
    """A percentage as printed; takes per cent, not a fraction."""
    return f"{share:.{digits}f}%"


def listing(items: Sequence[str], lang: str) -> str:
    """Items as a sentence lists them. Between quotation marks Chinese needs no comma."""
    items = list(items)
    if lang == "zh":
        between = "" if all(item.endswith("”") for item in items) else "、"
        return between.join(items[:-1]) + ("和" if len(items) > 1 else "") + items[-1] if items else ""
    return ", ".join(items[:-1]) + (" and " if len(items) > 1 else "") + items[-1] if items else ""


def others(n: int, noun: str = "") -> str:
    """So many others in English: “1 other”, “2 others”, “2 other regions”."""
    if noun:
        return f"{n} other {noun}" + ("" if n == 1 else "s")
    return f"{n} other" + ("" if n == 1 else "s")


def _capital(text: str) -> str:
    """A sentence with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def quoted(text: str) -> str:
    return f"“{text}”"


def year_span(years: Sequence[int], lang: str) -> str:
    """The years a figure covers, as printed: 2021—2026年, 2021–2026."""
    years = sorted({int(y) for y in years if y > 0})
    if not years:
        return "年份不详" if lang == "zh" else "years unknown"
    first, last = years[0], years[-1]
    if first == last:
        return f"{first}年" if lang == "zh" else f"{first}"
    return f"{first}—{last}年" if lang == "zh" else f"{first}–{last}"


def _slice_words(year: int, region: str, names: Names, years: Sequence[int], lang: str) -> str:
    when = year_span([year] if year > 0 else years, lang)
    if region == "all":
        return when
    where = names.region(region, lang)
    return f"{where}，{when}" if lang == "zh" else f"{where}, {when}"


_SENTENCE_WORDS = {"A", "All", "Both", "Each", "Every", "From", "In", "Most", "No", "None", "Terms", "The", "What"}


def _sliced(title: Bilingual, names: Names, *, year: int = ALL_YEARS, region: str = "all") -> dict[str, str]:
    """A title made for a slice, with the slice said first where it is not the whole."""
    where = {lang: "" if region == "all" else names.region(region, lang) for lang in figures.LANGS}
    when = {"zh": f"{year}年" if year > 0 else "", "en": str(year) if year > 0 else ""}
    zh, en = where["zh"] + when["zh"], ", ".join(filter(None, (where["en"], when["en"])))
    if not zh:
        return dict(title)
    first, _, rest = title["en"].partition(" ")
    if first in _SENTENCE_WORDS:  # a name keeps its capital
        first = first.lower()
    return {"zh": f"{zh}：{title['zh']}", "en": f"{en}: {first} {rest}"}


def leaders(frame: pd.DataFrame, value: str = "share", n: str | None = None) -> pd.DataFrame:
    """The rows that may truly be first, by `measures.among_first` on `value`, `low` and `high`, and on the counts `n`
    where all are of the same statements. One row where the first stands clear of all others; sorted by value
    downward."""
    close = measures.among_first(frame[value], frame["low"], frame["high"], None if n is None else frame[n])
    return frame[close].sort_values(value, ascending=False, kind="stable")


def _unsure(n: int, lang: str) -> str:
    """What must be added where n of the regions just counted have no theme that stands clear of all others."""
    if not n:
        return ""
    return f"，其中{n}个与别的主题难分先后" if lang == "zh" else f", in {n} of them within error of another"


# ---- shared drawing -------------------------------------------------------------------------------------------------


def _too_little(sentence: Bilingual, *, stem: str, title: Bilingual | None, data: pd.DataFrame, columns, unit, period,
                **finishing) -> FigureCard:
    """The figure that says there is nothing to draw, so that the report keeps its place."""
    heading = {"zh": "材料太少，此图不作判断", "en": "Too little material for this chart"}
    return figures.finish(
        lambda figure, lang: figures.say_too_little(figure, sentence[lang]), stem=stem, title=title or heading,
        subtitle={"zh": "", "en": ""}, alt=dict(sentence),
        how_to_read={"zh": "材料达到下限后，此图会在下次生成时自动画出。",
                     "en": "The chart draws itself in the next build once there is enough material."},
        data=data, columns=columns, n=0, unit=unit, period=period, height=1.4, **finishing)


def _some(values) -> list | None:
    """The values of a filter, each once; one may stand for itself. None is all."""
    if values is None:
        return None
    return [values] if isinstance(values, str | int | np.integer) else list(dict.fromkeys(values))


def _chosen(frame: pd.DataFrame, **wanted) -> pd.DataFrame:
    """The rows whose columns hold one of the wanted values; of a column of lists, whose list does. None wants all."""
    for column, values in wanted.items():
        some = _some(values)
        if some is not None:
            cells = frame[column]
            if isinstance(next(iter(cells.dropna()), None), list | tuple | set | np.ndarray):
                frame = frame[[not pd.api.types.is_scalar(cell) and not set(some).isdisjoint(cell) for cell in cells]]
            else:
                frame = frame[cells.isin(some)]
    return frame


def _chosen_cells(table: pd.DataFrame, regions, themes) -> pd.DataFrame:
    """The same of a table of regions × themes."""
    regions, themes = _some(regions), _some(themes)
    return table.loc[table.index.isin(table.index if regions is None else regions),
                     table.columns.isin(table.columns if themes is None else themes)]


def _both_ends(frame: pd.DataFrame, room: int) -> pd.DataFrame:
    """At most `room` rows of a ranked frame: where not all have room, those in the middle are left out, so that
    neither the best nor the worst is hidden."""
    if len(frame) <= room:
        return frame
    below = max(min(room // 3 + 1, room - 1), 0)
    return pd.concat([frame.head(room - below), frame.tail(below)])


def _gaps(shown: pd.DataFrame) -> np.ndarray:
    """How far each row of what `_both_ends` returns is moved down, so that one sees where rows are left out."""
    return np.concatenate([[0], np.cumsum(np.diff(shown.index.to_numpy()) > 1)]) * 0.5


def _years_of(frame: pd.DataFrame) -> list[int]:
    return sorted(int(y) for y in frame["year"].dropna().unique() if y > 0)


def _period(years: Sequence[int]) -> str:
    return year_span(years, "en")


# ---- 1 coverage -----------------------------------------------------------------------------------------------------


def coverage(slices: pd.DataFrame, *, names: Names, years: Sequence[int] | None = None,
             regions: Sequence[str] | None = None, title: Bilingual | None = None, stem: str = "coverage",
             **finishing) -> FigureCard:
    """Articles by year and region: what the corpus covers, and where it is blank. No filter of themes: articles are
    counted whatever they say.

    Args:
        slices: table of the build; a region of `names` without a row has no coverage.
        years, regions: which; the total of some regions is the sum of theirs.
        names, title, stem, finishing: see the module.
    """
    wanted, some_years = _some(regions), years is not None
    slices = _chosen(slices, year=years)
    years = _years_of(slices)
    single = slices[~slices["region"].isin(["all", "none"]) & (slices["year"] > 0)]
    regions = [r for r in names.regions if r != NATIONAL]
    regions += sorted(set(single["region"]) - set(regions) - {NATIONAL})
    order = [r for r in (NATIONAL, *regions) if wanted is None or r in wanted]
    regions = [r for r in regions if r in order]
    counts = (single.pivot_table(index="region", columns="year", values="n_articles", aggfunc="sum", fill_value=0)
              .reindex(index=order, columns=years, fill_value=0))
    totals = counts.sum(axis=1) if some_years else (
        slices[slices["year"] == ALL_YEARS].set_index("region")["n_articles"].reindex(counts.index, fill_value=0))
    order.sort(key=lambda r: (r != NATIONAL, -totals[r], regions.index(r) if r in regions else 0))
    if wanted is None:
        whole = slices[(slices["region"] == "all")].set_index("year")["n_articles"]
        n = int(whole.get(ALL_YEARS, whole.reindex(years).sum()) if len(whole) else 0)
    else:
        whole, n = counts.sum(), int(totals.sum())
    data = counts.loc[order].reset_index().melt(id_vars="region", var_name="year", value_name="n_articles")
    by_year = whole.reindex(years, fill_value=0)
    data = pd.concat([data, pd.DataFrame({"region": "all", "year": years, "n_articles": by_year.to_numpy()})],
                     ignore_index=True)
    data["n_all_years"] = [n if r == "all" else int(totals[r]) for r in data["region"]]
    data["region_en"] = [names.region(r, "en") for r in data["region"]]
    columns = {"region": {"zh": "地区", "en": "region"}, "region_en": {"zh": "地区英文名", "en": "region in English"},
               "year": {"zh": "工作年度", "en": "work year"},
               "n_articles": {"zh": "文章数", "en": "articles", "unit": "篇"},
               "n_all_years": {"zh": "该地区各年合计", "en": "articles of the region, all years", "unit": "篇"}}
    unit = {"zh": "篇", "en": "articles"}
    shared = dict(stem=stem, data=data, columns=columns, unit=unit, period=_period(years), **finishing)
    if not years or not n:
        return _too_little({"zh": "语料中还没有能确定年份的文章，无从统计覆盖情况。",
                            "en": "The corpus holds no article whose year is known, so there is no coverage to show."},
                           title=title, **shared)
    blank = [r for r in regions if totals[r] == 0]
    covered = [r for r in regions if totals[r] > 0]
    busiest = int(whole.reindex(years).idxmax())
    top = max(covered, key=lambda r: (totals[r], -regions.index(r)), default=None)
    most = {"zh": f"，{busiest}年最多", "en": f"; {busiest} has the most"} if len(years) > 1 else {"zh": "", "en": ""}
    if len(order) == 1:
        automatic = {"zh": f"{names.region(order[0], 'zh')}有{count(n)}篇材料{most['zh']}",
                     "en": f"{names.region(order[0], 'en')}: {count(n)} article{'' if n == 1 else 's'}{most['en']}"}
    elif blank:
        automatic = {"zh": f"{len(regions)}个地区中{len(blank)}个没有材料{most['zh']}",
                     "en": f"{len(blank)} of {len(regions)} regions have no article{most['en']}"}
    else:
        every = "Both" if len(regions) == 2 else f"All {len(regions)}"
        automatic = {"zh": f"{len(regions)}个地区都有材料{most['zh']}",
                     "en": f"{every} regions have articles{most['en']}"}
    alt = {
        "zh": f"热力表，{year_span(years, 'zh')}各地区文章数。共{count(n)}篇；{busiest}年最多，"
              f"{count(whole[busiest])}篇。"
              + (f"地区中{top}最多，{count(totals[top])}篇。" if top else "")
              + (f"没有材料的地区：{'、'.join(blank)}。" if blank else ""),
        "en": f"Heat table of articles by region, {year_span(years, 'en')}. {count(n)} articles in all; most in "
              f"{busiest}, {count(whole[busiest])}. " + (f"{names.region(top, 'en')} has the most of the regions, "
                                                         f"{count(totals[top])}. " if top else "")
              + (f"No article: {', '.join(names.region(r, 'en') for r in blank)}." if blank else "")}

    def draw(figure, lang):
        labels = [names.region(r, lang) for r in order]
        head = (max(len(label) for label in labels) * 0.135 + 0.06) if lang == "zh" else label_margin(labels, 7.5)
        # a number wider than its column stands upright in it, as the names do; then it must be shorter than a row
        digits, below, beside = (len(str(int(n))) for n in (counts.to_numpy().max(), totals.max(), whole.max()))
        upright = max(digits, below) > 3
        # of few regions each gets a column no wider than a table's
        spare = size_inches(figure)[0] - 0.42 - 0.6 * (len(order) + 0.4)
        axes = add_axes(figure, left=0.42, right=max(0.42, 0.14 + 0.07 * beside, spare), top=head,
                        bottom=0.12 + 0.065 * below if upright else 0.3)
        size = min(7.5, 110 * axes.get_position().height * figures.size_inches(figure)[1] / len(years) / digits)
        axes.set_xlim(-0.6, len(order) - 0.4)
        axes.set_ylim(len(years) - 0.5, -0.5)
        places = [i + (0.25 if i and order[0] == NATIONAL else 0) for i in range(len(order))]
        axes.set_xlim(-0.6, places[-1] + 0.55)
        inch = len(years) / (axes.get_position().height * figures.size_inches(figure)[1])  # in rows
        above, under = -0.5 - 0.036 * inch, len(years) - 0.5 + 0.06 * inch
        peak = max(int(counts.to_numpy().max()), 1)
        x, y, colours, numbers = [], [], [], []
        for j, region in enumerate(order):
            for i, year in enumerate(years):
                value = int(counts.loc[region, year])
                colour = tint(LATER, 0.1 + 0.9 * np.sqrt(value / peak)) if value else "#F1EEE9"
                x.append(places[j])
                y.append(i)
                colours.append(colour)
                if value:
                    numbers.append((places[j], i, str(value), figures.ink_on(colour)))
        fill_cells(axes, x, y, colours, width=0.92, height=0.92)
        figures.add_numbers(axes, *list(zip(*numbers, strict=True))[:3], size if upright else 7.5,
                            [ink for *_, ink in numbers], rotation=90 if upright else 0)
        for place, label, region in zip(places, labels, order, strict=True):
            colour = INK if region == NATIONAL or totals[region] else QUIET_INK
            if lang == "zh":
                axes.text(place, above, vertical(label), ha="center", va="bottom", fontsize=7.8, linespacing=0.95,
                          color=colour)
            else:
                axes.text(place, above, label, ha="center", va="bottom", rotation=90, fontsize=7.5, color=colour)
            axes.text(place, under - 0.03 * inch * upright, str(int(totals[region])), ha="center",
                      va="top", fontsize=7.5, color=SOFT_INK, rotation=90 if upright else 0)
        for i, year in enumerate(years):
            write(axes, (0, i), str(year), 8.5, at="right", shift=(-2, 0), ha="right")
            write(axes, (1, i), f"{int(whole.get(year, 0))}", 8.5, at="right", shift=(3, 0))
        write(axes, (0, under), "合计" if lang == "zh" else "Total", 7.5, at="right", shift=(-2, 0), ha="right",
              va="top", color=SOFT_INK)
        write(axes, (1, above), "篇数" if lang == "zh" else "All", 7.5, at="right", shift=(3, 0), va="bottom",
              color=SOFT_INK)

    why = {"zh": "", "en": ""}
    if wanted is None and not some_years:
        undated = int(whole.get(UNKNOWN_YEAR, 0))
        again = int(whole.reindex(years, fill_value=0).sum()) + undated - n
        if again > 0:
            why = {"zh": f"{'各年与年份不详的' if undated else '各年'}相加比{count(n)}篇多{count(again)}："
                         "一篇中有说到几个年度的语句，就在各年度各计一次。",
                   "en": f" The years{' and the undated' if undated else ''} add up to {count(again)} more than the "
                         f"{count(n)} articles: one with statements on several years counts in each of them."}
        if undated:
            why["zh"] += f"年份不详的{count(undated)}篇只计入合计。"
            why["en"] += f" {count(undated)} without a known year count{'s' * (undated == 1)} in the totals alone."
    return figures.finish(
        draw, title=title or automatic, n=n, alt=alt, height=1.22 + 0.28 * len(years),
        subtitle={"zh": f"各年度、各地区的文章数（篇），{year_span(years, 'zh')}；共{count(n)}篇。一篇涉及几个地区，"
                        "在各地区各计一次",
                  "en": f"Articles by work year and region, {year_span(years, 'en')}; {count(n)} articles in all. One "
                        "on several regions counts in each of them"},
        how_to_read={"zh": "一列是一个地区，一行是一个年度，颜色越深文章越多，空格表示没有材料。"
                           "没有材料不等于该地没有工作，只说明语料没有收到。" + why["zh"],
                     "en": "A column is a region, a row a year; the darker, the more articles, and an empty cell "
                           "means none. No article does not mean no work: the corpus merely holds none." + why["en"]},
        **shared)


# ---- 2 cleaning waterfall -------------------------------------------------------------------------------------------

FATES = {
    "boilerplate": {"zh": "页面杂项", "en": "Page furniture"},
    "duplicate": {"zh": "重复段落", "en": "Repeated blocks"},
    "metadata": {"zh": "元数据", "en": "Metadata"},
    "title": {"zh": "标题", "en": "Titles"},
    "heading": {"zh": "小标题", "en": "Headings"},
    "unreadable": {"zh": "无法识读", "en": "Unreadable"},
    "body": {"zh": "正文", "en": "Body text"},
}


def cleaning_waterfall(ledger_counts: pd.DataFrame, *, title: Bilingual | None = None,
                       stem: str = "cleaning_waterfall", **finishing) -> FigureCard:
    """What became of every character of the raw files: from what was read to the body text that is analysed. No filter
    of years, regions or themes: only the text that is kept has them.

    Args:
        ledger_counts: fate, n_chars (and other columns), as the build writes it.
    """
    by_fate = ledger_counts.groupby("fate")["n_chars"].sum() if len(ledger_counts) else pd.Series(dtype="int64")
    total = int(by_fate.sum())
    removed = sorted((f for f in by_fate.index if f != "body" and by_fate[f] > 0), key=lambda f: (-by_fate[f], f))
    rows, left = [("read", total, 0, total)], total
    for fate in removed:
        left -= int(by_fate[fate])
        rows.append((fate, int(by_fate[fate]), left, left + int(by_fate[fate])))
    kept = int(by_fate.get("body", 0))
    rows.append(("body", kept, 0, kept))
    data = pd.DataFrame(rows, columns=["fate", "n_chars", "from_chars", "to_chars"])
    data["percent"] = data["n_chars"] / total * 100 if total else np.nan
    words = {"read": {"zh": "读入的全部字符", "en": "All characters read"},
             **{f: FATES.get(f, {"zh": f, "en": f}) for f in by_fate.index}}
    words["body"] = {"zh": "留作分析的正文", "en": "Body text kept"}
    columns = {"fate": {"zh": "去向", "en": "fate"}, "n_chars": {"zh": "字符数", "en": "characters", "unit": "字符"},
               "percent": {"zh": "占读入字符", "en": "share of all", "unit": "%"},
               "from_chars": {"zh": "条的起点", "en": "bar from", "unit": "字符"},
               "to_chars": {"zh": "条的终点", "en": "bar to", "unit": "字符"}}
    shared = dict(stem=stem, data=data, columns=columns, unit={"zh": "字符", "en": "characters"},
                  period=finishing.pop("period", "–"), **finishing)
    if not total:
        return _too_little({"zh": "没有读到任何文字，无从显示清洗过程。",
                            "en": "No text was read, so there is no cleaning to show."}, title=title, **shared)
    kept_percent = percent(kept / total * 100)
    largest = removed[0] if removed else None
    automatic = {
        "zh": f"读入的文字{kept_percent}留作分析" + (f"，去掉最多的是{words[largest]['zh']}" if largest else ""),
        "en": f"{kept_percent} of the text read is kept for analysis"
              + (f"; the largest part left out: {words[largest]['en'].lower()}" if largest else "")}
    parts_zh = "，".join(f"{words[f]['zh']}{count(by_fate[f])}（{percent(by_fate[f] / total * 100)}）" for f in removed)
    parts_en = ", ".join(f"{words[f]['en'].lower()} {count(by_fate[f])} ({percent(by_fate[f] / total * 100)})"
                         for f in removed)
    alt = {"zh": f"瀑布图：读入{count(total)}个字符，" + (f"其中{parts_zh}不作为正文，" if removed else "")
                 + f"留作分析的正文{count(kept)}个字符，占{kept_percent}。",
           "en": f"Waterfall chart: {count(total)} characters read" + (f"; set apart: {parts_en}" if removed else "")
                 + f"; body text kept: {count(kept)} characters, {kept_percent}."}

    def draw(figure, lang):
        labels = [words[f][lang] for f in data["fate"]]
        axes = add_axes(figure, left=label_margin(labels, 9), right=1.25, top=0.05, bottom=0.05)
        axes.set_xlim(0, total)
        axes.set_ylim(len(data) - 0.5, -0.5)
        for i, (fate, n_chars, start, stop) in enumerate(rows):
            colour = {"read": MARK, "body": LATER}.get(fate, "#C08A45")
            axes.barh(i, stop - start, left=start, height=0.66, color=colour)
            axes.text(stop, i, f" {count(n_chars)}  {percent(n_chars / total * 100)}", va="center_baseline",
                      ha="left", fontsize=8.5, color=INK)
            axes.text(-0.07 / size_inches(figure)[0] * total * 1.2, i, labels[i], va="center_baseline", ha="right",
                      fontsize=9, color=INK)
            if i:
                edge = rows[i][3] if fate != "body" else kept
                axes.plot([edge, edge], [i - 1 + 0.33, i - 0.33], color="#B5B0A8", linewidth=0.7, zorder=0.5)

    return figures.finish(
        draw, title=title or automatic, n=total, alt=alt, height=0.27 * len(data) + 0.2,
        subtitle={"zh": f"原始文件中每个字符的去向；共{count(total)}个字符",
                  "en": f"What became of each character of the raw files; {count(total)} characters in all"},
        how_to_read={"zh": "自上而下：从读入的全部字符中逐项减去不属于正文的部分，最后一条是留作分析的正文。"
                           "各项相加等于读入总数。",
                     "en": "From the top down, what is not body text is taken off step by step; the last bar is what "
                           "is analysed. The parts add up to all that was read."},
        **shared)


# ---- 3 top terms ----------------------------------------------------------------------------------------------------


def _term_rates(term_counts: pd.DataFrame, slices: pd.DataFrame, names: Names, year: int, region: str,
                terms: Sequence[str] | None) -> tuple[pd.DataFrame, int]:
    """Terms of one slice with rates per 10,000 tokens, most frequent first, and the slice's tokens."""
    part = _chosen(term_counts[(term_counts["year"] == year) & (term_counts["region"] == region)], term=terms)
    size = slices[(slices["year"] == year) & (slices["region"] == region)]["n_tokens"]
    n_tokens = int(size.iloc[0]) if len(size) else 0
    frame = part[["term", "count", "n_articles"]].copy()
    frame["term_en"] = [names.term(t, "en") for t in frame["term"]]
    frame["per_10k"] = frame["count"] / n_tokens * 1e4 if n_tokens else np.nan
    return frame.sort_values(["count", "term"], ascending=[False, True], ignore_index=True), n_tokens


_TERM_COLUMNS = {
    "term": {"zh": "词", "en": "term"},
    "term_en": {"zh": "词的英文名", "en": "term in English"},
    "count": {"zh": "出现次数", "en": "occurrences", "unit": "次"},
    "per_10k": {"zh": "每万词次出现次数", "en": "per 10,000 tokens", "unit": "次/万词次"},
    "n_articles": {"zh": "出现的文章数", "en": "articles with it", "unit": "篇"},
}


def _term_bars(axes, shown: pd.DataFrame, labels: Sequence[str], lang: str, colour: str = MARK) -> None:
    """Ranked bars with the term at the left and rate, count and articles at the right."""
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_xlim(0, float(shown["per_10k"].max()))
    axes.barh(np.arange(len(shown)), shown["per_10k"], height=0.7, color=colour)
    write_rows(axes, range(len(shown)), labels)
    for i, (row, note) in enumerate(zip(shown.itertuples(), _term_notes(shown, lang), strict=True)):
        write(axes, (row.per_10k, i), f"{row.per_10k:.1f}", 8.5, shift=(4, 0))
        write(axes, (row.per_10k, i), note, 7.5, shift=(4 + text_width("000.0 ", 8.5) * 72, 0), color=QUIET_INK)


def _term_notes(shown: pd.DataFrame, lang: str) -> list[str]:
    """Occurrences and articles of each term, in words."""
    return [f"{n:,}次，{articles:,}篇" if lang == "zh" else f"{n:,} in {articles:,} articles"
            for n, articles in zip(shown["count"], shown["n_articles"], strict=True)]


def top_terms(term_counts: pd.DataFrame, slices: pd.DataFrame, *, names: Names, year: int = ALL_YEARS,
              region: str = "all", terms: Sequence[str] | None = None, n_top: int = 20,
              title: Bilingual | None = None, stem: str = "top_terms", **finishing) -> FigureCard:
    """The most frequent terms of a year and region, by rate. No filter of themes: a term is counted in all statements.

    Args:
        term_counts, slices: tables of the build.
        year, region: the slice; all years and everything by default.
        terms: among which; rates are per token of the slice all the same.
        n_top: how many terms; a small sheet shows as many of them as have room.
    """
    frame, n_tokens = _term_rates(term_counts, slices, names, year, region, terms)
    data, years = frame.head(n_top), _years_of(slices)
    shared = dict(stem=stem, data=data, columns=_TERM_COLUMNS, period=_period([year] if year > 0 else years),
                  unit={"zh": "次/万词次", "en": "per 10,000 tokens"}, **finishing)
    if data.empty or not n_tokens:
        return _too_little({"zh": f"{_slice_words(year, region, names, years, 'zh')}没有可统计的词。",
                            "en": f"There are no terms to count for {_slice_words(year, region, names, years, 'en')}."},
                           title=title, **shared)
    first, lead = data.iloc[0], data.head(3)
    where = {lang: _slice_words(year, region, names, years, lang) for lang in figures.LANGS}
    rates = [f"{rate:.1f}" for rate in lead["per_10k"]]
    automatic = {
        "zh": f"最常用的词是{listing([quoted(t) for t in lead['term']], 'zh')}，每万词次{'、'.join(rates)}次",
        "en": ("The most used terms are " if len(lead) > 1 else "The most used term is ")
              + f"{listing([quoted(t) for t in lead['term_en']], 'en')}, {listing(rates, 'en')} times in every 10,000 "
                "tokens"}
    last = data.iloc[-1]
    alt = {"zh": f"条形图，{where['zh']}最常用的{len(data)}个词，按每万词次出现次数排列："
                 f"最高为“{first.term}”{first.per_10k:.1f}，"
                 f"其后是{'、'.join(f'“{t.term}”{t.per_10k:.1f}' for t in data.iloc[1:4].itertuples())}；"
                 f"最低为“{last.term}”{last.per_10k:.1f}。",
           "en": f"Bar chart of the {len(data)} most frequent terms, {where['en']}, per 10,000 tokens: "
                 f"“{first.term_en}” "
                 f"{first.per_10k:.1f} is highest"
                 + "".join(f", then “{t.term_en}” {t.per_10k:.1f}" for t in data.iloc[1:4].itertuples())
                 + f"; “{last.term_en}” {last.per_10k:.1f} is lowest."}

    def draw(figure, lang):
        shown = data.head(rows_that_fit(figure, len(data), around=0.02))  # ranked: the most used stay
        notes = ["0,000次，000篇" if lang == "zh" else "0,000 in 000 articles", *_term_notes(shown, lang)]
        labels = [names.term_label(t, lang) for t in shown["term"]]
        axes = add_axes(figure, left=label_margin(labels, 8.5),
                        right=text_width("000.0 ", 8.5) + max(text_width(n, 7.5) for n in notes) + 0.1)
        _term_bars(axes, shown, labels, lang)
        write_more(axes, len(data) - len(shown), lang, len(data), {"zh": "最常用的", "en": "the most used"})

    return figures.finish(
        draw, title=title or _sliced(automatic, names, year=year, region=region),
        n=n_tokens, alt=alt, height=0.2 * len(data) + 0.1,
        subtitle={"zh": f"每万词次出现次数，{where['zh']}；n={count(n_tokens)}词次，已去停用词",
                  "en": f"Occurrences per 10,000 tokens, {where['en']}; n = {count(n_tokens)} tokens; stop words left "
                        "out"},
        how_to_read={"zh": "条越长，这个词在每一万个词里出现得越多；右侧是出现次数和文章数。",
                     "en": "The longer the bar, the more often the term stands in ten thousand tokens; at the right "
                           "its occurrences and articles."},
        **shared)


# ---- small multiples: words and themes over the years ---------------------------------------------------------------


_MIN_USERS = 3  # articles that must use a term in a year before it can be said to be used more than in another


def changing_terms(term_counts: pd.DataFrame, slices: pd.DataFrame, *, region: str = "all", n_terms: int = 12,
                   min_count: int = 10) -> list[str]:
    """The terms whose use changed most between the first and the last year that are not thin, half of them rising
    and half falling, by the z of `measures.keyness`; rising ones first. A term that under `_MIN_USERS` articles use in
    the year in which it is more frequent is none of them: one article makes no trend."""
    part = slices[(slices["region"] == region) & (slices["year"] > 0)
                  & (slices["n_statements"] >= measures.MIN_STATEMENTS)
                  & (slices["n_articles"] >= measures.MIN_ARTICLES)].set_index("year")["n_tokens"]
    if len(part) < 2:
        return []
    first, last = int(part.index.min()), int(part.index.max())
    frame = measures.keyness(measures.slice_counts(term_counts, last, region),
                             measures.slice_counts(term_counts, first, region), total_a=int(part[last]),
                             total_b=int(part[first]), min_count=min_count)
    used_by = {y: measures.slice_counts(term_counts, y, region, "n_articles").reindex(frame["term"], fill_value=0)
               .to_numpy() >= _MIN_USERS for y in (first, last)}
    rising = frame[(frame["z"] > 0) & used_by[last]].head(n_terms - n_terms // 2)
    falling = frame[(frame["z"] < 0) & used_by[first]].iloc[::-1].head(n_terms // 2)
    return [*rising["term"], *falling["term"]]


def term_trajectories(term_counts: pd.DataFrame, slices: pd.DataFrame, *, names: Names,
                      terms: Sequence[str] | None = None, region: str = "all", years: Sequence[int] | None = None,
                      title: Bilingual | None = None, stem: str = "term_trajectories", **finishing) -> FigureCard:
    """The rate of some terms over the years, one small chart each on one scale. No filter of themes: a term is counted
    in all statements.

    Args:
        term_counts, slices: tables of the build.
        terms: which; by default those of `changing_terms` in these years.
        region: whose words.
        years: which, two at least.
    """
    term_counts, slices = _chosen(term_counts, year=years), _chosen(slices, year=years)
    chosen = changing_terms(term_counts, slices, region=region)
    if terms is not None:
        chosen = [term for term in _some(terms) if term in set(term_counts["term"])]
    sizes = slices[(slices["region"] == region) & (slices["year"] > 0)].set_index("year").sort_index()
    years = [int(y) for y in sizes.index if sizes.loc[y, "n_tokens"] > 0]
    found = term_counts[(term_counts["region"] == region) & term_counts["term"].isin(chosen)]
    both = found.set_index(["term", "year"])[["count", "n_articles"]]
    rows = []
    for term in chosen:
        for year in years:
            n, users = map(int, both.loc[(term, year)]) if (term, year) in both.index else (0, 0)
            tokens = int(sizes.loc[year, "n_tokens"])
            low, high = measures.wilson_interval(n, tokens)
            rows.append({"term": term, "term_en": names.term(term, "en"), "year": year, "count": n,
                         "n_articles": users, "n_tokens": tokens, "per_10k": n / tokens * 1e4,
                         "low": float(low) * 1e4, "high": float(high) * 1e4,
                         "thin": bool(sizes.loc[year, "n_statements"] < measures.MIN_STATEMENTS
                                      or sizes.loc[year, "n_articles"] < measures.MIN_ARTICLES)})
    data = pd.DataFrame(rows, columns=["term", "term_en", "year", "count", "n_articles", "n_tokens", "per_10k", "low",
                                       "high", "thin"])
    columns = {"term": _TERM_COLUMNS["term"], "term_en": _TERM_COLUMNS["term_en"],
               "year": {"zh": "工作年度", "en": "work year"},
               "count": _TERM_COLUMNS["count"], "n_articles": _TERM_COLUMNS["n_articles"],
               "per_10k": _TERM_COLUMNS["per_10k"],
               "low": {"zh": "95%区间下限", "en": "95% interval, lower"},
               "high": {"zh": "95%区间上限", "en": "95% interval, upper"},
               "n_tokens": {"zh": "该年词次数", "en": "tokens of the year"},
               "thin": {"zh": "材料偏少", "en": "thin"}}
    shared = dict(stem=stem, data=data, columns=columns, period=_period(years),
                  unit={"zh": "次/万词次", "en": "per 10,000 tokens"}, **finishing)
    if data.empty or len(years) < 2:
        return _too_little({"zh": "材料够用的年份不足两个，看不出用词的变化。",
                            "en": "Fewer than two years hold enough material to see words change."},
                           title=title, **shared)
    solid = data[~data["thin"]]
    compared = solid if solid["year"].nunique() > 1 else data
    first, last = int(compared["year"].min()), int(compared["year"].max())
    ends = compared.pivot(index="term", columns="year", values="per_10k").reindex(chosen)
    of = {name: compared.pivot(index="term", columns="year", values=name) for name in ("low", "high", "n_articles")}
    rose, fell = ([t for t in chosen if of["low"].loc[t, more] > of["high"].loc[t, less]
                   and of["n_articles"].loc[t, more] >= _MIN_USERS] for more, less in ((last, first), (first, last)))

    def changes(some, lang):
        return listing([quoted(names.term(t, lang)) for t in some[:3]], lang)

    pieces = {"zh": [f"{changes(rose, 'zh')}多了"] * bool(rose) + [f"{changes(fell, 'zh')}少了"] * bool(fell),
              "en": [f"{changes(rose, 'en')} rose"] * bool(rose) + [f"{changes(fell, 'en')} fell"] * bool(fell)}
    automatic = ({"zh": f"从{first}年到{last}年，{'，'.join(pieces['zh'])}",
                  "en": f"From {first} to {last}, {', '.join(pieces['en'])}"} if rose or fell else
                 {"zh": f"从{first}年到{last}年，这些词的用量没有明显变化",
                  "en": f"From {first} to {last} the use of these terms shows no clear change"})
    alt = {"zh": f"小型折线图{len(chosen)}幅，{year_span(years, 'zh')}每万词次出现次数。{first}年到{last}年："
                 + "，".join(f"“{t}”由{ends.loc[t, first]:.1f}到{ends.loc[t, last]:.1f}" for t in chosen) + "。",
           "en": f"{len(chosen)} small line charts, occurrences per 10,000 tokens, {year_span(years, 'en')}. From "
                 f"{first} to {last}: "
                 + ", ".join(f"“{names.term(t, 'en')}” {ends.loc[t, first]:.1f} to {ends.loc[t, last]:.1f}"
                             for t in chosen) + "."}

    def draw(figure, lang):
        panels = []
        for term in chosen:
            rows = data[data["term"] == term]
            colour = LATER if term in rose else EARLIER if term in fell else MARK
            panels.append(Panel(names.term_label(term, lang), colour, list(rows["year"]), list(rows["per_10k"]),
                                list(rows["low"]), list(rows["high"]), list(rows["thin"])))
        small_multiples(figure, panels, lambda v: f"{v:.1f}" if 0 < v < 10 else f"{v:.0f}", lang)

    unused = bool((data["count"] == 0).any())
    n = int(sizes.loc[years, "n_tokens"].sum())
    return figures.finish(
        draw, title=title or _sliced(automatic, names, region=region), n=n, alt=alt, height=1.12 * -(-len(chosen) // 4),
        subtitle={"zh": f"每万词次出现次数与95%区间，{_slice_words(-1, region, names, years, 'zh')}；"
                        f"n={count(n)}词次。紫为增，褐为减，灰为变化不明",
                  "en": "Occurrences per 10,000 tokens with 95% intervals, "
                        f"{_slice_words(-1, region, names, years, 'en')}; n = {count(n)} tokens. Indigo rose, ochre "
                        "fell, grey is unclear"},
        how_to_read={"zh": "每幅一个词，纵轴相同；线旁的数是最后一年的值，色带是95%区间，空心点是材料偏少的年份。"
                           f"用得较多的那一年，若用到它的文章不足{_MIN_USERS}篇，就不算有变化。"
                           + "有一年是0次的词，频率照实画在0处，没有加任何常数；"
                             "那一年只有区间的上端说明得了什么。" * unused
                           + "这些词由首末两年的加权对数几率选出，以两年合计的词频为先验，增的和减的至多各取一半。"
                           * (terms is None)
                           + SMALL_SHEET_RULE["zh"],
                     "en": "One chart a term, all on one scale; the number is the last year’s value, the band the 95% "
                           "interval, hollow dots years with little material. A term that under "
                           f"{_MIN_USERS} articles use even in the year of more use is not said to have changed. "
                           + "Where a term does not occur in a year, its rate is drawn as 0, with nothing added; of "
                             "that year only the upper end of the band says anything. " * unused
                           + "Terms are chosen by the weighted log odds of the first and the last year, with the "
                             "frequencies of both together as the prior: half of them rising, half falling. "
                           * (terms is None)
                           + SMALL_SHEET_RULE["en"]},
        **shared)


def _of_slice(frame: pd.DataFrame, region: str | None = None, year: int | None = None) -> pd.DataFrame:
    if region is not None:
        frame = frame[frame["region"] == region]
    if year is not None:
        frame = frame[frame["year"] == year]
    return frame[~frame["theme"].isin(["all", "none"])]


_SHARE_COLUMNS = {
    "theme": {"zh": "主题代码", "en": "theme code"}, "theme_zh": {"zh": "主题", "en": "theme in Chinese"},
    "theme_en": {"zh": "主题英文名", "en": "theme"}, "year": {"zh": "工作年度", "en": "work year"},
    "region": {"zh": "地区", "en": "region"},
    "n": {"zh": "涉及该主题的语句数", "en": "statements with the theme", "unit": "条"},
    "n_statements": {"zh": "语句总数", "en": "statements", "unit": "条"},
    "percent": {"zh": "占语句", "en": "share of statements", "unit": "%"},
    "low": {"zh": "95%区间下限", "en": "95% interval, lower", "unit": "%"},
    "high": {"zh": "95%区间上限", "en": "95% interval, upper", "unit": "%"},
    "thin": {"zh": "材料偏少", "en": "thin"},
}


def _shares(prevalence: pd.DataFrame, names: Names) -> pd.DataFrame:
    """Rows of `measures.prevalence` with names, in per cent, in the order of the codebook."""
    frame = prevalence.copy()
    for column, source in (("percent", "share"), ("low", "low"), ("high", "high")):
        frame[column] = frame[source].astype(float) * 100
    frame["theme_zh"] = [names.theme(t, "zh") for t in frame["theme"]]
    frame["theme_en"] = [names.theme(t, "en") for t in frame["theme"]]
    place = {t: i for i, t in enumerate(names.theme_order(frame["theme"].unique()))}
    frame["_order"] = frame["theme"].map(place)
    return frame.sort_values(["_order", "region", "year"], ignore_index=True).drop(columns="_order")


def _leading_words(top: pd.DataFrame, names: Names, lang: str, n_themes: int) -> str:
    """Which of `n_themes` themes lead, claiming no more than `leaders` allows."""
    labels = [quoted(names.theme(t, lang)) for t in top["theme"]]
    share = percent(top["percent"].iloc[0])
    if len(labels) == 1:
        return (f"{labels[0]}居首，占语句的{share}" if lang == "zh" else
                f"{labels[0]} comes first, {share} of statements")
    if len(labels) <= 3:
        return (f"{listing(labels, 'zh')}居前，先后难分" if lang == "zh" else
                f"{listing(labels, 'en')} lead, too close to rank")
    if len(labels) > n_themes * 0.7:
        return (f"没有哪个主题明显领先，最高的是{labels[0]}（{share}）" if lang == "zh" else
                f"no theme clearly leads; {labels[0]} is highest ({share})")
    return (f"{labels[0]}最高（{share}），但与其后{len(labels) - 1}个主题难分先后" if lang == "zh" else
            f"{labels[0]} is highest ({share}), within error of {others(len(labels) - 1)}")


def _undone_by_mix(warned: pd.DataFrame, trends: pd.DataFrame) -> set[str]:
    """The themes that changed, or probably did, between the two years of a row of `trends`, but whose change vanishes,
    halves or reverses with the mix of articles held still, by `warned`."""
    keys = [key for key in ("theme", "year_from", "year_to") if key in warned]
    told = trends[trends["grade"].isin(["rose", "fell", "probably_rose", "probably_fell"])]
    told = set(told[keys].itertuples(index=False, name=None))
    undone = warned.loc[warned["warning"] == "mix_makes_it", keys]
    return {row[0] for row in undone.itertuples(index=False, name=None) if row in told}


def _of_one_region(rows: pd.DataFrame, names: Names) -> dict[str, str]:
    """What leads in the one region that `rows`, a row a theme, are of."""
    top, region = leaders(rows, "percent", "n"), rows["region"].iloc[0]
    words = {lang: _leading_words(top, names, lang, len(rows)) for lang in figures.LANGS}
    return {"zh": f"{names.region(region, 'zh')}：{words['zh']}",
            "en": f"{names.region(region, 'en')}: {words['en']}"}


def theme_prevalence(prevalence: pd.DataFrame, *, names: Names, region: str = "all",
                     years: Sequence[int] | None = None, themes: Sequence[str] | None = None,
                     standardised: pd.DataFrame | None = None, warned: pd.DataFrame | None = None,
                     trends: pd.DataFrame | None = None, title: Bilingual | None = None,
                     stem: str = "theme_prevalence", **finishing) -> FigureCard:
    """The share of statements with each theme over the years, in small multiples with intervals; beside it, as a broken
    line, the share with the mix of sources held still.

    Args:
        prevalence: as `measures.prevalence` returns it.
        region: whose statements.
        years: which, two at least; all by default.
        themes: which; all by default.
        standardised: as `measures.mix_standardised` returns it for that region; no broken lines without it, and none
            in years that hold under half of the mix.
        warned: as `measures.mix_warning` returns it for the first and the last year; themes whose change the mix makes
            get a mark, unless one of the two years is left out.
        trends: as `measures.trends` returns it for these two years. As in `theme_change`, only what rose or fell, or
            probably did, gets a mark: where there is no change there is none to undo. No marks without it.
    """
    frame = _shares(_of_slice(_chosen(prevalence, year=years, theme=themes), region), names)
    frame = frame[frame["year"] > 0]
    frame = frame.dropna(subset="percent")
    columns = dict(_SHARE_COLUMNS)
    if warned is not None and years is not None:
        warned = _chosen(warned, year_from=years, year_to=years)
    made = set() if warned is None or trends is None else _undone_by_mix(warned, trends[trends["region"] == region])
    if standardised is not None:
        held = standardised.loc[standardised["coverage"] >= 0.5, ["theme", "year", "standardised"]]
        frame = frame.merge(held.assign(standardised=held["standardised"] * 100), on=["theme", "year"], how="left")
        frame["made_by_mix"] = frame["theme"].isin(made)
        columns |= {"standardised": {"zh": "文章类别构成拉平后的占比", "en": "share with the mix of kinds held still",
                                     "unit": "%"},
                    "made_by_mix": {"zh": "变化随构成而来", "en": "change comes with the mix"}}
    data, years = frame[list(columns)].reset_index(drop=True), _years_of(frame)
    shared = dict(stem=stem, data=data, columns=columns, period=_period(years),
                  unit={"zh": "%", "en": "%"}, **finishing)
    if data.empty or len(years) < 2:
        return _too_little({"zh": "有材料的年份不足两个，看不出主题的消长。",
                            "en": "Fewer than two years hold material, so no theme can be followed."},
                           title=title, **shared)
    solid = data.loc[~data["thin"], "year"]
    last = int(solid.max()) if len(solid) else years[-1]
    of_last = data[data["year"] == last].sort_values("percent", ascending=False, kind="stable")
    top, n_themes = leaders(of_last, "percent", "n"), len(of_last)
    automatic = {"zh": f"{last}年{_leading_words(top, names, 'zh', n_themes)}",
                 "en": f"In {last} {_leading_words(top, names, 'en', n_themes)}"}
    n = int(data.drop_duplicates("year")["n_statements"].sum())
    head, tail = of_last.head(3), of_last.iloc[-1]
    alt = {"zh": f"小型折线图{data['theme'].nunique()}幅，{year_span(years, 'zh')}各主题占语句的比例。{last}年最高的是"
                 + "，".join(f"{r.theme_zh}{percent(r.percent)}（95%区间{percent(r.low)}至{percent(r.high)}）"
                            for r in head.itertuples())
                 + f"；最低的是{tail.theme_zh}，{percent(tail.percent)}。",
           "en": f"{data['theme'].nunique()} small line charts of each theme’s share of statements, "
                 f"{year_span(years, 'en')}. Highest in {last}: "
                 + ", ".join(f"{r.theme_en} {percent(r.percent)} (95% interval {percent(r.low)} to {percent(r.high)})"
                             for r in head.itertuples())
                 + f"; lowest: {tail.theme_en}, {percent(tail.percent)}."}

    marked = names.theme_order(made & set(data["theme"])) if standardised is not None else []
    if marked:
        alt["zh"] += ("首末两年升降（含可能的），但一经拉平文章类别的构成，变化便消失、减半或反向的："
                      + "、".join(names.theme(t, "zh") for t in marked) + "。")
        alt["en"] += (" Rose or fell, or probably did, but the change vanishes, halves or reverses with the mix of "
                      "kinds of articles held still: "
                      + ", ".join(names.theme(t, "en") for t in marked) + ".")

    def draw(figure, lang):
        order = list(dict.fromkeys(data["theme"]))
        panels = []
        for theme in order:
            rows = data[data["theme"] == theme]
            panels.append(Panel(names.theme(theme, lang) + (" *" if theme in marked else ""), names.colour(theme),
                                list(rows["year"]), list(rows["percent"]), list(rows["low"]), list(rows["high"]),
                                list(rows["thin"]), list(rows["standardised"].mask(rows["thin"]))
                                if "standardised" in rows else ()))
        small_multiples(figure, panels, lambda v: f"{v:.0f}%", lang)

    mix = {"zh": "", "en": ""} if standardised is None else {
        "zh": "虚线是各年都按全部材料的文章类别构成拉平后的占比；带*的主题，首末两年间升降（或可能升降），但只用两年共"
              "有的类别、按同样的比重来比，这一变化便消失、减半或反向：变的可能是材料，不是重点。两者的比重不同：虚线用"
              "各年合计的构成，*用首末两年的；没有明显变化的主题也不带*，所以虚线走平的主题未必带*。",
        "en": " The broken line is the share with the mix of kinds of articles held as it is in all years together; "
              "with *, a theme rose or fell (or probably did) between the first and the last year, but that change "
              "vanishes, halves or reverses once the kinds that both have are given the same weights: the material may "
              "have changed, not the priorities. The line weighs kinds by all years, the star by those two, and what "
              "did not clearly change gets none, so a theme whose broken line is flat need not have a star."}

    signs = {"zh": "", "en": ""} if standardised is None else {
        "zh": "，虚线为拉平文章构成后的占比" + "；带*的，首末年之差拉平后不再成立" * bool(marked),
        "en": "; broken lines hold the mix of articles still" + ", which undoes the change marked *" * bool(marked)}
    groups = [names.groups[g] for g in dict.fromkeys(names.themes[t]["group"] for t in names.themes
                                                     if t in set(data["theme"]))]
    return figures.finish(
        draw, title=title or _sliced(automatic, names, region=region),
        n=n, alt=alt, height=1.2 * -(-data["theme"].nunique() // 6) + 0.2,
        subtitle={"zh": f"涉及各主题的语句占比与95%区间，{_slice_words(-1, region, names, years, 'zh')}；"
                        f"n={count(n)}条语句，材料偏少的年份为空心点{signs['zh']}",
                  "en": "Share of statements with each theme, with 95% intervals, "
                        f"{_slice_words(-1, region, names, years, 'en')}; n = {count(n)} statements; hollow dots mark "
                        f"years with little material{signs['en']}"},
        how_to_read={"zh": "每幅一个主题，纵轴相同；线旁的数是最后一年的占比，色带是95%区间，只供粗看："
                           "变化成不成立，在主题升降图里检验。" + mix["zh"] + "同组主题的颜色相近："
                           + "、".join(g["zh"] for g in groups) + "。" + SMALL_SHEET_RULE["zh"],
                     "en": "One chart a theme, all on one scale; the number is the last year’s share, the band the "
                           "95% interval. The bands are a rough guide: changes are tested in the figure of themes that "
                           "rose and fell."
                           + mix["en"]
                           + " Themes of one group have similar colours: " + ", ".join(g["en"] for g in groups) + ". "
                           + SMALL_SHEET_RULE["en"]},
        **shared)


# ---- comparing two slices by their words ----------------------------------------------------------------------------


def keyness(keyness: pd.DataFrame, *, label_a: Bilingual, label_b: Bilingual, names: Names | None = None,
            terms: Sequence[str] | None = None, n_top: int = 12, level_q: float = 0.05, period: str | None = None,
            title: Bilingual | None = None, stem: str = "keyness", **finishing) -> FigureCard:
    """The words that mark two slices off from each other, with the ratio of their rates and its interval. No filter of
    years, regions or themes: the two slices are chosen where the frame is made.

    Args:
        keyness: as `measures.keyness` returns it, slice A against slice B.
        label_a, label_b: what the slices are, such as 2026 and 2022.
        names: for the English names of terms.
        terms: among which; all by default.
        n_top: terms shown of each, by z; only those with q under `level_q` and an interval that leaves out 1.
        period: years covered; by default made of the labels.
    """
    clear = _chosen(keyness, term=terms)
    clear = clear[clear["q"] < level_q]
    of_a = clear[(clear["z"] > 0) & (clear["low"] > 0)].head(n_top)
    of_b = clear[(clear["z"] < 0) & (clear["high"] < 0)].iloc[::-1].head(n_top)
    data = pd.concat([of_a, of_b.iloc[::-1]], ignore_index=True)
    data["side"] = ["a"] * len(of_a) + ["b"] * len(of_b)
    a, b, names = label_a, label_b, names or _NO_NAMES
    data["term_en"] = [names.term(t, "en") for t in data["term"]]
    columns = {"term": _TERM_COLUMNS["term"], "term_en": _TERM_COLUMNS["term_en"],
               "side": {"zh": f"偏向：a为{a['zh']}，b为{b['zh']}", "en": f"side: a is {a['en']}, b is {b['en']}"},
               "count_a": {"zh": f"{a['zh']}次数", "en": f"occurrences, {a['en']}", "unit": "次"},
               "count_b": {"zh": f"{b['zh']}次数", "en": f"occurrences, {b['en']}", "unit": "次"},
               "per_10k_a": {"zh": f"{a['zh']}每万词次", "en": f"per 10,000 tokens, {a['en']}"},
               "per_10k_b": {"zh": f"{b['zh']}每万词次", "en": f"per 10,000 tokens, {b['en']}"},
               "log_ratio": {"zh": "比值的以2为底的对数", "en": "binary logarithm of the ratio"},
               "low": {"zh": "95%区间下限", "en": "95% interval, lower"},
               "high": {"zh": "95%区间上限", "en": "95% interval, upper"},
               "z": {"zh": "加权对数几率的z值", "en": "z of the weighted log odds"},
               "q": {"zh": "假发现率q值", "en": "false discovery rate q"}}
    shared = dict(stem=stem, data=data, columns=columns, unit={"zh": "倍", "en": "ratio"},
                  period=period or "–".join(sorted({a["en"], b["en"]})), **finishing)
    if data.empty:
        words = {"zh": "用词", "en": "words"} if terms is None else {"zh": "所选的词", "en": "words chosen"}
        return _too_little({"zh": f"{a['zh']}与{b['zh']}的{words['zh']}没有经得起检验的差别（q<{level_q}）。",
                            "en": f"No difference between {a['en']} and {b['en']} in the {words['en']} stands up to "
                                  f"the test (q < {level_q})."}, title=title, **shared)

    def some(frame, lang):
        return listing([quoted(names.term(t, lang)) for t in frame["term"].head(2)], lang)

    both = {lang: some(of_a, lang) for lang in figures.LANGS}
    other = {lang: some(of_b, lang) for lang in figures.LANGS}
    automatic = {
        "zh": "，".join([f"{a['zh']}更常说{both['zh']}"] * bool(len(of_a))
                       + [f"{b['zh']}更常说{other['zh']}"] * bool(len(of_b))),
        "en": ", ".join([f"{a['en']} stands out for {both['en']}"] * bool(len(of_a))
                        + [f"{b['en']} {'' if len(of_a) else 'stands out '}for {other['en']}"] * bool(len(of_b)))}

    def counts(frame, lang):
        form = "“{}”（{}比{}次）" if lang == "zh" else "“{}” ({} against {})"
        return ("、" if lang == "zh" else ", ").join(form.format(names.term(t.term, lang), t.count_a, t.count_b)
                                                    for t in frame.itertuples())

    alt = {"zh": f"点图，比较{a['zh']}与{b['zh']}的用词。"
                 + (f"{a['zh']}偏多的{len(of_a)}个词：{counts(of_a, 'zh')}。" if len(of_a) else "")
                 + (f"{b['zh']}偏多的{len(of_b)}个词：{counts(of_b, 'zh')}。" if len(of_b) else ""),
           "en": f"Dot chart comparing the words of {a['en']} and {b['en']}. "
                 + (f"{len(of_a)} more frequent in {a['en']}: {counts(of_a, 'en')}. " if len(of_a) else "")
                 + (f"{len(of_b)} more frequent in {b['en']}: {counts(of_b, 'en')}." if len(of_b) else "")}
    alt = {lang: text.strip() for lang, text in alt.items()}

    def draw(figure, lang):
        room = rows_that_fit(figure, len(data), around=0.6)
        n_a = min(len(of_a), max(room - len(of_b), -(-room // 2)))
        n_b = min(len(of_b), room - n_a)
        shown = pd.concat([of_a.head(n_a), of_b.head(n_b).iloc[::-1]], ignore_index=True)
        reach = float(np.nanmax(np.abs(shown["log_ratio"]))) + 0.6
        head_a, head_b = (f"{a[lang]}", f"{b[lang]}")
        column = max(text_width(head_a, 8), text_width(head_b, 8), text_width("0,000", 8)) + 0.12
        labels = [names.term_label(t, lang) for t in shown["term"]]
        axes = add_axes(figure, left=label_margin(labels, 8.5), right=2 * column + 0.1, top=0.24,
                        bottom=0.3)
        axes.set_xlim(-reach, reach)
        gap = 0.6 if n_a and n_b else 0
        rows = np.arange(len(shown)) + np.where(np.arange(len(shown)) >= n_a, gap, 0)
        axes.set_ylim(rows[-1] + 0.6, -0.6)
        ticks = [t for t in range(-8, 9, 1 if reach < 4 else 2) if abs(t) <= reach]
        write_scale(axes, ticks, [f"{2 ** abs(t)}×" if t else ("同" if lang == "zh" else "same") for t in ticks])
        axes.axvline(0, color=UNCLEAR, linewidth=0.7, zorder=0)
        write_rows(axes, rows, labels)
        colours = [LATER if s == "a" else EARLIER for s in ["a"] * n_a + ["b"] * n_b]
        axes.hlines(rows, shown["low"].clip(-reach, reach), shown["high"].clip(-reach, reach),
                    colors=[pale(c) for c in colours], linewidth=1.4)
        mark_beyond(axes, rows, shown["low"], shown["high"], [pale(c) for c in colours])
        axes.scatter(shown["log_ratio"], rows, c=colours, s=22, zorder=3)
        for side, text, colour in ((-1, head_b, EARLIER), (1, head_a, LATER)):
            word = f"← {text}更多" if side < 0 else f"{text}更多 →"
            if lang == "en":
                word = f"← more in {text}" if side < 0 else f"more in {text} →"
            write(axes, (side * reach, rows[0] - 0.6), word, 8, shift=(0, 4), ha="left" if side < 0 else "right",
                  va="baseline", color=colour)
        for k, (head, name) in enumerate(((head_b, "count_b"), (head_a, "count_a"))):
            x = (k + 1) * column * 72
            write(axes, (1, rows[0] - 0.6), head, 8, at="right", shift=(x, 4), ha="right", va="baseline",
                  color=SOFT_INK)
            for row, value in zip(rows, shown[name], strict=True):
                write(axes, (1, row), count(value), 8, at="right", shift=(x, 0), ha="right", color=SOFT_INK)
        write_more(axes, len(data) - len(shown), lang, len(data), {
            "zh": "两边各取差别最大的", "en": "the most distinctive of each side"})

    padded = bool((data[["count_a", "count_b"]] == 0).any(axis=None))
    n = sum(round(keyness.loc[i, f"count_{side}"] / keyness.loc[i, f"per_10k_{side}"] * 1e4)
            for side in "ab" for i in [keyness[f"count_{side}"].idxmax()] if keyness.loc[i, f"count_{side}"])
    return figures.finish(
        draw, title=title or automatic, n=n, alt=alt, height=0.185 * len(data) + 0.75,
        subtitle={"zh": f"两者每万词次出现次数之比（倍）与95%区间；n={count(n)}词次，q<{level_q}；右列为出现次数",
                  "en": f"Ratio of the rates per 10,000 tokens, with 95% intervals; n = {count(n)} tokens, q < "
                        f"{level_q}; at the right the occurrences"},
        how_to_read={"zh": f"点越靠右，这个词在{a['zh']}相对越多；越靠左，在{b['zh']}相对越多。横线是95%区间，"
                           "次数少的词区间长；带箭头的一端伸出图外，数值见绘图数据。"
                           + "有一边是0次的词，比值本来算不出，两边各加0.5次才有，所以点落在哪里取决于所加的数："
                             "这样的词只有区间靠近“同”的一端说明得了什么。" * padded
                           + "选词和排序用加权对数几率的z值，以两边合计的词频为先验。",
                     "en": f"The further right a dot, the more the term belongs to {a['en']}; the further left, to "
                           f"{b['en']}. The line is the 95% interval: long where occurrences are few; an arrow where "
                           "it goes on beyond the chart, as the plotted data tell."
                           + " Where a term does not occur on one side there is no ratio; half an occurrence is added "
                             "on both sides, and the place of the dot hangs on that: of such terms only the end of the "
                             "interval nearer to “same” says anything." * padded
                           + " Terms are chosen and ranked by the z of the weighted log odds, with the frequencies of "
                             "both sides together as the prior."},
        **shared)


def wordcloud(term_counts: pd.DataFrame, slices: pd.DataFrame, *, names: Names, year: int = ALL_YEARS,
              region: str = "all", terms: Sequence[str] | None = None, n_words: int = 30, n_bars: int = 14,
              title: Bilingual | None = None, stem: str = "wordcloud", **finishing) -> FigureCard:
    """A word cloud of a slice and, beside it, the ranked bars that say what the cloud cannot. No filter of themes: a
    term is counted in all statements.

    Args:
        term_counts, slices: tables of the build.
        year, region: the slice.
        terms: among which.
        n_words: in the cloud, the same on every sheet.
        n_bars: terms in the ranked bars.
    """
    frame, n_tokens = _term_rates(term_counts, slices, names, year, region, terms)
    data, years = frame.head(n_words), _years_of(slices)
    where = {lang: _slice_words(year, region, names, years, lang) for lang in figures.LANGS}
    shared = dict(stem=stem, data=data, columns=_TERM_COLUMNS, period=_period([year] if year > 0 else years),
                  unit={"zh": "次/万词次", "en": "per 10,000 tokens"}, **finishing)
    if len(data) < 5 or not n_tokens:
        return _too_little({"zh": f"{where['zh']}可统计的词不足五个，不画词云。",
                            "en": f"Fewer than five terms to count for {where['en']}; no cloud is drawn."},
                           title=title, **shared)
    lead = data.head(3)
    automatic = {"zh": f"{where['zh']}最常用的词：{listing([quoted(t) for t in lead['term']], 'zh')}",
                 "en": f"Most used, {where['en']}: {listing([quoted(t) for t in lead['term_en']], 'en')}"}
    alt = {"zh": f"词云与条形图，{where['zh']}最常用的{len(data)}个词，字号随每万词次出现次数。"
                 f"前{min(n_bars, len(data))}位："
                 + "、".join(f"“{t.term}”{t.per_10k:.1f}" for t in data.head(n_bars).itertuples()) + "。",
           "en": f"Word cloud and ranked bars of the {len(data)} most frequent terms, {where['en']}; size follows "
                 f"occurrences per 10,000 tokens. The first {min(n_bars, len(data))}: "
                 + ", ".join(f"“{t.term_en}” {t.per_10k:.1f}" for t in data.head(n_bars).itertuples()) + "."}
    layouts: dict[tuple[int, int], list] = {}

    def draw(figure, lang):
        from matplotlib.font_manager import FontProperties
        from matplotlib.patches import PathPatch
        from matplotlib.textpath import TextPath
        from matplotlib.transforms import Affine2D

        width, height = size_inches(figure)
        shown = data.head(rows_that_fit(figure, min(n_bars, len(data)), around=0.02))
        labels = [names.term_label(t, lang) for t in shown["term"]]
        bars = max(0.36 * width, label_margin(labels, 8.5) + 0.19 * width)
        cloud_w = width - bars - 0.25
        axes = add_axes(figure, right=width - cloud_w)
        pixels = (round(cloud_w * 100), round(height * 100))
        axes.set_xlim(0, pixels[0])
        axes.set_ylim(pixels[1], 0)
        if pixels not in layouts:
            layouts[pixels] = pack_cloud(dict(zip(data["term"], data["per_10k"], strict=True)), *pixels,
                                         seed=measures.SEED % 2**31)
        font = FontProperties(fname=str(figures.font_path()))
        peak = float(data["per_10k"].max())
        rate = dict(zip(data["term"], data["per_10k"], strict=True))
        for word, size, x, y in layouts[pixels]:  # all words, or the first of them
            path = TextPath((0, 0), word, size=size, prop=font)
            place = Affine2D().scale(1, -1).translate(x, y)
            axes.add_patch(PathPatch(place.transform_path(path), linewidth=0,
                                     facecolor=tint(INK, 0.5 + 0.5 * np.sqrt(rate[word] / peak))))
        ranked = add_axes(figure, left=width - bars + label_margin(labels, 8.5),
                          right=text_width("000.0", 8.5) + 0.08)
        ranked.set_ylim(len(shown) - 0.5, -0.5)
        ranked.set_xlim(0, peak)
        ranked.barh(np.arange(len(shown)), shown["per_10k"], height=0.68, color=MARK)
        write_rows(ranked, range(len(shown)), labels)
        for i, value in enumerate(shown["per_10k"]):
            write(ranked, (value, i), f"{value:.1f}", 8.5, shift=(4, 0))

    return figures.finish(
        draw, title=title or automatic, n=n_tokens, alt=alt, height=3.3,
        subtitle={"zh": f"最常用的{len(data)}个词，每万词次出现次数，{where['zh']}；n={count(n_tokens)}词次，"
                        "已去停用词",
                  "en": f"The {len(data)} most frequent terms, occurrences per 10,000 tokens, {where['en']}; n = "
                        f"{count(n_tokens)} tokens; stop words left out"},
        how_to_read={"zh": "词云只给印象：字越大用得越多，位置没有含义。要比较多少，请看右边的条形。",
                     "en": "The cloud gives an impression only: larger is more frequent, place means nothing. To "
                           "compare, read the bars at the right."},
        **shared)


# ---- themes: first year against last, and by region -----------------------------------------------------------------


def theme_change(trends: pd.DataFrame, *, names: Names, region: str = "all", year_from: int | None = None,
                 year_to: int | None = None, themes: Sequence[str] | None = None,
                 warned: pd.DataFrame | None = None, title: Bilingual | None = None,
                 title_says: Bilingual | None = None, stem: str = "theme_change", **finishing) -> FigureCard:
    """Each theme's share in an earlier and a later year, ranked by the later one, with the interval of the difference.

    Args:
        trends: as `measures.trends` returns it.
        region: whose statements.
        year_from, year_to: the two years; by default the furthest apart in which a change could be judged.
        themes: which.
        warned: as `measures.mix_warning` returns it for these years; themes whose change the mix makes get a mark, and
            the title does not name them.
        title_says: which tests a change must pass for a given title to name it, as a clause; that the title names no
            other is then said below it.
    """
    trends = _chosen(trends, theme=themes, year_from=year_from, year_to=year_to)
    frame = trends[(trends["region"] == region) & ~trends["theme"].isin(["all", "none"])]
    judged = frame[frame["grade"] != "too_little"]
    if year_from is None or year_to is None:
        span = judged if len(judged) else frame
        spans = sorted(set(zip(span["year_from"], span["year_to"], strict=True)), key=lambda p: (p[1] - p[0], p[1]))
        year_from, year_to = spans[-1] if spans else (year_from or 0, year_to or 0)
    frame = frame[(frame["year_from"] == year_from) & (frame["year_to"] == year_to)].copy()
    order = {code: i for i, code in enumerate(names.theme_order(frame["theme"]))}
    frame["_order"] = frame["theme"].map(order)
    frame = frame.sort_values(["share_to", "_order"], ascending=[False, True], ignore_index=True)
    data = pd.DataFrame({
        "theme": frame["theme"], "theme_zh": [names.theme(t, "zh") for t in frame["theme"]],
        "theme_en": [names.theme(t, "en") for t in frame["theme"]], "percent_from": frame["share_from"] * 100,
        "percent_to": frame["share_to"] * 100, "difference": frame["difference"] * 100, "low": frame["low95"] * 100,
        "high": frame["high95"] * 100, "n_from": frame["n_from"], "n_to": frame["n_to"],
        "n_statements_from": frame["n_statements_from"], "n_statements_to": frame["n_statements_to"],
        "grade": frame["grade"]})
    made: set[str] = set()
    if warned is not None:
        made = _undone_by_mix(warned, frame)
        data["made_by_mix"] = data["theme"].isin(made)
    first, last = str(year_from), str(year_to)
    columns = {
        **{k: _SHARE_COLUMNS[k] for k in ("theme", "theme_zh", "theme_en")},
        "percent_from": {"zh": f"{first}年占语句", "en": f"share of statements, {first}", "unit": "%"},
        "percent_to": {"zh": f"{last}年占语句", "en": f"share of statements, {last}", "unit": "%"},
        "difference": {"zh": "变化", "en": "change", "unit": "百分点 points"},
        "low": {"zh": "变化的95%区间下限", "en": "95% interval of the change, lower"},
        "high": {"zh": "变化的95%区间上限", "en": "95% interval of the change, upper"},
        "n_from": {"zh": f"{first}年语句数", "en": f"statements, {first}"},
        "n_to": {"zh": f"{last}年语句数", "en": f"statements, {last}"},
        "n_statements_from": {"zh": f"{first}年语句总数", "en": f"all statements, {first}"},
        "n_statements_to": {"zh": f"{last}年语句总数", "en": f"all statements, {last}"},
        "grade": {"zh": "判断", "en": "verdict"}}
    if warned is not None:
        columns["made_by_mix"] = {"zh": "变化随构成而来", "en": "change comes with the mix"}
    shared = dict(stem=stem, data=data, columns=columns, unit={"zh": "%", "en": "%"},
                  period=_period([year_from, year_to]), **finishing)
    if data.empty or (data["grade"] == "too_little").all():
        return _too_little({"zh": "没有两个材料够用的年份可以比较，不判断各主题的升降。",
                            "en": "No two years hold enough material to be compared, so no rise or fall is claimed."},
                           title=title, **shared)
    sure = data[~data["theme"].isin(made)]
    rose = sure[sure["grade"] == "rose"].sort_values("difference", ascending=False, kind="stable")
    fell = sure[sure["grade"] == "fell"].sort_values("difference", kind="stable")
    marked = data[data["theme"].isin(made) & data["grade"].isin(["rose", "fell"])]

    def some(part, lang):
        labels = [quoted(t) for t in part[f"theme_{lang}"].head(2)]
        if len(part) <= 2:
            return listing(labels, lang)
        rest = others(len(part) - 1, "theme")
        return f"{labels[0]}等{len(part)}个主题" if lang == "zh" else f"{labels[0]} and {rest}"

    if len(rose) or len(fell):
        automatic = {
            "zh": f"从{first}年到{last}年，" + "，".join([f"{some(rose, 'zh')}占比上升"] * bool(len(rose))
                                                   + [f"{some(fell, 'zh')}占比下降"] * bool(len(fell))),
            "en": f"From {first} to {last}, " + ", ".join([f"{some(rose, 'en')} rose"] * bool(len(rose))
                                                          + [f"{some(fell, 'en')} fell"] * bool(len(fell)))}
    else:
        automatic = {"zh": f"从{first}年到{last}年，没有哪个主题的占比有明显变化",
                     "en": f"From {first} to {last} no theme’s share clearly changed"}

    def change(part, lang):
        form = "{n}由{a}到{b}" if lang == "zh" else "{n} {a} to {b}"
        return ("，" if lang == "zh" else ", ").join(
            form.format(n=r[f"theme_{lang}"], a=percent(r["percent_from"]), b=percent(r["percent_to"]))
            for _, r in part.iterrows())

    top = data.iloc[0]
    alt = {"zh": f"点图，{len(data)}个主题在{first}年与{last}年占语句的比例，按{last}年排列；"
                 f"{last}年最高的是{top['theme_zh']}，"
                 f"{percent(top['percent_to'])}。" + (f"上升：{change(rose, 'zh')}。" if len(rose) else "")
                 + (f"下降：{change(fell, 'zh')}。" if len(fell) else "")
                 + (f"变化在拉平文章构成后不再成立：{change(marked, 'zh')}。" if len(marked) else "")
                 + ("其余没有明显变化或材料太少。" if len(rose) + len(fell) + len(marked) < len(data) else ""),
           "en": f"Dot chart of the share of statements with each of {len(data)} themes in {first} and {last}, ranked "
                 f"by {last}; {top['theme_en']} is highest in {last}, {percent(top['percent_to'])}. "
                 + (f"Rose: {change(rose, 'en')}. " if len(rose) else "")
                 + (f"Fell: {change(fell, 'en')}. " if len(fell) else "")
                 + (f"Gone once the mix of articles is held still: {change(marked, 'en')}. " if len(marked) else "")
                 + ("No clear change, or too little material, for the rest."
                    if len(rose) + len(fell) + len(marked) < len(data) else "")}
    alt = {lang: text.strip() for lang, text in alt.items()}
    verdicts = {"rose": "#1B1B1B", "fell": "#1B1B1B"}

    def draw(figure, lang, everything=data):
        width, _ = size_inches(figure)
        room = rows_that_fit(figure, len(everything), around=0.5)
        first_clear = everything.assign(unclear=~everything["grade"].isin(["rose", "fell"])).sort_values(
            "unclear", kind="stable")  # a small sheet leaves out what did not clearly change
        data = everything.loc[sorted(first_clear.index[:room])]
        labels = [names.theme(t, lang) + " *" * (t in made) for t in data["theme"]]
        left, middle = label_margin(labels, 8.5), 0.42
        verdict_words = {key: words[lang] for key, words in measures.TREND_WORDS.items()}
        verdict_words["too_little"] = "材料太少" if lang == "zh" else "too little"
        verdict = max(text_width(w, 7.5) for w in verdict_words.values()) + 0.08
        plot = (width - left - middle - verdict) / 2
        rows = np.arange(len(data))
        shares = add_axes(figure, left=left, right=width - left - plot, top=0.24, bottom=0.24)
        changes = add_axes(figure, left=left + plot + middle, right=verdict, top=0.24, bottom=0.24)
        peak = float(np.nanmax(data[["percent_from", "percent_to"]].to_numpy())) * 1.06
        for axes in (shares, changes):
            axes.set_ylim(len(data) - 0.4, -0.6)
            for row in rows:
                axes.axhline(row, color="#F0EDE8", linewidth=0.7, zorder=0)
        shares.set_xlim(-0.02 * peak, peak)
        step = next(s for s in (5, 10, 20, 25, 50) if peak / s < plot / 0.4)
        ticks = [t for t in range(0, 101, step) if t <= peak]
        write_scale(shares, ticks, [f"{t}%" for t in ticks], grid=False)
        colours = [names.colour(t) for t in data["theme"]]
        shares.hlines(rows, data["percent_from"], data["percent_to"], colors=[pale(c) for c in colours], linewidth=1.3)
        shares.scatter(data["percent_from"], rows, s=17, facecolors=PAPER, edgecolors=colours, linewidths=1, zorder=3)
        shares.scatter(data["percent_to"], rows, s=20, c=colours, zorder=4)
        write_rows(shares, rows, labels)
        reach = float(np.nanmax(np.abs(data[["difference", "low", "high"]].to_numpy()))) * 1.03
        reach = min(reach, 2.2 * float(np.nanmax(np.abs(data["difference"]))) + 5)
        changes.set_xlim(-reach, reach)
        step = next(s for s in (2, 5, 10, 20, 25, 50, 100) if 2 * reach / s < plot / 0.42)
        ticks = [t for t in range(-100, 101, step) if abs(t) <= reach]
        write_scale(changes, ticks, [f"{t:+d}".replace("-", "−") if t else "0" for t in ticks], grid=False)
        changes.plot([0, 0], [-0.6, len(data) - 0.4], color=UNCLEAR, linewidth=0.7, zorder=0.5)
        for row, r in zip(rows, data.itertuples(), strict=True):
            clear = r.grade in verdicts
            colour = names.colour(r.theme) if clear else UNCLEAR
            if r.grade != "too_little":
                changes.plot([max(r.low, -reach), min(r.high, reach)], [row, row], color=pale(colour), linewidth=1.3)
                changes.plot([r.difference], [row], "o", color=colour, markersize=4.2)
            write(changes, (1, row), verdict_words[r.grade], 7.5, at="right", shift=(5, 0),
                  color=INK if clear else QUIET_INK)
        heads = ({"zh": f"占语句（空心{first}年，实心{last}年）", "en": f"Share (hollow {first}, solid {last})"}[lang],
                 {"zh": "变化（百分点）与95%区间", "en": "Change in points, 95% interval"}[lang])
        for axes, head in zip((shares, changes), heads, strict=True):
            write(axes, (0, 1), head, 8, at="axes", shift=(0, 3), va="baseline", color=SOFT_INK)
        write_more(shares, len(everything) - len(data), lang, len(everything), {
            "zh": "变化明显的和占比较高的", "en": "clear changes, then the largest shares"})
        changes.set_ylim(shares.get_ylim())  # rows of both sides stay level

    n = int(data["n_statements_from"].iloc[0] + data["n_statements_to"].iloc[0])
    n_a, n_b = count(data["n_statements_from"].iloc[0]), count(data["n_statements_to"].iloc[0])
    where = {lang: "" if region == "all" else names.region(region, lang) + ("，" if lang == "zh" else ", ")
             for lang in figures.LANGS}
    probable = data["grade"].isin(["probably_rose", "probably_fell"]).any()
    signs = {"zh": "；95%区间不含0的着色" + "，只有80%区间不含0的称“可能”" * bool(probable)
                   + "；带*的，拉平文章构成后变化不再成立" * bool(made),
             "en": "; in colour where the 95% interval excludes 0" + ", “probably” where only the 80% one does"
                   * bool(probable) + "; * gone once the mix of articles is held still" * bool(made)}
    says = {lang: title_says[lang] if title and title_says else "" for lang in figures.LANGS}
    if title and title_says:  # else colours that the title passes over look like a contradiction
        signs["zh"] += "；标题只写通过全部检验的变化"
        signs["en"] += "; the title names only changes that pass every test"
    return figures.finish(
        draw, title=title or _sliced(automatic, names, region=region), n=n, alt=alt, height=0.195 * len(data) + 0.6,
        subtitle={"zh": f"{where['zh']}涉及各主题的语句占比；n={n_a}条（{first}年）和{n_b}条（{last}年）{signs['zh']}",
                  "en": (where["en"] + "share" if where["en"] else "Share")
                        + f" of statements with each theme; n = {n_a} ({first}) and {n_b} ({last}) statements"
                        + signs["en"]},
        how_to_read={"zh": "左图看两年各占多少，右图看变化有多大、有多可靠：横线是变化的95%区间，"
                           "不含0才说“上升”“下降”；含0的画成灰色，其中80%区间不含0的说“可能上升”“可能下降”，只是苗头。"
                           + "带*的主题，两年只用共有的文章类别、按同样的比重来比，变化便消失、减半或反向："
                             "变的可能是材料，不是重点。" * bool(made) + (f"{says['zh']}。" if says["zh"] else ""),
                     "en": "At the left, the share in both years; at the right, how large and how sure the change is. "
                           "The line is its 95% interval: only where it excludes 0 did a share rise or fall. Those "
                           "that include 0 are grey; where the 80% interval excludes it, the change is called probable "
                           "and is no more than a hint."
                           + " With *, the change vanishes, halves or reverses once the kinds of articles that both "
                             "years have are given the same weights: the material may have changed, not the "
                             "priorities." * bool(made)
                           + (f" {says['en']}." if says["en"] else "")},
        **shared)


def region_themes(prevalence: pd.DataFrame, *, names: Names, year: int = ALL_YEARS, themes: Sequence[str] | None = None,
                  regions: Sequence[str] | None = None, title: Bilingual | None = None, stem: str = "region_themes",
                  **finishing) -> FigureCard:
    """Themes × regions: the share of each region's statements with each theme; thin regions stand apart in grey.

    Args:
        prevalence: as `measures.prevalence` returns it, single regions included.
        year: all years by default.
        themes, regions: which.
    """
    prevalence = _chosen(prevalence, theme=themes, region=regions)
    frame = _shares(_of_slice(prevalence, year=year), names)
    frame = frame[~frame["region"].isin(measures.NOT_ONE_REGION) & (frame["n_statements"] > 0)]
    data = frame[list(_SHARE_COLUMNS)].reset_index(drop=True)
    regions = data.drop_duplicates("region").sort_values(["n_statements", "region"], ascending=[False, True])
    solid, thin = list(regions.loc[~regions["thin"], "region"]), list(regions.loc[regions["thin"], "region"])
    size = regions.set_index("region")["n_statements"]
    shared = dict(stem=stem, data=data, columns=_SHARE_COLUMNS, unit={"zh": "%", "en": "%"},
                  period=finishing.pop("period", _period(_years_of(prevalence) if year == ALL_YEARS else [year])),
                  **finishing)
    if not solid:
        return _too_little({"zh": f"没有一个地区达到{measures.MIN_STATEMENTS}条语句、{measures.MIN_ARTICLES}篇文章，"
                                  "不比较地区。",
                            "en": f"No region reaches {measures.MIN_STATEMENTS} statements and {measures.MIN_ARTICLES} "
                                  "articles, so regions are not compared."}, title=title, **shared)
    themes = list(dict.fromkeys(data["theme"]))
    value = data.pivot(index="theme", columns="region", values="percent").loc[themes, [*solid, *thin]]
    firsts = {region: value[region].idxmax() for region in solid}
    tally = pd.Series(list(firsts.values())).value_counts()
    common = sorted(tally[tally == tally.max()].index, key=themes.index)
    best = data[~data["thin"]].sort_values("percent", ascending=False, kind="stable").iloc[0]
    if len(solid) == 1:
        automatic = _of_one_region(data[data["region"] == solid[0]], names)
    elif len(common) == 1 and tally.max() > 1:
        unsure = sum(len(leaders(data[data["region"] == r], "percent", "n")) > 1 for r in solid
                     if firsts[r] == common[0])
        automatic = {
            "zh": f"材料够用的{len(solid)}个地区中，{tally.max()}个占比最高的是{quoted(names.theme(common[0], 'zh'))}"
                  + _unsure(unsure, "zh"),
            "en": f"In {tally.max()} of {len(solid)} regions with enough material, "
                  f"{quoted(names.theme(common[0], 'en'))} has the largest share" + _unsure(unsure, "en")}
    else:
        unsure = sum(len(leaders(data[data["region"] == r], "percent", "n")) > 1 for r in solid)
        automatic = {
            "zh": f"材料够用的{len(solid)}个地区，占比最高的主题因地而异"
                  + f"，其中{unsure}个地区的首位与别的主题难分先后" * bool(unsure),
            "en": f"The theme with the largest share differs among the {len(solid)} regions with enough material"
                  + _unsure(unsure, "en")}
    alt = {"zh": f"矩阵图，{len(themes)}个主题在{len(regions)}个地区占语句的比例；{len(thin)}个地区材料偏少，"
                 f"画成灰色。材料够用的地区中，最高的一格是{best['region']}的{best['theme_zh']}，"
                 f"{percent(best['percent'])}。各地区最高的主题："
                 + "，".join(f"{r}{names.theme(t, 'zh')}{percent(value.loc[t, r])}" for r, t in firsts.items()) + "。",
           "en": f"Matrix of the share of statements with each of {len(themes)} themes in {len(regions)} regions; "
                 f"{len(thin)} hold too little and are grey. The highest cell with enough material is "
                 f"{best['theme_en']} in {names.region(best['region'], 'en')}, {percent(best['percent'])}. "
                 "Highest theme by region: "
                 + ", ".join(f"{names.region(r, 'en')} {names.theme(t, 'en')} {percent(value.loc[t, r])}"
                             for r, t in firsts.items()) + "."}

    overall = data.groupby("theme")["n"].sum()

    def draw(figure, lang, themes=themes, thin=thin):
        width, height = size_inches(figure)

        def lay_out(themes, thin):
            order = [*solid, *thin]
            labels = [names.region(r, lang) for r in order]
            left = label_margin([names.theme(t, lang) for t in themes], 8)
            share = 2.0 if len(thin) else 1.0  # a column with numbers needs twice the room of a grey one
            units = share * len(solid) + len(thin) + (0.5 if thin else 0)
            column = (width - left - 0.02) / units
            upright = max(text_width(t, 7.5) for t in labels) + 0.04 > min(share * column, column if thin else 9)
            head = 0.24 + (0.12 if not upright else max(map(len, labels)) * 0.125 if lang == "zh" else
                           max(text_width(t, 7.5) for t in labels))
            turn, above = stand_counts(size[order], min(share * column, column if thin else 9))
            return order, labels, left, share, units, column, upright, head + above / 72, turn, above

        # The same rows in all languages: English names stand upright and take the most room.
        rows = rows_that_fit(figure, len(themes), pitch=0.145, around=0.36 + max(
            0.36, max(text_width(names.region(r, "en"), 7.5) for r in [*solid, *thin])))
        if rows < len(themes):
            rows = rows_that_fit(figure, len(themes), pitch=0.145, around=1.0)
        hidden = len(themes) - max(3, rows)
        if hidden > 0:  # a small sheet shows the themes mentioned most, and only regions that can be compared
            kept = set(overall.sort_values(ascending=False, kind="stable").index[:len(themes) - hidden])
            themes, thin = [t for t in themes if t in kept], []
        order, labels, left, share, units, column, upright, head, turn, above = lay_out(themes, thin)
        note, n_thin = "", len(regions) - len(solid)
        if hidden > 0:
            note = (f"画出{len(themes) + hidden}个主题中说得最多的{len(themes)}个"
                    + f"，不画{n_thin}个材料偏少的地区" * bool(n_thin) if lang == "zh" else
                    f"The {len(themes)} most mentioned of {len(themes) + hidden} themes"
                    + f"; {n_thin} thin regions left out" * bool(n_thin))
        elif thin:
            note = (f"灰色：不足{measures.MIN_STATEMENTS}条语句或{measures.MIN_ARTICLES}篇文章，不作比较"
                    if lang == "zh" else
                    f"Grey: under {measures.MIN_STATEMENTS} statements or {measures.MIN_ARTICLES} articles; not "
                    "compared")
        foot = write_groups(figure, names, themes, lang, note) + 0.02
        axes = add_axes(figure, left=left, top=head, right=0.02, bottom=foot)
        edges = np.concatenate([np.arange(len(solid)) * share, share * len(solid) + 0.5 + np.arange(len(thin))])
        widths = np.array([share] * len(solid) + [1.0] * len(thin))
        centres = edges + widths / 2
        axes.set_xlim(0, units)
        axes.set_ylim(len(themes) - 0.5, -0.5)
        peak = float(np.nanmax(value[solid].to_numpy())) or 1.0
        row_pt, column_pt = (height - head - foot) / len(themes) * 72, column * share * 72
        size_pt = min(7.5, row_pt * 0.8, column_pt / text_width("88", 1) / 72 * 0.9)
        region_pt = min(7.5, column * 72 / 1.05) if upright and thin else 7.5
        numbers: list[tuple] = []
        for j, region in enumerate(order):
            colours = []
            for i, theme in enumerate(themes):
                v = value.loc[theme, region]
                depth = 0.03 + 0.97 * shade_step(np.sqrt(v / peak)) if v > 0 else 0
                grey = region not in solid or not v > 0
                colour = tint("#77726A", max(depth * 0.55, 0.04)) if grey else tint(names.group_colour(theme), depth)
                colours.append(colour)
                if region in solid and v >= 0.5 and size_pt >= 5.5:
                    numbers.append((centres[j], i, f"{v:.0f}", figures.ink_on(colour)))
            fill_cells(axes, np.full(len(themes), centres[j]), np.arange(len(themes)), colours, width=widths[j] * 0.95,
                       height=0.93)
            ink = INK if region in solid else QUIET_INK
            if lang == "zh" and upright:
                for k, char in enumerate(reversed(labels[j])):
                    write(axes, (centres[j], -0.5), char, 7.8, shift=(0, 13 + above + k * 8.6), ha="center",
                          va="baseline", color=ink)
            else:
                write(axes, (centres[j], -0.5), labels[j], region_pt, shift=(0, 13 + above), ha="center",
                      va="bottom" if upright else "baseline", rotation=90 * upright, color=ink)
            write(axes, (centres[j], -0.5), str(int(size[region])), COUNT_PT, shift=(0, 3), ha="center",
                  va="bottom" if turn else "baseline", rotation=turn, color=QUIET_INK)
        if numbers:
            x, y, texts, inks = zip(*numbers, strict=True)
            figures.add_numbers(axes, x, y, texts, size_pt, inks)
        for i, theme in enumerate(themes):
            write(axes, (0, i), names.theme(theme, lang), min(8, row_pt * 0.86), shift=(-5, 0), ha="right",
                  color=names.group_colour(theme))
        write(axes, (0, -0.5), "n=" if lang == "zh" else "n =", COUNT_PT, shift=(-5, 3), ha="right", va="baseline",
              color=QUIET_INK)

    where = year_span(_years_of(prevalence) if year == ALL_YEARS else [year], "zh"), \
        year_span(_years_of(prevalence) if year == ALL_YEARS else [year], "en")
    return figures.finish(
        draw, title=title or _sliced(automatic, names, year=year),
        n=int(size.sum()), alt=alt, height=0.19 * len(themes) + 1.1,
        subtitle={"zh": f"各地区语句中涉及各主题的百分比，{where[0]}；"
                        f"n={count(size.sum())}条语句，一条涉及几个地区，各计一次",
                  "en": f"Per cent of each region’s statements with each theme, {where[1]}; n = {count(size.sum())} "
                        "statements, one on several regions counting in each"},
        how_to_read={"zh": "一列是一个地区，一行是一个主题，数字是该地区语句中涉及该主题的百分比，颜色越深占比越高，"
                           "颜色随主题的组。灰色的列材料偏少，只供参考。",
                     "en": "A column is a region, a row a theme, the number the per cent of the region’s statements "
                           "with that theme; darker is more, in the colour of the theme’s group. Grey columns rest on "
                           "too little to compare."},
        **shared)


def theme_ranking(prevalence: pd.DataFrame, *, names: Names, region: str = "all", year_from: int | None = None,
                  year_to: int | None = None, themes: Sequence[str] | None = None, title: Bilingual | None = None,
                  stem: str = "theme_ranking", **finishing) -> FigureCard:
    """Themes ranked by their share in the later year, with its interval; the earlier year as a hollow dot.

    Args:
        prevalence: as `measures.prevalence` returns it.
        region: whose statements.
        year_from, year_to: by default the first and the last year that are not thin.
        themes: which.
    """
    prevalence = _chosen(prevalence, theme=themes)
    frame = _shares(_of_slice(prevalence, region), names)
    frame = frame[(frame["year"] > 0) & frame["percent"].notna()]
    solid = sorted(int(y) for y in frame.loc[~frame["thin"], "year"].unique()) or _years_of(frame)
    year_to = year_to or (solid[-1] if solid else 0)
    year_from = year_from or (solid[0] if solid else 0)
    if year_from not in set(frame["year"]):
        frame = frame[:0]
    later = frame[frame["year"] == year_to].sort_values("percent", ascending=False, kind="stable", ignore_index=True)
    earlier = frame[frame["year"] == year_from].set_index("theme")
    data = later[list(_SHARE_COLUMNS)].copy()
    data["percent_from"] = earlier["percent"].reindex(data["theme"]).to_numpy()
    columns = {**_SHARE_COLUMNS,
               "percent_from": {"zh": f"{year_from}年占语句", "en": f"share in {year_from}", "unit": "%"}}
    shared = dict(stem=stem, data=data, columns=columns, unit={"zh": "%", "en": "%"},
                  period=_period([year_from, year_to]), **finishing)
    if data.empty:
        return _too_little({"zh": "没有可以排列的主题。", "en": "There are no themes to rank."}, title=title, **shared)
    top, n_themes = leaders(data, "percent", "n"), len(data)
    automatic = {"zh": f"{year_to}年{_leading_words(top, names, 'zh', n_themes)}",
                 "en": f"In {year_to} {_leading_words(top, names, 'en', n_themes)}"}
    two = year_from != year_to
    head, tail = data.head(3), data.iloc[-1]
    alt = {"zh": f"点图，{len(data)}个主题按{year_to}年占语句的比例排列。最高的是"
                 + "，".join(f"{r.theme_zh}{percent(r.percent)}"
                            + (f"（{year_from}年{percent(r.percent_from)}）" if two else "")
                            for r in head.itertuples()) + f"；最低的是{tail['theme_zh']}，{percent(tail['percent'])}。",
           "en": f"Dot chart of {len(data)} themes ranked by their share of statements in {year_to}. Highest: "
                 + ", ".join(f"{r.theme_en} {percent(r.percent)}" + (f" ({percent(r.percent_from)} in {year_from})"
                                                                     if two else "") for r in head.itertuples())
                 + f"; lowest: {tail['theme_en']}, {percent(tail['percent'])}."}

    def draw(figure, lang, everything=data):
        data = everything.head(rows_that_fit(figure, len(everything), around=0.3))
        labels = [names.theme(t, lang) for t in data["theme"]]
        value_room = text_width("00.0%", 8.5) + 0.12
        axes = add_axes(figure, left=label_margin(labels, 8.5), right=value_room, top=0.04, bottom=0.24)
        rows = np.arange(len(data))
        peak = max(float(data["high"].max()), float(data["percent_from"].max())) * 1.01 or 1
        axes.set_xlim(0, peak)
        axes.set_ylim(len(data) - 0.4, -0.6)
        step = next(t for t in (1, 2, 5, 10, 20, 25) if peak / t < 8)
        ticks = np.arange(0, peak, step)
        write_scale(axes, ticks, [f"{t:.0f}%" for t in ticks])
        write_rows(axes, rows, labels)
        colours = [names.colour(t) for t in data["theme"]]
        axes.hlines(rows, data["low"], data["high"], colors=[pale(c) for c in colours], linewidth=4)
        if two:
            axes.scatter(data["percent_from"], rows, s=20, facecolors=PAPER, edgecolors="#6E6A64", linewidths=0.9,
                         zorder=3, clip_on=False)
        axes.scatter(data["percent"], rows, s=26, c=colours, zorder=4, clip_on=False)
        for row, value in zip(rows, data["percent"], strict=True):
            write(axes, (1, row), percent(value), 8.5, at="right", shift=(value_room * 72 - 2, 0), ha="right")
        write_more(axes, len(everything) - len(data), lang, len(everything), {
            "zh": "占比最高的", "en": "the largest shares"})

    n = int(data["n_statements"].iloc[0])
    where = {lang: "" if region == "all" else names.region(region, lang) + ("，" if lang == "zh" else ", ")
             for lang in figures.LANGS}
    hollow = {"zh": f"；空心点为{year_from}年" if two else "", "en": f"; hollow dots are {year_from}" if two else ""}
    return figures.finish(
        draw, title=title or _sliced(automatic, names, region=region), n=n, alt=alt, height=0.19 * len(data) + 0.35,
        subtitle={"zh": f"{where['zh']}{year_to}年涉及各主题的语句占比与95%区间，n={count(n)}条{hollow['zh']}",
                  "en": (where["en"] + "share" if where["en"] else "Share") + " of statements with each theme in "
                                                                              f"{year_to}, with 95% intervals; n = "
                                                                              f"{count(n)}{hollow['en']}"},
        how_to_read={"zh": "实心点是后一年的占比，粗条是它的95%区间：两个主题的粗条有重叠，就不能说谁先谁后。"
                           "同组主题的颜色相近。",
                     "en": "The solid dot is the later year’s share and the thick bar its 95% interval: where the "
                           "bars of two themes overlap, their order is open. Themes of one group have "
                           "similar colours."},
        **shared)


def _thin_regions(slices: pd.DataFrame, names: Names, regions: Sequence[str] | None = None) -> list[str]:
    """The regions, of `regions` where given, that hold something in all years together but too little to compare, in
    the order of the codebook."""
    part = slices[(slices["year"] == ALL_YEARS) & ~slices["region"].isin(measures.NOT_ONE_REGION)
                  & (slices["n_statements"] > 0)]
    thin = set(part.loc[(part["n_statements"] < measures.MIN_STATEMENTS)
                        | (part["n_articles"] < measures.MIN_ARTICLES), "region"])
    if regions is not None:
        thin &= set(_some(regions))
    return sorted(thin, key=lambda r: (list(names.regions).index(r) if r in names.regions else len(names.regions), r))


def _left_out(thin: Sequence[str], names: Names) -> dict[str, str]:
    """A sentence that names the thin regions that are not compared, and the rule; empty without any."""
    if not thin:
        return {"zh": "", "en": ""}
    return {"zh": f"材料偏少（不足{measures.MIN_STATEMENTS}条语句或{measures.MIN_ARTICLES}篇文章）而不比较的有"
                  f"{'、'.join(thin)}。",
            "en": f" Not compared for too little material (under {measures.MIN_STATEMENTS} statements or "
                  f"{measures.MIN_ARTICLES} articles): {', '.join(names.region(r, 'en') for r in thin)}."}


# ---- the tile-grid map ----------------------------------------------------------------------------------------------



def _map_note(lang: str) -> tuple[str, str]:
    if lang == "zh":
        return (f"材料偏少（不足{measures.MIN_STATEMENTS}条语句或{measures.MIN_ARTICLES}篇文章），不参加比较",
                "没有材料")
    return (f"Thin: under {measures.MIN_STATEMENTS} statements or {measures.MIN_ARTICLES} articles; not compared",
            "No material")


def _tiled(names: Names, regions) -> list[str]:
    """The wanted regions that have a place on the map."""
    wanted = _some(regions)
    return [r for r in names.tiles if wanted is None or r in wanted]


def tile_map(slices: pd.DataFrame, *, names: Names, year: int = ALL_YEARS, regions: Sequence[str] | None = None,
             title: Bilingual | None = None, stem: str = "tile_map", **finishing) -> FigureCard:
    """How many statements each region has, on the tile-grid map: every region a tile of one size. No filter of themes:
    statements are counted whatever they say; for a theme see `tile_map_theme`.

    Args:
        slices: table of the build.
        year: all years by default.
        regions: which get a tile.
    """
    part = slices[(slices["year"] == year) & ~slices["region"].isin(measures.NOT_ONE_REGION)].set_index("region")
    regions = _tiled(names, regions)
    data = pd.DataFrame({"region": regions, "region_en": [names.region(r, "en") for r in regions]})
    for column in ("n_statements", "n_articles"):
        data[column] = part[column].reindex(regions, fill_value=0).astype("int64").to_numpy()
    data["thin"] = (data["n_statements"] < measures.MIN_STATEMENTS) | (data["n_articles"] < measures.MIN_ARTICLES)
    years = _years_of(slices) if year == ALL_YEARS else [year]
    columns = {"region": _SHARE_COLUMNS["region"], "region_en": {"zh": "地区英文名", "en": "region in English"},
               "n_statements": {"zh": "语句数", "en": "statements", "unit": "条"},
               "n_articles": {"zh": "文章数", "en": "articles", "unit": "篇"}, "thin": _SHARE_COLUMNS["thin"]}
    shared = dict(stem=stem, data=data, columns=columns, unit={"zh": "条", "en": "statements"}, period=_period(years),
                  **finishing)
    total = int(data["n_statements"].sum())
    if not total or not regions:
        return _too_little({"zh": "没有一条语句能归到具体地区，不画地图。",
                            "en": "No statement can be attributed to a region, so there is no map."}, title=title,
                           **shared)
    solid, some = data[~data["thin"]], data[data["thin"] & (data["n_statements"] > 0)]
    none = data[data["n_statements"] == 0]
    ranked = data.sort_values(["n_statements", "region"], ascending=[False, True], ignore_index=True)
    automatic = {
        "zh": (f"{len(regions)}个地区的材料都够作比较" if len(solid) == len(regions) else
               f"{len(regions)}个地区中，{len(solid)}个的材料够作比较" if len(solid) else
               f"{len(regions)}个地区的材料都不够作比较")
              + (f"，{len(none)}个没有材料" if len(none) else ""),
        "en": (f"{len(solid)} of {len(regions)} regions hold enough material to compare" if len(solid) else
               f"None of {len(regions)} regions holds enough material to compare")
              + (f"; {len(none)} hold none" if len(none) else "")}
    if len(regions) == 1:
        automatic = {"zh": f"{ranked['region'].iloc[0]}有{count(total)}条语句" + ("" if len(solid) else "，不够作比较"),
                     "en": f"{ranked['region_en'].iloc[0]}: {count(total)} statement{'' if total == 1 else 's'}"
                           + ("" if len(solid) else ", too few to compare")}
    alt = {"zh": f"方格地图，{year_span(years, 'zh')}各地区的语句数。最多的是"
                 + "、".join(f"{r.region}{count(r.n_statements)}条" for r in ranked.head(5).itertuples())
                 + f"；{len(some)}个地区材料偏少"
                 + (f"，没有材料的有{'、'.join(none['region'])}" if len(none) else "") + "。",
           "en": f"Tile-grid map of statements by region, {year_span(years, 'en')}. Most: "
                 + ", ".join(f"{r.region_en} {count(r.n_statements)}" for r in ranked.head(5).itertuples())
                 + f". {len(some)} regions hold too little to compare"
                 + (f"; none from {', '.join(none['region_en'])}" if len(none) else "") + "."}
    peak = int(data["n_statements"].max())

    def fill(n):
        return tint(LATER, 0.1 + 0.9 * shade_step(np.sqrt(n / peak)))

    def draw(figure, lang):
        tiles = {r.region: Tile(fill(r.n_statements), count(r.n_statements), bool(r.thin)) if r.n_statements else
                 Tile("none", "", empty=True) for r in data.itertuples()}
        left = draw_tiles(figure, lang, names, tiles) + 0.3
        thin, empty = _map_note(lang)
        steps = [(fill(v), count(v), {}) for v in sorted({peak, round(peak / 2), round(peak / 5), 1}, reverse=True)]
        draw_key(figure, left, 0.15, "语句数（条）" if lang == "zh" else "Statements",
                 [*steps, (fill(peak / 10), thin, THIN_STYLE), ("none", empty, EMPTY_STYLE)])

    return figures.finish(
        draw, title=title or _sliced(automatic, names, year=year), n=total, alt=alt, height=4.7,
        subtitle={"zh": f"归属各地区的语句数，{year_span(years, 'zh')}；合计{count(total)}条，一条涉及几个地区，"
                        "各计一次",
                  "en": f"Statements attributed to each region, {year_span(years, 'en')}; {count(total)} in all, one "
                        "on several regions counting in each"},
        how_to_read={"zh": "每个地区一个同样大小的方格，大致按方位排列；颜色越深语句越多，斜线格材料偏少，"
                           "空格没有材料。语句多少取决于收到哪些材料，不等于工作做了多少。",
                     "en": "Every region is a tile of one size, roughly in its place; darker means more statements, "
                           "hatched tiles hold too little to compare, empty ones nothing. The number tells what the "
                           "corpus holds, not how much was done."},
        **shared)


def tile_map_theme(prevalence: pd.DataFrame, *, names: Names, theme: str, year: int = ALL_YEARS,
                   regions: Sequence[str] | None = None, title: Bilingual | None = None, stem: str | None = None,
                   **finishing) -> FigureCard:
    """One theme on the tile-grid map: every region a tile of one size, from the codebook's grid.

    Args:
        prevalence: as `measures.prevalence` returns it, single regions included.
        theme: a code.
        year: all years by default.
        regions: which get a tile.
    """
    stem = stem or f"map_{theme}"
    tiled = _tiled(names, regions)
    frame = _shares(_of_slice(_chosen(prevalence, region=regions), year=year), names)
    frame = frame[(frame["theme"] == theme) & ~frame["region"].isin(measures.NOT_ONE_REGION)]
    data = frame[list(_SHARE_COLUMNS)].reset_index(drop=True)
    years = _years_of(prevalence) if year == ALL_YEARS else [year]
    label = {lang: names.theme(theme, lang) for lang in figures.LANGS}
    shared = dict(stem=stem, data=data, columns=_SHARE_COLUMNS, unit={"zh": "%", "en": "%"}, period=_period(years),
                  **finishing)
    solid = data[~data["thin"] & data["percent"].notna()].sort_values(["percent", "region"],
                                                                         ascending=[False, True])
    if solid.empty:
        return _too_little({"zh": f"没有一个地区的材料够用，不画{label['zh']}的地图。",
                            "en": f"No region holds enough material for a map of {label['en']}."},
                           title=title, **shared)
    top = leaders(solid, "percent")
    if len(top) == 1:
        automatic = {"zh": f"谈{quoted(label['zh'])}最多的是{top['region'].iloc[0]}，"
                           f"占其语句的{percent(top['percent'].iloc[0])}",
                     "en": f"{names.region(top['region'].iloc[0], 'en')} speaks most of {quoted(label['en'])}, in "
                           f"{percent(top['percent'].iloc[0])} of its statements"}
    else:
        automatic = {"zh": f"{quoted(label['zh'])}：{solid['region'].iloc[0]}占比最高（"
                           f"{percent(solid['percent'].iloc[0])}），与另外{len(top) - 1}个地区难分先后",
                     "en": f"{quoted(label['en'])}: highest in {names.region(solid['region'].iloc[0], 'en')} "
                           f"({percent(solid['percent'].iloc[0])}), "
                           f"too close to {others(len(top) - 1, 'region')} to rank"}
    n_thin = int((data["thin"] & (data["n_statements"] > 0)).sum())
    absent = [r for r in tiled if r not in set(data.loc[data["n_statements"] > 0, "region"])]
    alt = {"zh": f"方格地图，{year_span(years, 'zh')}各地区语句中涉及{label['zh']}的比例。材料够用的{len(solid)}个地"
                 "区："
                 + "，".join(f"{r.region}{percent(r.percent)}" for r in solid.itertuples())
                 + f"。另有{n_thin}个地区材料偏少，{len(absent)}个没有材料。",
           "en": f"Tile-grid map of the share of each region’s statements on {label['en']}, {year_span(years, 'en')}. "
                 f"{len(solid)} regions with enough material: "
                 + ", ".join(f"{names.region(r.region, 'en')} {percent(r.percent)}" for r in solid.itertuples())
                 + f". {n_thin} more hold too little to compare, {len(absent)} nothing."}
    colour = names.group_colour(theme)
    peak = max(float(solid["percent"].max()), 1.0)
    rows = data.set_index("region")

    def fill(value):
        return tint(colour, 0.07 + 0.93 * value / peak)

    def draw(figure, lang):
        width, height = size_inches(figure)
        tiles = {}
        for region in tiled:
            if region in rows.index and rows.loc[region, "n_statements"] > 0:
                r = rows.loc[region]
                thin = bool(r["thin"])
                tiles[region] = Tile("#EDEAE4" if thin else fill(r["percent"]),
                                     f"n={r['n_statements']}" if thin else f"{r['percent']:.0f}%", thin)
            else:
                tiles[region] = Tile("none", "", empty=True)
        left = draw_tiles(figure, lang, names, tiles) + 0.3
        thin, empty = _map_note(lang)
        steps = [(fill(v), f"{v:.0f}%", {}) for v in np.linspace(peak, 0, 4)]
        y = draw_key(figure, left, 0.15, "占该地区语句的比例" if lang == "zh" else "Share of the region’s statements",
                     [*steps, ("#EDEAE4", thin, THIN_STYLE), ("none", empty, EMPTY_STYLE)])
        y += 0.15
        room = int((height - y - 0.2) / 0.17)
        if room >= 3:
            head = "占比最高的地区（95%区间，n）" if lang == "zh" else "Highest (95% interval, n)"
            figure.text(left / width, 1 - (y + 0.1) / height, head, fontsize=8.5, color=SOFT_INK, va="baseline")
            for k, r in enumerate(solid.head(min(room, 8)).itertuples()):
                base = 1 - (y + 0.29 + k * 0.17) / height
                figure.text(left / width, base, names.region(r.region, lang), fontsize=8, color=INK, va="baseline")
                detail = f"{r.percent:.0f}% ({r.low:.0f}–{r.high:.0f}), {r.n_statements}"
                figure.text((left + (0.62 if lang == "zh" else 0.95)) / width, base, detail, fontsize=8, color=INK,
                            va="baseline")

    return figures.finish(
        draw, title=title or _sliced(automatic, names, year=year),
        n=int(data["n_statements"].sum()), alt=alt, height=4.7,
        subtitle={"zh": f"各地区语句中涉及该主题的百分比，{year_span(years, 'zh')}；"
                        f"n={count(data['n_statements'].sum())}条语句（一条涉及几个地区，各计一次）",
                  "en": f"Per cent of each region’s statements on the theme, {year_span(years, 'en')}; n = "
                        f"{count(data['n_statements'].sum())} statements, one on several regions counting in each"},
        how_to_read={"zh": "每个地区一个同样大小的方格，大致按方位排列；颜色越深，该地区的语句谈这个主题越多。"
                           "斜线格材料偏少，空格没有材料。",
                     "en": "Every region is a tile of one size, roughly in its place; the darker, the more of its "
                           "statements speak of the theme. Hatched tiles hold too little to compare, empty ones "
                           "nothing."},
        **shared)


def tile_map_dominant(prevalence: pd.DataFrame, *, names: Names, year: int = ALL_YEARS,
                      themes: Sequence[str] | None = None, regions: Sequence[str] | None = None,
                      title: Bilingual | None = None, stem: str = "map_dominant", **finishing) -> FigureCard:
    """Which theme each region mentions most, on the tile-grid map, by number; the key names the themes.

    Args:
        prevalence: as `measures.prevalence` returns it, single regions included.
        year: all years by default.
        themes: among which.
        regions: which get a tile.
    """
    prevalence, tiled = _chosen(prevalence, theme=themes, region=regions), _tiled(names, regions)
    frame = _shares(_of_slice(prevalence, year=year), names)
    frame = frame[~frame["region"].isin(measures.NOT_ONE_REGION) & (frame["n_statements"] > 0)]
    top = (frame.sort_values(["percent"], ascending=False, kind="stable").drop_duplicates("region")
           .sort_values("region", ignore_index=True))
    close = []
    for row in top.itertuples():
        close.append(len(leaders(frame[frame["region"] == row.region], "percent", "n")) - 1 if row.n else 0)
    top["n_close"] = close
    columns = {**_SHARE_COLUMNS, "n_close": {"zh": "与它难分先后的主题数", "en": "themes too close to it to rank"}}
    data = top[list(columns)]
    years = _years_of(prevalence) if year == ALL_YEARS else [year]
    shared = dict(stem=stem, data=data, columns=columns, unit={"zh": "%", "en": "%"}, period=_period(years),
                  **finishing)
    solid = data[~data["thin"] & (data["n"] > 0)]
    if solid.empty:
        return _too_little({"zh": "没有一个地区的材料够用，不标各地的首位主题。",
                            "en": "No region holds enough material to name its leading theme."}, title=title, **shared)
    tally = solid.groupby("theme").size()
    order = sorted(tally.index, key=lambda t: (-tally[t], names.theme_order(list(tally.index)).index(t)))
    number = {theme: i + 1 for i, theme in enumerate(order)}
    sure = int((solid["n_close"] == 0).sum())
    first = [t for t in order if tally[t] == tally[order[0]]]
    unsure = int((solid["theme"].isin(first) & (solid["n_close"] > 0)).sum())
    if len(solid) == 1:
        automatic = _of_one_region(frame[frame["region"] == solid["region"].iloc[0]], names)
    elif len(first) == 1:
        automatic = {
            "zh": f"{len(solid)}个材料够用的地区中，{tally[order[0]]}个占比最高的是"
                  f"{quoted(names.theme(order[0], 'zh'))}" + _unsure(unsure, "zh"),
            "en": f"{quoted(names.theme(order[0], 'en'))} has the largest share in {tally[order[0]]} of the "
                  f"{len(solid)} regions with enough material" + _unsure(unsure, "en")}
    elif tally[order[0]] > 1:
        labels = {lang: listing([quoted(names.theme(t, lang)) for t in first], lang) for lang in figures.LANGS}
        led = len(first) * tally[order[0]]
        automatic = {
            "zh": f"{len(solid)}个材料够用的地区中，{labels['zh']}各在{tally[order[0]]}个占比最高"
                  + f"；这{led}个中{unsure}个与别的主题难分先后" * bool(unsure),
            "en": f"{labels['en']} each lead in {tally[order[0]]} of {len(solid)} regions with enough material"
                  + f", in {unsure} of these {led} within error of another" * bool(unsure)}
    else:
        automatic = {"zh": f"{len(solid)}个材料够用的地区，占比最高的主题各不相同",
                     "en": f"Each of the {len(solid)} regions with enough material has a different theme first"}
    alt = {"zh": f"方格地图，{year_span(years, 'zh')}各地区占比最高的主题：" + "，".join(
               f"{r.region}{r.theme_zh}{percent(r.percent)}" for r in solid.itertuples())
               + f"。其中{sure}个地区的首位与其余主题拉得开。",
           "en": f"Tile-grid map of the theme with the largest share in each region, {year_span(years, 'en')}: "
                 + ", ".join(f"{names.region(r.region, 'en')} {r.theme_en} {percent(r.percent)}"
                             for r in solid.itertuples())
                 + f". In {sure} of them the first stands clear of the others."}
    rows = data.set_index("region")

    def draw(figure, lang):
        tiles = {}
        for region in tiled:
            if region in rows.index and rows.loc[region, "n"] > 0:
                r = rows.loc[region]
                if r["thin"]:
                    tiles[region] = Tile("#EDEAE4", "", True)
                else:
                    tiles[region] = Tile(names.colour(r["theme"]),
                                         f"{number[r['theme']]}" + ("" if r["n_close"] == 0 else "*"))
            else:
                tiles[region] = Tile("none", "", empty=True)
        left = draw_tiles(figure, lang, names, tiles) + 0.3
        thin, empty = _map_note(lang)
        steps = [(names.colour(t), f"{number[t]} {names.theme(t, lang)}" + (
            f"（{tally[t]}个地区）" if lang == "zh" else f" ({tally[t]})"), {}) for t in order]
        draw_key(figure, left, 0.1, "占比最高的主题；*表示与其他主题难分先后" if lang == "zh" else
                 "Theme with the largest share; * too close to another to rank",
                 [*steps, ("#EDEAE4", thin, THIN_STYLE), ("none", empty, EMPTY_STYLE)])

    return figures.finish(
        draw, title=title or _sliced(automatic, names, year=year),
        n=int(data["n_statements"].sum()), alt=alt, height=4.7,
        subtitle={"zh": f"各地区语句中占比最高的主题，{year_span(years, 'zh')}；n={count(data['n_statements'].sum())}"
                        "条语句（一条涉及几个地区，各计一次）",
                  "en": f"Theme with the largest share of each region’s statements, {year_span(years, 'en')}; n = "
                        f"{count(data['n_statements'].sum())} statements, one on several regions counting in each"},
        how_to_read={"zh": "每个地区一个同样大小的方格，大致按方位排列；数字是右边所列主题的序号，"
                           "每个主题一种颜色，同组的颜色相近。带*的地区，首位与其他主题的95%区间有重叠。",
                     "en": "Every region is a tile of one size, roughly in its place; the number is that of the "
                           "theme at the right; each theme has a colour, those of a group are alike. With *, the 95% "
                           "interval of the first reaches that of another theme."},
        **shared)


# ---- themes together ------------------------------------------------------------------------------------------------

_PAIR_PLOT_COLUMNS = {
    "theme_a": {"zh": "主题甲代码", "en": "code of the first theme"},
    "theme_b": {"zh": "主题乙代码", "en": "code of the second theme"},
    "a_zh": {"zh": "主题甲", "en": "first theme in Chinese"}, "b_zh": {"zh": "主题乙", "en": "second theme in Chinese"},
    "a_en": {"zh": "主题甲英文名", "en": "first theme"}, "b_en": {"zh": "主题乙英文名", "en": "second theme"},
    "n_both": {"zh": "同句的语句数", "en": "statements with both", "unit": "条"},
    "n_a": {"zh": "含甲的语句数", "en": "statements with the first", "unit": "条"},
    "n_b": {"zh": "含乙的语句数", "en": "statements with the second", "unit": "条"},
    "expected": {"zh": "互不相干时的预期", "en": "expected by chance", "unit": "条"},
    "ratio": {"zh": "实际为预期的倍数", "en": "observed over expected"},
    "npmi": {"zh": "归一化点互信息（NPMI）", "en": "normalised pointwise mutual information"},
    "q_more": {"zh": "多于预期的q值", "en": "q of more than chance"},
    "q_fewer": {"zh": "少于预期的q值", "en": "q of fewer than chance"},
    "supported": {"zh": "达到最低支持", "en": "supported"},
}


def _pair_frame(cooccurrence: pd.DataFrame, names: Names, year: int, region: str) -> pd.DataFrame:
    frame = cooccurrence
    if "year" in frame:
        frame = frame[frame["year"] == year]
    if "region" in frame:
        frame = frame[frame["region"] == region]
    frame = frame.copy()
    for side in "ab":
        for lang in figures.LANGS:
            frame[f"{side}_{lang}"] = [names.theme(t, lang) for t in frame[f"theme_{side}"]]
    return frame.reset_index(drop=True)


def _tied(frame: pd.DataFrame, q: float = 0.05) -> pd.DataFrame:
    """Pairs that are together clearly more often than by chance, the closest first."""
    clear = frame[frame["supported"] & (frame["q_more"] < q) & (frame["npmi"] > 0)]
    return clear.sort_values(["npmi", "theme_a", "theme_b"], ascending=[False, True, True])


def _closest_words(tied: pd.DataFrame, lang: str) -> str:
    r = tied.iloc[0]
    if lang == "zh":
        return f"“{r['a_zh']}”和“{r['b_zh']}”常在一起说：同句{count(r['n_both'])}次，为互不相干时的{r['ratio']:.1f}倍"
    return (f"“{r['a_en']}” and “{r['b_en']}” go together: in {count(r['n_both'])} statements, {r['ratio']:.1f} times "
            "as often as by chance")


def _pair_alt(tied: pd.DataFrame, lang: str, head: int = 5) -> str:
    if tied.empty:
        return "没有一对主题明显多于偶然" if lang == "zh" else "no pair is clearly more frequent than by chance"
    rows = list(tied.head(head).iterrows())
    if lang == "zh":
        return "按NPMI从高到低：" + "；".join(f"{r['a_zh']}与{r['b_zh']}，同句{count(r['n_both'])}次，"
                                          f"为预期的{r['ratio']:.1f}倍"
                                   for _, r in rows)
    return "by NPMI from the top: " + "; ".join(
        f"{r['a_en']} and {r['b_en']}, {count(r['n_both'])} statements, {r['ratio']:.1f} times chance" for _, r in rows)


def cooccurrence_matrix(cooccurrence: pd.DataFrame, *, names: Names, year: int = ALL_YEARS, region: str = "all",
                        themes: Sequence[str] | None = None, title: Bilingual | None = None,
                        stem: str = "cooccurrence_matrix", **finishing) -> FigureCard:
    """Which themes stand in one statement more or less often than by chance: a lower triangle.

    Args:
        cooccurrence: as `measures.cooccurrence` returns it, best made from `measures.complete_pairs`.
        year, region: the slice.
        themes: which; pairs of them.
    """
    cooccurrence = _chosen(cooccurrence, theme_a=themes, theme_b=themes)
    data = _pair_frame(cooccurrence, names, year, region)[list(_PAIR_PLOT_COLUMNS)]
    themes = names.theme_order(set(data["theme_a"]) | set(data["theme_b"]))
    years = _years_of(cooccurrence) if year == ALL_YEARS and "year" in cooccurrence else [year]
    shared = dict(stem=stem, data=data, columns=_PAIR_PLOT_COLUMNS, unit={"zh": "NPMI", "en": "NPMI"},
                  period=_period(years), **finishing)
    supported = data[data["supported"]]
    if len(themes) < 3 or supported.empty:
        return _too_little({"zh": "同句出现的主题对太少，不画共现矩阵。",
                            "en": "Too few themes stand together in a statement for a matrix."}, title=title, **shared)
    n = _n_statements(cooccurrence, year, region)
    tied = _tied(data)
    automatic = {lang: _closest_words(tied, lang) for lang in figures.LANGS} if len(tied) else {
        "zh": "没有一对主题的同句次数明显多于偶然", "en": "No pair of themes stands together clearly more often than "
                                                          "by chance"}
    apart = data[data["supported"] & (data["q_fewer"] < 0.05)]
    alt = {"zh": f"下三角矩阵，{len(themes)}个主题两两同句的次数与预期之比，{year_span(years, 'zh')}；"
                 f"达到最低支持的有{len(supported)}对，其中{len(tied)}对明显多于偶然，{len(apart)}对明显少于偶然。"
                 f"{_pair_alt(tied, 'zh')}。",
           "en": f"Lower triangle of {len(themes)} themes: how often each two stand in one statement, against chance, "
                 f"{year_span(years, 'en')}. {len(supported)} pairs are supported, {len(tied)} of them clearly more "
                 f"and {len(apart)} clearly less frequent than by chance; {_pair_alt(tied, 'en')}."}
    limit = 0.5
    # A small sheet shows the themes of clear pairs, the closest first, then those in most statements.
    seen = pd.concat([data[["theme_a", "n_a"]].set_axis(["theme", "n"], axis=1),
                      data[["theme_b", "n_b"]].set_axis(["theme", "n"], axis=1)]).groupby("theme")["n"].max()
    weight = list(dict.fromkeys([*tied[["theme_a", "theme_b"]].to_numpy().ravel(),
                                 *seen.sort_values(ascending=False, kind="stable").index]))

    def draw(figure, lang, everything=themes):
        width, whole = size_inches(figure)
        room = rows_that_fit(figure, len(everything), pitch=0.155, around=0.22)
        themes = names.theme_order(weight[:max(room, 3)]) if room < len(everything) else everything
        place = {t: i for i, t in enumerate(themes)}
        n_all, n_shown = len(everything), len(themes)
        note = "" if n_all == n_shown else (
            f"画出{n_all}个主题中的{n_shown}个：先取明显多于偶然的，再取语句多的" if lang == "zh" else
            f"{n_shown} of {n_all} themes: those of clear pairs, then of most statements")
        foot = write_groups(figure, names, themes, lang, note)
        height = whole - foot
        size = min(8.2, (height / len(themes)) * 72 * 0.8)
        right = max(0.3, label_margin([names.theme(t, lang) for t in themes], size) - 0.1)
        axes = add_axes(figure, right=right, left=0.02, bottom=foot + 0.02, top=0.02)
        axes.set_xlim(-0.5, len(themes) - 0.5)
        axes.set_ylim(len(themes) - 0.5, -0.5)
        pitch = (width - right - 0.04) / len(themes) * 72
        number = min(7.5, pitch * 0.5, (height / len(themes)) * 72 * 0.72)
        x, y, colours, numbers = [], [], [], []
        for r in data[data["theme_a"].isin(themes) & data["theme_b"].isin(themes)].itertuples():
            i, j = sorted((place[r.theme_a], place[r.theme_b]), reverse=True)
            x.append(j)
            y.append(i)
            if not r.supported or not np.isfinite(r.npmi):
                colours.append("#F3F0EB")
                continue
            clear = r.q_more < 0.05 if r.npmi > 0 else r.q_fewer < 0.05
            colour = diverging_tint(r.npmi, limit) if clear else tint(NEUTRAL, 0.25)
            colours.append(colour)
            if r.n_both or clear:
                numbers.append((j, i, str(r.n_both), figures.ink_on(colour) if clear else INK))
        fill_cells(axes, x, y, colours, width=0.93, height=0.9)
        if numbers and number >= 4.5:
            xs, ys, texts, inks = zip(*numbers, strict=True)
            figures.add_numbers(axes, xs, ys, texts, number, inks)
        for theme, i in place.items():
            write(axes, (i - 0.42, i), names.theme(theme, lang), size, color=names.group_colour(theme))
        key = [(diverging_tint(v, limit), text, {}) for v, text in (
            (0.5, "远多于偶然" if lang == "zh" else "far more than chance"),
            (0.18, "多于偶然" if lang == "zh" else "more than chance"),
            (-0.18, "少于偶然" if lang == "zh" else "less than chance"),
            (-0.5, "远少于偶然" if lang == "zh" else "far less than chance"))
               if len(tied if v > 0 else apart)]
        key += [(tint(NEUTRAL, 0.25), "与偶然难分" if lang == "zh" else "may be chance", {}),
                ("#F3F0EB", f"预期与实际都不足{measures.MIN_SUPPORT}次" if lang == "zh" else
                 f"fewer than {measures.MIN_SUPPORT} seen or expected", {})]
        words = max(text_width(text, 8) for _, text, _ in key)
        draw_key(figure, width - words - 0.3, 0.05, "同句次数（数字）" if lang == "zh" else "Statements with both", key)

    return figures.finish(
        draw, title=title or _sliced(automatic, names, year=year, region=region),
        n=n, alt=alt, height=max(0.2 * len(themes) + 0.5, 2.2),
        subtitle={"zh": f"两个主题同在一句的次数及其与偶然之比，{_slice_words(year, region, names, years, 'zh')}；"
                        f"n={count(n)}条语句",
                  "en": "Statements with both themes, against chance, "
                        f"{_slice_words(year, region, names, years, 'en')}; n = {count(n)} statements"},
        how_to_read={"zh": "要看两个主题的关系，从较下面的主题向左、从较上面的主题向下，相交的一格就是。"
                           "数字是同在一句的语句数；紫色多于偶然，褐色少于偶然，颜色越深差得越远（NPMI，到正负0.5为止）；"
                           "灰色与偶然难分（假发现率5%）。",
                     "en": "For two themes, go left from the lower one and down from the upper one to where they "
                           "meet. The number is of statements with both; indigo is more than chance, ochre less, the "
                           "darker the further from it (NPMI, up to 0.5 either way); grey may be chance (false "
                           "discovery rate 5%)."},
        **shared)


def _n_statements(frame: pd.DataFrame, year: int, region: str) -> int:
    """The statements of a slice, from a frame of pairs."""
    if "year" in frame:
        frame = frame[frame["year"] == year]
    if "region" in frame:
        frame = frame[frame["region"] == region]
    return int(frame["n_statements"].max()) if len(frame) else 0


def cooccurrence_network(cooccurrence: pd.DataFrame, *, names: Names, year: int = ALL_YEARS, region: str = "all",
                         themes: Sequence[str] | None = None, title: Bilingual | None = None,
                         stem: str = "cooccurrence_network", **finishing) -> FigureCard:
    """Themes that stand together more often than by chance, as a network. Under that of all years stands a small one
    for each year, with the same places.

    Args:
        cooccurrence: as `measures.cooccurrence` returns it for `measures.complete_pairs`; the slice of all years
            gives the places.
        year, region: the slice whose ties are drawn.
        themes: which; ties between them.
    """
    cooccurrence = _chosen(cooccurrence, theme_a=themes, theme_b=themes)
    from . import networks

    everything = _pair_frame(cooccurrence, names, ALL_YEARS, region)
    frame = _pair_frame(cooccurrence, names, year, region)
    years = _years_of(cooccurrence) if year == ALL_YEARS and "year" in cooccurrence else [year]
    tied = _tied(frame)
    single = years if year == ALL_YEARS and len(years) > 1 else []
    of_year = {y: _tied(_pair_frame(cooccurrence, names, y, region)) for y in single}
    columns = {"year": {"zh": "年度（-1为合计）", "en": "year (-1: all together)"}, **_PAIR_PLOT_COLUMNS}
    data = pd.concat([part.assign(year=y) for y, part in {year: tied, **of_year}.items()], ignore_index=True)
    data = data[list(columns)]
    shared = dict(stem=stem, data=data, columns=columns, unit={"zh": "NPMI", "en": "NPMI"},
                  period=_period(years), **finishing)
    if len(tied) < 2:
        return _too_little({"zh": "明显多于偶然的主题对不足两对，不成网络。",
                            "en": "Fewer than two pairs of themes are together clearly more often than by chance: no "
                                  "network."}, title=title, **shared)
    layout = networks.network_layout(everything if len(everything) else frame)
    graph = networks.cooccurrence_graph(frame)
    nodes, edges = networks.node_edge_frames(graph, networks.consensus_communities(graph), layout)
    n = _n_statements(cooccurrence, year, region)
    hub = nodes.sort_values(["degree", "strength", "node"], ascending=[False, False, True]).iloc[0]
    linked = nodes[nodes["degree"] > 0]
    groups = sorted((list(part["node"]) for _, part in linked.groupby("community")), key=lambda g: (-len(g), g))
    n_groups = sum(len(group) > 1 for group in groups)
    # What the network shows is clusters; which pair is closest is for the matrix, with intervals, to say.
    automatic = {"zh": f"{len(edges)}对主题常在一起说，"
                       + (f"连起的{len(linked)}个主题分成{n_groups}簇" if n_groups > 1 else
                          f"把{len(linked)}个主题连在一起"),
                 "en": f"{len(edges)} pairs of themes go together and link {len(linked)} themes"
                       + f" in {n_groups} clusters" * (n_groups > 1)}

    def group_words(lang):
        return ("；" if lang == "zh" else "; ").join(
            ("、" if lang == "zh" else ", ").join(names.theme(t, lang) for t in names.theme_order(group))
            for group in groups if len(group) > 1)

    alt = {"zh": f"网络图，{year_span(years, 'zh')}，{len(linked)}个主题之间有{len(edges)}条连线，"
                 f"每条表示同句次数明显多于偶然。{_pair_alt(tied, 'zh')}。"
                 f"连线最多的是{names.theme(hub['node'], 'zh')}，{hub['degree']}条。常在一起说的主题结成几簇："
                 f"{group_words('zh')}。",
           "en": f"Network, {year_span(years, 'en')}: {len(edges)} ties among {len(linked)} themes, each together in "
                 f"statements clearly more often than by chance; {_pair_alt(tied, 'en')}. "
                 f"{names.theme(hub['node'], 'en')} has most ties, {hub['degree']}. Clusters: "
                 f"{group_words('en')}."}
    if single:
        alt["zh"] += "各年自己的连线：" + "，".join(f"{y}年{len(part)}条" for y, part in of_year.items()) + "。"
        alt["en"] += " Ties of single years: " + ", ".join(f"{y}, {len(part)}" for y, part in of_year.items()) + "."

    def draw_years(axes, foot, fractions, lang):
        """A small network for each year in the strip of `foot` points below 0; `fractions` are the places in 0..1."""
        from matplotlib.collections import LineCollection

        cell = axes.get_xlim()[1] / len(single)
        ties, dots, tints, tied = [], [], [], []
        for k, part in enumerate(of_year.values()):
            corner, room = np.array([(k + 0.12) * cell, 4 - foot]), np.array([0.76 * cell, foot - 24])
            at = {t: corner + xy * room for t, xy in fractions.items()}
            ends = set(part["theme_a"]) | set(part["theme_b"])
            ties += [(at[r.theme_a], at[r.theme_b]) for r in part.itertuples()]
            dots += list(at.values())
            tied += [t in ends for t in at]
            tints += [names.colour(t) for t in at]
            axes.text((k + 0.5) * cell, -13, f"{single[k]}年" if lang == "zh" else str(single[k]), fontsize=7.5,
                      ha="center", color=SOFT_INK)
        axes.add_collection(LineCollection(ties, colors="#8A847B", linewidths=1.0, zorder=1))
        dots, tied = np.array(dots), np.array(tied)
        axes.scatter(*dots[~tied].T, s=6, c="#D6D1C9", linewidths=0, zorder=0.5)
        axes.scatter(*dots[tied].T, s=6, c=[tint for tint, t in zip(tints, tied, strict=True) if t], linewidths=0,
                     zorder=2)

    def draw(figure, lang):
        width, height = size_inches(figure)
        axes = add_axes(figure)
        w, whole = width * 72, height * 72
        foot = min(0.2 * whole, 76.0) if single else 0.0
        h = whole - foot
        axes.set_xlim(0, w)
        axes.set_ylim(-foot, h)
        size = 8.0
        labels = [names.theme(t, lang) for t in nodes["node"]]
        peak = max(float(nodes["n"].max()), 1)
        radii = 3 + min(h * 0.035, 11) * np.sqrt(nodes["n"].to_numpy(float) / peak)
        margin = np.array([min(0.17 * w, 72 * max(text_width(t, size) for t in labels) + 12), 22])
        xy = nodes[["x", "y"]].to_numpy(float)
        low, high = xy.min(axis=0), xy.max(axis=0)
        spread = np.where(high - low > 1e-9, high - low, 1)
        at = {node: i for i, node in enumerate(nodes["node"])}
        ties = [(at[e.node_a], at[e.node_b]) for e in edges.itertuples()]
        points = margin + (xy - low) / spread * (np.array([w, h]) - 2 * margin)
        points = np.clip(keep_apart(points, radii, ties, (0.12 * w, 1.7 * size)), radii[:, None] + 1,
                         np.array([w, h]) - radii[:, None] - 1)
        strongest = max(float(edges["npmi"].max()), 1e-9)
        strength = edges["npmi"].to_numpy(float) / strongest
        thick = 0.6 + 3.4 * strength**1.5
        segments = points[np.array(ties)]
        for (a, b), share, wide, e in zip(segments, strength, thick, edges.itertuples(), strict=True):
            axes.plot([a[0], b[0]], [a[1], b[1]], color=tint("#5B554D", 0.6 + 0.3 * share), zorder=1,
                      linewidth=wide, solid_capstyle="round", linestyle="-" if e.within else ":")
        tied_node = nodes["degree"].to_numpy() > 0
        colours = [names.colour(t) if d else UNCLEAR for t, d in zip(nodes["node"], tied_node, strict=True)]
        axes.scatter(points[:, 0], points[:, 1], s=(2 * radii) ** 2, c=colours, edgecolors=PAPER, linewidths=1.2,
                     zorder=2)
        sizes = np.array([(text_width(t, size) * 72, size * 1.0) for t in labels])
        order = sorted(range(len(nodes)), key=lambda i: (not tied_node[i], -nodes["n"].iloc[i], nodes["node"].iloc[i]))
        placed = place_labels(points, radii, sizes, (0, 0, w, h), order, segments, thick, reach=45)
        write_placed(axes, placed, labels, np.full(len(labels), size),
                     [INK if tied else QUIET_INK for tied in tied_node])
        if single:
            draw_years(axes, foot, dict(zip(nodes["node"], (points - margin) / (np.array([w, h]) - 2 * margin),
                                            strict=True)), lang)

    return figures.finish(
        draw, title=title or _sliced(automatic, names, year=year, region=region),
        n=n, alt=alt, height=5.0 + (0.7 if single else 0),
        subtitle={"zh": f"同句次数明显多于偶然的主题对，{_slice_words(year, region, names, years, 'zh')}；"
                        f"n={count(n)}条语句，{len(edges)}条连线，假发现率5%",
                  "en": "Pairs of themes together clearly more often than by chance, "
                        f"{_slice_words(year, region, names, years, 'en')}; n = {count(n)} statements, {len(edges)} "
                        "ties, false discovery rate 5%"},
        how_to_read={"zh": "圆的大小是涉及该主题的语句数，同组主题的颜色相近；连线越粗，两个主题在同一句中结合越紧"
                           "（NPMI）；实线在同一簇之内（簇由算法多次运行取一致的结果），点线跨簇。"
                           "灰色的主题没有连线。"
                           "位置由各年合计算出，各年的图可以对照" + ("：下排是各年自己的连线。" if single else "。"),
                     "en": "A circle’s size is the statements with the theme; themes of one group have similar "
                           "colours; the thicker a tie, the closer two themes go together in statements (NPMI); a "
                           "solid one is within a cluster on which many runs of the algorithm agree, a dotted one "
                           "between clusters. Grey themes have no tie. Places come from all years together, so years "
                           "can be compared" + (": below are the ties of single years." if single else ".")},
        **shared)


def cooccurrence_change(change: pd.DataFrame, *, names: Names, year_a: int, year_b: int, n_top: int = 14,
                        themes: Sequence[str] | None = None, title: Bilingual | None = None,
                        stem: str = "cooccurrence_change", **finishing) -> FigureCard:
    """How the tie of pairs of themes changed between two years, with intervals. A pair is called closer or looser only
    where the change stands up to correction for many comparisons, the count of shared statements went the same way,
    and the larger count is `measures.MIN_SUPPORT` or more. No filter of years or regions: the two slices are chosen
    where the frame is made.

    Args:
        change: as `measures.cooccurrence_difference` returns it, the later year as slice B.
        year_a, year_b: the earlier and the later year: what the slices are called.
        themes: which; pairs of them.
        n_top: pairs shown, clear ones first, then those that share most statements.
    """
    change = _chosen(change, theme_a=themes, theme_b=themes)
    frame = change[change["supported"]].copy()
    for side in "ab":
        for lang in figures.LANGS:
            frame[f"{side}_{lang}"] = [names.theme(t, lang) for t in frame[f"theme_{side}"]]
    # Ties are relative to how common each theme is, so that counts may go the other way: then nothing is claimed.
    same_way = np.sign(frame["n_both_b"] - frame["n_both_a"]) == np.sign(frame["difference"])
    seen = frame[["n_both_a", "n_both_b"]].max(axis=1) >= measures.MIN_SUPPORT
    frame["clear"] = (frame["q"] < 0.05) & same_way & seen
    frame["_rank"] = np.where(frame["clear"], frame["difference"].abs(), frame["n_both_a"] + frame["n_both_b"])
    frame = frame.sort_values(["clear", "_rank", "theme_a", "theme_b"], ascending=[False, False, True, True])
    data = frame.head(n_top).reset_index(drop=True)
    columns = {**{k: _PAIR_PLOT_COLUMNS[k] for k in ("theme_a", "theme_b", "a_zh", "b_zh", "a_en", "b_en")},
               "n_both_a": {"zh": f"{year_a}年同句次数", "en": f"statements with both, {year_a}"},
               "n_both_b": {"zh": f"{year_b}年同句次数", "en": f"statements with both, {year_b}"},
               "difference": {"zh": "对数几率比之差", "en": "difference of the log odds ratios"},
               "low": {"zh": "95%区间下限", "en": "95% interval, lower"},
               "high": {"zh": "95%区间上限", "en": "95% interval, upper"},
               "q": {"zh": "假发现率q值", "en": "false discovery rate q"},
               "clear": {"zh": "称作更紧或更松", "en": "called closer or looser"}}
    shared = dict(stem=stem, data=data, columns=columns, unit={"zh": "倍", "en": "ratio"},
                  period=_period([year_a, year_b]), **finishing)
    if data.empty:
        return _too_little({"zh": f"{year_a}年和{year_b}年之间，没有哪对主题的材料够比较。",
                            "en": f"No pair of themes has enough material to compare {year_a} with {year_b}."},
                           title=title, **shared)
    closer = frame[frame["clear"] & (frame["difference"] > 0)]
    looser = frame[frame["clear"] & (frame["difference"] < 0)]

    def pair(r, lang):
        return f"“{r['a_zh']}”和“{r['b_zh']}”" if lang == "zh" else f"“{r['a_en']}” and “{r['b_en']}”"

    if len(closer) or len(looser):
        some = {lang: [] for lang in figures.LANGS}
        if len(closer):
            more = f"等{len(closer)}对主题" if len(closer) > 1 else ""
            some["zh"].append(f"{pair(closer.iloc[0], 'zh')}{more}结合更紧")
            some["en"].append(f"{pair(closer.iloc[0], 'en')}"
                              + (f" and {len(closer) - 1} more pairs" if len(closer) > 1 else "") + " drew closer")
        if len(looser):
            more = f"等{len(looser)}对主题" if len(looser) > 1 else ""
            some["zh"].append(f"{pair(looser.iloc[0], 'zh')}{more}结合变松")
            some["en"].append(f"{pair(looser.iloc[0], 'en')}"
                              + (f" and {len(looser) - 1} more pairs" if len(looser) > 1 else "") + " drew apart")
        automatic = {"zh": f"从{year_a}年到{year_b}年，" + "，".join(some["zh"]),
                     "en": f"From {year_a} to {year_b}, " + "; ".join(some["en"])}
    else:
        automatic = {"zh": f"从{year_a}年到{year_b}年，材料分不出哪对主题结合变紧或变松",
                     "en": f"From {year_a} to {year_b} the material cannot tell any two themes drawing closer or apart"}

    def counted(lang):
        form = "{a}与{b}由{x}次到{y}次" if lang == "zh" else "{a} and {b}, {x} to {y}"
        return ("；" if lang == "zh" else "; ").join(
            form.format(a=r[f"a_{lang}"], b=r[f"b_{lang}"], x=count(r["n_both_a"]), y=count(r["n_both_b"]))
            for _, r in data.head(5).iterrows())

    alt = {"zh": f"点图，{year_a}年到{year_b}年，主题两两结合程度的变化（相对于各自在当年出现多少），"
                 f"至多画{len(data)}对；"
                 f"{len(closer)}对更紧，{len(looser)}对更松，其余不作判断。同句次数：{counted('zh')}。",
           "en": f"Dot chart of the change in the tie of at most {len(data)} pairs of themes from {year_a} to {year_b},"
                 f" relative to how common each theme is in the year; {len(closer)} closer, {len(looser)} looser, no "
                 f"claim for the others. Statements with both: {counted('en')}."}

    def draw(figure, lang, everything=data):
        width, _ = size_inches(figure)
        shown = everything.head(rows_that_fit(figure, len(everything), pitch=0.19, around=0.65))
        shown = shown.sort_values(["clear", "difference", "theme_a"], ascending=[False, False, True])
        joint = " × "
        labels = [f"{r[f'a_{lang}']}{joint}{r[f'b_{lang}']}" for _, r in shown.iterrows()]
        size = min(8.5, 8.5 * 0.58 * width / max(text_width(t, 8.5) for t in labels))
        column = text_width("2026年" if lang == "zh" else "2026", 8) + 0.14
        axes = add_axes(figure, left=label_margin(labels, size), right=2 * column, top=0.26, bottom=0.26)
        scale = shown[["difference", "low", "high"]].to_numpy(float) / np.log(2)
        reach = min(float(np.nanmax(np.abs(scale))), 1.6 * float(np.nanmax(np.abs(scale[:, 0]))) + 0.5)
        both_kinds = shown["clear"].nunique() > 1
        rows = np.arange(len(shown)) + np.where(both_kinds & ~shown["clear"], 0.5, 0)
        axes.set_xlim(-reach, reach)
        axes.set_ylim(rows[-1] + 0.6, -0.6)
        step = next((s for s in (1, 2, 3, 4, 6, 8) if reach / s < 3.2), int(np.ceil(reach / 3)))
        ticks = [t for t in range(-3 * step, 3 * step + 1, step) if abs(t) <= reach]
        write_scale(axes, ticks, [f"{2 ** abs(t)}×" if t else ("同" if lang == "zh" else "same") for t in ticks])
        axes.axvline(0, color=UNCLEAR, linewidth=0.7)
        colours = [(LATER if d > 0 else EARLIER) if c else UNCLEAR
                   for d, c in zip(shown["difference"], shown["clear"], strict=True)]
        axes.hlines(rows, np.clip(scale[:, 1], -reach, reach), np.clip(scale[:, 2], -reach, reach),
                    colors=[pale(c) for c in colours], linewidth=1.4)
        mark_beyond(axes, rows, scale[:, 1], scale[:, 2], [pale(c) for c in colours])
        axes.scatter(scale[:, 0], rows, c=colours, s=22, zorder=3)
        write_rows(axes, rows, labels, size)
        words = ("← 几率比变小", "几率比变大 →") if lang == "zh" else ("← lower odds ratio", "higher →")
        write(axes, (0, 1), words[0], 8, at="axes", shift=(0, 5), va="baseline", color=SOFT_INK)
        write(axes, (1, 1), words[1], 8, at="axes", shift=(0, 5), ha="right", va="baseline", color=SOFT_INK)
        for k, (year, name) in enumerate(((year_a, "n_both_a"), (year_b, "n_both_b"))):
            x = (k + 1) * column * 72 - 2
            write(axes, (1, 1), f"{year}年" if lang == "zh" else str(year), 8, at="axes", shift=(x, 5), ha="right",
                  va="baseline", color=SOFT_INK)
            for row, value in zip(rows, shown[name], strict=True):
                write(axes, (1, row), count(value), 8, at="right", shift=(x, 0), ha="right", color=SOFT_INK)
        write_more(axes, len(everything) - len(shown), lang, len(everything), {
            "zh": "变化明显的和同句最多的", "en": "clear changes, then most shared statements"})

    colours = {"zh": "紫为更紧，" * bool(len(closer)) + "褐为更松，" * bool(len(looser)) + "灰不作判断",
               "en": "indigo: closer, " * bool(len(closer)) + "ochre: looser, " * bool(len(looser)) + "grey: no claim"}
    n = int(data["n_both_a"].sum() + data["n_both_b"].sum())
    return figures.finish(
        draw, title=title or automatic, n=n, alt=alt, height=0.2 * len(data) + 0.6,
        subtitle={"zh": f"{year_b}年与{year_a}年两个主题同句的几率比之比（倍）与95%区间，即相对于各自在当年出现多少；"
                        f"右列为同句次数，n={count(n)}次；{colours['zh']}",
                  "en": f"Ratio of the odds ratios of sharing a statement, {year_b} against {year_a}, relative to how "
                        "common each theme is in the year, with 95% intervals; at the right statements with both, n = "
                        f"{count(n)} in all; {colours['en']}"},
        how_to_read={"zh": "点在右边，相对于两个主题各自在当年出现多少，后一年比前一年更常同句出现；在左边，则更少。"
                           "主题本身的多少也在变，所以同句次数的增减可能与此相反。横线是95%区间，带箭头的一端伸出图外。"
                           f"只有经多重比较校正仍明显、次数同向增减、一年里至少同句{measures.MIN_SUPPORT}次的，"
                           "才称更紧或更松；其余画成灰色，不作判断。",
                     "en": "A dot at the right: relative to how common each theme is in the year, the two stand "
                           "together more in the later year; at the left, less. Counts may go the other way, since "
                           "themes themselves come and go. The line is the 95% interval, with an arrow where it goes "
                           "on beyond the chart. A pair is called closer or looser only where the change stands up to "
                           "correction for many comparisons, the count went the same way, and one year has at least "
                           f"{measures.MIN_SUPPORT} shared statements; all others are grey."},
        **shared)


# ---- regions --------------------------------------------------------------------------------------------------------


def correspondence(table: pd.DataFrame, *, names: Names, themes: Sequence[str] | None = None,
                   regions: Sequence[str] | None = None, slices: pd.DataFrame | None = None,
                   title: Bilingual | None = None, stem: str = "correspondence", period: str = "–",
                   **finishing) -> FigureCard:
    """Regions and themes in one plane, by correspondence analysis. No filter of years: the table counts those it was
    made from.

    Args:
        table: counts, regions × themes, as `measures.region_table` returns it; thin regions are left out where
            `slices` tells them, else do so first. Themes with under `measures.MIN_SUPPORT` codings in it are left out.
        themes, regions: which the analysis is made of.
        slices: table of the build; regions that are thin in all years together are left out, and named.
        period: years covered.
    """
    table = _chosen_cells(table, regions, themes)
    left_out = _thin_regions(slices, names, regions) if slices is not None else []
    table = table.loc[~table.index.isin(left_out)]
    said = table.sum(axis=0)
    rare = names.theme_order(said.index[(said > 0) & (said < measures.MIN_SUPPORT)])
    columns = {"name": {"zh": "地区或主题", "en": "region or theme"},
               "name_zh": {"zh": "名称", "en": "name in Chinese"},
               "name_en": {"zh": "英文名", "en": "name"},
               "kind": {"zh": "类别：region地区，theme主题", "en": "kind: region or theme"},
               "n": {"zh": "归类次数", "en": "codings"}, "axis_1": {"zh": "第一轴坐标", "en": "first axis"},
               "axis_2": {"zh": "第二轴坐标", "en": "second axis"},
               "quality": {"zh": "两轴所示的份额", "en": "share shown by the two axes", "unit": "%"},
               "contribution": {"zh": "对两轴的贡献", "en": "contribution to the two axes", "unit": "%"},
               "contribution_1": {"zh": "对第一轴的贡献", "en": "contribution to the first axis", "unit": "%"}}
    filled = table.loc[:, said >= measures.MIN_SUPPORT]
    filled = filled.loc[filled.sum(axis=1) > 0]
    unit = {"zh": "标准坐标", "en": "coordinates"}
    if min(filled.shape, default=0) < 3:
        return _too_little({"zh": "有材料的地区或主题不足三个，不做对应分析。",
                            "en": "Fewer than three regions or themes hold material: no correspondence analysis."},
                           stem=stem, title=title, data=pd.DataFrame(columns=list(columns)), columns=columns, unit=unit,
                           period=period, **finishing)
    analysis = measures.correspondence_analysis(filled)
    explained = [float(x) for x in analysis.explained * 100]
    parts = []
    for kind, places, quality, contribution, totals in (
            ("theme", analysis.columns, analysis.column_quality, analysis.column_contributions, filled.sum(axis=0)),
            ("region", analysis.rows, analysis.row_quality, analysis.row_contributions, filled.sum(axis=1))):
        part = places.rename_axis("name").reset_index()
        part["kind"], part["n"] = kind, totals.reindex(part["name"]).to_numpy()
        part["quality"] = quality.sum(axis=1).to_numpy() * 100
        weighted = (contribution * analysis.explained).sum(axis=1).to_numpy()
        part["contribution"] = weighted / analysis.explained.sum() * 100
        part["contribution_1"] = contribution.iloc[:, 0].to_numpy() * 100
        name = names.theme if kind == "theme" else names.region
        for lang in figures.LANGS:
            part[f"name_{lang}"] = [name(x, lang) for x in part["name"]]
        parts.append(part)
    data = pd.concat(parts, ignore_index=True)[list(columns)]
    shared = dict(stem=stem, data=data, columns=columns, unit=unit, period=period, **finishing)
    themes, regions = data[data["kind"] == "theme"], data[data["kind"] == "region"]

    def pole(side):
        """The theme that says most of the first axis on one side of it, of those with enough codings if there are."""
        ranked = themes[np.sign(themes["axis_1"]) == side].sort_values(["contribution_1", "name"],
                                                                       ascending=[False, True])
        enough = ranked[ranked["n"] >= measures.MIN_STATEMENTS]
        return (enough if len(enough) else ranked).iloc[0]

    left, right = pole(-1), pole(1)
    automatic = {"zh": f"最大的分野，一端是“{left['name_zh']}”，一端是“{right['name_zh']}”",
                 "en": f"The main divide runs from “{left['name_en']}” to “{right['name_en']}”"}
    if explained[0] < 100 / 3:
        automatic = {"zh": f"{automatic['zh']}，但只占差异的{percent(explained[0])}",
                     "en": f"{automatic['en']}, but shows only {percent(explained[0])} of the differences"}
    absent = _left_out(left_out, names)
    rare_said = {"zh": "", "en": ""} if not rare else {
        "zh": f"归类不足{measures.MIN_SUPPORT}次的主题也不画：{'、'.join(names.theme(t, 'zh') for t in rare)}。",
        "en": f" Themes with under {measures.MIN_SUPPORT} codings are left out too: "
              f"{', '.join(names.theme(t, 'en') for t in rare)}."}
    total = sum(explained)
    by_side = {side: regions[np.sign(regions["axis_1"]) == side].sort_values("contribution_1", ascending=False,
                                                                             kind="stable").head(3) for side in (-1, 1)}
    alt = {"zh": f"散点图，对应分析，{len(regions)}个地区和{len(themes)}个主题；两轴合计显示{percent(total)}的差异（第"
                 f"一轴{percent(explained[0])}，第二轴{percent(explained[1])}）。第一轴的一端是{left['name_zh']}，"
                 f"靠近的地区有{listing(list(by_side[-1]['name_zh']), 'zh')}；另一端是{right['name_zh']}，"
                 f"靠近的地区有{listing(list(by_side[1]['name_zh']), 'zh')}。{absent['zh']}",
           "en": f"Scatter plot of a correspondence analysis of {len(regions)} regions and {len(themes)} themes; the "
                 f"two axes show {percent(total)} of the differences (first {percent(explained[0])}, second "
                 f"{percent(explained[1])}). The first axis runs from {left['name_en']}, near "
                 f"{listing(list(by_side[-1]['name_en']), 'en')}, to {right['name_en']}, near "
                 f"{listing(list(by_side[1]['name_en']), 'en')}.{absent['en']}"}

    def note(lang, hidden):
        words = (f"横轴显示{percent(explained[0])}的差异，纵轴{percent(explained[1])}；圆点为主题，方点为地区"
                 if lang == "zh" else
                 f"Across: {percent(explained[0])} of the differences; up: {percent(explained[1])}. Dots are themes, "
                 "squares regions")
        if not hidden:
            return words
        return words + (f"；标出{len(data) - hidden}个名称：最能分左右的两个和离原点最远的，另{hidden}个见数据表"
                        if lang == "zh" else
                        f". {len(data) - hidden} names: the two that most set left and right apart and those furthest "
                        f"from the origin; the other {hidden} are in the data")

    xy = data[["axis_1", "axis_2"]].to_numpy(float)
    is_theme = (data["kind"] == "theme").to_numpy()
    far = data.assign(_end=~data.index.isin([left.name, right.name]), _far=np.hypot(*xy.T))
    order = list(far.sort_values(["_end", "_far", "name"], ascending=[True, False, True]).index)

    def all_named(points, sizes, w, h) -> dict | None:
        """Places for all names; None where they cannot all stand."""
        choices: dict = {}
        for turn in (order, order[::-1], list(data.sort_values("contribution", ascending=False, kind="stable").index)):
            found = place_labels(points, np.full(len(data), 2.8), sizes, (0, 0, w, h), turn, reach=100,
                                 choices=choices)
            if len(found) == len(data):
                return found
        return None

    def named(points, sizes, w, h) -> dict:
        """Places for as many names as can all stand, in `order`: the two poles, then from the outside in."""
        best, least, most, choices = {}, 0, len(order), {}
        while most - least > 1:
            middle = (least + most) // 2
            found = place_labels(points, np.full(len(data), 2.8), sizes, (0, 0, w, h), order[:middle], reach=100,
                                 choices=choices)
            best, least, most = (found, middle, most) if len(found) == middle else (best, least, middle)
        return best

    def draw(figure, lang):
        width, height = size_inches(figure)
        labels = list(data[f"name_{lang}"])
        sizes_pt = np.where(is_theme, 8.2, 8.0)
        sizes = np.array([(text_width(t, z) * 72, z) for t, z in zip(labels, sizes_pt, strict=True)])
        # One unit is as long upwards as across: distances in the plane mean something.
        low, high = np.minimum(xy.min(axis=0), 0), np.maximum(xy.max(axis=0), 0)
        for hidden in (0, 99):  # a note of names left out may need a line more
            foot = 0.05 + 0.13 * figures.n_lines(note(lang, hidden), width, 7.5)
            w, h = width * 72, (height - foot) * 72
            scale = min((w - 130) / max(high[0] - low[0], 1e-9), (h - 30) / max(high[1] - low[1], 1e-9))
            centre = np.array([w, h]) / 2 - (low + high) / 2 * scale
            points = xy * scale + centre
            placed = named(points, sizes, w, h) if hidden else all_named(points, sizes, w, h)
            if placed is not None:
                break
        axes = add_axes(figure, bottom=foot)
        axes.set_xlim(0, w)
        axes.set_ylim(0, h)
        axes.plot([0, w], [centre[1]] * 2, color=GRID, linewidth=0.8, zorder=0)
        axes.plot([centre[0]] * 2, [0, h], color=GRID, linewidth=0.8, zorder=0)
        colours = [names.colour(x) if t else UNCLEAR for x, t in zip(data["name"], is_theme, strict=True)]
        axes.scatter(*points[is_theme].T, s=26, c=[c for c, t in zip(colours, is_theme, strict=True) if t], zorder=2)
        axes.scatter(*points[~is_theme].T, s=16, marker="s", c=UNCLEAR, zorder=2)
        write_placed(axes, placed, labels, sizes_pt,
                     [INK if theme else QUIET_INK for theme in is_theme])
        for k, line in enumerate(figures.wrap(note(lang, len(data) - len(placed)), width, 7.5).split("\n")):
            write(axes, (0, 0), line, 7.5, at="axes", shift=(0, -4 - 9.4 * k), va="top", color=QUIET_INK)

    n = int(filled.to_numpy().sum())
    return figures.finish(
        draw, title=title or automatic, n=n, alt=alt, height=5.2,
        subtitle={"zh": f"地区与主题的对应分析，两轴显示差异的{percent(total)}；n={count(n)}次归类，"
                        f"{len(regions)}个地区"
                        + f"，另有{len(left_out)}个材料偏少，不比较" * bool(left_out)
                        + f"；{len(rare)}个主题归类不足{measures.MIN_SUPPORT}次，不画" * bool(rare),
                  "en": f"Correspondence analysis; the axes show {percent(total)} of the differences; n = {count(n)} "
                        f"codings, {len(regions)} regions"
                        + f"; {len(left_out)} with too little material are left out" * bool(left_out)
                        + (f"{', as' if left_out else ';'} {'is' if len(rare) == 1 else 'are'} {len(rare)} "
                           f"theme{'' if len(rare) == 1 else 's'} with under {measures.MIN_SUPPORT} codings")
                        * bool(rare)
                        + " left out" * bool(rare and not left_out)},
        how_to_read={"zh": "离得近的地区，谈的主题相近；地区偏向哪个主题，就落在从原点看去的那个方向；"
                           "靠近原点的与平均相差不多。两轴没有显示的差异，图上看不到。"
                           "名称放不下时，先标最能分左右的两个主题，再由外到内；没有名称的点离平均较近，见数据表。"
                           f"{absent['zh']}{rare_said['zh']}",
                     "en": "Regions near each other speak of similar themes; a region lies in the direction, seen from "
                           "the origin, of the themes it favours; near the origin is near the average. Differences "
                           "the axes do not show cannot be seen here. Where names lack room, the two themes that "
                           "most set left and right apart are named, then others from the outside in; points without "
                           f"a name are nearer to the average, and in the data.{absent['en']}{rare_said['en']}"},
        **shared)


_AS_CLOSE = 1.05  # times the smallest distance: pairs of regions within it count as equally close
_PAIRS_NAMED = 3  # in a title


def dendrogram(table: pd.DataFrame, *, names: Names, themes: Sequence[str] | None = None,
               regions: Sequence[str] | None = None, slices: pd.DataFrame | None = None,
               title: Bilingual | None = None, stem: str = "dendrogram", period: str = "–", **finishing) -> FigureCard:
    """Which regions have like profiles of themes: a tree by average linkage of Jensen–Shannon distances. No filter of
    years: the table counts those it was made from.

    Args:
        table: counts, regions × themes, as `measures.region_table` returns it; thin regions are left out where
            `slices` tells them, else do so first.
        themes, regions: which are compared, and by which.
        slices: table of the build; regions that are thin in all years together are left out, and named.
        period: years covered.
    """
    table = _chosen_cells(table, regions, themes)
    left_out = _thin_regions(slices, names, regions) if slices is not None else []
    filled = table.loc[(table.sum(axis=1) > 0) & ~table.index.isin(left_out)]
    distances = measures.js_distance(filled)
    columns = {"region": _SHARE_COLUMNS["region"], "region_en": {"zh": "地区英文名", "en": "region in English"},
               "n": {"zh": "归类次数", "en": "codings"}, "nearest": {"zh": "最相近的地区", "en": "nearest region"},
               "distance": {"zh": "与它的距离（詹森—香农）", "en": "distance to it (Jensen–Shannon)"},
               "position": {"zh": "在树上的次序", "en": "order in the tree"}}
    unit = {"zh": "詹森—香农距离，0至1", "en": "Jensen–Shannon distance, 0 to 1"}
    if len(filled) < 3:
        return _too_little({"zh": "材料够用的地区不足三个，不比较相似程度。",
                            "en": "Fewer than three regions hold enough material to compare their profiles."},
                           stem=stem, title=title, data=pd.DataFrame(columns=list(columns)), columns=columns, unit=unit,
                           period=period, **finishing)
    order, linkage = measures.dendrogram_order(distances)
    apart = distances.mask(np.eye(len(distances), dtype=bool))
    rows = []
    for i, region in enumerate(order):
        nearest = min(apart.index, key=lambda r, region=region: (
            apart.loc[region, r] if r != region else np.inf, r))
        rows.append({"region": region, "region_en": names.region(region, "en"), "n": int(filled.loc[region].sum()),
                     "nearest": nearest, "distance": float(apart.loc[region, nearest]), "position": i + 1})
    data = pd.DataFrame(rows)
    shared = dict(stem=stem, data=data, columns=columns, unit=unit, period=period, **finishing)
    far = data.sort_values(["distance", "region"]).iloc[-1]
    leaf = {name: i for i, name in enumerate(sorted(distances.index))}
    # Distances have no intervals: pairs nearly as close as the closest are named with it.
    region_at = {i: name for name, i in leaf.items()}
    joined = sorted((round(float(d), 9), *sorted((region_at[int(a)], region_at[int(b)]), key=order.index))
                    for a, b, d, _ in linkage if max(a, b) < len(order))
    pairs = [pair for pair in joined if pair[0] <= _AS_CLOSE * joined[0][0]]

    def pair_words(lang, n, measured=False):
        both = {"zh": "{}与{}", "en": "{} and {}"}[lang]
        distance = {"zh": "（{:.3f}）", "en": " ({:.3f})"}[lang] if measured else ""
        said = [both.format(names.region(a, lang), names.region(b, lang)) + distance.format(d) for d, a, b in pairs[:n]]
        return ("、" if lang == "zh" else "; " if measured else ", ").join(said)

    more = len(pairs) - _PAIRS_NAMED
    several = len(pairs) > 1
    named = {lang: pair_words(lang, _PAIRS_NAMED) for lang in figures.LANGS}
    automatic = {"zh": named["zh"] + (f"等{len(pairs)}对地区" if more > 0 else "")
                       + f"谈的主题{'两两' * several}相近，{far['region']}没有相近的地区",
                 "en": (f"Pairs that speak of similar themes: {named['en']}" + f" and {more} more" * (more > 0)
                        if several else f"{named['en']} speak of similar themes")
                       + f"; {far['region_en']} has no near neighbour"}
    absent = _left_out(left_out, names)
    closest = {"zh": "最接近的几对不分高低，是" if several else "最接近的一对是",
               "en": "The closest pairs, too alike in distance to rank, are" if several else "The closest pair is"}
    alt = {"zh": f"树状图，{len(order)}个地区按主题结构的相似程度聚合。{closest['zh']}{pair_words('zh', None, True)}；"
                 f"{far['region']}离最相近的{far['nearest']}也有"
                 f"{far['distance']:.3f}。树上的次序：{'、'.join(order)}。{absent['zh']}",
           "en": f"Dendrogram of {len(order)} regions by likeness of their themes. {closest['en']} "
                 f"{pair_words('en', None, True)}; {far['region_en']} is "
                 f"{far['distance']:.3f} from its nearest, {names.region(far['nearest'], 'en')}. Order in the tree: "
                 f"{', '.join(data['region_en'])}.{absent['en']}"}
    position = {leaf[name]: float(i) for i, name in enumerate(order)}
    branches = []
    heights = dict.fromkeys(position, 0.0)
    for k, (a, b, distance, _) in enumerate(linkage):
        a, b = int(a), int(b)
        branches.append((position[a], heights[a], position[b], heights[b], float(distance)))
        position[len(order) + k], heights[len(order) + k] = (position[a] + position[b]) / 2, float(distance)

    def draw(figure, lang):
        width, _ = size_inches(figure)
        labels = [names.region(r, lang) for r in order]
        pitch = (width - 0.4) / len(order)
        flat = max(text_width(t, 8) for t in labels) + 0.05 < pitch
        foot = 0.4 if flat else max(map(len, labels)) * 0.125 + 0.28 if lang == "zh" else \
            max(text_width(t, 7.5) for t in labels) + 0.28
        turn, above = stand_counts(data["n"], pitch)
        axes = add_axes(figure, left=0.36, right=0.04, bottom=foot + above / 72, top=0.05)
        peak = float(linkage[:, 2].max()) * 1.04 or 1
        axes.set_xlim(-0.5, len(order) - 0.5)
        axes.set_ylim(0, peak)
        step = next((t for t in (0.05, 0.1, 0.2, 0.25) if peak / t < 6), 0.5)
        for tick in np.arange(0, peak, step):
            axes.axhline(tick, color=GRID, linewidth=0.7, zorder=0)
            write(axes, (0, tick), f"{tick:.2f}".rstrip("0").rstrip(".") if tick else "0", 7.5, at="right",
                  shift=(-4, 0), ha="right", color=QUIET_INK)
        for xa, ya, xb, yb, top in branches:
            axes.plot([xa, xa, xb, xb], [ya, top, top, yb], color=MARK, linewidth=1.3, solid_joinstyle="miter")
        size = 7.5 if flat or lang == "zh" else min(7.5, pitch * 72 / 1.05)
        for i, (label, n) in enumerate(zip(labels, data["n"], strict=True)):
            write(axes, (i, 0), str(n), COUNT_PT, shift=(0, -4), ha="center", va="top", rotation=turn, color=QUIET_INK)
            drop = -15 - above
            if flat:
                write(axes, (i, 0), label, 8, shift=(0, drop), ha="center", va="top")
            elif lang == "zh":
                for k, char in enumerate(label):
                    write(axes, (i, 0), char, 7.8, shift=(0, drop - k * 8.8), ha="center", va="top")
            else:
                write(axes, (i, 0), label, size, shift=(0, drop), ha="center", va="top", rotation=90)
        write(axes, (0, 0), "n=" if lang == "zh" else "n =", COUNT_PT, at="axes", shift=(-4, -4), ha="right", va="top",
              color=QUIET_INK)

    n = int(filled.to_numpy().sum())
    return figures.finish(
        draw, title=title or automatic, n=n, alt=alt, height=3.2,
        subtitle={"zh": f"主题结构的詹森—香农距离（0相同，1全不同），平均联结；n={count(n)}次归类，{len(order)}个地区"
                        + f"，另有{len(left_out)}个材料偏少，不比较" * bool(left_out),
                  "en": "Jensen–Shannon distance between profiles of themes (0 alike, 1 nothing shared), average "
                        f"linkage; n = {count(n)} codings, {len(order)} regions"
                        + f"; {len(left_out)} with too little material are left out" * bool(left_out)},
        how_to_read={"zh": "两个地区在越低处相连，谈的主题越相近；纵轴是相连处的距离。左右次序只求相近者相邻，"
                           f"n小的地区位置不稳。距离没有估计区间，比最近的一对大不到{_AS_CLOSE - 1:.0%}的，"
                           f"与它不分高低。{absent['zh']}",
                     "en": "The lower two regions join, the more alike their themes; the scale is the distance where "
                           "they join. Left and right only put like beside like; the places of "
                           f"regions with a small n are unsure. Distances have no intervals: pairs that join "
                           f"within {_AS_CLOSE - 1:.0%} of the closest are named with it.{absent['en']}"},
        **shared)


def silence(silence: pd.DataFrame, *, names: Names, year: int | None = None, n_themes: int = 24,
            themes: Sequence[str] | None = None, regions: Sequence[str] | None = None, title: Bilingual | None = None,
            stem: str = "silence", period: str | None = None, **finishing) -> FigureCard:
    """Themes that regions do not mention, and how surprising that is given how much they said.

    Args:
        silence: as `measures.silence` returns it: the silent cells; or those of several years, one below the other.
        year: which; by default all years together, or the latest where they are not in the frame.
        themes, regions: which.
        n_themes: rows at most; those with the least likely silences come first.
        period: years covered; by default the year.
    """
    data = _chosen(silence, theme=themes, region=regions)
    if year is None:
        held = set(silence["year"])
        year = ALL_YEARS if ALL_YEARS in held or not held else max(held)
    data = data[data["year"] == year].copy()
    period = period or (_period([year]) if year > 0 else "–")
    data["theme_zh"] = [names.theme(t, "zh") for t in data["theme"]]
    data["theme_en"] = [names.theme(t, "en") for t in data["theme"]]
    data["rate_elsewhere"] = data["rate_elsewhere"].astype(float) * 100
    data["surprising"] = (data["p"] < 0.05) & ~data["thin"].astype(bool)
    columns = {**{k: _SHARE_COLUMNS[k] for k in ("theme", "theme_zh", "theme_en", "region", "n_statements")},
               "rate_elsewhere": {"zh": "其他地区的占比", "en": "share elsewhere", "unit": "%"},
               "expected": {"zh": "照此应有的语句数", "en": "statements to be expected"},
               "p": {"zh": "一句未提的概率", "en": "chance of the silence"},
               "q": {"zh": "假发现率q值", "en": "false discovery rate q"}, "thin": _SHARE_COLUMNS["thin"],
               "surprising": {"zh": "p小于0.05", "en": "p under 0.05"}}
    data = data[list(columns)].reset_index(drop=True)
    shared = dict(stem=stem, data=data, columns=columns, unit={"zh": "条", "en": "statements"}, period=period,
                  **finishing)
    compared = data[~data["thin"].astype(bool)]
    if compared.empty:
        return _too_little({"zh": "材料够用的地区各个主题都提到了，或没有一个地区材料够用，谈不上沉默。",
                            "en": "Regions with enough material mention every theme, or none has enough: there is no "
                                  "silence to speak of."}, title=title, **shared)
    strong = compared[compared["q"] < 0.05]
    likely = compared[compared["surprising"]]
    first = compared.sort_values(["p", "theme", "region"]).iloc[0]
    if len(strong):
        first = strong.sort_values(["p", "theme", "region"]).iloc[0]
        automatic = {"zh": f"{first['region']}一句未提“{first['theme_zh']}”，照别处应有{first['expected']:.1f}条",
                     "en": f"{names.region(first['region'], 'en')} never mentions “{first['theme_en']}”; at the rate "
                           f"elsewhere it would {first['expected']:.1f} times"}
    else:
        automatic = {"zh": "各地没提到的主题，都还可能只是偶然",
                     "en": "Every silence of a region may still be chance"}
    alt = {"zh": f"矩阵图，{compared['region'].nunique()}个材料够用的地区没有提到的主题，共{len(compared)}格；"
                 f"单独看概率低于5%的有{len(likely)}格，经多重比较校正仍显著的有{len(strong)}格。"
                 f"最不像偶然的是{first['region']}的{first['theme_zh']}，照别处应有{first['expected']:.1f}条，"
                 f"概率为{first['p']:.3f}。",
           "en": f"Matrix of themes that {compared['region'].nunique()} regions with enough material do not mention: "
                 f"{len(compared)} cells, {len(likely)} each with a chance under 5%, {len(strong)} after "
                 f"correction for many comparisons. Least like chance: {first['theme_en']} in "
                 f"{names.region(first['region'], 'en')}, {first['expected']:.1f} statements to be expected, chance "
                 f"{first['p']:.3f}."}
    volume = compared.drop_duplicates("region").set_index("region")["n_statements"]
    regions = sorted(volume.index, key=lambda r: (-volume[r], r))
    least = compared.groupby("theme")["p"].min()
    kept = least.sort_values(kind="stable").index[:n_themes]

    def signs(lang):
        """The signs that are drawn: the words of the key, colour and whether filled; and what they mean."""
        alone = likely[~likely.index.isin(strong.index)]
        cells = [names.region(r.region, lang) + {"zh": "—", "en": ": "}[lang] + names.theme(r.theme, lang)
                 for r in alone.itertuples()] if len(alone) <= 3 else []
        which = {"zh": f"（{'，'.join(cells)}）", "en": f" ({', '.join(cells)})"}[lang] if cells else ""
        held = ((len(strong) > 0, INK, True, {"zh": "校正后仍不像偶然", "en": "unlikely even after correction"},
                 {"zh": "深色的经多重比较校正仍不像偶然", "en": "dark circles are unlikely to be chance even after "
                                                                "correction for many comparisons"}),
                (len(alone) > 0, UNCLEAR, True,
                 {"zh": "只看这一格不像偶然", "en": "unlikely on its own"},
                 {"zh": f"灰色实心的{which}单独看不像偶然，但同时看了这么多格，仍可能只是碰巧",
                  "en": f"filled grey ones{which} are unlikely to be chance on their own, but among so many cells may "
                        "still be"}),
                (bool((~compared["surprising"] & (compared["q"] >= 0.05)).any()), UNCLEAR, False,
                 {"zh": "可能只是偶然", "en": "may be chance"},
                 {"zh": "空心的可能只是材料不够", "en": "hollow ones may only mean too little material"}))
        return [((word[lang], colour, filled), meaning[lang]) for drawn, colour, filled, word, meaning in held if drawn]

    def draw(figure, lang):
        width, height = size_inches(figure)
        rows = max(2, rows_that_fit(figure, len(kept), pitch=0.15, around=1.36))
        themes = names.theme_order(kept[:rows])
        place_t, place_r = {t: i for i, t in enumerate(themes)}, {r: i for i, r in enumerate(regions)}
        size = min(8.2, (height - 1.36) / len(themes) * 72 * 0.86)
        left = label_margin([names.theme(t, lang) for t in themes], size)
        key_words = [word for word, _ in signs(lang)]
        labels = [names.region(r, lang) for r in regions]
        column = (width - left) / max(len(regions), 8)
        flat = max(text_width(t, 8) for t in labels) + 0.05 < column
        head = (0.3 if flat else max(map(len, labels)) * 0.125 + 0.24 if lang == "zh" else
                max(text_width(t, 7.5) for t in labels) + 0.24) + 0.02
        turn, above = stand_counts(volume, column)
        head += above / 72
        note = "" if len(themes) == len(kept) else (
            f"画出{len(kept)}个主题中最不像偶然的{len(themes)}个" if lang == "zh" else
            f"The {len(themes)} of {len(kept)} themes least like chance")
        foot = write_groups(figure, names, themes, lang, note) + 0.06
        axes = add_axes(figure, left=left, top=head, bottom=foot + 0.26,
                        right=max(0.0, width - left - column * len(regions)))
        axes.set_xlim(-0.5, len(regions) - 0.5)
        axes.set_ylim(len(themes) - 0.5, -0.5)
        for i in range(len(themes)):
            axes.axhline(i, color="#EFECE6", linewidth=0.7, zorder=0)
        part = compared[compared["theme"].isin(themes)]
        peak = max(float(compared["expected"].max()), 1e-9)
        largest = min(column * 72 * 0.8, (height - head - foot - 0.26) / len(themes) * 72 * 0.9, 20)
        x = part["region"].map(place_r).to_numpy()
        y = part["theme"].map(place_t).to_numpy()

        def area(expected):
            return (2.2 + (largest - 2.2) * np.sqrt(np.asarray(expected, float) / peak)) ** 2

        shades = np.where(part["q"] < 0.05, INK, np.where(part["surprising"], UNCLEAR, "none"))
        edges = np.where(part["q"] < 0.05, INK, UNCLEAR)
        axes.scatter(x, y, s=area(part["expected"]), facecolors=list(shades), edgecolors=list(edges), linewidths=0.8)
        write_rows(axes, range(len(themes)), [names.theme(t, lang) for t in themes], size,
                   [names.group_colour(t) for t in themes])
        for j, (label, region) in enumerate(zip(labels, regions, strict=True)):
            write(axes, (j, 1), str(int(volume[region])), COUNT_PT, at="top", shift=(0, 3), ha="center",
                  va="bottom" if turn else "baseline", rotation=turn, color=QUIET_INK)
            lift = 13 + above
            if flat:
                write(axes, (j, 1), label, 8, at="top", shift=(0, lift), ha="center", va="baseline")
            elif lang == "zh":
                for k, char in enumerate(reversed(label)):
                    write(axes, (j, 1), char, 7.8, at="top", shift=(0, lift + k * 8.8), ha="center", va="baseline")
            else:
                write(axes, (j, 1), label, 7.5, at="top", shift=(0, lift), ha="center", va="bottom", rotation=90)
        write(axes, (0, 1), "n=" if lang == "zh" else "n =", COUNT_PT, at="axes", shift=(-5, 3), ha="right",
              va="baseline", color=QUIET_INK)
        base = figure.bbox.width / figure.get_figure(root=True).dpi
        x = 0.0
        for word, colour, filled in key_words:
            figure.text(x / base, foot / height, "●" if filled else "○", fontsize=7.5, color=colour, va="baseline")
            figure.text((x + 0.14) / base, foot / height, word, fontsize=7.5, color=QUIET_INK, va="baseline")
            x += 0.14 + text_width(word, 7.5) + 0.16
        # What the sizes mean: round numbers up to the largest, as many as have room.
        steps = [v for v in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if v <= peak][-3:] or [round(peak, 1)]
        words = [{"zh": "应有的语句：", "en": "expected:"}[lang], *(f"{v:g}" for v in steps)]
        wide = np.sqrt(area(steps)) / 72
        while len(words) > 1 and x + text_width(words[0], 7.5) + sum(
                text_width(w, 7.5) + 0.2 + d for w, d in zip(words[1:], wide, strict=True)) > base:
            words.pop(1)
            steps, wide = steps[1:], wide[1:]
        if steps:
            figure.text(x / base, foot / height, words[0], fontsize=7.5, color=QUIET_INK, va="baseline")
            x += text_width(words[0], 7.5) + 0.06
        for word, across, v in zip(words[1:], wide, steps, strict=True):
            axes.scatter([(x + across / 2) / base], [(foot + 0.035) / height], s=[float(area(v))], clip_on=False,
                         transform=figure.transSubfigure, facecolors="none", edgecolors=UNCLEAR, linewidths=0.8)
            figure.text((x + across + 0.05) / base, foot / height, word, fontsize=7.5, color=QUIET_INK, va="baseline")
            x += across + 0.05 + text_width(word, 7.5) + 0.12

    n = int(volume.sum())
    return figures.finish(
        draw, title=title or _sliced(automatic, names, year=year), n=n, alt=alt, height=0.2 * len(kept) + 1.5,
        subtitle={"zh": f"材料够用的地区一句未提的主题；圆的大小是照其他地区的占比应有的语句数；n={count(n)}条语句",
                  "en": "Themes that regions with enough material never mention; size is the statements to be "
                        f"expected at the rate elsewhere; n = {count(n)} statements"},
        how_to_read={"zh": "有圆的地方，这个地区一句也没有提到这个主题。圆越大，照其他地区的占比本该提得越多；"
                           "一句未提的概率不画，只用来定圆的深浅和虚实。"
                           + "；".join(meaning for _, meaning in signs("zh")) + "。沉默不等于没有做。",
                     "en": "Where there is a circle, the region never mentions the theme. The larger, the more "
                           "often it would have at the rate elsewhere; the chance of finding none is not drawn, but "
                           "decides the shade of the circle. "
                           + _capital("; ".join(meaning for _, meaning in signs("en")))
                           + ". Not mentioned does not mean not done."},
        **shared)


# ---- wording, coding, robustness ------------------------------------------------------------------------------------


def deontic_strength(deontic_counts: pd.DataFrame, *, names: Names, year: int = ALL_YEARS, region: str = "all",
                     themes: Sequence[str] | None = None, title: Bilingual | None = None,
                     stem: str = "deontic_strength", **finishing) -> FigureCard:
    """How binding the wording is, by theme: the share of each grade in the theme's statements.

    Args:
        deontic_counts: table of the build.
        year, region: the slice.
        themes: which; the bar of all statements stays, to compare with.
    """
    deontic_counts = _chosen(deontic_counts, theme=None if themes is None else [*_some(themes), "all"])
    part = deontic_counts[(deontic_counts["year"] == year) & (deontic_counts["region"] == region)
                          & (deontic_counts["theme"] != "none")]
    grades = [g for g in names.grades if g in set(part["deontic"])]
    counts = (part.pivot_table(index="theme", columns="deontic", values="n_statements", aggfunc="sum", fill_value=0)
              .reindex(columns=[*grades, "none"], fill_value=0))
    totals = counts.sum(axis=1)
    counts, totals = counts[totals > 0], totals[totals > 0]
    years = _years_of(deontic_counts) if year == ALL_YEARS else [year]
    shares = counts.div(totals, axis=0) * 100
    firm = shares[grades[:2]].sum(axis=1) if grades else pd.Series(0.0, index=shares.index)
    # Thin themes come last and are not ranked.
    themes = sorted((t for t in shares.index if t != "all"),
                    key=lambda t: (totals[t] < measures.MIN_STATEMENTS, -firm[t], t))
    order = [*(["all"] if "all" in shares.index else []), *themes]
    columns = {"theme": _SHARE_COLUMNS["theme"], "theme_zh": _SHARE_COLUMNS["theme_zh"],
               "theme_en": _SHARE_COLUMNS["theme_en"], "n_statements": _SHARE_COLUMNS["n_statements"],
               **{f"{g}_percent": {**names.grades[g], "unit": "%"} for g in grades},
               "none_percent": {"zh": "无此类措辞", "en": "no such wording", "unit": "%"},
               "firm_percent": {"zh": "最强两级合计", "en": "two strongest grades together", "unit": "%"},
               "low": {"zh": "合计的95%区间下限", "en": "95% interval of these, lower", "unit": "%"},
               "high": {"zh": "合计的95%区间上限", "en": "95% interval of these, upper", "unit": "%"},
               "thin": _SHARE_COLUMNS["thin"]}
    every = {"zh": "全部语句", "en": "All statements"}
    data = pd.DataFrame({"theme": order,
                         "theme_zh": [every["zh"] if t == "all" else names.theme(t, "zh") for t in order],
                         "theme_en": [every["en"] if t == "all" else names.theme(t, "en") for t in order],
                         "n_statements": [int(totals[t]) for t in order],
                         **{f"{g}_percent": [float(shares.loc[t, g]) for t in order] for g in [*grades, "none"]},
                         "firm_percent": [float(firm[t]) for t in order],
                         "thin": [bool(totals[t] < measures.MIN_STATEMENTS) for t in order]}, columns=list(columns))
    data["low"], data["high"] = (100 * bound for bound in measures.wilson_interval(
        counts.loc[order, grades[:2]].sum(axis=1).to_numpy(), data["n_statements"].to_numpy()))
    shared = dict(stem=stem, data=data, columns=columns, unit={"zh": "%", "en": "%"}, period=_period(years),
                  **finishing)
    solid = data[(data["theme"] != "all") & ~data["thin"]]
    if solid.empty or not grades:
        return _too_little({"zh": f"没有一个主题达到{measures.MIN_STATEMENTS}条语句，不比较措辞的约束力。",
                            "en": f"No theme reaches {measures.MIN_STATEMENTS} statements, so the wording is not "
                                  "compared."},
                           title=title, **shared)
    hard = grades[:2]
    hard_names = {lang: listing([quoted(names.grades[g][lang]) for g in hard], lang) for lang in figures.LANGS}
    lead = leaders(solid, "firm_percent")
    first, lowest = lead.iloc[0], percent(solid["firm_percent"].min())
    first_share = percent(first["firm_percent"])
    if len(solid) == 1:
        automatic = {"zh": f"“{first['theme_zh']}”的语句有{first_share}用了{hard_names['zh']}",
                     "en": f"{first_share} of statements on “{first['theme_en']}” are worded as {hard_names['en']}"}
    elif len(lead) == 1:
        automatic = {"zh": f"“{first['theme_zh']}”的措辞最硬：{first_share}为{hard_names['zh']}",
                     "en": f"“{first['theme_en']}” is worded most bindingly: {first_share} {hard_names['en']}"}
    else:
        automatic = {"zh": f"{hard_names['zh']}合计占{lowest}至{first_share}，因主题而异",
                     "en": f"{hard_names['en']} together make up {lowest} to {first_share} of statements, depending on "
                           "the theme"}
    soft = solid.loc[solid["firm_percent"].idxmin()]
    soft_share = percent(soft["firm_percent"])
    alt = {"zh": f"堆叠条形图，{len(order) - order.count('all')}个主题的语句按措辞约束力的构成，"
                 f"{year_span(years, 'zh')}。材料够用的主题中，{hard_names['zh']}合计占比最高的是{first['theme_zh']}，"
                 f"{first_share}；最低的是{soft['theme_zh']}，{soft_share}。",
           "en": f"Stacked bars of the wording of statements in {len(order) - order.count('all')} themes, by how "
                 f"binding it is, {year_span(years, 'en')}. Of themes with enough material, {first['theme_en']} has "
                 f"the largest share of {hard_names['en']} together, {first_share}; {soft['theme_en']} the smallest, "
                 f"{soft_share}."}
    depths = np.linspace(1.0, 0.25, max(len(grades), 2))[:len(grades)]
    shades = [*(tint("#3B2A55", depth) for depth in depths), "#F0EDE8"]

    greys = [*(tint("#77726A", 0.75 * depth) for depth in depths), "#F0EDE8"]
    at_least = {"zh": f"不少于{measures.MIN_STATEMENTS}条语句的主题，最高和最低的",
                "en": f"the top and bottom of themes with at least {measures.MIN_STATEMENTS} statements"}

    def draw(figure, lang, everything=data):
        room = rows_that_fit(figure, len(everything), pitch=0.17, around=0.85)
        shown = everything
        if room < len(everything):  # a small sheet leaves out the thin themes first
            shown = _both_ends(everything[~everything["thin"]], room)
        labels = list(shown[f"theme_{lang}"])
        words = [names.grades[g][lang] for g in grades] + ["无此类措辞" if lang == "zh" else "None of these"]
        left, right = label_margin(labels, 8.5), 0.5
        inch = size_inches(figure)[0] - left - right
        key, start, line = [], -min(left, max(0, key_width(words) - inch)), 0
        x = start
        for word in words:  # in lines that reach over the names where they have to
            if x > start and x + key_width([word]) > inch:
                x, line = start, line + 1
            key.append((x, line))
            x += key_width([word])
        axes = add_axes(figure, left=left, right=right, top=0.28 + 0.18 * line, bottom=0.2)
        rows = np.arange(len(shown)) + np.where(shown["theme"] == "all", 0, 0.35) + np.where(shown["thin"], 0.35, 0)
        rows = rows + _gaps(shown)
        axes.set_xlim(0, 100)
        axes.set_ylim(rows[-1] + 0.6, -0.5)
        begin = np.zeros(len(shown))
        numbers = []
        width = inch * 72 / 100
        for k, grade in enumerate([*grades, "none"]):
            values = shown[f"{grade}_percent"].to_numpy(float)
            fills = [(greys if thin else shades)[k] for thin in shown["thin"]]
            axes.barh(rows, values, left=begin, height=0.68, color=fills, edgecolor=PAPER, linewidth=0.6)
            for row, value, at, fill in zip(rows, values, begin, fills, strict=True):
                if value * width > 15:
                    numbers.append((at + value / 2, row, f"{value:.0f}", figures.ink_on(fill)))
            begin += values
        xs, ys, texts, inks = zip(*numbers, strict=True)
        figures.add_numbers(axes, xs, ys, texts, 7.2, inks)
        for row, label, r in zip(rows, labels, shown.itertuples(), strict=True):
            write(axes, (0, row), label, 8.5, at="right", shift=(-5, 0), ha="right", color=QUIET_INK if r.thin else INK)
            write(axes, (1, row), f"{count(r.n_statements)}", 7.5, at="right", shift=(5, 0), color=QUIET_INK)
            if not r.thin:
                axes.plot([r.low, r.high], [row + 0.44] * 2, color=INK, linewidth=0.9, zorder=3)
                axes.plot([r.firm_percent] * 2, [row + 0.36, row + 0.52], color=INK, linewidth=0.9, zorder=3)
        write(axes, (1, 1), "n", 7.5, at="axes", shift=(5, 4), va="baseline", color=QUIET_INK)
        for word, shade, (x, down) in zip(words, shades, key, strict=True):
            up = 0.18 * 72 * (line - down)
            axes.add_patch(swatch(axes, x / inch, 1, shade, up))
            write(axes, (x / inch, 1), word, 8, at="axes", shift=(12, 6 + up), va="baseline", color=SOFT_INK)
        if shown["thin"].any():
            note = {"zh": f"灰色：不足{measures.MIN_STATEMENTS}条语句，不作比较",
                    "en": f"Grey: under {measures.MIN_STATEMENTS} statements; not compared"}[lang]
            write(axes, (1, 0), note, 7.5, at="axes", shift=(0, -4), ha="right", va="top", color=QUIET_INK)
        n_themes = int((everything["theme"] != "all").sum())
        write_more(axes, len(everything) - len(shown), lang, n_themes, at_least)

    n = int(data.loc[data["theme"] == "all", "n_statements"].iloc[0]) if "all" in order else int(totals.sum())
    return figures.finish(
        draw, title=title or _sliced(automatic, names, year=year, region=region),
        n=n, alt=alt, height=0.2 * len(data) + 0.9,
        subtitle={"zh": f"各主题语句中各级措辞的百分比，细线为{hard_names['zh']}合计的95%区间；"
                        f"{_slice_words(year, region, names, years, 'zh')}，n={count(n)}条语句",
                  "en": "Per cent of statements by grade of wording, with 95% intervals of "
                        f"{hard_names['en']} together (thin lines); "
                        f"{_slice_words(year, region, names, years, 'en')}, n = {count(n)} statements"},
        how_to_read={"zh": "一句取其中最强的一级，颜色越深，措辞约束力越强；"
                           f"按{hard_names['zh']}合计的占比由高到低排列，条下细线是这一合计的95%区间，"
                           f"两条细线有重叠，就是材料分不出谁高谁低。灰色的主题不足{measures.MIN_STATEMENTS}条，占比再高也不作比较。",
                     "en": "A statement counts by its strongest wording; the darker, the more binding. Themes are "
                           f"ranked by {hard_names['en']} together, whose 95% interval is the thin line below a bar: "
                           "where two of these overlap, the material cannot tell which is higher. Those in grey have "
                           f"under {measures.MIN_STATEMENTS} statements and are not compared, however large their "
                           "shares."},
        **shared)


def _accuracy_of(accuracy: pd.DataFrame, themes: Sequence[str]) -> pd.DataFrame:
    """The rows of some themes, with the sum of their decisions and the mean of their F1; both without an interval, for
    that would need the labels."""
    part = _chosen(accuracy[~accuracy["theme"].isin(["all", "mean"])], theme=themes)
    scored = part[part["tp"].fillna(0) + part["fn"].fillna(0) > 0]
    if scored.empty:
        return part
    tp, fp, fn = (float(part[c].astype(float).sum()) for c in ("tp", "fp", "fn"))
    rows = [{"theme": "all", "tp": tp, "fp": fp, "fn": fn, "precision": tp / (tp + fp) if tp + fp else np.nan,
             "recall": tp / (tp + fn), "f1": 2 * tp / (2 * tp + fp + fn)},
            {"theme": "mean", "f1": float(scored["f1"].astype(float).mean())}]
    return pd.concat([part, pd.DataFrame(rows)], ignore_index=True)


_MIN_LABELS = 5  # with fewer reference labels a theme's F1 says nothing


def _without_errors(frame: pd.DataFrame) -> pd.DataFrame:
    """Themes without a single error have no interval by resampling, however few their labels: theirs is Wilson's, of
    the share of decisions (hits, false alarms, misses) that are hits, turned into F1, which rises with it."""
    frame = frame.copy()
    none = (frame["f1_low"] >= 1) & (frame["tp"].fillna(0) > 0)
    if none.any():
        low, _ = measures.wilson_interval(*[frame.loc[none, "tp"].astype(float)] * 2)
        frame.loc[none, "f1_low"] = 2 * low / (1 + low)
    return frame


def codebook_accuracy(accuracy: pd.DataFrame, *, names: Names, themes: Sequence[str] | None = None,
                      title: Bilingual | None = None, stem: str = "codebook_accuracy", period: str = "–",
                      **finishing) -> FigureCard:
    """How well the codebook finds each theme, against hand labels: F1 with its interval, precision and recall. No
    filter of years or regions: the labels are few, and scored together.

    Args:
        accuracy: as `measures.accuracy` or `gold.theme_accuracy` returns it.
        themes: which; what is said of all is then of these.
        period: years covered.
    """
    frame = accuracy.copy() if themes is None else _accuracy_of(accuracy, themes)
    frame["gold"] = (frame["tp"].fillna(0) + frame["fn"].fillna(0)).astype("int64")
    flawless = ((frame["f1_low"] >= 1) & (frame["gold"] >= _MIN_LABELS)).any()
    frame = _without_errors(frame)
    special = {"all": {"zh": "全部判断合计", "en": "All decisions"} if themes is None else
               {"zh": "所选主题合计", "en": "Chosen themes, together"},
               "mean": {"zh": "各主题平均", "en": "Mean of themes"}}
    body = frame[~frame["theme"].isin(special) & (frame["gold"] > 0)]
    place = {t: i for i, t in enumerate(names.theme_order(list(body["theme"])))}
    few = set(body.loc[body["gold"] < _MIN_LABELS, "theme"])
    f1 = body.set_index("theme")["f1"].astype(float)
    order = sorted(body["theme"], key=lambda t: (t in few, -f1[t] if t not in few else 0, place[t]))
    rows = [*[t for t in special if t in set(frame["theme"])], *order]
    data = frame.set_index("theme").loc[rows].reset_index()
    data["theme_zh"] = [special[t]["zh"] if t in special else names.theme(t, "zh") for t in data["theme"]]
    data["theme_en"] = [special[t]["en"] if t in special else names.theme(t, "en") for t in data["theme"]]
    for column in ("precision", "recall", "f1", "f1_low", "f1_high"):
        data[column] = data[column].astype(float) * 100
    for column in ("tp", "fp", "fn"):
        data[column] = data[column].astype("Int64")
    columns = {"theme": _SHARE_COLUMNS["theme"], "theme_zh": _SHARE_COLUMNS["theme_zh"],
               "theme_en": _SHARE_COLUMNS["theme_en"], "gold": {"zh": "参照标注的句数", "en": "reference labels"},
               "tp": {"zh": "找对", "en": "hits"}, "fp": {"zh": "误报", "en": "false alarms"},
               "fn": {"zh": "漏报", "en": "misses"}, "precision": {"zh": "精确率", "en": "precision", "unit": "%"},
               "recall": {"zh": "召回率", "en": "recall", "unit": "%"}, "f1": {"zh": "F1", "en": "F1", "unit": "%"},
               "f1_low": {"zh": "F1的95%区间下限", "en": "F1, 95% lower", "unit": "%"},
               "f1_high": {"zh": "F1的95%区间上限", "en": "F1, 95% upper", "unit": "%"}}
    data = data[list(columns)]
    shared = dict(stem=stem, data=data, columns=columns, unit={"zh": "%", "en": "%"}, period=period, **finishing)
    themes = data[~data["theme"].isin(special)]
    if themes.empty:
        return _too_little({"zh": "没有参照标注的语句，测不出编码的准确程度。",
                            "en": "No statement has reference labels, so the accuracy of the coding is not known."},
                           title=title, **shared)
    whole = data[data["theme"] == "all"]
    n = int(whole["gold"].iloc[0]) if len(whole) else int(themes["gold"].sum())
    judged = themes[~themes["theme"].isin(few)]
    weak = judged[judged["f1"] < 60]
    n_few = len(themes) - len(judged)
    few_said = {"zh": "", "en": ""} if not n_few else {
        "zh": f"；{n_few}个主题标注不足{_MIN_LABELS}处，不画", "en": f"; {n_few} theme{'' if n_few == 1 else 's'} with "
                                                                    f"under {_MIN_LABELS} labels not drawn"}
    main = whole.iloc[0] if len(whole) else None
    if main is not None and np.isfinite(main["f1_low"]):
        interval = {"zh": f"（95%区间{percent(main['f1_low'])}至{percent(main['f1_high'])}）",
                    "en": f" (95% interval {percent(main['f1_low'])} to {percent(main['f1_high'])})"}
    else:
        interval = {"zh": "", "en": ""}
    score = percent(main["f1"]) if main is not None else percent(float(themes["f1"].mean()))
    automatic = {"zh": f"与参照标注相比，主题编码的F1为{score}{interval['zh']}",
                 "en": f"Against reference labels the coding of themes has an F1 of {score}{interval['en']}"}
    ends = (judged if len(judged) else themes).sort_values(["f1", "theme"])
    alt = {"zh": f"点图，{len(themes)}个主题的编码与参照标注相比的F1、精确率和召回率。"
                 f"合计F1为{score}{interval['zh']}。最高的是{ends.iloc[-1]['theme_zh']}，"
                 f"{percent(ends.iloc[-1]['f1'])}；最低的是{ends.iloc[0]['theme_zh']}，"
                 f"{percent(ends.iloc[0]['f1'])}" + (f"；{len(weak)}个主题低于60%" if len(weak) else "")
                 + f"{few_said['zh']}。",
           "en": f"Dot chart of F1, precision and recall of the coding of {len(themes)} themes against reference "
                 "labels. "
                 f"F1 of all decisions: {score}{interval['en']}. Highest: {ends.iloc[-1]['theme_en']}, "
                 f"{percent(ends.iloc[-1]['f1'])}; lowest: {ends.iloc[0]['theme_en']}, {percent(ends.iloc[0]['f1'])}"
                 + (f"; {len(weak)} themes are under 60%" if len(weak) else "") + f"{few_said['en']}."}

    def draw(figure, lang, everything=data):
        room = rows_that_fit(figure, len(everything), around=0.55)
        totals = everything[everything["theme"].isin(special)]
        shown = pd.concat([totals, everything.drop(totals.index)])
        if room < len(everything):  # those that are not judged go first
            rest = everything[~everything["theme"].isin({*special, *few})]
            shown = pd.concat([totals, _both_ends(rest, room - len(totals))])
        labels = list(shown[f"theme_{lang}"])
        axes = add_axes(figure, left=label_margin(labels, 8.5), right=1.05, top=0.24, bottom=0.24)
        is_theme = ~shown["theme"].isin(special).to_numpy()
        rows = np.arange(len(shown)) + np.where(is_theme, 0.35, 0) + _gaps(shown)
        axes.set_xlim(0, 100)
        axes.set_ylim(rows[-1] + 0.6, -0.6)
        write_scale(axes, [0, 20, 40, 60, 80, 100], [f"{t}%" for t in (0, 20, 40, 60, 80, 100)])
        colours = [names.colour(t) if k else INK for t, k in zip(shown["theme"], is_theme, strict=True)]
        unsaid = shown["theme"].isin(few).to_numpy()
        for row in rows[unsaid]:
            write(axes, (0, row), "标注太少" if lang == "zh" else "too few labels", 7.5, shift=(3, 0), color=QUIET_INK,
                  bbox={"facecolor": PAPER, "pad": 1, "linewidth": 0})
        whole, every = shown, rows
        shown, rows, colours = shown[~unsaid], rows[~unsaid], [c for c, u in zip(colours, unsaid, strict=True) if not u]
        axes.hlines(rows, shown["f1_low"], shown["f1_high"], colors=[pale(c) for c in colours], linewidth=4)
        axes.scatter(shown["precision"], rows, marker=4, s=26, c="#6E6A64", linewidths=0, zorder=3, clip_on=False)
        axes.scatter(shown["recall"], rows, marker=5, s=26, c="#6E6A64", linewidths=0, zorder=3, clip_on=False)
        axes.scatter(shown["f1"], rows, s=26, c=colours, zorder=4, clip_on=False)
        shown, rows = whole, every
        write_rows(axes, rows, labels)
        for row, f1, gold, u in zip(rows, shown["f1"], shown["gold"], unsaid, strict=True):
            write(axes, (1, row), percent(f1) if np.isfinite(f1) and not u else "–", 8.5, at="right", shift=(40, 0),
                  ha="right")
            if gold:
                write(axes, (1, row), count(gold), 7.5, at="right", shift=(72, 0), ha="right", color=QUIET_INK)
        write(axes, (1, 1), "F1", 8, at="axes", shift=(40, 4), ha="right", va="baseline", color=SOFT_INK)
        write(axes, (1, 1), "标注" if lang == "zh" else "labels", 7.5, at="axes", shift=(72, 4), ha="right",
              va="baseline", color=QUIET_INK)
        key = {"zh": "●F1及其95%区间  ◀精确率  ▶召回率",
               "en": "● F1 and its 95% interval   ◀ precision   ▶ recall"}[lang]
        write(axes, (0, 1), key, 8, at="axes", shift=(0, 4), va="baseline", color=SOFT_INK)
        write_more(axes, len(everything) - len(shown), lang, len(everything) - len(totals), {
            "zh": "最准和最不准的", "en": "the most and the least accurate"})

    return figures.finish(
        draw, title=title or automatic, n=n, alt=alt, height=0.195 * len(data) + 0.55,
        subtitle={"zh": f"主题编码与参照标注的比较，F1为精确率与召回率的调和平均；n={count(n)}处参照标注，"
                        f"区间按文章重抽样{few_said['zh']}",
                  "en": "Coding of themes against reference labels; F1 is the harmonic mean of precision and recall; "
                        f"n = {count(n)} labels; intervals resample articles{few_said['en']}"},
        how_to_read={"zh": "F1为100%即与参照标注完全一致。精确率低，说明误报多；召回率低，说明漏报多。"
                           "标注少的主题区间长，不宜看得太准。"
                           + f"标注不足{_MIN_LABELS}处的主题，对错几处都说明不了问题，不画。" * bool(few)
                           + "一处也没有错的主题，重抽样量不出区间，改用威尔逊区间。" * bool(flawless),
                     "en": "An F1 of 100% is full agreement with the reference labels. Low precision means false "
                           "alarms, low recall misses. Themes with few labels have long intervals: read them with "
                           "caution." + f" Themes with under {_MIN_LABELS} labels are not drawn: so few tell "
                           "nothing." * bool(few)
                           + " Where there is no error at all, resampling shows no interval; Wilson’s is drawn."
                           * bool(flawless)},
        **shared)


_SUBJECTS = {"years": ("year", "years", "year_from", "year_to"), "regions": ("region", "regions"),
             "themes": ("theme", "themes", "other"), "terms": ("term", "terms")}


def _subjects(finding, of: str) -> set:
    """The years, regions, themes or terms that the `slice` of a finding names."""
    found, heap = set(), [getattr(finding, "slice", {}).get(key) for key in _SUBJECTS[of]]
    while heap:
        part = heap.pop()
        if isinstance(part, Mapping | list | tuple):
            heap += list(part)
        elif part is not None:
            found.add(part)
    return found


def _gist(finding, lang: str) -> str:
    """What a finding says in short: its title where it has one, else its sentence up to the colon that opens a list."""
    title = (getattr(finding, "title", None) or {}).get(lang)
    sentence = getattr(finding, lang)
    head = re.split("：|: ", sentence, maxsplit=1)[0]
    if head.count("“") != head.count("”"):  # the colon is within a quotation
        head = sentence
    return (title or head).rstrip("。.")


def robustness(findings: Sequence, *, years: Sequence[int] | None = None, regions: Sequence[str] | None = None,
               themes: Sequence[str] | None = None, terms: Sequence[str] | None = None,
               title: Bilingual | None = None, stem: str = "robustness", period: str = "–",
               **finishing) -> FigureCard:
    """Which findings stand when the corpus is counted in other ways: a row each, a mark for every other way.

    Args:
        findings: with `zh`, `en`, `slice` and `badge` (`holds`, `of`, `checks`: each `zh`, `en`, `holds`), as
            `fengxiang.findings.all_findings` returns them; those without checks are left out.
        years, regions, themes, terms: findings on one of them, by their `slice`; −1 is all years, `all` all regions.
        period: years covered.
    """
    wanted = {"years": _some(years), "regions": _some(regions), "themes": _some(themes), "terms": _some(terms)}
    checked = [f for f in findings if f.badge.get("checks")
               and all(some is None or _subjects(f, of) & set(some) for of, some in wanted.items())]
    ways = list(dict.fromkeys((c["zh"], c["en"]) for f in checked for c in f.badge["checks"]))
    data = pd.DataFrame([{"finding": f.id, "finding_zh": f.zh, "finding_en": f.en, "check_zh": c["zh"],
                          "check_en": c["en"], "holds": int(c["holds"])} for f in checked for c in f.badge["checks"]],
                        columns=["finding", "finding_zh", "finding_en", "check_zh", "check_en", "holds"])
    columns = {"finding": {"zh": "发现编号", "en": "finding"}, "finding_zh": {"zh": "发现", "en": "finding in Chinese"},
               "finding_en": {"zh": "发现英文", "en": "finding in English"},
               "check_zh": {"zh": "另一种做法", "en": "other way in Chinese"},
               "check_en": {"zh": "另一种做法英文", "en": "other way of counting"},
               "holds": {"zh": "结论不变为1", "en": "1 where the finding stands"}}
    shared = dict(stem=stem, data=data, columns=columns, unit={"zh": "次", "en": "checks"}, period=period, **finishing)
    if data.empty:
        return _too_little({"zh": "没有可以换一种口径检验的发现。", "en": "There is no finding to test in another "
                                                                          "way."},
                           title=title, **shared)
    firm = [f for f in checked if f.badge["holds"] == f.badge["of"]]
    weakest = min(checked, key=lambda f: (f.badge["holds"] / f.badge["of"], f.id))
    automatic = {"zh": f"{len(checked)}条发现中，{len(firm)}条在所试的各种口径下都成立",
                 "en": f"{len(firm)} of {len(checked)} findings stand{'s' * (len(firm) == 1)} in each of the "
                       "recounts tried"}

    def scores(lang):
        form = "“{s}”{h}/{o}" if lang == "zh" else "“{s}” {h} of {o}"
        return ("；" if lang == "zh" else "; ").join(
            form.format(s=getattr(f, lang).rstrip("。."), h=f.badge["holds"], o=f.badge["of"]) for f in checked)

    alt = {"zh": f"检验表，{len(checked)}条发现各换{len(ways)}种做法重算：{scores('zh')}。",
           "en": f"Table of {len(checked)} findings recomputed in {len(ways)} other ways: {scores('en')}."}

    short = {(c["zh"], c["en"]): c.get("short") or c for f in checked for c in f.badge["checks"]}

    def layout(lang, width):
        """Inches for the findings and for a column, the lines of each heading, whether these stand upright."""
        heads = [short[way][lang] for way in ways]
        score = text_width("0/0", 8.5) + 0.2
        widest = max(text_width(piece, 7.5) for head in heads for piece in (head.split() if lang == "en" else
                                                                            [head[:3], head[3:]]))
        column = min(max(widest + 0.08, (0.48 * width - score) / len(ways), 0.36), 0.8)
        upright = width - score - column * len(ways) < 0.42 * width
        if upright:
            column = min(0.36, 0.5 * width / len(ways))
        return width - score - column * len(ways), column, [[head] if upright else figures.wrap(
            head, column - 0.05, 7.5).split("\n") for head in heads], upright

    def heading(heads, upright):
        return 0.1 + (max(text_width(h[0], 7.5) for h in heads) if upright else 0.125 * max(map(len, heads)))

    def lines_of(lang, left, size):
        return [figures.wrap(_gist(f, lang), left - 0.2, size).split("\n") for f in checked]

    def tall(lines, size, pad=0.11):
        return [len(some) * size * 1.26 / 72 + pad for some in lines]

    def draw(figure, lang):
        width, height = size_inches(figure)
        left, column, heads, upright = layout(lang, width)
        top = heading(heads, upright)
        room = height - top
        for size, pad in ((8.0, 0.11), (7.5, 0.08), (7.0, 0.05)):
            lines = lines_of(lang, left, size)
            heights = tall(lines, size, pad)
            if sum(heights) <= room:
                break
        shown = len(checked)
        while shown > 1 and sum(heights[:shown]) > room - (0.2 if shown < len(checked) else 0):
            shown -= 1  # the findings stand in the order of the report: the last are left out
        hidden = len(checked) - shown
        spare = max(room - (0.2 if hidden else 0) - sum(heights[:shown]), 0) / shown
        axes = add_axes(figure)
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        places, y = left + column * (np.arange(len(ways)) + 0.5), top
        for i, f in enumerate(checked[:shown]):
            if i:
                axes.axhline(y, color=GRID, linewidth=0.7, zorder=0)
            tallness = heights[i] + spare
            middle = y + tallness / 2
            for k, line in enumerate(lines[i]):
                write(axes, (0, middle + (k - (len(lines[i]) - 1) / 2) * size * 1.26 / 72), line, size)
            verdicts = {(c["zh"], c["en"]): c["holds"] for c in f.badge["checks"]}
            for place, way in zip(places, ways, strict=True):
                if way in verdicts:
                    held = verdicts[way]
                    axes.scatter([place], [middle], s=36, marker="o" if held else "X",
                                 facecolors=LATER if held else EARLIER, linewidths=0)
            write(axes, (width, middle), f"{f.badge['holds']}/{f.badge['of']}", 8.5, ha="right")
            y += tallness
        for place, head in zip(places, heads, strict=True):
            if upright:
                write(axes, (place, top - 0.06), head[0], 7.5, ha="center", va="bottom", rotation=90, color=SOFT_INK)
            else:
                for k, line in enumerate(head):
                    write(axes, (place, top - 0.08 - 0.125 * (len(head) - 1 - k)), line, 7.5, ha="center",
                          va="baseline", color=SOFT_INK)
        if hidden:
            more = f"另有{hidden}条见整页图" if lang == "zh" else f"{hidden} more in the full figure"
            write(axes, (width, height), more, 7.5, shift=(0, 2), ha="right", va="baseline", color=QUIET_INK)

    def page_height(lang):
        left, _, heads, upright = layout(lang, figures.SIZES["page"].width - 0.32)
        return heading(heads, upright) + sum(tall(lines_of(lang, left, 8.0), 8.0)) + 0.12

    n = len(data)
    every = {lang: ("；" if lang == "zh" else "; ").join(way[lang == "en"] for way in ways) for lang in figures.LANGS}
    return figures.finish(
        draw, title=title or automatic, n=n, alt=alt, height=max(map(page_height, figures.LANGS)),
        subtitle={"zh": f"每条发现换{len(ways)}种做法重算，圆点为结论不变，叉为改变，空白为不适用；n={count(n)}次重算",
                  "en": f"Each finding recomputed in {len(ways)} other ways: a dot where it stands, a cross where it "
                        f"does not, blank where the way has no bearing; n = {count(n)} recounts"},
        how_to_read={"zh": f"一行是一条发现，只写要点，全文见数据表；一列是一种做法，自左至右：{every['zh']}。空格表示"
                           "这种做法与该条发现无关。叉多的发现取决于怎么数、用哪些来源，"
                           "引用时要说明。把文章类别的构成拉平不在这些重算之内，有疑问的写在该条发现的说明里。"
                           f"最不稳的一条成立{weakest.badge['holds']}次，共{weakest.badge['of']}次。",
                     "en": "A row is a finding in short, in full in the data; a column is another way, from the left: "
                           f"{every['en']}. A blank means that the way has no bearing on the finding. A finding "
                           "with many crosses depends on how one counts or on which sources: say so when citing it. "
                           "Holding the mix of kinds of articles still is not one of these recounts; where it raises "
                           "a doubt, the caution with the finding says so. "
                           f"The least firm stands in {weakest.badge['holds']} of {weakest.badge['of']}."},
        **shared)


# ---- how wording and risk travel ------------------------------------------------------------------------------------

def _year_axis(axes, first: int, last: int) -> None:
    """A scale of years from the first day of `first` to the last of `last`, in days."""
    import datetime

    low, high = (datetime.date(first, 1, 1).toordinal(), datetime.date(last, 12, 31).toordinal())
    axes.set_xlim(low, high)
    for year in range(first, last + 1):
        start, end = datetime.date(year, 1, 1).toordinal(), datetime.date(year, 12, 31).toordinal()
        if year > first:
            axes.axvline(start, color=GRID, linewidth=0.7, zorder=0)
        write(axes, ((start + end) / 2, 0), str(year), 7.5, at="top", shift=(0, -4), ha="center", va="top",
              color=QUIET_INK)


def _first_within(first_uses: pd.DataFrame, regions, years) -> pd.DataFrame:
    """The first uses by some regions in some years. Who came first is told anew among those regions; a term that was
    there before these years has no first use in them, so that all its rows go."""
    import datetime

    from . import diffusion

    if regions is not None:
        first_uses = diffusion.first_use(_chosen(first_uses, region=regions))
    if years is not None and len(first_uses):
        held = {y: (datetime.date(y, 1, 1).toordinal(), datetime.date(y, 12, 31).toordinal()) for y in _some(years)
                if 0 < y < 10_000}
        low, high = first_uses["day_low"].to_numpy(), first_uses["day_high"].to_numpy()
        # a date that is known to the year only lies in that year
        inside = np.array([any(a <= x and y <= b for a, b in held.values()) for x, y in zip(low, high, strict=True)],
                          bool)
        starts = first_uses["could_be_first"].astype(bool)
        before = set(first_uses.loc[starts & ~inside, "term"])
        first_uses = first_uses[inside & ~first_uses["term"].isin(before)]
    return first_uses


def _who_was_first(nation: int, local: int, unnamed: int, open_: int, lang: str) -> str:
    """How many terms are earliest in the material with the national regulator and how many with a region, for how many
    of the latter the region cannot be told, and for how many neither can."""
    which = {"zh": f"（{'' if unnamed == local else f'{unnamed}个'}说不准是哪家）",
             "en": f" ({'' if unnamed == local else f'for {unnamed} '}it is unclear which)"}[lang] * bool(unnamed)
    if lang == "zh":
        return "，".join([f"{nation}个在材料中最早见于总局"] * bool(nation)
                        + [f"{local}个{'' if nation else '在材料中'}最早见于地方{which}"] * bool(local)
                        + [f"{open_}个难定先后"] * bool(open_))
    came = ([f"{nation} {'is' if nation == 1 else 'are'} first found here with the national regulator"] * bool(nation)
            + [f"{local} {'' if nation else 'is ' if local == 1 else 'are '}{'' if nation else 'first found here '}"
               f"with a region{which}"] * bool(local))
    return "; ".join([listing(came, "en")] * bool(came) + [f"{open_} cannot be decided"] * bool(open_))


def diffusion_timeline(first_uses: pd.DataFrame, *, names: Names, terms: Sequence[str] | None = None,
                       years: Sequence[int] | None = None, regions: Sequence[str] | None = None, n_terms: int = 18,
                       min_regions: int = 3, title: Bilingual | None = None, stem: str = "diffusion_timeline",
                       **finishing) -> FigureCard:
    """When each region first used a term: a row each, a dot for every region, the first users named. No filter of
    themes: a term is looked for in all statements.

    Args:
        first_uses: as `diffusion.first_use` returns it.
        terms: which; by default those that most regions use.
        years: terms that came up in these years, and their first uses in them.
        regions: whose first uses, 全国 for the national regulator; who was first is told among these.
        n_terms: rows at most.
        min_regions: terms with fewer users are left out.
    """
    import datetime

    first_uses = _chosen(_first_within(first_uses, regions, years), term=terms)
    columns = {"term": _TERM_COLUMNS["term"], "term_en": _TERM_COLUMNS["term_en"],
               "region": _SHARE_COLUMNS["region"],
               "region_en": {"zh": "地区英文名", "en": "region in English"},
               "date": {"zh": "首次使用日期", "en": "date of the first use"},
               "order": {"zh": "次序", "en": "order"},
               "could_be_first": {"zh": "可能最早", "en": "could be the first"},
               "first": {"zh": "材料中最早", "en": "earliest in the material"},
               "lag_low": {"zh": "至少晚几天", "en": "days later, at least"},
               "lag_high": {"zh": "至多晚几天", "en": "days later, at most"},
               "n_users": {"zh": "使用的地区数（含总局）", "en": "users, the national regulator included"}}
    frame = first_uses.copy()
    frame["n_users"] = frame.groupby("term")["region"].transform("nunique") if len(frame) else 0
    frame["region_en"] = [names.region(r, "en") for r in frame["region"]]
    frame["term_en"] = [names.term(t, "en") for t in frame["term"]]
    frame = frame[frame["n_users"] >= min_regions]
    sizes = frame.drop_duplicates("term").sort_values(["n_users", "term"], ascending=[False, True])
    chosen = list(sizes["term"].head(n_terms))
    frame = frame[frame["term"].isin(chosen)]
    start = frame.groupby("term")["day_low"].min()
    chosen.sort(key=lambda t: (start[t], t))
    place = {t: i for i, t in enumerate(chosen)}
    data = frame.assign(_row=frame["term"].map(place)).sort_values(["_row", "order"], ignore_index=True)
    years = sorted({datetime.date.fromordinal(int(d)).year for d in (*data["day_low"], *data["day_high"])})
    plotted = data[list(columns)]
    shared = dict(stem=stem, data=plotted, columns=columns, unit={"zh": "日期", "en": "date"}, period=_period(years),
                  **finishing)
    if data.empty:
        return _too_little({"zh": f"没有哪个说法有{min_regions}个以上机构使用并注明日期，排不出先后。",
                            "en": f"No wording is used by {min_regions} or more agencies at known dates, so no order "
                                  "can "
                                  "be given."}, title=title, **shared)
    sure = data[data["first"].astype(bool)].set_index("term")["region"]
    # Whether the national regulator or a region came first may be known where it is not known which region.
    possible = data[data["could_be_first"].astype(bool)].groupby("term")["region"].agg(set)
    local_terms = {t for t in chosen if NATIONAL not in possible[t]}
    nation, local = int((sure == NATIONAL).sum()), len(local_terms)
    unnamed, open_ = len(local_terms - set(sure.index)), len(chosen) - nation - local
    automatic = {"zh": f"{len(chosen)}个说法中，" + _who_was_first(nation, local, unnamed, open_, "zh"),
                 "en": f"Of {len(chosen)} term{'' if len(chosen) == 1 else 's'}, "
                       + _who_was_first(nation, local, unnamed, open_, "en")}
    told = [t for t in chosen if t in sure.index][:4]
    later = {t: int(sizes.set_index("term").loc[t, "n_users"]) - 1 for t in told}

    def user(region, lang):
        return {"zh": "总局", "en": "the national regulator"}[lang] if region == NATIONAL else \
            names.region(region, lang)

    alt = {"zh": f"时间轴，{len(chosen)}个说法在各地区（含总局）首次出现的日期，{year_span(years, 'zh')}；"
                 f"{automatic['zh']}。"
                 + "".join(f"“{t}”最早见于{user(sure[t], 'zh')}，后见于另外{later[t]}家。" for t in told),
           "en": f"Timeline of the first use of {len(chosen)} terms by regions and the national regulator, "
                 f"{year_span(years, 'en')}. {automatic['en']}. "
                 + " ".join(f"“{names.term(t, 'en')}” is first found with {user(sure[t], 'en')}, then with "
                            f"{others(later[t])}." for t in told)}
    alt = {lang: text.strip() for lang, text in alt.items()}

    # where only the year is known, no dot stands after all that is dated more closely
    newest = data.loc[data["date"].str.len() > len("2026"), "day_high"].max()
    newest = np.inf if np.isnan(newest) else newest

    def draw(figure, lang, everything=chosen):
        room = rows_that_fit(figure, len(everything), pitch=0.22, around=0.5)
        most = set(sizes["term"].head(room))  # a small sheet shows the most widely used
        shown = [t for t in everything if t in most]
        open_word, local_word, nation_word = {"zh": ("难定", "某地方局", "总局"),
                                              "en": ("open", "a bureau", "National")}[lang]
        firsts = {t: (local_word if t in local_terms else open_word) if t not in sure.index else
                  nation_word if sure[t] == NATIONAL else names.region(sure[t], lang) for t in shown}
        head = {"zh": "最早", "en": "first"}[lang]
        column = max([text_width(t, 8.2) for t in firsts.values()] + [text_width(head, 8)]) + 0.15
        users = {"zh": "家数", "en": "users"}[lang]
        right = column + text_width(users, 8) + 0.12
        labels = [names.term_label(t, lang) for t in shown]
        axes = add_axes(figure, left=label_margin(labels, 8.8), right=right, top=0.24, bottom=0.24)
        axes.set_ylim(len(shown) - 0.5, -0.5)
        _year_axis(axes, years[0], years[-1])
        points = axes.get_position().width * size_inches(figure)[0] * 72
        low_end, high_end = axes.get_xlim()
        day = (high_end - low_end) / points  # days to a point
        for i, term in enumerate(shown):
            part = data[data["term"] == term]
            low, known_to = part["day_low"].to_numpy(float), part["day_high"].to_numpy(float)
            wide = known_to - low > 45  # a date known to the year or month only
            high = np.minimum(known_to, np.maximum(low, newest))
            # Dots that would hide each other stand side by side.
            # none of them before its date, and none in a later year where there is room
            middle = np.maximum((low + high) / 2, low + 3 * day)
            middle = np.array(figures.spread(middle, 6.2 * day, max(low_end, low.min()) + 3 * day, high_end - 3 * day))
            axes.plot([middle.min(), middle.max()], [i, i], color="#DDD8D0", linewidth=1, zorder=0.5)
            is_nation = (part["region"] == NATIONAL).to_numpy()
            first = part["first"].to_numpy(bool)
            axes.hlines(np.full(wide.sum(), i), low[wide], high[wide], color=UNCLEAR, linewidth=2.4, zorder=1)
            axes.scatter(middle[~is_nation], np.full((~is_nation).sum(), i), s=22, zorder=3,
                         c=[LATER if f else pale(LATER) for f in first[~is_nation]], edgecolors=PAPER,
                         linewidths=0.5)
            axes.scatter(middle[is_nation], np.full(is_nation.sum(), i), s=34, marker="D", c=EARLIER, zorder=4,
                         edgecolors=PAPER, linewidths=0.5)
            write(axes, (1, i), firsts[term], 8.2, at="right", shift=(8, 0), color=INK if term in sure.index else
                  QUIET_INK)
            write(axes, (1, i), str(len(part)), 8.2, at="right", shift=(right * 72 - 2, 0), ha="right", color=SOFT_INK)
        write_rows(axes, range(len(shown)), labels, 8.8)
        write(axes, (1, 1), head, 8, at="axes", shift=(8, 4), va="baseline", color=SOFT_INK)
        write(axes, (1, 1), users, 8, at="axes", shift=(right * 72 - 2, 4), ha="right", va="baseline", color=SOFT_INK)
        national = data["region"] == NATIONAL
        key = [("D", EARLIER, {"zh": "总局", "en": "national regulator"}, {"zh": "总局", "en": "national"})] \
            * bool(national.any())
        key += [("o", pale(LATER), {"zh": "地方局", "en": "regional bureaus"}, {"zh": "地方", "en": "bureaus"})]
        key += [("o", LATER, {"zh": "材料中最早的地方局", "en": "earliest in the material"},
                 {"zh": "材料中最早", "en": "earliest"})] \
            * bool((data["first"].astype(bool) & ~national).any())
        key += [("_", UNCLEAR, {"zh": "日期只知到月或年", "en": "known to the month or year only"},
                 {"zh": "日期不详", "en": "day unknown"})] * bool((data["day_high"] - data["day_low"] > 45).any())
        write_marks_key(axes, [[(mark, colour, words[lang]) for mark, colour, *both in key for words in [both[k]]]
                               for k in (0, 1)])
        write_more(axes, len(everything) - len(shown), lang, len(everything), {
            "zh": "用得最广的", "en": "the most widely used"})

    n = len(data)
    rule = {"zh": f"至少{min_regions}家用过的说法", "en": f"terms of {min_regions} or more users"}
    if len(sizes) > len(chosen):
        rule = {"zh": f"{len(sizes)}个{rule['zh']}中用得最广的{len(chosen)}个",
                "en": f"the {len(chosen)} most widely used of {len(sizes)} {rule['en']}"}
    open_said = {"zh": "", "en": ""}
    if unnamed:
        open_said = {"zh": "“某地方局”指材料中最早的是地方局，但日期分不出是哪一家。",
                     "en": "“A bureau” means that the earliest use here is a bureau’s, but the dates do not tell "
                           "whose. "}
    if open_:
        open_said = {"zh": open_said["zh"] + "“难定”指日期分不出总局与地方的先后。",
                     "en": open_said["en"] + "“Open” means the dates do not decide between the national regulator and "
                                             "the bureaus. "}
    return figures.finish(
        draw, title=title or automatic, n=n, alt=alt, height=0.24 * len(chosen) + 0.55,
        subtitle={"zh": f"各地区与总局首次使用的日期，{rule['zh']}；n={count(n)}次首用。"
                        "只看所收材料，更早的用法可能未收",
                  "en": f"First use by each region and the national regulator, {rule['en']}; n = {count(n)} first "
                        "uses, as far as the material goes"},
        how_to_read={"zh": "一行是一个说法，一点是一家第一次使用的时间，挨得太近的点稍稍错开；"
                           f"材料中最早的地方局，点用深色；灰条表示日期只知到月或年，只画到最晚的确切日期。{open_said['zh']}"
                           "先后只是先后，不等于谁学谁。",
                     "en": "A row is a term, a mark the first time an agency used it (marks that would hide each "
                           "other stand side by side), dark for a bureau that is the earliest in the material; a grey "
                           "bar means the date is known to the month or year only, and ends at the latest date that "
                           f"is known more closely. {open_said['en']}Order in time is "
                           "no sign of who took it from whom."},
        **shared)


def echo_index(echo_by_region: pd.DataFrame, *, names: Names, regions: Sequence[str] | None = None,
               title: Bilingual | None = None, stem: str = "echo_index", period: str = "–", **finishing) -> FigureCard:
    """How much of each region's wording repeats earlier national wording, with intervals. No filter of years or themes:
    the frame adds up all statements of a region; choose among them before `diffusion.echo_by_region`.

    Args:
        echo_by_region: as `diffusion.echo_by_region` returns it.
        regions: which.
        period: years covered.
    """
    echo_by_region = _chosen(echo_by_region, region=regions)
    data = echo_by_region[~echo_by_region["region"].isin(measures.NOT_ONE_REGION)].copy()
    data["region_en"] = [names.region(r, "en") for r in data["region"]]
    for column in ("share", "low", "high", "share_same_year"):
        data[column] = data[column].astype(float) * 100
    data["thin"] = data["thin"].astype(bool)
    data = data.rename(columns={"share": "percent"}).sort_values(
        ["thin", "percent", "region"], ascending=[True, False, True], ignore_index=True)
    columns = {"region": _SHARE_COLUMNS["region"], "region_en": {"zh": "地区英文名", "en": "region in English"},
               "n_statements": _SHARE_COLUMNS["n_statements"], "n_articles": {"zh": "文章数", "en": "articles"},
               "n_chars": {"zh": "比较的字符数", "en": "characters compared"},
               "n_repeated": {"zh": "重复的字符数", "en": "characters repeated"},
               "percent": {"zh": "重复所占比例", "en": "share repeated", "unit": "%"}, "low": _SHARE_COLUMNS["low"],
               "high": _SHARE_COLUMNS["high"],
               "share_same_year": {"zh": "其中总局同一年说的", "en": "of this said in the same year", "unit": "%"},
               "n_echoing": {"zh": "有重复的语句数", "en": "statements that repeat"},
               "median_lag": {"zh": "至少滞后天数的中位数", "en": "median of the least lag", "unit": "天 days"},
               "thin": _SHARE_COLUMNS["thin"]}
    data = data[list(columns)]
    shared = dict(stem=stem, data=data, columns=columns, unit={"zh": "%", "en": "%"}, period=period, **finishing)
    solid = data[~data["thin"] & data["percent"].notna()]
    if solid.empty:
        return _too_little({"zh": "没有一个地区的材料够用，不算地方文字重复总局措辞的比例。",
                            "en": "No region holds enough material to measure how much of its wording repeats the "
                                  "national regulator’s."}, title=title, **shared)
    top = leaders(solid, "percent")
    share = percent(top["percent"].iloc[0])
    first = {"zh": top["region"].iloc[0], "en": top["region_en"].iloc[0]}
    pooled = percent(solid["n_repeated"].sum() / solid["n_chars"].sum() * 100)
    if len(top) == 1 and len(solid) > 1:
        automatic = {"zh": f"{first['zh']}重复总局措辞最多，占其文字的{share}",
                     "en": f"{first['en']} repeats national wording most, {share} of its text"}
    else:
        automatic = {"zh": f"地方文字有{pooled}逐字重复总局此前的措辞，各地难分高下",
                     "en": f"{pooled} of regional wording repeats earlier national wording; regions cannot be ranked"}
    worth = data[~data["thin"] | (data["n_repeated"] > 0)]  # a thin region that repeats nothing says nothing
    n_unshown = len(data) - len(worth)
    unshown = {"zh": "", "en": ""} if not n_unshown else {
        "zh": f"，其中{n_unshown}个一处重复也没有，不画", "en": f", of which {n_unshown} "
                                                                 + ("repeats nothing and is" if n_unshown == 1 else
                                                                    "repeat nothing and are") + " not drawn"}
    alt = {"zh": f"点图，{len(solid)}个材料够用的地区逐字重复总局措辞的比例，合计{pooled}：" + "，".join(
               f"{r.region}{percent(r.percent)}（95%区间{percent(r.low)}至{percent(r.high)}）"
               for r in solid.itertuples())
               + f"。另有{len(data) - len(solid)}个地区材料偏少{unshown['zh']}。",
           "en": f"Dot chart of the share of wording that repeats the national regulator’s, {len(solid)} regions with "
                 f"enough material, {pooled} together: " + ", ".join(
                     f"{r.region_en} {percent(r.percent)} (95% interval {percent(r.low)} to {percent(r.high)})"
                     for r in solid.itertuples()) + f". {len(data) - len(solid)} more hold too "
                     f"little{unshown['en']}."}


    def draw(figure, lang, everything=worth):
        shown = everything.head(rows_that_fit(figure, len(everything), around=0.5))
        labels = [names.region(r, lang) for r in shown["region"]]
        axes = add_axes(figure, left=label_margin(labels, 8.5), right=1.4, top=0.24, bottom=0.24)
        axes.set_ylim(len(shown) - 0.4, -0.6)
        strong = shown[~shown["thin"]]
        # Where nothing repeats, the bound tells how little was read, not how much may be repeated: it sets no scale.
        measured = strong[strong["n_repeated"] > 0]
        peak = max(float(np.nanmax((measured if len(measured) else strong)["high"])), 1.0)
        peak = max(peak, float(np.nanmax(shown["percent"]))) * 1.02
        axes.set_xlim(0, peak)
        step = next(t for t in (0.5, 1, 2, 5, 10, 20, 25) if peak / t < 8)
        ticks = np.arange(0, peak, step)
        write_scale(axes, ticks, [f"{t:g}%" for t in ticks])
        tints = [UNCLEAR if t else LATER for t in shown["thin"]]
        axes.scatter(shown["share_same_year"], np.arange(len(shown)), s=22, facecolors=PAPER, edgecolors=tints,
                     linewidths=1.1, zorder=3, clip_on=False)
        for i, r in enumerate(shown.itertuples()):
            colour = tints[i]
            if np.isfinite(r.low) and not r.thin and r.n_repeated:
                axes.plot([r.low, r.high], [i, i], color=pale(colour), linewidth=4, solid_capstyle="butt")
            elif np.isfinite(r.high) and not r.thin:
                end, late = min(r.high, peak), r.high > 0.85 * peak
                axes.plot([0, end], [i, i], color=pale(colour), linewidth=1, linestyle=(0, (2, 2)))
                write(axes, (end, i), f"≤{percent(r.high)}", 7.5, shift=(-7 if late else 4, 0),
                      ha="right" if late else "left", color=SOFT_INK,
                      bbox={"facecolor": PAPER, "pad": 1, "linewidth": 0})
            axes.scatter([r.percent], [i], s=26, c=[colour], zorder=3, clip_on=False)
            ink = QUIET_INK if r.thin else INK
            write(axes, (1, i), percent(r.percent) if np.isfinite(r.percent) else "–", 8.5, at="right", shift=(36, 0),
                  ha="right", color=ink)
            lag = "" if not np.isfinite(r.median_lag) else f"{r.median_lag:.0f}"
            write(axes, (1, i), lag, 8, at="right", shift=(66, 0), ha="right", color=QUIET_INK)
            write(axes, (1, i), count(r.n_statements), 8, at="right", shift=(98, 0), ha="right", color=QUIET_INK)
        empty = strong[strong["n_repeated"] == 0]
        mark_beyond(axes, empty.index, empty["low"], empty["high"], [pale(LATER)] * len(empty))
        write_rows(axes, range(len(shown)), labels, 8.5, [QUIET_INK if t else INK for t in shown["thin"]])
        keys = {"zh": ["● 重复此前的说法  ○ 其中总局同一年的", "● 全部  ○ 同年"],
                "en": ["● repeats what was said before   ○ of that, in the same year", "● all   ○ same year"]}[lang]
        write(axes, (0, 1), longest_that_fits(axes, keys, 8), 8, at="axes", shift=(0, 4), va="baseline", color=SOFT_INK)
        for word, x in (({"zh": "至少滞后", "en": "lag ≥"}[lang], 66), ("n", 98)):
            write(axes, (1, 1), word, 7.5, at="axes", shift=(x, 4), ha="right", va="baseline", color=QUIET_INK)
        write_more(axes, len(everything) - len(shown), lang, len(everything), {
            "zh": "材料够用的，由高到低", "en": "regions with enough material, from the top"})

    n = int(data["n_statements"].sum())
    none = {"zh": "", "en": ""} if solid["n_repeated"].all() else {
        "zh": "；虚线为一处重复也没有", "en": "; a broken line: nothing repeated"}
    why = {"zh": "", "en": ""} if solid["n_repeated"].all() else {
        "zh": "虚线的地区一处重复也没有，无从估计文章之间的差异，只能把一篇算作一个样本来推算上限（“≤”后的数）："
              "上限高，是读到的文章少、还排除不了，不是可能重复得多，不能同别的地区比长短。",
        "en": " Where the line is broken nothing at all is repeated: no difference between articles can be measured, "
              "so that each counts as one observation in the upper bound (after ≤). A high bound says that few "
              "articles were read, not that much is repeated; do not compare it with the other intervals."}
    return figures.finish(
        draw, title=title or automatic, n=n, alt=alt, height=0.19 * len(worth) + 0.55,
        subtitle={"zh": f"各地文字逐字重复总局此前措辞的比例与95%区间；n={count(n)}条语句，滞后为至少天数的中位数，"
                        f"灰色材料偏少{unshown['zh']}{none['zh']}",
                  "en": "Share of each region’s wording that repeats earlier national wording, with 95% intervals; n "
                        "= "
                        f"{count(n)} statements; lag: median of the least days; grey: too little material"
                        + unshown["en"] + none["en"]},
        how_to_read={"zh": "点越靠右，这个地区的文字里与总局此前说法一字不差的部分越多；"
                           "空心点只计总局同一年的说法，与实心点重合时看不见。"
                           "机构名、会议名和数字不算。"
                           f"重复可能是转述，也可能同出一源。{why['zh']}",
                     "en": "The further right, the more of the region’s text is word for word what the national "
                           "regulator said before; a hollow dot counts only what it said that year, and hides behind "
                           "the other where that is all. Names of agencies, "
                           "meetings and figures do not count. The region may be quoting, or both may "
                           f"draw on a third source.{why['en']}"},
        **shared)


def slogan_life(life: pd.DataFrame, *, names: Names | None = None, terms: Sequence[str] | None = None,
                n_terms: int = 16, title: Bilingual | None = None, stem: str = "slogan_life",
                **finishing) -> FigureCard:
    """From when to when each slogan lives, its peak, and what follows it. No filter of years, regions or themes: a life
    is told over all years, in the region the frame was made for.

    Args:
        life: as `diffusion.slogan_life` returns it.
        names: for the English names of terms.
        terms: which; by default the most widely used that are not thin, faded ones first.
        n_terms: rows at most.
    """
    frame = _chosen(life[~life["thin"].astype(bool)], term=terms).copy()
    frame["faded"] = frame["fade"].notna()
    frame = frame.sort_values(["faded", "n_articles", "term"], ascending=[False, False, True])
    faded, alive = frame[frame["faded"]], frame[~frame["faded"]]
    chosen = pd.concat([faded.head(max(n_terms // 2, n_terms - len(alive))), alive]).head(n_terms)
    data = chosen.sort_values(["birth", "peak", "term"], ignore_index=True)
    data["peak_share"] = data["peak_share"].astype(float) * 100
    names = names or _NO_NAMES
    data["term_en"] = [names.term(t, "en") for t in data["term"]]
    columns = {"term": _TERM_COLUMNS["term"], "term_en": _TERM_COLUMNS["term_en"],
               "n_articles": _TERM_COLUMNS["n_articles"],
               "birth": {"zh": "出现的年份", "en": "year it came up"},
               "birth_known": {"zh": "此前确无", "en": "not there before"},
               "peak": {"zh": "最盛的年份", "en": "peak"},
               "peak_share": {"zh": "最盛时占文章", "en": "share of articles at its peak", "unit": "%"},
               "last": {"zh": "最后见到的年份", "en": "last seen"}, "fade": {"zh": "淡出的年份", "en": "faded"},
               "fade_sure": {"zh": "淡出确定", "en": "surely faded"}, "successor": {"zh": "接替者", "en": "successor"}}
    years = sorted({int(y) for column in ("birth", "peak", "last") for y in data[column]})
    data = data[list(columns)]
    shared = dict(stem=stem, data=data, columns=columns, unit={"zh": "年", "en": "year"}, period=_period(years),
                  **finishing)
    if data.empty or len(years) < 2:
        return _too_little({"zh": "没有哪个说法的材料够看出兴衰。",
                            "en": "No wording has enough material to tell its rise and fall."}, title=title, **shared)
    gone = data[data["fade_sure"].astype(bool)]
    followed = data[data["successor"].notna()]
    unseen = data[(data["last"] < years[-1]) & ~data["fade_sure"].astype(bool)]
    if len(gone):
        several = len(gone) > 1
        automatic = {"zh": f"{listing([quoted(t) for t in gone['term'].head(3)], 'zh')}"
                           + (f"等{len(gone)}个说法" if len(gone) > 3 else "") + "已经淡出",
                     "en": ("Terms that have faded: " if several else "A term that has faded: ")
                           + listing([quoted(t) for t in gone["term_en"].head(3)], "en")
                           + (f" and {len(gone) - 3} more" if len(gone) > 3 else "")}
    elif len(unseen):
        automatic = {"zh": f"{len(data)}个常用说法中，{len(unseen)}个在{years[-1]}年没再见到，但都还不能断定淡出",
                     "en": f"{len(unseen)} of {len(data)} common terms "
                           + ("is" if len(unseen) == 1 else "are")
                           + f" not found in {years[-1]}, but none has surely faded"}
    else:
        automatic = {"zh": f"{len(data)}个常用说法中，没有哪个确已淡出",
                     "en": f"None of {len(data)} common terms has surely faded"}
    alt = {"zh": f"时间条，{len(data)}个说法自出现到最后见到的年份，{year_span(years, 'zh')}。确已淡出的有{len(gone)}个"
                 + (f"：{'、'.join(gone['term'])}" if len(gone) else "") + "。"
                 + (f"{years[-1]}年没再见到、但还不能断定淡出的有{'、'.join(unseen['term'])}。" if len(unseen) else "")
                 + "".join(f"“{r.term}”之后有“{r.successor}”。" for r in followed.head(3).itertuples()),
           "en": f"Bars of the years {len(data)} terms are found in, {year_span(years, 'en')}. {len(gone)} have surely "
                 f"faded" + (f": {', '.join(gone['term_en'])}" if len(gone) else "") + ". "
                 + (f"Not found in {years[-1]}, yet not surely faded: {', '.join(unseen['term_en'])}. "
                    if len(unseen) else "")
                 + " ".join(f"“{r.term_en}” is followed by “{names.term(r.successor, 'en')}”."
                            for r in followed.head(3).itertuples())}
    alt = {lang: text.strip() for lang, text in alt.items()}

    def draw(figure, lang, everything=data):
        room = rows_that_fit(figure, len(everything), pitch=0.19, around=0.5)
        first = everything.sort_values(["fade_sure", "n_articles", "term"], ascending=[False, False, True])
        shown = everything.loc[sorted(first.index[:room])]
        after = [f"→ {names.term(t, lang)}" if isinstance(t, str) else "" for t in shown["successor"]]
        labels = [names.term_label(t, lang) for t in shown["term"]]
        head = {"zh": "最盛占比", "en": "peak"}[lang]
        column = max(text_width(head, 8), text_width("100%", 8.5)) + 0.12
        widest = max((text_width(t, 8) for t in after), default=0)
        axes = add_axes(figure, left=label_margin(labels, 8.5), right=column + (widest + 0.12 if widest else 0),
                        top=0.24, bottom=0.24)
        axes.set_xlim(years[0] - 0.5, years[-1] + 0.5)
        axes.set_ylim(len(shown) - 0.4, -0.6)
        write_scale(axes, range(years[0], years[-1] + 1), [str(y) for y in range(years[0], years[-1] + 1)])
        for i, r in enumerate(shown.itertuples()):
            is_gone = bool(r.fade_sure)
            colour = EARLIER if is_gone else LATER
            axes.barh(i, r.last - r.birth + 0.7, left=r.birth - 0.35, height=0.5, color=tint(colour, 0.25),
                      edgecolor=pale(colour), linewidth=0.8)
            if not r.birth_known:  # it may be older than the material
                axes.barh(i, 0.15, left=r.birth - 0.5, height=0.5, color=tint(colour, 0.15))
            axes.scatter([r.peak], [i], s=34, c=[colour], zorder=3)
            write(axes, (1, i), f"{r.peak_share:.0f}%", 8.5, at="right", shift=(column * 72, 0), ha="right")
            write(axes, (1, i), after[i], 8, at="right", shift=(column * 72 + 8, 0), color=SOFT_INK)
        write(axes, (1, 1), head, 8, at="axes", shift=(column * 72, 4), ha="right", va="baseline", color=SOFT_INK)
        write_rows(axes, range(len(shown)), labels)
        write_more(axes, len(everything) - len(shown), lang, len(everything), {
            "zh": "已淡出的和用得最广的", "en": "faded ones, then the most widely used"})

    n = int(data["n_articles"].sum())
    older = not data["birth_known"].all()
    return figures.finish(
        draw, title=title or automatic, n=n, alt=alt, height=0.21 * len(data) + 0.5,
        subtitle={"zh": "各说法见于哪些年份，圆点为最盛的一年，右列为当年占文章的比例"
                        + "；褐色的已淡出" * bool(len(gone)) + "；箭头后为接替者" * bool(len(followed))
                        + f"；n={count(n)}篇次",
                  "en": "Years in which a term is found; the dot is its peak year, at the right its share of that "
                        "year’s articles" + "; ochre has faded" * bool(len(gone))
                        + "; an arrow leads to the successor" * bool(len(followed)) + f"; n = {count(n)} uses"},
        how_to_read={"zh": "横条从第一次见到的年份到最后一次" + "；左端伸出浅色的，材料开始时已经在用" * older
                           + "。淡出，指此后的占比一直不到最盛时的一半，且两者的95%区间分得开；"
                             "横条早早结束而区间分不开的，可能只是近年材料少，不算淡出。",
                     "en": "The bar runs from the first year in which a term is found to the last"
                           + "; a paler tip means it was there when the material begins" * older
                           + ". A term has faded when its share stays under half of its peak and the two 95% intervals "
                             "do not overlap. A bar may end early only because there is little recent material: where "
                             "the intervals overlap, the term does not count as faded."},
        **shared)


def adoption(adoption: pd.DataFrame, *, names: Names | None = None, terms: Sequence[str] | None = None,
             years: Sequence[int] | None = None, n_terms: int = 12, title: Bilingual | None = None,
             stem: str = "adoption", **finishing) -> FigureCard:
    """The share of regions that use a term, by year, counting only regions that could be seen to use it. No filter of
    regions or themes: the share is taken over all regions, and a term looked for in all statements.

    Args:
        adoption: as `diffusion.adoption` returns it.
        names: for the English names of terms.
        terms: which; by default those most widely adopted.
        years: which, two at least; each tells the share by its end, whatever came before.
        n_terms: panels at most.
    """
    frame = _chosen(adoption, term=terms, year=years)
    last = frame.sort_values(["term", "year"]).groupby("term").tail(1)
    last = last.sort_values(["adopted", "n_regions", "term"], ascending=[False, False, True])
    chosen = list(last["term"].head(n_terms))
    data = frame[frame["term"].isin(chosen)].copy()
    for column in ("adopted", "low", "high"):
        data[column] = data[column].astype(float) * 100
    data["_row"] = data["term"].map({t: i for i, t in enumerate(chosen)})
    data = data.sort_values(["_row", "year"], ignore_index=True)
    names = names or _NO_NAMES
    data["term_en"] = [names.term(t, "en") for t in data["term"]]
    columns = {"term": _TERM_COLUMNS["term"], "term_en": _TERM_COLUMNS["term_en"], "year": _SHARE_COLUMNS["year"],
               "adopted": {"zh": "已使用的地区", "en": "regions that use it", "unit": "%"},
               "low": _SHARE_COLUMNS["low"], "high": _SHARE_COLUMNS["high"],
               "at_risk": {"zh": "当年可观察的地区数", "en": "regions observable that year"},
               "events": {"zh": "当年首用的地区数", "en": "regions that began that year"},
               "n_regions": {"zh": "曾可观察的地区数", "en": "regions ever observable"},
               "n_unseen": {"zh": "没有材料的地区数", "en": "regions without material"}}
    data = data[list(columns)]
    years = _years_of(data)
    shared = dict(stem=stem, data=data, columns=columns, unit={"zh": "%", "en": "%"}, period=_period(years),
                  **finishing)
    if data.empty or len(years) < 2:
        return _too_little({"zh": "可观察的地区太少，看不出一个说法怎样在各地铺开。",
                            "en": "Too few regions can be observed to see a wording spread."}, title=title, **shared)
    ends = data.groupby("term").tail(1).set_index("term").loc[chosen]
    first = ends.iloc[0]
    automatic = {"zh": f"“{chosen[0]}”铺开最广，到{years[-1]}年估计{percent(first['adopted'], 0)}的可观察地区用过",
                 "en": f"The term “{names.term(chosen[0], 'en')}” spread furthest: by {years[-1]} an estimated "
                       f"{percent(first['adopted'], 0)} of observable regions had used it"}
    second_high = ends["high"].iloc[1:].max() if len(ends) > 1 else -np.inf
    if len(ends) > 1 and not (first["low"] > second_high):
        automatic = {"zh": f"{len(chosen)}个说法在各地铺开的程度，差别大多在误差之内",
                     "en": f"How far {len(chosen)} terms spread over the regions mostly differs within error"}
    alt = {"zh": f"小型折线图{len(chosen)}幅，各说法按年累计的使用地区比例（未收材料的地区作删失处理）。到最后："
                 + "，".join(f"“{t}”{percent(ends.loc[t, 'adopted'])}" for t in chosen) + "。",
           "en": f"{len(chosen)} small line charts of the share of regions that use a term by the end of each year, "
                 "regions "
                 "without material censored. In the end: "
                 + ", ".join(f"“{names.term(t, 'en')}” {percent(ends.loc[t, 'adopted'])}" for t in chosen) + "."}

    def draw(figure, lang):
        panels = []
        for term in chosen:
            rows = data[data["term"] == term]
            panels.append(Panel(names.term_label(term, lang), LATER, list(rows["year"]), list(rows["adopted"]),
                                list(rows["low"].fillna(rows["adopted"])), list(rows["high"].fillna(rows["adopted"])),
                                [False] * len(rows)))
        small_multiples(figure, panels, lambda v: f"{v:.0f}%", lang)

    n = int(ends["n_regions"].max())
    return figures.finish(
        draw, title=title or automatic, n=n, alt=alt, height=1.12 * -(-len(chosen) // 4),
        subtitle={"zh": f"用过该说法的地区比例与95%区间（卡普兰—迈耶估计）；至多{n}个可观察的地区",
                  "en": f"Share of regions that have used the term, with 95% intervals (Kaplan–Meier); at most {n} "
                        "observable regions"},
        how_to_read={"zh": "线越高，用过这个说法的地区越多。没有材料的地区既不算用过，也不算没用，"
                           "自它最后一次有材料起不再计入。" + SMALL_SHEET_RULE["zh"],
                     "en": "The higher the line, the more regions have used the term. A region without material counts "
                           "neither as using nor as not using it: it leaves the sum after its last material. "
                           + SMALL_SHEET_RULE["en"]},
        **shared)


def risk_transmission(passings: pd.DataFrame, *, places: Mapping[str, Bilingual], years: Sequence[int] | None = None,
                      sources: Sequence[str] | None = None, targets: Sequence[str] | None = None,
                      title: Bilingual | None = None, stem: str = "risk_transmission", **finishing) -> FigureCard:
    """Which risks are said to pass into which: sources at the left, targets at the right, a band for each pair. No
    filter of regions or themes: a passing is told by its places, not by who speaks or in which theme.

    Args:
        passings: as `diffusion.risk_transmission` returns it; what is denied is left out.
        places: place id → zh, en, of `diffusion.TransmissionRules.places`; `unnamed` need not be there.
        years: which.
        sources, targets: place ids: from which, into which.
    """
    unnamed = {"zh": "（未点明）", "en": "(not named)"}
    frame = _chosen(passings[passings["stance"] != "denied"], year=years, source=sources, target=targets)
    # A statement that says it with two verbs says it once.
    frame = frame.drop_duplicates(["statement_id", "source", "target"])
    years = sorted(int(y) for y in frame["year"].dropna().unique() if y > 0)
    data = (frame.groupby(["source", "target"]).agg(n=("statement_id", "size"), n_articles=("article_id", "nunique"))
            .reset_index().sort_values(["n", "source", "target"], ascending=[False, True, True], ignore_index=True))

    def name(place, lang):
        return places[place][lang] if place in places else unnamed[lang] if place == "unnamed" else place

    for end in ("source", "target"):
        for lang in figures.LANGS:
            data[f"{end}_{lang}"] = [name(p, lang) for p in data[end]]
    columns = {"source": {"zh": "来处代码", "en": "code of the source"},
               "target": {"zh": "去处代码", "en": "code of the target"},
               "source_zh": {"zh": "风险来处", "en": "source in Chinese"},
               "target_zh": {"zh": "风险去处", "en": "target in Chinese"},
               "source_en": {"zh": "风险来处英文名", "en": "source"},
               "target_en": {"zh": "风险去处英文名", "en": "target"},
               "n": {"zh": "语句数", "en": "statements", "unit": "条"},
               "n_articles": {"zh": "文章数", "en": "articles", "unit": "篇"}}
    data = data[list(columns)]
    shared = dict(stem=stem, data=data, columns=columns, unit={"zh": "条", "en": "statements"}, period=_period(years),
                  **finishing)
    n = int(frame["statement_id"].nunique())
    if len(data) < 2:
        return _too_little({"zh": "语料中说到风险从一处传到另一处的语句太少，画不出传导关系。",
                            "en": "The corpus says too seldom that one risk passes into another for a picture."},
                           title=title, **shared)
    top = data[(data["source"] != "unnamed") & (data["target"] != "unnamed")]
    first = (top if len(top) else data).iloc[0]
    few = n < 10
    said = {"zh": f"语料中{'总共只有' if few else '有'}{n}条语句说到风险传递",
            "en": f"{'Only ' if few else ''}{n} statement{'' if n == 1 else 's'} {'in all ' if few else ''}"
                  f"{'says' if n == 1 else 'say'} that risk passes on"}
    if int((data["n"] == first["n"]).sum()) == 1:
        automatic = {"zh": f"{said['zh']}，最多的是“{first['source_zh']}”到“{first['target_zh']}”，{first['n']}条",
                     "en": f"{said['en']}; {first['n']} of them from “{first['source_en']}” to "
                           f"“{first['target_en']}”"}
    elif first["n"] == data["n"].max() == 1:
        automatic = {"zh": f"{said['zh']}，没有哪一对说到两次",
                     "en": f"{said['en']}, no two of them between the same ends"}
    else:
        automatic = {"zh": f"{said['zh']}，说得最多的不止一对", "en": f"{said['en']}; several pairs come first"}
    alt = {"zh": f"流向图，{year_span(years, 'zh')}语料中说到的风险传递，共{n}条语句、{len(data)}对。最多的："
                 + "，".join(f"{r.source_zh}到{r.target_zh}{r.n}条" for r in data.head(5).itertuples()) + "。",
           "en": f"Flow chart of risk said to pass on, {year_span(years, 'en')}: {n} statements, {len(data)} pairs. "
                 "Most: "
                 + ", ".join(f"{r.source_en} to {r.target_en} {r.n}" for r in data.head(5).itertuples()) + "."}

    def draw(figure, lang):
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path as Outline

        _, height = size_inches(figure)
        ends = {}
        for end in ("source", "target"):
            ends[end] = data.groupby(end)["n"].sum().sort_values(ascending=False, kind="stable")
        labels = {end: {p: f"{name(p, lang)}  {v}" for p, v in ends[end].items()} for end in ends}
        left = max(text_width(t, 8.5) for t in labels["source"].values()) + 0.12
        right = max(text_width(t, 8.5) for t in labels["target"].values()) + 0.12
        axes = add_axes(figure, left=left, right=right, top=0.24, bottom=0.04)
        axes.set_xlim(0, 1)
        rows = max(len(v) for v in ends.values())
        gap = 0.115 if rows * 0.115 < height - 0.5 else (height - 0.5) / rows * 0.8
        plot = height - 0.28
        unit = min((plot - gap * len(v)) / v.sum() for v in ends.values())
        axes.set_ylim(plot, 0)
        top_of = {}
        for end, v in ends.items():
            at = (plot - unit * v.sum() - gap * len(v)) / 2
            for place, total in v.items():
                top_of[end, place] = at + gap / 2
                middle = at + gap / 2 + unit * total / 2
                axes.barh(middle, 0.012, left=0 if end == "source" else 0.988, height=max(unit * total, 0.02),
                          color=INK)
                write(axes, (0 if end == "source" else 1, middle), labels[end][place], 8.5,
                      shift=(-5 if end == "source" else 5, 0), ha="right" if end == "source" else "left",
                      color=QUIET_INK if place == "unnamed" else INK)
                at += unit * total + gap
        used = dict(top_of)
        strongest = int(data["n"].max())
        for r in data.sort_values(["source", "n"], ascending=[True, False]).itertuples():
            a, b, thick = used["source", r.source], used["target", r.target], unit * r.n
            used["source", r.source] += thick
            used["target", r.target] += thick
            vertices = [(0.012, a), (0.5, a), (0.5, b), (0.988, b), (0.988, b + thick), (0.5, b + thick),
                        (0.5, a + thick), (0.012, a + thick), (0.012, a)]
            codes = [Outline.MOVETO, *[Outline.CURVE4] * 3, Outline.LINETO, *[Outline.CURVE4] * 3, Outline.CLOSEPOLY]
            grey = "unnamed" in (r.source, r.target)
            axes.add_patch(PathPatch(Outline(vertices, codes), linewidth=0, alpha=0.75, facecolor=tint(
                "#77726A" if grey else "#9E321D", 0.4 if grey else 0.3 + 0.6 * r.n / max(strongest, 3))))
        for x, ha, word in ((0, "left", {"zh": "风险来自", "en": "Risk from"}[lang]),
                            (1, "right", {"zh": "传到", "en": "passes into"}[lang])):
            write(axes, (x, 1), word, 8, at="axes", shift=(0, 5), ha=ha, va="baseline", color=SOFT_INK)

    rows = max(data["source"].nunique(), data["target"].nunique())
    grey_ends = bool((data[["source", "target"]] == "unnamed").any(axis=None))
    return figures.finish(
        draw, title=title or automatic, n=n, alt=alt, height=max(2.0, 0.26 * rows + 0.6),
        subtitle={"zh": f"说到一种风险传到另一处的语句，{year_span(years, 'zh')}；n={n}条语句，否认的不计",
                  "en": f"Statements that say one risk passes into another, {year_span(years, 'en')}; n = {n} "
                        "statements, denials left out"},
        how_to_read={"zh": "左边是风险的来处，右边是去处，带子越宽说得越多，两端的数是带子相加。同一条语句把同一对说了"
                           "两遍，只计一次；说到几对的，每对各计一次，所以相加可以多于语句数。"
                           + "灰色的，原文没有点明一端。" * grey_ends + "这是文中的说法，不是测得的传导。",
                     "en": "At the left where risk comes from, at the right where it goes; the wider, the more "
                           "statements say so. The numbers at the ends add up the bands. A statement counts once for "
                           "each pair it tells of, however often it does, so that the bands can add up to more than "
                           "the statements. " + "Grey where the text does not name an end. " * grey_ends
                           + "This is what texts say, not transmission measured."},
        **shared)


def quantities(table: pd.DataFrame, *, unit: str = "%", change: bool = True, n_rows: int = 14,
               years: Sequence[int] | None = None, regions: Sequence[str] | None = None,
               title: Bilingual | None = None, stem: str = "quantities", **finishing) -> FigureCard:
    """What statements quote figures of: each quoted value a dot, by what it counts. No filter of themes: a figure is
    told by what it counts, not by the themes of its statement.

    Args:
        table: as `quantities.quantity_table` returns it.
        years: which.
        regions: figures of statements on one of them.
        unit: only values in this unit; one scale serves one unit.
        change: only values told as a change (up or down), down as negative; all when False.
        n_rows: the things counted most often.
    """
    frame = _chosen(table, year=years, regions=regions)
    frame = frame[(frame["unit"] == unit) & frame["what"].notna() & frame["value"].notna()].copy()
    if change:
        frame = frame[frame["change"].notna()]
        frame["value"] = frame["value"] * np.where(frame["change"] == "down", -1.0, 1.0)
    sizes = frame.groupby("what").agg(n=("value", "size"), articles=("article_id", "nunique")).reset_index()
    sizes = sizes.sort_values(["n", "articles", "what"], ascending=[False, False, True])
    sizes = sizes[sizes["n"] >= 2].head(n_rows)
    chosen = list(sizes["what"])
    columns = {"what": {"zh": "所指", "en": "what is counted"}, "year": _SHARE_COLUMNS["year"],
               "regions": {"zh": "地区", "en": "regions"}, "value": {"zh": "数值", "en": "value", "unit": unit},
               "quantity": {"zh": "原文", "en": "as written"}, "statement_id": {"zh": "语句编号", "en": "statement"}}
    data = frame[frame["what"].isin(chosen)].copy()
    data["_row"] = data["what"].map({w: i for i, w in enumerate(chosen)})
    data = data.sort_values(["_row", "year", "statement_id", "start"], ignore_index=True)
    years = sorted(int(y) for y in data["year"].dropna().unique() if y > 0)
    plotted = data[list(columns)]
    shared = dict(stem=stem, data=plotted, columns=columns, unit={"zh": unit, "en": unit}, period=_period(years),
                  **finishing)
    if len(data) < 3:
        return _too_little({"zh": "语句里引用的同类数字太少，不画分布。",
                            "en": "Too few figures of one kind are quoted to show how they lie."},
                           title=title, **shared)
    first = data[data["what"] == chosen[0]]["value"]
    middle = data.groupby("what")["value"].median()
    told = {"zh": "增减幅度" if change else "数值", "en": "changes" if change else "values"}
    automatic = {"zh": f"引用最多的{told['zh']}是“{chosen[0]}”：{len(first)}处，中位数{first.median():.1f}{unit}",
                 "en": f"“{chosen[0]}” is quoted most: {len(first)} {told['en']}, median {first.median():.1f}{unit}"}
    alt = {"zh": f"点列图，语句中引用的{told['zh']}，{year_span(years, 'zh')}，{len(data)}处，"
                 f"按所指分{len(chosen)}行。中位数："
                 + "，".join(f"{w}{middle[w]:.1f}{unit}（{int((data['what'] == w).sum())}处）"
                            for w in chosen[:6]) + "。",
           "en": f"Strip chart of {told['en']} quoted in statements, {year_span(years, 'en')}: {len(data)} in "
                 f"{len(chosen)} "
                 "rows by what they count. Medians: "
                 + ", ".join(f"{w} {middle[w]:.1f}{unit} ({int((data['what'] == w).sum())})" for w in chosen[:6]) + "."}

    def draw(figure, lang, everything=chosen):
        shown = everything[:rows_that_fit(figure, len(everything), around=0.4)]
        axes = add_axes(figure, left=label_margin(shown, 8.5), right=0.75, top=0.2, bottom=0.24)
        part = data[data["what"].isin(shown)]
        axes.set_ylim(len(shown) - 0.4, -0.6)
        low, high = float(min(part["value"].min(), 0)), float(part["value"].max())
        # One extreme figure must not press the rest together; it stands at the edge, its value beside it.
        inner = np.quantile(part["value"], [0.02, 0.98])
        spread = max(inner[1] - inner[0], 1e-9)
        low, high = max(low, inner[0] - 0.35 * spread), min(high, inner[1] + 0.35 * spread)
        low, high = min(low, 0.0), max(high, 0.0)
        axes.set_xlim(low - 0.02 * (high - low), high + 0.02 * (high - low))
        step = next(s * 10.0**e for e in range(-3, 12) for s in (1, 2, 5) if (high - low) / (s * 10.0**e) < 7)
        ticks = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
        write_scale(axes, ticks, [f"{t:+g}".replace("-", "−") if change and t else f"{t:g}" for t in ticks])
        axes.axvline(0, color=UNCLEAR, linewidth=0.7, zorder=1)
        for i, what in enumerate(shown):
            values = part.loc[part["what"] == what, "value"].to_numpy(float)
            axes.scatter(np.clip(values, low, high), np.full(len(values), i), s=20, c=LATER, alpha=0.65, linewidths=0,
                         zorder=2)
            axes.plot([middle[what].clip(low, high)] * 2, [i - 0.36, i + 0.36], color=EARLIER, linewidth=2, zorder=3)
            write(axes, (1, i), f"{middle[what]:.1f}", 8.5, at="right", shift=(30, 0), ha="right")
            write(axes, (1, i), str(len(values)), 7.5, at="right", shift=(52, 0), ha="right", color=QUIET_INK)
        write_rows(axes, range(len(shown)), shown)
        write(axes, (1, 1), {"zh": "中位", "en": "mid"}[lang], 7.5, at="axes", shift=(30, 3), ha="right", va="baseline",
              color=SOFT_INK)
        write(axes, (1, 1), "n", 7.5, at="axes", shift=(52, 3), ha="right", va="baseline", color=QUIET_INK)
        write_more(axes, len(everything) - len(shown), lang, len(everything), {
            "zh": "引用最多的", "en": "quoted most"})

    n = len(data)
    return figures.finish(
        draw, title=title or automatic, n=n, alt=alt, height=0.2 * len(chosen) + 0.45,
        subtitle={"zh": f"语句中引用的{told['zh']}（{unit}），{year_span(years, 'zh')}；n={n}处，短竖线为中位数",
                  "en": f"{told['en'].capitalize()} quoted in statements ({unit}), {year_span(years, 'en')}; n = {n} "
                        "figures; the short line is the median"},
        how_to_read={"zh": "一点是原文引用的一个数；各处口径、时段和地区不同，只能看大致的范围，不能相加或比较高低。",
                     "en": "A dot is one quoted figure; definitions, periods and regions differ, so read the range, "
                           "and do "
                           "not add or rank."},
        **shared)
