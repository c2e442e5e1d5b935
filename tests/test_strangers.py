"""Invented documents of many shapes, built here, with what they hold written down before cleaning saw them.

When it first did, 228 of 256 values were right (title 31/33, publisher 26/33, authors 31/33, date 28/33, year 30/33,
body 25/33, scope 33/33, number of articles 24/25); of the other 28 one was wrongly expected, and what was mended for
the rest is general.
"""

from __future__ import annotations

import datetime
import io
import json
import zipfile
from email.message import EmailMessage
from pathlib import Path
from typing import NamedTuple

import pytest

from fengxiang import cleaning, reading

ROOT = Path(__file__).resolve().parent.parent
RULES = cleaning.Rules.load(ROOT / "codebook")


class Expected(NamedTuple):
    """One article: what it says of itself, and its paragraphs, headings among them."""

    title: str | None
    publisher: str | None
    authors: list[str]
    date: str | None
    year: int | None
    body: list[str]
    scope: str = "in"


A = "海西监管分局近日约谈三家法人银行，要求半年内把集中度降到监管标准以内。"
B = "约谈中，监管人员逐户过了前十大贷款客户的底账，对两笔借新还旧提出整改意见。"
C = "“早一天露头，就少一分损失。”一位参与约谈的处长说，今后每季度都要回头看。"
D = "当地还把县域农商银行的拨备缺口列入督办清单，由地方政府、股东和机构三方认领。"
E = "去年，海西新增普惠型小微企业贷款312.6亿元，同比增长14.8%，续贷率提高到61%。"
F = "保险机构为4.3万户种粮大户提供了完全成本保险，灾后三日内赔付到户的占九成。"


def html(title: str, body: str, head: str = "") -> bytes:
    return (f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{title}</title>{head}</head>'
            f"<body>{body}</body></html>").encode()


def paragraphs(*texts: str) -> str:
    return "".join(f"<p>　　{t}</p>" for t in texts)


def portal() -> bytes:
    return html("海西三家银行被约谈：集中度半年内须达标|集中度|农商行_海西财经_海西网", (
        "<div class='top-nav'><a href='/'>首页</a><a href='/b'>银行</a><a href='/i'>保险</a></div>"
        "<div class='path'><a href='/'>海西财经</a> &gt; <a href='/b'>银行</a> &gt; 正文</div>"
        "<h1 class='main-title'>海西三家银行被约谈：集中度半年内须达标</h1>"
        "<div class='date-source'><span class='date'>2026年01月15日 07:12</span>&nbsp;"
        "<a class='source' href='http://x.cn'>海西经济报</a></div>"
        f"<div class='article' id='artibody'>{paragraphs(A, B)}<div class='img_wrapper'><img src='a.jpg'>"
        f"<span class='img_descr'>图为约谈现场</span></div>{paragraphs(C, D)}"
        "<p class='show_author'>责任编辑：某某</p></div>"
        "<div class='recommend'><h2>相关新闻</h2><ul><li><a href='/1'>另一家银行被约谈，行长作检讨</a></li></ul></div>"
        "<div class='footer'><p>Copyright © 2026 海西网 版权所有</p></div>"))


def bureau_page() -> bytes:
    return html("工作动态-海西监管分局", (
        "<div class='header'><img alt='logo'></div><div class='location'>您的位置：<a>首页</a> &gt; 工作动态</div>"
        "<div class='article-title'>海西监管分局约谈三家法人银行</div>"
        "<div class='pages-date'>2026-01-16 <span>来源：办公室</span> <span>字号：[<a>大</a> <a>中</a> <a>小</a>]</sp"
        "an>"
        f"</div><div class='TRS_Editor'>{paragraphs(A, B, D)}</div>"
        "<div class='fj'>附件：1. 名单.docx</div><div class='gn'><a>打印本页</a> <a>关闭窗口</a></div>"))


