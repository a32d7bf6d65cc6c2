"""Synthesized stacks, made once a session from a tiny zip: no bundle, credentials, network or Docker."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.config import Stage
from infra.overrides import override
from tests.conftest import ROOT, require_program

Resource = dict[str, Any]


@dataclass(frozen=True)
class Assembly:
    """The templates of one stage by the end of their stack's name (`foundation`, `lambda`, `container`, `traffic`)."""

    stage: Stage
    directory: Path
    sha256: str

    def template(self, stack: str) -> dict[str, Any]:
        path = self.directory / f"{self.stage.resource_prefix}-{stack}.template.json"
        template: dict[str, Any] = json.loads(path.read_text())
        return template

    def all(self, stack: str, kind: str) -> dict[str, Resource]:
        found = {name: body for name, body in self.template(stack)["Resources"].items() if body["Type"] == kind}
        assert found, f"no {kind} in {stack}"
        return found

    def one(self, stack: str, kind: str) -> Resource:
        (resource,) = self.all(stack, kind).values()
        properties: Resource = resource["Properties"]
        return properties


Synthesize = Callable[..., Assembly]

# cfn-lint's findings that stand, each with its reason; anything else fails.
LINT_ACCEPTED = {
    "W3010": "zones are named on purpose: looking them up at synthesis would need credentials",
    "W3005": "CDK adds the function's dependency on its role, which the role's ARN implies",
}


def unexplained_findings(*assemblies: Assembly, stack: str = "*") -> list[str]:
    """What cfn-lint finds in templates of stages in one region, the accepted left out. In this process: the program takes five
    seconds to start, and its rules are read once here."""
    from cfnlint.api import lint_by_config
    from cfnlint.config import ManualArgs

    templates = [str(path) for each in assemblies for path in sorted(each.directory.glob(f"*-{stack}.template.json"))]
    assert templates, f"no template of {stack}"
    found = lint_by_config(ManualArgs(templates=templates, regions=[assemblies[0].stage.region]))
    return [str(match) for match in found if match.rule.id not in LINT_ACCEPTED]


@pytest.fixture(scope="session")
def tiny_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundle") / "bundle.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("lambda_handler/handler.py"), "def handler(event, context): ...\n")
    return path


@pytest.fixture(scope="session")
def synthesize(tiny_zip: Path, tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    """`synthesize(**settings)`: write the stacks of a stage with those settings. Starts Node once for the session."""
    require_program("node")
    os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
    from aws_cdk import App

    from infra.components.release import Release
    from infra.stacks.assembly import assemble

    context = json.loads((ROOT / "cdk.json").read_text())["context"]

    def run(**settings: object) -> Assembly:
        directory = tmp_path_factory.mktemp("cdk.out")
        stage = override({key.replace("__", "."): value for key, value in settings.items()})
        sha256 = hashlib.sha256(tiny_zip.read_bytes()).hexdigest()
        release = Release(
            zip_path=tiny_zip,
            sha256=sha256,
            git_revision="4f2a9c1",
            suppliers_url=stage.suppliers_url,
            secret=stage.secret,
            switcher=tiny_zip.parent if stage.switch.scheduled else None,
        )
        app = App(outdir=str(directory), context=context)
        assemble(app, stage, release)
        app.synth()
        return Assembly(stage, directory, sha256)

    return run


@pytest.fixture(scope="session")
def default(synthesize: Synthesize) -> Assembly:
    return synthesize()


@pytest.fixture(scope="session")
def secured(synthesize: Synthesize) -> Assembly:
    """A stage that sets what the default leaves out: HTTPS, a name, WAF, x86, reserved concurrency, three zones, own ports,
    a secret."""
    return synthesize(
        stage="prod_eu",
        region="eu-west-1",
        arch="x86_64",
        python="3.12",
        suppliers_url="http://suppliers.internal.example.com:8900",
        lambda_lane__reserved_concurrency=40,
        container_lane__port=9000,
        container_lane__min_instances=1,
        container_lane__max_instances=1,
        container_lane__on_demand_base=0,
        container_lane__spot_percent=100,
        network__availability_zones="a,b,c",
        traffic__certificate_arn="arn:aws:acm:eu-west-1:123456789012:certificate/3f6e2c1a",
        traffic__lane_header="none",
        traffic__access_log_days="none",
        traffic__waf="true",
        traffic__waf_log_days="30",
        switch__scheduled="true",
        switch__notify="slack:secret:prod/slack",
        traffic__domain="search.example.com",
        traffic__hosted_zone_id="Z0123456789ABC",
        traffic__deletion_protection="true",
        secret="prod/suppliers",
    )
