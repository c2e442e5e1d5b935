"""Word documents and PDFs: what stands outside the flow of the text, and what only one of two readers can read."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hostile import zipped

from fengxiang import cleaning

ROOT = Path(__file__).resolve().parent.parent
TEXT = "会议要求守住金融风险底线，强化监管。"


@pytest.fixture(scope="module")
def rules() -> cleaning.Rules:
    return cleaning.Rules.load(ROOT / "codebook")


def word(fill) -> bytes:
    import docx

    document = docx.Document()
    document.add_heading("部署工作", 0)
    fill(document)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def with_footnotes(data: bytes, notes: list[str]) -> bytes:
    """A Word document with one more part: its footnotes."""
    name = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    part = f'<w:footnotes xmlns:w="{name}">' + "".join(
        f"<w:footnote><w:p><w:r><w:t>{t}</w:t></w:r></w:p></w:footnote>" for t in notes) + "</w:footnotes>"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for item in old.namelist():
            content = old.read(item)
            if item == "word/_rels/document.xml.rels":
                link = f'<Relationship Id="rIdNotes" Type="{kind}" Target="footnotes.xml"/></Relationships>'
                content = content.replace(b"</Relationships>", link.encode())
            elif item == "[Content_Types].xml":
                form = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
                override = f'<Override PartName="/word/footnotes.xml" ContentType="{form}"/></Types>'
                content = content.replace(b"</Types>", override.encode())
            new.writestr(item, content)
        new.writestr("word/footnotes.xml", part)
    return out.getvalue()


def test_footnotes_of_a_word_document_are_accounted_for(rules):
    data = with_footnotes(word(lambda d: d.add_paragraph(TEXT)), ["", "数据来自海西金融监管局。"])
    done = cleaning.clean_document("a.docx", data, rules)
    assert [p.text for p in done.articles[0].paragraphs] == [TEXT]
    assert [(r.fate, r.sample) for r in done.ledger if r.rule == "footnote"] == [
        ("boilerplate", "数据来自海西金融监管局。")]


def test_a_table_of_data_gives_a_line_a_row_and_one_of_text_its_paragraphs(rules):
    def fill(document):
        document.add_paragraph(TEXT)
        table = document.add_table(2, 2)
        for row, texts in zip(table.rows, (["指标", "数值"], ["不良率", "0.8%"]), strict=True):
            row.cells[0].text, row.cells[1].text = texts
        long = document.add_table(1, 2)
        long.cell(0, 0).text, long.cell(0, 1).text = TEXT * 4, "会议还作了其他安排。"

    article = cleaning.clean_document("a.docx", word(fill), rules).articles[0]
    assert [(p.kind, p.text) for p in article.paragraphs] == [
        ("body", TEXT), ("list", "指标 数值"), ("list", "不良率 0.8%"),
        ("body", TEXT * 4), ("body", "会议还作了其他安排。")]


def odd_pdf(lines: list[str]) -> bytes:
    """A PDF whose font tells its codes in a table inside the file, as some writers do: one byte pair a character."""
    codes = {c: i for i, c in enumerate(sorted(set("".join(lines))), 1)}
    cmap = ("/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Own def\n"
            "1 begincodespacerange <0000> <ffff> endcodespacerange\n{}endcmap end end")
    same = "".join(f"1 begincidrange <{i:04x}> <{i:04x}> {i} endcidrange\n" for i in codes.values())
    shown = "".join(f"1 beginbfchar <{i:04x}> <{ord(c):04x}> endbfchar\n" for c, i in codes.items())
    page = "".join(f"BT /F 12 Tf 1 0 0 1 60 {780 - 20 * n} Tm <{''.join(f'{codes[c]:04x}' for c in line)}> Tj ET\n"
                   for n, line in enumerate(lines))
    streams = [page, cmap.format(same), cmap.format(shown)]
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 5 0 R>>>>/Contents 4 0 R>>",
        f"<</Length {len(streams[0])}>>stream\n{streams[0]}\nendstream",
        "<</Type/Font/Subtype/Type0/BaseFont/Own/Encoding 7 0 R/ToUnicode 8 0 R/DescendantFonts[6 0 R]>>",
        "<</Type/Font/Subtype/CIDFontType0/BaseFont/Own"
        "/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/DW 1000/FontDescriptor 9 0 R>>",
        f"<</Type/CMap/CMapName/Own/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
        f"/Length {len(streams[1])}>>stream\n{streams[1]}\nendstream",
        f"<</Length {len(streams[2])}>>stream\n{streams[2]}\nendstream",
        "<</Type/FontDescriptor/FontName/Own/Flags 4/FontBBox[0 -200 1000 900]/ItalicAngle 0/Ascent 900/Descent -200"
        "/CapHeight 700/StemV 80>>",
    ]
    out, at = "%PDF-1.4\n", []
    for n, body in enumerate(objects, 1):
        at.append(len(out))
        out += f"{n} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{a:010d} 00000 n \n" for a in at)
    return (out + f"xref\n0 {len(at) + 1}\n0000000000 65535 f \n{table}trailer<</Size {len(at) + 1}/Root 1 0 R>>\n"
            f"startxref\n{len(out)}\n%%EOF").encode()


def test_a_pdf_whose_font_tells_its_codes_itself_is_read(rules):
    lines = ["部署工作", "来源：海西日报", "会议要求守住金融风险底线，强化机构监", "管。"]
    article = cleaning.clean_document("a.pdf", odd_pdf(lines), rules).articles[0]
    assert (article.title, article.publisher) == ("部署工作", "海西日报")
    assert article.text == "会议要求守住金融风险底线，强化机构监管。"


def workbook(*rows: list[str]) -> bytes:
    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        for i, row in enumerate(rows):
            sheet.write_row(i, 0, row)
    return out.getvalue()


def locked_zip() -> bytes:
    data = bytearray(zipped({"a.txt": TEXT.encode()}))
    for magic, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(magic) + flags] |= 1  # says that the member is encrypted
    return bytes(data)


def locked_pdf(data: bytes, filter_name: str = "Standard") -> bytes:
    """A PDF that says it is encrypted, with a password that nobody knows."""
    lock = f"/Encrypt<</Filter/{filter_name}/V 1/R 2/O<{'ab' * 32}>/U<{'cd' * 32}>/P -4>>/ID[<aa><aa>]"
    return data.replace(b"trailer<<", b"trailer<<" + lock.encode())


def nested_mail(depth: int) -> bytes:
    """A mail that holds a ZIP folder that holds a mail … and at last a text."""
    from email.message import EmailMessage

    data, name = TEXT.encode(), "a.txt"
    for _ in range(depth):
        message = EmailMessage()
        message["Subject"] = "a"
        message.set_content(TEXT)
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
        data, name = message.as_bytes(), "a.eml"
    return data


OCR = "recognise its text (OCR), or save the text as DOCX or plain text"
NO_PASSWORD = ("locked with a password", "save it without one")


@pytest.mark.parametrize(("make", "said"), [
    (lambda: zipped({f"{i}.txt": b"" for i in range(20_001)}),
     ("too many files in a ZIP folder", "20,001; the limit is 20,000; unpack it")),
    (lambda: zipped({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<a/>"}),
     ("OpenDocument files are not read here", "save it as DOCX or plain text")),
    (lambda: workbook(["指标", "数值"], ["不良率", "0.8%"]),
     ("a workbook without a column of texts", "the first row must name one, such as 正文 or text")),
    (lambda: workbook(["标题", "正文"], ["部署工作"]), ("a table without an article", "no row has a text")),
    (lambda: word(lambda document: document._body.clear_content()),
     ("a Word document without text", "recognise the text of its pictures first (OCR), or add the text itself")),
    (lambda: odd_pdf(["\ue001\ue002\ue003\ue004", "\ue005\ue006"]),
     ("a PDF whose fonts do not say which characters they show", OCR)),
    (lambda: odd_pdf(["部署"]).replace(b"/Kids[3 0 R]/Count 1", b"/Kids[" + b"3 0 R " * 501 + b"]/Count 501"),
     ("too many pages", "501; the limit is 500; cut it into several files")),
    (lambda: odd_pdf([]), ("a PDF without text", "add the text itself")),
    (lambda: zipped({"a.txt": TEXT.encode()}).replace("会议要求".encode(), "会议要球".encode(), 1),
     ("cannot be unpacked: the ZIP file is damaged", "BadZipFile: Bad CRC-32 for file 'a.txt'")),
    (lambda: nested_mail(4), ("attachments nested too deeply", "the limit is 2; save them apart")),
    (lambda: locked_pdf(odd_pdf(["部署"])), NO_PASSWORD),
    (lambda: locked_zip(), NO_PASSWORD),
    (lambda: b"Subject: a\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n" + b"--x\n" * 5_001,
     ("a message of too many parts", "5,001; the limit is 5,000; save its text as plain text")),
    (lambda: b"Subject: a\nFrom: a@b.cn\nMIME-Version: 1.0\nContent-Type: image/png\n"
             b"Content-Transfer-Encoding: base64\n\niVBORw0KGgo=\n",
     ("a message without text", "save what it holds as files of their own")),
])
def test_a_document_that_cannot_be_used_is_listed_with_what_to_do(rules, make, said):
    done = cleaning.clean_document("材料", make(), rules)
    assert said in [(r.reason, r.detail) for r in done.rejected]


def test_a_sheet_without_end_and_a_file_that_a_parser_chokes_on_are_listed(rules, monkeypatch):
    import python_calamine

    class Sheet:
        height, width = 1_048_576, 16_384

    class Book:
        sheet_names = ("表1",)

        def get_sheet_by_name(self, name):
            return Sheet()

    data = workbook(["标题", "正文"], ["部署工作", TEXT])
    monkeypatch.setattr(python_calamine.CalamineWorkbook, "from_filelike", lambda handle: Book(), raising=False)
    done = cleaning.clean_document("a.xlsx", data, rules)
    assert ("too many cells in a sheet", "表1") in [(r.reason, r.detail) for r in done.rejected]

    def choke(handle):
        raise KeyError("an inner name")

    monkeypatch.setattr(python_calamine.CalamineWorkbook, "from_filelike", choke, raising=False)
    done = cleaning.clean_document("a.xlsx", data, rules)
    assert [(r.reason, r.detail) for r in done.rejected] == [
        ("cannot be read: the file is damaged", "KeyError: 'an inner name'")]
