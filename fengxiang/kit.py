"""The kit for briefings: every figure in every size, and the office files that are made from them.

`report/briefing.pptx` has one figure a slide, with its title, subtitle, source and n as text that can be edited and
with notes for the speaker; `report/briefing.docx` is a single sheet of findings with a figure and the sources. Which
findings stand there, on which slide, and which figure, is decided for both languages at once, so that a reader of one
can talk with a reader of the other. `report/tables.xlsx` holds the plotted data, for both. Nothing is computed here:
the words come from the figures' cards, the findings table, the notebooks' sections on methods and limits and the
labels of the report, so that nothing is told twice. The same inputs give the same bytes.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from . import display, figures, libraries, running
from .errors import UserError
from .figures import LANGS
from .tables import ALL_YEARS, UNKNOWN_YEAR, replace_file
from .workplace import BUILT, ROOT, Workplace

SIZES = "FENGXIANG_SIZES"
"""In the environment: the sizes that notebooks draw their figures in, joined by commas; `page` without it."""
KIT_SIZES = ("page", "slide", "half", "thumbnail")
FILES = {"zh": {"pptx": "briefing.pptx", "docx": "briefing.docx"},
         "en": {"pptx": "briefing.en.pptx", "docx": "briefing.en.docx"}}
TABLES_FILE = "tables.xlsx"
ACCENT, GOOD = figures.GROUP_COLOURS["强监管"], figures.GROUP_COLOURS["促发展"]
LATIN, CHINESE = "Arial", "Microsoft YaHei"
LOCALES = {"zh": "zh-CN", "en": "en-GB"}
MAX_SHEET_NAME = 31
N_CITED = 6  # articles it names as sources
_THEME_COLUMNS = ("theme", "theme_a", "theme_b")
UNDATED = datetime(2000, 1, 1)  # date of the files of a corpus without a dated article

WORDS = {
    "findings": {"zh": "主要结论", "en": "What we found"},
    "more": {"zh": "主要结论（续）", "en": "What we found (continued)"},
    "methods_and_limits": {"zh": "方法与局限", "en": "Methods and limits"},
    "rules": {"zh": "措辞规则", "en": "Rules of wording"},
    "read": {"zh": "怎样读：", "en": "How to read it: "},
    "source": {"zh": "来源：", "en": "Source: "},
    "sources": {"zh": "来源", "en": "Sources"},
    "finding": {"zh": "结论：", "en": "Finding: "},
    "limited": {"zh": "局限：", "en": "Limits: "},
    "cite": {"zh": "引用：", "en": "Cite as: "},
    "data": {"zh": "数据：report/{file}，工作表“{sheet}”；figures/{stem}.csv",
             "en": "Data: report/{file}, sheet “{sheet}”; figures/{stem}.csv"},
    "colon": {"zh": "：", "en": ": "},
    "stop": {"zh": "。", "en": "."},
    "separator": {"zh": "　", "en": "  ·  "},
    "bracket": {"zh": "（{}）", "en": " ({})"},
    "newest": {"zh": "最新一篇的日期为{date}", "en": "the newest article of {date}"},
    "robust": {"zh": "稳健性m/n：剔除部分材料或换一种算法重算，n项检验中有m项结论不变。",
               "en": "Robustness m/n: recounted in n other ways, by another method or with material left out, it holds "
                     "in m."},
    "left_out": {"zh": "另有{n}条结论见报告。", "en": "{n} more in the report."},
    "basis": {"zh": "结论所引语句出自（节录）：", "en": "Among the articles that the findings cite: "},
    "whole": {"zh": "据本次语料计算：{corpus}。全部来源、依据与方法见report/index.html。",
              "en": "Computed from this corpus: {corpus}. All sources, evidence and methods: report/index.en.html."},
    "licence": {"zh": "图与数据依{licence}许可使用。", "en": "Figures and data may be used under {licence}."},
    "unknown_publisher": {"zh": "刊发者不详", "en": "publisher unknown"},
}


# ---- what the kit is made from --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Material:
    """Everything the office files say.

    Attributes:
        place: the folders of the run.
        root: the project folder, with the notebooks.
        cards: the cards of the figures that the notebooks declare, in their order.
        findings: the rows of findings.csv, with lists and mappings read.
        sections: `methods` and `limits` as the notebooks word them, by language: paragraphs of plain text.
        corpus: what the tables say of the corpus (`report.Corpus`).
    """

    place: Workplace
    root: Path
    cards: list[dict]
    findings: list[dict]
    sections: Mapping[str, Mapping[str, list[str]]]
    corpus: Any

    @classmethod
    def read(cls, place: Workplace, root: Path) -> Material:
        """The material of a run that is up to date.

        Raises:
            UserError: something is stale or missing; see `refuse_stale`.
        """
        from .report import read_corpus

        refuse_stale(place, root)
        cards = declared_cards(place, root)
        findings = read_findings(place)
        cited = {statement for finding in findings for statement in finding["evidence"]}
        return cls(place, root, cards, findings, read_sections(root), read_corpus(place.out, cited))

    @cached_property
    def words(self) -> dict[str, dict[str, str]]:
        """The words of the kit and those of the report's template, by key and language."""
        from .report import labels

        by_language = {lang: labels(lang) for lang in LANGS}
        return {**{key: {lang: by_language[lang][key] for lang in LANGS} for key in by_language["zh"]}, **WORDS}

    def say(self, key: str, lang: str, **values: Any) -> str:
        """A word or sentence in one language, filled in as `report.filled` does."""
        from .report import filled

        return filled(self.words[key][lang], **values)

    def headlines(self) -> list[dict]:
        """The findings that say something and carry a badge."""
        return [f for f in self.findings if f["badge"] and f["grade"] != "too_little"]

    def of_figure(self, card: Mapping[str, Any]) -> list[dict]:
        """The findings that a figure shows: those that name it, where its data hold what they are about."""
        return [f for f in self.headlines() if f["figure"] == card["stem"] and self.shows(card, f)]

    def shows(self, card: Mapping[str, Any], finding: Mapping[str, Any]) -> bool:
        """Whether the data of a figure hold the themes, the region and the year that a finding is about. Data without
        a column of themes or regions are not asked for them; data without a column of years are of all the years in
        the figure's period together, which is not the year of a finding that is about one."""
        about = finding.get("slice") or {}
        columns, rows = self.plotted(card["stem"])
        values = {name: {row[i] for row in rows} for i, name in enumerate(columns)}
        themes = set().union(*(values.get(name, ()) for name in _THEME_COLUMNS))
        if themes and not themes >= {about[key] for key in ("theme", "other") if about.get(key)}:
            return False
        if about.get("region") and "region" in values and about["region"] not in values["region"]:
            return False
        year = about.get("year", ALL_YEARS)
        return year == ALL_YEARS or (year in values["year"] if "year" in values else card["period"] == str(year))

    def plotted(self, stem: str) -> tuple[list[str], list[list[Any]]]:
        """The columns and rows of a figure's data, read once."""
        if stem not in self._plotted:
            self._plotted[stem] = read_plotted(self.place.figures / f"{stem}.csv")
        return self._plotted[stem]

    @cached_property
    def _plotted(self) -> dict[str, tuple[list[str], list[list[Any]]]]:
        return {}

    @cached_property
    def names(self) -> Any:
        """The names of themes and regions in both languages (`charts.Names`); without a codebook there are none."""
        from .charts import Names

        if (self.place.codebook / "regions.yml").is_file():
            return Names.load(self.place.codebook)
        return Names({}, {}, {}, {})

    def pictured(self, card: Mapping[str, Any], finding: Mapping[str, Any], size: str) -> bool:
        """Whether the names of the themes that a finding is about stand in the chart of a picture, in both languages:
        a small picture leaves out what it has no room for."""
        about = finding.get("slice") or {}
        codes = [about[key] for key in ("theme", "other") if about.get(key) in self.names.themes]
        for lang in LANGS if codes else ():
            drawn = _drawn_text(self.place.figures / card["files"][lang][f"{size}.pdf"])
            heading = _unspaced(card["title"][lang] + card["subtitle"][lang])
            for name in (_unspaced(self.names.theme(code, lang)) for code in codes):
                if drawn.count(name) <= heading.count(name):
                    return False
        return True

    def corpus_line(self, lang: str) -> str:
        """How large the corpus is and how new, as one phrase."""
        corpus = self.corpus
        parts = [self.say("corpus_size", lang, articles=corpus.n_articles, statements=corpus.n_statements)]
        if corpus.newest:
            parts.append(self.say("newest", lang, date=corpus.newest))
        return ("，" if lang == "zh" else "; ").join(parts)

    def subtitle(self, lang: str) -> str:
        """The report's subtitle, with the years covered."""
        years = self.corpus.years
        if not years:
            return self.words["subtitle_undated"][lang]
        period = str(years[0]) if len(years) == 1 else f"{years[0]}{self.words['range'][lang]}{years[-1]}"
        return self.say("subtitle", lang, period=period)

    @property
    def date(self) -> datetime:
        """The date the files carry: that of the newest article, so that the same corpus gives the same file."""
        found = re.match(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?", self.corpus.newest or "")
        try:
            return datetime(int(found[1]), int(found[2] or 1), int(found[3] or 1)) if found else UNDATED
        except ValueError:
            return UNDATED


def _unspaced(text: str) -> str:
    return re.sub(r"\s", "", text)


def _drawn_text(path: Path) -> str:
    """The text of a PDF of one figure in the order in which it was drawn, without blanks: a label over several lines is
    in one piece, which it is not in the order of reading."""
    import pdfplumber

    with pdfplumber.open(path) as document:
        return _unspaced("".join(char["text"] for page in document.pages for char in page.chars))


def declared_cards(place: Workplace, root: Path) -> list[dict]:
    """The cards of the figures that the notebooks declare, in the order in which they do.

    Raises:
        UserError: a card is missing.
    """
    cards = []
    for notebook in _notebooks(root):
        for name in filter(running.is_stem, notebook.outputs):
            path = place.out / f"{name}.json"
            if not path.is_file():
                raise notebook.error(f"declares the figure “{name}”, which has no card; run `make report`")
            cards.append(json.loads(path.read_text("utf-8")))
    return cards


def _notebooks(root: Path) -> list[running.Notebook]:
    return [running.read_notebook(path) for path in sorted((root / "notebooks").glob("[0-9][0-9]-*.ipynb"))]


def read_findings(place: Workplace) -> list[dict]:
    """The rows of findings.csv; what stands there as JSON is read.

    Raises:
        UserError: there is no such table.
    """
    path = place.processed / "findings.csv"
    if not path.is_file():
        raise UserError("is not there; run `make report`: a notebook writes the findings", path)
    rows = []
    for row in csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline="")):
        for key, empty in (("badge", {}), ("detail", {}), ("caveat", {}), ("slice", {}), ("evidence", [])):
            row[key] = json.loads(row.get(key) or "null") or empty
        rows.append(row)
    return rows


