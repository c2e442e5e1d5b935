"""What passes between the stages: articles with their paragraphs, and statements as parallel columns.

document (a raw file) → article → paragraph → statement (one sentence of body text, the unit of coding and of
co-occurrence).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import repeat
from typing import NamedTuple

NATIONAL = "全国"


@dataclass(slots=True)
class Paragraph:
    """A paragraph of an article. `kind` is `heading`, `body` or `list` (an item of a list); headings hold no
    statements."""

    text: str
    kind: str = "body"


@dataclass(slots=True)
class Article:
    """One article as cleaning found it. What could not be known is None, never guessed.

    `date` is an ISO date, year-month or year: as exact as the document allows. `year` is the work year the
    article speaks of. `rules` names, for each of `title` `publisher` `authors` `url` `date` `year`, the rule that
    found it.
    """

    source_file: str
    source_format: str
    position: int
    title: str | None = None
    publisher: str | None = None
    authors: list[str] = field(default_factory=list)
    url: str | None = None
    date: str | None = None
    date_basis: str = "unknown"
    year: int | None = None
    kind: str | None = None
    source_title: str | None = None
    scope: str = "in"
    scope_reason: str = ""
    script: str = "hans"
    paragraphs: list[Paragraph] = field(default_factory=list)
    rules: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Headings and paragraphs, one a line."""
        return "\n".join([p.text for p in self.paragraphs])


class LedgerRow(NamedTuple):
    """What became of one line or block of a raw document. Over a document `n_chars` adds up to the characters of
    its decoded text. `sample` is the text itself, cut to 80 characters."""

    source_file: str
    unit: int
    n_chars: int
    fate: str
    position: int | None
    rule: str
    sample: str = ""


@dataclass(slots=True)
class Rejection:
    """A file, or a member or record of one, that could not be used; `reason` in plain words."""

    source_file: str
    reason: str
    detail: str = ""


class Account(NamedTuple):
    """What became of each line or block of one readable text: `rows` are `(unit, n_chars, fate, rule, sample)` as in
    `LedgerRow`, `owners` the position of the article each belongs to, or the one of all."""

    source_file: str
    rows: list[tuple[int, int, str, str, str]]
    owners: list[int | None] | int | None = None


@dataclass(slots=True)
class Cleaned:
    """All that came out of one raw document; `accounts` are those of the texts it holds."""

    source_file: str
    articles: list[Article] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)

    @property
    def ledger(self) -> list[LedgerRow]:
        """What became of each line."""
        return [LedgerRow(file, unit, n_chars, fate, owner, rule, sample)
                for file, rows, owners in self.accounts for (unit, n_chars, fate, rule, sample), owner in
                zip(rows, owners if isinstance(owners, list) else repeat(owners, len(rows)), strict=True)]


@dataclass(slots=True)
class Statements:
    """The statements of many articles as parallel lists, in the order of the text: one entry a statement.

    `article` indexes the list of articles they were split from, `paragraph` that article's paragraphs, both from
    0; `position` counts the statements of an article from 1. `heading` is the nearest heading above, or None.
    """

    article: list[int] = field(default_factory=list)
    paragraph: list[int] = field(default_factory=list)
    position: list[int] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    heading: list[str | None] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.text)


@dataclass(slots=True)
class Attribution:
    """Who speaks in each statement, for which places and of which year: parallel to `Statements`.

    `speaker` is the agency in its name of that time, several joined by 、, None in nobody's voice; `regions` the short
    names the statement is attributed to, 全国 for the national regulator; `level` theirs, `national` with 全国 and else
    `regional`, which bureaus left unnamed (各地监管局) have without a region; `basis` `named`, `carried`,
    `mentioned` or None;
    `mentioned` the regions the sentence names whether or not they speak; `years_mentioned` other years it names.
    """

    year: list[int | None] = field(default_factory=list)
    speaker: list[str | None] = field(default_factory=list)
    level: list[str | None] = field(default_factory=list)
    regions: list[tuple[str, ...]] = field(default_factory=list)
    basis: list[str | None] = field(default_factory=list)
    mentioned: list[tuple[str, ...]] = field(default_factory=list)
    years_mentioned: list[tuple[int, ...]] = field(default_factory=list)


@dataclass(slots=True)
class Coding:
    """The themes of each statement: parallel to `Statements`.

    `stated` are the codes the sentence itself gives, `inherited` those taken over from its heading or title (never
    a code it states). `evidence` holds, for each statement, `(code, start, end)` of what was matched in its text.
    `guarded` are codes whose only match stands under a negation or in someone else's quotation, counted apart.
    `deontic` is the strongest binding grade of the wording, or None.
    """

    stated: list[tuple[str, ...]] = field(default_factory=list)
    inherited: list[tuple[str, ...]] = field(default_factory=list)
    evidence: list[tuple[tuple[str, int, int], ...]] = field(default_factory=list)
    guarded: list[tuple[str, ...]] = field(default_factory=list)
    deontic: list[str | None] = field(default_factory=list)
