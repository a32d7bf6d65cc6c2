"""How sure the totals are: each bill's month in worlds around the measurement, and how often the cheaper lane stays so.

The months are the exact ones plus what compute costs more or less in a simulated world than in the measured one
(`infra.cost.simulation`, the stage's first instance type); what stands before both lanes is the same in each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from infra.cost.lane import LaneCost
from infra.cost.simulation.answer import Band, band_of
from infra.cost.simulation.arrivals import Arrivals, Floats
from infra.cost.simulation.draws import Draws, Uncertainty, draw
from infra.cost.simulation.year import Setup, simulate
from infra.cost.split import Split, share
from infra.cost.traffic.profile import TrafficProfile
from infra.cost.world import World

WORLDS = 200
ANY_S, ANY_CONCURRENCY = 900.0, 1_000_000_000
"""An objective and a quota, which move no amount: the bill is of all searches, those too that would be throttled."""
MANAGED_ROOM = 4
"""Managed Instances have no most of the stage's: so many times what the measured world asks for, which no world does."""
SPLIT_UNDER_A_PLAN = "a savings plan covers both its lanes together, and the simulation commits to each alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Likely:
    """By bill (`lambda`, `container`, `split`) the 5th percentile, the median and the 95th of a month's dollars, or in
    `unknown` why not; `share` of the `worlds` in which the cheaper lane of the comparison is the cheaper one."""

    usd_per_month: dict[str, Band]
    share: float
    worlds: int
    uncertainty: Uncertainty
    unknown: dict[str, str]


def likely(world: World, lanes: tuple[LaneCost, LaneCost], split: Split | None = None) -> Likely:
    """Around the months of both `lanes`, and of the split where there is one, as `world` has them."""
    worlds = draw(world.profile, WORLDS, cpu_scale=world.options.cpu_scale)
    months = {lane.lane: float(lane.usd_per_month) + _moves(world, lane, worlds, world.traffic) for lane in lanes}
    bands, unknown = {lane: band_of(usd) for lane, usd in months.items()}, {}
    if split is not None and world.options.savings_plan is not None:
        unknown["split"] = SPLIT_UNDER_A_PLAN
    elif split is not None:
        parts = (split.lambda_percent / 100, 1 - split.lambda_percent / 100)
        moves = [_moves(world, lane, worlds, share(world.traffic, part)) for lane, part in zip(lanes, parts, strict=True)]
        bands["split"] = band_of(float(split.whole.usd_per_month) + moves[0] + moves[1])
    cheaper, dearer = sorted(lanes, key=lambda lane: lane.usd_per_month)
    return Likely(
        usd_per_month=bands,
        share=float(np.mean(months[cheaper.lane] <= months[dearer.lane])),
        worlds=WORLDS,
        uncertainty=worlds.uncertainty,
        unknown=unknown,
    )


def _moves(world: World, lane: LaneCost, worlds: Draws, traffic: TrafficProfile) -> Floats:
    """Dollars that a lane's month is above or below the measured world's, which is the first; `lane` serves all of `world`."""
    options, simulated = world.options, {"lambda": "lambda", "container": "mixed"}[lane.lane]
    stage = replace(world.stage, lambda_lane=replace(world.stage.lambda_lane, reserved_concurrency=None))
    fleet = stage.container_lane
    if lane.lane == "lambda" and stage.lambda_lane.managed_concurrency is not None:
        simulated, most = "managed", MANAGED_ROOM * int(lane.capacity["peak_instances"])
        stage = replace(stage, container_lane=replace(fleet, max_instances=max(fleet.max_instances, most)))
    setup = Setup(
        stage=stage,
        objective_s=ANY_S,
        month_hours=float(options.month_hours),
        account_concurrency=ANY_CONCURRENCY,
        savings_plan=options.savings_plan,
        free_tier=options.free_tier,
    )
    types = [] if simulated == "lambda" else fleet.instance_types[:1]
    (outcome,) = simulate(Arrivals(traffic), worlds, world.book, types, setup, lanes=(simulated,))
    return np.asarray(outcome.usd - outcome.usd[0])