def read_sections(root: Path) -> dict[str, dict[str, list[str]]]:
    """What the notebooks' cells tagged `section-methods` and `section-limits` say, as plain paragraphs by section and
    language."""
    sections: dict[str, dict[str, list[str]]] = {name: {lang: [] for lang in LANGS} for name in ("methods", "limits")}
    for notebook in _notebooks(root):
        for cell in notebook.cells:
            tags = running.tags(cell)
            for name, by_language in sections.items():
                if cell["cell_type"] == "markdown" and f"section-{name}" in tags:
                    for lang in LANGS:
                        if f"lang-{lang}" in tags:
                            by_language[lang] += plain_paragraphs(cell["source"])
    return sections


_LINK = re.compile(r"\[([^\[\]]*)\]\([^()\s]*\)")
_MARKS = re.compile(r"\*\*|__|`|(?m:^#+ +)|(?m:^[-*] +)|(?m:^> ?)")
_WIDE = "[\u3000-\u303f\u3400-\u9fff\uff00-\uffef“”]"
_BREAK = re.compile(rf"(?<={_WIDE})\n(?={_WIDE})")


def plain_paragraphs(markdown: str) -> list[str]:
    """The paragraphs of a Markdown cell without its marks; list items are paragraphs of their own."""
    parts = re.split(r"\n\s*\n|\n(?=[-*] )", markdown.strip())
    texts = (_MARKS.sub("", _LINK.sub(r"\1", _BREAK.sub("", part))).replace("\n", " ").strip() for part in parts)
    return [text for text in texts if text]


def refuse_stale(place: Workplace, root: Path) -> None:
    """Refuse findings and figures that are not what the notebooks would make now.

    Raises:
        UserError: an input, a notebook, the package, the findings or a figure is not what it was after the last run;
            or a figure's data do not have the content hash that its pictures carry.
    """
    state = running.State(place.raw, place.out, place.codebook)
    common = {"the package": running.package_hash(state),
              "the libraries": running.digest([running.sys.version, libraries.library_versions()])}
    for notebook in running.order(_notebooks(root)):
        if reason := running.reason_to_run(notebook, state, running.fingerprint(notebook, state, common)):
            raise notebook.error(f"its findings and figures are stale ({reason}); run `make report` or `make kit`")
    for card in declared_cards(place, root):
        data = (place.figures / f"{card['stem']}.csv").read_bytes()
        if content_hash(card, data) != card["content_hash"]:
            raise UserError("its data are not those its pictures were drawn from; let figures.finish alone write them",
                            f"figures/{card['stem']}.csv")


def content_hash(card: Mapping[str, Any], data: bytes) -> str:
    """The hash printed in the pictures of a figure, from its card and its CSV."""
    import hashlib

    identity = json.dumps([card["stem"], card["title"], card["source"]], ensure_ascii=False, sort_keys=True).encode()
    return hashlib.sha256(identity + data).hexdigest()[:8]


# ---- everything -----------------------------------------------------------------------------------------------------


def write_kit(place: Workplace, progress: Callable[[str], None] | None = None, root: Path = ROOT) -> list[Path]:
    """Bring the figures up to date in every size and write the office files.

    Args:
        place: the folders; the tables must be made.
        progress: gets a line for each step.
        root: the project folder, with `notebooks/`.

    Returns:
        Every file of the kit: pictures, data and cards of all figures, the gallery, and the office files.

    Raises:
        UserError: a notebook fails, or a figure was not drawn in a size.
    """
    say = progress or (lambda line: None)
    _forget_incomplete(place, root)
    with _environment({BUILT: "1", SIZES: ",".join(KIT_SIZES)}):
        running.run_notebooks(root, place.raw, place.out, place.codebook, log=say)
    cards = declared_cards(place, root)
    for card in cards:
        if missing := [size for size in KIT_SIZES if size not in card["sizes"]]:
            raise UserError(f"was not drawn as {', '.join(missing)}", f"figures/{card['stem']}")
    say("gallery")
    gallery = figures.write_gallery(place.out)
    pictures = {place.figures / path for card in cards for files in card["files"].values() for path in files.values()}
    _sweep(place, pictures)
    return [*sorted(pictures | {place.figures / f"{card['stem']}.json" for card in cards}), gallery,
            *write_office(place, say, root)]


def _forget_incomplete(place: Workplace, root: Path) -> None:
    """Make the notebooks run again of which a figure has not been drawn in every size."""
    state = running.State(place.raw, place.out, place.codebook)
    for notebook in _notebooks(root):
        for name in filter(running.is_stem, notebook.outputs):
            path = place.out / f"{name}.json"
            if not path.is_file() or not set(KIT_SIZES) <= set(json.loads(path.read_text("utf-8"))["sizes"]):
                state.runs.pop(notebook.name, None)
    state.save()


def _sweep(place: Workplace, pictures: set[Path]) -> None:
    """Delete pictures of other sizes that no card names: figures that are no longer drawn."""
    for size in KIT_SIZES[1:]:
        for path in sorted((place.figures / size).glob("*.*")):
            if path not in pictures and path.suffix[1:] in figures.FORMATS:
                path.unlink()


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def write_office(place: Workplace, progress: Callable[[str], None] | None = None, root: Path = ROOT,
                 chosen: Sequence[str] | None = None) -> list[Path]:
    """Write briefing.pptx, briefing.docx (both also in English) and tables.xlsx to OUT/report.

    Args:
        place, progress, root: as for `write_kit`.
        chosen: the findings that the one-pager is about, by `id`; every headline when None.

    Returns:
        The five files.

    Raises:
        UserError: the findings or figures are stale, or a chosen finding does not exist or says nothing.
    """
    say = progress or (lambda line: None)
    material = Material.read(place, root)
    folder = place.out / "report"
    written = []

    def write(name: str, data: bytes) -> None:
        say(f"report/{name}")
        replace_file(folder / name, lambda temporary: temporary.write_bytes(data))
        written.append(folder / name)

    for lang in LANGS:
        write(FILES[lang]["pptx"], briefing_slides(material, lang))
        write(FILES[lang]["docx"], briefing_sheet(material, lang, chosen))
    write(TABLES_FILE, workbook(material))
    return written


