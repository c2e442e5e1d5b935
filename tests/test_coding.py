"""The coder, on codebooks small enough to reason about by hand."""

from __future__ import annotations

import pickle
import random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fengxiang import coding
from fengxiang.coding import (
    CLAUSE_ENDS,
    Codebook,
    _Batch,
    _Kinds,
    _Scan,
    _WordLists,
    code,
    line_uses,
    normalised,
    pattern_report,
)
from fengxiang.matching import Strings
from fengxiang.model import Article, Coding, Paragraph, Statements

GROUPS = """
groups:
  - {id: risk, name_zh: 防风险, name_en: Risk, colour: "#112233"}
  - {id: growth, name_zh: 促发展, name_en: Growth, colour: "#445566"}
"""
THEME = """
  - code: {code}
    name_zh: {code}
    name_en: {code}
    group: {group}
    definition_zh: {code}
    definition_en: {code}
"""
DEONTIC = """
masks: [重要, 首要]
report: [亿元]
plan: [将, 下一步]
adverbs: [其一, 继续, 并]
agents: [某局]
grades:
  - {id: prohibit, name_zh: 禁止, name_en: Ban, definition_zh: 禁止, definition_en: Prohibited, terms: [严禁, 不得]}
  - {id: must, name_zh: 必须, name_en: Obligation, definition_zh: 必须, definition_en: Obliged, terms: [要, 必须]}
  - id: promote
    name_zh: 推动
    name_en: Promotion
    definition_zh: 推动
    definition_en: Promoted
    terms: [鼓励]
    opening: [推动, 支持]
    unless: [家次]
    quoted: no
"""


def codebook(folder, themes: dict[str, str], top: str = "", deontic: str = DEONTIC, groups=("risk",)) -> Codebook:
    """A codebook of themes given as `{code: its further lines of YAML}`; those named `g_…` are of the group growth."""
    text = GROUPS + top + "\nthemes:\n"
    for name, lines in themes.items():
        text += THEME.format(code=name, group="growth" if name.startswith("g_") else "risk")
        text += "".join(f"    {line}\n" for line in lines.strip().splitlines())
    (folder / "themes.yml").write_text(text, encoding="utf-8")
    (folder / "deontic.yml").write_text(deontic, encoding="utf-8")
    return Codebook.load(folder)


def batch(*texts: str, title: str | None = None, headings=None, paragraphs=None, script="hans"):
    """One article and its statements, each in a paragraph of its own unless told otherwise."""
    article = Article("a.txt", "plain", 1, title=title, script=script, paragraphs=[Paragraph(t) for t in texts])
    n = len(texts)
    return [article], Statements([0] * n, list(paragraphs or range(n)), list(range(1, n + 1)), list(texts),
                                 list(headings or [None] * n))


def coded(book: Codebook, *texts: str, **options) -> Coding:
    return code(*batch(*texts, **options), None, book)


# Normalisation

@pytest.mark.parametrize(("text", "plain", "offsets"), [
    ("", "", []),
    ("“AI强监管”", "ai强监管", [1, 2, 3, 4, 5]),
    ("ＡＩ 强 监管", "ai强监管", [0, 1, 3, 5, 6]),
    ("数据要素×、数据要素X", "数据要素x、数据要素x", list(range(11))),
    ("fin tech 与 AI+ 金融", "fin tech与ai+金融", [0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 12, 13, 15, 16]),
    ("稳，进;快:好!", "稳，进；快：好！", list(range(8))),
    ("「白名單」『机制』‘好’", "白名單机制好", [1, 2, 3, 6, 7, 10]),
    ("零\u200b宽\u3000空\u00a0格\ufeff", "零宽空格", [0, 2, 4, 6]),
    ("𠮷野家AI", "𠮷野家ai", [0, 1, 2, 3, 4]),
    ("科技—产业", "科技-产业", [0, 1, 2, 3, 4]),
    ("半\ud800个", "半\ufffd个", [0, 1, 2]),
])
def test_normalised(text, plain, offsets):
    got, kept = normalised(text)
    assert (got, kept.tolist()) == (plain, offsets)


