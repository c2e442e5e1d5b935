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
DEEP_EARLIER = "#6E4207"  # the end of a scale that digits stand on
UNCLEAR = "#8A857D"  # marks that make no claim
COUNT_PT = 7.2  # numbers of cases at the heads of columns: a 45th of a slide's height at least
THIN_STYLE = {"hatch": "////", "edgecolor": "none"}
EMPTY_STYLE = {"edgecolor": "#C9C4BC"}


def tint(colour: str, share: float, paper: str = PAPER) -> tuple[float, float, float]:
    """`colour` laid over paper with opacity `share`: the steps of a sequential scale."""
    from matplotlib.colors import to_rgb

    a, b = np.array(to_rgb(colour)), np.array(to_rgb(paper))
    return tuple(float(v) for v in b + (a - b) * float(np.clip(share, 0, 1)))


def _oklab(rgb: np.ndarray) -> np.ndarray:
    """sRGB colours (…, 3) from 0 to 1 in OKLab, where distances are as far as they look (Ottosson 2020)."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    cones = np.cbrt(linear @ np.array([[0.4122214708, 0.2119034982, 0.0883024619],
                                       [0.5363325363, 0.6806995451, 0.2817188376],
                                       [0.0514459929, 0.1073969566, 0.6299787005]]))
    return cones @ np.array([[0.2104542553, 1.9779984951, 0.0259040371],
                             [0.7936177850, -2.4285922050, 0.7827717662],
                             [-0.0040720468, 0.4505937099, -0.8086757660]])


def theme_shades(colours: Sequence[str], counts: Sequence[int]) -> list[list[str]]:
    """For each group's colour as many shades as it has themes, the colour itself first.

    Every shade keeps near the hue of its group, stands out from paper (3:1), and lies as far as can be from all
    shades given before, lightness weighing most, which readers of every colour vision see.
    """
    from matplotlib.colors import to_hex, to_rgb

    steps = np.arange(0, 256, 10) / 255
    rgb = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    contrast = (figures.luminance(PAPER) + 0.05) / (linear @ (0.2126, 0.7152, 0.0722) + 0.05)
    rgb = rgb[(contrast >= 3) & (contrast <= 9.5)]
    places, bases = _oklab(rgb), _oklab(np.array([to_rgb(c) for c in colours]).reshape(-1, 3))

    def turn(lab):
        return np.arctan2(lab[..., 2], lab[..., 1])

    away = np.abs((turn(places)[:, None] - turn(bases) + np.pi) % (2 * np.pi) - np.pi)
    vivid = np.hypot(places[:, 1], places[:, 2])
    weights = np.array([1.3, 1, 1])
    given = [[base] for base in bases]
    shades = [[to_hex(c).upper()] if n else [] for c, n in zip(colours, counts, strict=True)]
    for rank in range(1, max(counts, default=0)):
        for g, n in enumerate(counts):
            if rank >= n:
                continue
            kin = (away[:, g] <= 0.55) & (away.argmin(axis=1) == g) & (vivid >= 0.05) \
                & (vivid <= max(0.15, np.hypot(*bases[g, 1:])))
            taken = np.array([place for own in given for place in own])
            near = np.linalg.norm((places[kin][:, None] - taken) * weights, axis=2).min(axis=1)
            best = int(np.argmax(near.round(6)))
            given[g].append(places[kin][best])
            shades[g].append(to_hex(rgb[kin][best]).upper())
    return shades


def pale(colour) -> tuple[float, float, float]:
    """The palest tint of `colour` that stands out from paper (3:1): for bars and intervals behind dots."""
    return next((tinted for share in np.arange(0.3, 1, 0.05)
                 if figures.contrast(tinted := tint(colour, share), PAPER) >= 3), tint(colour, 1))


def shade_step(share: float, steps: int = 8) -> float:
    """`share` of 1 raised to the next of a few steps: shades the eye can tell apart."""
    return float(np.ceil(np.clip(share, 0, 1) * steps - 1e-9)) / steps


def diverging_tint(value: float, limit: float) -> tuple[float, float, float]:
    """A colour for `value` in [−limit, limit]: ochre below zero, indigo above, in five steps each, on all of which
    digits read well (`figures.ink_on`): no step lies where both black and white are pale."""
    share = min(abs(value) / limit, 1) if limit else 0
    return tint(LATER if value > 0 else DEEP_EARLIER, 0.15 + 0.85 * shade_step(share, 5))


def rows_that_fit(figure, n: int, pitch: float = 0.165, around: float = 0.45) -> int:
    """How many of `n` rows of `pitch` inches have room, when `around` inches go to axes and headings; where not all
    have, one row is kept free for `write_more`. The same in every language."""
    room = int((figures.least_height(figure) - around) / pitch + 1e-6)
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
    widest = max((text_width(str(int(n)), COUNT_PT) for n in counts), default=0)
    return (0, 0.0) if widest + 0.02 <= column else (90, 72 * widest - 5)


def longest_that_fits(axes, texts: Sequence[str], size: float) -> str:
    """The first of `texts`, the longest first, that is no wider than the axes; the last where none is."""
    figure = axes.get_figure(root=True)
    inches = axes.get_position().width * axes.figure.bbox.width / figure.dpi
    return next((text for text in texts if text_width(text, size) <= inches), texts[-1])


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


def mark_beyond(axes, rows: Sequence[float], low, high, colours) -> None:
    """Arrowheads at the edge of a horizontal scale, in the rows whose interval from `low` to `high` goes on beyond."""
    left, right = axes.get_xlim()
    for row, a, b, colour in zip(rows, low, high, colours, strict=True):
        for edge, head, beyond in ((left, "<", a < left), (right, ">", b > right)):
            if beyond:
                axes.scatter([edge], [row], marker=head, s=14, c=[colour], linewidths=0, zorder=3, clip_on=False)


def write_stack(axes, xy, text: str, size: float, *, shift=(0, 0), leading: float = 1.2, **kwargs) -> None:
    """Lines of text at an even distance, the last one's baseline at `xy` moved by `shift` points."""
    lines = text.split("\n")
    for i, line in enumerate(lines):
        write(axes, xy, line, size, shift=(shift[0], shift[1] + (len(lines) - 1 - i) * size * leading),
              va="baseline", **kwargs)


