"""How a figure is finished: the look, the fonts, the title block, the source line, and every file it is kept in.

A chart draws marks; only `finish` can save them, and it cannot be called without a source. Each figure leaves, with
one stem, a PNG, an SVG and a PDF per language, the plotted data as CSV and a JSON card that says what it is.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache, lru_cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .tables import replace_file, spreadsheet_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure, FigureBase
    from matplotlib.text import Text

LANGS = ("zh", "en")
FORMATS = ("png", "svg", "pdf")
LICENCE = "CC BY 4.0"
STYLE_FILE = Path(__file__).with_name("fengxiang.mplstyle")
SERIF = "Noto Serif SC"
WANTING = "〓"  # what printers set for a character they lack

PAPER = "#FCFBF9"
INK, SOFT_INK, QUIET_INK = "#262626", "#595959", "#6E6A64"
GRID = "#E2DED7"
THIN = "#D9D5CE"
NEUTRAL = "#6B6862"
GROUP_COLOURS = {"防风险": "#9E321D", "强监管": "#16365C", "促发展": "#1A8173"}

Bilingual = Mapping[str, str]


class Size(NamedTuple):
    """A size a figure is drawn in: inches, and the dots per inch of its PNG. Type is set in points, so the smaller
    the sheet, the larger the type looks when the picture fills a slide. Without a height the chart says its own."""

    width: float
    height: float | None
    dpi: int


SIZES = {
    "page": Size(8.0, None, 160),
    "slide": Size(8.0, 4.5, 320),
    "half": Size(6.3, 4.4, 220),
}
THUMBNAIL = (640, 360)
# Colours of a PNG's palette, 256 at most: drawn ones that stay exact, exact ones at least, those that share the rest.
_MOST_DRAWN, _FLAT_COLOURS, _OTHER_COLOURS = 200, 80, 40


class FigureError(Exception):
    """A figure that must not be published: a character the font lacks, labels on top of each other, no source."""


# ---- fonts and style ------------------------------------------------------------------------------------------------


@cache
def font_path(serif: bool = False) -> Path:
    """The font file that every figure is set in, from the installed font package."""
    import pylopdf_fonts_zh_cn as package

    return package.serif_path() if serif else package.sans_path()


@cache
def _register_fonts() -> None:
    from matplotlib import font_manager

    for serif in (False, True):
        font_manager.fontManager.addfont(str(font_path(serif)))


@cache
def _face(serif: bool):
    from matplotlib.ft2font import FT2Font

    return FT2Font(str(font_path(serif)))


@cache
def _advance(char: str, serif: bool) -> float:
    """Width of a character as a share of the type size."""
    from matplotlib.ft2font import LoadFlags

    face = _face(serif)
    if not face.get_char_index(ord(char)):  # `_check` will set `WANTING` in its place
        return 1.0
    return face.load_char(ord(char), flags=LoadFlags.NO_SCALE).horiAdvance / face.units_per_EM


def missing_glyphs(text: str, *, serif: bool = False) -> list[str]:
    """The characters of `text` that the figures' font cannot draw, each once, in order."""
    face = _face(serif)
    return [c for c in dict.fromkeys(text) if c not in "\n" and not face.get_char_index(ord(c))]


def text_width(text: str, size: float, *, serif: bool = False) -> float:
    """Width in inches of the widest line of `text` set at `size` points, marks squeezed as `squeezed` says."""
    return max((sum(_advance(c, serif) for c in line) - len(squeezed(line)) / 2
                for line in text.split("\n")), default=0.0) * size / 72


@contextmanager
def house_style():
    """Matplotlib set to the house style and nothing else, whatever the machine's own settings."""
    import matplotlib

    _register_fonts()
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(matplotlib.rc_params_from_file(STYLE_FILE, use_default_template=False))
        warnings.filterwarnings("ignore", message=r"Glyph .* missing")  # of texts measured before `_check` mends them
        yield


# ---- typesetting ----------------------------------------------------------------------------------------------------

_NOT_AT_START = set("，。、；：？！）》」』】〕〉”’%％‰…—～·,.;:?!)]}℃°")
_NOT_AT_END = set("（《「『【〔〈“‘([{￥$#")
_PAUSES = set("，。、；：？！,;:.")
_OPENING, _CLOSING = set("（《「『【〔〈“‘"), set("，。、；：？！）》」』】〕〉”’")
_ATOM = re.compile(r"\s+|[0-9A-Za-z\u00C0-\u024F.,:;!?'\"()\[\]&/+\-−–%@_=~<>$#*]+|.", re.S)


def squeezed(line: str) -> list[int]:
    """Where a line of Chinese is set tighter: the full-width marks that give up their blank half, because another
    mark follows or because an opening mark begins the line."""
    if not any("\u3000" <= c <= "\uffef" for c in line):  # Latin text has its own, narrow marks
        return []
    return [i for i, c in enumerate(line)
            if (c in _CLOSING and i + 1 < len(line) and line[i + 1] in _OPENING | _CLOSING)
            or (c in _OPENING and (i == 0 or line[i - 1] in _OPENING))]


def _atoms(text: str) -> list[str]:
    """The pieces of a line that must not be broken: words, numbers, and Chinese characters with the punctuation that
    belongs to them."""
    pieces: list[str] = []
    for piece in _ATOM.findall(text):
        if pieces and not pieces[-1].isspace() and (piece[0] in _NOT_AT_START or pieces[-1][-1] in _NOT_AT_END):
            pieces[-1] += piece
        else:
            pieces.append(piece)
    return pieces


