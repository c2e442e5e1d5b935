"""What changed since the last build, and vintages: how a report stood, so that a number once quoted can be found again.

A vintage is small: which articles there were, what the headlines and the shares of themes said, the codebook, and
fingerprints of code and libraries. A build is compared with the newest vintage of its output folder that is not itself,
so that building again without a change says the same again. Frozen vintages also keep the tables, under a name.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from .errors import UserError
from .findings import HEADLINES, SUBJECTS, as_frame
from .libraries import installed_versions, normal
from .tables import ALL_YEARS, replace_file
from .views import Corpus, View

if TYPE_CHECKING:
    from .charts import Names
    from .ledgers import Ledger
    from .run import Run
    from .workplace import Workplace

VINTAGES = "vintages"
"""The folder of vintages, under the working folder of an output folder; frozen ones under its `data`."""

KEPT = 5
"""Vintages kept in an output folder."""

MAX_SWITCHED = 20_000_000
"""Bytes of raw files up to which a build with the former codebook is made to tell the causes of a change apart."""

FACTORS = {
    "data": {"zh": "文章", "en": "articles"},
    "codebook": {"zh": "编码本", "en": "codebook"},
    "code": {"zh": "程序", "en": "code"},
    "libraries": {"zh": "程序库", "en": "libraries"},
}
KINDS = {
    "added": {"zh": "新增文章", "en": "article added"},
    "removed": {"zh": "撤下文章", "en": "article removed"},
    "altered": {"zh": "正文改动", "en": "text altered"},
    "described": {"zh": "年度、范围等改动", "en": "year, scope or the like altered"},
    "finding": {"zh": "结论改变", "en": "finding changed"},
    "share": {"zh": "占比越出原区间", "en": "share left its former interval"},
    "codebook": {"zh": "编码本改动", "en": "codebook altered"},
    "code": {"zh": "程序改动", "en": "code altered"},
    "library": {"zh": "程序库更新", "en": "library changed"},
}
MOVED = ("finding", "share")
"""Kinds of what was found; the others are of what it was made from."""
COLUMNS = ["kind", "what", "before", "after", "why"]
_FROZEN = ("articles", "statements", "slices", "theme_counts", "theme_pairs", "term_counts", "deontic_counts",
           "article_themes", "article_terms")
_NAME = re.compile(r"[\w][\w.-]{0,63}")


# ----------------------------------------------------------------------------------------------------- one vintage


@dataclass(frozen=True)
class Vintage:
    """How a report stood.

    Attributes:
        articles: article_id, source_file, position, title, year, scope: one row an article.
        findings: the ledger (`findings.as_frame`), without badges.
        shares: theme, year, n, of, share, low, high: shares of themes in all years known.
        codebook: file name → content.
        prints: `code` and `libraries`: names with fingerprints or versions.
    """

    articles: pd.DataFrame
    findings: pd.DataFrame
    shares: pd.DataFrame
    codebook: Mapping[str, str]
    prints: Mapping[str, Mapping[str, str]]

    @property
    def key(self) -> str:
        """The same for the same content."""
        return hashlib.blake2b(self.text().encode(), digest_size=8).hexdigest()

    def text(self) -> str:
        """As JSON; the codebook packed."""
        packed = b64encode(zlib.compress(json.dumps(self.codebook, ensure_ascii=False, sort_keys=True).encode(), 9))
        return json.dumps({
            **{name: json.loads(getattr(self, name).to_json(orient="split", index=False, force_ascii=False,
                                                            double_precision=12))
               for name in ("articles", "findings", "shares")},
            "codebook": packed.decode("ascii"), "prints": self.prints}, ensure_ascii=False, sort_keys=True, indent=0)

    @classmethod
    def read(cls, text: str) -> Vintage:
        """A vintage from its text."""
        data = json.loads(text)
        frames = {name: pd.DataFrame(**data[name]) for name in ("articles", "findings", "shares")}
        return cls(**frames, codebook=json.loads(zlib.decompress(b64decode(data["codebook"]))), prints=data["prints"])


def vintage_of(run: Run, ledger: Ledger) -> Vintage:
    """How this build stands, of which `ledger` is the ledger."""
    articles = run.table("articles", ["article_id", "source_file", "position", "title", "year", "scope"])
    articles = articles.sort_values(["article_id", "source_file", "position"], ignore_index=True)
    articles["year"] = articles["year"].fillna(0).astype("int64")
    found = as_frame(ledger.findings)[["id", "grade", "value", "low", "high", "n", "of", "claim", "zh", "en"]]
    codebook = {p.relative_to(run.place.codebook).as_posix(): p.read_text(encoding="utf-8-sig")
                for p in sorted(run.place.codebook.glob("*")) if p.suffix in (".yml", ".txt")}
    return Vintage(articles, found, ledger.shares, codebook, _prints())


def _prints() -> dict[str, dict[str, str]]:
    """Fingerprints of the modules of this package, and the versions of the libraries it needs."""
    folder = Path(__file__).parent
    code = {p.name: hashlib.blake2b(p.read_bytes(), digest_size=8).hexdigest() for p in sorted(folder.glob("*.py"))}
    needed = (folder.parent / "pyproject.toml").read_text(encoding="utf-8")
    versions, names = installed_versions(), re.findall(r'^  "([A-Za-z0-9_.-]+)>=', needed, re.MULTILINE)
    return {"code": code, "libraries": {  # one that only tests need may be absent
        name: versions[normal(name)] for name in sorted(set(names)) if normal(name) in versions}}


# ----------------------------------------------------------------------------------------------------- keeping them


def _folder(run: Run) -> Path:
    return run.out / ".fengxiang" / VINTAGES


def _kept(run: Run) -> list[Path]:
    return sorted(p for p in _folder(run).glob("*.json") if re.fullmatch(r"\d{6}-[0-9a-f]{16}", p.stem))


def former(run: Run, now: Vintage) -> Vintage | None:
    """The newest vintage kept in the output folder whose content is not that of `now`; None for a first build."""
    for path in reversed(_kept(run)):
        if path.stem.partition("-")[2] != now.key:
            try:
                return Vintage.read(path.read_text(encoding="utf-8"))
            except (ValueError, KeyError, TypeError, zlib.error):  # cut short, or of an older program: as if not kept
                continue
    return None


def keep(run: Run, now: Vintage) -> None:
    """Keep a vintage as the newest of its output folder; those beyond `KEPT` go."""
    kept = [p for p in _kept(run) if p.stem.partition("-")[2] != now.key]
    number = int(kept[-1].stem.partition("-")[0]) + 1 if kept else 1
    path = _folder(run) / f"{number:06d}-{now.key}.json"
    text = now.text()
    replace_file(path, lambda p: p.write_text(text, encoding="utf-8"))
    for old in _kept(run):
        if old != path and (old.stem.partition("-")[2] == now.key or old in kept[:-(KEPT - 1)]):
            old.unlink(missing_ok=True)


# ----------------------------------------------------------------------------------------------------- comparing them


def changed_factors(before: Vintage, now: Vintage) -> list[str]:
    """Which of `FACTORS` differ."""
    same = {"data": _identity(before.articles) == _identity(now.articles), "codebook": before.codebook == now.codebook,
            **{name: before.prints.get(name) == now.prints.get(name) for name in ("code", "libraries")}}
    return [name for name in FACTORS if not same[name]]


def _identity(articles: pd.DataFrame) -> list[str]:
    return sorted(articles["article_id"])


def compare(before: Vintage, now: Vintage, names: Names,
            why: Callable[[str, Any], Sequence[str]] | None = None) -> pd.DataFrame:
    """What differs between two vintages.

    Args:
        before, now: the vintages.
        names: what themes are called.
        why: the factors that a change of a finding or share comes from: called with `finding` and its id, or `share`
            and (theme, year); by default all that differ.

    Returns:
        kind (of `KINDS`), what, before, after, why: texts as mappings zh and en, or plain strings; in the order of
        `KINDS`. A finding has changed when its claims or its grade have; a share when it lies outside the interval it
        had, and had statements.
    """
    factors = changed_factors(before, now)
    why = why or (lambda kind, which: factors)

    def reasons(kind, which):
        found = list(why(kind, which)) or factors
        return {"zh": "、".join(FACTORS[f]["zh"] for f in found), "en": ", ".join(FACTORS[f]["en"] for f in found)}

    rows = [*_article_changes(before.articles, now.articles)]
    old, new = before.findings.set_index("id"), now.findings.set_index("id")
    for id_ in [*HEADLINES, *sorted((set(old.index) | set(new.index)) - set(HEADLINES))]:
        was, is_ = (frame.loc[id_] if id_ in frame.index else None for frame in (old, new))
        if was is None and is_ is None:
            continue
        if was is None or is_ is None or was["claim"] != is_["claim"] or was["grade"] != is_["grade"]:
            said = (None if r is None else {"zh": r["zh"], "en": r["en"]} for r in (was, is_))
            rows.append(("finding", SUBJECTS.get(id_, id_), *said, reasons("finding", id_)))
    shares = before.shares.merge(now.shares, on=["theme", "year"], suffixes=("_was", "_is"))
    for r in shares.itertuples():
        if r.of_was and r.of_is and not r.low_was <= r.share_is <= r.high_was:
            year = {"zh": "各年合计", "en": "all years"}
            if r.year != ALL_YEARS:
                year = {"zh": f"{r.year}年", "en": str(r.year)}
            what = {"zh": f"{names.theme(r.theme, 'zh')}，{year['zh']}",
                    "en": f"{names.theme(r.theme, 'en')}, {year['en']}"}
            rows.append(("share", what, f"{100 * r.share_was:.1f}% ({r.n_was}/{r.of_was})",
                         f"{100 * r.share_is:.1f}% ({r.n_is}/{r.of_is})", reasons("share", (r.theme, r.year))))
    rows += _named_changes("codebook", before.codebook, now.codebook, show=False)
    rows += _named_changes("code", before.prints.get("code", {}), now.prints.get("code", {}), show=False)
    rows += _named_changes("library", before.prints.get("libraries", {}), now.prints.get("libraries", {}), show=True)
    frame = pd.DataFrame(rows, columns=COLUMNS).astype(object)
    order = {kind: i for i, kind in enumerate(KINDS)}
    return frame.sort_values("kind", key=lambda k: k.map(order), kind="stable", ignore_index=True)


def _article_changes(before: pd.DataFrame, now: pd.DataFrame) -> Iterable[tuple]:
    was, is_ = (frame.drop_duplicates("article_id").set_index("article_id") for frame in (before, now))
    gone, new = was[~was.index.isin(is_.index)], is_[~is_.index.isin(was.index)]
    # the same place in the same file, or the same title: the text has been altered
    place = {(r.source_file, r.position): i for i, r in gone.iterrows()}
    title = {r.title: i for i, r in gone.iterrows() if isinstance(r.title, str)}
    altered = {}
    for i, r in new.iterrows():
        match = place.get((r.source_file, r.position)) or title.get(r.title)
        if match and match not in altered.values():
            altered[i] = match
    for kind, frame, skip in (("added", new, set(altered)), ("removed", gone, set(altered.values())),
                              ("altered", new, set(new.index) - set(altered))):
        for i, r in frame[~frame.index.isin(skip)].sort_values(["source_file", "position"]).iterrows():
            former = gone.at[altered[i], "source_file"] if kind == "altered" else r.source_file
            yield (kind, _known(r.title) or r.source_file, "" if kind == "added" else former,
                   "" if kind == "removed" else r.source_file, None)
    both = was.join(is_, suffixes=("_was", "_is"), how="inner")
    for column in ("year", "scope"):
        for _, r in both[both[f"{column}_was"] != both[f"{column}_is"]].iterrows():
            yield "described", _known(r["title_is"]) or r["source_file_is"], str(r[f"{column}_was"]), \
                str(r[f"{column}_is"]), None


def _known(value) -> str | None:
    return value if isinstance(value, str) else None


def _named_changes(kind: str, before: Mapping[str, str], now: Mapping[str, str], show: bool) -> Iterable[tuple]:
    for name in sorted(set(before) | set(now)):
        if before.get(name) != now.get(name):
            yield kind, name, before.get(name, "") if show else "", now.get(name, "") if show else "", None


# -------------------------------------------------------------------------------------------- why: one factor at a time


def causes(run: Run, before: Vintage, now: Vintage) -> Callable[[str, Any], list[str]]:
    """Tells from which factors a change comes, by switching one at a time.

    Where one factor alone differs it is the cause. Else the articles are switched back by leaving out those that were
    not there, and the codebook by building once more with the former one (of no more than `MAX_SWITCHED` bytes of raw
    files); a factor is a cause if switching it back alone brings the former state back, and code and libraries are
    causes if switching back the others does not. Articles that were removed cannot be put back.
    """
    factors = changed_factors(before, now)
    if len(factors) < 2:
        return lambda kind, which: factors
    known, view = set(before.articles["article_id"]), View.of(Corpus.of(run, run.names))
    inside = view.corpus.articles["article_id"].isin(known).to_numpy()
    views = {"data": replace(view, keep=inside)} if "data" in factors else {}
    if "codebook" in factors:
        old = _with_codebook(run, before)
        if old is None:
            return lambda kind, which: factors
        views["codebook"] = View.of(old)
        if "data" in factors:
            views["both"] = replace(views["codebook"], keep=old.articles["article_id"].isin(known).to_numpy())
    old_claims = before.findings.set_index("id")["claim"]
    old_shares = before.shares.set_index(["theme", "year"])
    made: dict = {}

    def restored(name, kind, which):
        """Whether the former state of a finding or share is there in the view of this name."""
        if kind == "share":
            theme, year = which
            shares = views[name].shares(year)
            place = views[name].corpus.codes.index(theme)
            return abs(float(shares.share[place]) - old_shares.loc[which, "share"]) < 1e-9
        if (name, which) not in made:
            known_ = which in HEADLINES
            facts = HEADLINES[which](replace(views[name], bare=True), run.names).facts if known_ else frozenset()
            made[name, which] = {_plain(f) for f in facts}
        return which in old_claims and {_plain(c) for c in json.loads(old_claims[which])} <= made[name, which]

    def why(kind, which):
        found = [name for name in ("data", "codebook") if name in views and restored(name, kind, which)]
        everything = "both" if "both" in views else next(iter(views), None)
        if everything is None or not restored(everything, kind, which):
            found += [name for name in ("code", "libraries") if name in factors]
        return found or factors

    return why


def _plain(fact) -> str:
    return json.dumps(fact, ensure_ascii=False, sort_keys=True, default=list)


def _with_codebook(run: Run, before: Vintage) -> Corpus | None:
    """The corpus of this build's raw files under the former codebook; None where they are too many, or where the former
    codebook cannot be read any more."""
    from .build import build
    from .charts import Names
    from .run import Run as AnyRun

    size = sum(p.stat().st_size for p in run.place.raw.rglob("*") if p.is_file())
    if size > MAX_SWITCHED:
        return None
    folder = run.out / ".fengxiang" / "switched"
    shutil.rmtree(folder, ignore_errors=True)
    codebook = folder / "codebook"
    codebook.mkdir(parents=True)
    try:
        for name, text in before.codebook.items():
            (codebook / Path(name).name).write_text(text, encoding="utf-8")
        build(run.place.raw, folder / "out", codebook, workers=1)
        other = AnyRun(replace(run.place, out=folder / "out", codebook=codebook))
        return Corpus.of(other, Names.load(codebook))
    except UserError:
        return None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def since_last_build(run: Run, ledger: Ledger) -> tuple[pd.DataFrame, dict[str, str]]:
    """What changed since the last build of this output folder, and this build, of which `ledger` is the ledger, kept as
    the newest vintage.

    Returns:
        (a frame as `compare` gives it, a sentence zh and en that says how much there is).
    """
    now = vintage_of(run, ledger)
    before = former(run, now)
    if before is None:
        keep(run, now)
        return pd.DataFrame(columns=COLUMNS), {
            "zh": "这个输出文件夹里没有更早的一次生成可以对照。"
                  "下次生成时，这里会列出文章的增减和改动、越出误差的数字、改变的结论及其原因。",
            "en": "There is no earlier build in this output folder to compare with. After the next one this place "
                  "lists the articles added, removed or altered, the numbers that moved beyond noise, the findings "
                  "that changed, and why."}
    frame = compare(before, now, run.names, causes(run, before, now))
    keep(run, now)
    return frame, summary(frame)


def summary(frame: pd.DataFrame) -> dict[str, str]:
    """How many changes of each kind there are, as a sentence zh and en."""
    n = frame["kind"].value_counts()
    counted = [(k, int(n[k])) for k in KINDS if k in n]
    if not counted:
        return {"zh": "同上次生成相比没有变化。", "en": "Nothing has changed since the last build."}
    zh = "，".join(f"{KINDS[k]['zh']}{v}处" if k not in ("added", "removed", "altered") else f"{KINDS[k]['zh']}{v}篇"
                  for k, v in counted)
    en = ", ".join(f"{KINDS[k]['en']}: {v}" for k, v in counted)
    moved = set(MOVED) & set(n.index)
    tail = ("。", ".") if moved else ("；各项结论都没有改变，也没有占比越出原来的区间。",
                                      ". No finding changed and no share left its former interval.")
    return {"zh": f"同上次生成相比：{zh}{tail[0]}", "en": f"Against the last build: {en}{tail[1]}"}


TABLE = {
    "kind": {"zh": "变化", "en": "change", "labels": KINDS},
    "what": {"zh": "对象", "en": "what"},
    "before": {"zh": "上次", "en": "before"},
    "after": {"zh": "这次", "en": "now"},
    "why": {"zh": "原因", "en": "why"},
}
"""For `display.table`: the frame of `since_last_build`."""


def as_plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with a column for each language where texts are in both, as it is written to CSV."""
    out = frame[["kind"]].copy()
    for column in COLUMNS[1:]:
        for lang in ("zh", "en"):
            out[f"{column}_{lang}"] = [v.get(lang, "") if isinstance(v, Mapping) else v or "" for v in frame[column]]
    return out


