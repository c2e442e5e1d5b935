"""The tables: what each column is, checked when written, read back as frames.

One place says, for every table, its columns, their types and their meaning in Chinese and English; the README and
the report print it from here.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from .errors import UserError
from .places import folder, is_local, put, stored_files
from .workplace import READABLE

if TYPE_CHECKING:
    import pandas as pd

STRINGS = pa.list_(pa.string())
ALL_YEARS, UNKNOWN_YEAR = -1, 0
ALL, NONE = "all", "none"
ROWS_AT_ONCE = 65_536  # rows that are encoded together


# Tables that grow with the corpus: a part for each partition where there are several, and then no copy as CSV.
PARTED = ("articles", "statements", "ledger", "ledger_counts", "article_themes", "article_terms")


@dataclass(frozen=True)
class Column:
    """A column of a table: its name, Arrow type, whether it may be empty, and its meaning."""

    name: str
    type: pa.DataType
    zh: str
    en: str
    nullable: bool = False


@dataclass(frozen=True)
class Table:
    """A table: what one row is, its columns, and whether a copy for spreadsheets is written beside it."""

    name: str
    row_zh: str
    row_en: str
    columns: tuple[Column, ...]
    csv: bool = False

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([pa.field(c.name, c.type, nullable=c.nullable) for c in self.columns])


def _c(name, type_, zh, en, nullable=False):
    return Column(name, type_, zh, en, nullable)


_S, _I, _I8 = pa.string(), pa.int32(), pa.int64()
_YEAR = _c("year", _I, "工作年度；0 为未知，-1 为全部年份合计", "work year; 0 unknown, -1 all years together")
_REGION = _c("region", _S, "地区简称；全国；none 为无归属；all 为全部语句（每句一次）",
             "short name of the region; 全国; none = attributed to nobody; all = every statement once")
_STATEMENTS = _c("n_statements", _I8, "语句数", "number of statements")
_ARTICLES = _c("n_articles", _I8, "文章数", "number of articles")
_STORIES = _c("n_stories", _I8, "稿件数（转载合并计一次）", "number of stories (reprints count once)")
_AGENCIES = _c("n_agencies", _I8, "发声机构数", "number of agencies that speak")

TABLES: dict[str, Table] = {t.name: t for t in (
    Table("articles", "一篇文章", "one article", (
        _c("article_id", _S, "文章编号，由规范化正文算出，文件移动或重新下载不变",
           "identifier made from the normalised text; survives moving or re-downloading the file"),
        _c("source_file", _S, "所在原始文件（相对原始资料文件夹）", "raw file, relative to the raw folder"),
        _c("source_format", _S, "原始形态", "shape in which it arrived"),
        _c("position", _I, "在文件中的次序，从 1 起", "order in its file, from 1"),
        _c("title", _S, "标题", "title", True),
        _c("publisher", _S, "刊发媒体", "medium that published it", True),
        _c("authors", STRINGS, "作者", "authors"),
        _c("url", _S, "网址", "address", True),
        _c("date", _S, "日期（年、年月或年月日，以原文所载为限）",
           "ISO date, year-month or year: as exact as the document states", True),
        _c("date_basis", _S, "日期依据：stated 载明，inferred 推得，unknown 不详",
           "how the date is known: stated, inferred, unknown"),
        _c("year", _I, "所谈工作的年度", "work year the article speaks of", True),
        _c("kind", _S, "出处所标类别", "kind, where the source states one", True),
        _c("source_title", _S, "摘编所据原文标题", "title of the text a digest was made from", True),
        _c("scope", _S, "in 在研究范围内，out 不在", "in or out of the subject"),
        _c("scope_reason", _S, "判定理由", "reason for the scope", True),
        _c("story_id", _S, "稿件编号：转载、重复的文章相同，取最早一篇的编号",
           "copies and reprints share it: the identifier of the first by date"),
        _c("script", _S, "hans 简体，hant 繁体", "hans simplified, hant traditional"),
        _c("n_chars", _I8, "正文字符数", "characters of body text"),
        _c("n_statements", _I, "语句数", "number of statements"),
        _c("n_tokens", _I8, "词次数", "number of word tokens"),
        _c("text", _S, "标题以外的全文，一段一行", "headings and paragraphs, one a line"),
        _c("rules", _S, "各项元数据所据规则（JSON）", "rule that found each piece of metadata (JSON)"))),
    Table("statements", "一个语句（正文中的一句）", "one statement (a sentence of body text)", (
        _c("statement_id", _S, "语句编号", "identifier"),
        _c("article_id", _S, "文章编号", "its article"),
        _c("story_id", _S, "稿件编号", "its story"),
        _c("source_file", _S, "原始文件", "raw file"),
        _c("paragraph", _I, "段落次序，从 0 起", "paragraph of the article, from 0"),
        _c("position", _I, "在文章中的次序，从 1 起", "order in the article, from 1"),
        _c("text", _S, "原句", "the sentence as it stands"),
        _c("heading", _S, "所属小标题", "nearest heading above", True),
        _c("year", _I, "工作年度", "work year", True),
        _c("speaker", _S, "发声机构（当年名称）", "agency that says it, in its name of that time", True),
        _c("level", _S, "national 总局，regional 地方局", "national or regional", True),
        _c("regions", STRINGS, "归属地区", "regions it is attributed to"),
        _c("attribution", _S, "归属依据：named 本句点名，carried 承上句，mentioned 仅提及",
           "named in the sentence, carried from before, mentioned only", True),
        _c("mentioned", STRINGS, "句中提到的地区", "regions the sentence names"),
        _c("years_mentioned", pa.list_(_I), "句中提到的其他年份", "other years the sentence names"),
        _c("themes", STRINGS, "主题：先本句所述，后由标题承接", "themes: stated first, then inherited"),
        _c("themes_inherited", STRINGS, "其中由标题或小标题承接者", "those taken over from heading or title"),
        _c("themes_guarded", STRINGS, "仅见于否定或他人引语，另计",
           "found only under negation or quotation; counted apart"),
        _c("deontic", _S, "措辞约束力等级", "binding grade of the wording", True),
        _c("evidence", _S, "匹配依据（JSON：主题、起、止）", "what was matched (JSON: theme, start, end)"))),
    Table("term_counts", "一个词在某年某地", "a term in a year and region", (
        _c("term", _S, "词", "term"), _YEAR, _REGION,
        _c("count", _I8, "出现次数", "occurrences"), _STATEMENTS, _ARTICLES, _STORIES)),
    Table("theme_counts", "一个主题在某年某地", "a theme in a year and region", (
        _c("theme", _S, "主题代码", "theme code"), _YEAR, _REGION, _STATEMENTS, _ARTICLES, _STORIES, _AGENCIES),
        csv=True),
    Table("theme_pairs", "一对主题在某年某地", "a pair of themes in a year and region", (
        _c("theme_a", _S, "主题甲（代码较前）", "first theme, by code"),
        _c("theme_b", _S, "主题乙", "second theme"), _YEAR, _REGION,
        _c("n_both", _I8, "两者同在的语句数", "statements with both"),
        _c("n_a", _I8, "含甲的语句数", "statements with the first"),
        _c("n_b", _I8, "含乙的语句数", "statements with the second"), _STATEMENTS), csv=True),
    Table("slices", "某年某地（各项比率的分母）", "a year and region: the denominators", (
        _YEAR, _REGION, _STATEMENTS, _ARTICLES, _STORIES, _AGENCIES,
        _c("n_tokens", _I8, "词次数", "number of word tokens")), csv=True),
    Table("deontic_counts", "一个约束力等级在某主题、某年、某地", "a binding grade in a theme, year and region", (
        _c("deontic", _S, "等级；none 为无此类措辞", "grade; none = no such wording"),
        _c("theme", _S, "主题代码；all 为全部", "theme code; all = every statement"), _YEAR, _REGION, _STATEMENTS),
        csv=True),
    Table("article_themes", "一个主题在一篇文章、某年某地", "a theme in an article, year and region", (
        _c("article_id", _S, "文章编号", "article"),
        _c("theme", _S, "主题代码；all 为全部语句", "theme code; all = every statement"),
        _c("year", _I, "工作年度；0 为未知", "work year; 0 unknown"), _REGION,
        _c("source_format", _S, "原始形态", "shape in which it arrived"), _c("kind", _S, "类别", "kind"),
        _c("publisher", _S, "刊发媒体", "publisher"), _STATEMENTS)),
    Table("article_terms", "一个词表所列的词在一篇文章、某年某地", "a listed term in an article, year and region", (
        _c("article_id", _S, "文章编号", "article"), _c("term", _S, "词", "term"),
        _c("year", _I, "工作年度；0 为未知", "work year; 0 unknown"), _REGION,
        _c("count", _I8, "出现次数", "occurrences"))),
    Table("ledger", "原始文件的一行或一块", "a line or block of a raw document", (
        _c("source_file", _S, "原始文件", "raw file"), _c("unit", _I, "行或块的次序，从 1 起", "its number, from 1"),
        _c("n_chars", _I8, "字符数", "characters"), _c("fate", _S, "去向", "what became of it"),
        _c("article_id", _S, "归入的文章", "article it went to", True), _c("rule", _S, "所据规则", "rule that decided"),
        _c("sample", _S, "内容摘样", "the beginning of it"))),
    Table("ledger_counts", "一条规则在一个原始文件中的去向合计", "what a rule did in a raw document", (
        _c("source_file", _S, "原始文件", "raw file"), _c("source_format", _S, "原始形态", "shape in which it arrived"),
        _c("fate", _S, "去向", "fate"), _c("rule", _S, "所据规则", "rule"),
        _c("n_units", _I8, "行数或块数", "lines or blocks"), _c("n_chars", _I8, "字符数", "characters")), csv=True),
    Table("rejected", "一个未能使用的文件", "a file that could not be used", (
        _c("source_file", _S, "文件", "file"), _c("reason", _S, "原因", "reason"), _c("detail", _S, "细节", "detail")),
        csv=True),
)}


def processed(out: str | Path) -> Path:
    """The folder of derived tables under `out`."""
    return folder(out) / "data" / "processed"


def file_stats(out: str | Path) -> dict[str, list[int | str]]:
    """Size and time (or what a store tells in its place) of every file of every table under `out`, by its path in
    `data/processed`. The state of a build holds them: files that are not as it has them are not taken for what that
    build wrote."""
    place = processed(out)
    if not is_local(place):
        return {file.name: [file.size, file.stamp] for file in stored_files(place) if _is_of_a_table(file.name)}
    stats: dict[str, list[int | str]] = {}
    if place.is_dir():
        for entry in sorted(os.scandir(place), key=lambda e: e.name):
            parts = sorted(os.scandir(entry), key=lambda e: e.name) if entry.is_dir(follow_symlinks=False) else []
            for name, e in [(f"{entry.name}/{p.name}", p) for p in parts] or [(entry.name, entry)]:
                if e.is_file(follow_symlinks=False) and not e.name.startswith(".") and _is_of_a_table(name):
                    stat = e.stat(follow_symlinks=False)
                    stats[name] = [stat.st_size, stat.st_mtime_ns]
    return stats


def _is_of_a_table(name: str) -> bool:
    """Whether a file of `data/processed` is one of a table: the notebooks put others beside them."""
    return name.split("/")[0].split(".")[0] in TABLES


def checked(name: str, table: pa.Table) -> pa.Table:
    """`table` in the schema of `name`; texts may be encoded by a dictionary, and stay so.

    Raises:
        ValueError: a column is missing or unknown, or empty where it may not be.
        pyarrow.ArrowException: a value does not fit the type of its column.
    """
    schema = TABLES[name].schema
    if set(table.column_names) != set(schema.names):
        raise ValueError(f"{name}: columns {sorted(set(table.column_names) ^ set(schema.names))} do not fit its schema")
    columns = []
    for field in schema:
        column = table.column(field.name)
        if not field.nullable and column.null_count:
            raise ValueError(f"{name}.{field.name} is empty in {column.null_count} rows")
        own = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if own != field.type:
            column = column.cast(field.type)
        columns.append(column)
    fields = [field.with_type(column.type) for field, column in zip(schema, columns, strict=True)]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def replace_file(path: Path, write, *, durable: bool = True) -> None:
    """Write a file whole or not at all: `write(temporary_path)`, then take the name `path` in one step. It outlives a
    power cut from then on, unless it need not be `durable`."""
    if not is_local(path):
        put(path, write)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    try:
        write(temporary)
        if durable:
            _flush(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def make_durable(out: str | Path, stats: dict[str, list[int | str]]) -> None:
    """Wait until files of the tables under `out` would outlive a power cut: those of `stats`, which is a part of
    `file_stats(out)`. Waiting for all of them together takes hardly longer than waiting for one."""
    place = processed(out)
    if is_local(place):
        with ThreadPoolExecutor(16) as pool:
            deque(pool.map(_flush, [place / name for name in stats]), maxlen=0)


def _flush(path: Path) -> None:
    with open(path, "rb+") as handle:
        os.fsync(handle.fileno())


def write_parquet(path: Path, table: pa.Table, dictionary: list[str] | None = None, *, durable: bool = True) -> None:
    """Write one Parquet file, the same bytes for the same rows; `dictionary` names the columns whose values repeat
    (by default all are tried); `durable` as in `replace_file`. A text that is encoded by a dictionary, which has each
    value once, is written as it is and read back as a text."""
    import pyarrow.parquet as pq

    table = table.replace_schema_metadata(None)
    if dictionary is not None:  # Parquet's own names: what repeats in a column of lists are their items
        dictionary = [f"{n}.list.element" if pa.types.is_list(table.schema.field(n).type) else n for n in dictionary]
    # without statistics: each part has rows of all years and places, so that they let no reader skip one; without the
    # schema of Arrow, by which texts would be read back as they were encoded
    options = {"compression": "zstd", "compression_level": 1, "write_statistics": False, "store_schema": False,
               "use_dictionary": True if dictionary is None else dictionary, "write_batch_size": ROWS_AT_ONCE}
    replace_file(path, lambda p: pq.write_table(table, p, **options), durable=durable)


def write_csv(path: str | Path, table: pd.DataFrame | pa.Table, *, durable: bool = True) -> None:
    """Write a frame or an Arrow table for spreadsheets: UTF-8 with a mark so that Excel reads the Chinese, LF line
    ends, lists joined by `;`, and no text that a spreadsheet would run as a formula; `durable` as in
    `replace_file`."""
    if isinstance(table, pa.Table):
        import pyarrow.compute as pc

        rows = pc.binary_join_element_wise(*map(_csv_fields, table.columns), ",")
        lines = [pa.ListArray.from_arrays([0, len(some)], some) for some in rows.chunks if len(some)]
        data = b"\n".join([",".join(map(_csv_field, table.column_names)).encode(),
                           *(pc.binary_join(some, "\n")[0].as_buffer() for some in lines), b""])
    else:
        safe = table.copy()
        for name in safe.columns:
            if safe[name].dtype.kind not in "biuf":
                safe[name] = [spreadsheet_text(v) for v in safe[name]]
        data = safe.to_csv(index=False, lineterminator="\n").encode()
    replace_file(folder(path), lambda p: p.write_bytes(b"\xef\xbb\xbf" + data), durable=durable)


def _csv_fields(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as CSV has it; each different text is written once."""
    import pyarrow.compute as pc

    if pa.types.is_integer(column.type):
        return pc.fill_null(pc.cast(column, pa.string()), "")
    if pa.types.is_string(column.type):
        column = column.dictionary_encode()
    if not pa.types.is_dictionary(column.type):
        return pa.chunked_array([[_csv_field(v) for v in column.to_pylist()]], type=pa.string())
    fields = [pa.array(map(_csv_field, some.dictionary.to_pylist()), type=pa.string()).take(some.indices)
              for some in column.chunks]
    return pc.fill_null(pa.chunked_array(fields, type=pa.string()), "")