def _measure(text: str, size: float, serif: bool) -> Callable[[int, int], float]:
    """A function that gives the width in inches of `text[start:end]` as a line of its own, spaces at its ends left
    out: the `text_width` of any of its parts, without adding it up each time."""
    either = _OPENING | _CLOSING
    before, after = f" {text}", f"{text} "[1:]
    em = _face(serif).units_per_EM
    units = list(accumulate((round(_advance(c, serif) * em) for c in text), initial=0))  # whole, so that sums are exact
    # Marks squeezed by the mark that follows, or that precedes them; see `squeezed`.
    by_next = list(accumulate((c in _CLOSING and n in either for c, n in zip(text, after, strict=True)), initial=0))
    by_last = list(accumulate((c in _OPENING and p in _OPENING for p, c in zip(before, text, strict=False)),
                              initial=0))
    wide = list(accumulate(("\u3000" <= c <= "\uffef" for c in text), initial=0))

    def measure(start: int, end: int) -> float:
        while start < end and text[start].isspace():
            start += 1
        while start < end and text[end - 1].isspace():
            end -= 1
        if start == end:
            return 0.0
        tight = 0
        if wide[end] - wide[start]:
            tight = by_next[end - 1] - by_next[start] + by_last[end] - by_last[start + 1] + (text[start] in _OPENING)
        return (units[end] - units[start] - tight * em / 2) / em * size / 72

    return measure


def _breakable(paragraph: str, size: float, serif: bool) -> tuple[list[int], Callable[[int, int], float]]:
    """Where a paragraph may be broken, and a function that measures its parts."""
    return list(accumulate(map(len, _atoms(paragraph)))), _measure(paragraph, size, serif)


def _fill(ends: Sequence[int], measure: Callable[[int, int], float], text: str, width: float) -> list[str]:
    """The text in as few lines as fit `width`, each as full as can be; `ends` is where it may be broken."""
    lines, first, last = [], 0, 0
    for end in ends:
        if text[first:last].strip() and not text[last:end].isspace() and measure(first, end) > width:
            lines.append(text[first:last].strip())
            first = last
        last = end
    return [*lines, text[first:last].strip()] if text[first:last].strip() else lines


def _even(ends: Sequence[int], measure: Callable[[int, int], float], text: str, n_lines: int,
          width: float) -> list[str] | None:
    """The text in `n_lines` lines that fit `width`, as even as can be, rather broken after a mark than within a
    clause, and least of all within quotation marks; None where no such lines exist."""
    places = [0, *ends]
    quoted = list(accumulate((c == "“") - (c == "”") for c in text))
    best: dict[tuple[int, int], tuple[float, tuple[int, ...]]] = {(0, 0): (0.0, ())}
    for i, end in enumerate(places[1:], 1):
        stripped = text[:end].rstrip()
        ending = (0 if i == len(ends) or stripped[-1:] in _PAUSES else 0.1) + 0.4 * (quoted[end - 1] > 0)
        for j in range(i - 1, -1, -1):
            wide = measure(places[j], end)
            if wide > width and i - j > 1:
                break
            cost = (1 - wide / width) ** 2 + ending
            for n in range(n_lines):
                if (j, n) in best:
                    total = best[j, n][0] + cost
                    if (i, n + 1) not in best or total < best[i, n + 1][0]:
                        best[i, n + 1] = (total, (*best[j, n][1], end))
    if (len(ends), n_lines) not in best:
        return None
    cuts = best[len(ends), n_lines][1]
    return [text[a:b].strip() for a, b in zip((0, *cuts), cuts, strict=False)]


@lru_cache(maxsize=4096)
def wrap(text: str, width: float, size: float, *, serif: bool = False) -> str:
    """`text` broken into lines of at most `width` inches at `size` points, as few as possible and of even length.

    Chinese breaks between characters but never before a closing or after an opening mark; words and numbers stay
    whole; a break after a comma is preferred. A single piece wider than the line stands alone.
    """
    paragraphs = []
    for paragraph in text.split("\n"):
        ends, measure = _breakable(paragraph, size, serif)
        lines = _fill(ends, measure, paragraph, width)
        if 1 < len(lines) <= 4:
            lines = _even(ends, measure, paragraph, len(lines), width) or lines
        paragraphs.extend(lines)
    return "\n".join(paragraphs)


def n_lines(text: str, width: float, size: float) -> int:
    """How many lines a text takes that is `width` inches wide at `size` points: those of `wrap`, without the work of
    making them even. An empty paragraph is a line."""
    return sum(max(1, len(_fill(*_breakable(paragraph, size, False), paragraph, width)))
               for paragraph in text.split("\n"))


_SPACES = str.maketrans({"\u00a0": " ", "\u2009": " ", "\u202f": " "})


def _set_marks(text: Text, lang: str) -> None:
    """Punctuation as a printer sets it. The Chinese font draws curly quotation marks a full square wide, which is a
    hole in English, and neighbouring Chinese marks a square each, which is a hole in Chinese; its own features mend
    both. Matplotlib measures without features, so a label that is not set flush left is moved by what they save."""
    wording = text.get_text().translate(_SPACES)
    text.set_text(wording)
    if "\n" in wording or text.get_rotation() not in (0, 90):
        return
    features: tuple[str, ...] = ()
    if lang == "en":
        features = ("pwid",) if set(wording) & set("“”‘’—…") else ()
    else:
        features = tuple(f"halt[{i}:{i + 1}]" for i in squeezed(wording))
    if features:
        text.set_fontfeatures(features)
        _keep_aligned(text, _saved(text))


