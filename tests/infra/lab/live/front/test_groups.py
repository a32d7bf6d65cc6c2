"""Target groups as elbv2 describes them."""

from __future__ import annotations

import pytest

from infra.lab.live.front.groups import Group, HealthCheck, group

DESCRIBED = {
    "TargetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/web/0123",
    "TargetType": "instance",
    "Port": 8000,
    "HealthCheckEnabled": True,
    "HealthCheckPort": "traffic-port",
    "HealthCheckPath": "/readyz",
    "HealthCheckIntervalSeconds": 10,
    "HealthCheckTimeoutSeconds": 5,
    "HealthyThresholdCount": 2,
    "UnhealthyThresholdCount": 3,
    "Matcher": {"HttpCode": "200"},
}


def test_a_group_of_instances_has_its_checks_and_attributes() -> None:
    attributes = {
        "deregistration_delay.timeout_seconds": "45",
        "load_balancing.algorithm.type": "weighted_random",
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
    }
    found = group(DESCRIBED, attributes)
    assert found.health == HealthCheck("/readyz", None, 10, 5, 2, 3, "200")
    assert (found.port, found.deregistration_delay_s, found.algorithm) == (8000, 45, "weighted_random")
    assert found.dimension == "targetgroup/web/0123"


def test_a_function_is_not_checked_and_has_no_delay() -> None:
    found = group({"TargetGroupArn": "arn", "TargetType": "lambda"}, {"lambda.multi_value_headers.enabled": "true"})
    assert (found.kind, found.health, found.deregistration_delay_s, found.multi_value_headers) == ("lambda", None, 0, True)


@pytest.mark.parametrize(
    ("codes", "status", "accepted"),
    [("200", 200, True), ("200", 204, False), ("200-299,404", 250, True), ("200-299,404", 404, True), ("200,202", 201, False)],
)
def test_a_matcher_has_codes_and_ranges(codes: str, status: int, accepted: bool) -> None:
    assert HealthCheck(codes=codes).accepts(status) is accepted


def test_a_group_fails_open_without_a_healthy_target_or_below_what_it_asks_for() -> None:
    assert Group("a", "instance").fails_open(0, 3)
    assert not Group("a", "instance").fails_open(1, 3)
    assert Group("a", "instance", fewest_healthy_percent=50).fails_open(1, 3)
