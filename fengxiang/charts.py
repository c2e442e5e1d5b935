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
    """Items as a sentence lists them."""
    items = list(items)
    if lang == "zh":
        return "、".join(items[:-1]) + ("和" if len(items) > 1 else "") + items[-1] if items else ""
    return ", ".join(items[:-1]) + (" and " if len(items) > 1 else "") + items[-1] if items else ""


def quoted(text: str, lang: str) -> str:
    return f"“{text}”" if lang == "zh" else f"“{text}”"


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
              + (f"; {words[largest]['en'].lower()} goes first" if largest else "")}
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