@cache
def _narrow(serif: bool) -> dict[str, float]:
    """How much of the type size a mark gives up where the font sets it with the width of its own (`pwid`)."""
    from fontTools.ttLib import TTFont

    with TTFont(font_path(serif), lazy=True) as font:
        glyphs, advances, em = font.getBestCmap(), font["hmtx"], font["head"].unitsPerEm
        table = font["GSUB"].table
        lookups = {i for r in table.FeatureList.FeatureRecord if r.FeatureTag == "pwid"
                   for i in r.Feature.LookupListIndex}
        swaps: dict[str, str] = {}
        for i in sorted(lookups):
            for part in table.LookupList.Lookup[i].SubTable:
                swaps |= getattr(getattr(part, "ExtSubTable", part), "mapping", {})
        return {mark: (advances[glyphs[ord(mark)]][0] - advances[swaps[glyphs[ord(mark)]]][0]) / em
                for mark in "“”‘’—…" if glyphs.get(ord(mark)) in swaps}


def _saved(text: Text) -> float:
    """The points by which features narrow a label."""
    wording, size, serif = text.get_text(), text.get_fontsize(), SERIF in text.get_fontfamily()
    if text.get_fontfeatures() == ("pwid",):
        return sum(_narrow(serif).get(c, 0.0) for c in wording) * size
    return len(squeezed(wording)) / 2 * size


def _keep_aligned(text: Text, saved: float) -> None:
    from matplotlib.transforms import ScaledTranslation

    across = {"left": 0.0, "center": 0.5, "right": 1.0}
    along = {"bottom": 0.0, "baseline": 0.0, "center": 0.5, "center_baseline": 0.5, "top": 1.0}
    upright = text.get_rotation() == 90
    share = along[text.get_verticalalignment()] if upright else across[text.get_horizontalalignment()]
    if share:
        shift = share * saved / 72
        dots = text.get_figure(root=True).dpi_scale_trans
        text.set_transform(text.get_transform() + ScaledTranslation(*((0, shift) if upright else (shift, 0)), dots))


# ---- drawing aids for charts ----------------------------------------------------------------------------------------


def size_inches(figure: FigureBase) -> tuple[float, float]:
    """Width and height in inches of a figure or of the part of one that a chart draws in."""
    dpi = figure.get_figure(root=True).dpi
    return figure.bbox.width / dpi, figure.bbox.height / dpi


def add_axes(figure: FigureBase, left: float = 0, bottom: float = 0, right: float = 0, top: float = 0, **kwargs):
    """Axes that leave `left`, `bottom`, `right` and `top` inches of the chart's area free around them. They draw no
    ticks and no frame: a chart writes the labels it needs itself, which is faster and looks as it should."""
    width, height = size_inches(figure)
    if width - left - right < 0.3 or height - bottom - top < 0.15:
        raise FigureError(f"no room for the chart: margins {left:.2f}+{right:.2f} of {width:.2f} in, "
                          f"{bottom:.2f}+{top:.2f} of {height:.2f} in")
    axes = figure.add_axes((left / width, bottom / height, (width - left - right) / width,
                            (height - bottom - top) / height), **kwargs)
    axes.set_axis_off()
    return axes


