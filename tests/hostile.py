"""What no folder should hold and some do: bad bytes of every kind, odd names and links, and payloads that try to act.

Everything is made here, by code; nothing is another's document.
"""

from __future__ import annotations

import io
import json
import os
import random
import re
import socket
import zipfile
from collections.abc import Callable
from pathlib import Path

TEXT = "深圳金融监管局提出，加快推进监管数智化建设，支持科技型企业发展。该局要求防范打击非法集资活动。"
PAGE = f"---\ntitle: 深圳部署2026年金融监管工作\ndate: 2026-01-10\n---\n\n{TEXT}\n"


def zipped(members: dict[str, bytes | str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as folder:
        for name, data in members.items():
            folder.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def pdf_of_text() -> bytes:
    """A PDF with a text layer, made by matplotlib."""
    import matplotlib.pyplot as plt

    out = io.BytesIO()
    figure = plt.figure()
    figure.text(.1, .5, "Shenzhen 2026. " * 4)
    figure.savefig(out, format="pdf", metadata={"CreationDate": None})
    plt.close(figure)
    return out.getvalue()


def docx_of_text() -> bytes:
    import docx

    out = io.BytesIO()
    document = docx.Document()
    document.add_heading("深圳部署2026年金融监管工作", 1)
    document.add_paragraph(TEXT)
    document.save(out)
    return out.getvalue()


def workbook_of_text() -> bytes:
    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["标题", "正文", "日期"])
        sheet.write_row(1, 0, ["深圳部署", TEXT, "2026-01-10"])
    return out.getvalue()


def mail_of_text() -> bytes:
    from email.message import EmailMessage

    message = EmailMessage()
    message["Subject"], message["From"] = "深圳部署", "甲 <a@example.org>"
    message["Date"] = "Mon, 12 Jan 2026 08:00:00 +0800"
    message.set_content(TEXT)
    message.add_attachment(PAGE.encode(), maintype="text", subtype="markdown", filename="附件.md")
    return message.as_bytes()


def web_page() -> bytes:
    return (f"<!doctype html><html><head><meta charset=utf-8><title>深圳部署</title></head><body><h1>深圳部署</h1>"
            f"<article><p>{TEXT}</p></article></body></html>").encode()


WHOLE: dict[str, Callable[[], bytes]] = {  # one good document of every kind, to be broken
    "md": PAGE.encode, "txt": f"深圳部署\n来源：甲\n{TEXT}\n".encode, "html": web_page,
    "json": json.dumps([{"title": "深圳部署", "content": TEXT, "date": "2026-01-10"}], ensure_ascii=False).encode,
    "jsonl": (json.dumps({"title": "深圳部署", "content": TEXT}, ensure_ascii=False) + "\n").encode,
    "xml": (f"<?xml version='1.0' encoding='utf-8'?><records><record><title>深圳部署</title><date>2026-01-10</date>"
            f"<content>{TEXT}</content></record></records>").encode,
    "labels": (f"标题：深圳部署\n来源：甲\n日期：2026-01-10\n正文：{TEXT}\n\n"
               f"标题：厦门部署\n来源：乙\n正文：{TEXT}\n").encode,
    "csv": f"标题,正文,日期\n深圳部署,{TEXT},2026-01-10\n".encode, "xlsx": workbook_of_text, "docx": docx_of_text,
    "pdf": pdf_of_text, "eml": mail_of_text, "zip": lambda: zipped({"甲.md": PAGE, "乙.html": web_page()}),
}


def _utf16_tail() -> bytes:
    return TEXT.encode("utf-8") + TEXT.encode("utf-16-le")


def _broken_xref() -> bytes:
    data = pdf_of_text()
    place = data.rindex(b"startxref")
    return data[:place] + b"startxref\n99999999\n%%EOF"


def _loop_of_pages() -> bytes:
    """A PDF whose tree of pages leads back to itself."""
    return (b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[2 0 R]/Count 1>>endobj\n"
            b"trailer<</Root 1 0 R>>\n%%EOF")


def _entities() -> bytes:
    levels = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12))
    return zipped({"[Content_Types].xml": "<Types/>", "word/document.xml":
                   f'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a0 "x">{levels}]><w>&a11;</w>'})


def _outside() -> bytes:
    return zipped({"word/document.xml": '<?xml version="1.0"?><!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
                                        "<w:document xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/"
                                        "main'><w:body><w:p><w:r><w:t>&x;</w:t></w:r></w:p></w:body></w:document>"})


