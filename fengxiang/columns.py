"""What the columns of derived frames are called in tables, in Chinese and English, with their formats."""

from __future__ import annotations

from .measures import TREND_WORDS

_THEME = {"zh": "主题", "en": "theme"}

TRENDS = {
    "name": _THEME,
    "share_from": {"zh": "首年占比", "en": "share, first year", "format": ".1%"},
    "share_to": {"zh": "末年占比", "en": "share, last year", "format": ".1%"},
    "low95": {"zh": "差值95%下限", "en": "difference, 95% low", "format": "+.1%"},
    "high95": {"zh": "差值95%上限", "en": "difference, 95% high", "format": "+.1%"},
    "n_from": {"zh": "首年语句", "en": "statements, first year", "format": ",d"},
    "n_to": {"zh": "末年语句", "en": "statements, last year", "format": ",d"},
    "grade": {"zh": "判断", "en": "reading", "labels": TREND_WORDS},
}
PAIRS = {
    "a": {"zh": "主题甲", "en": "first theme"},
    "b": {"zh": "主题乙", "en": "second theme"},
    "n_both": {"zh": "同句", "en": "together", "format": ",d"},
    "expected": {"zh": "应有", "en": "expected", "format": ".1f"},
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
DISPERSION = {
    "term": {"zh": "词", "en": "term"},
    "count": {"zh": "次数", "en": "occurrences", "format": ",d"},
    "range": {"zh": "文章数", "en": "articles", "format": ",d"},
    "range_share": {"zh": "占文章", "en": "share of articles", "format": ".1%"},
    "dp_norm": {"zh": "离散度DP（0最匀）", "en": "dispersion DP (0 = even)", "format": ".2f"},
}