@cache
def _outline(text: str, size: float):
    """The outline of a short text, its ink centred on the origin, in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.path import Path as Outline
    from matplotlib.textpath import TextPath

    path = TextPath((0, 0), text, size=size, prop=FontProperties(fname=str(font_path())))
    digits = TextPath((0, 0), "0", size=size, prop=FontProperties(fname=str(font_path()))).get_extents()
    shift = (text_width(text, size) * 72 / 2, (digits.y0 + digits.y1) / 2)
    return Outline(path.vertices - shift, path.codes)


def add_numbers(axes, x: Sequence[float], y: Sequence[float], texts: Sequence[str], size: float, colours,
                rotation: float = 0) -> None:
    """Many short numbers centred on points of `axes`, as outlines: a tenth of the time and bytes of as many labels.
    They are not measured by `overlaps`: the caller gives each a cell of its own."""
    from matplotlib.collections import PathCollection
    from matplotlib.transforms import Affine2D

    scale = axes.get_figure(root=True).dpi_scale_trans
    by_colour: dict = {}
    for place, text, colour in zip(zip(x, y, strict=True), texts, colours, strict=True):
        by_colour.setdefault((colour, text), []).append(place)
    for (colour, text), places in by_colour.items():
        collection = PathCollection([_outline(text, size)], offsets=places, offset_transform=axes.transData,
                                    facecolors=[colour], linewidths=0)
        collection.set_transform(Affine2D().rotate_deg(rotation).scale(1 / 72) + scale)
        axes.add_collection(collection, autolim=False)


@cache
def luminance(colour) -> float:
    """WCAG relative luminance of a colour, 0 (black) to 1 (white)."""
    from matplotlib.colors import to_rgb

    rgb = np.array(to_rgb(colour))
    return float(np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ (0.2126, 0.7152, 0.0722))


def contrast(a, b) -> float:
    """WCAG contrast ratio of two colours, 1 to 21."""
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def ink_on(colour) -> str:
    """Ink or paper, whichever reads better on `colour`; black or white where neither reads well enough (4.5:1)."""
    best = max((INK, PAPER), key=lambda ink: contrast(ink, colour))
    return best if contrast(best, colour) >= 4.5 else max(("#000000", "#FFFFFF"), key=lambda ink: contrast(ink, colour))


def say_too_little(figure: FigureBase, sentence: str) -> None:
    """A panel that says in prose why there is no chart here."""
    width, _ = size_inches(figure)
    figure.text(0.0, 0.6, wrap(sentence, width * 0.8, 11), fontsize=11, color=SOFT_INK, va="center", ha="left",
                linespacing=1.5)


def spread(positions: Sequence[float], gap: float, low: float = -np.inf, high: float = np.inf) -> list[float]:
    """Positions moved as little as possible so that neighbours stand at least `gap` apart, within `low` and `high`
    where they fit: labels beside the ends of lines.

    Least squares under order constraints (pool adjacent violators), so the result is unique and deterministic.
    """
    order = sorted(range(len(positions)), key=lambda i: (positions[i], i))
    pools: list[list[float]] = []  # [sum of offset positions, members]
    for rank, i in enumerate(order):
        pools.append([positions[i] - rank * gap, 1])
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] >= pools[-1][0] / pools[-1][1]:
            total, members = pools.pop()
            pools[-1][0] += total
            pools[-1][1] += members
    bases = [total / members for total, members in pools for _ in range(int(members))]
    top = high - (len(order) - 1) * gap
    out = [0.0] * len(positions)
    for rank, i in enumerate(order):
        base = max(min(bases[rank], top), low) if low <= top else bases[rank]
        out[i] = base + rank * gap
    return out


# ---- checks ---------------------------------------------------------------------------------------------------------


def _drawn_texts(figure: Figure):
    """The texts that drawing `figure` really puts on the canvas, with their boxes in points from the lower left."""
    renderer = figure.canvas.get_renderer()
    drawn: dict[int, Text] = {}
    draw_text = renderer.draw_text

    def record(gc, x, y, s, prop, angle, ismath=False, mtext=None):
        if mtext is not None:
            drawn[id(mtext)] = mtext
        return draw_text(gc, x, y, s, prop, angle, ismath, mtext)

    renderer.draw_text = record
    try:
        figure.canvas.draw()
    finally:
        del renderer.draw_text
    out = []
    for text in drawn.values():
        if text.get_text().strip():
            box = np.array(text.get_window_extent(renderer).extents) * 72 / figure.dpi
            if text.get_fontfeatures():  # measured without the features that narrow it
                box[3 if text.get_rotation() == 90 else 2] -= _saved(text)
            out.append((text, box))
    return out


def overlaps(figure: Figure, tolerance: float = 1.5) -> list[str]:
    """What is wrong with the labels of a figure, in words: two texts on top of each other by more than `tolerance`
    points in both directions, or a text that leaves the canvas. Empty when all is well.

    Only what is really drawn counts. Draws the figure.
    """
    texts = _drawn_texts(figure)
    if not texts:
        return []
    boxes = np.array([box for _, box in texts])
    names = [" ".join(text.get_text().split()) for text, _ in texts]
    width, height = figure.get_size_inches() * 72
    problems = [f"“{name}” leaves the canvas" for name, (x0, y0, x1, y1) in zip(names, boxes, strict=True)
                if x0 < -tolerance or y0 < -tolerance or x1 > width + tolerance or y1 > height + tolerance]
    x_shared = np.minimum(boxes[:, None, 2], boxes[None, :, 2]) - np.maximum(boxes[:, None, 0], boxes[None, :, 0])
    y_shared = np.minimum(boxes[:, None, 3], boxes[None, :, 3]) - np.maximum(boxes[:, None, 1], boxes[None, :, 1])
    for i, j in np.argwhere(np.triu((x_shared > tolerance) & (y_shared > tolerance), k=1)):
        problems.append(f"“{names[i]}” lies on “{names[j]}”")
    return problems


# ---- finishing ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FigureCard:
    """What a figure is: everything its JSON card says. `out` is the folder the figures folder is in."""

    out: Path
    stem: str
    title: dict[str, str]
    subtitle: dict[str, str]
    alt: dict[str, str]
    how_to_read: dict[str, str]
    unit: dict[str, str]
    n: int
    source: dict[str, str]
    period: str
    columns: dict[str, dict[str, str]]
    content_hash: str
    citation: dict[str, str]
    files: dict[str, dict[str, str]]
    licence: str = LICENCE
    sizes: list[str] = field(default_factory=lambda: ["page"])

    @property
    def folder(self) -> Path:
        return Path(self.out) / "figures"

    def card(self) -> dict:
        """The card as plain data, without the folder it happens to lie in."""
        return {key: value for key, value in asdict(self).items() if key != "out"}

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        bundle: dict = {"application/vnd.fengxiang.figure+json": {"stem": self.stem}, "text/plain": self.alt["zh"]}
        png = self.files["zh"].get("png")
        if png:
            bundle["image/png"] = (self.folder / png).read_bytes()
        return bundle


_MARGIN = 0.16
HEAD_AIR = 0.16  # inches between the title block of a figure of page size and its chart
_TITLE_PT, _SUBTITLE_PT, _SOURCE_PT = 16.5, 9.5, 7.5
_TITLE_LEADING, _SUBTITLE_LEADING, _SOURCE_LEADING = 1.32, 1.5, 1.45


def _leading(lines: int, size: float, leading: float) -> float:
    return lines * size * leading / 72


def head_height(title: str, subtitle: str, size: Size = SIZES["page"]) -> float:
    """Inches from the upper edge of a figure to its chart: the title block, and the air below it."""
    measure, small = size.width - 2 * _MARGIN, size.height is not None
    title_pt = _title_pt(size)
    title_height = _leading(wrap(title, measure, title_pt, serif=True).count("\n") + 1, title_pt, _TITLE_LEADING)
    subtitle_height = _leading(wrap(subtitle, measure, _SUBTITLE_PT).count("\n") + 1, _SUBTITLE_PT,
                               _SUBTITLE_LEADING) if subtitle else 0
    return 0.12 + title_height + 0.04 + subtitle_height + (0.1 if small else HEAD_AIR)


class _Block(NamedTuple):
    """What stands above and below a chart, broken into lines, and the inches it takes."""

    title: str
    subtitle: str
    source: str
    mark: str
    head: float
    foot: float


def _block(lang: str, size: Size, title: str, subtitle: str, source: str, content_hash: str) -> _Block:
    measure = size.width - 2 * _MARGIN
    head = head_height(title, subtitle, size)
    title = wrap(title, measure, _title_pt(size), serif=True)
    subtitle = wrap(subtitle, measure, _SUBTITLE_PT)
    mark = f"风向 #{content_hash}" if lang == "zh" else f"Fengxiang #{content_hash}"
    source = wrap(("来源：" if lang == "zh" else "Source: ") + source,
                  measure - text_width(mark, _SOURCE_PT) - 0.3, _SOURCE_PT)
    foot = 0.08 + _leading(source.count("\n") + 1, _SOURCE_PT, _SOURCE_LEADING) + 0.14
    return _Block(title, subtitle, source, mark, head, foot)


def _title_pt(size: Size) -> float:
    return _TITLE_PT - (1.5 if size.height is not None else 0)


def least_height(figure: FigureBase) -> float:
    """The inches in height that a chart's area has in every language: on a sheet of fixed proportions a longer title
    leaves less, and all languages show the same rows."""
    return min(getattr(figure, "least_height", np.inf), size_inches(figure)[1])


def _compose(draw: Callable, lang: str, size: Size, height: float, block: _Block, least: float) -> Figure:
    """A fresh figure with title block and footer, and the chart drawn between them; `least` is told to the chart as
    its `least_height`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    title, subtitle, source, mark, head, foot = block
    title_pt, measure = _title_pt(size), size.width - 2 * _MARGIN
    title_height = _leading(title.count("\n") + 1, title_pt, _TITLE_LEADING)
    total = size.height or head + height + foot

    figure = Figure(figsize=(size.width, total), dpi=size.dpi)
    FigureCanvasAgg(figure)
    x = _MARGIN / size.width

    def lines(text: str, top: float, size: float, leading: float, **style) -> None:
        """Lines of text, each its own so that its marks can be set, the first `top` inches below the upper edge."""
        for i, line in enumerate(text.split("\n")):
            baseline = top + (i + 0.5) * size * leading / 72 + 0.36 * size / 72
            figure.text(x, 1 - baseline / total, line, fontsize=size, va="baseline", ha="left", **style)

    lines(title, 0.12, title_pt, _TITLE_LEADING, family=SERIF, color="#111111")
    if subtitle:
        lines(subtitle, 0.12 + title_height + 0.05, _SUBTITLE_PT, _SUBTITLE_LEADING, color=SOFT_INK)
    figure.add_artist(Line2D([x, 1 - x], [(foot - 0.06) / total] * 2, color=GRID, linewidth=0.8))
    lines(source, total - foot + 0.1, _SOURCE_PT, _SOURCE_LEADING, color=QUIET_INK)
    figure.text(1 - x, (foot - 0.1 - (0.5 * _SOURCE_LEADING + 0.36) * _SOURCE_PT / 72) / total, mark,
                fontsize=_SOURCE_PT, color=QUIET_INK, va="baseline", ha="right")
    body = total - head - foot
    if body < 0.25:
        raise FigureError("title and source leave no room for the chart")
    grid = figure.add_gridspec(3, 3, width_ratios=(_MARGIN, measure, _MARGIN), height_ratios=(head, body, foot))
    area = figure.add_subfigure(grid[1, 1], facecolor="none")
    area.least_height = least
    draw(area, lang)
    return figure