def write_more(axes, hidden: int, lang: str, of: int = 0, rule: Mapping[str, str] | None = None) -> None:
    """Says in a row of its own, below the last one, how many rows a small sheet leaves out: of how many, and by what
    `rule` the others were chosen."""
    if hidden:
        low, high = axes.get_ylim()
        axes.set_ylim(low + 0.9, high)
        texts = [f"另有{hidden}行，见数据表" if lang == "zh" else f"{hidden} more rows in the data"]
        if of and rule:
            shown = of - hidden
            told = {"zh": (f"画出{of}行中的{shown}行：{rule['zh']}；其余见数据表",
                           f"{of}行中的{shown}行：{rule['zh']}"),
                    "en": (f"{shown} of {of} rows shown: {rule['en']}; the rest are in the data",
                           f"{shown} of {of} rows: {rule['en']}")}
            texts = [*told[lang], *texts]
        figure = axes.figure
        start = axes.get_position().x0 * size_inches(figure)[0]
        room = size_inches(figure)[0] - start
        text = next((t for t in texts if text_width(t, 7.5) <= room + start), texts[-1])
        back = min(start, max(0.0, text_width(text, 7.5) + 0.06 - room))  # a long one begins below the names
        write(axes, (0, low + 0.4), text, 7.5, at="right", shift=(3 - 72 * back, 0), color=QUIET_INK,
              bbox={"facecolor": PAPER, "pad": 1, "linewidth": 0})


def write_placed(axes, placed: Mapping[int, Placed], labels: Sequence[str], sizes: Sequence[float], colours) -> None:
    """Labels where `place_labels` has put them, on axes that count in points; paper behind one that a line crosses."""
    from matplotlib.collections import LineCollection

    axes.add_collection(LineCollection([p.leader for p in placed.values() if p.leader], colors=UNCLEAR, linewidths=0.6,
                                       zorder=1.5))
    for i, place in placed.items():
        halo = {"facecolor": PAPER, "alpha": 0.85, "pad": 0.6, "linewidth": 0} if place.crossed else None
        axes.text(place.x, place.y + 0.16 * sizes[i], labels[i], fontsize=sizes[i], va="baseline", color=colours[i],
                  zorder=3, bbox=halo)


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


def write_groups(figure, names: Names, themes: Sequence[str], lang: str, note: str = "") -> float:
    """What the colours of themes' names mean, at the foot of the chart, and a note at the right of it or, where there
    is no room, above; returns the inches they take."""
    width, height = size_inches(figure)
    found = {names.themes[t]["group"] for t in themes if t in names.themes}
    groups = [group for key, group in names.groups.items() if key in found]
    words = ["主题颜色：" if lang == "zh" else "Themes:", *("■ " + group[lang] for group in groups)] if groups else []
    colours = [QUIET_INK, *(group["colour"] for group in groups)]
    while words and sum(text_width(w, 7.5) + 0.14 for w in words) > width:  # rather none than one beyond the edge
        words.pop()
    x, base = 0.0, 0.04
    for word, colour in zip(words, colours, strict=False):
        figure.text(x / width, base / height, word, fontsize=7.5, color=colour, va="baseline")
        x += text_width(word, 7.5) + 0.14
    if note:
        if x and x + text_width(note, 7.5) > width:
            base += 0.15
        figure.text(1, base / height, note, fontsize=7.5, color=QUIET_INK, va="baseline", ha="right")
    return base + 0.14 if words or note else 0.0


