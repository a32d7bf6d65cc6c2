"""Groups of the live local AWS, seen with boto3 and through the switch's own adapters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.lab.aws.groups import NOTICED_AFTER_S
from infra.lab.aws.local_aws import LocalAws
from infra.switching.aws.calls import Aws
from infra.switching.aws.clock import AwsClock
from infra.switching.aws.fleet import Fleet, instance_types
from infra.switching.aws.lanes import AwsLanes
from infra.switching.aws.resources import Resources, find
from infra.switching.aws.traffic import AwsTraffic
from infra.switching.weights import Weights
from tests.infra.lab.aws.live_aws import REGION, local_aws, network, page, until
from tests.infra.switching.aws.moto_stage import deploy

pytestmark = pytest.mark.slow

SPEED = 20.0
DELAY_S = 60
"""Lab seconds in which a target drains: time enough to see it, on a busy machine too."""
BOOT = {"LifecycleHookName": "boot", "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING"}
DRAIN = {"LifecycleHookName": "drain", "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING"}
TYPES = ["c7g.large", "c6g.large", "m7g.large"]


class Cloud:
    """A network, an image and a launch template for the groups that tests make."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.scaling, self.balancing, self.ec2 = (aws.client(name) for name in ("autoscaling", "elbv2", "ec2"))
        self.vpc, self.subnets = network(aws, "abc")
        image = self.ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        self.ec2.create_launch_template(
            LaunchTemplateName="template", LaunchTemplateData={"ImageId": image, "InstanceType": "c7g.large"}
        )
        self._names = count(1)

    def group(
        self, size: int, *, hooks: tuple[dict[str, Any], ...] = (), on_demand: tuple[int, int] = (0, 100), **more: Any
    ) -> Group:
        name = f"group-{next(self._names)}"
        target_group = self.balancing.create_target_group(
            Name=name, Protocol="HTTP", Port=8000, VpcId=self.vpc, TargetType="instance"
        )["TargetGroups"][0]["TargetGroupArn"]
        attributes = [{"Key": "deregistration_delay.timeout_seconds", "Value": str(DELAY_S)}]
        self.balancing.modify_target_group_attributes(TargetGroupArn=target_group, Attributes=attributes)
        base, percent = on_demand
        self.scaling.create_auto_scaling_group(
            **{
                "AutoScalingGroupName": name,
                "MinSize": 0,
                "MaxSize": 10,
                "DesiredCapacity": size,
                "VPCZoneIdentifier": ",".join(self.subnets),
                "TargetGroupARNs": [target_group],
                "LifecycleHookSpecificationList": [{"HeartbeatTimeout": 3_600, **hook} for hook in hooks],
                "MixedInstancesPolicy": {
                    "LaunchTemplate": {
                        "LaunchTemplateSpecification": {"LaunchTemplateName": "template", "Version": "$Latest"},
                        "Overrides": [{"InstanceType": name} for name in TYPES],
                    },
                    "InstancesDistribution": {"OnDemandBaseCapacity": base, "OnDemandPercentageAboveBaseCapacity": percent},
                },
                **more,
            }
        )
        return Group(self, name, target_group)


class Group:
    """`fleet` is what the switch sees of it."""

    def __init__(self, cloud: Cloud, name: str, target_group: str) -> None:
        self.cloud, self.name, self.target_group = cloud, name, target_group
        resources = Resources(
            stage="prod",
            region=REGION,
            url="http://127.0.0.1",
            rule="",
            target_groups={"container": target_group, "lambda": ""},
            group=name,
            function="",
            table="",
            parameter="",
        )
        aws = Aws(REGION, {"autoscaling": cloud.scaling, "elbv2": cloud.balancing, "ec2": cloud.ec2})
        self.fleet = Fleet(aws, resources)

    def instances(self) -> dict[str, dict[str, Any]]:
        return {each["InstanceId"]: each for each in self.fleet.group()["Instances"]}

    def states(self) -> dict[str, str]:
        return {id: each["LifecycleState"] for id, each in self.instances().items()}

    def in_state(self, state: str) -> set[str]:
        return {id for id, each in self.states().items() if each == state}

    def targets(self) -> dict[str, str]:
        told = self.cloud.balancing.describe_target_health(TargetGroupArn=self.target_group)["TargetHealthDescriptions"]
        return {each["Target"]["Id"]: each["TargetHealth"]["State"] for each in told}

    def described(self) -> list[dict[str, Any]]:
        found = self.cloud.ec2.describe_instances(InstanceIds=list(self.states()))["Reservations"]
        return [instance for each in found for instance in each["Instances"]]

    def boot(self) -> set[str]:
        """All that are pending, as a data plane tells it."""
        ids = self.in_state("Pending")
        page(self.cloud.aws, "PUT", "instances", dict.fromkeys(ids, "running"))
        return ids

    def health(self, **states: str) -> None:
        told = {id: {"State": state} for id, state in states.items()}
        assert page(self.cloud.aws, "PUT", "target-health", {self.target_group: told})[0] == 200

    def complete(self, hook: str, instance: str, result: str = "CONTINUE") -> None:
        self.cloud.scaling.complete_lifecycle_action(
            LifecycleHookName=hook, AutoScalingGroupName=self.name, InstanceId=instance, LifecycleActionResult=result
        )

    def serving(self) -> set[str]:
        """All booted, in service and healthy."""
        self.boot()
        ids = self.in_state("InService")
        self.health(**dict.fromkeys(ids, "healthy"))
        return ids


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with local_aws(live=True, speed=SPEED) as aws:
        yield Cloud(aws)


