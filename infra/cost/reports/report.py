"""The comparison as documents: report.json (schema in docs/cost.md) and report.html, one self-contained page.

Rounding happens here and nowhere before: `usd_*` are JSON numbers rounded to cents (a month, a day) or to a millionth
of a dollar (searches); `usd_exact`, `quantity` and `unit_price` are strings that hold every digit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import msgspec

from infra import documents
from infra.cost.carbon import SOURCE, carbon
from infra.cost.compare import Comparison
from infra.cost.egress import Egress
from infra.cost.exact import EXACT
from infra.cost.lane import LaneCost, Savings
from infra.cost.likely import Likely
from infra.cost.lines.line import LineItem, total
from infra.cost.prices.book import STALE_AFTER_DAYS
from infra.cost.reports.assumptions import assumptions, not_priced
from infra.cost.reports.findings import headline, stale_figures
from infra.cost.reports.terminal import render_terminal
from infra.cost.sensitivity import sensitivity_document
from infra.cost.split import Split

__all__ = ["html_bytes", "json_bytes", "render_terminal", "report_document", "write_report"]

CENT = Decimal("0.01")
MICRO = Decimal("0.000001")


def write_report(comparison: Comparison, parity: Mapping[str, object] | None, out_dir: Path) -> tuple[Path, Path]:
    """Write report.html and report.json below `out_dir`, which is made; returns both paths in this order.

    `parity` is what the demo found when it asked both lanes the same (`queries`, `identical`); None where it did not.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    page, document = out_dir / "report.html", out_dir / "report.json"
    page.write_bytes(html_bytes(comparison, parity))
    document.write_bytes(json_bytes(comparison, parity))
    return page, document


def json_bytes(comparison: Comparison, parity: Mapping[str, object] | None = None) -> bytes:
    """report.json; the same comparison gives the same bytes."""
    return documents.json_bytes(report_document(comparison, parity))


def html_bytes(comparison: Comparison, parity: Mapping[str, object] | None = None) -> bytes:
    """report.html; loads nothing, and its one script is its own."""
    from infra.cost.reports.html import render_html

    return render_html(comparison, report_document(comparison, parity)).encode()


def report_document(comparison: Comparison, parity: Mapping[str, object] | None = None) -> dict[str, Any]:
    """Everything a report says, as JSON values."""
    crossover, profile = comparison.crossover, comparison.profile
    return {
        "schema": 1,
        "report_date": comparison.options.report_date.isoformat(),
        "headline": headline(comparison),
        "cheaper_lane": comparison.cheaper.lane,
        "parity": dict(parity) if parity is not None else None,
        "bundle": msgspec.to_builtins(profile.bundle),
        "measured_at": profile.measured_at,
        "machine": profile.machine,
        "conditions": msgspec.to_builtins(profile.conditions),
        "measured": {
            "lambda": msgspec.to_builtins(profile.lambda_lane),
            "container": msgspec.to_builtins(profile.container_lane),
        },
        "lanes": {lane.lane: _lane(lane) for lane in comparison.lanes},
        "split": _split(comparison.split),
        "likely": _likely(comparison.likely),
        "actuals": None if comparison.billed is None else dict(comparison.billed),
        "sensitivity": None if comparison.sensitivity is None else sensitivity_document(comparison.sensitivity),
        "carbon": _carbon(comparison) if comparison.options.carbon else None,
        "network_choices": [_egress(choice) for choice in comparison.egress],
        "crossover_rps": None if crossover.rps is None else round(crossover.rps, 4),
        "crossover": {
            "rates_rps": [round(rate, 4) for rate in crossover.rates],
            "cheaper_below": crossover.cheaper_below,
            "searched_to_rps": round(crossover.searched_to_rps, 2),
            "reason": crossover.reason,
        },
        "curve": [
            {
                "rps": round(p.rps, 6),
                "lambda_usd_per_month": _cents(p.lambda_usd),
                "container_usd_per_month": _cents(p.container_usd),
            }
            for p in comparison.curve
        ],
        "traffic": _traffic(comparison),
        "prices": _prices(comparison),
        "assumptions": [asdict(each) for each in assumptions(comparison)],
        "not_priced": list(not_priced(comparison)),
    }


def _lane(lane: LaneCost) -> dict[str, object]:
    million = lane.usd_per_million_searches
    return {
        "title": lane.title,
        "usd_per_month": _cents(lane.usd_per_month),
        "usd_per_month_exact": f"{lane.usd_per_month:f}",
        "usd_per_day": _cents(lane.usd_per_day),
        "usd_per_million_searches": _micros(million),
        "usd_per_thousand_searches": _micros(EXACT.divide(million, Decimal(1000))),
        "searches_per_month": float(round(lane.searches_per_month, 2)),
        "capacity": {name: round(value, 4) for name, value in lane.capacity.items()},
        "misses": list(lane.misses),
        "savings_plan": _savings(lane.savings),
        "lines": [_line(line) for line in lane.lines],
    }


