"""The stage's one dashboard: each row is one question, answered for both lanes side by side on the same scale of time.

docs/observe.md explains every graph and where its figures come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infra.components.watch import cost
from infra.components.watch.catalogue import alarms, lane_alarms
from infra.components.watch.metrics import (
    Metric,
    Places,
    agent,
    balancer,
    function,
    group,
    instances,
    lambda_target,
    target,
    told,
)
from infra.components.watch.widgets import AlarmList, Cell, Formula, Graph, Line, Text, lay_out
from infra.config import Stage

TITLES = {"lambda": "Lambda lane", "container": "Container lane"}


def body(stage: Stage, places: Places, prices: cost.Prices, alarm_arn_prefix: str) -> dict[str, Any]:
    """The dashboard's body. `alarm_arn_prefix` is what ARNs of alarms begin with, up to the alarm's name."""
    rows: list[Sequence[Cell]] = [[_about(stage, prices)]]
    if alarms(stage):
        keys = [*(lane.key for lane in lane_alarms(stage)), *(alarm.key for alarm in alarms(stage))]
        arns = [f"{alarm_arn_prefix}{stage.resource_prefix}-{key}" for key in keys]
        rows.append([AlarmList("Alarms", arns, height=2 + (len(arns) + 5) // 6)])
    for question in (_rate, _time, _errors, _cost, _lag, _concurrency, _suppliers):
        rows.append([question(stage, lane, prices) for lane in stage.lanes])
    rows.append(_shared(stage, prices))
    return {"start": "-PT3H", "periodOverride": "inherit", "widgets": lay_out(filter(None, rows), places, stage.region)}


def behind_the_balancer(stage: Stage, lane: str) -> bool:
    return lane == "container" or stage.lambda_lane.front == "load_balancer"


def _about(stage: Stage, prices: cost.Prices) -> Text:
    lines = [
        f"## Crossover, stage {stage.name}, {stage.region}",
        "Made by `cdk deploy`, which overwrites changes. Every graph: docs/observe.md. Every alarm: its page in "
        f"{stage.watch.runbooks_url}.",
    ]
    if prices.said:
        lines.append("Prices, before free tiers and discounts: " + "; ".join(prices.said) + ".")
    return Text("\n\n".join(lines), height=5 if prices.said else 3)


def _rate(stage: Stage, lane: str, _: cost.Prices) -> Cell:
    requests = target(lane, "RequestCount") if behind_the_balancer(stage, lane) else function("Invocations")
    return Graph(
        title=f"{TITLES[lane]}: requests a second",
        unit="requests/s",
        lines=[
            Line(requests, id="m_requests", visible=False),
            Formula("FILL(m_requests, 0) / PERIOD(m_requests)", "requests/s", id="e_rate"),
        ],
    )


def _time(stage: Stage, lane: str, _: cost.Prices) -> Cell:
    """Both lanes by the load balancer's clock, in milliseconds."""
    behind = behind_the_balancer(stage, lane)
    lines: list[Line | Formula] = []
    for stat in ("p50", "p99"):
        metric = target(lane, "TargetResponseTime", stat) if behind else function("Duration", stat)
        lines.append(Line(metric, id=f"m_{stat}", visible=False))
        lines.append(Formula(f"m_{stat} * {1000 if behind else 1}", stat, id=f"e_{stat}"))
    if lane == "lambda" and behind:
        lines.append(Line(function("Duration", "p99"), "p99 of the function alone"))
    return Graph(
        title=f"{TITLES[lane]}: response time",
        unit="ms",
        lines=lines,
        mark=("alarm of p99", stage.watch.p99_ms),
    )


def _errors(stage: Stage, lane: str, _: cost.Prices) -> Cell:
    lines: list[Line | Formula] = []
    if behind_the_balancer(stage, lane):
        lines.append(Line(target(lane, "HTTPCode_Target_5XX_Count"), "5xx of the service"))
    if lane == "lambda":
        lines += [Line(function("Errors"), "function errors"), Line(function("Throttles"), "throttles")]
        if stage.lambda_lane.front == "function_url":
            lines.append(Line(function("Url5xxCount"), "5xx of the function URL"))
        if behind_the_balancer(stage, lane):
            lines.append(Line(lambda_target("LambdaUserError"), "502 in the function's place"))
            lines.append(Line(lambda_target("LambdaInternalError"), "failures of Lambda itself"))
    else:
        lines.append(Line(target(lane, "TargetConnectionErrorCount"), "connections refused"))
    return Graph(title=f"{TITLES[lane]}: failures a minute", unit="requests", lines=lines)


def _cost(stage: Stage, lane: str, prices: cost.Prices) -> Cell:
    title = f"{TITLES[lane]}: cost per hour"
    if lane == "lambda":
        if stage.lambda_lane.managed_concurrency is not None:
            return _unknown(title, "Lambda Managed Instances are billed by instances that CloudWatch does not count here.")
        if isinstance(prices.function, str):
            return _unknown(title, prices.function)
        return _dollars(title, cost.lambda_cost(stage, prices.function))
    if isinstance(prices.instances, str):
        return _unknown(title, prices.instances)
    return _dollars(title, cost.container_cost(stage, prices.instances))