def test_without_a_hook_an_instance_serves_once_it_has_booted_and_the_load_balancer_finds_it_healthy(cloud: Cloud) -> None:
    group = cloud.group(2)
    group.health()
    assert sorted(group.states().values()) == ["Pending", "Pending"]
    assert group.targets() == {}
    ids = group.boot()
    assert group.in_state("InService") == ids
    assert set(group.targets().values()) == {"initial"}
    assert (group.fleet.standing(), group.fleet.ready()) == (2, 0)
    first, _ = ids
    group.health(**{first: "healthy"})
    assert group.fleet.ready() == 1


def test_a_prewarmed_instance_waits_for_its_boot_hook_and_counts_when_it_is_done(cloud: Cloud) -> None:
    group = cloud.group(0, hooks=(BOOT,))
    group.health()
    group.fleet.raise_to(2)
    first, second = group.in_state("Pending:Wait")
    group.complete("boot", first)
    assert group.states() == {first: "InService", second: "Pending:Wait"}
    assert group.targets() == {first: "initial"}
    group.health(**{first: "healthy"})
    assert group.fleet.ready() == 1
    with pytest.raises(ClientError, match=f"No active Lifecycle Action found with instance ID {first}") as refused:
        group.complete("boot", first)
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    group.complete("boot", second)
    group.fleet.release(1)
    assert (group.fleet.floor(), group.fleet.standing()) == (1, 2)


def test_a_boot_that_takes_too_long_is_abandoned_and_tried_again(cloud: Cloud) -> None:
    group = cloud.group(1, hooks=({**BOOT, "HeartbeatTimeout": 30},))
    (slow,) = group.states()
    cloud.scaling.record_lifecycle_action_heartbeat(LifecycleHookName="boot", AutoScalingGroupName=group.name, InstanceId=slow)
    (other,) = until(lambda: group.in_state("Pending:Wait") - {slow})
    assert slow not in group.in_state("InService")
    group.complete("boot", other, "ABANDON")
    assert other not in group.in_state("Pending:Wait")
    until(lambda: {slow, other}.isdisjoint(group.states()))


def test_a_boot_hook_that_continues_by_default_lets_the_instance_in_when_its_time_is_up(cloud: Cloud) -> None:
    group = cloud.group(1, hooks=({**BOOT, "HeartbeatTimeout": 30, "DefaultResult": "CONTINUE"},))
    assert set(group.states().values()) == {"Pending:Wait"}
    until(lambda: group.in_state("InService"))


def test_what_is_scaled_down_drains_then_waits_for_its_hook_and_is_ended(cloud: Cloud) -> None:
    group = cloud.group(2, hooks=(DRAIN,))
    ids = group.serving()
    group.fleet.set_to(1)
    (leaving,) = group.in_state("Terminating")
    (staying,) = ids - {leaving}
    assert group.targets() == {leaving: "draining", staying: "healthy"}
    assert group.fleet.ready() == 1
    until(lambda: group.in_state("Terminating:Wait") == {leaving})
    assert group.targets() == {staying: "healthy"}
    group.complete("drain", leaving)
    assert group.states() == {staying: "InService"}
    (ended,) = cloud.ec2.describe_instances(InstanceIds=[leaving])["Reservations"][0]["Instances"]
    assert ended["State"]["Name"] == "terminated"


