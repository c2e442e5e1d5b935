"""Words: what is kept whole, what is counted, and where it stands."""

import json
import re
from pathlib import Path

import jieba
import numpy as np
import pytest
import rjieba
from hypothesis import given, settings
from hypothesis import strategies as st

from fengxiang import terms
from fengxiang.errors import UserError
from fengxiang.terms import Lexicon, read_words, tokenise


@pytest.fixture(scope="module")
def lexicon():
    return Lexicon(["监管数智化", "AI强监管", "数据要素×", "一表通"], frozenset(["推进", "的"]))


def occurrences(tokens):
    return [(tokens.vocabulary[t], s) for t, s in zip(tokens.term.tolist(), tokens.statement.tolist(), strict=True)]


def test_listed_terms_stay_whole_and_are_placed_in_their_statement(lexicon):
    tokens = tokenise(["推进监管数智化。", "", "“AI强监管”行动；推进数据要素×行动", "2026年1月的一表通"], lexicon)
    assert sorted(occurrences(tokens)) == sorted([
        ("监管数智化", 0), ("AI强监管", 2), ("行动", 2), ("数据", 2), ("要素", 2), ("行动", 2),
        ("数据要素×", 2), ("一表通", 3)])
    assert tokens.statement.tolist() == sorted(tokens.statement.tolist())


def test_words_are_the_denominator_and_punctuation_is_not(lexicon):
    tokens = tokenise(["推进监管数智化。", "", "……"], lexicon)
    assert tokens.n_words.tolist() == [2, 0, 0]  # 推进 (a stop word, still a word) and 监管数智化


def test_no_statements(lexicon):
    tokens = tokenise([], lexicon)
    assert (tokens.vocabulary, tokens.term.tolist(), tokens.n_words.tolist()) == ([], [], [])


def test_a_line_feed_inside_a_statement_does_not_shift_the_next_one(lexicon):
    tokens = tokenise(["监管\n数智化", "一表通"], lexicon)
    assert ("一表通", 1) in occurrences(tokens)


PIECES = ["数据要素×", "AI+", "AI", "“五”联动", "五", "监管数智化", "银行", "推进", "的", "2026年", "贷款", "，", "\n",
          "\r", "\r\n", "\0", " ", "𠮷", "🏦", "é", "①", "-", "\u2028", "a" * 300, "行" * 300]


@pytest.fixture(scope="module")
def listed():
    return Lexicon(["数据要素×", "AI+", "“五”联动", "监管数智化"], frozenset(["推进", "的"]))


@settings(deadline=None)
@given(texts=st.lists(st.lists(st.sampled_from(PIECES) | st.characters(exclude_categories=["Cs"]), max_size=8)
                      .map("".join), max_size=9), at_once=st.integers(1, 4))
def test_many_statements_at_once_are_as_one_by_one(listed, texts, at_once):
    found, n_words = [], []
    for number, text in enumerate(texts):
        text = text.replace("\n", " ").replace("\r", " ")
        words = listed.words(text)
        n_words.append(sum(any(map(str.isalnum, w)) for w in words))
        found += [(w, number) for w in words if listed.counted(w)]
        found += [(m[0], number) for m in re.finditer("数据要素×|AI[+]|“五”联动", text)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(terms, "_AT_ONCE", at_once)
        tokens = tokenise(texts, listed)
    assert occurrences(tokens) == found
    assert tokens.n_words.tolist() == n_words
    assert tokens.vocabulary == sorted({word for word, _ in found})
    assert {column.dtype for column in (tokens.term, tokens.statement, tokens.n_words)} == {np.dtype(np.int32)}


def test_numbers_and_single_characters_are_not_counted(lexicon):
    words = ("银行", "行", "2026", "2026年", "三十", "第三", "AI", "I", "银行、", "5G")
    assert [w for w in words if lexicon.counted(w)] == ["银行", "AI"]


def test_rjieba_cuts_as_jieba_does():
    # the dictionary and the model are jieba's; the parity on Chinese text is what allows the faster program
    root = Path(__file__).parent.parent
    texts = [a["body"] for a in json.loads((root / "codebook/gold/articles.json").read_text("utf-8"))["articles"]]
    texts += [p.read_text("utf-8", "replace") for p in sorted((root.parent / "shared/seeds").glob("*.txt"))]
    runs = [run for text in texts for run in re.findall(r"[\u4e00-\u9fff]{2,}", text)]
    assert len(runs) > 4000
    jieba.setLogLevel(60)
    segmenter = rjieba.Jieba()
    assert [segmenter.cut(run) for run in runs] == [jieba.lcut(run) for run in runs]


def test_a_word_list_is_read_with_comments(tmp_path):
    path = tmp_path / "terms.txt"
    path.write_text("# 说明\n白名单  # 房地产\n\n爆雷\n", encoding="utf-8")
    assert read_words(path) == ["白名单", "爆雷"]


def test_a_repeated_word_is_refused_with_both_lines(tmp_path):
    path = tmp_path / "terms.txt"
    path.write_text("白名单\n爆雷\n白名单\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"terms\.txt:3: “白名单” stands already on line 1"):
        read_words(path)


def test_a_missing_word_list_is_named(tmp_path):
    with pytest.raises(UserError, match=r"stopwords\.txt: this file of the codebook is missing"):
        read_words(tmp_path / "stopwords.txt")
    (tmp_path / "stopwords.txt").write_bytes("推进\n".encode() + "推动".encode("gb18030"))
    with pytest.raises(UserError, match=r"stopwords\.txt:2: is not UTF-8; save it as UTF-8 in the editor"):
        read_words(tmp_path / "stopwords.txt")


COUNTED = re.compile(r"(?:[\u3400-\u9fff]{2,}|[A-Za-z][A-Za-z0-9+\-]+"
                     r"|[0-9A-Za-z+\-]*[\u3400-\u9fff][0-9A-Za-z+\-\u3400-\u9fff]+)")
NEVER = re.compile(r"[0-9].*|[一二三四五六七八九十百千万亿零〇两第]+[年月日个家条项次季]?")


@given(st.lists(st.text("银行一二第年月Aaz09+-·“，〇䷀㐀鿿𠮷é_万家", min_size=1, max_size=5), max_size=30))
def test_words_are_counted_by_their_characters(words):
    lexicon = Lexicon([], frozenset(["银行", "Aa"]))
    counted = [bool(COUNTED.fullmatch(w)) and not NEVER.fullmatch(w) and w not in ("银行", "Aa") for w in words]
    assert [lexicon.counted(w) for w in words] == counted
    assert lexicon.standings(words).tolist() == [
        2 if is_counted else int(any(map(str.isalnum, w))) for w, is_counted in zip(words, counted, strict=True)]
