"""The finisher: fonts, typesetting, files, checks. Charts themselves are tested in test_charts.py."""

import itertools
import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fengxiang import figures

DATA = pd.DataFrame({"theme": ["甲", "乙"], "share": [0.25, -1.5], "n": [4, 6]})
COLUMNS = {"theme": {"zh": "主题", "en": "theme"}, "share": {"zh": "占比", "en": "share", "unit": "%"},
           "n": {"zh": "条数", "en": "statements"}}


def card_of(tmp_path, draw=lambda figure, lang: None, **changes):
    arguments = {
        "out": tmp_path, "stem": "example", "title": {"zh": "风险化解居首", "en": "Risk comes first"},
        "subtitle": {"zh": "占语句的比例，n=10条", "en": "Share of statements; n = 10"},
        "source": {"zh": "自编两篇", "en": "two texts of our own"}, "alt": {"zh": "条形图", "en": "bars"},
        "how_to_read": {"zh": "越长越多", "en": "Longer is more"}, "data": DATA, "columns": COLUMNS, "n": 10,
        "unit": {"zh": "%", "en": "%"}, "period": "2021–2026", "height": 1.2}
    return figures.finish(draw, **(arguments | changes))


def bars(figure, lang):
    axes = figures.add_axes(figure, left=0.6)
    axes.barh([0, 1], [1, 2])
    axes.text(0, 0, "−1.5", color="white")


# ---- fonts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["−1.5", "2021—2026年，“甲”", "≥5 × 10 ÷ 2", "●○◀▶←→…–"])
def test_the_font_has_what_charts_use(text):
    assert figures.missing_glyphs(text) == []
    assert figures.missing_glyphs(text, serif=True) == []


def test_a_character_the_font_lacks_is_found():
    assert figures.missing_glyphs("风险🐉风𪚥🐉") == ["🐉", "𪚥"]


def test_a_character_the_font_lacks_is_set_as_one_that_is_wanting(tmp_path):
    drawn = []

    def draw(figure, lang):
        drawn.append(figure.text(0.1, 0.5, "𪚥龙🐉"))

    card_of(tmp_path, draw, title={"zh": "第𪚥章", "en": "x"})
    assert {text.get_text() for text in drawn} == {"〓龙〓"}
    assert figures.missing_glyphs("〓") == figures.missing_glyphs("〓", serif=True) == []


def test_the_style_does_not_depend_on_the_machine():
    import matplotlib

    with matplotlib.rc_context({"text.usetex": True, "font.family": ["serif"], "axes.unicode_minus": False}):
        with figures.house_style():
            assert matplotlib.rcParams["text.usetex"] is False
            assert matplotlib.rcParams["font.family"] == ["Noto Sans SC"]
            assert matplotlib.rcParams["axes.unicode_minus"] is True
        assert matplotlib.rcParams["font.family"] == ["serif"]


def test_raw_text_is_never_read_as_a_formula_of_mathtext(tmp_path):
    card_of(tmp_path, lambda figure, lang: figure.text(0.1, 0.5, r"$\undefined{x}$ 100元$"))


# ---- typesetting ----------------------------------------------------------------------------------------------------


@given(st.text(alphabet="中国风（《“”》）：；，。 ab1$、—…%", max_size=30), st.data(), st.booleans())
def test_the_measure_of_a_part_is_its_width(text, data, serif):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    assert figures._measure(text, 9, serif)(start, end) == pytest.approx(
        figures.text_width(text[start:end].strip(), 9, serif=serif))


def test_text_width_is_the_sum_of_advances():
    assert figures.text_width("中文", 72) == pytest.approx(2.0)
    assert figures.text_width("中\n中文", 72) == pytest.approx(2.0)
    assert figures.text_width("", 72) == 0


def test_neighbouring_marks_are_squeezed():
    assert figures.squeezed("甲，“乙”“丙”多了。") == [1, 4]
    assert figures.squeezed("“甲”") == [0]
    assert figures.squeezed("a “b”, c") == []
    assert figures.text_width("“甲”，乙", 72) == pytest.approx(4.0)  # five squares, two of them half


def test_wrap_keeps_marks_with_their_words():
    text = "2026年“强监管严监管”占语句的31.4%，比上年高；其余主题相差不大（见表）。"
    lines = figures.wrap(text, 1.6, 12).split("\n")
    assert "".join(lines) == text
    assert not any(line[0] in "，。；）”%" for line in lines)
    assert not any(line[-1] in "“（" for line in lines)
    assert any("31.4%" in line for line in lines)


