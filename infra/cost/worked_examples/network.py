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


def lcus(inputs: Inputs) -> load_balancer.Lcu:
    """The four dimensions. `new_conn_s`, `conn_lifetime_s`, `rps`, `rules`, and `bytes_per_s_kb` (KB of 1,000 bytes) to
    `targets` (ec2 or lambda); of it `lambda_bytes_per_s_kb` to Lambda where there are both."""
    named = inputs.text("targets", "target", default="ec2")
    target = TARGETS.get(named, named)
    everything = inputs.number("bytes_per_s_kb", default=0)
    to_lambda = inputs.number("lambda_bytes_per_s_kb", default=everything if target == "lambda" else 0)
    whole = load_balancer.lcu(
        requests_per_s=float(inputs.number("rps", "requests_per_s", default=0)),
        new_connections_per_s=float(inputs.number("new_conn_s", default=0)),
        connection_seconds=float(inputs.number("conn_lifetime_s", default=0)),
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
    if inputs.has("processed_gb"):
        used = inputs.number("processed_gb")
    else:
        used = hours * (inputs.number("lcu") if inputs.has("lcu") else Decimal(repr(lcus(inputs).billed)))
    lines = [*load_balancer.hours(book, hours, note=NOTE), *load_balancer.lcu_hours(book, used, note=NOTE)]
    if inputs.has("public_ipv4"):
        lines += network.public_ipv4(book, hours * inputs.number("public_ipv4"), of="load balancer", note=NOTE)
    return lines


def nat_gateway(book: PriceBook, inputs: Inputs) -> list[LineItem]:
    """`gateways` (1) for `hours`, and `gb` that they process; `public_ipv4` addresses."""
    hours = inputs.number("gateways", "count", default=1) * inputs.seconds(month_hours=MONTH_HOURS) / 3600
    lines = network.nat_gateway(book, hours, inputs.number("gb", default=0), note=NOTE)
    if inputs.has("public_ipv4"):
        lines += network.public_ipv4(book, hours * inputs.number("public_ipv4"), of="NAT gateways", note=NOTE)
    return lines


def data_transfer(book: PriceBook, inputs: Inputs) -> list[LineItem]:
    """`internet_gb` out through the tiers, with `free_tier`; `intra_region_gb` between zones, charged on both sides;
    `us_east_gb` and `other_region_gb` to other regions; `in_gb`."""
    free = inputs.flag("free_tier")
    lines: list[LineItem] = []
    if inputs.has("internet_gb", "out_gb"):
        lines += network.transfer_out(book, inputs.number("internet_gb", "out_gb"), free_tier=free, note=NOTE)
    if inputs.has("intra_region_gb", "inter_az_gb"):
        lines += network.inter_zone(book, inputs.number("intra_region_gb", "inter_az_gb"), note=NOTE)
    for name, region in (("us_east_gb", "us_east"), ("other_region_gb", "other_region")):
        if inputs.has(name):
            lines += network.other_region(book, inputs.number(name), to=region, note=NOTE)
    if inputs.has("in_gb"):
        lines += network.transfer_in(book, inputs.number("in_gb"), note=NOTE)
    return lines


def public_ipv4(book: PriceBook, inputs: Inputs) -> list[LineItem]:
    """`addresses` (1) for `hours`, in use or not."""
    hours = inputs.number("addresses", "count", default=1) * inputs.seconds(month_hours=PAGE_MONTH_HOURS) / 3600
    return network.public_ipv4(book, hours, of="in use", note=NOTE)
