"""Readers of what is not text: PDF, DOCX, XLSX, ZIP folders and mail, each as the `Source` objects of `reading`."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from . import reading
from .reading import Lines, Source, Unreadable

MAX_PAGES = reading.MAX_PDF_PAGES
MAX_CELL = 60  # characters of a cell of a table of data
DESCENT = 0.2  # of a line's size, below its base line
MAX_ABOVE = 4  # lines above a byline that is centred over the columns of a page
MAX_PAGE_CHARS = 60_000  # characters of one PDF page
_PASSED_ON = re.compile(r"(?i)^\s*(?:(?:转发|轉發|回复|回復|答复|fwd?|fw|re)\s?[:：]\s*)+")
_DIGITS = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(r"[-—–·•|\s]{0,4}(?:第?\s?\d{1,4}\s?页?|\d{1,4}\s?/\s?\d{1,4}|[ivxlc]{1,6})[-—–·•|\s]{0,4}")

# ------------------------------------------------------------------------------------------------- ZIP and its kin


def read_packed(source_file: str, data: bytes, names: dict, depth: int, read_member):
    """What a ZIP file holds: a DOCX or XLSX document, or a folder whose members are read one by one.

    Args:
        read_member: `(name, bytes, names, first position, depth)` to what is yielded for a member.
    """
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        yield from _old_office(source_file, data, names)
        return
    try:
        folder = zipfile.ZipFile(io.BytesIO(data))
        members = folder.infolist()
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        raise Unreadable("cannot be read: the ZIP file is damaged", str(error)[:200]) from None
    if len(members) > reading.MAX_MEMBERS:
        raise Unreadable("too many files in a ZIP folder",
                         f"{len(members):,}; the limit is {reading.MAX_MEMBERS:,}; unpack it")
    unpacked = sum(m.file_size for m in members)
    if unpacked > reading.MAX_UNPACKED_BYTES:
        raise Unreadable("too large when unpacked", f"{unpacked:,} bytes; the limit is {reading.MAX_UNPACKED_BYTES:,}")
    inside = {m.filename for m in members}
    office = inside & {"word/document.xml", "xl/workbook.xml", "xl/workbook.bin"}
    if office and unpacked > reading.MAX_OFFICE_BYTES:
        raise Unreadable("too large when unpacked", f"{unpacked:,} bytes; the limit is {reading.MAX_OFFICE_BYTES:,}")
    if "word/document.xml" in inside:
        yield read_docx(source_file, data)
    elif "xl/workbook.xml" in inside or "xl/workbook.bin" in inside:
        yield from read_workbook(source_file, data, names)
    elif "ppt/presentation.xml" in inside:
        raise Unreadable("slides are not read here", "save the text as DOCX or plain text")
    elif "content.xml" in inside and "mimetype" in inside:
        raise Unreadable("OpenDocument files are not read here", "save it as DOCX or plain text")
    elif depth >= reading.MAX_ZIP_DEPTH:
        raise Unreadable("ZIP folders nested too deeply", f"the limit is {reading.MAX_ZIP_DEPTH}")
    else:
        yield from _folder(source_file, folder, members, names, depth, read_member)


def _folder(source_file, folder, members, names, depth, read_member):
    seen = set()
    for member in sorted(members, key=lambda m: m.filename):
        name = _member_name(member)
        base = name.rsplit("/", 1)[-1]
        if member.is_dir() or not base or base.startswith((".", "~$")) or name.startswith("__MACOSX/"):
            continue
        if base.lower().startswith("readme"):
            continue
        path = f"{source_file}/{name}"
        while path in seen:
            path += "+"
        seen.add(path)
        if member.flag_bits & 1:
            yield path, "locked with a password", "save it without one"
        elif member.file_size > reading.MAX_MEMBER_BYTES:
            yield path, "too large when unpacked", f"{member.file_size:,} bytes"
        else:
            try:
                content = folder.read(member)
            except Exception as error:  # zipfile raises what its decompressors raise
                yield path, "cannot be unpacked: the ZIP file is damaged", f"{type(error).__name__}: {str(error)[:200]}"
                continue
            yield from read_member(path, content, names, 1, depth + 1)


def _member_name(member: zipfile.ZipInfo) -> str:
    """The member's name; those that Chinese Windows wrote in GBK are not marked as such."""
    name = member.filename
    if not member.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("gb18030")
        except UnicodeError:  # not GBK after all
            name = member.filename
    return re.sub(r"[\x00-\x1f]", "", name.replace("\\", "/")).lstrip("/")