@given(st.text(max_size=60))
def test_normalising_again_changes_nothing_and_offsets_rise(text):
    plain, kept = normalised(text)
    assert normalised(plain)[0] == plain or " " in plain  # a dropped mark can bring a space to the edge of a word
    assert len(plain) == len(kept)
    assert all(a < b for a, b in zip(kept.tolist(), kept.tolist()[1:], strict=False))
    assert all(0 <= k < len(text) for k in kept.tolist())


@given(st.lists(st.text(alphabet="甲乙ab “”，,。！\n　 《》𠮷\ud800\x00", max_size=12), max_size=6))
def test_a_batch_is_its_texts_one_behind_the_other_with_their_clauses(texts):
    batch = _Batch(texts)
    line = "".join(normalised(text.replace("\n", " "))[0] + "\n" for text in texts) or "\n"
    codes = "".join(map(chr, batch.codes.tolist()))
    if not any(" " in text or "　" in text or "\n" in text for text in texts):
        assert codes == line  # a space at the edge of a text would stand beside a line feed
    ends = [i for i, c in enumerate(codes) if c in CLAUSE_ENDS]
    assert batch.ends.tolist() == ends
    assert batch.clause.tolist() == [sum(end < i for end in ends) for i in range(len(codes))]
    assert batch.text_of.tolist() == [codes[:end].count("\n") for end in ends]
    for number, text in enumerate(texts):
        assert batch.text(number) == normalised(text.replace("\n", " "))[0]


@given(st.data())
def test_words_of_many_lists_against_looking_for_each(data):
    words = ["甲", "乙", "丙", "甲乙", "丙丁"]
    lists = data.draw(st.lists(st.lists(st.sampled_from(words), min_size=1, max_size=2).map(tuple), min_size=1,
                               max_size=130))
    texts = data.draw(st.lists(st.text(alphabet="甲乙丙丁戊，", max_size=8), min_size=1, max_size=4))
    strings = Strings([*words, "戊甲"])
    kinds = _Kinds(strings)
    listed = _WordLists(lists, strings, kinds)
    # what begins or ends in a mask is not shown
    scan = _Scan(_Batch(texts), strings, kinds, kinds.new(()), kinds.new(["戊甲"]))
    clauses = [clause for text in texts for clause in text.replace("戊甲", "戊〇").split("，")]
    pairs = data.draw(st.lists(st.tuples(st.integers(0, len(clauses) - 1), st.integers(0, len(lists) - 1))))
    asked, which = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    found = listed.stand(scan, None, asked, which)
    assert found.tolist() == [any(word in clauses[a] for word in lists[w]) for a, w in pairs]
    text_of = scan.batch.text_of.tolist()
    found = listed.stand(scan, scan.batch.text_of, asked, which)
    whole = [text.replace("戊甲", "戊〇") for text in texts]
    assert found.tolist() == [any(word in whole[text_of[a]] for word in lists[w]) for a, w in pairs]


# What a line means

def test_lines_of_every_kind(tmp_path):
    book = codebook(tmp_path, {
        "term": "terms: [白名单, 数据要素×, ai强监管]",
        "clause": "pairs: [房企/开发商 + 融资/贷款]",
        "statement": "pairs: [报案 & 保险]",
        "near": "pairs: [投资 +3 保障]",
        "notclause": "pairs: [预警 - 台风/气象]",
        "notstatement": "pairs: [专项债 ! 中小银行]",
        "unless": "terms: [监管数据]\nunless: [罚单]",
        "listed": "pairs: ['@who + 检查']",
    }, top="lists:\n  who: [总局, 该局]\n")
    texts = [
        "用好“白 名单”，参与“数据要素X”和“ＡＩ强监管”行动。",
        "开发商要融资。", "开发商发愁，银行不给融资。",
        "群众报案，由保险公司受理。", "群众报案，由公安受理。",
        "投资融保障。", "投资的资金保障。", "融保障，投资。",
        "风险预警机制。", "台风预警，风险上升。", "台风来了，风险预警。",
        "专项债发行。", "专项债发行，用于中小银行。",
        "监管数据质量。", "罚单称，监管数据不实。", "罚单与监管数据。",
        "该局开展检查。", "他局开展检查。",
    ]
    got = coded(book, *texts)
    assert got.stated == [
        ("term",), ("clause",), (), ("statement",), (), ("near",), (), (),
        ("notclause",), (), ("notclause",), ("notstatement",), (),
        ("unless",), ("unless",), (), ("listed",), ()]
    assert [[texts[0][a:b] for _, a, b in got.evidence[0]], got.evidence[5]] == [
        ["白 名单", "数据要素X", "ＡＩ强监管"], (("near", 0, 2),)]


