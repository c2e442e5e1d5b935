"""Patterns tried as one: which words a pattern needs, and that trying only what may match finds the same."""

import pickle
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fengxiang.cleaning import Rules
from fengxiang.patterns import Late, Union, checked, needed_words

LETTERS = "ab报1 "
ATOMS = st.sampled_from(["a", "b", "报", r"\d", r"\s", ".", "[ab]", "[^a]", "[a-b1]", r"[\u4e00-\u9fff]", "(?=a)",
                         "(?!b)", "$", "(?<=a)", r"\b", "(?i:A)", "(?>ab?)"])


def _grown(parts):
    repeats = st.sampled_from(["", "?", "*", "+", "{2}", "{0,2}", "??", "{1,3}?", "*+", "?+"])
    return (st.tuples(parts, repeats).map(lambda p: f"(?:{p[0]}){p[1]}")
            | st.tuples(parts, parts).map("".join)
            | st.lists(parts, min_size=2, max_size=3).map(lambda p: f"(?:{'|'.join(p)})")
            | parts.map(lambda p: f"({p})") | parts.map(lambda p: f"(?:{p}|)"))


PATTERNS = st.recursive(ATOMS, _grown, max_leaves=8)
TEXTS = st.text(LETTERS, max_size=6)


@pytest.mark.parametrize(("pattern", "words"), [
    ("a报", {"a报"}), ("[ab]报", {"a报", "b报"}), ("(?:编辑|编委)会", {"编辑会", "编委会"}), ("a?报b", {"报b", "a报b"}),
    (r"\d+", None), (".{0,9}报.{0,9}", {"报"}), (r"20\d\d年", {"年"}), ("(?:a|.)b?", None), ("(?i:ab)", None),
    ("(?P<x>ab)+c?", {"ab"}), ("(?:ab)?", None), ("[^a]", None), (r"第\s?\d{1,2}\s?版", {"版"}), ("", None),
    ("(?:.a|b报)c", {"ac", "b报c"}), ("[一-鿿]", None), ("x(?=报)", {"x"}), ("(?:x|y|)报", {"报", "x报", "y报"})])
def test_words_a_pattern_needs(pattern, words):
    found = needed_words(pattern)
    assert found == words or (words and found and all(any(w in longer for w in found) for longer in words))


@pytest.mark.parametrize("pattern", ["(", "a**", "(?i)a", "(?<=a+)b", "[b-a]", ")", "(?P<x>a)(?P<x>b)"])
def test_what_is_no_pattern_is_told(pattern):
    with pytest.raises(re.error):
        Union([("it", pattern)])


@settings(max_examples=400, deadline=None)
@given(PATTERNS, st.lists(TEXTS, min_size=1, max_size=12))
def test_a_match_holds_one_of_the_words(pattern, texts):
    words = needed_words(pattern)
    assert words is None or (words and "" not in words)
    for text in texts:
        for m in re.finditer(pattern, text):
            assert words is None or any(word in m[0] for word in words), (m, words)


@settings(max_examples=300, deadline=None)
@given(st.lists(PATTERNS, min_size=1, max_size=5), st.lists(TEXTS, min_size=1, max_size=8))
def test_a_union_finds_what_its_patterns_find_one_by_one(patterns, texts):
    union = Union([(f"r{i}", pattern) for i, pattern in enumerate(patterns)])
    for text in texts:
        for how in ("fullmatch", "match"):
            each = (getattr(re, how)(pattern, text) for pattern in patterns)
            expected = next(((f"r{i}", m.span()) for i, m in enumerate(each) if m), None)
            found = getattr(union, how)(text)
            assert (found and (found[0], found[2].span())) == expected
        ends = [re.search(f"(?:{pattern})$", text) for pattern in patterns]
        first = min((m.start() for m in ends if m), default=None)
        found = union.at_end(text)
        assert (found and (found[0], found[2].start())) == (
            None if first is None else (f"r{next(i for i, m in enumerate(ends) if m and m.start() == first)}", first))
        assert union.starts(text) == any(re.match(pattern, text) for pattern in patterns)


def test_every_pattern_of_the_project_needs_some_word():
    rules = Rules.load(Path(__file__).resolve().parent.parent / "codebook")
    for union in (rules.page_heads, rules.bylines, rules.datelines, rules.signatures, rules.ends):
        assert union._always == []


def test_words_that_overlap_are_all_seen():
    union = Union([("first", "ab1"), ("second", ".b报"), ("third", "ab报?1?")])
    assert [union.fullmatch(text)[0] for text in ("ab报", "ab1", "ab报1")] == ["second", "first", "third"]


def test_a_flag_for_the_whole_is_refused():
    with pytest.raises(re.error, match="a flag must hold for a part"):
        needed_words("(?i)abc")
    assert needed_words("(?i:abc)x") == {"x"}


@settings(max_examples=100, deadline=None)
@given(PATTERNS, st.lists(TEXTS, max_size=4))
def test_a_late_pattern_finds_what_a_compiled_one_finds(pattern, texts):
    compiled, fresh = re.compile(pattern), Late(pattern)
    for late in (fresh, pickle.loads(pickle.dumps(fresh))):
        for text in texts:
            for method in ("match", "fullmatch", "search"):
                found, expected = getattr(late, method)(text), getattr(compiled, method)(text)
                assert (found and found.span()) == (expected and expected.span())
            assert late.sub("-", text) == compiled.sub("-", text)
        assert late.pattern == pattern


def test_a_late_pattern_is_compiled_once_and_when_it_is_used(monkeypatch):
    real, compiled = re.compile, []
    monkeypatch.setattr(re, "compile", lambda *given: compiled.append(given) or real(*given))
    late = Late("a+")
    assert late.pattern == "a+"
    assert not compiled
    assert late.fullmatch("aa")
    assert late.sub("b", "aca") == "bcb"
    assert late.fullmatch("aa")
    assert compiled == [("a+",)]


@pytest.mark.parametrize("pattern", ["(", "(?i)a", "(?<=a+)b"])
def test_a_pattern_is_checked_without_being_used(pattern):
    assert checked("(?i:a)|b") == "(?i:a)|b"
    with pytest.raises(re.error):
        checked(pattern)
