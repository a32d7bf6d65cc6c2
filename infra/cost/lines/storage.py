"""Amazon S3 Standard: what is kept, and the requests that write it. GB are 10^9 bytes."""

from __future__ import annotations

from decimal import Decimal

from infra.cost.lines.line import LineItem, priced
from infra.cost.prices.book import PriceBook

SERVICE = "AmazonS3"


def storage(book: PriceBook, gb_months: Decimal, *, of: str, note: str) -> list[LineItem]:
    return priced(book.price(SERVICE, "standard_storage"), gb_months, name=f"S3 storage, {of}", note=note)


def put_requests(book: PriceBook, count: Decimal, *, of: str, note: str) -> list[LineItem]:
    return priced(book.price(SERVICE, "put_requests"), count, name=f"S3 requests, {of}", note=note)