def _savings(savings: Savings | None) -> dict[str, object] | None:
    """From the list price to the effective one; None without a plan, or where it covers nothing."""
    if savings is None:
        return None
    return {
        "plan": savings.plan,
        "commitment_usd_per_hour": f"{savings.commitment_usd_per_hour.normalize(EXACT):f}",
        "list_usd_per_month": _cents(savings.list_usd),
        "discount_usd_per_month": _cents(savings.discount_usd),
        "unused_usd_per_month": _cents(savings.unused_usd),
        "effective_usd_per_month": _cents(savings.effective_usd),
        "coverage": round(savings.coverage, 4),
        "utilization": round(savings.utilization, 4),
    }


def _likely(found: Likely | None) -> dict[str, object] | None:
    if found is None:
        return None
    lanes = {
        lane: {name: round(value, 2) for name, value in asdict(band).items()} for lane, band in found.usd_per_month.items()
    }
    return {
        "worlds": found.worlds,
        "cheaper_lane_stays": round(found.share, 4),
        "usd_per_month": lanes,
        "unknown": found.unknown,
        "uncertainty": {name: round(value, 4) for name, value in asdict(found.uncertainty).items()},
    }


def _carbon(comparison: Comparison) -> dict[str, object]:
    lanes = {
        each.lane: {
            "kg_co2e_per_month": round(each.kg_co2e, 4),
            "kwh_per_month": round(each.kwh, 4),
            "vcpu_hours": round(each.vcpu_hours, 2),
            "busy_hours": round(each.busy_hours, 2),
        }
        for each in carbon(comparison)
    }
    return {"source": SOURCE, "lanes": lanes}


def _split(split: Split | None) -> dict[str, object] | None:
    """The weighted split as a lane of its own, with what of it is whose."""
    if split is None:
        return None
    on_lambda, on_containers = (total(lane.lines) for lane in split.own)
    return {
        "lambda_percent": split.lambda_percent,
        "lambda_usd_per_month": _cents(on_lambda),
        "container_usd_per_month": _cents(on_containers),
        "shared_usd_per_month": _cents(total(split.shared)),
        **_lane(split.whole),
    }


def _egress(choice: Egress) -> dict[str, object]:
    month, day = choice.usd_per_month, choice.usd_per_day
    return {
        "egress": choice.name,
        "title": choice.title,
        "chosen": choice.chosen,
        "usd_per_month": None if month is None else _cents(month),
        "usd_per_month_exact": None if month is None else f"{month:f}",
        "usd_per_day": None if day is None else _cents(day),
        "unknown": choice.unknown,
        "remark": choice.remark,
        "lines": [_line(line) for line in choice.lines],
    }


def _line(line: LineItem) -> dict[str, object]:
    return {
        "name": line.name,
        "service": line.service,
        "dimension": line.dimension,
        "quantity": f"{line.quantity:f}",
        "free": f"{line.free:f}",
        "unit": line.unit,
        "unit_price": f"{line.unit_price:f}",
        "usd": _cents(line.usd),
        "usd_exact": f"{line.usd:f}",
        "source": line.source,
        "as_of": line.as_of,
        "confidence": line.confidence,
        "note": line.note,
        "resources": list(line.resources),
    }


def _traffic(comparison: Comparison) -> dict[str, object]:
    traffic = comparison.traffic
    return {
        "source": traffic.source,
        "start": traffic.start.isoformat() if traffic.start else None,
        "hours": round(traffic.hours, 4),
        "step_s": traffic.step_s,
        "steps": len(traffic.rates),
        "searches": round(traffic.searches, 2),
        "searches_per_month": float(round(comparison.lambda_lane.searches_per_month, 2)),
        "mean_rps": round(traffic.mean_rps, 6),
        "peak_rps": round(traffic.peak_rps, 6),
        "parameters": dict(traffic.parameters),
        "notes": list(traffic.notes),
    }


def _prices(comparison: Comparison) -> dict[str, object]:
    book, day = comparison.prices, comparison.options.report_date
    used = {(line.service, line.dimension): line for lane in comparison.bills for line in lane.lines}
    return {
        "as_of": book.as_of.isoformat(),
        "source": book.source,
        "region": book.region,
        "age_days": (day - book.as_of).days,
        "stale": book.is_stale(day),
        "stale_after_days": STALE_AFTER_DAYS,
        "older_than_that": [
            {"service": line.service, "dimension": line.dimension, "as_of": line.as_of} for line in stale_figures(comparison)
        ],
        "unconfirmed": [f"{service} {dimension}" for (service, dimension), line in used.items() if line.confidence != "high"],
    }


def _cents(value: Decimal) -> float:
    return float(value.quantize(CENT, rounding=ROUND_HALF_EVEN, context=EXACT))


def _micros(value: Decimal) -> float:
    return float(value.quantize(MICRO, rounding=ROUND_HALF_EVEN, context=EXACT))
