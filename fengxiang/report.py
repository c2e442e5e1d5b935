"""The report: the executed notebooks as one self-contained HTML page per language.

An nbconvert exporter with a template of its own. Findings come first, then what changed, the chapters, a search over
the statements, and in the end methods, limits, the data dictionary and the sources. The page fetches nothing: style,
script, pictures and the files behind the download buttons are in it, and its content-security policy names the
hashes of the one style and the one script that may act. Text from raw files reaches it as text only.

Cells say by their tags where they belong: `lang-zh` and `lang-en` are kept in that language alone; `section-changes`,
`section-methods` and `section-limits` move to those sections; `hide` leaves a cell out.
"""

from __future__ import annotations

import ast
import base64
import csv
import hashlib
import heapq
import io
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from . import display, libraries, running
from .errors import UserError
from .quantities import APPROX, CHANGES, KINDS
from .yamlfile import YamlFile

LANGUAGES = {"zh": "index.html", "en": "index.en.html"}
TEMPLATE = Path(__file__).with_name("report_template")
SECTIONS = ("changes", "methods", "limits")
MAX_SOURCES = 1000  # articles listed under the sources
MAX_SHOWN = 12  # statements shown in one drawer
DRAWN_BYTES = 150_000  # a figure whose drawings, packed, take more has them in figures/, beside the page
LENS_BYTES = 700_000  # statements embedded for the search, as JSON
LENS_MINIMUM = 30  # a share of fewer statements carries a warning
SHORT_QUOTE = 40  # characters of a text quoted when texts are withheld
SHORT_TITLE = 100  # and of a title
_WITHIN_TITLE = str.maketrans("《》", "〈〉")
_PRINTED = 3  # statements printed below a finding
_SIDES = {"national": "side_national", "bureaus": "side_bureaus"}
_COUNTED = re.compile(r"\{(\w+)\|([^{}|]*)\|([^{}|]*)\}")
_LONG_NUMBER = 24  # a number of a sentence that is broader, in Latin letters, may be broken over two lines


# ---- what the page knows besides the notebooks ----------------------------------------------------------------------


@dataclass
class Corpus:
    """What the page says of the corpus. What is kept of it is bounded, whatever its size.

    `listed` are the newest articles in scope, newest first; `articles` those and the ones that the kept statements
    stand in, by identifier. `cited` are the statements that findings cite, by identifier; `searchable` those embedded
    for searching, in the order of the table; `quoted` the figures that these quote, of `n_quoted` in all.
    """

    has_articles: bool = False
    has_statements: bool = False
    n_articles: int = 0
    n_out_of_scope: int = 0
    n_stories: int = 0
    n_statements: int = 0
    years: list[int] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    articles: dict[str, dict[str, Any]] = field(default_factory=dict)
    cited: dict[str, dict[str, Any]] = field(default_factory=dict)
    searchable: list[dict[str, Any]] = field(default_factory=list)
    quoted: list[dict[str, str]] = field(default_factory=list)
    n_quoted: int = 0

    @property
    def newest(self) -> str | None:
        return self.articles[self.listed[0]]["date"] if self.listed else None


def read_corpus(out: Path, cited: Iterable[str]) -> Corpus:
    """The corpus of a build, as far as its tables are there; they pass by in batches."""
    corpus, cited = Corpus(), set(cited)
    if _exists(out, "statements"):
        corpus.has_statements = True
        heap, size = [], 0
        columns = ["statement_id", "article_id", "text", "year", "regions", "themes", "evidence"]
        for row in table_rows(out, "statements", columns):
            corpus.n_statements += 1
            if row["statement_id"] in cited:
                corpus.cited[row["statement_id"]] = row
            # The smallest hashes are a random sample that is the same on every machine.
            key = int.from_bytes(hashlib.blake2b(row["statement_id"].encode(), digest_size=8).digest())
            n_bytes = len(row["text"].encode("utf-8", "replace")) + 30
            heapq.heappush(heap, (-key, corpus.n_statements, n_bytes, row))
            size += n_bytes
            while size > LENS_BYTES:
                size -= heapq.heappop(heap)[2]
        corpus.searchable = [row for _, _, _, row in sorted(heap, key=lambda item: item[1])]
        _read_quoted(out, corpus)
    if _exists(out, "articles"):
        corpus.has_articles = True
        needed = {row["article_id"] for row in (*corpus.searchable, *corpus.cited.values())}
        columns = ["article_id", "title", "publisher", "url", "date", "year", "source_title", "scope", "source_file",
                   "story_id"]
        newest: list[dict[str, Any]] = []
        years, stories = set(), set()
        for row in table_rows(out, "articles", columns):
            if row["scope"] != "in":
                corpus.n_out_of_scope += 1
                continue
            corpus.n_articles += 1
            years.add(row["year"])
            stories.add(row["story_id"])
            newest.append(row)
            if row["article_id"] in needed:
                corpus.articles[row["article_id"]] = row
            if len(newest) > 4 * MAX_SOURCES:
                newest = _newest(newest)
        newest = _newest(newest)
        corpus.listed = [row["article_id"] for row in newest]
        corpus.articles |= {row["article_id"]: row for row in newest}
        corpus.years, corpus.n_stories = sorted(years - {None}), len(stories)
    return corpus


def _read_quoted(out: Path, corpus: Corpus) -> None:
    """The quoted figures of the searchable statements, as the notebooks wrote them."""
    path = out / "data" / "processed" / "quantities.csv"
    if not path.is_file():
        return
    searchable = {row["statement_id"] for row in corpus.searchable}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            corpus.n_quoted += 1
            if row["statement_id"] in searchable:
                corpus.quoted.append(row)


def _newest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = sorted(rows, key=lambda row: row["article_id"])
    return sorted(rows, key=lambda row: row["date"] or "", reverse=True)[:MAX_SOURCES]


def _exists(out: Path, name: str) -> bool:
    from . import tables

    return tables.path_of(out, name).exists()


