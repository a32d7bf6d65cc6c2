"""The real CDK CLI deploys the real bundle into moto, as a user would: bootstrap, deploy, deploy again.

What moto does not do is named in `SKIPPED` and asserted on the templates instead (test_foundation, test_container_lane,
test_container_scaling, test_watch).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.bundle import Bundle, BundleTarget, ensure_bundle
from infra.overrides import override
from infra.policies.execution import execution_statements
from infra.policies.people import deployer_statements
from infra.policies.templates import read_synthesized
from tests.conftest import ROOT, absent, free_port, require_program
from tests.infra.policies.iam import allowed

pytestmark = pytest.mark.slow

ACCOUNT, REGION = "123456789012", "us-east-1"
# Resource types that moto's CloudFormation leaves out, of CDK's own bootstrap stack and of ours.
SKIPPED = {
    "AWS::S3::BucketPolicy",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::AutoScaling::ScalingPolicy",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::SNS::TopicPolicy",
}
SETTINGS = (
    "-c",
    "stages=tests/infra/stacks/stages.toml",
    "-c",
    "stage=trial",
    "-c",
    "traffic.lambda_weight=30",
    "-c",
    "traffic.container_weight=70",
)


@dataclass(frozen=True)
class Cloud:
    """moto on a free loopback port; its log tells what it could not do."""

    url: str
    log: Path
    assembly: Path
    bootstrapped: int = 0
    """Length of the log when bootstrapping was done."""

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return {
            **kept,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "CI": "true",
            "NO_COLOR": "1",
        }

    def cdk(self, *arguments: str) -> str:
        done = subprocess.run(
            ["npx", "cdk", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        assert done.returncode == 0, f"cdk {' '.join(arguments)}\n{done.stdout}\n{done.stderr}\n{self.log.read_text()}"
        return done.stdout + done.stderr

    def synthesize(self, *settings: str) -> None:
        self.cdk("synth", "--quiet", "--output", str(self.assembly), *SETTINGS, *settings)

    def deploy(self, *how: str) -> str:
        """What was synthesized last."""
        always = ("--all", "--method=direct", "--require-approval=never")
        return self.cdk("deploy", "--app", str(self.assembly), *always, *how)

    def client(self, service: str) -> Any:
        return boto3.client(
            service, endpoint_url=self.url, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x"
        )

    def calls(self) -> set[tuple[str, str]]:
        """What the person who deploys has called since bootstrapping, each with the role that it names or `-`."""
        log = self.log.read_text()[self.bootstrapped :]
        return set(re.findall(r"called (\S+) with test on \[?'?([^\s'\]]+)", log))

    def split(self) -> tuple[str, dict[str, int]]:
        """The split rule's ARN and its weights by kind of target."""
        balancing = self.client("elbv2")
        kinds = {g["TargetGroupArn"]: g["TargetType"] for g in balancing.describe_target_groups()["TargetGroups"]}
        (balancer,) = balancing.describe_load_balancers()["LoadBalancers"]
        listeners = balancing.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        arns = [listener["ListenerArn"] for listener in listeners]
        rules = [rule for arn in arns for rule in balancing.describe_rules(ListenerArn=arn)["Rules"]]
        (rule,) = [rule for rule in rules if rule["Priority"] == "100"]
        groups = rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
        return rule["RuleArn"], {kinds[group["TargetGroupArn"]]: group["Weight"] for group in groups}


def await_port(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"moto did not start:\n{log.read_text()}")


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return ensure_bundle(BundleTarget("3.13", "arm64"))


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory, bundle: Bundle) -> Iterator[Cloud]:
    """A cloud with one stage deployed from the checkout."""
    require_program("node")
    require_program("npx")
    if not (ROOT / "node_modules" / ".bin" / "cdk").exists():
        absent("the CDK CLI is not installed (npm ci)")
    folder = tmp_path_factory.mktemp("moto")
    port, log = free_port(), folder / "moto.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.infra.stacks.moto_cloud", str(port)], cwd=ROOT, stdout=output, stderr=output
        )
    try:
        await_port(server, port, log)
        cloud = Cloud(f"http://localhost:{port}", log, folder / "cdk.out")
        cloud.synthesize()
        cloud.cdk("bootstrap", "--app", str(cloud.assembly), f"aws://{ACCOUNT}/{REGION}")
        cloud = replace(cloud, bootstrapped=len(log.read_text()))
        cloud.deploy()
        yield cloud
    finally:
        server.terminate()
        server.wait(timeout=10)


def test_requests_are_split_by_the_stages_weights(cloud: Cloud) -> None:
    assert cloud.split()[1] == {"lambda": 30, "instance": 70}


def test_function_is_the_bundle_and_live_points_at_its_version(cloud: Cloud, bundle: Bundle) -> None:
    functions = cloud.client("lambda")
    (function,) = functions.list_functions()["Functions"]
    assert function["Handler"] == "lambda_handler.handler.handler"
    assert function["Runtime"] == "python3.13"
    assert function["Environment"]["Variables"]["CROSSOVER_BUNDLE_SHA256"] == bundle.sha256
    assert functions.get_alias(FunctionName=function["FunctionName"], Name="live")["FunctionVersion"] == "1"
    live = functions.get_function(FunctionName=function["FunctionName"], Qualifier="1")["Configuration"]
    assert live["CodeSize"] == bundle.zip_bytes


