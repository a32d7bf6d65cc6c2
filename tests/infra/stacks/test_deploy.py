"""The real CDK CLI takes one stage of the real bundle through its life in a local AWS: refused before the bootstrap, failed
half-way, gone on with, deployed again, switched and changed, one lane taken out, destroyed.

The tests stand in that order and each goes on from the one before. What moto does not do is named in `SKIPPED` and asserted on
the templates instead (test_foundation, test_container_lane,
test_container_scaling, test_watch).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.bundle import Bundle, BundleTarget, ensure_bundle
from infra.components.watch.catalogue import alarms
from infra.lab.aws.local_aws import ACCOUNT, LocalAws
from infra.overrides import override
from infra.own_service import load_service
from infra.policies.execution import execution_statements
from infra.policies.people import deployer_statements
from infra.policies.templates import read_synthesized
from tests.conftest import ROOT, absent, require_program
from tests.infra.policies.iam import allowed

pytestmark = pytest.mark.slow

REGION = "us-east-1"
# Resource types that moto's CloudFormation leaves out, of CDK's own bootstrap stack and of ours.
SKIPPED = {
    "AWS::S3::BucketPolicy",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::SNS::TopicPolicy",
}
STAGES = "tests/infra/stacks/stages.toml"
SETTINGS = ("-c", f"stages={STAGES}", "-c", "stage=trial")
DIRECT = ("--method=direct", "--require-approval=never")
OTHER_CODE = "tests/infra/own_service/quotes"
FAULT = "AWS::ElasticLoadBalancingV2::ListenerRule"


@dataclass(frozen=True)
class Cloud:
    """The local AWS with the stage, and what was said on the way there."""

    aws: LocalAws
    assembly: Path
    unready: subprocess.CompletedProcess[str]
    half_way: subprocess.CompletedProcess[str]
    calls: frozenset[tuple[str, str]]
    """What the person who deploys called after bootstrapping, each with the role that it names or `-`."""

    def client(self, service: str) -> Any:
        return self.aws.client(service)

    def cdk(self, *arguments: str) -> str:
        return run_cdk(self.aws, *arguments)

    def deploy(self, *what: str) -> str:
        return self.cdk("deploy", "--all", *DIRECT, *what)

    def crossover(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return crossover(self.aws, *arguments)

    def stacks(self) -> dict[str, str]:
        found = self.client("cloudformation").describe_stacks()["Stacks"]
        return {stack["StackName"]: stack["StackStatus"] for stack in found if stack["StackName"].startswith("crossover")}

    def rule(self) -> dict[str, Any]:
        balancing = self.client("elbv2")
        (balancer,) = balancing.describe_load_balancers()["LoadBalancers"]
        listeners = balancing.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        arns = [listener["ListenerArn"] for listener in listeners]
        rules = [rule for arn in arns for rule in balancing.describe_rules(ListenerArn=arn)["Rules"]]
        (rule,) = [rule for rule in rules if rule["Priority"] == "100"]
        return dict(rule)

    def split(self) -> tuple[str, dict[str, int]]:
        """The split rule's ARN and its weights by kind of target."""
        kinds = {g["TargetGroupArn"]: g["TargetType"] for g in self.client("elbv2").describe_target_groups()["TargetGroups"]}
        rule = self.rule()
        groups = rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
        return rule["RuleArn"], {kinds[group["TargetGroupArn"]]: group["Weight"] for group in groups}

    def live_digest(self) -> tuple[str, str]:
        """The version that `live` points at, and the bundle that it reports."""
        functions = self.client("lambda")
        (function,) = functions.list_functions()["Functions"]
        version = functions.get_alias(FunctionName=function["FunctionName"], Name="live")["FunctionVersion"]
        live = functions.get_function(FunctionName=function["FunctionName"], Qualifier=version)["Configuration"]
        return version, live["Environment"]["Variables"]["CROSSOVER_BUNDLE_SHA256"]


def run_cdk(aws: LocalAws, *arguments: str) -> str:
    done = aws.cdk(*arguments, output=subprocess.PIPE, timeout_s=150)
    assert done.returncode == 0, f"cdk {' '.join(arguments)}\n{done.stdout}\n{aws.log.read_text()}"
    return done.stdout


