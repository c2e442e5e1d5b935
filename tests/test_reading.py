"""Bytes to lines: encodings, formats told apart by content, and input that is out to do harm."""

from __future__ import annotations

import io
import json
import random
import re
import time
from pathlib import Path

import pytest
from hostile import zipped
from hypothesis import given, settings
from hypothesis import strategies as st

from fengxiang import cleaning, reading

ROOT = Path(__file__).resolve().parent.parent
CHINESE = "金融监管总局部署全年工作，要求各地稳妥化解中小金融机构风险，提升监管质效。"
TRADITIONAL = "金融監管總局部署全年工作，要求各地穩妥化解中小金融機構風險，提升監管質效。"


@pytest.fixture(scope="module")
def rules() -> cleaning.Rules:
    return cleaning.Rules.load(ROOT / "codebook")


# -------------------------------------------------------------------------------------------------- encodings


@pytest.mark.parametrize(
    ("encoding", "text", "expected"),
    [
        ("utf-8", CHINESE, "utf-8"),
        ("utf-8-sig", CHINESE, "utf-8-sig"),
        ("gb18030", CHINESE, "gb18030"),
        ("gbk", CHINESE, "gb18030"),
        ("utf-16", CHINESE, "utf-16"),
        ("utf-16-le", CHINESE, "utf-16-le"),
        ("utf-16-be", CHINESE, "utf-16-be"),
        ("utf-32", CHINESE, "utf-32"),
        ("big5", TRADITIONAL, "big5hkscs"),
        ("gb18030", TRADITIONAL, "gb18030"),
        ("ascii", "plain English text", "utf-8"),
    ],
)
def test_decode(encoding, text, expected):
    assert reading.decode(text.encode(encoding)) == (text, expected, 0)


def test_a_torn_character_is_counted_and_shown():
    text, encoding, bad = reading.decode(CHINESE.encode() * 3 + "局".encode()[:2])
    assert (encoding, bad) == ("utf-8", 1)
    assert text == CHINESE * 3 + "\ufffd"


def test_a_declared_encoding_that_lies_is_not_believed():
    assert reading.decode(CHINESE.encode("gb18030"), "utf-8")[:2] == (CHINESE, "gb18030")
    assert reading.decode(CHINESE.encode(), "gb2312")[:2] == (CHINESE, "utf-8")


def test_gbk_read_as_latin_1_and_saved_as_utf_8_is_repaired():
    garbled = CHINESE.encode("gb18030").decode("latin-1").encode()
    assert reading.decode(garbled) == (CHINESE, "gb18030 saved as utf-8", 0)


@settings(deadline=None, derandomize=True)
@given(st.binary(max_size=400))
def test_decode_takes_any_bytes(data):
    text, encoding, bad = reading.decode(data)
    assert isinstance(text, str)
    assert isinstance(encoding, str)
    assert bad <= len(text)


@settings(deadline=None, derandomize=True)
@given(st.text(st.sampled_from(CHINESE + TRADITIONAL + "，。0123456789 abc\n"), min_size=12, max_size=200))
def test_decode_is_the_inverse_of_encoding_in_utf_8(text):
    assert reading.decode(text.encode("utf-8"))[0] == text


# -------------------------------------------------------------------------------------------------- normal form


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("２０２６年ＡＩ强监管", "2026年AI强监管"),
        ("据悉,会议要求:稳中求进(见附件);好!", "据悉，会议要求：稳中求进（见附件）；好！"),
        ("国家金融与发展实验室(NIFD)发布", "国家金融与发展实验室（NIFD）发布"),
        ("3,000 at 12:30 (local time)", "3,000 at 12:30 (local time)"),
        ("占比6.3%,增长", "占比6.3%，增长"),
        ("见http://a.cn/b?c=1", "见http://a.cn/b?c=1"),
        ("零\u200b宽\ufeff字\u00ad符", "零宽字符"),
        ("⾦融\uf9d1", "金融六"),  # Kangxi radicals and compatibility forms, as PDFs have them
        ("不\xa0断\u3000格", "不 断 格"),
        ("行一\r\n行二\x0c页\u2028段", "行一\r\n行二\x0c页\u2028段"),
    ],
)
def test_normal(text, expected):
    assert reading.normal(text) == expected