def test_a_term_inside_a_longer_one_or_a_mask_is_not_found(tmp_path):
    book = codebook(tmp_path, {"ai": "terms: [算法]", "law": "terms: [预算法实施]", "strong": "terms: [强监管]"},
                    top="masks: [预算法, 加强监管]\n")
    got = coded(book, "学习预算法。", "预算法实施以来。", "算法透明。", "加强监管，落实强监管。", "新预算法和算法。")
    assert got.stated == [(), ("law",), ("ai",), ("strong",), ("ai",)]
    assert got.evidence == [(), (("law", 0, 5),), (("ai", 0, 2),), (("strong", 7, 10),), (("ai", 5, 7),)]


def test_a_mask_hides_its_words_from_conditions_too(tmp_path):
    book = codebook(tmp_path, {"demand": "pairs: [支持 + 消费]"}, top="masks: [消费金融公司]\n")
    assert coded(book, "支持消费金融公司上市。", "支持消费。").stated == [(), ("demand",)]


def test_neighbours_that_share_characters_are_both_found(tmp_path):
    book = codebook(tmp_path, {"a": "terms: [小微企业融资]", "b": "terms: [融资协调机制]", "c": "terms: [机制创新]",
                               "d": "terms: [协调]"})
    got = coded(book, "小微企业融资协调机制创新。")
    assert got.evidence == [(("a", 0, 6), ("b", 4, 10), ("c", 8, 12))]


@settings(max_examples=150, deadline=None)
@given(st.sets(st.text(alphabet="甲乙丙", min_size=1, max_size=4), min_size=1, max_size=8),
       st.lists(st.text(alphabet="甲乙丙丁", max_size=14), min_size=1, max_size=4))
def test_the_occurrences_that_count_are_those_inside_no_other(tmp_path_factory, terms, texts):
    book = codebook(tmp_path_factory.mktemp("c"), {"x": f"terms: [{', '.join(sorted(terms))}]"})
    for text, evidence in zip(texts, coded(book, *texts).evidence, strict=True):
        spans = {(i, i + len(t)) for t in terms for i in range(len(text)) if text.startswith(t, i)}
        outermost = {s for s in spans if not any(o != s and o[0] <= s[0] and s[1] <= o[1] for o in spans)}
        assert {(a, b) for _, a, b in evidence} == outermost


def test_yielding_to_another_theme_is_by_clause(tmp_path):
    book = codebook(tmp_path, {"sup": "terms: [监管数字化]", "dig": "terms: [数字化转型, 人工智能]\nyields_to: [sup]"})
    got = coded(book, "人工智能用于监管数字化。", "人工智能助力银行，监管数字化提速。", "数字化转型。")
    assert got.stated == [("sup",), ("sup", "dig"), ("dig",)]


def test_topics_of_an_enumeration_do_not_count(tmp_path):
    book = codebook(tmp_path, {"tech": "terms: [科技]", "green": "terms: [绿色]", "ai": "terms: [人工智能]"},
                    top="passing:\n  - 聚焦/面向 … 等领域\n  - 介绍 …\n")
    got = coded(book, "聚焦科技、绿色等领域，发展人工智能。", "聚焦科技，发展绿色等领域。", "聚焦科技等领域。",
                "介绍科技和绿色。", "介绍科技。", "绿色贷款聚焦科技、农业等领域。")
    assert got.stated == [("ai",), ("tech", "green"), ("tech",), (), ("tech",), ("green",)]


def test_what_is_mentioned_by_the_way_does_not_count(tmp_path):
    book = codebook(tmp_path, {"small": "terms: [小微]", "green": "terms: [绿色]", "court": "terms: [法院]"},
                    top="aside:\n  - 低于/比全市 … 平均\n  - … 等单位参加/出席\n  - 列席 …\n")
    got = coded(book, "绿色贷款利率低于小微企业的平均水平。", "低于小微企业，绿色贷款利率为平均水平。",
                "小微平均利率低于三厘。", "法院等单位参加，绿色项目签约。", "绿色项目签约，法院列席。",
                "列席的有法院、小微企业。", "绿色；法院出席；小微。")
    assert got.stated == [("green",), ("small", "green"), ("small",), ("green",), ("green", "court"), (),
                          ("small", "green")]


