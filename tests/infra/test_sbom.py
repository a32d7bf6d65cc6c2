"""The bill of materials: exactly what is in the tree, with the lock's hashes, valid CycloneDX, and the same bytes each time."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import OutputFormat
from cyclonedx.validation import make_schemabased_validator

from infra.bundle import SOURCES, Bundle, BundleTarget
from infra.own_service import load_service
from infra.sbom import SCHEMA, sbom
from infra.wheels import locked_requirements
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def document(local_bundle: Bundle) -> dict[str, Any]:
    stated: dict[str, Any] = json.loads(sbom(local_bundle))
    return stated


def wheels(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {part["name"]: part for part in document["components"] if part["purl"].startswith("pkg:pypi/")}


def test_it_is_valid_cyclonedx(local_bundle: Bundle) -> None:
    validator = make_schemabased_validator(OutputFormat.JSON, SCHEMA)
    assert validator.validate_str(sbom(local_bundle)) is None
    assert validator.validate_str(sbom(local_bundle).replace('"type": "library"', '"type": "book"')) is not None


def test_it_lists_exactly_the_distributions_of_the_tree(local_bundle: Bundle, document: dict[str, Any]) -> None:
    folders = {path.name.removesuffix(".dist-info") for path in local_bundle.tree.glob("*.dist-info")}
    assert folders == {f"{name.replace('-', '_')}-{part['version']}" for name, part in wheels(document).items()}
    assert "uvicorn" in wheels(document)


def test_each_wheel_has_a_hash_of_the_lock_a_licence_and_a_purl(document: dict[str, Any]) -> None:
    locked = locked_requirements("service").replace("\\\n", " ").splitlines()
    for name, part in wheels(document).items():
        (line,) = [line for line in locked if line.startswith(f"{name}=={part['version']} ")]
        (stated,) = part["hashes"]
        assert stated["content"] in re.findall(r"sha256:([0-9a-f]{64})", line)
        assert part["licenses"]
        assert part["purl"].startswith(f"pkg:pypi/{name}@{part['version']}?file_name=")


@pytest.mark.parametrize(("architecture", "machine"), [("arm64", "aarch64"), ("x86_64", "x86_64")])
def test_the_wheel_is_the_targets(local_bundle: Bundle, architecture: str, machine: str) -> None:
    parts = wheels(json.loads(sbom(replace(local_bundle, target=BundleTarget("3.12", architecture)))))
    assert re.search(rf"file_name=uvloop-[\d.]+-cp312-cp312-\S*manylinux_2_\d+_{machine}\S*\.whl", parts["uvloop"]["purl"])


def test_the_kits_own_files_are_there_with_the_hashes_they_have_in_the_tree(
    local_bundle: Bundle, document: dict[str, Any]
) -> None:
    (kit,) = [part for part in document["components"] if part["name"] == "crossover"]
    assert kit["version"] == local_bundle.git_revision
    listed = {file["name"]: file["hashes"][0]["content"] for file in kit["components"]}
    tree = local_bundle.tree
    ours = {
        path.relative_to(tree).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in SOURCES
        for path in (tree / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert listed == ours


def test_dependencies_lead_from_the_bundle_to_every_part(document: dict[str, Any]) -> None:
    needs = {each["ref"]: set(each.get("dependsOn", [])) for each in document["dependencies"]}
    assert needs["bundle"] == {part["bom-ref"] for part in document["components"]}
    assert {"pypi:httpcore", "pypi:certifi", "pypi:anyio", "pypi:idna"} == needs["pypi:httpx"]


def test_the_digest_is_the_zips_and_the_same_bundle_gives_the_same_bytes(
    local_bundle: Bundle, document: dict[str, Any]
) -> None:
    root = document["metadata"]["component"]
    assert root["hashes"] == [{"alg": "SHA-256", "content": local_bundle.sha256}]
    assert "timestamp" not in document["metadata"]
    assert json.loads(sbom(local_bundle)) == document


def test_another_bundle_has_another_serial_number(local_bundle: Bundle, document: dict[str, Any]) -> None:
    other = json.loads(sbom(replace(local_bundle, sha256="0" * 64)))
    assert other["serialNumber"] != document["serialNumber"]


def test_a_service_of_the_users_own_stands_beside_the_kit(local_bundle: Bundle) -> None:
    service = load_service(ROOT / "tests" / "infra" / "own_service" / "quotes")
    parts = {part["name"]: part for part in json.loads(sbom(replace(local_bundle, service=service)))["components"]}
    assert "app/bootstrap.py" in {file["name"] for file in parts["quotes"]["components"]}
    assert "app/bootstrap.py" not in {file["name"] for file in parts["crossover"]["components"]}


def test_the_command_writes_it_or_says_why_not(local_bundle: Bundle, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "infra.cli", "bundle", "--local", "--sbom"]
    # Another process, with another hash seed: the same bytes.
    file = tmp_path / "new" / "bundle.cdx.json"
    subprocess.run([*command, str(file)], cwd=ROOT, capture_output=True, text=True, check=True)
    assert file.read_text() == sbom(local_bundle)
    refused = subprocess.run([*command, "/proc/nowhere/x.json"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "--sbom /proc/nowhere/x.json: cannot be written" in refused.stderr
