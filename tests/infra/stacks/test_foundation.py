"""The network is open where it must be and nowhere else, and the weights start at the stage's."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest

from infra.components.traffic_weights import WEIGHTS_PATTERN
from infra.overrides import override
from infra.switching.weights import PATTERN
from tests.infra.stacks.conftest import Assembly, Synthesize, unexplained_findings

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


def test_no_nat_gateway_and_free_endpoints_for_s3_and_dynamodb(default: Assembly) -> None:
    assert "AWS::EC2::NatGateway" not in kinds(default)
    endpoints = [body["Properties"] for body in default.all("foundation", "AWS::EC2::VPCEndpoint").values()]
    assert {endpoint["VpcEndpointType"] for endpoint in endpoints} == {"Gateway"}
    assert {endpoint["ServiceName"]["Fn::Join"][1][-1] for endpoint in endpoints} == {".s3", ".dynamodb"}


def test_subnets_stand_in_the_named_zones(secured: Assembly) -> None:
    subnets = [body["Properties"] for body in secured.all("foundation", "AWS::EC2::Subnet").values()]
    assert [subnet["AvailabilityZone"] for subnet in subnets] == ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    assert all(subnet["MapPublicIpOnLaunch"] for subnet in subnets)


def test_weights_start_at_the_stages(default: Assembly) -> None:
    parameter = default.one("foundation", "AWS::SSM::Parameter")
    assert (parameter["Name"], parameter["Value"]) == ("/crossover/dev/traffic-weights", "0:100")


def test_weights_that_are_not_two_numbers_are_refused_by_the_parameter(default: Assembly) -> None:
    pattern = default.one("foundation", "AWS::SSM::Parameter")["AllowedPattern"]
    assert pattern == WEIGHTS_PATTERN == PATTERN
    assert re.match(pattern, "0:100")
    assert not any(re.match(pattern, wrong) for wrong in ("0:1000", "-1:100", "50", "50:50:0", "a:b", ""))


@pytest.fixture(scope="module")
def egresses(synthesize: Synthesize) -> dict[str, Assembly]:
    return {name: synthesize(network__egress=name) for name in ("nat_gateway", "nat_instance", "ipv6")}


def subnets(assembly: Assembly, kind: str) -> dict[str, dict[str, Any]]:
    found = assembly.all("foundation", "AWS::EC2::Subnet")
    return {
        name: body["Properties"]
        for name, body in found.items()
        if {"Key": "aws-cdk:subnet-name", "Value": kind} in body["Properties"]["Tags"]
    }


def default_routes(assembly: Assembly, kind: str) -> list[dict[str, Any]]:
    """The routes to everywhere of the subnets of one kind, by what they name beside the route table."""
    routes = [body["Properties"] for body in assembly.all("foundation", "AWS::EC2::Route").values()]
    mine = [route for route in routes if f"{kind}Subnet" in route["RouteTableId"]["Ref"]]
    return [{key: value for key, value in route.items() if key != "RouteTableId"} for route in mine]


def kinds(assembly: Assembly) -> list[str]:
    return [body["Type"] for body in assembly.template("foundation")["Resources"].values()]


@pytest.mark.parametrize("egress", ["nat_gateway", "nat_instance", "ipv6"])
def test_instances_stand_in_subnets_without_public_ipv4(egress: str, egresses: dict[str, Assembly]) -> None:
    assembly = egresses[egress]
    private = subnets(assembly, "private")
    assert len(private) == 2
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in assembly_subnets(assembly))
    group = assembly.one("container", "AWS::AutoScaling::AutoScalingGroup")
    assert all(any(name in json.dumps(given) for name in private) for given in group["VPCZoneIdentifier"])
    balancer = assembly.one("traffic", "AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert all(any(name in json.dumps(given) for name in subnets(assembly, "public")) for given in balancer["Subnets"])


def assembly_subnets(assembly: Assembly) -> list[dict[str, Any]]:
    return [body["Properties"] for body in assembly.all("foundation", "AWS::EC2::Subnet").values()]


def test_each_zone_has_its_own_nat_gateway(egresses: dict[str, Assembly]) -> None:
    routes = default_routes(egresses["nat_gateway"], "private")
    assert [route["DestinationCidrBlock"] for route in routes] == ["0.0.0.0/0", "0.0.0.0/0"]
    assert len({route["NatGatewayId"]["Ref"] for route in routes}) == 2
    assert kinds(egresses["nat_gateway"]).count("AWS::EC2::NatGateway") == 2


def test_each_zone_has_its_own_nat_instance_which_forwards_for_the_instances_only(egresses: dict[str, Assembly]) -> None:
    assembly = egresses["nat_instance"]
    routes = default_routes(assembly, "private")
    assert len({route["InstanceId"]["Ref"] for route in routes}) == 2
    for body in assembly.all("foundation", "AWS::EC2::Instance").values():
        assert body["Properties"]["SourceDestCheck"] is False
        (interface,) = body["Properties"]["NetworkInterfaces"]
        assert interface["AssociatePublicIpAddress"] is True
        assert any(name in interface["SubnetId"]["Ref"] for name in subnets(assembly, "public"))
    into = [body["Properties"] for body in assembly.all("foundation", "AWS::EC2::SecurityGroupIngress").values()]
    (nat,) = [rule for rule in into if "NatGroup" in rule["GroupId"]["Fn::GetAtt"][0]]
    assert "InstanceGroup" in nat["SourceSecurityGroupId"]["Fn::GetAtt"][0]
    assert (nat["FromPort"], nat["ToPort"]) == (443, 443)
    assert "AWS::IAM::Role" not in kinds(assembly)


def test_nat_instances_boot_the_newest_image_closed_and_encrypted(egresses: dict[str, Assembly]) -> None:
    data = egresses["nat_instance"].one("foundation", "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    assert data["ImageId"] == "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
    assert data["InstanceType"] == "t4g.small"
    assert data["MetadataOptions"] == {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}
    assert data["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is True
    program = data["UserData"]["Fn::Base64"]
    assert "net.ipv4.ip_forward=1" in program
    assert "--jump MASQUERADE" in program
    assert subprocess.run(["bash", "-n"], input=program, capture_output=True, text=True, check=False).stderr == ""


def test_nat_instances_take_the_image_of_their_own_architecture(synthesize: Synthesize) -> None:
    assembly = synthesize(network__egress="nat_instance", network__nat_instance_type="t3a.small")
    data = assembly.one("foundation", "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    assert data["ImageId"].endswith("x86_64")


def test_ipv6_goes_out_of_private_subnets_and_nothing_comes_in(egresses: dict[str, Assembly]) -> None:
    assembly = egresses["ipv6"]
    assert all(subnet["AssignIpv6AddressOnCreation"] for subnet in subnets(assembly, "private").values())
    routes = default_routes(assembly, "private")
    assert [set(route) for route in routes] == [{"DestinationIpv6CidrBlock", "EgressOnlyInternetGatewayId"}] * 2
    (instances,) = [
        body["Properties"]
        for name, body in assembly.all("foundation", "AWS::EC2::SecurityGroup").items()
        if "InstanceGroup" in name
    ]
    out = [(rule.get("CidrIp") or rule["CidrIpv6"], rule["FromPort"]) for rule in instances["SecurityGroupEgress"]]
    assert out == [("0.0.0.0/0", 443), ("::/0", 443)]
    assert "SecurityGroupIngress" not in instances
    assert "AWS::EC2::NatGateway" not in kinds(assembly)


def test_ipv6_instances_are_told_of_dual_stack_endpoints(egresses: dict[str, Assembly], default: Assembly) -> None:
    told = "\\nexport AWS_USE_DUALSTACK_ENDPOINT=true\\n"
    user_data = {
        name: json.dumps(assembly.one("container", "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]["UserData"])
        for name, assembly in {**egresses, "public": default}.items()
    }
    assert [name for name, text in user_data.items() if told in text] == ["ipv6"]
    assert "AWS_ENDPOINT_URL_SECRETS_MANAGER=https://secretsmanager.us-east-1.api.aws" in user_data["ipv6"]


def test_cfn_lint_finds_nothing_unexplained_in_any_network(egresses: dict[str, Assembly]) -> None:
    assert unexplained_findings(*egresses.values(), stack="foundation") == []


def test_a_stage_without_instances_pays_for_no_way_out(default: Assembly) -> None:
    from aws_cdk import App, Stack
    from aws_cdk.assertions import Template

    from infra.components.network import Network

    stack = Stack(App(), "alone")
    network = Network(stack, "Network", stage=override({"lanes": "lambda", "network.egress": "nat_gateway"}))
    template = Template.from_stack(stack)
    for kind in ("AWS::EC2::NatGateway", "AWS::EC2::EIP", "AWS::EC2::SecurityGroupEgress"):
        template.resource_count_is(kind, 0)
    template.resource_count_is("AWS::EC2::SecurityGroup", 1)
    template.resource_count_is("AWS::EC2::Subnet", 2)
    assert network.egress == "public"


def test_the_switchs_table_outlives_its_stack_and_can_be_brought_back(default: Assembly) -> None:
    (body,) = default.all("foundation", "AWS::DynamoDB::Table").values()
    assert list(default.all("foundation", "AWS::DynamoDB::Table")) == ["SwitchTable"]
    assert (body["DeletionPolicy"], body["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    table = body["Properties"]
    assert "TableName" not in table  # a retained table must not be in the way of the next one
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]] == [("pk", "HASH"), ("sk", "RANGE")]
    assert default.template("foundation")["Outputs"]["SwitchTableName"]["Value"] == {"Ref": "SwitchTable"}
