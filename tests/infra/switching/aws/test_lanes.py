"""What is ready, raised, let go and scaled down: instances in moto's autoscaling, environments in a double of Lambda's."""

from __future__ import annotations

from dataclasses import replace

import boto3
import pytest

from infra.errors import KitError
from infra.switching.aws.lanes import AwsLanes
from tests.infra.switching.aws.moto_stage import REGION, MotoStage
from tests.infra.switching.world import FakeClock


@pytest.fixture
def lanes(stage: MotoStage) -> AwsLanes:
    return AwsLanes(stage.aws, stage.resources, FakeClock())


def sizes(stage: MotoStage) -> tuple[int, int]:
    group = stage.group()
    return group["MinSize"], group["DesiredCapacity"]


def test_instances_are_raised_with_their_minimum_and_never_lowered(stage: MotoStage, lanes: AwsLanes) -> None:
    lanes.prewarm("container", 6)
    assert sizes(stage) == (6, 6)
    assert lanes.ready("container") == 6
    lanes.prewarm("container", 3)
    assert sizes(stage) == (6, 6)


def test_no_more_instances_are_asked_for_than_the_group_may_have(stage: MotoStage, lanes: AwsLanes) -> None:
    lanes.prewarm("container", 50)
    assert sizes(stage) == (10, 10)
    assert lanes.most("container") == 10


def test_a_released_group_keeps_its_instances_until_its_own_scaling_takes_them(stage: MotoStage, lanes: AwsLanes) -> None:
    lanes.prewarm("container", 6)
    lanes.release("container", 2)
    assert (lanes.floor("container"), lanes.standing("container")) == (2, 6)
    lanes.release("container", 5)  # never up
    assert lanes.floor("container") == 2


def test_a_quiet_group_is_scaled_down_at_once(stage: MotoStage, lanes: AwsLanes) -> None:
    lanes.prewarm("container", 6)
    lanes.scale_down("container", 1)
    assert sizes(stage) == (1, 1)
    assert lanes.standing("container") == 1
    lanes.scale_down("container", 4)
    assert sizes(stage) == (1, 1)


def test_ready_is_healthy_and_in_service_both(stage: MotoStage, lanes: AwsLanes) -> None:
    first, second = (each["InstanceId"] for each in stage.group()["Instances"])
    assert lanes.ready("container") == 2
    scaling, balancing = boto3.client("autoscaling", REGION), boto3.client("elbv2", REGION)
    its = {"AutoScalingGroupName": "prod-group", "InstanceIds": [first]}
    scaling.update_auto_scaling_group(AutoScalingGroupName="prod-group", MinSize=1)
    scaling.enter_standby(**its, ShouldDecrementDesiredCapacity=True)
    assert lanes.ready("container") == 1
    targets = {"TargetGroupArn": stage.resources.target_groups["container"], "Targets": [{"Id": second}]}
    balancing.deregister_targets(**targets)
    assert lanes.ready("container") == 0
    balancing.register_targets(**targets)
    scaling.exit_standby(**its)


def test_environments_that_may_run_are_the_functions_own_or_the_accounts(stage: MotoStage, lanes: AwsLanes) -> None:
    assert lanes.ready("lambda") == lanes.most("lambda") == 1_000
    stage.functions.reserved = 40
    assert lanes.ready("lambda") == lanes.most("lambda") == 40


def test_without_provisioned_concurrency_there_is_nothing_to_raise_and_nothing_is_billed(
    stage: MotoStage, lanes: AwsLanes
) -> None:
    lanes.prewarm("lambda", 30)
    lanes.scale_down("lambda", 0)
    lanes.release("lambda", 0)
    assert stage.functions.changes == []
    assert lanes.floor("lambda") == lanes.standing("lambda") == 0


def test_a_stage_that_keeps_environments_started_has_those_ready_however_many_more_may_run(
    stage: MotoStage, lanes: AwsLanes
) -> None:
    stage.functions.keep(5, 5)
    assert (lanes.ready("lambda"), lanes.most("lambda")) == (5, 900)
    lanes.prewarm("lambda", 2_000)
    assert stage.functions.changes == [900]


def test_provisioned_concurrency_is_raised_awaited_and_let_down(stage: MotoStage, lanes: AwsLanes) -> None:
    stage.functions.keep(5, 5)
    stage.functions.reserved = 40
    lanes.prewarm("lambda", 30)
    assert lanes.ready("lambda") == 5  # of the 30 that are being started
    stage.functions.keep(30, 30)
    assert lanes.ready("lambda") == 30
    lanes.prewarm("lambda", 10)
    lanes.prewarm("lambda", 100)
    lanes.release("lambda", 5)
    lanes.scale_down("lambda", 0)
    assert stage.functions.changes == [30, 40, 5, 0]


def test_the_shape_of_an_instance_is_asked_of_ec2_and_the_scaling_target_of_the_group(
    stage: MotoStage, lanes: AwsLanes
) -> None:
    assert lanes.fleet.vcpus() == 2
    assert lanes.fleet.target_cpu() is None
    boto3.client("autoscaling", REGION).put_scaling_policy(
        AutoScalingGroupName="prod-group",
        PolicyName="Cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
            "TargetValue": 60.0,
        },
    )
    assert lanes.fleet.target_cpu() == 0.6


def test_a_group_that_is_gone_is_one_clear_line(stage: MotoStage) -> None:
    gone = replace(stage.resources, group="gone")
    with pytest.raises(KitError, match="autoscaling group gone is not there"):
        AwsLanes(stage.aws, gone, FakeClock()).ready("container")
