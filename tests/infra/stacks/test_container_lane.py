"""The container lane's template: instances hardened, mixed and replaced without a gap, and no more allowed than they need."""

from __future__ import annotations

from typing import Any

import pytest

from infra.components.boot.render import USER_DATA_LIMIT_BYTES
from infra.components.container_targets import HEALTH_CHECK_INTERVAL_S, UNHEALTHY_THRESHOLD
from infra.components.replacement import (
    BOOT_TIMEOUT_S,
    DRAIN_TIMEOUT_S,
    MAX_HEALTHY_PERCENT,
    MAX_LIFETIME_DAYS,
    REFRESH_MAX_HEALTHY_PERCENT,
)
from instance.units import LAME_DUCK_S
from tests.conftest import ROOT
from tests.infra.stacks.conftest import Assembly, Resource
from tests.infra.stacks.test_assembly import every_string
from tests.infra.stacks.test_lanes import statements, template_data

pytestmark = pytest.mark.slow  # starts Node

DRAINED_AFTER_S = 100
"""When an instance that leaves has ended, counted from the word that it must."""
SPOT_NOTICE_S = 120
# The resources whose replacement would lose something: the group's instances, and what the load balancer's rules point at.
STATEFUL = {
    "AWS::AutoScaling::AutoScalingGroup": "InstanceGroup",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "LaneTargetGroup46E45D69",
}


def group(assembly: Assembly) -> Resource:
    ((_, found),) = assembly.all("container", "AWS::AutoScaling::AutoScalingGroup").items()
    return found


def granted(assembly: Assembly) -> dict[str, Any]:
    """Statements of the instances' role by their actions."""
    found = statements(assembly, "container")
    assert all(statement["Effect"] == "Allow" for statement in found)
    return {
        " ".join(actions if isinstance(actions, list) else [actions]): statement
        for statement in found
        for actions in [statement["Action"]]
    }


@pytest.mark.parametrize("kind", STATEFUL)
def test_what_holds_state_keeps_its_logical_id(default: Assembly, secured: Assembly, kind: str) -> None:
    for assembly in (default, secured):
        assert list(assembly.all("container", kind)) == [STATEFUL[kind]]


# What instances may do

SESSION_MANAGER = (  # which IAM limits to no resource
    "ssm:UpdateInstanceInformation ssmmessages:CreateControlChannel ssmmessages:CreateDataChannel "
    "ssmmessages:OpenControlChannel ssmmessages:OpenDataChannel"
)


def test_instances_may_do_what_booting_leaving_and_telling_take_and_nothing_else(default: Assembly) -> None:
    assert sorted(granted(default)) == [
        "autoscaling:CompleteLifecycleAction",
        "cloudformation:SignalResource",
        "cloudwatch:PutMetricData",
        "elasticloadbalancing:DeregisterTargets",
        "s3:GetObject",
        SESSION_MANAGER,
    ]
    assert "ManagedPolicyArns" not in default.one("container", "AWS::IAM::Role")
    kinds = {body["Type"] for body in default.template("container")["Resources"].values()}
    assert "AWS::IAM::Policy" not in kinds  # inline: in force before the first instance starts


def test_instances_read_the_one_bundle_and_signal_their_own_stack(default: Assembly) -> None:
    key = default.one("lambda", "AWS::Lambda::Function")["Code"]["S3Key"]
    assert every_string(granted(default)["s3:GetObject"]["Resource"])[-1] == f"/{key}"
    assert granted(default)["cloudformation:SignalResource"]["Resource"] == {"Ref": "AWS::StackId"}


def test_instances_leave_their_own_target_group_only(default: Assembly) -> None:
    (target_group,) = default.all("container", "AWS::ElasticLoadBalancingV2::TargetGroup")
    assert granted(default)["elasticloadbalancing:DeregisterTargets"]["Resource"] == {"Ref": target_group}


def test_instances_complete_the_hooks_of_their_own_group_only(default: Assembly) -> None:
    (statement,) = [found for actions, found in granted(default).items() if "CompleteLifecycleAction" in actions]
    named = "".join(text if isinstance(text, str) else f"<{text['Ref']}>" for text in statement["Resource"]["Fn::Join"][1])
    (logical_id,) = default.all("container", "AWS::AutoScaling::AutoScalingGroup")
    assert "AutoScalingGroupName" not in group(default)["Properties"]  # so CloudFormation names it after stack and logical id
    assert named == (
        "arn:<AWS::Partition>:autoscaling:<AWS::Region>:<AWS::AccountId>:autoScalingGroup:*"
        f":autoScalingGroupName/<AWS::StackName>-{logical_id}-*"
    )


def test_instances_publish_in_the_kits_namespace_only(default: Assembly) -> None:
    condition = granted(default)["cloudwatch:PutMetricData"]["Condition"]
    assert condition == {"StringEquals": {"cloudwatch:namespace": "Crossover"}}


def test_no_other_resource_is_a_wildcard(default: Assembly, secured: Assembly) -> None:
    for assembly in (default, secured):
        wide = {actions for actions, found in granted(assembly).items() if "*" in "".join(every_string([found["Resource"]]))}
        assert wide == {
            "autoscaling:CompleteLifecycleAction",
            "cloudwatch:PutMetricData",
            SESSION_MANAGER,
        }