def test_every_character_that_has_another_normal_form_is_found():
    for number in (*range(0x20000), *range(0x2F000, 0x30000)):
        character = chr(number)
        assert reading.normal(character) == reading._usual(character)
        assert number > 0xFFFF or bool(reading._UNUSUAL.match(character)) == (
            reading._usual(character) != character or bool(reading._COMPATIBLE.match(character))
            or character in reading.TRADITIONAL or character in reading._MARKS)


@given(st.text(st.sampled_from("银行，業\n\u3000１\uf92d\u2f00<&#*"), max_size=30))
def test_that_nothing_is_traditional_is_known_only_where_it_is_so(text):
    sources = [reading.read_plain("a.txt", text), reading.read_markdown("a.md", text, {}),
               reading.record_as_source("a.json", "json", {"text": text}, {"text": "text"}, 1)]
    for source in sources:
        assert not source.lines.hans or set(reading.TRADITIONAL).isdisjoint("".join(source.lines.text))
    assert sources[0].lines.hans == set(reading.TRADITIONAL).isdisjoint(reading.normal(text))
    twice = reading.Lines()
    for part in (text, "银行", text, "業"):
        reading.split_lines(part, twice, [])
        assert not twice.hans or set(reading.TRADITIONAL).isdisjoint("".join(twice.text))


@given(st.text(st.one_of(st.characters(), st.sampled_from("中，：（）(),:;?!/ a1")), max_size=60))
def test_normal_is_idempotent(text):
    once = reading.normal(text)
    if text.count("(") <= reading.MAX_BRACKETS:
        assert reading.normal(once) == once


LINES = st.lists(st.sampled_from(
    ("银行", "a,b", "(见注)", "１", " ", "  ", "\t", "\u3000", "\xa0", "\u200b", "\n", "\n\n", "\r\n", "\r", "\x0b",
     "\x0c", "\x1c", "\x85", "\u2028")), max_size=24).map("".join)


@given(LINES)
def test_each_line_is_that_of_the_text_in_its_normal_form(text):
    lines, settled = reading.Lines(), []
    raw = reading.split_lines(text, lines, settled)
    each = [reading.normal(line).rstrip("\r\n\x0b\x0c\x1c\x85\u2028") for line in raw]
    assert "".join(raw) == text
    kept = [n for n, line in enumerate(each) if line.strip()]
    assert [(u, t, n) for u, t, n in zip(lines.unit, lines.text, lines.n, strict=True)] == [
        (n + 1, each[n].strip(), len(raw[n])) for n in kept]
    assert lines.indent == [each[n].startswith(("  ", "\t")) for n in kept]
    assert lines.gap == [n - before - 1 for before, n in zip([-1, *kept], kept, strict=False)]
    assert {len(column) for column in (lines.hint, lines.page, *(getattr(lines, name) for name in ("n", "unit")))} == {
        len(kept)}
    assert sum(lines.n) + sum(row[1] for row in settled) == len(text)


@given(LINES)
def test_lines_of_markdown_are_those_of_plain_text_where_nothing_is_marked(rules, text):
    source = reading.read_markdown("a.md", text, rules.names["json"])
    lines, settled = reading.Lines(), []
    reading.split_lines(text, lines, settled)
    assert (source.lines.text, source.lines.unit, source.lines.n) == (lines.text, lines.unit, lines.n)
    assert source.lines.gap == [min(gap, 1) for gap in lines.gap]
    assert sum(row[1] for row in source.settled) == sum(row[1] for row in settled)


@given(st.text("银a。 \t\n\r\f\x0b\u3000", max_size=12))
def test_white_space_in_a_block_of_a_page_becomes_one_space(text):
    assert reading._one_line(text) == re.sub("[ \t\r\n\f]+", " ", reading._LINE_GLUE.sub("", text))


# -------------------------------------------------------------------------------------------------- formats

