"""What lines of source, authors and date say: bylines, information lines, citation lines, signatures.

Each function returns fields as `(field, value, rule)`, or None where the line is something else. Fields are those of
`model.Article`, and `title`.
"""

from __future__ import annotations

import re
from itertools import pairwise

from . import dating
from .cleaningrules import Rules, segmenter
from .divisions import all_places, large_places

MAX_BYLINE = 70  # characters
MAX_VALUE = 50  # characters of a name or of names
MAX_LOOSE = 20  # characters of a name without a label
MAX_CITATION = 4_000
MAX_INLINE = 300  # characters in which title and byline of an article on one line stand
MIN_HEAD = 6  # characters of its title

_STOPS = re.compile("[，。；：！？]")
_WORD = re.compile(r"(?<=\s)\S")
_APART = frozenset(" \t|｜·/（()）")
_MARK = re.compile(r"\s{0,3}([:：|｜丨/])\s{0,3}|( )(?=\S)")
_MARKS = re.compile("[:：|｜丨/ ]")
_LOOSE_ENDS = " \t|｜丨/·,，、[]【】()（）:：-—"
_NOTE_SIGN = re.compile(r"\s?[\d*①-⑨]{1,3}(?=[\s、，,]|$)")  # behind a name, for its affiliation
_GAPS = re.compile(r"[\s、，,/；;]+")
_END_OF_VALUE = re.compile(r"\s{2,}|\x00|[|｜·]\s")
_TITLED = re.compile(r"《([^《》]{1,20})》\s?(.*)$")
_DATE_PART = re.compile(r"(?:19|20)\d\d(?:[-年/.]\d{1,2}(?:[-月/.]\d{1,2}日?|月)?|年)?")

Fields = list[tuple[str, object, str]]


def unmarked(text: str) -> str:
    """A name without the title marks around it: `《财经》` is 财经."""
    text = text.strip(" \t|｜·")
    inner = text[1:-1]
    return inner.strip() if text[:1] == "《" and text[-1:] == "》" and "》" not in inner else text


def people(text: str, rules: Rules) -> list[str]:
    """The names in a list of people, without their roles; two lone characters are one name set wide (`吕　倩`)."""
    names: list[str] = []
    parts = [p for p in _GAPS.split(str(text)[:400].strip("（）() ")) if p]
    i = 0
    while i < len(parts) and len(names) < 20:
        part = parts[i]
        if len(part) == 1 and i + 1 < len(parts) and len(parts[i + 1]) == 1:
            part, i = part + parts[i + 1], i + 1
        i += 1
        bare = rules.role.sub("", part)
        if bare != part and part.startswith(bare) and (
                names_a_place(bare, rules) or not rules.only_names.fullmatch(bare)):
            while names and names_a_place(names[-1], rules):
                names.pop()  # more places: 上海 北京报道
            continue  # a place: 北京报道
        part = bare
        known = part in rules.not_authors or part in names
        medium = len(part) > 3 and part.endswith(rules.medium_ends)
        if 2 <= len(part) <= 24 and not known and not medium and not re.search(r"\d|https?:", part):
            names.append(part)
    return names


def names_a_place(name: str, rules: Rules) -> bool:
    """Whether a name is that of a place, and of nothing else: a province, a city, or a county by its full name."""
    return name in rules.places or (len(name) <= MAX_LOOSE and name in large_places())


def _are_places(text: str, rules: Rules) -> bool:
    """Whether a text beside a date holds but names of places, as apps show from where something was posted: those of
    counties and of the general dictionary too (`上海浦东`, `新加坡`)."""
    def known(name: str) -> bool:
        return name in rules.places or name in all_places()

    return all(known(part) or all(known(word) or tag == "ns" for word, tag in segmenter().tag(part))
               for part in _GAPS.split(text) if part)


def names_and_medium(text: str, rules: Rules) -> Fields | None:
    """What stands behind a byline mark (`■ 第一财经 吕倩 刘晓洁`): a medium, then people; other roles are left out."""
    text = rules.other_credit.split(text, maxsplit=1)[0].strip()
    m = _TITLED.match(text)
    medium, rest = (m[1], m[2]) if m else (None, text)
    rest = rules.role_inside.sub(" ", rest).strip(" :：")
    parts = [p for p in _GAPS.split(rest) if p]
    if len(text) > MAX_VALUE or any(len(p) > 16 for p in parts) or _STOPS.search(rest.replace("，", "")):
        return None
    if medium is None and parts:
        first = parts[0]
        if len(first) > 4 or (len(parts) > 1 and (len(first) > 3 or first.endswith(rules.medium_ends))):
            medium, parts = first, parts[1:]
    names = people(" ".join(parts), rules)
    fields: Fields = []
    if medium and medium not in rules.not_publishers:
        fields.append(("publisher", medium, "byline"))
    if names:
        fields.append(("authors", names, "byline"))
    return fields if fields or medium else None