# What an instance is


def test_instances_believe_the_callers_address_and_scheme_from_the_load_balancer_alone(default: Assembly) -> None:
    assert "\nFORWARDED_ALLOW_IPS=10.40.0.0/16" in "".join(every_string(template_data(default)["UserData"]))


def test_a_leaving_instance_serves_for_longer_than_it_takes_to_be_found_unhealthy() -> None:
    """Where deregistering fails, the health check is what takes it out of the load balancer."""
    assert HEALTH_CHECK_INTERVAL_S * UNHEALTHY_THRESHOLD < LAME_DUCK_S < DRAINED_AFTER_S


def test_instances_require_imdsv2_and_encrypt_their_volume(default: Assembly) -> None:
    data = template_data(default)
    assert data["MetadataOptions"] == {
        "HttpTokens": "required",
        "HttpPutResponseHopLimit": 1,
        "InstanceMetadataTags": "enabled",
    }
    (volume,) = data["BlockDeviceMappings"]
    assert volume["Ebs"] == {"Encrypted": True, "VolumeSize": 8, "VolumeType": "gp3"}
    assert "KeyName" not in data


def test_instances_and_group_are_measured_each_minute(default: Assembly) -> None:
    assert template_data(default)["Monitoring"] == {"Enabled": True}
    assert group(default)["Properties"]["MetricsCollection"] == [{"Granularity": "1Minute"}]  # no list of names is all


@pytest.mark.parametrize(("stage", "architecture"), [("default", "arm64"), ("secured", "x86_64")])
def test_image_is_the_newest_for_the_architecture_at_launch(
    stage: str, architecture: str, request: pytest.FixtureRequest
) -> None:
    image = template_data(request.getfixturevalue(stage))["ImageId"]
    assert image == f"resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{architecture}"


def test_user_data_fits_with_its_names_resolved(secured: Assembly) -> None:
    assert sum(len(text) + 64 for text in every_string(template_data(secured)["UserData"])) < USER_DATA_LIMIT_BYTES


def test_group_mixes_on_demand_and_spot_as_the_stage_says(default: Assembly) -> None:
    properties = group(default)["Properties"]
    policy = properties["MixedInstancesPolicy"]
    assert policy["InstancesDistribution"] == {
        "OnDemandAllocationStrategy": "prioritized",
        "OnDemandBaseCapacity": 2,
        "OnDemandPercentageAboveBaseCapacity": 20,
        "SpotAllocationStrategy": "price-capacity-optimized",
    }
    # Named types, for an instance refresh with a desired configuration takes no attribute-based selection.
    assert policy["LaunchTemplate"]["Overrides"] == [
        {"InstanceType": name} for name in default.stage.container_lane.instance_types
    ]
    assert (properties["MinSize"], properties["MaxSize"]) == ("2", "100")
    assert "DesiredCapacity" not in properties  # a deployment must not undo what scaling decided


# How instances come and go


def test_group_replaces_what_the_load_balancer_or_the_volume_finds_unhealthy(default: Assembly) -> None:
    properties = group(default)["Properties"]
    assert (properties["HealthCheckType"], properties["HealthCheckGracePeriod"]) == ("EBS,ELB", 60)
    (target_group,) = default.all("container", "AWS::ElasticLoadBalancingV2::TargetGroup")
    assert properties["TargetGroupARNs"] == [{"Ref": target_group}]


def test_hooks_are_the_groups_own_so_that_the_first_instances_have_them(default: Assembly) -> None:
    boot, drain = group(default)["Properties"]["LifecycleHookSpecificationList"]
    assert boot == {
        "LifecycleHookName": "boot",
        "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING",
        "HeartbeatTimeout": BOOT_TIMEOUT_S,
        "DefaultResult": "ABANDON",  # no word from the boot program: the instance never serves
    }
    assert drain == {
        "LifecycleHookName": "drain",
        "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
        "HeartbeatTimeout": DRAIN_TIMEOUT_S,
        "DefaultResult": "CONTINUE",
    }
    assert DRAINED_AFTER_S < DRAIN_TIMEOUT_S <= SPOT_NOTICE_S


def test_nothing_is_ended_before_its_replacement_serves_with_room_for_a_lost_pool(default: Assembly) -> None:
    properties = group(default)["Properties"]
    assert properties["CapacityRebalance"] is True
    assert properties["InstanceMaintenancePolicy"]["MinHealthyPercentage"] == 100
    room = properties["InstanceMaintenancePolicy"]["MaxHealthyPercentage"] - 100
    assert room * 3 >= 100  # a third of the instances at once


def test_instances_live_two_weeks_at_most_and_the_oldest_goes_first(default: Assembly) -> None:
    properties = group(default)["Properties"]
    assert properties["MaxInstanceLifetime"] == 14 * 24 * 3600
    assert properties["TerminationPolicies"] == ["AllocationStrategy", "OldestLaunchTemplate", "OldestInstance"]