def _texts_of(artist) -> list[Text]:
    """All texts of a figure but those of axis ticks, which charts do not draw and which asking for would create."""
    from matplotlib.axis import Axis
    from matplotlib.text import Text

    children = [c for c in artist.get_children() if not isinstance(c, Axis)] if not isinstance(artist, Text) else []
    return [*([artist] if isinstance(artist, Text) else []), *(t for child in children for t in _texts_of(child))]


def _check(figure: Figure, stem: str, lang: str, size: str) -> None:
    """Refuses a figure with overlapping labels. A character that the font lacks, as a name in a raw file may hold, is
    set as printers mark one that is wanting. Draws the figure."""
    for text in _texts_of(figure):
        _set_marks(text, lang)
        wording = text.get_text()
        missing = missing_glyphs(wording, serif=SERIF in text.get_fontfamily())
        if missing:
            text.set_text(wording.translate(dict.fromkeys(map(ord, missing), WANTING)))
    problems = overlaps(figure)
    if problems:
        raise FigureError(f"figure {stem} ({lang}, {size}): " + "; ".join(problems[:6])
                          + (f"; and {len(problems) - 6} more" if len(problems) > 6 else ""))


def _drawn_colours(figure: Figure) -> np.ndarray:
    """(colours, 3) every colour that an artist of the figure is drawn in, as it looks on the paper, as 8-bit RGB,
    sorted."""
    from matplotlib.colors import to_rgba_array

    rgba = np.unique(np.concatenate([
        to_rgba_array(getattr(artist, of)()) for artist in figure.findobj()
        for of in ("get_facecolor", "get_edgecolor", "get_color", "get_markerfacecolor", "get_markeredgecolor")
        if hasattr(artist, of)]), axis=0)
    paper, alpha = to_rgba_array(figure.get_facecolor())[0, :3], rgba[:, 3:]
    return np.unique(np.rint(255 * (rgba[:, :3] * alpha + paper * (1 - alpha))).astype(np.uint8), axis=0)


