"""Figures from CloudWatch: whole minutes that it can have, zeros only where they are known, errors to their lane."""

from __future__ import annotations

import pytest

from infra.errors import KitError
from infra.switching.aws.figures import known_minutes, lane_figures, metrics, window
from infra.switching.aws.lanes import AwsLanes
from infra.switching.need import Load
from infra.switching.ports import Unreachable
from infra.switching.verdict import Figures
from tests.infra.switching.aws.moto_stage import MotoStage, refusal
from tests.infra.switching.world import FakeClock

T0 = 1_800_000_000.0  # a whole minute
BALANCER = "app/"


def lanes_at(stage: MotoStage, now: float) -> AwsLanes:
    return AwsLanes(stage.aws, stage.resources, FakeClock(now))


def publish(stage: MotoStage, name: str, lane: str | None, minutes: dict[float, float], stat: str = "Sum") -> None:
    resources = stage.resources
    dimension = resources.load_balancer if lane is None else resources.target_group(lane)
    stage.metrics.publish(name, dimension, stat, minutes)


@pytest.mark.parametrize(
    ("since", "now", "expected"),
    [
        (T0, T0 + 90, (T0, T0 + 60)),  # the first minute is over since half a minute
        (T0, T0 + 89, (T0, T0)),
        (T0 + 1, T0 + 150, (T0 + 60, T0 + 120)),  # the minute in which it began also holds what was before
        (T0 + 60, T0 + 300, (T0 + 60, T0 + 240)),
    ],
)
def test_only_whole_minutes_after_the_moment_that_are_over_are_asked_for(
    since: float, now: float, expected: tuple[float, float]
) -> None:
    assert window(since, now) == expected


def test_too_early_nothing_is_known_but_who_is_healthy_and_nothing_is_asked(stage: MotoStage) -> None:
    lanes = lanes_at(stage, T0 + 60)
    assert lanes.figures("container", T0) == Figures(healthy=2)
    assert lanes.figures("lambda", T0) == Figures()
    assert stage.metrics.asked == []


def test_a_window_that_cloudwatch_does_not_have_is_not_known_and_not_zero(stage: MotoStage) -> None:
    assert lanes_at(stage, T0 + 300).figures("lambda", T0) == Figures()


def test_a_minute_without_requests_is_zero_where_the_load_balancer_told_something(stage: MotoStage) -> None:
    publish(stage, "HealthyHostCount", "container", {T0: 2, T0 + 60: 2}, "Minimum")
    quiet = lanes_at(stage, T0 + 200).figures("lambda", T0)
    assert quiet == Figures(requests=0, errors=0, throttled=0)


def test_minutes_are_known_up_to_the_last_that_was_told_and_for_both_lanes_alike(stage: MotoStage) -> None:
    publish(stage, "RequestCount", None, {T0: 100, T0 + 60: 100})
    publish(stage, "RequestCount", "container", {T0: 60, T0 + 60: 70, T0 + 120: 80})  # ahead of the load balancer's own
    publish(stage, "RequestCount", "lambda", {T0: 40})
    lanes = lanes_at(stage, T0 + 400)
    assert lanes.figures("container", T0).requests == 130
    assert lanes.figures("lambda", T0).requests == 40
    series = lanes._watch.series(metrics(stage.resources), T0, T0 + 300)
    assert known_minutes(series, T0, T0 + 300) == [T0, T0 + 60]


def test_errors_of_the_load_balancer_that_lambda_explains_are_lambdas_and_the_rest_the_containers(stage: MotoStage) -> None:
    publish(stage, "RequestCount", None, {T0: 1_000})
    for lane in ("lambda", "container"):
        publish(stage, "RequestCount", lane, {T0: 500})
        publish(stage, "HTTPCode_Target_5XX_Count", lane, {T0: 1})
    publish(stage, "LambdaUserError", "lambda", {T0: 20})  # throttles are told as this
    publish(stage, "LambdaInternalError", "lambda", {T0: 2})
    publish(stage, "HTTPCode_ELB_5XX_Count", None, {T0: 29})
    publish(stage, "HTTPCode_ELB_503_Count", None, {T0: 4})
    stage.metrics.publish("Throttles", stage.resources.function, "Sum", {T0: 18})
    lanes = lanes_at(stage, T0 + 100)
    on_lambda, on_container = lanes.figures("lambda", T0), lanes.figures("container", T0)
    assert (on_lambda.requests, on_lambda.errors, on_lambda.throttled) == (500, 23, 18)
    assert (on_container.requests, on_container.errors) == (504, 8)


def test_p99_counts_each_minute_by_its_requests_and_is_unknown_without_any(stage: MotoStage) -> None:
    publish(stage, "RequestCount", None, {T0: 400, T0 + 60: 100})
    publish(stage, "RequestCount", "container", {T0: 300, T0 + 60: 100})
    publish(stage, "TargetResponseTime", "container", {T0: 0.4, T0 + 60: 0.8}, "p99")
    publish(stage, "RequestCount", "lambda", {T0: 100})
    lanes = lanes_at(stage, T0 + 300)
    assert lanes.figures("container", T0).p99_ms == pytest.approx(500)
    assert lanes.figures("lambda", T0).p99_ms is None