PAGE = (
    "<html><head><title>部署工作_某网</title></head><body><h1>部署工作</h1>"
    f"<p>{CHINESE}</p><p>{CHINESE[::-1]}。</p></body></html>"
)
MAIL = (
    "Subject: =?utf-8?b?6YOo572y5bel5L2c?=\r\nFrom: Editor <a@b.cn>\r\nDate: Tue, 04 Mar 2025 08:00:00 +0800\r\n"
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + CHINESE + "\r\n"
)
RECORD = {"title": "部署工作", "content": CHINESE}


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (CHINESE.encode(), "plain"),
        (PAGE.encode(), "web_page"),
        (f"---\ntitle: 部署工作\n---\n{CHINESE}".encode(), "markdown"),
        (f'+++\ntitle = "部署工作"\n+++\n{CHINESE}'.encode(), "markdown"),
        (f"# 部署工作\n\n{CHINESE}".encode(), "markdown"),
        (json.dumps(RECORD).encode(), "json"),
        (json.dumps([RECORD, RECORD]).encode(), "json"),
        (json.dumps({"code": 0, "data": {"list": [RECORD]}}).encode(), "json"),
        ((json.dumps(RECORD) + "\n" + json.dumps(RECORD)).encode(), "jsonl"),
        (f"标题,正文\n部署工作,{CHINESE}\n".encode("utf-8-sig"), "table"),
        (f"title\ttext\n部署工作\t{CHINESE}\n".encode("gb18030"), "table"),
        (MAIL.encode(), "email"),
        (f"[第一财经] {CHINESE}".encode(), "plain"),  # a bracket does not make JSON
        (f"<a>b {CHINESE}".encode(), "plain"),
    ],
)
def test_formats_are_told_apart_by_content(rules, data, form):
    done = cleaning.clean_document("名字不算数.bin", data, rules)
    assert [a.source_format for a in done.articles][:1] == [form]
    assert [r for r in done.rejected if r.reason] == []


def test_records_keep_their_place_in_a_chunk_of_json_lines(rules):
    lines = [json.dumps({"title": f"第{i}篇", "content": CHINESE}, ensure_ascii=False) for i in range(6)]
    whole = cleaning.clean_document("a.jsonl", "\n".join(lines).encode(), rules)
    chunks = [
        cleaning.clean_document("a.jsonl", ("\n".join(lines[a:b]) + "\n").encode(), rules, first_position=a + 1)
        for a, b in ((0, 2), (2, 5), (5, 6))
    ]
    assert [a for c in chunks for a in c.articles] == whole.articles
    assert [a.position for a in whole.articles] == [1, 2, 3, 4, 5, 6]


def test_a_bad_line_of_json_lines_is_named_and_the_others_stay(rules):
    text = "\n".join([json.dumps(RECORD), '{"title": "断', json.dumps({"a": 1}), "[1]", json.dumps(RECORD)])
    done = cleaning.clean_document("a.jsonl", text.encode(), rules)
    assert [a.position for a in done.articles] == [1, 5]
    assert [r.detail for r in done.rejected] == ["line 2", "line 3", "line 4"]
    assert sum(r.n_chars for r in done.ledger) == len(text)


def test_a_list_of_paragraphs_is_one_article_and_a_list_of_dated_texts_is_not(rules):
    parts = {"title": "部署工作", "paras": [
        {"type": "p", "content": CHINESE}, {"url": "http://a.cn/1.jpg"}, {"content": "又一段。"}]}
    done = cleaning.clean_document("a.json", json.dumps({"data": parts}).encode(), rules)
    assert [(a.title, [p.text for p in a.paragraphs]) for a in done.articles] == [("部署工作", [CHINESE, "又一段。"])]
    several = {"title": "一览", "list": [{"content": CHINESE, "date": f"2026-01-0{i}"} for i in (1, 2)]}
    done = cleaning.clean_document("a.json", json.dumps(several).encode(), rules)
    assert [a.date for a in done.articles] == ["2026-01-01", "2026-01-02"]