def same_bytes(office_file: bytes) -> bytes:
    """An office file packed anew, so that it depends on its contents alone: members in fixed order, without times."""
    source = zipfile.ZipFile(io.BytesIO(office_file))
    first = {"[Content_Types].xml": 0, "_rels/.rels": 1}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as target:
        for name in sorted(source.namelist(), key=lambda n: (first.get(n, 2), n)):
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            member.create_system, member.external_attr = 3, 0o644 << 16
            member.compress_type = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
            target.writestr(member, source.read(name))
    return buffer.getvalue()


def _plain(text: Any) -> str:
    """Text as an office file may hold it: nothing that acts on the order of writing, nothing XML cannot carry."""
    return display.visible(text).translate({0xFFFE: "\uFFFD", 0xFFFF: "\uFFFD"})


def _set_properties(properties, material: Material, lang: str) -> None:
    """The core properties of a pptx or docx file."""
    words = material.words
    properties.title = _plain(words["title"][lang] + words["colon"][lang] + material.subtitle(lang))
    properties.author = properties.last_modified_by = words["site"][lang]
    properties.subject = _plain(material.corpus_line(lang))
    properties.language = LOCALES[lang]
    properties.keywords = properties.comments = properties.category = ""
    properties.created = properties.modified = properties.last_printed = material.date
    properties.revision = 1


def _badge(material: Material, finding: Mapping[str, Any], lang: str) -> str:
    """How robust a finding is, as a word that no line breaks."""
    badge = finding["badge"]
    return material.say("badge", lang, holds=badge["holds"], of=badge["of"]).replace(" ", "\u00a0")


def _caveats(material: Material, finding: Mapping[str, Any], lang: str) -> str:
    """What must be known with a finding, as one passage; empty when there is nothing."""
    texts = [finding[key][lang] for key in ("detail", "caveat") if finding[key]]
    return material.words["caveat"][lang] + material.words["colon"][lang] + (
        "" if lang == "zh" else " ").join(texts) if texts else ""


_CHINESE_TEXT = re.compile("([\u2e80-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\U00020000-\U0003ffff]+)")


def runs_of(text: str, lang: str) -> list[tuple[str, str]]:
    """A text as runs with the script whose font each is set in: `zh` or `en`. A Chinese text is one run. In an English
    one the Chinese words are runs of their own, so that the quotation marks beside them, which both scripts use, are
    set from the Latin font: in the Chinese one they are a square wide."""
    if lang == "zh":
        return [(text, "zh")]
    pieces = _CHINESE_TEXT.split(text)
    return [(piece, "zh" if i % 2 else "en") for i, piece in enumerate(pieces) if piece] or [("", "en")]


# Of a line's width, in text and in bold: the reader's fonts are not the one it is measured with. Some programs put
# space between Chinese and Latin; and where a machine has no Arial, its stand-in may be as wide as DejaVu Sans.
_SAFETY = {"zh": 0.93, "en": 0.89}
_BOLD_SAFETY = {"zh": 0.9, "en": 0.79}


def fitting_size(texts: Sequence[str], lang: str, width: float, height: float, sizes: Sequence[float],
                 gap: float = 0.0, bold: bool = False) -> float | None:
    """The largest of `sizes` (points, falling) at which paragraphs fit a box of `width` by `height` inches, `gap`
    points apart; None where none does."""
    width *= (_BOLD_SAFETY if bold else _SAFETY)[lang]
    for size in sizes:
        lines = sum(figures.n_lines(text, width, size) for text in texts)
        if lines * size * 1.25 + gap * (len(texts) - 1) <= height * 72:
            return size
    return None


# ---- slides ---------------------------------------------------------------------------------------------------------

_SLIDE_WIDTH, _SLIDE_HEIGHT = 13 + 1 / 3, 7.5
_SCALE = _SLIDE_WIDTH / figures.SIZES["slide"].width
_LEFT = figures._MARGIN * _SCALE
_MEASURE = _SLIDE_WIDTH - 2 * _LEFT


@dataclass(frozen=True)
class _Frame:
    """Where the title, the subtitle, the chart and the source stand in a figure of slide size: inches from its upper
    edge, as `figures.finish` lays them out."""

    title: float
    subtitle: float
    chart: float
    source: float

    @classmethod
    def of(cls, card: Mapping[str, Any], lang: str) -> _Frame:
        size = figures.SIZES["slide"]
        measure = size.width - 2 * figures._MARGIN
        title_pt = figures._TITLE_PT - 1.5
        title = figures._leading(figures.wrap(card["title"][lang], measure, title_pt, serif=True).count("\n") + 1,
                                 title_pt, figures._TITLE_LEADING)
        subtitle = figures._leading(figures.n_lines(card["subtitle"][lang], measure, figures._SUBTITLE_PT),
                                    figures._SUBTITLE_PT, figures._SUBTITLE_LEADING) if card["subtitle"][lang] else 0.0
        mark = {"zh": "风向 #", "en": "Fengxiang #"}[lang] + card["content_hash"]
        source = figures._leading(
            figures.n_lines(WORDS["source"][lang] + card["source"][lang],
                     measure - figures.text_width(mark, figures._SOURCE_PT) - 0.3, figures._SOURCE_PT),
            figures._SOURCE_PT, figures._SOURCE_LEADING)
        return cls(0.12, 0.12 + title + 0.05, 0.12 + title + 0.04 + subtitle + 0.06,
                   size.height - (0.08 + source + 0.14) + 0.03)


def briefing_slides(material: Material, lang: str) -> bytes:
    """The deck in one language: headlines, one slide a figure, methods and limits.

    The picture on a slide is the figure at slide size, cropped to its chart; title, subtitle, source and n stand around
    it as text, where the picture has them.
    """
    from pptx import Presentation

    deck = Presentation()
    _set_up_deck(deck, lang)
    _set_properties(deck.core_properties, material, lang)
    _add_headlines(deck, material, lang)
    names = sheet_names([card["stem"] for card in material.cards])
    for card in material.cards:
        _add_figure(deck, material, card, names[card["stem"]], lang)
    _add_methods(deck, material, lang)
    buffer = io.BytesIO()
    deck.save(buffer)
    return same_bytes(buffer.getvalue())


_THEME_FONT = re.compile(rb"(<a:(?:major|minor)Font>).*?(</a:(?:major|minor)Font>)", re.S)


def _set_up_deck(deck, lang: str) -> None:
    """Widen the default template to 16:9, keep the two layouts that are used, and set its fonts and colours."""
    from pptx.dml.color import RGBColor
    from pptx.opc.constants import RELATIONSHIP_TYPE
    from pptx.util import Emu, Inches, Pt

    factor = Inches(_SLIDE_WIDTH) / deck.slide_width
    deck.slide_width, deck.slide_height = Inches(_SLIDE_WIDTH), Inches(_SLIDE_HEIGHT)
    master = deck.slide_master
    for layout in list(deck.slide_layouts):
        if layout.name not in ("Title and Content", "Title Only"):
            deck.slide_layouts.remove(layout)
    for part in (master, *deck.slide_layouts):
        for shape in part.placeholders:
            if shape._element.spPr.find("{*}xfrm") is not None:
                shape.left, shape.width = Emu(round(shape.left * factor)), Emu(round(shape.width * factor))
    background = master.background.fill
    background.solid()
    background.fore_color.rgb = RGBColor.from_string(figures.PAPER[1:])
    for shape in master.placeholders:
        if shape.placeholder_format.idx == 0:
            shape.left, shape.top = Inches(_LEFT), Inches(0.2)
            shape.width, shape.height = Inches(_MEASURE), Inches(0.9)
            _set_box(shape.text_frame)
        elif shape.placeholder_format.idx == 1:
            shape.left, shape.top = Inches(_LEFT), Inches(1.5)
            shape.width, shape.height = Inches(_MEASURE), Inches(5.4)
            _set_box(shape.text_frame)
    for style, size, colour in (("titleStyle", 26, "111111"), ("bodyStyle", 16, figures.INK[1:])):
        for level in master._element.find(f".//{{*}}{style}"):
            level.set("algn", "l")
            run = level.find("{*}defRPr")
            if run is None:
                continue
            run.set("sz", str(Pt(size).centipoints))
            for fill in run.findall("{*}solidFill"):
                for old in list(fill):
                    fill.remove(old)
                fill.append(fill.makeelement(fill.tag.replace("solidFill", "srgbClr"), {"val": colour}))
    for relation in master.part.rels.values():
        if relation.reltype == RELATIONSHIP_TYPE.THEME:
            theme = relation.target_part
            theme._blob = _THEME_FONT.sub(
                lambda m: m[1] + (f'<a:latin typeface="{LATIN}"/><a:ea typeface="{CHINESE}"/><a:cs typeface=""/>'
                                  f'<a:font script="Hans" typeface="{CHINESE}"/>').encode() + m[2], theme.blob)