def crossover(aws: LocalAws, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, env=aws.environment, capture_output=True, text=True, timeout=150, check=False)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """And the other code's, deployed later: the CDK CLI runs in an environment that may not reach the package index."""
    target = BundleTarget("3.13", "arm64")
    ensure_bundle(target, service=load_service(ROOT / OTHER_CODE))
    return ensure_bundle(target)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory, bundle: Bundle) -> Iterator[Cloud]:
    """A cloud with one stage deployed from the checkout, at the second attempt."""
    require_program("node")
    if not (ROOT / "node_modules" / ".bin" / "cdk").exists():
        absent("the CDK CLI is not installed (npm ci)")
    folder = tmp_path_factory.mktemp("moto")
    assembly = folder / "cdk.out"
    with LocalAws(REGION, log=folder / "moto.log", faults=[FAULT]) as aws:
        run_cdk(aws, "synth", "--quiet", "--output", str(assembly), *SETTINGS)
        deploy = ("deploy", "--stage", "trial", "--stages", STAGES, "--app", str(assembly))
        unready = crossover(aws, *deploy)
        run_cdk(aws, "bootstrap", "--app", str(assembly), f"aws://{ACCOUNT}/{REGION}")
        bootstrapped = len(aws.log.read_text())
        half_way = crossover(aws, *deploy, "--", *DIRECT)
        run_cdk(aws, "deploy", "--app", str(assembly), "--all", *DIRECT)
        calls = re.findall(rf"called (\S+) with {aws.credentials[0]} on \[?'?([^\s'\]]+)", aws.log.read_text()[bootstrapped:])
        yield Cloud(aws, assembly, unready, half_way, frozenset(calls))


def test_an_account_that_is_not_bootstrapped_is_refused_before_anything_is_changed(cloud: Cloud) -> None:
    assert cloud.unready.returncode == 1
    assert cloud.unready.stderr == (
        f"no  bootstrap of {REGION}: account {ACCOUNT} is not bootstrapped for the CDK in {REGION}: "
        f"run `npx cdk bootstrap aws://{ACCOUNT}/{REGION}` once\n"
        "crossover: stage trial cannot be deployed: 1 of the checks above say why; nothing was changed\n"
    )


def test_a_deployment_that_failed_half_way_says_what_is_left_and_how_to_go_on(cloud: Cloud) -> None:
    assert cloud.half_way.returncode == 3
    screen = cloud.half_way.stderr[cloud.half_way.stderr.index("\ncrossover: stage trial was not deployed") :]
    assert screen.splitlines()[3:8] == [
        "  crossover-trial-foundation  CREATE_COMPLETE           complete",
        "  crossover-trial-lambda      CREATE_COMPLETE           complete",
        "  crossover-trial-container   CREATE_COMPLETE           complete",
        "  crossover-trial-traffic     ROLLBACK_COMPLETE         "
        "taken back: nothing of it is left, and the next deployment makes it anew",
        f"      TrafficSplitBEED8585 ({FAULT}): The local AWS was told to fail one {FAULT}",
    ]
    assert "To go on, put right what is named above, then: crossover deploy --stage trial\n" in screen
    assert f"To give up:                                    npx cdk destroy --all --app {cloud.assembly}\n" in screen
    assert screen.endswith("crossover: stage trial: failed, and what failed was taken back\n")
    assert len(screen.splitlines()) < 24  # one screen


def test_the_next_deployment_goes_on_where_the_failed_one_stopped(cloud: Cloud) -> None:
    stacks = ("foundation", "lambda", "container", "traffic", "watch")
    assert cloud.stacks() == {f"crossover-trial-{stack}": "CREATE_COMPLETE" for stack in stacks}
    shown = cloud.crossover("deploy", "--stage", "trial", "--stages", STAGES, "--status")
    assert shown.returncode == 0, shown.stderr
    assert [line.split()[:2] for line in shown.stdout.splitlines()] == [
        [f"crossover-trial-{stack}", "CREATE_COMPLETE"] for stack in stacks
    ]


def test_requests_are_split_by_the_stages_weights(cloud: Cloud) -> None:
    assert cloud.split()[1] == {"lambda": 0, "instance": 100}