def test_asset_in_s3_is_the_bundle_byte_for_byte(cloud: Cloud, bundle: Bundle) -> None:
    storage = cloud.client("s3")
    bucket = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
    keys = [found["Key"] for found in storage.list_objects_v2(Bucket=bucket)["Contents"] if found["Key"].endswith(".zip")]
    (key,) = keys  # one asset for both lanes
    body = storage.get_object(Bucket=bucket, Key=key)["Body"].read()
    assert hashlib.sha256(body).hexdigest() == bundle.sha256


def test_group_mixes_instance_types_on_demand_and_spot(cloud: Cloud) -> None:
    (group,) = cloud.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    policy = group["MixedInstancesPolicy"]
    assert policy["InstancesDistribution"]["OnDemandBaseCapacity"] == 2
    assert policy["InstancesDistribution"]["SpotAllocationStrategy"] == "price-capacity-optimized"
    assert len(policy["LaunchTemplate"]["Overrides"]) == 6
    assert (group["MinSize"], group["MaxSize"], group["HealthCheckType"]) == (2, 100, "EBS,ELB")


def test_instances_boot_with_the_bundle_that_was_uploaded(cloud: Cloud, bundle: Bundle) -> None:
    compute = cloud.client("ec2")
    (template,) = compute.describe_launch_templates()["LaunchTemplates"]
    (version,) = compute.describe_launch_template_versions(LaunchTemplateId=template["LaunchTemplateId"], Versions=["$Latest"])[
        "LaunchTemplateVersions"
    ]
    user_data = base64.b64decode(version["LaunchTemplateData"]["UserData"]).decode()
    (uri,) = re.findall(r"^BUNDLE_URI=(\S+)$", user_data, re.MULTILINE)
    bucket, _, key = uri.strip("'").removeprefix("s3://").partition("/")
    assert cloud.client("s3").head_object(Bucket=bucket, Key=key)["ContentLength"] == bundle.zip_bytes
    assert f"\nSHA256={bundle.sha256}\n" in user_data
    assert "\nSTACK='crossover-trial-container'\n" in user_data
    syntax = subprocess.run(["bash", "-n"], input=user_data, capture_output=True, text=True, check=False)
    assert syntax.stderr == ""


def test_a_lane_is_named_with_the_token_that_the_secret_holds(cloud: Cloud) -> None:
    (secret,) = cloud.client("secretsmanager").list_secrets()["SecretList"]
    token = cloud.client("secretsmanager").get_secret_value(SecretId=secret["ARN"])["SecretString"]
    assert re.fullmatch(r"[A-Za-z0-9]{48}", token)
    balancing = cloud.client("elbv2")
    (balancer,) = balancing.describe_load_balancers()["LoadBalancers"]
    (listener,) = balancing.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    rules = balancing.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    named = [
        {condition["HttpHeaderConfig"]["HttpHeaderName"]: condition["HttpHeaderConfig"]["Values"] for condition in found}
        for found in (rule["Conditions"] for rule in rules)
        if found and found[0]["Field"] == "http-header"
    ]
    assert sorted(named, key=str) == [
        {"x-crossover-lane": ["container"], "x-crossover-token": [token]},
        {"x-crossover-lane": ["lambda"], "x-crossover-token": [token]},
    ]


def test_dashboard_reads_the_deployed_function_group_and_load_balancer(cloud: Cloud) -> None:
    watch = cloud.client("cloudwatch")
    (name,) = [each["DashboardName"] for each in watch.list_dashboards()["DashboardEntries"]]
    assert name == f"crossover-trial-{REGION}"
    widgets = json.loads(watch.get_dashboard(DashboardName=name)["DashboardBody"])["widgets"]
    series = [s for w in widgets for s in w["properties"].get("metrics", []) if isinstance(s[0], str)]
    read = {(key, value) for s in series for key, value in zip(s[2:-1:2], s[3:-1:2], strict=True)}
    balancing = cloud.client("elbv2")
    (balancer,) = balancing.describe_load_balancers()["LoadBalancers"]
    groups = [each["TargetGroupArn"] for each in balancing.describe_target_groups()["TargetGroups"]]
    (function,) = cloud.client("lambda").list_functions()["Functions"]
    (fleet,) = cloud.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert read == {
        ("LoadBalancer", balancer["LoadBalancerArn"].partition(":loadbalancer/")[2]),
        *(("TargetGroup", arn.rpartition(":")[2]) for arn in groups),
        ("FunctionName", function["FunctionName"]),
        ("AutoScalingGroupName", fleet["AutoScalingGroupName"]),
    }


