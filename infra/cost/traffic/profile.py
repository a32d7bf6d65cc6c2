"""What arrives: requests a second in equal steps.

A rate is a physical quantity and a float; it becomes a Decimal when it meets a price.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from infra.errors import InputError

MAX_RPS = 10_000_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficProfile:
    """Mean requests a second (`rates`) in consecutive steps of `step_s` seconds from `start` (UTC; None where unknown).

    `source` says where it comes from in words, `parameters` what shaped it, `notes` what was found and done on reading.
    """

    step_s: int
    rates: tuple[float, ...]
    source: str
    start: datetime | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.step_s < 1:
            raise InputError(f"{self.source}: step_s must be 1 second or more, not {self.step_s}")
        if not self.rates:
            raise InputError(f"{self.source}: there is no traffic in it; at least one step is needed")
        for number, rate in enumerate(self.rates):
            check_rate(rate, f"{self.source}: step {number}: rate")
        if self.peak_rps == 0:
            raise InputError(f"{self.source}: every step is 0; at least one request is needed to price a search")

    @property
    def hours(self) -> float:
        """How long the profile is."""
        return len(self.rates) * self.step_s / 3600

    @property
    def searches(self) -> float:
        """How many requests there are in it."""
        return math.fsum(self.rates) * self.step_s

    @property
    def mean_rps(self) -> float:
        return math.fsum(self.rates) / len(self.rates)

    @property
    def peak_rps(self) -> float:
        return max(self.rates)

    def scaled_to_peak(self, peak_rps: float) -> TrafficProfile:
        """The same shape with its highest step at `peak_rps`."""
        check_rate(peak_rps, "peak rps")
        if peak_rps == 0:
            raise InputError("peak rps: must be more than 0")
        factor = peak_rps / self.peak_rps
        return replace(
            self,
            rates=tuple(min(rate * factor, peak_rps) for rate in self.rates),
            source=f"{self.source}, scaled to a peak of {peak_rps:g}/s",
            parameters={**self.parameters, "peak_rps": peak_rps},
        )

    def hourly(self) -> tuple[tuple[float, float], ...]:
        """(mean rate, hours) of each hour, the last perhaps shorter; steps that do not fit an hour stay as they are."""
        return hourly_means(self.rates, self.step_s)


def hourly_means(values: Sequence[float], step_s: int) -> tuple[tuple[float, float], ...]:
    """(mean, hours) of each hour of equal steps, the last perhaps shorter; steps that do not fit an hour stay as they are."""
    per_hour = 3600 // step_s if 3600 % step_s == 0 else 1
    chunks = (values[i : i + per_hour] for i in range(0, len(values), per_hour))
    return tuple((math.fsum(chunk) / len(chunk), len(chunk) * step_s / 3600) for chunk in chunks)


def check_rate(value: float, where: str) -> float:
    """A rate that can be: finite, 0 or more, and below ten million a second; else `InputError` saying where."""
    if not math.isfinite(value):
        raise InputError(f"{where}: {value} is not a finite number")
    if value < 0:
        raise InputError(f"{where}: {value:g} is negative; must be 0 or more")
    if value > MAX_RPS:
        raise InputError(f"{where}: {value:g} requests a second is beyond {MAX_RPS:g}; is it a count a period?")
    return value


def flat_rate(rps: float) -> TrafficProfile:
    """One steady rate, as one step of an hour."""
    check_rate(rps, "rps")
    if rps == 0:
        raise InputError("rps: must be more than 0")
    return TrafficProfile(step_s=3600, rates=(float(rps),), source=f"flat {rps:g}/s", parameters={"rps": rps})
