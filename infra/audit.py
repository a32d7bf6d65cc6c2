"""Known vulnerabilities of what is locked: pip-audit over `uv.lock`, npm's own audit over `package-lock.json`.

Every locked version is asked for, whatever platform it is for: the bundle is built for other machines than this one. Each part
is asked by itself, so that one that cannot be asked leaves the others' answers.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.errors import KitError
from infra.wheels import ROOT, locked_requirements, one_line

OSV_URL = "https://api.osv.dev/v1/query"
TIMEOUT_S = 600


class NotAsked(KitError):
    """Whoever knows the vulnerabilities gave no answer: nothing is known of these packages."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """`fixed_in` are versions without it, empty where none is known."""

    package: str
    version: str
    id: str
    fixed_in: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Audited:
    """`packages` versions were asked for."""

    packages: int
    vulnerabilities: tuple[Vulnerability, ...]


def audit_group(group: str | None, *, osv_url: str = OSV_URL, accepted: tuple[str, ...] = ()) -> Audited:
    """The locked packages of a dependency group, or of all groups; `accepted` are ids that do not count. Raises `NotAsked`."""
    locked = _versions(locked_requirements(group))
    found: list[Vulnerability] = []
    for layer in _layers(locked):
        found += _pip_audit(layer, osv_url, accepted)
    return Audited(len(locked), tuple(sorted(found, key=lambda each: (each.package, each.version, each.id))))


def audit_cdk_cli(lock: Path = ROOT / "package-lock.json", *, accepted: tuple[str, ...] = ()) -> Audited:
    """What `package-lock.json` names, asked of npm's registry. Raises `NotAsked`."""
    command = ["npm", "audit", "--package-lock-only", "--json"]
    try:
        done = subprocess.run(
            command, cwd=lock.parent, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=TIMEOUT_S
        )
        stated = json.loads(done.stdout)
    except FileNotFoundError:
        raise NotAsked("npm is not on PATH") from None
    except subprocess.TimeoutExpired:
        raise NotAsked(f"npm gave no answer within {TIMEOUT_S} s") from None
    except ValueError:
        raise NotAsked(f"npm did not answer in JSON: {one_line(done.stdout + done.stderr)}") from None
    if "vulnerabilities" not in stated:
        raise NotAsked(f"npm's registry did not answer: {one_line(str(stated.get('message') or stated))}")
    versions = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    return Audited(len([name for name in versions if name]), tuple(_npm(stated["vulnerabilities"], versions, accepted)))


def _versions(requirements: str) -> list[tuple[str, str]]:
    return sorted(set(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", requirements, re.MULTILINE)))


def _layers(locked: list[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """The lock has some packages in several versions, one for each Python; pip-audit takes one version of each at a time."""
    left = locked
    while left:
        layer = dict(reversed(left))
        yield sorted(layer.items())
        left = [each for each in left if layer[each[0]] != each[1]]


def _pip_audit(locked: list[tuple[str, str]], osv_url: str, accepted: tuple[str, ...]) -> list[Vulnerability]:
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--desc", "off"]
    command += ["--vulnerability-service", "osv", "--osv-url", osv_url, "--disable-pip", "--no-deps"]
    command += [argument for each in accepted for argument in ("--ignore-vuln", each)]
    with tempfile.TemporaryDirectory() as scratch:
        listed = Path(scratch) / "requirements.txt"
        listed.write_text("".join(f"{name}=={version}\n" for name, version in locked))
        command += ["--cache-dir", scratch, "--requirement", str(listed)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise NotAsked(f"{osv_url} gave no answer within {TIMEOUT_S} s") from None
    try:
        stated = json.loads(done.stdout)
    except ValueError:
        raise NotAsked(f"{osv_url} did not answer: {_last_line(done.stderr)}") from None
    skipped = [each["name"] for each in stated["dependencies"] if "skip_reason" in each]
    if skipped or len(stated["dependencies"]) != len(locked):
        raise NotAsked(f"pip-audit left packages out: {', '.join(skipped) or 'it does not say which'}")
    return [
        Vulnerability(each["name"], each["version"], found["id"], tuple(found["fix_versions"]))
        for each in stated["dependencies"]
        for found in each["vulns"]
    ]


def _npm(stated: dict[str, Any], versions: dict[str, Any], accepted: tuple[str, ...]) -> Iterator[Vulnerability]:
    for name, about in sorted(stated.items()):
        fix = about["fixAvailable"]
        fixed_in = (f"{fix['name']} {fix['version']}",) if isinstance(fix, dict) else ()
        for source in about["via"]:
            if isinstance(source, dict):  # else the name of the package that it comes from, which is listed too
                id = source["url"].rpartition("/")[2]
                for node in about["nodes"]:
                    if id not in accepted:
                        yield Vulnerability(name, versions[node]["version"], id, fixed_in)


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return one_line(lines[-1] if lines else "")
