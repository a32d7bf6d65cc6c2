"""What a refresh could not make new, each with why and with what stands in the book instead."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

NO_FILTER = "filter not known: nothing says what it is in the Price List"


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """One price, or several of one kind. `kept_from` is the old figure's source and date, None where there is no figure."""

    name: str
    why: str
    kept_from: str | None = None

    def __str__(self) -> str:
        return f"{self.name}: {'unknown' if self.kept_from is None else f'kept from {self.kept_from}'}: {self.why}"


def left_prices(
    keys: Iterable[tuple[str, str]],
    kept: Mapping[tuple[str, str], Mapping[str, Any]],
    reasons: Mapping[tuple[str, str], str],
) -> list[Left]:
    """Dimensions of services."""
    return [
        Left(name=" ".join(key), why=reasons.get(key, NO_FILTER), kept_from=_source(kept[key]) if key in kept else None)
        for key in sorted(keys)
    ]


def left_instances(names: Collection[str], old: Mapping[str, Any], *, kept: bool) -> list[Left]:
    """Instance types, those of one source together. In another region they have no price, and are not in its book."""
    by_source: dict[str | None, list[str]] = {}
    for name in sorted(names):
        row = old["types"][name]
        source = row.get("on_demand_source", old["on_demand_source"])
        told = {"source": source, "as_of": row.get("on_demand_as_of", old["on_demand_as_of"])}
        by_source.setdefault(_source(told) if kept else None, []).append(name)
    why = "not in the Price List as plain Linux on shared hardware"
    return [
        Left(name=f"AmazonEC2 on demand price of {', '.join(each)}", why=why, kept_from=source)
        for source, each in by_source.items()
    ]


def left_plans(types: Iterable[str], plans: Iterable[Mapping[str, Any]], kept: Iterable[Mapping[str, Any]]) -> Iterator[Left]:
    """Old rates that were kept, and instance families of which no Savings Plan has a rate."""
    for row in kept:
        what = f"{row['plan']} rate of {', '.join(row.get('families', ())) or row['service']}"
        yield Left(name=f"SavingsPlans {what}", why="no rate in the lists of plans and reserved terms", kept_from=_source(row))
    covered = {name.partition(".")[0] for row in plans if row["service"] == "AmazonEC2" for name in row.get("families", ())}
    for family in sorted({name.partition(".")[0] for name in types} - covered):
        yield Left(name=f"AmazonEC2 savings plans of {family}", why="no rate in the list of Savings Plans")


def _source(row: Mapping[str, Any]) -> str:
    return f"{row['source']} ({row['as_of'] or 'undated'})"
