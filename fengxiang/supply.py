"""What the program is built upon: the lock file, the licences of what it locks, a bill of materials (CycloneDX), and
the question whether any of it is known to be vulnerable. Needs Python alone, not the environment."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import tomllib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import UserError
from .libraries import normal

LOCK = "requirements.lock"
LICENCES = "requirements.licences.csv"
BOM = "build/sbom.cdx.json"
# Licences under which a package may be installed beside code under the MIT licence without any duty on that code:
# permissive ones, licences of files alone (MPL), and that of fonts, which leaves pictures free.
COMPATIBLE = frozenset({
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CNRI-Python", "ISC", "MIT", "MIT-0", "MIT-CMU",
    "MPL-1.1", "MPL-2.0", "OFL-1.1", "PSF-2.0", "Zlib"})
ADVISORIES = ("pypi", "osv")  # where pip-audit asks, in this order

_PINNED = re.compile(r"([a-z0-9][a-z0-9.-]*)==(\S+)(?: ; (.+?))?((?: --hash=sha256:[0-9a-f]{64})+)")


@dataclass(frozen=True)
class Locked:
    """One package of the lock file.

    Attributes:
        name, version: as the index has them, the name in its normal form.
        marker: for which machines; empty for all.
        hashes: SHA-256 of every file that may be installed.
        wanted_by: names of the packages that need it, the project's own among them.
    """

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]
    wanted_by: tuple[str, ...]

    @property
    def purl(self) -> str:
        """Its package URL."""
        return f"pkg:pypi/{self.name}@{self.version}"


def read_lock(path: Path) -> list[Locked]:
    """The packages of a lock file, in its order.

    Raises:
        UserError: a line is anything but a package of one version with the hashes of its files: a package without
            hashes, an address, a path, an option.
    """
    found: list[Locked] = []
    pinned, begun, wanted = "", 0, []
    for number, line in enumerate([*path.read_text(encoding="utf-8").splitlines(), "end=="], 1):
        if line.startswith("    # ") and not pinned.endswith("\\"):
            wanted += re.findall(r"[\w.-]+", line.replace("# via", "#").replace("(pyproject.toml)", ""))
        elif line.startswith("    ") and pinned.endswith("\\"):
            pinned = f"{pinned[:-1].rstrip()} {line.strip()}"
        elif not line.startswith("#"):
            if pinned:
                match = _PINNED.fullmatch(pinned)
                if not match:
                    raise UserError("is not a package of one version with its hashes; run `make lock`", path.name,
                                    begun)
                hashes = tuple(sorted(re.findall(r"sha256:(\w+)", match[4])))
                found.append(Locked(match[1], match[2], match[3] or "", hashes, tuple(wanted)))
            pinned, begun, wanted = line.rstrip(), number, []
    return found


def read_licences(path: Path) -> dict[str, str]:
    """The licence of each package as an SPDX expression, by name.

    Raises:
        UserError: a row has no name or no licence, or a name stands twice.
    """
    found: dict[str, str] = {}
    with open(path, encoding="utf-8", newline="") as file:
        for row in (reader := csv.DictReader(file)):
            name, licence = row.get("package"), row.get("licence")
            if not name or not licence or name in found:
                raise UserError("needs a package of its own and a licence", path.name, reader.line_num)
            found[name] = licence
    return found


def is_compatible(expression: str) -> bool:
    """Whether an SPDX expression leaves a choice all of whose licences are in `COMPATIBLE`."""
    return any(all(licence in COMPATIBLE for licence in choice.split(" AND ")) for choice in expression.split(" OR "))


def licence_problems(lock: Iterable[Locked], licences: Mapping[str, str]) -> list[str]:
    """What is wrong with the licences of the locked packages, in words."""
    names = sorted({package.name for package in lock})
    return [f"{name} has no known licence" for name in names if name not in licences] + \
        [f"{name} is under {licences[name]}, which is not compatible" for name in names
         if name in licences and not is_compatible(licences[name])] + \
        [f"{name} is listed but not locked" for name in sorted(set(licences) - set(names))]


# ---- bill of materials ----------------------------------------------------------------------------------------------


def bill_of_materials(root: Path) -> dict[str, Any]:
    """The lock file as a CycloneDX 1.6 bill of materials: the same for the same lock, without a time.

    Packages that only the tests and tools need are of scope `optional`.

    Raises:
        UserError: the lock file or the list of licences cannot be read.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock, licences = read_lock(root / LOCK), read_licences(root / LICENCES)
    required = needed_at_run_time(project, lock)
    refs: dict[str, list[str]] = {project["name"]: [f"pkg:pypi/{project['name']}@{project['version']}"]}
    for package in lock:
        refs.setdefault(package.name, []).append(package.purl)
    needs: dict[str, set[str]] = {ref: set() for found in refs.values() for ref in found}
    for package in lock:
        for name in package.wanted_by:
            for ref in refs[name]:
                needs[ref].add(package.purl)
    content = {
        "metadata": {"component": {
            "type": "application", "bom-ref": refs[project["name"]][0], "name": project["name"],
            "version": project["version"], "description": project["description"],
            "licenses": [{"license": {"id": project["license"]}}], "purl": refs[project["name"]][0]}},
        "components": [_component(package, licences.get(package.name), package.name in required) for package in lock],
        "dependencies": [{"ref": ref, "dependsOn": sorted(needs[ref])} for ref in sorted(needs)]}
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(content, sort_keys=True))
    return {"$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json", "bomFormat": "CycloneDX",
            "specVersion": "1.6", "serialNumber": f"urn:uuid:{serial}", "version": 1, **content}


