"""ElastiCache for Valkey: serverless by what it holds and passes on, nodes by the hour."""

from __future__ import annotations

from decimal import Decimal

from infra.cost.lines.line import LineItem, priced
from infra.cost.prices.book import PriceBook

SERVICE = "AmazonElastiCache"


def serverless(book: PriceBook, gb_hours: Decimal, million_ecpu: Decimal, *, held: str, passed: str) -> list[LineItem]:
    """`held` and `passed` say how the two quantities came about."""
    return [
        *priced(book.price(SERVICE, "valkey_serverless_storage"), gb_hours, name="Cache storage", note=held),
        *priced(book.price(SERVICE, "valkey_serverless_ecpu"), million_ecpu, name="Cache requests", note=passed),
    ]


def has_node(book: PriceBook, node_type: str) -> bool:
    return (SERVICE, _node(node_type)) in book.prices


def nodes(book: PriceBook, node_type: str, hours: Decimal, *, note: str) -> list[LineItem]:
    return priced(book.price(SERVICE, _node(node_type)), hours, name=f"Cache nodes, {node_type}", note=note)


def _node(node_type: str) -> str:
    return f"node_{node_type}_valkey"
