"""Is a lane well? Three answers: well, sick, or not known yet. Silence is never taken for health.

A rate of few requests says little: error shares are judged by the lower end of their Wilson interval (99%), so that two errors
among fifty requests do not yet condemn a lane, and by the plain share once there are `min_samples`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct

from infra.switching.plan import Limits

Z_99 = 2.576
SIGMAS = 4.0
"""A split that is further off its weights than this, in standard deviations, is no chance (1 in 16,000)."""
SLACK = 0.02
"""What the load balancer's nodes may differ by beside chance."""


class Figures(Struct, frozen=True, kw_only=True):
    """One lane over a window, None where it is not known. `throttled` is Lambda's alone, `loop_lag_ms` and `healthy` are the
    container lane's."""

    requests: int | None = None
    errors: int | None = None
    p99_ms: float | None = None
    throttled: int | None = None
    loop_lag_ms: float | None = None
    healthy: int | None = None

    @property
    def words(self) -> str:
        """`1,204 requests, 3 errors, p99 412 ms`; a dash for what is not known."""
        requests = "-" if self.requests is None else f"{self.requests:,}"
        errors = "-" if self.errors is None else f"{self.errors:,}"
        p99 = "-" if self.p99_ms is None else f"{self.p99_ms:,.0f} ms"
        return f"{requests} requests, {errors} errors, p99 {p99}"


class Health(StrEnum):
    WELL = "well"
    SICK = "sick"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    health: Health
    reasons: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        return "; ".join(self.reasons) or str(self.health)


def judge(lane: str, figures: Figures, baseline: Figures | None, limits: Limits) -> Verdict:
    """One lane by its own limits and against the other lane at the same time."""
    sick = _ailments(lane, figures, baseline, limits)
    if sick:
        return Verdict(Health.SICK, tuple(sick))
    missing = [f"{lane}: {name} not known" for name in _missing(lane, figures, limits)]
    if not missing and (figures.requests or 0) < limits.min_samples:
        missing = [f"{lane}: {figures.requests} of {limits.min_samples} requests seen"]
    return Verdict(Health.UNKNOWN, tuple(missing)) if missing else Verdict(Health.WELL)


def split_is_seen(rising: Figures, falling: Figures, share: float) -> Verdict:
    """Whether traffic follows the weights: the rising lane's share of all requests, within chance and a little slack."""
    if rising.requests is None or falling.requests is None:
        return Verdict(Health.UNKNOWN, ("requests of both lanes are not known",))
    total = rising.requests + falling.requests
    if total == 0:
        return Verdict(Health.UNKNOWN, ("no request was seen on either lane",))
    seen = rising.requests / total
    if abs(seen - share) <= SIGMAS * math.sqrt(max(share * (1 - share), 1 / total) / total) + SLACK:
        return Verdict(Health.WELL)
    return Verdict(Health.UNKNOWN, (f"traffic does not follow the weights yet: {seen:.1%} seen, {share:.1%} asked",))


def less_sick(figures: dict[str, Figures], verdicts: dict[str, Verdict], fallback: str) -> str:
    """The lane to be on: a well one before an unknown before a sick one; of two sick the one with fewer errors; else the
    fallback, which is where traffic came from."""
    order = {Health.WELL: 0, Health.UNKNOWN: 1, Health.SICK: 2}

    def badness(lane: str) -> tuple[float, float, int]:
        told, mine = verdicts[lane], figures[lane]
        sick = told.health is Health.SICK
        share = _share(mine) if sick else 0.0
        return order[told.health], 1.0 if share is None else share, int(lane != fallback)

    return min(verdicts, key=badness)


def uncompared(lane: str, baseline: Figures | None, limits: Limits) -> dict[str, str]:
    """The lane's figures that its own limit alone judges, and why the other lane is no measure for them. Of loop lag and
    throttles there is none on the other lane: an environment of Lambda serves one request at a time, so none waits for the
    loop; and a lane's own figures of before are of another load."""
    peer = baseline or Figures()
    told = {"loop_lag_ms": "not-on-lambda"} if lane == "container" else {"throttled": "not-on-containers"}
    for name in ("errors", "p99_ms"):
        if peer.requests is None or (peer.requests >= limits.min_samples and getattr(peer, name) is None):
            told[name] = "not-known"
        elif peer.requests < limits.min_samples:
            told[name] = "too-few-requests"
    return told


def _ailments(lane: str, figures: Figures, baseline: Figures | None, limits: Limits) -> list[str]:
    found = []
    alone = uncompared(lane, baseline, limits)
    enough = (figures.requests or 0) >= limits.min_samples
    share = _share(figures)
    if share is not None and figures.requests and figures.errors:
        sure = share if enough else _wilson_low(figures.errors, figures.requests)
        allowed = limits.error_percent / 100
        base = None if "errors" in alone else _share(baseline)
        if sure > allowed:
            found.append(f"{lane}: {share:.2%} errors, allowed are {allowed:.2%}")
        elif base is not None and sure > base * limits.error_times + limits.error_floor_percent / 100:
            found.append(f"{lane}: {share:.2%} errors, the other lane has {base:.2%}")
    if figures.p99_ms is not None and enough:
        peer = baseline.p99_ms if baseline is not None and "p99_ms" not in alone else None
        if figures.p99_ms > limits.p99_ms:
            found.append(f"{lane}: p99 {figures.p99_ms:,.0f} ms, allowed are {limits.p99_ms:,.0f} ms")
        elif peer is not None and figures.p99_ms > peer * limits.p99_times + limits.p99_floor_ms:
            found.append(f"{lane}: p99 {figures.p99_ms:,.0f} ms, the other lane has {peer:,.0f} ms")
    if figures.throttled and figures.requests is not None:
        share = figures.throttled / max(1, figures.requests + figures.throttled)
        if share > limits.throttle_percent / 100:
            found.append(f"{lane}: {share:.2%} throttled, allowed are {limits.throttle_percent / 100:.2%}")
    if figures.loop_lag_ms is not None and limits.loop_lag_ms is not None and figures.loop_lag_ms > limits.loop_lag_ms:
        found.append(f"{lane}: event-loop lag {figures.loop_lag_ms:,.0f} ms, allowed are {limits.loop_lag_ms:,.0f} ms")
    if figures.healthy == 0:
        found.append(f"{lane}: no healthy target")
    return found


def _missing(lane: str, figures: Figures, limits: Limits) -> list[str]:
    must = ["requests", "errors", "p99_ms"]
    must += ["throttled"] if lane == "lambda" else ["healthy"]
    if lane == "container" and limits.loop_lag_ms is not None:
        must.append("loop_lag_ms")
    if figures.requests == 0:
        must = [name for name in must if name not in ("p99_ms", "errors", "throttled")]
    return [name.replace("_ms", "").replace("_", " ") for name in must if getattr(figures, name) is None]


def _share(figures: Figures | None) -> float | None:
    if figures is None or figures.requests is None or figures.errors is None:
        return None
    return figures.errors / figures.requests if figures.requests else 0.0


def _wilson_low(hits: int, count: int) -> float:
    """Lower end of the 99% Wilson score interval (E. B. Wilson, JASA 22, 1927)."""
    share, z2 = hits / count, Z_99**2
    centre = share + z2 / (2 * count)
    spread = Z_99 * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2))
    return (centre - spread) / (1 + z2 / count)
