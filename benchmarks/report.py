"""Medians over rounds, and the terminal tables. Ratios are never printed without the rate that each side held."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table

REFERENCES = ("go_nethttp", "go_fasthttp", "fastapi_httpx", "flask_requests")
BUSY = 0.10
"""Share of a core used by other programs above which the figures are called provisional."""

FULL = 0.90


def summarise(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians of one variant's rounds, number by number; `held` only when every round held; the rounds themselves too."""
    return {**_median_of(runs), "rounds": runs}


def _median_of(runs: list[dict[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for key, value in runs[0].items():
        values = [run[key] for run in runs]
        if key == "failures":
            merged[key] = {reason: sum(run.get(reason, 0) for run in values) for reason in {r for run in values for r in run}}
        elif isinstance(value, dict):
            merged[key] = _median_of(values)
        elif isinstance(value, bool):
            merged[key] = all(values)
        elif key in ("failed", "searches"):
            merged[key] = sum(values)
        else:
            known = [number for number in values if number is not None]
            merged[key] = round(statistics.median(known), 4) if known else None
    return merged


def ratio(document: dict[str, Any], name: str, reference: str, kind: str) -> float | None:
    """CPU per search of a variant over a reference's, `kind` being `fixed_rate` or `saturation`; `None` if unknown."""
    variants = document["variants"]
    if name not in variants or reference not in variants:
        return None
    ours, theirs = (variants[each][kind]["cpu_ms_per_search"] for each in (name, reference))
    return ours / theirs if ours is not None and theirs else None


def print_fanout(document: dict[str, Any], console: Console | None = None) -> None:
    console = console or Console(width=150 if not Console().is_terminal else None)
    console.print(_figures_table(document))
    console.print(_ratios_table(document))
    for name, reason in document["skipped"].items():
        console.print(f"{name}: skipped: {reason}", highlight=False)
    for line in notes(document):
        console.print(f"note: {line}", highlight=False)


def _figures_table(document: dict[str, Any]) -> Table:
    table = Table(title="Fan-out of 40 calls: CPU ms per search, one core, medians")
    for column in (
        "variant",
        "at rate",
        "held/s",
        "p50 ms",
        "p99 ms",
        "saturated",
        "searches/s",
        "peak MB",
        "failed",
        "offers",
    ):
        table.add_column(column, justify="left" if column == "variant" else "right")
    for name, figures in document["variants"].items():
        fixed, full = figures["fixed_rate"], figures["saturation"]
        table.add_row(
            name,
            shown(fixed["cpu_ms_per_search"], 2),
            shown(fixed["rps_held"], 1) + ("" if fixed["rps_held"] == fixed["rps_asked"] and fixed["held"] else " !"),
            shown(fixed["p50_ms"], 0),
            shown(fixed["p99_ms"], 0),
            shown(full["cpu_ms_per_search"], 2),
            shown(full["searches_per_s"], 0) + ("" if full["held"] else " !"),
            shown(fixed["peak_rss_mb"], 0),
            str(fixed["failed"] + full["failed"]),
            "–" if fixed["offers_share"] is None else f"{fixed['offers_share']:.1%}",
        )
    return table


def _ratios_table(document: dict[str, Any]) -> Table:
    references = [name for name in REFERENCES if name in document["variants"]]
    table = Table(title="CPU per search as a multiple of … (at the rate held / saturated)")
    table.add_column("variant")
    for reference in references:
        table.add_column(reference, justify="right")
    for name in document["variants"]:
        cells = [
            f"{shown(ratio(document, name, reference, 'fixed_rate'), 2)} / "
            f"{shown(ratio(document, name, reference, 'saturation'), 2)}"
            for reference in references
        ]
        table.add_row(name, *cells)
    return table


def notes(document: dict[str, Any]) -> list[str]:
    """What a reader must know to believe the figures: rates not held, a busy machine, an upstream at its limit."""
    said = []
    for name, figures in document["variants"].items():
        fixed, full = figures["fixed_rate"], figures["saturation"]
        if not fixed["held"]:
            said.append(f"{name} did not hold even {fixed['rps_held']:g}/s in every round; its figures flatter it")
        elif fixed["rps_held"] < fixed["rps_asked"]:
            said.append(f"{name} cannot hold {fixed['rps_asked']:g}/s: measured at {fixed['rps_held']:g}/s{_drowned(figures)}")
        if not full["held"]:
            said.append(f"{name} does not answer in full at saturation, even with one search in flight")
        if full["cores_used"]["upstream_and_generator"] > FULL and full["cores_used"]["service"] < FULL:
            said.append(f"{name} was not saturated: suppliers and generator used all of their core")
    loads = [figures[kind] for figures in document["variants"].values() for kind in ("fixed_rate", "saturation")]
    return said + busy_notes(loads, quick=document["quick"])


def _drowned(figures: dict[str, Any]) -> str:
    """What a service takes at the rate that it does not hold."""
    found = figures.get("rate_not_held")
    if found is None:
        return ""
    cpu = shown(found["cpu_ms_per_search"], 0)
    return f"; at the rate asked it takes {cpu} ms for each of the {found['searches']} that it answers"


def busy_notes(loads: Iterable[dict[str, Any]], *, quick: bool) -> list[str]:
    """Whether these figures may be quoted: not where other programs ran meanwhile, nor from short windows."""
    said = []
    busiest = max((figures["cores_used"]["everything_else"] for figures in loads), default=0.0)
    if busiest > BUSY:
        said.append(f"provisional: other programs used up to {busiest:.2f} cores of this machine meanwhile")
    if quick:
        said.append("quick: short windows, few rounds; run without --quick for figures to quote")
    return said


def shown(value: float | None, digits: int) -> str:
    """A figure as a table shows it."""
    return "–" if value is None else f"{value:,.{digits}f}"