def _indexed(pixels: np.ndarray, drawn: np.ndarray) -> bytes:
    """An RGB picture as a PNG with a palette: the colours it is `drawn` in, so that a theme keeps its colour in the
    smallest dot and the thinnest line, those of its flat areas, and as many more as the rest needs; every other
    colour becomes the nearest of them."""
    from PIL import Image

    packed = pixels[..., 0].astype(np.int32) << 16
    packed |= pixels[..., 1].astype(np.int32) << 8
    packed |= pixels[..., 2]
    # Counted in runs of one colour: most of a picture is paper.
    flat = packed.ravel()
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    colours, run_colour = np.unique(flat[starts], return_inverse=True)
    lengths = np.diff(starts, append=len(flat))
    counts = np.bincount(run_colour, weights=lengths).astype(np.int64)
    # The edges of letters are many colours in short runs; what is flat has long ones.
    flatness = np.bincount(run_colour, weights=lengths * (lengths >= 5), minlength=len(colours)).astype(np.int64)
    order = np.lexsort((colours, -counts, -flatness))
    rgb = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1).astype(np.uint8)
    is_drawn = np.isin(colours, drawn.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1]))
    order = np.concatenate([order[is_drawn[order]][:_MOST_DRAWN], order[~is_drawn[order]]])
    exact = max(_FLAT_COLOURS, min(int(is_drawn.sum()), _MOST_DRAWN))
    palette, rest = rgb[order[:exact]], order[exact:]
    if len(rest):
        # The other colours weigh by the root of their frequency: edges of letters are many, each of them rare.
        weight = np.ceil(np.sqrt(counts[rest])).astype(int)
        sample = Image.fromarray(np.repeat(rgb[rest], weight, axis=0)[None])
        more = sample.quantize(_OTHER_COLOURS, method=Image.Quantize.MEDIANCUT).getpalette()
        palette = np.concatenate([palette, np.array(more, dtype=np.uint8).reshape(-1, 3)])
    nearest = np.empty(len(rgb), np.uint8)
    for start in range(0, len(rgb), 4096):
        some = rgb[start:start + 4096, None].astype(np.int32) - palette[None].astype(np.int32)
        nearest[start:start + 4096] = (some**2).sum(axis=2).argmin(axis=1)
    image = Image.fromarray(np.repeat(nearest[run_colour], lengths).reshape(pixels.shape[:2]), "P")
    image.putpalette(palette.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=8)
    return buffer.getvalue()


def _png(figure: Figure) -> bytes:
    return _indexed(np.asarray(figure.canvas.buffer_rgba())[:, :, :3], _drawn_colours(figure))


_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_PATH_DATA = re.compile(r'( d="| points="| x="| y="|translate\()([^")]*)')
_GLYPH = re.compile(r'(<path id="Noto[^"]*") d="([^"]*)" transform="scale\(0\.015625\)"/>')
_STROKE = re.compile(r"([MLQCz])([^MLQCz]*)")
_PROLOGUE = re.compile(r"<\?xml.*?<svg ", re.S)


def _glyph_outline(match: re.Match) -> str:
    return f'{match[1]} d="{_relative_outline(match[2])}" transform="scale(.1)"/>'


@cache
def _relative_outline(path: str) -> str:
    """The outline of a character in whole font units, a thousandth of the type size, and in relative steps: half the
    length Matplotlib gives it, and the same shape."""
    steps, x, y, x0, y0 = [], 0, 0, 0, 0
    for command, numbers in _STROKE.findall(path):
        points = [round(float(n) * 0.15625) for n in numbers.split()]
        relative = [p - (y if i % 2 else x) for i, p in enumerate(points)]
        if command == "z":
            steps.append("z")
            x, y = x0, y0
            continue
        if command == "M":
            x0, y0 = points
            steps.append("m" + " ".join(map(str, relative)))
        elif command == "L" and not relative[1]:
            steps.append(f"h{relative[0]}")
        elif command == "L" and not relative[0]:
            steps.append(f"v{relative[1]}")
        else:
            steps.append(command.lower() + " ".join(map(str, relative)))
        x, y = points[-2:]
    return "".join(steps).replace(" -", "-")