def test_negation_and_quotation_are_guarded(tmp_path):
    book = codebook(tmp_path, {"fraud": "terms: [非法集资]", "cap": "terms: [资本]"},
                    top="guards:\n  before: [并非]\n  anywhere: [美联储]\n")
    got = coded(book, "这并非非法集资。", "并非如此，非法集资要防。", "并非非法集资，是资本充足。",
                "美联储说，资本充足。", "补充“资本”。", title="资本")
    assert got.stated == [(), ("fraud",), ("cap",), (), ("cap",)]
    assert got.guarded == [("fraud",), (), ("fraud",), ("cap",), ()]
    assert coded(book, "补充资本。", title="并非非法集资").guarded == [()]
    assert got.inherited == [("cap",), (), (), (), ()]  # a guarded theme is not inherited either
    assert got.evidence[0] == ()


# What a statement takes over

def test_inheritance(tmp_path):
    book = codebook(tmp_path, {
        "topic": "terms: [普惠]", "other": "terms: [绿色]", "rules": "terms: [办法]\ninherit: alone",
        "joint": "terms: [会同]\ninherit: no", "g_topic": "terms: [养老]"},
        top="carry: [其中]\nbackground:\n  - 总资产\n  - 存款 - 存款人\n")

    def inherited(text, title=None, heading=None):
        return coded(book, text, title=title, headings=[heading]).inherited[0]

    plain = "增长很快。"
    assert inherited(plain, "普惠") == ("topic",)
    assert inherited(plain, "普惠与绿色") == ()
    assert inherited(plain, "普惠办法") == ("topic",)
    assert inherited(plain, "办法") == ("rules",)
    assert inherited(plain, "会同") == ()
    assert inherited(plain, "会同推进普惠") == ("topic",)
    assert inherited(plain, "普惠", "绿色") == ("other",)
    assert inherited(plain, "普惠", "下一步") == ("topic",)
    assert inherited(plain) == ()
    assert inherited("绿色发展。", "普惠") == ()
    assert inherited("总资产增长。", "普惠") == ()
    assert inherited("存款增长。", "普惠") == ()
    assert inherited("存款人受益。", "普惠") == ("topic",)
    # joint work says who, the title on what; but not a theme of its own group
    assert inherited("会同各方。", "养老") == ("g_topic",)
    assert inherited("会同各方。", "普惠") == ()


def test_a_statement_that_opens_with_a_carrying_word_takes_over_from_the_one_before(tmp_path):
    book = codebook(tmp_path, {"a": "terms: [普惠]", "b": "terms: [绿色]"}, top="carry: [其中, 这部分]\n")
    got = coded(book, "普惠增长。", "其中信用贷款多。", "这部分稳。", "绿色与普惠。", "其中多。", "其中多。",
                "其中绿色多。", title="绿色", paragraphs=[0, 0, 1, 1, 1, 1, 1])
    assert got.inherited == [(), ("a",), ("a",), (), ("b",), ("b",), ()]


def test_an_article_is_never_cut(tmp_path, monkeypatch):
    book = codebook(tmp_path, {"a": "terms: [普惠]"}, top="carry: [其中]\n")
    monkeypatch.setattr(coding, "BATCH", 2)
    assert coded(book, "普惠。", "普惠。", "其中多。", "其中稳。").inherited == [(), (), ("a",), ("a",)]


def test_a_heading_is_read_in_its_own_batch_whatever_the_order(tmp_path, monkeypatch):
    book = codebook(tmp_path, {"a": "terms: [普惠]", "b": "terms: [绿色]"})
    articles = [Article("a", "plain", i + 1, title=t) for i, t in enumerate(["普惠", "绿色", None])]
    rng = random.Random(7)
    rows = [(rng.randrange(3), i, rng.choice(["普惠。", "绿色。", "增长。"]), rng.choice([None, "绿色", "其他"]))
            for i in range(40)]
    statements = Statements(*map(list, zip(*[(a, i, i + 1, t, h) for a, i, t, h in rows], strict=True)))
    whole = code(articles, statements, None, book)
    one_by_one = [code(articles, Statements([a], [i], [1], [t], [h]), None, book) for a, i, t, h in rows]
    monkeypatch.setattr(coding, "BATCH", 7)
    in_sevens = code(articles, statements, None, book)
    for column in ("stated", "inherited", "evidence", "guarded", "deontic"):
        assert getattr(whole, column) == [getattr(c, column)[0] for c in one_by_one] == getattr(in_sevens, column)