def byline(line: str, text: str, rules: Rules, below_title: bool) -> Fields | None:
    """What a byline says, or None where the line is none.

    Args:
        line: the line in simplified characters, in which the rules are matched.
        text: the same line as it is, from which values are taken.
        below_title: whether the line stands right below a title, where names alone make a byline.
    """
    if len(line) > MAX_BYLINE or line[-1] in "。；，！？":
        return None
    found = rules.bylines.fullmatch(line)
    if not found:
        if below_title and len(line) <= MAX_LOOSE and line[0] in rules.surnames and (
                rules.only_names.fullmatch(_NOTE_SIGN.sub("", line))):
            names = people(_NOTE_SIGN.sub("", text), rules)
            if not any(_may_be_a_person(name) for name in names):
                return None
            return [("authors", names, "names_below_title")] if names else None
        return None
    spans = found[1]
    if "rest" in spans:
        return names_and_medium(text[slice(*spans["rest"])], rules)
    fields: Fields = []
    for name, (a, b) in spans.items():
        value = unmarked(text[a:b])
        if name == "publisher" and value[:1].isdigit() and dating.MONTH_DAY.match(value):
            continue  # 1月17日记者…
        if name == "authors":
            names = people(value, rules)
            medium = line[slice(*spans["publisher"])] if "publisher" in spans else ""
            if medium and not medium.endswith(rules.medium_ends) and not any(map(_may_be_a_person, names)):
                return None  # 对记者表示 is no byline
            if names:
                fields.append(("authors", names, "byline"))
        elif value and unmarked(line[a:b]) not in rules.not_publishers:
            fields.append((name, value, "byline"))
    return fields


def _may_be_a_person(name: str) -> bool:
    """Whether a name is no ordinary word that begins like one, such as 成效 or 高质量."""
    words = segmenter().tag(name)
    return len(words) > 1 or words[0][1].startswith("nr") or not segmenter().has_word(name)


def info_line(line: str, text: str, rules: Rules, below_title: bool) -> Fields | None:
    """What a line of source, authors and date says, or None where the line is something else.

    The whole line must be used up by labels with values, dates and idle words; a bare name is taken for the medium
    where a date stands beside it below a title. Arguments as in `byline`.
    """
    if line[-1] in "。！？；" or "。" in line:
        return None
    labels = _labels(line, rules)
    dated = "20" in line or "19" in line or "二〇" in line or "二○" in line
    dates = dating.find_dates(line, months=below_title and len(line) <= 40) if dated else []
    if not labels and not dates:
        return None
    fields: Fields = [("date", d.iso, "info_line") for d in dates]
    masked = line
    for d in dates:
        masked = masked[: d.start] + "\x00" * (d.end - d.start) + masked[d.end :]
    labels = [found for found in labels if "\x00" not in masked[found[1] : found[2]]]
    residue = masked[: labels[0][1]] if labels else masked
    for k, (label, _, start) in enumerate(labels):
        end = labels[k + 1][1] if k + 1 < len(labels) else len(masked)
        cut = _END_OF_VALUE.search(masked, start, end)
        if cut:
            residue += " " + masked[cut.start() : end]
            end = cut.start()
        value = text[start:end]
        if len(value) > MAX_VALUE or "；" in value:
            return None
        fields += _labelled(label, value, bool(dates), rules)
    clock = bool(dates) and dates[-1].end - dates[-1].start > len("2025年12月27日")
    if dates and not labels and below_title:
        a, b = dates[-1].end, len(line)
        tail = byline(line[a:b].strip(), text[a:b].strip(), rules, False) if line[a:b].strip() else None
        if tail and not masked[: dates[0].start].strip():
            return fields + [(name, value, "info_line") for name, value, _ in tail]
    if not labels and clock and below_title and (posted := _posted(masked, text, rules)):
        return fields + posted
    rest = residue.replace("\x00", " ").strip(_LOOSE_ENDS)
    if rest:  # what idle words leave of it
        rest = rules.idle.sub(" ", residue.replace("\x00", " ")).strip(_LOOSE_ENDS)
    if not rest:
        return fields
    if len(rest) > MAX_LOOSE or _STOPS.search(rest) or not dates:
        return None
    if not labels and not (below_title and _apart(line, dates)):
        return None
    *names, medium = rest.split()
    if below_title and not labels and names and _is_medium(medium, rules) and all(
            rules.only_names.fullmatch(name) for name in names):
        return [*fields, ("publisher", medium, "name_beside_date"), ("authors", names, "name_beside_date")]
    at = line.find(rest)
    if not rest.endswith(rules.medium_ends) and _are_places(rest, rules):
        return fields  # where it was posted
    if below_title and not any(name == "publisher" for name, _, _ in fields):
        fields.append(("publisher", unmarked(text[at : at + len(rest)] if at >= 0 else rest), "name_beside_date"))
    return fields


