"""The audit against doubles of OSV and of npm's registry, in their published forms: pip-audit and npm themselves ask them."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from infra import audit
from infra.audit import Audited, NotAsked, Vulnerability, audit_cdk_cli, audit_group
from infra.wheels import locked_requirements
from tests.conftest import ROOT, require_program


class Advisories(ThreadingHTTPServer):
    """`POST /v1/query` as OSV's API describes it, `POST /-/npm/v1/security/advisories/bulk` as npm asks its registry."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.vulnerable: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.npm: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[tuple[str, str]] = []
        self.broken = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def osv(self, query: dict[str, Any]) -> dict[str, Any]:
        package = (query["package"]["name"], query["version"])
        self.asked.append(package)
        return {"vulns": self.vulnerable[package]} if package in self.vulnerable else {}


class Answering(BaseHTTPRequestHandler):
    server: Advisories

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        answer = self.server.osv(json.loads(body)) if self.path == "/v1/query" else self.server.npm
        content = json.dumps(answer).encode()
        self.send_response(503 if self.server.broken else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def advisories(monkeypatch: pytest.MonkeyPatch) -> Iterator[Advisories]:
    with Advisories() as server:
        monkeypatch.setenv("npm_config_registry", server.url)
        monkeypatch.setenv("npm_config_fetch_retries", "0")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def osv_entry(package: str, fixed: str) -> dict[str, Any]:
    events = [{"introduced": "0"}, {"fixed": fixed}]
    affected = {"package": {"name": package, "ecosystem": "PyPI"}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
    return {
        "id": "GHSA-aaaa-bbbb-cccc",
        "schema_version": "1.7.0",
        "summary": "A request is read twice.",
        "affected": [affected],
    }


def version_of(package: str) -> str:
    (line,) = [line for line in locked_requirements("service").splitlines() if line.startswith(f"{package}==")]
    return line.partition("==")[2].split()[0]


def test_every_locked_version_is_asked_for_also_those_for_other_pythons(advisories: Advisories) -> None:
    result = audit_group("service", osv_url=f"{advisories.url}/v1/query")
    assert result == Audited(len(advisories.asked), ())
    assert ("uvicorn", version_of("uvicorn")) in advisories.asked
    assert "async-timeout" in dict(advisories.asked), "needed below Python 3.11.3 only"


def test_several_versions_of_one_package_are_all_asked_for(advisories: Advisories, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = "quart==0.20.0 ; python_version < '3.12' \\\n    --hash=sha256:0\nquart==0.21.0\nh11==0.16.0\n"
    monkeypatch.setattr(audit, "locked_requirements", lambda group: locked)
    advisories.vulnerable[("quart", "0.20.0")] = [osv_entry("quart", "0.20.1")]
    result = audit_group(None, osv_url=f"{advisories.url}/v1/query")
    assert sorted(advisories.asked) == [("h11", "0.16.0"), ("quart", "0.20.0"), ("quart", "0.21.0")]
    assert result == Audited(3, (Vulnerability("quart", "0.20.0", "GHSA-aaaa-bbbb-cccc", ("0.20.1",)),))


def test_a_vulnerability_is_told_with_its_fix_and_can_be_accepted(advisories: Advisories) -> None:
    version = version_of("h11")
    advisories.vulnerable[("h11", version)] = [osv_entry("h11", "9.9.9")]
    url = f"{advisories.url}/v1/query"
    (found,) = audit_group("service", osv_url=url).vulnerabilities
    assert found == Vulnerability("h11", version, "GHSA-aaaa-bbbb-cccc", ("9.9.9",))
    assert audit_group("service", osv_url=url, accepted=("GHSA-aaaa-bbbb-cccc",)).vulnerabilities == ()


def test_no_answer_is_never_no_vulnerability(advisories: Advisories) -> None:
    advisories.broken = True
    with pytest.raises(NotAsked, match="did not answer"):
        audit_group("service", osv_url=f"{advisories.url}/v1/query")
    with pytest.raises(NotAsked, match="did not answer"):
        audit_group("service", osv_url="http://127.0.0.1:9/v1/query")


def npm_advisory() -> dict[str, Any]:
    """As npm's registry answers for each package that has one."""
    return {
        "id": 1100000,
        "url": "https://github.com/advisories/GHSA-dddd-eeee-ffff",
        "title": "Assets are read from elsewhere",
        "severity": "high",
        "vulnerable_versions": "<99.0.0",
        "cwe": ["CWE-426"],
        "cvss": {"score": 7.5, "vectorString": None},
    }


@pytest.mark.slow
def test_npm_is_asked_for_the_cdk_cli(advisories: Advisories, tmp_path: Path) -> None:
    require_program("npm")
    for name in ("package.json", "package-lock.json"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    lock = tmp_path / "package-lock.json"
    assert audit_cdk_cli(lock) == Audited(1, ())
    advisories.npm = {"aws-cdk": [npm_advisory()]}
    version = json.loads(lock.read_text())["packages"]["node_modules/aws-cdk"]["version"]
    assert audit_cdk_cli(lock).vulnerabilities == (Vulnerability("aws-cdk", version, "GHSA-dddd-eeee-ffff", ()),)
    assert audit_cdk_cli(lock, accepted=("GHSA-dddd-eeee-ffff",)).vulnerabilities == ()
    advisories.broken = True
    with pytest.raises(NotAsked, match=r"npm's registry did not answer: .*503"):
        audit_cdk_cli(lock)


def test_without_npm_that_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotAsked, match="npm is not on PATH"):
        audit_cdk_cli()


def run(advisories: Advisories, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.cli", "audit", "--osv-url", f"{advisories.url}/v1/query", *more]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_command_says_what_it_asked_and_tells_by_its_exit_code(advisories: Advisories) -> None:
    require_program("npm")
    advisories.vulnerable[("h11", version_of("h11"))] = [osv_entry("h11", "9.9.9")]
    found = run(advisories)
    assert found.returncode == 1
    assert f"  h11 {version_of('h11')}: GHSA-aaaa-bbbb-cccc, fixed in 9.9.9" in found.stdout
    assert found.stdout.splitlines()[-1] == "cdk cli: 1 package asked for, no known vulnerabilities"
    assert found.stdout.count(" packages asked for, 1 known vulnerability\n") == 2, (
        "of the bundle, and of the kit, which runs it too"
    )
    advisories.broken = True
    unknown = run(advisories, "--json")
    assert unknown.returncode == 4
    assert {name: [*part] for name, part in json.loads(unknown.stdout).items()} == {
        name: ["not_asked"] for name in ("bundle", "kit", "cdk cli")
    }
