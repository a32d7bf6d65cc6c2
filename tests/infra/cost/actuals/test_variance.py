"""Bill against estimate: the parts add up exactly, what maps to nothing is kept, and the month is carried to its end."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.config import Stage
from infra.cost.actuals.forecast import forecast
from infra.cost.actuals.mapping import ON_DEMAND, SPOT, key_of
from infra.cost.actuals.records import Bill, Charge
from infra.cost.actuals.variance import compare_bill, lane_shares
from infra.cost.compare import compare
from infra.cost.lane import CostOptions
from infra.cost.prices.book import PriceBook
from infra.cost.prices.file import load_price_book
from infra.cost.reports.report import json_bytes
from infra.cost.traffic.profile import flat_rate
from tests.infra.cost.conftest import profile_with

BOOK = load_price_book("us-east-1")
DAY = date(2026, 11, 1)
USAGE_TYPES = {
    ("AWSLambda", "requests"): "Request",
    ("AWSLambda", "duration_arm64"): "Lambda-GB-Second-ARM",
    ("AWSELB", "alb_hour"): "LoadBalancerUsage",
    ("AWSELB", "alb_lcu"): "LCUUsage",
    ("AmazonVPC", "public_ipv4"): "PublicIPv4:InUseAddress",
    ("AWSDataTransfer", "out_internet"): "DataTransfer-Out-Bytes",
    ("AWSDataTransfer", "in_internet"): "DataTransfer-In-Bytes",
    ("AmazonCloudWatch", "logs_ingest_standard"): "DataProcessing-Bytes",
    ("AmazonCloudWatch", "logs_storage"): "TimedStorage-ByteHrs",
    ("AmazonCloudWatch", "dashboard"): "DashboardsUsageHour",
    ("AmazonCloudWatch", "standard_alarm"): "CW:AlarmMonitorUsage",
    ("AmazonCloudWatch", "composite_alarm"): "CW:CompositeAlarmMonitorUsage",
    ("AmazonS3", "standard_storage"): "TimedStorage-ByteHrs",
    ("AmazonS3", "put_requests"): "Requests-Tier1",
    ("AWSSecretsManager", "secret"): "AWSSecretsManager-Secrets",
}


@pytest.fixture(scope="module")
def report(stage: Stage, book: PriceBook, options: CostOptions) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(json_bytes(compare(profile_with(), flat_rate(400), book, stage, options=options)))
    return told


def charge(service: str, usage_type: str, quantity: object, usd: object, **changes: Any) -> Charge:
    amount = Decimal(str(usd))
    told = {"lane": None, "day": DAY, "kind": "usage", **changes}
    return Charge(
        service=service, usage_type=usage_type, quantity=Decimal(str(quantity)), cash=amount, amortized=amount, **told
    )


def bill(*charges: Charge) -> Bill:
    return Bill(source="a test", stage="dev", charges=charges)


def test_a_bill_of_exactly_the_estimate_has_no_variance(report: dict[str, Any]) -> None:
    charges = [
        charge(line["service"], USAGE_TYPES[line["service"], line["dimension"]], line["quantity"], line["usd_exact"])
        for line in report["lanes"]["lambda"]["lines"]
    ]
    compared = compare_bill(bill(*charges), report, "lambda", Decimal(730), BOOK, "cash")
    assert compared.unexplained == ()
    assert compared.usd == Decimal(report["lanes"]["lambda"]["usd_per_month_exact"])
    for line in compared.lines:
        assert abs(line.change) < Decimal("1e-30"), line.name
        assert max(abs(part) for part in (line.rate, line.volume, line.mix)) < Decimal("1e-30"), line.name


def test_of_both_lanes_the_estimates_are_weighted(report: dict[str, Any]) -> None:
    """What every lane has once, as the load balancer's hours, stays once; neither lane's charges are unexplained."""
    charges = (
        charge("AWSLambda", "Request", 100, 3, lane="lambda"),
        charge("AmazonEC2", "SpotUsage:c7g.large", 5, 2, lane="container"),
    )
    shares = lane_shares(Decimal("0.25"))
    compared = compare_bill(bill(*charges), report, shares, Decimal(730), BOOK, "cash")
    assert (compared.lane, compared.unexplained) == ("25% lambda, 75% container", ())
    one, other = (Decimal(report["lanes"][lane]["usd_per_month_exact"]) for lane in ("lambda", "container"))
    assert abs(compared.estimated_usd - (one / 4 + other * 3 / 4)) < Decimal("1e-20")
    lines = {line.name: line for line in compared.lines}
    assert lines["Load balancer hours"].estimated_quantity == 730
    assert compared.usd == 5


def test_price_quantity_and_mix_are_told_apart(report: dict[str, Any]) -> None:
    lines = {line["name"]: line for line in report["lanes"]["container"]["lines"]}
    spot = next(line for name, line in lines.items() if name.startswith("EC2 spot"))
    hours, mean = Decimal(spot["quantity"]), Decimal(spot["unit_price"])
    first, second = BOOK.spot("c7g.large").usd, BOOK.spot("c6g.large").usd
    # A tenth more hours than estimated, all on the first type, a cent above its price.
    used = hours * Decimal("1.1")
    told = bill(charge("AmazonEC2", "SpotUsage:c7g.large", used, used * (first + Decimal("0.01"))))
    line = next(each for each in compare_bill(told, report, "container", Decimal(730), BOOK, "cash").lines if each.key == SPOT)
    assert line.rate == used * Decimal("0.01")
    assert line.volume == pytest.approx(hours * Decimal("0.1") * mean)
    assert line.mix == pytest.approx(used * (first - (first + second) / 2))
    assert line.rate + line.volume + line.mix == pytest.approx(line.change)


def test_what_was_not_expected_at_all_differs_by_quantity(report: dict[str, Any]) -> None:
    """Estimated are no spot instances; ten hours were billed at the list price: nothing of it is mix but the type's price."""
    lines = report["lanes"]["container"]["lines"]
    none = [{**line, "quantity": "0", "usd_exact": "0"} if line["name"].startswith("EC2 spot") else line for line in lines]
    changed = {**report, "lanes": {**report["lanes"], "container": {**report["lanes"]["container"], "lines": none}}}
    own, mean = BOOK.spot("c7g.large").usd, next(Decimal(x["unit_price"]) for x in none if x["name"].startswith("EC2 spot"))
    told = bill(charge("AmazonEC2", "SpotUsage:c7g.large", 10, 10 * own))
    line = next(each for each in compare_bill(told, changed, "container", Decimal(730), BOOK, "cash").lines if each.key == SPOT)
    assert (line.rate, line.volume, line.mix) == (Decimal(0), 10 * mean, 10 * (own - mean))


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["BoxUsage:c7g.large", "SpotUsage:c6g.large", "LCUUsage", "EUC1-Request", "Odd-Usage"]),
            st.decimals(0, 10**6, places=6),
            st.decimals(-(10**4), 10**4, places=9),
            st.sampled_from([None, "container", "lambda"]),
            st.sampled_from(["usage", "credit", "tax"]),
        ),
        max_size=12,
    ),
    hours=st.integers(1, 744),
)
def test_lines_and_unexplained_add_up_to_the_bill(report: dict[str, Any], rows: list[Any], hours: int) -> None:
    charges = [charge("X", name, amount, usd, lane=lane, kind=kind) for name, amount, usd, lane, kind in rows]
    compared = compare_bill(bill(*charges), report, "container", Decimal(hours), BOOK, "cash")
    assert compared.usd == sum((each.cash for each in charges), Decimal(0))
    for line in compared.lines:
        assert abs(line.rate + line.volume + line.mix - line.change) < Decimal("1e-20")