def _lying_zip() -> bytes:
    """A ZIP folder whose member is larger than its directory says."""
    data = bytearray(zipped({"a.txt": "0" * 1_000_000}))
    place = data.index(b"PK\x01\x02") + 24
    data[place:place + 4] = (10).to_bytes(4, "little")
    return bytes(data)


BAD: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "only a byte-order mark": lambda: b"\xef\xbb\xbf",
    "only blanks": lambda: b" \r\n\t\n" * 1000,
    "zeros": lambda: bytes(100_000),
    "noise": lambda: random.Random(1).randbytes(100_000),
    "a program": lambda: b"\x7fELF" + bytes(range(256)) * 40,
    "a picture": lambda: b"\x89PNG\r\n\x1a\n" + bytes(100),
    "every byte": lambda: bytes(range(256)) * 40,
    "GB18030 said to be UTF-8": lambda: web_page().decode().encode("gb18030"),
    "Big5": lambda: "金融監管局提出，加快推進監管數字化建設，支持科技型企業發展。".encode("big5") * 20,
    "UTF-16 without a mark": lambda: TEXT.encode("utf-16-be") * 5,
    "two encodings in one file": lambda: TEXT.encode("utf-8") * 3 + b"\n" + TEXT.encode("gb18030") * 3,
    "UTF-8 with a tail of UTF-16": _utf16_tail,
    "torn characters": lambda: b"\n".join(TEXT.encode()[:i] for i in range(20, 60)),
    "lone surrogates in JSON": lambda: json.dumps(
        [{"title": "a\ud800b", "content": TEXT + "\udfff\ud800", "author": "\udc80", "url": "http://x/\ud800"}]
    ).encode(),
    "lone surrogates in a page": lambda: web_page().replace(b"</p>", b"&#xD800;&#55296;&#x110000;</p>"),
    "a JSON name twice": f'[{{"title": "甲", "content": "{TEXT}", "content": "{TEXT[::-1]}"}}]'.encode,
    "JSON without numbers": f'[{{"title": NaN, "content": "{TEXT}", "year": Infinity, "date": -Infinity}}]'.encode,
    "JSON of huge numbers": (f'[{{"title": {"9" * 9999}, "content": "{TEXT}", "year": 1e999, '
                             f'"date": 1{"0" * 400}}}]').encode,
    "JSON cut off": f'[{{"title": "半截", "content": "{TEXT}'.encode,
    "nested JSON": lambda: b"[" * 300_000 + b"]" * 300_000,
    "nested mappings": lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "nested JSON lines": lambda: (b'{"content":' + b"[" * 50_000 + b"\n") * 3,
    "nested elements": lambda: b"<html><body>" + b"<div>" * 200_000 + TEXT.encode(),
    "nested tables": lambda: b"<html><body>" + b"<table><tr><td>" * 20_000 + TEXT.encode(),
    "HTML that never closes": lambda: ("<html><body><p>" + "<b><i><a href='" * 20_000 + TEXT).encode(),
    "attributes without end": lambda: ("<html><body><p " + "a=b " * 200_000 + ">" + TEXT).encode(),
    "character references": lambda: ("<html><body><p>" + "&#x6DF1;" * 100_000 + "</p>" + "&amp" * 10_000).encode(),
    "front matter with tags": (
        f"---\ntitle: !!python/object/apply:os.system ['touch pwned']\ndate: !!timestamp x\n---\n\n{TEXT}").encode,
    "front matter with anchors": lambda: ("---\na0: &a0 [x,x]\n" + "".join(
        f"a{i}: &a{i} [{','.join(f'*a{i - 1}' for _ in range(9))}]\n"
        for i in range(1, 30)) + f"---\n\n{TEXT}").encode(),
    "front matter that is a loop": lambda: ("---\ntitle: &a [*a]\n---\n\n" + TEXT).encode(),
    "front matter without end": lambda: b"---\n" + b"a: b\n" * 100_000,
    "a PDF that is cut off": lambda: pdf_of_text()[:700],
    "a PDF with a broken xref": _broken_xref,
    "a PDF whose pages are a loop": _loop_of_pages,
    "a PDF of nothing": lambda: b"%PDF-1.7\n%%EOF",
    "XML with entities": lambda: ("<?xml version='1.0'?><!DOCTYPE r [<!ENTITY a0 'x'>" + "".join(
        f"<!ENTITY a{i} '{f'&a{i - 1};' * 10}'>" for i in range(1, 12)) + "]><records><record><title>甲</title>"
        f"<content>&a11;{TEXT}</content></record></records>").encode(),
    "XML that asks for a file": ("<?xml version='1.0'?><!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><records>"
                                 f"<record><title>甲</title><content>&x;{TEXT}</content></record></records>").encode,
    "nested XML": lambda: b"<?xml version='1.0'?><records>" + b"<record>" * 200_000 + TEXT.encode(),
    "XML of many records": lambda: ("<records>" + "<record><title>甲</title><content>乙</content></record>" * 20_000
                                    + "</records>").encode(),
    "a DOCX with entities": _entities,
    "a DOCX that asks for a file": _outside,
    "a DOCX without a document": lambda: zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": ""}),
    "a DOCX that is a bomb": lambda: zipped({"word/document.xml": b"<w/>", "a.bin": bytes(129 * 1024 * 1024)}),
    "an XLSX that is a bomb": lambda: zipped({"xl/workbook.xml": b"<w/>", "a.bin": bytes(129 * 1024 * 1024)}),
    "a ZIP that is a bomb": lambda: zipped({f"{i}.txt": bytes(60_000_000) for i in range(9)}),
    "a ZIP in a ZIP in a ZIP": lambda: zipped({"a.zip": zipped({"b.zip": zipped({"c.zip": zipped({"d.txt": TEXT})})})}),
    "a ZIP that lies": _lying_zip,
    "a ZIP of paths that lead out": lambda: zipped({"../../out.md": PAGE, "/etc/passwd": PAGE, "C:\\x.md": PAGE,
                                                    "a/../../b.md": PAGE, "a\nb\x1b[31m.md": PAGE, "": PAGE}),
    "a ZIP of one name twice": lambda: _twice(),
    "mail of too many parts": lambda: (b"Subject: a\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n"
                                       + b"--x\nContent-Type: text/plain\n\na\n" * 20_000),
    "mail in mail in mail": lambda: _nested_mail(60),
    "a table of too many columns": lambda: (",".join(["标题", "正文", *(f"c{i}" for i in range(50_000))]) + "\n"
                                            + "x," * 50_000).encode(),
    "an open quotation mark": lambda: ("标题,正文\n甲,\"" + TEXT * 3000).encode(),
    "bidirectional controls": lambda: ("---\ntitle: \u202e黑\u2066白\u2069\n---\n\n" + "\u202e\u2067" + TEXT).encode(),
    "escape sequences": lambda: ("---\ntitle: \x1b[2J\x1b]0;pwned\x07深圳\n---\n\n\x1b[31m" + TEXT).encode(),
    "ten thousand headings": lambda: ("# 一\n" * 10_000 + TEXT).encode(),
    "ten thousand bylines": lambda: ("标题\n来源：甲 2026-01-01 10:00 记者 乙\n" * 10_000).encode(),
}


