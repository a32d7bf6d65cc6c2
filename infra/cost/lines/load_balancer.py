"""Application Load Balancer: hours, and LCU-hours by the largest of four dimensions.

An LCU is 25 new connections a second, 3,000 active connections a minute, 1 GB an hour (0.4 GB for Lambda targets) and
1,000 rule evaluations a second; the first 10 rules are free (AWS Elastic Load Balancing pricing page).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from infra.cost.lines.line import LineItem, priced
from infra.cost.prices.book import PriceBook

NEW_CONNECTIONS_PER_S = 25
ACTIVE_CONNECTIONS = 3_000
GB_PER_HOUR = {"instance": Decimal(1), "lambda": Decimal("0.4")}
RULE_EVALUATIONS_PER_S = 1_000
FREE_RULES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Lcu:
    """The four dimensions of one moment, each in LCU. What is billed is the largest, never the sum."""

    new_connections: float
    active_connections: float
    processed_bytes: float
    rule_evaluations: float

    @property
    def billed(self) -> float:
        return max(self.new_connections, self.active_connections, self.processed_bytes, self.rule_evaluations)

    @property
    def deciding(self) -> str:
        """The name of the dimension that is billed."""
        names = ("new_connections", "active_connections", "processed_bytes", "rule_evaluations")
        return max(names, key=lambda name: float(getattr(self, name))).replace("_", " ")


def lcu(
    *,
    requests_per_s: float,
    new_connections_per_s: float,
    connection_seconds: float,
    bytes_per_s: float,
    rules: int,
    target: str,
) -> Lcu:
    """LCUs in use at a steady rate; `target` is "lambda" or "instance". All rates are per second; GB are 10^9 bytes."""
    return Lcu(
        new_connections=new_connections_per_s / NEW_CONNECTIONS_PER_S,
        active_connections=new_connections_per_s * connection_seconds / ACTIVE_CONNECTIONS,
        processed_bytes=bytes_per_s * 3600 / 1e9 / float(GB_PER_HOUR[target]),
        rule_evaluations=max(0, rules - FREE_RULES) * requests_per_s / RULE_EVALUATIONS_PER_S,
    )


def together(parts: Iterable[Lcu]) -> Lcu:
    """The LCUs of one load balancer before several kinds of targets: each dimension adds up, then the largest is billed."""
    parts = list(parts)
    return Lcu(
        new_connections=math.fsum(part.new_connections for part in parts),
        active_connections=math.fsum(part.active_connections for part in parts),
        processed_bytes=math.fsum(part.processed_bytes for part in parts),
        rule_evaluations=math.fsum(part.rule_evaluations for part in parts),
    )


def hours(book: PriceBook, month_hours: Decimal, *, note: str) -> list[LineItem]:
    """Hours of one load balancer."""
    return priced(book.price("AWSELB", "alb_hour"), month_hours, name="Load balancer hours", note=note)


def lcu_hours(book: PriceBook, amount: Decimal, *, note: str) -> list[LineItem]:
    """LCU-hours of one month."""
    return priced(book.price("AWSELB", "alb_lcu"), amount, name="Load balancer LCUs", note=note)


def http_api(book: PriceBook, requests: Decimal, *, note: str) -> list[LineItem]:
    """Requests to an HTTP API of API Gateway, which stands in for the load balancer before a lane alone."""
    return priced(book.price("AmazonApiGateway", "http_api"), requests, name="HTTP API requests", note=note)
