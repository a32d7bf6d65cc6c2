"""Examples of machines: EC2 instances and their volumes, AWS Fargate and Fargate Spot, App Runner."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from infra.cost.lines import containers, ec2, watching
from infra.cost.lines.line import LineItem
from infra.cost.prices.book import Price, PriceBook, Tier
from infra.cost.worked_examples.functions import NOTE, OWN, commitment, discounted, with_own_hour
from infra.cost.worked_examples.inputs import Inputs
from infra.cost.worked_examples.spelling import canonical

GB_PRICE = ("gb_price", "price_gb_month", "storage_price")
VOLUME_KINDS = ("gp3", "gp2", "io1", "st1", "sc1")
MONTH_HOURS = Decimal(730)
PAGE_MONTH_HOURS = Decimal(720)
"""AWS's pages prorate by a month of 30 days, its calculator and Infracost count 730 hours."""


def instances(book: PriceBook, inputs: Inputs, *, spot: bool = False) -> list[LineItem]:
    """`instances` (1) of `type` for `hours`; `purchase` is on_demand, spot, or a plan of the book; or a `discount`;
    `volume_gb` of gp3 each; `detailed_monitoring`; `credit_hours` of vCPU beyond a burstable type's own."""
    kind = inputs.text("type", "instance_type", "instance")
    book = with_own_hour(book, kind, inputs)
    count = inputs.number("instances", "count", default=1)
    hours = count * inputs.seconds(month_hours=MONTH_HOURS) / 3600
    purchase = canonical(inputs.text("purchase", "purchase_option", default="on_demand"))
    if inputs.flag("spot") or spot or purchase == "spot":
        lines = ec2.spot(book, [kind], hours, note=NOTE)
    else:
        off = commitment(book, inputs, "AmazonEC2", kind, plan=purchase)
        lines = [discounted(line, off) for line in ec2.on_demand(book, kind, hours, note=NOTE)]
    month = inputs.number("month_hours", default=MONTH_HOURS)
    if inputs.has("volume_gb", "root_gb"):
        lines += ec2.volumes(book, int(inputs.number("volume_gb", "root_gb")), hours, month, note=NOTE)
    if inputs.flag("detailed_monitoring"):
        lines += watching.detailed_monitoring(book, hours / month, note=NOTE)
    if inputs.has("credit_hours"):
        lines += ec2.unlimited_credits(book, inputs.number("credit_hours"), note=NOTE)
    return lines


def volumes(book: PriceBook, inputs: Inputs) -> list[LineItem]:
    """`gb` of `volume_type` (told by its `gb_price`, else gp3) for `hours` or the month, `volumes` of them (1), with `iops`
    and `throughput_mbps` as provisioned; `gb_price`, `iops_price`, `throughput_price` where the publication has its own."""
    kind = inputs.text("volume_type", "type", default=_kind_at(book, inputs))
    prices = {
        "storage": _own(book, f"{kind}_storage", "GB-month", inputs, *GB_PRICE),
        "iops": _own(book, "gp3_iops_over_3000" if kind == "gp3" else f"{kind}_iops", "IOPS-month", inputs, "iops_price"),
        "throughput": _own(
            book,
            "gp3_throughput_over_125",
            "MB/s-month",
            inputs,
            "throughput_price",
            "tput_price",
            "mbps_price",
            "throughput_mbps_price",
        ),
    }
    there = inputs.seconds(month_hours=MONTH_HOURS) / 3600
    month = inputs.number("month_hours", default=PAGE_MONTH_HOURS if there <= PAGE_MONTH_HOURS else MONTH_HOURS)
    hours = inputs.number("volumes", "count", default=1) * there
    iops = inputs.number("iops", "provisioned_iops", default=0)
    throughput = inputs.number("throughput_mbps", "throughput_mb_s", "throughput", "mbps", default=0)
    return ec2.provisioned_volumes(
        prices,
        gb=inputs.number("gb", "size_gb", "storage_gb", "volume_gb"),
        iops=max(Decimal(0), iops - ec2.GP3_IOPS) if kind == "gp3" else iops,
        throughput=max(Decimal(0), throughput - ec2.GP3_THROUGHPUT),
        month_share=hours / month,
        note=NOTE,
    )


def _kind_at(book: PriceBook, inputs: Inputs) -> str:
    """The kind of volume that costs in the book what the publication states; gp3 where none does."""
    stated = inputs.number(*GB_PRICE, default=0)
    known = {kind: book.prices.get(("AmazonEBS", f"{kind}_storage")) for kind in VOLUME_KINDS}
    return next((kind for kind, price in known.items() if price is not None and price.usd == stated), "gp3")


def _own(book: PriceBook, dimension: str, unit: str, inputs: Inputs, *names: str) -> Price | None:
    """The publication's own price where it states one, else the book's, None where it has none."""
    known = book.prices.get(("AmazonEBS", dimension))
    if not inputs.has(*names):
        inputs.number(*names, default=0)
        return known
    price = known or replace(book.price("AmazonEBS", "gp3_storage"), dimension=dimension, unit=unit)
    return replace(price, tiers=(Tier(Decimal(0), None, inputs.number(*names)),), source=OWN)


def fargate(book: PriceBook, inputs: Inputs, *, spot: bool = False) -> list[LineItem]:
    """`tasks` (or `pods`) of `vcpu` and `gb` for `seconds_per_day` × `days`, or `hours`; `ephemeral_gb` of disk in all;
    `spot`; `cpu_units` are 1,024ths of a vCPU."""
    vcpu = inputs.number("cpu_units") / 1024 if inputs.has("cpu_units") else inputs.number("vcpu", "vcpus", "cpu")
    tasks = inputs.number("tasks", "pods", "count", default=1)
    return containers.fargate(
        book,
        tasks * inputs.seconds(month_hours=MONTH_HOURS),
        vcpu=vcpu,
        gb=inputs.number("gb", "memory_gb"),
        disk_gb=inputs.number("ephemeral_gb", "storage_gb", default=0),
        architecture=inputs.architecture(),
        spot=inputs.flag("spot") or spot,
        note=NOTE,
    )


def app_runner(book: PriceBook, inputs: Inputs) -> list[LineItem]:
    """`vcpu` and `gb` of an instance; `provisioned_hours` of instances that wait, `active_hours` of those that serve."""
    return containers.app_runner(
        book,
        vcpu=inputs.number("vcpu"),
        gb=inputs.number("gb", "memory_gb"),
        active_hours=inputs.number("active_hours"),
        idle_hours=inputs.number("provisioned_hours", default=0),
        note=NOTE,
    )