def _mark_passed_on(lines: Lines, known: dict) -> None:
    """Mark what stands above a mail that was passed on: the words of who did so, and the header of the original. Where
    they are longer than it, they are the text."""
    start = next((i for i, text in enumerate(lines.text) if known["forward"].fullmatch(text)), None)
    if start is None:
        return
    end = start + 1
    while end < len(lines.text) and known["header"].fullmatch(lines.text[end]):
        end += 1
    if sum(map(len, lines.text[:start])) < sum(map(len, lines.text[end:])):
        lines.hint[:end] = ["f:mail_head"] * end


def _old_office(source_file, data, names):
    if b"W\x00o\x00r\x00k\x00b\x00o\x00o\x00k\x00" in data or b"B\x00o\x00o\x00k\x00" in data:
        yield from read_workbook(source_file, data, names)
    else:
        raise Unreadable("the old Word format (.doc) is not read here", "save it as DOCX, PDF or plain text")


# ------------------------------------------------------------------------------------------------- tables


def read_workbook(source_file: str, data: bytes, names: dict):
    """The sheets of a workbook that have a column of texts: one article a row. The account is over the cells."""
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = [(name, book.get_sheet_by_name(name)) for name in book.sheet_names]
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise Unreadable("cannot be read: the workbook is damaged", str(error)[:200]) from None
    found = False
    for name, sheet in sheets:
        if sheet.height * sheet.width > 20_000_000:
            yield source_file, "too many cells in a sheet", name
            continue
        rows = [[_cell(c) for c in row] for row in sheet.to_python()]
        head = next((i for i, row in enumerate(rows[:20]) if _is_head(row, names["json"])), None)
        if head is None:
            continue
        found = True
        n_chars = sum(len(c) for row in rows for c in row)
        yield from reading.rows_as_sources(source_file, "table", rows[head:], names["json"], n_chars)
    if not found:
        raise Unreadable("a workbook without a column of texts", "the first row must name one, such as 正文 or text")


def _is_head(row: list[str], names: dict[str, str]) -> bool:
    known = [names.get(c.strip().lower()) for c in row]
    return "text" in known and sum(k is not None for k in known) >= 2


def _cell(value) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


# ------------------------------------------------------------------------------------------------- DOCX


def read_docx(source_file: str, data: bytes) -> Source:
    """Paragraphs and table cells of a Word document in order, headings and lists by their styles."""
    import docx

    try:
        document = docx.Document(io.BytesIO(data))
    except Exception as error:  # python-docx raises KeyError, ValueError and what lxml raises for a damaged package
        raise Unreadable("cannot be read: the DOCX file is damaged", f"{type(error).__name__}: {error}"[:200]) from None
    source = Source(source_file, "docx", Lines())
    unit = 0
    for block in document.iter_inner_content():
        if not hasattr(block, "rows"):
            unit += 1
            _add_paragraph(source, block, unit)
            continue
        for row in block.rows:
            cells = _cells(row)
            if len(cells) > 1 and all(len(cell.text) <= MAX_CELL for cell in cells):
                unit += 1
                _add_row(source, [cell.text for cell in cells], unit)
                continue
            for paragraph in (p for cell in cells for p in cell.paragraphs):
                unit += 1
                _add_paragraph(source, paragraph, unit)
    for text in _notes(document):
        unit += 1
        shown = reading.normal(text).strip()
        source.lines.add(shown, unit, len(text) + 1, "f:footnote", gap=1)
    if not source.lines.text:
        raise Unreadable("a Word document without text",
                         "recognise the text of its pictures first (OCR), or add the text itself")
    return source


def _cells(row):
    seen = []
    for cell in row.cells:
        if not any(cell._tc is s._tc for s in seen):
            seen.append(cell)
    return seen


def _add_row(source: Source, cells: list[str], unit: int) -> None:
    """A row of a table of data as one line; a table that sets text side by side has longer cells."""
    raw = "\u3000".join(cells)
    text = " ".join(reading.normal(raw).split())
    if text:
        source.lines.add(text, unit, len(raw) + 1, "l", gap=1)
    else:
        source.settled.append((unit, len(raw) + 1, "boilerplate", "blank", ""))