def swatch(axes, x: float, y: float, fill, up: float = 0.0):
    """A small filled square above the axes, for a key in a row, `up` points higher than the first line."""
    from matplotlib.patches import Rectangle
    from matplotlib.transforms import Affine2D

    root = axes.get_figure(root=True)
    corner = axes.transAxes.transform((x, y)) / root.dpi  # in inches: the layout does not move after this
    place = Affine2D().scale(1 / 72).translate(*corner) + root.dpi_scale_trans
    return Rectangle((0, 5 + up), 9, 8, facecolor=fill, linewidth=0, transform=place, clip_on=False)


def key_width(words: Sequence[str]) -> float:
    """Inches that a key in a row takes: a swatch, a word and a gap for each."""
    return sum(12 / 72 + text_width(word, 8) + 0.14 for word in words)


def write_marks_key(axes, choices: Sequence[Sequence[tuple]], size: float = 8.0) -> None:
    """A key in a row above the axes: (marker, colour, words) each. The first of `choices`, the longest first, that fits
    between the left edge of the sheet and the right end of the axes; it begins above the names only where it must."""
    from matplotlib.transforms import ScaledTranslation

    inches = size_inches(axes.figure)[0]
    place = axes.get_position()
    left, room = place.x0 * inches, place.width * inches

    def takes(items):
        return sum(0.15 + text_width(words, size) + 0.14 for *_, words in items) - 0.14

    items = next((some for some in choices if takes(some) <= left + room), choices[-1])
    x = -min(left, max(0.0, takes(items) - room))
    for marker, colour, words in items:
        move = ScaledTranslation(x + 0.05, 7.5 / 72, axes.get_figure(root=True).dpi_scale_trans)
        axes.scatter([0], [1], marker=marker, s=44 if marker == "_" else 24, color=[colour], clip_on=False,
                     linewidths=2.4 if marker == "_" else 0, transform=axes.transAxes + move)
        write(axes, (0, 1), words, size, at="axes", shift=(72 * (x + 0.15), 4), va="baseline", color=SOFT_INK)
        x += 0.15 + text_width(words, size) + 0.14


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


SMALL_SHEET_RULE = {
    "zh": "版面小，画不下全部各幅时，只画最后一个数值最高的几幅。",
    "en": "A sheet too small for all charts shows those with the highest last values."}
"""Which charts `small_multiples` leaves out, for the reading help."""


