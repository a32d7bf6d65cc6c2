"""The network is open where it must be and nowhere else, and the weights start at the stage's."""

from __future__ import annotations

import re
from typing import Any

import pytest

from infra.components.traffic_weights import WEIGHTS_PATTERN
from tests.infra.stacks.conftest import Assembly

pytestmark = pytest.mark.slow  # starts Node


def rules(group: dict[str, Any], direction: str) -> list[tuple[str, int, int]]:
    return [(rule["CidrIp"], rule["FromPort"], rule["ToPort"]) for rule in group.get(f"SecurityGroup{direction}", [])]


def groups(assembly: Assembly) -> tuple[dict[str, Any], dict[str, Any]]:
    found = assembly.all("foundation", "AWS::EC2::SecurityGroup")
    (balancer,) = [body for name, body in found.items() if "LoadBalancerGroup" in name]
    (instances,) = [body for name, body in found.items() if "InstanceGroup" in name]
    return balancer["Properties"], instances["Properties"]


def test_callers_reach_the_load_balancer_only(default: Assembly) -> None:
    balancer, instances = groups(default)
    assert rules(balancer, "Ingress") == [("0.0.0.0/0", 80, 80)]
    assert rules(instances, "Ingress") == []


def test_only_the_load_balancer_reaches_the_instances_on_the_service_port(default: Assembly) -> None:
    into = default.one("foundation", "AWS::EC2::SecurityGroupIngress")
    assert "LoadBalancerGroup" in into["SourceSecurityGroupId"]["Fn::GetAtt"][0]
    assert "InstanceGroup" in into["GroupId"]["Fn::GetAtt"][0]
    assert (into["FromPort"], into["ToPort"]) == (8000, 8000)


def test_the_load_balancer_reaches_the_instances_only(secured: Assembly) -> None:
    balancer, _ = groups(secured)
    assert rules(balancer, "Egress") == []
    out = secured.one("foundation", "AWS::EC2::SecurityGroupEgress")
    assert "InstanceGroup" in out["DestinationSecurityGroupId"]["Fn::GetAtt"][0]
    assert (out["FromPort"], out["ToPort"]) == (9000, 9000)


def test_instances_reach_https_and_the_suppliers_port(default: Assembly, secured: Assembly) -> None:
    assert rules(groups(default)[1], "Egress") == [("0.0.0.0/0", 443, 443)]
    assert rules(groups(secured)[1], "Egress") == [("0.0.0.0/0", 443, 443), ("0.0.0.0/0", 8900, 8900)]


def test_https_opens_its_port_too(secured: Assembly) -> None:
    assert rules(groups(secured)[0], "Ingress") == [("0.0.0.0/0", 80, 80), ("0.0.0.0/0", 443, 443)]


def test_no_nat_gateway_and_an_s3_endpoint(default: Assembly) -> None:
    kinds = {body["Type"] for body in default.template("foundation")["Resources"].values()}
    assert "AWS::EC2::NatGateway" not in kinds
    endpoint = default.one("foundation", "AWS::EC2::VPCEndpoint")
    assert endpoint["VpcEndpointType"] == "Gateway"
    assert endpoint["ServiceName"]["Fn::Join"][1][-1] == ".s3"


def test_subnets_stand_in_the_named_zones(secured: Assembly) -> None:
    subnets = [body["Properties"] for body in secured.all("foundation", "AWS::EC2::Subnet").values()]
    assert [subnet["AvailabilityZone"] for subnet in subnets] == ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    assert all(subnet["MapPublicIpOnLaunch"] for subnet in subnets)


def test_weights_start_at_the_stages(default: Assembly) -> None:
    parameter = default.one("foundation", "AWS::SSM::Parameter")
    assert (parameter["Name"], parameter["Value"]) == ("/crossover/dev/traffic-weights", "0:100")


def test_weights_that_are_not_two_numbers_are_refused_by_the_parameter(default: Assembly) -> None:
    pattern = default.one("foundation", "AWS::SSM::Parameter")["AllowedPattern"]
    assert pattern == WEIGHTS_PATTERN
    assert re.match(pattern, "0:100")
    assert not any(re.match(pattern, wrong) for wrong in ("0:1000", "-1:100", "50", "50:50:0", "a:b", ""))
