"""Consolidation: the same hotel becomes one entry; a wrong merge is worse than a missed one."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.consolidate import consolidate, distance_m, normalise
from app.core.models import SupplierHotel
from tests.fakes import hotel, offer

HERE = (51.5, -0.12)


def away(metres: float) -> tuple[float, float]:
    return HERE[0] + metres / 111_320, HERE[1]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Hôtel Le Saint-Régis", "St Regis Hotel"),
        ("Grand Plaza London", "London Grand Plaza Hotel"),
        ("Hilton London Metropole", "HILTON LONDON METROPOLE"),
        ("The Royal Horseguards", "Royal Horseguards Hotel & Suites"),
        ("Park Centre Inn", "Park Center"),
    ],
)
def test_the_same_hotel_under_two_names_is_one_entry(one: str, two: str) -> None:
    merged = consolidate([hotel("a", "1", one, HERE), hotel("b", "2", two, away(120))])
    assert [entry.supplier_ids for entry in merged] == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize(
    ("one", "two", "metres"),
    [
        ("Hilton London Metropole", "Hilton London Paddington", 200),  # one chain, two hotels in one street
        ("Premier Inn 1", "Premier Inn 2", 50),
        ("Hotel Alba", "Hotel Roma", 5),
        ("Grand Plaza", "Grand Plaza", 900),  # same name, too far away
        ("Ibis", "Ibis Styles Kensington Garden", 100),
    ],
)
def test_different_hotels_stay_apart(one: str, two: str, metres: float) -> None:
    assert len(consolidate([hotel("a", "1", one, HERE), hotel("b", "2", two, away(metres))])) == 2


def test_two_ids_of_one_supplier_never_merge_even_through_a_third() -> None:
    merged = consolidate([hotel("a", "1", "Alba Palace"), hotel("a", "2", "Alba Palace"), hotel("b", "9", "Alba Palace")])
    assert sorted(sorted(entry.supplier_ids.items()) for entry in merged) == [[("a", "1"), ("b", "9")], [("a", "2")]]


def test_a_hotel_listed_twice_by_one_supplier_keeps_all_its_offers_once() -> None:
    first = hotel("a", "1", offers=(offer("x"), offer("y")))
    again = hotel("a", "1", offers=(offer("y"), offer("z")))
    (entry,) = consolidate([first, again])
    assert [stated.offer_id for _, stated in entry.offers] == ["x", "y", "z"]


def test_without_a_position_only_the_very_same_name_merges() -> None:
    assert len(consolidate([hotel("a", "1", "Alba Palace", None), hotel("b", "2", "Hotel Alba Palace")])) == 1
    assert len(consolidate([hotel("a", "1", "Alba Palace", None), hotel("b", "2", "Alba Palace Garden")])) == 2
    assert len(consolidate([hotel("a", "1", "Alba Palace"), hotel("b", "2", "The Alba Palace", None)])) == 1


def test_blocking_finds_neighbours_across_cell_borders_also_far_north() -> None:
    rng = random.Random(5)
    for latitude in (0.0, 51.5, -33.9, 69.6):
        for _ in range(50):
            at = (latitude + rng.uniform(-0.05, 0.05), rng.uniform(-0.05, 0.05))
            near = (at[0] + 0.0015, at[1])
            assert len(consolidate([hotel("a", "1", "Alba Palace", at), hotel("b", "2", "Alba Palace", near)])) == 1


def test_names_lose_accents_case_and_generic_words_but_a_generic_name_keeps_them() -> None:
    assert normalise("Hôtel Le St-Régis 2").words == {"saint", "regis", "2"}
    assert normalise("The Hotel").words == {"the", "hotel"}


def test_distance_is_in_metres() -> None:
    assert distance_m(hotel(at=HERE), hotel(at=away(300))) == pytest.approx(300, rel=0.01)
    assert distance_m(hotel(at=None), hotel()) is None


names = st.sampled_from(
    ["Alba Palace", "Hotel Alba Palace", "Alba Roma", "Ibis City 1", "Ibis City 2", "Grand Plaza", "Plaza Grand"]
)
hotels = st.builds(
    lambda supplier, number, name, metres, known: hotel(supplier, str(number), name, away(metres) if known else None),
    st.sampled_from("abcde"),
    st.integers(0, 4),
    names,
    st.integers(0, 1500),
    st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(hotels, max_size=25, unique_by=lambda h: (h.supplier, h.hotel_id)), st.randoms(use_true_random=False))
def test_the_order_of_suppliers_changes_nothing_and_no_offer_is_lost(given_: list[SupplierHotel], rng: random.Random) -> None:
    shuffled = given_[:]
    rng.shuffle(shuffled)
    one, two = consolidate(given_), consolidate(shuffled)
    assert one == two
    assert sum(len(entry.offers) for entry in one) == sum(len(h.offers) for h in given_)
    assert sum(len(entry.supplier_ids) for entry in one) == len(given_), "an id was lost or merged with its own supplier's"
