import dataclasses
import io
import json
import re
import shutil
import zipfile
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from docx import Document
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFont
from pptx import Presentation
from pptx.enum.shapes import MSO_SHAPE_TYPE
from projects import code, interface, markdown, title, write_notebook
from python_calamine import CalamineWorkbook

from fengxiang import charts, figures, kit, running
from fengxiang.errors import UserError
from fengxiang.workplace import Workplace

# One name is what a spreadsheet would run as a formula, one begins like one.
DRAW = """import os
import pandas as pd
from fengxiang import figures
from fengxiang.workplace import workplace

place = workplace()
data = pd.DataFrame({"name": ["普惠金融", "=1+1", "-降息"], "year": [2024, 2025, 2026], "percent": [12.5, 0.25, 1234]})

def draw(figure, lang):
    axes = figures.add_axes(figure, left=1, right=0.3, top=0.1, bottom=0.1)
    axes.barh(range(3), [3, 2, 1], color="#16365C")
    axes.set_xlim(0, 3)

def finish(stem, zh, en):
    return figures.finish(
        draw, out=place.out, stem=stem, title={"zh": zh, "en": en},
        subtitle={"zh": "占比；n=9条", "en": "Share; n = 9"},
        source={"zh": "测试语料", "en": "the test corpus"}, alt={"zh": f"条形图：{stem}。", "en": f"Bars: {stem}."},
        how_to_read={"zh": "越长越多。", "en": "The longer, the more."}, data=data, n=1009, unit={"zh": "%", "en": "%"},
        columns={"name": {"zh": "名称", "en": "name"}, "year": {"zh": "年度", "en": "year"},
                 "percent": {"zh": "占比", "en": "share", "unit": "%"}},
        period="2024–2026", size=os.environ.get("FENGXIANG_SIZES", "page").split(","))
"""
FOUND = """from fengxiang import tables
badge = '{"holds": 4, "of": 5, "checks": []}'
tables.write_csv(place.processed / "findings.csv", pd.DataFrame([
    {"id": "first", "grade": "first", "zh": "“普惠金融”说得最多。", "en": "“Inclusive finance” comes first.",
     "evidence": '["a1-001"]', "figure": "second", "badge": badge, "detail": "{}",
     "caveat": '{"zh": "材料不多。", "en": "There is little material."}'},
    {"id": "thin", "grade": "too_little", "zh": "材料太少。", "en": "Too little.", "evidence": "[]", "figure": "",
     "badge": "{}", "detail": "{}", "caveat": "{}"},
]))
"""
WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
LONG = "a_figure_with_a_name_longer_than_sheets_allow"
STEMS = ["first_figure", LONG, "second"]


def make_project(root):
    (root / "codebook").mkdir(parents=True)
    (root / "data/raw").mkdir(parents=True)
    (root / "data/processed").mkdir(parents=True)
    articles = [{"article_id": f"a{i}", "title": f"化解风险{i}", "publisher": "财经" if i else None, "url": None,
                 "date": f"2026-03-0{i + 1}", "year": 2025 + i, "source_title": None, "scope": "in",
                 "source_file": f"{i}.md", "story_id": f"a{i}"} for i in range(2)]
    statements = [{"statement_id": f"a{i}-001", "article_id": f"a{i}", "text": "支持小微企业。", "year": 2025 + i,
                   "regions": ["北京"], "themes": ["x"], "evidence": "[]"} for i in range(2)]
    for name, rows in (("articles", articles), ("statements", statements)):
        pq.write_table(pa.Table.from_pylist(rows), root / f"data/processed/{name}.parquet")
    write_notebook(root, "01-draw", [
        *title("画什么？", "What is drawn?"),
        interface(["data/processed/articles.parquet"], [f"figures/{stem}" for stem in STEMS[:2]]), code(DRAW),
        code('finish("first_figure", "普惠金融占12.5%，居首", "Inclusive finance leads")'),
        code(f'finish({LONG!r}, "另一图", "Another")'),
        markdown("语句是**单位**，见[说明](https://example.org)。\n\n- 第一\n- 第二", "section-methods", "lang-zh"),
        markdown("The statement is\nthe `unit`.", "section-methods", "lang-en")])
    write_notebook(root, "02-find", [
        *title("发现什么？", "What is found?"), interface([], ["figures/second", "data/processed/findings.csv"]),
        code(DRAW),
        code('finish("second", "第二图", "The second")'), code(FOUND),
        markdown("不是抽样。", "section-limits", "lang-zh"), markdown("Not a sample.", "section-limits", "lang-en")])
    return Workplace(root / "data/raw", root, root / "codebook")


