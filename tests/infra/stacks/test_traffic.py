"""The load balancer closes idle connections first, splits by the deployed weights and takes nothing it does not know."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.serving import worker
from infra.config import KEEP_ALIVE_S
from tests.infra.stacks.conftest import Assembly
from tests.infra.stacks.test_assembly import every_string

pytestmark = pytest.mark.slow  # starts Node


def attributes(assembly: Assembly) -> dict[str, str]:
    found = assembly.one("traffic", "AWS::ElasticLoadBalancingV2::LoadBalancer")["LoadBalancerAttributes"]
    return {attribute["Key"]: attribute["Value"] for attribute in found}


def rules(assembly: Assembly) -> list[dict[str, Any]]:
    found = assembly.all("traffic", "AWS::ElasticLoadBalancingV2::ListenerRule").values()
    return sorted((rule["Properties"] for rule in found), key=lambda rule: rule["Priority"])


def test_idle_connections_end_at_the_load_balancer_before_they_do_at_the_service(default: Assembly) -> None:
    assert int(attributes(default)["idle_timeout.timeout_seconds"]) == 60 < worker.KEEP_ALIVE_S == KEEP_ALIVE_S


def test_load_balancer_is_public_and_drops_malformed_headers(default: Assembly) -> None:
    balancer = default.one("traffic", "AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert balancer["Scheme"] == "internet-facing"
    assert len(balancer["Subnets"]) == 2
    assert attributes(default)["routing.http.drop_invalid_header_fields.enabled"] == "true"


def test_listener_answers_404_to_what_no_rule_takes(default: Assembly) -> None:
    listener = default.one("traffic", "AWS::ElasticLoadBalancingV2::Listener")
    assert (listener["Port"], listener["Protocol"]) == (80, "HTTP")
    (action,) = listener["DefaultActions"]
    assert (action["Type"], action["FixedResponseConfig"]["StatusCode"]) == ("fixed-response", "404")


def test_split_reads_both_weights_from_the_one_parameter_at_deployment(default: Assembly) -> None:
    ((parameter, declared),) = default.template("traffic")["Parameters"].items()
    assert declared["Type"] == "AWS::SSM::Parameter::Value<String>"
    assert declared["Default"] == default.one("foundation", "AWS::SSM::Parameter")["Name"]
    split = rules(default)[-1]
    assert split["Conditions"] == [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}]
    (action,) = split["Actions"]
    lambda_group, container_group = action["ForwardConfig"]["TargetGroups"]
    assert every_string(lambda_group["TargetGroupArn"])[0].startswith("crossover-dev-lambda:")
    assert every_string(container_group["TargetGroupArn"])[0].startswith("crossover-dev-container:")
    assert lambda_group["Weight"] == {"Fn::Select": [0, {"Fn::Split": [":", {"Ref": parameter}]}]}
    assert container_group["Weight"] == {"Fn::Select": [1, {"Fn::Split": [":", {"Ref": parameter}]}]}


def test_traffic_is_deployed_after_the_parameter_it_reads(default: Assembly) -> None:
    manifest = json.loads((default.directory / "manifest.json").read_text())
    assert "crossover-dev-foundation" in manifest["artifacts"]["crossover-dev-traffic"]["dependencies"]


def test_header_names_a_lane_before_the_split_is_asked(default: Assembly) -> None:
    named = {rule["Conditions"][0]["HttpHeaderConfig"]["Values"][0]: rule for rule in rules(default)[:-1]}
    assert sorted(named) == ["container", "lambda"]
    for lane, rule in named.items():
        assert rule["Conditions"][0]["HttpHeaderConfig"]["HttpHeaderName"] == "x-crossover-lane"
        (group,) = rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
        assert every_string(group["TargetGroupArn"])[0].startswith(f"crossover-dev-{lane}:")
    assert len({rule["Priority"] for rule in rules(default)}) == 3


def test_header_can_be_left_out(secured: Assembly) -> None:
    assert len(rules(secured)) == 1


def test_certificate_makes_https_and_redirects_plain_http(secured: Assembly) -> None:
    listeners = secured.all("traffic", "AWS::ElasticLoadBalancingV2::Listener")
    by_port = {body["Properties"]["Port"]: (name, body["Properties"]) for name, body in listeners.items()}
    assert sorted(by_port) == [80, 443]
    assert by_port[80][1]["DefaultActions"][0]["RedirectConfig"]["Protocol"] == "HTTPS"
    name, https = by_port[443]
    assert https["Certificates"] == [{"CertificateArn": secured.stage.traffic.certificate_arn}]
    assert "TLS13" in https["SslPolicy"]
    assert rules(secured)[0]["ListenerArn"] == {"Ref": name}
