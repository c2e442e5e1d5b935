"""Raw bytes to lines: which format a document is in, what it says of itself, and its text line by line.

The format is recognised by content, never by the name. Every reader yields `Source` objects, in which each character
of the decoded text is accounted for: it stands in a line, or in a settled row (markup, keys, syntax).
"""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain

from .patterns import Late

MAX_BYTES = 256 * 1024 * 1024  # of one document
MAX_MEMBER_BYTES = 64 * 1024 * 1024  # of one member of a ZIP folder, unpacked
MAX_UNPACKED_BYTES = 512 * 1024 * 1024  # of a ZIP folder, unpacked
MAX_OFFICE_BYTES = 128 * 1024 * 1024  # of a DOCX or XLSX document or of the streams of a PDF, unpacked
MAX_MEMBERS = 20_000  # of a ZIP folder
MAX_ZIP_DEPTH = 2  # ZIP folders inside ZIP folders
MAX_CHARS = 10_000_000  # of the texts of one file, all its members and records together
MAX_LINES = 1_000_000  # of one document
MAX_MAIL_PARTS = 5_000  # lines of a message that may begin a part
MAX_ATTACHMENTS = 100  # of a message
MAX_RECORDS = 100_000  # of one JSON, CSV or XLSX document
MAX_PARTS = 2_000  # paragraphs of a JSON record
LABELS_WITHIN = 600  # characters in which the label of the title stands, where fields begin with labels
MAX_RECORD_DEPTH = 4  # mappings and lists above a JSON record
MAX_HTML_CHARS = 8_000_000  # of one page
MAX_HTML_DEPTH = 1_500  # elements open at once; deeper pages are read without their structure
MAX_TITLE_BLOCKS = 400  # blocks of a page among which its title is looked for
MIN_TITLE, USUAL_TITLE, MAX_TITLE = 4, 8, 80  # characters of a title: at least, of most, at most
MAX_PIECES = 20  # pieces of a line that a date on its own sets apart
MAX_PDF_PAGES = 500
MAX_BRACKETS = 5  # brackets within brackets whose width is put right
MAIN_SHARE = 0.65  # of a page's prose, by characters, that makes a container the body of the article
MAX_FRONT_MATTER = 20_000  # characters
MAX_FIELD = 2_000  # characters of a metadata value
MAX_KEY = 41  # characters of a key of front matter

# The most frequent characters of Chinese news, simplified and traditional: how likely a decoding is to be Chinese.
_COMMON = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定"
    "行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些"
    "然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公"
    "无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将"
    "组见计别她手角期根论运农指几九区强放决西被干做必战先回则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金"
    "增争济阶油思术极交受联什认六共权收证改清己美再采转更单风切打白教速花带安场身车例真务具万每目至达走积示议声报斗完类"
    "险融银监局市省银业款贷财资产审构"
    "這個們來時為國會對發動過產種學經進電裡開現實兩體機當點業應還從關內數線間樣與無條沒問題義軍總員組見計別論農幾區強決戰"
    "處隊務萬達議報類險監貸財資審構"
)
_ODD_CONTROLS = bytes((*range(0x09), *range(0x0E, 0x1C), 0x7F))
_ODD_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x7f]")
_HAN = re.compile("[\u4e00-\u9fff]")
_LATIN_1 = re.compile("[\xa1-\xff]")


_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\x00\x00", "utf-32"),
                     (b"\x00\x00\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_MARK_STARTS = frozenset(mark[:1] for mark, _ in _BYTE_ORDER_MARKS)


class Unreadable(Exception):
    """A document that cannot be used: `args` are the reason in plain words and a detail."""

    def __init__(self, reason: str, detail: str = ""):
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


@dataclass(slots=True)
class Lines:
    """Lines or blocks of a document as parallel lists, blank lines left out (they are in `Source.settled`).

    `text` is normalised and stripped; `n` counts raw characters with the line end; `unit` numbers the line or block;
    `hint` is what the markup says: `` (nothing), `t` title, `h` heading, `p` paragraph, `l` list item,
    `x` outside the body of a page, `k` kept outside for metadata; `gap` counts the blank lines above,
    `indent` tells whether the line is indented, `page` whether it begins a page. `hans` is set where it is known that
    no character of the lines is one of `TRADITIONAL`.
    """

    text: list[str] = field(default_factory=list)
    unit: list[int] = field(default_factory=list)
    n: list[int] = field(default_factory=list)
    hint: list[str] = field(default_factory=list)
    gap: list[int] = field(default_factory=list)
    indent: list[bool] = field(default_factory=list)
    page: list[bool] = field(default_factory=list)
    hans: bool = False

    def add(self, text: str, unit: int, n: int, hint: str = "", gap=0, indent=False, page=False) -> None:
        self.text.append(text)
        self.unit.append(unit)
        self.n.append(n)
        self.hint.append(hint)
        self.gap.append(int(gap))
        self.indent.append(indent)
        self.page.append(page)


@dataclass(slots=True)
class Source:
    """One readable text: a file, a member or a record.

    `fields` are metadata as `(field, value, rule)` in order of trust; `settled` ledger rows as
    `(unit, n_chars, fate, rule, sample)`; `position` is set where the place in the file is known beforehand.
    """

    source_file: str
    source_format: str
    lines: Lines
    fields: list[tuple[str, object, str]] = field(default_factory=list)
    settled: list[tuple[int, int, str, str, str]] = field(default_factory=list)
    position: int | None = None
    n_undecodable: int = 0
    raw: list[str] | None = None  # the lines as they are, for `lines.unit` from 1


# ------------------------------------------------------------------------------------------------- bytes to text


def decode(data: bytes, declared: str | None = None) -> tuple[str, str, int]:
    """Bytes as text: `(text, encoding, n_undecodable)`.

    Byte-order marks first, then UTF-8, then whichever of GB18030, Big5 and UTF-16 decodes the bytes into the most
    ordinary Chinese; `declared` (by default what the bytes say of themselves) only breaks ties, since pages lie.
    Bytes that cannot be decoded become U+FFFD and are counted. Text that is GB18030 read as Latin-1 and saved as
    UTF-8 is repaired.
    """
    if data[:1] in _MARK_STARTS:
        for mark, name in _BYTE_ORDER_MARKS:
            if data.startswith(mark):
                return _decoded(data, name)
    try:
        text = data.decode("utf-8")
        if b"\x00" not in data:
            return _repaired(text)
    except UnicodeDecodeError:
        text, name, bad = _decoded(data, "utf-8")
        if bad <= 2 + len(text) // 200 and len(_HAN.findall(text[:20_000])) > bad:
            return text, name, bad  # UTF-8 with a torn character or two
    best = None
    names = ["gb18030", "big5hkscs", "utf-16-le", "utf-16-be"]
    if declared is None and (stated := _CHARSET.search(data[:2048])):
        declared = stated[1].decode()
    if declared and declared.lower() in ("big5", "big5-hkscs", "big5hkscs"):
        names.insert(0, "big5hkscs")
    for name in dict.fromkeys(names):
        text, _, bad = _decoded(data[:200_000], name)
        rank = (_commonness(text) - 20 * bad / (len(text) + 1), -names.index(name))
        if best is None or rank > best[0]:
            best = (rank, name)
    if best[0][0] < 0.2:
        import charset_normalizer

        guess = charset_normalizer.from_bytes(data[:50_000]).best()
        return _decoded(data, guess.encoding if guess else "utf-8")
    return _decoded(data, best[1])


def _decoded(data: bytes, name: str) -> tuple[str, str, int]:
    try:
        return data.decode(name), name, 0
    except UnicodeDecodeError:
        text = data.decode(name, "replace")
        return text, name, text.count("\ufffd")


def _commonness(text: str) -> float:
    """Share of frequent Chinese characters among all that are not ASCII."""
    sample = [c for c in text[:20_000] if c > "\x7f"]
    return sum(c in _COMMON for c in sample) / len(sample) if sample else 0.0


def _repaired(text: str) -> tuple[str, str, int]:
    head = text[:4_000]
    if not _HAN.search(head) and len(_LATIN_1.findall(head)) > 0.3 * len(head):
        for name in ("latin-1", "cp1252"):
            try:
                repaired = text.encode(name).decode("gb18030")
            except UnicodeError:
                continue
            if _commonness(repaired) > 0.4:
                return repaired, "gb18030 saved as utf-8", 0
    return text, "utf-8", 0


# ------------------------------------------------------------------------------------------------- normal form

_WIDE = {c: c - 0xFEE0 for c in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))}
_UNSEEN_CHARACTERS = (
    0xAD, 0xFEFF, 0x7F, *range(0x09), *range(0x0E, 0x1C), *range(0x80, 0x85), *range(0x86, 0xA0),
    *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065))  # fmt: skip
_BLANKS = (0xA0, 0x3000, 0x202F, 0x205F, *range(0x2000, 0x200B))
_TABLE = dict.fromkeys(_UNSEEN_CHARACTERS) | dict.fromkeys(_BLANKS, " ") | _WIDE | {
    0xFF0E: ".", 0xFF05: "%", 0xFF0B: "+", 0xFF0D: "-", 0xFF0F: "/", 0xFF3F: "_", 0xFF06: "&", 0xFF1D: "=",
    0xFF20: "@", 0xFF03: "#", 0xFE30: "：", 0xFF61: "。", 0xFF64: "、"}  # fmt: skip