def _notes(document) -> list[str]:
    """The footnotes, then the endnotes of a Word document."""
    from docx.oxml import parse_xml
    from docx.oxml.ns import qn

    out = []
    for kind in ("footnotes", "endnotes"):
        for relation in document.part.rels.values():
            if relation.is_external or not relation.reltype.endswith(f"/{kind}"):
                continue
            for note in parse_xml(relation.target_part.blob):
                text = "".join(t.text or "" for t in note.iter(qn("w:t")))
                if text.strip():
                    out.append(text)
    return out


def _add_paragraph(source: Source, paragraph, unit: int) -> None:
    raw = paragraph.text
    style = (paragraph.style.name if paragraph.style is not None else "").lower()
    if style.startswith(("title", "标题")) and not re.search(r"\d", style):
        hint = "t"
    elif style.startswith(("heading", "标题")):
        hint = "t" if style.endswith(" 1") and not source.lines.text else "h"
    elif style.startswith("list") or (paragraph._p.pPr is not None and paragraph._p.pPr.numPr is not None):
        hint = "l"
    else:
        runs = [r for r in paragraph.runs if r.text.strip()]
        bold = runs and all(r.bold for r in runs) and len(raw.strip()) <= 60 and raw.strip()[-1] not in "。；，、："
        hint = "h" if bold else ""
    pieces = raw.split("\n")
    for i, piece in enumerate(pieces):
        text = reading.normal(piece).strip()
        n = len(piece) + 1
        if text:
            indent = piece.startswith(("  ", "\u3000", "\t"))
            source.lines.add(text, unit, n, hint, gap=i == 0, indent=indent)
        else:
            source.settled.append((unit, n, "boilerplate", "blank", ""))


# ------------------------------------------------------------------------------------------------- PDF


@dataclass(slots=True)
class _Segment:
    """A run of text on one line of one column; coordinates in points from the top left."""

    text: str
    x0: float
    x1: float
    top: float
    bottom: float
    size: float


def read_pdf(source_file: str, data: bytes) -> Source:
    """The text layer of a PDF, columns in reading order; running heads and page numbers are marked as such.

    Raises:
        Unreadable: locked, damaged, without a text layer, or with text that maps to no characters.
    """
    if _unpacked_streams(data) > reading.MAX_OFFICE_BYTES:
        raise Unreadable("too large when unpacked", f"the limit is {reading.MAX_OFFICE_BYTES:,} bytes")
    failure, pages, pictures = "", [], False
    try:
        pages, pictures = _pages_of_pdfplumber(data)
    except Unreadable:
        raise
    except Exception as error:  # pdfminer raises many kinds for a damaged file, and for fonts it does not know
        failure = f"{type(error).__name__} {error}"
        if "Password" in failure or "Encryption" in failure:
            raise Unreadable("locked with a password", "save it without one") from None
    if not any(pages):
        pages = _pages_of_pdfium(data, failure)
    total = sum(len(s.text) for page in pages for s in page)
    if not total:
        raise Unreadable("image-only PDF: no text layer" if pictures else "a PDF without text",
                         "recognise its text first (OCR), or add the text itself" if pictures
                         else "add the text itself")
    garbled = sum(len(re.findall(r"\(cid:\d+\)|[\ue000-\uf8ff\ufffd]", s.text)) for page in pages for s in page)
    if garbled > 0.2 * total:
        raise Unreadable("a PDF whose fonts do not say which characters they show",
                         "recognise its text (OCR), or save the text as DOCX or plain text")
    return _pdf_source(source_file, pages)


def _unpacked_streams(data: bytes) -> int:
    """How many bytes the compressed streams of a PDF hold, counted until they pass the limit."""
    total = 0
    for m in re.finditer(rb"stream\r?\n", data):
        unpack = zlib.decompressobj()
        piece = data[m.end() : m.end() + 65_536]
        at = m.end()
        while piece and total <= reading.MAX_OFFICE_BYTES:
            try:
                total += len(unpack.decompress(piece, 1 << 20))
            except zlib.error:  # a stream that is not compressed, or the end of one
                break
            piece = unpack.unconsumed_tail
            if not piece and not unpack.eof:
                at += 65_536
                piece = data[at : at + 65_536]
    return total