def test_what_maps_to_nothing_is_shown_with_its_reason(report: dict[str, Any]) -> None:
    told = bill(
        charge("AmazonEC2", "CPUCredits:t4g", 1, 5),
        charge("AWSLambda", "Request", 1, 2, lane="lambda"),
        charge("AmazonDynamoDB", "ReadRequestUnits", 1, "0.5"),
        charge("AmazonVPC", "NatGateway-Hours", 1, 9),
        charge("AmazonEC2", "", 0, -4, kind="refund"),
    )
    compared = compare_bill(told, report, "container", Decimal(24), BOOK, "cash")
    assert [(each.what, each.why, each.usd) for each in compared.unexplained] == [
        ("AmazonVPC NatGateway-Hours", "no line in this estimate", 9),
        ("AmazonEC2 CPUCredits:t4g", "a usage type that maps to no line", 5),
        ("AmazonEC2", "a refund, which no estimate has", -4),
        ("AWSLambda Request", "of the lambda lane; the estimate is of the container lane", 2),
        ("AmazonDynamoDB ReadRequestUnits", "no line in this estimate", Decimal("0.5")),
    ]


@pytest.mark.parametrize(
    ("service", "usage_type", "key", "instance"),
    [
        ("AmazonEC2", "USW2-BoxUsage:c7g.large", ON_DEMAND, "c7g.large"),
        ("EC2 - Other", "EBS:VolumeUsage.gp3", ("AmazonEBS", "gp3_storage"), None),
        ("AmazonEC2", "EU-SpotUsage:m7g.large", SPOT, "m7g.large"),
        ("AmazonCloudWatch", "APN1-TimedStorage-ByteHrs", ("AmazonCloudWatch", "logs_storage"), None),
        ("Amazon Simple Storage Service", "EUC1-TimedStorage-ByteHrs", ("AmazonS3", "standard_storage"), None),
        ("AWS Key Management Service", "eu-west-1-KMS-Keys", ("awskms", "key"), None),
        ("AmazonCloudWatch", "USE1-VendedLog-Bytes", ("AmazonCloudWatch", "logs_ingest_standard"), None),
        ("AWSSecretsManager", "USE1-AWSSecretsManager-Secrets", ("AWSSecretsManager", "secret"), None),
        ("awswaf", "USE1-RequestV2-Tier1", ("AWSWAF", "requests"), None),
        ("AmazonCloudWatch", "CW:HighResAlarmMonitorUsage", ("AmazonCloudWatch", "high_resolution_alarm"), None),
        ("AmazonDynamoDB", "EUW1-WriteRequestUnits", ("AmazonDynamoDB", "write_request"), None),
        ("Amazon Route 53", "HostedZone", ("AmazonRoute53", "hosted_zone"), None),
        ("AmazonVPC", "USE1-VpcEndpoint-Hours", ("AmazonVPC", "endpoint_hour"), None),
        ("Amazon DynamoDB", "USW2-TimedStorage-ByteHrs", ("AmazonDynamoDB", "storage"), None),
        ("Amazon Simple Notification Service", "EU-Requests-Tier1", ("AmazonSNS", "requests"), None),
        ("Amazon ElastiCache", "NodeUsage:cache.t3.micro", ("AmazonElastiCache", "node_cache.t3.micro_valkey"), None),
    ],
)
def test_usage_types_map_in_any_region(service: str, usage_type: str, key: tuple[str, str], instance: str | None) -> None:
    assert key_of(service, usage_type) == (key, instance)


