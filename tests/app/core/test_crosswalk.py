"""What is decided beforehand about known hotels: the same entries as matching them anew, whoever happens to answer."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.consolidate import as_listing, consolidate
from app.core.crosswalk import Consolidator
from app.core.models import Listing, SupplierHotel
from tests.fakes import hotel, offer

HERE = (51.5, -0.12)


def away(metres: float) -> tuple[float, float]:
    return HERE[0] + metres / 111_320, HERE[1]


def knowing(*hotels: SupplierHotel) -> Consolidator:
    return Consolidator(lambda _: map(as_listing, hotels))


hotels = st.lists(
    st.builds(
        lambda supplier, number, name, metres, known: hotel(supplier, str(number), name, away(metres) if known else None),
        st.sampled_from("abcde"),
        st.integers(0, 4),
        st.sampled_from(["Alba Palace", "Hotel Alba Palace", "Alba Roma", "Ibis City 1", "Ibis City 2", "Grand Plaza"]),
        st.integers(0, 1_500),
        st.booleans(),
    ),
    max_size=25,
    unique_by=lambda h: (h.supplier, h.hotel_id),
)


@settings(max_examples=150, deadline=None)
@given(hotels, st.randoms(use_true_random=False))
def test_when_every_known_hotel_answers_the_entries_are_those_of_matching_them(
    given_: list[SupplierHotel], rng: random.Random
) -> None:
    shuffled = list(given_)
    rng.shuffle(shuffled)
    merged = knowing(*given_).consolidate("LON", shuffled)
    assert [(e.id, e.name, e.supplier_ids) for e in merged] == [(e.id, e.name, e.supplier_ids) for e in consolidate(given_)]


@settings(max_examples=150, deadline=None)
@given(hotels, st.sets(st.sampled_from("abcde")))
def test_an_entry_stays_the_same_whoever_answers(given_: list[SupplierHotel], silent: set[str]) -> None:
    everyone = {h: entry for entry in knowing(*given_).consolidate("LON", given_) for h in entry.supplier_ids.items()}
    heard = [h for h in given_ if h.supplier not in silent]
    for entry in knowing(*given_).consolidate("LON", heard):
        for member in entry.supplier_ids.items():
            assert (everyone[member].id, everyone[member].name) == (entry.id, entry.name)


@settings(max_examples=150, deadline=None)
@given(hotels, hotels)
def test_no_offer_is_lost_and_no_supplier_stands_twice(known: list[SupplierHotel], answered: list[SupplierHotel]) -> None:
    merged = knowing(*known).consolidate("LON", answered)
    assert sorted(m for entry in merged for m in entry.supplier_ids.items()) == sorted(
        (h.supplier, h.hotel_id) for h in answered
    )
    assert sum(len(entry.offers) for entry in merged) == sum(len(h.offers) for h in answered)
    assert len({entry.id for entry in merged}) == len(merged)


def test_a_hotel_that_is_not_listed_joins_the_one_it_is() -> None:
    known = hotel("a", "1", "Alba Palace", HERE)
    consolidator = knowing(known, hotel("a", "2", "Roma Garden", away(200)))
    (entry,) = consolidator.consolidate("LON", [known, hotel("b", "9", "Hotel Alba Palace", away(50))])
    assert entry.supplier_ids == {"a": "1", "b": "9"} and consolidator.strangers == 1


def test_a_listed_id_that_is_another_hotel_now_does_not_join_the_old_one() -> None:
    listed = [hotel("a", "1", "Alba Palace", HERE), hotel("b", "9", "Alba Palace", HERE)]
    moved = hotel("b", "9", "Roma Garden", away(5_000))
    assert [e.supplier_ids for e in knowing(*listed).consolidate("LON", [listed[0], moved])] == [{"a": "1"}, {"b": "9"}]


def test_a_corrected_spelling_is_still_the_hotel_listed() -> None:
    listed = [hotel("a", "1", "Alba Palace", HERE), hotel("b", "9", "Alba Palace", HERE)]
    corrected = hotel("b", "9", "The Alba Palace Hotel", away(20))
    (entry,) = knowing(*listed).consolidate("LON", [listed[0], corrected])
    assert entry.supplier_ids == {"a": "1", "b": "9"}


def test_an_id_answered_twice_keeps_all_its_offers() -> None:
    listed = hotel("a", "1", "Alba Palace", HERE, offers=(offer("one"),))
    (entry,) = knowing(listed).consolidate("LON", [listed, hotel("a", "1", "Alba Palace", HERE, offers=(offer("two"),))])
    assert [o.offer_id for _, o in entry.offers] == ["one", "two"]


def test_places_are_learnt_once_and_each_alone() -> None:
    asked: list[str] = []
    listed = hotel("a", "1", "Alba Palace", HERE)

    def listings_at(place: str) -> list[Listing]:
        asked.append(place)
        return [as_listing(listed)]

    consolidator = Consolidator(listings_at)
    for place in ("LON", "PAR", "LON"):
        consolidator.consolidate(place, [listed])
    assert asked == ["LON", "PAR"]