def _pages_of_pdfplumber(data: bytes) -> tuple[list[list[_Segment]], bool]:
    """The segments of each page in reading order, and whether there are pictures."""
    import logging

    import pdfplumber

    logging.getLogger("pdfminer").setLevel(logging.ERROR)  # its warnings about odd fonts are of no use to a reader
    pages, pictures = [], False
    with pdfplumber.open(io.BytesIO(data)) as document:
        _refuse_too_many(len(document.pages))
        for page in document.pages:
            pictures = pictures or bool(page.images)
            if len(page.chars) <= MAX_PAGE_CHARS:
                words = page.dedupe_chars().extract_words(
                    x_tolerance=2, y_tolerance=3, keep_blank_chars=False, use_text_flow=False, extra_attrs=["size"])
                pages.append(_in_order(_segments(words)))
            page.close()
    return pages, pictures


def _refuse_too_many(n_pages: int) -> None:
    if n_pages > MAX_PAGES:
        raise Unreadable("too many pages", f"{n_pages:,}; the limit is {MAX_PAGES:,}; cut it into several files")


def _pages_of_pdfium(data: bytes, failure: str) -> list[list[_Segment]]:
    """The same as pdfium reads it, which knows fonts that tell their codes in a table inside the file.

    Args:
        failure: why pdfplumber could not read the file, said where pdfium cannot either.
    """
    import pypdfium2

    pages = []
    try:
        with pypdfium2.PdfDocument(data) as document:
            _refuse_too_many(len(document))
            for page in document:
                pages.append(_in_order(_segments(_words_of_pdfium(page))))
                page.close()
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise Unreadable("locked with a password", "save it without one") from None
        raise Unreadable("cannot be read: the PDF file is damaged", (failure or str(error))[:200]) from None
    return pages


def _words_of_pdfium(page) -> list[dict]:
    """The characters of a page in the form of pdfplumber's words."""
    import ctypes

    from pypdfium2 import raw

    left, right, bottom, top, x, y = (ctypes.c_double() for _ in range(6))
    height, text, words = page.get_height(), page.get_textpage(), []
    n_chars = text.count_chars()
    for i in range(n_chars if n_chars <= MAX_PAGE_CHARS else 0):
        char = chr(raw.FPDFText_GetUnicode(text, i))
        if char.isspace() or char < " " or raw.FPDFText_IsGenerated(text, i) == 1:
            continue
        raw.FPDFText_GetCharBox(text, i, left, right, bottom, top)
        raw.FPDFText_GetCharOrigin(text, i, x, y)
        size = raw.FPDFText_GetFontSize(text, i) or 1.0
        base = height - y.value + DESCENT * size
        words.append({"text": char, "x0": x.value, "x1": max(right.value, x.value), "top": base - size, "bottom": base,
                      "size": size})
    text.close()
    return words


def _segments(words: list[dict]) -> list[_Segment]:
    """Lines of a page, cut where a gap is wider than the space between columns."""
    words.sort(key=lambda w: (round(w["bottom"]), w["x0"]))
    rows: list[list[dict]] = []
    for word in words:
        if rows and abs(rows[-1][0]["bottom"] - word["bottom"]) <= 0.4 * word["size"]:
            rows[-1].append(word)
        else:
            rows.append([word])
    out = []
    for row in rows:
        row.sort(key=lambda w: w["x0"])
        run = [row[0]]
        for a, b in pairwise(row):
            if b["x0"] - a["x1"] > 1.6 * max(a["size"], b["size"]):
                out.append(_segment(run))
                run = []
            run.append(b)
        out.append(_segment(run))
    return out


def _segment(words: list[dict]) -> _Segment:
    text = words[0]["text"]
    for a, b in pairwise(words):
        gap = b["x0"] - a["x1"]
        latin = a["text"][-1].isascii() and b["text"][0].isascii()
        text += (" " if gap > 0.8 * a["size"] or (latin and gap > 0.15 * a["size"]) else "") + b["text"]
    sizes = Counter(round(w["size"], 1) for w in words for _ in w["text"])
    return _Segment(text, words[0]["x0"], words[-1]["x1"], min(w["top"] for w in words),
                    max(w["bottom"] for w in words), sizes.most_common(1)[0][0])