def test_an_instance_that_ec2_ends_is_replaced_a_little_later(cloud: Cloud) -> None:
    group = cloud.group(2)
    ids = group.serving()
    lost, kept = sorted(ids)
    began = cloud.aws.time.now()
    cloud.ec2.terminate_instances(InstanceIds=[lost])
    assert group.targets() == {lost: "draining", kept: "healthy"}
    until(lambda: lost not in group.states())
    assert cloud.aws.time.now() - began >= NOTICED_AFTER_S
    assert len(group.in_state("Pending")) == 1
    assert kept in group.in_state("InService")


def test_what_the_load_balancer_finds_unhealthy_is_replaced_when_its_grace_is_over(cloud: Cloud) -> None:
    group = cloud.group(1, HealthCheckType="ELB", HealthCheckGracePeriod=60)
    began = cloud.aws.time.now()
    (sick,) = group.serving()
    group.health(**{sick: "unhealthy"})
    until(lambda: sick not in group.in_state("InService"))
    assert cloud.aws.time.now() - began >= 60
    assert len(group.in_state("Pending")) == 1


def test_with_a_maintenance_policy_the_replacement_serves_before_the_sick_one_goes(cloud: Cloud) -> None:
    policy = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 150}
    group = cloud.group(1, HealthCheckType="EBS,ELB", HealthCheckGracePeriod=0, InstanceMaintenancePolicy=policy)
    (sick,) = group.serving()
    group.health(**{sick: "unhealthy"})
    assert sorted(group.states().values()) == ["InService", "Pending"]
    (new,) = group.boot()
    assert group.states() == {sick: "InService", new: "InService"}, "until its first health check it serves nothing"
    group.health(**{new: "healthy"})
    assert group.states()[sick] == "Terminating"


def test_health_checks_of_ec2_alone_leave_what_the_load_balancer_finds_unhealthy(cloud: Cloud) -> None:
    group = cloud.group(1, HealthCheckGracePeriod=0)
    (sick,) = group.serving()
    group.health(**{sick: "unhealthy"})
    assert group.states() == {sick: "InService"}


def test_on_demand_base_and_share_zones_and_types_are_those_of_the_policy(cloud: Cloud) -> None:
    group = cloud.group(8, on_demand=(2, 20))
    machines = group.described()
    spot = [each for each in machines if each.get("InstanceLifecycle") == "spot"]
    assert len(spot) == 4  # of 8: 2, and a fifth of 6 rounded up
    assert {each["InstanceType"] for each in machines if each not in spot} == {"c7g.large"}
    zones = [each["Placement"]["AvailabilityZone"] for each in machines]
    assert sorted(zones.count(zone) for zone in set(zones)) == [2, 3, 3]
    assert {each["LaunchTemplate"]["Version"] for each in group.instances().values()} == {"1"}
    tags = {tag["Key"]: tag["Value"] for tag in machines[0]["Tags"]}
    assert (tags["aws:autoscaling:groupName"], tags["aws:ec2launchtemplate:version"]) == (group.name, "1")


def test_a_spot_instance_has_its_notice_and_is_taken_and_its_pool_is_not_tried_again(cloud: Cloud) -> None:
    group = cloud.group(3, on_demand=(0, 0))
    ids = group.serving()
    machine = group.described()[0]
    taken, pool = machine["InstanceId"], (machine["InstanceType"], machine["Placement"]["AvailabilityZone"])
    began = cloud.aws.time.now()
    assert page(cloud.aws, "POST", "spot-interruption", {"instance-ids": [taken], "notice-s": 30})[0] == 200
    told = page(cloud.aws, "GET", "spot-interruption")[1][taken]
    assert told["action"] == "terminate"
    until(lambda: taken not in group.states())
    assert cloud.aws.time.now() - began >= 30
    assert group.in_state("InService") == ids - {taken}
    reason = cloud.ec2.describe_instances(InstanceIds=[taken])["Reservations"][0]["Instances"][0]["StateReason"]
    assert reason["Code"] == "Server.SpotInstanceTermination"
    (new,) = group.in_state("Pending")
    (replacement,) = [each for each in group.described() if each["InstanceId"] == new]
    assert replacement["InstanceLifecycle"] == "spot"
    assert replacement["Placement"]["AvailabilityZone"] == pool[1]
    assert replacement["InstanceType"] != pool[0]


