"""The load balancer closes idle connections first, splits by the deployed weights and takes nothing it does not know."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.serving import worker
from infra.config import KEEP_ALIVE_S
from infra.cost.surroundings import WAF_RULES
from infra.overrides import override
from tests.infra.stacks.conftest import Assembly
from tests.infra.stacks.test_assembly import every_string

pytestmark = pytest.mark.slow  # starts Node


def attributes(assembly: Assembly) -> dict[str, Any]:
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


def headers(rule: dict[str, Any]) -> dict[str, Any]:
    """The one value that each header must have for the rule to be taken."""
    configs = [condition["HttpHeaderConfig"] for condition in rule["Conditions"]]
    return {config["HttpHeaderName"]: value for config in configs for value in config["Values"]}


def test_header_and_token_name_a_lane_before_the_split_is_asked(default: Assembly) -> None:
    named = {headers(rule)["x-crossover-lane"]: rule for rule in rules(default)[:-1]}
    assert sorted(named) == ["container", "lambda"]
    for lane, rule in named.items():
        assert sorted(headers(rule)) == ["x-crossover-lane", "x-crossover-token"]
        (group,) = rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
        assert every_string(group["TargetGroupArn"])[0].startswith(f"crossover-dev-{lane}:")
    assert len({rule["Priority"] for rule in rules(default)}) == 3


def test_token_is_resolved_from_the_secret_and_stands_nowhere(default: Assembly) -> None:
    ((name, secret),) = default.all("traffic", "AWS::SecretsManager::Secret").items()
    reference = {"Fn::Join": ["", ["{{resolve:secretsmanager:", {"Ref": name}, ":SecretString:::}}"]]}
    assert [headers(rule)["x-crossover-token"] for rule in rules(default)[:-1]] == [reference, reference]
    assert "SecretString" not in secret["Properties"]
    assert default.template("traffic")["Outputs"]["LaneTokenSecret"]["Value"] == {"Ref": name}


def test_generated_token_fits_a_condition_and_holds_no_wildcard(default: Assembly) -> None:
    generated = default.one("traffic", "AWS::SecretsManager::Secret")["GenerateSecretString"]
    assert 32 <= generated["PasswordLength"] <= 128
    assert generated["ExcludePunctuation"] is True  # * and ? among them
    assert generated["IncludeSpace"] is False


def test_no_rule_is_sticky(default: Assembly) -> None:
    for rule in rules(default):
        assert rule["Actions"][0]["ForwardConfig"]["TargetGroupStickinessConfig"] == {"Enabled": False}


def test_access_logs_go_to_a_closed_bucket_for_as_long_as_the_stage_says(default: Assembly) -> None:
    ((name, bucket),) = default.all("traffic", "AWS::S3::Bucket").items()
    assert attributes(default)["access_logs.s3.enabled"] == "true"
    assert attributes(default)["access_logs.s3.bucket"] == {"Ref": name}
    properties = bucket["Properties"]
    (encryption,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"  # the only one that ELB can write with
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    (lifecycle,) = properties["LifecycleConfiguration"]["Rules"]
    assert (lifecycle["ExpirationInDays"], lifecycle["Status"]) == (30, "Enabled")
    assert bucket["DeletionPolicy"] == "Retain"


def test_only_this_accounts_load_balancers_may_write_access_logs_and_only_over_tls(default: Assembly) -> None:
    ((name, policy),) = default.all("traffic", "AWS::S3::BucketPolicy").items()
    refused, allowed = policy["Properties"]["PolicyDocument"]["Statement"]
    assert (refused["Effect"], refused["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert allowed["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
    assert allowed["Action"] == "s3:PutObject"
    assert allowed["Resource"]["Fn::Join"][1][1:] == ["/AWSLogs/", {"Ref": "AWS::AccountId"}, "/*"]
    assert allowed["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    (balancer,) = default.all("traffic", "AWS::ElasticLoadBalancingV2::LoadBalancer").values()
    assert name in balancer["DependsOn"]  # the load balancer writes a test file when it is made


def test_access_logs_can_be_left_out(secured: Assembly) -> None:
    assert "access_logs.s3.enabled" not in attributes(secured)
    assert "AWS::S3::Bucket" not in {body["Type"] for body in secured.template("traffic")["Resources"].values()}


def test_load_balancer_can_be_kept_from_deletion(default: Assembly, secured: Assembly) -> None:
    found = [attributes(assembly)["deletion_protection.enabled"] for assembly in (default, secured)]
    assert found == ["false", "true"]


def test_domain_is_an_alias_of_the_load_balancer(secured: Assembly) -> None:
    ((balancer, _),) = secured.all("traffic", "AWS::ElasticLoadBalancingV2::LoadBalancer").items()
    record = secured.one("traffic", "AWS::Route53::RecordSet")
    assert (record["Name"], record["Type"], record["HostedZoneId"]) == ("search.example.com", "A", "Z0123456789ABC")
    assert record["AliasTarget"]["DNSName"] == {"Fn::GetAtt": [balancer, "DNSName"]}
    assert record["AliasTarget"]["HostedZoneId"] == {"Fn::GetAtt": [balancer, "CanonicalHostedZoneID"]}
    assert secured.template("traffic")["Outputs"]["Url"]["Value"] == "https://search.example.com"


def test_waf_limits_callers_and_asks_awss_rules(secured: Assembly, default: Assembly) -> None:
    acl = secured.one("traffic", "AWS::WAFv2::WebACL")
    assert (acl["Scope"], acl["DefaultAction"]) == ("REGIONAL", {"Allow": {}})
    assert len(acl["Rules"]) == WAF_RULES, "the cost report prices each"
    limit, *managed = sorted(acl["Rules"], key=lambda rule: rule["Priority"])
    assert limit["Action"] == {"Block": {}}
    assert limit["Statement"]["RateBasedStatement"] == {"AggregateKeyType": "IP", "EvaluationWindowSec": 300, "Limit": 10_000}
    groups = [rule["Statement"]["ManagedRuleGroupStatement"] for rule in managed]
    assert [group["Name"] for group in groups] == ["AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"]
    assert groups[0]["RuleActionOverrides"] == [{"ActionToUse": {"Count": {}}, "Name": "SizeRestrictions_BODY"}]
    ((balancer, _),) = secured.all("traffic", "AWS::ElasticLoadBalancingV2::LoadBalancer").items()
    assert secured.one("traffic", "AWS::WAFv2::WebACLAssociation")["ResourceArn"] == {"Ref": balancer}
    assert "AWS::WAFv2::WebACL" not in {body["Type"] for body in default.template("traffic")["Resources"].values()}


def test_waf_logs_what_it_blocked_without_the_token(secured: Assembly) -> None:
    logging = secured.one("traffic", "AWS::WAFv2::LoggingConfiguration")
    assert logging["LoggingFilter"]["DefaultBehavior"] == "DROP"
    (kept,) = logging["LoggingFilter"]["Filters"]
    assert kept["Conditions"] == [{"ActionCondition": {"Action": "BLOCK"}}]
    assert logging["RedactedFields"] == [{"SingleHeader": {"Name": "x-crossover-token"}}]
    group = secured.one("traffic", "AWS::Logs::LogGroup")
    assert group == {**group, "LogGroupName": "aws-waf-logs-crossover-prod-eu", "RetentionInDays": 30}


def test_header_can_be_left_out(secured: Assembly) -> None:
    assert len(rules(secured)) == 1


def test_certificate_makes_https_and_redirects_plain_http(secured: Assembly) -> None:
    listeners = secured.all("traffic", "AWS::ElasticLoadBalancingV2::Listener")
    by_port = {body["Properties"]["Port"]: (name, body["Properties"]) for name, body in listeners.items()}
    assert sorted(by_port) == [80, 443]
    assert by_port[80][1]["DefaultActions"][0]["RedirectConfig"]["Protocol"] == "HTTPS"
    name, https = by_port[443]
    assert https["Certificates"] == [{"CertificateArn": secured.stage.traffic.certificate_arn}]
    assert https["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
    assert rules(secured)[0]["ListenerArn"] == {"Ref": name}


def test_a_stage_of_one_lane_sends_it_everything_and_has_no_token(default: Assembly) -> None:
    from aws_cdk import App, Stack
    from aws_cdk.assertions import Template

    from infra.components.network import Network
    from infra.components.traffic import LoadBalancing

    stack = Stack(App(), "alone")
    stage = override({"lanes": "lambda"})
    network = Network(stack, "Network", stage=stage)
    LoadBalancing(stack, "Traffic", stage=stage, network=network, target_groups={"lambda": "arn:aws:group"})
    template = Template.from_stack(stack)
    template.resource_count_is("AWS::SecretsManager::Secret", 0)
    assert list(template.to_json().get("Parameters", {})) == ["BootstrapVersion"]
    (rule,) = template.find_resources("AWS::ElasticLoadBalancingV2::ListenerRule").values()
    assert rule["Properties"]["Actions"][0]["ForwardConfig"]["TargetGroups"] == [
        {"TargetGroupArn": "arn:aws:group", "Weight": 1}
    ]
