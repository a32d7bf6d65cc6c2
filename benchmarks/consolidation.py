"""How well, and at what cost, listings of one hotel are found: precision and recall on labelled pairs, CPU per search.

    python -m benchmarks.consolidation [--labelled FOLDER] [--quick]

FOLDER holds the labelled sets (default ../shared/data/entity-resolution): `dc-hotels/pairs.csv`, the 2013 and 2016 hotel
registers of Washington, DC (DC Open Data; a pair is one hotel when the city's address id is the same, so a rebrand counts),
and `fodors-zagats` (restaurants; py_entitymatching, BSD-3-Clause). Each is scored with the fields named beside it; the
simulated suppliers' truth is held by a test. Writes benchmarks/out/consolidation.json.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from app.core.consolidate import consolidate
from app.core.crosswalk import Consolidator
from app.core.matching import match
from app.core.models import Listing, Money, SupplierHotel, SupplierOffer
from benchmarks import workload

LABELLED = Path(__file__).resolve().parent.parent.parent / "shared/data/entity-resolution"
OUT = Path(__file__).parent / "out" / "consolidation.json"

Pairs = set[tuple[str, str]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 done (sets that are absent are named and left out)."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.consolidation", description="Precision, recall and CPU.")
    parser.add_argument("--labelled", type=Path, default=LABELLED, help="folder of the labelled sets")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    options = parser.parse_args(arguments)
    result: dict[str, Any] = {"quality": {}, "cpu_ms_per_search": cpu_ms(rounds=20 if options.quick else 200)}
    for name, score in SETS.items():
        try:
            result["quality"][name] = score(options.labelled)
        except FileNotFoundError as error:
            print(f"{name}: left out, {error.filename} is not here", file=sys.stderr)
    for name, figures in result["quality"].items():
        print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in figures.items()))
    print("CPU ms per search of 160 hotels: " + ", ".join(f"{key} {ms}" for key, ms in result["cpu_ms_per_search"].items()))
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(result, indent=1) + "\n")
    print(f"wrote {OUT}")
    return 0


def washington(folder: Path, *, contact: bool = False) -> dict[str, float | int]:
    """The two registers by name and position; with `contact` by address and phone number too."""
    listings: dict[tuple[str, str], Listing] = {}
    gold: Pairs = set()
    for row in _rows(folder / "dc-hotels/pairs.csv"):
        for side in "lr":
            supplier = row[f"{side}_id"][:4]
            latitude, longitude = float(row[f"{side}_lat"]), float(row[f"{side}_lon"])
            known = (row[f"{side}_address"], row[f"{side}_phone"]) if contact else (None, None)
            hotel = Listing(supplier, row[f"{side}_id"], row[f"{side}_name"], latitude, longitude, *known)
            listings[supplier, hotel.hotel_id] = hotel
        if row["label"] == "1":
            gold.add((row["l_id"], row["r_id"]))
    return _score(list(listings.values()), gold, ("2013", "2016"))


def restaurants(folder: Path) -> dict[str, float | int]:
    """Fodor's and Zagat's by name, address and phone number: they have no positions."""
    here = folder / "fodors-zagats"
    listings = [
        Listing(guide, row["id"], row["name"], None, None, row["addr"], row["phone"])
        for guide in ("fodors", "zagats")
        for row in _rows(here / f"{guide}.csv")
    ]
    gold = {(row["fodors_id"], row["zagats_id"]) for row in _rows(here / "matches_fodors_zagats.csv")}
    return _score(listings, gold, ("fodors", "zagats"))


SETS: dict[str, Callable[[Path], dict[str, float | int]]] = {
    "washington (name, position)": washington,
    "washington (name, position, address, phone)": partial(washington, contact=True),
    "fodors-zagats (name, address, phone)": restaurants,
}


def _score(listings: list[Listing], gold: Pairs, suppliers: tuple[str, str]) -> dict[str, float | int]:
    listings.sort(key=lambda listing: (listing.supplier, listing.hotel_id))
    found: Pairs = set()
    for group in match(listings):
        ids = {listings[index].supplier: listings[index].hotel_id for index in group.members}
        if len(ids) == 2:
            found.add((ids[suppliers[0]], ids[suppliers[1]]))
    right = len(found & gold)
    precision, recall = right / len(found), right / len(gold)
    f1 = 2 * precision * recall / (precision + recall)
    return {"pairs": len(gold), "precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)}


def _rows(file: Path) -> Iterator[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def cpu_ms(*, rounds: int) -> dict[str, float]:
    """Median CPU ms of merging one search's 160 hotels (the fan-out benchmark's): with what is known beforehand, and
    without."""
    hotels = [
        SupplierHotel(name, prop.id, prop.name, prop.latitude, prop.longitude, (_OFFER,) * workload.RATES_A_HOTEL)
        for number, name in enumerate(workload.supplier_ids())
        for prop in workload.properties_of(number)
    ]
    listings = [Listing(h.supplier, h.hotel_id, h.name, h.latitude, h.longitude) for h in hotels]
    consolidator = Consolidator(lambda _: listings)
    consolidator.consolidate(workload.PLACE, hotels)
    known, unknown = [], []
    for _ in range(rounds):
        started = time.process_time()
        consolidator.consolidate(workload.PLACE, hotels)
        between = time.process_time()
        consolidate(hotels)
        known.append(between - started)
        unknown.append(time.process_time() - between)
    return {
        "listed beforehand": round(statistics.median(known) * 1000, 3),
        "matched anew": round(statistics.median(unknown) * 1000, 3),
    }


_OFFER = SupplierOffer("1", "Double", "room only", Money(Decimal(100), "USD"))


if __name__ == "__main__":
    sys.exit(main())
