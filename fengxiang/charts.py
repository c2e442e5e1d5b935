"""One function per chart: from a table of the build, or the frame of a measure, to a finished figure.

Every function takes the frame it draws, `names` (what themes and regions are called), filters where it has them, and
passes what it does not know on to `figures.finish`: `out` and `source` always, `size` and `formats` where wanted.
Without a `title` it writes one from the plotted numbers, and claims no order that the intervals do not bear. With too
little to draw it says so in the figure, in prose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from . import figures, measures
from .figures import GRID, INK, NEUTRAL, PAPER, QUIET_INK, SOFT_INK, THIN, FigureCard, add_axes, size_inches, text_width
from .model import NATIONAL

if TYPE_CHECKING:
    from .coding import Codebook

MARK = "#55616C"
EARLIER, LATER = "#9A6212", "#43388A"
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
    """

    themes: dict[str, dict[str, str]]
    groups: dict[str, dict[str, str]]
    regions: dict[str, str]
    tiles: dict[str, tuple[int, int]]
    grades: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, codebook: Codebook, regions_file: str | Path) -> Names:
        """Names of a loaded codebook and of its `regions.yml`."""
        from .yamlfile import YamlFile

        regions = YamlFile(regions_file).data["regions"]
        return cls(
            themes={t.code: {"zh": t.name_zh, "en": t.name_en, "group": t.group} for t in codebook.themes},
            groups={g.id: {"zh": g.name_zh, "en": g.name_en, "colour": g.colour} for g in codebook.groups},
            regions={r["name"]: r["en"] for r in regions},
            tiles={r["name"]: tuple(r["tile"]) for r in regions if r.get("tile")},
            grades={g.id: {"zh": g.name_zh, "en": g.name_en} for g in codebook.grades})

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

    def colour(self, code: str) -> str:
        """The colour of a theme's group."""
        group = self.themes.get(code, {}).get("group")
        return self.groups[group]["colour"] if group in self.groups else NEUTRAL

    def region(self, name: str, lang: str) -> str:
        if lang == "zh":
            return {"all": "全部", "none": "无归属"}.get(name, name)
        return {"all": "All", "none": "Not attributed"}.get(name, self.regions.get(name, name))

    def theme_order(self, codes) -> list[str]:
        """`codes` in the order of the codebook, unknown ones last by name."""
        known = {code: i for i, code in enumerate(self.themes)}
        return sorted(codes, key=lambda code: (known.get(code, len(known)), code))


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


def leaders(frame: pd.DataFrame, value: str = "share", low: str = "low", high: str = "high") -> pd.DataFrame:
    """The rows that may truly be first: those whose upper bound reaches the lower bound of the largest value. One row
    where the first stands clear of all others; sorted by value downward."""
    known = frame.dropna(subset=[value, low, high]).sort_values(value, ascending=False, kind="stable")
    return known[known[high] >= known[low].iloc[0]] if len(known) else known


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


def _rows_that_fit(figure, n: int, pitch: float = 0.165, around: float = 0.45) -> int:
    """How many rows of `pitch` inches have room, when `around` inches go to axes and headings."""
    return max(1, min(n, int((size_inches(figure)[1] - around) / pitch + 1e-6)))


def _label_margin(labels: Sequence[str], size: float) -> float:
    return max((text_width(label, size) for label in labels), default=0) + 0.09


def _mix(colour: str, share: float, paper: str = PAPER) -> tuple[float, float, float]:
    """`colour` laid over paper with opacity `share`: the steps of a sequential scale."""
    from matplotlib.colors import to_rgb

    a, b = np.array(to_rgb(colour)), np.array(to_rgb(paper))
    return tuple(float(v) for v in b + (a - b) * float(np.clip(share, 0, 1)))


def _diverging(value: float, limit: float) -> tuple[float, float, float]:
    """A colour for `value` in [−limit, limit]: ochre below zero, indigo above."""
    share = min(abs(value) / limit, 1) if limit else 0
    return _mix(LATER if value > 0 else EARLIER, 0.08 + 0.85 * share)


def _cells(axes, x, y, colours, width=0.94, height=0.94, **kwargs):
    """Rectangles of one size around points."""
    from matplotlib.collections import PolyCollection

    x, y = np.asarray(x, float), np.asarray(y, float)
    w, h = width / 2, height / 2
    corners = np.stack([np.stack([x + dx * w, y + dy * h], axis=1)
                        for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, 1))], axis=1)
    axes.add_collection(PolyCollection(corners, facecolors=list(colours), **({"linewidths": 0} | kwargs)))


def _bare(axes):
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _stack(axes, text: str, xy, size: float, *, xytext=(0, 0), leading: float = 1.2, **kwargs) -> None:
    """Lines of text at an even distance, the last one's baseline at `xy` moved by `xytext` points."""
    lines = text.split("\n")
    for i, line in enumerate(lines):
        axes.annotate(line, xy, xytext=(xytext[0], xytext[1] + (len(lines) - 1 - i) * size * leading),
                      textcoords="offset points", va="baseline", fontsize=size, **kwargs)


def _vertical(name: str) -> str:
    return "\n".join(name)


def _years_of(frame: pd.DataFrame) -> list[int]:
    return sorted(int(y) for y in frame["year"].unique() if y > 0)


def _period(years: Sequence[int]) -> str:
    return year_span(years, "en")


# ---- 1 coverage -----------------------------------------------------------------------------------------------------