def test_a_picture_given_as_source_is_no_address(rules):
    record = RECORD | {"src": "https://a.cn/1.jpg"}
    article = cleaning.clean_document("a.json", json.dumps(record).encode(), rules).articles[0]
    assert (article.url, article.publisher) == (None, None)


def test_front_matter_with_an_unquoted_colon_is_read_line_by_line(rules):
    text = f"---\ntitle: 总局: 部署工作\ndate: 2025-03-04\ntags: [a, b]\n---\n{CHINESE}"
    article = cleaning.clean_document("a.md", text.encode(), rules).articles[0]
    assert (article.title, article.date) == ("总局：部署工作", "2025-03-04")


def test_front_matter_lists_name_the_authors(rules):
    text = f"---\ntitle: 部署工作\nauthors:\n  - 王小明\n  - 李大伟\n---\n{CHINESE}"
    assert cleaning.clean_document("a.md", text.encode(), rules).articles[0].authors == ["王小明", "李大伟"]


def test_members_of_a_zip_folder(rules):
    data = zipped(
        {
            "b/乙.txt": CHINESE.encode("gb18030"),
            "a.html": PAGE.encode(),
            "README.md": b"# readme",
            "__MACOSX/x": b"x",
            "c.png": b"\x89PNG\r\n",
            "d.zip": zipped({"e.txt": CHINESE.encode()}),
        }
    )
    done = cleaning.clean_document("f.zip", data, rules)
    assert [a.source_file for a in done.articles] == ["f.zip/a.html", "f.zip/b/乙.txt", "f.zip/d.zip/e.txt"]
    assert [(r.source_file, r.reason) for r in done.rejected] == [("f.zip/c.png", "binary data, not text")]


def test_zip_names_of_chinese_windows_are_read(rules):
    data = zipped({"x.txt": CHINESE.encode()}).replace(b"x.txt", "年报".encode("gbk") + b"x")
    assert cleaning.clean_document("f.zip", data, rules).articles[0].source_file == "f.zip/年报x"


def test_mail_and_saved_page(rules):
    mail = cleaning.clean_document("a.eml", MAIL.encode(), rules).articles[0]
    assert (mail.title, mail.date, mail.publisher, mail.text) == ("部署工作", "2025-03-04", "Editor", CHINESE)
    page = (
        "From: <Saved by Blink>\r\nDate: Thu, 6 Mar 2025 08:00:00 +0800\r\n"
        "Snapshot-Content-Location: https://a.cn/1.html\r\nSubject: x\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/related; type="text/html"; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/html; "
        f"charset=utf-8\r\n\r\n{PAGE}\r\n--b--\r\n"
    )
    article = cleaning.clean_document("a.mhtml", page.encode(), rules).articles[0]
    assert (article.source_format, article.url, article.title) == ("web_page", "https://a.cn/1.html", "部署工作")
    assert article.date is None  # the day it was saved says nothing of it


def test_a_subject_that_was_passed_on_is_the_title(rules):
    mail = MAIL.replace("=?utf-8?b?6YOo572y5bel5L2c?=", "Fwd: =?utf-8?b?6L2s5Y+R77ya6YOo572y5bel5L2c?=")
    assert cleaning.clean_document("a.eml", mail.encode(), rules).articles[0].title == "部署工作"


def test_who_passes_an_article_on_is_not_its_publisher(rules):
    mail = MAIL.replace(CHINESE, f"来源：海西日报\r\n日期：2025年3月2日\r\n\r\n{CHINESE}")
    article = cleaning.clean_document("a.eml", mail.encode(), rules).articles[0]
    assert (article.publisher, article.date, article.text) == ("海西日报", "2025-03-02", CHINESE)


def test_of_a_mail_passed_on_the_longer_part_is_the_text(rules):
    head = "-------- Forwarded message --------\r\nFrom: A <a@b.cn>\r\nSubject: x\r\n\r\n"
    note = MAIL.replace(CHINESE, f"请看。\r\n\r\n{head}{CHINESE}")
    assert cleaning.clean_document("a.eml", note.encode(), rules).articles[0].text == CHINESE
    answer = MAIL.replace(CHINESE, f"{CHINESE}\r\n\r\n{head}收到。")
    assert CHINESE in cleaning.clean_document("a.eml", answer.encode(), rules).articles[0].text


