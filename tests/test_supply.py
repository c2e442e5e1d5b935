import json
import re
import stat
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, metadata, version
from pathlib import Path

import pytest

from fengxiang import supply
from fengxiang.__main__ import main
from fengxiang.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
LOCK = supply.read_lock(ROOT / supply.LOCK)
LICENCES = supply.read_licences(ROOT / supply.LICENCES)
A, B = "a" * 64, "b" * 64

SMALL = f"""# made by a tool
one==1.0 \\
    --hash=sha256:{B} \\
    --hash=sha256:{A}
    # via
    #   mine (pyproject.toml)
    #   two
two==2.0 ; sys_platform == 'win32' \\
    --hash=sha256:{A}
    # via mine (pyproject.toml)
three==3.0 \\
    --hash=sha256:{A}
    # via one
four==4.0 \\
    --hash=sha256:{A}
    # via mine (pyproject.toml)
"""


def write(folder, text, licences="one,MIT,stated\ntwo,MIT OR GPL-3.0-only,stated\nthree,0BSD AND ISC,text\n"):
    (folder / supply.LOCK).write_text(text, "utf-8")
    (folder / supply.LICENCES).write_text("package,licence,known_from\n" + licences, "utf-8")
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "mine"\nversion = "0.1"\ndescription = "x"\nlicense = "MIT"\n'
        'dependencies = ["One>=1", "two"]\n[project.optional-dependencies]\ntest = ["four"]\n', "utf-8")
    return folder / supply.LOCK


# ---- the lock -------------------------------------------------------------------------------------------------------


def test_a_lock_is_read_with_markers_hashes_and_who_wants_what(tmp_path):
    assert supply.read_lock(write(tmp_path, SMALL)) == [
        supply.Locked("one", "1.0", "", (A, B), ("mine", "two")),
        supply.Locked("two", "2.0", "sys_platform == 'win32'", (A,), ("mine",)),
        supply.Locked("three", "3.0", "", (A,), ("one",)), supply.Locked("four", "4.0", "", (A,), ("mine",))]


@pytest.mark.parametrize("line", [
    "five==5.0", "five>=5.0 \\\n    --hash=sha256:" + A, "--index-url https://index.example", "-e .",
    "five @ file:///five.whl \\\n    --hash=sha256:" + A, "--find-links wheels",
    "five==5.0 \\\n    --hash=md5:" + A[:32], "five==5.0 \\\n    --hash=sha256:" + A[:63]])
def test_a_line_of_a_lock_that_is_no_hashed_package_is_refused(tmp_path, line):
    with pytest.raises(UserError, match=r"^requirements\.lock:17: is not a package of one version with its hashes"):
        supply.read_lock(write(tmp_path, f"{SMALL}{line}\n"))


def test_the_lock_has_a_hash_for_every_package_no_address_and_no_path():
    assert len(LOCK) > 100
    text = (ROOT / supply.LOCK).read_text("utf-8")
    assert not re.search(r"://|(^|\s)/|\\(?!\n)|index-url|find-links|file:", text)
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    names = {package.name for package in LOCK}
    for wanted in [*declared["dependencies"], *declared["optional-dependencies"]["test"]]:
        assert re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", wanted)[0]).lower() in names, wanted


# ---- licences -------------------------------------------------------------------------------------------------------


def test_every_locked_package_has_a_known_and_compatible_licence():
    assert supply.licence_problems(LOCK, LICENCES) == []


def test_an_unknown_an_incompatible_and_a_forgotten_licence_are_said(tmp_path):
    lock = supply.read_lock(write(tmp_path, SMALL))
    licences = {"one": "MIT", "two": "GPL-3.0-only", "three": "MIT AND SSPL-1.0", "five": "MIT"}
    assert supply.licence_problems(lock, licences) == [
        "four has no known licence", "three is under MIT AND SSPL-1.0, which is not compatible",
        "two is under GPL-3.0-only, which is not compatible", "five is listed but not locked"]


@pytest.mark.parametrize(("expression", "fits"), [
    ("MIT", True), ("GPL-3.0-or-later", False), ("MIT OR GPL-2.0-only", True), ("MIT AND GPL-2.0-only", False),
    ("GPL-2.0-only OR MIT AND ISC", True), ("GPL-2.0-only OR MIT AND SSPL-1.0", False), ("(MIT OR ISC)", False),
    ("", False), ("mit", False), ("LicenseRef-Proprietary", False)])
