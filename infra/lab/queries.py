"""Searches to ask of a lane: seeded, so that two lanes (or two runs) can be asked exactly the same."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from urllib.parse import urlencode

CURRENCIES = ("USD", "EUR", "GBP")


def search_paths(places: Sequence[str], *, seed: int, today: date) -> Iterator[str]:
    """Endless `/search?…` paths over the given place codes; the same seed and day give the same sequence.

    Stays begin 7 to 90 days ahead and last 1 to 7 nights; most are for two adults, some with a child, as callers' are.
    """
    if not places:
        raise ValueError("places: name at least one place code")
    rng = random.Random(seed)
    while True:
        check_in = today + timedelta(days=rng.randint(7, 90))
        fields = {
            "place": rng.choice(places),
            "check_in": check_in.isoformat(),
            "check_out": (check_in + timedelta(days=rng.randint(1, 7))).isoformat(),
            "adults": rng.choices((1, 2, 3), weights=(3, 6, 1))[0],
            "currency": rng.choices(CURRENCIES, weights=(6, 3, 1))[0],
        }
        if rng.random() < 0.15:
            fields["children"] = str(rng.randint(2, 12))
        yield f"/search?{urlencode(fields)}"
