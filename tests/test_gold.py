"""Hand labels: comparing them with a build, the sheet that is coded by hand, and reading it back."""

import csv
import shutil
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fengxiang import gold
from fengxiang.__main__ import main
from fengxiang.errors import UserError
from fengxiang.workplace import SHEET

ROOT = Path(__file__).resolve().parent.parent
LABELS = ROOT / "codebook" / "gold"
CODES = {"themes": ["inclusive", "green"], "regions": ["全国", "深圳", "河北"], "grades": ["must", "promote"]}


def frame(*rows) -> pd.DataFrame:
    """Statements (id, text, themes, inherited, guarded, evidence); the article is the id up to the hyphen."""
    names = ["statement_id", "text", "themes", "themes_inherited", "themes_guarded", "evidence"]
    out = pd.DataFrame([[*row, *[[], [], [], "[]"][len(row) - 2:]] for row in rows], columns=names)
    article = out["statement_id"].str.split("-").str[0]
    return out.assign(article_id=article, story_id=article, heading=None)


def labels(*rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["text", "themes"])


NO_LABELS = labels()
FEW = frame(
    ("a-1", "普惠贷款增长较快。", ["inclusive"], ["inclusive"]),
    ("a-2", "绿色信贷增长较快。", ["green"], [], ["inclusive"]),
    ("b-1", "=会议部署了五项任务。"),
    ("b-2", "各局介绍了工作情况。"),
    ("c-1", "会议在深圳如期召开。"),
    ("c-2", "@会议没有别的内容。"),
)


# --- comparing


def test_a_sentence_meets_the_statements_it_is_split_into_and_their_codes_are_united():
    label = pd.DataFrame([{
        "id": "x", "part": "develop", "article": "a", "text": "一是普惠贷款要增加；二是绿色信贷要扩大。",
        "themes": ("green", "inclusive"), "themes_contested": (), "regions": ("深圳",), "regions_contested": (),
        "level": "regional", "speaker": "深圳金融监管局", "deontic": "must"}])
    rows = [("一是普惠贷款要增加；", ["inclusive"], [], ["深圳"], "regional", "深圳金融监管局", "promote", "a"),
            ("二是绿色信贷要扩大。", ["green"], ["green"], ["深圳"], "regional", None, "must", "a"),
            ("别的句子也在这里。", ["opening"], [], ["河北"], "regional", None, None, "a")]
    compared = gold.compare(label, pd.DataFrame(rows, columns=gold.COLUMNS))
    row = compared.iloc[0]
    assert (row["got_themes"], row["got_stated"], row["got_regions"]) == (
        ("green", "inclusive"), ("inclusive",), ("深圳",))
    assert (row["got_level"], row["got_speaker"], row["got_deontic"]) == (
        "regional", "深圳金融监管局", ["promote", "must"])
    found = gold.summary(compared, ["must", "promote"])
    assert found[found["part"] == "develop"][["kind", "right", "n"]].values.tolist() == [
        [kind, 1, 1] for kind in gold.KINDS]
    assert gold.said_of(compared, ["must", "promote"])[1] == (
        "  statements with exactly the themes      1 of    1  100.0%  (20.7% to 100.0%)")


def test_sentences_that_begin_alike_all_meet_the_statement_that_holds_them():
    texts = ["国家金融监管总局部署防风险工作。", "国家金融监管总局部署普惠工作。", "部署防风险工作", "监管工作"]
    labels = pd.DataFrame({"id": list("abcd"), "text": texts})
    rows = [(text, [theme], [], [], None, None, None, theme) for text, theme in (
        ("国家金融监管总局部署普惠工作，国家金融监管总局部署防风险工作。", "both"), ("别的工作。", "none"),
        ("部署防风险", "short"), ("部署：防风险工作", "part"))]
    compared = gold.compare(labels, pd.DataFrame(rows, columns=gold.COLUMNS)).set_index("id")
    assert compared["got_themes"].to_dict() == {
        "a": ("both", "part"), "b": ("both",), "c": ("both", "part")}  # under six letters nothing is told
    assert gold.compare(labels, pd.DataFrame(rows[1:2], columns=gold.COLUMNS)).empty


