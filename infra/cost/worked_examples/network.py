"""Examples of what data passes: load balancers, NAT gateways, data transfer, addresses."""

from __future__ import annotations

from decimal import Decimal

from infra.cost.lines import load_balancer, network
from infra.cost.lines.line import LineItem
from infra.cost.prices.book import PriceBook
from infra.cost.worked_examples.functions import NOTE
from infra.cost.worked_examples.inputs import Inputs
from infra.cost.worked_examples.machines import MONTH_HOURS, PAGE_MONTH_HOURS

TARGETS = {"ec2": "instance", "instance": "instance", "ip": "instance", "lambda": "lambda"}
LIFETIME = ("conn_lifetime_s", "connection_lifetime_s", "connection_duration_s", "conn_duration_s")
BYTES = ("kb_per_s", "processed_kb_per_s")
OUT, ZONES = (
    ("internet_gb", "out_gb", "egress_gb", "outbound_internet_gb", "gb"),
    ("intra_region_gb", "inter_az_gb", "cross_az_gb"),
)
PROCESSED = ("gb", "processed_gb", "data_gb", "data_processed_gb")
REGIONS = {
    "us_east": ("us_east_gb", "outbound_us_east_to_us_east_gb"),
    "other_region": ("other_region_gb", "inter_region_gb", "outbound_other_regions_gb"),
}


def lcus(inputs: Inputs) -> load_balancer.Lcu:
    """The four dimensions. `requests_per_s`, `rules`, `new_connections_per_s` that last `conn_lifetime_s`, or the
    `active_connections`, and `kb_per_s` (KB of 1,000 bytes) to `targets` (ec2 or lambda); of it
    `lambda_kb_per_s`, or a `lambda_share`, to Lambda where there are both."""
    named = inputs.text("targets", "target", default="ec2").lower().removesuffix("s")
    target = TARGETS.get(named)
    if target is None:
        raise inputs.refuse(f"targets: {named!r} must be one of {', '.join(sorted(TARGETS))}")
    everything = inputs.number(*BYTES, default=0)
    share = inputs.share("lambda_share", default=1 if target == "lambda" else 0)
    to_lambda = inputs.number("lambda_kb_per_s", default=everything * share)
    new = inputs.number("new_connections_per_s", "new_conn_per_s", "connections_per_s", default=0)
    if inputs.has("active_connections"):
        lifetime = inputs.number("active_connections") / new if new else Decimal(0)
    else:
        lifetime = inputs.number(*LIFETIME, default=0)
    whole = load_balancer.lcu(
        requests_per_s=float(inputs.number("requests_per_s", default=0)),
        new_connections_per_s=float(new),
        connection_seconds=float(lifetime),
        bytes_per_s=float(everything - to_lambda) * 1000,
        rules=int(inputs.number("rules", default=0)),
        target="instance",
    )
    functions = load_balancer.lcu(
        requests_per_s=0, new_connections_per_s=0, connection_seconds=0, bytes_per_s=float(to_lambda) * 1000, rules=0,
        target="lambda",
    )  # fmt: skip
    return load_balancer.together((whole, functions))


def application_load_balancer(book: PriceBook, inputs: Inputs) -> list[LineItem]:
    """The dimensions of `lcus`, or `lcu` as the publication has it, for `hours` (720); `processed_gb` of a month where it
    gives that; `public_ipv4` addresses."""
    hours = inputs.seconds(month_hours=PAGE_MONTH_HOURS) / 3600
    if inputs.has("processed_gb") and not inputs.has(*BYTES):
        used = inputs.number("processed_gb")
    else:
        used = hours * (inputs.number("lcu", "lcus") if inputs.has("lcu", "lcus") else Decimal(repr(lcus(inputs).billed)))
    lines = [*load_balancer.hours(book, hours, note=NOTE), *load_balancer.lcu_hours(book, used, note=NOTE)]
    if inputs.has("public_ipv4"):
        lines += network.public_ipv4(book, hours * inputs.number("public_ipv4"), of="load balancer", note=NOTE)
    return lines


def nat_gateway(book: PriceBook, inputs: Inputs) -> list[LineItem]:
    """`gateways` (1) for `hours`, and `gb` that they process; `public_ipv4` addresses."""
    hours = inputs.number("gateways", "nat_gateways", "count", default=1) * inputs.seconds(month_hours=MONTH_HOURS) / 3600
    lines = network.nat_gateway(book, hours, inputs.number(*PROCESSED, default=0), note=NOTE)
    if inputs.has("public_ipv4"):
        lines += network.public_ipv4(book, hours * inputs.number("public_ipv4"), of="NAT gateways", note=NOTE)
    return lines


def data_transfer(book: PriceBook, inputs: Inputs) -> list[LineItem]:
    """`internet_gb` out through the tiers, with `free_tier`; `intra_region_gb` between zones, charged on both sides;
    `us_east_gb` and `other_region_gb` to other regions; `in_gb`."""
    free = inputs.flag("free_tier")
    lines: list[LineItem] = []
    if inputs.has(*OUT):
        lines += network.transfer_out(book, inputs.number(*OUT), free_tier=free, note=NOTE)
    if inputs.has(*ZONES):
        lines += network.inter_zone(book, inputs.number(*ZONES), note=NOTE)
    for region, names in REGIONS.items():
        if inputs.has(*names):
            lines += network.other_region(book, inputs.number(*names), to=region, note=NOTE)
    if inputs.has("in_gb"):
        lines += network.transfer_in(book, inputs.number("in_gb"), note=NOTE)
    return lines


def between_zones(book: PriceBook, inputs: Inputs) -> list[LineItem]:
    """`gb` from one zone to another, charged on both sides."""
    return network.inter_zone(book, inputs.number("gb", *ZONES), note=NOTE)


def public_ipv4(book: PriceBook, inputs: Inputs) -> list[LineItem]:
    """`addresses` (1) for `hours`, in use or not."""
    hours = inputs.number("addresses", "count", default=1) * inputs.seconds(month_hours=PAGE_MONTH_HOURS) / 3600
    return network.public_ipv4(book, hours, of="in use", note=NOTE)