def wechat_page() -> bytes:
    head = '<meta property="og:title" content="把风险挡在门外：海西这一招管用"><meta name="author" content="方晓禾">'
    return html("", (
        "<div id='img-content'><h1 id='activity-name'>把风险挡在门外：海西这一招管用</h1><div id='meta_content'>"
        "<span>原创</span> <span>方晓禾</span> <a id='js_name'>海西银保观察</a> <em id='publish_time'>2026年1月12日 1"
        "9:05</em>"
        " <em id='js_ip_wording'>内蒙古</em></div><div id='js_content'><section><p><span>点击上方蓝字关注我们</span><"
        "/p>"
        f"<p>01</p><p><strong>约谈之前先摸底</strong></p>{paragraphs(A, B)}<p>PART 02</p><p><strong>约谈之后回头看</s"
        "trong></p>"
        f"{paragraphs(C)}</section><p>— END —</p><p>喜欢就点赞、在看、转发三连</p></div></div>"), head)


def wechat_copy() -> bytes:
    return ("约谈之后，海西农商行怎么改\n\n原创 韩予安 海西银保观察 2026年1月13日 20:11 河南\n\n"
            f"{A}\n\n{B}\n\n一、股东先补窟窿\n\n{D}\n\n二、台账每周更新\n\n{C}\n\n"
            "海西银保观察\n\n阅读 3.2万\n\n赞 56 在看 31\n\n写留言\n").encode()


def newspaper() -> bytes:
    return ("2026年1月14日 星期三　第03版　综合　海西经济报\n\n"
            f"集中度过高 三家银行被约谈\n本报记者 赵青禾\n{A}\n{B}\n（下转05版）\n\n"
            f"小微贷款续贷率升至六成\n本报讯（记者 贺云舟）{E}\n\n"
            f"粮食大灾之后，赔款三日到户\n■ 本报记者 姚立\n{F}\n{D}\n\n"
            "本版责编：某某　版式：某某\n").encode("gb18030")


