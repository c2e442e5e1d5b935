"""What a notebook shows: prose, tables, findings, evidence and figures of merit, in both languages at once.

Each function returns an object that JupyterLab displays at once and that the report renders in its own way: the
content travels as plain data under a mime type of ours, never as ready HTML, so that text from a raw file has no
way to act. A pair of texts is always a mapping `{"zh": …, "en": …}`; a plain string stands for both languages.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

PROSE = "application/vnd.fengxiang.prose+json"
TABLE = "application/vnd.fengxiang.table+json"
FINDINGS = "application/vnd.fengxiang.findings+json"
EVIDENCE = "application/vnd.fengxiang.evidence+json"
METRICS = "application/vnd.fengxiang.metrics+json"
FIGURE = "application/vnd.fengxiang.figure+json"
MISSING = "—"
MAX_EVIDENCE = 30
SHORT = 12  # a cell this wide, in Latin letters, stays on one line
SIDES = ("left", "term", "right")  # the columns of a concordance: the word in the middle, what stands around it beside
THIN = {"zh": "样本过少，不作比较", "en": "too few cases to be compared"}

Text = str | Mapping[str, str]

# Characters that reorder, hide or command what stands around them: shown by their code points instead.
_UNSAFE = {code: f"[U+{code:04X}]" for code in (
    *(c for c in range(0x20) if chr(c) not in "\n\t"), *range(0x7F, 0xA0), 0x061C, 0x200E, 0x200F, 0x2028, 0x2029,
    *range(0x202A, 0x202F), 0x2060, *range(0x2066, 0x206A), 0xFEFF)} | dict.fromkeys(range(0xD800, 0xE000), "\uFFFD")
_FRACTION = re.compile(r"\d[\d,]*/\d[\d,]*")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$&:=^])")


def visible(text: Any) -> str:
    """`text` with nothing in it that acts on a terminal or on the order of writing: control characters (an ANSI
    escape begins with one) and bidirectional marks show as `[U+202E]`, a lone surrogate as the replacement sign."""
    return str(text).translate(_UNSAFE)


def literal(text: Any) -> str:
    """`text` for use within the Markdown of `prose`: it shows exactly as it is, on one line, and formats nothing."""
    return _MARKDOWN.sub(r"\\\1", re.sub(r"\s+", " ", visible(text)))


def pair(text: Text | None) -> dict[str, str] | None:
    """A text as `{"zh": …, "en": …}`; None stays None.

    Raises:
        ValueError: a mapping without both languages.
    """
    if text is None:
        return None
    if not isinstance(text, Mapping):
        return {"zh": visible(text), "en": visible(text)}
    if not {"zh", "en"} <= set(text):
        raise ValueError(f"both languages are needed, zh and en: {dict(text)!r}")
    return {"zh": visible(text["zh"]), "en": visible(text["en"])}


@dataclass(frozen=True)
class Display:
    """Something a notebook shows. `bundle` maps mime types to contents; the plain text is for terminals."""

    bundle: dict[str, Any]
    plain: str = field(default="", repr=False)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, Any]:
        return self.bundle

    def __repr__(self) -> str:
        return self.plain


def prose(zh: str, en: str) -> Display:
    """A passage of Markdown rendered from data, in Chinese and English. Quote data in it with `literal`."""
    text = {"zh": visible(zh.strip()), "en": visible(en.strip())}
    both = f"{text['zh']}\n\n{text['en']}"
    return Display({PROSE: text, "text/markdown": both}, both)


def table(frame: pd.DataFrame, columns: Mapping[str, Mapping[str, Any]] | None = None, caption: Text | None = None, *,
          max_rows: int = 50, mark_thin: str | Sequence[bool] | None = None, thin_note: Text | None = None,
          note: Text | None = None, file: str | None = None) -> Display:
    """A frame as a table that a screen reader can walk.

    Args:
        frame: one row of the table each; its index is not shown.
        columns: the columns to show, in this order (all when None): name → `zh` and `en` (the headings), `format` (a
            Python format such as `,d` or `.1%`; empty for text; one that ends in `pp`, such as `+.1pp`, shows a
            difference of shares in percentage points and adds that unit to the heading), `labels` (value → text, for
            codes). Columns `left`, `term`, `right` that follow one another are a concordance: the word stands in the
            middle, what comes before it is set towards it.
        caption: what the table shows, with its unit.
        max_rows: how many rows are shown; the table says how many there are. A rest of less than half as many is
            shown too.
        mark_thin: rows that rest on too little: the name of a column of booleans, or one boolean a row. They are
            shown grey.
        thin_note: why they are grey; the swatch of grey before it is added.
        note: a line below the table: the reading of it, the source.
        file: where the whole of a table that is cut is to be found, such as `data/processed/first_use.csv`.

    Raises:
        KeyError: a column the frame does not have.
    """
    columns = {str(name): {} for name in frame.columns} if columns is None else columns
    specs = [{"zh": spec.get("zh", name), "en": spec.get("en", name), "format": spec.get("format", ""),
              "labels": spec.get("labels", {}), "values": frame[name].tolist()} for name, spec in columns.items()]
    for spec in specs:
        if spec["format"].endswith("pp"):
            spec["zh"], spec["en"] = f"{spec['zh']}（百分点）", f"{spec['en']} (pp)"
    for name, spec in zip(columns, specs, strict=True) if _neighbours(list(columns)) else ():
        spec["side"] = name if name in SIDES else ""
    shown = len(frame) if 2 * len(frame) <= 3 * max_rows else max_rows
    if mark_thin is None:
        thin = []
    else:
        flags = frame[mark_thin] if isinstance(mark_thin, str) else mark_thin
        thin = [i for i, flag in enumerate(list(flags)[:shown]) if flag]
    data = {
        "columns": [{"zh": visible(s["zh"]), "en": visible(s["en"]), "numeric": _numeric(s),
                     **({"side": s["side"]} if s.get("side") else {})} for s in specs],
        "rows": [[cell_text(s["values"][i], s["format"], s["labels"]) for s in specs] for i in range(shown)],
        "n_rows": len(frame), "caption": pair(caption), "thin": thin, "thin_note": pair(thin_note) if thin else None,
        "note": pair(note), **({"file": visible(file)} if file and shown < len(frame) else {}),
    }
    return Display({TABLE: data, "text/html": _table_html(data)}, _table_plain(data))


def cell_text(value: Any, spec: str = "", labels: Mapping[Any, Text] | None = None) -> str | dict[str, str]:
    """One value as a table shows it: a string, or a pair where the languages differ."""
    if hasattr(value, "tolist"):  # numpy's arrays and numbers
        value = value.tolist()
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [pair(cell_text(v, spec, labels)) for v in value]
        return _one({"zh": "、".join(i["zh"] for i in items), "en": ", ".join(i["en"] for i in items)} if items
                    else MISSING)
    if is_missing(value):
        return MISSING
    if labels and value in labels:
        return _one(pair(labels[value]))
    if isinstance(value, Mapping):
        return _one(pair(value))
    if isinstance(value, bool):
        return {"zh": "是" if value else "否", "en": "yes" if value else "no"}
    if spec:
        return _formatted(value, spec)
    return visible(value)


def _formatted(value: Any, spec: str) -> str:
    """A number as `spec` says. One above zero that rounds to it says so: <0.001, not 0.000."""
    if spec.endswith("pp"):
        value, spec = value * 100, f"{spec[:-2]}f"
    if spec[-1] == "d" and isinstance(value, float):  # a column of counts with gaps arrives as floats
        value = int(value)
    text = format(value, spec)
    if value and spec[-1] in "f%" and text[0] == "0" and not re.search("[1-9]", text):
        return "<" + re.sub(r"0(?=%?$)", "1", text)
    return text.replace("-", "−")


def _neighbours(names: Sequence[str]) -> bool:
    """Whether the columns of a concordance are among `names`, one beside the other."""
    return any(tuple(names[i:i + len(SIDES)]) == SIDES for i in range(len(names)))


def breadth(text: str) -> int:
    """How wide a text is, in Latin letters: Chinese characters are two wide."""
    return sum(2 if ord(c) > 0x2E7F else 1 for c in text)


def is_missing(value: Any) -> bool:
    """Whether `value` stands for nothing: None, NaN, NaT or pandas' NA."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or (
        isinstance(value, float) and value != value)