# Offsets, scripts, hostile input

def test_offsets_are_those_of_the_statement_as_it_stands(tmp_path):
    book = codebook(tmp_path, {"a": "terms: [白名单, ai强监管]"})
    texts = ["\udfff“白名单”", "项目“白 名 单”有效。", "\u3000深入推进“ＡＩ强监管”", "第一行\n白名\n单", "白名单", ""]
    got = coded(book, *texts)
    assert [[text[a:b] for _, a, b in e] for text, e in zip(texts, got.evidence, strict=True)] == [
        ["白名单"], ["白 名 单"], ["ＡＩ强监管"], ["白名\n单"], ["白名单"], []]


def test_traditional_script_is_matched_in_simplified_characters(tmp_path):
    book = codebook(tmp_path, {"a": "terms: [金融监管, 强监管]"})
    text = "落實「強監管」，加強金融監管。"
    got = coded(book, text, script="hant")
    assert [text[a:b] for _, a, b in got.evidence[0]] == ["強監管", "金融監管"]
    assert coded(book, text).stated == [()]


@pytest.fixture(scope="module")
def two_themes(tmp_path_factory):
    return codebook(tmp_path_factory.mktemp("two"), {"a": "terms: [普惠, a甲×]", "b": "terms: [算法]"},
                    top="masks: [预算法]\n")


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(st.text(alphabet="普惠绿色 “”，。\n算法预Ａa×甲", max_size=20), max_size=6))
def test_evidence_points_at_an_anchor(two_themes, texts):
    got = coded(two_themes, *texts)
    for text, evidence, stated in zip(texts, got.evidence, got.stated, strict=True):
        assert {theme for theme, _, _ in evidence} == set(stated)
        for theme, start, end in evidence:
            assert normalised(text[start:end].replace("\n", " "))[0] in {"a": {"普惠", "a甲x"}, "b": {"算法"}}[theme]


def test_a_hostile_statement_takes_linear_time(tmp_path):
    book = codebook(tmp_path, {"a": "terms: [科技]\n", "b": "pairs: [甲 +9 乙 - 丙]"},
                    top="passing:\n  - 聚焦 … 等领域\n  - 面向 …\nguards:\n  before: [并非]\n")
    started = time.process_time()
    for unit in ("聚焦科技、等领域", "面向科技、", "并非科技", "甲", "“ "):
        coded(book, unit * 20_000)
    assert time.process_time() - started < 8


def test_no_statements_no_themes(tmp_path):
    book = codebook(tmp_path, {"a": "terms: []"})
    assert code([], Statements(), None, book) == Coding()
    assert coded(book, "普惠。", title="普惠").stated == [()]


def test_a_codebook_survives_pickling(tmp_path):
    book = codebook(tmp_path, {"a": "terms: [普惠]"})
    before = coded(book, "普惠。")
    again = pickle.loads(pickle.dumps(book))
    assert again.themes == book.themes
    assert coded(again, "普惠。") == before


# Deontic grades