def coverage(slices: pd.DataFrame, *, names: Names, title: Bilingual | None = None, stem: str = "coverage",
             **finishing) -> FigureCard:
    """Articles by year and region: what the corpus covers, and where it is blank.

    Args:
        slices: table of the build; a region of `names` without a row has no coverage.
        names, title, stem, finishing: see the module.
    """
    years = _years_of(slices)
    single = slices[~slices["region"].isin(["all", "none"]) & (slices["year"] > 0)]
    whole = slices[(slices["region"] == "all")].set_index("year")["n_articles"]
    regions = [r for r in names.regions if r != NATIONAL]
    regions += sorted(set(single["region"]) - set(regions) - {NATIONAL})
    counts = (single.pivot_table(index="region", columns="year", values="n_articles", aggfunc="sum", fill_value=0)
              .reindex(index=[*regions, NATIONAL], columns=years, fill_value=0))
    totals = slices[slices["year"] == ALL_YEARS].set_index("region")["n_articles"].reindex(counts.index, fill_value=0)
    order = [NATIONAL, *sorted(regions, key=lambda r: (-totals[r], regions.index(r)))]
    n = int(whole.get(ALL_YEARS, whole.reindex(years).sum()) if len(whole) else 0)
    data = counts.loc[order].reset_index().melt(id_vars="region", var_name="year", value_name="n_articles")
    data["region_en"] = [names.region(r, "en") for r in data["region"]]
    columns = {"region": {"zh": "地区", "en": "region"}, "region_en": {"zh": "地区英文名", "en": "region in English"},
               "year": {"zh": "工作年度", "en": "work year"},
               "n_articles": {"zh": "文章数", "en": "articles", "unit": "篇"}}
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
    automatic = {
        "zh": f"{len(regions)}个地区中{len(blank)}个没有材料，{busiest}年最多" if blank else
              f"{len(regions)}个地区都有材料，{busiest}年最多",
        "en": f"{len(blank)} of {len(regions)} regions have no article; {busiest} has the most" if blank else
              f"All {len(regions)} regions have articles; {busiest} has the most"}
    alt = {
        "zh": f"热力表，{year_span(years, 'zh')}各地区文章数。共{count(n)}篇；{busiest}年最多，{count(whole[busiest])}篇。"
              + (f"地区中{top}最多，{count(totals[top])}篇。" if top else "")
              + (f"没有材料的地区：{'、'.join(blank)}。" if blank else ""),
        "en": f"Heat table of articles by region, {year_span(years, 'en')}. {count(n)} articles in all; most in {busiest}, "
              f"{count(whole[busiest])}. " + (f"{names.region(top, 'en')} has the most of the regions, "
                                              f"{count(totals[top])}. " if top else "")
              + (f"No article: {', '.join(names.region(r, 'en') for r in blank)}." if blank else "")}

    def draw(figure, lang):
        labels = [names.region(r, lang) for r in order]
        head = (max(len(label) for label in labels) * 0.135 + 0.06) if lang == "zh" else _label_margin(labels, 7.5)
        axes = add_axes(figure, left=0.42, right=0.42, top=head, bottom=0.3)
        axes.set_xlim(-0.6, len(order) - 0.4)
        axes.set_ylim(len(years) - 0.5, -0.5)
        _bare(axes)
        places = [i + (0 if i == 0 else 0.25) for i in range(len(order))]
        axes.set_xlim(-0.6, places[-1] + 0.55)
        peak = max(int(counts.to_numpy().max()), 1)
        x, y, colours = [], [], []
        for j, region in enumerate(order):
            for i, year in enumerate(years):
                value = int(counts.loc[region, year])
                colour = _mix(LATER, 0.1 + 0.9 * np.sqrt(value / peak)) if value else "#F1EEE9"
                x.append(places[j])
                y.append(i)
                colours.append(colour)
                if value:
                    axes.text(places[j], i, str(value), ha="center", va="center_baseline", fontsize=7,
                              color=figures.ink_on(colour))
        _cells(axes, x, y, colours, width=0.92, height=0.92)
        for place, label, region in zip(places, labels, order, strict=True):
            colour = INK if region == NATIONAL or totals[region] else QUIET_INK
            if lang == "zh":
                axes.text(place, -0.62, _vertical(label), ha="center", va="bottom", fontsize=7.8, linespacing=0.95,
                          color=colour)
            else:
                axes.text(place, -0.62, label, ha="center", va="bottom", rotation=90, fontsize=7.5, color=colour)
            axes.text(place, len(years) - 0.3, str(int(totals[region])), ha="center", va="top", fontsize=7,
                      color=SOFT_INK)
        for i, year in enumerate(years):
            axes.text(-0.75, i, str(year), ha="right", va="center_baseline", fontsize=8.5, color=INK)
            axes.text(places[-1] + 0.75, i, f"{int(whole.get(year, 0))}", ha="left", va="center_baseline",
                      fontsize=8.5, color=INK)
        axes.text(-0.75, len(years) - 0.3, "合计" if lang == "zh" else "Total", ha="right", va="top", fontsize=7.5,
                  color=SOFT_INK)
        axes.text(places[-1] + 0.75, -0.62, "篇数" if lang == "zh" else "All", ha="left", va="bottom", fontsize=7.5,
                  color=SOFT_INK)

    return figures.finish(
        draw, title=title or automatic, n=n, alt=alt, height=2.9,
        subtitle={"zh": f"各年度、各地区的文章数（篇）；共{count(n)}篇。一篇涉及几个地区，在各地区各计一次",
                  "en": f"Articles by work year and region; {count(n)} in all. An article on several regions counts "
                        "in each of them"},
        how_to_read={"zh": "一列是一个地区，一行是一个年度，颜色越深文章越多，空格表示没有材料。"
                           "没有材料不等于该地没有工作，只说明语料没有收到。",
                     "en": "A column is a region, a row a year; the darker, the more articles, and an empty cell means "
                           "none. No article does not mean no work: the corpus merely holds none."},
        **shared)


# ---- 2 cleaning waterfall -------------------------------------------------------------------------------------------

FATES = {
    "boilerplate": {"zh": "网页与版面套话", "en": "Page furniture"},
    "duplicate": {"zh": "重复段落", "en": "Repeated blocks"},
    "metadata": {"zh": "题录信息", "en": "Metadata"},
    "title": {"zh": "标题", "en": "Titles"},
    "heading": {"zh": "小标题", "en": "Headings"},
    "unreadable": {"zh": "无法识读", "en": "Unreadable"},
    "body": {"zh": "正文", "en": "Body text"},
}


