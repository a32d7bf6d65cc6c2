"""Reads the stage's charges from AWS Cost Explorer, by day, service and usage type, lane by lane.

Groups hold two keys at most, so each lane is a query of its own, and so are the charges that are no usage.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from infra.cost.actuals.records import USAGE, Bill, Charge
from infra.errors import InputError, KitError

SOURCE = "Cost Explorer"
ONE_OFF = {"Credit": "credit", "Refund": "refund", "Tax": "tax"}
METRICS = ("UnblendedCost", "AmortizedCost", "UsageQuantity")


class CostExplorer(Protocol):
    """The one call of boto3's `ce` client that is used."""

    def get_cost_and_usage(self, **request: Any) -> Mapping[str, Any]: ...


def read_cost_explorer(client: CostExplorer, stage: str, first: date, last: date) -> Bill:
    """The charges from `first` to `last`, that day included; `KitError` where there are none."""
    charges = []
    for lane in (None, "lambda", "container"):
        tagged: dict[str, Any] = {"Key": "crossover:lane", **({"Values": [lane]} if lane else {"MatchOptions": ["ABSENT"]})}
        wanted = [_stage(stage), {"Tags": tagged}, {"Not": _record_types()}]
        for day, (service, usage_type), metrics in _groups(client, wanted, ("SERVICE", "USAGE_TYPE"), first, last):
            charges.append(_charge(service, usage_type, lane, day, USAGE, metrics))
    for day, (service, kind), metrics in _groups(
        client, [_stage(stage), _record_types()], ("SERVICE", "RECORD_TYPE"), first, last
    ):
        charges.append(_charge(service, "", None, day, ONE_OFF.get(kind, kind.lower()), metrics))
    if not charges:
        raise KitError(
            f"{SOURCE}: no charge from {first} to {last} has the tag crossover:stage = {stage!r}; cost-allocation tags have to "
            "be activated, and count from then on"
        )
    return Bill(source=SOURCE, stage=stage, charges=tuple(charges))


def _stage(stage: str) -> dict[str, Any]:
    return {"Tags": {"Key": "crossover:stage", "Values": [stage]}}


def _record_types() -> dict[str, Any]:
    return {"Dimensions": {"Key": "RECORD_TYPE", "Values": list(ONE_OFF)}}


def _groups(
    client: CostExplorer, wanted: list[dict[str, Any]], by: tuple[str, str], first: date, last: date
) -> Iterator[tuple[date, tuple[str, str], Mapping[str, Any]]]:
    request: dict[str, Any] = {
        "TimePeriod": {"Start": first.isoformat(), "End": (last + timedelta(days=1)).isoformat()},
        "Granularity": "DAILY",
        "Metrics": list(METRICS),
        "GroupBy": [{"Type": "DIMENSION", "Key": key} for key in by],
        "Filter": {"And": wanted},
    }
    while True:
        answer = client.get_cost_and_usage(**request)
        for period in answer["ResultsByTime"]:
            for group in period.get("Groups", ()):
                one, two = group["Keys"]
                yield date.fromisoformat(period["TimePeriod"]["Start"]), (one, two), group["Metrics"]
        if not answer.get("NextPageToken"):
            return
        request["NextPageToken"] = answer["NextPageToken"]


def _charge(service: str, usage_type: str, lane: str | None, day: date, kind: str, metrics: Mapping[str, Any]) -> Charge:
    cash, amortized = _amount(metrics, "UnblendedCost"), _amount(metrics, "AmortizedCost")
    quantity = Decimal(0) if kind != USAGE else _amount(metrics, "UsageQuantity")
    return Charge(
        service=service,
        usage_type=usage_type,
        lane=lane,
        day=day,
        kind=kind,
        quantity=quantity,
        cash=cash,
        amortized=amortized,
    )


def _amount(metrics: Mapping[str, Any], name: str) -> Decimal:
    try:
        told = metrics[name]
        amount = Decimal(told["Amount"])
    except (KeyError, InvalidOperation):
        raise InputError(f"{SOURCE}: {name}: {metrics.get(name)!r} has no amount") from None
    if name != "UsageQuantity" and told["Unit"] != "USD":
        raise InputError(f"{SOURCE}: {name}: {told['Unit']!r}, must be USD, as the price book is")
    return amount