def test_the_headline_of_a_page_sent_by_mail_is_its_title(rules):
    mail = MAIL.replace("text/plain", "text/html").replace(
        CHINESE, f"<html><body><h1>海西部署监管工作</h1><p>{CHINESE}</p><p>{CHINESE}又及。</p></body></html>")
    assert cleaning.clean_document("a.eml", mail.encode(), rules).articles[0].title == "海西部署监管工作"


def test_notes_of_markdown_are_no_text(rules):
    done = cleaning.clean_document("a.md", f"# 部署工作\n\n{CHINESE}[^1]\n\n[^1]: 数据来自海西。\n".encode(), rules)
    assert done.articles[0].text == CHINESE
    assert [r.sample for r in done.ledger if r.rule == "footnote"] == ["数据来自海西。"]


def test_workbook_rows(rules):
    import datetime

    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"default_date_format": "yyyy-mm-dd"})
    book.add_worksheet("说明").write(0, 0, "导出")
    sheet = book.add_worksheet("文章")
    sheet.write_row(0, 0, ["标题", "正文", "来源", "日期"])
    sheet.write_row(1, 0, ["部署工作", CHINESE, "财经"])
    sheet.write_datetime(1, 3, datetime.datetime(2025, 3, 4))
    sheet.write_row(2, 0, ["空的一行"])
    book.close()
    done = cleaning.clean_document("a.xlsx", out.getvalue(), rules)
    assert [(a.title, a.publisher, a.date, a.text) for a in done.articles] == [
        ("部署工作", "财经", "2025-03-04", CHINESE)
    ]
    assert [(r.reason, r.detail) for r in done.rejected] == [("a row without a text", "row 3")]


# -------------------------------------------------------------------------------------------------- what is refused


def picture_pdf() -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (60, 80), "white").save(out, "PDF")
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"\xef\xbb\xbf \r\n", "empty file"),
        (b"\x89PNG\r\n\x1a\n....", "binary data, not text"),
        (random.Random(1).randbytes(3000), "binary data, not text"),
        (b"%PDF-1.4\nbroken", "cannot be read: the PDF file is damaged"),
        (zipped({"a.txt": b"x"})[:40], "cannot be read: the ZIP file is damaged"),
        (zipped({"word/document.xml": b"<w"}), "cannot be read: the DOCX file is damaged"),
        (zipped({"xl/workbook.xml": b"<w"}), "cannot be read: the workbook is damaged"),
        (zipped({"ppt/presentation.xml": b"x"}), "slides are not read here"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "the old Word format (.doc) is not read here"),
        (b"{\\rtf1 text}", "RTF is not read here"),
        (b'{"title": "a", "content": "b', "broken JSON"),
        (b'{"a": {"b": 1}}', "JSON without an article"),
        (b"a\n" * (reading.MAX_LINES + 1), "too many lines"),
        ("来源：海西日报\n责任编辑：王小明\n".encode(), "no article found in it"),
        ("标题,正文\n".encode(), "a table without an article"),
        (b"[" * 200_000, "too large or too deeply nested to be read"),
        (b'{"a":' * 200_000, "too large or too deeply nested to be read"),
        (zipped({"a.txt": b"0" * (reading.MAX_MEMBER_BYTES + 1)}), "too large when unpacked"),
        (zipped({f"{i}.txt": b"0" * 60_000_000 for i in range(9)}), "too large when unpacked"),
        (zipped({"word/document.xml": b"<w/>", "a.bin": bytes(reading.MAX_OFFICE_BYTES)}), "too large when unpacked"),
        (
            zipped({"a.zip": zipped({"b.zip": zipped({"c.zip": zipped({"d.txt": b"x"})})})}),
            "ZIP folders nested too deeply",
        ),
    ],
)
def test_refused_with_a_reason(rules, data, reason):
    done = cleaning.clean_document("x", data, rules)
    assert (done.articles, [r.reason for r in done.rejected]) == ([], [reason])