def cleaning_waterfall(ledger_counts: pd.DataFrame, *, title: Bilingual | None = None,
                       stem: str = "cleaning_waterfall", **finishing) -> FigureCard:
    """What became of every character of the raw files: from what was read to the body text that is analysed.

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
              + (f"; {words[largest]['en'].lower()} is the largest part left out" if largest else "")}
    parts_zh = "，".join(f"{words[f]['zh']}{count(by_fate[f])}（{percent(by_fate[f] / total * 100)}）" for f in removed)
    parts_en = ", ".join(f"{words[f]['en'].lower()} {count(by_fate[f])} ({percent(by_fate[f] / total * 100)})"
                         for f in removed)
    alt = {"zh": f"瀑布图：读入{count(total)}个字符，" + (f"其中{parts_zh}不作为正文，" if removed else "")
                 + f"留作分析的正文{count(kept)}个字符，占{kept_percent}。",
           "en": f"Waterfall chart: {count(total)} characters read" + (f"; set apart: {parts_en}" if removed else "")
                 + f"; body text kept: {count(kept)} characters, {kept_percent}."}

    def draw(figure, lang):
        labels = [words[f][lang] for f in data["fate"]]
        axes = add_axes(figure, left=_label_margin(labels, 9), right=1.25, top=0.05, bottom=0.05)
        axes.set_xlim(0, total)
        axes.set_ylim(len(data) - 0.5, -0.5)
        _bare(axes)
        for i, (fate, n_chars, start, stop) in enumerate(rows):
            colour = {"read": MARK, "body": LATER}.get(fate, "#C08A45")
            axes.barh(i, stop - start, left=start, height=0.66, color=colour)
            axes.text(stop, i, f" {count(n_chars)}  {percent(n_chars / total * 100)}", va="center_baseline",
                      ha="left", fontsize=8.5, color=INK)
            axes.text(-0.07 / size_inches(figure)[0] * total * 1.2, i, labels[i], va="center_baseline", ha="right",
                      fontsize=9, color=INK)
            if i:
                edge = rows[i][3] if fate != "body" else kept
                axes.plot([edge, edge], [i - 1 + 0.33, i - 0.33], color="#B5B0A8", linewidth=0.7)

    return figures.finish(
        draw, title=title or automatic, n=total, alt=alt, height=0.27 * len(data) + 0.2,
        subtitle={"zh": f"原始文件中每个字符的去向；共{count(total)}个字符",
                  "en": f"What became of each character of the raw files; {count(total)} in all"},
        how_to_read={"zh": "自上而下：从读入的全部字符中逐项减去不属于正文的部分，最后一条是留作分析的正文。各项相加等于读入总数。",
                     "en": "From the top down, what is not body text is taken off step by step; the last bar is what is "
                           "analysed. The parts add up to all that was read."},
        **shared)


# ---- 3 top terms ----------------------------------------------------------------------------------------------------


def _term_rates(term_counts: pd.DataFrame, slices: pd.DataFrame, year: int, region: str) -> tuple[pd.DataFrame, int]:
    """Terms of one slice with rates per 10,000 tokens, most frequent first, and the slice's tokens."""
    part = term_counts[(term_counts["year"] == year) & (term_counts["region"] == region)]
    size = slices[(slices["year"] == year) & (slices["region"] == region)]["n_tokens"]
    n_tokens = int(size.iloc[0]) if len(size) else 0
    frame = part[["term", "count", "n_articles"]].copy()
    frame["per_10k"] = frame["count"] / n_tokens * 1e4 if n_tokens else np.nan
    return frame.sort_values(["count", "term"], ascending=[False, True], ignore_index=True), n_tokens


_TERM_COLUMNS = {
    "term": {"zh": "词", "en": "term"},
    "count": {"zh": "出现次数", "en": "occurrences", "unit": "次"},
    "per_10k": {"zh": "每万词次出现次数", "en": "per 10,000 tokens", "unit": "次/万词次"},
    "n_articles": {"zh": "出现的文章数", "en": "articles with it", "unit": "篇"},
}


def _term_bars(axes, shown: pd.DataFrame, lang: str, colour: str = MARK) -> None:
    """Ranked bars with the term at the left and rate, count and articles at the right."""
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_xlim(0, float(shown["per_10k"].max()))
    _bare(axes)
    axes.barh(np.arange(len(shown)), shown["per_10k"], height=0.7, color=colour)
    axes.set_yticks(range(len(shown)), list(shown["term"]))
    for i, row in enumerate(shown.itertuples()):
        note = f"{row.count:,}次，{row.n_articles}篇" if lang == "zh" else f"{row.count:,} in {row.n_articles} articles"
        axes.annotate(f"{row.per_10k:.1f}", (row.per_10k, i), xytext=(4, 0), textcoords="offset points",
                      va="center_baseline", fontsize=8.5, color=INK)
        axes.annotate(note, (row.per_10k, i), xytext=(4 + text_width("000.0 ", 8.5) * 72, 0),
                      textcoords="offset points", va="center_baseline", fontsize=7.5, color=QUIET_INK)


def top_terms(term_counts: pd.DataFrame, slices: pd.DataFrame, *, names: Names, year: int = ALL_YEARS,
              region: str = "all", n_top: int = 20, title: Bilingual | None = None, stem: str = "top_terms",
              **finishing) -> FigureCard:
    """The most frequent terms of a year and region, by rate.

    Args:
        term_counts, slices: tables of the build.
        year, region: the slice; all years and everything by default.
        n_top: how many terms; a small sheet shows as many of them as have room.
    """
    frame, n_tokens = _term_rates(term_counts, slices, year, region)
    data, years = frame.head(n_top), _years_of(slices)
    shared = dict(stem=stem, data=data, columns=_TERM_COLUMNS, period=_period([year] if year > 0 else years),
                  unit={"zh": "次/万词次", "en": "per 10,000 tokens"}, **finishing)
    if data.empty or not n_tokens:
        return _too_little({"zh": f"{_slice_words(year, region, names, years, 'zh')}没有可统计的词。",
                            "en": f"There are no terms to count for {_slice_words(year, region, names, years, 'en')}."},
                           title=title, **shared)
    first = data.iloc[0]
    where = {lang: _slice_words(year, region, names, years, lang) for lang in figures.LANGS}
    automatic = {
        "zh": f"“{first.term}”出现最多，每万词次{first.per_10k:.1f}次",
        "en": f"“{first.term}” is the most frequent term, {first.per_10k:.1f} in every 10,000 tokens"}
    last = data.iloc[-1]
    alt = {"zh": f"条形图，{where['zh']}最常用的{len(data)}个词，按每万词次出现次数排列：最高为“{first.term}”{first.per_10k:.1f}，"
                 f"其后是{'、'.join(f'“{t.term}”{t.per_10k:.1f}' for t in data.iloc[1:4].itertuples())}；"
                 f"最低为“{last.term}”{last.per_10k:.1f}。",
           "en": f"Bar chart of the {len(data)} most frequent terms, {where['en']}, per 10,000 tokens: “{first.term}” "
                 f"{first.per_10k:.1f} is highest"
                 + "".join(f", then “{t.term}” {t.per_10k:.1f}" for t in data.iloc[1:4].itertuples())
                 + f"; “{last.term}” {last.per_10k:.1f} is lowest."}

    def draw(figure, lang):
        shown = data.head(_rows_that_fit(figure, len(data), around=0.02))
        note = "0,000次，000篇" if lang == "zh" else "0,000 in 000 articles"
        axes = add_axes(figure, left=_label_margin(list(shown["term"]), 8.5),
                        right=text_width("000.0 ", 8.5) + text_width(note, 7.5) + 0.1)
        _term_bars(axes, shown, lang)

    return figures.finish(
        draw, title=title or automatic, n=n_tokens, alt=alt, height=0.2 * len(data) + 0.1,
        subtitle={"zh": f"每万词次出现次数，{where['zh']}；n={count(n_tokens)}词次，已去停用词",
                  "en": f"Occurrences per 10,000 tokens, {where['en']}; n = {count(n_tokens)} tokens; stop words left out"},
        how_to_read={"zh": "条越长，这个词在每一万个词里出现得越多；右侧是出现次数和文章数。",
                     "en": "The longer the bar, the more often the term stands in ten thousand tokens; at the right its "
                           "occurrences and articles."},
        **shared)