def _csv_field(value) -> str:
    text = "" if value is None else str(spreadsheet_text(value))
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if any(c in text for c in ',"\n\r') else text


def spreadsheet_text(value):
    """`value` as a spreadsheet may show it: a text that begins like a formula gets an apostrophe before it, control
    characters go; lists are joined by `;`; None stays None."""
    if value is None or isinstance(value, (int, float)):
        return value
    if isinstance(value, (list, tuple)) or type(value).__name__ == "ndarray":
        value = ";".join(map(str, value))
    value = "".join(ch for ch in str(value) if ch >= " " or ch in "\n\t")
    return "'" + value if value.lstrip(" \t\n\u3000")[:1] in ("=", "+", "-", "@", "＝", "＋", "－", "＠") else value


def path_of(out: str | Path, name: str) -> Path:
    """Where table `name` stands: a Parquet file, or a folder of them for a corpus of several partitions."""
    return processed(out) / f"{name}.parquet"


def read(out: str | Path, name: str, columns: Iterable[str] | None = None, filters=None, *,
         explode: str | None = None, categories: Iterable[str] = (), limit: int | None = None) -> pd.DataFrame:
    """Table `name` as a frame, one row as `TABLES[name]` says.

    Args:
        out: the output folder of a build.
        name: one of `TABLES`.
        columns: only these.
        filters: as `pyarrow.parquet.read_table` takes them, e.g. `[("year", "=", 2026)]`.
        explode: a column of lists of which each item is to have a row, and an empty list one row without a value; the
            index is the place of the row in the table (of what `filters` leave), as in `DataFrame.explode`. For long
            tables: no list becomes an object.
        categories: text columns to be held as sorted categories: of a long table that takes far less memory.
        limit: at most so many rows of the table, the first.
    """
    import pandas as pd

    parts, n = [], 0
    numbers: dict[str, dict[str, int]] = {column: {} for column in categories}
    for part in read_parts(out, name, columns, filters):
        part = part if limit is None else part.slice(0, limit - n)
        parts.append(_shaped(part, explode, numbers, n))
        n += len(part)
        if n == limit:
            break
    frame = pa.concat_tables(parts).to_pandas()
    parts.clear()
    for column, numbered in numbers.items():
        values = sorted(numbered)
        place = np.empty(len(values) + 1, np.int32)
        place[[numbered[value] for value in values]] = np.arange(len(values))
        place[-1] = -1  # no value
        frame[column] = pd.Categorical.from_codes(place[frame[column]], pd.Index(values, dtype="str"))
    return frame.set_index(_PLACE).rename_axis(None) if explode else frame


