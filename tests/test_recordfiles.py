"""Records in XML and in text with labelled fields: what is read of them, and that nothing in them can do harm."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fengxiang import cleaning, reading

ROOT = Path(__file__).resolve().parent.parent
RULES = cleaning.Rules.load(ROOT / "codebook")
FIRST = "海西金融监管局召开会议，要求守住不发生系统性风险的底线。"
SECOND = "会议明确，年内处置不良贷款126.5亿元，压实各方责任。"
ONE, OTHER = "海西金融监管局部署化险工作", "海东金融监管局部署普惠工作"


def cleaned(text: str):
    done = cleaning.clean_document("x", text.encode(), RULES)
    if done.ledger:
        assert sum(r.n_chars for r in done.ledger) == len(reading.decode(text.encode())[0])
    return done


def said(text: str) -> list[tuple]:
    done = cleaned(text)
    assert [r.reason for r in done.rejected] == []
    return [(a.title, a.publisher, a.authors, a.date, [p.text for p in a.paragraphs]) for a in done.articles]


# ------------------------------------------------------------------------------------------------- XML

BOTH = [(ONE, "海西日报", ["王小明"], "2026-01-20", [FIRST, SECOND]), (OTHER, None, [], None, [FIRST])]
XML = {
    "records": (
        '<?xml version="1.0" encoding="GBK"?>\n<records>\n<record><title>%s</title><date>2026-01-20</date>'
        "<source>海西日报</source><author>王小明</author><content>%s\n%s</content></record>\n"
        "<record><title>%s</title><content>%s</content></record>\n</records>\n"),
    "Chinese names, markup inside": (
        "<!-- 导出 --><记录集><记录><标题>%s</标题><日期>2026-01-20</日期><来源>海西日报</来源><作者>王小明</作者>"
        "<正文><p>%s</p><p>%s</p></正文></记录><记录><标题>%s</标题><正文>%s</正文></记录></记录集>"),
    "a feed": (
        '<?xml version="1.0"?><rss xmlns:content="http://purl.org/rss/1.0/modules/content/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>海西网</title><description>海西的新闻</description>'
        "<item><title>%s</title><dc:creator>王小明</dc:creator><pubDate>Tue, 20 Jan 2026 08:00:00 +0800</pubDate>"
        "<source>海西日报</source><description>短的介绍。</description><content:encoded><![CDATA[<p>%s</p><p>%s</p>]]>"
        "</content:encoded></item><item><title>%s</title><description>%s</description></item></channel></rss>"),
    "named fields": (
        '<response><result><doc><str name="title">%s</str><date name="pubdate">2026-01-20</date>'
        '<str name="source">海西日报</str><str name="author">王小明</str><str name="content">%s\n%s</str></doc>'
        '<doc><str name="title">%s</str>'
        '<str name="content">%s</str></doc></result></response>'),
    "parts and metadata apart": (
        "<docs><doc><head><title>%s</title><meta><date>2026-01-20</date><source>海西日报</source><author>王小明</author>"
        "</meta></head><body><para>%s</para><para>%s</para></body></doc><doc><head><title>%s</title></head>"
        "<body><para>%s</para></body></doc></docs>"),
}


@pytest.mark.parametrize("form", XML)
def test_records_of_xml(form):
    text = XML[form] % (ONE, FIRST, SECOND, OTHER, FIRST)
    assert said(text) == BOTH
    assert {a.source_format for a in cleaned(text).articles} == {"xml"}


def test_entries_of_an_atom_feed():
    text = (f'<feed xmlns="http://www.w3.org/2005/Atom"><title>海西网</title><entry><title>{ONE}</title>'
            '<link href="https://a.cn/1"/><author><name>王小明</name></author><published>2026-01-20T08:00:00+08:00'
            f'</published><content type="html">&lt;p&gt;{FIRST}&lt;/p&gt;&lt;p&gt;{SECOND}&lt;/p&gt;</content></entry>'
            "</feed>")
    assert said(text) == [(ONE, None, ["王小明"], "2026-01-20", [FIRST, SECOND])]
    assert cleaned(text).articles[0].url == "https://a.cn/1"


def test_records_that_are_attributes_and_entities_of_html_and_stray_ampersands():
    assert said(f'<rows><row title="{ONE}" date="2026-01-20" content="{FIRST}"/></rows>') == [
        (ONE, None, [], "2026-01-20", [FIRST])]
    assert said(f"<r><d><title>{ONE}</title><content>&ldquo;{FIRST}&rdquo;银行&保险。</content></d></r>")[0][4] == [
        f"“{FIRST}”银行&保险。"]


def test_of_xml_that_breaks_off_the_whole_records_are_read():
    text = f"<rs><r><title>{ONE}</title><content>{FIRST}</content></r><r><title>{OTHER}</title><content>{SECOND}</con"
    done = cleaned(text)
    assert [(a.title, a.text) for a in done.articles] == [(ONE, FIRST)]
    assert [r.reason for r in done.rejected] == ["broken XML: only the records before the damage are read"]


@pytest.mark.parametrize("declaration", [
    '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">', '<!ENTITY b SYSTEM "file:///etc/passwd">',
    '<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;'])
def test_xml_that_declares_entities_is_refused(declaration):
    done = cleaned(f'<?xml version="1.0"?><!DOCTYPE r [{declaration}]><r><d><title>&b;</title><text>&b;</text></d></r>')
    assert done.articles == []
    assert [r.reason for r in done.rejected] == ["XML that declares entities is not read"]


def test_nothing_outside_an_xml_text_is_fetched(monkeypatch):
    import socket

    monkeypatch.setattr(socket, "socket", None)
    text = ('<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd"><r xmlns:xi="http://www.w3.org/2001/XInclude">'
            f'<xi:include href="file:///etc/passwd" parse="text"/><d><title>{ONE}</title><text>{FIRST}</text></d></r>')
    assert said(text) == [(ONE, None, [], None, [FIRST])]


def test_deep_xml_is_refused_in_bounded_time():
    start = time.perf_counter()
    done = cleaned("<r>" * 200_000)
    assert time.perf_counter() - start < 5
    assert [r.reason for r in done.rejected] == ["too large or too deeply nested to be read"]


def test_xml_of_too_many_elements_is_refused():
    assert [r.reason for r in cleaned("<r>" + "<a/>" * 400_000 + "</r>").rejected] == ["too large"]


def test_xml_of_pages_and_of_other_things_is_no_export():
    page = (f'<?xml version="1.0"?><!DOCTYPE html><html><head><title>{ONE}</title></head><body><h1>{ONE}</h1>'
            f"<p>{FIRST}</p><p>{SECOND}</p></body></html>")
    assert [(a.source_format, a.title) for a in cleaned(page).articles] == [("web_page", ONE)]
    part = f"<article><h1>{ONE}</h1><p>{FIRST}</p></article>"
    assert [a.source_format for a in cleaned(part).articles] == ["web_page"]


# ------------------------------------------------------------------------------------------------- labelled fields

RULE, LINE = "\n" + "-" * 20 + "\n", "\n"
LABELLED = {
    "Chinese labels": (RULE, "标题：{}\n来源：海西日报\n日期：2026年1月20日\n作者：王小明\n正文：{}\n{}\n"),
    "without marks between": (LINE, "标题：{}\n来源：海西日报\n日期：2026年1月20日\n作者：王小明\n正文：\n{}\n\n{}\n"),
    "on one line": (LINE, "标题：{} 来源：海西日报 日期：2026年1月20日 作者：王小明 正文：{}\n{}\n"),
    "English labels": ("\n===\n", "Title: {}\nSource: 海西日报\nDate: 2026-01-20\nAuthor: 王小明\nContent: {}\n{}\n"),
    "fences": ("\n---\n", "Title: {}\nSource: 海西日报\nDate: 2026-01-20\nAuthor: 王小明\nText:\n{}\n{}\n"),
    "labels in brackets": (
        LINE, "【标题】{}\n【来源】海西日报\n【日期】2026-01-20\n【作者】王小明\n【正文】\n{}\n{}\n"),
    "numbered": (LINE, "1.\n标题：{}\n媒体：海西日报\n版面：A01\n日期：2026-01-20\n作者：王小明\n内容：\n{}\n{}\n"),
    "of a press archive": (
        LINE, "文章 1 / 2\n标题: {}\n媒体: 海西日报\n日期: 2026-01-20\n字数: 512\n作者: 王小明\n内容:\n{}\n\n{}\n"
              "文章编号: 202601200001\n========================\n"),
    "of a library of journals": (
        LINE, "SrcDatabase-来源库: 报纸\nTitle-题名: {}\nAuthor-作者: 王小明;\nOrgan-单位: 海西日报社\n"
              "Source-文献来源: 海西日报\nSummary-摘要: {}\n{}\nPubTime-发表时间: 2026-01-20\nYear-年: 2026\n"),
}


@pytest.mark.parametrize("form", LABELLED)
def test_records_whose_fields_begin_with_labels(form):
    between, record = LABELLED[form]
    assert said(between.join(record.format(title, FIRST, SECOND) for title in (ONE, OTHER))) == [
        (title, "海西日报", ["王小明"], "2026-01-20", [FIRST, SECOND]) for title in (ONE, OTHER)]


def test_marks_and_labels_inside_a_text_do_not_end_it():
    text = f"标题：{ONE}\n正文：{FIRST}\n----------\n{SECOND}\n来源：海西日报\n"
    assert said(text) == [(ONE, "海西日报", [], None, [FIRST, SECOND])]


def test_a_record_without_a_text_is_named():
    done = cleaned(f"标题：{ONE}\n正文：{FIRST}\n\n标题：{OTHER}\n正文：\n")
    assert [a.title for a in done.articles] == [ONE]
    assert [(r.reason, r.detail) for r in done.rejected] == [("a record without a text", "line 4")]


@pytest.mark.parametrize("text", [
    f"{ONE}\n来源：海西日报\n\n{FIRST}\n", f"会议内容：{FIRST}\n{SECOND}\n", f"内容：{FIRST}\n标题：{ONE}\n",
    f"---\ntitle: {ONE}\n---\n{FIRST}\n"])
def test_other_texts_are_no_labelled_records(text):
    assert "labelled" not in {a.source_format for a in cleaned(text).articles}


PIECES = ["<r>", "</r>", "<title>", "</title>", "<text>", "</text>", "<![CDATA[", "]]>", "&amp;", "&x;", "&", "\x85",
          "<!DOCTYPE r [", "标题：", "正文：", "来源：", "\n", "----\n", "Title: ", "Content: ", "【标题】", "第1篇",
          " ", "\x00", FIRST]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.sampled_from(["<r><d>", "<?xml version='1.0'?><r>", "标题：甲\n", "Title: a\nContent: b"]),
       st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_any_such_text_is_accounted_for(start, rest):
    done = cleaned(start + rest)
    assert done.ledger or done.rejected
    assert "could not be cleaned" not in {r.reason for r in done.rejected}