_MARKS = "!#(*,:;<?[\\]_{"  # ASCII that may stand wide beside Chinese, or is what Markdown and HTML are written with
# The most frequent characters that differ between the scripts: enough to tell them apart without loading OpenCC.
TRADITIONAL = (
    "業監貸銀機險億資構萬發務動點產會爲個總風項長數區國與進農對開設報並實協體辦調經戶據專強廣統內級續議質導門臺創規傳單額試處東轉範當兩場還過計於組費關債聯類來應時責領權準該賠標擴結網穩災營縣線預舉條說濟後態護優啓餘戰讓佔綠從"
    "給購鄉紹證將羣獲財別減際嚴題籌參負現約識達擊繼問復貿員這轄視況頭術鎮圍稱劃備運難蘇興蓋無層環織則訪礎罰決衆鏈適評間華價幫貴盡邊爭頻養車細學張講見牽顯壓連灣職較審絡確慶貧測堅換節認勵擔脫揮糾損聞廳繞裏糧樣談團黃維園綜屬變競")


def _ranges(first: str, last: str, without: str) -> str:
    """What stands in a class of characters for all from `first` to `last` but some of those between."""
    ends = sorted(map(ord, without))
    pairs = zip([ord(first), *(c + 1 for c in ends)], [*(c - 1 for c in ends), ord(last)], strict=True)
    return "".join(f"{chr(a)}-{chr(b)}" for a, b in pairs if a <= b)


# All but what is usual as it is: what may have another normal form, and, since one pass tells it too, what is
# traditional and what marks something up. What lies beyond U+FFFF counts as unusual, though most of it stays: a class
# with a range up there takes a third longer.
_UNUSUAL = re.compile(
    "[^\t-\r\x1c- \"$-')+\\--9=>@-Z^`-z|}~\x85\xa1-\xac\xae-\u1fff\u2010-\u2029\u2030-\u205e\u2065-\u2e7f\u2fe0-\u2fff"
    + _ranges("\u3001", "\uf8ff", TRADITIONAL) +
    "\ufb00-\ufe2f\ufe31-\ufefe\uff00-\uff02\uff04\uff07-\uff0a\uff0c"
    "\uff1a-\uff1c\uff1e\uff1f\uff3b-\uff3e\uff40\uff5b-\uff60\uff62\uff63\uff65-\uffff]")
_TRADITIONAL = frozenset(TRADITIONAL)
_COMPATIBLE = re.compile("[\u2e80-\u2fdf\uf900-\ufaff\U0002f800-\U0002fa1f]")
_CJK = "\u3001-\u303f\u3400-\u9fff\uff01-\uff5e\u2018-\u201d\u2014\u2026"
_ASCII_POINTS = re.compile("[,:;?!][,:;?!]*")  # a `+` would be tried at every character, this is searched for
_ASCII_PAIR = re.compile(r"\(([^()\n]{0,200})\)")
_CJK_CHAR = Late(f"[{_CJK}]")
_WIDE_POINTS = str.maketrans(",:;?!", "，：；？！")


def normal(text: str, unusual: set[str] | None = None) -> str:
    """Text in one width and one kind of space, without invisible characters; line ends stay where they are.

    Full-width letters and digits become ASCII, ASCII punctuation beside Chinese becomes full-width, radicals and
    compatibility forms that PDFs contain become the characters they stand for. `unusual` are the unusual characters
    of the text, where they are known.
    """
    if unusual is None:
        unusual = set(_UNUSUAL.findall(text))
    if not unusual:
        return text
    for character in unusual:
        if (usual := _usual(character)) != character:
            text = text.replace(character, usual)
    for _ in range(MAX_BRACKETS if "(" in unusual else 0):
        text, before = _ASCII_PAIR.sub(_wide_pair, text), text
        if text == before:
            break
    if not unusual.isdisjoint(",:;?!"):
        text = _ASCII_POINTS.sub(_wide_points, text)
    return text


@lru_cache(maxsize=4096)
def _usual(character: str) -> str:
    """What stands in the normal form for an unusual character."""
    usual = _TABLE.get(ord(character), character)
    if usual == character and _COMPATIBLE.match(character):
        import unicodedata

        usual = unicodedata.normalize("NFKC", character)
    return "" if usual is None else chr(usual) if isinstance(usual, int) else usual


def _wide_points(m: re.Match) -> str:
    text, start, end = m.string, m.start(), m.end()
    if (start and _CJK_CHAR.match(text, start - 1) and not text.startswith("//", end)) or _CJK_CHAR.match(text, end):
        return m[0].translate(_WIDE_POINTS)
    return m[0]


def _wide_pair(m: re.Match) -> str:
    beside = m.string[max(m.start() - 1, 0) : m.start()] + m[1] + m.string[m.end() : m.end() + 1]
    return f"（{m[1]}）" if _HAN.search(beside) else m[0]


# ------------------------------------------------------------------------------------------------- what is it