def table_rows(out: Path, name: str, columns: list[str]) -> Iterator[dict[str, Any]]:
    """The rows of a table, as they pass by in batches; none where there is no such table."""
    import pyarrow.parquet as pq

    from . import tables

    path = tables.path_of(out, name)
    for part in [path] if path.is_file() else sorted(path.glob("part-*.parquet")):
        with pq.ParquetFile(part) as file:
            for batch in file.iter_batches(batch_size=4096, columns=columns):
                yield from batch.to_pylist()


@dataclass(frozen=True)
class Names:
    """Names of themes and regions in one language, in the order of the codebook."""

    themes: Mapping[str, str]
    groups: Mapping[str, str]  # theme → name of its group
    regions: Mapping[str, str]
    terms: Mapping[str, str] = field(default_factory=dict)  # listed term → its English name, in every language


def read_names(codebook: Path, language: str) -> Names:
    """The names the codebook gives its codes; a code without a name is shown as it is."""
    from .charts import Names as Glossed

    def entries(file: str, key: str) -> list[Mapping[str, Any]]:
        if not (codebook / file).is_file():
            return []
        data = YamlFile(codebook / file).data
        found = data.get(key) if isinstance(data, dict) else None
        return [entry for entry in found or () if isinstance(entry, dict)]

    groups = {g.get("id"): str(g.get(f"name_{language}") or g.get("id")) for g in entries("themes.yml", "groups")}
    themes = [(str(t.get("code") or t.get("id")), t) for t in entries("themes.yml", "themes")]
    return Names({code: str(t.get(f"name_{language}") or code) for code, t in themes},
                 {code: str(groups.get(t.get("group"), t.get("group") or "")) for code, t in themes},
                 {str(r["name"]): str(r["name"] if language == "zh" else r.get("en") or r["name"])
                  for r in entries("regions.yml", "regions") if "name" in r},
                 Glossed.of(None, codebook / "regions.yml").terms if (codebook / "regions.yml").is_file() else {})


# ---- text that is safe to show --------------------------------------------------------------------------------------


def safe_url(url: str | None) -> str | None:
    """`url` when a reader may be sent there: http or https with a host, nothing odd in it; else None."""
    if not url or len(url) > 2000 or re.search(r"[\s\x00-\x20\x7f-\x9f<>\"'`\\]", url) or display.visible(url) != url:
        return None
    try:
        parts = urlsplit(url)
        return url if parts.scheme in ("http", "https") and parts.hostname else None
    except ValueError:
        return None


def marked(text: str, spans: Iterable[tuple[int, int]], limit: int | None = None):
    """`text` as markup, escaped, with the spans in `<mark>`; only the first `limit` characters when one is given."""
    from markupsafe import Markup

    end = len(text) if limit is None else min(limit, len(text))
    out, position = Markup(""), 0
    for start, stop in sorted((max(0, a), min(b, end)) for a, b in spans):
        start = max(start, position)
        if start < stop:
            out += display.visible(text[position:start])
            out += Markup("<mark>{}</mark>").format(display.visible(text[start:stop]))
            position = stop
    out += display.visible(text[position:end])
    return out + ("……" if end < len(text) else "")


_NOT_IN_SCRIPT = re.compile("[<>&\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]")


def json_in_html(value: Any):
    """`value` as JSON that may stand within a script element."""
    from markupsafe import Markup

    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(_NOT_IN_SCRIPT.sub(lambda match: f"\\u{ord(match[0]):04x}", text))


_CJK = r"[\u3000-\u303f\u3400-\u9fff\uf900-\ufaff\uff00-\uffef“”‘’…—]"
_CJK_BREAK = re.compile(rf"(?<={_CJK})\n(?={_CJK})")
_STRONG = r"\*\*(?=[^\s*])[^*\n]+(?<=[^\s*])\*\*"


class Prose:
    """Markdown as the report sets it, for one chapter: headings one level down with stable ids, links to the web
    only, no pictures, no raw HTML, tables that a screen reader can walk.

    `headings` collects level, id and text of the headings met.
    """

    def __init__(self, prefix: str):
        import mistune

        self.prefix = prefix
        self.headings: list[tuple[int, str, str]] = []
        self._markdown = mistune.create_markdown(renderer=_renderer(self), plugins=["table"])
        # Bold that ends in Chinese punctuation and is followed by a character is plain enough to a writer, but not
        # to CommonMark, whose rules look for spaces.
        self._markdown.inline.register("plain_strong", _STRONG, _parse_strong, before="emphasis")

    def __call__(self, source: str):
        from markupsafe import Markup

        return Markup(self._markdown(display.visible(source)))


def _parse_strong(inline, match, state) -> int:
    inner = state.copy()
    inner.src = match[0][2:-2]
    state.append_token({"type": "strong", "children": inline.render(inner)})
    return match.end()


def _renderer(prose: Prose):
    import mistune

    class Renderer(mistune.HTMLRenderer):
        def heading(self, text: str, level: int, **attrs) -> str:
            level = min(max(level, 2) + 1, 6)
            name = f"{prose.prefix}-{len(prose.headings) + 1}"
            prose.headings.append((level, name, re.sub(r"<[^>]*>", "", text)))
            return f'<h{level} id="{name}">{text}</h{level}>\n'

        def link(self, text: str, url: str, title: str | None = None) -> str:
            safe = safe_url(url) or (url if re.fullmatch(r"#[\w-]+", url) else None)
            if not safe:
                return text
            rel = "" if safe[0] == "#" else ' rel="noopener noreferrer external"'
            return f'<a href="{mistune.escape(safe)}"{rel}>{text}</a>'

        def image(self, text: str, url: str, title: str | None = None) -> str:
            return text

        def paragraph(self, text: str) -> str:
            return f"<p>{_CJK_BREAK.sub('', text)}</p>\n"

        def block_text(self, text: str) -> str:
            return _CJK_BREAK.sub("", text)

        def block_code(self, code: str, info: str | None = None) -> str:
            return f'<pre tabindex="0"><code>{mistune.escape(code)}</code></pre>\n'

        def table(self, text: str) -> str:
            return f'<div class="scroll" tabindex="0"><table>{text}</table></div>\n'

        def table_cell(self, text: str, align: str | None = None, head: bool = False) -> str:
            kind = ' class="number"' if align == "right" else ""
            return f'<th scope="col"{kind}>{text}</th>' if head else f"<td{kind}>{text}</td>"

    return Renderer(escape=True)