def _set_box(frame) -> None:
    """A text frame without inner margins, its text at the top, that wraps."""
    from pptx.enum.text import MSO_ANCHOR, MSO_AUTO_SIZE

    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    frame.word_wrap, frame.vertical_anchor, frame.auto_size = True, MSO_ANCHOR.TOP, MSO_AUTO_SIZE.NONE


def _add_text(paragraph, text: str, lang: str, size: float | None = None, colour: str | None = None,
              bold: bool | None = None) -> None:
    """Text with its language and its fonts named, so that every system picks a font that has the characters. A
    Chinese word in English is not broken where the program can keep it whole."""
    from pptx.dml.color import RGBColor
    from pptx.util import Pt

    if lang == "en":
        paragraph._p.get_or_add_pPr().set("eaLnBrk", "0")
    for piece, script in runs_of(_plain(text), lang):
        run = paragraph.add_run()
        run.text = piece
        properties = run._r.get_or_add_rPr()
        properties.set("lang", LOCALES[script])
        if script == "zh":
            properties.set("altLang", LOCALES["en"])
        if size:
            run.font.size = Pt(size)
        if colour:
            run.font.color.rgb = RGBColor.from_string(colour[1:])
        if bold is not None:
            run.font.bold = bold
        for tag, face in (("latin", LATIN), ("ea", CHINESE if script == "zh" else LATIN)):
            font = properties.makeelement(f"{{http://schemas.openxmlformats.org/drawingml/2006/main}}{tag}",
                                          {"typeface": face})
            properties.append(font)


def _add_box(slide, name: str, left: float, top: float, width: float, height: float):
    """A text box; inches."""
    from pptx.util import Inches

    box = slide.shapes.add_textbox(Inches(left), Inches(top), Inches(width), Inches(height))
    box.name = name
    _set_box(box.text_frame)
    return box.text_frame


def _new_slide(deck, layout: str, title: str, lang: str, top: float, height: float, largest: float = 26):
    from pptx.util import Inches

    slide = deck.slides.add_slide(next(found for found in deck.slide_layouts if found.name == layout))
    shape = slide.shapes.title
    shape.left, shape.top, shape.width, shape.height = map(Inches, (_LEFT, top, _MEASURE, height))
    _set_box(shape.text_frame)
    sizes = [largest - i for i in range(int(largest) - 11)]
    size = fitting_size([title], lang, _MEASURE, height, sizes, bold=True) or 12
    _add_text(shape.text_frame.paragraphs[0], title, lang, size, "#111111", True)
    return slide


def _add_number(deck, slide) -> None:
    """The slide's number at its lower right, as a field."""
    from pptx.enum.text import PP_ALIGN
    from pptx.oxml import parse_xml

    frame = _add_box(slide, "Slide number", _SLIDE_WIDTH - _LEFT - 0.6, 7.1, 0.6, 0.22)
    paragraph = frame.paragraphs[0]
    paragraph.alignment = PP_ALIGN.RIGHT
    paragraph._p.append(parse_xml(
        '<a:fld xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
        'id="{00000000-0000-4000-8000-000000000001}" type="slidenum"><a:rPr lang="en-GB" sz="1000"><a:solidFill>'
        f'<a:srgbClr val="{figures.QUIET_INK[1:]}"/></a:solidFill></a:rPr><a:t>{len(deck.slides)}</a:t></a:fld>'))


def _set_notes(slide, lines: Sequence[str], lang: str) -> None:
    frame = slide.notes_slide.notes_text_frame
    for i, line in enumerate(lines):
        _add_text(frame.paragraphs[0] if i == 0 else frame.add_paragraph(), line, lang)


_MOST_ON_SLIDE = 4  # findings
_BODY_TOP, _BODY_HEIGHT = 1.45, 5.3
_HEADLINE_SIZES = (22, 21, 20, 19, 18)
_LAST_SIZES = (17, 16, 15, 14, 13, 12)  # for a finding that fills a slide alone
_FINDING_GAP, _CAVEAT_GAP = 10, 2  # points, below a finding with what must be known with it and between the two


def _caveat_size(size: float) -> float:
    return min(size, max(18, size - 3))


