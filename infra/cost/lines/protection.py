"""AWS WAF and AWS Secrets Manager."""

from __future__ import annotations

from decimal import Decimal

from infra.cost.lines.line import LineItem, priced
from infra.cost.prices.book import PriceBook

WAF, SECRETS = "AWSWAF", "AWSSecretsManager"


def web_acl(book: PriceBook, rules: int, requests: Decimal, *, note: str) -> list[LineItem]:
    """One web ACL for a month, its rules (a managed rule group is one), and the requests that it looks at."""
    return [
        *priced(book.price(WAF, "web_acl"), Decimal(1), name="WAF web ACL", note=note),
        *priced(book.price(WAF, "rule"), Decimal(rules), name="WAF rules", note=note),
        *priced(book.price(WAF, "requests"), requests, name="WAF requests", note="every request is looked at"),
    ]


def secret(book: PriceBook, *, of: str, note: str) -> list[LineItem]:
    """One secret for a month; `of` says which."""
    return priced(book.price(SECRETS, "secret"), Decimal(1), name=f"Secret, {of}", note=note)


def secret_reads(book: PriceBook, count: Decimal, *, of: str, note: str) -> list[LineItem]:
    return priced(book.price(SECRETS, "requests"), count, name=f"Secret reads, {of}", note=note)