def test_every_wished_usage_type_maps_to_its_price() -> None:
    from infra.cost.prices.wishes import WISHES

    keys: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for wish in WISHES:
        for usagetype in wish.usagetypes:
            keys.setdefault((wish.offer, usagetype), []).append((wish.service, wish.dimension))
    for (offer, usagetype), wished in keys.items():  # of one offer's several, which other attributes tell apart, the first
        assert key_of(offer, usagetype) == (wished[0], None)


def days(count: int, usd: int = 10, *extra: Charge) -> Bill:
    return bill(*(charge("A", "B", 1, usd, day=DAY + timedelta(days=n)) for n in range(count)), *extra)


def test_usage_goes_on_and_what_was_once_does_not() -> None:
    credit = charge("A", "", 0, -25, kind="credit", day=DAY)
    expected = forecast(days(11, 10, credit), "cash")  # the eleventh day may not be whole
    assert (expected.days, expected.usd, expected.so_far) == (10, Decimal(10 * 30 - 25), Decimal(110 - 25))
    assert "2026-11-11 is left out" in expected.method


def test_a_month_that_is_over_is_what_it_was() -> None:
    assert forecast(days(30), "cash").usd == 300
    assert forecast(days(30), "cash").days == 30


def test_a_single_day_is_taken_as_it_is() -> None:
    assert forecast(days(1), "cash").usd == 300
