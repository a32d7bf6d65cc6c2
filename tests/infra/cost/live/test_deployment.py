"""A stage's samples from CloudWatch and Logs Insights: hours put together, each figure to its lane, unknown left unknown."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.aws_calls import AwsClients
from infra.cost.live.deployment import SHARES, Deployment, read_deployment
from infra.cost.live.logs import Histogram
from infra.cost.live.profile import live_profile
from infra.cost.live.stage import LiveStage, find_stage, instance_types, log_group
from infra.errors import KitError
from tests.infra.cost.conftest import lane, profile_with
from tests.infra.cost.live.doubles import Insights, Metrics
from tests.infra.cost.live.test_logs import platform
from tests.infra.switching.aws.moto_stage import PREFIX, REGION, aws_in_moto, make_stack

NOW = 1_800_000_000.0
HOUR = 3_600.0
STAGE = LiveStage(
    stage="prod",
    region=REGION,
    balancer="app/prod/1",
    targets={"lambda": "targetgroup/l/1", "container": "targetgroup/c/1"},
    function="f",
    group="g",
)
BALANCER = {"LoadBalancer": "app/prod/1"}


def hour(number: int) -> float:
    """The beginning of a whole hour, the first one 20 hours ago."""
    return NOW // HOUR * HOUR - (20 - number) * HOUR


def publish_samples(metrics: Metrics, namespace: str, name: str, place: dict[str, str], at: float, values: list[float]) -> None:
    """One hour's statistics of these samples, percentiles as CloudWatch has them."""
    values = sorted(values)
    told = {f"{stat}": values[min(len(values) - 1, int(share * len(values)))] for stat, share in SHARES.items()}
    told |= {"Maximum": values[-1], "Sum": sum(values), "SampleCount": float(len(values)), "Minimum": values[0]}
    for stat, value in told.items():
        metrics.publish(namespace, name, stat, place, {at: value})


def lognormal(seed: int, count: int, median: float) -> list[float]:
    rng = random.Random(seed)
    return [median * math.exp(rng.gauss(0, 0.6)) for _ in range(count)]


class Functions:
    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:
        return {"LoggingConfig": {"LogFormat": "JSON", "LogGroup": f"/{FunctionName}"}}


class Groups:
    def __init__(self, *types: str) -> None:
        self.types = types

    def describe_auto_scaling_groups(self, AutoScalingGroupNames: list[str]) -> dict[str, Any]:
        return {"AutoScalingGroups": [{"Instances": [{"InstanceType": name} for name in self.types]}]}


def read(metrics: Metrics, insights: Insights, *types: str, stage: LiveStage = STAGE) -> Deployment:
    aws = AwsClients(REGION, {"cloudwatch": metrics, "logs": insights, "lambda": Functions(), "autoscaling": Groups(*types)})
    shapes = {"c7g.large": 2, "c6g.large": 2, "c7g.xlarge": 4}
    return read_deployment(aws, stage, days=2, vcpus=shapes.get, now=NOW, sleep=lambda _: None)