def small_multiples(figure, panels: Sequence[Panel], form: Callable[[float], str], lang: str) -> None:
    """Line charts on one scale, titled, with the last value written out. Where not all have room they are set closer,
    in smaller type; where that does not do either, those with the lowest last values are left out
    (`SMALL_SHEET_RULE`), which a note says."""
    width, height = size_inches(figure)
    years = sorted({y for p in panels for y in p.years})

    def highest(panel):
        drawn = [h for h, t in zip(panel.high, panel.thin, strict=True) if not t and np.isfinite(h)]
        return max(drawn + [v for v in (*panel.value, *panel.beside) if np.isfinite(v)], default=0) * 1.04

    top = max(map(highest, panels), default=0) or 1
    tick = max(m * 10.0**e for e in range(-3, 5) for m in (1, 2, 5) if m * 10.0**e <= top * 0.8)
    margin, gap, foot = text_width(form(tick), 7.5) + 0.06, 0.12, 0.17
    value_room = max(text_width(form(88.8), 8), 0.2) + 0.08
    # type of a title, inches below a row (so that a title stands nearer to its own lines than to those above), and the
    # least height of the lines, a mean over rows, and their least width
    settings = ((8.0, 0.2, 0.38, 0.46), (7.2, 0.13, 0.27, 0.4))

    def layout(panels, n_columns, setting):
        size, between, least_height, least_width = setting
        n_rows = -(-len(panels) // n_columns)
        cell = (width - margin - gap * (n_columns - 1)) / n_columns
        titles = [figures.wrap(p.title, cell + (0 if size == 8 else gap - 0.06), size) for p in panels]
        heads = [(1.2 * max(t.count("\n") for t in titles[k:k + n_columns]) + 1) * size / 72 + 0.09
                 for k in range(0, len(panels), n_columns)]
        # One scale for all, but no row is higher than its highest line: so a title stands close above its own lines.
        highs = [max(tick, *map(highest, panels[k:k + n_columns])) for k in range(0, len(panels), n_columns)]
        room = max(height - foot - sum(heads) - between * n_rows, 0)
        plots = [room * h / sum(highs) for h in highs]
        if room / n_rows < least_height or cell - value_room < least_width:
            return np.inf, n_columns, cell, titles, heads, plots
        shape = abs(np.log((cell - value_room) / (room / n_rows) / 1.5))
        return shape + 2 * (-len(panels) % n_columns) / len(panels), n_columns, cell, titles, heads, plots

    def latest(panel):
        known = [v for v in panel.value if np.isfinite(v)]
        return known[-1] if known else -np.inf

    def best(panels, setting):
        return min((layout(panels, n, setting) for n in range(1, len(panels) + 1)), key=lambda found: found[:2])

    shown = list(panels)
    setting = next((s for s in settings if np.isfinite(best(shown, s)[0])), settings[-1])
    while not np.isfinite(best(shown, setting)[0]) and len(shown) > 1:
        shown.remove(min(reversed(shown), key=latest))
        foot = 0.3
    _, n_columns, cell, titles, heads, plots = best(shown, setting)
    size, between, *_ = setting
    panels, hidden = shown, len(panels) - len(shown)
    # One pair of axes in inches for all panels: two dozen of their own take a second to set up.
    axes = add_axes(figure)
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    span = (years[0] - 0.25, years[-1] + 0.25)
    broken = []  # all broken lines as one, gaps between them
    for k, panel in enumerate(panels):
        row, column = divmod(k, n_columns)
        tallest = [max(tick, highest(p)) for p in panels[row * n_columns:(row + 1) * n_columns]]
        plot, of_row = plots[row], max(tallest)
        # Titles stand on one level, or on two where a row has lines that are far higher than the others.
        lower = [h for h in tallest if h <= 0.65 * of_row]
        level = max(lower) if max(tick, highest(panel)) <= 0.65 * of_row else of_row
        left, base = margin + column * (cell + gap), sum(heads[:row + 1]) + sum(plots[:row + 1]) + row * between
        right = left + cell - value_room

        def at(x, left=left, right=right):
            return left + (np.asarray(x, float) - span[0]) / (span[1] - span[0]) * (right - left)

        def up(y, base=base, plot=plot, of_row=of_row):
            return base - np.asarray(y, float) / of_row * plot

        axes.hlines([base, float(up(tick))], left, right, colors=["#C9C4BC", GRID], linewidth=0.7, zorder=0.5)
        x, values, thin = at(panel.years), up(panel.value), np.asarray(panel.thin, bool)
        band = np.where(thin, np.nan, np.stack([panel.low, panel.high]).astype(float))
        axes.fill_between(x, *up(np.clip(band, 0, of_row)), color=panel.colour, alpha=0.16, linewidth=0)
        if thin.any():
            axes.plot(x, values, color=UNCLEAR, linewidth=1, zorder=2)
            axes.plot(x[thin], values[thin], "o", color=PAPER, markeredgecolor=UNCLEAR, markersize=3.2, zorder=4,
                      markeredgewidth=0.8)
        axes.plot(x, np.where(thin, np.nan, values), "o-", color=panel.colour, linewidth=1.6, markersize=3, zorder=3)
        if len(panel.beside):
            broken += [*zip(x, up(panel.beside), strict=True), (np.nan, np.nan)]
        known = np.flatnonzero(np.isfinite(values))
        if len(known):
            last = known[-1]
            after = max(right, float(x[last]) + 3 / 72)  # past the end of the lines that the scale is read from
            write(axes, (after, values[last]), form(panel.value[last]), 8, shift=(2, 0),
                  color=QUIET_INK if thin[last] else INK)
        write_stack(axes, (left, float(up(level))), titles[k], size, shift=(0, 5))
        if k + n_columns >= len(panels):
            ends = [years[0], years[-1]] if len(years) > 1 else [years[0]]
            full, brief = [str(year) for year in ends], [f"{year % 100:02d}" for year in ends]
            room = float(at(ends[-1]) - at(ends[0])) - 0.08
            labels = next((some for some in (full, [*full[:-1], brief[-1]])
                           if sum(text_width(label, 7.5) for label in some) <= room), brief) if len(ends) > 1 else full
            for year, label, side in zip(ends, labels, ("left", "right"), strict=False):
                write(axes, (float(at(year)), base), label, 7.5, shift=(0, -3),
                      ha=side if len(ends) > 1 else "center", va="top", color=QUIET_INK)
        if column == 0:
            write(axes, (left, float(up(tick))), form(tick), 7.5, shift=(-3, 0), ha="right", color=QUIET_INK)
    if broken:
        axes.plot(*np.array(broken).T, color=INK, linewidth=0.9, linestyle=(0, (2.2, 1.8)), zorder=3.5)
    if hidden:
        text = (f"图为最后一个数值最高的{len(panels)}幅，另有{hidden}幅见整页图" if lang == "zh" else
                f"The {len(panels)} with the highest last values; {hidden} more in the full figure")
        write(axes, (1, 0), text, 7.5, at="axes", shift=(0, 2), ha="right", va="baseline", color=QUIET_INK)


def pack_cloud(weights: Mapping[str, float], width: int, height: int,
               seed: int) -> list[tuple[str, float, float, float]]:
    """Words as the `wordcloud` package sizes and places them: (word, size, x, baseline y) in pixels from the upper
    left, the heaviest first.

    All words are there: where one finds no place, the whole cloud is set smaller. Should one find none however small,
    the cloud ends before it, so that no word stands there that is lighter than one left out.
    """
    words = sorted(weights, key=lambda word: -weights[word])  # stable: ties as they came
    out: list[tuple[str, float, float, float]] = []
    for shrunk in 0.93 ** np.arange(30):
        found = _cloud(weights, width, height, seed, shrunk)
        missing = next((i for i, word in enumerate(words) if word not in found), len(words))
        if missing > len(out) or not out:
            out = [(word, *found[word]) for word in words[:missing]]
        if missing == len(words):
            break
    return out


def _cloud(weights: Mapping[str, float], width: int, height: int, seed: int,
           shrunk: float) -> dict[str, tuple[float, float, float]]:
    """word → size, x and baseline of one try, the largest word `shrunk` times as large as it might be.

    The package measures a word by its ink and draws it from the ascender, which in a Chinese font is a quarter of a
    square higher, so its words can touch. A word that would is moved along a spiral to the nearest free place; one
    that finds none is missing.
    """
    from wordcloud import WordCloud

    cloud = WordCloud(font_path=str(figures.font_path()), width=width, height=height, prefer_horizontal=1.0,
                      max_words=len(weights), relative_scaling=0.6, random_state=seed, margin=2,
                      min_font_size=max(4, round(11 * shrunk)), max_font_size=max(4, round(height / 5 * shrunk)),
                      mode="L", regexp=None)
    cloud.generate_from_frequencies(dict(weights))
    turns = np.arange(2400)
    angle = turns * 2.399963  # the golden angle: even cover of the plane
    reach = 1.1 * np.sqrt(turns) * np.sqrt(width * height / 2400)
    steps = np.stack([np.cos(angle) * reach, np.sin(angle) * reach * 0.6], axis=1)
    boxes, out = np.empty((0, 4)), {}
    for (word, _), size, (top, left), _, _ in cloud.layout_:
        w, h = text_width(word, size) * 72, 0.96 * size
        x, y = (np.array([left, top + 0.28 * size]) + steps).T
        free = (x >= 0) & (y >= 0) & (x + w <= width) & (y + h <= height)
        for b in boxes:
            free &= (x + w + 4 <= b[0]) | (b[2] + 4 <= x) | (y + h + 2 <= b[1]) | (b[3] + 2 <= y)
        if free.any():
            i = int(np.argmax(free))
            boxes = np.vstack([boxes, (x[i], y[i], x[i] + w, y[i] + h)])
            out[word] = (float(size), float(x[i]), float(y[i] + 0.86 * size))
    return out


@dataclass(frozen=True)
class Placed:
    """Where a label stands, in points: its lower left corner; the two ends of the line that leads to it where it is
    not beside its point; whether a line passes below it, for want of a free place."""

    x: float
    y: float
    leader: tuple[tuple[float, float], tuple[float, float]] | None = None
    crossed: bool = False


_SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (0.7, 0.7), (0.7, -0.7), (-0.7, 0.7), (-0.7, -0.7))