_MAGIC = (
    (b"%PDF", "pdf"), (b"PK\x03\x04", "zip"), (b"PK\x05\x06", "zip"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"\x89PNG", "a PNG picture"), (b"\xff\xd8\xff", "a JPEG picture"), (b"GIF8", "a GIF picture"),
    (b"\x1f\x8b", "gzip data"), (b"Rar!", "a RAR archive"), (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x7fELF", "a program"), (b"MZ\x90", "a program"), (b"SQLite format 3", "an SQLite database"),
    (b"PAR1", "a Parquet table"), (b"BZh", "bzip2 data"), (b"\xfd7zXZ", "xz data"), (b"\x28\xb5\x2f\xfd", "zstd data"),
)  # fmt: skip
_MAGIC_STARTS = frozenset(magic[0] for magic, _ in _MAGIC)
_EMPTY = b"\x00 \t\r\n\f\xef\xbb\xbf\xff\xfe"  # what a file without a text is made of
_MAIL_HEAD = re.compile(
    rb"\A(?:[A-Za-z][A-Za-z0-9-]{1,40}:[^\r\n]{0,2000}\r?\n(?:[ \t][^\r\n]{0,2000}\r?\n){0,50}){2,80}\r?\n")
_MAIL_KEYS = re.compile(rb"(?im)^(?:mime-version|message-id|content-type|received|from|subject|date):")
_HTML_HEAD = re.compile(
    r"<(?:!doctype\s+html|(?:html|head|body|div|table|p|article|section|h[1-6])[\s>]|meta\s|!--)", re.I)
_HTML_TAG = re.compile(
    r"</?(?:p|div|br|span|h[1-6]|table|td|li|section|article|strong|b|a)(?:\s[^<>]{0,500})?/?>", re.I)
_JSON_HEAD = re.compile(r'\s{0,100}(?:\{\s{0,100}["}]|\[\s{0,100}[{\]["\d])')
_CHARSET = re.compile(rb"charset\s{0,5}=\s{0,5}[\"']?([A-Za-z0-9_-]{2,20})", re.I)
_FRONT_MATTER = re.compile(r"\A\s{0,20}(---|\+\+\+)[ \t]{0,5}\r?\n")
_UNOPENED = re.compile(  # the head of a page of Hexo, whose first fence may be missing
    r"\A[\s\ufeff]{0,20}(?:[A-Za-z_]{2,20}:[^\n]{0,2000}\n(?:[ \t-][^\n]{0,2000}\n){0,50}){2,30}---[ \t]{0,5}\r?\n")
_ATX = re.compile(r"(?m)^ {0,3}#{1,6}[ \t]+\S")
_MARKDOWN = re.compile(
    r"(?m)^ {0,3}(?:#{1,6}[ \t]+\S|\*\*[^*\n]{1,80}\*\*\s{0,5}$|!\[[^\]\n]{0,200}\]\()|\]\((?:https?:)?/")


def sources(source_file: str, data: bytes, names: dict[str, dict[str, str]], first_position: int = 1) -> Iterator:
    """Read a document of any kind; yields `Source` objects, and for what cannot be used `(source_file, reason,
    detail)`. Raises nothing for bad input.

    Args:
        source_file: the name to be given to what is read; members of a ZIP folder get `a.zip/member`.
        data: the bytes.
        names: for `json`, `html` and so on, which key or tag gives which field: `{"json": {"标题": "title"}}`.
        first_position: the position of the first record, where `data` is a chunk of a file of JSON lines.
    """
    return _guarded(source_file, data, names, first_position, 0)


def _guarded(source_file, data, names, first_position, depth):
    try:
        yield from _sources(source_file, data, names, first_position, depth)
    except Unreadable as error:
        yield source_file, error.reason, error.detail
    except (MemoryError, RecursionError) as error:
        yield source_file, "too large or too deeply nested to be read", type(error).__name__
    except Exception as error:  # a parser met bytes its authors did not foresee: the file is listed, the build goes on
        yield source_file, "cannot be read: the file is damaged", f"{type(error).__name__}: {str(error)[:200]}"


def _sources(source_file, data, names, first_position, depth) -> Iterable:
    """As `sources`, but raises `Unreadable`. A generator only where there may be several: most files are one source."""
    if (not data or data[0] in _EMPTY) and not data.strip(_EMPTY):
        raise Unreadable("empty file")
    if len(data) > MAX_BYTES:
        raise Unreadable("too large", f"{len(data):,} bytes; the limit is {MAX_BYTES:,}")
    kind = next((kind for magic, kind in _MAGIC if data.startswith(magic)), None) if data[0] in _MAGIC_STARTS else None
    if kind is None and b"P" in (head := data[:1024]) and b"%PDF-" in head:  # few files hold the letter
        kind = "pdf"
    if kind == "pdf":
        from .officefiles import read_pdf

        return [read_pdf(source_file, data)]
    if kind in ("zip", "ole"):
        from . import officefiles

        return officefiles.read_packed(source_file, data, names, depth, _guarded)
    if kind:
        raise Unreadable("binary data, not text", kind)
    if data.startswith(b"{\\rtf"):
        raise Unreadable("RTF is not read here", "save it as DOCX, HTML or plain text")
    if _MAIL_HEAD.match(data[:100_000]) and len(set(_MAIL_KEYS.findall(data[:20_000]))) >= 2:
        from .officefiles import read_mail

        return read_mail(source_file, data, names, depth, _guarded)
    text, encoding, bad = decode(data)
    if looks_binary(data, text, bad):
        raise Unreadable("binary data, not text", f"read as {encoding}")
    if len(text) > MAX_LINES and (n_lines := max(text.count("\n"), text.count("\r"))) > MAX_LINES:
        raise Unreadable("too many lines", f"{n_lines:,}; the limit is {MAX_LINES:,}; cut it into several files")
    found = _by_format(source_file, text, names, first_position)
    return _with_undecodable(found, bad) if bad else found


def looks_binary(data: bytes, text: str, bad: int) -> bool:
    """Whether decoded bytes are no text: control characters, or mostly undecodable."""
    sample = text[:100_000]
    odd = len(data) - len(data.translate(None, _ODD_CONTROLS))  # no fewer than there are in the text
    return (odd > 2 and len(_ODD_CONTROL.findall(sample)) > 0.02 * len(sample) + 2) or bad > 0.3 * len(text)


def _with_undecodable(found: Iterable, n: int) -> Iterator:
    """What was found in a text, its undecodable characters counted as those of the first source."""
    for source in found:
        if isinstance(source, Source):
            source.n_undecodable, n = n, 0
        yield source


def _by_format(source_file, text, names, first_position) -> Iterable:
    head = text[:4096].lstrip("\ufeff \t\r\n")
    if head.startswith("---") and _begins_with_front_matter(text):  # which nothing else begins with
        return [read_markdown(source_file, text, names["json"])]
    if _JSON_HEAD.match(head):
        found = _json_sources(source_file, text, names["json"], first_position)
        if (first := next(found, None)) is not None:
            return chain([first], found)
    if (records := _marked_records(source_file, text, head, names)) is not None:
        return records
    if (head.startswith("<") and _HTML_HEAD.match(head)) or _looks_html(head):
        return [read_html(source_file, text, names["html"])]
    if _begins_with_front_matter(text):
        return [read_markdown(source_file, text, names["json"])]
    if (rows := _table_rows(text, names["json"])) is not None:
        return rows_as_sources(source_file, "table", rows, names["json"], len(text))
    unusual = set(_UNUSUAL.findall(text))
    if not unusual.isdisjoint("#*]") and _MARKDOWN.search(text[:200_000]):
        return [read_markdown(source_file, text, names["json"])]
    return [read_plain(source_file, text, unusual)]


def _begins_with_front_matter(text):
    return _FRONT_MATTER.match(text[:200].lstrip("\ufeff")) or _UNOPENED.match(text[:MAX_FRONT_MATTER])


def _marked_records(source_file, text, head, names):
    """The records of an XML text, or of one whose fields begin with labels, or None where it is neither."""
    if head.startswith("<"):
        from . import recordfiles

        if recordfiles.looks_like_xml(text):
            return recordfiles.xml_sources(source_file, text, names)
    elif not head.startswith(("---", "+++")) and _names_a_title(head[:LABELS_WITHIN], **names["titles"]):
        from . import recordfiles

        return recordfiles.labelled_sources(source_file, text, names)
    return None


def title_words(words: list[str]) -> dict[str, tuple[str, ...]]:
    """Words for a title, in lower case, as `_names_a_title` needs them: the shortest (文章标题 holds 标题), and a few
    characters of which each holds one."""
    words = [word for word in words if not any(other != word and other in word for other in words)]
    marks: list[str] = []
    for word in words:
        if not any(mark in word for mark in marks):
            # of no other character than these is a small one told to be the same
            fit = [c for c in word if c.upper() == c or (c.isascii() and c not in "ik")]
            marks.append(max(fit, key=lambda c: sum(c in other for other in words), default=""))
    return {"words": tuple(words), "marks": tuple(dict.fromkeys(c for mark in marks for c in (mark, mark.upper())))}


def _names_a_title(head: str, words: tuple[str, ...], marks: tuple[str, ...]) -> bool:
    """Whether one of these words stands in the head of a text; characters may be set wide (`标　题`)."""
    for mark in marks:  # a loop, since a generator costs more than the search
        if mark in head:
            break
    else:
        return False
    folded = head.lower().replace(" ", "").replace("\u3000", "")
    for word in words:  # noqa: SIM110
        if word in folded:
            return True
    return False


def _looks_html(head: str) -> bool:
    """Text that begins with something else and yet is a page, such as one saved with a comment line above it."""
    tags = _HTML_TAG.findall(head) if "<" in head else ()
    return len(tags) >= 4 and ("</p>" in head.lower() or "<body" in head.lower()) and not head.startswith(("---", "#"))


# ------------------------------------------------------------------------------------------------- plain text

_ENDS = "\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"  # what ends a line for str.splitlines


def split_lines(text: str, lines: Lines, settled: list, unusual: set[str] | None = None) -> list[str]:
    """Append the lines of a text to `lines`, its blank ones to `settled`; returns the lines as they are. `unusual` are
    the unusual characters of the text, where they are known.

    A form feed begins a page; so does a line that alone is indented by one space right below a line without the blank
    line that stands between all others, as text extractors write it.
    """
    raw = text.splitlines(True)
    unusual = set(_UNUSUAL.findall(text)) if unusual is None else unusual
    clean, hans = _normal_lines(text, raw, unusual), _is_hans(unusual)
    lines.hans = hans and (lines.hans or not lines.text)
    add_settled = settled.append
    gap, blank_from, blank_chars, feed = 0, 0, 0, False
    begun = len(lines.text)
    tl, ul, nl, gl, il, pl = lines.text, lines.unit, lines.n, lines.gap, lines.indent, lines.page
    for i, (line, r) in enumerate(zip(clean, raw, strict=True), 1):
        stripped = line.strip()
        if not stripped:
            if not blank_chars:
                blank_from = i
            blank_chars += len(r)
            gap += 1
            feed = feed or "\x0c" in r
            continue
        if blank_chars:
            add_settled((blank_from, blank_chars, "boilerplate", "blank", ""))
            blank_chars = 0
        first = line[0]
        tl.append(stripped)
        ul.append(i)
        nl.append(len(r))
        gl.append(gap)
        il.append((first == " " and line[1:2] == " ") or first == "\t")
        pl.append(feed or (first == " " and line[1:2] != " " and not gap))
        gap, feed = 0, r[-1] == "\x0c"
    lines.hint += [""] * (len(tl) - begun)
    if blank_chars:
        add_settled((blank_from, blank_chars, "boilerplate", "blank", ""))
    return raw


def _normal_lines(text: str, raw: list[str], unusual: set[str]) -> list[str]:
    """The lines of a text in the normal form, with their ends or without; `raw` are those of the text itself,
    `unusual` its unusual characters."""
    changed = normal(text, unusual)
    if changed is text:
        return raw
    lines = changed.splitlines()
    if len(lines) != len(raw):  # an invisible character stood between carriage return and line feed
        lines = [normal(line).rstrip(_ENDS) for line in raw]
    return lines


def _is_hans(unusual: set[str]) -> bool:
    """Whether no character of a text is traditional in the normal form, by its unusual ones."""
    return not unusual or _TRADITIONAL.isdisjoint(map(_usual, unusual))


def read_plain(source_file: str, text: str, unusual: set[str] | None = None) -> Source:
    """Plain text, of whichever layout: cleaning tells newspaper page, web page and journal apart. `unusual` as in
    `split_lines`."""
    source = Source(source_file, "plain", Lines())
    source.raw = split_lines(text, source.lines, source.settled, unusual)
    return source


# ------------------------------------------------------------------------------------------------- JSON


def _mapping(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """What stands between braces; of a name given twice no value may be lost in silence."""
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        for name, value in pairs:
            if mapping[name] != value:
                raise ValueError(f"{name[:40]!r} stands twice with different values")
    return mapping


# What programs write for a number that is missing is no value; a number too long to count with is a text.
_decoded_json = json.JSONDecoder(object_pairs_hook=_mapping, parse_constant=lambda name: None,
                                 parse_int=lambda digits: int(digits) if len(digits) < 19 else digits).decode


def _parsed(text: str):
    """What a JSON text says.

    Raises:
        ValueError: it is none, or says two things under one name.
        RecursionError: it is too deeply nested.
    """
    value = _decoded_json(text)
    return _without_halves(value) if "\\ud" in text or "\\uD" in text else value


def _without_halves(value):
    """A value of JSON in whose texts U+FFFD stands for each half of a surrogate pair without the other."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [_without_halves(v) for v in value]
    if isinstance(value, dict):
        return {_without_halves(k): _without_halves(v) for k, v in value.items()}
    return value


def _json_sources(source_file, text, names, first_position):
    stripped = text.lstrip("\ufeff \t\r\n")
    newline = text.find("\n")
    several_lines = newline >= 0 and text[newline:].strip() != ""
    if stripped.startswith("{") and (several_lines or first_position > 1):
        line = next(x for x in text.split("\n") if x.strip("\ufeff \t\r"))
        try:
            is_lines = isinstance(_parsed(line.strip("\ufeff \t\r")), dict)
        except ValueError:
            is_lines = bool(re.match(r'\s*\{\s*"[^"\n]{1,60}"\s*:.{20,}', line[:200])) and _second_line_is_json(text)
        if is_lines:
            yield from _json_lines(source_file, text, names, first_position)
            return
    try:
        value = _parsed(stripped)
    except RecursionError:
        raise Unreadable("too large or too deeply nested to be read", "JSON") from None
    except ValueError as error:
        if re.match(r'\s*(?:\{\s*"[^"\n]{1,80}"\s*:|\[\s*\{\s*")', stripped[:500]):
            raise Unreadable("broken JSON", str(error)[:200]) from None
        return  # a text that begins with a bracket
    records = list(_records(value, names, 0, {}))
    if not records:
        raise Unreadable("JSON without an article", "no record has a text under a known name")
    if len(records) > MAX_RECORDS:
        raise Unreadable("too many records", f"{len(records):,}; the limit is {MAX_RECORDS:,}")
    left = len(text)
    for i, record in enumerate(records):
        source = record_as_source(source_file, "json", record, names, unit=1)
        left -= source_chars(source)
        if i == len(records) - 1:
            source.settled.append((1, left, "metadata", "syntax", ""))
        yield source


def _second_line_is_json(text: str) -> bool:
    lines = [x for x in text[:1_000_000].split("\n") if x.strip()][:5]
    for line in lines[1:]:
        try:
            if isinstance(_parsed(line), dict):
                return True
        except (ValueError, RecursionError):
            continue
    return False


def _json_lines(source_file, text, names, first_position):
    lines = text.split("\n")
    last = len(lines) - 1
    for i, line in enumerate(lines):
        n = len(line) + (i < last)
        content = line.strip("\ufeff \t\r")
        if not content:
            if n:
                yield Source(source_file, "jsonl", Lines(), settled=[(i + 1, n, "boilerplate", "blank", "")])
            continue
        reason = None
        try:
            record = _parsed(content)
            if not isinstance(record, dict):
                reason = "a line that is not a JSON record"
            elif (key := text_key(record, names)) is None:
                reason = "a record without a text under a known name"
        except RecursionError:
            reason = "a record too deeply nested to be read"
        except ValueError as error:
            reason = f"a line that is not valid JSON: {str(error)[:120]}"
        if reason:
            yield source_file, reason, f"line {first_position + i}"
            yield Source(source_file, "jsonl", Lines(), settled=[(i + 1, n, "unreadable", "bad_record", line[:80])])
            continue
        source = record_as_source(source_file, "jsonl", with_inner_fields(record, names), names, i + 1, key)
        source.settled.append((i + 1, n - source_chars(source), "metadata", "syntax", ""))
        source.position = first_position + i
        yield source


def _records(value, names, depth, above):
    """The mappings that hold a text, from the outside in, with what the mappings `above` them say of them."""
    if isinstance(value, dict):
        if text_key(value, names) is not None:
            yield above | with_inner_fields(value, names)
        elif (parts := _parts_key(value, names)) is not None:
            text = next(key for key, name in names.items() if name == "text")
            yield above | with_inner_fields(value, names) | {text: value[parts]}
        elif depth < MAX_RECORD_DEPTH:
            above = above | {k: v for k, v in with_inner_fields(value, names).items() if is_field(k, v, names)}
            for inner in value.values():
                if isinstance(inner, dict | list):
                    yield from _records(inner, names, depth + 1, above)
    elif isinstance(value, list) and depth < MAX_RECORD_DEPTH:
        shared = {k: v for k, v in above.items() if names[str(k).strip().lower()] == "publisher"}
        for inner in value:  # of a list of articles only the medium is said above them
            if isinstance(inner, dict | list):
                yield from _records(inner, names, depth + 1, shared)


def _parts_key(record: dict, names: dict[str, str]):
    """The key of the list of paragraphs of a record that has a title of its own, or None."""
    if not any(names.get(str(k).strip().lower()) == "title" and isinstance(v, str) for k, v in record.items()):
        return None
    size = {k: len(_text_in(v, names)) for k, v in record.items() if isinstance(v, list) and len(v) <= MAX_PARTS
            and all(isinstance(part, dict) and _is_paragraph(part, names) for part in v)}
    return max((k for k in size if size[k]), key=size.get, default=None)


def _is_paragraph(part: dict, names: dict[str, str]) -> bool:
    """Whether a mapping is part of an article: what has a text and a date or address of its own is one itself."""
    return text_key(part, names) is None or not any(is_field(k, v, names) for k, v in part.items())


def is_field(key, value, names: dict[str, str]) -> bool:
    return names.get(str(key).strip().lower(), "text") != "text" and not isinstance(value, dict | list)


def word_of(key, names: dict[str, str]) -> str:
    """A key as it would stand among the names, where most stand as they are."""
    return key if key in names else str(key).strip().lower()


def with_inner_fields(record: dict, names: dict[str, str]) -> dict:
    """A record with what mappings inside it say (`"meta": {"date": …}`), where it does not say it itself."""
    inner = [v for k, v in record.items() if isinstance(v, dict) and str(k).strip().lower() not in names]
    if not inner:
        return record
    said = {names.get(str(k).strip().lower()) for k in record}
    more = {}
    for mapping in inner:
        if text_key(mapping, names) is None:
            more |= {k: v for k, v in mapping.items()
                     if is_field(k, v, names) and names[str(k).strip().lower()] not in said}
    return more | record


def _text_in(value, names: dict[str, str], depth: int = 0) -> str:
    """The text that a value is, or holds as paragraphs or under a name; none where it holds articles of their own."""
    if isinstance(value, str):
        return value
    if depth < MAX_RECORD_DEPTH and isinstance(value, list):
        parts = [_text_in(v, names, depth + 1) for v in value]
        return "\n".join(p for p in parts if p)
    if depth < MAX_RECORD_DEPTH and isinstance(value, dict):
        if any(names.get(str(k).strip().lower()) == "title" for k in value):
            return ""
        key = text_key(value, names)
        return _text_in(value[key], names, depth + 1) if key is not None else ""
    return ""


def text_key(record: dict, names: dict[str, str]) -> str | None:
    """The key under which a record holds its text: of those named so the one with the longest value."""
    best, size = None, 0
    for key, value in record.items():
        if names.get(word_of(key, names)) == "text":
            n = len(value) if isinstance(value, str) else len(_text_in(value, names))
            if n > size:
                best, size = key, n
    return best


def record_as_source(source_file: str, source_format: str, record: dict, names: dict[str, str], unit: int,
                     key: str | None = None) -> Source:
    """A record (of JSON, of a table) as a source: its text, under `key` where that is known, as lines, its other known
    keys as fields."""
    source = Source(source_file, source_format, Lines())
    key = text_key(record, names) if key is None else key
    _add_fields(source.fields, {k: v for k, v in record.items() if k != key}, names)
    body = _text_in(record[key], names) if key is not None else ""
    if "<" in body and len(_HTML_TAG.findall(body[:20_000])) >= 2:
        inner = read_html("", body, {})
        source.lines = inner.lines
        source.lines.hint[:] = ["" if h == "x" else h for h in source.lines.hint]
        source.settled.append((unit, max(len(body) - source_chars(inner), 0), "boilerplate", "markup", ""))
    else:
        split_lines(body, source.lines, source.settled)
    source.lines.unit[:] = [unit] * len(source.lines.unit)
    source.settled[:] = [(unit, *row[1:]) for row in source.settled]
    return source


def _add_fields(fields: list, values: dict, names: dict[str, str]) -> None:
    """Note the known keys of a record or of front matter, those listed first in the codebook being trusted first."""
    given = {}
    for key, value in values.items():
        word = word_of(key, names)
        if names.get(word, "text") != "text":
            given[word] = (key, value)
    if len({names[word] for word in given}) < len(given):
        given = {word: given[word] for word in names if word in given}
    for word, (key, value) in given.items():
        add_field(fields, names[word], value, f"key:{key}"[:60])


def add_field(fields: list, name: str, value, rule: str) -> None:
    """Note what a document says of itself; of nested values the names (`{"name": …}`, lists) are taken."""
    if type(value) is str:  # as most are
        if value:
            fields.append((name, value[:MAX_FIELD].strip(), rule))
        return
    if isinstance(value, dict):
        value = value.get("name") or value.get("title")
    if isinstance(value, list):
        value = "、".join(str(v.get("name", "") if isinstance(v, dict) else v) for v in value[:50] if v)
    if value is not None and value != "":
        fields.append((name, value if isinstance(value, int | float) else str(value)[:MAX_FIELD].strip(), rule))


def source_chars(source: Source) -> int:
    """The characters a source accounts for so far."""
    return sum(source.lines.n) + sum(row[1] for row in source.settled)


# ------------------------------------------------------------------------------------------------- tables


_FIRST_LINE = re.compile(r"[^\r\n]*")


def _table_rows(text: str, names: dict[str, str]):
    """The rows of a CSV or TSV text as mappings, or None where its first line does not name a text and another
    field."""
    head = _FIRST_LINE.match(text[:4096].lstrip("\ufeff"))[0]
    delimiter = max(",\t;|", key=head.count)
    if not head.count(delimiter) or len(head) > 2_000:
        return None
    import csv

    known = [names.get(c.strip().strip('"').lower()) for c in head.split(delimiter)]
    if "text" not in known or sum(k is not None for k in known) < 2:
        return None
    csv.field_size_limit(MAX_MEMBER_BYTES)
    # a carriage return on its own ends a line too
    return csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=None), delimiter=delimiter)


def rows_as_sources(source_file: str, source_format: str, rows, names: dict[str, str], n_chars: int):
    """One source a row, the first row being the names; what is not a text or a field counts as metadata."""
    import csv

    rows = iter(rows)
    head = [str(c).strip() for c in next(rows, [])]
    left, last, rest, i = n_chars, None, ("metadata", "syntax"), 1
    while True:
        i += 1
        try:
            row = next(rows, None)
        except csv.Error as error:
            yield source_file, "a table that breaks off", f"row {i} and what follows: {error}"
            rest = ("unreadable", "bad_record")
            break
        if row is None:
            break
        if i - 1 > MAX_RECORDS:
            yield source_file, "too many records", f"row {i} and what follows; the limit is {MAX_RECORDS:,}"
            rest = ("unreadable", "bad_record")
            break
        record = dict(zip(head, row, strict=False))
        if text_key(record, names) is None:
            if any(str(c).strip() for c in row):
                yield source_file, "a row without a text", f"row {i}"
            continue
        if last is not None:
            yield last
        last = record_as_source(source_file, source_format, record, names, unit=i)
        left -= source_chars(last)
    if last is None:
        raise Unreadable("a table without an article", "no row has a text")
    last.settled.append((1, left, *rest, ""))
    yield last


# ------------------------------------------------------------------------------------------------- Markdown

_FM_LINE = Late(
    rf"([A-Za-z_][\w-]{{0,{MAX_KEY - 1}}}|[\u4e00-\u9fff]{{1,10}})[ \t]{{0,5}}[:：][ \t]{{0,20}}(.{{0,{MAX_FIELD}}})")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})(?:\s[^<>]{0,2000})?/?>")
_CUT_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,300}$")  # where a file ends inside a tag
BLOCK_TAGS = frozenset((
    "address", "article", "aside", "blockquote", "body", "br", "button", "caption", "center", "dd", "details",
    "dialog", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5",
    "h6", "header", "hr", "html", "legend", "li", "main", "menu", "nav", "ol", "option", "p", "pre", "section",
    "summary", "table", "tbody", "tfoot", "thead", "title", "tr", "ul",
))  # fmt: skip
_HINT_OF_TAG = {"h1": "t", **dict.fromkeys(("h2", "h3", "h4", "h5", "h6"), "h"), "p": "p", "li": "l"}
_MD_IMAGE = re.compile(r"!\[([^\[\]\n]{0,300})\]\([^()\n]{0,1200}\)")
_MD_LINK = re.compile(r"\[([^\[\]\n]{0,300})\]\([^()\n]{0,1200}\)")
_MD_NOTE = re.compile(r"\[\^[\w-]{1,40}\]:\s{0,4}(.+)$")
_MD_NOTE_MARK = re.compile(r"\[\^[\w-]{1,40}\]")
_MD_EMPHASIS = re.compile(
    r"(\*\*|__)(?=\S)([^*_\n]{1,2000}?)(?<=\S)\1|(?<![\w*])\*(?=\S)([^*\n]{1,500}?)(?<=\S)\*(?![\w*])")
_MD_BULLET = re.compile(r"^(?:[-*+•]\s{1,4})(?=\S)")
_MD_RULE = re.compile(r"^(?:[-*_=]\s{0,3}){3,}$|^\|?(?:\s{0,5}:?-{2,}:?\s{0,5}\|)+(?:\s{0,5}:?-{2,}:?\s{0,5})?$")
_INDENTS = ("  ", "\t", "\u3000")
_MD_STARTS = frozenset("#>-*+•<`~=_|:")  # what a line begins with that is more than text
_MD_MARKS = frozenset("<[{*_\\")  # what stands in a line that holds more than text
_MD_ATTRIBUTES = re.compile(r"\{:[^{}\n]{0,200}\}|\{%[^{}\n]{0,300}%\}|\{\{[^{}\n]{0,300}\}\}")
_AUTOLINK = re.compile(r"^<?(https?://[^\s<>]{4,1000})>?$")
_SKIPPED = re.compile(r"<(?:(script|style)\b|!--)", re.I)
_SEPARATORS = " \t|｜丨/·•,，、>»›-—"


def read_markdown(source_file: str, text: str, names: dict[str, str]) -> Source:
    """Markdown, with or without front matter and inner HTML; a line of HTML may hold several blocks."""
    source = Source(source_file, "markdown", Lines())
    raw = text.splitlines(True)
    start = _front_matter(raw, source, names)
    originals = raw[start:]
    body = text[sum(map(len, raw[:start])) :]
    unusual = set(_UNUSUAL.findall(body))
    if "<" in unusual and _SKIPPED.search(body):  # a script or comment over lines: blank it out, keeping the line ends
        body = _without_scripts(body)
        originals = body.splitlines(True)
        unusual = set(_UNUSUAL.findall(body))
    links = "]" in unusual and "](" in body  # whose brackets must stay ASCII until they are read
    clean = originals if links else _normal_lines(body, originals, unusual)
    lines, settled = source.lines, source.settled
    texts, units, sizes, hints = lines.text, lines.unit, lines.n, lines.hint
    gaps, indents, pages = lines.gap, lines.indent, lines.page
    gap, fence = False, False
    plain = unusual.isdisjoint(_MD_MARKS)
    lines.hans = plain and _is_hans(unusual)  # what is written as an entity shows no character
    unit = start
    for line, original in zip(clean, raw[start:], strict=True):
        unit += 1
        n, stripped = len(original), line.strip()
        if not stripped:
            sample = original.strip()[:80]
            settled.append((unit, n, "boilerplate", "markup" if sample else "blank", sample))
            gap = True
            continue
        if plain and stripped[0] not in _MD_STARTS:  # an ordinary line, as most are
            texts.append(stripped)
            units.append(unit)
            sizes.append(n)
            hints.append("")
            gaps.append(int(gap))
            indents.append(line[0] in " \t\u3000" and line.startswith(_INDENTS))
            pages.append(False)
            gap = False
            continue
        if stripped.startswith(("```", "~~~")):
            fence = not fence
            settled.append((unit, n, "boilerplate", "markup", stripped[:80]))
            continue
        if _MD_RULE.match(stripped[:200]) and not fence:
            if lines.text and not gap and stripped[0] in "=-" and lines.hint[-1] == "" and len(lines.text[-1]) <= 60:
                lines.hint[-1] = "h"  # the underline of a heading
            settled.append((unit, n, "boilerplate", "markup", stripped[:80]))
            gap = True
            continue
        used = 0
        for j, (piece, hint) in enumerate(_markdown_blocks(stripped)):
            if links:
                piece = normal(piece).strip() or "-"
            lines.add(piece, unit, len(piece), hint, gap or j > 0, line.startswith(_INDENTS))
            used += len(piece)
        if used == 0:
            settled.append((unit, n, "boilerplate", "markup", stripped[:80]))
        elif "<" in stripped and used < n - 2 and _TAG.search(stripped):
            settled.append((unit, n - used, "boilerplate", "markup", ""))
        else:
            lines.n[-1] += n - used
        gap = False
    return source


def _without_scripts(text: str) -> str:
    """Scripts, styles and comments blanked out, line ends kept; what is never closed stays."""
    out, at, folded = [], 0, text.lower()
    hopeless = set()
    for m in _SKIPPED.finditer(text):
        closing = f"</{m[1].lower()}" if m[1] else "-->"
        if m.start() < at or closing in hopeless:
            continue
        end = folded.find(closing, m.end())
        if end < 0:
            hopeless.add(closing)
            continue
        end = folded.find(">", end) + 1 or len(text)
        out += [text[at : m.start()], re.sub(f"[^{_ENDS}]", "\x7f", text[m.start() : end])]
        at = end
    return "".join(out) + text[at:]


def _front_matter(raw: list[str], source: Source, names: dict[str, str]) -> int:
    """Read the front matter into the fields; returns the number of its lines, 0 where there is none."""
    first, fence = 0, ""
    for i, line in enumerate(raw[:5]):
        if fence := line.strip("\ufeff \t\r\n"):
            first = i
            break
    unopened = fence not in ("---", "+++")
    if unopened:
        if not _UNOPENED.match("".join(raw[:400])[:MAX_FRONT_MATTER]):
            return 0
        first, fence = first - 1, "---"  # Hexo leaves the first fence out
    size = 0
    for end in range(first + 1, min(len(raw), 400)):
        size += len(raw[end])
        if size > MAX_FRONT_MATTER:
            return 0
        if raw[end].strip() in (fence, "..."):
            break
    else:
        return 0
    _add_fields(source.fields, _front_matter_values(raw[first + 1 : end]), names)
    source.settled += [(i + 1, len(line), "metadata", "front_matter", line.strip()[:80])
                       for i, line in enumerate(raw[: end + 1])]
    return end + 1


def _front_matter_values(lines: list[str]) -> dict:
    """Keys and values. Plain `key: value` lines are read as such, anything else as YAML without aliases, and what is
    no valid YAML (an unquoted colon in a title) line by line."""
    simple: dict[str, str] = {}
    only_simple = True
    for line in lines:
        key, colon, value = line.partition(":")
        # the expression takes most lines apart just so
        if not colon or not key.isidentifier() or not key.isascii() or len(key) > MAX_KEY or len(line) > MAX_FIELD:
            key, value = m.groups() if (m := _FM_LINE.match(line)) else ("", "")
        value = value.strip()
        if value and value[0] not in "[{|>&*!":
            simple.setdefault(key, _unquoted(value))
        elif line.strip() and not line.lstrip().startswith("#"):
            only_simple = False
            m = re.match(r"([\w\u4e00-\u9fff-]{1,40})\s{0,5}=\s{0,5}(.{1,2000})", line)  # TOML
            if m:
                simple.setdefault(m[1], _unquoted(m[2].strip()))
    if only_simple:
        return simple
    import yaml

    text = "".join(lines)
    if re.search(r"(?:^|[\s:\[,-])[&*][\w\u4e00-\u9fff]", text):
        return simple
    try:
        loaded = yaml.load(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    except (yaml.YAMLError, RecursionError, ValueError):
        return simple
    return {str(k): v for k, v in loaded.items()} if isinstance(loaded, dict) else simple


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        inner = value[1:-1]
        return inner.replace("''", "'") if value[0] == "'" else inner.replace('\\"', '"')
    return value.split(" #", 1)[0].rstrip() if " #" in value else value


def _markdown_blocks(line: str):
    """The blocks of one line of Markdown as `(text, hint)`."""
    if line[0] == "<" and (m := _AUTOLINK.match(line)):
        yield m[1], "u"
        return
    if "<" in line and _TAG.search(line):
        yield from _html_line_blocks(line)
        return
    hint = ""
    if "[^" in line:
        if m := _MD_NOTE.match(line):
            yield m[1], "f:footnote"
            return
        line = _MD_NOTE_MARK.sub("", line) or line
    if line[0] == "#" and (m := re.match(r"#{1,6}[ \t]{1,5}(.*?)[ \t#]{0,20}$", line)):
        line, hint = m[1], "t" if line[1] != "#" else "h"
    elif line[0] == ">":
        line = line.lstrip("> ")
    elif m := _MD_BULLET.match(line):
        line, hint = line[m.end() :], "l"
    text, hint = _inline_markdown(line, hint)
    if text:
        yield text, hint


def _inline_markdown(text: str, hint: str) -> tuple[str, str]:
    if "{" in text:
        text = _MD_ATTRIBUTES.sub("", text)
    if "](" in text:
        without = _MD_LINK.sub("", _MD_IMAGE.sub("", text)).strip(_SEPARATORS)
        only_links = not without
        text = _MD_LINK.sub(r"\1", _MD_IMAGE.sub(r"\1", text))
        if only_links:
            return text.strip() or "-", "f:link_line"
    if "*" in text or "__" in text:
        whole = re.fullmatch(r"(\*\*|__)([^*_]{1,60})\1", text.strip())
        text = _MD_EMPHASIS.sub(lambda m: m[2] or m[3], text)
        if whole and not hint and not text.rstrip().endswith(("。", "；", "，", ".")):
            hint = "h"
    if "\\" in text:
        text = re.sub(r"\\([\\`*_{}\[\]()#+.!|>-])", r"\1", text)
    return text.strip(), hint


def _html_line_blocks(line: str):
    """Blocks of a line of Markdown that holds HTML tags."""
    hint, bold, plain, buffer, at = "", False, False, [], 0
    for m in _TAG.finditer(line):
        piece = line[at : m.start()]
        at = m.end()
        if piece:
            buffer.append(piece)
            plain = plain or (not bold and bool(piece.strip()))
        tag = m[2].lower()
        if tag in ("td", "th"):
            if not m[1] and any(b.strip() for b in buffer):
                buffer.append("\u3000")
                hint = "l"  # a row of a table
        elif tag in ("strong", "b"):
            bold = not m[1]
        elif tag in BLOCK_TAGS:
            yield from _html_piece(buffer, hint, not plain)
            buffer, plain = [], False
            hint = _HINT_OF_TAG.get(tag, "") if not m[1] else ""
    buffer.append(line[at:])
    yield from _html_piece(buffer, hint, not plain and not line[at:].strip())


def _html_piece(buffer, hint, all_bold):
    text = html.unescape(_CUT_TAG.sub("", "".join(buffer))).strip()
    if text:
        text, hint = _inline_markdown(text, hint)
        if all_bold and hint in ("", "p") and len(text) <= 60 and not text.endswith(("。", "；", "，")):
            hint = "h"
        if text:
            yield text, hint


# ------------------------------------------------------------------------------------------------- HTML

_UNSEEN = frozenset((
    "script", "style", "noscript", "template", "svg", "head", "iframe", "select", "option", "textarea", "object",
    "embed", "audio", "video", "canvas", "math", "title",
))  # fmt: skip
_PARTS = frozenset(("div", "section", "article", "main", "center"))
_OUTSIDE = frozenset(["nav", "footer", "aside", "form", "button", "menu", "dialog"])
_CONTAINERS = frozenset((
    "div", "section", "article", "main", "td", "body", "header", "footer", "nav", "aside", "form", "blockquote", "ul",
    "ol", "center", "figure", "li", "details", "fieldset", "dl", "table",
))  # fmt: skip
_OFTEN_OPEN = frozenset(("p", "br", "img", "hr", "input", "meta", "link", "li", "td", "tr", "th", "option", "dd", "dt"))
_SPACES = re.compile(r"[ \t\r\n\f][ \t\r\n\f]*")  # searched for, as _ASCII_POINTS
_LINE_GLUE = Late(f"(?<=[{_CJK}])[ \t]*[\r\n]+[ \t]*(?=[{_CJK}])")
_SITE = re.compile(r"\s*[_|｜]\s*|\s+[-–—]+\s+|(?<=[\u4e00-\u9fff])[-–—]+(?=[\u4e00-\u9fff])")
_DATE_ALONE = re.compile(r"\s*20\d\d(?:-\d\d?-\d\d?|/\d\d?/\d\d?|年\d\d?月\d\d?日)"
                         r"(?:\s?\d\d?[:：]\d\d(?:[:：]\d\d)?)?\s*")
_DATED = re.compile(r"20\d\d\s?[-年/.]\s?\d")
_CRUMB = re.compile("[>»›]")
_META = re.compile(r"<meta\s|<link\s|<title", re.I)


@dataclass(slots=True)
class _Block:
    text: str
    hint: str
    linked: int  # characters inside links
    box: int  # the container it stands in
    indent: bool
    gap: bool


class _Boxes:
    """The containers of a page: parent and whether they hold page furniture (by tag, or by class and id)."""

    def __init__(self, furniture: re.Pattern | None):
        self.parent: list[int] = [-1]
        self.outside: list[bool] = [False]
        self.tag: list[str] = ["html"]
        self._furniture = furniture

    def open(self, parent: int, tag: str, attributes) -> int:
        outside = self.outside[parent] or tag in _OUTSIDE
        if not outside and self._furniture and attributes:
            label = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"[:200]
            outside = label != " " and self._furniture.search(label) is not None
        self.parent.append(parent)
        self.outside.append(outside)
        self.tag.append(tag)
        return len(self.parent) - 1

    def chain(self, box: int) -> list[int]:
        out = []
        while box >= 0:
            out.append(box)
            box = self.parent[box]
        return out

    def within(self, box: int) -> list[bool]:
        """Of each container whether it is this one or stands in it."""
        inside = [False] * box + [True]
        for parent in self.parent[box + 1 :]:  # which has been opened before
            inside.append(inside[parent])
        return inside


def read_html(source_file: str, text: str, names: dict, subject: str = "") -> Source:
    """A page: its blocks in order, those outside the body of the article marked, its own metadata as fields.

    Where all paragraphs stand in one container that holds no lists of links, that container is the body; otherwise
    trafilatura decides. `names` gives the field for a meta name, and compiled patterns: under `furniture` of classes
    and ids that mark page furniture, under `headline` of those that mark the headline, under `site` of names of sites
    and agencies (`site_ends`: what they end in), under `label` of a label and its colon; `page_titles` are the rules
    that name the page rather than its article. `subject` is that of the mail the page came in.
    """
    source = Source(source_file, "web_page", Lines())
    if len(text) > MAX_HTML_CHARS:
        raise Unreadable("too large", f"a page of {len(text):,} characters; the limit is {MAX_HTML_CHARS:,}")
    if _depth(text) > MAX_HTML_DEPTH:
        blocks, boxes, tree, hans = _flat_blocks(text), None, None, False
    else:
        from selectolax.lexbor import LexborHTMLParser

        tree = LexborHTMLParser(text)
        boxes = _Boxes(names.get("furniture"))
        blocks, hans = _blocks(tree.body, boxes) if tree.body is not None else ([], False)
        if names and _META.search(text):
            _head_fields(tree, text, source.fields, names)
    if subject and all(f[0] != "title" for f in source.fields):
        add_field(source.fields, "title", subject, "mail:subject")
    if names:
        _find_title(blocks, boxes, tree, source.fields, names)
        _mark_body(blocks, boxes, text)
    n, n_chars = len(blocks), [len(b.text) for b in blocks]
    source.lines = Lines([b.text for b in blocks], list(range(1, n + 1)), n_chars, [b.hint for b in blocks],
                         [int(b.gap) for b in blocks], [b.indent for b in blocks], [False] * n, hans)
    source.settled.append((0, len(text) - sum(n_chars), "boilerplate", "markup", ""))
    return source


def _find_title(blocks: list[_Block], boxes: _Boxes | None, tree, fields: list, names: dict) -> None:
    """Settle which title is that of the article, and mark the block that shows it.

    The block that repeats what the page says is its title; a `<title>` gives up the name of the site for it. Where
    none does, `<title>` and what is meant for sharing give way to the headline that the page shows, if it shows one;
    else the longest part of `<title>` between its separators is the title. The name of a site or agency is none.
    """
    logos = [b for b in blocks[:MAX_TITLE_BLOCKS] if b.hint == "t" and _names_a_site(names, b.text)]
    for b in logos:
        b.hint = "f:site_name"
    stated, value = next((i for i, f in enumerate(fields) if f[0] == "title"), None), None
    if stated is not None:
        _, value, rule = fields[stated]
        value = _SPACES.sub(" ", normal(str(value))).strip()
        parts = _SITE.split(value) if rule == "meta:title:tag" else [value]
        own = [part for part in parts if not _names_a_site(names, part)]
        shown = _repeating_block(blocks, value, own)
        if rule in (*names["page_titles"], "mail:subject") and (shown is None or shown.hint != "t"):
            other = _headline(blocks, boxes, tree, own, shown, names)
            if other is not None:
                shown, rule = other, "headline"
        if shown is not None:
            shown.hint, value = "t", shown.text
        else:
            value = max(own or parts, key=len).strip()
        if fields[stated][2] == "meta:title:tag" and len(parts) > 1 and value not in parts[-1]:
            fields.append(("site", parts[-1].strip(), "meta:title:tag"))
        fields[stated] = ("title", value, rule)
    for b in logos:
        if b.text == value:
            b.hint = "t"
        else:
            fields.append(("site", b.text, "site_name"))


def _names_a_site(names: dict, text: str) -> bool:
    return text.endswith(names["site_ends"]) and names["site"].fullmatch(text) is not None


def _repeating_block(blocks: list[_Block], value: str, own: list[str]) -> _Block | None:
    """The longest block that stands in the title of the page, where it is most of it or its main heading."""
    whole, others, best = _squeeze(value), [_squeeze(part) for part in own], None
    for b in blocks[:MAX_TITLE_BLOCKS]:
        if not MIN_TITLE <= len(b.text) <= len(value) or (best is not None and len(b.text) <= len(best.text)):
            continue
        if b.linked < 0.5 * len(b.text) and b.hint not in ("l", "f:site_name") and (
                text := _squeeze(b.text)) in whole and (
                text == whole or any(text in part or part in text for part in others)):
            best = b
    return best if best is not None and (len(best.text) >= 0.4 * len(value) or best.hint == "t") else None


def _headline(blocks: list[_Block], boxes: _Boxes | None, tree, own: list[str], shown: _Block | None,
              names: dict) -> _Block | None:
    """The block a page shows as headline of its article though its `<title>` says something else, or None.

    Its main heading (`h1`), unless that is shorter than what `<title>` says, as the name of a section is; else, where
    nothing shown repeats `<title>`, the line above that of source and date, or, where `<title>` is too short for a
    title, the last heading above the text.

    Args:
        own: the parts of `<title>` that name no site.
        shown: the block that repeats one of them.
    """
    limit = max(map(len, own), default=0)
    outside = [b.linked > 0.5 * len(b.text) or (boxes is not None and boxes.outside[b.box]) for b in blocks]
    first = next((i for i, b in enumerate(blocks) if not outside[i] and b.hint not in ("t", "h")
                  and _reads_as_prose(b.text)), len(blocks))
    top = [i for i in range(min(first, MAX_TITLE_BLOCKS)) if not outside[i] and blocks[i].hint != "f:site_name"]
    main = [i for i, b in enumerate(blocks[:MAX_TITLE_BLOCKS]) if b.hint == "t" and not outside[i]]
    main = [i for i in main if i < first][-1:] or main[:1]
    if main:
        text = blocks[main[0]].text
        least = limit if shown is None else max(limit, len(shown.text))
        return blocks[main[0]] if len(text) >= min(least, USUAL_TITLE) and len(text) >= MIN_TITLE else None
    if shown is not None:
        return None
    told = [i for i in top if names["label"].search(blocks[i].text) or _DATED.search(blocks[i].text)]
    fit = [i for i in top if USUAL_TITLE <= len(blocks[i].text) <= MAX_TITLE and blocks[i].text[-1] not in "。；，、："
           and not _CRUMB.search(blocks[i].text) and i not in told and not _names_a_site(names, blocks[i].text)]
    if told and (above := [i for i in fit if i < told[0]][-1:]):
        return blocks[above[0]]
    if limit < USUAL_TITLE:
        marked = _marked_as_headline(tree, names["headline"])
        above = [i for i in fit if blocks[i].hint == "h" or _squeeze(blocks[i].text) in marked]
        return blocks[above[-1]] if above else None
    return None


def _marked_as_headline(tree, pattern: re.Pattern) -> set[str]:
    """The texts of elements whose class or id says that they are headlines, and of those that are centred."""
    found = set()
    for node in tree.css("center, [align], [style], [class], [id]")[:2_000] if tree is not None else ():
        attributes = node.attributes
        label = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"[:200]
        if node.tag == "center" or attributes.get("align") == "center" or pattern.search(label) or (
                "center" in (attributes.get("style") or "")[:500]):
            text = _squeeze(normal(node.text(deep=True) or "")[:1_000])
            if len(text) <= MAX_TITLE:
                found.add(text)
    return found


def _depth(text: str) -> int:
    """An upper bound of how many elements are open at once, of those that are always closed."""
    if text.count("<") < MAX_HTML_DEPTH:
        return 0
    depth = deepest = 0
    for m in _TAG.finditer(text):
        if m[2].lower() in _OFTEN_OPEN:
            continue
        depth += -1 if m[1] else 1
        depth = max(depth, 0)
        deepest = max(deepest, depth)
    return deepest


def _flat_blocks(text: str) -> list[_Block]:
    """The blocks of a page that is nested too deeply to be parsed: its tags cut it into lines."""
    out, at, buffer = [], 0, []
    text = _without_scripts(text).replace("\x7f", "")

    def flush():
        line = normal(_SPACES.sub(" ", html.unescape("".join(buffer)))).strip()
        buffer.clear()
        if line:
            out.append(_Block(line, "", 0, 0, False, True))

    for m in _TAG.finditer(text):
        buffer.append(text[at : m.start()])
        at = m.end()
        if m[2].lower() in BLOCK_TAGS:
            flush()
    buffer.append(text[at:])
    flush()
    return out


def _blocks(body, boxes: _Boxes) -> tuple[list[_Block], bool]:
    """The blocks of a page, and whether it is known that none of their characters is traditional."""
    out: list[_Block] = []
    bold: list[_Block] = []  # what may be headings
    buffer: list[str] = []
    hint, linked, gap, cells = "", 0, True, 0
    bold_only, anchors, bolds = True, 0, 0
    box = boxes.open(0, "body", None)

    def flush():
        nonlocal linked, bold_only, gap, cells
        if buffer:
            apart = 1 < len(buffer) <= MAX_PIECES and any(_DATE_ALONE.fullmatch(piece) for piece in buffer)
            text = (" " if apart else "").join(buffer)
            buffer.clear()
            if not text.isspace():
                block = _Block(_one_line(text), hint, linked, box, False, gap)
                if cells > 1:
                    block.hint = "l"  # a row of a table
                elif bold_only and hint in ("", "p"):
                    bold.append(block)
                out.append(block)
                gap = False
        linked, bold_only, cells = 0, True, 0

    stack: list[tuple] = []  # (tag, state to restore)
    node = body.child
    while True:
        if node is not None:
            tag = node.tag
            if tag == "-text":
                text = node.text_content
                if text:
                    buffer.append(text)
                    if not bolds and not text.isspace():
                        bold_only = False
                    if anchors:
                        linked += len(text.strip())
                node = node.next
                continue
            if tag in _UNSEEN or tag[0] in "-_!":
                node = node.next
                continue
            if tag == "br":
                flush()
                node = node.next
                continue
            if tag in ("td", "th"):
                if _holds_blocks(node):
                    tag = "div"
                elif any(not b.isspace() for b in buffer):
                    buffer.append("\u3000")
                    cells = max(cells, 1) + 1
            stack.append((node, tag, hint, box))
            if tag in BLOCK_TAGS:
                flush()
                gap = True
                if tag in _CONTAINERS:
                    box = boxes.open(box, tag, node.attributes)
                    hint = _HINT_OF_TAG.get(tag, "")
                else:
                    hint = _HINT_OF_TAG.get(tag, hint)
            elif tag == "a":
                anchors += 1
            elif tag in ("strong", "b"):
                bolds += 1
            node = node.child
            continue
        if not stack:
            break
        node, tag, outer_hint, outer_box = stack.pop()
        if tag in BLOCK_TAGS:
            flush()
            gap = True
            hint, box = outer_hint, outer_box
        elif tag == "a":
            anchors -= 1
        elif tag in ("strong", "b"):
            bolds -= 1
        node = node.next
    flush()
    found = _normal_blocks(out)
    for block in bold:
        if len(block.text) <= 60 and block.text and block.text[-1] not in "。；，、：":
            block.hint = "h"
    return found


def _normal_blocks(blocks: list[_Block]) -> tuple[list[_Block], bool]:
    """Blocks of one line each in the normal form, without those that hold nothing then, and whether it is known that
    none of their characters is traditional."""
    joined = "\n".join([b.text for b in blocks])
    unusual = set(_UNUSUAL.findall(joined))
    out, gap = [], False
    for block, text in zip(blocks, normal(joined, unusual).split("\n") if blocks else (), strict=True):
        block.text = text.strip()
        block.gap = gap = block.gap or gap
        if block.text:
            block.indent = text.startswith("  ")
            out.append(block)
            gap = False
    return out, _is_hans(unusual)


def _one_line(text: str) -> str:
    """The text of a block, white space as a page shows it; none where a line ends between Chinese characters."""
    if "\n" in text or "\r" in text:
        text = _LINE_GLUE.sub("", text)
    elif "  " not in text and "\t" not in text and "\f" not in text:
        return text
    return _SPACES.sub(" ", text)


def _holds_blocks(cell) -> bool:
    child = cell.child
    while child is not None:
        if child.tag in BLOCK_TAGS:
            return True
        child = child.next
    return False


def _reads_as_prose(text: str) -> bool:
    return (len(text) >= 15 and text[-1] in "。！？”；：") or (len(text) >= 50 and text.count("，") > 1)


def _mark_body(blocks: list[_Block], boxes: _Boxes | None, page: str) -> None:
    """Mark as `x` the blocks outside the body of the article, as `k` those between its title and the body.

    The body is the smallest container of all prose; where one part of it holds most of the prose (the rest being
    teasers or comments), that part. Where prose is left out so, or lists of links stand between paragraphs, trafilatura
    says what belongs.
    """
    if boxes is None:
        return
    outside = [boxes.outside[b.box] or b.linked > 0.6 * len(b.text) + 2 for b in blocks]
    reads = [b.hint not in ("t", "h") and _reads_as_prose(b.text) for b in blocks]
    prose = [i for i in range(len(blocks)) if reads[i] and not outside[i]]
    flagged = sum(len(b.text) for b, r, o in zip(blocks, reads, outside, strict=True) if r and o and not b.linked)
    doubtful = flagged > 4 * sum(len(blocks[i].text) for i in prose)
    if doubtful:  # the names of the containers mislead
        outside = [b.linked > 0.6 * len(b.text) + 2 for b in blocks]
        prose = [i for i in range(len(blocks)) if reads[i] and not outside[i]]
    if not prose:
        for b, out in zip(blocks, outside, strict=True):
            if out:
                b.hint = "x"
        return
    box, dropped = _body_box([(blocks[i].box, len(blocks[i].text)) for i in prose], boxes)
    within = boxes.within(box)
    inside = [within[b.box] for b in blocks]
    taken = [i for i in prose if inside[i]]
    if dropped or doubtful or any(outside[taken[0] : taken[-1] + 1]):
        body = _trafilatura_body(blocks, page)
        title = next((i for i, b in enumerate(blocks) if b.hint == "t"), None)
        if body is not None and dropped:  # prose between title and body that trafilatura takes, such as a lead
            inside = [o or (body[i] and title is not None and title < i < taken[0]) for i, o in enumerate(inside)]
        elif body is not None and 2 * sum(len(blocks[i].text) for i in taken if body[i]) >= sum(
                len(blocks[i].text) for i in taken):  # what leaves out most of the prose has lost the article
            inside = [i and (t or blocks[n].hint == "h") for n, (i, t) in enumerate(zip(inside, body, strict=True))]
    inside = [i and not o for i, o in zip(inside, outside, strict=True)]
    first = next((i for i in prose if inside[i]), len(blocks))
    while first and inside[first - 1] and (blocks[first - 1].hint == "h" or (
            first < len(blocks) and _addresses(blocks[first - 1], blocks[first]))):
        first -= 1
    for i, b in enumerate(blocks):
        if b.hint != "t" and (i < first or not inside[i]):
            b.hint = "k" if i < first and not outside[i] else "x"


def _addresses(line: _Block, below: _Block) -> bool:
    """Whether a paragraph addresses those a paper is written to: `各监管局：`."""
    return line.hint == below.hint == "p" and line.box == below.box and line.text[-1] == "：" and len(line.text) > 3


def _body_box(prose: list[tuple[int, int]], boxes: _Boxes) -> tuple[int, bool]:
    """The container of the body, and whether it leaves prose out.

    Args:
        prose: container and number of characters of each paragraph of prose.
    """
    own: dict[int, tuple[int, int]] = {}  # number of characters and of paragraphs
    for box, n in prose:
        n_chars, n_paragraphs = own.get(box, (0, 0))
        own[box] = n_chars + n, n_paragraphs + 1
    weight: dict[int, int] = {}
    number: dict[int, int] = {}
    for box, (n_chars, n_paragraphs) in own.items():
        for above in boxes.chain(box):
            weight[above] = weight.get(above, 0) + n_chars
            number[above] = number.get(above, 0) + n_paragraphs
    total = sum(n for _, n in prose)
    box, dropped = max(b for b, n in weight.items() if n == total), False
    while True:
        parts = [b for b in weight if boxes.parent[b] == box and boxes.tag[b] in _PARTS]
        best = max(parts, key=lambda b: (weight[b], -b), default=None)
        if best is None or number[best] < 3 or weight[best] < MAIN_SHARE * weight[box]:
            return box, dropped
        dropped = dropped or weight[best] < weight[box]
        box = best


def _trafilatura_body(blocks: list[_Block], page: str) -> list[bool] | None:
    """Which blocks trafilatura takes for the body, or None where it finds none."""
    import trafilatura

    text = trafilatura.extract(page, include_comments=False, include_tables=True, deduplicate=False, fast=True)
    if not text:
        return None
    squeezed = _squeeze(normal(text))
    return [_squeeze(b.text) in squeezed for b in blocks]


def _squeeze(text: str) -> str:
    return "".join(text.replace("|", " ").split())  # bars stand between the cells of its tables


def _head_fields(tree, page: str, fields: list, names: dict) -> None:
    """What a page says of itself: meta tags, canonical address, JSON-LD, title, elements known by their id."""
    found: dict[str, list] = {}
    known = names["meta"]
    for node in tree.css("meta, link[rel=canonical], script[type='application/ld+json'], title, time[datetime]")[:400]:
        attributes = node.attributes
        if node.tag == "meta":
            key = (attributes.get("property") or attributes.get("name") or attributes.get("itemprop") or "").lower()
            value = (attributes.get("content") or "").strip()
        elif node.tag == "link":
            key, value = "link:canonical", (attributes.get("href") or "").strip()
        elif node.tag == "time":
            key, value = "time", attributes.get("datetime") or ""
        elif node.tag == "title":
            key, value = "title:tag", _SPACES.sub(" ", node.text(deep=True) or "").strip()
        else:
            _json_ld(node.text(deep=True) or "", found, known)
            continue
        if value and key in known:
            found.setdefault(key, []).append((known[key], value, f"meta:{key}"))
    for key in known:
        if key not in found and key[:3] != "id:":
            continue
        values = found.get(key, [])
        if key[:3] == "id:" and key[3:] in page and (node := tree.css_first(f'[id="{key[3:]}"]')) is not None:
            value = _SPACES.sub(" ", node.text(deep=True) or "").strip()
            values.append((known[key], value, f"meta:{key}"))
        for name, value, rule in values[:20]:
            add_field(fields, name, value, rule)


def _json_ld(text: str, found: dict[str, list], known: dict[str, str]) -> None:
    if len(text) > 200_000:
        return
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):  # a broken note to search engines says nothing about the article
        return
    records = value if isinstance(value, list) else [value]
    records += [g for r in records if isinstance(r, dict) and isinstance(r.get("@graph"), list) for g in r["@graph"]]
    for record in records[:20]:
        if not isinstance(record, dict) or "rticle" not in str(record.get("@type", "")):
            continue
        for key, value in record.items():
            name = f"ld:{str(key).lower()}"
            if name in known and value:
                pair: list = []
                add_field(pair, known[name], value, f"meta:{name}")
                found.setdefault(name, []).extend(pair)