def test_accuracy_of_each_grade():
    rows = [("must", ["promote", "must"]), ("must", []), ("promote", ["must"]), ("", []), ("none", ["promote"]),
            ("?", ["must"])]
    compared = pd.DataFrame(rows, columns=["deontic", "got_deontic"]).assign(article="a", part="held_out")
    found = gold.grade_accuracy(compared, ["must", "promote"], "held_out").set_index("theme")
    assert found[["n", "tp", "fp", "fn"]].astype(int).to_dict("index") == {
        "must": {"n": 2, "tp": 1, "fp": 1, "fn": 1}, "promote": {"n": 1, "tp": 0, "fp": 1, "fn": 1},
        "all": {"n": 3, "tp": 1, "fp": 2, "fn": 2}}


def test_the_shipped_labels_are_sound():
    shipped = gold.load(LABELS)
    assert len(shipped[shipped["set"] == "extension"]) >= 400
    assert shipped["id"].is_unique
    codings = pd.read_csv(LABELS / gold.CODINGS, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    assert (codings.groupby("id")["coder"].nunique() == 2).all()
    assert set(codings["id"]) == set(shipped[shipped["set"] == "extension"]["id"])
    settled = pd.read_csv(LABELS / gold.ADJUDICATION, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    assert set(settled["id"]) <= set(shipped["id"])
    assert (settled["reason"] != "").all()


def test_agreement_of_two_coders(tmp_path):
    rows = [["a", "1", "inclusive", "深圳", "regional", "甲、乙", "none"],
            ["a", "2", "inclusive", "深圳", "regional", "乙;甲", ""],
            ["b", "1", "green", "", "none", "", "must"], ["b", "2", "inclusive", "", "none", "", "promote"],
            ["c", "1", "green", "", "none", "", "must"]]  # one coder only
    pd.DataFrame(rows, columns=["id", "coder", *gold.KINDS]).to_csv(tmp_path / gold.CODINGS, index=False)
    pd.DataFrame([["b", "themes", "green", "why"], ["c", "themes", "green", "why"]],
                 columns=["id", "field", "decision", "reason"]).to_csv(tmp_path / gold.ADJUDICATION, index=False)
    found = gold.agreement(tmp_path).set_index("kind")
    assert found["n"].tolist() == [2] * 5
    assert found["agree"].tolist() == [0.5, 1, 1, 1, 0.5]
    # themes: values inclusive ×3, green ×1; one pair of two differs: 1 - (1/2) / (1 - (3·2 + 0) / (4·3)) = 0
    assert found["alpha"].tolist() == pytest.approx([0, 1, 1, 1, 1 - (1 / 2) / (1 - 2 / 12)])
    assert found["adjudicated"].tolist() == [1, 0, 0, 0, 0]


# --- drawing


def test_what_would_tell_most_is_drawn_and_a_third_at_random():
    sheet = gold.sampling_sheet(FEW, labels(("普惠。", ("inclusive",))), n=3)
    # a-1: no label of it but one (10/2) and inherited (3) and one match (1); a-2: never labelled (10), guarded (2)
    assert sheet[sheet["drawn"] == "telling"]["id"].tolist() == ["a-1", "a-2"]
    assert len(sheet[sheet["drawn"] == "random"]) == 1
    assert sheet["id"].is_monotonic_increasing
    assert (sheet[[*gold.KINDS, "coder"]] == "").all().all()


def test_nothing_is_drawn_twice_or_again():
    assert len(gold.sampling_sheet(FEW, NO_LABELS, n=60)) == 6
    # a part of a labelled sentence, a whole that holds one, punctuation apart
    known = labels(("普惠贷款，增长较快；绿色信贷增长较快。", ()), ("会议部署了五项任务", ()))
    assert gold.sampling_sheet(FEW, known)["id"].tolist() == ["b-2", "c-1", "c-2"]
    reprint = frame(("e-1", "另一篇转载里的句子。")).assign(story_id="a")
    again = pd.concat([FEW, frame(("d-1", "会议在深圳如期召开")), reprint])
    assert len(gold.sampling_sheet(again, NO_LABELS)) == 6
    everything = labels(*((text, ()) for text in FEW["text"]))
    assert gold.sampling_sheet(FEW, everything).empty


def test_the_random_part_is_the_same_every_time_and_comes_from_everywhere():
    many = frame(*((f"{i:03}-1", f"第{i}个句子说的是别的事情。") for i in range(300)))
    sheet = gold.sampling_sheet(many, NO_LABELS, n=90)
    assert sheet.equals(gold.sampling_sheet(many.sample(frac=1, random_state=3), NO_LABELS, n=90))
    at_random = sheet[sheet["drawn"] == "random"]["id"]
    assert len(at_random) == 30
    assert not at_random.equals(gold.sampling_sheet(many, NO_LABELS, n=90, seed=2)["id"])
    assert at_random.min() < "150" < at_random.max()


# --- writing and reading


@pytest.fixture
def sheet(tmp_path) -> Path:
    path = tmp_path / SHEET
    gold.write_sheet(path, gold.sampling_sheet(FEW, NO_LABELS))
    return path


def fill(path: Path, **cells: str) -> None:
    """Fill in rows by hand: the id with _ for - and the cells themes|regions|level|speaker|deontic|coder."""
    with open(path, encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    for row in rows:
        given = cells.get(row["id"].replace("-", "_"), "|||||").split("|")
        row.update(zip((*gold.KINDS, "coder"), given, strict=True))
    with open(path, "w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def read(path: Path) -> pd.DataFrame:
    return gold.read_sheet(path, FEW, *CODES.values())


GOOD = "inclusive；green|深圳、河北|regional|深圳金融监管局、河北金融监管局|none|WJ"


def test_a_sheet_cannot_act_in_a_spreadsheet(sheet):
    raw = sheet.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    with open(sheet, encoding="utf-8-sig", newline="") as handle:
        texts = {row["id"]: row["text"] for row in csv.DictReader(handle)}
    assert texts["b-1"] == "'=会议部署了五项任务。"
    assert texts["c-2"] == "'@会议没有别的内容。"


def test_what_is_filled_in_is_read_back(sheet):
    fill(sheet, a_1=GOOD, b_1="无|none|none|none|must|WJ")
    found = read(sheet)
    assert found[["id", "text", "coder", *gold.KINDS]].values.tolist() == [
        ["a-1", "普惠贷款增长较快。", "WJ", "inclusive;green", "深圳;河北", "regional", "深圳金融监管局;河北金融监管局",
         ""],
        ["b-1", "=会议部署了五项任务。", "WJ", "", "", "", "", "must"],
    ]
    fill(sheet)
    assert read(sheet).empty


@pytest.mark.parametrize(("cells", "message"), [
    ("inclusve|深圳|regional|none|none|WJ", "“inclusve” is not among what themes may be: inclusive, green, or none"),
    ("green|深圳市|regional|none|none|WJ", "“深圳市” is not among what regions may be: 全国, 深圳, 河北, or none"),
    ("green|深圳|local|none|none|WJ", "“local” is not among what level may be: national, regional, or none"),
    ("green|深圳|regional|none|shall|WJ", "“shall” is not among what deontic may be: must, promote, or none"),
    ("green|深圳|regional|none|must;promote|WJ", "deontic can be one only; keep one of must, promote"),
    ("green;none|深圳|regional|none|none|WJ", "themes holds “none” beside something else; keep one of the two"),
    ("green||regional|none|none|WJ", "regions is empty; write what it is, or “none”"),
    ("green|深圳|regional|none|none|", "says not who has coded it; write a name or initials in the column coder"),
])
def test_a_wrong_cell_is_refused_with_its_line(sheet, cells, message):
    fill(sheet, a_2=cells)
    with pytest.raises(UserError) as caught:
        read(sheet)
    assert (caught.value.message, caught.value.path, caught.value.line) == (message, sheet, 3)


@pytest.mark.parametrize(("old", "new", "line", "message"), [
    ("a-2,", "a-9,", 3, "there is no statement a-9 in this build; draw a new sheet with `python -m fengxiang gold`"),
    ("a-2,", "a-1,", 3, "the statement a-1 stands in line 2 already; delete one of the two"),
    ("绿色信贷", "绿色贷款", 3,
     "the text of a-2 is not that of the build; leave the columns id to heading as they were"),
    (",telling,绿", ",chosen,绿", 3,
     "“chosen” is no way to draw a statement; leave the columns id to heading as they were"),
    ("deontic,coder", "grade,coder", 1,
     "lacks the column deontic; save the sheet as CSV with commas, under its own headings"),
    ("id,article", "id;article", 1,
     "lacks the columns id, article; save the sheet as CSV with commas, under its own headings"),
])
def test_a_damaged_sheet_is_refused_with_its_line(sheet, old, new, line, message):
    fill(sheet, a_1=GOOD, a_2=GOOD)
    text = sheet.read_text(encoding="utf-8-sig").replace(",random,", ",telling,")
    assert old in text
    sheet.write_text(text.replace(old, new, 1), encoding="utf-8-sig")
    with pytest.raises(UserError) as caught:
        read(sheet)
    assert (caught.value.message, caught.value.line) == (message, line)


@pytest.mark.parametrize(("raw", "message"), [
    (b"", "is empty; draw a sheet with `python -m fengxiang gold`"),
    ("编号,标注".encode("gb18030"), "is not UTF-8; in the spreadsheet save it as “CSV UTF-8”"),
    (b'id,"article\n', r"s\.csv:1: is not sound CSV \(.*\); save the sheet once more from the spreadsheet"),
    (b"x" * (gold.MAX_SHEET_BYTES + 1), "bytes a sheet may have; give a sheet written by `python -m fengxiang gold`"),
    (None, r"s\.csv: cannot be read \(No such file.*\); give a sheet written by `python -m fengxiang gold`"),
])
def test_a_file_that_is_no_sheet_is_refused(tmp_path, raw, message):
    path = tmp_path / "s.csv"
    if raw is not None:
        path.write_bytes(raw)
    with pytest.raises(UserError, match=message):
        read(path)


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(tmp_path_factory, raw):
    path = tmp_path_factory.mktemp("s") / "s.csv"
    path.write_bytes(raw)
    with pytest.raises(UserError):
        read(path)


def test_a_sheet_with_codings_is_not_overwritten(sheet):
    gold.write_sheet(sheet, gold.sampling_sheet(FEW, NO_LABELS, n=2))
    fill(sheet, a_1=GOOD)
    with pytest.raises(UserError, match="holds codings that a new sheet would overwrite"):
        gold.write_sheet(sheet, gold.sampling_sheet(FEW, NO_LABELS, n=3))


# --- merging


@pytest.mark.parametrize(("raw", "message"), [
    ("编号".encode("gb18030"), r"statements\.csv: is not a table of hand labels \(.*utf-8.*\); save it as “CSV UTF-8” "
                             "or put the file of the project back"),
    (b"", r"statements\.csv: is not a table of hand labels \(No columns.*\); save it"),
    (b'id,"a\n', r"statements\.csv: is not a table of hand labels \(.*\); save it"),
    (b"id,set\na-1,sheet\n", r"statements\.csv:1: lacks the columns part, .*; put them back"),
    (b"held_in", r"statements\.csv:3: the part “held_in” is neither develop nor held_out; write one of the two"),
])
def test_labels_that_are_none_are_refused(tmp_path, raw, message):
    if raw == b"held_in":
        merged(tmp_path, coded("a-1", "WJ", "||||"), coded("b-1", "WJ", "||||"))
        raw = (tmp_path / gold.FILE).read_bytes().replace(b"b-1,sheet,held_out", b"b-1,sheet,held_in")
    (tmp_path / gold.FILE).write_bytes(raw)
    with pytest.raises(UserError, match=message):
        gold.load(tmp_path)


def coded(what: str, coder: str, cells: str, drawn: str = "random") -> dict[str, str]:
    return {"id": what, "article": what[0], "drawn": drawn, "text": f"句子{what}。", "coder": coder,
            **dict(zip(gold.KINDS, cells.split("|"), strict=True))}


def merged(folder: Path, *rows: dict[str, str]) -> pd.DataFrame:
    gold.merge(folder, pd.DataFrame(rows))
    return gold.load(folder).set_index("id", drop=False)


def test_one_coder_gives_the_labels_and_a_second_contests_them(tmp_path):
    found = merged(tmp_path, coded("a-1", "WJ", "green;inclusive|深圳|regional|深圳金融监管局|must"),
                   coded("b-1", "WJ", "||||", drawn="telling"))
    assert found["part"].tolist() == ["held_out", "develop"]
    assert found.loc["a-1", ["themes", "regions", "level", "speaker", "deontic"]].tolist() == [
        ("green", "inclusive"), ("深圳",), "regional", "深圳金融监管局", "must"]
    found = merged(tmp_path, coded("a-1", "LM", "green|深圳;河北|regional|河北金融监管局|"))
    assert found.loc["a-1", ["themes", "themes_contested", "regions", "regions_contested"]].tolist() == [
        ("green",), ("inclusive",), ("深圳",), ("河北",)]
    assert found.loc["a-1", ["level", "speaker", "deontic"]].tolist() == ["regional", "?", "?"]
    assert gold.agreement(tmp_path)["n"].tolist() == [1] * 5
    # who codes again takes the former coding back; a third one does not come in
    found = merged(tmp_path, coded("a-1", "LM", "green;inclusive|深圳|regional|深圳金融监管局|must"))
    assert found.loc["a-1", "themes_contested"] == ()
    before = (tmp_path / gold.CODINGS).read_bytes()
    with pytest.raises(UserError, match=r"codings\.csv: the statement a-1 has been coded by WJ and LM already; settle "
                                        r"what they differ on in adjudication\.csv"):
        merged(tmp_path, coded("a-1", "XY", "||||"))
    assert (tmp_path / gold.CODINGS).read_bytes() == before


def test_what_was_settled_by_hand_stays(tmp_path):
    merged(tmp_path, coded("a-1", "WJ", "green|深圳|regional||"))
    text = "id,field,decision,reason\na-1,themes,green,the point of the sentence\n"
    (tmp_path / gold.ADJUDICATION).write_text(text, encoding="utf-8")
    found = merged(tmp_path, coded("a-1", "LM", "inclusive||regional||"))
    assert (found.loc["a-1", "themes"], found.loc["a-1", "themes_contested"]) == (("green",), ())
    assert (found.loc["a-1", "regions"], found.loc["a-1", "regions_contested"]) == ((), ("深圳",))


def test_the_labels_that_were_there_stay_as_they_were(tmp_path):
    for name in (gold.FILE, gold.CODINGS, gold.ADJUDICATION):
        shutil.copy(LABELS / name, tmp_path / name)
    before = {name: (tmp_path / name).read_text(encoding="utf-8-sig").splitlines()
              for name in (gold.FILE, gold.CODINGS)}
    merged(tmp_path, coded("a-1", "WJ", "green|深圳|regional|深圳金融监管局|must"))
    for name, lines in before.items():
        after = (tmp_path / name).read_text(encoding="utf-8-sig").splitlines()
        assert (after[:-1], len(after)) == (lines, len(lines) + 1)


# --- the command


def test_the_command_draws_a_sheet_and_reads_it_back(tmp_path, capsys):
    codebook, raw = tmp_path / "codebook", tmp_path / "raw"
    shutil.copytree(ROOT / "codebook", codebook, ignore=shutil.ignore_patterns("gold"))
    raw.mkdir()
    (raw / "a.md").write_text(
        "# 深圳金融监管局部署2026年工作\n\n发布日期：2026-02-01\n\n深圳金融监管局2月1日召开监管工作会议，部署全年任务。"
        "会议要求银行机构大力发展绿色金融，做好绿色信贷投放。\n", encoding="utf-8")
    where = ["--raw", str(raw), "--out", str(tmp_path / "out"), "--codebook", str(codebook)]
    path = tmp_path / "out" / "data" / "processed" / SHEET
    assert main(["gold", *where]) == 0
    with open(path, encoding="utf-8-sig", newline="") as handle:
        rows = {row["text"].strip(): row["id"].replace("-", "_") for row in csv.DictReader(handle)}
    assert len(rows) == 2
    assert f"2 statements to code → {path}" in capsys.readouterr().out
    green = next(what for text, what in rows.items() if "绿色" in text)
    fill(path, **{green: "green|深圳|regional|深圳金融监管局|must|WJ"})
    assert main(["gold", "--read", str(path), *where]) == 0
    said = capsys.readouterr().out
    assert "1 coded statements read into" in said
    assert "statements with exactly the themes      1 of    1  100.0%" in said
    assert gold.load(codebook / "gold")["themes"].tolist() == [("green",)]
    # clean leaves it; what is coded is not drawn again
    assert main(["clean", "--out", str(tmp_path / "out")]) == 0
    assert [p.name for p in path.parent.iterdir()] == [SHEET]
    path.unlink()
    assert main(["gold", *where]) == 0
    assert "1 statements to code" in capsys.readouterr().out
    fill(path, **dict.fromkeys(rows.values(), "grün|深圳|regional|none|none|WJ"))
    assert main(["gold", "--read", str(path), *where]) == 2
    assert f"{path}:2: “grün” is not among what themes may be" in capsys.readouterr().err