def _dollars(title: str, lines: Sequence[Line | Formula]) -> Graph:
    return Graph(title=title, unit="$/h", lines=lines, period_s=300)


def _unknown(title: str, why: str) -> Text:
    return Text(f"**{title}: unknown**\n\n{why}")


def _lag(stage: Stage, lane: str, _: cost.Prices) -> Cell:
    title, mark = f"{TITLES[lane]}: event-loop lag", ("alarm", stage.watch.loop_lag_ms)
    if lane == "container":
        lines = [
            Line(agent("EventLoopLagP99"), "p99, mean of instances"),
            Line(agent("EventLoopLagP99", "Maximum"), "p99, worst instance"),
        ]
        return Graph(title=title, unit="ms", lines=lines, mark=mark)
    if _tells(stage, lane):
        return Graph(title=title, unit="ms", lines=[Line(told(lane, "loop_lag_p99", "Maximum"), "p99, worst environment")])
    return _untold(title)


def _concurrency(stage: Stage, lane: str, _: cost.Prices) -> Cell:
    title = f"{TITLES[lane]}: concurrency"
    if lane == "lambda":
        reserved = stage.lambda_lane.reserved_concurrency
        lines = [Line(function("ConcurrentExecutions", "Maximum"), "environments in use")]
        return Graph(
            title=title, unit="environments", lines=lines, mark=("reserved", reserved) if reserved is not None else None
        )
    lines = [
        Line(agent("SearchesInFlight", "Sum"), "searches in flight"),
        Line(agent("EventLoopBusy"), "event loops busy, %"),
        Line(instances("CPUUtilization"), "CPU, %"),
    ]
    return Graph(title=title, unit="searches, %", lines=lines)


def _suppliers(stage: Stage, lane: str, _: cost.Prices) -> Cell:
    title = f"{TITLES[lane]}: suppliers"
    if lane == "container":
        held_back = [Line(agent("SuppliersHeldBack", "Maximum"), "held back, worst instance")]
        return Graph(title=title, unit="suppliers", lines=held_back)
    if not _tells(stage, lane):
        return _untold(title)
    lines: list[Line | Formula] = [
        Line(told(lane, "supplier_calls"), id="m_asked", visible=False),
        Line(told(lane, "supplier_failures"), id="m_failed", visible=False),
        Formula("100 * FILL(m_failed, 0) / m_asked", "calls that failed, %", id="e_failed"),
    ]
    return Graph(title=title, unit="%", lines=lines)


def _tells(stage: Stage, lane: str) -> bool:
    """Whether the service's embedded metrics arrive: Lambda takes them from its output; nothing does so on instances, where
    the agent asks the service instead."""
    return lane == "lambda" and stage.search.emf_s > 0


def _untold(title: str) -> Text:
    return Text(f"**{title}: not measured**\n\nThe service tells it where `search.emf_s` is set.")


def _shared(stage: Stage, prices: cost.Prices) -> list[Cell]:
    """What belongs to no lane alone, and the fleet."""
    cells: list[Cell] = []
    if stage.has_load_balancer:
        codes = [Line(balancer(f"HTTPCode_ELB_{code}_Count"), str(code)) for code in (502, 503, 504)]
        cells.append(Graph(title="Load balancer: its own errors a minute", unit="requests", lines=codes))
        title, known = "Load balancer: cost per hour", prices.balancer
        cells.append(_unknown(title, known) if isinstance(known, str) else _dollars(title, cost.balancer_cost(stage, known)))
    if "container" in stage.lanes:
        cells += [_fleet(), _spot(stage)]
    return cells


def _fleet() -> Graph:
    sizes = {"GroupDesiredCapacity": "wanted", "GroupInServiceInstances": "in service", "GroupPendingInstances": "booting"}
    lines = [Line(group(name), label) for name, label in sizes.items()]
    counted = [(target("container", "UnHealthyHostCount", "Maximum"), "unhealthy")]
    return Graph(title="Instances", unit="instances", lines=[*lines, *(Line(*pair) for pair in counted)])


def _spot(stage: Stage) -> Graph:
    """AWS counts a group's instances, but not by how they are bought, so this is the policy's split of that count."""
    count: Metric = group("GroupTotalInstances")
    return Graph(
        title="Spot share by the group's policy",
        unit="%",
        lines=[
            Line(count, id="m_count", visible=False),
            Formula(cost.on_demand_instances(stage, "m_count"), "on demand", id="e_ondemand", visible=False),
            Formula("100 * (m_count - e_ondemand) / m_count", "spot, %", id="e_spot"),
        ],
        period_s=300,
    )
