"""What notebooks say of their own work: which checks they passed, and how little some results rest on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import display
from .measures import MIN_ARTICLES, MIN_STATEMENTS
from .yamlfile import YamlFile

if TYPE_CHECKING:
    import pandas as pd

    from .coding import Codebook


def failed(checks: Mapping[str, bool]) -> str:
    """The names of the checks that do not hold, for the message of an assertion."""
    return "; ".join(name for name, holds in checks.items() if not holds)


def passed(checks: Mapping[str, bool]) -> display.Display:
    """How many checks were made, once all of them hold.

    Raises:
        AssertionError: one does not hold; names it.
    """
    if failed(checks):
        raise AssertionError(failed(checks))
    n = len(checks)
    return display.prose(f"通过{n}项核对。", f"{n} check{'' if n == 1 else 's'} passed.")


def numbers_recounted(findings) -> display.Display:
    """How many numbers of the findings were counted again, once `recount.mismatches` has found nothing.

    Args:
        findings: of `findings.all_findings`.
    """
    n = sum(bool(x["cell"]) for f in findings for x in (*f.numbers, *f.caveat_numbers))
    return display.prose(f"发现及其说明中的{n}个数逐一重数，都对得上。",
                         f"{n} numbers in findings and their cautions were counted again, and all agree.")


def transmission_base(passings: pd.DataFrame) -> display.Display:
    """What the network of risks rests on, with a caution where that is little.

    Args:
        passings: of `diffusion.risk_transmission`.
    """
    statements, articles = passings["statement_id"].nunique(), passings["article_id"].nunique()
    zh = f"这里的传递关系来自{articles:,}篇文章的{statements:,}条语句。"
    en = (f"The ties come from {statements:,} statement{'' if statements == 1 else 's'} of {articles:,} "
          f"article{'' if articles == 1 else 's'}.")
    if statements < MIN_STATEMENTS or articles < MIN_ARTICLES:
        zh += "数量太少，只能当作例子来读，不能说明风险主要经由哪些渠道传递。"
        en += (" That is too few for more than examples: they do not show by which channels risk mainly passes.")
    return display.prose(zh, en)


def pair_differences(differences: Sequence[pd.DataFrame], sides: Sequence[tuple[Mapping[str, str], Mapping[str, str]]],
                     max_q: float = 0.05) -> display.Display:
    """What a table of `measures.cooccurrence_difference` shows, one comparison after the other.

    Args:
        differences: of each comparison the rows of all pairs of themes.
        sides: what each comparison is between, as a pair of names in zh and en.
        max_q: a pair differs up to this q.
    """
    zh, en = [], []
    for frame, (a, b) in zip(differences, sides, strict=True):
        q = frame.loc[frame["supported"], "q"]
        n, n_clear = len(q), int((q <= max_q).sum())
        start_zh, start_en = f"{a['zh']}与{b['zh']}：", f"{a['en']} and {b['en']}: "
        pairs = f"{n:,} pair{'' if n == 1 else 's'} of themes can be compared"
        if not n:
            zh.append(f"{start_zh}没有一对主题的材料多到可以比较。")
            en.append(f"{start_en}no pair of themes has enough material.")
        elif not n_clear:
            zh.append(f"{start_zh}可比的主题搭配有{n:,}对，差别都不显著（q最小为{q.min():.3f}）。")
            en.append(f"{start_en}{pairs}, and none differs significantly (smallest q {q.min():.3f}).")
        else:
            zh.append(f"{start_zh}可比的主题搭配有{n:,}对，其中{n_clear:,}对差别显著。")
            en.append(f"{start_en}{pairs}; {n_clear:,} {'differs' if n_clear == 1 else 'differ'} significantly.")
    return display.prose("".join(zh) or "有语句可归属的地区不到两个，无从比较。",
                         " ".join(en) or "Fewer than two regions have statements: there is nothing to compare.")


_ELSEWHERE = re.compile(r"（用 ([a-z][a-z0-9_]*)）|\(under ([a-z][a-z0-9_]*)\)")
THEMES = {
    "name": {"zh": "主题", "en": "theme"}, "group": {"zh": "组", "en": "group"},
    "include": {"zh": "指什么，包括什么", "en": "what it is, and what counts"},
    "exclude": {"zh": "不算", "en": "what does not"},
}
GRADES = {"name": {"zh": "等级", "en": "grade"}, "means": {"zh": "定义", "en": "definition"}}


def theme_definitions(codebook: Codebook) -> display.Display:
    """What each theme means: a row a theme with its name, its group, what it is and what counts, and what does not, in
    the order of the codebook. Where a text sends the reader to another theme by its code, its name is printed."""
    import pandas as pd

    names = {t.code: {"zh": t.name_zh, "en": t.name_en} for t in codebook.themes}
    groups = {g.id: {"zh": g.name_zh, "en": g.name_en} for g in codebook.groups}

    def told(zh: str, en: str) -> dict[str, str] | None:
        def name(m):
            if (m[1] or m[2]) not in names:
                return m[0]
            return f"（归入“{names[m[1]]['zh']}”）" if m[1] else f"(under “{names[m[2]]['en']}”)"

        both = {"zh": _ELSEWHERE.sub(name, zh or en), "en": _ELSEWHERE.sub(name, en or zh)}
        return both if zh or en else None

    rows = []
    for t in codebook.themes:  # one column of what it is and what counts, so that the table fits beside the contents
        counts = told(t.include, t.include_en)
        means = told(t.definition_zh, t.definition_en)
        if counts:
            means = {"zh": f"{means['zh'].rstrip('。')}。包括：{counts['zh'].rstrip('。')}。",
                     "en": f"{means['en']} Included: {counts['en']}"}
        rows.append({"name": names[t.code], "group": groups[t.group], "include": means,
                     "exclude": told(t.exclude, t.exclude_en)})
    return display.table(pd.DataFrame(rows, columns=list(THEMES)), columns=THEMES, max_rows=len(rows) or 1,
                         caption={"zh": "各主题的定义", "en": "What each theme means"},
                         note={"zh": "一条语句可以同时归入几个主题。", "en": "A statement may have several themes."})


def sentences(*notes: Mapping[str, str] | None) -> dict[str, str]:
    """Several notes of a table as one, those that are None left out."""
    said = [note for note in notes if note]
    return {"zh": "".join(note["zh"] for note in said), "en": " ".join(note["en"] for note in said)}


def stories_in_several_rows(articles: pd.DataFrame, by: Sequence[str]) -> dict[str, str] | None:
    """What must be said below a table that counts stories in rows of their own where the rows of articles in scope add
    up to more stories than there are; None where they do not.

    Args:
        articles: story_id, scope and the columns `by`.
        by: what makes a row of the table.
    """
    inside = articles[articles["scope"] == "in"]
    total, of = inside.groupby(list(by))["story_id"].nunique().sum(), inside["story_id"].nunique()
    if total == of:
        return None
    again = int((inside.groupby("story_id")[list(by)].nunique().max(axis=1) > 1).sum())
    return {"zh": f"稿件一栏，范围内各行相加是{total:,}，合起来只有{of:,}篇：有{again:,}篇稿件以不止一种格式收到，"
                  "在每种格式各计一次。",
            "en": f"The stories in scope add up to {total:,} over the rows, but are {of:,}: "
                  f"{again:,} {'has' if again == 1 else 'have'} arrived in more than one format and "
                  f"{'is' if again == 1 else 'are'} counted in each."}


GLOSSARY_KEYS = ("zh", "en", "says_zh", "says_en", "read_zh", "read_en", "source")
GLOSSARY = {
    "name": {"zh": "术语", "en": "term"},
    "says": {"zh": "说的是什么，怎么看数值", "en": "what it says, and how to read a value"},
    "source": {"zh": "出处", "en": "source"},
}


def glossary(codebook: str | Path) -> display.Display:
    """The technical terms of the report and how to read their values, from `glossary.yml` of a codebook folder; an
    empty table where the folder has none.

    Raises:
        UserError: the file is no such list; names the line.
    """
    import pandas as pd

    path, rows = Path(codebook) / "glossary.yml", []
    if path.exists():
        file = YamlFile(path)
        data = file.data if isinstance(file.data, dict) else {}
        for key in data:
            if key != "terms":
                raise file.error(f"“{key}” is not known here", key)
        for i, term in enumerate(data.get("terms") or ()):
            missing = [k for k in GLOSSARY_KEYS if not (isinstance(term, dict) and isinstance(term.get(k), str))]
            if missing:
                raise file.error(f"a term needs {', '.join(missing)}", "terms", i)
            zh, en = term["zh"], term["en"]
            both = {"zh": f"{zh} {en}", "en": f"{en} {zh}"} if zh != en else zh
            # in one column, so that the table fits beside the contents
            says = {"zh": term["says_zh"] + term["read_zh"], "en": f"{term['says_en']} {term['read_en']}"}
            rows.append({"name": both, "says": says, "source": term["source"]})
    return display.table(pd.DataFrame(rows, columns=list(GLOSSARY)), columns=GLOSSARY, max_rows=len(rows) or 1,
                         caption={"zh": "术语表", "en": "Glossary"})


def grade_definitions(codebook: Codebook) -> display.Display:
    """What each grade of binding wording means: a row a grade with its name and what counts, strongest first."""
    import pandas as pd

    rows = [{"name": {"zh": g.name_zh, "en": g.name_en}, "means": {"zh": g.definition_zh, "en": g.definition_en}}
            for g in codebook.grades]
    return display.table(pd.DataFrame(rows, columns=list(GRADES)), columns=GRADES,
                         caption={"zh": "各级措辞的定义", "en": "What each grade of wording means"},
                         note={"zh": "等级的名称只是名称，要找的是定义里说的那些词。一条语句只算最强的一级。",
                               "en": "The names are only names: what is looked for is words of the kind defined. A "
                                     "statement has its strongest grade only."})