def place_labels(anchors: np.ndarray, radii: np.ndarray, sizes: np.ndarray, bounds: tuple, order: Sequence[int],
                 segments: np.ndarray | None = None, thick: np.ndarray | None = None,
                 reach: float = 90.0, choices: dict | None = None) -> dict[int, Placed]:
    """Where labels may stand so that they touch no other label, no point and no line; all in points.

    A label stands beside its point where it is nearer to it than to any other point; else further off, up to `reach`,
    with a line that leads to it and crosses no other label, leader or point. Labels are placed in `order`, each in the
    free place nearest to its point; where some find none, those go first in another try. The best try is taken: more
    labels and nearer ones, the most important label counting twice the least. A label lies across a line only where it
    would be left out otherwise.

    Args:
        anchors: (n, 2) the points. radii: (n,) of their marks. sizes: (n, 2) width and height of the labels.
        bounds: (x0, y0, x1, y1) labels stay within.
        order: indices, the most important first.
        segments: (m, 2, 2) the ends of lines that labels must not lie on. thick: (m,) the widths of these lines.
        choices: where each label may stand by itself, kept here from one call to the next, which may differ from it in
            `order` alone.

    Returns:
        index → its place; labels without one are left out.
    """
    marks = np.column_stack([anchors - radii[:, None], anchors + radii[:, None]])
    lines = np.empty((0, 2, 2)) if segments is None else np.asarray(segments, float).reshape(-1, 2, 2)
    pads = np.ones(len(lines)) if thick is None else np.asarray(thick, float) / 2 + 1
    choices = {} if choices is None else choices
    for i in order:
        if i not in choices:
            choices[i] = _label_choices(i, anchors, radii, sizes[i], bounds, marks, lines, pads, reach)

    def first_free(i, taken, leaders):
        """The index of the cheapest free choice; choices are sorted by cost, and looked at a few at a time."""
        boxes, lead, led, _, _ = choices[i]
        open_ = np.flatnonzero(~_any_touch(boxes, taken))
        for start in range(0, len(open_), 32):
            some = open_[start:start + 32]
            bad = _crossing(leaders, boxes[some], np.full(len(leaders), 0.8)).any(axis=0)
            bad |= led[some] & (_crossing(lead[some], taken, np.full(len(some), 0.8)).any(axis=1)
                                | _meeting(lead[some], leaders).any(axis=1))
            if not bad.all():
                return int(some[np.argmin(bad)])
        return None

    def attempt(sequence):
        placed, taken, leaders = {}, np.empty((0, 4)), np.empty((0, 2, 2))
        for i in sequence:
            k = first_free(i, taken, leaders)
            if k is not None:
                boxes, lead, led, costs, crossed = choices[i]
                x0, y0, x1, y1 = boxes[k]
                placed[i] = (float(costs[k]), Placed(
                    float(x0), float(y0), tuple(map(tuple, lead[k].tolist())) if led[k] else None, bool(crossed[k])))
                taken = np.vstack([taken, (x0 - 1.5, y0 - 0.5, x1 + 1.5, y1 + 0.5)])
                if led[k]:
                    leaders = np.concatenate([leaders, lead[k][None]])
        return placed

    best, sequence, weight = None, list(order), {i: rank for rank, i in enumerate(order)}
    value = {i: 2 - rank / len(weight) for i, rank in weight.items()}
    for _ in range(16):
        placed = attempt(sequence)
        worth = round(sum(value[i] - cost / 150 for i, (cost, _) in placed.items()), 6)
        if best is None or worth > best[0]:
            best = (worth, placed)
        # Those left out or across a line go before the others next time.
        hard = [i for i in sequence if i not in placed or placed[i][1].crossed]
        if not hard:
            break
        for i in hard:
            weight[i] -= len(sequence) / 4
        sequence = sorted(sequence, key=lambda i: weight[i])
    return {i: place for i, (_, place) in best[1].items()}