@pytest.mark.parametrize(("text", "grade"), [
    ("严禁违规，要整改。", "prohibit"), ("要支持小微。", "must"), ("支持小微。", "promote"), ("增长。", None),
    ("不 得挪用。", "prohibit"), ("“不得”挪用。", "prohibit"), ("", None),
    ("重要工作。", None), ("首要的是鼓励。", "promote"),  # masks
    ("支持小微，放款三亿元。", None), ("要放款三亿元，支持小微。", "must"),  # a report
    ("鼓励小微，检查三家次。", None),  # unless
    ("关于《严禁违规的规定》，无话可说。", None), ("“鼓励小微”是口号。", None), ("以“鼓励为先，鼓励小微。", "promote"),
    ("局长说，“鼓励小微”。", "promote"), ("局长说：“鼓励小微，还有别的”的话。", "promote"),  # speech, no name
    ("“鼓励小微，还有别的。”", "promote"), ("它叫“鼓励小微”。", None), ("“鼓励小微，还有别的”", "promote"),
    ("深圳某局支持小微。", "promote"), ("深圳某局继续推动小微。", "promote"), ("某局的银行支持小微。", None),
    ("银行支持小微。", None), ("银行将支持小微。", "promote"), ("“将”字当头，银行在支持小微。", None),  # a plan
    ("其一，继续并推动小微。", "promote"), ("继续并继续继续并推动小微。", None),  # at most four adverbs
    ("近日，支持小微。", "promote"),
    ("在全省的很多很多地方和很多很多的大大小小的企业里，支持小微。", None),  # a short lead
    ("在全省的很多地方和很多很多的大大小小的企业里；支持小微。", "promote"), ("鼓励小微，放款三亿元。", "promote"),
    ("支持全省的很多地方和很多很多的大大小小的企业啊，推动小微三亿元，支持小微。", None),
    ("支持全省的很多地方和很多很多的大大小小的企业啊，它们的小微推动小微，支持小微。", "promote"),
])
def test_the_strongest_grade_of_a_statement(tmp_path, text, grade):
    book = codebook(tmp_path, {"a": "terms: [普惠]"})
    assert coded(book, text).deontic == [grade]
    # whatever stands around it
    assert coded(book, "以“鼓励", text, "”为先《支持", "》银行支持，", "支持小微。").deontic[1] == grade


# What the lines of a codebook do

def test_line_uses_and_report(tmp_path):
    book = codebook(tmp_path, {"a": "terms: [监管, 强监管, 空词]", "b": "terms: [强监管协同]\npairs: [机制 + 协同]"},
                    top="masks: [监管定调]\n")
    texts = ["强监管。", "强监管协同。", "监管定调，强监管协同机制。", "监管与强监管。", "无关。"]
    uses = {use.text: (use.theme, use.n, use.lost, use.gained) for use in line_uses(texts, book)}
    assert uses == {
        "监管": ("a", 1, 0, 0),        # text 3 keeps the theme through 强监管
        "强监管": ("a", 2, 0, 0),      # without it, 监管 is found inside
        "空词": ("a", 0, 0, 0),
        "强监管协同": ("b", 2, 1, 2),  # text 2 keeps it through the pair; both show 强监管 again
        "机制 + 协同": ("b", 1, 0, 0),
    }
    inside = {use.text: use.inside for use in line_uses(texts, book)}
    assert inside["监管"] == (
        ("监管", "强监管", ("a",), 4), ("监管", "强监管协同", ("b",), 2), ("监管", "监管定调", (), 1))
    assert inside["强监管"] == (("强监管", "强监管协同", ("b",), 2),)
    report = "\n".join(pattern_report(texts, book))
    assert "a  a  a: 2 statements, 3 lines, 1 idle" in report
    assert "“监管” stands inside “监管定调”, which wins (mask)" in report
    assert "“强监管” stands inside “强监管协同”, which wins (b)" in report


def test_ablation_is_what_loading_the_codebook_without_the_line_gives(tmp_path):
    terms = {"a": ["小微", "小微企业", "企业融资"], "b": ["融资", "融资协调"], "c": ["协调", "企业"]}
    texts = ["小微企业融资协调。", "企业融资。", "小微与融资。", "协调企业。", "融资协调企业融资。"]

    def themes_of(without=None):
        left = {code_: [t for t in words if (code_, t) != without] for code_, words in terms.items()}
        book = codebook(tmp_path, {code_: f"terms: [{', '.join(words)}]" for code_, words in left.items()})
        return [set(stated) for stated in coded(book, *texts).stated]

    book = codebook(tmp_path, {code_: f"terms: [{', '.join(words)}]" for code_, words in terms.items()})
    uses = line_uses(texts, book)
    full = themes_of()
    assert {(use.theme, use.text): (use.lost, use.gained) for use in uses} == {
        (code_, term): (sum(code_ in f and code_ not in w for f, w in zip(full, themes_of((code_, term)), strict=True)),
                        sum(bool(w - f) for f, w in zip(full, themes_of((code_, term)), strict=True)))
        for code_, words in terms.items() for term in words}