_PLACE = "place in the table"


def _shaped(part: pa.Table, explode: str | None, numbers: dict[str, dict[str, int]], first: int) -> pa.Table:
    """A part of a table as `read` wants it; its rows begin at place `first`. Of the columns in `numbers` it has the
    number that each value has there, -1 without one; values that are new get the next."""
    import pyarrow.compute as pc

    if explode:
        lists = part[explode].combine_chunks()
        lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
        row = np.repeat(np.arange(len(part)), np.maximum(lengths, 1))
        item = np.arange(len(row)) - np.repeat(np.cumsum(np.maximum(lengths, 1) - lengths), np.maximum(lengths, 1))
        is_empty = (lengths == 0)[row]
        items = pc.list_flatten(lists).take(pa.array(np.where(is_empty, 0, item), mask=is_empty))
        others = [n for n in part.column_names if n != explode]
        part = pa.table({n: part[n].take(pa.array(row)) for n in others} | {explode: items, _PLACE: first + row})
    for name, numbered in numbers.items():
        coded = part[name].combine_chunks().dictionary_encode()
        own = [numbered.setdefault(value, len(numbered)) for value in coded.dictionary.to_pylist()]
        codes = np.array([*own, -1], np.int32)[pc.fill_null(coded.indices, -1).to_numpy()]
        part = part.set_column(part.column_names.index(name), name, pa.array(codes))
    return part


