"""A stage in moto: what the stacks would make, made over boto3, with stacks whose outputs name it; and doubles of what moto
lacks: GetMetricData's percentiles, provisioned concurrency, Lambda's account settings."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from infra.switching.aws.calls import Aws
from infra.switching.aws.resources import Resources, find

REGION = "us-east-1"
PREFIX = "crossover-prod"
MIXTURE: Any = {
    "LaunchTemplate": {
        "LaunchTemplateSpecification": {"LaunchTemplateName": "prod", "Version": "$Latest"},
        "Overrides": [{"InstanceType": "c7g.large"}, {"InstanceType": "c6g.large"}],
    }
}


def refusal(code: str, status: int = 400, message: str = "no", operation: str = "Anything") -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}},
        operation,
    )


@dataclass
class MetricsDouble:
    """GetMetricData as the API reference has it: minutes from start to before end, newest first; nothing where nothing was
    published. `published` is by metric's name and the value of the dimension that tells it apart."""

    published: dict[tuple[str, str, str], dict[float, float]] = field(default_factory=dict)
    page: int = 1_000
    asked: list[dict[str, Any]] = field(default_factory=list)
    failing: Exception | None = None
    alarms: dict[str, str] = field(default_factory=dict)

    def describe_alarms(self, AlarmNames: list[str], AlarmTypes: list[str]) -> dict[str, Any]:
        assert AlarmTypes == ["CompositeAlarm"]
        if self.failing is not None:
            raise self.failing
        return {"CompositeAlarms": [{"StateValue": self.alarms[name]} for name in AlarmNames if name in self.alarms]}

    def publish(self, name: str, dimension: str, stat: str, minutes: Mapping[float, float]) -> None:
        self.published.setdefault((name, dimension, stat), {}).update(minutes)

    def get_metric_data(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        if self.failing is not None:
            raise self.failing
        start, end = request["StartTime"].timestamp(), request["EndTime"].timestamp()
        offset = int(request.get("NextToken", 0))
        results = []
        for query in request["MetricDataQueries"]:
            stat = query["MetricStat"]
            assert stat["Period"] == 60
            values = {each["Value"] for each in stat["Metric"]["Dimensions"]}
            minutes: dict[float, float] = {}
            for (name, dimension, which), told in self.published.items():
                if (name, which) == (stat["Metric"]["MetricName"], stat["Stat"]) and _tells(dimension, values):
                    minutes |= {moment: value for moment, value in told.items() if start <= moment < end}
            newest = sorted(minutes.items(), reverse=True)[offset : offset + self.page]
            results.append(
                {
                    "Id": query["Id"],
                    "StatusCode": "Complete",
                    "Timestamps": [datetime.fromtimestamp(moment, UTC) for moment, _ in newest],
                    "Values": [value for _, value in newest],
                }
            )
        longest = max((len(told) for told in self.published.values()), default=0)
        more = {"NextToken": str(offset + self.page)} if offset + self.page < longest else {}
        return {"MetricDataResults": results, **more}


def _tells(dimension: str, values: set[str]) -> bool:
    """A target group's metric is asked for with its load balancer beside it, or without."""
    return dimension in values and (dimension.startswith("targetgroup/") or len(values) == 1)


@dataclass
class FunctionsDouble:
    """Lambda's concurrency."""

    reserved: int | None = None
    unreserved: int = 1_000
    kept: dict[str, Any] | None = None
    changes: list[int] = field(default_factory=list)

    def get_function_concurrency(self, FunctionName: str) -> dict[str, Any]:
        return {} if self.reserved is None else {"ReservedConcurrentExecutions": self.reserved}

    def get_function_configuration(self, FunctionName: str, Qualifier: str) -> dict[str, Any]:
        return {"MemorySize": 1_769}

    def get_account_settings(self) -> dict[str, Any]:
        return {"AccountLimit": {"UnreservedConcurrentExecutions": self.unreserved, "ConcurrentExecutions": 1_000}}

    def get_provisioned_concurrency_config(self, FunctionName: str, Qualifier: str) -> dict[str, Any]:
        assert Qualifier == "live"
        if self.kept is None:
            raise refusal("ProvisionedConcurrencyConfigNotFoundException", 404)
        return self.kept

    def put_provisioned_concurrency_config(
        self,
        FunctionName: str,
        Qualifier: str,
        ProvisionedConcurrentExecutions: int,
    ) -> None:
        self.changes.append(ProvisionedConcurrentExecutions)
        available = 0 if self.kept is None else self.kept["AvailableProvisionedConcurrentExecutions"]
        self.keep(ProvisionedConcurrentExecutions, available)

    def delete_provisioned_concurrency_config(self, FunctionName: str, Qualifier: str) -> None:
        self.changes.append(0)
        self.kept = None

    def keep(self, asked_for: int, available: int) -> None:
        self.kept = {
            "RequestedProvisionedConcurrentExecutions": asked_for,
            "AvailableProvisionedConcurrentExecutions": available,
            "Status": "READY" if available >= asked_for else "IN_PROGRESS",
        }


@dataclass
class MotoStage:
    """What a test holds of a stage in moto."""

    aws: Aws
    resources: Resources
    metrics: MetricsDouble
    functions: FunctionsDouble

    def restore(self, weights: str = "100:0", instances: int = 2, most: int = 10) -> MotoStage:
        """As it was deployed, with new doubles: deploying anew takes moto seconds."""
        boto3.client("ssm", REGION).put_parameter(Name=self.resources.parameter, Value=weights, Type="String", Overwrite=True)
        boto3.client("elbv2", REGION).modify_rule(RuleArn=self.resources.rule, Actions=[split(self.resources, weights)])
        boto3.client("autoscaling", REGION).update_auto_scaling_group(
            AutoScalingGroupName=self.resources.group,
            MinSize=instances,
            MaxSize=most,
            DesiredCapacity=instances,
            MixedInstancesPolicy=MIXTURE,  # moto loses it where it is not given again
        )
        make_table()
        return with_doubles(self.resources)

    def group(self) -> dict[str, Any]:
        group: dict[str, Any] = boto3.client("autoscaling", REGION).describe_auto_scaling_groups()["AutoScalingGroups"][0]
        return group

    def rule(self) -> dict[str, Any]:
        rules = boto3.client("elbv2", REGION).describe_rules(RuleArns=[self.resources.rule])["Rules"]
        rule: dict[str, Any] = rules[0]
        return rule

    def weights_in_rule(self) -> dict[str, int]:
        lanes = {arn: lane for lane, arn in self.resources.target_groups.items()}
        groups = self.rule()["Actions"][-1]["ForwardConfig"]["TargetGroups"]
        return {lanes[each["TargetGroupArn"]]: each["Weight"] for each in groups}

    def parameter(self) -> str:
        value: str = boto3.client("ssm", REGION).get_parameter(Name=self.resources.parameter)["Parameter"]["Value"]
        return value


@contextmanager
def aws_in_moto() -> Iterator[None]:
    """moto within the process, and no credentials, region or endpoint of the machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.setenv(name, os.devnull)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        with mock_aws():
            yield


def make_table() -> None:
    """Empty, whether or not it was there."""
    client = boto3.client("dynamodb", REGION)
    if f"{PREFIX}-switch" in client.list_tables()["TableNames"]:
        client.delete_table(TableName=f"{PREFIX}-switch")
    client.create_table(
        TableName=f"{PREFIX}-switch",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )


def make_stack(name: str, outputs: Mapping[str, str], resources: Mapping[str, Any] | None = None) -> None:
    """A stack that is there for its outputs and its template; moto makes nothing of a resource whose condition is false."""
    template = {
        "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}, **(resources or {})},
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    boto3.client("cloudformation", REGION).create_stack(StackName=name, TemplateBody=json.dumps(template))


def deploy(weights: str = "100:0", instances: int = 2, most: int = 10) -> MotoStage:
    """Stage `prod` at these weights. moto's instances are healthy at once."""
    ec2, balancing = boto3.client("ec2", REGION), boto3.client("elbv2", REGION)
    vpc = ec2.create_vpc(CidrBlock="10.40.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.40.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]["SubnetId"]
        for number, zone in enumerate("ab")
    ]
    balancer = balancing.create_load_balancer(Name="prod", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    instances_group = balancing.create_target_group(Name="c", Protocol="HTTP", Port=8000, VpcId=vpc, TargetType="instance")
    functions_group = balancing.create_target_group(Name="l", TargetType="lambda")
    groups = {
        "lambda": functions_group["TargetGroups"][0]["TargetGroupArn"],
        "container": instances_group["TargetGroups"][0]["TargetGroupArn"],
    }
    listener = balancing.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )["Listeners"][0]["ListenerArn"]
    rule = balancing.create_rule(
        ListenerArn=listener,
        Priority=100,
        Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}],
        Actions=[_split(groups, weights)],
    )["Rules"][0]["RuleArn"]
    _make_group(groups["container"], subnets, instances, most)
    boto3.client("ssm", REGION).put_parameter(Name="/crossover/prod/traffic-weights", Value=weights, Type="String")
    make_table()
    started = {"Type": "AWS::SSM::Parameter", "Condition": "Never", "Properties": {"Type": "String", "Value": "0:100"}}
    make_stack(f"{PREFIX}-foundation", {"SwitchTableName": f"{PREFIX}-switch"}, {"Weights": started})
    make_stack(f"{PREFIX}-lambda", {"FunctionName": "prod-function", "TargetGroup": groups["lambda"]})
    group = {"Type": "AWS::AutoScaling::AutoScalingGroup", "Condition": "Never", "Properties": {"MinSize": str(instances)}}
    outputs = {"AutoScalingGroupName": "prod-group", "TargetGroup": groups["container"]}
    make_stack(f"{PREFIX}-container", outputs, {"InstanceGroup": group})
    make_stack(f"{PREFIX}-traffic", {"Url": "http://prod.example.com", "SplitRule": rule})
    return with_doubles(find(Aws(REGION), "prod"))