def headline_pages(material: Material) -> tuple[list[list[dict]], dict[str, float]]:
    """The findings of each opening slide, the same in both languages, and the size of type of each language in points:
    at most four a slide and as few slides as the findings and what must be known with them fill in type of 18 points
    or more. Only a finding too long for a slide of its own is set smaller."""
    findings = material.headlines()

    def height(page: Sequence[Mapping], lang: str, size: float) -> float:
        measure, points = (_MEASURE - 0.3) * _SAFETY[lang], 0.0
        for finding in page:
            points += figures.n_lines(_headline(material, finding, lang), measure, size) * size * 1.25 + _FINDING_GAP
            if caveat := _caveats(material, finding, lang):
                small = _caveat_size(size)
                points += figures.n_lines(caveat, measure, small) * small * 1.25 + _CAVEAT_GAP
        return points - _FINDING_GAP

    pages, sizes = [findings], {}
    for n_pages in range(max(1, -(-len(findings) // _MOST_ON_SLIDE)), max(1, len(findings)) + 1):
        ends = [round(len(findings) * (i + 1) / n_pages) for i in range(n_pages)]
        pages = [findings[a:b] for a, b in zip([0, *ends], ends, strict=False)]
        choice = _HEADLINE_SIZES + (_LAST_SIZES if n_pages >= len(findings) else ())
        sizes = {lang: next((size for size in choice
                             if all(height(page, lang, size) <= _BODY_HEIGHT * 72 for page in pages)), None)
                 for lang in LANGS}
        if all(sizes.values()):
            break
    return pages, {lang: size or _LAST_SIZES[-1] for lang, size in sizes.items()}


def _headline(material: Material, finding: Mapping[str, Any], lang: str) -> str:
    return finding[lang] + material.words["bracket"][lang].format(_badge(material, finding, lang))


def _add_headlines(deck, material: Material, lang: str) -> None:
    """The opening: what the report is, and its headlines with their badges and cautions, on as many slides as they
    need."""
    pages, sizes = headline_pages(material)
    for number, page in enumerate(pages):
        title = material.words["title"][lang] if number == 0 else material.words["more"][lang]
        slide = _new_slide(deck, "Title and Content", title, lang, 0.3, 0.6, 30)
        frame = _add_box(slide, "Subtitle", _LEFT, 0.98, _MEASURE, 0.34)
        line = material.subtitle(lang) + material.words["separator"][lang] + material.corpus_line(lang)
        _add_text(frame.paragraphs[0], line, lang, fitting_size([line], lang, _MEASURE, 0.34, (15, 14, 13, 12)) or 11,
                  figures.SOFT_INK)
        texts = [_headline(material, finding, lang) for finding in page]
        caveats = [_caveats(material, finding, lang) for finding in page]
        _fill_body(slide, texts, lang, _BODY_TOP, _BODY_HEIGHT, sizes[lang], _FINDING_GAP, caveats)
        if page:
            line = WORDS["robust"][lang]
            frame = _add_box(slide, "Robustness", _LEFT, 6.84, _MEASURE - 0.7, 0.3)
            _add_text(frame.paragraphs[0], line, lang,
                      fitting_size([line], lang, _MEASURE - 0.7, 0.3, (14, 13, 12, 11)) or 10, figures.SOFT_INK)
        _add_number(deck, slide)
        notes = [material.words["findings"][lang],
                 *(_joined(pair, lang) for pair in zip(texts, caveats, strict=True)),
                 WORDS["limited"][lang] + _joined(material.sections["limits"][lang], lang),
                 material.say("whole", lang, corpus=material.corpus_line(lang))]
        _set_notes(slide, notes, lang)


def _joined(paragraphs: Sequence[str], lang: str) -> str:
    return ("" if lang == "zh" else " ").join(filter(None, paragraphs))


def _fill_body(slide, texts: Sequence[str], lang: str, top: float, height: float, size: float, gap: float,
               notes: Sequence[str] = ()) -> None:
    """The body placeholder of a slide with one bulleted paragraph a text, and below it, without a bullet, its note."""
    from pptx.util import Inches, Pt

    body = slide.placeholders[1]
    body.left, body.top, body.width, body.height = map(Inches, (_LEFT, top, _MEASURE, height))
    _set_box(body.text_frame)
    for i, text in enumerate(texts):
        note = notes[i] if notes else ""
        paragraph = body.text_frame.paragraphs[0] if i == 0 else body.text_frame.add_paragraph()
        properties = paragraph._p.get_or_add_pPr()
        properties.set("marL", str(Inches(0.3)))
        properties.set("indent", str(-Inches(0.3)))
        paragraph.space_before, paragraph.line_spacing = Pt(0), Pt(size * 1.25)
        paragraph.space_after = Pt(_CAVEAT_GAP if note else gap)
        _add_text(paragraph, text, lang, size, figures.INK)
        if note:
            small = _caveat_size(size)
            paragraph = body.text_frame.add_paragraph()
            properties = paragraph._p.get_or_add_pPr()
            properties.set("marL", str(Inches(0.3)))
            properties.set("indent", "0")
            paragraph.space_before, paragraph.space_after, paragraph.line_spacing = Pt(0), Pt(gap), Pt(small * 1.25)
            properties.append(properties.makeelement(
                "{http://schemas.openxmlformats.org/drawingml/2006/main}buNone", {}))
            _add_text(paragraph, note, lang, small, figures.SOFT_INK)


def _add_figure(deck, material: Material, card: Mapping[str, Any], sheet: str, lang: str) -> None:
    from pptx.util import Inches

    frame, words = _Frame.of(card, lang), material.words
    slide = _new_slide(deck, "Title Only", card["title"][lang], lang, frame.title * _SCALE,
                       (frame.subtitle - frame.title) * _SCALE, 25)
    if card["subtitle"][lang]:
        height = (frame.chart - frame.subtitle) * _SCALE
        text = _add_box(slide, "Subtitle", _LEFT, frame.subtitle * _SCALE, _MEASURE, height)
        size = fitting_size([card["subtitle"][lang]], lang, _MEASURE, height, (15, 14, 13, 12, 11)) or 10
        _add_text(text.paragraphs[0], card["subtitle"][lang], lang, size, figures.SOFT_INK)
    picture = slide.shapes.add_picture(str(material.place.figures / card["files"][lang]["slide.png"]), 0,
                                       Inches(frame.chart * _SCALE), Inches(_SLIDE_WIDTH), Inches(_SLIDE_HEIGHT))
    height = figures.SIZES["slide"].height
    picture.crop_top, picture.crop_bottom = frame.chart / height, 1 - frame.source / height
    picture.height = Inches((frame.source - frame.chart) * _SCALE)
    picture.name = card["stem"]
    properties = picture._element.nvPicPr.cNvPr
    properties.set("descr", _plain(card["alt"][lang]))
    properties.set("title", _plain(card["title"][lang]))

    period = "" if not card["period"].strip("–-—") else card["period"].replace("–", words["range"][lang]) \
        + ("年" if lang == "zh" else "")
    line = words["separator"][lang].join(filter(None, [
        words["source"][lang] + card["source"][lang], f"n = {card['n']:,}", period,
        f"{words['site'][lang]} #{card['content_hash']}", card["licence"]]))
    top = max(frame.source * _SCALE + 0.06, _SLIDE_HEIGHT - 0.52)
    text = _add_box(slide, "Source", _LEFT, top, _MEASURE - 0.7, _SLIDE_HEIGHT - 0.12 - top)
    size = fitting_size([line], lang, _MEASURE - 0.7, _SLIDE_HEIGHT - 0.12 - top, (12, 11, 10, 9)) or 8
    _add_text(text.paragraphs[0], line, lang, size, figures.QUIET_INK)
    _add_number(deck, slide)

    notes = [WORDS["read"][lang] + card["how_to_read"][lang]]
    for finding in material.of_figure(card):
        badge = words["bracket"][lang].format(_badge(material, finding, lang))
        notes.append(WORDS["finding"][lang] + _joined([finding[lang] + badge, _caveats(material, finding, lang)], lang))
    notes += [WORDS["source"][lang] + card["source"][lang] + words["separator"][lang] + f"n = {card['n']:,}",
              WORDS["limited"][lang] + _joined(material.sections["limits"][lang], lang),
              WORDS["data"][lang].format(file=TABLES_FILE, sheet=sheet, stem=card["stem"]),
              WORDS["cite"][lang] + card["citation"][lang]]
    _set_notes(slide, notes, lang)


def _add_methods(deck, material: Material, lang: str) -> None:
    from .findings import RULES

    words = material.words
    colon = words["colon"][lang]
    texts = [words["methods"][lang] + colon + _joined(material.sections["methods"][lang], lang),
             WORDS["rules"][lang] + colon + RULES[lang],
             WORDS["limited"][lang] + _joined(material.sections["limits"][lang], lang),
             WORDS["source"][lang] + material.say("whole", lang, corpus=material.corpus_line(lang)),
             material.say("licence", lang, licence=figures.LICENCE)]
    slide = _new_slide(deck, "Title and Content", WORDS["methods_and_limits"][lang], lang, 0.3, 0.6, 30)
    height, gap = 5.7, 9
    size = fitting_size(texts, lang, _MEASURE - 0.3, height, (18, 17, 16, 15, 14, 13, 12), gap) or 11
    _fill_body(slide, texts, lang, 1.2, height, size, gap)
    _add_number(deck, slide)
    _set_notes(slide, texts, lang)


# ---- one-pager ------------------------------------------------------------------------------------------------------

_SHEET_WIDTH_CM, _SHEET_HEIGHT_CM = 21.0, 29.7
_SHEET_MARGIN_CM, _SHEET_HEAD_CM = 2.0, 1.6  # at the sides; at the head and the foot
_COLUMN_CM = _SHEET_WIDTH_CM - 2 * _SHEET_MARGIN_CM
_PAGE_PT = (_SHEET_HEIGHT_CM - 2 * _SHEET_HEAD_CM) / 2.54 * 72
_PICTURE_GAP_PT = 26.0  # what stands above and below a picture and its caption
_PICTURE_SIZES = ("half", "slide")  # in the order of preference: the type of the first is as large as the text
_TITLE_PT, _HEADING_PT, _SUBTITLE_PT, _BODY_PT, _SMALL_PT = 22, 12.5, 10, 10.5, 9.0
_BODY_LEADING, _SMALL_LEADING = 16.0, 13.0  # points: exact, since Chinese fonts differ widely in their own leading
_HEADING_HEIGHT = round(_HEADING_PT * 1.4) + 6 + 3


@dataclass(frozen=True)
class Sheet:
    """What the one-pager holds, in both languages.

    Attributes:
        findings: those that stand on it, in the order of the report.
        n_left_out: how many findings there is no room for.
        card, size: the figure, and the size in which it is drawn; None and empty where there is none.
        n_cited: how many cited articles are named.
    """

    findings: list[dict]
    n_left_out: int
    card: dict | None
    size: str
    n_cited: int


def plan_sheet(material: Material, chosen: Sequence[str] | None = None) -> Sheet:
    """What the one-pager holds: the first findings of those chosen, as many as fit its first page in both languages;
    the figure of the first of them that is shown by its figure and named in the picture, as wide as the text; and the
    sources. Cited articles are left off where the sheet would not fit one page or, failing that, two.

    Raises:
        UserError: a chosen finding does not exist or says nothing.
    """
    findings = _chosen(material, chosen)
    shown = min(_n_fitting(material, findings, lang) for lang in LANGS)
    card, size = _picture(material, findings[:shown])
    articles = {lang: _cited_articles(material, findings[:shown], lang) for lang in LANGS}

    def fits(n_cited: int, one_page: bool) -> bool:
        front = {lang: _front_height(material, findings[:shown], len(findings) - shown, lang) for lang in LANGS}
        return all(_back_height(material, card, size, articles[lang][:n_cited], lang) + one_page * front[lang]
                   <= _PAGE_PT for lang in LANGS)

    counts = range(len(articles[LANGS[0]]), -1, -1)
    n_cited = next((n for one_page in (True, False) for n in counts if fits(n, one_page)), 0)
    return Sheet(findings[:shown], len(findings) - shown, card, size, n_cited)


def _picture(material: Material, findings: Sequence[Mapping]) -> tuple[dict | None, str]:
    """The figure and the size for the one-pager: for the first finding whose picture names what it is about; else
    the first figure there is."""
    cards = {card["stem"]: card for card in material.cards}
    for finding in findings:
        card = cards.get(finding["figure"])
        if card and material.shows(card, finding):
            for size in _PICTURE_SIZES:
                if material.pictured(card, finding, size):
                    return card, size
    return (material.cards[0], _PICTURE_SIZES[0]) if material.cards else (None, "")


def _head_height(material: Material, lang: str) -> float:
    """Points that the title, the subtitle and the first heading take."""
    measure = _COLUMN_CM / 2.54
    return (figures.n_lines(material.words["title"][lang], measure * _BOLD_SAFETY[lang], _TITLE_PT)
            * round(_TITLE_PT * 1.4) + 2
            + figures.n_lines(_sheet_subtitle(material, lang), measure * _SAFETY[lang], _SUBTITLE_PT)
            * round(_SUBTITLE_PT * 1.4) + 6 + _HEADING_HEIGHT)


def _sheet_subtitle(material: Material, lang: str) -> str:
    return material.subtitle(lang) + material.words["separator"][lang] + material.corpus_line(lang)


def _small_height(text: str, lang: str, column_cm: float = _COLUMN_CM) -> float:
    """Points that a paragraph of the small print takes."""
    return figures.n_lines(text, column_cm / 2.54 * _SAFETY[lang], _SMALL_PT) * _SMALL_LEADING + 3


def _finding_height(material: Material, finding: Mapping, lang: str) -> float:
    column = _COLUMN_CM - 0.635
    text = figures.n_lines(_headline(material, finding, lang), column / 2.54 * _SAFETY[lang], _BODY_PT) * _BODY_LEADING
    caveat = _caveats(material, finding, lang)
    return text + 6 + (_small_height(caveat, lang, column) - 2 if caveat else 0)


def _foot(material: Material, n_left_out: int, lang: str) -> list[str]:
    """What stands in small print below the findings."""
    return [WORDS["robust"][lang], *([material.say("left_out", lang, n=n_left_out)] if n_left_out else [])]


def _front_height(material: Material, findings: Sequence[Mapping], n_left_out: int, lang: str) -> float:
    return (_head_height(material, lang) + sum(_finding_height(material, f, lang) for f in findings)
            + sum(_small_height(text, lang) for text in _foot(material, n_left_out, lang)))


def _n_fitting(material: Material, findings: Sequence[Mapping], lang: str) -> int:
    """How many findings fit the first page, one at least where there is one."""
    for n in range(len(findings), 1, -1):
        if _front_height(material, findings[:n], len(findings) - n, lang) <= _PAGE_PT:
            return n
    return min(1, len(findings))


def _closing(material: Material, cited: Sequence[str], lang: str) -> list[str]:
    """The paragraphs of the sources."""
    texts = [material.say("whole", lang, corpus=material.corpus_line(lang)),
             WORDS["limited"][lang] + _joined(material.sections["limits"][lang], lang),
             material.say("licence", lang, licence=figures.LICENCE)]
    if cited:
        texts.insert(1, WORDS["basis"][lang] + ("；" if lang == "zh" else "; ").join(cited)
                     + material.words["stop"][lang])
    return texts


def _back_height(material: Material, card: Mapping | None, size: str, cited: Sequence[str], lang: str) -> float:
    points = _HEADING_HEIGHT + sum(_small_height(text, lang) for text in _closing(material, cited, lang))
    if card:
        sheet = figures.SIZES[size]
        points += _COLUMN_CM / 2.54 * 72 * sheet.height / sheet.width + _PICTURE_GAP_PT
        points += _small_height(WORDS["read"][lang] + card["how_to_read"][lang], lang)
    return points


def briefing_sheet(material: Material, lang: str, chosen: Sequence[str] | None = None) -> bytes:
    """The one-pager in one language, A4, on one page or two: what `plan_sheet` chose for both languages. How many
    findings are left out is said.

    Raises:
        UserError: a chosen finding does not exist or says nothing.
    """
    from docx import Document
    from docx.shared import Cm, Pt

    words = material.words
    plan = plan_sheet(material, chosen)
    document = Document()
    _set_up_sheet(document, lang)
    _set_properties(document.core_properties, material, lang)

    _write(document.add_paragraph(style="Title"), words["title"][lang], lang)
    _write(document.add_paragraph(style="Subtitle"), _sheet_subtitle(material, lang), lang)
    _write(document.add_paragraph(style="Heading 1"), WORDS["findings"][lang], lang)
    for finding in plan.findings:
        caveat = _caveats(material, finding, lang)
        paragraph = document.add_paragraph(style="List Number")
        paragraph.paragraph_format.space_after = Pt(1 if caveat else 6)
        paragraph.paragraph_format.keep_with_next = bool(caveat)
        paragraph.paragraph_format.keep_together = True
        _write(paragraph, finding[lang], lang)
        _write(paragraph, words["bracket"][lang].format(_badge(material, finding, lang)), lang, size=_SMALL_PT,
               colour=GOOD, bold=True)
        if caveat:
            paragraph = _add_small(document, caveat, lang)
            paragraph.paragraph_format.left_indent = Cm(0.63)
            paragraph.paragraph_format.space_after = Pt(6)
            paragraph.paragraph_format.keep_together = True
    for text in _foot(material, plan.n_left_out, lang):
        _add_small(document, text, lang)
    if plan.card:
        _add_picture(document, material, plan.card, plan.size, lang)
    _write(document.add_paragraph(style="Heading 1"), WORDS["sources"][lang], lang)
    for text in _closing(material, _cited_articles(material, plan.findings, lang)[:plan.n_cited], lang):
        _add_small(document, text, lang)
    buffer = io.BytesIO()
    document.save(buffer)
    return same_bytes(buffer.getvalue())


def _add_small(document, text: str, lang: str):
    """A paragraph of the small print."""
    from docx.shared import Pt

    paragraph = document.add_paragraph()
    paragraph.paragraph_format.line_spacing, paragraph.paragraph_format.space_after = Pt(_SMALL_LEADING), Pt(3)
    _write(paragraph, text, lang, size=_SMALL_PT, colour=figures.SOFT_INK)
    return paragraph


def _chosen(material: Material, chosen: Sequence[str] | None) -> list[dict]:
    headlines = {f["id"]: f for f in material.headlines()}
    if chosen is None:
        return list(headlines.values())
    for name in chosen:
        if name not in headlines:
            raise UserError(f"there is no finding “{name}” that says something; there are: {', '.join(headlines)}",
                            "findings.csv")
    return [headlines[name] for name in chosen]


def _cited_articles(material: Material, findings: Sequence[Mapping], lang: str) -> list[str]:
    """The first articles that the findings cite, each once, as a list of sources names them."""
    ids: list[str] = []
    depth = max((len(f["evidence"]) for f in findings), default=0)
    for i in range(depth):
        ids += [f["evidence"][i].rpartition("-")[0] for f in findings if i < len(f["evidence"])]
    out = []
    for article_id in dict.fromkeys(ids):
        article = material.corpus.articles.get(article_id)
        if article and article["title"] and len(out) < N_CITED:
            publisher = article["publisher"] or WORDS["unknown_publisher"][lang]
            date = article["date"] or ""
            out.append(f"《{article['title']}》，{publisher}" + (f"，{date}" if date else "") if lang == "zh" else
                       f"“{article['title']}”, {publisher}" + (f", {date}" if date else ""))
    return out


def _set_up_sheet(document, lang: str) -> None:
    from docx.enum.style import WD_STYLE_TYPE
    from docx.oxml.ns import qn
    from docx.shared import Cm, Pt, RGBColor

    section = document.sections[0]
    section.page_width, section.page_height = Cm(_SHEET_WIDTH_CM), Cm(_SHEET_HEIGHT_CM)
    section.left_margin = section.right_margin = Cm(_SHEET_MARGIN_CM)
    section.top_margin = section.bottom_margin = Cm(_SHEET_HEAD_CM)
    look = {"Normal": (_BODY_PT, figures.INK, False, 0, 4), "Title": (_TITLE_PT, "#111111", True, 0, 2),
            "Subtitle": (_SUBTITLE_PT, figures.SOFT_INK, False, 0, 6), "Heading 1": (_HEADING_PT, ACCENT, True, 6, 3),
            "List Number": (_BODY_PT, figures.INK, False, 0, 6), "Caption": (_SMALL_PT, figures.SOFT_INK, False, 2, 8)}
    for name, (size, colour, bold, before, after) in look.items():
        style = document.styles[name]
        if style.type != WD_STYLE_TYPE.PARAGRAPH:
            raise ValueError(name)
        style.font.size, style.font.bold, style.font.italic = Pt(size), bold, False
        style.font.color.rgb = RGBColor.from_string(colour[1:])
        style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(before), Pt(after)
        style.paragraph_format.line_spacing = Pt({_BODY_PT: _BODY_LEADING, _SMALL_PT: _SMALL_LEADING}.get(
            size, round(size * 1.4)))
        properties = style.element.get_or_add_rPr()
        fonts = properties.get_or_add_rFonts()
        for attribute in list(fonts.attrib):
            del fonts.attrib[attribute]
        for attribute, face in (("ascii", LATIN), ("hAnsi", LATIN), ("cs", LATIN), ("eastAsia", CHINESE)):
            fonts.set(qn(f"w:{attribute}"), face)
        for spacing in properties.findall(qn("w:spacing")):
            properties.remove(spacing)
        for tag in ("w:pBdr", "w:contextualSpacing"):  # the rule below the title, the gap between items
            for element in list(style.element.iter(qn(tag))):
                element.getparent().remove(element)
    for language in document.styles.element.iter(qn("w:lang")):
        language.set(qn("w:val"), LOCALES["en"])
        language.set(qn("w:eastAsia"), LOCALES["zh"])


def _write(paragraph, text: str, lang: str, size: float | None = None, colour: str | None = None,
           bold: bool | None = None) -> None:
    """Text of the one-pager: marks that both scripts use are set from the font of the text's language."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    if lang == "en":  # no programs' own space between a quotation mark and the Chinese word it opens or closes
        for tag in ("w:autoSpaceDE", "w:autoSpaceDN"):
            if paragraph._p.get_or_add_pPr().find(qn(tag)) is None:
                element = OxmlElement(tag)
                element.set(qn("w:val"), "0")
                paragraph._p.pPr.insert_element_before(
                    element, *_AFTER_SPACING[_AFTER_SPACING.index(tag) + 1:])
    for piece, script in runs_of(_plain(text), lang):
        run = paragraph.add_run(piece)
        properties = run._r.get_or_add_rPr()
        fonts = properties.get_or_add_rFonts()
        fonts.set(qn("w:eastAsia"), CHINESE if script == "zh" else LATIN)
        if script == "zh":
            fonts.set(qn("w:hint"), "eastAsia")
        if size:
            run.font.size = Pt(size)
        if colour:
            run.font.color.rgb = RGBColor.from_string(colour[1:])
        if bold is not None:
            run.font.bold = bold
        language = OxmlElement("w:lang")
        language.set(qn("w:val"), LOCALES[lang])
        language.set(qn("w:eastAsia"), LOCALES[script])
        properties.append(language)


# The schema's order of what may follow in a paragraph's properties.
_AFTER_SPACING = ("w:autoSpaceDE", "w:autoSpaceDN", "w:bidi", "w:adjustRightInd", "w:snapToGrid", "w:spacing", "w:ind",
                  "w:contextualSpacing", "w:mirrorIndents", "w:suppressOverlap", "w:jc", "w:textDirection",
                  "w:textAlignment", "w:textboxTightWrap", "w:outlineLvl", "w:divId", "w:cnfStyle", "w:rPr",
                  "w:sectPr", "w:pPrChange")


def _add_picture(document, material: Material, card: Mapping, size: str, lang: str) -> None:
    """A figure as wide as the text, with how to read it, on one page."""
    from docx.shared import Cm, Pt

    paragraph = document.add_paragraph()
    paragraph.paragraph_format.line_spacing = 1.0  # an exact one would cut the picture off
    paragraph.paragraph_format.space_before = Pt(6)
    paragraph.paragraph_format.keep_with_next = True
    picture = paragraph.add_run().add_picture(str(material.place.figures / card["files"][lang][f"{size}.png"]),
                                              width=Cm(_COLUMN_CM))
    for side in "TBLR":  # without them, LibreOffice keeps a third of a centimetre free at its sides
        picture._inline.set(f"dist{side}", "0")
    properties = picture._inline.docPr
    properties.set("descr", _plain(card["alt"][lang]))
    properties.set("title", _plain(card["title"][lang]))
    properties.set("name", card["stem"])
    caption = document.add_paragraph(style="Caption")
    caption.paragraph_format.keep_together = True
    _write(caption, WORDS["read"][lang] + card["how_to_read"][lang], lang)


# ---- workbook -------------------------------------------------------------------------------------------------------


def sheet_names(stems: Sequence[str]) -> dict[str, str]:
    """A sheet name for each stem: itself, or its beginning and a number where it is too long for a spreadsheet."""
    names: dict[str, str] = {}
    for stem in stems:
        name, number = stem[:MAX_SHEET_NAME], 1
        while name in names.values() or name == "history":  # a name spreadsheets keep for themselves
            number += 1
            name = f"{stem[:MAX_SHEET_NAME - len(str(number)) - 1]}_{number}"
        names[stem] = name
    return names


def workbook(material: Material) -> bytes:
    """tables.xlsx, one for both languages: an index, one sheet a figure with its plotted data, and a dictionary of
    every column. Years that stand for all years or for none are words, and every region has its English name. All
    texts are written as texts: nothing in the file can act as a formula."""
    from xlsxwriter import Workbook

    from .tables import column_dictionary

    buffer = io.BytesIO()
    book = Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
                             "strings_to_numbers": False, "default_date_format": "yyyy-mm-dd",
                             "default_format_properties": {"font_name": CHINESE, "font_size": 10}})
    book.set_properties({"title": _plain(material.words["title"]["zh"]), "author": material.words["site"]["zh"],
                         "comments": "", "created": material.date})
    formats = _Formats(book)
    names = sheet_names([card["stem"] for card in material.cards])
    index = book.add_worksheet("目录 Index")
    _fill(index, formats,
          ["工作表\nSheet", "标题", "Title", "单位\nUnit", "n", "年度\nYears", "来源", "Source", "编号\nHash"],
          [[names[c["stem"]], c["title"]["zh"], c["title"]["en"], _both(c["unit"]), c["n"],
            c["period"] if c["period"].strip("–-—") else None,
            c["source"]["zh"], c["source"]["en"], c["content_hash"]] for c in material.cards],
          number_formats={4: "#,##0"}, links={0}, widest=30)
    dictionary = []
    for card in material.cards:
        sheet = book.add_worksheet(names[card["stem"]])
        columns, rows, texts = sheet_table(material, card)
        heads = ["\n".join(_with_unit(t[lang], unit_in(t.get("unit"), lang)) for lang in LANGS) for t in texts]
        _fill(sheet, formats, heads, rows, number_formats={
            i: number_format(name, text.get("unit"), [row[i] for row in rows])
            for i, (name, text) in enumerate(zip(columns, texts, strict=True))})
        plotted = material.plotted(card["stem"])[0]
        for name, t in zip(columns, texts, strict=True):
            note = ALL_YEARS_NOTE if _is_year(name) else ONLY_HERE_NOTE if name not in plotted else {}
            dictionary.append([names[card["stem"]], name, t.get("unit", ""),
                               *(t[lang] + note.get(lang, "") for lang in LANGS)])
    dictionary += column_dictionary().values.tolist()
    _fill(book.add_worksheet("字典 Dictionary"), formats,
          ["表\nTable", "列\nColumn", "单位或类型\nUnit or type", "含义", "Meaning"], dictionary)
    book.close()
    return same_bytes(buffer.getvalue())


YEAR_WORDS = {ALL_YEARS: "全部年份 All years", UNKNOWN_YEAR: "年份不详 Unknown"}
ALL_YEARS_NOTE = {"zh": f"（“全部年份”在CSV中记作{ALL_YEARS}，“年份不详”记作{UNKNOWN_YEAR}）",
                  "en": f" (“All years” is {ALL_YEARS} in the CSV, “Unknown” is {UNKNOWN_YEAR})"}
ONLY_HERE_NOTE = {"zh": "（只在本工作簿，CSV中没有此列）", "en": " (in this workbook only, not in the CSV)"}
_ALL_YEARS_IN_HEAD = re.compile(rf"\s*[（(]{ALL_YEARS}[^（）()]*[）)]")  # what the words in the cells make needless


def _is_year(name: str) -> bool:
    return name == "year"


def sheet_table(material: Material, card: Mapping[str, Any]) -> tuple[list[str], list[list[Any]], list[dict]]:
    """The columns, rows and headings of a figure's sheet: its plotted data, with words for the years that are none
    and, where names of regions are plotted in Chinese only, the English ones beside them."""
    columns, rows = material.plotted(card["stem"])
    columns, rows = list(columns), [list(row) for row in rows]
    texts = [dict(card["columns"].get(column, {"zh": column, "en": column})) for column in columns]
    for i, name in enumerate(columns):
        if _is_year(name):
            for row in rows:
                row[i] = YEAR_WORDS.get(row[i], row[i])
            for lang in LANGS:
                texts[i][lang] = _ALL_YEARS_IN_HEAD.sub("", texts[i][lang])
    regions = {*material.names.regions, "all", "none"}
    for name in [name for i, name in enumerate(columns)
                 if f"{name}_en" not in columns
                 and (name == "region" or (rows and {row[i] for row in rows} <= regions))]:
        at = columns.index(name) + 1
        for row in rows:
            row.insert(at, None if row[at - 1] is None else material.names.region(row[at - 1], "en"))
        columns.insert(at, f"{name}_en")
        texts.insert(at, {"zh": f"{texts[at - 1]['zh']}英文名", "en": f"{texts[at - 1]['en']} in English"})
    return columns, rows, texts


def _both(texts: Mapping[str, str]) -> str:
    return texts["zh"] if texts["zh"] == texts["en"] else f"{texts['zh']} {texts['en']}"


def _with_unit(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name


def unit_in(unit: str | None, lang: str) -> str:
    """A column's unit for a heading in one language: of “天 days” the word in it; an English heading, which names what
    is counted, does without a Chinese measure word."""
    words = (unit or "").split(" ")
    chinese = [word for word in words if _CHINESE_TEXT.search(word)]
    return " ".join(chinese or words if lang == "zh" else [word for word in words if word not in chinese])


_FORMULA = set("=+-@＝＋－＠")


def read_plotted(path: Path) -> tuple[list[str], list[list[Any]]]:
    """The columns and rows of a figure's CSV. A column is of numbers when every filled cell of it is one, written as
    numbers are; the apostrophe that guards a text in a CSV goes, since a cell of a workbook knows that it is text."""
    reader = csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline=""))
    columns = next(reader)
    texts = list(reader)
    numeric = [all(_number(row[i]) is not None for row in texts if row[i]) for i in range(len(columns))]
    return columns, [[None if not cell else _number(cell) if numeric[i] else _unguarded(cell)
                      for i, cell in enumerate(row)] for row in texts]


def _number(text: str) -> int | float | None:
    if not re.fullmatch(r"-?(?:0|[1-9]\d{0,14})(?:\.\d+)?(?:e[-+]?\d{1,3})?", text):
        return None
    value = float(text)
    return int(text) if text.lstrip("-").isdigit() else value if math.isfinite(value) else None


def _unguarded(text: str) -> str:
    return text[1:] if text[0] == "'" and text[1:].lstrip(" \t\n\u3000")[:1] in _FORMULA else text


def number_format(name: str, unit: str | None, values: Sequence[Any]) -> str:
    """How a spreadsheet shows the numbers of a column; the cells keep them in full. Shares have one decimal; what is
    too small for four is shown by its power of ten."""
    numbers = [v for v in values if isinstance(v, (int, float))]
    if unit and unit.startswith(("%", "百分点")):
        return "0.0"
    if all(isinstance(v, int) for v in numbers):
        return "0" if name.startswith("year") or unit == "年" else "#,##0"
    smallest = min((abs(v) for v in numbers if v), default=1)
    if smallest < 0.001 and all(v >= 0 for v in numbers):
        return "[=0]0;[<0.0001]0.0E+00;0.0000"
    return "0.0000" if smallest < 0.001 else "0.000" if smallest < 1 else "#,##0.0"


class _Shortest(float):
    """A number that is written with no more digits than tell it from others: 9.10271059, not 9.102710589999999."""

    def __format__(self, spec: str) -> str:
        return repr(float(self))


class _Formats:
    """The formats of a workbook, each made once."""

    def __init__(self, book):
        self.book, self.known = book, {}

    def __call__(self, **properties):
        key = tuple(sorted(properties.items()))
        if key not in self.known:
            self.known[key] = self.book.add_format({"valign": "top", **properties})
        return self.known[key]

    def head(self, numeric: bool):
        """The format of a heading, which stands where its column's values do."""
        look = {"align": "right"} if numeric else {"align": "left", "indent": 1}
        return self(bold=True, text_wrap=True, bg_color="#EFECE6", bottom=1, **look)


_A4 = 9
_ROW_PT = 14.5  # the height of a line


def _fill(sheet, formats: _Formats, heads: Sequence[str], rows: Sequence[Sequence[Any]],
          number_formats: Mapping[int, str] | None = None, links: frozenset | set = frozenset(),
          widest: int = 44) -> None:
    """Fill a sheet: a frozen heading, widths by content up to `widest`, where texts wrap, a filter; `links` are columns
    that name a sheet to go to. Printed, it lies across, is one page wide and has its heading and number on every
    page."""
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_footer("&L&A&R&P / &N")
    head_widest = 18 if len(heads) <= 6 else 12  # of many columns the type gets small enough in print
    heights = [1] * (len(rows) + 1)
    for i, head in enumerate(heads):
        column = [row[i] for row in rows]
        numeric = any(isinstance(v, (int, float)) for v in column)
        sheet.write_string(0, i, _plain(head), formats.head(numeric))
        # A heading wraps at its blanks, so that a long one makes no wide column of small numbers.
        wanted = max([min(_columns_wide(line), head_widest) for line in head.split("\n")]
                     + [_columns_wide(v) for v in column[:500]])
        width = min(max(wanted + 3, 7), widest)
        sheet.set_column(i, i, width)
        heights[0] = max(heights[0], sum(_lines_in(line, width - 2) for line in head.split("\n")))
        for j, value in enumerate(column, 1):
            if isinstance(value, bool) or value is None:
                continue
            if isinstance(value, (int, float)):
                shown = value if isinstance(value, int) else _Shortest(value)
                sheet.write_number(j, i, shown, formats(num_format=(number_formats or {}).get(i, "General")))
            elif i in links:
                look = formats(font_color=ACCENT, align="left", indent=1)
                sheet.write_url(j, i, f"internal:'{value}'!A1", look, value)
            else:
                properties: dict[str, Any] = {"align": "left", "indent": 1}
                if str(value).lstrip(" \t\n\u3000")[:1] in _FORMULA:
                    properties["quote_prefix"] = True
                if not _CHINESE_TEXT.search(str(value)):
                    properties["font_name"] = LATIN  # its quotation marks are as wide as English ones are
                n_lines = _lines_in(_plain(value), width - 2)
                if n_lines > 1:
                    properties["text_wrap"] = True
                    heights[j] = max(heights[j], n_lines)
                sheet.write_string(j, i, _plain(value)[:32767], formats(**properties))
    for j, n_lines in enumerate(heights):
        if n_lines > 1:
            sheet.set_row(j, min(409, n_lines * _ROW_PT + (4 if j == 0 else 0)))
    sheet.freeze_panes(1, 0)
    if rows:
        sheet.autofilter(0, 0, len(rows), len(heads) - 1)


def _lines_in(text: str, width: float) -> int:
    """How many lines a text takes in a column `width` digits wide, broken at blanks and between Chinese characters.
    Letters are narrower than digits."""
    lines, room = 1, width
    for piece in re.findall(r"[\u2e80-\uffef]|[^\u2e80-\uffef\s]+|\s+", text.replace("\n", " ")):
        wide = display.breadth(piece) * (1 if piece > "\u2e80" else 0.92)
        if wide > room and piece.strip():
            lines += 1 + int((wide - 1) // width) if room < width else int((wide - 1) // width)
            room = width
        room -= min(wide, width)
    return lines


def _columns_wide(value: Any) -> int:
    """The width of a value in a spreadsheet's columns: Chinese characters are two wide."""
    return display.breadth(f"{value:.4g}" if isinstance(value, float) else str("" if value is None else value))