def _label_choices(i, anchors, radii, size, bounds, marks, lines, pads, reach):
    """Where label `i` may stand whatever other labels do: boxes (k, 4), leaders (k, 2, 2), whether each is drawn,
    what each costs, and whether a line passes below; the cheapest first."""
    (x, y), (w, h), r = anchors[i], size, radii[i]
    others = np.delete(np.arange(len(anchors)), i)
    boxes, costs = [], []
    for step, gap in enumerate((2.0, 4.0, 7.0)):
        for rank, (dx, dy) in enumerate(_SIDES):
            cx, cy = x + dx * (r + gap), y + dy * (r + gap)
            boxes.append((cx - w * (1 - np.sign(dx)) / 2, cy - h * (1 - np.sign(dy)) / 2))
            costs.append(gap + 0.4 * rank + step)
        for share in (0.25, 0.75, 0.1, 0.9):  # above and below, more to one side
            for below in (0, 1):
                boxes.append((x - w * share, y - h - r - gap if below else y + r + gap))
                costs.append(gap + 4 + step)
    n_near = len(boxes)
    turns = np.arange(32) * 2 * np.pi / 32
    for far in np.arange(12.0, reach + 1, 6.0):
        for dx, dy in zip(np.cos(turns), np.sin(turns), strict=True):
            cx, cy = x + dx * (r + far), y + dy * (r + far)
            across = 0.5 if abs(dx) < 0.2 else dx < 0
            boxes.append((cx - w * across, cy - h / 2))
            costs.append(12 + far)
    corners = np.array(boxes)
    boxes = np.concatenate([corners, corners + np.array([w, h])], axis=1)
    costs, led = np.array(costs), np.arange(len(boxes)) >= n_near
    # From the edge of the mark to the nearest point of the box.
    ends = np.stack([np.clip(x, boxes[:, 0], boxes[:, 2]), np.clip(y, boxes[:, 1] + h * 0.3, boxes[:, 3] - h * 0.3)],
                    axis=1)
    away = ends - (x, y)
    length = np.maximum(np.hypot(*away.T), 1e-9)
    lead = np.stack([(x, y) + away / length[:, None] * r, ends - away / length[:, None] * 1.0], axis=1)
    ok = (boxes[:, :2] >= np.array(bounds[:2])).all(axis=1) & (boxes[:, 2:] <= np.array(bounds[2:])).all(axis=1)
    ok &= ~_any_touch(boxes, marks + np.array([-0.8, -0.8, 0.8, 0.8]))
    if len(others):
        gaps = [np.clip(anchors[others, k], boxes[:, k, None], boxes[:, k + 2, None]) - anchors[others, k]
                for k in (0, 1)]
        rest = (np.hypot(*gaps) - radii[others]).min(axis=1)
        ok &= led | (rest > length - r + 1.0)
        # A line may pass close to a point that its own overlaps, but through no other.
        apart = np.hypot(*(anchors[others] - (x, y)).T) > r + radii[others] + 3
        shape = marks[others] + np.where(apart, 1.5, -0.5)[:, None] * np.array([-1, -1, 1, 1])
        ok &= ~led | ~_crossing(lead, shape, np.zeros(len(lead))).any(axis=1)
    crossed = _crossing(lines, boxes, pads).any(axis=0)
    if len(lines):
        costs = costs + 30 * np.where(led, _meeting(lead, lines).sum(axis=1), 0)
    costs = costs + 1000 * crossed
    ok &= ~(crossed & led)
    chosen = np.flatnonzero(ok)[np.argsort(costs[ok].round(6), kind="stable")]
    return boxes[chosen], lead[chosen], led[chosen], costs[chosen], crossed[chosen]


