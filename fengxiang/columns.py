"""What the columns of derived frames are called in tables, in Chinese and English, with their formats, and how some of
their values are told to a reader of English."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .measures import CORRECTION_STATUS, MIX_WARNINGS, TREND_WORDS
from .quantities import CHANGES

if TYPE_CHECKING:
    import pandas as pd

    from .charts import Names

FORMATS = {
    "newspaper_page": {"zh": "报纸版面", "en": "newspaper pages"}, "web_page": {"zh": "网页", "en": "web pages"},
    "markdown": {"zh": "Markdown文件", "en": "Markdown files"}, "json": {"zh": "JSON文件", "en": "JSON files"},
    "jsonl": {"zh": "JSON逐行文件", "en": "JSON-lines files"}, "journal": {"zh": "期刊版面", "en": "journal pages"},
    "pdf": {"zh": "PDF文件", "en": "PDF files"}, "docx": {"zh": "Word文件", "en": "Word files"},
    "table": {"zh": "电子表格", "en": "spreadsheets"}, "email": {"zh": "邮件", "en": "e-mails"},
    "xml": {"zh": "XML文件", "en": "XML files"},
    "labelled": {"zh": "带字段名的文本", "en": "text with labelled fields"},
    "plain": {"zh": "纯文本", "en": "plain text"},
}
SCOPES = {"in": {"zh": "在范围内", "en": "in"}, "out": {"zh": "不在范围内", "en": "out"}}
FATES = {
    "title": {"zh": "标题", "en": "title"}, "metadata": {"zh": "元数据", "en": "metadata"},
    "heading": {"zh": "小标题", "en": "heading"}, "body": {"zh": "正文", "en": "body"},
    "boilerplate": {"zh": "页面杂项", "en": "page furniture"}, "duplicate": {"zh": "重复", "en": "duplicate"},
    "unreadable": {"zh": "无法识读", "en": "unreadable"},
}
UNITS = {
    "元": {"zh": "元", "en": "yuan"}, "美元": {"zh": "美元", "en": "US dollars"},
    "百分点": {"zh": "百分点", "en": "percentage points"}, "基点": {"zh": "基点", "en": "basis points"},
    "倍": {"zh": "倍", "en": "times"}, "年": {"zh": "年", "en": "years"}, "季度": {"zh": "季度", "en": "quarters"},
    "月": {"zh": "月", "en": "months"}, "天": {"zh": "天", "en": "days"}, "小时": {"zh": "小时", "en": "hours"},
    "亩": {"zh": "亩", "en": "mu (1/15 ha)"},
}
"""The units of quoted figures; measure words (家, 件) have no English and stand as they are."""


class Probability(float):
    """A probability that is told as less than the smallest number its format can show, instead of as 0.000."""

    def __format__(self, spec: str) -> str:
        if spec[-1:] == "f" and spec[:1] == "." and self < (least := 10 ** -int(spec[1:-1])):
            return f"<{float(least):{spec}}"
        return float.__format__(self, spec)


def with_probabilities(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    """The frame with these columns as `Probability`."""
    import pandas as pd

    return frame.assign(**{name: pd.Series([Probability(p) for p in frame[name]], frame.index, object)
                           for name in names})


class Apart(float):
    """A number that is told with as many digits as it takes to be told from a limit that it does not reach: beside 1,
    1.004 as 1.004 and not as 1.00."""

    limit: float = 0.0

    def __format__(self, spec: str) -> str:
        width, kind = spec.partition(".")[::2]
        if self == self.limit or kind[-1:] != "f" or self != self:
            return float.__format__(self, spec)
        digits = int(kind[:-1])
        while digits < 15 and round(float(self), digits) == self.limit:
            digits += 1
        return float.__format__(self, f"{width}.{digits}f")


def told_apart(frame: pd.DataFrame, limit: float, *names: str) -> pd.DataFrame:
    """The frame with these columns as `Apart` from `limit`."""
    import pandas as pd

    def apart(value) -> Apart:
        number = Apart(value)
        number.limit = limit
        return number

    return frame.assign(**{name: pd.Series([apart(v) for v in frame[name]], frame.index, object) for name in names})


def in_points(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    """The frame with these differences of shares in percentage points."""
    return frame.assign(**{name: frame[name] * 100 for name in names})


def quoted_pieces(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    """The frame with these columns of lists of passages as one text, a semicolon between them; None without any."""
    return frame.assign(**{name: ["；".join(pieces) or None for pieces in frame[name]] for name in names})


def glossed(terms: Iterable[str], names: Names) -> list[dict[str, str]]:
    """Listed terms as a table shows them: in English with their English name in brackets, where they have one.

    Args:
        terms: one a row.
        names: what terms are called.
    """
    return [{"zh": t, "en": f"{t} ({names.terms[t]})" if t in names.terms else t} for t in terms]


def glossed_lists(rows: Iterable[Iterable[str]], names: Names) -> list[dict[str, str]]:
    """Several terms a row, as `glossed` has each; one that joins several by 、 is these."""
    pairs = [glossed([t for term in terms for t in term.split("、")], names) for terms in rows]
    return [{"zh": "、".join(p["zh"] for p in row), "en": ", ".join(p["en"] for p in row)} for row in pairs]


def spans(low: Iterable[int], high: Iterable[int]) -> list[dict[str, str]]:
    """The span from a whole number to another in each row, as one text; one number where they are the same."""
    return [{"zh": f"{a:,}", "en": f"{a:,}"} if a == b else {"zh": f"{a:,}—{b:,}", "en": f"{a:,}–{b:,}"}
            for a, b in zip(low, high, strict=True)]


def two_languages(text: str) -> dict[str, str]:
    """A reason as the tables hold it, “中文 / English”, as a pair; the same in both where it is in one language."""
    zh, mark, en = text.partition(" / ")
    return {"zh": zh, "en": en} if mark else {"zh": text, "en": text}


_THEME = {"zh": "主题", "en": "theme"}

TRENDS = {
    "name": _THEME,
    "share_from": {"zh": "首年占比", "en": "share, first year", "format": ".1%"},
    "share_to": {"zh": "末年占比", "en": "share, last year", "format": ".1%"},
    "low95": {"zh": "差值95%下限（百分点）", "en": "difference, 95% low (pp)", "format": "+.1f"},
    "high95": {"zh": "差值95%上限（百分点）", "en": "difference, 95% high (pp)", "format": "+.1f"},
    "n_from": {"zh": "首年语句", "en": "statements, first year", "format": ",d"},
    "n_to": {"zh": "末年语句", "en": "statements, last year", "format": ",d"},
    "q": {"zh": "校正后显著性q", "en": "corrected q", "format": ".3f"},
    "grade": {"zh": "判断", "en": "reading", "labels": TREND_WORDS},
}
PAIRS = {
    "a": {"zh": "主题甲", "en": "first theme"},
    "b": {"zh": "主题乙", "en": "second theme"},
    "n_both": {"zh": "同句条数", "en": "together", "format": ",d"},
    "expected": {"zh": "应有条数", "en": "expected", "format": ".1f"},
    "ratio": {"zh": "倍数", "en": "ratio", "format": ".1f"},
    "npmi": {"zh": "NPMI", "en": "NPMI", "format": ".2f"},
    "log_dice": {"zh": "logDice", "en": "logDice", "format": ".1f"},
    "q_more": {"zh": "校正后显著性q", "en": "corrected q", "format": ".3f"},
}
QUOTIENTS = {
    "region_name": {"zh": "地区", "en": "region"},
    "name": _THEME,
    "n": {"zh": "语句", "en": "statements", "format": ",d"},
    "quotient": {"zh": "区位商", "en": "location quotient", "format": ".2f"},
    "low": {"zh": "95%下限", "en": "95% low", "format": ".2f"},
    "high": {"zh": "95%上限", "en": "95% high", "format": ".2f"},
}
_TERM = {"zh": "提法", "en": "term"}
_STATEMENT = {"zh": "语句", "en": "statement"}
_N = {"zh": "语句", "en": "statements", "format": ",d"}
_ARTICLES = {"zh": "文章", "en": "articles", "format": ",d"}

TERMS = {
    "term": _TERM,
    "count": {"zh": "次数", "en": "occurrences", "format": ",d"},
    "per_10k": {"zh": "每万词次", "en": "per 10,000 tokens", "format": ".1f"},
    "n_articles": _ARTICLES,
    "article_share": {"zh": "占文章", "en": "share of articles", "format": ".1%"},
    "n_stories": {"zh": "稿件", "en": "stories", "format": ",d"},
    "n_bureaus": {"zh": "用到的地方局", "en": "bureaus that use it", "format": ",d"},
    "bureau_share": {"zh": "占有材料的地方局", "en": "share of bureaus with material", "format": ".0%"},
    "dp_norm": {"zh": "离散度DP（0为最匀）", "en": "dispersion DP (0 = even)", "format": ".2f"},
}
NEW_TERMS = {
    "term": {"zh": "候选", "en": "candidate"},
    "count": TERMS["count"],
    "n_articles": _ARTICLES,
    "cohesion": {"zh": "结合度（比特）", "en": "cohesion (bits)", "format": ".1f"},
    "entropy_left": {"zh": "左熵", "en": "entropy, left", "format": ".1f"},
    "entropy_right": {"zh": "右熵", "en": "entropy, right", "format": ".1f"},
    "text": {"zh": "例句", "en": "a statement"},
}
QUOTED_TERMS = {
    "term": {"zh": "说法", "en": "wording"},
    "n_articles": _ARTICLES,
    "names": {"zh": "归属", "en": "of"},
    "first_year": {"zh": "最早工作年度", "en": "first work year", "format": "d"},
    "text": {"zh": "例句", "en": "a statement"},
}
QUANTITY_INPUTS = ["statement_id", "article_id", "year", "regions", "text"]
QUANTITIES = {
    "quantity": {"zh": "原文", "en": "as written"},
    "what": {"zh": "所数的对象", "en": "what it counts"},
    "value": {"zh": "数值", "en": "value", "format": ",.15g"},
    "unit": {"zh": "单位", "en": "unit", "labels": UNITS},
    "change": {"zh": "升降", "en": "told as", "labels": CHANGES},
    "year": {"zh": "语句的工作年度", "en": "work year of the statement", "format": "d"},
    "names": {"zh": "归属", "en": "of"},
    "text": _STATEMENT,
}
_PARTS = {"held_out": {"zh": "编写规则时未用", "en": "held out from rule writing"},
          "develop": {"zh": "编写规则时用过", "en": "used in rule writing"}, "all": {"zh": "全部", "en": "all"}}
QUANTITY_ACCURACY = {
    "part": {"zh": "标注", "en": "labels", "labels": _PARTS},
    "n": _N,
    "tp": {"zh": "找到且正确", "en": "found and right", "format": ",d"},
    "fp": {"zh": "多找", "en": "found and wrong", "format": ",d"},
    "fn": {"zh": "漏找", "en": "missed", "format": ",d"},
    "precision": {"zh": "精确率", "en": "precision", "format": ".1%"},
    "precision_low": {"zh": "95%下限", "en": "95% low", "format": ".1%"},
    "recall": {"zh": "召回率", "en": "recall", "format": ".1%"},
    "recall_low": {"zh": "95%下限", "en": "95% low", "format": ".1%"},
}
OBJECT_ACCURACY = {
    "part": {"zh": "抽取", "en": "drawn", "labels": {
        "later": {"zh": "规则写成之后随机抽取", "en": "at random, after the rule was written"},
        "random": {"zh": "规则写成之前随机抽取", "en": "at random, before the rule was written"},
        "share": {"zh": "规则写成之前，取自“占”字之后", "en": "after 占 (“takes up”), before the rule was written"}}},
    "n": {"zh": "数字", "en": "figures", "format": ",d"},
    "right": {"zh": "对象正确", "en": "object right", "format": ",d"},
    "share": {"zh": "正确率", "en": "share right", "format": ".1%"},
    "low": {"zh": "95%下限", "en": "95% low", "format": ".1%"},
    "high": {"zh": "95%上限", "en": "95% high", "format": ".1%"},
}
MIX = {
    "name": _THEME,
    "grade": {"zh": "判断", "en": "reading", "labels": TREND_WORDS},
    "q": TRENDS["q"],
    "change": {"zh": "占比之差（百分点）", "en": "change (pp)", "format": "+.1f"},
    "change_standardised": {"zh": "拉平构成后（百分点）", "en": "with the mix held still (pp)",
                            "format": "+.1f"},
    "common": {"zh": "两年共有类别占语句", "en": "statements in common kinds", "format": ".0%"},
    "warning": {"zh": "提醒", "en": "warning", "labels": {"": {"zh": "无", "en": "none"}, **MIX_WARNINGS}},
}
CORRECTED = {
    "name": _THEME,
    "share": {"zh": "原始占比", "en": "share as coded", "format": ".1%"},
    "corrected": {"zh": "校正后", "en": "corrected", "format": ".1%"},
    "low": {"zh": "95%下限", "en": "95% low", "format": ".1%"},
    "high": {"zh": "95%上限", "en": "95% high", "format": ".1%"},
    "status": {"zh": "说明", "en": "note", "labels": CORRECTION_STATUS},
}
PAIRS_BY_UNIT = {**PAIRS, "npmi_paragraph": {"zh": "NPMI（同段）", "en": "NPMI in paragraphs", "format": ".2f"}}
PAIRS_BY_REGION = {"region_name": QUOTIENTS["region_name"], **PAIRS}
GROUPS = {
    "names": {"zh": "常在一起的主题", "en": "themes that go together"},
    "stability": {"zh": "分法一致的运行占比", "en": "runs that agree", "format": ".0%"},
}
TERM_PAIRS = {
    "term_a": {"zh": "提法甲", "en": "first term"}, "term_b": {"zh": "提法乙", "en": "second term"},
    **{k: PAIRS[k] for k in ("n_both", "expected", "ratio", "npmi", "log_dice", "q_more")},
    "npmi_paragraph": PAIRS_BY_UNIT["npmi_paragraph"],
}
PAIR_DIFFERENCES = {
    "former": {"zh": "前者", "en": "former"}, "latter": {"zh": "后者", "en": "latter"},
    "a": PAIRS["a"], "b": PAIRS["b"],
    "n_both_a": {"zh": "前者同句条数", "en": "together, former", "format": ",d"},
    "n_both_b": {"zh": "后者同句条数", "en": "together, latter", "format": ",d"},
    "difference": {"zh": "对数几率比之差", "en": "difference of log odds ratios", "format": "+.2f"},
    "low": {"zh": "95%下限", "en": "95% low", "format": "+.2f"},
    "high": {"zh": "95%上限", "en": "95% high", "format": "+.2f"},
    "q": {"zh": "校正后显著性q", "en": "corrected q", "format": ".3f"},
}
TRANSMISSION = {
    "from_name": {"zh": "风险来自", "en": "risk passes from"},
    "to_name": {"zh": "传向", "en": "to"},
    "year": {"zh": "年度", "en": "year", "format": "d"},
    "verb": {"zh": "用词", "en": "verb"},
    "stance": {"zh": "口气", "en": "told as", "labels": {
        "told": {"zh": "陈述事实", "en": "fact"}, "possible": {"zh": "可能", "en": "possible"},
        "warned": {"zh": "要求防范", "en": "to be prevented"}, "denied": {"zh": "否认", "en": "not so"}}},
    "text": _STATEMENT,
}
TRANSMISSION_TIES = {
    "year": TRANSMISSION["year"],
    "from_name": TRANSMISSION["from_name"],
    "to_name": TRANSMISSION["to_name"],
    "n_statements": _N,
    "n_articles": _ARTICLES,
    "said_with": TRANSMISSION["verb"],
}
WORDING = {
    "term": _TERM,
    "names": {"zh": "用到的地方局", "en": "bureaus that use it"},
    "national": {"zh": "材料中总局当年也用", "en": "the national regulator too, in this material"},
    "n_articles": _ARTICLES,
    "text": {"zh": "原句", "en": "a statement"},
}
KWIC = {
    "left": {"zh": "前文", "en": "before"},
    "term": {"zh": "词", "en": "word"},
    "right": {"zh": "后文", "en": "after"},
    "year": {"zh": "年度", "en": "year", "format": "d"},
    "names": {"zh": "归属", "en": "of"},
    "title": {"zh": "文章", "en": "article"},
    "publisher": {"zh": "出处", "en": "source"},
    "date": {"zh": "日期", "en": "date"},
}
FIRST_USE = {
    "term": _TERM,
    "name": {"zh": "谁用", "en": "who"},
    "order": {"zh": "先后", "en": "order", "format": "d"},
    "date": {"zh": "日期", "en": "date"},
    "could_be_first": {"zh": "可能最先", "en": "could be first"},
    "lag_low": {"zh": "至少晚（天）", "en": "days later, at least", "format": ",d"},
    "lag_high": {"zh": "至多晚（天）", "en": "days later, at most", "format": ",d"},
}
ECHO = {
    "name": {"zh": "谁说", "en": "who says it"},
    "date": {"zh": "日期", "en": "date"},
    "source_date": {"zh": "此前见于（日期）", "en": "earlier, on"},
    "lag_low": {"zh": "至少晚（天）", "en": "days later, at least", "format": ",.0f"},
    "repeated": {"zh": "重合的字句", "en": "wording repeated"},
    "added": {"zh": "另加的字句", "en": "wording added"},
}
ADOPTION = {
    "term": _TERM,
    "n_users": {"zh": "用过的局", "en": "bureaus that have used it", "format": ",d"},
    "base": {"zh": "每年计入的局（最少—最多）", "en": "bureaus counted in a year (fewest–most)"},
    "adopted": {"zh": "估计的比例", "en": "estimated share", "format": ".0%"},
    "low": {"zh": "95%下限", "en": "95% low", "format": ".0%"},
    "high": {"zh": "95%上限", "en": "95% high", "format": ".0%"},
    "year": {"zh": "最近一次首用的年度", "en": "last year a bureau took it up", "format": "d"},
}
KEYNESS = {
    "term": _TERM,
    "per_10k_a": {"zh": "总局每万词次", "en": "national regulator, per 10,000", "format": ".1f"},
    "per_10k_b": {"zh": "地方局每万词次", "en": "bureaus, per 10,000", "format": ".1f"},
    "z": {"zh": "关键性z", "en": "keyness z", "format": "+.1f"},
    "log_ratio": {"zh": "频率之比（log2）", "en": "log ratio (log2)", "format": "+.1f"},
    "low": {"zh": "95%下限", "en": "95% low", "format": "+.1f"},
    "high": {"zh": "95%上限", "en": "95% high", "format": "+.1f"},
    "q": {"zh": "校正后显著性q", "en": "corrected q", "format": ".3f"},
}

CLEANING = {
    "source_format": {"zh": "格式", "en": "format", "labels": FORMATS | {"all": {"zh": "合计", "en": "all"}}},
    "n_articles_expected": {"zh": "文章", "en": "articles", "format": ",d"},
    "n_boundaries_right": {"zh": "首尾正确", "en": "boundaries right", "format": ",d"},
    "titles": {"zh": "标题正确", "en": "titles right"},
    "dates": {"zh": "日期正确", "en": "dates right"},
    "publishers": {"zh": "媒体正确", "en": "publishers right"},
    "headings": {"zh": "小标题正确", "en": "headings right"},
    "n_body_chars_expected": {"zh": "应有正文字符", "en": "body characters expected", "format": ",d"},
    "n_body_chars_found": {"zh": "实得", "en": "found", "format": ",d"},
    "n_body_chars_shared": {"zh": "其中一致", "en": "of these shared", "format": ",d"},
}
ALARMS = {
    "source_file": {"zh": "文件", "en": "file"},
    "name": {"zh": "规则", "en": "rule"},
    "share": {"zh": "去掉的占该文件字符", "en": "share of its characters", "format": ".1%"},
    "elsewhere": {"zh": "在同格式其他文件中", "en": "in others of its format", "format": ".1%"},
}


def wording_shares(key: dict, grades: dict[str, dict]) -> dict[str, dict]:
    """The columns of `measures.wording_shares`, whose first one is `key`, under the column `name`."""
    return {
        "name": key, "n_statements": _N, "n_articles": _ARTICLES,
        **{grade: {**name, "format": ".1%"} for grade, name in grades.items()},
        "binding": {"zh": "前两级合计", "en": "first two together", "format": ".1%"},
        "low": {"zh": "95%下限", "en": "95% low", "format": ".1%"},
        "high": {"zh": "95%上限", "en": "95% high", "format": ".1%"},
    }
