"""CloudWatch beside its logs: dashboards, metrics of one's own, and the requests that send them."""

from __future__ import annotations

from decimal import Decimal

from infra.cost.lines.line import LineItem, priced
from infra.cost.prices import PriceBook

SERVICE = "AmazonCloudWatch"


def dashboard(book: PriceBook, *, note: str) -> list[LineItem]:
    return priced(book.price(SERVICE, "dashboard"), Decimal(1), name="CloudWatch dashboard", note=note)


def metrics(book: PriceBook, count: int, *, of: str, note: str) -> list[LineItem]:
    """Custom metrics for a month: one for each name and set of dimensions."""
    return priced(book.price(SERVICE, "custom_metric"), Decimal(count), name=f"CloudWatch metrics, {of}", note=note)


def put_metric_data(book: PriceBook, requests: Decimal, *, note: str) -> list[LineItem]:
    return priced(book.price(SERVICE, "put_metric_data"), requests, name="CloudWatch metric requests", note=note)