def test_a_licence_is_compatible_when_one_choice_is_wholly(expression, fits):
    assert supply.is_compatible(expression) is fits


@pytest.mark.parametrize("row", ["one,,stated", ",MIT,stated", "one,MIT,stated\none,ISC,stated", "one"])
def test_a_list_of_licences_with_a_gap_is_refused(tmp_path, row):
    write(tmp_path, SMALL, f"{row}\n")
    with pytest.raises(UserError, match=r"^requirements\.licences\.csv:[23]: needs a package of its own and a licence"):
        supply.read_licences(tmp_path / supply.LICENCES)


# what packages that state no SPDX expression write in its place → what the list may say then
FAMILIES = {"BSD": r"BSD-[23]-Clause.*", "MIT": "MIT", "Apache": ".*Apache-2.0", "ISC": "ISC", "Mozilla": "MPL-2.0",
            "MPL": "MPL-2.0", "Python Software": "PSF-2.0", "Open Font": "OFL-1.1"}


@pytest.mark.parametrize("name", sorted({package.name for package in LOCK}))
def test_the_list_says_of_each_installed_package_what_the_package_says_of_itself(name):
    try:
        said = metadata(name)
    except PackageNotFoundError:
        assert name in LICENCES  # for other machines: nothing here to compare with
        return
    if stated := said.get("License-Expression"):
        assert LICENCES[name] == stated
        return
    classifiers = [c.rpartition("::")[2] for c in said.get_all("Classifier") or () if c.startswith("License ::")]
    words = " ".join(classifiers) or (said.get("License") or "").strip().splitlines()[0]
    families = {pattern for word, pattern in FAMILIES.items() if word in words}
    assert families, words
    assert any(re.fullmatch(pattern, LICENCES[name]) for pattern in families), words


# ---- bill of materials ----------------------------------------------------------------------------------------------


def test_a_bill_of_materials_says_what_is_in_the_lock(tmp_path):
    write(tmp_path, SMALL)
    bill = supply.bill_of_materials(tmp_path)
    one, two, three, four = bill["components"]
    assert (one["name"], one["version"], one["purl"]) == ("one", "1.0", "pkg:pypi/one@1.0")
    assert [h["content"] for h in one["externalReferences"][0]["hashes"]] == [A, B]
    assert one["licenses"] == [{"license": {"id": "MIT"}}]
    assert two["licenses"] == [{"expression": "MIT OR GPL-3.0-only"}]
    assert two["properties"] == [{"name": "fengxiang:marker", "value": "sys_platform == 'win32'"}]
    assert "licenses" not in four
    assert [c["scope"] for c in (one, two, three, four)] == ["required", "required", "required", "optional"]
    assert bill["dependencies"] == [
        {"ref": "pkg:pypi/four@4.0", "dependsOn": []},
        {"ref": "pkg:pypi/mine@0.1", "dependsOn": ["pkg:pypi/four@4.0", "pkg:pypi/one@1.0", "pkg:pypi/two@2.0"]},
        {"ref": "pkg:pypi/one@1.0", "dependsOn": ["pkg:pypi/three@3.0"]},
        {"ref": "pkg:pypi/three@3.0", "dependsOn": []},
        {"ref": "pkg:pypi/two@2.0", "dependsOn": ["pkg:pypi/one@1.0"]}]
    assert bill["metadata"]["component"]["licenses"] == [{"license": {"id": "MIT"}}]


def test_it_fits_the_official_schema(capsys):
    pytest.importorskip("cyclonedx", reason="the environment is older than requirements.lock; run `make env`")
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = json.dumps(supply.bill_of_materials(ROOT))
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(text) is None
    assert validator.validate_str(text.replace('"library"', '"book"')) is not None


