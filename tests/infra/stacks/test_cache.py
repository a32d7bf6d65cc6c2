"""What the cache's template promises; ElastiCache itself is nowhere to be had here, the service is tested on real servers
(tests/app/cache/test_managed.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.infra.stacks.conftest import Assembly, Synthesize, unexplained_findings
from tests.infra.stacks.test_assembly import every_string

pytestmark = pytest.mark.slow  # starts Node

PINNED = {"CachePassword", "CacheUser", "CacheDefaultUser", "CacheUsers"}
PASSWORD = "{{resolve:secretsmanager:"


@pytest.fixture(scope="module")
def nodes(synthesize: Synthesize) -> Assembly:
    return synthesize(cache__kind="nodes", cache__node_type="cache.m7g.large", cache__replicas=2, secret="prod/suppliers")


@pytest.fixture(scope="module")
def serverless(synthesize: Synthesize) -> Assembly:
    return synthesize(cache__kind="serverless", cache__max_gb=7, network__availability_zones="a,b,c,d", stage="A_" + "long" * 6)


def user_data(assembly: Assembly) -> list[str]:
    return every_string(assembly.one("container", "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]["UserData"])


def test_without_a_cache_nothing_of_it_is_there(default: Assembly) -> None:
    for stack in ("foundation", "container"):
        kinds = {body["Type"] for body in default.template(stack)["Resources"].values()}
        assert not [kind for kind in kinds if "ElastiCache" in kind or "SecretsManager" in kind]
    assert "CROSSOVER_CACHE_URL" not in "".join(user_data(default))


def test_nodes_are_encrypted_replicated_and_follow_a_failover(nodes: Assembly) -> None:
    cache = nodes.one("container", "AWS::ElastiCache::ReplicationGroup")
    assert (cache["Engine"], cache["CacheNodeType"], cache["NumCacheClusters"]) == ("valkey", "cache.m7g.large", 3)
    for name in ("TransitEncryptionEnabled", "AtRestEncryptionEnabled", "AutomaticFailoverEnabled", "MultiAZEnabled"):
        assert cache[name] is True, name
    assert cache["TransitEncryptionMode"] == "required"
    assert cache["UserGroupIds"] == [{"Ref": "CacheUsers"}]
    assert "NumNodeGroups" not in cache, "one shard: the service's client knows nothing of clusters"
    assert nodes.one("container", "AWS::ElastiCache::SubnetGroup")["SubnetIds"]
    text = "".join(user_data(nodes))
    assert "CROSSOVER_CACHE_URL=rediss://crossover@CacheNodesPrimaryEndPoint.Address:6379\n" in text


def test_a_single_node_is_not_asked_to_fail_over(synthesize: Synthesize) -> None:
    cache = synthesize(cache__kind="nodes", cache__replicas=0).one("container", "AWS::ElastiCache::ReplicationGroup")
    assert (cache["NumCacheClusters"], cache["AutomaticFailoverEnabled"], cache["MultiAZEnabled"]) == (1, False, False)


def test_serverless_is_bounded_and_in_no_more_subnets_than_it_takes(serverless: Assembly) -> None:
    cache = serverless.one("container", "AWS::ElastiCache::ServerlessCache")
    assert (cache["Engine"], cache["MajorEngineVersion"], cache["UserGroupId"]) == ("valkey", "8", {"Ref": "CacheUsers"})
    assert cache["CacheUsageLimits"] == {"DataStorage": {"Maximum": 7, "Unit": "GB"}}
    assert len(cache["SubnetIds"]) == 3
    text = "".join(user_data(serverless))
    assert "CROSSOVER_CACHE_URL=rediss://crossover@CacheServerlessEndpoint.Address:CacheServerlessEndpoint.Port\n" in text


@pytest.mark.parametrize("kind", ["nodes", "serverless"])
def test_names_are_such_as_elasticache_takes(kind: str, request: pytest.FixtureRequest) -> None:
    assembly: Assembly = request.getfixturevalue(kind)
    users = assembly.all("container", "AWS::ElastiCache::User").values()
    names = [user["Properties"]["UserId"] for user in users]
    names.append(assembly.one("container", "AWS::ElastiCache::UserGroup")["UserGroupId"])
    for body in assembly.template("container")["Resources"].values():
        names += [body["Properties"]["ServerlessCacheName"]] if "ServerlessCacheName" in body["Properties"] else []
    for name in names:
        assert len(name) <= 40
        assert name.replace("-", "").isalnum()
        assert name == name.lower()


@pytest.mark.parametrize("kind", ["nodes", "serverless"])
def test_the_password_stands_in_no_template_and_no_user_data(kind: str, request: pytest.FixtureRequest) -> None:
    assembly: Assembly = request.getfixturevalue(kind)
    secret = assembly.one("container", "AWS::SecretsManager::Secret")
    assert secret["GenerateSecretString"] == {
        "SecretStringTemplate": "{}",
        "GenerateStringKey": "CROSSOVER_CACHE_PASSWORD",
        "PasswordLength": 64,
        "ExcludePunctuation": True,
    }
    for user in assembly.all("container", "AWS::ElastiCache::User").values():
        (password,) = user["Properties"]["Passwords"]
        assert every_string(password)[0] == ""
        assert every_string(password)[1:] == [PASSWORD, "CachePassword", ":SecretString:CROSSOVER_CACHE_PASSWORD::}}"]
    text = "".join(user_data(assembly))
    assert "resolve:secretsmanager" not in text
    before = "prod/suppliers," if kind == "nodes" else ""
    assert f"CROSSOVER_SECRET={before}CachePassword\n" in text, "the secret's ARN, which the unit of the boot reads"


def test_the_service_is_a_user_with_two_commands_and_default_is_off(nodes: Assembly) -> None:
    users = [body["Properties"] for body in nodes.all("container", "AWS::ElastiCache::User").values()]
    assert {user["UserName"]: user["AccessString"] for user in users} == {
        "crossover": "on ~crossover:* -@all +get +set",
        "default": "off -@all",
    }
    assert nodes.one("container", "AWS::ElastiCache::UserGroup")["UserIds"] == [
        {"Ref": "CacheUser"},
        {"Ref": "CacheDefaultUser"},
    ]


def test_only_instances_reach_it_and_on_its_port_alone(nodes: Assembly) -> None:
    resources = nodes.template("container")["Resources"]
    (group_id,) = [name for name, body in resources.items() if body["Type"] == "AWS::EC2::SecurityGroup"]
    group = resources[group_id]["Properties"]
    assert "SecurityGroupIngress" not in group
    assert [rule["CidrIp"] for rule in group["SecurityGroupEgress"]] == ["255.255.255.255/32"], "nothing leaves"
    cache = nodes.one("container", "AWS::ElastiCache::ReplicationGroup")
    assert cache["SecurityGroupIds"] == [{"Fn::GetAtt": [group_id, "GroupId"]}]
    instances = nodes.one("container", "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]["SecurityGroupIds"]
    ingress = nodes.one("container", "AWS::EC2::SecurityGroupIngress")
    egress = nodes.one("container", "AWS::EC2::SecurityGroupEgress")
    for rule in (ingress, egress):
        assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 6379, 6379)
    assert [ingress["SourceSecurityGroupId"]] == [egress["GroupId"]] == instances
    assert ingress["GroupId"] == egress["DestinationSecurityGroupId"] == {"Fn::GetAtt": [group_id, "GroupId"]}


def test_instances_may_read_the_caches_secret_and_functions_may_not(nodes: Assembly) -> None:
    def readable(stack: str) -> list[Any]:
        return [
            statement["Resource"]
            for body in nodes.template(stack)["Resources"].values()
            if body["Type"] == "AWS::IAM::Role"
            for policy in body["Properties"]["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
            if statement["Action"] == "secretsmanager:GetSecretValue"
        ]

    assert {"Ref": "CachePassword"} in readable("container")
    assert len(readable("container")) == 2
    assert len(readable("lambda")) == 1
    assert "CROSSOVER_CACHE_URL" not in json.dumps(nodes.template("lambda"))


@pytest.mark.parametrize(("kind", "stateful"), [("nodes", {"CacheNodes", "CacheSubnets"}), ("serverless", {"CacheServerless"})])
def test_what_lasts_has_a_pinned_name_and_goes_with_its_stack(
    kind: str, stateful: set[str], request: pytest.FixtureRequest
) -> None:
    resources = request.getfixturevalue(kind).template("container")["Resources"]
    pinned = {name for name in resources if name.startswith("Cache") and name in PINNED | stateful}
    assert pinned == PINNED | stateful
    for name in pinned:
        assert (resources[name]["DeletionPolicy"], resources[name]["UpdateReplacePolicy"]) == ("Delete", "Delete")


def test_each_finding_has_its_reason(synthesize: Synthesize, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.components.cache.acknowledge", lambda *_: None)
    with pytest.raises(RuntimeError, match="AwsSolutions-AEC4") as refused:
        synthesize(cache__kind="nodes", cache__replicas=0)
    report = json.loads(Path(str(refused.value).rpartition(": ")[2]).read_text())
    (nag,) = [plugin for plugin in report["pluginReports"] if plugin["pluginName"] == "AwsSolutions"]
    assert sorted(violation["ruleName"] for violation in nag["violations"]) == [
        "AwsSolutions-AEC4",
        "AwsSolutions-AEC6",
        "AwsSolutions-SMG4",
    ]


@pytest.mark.parametrize("kind", ["nodes", "serverless"])
def test_cfn_lint_finds_nothing_unexplained(kind: str, request: pytest.FixtureRequest) -> None:
    assembly: Assembly = request.getfixturevalue(kind)
    assert unexplained_findings(assembly, stack="container") == []
