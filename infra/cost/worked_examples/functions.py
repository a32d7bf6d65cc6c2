"""Examples of AWS Lambda: on demand, provisioned concurrency, SnapStart, response streaming, Managed Instances."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal

from infra.cost.exact import EXACT
from infra.cost.lines import ec2, lambda_
from infra.cost.lines.line import LineItem, priced
from infra.cost.prices.book import PriceBook, Tier
from infra.cost.worked_examples.inputs import Inputs
from infra.cost.worked_examples.spelling import canonical

NOTE, OWN = "published example", "the publication's own price"
OWN_HOUR = ("od_hour", "hourly_price", "hour_price", "price")
REQUESTS, DURATION = (
    ("requests", "invocations"),
    ("duration_ms", "execution_duration_ms", "billed_duration_ms", "request_duration_ms"),
)
MEMORY, DISK = ("memory_mb", "memory_size_mb"), ("ephemeral_mb", "ephemeral_storage_mb")
FREE_STREAMED_MB = 6
"""Of each response, AWS Lambda pricing page; a GB there is 1,024 MB."""
ACTIVE, RESTORES = ("active_seconds", "cache_seconds", "cached_seconds"), ("restores", "restore_count")
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
    """`requests`, `duration_ms`, `memory_mb`, `arch`, `free_tier`; `ephemeral_mb` of its own disk; `discount` off the duration,
    or the `savings_plan` that gives it; what else is used (`BESIDE`)."""
    memory, requests = int(inputs.number(*MEMORY)), inputs.number(*REQUESTS)
    seconds = inputs.number(*DURATION) / 1000
    free = inputs.flag("free_tier")
    running = _running(book, requests, seconds, memory, inputs.architecture(), free_tier=free)
    off = commitment(book, inputs, lambda_.SERVICE, running[0].dimension)
    lines = [*lambda_.requests(book, requests, free_tier=free, note=NOTE), *(discounted(line, off) for line in running)]
    if inputs.has(*DISK):
        lines += lambda_.ephemeral_storage(book, requests, seconds, int(inputs.number(*DISK)), note=NOTE)
    if inputs.has("tenant_environments"):
        gigabytes = inputs.number("tenant_environments") * memory / 1024
        lines += lambda_.tenant_isolation(book, gigabytes, note=NOTE)
    for name, dimension in BESIDE.items():
        if inputs.has(name):
            lines += priced(book.price(lambda_.SERVICE, dimension), inputs.number(name), name=f"Lambda {name}", note=NOTE)
    return lines


def edge(book: PriceBook, inputs: Inputs) -> list[LineItem]:
    """Lambda@Edge: `requests`, `duration_ms`, `memory_mb` (128)."""
    requests, memory = inputs.number(*REQUESTS), int(inputs.number(*MEMORY, default=128))
    amount = lambda_.gb_seconds(requests, inputs.number(*DURATION) / 1000, memory)
    return [
        *priced(book.price(lambda_.SERVICE, "edge_request"), requests, name="Lambda@Edge requests", note=NOTE),
        *priced(book.price(lambda_.SERVICE, "edge_duration"), amount, name="Lambda@Edge compute", note=NOTE),
    ]


def provisioned(book: PriceBook, inputs: Inputs) -> list[LineItem]:
    """`pc`, where there is such a table, has what is kept (`concurrency`, `hours`) and what runs on it (`requests`,
    `duration_ms`); `on_demand` the rest (`requests`, `duration_ms`); `requests_total` where the two do not say it; `memory_mb`,
    `arch`, `free_tier`."""
    warm, rest = inputs.inner("pc") if inputs.has("pc") else inputs, inputs.inner("on_demand")
    memory, architecture, free = int(inputs.number(*MEMORY)), inputs.architecture(), inputs.flag("free_tier")
    served, beyond = warm.number(*REQUESTS), rest.number(*REQUESTS, default=0)
    enabled = warm.number("pc_seconds") if warm.has("pc_seconds", "pc_hours") else warm.seconds()
    kept_s = Decimal(math.ceil(enabled / PROVISIONED_STEP_S) * PROVISIONED_STEP_S)
    kept = lambda_.gb_seconds(warm.number("concurrency", "provisioned_concurrency"), kept_s, memory)
    used = lambda_.gb_seconds(served, warm.number(*DURATION) / 1000, memory)
    requests = inputs.number("requests_total", "requests", default=served + beyond)
    lines = lambda_.requests(book, requests, free_tier=free, note=NOTE)
    if beyond:
        seconds = rest.number(*DURATION) / 1000
        lines += _running(book, beyond, seconds, memory, architecture, free_tier=free)
    return [*lines, *lambda_.provisioned_concurrency(book, kept, used, architecture, note=NOTE)]


def snap_start(book: PriceBook, inputs: Inputs) -> list[LineItem]:
    """As on demand; beside it, or in a table `snapstart`, how long the version is active (`active_seconds`, else `hours`), how
    many `versions` are (1), and `restores`, or the `restore_rate` of requests that are one."""
    lines = on_demand(book, inputs)
    memory = inputs.number(*MEMORY) / 1024
    own = inputs.inner("snapstart") if inputs.has("snapstart") else inputs
    active = own.number(*ACTIVE) if own.has(*ACTIVE) else own.seconds()
    if own.has(*RESTORES):
        restores = own.number(*RESTORES)
    else:
        restores = inputs.number(*REQUESTS) * own.number("restore_rate", "cold_start_rate", "restore_fraction")
    kept = own.number("versions", default=1) * max(SNAPSHOT_LEAST_S, active)
    return [*lines, *lambda_.snap_start(book, kept * memory, restores * memory, note=NOTE)]


def streaming(book: PriceBook, inputs: Inputs) -> list[LineItem]:
    """As on demand, with `payloads`, pairs of a count and a size, or the `chargeable_gb`; `streaming_free_exhausted` where the
    100 GB are used up."""
    if inputs.has("chargeable_gb", "streamed_gb"):
        gigabytes = inputs.number("chargeable_gb", "streamed_gb")
    else:
        beyond = (count * max(Decimal(0), size - FREE_STREAMED_MB) for count, size in inputs.sizes("payloads"))
        gigabytes = EXACT.divide(sum(beyond, Decimal(0)), Decimal(1024))
    free = inputs.flag("free_tier") and not inputs.flag("streaming_free_exhausted")
    return [*on_demand(book, inputs), *lambda_.response_streaming(book, gigabytes, free_tier=free, note=NOTE)]


def managed(book: PriceBook, inputs: Inputs) -> list[LineItem]:
    """`requests`, `instance` and `instance_hours`, or `instances` for `hours`; `discount` off the instances as a share, or the
    `savings_plan` that gives it, which the fee does not follow; `od_hour` where the publication's price of the instance is
    another than the book's."""
    name = inputs.text("instance", "instance_type", "type")
    book = with_own_hour(book, name, inputs)
    if inputs.has("instance_hours"):
        hours = inputs.number("instance_hours")
    else:
        hours = inputs.number("instances", "count", default=1) * inputs.seconds() / 3600
    (fleet,) = ec2.on_demand(book, name, hours, note=NOTE)
    return [
        *lambda_.requests(book, inputs.number(*REQUESTS), free_tier=inputs.flag("free_tier"), note=NOTE),
        discounted(fleet, commitment(book, inputs, "AmazonEC2", name)),
        *lambda_.managed_fee(book, fleet.usd, note=NOTE),
    ]


