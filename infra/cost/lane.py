"""What pricing either lane needs: the options, the result, the month, and the lines both lanes have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from infra.config import Stage
from infra.cost.exact import EXACT
from infra.cost.lines import load_balancer, logs, network
from infra.cost.lines.line import LineItem, quantity, total
from infra.cost.prices.book import PriceBook
from infra.cost.profile import LaneProfile
from infra.cost.traffic.profile import TrafficProfile
from infra.errors import InputError

DAYS_PER_MONTH_OF_LOGS = Decimal(30)
LANE_NAMES = {"lambda": "Lambda", "container": "container"}
"""As they stand in a sentence, before "lane"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostOptions:
    """What the reader may set. `report_date` is the day of the report; it decides whether prices are stale.

    `month_hours` is the length of a month (730, as in the AWS calculator; AWS's pages use 720). `cpu_scale` is CPU time
    on the target over CPU time on the measuring machine. `account_concurrency` is Lambda's quota in the region (1,000
    unless raised), used where the stage reserves none. `requests_per_connection` is how many searches callers send on
    one connection. `listener_rules` is how many rules the load balancer evaluates a request. `savings_plan` is the name of a
    purchase option of the book, committed to as far as it pays (`infra.cost.savings`). `carbon` adds each lane's carbon.
    """

    report_date: date
    month_hours: Decimal = Decimal(730)
    cpu_scale: float = 1.0
    free_tier: bool = False
    account_concurrency: int = 1_000
    requests_per_connection: float = 1.0
    listener_rules: int = 1
    savings_plan: str | None = None
    carbon: bool = False

    def __post_init__(self) -> None:
        checks = (
            (self.month_hours.is_finite() and 1 <= self.month_hours <= 744, "month hours: must be 1 to 744"),
            (math.isfinite(self.cpu_scale) and 0.01 <= self.cpu_scale <= 100, "cpu scale: must be 0.01 to 100"),
            (self.account_concurrency >= 1, "account concurrency: must be 1 or more"),
            (1 <= self.requests_per_connection < 1e9, "requests per connection: must be 1 or more"),
            (0 <= self.listener_rules <= 100, "listener rules: must be 0 to 100"),
        )
        for right, reason in checks:
            if not right:
                raise InputError(reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a commitment can cover of a lane: list price an hour and hours, for each hour of the profile; `usd` of the month,
    `each_usd` of one instance's hour (0 for Lambda)."""

    service: str
    what: str
    hourly: tuple[tuple[Decimal, float], ...]
    usd: Decimal
    each_usd: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Savings:
    """List price, less the discount, plus what of the commitment is lost, is the effective price; all of one month.
    `coverage` is the share of what can be covered that is, `utilization` the share of the commitment that is used."""

    plan: str
    commitment_usd_per_hour: Decimal
    list_usd: Decimal
    discount_usd: Decimal
    unused_usd: Decimal
    effective_usd: Decimal
    coverage: float
    utilization: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneCost:
    """One lane's month. `misses` says in words where it cannot serve the traffic; `capacity` holds its key figures."""

    lane: str
    title: str
    lines: tuple[LineItem, ...]
    searches_per_month: Decimal
    month_hours: Decimal
    capacity: dict[str, float]
    misses: tuple[str, ...]
    not_priced: tuple[str, ...]
    committable: tuple[Usage, ...] = ()
    savings: Savings | None = None

    def with_lines(self, lines: Sequence[LineItem]) -> LaneCost:
        """The lane with further lines, which no plan covers."""
        if not lines:
            return self
        plan, usd = self.savings, total(lines)
        if plan is not None:
            plan = replace(plan, list_usd=plan.list_usd + usd, effective_usd=plan.effective_usd + usd)
        return replace(self, lines=(*self.lines, *lines), savings=plan)

    @property
    def usd_per_month(self) -> Decimal:
        return total(self.lines)

    @property
    def usd_per_day(self) -> Decimal:
        return EXACT.divide(EXACT.multiply(self.usd_per_month, Decimal(24)), self.month_hours)

    @property
    def usd_per_million_searches(self) -> Decimal:
        return EXACT.divide(EXACT.multiply(self.usd_per_month, Decimal(1_000_000)), self.searches_per_month)


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """The traffic profile stretched to one month."""

    traffic: TrafficProfile
    hours: Decimal

    @property
    def factor(self) -> float:
        return float(self.hours) / self.traffic.hours

    @property
    def searches(self) -> Decimal:
        return quantity(self.traffic.searches * self.factor)

    def gigabytes(self, bytes_per_search: float) -> Decimal:
        return quantity(float(self.searches) * bytes_per_search / 1e9)


@dataclass(frozen=True, slots=True)
class Served:
    """A lane and the traffic it serves of a month; `target` is "lambda" or "instance"."""

    lane: LaneProfile
    month: Month
    target: str


def edge_lines(served: Sequence[Served], book: PriceBook, stage: Stage, options: CostOptions) -> list[LineItem]:
    """What stands before one lane or two, and is shared: the load balancer and its addresses or what replaces it, and data
    transfer, whose monthly tiers the lanes fill together."""
    if served[0].target == "lambda" and stage.lambda_lane.front != "load_balancer":
        front = _other_front(served[0].month, book, stage.lambda_lane.front)
    else:
        front = _load_balancer(served, book, stage, options)

    def gigabytes(*fields: str) -> Decimal:
        return sum(
            (each.month.gigabytes(sum(getattr(each.lane, field) or 0 for field in fields)) for each in served), Decimal(0)
        )

    def said(field: str) -> str:
        return " and ".join(dict.fromkeys(_bytes(getattr(each.lane, field)) for each in served))

    return [
        *front,
        *network.transfer_out(
            book,
            gigabytes("response_bytes", "upstream_bytes_out"),
            free_tier=options.free_tier,
            note=f"{said('response_bytes')} bytes a search to callers, {said('upstream_bytes_out')} to suppliers",
        ),
        *network.transfer_in(
            book,
            gigabytes("request_bytes", "upstream_bytes_in"),
            note=f"{said('request_bytes')} bytes a search from callers, {said('upstream_bytes_in')} from suppliers",
        ),
    ]


def _load_balancer(served: Sequence[Served], book: PriceBook, stage: Stage, options: CostOptions) -> list[LineItem]:
    month = served[0].month
    each_lane = [[(_lcu(rate, each, options, stage), hours) for rate, hours in each.month.traffic.hourly()] for each in served]
    hourly = [(load_balancer.together(lcu for lcu, _ in moment), moment[0][1]) for moment in zip(*each_lane, strict=True)]
    lcu_hours = math.fsum(lcu.billed * hours for lcu, hours in hourly) * month.factor
    busiest = max((lcu for lcu, _ in hourly), key=lambda lcu: lcu.billed)
    zones = len(stage.network.availability_zones)
    return [
        *load_balancer.hours(book, options.month_hours, note="one load balancer, all month"),
        *load_balancer.lcu_hours(
            book,
            quantity(lcu_hours),
            note=f"each hour's highest dimension; in the busiest hour {busiest.billed:.1f} LCU by {busiest.deciding}",
        ),
        *network.public_ipv4(
            book, zones * options.month_hours, of="load balancer", note=f"one address in each of {zones} zones"
        ),
    ]


def _other_front(month: Month, book: PriceBook, front: str) -> list[LineItem]:
    """A function URL costs nothing beside the invocation; an HTTP API is billed by the request."""
    if front == "function_url":
        return []
    return load_balancer.http_api(book, month.searches, note="one request a search, up to 512 KB (lambda_lane.front)")


def _bytes(measured: float | None) -> str:
    return "an unknown number" if measured is None else f"{measured:,.0f}"


def unknown_transfer(lane: LaneProfile, name: str) -> tuple[str, ...]:
    """What `edge_lines` could not price."""
    unknown = []
    if lane.upstream_bytes_out is None or lane.upstream_bytes_in is None:
        unknown.append(f"data transfer between the {name} lane and what it asks itself: the bytes a search were not measured")
    if lane.request_bytes is None or lane.response_bytes is None:
        unknown.append(
            f"data transfer between callers and the {name} lane, and the load balancer's LCUs by bytes: the bytes a search "
            "are not known"
        )
    return tuple(unknown)


def _lcu(rate: float, served: Served, options: CostOptions, stage: Stage) -> load_balancer.Lcu:
    lane = served.lane
    return load_balancer.lcu(
        requests_per_s=rate,
        new_connections_per_s=rate / options.requests_per_connection,
        connection_seconds=(lane.cpu_ms_per_search + lane.wait_ms) / 1000 + stage.traffic.idle_timeout_s,
        bytes_per_s=rate * ((lane.request_bytes or 0) + (lane.response_bytes or 0)),
        rules=options.listener_rules,
        target=served.target,
    )


def log_lines(lane: LaneProfile, month: Month, book: PriceBook, stage: Stage) -> tuple[Sequence[LineItem], tuple[str, ...]]:
    """The function's log; the container lane's stays in the instances' journals (docs/instances.md)."""
    if lane.log_bytes_per_search is None:
        return (), ("CloudWatch Logs of the Lambda lane: log bytes a search were not measured",)
    gb = month.gigabytes(lane.log_bytes_per_search)
    days = stage.lambda_lane.log_retention_days
    return (
        *logs.ingestion(book, gb, note=f"{lane.log_bytes_per_search:,.0f} bytes a search"),
        *logs.storage(book, gb * days / DAYS_PER_MONTH_OF_LOGS, note=f"kept {days} days, uncompressed (upper bound)"),
    ), ()
