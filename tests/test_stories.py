"""Stories: copies and reprints found by signature, confirmed on the text."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from fengxiang.stories import SAME_STORY, identifier, link, normalised, shingles, similar, sketches

A = "深圳金融监管局提出深入推进监管数智化建设，加快科技金融发展，守住不发生系统性风险的底线，做好普惠金融服务。"
B = "黑龙江监管局称科学测算区域金融饱和度，有序推进中小金融机构减量提质，合理优化机构布局，防范非法集资。"


def families(texts: dict[str, str]) -> dict[str, str]:
    keys = list(texts)
    return link(keys, sketches([normalised(texts[k]) for k in keys]), lambda k: normalised(texts[k]))


def jaccard_by_sets(a: str, b: str) -> float:
    a, b = ({t[i:i + 5] for i in range(len(t) - 4)} for t in (a, b))
    return len(a & b) / len(a | b)


def test_a_copy_and_a_light_edit_are_one_story_and_another_text_is_not():
    texts = {"2026-01 a": A, "2026-02 b": A.replace("加快", "推动"), "2026-03 c": B, "2026-04 d": A}
    assert families(texts) == {"2026-01 a": "2026-01 a", "2026-02 b": "2026-01 a", "2026-04 d": "2026-01 a"}


def test_a_long_reprint_with_an_introduction_is_the_same_story():
    assert similar(normalised(A + B + A[::-1]), normalised("本报讯，以下内容转载自其他媒体并略有删节。" * 6 + A + B + A[::-1]))


def test_the_order_of_files_changes_nothing():
    texts = {f"k{i}": t for i, t in enumerate([A, B, A + "完", B.replace("提质", "增效"), A[::-1], B])}
    expected = families(texts)
    for seed in range(5):
        keys = list(texts)
        random.Random(seed).shuffle(keys)
        assert families({k: texts[k] for k in keys}) == expected


@settings(max_examples=50, deadline=None)
@given(st.text(alphabet="防范化解金融风险强监管促发展", min_size=5, max_size=80),
       st.text(alphabet="防范化解金融风险强监管促发展", min_size=5, max_size=80))
def test_similarity_is_the_jaccard_of_shingle_sets(a, b):
    # against plain Python sets; containment only applies to long texts
    if min(len(shingles(a)), len(shingles(b))) < 60:
        assert similar(a, b) == (jaccard_by_sets(a, b) >= SAME_STORY)


def test_an_identifier_survives_width_case_and_spacing_and_tells_texts_apart():
    assert identifier(normalised("AI 强监管，2026")) == identifier(normalised("ＡＩ强监管２０２６。\n"))
    assert identifier(normalised(A)) != identifier(normalised(B))
    assert len(identifier("")) == 12


def test_empty_texts_are_no_story():
    assert families({"a": "", "b": "", "c": "。"}) == {}
