"""CloudWatch Logs: ingestion, storage and Logs Insights queries. GB are 10^9 bytes."""

from __future__ import annotations

from decimal import Decimal

from infra.cost.lines.line import LineItem, priced
from infra.cost.prices.book import PriceBook

SERVICE = "AmazonCloudWatch"


def ingestion(book: PriceBook, gb: Decimal, *, note: str) -> list[LineItem]:
    return priced(book.price(SERVICE, "logs_ingest_standard"), gb, name="CloudWatch Logs ingestion", note=note)


def storage(book: PriceBook, gb_months: Decimal, *, note: str) -> list[LineItem]:
    """GB-months kept. AWS stores logs compressed; uncompressed sizes given here are an upper bound."""
    return priced(book.price(SERVICE, "logs_storage"), gb_months, name="CloudWatch Logs storage", note=note)


def insights(book: PriceBook, gb_scanned: Decimal, *, note: str) -> list[LineItem]:
    return priced(book.price(SERVICE, "logs_insights_scan"), gb_scanned, name="CloudWatch Logs Insights", note=note)