def test_loop_lag_is_the_worst_minutes_and_unknown_where_no_instance_tells_it(stage: MotoStage) -> None:
    publish(stage, "HealthyHostCount", "container", {T0: 2, T0 + 60: 2}, "Minimum")
    assert lanes_at(stage, T0 + 300).figures("container", T0).loop_lag_ms is None
    stage.metrics.publish("EventLoopLagP99", stage.resources.group, "Average", {T0: 9.0, T0 + 60: 31.5})
    assert lanes_at(stage, T0 + 300).figures("container", T0).loop_lag_ms == 31.5


def test_both_lanes_of_one_look_are_told_by_one_answer_and_the_next_look_asks_anew(stage: MotoStage) -> None:
    publish(stage, "RequestCount", None, {T0: 100})
    clock = FakeClock(T0 + 300)
    lanes = AwsLanes(stage.aws, stage.resources, clock)
    lanes.figures("container", T0)
    publish(stage, "RequestCount", None, {T0 + 60: 100})
    publish(stage, "RequestCount", "lambda", {T0: 60, T0 + 60: 60})
    assert lanes.figures("lambda", T0).requests == 0
    assert len(stage.metrics.asked) == 1
    clock.sleep(5)
    assert lanes.figures("lambda", T0).requests == 120


def test_an_answer_in_pages_is_read_to_its_end(stage: MotoStage) -> None:
    stage.metrics.page = 2
    publish(stage, "RequestCount", None, {T0 + 60 * n: 10 for n in range(5)})
    publish(stage, "RequestCount", "lambda", {T0 + 60 * n: 10 for n in range(5)})
    assert lanes_at(stage, T0 + 600).figures("lambda", T0).requests == 50


def test_the_load_is_of_the_last_hour_and_its_rate_of_the_busiest_minute(stage: MotoStage) -> None:
    lanes = lanes_at(stage, T0 + 3_600)
    assert lanes.load() == Load(rps=None, requests={})
    publish(stage, "RequestCount", None, {T0: 600, T0 + 60: 6_000, T0 + 120: 60})
    publish(stage, "RequestCount", "lambda", {T0: 600, T0 + 60: 6_000})
    stage.metrics.publish("Duration", stage.resources.function, "Average", {T0: 400, T0 + 60: 600, T0 + 120: 9_000})
    stage.metrics.publish("CPUUtilization", stage.resources.group, "Average", {T0: 20, T0 + 300: 40})
    requests: dict[str, int | None] = {"lambda": 6_600, "container": 0}
    assert lanes.load() == Load(rps=100.0, requests=requests, cpu_share=0.3, instances=2, seconds=0.5)


def test_an_idle_stage_has_a_rate_of_zero_and_not_an_unknown_one(stage: MotoStage) -> None:
    publish(stage, "HealthyHostCount", "container", {T0: 2}, "Minimum")
    load = lanes_at(stage, T0 + 3_600).load()
    assert (load.rps, load.requests, load.seconds) == (0.0, {"lambda": 0, "container": 0}, None)


def test_cloudwatch_that_is_away_is_unreachable_and_one_that_refuses_is_an_error(stage: MotoStage) -> None:
    stage.metrics.failing = refusal("InternalServiceFault", 500)
    with pytest.raises(Unreachable, match="CloudWatch"):
        lanes_at(stage, T0 + 300).figures("lambda", T0)
    stage.metrics.failing = refusal("AccessDenied", 403, "not authorized to GetMetricData")
    with pytest.raises(KitError, match="not authorized"):
        lanes_at(stage, T0 + 300).figures("lambda", T0)


def test_each_metric_is_asked_for_with_the_dimensions_it_is_published_with(stage: MotoStage) -> None:
    asked = metrics(stage.resources)
    balancer = stage.resources.load_balancer
    assert balancer.startswith("app/prod/")
    assert asked["LambdaUserError"].dimensions == {"TargetGroup": stage.resources.target_group("lambda")}
    assert asked["container_p99_s"].dimensions == {
        "TargetGroup": stage.resources.target_group("container"),
        "LoadBalancer": balancer,
    }
    assert asked["container_p99_s"].stat == "p99"
    assert asked["loop_lag_ms"].dimensions == {"AutoScalingGroupName": "prod-group"}


def test_no_known_minute_tells_nothing() -> None:
    assert lane_figures("container", {}, [], None) == Figures()


def test_a_timeline_tells_each_minute_as_a_window_of_its_own_and_any_part_of_it_together(stage: MotoStage) -> None:
    publish(stage, "HealthyHostCount", "container", {T0: 2, T0 + 60: 3, T0 + 120: 3}, "Minimum")
    publish(stage, "RequestCount", "container", {T0: 100, T0 + 120: 300})
    publish(stage, "HTTPCode_Target_5XX_Count", "container", {T0: 10})
    publish(stage, "TargetResponseTime", "container", {T0: 0.4, T0 + 120: 0.6}, "p99")
    timeline = lanes_at(stage, T0 + 300).timeline(over_s=300.0)
    assert timeline.minutes == [T0, T0 + 60, T0 + 120]
    assert timeline.each("container") == [
        Figures(requests=100, errors=10, p99_ms=400, healthy=2),
        Figures(requests=0, errors=0, healthy=3),
        Figures(requests=300, errors=0, p99_ms=600, healthy=3),
    ]
    assert timeline.each("lambda") == 3 * [Figures(requests=0, errors=0, throttled=0)]
    assert timeline.over("container", T0 + 1, healthy=3) == Figures(requests=300, errors=0, p99_ms=600, healthy=3)
    assert timeline.over("container", T0 + 1_000) == Figures()