def test_with_capacity_rebalancing_the_replacement_is_launched_at_the_notice(cloud: Cloud) -> None:
    group = cloud.group(1, on_demand=(0, 0), CapacityRebalance=True)
    (taken,) = group.serving()
    page(cloud.aws, "POST", "spot-interruption", {"instance-ids": [taken], "notice-s": 600})
    (new,) = group.in_state("Pending")
    group.boot()
    assert group.states() == {taken: "Terminating", new: "InService"}


def test_only_spot_instances_of_groups_are_reclaimed(cloud: Cloud) -> None:
    (on_demand,) = cloud.group(1).states()
    for body, said in (
        ({"instance-ids": [on_demand]}, f"{on_demand} is on demand: only spot instances are reclaimed"),
        ({"instance-ids": ["i-none"]}, "i-none is no instance of a group here"),
        ({"instance-ids": []}, "the body must be an object of instance-ids, a list, and notice-s"),
        ({"instance-ids": [on_demand], "notice-s": -1}, "notice-s must be a number of lab seconds, not below 0"),
    ):
        assert page(cloud.aws, "POST", "spot-interruption", body) == (400, {"error": f"/_lab/spot-interruption: {said}"})


def test_a_terminated_instance_is_replaced_or_not_as_asked(cloud: Cloud) -> None:
    group = cloud.group(2, MinSize=1)
    first, second = group.serving()
    ask = cloud.scaling.terminate_instance_in_auto_scaling_group
    ask(InstanceId=first, ShouldDecrementDesiredCapacity=True)
    assert group.states() == {first: "Terminating", second: "InService"}
    with pytest.raises(ClientError, match="will violate group's min size constraint"):
        ask(InstanceId=second, ShouldDecrementDesiredCapacity=True)
    ask(InstanceId=second, ShouldDecrementDesiredCapacity=False)
    assert sorted(group.states().values()) == ["Pending", "Terminating", "Terminating"]


def test_an_instance_on_standby_has_no_traffic_until_it_is_back(cloud: Cloud) -> None:
    group = cloud.group(1)
    (aside,) = group.serving()
    its = {"AutoScalingGroupName": group.name, "InstanceIds": [aside]}
    cloud.scaling.enter_standby(**its, ShouldDecrementDesiredCapacity=True)
    assert (group.states(), group.targets()) == ({aside: "Standby"}, {aside: "draining"})
    cloud.scaling.exit_standby(**its)
    assert (group.states(), group.targets()) == ({aside: "InService"}, {aside: "initial"})


def test_sizes_are_held_to_each_other_and_the_mixture_stays(cloud: Cloud) -> None:
    group = cloud.group(2, MinSize=1, MaxSize=4)
    for wanted, said in ((0, "is below min value 1"), (5, "is above max value 4")):
        with pytest.raises(ClientError, match=said):
            cloud.scaling.set_desired_capacity(AutoScalingGroupName=group.name, DesiredCapacity=wanted)
    cloud.scaling.update_auto_scaling_group(AutoScalingGroupName=group.name, MinSize=3)
    assert (group.fleet.floor(), group.fleet.standing()) == (3, 3)
    assert instance_types(group.fleet.group()) == set(TYPES)
    with pytest.raises(ClientError, match="Desired capacity:9 must be between"):
        cloud.scaling.update_auto_scaling_group(AutoScalingGroupName=group.name, DesiredCapacity=9)


