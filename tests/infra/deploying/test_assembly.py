"""An assembly that does not hold the bundle of the sources is told of, with the command that makes one that does."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from infra.bundle import Bundle, BundleTarget
from infra.config import Stage
from infra.deploying import assembly as module
from infra.deploying.assembly import bundle_problem, read_assembly
from infra.errors import InputError

ZIP = b"the bundle's bytes"
DIGEST = hashlib.sha256(ZIP).hexdigest()
STAGE = Stage(name="prod")


def synthesized(folder: Path, *, digest: str | None = DIGEST, asset: bytes | None = ZIP) -> Path:
    """Two stacks, the second deployed first; the bundle in the one as a function's variable, in the other as user data."""
    variables = {} if digest is None else {"CROSSOVER_BUNDLE_SHA256": digest}
    user_data = "" if digest is None else f"LANE=container\nCROSSOVER_BUNDLE_SHA256={digest}\n"
    templates: dict[str, dict[str, Any]] = {
        "crossover-prod-lambda": {"Description": "Crossover prod: lambda lane", "Resources": {"F": variables}},
        "crossover-prod-foundation": {"Description": "Crossover prod: network", "Resources": {"T": user_data}},
    }
    artifacts: dict[str, Any] = {}
    for name, template in templates.items():
        (folder / f"{name}.template.json").write_text(json.dumps(template))
        artifacts[name] = {"type": "aws:cloudformation:stack", "properties": {"templateFile": f"{name}.template.json"}}
    artifacts["crossover-prod-lambda"]["dependencies"] = ["crossover-prod-foundation"]
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    if asset is not None:
        (folder / "asset.1a2b.zip").write_bytes(asset)
    return folder


def at_hand(monkeypatch: pytest.MonkeyPatch, sha256: str | None) -> None:
    """What the sources make now; `None`: a bundle of them has not been built."""
    found = sha256 and Bundle(Path(), Path(), sha256, 1, 1, BundleTarget(), True, None, ())
    monkeypatch.setattr(module, "bundle_at_hand", lambda target, service: found)


def test_stacks_are_read_in_the_order_in_which_they_are_deployed(tmp_path: Path) -> None:
    found = read_assembly(synthesized(tmp_path))
    assert found.stacks_of("prod") == ["crossover-prod-foundation", "crossover-prod-lambda"]
    assert found.stacks_of("dev") == []
    assert found.digest == DIGEST


def test_an_assembly_with_the_bundle_of_the_sources_may_be_deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_hand(monkeypatch, DIGEST)
    assert bundle_problem(read_assembly(synthesized(tmp_path)), STAGE) is None


@pytest.mark.parametrize(
    ("made", "current", "said"),
    [
        ({}, "f" * 64, f"deploys bundle {DIGEST[:12]}…, the sources make ffffffffffff…"),
        ({}, None, "the sources have changed since a bundle was built of them"),
        ({"asset": None}, DIGEST, f"deploys bundle {DIGEST[:12]}… and does not hold it"),
        ({"asset": b"other bytes"}, DIGEST, f"deploys bundle {DIGEST[:12]}… and does not hold it"),
        ({"digest": None}, DIGEST, "names no bundle"),
    ],
)
def test_a_missing_or_stale_bundle_is_one_line_with_the_remedy(
    made: dict[str, Any], current: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_hand(monkeypatch, current)
    problem = bundle_problem(read_assembly(synthesized(tmp_path, **made)), STAGE)
    assert problem is not None
    assert said in problem
    assert problem.endswith(f"synthesize anew: `npx cdk synth --quiet --output {tmp_path} -c stage=prod`")
    assert "\n" not in problem


def test_a_folder_that_is_no_assembly_is_wrong_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no synthesized assembly"):
        read_assembly(tmp_path / "nothing")