def _running(
    book: PriceBook, requests: Decimal, seconds: Decimal, memory: int, architecture: str, *, free_tier: bool
) -> list[LineItem]:
    amount = lambda_.gb_seconds(requests, seconds, memory)
    return lambda_.duration(book, amount, architecture, free_tier=free_tier, note=NOTE)


def with_own_hour(book: PriceBook, name: str, inputs: Inputs) -> PriceBook:
    """The book with the publication's own price of an instance where it states one (`od_hour`)."""
    if not inputs.has(*OWN_HOUR):
        return book
    usd = inputs.number(*OWN_HOUR)
    instance = book.instances.get(name) or replace(next(iter(book.instances.values())), name=name)
    hourly = replace(instance.on_demand, tiers=(Tier(Decimal(0), None, usd),), source=OWN)
    return replace(book, instances={**book.instances, name: replace(instance, on_demand=hourly)})


def commitment(book: PriceBook, inputs: Inputs, service: str, what: str, *, plan: str = "none") -> Decimal:
    """The share that a commitment takes off: the publication's own `discount`, or that of a `savings_plan` of the book, which
    may be named otherwise (`plan`)."""
    if inputs.has("discount", "savings_plan_discount"):
        return inputs.share("discount", "savings_plan_discount")
    plan = canonical(inputs.text("savings_plan", "plan", default=plan)).replace("_", "-")
    if plan in ("none", "on-demand"):
        return Decimal(0)
    rate = book.plan_rate(plan, service, what)
    if rate is None:
        known = ", ".join(sorted({each.plan for each in book.savings_plans if each.service == service}))
        raise inputs.refuse(f"savings_plan: no rate of {plan!r} for {what}; plans with rates for {service}: {known}")
    return rate.discount


def discounted(line: LineItem, share: Decimal) -> LineItem:
    """The line at its price less a share of it."""
    if not share:
        return line
    paid = 1 - share
    unit_price, usd = EXACT.multiply(line.unit_price, paid), EXACT.multiply(line.usd, paid)
    return replace(line, name=f"{line.name}, discounted", unit_price=unit_price, usd=usd)
