import base64
import csv
import hashlib
import html as htmllib
import io
import json
import logging
import re
import shutil
import unicodedata
import zlib
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from browser import Browser
from hypothesis import given
from hypothesis import strategies as st
from projects import code, interface, markdown, title, write_notebook
from selectolax.lexbor import LexborHTMLParser

from fengxiang import display, report, running
from fengxiang.errors import UserError
from fengxiang.report import Prose, marked, safe_url, write_report
from fengxiang.tables import TABLES

# Each is text from a raw file; none may act, all must show.
PAYLOADS = [
    "<script>window.acted=1</script>", "</script><script>window.acted=2</script>", "<img src=x onerror=window.acted=3>",
    "\"'><svg onload=window.acted=4>", "javascript:window.acted=5", "<!--<script>", "]]>", "{{ 7*7 }}{% raw %}",
    "<style>*{display:none}</style>", "<a href=\"javascript:window.acted=6\">x</a>", "\x1b[31m\u202e",
    "&lt;b&gt;&amp;", "<base href=//evil.example>", "\u2028</title>", "\ud800 \x00",
]

# Where the articles of the small project come from; one address is as long as those that quote Chinese.
WEB = ["javascript:alert(1)", *(f"https://example.org/{i}" for i in (1, 2)),
       "https://example.org/" + "%E7%9B%91" * 40, "https://example.org/4"]


SENTENCES = ["化解中小银行风险。", "风险处置要稳。", "支持小微企业。", "北京提出化解风险。"]


def encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