def needed_at_run_time(project: Mapping[str, Any], lock: Iterable[Locked]) -> set[str]:
    """The names of the locked packages that the project itself needs, at any remove."""
    lock = list(lock)
    found = {normal(re.match(r"[\w.-]+", wanted)[0]) for wanted in project["dependencies"]}
    while more := {package.name for package in lock if found & set(package.wanted_by)} - found:
        found |= more
    return found


def _component(package: Locked, licence: str | None, required: bool) -> dict[str, Any]:
    single = licence and " " not in licence
    return {"type": "library", "bom-ref": package.purl, "name": package.name, "version": package.version,
            "scope": "required" if required else "optional",
            **({"licenses": [{"license": {"id": licence}} if single else {"expression": licence}]} if licence else {}),
            "purl": package.purl,
            "externalReferences": [{
                "type": "distribution", "url": f"https://pypi.org/project/{package.name}/{package.version}/",
                "comment": "one of the files with these hashes is installed",
                "hashes": [{"alg": "SHA-256", "content": content} for content in package.hashes]}],
            **({"properties": [{"name": "fengxiang:marker", "value": package.marker}]} if package.marker else {})}


def write_bill_of_materials(root: Path) -> Path:
    """Write build/sbom.cdx.json; returns it."""
    from .running import write_atomically

    path = root / BOM
    write_atomically(path, json.dumps(bill_of_materials(root), ensure_ascii=False, indent=1) + "\n")
    return path


# ---- known vulnerabilities ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Audit:
    """What an advisory source says of the locked packages.

    Attributes:
        source: the source that answered.
        n_checked: packages it knows.
        vulnerable: a line for each known vulnerability.
        unchecked: packages it could not say anything about, each with the reason.
    """

    source: str
    n_checked: int
    vulnerable: list[str]
    unchecked: list[str]


def audit(root: Path) -> Audit:
    """Ask pip-audit about every package of the lock file, at the first of `ADVISORIES` that answers.

    Raises:
        UserError: pip-audit is not installed, or no source can be reached: then nothing has been checked.
    """
    command = shutil.which("pip-audit")
    if command is None:
        raise UserError("pip-audit is not installed: nothing has been checked; install it apart from the project, "
                        "with `pipx install pip-audit`, say")
    for source in ADVISORIES:
        done = subprocess.run([command, "--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format",
                               "json", "--vulnerability-service", source, "--requirement", str(root / LOCK)],
                              capture_output=True, text=True, encoding="utf-8", errors="replace", check=False)
        answer = read_audit(source, done.stdout)
        if answer and answer.n_checked:
            return answer
    raise UserError("no source of advisories can be reached from here: nothing has been checked for known "
                    "vulnerabilities")


def read_audit(source: str, text: str) -> Audit | None:
    """What pip-audit said, from its JSON; None where it said nothing of use. A package that the source does not know
    counts as unchecked: pip-audit itself calls that no vulnerability."""
    try:
        packages = json.loads(text)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    unchecked = [f"{p['name']}: {p['skip_reason']}" for p in packages if "skip_reason" in p]
    checked = [p for p in packages if "skip_reason" not in p]
    vulnerable = [f"{p['name']} {p['version']}: {v['id']}"
                  + (f", mended in {', '.join(v['fix_versions'])}" if v.get("fix_versions") else "")
                  for p in checked for v in p["vulns"]]
    return Audit(source, len(checked), sorted(vulnerable), sorted(unchecked))
