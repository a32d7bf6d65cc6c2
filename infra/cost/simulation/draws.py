"""What is not known for sure, drawn: each draw is one world, in which every lane and instance type is tried."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from infra.cost.profile import Distribution, LaneProfile, WorkloadProfile
from infra.cost.simulation.arrivals import Floats
from infra.errors import InputError

Z_95 = 1.645
"""Standard deviations from a normal's mean to its 95th percentile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertainty:
    """Relative spread (one standard deviation of the logarithm) of what a measurement on another machine, or an estimate,
    leaves open; `losses_per_pool_month` is how often a spot pool is taken back. All are assumptions and shown as such; where a
    profile holds distributions, the error of the measured mean is added (`around`)."""

    cpu: float = 0.15
    wait: float = 0.10
    spot_price: float = 0.20
    losses_per_pool_month: float = 1.0

    def __post_init__(self) -> None:
        for name in ("cpu", "wait", "spot_price", "losses_per_pool_month"):
            value = getattr(self, name)
            if not (math.isfinite(value) and 0 <= value <= 100):
                raise InputError(f"uncertainty.{name}: must be 0 or more, not {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneDraws:
    """One lane's measured figures in each draw; seconds a search."""

    cpu_s: Floats
    wait_s: Floats
    p99_s: Floats
    cold_s: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """The worlds. The first is the measured one, without any spread; `spot_factor` multiplies spot prices."""

    count: int
    functions: LaneDraws
    fleet: LaneDraws
    spot_factor: Floats
    uncertainty: Uncertainty
    seed: int

    def random(self, purpose: int) -> np.random.Generator:
        """The same numbers for the same purpose, whatever else is drawn."""
        return np.random.default_rng([self.seed, purpose])


def draw(
    profile: WorkloadProfile, count: int, *, cpu_scale: float = 1.0, uncertainty: Uncertainty | None = None, seed: int = 7
) -> Draws:
    """`count` worlds around the profile; both lanes share a world's machine and its suppliers."""
    if count < 1:
        raise InputError("draws: must be 1 or more")
    spread = uncertainty or around(profile)
    random = np.random.default_rng(seed)
    cpu, wait, spot = (_factors(random, count, each) for each in (spread.cpu, spread.wait, spread.spot_price))
    return Draws(
        count=count,
        functions=_lane(profile.lambda_lane, cpu * cpu_scale, wait),
        fleet=_lane(profile.container_lane, cpu * cpu_scale, wait),
        spot_factor=spot,
        uncertainty=spread,
        seed=seed,
    )


def around(profile: WorkloadProfile) -> Uncertainty:
    """The assumptions, and the standard error of the measured means of CPU and duration, of the less sure lane."""
    least, told = Uncertainty(), profile.live or profile.lab or {}
    lab = profile.lab or {}
    cpu = max((_error(lane.get("cpu_ms")) for lane in lab.values()), default=0.0)
    wait = max((_error(lane.get("duration_ms")) for lane in told.values()), default=0.0)
    return replace(least, cpu=math.hypot(least.cpu, cpu), wait=math.hypot(least.wait, wait))


def _error(measured: Distribution | None) -> float:
    """Of a mean, as a share of it: the spread of a lognormal, by its 5th and 95th percentile, over the root of
    the samples. 0 where nothing is known."""
    if measured is None or measured.p5 <= 0:
        return 0.0
    return math.log(measured.p95 / measured.p5) / (2 * Z_95) / math.sqrt(measured.samples)


def _factors(random: np.random.Generator, count: int, spread: float) -> Floats:
    """Lognormal with median 1."""
    factors = np.exp(random.standard_normal(count) * spread)
    factors[0] = 1.0
    return factors


def _lane(lane: LaneProfile, cpu: Floats, wait: Floats) -> LaneDraws:
    return LaneDraws(
        cpu_s=lane.cpu_ms_per_search * cpu / 1000,
        wait_s=lane.wait_ms * wait / 1000,
        p99_s=lane.duration_p99_ms * wait / 1000,
        cold_s=lane.cold_start_ms * cpu / 1000,
    )
