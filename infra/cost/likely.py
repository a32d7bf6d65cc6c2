"""How sure the totals are: each lane's month in worlds around the measurement, and how often the cheaper lane stays so.

The months are the exact ones plus what compute costs more or less in a simulated world than in the measured one
(`infra.cost.simulation`, the stage's first instance type); what stands before both lanes is the same in each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from infra.cost.compare import Comparison
from infra.cost.simulation.answer import Band, band_of
from infra.cost.simulation.arrivals import Arrivals
from infra.cost.simulation.draws import Uncertainty, draw
from infra.cost.simulation.year import Setup, simulate

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


def likely(comparison: Comparison) -> Likely | None:
    """None where the simulation does not know how a lane is billed: Managed Instances, provisioned concurrency, SnapStart, a
    plan of which the book has no rate."""
    stage, options = comparison.stage, comparison.options
    special = stage.lambda_lane.managed_concurrency, stage.lambda_lane.provisioned_concurrency, stage.lambda_lane.snap_start
    if any(special):
        return None
    worlds = draw(comparison.profile, WORLDS, cpu_scale=options.cpu_scale)
    setup = Setup(
        stage=stage,
        objective_s=ANY_S,
        month_hours=float(options.month_hours),
        account_concurrency=options.account_concurrency,
        savings_plan=options.savings_plan,
    )
    types, lanes = [stage.container_lane.instance_types[0]], list(SIMULATED.values())
    outcomes = simulate(Arrivals(comparison.traffic), worlds, comparison.prices, types, setup, lanes=lanes)
    compute = {each.lane: each.usd for each in outcomes}
    if len(compute) < len(lanes):
        return None
    exact = {lane.lane: float(lane.usd_per_month) for lane in comparison.lanes}
    months = {lane: exact[lane] + compute[name] - compute[name][0] for lane, name in SIMULATED.items()}
    cheaper, dearer = months[comparison.cheaper.lane], months[comparison.dearer.lane]
    return Likely(
        usd_per_month={lane: band_of(usd) for lane, usd in months.items()},
        share=float(np.mean(cheaper <= dearer)),
        worlds=WORLDS,
        uncertainty=worlds.uncertainty,
    )