@pytest.fixture(scope="module", autouse=True)
def _package_as_it_is():
    """The package counts as unchanged, also while someone is editing it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "package_hash", lambda state: "package")
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("kit")
    place = make_project(root)
    (root / "figures/slide").mkdir(parents=True)
    (root / "figures/slide/gone.zh.png").write_bytes(b"of a figure that is no longer drawn")
    return place, kit.write_kit(place, root=root)


@pytest.fixture
def copy(made, tmp_path):
    """The project, to change at will. Its notebooks stay up to date: what they depend on is compared by content."""
    shutil.copytree(made[0].out, tmp_path / "copy")
    return Workplace(tmp_path / "copy/data/raw", tmp_path / "copy", tmp_path / "copy/codebook")


def test_every_figure_in_every_size_and_format(made):
    place, files = made
    relative = {path.relative_to(place.out).as_posix() for path in files}
    assert relative == {
        *(f"figures/{folder}{stem}.{lang}.{suffix}" for stem in STEMS for folder in ("", "slide/", "half/")
          for lang in ("zh", "en") for suffix in ("png", "svg", "pdf")),
        *(f"figures/thumbnail/{stem}.{lang}.png" for stem in STEMS for lang in ("zh", "en")),
        *(f"figures/{stem}.{suffix}" for stem in STEMS for suffix in ("csv", "json")), "figures/README.md",
        "report/briefing.pptx", "report/briefing.docx", "report/briefing.en.pptx", "report/briefing.en.docx",
        "report/tables.xlsx"}
    assert all(path.is_file() for path in files)
    assert not (place.figures / "slide/gone.zh.png").exists()
    with Image.open(place.figures / "slide/second.en.png") as slide:
        assert slide.size == (2560, 1440)
    for path in files:
        if path.suffix == ".pdf":
            content = path.read_bytes()
            fonts = content.count(b"/Type /Font\n") + content.count(b"/Type /Font ")
            assert 0 < fonts <= content.count(b"/FontFile") + content.count(b"/CharProcs"), path.name


@pytest.mark.parametrize(("lang", "name", "titles"), [
    ("zh", "briefing.pptx", ["中国金融监管的轻重缓急", "普惠金融占12.5%，居首", "另一图", "第二图", "方法与局限"]),
    ("en", "briefing.en.pptx", ["What China’s financial regulators put first", "Inclusive finance leads", "Another",
                                "The second", "Methods and limits"])])
def test_slides(made, lang, name, titles):
    deck = Presentation(str(made[0].out / "report" / name))
    slides = list(deck.slides)
    assert (deck.slide_width, deck.slide_height) == (12192000, 6858000)
    assert [slide.shapes.title.text_frame.text for slide in slides] == titles
    pictures = [[s for s in slide.shapes if s.shape_type == MSO_SHAPE_TYPE.PICTURE] for slide in slides]
    assert [[p.name for p in found] for found in pictures] == [[], ["first_figure"], [LONG], ["second"], []]
    alt = {"zh": "条形图：{}。", "en": "Bars: {}."}[lang]
    described = [p._element.nvPicPr.cNvPr.get("descr") for found in pictures for p in found]
    assert described == [alt.format(stem) for stem in STEMS]
    card = json.loads((made[0].figures / "second.json").read_text("utf-8"))
    texts = {s.name: s.text_frame.text for s in slides[3].shapes if s.has_text_frame}
    assert texts["Subtitle"] == {"zh": "占比；n=9条", "en": "Share; n = 9"}[lang]
    mark = card["content_hash"]
    assert texts["Source"] == {
        "zh": f"来源：测试语料　n = 1,009　2024—2026年　风向 #{mark}　CC BY 4.0",
        "en": f"Source: the test corpus  ·  n = 1,009  ·  2024–2026  ·  Fengxiang #{mark}  ·  CC BY 4.0"}[lang]
    notes = slides[3].notes_slide.notes_text_frame.text.split("\n")
    assert notes == {
        "zh": ["怎样读：越长越多。", "结论：“普惠金融”说得最多。（稳健性\u00a04/5）慎用：材料不多。",
               "来源：测试语料　n = 1,009", "局限：不是抽样。",
               "数据：report/tables.xlsx，工作表“second”；figures/second.csv",
               "引用：" + card["citation"]["zh"]],
        "en": ["How to read it: The longer, the more.",
               "Finding: “Inclusive finance” comes first. (Robustness\u00a04/5) Caution: There is little material.",
               "Source: the test corpus  ·  n = 1,009", "Limits: Not a sample.",
               "Data: report/tables.xlsx, sheet “second”; figures/second.csv",
               "Cite as: " + card["citation"]["en"]]}[lang]
    body = [p.text for p in slides[0].placeholders[1].text_frame.paragraphs]
    assert body == {"zh": ["“普惠金融”说得最多。（稳健性\u00a04/5）", "慎用：材料不多。"],
                    "en": ["“Inclusive finance” comes first. (Robustness\u00a04/5)",
                           "Caution: There is little material."]}[lang]
    texts = {s.name: s.text_frame.text for s in slides[0].shapes if s.has_text_frame}
    assert texts["Robustness"] == {
        "zh": "稳健性m/n：剔除部分材料或换一种算法重算，n项检验中有m项结论不变。",
        "en": "Robustness m/n: recounted in n other ways, by another method or with material left out, it holds in m."
    }[lang]
    methods = [p.text for p in slides[4].placeholders[1].text_frame.paragraphs]
    assert methods[0] == {"zh": "方法：语句是单位，见说明。第一第二", "en": "Methods: The statement is the unit."}[lang]
    assert all(notes.notes_slide.notes_text_frame.text for notes in slides)


def test_shapes_stay_on_the_slide_and_runs_name_the_font_of_their_script(made):
    for name in ("briefing.pptx", "briefing.en.pptx"):
        deck = Presentation(str(made[0].out / "report" / name))
        for slide in deck.slides:
            for shape in slide.shapes:
                assert shape.left >= 0
                assert shape.top >= 0
                assert shape.left + shape.width <= deck.slide_width + 9
                assert shape.top + shape.height <= deck.slide_height + 9
            for run in slide._element.iter("{*}r"):
                chinese = name == "briefing.pptx" or re.search("[\u4e00-\u9fff]", run.find("{*}t").text)
                assert [e.get("typeface") for e in run.iter("{*}ea")] == ["Microsoft YaHei" if chinese else "Arial"]
                assert run.find("{*}rPr").get("lang") == ("zh-CN" if chinese else "en-GB")
        theme = zipfile.ZipFile(made[0].out / "report" / name).read("ppt/theme/theme1.xml").decode()
        assert theme.count('<a:ea typeface="Microsoft YaHei"/>') == 2


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pictures_are_cropped_to_their_chart(made, lang):
    """The title above the cut and the source below it stand on the slide as text; no ink lies on the cuts."""
    deck = Presentation(str(made[0].out / "report" / kit.FILES[lang]["pptx"]))
    pictures = [s for slide in deck.slides for s in slide.shapes if s.shape_type == MSO_SHAPE_TYPE.PICTURE]
    assert len(pictures) == 3
    for picture in pictures:
        pixels = np.asarray(Image.open(io.BytesIO(picture.image.blob)).convert("L"))
        ink = (pixels < 170).any(axis=1)
        top, bottom = round(picture.crop_top * len(ink)), round((1 - picture.crop_bottom) * len(ink))
        assert not ink[top - 3:top + 4].any()
        assert not ink[bottom - 3:bottom + 4].any()
        rows = np.flatnonzero(ink)
        assert rows[rows < top].size > 40  # title and subtitle
        assert rows[rows > bottom].size > 10  # source
        chart = (pixels[top:bottom] < 100).any(axis=1)
        assert 0.5 < chart.mean() <= 1
        height = picture.height / deck.slide_height
        assert height == pytest.approx(1 - picture.crop_top - picture.crop_bottom, abs=1e-3)  # not distorted


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_one_pager(made, lang):
    document = Document(str(made[0].out / "report" / kit.FILES[lang]["docx"]))
    texts = [p.text for p in document.paragraphs if p.text]
    assert texts == {
        "zh": ["中国金融监管的轻重缓急",
               "据2025—2026年监管工作的公开报道，分年度、分地区　2篇文章，2个语句，最新一篇的日期为2026-03-02",
               "主要结论", "“普惠金融”说得最多。（稳健性\u00a04/5）", "慎用：材料不多。",
               "稳健性m/n：剔除部分材料或换一种算法重算，n项检验中有m项结论不变。", "怎样读：越长越多。", "来源",
               "据本次语料计算：2篇文章，2个语句，最新一篇的日期为2026-03-02。全部来源、依据与方法见report/index.html。",
               "结论所引语句出自（节录）：《化解风险1》，财经，2026-03-02。", "局限：不是抽样。",
               "图与数据依CC BY 4.0许可使用。"],
        "en": ["What China’s financial regulators put first",
               "Regulators’ words as reported, 2025–2026, by year and by region  ·  2 articles, 2 statements; the "
               "newest article of 2026-03-02",
               "What we found", "“Inclusive finance” comes first. (Robustness\u00a04/5)",
               "Caution: There is little material.",
               "Robustness m/n: recounted in n other ways, by another method or with material left out, it holds in m.",
               "How to read it: The longer, the more.", "Sources",
               "Computed from this corpus: 2 articles, 2 statements; the newest article of 2026-03-02. All "
               "sources, evidence and methods: report/index.en.html.",
               "Among the articles that the findings cite: “化解风险1”, 财经, 2026-03-02.", "Limits: Not a sample.",
               "Figures and data may be used under CC BY 4.0."]}[lang]
    picture, = document.inline_shapes
    section = document.sections[0]
    assert abs(picture.width - (section.page_width - section.left_margin - section.right_margin)) < 1000  # EMU
    assert [picture._inline.get(f"dist{side}") for side in "LR"] == ["0", "0"]
    assert picture._inline.getparent().getparent().getparent().find(f"{WORD}pPr/{WORD}ind") is None
    alt = {"zh": "条形图：second。", "en": "Bars: second."}[lang]
    assert (picture._inline.docPr.get("name"), picture._inline.docPr.get("descr")) == ("second", alt)
    assert document.core_properties.created.replace(tzinfo=None) == datetime(2026, 3, 2)
    for run in document.element.body.iter(f"{WORD}r"):
        if run.find(f"{WORD}t") is not None:
            chinese = lang == "zh" or re.search("[\u4e00-\u9fff]", run.find(f"{WORD}t").text)
            fonts = run.find(f"{WORD}rPr/{WORD}rFonts")
            assert fonts.get(f"{WORD}eastAsia") == ("Microsoft YaHei" if chinese else "Arial")
            assert fonts.get(f"{WORD}hint") == ("eastAsia" if chinese else None)
            assert run.find(f"{WORD}rPr/{WORD}lang").get(f"{WORD}val") == {"zh": "zh-CN", "en": "en-GB"}[lang]


def test_in_english_chinese_words_stand_in_runs_without_the_marks_around_them():
    assert kit.runs_of("the term “爆雷” (blow-ups)", "en") == [
        ("the term “", "en"), ("爆雷", "zh"), ("” (blow-ups)", "en")]
    assert kit.runs_of("“AI强监管”，", "en") == [("“AI", "en"), ("强监管", "zh"), ("”", "en"), ("，", "zh")]
    assert kit.runs_of("用“爆雷”", "zh") == [("用“爆雷”", "zh")]


def test_workbook(made):
    path = made[0].out / "report/tables.xlsx"
    book = CalamineWorkbook.from_path(str(path))
    short = LONG[:31]
    assert book.sheet_names == ["目录 Index", "first_figure", short, "second", "字典 Dictionary"]
    assert book.get_sheet_by_name("second").to_python() == [
        ["名称\nname", "年度\nyear", "占比 (%)\nshare (%)"],
        ["普惠金融", 2024.0, 12.5], ["=1+1", 2025.0, 0.25], ["-降息", 2026.0, 1234.0]]
    index = book.get_sheet_by_name("目录 Index").to_python()
    assert [row[:5] for row in index[1:]] == [
        ["first_figure", "普惠金融占12.5%，居首", "Inclusive finance leads", "%", 1009.0],
        [short, "另一图", "Another", "%", 1009.0], ["second", "第二图", "The second", "%", 1009.0]]
    dictionary = book.get_sheet_by_name("字典 Dictionary").to_python()
    assert ["second", "percent", "%", "占比", "share"] in dictionary
    assert ["statements", "text", "string", "原句", "the sentence as it stands"] in dictionary
    with zipfile.ZipFile(path) as members:
        sheets = {name: members.read(name).decode() for name in members.namelist() if "/worksheets/sheet" in name}
        assert not any(re.search(r"<f[ >]", sheet) for sheet in sheets.values())
        assert all('state="frozen"' in sheet for sheet in sheets.values())
        styles = members.read("xl/styles.xml").decode()
        assert 'quotePrefix="1"' in styles
        assert 'formatCode="#,##0"' in styles or 'numFmtId="3"' in styles


SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def sheets_of(data: bytes) -> dict[str, ElementTree.Element]:
    """The sheets of a workbook as XML, by name."""
    with zipfile.ZipFile(io.BytesIO(data)) as members:
        book = ElementTree.fromstring(members.read("xl/workbook.xml"))
        names = [sheet.get("name") for sheet in book.iter(f"{SHEET}sheet")]
        return {name: ElementTree.fromstring(members.read(f"xl/worksheets/sheet{i}.xml"))
                for i, name in enumerate(names, 1)}


def formats_of(data: bytes, sheet: ElementTree.Element) -> dict[str, tuple[str, bool]]:
    """The number format and whether it wraps, by cell."""
    with zipfile.ZipFile(io.BytesIO(data)) as members:
        styles = ElementTree.fromstring(members.read("xl/styles.xml"))
    codes = {"0": "General", "1": "0"} | {f.get("numFmtId"): f.get("formatCode") for f in styles.iter(f"{SHEET}numFmt")}
    looks = []
    for look in styles.find(f"{SHEET}cellXfs"):
        alignment = look.find(f"{SHEET}alignment")
        looks.append((codes[look.get("numFmtId")], alignment is not None and alignment.get("wrapText") == "1"))
    return {cell.get("r"): looks[int(cell.get("s", 0))] for cell in sheet.iter(f"{SHEET}c")}


def test_every_sheet_prints_across_one_page_wide_with_its_heading_on_each(made):
    data = (made[0].out / "report/tables.xlsx").read_bytes()
    sheets = sheets_of(data)
    assert len(sheets) == 5
    for name, sheet in sheets.items():
        setup = sheet.find(f"{SHEET}pageSetup")
        assert [setup.get(key) for key in ("orientation", "paperSize", "fitToHeight", "fitToWidth")] == [
            "landscape", "9", "0", None], name  # one page wide, unless said otherwise
        assert sheet.find(f"{SHEET}sheetPr/{SHEET}pageSetUpPr").get("fitToPage") == "1"
        pane = sheet.find(f"{SHEET}sheetViews/{SHEET}sheetView/{SHEET}pane")
        assert (pane.get("ySplit"), pane.get("state")) == ("1", "frozen")
    with zipfile.ZipFile(io.BytesIO(data)) as members:
        book = ElementTree.fromstring(members.read("xl/workbook.xml"))
    repeated = [n.text for n in book.iter(f"{SHEET}definedName") if n.get("name") == "_xlnm.Print_Titles"]
    assert len(repeated) == 5
    assert all(text.endswith("!$1:$1") for text in repeated)


def test_long_titles_are_wrapped_in_rows_high_enough(made):
    material = kit.Material.read(made[0], made[0].out)
    material.cards[1]["title"]["zh"] = "监" * 100
    data = kit.workbook(material)
    index = sheets_of(data)["目录 Index"]
    formats = formats_of(data, index)
    assert (formats["B2"][1], formats["B3"][1]) == (False, True)
    width = next(float(c.get("width")) for c in index.iter(f"{SHEET}col")
                 if int(c.get("min")) <= 2 <= int(c.get("max")))
    assert width < 50
    row = next(r for r in index.iter(f"{SHEET}row") if r.get("r") == "3")
    assert float(row.get("ht")) >= 13 * 2 * 100 / width  # a character of Chinese is two digits wide


def plotted(material, columns, text, **changes):
    """The material with the data and the columns of its first figure exchanged."""
    card = {**material.cards[0], "columns": columns, **changes}
    (material.place.figures / f"{card['stem']}.csv").write_text(text, "utf-8-sig")
    return dataclasses.replace(material, cards=[card, *material.cards[1:]])


def with_names(material, themes=(), **regions):
    (material.place.codebook / "regions.yml").write_text("regions: []\n", "utf-8")
    material.__dict__["names"] = charts.Names(
        {code: {"zh": zh, "en": en, "group": ""} for code, zh, en in themes}, {}, regions, {})
    return material


def test_years_are_words_and_regions_have_english_names_in_the_workbook(copy):
    material = plotted(
        kit.Material.read(copy, copy.out),
        {"year": {"zh": "年度（-1为合计）", "en": "year (-1: all together)"}, "region": {"zh": "地区", "en": "region"},
         "next": {"zh": "邻居", "en": "neighbour"}, "n": {"zh": "句", "en": "statements", "unit": "条"},
         "lag": {"zh": "滞后", "en": "lag", "unit": "天 days"}, "percent": {"zh": "占", "en": "share", "unit": "%"}},
        "year,region,next,n,lag,percent\n-1,上海,北京,1,2,100\n0,all,上海,2,3,7\n2026,北京,上海,-1,4,50\n")
    with_names(material, 上海="Shanghai", 北京="Beijing")
    data = kit.workbook(material)
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    assert book.get_sheet_by_name("first_figure").to_python() == [
        ["年度\nyear", "地区\nregion", "地区英文名\nregion in English", "邻居\nneighbour",
         "邻居英文名\nneighbour in English", "句 (条)\nstatements", "滞后 (天)\nlag (days)", "占 (%)\nshare (%)"],
        ["全部年份 All years", "上海", "Shanghai", "北京", "Beijing", 1.0, 2.0, 100.0],
        ["年份不详 Unknown", "all", "All", "上海", "Shanghai", 2.0, 3.0, 7.0],
        [2026.0, "北京", "Beijing", "上海", "Shanghai", -1.0, 4.0, 50.0]]
    formats = formats_of(data, sheets_of(data)["first_figure"])
    assert [formats[cell][0] for cell in ("A4", "F4", "H2", "H3")] == ["0", "#,##0", "0.0", "0.0"]
    meanings = {tuple(row[:2]): row[3:] for row in book.get_sheet_by_name("字典 Dictionary").to_python()}
    assert meanings["first_figure", "year"] == [
        "年度（“全部年份”在CSV中记作-1，“年份不详”记作0）", "year (“All years” is -1 in the CSV, “Unknown” is 0)"]
    assert meanings["first_figure", "region_en"] == [
        "地区英文名（只在本工作簿，CSV中没有此列）", "region in English (in this workbook only, not in the CSV)"]
    assert (copy.figures / "first_figure.csv").read_text("utf-8-sig").splitlines()[1] == "-1,上海,北京,1,2,100"


def test_numbers_are_written_with_the_digits_of_the_csv(copy):
    material = plotted(kit.Material.read(copy, copy.out), {"x": {"zh": "值", "en": "value"}},
                       "x\n9.10271059\n0.1\n2.520529636e-07\n1234567\n")
    sheet = sheets_of(kit.workbook(material))["first_figure"]
    written = [cell.find(f"{SHEET}v").text for cell in sheet.iter(f"{SHEET}c") if cell.get("t") != "s"]
    assert written == ["9.10271059", "0.1", "2.520529636e-07", "1234567"]


@pytest.mark.parametrize(("about", "shown"), [
    ({}, True), ({"theme": "debt", "region": "全国", "year": 2026}, True), ({"theme": "green"}, False),
    ({"theme": "debt", "region": "上海"}, False), ({"theme": "debt", "year": 2022}, False),
    ({"theme": "debt", "other": "green"}, False), ({"theme": "debt", "year": -1}, True)])
def test_a_figure_shows_a_finding_when_its_data_hold_what_it_is_about(copy, about, shown):
    material = plotted(kit.Material.read(copy, copy.out), {}, "theme,region,year\ndebt,全国,2026\ndebt,北京,2025\n")
    finding = {**material.findings[0], "slice": about, "figure": "first_figure"}
    assert material.shows(material.cards[0], finding) is shown
    assert dataclasses.replace(material, findings=[finding]).of_figure(material.cards[0]) == [finding] * shown


def test_a_figure_of_all_years_together_does_not_show_a_finding_about_one(copy):
    material = plotted(kit.Material.read(copy, copy.out), {}, "theme\ndebt\n", period="2021–2026")
    finding = {**material.findings[0], "slice": {"theme": "debt", "year": 2026}}
    assert not material.shows(material.cards[0], finding)
    assert material.shows({**material.cards[0], "period": "2026"}, finding)


def draw_names(names):
    def draw(figure, lang):
        axes = figures.add_axes(figure, left=2.0, right=0.3, top=0.1, bottom=0.1)
        axes.set_axis_off()
        for i, name in enumerate(names):
            axes.text(0.1, 0.2 + i / 2, name[lang])
    return draw


def test_the_picture_of_the_sheet_names_the_theme_that_the_finding_is_about(copy):
    """The half-page picture of the first figure leaves the theme out in English, that of slide size does not; that the
    title has it does not count. Where no picture has it, the next finding’s figure is taken."""
    material = kit.Material.read(copy, copy.out)
    debt, green = {"zh": "地方债务", "en": "Local\ndebt"}, {"zh": "绿色金融", "en": "Green finance"}
    missing = {"zh": "地方债务", "en": "Something else"}
    for size, names in (("half", [missing]), ("slide", [debt, green])):
        figures.finish(draw_names(names), out=copy.out, stem="first_figure", size=[size], columns={"n": debt},
                       title={"zh": "地方债务居首", "en": "Local debt leads"}, subtitle={"zh": "占比", "en": "Share"},
                       source=material.cards[0]["source"], alt=debt, how_to_read=debt, n=1, unit=debt, period="",
                       data=pd.DataFrame({"n": [1]}))
    card = {**material.cards[0], "title": {"zh": "地方债务居首", "en": "Local debt leads"}}
    material = with_names(dataclasses.replace(material, cards=[card, *material.cards[1:]]),
                          [("debt", "地方债务", "Local debt"), ("green", "绿色金融", "Green finance"),
                           ("risk", "风险", "Risk")])
    first = {**material.findings[0], "figure": "first_figure"}
    assert [material.pictured(card, {**first, "slice": {"theme": "debt"}}, size) for size in ("half", "slide")] == [
        False, True]
    second = {**material.findings[0], "id": "second", "slice": {}}

    def picture(theme):
        findings = [{**first, "slice": {"theme": theme}}, second]
        plan = kit.plan_sheet(with_names(dataclasses.replace(material, findings=findings),
                                         [("debt", "地方债务", "Local debt"), ("risk", "风险", "Risk")]))
        return plan.card["stem"], plan.size

    assert picture("debt") == ("first_figure", "slide")
    assert picture("risk") == ("second", "half")


def test_the_same_inputs_give_the_same_bytes(made, copy):
    before = {path.name: path.read_bytes() for path in sorted((made[0].out / "report").iterdir())}
    assert set(before) == {"briefing.pptx", "briefing.docx", "briefing.en.pptx", "briefing.en.docx", "tables.xlsx"}
    stamp = (copy.figures / "second.json").stat().st_mtime_ns
    kit.write_kit(copy, root=copy.out)
    assert {path.name: path.read_bytes() for path in sorted((copy.out / "report").iterdir())} == before
    assert (copy.figures / "second.json").stat().st_mtime_ns == stamp  # nothing was drawn again
    for content in before.values():
        with zipfile.ZipFile(io.BytesIO(content)) as members:
            assert {member.date_time for member in members.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            assert members.namelist()[0] == "[Content_Types].xml"


@pytest.mark.parametrize(("file", "message"), [
    ("data/processed/findings.csv",
     r"02-find\.ipynb: its findings and figures are stale \(.*findings.csv is not what was written"),
    ("figures/second.csv", "02-find.*second.csv is not what was written"),
    ("figures/slide/second.zh.png", "02-find.*second.zh.png is not what was written"),
    ("data/processed/articles.parquet", "01-draw.*articles.parquet changed"),
    ("notebooks/02-find.ipynb", "02-find.*its source changed")])
def test_stale_findings_and_figures_are_refused(copy, file, message):
    path = copy.out / file
    if file.endswith(".ipynb"):
        path.write_text(path.read_text("utf-8").replace("说得最多", "说得最少"), "utf-8")
    else:
        path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(UserError, match=message):
        kit.write_office(copy, root=copy.out)


def test_a_figure_whose_data_were_exchanged_is_refused(made, copy):
    card = json.loads((made[0].figures / "second.json").read_text("utf-8"))
    data = (made[0].figures / "second.csv").read_bytes()
    assert kit.content_hash(card, data) == card["content_hash"]
    assert kit.content_hash(card, data + b"\n") != card["content_hash"]
    assert kit.content_hash({**card, "title": {"zh": "别的", "en": "else"}}, data) != card["content_hash"]


def test_short_findings_stand_four_on_a_slide_at_most(made):
    material = kit.Material.read(made[0], made[0].out)
    for n, expected in ((0, [0]), (1, [1]), (4, [4]), (5, [2, 3]), (8, [4, 4]), (9, [3, 3, 3])):
        many = [{**material.findings[0], "id": f"f{i}"} for i in range(n)]
        pages, sizes = kit.headline_pages(dataclasses.replace(material, findings=many))
        assert (list(map(len, pages)), sizes) == (expected, {"zh": 22, "en": 22})


def test_a_chosen_finding_and_its_figure_fill_one_page_in_both_languages(made):
    material = kit.Material.read(made[0], made[0].out)
    other = {**material.findings[0], "id": "other", "zh": "别的。", "en": "Else."}
    plan = kit.plan_sheet(dataclasses.replace(material, findings=[other, *material.findings]), ["first"])
    assert ([f["id"] for f in plan.findings], plan.n_left_out, plan.card["stem"]) == (["first"], 0, "second")
    for lang in ("zh", "en"):
        used = kit._front_height(material, plan.findings, 0, lang) + kit._back_height(
            material, plan.card, plan.size, kit._cited_articles(material, plan.findings, lang), lang)
        assert used <= 26.5 / 2.54 * 72
    xml = zipfile.ZipFile(made[0].out / "report/briefing.docx").read("word/document.xml").decode()
    assert "w:pageBreakBefore" not in xml


def test_chosen_findings(copy):
    for name in ("thin", "none_such"):
        with pytest.raises(UserError, match=f"no finding “{name}” that says something; there are: first"):
            kit.write_office(copy, root=copy.out, chosen=[name])


def test_a_long_sheet_says_how_many_findings_it_leaves_out(made):
    material = kit.Material.read(made[0], made[0].out)
    many = [{**material.findings[0], "id": f"f{i}", "zh": "监管" * 100 + "。"} for i in range(12)]
    crowded = kit.Material(material.place, material.root, material.cards, many, material.sections, material.corpus)
    texts = [p.text for p in Document(io.BytesIO(kit.briefing_sheet(crowded, "zh"))).paragraphs]
    shown = sum(text.startswith("监管监管") for text in texts)
    assert 3 <= shown < 12
    assert f"另有{12 - shown}条结论见报告。" in texts
    deck = Presentation(io.BytesIO(kit.briefing_slides(crowded, "zh")))
    bodies = [[p for p in s.placeholders[1].text_frame.paragraphs if p.text.startswith("监管监管")]
              for s in deck.slides if s.shapes.title.text_frame.text.startswith(("中国金融", "主要结论"))]
    assert sum(map(len, bodies)) == 12
    assert max(map(len, bodies)) <= 4


def test_hostile_text_cannot_break_the_files(made):
    material = kit.Material.read(made[0], made[0].out)
    hostile = "\x00\x1b[31m\ud800\u202e\ufffe</w:t>&=cmd|'/c calc'!A1"
    nasty = [{**material.findings[0], "zh": hostile, "en": hostile, "caveat": {"zh": hostile, "en": hostile}}]
    changed = kit.Material(material.place, material.root, material.cards, nasty, material.sections, material.corpus)
    for make in (kit.briefing_slides, kit.briefing_sheet):
        make(changed, "zh")
    texts = [p.text for p in Document(io.BytesIO(kit.briefing_sheet(changed, "en"))).paragraphs]
    assert "[U+0000][U+001B][31m�[U+202E]�</w:t>&=cmd|'/c calc'!A1 (Robustness\u00a04/5)" in texts


def test_findings_that_are_not_there_are_asked_for(tmp_path):
    place = make_project(tmp_path)
    with pytest.raises(UserError, match=r"processed.findings\.csv: is not there; run `make report`: a notebook writes "
                                        "the findings"):
        kit.read_findings(place)


def test_a_figure_without_a_card_is_named(tmp_path):
    place = make_project(tmp_path)
    with pytest.raises(UserError, match=r"01-draw\.ipynb: declares the figure “figures/first_figure”, which has no "
                                        "card; run `make report`"):
        kit.declared_cards(place, tmp_path)


def test_data_written_over_those_of_the_pictures_are_refused(tmp_path):
    place = make_project(tmp_path / "p")
    (place.out / "notebooks/01-draw.ipynb").unlink()
    path = place.out / "notebooks/02-find.ipynb"
    notebook = json.loads(path.read_text("utf-8"))
    notebook["cells"].append(code('(place.figures / "second.csv").write_text("name\\n1\\n")'))
    path.write_text(json.dumps(notebook), "utf-8")
    with pytest.raises(UserError, match=r"figures/second\.csv: its data are not those its pictures were drawn from; "
                                        r"let figures\.finish alone write them"):
        kit.write_kit(place, root=place.out)


def test_a_figure_the_kit_cannot_draw_is_named(tmp_path):
    place = make_project(tmp_path / "p")
    path = place.out / "notebooks/01-draw.ipynb"
    path.write_text(path.read_text("utf-8").replace('os.environ.get(\\"FENGXIANG_SIZES\\", \\"page\\").split(\\",\\")',
                                                    '[\\"page\\"]'), "utf-8")
    (place.out / "notebooks/02-find.ipynb").unlink()
    with pytest.raises(UserError, match=r"figures/first_figure.*was not drawn as slide, half, thumbnail"):
        kit.write_kit(place, root=place.out)


def test_paragraphs_of_markdown():
    markdown_ = "## 标题\n\n甲**乙**，\n丙`丁`。\n\n- 一\n- [二](https://x.org/y)\n\n> quoted\nwords"
    assert kit.plain_paragraphs(markdown_) == ["标题", "甲乙，丙丁。", "一", "二", "quoted words"]


def test_sheet_names_are_short_and_distinct():
    long = "x" * 40
    assert kit.sheet_names(["history", long, long + "y", "plain"]) == {
        "history": "history_2", long: "x" * 31, long + "y": "x" * 29 + "_2", "plain": "plain"}


@given(st.lists(st.text("ab_", min_size=1, max_size=45), unique=True, max_size=12))
def test_any_stems_get_sheet_names(stems):
    names = list(kit.sheet_names(stems).values())
    assert len(set(names)) == len(stems)
    assert all(0 < len(name) <= 31 for name in names)


@pytest.mark.parametrize(("name", "unit", "values", "expected"), [
    ("year", None, [2024, 2025], "0"), ("n", "条", [1200, None], "#,##0"), ("percent", "%", [12.5, 3], "0.0"),
    ("percent", "%", [100, 3], "0.0"), ("birth", "年", [2024], "0"),
    ("difference", "百分点 points", [0.25], "0.0"), ("q", None, [0.00004, 0.5], "[=0]0;[<0.0001]0.0E+00;0.0000"),
    ("d", None, [-0.00004, 0.5], "0.0000"),
    ("npmi", None, [0.25], "0.000"), ("ratio", None, [17.04], "#,##0.0"), ("none", None, [None], "#,##0")])
def test_number_formats(name, unit, values, expected):
    assert kit.number_format(name, unit, values) == expected


def test_plotted_data_are_read_as_they_were_written(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("甲,乙,丙,丁\n1,007,'=x,1e-05\n-2.5,8,it's,\n", "utf-8-sig")
    assert kit.read_plotted(path) == (["甲", "乙", "丙", "丁"],
                                      [[1, "007", "=x", 1e-05], [-2.5, "8", "it's", None]])


def lines_in_a_wide_font(text: str, width: float, size: float, bold: bool) -> int:
    """How many lines a text takes in DejaVu Sans, which programs fall back on where there is no Arial, with Chinese
    characters and marks a square each, broken at spaces and between Chinese characters."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    font = ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts/ttf", name)), 200)
    lines, room = 1, width * 72
    for piece in re.findall(r"[\u2e80-\uffef]|[^\u2e80-\uffef\s]+\s*|\s+", text):
        def advance(part):
            return sum(1.0 if c > "\u2e80" else font.getlength(c) / 200 for c in part) * size
        if advance(piece.rstrip()) > room:
            lines, room = lines + 1, width * 72
        room -= advance(piece)
    return lines