def test_function_is_the_bundle_and_live_points_at_its_version(cloud: Cloud, bundle: Bundle) -> None:
    functions = cloud.client("lambda")
    (function,) = functions.list_functions()["Functions"]
    assert function["Handler"] == "lambda_handler.handler.handler"
    assert function["Runtime"] == "python3.13"
    assert cloud.live_digest() == ("1", bundle.sha256)
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


def test_every_alarm_of_the_catalogue_is_there_and_reads_what_is_deployed(cloud: Cloud) -> None:
    stage = override({"stage": "trial"})
    pages = cloud.client("cloudwatch").get_paginator("describe_alarms")
    found = list(pages.paginate(AlarmTypes=["MetricAlarm", "CompositeAlarm"], AlarmNamePrefix="crossover-trial-"))
    made = {alarm["AlarmName"]: alarm for page in found for alarm in page["MetricAlarms"]}
    keys = {alarm.key for alarm in alarms(stage)} | {"container-boot-failures"}  # which ends an instance refresh
    assert made.keys() == {f"crossover-trial-{key}" for key in keys}
    lanes = {alarm["AlarmName"]: alarm["StateValue"] for page in found for alarm in page["CompositeAlarms"]}
    assert lanes.keys() == {"crossover-trial-lambda", "crossover-trial-container"}
    (group,) = cloud.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    lag = made["crossover-trial-container-loop-lag"]
    assert lag["Dimensions"] == [{"Name": "AutoScalingGroupName", "Value": group["AutoScalingGroupName"]}]
    (topic,) = lag["AlarmActions"]
    assert topic.endswith(":crossover-trial-alarms")


def test_the_group_s_scaling_policies_track_its_measures(cloud: Cloud) -> None:
    (group,) = cloud.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    policies = cloud.client("autoscaling").describe_policies(AutoScalingGroupName=group["AutoScalingGroupName"])
    tracked = [policy["TargetTrackingConfiguration"] for policy in policies["ScalingPolicies"]]
    lane = override({"stage": "trial"}).container_lane
    targets = sorted(each["TargetValue"] for each in tracked)
    assert targets == sorted([round(100 * lane.target_utilization), round(100 * lane.target_loop_busy, 1)])


def test_alarms_topic_is_encrypted_with_a_key_of_the_account(cloud: Cloud) -> None:
    topics = cloud.client("sns")
    (arn,) = [topic["TopicArn"] for topic in topics.list_topics()["Topics"]]
    assert arn.endswith(":crossover-trial-alarms")
    keys = [each["KeyArn"] for each in cloud.client("kms").list_keys()["Keys"]]
    assert topics.get_topic_attributes(TopicArn=arn)["Attributes"]["KmsMasterKeyId"] in keys


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
        "AWS::CloudWatch::Alarm": ("cloudwatch:DeleteAlarms", f"arn:aws:cloudwatch:{here}:alarm:{{}}"),
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


def test_the_person_who_deploys_needs_what_the_deployers_policy_grants_and_nothing_else(cloud: Cloud) -> None:
    stage = override({"stage": "trial", "account": ACCOUNT})
    assume, *looks = deployer_statements(read_synthesized(cloud.assembly, stage), stage)
    calls = cloud.calls - {("sts:GetCallerIdentity", "-")}  # which needs no permission (STS API reference)
    assert {action for action, _ in calls} == {"sts:AssumeRole"} | {action for look in looks for action in look.actions}
    assumed = {role for action, role in calls if action == "sts:AssumeRole"}
    assert all(allowed([assume], "sts:AssumeRole", role) for role in assumed)
    assert set(assume.resources) == assumed, "what is granted is used"


def test_a_diff_of_the_unchanged_checkout_is_empty(cloud: Cloud) -> None:
    said = cloud.cdk(
        "diff", "--fail", "--method=template", *SETTINGS, "--output", str(cloud.assembly.with_name("again.out"))
    )  # --fail: exit 1 on any difference
    assert "Number of stacks with differences: 0" in said


def test_deploying_again_changes_nothing(cloud: Cloud) -> None:
    before = cloud.split()
    said = cloud.deploy("--app", str(cloud.assembly))
    assert said.count("(no changes)") == 5
    assert cloud.split() == before


