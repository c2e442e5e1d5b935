import json
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fengxiang import withholding
from fengxiang.errors import UserError
from fengxiang.report import SHORT_QUOTE, SHORT_TITLE
from fengxiang.withholding import CUT, quotations_cut, shortened, withhold

LONG = "".join(chr(0x4E00 + 7 * i) for i in range(60))  # sixty characters, no two the same
OTHER = "".join(chr(0x6E00 + 7 * i) for i in range(60))
assert SHORT_QUOTE == 40  # the cases below are counted by it


@pytest.mark.parametrize(("shown", "instead"), [
    (LONG[:40], None),
    (LONG[:41], LONG[:40] + CUT),
    (LONG, LONG[:40] + CUT),
    ("前文" + LONG[10:55] + "后文", "前文" + LONG[10:50] + CUT + "后文"),
    (LONG[:20] + OTHER[:20] + LONG[20:40], None),
    # what stands between letters neither counts nor hides: blanks, punctuation, Markdown
    (f"{LONG[:20]}，**{LONG[20:40]}** “{LONG[40:45]}”。", f"{LONG[:20]}，**{LONG[20:40]}{CUT}”。"),
    (" ".join(LONG[:40]), None),
    (" ".join(LONG[:42]), " ".join(LONG[:40]) + CUT),
    ("、".join(LONG), "、".join(LONG[:40]) + CUT),
    # two quotations, each cut; the punctuation that ends one goes with it
    (f"{LONG}。又{OTHER}。", f"{LONG[:40]}{CUT}又{OTHER[:40]}{CUT}"),
    (LONG[5:50] + OTHER[:41], LONG[5:45] + CUT + OTHER[:40] + CUT),
    ("与原文无关的一段话，" * 9, None),
    ("", None),
])
def test_what_is_quoted_at_length_is_cut(shown, instead):
    assert quotations_cut([shown], [f"开头。{LONG}。结尾", OTHER]) == ({shown: instead} if instead else {})


def test_a_run_that_only_stands_across_two_texts_is_no_quotation():
    assert quotations_cut([LONG], [LONG[:30], LONG[30:]]) == {}
    # nor one across two strings shown
    assert quotations_cut([LONG[:30] + "甲" * 20, "甲" * 20 + LONG[30:]], [LONG]) == {}


def test_what_is_cited_is_no_quotation_as_far_as_it_is_cited():
    assert quotations_cut([LONG], [f"导语{LONG}正文"], [LONG]) == {}
    assert quotations_cut([LONG + OTHER], [LONG + OTHER], [LONG]) == {LONG + OTHER: LONG + CUT}


def test_characters_of_every_plane_and_lone_surrogates_are_compared():
    text = "\U00020000" * 30 + "𠮷\ud800x" * 10
    [(shown, instead)] = quotations_cut([text], [text]).items()
    assert shown == text
    assert instead.startswith("\U00020000" * 30)
    assert instead.endswith(CUT)


def test_texts_that_come_in_batches_are_all_compared(monkeypatch):
    monkeypatch.setattr(withholding, "_BATCH", 100)
    texts = [f"{i}" * 30 for i in range(20)] + [LONG] + ["x" * 50] * 5
    assert set(quotations_cut([LONG, "x" * 41, "y" * 41, "7" * 31], texts)) == {LONG, "x" * 41}


def longest_run(shown, text):
    """The most letters in a row that `shown` has of `text`, by trying all of them."""
    shown, text = ("".join(c for c in s if c.isalnum()) for s in (shown, text))
    return max((n for i in range(len(shown)) for n in range(len(shown) - i + 1) if shown[i:i + n] in text), default=0)


@settings(max_examples=60, deadline=None)
@given(st.text("甲乙丙，。 a", max_size=130), st.text("甲乙丙，。 a", max_size=90))
def test_nothing_longer_is_left_and_nothing_short_is_touched(text, shown):
    shown = f"{text[3:70]}{shown}"
    cut = quotations_cut([shown], [text])
    if longest_run(shown, text) <= 40:
        assert cut == {}
    else:
        assert max(longest_run(part, text) for part in cut[shown].split(CUT)) <= 40


def test_titles_are_cited_up_to_a_length():
    assert shortened(None) is None
    assert shortened("题" * SHORT_TITLE) == "题" * SHORT_TITLE
    assert shortened("题" * (SHORT_TITLE + 1)) == "题" * SHORT_TITLE + CUT


@pytest.fixture
def run(tmp_path):
    """An output folder with one article whose title stands in its text, one line left out, and a figure."""
    (tmp_path / "data/processed").mkdir(parents=True)
    (tmp_path / "figures").mkdir()
    article = {"title": OTHER[:50], "source_title": None, "publisher": "财经", "url": "https://e.example/" + "a" * 60,
               "source_file": "b" * 50 + ".md", "text": f"{OTHER[:50]}\n{LONG}\n{'a' * 60}{'b' * 50}"}
    for name, row in (("articles", article), ("ledger", {"sample": "丁戊己庚辛" * 16})):
        pq.write_table(pa.Table.from_pylist([row]), tmp_path / f"data/processed/{name}.parquet")
    (tmp_path / "figures/a.json").write_text(json.dumps({"title": {"zh": "甲", "en": "A"}}), "utf-8")
    (tmp_path / "figures/a.csv").write_text(f'词,数\n{LONG[:40]},1\n"{LONG[40:]}",2\n', "utf-8-sig")
    return tmp_path


def test_every_string_of_a_notebook_is_looked_at_whatever_shows_it(run):
    cells = [{"cell_type": "markdown", "source": f"见“{LONG}”"},
             {"cell_type": "code", "source": "x", "outputs": [
                 {"output_type": "stream", "text": LONG},
                 {"data": {"table": {"rows": [["a", {"zh": LONG, "en": "b"}]]}, "image/png": LONG,
                           "evidence": [{"text": LONG, "title": OTHER[:50], "url": "https://e.example/" + "a" * 60,
                                         "file": "b" * 50 + ".md"}], "sample": "丁戊己庚辛" * 16}}]}]
    withhold(SimpleNamespace(cells=cells), run)
    short = LONG[:40] + CUT
    assert cells == [
        {"cell_type": "markdown", "source": f"见“{short}”"},
        {"cell_type": "code", "source": "x", "outputs": [
            {"output_type": "stream", "text": short},
            {"data": {"table": {"rows": [["a", {"zh": short, "en": "b"}]]}, "image/png": LONG,
                      "evidence": [{"text": short, "title": OTHER[:50], "url": "https://e.example/" + "a" * 60,
                                    "file": "b" * 50 + ".md"}], "sample": "丁戊己庚辛" * 8 + CUT}}]}]


@pytest.mark.parametrize("quoting", ["card", "data"])
def test_a_figure_that_quotes_is_refused(run, quoting):
    if quoting == "card":
        (run / "figures/a.json").write_text(json.dumps({"alt": {"zh": LONG, "en": "A"}}), "utf-8")
    else:
        (run / "figures/a.csv").write_text(f"词,数\n{LONG[:41]},1\n", "utf-8-sig")
    with pytest.raises(UserError, match=r"^figures/a: quotes more than 40 characters of an article, which a "):
        withhold(SimpleNamespace(cells=[]), run)
