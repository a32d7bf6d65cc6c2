"""Rules that every template keeps, whatever resources it has: narrow permissions, encryption, no open door, no secret.

A new type of resource must be put into one of the tables below: that is where someone says what it stores and who may reach it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from infra.components.switcher_role import LOOKS
from infra.policies.templates import every_text, text_of
from tests.infra.stacks.conftest import Assembly, Resource, Synthesize

pytestmark = pytest.mark.slow  # starts Node

# Statements with a wildcard for all resources or all actions of a service, by their action, each with its reason.
WILDCARDS = {
    "cloudwatch:PutMetricData": "IAM limits it to no resource; a condition names the namespace",
    "ssm:UpdateInstanceInformation": "an instance says that it is there; AWS's own minimal policy has it so",
    "ssmmessages:*": "IAM limits it to no resource",
    **dict.fromkeys(LOOKS, "the switcher reads it, and IAM limits it to no resource"),
}


@pytest.fixture(scope="module")
def others(synthesize: Synthesize) -> Assembly:
    """A stage with the resources that neither of the other two has."""
    return synthesize(network__egress="nat_instance", cache__kind="nodes")


@pytest.fixture(params=["default", "secured", "others"])
def assembly(request: pytest.FixtureRequest) -> Assembly:
    found: Assembly = request.getfixturevalue(request.param)
    return found


def templates(assembly: Assembly) -> dict[str, dict[str, Any]]:
    return {path.name: json.loads(path.read_text()) for path in sorted(assembly.directory.glob("*.template.json"))}


def resources(assembly: Assembly) -> Iterator[tuple[str, Resource]]:
    for file, template in templates(assembly).items():
        for name, resource in template["Resources"].items():
            yield f"{file.removesuffix('.template.json')}/{name}", resource


def of_type(assembly: Assembly, *kinds: str) -> Iterator[tuple[str, Resource]]:
    for name, resource in resources(assembly):
        if resource["Type"] in kinds:
            yield name, resource.get("Properties", {})


def policy_statements(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every statement of every policy document, wherever in a resource it stands."""
    if isinstance(value, Mapping):
        if "Statement" in value and "Version" in value:
            stated = value["Statement"]
            yield from stated if isinstance(stated, list) else [stated]
        for each in value.values():
            yield from policy_statements(each)
    elif isinstance(value, list):
        for each in value:
            yield from policy_statements(each)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def as_principals(value: Any) -> list[Any]:
    return [each for found in value.values() for each in listed(found)] if isinstance(value, Mapping) else [value]


def wild(statement: Mapping[str, Any]) -> list[str]:
    """The statement's actions that are for a whole service, or on every resource."""
    if statement["Effect"] == "Deny" or "Resource" not in statement:  # a trust policy has none
        return []
    if "Principal" in statement:  # a resource's own policy: `*` is that resource, and the account's root its administrators
        root = re.fullmatch(r"arn:[^:]+:iam::[^:]+:root", "".join(map(text_of, as_principals(statement["Principal"]))))
        return [] if root else [action for action in listed(statement["Action"]) if action == "*" or action.endswith(":*")]
    everywhere = any(text_of(each) == "*" for each in listed(statement["Resource"]) if isinstance(each, str))
    return [action for action in listed(statement["Action"]) if everywhere or action == "*" or action.endswith(":*")]


def test_no_role_may_do_everything_or_on_everything_without_a_reason(assembly: Assembly) -> None:
    found = {
        f"{name}: {action}"
        for name, resource in resources(assembly)
        for statement in policy_statements(resource.get("Properties", {}))
        for action in wild(statement)
        if not any(action == known or re.fullmatch(known.replace("*", ".*"), action) for known in WILDCARDS)
    }
    assert found == set(), "name the resource, or give the reason in WILDCARDS"


