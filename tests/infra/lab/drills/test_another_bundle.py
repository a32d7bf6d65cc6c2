"""A synthesized stage with another bundle deploys other bytes under their own digest as another version of the function, with
another idle timeout of the load balancer, and nothing else changes."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from infra.errors import KitError
from infra.lab.drills.another_bundle import FILE, IDLE_TIMEOUT_S, another, digest_of, put_another

VERSION = "LaneFunctionCurrentVersion77610A80283817e9a3884424abb7d68e7c2d71b8"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def assembly(folder: Path) -> tuple[str, str]:
    """As the CDK CLI writes it, as far as it counts here; the bundle's digest and its asset's name."""
    bundle = folder / "asset.abcd.zip"
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("app/main.py", "pass")
    digest, template = sha256(bundle), folder / "s-lambda.template.json"
    variables = {"CROSSOVER_BUNDLE_SHA256": digest, "CROSSOVER_LANE": "lambda"}
    told = {
        "Code": {"S3Key": "abcd.zip"},
        "Environment": variables,
        VERSION: {"Type": "AWS::Lambda::Version"},
        "Alias": VERSION,
    }
    template.write_text(json.dumps(told))
    files = {"abcd": {"path": "asset.abcd.zip"}, sha256(template): {"path": template.name}}
    (folder / "s-lambda.assets.json").write_text(json.dumps(files))
    (folder / "manifest.json").write_text(json.dumps({"stackTemplateAssetObjectUrl": f"s3://assets/{sha256(template)}.json"}))
    return digest, sha256(template)


def test_the_bundle_has_one_more_file_and_all_that_names_it_names_the_new_one(tmp_path: Path) -> None:
    before, template_before = assembly(tmp_path)
    digest = put_another(tmp_path)
    (zipped,) = tmp_path.glob("asset.*.zip")
    assert before != digest == sha256(zipped)
    with zipfile.ZipFile(zipped) as archive:
        assert archive.namelist() == ["app/main.py", FILE]
    template = tmp_path / "s-lambda.template.json"
    told = json.loads(template.read_text())
    assert told["Environment"] == {"CROSSOVER_BUNDLE_SHA256": digest, "CROSSOVER_LANE": "lambda"}
    assert told["Code"] == {"S3Key": f"{digest}.zip"}
    assert told["Alias"] == f"LaneFunctionCurrentVersion77610A80{digest[:32]}" in told
    files = json.loads((tmp_path / "s-lambda.assets.json").read_text())
    assert files == {digest: {"path": zipped.name}, sha256(template): {"path": template.name}}
    assert template_before not in (tmp_path / "manifest.json").read_text()
    assert sha256(template) in (tmp_path / "manifest.json").read_text()


def test_the_load_balancer_has_another_idle_timeout_in_a_copy(tmp_path: Path) -> None:
    first = tmp_path / "cdk.out"
    first.mkdir()
    assembly(first)
    attribute = {"Key": "idle_timeout.timeout_seconds", "Value": "60"}
    (first / "s-traffic.template.json").write_text(json.dumps([attribute, {"Key": "Value", "Value": "60"}], indent=1))
    changed = another(first)
    told = json.loads((changed / "s-traffic.template.json").read_text())
    assert told == [attribute | {"Value": str(IDLE_TIMEOUT_S)}, {"Key": "Value", "Value": "60"}]
    assert digest_of(another(first)) == digest_of(changed) != digest_of(first)


def test_an_assembly_without_a_bundle_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "s-lambda.template.json").write_text("{}")
    with pytest.raises(KitError, match="deploys no bundle"):
        put_another(tmp_path)