@pytest.fixture
def project(tmp_path):
    """A small project with executed notebooks, tables, a codebook and one figure, to change at will."""
    return make_project(tmp_path)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The same project, with its report, to look at."""
    root = make_project(tmp_path_factory.mktemp("project"))
    return root, *pages(root)


def make_project(root: Path, texts=None) -> Path:
    (root / "codebook").mkdir(parents=True)
    (root / "codebook/themes.yml").write_text(
        "groups:\n  - {id: risk, name_zh: 防风险, name_en: Guarding against risk}\n"
        "themes:\n  - {code: b_theme, name_zh: 乙题, name_en: Second theme, group: risk}\n"
        "  - {code: a_theme, name_zh: 甲题, name_en: First theme, group: risk}\n", "utf-8")
    (root / "codebook/regions.yml").write_text(
        "regions:\n  - {name: 全国, en: National}\n  - {name: 北京, en: Beijing}\n", "utf-8")
    articles = [
        {"article_id": f"a{i}", "title": f"标题{i}", "publisher": "财经" if i % 2 else None,
         "url": WEB[i], "date": f"2026-01-{10 + i}",
         "year": 2025 + i % 2,
         "source_title": "某局发布《办法》" if i == 3 else None, "scope": "out" if i == 4 else "in",
         "source_file": f"{i}.md", "story_id": "a0" if i < 2 else f"a{i}"} for i in range(5)]
    sentences = texts or SENTENCES
    for i, article in enumerate(articles):
        article["text"] = "\n".join(map(encodable, sentences[i::4] if i < 4 else ()))
    statements = [
        {"statement_id": f"a{i % 4}-{i // 4 + 1:03d}", "article_id": f"a{i % 4}", "text": encodable(text),
         "year": 2025 + i % 2 if i % 4 != 3 else None, "regions": [["全国"], ["北京"], ["北京", "全国"], []][i % 4],
         "themes": [["a_theme"], ["a_theme", "b_theme"], [], ["b_theme"]][i % 4],
         "evidence": json.dumps([["a_theme", 0, 2]])} for i, text in enumerate(sentences)]
    (root / "data/processed").mkdir(parents=True)
    for name, rows in (("articles", articles), ("statements", statements)):
        pq.write_table(pa.Table.from_pylist(rows), root / f"data/processed/{name}.parquet")
    write_figure(root, "coverage")
    write_figure(root, "second")
    rows = [{"id": "first", "zh": "风险居首，占37.5%。", "en": "Risk comes first with 37.5%.",
             "evidence": ["a0-001", "a3-001"], "numbers": [{"zh": "37.5%", "en": "37.5%", "n": 3, "of": 8}],
             "figure": "coverage", "badge": {"holds": 1, "of": 2, "checks": [
                 {"zh": "去重", "en": "no reprints", "holds": False},
                 {"zh": "按篇", "en": "by article", "holds": True}]}}]
    execute(root, "01-clean", [
        markdown("# 收到什么？\n\n引言。", "lang-zh"), markdown("# What came?\n\nAn opening.", "lang-en"),
        interface(["data/raw"], ["figures/coverage"], {"top": 30}), code("frame = 1"),
        shows("frame + 1", display.table(pd.DataFrame({"甲": ["x", "y"], "数": [1, 2]}),
                                         {"甲": {"zh": "形态", "en": "Shape"}, "数": {"zh": "数", "en": "Number"}},
                                         {"zh": "形态", "en": "Shapes"}, mark_thin=[False, True])),
        markdown("## 一节", "lang-zh"), markdown("## A section", "lang-en"),
        {**code("draw()"), "outputs": [output({display.FIGURE: {"stem": "coverage"}, "text/plain": "x"})]},
        shows("prose", display.prose("占**12%**。", "**12%** of all.")),
        markdown("方法段。", "lang-zh", "section-methods"), markdown("A method.", "lang-en", "section-methods"),
        code("secret = 1", "hide")])
    execute(root, "02-found", [
        *title("发现了什么", "What we found"), interface([], []), markdown("核对。", "lang-zh"),
        markdown("Checks.", "lang-en"), markdown("## 发现", "lang-zh"), markdown("## Findings", "lang-en"),
        shows("findings", display.findings(rows)),
        {**code("draw()"), "outputs": [output({display.FIGURE: {"stem": name}}) for name in ("coverage", "second")]},
        markdown("新增一篇。", "lang-zh", "section-changes"),
        markdown("One article more.", "lang-en", "section-changes"),
        markdown("不是抽样。", "lang-zh", "section-limits"), markdown("Not a sample.", "lang-en", "section-limits")])
    return root


def output(data: dict) -> dict:
    return {"output_type": "execute_result", "execution_count": None, "metadata": {}, "data": data}


def shows(source: str, shown: display.Display) -> dict:
    return {**code(source), "outputs": [output(json.loads(json.dumps(shown.bundle)))]}


def execute(root: Path, name: str, cells: list[dict]) -> None:
    """A notebook and its executed copy."""
    path = write_notebook(root, name, cells)
    copy = running.executed_path(root, name)
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, copy)


def write_figure(root: Path, stem: str, **texts) -> None:
    from PIL import Image

    (root / "figures").mkdir(exist_ok=True)
    for language in ("zh", "en"):
        Image.new("P", (16, 9)).save(root / f"figures/{stem}.{language}.png")
        (root / f"figures/{stem}.{language}.svg").write_text(
            f'<svg><path id="shared" d="M0 0\nL1 1" transform="scale(.1)"/><path id="{stem}" d="M1"/>'
            '<use href="#shared"/>风</svg>', "utf-8")
        (root / f"figures/{stem}.{language}.pdf").write_bytes(
            b"%PDF-1.4\n<<>>\nstream\n" + b"0 0 m 1 1 l \xe9" * 3 + b"\nendstream\n" + language.encode())
    (root / f"figures/{stem}.csv").write_text('年,数\n2025,3\n2026,"1,000"\n', "utf-8-sig")
    card = {"stem": stem, "n": 1234, "period": "2021–2026", "content_hash": "abcd1234",
            "columns": {"年": {"zh": "年度", "en": "Year"},
                        "数": {"zh": "语句", "en": "Statements", "unit": {"zh": "句", "en": "n"}}}}
    for name, zh, en in (("title", "覆盖", "Coverage"), ("subtitle", "篇", "articles"),
                         ("alt", "柱形图。", "A bar chart."), ("how_to_read", "看高低。", "Look at the height."),
                         ("source", "风向", "Fengxiang"),
                         ("unit", "篇", "articles")):
        card[name] = texts.get(name, {"zh": zh, "en": en})
    (root / f"figures/{stem}.json").write_text(json.dumps(card, ensure_ascii=False), "utf-8")


def pages(root: Path, **options):
    """Both pages, parsed."""
    return [LexborHTMLParser(path.read_text("utf-8")).root for path in write_report(root, root, **options)]


def text_of(element) -> str:
    return " ".join(element.text().split())


def packed(page, selector: str):
    """What lies packed in an element of the page."""
    return json.loads(zlib.decompress(base64.b64decode(json.loads(page.css(selector)[0].text()))))


def ids(page) -> list[str]:
    return [section.attributes.get("id") for section in page.css("main > section")]


# ---- the page -------------------------------------------------------------------------------------------------------


def test_the_parts_stand_in_their_order_in_both_languages(made):
    _, zh, en = made
    order = ["findings", "changes", "chapter-01", "search", "methods", "limits", "dictionary", "sources"]
    assert ids(zh) == ids(en) == order
    assert [text_of(page.css(f"#{s} > h2")[0]) for page in (zh, en) for s in order[:3]] == [
        "发现了什么", "较上次有何变化", "01 收到什么？", "What we found", "What changed", "01 What came?"]
    assert [text_of(page.css("#methods .prose")[0]) for page in (zh, en)] == ["方法段。", "A method."]
    assert [page.attributes.get("lang") for page in (zh, en)] == ["zh-CN", "en"]
    assert [page.css(".language")[0].attributes.get("href") for page in (zh, en)] == ["index.en.html", "index.html"]
    contents = [a.attributes.get("href") for a in zh.css(".contents a")]
    assert contents == ["#findings", "#changes", "#chapter-01", "#chapter-01-1", "#search", "#methods", "#limits",
                        "#dictionary", "#sources"]


def test_only_cells_of_the_language_are_kept(made):
    _, zh, en = made
    assert "引言。" in text_of(zh)
    assert "An opening." not in text_of(zh)
    assert "An opening." in text_of(en)
    assert "引言。" not in text_of(en)
    assert "secret" not in text_of(zh)


def test_the_title_block_states_period_size_newest_article_and_build(made):
    _, zh, en = made
    facts = [text_of(dd) for dd in zh.css(".facts dd")]
    assert facts[:3] == ["2025—2026", "4篇文章，4个语句转载合并后3篇稿件；另有1篇不在研究范围", "2026-01-13"]
    assert re.match(r"^[0-9a-f]{12}", facts[3])
    assert zh.css(".facts code")[0].text() == en.css(".facts code")[0].text()


def test_findings_come_first_with_badge_numbers_and_the_statements_behind_them(made):
    _, zh, en = made
    first = zh.css("#findings > *")[1]
    assert first.attributes.get("class") == "findings"
    assert not zh.css("#findings h3")  # the heading that stood alone above them has gone
    finding = zh.css("#finding-first")[0]
    assert text_of(finding.css(".sentence")[0]) == "风险居首，占37.5%。"
    number = finding.css(".sentence a.number")[0]
    assert (number.text(), number.attributes.get("href")) == ("37.5%", "#evidence-first")
    assert text_of(finding.css(".badge summary")[0]) == "稳健性 1/2"
    assert [text_of(li) for li in finding.css(".badge li")] == ["去重：有变", "按篇：不变"]
    assert [text_of(li) for li in finding.css(".numbers li")] == ["37.5%：3/8"]
    drawer = finding.css("#evidence-first")[0]
    assert text_of(drawer.css("summary")[0]) == "依据：2个语句"
    assert [text_of(s) for s in drawer.css(".statement")] == [
        "化解中小银行风险。 标题0，刊发媒体不详，2026-01-10，全国 0.md",
        "北京提出化解风险。 标题3，财经，2026-01-13，原文 3.md"]
    assert [mark.text() for mark in drawer.css("mark")] == ["化解", "北京"]
    assert text_of(en.css("#finding-first .numbers li")[0]) == "37.5%: 3 of 8"
    assert finding.css(".see")[0].attributes.get("href") == "#figure-coverage"


def test_the_drawer_tells_what_numbers_count_and_repeats_no_words_of_the_sentence(project):
    """Of four, two say more than the sentence: one its fraction, one its definition."""
    zh = "有11个提法，“好房子”占3.0%，为4.2倍。"
    rows = [{"zh": zh, "en": zh, "evidence": ["a0-001"], "numbers": [
        {"zh": "11个", "en": "11个", "n": 11}, {"zh": "“好房子”", "en": "“好房子”"},
        {"zh": "3.0%", "en": "3.0%", "n": 3, "of": 1000, "definition": {"zh": "占全部语句", "en": "of all"}},
        {"zh": "4.2倍", "en": "4.2倍", "definition": {"zh": "实际除以应有", "en": "observed over expected"}}]}]
    execute(project, "02-found", [*title("空", "Nothing"), interface([], []), shows("f", display.findings(rows))])
    zh, en = pages(project)
    assert [text_of(li) for li in zh.css(".numbers li")] == ["3.0%：3/1,000，占全部语句", "4.2倍：实际除以应有"]
    assert [text_of(li) for li in en.css(".numbers li")] == ["3.0%: 3 of 1,000, of all",
                                                            "4.2倍: observed over expected"]


def cited_finding(project: Path) -> list:
    """A finding with numbers on two themes and a term, each with the statements behind it; both pages."""
    texts = ["化解中小银行风险。", "风险处置要稳。", "支持小微企业。", "北京提出化解风险。"]
    numbers = [
        {"zh": "10%", "en": "10%", "cell": {"what": "theme", "theme": "a_theme", "year": 2025, "side": "national"},
         "evidence": ["a0-001", "a3-001"]},
        {"zh": "20%", "en": "20%", "cell": {"what": "theme", "theme": "b_theme", "year": -1, "side": "all"},
         "evidence": ["a1-001", "a0-001"]},
        {"zh": "“小微”", "en": "“小微”", "cell": {"what": "term_stories", "term": "小微", "year": 2026},
         "evidence": ["a2-001"]},
        {"zh": "30%", "en": "30%", "cell": {"what": "binding", "year": 2026}, "evidence": ["a3-001"]}]
    rows = [{"id": "f", "zh": "10%，20%，“小微”，30%。", "en": "10%, 20%, “小微”, 30%.", "numbers": numbers}]
    path = project / "data/processed/statements.parquet"
    spans = {"a0-001": [["a_theme", 0, 2], ["b_theme", 6, 8]], "a1-001": [["a_theme", 0, 2], ["b_theme", 2, 4]],
             "a2-001": [["a_theme", 0, 2]], "a3-001": [["b_theme", 0, 2]]}
    frame = pd.read_parquet(path)
    assert set(frame["text"]) == set(texts)
    pq.write_table(pa.Table.from_pylist([{**row, "evidence": json.dumps(spans[row["statement_id"]])}
                                         for row in pq.read_table(path).to_pylist()]), path)
    execute(project, "02-found", [*title("空", "Nothing"), interface([], []), shows("f", display.findings(rows))])
    return pages(project)


def test_each_statement_says_which_number_it_is_behind_and_marks_the_words_of_that_theme(project):
    zh, en = cited_finding(project)
    # Order of citing: a0 (10% and 20%), a3 (10% and 30%, whose wording is not marked), a1 (20%), a2 (the term).
    assert [text_of(e) for e in zh.css("#evidence-f .behind")] == [
        "佐证：10%（甲题，2025年，总局）；20%（乙题）", "佐证：10%（甲题，2025年，总局）；30%（2026年）",
        "佐证：20%（乙题）", "佐证：“小微”（2026年）"]
    assert [text_of(e) for e in en.css("#evidence-f .behind")][:2] == [
        "Evidence for 10% (First theme, 2025, national regulator); 20% (Second theme)",
        "Evidence for 10% (First theme, 2025, national regulator); 30% (2026)"]
    assert [[m.text() for m in s.css("mark")] for s in zh.css("#evidence-f .statement")] == [
        ["化解", "风险"], [], ["处置"], ["小微"]]


def test_of_each_number_the_first_statement_is_printed_and_at_least_three(project):
    """Of a0 (first of 10%), a3 (of 30%), a1 (of 20%) and a2 (of the term) all; of a list of four the first three."""
    zh, _ = cited_finding(project)
    first = [["first" in s.attributes["class"].split() for s in zh.css(f"{drawer} .statement")]
             for drawer in ("#evidence-f",)]
    assert first == [[True] * 4]
    assert not zh.css("#evidence-f .printed")
    rows = [{"id": "f", "zh": "1，2", "en": "1, 2", "evidence": ["a0-001", "a1-001", "a2-001", "a3-001"], "numbers": [
        {"zh": "1", "en": "1", "evidence": ["a2-001", "a0-001"]}, {"zh": "2", "en": "2", "evidence": ["a3-001"]}]}]
    execute(project, "02-found", [*title("空", "Nothing"), interface([], []), shows("f", display.findings(rows))])
    zh, _ = pages(project)
    assert ["first" in s.attributes["class"].split() for s in zh.css("#evidence-f .statement")] == [
        True, False, True, True]
    assert text_of(zh.css("#evidence-f .printed")[0]) == "，列出3个"


@pytest.mark.parametrize(("sentence", "numbers", "linked"), [
    ("3 quoted terms, 12 of them", ["3 quoted", "12"], ["3", "12"]),
    ("“X” (blow-ups; 5) leads", ["“X” (blow-ups; 5)"], ["“X” (blow-ups; 5)"]),
    ("由1.5%升至11.5%，另由1.5%升至2%", ["1.5%", "11.5%", "1.5%", "2%"], ["1.5%", "11.5%", "1.5%", "2%"]),
    ("共15句，5句", ["5句", "15句"], ["15句", "5句"]),
    ("第3位，第3位", ["第3位"], ["第3位"]), ("2,016与16", ["16"], ["16"]),
])
def test_every_number_of_a_sentence_is_linked_where_it_stands(project, sentence, numbers, linked):
    rows = [{"zh": sentence, "en": sentence, "numbers": [{"zh": n, "en": n} for n in numbers]}]
    execute(project, "02-found", [*title("空", "Nothing"), interface([], []), shows("f", display.findings(rows))])
    shown = pages(project)[0].css(".sentence")[0]
    assert text_of(shown) == sentence
    assert [a.text() for a in shown.css("a")] == linked
    before = shown.html.split("<a ")
    assert all(not part.rstrip("<")[-1:].isdigit() for part in before[:-1])


@pytest.mark.parametrize(("number", "wraps"), [("22.4%", False), ("116条语句", False), (
    "“五大监管” (five kinds of supervision; 4 of the 9 stories)", True)])
def test_a_long_number_of_a_sentence_wraps_on_a_phone_and_a_short_one_stays_on_its_line(
        browser, project, number, wraps):
    rows = [{"zh": number, "en": number, "numbers": [{"zh": number, "en": number}]}]
    execute(project, "02-found", [*title("空", "Nothing"), interface([], []), shows("f", display.findings(rows))])
    for path in write_report(project, project):
        browser.size(390, 844, mobile=True)
        browser.open(path)
        assert browser.run("document.documentElement.scrollWidth") <= 390
        assert browser.run("document.querySelector('.sentence .number').getClientRects().length > 1") is wraps


def test_a_long_table_folds_and_an_empty_one_says_so(browser, project):
    execute(project, "02-found", [
        *title("空", "Nothing"), interface([], []), shows("1", display.table(pd.DataFrame({"a": range(30)}))),
        shows("2", display.table(pd.DataFrame({"a": []})))])
    path = write_report(project, project)[0]
    browser.size(1440, 1000)
    browser.open(path)
    rows = "[...document.querySelectorAll('#chapter-02 .table.long tbody tr')].filter((r) => r.offsetHeight).length"
    assert browser.run(rows) == 12
    browser.run("document.querySelector('.unfold').click()")
    assert browser.run(rows) == 30
    assert browser.run("document.querySelectorAll('#chapter-02 .table tbody')[1].textContent.trim()") == "（没有）"


def test_a_table_wider_than_a_phone_keeps_its_caption_and_its_short_first_column_readable(browser, project):
    frame = pd.DataFrame({"fate": ["页面杂项"], "rule": ["正文区以外的网页文字"], "n": [7], "text": ["样例很长" * 20]})
    columns = {name: {"zh": name, "en": name} for name in frame}
    shown = display.table(frame, columns, caption={"zh": "各条规则去掉的内容" * 4, "en": "What each rule removed " * 4})
    execute(project, "01-clean", [*title("去掉什么？", "What goes?"), interface([], []), shows("table", shown)])
    pages(project)
    browser.size(390, 900)
    try:
        browser.open(project / "report/index.html")
        caption, lines = browser.run(
            "((t, r) => (r.selectNodeContents(t.tBodies[0].rows[0].cells[0]),"
            " [t.caption.getBoundingClientRect().right, r.getClientRects().length]))"
            "(document.querySelector('#chapter-01 .table table'), document.createRange())")
        assert caption <= 390
        assert lines == 1
    finally:
        browser.size(1440, 1000)


def test_a_figure_has_alt_caption_reading_and_its_files(made):
    project, zh, en = made
    figure = zh.css("figure")[0]
    image = figure.css("img")[0]
    assert [image.attributes.get(name) for name in ("alt", "width", "height")] == ["柱形图。", "16", "9"]
    png = (project / "figures/coverage.zh.png").read_bytes()
    assert base64.b64decode(image.attributes.get("src").split(",")[1]) == png
    caption = [text_of(p) for p in figure.css("figcaption > p")]
    assert caption == ["图1 覆盖 怎么读：看高低。", "来源：风向；2021—2026；n=1,234；编号abcd1234"]
    english = next(text_of(p) for p in en.css("figcaption > p"))
    assert english == "Figure 1 Coverage How to read it: Look at the height."
    files = json.loads(figure.css("script.files")[0].text())
    kept = zlib.decompress(base64.b64decode(files["pdf"])).decode("utf-8")
    pieces = packed(zh, "#pieces")
    whole = re.sub("\ue000(\\d+)\ue001", lambda m: pieces[int(m[1])], kept)
    assert whole.encode("latin-1") == (project / "figures/coverage.zh.pdf").read_bytes()
    assert files["csv"].encode("utf-8") == (project / "figures/coverage.csv").read_bytes()
    assert files["columns"] == {"年": "年度", "数": "语句（句）"}
    assert [b.attributes.get("data-format") for b in figure.css("button")] == ["png", "svg", "pdf", "csv"]
    # shown a second time, it is referred to and not embedded again
    assert [figure.attributes["id"] for figure in zh.css("figure")] == ["figure-coverage", "figure-second"]
    assert text_of(zh.css("#chapter-01 p.see")[0]) == "覆盖（图1，见上文）"


def test_a_drawing_too_large_for_the_page_stays_in_the_folder(made, project, monkeypatch):
    files = json.loads(made[1].css("figure")[0].css("script.files")[0].text())
    assert {"svg", "pdf"} <= set(files)
    monkeypatch.setattr(report, "DRAWN_BYTES", len(files["svg"]) + len(files["pdf"]) - 1)
    figure = pages(project)[0].css("figure")[0]
    assert set(files) - set(json.loads(figure.css("script.files")[0].text())) == {"svg", "pdf"}
    assert [b.attributes.get("data-format") for b in figure.css("button")] == ["png", "csv"]
    assert "SVG、PDF太大，不放进本页，见figures文件夹里的coverage.zh" in text_of(figure)


@pytest.mark.parametrize(("value", "classes"), [
    ("2026-02-09", "short"), ("Liaoning", "short"), ("辽宁、大连", "short"), ("爆雷", "short"),
    ("中小金融机构风险化解", None), ("Inclusive finance", None), ("这句话说得很长" * 6, "text")])
def test_cells_are_kept_on_a_line_by_how_wide_they_are_not_by_the_language_of_the_page(project, value, classes):
    shown = display.table(pd.DataFrame({"a": ["x"], "b": [value]}))
    execute(project, "01-clean", [*title("画什么？", "What is drawn?"), interface([], []), shows("table", shown)])
    for page in pages(project):
        cell, = page.css("#chapter-01 .table tbody td")
        assert cell.attributes.get("class") == classes


def test_a_figure_that_was_not_made_is_said(project):
    (project / "figures/coverage.json").unlink()
    zh, _ = pages(project)
    assert text_of(zh.css("#chapter-01 .missing")[0]) == "图“coverage”没有生成。"


def test_a_table_can_be_walked_by_a_screen_reader(made):
    _, zh, en = made
    table = zh.css("#chapter-01 table")[0]
    assert text_of(table.css("caption")[0]) == "形态"
    assert [(th.text(), th.attributes.get("scope")) for th in table.css("thead th")] == [("形态", "col"), ("数", "col")]
    assert [(th.attributes.get("scope"), text_of(th)) for th in table.css("tbody th")] == [
        ("row", "x"), ("row", "y （样本过少）")]
    assert [tr.attributes.get("class") for tr in table.css("tbody tr")] == [None, "thin"]
    assert [th.text() for th in en.css("#chapter-01 thead th")] == ["Shape", "Number"]


def test_code_is_folded_below_what_it_shows_and_cells_that_show_nothing_fold_with_the_next(made):
    _, zh, _ = made
    blocks = [(e.tag, e.attributes.get("class")) for e in zh.css("#chapter-01 > *")][1:]
    assert blocks == [("div", "prose"), ("div", "table"), ("details", "code"), ("div", "prose"), ("p", "see"),
                      ("details", "code"), ("div", "prose"), ("details", "code"), ("details", "flow")]
    first = zh.css("#chapter-01 details.code")[0]
    assert first.attributes.get("open") is None
    assert text_of(first.css("summary")[0]) == "代码（2行）"
    assert [pre.text() for pre in first.css("pre")] == ["frame = 1", "frame + 1"]
    assert [text_of(dd) for dd in zh.css("#chapter-01 .flow dd")] == ["data/raw", "figures/coverage", "top = 30"]


def test_sources_are_cited_newest_first_and_only_the_web_is_linked(made):
    _, zh, _ = made
    assert [text_of(li) for li in zh.css(".sources li")] == [
        "2026-01-13 标题3，财经，摘编自《某局发布〈办法〉》，原文 3.md", "2026-01-12 标题2，刊发媒体不详，原文 2.md",
        "2026-01-11 标题1，财经，原文 1.md", "2026-01-10 标题0，刊发媒体不详 0.md"]
    outward = [a for a in zh.css("a") if not a.attributes.get("href").startswith(("#", "index"))]
    assert {a.attributes.get("href")[:20] for a in outward} == {"https://example.org/"}
    assert {a.attributes.get("rel") for a in outward} == {"noopener noreferrer external"}


def test_the_dictionary_lists_every_column_of_every_table(made):
    _, zh, en = made
    for page in (zh, en):
        listed = [th.text() for th in page.css("#dictionary tbody th")]
        assert listed == [column.name for table in TABLES.values() for column in table.columns]


def test_the_search_holds_all_statements_with_their_years_regions_and_themes(made):
    _, zh, en = made
    data = packed(zh, "#lens-data")
    assert data["articles"] == [["标题3", "财经", "2026-01-13", "source-a3"], ["标题2", "", "2026-01-12", "source-a2"],
                                ["标题1", "财经", "2026-01-11", "source-a1"], ["标题0", "", "2026-01-10", "source-a0"]]
    assert (data["regions"], data["themes"]) == (["全国", "北京"], ["乙题", "甲题"])
    assert [o.text() for o in zh.css("#lens-year option")] == ["全部年度", "2025", "2026", "年度不详"]
    assert data["statements"] == [[0, 0, [], [0], "北京提出化解风险。"], [1, 2025, [1, 0], [], "支持小微企业。"],
                                  [2, 2026, [1], [1, 0], "风险处置要稳。"], [3, 2025, [0], [1], "化解中小银行风险。"]]
    english = packed(en, "#lens-data")
    assert (english["regions"], english["themes"]) == (["National", "Beijing"], ["Second theme", "First theme"])
    assert "本页内含全部4个语句。" in text_of(zh.css("#search")[0])


def test_a_large_corpus_is_sampled_by_a_stated_rule_whatever_the_order_of_its_statements(tmp_path, monkeypatch):
    texts = [f"第{i}句话。" for i in range(400)]
    root = make_project(tmp_path / "p", texts)
    monkeypatch.setattr(report, "LENS_BYTES", 5000)
    zh, _ = pages(root)
    kept = {tuple(s[4:]) for s in packed(zh, "#lens-data")["statements"]}
    assert 60 < len(kept) < 150
    assert f"语料共400个语句，本页内含其中{len(kept)}个" in text_of(zh.css("#search")[0])
    table = pq.read_table(root / "data/processed/statements.parquet")
    pq.write_table(table.take(list(reversed(range(400)))), root / "data/processed/statements.parquet")
    again, _ = pages(root)
    assert {tuple(s[4:]) for s in packed(again, "#lens-data")["statements"]} == kept


def test_texts_can_be_withheld(project):
    (project / "data/processed/quantities.csv").write_text(QUOTED, "utf-8-sig")
    page = pages(project, withhold_text=True)[0]
    assert not page.css("#quoted")
    assert "原文不随报告发布，检索从缺" in text_of(page.css("#search")[0])
    assert not page.css("#lens-data")
    assert "风险处置要稳" not in page.html
    quoted = [text_of(q) for q in page.css("blockquote")]
    assert quoted
    assert all(len(q) <= report.SHORT_QUOTE + 2 for q in quoted)
    assert "引文至多40字（标点不计），标题至多100字" in text_of(page.css(".masthead")[0])
    assert "source texts are withheld" not in text_of(pages(project)[1])


def test_withheld_texts_are_in_no_table_no_prose_no_code_and_no_title(tmp_path):
    long = "".join(chr(0x4E00 + 7 * i) for i in range(60))
    root = make_project(tmp_path, [long, "短句。", f"小{long}", "北京提出化解风险。"])
    table = pq.read_table(root / "data/processed/articles.parquet").to_pylist()
    table[2]["title"] = "题" * 120
    pq.write_table(pa.Table.from_pylist(table), root / "data/processed/articles.parquet")
    execute(root, "03-more", [
        *title("引文", "Quotations"), interface([], []), markdown(f"有文称：{long}。", "lang-zh"),
        shows(f"found = '{long}'", display.table(pd.DataFrame({"句": [long, "短句。"]}),
                                                 caption={"zh": long, "en": "b"})),
        shows("p", display.prose(display.literal(long), long)),
        shows("e", display.evidence([{"text": long, "spans": [(0, 2), (35, 55)], "title": "标题0"}])),
        shows("f", display.metrics([{"zh": "最长", "en": "Longest", "value": long}]))])
    whole, withheld = pages(root), pages(root, withhold_text=True)
    assert all(long in page.html for page in whole)
    for page in withheld:
        text = text_of(page)
        assert long[:40] in text
        assert long[:41] not in text
        assert long[20:] not in page.html
        assert "题" * 100 + "……" in text
        assert "题" * 101 not in page.html


def test_parts_that_are_not_there_are_said_in_a_sentence(project):
    shutil.rmtree(project / "data")
    shutil.rmtree(project / "codebook")
    execute(project, "02-found", [*title("空", "Nothing"), interface([], [])])
    zh, en = pages(project)
    assert "没有找到文章表" in text_of(zh.css(".masthead")[0])
    assert "没有找到语句表" in text_of(zh.css("#search")[0])
    assert "This build states no findings" in text_of(en.css("#findings")[0])
    assert "sources" not in ids(zh)


def test_a_finding_that_cites_what_is_not_there_is_refused(project):
    execute(project, "02-found", [interface([], []), shows("f", display.findings(
        [{"zh": "甲", "en": "A", "evidence": ["a9-001"]}]))])
    with pytest.raises(UserError, match="finding F1 cites the statement a9-001, which the table of statements does"):
        pages(project)


def test_a_notebook_that_has_not_run_is_refused(project):
    write_notebook(project, "03-more", [interface([], [])])
    with pytest.raises(UserError, match=r"notebooks/03-more\.ipynb: has not been run in this output folder"):
        pages(project)


# ---- one file, nothing fetched, nothing acts ------------------------------------------------------------------------


def check_self_contained(page) -> None:
    style, = page.css("style")
    scripts = [s for s in page.css("script") if s.attributes.get("type") != "application/json"]
    assert len(scripts) == 1
    policy = page.css("meta[http-equiv=Content-Security-Policy]")[0].attributes.get("content")
    hashes = [base64.b64encode(hashlib.sha256(e.text().encode()).digest()).decode() for e in (style, scripts[0])]
    assert policy == (f"default-src 'none'; img-src data:; style-src 'sha256-{hashes[0]}'; "
                      f"script-src 'sha256-{hashes[1]}'; base-uri 'none'; form-action 'none'")
    assert "url(" not in style.text()
    assert "@import" not in style.text()
    for element in page.css("*"):
        names = set(element.attributes)
        assert not [n for n in names if n.startswith("on") or n in ("style", "srcset", "action", "formaction")]
        assert element.attributes.get("src", "data:image/png;base64,").startswith("data:image/png;base64,")
        assert element.tag not in ("iframe", "object", "embed", "base", "svg", "math")
        if element.tag == "link":
            assert (element.attributes.get("rel"), element.attributes.get("href")) == ("icon", "data:,")
        elif element.attributes.get("href"):
            assert re.match(r"#|https?://|index(\.en)?\.html$", element.attributes.get("href"))
    every = [e.attributes.get("id") for e in page.css("*") if e.attributes.get("id")]
    assert len(every) == len(set(every))
    for link in page.css("a"):
        if link.attributes.get("href").startswith("#"):
            assert link.attributes.get("href")[1:] in every, link.attributes.get("href")
    for name in ("aria-labelledby", "aria-describedby", "for"):
        for element in page.css(f"[{name}]"):
            assert element.attributes.get(name) in every
    assert all(image.attributes.get("alt") for image in page.css("img"))
    assert len(page.css("h1")) == 1
    levels = [int(e.tag[1]) for e in page.css("h1, h2, h3, h4, h5, h6")]
    assert all(b <= a + 1 for a, b in pairwise(levels))


def test_the_page_is_self_contained_and_its_policy_fits_it(made):
    for page in made[1:]:
        check_self_contained(page)


def hostile_project(root: Path) -> Path:
    root = make_project(root, [p + "。" for p in PAYLOADS])
    articles = pq.read_table(root / "data/processed/articles.parquet").to_pylist()
    for i, article in enumerate(articles):
        for j, name in enumerate(("title", "publisher", "url", "date", "source_title", "source_file")):
            article[name] = encodable(PAYLOADS[(i + j) % len(PAYLOADS)])
    pq.write_table(pa.Table.from_pylist(articles), root / "data/processed/articles.parquet")
    (root / "codebook/themes.yml").write_text(json.dumps({
        "groups": [{"id": "g", "name_zh": PAYLOADS[0], "name_en": "x"}],
        "themes": [{"code": "a_theme", "name_zh": PAYLOADS[1], "name_en": PAYLOADS[3], "group": "g"}]}), "utf-8")
    write_figure(root, "coverage", **{name: {"zh": PAYLOADS[i], "en": PAYLOADS[-3 - i]} for i, name in enumerate(
        ("title", "alt", "how_to_read", "source"))})
    (root / "figures/coverage.csv").write_text("a,b\n" + "".join(f'"{encodable(p).replace(chr(34), chr(34) * 2)}",1\n'
                                                                 for p in PAYLOADS), "utf-8-sig")
    cells = []
    for payload in PAYLOADS:
        both = {"zh": payload, "en": payload}
        cells += [
            markdown(encodable(payload), "lang-zh"), code(encodable(payload)),
            {**code("1"), "outputs": [{"output_type": "stream", "name": "stdout", "text": encodable(payload)},
                                      output({"text/html": encodable(payload), "text/plain": encodable(payload)}),
                                      output({display.FIGURE: {"stem": encodable(payload)}})]},
            shows("2", display.prose(payload, payload)), shows("3", display.prose(display.literal(payload), "x")),
            shows("4", display.table(pd.DataFrame({encodable(payload): [encodable(payload)]}), caption=both,
                                     note=both)),
            shows("5", display.metrics([{**both, "value": payload, "note": both}])),
            shows("6", display.evidence([{"text": encodable(payload), "spans": [(1, 3)], "title": payload,
                                          "url": payload, "source_file": payload}], both)),
            shows("7", display.findings([{**both, "id": payload, "detail": both, "caveat": both, "evidence": ["a1-001"],
                                          "numbers": [{**both, "definition": both}], "badge": payload}]))]
    execute(root, "01-clean", [*title(encodable(PAYLOADS[0]), encodable(PAYLOADS[3])), interface(
        [PAYLOADS[0]], [], {PAYLOADS[2]: PAYLOADS[1]}), *cells])
    execute(root, "02-found", [*title("空", "Nothing"), interface([], []), {
        **code("draw()"), "outputs": [output({display.FIGURE: {"stem": "coverage"}})]}])
    return root


def test_hostile_text_shows_and_does_not_act(tmp_path):
    for page in pages(hostile_project(tmp_path / "p")):
        check_self_contained(page)
        shown = page.text()
        for payload in PAYLOADS:
            assert " ".join(display.visible(payload).split()) in " ".join(shown.split()), payload
        source = page.html
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", source)


@pytest.mark.parametrize(("url", "safe"), [
    ("https://a.example/x?y=1#z", True), ("http://a.example", True), ("https://金融.example/文", True),
    ("javascript:alert(1)", False), ("JAVASCRIPT:alert(1)", False), (" https://a.example", False),
    ("data:text/html,x", False),
    ("//a.example", False), ("https:///x", False), ("https://a.example/\u202e", False), ("ftp://a.example", False),
    ("https://a.example/\"onclick=1", False), ("https://a.example/\n", False), ("https://[", False), ("", False),
    (None, False), ("https://a.example/" + "x" * 2000, False), ("file:///etc/passwd", False),
])
def test_only_plain_web_addresses_are_linked(url, safe):
    assert safe_url(url) == (url if safe else None)


@given(st.text(), st.lists(st.tuples(st.integers(-3, 20), st.integers(-3, 20)), max_size=4))
def test_marking_keeps_the_text_and_covers_just_the_spans(text, spans):
    fragment = str(marked(text, spans))
    assert htmllib.unescape(re.sub("</?mark>", "", fragment)) == display.visible(text)
    inside = {i for start, end in spans for i in range(max(start, 0), min(end, len(text)))}
    kept = "".join(htmllib.unescape(m) for m in re.findall("<mark>(.*?)</mark>", fragment, re.S))
    assert kept == display.visible("".join(text[i] for i in sorted(inside)))


def test_prose_reads_as_chinese_is_written():
    prose = Prose("c")
    assert str(prose("**“强监管”**的占比为**37%：**三成\n第二行")) == \
        "<p><strong>“强监管”</strong>的占比为<strong>37%：</strong>三成第二行</p>\n"
    assert str(prose("line one\nline two")) == "<p>line one\nline two</p>\n"
    assert str(prose("- 甲\n- 乙\n  丙")) == "<ul>\n<li>甲</li>\n<li>乙丙</li>\n</ul>\n"
    assert str(prose("[甲](https://a.example) [乙](javascript:x) [丙](#d) ![丁](https://a.example/p.png)")) == (
        '<p><a href="https://a.example" rel="noopener noreferrer external">甲</a> 乙 <a href="#d">丙</a> 丁</p>\n')
    assert str(prose("<b>x</b>")) == "<p>&lt;b&gt;x&lt;/b&gt;</p>\n"
    assert str(prose("# 一\n## 二\n### 三")) == '<h3 id="c-1">一</h3>\n<h3 id="c-2">二</h3>\n<h4 id="c-3">三</h4>\n'
    assert prose.headings == [(3, "c-1", "一"), (3, "c-2", "二"), (4, "c-3", "三")]
    assert "style" not in str(prose("|a|b|\n|--:|---|\n|1|2|"))


def test_markdown_of_ill_will_takes_no_time():
    import time

    for evil in ("**" * 20000, "[" * 20000, "*a " * 20000, "> " * 2000 + "x", "`" * 20000, "**a" * 20000, "|" * 20000):
        start = time.perf_counter()
        Prose("c")(evil)
        assert time.perf_counter() - start < 5, evil[:6]


# ---- the same bytes, and no work for nothing ------------------------------------------------------------------------


def test_the_same_inputs_give_the_same_bytes_in_another_folder(tmp_path):
    one, two = make_project(tmp_path / "一"), make_project(tmp_path / "b" / "two")
    for a, b in zip(write_report(one, one), write_report(two, two), strict=True):
        assert a.read_bytes() == b.read_bytes()
        assert str(tmp_path).encode() not in a.read_bytes()


def test_nothing_is_written_when_nothing_has_changed(project):
    lines = []
    paths = write_report(project, project, log=lines.append)
    assert [line.split()[0] for line in lines] == ["report/index.html", "report/index.en.html"]
    before = [path.stat().st_mtime_ns for path in paths]
    assert write_report(project, project, log=lines.append) == paths
    assert [path.stat().st_mtime_ns for path in paths] == before
    assert len(lines) == 2
    changes = [lambda: (project / "figures/coverage.csv").write_text("a\n1\n"), paths[1].unlink,
               lambda: (project / "codebook/regions.yml").write_text("regions: []\n"),
               lambda: paths[0].write_text("changed by hand")]
    for n, change in enumerate(changes, 2):
        change()
        write_report(project, project, log=lines.append)
        assert len(lines) == 2 * n
    write_report(project, project, withhold_text=True, log=lines.append)
    assert len(lines) == 2 * len(changes) + 4


def test_the_page_without_figures_is_small(made):
    for path in write_report(made[0], made[0]):
        assert path.stat().st_size < 150_000


# ---- words ----------------------------------------------------------------------------------------------------------


def test_every_label_is_in_both_languages_with_the_same_blanks_and_is_used():
    zh, en = report.labels("zh"), report.labels("en")
    used = "".join((report.TEMPLATE / name).read_text("utf-8") for name in ("index.html.j2", "script.js"))
    used += Path(report.__file__).read_text("utf-8")
    for key in zh:
        assert set(re.findall(r"\{(\w+)\}", zh[key])) == set(re.findall(r"\{(\w+)\}", en[key])), key
        assert re.search(rf"\b{key}\b", used), f"{key} is used nowhere"
        assert key.startswith("other_language") or not re.search(r"[\u4e00-\u9fff]", en[key]), key
    template = (report.TEMPLATE / "index.html.j2").read_text("utf-8")
    assert set(re.findall(r"\bt\.(\w+)", template)) | set(re.findall(r"\bsay\([\"'](\w+)", template)) <= set(zh)


def test_the_english_page_has_no_chinese_of_its_own(made):
    _, _, en = made
    def own(node) -> str:
        if node.tag == "-text":
            return node.text()
        names = node.attributes
        skipped = node.tag == "script" or names.get("lang") == "zh-CN" or names.get("class") == "file"
        return "" if skipped else "".join([own(child) for child in node.iter(include_text=True)])

    data = {"全国", "北京", "标题", "财经", "某局发布", "办法"}
    words = set(re.findall(r"[\u4e00-\u9fff]+", own(en.css("body")[0])))
    from_tables = set(re.findall(r"[\u4e00-\u9fff]+", " ".join(
        text for table in TABLES.values() for text in (table.row_en, *(column.en for column in table.columns)))))
    assert words <= data | from_tables


# ---- as people use it -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture
def opened(browser, made):
    """The Chinese page of the small project in a browser; at the end it must have had nothing to complain of."""
    browser.problems.clear()
    browser.requests.clear()
    browser.size(1440, 1000)
    page = made[0] / "report/index.html"
    browser.open(page)
    yield browser
    browser.run("0")
    assert browser.problems == []
    assert {url.split("#")[0] for url in browser.requests} <= {page.as_uri(), "about:blank"}


def search(browser, words="", **filters) -> tuple[str, str, list[str]]:
    """What the search says and finds: count, warning, sentences."""
    chosen = {"year": "", "region": "", "theme": "", **filters}
    browser.run("document.querySelector('#lens-words').value = " + json.dumps(words))
    for name, label in chosen.items():
        browser.run(f"(() => {{ const s = document.querySelector('#lens-{name}'), label = {json.dumps(label)}; "
                    "s.value = label && [...s.options].find((o) => o.text === label).value; })()")
    browser.run("document.querySelector('.lens-count').textContent = '…'")
    browser.run("document.querySelector('.lens').dispatchEvent(new Event('submit', {cancelable: true}))")
    browser.run("(async () => { while (document.querySelector('.lens-count').textContent === '…') "
                "await new Promise((r) => setTimeout(r, 10)); })()")
    return (browser.run("document.querySelector('.lens-count').textContent"),
            browser.run("document.querySelector('.lens-warning').textContent"),
            browser.run("[...document.querySelectorAll('.lens-results blockquote')].map((e) => e.textContent)"))


def test_search_counts_with_its_denominator_and_warns_when_it_is_small(opened):
    assert search(opened) == ("", "", [])
    count, warning, found = search(opened, "风险")
    assert count == "范围内4个语句中有3个（75.0%），出自3篇文章。"
    assert warning == "分母不足30个语句，比例不宜引用或比较。"
    assert found == ["北京提出化解风险。", "风险处置要稳。", "化解中小银行风险。"]
    assert search(opened, "化解 风险", year="2025")[0] == "范围内2个语句中有1个（50.0%），出自1篇文章。"
    assert search(opened, "", region="北京", theme="甲题")[2] == ["风险处置要稳。"]
    assert search(opened, "", region="无归属")[2] == ["北京提出化解风险。"]
    assert search(opened, "", theme="无主题")[0] == "范围内4个语句中有1个（25.0%），出自1篇文章。"
    assert search(opened, "", year="年度不详", region="全国")[0] == "所选年度、地区没有语句。"
    assert opened.run("document.querySelectorAll('.lens-results mark').length") == 0
    search(opened, "风险")
    assert opened.run("[...document.querySelectorAll('.lens-results mark')].map((m) => m.textContent)") == ["风险"] * 3


GLOSSES = """# term = English
风险 = risk
中小银行 = small and mid-sized banks
小微企业 = micro and small businesses
银行风险 = bank risk
制造业 = manufacturing
"""


@pytest.fixture(scope="module")
def glossed(tmp_path_factory):
    root = make_project(tmp_path_factory.mktemp("glossed"), [*SENTENCES[:3], "北京用AI化解风险。"])
    (root / "codebook/terms_en.txt").write_text(GLOSSES, "utf-8")
    return root, *pages(root)


def foreign(browser, words, **filters) -> str:
    search(browser, words, **filters)
    return browser.run("document.querySelector('.lens-foreign').textContent")


def test_an_english_query_is_told_that_the_texts_are_chinese_and_looks_for_the_listed_term(browser, glossed):
    browser.open(glossed[0] / "report/index.en.html")
    assert packed(glossed[2], "#lens-data")["glosses"] == [  # of these, those that stand in the texts
        ["中小银行", "small and mid-sized banks"], ["小微企业", "micro and small businesses"],
        ["银行风险", "bank risk"], ["风险", "risk"]]
    assert search(browser, "Risks")[2] == ["北京用AI化解风险。", SENTENCES[1], SENTENCES[0]]
    assert foreign(browser, "Risks").startswith(
        "The texts are in Chinese: “Risks” does not stand in those in range. What is listed is the search for "
        "“风险” (risk) instead.")
    others = "[...document.querySelectorAll('.lens-foreign button')].map((button) => button.textContent)"
    assert browser.run(others) == ["银行风险"]
    assert search(browser, "small businesses")[2] == [SENTENCES[2]]
    assert search(browser, "micro risk")[2] == []  # both terms in one sentence
    assert "“小微企业” (micro and small businesses), “风险” (risk)" in foreign(browser, "micro risk")
    count, _, found = search(browser, "manufacturing")
    assert (count, found) == ("0 of the 4 statements in range (0.0%), from 0 articles.", [])
    assert foreign(browser, "manufacturing") == (
        "The texts are in Chinese: “manufacturing” does not stand in those in range.")
    assert search(browser, "AI")[2] == ["北京用AI化解风险。"]
    assert [foreign(browser, words) for words in ("AI", "风险", "没有", "2019", "")] == [""] * 5
    browser.open(glossed[0] / "report/index.html")
    assert foreign(browser, "risk").startswith("原文是中文，范围内没有“risk”。以下改查词表里的“风险”（risk）。")


def test_one_is_told_in_the_singular(browser, glossed):
    browser.open(glossed[0] / "report/index.en.html")
    assert search(browser, "小微")[0] == "1 of the 4 statements in range (25.0%), from 1 article."
    assert search(browser, "风险", year="2026", region="Beijing")[0] == (
        "1 of the 1 statement in range (100.0%), from 1 article.")
    assert text_of(glossed[2].css(".facts small")[0]) == (
        "3 stories once reprints are merged; 1 more article out of scope")


QUOTED = """statement_id,article_id,year,regions,themes,value,value_high,unit,kind,approx,change,against,what,quantity,\
start,end,text
a0-001,a0,2025,全国,,10.0,,亩,count,,,,林地,10亩,5,8,x
a1-001,a1,2026,北京,,4350000000.0,,元,amount,nearly,up,同比,贷款,近43.5亿元,5,12,x
a1-001,a1,2026,北京,,10.0,20.0,家,count,,,,,十至二十家,13,18,x
zz-001,zz,2026,,,1.0,,家,count,,,,,1家,0,2,x
"""
QUOTING = ["\u202e𠮷，林地10亩。", "一批贷款达近43.5亿元，十至二十家。", "支持小微企业。", "没有数字。"]


@pytest.fixture(scope="module")
def quoting(tmp_path_factory):
    root = make_project(tmp_path_factory.mktemp("quoting"), QUOTING)
    (root / "data/processed/quantities.csv").write_text(QUOTED, "utf-8-sig")
    return root, *pages(root)


def test_quoted_figures_are_in_the_page_without_their_sentences(quoting):
    _, zh, en = quoting
    kept = packed(zh, "#quoted-data")
    sentences = [s[4] for s in packed(zh, "#lens-data")["statements"]]
    found = [sentences[s].encode("utf-16-le")[2 * a:2 * b].decode("utf-16-le")
             for s, a, b in zip(kept["statement"], kept["start"], kept["end"], strict=True)]
    assert found == ["近43.5亿元", "十至二十家", "10亩"]  # newest article first; marks made visible shift the place
    assert (kept["value"], kept["high"]) == ([4350000000, 10, 10], [None, 20, None])
    assert [kept["words"]["kind"][k] for k in kept["kind"]] == ["金额", "件数", "件数"]
    assert "共3个数字，出自2个语句。 它们是可检索的语句里的；语料全部4个见" in text_of(zh.css("#quoted")[0])
    assert [o.text() for o in en.css("#quoted-kind option")] == ["Any or none", "amount of money", "count of things"]
    assert "quoted" in ids(zh)


def find_quoted(browser, words="", **filters) -> tuple[str, list[list[str]]]:
    """What the search over quoted figures says, and the head and sentence of each it lists."""
    chosen = {"year": "", "region": "", "kind": "", **filters}
    browser.run("document.querySelector('#quoted-words').value = " + json.dumps(words))
    for name, label in chosen.items():
        browser.run(f"(() => {{ const s = document.querySelector('#quoted-{name}'), label = {json.dumps(label)}; "
                    "s.value = label && [...s.options].find((o) => o.text === label).value; })()")
    browser.run("document.querySelector('.quoted-count').textContent = ''")
    browser.run("document.querySelector('.quoted').dispatchEvent(new Event('submit', {cancelable: true}))")
    browser.run("(async () => { while (!document.querySelector('.quoted-count').textContent) "
                "await new Promise((r) => setTimeout(r, 10)); })()")
    return (browser.run("document.querySelector('.quoted-count').textContent"),
            browser.run("[...document.querySelectorAll('.quoted-results li')].map((li) => ["
                        "li.querySelector('.quoted-head').textContent, li.querySelector('blockquote').textContent])"))


def test_quoted_figures_are_searched_and_exported(browser, quoting):
    browser.problems.clear()
    browser.open(quoting[0] / "report/index.html")
    count, rows = find_quoted(browser)
    assert count == "查到3个数字，出自2个语句、2篇文章。"
    assert rows == [["近43.5亿元 贷款 4,350,000,000元，近，同比升，北京，2026", QUOTING[1]],
                    ["十至二十家 10—20家，北京，2026", QUOTING[1]],
                    ["10亩 林地 全国，2025", "[U+202E]" + QUOTING[0][1:]]]
    assert find_quoted(browser, "贷款 二十")[1] == rows[:2]  # in the sentence or in what is counted
    assert find_quoted(browser, kind="件数", region="北京")[1] == rows[1:2]
    assert find_quoted(browser, year="2025")[1] == rows[2:]
    assert find_quoted(browser, "没有") == ("没有查到这样的数字。", [])
    find_quoted(browser, "贷款", kind="金额")
    marks = "[...document.querySelectorAll('.quoted-results mark')].map((m) => m.textContent)"
    assert browser.run(marks) == ["近43.5亿元"]
    browser.run("window.saved = []; URL.createObjectURL = (blob) => { window.saved.push(blob); return 'blob:x'; }; "
                "HTMLAnchorElement.prototype.click = function () { window.saved.at(-1).asked = this.download; }; "
                "document.querySelector('.quoted-save').click()")
    content = browser.run("window.saved[0].arrayBuffer().then((b) => btoa(String.fromCharCode(...new Uint8Array(b))))")
    lines = list(csv.reader(io.StringIO(base64.b64decode(content).decode("utf-8-sig"))))
    assert lines == [
        ["原文", "所数的对象", "数值", "上限", "单位", "种类", "约数", "升降", "对比", "语句的工作年度", "地区", "语句",
         "文章", "媒体", "日期"],
        ["近43.5亿元", "贷款", "4350000000", "", "元", "金额", "近", "升", "同比", "2026", "北京", QUOTING[1], "标题1",
         "财经", "2026-01-11"]]
    assert browser.run("window.saved[0].asked") == "引用的数字.csv"
    browser.run("0")
    assert browser.problems == []


def test_units_of_quoted_figures_are_told_in_english(browser, quoting):
    """A measure word that has no English stands as it is; an English query is told that the texts are Chinese."""
    browser.open(quoting[0] / "report/index.en.html")
    count, rows = find_quoted(browser)
    assert count == "3 figures found, in 2 statements of 2 articles."
    assert [head for head, _ in rows] == ["近43.5亿元 贷款 4,350,000,000 yuan, nearly, a rise 同比, Beijing, 2026",
                                          "十至二十家 10–20家, Beijing, 2026",
                                          "10亩 林地 10 mu (1/15 ha), National, 2025"]
    assert find_quoted(browser, "林地")[0] == "1 figure found, in 1 statement of 1 article."
    assert find_quoted(browser, "loans") == ("No such figures.", [])
    assert "The texts are in Chinese" in browser.run("document.querySelector('.quoted-foreign').textContent")


@pytest.mark.parametrize("width", [1440, 390])
def test_the_sentence_of_a_quoted_figure_is_in_view(browser, quoting, width):
    try:
        browser.size(width, 900, mobile=width < 500)
        for page in ("index.html", "index.en.html"):
            browser.open(quoting[0] / "report" / page)
            find_quoted(browser)
            right = browser.run("Math.max(...[...document.querySelectorAll('.quoted-results li *')].map("
                                "(e) => e.getBoundingClientRect().right))")
            assert 0 < right <= width
    finally:
        browser.size(1440, 1000)


def test_files_are_handed_over_as_they_are_on_disk(opened, made):
    opened.run("window.saved = []; URL.createObjectURL = (blob) => { window.saved.push(blob); return 'blob:x'; }; "
               "HTMLAnchorElement.prototype.click = function () { window.saved.at(-1).asked = this.download; }")
    for name, suffix in (("coverage.zh", "png"), ("coverage.zh", "svg"), ("coverage.zh", "pdf"), ("coverage", "csv")):
        opened.run("(async () => { const n = window.saved.length; "
                   f"document.querySelector('figure button[data-format={suffix}]').click(); "
                   "while (window.saved.length === n) await new Promise((r) => setTimeout(r, 10)); })()")
        content = opened.run("window.saved.at(-1).arrayBuffer().then("
                             "(b) => btoa(String.fromCharCode(...new Uint8Array(b))))")
        assert base64.b64decode(content) == (made[0] / f"figures/{name}.{suffix}").read_bytes()
        assert opened.run("window.saved.at(-1).asked") == f"{name}.{suffix}"


def test_what_figures_share_is_kept_once(made):
    _, zh, _ = made
    shared = packed(zh, "#pieces")
    assert shared == ["0 0 m 1 1 l é" * 3, '<path id="shared" d="M0 0\nL1 1" transform="scale(.1)"/>']
    kept = [zlib.decompress(base64.b64decode(json.loads(s.text())["svg"])).decode() for s in zh.css("script.files")]
    assert kept == [f'<svg>\ue0001\ue001<path id="{stem}" d="M1"/><use href="#shared"/>风</svg>'
                    for stem in ("coverage", "second")]


def test_the_plotted_data_open_as_a_table(opened, made):
    opened.run("new Promise((done) => { const d = document.querySelector('figure details.data'); "
               "d.addEventListener('toggle', () => setTimeout(done)); d.open = true; })")
    table = opened.run("[...document.querySelectorAll('figure details.data tr')].map("
                       "(row) => [...row.cells].map((cell) => cell.textContent))")
    rows = list(csv.reader(io.StringIO((made[0] / "figures/coverage.csv").read_text("utf-8-sig"))))
    assert table == [["年度", "语句（句）"], *rows[1:]]


CODED = """theme,theme_zh,theme_en,region,year,share,q,n,thin,grade,theme_a,a_zh,a_en
x,甲题,First,北京,-1,10.44776119,0.00000123,123456,True,rose,x,甲,A
y,乙题,Second,全国,2026,-0.004,1,2,False,,y,乙,B
"""


@pytest.mark.parametrize(("page", "shown"), [
    ("index.html", [["甲题", "北京", "各年合计", "10.4", "<0.001", "123,456", "是", "上升", "甲"],
                    ["乙题", "全国", "2026", ">−0.1", "1.000", "2", "否", "", "乙"]]),
    ("index.en.html", [["First", "Beijing", "all years", "10.4", "<0.001", "123,456", "yes", "rose", "A"],
                       ["Second", "National", "2026", ">−0.1", "1.000", "2", "no", "", "B"]])])
def test_plotted_data_are_shown_in_words_of_the_page_with_few_digits(browser, project, page, shown):
    (project / "figures/coverage.csv").write_text(CODED, "utf-8-sig")
    card = json.loads((project / "figures/coverage.json").read_text("utf-8"))
    card["columns"] = {name: {"zh": "栏" + name, "en": "c " + name} for name in CODED.splitlines()[0].split(",")}
    card["columns"]["share"]["unit"] = "百分点 points"
    (project / "figures/coverage.json").write_text(json.dumps(card), "utf-8")
    write_report(project, project)
    browser.open(project / "report" / page)
    browser.run("document.querySelector('#figure-coverage details.data').open = true")
    browser.run("(async () => { while (!document.querySelector('.data td')) "
                "await new Promise((r) => setTimeout(r, 10)); })()")
    heads, *rows = browser.run("[...document.querySelectorAll('#figure-coverage .data tr')].map("
                               "(row) => [...row.cells].map((cell) => cell.textContent))")
    names = ["theme", "region", "year", "share", "q", "n", "thin", "grade", "a"]
    for head, name in zip(heads, names, strict=True):
        assert re.fullmatch(rf"(栏|c ){name}(_zh|_en)?(（百分点）| \(points\))?", head)
    assert ("（百分点）" in heads[3]) is (page == "index.html")
    assert rows == shown
    kept = json.loads(LexborHTMLParser((project / "report" / page).read_text("utf-8")).css("script.files")[0].text())
    assert kept["csv"] == "\ufeff" + CODED  # the file to download keeps every digit


def test_units_of_plotted_data_are_in_the_language_of_the_page(project):
    """A measure word has no English: there the heading says what is counted."""
    units = {"a": "次", "b": "次/万词次", "c": "天", "d": "%", "e": "天 days", "g": "",
             "f": {"zh": "篇", "en": "articles"}}
    card = json.loads((project / "figures/coverage.json").read_text("utf-8"))
    card["columns"] = {name: {"zh": "栏", "en": "column", "unit": unit} for name, unit in units.items()}
    (project / "figures/coverage.json").write_text(json.dumps(card), "utf-8")
    zh, en = (json.loads(page.css("#figure-coverage script.files")[0].text())["columns"] for page in pages(project))
    assert zh == {"a": "栏（次）", "b": "栏（次/万词次）", "c": "栏（天）", "d": "栏（%）", "e": "栏（天）",
                  "f": "栏（篇）", "g": "栏"}
    assert en == {"a": "column", "b": "column", "c": "column (days)", "d": "column (%)", "e": "column (days)",
                  "f": "column (articles)", "g": "column"}


@pytest.mark.parametrize("width", [1440, 390])
def test_plotted_data_with_many_columns_scroll_in_their_place(browser, project, width):
    names = [f"column_{i}" for i in range(30)]
    (project / "figures/coverage.csv").write_text(",".join(names) + "\n" + ",".join(names), "utf-8-sig")
    card = json.loads((project / "figures/coverage.json").read_text("utf-8"))
    card["columns"] = {name: {"zh": name, "en": name} for name in names}
    (project / "figures/coverage.json").write_text(json.dumps(card), "utf-8")
    write_report(project, project)
    browser.size(width, 900, mobile=width < 500)
    browser.open(project / "report/index.html")
    browser.run("document.querySelectorAll('details.data').forEach((d) => { d.open = true; })")
    browser.run("(async () => { while (!document.querySelector('.data td')) "
                "await new Promise((r) => setTimeout(r, 10)); })()")
    assert browser.run("document.querySelector('.data table').scrollWidth") > width
    assert browser.run("document.documentElement.scrollWidth") <= width


def wide_table(project: Path, columns: int = 12, rows: int = 2) -> Path:
    """The Chinese page with a table in chapter 01 of a first column that is text, and numbers."""
    frame = pd.DataFrame({f"c{i}": [f"甲{row}" if i == 0 else 1000 + row for row in range(rows)]
                          for i in range(columns)})
    shown = display.table(frame, caption={"zh": "各条规则", "en": "Every rule"})
    execute(project, "01-clean", [*title("收到什么？", "What came?"), interface([], []), shows("t", shown)])
    return write_report(project, project)[0]


SETTLED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"
HINTS = ("[...document.querySelectorAll('.swipe')].filter((e) => e.offsetHeight).map((e) => "
         "[e.parentElement.tagName, e.textContent])")


@pytest.mark.parametrize(("page", "hints"), [
    ("index.html", [["FIGURE", "左右滑动看全图"], ["FIGURE", "左右滑动看全图"], ["CAPTION", "左右滑动看全表"]]),
    ("index.en.html", [["FIGURE", "Swipe sideways to see all of it"]] * 2
     + [["CAPTION", "Swipe sideways to see all of it"]])])
def test_a_box_that_scrolls_sideways_says_so_and_is_a_stop_for_the_keyboard_and_no_other_is(
        browser, project, page, hints):
    wide_table(project)
    small = "document.querySelector('#dictionary details .scroll')"
    boxes = "[...document.querySelectorAll('.plate, .table .scroll')].map((e) => e.tabIndex)"
    try:
        browser.size(390, 844, mobile=True)
        browser.open(project / "report" / page)
        browser.run(SETTLED)
        assert browser.run(HINTS) == hints
        assert browser.run(boxes) == [0, 0, 0]
        browser.size(1440, 1000)
        browser.run(SETTLED)
        assert browser.run(HINTS) == []
        assert browser.run(boxes) == [-1, -1, -1]
        browser.run("document.querySelector('#dictionary details').open = true")
        browser.run(SETTLED)
        assert browser.run(f"{small}.tabIndex") == -1
    finally:
        browser.size(1440, 1000)


def test_a_figure_wider_than_the_screen_is_offered_on_its_own(browser, project):
    path = wide_table(project)
    shown = "[...document.querySelectorAll('.whole')].filter((e) => !e.hidden).map((e) => e.textContent)"
    try:
        browser.size(390, 844, mobile=True)
        browser.open(path)
        browser.run(SETTLED)
        assert browser.run(shown) == ["看大图"] * 2
        assert browser.run("document.querySelector('.whole').closest('figure').id") == "figure-coverage"
        browser.run("URL.createObjectURL = (blob) => { window.blob = blob; return 'blob:x'; }; "
                    "window.open = (...given) => { window.opened = given; }; "
                    "document.querySelector('#figure-coverage .whole button').click()")
        assert browser.run("[...window.opened, window.blob.type]") == ["blob:x", "_blank", "image/png"]
        content = browser.run("window.blob.arrayBuffer().then((b) => btoa(String.fromCharCode(...new Uint8Array(b))))")
        assert base64.b64decode(content) == (project / "figures/coverage.zh.png").read_bytes()
        browser.size(1440, 1000)
        browser.run(SETTLED)
        assert browser.run(shown) == []
    finally:
        browser.size(1440, 1000)


@pytest.mark.parametrize("selector", ["#chapter-01 .scroll", "#figure-coverage .plate"])
def test_the_edge_that_hides_something_is_shaded_even_without_a_script(browser, project, tmp_path, selector):
    """How dark the box is at its right edge, beside the same place once it is scrolled to the end."""
    from PIL import Image

    Image.new("RGB", (1280, 500), "#FCFBF9").save(project / "figures/coverage.zh.png")
    path = wide_table(project)
    static = path.with_name("static.html")
    static.write_text(re.sub(r"<script>.*?</script>", "", path.read_text("utf-8"), flags=re.S), "utf-8")
    found = []
    try:
        browser.size(390, 844, mobile=True)
        browser.open(static)
        x, y = browser.run(f"(() => {{ const box = document.querySelector('{selector}'); "
                           "box.scrollIntoView({block: 'center', behavior: 'instant'}); "
                           "const r = box.getBoundingClientRect(); return [r.right - 2, r.bottom - 12]; })()")
        for left in (0, 9999):
            browser.run(f"document.querySelector('{selector}').scrollLeft = {left}")
            browser.run(SETTLED)
            browser.picture(tmp_path / "x.png")
            found.append(Image.open(tmp_path / "x.png").convert("L").getpixel((round(x), round(y))))
    finally:
        browser.size(1440, 1000)
    hidden, whole = found
    assert hidden < whole - 20
    assert whole > 245


def test_the_first_column_and_the_caption_stay_in_view(browser, project):
    path = wide_table(project)
    lefts = ("[...document.querySelectorAll('#chapter-01 caption, #chapter-01 :is(th, td):first-child')].map("
             "(e) => Math.round(e.getBoundingClientRect().left))")
    second = "document.querySelector('#chapter-01 td').getBoundingClientRect().left"
    try:
        browser.size(390, 844, mobile=True)
        browser.open(path)
        before, moves = browser.run(lefts), browser.run(second)
        browser.run("document.querySelector('#chapter-01 .scroll').scrollLeft = 100")
        assert len(before) == 4
        assert browser.run(lefts) == before
        assert browser.run(second) == moves - 100
    finally:
        browser.size(1440, 1000)


def test_the_title_of_a_figure_stands_once_in_the_picture_or_above_it(browser, project):
    """A picture of 8 inches, with a title of 1 line and a subtitle: 0.12 + 16.5·1.32/72 + 0.04 + 9.5·1.5/72 inches, and
    half of the air below them."""
    from PIL import Image

    Image.new("P", (1280, 960)).save(project / "figures/coverage.zh.png")
    path = write_report(project, project)[0]
    shown = ("['title', 'subtitle'].map((n) => document.querySelector(`#figure-coverage .figure-${n}`)).map("
             "(e) => e.offsetHeight > 8 ? e.textContent : '')")
    cut = ("(() => { const p = document.querySelector('#figure-coverage .plate'), i = p.firstElementChild; const a = "
           "p.getBoundingClientRect(), b = i.getBoundingClientRect(); return [(a.top + p.clientTop - b.top) / b.width, "
           "a.bottom - b.bottom < 2, b.width]; })()")
    try:
        for width in (390, 820):
            browser.size(width, 844, mobile=True)
            browser.open(path)
            assert browser.run(shown) == ["覆盖", "篇"]
            share, whole_foot, wide = browser.run(cut)
            assert share == pytest.approx((0.12 + 16.5 * 1.32 / 72 + 0.04 + 9.5 * 1.5 / 72 + 0.08) / 8, abs=0.001)
            assert whole_foot
            assert wide >= 640
        browser.size(1440, 1000)
        browser.open(path)
        assert browser.run(shown) == ["", ""]
        assert browser.run(cut)[0] == 0
    finally:
        browser.size(1440, 1000)


@pytest.mark.parametrize("width", [1440, 768, 390])
def test_the_word_of_a_concordance_is_in_the_middle_and_what_is_before_it_ends_at_it(browser, project, width):
    frame = pd.DataFrame({"left": ["前", "前文较长的一行话"], "term": ["化解", "风险处置"],
                          "right": ["后文也有一些话", "后"], "title": ["标题一", "标题二"],
                          "date": ["2026-01-01", None]})
    names = {"left": {"zh": "前文", "en": "before"}, "term": {"zh": "词", "en": "word"},
             "right": {"zh": "后文", "en": "after"}, "title": {"zh": "文章", "en": "article"},
             "date": {"zh": "日期", "en": "date"}}
    execute(project, "01-clean", [*title("索引", "Lines"), interface([], []), shows("k", display.table(frame, names))])
    path = write_report(project, project)[0]
    try:
        browser.size(width, 900, mobile=width < 500)
        browser.open(path)
        found = browser.run("""[...document.querySelectorAll('.lines tbody tr')].map((row) => {
            const box = row.parentElement.getBoundingClientRect();
            const [left, term, right, source] = [...row.cells].map((cell) => {
                const range = document.createRange(); range.selectNodeContents(cell);
                return range.getBoundingClientRect();
            });
            return {middle: (term.left + term.right) / 2 - (box.left + box.right) / 2, gap: term.left - left.right,
                    after: right.left - term.right, below: source.top >= term.bottom - 3, room: box.right - right.right,
                    source: row.cells[3].textContent};
        })""")
    finally:
        browser.size(1440, 1000)
    assert [row["source"] for row in found] == ["标题一，2026-01-01", "标题二"]
    for row in found:
        assert abs(row["middle"]) < 1
        assert 0 < row["gap"] < 20
        assert 0 < row["after"] < 20
        assert row["below"]
        assert row["room"] >= 0


@pytest.mark.parametrize(("page", "labels"), [
    ("index.html", ["次数：", "例句："]), ("index.en.html", ["count: ", "text: "])])
def test_on_a_phone_a_row_with_a_sentence_is_a_block_and_nothing_of_it_is_out_of_view(browser, project, page, labels):
    frame = pd.DataFrame({"term": ["中小金融机构", "白名单"], "n": [12345, 2], "text": ["这一句说得很长很长" * 8] * 2})
    names = {"term": {"zh": "词", "en": "term"}, "n": {"zh": "次数", "en": "count", "format": ",d"},
             "text": {"zh": "例句", "en": "text"}}
    execute(project, "01-clean", [*title("词", "Terms"), interface([], []), shows("t", display.table(frame, names))])
    write_report(project, project)
    seen = ("[...document.querySelectorAll('.cards td')].map((c) => getComputedStyle(c, '::before').content."
            "replace(/^\"|\"$/g, ''))")
    wide = ("[...document.querySelectorAll('.cards td.text')].map((c) => { const r = c.getBoundingClientRect(); "
            "return r.left >= 0 && r.right <= innerWidth && r.width > innerWidth * 0.8; })")
    try:
        browser.size(390, 844, mobile=True)
        browser.open(project / "report" / page)
        assert browser.run(seen) == labels * 2
        assert browser.run(wide) == [True, True]
        assert browser.run("document.querySelector('.cards').getAttribute('role')") == "table"
        assert browser.violations() == []
        browser.size(1440, 1000)
        assert set(browser.run(seen)) == {"none"}
        assert browser.run("getComputedStyle(document.querySelector('.cards tr')).display") == "table-row"
    finally:
        browser.size(1440, 1000)


def test_grey_rows_are_explained_beside_a_sample_of_the_grey(browser, made):
    for page, note in (("index.html", "灰色：样本过少，不作比较"),
                       ("index.en.html", "Grey: too few cases to be compared")):
        browser.open(made[0] / "report" / page)
        colours = browser.run("(() => { const s = document.querySelector('#chapter-01 .swatch'); return ["
                              "getComputedStyle(s).backgroundColor, s.offsetWidth > 5, s.parentElement.textContent, "
                              "getComputedStyle(document.querySelector('tr.thin td')).color]; })()")
        assert colours == [colours[3], True, note, colours[3]]


def test_marks_that_meet_are_set_close_and_text_stays_as_it_is(browser, project):
    sentence = "“严禁”“必须”，与“**鼓励”**（软）；`”“`。“甲”x"
    execute(project, "01-clean", [*title("措辞", "Wording"), interface([], []),
                                  shows("p", display.prose(sentence, "x"))])
    browser.open(write_report(project, project)[0])
    box = "document.querySelector('#chapter-01 .prose')"
    assert browser.run(f"{box}.textContent.trim()") == re.sub(r"[`*]", "", sentence)
    met = ("(e) => { const r = document.createRange(); r.setStartAfter(e); r.setEndAfter(e.closest('p').lastChild); "
           "return e.textContent + r.toString()[0]; }")
    assert browser.run(f"[...{box}.querySelectorAll('.half')].map({met})") == ["”“", "”，", "”（"]
    assert browser.run("window.find('”“必须”')")


def test_a_phone_page_serves_those_who_do_not_see_it(browser, project):
    wide_table(project)
    for page in ("index.html", "index.en.html"):
        browser.size(390, 844, mobile=True)
        browser.open(project / "report" / page)
        browser.run(SETTLED)
        assert browser.violations() == []
    browser.size(1440, 1000)


def test_tables_that_fit_a_page_are_printed_on_one_with_their_captions(browser, project, tmp_path):
    """Twenty tables of 7 rows, which would be cut somewhere, and fifteen long ones, which are cut: not below a caption,
    a head or a first row, and the head is printed again."""
    import pdfplumber

    logging.getLogger("pdfminer").setLevel(logging.ERROR)
    tables = [shows(f"t{n}", display.table(
        pd.DataFrame({"name": [f"T{n}R{row}E" for row in range(rows)], "n": range(rows)}),
        {"name": {"zh": f"H{n}E", "en": "x"}, "n": {"zh": "n", "en": "n"}}, caption=f"C{n}E", max_rows=99))
        for n, rows in enumerate([7] * 20 + [*range(23, 38)])]
    execute(project, "01-clean", [*title("收到什么？", "What came?"), interface([], []), *tables])
    browser.size(1440, 1000)
    browser.open(write_report(project, project)[0])
    browser.pdf(tmp_path / "print.pdf")
    with pdfplumber.open(tmp_path / "print.pdf") as pdf:
        texts = [page.extract_text() for page in pdf.pages]
    on = [[i for i, text in enumerate(texts) if re.search(rf"C{n}E|H{n}E|T{n}R\d+E", text)] for n in range(35)]
    assert [len(pages) for pages in on[:20]] == [1] * 20
    assert len({pages[0] for pages in on[:20]}) > 2
    assert max(map(len, on[20:])) > 1
    for n in range(20, 35):
        assert f"C{n}E" in texts[on[n][0]]
        assert all(f"H{n}E" in texts[i] and len(re.findall(rf"T{n}R\d+E", texts[i])) >= 2 for i in on[n])


@pytest.mark.parametrize(("columns", "texts"), [(9, 1), (7, 2)])
def test_tables_of_many_columns_fit_a_desktop_page(browser, project, columns, texts):
    """As wide as the widest tables of the report: quoted amounts, and the wording of regions."""
    words = ["Inner Mongolia", "a share of all new loans to small firms in the province, up from last year"]
    frame = pd.DataFrame({f"c{i}": [words[bool(i)] if i < texts else 2_300_000] for i in range(columns)})
    names = {name: {"zh": "占比下限", "en": "share of all", **({"format": ",d"} if i >= texts else {})}
             for i, name in enumerate(frame)}
    execute(project, "01-clean", [*title("收到什么？", "What came?"), interface(["data/raw"], ["figures/coverage"]),
                                  shows("frame", display.table(frame, names))])
    browser.size(1440, 1000)
    for path in write_report(project, project):
        browser.open(path)
        wide, room = browser.run("(() => { const s = document.querySelector('.table .scroll'); "
                                 "return [s.scrollWidth, s.clientWidth]; })()")
        assert wide <= room, path.name


def test_headings_break_between_words(browser, project):
    browser.size(390, 844, mobile=True)
    execute(project, "01-clean", [*title("各地方局的话有多少同总局此前的话一样", "What came?"),
                                  interface(["data/raw"], ["figures/coverage"]), code("frame = 1")])
    browser.open(write_report(project, project)[0])
    lines = browser.run("""(() => {
        const range = document.createRange(), lines = [];
        let last = null;
        const walker = document.createTreeWalker(document.querySelector("#chapter-01 > h2"), NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) for (let i = 0; i < walker.currentNode.length; i++) {
            range.setStart(walker.currentNode, i); range.setEnd(walker.currentNode, i + 1);
            const top = Math.round(range.getBoundingClientRect().bottom / 8);
            if (top !== last) lines.push("");
            last = top;
            lines[lines.length - 1] += walker.currentNode.data[i];
        }
        return lines;
    })()""")
    assert len(lines) > 1
    assert not [line for line in lines if line.startswith(("少", "样", "局", "前"))], lines
    assert browser.run("document.documentElement.scrollWidth") <= 390


def test_a_number_opens_the_drawer_behind_it_and_the_code_switch_opens_all_code(opened):
    assert opened.run("document.querySelector('#evidence-first').open") is False
    opened.run("document.querySelector('.sentence a.number').click()")
    opened.run("new Promise((done) => setTimeout(done, 50))")
    assert opened.run("document.querySelector('#evidence-first').open") is True
    assert opened.run("document.activeElement === document.querySelector('#evidence-first summary')") is True
    opened.run("document.documentElement.style.scrollBehavior = 'auto'")  # else the page may still be moving
    shown = "[...document.querySelectorAll('details.code')].filter((e) => e.offsetHeight).length"
    assert opened.run(shown) == 0
    assert opened.run("document.querySelector('#code-switch').textContent") == "显示代码（共6行）"
    for pressed in ("true", "false"):
        opened.run("document.querySelector('#chapter-01 > h2').scrollIntoView({behavior: 'instant'})")
        opened.run(SETTLED)
        place = "document.querySelector('#chapter-01 > h2').getBoundingClientRect().top"
        before, height = opened.run(f"[{place}, document.body.offsetHeight]")
        opened.run("document.querySelector('#code-switch').click()")
        opened.run(SETTLED)
        assert (opened.run(shown) > 0) is (pressed == "true")
        assert abs(opened.run("document.body.offsetHeight") - height) > 50
        assert opened.run(place) == pytest.approx(before, abs=1)
        assert opened.run("document.querySelector('#code-switch').getAttribute('aria-pressed')") == pressed
        assert opened.run("[...document.querySelectorAll('details.code')].every((d) => d.open)") is (pressed == "true")


def test_contents_mark_the_section_being_read(opened):
    for section in ("chapter-01", "search", "findings"):
        opened.run(f"document.getElementById('{section}').scrollIntoView({{behavior: 'instant'}})")
        opened.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        current = opened.run("[...document.querySelectorAll('.contents [aria-current]')].map((a) => a.hash)")
        assert current == [f"#{section}"]


def test_the_first_tab_stop_skips_to_the_content(opened):
    opened.call("Input.dispatchKeyEvent", type="keyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9)
    opened.call("Input.dispatchKeyEvent", type="keyUp", key="Tab", code="Tab", windowsVirtualKeyCode=9)
    assert opened.run("document.activeElement.className") == "skip"
    assert opened.run("document.activeElement.hash") == "#main"


def test_the_other_language_opens_at_the_same_place(opened, made):
    opened.run("location.hash = '#chapter-01'")
    opened.run("(() => { const link = document.querySelector('.language'); "
               "link.addEventListener('click', (e) => e.preventDefault()); link.click(); })()")
    assert opened.run("document.querySelector('.language').href") == (
        made[0] / "report/index.en.html").as_uri() + "#chapter-01"


@pytest.mark.parametrize(("width", "height"), [(1440, 1000), (1024, 768), (390, 844), (320, 640)])
def test_nothing_makes_the_page_scroll_sideways(browser, made, width, height):
    for path in write_report(made[0], made[0]):
        browser.size(width, height, 2, mobile=width < 500)
        browser.open(path)
        assert browser.run("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_is_too_wide_for_the_printed_page(browser, made, language):
    """Browsers shrink the whole print until its widest line fits, be it one web address."""
    width = round((210 - 2 * 18) / 25.4 * 96)
    browser.size(width, 1000)
    browser.call("Emulation.setEmulatedMedia", media="print")
    try:
        browser.open(made[0] / {"zh": "report/index.html", "en": "report/index.en.html"}[language])
        assert browser.run("document.documentElement.scrollWidth") <= width
        assert browser.run("getComputedStyle(document.querySelector('.sources a[href^=http]'), '::after').content"
                           ".includes('https://example.org/')")
    finally:
        browser.call("Emulation.setEmulatedMedia", media="")


def test_a_long_concordance_unfolds_in_print_as_lines(browser, project):
    frame = pd.DataFrame({name: [name] * 30 for name in ("left", "term", "right", "title")})
    execute(project, "01-clean", [*title("索引", "Lines"), interface([], []),
                                  shows("k", display.table(frame, caption="索引", file="data/processed/k.csv"))])
    browser.open(write_report(project, project)[0])
    kinds = "[...new Set([...document.querySelectorAll('.lines tbody tr')].map((r) => getComputedStyle(r).display))]"
    assert sorted(browser.run(kinds)) == ["grid", "none"]
    browser.call("Emulation.setEmulatedMedia", media="print")
    try:
        assert browser.run(kinds) == ["grid"]
    finally:
        browser.call("Emulation.setEmulatedMedia", media="")


def test_a_table_that_is_cut_names_the_file_it_is_in(project):
    shown = display.table(pd.DataFrame({"a": range(9)}), max_rows=3, file="data/processed/nine.csv")
    execute(project, "01-clean", [*title("表", "Table"), interface([], []), shows("t", shown)])
    zh, en = (page.css("#chapter-01 .table .quiet")[0] for page in pages(project))
    assert text_of(zh) == "共9行，列出前3行。全部见data/processed/nine.csv。"
    assert text_of(en) == "9 rows, the first 3 shown. All of them are in data/processed/nine.csv."


def test_a_finding_is_printed_on_one_page_with_its_badge_and_the_first_sentences_behind_it_follow(
        browser, project, tmp_path):
    """Twelve findings of four statements each, which would be cut somewhere."""
    import pdfplumber

    logging.getLogger("pdfminer").setLevel(logging.ERROR)
    rows = [{"id": f"f{n}", "zh": f"H{n}E " + "长句" * 30, "en": "x", "badge": {"holds": n, "of": 99},
             "evidence": ["a0-001", "a1-001", "a2-001", "a3-001"]} for n in range(12)]
    execute(project, "02-found", [*title("空", "Nothing"), interface([], []), shows("f", display.findings(rows))])
    browser.open(write_report(project, project)[0])
    browser.pdf(tmp_path / "print.pdf")
    with pdfplumber.open(tmp_path / "print.pdf") as pdf:
        texts = [unicodedata.normalize("NFKC", page.extract_text()) for page in pdf.pages]
    pieces = [re.findall(r"H(\d+)E|(?<= )(\d+)/99|(列出3个)|(a\d\.md|\b\d\.md)", text) for text in texts]
    found, pages_of, headed = [], {}, None
    for page, matches in enumerate(pieces):
        for head, badge, shown, file in matches:
            if head:
                found.append([])
                pages_of[len(found) - 1] = page
            elif found and len(found[-1]) < 5:
                if file:  # sentences may stand on the next page, but none alone without what they are
                    assert page == pages_of[len(found) - 1] or len(found[-1]) > 2 or page == headed
                else:
                    headed = page
                    assert page == pages_of[len(found) - 1] or shown
                assert page - pages_of[len(found) - 1] < 2
                found[-1].append(badge or shown or file)
    assert [row[:2] for row in found] == [[str(n), "列出3个"] for n in range(12)]
    assert all(row[2:] == ["0.md", "1.md", "2.md"] for row in found)
    assert len(set(pages_of.values())) > 2


def test_a_tall_picture_is_printed_within_62_percent_of_a_page_and_its_caption_may_go_on_on_the_next(
        browser, project, tmp_path):
    """Paper of A4 with margins of 20 mm: 257 mm to print on. A picture as tall as may be leaves room for a part of a
    long caption only."""
    import pdfplumber
    from PIL import Image

    logging.getLogger("pdfminer").setLevel(logging.ERROR)
    long = " ".join(f"W{i}W" for i in range(500))
    write_figure(project, "coverage", how_to_read={"zh": long, "en": long})
    for language in ("zh", "en"):
        Image.new("P", (900, 1600), 1).save(project / f"figures/coverage.{language}.png")
    browser.open(write_report(project, project)[1])
    browser.pdf(tmp_path / "print.pdf")
    with pdfplumber.open(tmp_path / "print.pdf") as pdf:
        height = max(image["height"] for page in pdf.pages for image in page.images) / 72 * 25.4
        words = [re.findall(r"W(\d+)W", page.extract_text()) for page in pdf.pages]
        pictured = [any(image["height"] > 200 for image in page.images) for page in pdf.pages]
    assert 0.4 * 257 < height <= 0.62 * 257
    assert sorted(int(n) for page in words for n in page) == list(range(500))
    assert len([page for page in words if page]) == 2
    assert words[pictured.index(True)][0] == "0"  # the caption begins below its picture


def test_it_prints_with_page_numbers_and_without_controls(opened, tmp_path):
    import pdfplumber

    opened.pdf(tmp_path / "print.pdf")
    logging.getLogger("pdfminer").setLevel(logging.ERROR)
    with pdfplumber.open(tmp_path / "print.pdf") as pdf:
        texts = [page.extract_text() for page in pdf.pages]
    assert len(texts) > 1
    assert texts[1].rstrip().endswith(f"2 / {len(texts)}")
    whole = unicodedata.normalize("NFKC", "".join(texts))
    assert "居首,占37.5%" in whole
    for control in ("显示代码", "PNG", "检索语句", "关键词", "清除条件", "行)"):
        assert control not in whole
    assert "依据:2个语句" in whole
    assert "北京提出化解" in whole  # the sentences behind a finding are printed with it
    assert "3/8" not in whole
    assert "statement_id" in whole  # the data dictionary is printed in full


def test_hostile_text_does_not_act_in_a_browser(browser, tmp_path):
    root = hostile_project(tmp_path / "p")
    browser.problems.clear()
    browser.requests.clear()
    for path in write_report(root, root):
        browser.size(1440, 1000)
        browser.open(path)
        search(browser, "<")
        browser.run("for (const d of document.querySelectorAll('details')) d.open = true")
        browser.run("new Promise((done) => setTimeout(done, 50))")
        assert browser.run("typeof window.acted") == "undefined"
        assert browser.run("document.querySelectorAll('.lens-results li').length") > 0
        assert browser.run("document.querySelectorAll('figure details.data tbody tr').length") == len(PAYLOADS) + sum(
            encodable(p).count("\n") for p in PAYLOADS)
        assert browser.requests == [path.as_uri()]
        browser.requests.clear()
    assert browser.problems == []
