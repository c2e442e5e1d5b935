"""Hand labels: how often the coding of themes, regions, levels, speakers and wording is right.

`codebook/gold/statements.csv` holds sentences with the labels two independent coders agree on or an adjudicator
settled; `codings.csv` and `adjudication.csv` keep the two codings and the decisions. Half the articles are marked
`held_out`: whoever writes patterns does not look at them, and accuracy is read from them.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from . import measures
from .errors import UserError
from .stories import normalised

FILE = "statements.csv"
NEEDED = ("id", "part", "article", "text", "themes", "themes_contested", "regions", "regions_contested", "level",
          "speaker", "deontic")
COLUMNS = ["text", "themes", "themes_inherited", "regions", "level", "speaker", "deontic", "article_id"]
NOT_SETTLED = "?"
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
        "held_out": {"zh": "未参与编写规则", "en": "held out from pattern writing"},
        "develop": {"zh": "参与编写规则", "en": "used in pattern writing"}}},
    "right": {"zh": "一致", "en": "right", "format": ",d"},
    "n": {"zh": "语句", "en": "statements", "format": ",d"},
    "share": {"zh": "一致率", "en": "share right", "format": ".1%"},
    "low": {"zh": "95%下限", "en": "95% low", "format": ".1%"},
    "high": {"zh": "95%上限", "en": "95% high", "format": ".1%"},
}


def load(folder: str | Path) -> pd.DataFrame:
    """The labelled sentences: one row each; themes, regions and what is contested as sorted tuples, text fields as
    strings (`?` where coders did not settle, empty where there is nothing).

    Raises:
        UserError: the file lacks a column, or a part is neither `develop` nor `held_out`; names the line.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        return pd.DataFrame(columns=[*NEEDED])
    frame = pd.read_csv(path, encoding="utf-8-sig", dtype=str, keep_default_na=False)
    missing = [c for c in NEEDED if c not in frame]
    if missing:
        raise UserError(f"lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}", path, 1)
    wrong = frame.index[~frame["part"].isin(["develop", "held_out"])]
    if len(wrong):
        part, line = frame["part"][wrong[0]], int(wrong[0]) + 2
        raise UserError(f"the part “{part}” is neither develop nor held_out", path, line)
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
    wanted = [normalised(t) for t in labels["text"]]
    by_start: dict[str, set[int]] = {}
    for i, text in enumerate(wanted):
        for start in range(max(1, len(text) - 5)):
            by_start.setdefault(text[start:start + 6], set()).add(i)
    starts = {text[:6]: i for i, text in enumerate(wanted)}
    met: dict[int, list] = {}
    for row in statements.itertuples():
        text = normalised(row.text)
        found = {i for i in by_start.get(text[:6], ()) if text in wanted[i]} if len(text) >= 6 else set()
        if len(text) > 6:
            inside = {starts[text[k:k + 6]] for k in range(len(text) - 5) if text[k:k + 6] in starts}
            found |= {i for i in inside if wanted[i] in text}
        for i in found:
            met.setdefault(i, []).append(row)
    rows = []
    for i in sorted(met):
        got = met[i]
        rows.append({
            **labels.iloc[i].to_dict(),
            "got_themes": tuple(sorted({t for g in got for t in g.themes})),
            "got_stated": tuple(sorted({t for g in got for t in g.themes if t not in set(g.themes_inherited)})),
            "got_regions": tuple(sorted({r for g in got for r in g.regions})),
            **{f"got_{name}": next((v for v in (getattr(g, name) for g in got) if isinstance(v, str)), "")
               for name in ("level", "speaker")},
            "got_deontic": [g.deontic for g in got if isinstance(g.deontic, str)],
        })
    columns = [*labels.columns, "got_themes", "got_stated", "got_regions", "got_level", "got_speaker", "got_deontic"]
    return pd.DataFrame(rows, columns=columns)


def theme_accuracy(compared: pd.DataFrame, part: str | None = None) -> pd.DataFrame:
    """Precision, recall and F1 of each theme: see `measures.accuracy`; intervals resample articles."""
    rows = compared if part is None else compared[compared["part"] == part]
    return measures.accuracy(rows["got_themes"].tolist(), rows["themes"].tolist(), rows["themes_contested"].tolist(),
                             clusters=rows["article"].tolist())


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


def _named(value: str) -> frozenset[str]:
    """The names in a field, whatever their order and mark; several speakers stand in one field."""
    return frozenset(v for v in value.replace("、", ";").split(";") if v and v != "none")


def sampling_sheet(statements: pd.DataFrame, labels: pd.DataFrame, n: int = 60) -> pd.DataFrame:
    """The statements whose hand coding would tell most, ready to be filled in.

    Themes with the fewest labels come first; within a theme, statements where the coding is least sure: inherited or
    guarded themes, then those with one match only. No statement that is labelled already, at most three an article.

    Args:
        statements: statement_id, article_id, text, heading, themes, themes_inherited, themes_guarded, evidence.
        labels: as `load` gives them.
        n: rows.

    Returns:
        id, article, text, heading and empty themes, regions, level, speaker, deontic; sorted by article.
    """
    have = {normalised(t) for t in labels["text"]}
    labelled = pd.Series([t for ts in labels["themes"] for t in ts], dtype=object).value_counts().to_dict()
    frame = statements[[normalised(t) not in have for t in statements["text"]]].copy()
    doubt = [3 * len(i) + 2 * len(g) + (e.count("[") <= 2) for i, g, e in zip(
        frame["themes_inherited"], frame["themes_guarded"], frame["evidence"], strict=True)]
    rarity = [1 / (1 + min((labelled.get(t, 0) for t in ts), default=20)) for ts in frame["themes"]]
    frame["worth"] = [d + 10 * r for d, r in zip(doubt, rarity, strict=True)]
    frame = frame.sort_values(["worth", "statement_id"], ascending=[False, True])
    frame = frame[frame.groupby("article_id").cumcount() < 3].head(n).sort_values("statement_id")
    empty = [""] * len(frame)
    return pd.DataFrame({"id": frame["statement_id"], "article": frame["article_id"], "text": frame["text"],
                         "heading": frame["heading"].fillna(""), "themes": empty, "regions": empty, "level": empty,
                         "speaker": empty, "deontic": empty}).reset_index(drop=True)