def _check_readable(name: str, columns: list[str] | None) -> None:
    """Refuse columns that the notebook does not declare."""
    allowed = json.loads(os.environ.get(READABLE, "{}")).get(name)
    if allowed and (columns is None or set(columns) - set(allowed)):
        raise UserError(f"this notebook declares to read only {', '.join(allowed)} of the table; "
                        f"it reads {', '.join(c for c in columns or ['all'] if c not in allowed)}: add that to its "
                        "INPUTS", name)


def read_arrow(out: str | Path, name: str, columns: Iterable[str] | None = None, filters=None) -> pa.Table:
    """Table `name` as an Arrow table; arguments as `read`."""
    return pa.concat_tables(read_parts(out, name, columns, filters))


def read_parts(out: str | Path, name: str, columns: Iterable[str] | None = None, filters=None) -> Iterator[pa.Table]:
    """Table `name` part by part, each an Arrow table of the rows of one partition, for what is not to hold the whole;
    arguments as `read`."""
    import pyarrow.parquet as pq

    path = path_of(out, name)
    columns = None if columns is None else list(columns)
    _check_readable(name, columns)

    def table(part) -> pa.Table:
        place = (part, None) if is_local(part) else (part.path, part.fs)
        return pq.read_table(place[0], columns=columns, filters=filters, filesystem=place[1], partitioning=None)

    return map(table, [path] if path.is_file() else sorted(path.glob("part-*.parquet")))


def column_dictionary() -> pd.DataFrame:
    """Every column of every table with its type and meaning: columns table, column, type, zh, en."""
    import pandas as pd

    return pd.DataFrame([(t.name, c.name, str(c.type), c.zh, c.en) for t in TABLES.values() for c in t.columns],
                        columns=["table", "column", "type", "zh", "en"])


def dictionary_markdown(lang: str) -> str:
    """The column dictionary as the README prints it, in `zh` or `en`."""
    head = {"zh": ("列", "类型", "含义"), "en": ("column", "type", "meaning")}[lang]
    row_is = {"zh": "一行是", "en": "a row is"}[lang]
    lines = []
    for t in TABLES.values():
        lines += ["", f"**`{t.name}`** — {row_is} {getattr(t, f'row_{lang}')}" if lang == "en" else
                  f"**`{t.name}`**：{row_is}{t.row_zh}", "", f"| {' | '.join(head)} |", "|---|---|---|"]
        for c in t.columns:
            kind = str(c.type).replace("list<element: ", "list<").replace("list<item: ", "list<")
            lines.append(f"| `{c.name}` | {kind} | {getattr(c, lang)} |")
    return "\n".join(lines[1:]) + "\n"