def test_the_check_for_wildcards_finds_them() -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": "arn:aws:s3:::a"}]}
    (statement,) = policy_statements({"Policies": [{"PolicyDocument": document}]})
    assert wild(statement) == ["s3:*"]
    assert wild({"Effect": "Allow", "Action": "s3:GetObject", "Resource": ["arn:aws:s3:::a/b", "*"]}) == ["s3:GetObject"]
    assert wild({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"}) == []
    key = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}
    assert wild(key) == []
    assert wild({**key, "Principal": {"Service": "sns.amazonaws.com"}}) == ["kms:*"]
    assert wild({"Effect": "Deny", "Action": "s3:*", "Resource": "*"}) == []


def test_only_services_of_aws_are_trusted(assembly: Assembly) -> None:
    for name, properties in of_type(assembly, "AWS::IAM::Role"):
        for statement in policy_statements(properties["AssumeRolePolicyDocument"]):
            assert statement["Principal"].keys() == {"Service"}, name
            for service in listed(statement["Principal"]["Service"]):
                assert re.fullmatch(r"[a-z0-9-]+\.amazonaws\.com", text_of(service)), name


def test_nothing_is_open_to_everyone(assembly: Assembly) -> None:
    """Resource policies of buckets, topics, keys and secrets."""
    for name, resource in resources(assembly):
        for statement in policy_statements(resource.get("Properties", {})):
            if statement["Effect"] == "Allow" and "Principal" in statement:
                everyone = statement["Principal"] == "*" or "*" in statement["Principal"].values()
                assert not everyone or "Condition" in statement, name


def stored_in_s3(properties: Resource) -> bool:
    """Encrypted, closed to the public, and only over TLS (which its policy says, see below)."""
    blocks = properties.get("PublicAccessBlockConfiguration", {})
    every = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    return "BucketEncryption" in properties and all(blocks.get(each) is True for each in every)


def stored_on_volumes(properties: Resource) -> bool:
    """Each that is told; those of the image itself would be as the account has it."""
    disks = [mapping["Ebs"] for mapping in properties["LaunchTemplateData"].get("BlockDeviceMappings", []) if "Ebs" in mapping]
    return bool(disks) and all(disk["Encrypted"] is True for disk in disks)


def stored_in_nodes(properties: Resource) -> bool:
    return properties.get("AtRestEncryptionEnabled") is True and properties.get("TransitEncryptionEnabled") is True


def always(_: Resource) -> bool:
    return True


# Types that store something, and how each is seen to be encrypted.
STORES: dict[str, Callable[[Resource], bool]] = {
    "AWS::DynamoDB::Table": always,  # always, under a key of its own where none is named (DynamoDB Developer Guide)
    "AWS::EC2::Instance": lambda properties: "LaunchTemplate" in properties,  # and on its volumes, then
    "AWS::EC2::LaunchTemplate": stored_on_volumes,
    "AWS::ElastiCache::ReplicationGroup": stored_in_nodes,
    "AWS::ElastiCache::ServerlessCache": always,  # at rest and in transit, and cannot be turned off (ElastiCache User Guide)
    "AWS::KMS::Key": lambda properties: properties.get("EnableKeyRotation") is True,
    "AWS::Lambda::Function": always,  # code and variables under a key of AWS's (Lambda Developer Guide)
    "AWS::Lambda::Version": always,
    "AWS::Logs::LogGroup": always,  # always (CloudWatch Logs User Guide)
    "AWS::S3::Bucket": stored_in_s3,
    "AWS::SecretsManager::Secret": always,  # always, under a key of AWS's where none is named (Secrets Manager User Guide)
    "AWS::SNS::Topic": lambda properties: "KmsMasterKeyId" in properties,
    "AWS::SQS::Queue": lambda properties: properties.get("SqsManagedSseEnabled") is True or "KmsMasterKeyId" in properties,
    "AWS::SSM::Parameter": lambda properties: properties["Type"] == "String" and "weight" in str(properties.get("Name", "")),
}
# Namespaces and types that keep no data of the service or its callers.
STORES_NOTHING = (
    r"AWS::ApiGatewayV2::\w+",
    r"AWS::ApplicationAutoScaling::\w+",
    r"AWS::AutoScaling::\w+",
    r"AWS::Budgets::Budget",
    r"AWS::CDK::Metadata",
    r"AWS::CloudWatch::\w+",
    r"AWS::EC2::(?!Volume|Instance$)\w+",
    r"AWS::ElastiCache::(SubnetGroup|ParameterGroup|User|UserGroup)",
    r"AWS::ElasticLoadBalancingV2::\w+",
    r"AWS::Events::\w+",
    r"AWS::IAM::\w+",
    r"AWS::KMS::Alias",
    r"AWS::Lambda::(Alias|CapacityProvider|EventInvokeConfig|Permission|Url)",
    r"AWS::Logs::MetricFilter",
    r"AWS::Route53::RecordSet",
    r"AWS::S3::BucketPolicy",
    r"AWS::SNS::(Subscription|TopicPolicy)",
    r"AWS::SQS::QueuePolicy",
    r"AWS::Scheduler::\w+",  # the tick's input is two words, and Scheduler encrypts it (User Guide, "Data protection")
    r"AWS::WAFv2::\w+",
)


def test_all_that_is_stored_is_encrypted(assembly: Assembly) -> None:
    for name, resource in resources(assembly):
        kind = resource["Type"]
        if kind in STORES:
            assert STORES[kind](resource.get("Properties", {})), f"{name} ({kind}) is not encrypted"
        else:
            known = any(re.fullmatch(each, kind) for each in STORES_NOTHING)
            assert known, f"{kind}: say in this file how what it stores is encrypted"


def test_buckets_are_read_and_written_over_tls_only(assembly: Assembly) -> None:
    buckets = {name for name, _ in of_type(assembly, "AWS::S3::Bucket")}
    refusing = [
        json.dumps(properties["Bucket"])
        for _, properties in of_type(assembly, "AWS::S3::BucketPolicy")
        for statement in policy_statements(properties)
        if statement["Effect"] == "Deny"
        and statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport") == "false"
    ]
    for bucket in buckets:
        assert any(f'"{bucket.rpartition("/")[2]}"' in each for each in refusing), bucket


def test_instances_are_asked_for_tokens_that_reach_no_further_than_themselves(assembly: Assembly) -> None:
    found = list(of_type(assembly, "AWS::EC2::LaunchTemplate"))
    assert found
    for name, properties in found:
        options = properties["LaunchTemplateData"].get("MetadataOptions", {})
        assert (options.get("HttpTokens"), options.get("HttpPutResponseHopLimit")) == ("required", 1), name


def test_the_internet_reaches_the_load_balancers_ports_only(assembly: Assembly) -> None:
    rules = [
        (name, rule)
        for name, properties in of_type(assembly, "AWS::EC2::SecurityGroup")
        for rule in properties.get("SecurityGroupIngress", [])
    ]
    rules += list(of_type(assembly, "AWS::EC2::SecurityGroupIngress"))
    for name, rule in rules:
        if rule.get("CidrIp") == "0.0.0.0/0" or rule.get("CidrIpv6") == "::/0":
            assert rule["FromPort"] == rule["ToPort"], name
            assert rule["FromPort"] in (80, 443), name


SECRET_KEY = re.compile(r"(?i)(passw(or)?d|secret|token|api_?key|private_?key|credential)")
# Properties whose names look like a secret's and whose values are none.
NO_SECRETS = {
    "CROSSOVER_SECRET": "the name of the secret, which only the roles may read",
    "HttpTokens": "`required`: that instances ask for a token",
    "GenerateSecretString": "how Secrets Manager is to make one",
    "SecretStringTemplate": "what stands around it",
    "GenerateStringKey": "where it stands",
    "AuthTokenUpdateStrategy": "how a cache takes a new one",
    "SecretId": "a reference",
}
SECRET_VALUE = re.compile(
    r"AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s:@]+:[^/\s:@{]+@|xox[bp]-|gh[pousr]_[A-Za-z0-9]{20}"
)


def literal_secrets(value: Any, key: str = "") -> Iterator[str]:
    """Keys with a name like a secret's and a value that is written out."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            if name not in NO_SECRETS:
                yield from literal_secrets(each, name)
    elif isinstance(value, list):
        for each in value:
            yield from literal_secrets(each, key)
    elif isinstance(value, str) and SECRET_KEY.search(key) and "{{resolve:" not in value:
        yield key


def test_no_template_holds_a_secret(assembly: Assembly) -> None:
    for file, template in templates(assembly).items():
        body = {part: template.get(part, {}) for part in ("Resources", "Parameters", "Mappings", "Outputs")}
        properties = {name: each.get("Properties", {}) for name, each in body.pop("Resources").items()}
        assert list(literal_secrets(list(properties.values()))) == [], file
        assert [text for text in every_text([properties, body]) if SECRET_VALUE.search(text)] == [], file


def test_the_check_for_secrets_finds_them() -> None:
    assert list(literal_secrets({"Environment": {"Variables": {"RAPID_API_KEY": "x"}}})) == ["RAPID_API_KEY"]
    assert list(literal_secrets({"AuthToken": "{{resolve:secretsmanager:a:SecretString:b}}", "HttpTokens": "required"})) == []
    assert SECRET_VALUE.search("redis://user:hunter2@cache:6379")
    assert not SECRET_VALUE.search("https://suppliers.example.com:8900/a@b")


def test_a_secret_is_looked_up_only_where_describing_a_resource_does_not_show_it(assembly: Assembly) -> None:
    """CloudFormation puts the value in: a function's variables, user data and outputs would show it to whoever may look."""
    shown = ("AWS::Lambda::Function", "AWS::EC2::LaunchTemplate", "AWS::EC2::Instance", "AWS::SSM::Parameter")
    for name, properties in of_type(assembly, *shown):
        assert "{{resolve:secretsmanager" not in "".join(every_text(properties)), name
    for file, template in templates(assembly).items():
        assert "{{resolve:" not in "".join(every_text(template.get("Outputs", {}))), file