# ------------------------------------------------------------------------------------------------------ frozen vintages


def frozen_folder(place: Workplace, name: str) -> Path:
    """Where the frozen vintage of this name stands.

    Raises:
        UserError: the name is no plain name.
    """
    if not _NAME.fullmatch(name):
        raise UserError(f"“{name}” cannot name a vintage: use letters, digits, dots and hyphens")
    return place.out / "data" / VINTAGES / name


def freeze(place: Workplace, name: str) -> Path:
    """Keep the present report under a name: its tables, ledgers and codebook. Of the full texts of articles only those
    stay that hold a list whose points a headline counts.

    Args:
        place: the folders of a built report.
        name: of letters, digits, dots and hyphens, such as `2026-02`.

    Returns:
        the folder, OUT/data/vintages/NAME.

    Raises:
        UserError: the name is taken or no plain name, or there is no report to keep.
    """
    from . import tables

    folder = frozen_folder(place, name)
    if folder.exists():
        raise UserError("there is a vintage of this name already; choose another", folder)
    ledgers = [place.processed / f"{ledger}.csv" for ledger in ("findings", "numbers")]
    for path in ledgers:
        if not path.is_file():
            raise UserError("is not there; build the report first", path)
    cells = map(json.loads, pd.read_csv(place.processed / "numbers.csv", encoding="utf-8-sig")["cell"])
    listed = {cell["article"] for cell in cells if cell.get("what") == "list"}
    unfinished = folder.with_name(f".{name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    processed = tables.processed(unfinished)
    for table in _FROZEN:
        frame = tables.read_arrow(place.out, table)
        if table == "articles":
            texts = zip(frame["article_id"].to_pylist(), frame["text"].to_pylist(), strict=True)
            texts = [text if article in listed else "" for article, text in texts]
            frame = frame.set_column(frame.column_names.index("text"), "text", [texts])
        tables.write_parquet(processed / f"{table}.parquet", frame)
    for path in ledgers:
        shutil.copyfile(path, processed / path.name)
    (unfinished / "codebook").mkdir()
    for path in sorted(place.codebook.glob("*")):
        if path.suffix in (".yml", ".txt"):
            shutil.copyfile(path, unfinished / "codebook" / path.name)
    text = json.dumps(_prints(), ensure_ascii=False, sort_keys=True, indent=1) + "\n"
    replace_file(unfinished / "made_with.json", lambda p: p.write_text(text, encoding="utf-8"))
    unfinished.rename(folder)
    return folder


def frozen_run(place: Workplace, name: str) -> Run:
    """A frozen vintage as a run, to be read like any other.

    Raises:
        UserError: there is none of this name.
    """
    from .run import Run as AnyRun

    folder = frozen_folder(place, name)
    if not folder.is_dir():
        kept = sorted(p.name for p in folder.parent.glob("*") if p.is_dir()) if folder.parent.is_dir() else []
        raise UserError(f"there is no frozen vintage “{name}”" + (f"; there are {', '.join(kept)}" if kept else ""))
    return AnyRun(replace(place, out=folder, codebook=folder / "codebook"))


def reproduce(place: Workplace, name: str) -> pd.DataFrame:
    """Every number that the headlines of a frozen vintage quoted, counted again.

    Args:
        place: the folders; OUT holds the vintage and the present build.
        name: of the vintage.

    Returns:
        finding, zh, en (as it was quoted), n, of (then), found (`yes` or `no`: whether counting the frozen tables again
        gives what was quoted), n_again, of_again (so counted, where it is a number of statements, stories or the like),
        n_now, of_now (counted today on the articles of that time that are still there: what new code and codebook make
        of them), n_all, of_all (today on all articles); the last four only for shares of themes and of binding wording,
        else empty.
    """
    from .recount import Recount
    from .run import Run as AnyRun

    then, today = frozen_run(place, name), AnyRun(place)
    quoted = pd.read_csv(then.place.processed / "numbers.csv", encoding="utf-8-sig")
    again = Recount(then)
    view = View.of(Corpus.of(today, today.names))
    known = set(then.table("articles", ["article_id"])["article_id"])
    same = replace(view, keep=view.corpus.articles["article_id"].isin(known).to_numpy())
    rows = []
    for r in quoted.itertuples():
        cell = json.loads(r.cell)
        number = {"zh": r.zh, "en": r.en, "n": _whole(r.n), "of": _whole(r.of), "cell": cell}
        said, counted = again(number)
        pair = counted if isinstance(counted, tuple) else (counted if isinstance(counted, int) else None, None)
        rows.append((r.finding, r.zh, r.en, number["n"] if number["n"] is not None else cell.get("n"), number["of"],
                     "yes" if said == counted else "no", *pair, *_today(same, cell), *_today(view, cell)))
    columns = ["finding", "zh", "en", "n", "of", "found", "n_again", "of_again", "n_now", "of_now", "n_all", "of_all"]
    counts = [c for c in columns if c.startswith(("n", "of"))]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(counts, "Int64"))


