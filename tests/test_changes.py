"""What changed since the last build, why, and numbers of frozen vintages found again."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from fengxiang import changes, findings, ledgers
from fengxiang.__main__ import main
from fengxiang.build import build
from fengxiang.charts import Names
from fengxiang.errors import UserError
from fengxiang.run import Run
from fengxiang.workplace import workplace

ROOT = Path(__file__).parent.parent
NAMES = Names({"green": {"zh": "绿色金融", "en": "Green finance", "group": "g"}}, {}, {}, {})
ARTICLES = ["article_id", "source_file", "position", "title", "year", "scope"]
SHARES = ["theme", "year", "n", "of", "share", "low", "high"]
LEDGER = ["id", "grade", "claim", "zh", "en"]


def vintage(articles=(), ledger=(), shares=(), codebook=None, code="1", libraries="1") -> changes.Vintage:
    return changes.Vintage(
        pd.DataFrame(articles, columns=ARTICLES), pd.DataFrame(ledger, columns=LEDGER),
        pd.DataFrame(shares, columns=SHARES), codebook or {"themes.yml": "x"},
        {"code": {"a.py": code}, "libraries": {"pandas": libraries}})


BEFORE = vintage(
    [("k1", "a.md", 1, "留下", 2025, "in"), ("k2", "b.md", 1, "旧文", 2025, "in"),
     ("k3", "c.md", 1, "撤下", 2024, "in"), ("k6", "f.md", 1, "改年", 2024, "in")],
    [("leading_theme", "first", '[["top", 2026, "green"]]', "旧句。", "Old."),
     ("closest_pair", "closest", "[]", "同。", "Same.")],
    [("green", 2026, 10, 100, 0.10, 0.05, 0.18), ("green", -1, 20, 200, 0.10, 0.07, 0.15)])
NOW = vintage(
    [("k1", "moved/a.md", 1, "留下", 2025, "in"), ("k4", "b.md", 1, "新文", 2025, "in"),
     ("k5", "e.md", 1, "新增", 2026, "in"), ("k6", "f.md", 1, "改年", 2025, "out")],
    [("leading_theme", "among_first", '[["top", 2026, "green"]]', "新句。", "New."),
     ("closest_pair", "closest", "[]", "同。", "Same.")],
    [("green", 2026, 20, 100, 0.20, 0.13, 0.29), ("green", -1, 30, 210, 0.143, 0.10, 0.20)], libraries="2")


def test_two_vintages_compared_row_by_row():
    frame = changes.compare(BEFORE, NOW, NAMES)
    why = {"zh": "文章、程序库", "en": "articles, libraries"}
    assert frame.values.tolist() == [
        ["added", "新增", "", "e.md", None],
        ["removed", "撤下", "c.md", "", None],
        ["altered", "新文", "b.md", "b.md", None],
        ["described", "改年", "2024", "2025", None],
        ["described", "改年", "in", "out", None],
        ["finding", findings.SUBJECTS["leading_theme"], {"zh": "旧句。", "en": "Old."}, {"zh": "新句。", "en": "New."},
         why],
        # 20 % lies outside 5–18 %; 14.3 % lies inside 7–15 %
        ["share", {"zh": "绿色金融，2026年", "en": "Green finance, 2026"}, "10.0% (10/100)", "20.0% (20/100)", why],
        ["library", "pandas", "1", "2", None]]
    assert changes.summary(frame)["zh"] == (
        "同上次生成相比：新增文章1篇，撤下文章1篇，正文改动1篇，年度、范围等改动2处，"
        "结论改变1处，占比越出原区间1处，程序库更新1处。")
    assert changes.compare(BEFORE, BEFORE, NAMES).empty
    assert changes.summary(changes.compare(BEFORE, BEFORE, NAMES))["en"] == "Nothing has changed since the last build."


def test_a_change_without_effect_says_so():
    frame = changes.compare(BEFORE, replace(BEFORE, codebook={"themes.yml": "y"}), NAMES)
    assert frame[["kind", "what"]].values.tolist() == [["codebook", "themes.yml"]]
    assert changes.summary(frame)["zh"].endswith("编码本改动1处；各项结论都没有改变，也没有占比越出原来的区间。")


def test_factors_that_differ():
    assert changes.changed_factors(BEFORE, BEFORE) == []
    assert changes.changed_factors(BEFORE, NOW) == ["data", "libraries"]
    assert changes.changed_factors(BEFORE, vintage(code="2", codebook={"a": "b"})) == ["data", "codebook", "code"]


def test_a_vintage_survives_being_written_and_read():
    again = changes.Vintage.read(NOW.text())
    assert again.key == NOW.key != BEFORE.key
    assert again.codebook == NOW.codebook
    assert changes.compare(again, NOW, NAMES).empty


def test_a_build_is_compared_with_the_newest_one_that_is_not_itself(tmp_path):
    run = SimpleNamespace(out=tmp_path)
    assert changes.former(run, BEFORE) is None
    changes.keep(run, BEFORE)
    assert changes.former(run, BEFORE) is None
    changes.keep(run, NOW)
    for _ in range(2):  # making the page again says the same again
        assert changes.former(run, NOW).key == BEFORE.key
        changes.keep(run, NOW)
    assert len(list((tmp_path / ".fengxiang/vintages").iterdir())) == 2
    changes.keep(run, BEFORE)  # back to what it was: now the other one is the former
    assert changes.former(run, BEFORE).key == NOW.key
    for i in range(2 * changes.KEPT):
        changes.keep(run, vintage(code=f"v{i}"))
    assert len(list((tmp_path / ".fengxiang/vintages").iterdir())) == changes.KEPT


def test_a_broken_vintage_counts_as_none(tmp_path):
    run = SimpleNamespace(out=tmp_path)
    changes.keep(run, BEFORE)
    path = next((tmp_path / ".fengxiang/vintages").iterdir())
    path.write_text(path.read_text("utf-8")[:100], "utf-8")
    assert changes.former(run, NOW) is None


# ---- on real builds ------------------------------------------------------------------------------------------------


SENTENCES = ["推进绿色信贷增长。", "大力发展绿色金融。", "完善绿色保险产品。",
             "支持碳减排项目贷款。", "推动绿色债券发行。", "支持绿色产业。"]


def article(folder: Path, name: str, sentences: list[str], day: int = 1) -> None:
    text = "".join(f"{name}{i}：{s}" for i, s in enumerate(sentences))
    head = f"---\ntitle: 金融监管局2026年工作{name}\ndate: 2026-01-{day:02d}\n---\n\n"
    (folder / f"{name}.md").write_text(f"{head}{name}金融监管局2026年开会。\n\n{text}\n", "utf-8")


@pytest.fixture
def place(tmp_path):
    """Six articles on green finance, built; the folders, with a codebook of their own."""
    raw = tmp_path / "raw"
    raw.mkdir()
    for i, name in enumerate("甲乙丙丁戊己", 1):
        article(raw, name, SENTENCES, i)
    shutil.copytree(ROOT / "codebook", tmp_path / "codebook")
    return workplace(raw, tmp_path / "out", tmp_path / "codebook")


def told(place) -> tuple[Run, ledgers.Ledger]:
    build(place.raw, place.out, place.codebook)
    run = Run(place)
    return run, ledgers.ledger_of(run)


def kinds(frame: pd.DataFrame) -> list[tuple]:
    return list(zip(frame["kind"], [w["zh"] if isinstance(w, dict) else w for w in frame["what"]],
                    [r["en"] if r else None for r in frame["why"]], strict=True))


def test_the_first_build_says_that_there_is_no_earlier_one_and_says_it_again(place):
    for _ in range(2):
        frame, said = changes.since_last_build(*told(place))
        assert frame.empty
        assert said["zh"].startswith("这个输出文件夹里没有更早的一次生成可以对照。")


def test_added_articles_turn_a_finding_and_are_its_cause(place):
    run, ledger = told(place)
    assert next(f for f in ledger.findings if f.id == "leading_theme").slice["theme"] == "green"
    changes.since_last_build(run, ledger)
    for i, name in enumerate("庚辛壬癸子丑寅卯辰巳午未", 7):
        article(place.raw, name, ["严厉打击非法集资。", "防范非法金融活动。", "深化防非打非机制。"] * 5, i)
    frame, said = changes.since_last_build(*told(place))
    assert sum(kind == "added" for kind, *_ in kinds(frame)) == 12
    assert ("finding", "居首的主题", "articles") in kinds(frame)
    assert "新增文章12篇" in said["zh"]
    again, _ = changes.since_last_build(*told(place))
    pd.testing.assert_frame_equal(again, frame)
    assert changes.as_plain(frame).columns.tolist() == [
        "kind", "what_zh", "what_en", "before_zh", "before_en", "after_zh", "after_en", "why_zh", "why_en"]


def test_of_two_factors_the_one_that_makes_the_change_is_named(place):
    run, ledger = told(place)
    changes.since_last_build(run, ledger)
    themes = place.codebook / "themes.yml"
    lines = themes.read_text("utf-8").split("\n")
    start = next(i for i, line in enumerate(lines) if line.strip() == "- code: green")
    first = next(i for i, line in enumerate(lines[start:], start) if line.startswith("    terms:"))
    end = next((i for i, line in enumerate(lines[first:], first) if line.startswith("  - code:")), len(lines))
    lines[first:end] = ["    terms: [绝无此词]"]
    themes.write_text("\n".join(lines), "utf-8")
    article(place.raw, "午", SENTENCES, 9)
    frame, _ = changes.since_last_build(*told(place))
    assert ("added", "金融监管局2026年工作午", None) in kinds(frame)
    assert ("codebook", "themes.yml", None) in kinds(frame)
    moved = [k for k in kinds(frame) if k[0] in changes.MOVED]
    assert ("finding", "居首的主题", "codebook") in moved
    assert {why for *_, why in moved} == {"codebook"}
    assert not (place.out / ".fengxiang/switched").exists()


def test_numbers_of_a_frozen_vintage_are_found_again(place):
    run, ledger = told(place)
    run.write("findings", findings.as_frame(ledger.findings))
    run.write("numbers", findings.number_ledger(ledger.findings))
    folder = changes.freeze(place, "2026-01")
    assert folder == place.out / "data/vintages/2026-01"
    assert (folder / "codebook/themes.yml").is_file()
    for i, name in enumerate("庚辛壬癸", 7):
        article(place.raw, name, ["严厉打击非法集资。", "防范非法金融活动。"] * 3, i)
    build(place.raw, place.out, place.codebook)
    frame = changes.reproduce(place, "2026-01")
    share = frame[frame["zh"].str.endswith("%") & (frame["finding"] == "leading_theme")].iloc[0]
    assert share[["n", "of"]].tolist() == share[["n_again", "of_again"]].tolist() == share[["n_now", "of_now"]].tolist()
    assert share["n_all"] == share["n"]
    assert share["of_all"] > share["of"]
    assert set(frame["found"]) == {"yes"}
    counted = frame.dropna(subset=["n", "n_again"])
    assert (counted["n"] == counted["n_again"]).all()
    assert changes.said_of_reproduced(frame)[-1] == f"{len(frame)} of {len(frame)} numbers are found again in the " \
                                                    "frozen tables"
    assert "甲" not in json.dumps(changes.frozen_run(place, "2026-01").table("articles")["text"].tolist())


def test_names_of_vintages(place):
    with pytest.raises(UserError, match=r"“\.\./up” cannot name a vintage: use letters, digits, dots and hyphens"):
        changes.freeze(place, "../up")
    with pytest.raises(UserError, match=r"processed.findings\.csv: is not there; build the report first"):
        changes.freeze(place, "early")
    with pytest.raises(UserError, match="there is no frozen vintage “none”"):
        changes.reproduce(place, "none")
    (place.out / "data/vintages/taken").mkdir(parents=True)
    with pytest.raises(UserError, match="of this name already"):
        changes.freeze(place, "taken")
    with pytest.raises(UserError, match="there are taken"):
        changes.frozen_run(place, "none")


def test_a_list_is_found_again_though_other_texts_are_not_kept(tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    points = ["一是推进绿色信贷增长。", "二是严厉打击非法集资。", "三是防范非法金融活动。"]
    text = "河北金融监管局2026年开会，提出三项重点。" + "".join(points)
    (raw / "a.md").write_text(f"---\ntitle: 河北金融监管局2026年工作\ndate: 2026-01-05\n---\n\n{text}\n", "utf-8")
    article(raw, "甲", SENTENCES)
    place = workplace(raw, tmp_path / "out", ROOT / "codebook")
    run, ledger = told(place)
    run.write("findings", findings.as_frame(ledger.findings))
    run.write("numbers", findings.number_ledger(ledger.findings))
    changes.freeze(place, "v1")
    frame = changes.reproduce(place, "v1").set_index("finding")
    assert frame.loc["listed_first", ["zh", "n_again", "found"]].tolist() == ["3条", 3, "yes"]
    assert sorted(map(len, changes.frozen_run(place, "v1").table("articles")["text"])) == [0, len(text)]


def test_freeze_reproduce_and_clean_on_the_command_line(place, capsys):
    run, ledger = told(place)
    run.write("findings", findings.as_frame(ledger.findings))
    run.write("numbers", findings.number_ledger(ledger.findings))
    changes.since_last_build(run, ledger)
    where = ["--raw", str(place.raw), "--out", str(place.out), "--codebook", str(place.codebook)]
    assert main(["freeze", "2026-01", *where]) == 0
    assert main(["freeze", "2026-01", *where]) == 2
    assert "there is a vintage of this name already" in capsys.readouterr().err
    assert main(["reproduce", "2026-01", *where]) == 0
    said = capsys.readouterr().out.splitlines()
    n = len(findings.number_ledger(ledger.findings))
    assert said[-1] == f"{n} of {n} numbers are found again in the frozen tables"
    share = next(line.split() for line in said if line.startswith("leading_theme") and "%" in line)
    assert share[2:5] == share[5:8] == share[8:11] == share[11:14]  # then, again, today twice: “36 of 42”

    def vintages():
        return sorted(p.relative_to(place.out).as_posix() for p in place.out.rglob("*") if "vintages" in p.parts)

    kept = vintages()
    assert sum(name.startswith(".fengxiang/vintages/0") for name in kept) == 1
    assert main(["clean", "--out", str(place.out)]) == 0
    assert vintages() == kept
    assert sorted(p.name for p in (place.out / ".fengxiang").iterdir()) == ["vintages"]
    assert not place.processed.exists()
    assert main(["reproduce", "2026-01", *where]) == 0  # the tables of today are made anew


def test_a_number_that_is_not_found_again_is_said_and_status_1(place, capsys):
    run, ledger = told(place)
    run.write("findings", findings.as_frame(ledger.findings))
    run.write("numbers", findings.number_ledger(ledger.findings))
    folder = changes.freeze(place, "v1")
    ledger = folder / "data/processed/numbers.csv"
    quoted = pd.read_csv(ledger, encoding="utf-8-sig")
    at = quoted.index[quoted["zh"].str.endswith("%")][0]
    quoted.loc[at, "n"] += 1
    quoted.to_csv(ledger, index=False, encoding="utf-8-sig")
    where = ["--raw", str(place.raw), "--out", str(place.out), "--codebook", str(place.codebook)]
    assert main(["reproduce", "v1", *where]) == 1
    n = len(quoted)
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"{n - 1} of {n} numbers are found again in the frozen tables")
    assert main(["reproduce", "none", *where]) == 2
    assert "there is no frozen vintage “none”; there are v1" in capsys.readouterr().err
