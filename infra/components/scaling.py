"""How many instances the container lane has: three measures of load and the clock (docs/container-lane.md).

The measure that asks for most wins; the group shrinks when all of them agree. Each falls in proportion as instances are
added, which target tracking takes for granted.
"""

from __future__ import annotations

from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from infra.components.instance_role import METRICS_NAMESPACE
from infra.config import Stage


def scale(group: autoscaling.AutoScalingGroup, *, stage: Stage, target_group: elbv2.CfnTargetGroup) -> None:
    """Add the policies that the stage asks for. A group of a fixed size gets none.

    A service of the user's own need not tell how busy its loops are, and a policy that never has data keeps the group from
    shrinking: there CPU is what counts.
    """
    lane = stage.container_lane
    if lane.max_instances == lane.min_instances and not lane.schedules:
        return
    # The one measure that exists without anything of ours on the instance; the cost model's too (`target_utilization`).
    group.scale_on_cpu_utilization("Cpu", target_utilization_percent=round(100 * lane.target_utilization))
    if stage.service is None:
        group.scale_to_track_metric(
            "EventLoopBusy", metric=_event_loop_busy(group), target_value=round(100 * lane.target_loop_busy, 1)
        )
    if lane.target_requests_per_s is not None:
        # Per minute, as the metric counts them (`ALBRequestCountPerTarget` is per minute as well).
        group.scale_to_track_metric(
            "Requests", metric=_requests_per_target(target_group), target_value=60 * lane.target_requests_per_s
        )
    for schedule in lane.schedules:
        group.scale_on_schedule(
            schedule,
            schedule=autoscaling.Schedule.expression(lane.scheduled_cron(schedule)),
            time_zone="Etc/UTC",
            min_capacity=lane.scheduled_minimum(schedule),
        )


def _event_loop_busy(group: autoscaling.AutoScalingGroup) -> cloudwatch.Metric:
    """Mean over the group's instances of the share of time, in percent, in which their event loops were busy. The agent on
    each instance publishes it each minute, with the group as the only dimension: one metric is paid for, not one each."""
    return cloudwatch.Metric(
        namespace=METRICS_NAMESPACE,
        metric_name="EventLoopBusy",
        dimensions_map={"AutoScalingGroupName": group.auto_scaling_group_name},
        statistic="Average",
    )


def _requests_per_target(target_group: elbv2.CfnTargetGroup) -> cloudwatch.Metric:
    """Requests per target and minute. AWS publishes it by target group alone too, so the load balancer, which is made after
    this group and needs it, need not be named (as the predefined `ALBRequestCountPerTarget` would have it).

    `Sum` is its only valid statistic, and is the mean of the targets (CloudWatch metrics for your Application Load Balancer).
    """
    return cloudwatch.Metric(
        namespace="AWS/ApplicationELB",
        metric_name="RequestCountPerTarget",
        dimensions_map={"TargetGroup": target_group.attr_target_group_full_name},
        statistic="Sum",
    )
