"""The report's charts as SVG text: traffic over time, cost against rate, and what each lane's month is made of.

Each is drawn for a given width, so that a page can carry a wide and a narrow one and text keeps its size.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import altair as alt
import vl_convert

from infra.cost.compare import Comparison
from infra.cost.lane import LaneCost
from infra.cost.reports.findings import rate

PLOT_SHARE, LETTER_PX = 0.8, 8.0
"""Of a chart's width its plot, and the width of a letter of a mark's label: for whether it has room."""
COLOURS = {"Lambda": "#c2410c", "Containers": "#1d4ed8"}
GROUPS = {
    "Compute": ("Lambda", "EC2", "Savings plan"),
    "Disks and IPs": ("EBS", "Public IPv4", "NAT gateway"),
    "Load balancer": ("Load balancer", "HTTP API", "WAF"),
    "Data transfer": ("Data transfer",),
    "Logs and metrics": ("CloudWatch", "S3", "Secret"),
    "Cache": ("Cache",),
}
OTHER = "Other"
"""What no group names: resources that only templates have."""
GROUP_COLOURS = ("#334155", "#a78bfa", "#0f766e", "#eab308", "#94a3b8", "#be185d", "#57534e")
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
MAX_POINTS = 1_500
ONE_DAY = 24
"""Hours up to which an axis of time shows the time of day, not the day."""


def traffic_chart(comparison: Comparison, width: int) -> str:
    """Searches a second over the traffic profile."""
    traffic = comparison.traffic
    every = -(-len(traffic.rates) // MAX_POINTS)
    groups = [traffic.rates[i : i + every] for i in range(0, len(traffic.rates), every)]
    rows: list[dict[str, Any]] = []
    for number, group in enumerate([*groups, groups[-1]]):
        seconds = number * every * traffic.step_s
        when = (traffic.start + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S") if traffic.start else None
        rows.append({"at": when or seconds / 3600, "rps": round(max(group), 4)})
    few: dict[str, Any] = {"tickCount": min(14, max(3, width // 70)), "labelFlush": False, "labelOverlap": True}
    if traffic.start:
        x = alt.X("at:T", title=None, axis=alt.Axis(format="%H:%M" if traffic.hours <= ONE_DAY else "%d %b", **few))
    else:
        x = alt.X("at:Q", title="Hours", axis=alt.Axis(**few))
    chart = (
        alt.Chart(_data(rows))
        .mark_area(
            interpolate="step-after", color="#93b4f5", line={"color": "#1d4ed8", "strokeWidth": 1 if len(rows) < width else 0.4}
        )
        .encode(x=x, y=alt.Y("rps:Q", title="Searches a second", axis=alt.Axis(format=",~r", tickCount=5)))
    )
    return _svg(chart, width, 200, "traffic")


def cost_by_rate_chart(comparison: Comparison, width: int) -> str:
    """A month's cost at each steady rate on both lanes, with the crossover and this traffic's mean marked."""
    rows = [
        {"rps": point.rps, "usd": float(usd), "lane": lane}
        for point in comparison.curve
        for lane, usd in (("Lambda", point.lambda_usd), ("Containers", point.container_usd))
    ]
    axis = alt.Axis(format=",~g", tickCount=5, labelOverlap=True)
    colour = alt.Color(
        "lane:N",
        title=None,
        scale=alt.Scale(domain=list(COLOURS), range=list(COLOURS.values())),
        legend=alt.Legend(orient="top", symbolStrokeWidth=3, symbolType="stroke"),
    )
    lines = (
        alt.Chart(_data(rows))
        .mark_line(strokeWidth=2.5)
        .encode(
            x=alt.X("rps:Q", scale=alt.Scale(type="log", nice=False), title="Steady searches a second", axis=axis),
            y=alt.Y("usd:Q", scale=alt.Scale(type="log"), title="Cost of a month", axis=alt.Axis(format="$,~g", tickCount=5)),
            color=colour,
            strokeDash=alt.StrokeDash("lane:N", scale=alt.Scale(domain=list(COLOURS), range=[[1, 0], [7, 3]]), legend=None),
        )
    )
    layers: list[Any] = [lines]
    low, high = comparison.curve[0].rps, comparison.curve[-1].rps
    marks = [
        (comparison.crossover.rps, "Crossover", "#111827", 12),
        (comparison.traffic.mean_rps, "This traffic", "#64748b", 28),
    ]
    for value, label, ink, dy in marks:
        if value is not None and low <= value <= high:
            said, place = f"{label}: {rate(value)}/s", math.log(value / low) / math.log(high / low)
            late = place > 0.5 or (1 - place) * PLOT_SHARE * width < LETTER_PX * len(said)
            layers += _mark(value, said, ink, dy, late=late)
    return _svg(alt.layer(*layers), width, 300, "rates")


def breakdown_chart(comparison: Comparison, width: int) -> str:
    """One bar a lane, and one of the split: a month's cost by what it is spent on."""
    rows = []
    parts = {name: [(_group(line.name), float(line.usd)) for line in lane.lines] for lane, name in _named(comparison)}
    others = any(group == OTHER for amounts in parts.values() for group, _ in amounts)
    groups = [*GROUPS, OTHER] if others else list(GROUPS)
    for name, amounts in parts.items():
        for order, group in enumerate(groups):
            usd = sum(each for mine, each in amounts if mine == group)
            said = f"{name}, {group.lower()}: ${usd:,.2f} a month"
            rows.append({"lane": name, "group": group, "usd": round(usd, 2), "order": order, "said": said})
    chart = (
        alt.Chart(_data(rows))
        .mark_bar(size=34, stroke="white", strokeWidth=1)
        .encode(
            y=alt.Y("lane:N", title=None, sort=list(parts)),
            x=alt.X("usd:Q", title="Cost of a month", axis=alt.Axis(format="$,~r", tickCount=4 if width > 600 else 2)),
            order=alt.Order("order:Q"),
            description="said:N",
            color=alt.Color(
                "group:N",
                title=None,
                sort=groups,
                scale=alt.Scale(domain=groups, range=list(GROUP_COLOURS[: len(groups)])),
                legend=alt.Legend(orient="top", columns=6 if width > 600 else 2, columnPadding=14, symbolType="square"),
            ),
        )
    )
    return _svg(chart, width, 20 + 45 * len(parts), "parts")


