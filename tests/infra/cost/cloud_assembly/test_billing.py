"""Lines and the resources behind them, for what a Lambda lane may have besides; and the table of what is free."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from infra.config import DEFAULT_STAGE
from infra.cost.cloud_assembly.free import FREE, FREE_WHEN, free_because
from infra.cost.cloud_assembly.pricing import price_assembly
from infra.cost.cloud_assembly.reading import Resource, read_assembly
from infra.cost.compare import Comparison
from infra.cost.lane import CostOptions
from infra.cost.prices.book import PriceBook
from infra.cost.traffic.profile import flat_rate
from tests.infra.cost.conftest import profile_with

LANE = [{"Key": "crossover:lane", "Value": "lambda"}]
MANAGED = {"LambdaManagedInstancesCapacityProviderConfig": {"PerExecutionEnvironmentMaxConcurrency": 8}}


def priced(folder: Path, book: PriceBook, function: dict[str, Any], **besides: dict[str, Any]) -> Comparison:
    """A Lambda lane alone, of this function and what stands besides by logical id (`Type`, and properties)."""
    body = {"Architectures": ["arm64"], "MemorySize": 2048, "Runtime": "python3.13", "Tags": LANE, **function}
    resources = {"F": {"Type": "AWS::Lambda::Function", "Properties": body}}
    for name, properties in besides.items():
        resources[name] = {"Type": properties.pop("Type"), "Properties": properties}
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://unknown-account/us-east-1",
        "properties": {"templateFile": "a.template.json"},
    }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {"a": stack}}))
    (folder / "a.template.json").write_text(json.dumps({"Resources": resources}))
    options = CostOptions(report_date=date(2026, 11, 24))
    return price_assembly(
        read_assembly(folder), profile_with(), flat_rate(50), book, DEFAULT_STAGE, options=options, say_drift=False
    )


def behind(comparison: Comparison) -> dict[str, tuple[str, ...]]:
    return {line.name: line.resources for line in comparison.lambda_lane.lines}


def test_provisioned_concurrency_is_the_aliass(tmp_path: Path, book: PriceBook) -> None:
    kept = {"Type": "AWS::Lambda::Alias", "ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 5}}
    comparison = priced(tmp_path, book, {}, A=kept, V={"Type": "AWS::Lambda::Version"})
    assert comparison.stage.lambda_lane.provisioned_concurrency == 5
    assert behind(comparison)["Lambda provisioned concurrency"] == ("a/A",)
    assert comparison.unpriced == ()
    assert [each for each in comparison.stated if each[0] == "Other lane"], "the container lane is a what-if"


def test_snap_start_is_the_versions(tmp_path: Path, book: PriceBook) -> None:
    comparison = priced(tmp_path, book, {"SnapStart": {"ApplyOn": "PublishedVersions"}}, V={"Type": "AWS::Lambda::Version"})
    assert behind(comparison)["Lambda SnapStart cache"] == ("a/V",)
    assert comparison.unpriced == ()


def test_managed_instances_are_the_capacity_providers(tmp_path: Path, book: PriceBook) -> None:
    function = {"CapacityProviderConfig": MANAGED, "Environment": {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/x"}}}
    version = {"Type": "AWS::Lambda::Version", "FunctionScalingConfig": {"MaxExecutionEnvironments": 30}}
    comparison = priced(tmp_path, book, function, V=version, P={"Type": "AWS::Lambda::CapacityProvider"})
    assert behind(comparison)["Lambda management of instances"] == ("a/P", "a/V")
    assert comparison.unpriced == ()


def test_an_http_api_is_billed_by_its_requests(tmp_path: Path, book: PriceBook) -> None:
    comparison = priced(tmp_path, book, {}, H={"Type": "AWS::ApiGatewayV2::Api"}, S={"Type": "AWS::ApiGatewayV2::Stage"})
    assert behind(comparison)["HTTP API requests"] == ("a/H",)
    assert "Load balancer hours" not in behind(comparison)
    assert comparison.unpriced == ()


def test_a_disk_beyond_what_is_included_is_the_functions(tmp_path: Path, book: PriceBook) -> None:
    comparison = priced(tmp_path, book, {"EphemeralStorage": {"Size": 2048}})
    assert behind(comparison)["Lambda ephemeral storage"] == ("a/F",)
    assert comparison.unpriced == ()


@pytest.mark.parametrize(
    ("kind", "properties", "free"),
    [
        ("AWS::SSM::Parameter", {}, True),
        ("AWS::SSM::Parameter", {"Tier": "Advanced"}, False),
        ("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Gateway"}, True),
        ("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Interface"}, False),
        ("AWS::Route53::RecordSet", {"AliasTarget": {}}, True),
        ("AWS::Route53::RecordSet", {"ResourceRecords": ["203.0.113.7"]}, False),
        ("AWS::EC2::LaunchTemplate", {"LaunchTemplateData": {"Monitoring": {"Enabled": True}}}, False),
        ("AWS::Lambda::Version", {}, True),
        ("AWS::Lambda::Version", {"ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 5}}, False),
        ("AWS::KMS::Key", {}, False),
        ("AWS::Nobody::Knows", {}, False),
    ],
)
def test_what_is_free_depends_on_properties_too(kind: str, properties: dict[str, Any], free: bool) -> None:
    resource = Resource(stack="a", logical_id="R", type=kind, properties=properties, file=Path("a.template.json"))
    assert (free_because(resource) is not None) == free


def test_every_claim_that_something_is_free_has_a_source() -> None:
    claims = {**FREE, **{kind: reason for kind, (_, reason) in FREE_WHEN.items()}}
    without = [kind for kind, reason in claims.items() if not re.search(r"aws\.amazon\.com/", reason)]
    assert without == ["AWS::CDK::Metadata"], "which is no resource of AWS"
