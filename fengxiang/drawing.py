"""Marks and labels that charts share: tints, rows, scales, small multiples, the tile grid, places for labels.

Everything is deterministic, sized in points or inches of the sheet, and writes its labels itself, so that
`figures.overlaps` can hold the charts to their word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import figures
from .figures import GRID, INK, PAPER, QUIET_INK, SOFT_INK, add_axes, size_inches, text_width

if TYPE_CHECKING:
    from .charts import Names

MARK = "#55616C"
EARLIER, LATER = "#9A6212", "#43388A"
THIN_STYLE = {"hatch": "////", "edgecolor": "none"}
EMPTY_STYLE = {"edgecolor": "#C9C4BC"}


def tint(colour: str, share: float, paper: str = PAPER) -> tuple[float, float, float]:
    """`colour` laid over paper with opacity `share`: the steps of a sequential scale."""
    from matplotlib.colors import to_rgb

    a, b = np.array(to_rgb(colour)), np.array(to_rgb(paper))
    return tuple(float(v) for v in b + (a - b) * float(np.clip(share, 0, 1)))


def shade_step(share: float, steps: int = 8) -> float:
    """`share` of 1 raised to the next of a few steps: shades the eye can tell apart."""
    return float(np.ceil(np.clip(share, 0, 1) * steps - 1e-9)) / steps


def diverging_tint(value: float, limit: float) -> tuple[float, float, float]:
    """A colour for `value` in [−limit, limit]: ochre below zero, indigo above."""
    share = min(abs(value) / limit, 1) if limit else 0
    return tint(LATER if value > 0 else EARLIER, 0.06 + 0.88 * shade_step(share))


def rows_that_fit(figure, n: int, pitch: float = 0.165, around: float = 0.45) -> int:
    """How many of `n` rows of `pitch` inches have room, when `around` inches go to axes and headings; where not all
    have, one row is kept free for `write_more`."""
    room = int((size_inches(figure)[1] - around) / pitch + 1e-6)
    return n if n <= room else max(1, room - 1)


def label_margin(labels: Sequence[str], size: float) -> float:
    """Inches that names at the left of rows need."""
    return max((text_width(label, size) for label in labels), default=0) + 0.09


def write(axes, xy, text: str, size: float, *, at: str = "data", shift=(0, 0), ha: str = "left",
          va: str = "center_baseline", color=INK, **kwargs) -> None:
    """Text at `xy` moved by `shift` points. `at` says what `xy` counts in: `data`; `axes`, from 0 to 1 both ways;
    `right`, 0 to 1 across and data up; `top`, data across and 0 to 1 up. Several times faster than an annotation."""
    from matplotlib.transforms import ScaledTranslation

    base = {"data": axes.transData, "axes": axes.transAxes, "right": axes.get_yaxis_transform(),
            "top": axes.get_xaxis_transform()}[at]
    if shift != (0, 0):
        dots = axes.get_figure(root=True).dpi_scale_trans
        base = base + ScaledTranslation(shift[0] / 72, shift[1] / 72, dots)
    axes.text(*xy, text, fontsize=size, transform=base, ha=ha, va=va, color=color, **kwargs)


def stand_counts(counts: Sequence[float], column: float) -> tuple[int, float]:
    """How the numbers of cases at the heads of columns, `column` inches wide, have to stand: their rotation, 0 or 90,
    and by how many points they are then higher than a line."""
    widest = max((text_width(str(int(n)), 6.5) for n in counts), default=0)
    return (0, 0.0) if widest + 0.02 <= column else (90, 72 * widest - 5)


def write_rows(axes, rows: Sequence[float], labels: Sequence[str], size: float = 8.5, colours=None) -> None:
    """Names at the left of rows."""
    for i, (row, label) in enumerate(zip(rows, labels, strict=True)):
        write(axes, (0, row), label, size, at="right", shift=(-5, 0), ha="right",
              color=INK if colours is None else colours[i])


def write_scale(axes, ticks: Sequence[float], labels: Sequence[str], grid: bool = True) -> None:
    """Values below a horizontal scale, with thin lines where they are read."""
    for tick, label in zip(ticks, labels, strict=True):
        if grid:
            axes.axvline(tick, color=GRID, linewidth=0.7, zorder=0)
        write(axes, (tick, 0), label, 7.5, at="top", shift=(0, -4), ha="center", va="top", color=QUIET_INK)


def write_stack(axes, xy, text: str, size: float, *, shift=(0, 0), leading: float = 1.2, **kwargs) -> None:
    """Lines of text at an even distance, the last one's baseline at `xy` moved by `shift` points."""
    lines = text.split("\n")
    for i, line in enumerate(lines):
        write(axes, xy, line, size, shift=(shift[0], shift[1] + (len(lines) - 1 - i) * size * leading),
              va="baseline", **kwargs)


