"""The network: data transfer, public IPv4 addresses, NAT gateways. GB are 10^9 bytes."""

from __future__ import annotations

from decimal import Decimal

from infra.cost.lines.line import LineItem, priced
from infra.cost.prices.book import PriceBook

TRANSFER = "AWSDataTransfer"


def transfer_out(book: PriceBook, gb: Decimal, *, free_tier: bool, note: str) -> list[LineItem]:
    """Data transfer out to the internet, through its monthly tiers."""
    free = book.free_tier(TRANSFER, "out_internet") if free_tier else None
    return priced(book.price(TRANSFER, "out_internet"), gb, name="Data transfer out", note=note, free=free)


def transfer_in(book: PriceBook, gb: Decimal, *, note: str) -> list[LineItem]:
    """Data transfer in from the internet: free, shown so that its volume is seen."""
    return priced(book.price(TRANSFER, "in_internet"), gb, name="Data transfer in", note=note)


def inter_zone(book: PriceBook, gb: Decimal, *, note: str, sides: int = 2) -> list[LineItem]:
    """Data between availability zones: each GB is charged where it leaves and where it arrives, but for a side that a service
    does not charge (`sides` 1)."""
    return priced(book.price(TRANSFER, "inter_az"), sides * gb, name="Data transfer between zones", note=note)


def other_region(book: PriceBook, gb: Decimal, *, to: str, note: str) -> list[LineItem]:
    """Data to another region, charged where it leaves; `to` is "us_east", between the two of them, or "other_region"."""
    return priced(book.price(TRANSFER, f"out_{to}"), gb, name="Data transfer to another region", note=note)


def public_ipv4(book: PriceBook, address_hours: Decimal, *, of: str, note: str) -> list[LineItem]:
    """Hours of public IPv4 addresses in use; `of` says whose."""
    return priced(book.price("AmazonVPC", "public_ipv4"), address_hours, name=f"Public IPv4, {of}", note=note)


def nat_gateway(book: PriceBook, hours: Decimal, gb: Decimal, *, note: str) -> list[LineItem]:
    """Hours of NAT gateways and the GB they process in either direction."""
    return [
        *priced(book.price("AmazonVPC", "nat_gateway_hour"), hours, name="NAT gateway hours", note=note),
        *priced(book.price("AmazonVPC", "nat_gateway_data"), gb, name="NAT gateway data", note=note),
    ]
