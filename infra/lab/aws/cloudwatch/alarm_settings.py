"""What a metric alarm's settings ask for, as PutMetricAlarm and templates name them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from infra.lab.aws.cloudwatch.evaluation import COMPARISONS, MISSING, Criterion
from infra.lab.aws.cloudwatch.queries import Query, Refused
from infra.lab.aws.cloudwatch.statistics import SIMPLE, is_percentile
from infra.lab.aws.cloudwatch.store import MINUTE

RESULT = "alarm"
"""Id of the query that an alarm over one metric makes."""


def criterion_of(given: Mapping[str, Any]) -> Criterion:
    periods = int(given["EvaluationPeriods"])
    return Criterion(
        comparison=given["ComparisonOperator"],
        threshold=float(given["Threshold"]),
        enough=int(given.get("DatapointsToAlarm") or periods),
        of=periods,
        missing=given.get("TreatMissingData") or "missing",
    )


def period_of(given: Mapping[str, Any]) -> int:
    if "Metrics" not in given:
        return int(given["Period"])
    return max(int(each["MetricStat"]["Period"]) for each in given["Metrics"] if "MetricStat" in each)


def queries_of(given: Mapping[str, Any]) -> Sequence[Query]:
    """What the alarm asks of the metrics, as GetMetricData would be asked."""
    if "Metrics" in given:
        return [{key: value for key, value in each.items() if value is not None} for each in given["Metrics"]]
    stat = given.get("Statistic") or given.get("ExtendedStatistic")
    metric = {"Namespace": given["Namespace"], "MetricName": given["MetricName"], "Dimensions": given.get("Dimensions") or []}
    return [{"Id": RESULT, "MetricStat": {"Metric": metric, "Period": given["Period"], "Stat": stat}}]


def result_of(given: Mapping[str, Any]) -> str:
    if "Metrics" not in given:
        return RESULT
    return str(next(each["Id"] for each in given["Metrics"] if _is_true(each.get("ReturnData", True))))


def check(given: Mapping[str, Any]) -> None:
    """What CloudWatch would refuse, and what the lab does not evaluate."""
    _one_of(given, "ComparisonOperator", COMPARISONS)
    _one_of({"TreatMissingData": given.get("TreatMissingData") or "missing"}, "TreatMissingData", MISSING)
    for key in ("EvaluationPeriods", "Threshold"):
        if given.get(key) is None:
            raise Refused("ValidationError", f"The local CloudWatch needs {key} of an alarm; anomaly detection is not in it")
    if "Metrics" in given:
        results = [each for each in given["Metrics"] if _is_true(each.get("ReturnData", True))]
        if len(results) != 1 or not any("MetricStat" in each for each in given["Metrics"]):
            raise Refused("ValidationError", "Exactly one element of the metrics list should return data, over a metric.")
    else:
        for key in ("MetricName", "Namespace", "Period"):
            if given.get(key) is None:
                raise Refused("ValidationError", f"The parameter {key} is required.")
        stat = given.get("Statistic") or given.get("ExtendedStatistic") or ""
        if stat not in SIMPLE and not is_percentile(stat):
            raise Refused("InvalidParameterValue", f"The value {stat!r} for Statistic or ExtendedStatistic is not supported.")
    if period_of(given) % MINUTE:
        raise Refused("ValidationError", "The local CloudWatch evaluates each minute: Period must be a multiple of 60")
    criterion = criterion_of(given)
    if not 1 <= criterion.enough <= criterion.of:
        raise Refused("ValidationError", "DatapointsToAlarm must be from 1 to EvaluationPeriods")


def _one_of(given: Mapping[str, Any], key: str, allowed: Iterable[str]) -> None:
    found = given.get(key)
    if str(found) not in allowed:
        raise Refused("ValidationError", f"{key} must be one of {', '.join(allowed)}, not {found}")


def _is_true(told: object) -> bool:
    """Templates may say it in words."""
    return str(told).lower() == "true"