def write_more(axes, hidden: int, lang: str) -> None:
    """Says in a row of its own, below the last one, how many rows a small sheet leaves out."""
    if hidden:
        low, high = axes.get_ylim()
        axes.set_ylim(low + 0.9, high)
        text = f"另有{hidden}行，见数据表" if lang == "zh" else f"{hidden} more rows in the data"
        write(axes, (0, low + 0.4), text, 7.5, at="right", shift=(3, 0), color=QUIET_INK,
              bbox={"facecolor": PAPER, "pad": 1, "linewidth": 0})


def vertical(name: str) -> str:
    """A Chinese name one character a line."""
    return "\n".join(name)


def fill_cells(axes, x, y, colours, width=0.94, height=0.94, **kwargs):
    """Rectangles of one size around points."""
    from matplotlib.collections import PolyCollection

    x, y = np.asarray(x, float), np.asarray(y, float)
    w, h = width / 2, height / 2
    corners = np.stack([np.stack([x + dx * w, y + dy * h], axis=1)
                        for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, 1))], axis=1)
    axes.add_collection(PolyCollection(corners, facecolors=list(colours), **({"linewidths": 0} | kwargs)))


def swatch(axes, x: float, y: float, fill):
    """A small filled square above the axes, for a key in a row."""
    from matplotlib.patches import Rectangle
    from matplotlib.transforms import Affine2D

    root = axes.get_figure(root=True)
    corner = axes.transAxes.transform((x, y)) / root.dpi  # in inches: the layout does not move after this
    place = Affine2D().scale(1 / 72).translate(*corner) + root.dpi_scale_trans
    return Rectangle((0, 5), 9, 8, facecolor=fill, linewidth=0, transform=place, clip_on=False)


def draw_key(figure, left: float, top: float, title: str, steps: Sequence[tuple]) -> float:
    """A key of filled squares with words, from `top` inches below the upper edge; returns where it ends."""
    from matplotlib.patches import Rectangle

    width, height = size_inches(figure)
    y = top
    for line in figures.wrap(title, width - left, 8.5).split("\n"):
        figure.text(left / width, 1 - (y + 0.1) / height, line, fontsize=8.5, color=SOFT_INK, va="baseline")
        y += 0.16
    y += 0.03
    for fill, text, style in steps:
        figure.add_artist(Rectangle((left / width, 1 - (y + 0.14) / height), 0.17 / width, 0.14 / height,
                                    facecolor=fill, transform=figure.transSubfigure, linewidth=0.7, **style))
        lines = figures.wrap(text, width - left - 0.24, 8).split("\n")
        for line in lines:
            figure.text((left + 0.24) / width, 1 - (y + 0.11) / height, line, fontsize=8, color=INK, va="baseline")
            y += 0.15
        y += 0.045
    return y


@dataclass(frozen=True)
class Panel:
    """One of many small line charts: values by year with their interval; thin years are shown grey. `beside` are other
    values for the same years, NaN where there are none, drawn as a broken line."""

    title: str
    colour: str
    years: Sequence[int]
    value: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    thin: Sequence[bool]
    beside: Sequence[float] = ()