def test_alarms_topic_is_encrypted_with_a_key_of_the_account(cloud: Cloud) -> None:
    topics = cloud.client("sns")
    (arn,) = [topic["TopicArn"] for topic in topics.list_topics()["Topics"]]
    assert arn.endswith(":crossover-trial-alarms")
    keys = [each["KeyArn"] for each in cloud.client("kms").list_keys()["Keys"]]
    assert topics.get_topic_attributes(TopicArn=arn)["Attributes"]["KmsMasterKeyId"] in keys


def test_deploying_again_changes_nothing(cloud: Cloud) -> None:
    before = cloud.split()
    said = cloud.deploy()
    assert said.count("(no changes)") == 5
    assert cloud.split() == before


def test_a_deployment_that_changes_the_rule_keeps_the_weights_that_a_switch_wrote(cloud: Cloud) -> None:
    """What aws/aws-cdk issue 36649 is about: weights that stand in a template come back with every change of the rule."""
    certificate = cloud.client("acm").request_certificate(DomainName="search.example.com")["CertificateArn"]
    cloud.client("ssm").put_parameter(Name="/crossover/trial/traffic-weights", Value="55:45", Overwrite=True)
    cloud.synthesize("-c", f"traffic.certificate_arn={certificate}")  # another listener, so the rule changes
    # moto fails to look up the previous value of a parameter that was left at its default.
    cloud.deploy("--no-previous-parameters")
    assert cloud.split()[1] == {"lambda": 55, "instance": 45}


def test_the_person_who_deploys_needs_what_the_deployers_policy_grants_and_nothing_else(cloud: Cloud) -> None:
    stage = override({"stage": "trial", "account": ACCOUNT})
    (granted,) = deployer_statements(read_synthesized(cloud.assembly, stage))
    calls = cloud.calls() - {("sts:GetCallerIdentity", "-")}  # which needs no permission (STS API reference)
    assert {action for action, _ in calls} == {"sts:AssumeRole"}
    assumed = {role for _, role in calls}
    assert all(allowed([granted], "sts:AssumeRole", role) for role in assumed)
    unused = set(granted.resources) - assumed
    assert unused == {f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-lookup-role-{ACCOUNT}-{REGION}"}, "for `cdk diff`"


def test_cloudformations_policy_covers_the_names_that_deployed_resources_have(cloud: Cloud) -> None:
    stage = override({"stage": "trial", "account": ACCOUNT})
    granted = execution_statements(stage, read_synthesized(cloud.assembly, stage))
    stacks = cloud.client("cloudformation")
    made = {
        (resource["ResourceType"], resource["PhysicalResourceId"])
        for stack in stacks.list_stacks(StackStatusFilter=["CREATE_COMPLETE", "UPDATE_COMPLETE"])["StackSummaries"]
        if stack["StackName"].startswith("crossover-")
        for resource in stacks.list_stack_resources(StackName=stack["StackName"])["StackResourceSummaries"]
    }
    here = f"{REGION}:{ACCOUNT}"
    checked = {
        "AWS::Lambda::Function": ("lambda:DeleteFunction", f"arn:aws:lambda:{here}:function:{{}}"),
        "AWS::Lambda::Alias": ("lambda:UpdateAlias", "{}"),
        "AWS::Logs::LogGroup": ("logs:DeleteLogGroup", f"arn:aws:logs:{here}:log-group:{{}}"),
        "AWS::IAM::Role": ("iam:DeleteRole", f"arn:aws:iam::{ACCOUNT}:role/{{}}"),
        "AWS::IAM::InstanceProfile": ("iam:DeleteInstanceProfile", f"arn:aws:iam::{ACCOUNT}:instance-profile/{{}}"),
        "AWS::SSM::Parameter": ("ssm:DeleteParameter", f"arn:aws:ssm:{here}:parameter{{}}"),
        "AWS::AutoScaling::AutoScalingGroup": (
            "autoscaling:UpdateAutoScalingGroup",
            f"arn:aws:autoscaling:{here}:autoScalingGroup:u-u-i-d:autoScalingGroupName/{{}}",
        ),
        "AWS::EC2::LaunchTemplate": ("ec2:DeleteLaunchTemplate", f"arn:aws:ec2:{here}:launch-template/{{}}"),
        "AWS::ElasticLoadBalancingV2::TargetGroup": ("elasticloadbalancing:DeleteTargetGroup", "{}"),
        "AWS::ElasticLoadBalancingV2::ListenerRule": ("elasticloadbalancing:ModifyRule", "{}"),
        "AWS::ElasticLoadBalancingV2::LoadBalancer": ("elasticloadbalancing:DeleteLoadBalancer", "{}"),
    }
    assert checked.keys() <= {kind for kind, _ in made}
    for kind, name in made:
        if kind in checked:
            action, arn = checked[kind]
            assert allowed(granted, action, arn.format(name)), f"{action} on {name}"


def test_moto_took_every_request_and_skipped_only_what_the_templates_answer_for(cloud: Cloud) -> None:
    log = re.sub(r"\x1b\[[0-9;]*m", "", cloud.log.read_text())
    assert "Traceback" not in log
    assert re.findall(r'"\S+ \S+ HTTP/1\.1" 5\d\d', log) == []
    assert set(re.findall(r"No Moto CloudFormation support for (\S+)", log)) == SKIPPED