def test_a_pdf_that_unpacks_without_end_is_refused(rules):
    import zlib

    bomb = zlib.compress(b"0" * (reading.MAX_OFFICE_BYTES + 1))
    data = b"%PDF-1.4\n1 0 obj <</Filter /FlateDecode>> stream\n" + bomb + b"\nendstream endobj\n"
    done = cleaning.clean_document("x", data, rules)
    assert [r.reason for r in done.rejected] == ["too large when unpacked"]


def test_a_pdf_of_pictures_is_refused_for_having_no_text(rules):
    done = cleaning.clean_document("scan.pdf", picture_pdf(), rules)
    assert [r.reason for r in done.rejected] == ["image-only PDF: no text layer"]


MEAN = {
    "nested elements": "<html><body>" + "<div>" * 100_000 + CHINESE,
    "unclosed comments": "<html><body>" + "<!--" * 50_000 + CHINESE,
    "unclosed scripts": "---\ntitle: x\n---\n" + "<script>" * 50_000 + CHINESE,
    "open brackets": "# a\n" + "[" * 100_000 + "](" * 50_000,
    "stars": "# a\n" + "**a" * 60_000,
    "less-than signs": "<p>" + "<" * 300_000,
    "one long line": CHINESE * 20_000,
    "blanks": " " * 500_000 + CHINESE,
    "YAML aliases": "---\na: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n---\n" + CHINESE,
    "YAML nesting": "---\na: " + "[" * 15_000 + "\n---\n" + CHINESE,
    "never-ending front matter": "---\n" + "a: b\n" * 50_000,
    "an open quotation mark in a table": "标题,正文\n" + '"' * 300_000,
    "mail parts": "Subject: a\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n" + "--x\n" * 50_000,
    "dates": "2025年1月1日" * 60_000,
    "many short lines": "银行监管\n" * 60_000,
    "bars": "摘编自：" + "｜" * 300_000,
}


@pytest.mark.parametrize("name", sorted(MEAN))
def test_mean_input_takes_bounded_time_and_is_accounted_for(rules, name):
    data = MEAN[name].encode()
    start = time.perf_counter()
    done = cleaning.clean_document("x", data, rules)
    assert time.perf_counter() - start < 10
    assert done.articles or done.rejected
    if done.ledger:
        assert sum(r.n_chars for r in done.ledger) == len(MEAN[name])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_of_a_table_end_as_on_any_system(rules, end):
    text = end.join(["标题,正文", f"甲,{CHINESE}", f"乙,{CHINESE}", ""])
    done = cleaning.clean_document("x", text.encode(), rules)
    assert [(a.title, a.text) for a in done.articles] == [("甲", CHINESE), ("乙", CHINESE)]
    assert done.rejected == []
    assert sum(row.n_chars for row in done.ledger) == len(text)


def test_a_table_that_breaks_off_keeps_the_rows_before_and_accounts_for_the_rest(rules, monkeypatch):
    monkeypatch.setattr(reading, "MAX_MEMBER_BYTES", 200)  # of a cell, too
    text = f"标题,正文\n甲,{CHINESE[:100]}\n乙,{CHINESE * 9}\n"
    done = cleaning.clean_document("x", text.encode(), rules)
    assert [a.title for a in done.articles] == ["甲"]
    assert [(r.reason, r.detail) for r in done.rejected] == [
        ("a table that breaks off", "row 3 and what follows: field larger than field limit (200)")]
    assert sum(row.n_chars for row in done.ledger) == len(text)


def test_a_word_for_a_title_is_found_however_it_is_set():
    words = reading.title_words(["title", "page_title", "标题", "文章标题", "題名", "kiki"])
    assert words["words"] == ("title", "标题", "題名", "kiki")
    for head in ("TITLE: x", "［Title］", "标　题：x", "題 名", "KIKI", "\u212ai\u212ai"):
        assert reading._names_a_title(head, **words)
    without = reading.title_words(["title", "标题"])
    for head in ("", "银行发布公告", "标准", "The tit", "话题"):
        assert not reading._names_a_title(head, **without)
