"""Dollars an hour from usage, as CloudWatch computes them on the dashboard: metric math over what AWS publishes, times unit
prices that the stack hands in. The rules are those of the cost report (docs/cost.md); what they leave out is said beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from infra.components.watch.metrics import balancer, function, group
from infra.components.watch.widgets import Formula, Line
from infra.config import Stage

# One LCU: 25 new connections a second, 3,000 active ones, 1 GB an hour or 0.4 GB for functions (whence:
# infra/cost/lines/load_balancer.py). The stage has far fewer than the ten rules that are free.
NEW_CONNECTIONS_PER_S, ACTIVE_CONNECTIONS, LAMBDA_BYTES_FACTOR = 25, 3_000, Decimal("2.5")


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionPrices:
    """USD for a request and a GB-second; with provisioned concurrency, for one kept and for one that ran on what is kept."""

    request: Decimal
    gb_second: Decimal
    kept_gb_second: Decimal
    on_kept_gb_second: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class InstancePrices:
    """USD for an instance's hour by how it is bought, and for what stands beside each: its volume and its address."""

    on_demand_hour: Decimal
    spot_hour: Decimal
    beside_hour: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancerPrices:
    """USD for the load balancer's hour with its addresses, and for an LCU-hour."""

    hour: Decimal
    lcu_hour: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What is known of a stage's prices; where something is not, the reason in one line. `said` are sources, in words."""

    function: FunctionPrices | str
    instances: InstancePrices | str
    balancer: BalancerPrices | str
    said: tuple[str, ...] = ()


def plain(number: Decimal) -> str:
    """As metric math takes it, which knows no exponents."""
    return f"{number.normalize():f}"


def lambda_cost(stage: Stage, prices: FunctionPrices) -> list[Line | Formula]:
    """Requests and GB-seconds; with provisioned concurrency, what is kept and the lower price of what ran on it."""
    gb = Decimal(stage.lambda_lane.memory_mb) / 1024
    kept = stage.lambda_lane.provisioned_concurrency or 0
    found: list[Line | Formula] = [
        Line(function("Invocations"), id="m_calls", visible=False),
        Line(function("Duration"), id="m_ms", visible=False),
    ]
    gb_second, always = plain(prices.gb_second), ""
    if kept:
        # CloudWatch has no duration by kind, so it is split as the invocations are.
        found.append(Line(function("ProvisionedConcurrencyInvocations"), id="m_onkept", visible=False))
        found.append(
            Formula("FILL(m_onkept, 0) / IF(FILL(m_calls, 0) > 0, FILL(m_calls, 0), 1)", "share", id="e_share", visible=False)
        )
        gb_second = f"({gb_second} - {plain(prices.gb_second - prices.on_kept_gb_second)} * e_share)"
        always = f" + {plain(kept * gb * 3600 * prices.kept_gb_second)}"
    usage = f"FILL(m_calls, 0) * {plain(prices.request)} + FILL(m_ms, 0) / 1000 * {plain(gb)} * {gb_second}"
    found.append(Formula(f"3600 / PERIOD(m_calls) * ({usage}){always}", "Lambda, $/h", id="e_lambda"))
    return found


def on_demand_instances(stage: Stage, count: str) -> str:
    """How many of `count` instances the group's policy makes on demand: the base, and its share of the rest, rounded up."""
    base, share = stage.container_lane.on_demand_base, plain(Decimal(100 - stage.container_lane.spot_percent) / 100)
    return f"IF({count} > {base}, {base} + CEIL(({count} - {base}) * {share}), {count})"


def container_cost(stage: Stage, prices: InstancePrices) -> list[Line | Formula]:
    """All instances of the group, those that boot or end included, as the group's policy splits them."""
    on_demand, spot, beside = map(plain, (prices.on_demand_hour, prices.spot_hour, prices.beside_hour))
    return [
        Line(group("GroupTotalInstances"), id="m_count", visible=False),
        Formula(on_demand_instances(stage, "m_count"), "on demand", id="e_ondemand", visible=False),
        Formula(
            f"e_ondemand * {on_demand} + (m_count - e_ondemand) * {spot} + m_count * {beside}",
            "instances, $/h",
            id="e_instances",
        ),
    ]


def balancer_cost(stage: Stage, prices: BalancerPrices) -> list[Line | Formula]:
    """Its hours and LCUs by the largest dimension. AWS's own ConsumedLCUs comes half an hour late."""
    found: list[Line | Formula] = [
        Line(balancer("ProcessedBytes"), id="m_bytes", visible=False),
        Line(balancer("NewConnectionCount"), id="m_fresh", visible=False),
        Line(balancer("ActiveConnectionCount"), id="m_open", visible=False),
    ]
    weighed = "FILL(m_bytes, 0)"
    if "lambda" in stage.lanes:
        found.append(Line(balancer("LambdaTargetProcessedBytes"), id="m_lambdabytes", visible=False))
        weighed = f"(FILL(m_bytes, 0) + {LAMBDA_BYTES_FACTOR - 1} * FILL(m_lambdabytes, 0))"
    lcus = {
        "e_lcubytes": f"{weighed} * 3600 / PERIOD(m_bytes) / 1000000000",
        "e_lcufresh": f"FILL(m_fresh, 0) / PERIOD(m_fresh) / {NEW_CONNECTIONS_PER_S}",
        "e_lcuopen": f"FILL(m_open, 0) * 60 / PERIOD(m_open) / {ACTIVE_CONNECTIONS}",
    }
    found.extend(Formula(expression, id, id=id, visible=False) for id, expression in lcus.items())
    found.append(
        Formula(
            f"{plain(prices.hour)} + {plain(prices.lcu_hour)} * MAX([{', '.join(lcus)}])",
            "load balancer, $/h",
            id="e_balancer",
        )
    )
    return found
