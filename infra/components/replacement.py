"""How instances of the container lane are replaced, for whatever reason: launched first, ended after, rolled back if they fail.

A new bundle is rolled out by an instance refresh that CloudFormation starts (`AutoScalingInstanceRefresh`, since July 2026),
not by its rolling update: that ends instances before it launches their replacements, ignores the group's maintenance policy,
and wants health checks and scaling suspended for as long as it lasts. An instance refresh keeps all of them, and waits for the
hook `boot`. When it fails, CloudFormation rolls the stack back and refreshes the group to what it was; Auto Scaling's own
rollback knows no image that is looked up at launch, and is not used. Source: AWS CloudFormation Template Reference,
"UpdatePolicy attribute".
"""

from __future__ import annotations

from aws_cdk import Duration, IResolvable
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.components.boot.render import BOOT_HOOK, DRAIN_HOOK
from infra.components.instance_role import METRICS_NAMESPACE
from infra.config import Stage

# How long an instance may take from its launch until it says that it serves: packages, bundle, start.
BOOT_TIMEOUT_S = 600
# An instance that leaves has ended by T+100 s, and a spot instance is taken away at T+120 s whatever it does.
DRAIN_TIMEOUT_S = 120

# Nothing is ended before its replacement serves. Losing a whole spot pool at once is the usual case, so a third of the
# instances can be replaced in one go, and then some.
MIN_HEALTHY_PERCENT, MAX_HEALTHY_PERCENT = 100, 150
# Of a deployment: a quarter at a time, so that a bad bundle is seen before it is everywhere.
REFRESH_MAX_HEALTHY_PERCENT = 125
# The image is looked up at each launch, so this is how patches reach instances between deployments.
MAX_LIFETIME_DAYS = 14


def lifecycle_hooks() -> list[IResolvable | autoscaling.CfnAutoScalingGroup.LifecycleHookSpecificationProperty]:
    """Part of the group itself, so that its first instances have them. An instance without the word of its boot program never
    serves; one that leaves is ended when its time is up, whether or not it has said that it is done."""
    return [
        autoscaling.CfnAutoScalingGroup.LifecycleHookSpecificationProperty(
            lifecycle_hook_name=name,
            lifecycle_transition=f"autoscaling:EC2_INSTANCE_{transition}",
            heartbeat_timeout=timeout_s,
            default_result=otherwise,
        )
        for name, transition, timeout_s, otherwise in (
            (BOOT_HOOK, "LAUNCHING", BOOT_TIMEOUT_S, "ABANDON"),
            (DRAIN_HOOK, "TERMINATING", DRAIN_TIMEOUT_S, "CONTINUE"),
        )
    ]


def boot_failures_name(stage: Stage) -> str:
    """Name of the alarm that ends a deployment. Fixed, because the group names the alarm and the alarm names the group."""
    return f"{stage.resource_prefix}-container-boot-failures"


def boot_failures_alarm(scope: Construct, *, stage: Stage, group: autoscaling.AutoScalingGroup) -> cloudwatch.Alarm:
    """In alarm when boots failed in two of the last ten minutes: one failure may be a package mirror's, two are the bundle's.

    Without it a refresh whose instances do not boot would try on for an hour. Only what the instances themselves report
    counts, so a lack of spot capacity ends no deployment. No error of the service is watched here: AWS starts no refresh while
    such an alarm rings, and so would refuse the very deployment that puts it right.
    """
    return cloudwatch.Alarm(
        scope,
        "BootFailures",
        alarm_name=boot_failures_name(stage),
        alarm_description="Instances fail to boot; a deployment under way is rolled back. See docs/container-lane.md.",
        metric=cloudwatch.Metric(
            namespace=METRICS_NAMESPACE,
            metric_name="BootFailures",
            dimensions_map={"AutoScalingGroupName": group.auto_scaling_group_name},
            statistic="Sum",
            period=Duration.minutes(1),
        ),
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        threshold=1,
        evaluation_periods=10,
        datapoints_to_alarm=2,
        # Nobody reports that nothing failed, and AWS starts no refresh while an alarm lacks data.
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )


def instance_refresh(scope: Construct, *, stage: Stage) -> autoscaling.UpdatePolicy:
    """Replaces what runs another launch template than the deployed one, a quarter of the group at a time."""
    return autoscaling.UpdatePolicy.instance_refresh(
        strategy=autoscaling.InstanceRefreshStrategy.ROLLING,
        min_healthy_percentage=MIN_HEALTHY_PERCENT,
        max_healthy_percentage=REFRESH_MAX_HEALTHY_PERCENT,
        skip_matching=True,
        alarms=[cloudwatch.Alarm.from_alarm_name(scope, "BootFailuresByName", boot_failures_name(stage))],
        # An instance that somebody took aside to look at stays aside, instead of failing the deployment after an hour.
        standby_instances=autoscaling.StandbyInstances.IGNORE,
        scale_in_protected_instances=autoscaling.ScaleInProtectedInstances.REFRESH,
    )