def _in_order(segments: list[_Segment], depth: int = 0) -> list[_Segment]:
    """Segments as they are read: lines across the page cut it into bands, gutters cut a band into columns."""
    segments = sorted(segments, key=lambda s: (s.top, s.x0))
    centred = _centred(segments) if depth == 0 else []
    gutter = _gutter([s for s in segments if s not in centred]) if depth < 6 else None
    if gutter is None:
        return segments
    out: list[_Segment] = []
    band: list[_Segment] = []

    def flush():
        left = [s for s in band if s.x1 <= gutter + 1]
        right = [s for s in band if s.x1 > gutter + 1]
        out.extend(_in_order(left, depth + 1) + _in_order(right, depth + 1))
        band.clear()

    for s in segments:
        if s in centred or (s.x0 < gutter - 1 and s.x1 > gutter + 1):
            flush()
            out.append(s)
        else:
            band.append(s)
    flush()
    return out


def _centred(segments: list[_Segment]) -> list[_Segment]:
    """The lines at the top of a page that stand alone in the middle of it, such as the names below a title: too short
    to cross the gutter, they belong to no column."""
    if not segments:
        return []
    middle = (min(s.x0 for s in segments) + max(s.x1 for s in segments)) / 2
    return [s for s in segments[: MAX_ABOVE + 1] if abs((s.x0 + s.x1) / 2 - middle) <= s.size and not any(
        o is not s and o.top < s.bottom and o.bottom > s.top for o in segments)]


def _gutter(segments: list[_Segment]) -> float | None:
    """The x between two columns: few lines cross it, and at least three stand on each side."""
    best = None
    for x in sorted({round(s.x0, 0) for s in segments}):
        left = [s for s in segments if s.x1 <= x]
        right = [s for s in segments if s.x0 >= x - 1]
        crossing = len(segments) - len(left) - len(right)
        if min(len(left), len(right)) < 3 or crossing > 0.25 * len(segments):
            continue
        tall = min(max(s.bottom for s in side) - min(s.top for s in side) for side in (left, right))
        overlap = min(max(s.bottom for s in left), max(s.bottom for s in right)) - max(
            min(s.top for s in left), min(s.top for s in right))
        if overlap < 0.4 * tall:
            continue
        rank = (crossing, -min(len(left), len(right)))
        if best is None or rank < best[0]:
            best = (rank, x - 2)
    return best[1] if best else None


def _pdf_source(source_file: str, pages: list[list[_Segment]]) -> Source:
    source = Source(source_file, "pdf", Lines())
    heads = Counter()
    for page in pages:
        heads.update({_DIGITS.sub("#", s.text.replace(" ", "")) for s in _margins(page)})
    sizes = Counter()
    for page in pages:
        for s in page:
            sizes[round(s.size, 1)] += len(s.text)
    body_size = sizes.most_common(1)[0][0]
    unit = 0
    for number, page in enumerate(pages):
        margins = {id(s) for s in _margins(page)}
        inner = [s for s in page if id(s) not in margins] or page
        fresh = True
        above: _Segment | None = None
        for s in page:
            unit += 1
            text = reading.normal(s.text).strip()
            n = len(s.text) + 1
            if not text:
                source.settled.append((unit, n, "boilerplate", "blank", ""))
                continue
            hint = ""
            if id(s) in margins:
                key = _DIGITS.sub("#", s.text.replace(" ", ""))
                if _PAGE_NUMBER.fullmatch(text):
                    hint = "f:page_number"
                elif s.size <= 1.1 * body_size and (heads[key] >= 2 or (number and _stands_apart(s, page))):
                    hint = "f:running_head"
            if not hint and s.size >= 1.45 * body_size and number == 0 and "t" not in source.lines.hint:
                hint = "t"
            elif not hint and s.size >= 1.12 * body_size and len(text) <= 60:
                hint = "h"
            left = min((o.x0 for o in inner if abs(o.x0 - s.x0) <= 3 * s.size and o.x1 > s.x0), default=s.x0)
            indent = s.x0 - left >= 1.4 * s.size
            gap = above is None or not -0.2 * s.size <= s.top - above.bottom <= 1.3 * s.size
            hint_above = source.lines.hint[-1] if source.lines.hint else ""
            if hint in ("t", "h") and above is not None and hint_above in ("t", hint) and (
                    not gap and abs(above.size - s.size) < 0.2 and len(source.lines.text[-1]) + len(text) <= 60):
                source.lines.text[-1] += text  # a title over two lines
                source.lines.n[-1] += n
            else:
                source.lines.add(text, unit, n, hint, gap=gap, indent=indent, page=fresh and number > 0)
            if not hint.startswith("f:"):
                fresh = False
            above = s
    return source


