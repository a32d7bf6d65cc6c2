"""Query strings: every wrong field is named, with what would be right."""

from __future__ import annotations

from datetime import date

import pytest

from app.core.models import Occupancy, SearchQuery
from app.web.query import InvalidRequest, QueryParser

TODAY = date(2027, 1, 10)
RIGHT = {"place": "LON", "check_in": "2027-02-01", "check_out": "2027-02-03"}
PARSER = QueryParser({"LON": "London", "NYC": "New York"}, frozenset({"USD", "EUR"}))


def test_defaults_and_lower_case_codes() -> None:
    parsed = PARSER.parse(list({**RIGHT, "place": "lon"}.items()), today=TODAY)
    assert parsed.query == SearchQuery("LON", date(2027, 2, 1), date(2027, 2, 3), Occupancy(2, ()), "USD")
    assert parsed.limit == 50


def test_every_field_is_read() -> None:
    given = {**RIGHT, "adults": "3", "children": "4, 17", "currency": "eur", "limit": "7"}
    parsed = PARSER.parse(list(given.items()), today=TODAY)
    assert (parsed.query.occupancy, parsed.query.currency, parsed.limit) == (Occupancy(3, (4, 17)), "EUR", 7)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("place", "LOX", "unknown place 'LOX'; did you mean LON (London)?"),
        ("place", "new york", "unknown place 'new york'; did you mean NYC (New York)?"),
        ("place", "Atlantis", "unknown place 'Atlantis'; known: LON (London), NYC (New York)"),
        ("place", "", "unknown place ''; known: LON (London), NYC (New York)"),
        ("place", "x" * 9_000, f"unknown place '{'x' * 59}…'; known:"),
        ("check_in", "2027-13-01", "must be a date as YYYY-MM-DD, got '2027-13-01'"),
        ("check_in", "20270201", "must be a date as YYYY-MM-DD"),
        ("check_in", "2027-01-09", "must not be in the past, got 2027-01-09 (today is 2027-01-10, UTC)"),
        ("check_in", "2029-01-01", "must be within 500 days"),
        ("check_out", "2027-02-01", "must be 1 to 30 nights after check_in"),
        ("check_out", "2027-03-30", "must be 1 to 30 nights after check_in"),
        ("adults", "0", "must be 1 to 9, got 0"),
        ("adults", "two", "must be 1 to 9, got 'two'"),
        ("adults", "²", "must be 1 to 9"),
        ("children", "4,18", "must be up to 6 ages from 0 to 17"),
        ("children", "4,,5", "must be up to 6 ages from 0 to 17"),
        ("currency", "XXX", "unknown currency 'XXX'; known: EUR, USD"),
        ("currency", "USS", "unknown currency 'USS'; did you mean USD?"),
        ("children", "-1", "must be up to 6 ages from 0 to 17, such as 4,7; got '-1'"),
        ("limit", "9" * 5_000, "must be 1 to 200, got 999"),
        ("limit", "201", "must be 1 to 200, got 201"),
        ("adultz", "2", "is not a parameter; did you mean adults?"),
        ("q", "2", "is not a parameter; known: place, check_in"),
    ],
)
def test_a_wrong_field_is_named_with_what_would_be_right(field: str, value: str, reason: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        PARSER.parse(list({**RIGHT, field: value}.items()), today=TODAY)
    reasons = {wrong.field: wrong.reason for wrong in caught.value.fields}
    assert reason in reasons[field]


def test_missing_and_repeated_fields_are_all_named_at_once() -> None:
    with pytest.raises(InvalidRequest) as caught:
        PARSER.parse([("adults", "2"), ("adults", "3")], today=TODAY)
    assert {wrong.field for wrong in caught.value.fields} == {"adults", "place", "check_in", "check_out"}
    assert "given more than once" in str(caught.value)