def findings(rows: Iterable[Mapping[str, Any]] | pd.DataFrame) -> Display:
    """The headline sentences.

    Each row has `zh` and `en`, and may have:
        id: a stable name; F1, F2, … when it is missing.
        numbers: the figures that stand in the sentence, each `{"zh": text, "en": text}` as it stands there, with
            optional `n`, `of` (its denominator), `definition` (a text), `evidence` (statement identifiers) and `cell`
            (what it counts, as `fengxiang.findings` names it: `theme`, `term`, `a` and `b`, `year`, `side`).
        evidence: identifiers of the statements behind the sentence.
        badge: `{"holds": 6, "of": 7, "checks": [{"zh", "en", "holds": True}, …]}`, or a text.
        detail, caveat: texts shown below the sentence.
        figure: the stem of the figure that shows it.

    Lists and mappings may also come as JSON text, as a CSV file holds them.

    Raises:
        ValueError: a language is missing, or a number does not stand in its sentence.
    """
    entries = []
    for position, row in enumerate(_records(rows), 1):
        sentence = pair({"zh": row.get("zh"), "en": row.get("en")} if row.get("zh") and row.get("en") else {})
        entry = {"id": visible(row.get("id") or f"F{position}"), **sentence, "numbers": [],
                 "evidence": [str(s) for s in row.get("evidence") or ()], "badge": _badge(row.get("badge")),
                 "detail": pair(row.get("detail")), "caveat": pair(row.get("caveat")),
                 "figure": row.get("figure") or None}
        for number in row.get("numbers") or ():
            text = pair({"zh": number["zh"], "en": number["en"]})
            for language in ("zh", "en"):
                if text[language] not in sentence[language]:
                    raise ValueError(f"{entry['id']}: “{text[language]}” does not stand in “{sentence[language]}”")
            entry["numbers"].append({**text, "n": _plain(number.get("n")), "of": _plain(number.get("of")),
                                     "definition": pair(number.get("definition")),
                                     "evidence": [str(s) for s in number.get("evidence") or ()],
                                     **({"cell": dict(number["cell"])} if number.get("cell") else {})})
        entries.append(entry)
    both = "\n".join(f"- **{literal(e['zh'])}**\n  {literal(e['en'])}" for e in entries)
    return Display({FINDINGS: entries, "text/markdown": both}, "\n".join(f"{e['zh']}\n{e['en']}" for e in entries))