def with_findings(material, findings, **changes):
    return dataclasses.replace(material, findings=findings, **changes)


@pytest.mark.parametrize("long", ["zh", "en"])
def test_both_languages_give_the_same_findings_though_one_is_longer(made, long):
    """A finding fits both languages or stands in neither, on the sheet; on the slides the pages are the same."""
    material = kit.Material.read(made[0], made[0].out)
    short = "en" if long == "zh" else "zh"
    words = {"zh": "监管" * 60, "en": "supervision " * 30}
    many = [{**material.findings[0], "id": f"f{i}", long: f"#{i} {words[long]}", short: f"#{i} x"} for i in range(11)]
    crowded = with_findings(material, many)
    marks, left_out, pages = {}, {}, {}
    for lang in ("zh", "en"):
        texts = [p.text for p in Document(io.BytesIO(kit.briefing_sheet(crowded, lang))).paragraphs]
        marks[lang] = [text.split(" ")[0] for text in texts if text.startswith("#")]
        left_out[lang] = [re.findall(r"\d+", text) for text in texts if "条结论见报告" in text or "more in the" in text]
        deck = Presentation(io.BytesIO(kit.briefing_slides(crowded, lang)))
        pages[lang] = [[p.text.split(" ")[0] for p in s.placeholders[1].text_frame.paragraphs if p.text[0] == "#"]
                       for s in list(deck.slides)[:-4]]
    assert marks["zh"] == marks["en"] == [f"#{i}" for i in range(len(marks["zh"]))]
    assert 3 <= len(marks["zh"]) < 11
    assert left_out["zh"] == left_out["en"] == [[str(11 - len(marks["zh"]))]]
    assert pages["zh"] == pages["en"]
    assert [mark for page in pages["zh"] for mark in page] == [f"#{i}" for i in range(11)]
    assert max(map(len, pages["zh"])) <= 4


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_opening_slides_are_set_large_and_fit(made, lang):
    material = kit.Material.read(made[0], made[0].out)
    texts = {"zh": "监管文本里说得最多的是“普惠金融”，占全部语句的四分之一，" * 2,
             "en": "What is said most in the regulators’ own words is “inclusive finance”, a quarter of all; " * 2}
    many = [{**material.findings[0], "id": f"f{i}", **texts, "caveat": texts if i % 2 else {}} for i in range(9)]
    deck = Presentation(io.BytesIO(kit.briefing_slides(with_findings(material, many), lang)))
    slides = [s for s in deck.slides if any(shape.name == "Robustness" for shape in s.shapes)]
    assert len(slides) >= 3
    for slide in slides:
        paragraphs = slide.placeholders[1].text_frame.paragraphs
        sizes = {run.font.size.pt for p in paragraphs for run in p.runs}
        assert min(sizes) >= 18
        height = sum(lines_in_a_wide_font(p.text, 12.1, p.runs[0].font.size.pt, False) * p.line_spacing.pt
                     + p.space_after.pt for p in paragraphs)
        assert height <= slide.placeholders[1].height.pt + 10


