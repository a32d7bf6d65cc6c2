"""What stands around a lane: a line for each thing that the stage has, and none for what it leaves out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.telemetry.emf import UNITS
from infra.config import Cache, Search, Stage, Traffic, Watch
from infra.cost.lane import CostOptions, LaneCost
from infra.cost.lines.line import total
from infra.cost.model import price_container, price_lambda
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.surroundings import CLOUDWATCH_AGENT_METRICS, EMF_METRICS
from infra.cost.traffic.profile import flat_rate
from infra.errors import InputError
from instance.boot import _cloudwatch_config
from tests.infra.cost.conftest import lane, profile_with

SEARCHES = Decimal(10 * 3600 * 730)
BARE = Traffic(idle_timeout_s=60, access_log_days=None, lane_header=None)


@pytest.fixture
def bare(stage: Stage) -> Stage:
    return replace(stage, traffic=BARE, watch=Watch(dashboard=False))


def usd(cost: LaneCost, name: str) -> Decimal:
    found = [line for line in cost.lines if line.name.startswith(name)]
    assert found, f"no line {name}"
    return total(found)


def both(
    stage: Stage, book: PriceBook, options: CostOptions, profile: WorkloadProfile | None = None
) -> tuple[LaneCost, LaneCost]:
    given = profile or profile_with()
    return (
        price_lambda(given, flat_rate(10), book, stage, options),
        price_container(given, flat_rate(10), book, stage, options),
    )


def test_what_a_stage_leaves_out_adds_no_line(bare: Stage, book: PriceBook, options: CostOptions) -> None:
    around = ("S3", "WAF", "Secret", "CloudWatch dashboard", "CloudWatch metrics, embedded", "Cache", "NAT")
    for cost in both(bare, book, options):
        assert [line.name for line in cost.lines if line.name.startswith(around)] == []
        assert cost.not_priced == ()


def test_access_logs_by_hand(bare: Stage, book: PriceBook, options: CostOptions) -> None:
    kept = replace(bare, traffic=replace(BARE, access_log_days=90))
    for cost in both(kept, book, options):
        assert usd(cost, "S3 storage, access logs") == SEARCHES * 600 / 10**9 * 3 * Decimal("0.023")
        assert usd(cost, "S3 requests, access logs") == 2 * 12 * 730 * Decimal("0.000005")


def test_waf_by_hand(bare: Stage, book: PriceBook, options: CostOptions) -> None:
    guarded = replace(bare, traffic=replace(BARE, waf=True))
    for cost in both(guarded, book, options):
        assert usd(cost, "WAF") == 5 + 3 + SEARCHES * Decimal("0.0000006")
    logged = replace(bare, traffic=replace(BARE, waf=True, waf_log_days=30))
    for cost in both(logged, book, options):
        assert any("the log of what WAF blocked" in gap for gap in cost.not_priced)


def test_lane_token_is_a_secret_of_a_stage_with_two_lanes(bare: Stage, book: PriceBook, options: CostOptions) -> None:
    named = replace(bare, traffic=replace(BARE, lane_header="x-crossover-lane"))
    for cost in both(named, book, options):
        assert usd(cost, "Secret, lane token") == Decimal("0.4")
    for cost in both(replace(named, lanes=("container",)), book, options):
        assert not any(line.name.startswith("Secret") for line in cost.lines)


def test_stages_secret_is_read_at_each_cold_start(bare: Stage, book: PriceBook, options: CostOptions) -> None:
    on_lambda, on_containers = both(replace(bare, secret="prod/suppliers"), book, options)
    assert usd(on_lambda, "Secret, suppliers' keys") == usd(on_containers, "Secret, suppliers' keys") == Decimal("0.4")
    (reads,) = [line for line in on_lambda.lines if line.name.startswith("Secret reads")]
    assert float(reads.quantity) == pytest.approx(on_lambda.capacity["cold_starts_per_month"])
    assert on_containers.not_priced == ("reads of the stage's secret when instances start: their number is not simulated",)


def test_dashboard_costs_three_dollars(bare: Stage, book: PriceBook, options: CostOptions) -> None:
    for cost in both(replace(bare, watch=Watch(dashboard=True)), book, options):
        assert usd(cost, "CloudWatch dashboard") == 3


def test_container_lanes_own_metrics_are_four_and_a_request_a_minute_an_instance(
    bare: Stage, book: PriceBook, options: CostOptions
) -> None:
    _, cost = both(bare, book, options)
    assert usd(cost, "CloudWatch metrics, container lane") == 4 * Decimal("0.3")
    assert usd(cost, "CloudWatch metric requests") == 2 * 730 * 60 * Decimal("0.00001")


def test_embedded_metrics_are_priced_where_something_takes_them(bare: Stage, book: PriceBook, options: CostOptions) -> None:
    told = replace(bare, search=Search(emf_s=60))
    on_lambda, on_containers = both(told, book, options)
    assert usd(on_lambda, "CloudWatch metrics, embedded") == EMF_METRICS * Decimal("0.3")
    assert any("embedded metric lines" in gap for gap in on_lambda.not_priced)
    with_agent = replace(told, container_lane=replace(told.container_lane, cloudwatch_agent=True))
    for cost in (on_containers, both(with_agent, book, options)[1]):
        assert not any("embedded" in line.name for line in cost.lines), "an instance's journal is nobody's metric"


def test_aws_agent_sends_memory_and_disk_from_each_instance(bare: Stage, book: PriceBook, options: CostOptions) -> None:
    with_agent = replace(bare, container_lane=replace(bare.container_lane, cloudwatch_agent=True))
    cost = both(with_agent, book, options)[1]
    assert usd(cost, "CloudWatch metrics, CloudWatch agent") == 2 * Decimal("0.3")
    assert usd(cost, "CloudWatch agent requests") == 2 * 730 * 60 * Decimal("0.00001")
    assert not any("agent" in line.name for line in both(bare, book, options)[1].lines)


def test_aws_agent_is_told_to_send_so_many_metrics() -> None:
    config: Any = _cloudwatch_config("group")
    collected = config["metrics"]["metrics_collected"]
    assert sum(len(each["measurement"]) for each in collected.values()) == len(CLOUDWATCH_AGENT_METRICS)


def test_logs_are_the_functions_alone_and_instances_keep_theirs(bare: Stage, book: PriceBook, options: CostOptions) -> None:
    on_lambda, on_containers = both(bare, book, options)
    assert usd(on_lambda, "CloudWatch Logs ingestion") > 0
    assert not any("Logs" in line.name for line in on_containers.lines)
    silent = profile_with(lane(log_bytes_per_search=None), lane(log_bytes_per_search=None))
    assert [any("log" in gap.lower() for gap in cost.not_priced) for cost in both(bare, book, options, silent)] == [True, False]


def test_scheduled_minimums_that_need_a_calendar_are_said(bare: Stage, book: PriceBook, options: CostOptions) -> None:
    fleet = replace(bare.container_lane, schedules=("min=3@0 7 1 * *",))
    cost = both(replace(bare, container_lane=fleet), book, options)[1]
    assert any("container_lane.schedules" in gap for gap in cost.not_priced)


def test_embedded_metrics_are_as_many_as_the_service_writes() -> None:
    assert len(UNITS) == EMF_METRICS


def test_serverless_cache_is_priced_full_and_asked_for_every_answer(bare: Stage, book: PriceBook, options: CostOptions) -> None:
    on_lambda, cost = both(replace(bare, cache=Cache(kind="serverless", max_gb=5)), book, options)
    assert usd(cost, "Cache storage") == 5 * 730 * Decimal("0.084")
    ecpu = (Decimal(150_000) / 1024 + 45).quantize(Decimal("0.000001"))
    assert float(usd(cost, "Cache requests")) == pytest.approx(float(SEARCHES * ecpu / 10**6 * Decimal("0.0023")))
    assert not any(line.name.startswith("Cache") for line in on_lambda.lines)
    own = profile_with(container_lane=lane(upstream_bytes_in=None))
    _, unknown = both(replace(bare, cache=Cache(kind="serverless")), book, options, own)
    assert any("what a search keeps in it was not measured" in gap for gap in unknown.not_priced)


@pytest.mark.parametrize("kind", ["nodes", "serverless"])
def test_answers_on_their_way_to_a_cache_in_another_zone_are_charged_on_the_instances_side(
    kind: str, bare: Stage, book: PriceBook, options: CostOptions
) -> None:
    on_lambda, cost = both(replace(bare, cache=Cache(kind=kind, node_type="cache.t3.micro")), book, options)
    gigabytes = SEARCHES * 150_000 / Decimal(10**9)
    assert usd(cost, "Data transfer between zones") == gigabytes / 2 * Decimal("0.01"), "half of two zones"
    assert not any("between zones" in line.name for line in on_lambda.lines)


def test_cache_nodes_are_priced_by_the_hour_and_named_where_they_have_no_price(
    bare: Stage, book: PriceBook, options: CostOptions
) -> None:
    _, cost = both(replace(bare, cache=Cache(kind="nodes", node_type="cache.t3.micro", replicas=1)), book, options)
    assert usd(cost, "Cache nodes, cache.t3.micro") == 2 * 730 * Decimal("0.0136")
    _, unknown = both(replace(bare, cache=Cache(kind="nodes", node_type="cache.x9z.small")), book, options)
    assert any(
        "2 cache nodes of type cache.x9z.small: the price book of us-east-1 has no price" in g for g in unknown.not_priced
    )
    assert not any(line.name.startswith("Cache") for line in unknown.lines)
    unmeasured = profile_with(container_lane=lane(upstream_bytes_in=None))
    _, silent = both(replace(bare, cache=Cache(kind="nodes", node_type="cache.t3.micro")), book, options, unmeasured)
    assert "data between availability zones on the way to the shared cache" in silent.not_priced


@pytest.mark.parametrize(
    ("service", "dimension"),
    [
        ("AmazonS3", "standard_storage"),
        ("AmazonS3", "put_requests"),
        ("AWSWAF", "web_acl"),
        ("AWSWAF", "rule"),
        ("AWSWAF", "requests"),
        ("AWSSecretsManager", "secret"),
        ("AmazonCloudWatch", "dashboard"),
        ("AmazonCloudWatch", "custom_metric"),
        ("AmazonCloudWatch", "put_metric_data"),
        ("AmazonElastiCache", "valkey_serverless_storage"),
        ("AmazonElastiCache", "valkey_serverless_ecpu"),
    ],
)
def test_each_missing_price_is_named(
    stage: Stage, book: PriceBook, options: CostOptions, profile: WorkloadProfile, service: str, dimension: str
) -> None:
    everything = replace(stage, traffic=replace(stage.traffic, waf=True), secret="a", cache=Cache(kind="serverless"))
    with pytest.raises(InputError, match=f"no price for {service} {dimension} in us-east-1"):
        price_container(profile, flat_rate(1), book.without(service, dimension), everything, options)
