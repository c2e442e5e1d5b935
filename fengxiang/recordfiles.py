"""Readers of records in text: XML exports and feeds, and exports whose fields each begin with a label.

Both give the records as `Source` objects, as the JSON reader of `reading` does.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from itertools import count, pairwise

from . import reading
from .reading import Lines, Source, Unreadable

MAX_XML_DEPTH = 60  # elements open at once
MAX_XML_ELEMENTS = 300_000
MAX_FIELD_LABEL = 24  # characters of a label
MAX_HEAD = 4_000  # characters in which the labels of the first record stand
LABEL_LINES = 60  # lines within which the first record must show its labels
FIRST_LABEL = 5  # lines at most above the first label
MAX_OTHERS = 2  # lines at most between two labels
MAX_COUNTER = 30  # characters of a line such as 第2篇 between two records

# ------------------------------------------------------------------------------------------------- XML

_PROLOG = re.compile(r"(?:\s{1,200}|<\?[^>]{0,500}\?>|<!--(?:[^-]|-(?!->)){0,3000}-->"
                     r"|<!DOCTYPE[^>\[]{0,500}(?:\[|>)){0,20}")
_ROOT = re.compile(r"<([^\s<>/!?=]{1,60})[\s/>]")
_PAGES = reading.BLOCK_TAGS - {"article", "section"} | {"html", "head", "meta", "span", "a", "svg"}
# What markup within a text is made of; the others are fields.
_INLINE = frozenset(("b", "strong", "i", "em", "u", "a", "span", "font", "sup", "sub", "small", "big", "s", "mark"))
_MARKUP = _INLINE | (reading.BLOCK_TAGS - {"title", "article", "body", "header", "footer", "summary", "section"}) | {
    "para", "img", "td", "th"}
_KEYS_OF_FIELDS = ("name", "key", "label", "字段")  # attributes that name a field: <field name="title">
_NAMED_ENTITY = re.compile("&(?!(?:amp|lt|gt|quot|apos);)([A-Za-z][A-Za-z0-9]{1,30});")
_STRAY_AMPERSAND = re.compile("&(?!#?[A-Za-z0-9]{1,30};)")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def looks_like_xml(text: str) -> bool:
    """Whether a text begins as XML does, its outermost element being none of HTML."""
    head = text[:8_000].lstrip("\ufeff \t\r\n")
    if not head.startswith("<"):
        return False
    prolog = _PROLOG.match(head)
    if prolog[0].endswith("["):
        return True  # a document type with declarations, which is refused
    root = _ROOT.match(head, prolog.end())
    return root is not None and root[1].rpartition(":")[2].lower() not in _PAGES


@dataclass(slots=True)
class _Element:
    name: str
    attributes: dict[str, str]
    parts: list = field(default_factory=list)  # text and elements in order

    def children(self) -> list[_Element]:
        return [p for p in self.parts if isinstance(p, _Element)]


def xml_sources(source_file: str, text: str, names: dict):
    """The records of an XML text, or None where it holds none under known names.

    Nothing outside the text is fetched, and no entity is expanded that the text itself declares. Of a text that breaks
    off, the records that are whole are read.

    Args:
        names: under `json` which element gives which field, under `records` those too whose text counts where there
            is no other.

    Raises:
        Unreadable: it declares entities, is too large, or is nested too deeply.
    """
    if len(text) > reading.MAX_CHARS:
        raise Unreadable("too large", f"XML of {len(text):,} characters; the limit is {reading.MAX_CHARS:,}")
    root, error, at = _parsed(text)
    if root is None:
        return None
    known = names["records"]
    found = list(_records(_value(root, names["json"], known), names["json"], known, {}))
    if not found:
        return None
    if len(found) > reading.MAX_RECORDS:
        raise Unreadable("too many records", f"{len(found):,}; the limit is {reading.MAX_RECORDS:,}")
    return _as_sources(source_file, text, found, known, error, at)


def _as_sources(source_file, text, found, known, error, at):
    left = len(text) - at
    if at:
        yield source_file, "broken XML: only the records before the damage are read", error
    for i, record in enumerate(found):
        source = reading.record_as_source(source_file, "xml", record, known, unit=1)
        left -= reading.source_chars(source)
        if i == len(found) - 1:
            if at:
                source.settled.append((1, at, "unreadable", "bad_record", text[len(text) - at :][:80]))
            source.settled.append((1, left, "metadata", "syntax", ""))
        yield source


def _parsed(text: str) -> tuple[_Element | None, str, int]:
    """The outermost element, what is wrong with the text, and how many characters at its end could not be read."""
    from xml.parsers import expat

    clean = _STRAY_AMPERSAND.sub("&amp;", _NAMED_ENTITY.sub(lambda m: html.escape(html.unescape(m[0])), text))
    clean = _NOT_XML.sub("", clean).lstrip("\ufeff \t\r\n")
    top = _Element("", {})
    stack = [top]
    numbers = count()

    def start(name, attributes):
        if next(numbers) >= MAX_XML_ELEMENTS:
            raise Unreadable("too large", f"XML of more than {MAX_XML_ELEMENTS:,} elements")
        if len(stack) > MAX_XML_DEPTH:
            raise Unreadable("too large or too deeply nested to be read", "XML")
        element = _Element(_local(name), {
            _local(k): v for k, v in attributes.items() if not k.startswith("xmlns")})
        stack[-1].parts.append(element)
        stack.append(element)

    def declared(*_):
        raise Unreadable("XML that declares entities is not read", "they may be made to fill the memory")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: stack.pop()
    parser.CharacterDataHandler = lambda data: stack[-1].parts.append(data)
    parser.EntityDeclHandler = declared
    try:
        parser.Parse(clean, True)  # as text: what it says of its encoding has been dealt with
    except expat.ExpatError as error:
        if not top.children():
            return None, "", 0
        for parent, torn in pairwise(stack[1:]):
            whole = [e for e in torn.children() if not any(e is s for s in stack)]
            if not any(e.children() for e in whole):
                parent.parts.pop()  # a record that was not closed; what holds whole ones stays
                break
        behind = len(clean.encode("utf-8", "replace")[parser.ErrorByteIndex :].decode("utf-8", "replace"))
        return top.children()[0], str(error)[:200], min(behind, len(text))
    return (top.children() or [None])[0], "", 0


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _value(element: _Element, strong: dict, known: dict):
    """An element as text, or as mapping of its fields where it has any."""
    children = element.children()
    if not children:
        text = "".join(element.parts).strip()
        if text or not element.attributes:
            return text
        return element.attributes.get("href") or dict(element.attributes)
    own = strong.get(element.name.lower()) == "text" and not _holds_records(element, strong)
    if own or all(e.name.lower() in _MARKUP for e in children):
        return _text(element).strip()
    out: dict = {}
    for child in children:
        named = next((child.attributes[k] for k in _KEYS_OF_FIELDS if k in child.attributes), None)
        key = named if named is not None and named.strip().lower() in known else child.name
        value = _value(child, strong, known)
        if key not in out:
            out[key] = value
        elif isinstance(out[key], list):
            out[key].append(value)
        else:
            out[key] = [out[key], value]
    return dict(element.attributes) | out


def _holds_records(element: _Element, strong: dict) -> bool:
    kinds = {strong.get(e.name.lower()) for e in element.children()}
    return {"title", "text"} <= kinds or any(_holds_records(e, strong) for e in element.children())


def _text(element: _Element) -> str:
    """The text of an element, its blocks on lines of their own."""
    out = []
    for part in element.parts:
        if isinstance(part, str):
            out.append(part)
        elif part.name.lower() in _INLINE:
            out.append(_text(part))
        else:
            out.append("\n" + _text(part) + "\n")
    return re.sub(r"\n\s*\n", "\n", "".join(out))


def _records(value, strong: dict, known: dict, above: dict):
    """The mappings that are articles: those with a text under a sure name from the outside in, those with a mere
    description from the inside out, since what holds the articles may be described too."""
    if isinstance(value, list):
        shared = {k: v for k, v in above.items() if known[str(k).strip().lower()] == "publisher"}
        for inner in value:
            yield from _records(inner, strong, known, shared)
    elif isinstance(value, dict):
        if reading.text_key(value, strong) is not None:
            inner = {k: reading.with_inner_fields(v, strong) if isinstance(v, dict) else v for k, v in value.items()}
            yield above | reading.with_inner_fields(inner, strong)
            return
        own = above | {k: v for k, v in value.items() if reading.is_field(k, v, known)}
        inside = [r for v in value.values() if isinstance(v, dict | list) for r in _records(v, strong, known, own)]
        if inside:
            yield from inside
        elif reading.text_key(value, known) is not None and any(
                known.get(str(k).strip().lower()) == "title" for k in value):
            yield above | value


# ------------------------------------------------------------------------------------------------- labelled fields

_LABEL = re.compile(
    rf"[ \t\u3000]*(?:[【\[{{<]\s?([\w /-]{{1,{MAX_FIELD_LABEL}}}?)\s?[】\]}}>]\s?[:：]?"
    rf"|([\w][\w \u3000-]{{0,{MAX_FIELD_LABEL}}}?)\s?[:：])[ \t\u3000]*")
_NEXT_LABEL = re.compile(
    rf"(?:[ \t\u3000]+|[|｜;；][ \t\u3000]*)(?=[\w【\[{{][^\s:：|｜;；]{{0,{MAX_FIELD_LABEL}}}[:：】\]])")
_COUNTER = re.compile(r"[\W_]{0,6}(?:第|文章|记录|No\.?|Document|Record)?\s?\d{1,5}\s?"
                      r"(?:篇|条|则|(?:/|of|之)\s?\d{1,5})?[\W_]{0,6}")
_SEPARATOR = re.compile(r"[ \t]*([-=*_~#—─－＝＊·•+])(?:[ \t]?\1){2,}[ \t]*")


def labelled_sources(source_file: str, text: str, names: dict):
    """The records of a text in which each field begins with its label (`标题：…`, `[Title] …`), or None where the
    text is no such export.

    The text of a record goes on until the label that begins the next one, or a line of marks before that.
    """
    known = names["records"]
    if not _is_labelled(text[:MAX_HEAD].splitlines()[:LABEL_LINES], known):
        return None
    return _labelled_records(source_file, text.splitlines(True), known, names["weak_texts"])


def _is_labelled(lines: list[str], known: dict[str, str]) -> bool:
    """Whether a text begins with labelled fields, the title of an article among them and then its text."""
    titled, labels, others = False, 0, 0  # `others`: lines in a row without a label
    for line in lines:
        if not line.strip():
            continue
        found = _fields(line, known)
        others = 0 if found else others + 1
        if others > (MAX_OTHERS if labels else FIRST_LABEL):
            return False
        for kind, _, _ in found:
            if kind == "text":
                return titled
            titled = titled or kind == "title"
            labels += 1
    return False


def _label(line: str, known: dict[str, str], at: int = 0) -> tuple[str, str, int] | None:
    """The kind of field, its label, and where its value begins, where a known label stands at `at`."""
    m = _LABEL.match(line, at)
    if m is None:
        return None
    label = "".join((m[1] or m[2]).lower().split())
    for word in (label, *re.split("[-/]", label)):
        if word in known:
            return known[word], word, m.end()
    return None


def _fields(line: str, known: dict[str, str]) -> list[tuple[str, str, str]]:
    """The fields of a line as `(kind, label, value)`; a text takes the rest of the line."""
    found = _label(line, known)
    out = []
    while found:
        kind, label, start = found
        end, found = len(line), None
        if kind != "text":
            for m in _NEXT_LABEL.finditer(line, start):
                if (found := _label(line, known, m.end())) is not None:
                    end = m.start()
                    break
        out.append((kind, label, line[start:end]))
    return out


@dataclass(slots=True)
class _Labelled:
    """A record: the line it begins with, its fields as `(kind, label, value)`, the lines of its texts with their
    labels."""

    first: int
    fields: list[tuple[str, str, str]] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)


def _labelled_records(source_file: str, lines: list[str], known: dict[str, str], weak: frozenset[str]):
    opening = None  # the label with which each record begins
    records: list[_Labelled] = []
    inside = ""  # the label of the text that goes on
    for number, line in enumerate(lines):
        if fields := _fields(line, known) if _may_begin(line, inside, opening, known, weak) else []:
            inside = ""
            if opening is None or fields[0][1] == opening or (
                    fields[0][0] == "title" and any(kind == "title" for kind, _, _ in records[-1].fields)):
                opening = opening or fields[0][1]
                if records:
                    _drop_counter(records[-1].texts)
                records.append(_Labelled(number))
            for kind, label, value in fields:
                if kind == "text":
                    inside = label
                    records[-1].texts.append((label, value))
                else:
                    records[-1].fields.append((kind, label, value.strip()))
        elif inside and _SEPARATOR.fullmatch(line.rstrip()) and _labels_follow(lines, number + 1, known):
            inside = ""
        elif inside:
            records[-1].texts.append((inside, line))
    if len(records) > reading.MAX_RECORDS:
        raise Unreadable("too many records", f"{len(records):,}; the limit is {reading.MAX_RECORDS:,}")
    yield from _records_as_sources(source_file, lines, records, known)


def _drop_counter(text: list[tuple[str, str]]) -> None:
    """Take the number of the next record off the end of a text."""
    while text and not text[-1][1].strip():
        text.pop()
    if len(text) > 1 and _COUNTER.fullmatch(text[-1][1].strip()):
        text.pop()


def _may_begin(line: str, inside: str, opening: str | None, known: dict[str, str], weak: frozenset[str]) -> bool:
    """Whether labels of a line count: all of them above the text of a record, in its text only those that begin the
    next one, or, in an abstract, those of any other field."""
    if not inside:
        return True
    found = _label(line, known)
    return found is not None and (found[1] == opening or found[0] == "title" or inside in weak)


def _labels_follow(lines: list[str], start: int, known: dict[str, str]) -> bool:
    """Whether below a line of marks the next record begins, a line that counts it between them or none, or nothing
    more stands."""
    rest = [line for line in lines[start : start + 12] if line.strip() and not _SEPARATOR.fullmatch(line.rstrip())]
    for line in rest[:2]:
        if _label(line, known):
            return True
        if len(line.strip()) > MAX_COUNTER or line.strip()[-1] in "。！？；":
            return False
    return not rest


def _records_as_sources(source_file: str, lines: list[str], records: list[_Labelled], known: dict[str, str]):
    bounds = [0, *(r.first for r in records[1:]), len(lines)]
    for found, (begin, end) in zip(records, pairwise(bounds), strict=True):
        n_chars, unit = sum(map(len, lines[begin:end])), found.first + 1
        if not any(value.strip() for _, value in found.texts):
            yield source_file, "a record without a text", f"line {unit}"
            yield Source(source_file, "labelled", Lines(), settled=[
                (unit, n_chars, "unreadable", "bad_record", lines[found.first].strip()[:80])])
            continue
        record: dict[str, str] = {}
        for _, label, value in found.fields:
            if value:
                record.setdefault(label, value)
        for label in dict.fromkeys(label for label, _ in found.texts):
            record[label] = "".join(value for other, value in found.texts if other == label)
        source = reading.record_as_source(source_file, "labelled", record, known, unit)
        source.settled.append((unit, n_chars - reading.source_chars(source), "metadata", "syntax", ""))
        yield source
