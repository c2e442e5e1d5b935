"""The kit for briefings: every figure in every size, and the office files that are made from them.

`report/briefing.pptx` has one figure a slide, with its title, subtitle, source and n as text that can be edited and
with notes for the speaker; `report/briefing.docx` is a single sheet, findings on its front and two figures on its
back; `report/tables.xlsx` holds the plotted data. Nothing is computed here: the words come from the figures' cards,
the findings table, the notebooks' sections on methods and limits and the labels of the report, so that nothing is
told twice. The same inputs give the same bytes.
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

from . import display, figures, running
from .errors import UserError
from .figures import LANGS
from .tables import replace_file
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
N_FIGURES = 2  # figures on the back of the one-pager
N_CITED = 6  # articles it names as sources
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
        """A word or sentence in one language, filled in; whole numbers get thousands separators."""
        return self.words[key][lang].format(**{k: f"{v:,}" if isinstance(v, int) else v for k, v in values.items()})

    def headlines(self) -> list[dict]:
        """The findings that say something and carry a badge."""
        return [f for f in self.findings if f["badge"] and f["grade"] != "too_little"]

    def of_figure(self, stem: str) -> list[dict]:
        """The findings that a figure shows."""
        return [f for f in self.headlines() if f["figure"] == stem]

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
        for key, empty in (("badge", {}), ("detail", {}), ("caveat", {}), ("evidence", [])):
            row[key] = json.loads(row[key] or "null") or empty
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
              "the libraries": running.digest([running.sys.version, running.library_versions()])}
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
    return material.say("badge", lang, holds=finding["badge"]["holds"], of=finding["badge"]["of"])


def _caveats(material: Material, finding: Mapping[str, Any], lang: str) -> str:
    """What must be known with a finding, as one passage; empty when there is nothing."""
    texts = [finding[key][lang] for key in ("detail", "caveat") if finding[key]]
    return material.words["caveat"][lang] + material.words["colon"][lang] + (
        "" if lang == "zh" else " ").join(texts) if texts else ""


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
              bold: bool | None = None):
    """A run with its language and its Chinese font named, so that every system picks a font that has the characters."""
    from pptx.dml.color import RGBColor
    from pptx.util import Pt

    run = paragraph.add_run()
    run.text = _plain(text)
    properties = run._r.get_or_add_rPr()
    properties.set("lang", LOCALES[lang])
    if lang == "zh":
        properties.set("altLang", LOCALES["en"])
    if size:
        run.font.size = Pt(size)
    if colour:
        run.font.color.rgb = RGBColor.from_string(colour[1:])
    if bold is not None:
        run.font.bold = bold
    for tag, face in (("latin", LATIN), ("ea", CHINESE)):
        font = properties.makeelement(f"{{http://schemas.openxmlformats.org/drawingml/2006/main}}{tag}",
                                      {"typeface": face})
        properties.append(font)
    return run


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


def _add_headlines(deck, material: Material, lang: str) -> None:
    """The opening: what the report is, and its headlines with their badges, on as many slides as they need."""
    headlines = material.headlines()
    texts = [f[lang] + material.words["bracket"][lang].format(_badge(material, f, lang))
             for f in headlines]
    height, sizes, gap = 5.4, (24, 22, 20, 19, 18, 17, 16), 10
    for n_pages in range(1, len(texts) + 2):
        ends = [round(len(texts) * (i + 1) / n_pages) for i in range(n_pages)]
        pages = [texts[a:b] for a, b in zip([0, *ends], ends, strict=False)]
        if all(fitting_size(page, lang, _MEASURE - 0.3, height, sizes, gap) for page in pages):
            break
    for number, page in enumerate(pages):
        title = material.words["title"][lang] if number == 0 else material.words["more"][lang]
        slide = _new_slide(deck, "Title and Content", title, lang, 0.3, 0.6, 30)
        frame = _add_box(slide, "Subtitle", _LEFT, 0.98, _MEASURE, 0.34)
        line = material.subtitle(lang) + material.words["separator"][lang] + material.corpus_line(lang)
        _add_text(frame.paragraphs[0], line, lang, fitting_size([line], lang, _MEASURE, 0.34, (15, 14, 13, 12)) or 11,
                  figures.SOFT_INK)
        size = fitting_size(page, lang, _MEASURE - 0.3, height, sizes, gap) or 12
        _fill_body(slide, page, lang, 1.5, height, size, gap)
        _add_number(deck, slide)
        notes = [material.words["findings"][lang]]
        for finding, text in zip(headlines, texts, strict=True):
            if text in page:
                notes.append(_joined([text, _caveats(material, finding, lang)], lang))
        notes.append(WORDS["limited"][lang] + _joined(material.sections["limits"][lang], lang))
        notes.append(material.say("whole", lang, corpus=material.corpus_line(lang)))
        _set_notes(slide, notes, lang)


def _joined(paragraphs: Sequence[str], lang: str) -> str:
    return ("" if lang == "zh" else " ").join(filter(None, paragraphs))


def _fill_body(slide, texts: Sequence[str], lang: str, top: float, height: float, size: float, gap: float) -> None:
    """The body placeholder of a slide with one bulleted paragraph a text."""
    from pptx.util import Inches, Pt

    body = slide.placeholders[1]
    body.left, body.top, body.width, body.height = map(Inches, (_LEFT, top, _MEASURE, height))
    _set_box(body.text_frame)
    for i, text in enumerate(texts):
        paragraph = body.text_frame.paragraphs[0] if i == 0 else body.text_frame.add_paragraph()
        properties = paragraph._p.get_or_add_pPr()
        properties.set("marL", str(Inches(0.3)))
        properties.set("indent", str(-Inches(0.3)))
        paragraph.space_before, paragraph.space_after, paragraph.line_spacing = Pt(0), Pt(gap), Pt(size * 1.25)
        _add_text(paragraph, text, lang, size, figures.INK)


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
    for finding in material.of_figure(card["stem"]):
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

_SHEET_WIDTH_CM, _SHEET_HEIGHT_CM, _SHEET_MARGIN_CM = 21.0, 29.7, 2.0
_PICTURE_WIDTH_CM, _PICTURE_GAP_PT = 15.6, 26.0  # at most; what stands above and below a picture and its caption
_BODY_PT, _SMALL_PT = 10.5, 9.0
_BODY_LEADING, _SMALL_LEADING = 16.0, 13.0  # points: exact, since Chinese fonts differ widely in their own leading


def briefing_sheet(material: Material, lang: str, chosen: Sequence[str] | None = None) -> bytes:
    """The one-pager in one language, A4: findings with badges and caveats, and the sources, on its front; two figures
    at half-page size on its back. Findings that would not fit the front are left out, and how many are is said.

    Raises:
        UserError: a chosen finding does not exist or says nothing.
    """
    from docx import Document
    from docx.shared import Cm, Pt

    words = material.words
    findings = _chosen(material, chosen)
    document = Document()
    _set_up_sheet(document, lang)
    _set_properties(document.core_properties, material, lang)
    measure = (_SHEET_WIDTH_CM - 2 * _SHEET_MARGIN_CM) / 2.54

    _write(document.add_paragraph(style="Title"), words["title"][lang], lang)
    line = material.subtitle(lang) + words["separator"][lang] + material.corpus_line(lang)
    _write(document.add_paragraph(style="Subtitle"), line, lang)
    cited = _cited_articles(material, findings, lang)
    closing = [material.say("whole", lang, corpus=material.corpus_line(lang)),
               WORDS["limited"][lang] + _joined(material.sections["limits"][lang], lang),
               material.say("licence", lang, licence=figures.LICENCE)]
    if cited:
        closing.insert(1, WORDS["basis"][lang] + ("；" if lang == "zh" else "; ").join(cited) + words["stop"][lang])

    room = (_SHEET_HEIGHT_CM - 2 * _SHEET_MARGIN_CM) / 2.54 * 72 - 115  # points, without title and headings
    room -= sum(figures.n_lines(text, measure * _SAFETY[lang], _SMALL_PT) * _SMALL_LEADING + 3 for text in closing)
    _write(document.add_paragraph(style="Heading 1"), WORDS["findings"][lang], lang)
    shown = 0
    for finding in findings:
        badge = words["bracket"][lang].format(_badge(material, finding, lang))
        caveat = _caveats(material, finding, lang)
        column = (measure - 0.25) * _SAFETY[lang]
        needed = figures.n_lines(finding[lang] + badge, column, _BODY_PT) * _BODY_LEADING + 6 + (
            figures.n_lines(caveat, column, _SMALL_PT) * _SMALL_LEADING + 1 if caveat else 0)
        if shown and needed > room - (_SMALL_LEADING + 4) * (finding is not findings[-1]):
            break
        room -= needed
        shown += 1
        paragraph = document.add_paragraph(style="List Number")
        paragraph.paragraph_format.space_after = Pt(1 if caveat else 6)
        paragraph.paragraph_format.keep_with_next = bool(caveat)
        _write(paragraph, finding[lang], lang)
        _write(paragraph, badge, lang, size=_SMALL_PT, colour=GOOD, bold=True)
        if caveat:
            paragraph = _add_small(document, caveat, lang)
            paragraph.paragraph_format.left_indent = Cm(0.63)
            paragraph.paragraph_format.space_after = Pt(6)
    if shown < len(findings):
        _add_small(document, material.say("left_out", lang, n=len(findings) - shown), lang)
    _write(document.add_paragraph(style="Heading 1"), WORDS["sources"][lang], lang)
    for text in closing:
        _add_small(document, text, lang)
    _add_pictures(document, material, findings[:shown], lang)
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
    section.top_margin = section.bottom_margin = Cm(_SHEET_MARGIN_CM)
    look = {"Normal": (_BODY_PT, figures.INK, False, 0, 4), "Title": (22, "#111111", True, 0, 2),
            "Subtitle": (10, figures.SOFT_INK, False, 0, 6), "Heading 1": (12.5, ACCENT, True, 6, 3),
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
    """A run of the one-pager; in Chinese, marks that both scripts use are set from the Chinese font."""
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    run = paragraph.add_run(_plain(text))
    fonts = run._r.get_or_add_rPr().get_or_add_rFonts()
    fonts.set(qn("w:eastAsia"), CHINESE)
    if lang == "zh":
        fonts.set(qn("w:hint"), "eastAsia")
    if size:
        run.font.size = Pt(size)
    if colour:
        run.font.color.rgb = RGBColor.from_string(colour[1:])
    if bold is not None:
        run.font.bold = bold


def _add_pictures(document, material: Material, findings: Sequence[Mapping], lang: str) -> None:
    """The back of the sheet: the figures of the first findings that have one, or the first figures there are; as large
    as leaves room for how to read them."""
    from docx.shared import Cm

    cards = {card["stem"]: card for card in material.cards}
    wanted = dict.fromkeys(f["figure"] for f in findings if f["figure"] in cards)
    shown = [cards[stem] for stem in list(dict.fromkeys([*wanted, *cards]))[:N_FIGURES]]
    readings = [WORDS["read"][lang] + card["how_to_read"][lang] for card in shown]
    measure = (_SHEET_WIDTH_CM - 2 * _SHEET_MARGIN_CM) / 2.54 * _SAFETY[lang]
    lines = sum(figures.n_lines(text, measure, _SMALL_PT) for text in readings)
    room = _SHEET_HEIGHT_CM - 2 * _SHEET_MARGIN_CM - 2.54 / 72 * (lines * _SMALL_LEADING + len(shown) * _PICTURE_GAP_PT)
    half = figures.SIZES["half"]
    width = min(_PICTURE_WIDTH_CM, room / max(1, len(shown)) * half.width / half.height)
    for i, (card, reading) in enumerate(zip(shown, readings, strict=True)):
        paragraph = document.add_paragraph()
        paragraph.paragraph_format.line_spacing = 1.0  # an exact one would cut the picture off
        paragraph.paragraph_format.page_break_before = i == 0
        paragraph.paragraph_format.keep_with_next = True
        picture = paragraph.add_run().add_picture(str(material.place.figures / card["files"][lang]["half.png"]),
                                                  width=Cm(width))
        properties = picture._inline.docPr
        properties.set("descr", _plain(card["alt"][lang]))
        properties.set("title", _plain(card["title"][lang]))
        properties.set("name", card["stem"])
        _write(document.add_paragraph(style="Caption"), reading, lang)


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
    """tables.xlsx: an index, one sheet a figure with its plotted data, and a dictionary of every column. All texts are
    written as texts: nothing in the file can act as a formula."""
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
          [[names[c["stem"]], c["title"]["zh"], c["title"]["en"], _both(c["unit"]), c["n"], c["period"],
            c["source"]["zh"], c["source"]["en"], c["content_hash"]] for c in material.cards],
          number_formats={4: "#,##0"}, links={0})
    dictionary = []
    for card in material.cards:
        sheet = book.add_worksheet(names[card["stem"]])
        columns, rows = read_plotted(material.place.figures / f"{card['stem']}.csv")
        texts = [card["columns"].get(column, {"zh": column, "en": column}) for column in columns]
        heads = [f"{_with_unit(t['zh'], t.get('unit'))}\n{_with_unit(t['en'], t.get('unit'))}" for t in texts]
        _fill(sheet, formats, heads, rows, number_formats={
            i: number_format(name, text.get("unit"), [row[i] for row in rows])
            for i, (name, text) in enumerate(zip(columns, texts, strict=True))})
        dictionary += [[names[card["stem"]], name, t.get("unit", ""), t["zh"], t["en"]]
                       for name, t in zip(columns, texts, strict=True)]
    dictionary += column_dictionary().values.tolist()
    _fill(book.add_worksheet("字典 Dictionary"), formats,
          ["表\nTable", "列\nColumn", "单位或类型\nUnit or type", "含义", "Meaning"], dictionary)
    book.close()
    return same_bytes(buffer.getvalue())


def _both(texts: Mapping[str, str]) -> str:
    return texts["zh"] if texts["zh"] == texts["en"] else f"{texts['zh']} {texts['en']}"


def _with_unit(name: str, unit: str | None) -> str:
    return f"{name} ({unit})" if unit else name


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
    """How a spreadsheet shows the numbers of a column; the cells keep them in full."""
    numbers = [v for v in values if isinstance(v, (int, float))]
    if all(isinstance(v, int) for v in numbers):
        return "0" if name.startswith("year") else "#,##0"
    if unit and unit.startswith(("%", "百分点")):
        return "0.0"
    smallest = min((abs(v) for v in numbers if v), default=1)
    return "0.0000" if smallest < 0.001 else "0.000" if smallest < 1 else "#,##0.0"


class _Formats:
    """The formats of a workbook, each made once."""

    def __init__(self, book):
        self.book, self.known = book, {}

    def __call__(self, **properties):
        key = tuple(sorted(properties.items()))
        if key not in self.known:
            self.known[key] = self.book.add_format(properties)
        return self.known[key]

    @property
    def head(self):
        return self(bold=True, text_wrap=True, valign="top", bg_color="#EFECE6", bottom=1)


def _fill(sheet, formats: _Formats, heads: Sequence[str], rows: Sequence[Sequence[Any]],
          number_formats: Mapping[int, str] | None = None, links: frozenset | set = frozenset()) -> None:
    """Fill a sheet: a frozen heading, widths by content, a filter; `links` are columns that name a sheet to go to."""
    for i, head in enumerate(heads):
        sheet.write_string(0, i, _plain(head), formats.head)
        column = [row[i] for row in rows]
        widest = max([_columns_wide(line) for line in head.split("\n")] + [_columns_wide(v) for v in column[:500]])
        sheet.set_column(i, i, min(max(widest + 2, 7), 60))
        for j, value in enumerate(column, 1):
            if isinstance(value, bool) or value is None:
                continue
            if isinstance(value, (int, float)):
                sheet.write_number(j, i, value, formats(num_format=(number_formats or {}).get(i, "General")))
            elif i in links:
                sheet.write_url(j, i, f"internal:'{value}'!A1", formats(font_color=ACCENT), value)
            else:
                guarded = str(value).lstrip(" \t\n\u3000")[:1] in _FORMULA
                sheet.write_string(j, i, _plain(value)[:32767], formats(quote_prefix=True) if guarded else formats())
    sheet.set_row(0, 15 * max(head.count("\n") + 1 for head in heads) + 4)
    sheet.freeze_panes(1, 0)
    if rows:
        sheet.autofilter(0, 0, len(rows), len(heads) - 1)


def _columns_wide(value: Any) -> int:
    """The width of a value in a spreadsheet's columns: Chinese characters are two wide."""
    return display.breadth(f"{value:.4g}" if isinstance(value, float) else str("" if value is None else value))
