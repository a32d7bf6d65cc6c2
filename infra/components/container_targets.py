"""The target group of the container lane: which instances get requests, and how one that leaves is let go."""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from infra.config import ContainerLane

HEALTH_CHECK_INTERVAL_S = 10
HEALTH_CHECK_TIMEOUT_S = 5
HEALTHY_THRESHOLD = 2
# Half a minute: a worker whose loop is blocked is replaced within 5 s (docs/serving.md), which must not cost the instance.
UNHEALTHY_THRESHOLD = 3


def container_targets(scope: Construct, *, lane: ContainerLane, vpc: ec2.IVpc) -> elbv2.CfnTargetGroup:
    """Healthy is what `/readyz` says twice running; a leaving instance has the stage's delay to finish."""
    attributes = {
        "deregistration_delay.timeout_seconds": str(lane.deregistration_delay_s),
        # Stickiness would outlive a weight of 0.
        "stickiness.enabled": "false",
        # Not by fewest requests outstanding: an overloaded instance refuses at once, so it would be given the most. By chance
        # instead, and less for a target that answers with more errors than its peers. Excludes slow start: an instance
        # serves when it is ready, and not before.
        "load_balancing.algorithm.type": "weighted_random",
        "load_balancing.algorithm.anomaly_mitigation": "on",
        # With no healthy target left, all are asked. Never before: one that is not ready says so because it leaves or starts.
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
    }
    return elbv2.CfnTargetGroup(
        scope,
        "TargetGroup",
        target_type="instance",
        vpc_id=vpc.vpc_id,
        protocol="HTTP",
        port=lane.port,
        health_check_path="/readyz",
        health_check_interval_seconds=HEALTH_CHECK_INTERVAL_S,
        health_check_timeout_seconds=HEALTH_CHECK_TIMEOUT_S,
        healthy_threshold_count=HEALTHY_THRESHOLD,
        unhealthy_threshold_count=UNHEALTHY_THRESHOLD,
        matcher=elbv2.CfnTargetGroup.MatcherProperty(http_code="200"),
        target_group_attributes=[
            elbv2.CfnTargetGroup.TargetGroupAttributeProperty(key=key, value=value) for key, value in attributes.items()
        ],
    )