# ---- from cells to blocks of the page -------------------------------------------------------------------------------


@dataclass
class Chapter:
    """A part of the page: what its contents entry says, and its blocks in order."""

    id: str
    number: str = ""
    title: str = ""
    blocks: list[dict[str, Any]] = field(default_factory=list)
    headings: list[tuple[int, str, str]] = field(default_factory=list)
    flow: Mapping[str, Any] | None = None


class Page:
    """One language of the report, ready for the template.

    Args:
        notebook: the notebooks in one, each cell with `metadata.chapter`.
        language: `zh` or `en`.
        out: where figures and tables are.
        names: names of themes and regions in this language.
        corpus: what the tables say.
        fingerprint: of the build.
        withhold: quote statements in short only, and embed none for searching.
    """

    def __init__(self, notebook, language: str, out: Path, names: Names, corpus: Corpus, fingerprint: str,
                 withhold: bool):
        self.language, self.out, self.names, self.corpus = language, out, names, corpus
        self.fingerprint, self.withhold = fingerprint, withhold
        self.short_quote, self.short_title = SHORT_QUOTE, SHORT_TITLE
        self.labels = labels(language)
        self.figures: dict[str, int] = {}
        self.listed, self.finding_ids = set(corpus.listed), set()
        self.sections = {name: Chapter(name, title=self.labels[name]) for name in SECTIONS}
        self.chapters: list[Chapter] = []
        self._prose: dict[str, Prose] = {}
        by_name: dict[str, list] = {}
        for cell in notebook.cells:
            by_name.setdefault(cell.metadata.chapter, []).append(cell)
        first = next((name for name, cells in by_name.items() if any(map(_findings, cells))), None)
        # The page shows the findings first, and figures are numbered in the order of the page.
        for name in sorted(by_name, key=lambda n: (n != first, n)):
            self._add_chapter("findings" if name == first else f"chapter-{name[:2]}", name, by_name[name])
        self.findings = self.chapters.pop(0) if first else None
        if self.findings:
            _hoist_findings(self.findings)
        figures = [block for chapter in self.every_chapter for block in chapter.blocks if block["kind"] == "figure"]
        self.pieces = _pack([block["files"] for block in figures])
        for block in figures:
            block["beside"] = [f for f in block["formats"] if f in _PIECES and f not in block["files"]]
            block["formats"] = [f for f in block["formats"] if f not in block["beside"]]

    @property
    def every_chapter(self) -> list[Chapter]:
        return [*([self.findings] if self.findings else []), *self.sections.values(), *self.chapters]

    # -- words

    def say(self, key: str, **values) -> str:
        """A label of this language, filled in as `filled` does."""
        return filled(self.labels[key], **values)

    def text(self, value: str | Mapping[str, str] | None) -> str:
        """This language of a pair of texts."""
        return "" if value is None else value if isinstance(value, str) else value[self.language]

    def title_in_title(self, title: str) -> str:
        """A title to stand between this language's marks of a title: in Chinese its own 《》 become 〈〉 there."""
        return title.translate(_WITHIN_TITLE) if self.language == "zh" else title

    breadth, short_cell = staticmethod(display.breadth), display.SHORT

    # -- chapters

    def _add_chapter(self, identifier: str, name: str, cells: list) -> None:
        chapter = Chapter(identifier, name[:2])
        self.chapters.append(chapter)
        self._prose[chapter.id] = Prose(chapter.id)
        for cell in cells:
            tags = running.tags(cell)
            if "hide" in tags or any(t.startswith("lang-") and t != f"lang-{self.language}" for t in tags):
                continue
            section = next((s for s in SECTIONS if f"section-{s}" in tags), None)
            target = self.sections[section] if section else chapter
            prose = self._prose.setdefault(target.id, Prose(target.id))
            if cell.cell_type == "markdown":
                source = cell.source.strip()
                if not chapter.title and target is chapter and (first := re.match(r"# +(.+)(?:\n|$)", source)):
                    chapter.title, source = display.visible(first[1].strip()), source[first.end():].strip()
                if source:
                    target.blocks.append({"kind": "prose", "html": prose(source)})
            elif "interface" in tags:
                declared = running.read_declarations(cell.source, name)
                chapter.flow = {"reads": list(map(display.visible, declared["INPUTS"])),
                                "writes": list(map(display.visible, declared["OUTPUTS"])),
                                "parameters": declared["PARAMETERS"]}
            elif "interface-override" in tags:
                chapter.flow["parameters"] |= ast.literal_eval(cell.source.partition("|=")[2].strip())
            elif cell.cell_type == "code":
                self._add_code(cell, target, prose)
        for part in (chapter, *self.sections.values()):
            part.headings = self._prose[part.id].headings if part.id in self._prose else []

    def _add_code(self, cell, chapter: Chapter, prose: Prose) -> None:
        """What a cell shows, and then its code, folded: the page is read for what it shows. Cells that show nothing
        fold together with the next one that does."""
        blocks = chapter.blocks
        folded = blocks.pop() if blocks and blocks[-1]["kind"] == "code" and not blocks[-1]["shown"] else \
            {"kind": "code", "cells": [], "lines": 0, "shown": False}
        source = display.visible(cell.source).strip("\n")
        if source.strip():
            folded["cells"].append(highlight(source))
            folded["lines"] += source.count("\n") + 1
        shown = [block for output in cell.outputs if (block := self._output(output, prose))]
        folded["shown"] = bool(shown)
        blocks += shown
        if folded["cells"]:
            blocks.append(folded)

    def _output(self, output, prose: Prose) -> dict[str, Any] | None:
        if output.output_type == "stream":
            return {"kind": "text", "text": display.visible(output.text.rstrip())} if output.text.strip() else None
        data = output.get("data", {})
        if display.PROSE in data:
            return {"kind": "prose", "html": prose(self.text(data[display.PROSE]))}
        if display.FIGURE in data:
            return self._figure(data[display.FIGURE]["stem"])
        if display.TABLE in data:
            return {"kind": "table", "table": self._table(data[display.TABLE])}
        if display.FINDINGS in data:
            return {"kind": "findings", "findings": [self._finding(f) for f in data[display.FINDINGS]]}
        if display.EVIDENCE in data:
            shown = [self._statement(s, s["spans"]) for s in data[display.EVIDENCE]["statements"]]
            return {"kind": "evidence", "statements": shown, "total": data[display.EVIDENCE]["total"],
                    "caption": self.text(data[display.EVIDENCE]["caption"])}
        if display.METRICS in data:
            return {"kind": "metrics", "metrics": data[display.METRICS]}
        if "text/markdown" in data:
            return {"kind": "prose", "html": prose(data["text/markdown"])}
        if "image/png" in data:
            return {"kind": "picture", "png": "".join(data["image/png"].split())}
        text = data.get("text/plain", "").strip()
        return {"kind": "text", "text": display.visible(text)} if text else None

    def _table(self, table: dict[str, Any]) -> dict[str, Any]:
        """A table as the page shows it. In a concordance, what a line is taken from stands in one column."""
        sides = [column.get("side") for column in table["columns"]]
        if "term" not in sides:
            return table
        at, n = sides.index("left"), len(display.SIDES)

        def line(row):
            named = [self.text(value) for value in (*row[:at], *row[at + n:])]
            return [*row[at:at + n], self.labels["comma"].join(v for v in named if v not in ("", display.MISSING))]

        heads = [self.text(column) for column in table["columns"]]
        source = {"zh": (joined := self.labels["list_separator"].join((*heads[:at], *heads[at + n:]))), "en": joined,
                  "numeric": False, "side": "source"}
        return {**table, "columns": [*table["columns"][at:at + n], source], "rows": [line(r) for r in table["rows"]],
                "lines": True}

    # -- figures

    def _figure(self, stem: str) -> dict[str, Any]:
        folder = self.out / "figures"
        path = folder / f"{stem}.json"
        if not re.fullmatch(r"[\w-]+", stem) or not path.is_file():
            return {"kind": "missing", "text": self.say("figure_missing", stem=display.visible(stem))}
        card = json.loads(path.read_text(encoding="utf-8"))
        title = display.visible(self.text(card["title"]))
        if stem in self.figures:
            return {"kind": "see", "stem": stem, "title": title, "number": self.figures[stem]}
        self.figures[stem] = len(self.figures) + 1
        png = (folder / f"{stem}.{self.language}.png").read_bytes()
        files: dict[str, Any] = {"name": f"{stem}.{self.language}"}
        for suffix in ("svg", "pdf"):
            if (picture := folder / f"{stem}.{self.language}.{suffix}").is_file():
                files[suffix] = picture.read_bytes()
        if (data := folder / f"{stem}.csv").is_file():
            files["csv"] = data.read_bytes().decode("utf-8")
        period = str(card.get("period") or "")
        hidden = _not_of(self.language, next(csv.reader(io.StringIO(files.get("csv", "").lstrip("\ufeff"))), []))
        columns = {name: None if name in hidden else display.visible(self._with_unit(texts))
                   for name, texts in card.get("columns", {}).items()}
        return {"kind": "figure", "stem": stem, "number": self.figures[stem], "title": title,
                "png": base64.b64encode(png).decode("ascii"), "width": int.from_bytes(png[16:20]),
                "height": int.from_bytes(png[20:24]), "files": {**files, "columns": columns},
                "formats": ["png", *(s for s in ("svg", "pdf", "csv") if s in files)], "columns": columns,
                "crop": _title_share(self.text(card["title"]), self.text(card.get("subtitle"))),
                "n": card.get("n"), "period": period.replace("–", self.labels["range"]) if period.strip("–-—") else "",
                "hash": card.get("content_hash"),
                **{name: display.visible(self.text(card.get(name))) for name in (
                    "subtitle", "alt", "how_to_read", "source")}}

    def _with_unit(self, texts: Mapping[str, Any]) -> str:
        """What a column is called, with its unit. A unit that has no English is a measure word: what it counts is what
        an English heading says, and it is left out there."""
        from .columns import UNITS

        unit = self.text(texts.get("unit"))
        if both := re.fullmatch(r"([\u4e00-\u9fff]+) ([A-Za-z ]+)", unit):
            unit = both[1 if self.language == "zh" else 2]
        elif self.language == "en" and re.search(r"[\u4e00-\u9fff]", unit):
            unit = UNITS.get(unit, {"en": ""})["en"]
        name = self.text({"zh": texts.get("zh", ""), "en": texts.get("en", "")})
        return f"{name}（{unit}）" if unit and self.language == "zh" else f"{name} ({unit})" if unit else name

    # -- findings and the statements behind them

    def _finding(self, finding: Mapping[str, Any]) -> dict[str, Any]:
        name = re.sub(r"[^\w-]", "-", finding["id"])
        while name in self.finding_ids:
            name += "-"
        self.finding_ids.add(name)
        cited = list(finding["evidence"])
        numbers, behind = [], {}
        for number in finding["numbers"]:
            cited += [s for s in number["evidence"] if s not in cited]
            numbers.append({"text": self.text(number), "definition": self.text(number["definition"]),
                            "n": number["n"], "of": number["of"]})
            for statement in number["evidence"]:
                behind.setdefault(statement, []).append(number)
        shown = cited[:MAX_SHOWN] if self.corpus.has_statements else []
        # On paper: of each number the first statement, and some more where these are few.
        firsts = {n["evidence"][0] for n in finding["numbers"] if n["evidence"]} & set(shown)
        firsts |= set([s for s in shown if s not in firsts][:max(0, _PRINTED - len(firsts))])
        told = [n for n in numbers if n["definition"] or n["of"] is not None] if cited else numbers
        return {"id": name, "sentence": self._linked(finding, numbers, name), "numbers": told,
                "badge": finding["badge"], "detail": self.text(finding["detail"]),
                "caveat": self.text(finding["caveat"]), "figure": finding["figure"],
                "statements": [{**self._cited(finding["id"], s, behind.get(s, ())), "first": s in firsts}
                               for s in shown],
                "n_printed": len(firsts), "total": len(cited)}

    def _linked(self, finding: Mapping[str, Any], numbers: list[dict[str, Any]], name: str):
        """The sentence with each of its numbers a link to the drawer behind it."""
        from markupsafe import Markup

        sentence, out, position = self.text(finding), Markup(""), 0
        waiting = [number["text"] for number in numbers]
        while found := [(m.start(), -len(text), text) for text in waiting
                        if (m := re.compile(_whole_number(text)).search(sentence, position))]:
            start, _, text = min(found)
            kind = "number long" if display.breadth(text) > _LONG_NUMBER else "number"
            # of “3 quoted” the 3: what follows may go on in the middle of a phrase
            shown = text.split(" ")[0] if text[:1].isdigit() else text
            out += sentence[position:start] + Markup('<a class="{}" href="#evidence-{}" title="{}">{}</a>').format(
                kind, name, self.say("drawer_open", number=text), shown) + text[len(shown):]
            position = start + len(text)
            waiting.remove(text)
        return out + sentence[position:]

    def _cited(self, finding: str, statement_id: str, numbers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """A statement behind a finding, with the numbers of the finding that it is behind."""
        row = self.corpus.cited.get(statement_id)
        if row is None:
            raise UserError(f"finding {finding} cites the statement {statement_id}, which the table of statements does "
                            "not have; run the notebooks again")
        article = self.corpus.articles.get(row["article_id"], {})
        cells = [number.get("cell") or {} for number in numbers]
        behind = [self._with_cell(display.visible(self.text(number)), cell)
                  for number, cell in zip(numbers, cells, strict=True)]
        return {**self._statement({**article, **row}, _counted_spans(row, cells)),
                "behind": self.labels["semicolon"].join(dict.fromkeys(behind)) if any(cells) else ""}

    def _with_cell(self, number: str, cell: Mapping[str, Any]) -> str:
        """A number and, in brackets, what it is of: themes, year, whose statements."""
        themes = [display.visible(self.names.themes.get(cell[key], cell[key]))
                  for key in ("theme", "a", "b") if key in cell]
        year = self.labels["of_year"].format(year=int(cell["year"])) if cell.get("year", -1) > 0 else ""
        side = self.labels[key] if (key := _SIDES.get(cell.get("side"))) else ""
        what = self.labels["comma"].join(part for part in (self.labels["with"].join(themes), year, side) if part)
        return self.labels["number_of"].format(number=number, what=what) if what else number

    def _statement(self, row: Mapping[str, Any], spans) -> dict[str, Any]:
        shown = {name: display.visible(row[name]) if row.get(name) else None
                 for name in ("title", "publisher", "date", "source_file", "article_id")}
        if not shown["article_id"] and row.get("statement_id"):
            shown["article_id"] = row["statement_id"].rpartition("-")[0]
        return {**shown, "text": marked(row["text"], spans, SHORT_QUOTE if self.withhold else None),
                "url": safe_url(row.get("url")), "listed": shown["article_id"] in self.listed,
                "regions": [self.names.regions.get(r, display.visible(r)) for r in row.get("regions") or ()]}

    # -- the end of the page

    @property
    def sources(self) -> list[dict[str, Any]]:
        return [{**{name: display.visible(a[name]) if a[name] else None for name in (
            "article_id", "title", "publisher", "date", "source_title", "source_file")}, "url": safe_url(a["url"])}
            for a in map(self.corpus.articles.__getitem__, self.corpus.listed)]

    @property
    def dictionary(self) -> list[dict[str, Any]]:
        from . import tables

        return [{"name": table.name, "row": self.text({"zh": table.row_zh, "en": table.row_en}),
                 "columns": [{"name": c.name, "type": str(c.type), "meaning": self.text({"zh": c.zh, "en": c.en})}
                             for c in table.columns]} for table in tables.TABLES.values()]

    @cached_property
    def _found_in(self) -> tuple[list[str], list[dict[str, Any]]]:
        """The articles of the statements for searching, newest first, and these statements in that order."""
        order = sorted({row["article_id"] for row in self.corpus.searchable}, key=lambda a: (a not in self.listed, a))
        order.sort(key=lambda a: self.corpus.articles.get(a, {}).get("date") or "", reverse=True)
        index = {a: i for i, a in enumerate(order)}
        return order, sorted(self.corpus.searchable, key=lambda r: index[r["article_id"]])

    @cached_property
    def lens(self) -> dict[str, Any] | None:
        """The statements for searching: what there is to choose from (years, regions, themes with their groups), how
        many statements, and all of it packed: texts with indexes into lists of articles, years, regions and themes.
        None when there are none to show."""
        if self.withhold or not self.corpus.searchable:
            return None
        order, rows = self._found_in
        article_index = {a: i for i, a in enumerate(order)}
        regions = _ordered({r for row in rows for r in row["regions"] or ()}, self.names.regions)
        themes = _ordered({t for row in rows for t in row["themes"] or ()}, self.names.themes)
        region_index, theme_index = ({name: i for i, name in enumerate(names)} for names in (regions, themes))
        articles = []
        for name in order:
            a = self.corpus.articles.get(name, {})
            articles.append([display.visible(a.get("title") or self.labels["title_unknown"]),
                             display.visible(a.get("publisher") or ""), display.visible(a.get("date") or ""),
                             f"source-{name}" if name in self.listed else ""])
        data = {"articles": articles, "regions": [display.visible(self.names.regions.get(r, r)) for r in regions],
                "themes": [display.visible(self.names.themes.get(t, t)) for t in themes], "minimum": LENS_MINIMUM,
                "statements": [[article_index[r["article_id"]], r["year"] or 0,
                                [region_index[x] for x in r["regions"] or ()],
                                [theme_index[x] for x in r["themes"] or ()], display.visible(r["text"])]
                               for r in rows],
                "glosses": self._glosses([row["text"] for row in rows])}
        return {"regions": data["regions"], "themes": data["themes"], "n": len(rows),
                "groups": [display.visible(self.names.groups.get(t, "")) for t in themes],
                "years": sorted({row["year"] for row in rows if row["year"]}), "packed": _packed_json(data)}

    def _glosses(self, texts: list[str]) -> list[list[str]]:
        """The listed terms that have an English name and stand in any of the texts, with that name."""
        whole = "\n".join(texts)
        return [[display.visible(term), display.visible(english)] for term, english in sorted(self.names.terms.items())
                if term in whole]

    @cached_property
    def quoted(self) -> dict[str, Any] | None:
        """The figures quoted in the statements for searching: the kinds there are (code and name), how many figures and
        statements, and the figures packed column by column. None when there are none to show."""
        if self.withhold or not self.corpus.quoted:
            return None
        from .columns import UNITS

        statement = {row["statement_id"]: i for i, row in enumerate(self._found_in[1])}
        rows = sorted(self.corpus.quoted, key=lambda r: (statement[r["statement_id"]], int(r["start"])))
        texts = {row["statement_id"]: row["text"] for row in self.corpus.searchable}

        def place(row, end: str) -> int:
            """In the text as the page holds it, in the units in which scripts count."""
            return len(display.visible(texts[row["statement_id"]][:int(row[end])]).encode("utf-16-le")) // 2

        listed = {name: sorted({row[name] for row in rows}) for name in ("unit", "kind", "approx", "change", "against")}
        columns = {name: [values.index(row[name]) for row in rows] for name, values in listed.items()}
        labels = {"kind": KINDS, "approx": APPROX, "change": CHANGES, "unit": UNITS}
        words = {name: [self.text(labels[name][v]) if v in labels.get(name, ()) else display.visible(v) for v in values]
                 for name, values in listed.items()}
        data = {"statement": [statement[row["statement_id"]] for row in rows],
                "start": [place(row, "start") for row in rows], "end": [place(row, "end") for row in rows],
                "value": [_value(row["value"]) for row in rows], "high": [_value(row["value_high"]) for row in rows],
                "what": [display.visible(row["what"]) for row in rows], **columns, "words": words}
        return {"kinds": sorted(enumerate(words["kind"]), key=lambda k: list(KINDS).index(listed["kind"][k[0]])),
                "n": len(rows), "n_statements": len(set(data["statement"])),
                "packed": _packed_json(data)}

    @property
    def crops(self) -> str:
        """Style rules that cut the titles off the pictures of a narrow page, where they stand above them as text: a
        picture that scrolls sideways would show half of a line. The pictures stay whole, for wide pages and files."""
        rules = "\n".join(
            f"  #figure-{block['stem']} img {{ margin-top: calc(max(100%, var(--legible)) * -{block['crop']}); }}"
            for chapter in self.every_chapter for block in chapter.blocks if block["kind"] == "figure")
        return f"\n@media screen and (max-width: 52rem) {{\n{rules}\n}}" if rules else ""

    @property
    def words(self) -> dict[str, Any]:
        """The labels the script needs."""
        return {"plotted": self.plotted, "code_show_all": self.say("code_show_all", n=self.code_lines)} | {
            key: self.labels[key] for key in (
            "search_result", "search_none", "search_thin", "search_more", "publisher_unknown", "date_unknown",
            "list_separator", "comma", "colon", "figure_data_rows", "code_hide_all", "download_failed",
            "quoted_result", "quoted_none", "quoted_file", "quoted_columns", "all_years", "range",
            "search_foreign", "search_foreign_term", "search_foreign_others", "gloss", "sentence_gap",
            "swipe_figure", "swipe_table", "figure_whole")}

    @cached_property
    def plotted(self) -> dict[str, str]:
        """What values of the plotted data are called: codes that charts keep, and regions in English."""
        from . import columns, measures

        known = {**columns.FATES, **measures.TREND_WORDS}
        own = {"True": "value_yes", "False": "value_no", "all": "value_all", "read": "value_read",
               "region": "search_region", "theme": "search_theme"}
        return {**{value: self.text(name) for value, name in known.items()},
                **{value: self.labels[key] for value, key in own.items()},
                **{name: shown for name, shown in self.names.regions.items() if name != shown}}

    @property
    def code_lines(self) -> int:
        return sum(block["lines"] for chapter in self.every_chapter for block in chapter.blocks
                   if block["kind"] == "code")

    printed, thin = _PRINTED, display.THIN

    @property
    def lens_kilobytes(self) -> int:
        return LENS_BYTES // 1000


def _counted_spans(row: Mapping[str, Any], cells: list[Mapping[str, Any]]) -> list[tuple[int, int]]:
    """Where in a statement the words stand for which numbers count it: those of their themes, or their term. All that
    was matched where no number says what it counts, or one counts the points of a list; nothing where a number
    counts something else, such as grades of wording."""
    matched = json.loads(row["evidence"] or "[]")
    if not any(cells) or any(cell.get("what") == "list" for cell in cells):
        return [(start, end) for _, start, end in matched]
    themes = {cell[key] for cell in cells for key in ("theme", "a", "b") if key in cell}
    terms = {cell["term"] for cell in cells if cell.get("term")}
    return [(start, end) for theme, start, end in matched if theme in themes] + [
        m.span() for term in sorted(terms) for m in re.finditer(re.escape(term), row["text"])]


def _not_of(language: str, names: list[str]) -> set[str]:
    """The columns of a plotted table that say in codes or in the other language what another column says: `theme` and
    `theme_en` beside `theme_zh`, `theme_a` beside `a_zh`, `region` beside `region_en`. A term in Chinese is what was
    counted, and stays in English too."""
    here, other = ("_zh", "_en") if language == "zh" else ("_en", "_zh")
    named = {name.removesuffix(here) for name in names if name.endswith(here)} - {"term"}
    return {name for name in names if name.endswith(other) or name.removeprefix("theme_") in named}


def _title_share(title: str, subtitle: str) -> float:
    """The height of the title block of a figure, as a share of its width."""
    from .figures import HEAD_AIR, SIZES, head_height

    return round((head_height(title, subtitle) - HEAD_AIR / 2) / SIZES["page"].width, 4)


def _findings(cell) -> list[Mapping[str, Any]]:
    """The findings a cell shows."""
    return [finding for output in cell.get("outputs", ())
            for finding in output.get("data", {}).get(display.FINDINGS, ())]


def _hoist_findings(chapter: Chapter) -> None:
    """Move the headline sentences to the top of their chapter: a reader meets them before how they were checked. A
    heading that stood alone above them goes."""
    at = next(i for i, block in enumerate(chapter.blocks) if block["kind"] == "findings")
    block = chapter.blocks.pop(at)
    if at and chapter.blocks[at - 1]["kind"] == "prose":
        alone = re.fullmatch(r'<h\d id="([\w-]+)">[^\n]*</h\d>\s*', str(chapter.blocks[at - 1]["html"]))
        if alone:
            chapter.blocks.pop(at - 1)
            chapter.headings = [heading for heading in chapter.headings if heading[1] != alone[1]]
    chapter.blocks.insert(0, block)


def _whole_number(text: str) -> str:
    """A pattern for `text` where it is not a part of a longer number: the 1.5% of “1.5%”, not of “11.5%”."""
    return (r"(?<![\d.,])" if text[:1].isdigit() else "") + re.escape(text) + (r"(?!\d)" if text[-1:].isdigit() else "")


def _value(text: str) -> float | int | None:
    """A number of a CSV file, a whole one without its point; None where there is none."""
    if not text:
        return None
    value = float(text)
    return int(value) if value.is_integer() else value


# Where the same piece stands in many figures: in an SVG the outline of a letter, in a PDF the stream that draws one.
_PIECES = {"svg": re.compile(r'<path id="[^"]*" d="[^"]*"[^<>]*/>'),
           "pdf": re.compile(r"(?<=\nstream\n).{30,}?(?=\nendstream\n)", re.S)}
_ENCODINGS = {"svg": "utf-8", "pdf": "latin-1"}


def _packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 9)).decode("ascii")


