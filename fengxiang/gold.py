"""Hand labels: how often the coding of themes, regions, levels, speakers and wording is right.

`codebook/gold/statements.csv` holds sentences with the labels two independent coders agree on or an adjudicator
settled; `codings.csv` and `adjudication.csv` keep the two codings and the decisions. Most are marked `held_out`:
whoever writes patterns does not look at them, and accuracy is read from them.

More are coded on a sheet (`sampling_sheet`, `write_sheet`), which `read_sheet` checks and `merge` takes into the
folder.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from . import measures, tables
from .errors import UserError
from .stories import all_normalised, normalised

FILE, CODINGS, ADJUDICATION = "statements.csv", "codings.csv", "adjudication.csv"
SHEET_ROWS = 60
RANDOM_SHARE = 1 / 3
"""The part of a sheet that is drawn at random."""
MAX_SHEET_BYTES = 20_000_000
NEEDED = ("id", "part", "article", "text", "themes", "themes_contested", "regions", "regions_contested", "level",
          "speaker", "deontic")
COLUMNS = ["text", "themes", "themes_inherited", "regions", "level", "speaker", "deontic", "article_id"]
NOT_SETTLED = "?"
NONE = ("none", "无")
"""What a coder writes where there is nothing to code."""
_GIVEN = ("id", "article", "drawn", "text", "heading")
_PARTS = {"telling": "develop", "random": "held_out"}
_STATEMENT_COLUMNS = ("id", "set", "part", "article", "text", "themes", "themes_contested", "regions",
                      "regions_contested", "level", "speaker", "deontic", "quantities")
KINDS = {
    "themes": {"zh": "主题完全一致的语句", "en": "statements with exactly the themes"},
    "regions": {"zh": "地区完全一致的语句", "en": "statements with exactly the regions"},
    "level": {"zh": "层级（总局或地方局）", "en": "level (national or regional)"},
    "speaker": {"zh": "发声机构", "en": "speaker"},
    "deontic": {"zh": "措辞约束力等级", "en": "binding grade of the wording"},
}
SUMMARY_COLUMNS = {
    "kind": {"zh": "编码", "en": "coding", "labels": KINDS},
    "part": {"zh": "标注", "en": "labels", "labels": {
        "held_out": {"zh": "编写规则时未用", "en": "held out from pattern writing"},
        "develop": {"zh": "编写规则时用过", "en": "used in pattern writing"}}},
    "right": {"zh": "一致", "en": "right", "format": ",d"},
    "n": {"zh": "语句", "en": "statements", "format": ",d"},
    "share": {"zh": "一致率", "en": "share right", "format": ".1%"},
    "low": {"zh": "95%下限", "en": "95% low", "format": ".1%"},
    "high": {"zh": "95%上限", "en": "95% high", "format": ".1%"},
}

AGREEMENT_COLUMNS = {
    "kind": {**SUMMARY_COLUMNS["kind"], "labels": {**KINDS, "themes": {"zh": "主题", "en": "themes"},
                                                   "regions": {"zh": "地区", "en": "regions"}}},
    "n": {"zh": "语句", "en": "statements", "format": ",d"},
    "agree": {"zh": "两次标注完全一致", "en": "coded exactly alike", "format": ".1%"},
    "alpha": {"zh": "Krippendorff α", "en": "Krippendorff’s alpha", "format": ".3f"},
    "low": {"zh": "95%下限", "en": "95% low", "format": ".3f"},
    "high": {"zh": "95%上限", "en": "95% high", "format": ".3f"},
    "adjudicated": {"zh": "另行裁定", "en": "adjudicated", "format": ",d"},
}
GRADE_COLUMNS = {
    "name": {"zh": "等级", "en": "grade"},
    "n": {"zh": "标注的语句", "en": "labelled", "format": ",d"},
    "precision": {"zh": "精确率", "en": "precision", "format": ".1%"},
    "recall": {"zh": "召回率", "en": "recall", "format": ".1%"},
    "f1": {"zh": "F1", "en": "F1", "format": ".2f"},
    "f1_low": {"zh": "95%下限", "en": "95% low", "format": ".2f"},
    "f1_high": {"zh": "95%上限", "en": "95% high", "format": ".2f"},
}


def load(folder: str | Path) -> pd.DataFrame:
    """The labelled sentences: one row each; themes, regions and what is contested as sorted tuples, text fields as
    strings (`?` where coders did not settle, empty where there is nothing).

    Raises:
        UserError: the file lacks a column, or a part is neither `develop` nor `held_out`; names the line.
    """
    path, frame = Path(folder) / FILE, _table(folder, FILE, NEEDED)
    wrong = frame.index[~frame["part"].isin(["develop", "held_out"])]
    if len(wrong):
        part, line = frame["part"][wrong[0]], int(wrong[0]) + 2
        raise UserError(f"the part “{part}” is neither develop nor held_out; write one of the two", path, line)
    for column in ("themes", "themes_contested", "regions", "regions_contested"):
        frame[column] = [tuple(sorted(v for v in text.split(";") if v)) for text in frame[column]]
    return frame


def compare(labels: pd.DataFrame, statements: pd.DataFrame) -> pd.DataFrame:
    """Each labelled sentence with what the build made of it.

    A sentence meets every statement that contains it or is contained in it, punctuation apart; themes and regions of
    these are united, the level, speaker and grade are those of the first that has one (the strongest grade wins).

    Args:
        labels: as `load` gives them.
        statements: with `COLUMNS`.

    Returns:
        the rows of `labels` that meet a statement, with got_themes, got_stated (without inherited ones), got_regions,
        got_level, got_speaker, got_deontic.
    """
    return _compared(labels, [pa.Table.from_pandas(statements[COLUMNS], preserve_index=False)])


def compare_build(labels: pd.DataFrame, out: str | Path) -> pd.DataFrame:
    """As `compare`, with all statements of a build; they pass by part for part."""
    return _compared(labels, tables.read_parts(out, "statements", COLUMNS))


def _compared(labels: pd.DataFrame, parts: Iterable[pa.Table]) -> pd.DataFrame:
    met: dict[int, dict] = {}
    meeting = _Meeting(labels["text"])
    for statements in parts:
        found = meeting(statements["text"].to_pylist())
        for row, numbers in zip(statements.take(pa.array(found, pa.int64())).to_pylist(), found.values(), strict=True):
            for i in numbers:
                got = met.setdefault(i, {"themes": set(), "stated": set(), "regions": set(), "level": "",
                                         "speaker": "", "deontic": []})
                got["themes"].update(row["themes"])
                got["stated"].update(set(row["themes"]) - set(row["themes_inherited"]))
                got["regions"].update(row["regions"])
                for name in ("level", "speaker"):
                    got[name] = got[name] or row[name] or ""
                got["deontic"] += [row["deontic"]] if row["deontic"] else []
    rows = [{**labels.iloc[i].to_dict(),
             **{f"got_{name}": tuple(sorted(got)) if isinstance(got, set) else got for name, got in met[i].items()}}
            for i in sorted(met)]
    columns = [*labels.columns, "got_themes", "got_stated", "got_regions", "got_level", "got_speaker", "got_deontic"]
    return pd.DataFrame(rows, columns=columns)


def theme_accuracy(compared: pd.DataFrame, part: str | None = None) -> pd.DataFrame:
    """Precision, recall and F1 of each theme: see `measures.accuracy`; intervals resample articles."""
    rows = compared if part is None else compared[compared["part"] == part]
    return measures.accuracy(rows["got_themes"].tolist(), rows["themes"].tolist(), rows["themes_contested"].tolist(),
                             clusters=rows["article"].tolist())


def grade_accuracy(compared: pd.DataFrame, grades: Sequence[str], part: str | None = None) -> pd.DataFrame:
    """Precision, recall and F1 of each binding grade that labels or coding have, and of all (`all`): columns theme
    (the grade), n (labelled with it) and those of `measures.accuracy`."""
    rows = compared if part is None else compared[compared["part"] == part]
    rows = rows[rows["deontic"] != NOT_SETTLED]
    got = [{min(found, key=list(grades).index)} if found else set() for found in rows["got_deontic"]]
    frame = measures.accuracy(got, rows["deontic"].map(_named).tolist(), clusters=rows["article"].tolist())
    frame = frame[frame["theme"] != "mean"]
    return frame.assign(n=frame["tp"] + frame["fn"])


def summary(compared: pd.DataFrame, grades: list[str] | None = None) -> pd.DataFrame:
    """kind, part, right, n, share, low, high: how many sentences each kind of coding gets exactly right.

    Args:
        compared: as `compare` gives it.
        grades: binding grades, strongest first, to choose among the statements of one sentence; by default the
            first found counts.
    """
    order = {g: i for i, g in enumerate(grades or [])}
    rows = []
    for part in ("held_out", "develop"):
        of_part = compared[compared["part"] == part]
        for kind in KINDS:
            if kind in ("themes", "regions"):
                right = [set(got) - set(open_) == set(want) - set(open_) for got, want, open_ in zip(
                    of_part[f"got_{kind}"], of_part[kind], of_part[f"{kind}_contested"], strict=True)]
            else:
                labelled = of_part[of_part[kind] != NOT_SETTLED]
                got = labelled[f"got_{kind}"]
                if kind == "deontic":
                    got = [min(g, key=lambda x: order.get(x, 99)) if g else "" for g in got]
                right = [_named(a) == _named(b) for a, b in zip(got, labelled[kind], strict=True)]
            n = len(right)
            low, high = measures.wilson_interval(sum(right), n) if n else (float("nan"), float("nan"))
            rows.append((kind, part, sum(right), n, sum(right) / n if n else float("nan"), float(low), float(high)))
    return pd.DataFrame(rows, columns=["kind", "part", "right", "n", "share", "low", "high"])


def said_of(compared: pd.DataFrame, grades: Sequence[str]) -> list[str]:
    """What `summary` finds, in lines for the command line."""
    lines = []
    for part, rows in summary(compared, list(grades)).groupby("part", sort=False):
        if rows["n"].any():
            lines.append(SUMMARY_COLUMNS["part"]["labels"][part]["en"] + ":")
            lines += [f"  {KINDS[row.kind]['en']:36} {row.right:4} of {row.n:4}  {row.share:6.1%}  "
                      f"({row.low:.1%} to {row.high:.1%})" for row in rows.itertuples() if row.n]
    return lines


def _named(value: str) -> frozenset[str]:
    """The names in a field, whatever their order and mark; several speakers stand in one field."""
    return frozenset(v for v in value.replace("、", ";").split(";") if v and v != "none")


class _Meeting:
    """Finds the labelled sentences that contain a text or are contained in it, punctuation apart."""

    def __init__(self, labelled: Sequence[str]):
        from ahocorasick_rs import AhoCorasick

        self.wanted = [normalised(t) for t in labelled]
        self.by_start: dict[str, set[int]] = {}
        for i, text in enumerate(self.wanted):
            for start in range(max(1, len(text) - 5)):
                self.by_start.setdefault(text[start:start + 6], set()).add(i)
        self.numbers = [i for i, text in enumerate(self.wanted) if len(text) >= 6]  # shorter ones stand anywhere
        self.finder = AhoCorasick([self.wanted[i] for i in self.numbers])

    def __call__(self, texts: Sequence[str]) -> dict[int, set[int]]:
        """Place of each text that meets any → the numbers of the labelled sentences; in the order of the texts."""
        texts = all_normalised(texts)
        found: dict[int, set[int]] = {}
        for place, text in enumerate(texts):
            if text[:6] in self.by_start and len(text) >= 6 and (
                    inside := {i for i in self.by_start[text[:6]] if text in self.wanted[i]}):
                found[place] = inside
        # all texts are searched as one: there are millions, of which few meet any
        ends = np.cumsum([len(text) + 1 for text in texts])
        matches = self.finder.find_matches_as_indexes("\n".join(texts), overlapping=True)
        places = np.searchsorted(ends, [start for _, start, _ in matches], side="right").tolist()
        for place, (which, _, _) in zip(places, matches, strict=True):
            found.setdefault(place, set()).add(self.numbers[which])
        return dict(sorted(found.items()))


def agreement(folder: str | Path) -> pd.DataFrame:
    """How far two coders agree on the statements that both have coded, and how many fields were settled by hand.

    Args:
        folder: of the labels, with `codings.csv` (id, coder and the columns of `KINDS`) and `adjudication.csv` (id,
            field, decision, reason).

    Returns:
        kind, n (statements), agree (share coded exactly alike), alpha, low, high (Krippendorff's; sets of themes,
        regions and speakers by `measures.masi_distance`), adjudicated (fields of these statements).
    """
    codings = _table(folder, CODINGS, ("id", "coder", *KINDS))
    settled = _table(folder, ADJUDICATION, ("id", "field", "decision", "reason"))
    first = codings[~codings.duplicated("id")].set_index("id")
    second = codings[codings.duplicated("id")].drop_duplicates("id").set_index("id")
    first = first.loc[second.index]
    settled = settled[settled["id"].isin(second.index)]["field"].value_counts()
    rows = []
    for kind in KINDS:
        pair = ([_named(value) for value in coder[kind]] for coder in (first, second))
        whole = measures.agreement(*pair, themes=[]).iloc[-1]
        rows.append((kind, len(first), whole["agree"], whole["alpha"], whole["low"], whole["high"],
                     int(settled.get(kind, 0))))
    return pd.DataFrame(rows, columns=["kind", "n", "agree", "alpha", "low", "high", "adjudicated"])


def sampling_sheet(statements: pd.DataFrame, labels: pd.DataFrame, n: int = SHEET_ROWS, seed: int = 1) -> pd.DataFrame:
    """Statements to be coded by hand: those whose coding would tell most, and some drawn at random.

    *telling*: statements with themes of which there are few labels come first; among them those whose coding is in
    doubt: a theme taken over from a heading (3 points each), a pattern found but taken back by a guard, so that two
    rules disagree (2), no more than one match (1); more than three of an article only where there are no others.
    Chosen for their errors, they would make the coding look worse than it is, so they are for the writers of patterns
    to look at.

    *random*: a third of the sheet, drawn alike from all other statements. From these accuracy can be told; nobody who
    writes patterns looks at them.

    Texts that are labelled already are left out, and so are reprints and every further copy of a text.

    Args:
        statements: statement_id, article_id, story_id, text, heading, themes, themes_inherited, themes_guarded,
            evidence.
        labels: as `load` gives them.
        n: rows, or as many as there are.
        seed: of the random part.

    Returns:
        id, article, drawn, text, heading, and themes, regions, level, speaker, deontic, coder, which are empty; sorted
        by id.
    """
    labelled = pd.Series([t for ts in labels["themes"] for t in ts], dtype=object).value_counts().to_dict()
    frame = statements[statements["article_id"] == statements["story_id"]]
    known = _Meeting(labels["text"])(frame["text"].tolist())
    frame = frame[~np.isin(np.arange(len(frame)), list(known))].sort_values("statement_id")
    frame = frame[~frame["text"].map(normalised).duplicated()]
    doubt = [3 * len(i) + 2 * len(g) + (e.count("[") <= 2) for i, g, e in zip(
        frame["themes_inherited"], frame["themes_guarded"], frame["evidence"], strict=True)]
    rarity = [1 / (1 + min((labelled.get(t, 0) for t in ts), default=20)) for ts in frame["themes"]]
    frame = frame.assign(worth=[d + 10 * r for d, r in zip(doubt, rarity, strict=True)], drawn="telling")
    n_random = round(min(n, len(frame)) * RANDOM_SHARE)
    telling = frame.sort_values(["worth", "statement_id"], ascending=[False, True])
    many = telling.groupby("article_id").cumcount() >= 3
    telling = telling.loc[many.sort_values(kind="stable").index].head(min(n, len(frame)) - n_random)
    rest = frame.drop(telling.index)
    at_random = rest.iloc[np.random.default_rng(seed).permutation(len(rest))[:n_random]].assign(drawn="random")
    drawn = pd.concat([telling, at_random]).sort_values("statement_id")
    return pd.DataFrame({"id": drawn["statement_id"], "article": drawn["article_id"], "drawn": drawn["drawn"],
                         "text": drawn["text"], "heading": drawn["heading"].fillna(""),
                         **dict.fromkeys((*KINDS, "coder"), "")}).reset_index(drop=True)


def write_sheet(path: str | Path, sheet: pd.DataFrame) -> None:
    """Write a sheet of `sampling_sheet` for a spreadsheet.

    Raises:
        UserError: a sheet with codings stands there already.
    """
    path = Path(path)
    if path.is_file() and any(any(row[kind].strip() for kind in KINDS) for _, row in _rows_of(path)):
        raise UserError("holds codings that a new sheet would overwrite; read it back with `--read`, or move it", path)
    tables.write_csv(path, sheet)


def read_sheet(path: str | Path, statements: pd.DataFrame, themes: Collection[str], regions: Collection[str],
               grades: Collection[str]) -> pd.DataFrame:
    """The coded rows of a sheet; those of which no field has been filled in are left out.

    Args:
        path: a CSV file, as `write_sheet` makes it.
        statements: statement_id and text, of the build that the sheet was drawn from.
        themes, regions, grades: what may be coded.

    Returns:
        id, article, drawn, text, coder and the columns of `KINDS` as strings: several themes, regions or speakers
        joined by `;`, nothing as an empty string.

    Raises:
        UserError: the file cannot be read, or a row of it is not coded as it should be; names the line.
    """
    path = Path(path)
    texts = dict(zip(statements["statement_id"], statements["text"], strict=True))
    allowed = {"themes": themes, "regions": regions, "level": ("national", "regional"), "deontic": grades}
    rows, lines = [], {}
    for line, row in _rows_of(path):
        if not any(row[kind].strip() for kind in KINDS):
            continue
        what = row["id"]
        if what in lines:
            raise UserError(f"the statement {what} stands in line {lines[what]} already; delete one of the two", path,
                            line)
        lines[what] = line
        if what not in texts:
            raise UserError(f"there is no statement {what} in this build; draw a new sheet with `python -m fengxiang "
                            "gold`", path, line)
        if normalised(texts[what]) != normalised(row["text"]):
            raise UserError(f"the text of {what} is not that of the build; leave the columns id to heading as they "
                            "were", path, line)
        if row["drawn"] not in _PARTS:
            raise UserError(f"“{row['drawn']}” is no way to draw a statement; leave the columns id to heading as they "
                            "were", path, line)
        if not row["coder"].strip():
            raise UserError("says not who has coded it; write a name or initials in the column coder", path, line)
        coded = {kind: _coded(row[kind], kind, allowed.get(kind), path, line) for kind in KINDS}
        rows.append({**{c: row[c] for c in ("id", "article", "drawn")}, "text": texts[what],
                     "coder": row["coder"].strip(), **coded})
    return pd.DataFrame(rows, columns=["id", "article", "drawn", "text", "coder", *KINDS])


def _coded(cell: str, kind: str, allowed: Collection[str] | None, path: Path, line: int) -> str:
    """What a cell of a sheet codes, in the form of `codings.csv`."""
    for mark in "；，,、":
        cell = cell.replace(mark, ";")
    values = [value.strip() for value in cell.split(";") if value.strip()]
    if not values:
        raise UserError(f"{kind} is empty; write what it is, or “none”", path, line)
    if set(values) & set(NONE):
        if len(values) > 1:
            raise UserError(f"{kind} holds “none” beside something else; keep one of the two", path, line)
        return ""
    wrong = [value for value in values if allowed is not None and value not in allowed]
    if wrong:
        raise UserError(f"“{wrong[0]}” is not among what {kind} may be: {', '.join(allowed)}, or none", path, line)
    if kind in ("level", "deontic") and len(values) > 1:
        raise UserError(f"{kind} can be one only; keep one of {', '.join(values)}", path, line)
    return ";".join(dict.fromkeys(values))


def _rows_of(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The rows of a sheet, each with its line, as spreadsheets leave them."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot be read ({error.strerror or error.__class__.__name__}); give a sheet written by "
                        "`python -m fengxiang gold`", path) from None
    if len(raw) > MAX_SHEET_BYTES:
        raise UserError(f"is larger than the {MAX_SHEET_BYTES:,} bytes a sheet may have; give a sheet written by "
                        "`python -m fengxiang gold`", path)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError("is not UTF-8; in the spreadsheet save it as “CSV UTF-8”", path) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    out, header, line = [], None, 1
    try:
        for cells in reader:
            if header is None:
                header = [cell.strip() for cell in cells]
                missing = [c for c in (*_GIVEN, *KINDS, "coder") if c not in header]
                if missing:
                    raise UserError(f"lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; save the "
                                    "sheet as CSV with commas, under its own headings", path, 1)
            elif any(cells):
                if len(cells) < len(header):
                    cells = [*cells, *[""] * (len(header) - len(cells))]
                out.append((line, {name: _unguarded(cell) for name, cell in zip(header, cells, strict=False)}))
            line = reader.line_num + 1
    except csv.Error as error:
        raise UserError(f"is not sound CSV ({error}); save the sheet once more from the spreadsheet", path,
                        line) from None
    if header is None:
        raise UserError("is empty; draw a sheet with `python -m fengxiang gold`", path)
    return out


def _unguarded(cell: str) -> str:
    """A cell without the apostrophe that keeps it from acting as a formula."""
    return cell[1:] if cell[:1] == "'" and tables.spreadsheet_text(cell[1:]) == cell else cell


def merge(folder: str | Path, sheet: pd.DataFrame) -> pd.DataFrame:
    """Take the codings of a sheet into the labels.

    A statement coded by one has that one's labels; once a second one has coded it, what both say is its label, what
    only one says is contested, and a level, speaker or grade on which they differ is not settled. What stands in
    `adjudication.csv` is left as it is. Statements drawn at random are held out from whoever writes patterns. A coder
    who codes a statement again replaces the former coding.

    Args:
        folder: of the labels; made where it is missing.
        sheet: as `read_sheet` gives it.

    Returns:
        the rows of `statements.csv` that the sheet has added or changed.

    Raises:
        UserError: a statement has been coded by two others already; nothing is written then.
    """
    folder = Path(folder)
    labels = _table(folder, FILE, _STATEMENT_COLUMNS).set_index("id", drop=False)
    codings = _table(folder, CODINGS, ("id", "coder", *KINDS))
    settled = set(_table(folder, ADJUDICATION, ("id", "field", "decision", "reason"))[["id", "field"]].itertuples(
        index=False, name=None))
    new = sheet[["id", "coder", *KINDS]].assign(**{
        kind: sheet[kind].replace("", "none") for kind in ("level", "deontic")})
    codings = pd.concat([codings, new], ignore_index=True).drop_duplicates(["id", "coder"], keep="last")
    coders = codings.groupby("id", sort=False)["coder"].agg(list)
    for row in sheet.itertuples():
        if len(coders[row.id]) > 2:
            raise UserError(f"the statement {row.id} has been coded by {' and '.join(coders[row.id][:2])} already; "
                            "settle what they differ on in adjudication.csv", folder / CODINGS)
    by_id = {what: group.to_dict("records") for what, group in codings[codings["id"].isin(sheet["id"])].groupby("id")}
    rows = {}
    for row in sheet.itertuples():
        label = dict.fromkeys(_STATEMENT_COLUMNS, "") | {
            "id": row.id, "set": "sheet", "part": _PARTS[row.drawn], "article": row.article, "text": row.text,
            "quantities": NOT_SETTLED}
        if row.id in labels.index:
            label |= labels.loc[row.id].to_dict()
        for kind in KINDS:
            if (row.id, kind) in settled:
                continue
            said = [_named(coding[kind]) for coding in by_id[row.id]]
            both, either = frozenset.intersection(*said), frozenset.union(*said)
            if f"{kind}_contested" in label:
                label[kind], label[f"{kind}_contested"] = (";".join(sorted(v)) for v in (both, either - both))
            else:
                label[kind] = ";".join(sorted(both)) if both == either else NOT_SETTLED
        rows[row.id] = label
    changed = pd.DataFrame(rows.values(), columns=list(_STATEMENT_COLUMNS))
    merged = pd.concat([labels[~labels["id"].isin(rows)], changed])[list(_STATEMENT_COLUMNS)]
    tables.write_csv(folder / CODINGS, codings)
    tables.write_csv(folder / FILE, merged)
    return changed


def _table(folder: str | Path, name: str, columns: Sequence[str]) -> pd.DataFrame:
    """A file of the labels as strings; empty with these columns where it is missing."""
    path = Path(folder) / name
    if not path.is_file():
        return pd.DataFrame(columns=list(columns), dtype=str)
    try:
        frame = pd.read_csv(path, encoding="utf-8-sig", dtype=str, keep_default_na=False)
    except ValueError as error:  # not UTF-8, empty, or rows that are no rows
        raise UserError(f"is not a table of hand labels ({str(error).strip()}); save it as “CSV UTF-8” or put the file "
                        "of the project back", path) from None
    missing = [c for c in columns if c not in frame]
    if missing:
        raise UserError(f"lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; put "
                        f"{'them' if len(missing) > 1 else 'it'} back", path, 1)
    return frame.map(_unguarded)