def _crossing(lines: np.ndarray, boxes: np.ndarray, pads: np.ndarray) -> np.ndarray:
    """(m, k): whether each of m lines (m, 2, 2) passes through each of k boxes, widened by the line's `pads`."""
    if not len(lines) or not len(boxes):
        return np.zeros((len(lines), len(boxes)), bool)
    start, step = lines[:, None, 0], (lines[:, 1] - lines[:, 0])[:, None]
    step = np.where(np.abs(step) < 1e-9, 1e-9, step)
    low = (boxes[None, :, :2] - pads[:, None, None] - start) / step
    high = (boxes[None, :, 2:] + pads[:, None, None] - start) / step
    enter = np.minimum(low, high).max(axis=2)
    leave = np.maximum(low, high).min(axis=2)
    return (np.maximum(enter, 0) < np.minimum(leave, 1))


def _meeting(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(m, k): whether each of m lines crosses each of k others; those that share an end do not."""
    if not len(a) or not len(b):
        return np.zeros((len(a), len(b)), bool)

    def side(p, q, r):
        return (q[..., 0] - p[..., 0]) * (r[..., 1] - p[..., 1]) - (q[..., 1] - p[..., 1]) * (r[..., 0] - p[..., 0])

    p, q, r, s = a[:, None, 0], a[:, None, 1], b[None, :, 0], b[None, :, 1]
    return (side(p, q, r) * side(p, q, s) < 0) & (side(r, s, p) * side(r, s, q) < 0)


def _any_touch(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(k,): whether each box touches one of the others."""
    a, b = boxes[:, None], others[None]
    return ((b[..., 0] < a[..., 2]) & (a[..., 0] < b[..., 2]) & (b[..., 1] < a[..., 3])
            & (a[..., 1] < b[..., 3])).any(axis=1)


def keep_apart(points: np.ndarray, radii: np.ndarray, ties: Sequence[tuple[int, int]] = (),
               room: tuple[float, float] = (1e-9, 1e-9), rounds: int = 400) -> np.ndarray:
    """Points moved as little as need be so that their marks do not overlap, that no tie, a line between two points,
    passes through a third, and that of two points less than `room[0]` apart across one lies higher by up to
    `room[1]`, for their labels."""
    points = points.astype(float).copy()
    apart = radii[:, None] + radii[None, :] + 5
    ends = np.array(list(ties), int).reshape(-1, 2)
    bystander = np.ones((len(ends), len(points)), bool)
    bystander[np.arange(len(ends))[:, None], ends] = False
    ranks = np.sign(np.subtract.outer(np.arange(len(points)), np.arange(len(points))))  # of two on a level, who goes up
    for _ in range(rounds):
        delta = points[:, None, :] - points[None, :, :]
        distance = np.hypot(delta[..., 0], delta[..., 1])
        np.fill_diagonal(distance, np.inf)
        short = np.clip(apart - distance, 0, None)
        safe = np.where(np.isfinite(distance) & (distance > 1e-9), distance, 1.0)
        move = (delta / safe[..., None] * short[..., None]).sum(axis=1) * 0.3
        level = np.sqrt(np.clip(1 - (delta[..., 0] / room[0]) ** 2, 0, None)) * room[1]
        tight = np.clip(level - np.abs(delta[..., 1]), 0, None)
        np.fill_diagonal(tight, 0)
        upward = np.where(delta[..., 1] == 0, ranks, np.sign(delta[..., 1]))
        move[:, 1] += (upward * tight).sum(axis=1) * 0.2
        struck = False
        if len(ends):
            a, along = points[ends[:, 0]], points[ends[:, 1]] - points[ends[:, 0]]
            share = ((points[None] - a[:, None]) * along[:, None]).sum(axis=2) / np.maximum(
                (along**2).sum(axis=1), 1e-9)[:, None]
            off = points[None] - (a[:, None] + np.clip(share, 0, 1)[..., None] * along[:, None])
            from_line = np.hypot(off[..., 0], off[..., 1])
            lacking = np.where(bystander, np.clip(radii + 6 - from_line, 0, None), 0)
            struck = bool((lacking > 0.05).any())
            normal = np.stack([-along[:, 1], along[:, 0]], axis=1) / np.maximum(np.hypot(*along.T), 1e-9)[:, None]
            push = np.where((from_line > 0.5)[..., None], off / np.maximum(from_line, 1e-9)[..., None], normal[:, None])
            move += (push * lacking[..., None]).sum(axis=0) * 0.5
        if not struck and not (short > 0.05).any() and not (tight > 0.5).any():
            break
        points += move
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
    """Draws the map at the left of the figure, its tiles wider than high where the sheet is low, so that names keep
    their size; regions without a tile leave their place free. Returns the inches it takes from the left edge."""
    from matplotlib.patches import Rectangle

    width, height = size_inches(figure)
    places = {region: place for region, place in names.tiles.items() if region in tiles}
    columns = 1 + max(c for c, _ in names.tiles.values())
    rows = 1 + max(r for _, r in names.tiles.values())
    down = min(height / rows, width * 0.66 / columns)
    across = min(down * 1.8, width * 0.66 / columns)
    axes = add_axes(figure, right=width - across * columns, bottom=height - down * rows)
    axes.set_xlim(0, columns)
    axes.set_ylim(rows, 0)
    size, room = min(9.5, down * 72 * 0.3), across * 0.9
    for region, (column, row) in sorted(places.items()):
        tile = tiles[region]
        axes.add_patch(Rectangle((column + 0.02, row + 0.03), 0.96, 0.94, facecolor="none" if tile.empty else tile.fill,
                                 edgecolor="#C9C4BC" if tile.empty else "none", linewidth=0.7,
                                 hatch="////" if tile.thin and not tile.empty else None))
        name = names.region(region, lang)
        lines = name.split(" ") if text_width(name, size * 0.85) > room else [name]
        if len(lines) == 1 and text_width(name, size * 0.8) > room:
            lines = _hyphenated(name)
        lines += [tile.text] if tile.text else []
        type_size = min(size, *(size * room / text_width(line, size) for line in lines),
                        down * 72 * 0.9 / len(lines) / 1.12)
        ink = QUIET_INK if tile.empty else figures.ink_on(tile.fill)
        # no hatching behind letters
        plain = {"facecolor": tile.fill, "pad": 0.6, "linewidth": 0} if tile.thin and not tile.empty else None
        for k, line in enumerate(lines):
            write(axes, (column + 0.5, row + 0.5), line, type_size, ha="center", va="baseline", color=ink, bbox=plain,
                  shift=(0, ((len(lines) - 1) / 2 - k) * type_size * 1.12 - 0.36 * type_size))
    return across * columns
