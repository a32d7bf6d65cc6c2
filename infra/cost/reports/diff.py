"""Two reports against each other, line by line: for a pull request, and for the guard that refuses one.

Works on report.json (`report_file` reads it; schema in docs/cost.md), so the two may come from any two checkouts, days or price
books. Amounts are the reports' exact strings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from infra.cost.reports.amounts import cell, signed, usd

LANES = ("lambda", "container")


@dataclass(frozen=True, slots=True, kw_only=True)
class LineChange:
    """One line of the bill in both reports; an amount is None where a report has no such line.

    `resources` are logical ids, where the reports were made of templates.
    """

    name: str
    before: Decimal | None
    after: Decimal | None
    why: str
    resources: tuple[str, ...] = ()

    @property
    def usd(self) -> Decimal:
        return (self.after or Decimal(0)) - (self.before or Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneChange:
    """One lane's month. `lines` are those that differ, the largest change first."""

    lane: str
    before: Decimal
    after: Decimal
    lines: tuple[LineChange, ...]
    not_priced_since: tuple[str, ...]

    @property
    def usd(self) -> Decimal:
        return self.after - self.before

    @property
    def share(self) -> Decimal | None:
        return self.usd / self.before if self.before else None


def compare_reports(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[LaneChange, ...]:
    gaps = set(before["not_priced"])
    return tuple(
        LaneChange(
            lane=lane,
            before=Decimal(before["lanes"][lane]["usd_per_month_exact"]),
            after=Decimal(after["lanes"][lane]["usd_per_month_exact"]),
            lines=_lines(before["lanes"][lane]["lines"], after["lanes"][lane]["lines"]),
            not_priced_since=tuple(gap for gap in after["not_priced"] if gap not in gaps),
        )
        for lane in LANES
    )


def _lines(before: list[Mapping[str, Any]], after: list[Mapping[str, Any]]) -> tuple[LineChange, ...]:
    old, new = _by_name(before), _by_name(after)
    found = []
    for name in [*new, *(name for name in old if name not in new)]:
        was, now = old.get(name), new.get(name)
        amounts = [
            None if rows is None else sum((Decimal(row["usd_exact"]) for row in rows), Decimal(0)) for rows in (was, now)
        ]
        rows = [*(now or ()), *(was or ())]
        behind = tuple(dict.fromkeys(each for row in rows for each in row.get("resources", ())))
        change = LineChange(name=name, before=amounts[0], after=amounts[1], why=_why(was, now), resources=behind)
        if change.usd:
            found.append(change)
    return tuple(sorted(found, key=lambda change: (-abs(change.usd), change.name)))


def _by_name(lines: list[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Tiers of one price stand as several lines of one name."""
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for line in lines:
        rows.setdefault(line["name"], []).append(line)
    return rows


def _why(was: list[Mapping[str, Any]] | None, now: list[Mapping[str, Any]] | None) -> str:
    if was is None:
        return "new"
    if now is None:
        return "gone"
    quantities = [sum((Decimal(row["quantity"]) for row in rows), Decimal(0)) for rows in (was, now)]
    priced = [tuple(row["unit_price"] for row in rows) for rows in (was, now)]
    said = []
    if quantities[0] != quantities[1]:
        said.append(f"quantity {quantities[0]:,.2f} → {quantities[1]:,.2f} {now[0]['unit']}")
    if priced[0] != priced[1]:
        said.append(f"price ${', $'.join(priced[0])} → ${', $'.join(priced[1])}")
    return "; ".join(said)


def markdown(changes: tuple[LaneChange, ...], after: Mapping[str, Any], resources: tuple[str, ...] = ()) -> str:
    """A comment for a pull request: totals, then the lines that differ, folded. `resources` says what differs in templates."""
    rows = ["| lane | $ a month before | after | change |", "|---|---:|---:|---:|"]
    for each in changes:
        rows.append(f"| {each.lane} | {usd(each.before)} | {usd(each.after)} | {signed(each.usd)}{_share(each)} |")
    text = ["### Cost of this change", "", after["headline"], "", *rows, ""]
    for each in changes:
        if each.lines:
            text += [f"<details><summary>{each.lane} lane: what changed</summary>", ""]
            text += ["| line | before | after | change | why |", "|---|---:|---:|---:|---|"]
            text += [
                f"| {cell(line.name)} | {usd(line.before)} | {usd(line.after)} | {signed(line.usd)} | {cell(_because(line))} |"
                for line in each.lines
            ]
            text += ["", "</details>", ""]
    if resources:
        text += [
            "<details><summary>Resources that differ</summary>",
            "",
            *(f"- {each}" for each in resources),
            "",
            "</details>",
            "",
        ]
    gaps = dict.fromkeys(gap for each in changes for gap in each.not_priced_since)
    text += [f"- not priced since this change: {gap}" for gap in gaps]
    traffic = after["traffic"]
    text.append(f"{traffic['source']}; prices of {after['prices']['region']}, {after['prices']['as_of']}.")
    return "\n".join(text) + "\n"


def _because(line: LineChange) -> str:
    behind = ", ".join(f"`{each}`" for each in line.resources)
    return "; ".join(filter(None, (line.why, behind)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One rule of the guard that is broken, and the lines that are to blame, the largest first."""

    said: str
    lines: tuple[str, ...]


def cheapest(report: Mapping[str, Any]) -> Decimal:
    """The cheaper lane's month."""
    return Decimal(report["lanes"][report["cheaper_lane"]]["usd_per_month_exact"])


def over_budget(report: Mapping[str, Any], lanes: tuple[str, ...], budget: Decimal | None) -> list[Breach]:
    """`budget` is dollars a month and lane; None allows any."""
    found = []
    for lane in lanes:
        told = report["lanes"][lane]
        month = Decimal(told["usd_per_month_exact"])
        if budget is not None and month > budget:
            rows = sorted(told["lines"], key=lambda row: -Decimal(row["usd_exact"]))
            largest = tuple(f"{row['name']}: {usd(Decimal(row['usd_exact']))}" for row in rows[:5])
            found.append(Breach(said=f"{lane} lane: {usd(month)} a month, the budget is {usd(budget)}", lines=largest))
    return found


def over_increase(changes: tuple[LaneChange, ...], lanes: tuple[str, ...], most: Decimal) -> list[Breach]:
    """`most` is a share of the month before."""
    found = []
    for each in changes:
        if each.lane in lanes and each.usd > each.before * most:
            rose = tuple(f"{line.name}: {signed(line.usd)} ({line.why})" for line in each.lines if line.usd > 0)
            said = f"{each.lane} lane: {signed(each.usd)} a month{_share(each)}, allowed are {most:+.1%}"
            found.append(Breach(said=said, lines=rose[:5]))
    return found


def _share(change: LaneChange) -> str:
    return "" if change.share is None else f" ({change.share:+.1%})"