def _svg(figure: Figure, alt: str, title: str) -> bytes:
    """The figure as SVG with text as outlines: it looks the same where the font is missing. Slimmed of comments,
    metadata and decimals; named and described for screen readers."""
    from xml.sax.saxutils import escape

    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = _PROLOGUE.sub('<svg role="img" ', buffer.getvalue(), count=1)
    text = re.sub(r"<!--.*?-->\s*|<metadata>.*?</metadata>\s*", "", text, flags=re.S)
    text = _PATH_DATA.sub(lambda m: m[1] + _LONG_NUMBER.sub(lambda x: f"{float(x[0]):.2f}".rstrip("0").rstrip("."),
                                                            m[2]).replace(" \n", " ").replace("\n", " "), text)
    text = _GLYPH.sub(_glyph_outline, re.sub(r"\n\s*", "\n", text))
    head, rest = text.split(">", 1)
    return f"{head}>\n<title>{escape(title)}</title>\n<desc>{escape(alt)}</desc>{rest}".encode()


def _pdf(figure: Figure, title: str, alt: str) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="pdf", metadata={"CreationDate": None, "Title": title, "Subject": alt})
    return buffer.getvalue()


def plotted_csv(data: pd.DataFrame, columns: Iterable[str]) -> bytes:
    """The plotted rows as CSV that Excel opens with Chinese intact (UTF-8 with byte order mark, line feeds) and in
    which no text can act as a formula."""
    import pandas as pd

    columns = list(columns)
    missing = [column for column in columns if column not in data.columns]
    if missing:
        raise FigureError(f"the plotted data have no column {', '.join(missing)}")
    frame = data[columns]
    frame = pd.DataFrame({column: frame[column] if pd.api.types.is_numeric_dtype(frame[column])
                          else frame[column].map(spreadsheet_text) for column in columns})
    return frame.to_csv(index=False, lineterminator="\n", float_format="%.10g").encode("utf-8-sig")


def _bilingual(what: str, value: Bilingual) -> dict[str, str]:
    if set(value) != set(LANGS) or not all(isinstance(v, str) for v in value.values()):
        raise FigureError(f"{what} must be given in both languages, {{'zh': …, 'en': …}}")
    if what not in ("subtitle", "unit") and not all(v.strip() for v in value.values()):
        raise FigureError(f"{what} is empty")
    return {lang: value[lang].strip() for lang in LANGS}


def _write(path: Path, data: bytes) -> None:
    """Writes only what changed, so that an unchanged figure keeps its time stamp."""
    if not path.exists() or path.read_bytes() != data:
        replace_file(path, lambda temporary: temporary.write_bytes(data))


def finish(draw: Callable[[FigureBase, str], None], *, out: str | Path, stem: str, title: Bilingual,
           subtitle: Bilingual, source: Bilingual, alt: Bilingual, how_to_read: Bilingual, data: pd.DataFrame,
           columns: Mapping[str, Bilingual], n: int, unit: Bilingual, period: str,
           size: str | Sequence[str] = "page", formats: Sequence[str] = FORMATS, height: float = 4.2) -> FigureCard:
    """Lays a chart out with its title block and source line, checks it, and saves it: the only way to do so.

    Args:
        draw: `draw(figure, lang)`, called once per language and size, with an empty part of a figure to draw in.
        out: folder; files go to OUT/figures/STEM.zh.png and so on, other sizes than `page` to OUT/figures/SIZE/.
        stem: name of the figure, in lower case letters, digits and underscores.
        title: the finding, one sentence.
        subtitle: what is measured, its unit and its n.
        source: where the data come from, without the word "source"; required.
        alt: text alternative, made from the plotted data.
        how_to_read: one or two sentences for readers who do not know this kind of chart.
        data: the plotted rows; its `columns` are written as CSV.
        columns: for each column its `zh` and `en` name and, where it has one, its `unit`.
        n: how many observations the figure rests on.
        unit: unit of the plotted values.
        period: years covered, as printed, such as "2021–2026".
        size: one or several of `page`, `slide`, `half`, `thumbnail`; slide and half have fixed proportions.
        formats: which of `png`, `svg`, `pdf` to draw.
        height: height of the chart's own area in inches at page size.

    Returns:
        The figure's card.

    Raises:
        FigureError: a glyph is missing, labels overlap or leave the canvas, or a text is absent.
    """
    if not re.fullmatch(r"[a-z0-9_]+", stem):
        raise FigureError(f"“{stem}” cannot be a stem: lower case letters, digits and underscores only")
    title, subtitle, source, alt, how_to_read, unit = (
        _bilingual(what, value) for what, value in (
            ("title", title), ("subtitle", subtitle), ("source", source), ("alt", alt),
            ("how_to_read", how_to_read), ("unit", unit)))
    sizes = [size] if isinstance(size, str) else list(size)
    unknown = [s for s in sizes if s not in SIZES and s != "thumbnail"] + [f for f in formats if f not in FORMATS]
    if unknown:
        raise FigureError(f"unknown size or format: {', '.join(unknown)}")

    csv = plotted_csv(data, columns)
    identity = json.dumps([stem, title, source], ensure_ascii=False, sort_keys=True).encode()
    content_hash = hashlib.sha256(identity + csv).hexdigest()[:8]
    folder = Path(out) / "figures"
    files: dict[str, dict[str, str]] = {lang: {} for lang in LANGS}
    with house_style():
        for name in dict.fromkeys("slide" if s == "thumbnail" else s for s in sizes):
            place = folder if name == "page" else folder / name
            sheet = SIZES[name] if "png" in formats or "thumbnail" in sizes else SIZES[name]._replace(dpi=72)
            blocks = {lang: _block(lang, sheet, title[lang], subtitle[lang], source[lang], content_hash)
                      for lang in LANGS}
            least = height if sheet.height is None else min(sheet.height - b.head - b.foot for b in blocks.values())
            for lang in LANGS:
                figure = _compose(draw, lang, sheet, height, blocks[lang], least)
                _check(figure, stem, lang, name)
                if name in sizes:
                    makers = {"png": lambda f=figure: _png(f),
                              "svg": lambda f=figure, g=lang: _svg(f, alt[g], title[g]),
                              "pdf": lambda f=figure, g=lang: _pdf(f, title[g], alt[g])}
                    for fmt in formats:
                        path = place / f"{stem}.{lang}.{fmt}"
                        _write(path, makers[fmt]())
                        key = fmt if name == "page" else f"{name}.{fmt}"
                        files[lang][key] = path.relative_to(folder).as_posix()
                if name == "slide" and "thumbnail" in sizes:
                    path = folder / "thumbnail" / f"{stem}.{lang}.png"
                    _write(path, _thumbnail(figure))
                    files[lang]["thumbnail.png"] = path.relative_to(folder).as_posix()
    _write(folder / f"{stem}.csv", csv)
    for lang in LANGS:
        files[lang]["csv"] = f"{stem}.csv"
    card = FigureCard(
        out=Path(out), stem=stem, title=title, subtitle=subtitle, alt=alt, how_to_read=how_to_read, unit=unit,
        n=int(n), source=source, period=period, content_hash=content_hash, files=files, sizes=sizes,
        columns={column: dict(columns[column]) for column in columns},
        citation={"zh": f"风向（Fengxiang）：《{title['zh']}》，图{stem}（{period}），编号{content_hash}，{LICENCE}。",
                  "en": f"Fengxiang: {title['en']} Figure {stem} ({period}), content {content_hash}. {LICENCE}."})
    _write(folder / f"{stem}.json",
           (json.dumps(card.card(), ensure_ascii=False, indent=1) + "\n").encode())
    return card


