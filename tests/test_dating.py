"""Dates in Chinese text: what is found, what is inferred by a stated rule, what stays unknown."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fengxiang import dating

PHRASES = ["工作会议", "工作重点", "重点工作", "监管工作"]


def found(text, **options):
    return [(text[d.start : d.end], d.iso) for d in dating.find_dates(text, **options)]


@pytest.mark.parametrize(("text", "expected"), [
    ("2025年12月27日 18时38分", [("2025年12月27日 18时38分", "2025-12-27")]),
    ("2022-02-08 05:32:12 +0800", [("2022-02-08 05:32:12 +0800", "2022-02-08")]),
    ("2025-03-04T08:15:00Z 发布", [("2025-03-04T08:15:00Z", "2025-03-04")]),
    ("截至2026年2月9日，各地", [("2026年2月9日", "2026-02-09")]),
    ("2025/3/4与2025.03.05", [("2025/3/4", "2025-03-04"), ("2025.03.05", "2025-03-05")]),
    ("2025 年 3 月 4 日", [("2025 年 3 月 4 日", "2025-03-04")]),
    ("二〇二五年十二月二十七日", [("二〇二五年十二月二十七日", "2025-12-27")]),
    ("2025年3月号", [("2025年3月", "2025-03")]),
    ("1998年6月1日成立", [("1998年6月1日", "1998-06-01")]),
    ("2025年2月30日", []),  # no such day
    ("共12025年3月4日", []),  # not a year
    ("利率3.2025-01-02", []),
    ("2025年以来", []),
])
def test_find_dates(text, expected):
    assert found(text) == expected


def test_months_can_be_left_out():
    assert found("2023年10月底召开，2024年1月16日强调", months=False) == [("2024年1月16日", "2024-01-16")]


@given(st.dates(datetime.date(1950, 1, 1), datetime.date(2099, 12, 31)),
       st.sampled_from(["{0}年{1}月{2}日", "{0}-{1}-{2}", "{0}/{1}/{2}", "{0}-{1:02d}-{2:02d}", "{0} 年 {1} 月{2} 日"]))
def test_every_day_is_read_in_every_form(day, form):
    text = form.format(day.year, day.month, day.day)
    assert [d.iso for d in dating.find_dates(f"据悉，{text}。")] == [day.isoformat()]
    assert dating.stated_date(text) == day.isoformat()


@pytest.mark.parametrize(("value", "expected"), [
    ("2022-02-08 05:32:12 +0800", "2022-02-08"), ("2025-03", "2025-03"), ("2021", "2021"), (2021, "2021"),
    ("2024年度", "2024"), ("20251227", "2025-12-27"), ("20251227183800", "2025-12-27"),
    ("Tue, 08 Feb 2022 05:32:12 +0800", "2022-02-08"),
    ("June 5, 2024", "2024-06-05"), ("5 Jun 2024", "2024-06-05"), ("Sept. 30th, 2024", "2024-09-30"),
    ("2024—06—05", "2024-06-05"), ("2024－06－05 10:00", "2024-06-05"), ("June 31, 2024", None),
    (1644269532, "2022-02-08"), (1644269532000, "2022-02-08"),
    ("发布时间：2025年3月4日", "2025-03-04"), ("2025-02-30", None), ("昨天", None), ("", None),
    (None, None), (True, None), (float("nan"), None), ("99", None),
])
def test_stated_date(value, expected):
    assert dating.stated_date(value) == expected


@given(st.one_of(st.text(max_size=200), st.integers(), st.floats(), st.none()))
def test_stated_date_takes_anything(value):
    result = dating.stated_date(value)
    assert result is None or len(result) in (4, 7, 10)


@pytest.mark.parametrize(("text", "expected"), [
    ("截至2026年2月9日，近30地公布了会议内容。", "2026-02-09"),
    ("截至2026年2月5日有20地，截至2026年2月9日有30地。", "2026-02-09"),
    ("截至2025年12月31日，资产总额为100亿元。", None),  # the end of a month is a reporting date
    ("截至2024年2月29日", None),
    ("截至2026年2月9日，会议定于2026年3月1日召开。", None),  # the text knows a later day
    ("截至2022年末", None),
    ("没有日期", None),
])
def test_as_of_date(text, expected):
    assert dating.as_of_date(text) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("2023年10月底召开的会议要求，今年1月16日又强调。", (2024, "this_year_after")),
    ("今年1月16日强调，2023年10月底曾要求。", None),  # the month of this year stands first: nothing is known
    ("2023年3月召开，今年10月又强调。", None),  # it may be the same year
    ("去年（2023年）增长5%。", (2024, "this_year_is")),
    ("2024年（今年）以来", (2024, "this_year_is")),
    ("今年以来，各地推进。", None),
    ("今年13月", None),
])
def test_writing_year(text, expected):
    assert dating.writing_year(text) == expected


@pytest.mark.parametrize(("title", "text", "published", "expected"), [
    ("2026年监管工作会议召开", "", 2026, (2026, "work_year_title")),
    ("某局部署2026年重点工作", "", 2025, (2026, "work_year_title")),
    ("某局公布2023年数据", "", 2024, (2023, "title_year")),
    ("某局公布2023年数据", "", None, (2023, "title_year")),
    ("2021年至2023年成绩", "", 2024, None),  # names two years
    ("某局公布2019年数据", "", 2024, None),  # too far from publication
    ("自2022年以来的改革", "", 2022, None),
    ("工作有序推进", "各地2022年工作会议召开，2022年工作重点明确。", 2022, (2022, "work_year_text")),
    ("工作有序推进", "2023年工作会议曾提出。", 2025, None),  # background
    ("工作有序推进", "总结2025年监管工作，部署2026年工作重点。", 2026, (2026, "work_year_text")),
    ("工作有序推进", "2024年末的监管工作", None, None),  # an end of year is no work year
    ("工作有序推进", "1月12日召开的2025年监管工作会议明确", None, (2025, "work_year_text")),
])
def test_work_year(title, text, published, expected):
    assert dating.WorkYear(PHRASES).of(title, text, published) == expected


def test_a_year_for_which_a_meeting_lays_something_down_is_the_work_year():
    plans = ["会议(?:强调|要求)，(20\\d\\d)年(?:要|将)"]
    work_year = dating.WorkYear(PHRASES, plans=plans)
    assert work_year.of("", "去年成效明显。会议强调，2025年要重点抓好三项任务。", None) == (2025, "work_year_text")
    assert work_year.of("", "会议强调，2019年已经做到。", None) is None
    assert work_year.of("", "2026年工作会议召开。会议要求，2027年将收官。", None) == (2026, "work_year_text")


def test_days_of_events_are_resolved_by_the_work_year_beside_them():
    work_year = dating.WorkYear(PHRASES)
    text = "总局1月12日召开的2025年监管工作会议提出。2024年6月3日，签署备忘录。9月1日启动活动。"
    assert [(text[d.start : d.end], d.iso) for d in dating.event_dates(text, work_year)] == [
        ("1月12日", "2025-01-12"), ("2024年6月3日", "2024-06-03")]


def test_a_dateline_gives_month_and_day():
    assert dating.dateline("新华社北京1月12日电（记者 张三）近日") == (1, 12)
    assert dating.dateline("新华社北京2月30日电") is None
    assert dating.dateline("近日，会议召开") is None


@given(st.text(max_size=300))
def test_no_text_breaks_the_search(text):
    for d in dating.find_dates(text):
        assert 0 <= d.start < d.end <= len(text)
    dating.as_of_date(text)
    dating.writing_year(text)
    dating.event_dates(text, dating.WorkYear(PHRASES))


def test_long_text_is_searched_in_bounded_time():
    import time

    text = "2025年1月1日" * 200_000 + "1" * 500_000
    start = time.perf_counter()
    dating.find_dates(text)
    dating.writing_year(text)
    dating.WorkYear(PHRASES).years(text)
    assert time.perf_counter() - start < 2