def pdf(pages: list[list[tuple[float, float, float, str]]], align: str = "left") -> bytes:
    """Pages of lines `(x, y, size, text)`; x and y as shares of the page."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import pylopdf_fonts_zh_cn
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.font_manager import FontProperties

    font = next(p for p in sorted(Path(pylopdf_fonts_zh_cn.__file__).parent.rglob("*")) if "Sans" in p.name)
    out = io.BytesIO()
    with matplotlib.rc_context({"pdf.fonttype": 42}), PdfPages(out) as book:
        for lines in pages:
            figure = plt.figure(figsize=(8.27, 11.69))
            for x, y, size, text in lines:
                figure.text(x, y, text, ha="center" if x == 0.5 else "left",
                            fontproperties=FontProperties(fname=str(font), size=size))
            book.savefig(figure)
            plt.close(figure)
    return out.getvalue()


def set_lines(texts: list[str], width: int, x: float, top: float) -> list[tuple[float, float, float, str]]:
    out, y = [], top
    for text in texts:
        text = "　　" + text
        for i in range(0, len(text), width):
            out.append((x, y, 10, text[i : i + width]))
            y -= 0.02
    return out


def magazine_pdf() -> bytes:
    first = [(0.1, 0.92, 20, "集中度之困：三家银行的半年考"), (0.1, 0.885, 10, "文/顾言之"),
             *set_lines([A, B], 18, 0.1, 0.84), *set_lines([C], 18, 0.53, 0.84), (0.5, 0.03, 9, "— 12 —")]
    second = [(0.5, 0.96, 9, "海西金融 2026年第1期"), *set_lines([D, E], 18, 0.1, 0.9), *set_lines([F], 18, 0.53, 0.9),
              (0.5, 0.03, 9, "— 13 —")]
    return pdf([first, second])


def official_pdf() -> bytes:
    return pdf([[(0.5, 0.9, 18, "关于做好2026年普惠信贷工作的通知"), (0.5, 0.86, 11, "海西监管发〔2026〕3号"),
                 (0.1, 0.82, 10, "辖内各银行保险机构："), *set_lines([E, D, F], 36, 0.1, 0.79),
                 (0.6, 0.6, 10, "海西监管分局"), (0.6, 0.57, 10, "2026年1月5日"), (0.5, 0.03, 9, "- 1 -")]])


def styled_docx() -> bytes:
    import docx

    document = docx.Document()
    document.add_heading("约谈不是终点", 0)
    document.add_paragraph("来源：海西时报　2026年1月9日　记者 孙晓棠")
    document.add_paragraph(A)
    document.add_heading("摸清底账", 1)
    document.add_paragraph(B)
    document.add_paragraph("列入督办清单；", style="List Bullet")
    document.add_paragraph("按季度回头看。", style="List Bullet")
    document.add_heading("压实责任", 1)
    document.add_paragraph(D)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def bare_docx() -> bytes:
    import docx

    document = docx.Document()
    title = document.add_paragraph()
    title.alignment = 1
    title.add_run("海西银行业保险业2026年工作要点").bold = True
    document.add_paragraph("（海西监管分局 2026年1月8日）").alignment = 1
    for text in (f"一、防风险。{A}", f"二、促发展。{E}", f"三、强保障。{F}"):
        document.add_paragraph(text)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def workbook() -> bytes:
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet("舆情")
    sheet.write_row(0, 0, ["序号", "新闻标题", "媒体名称", "见报日期", "记者姓名", "新闻正文", "版面"])
    for i, (title, medium, day, reporter, text) in enumerate((
            ("三家银行集中度超标被约谈", "海西经济报", 15, "赵青禾", f"{A}\n{B}"),
            ("续贷率为何能到六成", "海西时报", 16, "孙晓棠、贺云舟", E),
            ("赔款跑赢洪水", "海西晚报", 17, "", f"　　{F}\n　　{D}")), 1):
        sheet.write_row(i, 0, [i, title, medium])
        sheet.write_datetime(i, 3, datetime.datetime(2026, 1, day))
        sheet.write_row(i, 4, [reporter, text, "A03"])
    book.close()
    return out.getvalue()


def odd_jsonl() -> bytes:
    rows = [{"id": 1, "art_title": "约谈三家银行", "art_content": f"{A}\n{B}", "pub_media": "海西经济报",
             "pub_dt": "2026/01/15", "art_author": "赵青禾"},
            {"id": 2, "art_title": "续贷率到六成", "art_content": f"<p>{E}</p><p>{D}</p>", "pub_media": "海西时报",
             "pub_dt": "20260116", "art_author": ""}]
    return "\n".join(json.dumps(r, ensure_ascii=False) for r in rows).encode("utf-8-sig")


def nested_json() -> bytes:
    return json.dumps({"code": "0000", "msg": "ok", "result": {"detail": {
        "mainTitle": "赔款跑赢洪水", "subTitle": "海西农险三日到户", "src": {"name": "海西晚报"},
        "ptime": "2026-01-17 08:30:00", "editorName": "某某",
        "paragraphs": [{"type": "text", "content": F}, {"type": "img", "url": "http://x.cn/a.jpg"},
                                          {"type": "text", "content": D}]}}}, ensure_ascii=False, indent=2).encode()


def forwarded_mail() -> bytes:
    message = EmailMessage()
    message["Subject"] = "转发：约谈之后怎么改"
    message["From"] = "小刘 <liu@example.cn>"
    message["To"] = "组里 <all@example.cn>"
    message["Date"] = "Mon, 19 Jan 2026 09:00:00 +0800"
    message.set_content("各位，供参考。\n\n-----原始邮件-----\n发件人：资料室\n发送时间：2026年1月18日 17:20\n主题："
                        "约谈之后怎么改\n\n"
                        f"约谈之后怎么改\n来源：海西经济报　作者：赵青禾　2026-01-18\n\n{A}\n\n{B}\n\n{D}\n")
    return message.as_bytes()


def newsletter() -> bytes:
    message = EmailMessage()
    message["Subject"] = "海西金融周报：续贷率升至六成"
    message["From"] = "海西金融周报 <news@example.cn>"
    message["Date"] = "Tue, 20 Jan 2026 07:00:00 +0800"
    message.set_content("请用支持 HTML 的客户端阅读。")
    message.add_alternative(f"<html><body><table><tr><td><h1>续贷率升至六成</h1>{paragraphs(E, D)}"
                            "<p>退订请点击这里</p></td></tr></table></body></html>", subtype="html")
    return message.as_bytes()


def chinese_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as folder:
        folder.writestr("a1.txt", f"约谈三家银行\n来源：海西经济报 2026年1月15日\n\n{A}\n\n{B}\n".encode("gb18030"))
        folder.writestr("b2.html", html("赔款跑赢洪水-海西晚报网", "<h1>赔款跑赢洪水</h1><p>2026-01-17 08:30</p>"
                                                        f"{paragraphs(F, D)}"))
        folder.writestr("__MACOSX/._a1.txt", b"x")
    data = out.getvalue()
    return data.replace(b"a1.txt", "约".encode("gbk") + b".txt").replace(b"b2.html", "赔".encode("gbk") + b".html")


def front_matter() -> bytes:
    return ("---\nlayout: post\ntitle: '约谈三家银行：“半年考”开始'\nmedia: 海西经济报\npublished: 2026-01-15T07:12:"
            "00+08:00\n"
            f"author:\n  - 赵青禾\n  - 姚立\ntags: [银行, 监管]\n---\n\n![图](a.png)\n\n{A}\n\n### 底账\n\n{B}\n\n<di"
            "v align='center'>"
            f"<b>责任</b></div>\n\n{D}\n\n[阅读原文](https://x.cn/1)\n").encode()


def plain_markdown() -> bytes:
    return (f"# 续贷率为何能到六成\n\n> 来源：海西时报｜作者：孙晓棠｜2026-01-16\n\n{E}[^1]\n\n## 股东认领缺口\n\n{D}"
            "\n\n"
            "## 保险跟上\n\n" + F + "\n\n[^1]: 数据来自海西监管分局。\n").encode()


def wrapped_text() -> bytes:
    lines = ["　　　　　　　　三家银行的集中度之困", "　　　　　　　　　　○ 顾言之", ""]
    for text in (A + B, C + D, E + F):
        text = "　　" + text
        lines += [text[i : i + 34] for i in range(0, len(text), 34)]
    return "\r\n".join(lines).encode("gb18030")


def traditional() -> bytes:
    import opencc

    text = (f"三家銀行集中度超標被約談\n【海西日報訊】記者 趙青禾\n2026年1月6日\n\n{A}\n\n{B}\n\n{D}\n\n（責任編輯："
            "某某）\n")
    return opencc.OpenCC("s2t").convert(text).encode("big5hkscs")


def feed() -> bytes:
    items = "".join(
        f"<item><title>{t}</title><link>https://x.cn/{i}</link><author>{a}</author><pubDate>{d}</pubDate><description>"
        f"<![CDATA[<p>{b}</p><p>{D}</p>]]></description></item>"
        for i, (t, a, d, b) in enumerate([("续贷率到六成", "孙晓棠", "Fri, 16 Jan 2026 08:00:00 +0800", E),
                                          ("赔款跑赢洪水", "", "2026-01-17 08:30", F)]))
    return ('<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel><title>海西财经</title>'
            f"{items}</channel></rss>").encode()


def archive_export() -> bytes:
    records = [("海西经济报", "约谈三家银行", "赵青禾", A), ("海西时报", "续贷率到六成", "孙晓棠", E)]
    return ("检索结果：2篇\n\n" + "".join(
        f"{i}.\n日期: 2026-01-1{i + 4}\n报刊: {medium}\n标题: {title}\n作者: {author}\n版次: A0{i}\n全文:\n{text}\n"
        f"{D}\n\n************\n\n" for i, (medium, title, author, text) in enumerate(records, 1))).encode("utf-16")


def one_line() -> bytes:
    return f"续贷率到了六成，海西做对了什么 原创 孙晓棠 海西银保观察 2026-01-16 18:02 江西 {E}{D}{C}".encode()


def saved_page() -> bytes:
    import base64

    whole = html("赔款跑赢洪水 - 海西晚报", (
        "<nav><a>首页</a></nav><article><header><h1>赔款跑赢洪水</h1><time datetime='2026-01-17T08:30:00+08:00'>1月17"
        "日</time>"
        f"<span class='byline'>记者 姚立</span></header>{paragraphs(F)}<blockquote><p>{C}</p></blockquote>"
        f"{paragraphs(D)}</article>"
        "<section class='comments'><h3>网友评论</h3><p>赔得真快，给保险公司点赞，希望别的地方也能学一学这样的做法。</"
        "p></section>"))
    return ("From: <Saved by Blink>\r\nSnapshot-Content-Location: https://x.cn/17.html\r\nSubject: =?utf-8?B?"
            + base64.b64encode("赔款跑赢洪水 - 海西晚报".encode()).decode()
            + "?=\r\nDate: Sat, 24 Jan 2026 08:00:00 +0800\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; "
            'type="text/html"; boundary="b"\r\n\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n'
            "Content-Transfer-Encoding: base64\r\nContent-Location: https://x.cn/17.html\r\n\r\n"
            + base64.encodebytes(whole).decode() + "\r\n--b--\r\n").encode()


def off_subject() -> bytes:
    return ("海西监管分局机关物业服务项目询价公告\n\n发布时间：2026年1月10日　来源：海西监管分局\n\n"
            "海西监管分局拟采购机关办公楼物业服务，现公开询价。预算金额为38万元，服务期一年，包括保洁、保安和会务。\n\n"
            "有意者请于1月20日前将报价文件送至海西监管分局办公室。\n").encode()


def column_dump() -> bytes:
    return ("海西观察\n首页 > 观点 > 正文\n监管约谈应当“长牙带刺”\n2026-01-18 09:15 来源：海西观察 作者：顾言之\n字"
            f"号：大 中 小\n{A}\n{C}\n"
            f"{D}\n（作者系海西大学金融学院教授）\n分享到：微信 微博\n相关阅读\n别处的约谈为何不管用\n友情链接\n海西"
            "网\n").encode()


Z, J, S = "海西经济报", "海西银保观察", "海西时报"
DOCUMENTS = {
    "a portal": (portal, [Expected("海西三家银行被约谈：集中度半年内须达标", Z, [], "2026-01-15", 2026, [A, B, C, D])]),
    "a bureau's page": (bureau_page, [
        Expected("海西监管分局约谈三家法人银行", "海西监管分局", [], "2026-01-16", 2026, [A, B, D])]),
    "a page of WeChat": (wechat_page, [Expected(
        "把风险挡在门外：海西这一招管用", J, ["方晓禾"], "2026-01-12", 2026,
        ["约谈之前先摸底", A, B, "约谈之后回头看", C])]),
    "a copy from WeChat": (wechat_copy, [Expected(
        "约谈之后，海西农商行怎么改", J, ["韩予安"], "2026-01-13", 2026,
        [A, B, "一、股东先补窟窿", D, "二、台账每周更新", C])]),
    "a newspaper page": (newspaper, [
        Expected("集中度过高 三家银行被约谈", Z, ["赵青禾"], "2026-01-14", 2026, [A, B]),
        Expected("小微贷款续贷率升至六成", Z, ["贺云舟"], "2026-01-14", 2026, [E]),
        Expected("粮食大灾之后，赔款三日到户", Z, ["姚立"], "2026-01-14", 2026, [F, D])]),
    "a magazine in PDF": (magazine_pdf, [
        # The running head states the year of the issue, and a date is as exact as it is written.
        Expected("集中度之困：三家银行的半年考", "海西金融", ["顾言之"], "2026", 2026, [A, B, C, D, E, F])]),
    "an official paper in PDF": (official_pdf, [Expected(
        "关于做好2026年普惠信贷工作的通知", "海西监管分局", [], "2026-01-05", 2026,
        ["辖内各银行保险机构：", E, D, F])]),
    "Word with styles": (styled_docx, [Expected(
        "约谈不是终点", S, ["孙晓棠"], "2026-01-09", 2026,
        [A, "摸清底账", B, "列入督办清单；", "按季度回头看。", "压实责任", D])]),
    "Word without styles": (bare_docx, [Expected(
        "海西银行业保险业2026年工作要点", "海西监管分局", [], "2026-01-08", 2026,
        [f"一、防风险。{A}", f"二、促发展。{E}", f"三、强保障。{F}"])]),
    "a workbook": (workbook, [
        Expected("三家银行集中度超标被约谈", Z, ["赵青禾"], "2026-01-15", 2026, [A, B]),
        Expected("续贷率为何能到六成", S, ["孙晓棠", "贺云舟"], "2026-01-16", 2026, [E]),
        Expected("赔款跑赢洪水", "海西晚报", [], "2026-01-17", 2026, [F, D])]),
    "JSON lines with odd keys": (odd_jsonl, [
        Expected("约谈三家银行", Z, ["赵青禾"], "2026-01-15", 2026, [A, B]),
        Expected("续贷率到六成", S, [], "2026-01-16", 2026, [E, D])]),
    "JSON of an interface": (nested_json, [Expected("赔款跑赢洪水", "海西晚报", [], "2026-01-17", 2026, [F, D])]),
    "mail passed on": (forwarded_mail, [Expected("约谈之后怎么改", Z, ["赵青禾"], "2026-01-18", 2026, [A, B, D])]),
    "a newsletter": (newsletter, [Expected("续贷率升至六成", "海西金融周报", [], "2026-01-20", 2026, [E, D])]),
    "a ZIP folder of Chinese Windows": (chinese_zip, [
        Expected("赔款跑赢洪水", "海西晚报网", [], "2026-01-17", 2026, [F, D]),
        Expected("约谈三家银行", Z, [], "2026-01-15", 2026, [A, B])]),
    "Markdown with front matter": (front_matter, [Expected(
        "约谈三家银行：“半年考”开始", Z, ["赵青禾", "姚立"], "2026-01-15", 2026, [A, "底账", B, "责任", D])]),
    "Markdown": (plain_markdown, [Expected(
        "续贷率为何能到六成", S, ["孙晓棠"], "2026-01-16", 2026, [E, "股东认领缺口", D, "保险跟上", F])]),
    "cut lines in GB18030": (wrapped_text, [
        Expected("三家银行的集中度之困", None, ["顾言之"], None, None, [A + B, C + D, E + F])]),
    "Big5": (traditional, [
        Expected("三家銀行集中度超標被約談", "海西日報", ["趙青禾"], "2026-01-06", 2026, [A, B, D])]),
    "a feed": (feed, [
        Expected("续贷率到六成", None, ["孙晓棠"], "2026-01-16", 2026, [E, D]),
        Expected("赔款跑赢洪水", None, [], "2026-01-17", 2026, [F, D])]),
    "an export of a press archive": (archive_export, [
        Expected("约谈三家银行", Z, ["赵青禾"], "2026-01-15", 2026, [A, D]),
        Expected("续贷率到六成", S, ["孙晓棠"], "2026-01-16", 2026, [E, D])]),
    "one line": (one_line, [
        Expected("续贷率到了六成，海西做对了什么", J, ["孙晓棠"], "2026-01-16", 2026, [E + D + C])]),
    "a saved page": (saved_page, [Expected("赔款跑赢洪水", "海西晚报", ["姚立"], "2026-01-17", 2026, [F, C, D])]),
    "a notice": (off_subject, [Expected(
        "海西监管分局机关物业服务项目询价公告", "海西监管分局", [], "2026-01-10", 2026,
        ["海西监管分局拟采购机关办公楼物业服务，现公开询价。预算金额为38万元，服务期一年，包括保洁、保安和会务。",
         "有意者请于1月20日前将报价文件送至海西监管分局办公室。"], "out")]),
    "a dump of a column": (column_dump, [
        Expected("监管约谈应当“长牙带刺”", "海西观察", ["顾言之"], "2026-01-18", 2026, [A, C, D])]),
}

IN_TEXT = [name for name, (make, _) in DOCUMENTS.items()
           if not make().startswith((b"%PDF", b"PK", b"Subject", b"From"))]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_a_stranger_says_of_itself_and_its_text(name):
    make, expected = DOCUMENTS[name]
    done = cleaning.clean_document("x", make(), RULES)
    found = [Expected(a.title, a.publisher, a.authors, a.date, a.year,
                      [cleaning.simplified(p.text) for p in a.paragraphs], a.scope) for a in done.articles]
    assert found == expected
    assert [r.reason for r in done.rejected] == []
    assert all(r.n_chars > 0 and r.fate in cleaning.FATES and r.rule in RULES.labels for r in done.ledger)


@pytest.mark.parametrize("name", IN_TEXT)
def test_the_account_of_a_stranger_adds_up(name):
    data = DOCUMENTS[name][0]()
    assert sum(r.n_chars for r in cleaning.clean_document("x", data, RULES).ledger) == len(reading.decode(data)[0])
