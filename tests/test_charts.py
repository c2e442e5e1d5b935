"""Every chart on tables small enough to count by hand: what it says, that its numbers are true, and that it has
something sensible to show when there is nothing to draw."""

import ast
import dataclasses
import inspect
import itertools
import json
import re
from pathlib import Path
from types import SimpleNamespace

import matplotlib.colors
import numpy as np
import pandas as pd
import pytest
import yaml

from fengxiang import charts, diffusion, drawing, figures, measures
from fengxiang.coding import Codebook

CODEBOOK = Path(__file__).resolve().parent.parent / "codebook"

NAMES = charts.Names(
    themes={"debt": {"zh": "地方债务", "en": "Local debt", "group": "risk"},
            "rules": {"zh": "制度建设", "en": "Rule-making", "group": "supervision"},
            "green": {"zh": "绿色金融", "en": "Green finance", "group": "growth"},
            "tech": {"zh": "科技金融", "en": "Technology finance", "group": "growth"}},
    groups={"risk": {"zh": "防风险", "en": "Containing risk", "colour": "#9E321D"},
            "supervision": {"zh": "强监管", "en": "Tough supervision", "colour": "#16365C"},
            "growth": {"zh": "促发展", "en": "Supporting growth", "colour": "#1A8173"}},
    regions={"河北": "Hebei", "广东": "Guangdong", "内蒙古": "Inner Mongolia", "深圳": "Shenzhen", "全国": "National"},
    tiles={"河北": (1, 0), "广东": (1, 2), "内蒙古": (0, 0), "深圳": (2, 2)},
    grades={"prohibit": {"zh": "禁止", "en": "Prohibition"}, "require": {"zh": "必须", "en": "Obligation"},
            "promote": {"zh": "推动", "en": "Promotion"}})
SOURCE = {"zh": "自编的小表", "en": "small tables of our own"}


def statements_of(rows):
    """rows: (year, region, themes, how many statements); an article holds ten statements."""
    out = []
    for year, region, themes, n in rows:
        for _ in range(n):
            out.append({"article_id": f"a{len(out) // 10:03d}-{year}-{region}", "year": year, "regions": [region],
                        "themes": list(themes)})
    return pd.DataFrame(out, columns=["article_id", "year", "regions", "themes"])


STATEMENTS = statements_of([
    (2022, "河北", ["debt"], 10), (2022, "河北", ["rules"], 30),
    (2022, "广东", ["green", "tech"], 20), (2022, "广东", [], 20),
    (2024, "河北", ["debt", "rules"], 40), (2024, "河北", [], 20), (2024, "广东", ["green"], 10),
    (2024, "广东", ["debt", "rules"], 30), (2024, "内蒙古", ["green"], 8)])


def build(statements):
    """The count tables of the build, by the plainest possible counting."""
    slices, themes, pairs = {}, {}, {}
    for s in statements.itertuples():
        for year in (s.year, -1):
            for region in (*s.regions, "all"):
                slices.setdefault((year, region), []).append(s.article_id)
                for theme in s.themes or ["none"]:
                    themes.setdefault((theme, year, region), []).append(s.article_id)
                for a in s.themes:
                    for b in s.themes:
                        if a < b:
                            pairs[a, b, year, region] = pairs.get((a, b, year, region), 0) + 1
    slice_table = pd.DataFrame(
        [(y, r, len(ids), len(set(ids)), len(set(ids)), 1, 100 * len(ids)) for (y, r), ids in sorted(slices.items())],
        columns=["year", "region", "n_statements", "n_articles", "n_stories", "n_agencies", "n_tokens"])
    theme_table = pd.DataFrame(
        [(t, y, r, len(ids), len(set(ids)), len(set(ids)), 1) for (t, y, r), ids in sorted(themes.items())],
        columns=["theme", "year", "region", "n_statements", "n_articles", "n_stories", "n_agencies"])
    every = slice_table.assign(theme="all")[theme_table.columns]
    pair_table = pd.DataFrame(
        [(a, b, y, r, n, len(themes[a, y, r]), len(themes[b, y, r]), len(slices[y, r]))
         for (a, b, y, r), n in sorted(pairs.items())],
        columns=["theme_a", "theme_b", "year", "region", "n_both", "n_a", "n_b", "n_statements"])
    return slice_table, pd.concat([theme_table, every], ignore_index=True), pair_table


SLICES, THEME_COUNTS, THEME_PAIRS = build(STATEMENTS)
ARTICLE_THEMES = measures.article_theme_counts(STATEMENTS, by_region=True)
PREVALENCE = measures.prevalence(THEME_COUNTS, SLICES, ARTICLE_THEMES)
TRENDS = measures.trends(ARTICLE_THEMES[ARTICLE_THEMES["region"] == "all"])
PAIRS = measures.complete_pairs(THEME_PAIRS, THEME_COUNTS, SLICES)
PAIRS = PAIRS[PAIRS["region"] == "all"]
COOCCURRENCE = measures.cooccurrence(PAIRS)
CHANGE = measures.cooccurrence_difference(PAIRS[PAIRS["year"] == 2022], PAIRS[PAIRS["year"] == 2024])
REGION_TABLE = pd.DataFrame({"debt": [50, 30, 1, 4], "rules": [70, 30, 2, 9], "green": [1, 30, 8, 2]},
                            index=["河北", "广东", "内蒙古", "深圳"])
