"""The CPU scale that would have made the estimate of one lane what the bill says, where the bill can tell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from infra.cost.actuals.calibration import HIGHEST, LOWEST, Calibration, scale_of
from infra.cost.actuals.mapping import ON_DEMAND, SPOT
from infra.cost.actuals.records import total
from infra.cost.actuals.variance import Comparison, Variance, month_hours
from infra.cost.exact import EXACT
from infra.cost.reports.diff import LANES

SCALE = Decimal("0.0001")
ROUNDING_MS = Decimal("0.5")
"""What the model adds to a search's billed time for Lambda's rounding up (docs/cost.md)."""


def propose(
    compared: Comparison, report: Mapping[str, Any], *, hours: Decimal, searches: Decimal | None, period: str, source: str
) -> Calibration | str:
    """A calibration, or the reason why there is none. `searches` is how many the lane served in those hours, if known."""
    if compared.lane not in LANES:
        return "both lanes serve; a lane's own bill tells its CPU (--lane)"
    found = _by_duration(compared, report) if compared.lane == "lambda" else _by_hours(compared, report, hours, searches)
    if isinstance(found, str):
        return found
    ratio, why = found
    was = scale_of(report)
    scale = EXACT.multiply(was, ratio).quantize(SCALE, context=EXACT)
    if not LOWEST <= scale <= HIGHEST:
        return f"a CPU scale of {scale} would be needed, which is no figure of {LOWEST} to {HIGHEST}: look for another cause"
    return Calibration(
        schema=1, lane=compared.lane, cpu_scale=f"{scale:f}", was=f"{was:f}", why=why, period=period, source=source
    )


def _by_duration(compared: Comparison, report: Mapping[str, Any]) -> tuple[Decimal, str] | str:
    """Lambda: GB-seconds a request, less what waiting has of them, which CPU does not change."""
    requests = _sum(compared, lambda line: line.key == ("AWSLambda", "requests"))
    seconds = _sum(compared, lambda line: line.key[0] == "AWSLambda" and "duration_" in line.key[1])
    if not all((*requests, *seconds)):
        return "the bill or the estimate has no requests or no GB-seconds of Lambda"
    billed_ms = Decimal(str(report["lanes"]["lambda"]["capacity"]["billed_ms_per_search"]))
    wait_ms = Decimal(str(report["measured"]["lambda"]["wait_ms"])) + ROUNDING_MS
    if billed_ms <= wait_ms:
        return "the estimate's billed time is all waiting; CPU explains nothing of it"
    estimated, actual = (EXACT.divide(seconds[each], requests[each]) for each in (0, 1))
    waiting = EXACT.multiply(estimated, EXACT.divide(wait_ms, billed_ms))
    ratio = EXACT.divide(EXACT.subtract(actual, waiting), EXACT.subtract(estimated, waiting))
    why = (
        f"{actual:.5f} GB-s a request billed, {estimated:.5f} estimated, of them {waiting:.5f} waiting; the CPU in the rest is "
        f"{ratio:.3f} of the estimate's"
    )
    return ratio, why


def _by_hours(
    compared: Comparison, report: Mapping[str, Any], hours: Decimal, searches: Decimal | None
) -> tuple[Decimal, str] | str:
    """Containers: instance-hours, which follow CPU where the fleet is above its minimum."""
    lane = report["lanes"]["container"]
    mean, least = Decimal(str(lane["capacity"]["mean_instances"])), re.search(r"(\d+) to \d+ ×", lane["title"])
    if least is not None and mean <= Decimal(least[1]):
        return f"the estimated fleet stays at its minimum of {least[1]}: instance-hours say nothing of CPU"
    if any(each["chosen"] and each["egress"] == "nat_instance" for each in report["network_choices"]):
        return "NAT instances are among the instance-hours, which therefore do not tell the fleet's"
    estimated, actual = _sum(compared, lambda line: line.key in (ON_DEMAND, SPOT))
    if not (estimated and actual):
        return "the bill or the estimate has no instance-hours"
    ratio = EXACT.divide(actual, estimated)
    why = f"{actual:,.1f} instance-hours billed, {estimated:,.1f} estimated"
    if searches is None:
        return ratio, f"{why}; taking it that as many searches were served as estimated (--searches says how many)"
    expected = EXACT.multiply(Decimal(str(lane["searches_per_month"])), EXACT.divide(hours, month_hours(report)))
    served = EXACT.divide(searches, expected)
    return EXACT.divide(ratio, served), f"{why}; {searches:,.0f} searches served, {expected:,.0f} estimated"


def _sum(compared: Comparison, wanted: Any) -> tuple[Decimal, Decimal]:
    """Estimated and billed quantity of the lines wanted."""
    lines: list[Variance] = [line for line in compared.lines if wanted(line)]
    return total(line.estimated_quantity for line in lines), total(line.quantity for line in lines)
