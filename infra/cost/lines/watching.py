"""CloudWatch beside its logs: dashboards, metrics of one's own, the requests that send them, alarms."""

from __future__ import annotations

from decimal import Decimal

from infra.cost.lines.line import LineItem, priced
from infra.cost.prices.book import PriceBook

SERVICE = "AmazonCloudWatch"
DETAILED_METRICS = 7
"""Metrics of an instance with detailed monitoring (Amazon EC2 User Guide; Infracost's golden tests bill $2.10 for them)."""


def dashboard(book: PriceBook, *, note: str) -> list[LineItem]:
    return priced(book.price(SERVICE, "dashboard"), Decimal(1), name="CloudWatch dashboard", note=note)


def metrics(book: PriceBook, count: int, *, of: str, note: str) -> list[LineItem]:
    """Custom metrics for a month: one for each name and set of dimensions."""
    return priced(book.price(SERVICE, "custom_metric"), Decimal(count), name=f"CloudWatch metrics, {of}", note=note)


def put_metric_data(book: PriceBook, requests: Decimal, *, note: str) -> list[LineItem]:
    return priced(book.price(SERVICE, "put_metric_data"), requests, name="CloudWatch metric requests", note=note)


def agent_requests(book: PriceBook, requests: Decimal, *, note: str) -> list[LineItem]:
    """Those of AWS's agent, beside the kit's own."""
    return priced(book.price(SERVICE, "put_metric_data"), requests, name="CloudWatch agent requests", note=note)


def alarms(book: PriceBook, metrics: int, *, of: str, note: str) -> list[LineItem]:
    """Alarms of a minute's resolution for a month: one for each metric that they read, so two for a share of two metrics."""
    return priced(book.price(SERVICE, "standard_alarm"), Decimal(metrics), name=f"CloudWatch alarms, {of}", note=note)


def composite_alarms(book: PriceBook, count: int, *, of: str, note: str) -> list[LineItem]:
    """Alarms on other alarms, which are billed beside them."""
    return priced(book.price(SERVICE, "composite_alarm"), Decimal(count), name=f"CloudWatch composite alarm, {of}", note=note)


def detailed_monitoring(book: PriceBook, instance_months: Decimal, *, note: str) -> list[LineItem]:
    """EC2's own metrics each minute instead of every fifth: seven metrics an instance, at the price of custom ones."""
    amount = DETAILED_METRICS * instance_months
    return priced(book.price(SERVICE, "custom_metric"), amount, name="CloudWatch detailed monitoring", note=note)
