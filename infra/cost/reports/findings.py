"""What a comparison says, in words: the headline, the crossover, and which prices are old. Used by every output."""

from __future__ import annotations

from datetime import date

from infra.cost.compare import Comparison
from infra.cost.exact import EXACT
from infra.cost.lane import LANE_NAMES, LaneCost
from infra.cost.lines.line import LineItem
from infra.cost.prices.book import STALE_AFTER_DAYS


def headline(comparison: Comparison) -> str:
    """The answer in one sentence, and a caution where a lane cannot serve the traffic."""
    cheaper, dearer = comparison.cheaper, comparison.dearer
    low, high = cheaper.usd_per_month, dearer.usd_per_month
    if low == high:
        answer = f"Both lanes cost the same for this traffic: {dollars(float(low))} a month."
    else:
        answer = (
            f"The {LANE_NAMES[cheaper.lane]} lane is cheaper for this traffic: {dollars(float(low))} a month against "
            f"{dollars(float(high))} on the {LANE_NAMES[dearer.lane]} lane, {(high - low) / high:.0%} less."
        )
    short = [LANE_NAMES[lane.lane] for lane in comparison.lanes if lane.misses]
    return f"{answer} But the {' and the '.join(short)} lane cannot serve all of it." if short else answer


def crossover_sentence(comparison: Comparison) -> str:
    """Where the cheaper lane changes, or why it does not."""
    crossover = comparison.crossover
    if crossover.rps is None:
        return f"There is no crossover: {crossover.reason}."
    below = LANE_NAMES[crossover.cheaper_below]
    above = LANE_NAMES["container" if crossover.cheaper_below == "lambda" else "lambda"]
    text = (
        f"At a steady {rate(crossover.rps)} searches a second the cheaper lane changes: "
        f"below it is the {below} lane, above it the {above} lane."
    )
    return f"{text} ({crossover.reason}.)" if crossover.reason else text


def likely_sentence(comparison: Comparison) -> str | None:
    """In which bounds each lane's month lies in nine worlds of ten, and how sure the answer is; None: not computed."""
    found = comparison.likely
    if found is None:
        return None
    bands, spread = found.usd_per_month.items(), found.uncertainty
    names = {**{lane: f"on the {name} lane" for lane, name in LANE_NAMES.items()}, "split": "as the split"}
    bounds = (f"{_bounds(dollars(band.low), dollars(band.high))} {names[lane]}" for lane, band in bands)
    stays = "in all of them" if found.share == 1 else f"in {found.share:.0%} of them"
    without = "".join(f" There is no low and high of the {bill}: {why}." for bill, why in found.unknown.items())
    return (
        f"In 9 of 10 of {found.worlds} worlds around the measurement (CPU ±{spread.cpu:.0%}, waiting ±{spread.wait:.0%}, spot "
        f"prices ±{spread.spot_price:.0%}) a month costs {', '.join(bounds)}; the {LANE_NAMES[comparison.cheaper.lane]} "
        f"lane is the cheaper one {stays}.{without}"
    )


def _bounds(low: str, high: str) -> str:
    return f"{low} to {high}" if low != high else f"{low} either way"


def savings_sentence(lane: LaneCost) -> str | None:
    """From the list price to the effective one; None without a savings plan, or where it covers nothing of the lane."""
    savings = lane.savings
    if savings is None:
        return None
    return (
        f"Savings plan {savings.plan}, {savings.commitment_usd_per_hour.normalize(EXACT):f} USD committed an hour: list price "
        f"{dollars(float(savings.list_usd))}, less {dollars(float(savings.discount_usd))} discount, plus "
        f"{dollars(float(savings.unused_usd))} of the commitment unused, is {dollars(float(savings.effective_usd))} a month. "
        f"It covers {savings.coverage:.0%} of what it can cover and is used to {savings.utilization:.0%}."
    )


def stale_figures(comparison: Comparison) -> list[LineItem]:
    """One line for each price used that was last confirmed over 90 days before the report, or on no known day."""
    used = {(line.service, line.dimension): line for lane in comparison.bills for line in lane.lines}
    ages = {key: age_days(line.as_of, comparison.options.report_date) for key, line in used.items()}
    return [used[key] for key, age in ages.items() if age is None or age > STALE_AFTER_DAYS]


def age_days(as_of: str | None, on: date) -> int | None:
    """Days since the latest day that `as_of` (a date, a month or a year) can mean; None where it says nothing."""
    if as_of is None:
        return None
    year, month, day = ([int(part) for part in as_of.split("-")] + [12, 28][len(as_of.split("-")) - 1 :])[:3]
    return (on - date(year, month, day)).days


def dollars(value: float) -> str:
    """Dollars for prose: whole ones from 100 on, cents below."""
    return f"${value:,.0f}" if value >= 100 else f"${value:,.2f}"


def rate(rps: float) -> str:
    """A rate for prose, to about three digits."""
    return f"{rps:,.0f}" if rps >= 100 else f"{rps:.3g}"
