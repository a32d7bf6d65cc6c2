"""What is read of elbv2, and when it takes effect."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from infra.errors import KitError
from infra.lab.live.front.followed import SETTINGS_EVERY, Delayed, Followed, Reader, Snapshot
from infra.lab.live.front.groups import Target
from infra.lab.live.front.listeners import Forward
from tests.infra.lab.live.front.targets import until
from tests.infra.switching.aws.moto_stage import REGION, aws_in_moto


@dataclass
class Deployed:
    """A load balancer in moto with a listener that splits between two groups of instances."""

    elbv2: Any
    balancer: str
    listener: str
    rule: str
    groups: tuple[str, str]

    def weigh(self, one: int, two: int) -> None:
        self.elbv2.modify_rule(RuleArn=self.rule, Actions=[forward(dict(zip(self.groups, (one, two), strict=True)))])


def forward(weights: dict[str, int]) -> Any:
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}


@pytest.fixture(scope="module")
def elbv2() -> Iterator[Any]:
    with aws_in_moto():
        yield boto3.Session(region_name=REGION).client("elbv2")


@pytest.fixture
def deployed(elbv2: Any) -> Deployed:
    """A new one for each test: the old ones stay beside it."""
    name = f"prod-{len(elbv2.describe_load_balancers()['LoadBalancers'])}"
    ec2 = boto3.Session(region_name=REGION).client("ec2")
    subnets = ec2.describe_subnets()["Subnets"][:2]
    balancer = elbv2.create_load_balancer(Name=name, Subnets=[each["SubnetId"] for each in subnets])
    balancer_arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    groups = [
        elbv2.create_target_group(
            Name=f"{name}-{which}", Protocol="HTTP", Port=8000, VpcId=subnets[0]["VpcId"], HealthCheckPath="/readyz"
        )
        for which in ("one", "two")
    ]
    arns = tuple(each["TargetGroups"][0]["TargetGroupArn"] for each in groups)
    not_found = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    listener = elbv2.create_listener(LoadBalancerArn=balancer_arn, Protocol="HTTP", Port=80, DefaultActions=[not_found])
    arn = listener["Listeners"][0]["ListenerArn"]
    everything = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}
    rule = elbv2.create_rule(
        ListenerArn=arn, Priority=100, Conditions=[everything], Actions=[forward({arns[0]: 100, arns[1]: 0})]
    )
    return Deployed(elbv2, balancer_arn, arn, rule["Rules"][0]["RuleArn"], arns)


def weights(snapshot: Snapshot) -> tuple[int, ...]:
    action = snapshot.listener.rules[0].action
    assert isinstance(action, Forward)
    return tuple(weight for _, weight in action.groups)


def test_listener_groups_and_targets_are_read(deployed: Deployed) -> None:
    instances = boto3.Session().client("ec2", REGION).run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)
    id = instances["Instances"][0]["InstanceId"]
    deployed.elbv2.register_targets(TargetGroupArn=deployed.groups[1], Targets=[{"Id": id}])
    delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "45"}
    deployed.elbv2.modify_target_group_attributes(TargetGroupArn=deployed.groups[1], Attributes=[delay])
    found = Reader(deployed.elbv2, deployed.balancer).read()
    assert (found.listener.arn, found.listener.port, weights(found)) == (deployed.listener, 80, (100, 0))
    assert found.members == {deployed.groups[0]: frozenset(), deployed.groups[1]: {Target(id, 8000)}}
    group = found.groups[deployed.groups[1]]
    assert group.deregistration_delay_s == 45
    assert group.health is not None
    assert group.health.path == "/readyz"


def test_a_change_is_in_the_next_reading_and_a_reading_takes_few_calls(deployed: Deployed) -> None:
    reader = Reader(deployed.elbv2, deployed.balancer)
    reader.read()
    deployed.weigh(30, 70)
    calls: list[str] = []
    deployed.elbv2.meta.events.register("before-call.*.*", lambda model, **_: calls.append(model.name), "noting")
    assert weights(reader.read()) == (30, 70)
    deployed.elbv2.meta.events.unregister("before-call.*.*", unique_id="noting")
    assert sorted(calls) == ["DescribeRules", "DescribeTargetHealth", "DescribeTargetHealth"]


def test_attributes_are_read_again_after_a_while(deployed: Deployed) -> None:
    reader = Reader(deployed.elbv2, deployed.balancer)
    reader.read()
    idle = {"Key": "idle_timeout.timeout_seconds", "Value": "30"}
    deployed.elbv2.modify_load_balancer_attributes(LoadBalancerArn=deployed.balancer, Attributes=[idle])
    read = [reader.read().listener.idle_timeout_s for _ in range(SETTINGS_EVERY)]
    assert read == [60.0] * (SETTINGS_EVERY - 1) + [30.0]


def test_a_load_balancer_without_a_listener_that_forwards_is_said(deployed: Deployed) -> None:
    deployed.elbv2.delete_rule(RuleArn=deployed.rule)
    with pytest.raises(KitError, match="has no listener that forwards"):
        Reader(deployed.elbv2, deployed.balancer).read()
    with pytest.raises(KitError, match="has no listener on port 443"):
        Reader(deployed.elbv2, deployed.balancer, listener_port=443).read()


async def test_changes_are_told_and_a_reading_that_fails_changes_nothing(deployed: Deployed) -> None:
    told: list[Snapshot] = []
    problems: list[str] = []
    followed = Followed(Reader(deployed.elbv2, deployed.balancer), every_s=0.01, problem=problems.append)
    first = await followed.first()
    running = asyncio.create_task(followed.follow(first, told.append))
    await until(lambda: followed.readings >= 2)
    assert told == [], "nothing has changed"
    deployed.weigh(1, 99)
    await until(lambda: bool(told))
    assert weights(told[-1]) == (1, 99)
    deployed.elbv2.delete_listener(ListenerArn=deployed.listener)
    await until(lambda: bool(problems))
    assert not running.done()
    assert len(told) == 1
    running.cancel()


def test_a_value_takes_effect_at_its_moment_and_in_its_order() -> None:
    value = Delayed("a")
    value.learn("b", 10.0)
    value.learn("c", 12.0)
    assert [value.at(now) for now in (9.9, 10.0, 11.9, 12.0, 99.0)] == ["a", "b", "b", "c", "c"]
    value.learn("d", 100.0)
    value.learn("e", 100.0)
    assert value.at(100.0) == "e"