def evidence(rows: Iterable[Mapping[str, Any]] | pd.DataFrame, caption: Text | None = None, *,
             total: int | None = None) -> Display:
    """Statements as they stand in their articles, with where they come from.

    Each row has `text` and may have `statement_id`, `title`, `publisher`, `date`, `source_file`, `url`, `year`,
    `regions`, and the matched parts: `spans` (pairs of start and end) or `evidence` as the statements table has it.
    At most `MAX_EVIDENCE` are kept; `total` says how many there are in all.
    """
    records = _records(rows)
    entries = []
    for row in records[:MAX_EVIDENCE]:
        spans = row.get("spans")
        if spans is None:
            matched = row.get("evidence") or ()
            spans = [item[1:3] for item in (json.loads(matched) if isinstance(matched, str) else matched)]
        entry = {"text": str(row["text"]), "spans": sorted({(int(start), int(end)) for start, end in spans})}
        for name in ("statement_id", "title", "publisher", "date", "source_file", "url", "year"):
            value = row.get(name)
            entry[name] = None if is_missing(value) else visible(value)
        entry["regions"] = [visible(region) for region in row.get("regions") or ()]
        entries.append(entry)
    data = {"caption": pair(caption), "statements": entries, "total": len(records) if total is None else int(total)}
    lines = [f"- {literal(e['text'])} ({', '.join(literal(e[k]) for k in ('title', 'publisher', 'date') if e[k])})"
             for e in entries]
    return Display({EVIDENCE: data, "text/markdown": "\n".join(lines)}, "\n".join(visible(e["text"]) for e in entries))


