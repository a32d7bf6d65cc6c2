"""Spot pools that AWS takes back: when in a draw's year, how much of the fleet goes, and what that costs the objective.

Interruptions come together: in more than 92% of them, others of the same type and zone fall within three minutes
(arXiv 2604.16457). So a loss here takes a whole pool, one (type, zone) of the group's, at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from infra.cost.simulation.arrivals import Arrivals, Floats, Whole
from infra.cost.simulation.fleet import Fleet, spot_among


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """Pool losses of all draws, one entry each: whose draw, and at which step it begins."""

    draw: Whole
    step: Whole


def draw_losses(
    arrivals: Arrivals, draws: int, *, pools: int, losses_per_pool_month: float, random: np.random.Generator
) -> Losses:
    """Poisson in time; each of the `pools` is lost so many times a month of 730 hours."""
    expected = pools * losses_per_pool_month * arrivals.hours / 730
    counts = random.poisson(expected, draws)
    return Losses(
        draw=np.repeat(np.arange(draws), counts),
        step=random.integers(0, len(arrivals.rates), int(counts.sum())),
    )


def missed_by_losses(
    fleet: Fleet, arrivals: Arrivals, losses: Losses, rps: Floats, ceiling: Floats, *, pools: int, notice_s: float = 120.0
) -> tuple[Floats, Floats]:
    """Seconds missed and requests beyond, a draw, because a pool is gone until its replacement serves.

    Two minutes' notice go by while the replacement boots (capacity rebalancing), so the hole is the boot time less the
    notice; where the boot is quicker there is none. What was missed without the loss is not counted again.
    """
    missed, beyond = np.zeros_like(rps), np.zeros_like(rps)
    hole_s = max(0.0, fleet.rule.boot_s + 60 - notice_s)
    steps = arrivals.steps(hole_s)
    if not steps or not len(losses.draw):
        return missed, beyond
    draw = np.repeat(losses.draw, steps)
    step = (np.repeat(losses.step, steps) + np.tile(np.arange(steps), len(losses.step))) % len(arrivals.rates)
    have = fleet.instances(rps[draw], step)
    spot = np.array([spot_among(n, fleet.rule) for n in range(fleet.rule.maximum + 1)], dtype=np.float64)
    left = have - np.ceil(spot[have.astype(np.int64)] / pools)
    served = (rps * ceiling)[draw]
    seconds = np.minimum(hole_s / steps, arrivals.step_s)
    for factor, share in arrivals.burst.phases:
        load = arrivals.rates[step] * factor
        fell = (load > left * served) & (load <= have * served)
        more = np.maximum(load - left * served, 0.0) - np.maximum(load - have * served, 0.0)
        missed += np.bincount(draw, weights=fell * share * seconds, minlength=len(rps))
        beyond += np.bincount(draw, weights=more * share * seconds, minlength=len(rps))
    return missed, beyond
