"""A cloud assembly priced: the comparison of what it deploys, each line with its logical ids."""

from __future__ import annotations

from dataclasses import replace

from infra.config import Stage
from infra.cost.cloud_assembly.billing import Rule, rules, trace, unpriced
from infra.cost.cloud_assembly.reading import CloudAssembly
from infra.cost.cloud_assembly.settings import deployed_stage, the_function, the_group
from infra.cost.cloud_assembly.standing import standing_lines
from infra.cost.compare import Beside, Comparison, compare
from infra.cost.lane import CostOptions
from infra.cost.model import price_container, price_lambda
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.traffic.profile import TrafficProfile


def price_assembly(
    assembly: CloudAssembly,
    profile: WorkloadProfile,
    traffic: TrafficProfile,
    prices: PriceBook,
    beside: Stage,
    *,
    options: CostOptions,
    say_drift: bool,
) -> Comparison:
    """Compare the lanes as the templates deploy them; `beside` is the stage as settings have it, for what templates do not
    tell. Where `say_drift`, differences between the two stand among the assumptions."""
    deployed = deployed_stage(assembly, beside)
    known = rules(assembly, deployed.stage)
    standing = _standing(assembly, known, profile, traffic, prices, deployed.stage, options)
    comparison = compare(profile, traffic, prices, deployed.stage, options=options, beside=standing)
    lambda_lane, container = trace(comparison.lambda_lane, known), trace(comparison.container_lane, known)
    missing = unpriced(assembly, (lambda_lane, container))
    only = (
        []
        if len(deployed.stage.lanes) > 1
        else [
            (
                "Other lane",
                "not deployed",
                f"the templates deploy {deployed.stage.lanes[0]} alone; the other is priced as a what-if",
            )
        ]
    )
    return replace(
        comparison,
        lambda_lane=lambda_lane,
        container_lane=container,
        stated=(
            (
                "Priced from templates",
                str(assembly.path),
                f"{len(assembly.resources)} resources, {len(deployed.told)} settings",
            ),
            *only,
            *(((f"Drift: {key}", value, why) for key, value, why in deployed.drift) if say_drift else ()),
        ),
        unpriced=tuple(str(each) for each in missing),
    )


def _standing(
    assembly: CloudAssembly,
    known: tuple[Rule, ...],
    profile: WorkloadProfile,
    traffic: TrafficProfile,
    prices: PriceBook,
    stage: Stage,
    options: CostOptions,
) -> Beside:
    """Of each lane, what its templates hold beside what the model prices; what neither lane has of its own is in both."""
    lanes = [trace(price(profile, traffic, prices, stage, options), known) for price in (price_lambda, price_container)]
    behind = {each for lane in lanes for line in lane.lines for each in line.resources}
    function, group = the_function(assembly), the_group(assembly)
    stacks = {name: found.stack for name, found in (("lambda", function), ("container", group)) if found is not None}
    return Beside(
        *(
            standing_lines(
                assembly,
                behind,
                prices,
                options.month_hours,
                without=[stack for name, stack in stacks.items() if name != lane.lane and stack != stacks.get(lane.lane)],
            )
            for lane in lanes
        )
    )