@pytest.mark.parametrize(("lang", "reading"), [("zh", "横条越长，占比越高；细线是95%区间，" * 10 + "越短越准。"),
                                               ("en", "The longer a bar, the larger the share; " * 10 + "mind n.")])
def test_the_picture_with_how_to_read_it_and_the_sources_fit_a_page(made, lang, reading):
    material = kit.Material.read(made[0], made[0].out)
    for card in material.cards:
        card["how_to_read"][lang] = reading
    evidence = [f"a{i}-001" for i in range(9)]
    articles = {f"a{i}": {"title": "化解风险" * 30, "publisher": "财经", "date": "2026-01-01"} for i in range(9)}
    corpus = dataclasses.replace(material.corpus, articles=articles, listed=["a0"])
    many = [{**material.findings[0], "id": f"f{i}", "evidence": evidence} for i in range(12)]
    document = Document(io.BytesIO(kit.briefing_sheet(with_findings(material, many, corpus=corpus), lang)))
    section, picture = document.sections[0], document.inline_shapes[0]
    width, height = (whole.inches - 2 * margin.inches for whole, margin in (
        (section.page_width, section.left_margin), (section.page_height, section.top_margin)))
    assert picture.width.inches == pytest.approx(width, abs=0.01)
    texts = [p.text for p in document.paragraphs]
    caption = next(i for i, text in enumerate(texts) if reading in text)
    small = [texts[caption], *texts[caption + 2:]]
    used = picture.height.pt + 6 + 9 + 10 + 27  # the picture, its line and space, the caption's, the heading
    used += sum(lines_in_a_wide_font(text, width, 9, False) * 13 + 3 for text in small)
    assert used <= height * 72
    assert any("化解风险化解风险" in text for text in small)