def metrics(rows: Iterable[Mapping[str, Any]]) -> Display:
    """A few figures with their names: each row `zh`, `en`, `value`, and optionally `format` and `note` (a text)."""
    data = [{"name": pair({"zh": row["zh"], "en": row["en"]}), "value": pair(cell_text(row["value"],
             row.get("format", ""))), "note": pair(row.get("note"))} for row in rows]
    lines = [f"- {literal(m['name']['zh'])} {literal(m['name']['en'])}: {literal(m['value']['zh'])}" for m in data]
    return Display({METRICS: data, "text/markdown": "\n".join(lines)},
                   "\n".join(f"{m['name']['zh']} {m['name']['en']}: {m['value']['zh']}" for m in data))


def _records(rows) -> list[dict[str, Any]]:
    """Rows as mappings of plain values. In a frame, texts of the columns of lists and mappings are read as JSON."""
    if not hasattr(rows, "to_dict"):
        return [{name: _plain(value) for name, value in row.items()} for row in rows]
    return [{name: json.loads(value) if name in _JSON_COLUMNS and isinstance(value, str) and value else _plain(value)
             for name, value in row.items()} for row in rows.to_dict("records")]


_JSON_COLUMNS = ("numbers", "evidence", "badge", "detail", "caveat", "spans")


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        value = value.tolist()
    return None if is_missing(value) else value


def _badge(badge) -> dict[str, Any] | None:
    if not badge:
        return None
    if isinstance(badge, str) or "of" not in badge:
        return {"text": pair(badge)}
    return {"holds": int(badge["holds"]), "of": int(badge["of"]),
            "checks": [{**pair(c), "holds": bool(c["holds"])} for c in badge.get("checks", ())]}


def _one(text: Text) -> str | dict[str, str]:
    return text["zh"] if isinstance(text, Mapping) and text["zh"] == text["en"] else text


def _numeric(spec: Mapping[str, Any]) -> bool:
    if spec["labels"]:
        return False
    values = [v for v in spec["values"] if not is_missing(v)]
    return bool(values) and all(_FRACTION.fullmatch(v) if isinstance(v, str) else
                                isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)


def _table_html(data: dict[str, Any]) -> str:
    """The table for JupyterLab, both languages in headings and caption, every text escaped."""
    def both(text) -> str:
        shown = text if isinstance(text, str) else f"{text['zh']} {text['en']}" if text["zh"] != text["en"] \
            else text["zh"]
        return html.escape(shown)

    # JupyterLab would set all to the right, and break names of four characters
    around = {"left": "right", "term": "center", "right": "left"}
    sides = [around.get(column.get("side", ""), "right" if column["numeric"] else "left")
             for column in data["columns"]]
    out = ['<table style="font-variant-numeric:tabular-nums">']
    if data["caption"]:
        out.append(f'<caption style="text-align:left">{both(data["caption"])}</caption>')
    out.append("<thead><tr>" + "".join(
        f'<th scope="col" style="text-align:{side};vertical-align:bottom">{both(column)}</th>'
        for column, side in zip(data["columns"], sides, strict=True)) + "</tr></thead>")
    out.append("<tbody>")
    for i, row in enumerate(data["rows"]):
        shown = map(both, row)
        cells = "".join(f'<td style="text-align:{side};vertical-align:baseline'
                        f'{";white-space:nowrap" if breadth(cell) <= SHORT else ""}">{cell}</td>'
                        for cell, side in zip(shown, sides, strict=True))
        out.append(f'<tr style="opacity:.55">{cells}</tr>' if i in data["thin"] else f"<tr>{cells}</tr>")
    out.append("</tbody></table>")
    if len(data["rows"]) < data["n_rows"]:
        out.append(f"<p>{len(data['rows'])} / {data['n_rows']}{html.escape('  ' + data.get('file', '')).rstrip()}</p>")
    if data["thin"]:
        out.append('<p><span style="opacity:.55">■</span> '
                   f'{both(data["thin_note"] or THIN)}</p>')
    return "".join(out)


def _table_plain(data: dict[str, Any]) -> str:
    rows = [[c["en"] for c in data["columns"]], *data["rows"]]
    return "\n".join("\t".join(cell if isinstance(cell, str) else cell["zh"] for cell in row) for row in rows)