def test_it_names_what_runs_and_every_package_of_the_lock():
    bill = supply.bill_of_materials(ROOT)
    assert [(c["name"], c["version"]) for c in bill["components"]] == [(p.name, p.version) for p in LOCK]
    assert all(c["licenses"] and c["externalReferences"][0]["hashes"] for c in bill["components"])
    scopes = {c["name"]: c["scope"] for c in bill["components"]}
    assert (scopes["pandas"], scopes["lxml"], scopes["pytest"], scopes["hypothesis"]) == (
        "required", "required", "optional", "optional")
    here = {c["name"] for c in bill["components"] if c["scope"] == "required"}
    assert not [n for n in here if LICENCES[n].startswith("GPL")]
    assert version("pandas") in {c["version"] for c in bill["components"] if c["name"] == "pandas"}


def test_it_is_written_twice_the_same_and_says_nothing_of_time_or_machine(tmp_path):
    write(tmp_path, SMALL)
    first = supply.write_bill_of_materials(tmp_path).read_bytes()
    assert supply.write_bill_of_materials(tmp_path).read_bytes() == first
    assert b"timestamp" not in first
    assert str(tmp_path).encode() not in first
    write(tmp_path, SMALL.replace("4.0", "4.1"))
    assert json.loads(supply.write_bill_of_materials(tmp_path).read_bytes())["serialNumber"] != json.loads(
        first)["serialNumber"]


# ---- known vulnerabilities ------------------------------------------------------------------------------------------

SAFE = {"name": "one", "version": "1.0", "vulns": []}
BROKEN = {"name": "two", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1", "3.0"]},
                                                      {"id": "CVE-2", "fix_versions": []}]}
UNKNOWN = {"name": "three", "skip_reason": "Dependency not found on PyPI"}


def test_what_pip_audit_says_is_read_and_what_it_skips_is_not_taken_for_safe():
    assert supply.read_audit("osv", json.dumps({"dependencies": [SAFE, BROKEN, UNKNOWN]})) == supply.Audit(
        "osv", 2, ["two 2.0: CVE-2", "two 2.0: PYSEC-1, mended in 2.1, 3.0"], ["three: Dependency not found on PyPI"])
    for text in ("", "Traceback", "[]", "{}"):
        assert supply.read_audit("osv", text) is None


def fake_pip_audit(folder, monkeypatch, answers):
    """A pip-audit that answers as told, by source; one that is not told about cannot be reached."""
    script = folder / "pip-audit"
    script.write_text(f"#!{sys.executable}\nimport sys\nanswers = {answers!r}\n"
                      "source = sys.argv[sys.argv.index('--vulnerability-service') + 1]\n"
                      "print(answers[source])\n", "utf-8")
    script.chmod(script.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", str(folder))


@pytest.mark.skipif(sys.platform == "win32", reason="a script that runs by its first line")
@pytest.mark.parametrize(("answers", "status", "said"), [
    ({"pypi": [SAFE]}, 0, "pypi: 1 package checked, nothing known"),
    ({"pypi": [UNKNOWN], "osv": [SAFE, SAFE]}, 0, "osv: 2 packages checked, nothing known"),
    ({"osv": [SAFE, BROKEN]}, 1, "two 2.0: CVE-2\ntwo 2.0: PYSEC-1, mended in 2.1, 3.0\n"
                                 "osv: 2 packages checked, 2 known vulnerabilities"),
    ({"osv": [SAFE, UNKNOWN]}, 1, "not checked: three: Dependency not found on PyPI\n"
                                  "osv: 1 package checked, nothing known"),
])
def test_the_answer_is_told_and_only_a_clean_and_whole_one_is_success(tmp_path, monkeypatch, capsys, answers, status,
                                                                      said):
    fake_pip_audit(tmp_path, monkeypatch, {s: json.dumps({"dependencies": a}) for s, a in answers.items()})
    assert main(["audit"]) == status
    assert capsys.readouterr().out == f"{said}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="a script that runs by its first line")
def test_where_no_source_can_be_reached_nothing_is_called_safe(tmp_path, monkeypatch, capsys):
    fake_pip_audit(tmp_path, monkeypatch, {"pypi": json.dumps({"dependencies": [UNKNOWN]})})
    assert main(["audit"]) == 2
    assert "no source of advisories can be reached from here: nothing has been checked" in capsys.readouterr().err
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert main(["audit"]) == 2
    assert "pip-audit is not installed: nothing has been checked" in capsys.readouterr().err