def test_wrap_prefers_a_break_after_a_comma():
    assert figures.wrap("中小金融机构风险化解居首，其余主题相差不大", 2.6, 12).split("\n") == [
        "中小金融机构风险化解居首，", "其余主题相差不大"]


def test_wrap_breaks_latin_at_spaces_only():
    assert figures.wrap("Risk at small institutions comes first", 1.6, 12).replace("\n", " ") == \
        "Risk at small institutions comes first"


@given(st.text(alphabet="中文监管，。“”（）abc 123%—", max_size=60), st.floats(0.5, 5))
def test_wrap_loses_nothing_and_fits(text, width):
    wrapped = figures.wrap(text, width, 10)
    assert wrapped.replace("\n", "").replace(" ", "") == text.replace(" ", "")
    for line in wrapped.split("\n"):
        assert figures.text_width(line, 10) <= width + 1e-9 or len(figures._atoms(line.strip())) <= 1


@pytest.mark.parametrize(("positions", "gap", "expected"), [
    ([0, 10, 20], 5, [0, 10, 20]),
    ([0, 0], 4, [-2, 2]),
    ([5, 5, 5], 2, [3, 5, 7]),
    ([3, 1], 1, [3, 1]),
    ([], 1, []),
])
def test_spread_moves_labels_as_little_as_possible(positions, gap, expected):
    assert figures.spread(positions, gap) == pytest.approx(expected)


@given(st.lists(st.floats(-100, 100), max_size=15), st.floats(0.1, 10))
def test_spread_leaves_gaps_and_order(positions, gap):
    placed = figures.spread(positions, gap)
    for (_, a), (_, b) in itertools.pairwise(sorted(zip(positions, placed, strict=True))):
        assert b - a >= gap - 1e-6


# ---- colours --------------------------------------------------------------------------------------------------------


def lightness(colour):
    y = figures.luminance(colour)
    return 116 * y ** (1 / 3) - 16 if y > 0.008856 else 903.3 * y


def seen_by(colour, kind):
    """The colour as people with a colour vision deficiency see it, linear RGB (Machado, Oliveira, Fernandes 2009)."""
    from matplotlib.colors import to_rgb

    matrix = {"protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                         [-0.003882, -0.048116, 1.051998]],
              "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                         [-0.011820, 0.042940, 0.968881]],
              "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                         [0.004733, 0.691367, 0.303900]]}[kind]
    rgb = np.array(to_rgb(colour))
    return np.clip(np.array(matrix) @ np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4), 0, 1)


def lab(linear):
    xyz = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
                    [0.0193339, 0.1191920, 0.9503041]]) @ linear / [0.95047, 1, 1.08883]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_contrast_of_black_on_white_is_21():
    assert figures.contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("colour", [*figures.GROUP_COLOURS.values(), figures.INK, figures.SOFT_INK,
                                    figures.QUIET_INK])
def test_text_colours_stand_out_from_the_paper(colour):
    assert figures.contrast(colour, figures.PAPER) >= 4.5


def test_group_colours_differ_in_greyscale_and_for_colour_blind_readers():
    for a, b in itertools.combinations(figures.GROUP_COLOURS.values(), 2):
        assert abs(lightness(a) - lightness(b)) >= 10
        for kind in ("protan", "deutan", "tritan"):
            assert np.linalg.norm(lab(seen_by(a, kind)) - lab(seen_by(b, kind))) >= 20


def test_the_two_directions_of_a_change_differ_for_every_reader():
    from fengxiang import drawing

    for colour in (drawing.EARLIER, drawing.LATER, drawing.MARK):
        assert figures.contrast(colour, figures.PAPER) >= 4.5
    for kind in ("protan", "deutan", "tritan"):
        a, b = (lab(seen_by(c, kind)) for c in (drawing.EARLIER, drawing.LATER))
        assert np.linalg.norm(a - b) >= 20
    assert abs(lightness(drawing.EARLIER) - lightness(drawing.LATER)) >= 10


# ---- checks ---------------------------------------------------------------------------------------------------------


def test_overlapping_labels_are_refused(tmp_path):
    def draw(figure, lang):
        figure.text(0.3, 0.5, "风险")
        figure.text(0.31, 0.5, "监管")

    with pytest.raises(figures.FigureError, match="“风险” lies on “监管”"):
        card_of(tmp_path, draw)