def with_doubles(resources: Resources) -> MotoStage:
    metrics, functions = MetricsDouble(), FunctionsDouble()
    return MotoStage(Aws(REGION, {"cloudwatch": metrics, "lambda": functions}), resources, metrics, functions)


def split(resources: Resources, weights: str) -> dict[str, Any]:
    return _split(resources.target_groups, weights)


def _split(groups: Mapping[str, str], weights: str) -> dict[str, Any]:
    on_lambda, _, on_container = weights.partition(":")
    shares = [
        {"TargetGroupArn": groups["lambda"], "Weight": int(on_lambda)},
        {"TargetGroupArn": groups["container"], "Weight": int(on_container)},
    ]
    forward = {"TargetGroups": shares, "TargetGroupStickinessConfig": {"Enabled": False}}
    return {"Type": "forward", "ForwardConfig": forward}


def _make_group(target_group: str, subnets: list[str], instances: int, most: int) -> None:
    ec2 = boto3.client("ec2", REGION)
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    ec2.create_launch_template(LaunchTemplateName="prod", LaunchTemplateData={"ImageId": image, "InstanceType": "c7g.large"})
    boto3.client("autoscaling", REGION).create_auto_scaling_group(
        AutoScalingGroupName="prod-group",
        MinSize=instances,
        MaxSize=most,
        DesiredCapacity=instances,
        VPCZoneIdentifier=",".join(subnets),
        TargetGroupARNs=[target_group],
        MixedInstancesPolicy=MIXTURE,
    )