def small_multiples(figure, panels: Sequence[Panel], form: Callable[[float], str], lang: str) -> None:
    """Line charts on one scale, titled, with the last value written out."""
    width, height = size_inches(figure)
    years = sorted({y for p in panels for y in p.years})
    tops = [h for p in panels for h, t in zip(p.high, p.thin, strict=True) if not t and np.isfinite(h)]
    tops += [v for p in panels for v in (*p.value, *p.beside) if np.isfinite(v)]
    top = max(tops, default=0) * 1.04 or 1
    tick = max(m * 10.0**e for e in range(-3, 5) for m in (1, 2, 5) if m * 10.0**e <= top * 0.8)
    margin, gap, foot = text_width(form(tick), 7.5) + 0.06, 0.12, 0.17
    value_room = max(text_width(form(88.8), 8), 0.2) + 0.08

    def layout(panels, n_columns):
        n_rows = -(-len(panels) // n_columns)
        cell = (width - margin - gap * (n_columns - 1)) / n_columns
        titles = [figures.wrap(p.title, cell, 8) for p in panels]
        head = 0.155 * max(t.count("\n") + 1 for t in titles) + 0.06
        plot = (height - foot - n_rows * (head + 0.08)) / n_rows
        if plot < 0.2 or cell - value_room < 0.3:
            return np.inf, n_columns, cell, titles, head, plot
        shape = abs(np.log((cell - value_room) / plot / 1.5))
        return shape + 2 * (-len(panels) % n_columns) / len(panels), n_columns, cell, titles, head, plot

    def latest(panel):
        known = [v for v in panel.value if np.isfinite(v)]
        return known[-1] if known else -np.inf

    shown = list(panels)
    while True:
        unease, n_columns, cell, titles, head, plot = min(
            (layout(shown, n) for n in range(1, len(shown) + 1)), key=lambda found: found[:2])
        if np.isfinite(unease) or len(shown) == 1:
            break
        shown.remove(min(reversed(shown), key=latest))  # a small sheet leaves out the smallest
        foot = 0.32
    panels, hidden = shown, len(panels) - len(shown)
    # One pair of axes in inches for all panels: two dozen of their own take a second to set up.
    axes = add_axes(figure)
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    span = (years[0] - 0.25, years[-1] + 0.25)
    broken = []  # all broken lines as one, gaps between them
    for k, panel in enumerate(panels):
        row, column = divmod(k, n_columns)
        left, base = margin + column * (cell + gap), row * (head + plot + 0.08) + head + plot
        right = left + cell - value_room

        def at(x, left=left, right=right):
            return left + (np.asarray(x, float) - span[0]) / (span[1] - span[0]) * (right - left)

        def up(y, base=base):
            return base - np.asarray(y, float) / top * plot

        axes.hlines([base, float(up(tick))], left, right, colors=["#C9C4BC", GRID], linewidth=0.7, zorder=1)
        x, values, thin = at(panel.years), up(panel.value), np.asarray(panel.thin, bool)
        band = np.where(thin, np.nan, np.stack([panel.low, panel.high]).astype(float))
        axes.fill_between(x, *up(np.clip(band, 0, top)), color=panel.colour, alpha=0.16, linewidth=0)
        if thin.any():
            axes.plot(x, values, color="#B9B4AC", linewidth=1, zorder=2)
            axes.plot(x[thin], values[thin], "o", color=PAPER, markeredgecolor="#9A958D", markersize=3.2, zorder=4,
                      markeredgewidth=0.8)
        axes.plot(x, np.where(thin, np.nan, values), "o-", color=panel.colour, linewidth=1.6, markersize=3, zorder=3)
        if len(panel.beside):
            broken += [*zip(x, up(panel.beside), strict=True), (np.nan, np.nan)]
        known = np.flatnonzero(np.isfinite(values))
        if len(known):
            last = known[-1]
            write(axes, (x[last], values[last]), form(panel.value[last]), 8, shift=(5, 0),
                  color=QUIET_INK if thin[last] else panel.colour)
        write_stack(axes, (left, base - plot), titles[k], 8, shift=(0, 6))
        if k + n_columns >= len(panels):
            ends = [years[0], years[-1]] if len(years) > 1 else [years[0]]
            narrow = right - left < text_width("2021  2026", 7.5) + 0.06
            for year, side in zip(ends, ("left", "right"), strict=False):
                label = str(year) if side == "left" or not narrow else f"{year % 100:02d}"
                write(axes, (float(at(year)), base), label, 7.5, shift=(0, -3),
                      ha=side if len(ends) > 1 else "center", va="top", color=QUIET_INK)
        if column == 0:
            write(axes, (left, float(up(tick))), form(tick), 7.5, shift=(-3, 0), ha="right", color=QUIET_INK)
    if broken:
        axes.plot(*np.array(broken).T, color=INK, linewidth=0.9, linestyle=(0, (2.2, 1.8)), zorder=3.5)
    if hidden:
        text = f"另有{hidden}幅见整页图" if lang == "zh" else f"{hidden} more in the full figure"
        write(axes, (1, 0), text, 7.5, at="axes", shift=(0, 2), ha="right", va="baseline", color=QUIET_INK)


def pack_cloud(weights: Mapping[str, float], width: int, height: int,
               seed: int) -> list[tuple[str, float, float, float]]:
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


def place_labels(anchors: np.ndarray, radii: np.ndarray, sizes: np.ndarray, bounds: tuple, order: Sequence[int],
                 lines: np.ndarray | None = None) -> dict[int, tuple[float, float]]:
    """Where labels may stand beside their points without touching another label or point; all in points.

    Labels are placed in `order`. Each tries the right, left, upper and lower side of its point and the corners
    between, close by and then a little further off, and takes the free place that lines cross least; one that finds
    none is left out.

    Args:
        anchors: (n, 2) the points. radii: (n,) of their marks. sizes: (n, 2) width and height of the labels.
        bounds: (x0, y0, x1, y1) labels stay within.
        order: indices, the most important first.
        lines: (m, 2) points along lines that labels had better not lie on.

    Returns:
        index → lower left corner of its label.
    """
    boxes = np.column_stack([anchors - radii[:, None], anchors + radii[:, None]])
    taken = np.empty((0, 4))
    placed = {}
    for i in order:
        x, y = anchors[i]
        w, h = sizes[i]
        others = np.delete(boxes, i, axis=0)
        free = []
        for step, gap in enumerate((2.0, 6.0, 11.0, 17.0)):
            r = radii[i] + gap
            d = r * 0.7
            for rank, (a, b) in enumerate((
                    (x + r, y - h / 2), (x - r - w, y - h / 2), (x - w / 2, y + r), (x - w / 2, y - r - h),
                    (x + d, y + d), (x + d, y - d - h), (x - d - w, y + d), (x - d - w, y - d - h))):
                box = np.array([a, b, a + w, b + h])
                inside = box[0] >= bounds[0] and box[1] >= bounds[1] and box[2] <= bounds[2] and box[3] <= bounds[3]
                if inside and not _touches(box, others) and not _touches(box, taken):
                    crossed = 0 if lines is None else int(
                        ((lines > box[:2]) & (lines < box[2:])).all(axis=1).sum())
                    free.append((min(crossed, 12) + 4 * step, step, rank, a, b))
        if free:
            *_, a, b = min(free)
            placed[i] = (a, b)
            taken = np.vstack([taken, (a - 1.5, b - 0.5, a + w + 1.5, b + h + 0.5)])
    return placed


def _touches(box: np.ndarray, boxes: np.ndarray) -> bool:
    return bool(((boxes[:, 0] < box[2]) & (box[0] < boxes[:, 2]) & (boxes[:, 1] < box[3])
                 & (box[1] < boxes[:, 3])).any()) if len(boxes) else False


def keep_apart(points: np.ndarray, radii: np.ndarray, rounds: int = 200) -> np.ndarray:
    """Points moved as little as need be so that their marks do not overlap."""
    points = points.astype(float).copy()
    apart = radii[:, None] + radii[None, :] + 5
    for _ in range(rounds):
        delta = points[:, None, :] - points[None, :, :]
        distance = np.hypot(delta[..., 0], delta[..., 1])
        np.fill_diagonal(distance, np.inf)
        short = np.clip(apart - distance, 0, None)
        if not (short > 0.05).any():
            break
        safe = np.where(np.isfinite(distance) & (distance > 1e-9), distance, 1.0)
        points += (delta / safe[..., None] * short[..., None]).sum(axis=1) * 0.3
    return points


@dataclass(frozen=True)
class Tile:
    """How one region's tile looks: a fill, a line under its name, and whether it is thin."""

    fill: tuple[float, float, float] | str
    text: str
    thin: bool = False
    empty: bool = False


def _hyphenated(name: str) -> list[str]:
    """A pinyin name in two lines, broken between syllables as near the middle as can be."""
    vowels = set("aeiouü")
    breaks = []
    for i in range(2, len(name) - 1):
        onset = 2 if name[i] in "zcs" and name[i + 1] == "h" else 1
        if name[i] not in vowels and name[i + onset:i + onset + 1] in vowels \
                and (name[i - 1] in vowels or name[i - 1] in "ngr") and name[i - 1:i + 1] != "ng":
            breaks.append(i)
    if not breaks:
        return [name]
    middle = min(breaks, key=lambda i: abs(i - len(name) / 2))
    return [name[:middle] + "-", name[middle:]]


def draw_tiles(figure, lang: str, names: Names, tiles: Mapping[str, Tile]) -> float:
    """Draws the map at the left of the figure; returns the inches it takes from the left edge."""
    from matplotlib.patches import Rectangle

    width, height = size_inches(figure)
    places = {region: place for region, place in names.tiles.items() if region in tiles}
    columns = 1 + max(c for c, _ in places.values())
    rows = 1 + max(r for _, r in places.values())
    side = min(height / rows, width * 0.66 / columns)
    axes = add_axes(figure, right=width - side * columns, bottom=height - side * rows)
    axes.set_xlim(0, columns)
    axes.set_ylim(rows, 0)
    size = min(9.0, side * 72 * 0.23)
    for region, (column, row) in sorted(places.items()):
        tile = tiles[region]
        axes.add_patch(Rectangle((column + 0.03, row + 0.03), 0.94, 0.94, facecolor="none" if tile.empty else tile.fill,
                                 edgecolor="#C9C4BC" if tile.empty else "none", linewidth=0.7,
                                 hatch="////" if tile.thin and not tile.empty else None))
        ink = QUIET_INK if tile.empty else figures.ink_on(tile.fill)
        name = names.region(region, lang)
        lines = name.split(" ") if text_width(name, size * 0.85) > side * 0.88 else [name]
        if len(lines) == 1 and text_width(name, size * 0.75) > side * 0.88:
            lines = _hyphenated(name)
        name_size = min(size, *(size * side * 0.88 / text_width(line, size) for line in lines))
        centre = row + 0.5 + (0 if tile.text else 0.1)
        for k, line in enumerate(lines):
            offset = -0.07 - (len(lines) - 1 - k) * name_size * 1.05 / 72 / side
            axes.text(column + 0.5, centre + offset, line, ha="center", va="baseline", fontsize=name_size, color=ink)
        if tile.text:
            axes.text(column + 0.5, row + 0.5 + 0.24, tile.text, ha="center", va="baseline", fontsize=size * 0.92,
                      color=ink)
    return side * columns
