"""The container lane scales on what is measured of it, and by the clock where the stage says so."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.stacks.conftest import Assembly, Synthesize

pytestmark = pytest.mark.slow  # starts Node

POLICY, SCHEDULE = "AWS::AutoScaling::ScalingPolicy", "AWS::AutoScaling::ScheduledAction"


@pytest.fixture(scope="module")
def scheduled(synthesize: Synthesize) -> Assembly:
    """A stage that scales on everything that there is."""
    return synthesize(
        container_lane__target_loop_busy=0.45,
        container_lane__target_requests_per_s=40,
        container_lane__schedules="min=6@0 7 * * 1-5,min=2@30 20 * * 1-5",
    )


def kinds(assembly: Assembly) -> set[str]:
    return {body["Type"] for body in assembly.template("container")["Resources"].values()}


def tracked(assembly: Assembly) -> dict[str, dict[str, Any]]:
    """Target tracking's configuration by the name of its metric."""
    found = [body["Properties"] for body in assembly.all("container", POLICY).values()]
    assert {policy["PolicyType"] for policy in found} == {"TargetTrackingScaling"}
    configurations = [policy["TargetTrackingConfiguration"] for policy in found]
    return {
        made.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
        or made["CustomizedMetricSpecification"]["MetricName"]: made
        for made in configurations
    }


def test_group_keeps_cpu_and_busy_loops_at_the_stages_targets(default: Assembly) -> None:
    found = tracked(default)
    assert sorted(found) == ["ASGAverageCPUUtilization", "EventLoopBusy"]
    assert found["ASGAverageCPUUtilization"]["TargetValue"] == 60
    assert found["EventLoopBusy"]["TargetValue"] == 60
    assert found["EventLoopBusy"]["CustomizedMetricSpecification"] == {
        "Namespace": "Crossover",
        "MetricName": "EventLoopBusy",
        "Dimensions": [{"Name": "AutoScalingGroupName", "Value": {"Ref": "InstanceGroup"}}],
        "Statistic": "Average",
    }


def test_every_policy_may_shrink_the_group_so_that_none_works_against_another(scheduled: Assembly) -> None:
    assert not [name for name, made in tracked(scheduled).items() if made.get("DisableScaleIn")]


def test_new_instances_count_after_the_stages_warm_up_in_every_policy(synthesize: Synthesize) -> None:
    assembly = synthesize(container_lane__warmup_s=90)
    assert assembly.one("container", "AWS::AutoScaling::AutoScalingGroup")["DefaultInstanceWarmup"] == 90
    own = [body["Properties"].get("EstimatedInstanceWarmup") for body in assembly.all("container", POLICY).values()]
    assert own == [None, None]


def test_requests_are_tracked_by_the_minute_and_without_the_load_balancers_name(scheduled: Assembly) -> None:
    (target_group,) = scheduled.all("container", "AWS::ElasticLoadBalancingV2::TargetGroup")
    requests = tracked(scheduled)["RequestCountPerTarget"]
    assert requests["TargetValue"] == 40 * 60
    assert requests["CustomizedMetricSpecification"] == {
        "Namespace": "AWS/ApplicationELB",
        "MetricName": "RequestCountPerTarget",
        "Dimensions": [{"Name": "TargetGroup", "Value": {"Fn::GetAtt": [target_group, "TargetGroupFullName"]}}],
        "Statistic": "Sum",
    }
    assert tracked(scheduled)["EventLoopBusy"]["TargetValue"] == 45


def test_clock_raises_and_lowers_the_fewest_instances(scheduled: Assembly) -> None:
    found = [body["Properties"] for body in scheduled.all("container", SCHEDULE).values()]
    assert {(action["MinSize"], action["Recurrence"], action["TimeZone"]) for action in found} == {
        (6, "0 7 * * 1-5", "Etc/UTC"),
        (2, "30 20 * * 1-5", "Etc/UTC"),
    }
    assert not [action for action in found if "DesiredCapacity" in action or "MaxSize" in action]


def test_deployment_leaves_sizes_as_the_clock_set_them(scheduled: Assembly) -> None:
    (group,) = scheduled.all("container", "AWS::AutoScaling::AutoScalingGroup").values()
    assert group["UpdatePolicy"]["AutoScalingScheduledAction"] == {"IgnoreUnmodifiedGroupSizeProperties": True}


def test_service_of_ones_own_scales_on_cpu_as_it_need_not_tell_of_its_loops(synthesize: Synthesize) -> None:
    assert list(tracked(synthesize(service="folder"))) == ["ASGAverageCPUUtilization"]


def test_group_of_a_fixed_size_has_no_scaling(secured: Assembly) -> None:
    assert not kinds(secured) & {POLICY, SCHEDULE}