def test_a_templates_group_has_its_hooks_and_a_deployment_refreshes_it_in_place(cloud: Cloud) -> None:
    target_group = cloud.group(0).target_group

    def template(instance_type: str) -> str:
        data = {"ImageId": "ami-1", "InstanceType": instance_type}
        version = {"Fn::GetAtt": ["Template", "LatestVersionNumber"]}
        launch = {"LaunchTemplateSpecification": {"LaunchTemplateId": {"Ref": "Template"}, "Version": version}}
        group = {
            "MinSize": "2",
            "MaxSize": "4",
            "VPCZoneIdentifier": cloud.subnets,
            "TargetGroupARNs": [target_group],
            "MixedInstancesPolicy": {"LaunchTemplate": launch},
            "HealthCheckType": "EBS,ELB",
            "InstanceMaintenancePolicy": {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 150},
            "LifecycleHookSpecificationList": [{**BOOT, "HeartbeatTimeout": 300, "DefaultResult": "ABANDON"}],
        }
        refresh = {"AutoScalingInstanceRefresh": {"Preferences": {"MaxHealthyPercentage": 125}}}
        resources = {
            "Template": {"Type": "AWS::EC2::LaunchTemplate", "Properties": {"LaunchTemplateData": data}},
            "Group": {"Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": group, "UpdatePolicy": refresh},
        }
        return json.dumps({"Resources": resources})

    stacks = cloud.aws.client("cloudformation")
    stacks.create_stack(StackName="fleet", TemplateBody=template("c7g.large"))
    found = stacks.list_stack_resources(StackName="fleet")["StackResourceSummaries"]
    name = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}["Group"]
    group = Group(cloud, name, target_group)

    def versions() -> dict[str, str]:
        return {id: each["LaunchTemplate"]["Version"] for id, each in group.instances().items()}

    for instance in group.in_state("Pending:Wait"):
        group.complete("boot", instance)
    with pytest.raises(ClientError, match="is in CREATE_COMPLETE state and cannot be signaled"):
        stacks.signal_resource(StackName="fleet", LogicalResourceId="Group", UniqueId="i-1", Status="SUCCESS")
    group.fleet.raise_to(3)  # as a switch does
    (third,) = group.in_state("Pending:Wait")
    group.complete("boot", third)
    old = group.in_state("InService")
    stacks.update_stack(StackName="fleet", TemplateBody=template("c6g.large"))
    assert group.fleet.standing() == 3, "the size that the switch asked for stays"
    for _ in range(3):
        (new,) = group.in_state("Pending:Wait")
        assert versions()[new] == "2"
        assert len(group.in_state("InService")) == 3, "nothing goes before its replacement serves"
        group.complete("boot", new)
    assert {versions()[each] for each in group.in_state("InService")} == {"2"}
    assert old.isdisjoint(group.in_state("InService"))
    stacks.delete_stack(StackName="fleet")


def test_a_deleted_group_leaves_nothing_running(cloud: Cloud) -> None:
    group = cloud.group(2, hooks=(DRAIN,))
    ids = group.serving()
    cloud.scaling.delete_auto_scaling_group(AutoScalingGroupName=group.name, ForceDelete=True)
    found = cloud.ec2.describe_instances(InstanceIds=list(ids))["Reservations"]
    assert {instance["State"]["Name"] for each in found for instance in each["Instances"]} == {"terminated"}
    assert set(group.targets().values()) == {"draining"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"i-1": "stopped"}, "i-1: its state must be running"),
        ([], "the body must be an object of instances' ids and their states"),
    ],
)
def test_a_state_that_is_none_is_refused(cloud: Cloud, body: Any, said: str) -> None:
    assert page(cloud.aws, "PUT", "instances", body) == (400, {"error": f"/_lab/instances: {said}"})


def test_an_instance_that_is_gone_is_ignored_by_name(cloud: Cloud) -> None:
    assert page(cloud.aws, "PUT", "instances", {"i-gone": "running"}) == (200, {"ignored": ["i-gone"]})


def test_the_switch_finds_a_stage_here_prewarms_it_moves_its_traffic_and_lets_the_other_lane_go(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in cloud.aws.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    resources = deploy(instances=1, most=4).resources
    aws = Aws(REGION)
    assert replace(find(aws, "prod"), served_at=None) == replace(resources, served_at=None)
    lanes, traffic = AwsLanes(aws, resources, AwsClock(None)), AwsTraffic(aws, resources)
    group = Group(cloud, resources.group, resources.target_groups["container"])
    group.serving()
    for hook in (BOOT, DRAIN):
        cloud.scaling.put_lifecycle_hook(AutoScalingGroupName=group.name, HeartbeatTimeout=3_600, **hook)
    lanes.prewarm("container", 3)
    assert lanes.ready("container") == 1
    for instance in group.in_state("Pending:Wait"):
        group.complete("boot", instance)
    assert lanes.ready("container") == 1, "in service, and not yet healthy"
    group.health(**dict.fromkeys(group.in_state("InService"), "healthy"))
    assert lanes.ready("container") == 3
    traffic.write(Weights(30, 70))
    assert (traffic.rule(), traffic.parameter()) == (Weights(30, 70), Weights(30, 70))
    lanes.release("container", 1)
    lanes.scale_down("container", 1)
    assert len(group.in_state("Terminating")) == 2
    assert (lanes.standing("container"), lanes.ready("container")) == (1, 1)
