"""The Lambda lane over the whole profile: environments by Little's law, reuse and cold starts, bursts, the account's quota."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from infra.cost.simulation.arrivals import Arrivals, Floats, OrderedRates
from infra.errors import InputError

KEPT_S = 600
"""How long an idle environment is taken to be kept: AWS states no figure (an assumption, shown in the report)."""
NEW_ENVIRONMENTS_PER_10_S = 1_000
"""Concurrency scaling rate of each function (AWS Lambda Developer Guide, "Lambda scaling behavior")."""
COLD_SHARE = 0.01
"""Where more of a step's searches than this start cold, its 99th percentile is a cold start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRule:
    """`quota` is the most environments: the reserved concurrency, or the account's; `provisioned` of them are always warm."""

    quota: int
    kept_s: float = KEPT_S
    provisioned: int = 0

    def __post_init__(self) -> None:
        if self.quota < 1 or self.kept_s < 1:
            raise InputError("functions: quota and kept_s must be 1 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionOutcome:
    """One figure a draw. `missed_s` are the seconds with throttled searches, or with a cold 99th percentile above the
    objective; `throttled` the searches that get no environment."""

    cold_starts: Floats
    throttled: Floats
    missed_s: Floats
    most: Floats


class Functions:
    """One rule on one traffic; `run` answers for any number of durations at once."""

    def __init__(self, arrivals: Arrivals, rule: FunctionRule) -> None:
        self._arrivals, self.rule = arrivals, rule
        burst = arrivals.burst.factor
        kept = max(1, arrivals.steps(rule.kept_s))
        self._before, self._now = arrivals.trailing_max(kept, 1) * burst, arrivals.rates * burst
        rise = np.maximum(self._now - self._before, 0.0)
        self._rises = OrderedRates(rise)
        self._tops, self._warm = OrderedRates(self._now), OrderedRates(np.minimum(self._now, self._before))
        with np.errstate(divide="ignore", invalid="ignore"):
            requests = arrivals.rates * arrivals.step_s
            share = np.where(requests > 0, rise / requests, 0.0)
        # A search whose last one came longer ago than an environment is kept starts cold: e^(-rate × kept) of Poisson arrivals.
        rare = np.exp(-arrivals.rates * rule.kept_s) if not rule.provisioned else np.zeros_like(rise)
        self._rare_starts = float((requests * rare).sum())
        self._rare_steps = int(((rare > COLD_SHARE) & (requests > 0)).sum())
        self._cold_shares = OrderedRates(share[rare <= COLD_SHARE])  # of a step's searches, for each second that a search takes

    def run(self, seconds: Floats, *, cold_misses: Floats | None = None) -> FunctionOutcome:
        """`seconds` is how long a search takes in each draw; `cold_misses` is 1 where a cold search misses the objective."""
        seconds = np.atleast_1d(np.asarray(seconds, dtype=np.float64))
        if not np.all(seconds > 0):
            raise InputError("functions: a search must take more than 0 seconds")
        arrivals, rule = self._arrivals, self.rule
        burst, step_s = arrivals.burst, arrivals.step_s
        warm = rule.provisioned / seconds  # the rate that provisioned environments serve
        cold = (self._tops.excess(warm) - self._warm.excess(warm)) * seconds + self._rare_starts
        missed, throttled = np.zeros_like(seconds), np.zeros_like(seconds)
        for factor, share in burst.phases:
            top = rule.quota / (seconds * factor)
            missed += arrivals.ordered.above(top) * share * step_s
            throttled += arrivals.ordered.excess(top) * factor * share * step_s
        # What a step may add beyond the environments kept: searches of a rise that outruns it are throttled.
        most_new = NEW_ENVIRONMENTS_PER_10_S * max(1.0, step_s / 10)
        missed += self._rises.above(most_new / seconds) * 10.0
        throttled += self._rises.excess(most_new / seconds) * 10.0
        if cold_misses is not None:
            missed += cold_misses * self._cold_steps(seconds) * step_s
        most = np.minimum(float(arrivals.rates.max()) * burst.factor * seconds, rule.quota)
        return FunctionOutcome(
            cold_starts=cold,
            throttled=throttled,
            missed_s=np.minimum(missed, arrivals.hours * 3600),
            most=most,
        )

    def _cold_steps(self, seconds: Floats) -> Floats:
        """Steps with more than 1% of cold searches."""
        if not self.rule.provisioned:
            return np.asarray(self._cold_shares.above(COLD_SHARE / seconds) + self._rare_steps, dtype=np.float64)
        few, warm = COLD_SHARE * self._arrivals.rates * self._arrivals.step_s, self.rule.provisioned
        cold = [((self._now * each - np.maximum(self._before * each, warm)) > few).sum() for each in seconds]
        return np.array(cold, dtype=np.float64)
