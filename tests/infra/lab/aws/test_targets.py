"""Target groups and rules of the local AWS: what a load balancer tells of targets, draining, weights, templates."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.lab.aws.local_aws import LocalAws
from tests.infra.lab.aws.live_aws import local_aws, network, page, until

pytestmark = pytest.mark.slow

SPEED = 20.0
NO_GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/none/0123456789abcdef"


class Stage:
    """Two target groups behind a listener, and two instances in the first."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws, self.balancing = aws, aws.client("elbv2")
        self.vpc, self.subnets = network(aws)
        ec2 = aws.client("ec2")
        image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        ran = ec2.run_instances(ImageId=image, MinCount=3, MaxCount=3, SubnetId=self.subnets[0])
        self.instances = sorted(each["InstanceId"] for each in ran["Instances"])
        self.groups = [self.group(name) for name in ("one", "two")]
        made = self.balancing.create_load_balancer(Name="lb", Subnets=self.subnets)
        self.balancer = made["LoadBalancers"][0]["LoadBalancerArn"]
        self.listener = self.balancing.create_listener(
            LoadBalancerArn=self.balancer, Protocol="HTTP", Port=80, DefaultActions=[self.forward(1, 1)]
        )["Listeners"][0]["ListenerArn"]

    def group(self, name: str) -> str:
        made = self.balancing.create_target_group(Name=name, Protocol="HTTP", Port=8000, VpcId=self.vpc, TargetType="instance")
        arn: str = made["TargetGroups"][0]["TargetGroupArn"]
        attributes = [{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}]
        self.balancing.modify_target_group_attributes(TargetGroupArn=arn, Attributes=attributes)
        return arn

    def forward(self, *weights: int) -> dict[str, Any]:
        shares = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in zip(self.groups, weights, strict=True)]
        return {"Type": "forward", "ForwardConfig": {"TargetGroups": shares}}

    def register(self, arn: str, *instances: str) -> None:
        self.balancing.register_targets(TargetGroupArn=arn, Targets=[{"Id": instance} for instance in instances])

    def deregister(self, arn: str, *instances: str) -> None:
        self.balancing.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": instance} for instance in instances])

    def health(self, arn: str, *asked: str) -> dict[str, tuple[str, str | None]]:
        request = {"Targets": [{"Id": id} for id in asked]} if asked else {}
        told = self.balancing.describe_target_health(TargetGroupArn=arn, **request)["TargetHealthDescriptions"]
        return {each["Target"]["Id"]: (each["TargetHealth"]["State"], each["TargetHealth"].get("Reason")) for each in told}


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with local_aws(live=False, speed=SPEED) as aws:
        yield Stage(aws)


def test_targets_are_as_the_load_balancer_told_and_initial_before(stage: Stage) -> None:
    arn = stage.group("told")
    first, second, _ = stage.instances
    stage.register(arn, first, second)
    assert {state for state, _ in stage.health(arn).values()} == {"healthy"}  # nothing was ever told of this group
    told = {first: {"State": "unhealthy", "Reason": "Target.Timeout", "Description": "Request timed out"}}
    assert page(stage.aws, "PUT", "target-health", {arn: told}) == (200, {})
    assert stage.health(arn) == {first: ("unhealthy", "Target.Timeout"), second: ("initial", "Elb.RegistrationInProgress")}
    page(stage.aws, "PUT", "target-health", {arn: {second: {"State": "healthy"}}})
    assert stage.health(arn) == {first: ("unhealthy", "Target.Timeout"), second: ("healthy", None)}
    page(stage.aws, "PUT", "target-health", {arn: {first: None}})
    assert stage.health(arn, first) == {first: ("initial", "Elb.RegistrationInProgress")}


def test_a_deregistered_target_drains_for_the_groups_delay_and_is_gone(stage: Stage) -> None:
    arn = stage.group("drained")
    first, second, _ = stage.instances
    stage.register(arn, first, second)
    page(stage.aws, "PUT", "target-health", {arn: {each: {"State": "healthy"} for each in (first, second)}})
    began = stage.aws.time.now()
    stage.deregister(arn, first)
    stage.deregister(arn, first)  # AWS takes that as done
    assert stage.health(arn) == {first: ("draining", "Target.DeregistrationInProgress"), second: ("healthy", None)}
    until(lambda: first not in stage.health(arn))
    assert stage.aws.time.now() - began >= 30
    assert stage.health(arn, first) == {first: ("unused", "Target.NotRegistered")}
    stage.register(arn, first)
    assert stage.health(arn)[first] == ("initial", "Elb.RegistrationInProgress"), "what was told before is of the past"


def test_a_target_that_is_registered_again_drains_no_more(stage: Stage) -> None:
    arn = stage.group("back")
    stage.register(arn, stage.instances[0])
    stage.deregister(arn, stage.instances[0])
    stage.register(arn, stage.instances[0])
    assert stage.health(arn) == {stage.instances[0]: ("healthy", None)}


