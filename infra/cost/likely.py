"""How sure the totals are: each lane's month in worlds around the measurement, and how often the cheaper lane stays so.

The months are the exact ones plus what compute costs more or less in a simulated world than in the measured one
(`infra.cost.simulation`, the stage's first instance type); what stands before both lanes is the same in each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from infra.cost.lane import LaneCost
from infra.cost.simulation.answer import Band, band_of
from infra.cost.simulation.arrivals import Arrivals
from infra.cost.simulation.draws import Uncertainty, draw
from infra.cost.simulation.year import Setup, simulate
from infra.cost.world import World

WORLDS = 200
SIMULATED = {"lambda": "lambda", "container": "mixed"}
"""The lanes of a comparison, and what the simulation calls them."""
ANY_S = 900.0
"""An objective, which moves no amount here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Likely:
    """By lane the 5th percentile, the median and the 95th of a month's dollars; `share` of the `worlds` in which the cheaper
    lane of the comparison is the cheaper one."""

    usd_per_month: dict[str, Band]
    share: float
    worlds: int
    uncertainty: Uncertainty


def likely(world: World, lanes: tuple[LaneCost, LaneCost]) -> Likely | None:
    """Around the months of both `lanes`, as `world` has them. None where the simulation does not know how a lane is billed:
    Managed Instances, provisioned concurrency, SnapStart, a plan of which the book has no rate."""
    stage, options = world.stage, world.options
    special = stage.lambda_lane.managed_concurrency, stage.lambda_lane.provisioned_concurrency, stage.lambda_lane.snap_start
    if any(special):
        return None
    worlds = draw(world.profile, WORLDS, cpu_scale=options.cpu_scale)
    setup = Setup(
        stage=stage,
        objective_s=ANY_S,
        month_hours=float(options.month_hours),
        account_concurrency=options.account_concurrency,
        savings_plan=options.savings_plan,
    )
    types, names = [stage.container_lane.instance_types[0]], list(SIMULATED.values())
    outcomes = simulate(Arrivals(world.traffic), worlds, world.book, types, setup, lanes=names)
    compute = {each.lane: each.usd for each in outcomes}
    if len(compute) < len(names):
        return None
    cheaper, dearer = sorted(lanes, key=lambda lane: lane.usd_per_month)
    exact = {lane.lane: float(lane.usd_per_month) for lane in lanes}
    months = {lane: exact[lane] + compute[name] - compute[name][0] for lane, name in SIMULATED.items()}
    return Likely(
        usd_per_month={lane: band_of(usd) for lane, usd in months.items()},
        share=float(np.mean(months[cheaper.lane] <= months[dearer.lane])),
        worlds=WORLDS,
        uncertainty=worlds.uncertainty,
    )