def test_a_deployment_that_changes_the_rule_and_the_code_keeps_the_weights_that_a_switch_wrote(
    cloud: Cloud, bundle: Bundle
) -> None:
    cloud.client("ssm").put_parameter(Name="/crossover/trial/traffic-weights", Value="30:70", Overwrite=True)
    rule = cloud.rule()
    groups = rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
    kinds = {g["TargetGroupArn"]: g["TargetType"] for g in cloud.client("elbv2").describe_target_groups()["TargetGroups"]}
    shifted = [{**group, "Weight": 30 if kinds[group["TargetGroupArn"]] == "lambda" else 70} for group in groups]
    cloud.client("elbv2").modify_rule(
        RuleArn=rule["RuleArn"], Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": shifted}}]
    )
    certificate = cloud.client("acm").request_certificate(DomainName="search.example.com")["CertificateArn"]
    other_code = ("-c", f"service={OTHER_CODE}")
    changed = ("-c", f"traffic.certificate_arn={certificate}", *other_code)  # another listener, another rule
    cloud.deploy(*SETTINGS, *changed, "--output", str(cloud.assembly.with_name("changed.out")))
    arn, weights = cloud.split()
    assert weights == {"lambda": 30, "instance": 70}
    assert arn != rule["RuleArn"]
    version, digest = cloud.live_digest()
    assert version == "2"
    assert digest != bundle.sha256


def test_a_lane_is_taken_out_in_the_order_that_the_page_gives(cloud: Cloud) -> None:
    alone = cloud.assembly.with_name("alone.out")
    lambda_only = ("-c", "lanes=lambda", "--output", str(alone))
    cloud.cdk("deploy", "--exclusively", "crossover-trial-traffic", "crossover-trial-watch", *DIRECT, *SETTINGS, *lambda_only)
    assert cloud.split()[1].keys() == {"lambda"}
    cloud.cdk("destroy", "--exclusively", "--force", "crossover-trial-container", "--app", str(cloud.assembly))
    cloud.deploy("--app", str(alone))
    assert sorted(cloud.stacks()) == [
        "crossover-trial-foundation",
        "crossover-trial-lambda",
        "crossover-trial-traffic",
        "crossover-trial-watch",
    ]
    assert cloud.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"] == []


def test_destroying_leaves_nothing_but_the_bootstrap(cloud: Cloud) -> None:
    cloud.cdk("destroy", "--all", "--force", "--app", str(cloud.assembly.with_name("alone.out")))
    assert cloud.stacks() == {}
    balancing, compute, identity = cloud.client("elbv2"), cloud.client("ec2"), cloud.client("iam")
    assert balancing.describe_load_balancers()["LoadBalancers"] == []
    assert balancing.describe_target_groups()["TargetGroups"] == []
    assert cloud.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"] == []
    instances = [i for group in compute.describe_instances()["Reservations"] for i in group["Instances"]]
    assert {instance["State"]["Name"] for instance in instances} == {"terminated"}
    assert [vpc["IsDefault"] for vpc in compute.describe_vpcs()["Vpcs"]] == [True]
    assert compute.describe_launch_templates()["LaunchTemplates"] == []
    assert compute.describe_vpc_endpoints()["VpcEndpoints"] == []
    assert {role["RoleName"].partition("-")[0] for role in identity.list_roles()["Roles"]} == {"cdk"}
    assert identity.list_instance_profiles()["InstanceProfiles"] == []
    parameters = cloud.client("ssm").describe_parameters()["Parameters"]
    assert [parameter["Name"] for parameter in parameters] == ["/cdk-bootstrap/hnb659fds/version"]
    assert cloud.client("logs").describe_log_groups()["logGroups"] == []
    assert cloud.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert cloud.client("autoscaling").describe_policies()["ScalingPolicies"] == []


def test_moto_took_every_request_and_skipped_only_what_the_templates_answer_for(cloud: Cloud) -> None:
    log = re.sub(r"\x1b\[[0-9;]*m", "", cloud.aws.log.read_text())
    assert "Traceback" not in log
    assert re.findall(r'"\S+ \S+ HTTP/1\.1" 5\d\d', log) == []
    assert set(re.findall(r"No Moto CloudFormation support for (\S+)", log)) == SKIPPED
