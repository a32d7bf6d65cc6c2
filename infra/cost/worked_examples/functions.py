"""Examples of AWS Lambda: on demand, provisioned concurrency, SnapStart, response streaming, Managed Instances."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal

from infra.cost.lines import ec2, lambda_
from infra.cost.lines.line import EXACT, LineItem, priced
from infra.cost.prices.book import PriceBook
from infra.cost.worked_examples.inputs import Inputs

NOTE = "published example"
FREE_STREAMED_MB = 6
"""Of each response, AWS Lambda pricing page; a GB there is 1,024 MB."""
ACTIVE = {"active_hours": 3600, "active_days": 86_400, "active_seconds": 1}
SNAPSHOT_LEAST_S = Decimal(3 * 3600)
BESIDE = {
    "event_poller_hours_kafka": "event_poller_kafka",
    "event_poller_hours_sqs": "event_poller_sqs",
    "durable_operations": "durable_operation",
    "durable_written_gb": "durable_written",
    "durable_retained_gb_months": "durable_retained",
}
"""Inputs of functions that poll in provisioned mode, or are durable, and the dimensions that price them."""
PROVISIONED_STEP_S = 300
"""Provisioned concurrency is rounded up to five minutes, a snapshot kept for three hours at least (the same page)."""


def on_demand(book: PriceBook, inputs: Inputs) -> list[LineItem]:
    """`requests`, `duration_ms`, `memory_mb`, `arch`, `free_tier`; `ephemeral_mb` of its own disk; what else is used
    (`BESIDE`)."""
    memory, requests = int(inputs.number("memory_mb")), inputs.number("requests")
    seconds = inputs.number("duration_ms") / 1000
    free = inputs.flag("free_tier")
    lines = [
        *lambda_.requests(book, requests, free_tier=free, note=NOTE),
        *_running(book, requests, seconds, memory, inputs.architecture(), free_tier=free),
    ]
    if inputs.has("ephemeral_mb"):
        lines += lambda_.ephemeral_storage(book, requests, seconds, int(inputs.number("ephemeral_mb")), note=NOTE)
    if inputs.has("tenant_environments"):
        gigabytes = inputs.number("tenant_environments") * memory / 1024
        lines += lambda_.tenant_isolation(book, gigabytes, note=NOTE)
    for name, dimension in BESIDE.items():
        if inputs.has(name):
            lines += priced(book.price(lambda_.SERVICE, dimension), inputs.number(name), name=f"Lambda {name}", note=NOTE)
    return lines


def edge(book: PriceBook, inputs: Inputs) -> list[LineItem]:
    """Lambda@Edge: `requests`, `duration_ms`, `memory_mb` (128)."""
    requests, memory = inputs.number("requests"), int(inputs.number("memory_mb", default=128))
    amount = lambda_.gb_seconds(requests, inputs.number("duration_ms") / 1000, memory)
    return [
        *priced(book.price(lambda_.SERVICE, "edge_request"), requests, name="Lambda@Edge requests", note=NOTE),
        *priced(book.price(lambda_.SERVICE, "edge_duration"), amount, name="Lambda@Edge compute", note=NOTE),
    ]


def provisioned(book: PriceBook, inputs: Inputs) -> list[LineItem]:
    """`pc`, where there is such a table, has what is kept (`concurrency`, `hours`) and what runs on it (`requests`,
    `duration_ms`); `on_demand` the rest (`requests`, `duration_ms`); `requests_total` where the two do not say it; `memory_mb`,
    `arch`, `free_tier`."""
    warm, rest = inputs.inner("pc") if inputs.has("pc") else inputs, inputs.inner("on_demand")
    memory, architecture, free = int(inputs.number("memory_mb")), inputs.architecture(), inputs.flag("free_tier")
    served, beyond = warm.number("requests"), rest.number("requests", default=0)
    kept_s = Decimal(math.ceil(warm.seconds() / PROVISIONED_STEP_S) * PROVISIONED_STEP_S)
    kept = lambda_.gb_seconds(warm.number("concurrency"), kept_s, memory)
    used = lambda_.gb_seconds(served, warm.number("duration_ms") / 1000, memory)
    requests = inputs.number("requests_total", "requests", default=served + beyond)
    lines = lambda_.requests(book, requests, free_tier=free, note=NOTE)
    if beyond:
        seconds = rest.number("duration_ms") / 1000
        lines += _running(book, beyond, seconds, memory, architecture, free_tier=free)
    return [*lines, *lambda_.provisioned_concurrency(book, kept, used, architecture, note=NOTE)]


def snap_start(book: PriceBook, inputs: Inputs) -> list[LineItem]:
    """As on demand; beside it, or in a table `snapstart`, how long the version is active (`active_hours`, `active_days` or
    `active_seconds`; else `hours`, `days` or `seconds`), how many `versions` are (1), and `restores`, or the `restore_rate` of
    requests that are one."""
    lines = on_demand(book, inputs)
    memory = inputs.number("memory_mb") / 1024
    own = inputs.inner("snapstart") if inputs.has("snapstart") else inputs
    active = next((factor * own.number(name) for name, factor in ACTIVE.items() if own.has(name)), None)
    active = max(SNAPSHOT_LEAST_S, own.seconds() if active is None else active)
    if own.has("restores"):
        restores = own.number("restores")
    else:
        restores = inputs.number("requests") * own.number("restore_rate", "cold_start_rate")
    versions = own.number("versions", default=1)
    return [*lines, *lambda_.snap_start(book, versions * active * memory, restores * memory, note=NOTE)]


def streaming(book: PriceBook, inputs: Inputs) -> list[LineItem]:
    """As on demand, with `payloads`, pairs of a count and a size; `streaming_free_exhausted` where the 100 GB are used up."""
    beyond = sum((count * max(Decimal(0), size - FREE_STREAMED_MB) for count, size in inputs.sizes("payloads")), Decimal(0))
    gigabytes = EXACT.divide(beyond, Decimal(1024))
    spent = inputs.flag("streaming_free_exhausted")
    free = inputs.has("free_tier") and inputs.flag("free_tier") and not spent
    return [*on_demand(book, inputs), *lambda_.response_streaming(book, gigabytes, free_tier=free, note=NOTE)]


def managed(book: PriceBook, inputs: Inputs) -> list[LineItem]:
    """`requests`, `instance` and `instance_hours`; `discount` off the instances as a share, which the fee does not follow;
    `od_hour` where the publication's price of the instance is another than the book's."""
    instance = book.instance(inputs.text("instance", "instance_type"))
    hourly = replace(
        instance.on_demand,
        tiers=(replace(instance.on_demand.tiers[0], usd=inputs.number("od_hour", default=instance.on_demand.usd)),),
    )
    book = replace(book, instances={**book.instances, instance.name: replace(instance, on_demand=hourly)})
    (fleet,) = ec2.on_demand(book, instance.name, inputs.number("instance_hours"), note=NOTE)
    paid = 1 - inputs.number("discount", default=0)
    discounted = replace(
        fleet, unit_price=EXACT.multiply(fleet.unit_price, paid), usd=EXACT.multiply(fleet.usd, paid), name="EC2, discounted"
    )
    return [
        *lambda_.requests(book, inputs.number("requests"), free_tier=inputs.flag("free_tier"), note=NOTE),
        discounted,
        *lambda_.managed_fee(book, fleet.usd, note=NOTE),
    ]


def _running(
    book: PriceBook, requests: Decimal, seconds: Decimal, memory: int, architecture: str, *, free_tier: bool
) -> list[LineItem]:
    amount = lambda_.gb_seconds(requests, seconds, memory)
    return lambda_.duration(book, amount, architecture, free_tier=free_tier, note=NOTE)