def _thumbnail(figure: Figure) -> bytes:
    from PIL import Image

    image = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())[:, :, :3].copy())
    return _indexed(np.asarray(image.resize(THUMBNAIL, Image.Resampling.LANCZOS)), _drawn_colours(figure))


# ---- gallery --------------------------------------------------------------------------------------------------------


def read_cards(out: str | Path) -> list[dict]:
    """The cards of all figures under OUT/figures, sorted by stem."""
    return [json.loads(path.read_text("utf-8")) for path in sorted((Path(out) / "figures").glob("*.json"))]


def _markdown(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", text)


def _counted(card: Mapping) -> str:
    """The n of a card with what is counted, in both languages where its subtitles tell: “n = 58次首用 / 58 first
    uses”."""
    n = f"{card['n']:,}"
    found = (re.search(rf"(?:n=|共)({n}[^\d；，。（][^；，。（]*)", card["subtitle"]["zh"]),
             re.search(rf"n = ({n} [^;,.(]*)|(?<![\d,.])({n} .*?) in all", card["subtitle"]["en"]))
    return "n = " + (" / ".join(_markdown((m[1] or m[2]).strip()) for m in found if m) or n)


def write_gallery(out: str | Path) -> Path:
    """Writes OUT/figures/README.md: every figure as a picture with its titles, notes, source and files; its path."""
    cards = read_cards(out)
    lines = ["# 图集 · Gallery", "",
             f"共{len(cards)}张图，每张有中英文PNG、SVG、PDF各一份，附绘图数据（CSV）与说明卡（JSON）。"
             f"图与数据依{LICENCE}许可使用，引用时请注明图中右下角的编号。",
             "", f"{len(cards)} figures, each in Chinese and English as PNG, SVG and PDF, with the plotted data (CSV) "
             f"and a card (JSON). Pictures and data may be used under {LICENCE}; please cite the number printed at the "
             "lower right.", ""]
    for card in cards:
        lines += [f"## {_markdown(card['title']['zh'])}", "", _markdown(card["title"]["en"]), ""]
        for lang in LANGS:
            if "png" in card["files"][lang]:
                lines += [f"![{_markdown(card['alt'][lang])}]({card['files'][lang]['png']})", ""]
        links = [f"[{name.upper()}·{lang}]({path})" for lang in LANGS
                 for name, path in sorted(card["files"][lang].items()) if name in ("png", "svg", "pdf")
                 and (Path(out) / "figures" / path).exists()]
        lines += [f"{_markdown(card['how_to_read']['zh'])}", "", f"{_markdown(card['how_to_read']['en'])}", "",
                  " · ".join([_counted(card), *([card["period"]] if re.search(r"\d", card["period"]) else []),
                              f"`{card['content_hash']}`", *links, f"[CSV]({card['stem']}.csv)",
                              f"[JSON]({card['stem']}.json)"]), ""]
    path = Path(out) / "figures" / "README.md"
    _write(path, ("\n".join(lines).rstrip() + "\n").encode())
    return path
