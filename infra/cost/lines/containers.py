"""Containers without machines of one's own: AWS Fargate and Fargate Spot by vCPU and memory, App Runner by what is active."""

from __future__ import annotations

from decimal import Decimal

from infra.cost.lines.line import LineItem, priced
from infra.cost.prices.book import PriceBook

FARGATE, APP_RUNNER = "AmazonECS", "AmazonAppRunner"
FARGATE_DISK_GB = 20
"""Each task has so much disk without charge (AWS Fargate pricing page)."""


def fargate(
    book: PriceBook,
    task_seconds: Decimal,
    *,
    vcpu: Decimal,
    gb: Decimal,
    architecture: str,
    note: str,
    disk_gb: Decimal = Decimal(0),
    spot: bool = False,
) -> list[LineItem]:
    """Tasks of one size for so many seconds together; `disk_gb` of each in all."""
    kind, name = ("fargate_spot", "Fargate Spot") if spot else ("fargate", "Fargate")
    lines = [
        *priced(book.price(FARGATE, f"{kind}_vcpu_{architecture}"), task_seconds * vcpu, name=f"{name} vCPU", note=note),
        *priced(book.price(FARGATE, f"{kind}_memory_{architecture}"), task_seconds * gb, name=f"{name} memory", note=note),
    ]
    if disk_gb > FARGATE_DISK_GB:
        beyond = task_seconds * (disk_gb - FARGATE_DISK_GB)
        lines += priced(book.price(FARGATE, "fargate_ephemeral_over_20_gb"), beyond, name="Fargate disk", note=note)
    return lines


def app_runner(
    book: PriceBook, *, vcpu: Decimal, gb: Decimal, active_hours: Decimal, idle_hours: Decimal, note: str
) -> list[LineItem]:
    """Instances of one size: vCPUs while they serve, memory as long as they are there."""
    return [
        *priced(book.price(APP_RUNNER, "vcpu"), active_hours * vcpu, name="App Runner vCPU", note=note),
        *priced(book.price(APP_RUNNER, "memory"), (active_hours + idle_hours) * gb, name="App Runner memory", note=note),
    ]
