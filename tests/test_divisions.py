"""Names of administrative divisions and what is left of them without the word for their kind."""

from fengxiang.divisions import divisions


def test_short_names():
    short = {d.name: d.short for d in divisions()}
    want = {"北京市": "北京", "内蒙古自治区": "内蒙古", "东城区": "东城", "正定县": "正定", "大兴安岭地区": "大兴安岭",
            "神农架林区": "神农架", "延边朝鲜族自治州": "延边", "融水苗族自治县": "融水", "锡林郭勒盟": "锡林郭勒",
            "莫力达瓦达斡尔族自治旗": "莫力达瓦", "石家庄市": "石家庄", "太仆寺旗": "太仆寺", "河北省": "河北"}
    assert {name: short.get(name) for name in want} == want