def test_a_label_outside_the_canvas_is_refused(tmp_path):
    with pytest.raises(figures.FigureError, match="“风险化解” leaves the canvas"):
        card_of(tmp_path, lambda figure, lang: figure.text(0.99, 0.5, "风险化解"))


def test_labels_that_are_not_drawn_do_not_count(tmp_path):
    def draw(figure, lang):
        figure.text(0.3, 0.5, "风险")
        figure.text(0.3, 0.5, "监管", visible=False)

    card_of(tmp_path, draw)


def test_the_source_cannot_be_left_out(tmp_path):
    with pytest.raises(TypeError, match="source"):
        figures.finish(bars, out=tmp_path, stem="x", title={}, subtitle={}, alt={}, how_to_read={}, data=DATA,
                       columns=COLUMNS, n=1, unit={}, period="")
    with pytest.raises(figures.FigureError, match="source is empty"):
        card_of(tmp_path, source={"zh": " ", "en": "x"})
    with pytest.raises(figures.FigureError, match="title must be given in both languages"):
        card_of(tmp_path, title={"zh": "甲"})


def test_a_stem_is_a_plain_name(tmp_path):
    with pytest.raises(figures.FigureError, match="cannot be a stem"):
        card_of(tmp_path, stem="../x")


# ---- files ----------------------------------------------------------------------------------------------------------


def test_finish_writes_every_file_with_one_stem(tmp_path):
    card = card_of(tmp_path, bars)
    assert sorted(p.name for p in (tmp_path / "figures").iterdir()) == sorted(
        [f"example.{lang}.{fmt}" for lang in ("zh", "en") for fmt in ("png", "svg", "pdf")]
        + ["example.csv", "example.json"])
    written = json.loads((tmp_path / "figures" / "example.json").read_text("utf-8"))
    assert written == card.card()
    assert set(written) == {"stem", "title", "subtitle", "alt", "how_to_read", "unit", "n", "source", "period",
                            "columns", "content_hash", "citation", "files", "licence", "sizes"}
    assert len(written["content_hash"]) == 8
    assert written["content_hash"] in written["citation"]["zh"]


@pytest.mark.parametrize("subtitle", ["占语句的比例，n=10条", "占语句的比例" * 20, ""])
def test_the_height_of_the_head_parts_the_title_block_from_the_chart(tmp_path, subtitle):
    """Rows of the picture with ink: between those of the titles and those of a chart that fills its part there is the
    air that the page cuts through."""
    from PIL import Image

    def full(figure, lang):
        figure.add_axes((0, 0, 1, 1)).set_axis_off()
        figure.axes[0].imshow([[0.5]], aspect="auto", cmap="gray", vmin=0, vmax=1)

    titles = {"zh": "风险化解居首" * 8, "en": "Risk comes first"}
    card = card_of(tmp_path, full, title=titles, subtitle={"zh": subtitle, "en": subtitle})
    for lang in ("zh", "en"):
        pixels = np.asarray(Image.open(tmp_path / "figures" / card.files[lang]["png"]).convert("L"))
        inked = np.flatnonzero(pixels.min(axis=1) < 200) / 160
        head = figures.head_height(titles[lang], subtitle)
        assert inked[inked > head - figures.HEAD_AIR / 2].min() == pytest.approx(head, abs=0.02)
        above = inked[inked < head - figures.HEAD_AIR / 2]
        assert 0.02 < head - figures.HEAD_AIR / 2 - above.max() < 0.2


def test_twice_the_same_bytes_even_in_another_process(tmp_path):
    code = ("import sys; sys.path.insert(0, sys.argv[1]); import pathlib, test_figures as t;"
            "t.card_of(pathlib.Path(sys.argv[2]), t.bars)")
    for name, seed in (("a", "1"), ("b", "2")):
        subprocess.run([sys.executable, "-c", code, os.path.dirname(__file__), str(tmp_path / name)], check=True,
                       env={**os.environ, "PYTHONHASHSEED": seed})
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.*"))
    assert len(files) == 8
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file