def span_in_line(line: str, rules: Rules) -> tuple[int, int] | None:
    """Where source, authors and date stand in a line that holds a whole article, title, byline and text, or None.

    What stands there must be an information line by itself. Blanks set it apart; where there are none, a label or a
    time of day tells where it begins or ends.

    Args:
        line: the line in simplified characters.
    """
    head = line[:MAX_INLINE].partition("。")[0]
    dates = [(d.start, d.end) for d in dating.find_dates(head, months=False)]
    labels = [(start, value) for _, start, value in _labels(head, rules)]
    marks = sorted(a for a, _ in (*dates, *labels))
    if not marks:
        return None
    cuts = {0, len(head), *(m.start() for m in _WORD.finditer(head))}
    for a, b in (*dates, *labels):
        cuts = {c for c in cuts if not a < c <= b} | {a}
    cuts |= {b for _, b in dates}
    words = [(a, b) for a, b in pairwise(sorted(cuts)) if head[a:b].strip()]
    near = [m for m in marks if m - marks[0] <= MAX_BYLINE]
    first, last = (next(i for i, (a, b) in enumerate(words) if a <= m < b) for m in (near[0], near[-1]))
    begin = first
    while begin > 1 and _opens_info(head[slice(*words[begin - 1])].strip(), rules):
        begin -= 1
    named = labels or (last + 1 < len(words) and _is_medium(head[slice(*words[last + 1])].strip(), rules))
    if begin == first > 1 and not named:
        begin -= 1  # the account that posted it, by whatever name
    firm = {a for a, _ in labels} | {x for a, b in dates if b - a > len("2025年12月27日") for x in (a, b)}
    for i in range(max(begin, 1), first + 1):
        a, title = words[i][0], head[: words[i][0]].strip()
        if not MIN_HEAD <= len(title) <= rules.max_title or title[-1] in "，、；：" or not (
                a in firm or head[a - 1].isspace()):
            continue
        found = None
        for j in range(last, len(words)):
            x, y = words[j]
            zone = head[a:y].strip()
            if (j > last and not _belongs(head[x:y].strip(), rules)) or info_line(zone, zone, rules, True) is None:
                break
            if y in firm or (y < len(head) and head[y - 1 : y + 1].strip() != head[y - 1 : y + 1]):
                found = a, y
        if found:
            return found
    return None


def _is_medium(word: str, rules: Rules) -> bool:
    return len(word) <= MAX_LOOSE and word.endswith(rules.medium_ends)


def _opens_info(word: str, rules: Rules) -> bool:
    """Whether a word before a date may begin the byline: an idle word, a name, a medium."""
    return bool(rules.idle.fullmatch(word) or rules.only_names.fullmatch(word)) or _is_medium(word, rules)


def _belongs(word: str, rules: Rules) -> bool:
    """Whether a word behind a date is part of the byline still: an idle word, a name, a medium, a place."""
    return _opens_info(word, rules) or (len(word) <= MAX_LOOSE and _are_places(word, rules))


def _posted(masked: str, text: str, rules: Rules) -> Fields | None:
    """The account and its author in a line of the form `author account date time place`, as apps write it, or None.

    Args:
        masked: the line with its date, which has a time of day, as null characters.
        text: the line as it is.
    """
    before, place = masked[: masked.index("\x00")], masked[masked.rindex("\x00") + 1 :].strip()
    tokens = rules.idle.sub(lambda m: " " * len(m[0]), before).split()
    if not 1 <= len(tokens) <= 3 or not place or rules.idle.fullmatch(place) or _STOPS.search(before):
        return None
    short = 2 <= len(place) <= 4 and all("\u4e00" <= c <= "\u9fff" for c in place)
    if not short and (len(place) > MAX_LOOSE or not _are_places(place, rules)):
        return None
    values, at = [], 0
    for token in tokens:
        at = masked.index(token, at)
        values.append(text[at : at + len(token)])
        at += len(token)
    names = [v for v, t in zip(values[:-1], tokens[:-1], strict=True) if rules.only_names.fullmatch(t)]
    placed = not tokens[-1].endswith(rules.medium_ends) and _are_places(tokens[-1], rules)
    fields: Fields = [] if placed else [("publisher", unmarked(values[-1]), "name_beside_date")]
    return [*fields, ("authors", names, "name_beside_date")] if names else fields