def _stands_apart(line: _Segment, page: list[_Segment]) -> bool:
    """Whether a short line at the top or foot of a page is set off from the text by more than a blank line."""
    if len(line.text) > 40 or line.text[-1] in "。；！？":
        return False
    above = [line.top - s.bottom for s in page if s is not line and s.bottom <= line.top]
    below = [s.top - line.bottom for s in page if s is not line and s.top >= line.bottom]
    if above and below:
        return False
    return min(above or below, default=0) > 1.8 * line.size


def _margins(page: list[_Segment]) -> list[_Segment]:
    """The lines at the very top and foot of a page."""
    if len(page) < 3:
        return [s for s in page if _PAGE_NUMBER.fullmatch(s.text.strip())]
    tops, feet = sorted(page, key=lambda s: s.top), sorted(page, key=lambda s: -s.bottom)
    return [s for s in tops[:3] if s.top <= tops[0].top + 1.5 * s.size] + [
        s for s in feet[:3] if s.bottom >= feet[0].bottom - 1.5 * s.size]


# ------------------------------------------------------------------------------------------------- mail


def read_mail(source_file: str, data: bytes, names: dict, depth: int, read_member):
    """A mail message or a page saved as MHTML: its HTML or plain text, then its attachments."""
    import email
    import email.policy

    n_parts = data.count(b"\n--")
    if n_parts > reading.MAX_MAIL_PARTS:  # the parser's time grows with their square
        raise Unreadable("a message of too many parts",
                         f"{n_parts:,}; the limit is {reading.MAX_MAIL_PARTS:,}; save its text as plain text")
    message = email.message_from_bytes(data, policy=email.policy.default)
    part = message.get_body(preferencelist=("html", "plain"))
    is_page = message.get_content_type() == "multipart/related" or "snapshot-content-location" in message
    if part is None:
        part = next((p for p in message.walk() if p.get_content_type() in ("text/html", "text/plain")), None)
    if part is None:
        raise Unreadable("a message without text", "save what it holds as files of their own")
    payload = part.get_payload(decode=True) or b""
    text, _, bad = reading.decode(payload, part.get_content_charset())
    subject = _PASSED_ON.sub("", str(message.get("subject") or ""))
    if part.get_content_type() == "text/html" and text.strip():
        source = reading.read_html(source_file, text, names["html"], subject)
    else:
        source = reading.read_plain(source_file, text)
        source.raw = None
    source.source_format = "web_page" if is_page else "email"
    source.n_undecodable = bad
    _mark_passed_on(source.lines, names["mail"])
    said = [("title", subject, "mail:subject"),
            ("date", None if is_page else message.get("date"), "mail:date"),  # a page has the day it was saved there
            ("url", message.get("snapshot-content-location") or part.get("content-location"), "mail:location")]
    if not is_page:
        sender = re.match(r'\s*"?([^"<@]{2,40})"?\s*<', str(message.get("from") or ""))
        said.append(("publisher", sender[1].strip() if sender else None, "mail:from"))
    for name, value, rule in said:
        if value:
            reading.add_field(source.fields, name, str(value), rule)
    yield source
    if is_page:
        return
    for i, attachment in enumerate(message.iter_attachments()):
        if i >= reading.MAX_ATTACHMENTS:
            yield source_file, "too many attachments", f"those after the first {reading.MAX_ATTACHMENTS} are not read"
            break
        if depth >= reading.MAX_ZIP_DEPTH:
            yield source_file, "attachments nested too deeply", f"the limit is {reading.MAX_ZIP_DEPTH}; save them apart"
            break
        name = re.sub(r"[\x00-\x1f/\\]", "", attachment.get_filename() or f"attachment-{i + 1}")
        content = attachment.get_payload(decode=True)
        if content and attachment.get_content_maintype() not in ("image", "audio", "video"):
            yield from read_member(f"{source_file}/{name}", content, names, 1, depth + 1)
