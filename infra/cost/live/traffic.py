"""A deployed stage's traffic from CloudWatch, at the finest period that it keeps, told as a profile and as a CSV series.

A count of 0 is not published ("CloudWatch metrics for your Application Load Balancer": "Reporting criteria: there is a nonzero
value"), while the load balancer's `ConsumedLCUs` always is: a period with the one and without the other had no request, one
without both is a gap. Lambda publishes nothing without invocations, so behind a function alone silence is taken as none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from infra.aws_calls import AwsClients
from infra.cost.live.metrics import ELB, KEPT, LAMBDA, Metric, Window, finest_period, read_metrics, window
from infra.cost.live.stage import LiveStage
from infra.cost.traffic.profile import TrafficProfile, check_rate
from infra.cost.traffic.series import MAX_MISSING_SHARE, filled, gaps_note
from infra.errors import InputError, KitError

SCHEME = "cloudwatch:"
DEFAULT_DAYS = 14


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests by period's beginning; a period that is known to have had none stands with 0, an unknown one is not there."""

    known: Mapping[float, float]
    of: Window
    notes: tuple[str, ...]


def read_address(text: str) -> tuple[str, int]:
    """Stage and days of `cloudwatch:STAGE` or `cloudwatch:STAGE:DAYS`; `InputError` where it is neither."""
    stage, _, days = text.removeprefix(SCHEME).partition(":")
    if not stage or (":" in text.removeprefix(SCHEME) and not (days.isascii() and days.isdigit())):
        raise InputError(f"--traffic {text}: must be {SCHEME}STAGE or {SCHEME}STAGE:DAYS, as {SCHEME}prod:{DEFAULT_DAYS}")
    number = int(days) if days else DEFAULT_DAYS
    if not 1 <= number <= KEPT[-1][0]:
        raise InputError(f"--traffic {text}: {number} days: must be 1 to {KEPT[-1][0]}; CloudWatch keeps nothing longer")
    return stage, number


def read_counts(aws: AwsClients, stage: LiveStage, *, days: int, now: float) -> Counts:
    """The stage's requests; `KitError` where CloudWatch has none."""
    of = window(days, now, finest_period(days))
    if stage.balancer is not None:
        place = {"LoadBalancer": stage.balancer}
        wanted = {
            "requests": Metric(ELB, "RequestCount", "Sum", place),
            "there": Metric(ELB, "ConsumedLCUs", "Sum", place),
        }
    elif stage.function is not None:
        wanted = {"requests": Metric(LAMBDA, "Invocations", "Sum", {"FunctionName": stage.function})}
    else:
        raise KitError(f"stage {stage.stage!r} has neither a load balancer nor a function whose requests could be read")
    told = read_metrics(aws.client("cloudwatch"), wanted, of)
    if not told["requests"]:
        raise KitError(f"CloudWatch has no request of stage {stage.stage!r} in {days} days")
    return told_counts(told["requests"], told.get("there"), of)


def told_counts(requests: Mapping[float, float], there: Mapping[float, float] | None, of: Window) -> Counts:
    """`there`: periods in which the load balancer published something; None where nothing tells silence from a gap."""
    known = dict(requests)
    notes: list[str] = []
    if there is None:
        silent = [period for period in of.periods if period not in requests and min(requests) < period < max(requests)]
        known |= dict.fromkeys(silent, 0.0)
        notes.append(f"{len(silent):,} periods without an invocation, taken as no requests")
    else:
        silent = [period for period in there if period not in requests]
        known |= dict.fromkeys(silent, 0.0)
        notes.append(f"{len(silent):,} periods in which the load balancer told no request")
    return Counts(known, of, tuple(notes))


def profile_of(counts: Counts, stage: str) -> TrafficProfile:
    """From the first period that is known to the last; a gap is filled on the line between its neighbours. `InputError` where
    more than half is missing."""
    period, first = counts.of.period_s, min(counts.known)
    slots = {round((at - first) / period): value / period for at, value in counts.known.items()}
    count = max(slots) + 1
    missing = count - len(slots)
    if missing > MAX_MISSING_SHARE * count:
        raise InputError(f"CloudWatch: {missing:,} of {count:,} periods are missing; more than half cannot be filled")
    start = datetime.fromtimestamp(first, UTC)
    for slot, rate in slots.items():
        check_rate(rate, f"CloudWatch: requests at {datetime.fromtimestamp(first + slot * period, UTC):%Y-%m-%d %H:%M}")
    return TrafficProfile(
        step_s=period,
        rates=filled(slots, count),
        source=f"CloudWatch, stage {stage}, {start:%Y-%m-%d} to {datetime.fromtimestamp(max(counts.known), UTC):%Y-%m-%d}",
        start=start,
        parameters={"stage": stage, "period_s": period, "gaps": missing, "requests": round(math.fsum(counts.known.values()))},
        notes=(f"one value every {period} s, which is what CloudWatch keeps for that long", *counts.notes, *gaps_note(missing)),
    )


def series_csv(counts: Counts) -> str:
    """`timestamp,value` as `--traffic` reads it: what is known, gaps left out, so that a report can be made again."""
    rows = (f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ},{value:.15g}" for at, value in sorted(counts.known.items()))
    return "\n".join(("timestamp,value", *rows)) + "\n"