# ---- small multiples: words and themes over the years ---------------------------------------------------------------


@dataclass(frozen=True)
class _Panel:
    """One of many small line charts: values by year with their interval; thin years are shown grey."""

    title: str
    colour: str
    years: Sequence[int]
    value: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    thin: Sequence[bool]


def _small_multiples(figure, panels: Sequence[_Panel], form: Callable[[float], str]) -> None:
    """Line charts on one scale, titled, with the last value written out."""
    width, height = size_inches(figure)
    years = sorted({y for p in panels for y in p.years})
    tops = [h for p in panels for h, t in zip(p.high, p.thin, strict=True) if not t and np.isfinite(h)]
    tops += [v for p in panels for v in p.value if np.isfinite(v)]
    top = max(tops, default=0) * 1.04 or 1
    tick = max(m * 10.0**e for e in range(-3, 5) for m in (1, 2, 5) if m * 10.0**e <= top * 0.8)
    margin, gap, foot = text_width(form(tick), 7.5) + 0.06, 0.12, 0.17
    value_room = max(text_width(form(88.8), 8), 0.2) + 0.08

    def layout(n_columns):
        n_rows = -(-len(panels) // n_columns)
        cell = (width - margin - gap * (n_columns - 1)) / n_columns
        titles = [figures.wrap(p.title, cell, 8) for p in panels]
        head = 0.155 * max(t.count("\n") + 1 for t in titles) + 0.06
        return n_rows, cell, titles, head, (height - foot - n_rows * (head + 0.08)) / n_rows

    def unease(n_columns):
        _, cell, _, _, plot = layout(n_columns)
        if plot < 0.2 or cell - value_room < 0.35:
            return np.inf
        return abs(np.log((cell - value_room) / plot / 1.5)) + 2 * (-len(panels) % n_columns) / len(panels)

    n_columns = min(range(1, len(panels) + 1), key=lambda n: (unease(n), n))
    n_rows, cell, titles, head, plot = layout(n_columns)
    for k, panel in enumerate(panels):
        row, column = divmod(k, n_columns)
        left, upper = margin + column * (cell + gap), row * (head + plot + 0.08) + head
        axes = add_axes(figure, left=left, right=width - left - cell + value_room, top=upper,
                        bottom=height - upper - plot)
        axes.set_xlim(years[0] - 0.25, years[-1] + 0.25)
        axes.set_ylim(0, top)
        _bare(axes)
        axes.spines["bottom"].set_visible(True)
        axes.spines["bottom"].set_color("#C9C4BC")
        axes.axhline(tick, color=GRID, linewidth=0.6, zorder=0)
        x, values, thin = np.asarray(panel.years), np.asarray(panel.value, float), np.asarray(panel.thin, bool)
        band = np.where(thin, np.nan, np.stack([panel.low, panel.high]).astype(float))
        axes.fill_between(x, *np.clip(band, 0, top), color=panel.colour, alpha=0.16, linewidth=0)
        axes.plot(x, values, color="#B9B4AC", linewidth=1, zorder=2, clip_on=False)
        axes.plot(x, np.where(thin, np.nan, values), color=panel.colour, linewidth=1.6, zorder=3, clip_on=False)
        axes.plot(x[~thin], values[~thin], "o", color=panel.colour, markersize=3, zorder=4, clip_on=False)
        axes.plot(x[thin], values[thin], "o", color=PAPER, markeredgecolor="#9A958D", markersize=3.2, zorder=4,
                  markeredgewidth=0.8, clip_on=False)
        known = np.flatnonzero(np.isfinite(values))
        if len(known):
            last = known[-1]
            axes.annotate(form(values[last]), (x[last], values[last]), xytext=(5, 0), textcoords="offset points",
                          va="center_baseline", fontsize=8, color=QUIET_INK if thin[last] else panel.colour)
        _stack(axes, titles[k], (0, 1), 8, xycoords="axes fraction", xytext=(0, 6), color=INK)
        if k + n_columns >= len(panels):
            ends = [years[0], years[-1]] if len(years) > 1 else [years[0]]
            narrow = cell - value_room < text_width("2021 2026", 7.5)
            for year, side in zip(ends, ("left", "right"), strict=False):
                label = str(year) if side == "left" or not narrow else f"{year % 100:02d}"
                axes.annotate(label, (year, 0), xytext=(0, -3), textcoords="offset points", va="top",
                              ha=side if len(ends) > 1 else "center", fontsize=7.5, color=QUIET_INK)
        if column == 0:
            axes.annotate(form(tick), (0, tick), xycoords=("axes fraction", "data"), xytext=(-3, 0),
                          textcoords="offset points", va="center_baseline", ha="right", fontsize=7.5, color=QUIET_INK)


def changing_terms(term_counts: pd.DataFrame, slices: pd.DataFrame, *, region: str = "all", n_terms: int = 12,
                   min_count: int = 10) -> list[str]:
    """The terms whose use changed most between the first and the last year that are not thin, half of them rising
    and half falling, by the z of `measures.keyness`; rising ones first."""
    part = slices[(slices["region"] == region) & (slices["year"] > 0)
                  & (slices["n_statements"] >= measures.MIN_STATEMENTS)
                  & (slices["n_articles"] >= measures.MIN_ARTICLES)].set_index("year")["n_tokens"]
    if len(part) < 2:
        return []
    first, last = int(part.index.min()), int(part.index.max())
    frame = measures.keyness(measures.slice_counts(term_counts, last, region),
                             measures.slice_counts(term_counts, first, region), total_a=int(part[last]),
                             total_b=int(part[first]), min_count=min_count)
    rising = frame[frame["z"] > 0].head(n_terms - n_terms // 2)
    falling = frame[frame["z"] < 0].iloc[::-1].head(n_terms // 2)
    return [*rising["term"], *falling["term"]]


def term_trajectories(term_counts: pd.DataFrame, slices: pd.DataFrame, *, names: Names,
                      terms: Sequence[str] | None = None, region: str = "all", title: Bilingual | None = None,
                      stem: str = "term_trajectories", **finishing) -> FigureCard:
    """The rate of some terms over the years, one small chart each on one scale.

    Args:
        term_counts, slices: tables of the build.
        terms: which; by default those of `changing_terms`.
        region: whose words.
    """
    chosen = list(terms) if terms is not None else changing_terms(term_counts, slices, region=region)
    sizes = slices[(slices["region"] == region) & (slices["year"] > 0)].set_index("year").sort_index()
    years = [int(y) for y in sizes.index if sizes.loc[y, "n_tokens"] > 0]
    found = term_counts[(term_counts["region"] == region) & term_counts["term"].isin(chosen)]
    counts = found.pivot_table(index="term", columns="year", values="count", aggfunc="sum", fill_value=0)
    rows = []
    for term in chosen:
        for year in years:
            n = int(counts.loc[term, year]) if term in counts.index and year in counts.columns else 0
            tokens = int(sizes.loc[year, "n_tokens"])
            low, high = measures.wilson_interval(n, tokens)
            rows.append({"term": term, "year": year, "count": n, "n_tokens": tokens, "per_10k": n / tokens * 1e4,
                         "low": float(low) * 1e4, "high": float(high) * 1e4,
                         "thin": bool(sizes.loc[year, "n_statements"] < measures.MIN_STATEMENTS
                                      or sizes.loc[year, "n_articles"] < measures.MIN_ARTICLES)})
    data = pd.DataFrame(rows, columns=["term", "year", "count", "n_tokens", "per_10k", "low", "high", "thin"])
    columns = {"term": _TERM_COLUMNS["term"], "year": {"zh": "工作年度", "en": "work year"},
               "count": _TERM_COLUMNS["count"], "per_10k": _TERM_COLUMNS["per_10k"],
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
    bounds = {name: compared.pivot(index="term", columns="year", values=name) for name in ("low", "high")}
    rose = [t for t in chosen if bounds["low"].loc[t, last] > bounds["high"].loc[t, first]]
    fell = [t for t in chosen if bounds["high"].loc[t, last] < bounds["low"].loc[t, first]]

    def changes(some, lang):
        return listing([quoted(t) for t in some[:3]], lang)

    pieces = {"zh": [f"{changes(rose, 'zh')}多了"] * bool(rose) + [f"{changes(fell, 'zh')}少了"] * bool(fell),
              "en": [f"{changes(rose, 'en')} rose"] * bool(rose) + [f"{changes(fell, 'en')} fell"] * bool(fell)}
    automatic = ({"zh": f"从{first}年到{last}年，{'，'.join(pieces['zh'])}",
                  "en": f"From {first} to {last}, {', '.join(pieces['en'])}"} if rose or fell else
                 {"zh": f"从{first}年到{last}年，这些词的用量没有明显变化",
                  "en": f"From {first} to {last} the use of these terms shows no clear change"})
    alt = {"zh": f"小型折线图{len(chosen)}幅，{year_span(years, 'zh')}每万词次出现次数。{first}年到{last}年："
                 + "，".join(f"“{t}”由{ends.loc[t, first]:.1f}到{ends.loc[t, last]:.1f}" for t in chosen) + "。",
           "en": f"{len(chosen)} small line charts, occurrences per 10,000 tokens, {year_span(years, 'en')}. "
                 f"From {first} to {last}: "
                 + ", ".join(f"“{t}” {ends.loc[t, first]:.1f} to {ends.loc[t, last]:.1f}" for t in chosen) + "."}

    def draw(figure, lang):
        panels = []
        for term in chosen:
            rows = data[data["term"] == term]
            colour = LATER if term in rose else EARLIER if term in fell else MARK
            panels.append(_Panel(term, colour, list(rows["year"]), list(rows["per_10k"]), list(rows["low"]),
                                 list(rows["high"]), list(rows["thin"])))
        _small_multiples(figure, panels, lambda v: f"{v:.1f}" if 0 < v < 10 else f"{v:.0f}")

    n = int(sizes.loc[years, "n_tokens"].sum())
    return figures.finish(
        draw, title=title or automatic, n=n, alt=alt, height=1.12 * -(-len(chosen) // 4),
        subtitle={"zh": f"每万词次出现次数与95%区间，{_slice_words(-1, region, names, years, 'zh')}；n={count(n)}词次。"
                        "紫为增，褐为减，灰为变化不明",
                  "en": f"Occurrences per 10,000 tokens with 95% intervals, "
                        f"{_slice_words(-1, region, names, years, 'en')}; n = {count(n)} tokens. Indigo rose, ochre "
                        "fell, grey is unclear"},
        how_to_read={"zh": "每幅一个词，纵轴相同；线旁的数是最后一年的值，色带是95%区间，空心点是材料偏少的年份。",
                     "en": "One chart a term, all on one scale; the number is the last year’s value, the band the 95% "
                           "interval, hollow dots years with little material."},
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


def _leading_words(top: pd.DataFrame, names: Names, lang: str) -> str:
    """Which themes lead, claiming no more than `leaders` allows."""
    labels = [quoted(names.theme(t, lang)) for t in top["theme"]]
    share = percent(top["percent"].iloc[0])
    if len(labels) == 1:
        return f"{labels[0]}居首，占语句的{share}" if lang == "zh" else f"{labels[0]} comes first, {share} of statements"
    if len(labels) <= 3:
        return (f"{listing(labels, 'zh')}居前，先后难分" if lang == "zh" else
                f"{listing(labels, 'en')} lead, too close to rank")
    return (f"{labels[0]}最高（{share}），但与其后{len(labels) - 1}个主题难分先后" if lang == "zh" else
            f"{labels[0]} is highest ({share}) but cannot be told from the next {len(labels) - 1} themes")


def theme_prevalence(prevalence: pd.DataFrame, *, names: Names, region: str = "all",
                     themes: Sequence[str] | None = None, title: Bilingual | None = None,
                     stem: str = "theme_prevalence", **finishing) -> FigureCard:
    """The share of statements with each theme over the years, in small multiples with intervals.

    Args:
        prevalence: as `measures.prevalence` returns it.
        region: whose statements.
        themes: which; all by default.
    """
    frame = _shares(_of_slice(prevalence, region), names)
    frame = frame[frame["year"] > 0]
    if themes is not None:
        frame = frame[frame["theme"].isin(themes)]
    frame = frame.dropna(subset="percent")
    data, years = frame[list(_SHARE_COLUMNS)].reset_index(drop=True), _years_of(frame)
    shared = dict(stem=stem, data=data, columns=_SHARE_COLUMNS, period=_period(years),
                  unit={"zh": "%", "en": "%"}, **finishing)
    if data.empty or len(years) < 2:
        return _too_little({"zh": "有材料的年份不足两个，看不出主题的消长。",
                            "en": "Fewer than two years hold material, so no theme can be followed."},
                           title=title, **shared)
    solid = data.loc[~data["thin"], "year"]
    last = int(solid.max()) if len(solid) else years[-1]
    of_last = data[data["year"] == last].sort_values("percent", ascending=False, kind="stable")
    top = leaders(of_last, "percent")
    automatic = {"zh": f"{last}年{_leading_words(top, names, 'zh')}",
                 "en": f"In {last} {_leading_words(top, names, 'en')}"}
    n = int(data.drop_duplicates("year")["n_statements"].sum())
    head, tail = of_last.head(3), of_last.iloc[-1]
    alt = {"zh": f"小型折线图{data['theme'].nunique()}幅，{year_span(years, 'zh')}各主题占语句的比例。{last}年最高的是"
                 + "，".join(f"{r.theme_zh}{percent(r.percent)}（95%区间{percent(r.low)}至{percent(r.high)}）"
                            for r in head.itertuples())
                 + f"；最低的是{tail.theme_zh}，{percent(tail.percent)}。",
           "en": f"{data['theme'].nunique()} small line charts of each theme's share of statements, "
                 f"{year_span(years, 'en')}. Highest in {last}: "
                 + ", ".join(f"{r.theme_en} {percent(r.percent)} (95% interval {percent(r.low)} to {percent(r.high)})"
                             for r in head.itertuples())
                 + f"; lowest: {tail.theme_en}, {percent(tail.percent)}."}

    def draw(figure, lang):
        order = list(dict.fromkeys(data["theme"]))
        panels = []
        for theme in order:
            rows = data[data["theme"] == theme]
            panels.append(_Panel(names.theme(theme, lang), names.colour(theme),
                                 list(rows["year"]), list(rows["percent"]), list(rows["low"]), list(rows["high"]),
                                 list(rows["thin"])))
        _small_multiples(figure, panels, lambda v: f"{v:.0f}%")

    groups = [names.groups[g] for g in dict.fromkeys(names.themes[t]["group"] for t in names.themes
                                                     if t in set(data["theme"]))]
    return figures.finish(
        draw, title=title or automatic, n=n, alt=alt, height=1.1 * -(-data["theme"].nunique() // 6) + 0.2,
        subtitle={"zh": f"涉及各主题的语句占比与95%区间，{_slice_words(-1, region, names, years, 'zh')}；"
                        f"n={count(n)}条语句，材料偏少的年份为空心点",
                  "en": f"Share of statements with each theme, with 95% intervals, "
                        f"{_slice_words(-1, region, names, years, 'en')}; n = {count(n)} statements; hollow dots mark "
                        "thin years"},
        how_to_read={"zh": "每幅一个主题，纵轴相同；线旁的数是最后一年的占比，色带是95%区间，两年的色带不相接，才能说有变化。颜色表示主题所属的组："
                           + "、".join(g["zh"] for g in groups) + "。",
                     "en": "One chart a theme, all on one scale; the number is the last year’s share, the band the 95% "
                           "interval: only bands that part mean a change. Colour is the theme’s group: "
                           + ", ".join(g["en"] for g in groups) + "."},
        **shared)


# ---- comparing two slices by their words ----------------------------------------------------------------------------


def keyness(keyness: pd.DataFrame, *, label_a: Bilingual, label_b: Bilingual, n_top: int = 12, level_q: float = 0.05,
            period: str | None = None, title: Bilingual | None = None, stem: str = "keyness",
            **finishing) -> FigureCard:
    """The words that mark two slices off from each other, with the ratio of their rates and its interval.

    Args:
        keyness: as `measures.keyness` returns it, slice A against slice B.
        label_a, label_b: what the slices are, such as 2026 and 2022.
        n_top: terms shown of each, by z; only those with q under `level_q` and an interval that leaves out 1.
        period: years covered; by default made of the labels.
    """
    clear = keyness[keyness["q"] < level_q]
    of_a = clear[(clear["z"] > 0) & (clear["low"] > 0)].head(n_top)
    of_b = clear[(clear["z"] < 0) & (clear["high"] < 0)].iloc[::-1].head(n_top)
    data = pd.concat([of_a, of_b.iloc[::-1]], ignore_index=True)
    data["side"] = ["a"] * len(of_a) + ["b"] * len(of_b)
    a, b = label_a, label_b
    columns = {"term": _TERM_COLUMNS["term"],
               "side": {"zh": f"偏向：a为{a['zh']}，b为{b['zh']}", "en": f"side: a is {a['en']}, b is {b['en']}"},
               "count_a": {"zh": f"{a['zh']}次数", "en": f"occurrences, {a['en']}", "unit": "次"},
               "count_b": {"zh": f"{b['zh']}次数", "en": f"occurrences, {b['en']}", "unit": "次"},
               "per_10k_a": {"zh": f"{a['zh']}每万词次", "en": f"per 10,000 tokens, {a['en']}"},
               "per_10k_b": {"zh": f"{b['zh']}每万词次", "en": f"per 10,000 tokens, {b['en']}"},
               "log_ratio": {"zh": "比值的以2为底的对数", "en": "binary logarithm of the ratio"},
               "low": {"zh": "95%区间下限", "en": "95% interval, lower"},
               "high": {"zh": "95%区间上限", "en": "95% interval, upper"},
               "z": {"zh": "加权对数几率的z值", "en": "z of the weighted log odds"},
               "q": {"zh": "错误发现率q值", "en": "false discovery rate q"}}
    shared = dict(stem=stem, data=data, columns=columns, unit={"zh": "倍", "en": "ratio"},
                  period=period or "–".join(sorted({a["en"], b["en"]})), **finishing)
    if data.empty:
        return _too_little({"zh": f"{a['zh']}与{b['zh']}的用词没有经得起检验的差别（q<{level_q}）。",
                            "en": f"No difference between the words of {a['en']} and {b['en']} stands up to the test "
                                  f"(q < {level_q})."}, title=title, **shared)

    def some(frame):
        return [quoted(t) for t in frame["term"].head(3)]

    both = {lang: listing(some(of_a), lang) for lang in figures.LANGS}
    other = {lang: listing(some(of_b), lang) for lang in figures.LANGS}
    automatic = {
        "zh": "，".join([f"{a['zh']}更常说{both['zh']}"] * bool(len(of_a))
                       + [f"{b['zh']}更常说{other['zh']}"] * bool(len(of_b))),
        "en": "; ".join([f"{a['en']} says {both['en']} more often"] * bool(len(of_a))
                        + [f"{b['en']} says {other['en']}"] * bool(len(of_b)))}

    def counts(frame, lang):
        form = "“{t.term}”（{t.count_a}比{t.count_b}次）" if lang == "zh" else "“{t.term}” ({t.count_a} against {t.count_b})"
        return ("、" if lang == "zh" else ", ").join(form.format(t=t) for t in frame.itertuples())

    alt = {"zh": f"点图，比较{a['zh']}与{b['zh']}的用词。"
                 + (f"{a['zh']}偏多的{len(of_a)}个词：{counts(of_a, 'zh')}。" if len(of_a) else "")
                 + (f"{b['zh']}偏多的{len(of_b)}个词：{counts(of_b, 'zh')}。" if len(of_b) else ""),
           "en": f"Dot chart comparing the words of {a['en']} and {b['en']}. "
                 + (f"{len(of_a)} more frequent in {a['en']}: {counts(of_a, 'en')}. " if len(of_a) else "")
                 + (f"{len(of_b)} more frequent in {b['en']}: {counts(of_b, 'en')}." if len(of_b) else "")}
    alt = {lang: text.strip() for lang, text in alt.items()}

    def draw(figure, lang):
        room = _rows_that_fit(figure, len(data), around=0.6)
        n_a = min(len(of_a), max(room - len(of_b), -(-room // 2)))
        n_b = min(len(of_b), room - n_a)
        shown = pd.concat([of_a.head(n_a), of_b.head(n_b).iloc[::-1]], ignore_index=True)
        reach = float(np.nanmax(np.abs(shown["log_ratio"]))) + 0.6
        head_a, head_b = (f"{a[lang]}", f"{b[lang]}")
        column = max(text_width(head_a, 8), text_width(head_b, 8), text_width("0,000", 8)) + 0.12
        axes = add_axes(figure, left=_label_margin(list(shown["term"]), 8.5), right=2 * column + 0.1, top=0.24,
                        bottom=0.3)
        axes.set_xlim(-reach, reach)
        gap = 0.6 if n_a and n_b else 0
        rows = np.arange(len(shown)) + np.where(np.arange(len(shown)) >= n_a, gap, 0)
        axes.set_ylim(rows[-1] + 0.6, -0.6)
        _bare(axes)
        ticks = [t for t in range(-8, 9, 1 if reach < 4 else 2) if abs(t) <= reach]
        for tick in ticks:
            axes.axvline(tick, color=GRID if tick else "#9A958D", linewidth=0.7, zorder=0)
        axes.set_xticks(ticks, [f"{2 ** abs(t)}×" if t else ("同" if lang == "zh" else "same") for t in ticks])
        axes.tick_params(axis="x", length=0, labelcolor=QUIET_INK, labelsize=7.5)
        axes.set_yticks(rows, list(shown["term"]))
        colours = [LATER if s == "a" else EARLIER for s in ["a"] * n_a + ["b"] * n_b]
        axes.hlines(rows, shown["low"].clip(-reach, reach), shown["high"].clip(-reach, reach), colors=colours,
                    linewidth=1.4, alpha=0.45)
        axes.scatter(shown["log_ratio"], rows, c=colours, s=22, zorder=3)
        for side, text, colour in ((-1, head_b, EARLIER), (1, head_a, LATER)):
            word = f"← {text}更多" if side < 0 else f"{text}更多 →"
            if lang == "en":
                word = f"← more in {text}" if side < 0 else f"more in {text} →"
            axes.annotate(word, (side * reach, rows[0] - 0.6), xytext=(0, 4), textcoords="offset points", va="bottom",
                          ha="left" if side < 0 else "right", fontsize=8, color=colour)
        for k, (head, name) in enumerate(((head_b, "count_b"), (head_a, "count_a"))):
            x = (k + 1) * column * 72
            axes.annotate(head, (1, rows[0] - 0.6), xycoords=("axes fraction", "data"), xytext=(x, 4),
                          textcoords="offset points", va="bottom", ha="right", fontsize=8, color=SOFT_INK)
            for row, value in zip(rows, shown[name], strict=True):
                axes.annotate(count(value), (1, row), xycoords=("axes fraction", "data"), xytext=(x, 0),
                              textcoords="offset points", va="center_baseline", ha="right", fontsize=8, color=SOFT_INK)

    n = sum(round(keyness.loc[i, f"count_{side}"] / keyness.loc[i, f"per_10k_{side}"] * 1e4)
            for side in "ab" for i in [keyness[f"count_{side}"].idxmax()] if keyness.loc[i, f"count_{side}"])
    return figures.finish(
        draw, title=title or automatic, n=n, alt=alt, height=0.185 * len(data) + 0.75,
        subtitle={"zh": f"两者每万词次出现次数之比（倍）与95%区间；n={count(n)}词次，q<{level_q}；右列为出现次数",
                  "en": f"Ratio of the rates per 10,000 tokens, with 95% intervals; n = {count(n)} tokens, q < {level_q}; "
                        "at the right the occurrences"},
        how_to_read={"zh": f"点越靠右，这个词在{a['zh']}相对越多；越靠左，在{b['zh']}相对越多。横线是95%区间，次数少的词区间长。",
                     "en": f"The further right a dot, the more the term belongs to {a['en']}; the further left, to "
                           f"{b['en']}. The line is the 95% interval: long where occurrences are few."},
        **shared)


def _cloud(weights: Mapping[str, float], width: int, height: int, seed: int) -> list[tuple[str, float, float, float]]:
    """Words as the `wordcloud` package sizes and places them: (word, size, x, baseline y) in pixels from the upper
    left, the heaviest first.

    The package measures a word by its ink and draws it from the ascender, which in a Chinese font is a quarter of a
    square higher, so its words can touch. A word that would is moved along a spiral to the nearest free place; one
    that finds none is left out.
    """
    from wordcloud import WordCloud

    cloud = WordCloud(font_path=str(figures.font_path()), width=width, height=height, prefer_horizontal=1.0,
                      max_words=len(weights), relative_scaling=0.6, random_state=seed, margin=2, min_font_size=11,
                      max_font_size=height // 5, mode="L", regexp=None)
    cloud.generate_from_frequencies(dict(weights))
    turns = np.arange(2400)
    angle = turns * 2.399963  # the golden angle: even cover of the plane
    reach = 1.1 * np.sqrt(turns) * np.sqrt(width * height / 2400)
    steps = np.stack([np.cos(angle) * reach, np.sin(angle) * reach * 0.6], axis=1)
    boxes, out = np.empty((0, 4)), []
    for (word, _), size, (top, left), _, _ in cloud.layout_:
        w, h = text_width(word, size) * 72, 0.96 * size
        x, y = (np.array([left, top + 0.28 * size]) + steps).T
        free = (x >= 0) & (y >= 0) & (x + w <= width) & (y + h <= height)
        for b in boxes:
            free &= (x + w + 4 <= b[0]) | (b[2] + 4 <= x) | (y + h + 2 <= b[1]) | (b[3] + 2 <= y)
        if free.any():
            i = int(np.argmax(free))
            boxes = np.vstack([boxes, (x[i], y[i], x[i] + w, y[i] + h)])
            out.append((word, float(size), float(x[i]), float(y[i] + 0.86 * size)))
    return out


def wordcloud(term_counts: pd.DataFrame, slices: pd.DataFrame, *, names: Names, year: int = ALL_YEARS,
              region: str = "all", n_words: int = 60, n_bars: int = 14, title: Bilingual | None = None,
              stem: str = "wordcloud", **finishing) -> FigureCard:
    """A word cloud of a slice and, beside it, the ranked bars that say what the cloud cannot.

    Args:
        term_counts, slices: tables of the build.
        year, region: the slice.
        n_words: in the cloud.
        n_bars: terms in the ranked bars.
    """
    frame, n_tokens = _term_rates(term_counts, slices, year, region)
    data, years = frame.head(n_words), _years_of(slices)
    where = {lang: _slice_words(year, region, names, years, lang) for lang in figures.LANGS}
    shared = dict(stem=stem, data=data, columns=_TERM_COLUMNS, period=_period([year] if year > 0 else years),
                  unit={"zh": "次/万词次", "en": "per 10,000 tokens"}, **finishing)
    if len(data) < 5 or not n_tokens:
        return _too_little({"zh": f"{where['zh']}可统计的词不足五个，不画词云。",
                            "en": f"Fewer than five terms to count for {where['en']}; no cloud is drawn."},
                           title=title, **shared)
    lead = data.head(3)
    automatic = {"zh": f"{where['zh']}用得最多的词：{listing([quoted(t) for t in lead['term']], 'zh')}",
                 "en": f"Most used, {where['en']}: {listing([quoted(t) for t in lead['term']], 'en')}"}
    alt = {"zh": f"词云与条形图，{where['zh']}最常用的{len(data)}个词，字号随每万词次出现次数。前{min(n_bars, len(data))}位："
                 + "、".join(f"“{t.term}”{t.per_10k:.1f}" for t in data.head(n_bars).itertuples()) + "。",
           "en": f"Word cloud and ranked bars of the {len(data)} most frequent terms, {where['en']}; size follows "
                 f"occurrences per 10,000 tokens. The first {min(n_bars, len(data))}: "
                 + ", ".join(f"“{t.term}” {t.per_10k:.1f}" for t in data.head(n_bars).itertuples()) + "."}
    layouts: dict[tuple[int, int], list] = {}

    def draw(figure, lang):
        from matplotlib.font_manager import FontProperties
        from matplotlib.patches import PathPatch
        from matplotlib.textpath import TextPath
        from matplotlib.transforms import Affine2D

        width, height = size_inches(figure)
        shown = data.head(_rows_that_fit(figure, min(n_bars, len(data)), around=0.02))
        bars = max(0.36 * width, 2.5)
        cloud_w = width - bars - 0.25
        axes = add_axes(figure, right=width - cloud_w)
        _bare(axes)
        pixels = (round(cloud_w * 100), round(height * 100))
        axes.set_xlim(0, pixels[0])
        axes.set_ylim(pixels[1], 0)
        if pixels not in layouts:
            layouts[pixels] = _cloud(dict(zip(data["term"], data["per_10k"], strict=True)), *pixels,
                                     seed=measures.SEED % 2**31)
        font = FontProperties(fname=str(figures.font_path()))
        peak = float(data["per_10k"].max())
        rate = dict(zip(data["term"], data["per_10k"], strict=True))
        for word, size, x, y in layouts[pixels]:
            path = TextPath((0, 0), word, size=size, prop=font)
            place = Affine2D().scale(1, -1).translate(x, y)
            axes.add_patch(PathPatch(place.transform_path(path), linewidth=0,
                                     facecolor=_mix(INK, 0.5 + 0.5 * np.sqrt(rate[word] / peak))))
        ranked = add_axes(figure, left=width - bars + _label_margin(list(shown["term"]), 8.5),
                          right=text_width("000.0", 8.5) + 0.08)
        ranked.set_ylim(len(shown) - 0.5, -0.5)
        ranked.set_xlim(0, peak)
        _bare(ranked)
        ranked.barh(np.arange(len(shown)), shown["per_10k"], height=0.68, color=MARK)
        ranked.set_yticks(range(len(shown)), list(shown["term"]))
        for i, value in enumerate(shown["per_10k"]):
            ranked.annotate(f"{value:.1f}", (value, i), xytext=(4, 0), textcoords="offset points",
                            va="center_baseline", fontsize=8.5, color=INK)

    return figures.finish(
        draw, title=title or automatic, n=n_tokens, alt=alt, height=3.3,
        subtitle={"zh": f"每万词次出现次数，{where['zh']}；n={count(n_tokens)}词次，已去停用词",
                  "en": f"Occurrences per 10,000 tokens, {where['en']}; n = {count(n_tokens)} tokens; stop words left "
                        "out"},
        how_to_read={"zh": "词云只给印象：字越大用得越多，位置没有含义。要比较多少，请看右边的条形。",
                     "en": "The cloud gives an impression only: larger is more frequent, place means nothing. To "
                           "compare, read the bars at the right."},
        **shared)
