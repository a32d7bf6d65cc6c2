"""A group's size follows its metrics: up within minutes, down slowly, and not twice for what is booting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import boto3
import pytest
from moto import mock_aws
from moto.autoscaling.models import autoscaling_backends
from moto.core.models import DEFAULT_ACCOUNT_ID

from infra.lab.aws.cloudwatch.backend import CloudWatch
from infra.lab.aws.cloudwatch.statistics import Samples
from infra.lab.aws.cloudwatch.store import Metric
from infra.lab.aws.target_tracking import PREFIX, TargetTracking, tracked_metric
from infra.lab.lab_time import LabTime

REGION, GROUP = "us-east-1", "container"
T0 = 1_800_000_000
WARMUP = 120
CPU = Metric.of("AWS/EC2", "CPUUtilization", {"AutoScalingGroupName": GROUP})
BUSY = Metric.of("Crossover", "EventLoopBusy", {"AutoScalingGroupName": GROUP})


class Group:
    """One in moto, whose minutes the test passes; instances serve at once unless they are held."""

    def __init__(self) -> None:
        self.time = float(T0)
        self.scaling = boto3.Session("test", "test", region_name=REGION).client("autoscaling")
        self.scaling.create_launch_configuration(LaunchConfigurationName="l", ImageId="ami-12c6146b", InstanceType="t3.small")
        self.scaling.create_auto_scaling_group(
            AutoScalingGroupName=GROUP,
            LaunchConfigurationName="l",
            MinSize=2,
            MaxSize=10,
            DesiredCapacity=2,
            AvailabilityZones=["us-east-1a"],
        )
        self.cloudwatch = CloudWatch(cast(LabTime, self))
        self.tracking = TargetTracking(self.cloudwatch)
        self.watch = self.cloudwatch.at(DEFAULT_ACCOUNT_ID, REGION)
        self.backend = autoscaling_backends[DEFAULT_ACCOUNT_ID][REGION]
        self.held = False

    def now(self) -> float:
        return self.time

    def track_cpu(self, **more: Any) -> None:
        self.put("cpu", {"PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}, **more})

    def track_busy(self) -> None:
        dimensions = [{"Name": "AutoScalingGroupName", "Value": GROUP}]
        own = {"Namespace": "Crossover", "MetricName": "EventLoopBusy", "Dimensions": dimensions, "Statistic": "Average"}
        self.put("busy", {"CustomizedMetricSpecification": own})

    def put(self, name: str, tracking: dict[str, Any]) -> None:
        self.scaling.put_scaling_policy(
            PolicyName=name,
            AutoScalingGroupName=GROUP,
            PolicyType="TargetTrackingScaling",
            EstimatedInstanceWarmup=WARMUP,
            TargetTrackingConfiguration={"TargetValue": 50, **tracking},
        )

    def minutes(self, count: int, cpu: float | None = None, busy: float | None = None) -> list[int]:
        """Sizes after each minute, with these figures published for it."""
        sizes = []
        for _ in range(count):
            for metric, value in ((CPU, cpu), (BUSY, busy)):
                if value is not None:
                    samples = Samples()
                    samples.add(value)
                    self.watch.store.put(metric, self.time, samples)
            self.time += 60
            for each in self.backend.autoscaling_groups[GROUP].instance_states:
                if self.held and each.instance.id not in self.serving:
                    each.lifecycle_state = "Pending"
                else:
                    each.lifecycle_state = "InService"
            self.watch.alarms.evaluate(self.time)
            self.tracking.follow(DEFAULT_ACCOUNT_ID, REGION, int(self.time))
            sizes.append(self.size)
        return sizes

    def hold(self) -> None:
        """What is launched from now on boots and boots."""
        self.held = True
        self.serving = {each.instance.id for each in self.backend.autoscaling_groups[GROUP].instance_states}

    @property
    def size(self) -> int:
        (group,) = self.scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        return int(group["DesiredCapacity"])


@pytest.fixture
def group() -> Iterator[Group]:
    with mock_aws():
        yield Group()


def test_three_minutes_above_the_target_add_what_the_metric_asks_for_and_no_more(group: Group) -> None:
    group.track_cpu()
    group.minutes(5, cpu=50)
    group.hold()
    assert group.minutes(3, cpu=90) == [2, 2, 4]
    assert group.minutes(5, cpu=90) == [4] * 5  # two that serve at 90% are what four at 45% were asked for


def test_the_group_goes_to_its_maximum_and_no_further(group: Group) -> None:
    group.track_cpu()
    group.minutes(5, cpu=50)
    assert group.minutes(3, cpu=400)[-1] == 10


def test_fifteen_minutes_well_below_it_take_capacity_away_but_not_below_the_minimum(group: Group) -> None:
    group.track_cpu()
    group.scaling.set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=8)
    sizes = group.minutes(20, cpu=20)
    assert set(sizes[:14]) == {8}
    assert sizes[-1] == 4
    assert group.minutes(40, cpu=1)[-1] == 2


def test_a_little_below_the_target_changes_nothing(group: Group) -> None:
    group.track_cpu()
    group.scaling.set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=8)
    assert set(group.minutes(30, cpu=46)) == {8}


def test_one_policy_is_enough_to_grow_and_all_must_agree_to_shrink(group: Group) -> None:
    group.track_cpu()
    group.track_busy()
    group.minutes(5, cpu=50, busy=50)
    assert group.minutes(3, cpu=10, busy=100)[-1] == 4
    assert set(group.minutes(30, cpu=10, busy=50)) == {4}
    assert set(group.minutes(30, cpu=10)) == {4}  # without data nothing is known, so nothing is taken away
    assert group.minutes(40, cpu=10, busy=10)[-1] == 2


def test_a_policy_that_does_not_scale_in_does_not(group: Group) -> None:
    group.track_cpu(DisableScaleIn=True)
    group.scaling.set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=8)
    assert set(group.minutes(30, cpu=1)) == {8}


def test_a_policy_s_alarms_are_its_own_and_go_with_it(group: Group) -> None:
    group.track_cpu()
    group.minutes(1, cpu=50)
    assert sorted(group.watch.alarms.by_name) == [f"{PREFIX}{GROUP}-AlarmHigh-cpu", f"{PREFIX}{GROUP}-AlarmLow-cpu"]
    assert [alarm.given["Threshold"] for alarm in group.watch.alarms.by_name.values()] == [50, 45]
    group.scaling.delete_policy(PolicyName="cpu")
    group.minutes(1)
    assert group.watch.alarms.by_name == {}


def test_requests_per_target_are_named_as_the_load_balancer_publishes_them() -> None:
    label = "app/front/50dc6c495c0c9188/targetgroup/container/943f017f100becff"
    told = {"PredefinedMetricSpecification": {"PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": label}}
    metric = tracked_metric(GROUP, told)
    assert metric is not None
    assert (metric["MetricName"], metric["Statistic"]) == ("RequestCountPerTarget", "Sum")
    assert metric["Dimensions"] == [
        {"Name": "TargetGroup", "Value": "targetgroup/container/943f017f100becff"},
        {"Name": "LoadBalancer", "Value": "app/front/50dc6c495c0c9188"},
    ]
