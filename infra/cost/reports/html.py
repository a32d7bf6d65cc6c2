"""The comparison as one HTML page for someone who pays the bill: nothing loaded, prints well.

One small script reads the curve for the reader; its hash in the page's policy lets it alone run. Without it nothing is missing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from infra.cost.compare import Comparison
from infra.cost.exact import EXACT
from infra.cost.reports import charts
from infra.cost.reports.amounts import signed
from infra.cost.reports.findings import crossover_sentence, likely_sentence, rate, savings_sentence, stale_figures

TEMPLATES = Path(__file__).parent / "templates"
WIDE, NARROW = 880, 326


def render_html(comparison: Comparison, document: Mapping[str, Any]) -> str:
    """The page as text; `document` is what report.json holds for the same comparison."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["usd"] = _usd
    environment.filters["number"] = number
    environment.filters["plain"] = lambda value: f"{value.normalize(EXACT):f}"
    environment.filters["rate"] = rate
    environment.filters["decimal"] = Decimal
    environment.filters["moved"] = lambda value: signed(Decimal(value)) if round(Decimal(value), 2) else "none"
    sources: dict[str, int] = {}
    environment.filters["source_number"] = lambda source: sources.setdefault(source, len(sources) + 1)
    script = _script(document)
    drawings = {
        "traffic": charts.traffic_chart,
        "rates": charts.cost_by_rate_chart,
        "parts": charts.breakdown_chart,
    }
    return environment.get_template("report.html.j2").render(
        c=comparison,
        d=document,
        crossover_sentence=crossover_sentence(comparison),
        savings_sentence=savings_sentence,
        likely_sentence=likely_sentence(comparison),
        unsure={
            lane.lane: sum((abs(line.usd) for line in lane.lines if line.confidence != "high"), Decimal(0))
            for lane in comparison.lanes
        },
        old=[line.name for line in stale_figures(comparison)],
        script=Markup(script),  # noqa: S704 - our own, and numbers
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        sources=sources,
        charts={
            name: {"wide": Markup(draw(comparison, WIDE)), "narrow": Markup(draw(comparison, NARROW))}  # noqa: S704 - our SVG
            for name, draw in drawings.items()
        },
    )


def _script(document: Mapping[str, Any]) -> str:
    """The page's script with the points of the curve, all of them numbers, in it."""
    points = [[p["rps"], p["lambda_usd_per_month"], p["container_usd_per_month"]] for p in document["curve"]]
    return (TEMPLATES / "explore.js").read_text(encoding="utf-8").replace("POINTS", json.dumps(points))


def _usd(value: float | str | Decimal, places: int = 2) -> str:
    amount = Decimal(value)
    return f"{'-' if round(amount, places) < 0 else ''}${abs(amount):,.{places}f}"


def number(value: float | Decimal | None) -> str:
    """A figure for a table: thousands separated, whole from 1,000 on, up to four digits behind the point below."""
    if value is None:
        return "unknown"
    figure = float(value)
    if abs(figure) >= 1000:
        return f"{figure:,.0f}"
    text = f"{figure:,.4f}".rstrip("0").rstrip(".")
    return text or "0"
