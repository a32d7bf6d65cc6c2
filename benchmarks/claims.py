"""What the article claims, beside our figures: reproduced, partly, or refuted. Pure: a document in, rows out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

BEFORE = "flask_requests"
AFTERS = ("quart_httpx", "aiohttp_msgspec", "crossover")
"""The article's own kind of after first."""

UNKNOWN = "not measured"
BLOCKED_SHARE = 0.01
"""Of searches that block: what is delayed beyond them is others."""


class Claim(NamedTuple):
    """One row. `about` says which variants `ours` compares."""

    claim: str
    about: str
    ours: str
    verdict: str


def claims(document: dict[str, Any]) -> list[Claim]:
    """Every claim that this document has figures for, in the article's order."""
    rows = []
    for after in AFTERS:
        rows += [_throughput(document, after), _latency(document, after), _errors(document, after)]
    return [*rows, _threads(document), _blocking(document, "asyncio"), _blocking(document, "threads")]


def verdict(value: float, *, reproduced: Callable[[float], bool], partly: Callable[[float], bool]) -> str:
    return "reproduced" if reproduced(value) else "partly" if partly(value) else "refuted"


def _get(document: dict[str, Any], *keys: str) -> Any:
    """A figure, or `None` where it or anything on the way to it is missing."""
    found: Any = document
    for key in keys:
        if not isinstance(found, dict) or found.get(key) is None:
            return None
        found = found[key]
    return found


def _throughput(document: dict[str, Any], after: str) -> Claim:
    claim, about = "twice the throughput (150 to 300 requests/s)", f"{after} over {BEFORE}"
    old, new = _get(document, "capacity", BEFORE, "rps"), _get(document, "capacity", after, "rps")
    if not old or not new:
        return Claim(claim, about, UNKNOWN, UNKNOWN)
    ratio = new / old
    said = verdict(ratio, reproduced=lambda r: r >= 1.8, partly=lambda r: r >= 1.2)
    return Claim(claim, about, f"{ratio:.1f}× ({old:.0f} to {new:.0f} searches/s on one core)", said)


def _latency(document: dict[str, Any], after: str) -> Claim:
    claim, about = "half the latency", f"{after} beside {BEFORE}, at 0.9 × what {BEFORE} holds"
    old, new = (_get(document, "same_load", "variants", name) for name in (BEFORE, after))
    if not old or not new or not old["p50_ms"] or not new["p50_ms"]:
        return Claim(claim, about, UNKNOWN, UNKNOWN)
    p50, p99 = new["p50_ms"] / old["p50_ms"], new["p99_ms"] / old["p99_ms"]
    said = verdict(p50, reproduced=lambda r: r <= 0.6, partly=lambda r: r <= 0.85)
    ours = f"p50 × {p50:.2f} ({old['p50_ms']:,.0f} to {new['p50_ms']:,.0f} ms), p99 × {p99:.2f} ({old['p99_ms']:,.0f} to "
    return Claim(claim, about, f"{ours}{new['p99_ms']:,.0f} ms)", said)


def _errors(document: dict[str, Any], after: str) -> Claim:
    claim, about = "95% fewer errors at peak", f"{after} beside {BEFORE}, at 2 × what {BEFORE} holds"
    old, new = (_get(document, "twice", "variants", name, "errors_share") for name in (BEFORE, after))
    if old is None or new is None:
        return Claim(claim, about, UNKNOWN, UNKNOWN)
    if old == 0:
        return Claim(claim, about, f"{BEFORE} made none", "refuted")
    fewer = 1 - new / old
    said = verdict(fewer, reproduced=lambda f: f >= 0.9, partly=lambda f: f >= 0.3)
    return Claim(
        claim, about, f"{old:.1%} to {new:.1%} not answered in 2.5 s, {abs(fewer):.0%} {'more' if fewer < 0 else 'fewer'}", said
    )


def _threads(document: dict[str, Any]) -> Claim:
    claim, about = "asyncio does it with less than threads", "asyncio beside threads, one program, equal work"
    old, new = (_get(document, "same_load", "variants", name) for name in ("threads", "asyncio"))
    held = [_get(document, "capacity", name, "rps") for name in ("threads", "asyncio")]
    if not old or not new or not old["cpu_ms_per_search"] or not new["cpu_ms_per_search"]:
        return Claim(claim, about, UNKNOWN, UNKNOWN)
    cpu, memory = new["cpu_ms_per_search"] / old["cpu_ms_per_search"], new["peak_rss_mb"] / old["peak_rss_mb"]
    ours = (
        f"CPU a search × {cpu:.2f} ({old['cpu_ms_per_search']:.1f} to {new['cpu_ms_per_search']:.1f} ms), memory × {memory:.2f}"
    )
    if all(held):
        ours += f", {held[1] / held[0]:.1f}× the rate held ({held[0]:.0f} to {held[1]:.0f}/s)"
    return Claim(claim, about, ours, verdict(cpu, reproduced=lambda r: r <= 0.6, partly=lambda r: r <= 0.9))


def _blocking(document: dict[str, Any], name: str) -> Claim:
    claim = {
        "asyncio": "one blocking call on the loop holds everybody up",
        "threads": "(the same on threads)",
    }[name]
    about = f"{name}: 1% of searches sleep {document['block_ms']} ms"
    plain, blocked = (_get(document, "blocking", "variants", each) for each in (name, f"{name}_blocking"))
    if not plain or not blocked or plain["delayed_share"] is None or blocked["delayed_share"] is None:
        return Claim(claim, about, UNKNOWN, UNKNOWN)
    others = max(0.0, blocked["delayed_share"] - plain["delayed_share"] - BLOCKED_SHARE) / BLOCKED_SHARE
    ours = (
        f"each delays {others:.1f} others by over 25 ms; p99 {plain['p99_ms']:,.0f} to {blocked['p99_ms']:,.0f} ms, "
        f"p50 {plain['p50_ms']:,.0f} to {blocked['p50_ms']:,.0f} ms, at {plain['rps']:.0f}/s"
    )
    if name == "threads":
        return Claim(claim, about, ours, "for comparison")
    return Claim(claim, about, ours, verdict(others, reproduced=lambda n: n >= 1, partly=lambda n: n >= 0.3))
