"""Sentences: where they end, where they do not, and that nothing is lost between them."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fengxiang.model import Article, Paragraph
from fengxiang.statements import _sentences, split_statements


def article(*paragraphs):
    return Article("a.txt", "plain", 1, title="题", paragraphs=[
        p if isinstance(p, Paragraph) else Paragraph(p) for p in paragraphs])


def sentences(text):
    return split_statements([article(text)]).text


@pytest.mark.parametrize("pieces", [
    ["某局开了年度会议。", "会议部署五项任务！", "任务能否完成？", "结论要等年底。"],
    # an enumeration's items
    ["一是存量风险要处置；", "二是增量风险要遏制；", "三是底线要守住。"],
    ["其一，改革要深化。", "其二，监管要加强。"],
    ["工作有两项：一方面清收资产；", "另一方面整治乱象。"],
    # the closing quote stays; a long quotation is several statements
    ["“竞争要有序，行为要规范。", "银行要守住主业。", "开放要扩大。”", "以上几条来自会议。"],
    ["他说：“风险可控。”", "会议随后结束。"],
    ["他问：“风险可控吗？”", "无人回答此问。"],
    ["「風險可控。」", "會議隨後結束。"],
    ["一季度贷款增长不少……", "二季度有所放缓。"],
    ["这是真的吗？！！", "确实如此，不必怀疑。"],
    # ASCII marks between Chinese characters
    ["存量已经处置;", "增量已经遏制!", "底线守住了吗?", "守住了底线"],
    ["不良率降至1.2%;", "拨备率升至205.85%。"],
])
def test_ends(pieces):
    assert sentences("".join(pieces)) == pieces


@pytest.mark.parametrize("text", [
    # the quotation goes on as part of its sentence
    "以“你的钱袋子安全吗？”为主题的宣传活动已经启动。",
    "“大干快上！”的口号不再提起。",
    "“不良要出清。”，这是会上的原话。",
    # book titles and brackets
    "《怎样防范风险？一问一答。再问再答》已经出版。",
    "《关于做好工作的通知（试行）。附件》印发各局。",
    "贷款（含贴现；不含拆放。另计）增长明显。",
    "贷款(含贴现;不含拆放。另计(见注。))增长明显。",
    "【提示！谨防诈骗。】已经发出。",
    "各局收到〔2022；第118号〕文件。",
    # decimals, list numbers, times, addresses, entities
    "不良率1.63%，拨备覆盖率205.85%，时间为10:30。",
    "1. 深化改革 2. 加强监管",
    "报名网址https://example.cn/a?b=1;c=2!d见公告",
    "&quot;强监管&quot;不是口号",
    "Seedance2.0! 发布",
    # nothing to end on
    "没有句号的一句话",
])
def test_one_sentence(text):
    assert sentences(text) == [text]


@pytest.mark.parametrize(("text", "expected"), [
    # fewer than four letters and digits join the statement before, or the one after
    ("会议部署五项任务。是的。", ["会议部署五项任务。是的。"]),
    ("是的。会议部署五项任务。", ["是的。会议部署五项任务。"]),
    ("是。对。会议部署五项任务。好。行。任务已经分解。", ["是。对。会议部署五项任务。好。行。", "任务已经分解。"]),
    ("好。", ["好。"]),
    ("好。行。", ["好。行。"]),
    ("。。。", []),
    ("——＊——", []),
    ("", []),
    # a remark in brackets belongs to the sentence before it
    ("风险预警得到强化。（记者 某某某）", ["风险预警得到强化。（记者 某某某）"]),
    ("（一）会议部署任务。任务已经分解。", ["（一）会议部署任务。", "任务已经分解。"]),
    # white space belongs to the statement before it
    ("会议部署任务。 任务已经分解。", ["会议部署任务。 ", "任务已经分解。"]),
    ("　　会议部署任务。任务已经分解。", ["　　会议部署任务。", "任务已经分解。"]),
    # straight quotes: the second closes, the third opens
    ('他说"风险可控。"又说"底线守住了。"', ['他说"风险可控。"', '又说"底线守住了。"']),
    ('会议已经结束。"这很重要。"他说完离开。', ['会议已经结束。', '"这很重要。"', "他说完离开。"]),
    # an unclosed bracket is an ordinary character
    ("贷款（含贴现增长。存款也增长。", ["贷款（含贴现增长。", "存款也增长。"]),
    ("《方案印发之后。各局都在落实。", ["《方案印发之后。", "各局都在落实。"]),
])
def test_joins(text, expected):
    assert sentences(text) == expected


def test_columns():
    articles = [
        article(Paragraph("化险居首", "heading"), "某局开会部署。会议提出三条；", "第二段只有一句。"),
        article("没有小标题的一段。", Paragraph("减量提质", "heading"), Paragraph("列表项是一条。", "list"),
                Paragraph("化险居首", "heading")),
        article(),
    ]
    found = split_statements(articles)
    assert list(zip(found.article, found.paragraph, found.position, found.heading, found.text, strict=True)) == [
        (0, 1, 1, "化险居首", "某局开会部署。"),
        (0, 1, 2, "化险居首", "会议提出三条；"),
        (0, 2, 3, "化险居首", "第二段只有一句。"),
        (1, 0, 1, None, "没有小标题的一段。"),
        (1, 2, 2, "减量提质", "列表项是一条。"),
    ]


def whole(text):
    return text if any(c.isalnum() for c in text) else ""


MARKS = "银行监管局贷款风险一二3a。！？；;!?…，、“”‘’「」『』（）()《》【】[]〔〕\" 　．.：:%&#\t"


@given(st.lists(st.text(MARKS, max_size=60), max_size=5))
def test_nothing_is_lost(texts):
    found = split_statements([article(*texts)])
    assert "".join(found.text) == "".join(whole(text) for text in texts)
    assert found.position == list(range(1, len(found) + 1))
    for number, text in enumerate(texts):
        own = [t for t, p in zip(found.text, found.paragraph, strict=True) if p == number]
        # only a paragraph that has no more than that is a statement of fewer than four letters
        assert all(sum(c.isalnum() for c in t) >= 4 for t in own) or own == [text]


@given(st.text(max_size=80))
def test_any_text(text):
    found = split_statements([article(text)])
    assert "".join(found.text) in (text, "")


@pytest.mark.parametrize("unit", ["（", "《", "（a", "《a（b【c〔d[e(f", '。"', "！”的", "。）", "“！？", "…", "a ",
                                  "。", "（" + "a" * 290])
def test_time_is_linear(unit):
    def seconds(size):
        text = (unit * (size // len(unit) + 1))[:size]
        started = time.process_time()
        split_statements([article(text)])
        return time.process_time() - started

    # Quadratic work on 400,000 characters would take minutes.
    assert seconds(400_000) < 5


def test_the_shipped_digests_come_back():
    source = Path(__file__).parents[2] / "shared" / "corpus" / "articles.jsonl"
    if not source.exists():
        pytest.skip("the digests in one file stand beside the project, and are not there")
    digests = [article(*(Paragraph(line[3:], "heading") if line.startswith("## ") else line
                         for line in json.loads(row)["body"].split("\n")))
               for row in source.read_text(encoding="utf-8").splitlines()]
    found = split_statements(digests)
    for number, one in enumerate(digests):
        text = "".join(t for t, a in zip(found.text, found.article, strict=True) if a == number)
        assert text == "".join(p.text for p in one.paragraphs if p.kind != "heading")


def test_a_sentence_of_three_letters_is_joined_to_its_neighbour():
    made = split_statements([article("一二三。四五六七。", "八九十百。一二三。四五六七。", "甲。")])
    assert made.text == ["一二三。四五六七。", "八九十百。一二三。", "四五六七。", "甲。"]
    assert (made.article, made.paragraph, made.position) == ([0] * 4, [0, 1, 1, 2], [1, 2, 3, 4])


PARTS = ("银行监管局", "贷款增长", "好", "a", "。", "。", "；", "《方案", "》", "（含贴现", "(见注", "）", ")",
         "【提示", "】", "〔2022", "〕", "[1", "]", "〈", "〉", "”", "“", "!", " ", "\u2003", "\n", "😀", "\x85")


@given(st.lists(st.text("甲乙丙银行a1_é𠮷，。。；！…“”（）《》 \n\r", max_size=30)
                | st.lists(st.sampled_from(PARTS), max_size=14).map("".join), max_size=8))
def test_paragraphs_cut_together_are_cut_as_each_alone(texts):
    made = split_statements([article(*texts[:3]), article(), article(*texts[3:])])
    assert made.text == [sentence for text in texts for sentence in split_statements([article(text)]).text]
    assert made.text == [sentence for text in texts for sentence in _sentences(text)]
    owners = [(0, n) for n in range(len(texts[:3]))] + [(2, n) for n in range(len(texts[3:]))]
    assert list(zip(made.article, made.paragraph, strict=True)) == [
        owner for owner, text in zip(owners, texts, strict=True) for _ in _sentences(text)]