def serving(hours: int = 3, count: int = 500) -> tuple[Metrics, list[float]]:
    """Hours in which the container lane answered, each with twice the durations of the one before."""
    metrics, every = Metrics(now=NOW), []
    for number in range(hours):
        seconds = lognormal(number, count, 0.3 * 2**number)
        every += seconds
        place = {"TargetGroup": "targetgroup/c/1", **BALANCER}
        publish_samples(metrics, "AWS/ApplicationELB", "TargetResponseTime", place, hour(number), seconds)
        metrics.publish("AWS/ApplicationELB", "RequestCount", "Sum", place, {hour(number): float(count)})
        metrics.publish("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "Sum", place, {hour(number): 2.0})
        metrics.publish("AWS/ApplicationELB", "RequestCount", "Sum", BALANCER, {hour(number): float(count)})
        metrics.publish("AWS/ApplicationELB", "ProcessedBytes", "Sum", BALANCER, {hour(number): count * 20_000.0})
        # Two instances of two vCPUs at 1% for an hour: 144 s of CPU.
        group = {"AutoScalingGroupName": "g"}
        metrics.publish("AWS/EC2", "CPUUtilization", "Sum", group, {hour(number): 120.0})
    return metrics, sorted(every)


def test_hours_of_unlike_load_are_put_together_by_their_curves() -> None:
    metrics, every = serving(count=5_000)
    target = read(metrics, Insights([platform(200.0)] * 3), "c7g.large").lanes["container"].target_ms
    assert target.count == len(every)
    assert target.sum == pytest.approx(1_000 * sum(every))
    assert target.highest == pytest.approx(1_000 * every[-1])
    for share in (0.05, 0.5, 0.95, 0.99):
        assert target.percentile(share) == pytest.approx(1_000 * every[int(share * len(every))], rel=0.05), share


def test_each_figure_goes_to_its_lane_and_place() -> None:
    metrics, _ = serving()
    told = read(
        metrics, Insights([platform(200.0, init=400.0)] * 120 + [platform(1, status="timeout")]), "c7g.large", "c6g.large"
    )
    functions, containers = told.lanes["lambda"], told.lanes["container"]
    assert (functions.searches, functions.errors, functions.cold_start_ms.count) == (120, 1, 120)
    assert (containers.searches, containers.errors) == (1_494, 6)
    cpu = told.hourly["container"]["instance_cpu_ms"]
    assert cpu.samples == 3
    assert cpu.mean == pytest.approx(120 / 100 * 60 * 2 * 1_000 / 500)
    assert told.hourly["load_balancer"]["bytes_both_ways"].mean == 20_000
    assert told.unknown == ("memory of the instances: no CloudWatch agent publishes it",)
    assert told.scanned_bytes == 3_000


def test_the_profile_takes_the_live_figures_and_keeps_the_labs_where_none_is_told() -> None:
    metrics, every = serving()
    told = read(metrics, Insights([platform(200.0, init=400.0)] * 120), "c7g.large")
    lab = profile_with(lambda_lane=lane(cpu_ms_per_search=10.0))
    live = live_profile(lab, told.lanes, source="CloudWatch", beside=told.hourly)
    assert live.lambda_lane.wait_ms == pytest.approx(190)
    assert live.container_lane.wait_ms == pytest.approx(1_000 * sum(every) / len(every) - 6)
    assert (live.container_lane.memory_mb, live.container_lane.cpu_ms_per_search) == (120, 6)  # no metric tells a worker's
    assert live.container_lane.request_bytes == lab.container_lane.request_bytes
    assert live.live is not None
    assert set(live.live["container"]) == {"target_ms", "wait_ms", "instance_cpu_ms"}
    assert live.live["load_balancer"]["bytes_both_ways"].samples == 3


def test_without_report_records_lambdas_own_metric_is_read_and_that_is_said() -> None:
    metrics = Metrics(now=NOW)
    publish_samples(metrics, "AWS/Lambda", "Duration", {"FunctionName": "f"}, hour(0), lognormal(1, 400, 300))
    metrics.publish("AWS/Lambda", "Invocations", "Sum", {"FunctionName": "f"}, {hour(0): 400.0})
    metrics.publish("AWS/Lambda", "Errors", "Sum", {"FunctionName": "f"}, {hour(0): 4.0})
    told = read(metrics, Insights([]), stage=LiveStage(stage="dev", region=REGION, function="f"))
    functions = told.lanes["lambda"]
    assert (functions.duration_ms.count, functions.searches, functions.errors) == (400, 396, 4)
    assert (functions.memory_mb.count, functions.cold_start_ms.count) == (0, 0)
    assert told.unknown == ("memory and cold starts of the Lambda lane: no REPORT record in /f",)


@pytest.mark.parametrize("types", [(), ("c7g.large", "c7g.xlarge"), ("x9.unheard",)])
def test_cpu_is_unknown_where_the_instances_are_of_no_one_known_size(types: tuple[str, ...]) -> None:
    metrics, _ = serving()
    told = read(metrics, Insights([platform(200.0)]), *types)
    assert "instance_cpu_ms" not in told.hourly.get("container", {})
    assert "CPU of the instances a request: there is no instance of one known size now" in told.unknown


def test_an_hour_that_lacks_a_statistic_is_left_out_and_one_of_few_requests_tells_no_cpu() -> None:
    metrics, _ = serving(hours=2)
    place = {"TargetGroup": "targetgroup/c/1", **BALANCER}
    del metrics.published["AWS/ApplicationELB", "TargetResponseTime", "p99", frozenset(place.items())][hour(1)]
    metrics.publish("AWS/ApplicationELB", "RequestCount", "Sum", place, {hour(0): 99.0})
    told = read(metrics, Insights([platform(200.0)]), "c7g.large")
    assert told.lanes["container"].target_ms.count == 500
    assert told.hourly["container"]["instance_cpu_ms"].samples == 1


def test_a_stage_that_served_nothing_or_has_nothing_is_refused() -> None:
    with pytest.raises(KitError, match="CloudWatch has no request of stage 'prod' in 2 days"):
        read(Metrics(now=NOW), Insights([]), "c7g.large")
    with pytest.raises(KitError, match="neither a function nor a load balancer"):
        read(Metrics(now=NOW), Insights([]), stage=LiveStage(stage="prod", region=REGION))


@given(st.lists(st.floats(0.01, 60_000), min_size=1, max_size=300))
def test_a_summary_keeps_count_sum_and_highest_and_stays_between_its_percentiles(values: list[float]) -> None:
    values.sort()
    curve = [(share, values[min(len(values) - 1, int(share * len(values)))]) for share in SHARES.values()]
    histogram = Histogram()
    histogram.add_summary(len(values), sum(values), [*curve, (1.0, values[-1])])
    assert histogram.count == sum(histogram.buckets.values()) == len(values)
    assert histogram.highest == values[-1]
    for share, value in curve[1:]:
        assert histogram.percentile(share) <= max(value, values[0]) * 1.006


# The stage as its stacks name it


@pytest.fixture(scope="module")
def stacks() -> Iterator[None]:
    with aws_in_moto():
        rule = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener-rule/app/prod/50dc6c49/f2f7dc8e/9683b2d0"
        group = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup"
        make_stack(f"{PREFIX}-lambda", {"FunctionName": "prod-function", "TargetGroup": f"{group}/l/73e2"})
        make_stack(f"{PREFIX}-container", {"AutoScalingGroupName": "prod-group", "TargetGroup": f"{group}/c/943f"})
        make_stack(f"{PREFIX}-traffic", {"Url": "http://prod.example.com", "SplitRule": rule})
        make_stack("crossover-lone-lambda", {"FunctionName": "lone-function", "Url": "https://x"})
        yield


def test_a_stage_is_found_by_its_stacks_outputs(stacks: None) -> None:
    assert find_stage(AwsClients(REGION), "prod") == LiveStage(
        stage="prod",
        region=REGION,
        balancer="app/prod/50dc6c49",
        targets={"lambda": "targetgroup/l/73e2", "container": "targetgroup/c/943f"},
        function="prod-function",
        group="prod-group",
    )
    assert instance_types(AwsClients(REGION), "no-group") == ()


def test_a_lane_alone_has_no_load_balancer(stacks: None) -> None:
    assert find_stage(AwsClients(REGION), "lone") == LiveStage(stage="lone", region=REGION, function="lone-function")


def test_a_stage_or_function_that_is_not_there_is_said(stacks: None) -> None:
    with pytest.raises(KitError, match="stage 'qa' is not deployed in us-east-1: none of the stacks crossover-qa-lambda"):
        find_stage(AwsClients(REGION), "qa")
    with pytest.raises(KitError, match=r"the function prod-function: .*ResourceNotFoundException"):
        log_group(AwsClients(REGION), "prod-function")


def test_a_function_that_says_no_log_group_has_lambdas_own() -> None:
    class Silent:
        def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:
            return {}

    assert log_group(AwsClients(REGION, {"lambda": Silent()}), "f") == ("/aws/lambda/f", False)