def test_new_bundle_refreshes_a_quarter_at_a_time_above_full_capacity(default: Assembly) -> None:
    update = group(default)["UpdatePolicy"]
    assert "AutoScalingRollingUpdate" not in update  # CloudFormation takes one of the two
    assert update["AutoScalingInstanceRefresh"] == {
        "Strategy": "Rolling",
        "Preferences": {
            "MinHealthyPercentage": 100,
            "MaxHealthyPercentage": 125,
            "SkipMatching": True,
            "AlarmSpecification": {"Alarms": ["crossover-dev-container-boot-failures"]},
            "ScaleInProtectedInstances": "Refresh",
            "StandbyInstances": "Ignore",
        },
    }
    version = group(default)["Properties"]["MixedInstancesPolicy"]["LaunchTemplate"]["LaunchTemplateSpecification"]["Version"]
    (template,) = default.all("container", "AWS::EC2::LaunchTemplate")
    assert version == {"Fn::GetAtt": [template, "LatestVersionNumber"]}  # a new one is what starts the refresh


def test_page_says_how_long_a_deployment_takes_and_what_it_costs(default: Assembly) -> None:
    page = (ROOT / "docs" / "container-lane.md").read_text()
    each_s = 90 + default.stage.container_lane.warmup_s + DRAINED_AFTER_S
    for instances in (2, 20, 100):
        at_once = max(1, instances * (REFRESH_MAX_HEALTHY_PERCENT - 100) // 100)
        rounds = -(-instances // at_once)
        hours = instances * each_s / 3600
        assert f"| {instances} | {rounds} | {rounds * each_s / 60:.0f} min | {hours:.1f} |" in page


def test_page_states_the_figures_that_are_deployed(default: Assembly) -> None:
    page = (ROOT / "docs" / "container-lane.md").read_text()
    lane = default.stage.container_lane
    for said in (
        f"100% to {MAX_HEALTHY_PERCENT}% of the desired size",
        f"hook `boot`, {BOOT_TIMEOUT_S} s, else ABANDON",
        f"hook `drain`, {DRAIN_TIMEOUT_S} s, else CONTINUE",
        f"at most {MAX_LIFETIME_DAYS} days old",
        f"`health_check_grace_s` ({lane.health_check_grace_s} s)",
        f"deregistration delay {lane.deregistration_delay_s} s",
        f"`target_utilization`, {lane.target_utilization:.0%}",
        f"`target_loop_busy`, {lane.target_loop_busy:.0%}",
    ):
        assert said in page


def test_alarm_that_ends_a_deployment_is_never_without_data_and_forgives_one_failure(default: Assembly) -> None:
    alarm = default.one("container", "AWS::CloudWatch::Alarm")
    (watched,) = group(default)["UpdatePolicy"]["AutoScalingInstanceRefresh"]["Preferences"]["AlarmSpecification"]["Alarms"]
    assert alarm["AlarmName"] == watched
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("Crossover", "BootFailures", "Sum")
    assert alarm["Dimensions"] == [{"Name": "AutoScalingGroupName", "Value": {"Ref": "InstanceGroup"}}]
    assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"], alarm["Threshold"], alarm["Period"]) == (2, 10, 1, 60)
    assert alarm["TreatMissingData"] == "notBreaching"


def test_first_deployment_waits_until_each_instance_says_that_it_is_ready(default: Assembly, secured: Assembly) -> None:
    assert group(default)["CreationPolicy"]["ResourceSignal"] == {"Count": 2, "Timeout": f"PT{BOOT_TIMEOUT_S // 60}M"}
    assert group(secured)["CreationPolicy"]["ResourceSignal"]["Count"] == 1
    assert "\nGROUP=InstanceGroup\n" in "".join(every_string(template_data(default)["UserData"]))


# Who gets requests


def test_target_group_asks_readiness_long_enough_for_a_worker_to_be_replaced(secured: Assembly) -> None:
    found = secured.one("container", "AWS::ElasticLoadBalancingV2::TargetGroup")
    assert (found["TargetType"], found["Protocol"], found["Port"]) == ("instance", "HTTP", 9000)
    assert (found["HealthCheckPath"], found["Matcher"]) == ("/readyz", {"HttpCode": "200"})
    assert found["HealthCheckIntervalSeconds"] * found["UnhealthyThresholdCount"] == 30
    assert HEALTH_CHECK_INTERVAL_S * UNHEALTHY_THRESHOLD > 5  # docs/serving.md: a blocked worker serves again within 5 s
    assert found["HealthCheckTimeoutSeconds"] < found["HealthCheckIntervalSeconds"]


def test_target_group_drains_never_sticks_and_turns_away_from_failing_targets(secured: Assembly) -> None:
    found = secured.one("container", "AWS::ElasticLoadBalancingV2::TargetGroup")["TargetGroupAttributes"]
    assert {attribute["Key"]: attribute["Value"] for attribute in found} == {
        "deregistration_delay.timeout_seconds": "30",
        "stickiness.enabled": "false",
        "load_balancing.algorithm.type": "weighted_random",
        "load_balancing.algorithm.anomaly_mitigation": "on",
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
    }
