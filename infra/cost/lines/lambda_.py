"""AWS Lambda: requests, GB-seconds by architecture, cold starts' Init (billed since 2025-08-01), provisioned
concurrency, SnapStart, ephemeral storage, response streaming, tenant isolation, Managed Instances."""

from __future__ import annotations

from decimal import Decimal

from infra.cost.lines.line import LineItem, priced
from infra.cost.prices.book import PriceBook

SERVICE = "AWSLambda"
INCLUDED_MB = 512
"""Of a function's own disk (AWS Lambda pricing page)."""


def gb_seconds(invocations: Decimal, seconds: Decimal, memory_mb: int) -> Decimal:
    """GB-seconds as Lambda counts them: memory in MB / 1,024."""
    return invocations * seconds * memory_mb / 1024


def requests(book: PriceBook, count: Decimal, *, free_tier: bool, note: str) -> list[LineItem]:
    """Requests of one month."""
    free = book.free_tier(SERVICE, "requests") if free_tier else None
    return priced(book.price(SERVICE, "requests"), count, name="Lambda requests", note=note, free=free)


def duration(
    book: PriceBook, amount: Decimal, architecture: str, *, free_tier: bool, note: str, name: str = "Lambda compute"
) -> list[LineItem]:
    """GB-seconds of one month, Init included, through the architecture's tiers."""
    free = book.free_tier(SERVICE, "duration") if free_tier else None
    price = book.price(SERVICE, f"duration_{architecture}")
    return priced(price, amount, name=name, note=note, free=free)


def provisioned_concurrency(
    book: PriceBook, kept_gb_s: Decimal, used_gb_s: Decimal, architecture: str, *, note: str
) -> list[LineItem]:
    """Kept-warm GB-seconds and the cheaper GB-seconds of the searches they served; no free tier applies."""
    kept = book.price(SERVICE, f"provisioned_concurrency_{architecture}")
    used = book.price(SERVICE, f"provisioned_duration_{architecture}")
    return [
        *priced(kept, kept_gb_s, name="Lambda provisioned concurrency", note=note),
        *priced(used, used_gb_s, name="Lambda compute on provisioned concurrency", note=note),
    ]


def snap_start(book: PriceBook, cached_gb_s: Decimal, restored_gb: Decimal, *, note: str) -> list[LineItem]:
    """The published version's snapshot, kept all month, and the memory that each started environment restores from it."""
    return [
        *priced(book.price(SERVICE, "snapstart_cache"), cached_gb_s, name="Lambda SnapStart cache", note=note),
        *priced(book.price(SERVICE, "snapstart_restore"), restored_gb, name="Lambda SnapStart restores", note=note),
    ]


def managed_fee(book: PriceBook, on_demand_usd: Decimal, *, note: str) -> list[LineItem]:
    """What Lambda takes for managing instances: a share of their price on demand."""
    return priced(book.price(SERVICE, "managed_instances_fee"), on_demand_usd, name="Lambda management of instances", note=note)


def ephemeral_storage(book: PriceBook, invocations: Decimal, seconds: Decimal, megabytes: int, *, note: str) -> list[LineItem]:
    """The function's own disk beyond what is included, for as long as invocations run."""
    amount = invocations * seconds * max(0, megabytes - INCLUDED_MB) / 1024
    price = book.price(SERVICE, "ephemeral_storage_over_512_mb")
    return priced(price, amount, name="Lambda ephemeral storage", note=note)


def response_streaming(book: PriceBook, gigabytes: Decimal, *, free_tier: bool, note: str) -> list[LineItem]:
    """Streamed GB beyond the first 6 MB of each response."""
    free = book.free_tier(SERVICE, "response_streaming") if free_tier else None
    price = book.price(SERVICE, "response_streaming")
    return priced(price, gigabytes, name="Lambda response streaming", note=note, free=free)


def tenant_isolation(book: PriceBook, gigabytes: Decimal, *, note: str) -> list[LineItem]:
    """Memory of the environments that are created for a tenant alone."""
    return priced(book.price(SERVICE, "tenant_isolation"), gigabytes, name="Lambda tenant isolation", note=note)