def _labels(line: str, rules: Rules) -> list[tuple[str, int, int]]:
    """The labels of a line as `(label, start, start of its value)`: a known word before a colon or bar, or before a
    blank where it needs no colon."""
    found = []
    for m in _MARK.finditer(line) if _MARKS.search(line) else ():
        end = m.start()
        if line[end - 1 : end] not in rules.label_ends:
            continue
        for start in range(max(end - rules.longest_label, 0), end):
            label = line[start:end]
            if label not in rules.info_labels:
                continue
            alone = start == 0 or line[start - 1] in " \t·"
            if m[2]:
                if label not in rules.bare_labels or not alone:
                    continue
            elif (len(label) == 1 and not alone) or (m[1] in "丨/" and len(label) > 1):
                continue
            found.append((label, start, m.end()))
            break
    return found


def _apart(line: str, dates) -> bool:
    """Whether blanks or bars set the dates apart from the rest, or brackets stand around it all."""
    if line[0] in "（(" and line[-1] in "）)":
        return True
    return all((d.start == 0 or line[d.start - 1] in _APART)
               and (d.end == len(line) or line[d.end] in _APART or line[d.end - 1] in _APART) for d in dates)


def _labelled(label: str, value: str, dated: bool, rules: Rules) -> Fields:
    """The fields of one label with its value."""
    name = rules.info_labels[label]
    value = unmarked(value)
    if name == "byline":
        return [(n, v, "info_line") for n, v, _ in names_and_medium(value, rules) or []]
    if name == "publisher":
        idle = rules.idle_at_end.search(value)
        value = unmarked(value[: idle.start()]) if idle else value
        parts = value.split()
        fields: Fields = []
        if len(parts) > 1 and len(value) <= 30 and all(2 <= len(p) <= 3 for p in parts[1:]):
            fields.append(("authors", people(" ".join(parts[1:]), rules), "info_line"))
            value = parts[0]
        if value and value not in rules.not_publishers:
            fields.append(("publisher", value, "info_line"))
        return fields
    if name == "authors":
        return [("authors", people(value, rules), "info_line")]
    if name == "date":
        day = None if dated else dating.stated_date(value)
        return [("date", day, "info_line")] if day else []
    return [(name, value, "info_line")] if name and value else []


def medium_of_tags(text: str, rules: Rules) -> str | None:
    """The medium that a tag or column names (`上海证券报新闻`), or None."""
    for tag in _GAPS.split(text[:400]):
        bare = next((tag[: -len(end)] for end in rules.tag_ends if tag.endswith(end)), tag)
        if 3 <= len(bare) <= 12 and bare.endswith(rules.medium_ends):
            return bare
    return None


def citation(text: str, rules: Rules) -> Fields | None:
    """The fields of a citation line, `摘编自：媒体｜原题｜日期｜地址｜类别：…｜工作年度：…`, any of them missing.

    Of parts without a label an address and a date are known by their form, the first other one is the publisher, the
    second the title of the original; a single one in 《》 is the title.
    """
    start = rules.citation_start.match(text)
    if not start or ("｜" not in text and "|" not in text and not start["sure"]):
        return None
    fields: Fields = []
    loose: list[str] = []
    for part in re.split("[｜|]", text[start.end() :][:MAX_CITATION]):
        part = part.strip()
        label, sep, value = part.partition("：")
        name = rules.citation_labels.get(label.strip()) if sep else None
        if not part:
            continue
        if name is not None:
            if name:
                fields.append((name, value.strip(), "citation_line"))
        elif part.startswith(("http://", "https://")):
            fields.append(("url", part, "citation_line"))
        elif _DATE_PART.fullmatch(part):
            fields.append(("date", part, "citation_line"))
        else:
            loose.append(part)
    if len(loose) == 1 and unmarked(loose[0]) != loose[0]:
        fields.append(("source_title", unmarked(loose[0]), "citation_line"))
    else:
        fields += [(name, value, "citation_line")
                   for name, value in zip(("publisher", "source_title"), loose, strict=False)]
    return fields
