"""The cleaning rules of a codebook folder: `cleaning.yml` and `scope.yml`, checked and compiled."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from . import dating, reading
from .errors import UserError
from .patterns import Late, Union, checked
from .yamlfile import YamlFile

SENTENCE_ENDS = "。！？；"
_BRACKETS = "】（]("
FIRST_LOOKS = (100, 600)  # characters by which the subject is known where the title does not tell it
_NAME = r"[\u4e00-\u9fff]{1,4}(?:·[\u4e00-\u9fff]{1,6})?"
_NAMES = rf"{_NAME}(?:[\s、，,/]{{1,3}}{_NAME}){{0,9}}"
_SET = r"\[\^?\]?(?:\\.|[^\]\\])*\]"
_INERT = re.compile(rf"(?s)\\\D|{_SET}")  # what opens and closes no group and refers to none
_REFERENCE = re.compile(r"\\\d|\(\?P=|\(\?\(")
_LITERAL = re.compile(r"[\u4e00-\u9fff]{2,}|[A-Za-z]{3,}|[©ⓒ]")
_MEDIUM = r"[《]?[\u4e00-\u9fffA-Za-z0-9·]{2,16}[》]?"


class Rules:
    """The cleaning rules of a codebook folder, compiled. Can be pickled.

    Attributes:
        labels: `{rule id: (zh, en)}` of every rule and built-in step a ledger can name.
        field_labels: the same for the other rules that `Article.rules` can name; `label` looks in both.
        names: which key, meta name or column gives which field, as the readers need it.
    """

    @classmethod
    def load(cls, codebook_dir: str | Path) -> Rules:
        """Read `cleaning.yml` and `scope.yml`.

        Raises:
            UserError: a file is missing or a rule is broken; names the line.
        """
        return cls(YamlFile(Path(codebook_dir) / "cleaning.yml"), YamlFile(Path(codebook_dir) / "scope.yml"))

    def __init__(self, cleaning: YamlFile, scope: YamlFile):
        check = _Checked(cleaning)
        if not isinstance(cleaning.data, dict):
            raise cleaning.error("holds no rules; put the file of the project back")
        try:
            self._load(check)
        except (re.error, RecursionError, OverflowError) as error:
            raise check.culprit(error) from None
        self.scope = Scope(scope)

    def _load(self, check: _Checked) -> None:
        self.max_line = check.number(("max_line",))
        self.labels = {key: check.names(("steps", key)) for key in check.mapping(("steps",))}
        self.field_labels = {key: check.names(("field_rules", key)) for key in check.mapping(("field_rules",))}
        self.medium_ends = tuple(check.strings(("medium_ends",)))
        self.site_name = Late(rf"[\u4e00-\u9fff]{{2,20}}(?:{_alternatives(list(self.medium_ends))})")
        agencies = _alternatives(check.strings(("agency_ends",)))
        self.agency = Late(rf"[\u4e00-\u9fff（）]{{2,30}}(?:{agencies})")
        check.placeholders["known_medium"] = rf"[\u4e00-\u9fff]{{1,10}}?(?:{_alternatives(list(self.medium_ends))})"
        self._load_names(check)
        self.names["html"]["site_ends"] = (*self.medium_ends, *check.strings(("agency_ends",)))
        self.names["html"]["site"] = Late(  # longer names of sites may be titles: 海西银行业风险观察
            rf"[\u4e00-\u9fff]{{2,6}}(?:{_alternatives(list(self.medium_ends))})|{self.agency.pattern}")
        self._load_furniture(check)
        self._load_bylines(check)
        self._load_labels(check)
        self._load_headings(check)
        plans = [check.compiled(("work_year", "plans", i), p).pattern
                 for i, p in enumerate(check.strings(("work_year", "plans")))]
        self.work_year = dating.WorkYear(
            check.strings(("work_year", "phrases")), check.number(("work_year", "gap")), plans)

    def _load_names(self, check: _Checked) -> None:
        keys = {word.lower(): name for name in check.mapping(("keys",)) for word in check.strings(("keys", name))}
        before, after = (list(map(str.lower, check.strings((key,)))) for key in ("key_prefixes", "key_suffixes"))
        for word, name in list(keys.items()):  # what is listed itself comes first
            for gap in ("", "_", "-"):
                for longer in (*(p + gap + word for p in before), *(word + gap + s for s in after)):
                    keys.setdefault(longer, name)
        meta = {word.lower(): name for name in check.mapping(("meta",)) for word in check.strings(("meta", name))}
        outside, headline = (check.compiled((k,), check.string((k,)), alone=True) for k in ("outside", "headline"))
        page_titles = frozenset(f"meta:{word.lower()}" for word in check.strings(("page_titles",)))
        page = {"meta": meta, "furniture": outside, "headline": headline, "page_titles": page_titles}
        weak = frozenset(map(str.lower, check.strings(("weak_texts",))))
        forwards = [check.part(("mail_forwards", i), p)
                    for i, p in enumerate(check.strings(("mail_forwards",)))]
        mail = {"forward": re.compile("|".join(f"(?:{p})" for p in forwards) or "(?!)"),
                "header": re.compile(rf"(?:{_alternatives(check.strings(('mail_headers',)))})\s?[:：].*")}
        titles = reading.title_words([word.lower() for word in check.strings(("keys", "title"))])
        self.names = {"json": keys, "titles": titles, "html": page,
                      "mail": mail, "weak_texts": weak, "records": keys | dict.fromkeys(weak, "text")}

    def _load_furniture(self, check: _Checked) -> None:
        self.whole_lines: dict[str, str] = {}
        self.closing: set[str] = set()
        self.ending: set[str] = set()
        patterns, sentences, ends = [], [], []
        for i, rule in enumerate(check.list(("furniture",))):
            at = ("furniture", i)
            if not isinstance(rule, dict) or not isinstance(rule.get("id"), str):
                raise check.file.error("a furniture rule needs an id", *at)
            known = {"id", "zh", "en", "closes", "ends_article", "sentences", "lines", "patterns", "ends"}
            if unknown := sorted(set(rule) - known):
                raise check.file.error(f"“{unknown[0]}” is no part of a furniture rule", *at, unknown[0])
            if rule["id"] in self.labels:
                raise check.file.error(f"the id “{rule['id']}” stands twice", *at, "id")
            self.labels[rule["id"]] = check.names(at)
            if rule.get("closes"):
                self.closing.add(rule["id"])
            if rule.get("ends_article"):
                self.ending.add(rule["id"])
            for word in check.strings((*at, "lines"), optional=True):
                self.whole_lines.setdefault(bare(word), rule["id"])
            for kind, into in (("patterns", patterns), ("ends", ends)):
                for j, pattern in enumerate(check.strings((*at, kind), optional=True)):
                    into.append((rule["id"], check.part((*at, kind, j), pattern)))
            if rule.get("sentences"):
                sentences += [(name, pattern) for name, pattern in patterns if name == rule["id"]]
        self._furniture, self._sentences, self.ends = Union(patterns), Union(sentences), Union(ends)
        self.page_heads = check.union(("page_heads",))
        self._sentence_words = sorted({w for _, p in sentences for w in _LITERAL.findall(p)})
        for keys in (("columns",), ("column_words",)):
            check.strings(keys)
        self.columns = frozenset(check.strings(("columns",)))
        self.column_words = frozenset(check.strings(("column_words",)))

    def _load_bylines(self, check: _Checked) -> None:
        self.surnames = frozenset(check.string(("surnames",)).replace(" ", ""))
        person = rf"(?:[{re.escape(''.join(sorted(self.surnames)))}](?:[\u4e00-\u9fff]{{1,2}}|\s[\u4e00-\u9fff]))"
        people = rf"{person}(?:[\s、，,]{{1,3}}{person}){{0,5}}"
        self.only_names = re.compile(people)
        check.placeholders["people"] = people
        self.places = frozenset(check.strings(("places",)))
        self.bylines = check.union(("bylines",))
        self.datelines = check.union(("datelines",))
        marks = check.strings(("dateline_marks",))
        self.dateline_mark = re.compile(_alternatives(marks))
        inside = {mark.strip(_BRACKETS) for mark in marks}
        inside = sorted(a for a in inside if not any(b in a for b in inside - {a}))
        self._marks_with = [(part, [mark for mark in marks if part in mark]) for part in inside]
        self.signatures = check.union(("signatures",))
        self.tag_ends = tuple(check.strings(("tag_ends",)))
        self.lead_ins = tuple(check.strings(("lead_ins",)))
        self.abstracts = tuple(check.strings(("abstracts",)))
        self.abstract_marks = frozenset(word[0] for word in self.abstracts)
        sections = _alternatives(check.strings(("portal_sections",)))
        portals, ends = _alternatives(check.strings(("portals",))), _alternatives(list(self.medium_ends))
        self.portal = re.compile(  # any other 网 too, where a known kind of medium stands behind it
            rf"(?!.*(?:{sections})$)(?:(?:{portals})\s?[-—–－·]\s?(?=\S\S)"
            rf"|[\u4e00-\u9fff]{{2,8}}网\s?[-—–－·]\s?(?=\S{{1,12}}(?:{ends})$))")
        self.not_authors = frozenset(check.strings(("not_authors",)))
        self.not_publishers = frozenset(check.strings(("not_publishers",)))
        roles = _alternatives(check.strings(("roles",)))
        ends = _alternatives(check.strings(("role_ends",)))
        self.role = re.compile(rf"^(?:{roles})[:：]?|(?:{ends})$")
        self.role_inside = re.compile(roles)

    def _load_labels(self, check: _Checked) -> None:
        self.info_labels: dict[str, str] = {}
        for name in check.mapping(("labels",)):
            for word in check.strings(("labels", name)):
                self.info_labels[word] = "" if name == "none" else name
        bare_labels = check.strings(("bare_labels",))
        for i, word in enumerate(bare_labels):
            if word not in self.info_labels:
                raise check.file.error(f"“{word}” is not among the labels; add it there", "bare_labels", i)
        self.bare_labels = frozenset(bare_labels)
        self.label_ends = frozenset(word[-1] for word in self.info_labels)
        self.longest_label = max(map(len, self.info_labels), default=0)
        self.names["html"]["label"] = Late(rf"(?:{_alternatives(list(self.info_labels))})\s?[:：]")
        others = [w for w, name in self.info_labels.items() if name == ""]
        self.other_credit = Late(rf"\s?(?:{_alternatives(others)})\s?[|｜丨/／:：]")
        idle = check.strings(("idle",))
        self.idle = Late(checked(
            "|".join(f"(?:{check.part(('idle', i), p)})" for i, p in enumerate(idle)) or "(?!)"))
        self.idle_at_end = Late(rf"\s{{0,3}}(?:{self.idle.pattern})$")
        sure, maybe = check.strings(("citation", "sure")), check.strings(("citation", "maybe"))
        self.citation_starts = tuple(sure + maybe)
        self.citation_marks = frozenset(word[0] for word in self.citation_starts)
        self.citation_start = re.compile(
            rf"(?:(?P<sure>{_alternatives(sure)})|{_alternatives(maybe)})\s{{0,3}}[:：]\s{{0,3}}")
        self.citation_labels = {
            word: "" if name == "none" else name
            for name in check.mapping(("citation", "labels")) for word in check.strings(("citation", "labels", name))}

    def _load_headings(self, check: _Checked) -> None:
        self.max_heading = check.number(("heading", "max_chars"))
        self.max_title = check.number(("heading", "max_title"))
        self.not_ends = tuple(check.strings(("heading", "not_ends")))
        self.not_next = tuple(check.strings(("heading", "not_next")))
        self.begins = tuple(check.strings(("heading", "begins")))
        self.not_starts = tuple(check.strings(("heading", "not_starts")))
        speakers = _alternatives(check.strings(("heading", "speakers")))
        self.speaker = re.compile(rf"(?:《[^《》]{{2,20}}》|{speakers})[：:]")
        self.numbered = check.union(("heading", "numbered"))
        self.items = [check.compiled(("heading", "items", i), p)
                      for i, p in enumerate(check.strings(("heading", "items")))]
        self.any_item = check.union(("heading", "items"))

    def prepare(self) -> None:
        """Make the automata now that are otherwise made when they are first needed."""
        self.scope.prepare()
        for part in vars(self).values():
            if isinstance(part, Union):
                part.prepare()

    def label(self, rule: str) -> tuple[str, str]:
        """The Chinese and the English name of a rule as ledgers name it, or as `Article.rules` names it."""
        kind, colon, name = rule.partition(":")
        if colon and kind in self.field_labels:
            zh, en = self.field_labels[kind]
            return f"{zh} {name}", f"{en} {name}"
        return self.labels.get(rule) or self.field_labels.get(rule) or (rule, rule)

    def may_have_dateline(self, text: str) -> bool:
        """Whether one of the marks of datelines stands in a text."""
        for part, marks in self._marks_with:  # few parts are in all marks, and each is in few
            if part in text:
                for mark in marks:
                    if mark in text:
                        return True
        return False

    def furniture(self, line: str):
        """The furniture pattern that the whole line matches, as `Union.fullmatch`."""
        return (self._sentences if line[-1] in SENTENCE_ENDS else self._furniture).fullmatch(line)

    def may_be_furniture(self, sentence: str) -> bool:
        """Whether a sentence holds one of the words that the patterns for sentences are made of; with none it is body
        text, whatever it matches."""
        return any(word in sentence for word in self._sentence_words)


def _alternatives(words: list[str]) -> str:
    """Words as one expression that prefers the longest; one that never matches where there are none."""
    return "|".join(re.escape(w) for w in sorted(words, key=lambda w: (-len(w), w))) or "(?!)"


class _Checked:
    """Reads values of a YAML file and says by line what is wrong with them."""

    def __init__(self, file: YamlFile):
        self.file = file
        self.placeholders = {"names": _NAMES, "name": _NAME, "medium": _MEDIUM}
        self.parts: list[tuple[tuple, str]] = []

    def value(self, keys: tuple):
        at = self.file.data
        for key in keys:
            try:
                at = at[key]
            except (KeyError, IndexError, TypeError):
                raise self.file.error(f"“{'.'.join(map(str, keys))}” is missing", *keys) from None
        return at

    def mapping(self, keys: tuple) -> dict:
        value = self.value(keys)
        if not isinstance(value, dict):
            raise self.file.error(f"“{keys[-1]}” must be a block of “key: value” lines", *keys)
        return value

    def list(self, keys: tuple) -> list:
        value = self.value(keys)
        if not isinstance(value, list):
            raise self.file.error(f"“{keys[-1]}” must be a list", *keys)
        return value

    def strings(self, keys: tuple, optional: bool = False) -> list[str]:
        if optional and keys[-1] not in self.value(keys[:-1]):
            return []
        values = self.list(keys)
        for i, value in enumerate(values):
            if not isinstance(value, str) or not value:
                raise self.file.error(f"“{keys[-1]}” must hold words; put {value!r} between quotation marks", *keys, i)
        return values

    def string(self, keys: tuple) -> str:
        value = self.value(keys)
        if not isinstance(value, str) or not value:
            raise self.file.error(f"“{keys[-1]}” must be a text", *keys)
        return value

    def number(self, keys: tuple) -> int:
        value = self.value(keys)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.file.error(f"“{keys[-1]}” must be a whole number", *keys)
        return value

    def names(self, keys: tuple) -> tuple[str, str]:
        value = self.mapping(keys)
        for language in ("zh", "en"):
            if not isinstance(value.get(language), str) or not value[language].strip():
                raise self.file.error(f"a rule needs a name in both languages (“{language}” is missing)", *keys)
        return value["zh"], value["en"]

    def compiled(self, keys: tuple, pattern: str, alone: bool = False) -> re.Pattern:
        """An expression with its placeholders filled in; `alone` tells that it is not to become part of another."""
        for name, meaning in self.placeholders.items():
            pattern = pattern.replace("{" + name + "}", meaning)
        try:
            out = re.compile(pattern)
        except (re.error, RecursionError, OverflowError) as error:
            raise self.file.error(f"is not a regular expression: {error}", *keys) from None
        if not alone and out.flags != re.UNICODE:  # its flags are not meant for the others it will stand among
            raise self.file.error("a flag such as (?i) must hold for a part: write (?i:…)", *keys)
        return out

    def part(self, keys: tuple, pattern: str) -> str:
        """An expression with its placeholders filled in that becomes part of another, which will be compiled: what is
        wrong with it shows there, and `culprit` then names it."""
        self.parts.append((keys, pattern))
        rest = _INERT.sub("", pattern)
        if not _is_closed(rest):  # those it will stand among might put it right
            self.compiled(keys, pattern)
        if _REFERENCE.search(rest):
            raise self.file.error("cannot refer to a group of its own; write out what stands there", *keys)
        for name, meaning in self.placeholders.items():
            pattern = pattern.replace("{" + name + "}", meaning)
        return pattern

    def culprit(self, error: Exception) -> UserError:
        """The error in one of the parts, if another in what they are part of led to it."""
        try:
            for keys, pattern in self.parts:
                self.compiled(keys, pattern)
        except UserError as found:
            return found
        return self.file.error(f"is not a regular expression: {error}")

    def union(self, keys: tuple) -> Union:
        return Union([(str(keys[-1]), self.part((*keys, i), p)) for i, p in enumerate(self.strings(keys))])


def _is_closed(rest: str) -> bool:
    """Whether an expression, of which what `_INERT` finds is left out, closes all it opens and nothing else."""
    depth = 0
    for mark in rest:
        depth += (mark == "(") - (mark == ")")
        if depth < 0:
            return False
    return not depth and "[" not in rest and "(?#" not in rest and not rest.endswith("\\")


class Scope:
    """Whether an article belongs to the subject, by counted words (`scope.yml`)."""

    def __init__(self, file: YamlFile):
        check = _Checked(file)
        if not isinstance(file.data, dict):
            raise file.error("holds no rules; put the file of the project back")
        self.enabled = check.value(("enabled",))
        if not isinstance(self.enabled, bool):
            raise file.error("“enabled” must be true or false", "enabled")
        self.minimum = check.number(("minimum",))
        self.per_1000 = check.number(("per_1000_chars",))
        self.agency_weight = check.number(("agency_weight",))
        self.title_weight = check.number(("title_weight",))
        agencies, terms = check.strings(("agencies",)), check.strings(("terms",))
        masks = check.strings(("not_agencies",))
        own = check.strings(("own_affairs",), optional=True)
        self._words = list(dict.fromkeys([*agencies, *terms, *masks, *own]))
        if not self._words:
            raise file.error("names no agency and no term; write one at least", "agencies")
        kinds = {"own": own, "term": terms, "agency": agencies, "mask": masks}  # the later decides
        self._kind = {word: kind for kind, words in kinds.items() for word in words}
        self._automaton = None

    def __getstate__(self):
        return self.__dict__ | {"_automaton": None}

    def prepare(self) -> None:
        """Make the automaton, if it is not there."""
        if self._automaton is None and self.enabled:
            import ahocorasick_rs

            self._automaton = ahocorasick_rs.AhoCorasick(
                self._words, matchkind=ahocorasick_rs.MatchKind.LeftmostLongest,
                implementation=ahocorasick_rs.Implementation.DFA)

    def judge(self, title: str, text: str) -> tuple[str, str]:
        """`("in", "")`, or `("out", reason)` with the reason in Chinese and English."""
        if not self.enabled:
            return "in", ""
        self.prepare()
        needed = self.minimum + self.per_1000 * len(text) // 1000
        if not needed:
            return "in", ""
        in_title, title_terms, own = self._count(title)
        if (0 if own else in_title * self.title_weight * self.agency_weight) + len(title_terms) >= needed:
            return "in", ""
        for look in (*FIRST_LOOKS, len(text)):  # most articles show what they are about early on
            part = text if look >= len(text) else text[: text.rfind("。", 0, look) + 1]  # no word is cut
            in_text, terms, _ = self._count(part)
            agencies, n_terms = in_title * self.title_weight + in_text, len(title_terms | terms)
            evidence = (0 if own else agencies * self.agency_weight) + n_terms
            if evidence >= needed:
                return "in", ""
        zh, en = "", ""
        if own:
            zh = f"（标题有“{own}”，是机构自身事务，机构名不算证据）"
            en = f" (its title has “{own}”, an agency's own affairs, so that its name is no evidence)"
        return "out", (f"与本题无关：监管机构出现{agencies}次，主题词{n_terms}个，证据{evidence}分，不足{needed}分"
                       f"{zh} / off the subject: regulators named {agencies} times, {n_terms} subject terms, evidence"
                       f" {evidence} of the {needed} needed{en}")

    def _count(self, text: str) -> tuple[int, set[str], str]:
        """Mentions of regulators in a text, the different subject terms, and the first word by which a title tells of
        an agency's own affairs, if it has one."""
        agencies, terms, own = 0, set(), ""
        for word in self._automaton.find_matches_as_strings(text) if text else ():
            kind = self._kind[word]
            if kind == "agency":
                agencies += 1
            elif kind == "term":
                terms.add(word)
            elif kind == "own":
                own = own or word
        return agencies, terms, own


@lru_cache(maxsize=1)
def segmenter():
    """Words of the general dictionary, by which torn words are told; loaded when first asked."""
    import rjieba

    return rjieba.Jieba()


def bare(text: str) -> str:
    """A line without blanks and without marks at its ends: how whole lines are compared."""
    return text.strip(" \t：:·•>»«<|｜【】[]（）()…-—*#■●◆▲□◎★▇█◼▪").replace(" ", "")