def test_an_instance_that_ec2_ends_drains(stage: Stage) -> None:
    arn = stage.group("ended")
    stage.register(arn, stage.instances[2])
    stage.aws.client("ec2").terminate_instances(InstanceIds=[stage.instances[2]])
    assert stage.health(arn) == {stage.instances[2]: ("draining", "Target.DeregistrationInProgress")}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({NO_GROUP: {}}, f"{NO_GROUP} is no target group here"),
        (["i-1"], "the body must be an object of target groups' ARNs and their targets"),
        ({"one": {"i-1": {"State": "fine"}}}, "i-1: must have a State of initial, healthy, "),
        ({"one": {"i-1": "healthy"}}, "i-1: must have a State of initial, healthy, "),
    ],
)
def test_what_is_told_amiss_is_one_line_and_changes_nothing(stage: Stage, body: Any, said: str) -> None:
    told = {stage.groups[0] if key == "one" else key: value for key, value in body.items()} if isinstance(body, dict) else body
    status, answer = page(stage.aws, "PUT", "target-health", told)
    assert status == 400
    assert answer["error"].startswith(f"/_lab/target-health: {said}")


@pytest.mark.parametrize("weights", [(0, 999), (0, 0), (1, 1)])
def test_weights_are_0_to_999(stage: Stage, weights: tuple[int, int]) -> None:
    stage.balancing.modify_listener(ListenerArn=stage.listener, DefaultActions=[stage.forward(*weights)])
    (listener,) = stage.balancing.describe_listeners(ListenerArns=[stage.listener])["Listeners"]
    groups = listener["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
    assert tuple(each["Weight"] for each in groups) == weights


@pytest.mark.parametrize("weights", [(1000, 1), (-1, 1)])
def test_other_weights_are_refused_everywhere(stage: Stage, weights: tuple[int, int]) -> None:
    condition = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}]
    rule = {"ListenerArn": stage.listener, "Conditions": condition}
    kept = stage.balancing.create_rule(**rule, Priority=50, Actions=[stage.forward(30, 70)])["Rules"][0]["RuleArn"]
    actions = [stage.forward(*weights)]
    calls: tuple[Callable[[], object], ...] = (
        lambda: stage.balancing.modify_rule(RuleArn=kept, Actions=actions),
        lambda: stage.balancing.create_rule(**rule, Priority=51, Actions=actions),
        lambda: stage.balancing.modify_listener(ListenerArn=stage.listener, DefaultActions=actions),
    )
    try:
        for call in calls:
            with pytest.raises(ClientError, match="must be between 0 and 999") as refused:
                call()
            assert refused.value.response["Error"]["Code"] == "ValidationError"
        rules = stage.balancing.describe_rules(RuleArns=[kept])["Rules"]
        assert [each["Weight"] for each in rules[0]["Actions"][0]["ForwardConfig"]["TargetGroups"]] == [30, 70]
    finally:
        stage.balancing.delete_rule(RuleArn=kept)


def test_two_groups_and_one_named_beside_them_are_refused(stage: Stage) -> None:
    action = {**stage.forward(1, 1), "TargetGroupArn": stage.groups[0]}
    with pytest.raises(ClientError, match="can have one target group in ForwardConfig"):
        stage.balancing.modify_listener(ListenerArn=stage.listener, DefaultActions=[action])


def test_templates_attributes_targets_and_health_checks_are_kept_and_updated(stage: Stage) -> None:
    def template(delay: str, path: str, idle: str) -> str:
        attributes = [{"Key": "deregistration_delay.timeout_seconds", "Value": delay}]
        group = {"TargetType": "instance", "Protocol": "HTTP", "Port": 8000, "VpcId": stage.vpc, "HealthCheckPath": path}
        idle_timeout = [{"Key": "idle_timeout.timeout_seconds", "Value": idle}]
        function = "arn:aws:lambda:us-east-1:123456789012:function:f:live"
        resources = {
            "Group": ("TargetGroup", {**group, "TargetGroupAttributes": attributes}),
            "Lambda": ("TargetGroup", {"TargetType": "lambda", "Targets": [{"Id": function}]}),
            "Lb": ("LoadBalancer", {"Subnets": stage.subnets, "LoadBalancerAttributes": idle_timeout}),
        }
        body = {
            name: {"Type": f"AWS::ElasticLoadBalancingV2::{kind}", "Properties": properties}
            for name, (kind, properties) in resources.items()
        }
        return json.dumps({"Resources": body})

    def seen() -> tuple[str, str, str]:
        found = stacks.list_stack_resources(StackName="templates")["StackResourceSummaries"]
        arns = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}
        attributes = stage.balancing.describe_target_group_attributes(TargetGroupArn=arns["Group"])["Attributes"]
        (group,) = stage.balancing.describe_target_groups(TargetGroupArns=[arns["Group"]])["TargetGroups"]
        of_balancer = stage.balancing.describe_load_balancer_attributes(LoadBalancerArn=arns["Lb"])["Attributes"]
        assert list(stage.health(arns["Lambda"])) == ["arn:aws:lambda:us-east-1:123456789012:function:f:live"]
        delay = {each["Key"]: each["Value"] for each in attributes}["deregistration_delay.timeout_seconds"]
        idle = {each["Key"]: each["Value"] for each in of_balancer}["idle_timeout.timeout_seconds"]
        return delay, group["HealthCheckPath"], idle

    stacks = stage.aws.client("cloudformation")
    stacks.create_stack(StackName="templates", TemplateBody=template("30", "/readyz", "75"))
    assert seen() == ("30", "/readyz", "75")
    stacks.update_stack(StackName="templates", TemplateBody=template("45", "/healthz", "80"))
    assert seen() == ("45", "/healthz", "80")
    stacks.delete_stack(StackName="templates")
