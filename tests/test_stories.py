"""Stories: copies and reprints found by signature, confirmed on the text."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fengxiang import stories
from fengxiang.stories import (
    NEIGHBOURS,
    NOTHING,
    SHARDS,
    SKETCH,
    Judged,
    all_normalised,
    identifier,
    link,
    normalised,
    shingles,
    similar,
    sketch,
    sketches,
)

A = "深圳金融监管局提出深入推进监管数智化建设，加快科技金融发展，守住不发生系统性风险的底线，做好普惠金融服务。"
B = "黑龙江监管局称科学测算区域金融饱和度，有序推进中小金融机构减量提质，合理优化机构布局，防范非法集资。"


def named(texts: dict[str, str]) -> np.ndarray:
    return np.array([int(identifier(normalised(t)), 16) for t in texts.values()], dtype=np.uint64)


class Memory:
    """What is known from one run to the next, as a build keeps it."""

    def __init__(self):
        self.judged, self.proposed = Judged(), {}

    def propose(self, signatures):
        sets = stories.batches(signatures)
        for i, batch in enumerate(sets):
            key = len(sets), i
            self.proposed[key] = stories.proposed(signatures, *batch, self.proposed.get(key))
            yield self.proposed[key].pairs[:, 1:]


def alike(a: str, b: str) -> bool:
    return similar(shingles(a), shingles(b))


def families(texts: dict[str, str], memory: Memory | None = None, asked: list | None = None) -> dict[str, str]:
    """Key → key of the first of its story, of the texts that share one; `asked` gets the pairs that were read."""
    keys, normal = np.array(list(texts)), [normalised(t) for t in texts.values()]

    def judge(pairs):
        (asked if asked is not None else []).extend(keys[pairs].tolist())
        return np.array([alike(normal[a], normal[b]) for a, b in pairs])

    known = (memory.propose, memory.judged) if memory else ()
    first = link(keys, named(texts), sketches(normal), judge, *known)
    shared = np.bincount(first, minlength=len(first))[first] > 1
    return {k: f for k, f, s in zip(keys.tolist(), keys[first].tolist(), shared, strict=True) if s}


def test_a_copy_and_a_light_edit_are_one_story_and_another_text_is_not():
    texts = {"2026-01 a": A, "2026-02 b": A.replace("加快", "推动"), "2026-03 c": B, "2026-04 d": A}
    assert families(texts) == {"2026-01 a": "2026-01 a", "2026-02 b": "2026-01 a", "2026-04 d": "2026-01 a"}


def test_a_long_reprint_with_an_introduction_is_the_same_story():
    text = A + B + A[::-1]
    assert alike(normalised(text), normalised("本报讯，以下内容转载自其他媒体并略有删节。" * 6 + text))


def test_the_order_of_files_changes_nothing():
    texts = {f"k{i}": t for i, t in enumerate([A, B, A + "完", B.replace("提质", "增效"), A[::-1], B])}
    expected = families(texts)
    for seed in range(5):
        keys = list(texts)
        random.Random(seed).shuffle(keys)
        assert families({k: texts[k] for k in keys}) == expected


@given(st.text(min_size=1, max_size=30), st.integers(1, 9))
def test_a_hash_is_the_polynomial_of_its_characters(text, width):
    def mixed(value):
        value ^= value >> 29
        value = value * 0xBF58476D1CE4E5B9 % 2**64
        return value ^ value >> 32

    points, width = stories._points(text), min(width, len(text))
    assert stories._hashes(points, width).tolist() == [
        mixed(sum(int(point) * 0x9E3779B97F4A7C15 ** (width - 1 - i) for i, point in enumerate(run)) % 2**64)
        for run in (points[at:at + width] for at in range(len(points) - width + 1))]


def similar_by_sets(a: str, b: str) -> bool:
    a, b = ({t[i:i + 5] for i in range(max(len(t) - 4, 1))} if t else set() for t in (a, b))
    shorter = min(len(a), len(b))
    return shorter > 0 and (len(a & b) / len(a | b) >= 0.6 or (shorter >= 60 and len(a & b) / shorter >= 0.8))


def test_texts_are_similar_as_the_sets_of_their_shingles_say():
    rng = random.Random(3)
    text = normalised(A + B + A[::-1])
    texts = ["", "风", "风险", "风险一", text, text * 2, text[:70], text[30:], text[::-1]]
    texts += [text[rng.randrange(60):][:rng.randrange(1, 120)] for _ in range(40)]
    texts += ["".join(rng.choices("防范化解风险", k=rng.randrange(1, 12))) for _ in range(40)]
    pairs = [tuple(rng.sample(texts, 2)) for _ in range(1000)] + [(t, t) for t in texts]
    expected = [similar_by_sets(*pair) for pair in pairs]
    assert 50 < sum(expected) < 600
    assert [alike(*pair) for pair in pairs] == expected


def test_an_identifier_survives_width_case_and_spacing_and_tells_texts_apart():
    assert identifier(normalised("AI 强监管，2026")) == identifier(normalised("ＡＩ强监管２０２６。\n"))
    assert identifier(normalised(A)) != identifier(normalised(B))
    assert len(identifier("")) == 12


def test_empty_texts_are_no_story():
    assert families({"a": "", "b": "", "c": "。"}) == {}


WORDS = st.text(alphabet="防范化解金融风险强监管促发展，。 ＡAaé①㎡…０", max_size=60)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(WORDS, st.text(max_size=20)), max_size=8), st.sampled_from((1, 30, 50_000)))
def test_many_texts_at_once_are_as_one_by_one(texts, at_once):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stories, "CHARS_AT_ONCE", at_once)
        normal = all_normalised(texts)
        assert normal == [normalised(t) for t in texts]
        assert sketches(normal).tolist() == [sketch(t).tolist() for t in normal]


def test_each_chinese_character_is_normalised_as_unicode_has_it():
    characters = list(map(chr, range(0x4E00, 0xA000)))
    assert all_normalised(characters) == [normalised(c) for c in characters]


def test_a_signature_is_the_smallest_hashes_of_the_set():
    text = normalised(A + B) * 2  # every shingle but those at the seam stands twice
    expected = sorted(set(shingles(text).tolist()))[:SKETCH]
    assert sketch(text).tolist() == [h >> 32 for h in expected]
    assert sketches([text, "一二"])[0].tolist() == sketch(text).tolist()
    assert sketches([text, "一二"])[1].tolist()[1:] == [int(NOTHING)] * (SKETCH - 1)


def corpus(n: int, seed: int) -> dict[str, str]:
    """Texts of sentences from a small pool; every fifth one an edited copy of an earlier one."""
    rng = random.Random(seed)
    letters = "防范化解金融风险强监管促高质量发展服务实体经济做好五篇大文章"
    pool = ["".join(rng.choices(letters, k=25)) for _ in range(60)]
    texts: dict[str, str] = {}
    for i in range(n):
        told = rng.choice(list(texts.values())) if i % 5 == 4 else None
        texts[f"{i:04d}"] = told[:-9] + f"第{i}版。" if told else "。".join(rng.sample(pool, 6)) + f"{i}号"
    return texts


def test_families_are_those_of_comparing_all_with_all():
    texts = corpus(60, 1)
    normal = {k: normalised(t) for k, t in texts.items()}
    family = {k: {k} for k in texts}
    for a in texts:
        for b in texts:
            if a < b and alike(normal[a], normal[b]) and family[a] is not family[b]:
                family[a] |= family[b]
                for k in family[b]:
                    family[k] = family[a]
    assert families(texts) == {k: min(f) for k, f in family.items() if len(f) > 1}
    assert len(families(texts)) > 12


def test_stock_phrases_hide_no_copy(monkeypatch):
    # every value is shared by more texts than may propose: neighbours in the order of signatures are found all the same
    texts = {f"{i:03d}": A + B + f"第{i}号文件，{i * 7919}。" for i in range(40)}
    monkeypatch.setattr(stories, "STOCK_PHRASE", 8)
    assert set(families(texts).values()) == {"000"}
    assert len(families(texts)) == 40


def test_what_is_remembered_changes_nothing_but_the_work(monkeypatch):
    texts, memory = corpus(80, 2), Memory()
    families(texts, memory)
    asked, likely = [], stories._likely
    monkeypatch.setattr(stories, "_likely", lambda s, a, b: asked.append(len(a)) or likely(s, a, b))
    assert families(texts, memory) == families(texts)
    assert len(asked) == 1  # only the one that remembered nothing
    more = texts | {"9999": A, "9998": texts["0003"] + "有删节"}
    del more["0010"]
    assert families(more, memory) == families(more)
    assert np.isin(memory.judged.pairs, named(more)).all()  # what is gone is forgotten
    assert 0 < asked[1] < asked[2]
    assert families({"0": "", "1": "、"}, memory) == families({}, memory) == {}
    assert families(texts, memory) == families(texts)


def test_how_many_values_are_sorted_together_changes_nothing(monkeypatch):
    rng = random.Random(5)
    texts = {f"k{i:03}": "".join(rng.choices(A + B, k=120)) for i in range(60)}
    texts |= {f"m{i:03}": texts[f"k{i:03}"] + "完" for i in range(0, 60, 7)} | {"z": A, "zz": A}
    at_once, afterwards = Memory(), Memory()
    expected = families(texts, at_once)
    assert len(expected) == 2 * 9 + 2
    monkeypatch.setattr(stories, "VALUES_AT_ONCE", 300)
    assert families(texts, afterwards) == expected
    assert len(afterwards.proposed) > 4 > len(at_once.proposed)
    pairs = [{tuple(p) for some in m.proposed.values() for p in some.pairs.tolist()} for m in (at_once, afterwards)]
    assert pairs[0] == pairs[1]
    texts["new"] = texts["k001"] + "。"
    assert families(texts, afterwards) == families(texts)


def test_of_many_copies_few_pairs_are_read_and_none_twice():
    # of 24 copies each is like each other: 276 pairs, of which 23 bring them together
    texts = {f"{i:03d}": A + B + A[::-1] + f"第{i}版" for i in range(24)} | {"other": B[::-1] * 3}
    asked, memory = [], Memory()
    together = {f"{i:03d}": "000" for i in range(24)}
    assert families(texts, memory, asked) == together
    assert len(asked) == len(memory.judged.pairs) == 23
    assert families(texts, memory, asked) == together
    assert len(asked) == 23
    del texts["000"]  # all the others were compared with it
    assert families(texts, memory, asked) == families(texts) == {f"{i:03d}": "001" for i in range(1, 24)}
    assert len(asked) <= 2 * 23


def test_what_one_pair_denies_another_chain_may_bring_together(monkeypatch):
    # 0 and 2 are unlike, but each is like 1: which pair is read first must not matter
    monkeypatch.setattr(stories, "LIKELY", 0.1)
    long = A + B + A[::-1] + B[::-1]
    texts = {"0": long[:130], "1": long, "2": long[60:]}
    told = {(i, j): alike(normalised(texts[i]), normalised(texts[j])) for i, j in ("01", "12", "02")}
    assert told == {("0", "1"): True, ("1", "2"): True, ("0", "2"): False}
    for names in (("0", "1", "2"), ("0", "2", "1"), ("1", "0", "2")):
        renamed = dict(zip(names, texts.values(), strict=True))
        assert set(families(renamed).values()) == {"0"}


@given(st.integers(1, 30).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.tuples(
    st.integers(0, n - 1), st.integers(0, n - 1)), max_size=40))))
def test_components_are_those_that_walking_finds(graph):
    n, edges = graph
    beside = {i: {b for a, b in edges if a == i} | {a for a, b in edges if b == i} for i in range(n)}

    def reached(i):
        found, waiting = {i}, [i]
        while waiting:
            more = beside[waiting.pop()] - found
            found |= more
            waiting += more
        return found

    parent = np.arange(n)
    for some in (edges[::2], edges[1::2]):
        stories._unite(parent, *(np.array([e[side] for e in some], dtype=int) for side in (0, 1)))
    assert stories._roots(parent, np.arange(n)).tolist() == [min(reached(i)) for i in range(n)]


def test_pairs_are_sifted_as_if_each_were_counted():
    rng = np.random.default_rng(3)
    sketches = np.full((120, SKETCH), NOTHING, dtype=np.uint32)
    for row in sketches:
        size = rng.choice([0, 1, 3, SKETCH // 2, SKETCH])
        row[:size] = np.sort(rng.choice(np.arange(100, 100 + 60 * rng.integers(2, 40)), size, replace=False))
    first, second = np.triu_indices(len(sketches), 1)
    signatures = stories.Signatures.of(np.arange(len(sketches)), sketches)
    likely, sketches = stories._likely(signatures, first, second), signatures.sketches

    def agree(a, b):
        reach = min(a[-1], b[-1], NOTHING - 1)
        a, b = {v for v in a if v <= reach}, {v for v in b if v <= reach}
        return len(a & b) >= stories.LIKELY * max(min(len(a), len(b)), 1)

    assert likely.tolist() == [agree(sketches[i], sketches[j]) for i, j in zip(first, second, strict=True)]
    assert 20 < likely.sum() < len(likely) - 20


@settings(deadline=None)
@given(st.lists(st.sets(st.integers(0, 40).map(lambda n: n * 997), max_size=12), max_size=30), st.integers(1, 9),
       st.integers(1, 50))
def test_pairs_are_proposed_as_if_each_value_were_looked_at(values, stock_phrase, at_once):
    sketches = np.array([[*sorted(some), *[NOTHING] * (SKETCH - len(some))] for some in values],
                        dtype=np.uint32).reshape(-1, SKETCH)
    signatures = stories.Signatures.of(np.arange(len(values), dtype=np.uint64) * 7, sketches)
    rows = signatures.sketches.tolist()
    expected = []
    for value in {v for row in rows for v in row} - {int(NOTHING)}:
        holders = [i for i, row in enumerate(rows) if value in row]
        reach = len(holders) if len(holders) <= stock_phrase else NEIGHBOURS
        pairs = [(i, j) for at, i in enumerate(holders) for j in holders[at + 1:at + 1 + reach]]
        likely = stories._likely(signatures, *np.array(pairs, dtype=np.int64).reshape(-1, 2).T)
        expected += [[value % SHARDS, *sorted(signatures.names[list(pair)].tolist())]
                     for pair, is_likely in zip(pairs, likely, strict=True) if is_likely]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stories, "STOCK_PHRASE", stock_phrase)
        patch.setattr(stories, "PAIRS_AT_ONCE", at_once)
        found = stories._proposals(signatures, np.arange(SHARDS))
    assert sorted(found.tolist()) == sorted(expected)
