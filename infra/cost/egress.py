"""The ways in which instances reach out, priced for the same traffic: what each adds to the container lane's month.

Transfer out to the internet is the same for all of them and stands in the lane's own lines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from infra.config import Stage
from infra.cost import capacity
from infra.cost.exact import EXACT
from infra.cost.lane import CostOptions, Month
from infra.cost.lines import ec2, network
from infra.cost.lines.line import LineItem, quantity, total
from infra.cost.minimums import lay_out
from infra.cost.prices.book import PriceBook
from infra.cost.profile import LaneProfile
from infra.cost.traffic.profile import TrafficProfile

NAT_VOLUME_GB = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Egress:
    """One way out. `lines` are what it adds in a month; `unknown` says what could not be priced, and then there is no total.
    `remark` is what to know before choosing it."""

    name: str
    title: str
    lines: tuple[LineItem, ...]
    chosen: bool
    remark: str
    unknown: str | None
    month_hours: Decimal

    @property
    def usd_per_month(self) -> Decimal | None:
        return None if self.unknown else total(self.lines)

    @property
    def usd_per_day(self) -> Decimal | None:
        month = self.usd_per_month
        return None if month is None else EXACT.divide(EXACT.multiply(month, Decimal(24)), self.month_hours)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a way out is priced by: hours of instances, and the GB a month to and from suppliers (None: not measured)."""

    instance_hours: Decimal
    upstream_gb: Decimal | None
    peak_mbit_s: float | None


def egress_choices(
    lane: LaneProfile, traffic: TrafficProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> tuple[Egress, ...]:
    """All four, in the order of the setting's values; `InputError` for a missing price."""
    traffic = lay_out(traffic, stage.container_lane)
    month = Month(traffic=traffic, hours=options.month_hours)
    instance = book.instance(stage.container_lane.instance_types[0])
    need = capacity.container_need(lane, traffic, stage.container_lane, instance, cpu_scale=options.cpu_scale)
    wanted = egress_need(lane, month, quantity(need.instance_hours * month.factor))
    return tuple(price_egress(name, wanted, book, stage, options) for name in PRICED)


def egress_need(lane: LaneProfile, month: Month, instance_hours: Decimal) -> Need:
    if lane.upstream_bytes_in is None or lane.upstream_bytes_out is None:
        return Need(instance_hours=instance_hours, upstream_gb=None, peak_mbit_s=None)
    size = lane.upstream_bytes_in + lane.upstream_bytes_out
    return Need(
        instance_hours=instance_hours,
        upstream_gb=month.gigabytes(size),
        peak_mbit_s=month.traffic.peak_rps * size * 8 / 1e6,
    )


def price_egress(name: str, need: Need, book: PriceBook, stage: Stage, options: CostOptions) -> Egress:
    return PRICED[name](need, book, stage, options)


def _public(need: Need, book: PriceBook, stage: Stage, options: CostOptions) -> Egress:
    lines = network.public_ipv4(book, need.instance_hours, of="instances", note="one address an instance")
    return _egress("public", "Public IPv4 addresses", lines, stage, options, "no data charge; closed by security groups")


def _nat_gateway(need: Need, book: PriceBook, stage: Stage, options: CostOptions) -> Egress:
    zones = len(stage.network.availability_zones)
    hours = zones * options.month_hours
    unknown = None
    if need.upstream_gb is None:
        unknown = "the GB that NAT gateways pass on: the bytes a search were not measured"
    lines = [
        *network.nat_gateway(
            book, hours, need.upstream_gb or Decimal(0), note=f"one in each of {zones} zones; every GB to and from suppliers"
        ),
        *network.public_ipv4(book, hours, of="NAT gateways", note=f"one address in each of {zones} zones"),
    ]
    return _egress("nat_gateway", "NAT gateways", lines, stage, options, "AWS keeps it up; every GB is charged", unknown)


def _nat_instance(need: Need, book: PriceBook, stage: Stage, options: CostOptions) -> Egress:
    zones, kind = len(stage.network.availability_zones), stage.network.nat_instance_type
    hours = zones * options.month_hours
    note = f"one NAT instance in each of {zones} zones"
    lines = [
        *ec2.on_demand(book, kind, hours, note=note),
        *ec2.volumes(book, NAT_VOLUME_GB, hours, options.month_hours, note=note),
        *network.public_ipv4(book, hours, of="NAT instances", note=note),
    ]
    remark = "one instance a zone, yours to watch; a lost one cuts its zone off"
    if need.peak_mbit_s is not None:
        remark += f"; {need.peak_mbit_s / zones:,.0f} Mbit/s each at the peak, to hold against the type's baseline"
    return _egress("nat_instance", f"NAT instances, {kind}", lines, stage, options, remark)


def _ipv6(need: Need, book: PriceBook, stage: Stage, options: CostOptions) -> Egress:
    remark = "free; suppliers and AWS's endpoints must answer over IPv6"
    return _egress("ipv6", "IPv6, egress only", [], stage, options, remark)


def _egress(
    name: str, title: str, lines: list[LineItem], stage: Stage, options: CostOptions, remark: str, unknown: str | None = None
) -> Egress:
    return Egress(
        name=name,
        title=title,
        lines=tuple(lines),
        chosen=stage.network.egress == name,
        remark=remark,
        unknown=unknown,
        month_hours=options.month_hours,
    )


PRICED: dict[str, Callable[[Need, PriceBook, Stage, CostOptions], Egress]] = {
    "public": _public,
    "nat_gateway": _nat_gateway,
    "nat_instance": _nat_instance,
    "ipv6": _ipv6,
}
