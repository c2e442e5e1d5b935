"""Finding strings, against ahocorasick_rs and by hand."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fengxiang.matching import Strings, leftmost, outermost


def codes_of(text: str) -> np.ndarray:
    return np.array([ord(character) for character in text], dtype=np.int64)


def found(strings, text):
    finder = Strings(strings)
    return [(finder.strings[n], int(a), int(b)) for n, a, b in zip(*finder.find(codes_of(text)), strict=True)]


def test_all_occurrences_from_the_left_the_longest_first():
    assert found(["科技金融", "金融", "技", "金融科技"], "科技金融科技，金") == [
        ("科技金融", 0, 4), ("技", 1, 2), ("金融科技", 2, 6), ("金融", 2, 4), ("技", 5, 6)]
    assert found(["甲"], "") == []
    assert found([], "甲乙") == []
    assert found(["甲乙", "甲乙", "𠮷野"], "𠮷野甲乙") == [("𠮷野", 0, 2), ("甲乙", 2, 4)]


def test_an_empty_string_is_refused():
    with pytest.raises(ValueError, match="stands everywhere"):
        Strings(["甲", ""])


LETTERS = "甲乙丙丁"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(LETTERS, min_size=1, max_size=5), min_size=1, max_size=12),
       st.text(LETTERS + "戊", max_size=30))
@example(["甲甲", "甲甲甲", "甲"], "甲甲甲甲")
def test_against_ahocorasick(strings, text):
    from ahocorasick_rs import AhoCorasick

    strings = list(dict.fromkeys(strings))
    want = AhoCorasick(strings).find_matches_as_indexes(text, overlapping=True)
    assert found(strings, text) == sorted(((strings[n], a, b) for n, a, b in want), key=lambda hit: (hit[1], -hit[2]))


@settings(max_examples=300, deadline=None)
@given(st.sets(st.tuples(st.integers(0, 12), st.integers(1, 6)), max_size=12))
def test_outermost(spans):
    spans = sorted(((a, a + n) for a, n in spans), key=lambda span: (span[0], -span[1]))
    want = [s for s in spans if not any(o != s and o[0] <= s[0] and s[1] <= o[1] for o in spans)]
    assert [spans[k] for k in outermost(np.array([end for _, end in spans], dtype=np.int64))] == want


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(LETTERS, min_size=1, max_size=5), min_size=1, max_size=12),
       st.text(LETTERS + "戊", max_size=40))
@example(["甲乙", "乙丙", "丙丁", "丁甲"], "甲乙丙丁甲乙丙丁")
@example(["甲乙丙", "乙丙丁甲", "丁甲", "丙"], "甲乙丙丁甲乙")
def test_leftmost_against_ahocorasick(strings, text):
    from ahocorasick_rs import AhoCorasick, MatchKind

    strings = list(dict.fromkeys(strings))
    finder = Strings(strings)
    number, start, end = finder.find(codes_of(text))
    taken = leftmost(start, end)
    assert list(zip(number[taken].tolist(), start[taken].tolist(), end[taken].tolist(), strict=True)) == (
        AhoCorasick(strings, matchkind=MatchKind.LeftmostLongest).find_matches_as_indexes(text))


def test_characters_whose_lower_bits_are_alike_are_told_apart():
    # the search looks at 16 bits of each character, or of a mix of two, before it looks at them
    alike = ["甲", chr(0x10000 + ord("甲")), chr(0x20000 + ord("甲"))]
    strings = [*alike[:2], *(a + b for a in alike for b in alike[1:]), "甲乙" + alike[1]]
    text = "".join(a + b + "乙" + a for a in alike for b in alike) + "甲乙" + alike[1] + alike[2] + alike[0]
    wanted = {(text[a:b], a, b) for a in range(len(text)) for b in range(a + 1, len(text) + 1) if text[a:b] in strings}
    assert set(found(strings, text)) == wanted


def test_many_strings_with_few_and_many_continuations():
    # nodes of the trie below the second character, with one, several and a great many children, whose slots must not
    # be taken for one another's
    rng = random.Random(5)
    letters = [chr(0x4E00 + n) for n in range(60)]
    strings = {"".join(rng.choices(letters[:1 + 59 * wide], k=3)) + "".join(rng.choices(letters, k=rng.randint(0, 3)))
               for wide in (0, 1) for _ in range(4000)}
    strings |= {"甲乙" + letter for letter in letters} | {"甲乙丙" + letter for letter in letters[:9]}
    text = "".join(rng.choices(sorted(strings), k=1500)) + "".join(rng.choices(letters, k=1500))
    longest = max(map(len, strings))
    wanted = {(text[a:b], a, b) for a in range(len(text)) for b in range(a + 1, a + longest + 1)
              if b <= len(text) and text[a:b] in strings}
    assert len(wanted) > 1000
    made = found(sorted(strings), text)
    assert sorted(made) == sorted(wanted)