TERM_COUNTS = pd.DataFrame(
    [(t, y, "all", n, n, max(n // 3, 1), max(n // 3, 1)) for t, by_year in {
        "化险": {2022: 8, 2024: 120, -1: 128}, "普惠": {2022: 90, 2024: 10, -1: 100},
        "监管": {2022: 60, 2024: 75, -1: 135}, "协同": {2024: 12, -1: 12}, "银保监局": {2022: 40, -1: 40}}.items()
     for y, n in by_year.items()],
    columns=["term", "year", "region", "count", "n_statements", "n_articles", "n_stories"])
KEYNESS = measures.keyness(measures.slice_counts(TERM_COUNTS, 2024), measures.slice_counts(TERM_COUNTS, 2022),
                           total_a=10800, total_b=8000)
LEDGER = pd.DataFrame({"source_file": ["a", "a", "a", "b"], "source_format": "plain",
                       "fate": ["body", "boilerplate", "title", "body"], "rule": "r", "n_units": 1,
                       "n_chars": [600, 250, 50, 100]})
DEONTIC = pd.DataFrame(
    [(grade, theme, -1, "all", n) for theme, counts in {
        "all": (10, 60, 80, 38), "debt": (8, 30, 30, 12), "rules": (1, 40, 50, 9),
        "green": (0, 2, 20, 16)}.items()
     for grade, n in zip(("prohibit", "require", "promote", "none"), counts, strict=True)],
    columns=["deontic", "theme", "year", "region", "n_statements"])
ACCURACY = measures.accuracy([["debt"], ["debt", "rules"], ["rules"], [], ["green"], ["debt"]] * 4,
                             [["debt"], ["rules"], ["rules"], ["green"], ["green"], ["debt"]] * 4,
                             clusters=[i // 3 for i in range(24)])
CHECKS = [{"zh": "转载只计一次", "en": "reprints counted once", "holds": True},
          {"zh": "不含甲报", "en": "without paper A", "holds": False}]
FINDINGS = [
    SimpleNamespace(id="first", zh="2024年“地方债务”居首，占语句的64.8%。", en="In 2024 “Local debt” comes first, "
                                                                               "64.8%.",
                    slice={"region": "all", "theme": "debt", "year": 2024, "terms": {"普惠": ["河北"]}},
                    badge={"holds": 1, "of": 2, "checks": CHECKS}),
    SimpleNamespace(id="second", zh="“制度建设”上升。", en="“Rule-making” rose.",
                    slice={"region": "all", "themes": [["green"], ["rules"]], "year_from": 2022, "year_to": 2025},
                    badge={"holds": 2, "of": 2, "checks": [CHECKS[0], {**CHECKS[1], "holds": True}]}),
    SimpleNamespace(id="third", zh="无检验。", en="No checks.", slice={"region": "全国", "year": -1}, badge={})]
SILENCE = measures.silence(THEME_COUNTS, SLICES)
# here the kind of an article is its region
KINDS = {i: i.rpartition("-")[2] for i in set(ARTICLE_THEMES["article_id"])}
HELD = measures.mix_standardised(ARTICLE_THEMES, KINDS)
GRADED = TRENDS.assign(grade=TRENDS["theme"].map({"debt": "rose", "rules": "rose", "green": "probably_fell",
                                                  "tech": "no_clear_change"}))
WARNED = pd.DataFrame({"theme": ["debt", "green"], "year_from": 2022, "year_to": 2024, "warning": ["", "mix_makes_it"]})

USES = pd.DataFrame(
    [(term, region, date, f"{term}{region}", int(date[:4])) for term, uses in {
        "减量提质": [("全国", "2022-01-20"), ("河北", "2022-03-01"), ("广东", "2023"), ("深圳", "2024-02-02")],
        "大消保": [("深圳", "2022-05-05"), ("全国", "2022-07-01"), ("河北", "2023-01-09")],
        "五篇大文章": [("河北", "2023"), ("广东", "2023"), ("全国", "2024-01-01"), ("内蒙古", "2024-03-04")]}.items()
     for region, date in uses], columns=["term", "region", "date", "article_id", "year"])
FIRST_USES = diffusion.first_use(USES)
ADOPTION = diffusion.adoption(USES, pd.DataFrame([(r, y) for r in ("河北", "广东", "深圳", "内蒙古")
                                                  for y in (2022, 2023, 2024)], columns=["region", "year"]), 2)
ECHO = pd.DataFrame(
    [("河北", 60, 9, 4000, 400, 0.1, 0.06, 0.15, 0.04, 12, 40.0, False),
     ("广东", 50, 8, 3000, 60, 0.02, 0.01, 0.04, 0.02, 3, 7.0, False),
     ("深圳", 5, 1, 200, 10, 0.05, 0.0, 0.9, 0.0, 1, 3.0, True),
     ("内蒙古", 8, 1, 300, 0, 0.0, 0.0, 0.9, 0.0, 0, np.nan, True)],
    columns=["region", "n_statements", "n_articles", "n_chars", "n_repeated", "share", "low", "high",
             "share_same_year", "n_echoing", "median_lag", "thin"])
LIFE_COUNTS = pd.DataFrame(
    [(t, y, "all", n) for t, by_year in {
        "新市民": {2021: 9, 2022: 18, 2023: 2, 2024: 1}, "减量提质": {2023: 2, 2024: 15},
        "普惠": {2021: 8, 2022: 9, 2023: 9, 2024: 8}}.items()
     for y, n in by_year.items()], columns=["term", "year", "region", "n_articles"])
LIFE = diffusion.slogan_life(LIFE_COUNTS, pd.DataFrame({"year": [2021, 2022, 2023, 2024], "region": "all",
                                                       "n_articles": 20}))
PASSINGS = pd.DataFrame(
    [("s1", "a1", 2022, "firms", "banks", "told"), ("s2", "a1", 2022, "firms", "banks", "warned"),
     ("s3", "a2", 2023, "abroad", "markets", "told"), ("s4", "a2", 2023, "unnamed", "banks", "possible"),
     ("s5", "a3", 2023, "banks", "firms", "denied")],
    columns=["statement_id", "article_id", "year", "source", "target", "stance"])
PLACES = {"firms": {"zh": "企业", "en": "Firms"}, "banks": {"zh": "银行", "en": "Banks"},
          "abroad": {"zh": "境外", "en": "Abroad"}, "markets": {"zh": "市场", "en": "Markets"}}
QUANTITIES = pd.DataFrame(
    [("贷款", 2022, 10.0, "up"), ("贷款", 2023, 12.5, "up"), ("贷款", 2024, 4.0, "down"), ("保费", 2023, 7.0, "up"),
     ("保费", 2024, 9.0, "up"), ("存款", 2024, 3.0, "up"), ("存款", 2024, 3.5, None)],
    columns=["what", "year", "value", "change"])
QUANTITIES["unit"], QUANTITIES["start"] = "%", 0
QUANTITIES["regions"] = [["河北"]] * len(QUANTITIES)
QUANTITIES["statement_id"] = QUANTITIES["article_id"] = [f"s{i}" for i in range(len(QUANTITIES))]
QUANTITIES["quantity"] = QUANTITIES["value"].map("{}%".format)

# name → (function, its frame or frames, further arguments)
CASES = {
    "coverage": (charts.coverage, [SLICES], {"names": NAMES}),
    "cleaning_waterfall": (charts.cleaning_waterfall, [LEDGER], {}),
    "top_terms": (charts.top_terms, [TERM_COUNTS, SLICES], {"names": NAMES}),
    "term_trajectories": (charts.term_trajectories, [TERM_COUNTS, SLICES], {"names": NAMES}),
    "wordcloud": (charts.wordcloud, [TERM_COUNTS, SLICES], {"names": NAMES}),
    "keyness": (charts.keyness, [KEYNESS], {"label_a": {"zh": "2024年", "en": "2024"},
                                            "label_b": {"zh": "2022年", "en": "2022"}}),
    "theme_prevalence": (charts.theme_prevalence, [PREVALENCE], {"names": NAMES, "standardised": HELD,
                                                                 "warned": WARNED, "trends": GRADED}),
    "theme_ranking": (charts.theme_ranking, [PREVALENCE], {"names": NAMES}),
    "theme_change": (charts.theme_change, [TRENDS], {"names": NAMES}),
    "region_themes": (charts.region_themes, [PREVALENCE], {"names": NAMES}),
    "tile_map": (charts.tile_map, [SLICES], {"names": NAMES}),
    "tile_map_theme": (charts.tile_map_theme, [PREVALENCE], {"names": NAMES, "theme": "debt"}),
    "tile_map_dominant": (charts.tile_map_dominant, [PREVALENCE], {"names": NAMES}),
    "cooccurrence_matrix": (charts.cooccurrence_matrix, [COOCCURRENCE], {"names": NAMES}),
    "cooccurrence_network": (charts.cooccurrence_network, [COOCCURRENCE], {"names": NAMES}),
    "cooccurrence_change": (charts.cooccurrence_change, [CHANGE], {"names": NAMES, "year_a": 2022, "year_b": 2024}),
    "correspondence": (charts.correspondence, [REGION_TABLE], {"names": NAMES}),
    "dendrogram": (charts.dendrogram, [REGION_TABLE], {"names": NAMES}),
    "silence": (charts.silence, [SILENCE], {"names": NAMES}),
    "deontic_strength": (charts.deontic_strength, [DEONTIC], {"names": NAMES}),
    "codebook_accuracy": (charts.codebook_accuracy, [ACCURACY], {"names": NAMES}),
    "robustness": (charts.robustness, [FINDINGS], {}),
    "diffusion_timeline": (charts.diffusion_timeline, [FIRST_USES], {"names": NAMES}),
    "adoption": (charts.adoption, [ADOPTION], {}),
    "echo_index": (charts.echo_index, [ECHO], {"names": NAMES}),
    "slogan_life": (charts.slogan_life, [LIFE], {}),
    "risk_transmission": (charts.risk_transmission, [PASSINGS], {"places": PLACES}),
    "quantities": (charts.quantities, [QUANTITIES], {}),
}


def drawn(name, out, frames=None, **changes):
    function, own, arguments = CASES[name]
    return function(*(own if frames is None else frames), out=out, source=SOURCE,
                    **({"formats": []} | arguments | changes))


@pytest.fixture(scope="module")
def cards(tmp_path_factory):
    """The card of each chart, drawn once, on every sheet; `seen` holds what was measured on each sheet."""
    done = {}

    def card(name):
        if name not in done:
            card.seen[name] = []

            def check(figure, stem, lang, size):
                figures_check(figure, stem, lang, size)
                card.seen[name].append((lang, size, look_at(figure)))

            figures_check = figures._check
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(figures, "_check", check)
                done[name] = drawn(name, tmp_path_factory.mktemp(name), size=["page", "slide", "half"])
        return done[name]

    card.seen = {}
    return card


def look_at(figure):
    """What a reader sees of a drawn figure: each text with its box in points, its colour and the colour it lies on as
    rendered; the colour of each mark; and the line segments of marks, in points."""
    from matplotlib.collections import LineCollection, PathCollection
    from matplotlib.colors import to_rgb
    from matplotlib.lines import Line2D

    texts = figures._drawn_texts(figure)
    pixels = np.asarray(figure.canvas.buffer_rgba())[:, :, :3]
    scale, height = figure.dpi / 72, pixels.shape[0]
    seen = {"texts": [], "marks": [], "segments": []}
    for text, box in texts:
        x0, y0, x1, y1 = np.round(box * scale).astype(int)
        part = pixels[max(height - y1, 0):height - y0 + 1, max(x0 - 1, 0):x1 + 1]
        rim = np.concatenate([part[0], part[-1], part[:, 0], part[:, -1]])
        shades, counts = np.unique(rim, axis=0, return_counts=True)
        seen["texts"].append((text.get_text(), box, to_rgb(text.get_color()), tuple(shades[counts.argmax()] / 255)))

    def over_paper(colour):
        return tuple(np.array(to_rgb(figures.PAPER)) * (1 - colour[3]) + np.array(colour[:3]) * colour[3])

    for artist in figure.findobj(lambda a: isinstance(a, PathCollection | LineCollection | Line2D)):
        if artist.get_zorder() < 1 or not artist.get_visible() or artist.axes is None:
            continue
        to_points = artist.get_transform() + figure.dpi_scale_trans.inverted().scale(72)
        if isinstance(artist, Line2D):
            seen["marks"].append(over_paper((*to_rgb(artist.get_color()), artist.get_alpha() or 1)))
            ends = to_points.transform(artist.get_xydata()) if artist.get_linestyle() != "None" else ()
            seen["segments"] += itertools.pairwise(ends)
        elif isinstance(artist, LineCollection):
            seen["marks"] += [over_paper(c) for c in artist.get_colors()]
            seen["segments"] += [to_points.transform(s) for s in artist.get_segments() if len(s)]
        elif len(artist.get_offsets()) and artist.get_sizes().size:  # dots; outlined numbers have no sizes
            faces, edges = artist.get_facecolors(), artist.get_edgecolors()
            for k in range(max(len(faces), len(edges))):
                colours = [over_paper(c[k % len(c)]) for c in (faces, edges) if len(c)]
                seen["marks"].append(max(colours, key=lambda c: figures.contrast(c, figures.PAPER)))
    return seen


# For each chart with filters: some of what it holds, and the column that must then hold nothing else.
FILTERS = {
    "top_terms": [{"year": 2024}], "wordcloud": [{"year": 2024}],
    "theme_prevalence": [{"region": "河北", "standardised": None, "warned": None}, {"themes": ["debt", "rules"]}],
    "theme_ranking": [{"region": "河北"}, {"themes": ["debt", "rules"]}],
    "theme_change": [{"themes": ["debt", "rules"]}],
    "region_themes": [{"year": 2024}, {"themes": ["debt", "rules"]}, {"regions": ["河北", "广东"]}],
    "tile_map": [{"year": 2024}], "tile_map_theme": [{"year": 2024}, {"theme": "rules"}],
    "tile_map_dominant": [{"year": 2024}, {"themes": ["debt", "rules"]}],
    "cooccurrence_matrix": [{"year": 2024}, {"region": "all"}, {"themes": ["debt", "rules", "green"]}],
    "cooccurrence_network": [{"year": 2024}, {"region": "all"}, {"themes": ["debt", "rules", "green"]}],
    "cooccurrence_change": [{"themes": ["debt", "rules"]}],
    "correspondence": [{"themes": ["debt", "rules", "green"]}, {"regions": ["河北", "广东", "内蒙古"]}],
    "dendrogram": [{"themes": ["debt", "rules", "green"]}, {"regions": ["河北", "广东", "内蒙古"]}],
    "silence": [{"themes": ["debt", "green"]}, {"regions": ["河北", "广东"]}],
    "deontic_strength": [{"themes": ["debt", "rules"]}],
    "echo_index": [{"regions": ["河北", "广东"]}],
}
HELD_IN = {"year": ["year"], "region": ["region"], "themes": ["theme", "theme_a", "theme_b"], "theme": ["theme"],
           "regions": ["region"]}


@pytest.mark.parametrize(("name", "filters"), [(n, f) for n, some in FILTERS.items() for f in some])
def test_filters_leave_only_what_was_asked_for(name, filters, tmp_path):
    data = data_of(drawn(name, tmp_path, **filters))
    assert len(data)
    for key, wanted in filters.items():
        for column in set(HELD_IN.get(key, ())) & set(data.columns):
            assert set(data[column]) <= {"all", *([wanted] if isinstance(wanted, str | int) else wanted)}, column


def data_of(card):
    return pd.read_csv(card.folder / f"{card.stem}.csv", encoding="utf-8-sig")


def numbers_in(text):
    """Numbers as printed, without thousands separators; those of a stem or a code are none."""
    return [n.replace(",", "") for n in re.findall(r"(?<![A-Za-z0-9_.])\d+(?:,\d{3})*(?:\.\d+)?", text)]


# ---- what every chart owes its reader -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_every_chart_fits_every_sheet_without_overlaps(name, cards):
    card = cards(name)  # finish raises on overlaps and missing glyphs
    assert card.n > 0
    for lang in figures.LANGS:
        assert all((card.title[lang], card.alt[lang], card.how_to_read[lang], card.subtitle[lang]))
        assert not card.title[lang].endswith(("。", "."))
        assert not re.search(r"\b(nan|NaN|None|inf)\b", card.alt[lang] + card.title[lang] + card.subtitle[lang])
    assert not re.search(r"[一-鿿] +[一-鿿]", card.alt["zh"] + card.subtitle["zh"] + card.how_to_read["zh"])
    assert not re.search(r"[一-鿿][,;:!?]|[,;:!?][一-鿿]", card.alt["zh"] + card.title["zh"] + card.subtitle["zh"])


@pytest.mark.parametrize("name", CASES)
def test_text_and_marks_stand_out_from_what_they_lie_on(name, cards):
    """WCAG 2.2 AA, measured on the drawn sheet: 4.5:1 for text, 3:1 for marks."""
    cards(name)
    for lang, size, seen in cards.seen[name]:
        weak = [(text, round(figures.contrast(ink, ground), 2)) for text, _, ink, ground in seen["texts"]
                if figures.contrast(ink, ground) < (3 if text in "●○◆" else 4.45)]
        assert not weak, (lang, size)
        faint = {figures.contrast(colour, figures.PAPER) for colour in seen["marks"]}
        assert not [c for c in faint if c < 2.95], (lang, size)


@pytest.mark.parametrize("name", CASES)
def test_english_has_the_marks_of_a_printer(name, cards):
    card = cards(name)
    straight = re.compile(r"[\"']")
    words = [card.title, card.subtitle, card.alt, card.how_to_read, card.unit, *card.columns.values()]
    assert not [w["en"] for w in words if straight.search(w["en"])]
    assert not [text for lang, _, seen in cards.seen[name] for text, *_ in seen["texts"] if straight.search(text)]


@pytest.mark.parametrize("name", CASES)
def test_numbers_of_the_alt_text_are_true_and_the_same_in_both_languages(name, cards):
    card = cards(name)
    data = data_of(card)
    true = {str(card.n), "95", "5", "10000"} | {str(y) for y in (2021, 2022, 2023, 2024)}
    for column in data:
        values = data[column]
        true |= {str(values.nunique()), str(values.notna().sum())}
        if pd.api.types.is_numeric_dtype(values):
            for v in values.dropna():
                true |= {f"{v:.{d}f}" for d in range(4)} | {f"{abs(v):.{d}f}" for d in range(4)}
        for _, part in data.groupby(column):
            true.add(str(len(part)))
    # Sums of codes for charts whose marks are sums of plotted numbers.
    if name == "deontic_strength":
        firm = data["prohibit_percent"] + data["require_percent"]
        true |= {f"{v:.1f}" for v in firm}
    if name == "correspondence":
        analysis = measures.correspondence_analysis(REGION_TABLE)
        true |= {f"{100 * v:.1f}" for v in (*analysis.explained, analysis.explained.sum())}
    if name == "echo_index":
        true.add("6.6")  # 460 of 7,000 characters
    if name == "quantities":
        true |= {f"{v:.1f}" for v in data.groupby("what")["value"].median()}
    if name == "robustness":
        true |= {n for f in FINDINGS for n in numbers_in(f.zh + f.en)}
    found = {lang: numbers_in(card.alt[lang]) for lang in figures.LANGS}
    untrue = {n for some in found.values() for n in some} - true
    counts = {n for n in untrue if re.fullmatch(r"\d", n)}  # how many rows are thin, clear, close …
    assert untrue <= counts, untrue
    zh, en = (sorted(n for n in found[lang] if n != "10000") for lang in figures.LANGS)  # 每万 is 10,000
    assert zh == en


@pytest.mark.parametrize("name", CASES)
def test_too_little_is_said_in_prose(name, tmp_path):
    frames = [frame[:0] if isinstance(frame, list) else frame.iloc[:0] for frame in CASES[name][1]]
    card = drawn(name, tmp_path, frames)
    assert card.n == 0
    assert len(card.alt["zh"]) > 8
    assert card.alt["zh"].endswith("。")
    assert card.alt["en"].endswith(".")


@pytest.mark.parametrize("name", [n for n in CASES if n != "robustness"])
def test_one_row_does_not_break_a_chart(name, tmp_path):
    drawn(name, tmp_path, [frame.iloc[[0]] for frame in CASES[name][1]])


@pytest.mark.parametrize("name", ["theme_prevalence", "theme_ranking", "region_themes", "tile_map_theme",
                                  "tile_map_dominant", "theme_change", "cooccurrence_matrix"])
def test_gaps_in_the_numbers_do_not_break_a_chart(name, tmp_path):
    frame = CASES[name][1][0].copy()
    for column in ("share", "low", "high", "difference", "low95", "high95", "npmi", "ratio"):
        if column in frame:
            frame.loc[frame.index[::3], column] = np.nan
    card = drawn(name, tmp_path, [frame])
    assert not re.search(r"\bnan\b", card.alt["zh"] + card.alt["en"])


def test_names_the_codebook_does_not_know_show_as_they_are(tmp_path):
    frame = PREVALENCE.replace({"theme": {"green": "new_theme"}, "region": {"内蒙古": "江北"}})
    for name in ("theme_ranking", "region_themes"):
        assert "new_theme" in data_of(drawn(name, tmp_path, [frame]))["theme_zh"].to_list()


def test_a_title_may_be_given(tmp_path):
    title = {"zh": "台账里的一句话", "en": "A sentence of the ledger"}
    assert drawn("coverage", tmp_path, title=title).title == title


# ---- filters --------------------------------------------------------------------------------------------------------

# What a frame tells apart, by the names of its columns, and the parameters that may choose among it.
PARAMETERS = {"years": {"year", "years", "year_from"}, "regions": {"region", "regions"}, "themes": {"theme", "themes"},
              "terms": {"terms"}, "sources": {"sources"}, "targets": {"targets"}}
TOLD_BY = {"year": "years", "year_from": "years", "date": "years", "region": "regions", "regions": "regions",
           "theme": "themes", "theme_a": "themes", "term": "terms", "source": "sources", "target": "targets"}
UNKNOWN = {"year": 1999, "years": [1999], "year_from": 1999, "region": "江北", "regions": ["江北"], "theme": "no_such",
           "themes": ["no_such"], "terms": ["无此词"], "sources": ["no_such"], "targets": ["no_such"]}


def told_apart(frames):
    """What the frames of a chart tell apart: years, regions, themes, terms, sources, targets."""
    told = set()
    for frame in frames:
        if isinstance(frame, list):  # findings
            told |= {of for f in frame for key in f.slice for of in [TOLD_BY.get(key, key)] if of in PARAMETERS}
            continue
        told |= {TOLD_BY[c] for c in frame.columns if c in TOLD_BY}
        if set(frame.index) <= set(NAMES.regions) and set(frame.columns) <= set(NAMES.themes):
            told |= {"regions", "themes"}
    return told


def filters_of(name):
    """The filters that the function of a chart takes."""
    return set(inspect.signature(CASES[name][0]).parameters) & set().union(*PARAMETERS.values())


def test_every_chart_function_is_looked_at():
    public = {function for name, function in vars(charts).items() if inspect.isfunction(function)
              and not name.startswith("_") and "stem" in inspect.signature(function).parameters}
    assert public == {function for function, *_ in CASES.values()}


@pytest.mark.parametrize("name", CASES)
def test_every_chart_takes_a_filter_of_each_thing_its_frame_tells_apart(name):
    function, frames, arguments = CASES[name]
    told, filters = told_apart(frames), filters_of(name)
    for of, parameters in PARAMETERS.items():
        assert bool(parameters & filters) == (of in told), of
    for filter_ in filters - arguments.keys():  # all by default
        assert inspect.signature(function).parameters[filter_].default in (None, -1, "all")
    why = re.search(r"No filter of ([^:]*):\s+\S", " ".join(function.__doc__.split()))
    assert {"years", "regions", "themes"} - told == set(re.findall(r"\w+", why[1].replace(" or ", " ")) if why else ())


@pytest.mark.parametrize(("name", "filter_"), [(n, f) for n in CASES for f in sorted(filters_of(n))])
def test_a_value_that_the_frame_does_not_hold_leaves_too_little(name, filter_, tmp_path):
    for value in [UNKNOWN[filter_], *([[]] if isinstance(UNKNOWN[filter_], list) else [])]:
        card = drawn(name, tmp_path, **{filter_: value})
        assert card.n == 0
        assert card.alt["zh"].endswith("。")
        assert card.title["en"] == "Too little material for this chart"


def test_coverage_of_some_years_and_regions(tmp_path):
    # articles by hand: 2022 河北 4, 广东 4; 2024 河北 6, 广东 4, 内蒙古 1
    card = drawn("coverage", tmp_path, years=[2024], regions=["河北", "内蒙古", "深圳"])
    assert card.n == 7
    assert card.period == "2024"
    assert card.title == {"zh": "3个地区中1个没有材料", "en": "1 of 3 regions have no article"}
    assert "2024年；共7篇" in card.subtitle["zh"]
    assert card.alt["zh"] == ("热力表，2024年各地区文章数。共7篇；2024年最多，7篇。地区中河北最多，6篇。"
                              "没有材料的地区：深圳。")
    data = data_of(card)
    assert data[["region", "n_articles", "n_all_years"]].to_numpy().tolist() == [
        ["河北", 6, 6], ["内蒙古", 1, 1], ["深圳", 0, 0], ["all", 7, 7]]
    alone = drawn("coverage", tmp_path, regions="广东", size=["page", "slide", "half"])
    assert alone.title == {"zh": "广东有8篇材料，2022年最多", "en": "Guangdong: 8 articles; 2022 has the most"}


def test_prevalence_of_some_years_and_themes(tmp_path):
    frames = [pd.concat([PREVALENCE, PREVALENCE[PREVALENCE["year"] == 2024].assign(year=2025)])]
    card = drawn("theme_prevalence", tmp_path, frames, years=[2022, 2024], themes=["green", "tech"],
                 standardised=None, warned=None)
    assert card.period == "2022–2024"
    assert card.n == 80 + 108  # statements of both years
    assert "In 2024 “Green finance” comes first" in card.title["en"]  # 18 of 108; no one speaks of tech
    assert set(data_of(card)["year"]) == {2022, 2024}
    warned = pd.DataFrame({"theme": ["green"], "year_from": [2022], "year_to": [2025], "warning": ["mix_makes_it"]})
    held = {"standardised": HELD.iloc[:0], "warned": warned, "trends": GRADED.assign(year_to=2025)}
    some = drawn("theme_prevalence", tmp_path, frames, years=[2022, 2024], **held)
    assert "*" not in some.how_to_read["zh"].partition("带*的主题")[0]
    assert "held still" not in some.alt["en"]
    assert "held still: Green finance." in drawn("theme_prevalence", tmp_path, frames, **held).alt["en"]


def test_words_of_some_terms_keep_the_rate_of_the_whole_slice(tmp_path):
    card = drawn("top_terms", tmp_path, terms=["协同", "普惠"], year=2024)
    assert data_of(card)[["term", "count"]].to_numpy().tolist() == [["协同", 12], ["普惠", 10]]
    assert data_of(card)["per_10k"].to_list() == pytest.approx([12 / 1.08, 10 / 1.08])  # of 10,800 tokens
    assert card.period == "2024"
    marked = drawn("keyness", tmp_path, terms=["普惠"])
    assert data_of(marked)["term"].to_list() == ["普惠"]
    assert marked.n == 18800  # the slices compared are the same
    assert marked.title["zh"] == "2022年更常说“普惠”"


def test_trajectories_of_some_years(tmp_path):
    counts = pd.concat([TERM_COUNTS, TERM_COUNTS[TERM_COUNTS["year"] == 2022].assign(year=2021)])
    slices = pd.concat([SLICES, SLICES[SLICES["year"] == 2022].assign(year=2021)])
    card = drawn("term_trajectories", tmp_path, [counts, slices], years=[2021, 2022], terms=["化险", "普惠", "无此词"])
    assert card.title["zh"] == "从2021年到2022年，这些词的用量没有明显变化"
    assert card.period == "2021–2022"
    assert card.n == 16000
    assert set(data_of(card)["term"]) == {"化险", "普惠"}


def test_maps_of_some_regions(tmp_path):
    card = drawn("tile_map", tmp_path, regions=["河北", "深圳"])
    assert card.n == 100
    assert card.title["zh"] == "2个地区中，1个的材料够作比较，1个没有材料"
    assert drawn("tile_map_theme", tmp_path, theme="green", regions=["广东"]).alt["zh"].endswith(
        "材料够用的1个地区：广东37.5%。另有0个地区材料偏少，0个没有材料。")
    dominant = drawn("tile_map_dominant", tmp_path, regions=["广东"], themes=["rules", "tech"])
    assert dominant.title["zh"].startswith("广东：“制度建设”")
    assert dominant.n == 80


def test_the_accuracy_of_some_themes_is_added_up_anew(tmp_path):
    # by hand: debt is found in 12 statements, 4 of them wrongly; green in 4 of 8
    card = drawn("codebook_accuracy", tmp_path, themes=["debt", "green"])
    data = data_of(card).set_index("theme")
    assert list(data.index) == ["all", "mean", "debt", "green"]
    assert data.loc["all", ["gold", "tp", "fp", "fn"]].to_list() == [16, 12, 4, 4]
    assert card.n == 16
    assert data.loc["all", "f1"] == pytest.approx(100 * 24 / (24 + 8))
    assert data.loc["mean", "f1"] == pytest.approx((100 * 16 / 20 + 100 * 8 / 12) / 2)
    assert card.title["en"] == "Against reference labels the coding of themes has an F1 of 75.0%"
    assert data["theme_zh"].iloc[0] == "所选主题合计"


def test_coverage_says_why_the_years_do_not_add_up_to_the_articles(tmp_path):
    def articles(*of_all, whole):
        rows = [(year, "all", n) for year, n in of_all] + [(-1, "all", whole), (2022, "河北", 1), (-1, "河北", 1)]
        return pd.DataFrame(rows, columns=["year", "region", "n_articles"])

    told = drawn("coverage", tmp_path, [articles((2022, 5), (2023, 4), whole=8)])
    assert "各年相加比8篇多1" in told.how_to_read["zh"]
    assert "add up to 1 more than the 8 articles" in told.how_to_read["en"]
    plain = drawn("coverage", tmp_path, [articles((2022, 5), (2023, 4), whole=9)])
    assert "相加" not in plain.how_to_read["zh"]
    undated = drawn("coverage", tmp_path, [articles((0, 2), (2022, 5), (2023, 4), whole=11)])
    assert undated.how_to_read["zh"].endswith("年份不详的2篇只计入合计。")
    assert "相加" not in undated.how_to_read["zh"]
    both = drawn("coverage", tmp_path, [articles((0, 1), (2022, 5), (2023, 4), whole=8)])
    assert "各年与年份不详的相加比8篇多2" in both.how_to_read["zh"]
    assert both.how_to_read["en"].endswith("1 without a known year counts in the totals alone.")


def test_too_few_labels_are_no_score_and_no_error_is_no_certainty(tmp_path, monkeypatch):
    from matplotlib.collections import PathCollection

    rows = [("debt", 28, 0, 0, 1, 1, 1, 1, 1), ("rules", 4, 0, 0, 1, 1, 1, 1, 1),
            ("green", 8, 2, 2, 0.8, 0.8, 0.8, 0.6, 0.9), ("tech", 1, 0, 3, 1, 0.25, 0.4, 0, 1)]
    accuracy = pd.DataFrame(rows, columns=["theme", "tp", "fp", "fn", "precision", "recall", "f1", "f1_low",
                                           "f1_high"])
    dots, check = {}, figures._check

    def look(figure, stem, lang, size):
        check(figure, stem, lang, size)
        dots[lang, size] = [len(c.get_offsets()) for c in figure.findobj(PathCollection)]

    monkeypatch.setattr(figures, "_check", look)
    seen, card = sheets(monkeypatch, lambda **k: drawn("codebook_accuracy", tmp_path, [accuracy], **k))
    data = data_of(card).set_index("theme")
    assert list(data.index) == ["debt", "green", "rules", "tech"]  # what is not judged stands last
    assert set(map(tuple, dots.values())) == {(2, 2, 2)}  # precision, recall and F1 of two themes
    for (lang, _), texts in seen.items():
        written = [text for text, _ in texts]
        assert written.count({"zh": "标注太少", "en": "too few labels"}[lang]) == 2
        assert "40.0%" not in written
    # Wilson: 28 of 28 is 28 / (28 + 1.96²) = 0.879 at least, and F1 2 · 0.879 / 1.879
    assert data.loc["debt", "f1_low"] == pytest.approx(100 * 2 * 0.8793 / 1.8793, abs=0.01)
    assert data.loc["green", "f1_low"] == 60
    assert "2个主题标注不足5处，不画" in card.subtitle["zh"]
    assert "威尔逊" in card.how_to_read["zh"]
    assert "最高的是地方债务，100.0%；最低的是绿色金融，80.0%" in card.alt["zh"]


def test_silence_of_a_year(tmp_path):
    of_2022 = measures.silence(THEME_COUNTS, SLICES, year=2022).assign(thin=False)
    frame = pd.concat([SILENCE, of_2022])
    card = drawn("silence", tmp_path, [frame], year=2022)
    # in 2022 河北 says nothing of green and technology finance, 广东 nothing of debt and rules
    assert sorted(map(tuple, data_of(card)[["region", "theme"]].to_numpy())) == [
        ("广东", "debt"), ("广东", "rules"), ("河北", "green"), ("河北", "tech")]
    assert card.period == "2022"
    assert card.n == 80
    assert len(data_of(drawn("silence", tmp_path, [frame]))) == len(SILENCE)


def test_first_uses_of_some_regions_and_years(tmp_path):
    # without the national regulator Hebei was the first with 减量提质
    card = drawn("diffusion_timeline", tmp_path, regions=["河北", "广东", "深圳"])
    assert card.title["zh"] == "1个说法中，1个在材料中最早见于地方"
    assert card.title["en"] == "Of 1 term, 1 is first found here with a region"
    assert "“减量提质”最早见于河北，后见于另外2家。" in card.alt["zh"]
    assert card.n == 3
    # of the terms that came up in 2023 and 2024 五大篇文章 alone; 减量提质 was there before
    later = drawn("diffusion_timeline", tmp_path, years=[2023, 2024])
    assert set(data_of(later)["term"]) == {"五篇大文章"}
    assert later.n == 4
    assert later.period == "2023–2024"
    assert drawn("diffusion_timeline", tmp_path, years=[2024]).n == 0
    first_year = drawn("diffusion_timeline", tmp_path, years=[2022], min_regions=2)
    assert sorted(data_of(first_year)["region"]) == ["全国", "全国", "河北", "深圳"]
    assert first_year.period == "2022"


def test_adoption_to_an_earlier_year(tmp_path):
    card = drawn("adoption", tmp_path, years=[2022, 2023], terms=["减量提质"])
    assert card.period == "2022–2023"
    assert "到2023年估计50%" in card.title["zh"]  # 河北 and 广东 of four regions


def test_passings_of_a_year_and_a_place(tmp_path):
    card = drawn("risk_transmission", tmp_path, years=[2023])
    assert card.n == 2
    assert card.period == "2023"
    assert card.title["zh"] == "语料中总共只有2条语句说到风险传递，没有哪一对说到两次"
    into = drawn("risk_transmission", tmp_path, targets=["banks"])
    assert into.n == 3
    assert set(data_of(into)["source"]) == {"firms", "unnamed"}
    assert drawn("risk_transmission", tmp_path, sources="firms").n == 0  # one pair is no picture


def test_quantities_of_a_year_and_a_region(tmp_path):
    table = QUANTITIES.assign(regions=[["河北", "广东"]] * 3 + [["广东"], []] + [["河北"]] * 2)
    card = drawn("quantities", tmp_path, [table], regions=["河北"])
    assert data_of(card)["value"].to_list() == [10, 12.5, -4]
    assert card.n == 3
    assert drawn("quantities", tmp_path, [table], regions=["河北"], years=[2022, 2023]).n == 0
    assert drawn("quantities", tmp_path, [table], years=[2023, 2024]).period == "2023–2024"


def test_findings_on_a_theme(tmp_path):
    card = drawn("robustness", tmp_path, themes=["rules"])
    assert card.title["zh"] == "1条发现中，1条在所试的各种口径下都成立"
    assert card.n == 2
    assert drawn("robustness", tmp_path, years=[2024], terms=["普惠"]).alt["zh"].count("“地方债务”") == 1
    assert drawn("robustness", tmp_path, years=[2022]).n == 2
    assert drawn("robustness", tmp_path, regions=["全国"]).n == 0


def test_a_title_says_the_slice_it_is_of(tmp_path):
    assert drawn("top_terms", tmp_path, year=2024, n_top=2).title == {
        "zh": "2024年：最常用的词是“化险”和“监管”，每万词次111.1、69.4次",
        "en": "2024: the most used terms are “化险” and “监管”, 111.1 and 69.4 times in every 10,000 tokens"}
    assert drawn("theme_ranking", tmp_path, region="广东").title["zh"].startswith("广东：2024年")
    assert drawn("theme_ranking", tmp_path, region="广东").title["en"].startswith("Guangdong: in 2024 “")
    assert drawn("tile_map_theme", tmp_path, year=2024).title["en"].startswith("2024: ")
    given = {"zh": "甲", "en": "A"}
    assert drawn("top_terms", tmp_path, year=2024, title=given).title == given


def test_one_region_is_not_counted_but_named(tmp_path):
    # of Guangdong’s 80 statements 30 are on green finance, as many on debt and on rules, 20 on technology finance
    assert drawn("region_themes", tmp_path, regions=["广东"], themes=["green"]).title == {
        "zh": "广东：“绿色金融”居首，占语句的37.5%",
        "en": "Guangdong: “Green finance” comes first, 37.5% of statements"}
    assert drawn("tile_map_dominant", tmp_path, regions=["广东"], themes=["green", "tech"]).title["zh"].startswith(
        "广东：")
    assert drawn("tile_map", tmp_path, regions=["内蒙古"]).title == {
        "zh": "内蒙古有8条语句，不够作比较", "en": "Inner Mongolia: 8 statements, too few to compare"}


@pytest.mark.parametrize("years", [[2021, 2022], [2021, 2022, 2026], list(range(2003, 2027))])
def test_years_below_small_charts_have_room(years, tmp_path):
    names = charts.Names.load(CODEBOOK)
    frame = pd.DataFrame([(t, y, 30, 1000, 0.03, 0.02, 0.04) for t in names.themes for y in years],
                         columns=["theme", "year", "n", "n_statements", "share", "low", "high"])
    drawn("theme_prevalence", tmp_path, [frame.assign(region="all", thin=False)], names=names, standardised=None,
          warned=None, size=["page", "slide", "half"])  # a label on another is an error


def test_a_year_given_alone_stands(tmp_path):
    """Of two years to compare, one may be given."""
    frame = pd.concat([TRENDS, TRENDS.assign(year_from=2023)])
    assert drawn("theme_change", tmp_path, [frame], year_from=2023).period == "2023–2024"
    assert drawn("theme_change", tmp_path, [frame]).period == "2022–2024"


# ---- what a small sheet leaves out ----------------------------------------------------------------------------------


def sheets(monkeypatch, draw):
    """(lang, size) → the texts that a chart puts on that sheet, with their type sizes; and the chart's card."""
    found, check = {}, figures._check

    def look(figure, stem, lang, size):
        check(figure, stem, lang, size)
        found[lang, size] = [(text.get_text(), text.get_fontsize()) for text, _ in figures._drawn_texts(figure)]

    with monkeypatch.context() as patch:
        patch.setattr(figures, "_check", look)
        card = draw(size=["page", "slide", "half"])
    return found, card


def test_the_title_of_a_small_chart_stands_nearer_to_its_own_lines_than_to_those_above(tmp_path, monkeypatch):
    from matplotlib.collections import LineCollection

    names = charts.Names.load(CODEBOOK)
    # one theme is far above the others, in one row; the scale is the same in all
    rows = [(theme, year, 600 if k == 14 else 50) for k, theme in enumerate(names.themes) for year in (2022, 2023)]
    frame = pd.DataFrame(rows, columns=["theme", "year", "n"]).assign(region="all", n_statements=1000, thin=False)
    frame["share"] = frame["n"] / 1000
    frame["low"], frame["high"] = frame["share"] - 0.02, frame["share"] + 0.02
    gaps, scales, check = [], [], figures._check

    def look(figure, stem, lang, size):
        check(figure, stem, lang, size)
        to_points = 72 / figure.dpi
        levels = np.concatenate([c.get_transform().transform(np.vstack(c.get_segments()))[:, 1] for c in
                                 figure.findobj(LineCollection)]) * to_points
        bases = np.unique(np.round(levels, 1))  # of each row the axis and the line of the scale, from below
        scales.append(np.ptp(np.diff(bases)[::2]))
        titles = [box for text, box in figures._drawn_texts(figure) if text.get_text() in
                  {name for theme in names.themes for name in names.theme(theme, lang).split("\n")}]
        for box in titles:
            above, below = bases[bases > box[1]], bases[bases < box[1]]
            if len(above):
                gaps.append((above.min() - box[3], box[1] - below.max()))

    monkeypatch.setattr(figures, "_check", look)
    drawn("theme_prevalence", tmp_path, [frame], names=names, standardised=None, warned=None, size=["page"])
    assert len(gaps) > 20
    assert all(above > below for above, below in gaps), gaps
    assert max(scales) < 0.5  # one scale for all rows


def test_findings_are_never_cut_and_columns_say_what_they_are(tmp_path, monkeypatch):
    ways = [("转载只计一次", "reprints counted once"), ("按文章而不按语句计数", "by article, not by statement"),
            ("逐个剔除来源", "each source left out"), ("逐个剔除文件形态", "each shape of file left out"),
            ("各主题去掉最管用的一条规则", "each theme without its most productive pattern")]
    short = [("转载计一篇", "reprints once"), ("按篇计数", "by article"), ("剔除来源", "a source out"),
             ("剔除格式", "a format out"), ("剔除规则", "a pattern out")]
    marks = [{"zh": zh, "en": en, "short": {"zh": a, "en": b}, "holds": True}
             for (zh, en), (a, b) in zip(ways, short, strict=True)]
    badge = {"holds": 5, "of": 5, "checks": marks}
    words = [("监管" * 14 + f"第{i}", "supervision of small and mid-size institutions " * 2 + f"no {i}")
             for i in range(8)]
    findings = [SimpleNamespace(id=f"f{i}", zh=f"{zh}：“甲”、“乙”。", en=f"{en}: “a”, “b”.", slice={}, badge=badge)
                for i, (zh, en) in enumerate(words)]
    findings[0].title = {"zh": "一句短的", "en": "A short sentence"}
    seen, card = sheets(monkeypatch, lambda **k: drawn("robustness", tmp_path, [findings], **k))
    for (lang, size), texts in seen.items():
        every = "".join(text.replace(" ", "") for text, _ in texts)
        assert "…" not in every
        for pair in short:  # a heading may stand in several lines
            assert pair[lang == "en"].replace(" ", "") in every, (lang, size)
        shown = [i for i, pair in enumerate(words) if pair[lang == "en"].replace(" ", "") in every]
        note = re.search(r"另有(\d+)条|(\d+)moreinthefull", every)
        left_out = int(note[1] or note[2]) if note else 0
        assert shown == list(range(1, 8 - left_out)), (lang, size)  # the first by its title
        assert ("一句短的" if lang == "zh" else "Ashortsentence") in every
        assert left_out == 0 or size == "half"
        assert min(points for _, points in texts) >= 7
    assert all(way in card.how_to_read["zh"] for way, _ in ways)
    assert "“甲”" in card.alt["zh"]


def test_a_colon_within_a_quotation_ends_no_finding():
    finding = SimpleNamespace(zh="提法“一、二：三”首次见于材料：两篇。", en="The term “a: b” is new. It stands: twice.")
    assert charts._gist(finding, "zh") == "提法“一、二：三”首次见于材料：两篇"
    assert charts._gist(SimpleNamespace(zh="有两个：甲、乙。", en=""), "zh") == "有两个"


@pytest.mark.parametrize("n_regions", [6, 30])
def test_points_are_named_from_the_outside_in(n_regions, tmp_path, monkeypatch):
    names = charts.Names.load(CODEBOOK)
    rng = np.random.default_rng(3)
    themes, regions = list(names.themes)[:20], [r for r in names.regions if r != "全国"][:n_regions]
    table = pd.DataFrame(rng.poisson(6, (n_regions, 20)) + 25 * np.eye(n_regions, 20, dtype=int), regions, themes)
    seen, card = sheets(monkeypatch, lambda **k: drawn("correspondence", tmp_path, [table], names=names, **k))
    data = data_of(card)
    data["far"] = np.hypot(data["axis_1"], data["axis_2"])
    of_themes = data[(data["kind"] == "theme") & (data["n"] >= 30)]
    ends = {of_themes.loc[of_themes["axis_1"] < 0, "contribution_1"].idxmax(),
            of_themes.loc[of_themes["axis_1"] > 0, "contribution_1"].idxmax()}
    hidden = 0
    for (lang, size), texts in seen.items():
        written = [text for text, _ in texts]
        named = data[f"name_{lang}"].isin(written)
        assert named[list(ends)].all()
        rest = data.drop(index=list(ends))
        if not named.all():
            assert rest.loc[named, "far"].min() > rest.loc[~named, "far"].max(), (lang, size)
        note = re.search(r"另(\d+)个见|other (\d+) are", " ".join(written))
        assert int((~named).sum()) == (int(note[1] or note[2]) if note else 0)
        hidden += int((~named).sum())
    assert hidden or n_regions == 6  # so many names cannot all stand


def test_a_small_sheet_shows_the_charts_with_the_highest_last_values(tmp_path, monkeypatch):
    names = charts.Names.load(CODEBOOK)
    rows = [(theme, year, 30 + 7 * k % 24 + (year == 2026) * (11 * k % 24)) for k, theme in enumerate(names.themes)
            for year in range(2021, 2027)]
    frame = pd.DataFrame(rows, columns=["theme", "year", "n"]).assign(region="all", n_statements=1000, thin=False)
    frame["share"] = frame["n"] / 1000
    frame["low"], frame["high"] = measures.wilson_interval(frame["n"], frame["n_statements"])
    seen, card = sheets(monkeypatch, lambda **k: drawn("theme_prevalence", tmp_path, [frame], names=names,
                                                       standardised=None, warned=None, **k))
    last = frame[frame["year"] == 2026].set_index("theme")["n"]
    for (lang, size), texts in seen.items():
        every = "".join(text.replace(" ", "").replace("\n", "") for text, _ in texts)
        shown = [t for t in names.themes if names.theme(t, lang).replace(" ", "") in every]
        hidden = [t for t in names.themes if t not in shown]
        assert len(hidden) <= {"page": 0, "slide": 0, "half": 6}[size]
        if hidden:
            assert last[shown].min() >= last[hidden].max()
            assert str(len(shown)) in every
            assert str(len(hidden)) in every
        assert min(points for _, points in texts) >= 7
    assert "last values" in card.how_to_read["en"]


# ---- the words, on cases counted by hand ----------------------------------------------------------------------------


def test_coverage_in_words(tmp_path):
    card = drawn("coverage", tmp_path)
    assert card.title == {"zh": "4个地区中1个没有材料，2024年最多",
                          "en": "1 of 4 regions have no article; 2024 has the most"}
    assert card.alt["zh"] == ("热力表，2022—2024年各地区文章数。共19篇；2024年最多，11篇。地区中河北最多，10篇。"
                              "没有材料的地区：深圳。")
    data = data_of(card).pivot(index="region", columns="year", values="n_articles")
    assert data.loc["河北"].to_dict() == {2022: 4, 2024: 6}
    assert data.loc["深圳"].to_dict() == {2022: 0, 2024: 0}


@pytest.mark.parametrize("n", [7, 1234, 234_567])
def test_the_coverage_of_a_large_corpus_has_room_for_its_numbers(tmp_path, n):
    names = charts.Names.of(Codebook.load(CODEBOOK), CODEBOOK / "regions.yml")
    rows = [(year, region, n) for year in range(2021, 2027) for region in names.regions]
    rows += [(year, "all", 36 * n) for year in range(2021, 2027)] + [(-1, region, 6 * n) for region in names.regions]
    slices = pd.DataFrame([*rows, (-1, "all", 216 * n)], columns=["year", "region", "n_articles"])
    card = drawn("coverage", tmp_path, [slices], names=names, size=["page", "slide", "half"])
    assert card.title["en"] == "All 36 regions have articles; 2021 has the most"


@pytest.mark.parametrize("n_years", [1, 2, 20])
def test_coverage_of_few_and_of_many_years(tmp_path, n_years):
    names = charts.Names.of(Codebook.load(CODEBOOK), CODEBOOK / "regions.yml")
    years = range(2027 - n_years, 2027)
    rows = [(year, "北京", 1) for year in years] + [(year, "all", 1) for year in years]
    slices = pd.DataFrame([*rows, (-1, "北京", n_years), (-1, "all", n_years)],
                          columns=["year", "region", "n_articles"])
    card = drawn("coverage", tmp_path, [slices], names=names, size=["page", "slide", "half"])
    assert card.n == n_years


def test_cleaning_waterfall_in_words(tmp_path):
    card = drawn("cleaning_waterfall", tmp_path)
    assert card.title["zh"] == "读入的文字70.0%留作分析，去掉最多的是页面杂项"
    assert card.alt["en"] == ("Waterfall chart: 1,000 characters read; set apart: page furniture 250 (25.0%), titles "
                              "50 (5.0%); body text kept: 700 characters, 70.0%.")
    assert data_of(card)[["fate", "from_chars", "to_chars"]].to_numpy().tolist() == [
        ["read", 0, 1000], ["boilerplate", 750, 1000], ["title", 700, 750], ["body", 0, 700]]


def test_top_terms_has_room_for_the_numbers_of_a_large_corpus(tmp_path):
    # a label that leaves the canvas is an error
    large = TERM_COUNTS.assign(**{n: TERM_COUNTS[n] * 100_000 for n in ("count", "n_articles")})
    tokens = SLICES.assign(n_tokens=SLICES["n_tokens"] * 100_000)
    card = charts.top_terms(large, tokens, names=NAMES, stem="large", out=tmp_path, source=SOURCE)
    assert data_of(card)["n_articles"].max() >= 100_000


def test_top_terms_in_words(tmp_path):
    card = drawn("top_terms", tmp_path, n_top=3)
    # 71.8 and 68.1 are within error of each other: none is called the most frequent alone
    assert card.title == {"zh": "最常用的词是“监管”“化险”和“普惠”，每万词次71.8、68.1、53.2次",
                          "en": "The most used terms are “监管”, “化险” and “普惠”, 71.8, 68.1 and 53.2 times in every "
                                "10,000 tokens"}
    assert card.alt["zh"] == ("条形图，2022—2024年最常用的3个词，按每万词次出现次数排列：最高为“监管”71.8，"
                              "其后是“化险”68.1、“普惠”53.2；最低为“普惠”53.2。")
    assert card.n == 18800


def test_one_article_makes_no_trend(tmp_path):
    counts = TERM_COUNTS.copy()
    assert "化险" in charts.changing_terms(counts, SLICES)
    assert "“化险”" in drawn("term_trajectories", tmp_path).title["zh"]
    counts.loc[(counts["term"] == "化险") & (counts["year"] == 2024), "n_articles"] = 2
    assert "化险" not in charts.changing_terms(counts, SLICES)
    card = drawn("term_trajectories", tmp_path, [counts, SLICES], terms=["化险", "普惠"])
    assert card.title["zh"] == "从2022年到2024年，“普惠”少了"
    assert data_of(card).set_index(["term", "year"]).loc[("化险", 2024), "n_articles"] == 2


def test_regions_whose_first_theme_does_not_stand_clear_are_counted_in_the_title(tmp_path):
    frame = PREVALENCE[PREVALENCE["region"].isin(["河北", "广东"])].copy()
    first = (frame["theme"] == "debt") & (frame["year"] == -1)
    frame.loc[frame["year"] == -1, ["share", "low", "high"]] = [0.2, 0.1, 0.5]
    frame.loc[first, ["share", "low", "high"]] = [0.9, 0.8, 0.95]
    assert drawn("region_themes", tmp_path, [frame]).title["zh"] == "材料够用的2个地区中，2个占比最高的是“地方债务”"
    frame.loc[first & (frame["region"] == "河北"), "low"] = 0.3
    for name in ("region_themes", "tile_map_dominant"):
        title = drawn(name, tmp_path, [frame]).title
        assert title["zh"].endswith("2个占比最高的是“地方债务”，其中1个与别的主题难分先后")
        assert title["en"].endswith(", in 1 of them within error of another")


def test_the_map_names_all_themes_that_lead_in_as_many_regions(tmp_path):
    def first(**wanted):
        frame = PREVALENCE[PREVALENCE["region"].isin(["河北", "广东"]) & (PREVALENCE["year"] == -1)].copy()
        parts = [frame[frame["region"] == "河北"].assign(region=r, thin=False) for r in wanted]
        frame = pd.concat(parts, ignore_index=True)
        lead = frame["theme"] == frame["region"].map(wanted)
        frame[["share", "low", "high"]] = np.where(lead.to_numpy()[:, None], [0.9, 0.8, 0.95], [0.1, 0.05, 0.2])
        frame["n_statements"] = 100
        return drawn("tile_map_dominant", tmp_path, [frame]).title

    assert first(河北="debt", 广东="debt", 内蒙古="rules", 深圳="rules") == {
        "zh": "4个材料够用的地区中，“地方债务”和“制度建设”各在2个占比最高",
        "en": "“Local debt” and “Rule-making” each lead in 2 of 4 regions with enough material"}
    assert first(河北="debt", 广东="debt", 内蒙古="rules")["zh"] == "3个材料够用的地区中，2个占比最高的是“地方债务”"
    assert first(河北="debt", 广东="rules")["zh"] == "2个材料够用的地区，占比最高的主题各不相同"


def test_the_leading_theme_is_named_alone_only_when_it_stands_clear():
    frame = pd.DataFrame({"theme": ["debt", "rules", "green"], "share": [0.5, 0.3, 0.1], "low": [0.4, 0.25, 0.05],
                          "high": [0.6, 0.39, 0.15]})
    assert charts.leaders(frame)["theme"].to_list() == ["debt"]
    assert charts.leaders(frame.assign(high=[0.6, 0.4, 0.15]))["theme"].to_list() == ["debt", "rules"]
    assert charts.leaders(frame.iloc[:0]).empty
    unsaid = pd.concat([frame, pd.DataFrame({"theme": ["tech"], "share": [0.0], "low": [0.0], "high": [0.7]})])
    assert charts.leaders(unsaid)["theme"].to_list() == ["debt", "tech"]
    assert charts.leaders(unsaid.assign(n=[5, 3, 1, 0]), n="n")["theme"].to_list() == ["debt"]
    words = charts._leading_words
    clear = frame.assign(percent=frame["share"] * 100)
    assert words(clear.iloc[:1], NAMES, "zh", 9) == "“地方债务”居首，占语句的50.0%"
    assert words(clear.iloc[:2], NAMES, "zh", 9) == "“地方债务”和“制度建设”居前，先后难分"
    assert words(clear, NAMES, "en", 9) == "“Local debt”, “Rule-making” and “Green finance” lead, too close to rank"
    many = pd.concat([clear] * 3)
    assert words(many, NAMES, "zh", 24) == "“地方债务”最高（50.0%），但与其后8个主题难分先后"
    assert words(many, NAMES, "zh", 9) == "没有哪个主题明显领先，最高的是“地方债务”（50.0%）"


def test_shares_with_the_mix_held_still_stand_beside_the_raw_ones(tmp_path):
    card = drawn("theme_prevalence", tmp_path)
    data = data_of(card).set_index(["theme", "year"])
    held = HELD.set_index(["theme", "year"])
    known = data.dropna(subset="standardised")
    assert len(known)
    for at, row in known.iterrows():
        assert row["standardised"] == pytest.approx(100 * held.loc[at, "standardised"], abs=1e-6)
    # 2024, by hand: debt in 40 of Hebei’s 60 and in 30 of Guangdong’s 40 statements, none of Inner Mongolia’s 8;
    # Hebei has 100, Guangdong 80, Inner Mongolia 8 of the 188 statements of both years
    assert data.loc[("debt", 2024), "percent"] == pytest.approx(100 * 70 / 108)
    assert data.loc[("debt", 2024), "standardised"] == pytest.approx(100 * (100 * 40 / 60 + 80 * 30 / 40) / 188)
    assert data["made_by_mix"].groupby("theme").all().to_dict() == {"debt": False, "green": True, "rules": False,
                                                                    "tech": False}
    assert "Green finance" in card.alt["en"].rpartition("held still")[2]
    assert "带*的主题" in card.how_to_read["zh"]
    assert "主题升降图" in card.how_to_read["zh"]
    assert "figure of themes that rose and fell" in card.how_to_read["en"]
    plain = drawn("theme_prevalence", tmp_path, standardised=None, warned=None)
    assert "standardised" not in data_of(plain)
    assert "held still" not in plain.alt["en"] + plain.how_to_read["en"]


def test_both_charts_of_themes_give_stars_by_one_rule(tmp_path):
    frame = TRENDS.assign(grade=TRENDS["theme"].map({"debt": "rose", "rules": "no_clear_change", "green":
                                                     "probably_fell", "tech": "too_little"}))
    warned = pd.DataFrame({"theme": ["debt", "green", "rules", "tech"], "year_from": 2022, "year_to": 2024,
                           "warning": ["", "mix_makes_it", "mix_makes_it", "mix_makes_it"]})
    changes = data_of(drawn("theme_change", tmp_path, [frame], warned=warned))
    shares = data_of(drawn("theme_prevalence", tmp_path, warned=warned, trends=frame))
    # rules and technology have no change that the mix could make
    starred = {"debt": False, "green": True, "rules": False, "tech": False}
    assert changes.set_index("theme")["made_by_mix"].to_dict() == starred
    assert shares.groupby("theme")["made_by_mix"].all().to_dict() == starred
    other_years = warned.assign(year_from=2021)
    assert not data_of(drawn("theme_prevalence", tmp_path / "a", warned=other_years, trends=frame))["made_by_mix"].any()
    assert not data_of(drawn("theme_prevalence", tmp_path / "b", warned=warned, trends=None))["made_by_mix"].any()
    none = warned.iloc[:0].astype(object)  # as `measures.mix_warning` returns it for no years
    assert not data_of(drawn("theme_prevalence", tmp_path / "c", warned=none, trends=frame))["made_by_mix"].any()


def test_theme_change_says_only_what_the_grades_say(tmp_path):
    frame = TRENDS.copy()
    frame["grade"] = "no_clear_change"
    assert drawn("theme_change", tmp_path, [frame]).title["zh"] == "从2022年到2024年，没有哪个主题的占比有明显变化"
    frame.loc[frame["theme"] == "debt", "grade"] = "rose"
    frame.loc[frame["theme"] == "green", "grade"] = "fell"
    card = drawn("theme_change", tmp_path, [frame])
    assert card.title["zh"] == "从2022年到2024年，“地方债务”占比上升，“绿色金融”占比下降"
    assert "上升：地方债务由12.5%到64.8%。下降：绿色金融由25.0%到16.7%。" in card.alt["zh"]


def test_a_change_that_the_mix_makes_is_marked_and_not_in_the_title(tmp_path):
    frame = TRENDS.assign(grade="no_clear_change")
    frame.loc[frame["theme"].isin(["debt", "rules"]), "grade"] = "rose"
    frame.loc[frame["theme"] == "green", "grade"] = "probably_fell"
    warned = pd.DataFrame({"theme": ["debt", "rules", "rules"], "warning": ["", "mix_makes_it", ""],
                           "year_from": [2022, 2022, 2021], "year_to": 2024})
    card = drawn("theme_change", tmp_path, [frame], warned=warned)
    assert card.title["zh"] == "从2022年到2024年，“地方债务”占比上升"
    assert data_of(card).set_index("theme")["made_by_mix"].to_dict() == {"debt": False, "rules": True, "green": False,
                                                                         "tech": False}
    assert "变化在拉平文章构成后不再成立：制度建设由" in card.alt["zh"]
    assert "带*的" in card.subtitle["zh"]
    assert "“可能”" in card.subtitle["zh"]
    frame["grade"] = frame["grade"].replace("probably_fell", "no_clear_change")
    plain = drawn("theme_change", tmp_path / "plain", [frame])
    assert plain.title["zh"] == "从2022年到2024年，“地方债务”和“制度建设”占比上升"
    assert "*" not in plain.subtitle["zh"] + plain.how_to_read["zh"]
    assert "可能" not in plain.subtitle["zh"]  # no sign is explained that is not drawn
    given = drawn("theme_change", tmp_path / "given", [frame], title={"zh": "一句", "en": "One"},
                  title_says={"zh": "标题只说一句", "en": "The title says one thing"})
    assert given.how_to_read["zh"].endswith("标题只说一句。")
    assert given.subtitle["zh"].endswith("；标题只写通过全部检验的变化")
    assert given.subtitle["en"].endswith("; the title names only changes that pass every test")
    assert "全部检验" not in plain.subtitle["zh"]
    assert given.how_to_read["en"].endswith("The title says one thing.")


def test_a_tie_is_told_with_its_counts(tmp_path):
    card = drawn("cooccurrence_matrix", tmp_path)
    # 20 of 188 statements with both; green 38, tech 20: 4.04 to be expected
    assert card.title["zh"] == "“绿色金融”和“科技金融”常在一起说：同句20次，为互不相干时的4.9倍"
    assert "地方债务与制度建设，同句70次，为预期的1.6倍" in card.alt["zh"]
    assert card.n == 188


def test_digits_read_well_on_every_colour_of_a_scale():
    inks = {value: figures.contrast(figures.ink_on(colour), colour) for value in np.linspace(-1, 1, 81)
            for colour in [drawing.diverging_tint(value, 0.5)] if value}
    assert min(inks.values()) >= 5


def test_the_matrix_has_a_key_for_both_sides_of_chance(tmp_path, monkeypatch):
    seen, _ = sheets(monkeypatch, lambda **k: drawn("cooccurrence_matrix", tmp_path, **k))
    for (lang, _), texts in seen.items():
        assert {"zh": {"远多于偶然", "多于偶然", "少于偶然", "远少于偶然"},
                "en": {"far more than chance", "more than chance", "less than chance", "far less than chance"}}[
            lang] <= {text for text, _ in texts}


def test_pairs_are_called_closer_or_looser_only_where_counts_go_the_same_way(tmp_path):
    rows = [("debt", "rules", 4, 40, 1.5, 0.001), ("debt", "green", 30, 3, -1.5, 0.001),
            ("debt", "tech", 9, 2, 1.5, 0.001),  # relatively closer, but fewer shared statements
            ("green", "rules", 0, 7, -1.5, 0.001),  # relatively looser, but more
            ("green", "tech", 1, 4, 1.5, 0.001),  # too few
            ("rules", "tech", 4, 40, 1.5, 0.2)]
    change = pd.DataFrame(rows, columns=["theme_a", "theme_b", "n_both_a", "n_both_b", "difference", "q"])
    change = change.assign(low=change["difference"] - 1, high=change["difference"] + 1, supported=True)
    card = drawn("cooccurrence_change", tmp_path, [change])
    data = data_of(card)
    clear = data[data["clear"]]
    assert set(zip(clear["theme_a"], clear["theme_b"], strict=True)) == {("debt", "rules"), ("debt", "green")}
    assert card.title["zh"] == "从2022年到2024年，“地方债务”和“制度建设”结合更紧，“地方债务”和“绿色金融”结合变松"
    assert "1对更紧，1对更松" in card.alt["zh"]
    assert "紫为更紧，褐为更松" in card.subtitle["zh"]
    none = drawn("cooccurrence_change", tmp_path / "none", [change[change["q"] > 0.1]])
    assert "紫" not in none.subtitle["zh"]
    assert "ochre" not in none.subtitle["en"]


def test_the_network_tells_its_groups_and_names_no_pair_as_the_closest(tmp_path):
    card = drawn("cooccurrence_network", tmp_path)
    # debt with rules, green with tech: two ties that share no theme
    assert card.title == {"zh": "2对主题常在一起说，连起的4个主题分成2簇",
                          "en": "2 pairs of themes go together and link 4 themes in 2 clusters"}


def test_thin_regions_are_never_ranked(tmp_path):
    data = data_of(drawn("region_themes", tmp_path))
    assert set(data.loc[data["thin"], "region"]) == {"内蒙古"}
    alt = drawn("tile_map_theme", tmp_path, theme="green").alt["zh"]
    assert alt == ("方格地图，2022—2024年各地区语句中涉及绿色金融的比例。材料够用的2个地区：广东37.5%，河北0.0%。"
                   "另有1个地区材料偏少，1个没有材料。")


def test_the_tree_leaves_thin_regions_out_and_names_them(tmp_path):
    # Shenzhen 29 statements; Inner Mongolia 4 articles; Hebei, Guangdong and another just enough
    slices = pd.DataFrame([("河北", 30, 5), ("广东", 30, 5), ("福建", 30, 5), ("深圳", 29, 5), ("内蒙古", 30, 4)],
                          columns=["region", "n_statements", "n_articles"]).assign(year=-1)
    table = pd.concat([REGION_TABLE, REGION_TABLE.loc[["广东"]].rename(index={"广东": "福建"})])
    card = drawn("dendrogram", tmp_path, [table], slices=slices)
    assert set(data_of(card)["region"]) == {"河北", "广东", "福建"}
    assert card.title["zh"] == "广东与福建谈的主题相近，河北没有相近的地区"
    assert card.how_to_read["zh"].endswith("材料偏少（不足30条语句或5篇文章）而不比较的有内蒙古、深圳。")
    assert "Inner Mongolia, Shenzhen" in card.alt["en"]
    assert "广东与福建（0.000）" in card.alt["zh"]
    assert "另有2个材料偏少" in card.subtitle["zh"]
    whole = drawn("dendrogram", tmp_path / "whole", [table])
    assert len(data_of(whole)) == 5
    assert "不比较" not in whole.subtitle["zh"] + whole.how_to_read["zh"]


def test_pairs_of_regions_as_close_as_the_closest_are_named_with_it(tmp_path):
    def tree(out, of_sichuan):
        table = pd.DataFrame([(60, 40, 0, 0), (50, 50, 0, 0), (0, 0, 60, 40), (0, 0, *of_sichuan), (1, 0, 1, 150)],
                             index=["河北", "广东", "福建", "四川", "湖北"], columns=["debt", "rules", "green", "tech"])
        return drawn("dendrogram", out, [table])

    # Fujian and Sichuan split 60:40 and 50:50, just as Hebei and Guangdong do
    even = tree(tmp_path / "even", (50, 50))
    assert even.title == {"zh": "四川与福建、广东与河北谈的主题两两相近，湖北没有相近的地区",
                          "en": "Pairs that speak of similar themes: 四川 and 福建, Guangdong and Hebei; 湖北 has no "
                                "near neighbour"}
    # 60:40 and 20:80 is far more than 5% further than 60:40 and 50:50
    apart = tree(tmp_path / "apart", (20, 80))
    assert apart.title["zh"].startswith("广东与河北谈的主题相近")
    assert "最接近的一对是广东与河北（" in apart.alt["zh"]
    assert "没有估计区间" in apart.how_to_read["zh"]
    assert "have no intervals" in apart.how_to_read["en"]


def test_where_no_theme_leads_in_most_regions_those_within_error_are_counted(tmp_path):
    shares = [("河北", "debt", 0.6, 0.5, 0.7), ("河北", "rules", 0.2, 0.1, 0.3),  # stands clear
              ("广东", "debt", 0.3, 0.2, 0.4), ("广东", "rules", 0.4, 0.3, 0.5)]  # 0.4 reaches 0.3
    frame = pd.DataFrame(shares, columns=["region", "theme", "share", "low", "high"]).assign(
        year=-1, n=30, n_statements=100, n_articles=20, thin=False)
    card = drawn("region_themes", tmp_path, [frame])
    assert card.title == {"zh": "材料够用的2个地区，占比最高的主题因地而异，其中1个地区的首位与别的主题难分先后",
                          "en": "The theme with the largest share differs among the 2 regions with enough material, in "
                                "1 of them within error of another"}
    clear = drawn("region_themes", tmp_path / "clear", [frame.assign(high=frame["share"], low=frame["share"])])
    assert "难分" not in clear.title["zh"]


def test_a_ratio_with_a_zero_says_what_was_added(tmp_path):
    card = drawn("keyness", tmp_path)  # 协同 12 against 0, 银保监局 0 against 40
    assert "两边各加0.5次" in card.how_to_read["zh"]
    assert "half an occurrence is added" in card.how_to_read["en"]
    plain = drawn("keyness", tmp_path / "plain", terms=["化险", "普惠"])
    assert "0.5" not in plain.how_to_read["zh"]
    assert "half an occurrence" not in plain.how_to_read["en"]
    assert "没有加任何常数" in drawn("term_trajectories", tmp_path / "lines").how_to_read["zh"]
    some = drawn("term_trajectories", tmp_path / "some", terms=["化险", "普惠"])
    assert "常数" not in some.how_to_read["zh"] + some.how_to_read["en"]
    assert "先验" not in some.how_to_read["zh"]  # these terms were given, not chosen


def test_the_plane_leaves_out_thin_regions_and_rare_themes_and_names_them(tmp_path):
    regions = ["河北", "广东", "福建", "四川"]
    slices = pd.DataFrame([(r, 30, 5) for r in regions] + [("深圳", 29, 5), ("内蒙古", 30, 4)],
                          columns=["region", "n_statements", "n_articles"]).assign(year=-1)
    # with Shenzhen and Inner Mongolia technology would have 5 codings and more
    table = pd.DataFrame({"debt": [40, 10, 10, 10, 9, 9], "rules": [10, 40, 10, 20, 9, 9],
                          "green": [10, 10, 40, 20, 9, 9], "tech": [4, 0, 0, 0, 3, 30]},
                         index=[*regions, "深圳", "内蒙古"])
    card = drawn("correspondence", tmp_path, [table], slices=slices)
    data = data_of(card)
    assert set(data["name"]) == {*regions, "debt", "rules", "green"}
    assert card.n == 230  # by hand: 70 + 80 + 80
    assert "另有2个材料偏少，不比较；1个主题归类不足5次，不画" in card.subtitle["zh"]
    assert "2 with too little material are left out, as is 1 theme with under 5 codings" in card.subtitle["en"]
    assert card.how_to_read["zh"].endswith("不比较的有内蒙古、深圳。归类不足5次的主题也不画：科技金融。")
    whole = drawn("correspondence", tmp_path / "whole", [table])
    assert len(data_of(whole)) == 10
    assert "不比较" not in whole.subtitle["zh"]


def test_the_poles_of_the_plane_have_enough_material_and_a_weak_axis_is_called_weak(tmp_path):
    # technology lies furthest out, with 9 codings; of themes with 30 or more it is debt that sets Hebei apart
    table = pd.DataFrame({"debt": [60, 20, 20], "rules": [20, 60, 60], "green": [30, 40, 30], "tech": [9, 0, 0]},
                         index=["河北", "广东", "福建"])
    card = drawn("correspondence", tmp_path, [table])
    themes = data_of(card).query("kind == 'theme'").set_index("name")
    assert themes["axis_1"].abs().idxmax() == "tech"
    assert np.sign(themes.loc["tech", "axis_1"]) == np.sign(themes.loc["debt", "axis_1"])
    assert {"地方债务", "制度建设"} <= set(re.findall("“([^”]+)”", card.title["zh"]))
    assert "只占" not in card.title["zh"]
    # where every region has a theme of its own, all four axes weigh the same
    even = pd.DataFrame(20 + 40 * np.eye(5, dtype=int), index=["河北", "广东", "福建", "四川", "湖北"],
                        columns=["debt", "rules", "green", "tech", "other"])
    weak = drawn("correspondence", tmp_path / "weak", [even])
    assert weak.title["zh"].endswith("，但只占差异的25.0%")
    assert weak.title["en"].endswith(", but shows only 25.0% of the differences")


def test_deontic_bars_add_up(tmp_path):
    data = data_of(drawn("deontic_strength", tmp_path))
    assert data["theme"].to_list() == ["all", "debt", "rules", "green"]
    shares = data[["prohibit_percent", "require_percent", "promote_percent", "none_percent"]]
    assert shares.sum(axis=1).to_list() == pytest.approx([100] * 4)


def test_wording_is_ranked_only_as_far_as_intervals_allow(tmp_path):
    def deontic(**themes):  # (prohibit, require, none) of each theme
        return pd.DataFrame([(grade, theme, -1, "all", n) for theme, counts in themes.items()
                             for grade, n in zip(("prohibit", "require", "none"), counts, strict=True)],
                            columns=DEONTIC.columns)

    clear = drawn("deontic_strength", tmp_path, [deontic(debt=(10, 50, 40), rules=(1, 9, 90), green=(6, 4, 2))])
    assert clear.title["zh"] == "“地方债务”的措辞最硬：60.0%为“禁止”和“必须”"
    data = data_of(clear).set_index("theme")
    assert data.loc["debt", ["low", "high"]].to_list() == pytest.approx([50.20, 69.06], abs=0.01)  # Wilson, 60 of 100
    assert data["thin"].to_dict() == {"debt": False, "rules": False, "green": True}
    close = drawn("deontic_strength", tmp_path, [deontic(debt=(0, 30, 70), rules=(0, 25, 75), green=(0, 28, 72))])
    assert close.title == {"zh": "“禁止”和“必须”合计占25.0%至30.0%，因主题而异",
                           "en": "“Prohibition” and “Obligation” together make up 25.0% to 30.0% of statements, "
                                 "depending on the theme"}
    some = drawn("deontic_strength", tmp_path, [deontic(debt=(0, 60, 40), rules=(0, 55, 45), green=(0, 5, 95),
                                                        tech=(0, 4, 96))])
    # debt and rules overlap, green and technology stand clear below: no superlative, yet no “all alike” either
    assert some.title["zh"] == "“禁止”和“必须”合计占4.0%至60.0%，因主题而异"
    assert "分不出谁高谁低" in some.how_to_read["zh"]
    one = drawn("deontic_strength", tmp_path, [deontic(debt=(10, 50, 40), green=(6, 4, 2))])
    assert one.title["zh"] == "“地方债务”的语句有60.0%用了“禁止”和“必须”"  # the only one with enough material


def test_a_swatch_of_a_key_covers_no_word(tmp_path, monkeypatch):
    from matplotlib.patches import Rectangle

    long = dataclasses.replace(NAMES, grades={g: {**words, "en": words["en"] + " or something longer"}
                                              for g, words in NAMES.grades.items()})
    seen, check = [], figures._check

    def look(figure, *told):
        check(figure, *told)
        squares = [r.get_window_extent() for r in figure.findobj(Rectangle)
                   if (r.get_width(), r.get_height()) == (9, 8)]
        words = [t.get_window_extent() for t, _ in figures._drawn_texts(figure)]
        seen.append(len(squares))
        assert not [1 for s in squares for w in words if s.overlaps(w)]

    monkeypatch.setattr(figures, "_check", look)
    for names in (NAMES, long):
        drawn("deontic_strength", tmp_path, names=names, size=["page", "slide", "half"])
    assert set(seen) == {4}


def test_robustness_counts_findings_that_stand(tmp_path):
    card = drawn("robustness", tmp_path)
    assert card.title["zh"] == "2条发现中，1条在所试的各种口径下都成立"
    assert "“制度建设”上升”2/2" in card.alt["zh"]
    assert "空白" in card.subtitle["zh"]
    assert "no bearing" in card.how_to_read["en"]
    assert card.title["en"] == "1 of 2 findings stands in each of the recounts tried"
    assert "拉平不在这些重算之内" in card.how_to_read["zh"]


def test_diffusion_tells_who_was_first_only_when_the_dates_decide(tmp_path):
    card = drawn("diffusion_timeline", tmp_path)
    # 五篇大文章: Hebei or Guangdong in 2023, the national regulator surely later
    assert card.title["zh"] == "3个说法中，1个在材料中最早见于总局，2个最早见于地方（1个说不准是哪家）"
    assert card.title["en"] == ("Of 3 terms, 1 is first found here with the national regulator and 2 with a region "
                                "(for 1 it is unclear which)")
    assert "难定" not in card.how_to_read["zh"]
    assert "“减量提质”最早见于总局，后见于另外3家。“大消保”最早见于深圳，后见于另外2家。" in card.alt["zh"]
    assert "五篇大文章" not in card.alt["zh"]


def test_a_region_came_first_though_it_is_not_known_which(tmp_path, monkeypatch):
    uses = pd.DataFrame([(term, region, date, term + region, 2024) for term, by_region in {
        "甲": {"河北": "2024", "广东": "2024", "全国": "2025-01-01"},  # one of two regions
        "乙": {"河北": "2024-02-09", "广东": "2024-02-09", "深圳": "2024-02-09"},  # never with the regulator
        "丙": {"河北": "2024", "广东": "2024-03-01", "全国": "2024-02-01"},  # the regulator or a region
        "丁": {"全国": "2024", "广东": "2024-12-31", "河北": "2025"},  # the regulator may be later than Guangdong
        "戊": {"全国": "2023", "广东": "2024", "河北": "2024"}}.items()
        for region, date in by_region.items()], columns=["term", "region", "date", "article_id", "year"])
    seen, card = sheets(monkeypatch, lambda **k: drawn("diffusion_timeline", tmp_path, [diffusion.first_use(uses)],
                                                       **k))
    assert card.title["zh"] == "5个说法中，1个在材料中最早见于总局，2个最早见于地方（说不准是哪家），2个难定先后"
    assert card.title["en"] == ("Of 5 terms, 1 is first found here with the national regulator and 2 with a region (it "
                                "is unclear which); 2 cannot be decided")
    for (lang, _), texts in seen.items():
        written = [text for text, _ in texts]
        assert written.count({"zh": "某地方局", "en": "a bureau"}[lang]) == 2
        assert written.count({"zh": "难定", "en": "open"}[lang]) == 2
    assert "某地方局" in card.how_to_read["zh"]
    assert "难定" in card.how_to_read["zh"]


def test_a_timeline_of_some_terms_says_of_how_many(tmp_path):
    card = drawn("diffusion_timeline", tmp_path, n_terms=2)
    assert "3个至少3家用过的说法中用得最广的2个" in card.subtitle["zh"]
    assert "the 2 most widely used of 3 terms of 3 or more users" in card.subtitle["en"]
    assert card.n == 8
    assert "用得最广" not in drawn("diffusion_timeline", tmp_path / "all").subtitle["zh"]


def test_every_user_of_a_term_has_a_dot_that_can_be_seen(tmp_path, monkeypatch):
    from matplotlib.collections import PathCollection

    uses = pd.DataFrame([("同日", r, "2026", f"a{r}", 2026) for r in ("河北", "广东", "深圳", "内蒙古", "全国")]
                        + [("早", r, d, f"b{r}", 2022) for r, d in (("河北", "2022-01-01"), ("广东", "2022-03-01"),
                                                                   ("深圳", "2022-03-02"))],
                        columns=["term", "region", "date", "article_id", "year"])
    places, check = [], figures._check

    def look(figure, *told):
        check(figure, *told)
        dots = [c.get_offset_transform().transform(c.get_offsets()) * 72 / figure.dpi for c in
                figure.findobj(PathCollection) if len(c.get_offsets()) and c.get_clip_on()]
        rows: dict[int, list] = {}
        for x, y in np.concatenate(dots):
            rows.setdefault(round(y), []).append(x)
        places.append({len(xs): np.diff(sorted(xs)).min() for xs in rows.values()})

    monkeypatch.setattr(figures, "_check", look)
    drawn("diffusion_timeline", tmp_path, [diffusion.first_use(uses)], size=["page", "slide", "half"])
    assert len(places) == 6
    for place in places:
        assert set(place) == {5, 3}
        assert min(place.values()) >= 5


def test_a_date_known_to_the_year_only_is_drawn_no_further_than_the_material_goes(tmp_path, monkeypatch):
    import datetime

    from matplotlib.collections import LineCollection

    uses = pd.DataFrame([("甲", region, date, "a" + region, 2026) for region, date in (
        ("河北", "2026"), ("广东", "2025"), ("深圳", "2026-03"), ("全国", "2026-02-01"))],
        columns=["term", "region", "date", "article_id", "year"])
    ends, check = [], figures._check

    def look(figure, *told):
        check(figure, *told)
        ends.append(sorted(segment[1][0] for lines in figure.axes[0].findobj(LineCollection)
                           for segment in lines.get_segments() if segment[1][0] - segment[0][0] > 45))

    monkeypatch.setattr(figures, "_check", look)
    drawn("diffusion_timeline", tmp_path, [diffusion.first_use(uses)])
    day = datetime.date.toordinal
    assert ends == [[day(datetime.date(2025, 12, 31)), day(datetime.date(2026, 3, 31))]] * 2


def test_a_small_timeline_shows_the_most_widely_used_terms(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(charts, "rows_that_fit", lambda *a, **k: 2)
    monkeypatch.setattr(charts, "write_rows", lambda axes, rows, labels, *a: seen.append(list(labels)))
    drawn("diffusion_timeline", tmp_path)  # 4, 4 and 3 users
    assert seen == [["减量提质", "五篇大文章"]] * 2


def test_echo_ranks_no_thin_region(tmp_path):
    card = drawn("echo_index", tmp_path)
    assert card.title["zh"] == "河北重复总局措辞最多，占其文字的10.0%"
    close = ECHO.assign(high=[0.15, 0.07, 0.9, 0.9])
    assert drawn("echo_index", tmp_path, [close]).title["zh"] == \
        "地方文字有6.6%逐字重复总局此前的措辞，各地难分高下"  # 460 of 7000 characters


def scale_and_arrows(monkeypatch, name, out, frames):
    """The ends of the horizontal scale of a chart and the number of marks that stand on each; and the chart's card."""
    from matplotlib.figure import Figure

    finish, seen = figures.finish, []

    def look(draw, **told):
        figure = Figure((6, 4))
        draw(figure, "zh")
        scale = figure.axes[0].get_xlim()
        xs = np.concatenate([c.get_offsets()[:, 0] for c in figure.axes[0].collections if len(c.get_offsets())])
        seen[:] = scale, [int((xs == edge).sum()) for edge in scale]
        return finish(draw, **told)

    with monkeypatch.context() as patch:
        patch.setattr(figures, "finish", look)
        card = drawn(name, out, frames)
    return *seen, card


def test_where_nothing_is_repeated_the_bound_sets_no_scale_and_is_explained(tmp_path, monkeypatch):
    none = pd.DataFrame([("上海", 46, 7, 3000, 0, 0.0, 0.0, 0.41, 0.0, 0, np.nan, False)], columns=ECHO.columns)
    both = pd.concat([ECHO, none], ignore_index=True)
    scale, (_, beyond), card = scale_and_arrows(monkeypatch, "echo_index", tmp_path / "a", [both])
    assert scale[1] == pytest.approx(15 * 1.02)
    assert beyond == 1
    assert "虚线" in card.subtitle["zh"]
    assert "一篇算作一个样本" in card.how_to_read["zh"]
    scale, (_, beyond), _ = scale_and_arrows(monkeypatch, "echo_index", tmp_path / "b", [none])
    assert scale[1] == pytest.approx(41 * 1.02)
    assert beyond == 0
    assert "虚线" not in drawn("echo_index", tmp_path / "c").how_to_read["zh"]


@pytest.mark.parametrize(("name", "frame", "middle"), [
    ("keyness", KEYNESS, "log_ratio"), ("cooccurrence_change", CHANGE, "difference")])
def test_an_interval_that_goes_on_beyond_the_chart_ends_in_an_arrow(tmp_path, monkeypatch, name, frame, middle):
    up = frame[middle] > 0
    ends = {"low": frame["low"].where(up, -99.0), "high": frame["high"].where(~up, 99.0)}
    _, arrows, _ = scale_and_arrows(monkeypatch, name, tmp_path / "wide", [frame.assign(**ends)])
    assert sum(arrows) > 0
    inside = {"low": frame[middle].where(up, frame["low"].clip(frame[middle])) - 1e-3,
              "high": frame[middle].where(~up, frame["high"].clip(upper=frame[middle])) + 1e-3}
    _, arrows, _ = scale_and_arrows(monkeypatch, name, tmp_path / "near", [frame.assign(**inside)])
    assert arrows == [0, 0]


def test_slogans_fade_only_when_the_intervals_part(tmp_path):
    assert drawn("slogan_life", tmp_path).title["zh"] == "“新市民”已经淡出"
    assert drawn("slogan_life", tmp_path, [LIFE.assign(fade_sure=False)]).title["zh"] == \
        "3个常用说法中，没有哪个确已淡出"
    gone = LIFE.assign(fade_sure=False, last=LIFE["last"].where(LIFE["term"] != "新市民", 2023))
    card = drawn("slogan_life", tmp_path, [gone])
    assert card.title == {"zh": "3个常用说法中，1个在2024年没再见到，但都还不能断定淡出",
                          "en": "1 of 3 common terms is not found in 2024, but none has surely faded"}
    assert "但还不能断定淡出的有新市民" in card.alt["zh"]


def test_only_signs_that_are_drawn_are_explained(tmp_path):
    def said(**changes):
        card = drawn("slogan_life", tmp_path, [LIFE.assign(**changes)])
        return [word in card.subtitle["zh"] + card.how_to_read["zh"] for word in ("褐色", "箭头", "浅色")]

    assert said(fade_sure=False, successor=None, birth_known=True) == [False, False, False]
    assert said(fade_sure=True, successor="普惠", birth_known=False) == [True, True, True]


def test_denied_transmission_is_left_out(tmp_path):
    card = drawn("risk_transmission", tmp_path)
    assert card.n == 4
    assert card.title["zh"] == "语料中总共只有4条语句说到风险传递，最多的是“企业”到“银行”，2条"
    assert card.title["en"] == ("Only 4 statements in all say that risk passes on; 2 of them from “Firms” to "
                                "“Banks”")
    assert card.alt["zh"] == ("流向图，2022—2023年语料中说到的风险传递，共4条语句、3对。最多的：企业到银行2条，"
                              "境外到市场1条，（未点明）到银行1条。")


def test_a_statement_that_says_it_with_two_verbs_counts_once(tmp_path):
    rows = [("s1", "firms", "banks"), ("s1", "firms", "banks"), ("s1", "abroad", "banks"), ("s2", "firms", "markets")]
    passings = pd.DataFrame(rows, columns=["statement_id", "source", "target"]).assign(
        article_id="a", year=2022, stance="told")
    card = drawn("risk_transmission", tmp_path, [passings])
    assert card.n == 2
    assert data_of(card)["n"].to_list() == [1, 1, 1]
    assert card.title["zh"] == "语料中总共只有2条语句说到风险传递，没有哪一对说到两次"
    assert "没有点明" not in card.how_to_read["zh"]  # nothing grey is drawn
    many = pd.concat([passings.assign(statement_id=[f"{s}{i}" for s in passings["statement_id"]]) for i in range(5)])
    tied = drawn("risk_transmission", tmp_path, [many])
    assert tied.title["zh"] == "语料中有10条语句说到风险传递，说得最多的不止一对"


def test_falls_count_as_negative_changes(tmp_path):
    card = drawn("quantities", tmp_path)
    assert data_of(card)["value"].to_list() == [10, 12.5, -4, 7, 9]
    assert card.alt["zh"] == ("点列图，语句中引用的增减幅度，2022—2024年，5处，按所指分2行。"
                              "中位数：贷款10.0%（3处），保费8.0%（2处）。")


def test_the_caption_of_silences_explains_each_sign_that_is_drawn(tmp_path, monkeypatch):
    words = {"dark": "校正后仍不像偶然", "grey": "只看这一格不像偶然", "hollow": "可能只是偶然"}
    told = {"dark": "深色的经多重比较校正", "grey": "灰色实心的", "hollow": "空心的"}
    some = SILENCE[~SILENCE["thin"]].copy()
    assert len(some) == 2
    for signs, p, q in (({"dark"}, 0.001, 0.01), ({"grey"}, 0.01, 0.5), ({"hollow"}, 0.5, 0.9),
                        ({"dark", "grey"}, 0.01, [0.01, 0.5]), ({"grey", "hollow"}, [0.01, 0.3], 0.6)):
        for column, values in (("p", p), ("q", q)):
            some[column] = np.resize(values, len(some))
        seen, card = sheets(monkeypatch, lambda frame=some, **k: drawn("silence", tmp_path, [frame], names=NAMES, **k))
        written = {text for text, _ in seen["zh", "page"]}
        assert {sign for sign, word in words.items() if word in written} == signs
        assert {sign for sign, word in told.items() if word in card.how_to_read["zh"]} == signs
    first = SILENCE[~SILENCE["thin"]].iloc[[0]].assign(p=0.01, q=0.6)
    card = drawn("silence", tmp_path, [first])
    assert f"（{first['region'].iloc[0]}—{NAMES.theme(first['theme'].iloc[0], 'zh')}）" in card.how_to_read["zh"]


def test_silence_is_not_claimed_where_it_may_be_chance(tmp_path):
    frame = SILENCE.assign(q=0.5)
    assert drawn("silence", tmp_path, [frame]).title["zh"] == "各地没提到的主题，都还可能只是偶然"
    card = drawn("silence", tmp_path, [SILENCE.assign(q=0.01, thin=False)])
    first = SILENCE.sort_values(["p", "theme", "region"]).iloc[0]
    assert card.title["zh"].startswith(first["region"])


# ---- names ----------------------------------------------------------------------------------------------------------


def test_names_of_a_codebook():
    from pathlib import Path

    names = charts.Names.load(Path(__file__).parents[1] / "codebook")
    assert len(names.themes) == 24
    assert len(names.tiles) == 36
    assert len(set(names.tiles.values())) == 36
    assert names.region("深圳", "en") == "Shenzhen"
    assert names.theme("local_debt", "zh") == "地方债务与融资平台"
    for group in names.groups.values():
        assert figures.contrast(group["colour"], figures.PAPER) >= 4.5


def test_every_listed_term_has_an_english_name():
    from pathlib import Path

    from fengxiang.terms import read_words

    codebook = Path(__file__).parents[1] / "codebook"
    names = charts.Names.load(codebook)
    missing = [term for term in read_words(codebook / "terms.txt") if term not in names.terms]
    assert not missing, "add these to codebook/terms_en.txt"
    assert max(map(len, names.terms.values())) <= 40
    assert names.term("小微企业", "en") == "small and micro firms"
    assert names.term_label("小微企业", "en") == "小微企业 small and micro firms"
    assert names.term_label("小微企业", "zh") == names.term("小微企业", "zh") == "小微企业"
    assert names.term_label("未列词", "en") == "未列词"


@pytest.mark.parametrize(("text", "message"), [
    ("甲 = a\n乙\n", "terms_en.txt:2: write a term and its English name as “term = English”"),
    ("甲 = a\n\udcd6\udcd0 = b\n", "terms_en.txt:2: is not UTF-8; save it as UTF-8"),
    ("甲 = a\n# x\n甲 = b\n", r"terms_en.txt:3: “甲” stands twice"),
    ("甲 =\n", r"terms_en.txt:1: write a term")])
def test_a_broken_list_of_english_names_is_reported_with_its_line(tmp_path, text, message):
    from fengxiang.errors import UserError

    (tmp_path / "terms_en.txt").write_text(text, "utf-8", "surrogateescape")
    with pytest.raises(UserError, match=message):
        charts._english_terms(tmp_path / "terms_en.txt")
    assert charts._english_terms(tmp_path / "absent.txt") == {}


def test_english_charts_say_terms_in_english(tmp_path):
    names = dataclasses.replace(NAMES, terms={"监管": "supervision", "化险": "defusing risk"})
    for name in ("top_terms", "term_trajectories", "keyness", "wordcloud", "adoption", "slogan_life"):
        card = drawn(name, tmp_path, names=names)
        assert "监管" not in card.alt["en"] + card.title["en"]
        assert "term_en" in data_of(card)
    assert drawn("top_terms", tmp_path, names=names).title["en"].startswith("The most used terms are “supervision”, ")


def test_themes_stand_group_by_group():
    names = dataclasses.replace(NAMES, themes={t: NAMES.themes[t] for t in ("green", "rules", "debt")})
    assert names.theme_order(["other", "rules", "green", "debt"]) == ["debt", "rules", "green", "other"]


@pytest.mark.parametrize(("items", "zh", "en"), [
    ([], "", ""), (["甲"], "甲", "甲"), (["甲", "乙", "丙"], "甲、乙和丙", "甲, 乙 and 丙"),
    (["“甲”", "“乙”", "“丙”"], "“甲”“乙”和“丙”", "“甲”, “乙” and “丙”")])
def test_lists_as_each_language_prints_them(items, zh, en):
    assert charts.listing(items, "zh") == zh
    assert charts.listing(items, "en") == en


@pytest.mark.parametrize(("years", "zh", "en"), [
    ([2026, 2021, -1, 0], "2021—2026年", "2021–2026"), ([2024], "2024年", "2024"), ([0], "年份不详", "years unknown")])
def test_year_spans(years, zh, en):
    assert charts.year_span(years, "zh") == zh
    assert charts.year_span(years, "en") == en


@pytest.mark.parametrize(("name", "lines"), [
    ("Heilongjiang", ["Heilong-", "jiang"]), ("Chongqing", ["Chong-", "qing"]), ("Shanghai", ["Shang-", "hai"]),
    ("Shenzhen", ["Shen-", "zhen"]), ("Guangdong", ["Guang-", "dong"])])
def test_pinyin_breaks_between_syllables(name, lines):
    assert drawing._hyphenated(name) == lines


def struck(start, end, box, n=400):
    """Whether a line passes through a box, told by points along it."""
    along = np.asarray(start) + np.linspace(0, 1, n)[:, None] * (np.asarray(end) - np.asarray(start))
    return bool(((along > box[:2]) & (along < box[2:])).all(axis=1).any())


def touching(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("n", "ties"), [(12, 8), (25, 0), (30, 12)])
def test_labels_keep_clear_of_labels_points_and_lines(seed, n, ties):
    rng = np.random.default_rng(seed)
    pairs = [tuple(rng.choice(n, 2, replace=False)) for _ in range(ties)]
    radii = rng.uniform(3, 8, n)
    anchors = drawing.keep_apart(rng.uniform(30, 370, (n, 2)), radii, pairs)
    for a, b in pairs:  # no tie passes through a third point
        for i in set(range(n)) - {a, b}:
            assert not struck(anchors[a], anchors[b], np.concatenate([anchors[i] - radii[i] / 2,
                                                                      anchors[i] + radii[i] / 2]))
    sizes = np.column_stack([rng.uniform(20, 70, n), np.full(n, 8.0)])
    segments, bounds = anchors[np.array(pairs, int).reshape(-1, 2)], (-60, -20, 460, 420)
    placed = drawing.place_labels(anchors, radii, sizes, bounds, range(n), segments)
    assert len(placed) >= 0.9 * n
    boxes = {i: np.array([p.x, p.y, p.x + sizes[i][0], p.y + sizes[i][1]]) for i, p in placed.items()}
    for i, box in boxes.items():
        assert (box[:2] >= bounds[:2]).all()
        assert (box[2:] <= bounds[2:]).all()
        assert not any(touching(box, other) for j, other in boxes.items() if j != i)
        assert not any(touching(box, (*(a - r), *(a + r))) for a, r in zip(anchors, radii, strict=True))
        assert placed[i].crossed == any(struck(*s, box) for s in segments)
        if placed[i].leader:
            assert not any(struck(*placed[i].leader, other) for j, other in boxes.items() if j != i)
        else:  # no other point is nearer than its own
            near = np.hypot(*(np.clip(anchors, box[:2], box[2:]) - anchors).T) - radii
            assert near.argmin() == i
    assert sum(p.crossed for p in placed.values()) <= 0.1 * n
    assert placed == drawing.place_labels(anchors, radii, sizes, bounds, range(n), segments)


@pytest.mark.parametrize("name", ["cooccurrence_network", "correspondence"])
def test_no_line_passes_through_a_name(name, cards):
    cards(name)
    for lang, size, seen in cards.seen[name]:
        for text, box, *_ in seen["texts"]:
            inner = box + np.array([1, 1.5, -1, -1.5])
            assert not any(struck(*segment, inner) for segment in seen["segments"]), (text, lang, size)


def test_every_theme_has_a_colour_of_its_own_near_that_of_its_group():
    names = charts.Names.load(CODEBOOK)
    places = {code: drawing._oklab(np.array(matplotlib.colors.to_rgb(names.colour(code)))) for code in names.themes}
    for a, b in itertools.combinations(places, 2):
        assert np.linalg.norm(places[a] - places[b]) >= 0.05, (a, b)  # a just visible step is 0.02
    for code, place in places.items():
        assert figures.contrast(names.colour(code), figures.PAPER) >= 3
        group = drawing._oklab(np.array(matplotlib.colors.to_rgb(names.group_colour(code))))
        turn = np.arctan2(place[2], place[1]) - np.arctan2(group[2], group[1])
        assert abs((turn + np.pi) % (2 * np.pi) - np.pi) < 0.6
    assert names.colour("no_such_theme") == figures.NEUTRAL
    assert drawing.theme_shades([], []) == []
    assert drawing.theme_shades(["#777777", "#16365C"], [2, 0])[1] == []


def test_words_of_a_cloud_do_not_touch():
    words = {f"词{c}": 100.0 / (i + 1) for i, c in enumerate("一二三四五六七八九十百千万亿")}
    placed = drawing.pack_cloud(words, 400, 300, seed=1)
    assert [w for w, *_ in placed] == list(words)
    boxes = np.array([(x, y - 0.86 * size, x + figures.text_width(w, size) * 72, y + 0.1 * size)
                      for w, size, x, y in placed])
    for i, box in enumerate(boxes):
        assert not any(touching(box, other) for other in np.delete(boxes, i, axis=0))
    assert placed == drawing.pack_cloud(words, 400, 300, seed=1)


def test_a_cloud_leaves_out_no_word_for_a_lighter_one():
    words = {f"相当长的词语{c}": 100.0 - i for i, c in enumerate("一二三四五六七八九十百千万亿")}
    placed = drawing.pack_cloud(words, 200, 160, seed=1)  # crowded: set smaller until all have a place
    assert [w for w, *_ in placed] == list(words)
    sizes = [size for _, size, *_ in placed]
    assert sizes == sorted(sizes, reverse=True)
    endless = {"甲乙": 9.0, "丙丁": 8.0, "长" * 300: 7.0, "戊己": 6.0}  # has no place however small
    assert [w for w, *_ in drawing.pack_cloud(endless, 200, 160, seed=1)] == ["甲乙", "丙丁"]


def test_the_cloud_holds_as_many_words_on_every_sheet_as_its_texts_say(tmp_path, monkeypatch):
    drawn_words = []
    monkeypatch.setattr(charts, "pack_cloud", lambda *a, **k: drawn_words.append(drawing.pack_cloud(*a, **k))
                        or drawn_words[-1])
    card = drawn("wordcloud", tmp_path, size=["page", "slide", "half"])
    assert {len(words) for words in drawn_words} == {5} == {len(data_of(card))}
    assert "最常用的5个词" in card.alt["zh"]
    assert "最常用的5个词" in card.subtitle["zh"]
    assert card.title["zh"] == "2022—2024年最常用的词：“监管”“化险”和“普惠”"


def large_corpus():
    """The codebook’s names, and prevalence, ties, silences and slices of all its themes and of a dozen regions, four of
    them thin."""
    names = charts.Names.load(CODEBOOK)
    regions, codes = list(names.regions)[:12], list(names.themes)
    rows = [(code, -1, region, (7 * i + 3 * j) % 23, 100 if j < 8 else 20, j >= 8) for i, code in enumerate(codes)
            for j, region in enumerate(regions)]
    prevalence = pd.DataFrame(rows, columns=["theme", "year", "region", "n", "n_statements", "thin"])
    prevalence["share"] = prevalence["n"] / prevalence["n_statements"]
    prevalence["low"], prevalence["high"] = prevalence["share"] / 2, prevalence["share"] * 1.5
    silence = prevalence[prevalence["n"] == 0].assign(expected=4.0, p=0.01, q=0.04, rate_elsewhere=0.1)
    silence = pd.concat([silence] + [silence.assign(theme=code) for code in codes])
    silence = silence.drop_duplicates(["theme", "region"])
    ties = pd.DataFrame([(a, b, -1, "all", 5 + i % 9, 100, 100, 1000) for i, (a, b) in
                         enumerate(itertools.combinations(sorted(codes), 2))],
                        columns=["theme_a", "theme_b", "year", "region", "n_both", "n_a", "n_b", "n_statements"])
    slices = pd.DataFrame([(y, r, 12) for y in (*range(2021, 2027), -1) for r in (*names.regions, "all")],
                          columns=["year", "region", "n_articles"])
    return names, {"region_themes": prevalence, "silence": silence, "coverage": slices,
                   "cooccurrence_matrix": measures.cooccurrence(ties)}


@pytest.mark.parametrize("name", ["region_themes", "silence", "coverage", "cooccurrence_matrix"])
def test_type_on_a_slide_can_be_read_from_the_back_of_the_room(name, tmp_path, monkeypatch):
    names, frames = large_corpus()
    sizes, check, add = [], figures._check, figures.add_numbers

    def look(figure, *told):
        check(figure, *told)
        sizes.extend((t.get_fontsize(), t.get_text()) for t, _ in figures._drawn_texts(figure))

    def numbers(axes, x, y, texts, size, colours, rotation=0):
        sizes.append((size, "numbers"))
        return add(axes, x, y, texts, size, colours, rotation)

    monkeypatch.setattr(figures, "_check", look)
    monkeypatch.setattr(figures, "add_numbers", numbers)
    drawn(name, tmp_path, [frames[name]], names=names, size="slide")
    assert len(sizes) > 40
    least = 4.5 * 72 / 45  # a 45th of the slide's height
    assert not [found for found in sizes if found[0] < least - 1e-9]


@pytest.mark.parametrize("name", ["region_themes", "silence", "cooccurrence_matrix"])
def test_colours_of_groups_and_what_is_left_out_are_told_on_the_picture(name, tmp_path, monkeypatch):
    names, frames = large_corpus()
    seen, check = {}, figures._check

    def look(figure, stem, lang, size):
        check(figure, stem, lang, size)
        seen[size, lang] = {t.get_text() for t, _ in figures._drawn_texts(figure)}

    monkeypatch.setattr(figures, "_check", look)
    drawn(name, tmp_path, [frames[name]], names=names, size=["page", "slide", "half"])
    shown = {}
    for (size, lang), texts in seen.items():
        assert {"■ " + group[lang] for group in names.groups.values()} <= texts
        shown[size, lang] = {code for code, theme in names.themes.items() if theme[lang] in texts}
        told = [text for text in texts if "24" in text and str(len(shown[size, lang])) in text]
        assert len(told) == (len(shown[size, lang]) < 24)
    for size in ("page", "slide", "half"):
        assert shown[size, "zh"] == shown[size, "en"]
    assert len(shown["page", "zh"]) == 24 > len(shown["slide", "zh"]) >= 8


def test_the_worst_coded_themes_stay_on_a_small_sheet(tmp_path, monkeypatch):
    seen = []
    names = charts.Names.load(CODEBOOK)
    accuracy = pd.DataFrame([(code, 10, 0, i, 1.0, 1 - i / 30, 1 - i / 40, 0.1, 1.0) for i, code in
                             enumerate(names.themes)],
                            columns=["theme", "tp", "fp", "fn", "precision", "recall", "f1", "f1_low", "f1_high"])
    monkeypatch.setattr(charts, "write_rows", lambda axes, rows, labels, *a: seen.append(list(labels)))
    drawn("codebook_accuracy", tmp_path, [accuracy], names=names, size=["half"])
    zh, en = seen
    codes = list(names.themes)
    assert zh[0] == names.theme(codes[0], "zh")
    assert zh[-2:] == [names.theme(code, "zh") for code in codes[-2:]]
    assert len(zh) == len(en) < 24


def test_thin_regions_that_are_not_drawn_are_counted(tmp_path):
    card = drawn("echo_index", tmp_path)  # Shenzhen and Inner Mongolia are thin; only Shenzhen repeats something
    assert "另有2个地区材料偏少，其中1个一处重复也没有，不画" in card.alt["zh"]
    assert "其中1个一处重复也没有，不画" in card.subtitle["zh"]
    assert "of which 1 repeats nothing and is not drawn" in card.subtitle["en"]


def test_all_languages_of_a_sheet_show_the_same_rows(tmp_path, monkeypatch):
    rows = []
    fit = drawing.rows_that_fit
    monkeypatch.setattr(charts, "rows_that_fit", lambda *a, **k: rows.append(fit(*a, **k)) or rows[-1])
    many = pd.concat([TERM_COUNTS.assign(term=TERM_COUNTS["term"] + c) for c in "甲乙丙丁戊"])
    title = {"zh": "短", "en": "A title that goes on " * 8}
    charts.top_terms(many, SLICES, names=NAMES, title=title, out=tmp_path, source=SOURCE, formats=[], size="half")
    assert rows[0] == rows[1] < 20


def english_prose():
    """(where, text) of everything in English that a reader of the report or the figures may see: the page's labels,
    the codebook's names and definitions, English terms, the notebooks' prose, and what the package says in pairs."""
    root = CODEBOOK.parent
    for path in (root / "fengxiang/report_template/labels.yml", *sorted(CODEBOOK.glob("*.yml"))):
        found = [yaml.safe_load(path.read_text("utf-8"))]
        while found:
            part = found.pop()
            if isinstance(part, list):
                found += part
            elif isinstance(part, dict):
                found += [v for v in part.values() if isinstance(v, dict | list)]
                yield from ((path.name, v) for k, v in part.items() if isinstance(v, str) and re.search(r"(^|_)en$", k))
    yield from ((term, english) for term, english in charts.Names.load(CODEBOOK).terms.items())
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            text = "".join(cell["source"])
            if cell["cell_type"] == "markdown":
                yield path.name, re.sub(r"`[^`]*`", "", text)
            else:
                yield from pairs_in(path.name, text)
    for path in sorted((root / "fengxiang").glob("*.py")):
        yield from pairs_in(path.name, path.read_text("utf-8"))


def pairs_in(name, source):
    """The English of every {"zh": …, "en": …} written out in a piece of Python."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "en":
                    plain = value.values if isinstance(value, ast.JoinedStr) else [value]
                    yield from ((name, v.value) for v in plain if isinstance(v, ast.Constant)
                                and isinstance(v.value, str))


def test_english_prose_has_the_marks_of_a_printer():
    prose = list(english_prose())
    assert len(prose) > 500
    assert not [found for found in prose if re.search(r"[A-Za-z]'|'[A-Za-z]|\"", found[1])]