def _named(comparison: Comparison) -> Iterable[tuple[LaneCost, str]]:
    return zip(comparison.bills, (*COLOURS, "Split"), strict=False)


def _group(name: str) -> str:
    return next((group for group, prefixes in GROUPS.items() if name.startswith(prefixes)), OTHER)


def _data(rows: list[dict[str, Any]]) -> Any:
    return alt.InlineData(values=rows)


def _mark(value: float, label: str, colour: str, dy: int, *, late: bool) -> list[Any]:
    """A dashed line at a rate, its label on the side that has room."""
    base = alt.Chart(_data([{"rps": value, "label": label}])).encode(x="rps:Q")
    look: dict[str, Any] = {
        "align": "right" if late else "left",
        "dx": -6 if late else 6,
        "dy": dy,
        "baseline": "top",
        "fontSize": 13,
        "fontWeight": "bold",
    }
    behind, text = (
        base.mark_text(**look, **each).encode(text="label:N", y=alt.value(0))
        for each in ({"color": "white", "stroke": "white", "strokeWidth": 5}, {"color": colour})
    )
    return [base.mark_rule(color=colour, strokeDash=[4, 3], strokeWidth=1.5), behind, text]


def _svg(chart: Any, width: int, height: int, name: str) -> str:
    sized = chart.properties(
        width=width, height=height, autosize=alt.AutoSizeParams(type="fit-x", contains="padding"), background="white"
    ).configure(
        font=FONT,
        axis=alt.AxisConfig(
            labelFontSize=12, titleFontSize=12, titleFontWeight="normal", gridColor="#e5e7eb", labelColor="#374151"
        ),
        legend=alt.LegendConfig(labelFontSize=13),
        view=alt.ViewConfig(stroke=None),
    )
    svg = vl_convert.vegalite_to_svg(sized.to_dict())
    return _own_ids(_told(svg), f"{name}-{width}-")


def _told(svg: str) -> str:
    """What a bar's label says to a screen reader, a pointer that rests on it is told too."""
    return re.sub(r'(<path aria-label="([^"]*)" role="graphics-symbol"[^>]*)/>', r"\1><title>\2</title></path>", svg)


def _own_ids(svg: str, prefix: str) -> str:
    """Several drawings share one page: their ids must differ, or one would be clipped by another's frame."""
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}\1)", svg)
    return re.sub(r'href="#([^"]+)"', rf'href="#{prefix}\1"', svg)