def _twice() -> bytes:
    import warnings

    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(out, "w") as folder:
            folder.writestr("甲.md", PAGE)
            folder.writestr("甲.md", PAGE.replace("深圳", "厦门"))
    return out.getvalue()


def _nested_mail(depth: int) -> bytes:
    inner = b"Subject: a\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n" + TEXT.encode()
    for i in range(depth):
        mark = b"b%d" % i
        inner = (b"Subject: a\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=" + mark + b"\n\n--" + mark
                 + b"\nContent-Type: message/rfc822\n\n" + inner + b"\n--" + mark + b"--\n")
    return inner


# Too large for every run of the tests to read each: what one of them may take is in README.
HEAVY: dict[str, Callable[[], bytes]] = {
    "a line of 200 MB": lambda: (TEXT * (200_000_000 // len(TEXT.encode()) + 1)).encode(),
    "a million lines of one character": lambda: "银\n".encode() * 1_000_000,
    "fifty million brackets": lambda: b"[" * 50_000_000,
    "a million open elements": lambda: b"<html><body>" + b"<div>" * 1_000_000,
    "a table of a million rows": lambda: ("标题,正文\n" + f"甲,{TEXT}\n" * 1_000_000).encode(),
    "front matter of five million lines": lambda: b"---\n" + b"a: b\n" * 5_000_000,
}

ODD_NAMES = (
    "两 个 空格.md", "quote'\".md", "line\nbreak.md", "tab\t.md", "emoji😀.md", "%s%n.md", "-rf.md",
    "$(touch pwned).md", ";touch pwned;.md",
    "&lt;b&gt;<img src=x onerror=pwned()>.md", "=cmd|'|A1.md", "@SUM(1).md", "back\\slash.md",
    "\x1b[31mred.md", "\u202egnp.md", "CON.md", "e\u0301.md", "\u00e9.md", "x" * 200 + ".md", "#hash?query=1.md",
    "no extension",
)
ODD_BYTES = (b"\xff\xfe\xfd.md", b"gbk-\xc9\xee\xdb\xda.md", b"\xed\xa0\x80.md", b"\\xff.md")


def place_odd_names(folder: Path) -> list[str]:
    """One good article under each odd name; returns the names as the tables should have them."""
    placed = []
    for name in ODD_NAMES:
        (folder / name).write_text(PAGE, encoding="utf-8")
        placed.append(name.replace("\\", "\\\\"))
    for name in ODD_BYTES:
        with open(os.path.join(os.fsencode(folder), name), "wb") as file:
            file.write(PAGE.encode())
        placed.append(name.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace"))
    return placed


def place_odd_entries(folder: Path, secret: Path) -> dict[str, str]:
    """Links, pipes and deep folders; returns what is to be said of each that is not read."""
    (folder / "link to a file.md").symlink_to(folder / "good.md")
    (folder / "loop").symlink_to("loop")
    (folder / "ring 1").symlink_to("ring 2")
    (folder / "ring 2").symlink_to("ring 1")
    (folder / "back to the folder").symlink_to(folder)
    (folder / "leads nowhere").symlink_to(folder / "nothing")
    (folder / "leads out.md").symlink_to(secret)
    (folder / "leads out of it").symlink_to(secret.parent)
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as plug:
        here = Path.cwd()
        os.chdir(folder)  # the name of a socket is short
        try:
            plug.bind("plug")
        finally:
            os.chdir(here)
    deep = folder
    for _ in range(300):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (deep / "深.md").write_text(PAGE.replace("深圳", "厦门"), encoding="utf-8")
    return {"loop": "a link that leads back to itself", "ring 1": "a link that leads back to itself",
            "ring 2": "a link that leads back to itself",
            "back to the folder": "a link to a folder; a folder is read only where it stands",
            "leads nowhere": "a link that leads nowhere",
            "leads out.md": "a link that leads out of the folder; it is not followed",
            "leads out of it": "a link that leads out of the folder; it is not followed",
            "pipe": "not a file but a pipe, a socket or a device",
            "plug": "not a file but a pipe, a socket or a device"}


# ------------------------------------------------------------------------------------------------ made-up documents

FRAGMENTS = tuple(x.encode() if isinstance(x, str) else x for x in (
    TEXT, PAGE, "深圳金融监管局", "记者 陈某", "来源：某报", "文 | 某某", "■《某报》 陈某", "责任编辑：甲",
    "相关资讯", "友情链接", "【纠错】", "2026年1月12日 18时38分", "2022-02-08 05:32:12 +0800", "今年1月16日",
    "截至2026年2月9日", "99999年99月99日", "一是", "二是", "（一）", "第1章", "——", "“", "”", "《", "》", "；", "。",
    "、", "…", "\n", "\n\n", "\r", "\r\n", "\x0c", "\u2028", "\x85", " ", "\u3000", "\t", "\ufeff", "\u202e",
    "\u200d", "\x1b[2J", "\x00", "\ufffd", "😀", "ﷺ", "é", "Ａ１", "⼀", "#", "# ", "**", "---\n", "+++\n",
    "title: 甲\n", "date: 2026-01-01\n", "tags: [a, b]\n", "a: &a [*a]\n", "![](x.jpg)", "[x](http://x)", "<html>",
    "<body>", "</body>", "<p>", "</p>", "<div class=content>", "</div>", "<br>", "<h1>", "</h1>", "<table>", "<td>",
    "<title>甲_某网</title>", "<meta charset=gbk>", '<meta property="og:title" content="甲">', "<script>",
    "</script>", "<!--", "-->", "<![CDATA[", "]]>", "&#x6DF1;", "&amp;", "&", "<", ">", '"', "'", "\\", "{", "}", "[",
    "]", ",", ":", "null", '{"title": "甲", "content": "', '"}', '{"a":', "\\ud800", "\\u0000", "NaN", "1e999",
    "标题,正文\n", "标题\t正文\n", "甲,乙\n", '<?xml version="1.0"?>', "<!DOCTYPE x [<!ENTITY a 'b'>]>",
    "<records><record>", "<title>", "<content>", "</content>", "</record>", "标题：甲\n", "正文：", "作者：乙\n",
    "日期：2026-01-01\n", "Title: a\n", "From: a@b\n", "Subject: =?utf-8?b?5rex?=\n", "Date: x\n",
    "MIME-Version: 1.0\n", "Content-Type: multipart/mixed; boundary=b\n\n", "--b\n", "--b--\n",
    "Content-Type: text/plain; charset=gbk\n\n", "Content-Transfer-Encoding: base64\n", "%PDF-1.4\n", "1 0 obj",
    "endobj", "stream\n", "endstream", "xref\n", "trailer", "<<", ">>", "/Type/Page", "/Kids[1 0 R]",
    "/Count 99999999", "/Filter/FlateDecode", b"PK\x03\x04", b"PK\x05\x06", b"\xff", b"\xc9\xee", b"\xed\xa0\x80",
    b"\x80", b"\xfe\xff", "第01版", "A02", "1/3", "- 1 -", "PART 01", "银监局", "监管" * 40, "甲" * 3000, "a" * 3000,
    "“" * 500, "（" * 500, "\n甲" * 300, "，" * 400))


def documents(kind: str):
    """A hypothesis strategy of documents as bytes: of a kind of `WHOLE`, with pieces cut out, doubled, overwritten and
    put in; or, as `fragments`, put together from what readers look for."""
    from hypothesis import strategies as st

    fragment = st.sampled_from(FRAGMENTS)
    if kind == "fragments":
        text = st.text(max_size=30).map(lambda t: t.encode("utf-8", "replace"))
        pieces = st.lists(st.one_of(fragment, fragment, text, st.binary(max_size=12)), max_size=40).map(b"".join)

        def encoded(data: bytes, name: str) -> bytes:
            return data if name == "utf-8" else data.decode("utf-8", "replace").encode(name, "replace")

        return st.builds(encoded, pieces, st.sampled_from(["utf-8", "utf-8", "gb18030", "utf-16", "big5"]))
    whole = WHOLE[kind]()
    members = _unzipped(whole) if kind in ("docx", "xlsx", "zip") else {}
    place = st.integers(0, max(map(len, [whole, *members.values()])))
    what = st.sampled_from(("cut", "double", "put", "overwrite", "end"))
    edit = st.tuples(what, place, st.integers(1, 400), fragment)

    def edited(edits, data: bytes = whole) -> bytes:
        for what, start, length, piece in edits:
            if what == "cut":
                data = data[:start] + data[start + length:]
            elif what == "double":
                data = data[:start + length] + data[start:]
            elif what == "put":
                data = data[:start] + piece + data[start:]
            elif what == "overwrite":
                data = data[:start] + piece + data[start + len(piece):]
            else:
                data = data[:start]
        return data

    edits = st.lists(edit, min_size=1, max_size=6)
    outside = edits.map(edited)
    if not members:
        return outside
    # what is packed is broken inside too, and packed again
    inside = st.builds(lambda name, found: zipped(members | {name: edited(found, members[name])}),
                       st.sampled_from(sorted(members)), edits)
    return st.one_of(inside, inside, outside)


def _unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as folder:
        return {name: folder.read(name) for name in folder.namelist()}


_NOT_TEXT = re.compile(rb"\s*[A-Za-z][A-Za-z-]*:|PK\x03\x04|PK\x05\x06|.{0,1024}%PDF-", re.DOTALL)  # or mail
_TEXTS = {"plain", "markdown", "json", "jsonl", "table"}


def faults_of(done, data: bytes) -> list[str]:
    """What a cleaned document does not hold to, in words; `data` is what it was read from."""
    from fengxiang.reading import decode

    faults = []
    if not done.articles and not done.rejected:
        faults.append("neither an article nor a reason")
    for rejection in done.rejected:
        if rejection.reason == "could not be cleaned":
            faults.append(f"could not be cleaned: {rejection.detail}")
        if not is_plain(rejection.reason):
            faults.append(f"a reason that is not in words: {rejection.reason}")
    try:
        for row in [*done.articles, *done.rejected, *done.ledger]:
            repr(row).encode("utf-8")
            if isinstance(getattr(row, "title", None), str):
                row.title.encode("utf-8")
            for name in ("text", "sample", "detail", "source_file", "publisher", "url"):
                if isinstance(getattr(row, name, None), str):
                    getattr(row, name).encode("utf-8")
    except UnicodeEncodeError:
        faults.append("a text that cannot be written")
    formats = {a.source_format for a in done.articles}
    if formats and formats <= _TEXTS and {r.source_file for r in done.ledger} == {"x"} and not _NOT_TEXT.match(data):
        if sum(r.n_chars for r in done.ledger) != len(decode(data)[0]):
            faults.append("the ledger does not add up to the characters of the text")
        if any(r.n_chars < 0 for r in done.ledger):
            faults.append("the ledger holds less than nothing")
    return faults


def is_plain(reason: str) -> bool:
    """Whether a reason is in words: no name of an exception, no address in memory, no path of this machine."""
    return bool(reason) and not re.search(r"Error|Exception|Traceback|0x[0-9a-f]{6}|/tmp|/home|/root", reason)