def said_of_reproduced(numbers: pd.DataFrame) -> list[str]:
    """The frame of `reproduce` as lines for a terminal."""
    def part(n, of) -> str:
        return "" if pd.isna(n) else f"{n:,}" if pd.isna(of) else f"{n:,} of {of:,}"

    rows = [("headline", "quoted", "then", "again", "today, same articles", "today, all articles")]
    rows += [(r.finding, r.en, part(r.n, r.of), part(r.n_again, r.of_again) or ("the same" if r.found == "yes" else ""),
              part(r.n_now, r.of_now), part(r.n_all, r.of_all)) for r in numbers.itertuples()]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    right, n = int((numbers["found"] == "yes").sum()), len(numbers)
    return [*lines, f"{right} of {n} numbers are found again in the frozen tables"]


def _whole(value) -> int | None:
    return None if pd.isna(value) else int(value)


def _today(view: View, cell: Mapping) -> tuple[int | None, int | None]:
    if cell.get("what") == "theme" and cell["theme"] in view.corpus.codes:
        shares = view.shares(cell["year"], cell["side"])
        return int(shares.n[view.corpus.codes.index(cell["theme"])]), shares.of
    if cell.get("what") == "binding":
        _, n, binding = view.sums(cell["year"])
        return int(binding.sum()), int(n.sum())
    return None, None
