"""YAML of the codebook: plain data with line numbers, and refusals that name the line."""

import pytest

from fengxiang.errors import UserError
from fengxiang.yamlfile import MAX_BYTES, YamlFile


def written(tmp_path, text):
    path = tmp_path / "themes.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_values_and_their_lines(tmp_path):
    file = YamlFile(written(tmp_path, "themes:\n  - code: green\n    terms: [双碳, 碳达峰]\n  - code: opening\n"))
    assert file.data == {"themes": [{"code": "green", "terms": ["双碳", "碳达峰"]}, {"code": "opening"}]}
    assert [file.line("themes", 0, "terms", 1), file.line("themes", 1), file.line("themes", 1, "missing")] == [3, 4, 4]
    assert str(file.error("unknown code", "themes", 1)).endswith("themes.yml:4: unknown code")


@pytest.mark.parametrize(("text", "line", "words"), [
    ("a: 1\na: 2\n", 2, "stands twice"),
    ("a: &x 1\nb: *x\n", 1, r"anchors and aliases \(& and \*\) are not taken here; write the value out"),
    ("a: !!python/object/apply:os.system [ls]\n", 1, "tag"),
    ("a: 1\n- &x b\n", 2, "mend this line|anchors"),
    ("a:\n  -  &x b\n", 2, "anchors"),
    ('a: {"b":*x}\n', 1, "anchors"),
    ("a: [1,&x 2]\n", 1, "anchors"),
    ("a:\n  !x 2\n", 2, "the tag !x is not taken"),
    ("--- !x\na: 1\n", 1, "the tag !x is not taken"),
    ("? !x a\n: 1\n", 1, "the tag !x is not taken"),
    ("a: !secret x\n", 1, "the tag !secret is not taken here; write plain values"),
    ("a: [1\n", 2, "is not valid YAML: .*; mend this line or the one above it"),
    ("a: 1\n\tb: 2\n", 2, "is not valid YAML: "),
    ("a: 1\nb: x\ay\n", 2, r"holds the control character U\+0007; delete it"),
    ("? [a, b]\n: 1\n", 1, "a key must be a plain word"),
    ("a: 1\n---\nb: 2\n", 2, "not valid YAML"),
])
def test_anything_else_is_refused_with_its_line(tmp_path, text, line, words):
    with pytest.raises(UserError, match=rf"themes\.yml:{line}: .*{words}"):
        YamlFile(written(tmp_path, text))


def test_a_bomb_of_aliases_is_refused_before_it_grows(tmp_path):
    bomb = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
    with pytest.raises(UserError, match="anchors"):
        YamlFile(written(tmp_path, bomb))


def test_missing_and_undecodable_files(tmp_path):
    with pytest.raises(UserError, match=r"none\.yml: this file of the codebook is missing"):
        YamlFile(tmp_path / "none.yml")
    (tmp_path / "bad.yml").write_bytes(b"a: 1\n" + "主题".encode("gb18030"))
    with pytest.raises(UserError, match=r"bad\.yml:2: is not UTF-8; save it as UTF-8 in the editor"):
        YamlFile(tmp_path / "bad.yml")
    (tmp_path / "folder.yml").mkdir()
    with pytest.raises(UserError, match=r"folder\.yml: cannot be read \(.*\); put the file of the codebook there that "
                                        "you may read"):
        YamlFile(tmp_path / "folder.yml")
    (tmp_path / "large.yml").write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(UserError, match=r"large\.yml: is larger than the 5,000,000 bytes a codebook file may have; "
                                        "take out what is not needed"):
        YamlFile(tmp_path / "large.yml")