@pytest.mark.parametrize("bold", [True, False])
@pytest.mark.parametrize(("lang", "words"), [
    ("en", "Regions with enough material differ in what they mention most often “between” 2022 and 2026, 26.2% of "),
    ("zh", "“小微企业”“制造业”和“普惠型”用得较多，每万词次26.2、20.8、15.5次，n=18,712，2021—2026年各地区不同；")])
def test_text_fits_its_box_in_a_wide_stand_in_for_the_font(lang, words, bold):
    for length in range(10, 3 * len(words), 7):
        text, height = (words * 3)[:length].strip(), 0.85
        size = kit.fitting_size([text], lang, 12, height, range(25, 7, -1), bold=bold)
        assert lines_in_a_wide_font(text, 12, size, bold) * size * 1.25 <= height * 72, (text, size)


def test_the_largest_size_that_fits():
    text = "监" * 40  # at 18 points, four characters an inch
    assert kit.fitting_size([text], "en", 11.3, 18 * 1.25 / 72, (20, 18, 16)) == 18  # a ninth to spare
    assert kit.fitting_size([text], "en", 11.2, 18 * 1.25 / 72, (20, 18)) is None
    assert kit.fitting_size([text, text], "en", 11.3, (2 * 18 * 1.25 + 9) / 72, (18,), 9) == 18
    assert kit.fitting_size([text, text], "en", 11.3, (2 * 18 * 1.25 + 8) / 72, (18,), 9) is None
    assert figures.text_width(text, 18) == pytest.approx(10)