def _packed_json(value: Any) -> str:
    return _packed(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8"))


def _pack(figures: list[dict[str, Any]]) -> str:
    """Compress the files of the figures in place, and return what they share.

    Letters are outlines there, and the same letters are drawn in most figures: a piece that occurs in several is
    kept once, in a list of its own, and marked by its number between two private characters where it stood. Drawings
    of a figure that take more than `DRAWN_BYTES` are taken out.
    """
    drawn = [(files, kind, files[kind].decode(_ENCODINGS[kind])) for files in figures for kind in _PIECES
             if kind in files]
    seen = Counter(piece for _, kind, text in drawn for piece in set(_PIECES[kind].findall(text)))
    shared = sorted(piece for piece, n in seen.items() if n > 1)
    if any("\ue000" in text or "\ue001" in text for _, _, text in drawn):
        shared = []
    index = {piece: i for i, piece in enumerate(shared)}
    packed = [_packed(_PIECES[kind].sub(
        lambda m: f"\ue000{index[m[0]]}\ue001" if m[0] in index else m[0], text).encode("utf-8"))
        for _, kind, text in drawn]
    sizes: Counter[int] = Counter()
    for (files, _, _), data in zip(drawn, packed, strict=True):
        sizes[id(files)] += len(data)
    if large := [files for files in figures if sizes[id(files)] > DRAWN_BYTES]:
        for files in large:
            for kind in _PIECES:
                files.pop(kind, None)
        return _pack(figures)  # the others share less now
    for (files, kind, _), data in zip(drawn, packed, strict=True):
        files[kind] = data
    return _packed_json(shared)


def _ordered(found: set[str], known: Mapping[str, Any]) -> list[str]:
    return [name for name in known if name in found] + sorted(found - set(known))


def filled(label: str, **values: Any) -> str:
    """A label with its places filled in; whole numbers get thousands separators, and of two words for what they count,
    `{n|article|articles}`, the one that fits is taken."""
    label = _COUNTED.sub(lambda m: m[2] if values[m[1]] == 1 else m[3], label)
    return label.format(**{k: f"{v:,}" if isinstance(v, int) else v for k, v in values.items()})


def labels(language: str) -> dict[str, str]:
    """Every word of the report's own in one language."""
    return {key: texts[language] for key, texts in YamlFile(TEMPLATE / "labels.yml").data.items()}


def highlight(source: str):
    """Python source as markup, coloured by classes."""
    from markupsafe import Markup
    from pygments import highlight as render
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    return Markup(render(source, PythonLexer(), HtmlFormatter(nowrap=True, classprefix="k-")).rstrip("\n"))


# ---- exporter -------------------------------------------------------------------------------------------------------


def exporter(page_of: Callable[[Any], Page]):
    """An nbconvert exporter that renders a notebook through `page_of` and the report's own template."""
    running.import_jsonschema()
    from nbconvert.exporters.templateexporter import TemplateExporter
    from traitlets import default

    class ReportExporter(TemplateExporter):
        """The report as an nbconvert exporter: own template, everything escaped unless it is markup of ours."""

        export_from_notebook = "Fengxiang report"
        output_mimetype = "text/html"

        @default("file_extension")
        def _file_extension_default(self):
            return ".html"

        @default("template_name")
        def _template_name_default(self):
            return TEMPLATE.name

        @default("extra_template_basedirs")
        def _extra_template_basedirs_default(self):
            return [str(TEMPLATE.parent)]

        def _create_environment(self):
            environment = super()._create_environment()
            environment.autoescape = True
            environment.trim_blocks = environment.lstrip_blocks = True
            environment.filters |= {"json_in_html": json_in_html, "visible": display.visible}
            return environment

        def from_notebook_node(self, nb, resources=None, **kw):
            page = page_of(nb)
            style, script = _asset("style.css") + page.crops, _asset("script.js")
            resources = {**(resources or {}), "page": page, "style": style, "script": script,
                         "policy": "default-src 'none'; img-src data:; "
                                   f"style-src 'sha256-{_sha(style)}'; script-src 'sha256-{_sha(script)}'; "
                                   "base-uri 'none'; form-action 'none'"}
            return super().from_notebook_node(nb, resources, **kw)

    return ReportExporter()


def _asset(name: str):
    from markupsafe import Markup

    return Markup((TEMPLATE / name).read_text(encoding="utf-8").strip())


def _sha(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def merged_notebook(executed: Mapping[str, Path]):
    """The executed notebooks as one, each cell with the name of its notebook as `metadata.chapter`.

    Raises:
        UserError: a notebook has not been run.
    """
    running.import_jsonschema()
    import nbformat

    merged = nbformat.v4.new_notebook()
    for name, path in executed.items():
        if not path.is_file():
            raise UserError("has not been run in this output folder; run the notebooks before the report",
                            f"notebooks/{name}.ipynb")
        for cell in nbformat.from_dict(json.loads(path.read_text(encoding="utf-8"))).cells:
            cell.metadata.chapter = name
            cell.id = f"{name}-{cell.id}"
            merged.cells.append(cell)
    return merged


def cited_statements(notebook) -> set[str]:
    """The identifiers of all statements that findings cite."""
    return {statement for cell in notebook.cells for finding in _findings(cell)
            for cited in (finding["evidence"], *(n["evidence"] for n in finding["numbers"])) for statement in cited}


# ---- writing --------------------------------------------------------------------------------------------------------


def write_report(root: str | Path, out: str | Path, codebook: str | Path | None = None, *,
                 withhold_text: bool = False, log: Callable[[str], None] | None = None) -> list[Path]:
    """Write report/index.html (Chinese) and report/index.en.html (English) from the executed notebooks.

    Nothing is written when nothing the report is made from has changed.

    Args:
        root: the project folder; its `notebooks/` say which chapters there are.
        out: the output folder of the run, with the executed notebooks, figures and tables; the report goes to
            OUT/report.
        codebook: for the names of themes and regions; the project's own when None.
        withhold_text: leave source texts out: no search, quotations of at most `SHORT_QUOTE` characters; see
            `fengxiang.withholding`.
        log: gets a line for each file written.

    Returns:
        The two files.

    Raises:
        UserError: a notebook has not been run, a finding cites a statement that is not there, or a figure quotes where
            texts are withheld.
    """
    root, out = Path(root).resolve(), Path(out).resolve()
    codebook = Path(codebook).resolve() if codebook else root / "codebook"
    names = sorted(p.stem for p in (root / "notebooks").glob("[0-9][0-9]-*.ipynb"))
    executed = {name: running.executed_path(out, name) for name in names}
    paths = [out / "report" / file for file in LANGUAGES.values()]
    state = running.State(out / "data/raw", out, codebook)
    try:
        made_from = _made_from(state, executed)
        identity = running.digest({name: h for name, h in made_from.items() if not name.startswith("package/report")})
        signature = running.digest([made_from, withhold_text, libraries.library_versions()])
        last = state.runs.get("report")
        if last and last["signature"] == signature and all(
                path.is_file() and state.hash(f"report/{path.name}") == last["outputs"].get(f"report/{path.name}")
                for path in paths):
            return paths
        merged = merged_notebook(executed)
        corpus = read_corpus(out, cited_statements(merged))
        if withhold_text:
            from .withholding import shortened, withhold

            withhold(merged, out)
            for article in corpus.articles.values():
                article |= {name: shortened(article[name]) for name in ("title", "source_title")}
        for language, path in zip(LANGUAGES, paths, strict=True):
            names_of = read_names(codebook, language)
            html, _ = exporter(lambda nb, lang=language, known=names_of: Page(
                nb, lang, out, known, corpus, identity[:12], withhold_text)).from_notebook_node(merged)
            running.write_atomically(path, html.rstrip() + "\n")
            if log:
                log(f"report/{path.name}  {path.stat().st_size / 1e6:.2f} MB")
        state.runs["report"] = {"signature": signature,
                                "outputs": {f"report/{path.name}": state.hash(f"report/{path.name}") for path in paths}}
        return paths
    finally:
        state.save()


def _made_from(state: running.State, executed: Mapping[str, Path]) -> dict[str, str]:
    """The hash of everything a report is made from, by name."""
    names = [f"{running.STATE_FOLDER}/executed/{name}.ipynb" for name, path in executed.items() if path.is_file()]
    for folder in ("data/processed", "figures", "codebook", "package"):
        # figures in other sizes belong to the kit, not to the page
        names += [name for name in state.files_of(folder) if "__pycache__" not in name
                  and not (folder == "figures" and name.count("/") > 1)]
    return {name: state.hash(name) for name in names}
