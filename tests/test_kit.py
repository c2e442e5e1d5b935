import io
import json
import re
import shutil
import zipfile
from datetime import datetime
from pathlib import Path

import matplotlib
import numpy as np
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

from fengxiang import figures, kit, running
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
        "zh": ["怎样读：越长越多。", "结论：“普惠金融”说得最多。（稳健性 4/5）慎用：材料不多。",
               "来源：测试语料　n = 1,009", "局限：不是抽样。",
               "数据：report/tables.xlsx，工作表“second”；figures/second.csv",
               "引用：" + card["citation"]["zh"]],
        "en": ["How to read it: The longer, the more.",
               "Finding: “Inclusive finance” comes first. (Robustness 4/5) Caution: There is little material.",
               "Source: the test corpus  ·  n = 1,009", "Limits: Not a sample.",
               "Data: report/tables.xlsx, sheet “second”; figures/second.csv",
               "Cite as: " + card["citation"]["en"]]}[lang]
    body = [p.text for p in slides[0].placeholders[1].text_frame.paragraphs]
    assert body == [{"zh": "“普惠金融”说得最多。（稳健性 4/5）",
                     "en": "“Inclusive finance” comes first. (Robustness 4/5)"}[lang]]
    methods = [p.text for p in slides[4].placeholders[1].text_frame.paragraphs]
    assert methods[0] == {"zh": "方法：语句是单位，见说明。第一第二", "en": "Methods: The statement is the unit."}[lang]
    assert all(notes.notes_slide.notes_text_frame.text for notes in slides)


def test_shapes_stay_on_the_slide_and_runs_name_a_chinese_font(made):
    for name in ("briefing.pptx", "briefing.en.pptx"):
        deck = Presentation(str(made[0].out / "report" / name))
        for slide in deck.slides:
            for shape in slide.shapes:
                assert shape.left >= 0
                assert shape.top >= 0
                assert shape.left + shape.width <= deck.slide_width + 9
                assert shape.top + shape.height <= deck.slide_height + 9
            for run in slide._element.iter("{*}r"):
                assert [e.get("typeface") for e in run.iter("{*}ea")] == ["Microsoft YaHei"]
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
               "据2025—2026年监管文本，分年度、分地区　2篇文章，2个语句，最新一篇的日期为2026-03-02",
               "主要结论", "“普惠金融”说得最多。（稳健性 4/5）", "慎用：材料不多。", "来源",
               "据本次语料计算：2篇文章，2个语句，最新一篇的日期为2026-03-02。全部来源、依据与方法见report/index.html。",
               "结论所引语句出自（节录）：《化解风险1》，财经，2026-03-02。", "局限：不是抽样。",
               "图与数据依CC BY 4.0许可使用。", "怎样读：越长越多。", "怎样读：越长越多。"],
        "en": ["What China’s financial regulators put first",
               "Regulators’ own words, 2025–2026, by year and by region  ·  2 articles, 2 statements; the newest "
               "article of 2026-03-02",
               "What we found", "“Inclusive finance” comes first. (Robustness 4/5)",
               "Caution: There is little material.", "Sources",
               "Computed from this corpus: 2 articles, 2 statements; the newest article of 2026-03-02. All "
               "sources, evidence and methods: report/index.en.html.",
               "Among the articles that the findings cite: “化解风险1”, 财经, 2026-03-02.", "Limits: Not a sample.",
               "Figures and data may be used under CC BY 4.0.", "How to read it: The longer, the more.",
               "How to read it: The longer, the more."]}[lang]
    pictures = [shape._inline.docPr for shape in document.inline_shapes]
    alt = {"zh": "条形图：{}。", "en": "Bars: {}."}[lang]
    assert [(p.get("name"), p.get("descr")) for p in pictures] == [
        (stem, alt.format(stem)) for stem in ("second", "first_figure")]
    assert document.core_properties.created.replace(tzinfo=None) == datetime(2026, 3, 2)
    for run in document.element.body.iter("{*}rFonts"):
        assert run.get("{http://schemas.openxmlformats.org/wordprocessingml/2006/main}eastAsia") == "Microsoft YaHei"


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
    bodies = [s.placeholders[1].text_frame.paragraphs for s in deck.slides if s.shapes.title.text_frame.text.startswith(
        ("中国金融", "主要结论"))]
    assert sum(map(len, bodies)) == 12
    assert len(bodies) > 1


def test_hostile_text_cannot_break_the_files(made):
    material = kit.Material.read(made[0], made[0].out)
    hostile = "\x00\x1b[31m\ud800\u202e\ufffe</w:t>&=cmd|'/c calc'!A1"
    nasty = [{**material.findings[0], "zh": hostile, "en": hostile, "caveat": {"zh": hostile, "en": hostile}}]
    changed = kit.Material(material.place, material.root, material.cards, nasty, material.sections, material.corpus)
    for make in (kit.briefing_slides, kit.briefing_sheet):
        make(changed, "zh")
    texts = [p.text for p in Document(io.BytesIO(kit.briefing_sheet(changed, "en"))).paragraphs]
    assert "[U+0000][U+001B][31m�[U+202E]�</w:t>&=cmd|'/c calc'!A1 (Robustness 4/5)" in texts


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
    ("difference", "百分点 points", [0.25], "0.0"), ("q", None, [0.00004, 0.5], "0.0000"),
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


@pytest.mark.parametrize(("lang", "reading"), [("zh", "横条越长，占比越高；细线是95%区间，" * 14 + "越短越准。"),
                                               ("en", "The longer a bar, the larger the share; " * 12 + "mind n.")])
def test_two_figures_and_how_to_read_them_fit_the_back_of_the_sheet(made, lang, reading):
    material = kit.Material.read(made[0], made[0].out)
    for card in material.cards:
        card["how_to_read"][lang] = reading
    document = Document(io.BytesIO(kit.briefing_sheet(material, lang)))
    section, pictures = document.sections[0], document.inline_shapes
    captions = [p.text for p in document.paragraphs if p.style.name == "Caption"]
    width, height = (whole.inches - 2 * margin.inches for whole, margin in (
        (section.page_width, section.left_margin), (section.page_height, section.top_margin)))
    assert len(pictures) == len(captions) == 2
    assert reading in captions[0]
    lines = sum(lines_in_a_wide_font(text, width, 9, False) for text in captions)
    spaces = 2 * (4 + 5 + 2 + 8)  # points: after a picture, below its line, before and after its caption
    assert sum(p.height.inches for p in pictures) + (lines * 13 + spaces) / 72 <= height
    assert all(8 / 2.54 < p.width.inches < width for p in pictures)


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
