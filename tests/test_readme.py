"""The READMEs say what is there: the columns, the targets, the files."""

import re
from pathlib import Path

import pytest

from fengxiang.tables import dictionary_markdown

ROOT = Path(__file__).resolve().parent.parent
READMES = {"en": "README.md", "zh": "README.zh.md"}


@pytest.mark.parametrize("lang", READMES)
def test_the_column_dictionary_is_that_of_the_schemas(lang):
    text = (ROOT / READMES[lang]).read_text(encoding="utf-8")
    between = text.split("<!-- columns -->\n")[1].split("<!-- /columns -->")[0]
    assert between == dictionary_markdown(lang)


@pytest.mark.parametrize("lang", READMES)
def test_every_link_and_picture_is_there(lang):
    text = (ROOT / READMES[lang]).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)\)", text)
    assert len(links) >= 5
    assert [link for link in links if not link.startswith("http") and not (ROOT / link).exists()] == []


@pytest.mark.parametrize("lang", READMES)
def test_every_target_it_names_is_in_the_makefile(lang):
    named = set(re.findall(r"make ([a-z]+)", (ROOT / READMES[lang]).read_text(encoding="utf-8")))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"report", "test"} <= named
    assert named - targets <= {"and"}


def test_both_languages_name_the_same_files_and_commands():
    parts = [set(re.findall(r"`([^`\n]+)`", (ROOT / name).read_text(encoding="utf-8").split("<!-- columns -->")[0]))
             for name in READMES.values()]
    assert parts[0] == parts[1]