def test_the_hash_changes_with_data_and_title_and_stands_in_the_picture(tmp_path):
    first = card_of(tmp_path, bars)
    assert card_of(tmp_path, bars).content_hash == first.content_hash
    assert card_of(tmp_path, bars, title={"zh": "另一题", "en": "Risk comes first"}).content_hash != first.content_hash
    assert card_of(tmp_path, bars, data=DATA.assign(n=[5, 6])).content_hash != first.content_hash
    seen = []

    def draw(figure, lang):
        seen.append([text.get_text() for text in figure.get_figure(root=True).findobj(match=lambda a: hasattr(
            a, "get_text"))])

    card = card_of(tmp_path, draw)
    assert f"风向 #{card.content_hash}" in seen[0]
    assert "来源：自编两篇" in seen[0]
    assert "Source: two texts of our own" in seen[1]


def test_csv_for_spreadsheets(tmp_path):
    data = pd.DataFrame({"a": ["=1+1", "+x", "@y", "甲,乙", None], "b": [-1.5, 2, np.nan, 0.1 + 0.2, 1e-12]})
    card_of(tmp_path, bars, data=data, columns={"a": COLUMNS["theme"], "b": COLUMNS["share"]})
    raw = (tmp_path / "figures" / "example.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.decode("utf-8-sig") == "a,b\n'=1+1,-1.5\n'+x,2\n'@y,\n\"甲,乙\",0.3\n,1e-12\n"


def test_pictures_are_small_and_sharp(tmp_path):
    from PIL import Image

    card_of(tmp_path, bars)
    path = tmp_path / "figures" / "example.zh.png"
    with Image.open(path) as image:
        assert image.mode == "P"
        assert image.width == 1280
        assert image.convert("RGB").getpixel((0, 0)) == (0xFC, 0xFB, 0xF9)
    assert path.stat().st_size < 40_000


def test_flat_colours_survive_the_palette():
    import io

    from PIL import Image

    pixels = np.random.default_rng(1).integers(0, 255, (40, 40, 3)).astype(np.uint8)
    pixels[:, :20] = (158, 50, 29)
    image = Image.open(io.BytesIO(figures._indexed(pixels, np.zeros((0, 3), np.uint8)))).convert("RGB")
    assert image.getpixel((5, 5)) == (158, 50, 29)


def test_the_smallest_dot_keeps_the_colour_it_is_drawn_in():
    """Two dots of a pixel, in colours that are near each other, among 150 large areas and 6,400 pixels of noise."""
    import io

    from PIL import Image

    random = np.random.default_rng(2)
    pixels = np.repeat(random.integers(0, 255, (150, 1, 3)).astype(np.uint8), 100, axis=1)
    pixels = np.concatenate([pixels, random.integers(0, 255, (64, 100, 3)).astype(np.uint8)])
    pixels[200, 50], pixels[202, 50] = (158, 50, 29), (160, 60, 40)
    drawn = np.array([(158, 50, 29), (160, 60, 40), (1, 2, 3)], dtype=np.uint8)
    image = Image.open(io.BytesIO(figures._indexed(pixels, drawn))).convert("RGB")
    assert image.getpixel((50, 200)) == (158, 50, 29)
    assert image.getpixel((50, 202)) == (160, 60, 40)


def test_the_colours_of_a_figure_are_those_of_all_its_artists():
    from matplotlib.figure import Figure

    figure = Figure(facecolor="#ffffff")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.plot([0, 1], [0, 1], color="#123456", marker="o", markerfacecolor="#654321")
    axes.scatter([0.5], [0.5], color="#0a0b0c")
    axes.fill_between([0, 1], [0, 0], [1, 1], color="#010305", alpha=0.5)  # (1 + 255) / 2 = 128, 129, 130 on white
    axes.text(0, 0, "字", color="#abcdef")
    found = {"#" + bytes(c).hex() for c in figures._drawn_colours(figure)}
    assert {"#ffffff", "#123456", "#654321", "#0a0b0c", "#abcdef", "#808182"} <= found
    assert "#010305" not in found


def test_svg_is_outlines_only_and_describes_itself(tmp_path):
    card_of(tmp_path, bars, alt={"zh": "条形图，a<b", "en": "bars"})
    svg = (tmp_path / "figures" / "example.zh.svg").read_text("utf-8")
    assert svg.startswith('<svg role="img"')
    assert "<title>风险化解居首</title>" in svg
    assert "<desc>条形图，a&lt;b</desc>" in svg
    assert "<text" not in svg
    assert "http://www.w3.org/Graphics" not in svg
    assert "font-family" not in svg
    from xml.etree import ElementTree

    ElementTree.fromstring(svg)


def test_glyph_outlines_keep_their_shape():
    """The slimmed outline of a glyph, drawn step by step, meets the points Matplotlib gave."""
    import re

    match = re.fullmatch(figures._GLYPH.pattern, '<path id="NotoSansSC-Regular-1" d="M 640 0 L 640 1280 L 1280 1280 '
                         'Q 1920 640 1280 0 C 1000 -64 800 -64 640 0 z M 64 64 L 128 64 z" '
                         'transform="scale(0.015625)"/>')
    assert figures._glyph_outline(match) == (
        '<path id="NotoSansSC-Regular-1" d="m100 0v200h100q100-100 0-200c-44-10-75-10-100 0zm-90 10h10z" '
        'transform="scale(.1)"/>')


def test_pdf_embeds_its_fonts_and_has_no_date(tmp_path):
    card_of(tmp_path, bars)
    pdf = (tmp_path / "figures" / "example.zh.pdf").read_bytes()
    assert b"/Type3" in pdf
    assert b"CreationDate" not in pdf


def test_other_sizes_stand_beside_the_page(tmp_path):
    from PIL import Image

    card = card_of(tmp_path, bars, size=["page", "slide", "half", "thumbnail"], formats=["png"])
    assert card.files["zh"] == {"png": "example.zh.png", "slide.png": "slide/example.zh.png",
                                "half.png": "half/example.zh.png", "thumbnail.png": "thumbnail/example.zh.png",
                                "csv": "example.csv"}
    for key, size in (("slide.png", (2560, 1440)), ("thumbnail.png", (640, 360))):
        with Image.open(tmp_path / "figures" / card.files["en"][key]) as image:
            assert image.size == size
    with pytest.raises(figures.FigureError, match="unknown size or format: poster"):
        card_of(tmp_path, bars, size="poster")


def test_a_notebook_shows_the_picture_and_tells_the_report_which(tmp_path):
    bundle = card_of(tmp_path, bars)._repr_mimebundle_()
    assert bundle["application/vnd.fengxiang.figure+json"] == {"stem": "example"}
    assert bundle["image/png"] == (tmp_path / "figures" / "example.zh.png").read_bytes()
    assert bundle["text/plain"] == "条形图"


def test_an_unchanged_figure_keeps_its_time_stamp(tmp_path):
    card_of(tmp_path, bars)
    path = tmp_path / "figures" / "example.zh.svg"
    os.utime(path, (1, 1))
    card_of(tmp_path, bars)
    assert path.stat().st_mtime == 1


def test_gallery_says_what_is_counted_and_no_period_that_is_empty(tmp_path):
    def line(**given):
        card_of(tmp_path, bars, **given)
        text = figures.write_gallery(tmp_path).read_text("utf-8")
        return next(line for line in text.splitlines() if line.startswith("n = "))

    told = {"zh": "各主题的占比；n=1,058条语句，灰色为偏少", "en": "Shares; n = 1,058 statements, thin ones grey"}
    counted = "n = 1,058条语句 / 1,058 statements"
    assert line(n=1058, subtitle=told, period="2021–2026").startswith(f"{counted} · 2021–2026 · `")
    assert line(n=1058, subtitle=told, period="–").startswith(f"{counted} · `")
    assert line(n=105, subtitle=told, period="2021").startswith("n = 105 · 2021 · `")
    in_all = {"zh": "文章数；共105篇。一篇", "en": "Articles; 105 articles in all. One"}
    assert line(n=105, subtitle=in_all, period="–").startswith("n = 105篇 / 105 articles · `")
    assert line(n=7, subtitle={"zh": "", "en": ""}, period="years unknown").startswith("n = 7 · `")


def test_gallery_lists_every_figure(tmp_path):
    card_of(tmp_path, bars, alt={"zh": "条形图 [一]", "en": "bars"})
    card_of(tmp_path, bars, stem="another", title={"zh": "另一张*图*", "en": "Another"})
    text = figures.write_gallery(tmp_path).read_text("utf-8")
    assert text.index("另一张\\*图\\*") < text.index("风险化解居首")
    assert "![条形图 \\[一\\]](example.zh.png)" in text
    assert "[CSV](example.csv)" in text
    assert "[PDF·en](another.en.pdf)" in text
    first = text
    assert figures.write_gallery(tmp_path).read_text("utf-8") == first
