"""Fields that say how many calls are left: read in every spelling, and only obeyed when none are."""

from __future__ import annotations

import pytest

from app.suppliers.rate_limits import wait_s

NOW = 1_800_000_000.0


@pytest.mark.parametrize(("fields", "wait"), [
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "30"}, 30),
    ({"x-ratelimit-remaining": "0", "X-RATELIMIT-RESET": "1800000012"}, 12),
    ({"RateLimit-Remaining": "0", "RateLimit-Reset": "7"}, 7),
    ({"Rate-Limit-Minute-Remaining": "0", "Rate-Limit-Minute-Reset": "1800000045000"}, 45),
    ({"Rate-Limit-Minute-Remaining": "0.00", "Rate-Limit-Minute-Reset": "1800000001000",
      "Rate-Limit-Day-Remaining": "0", "Rate-Limit-Day-Reset": "1800000060000"}, 60),
    ({"RateLimit": '"default";r=0;t=9'}, 9),
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700000000"}, 0),
])  # fmt: skip
def test_when_none_are_left_it_says_how_long_to_wait(fields: dict[str, str], wait: float) -> None:
    assert wait_s([(name.encode(), value.encode()) for name, value in fields.items()], NOW) == wait


@pytest.mark.parametrize("fields", [
    {}, {"Content-Type": "application/json"},
    {"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "30"},
    {"Rate-Limit-Minute-Remaining": "3.5", "Rate-Limit-Minute-Reset": "1800000045000"},
    {"X-RateLimit-Remaining": "0"},
    {"X-RateLimit-Remaining": "none", "X-RateLimit-Reset": "30"},
    {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"},
    {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "nan"},
    {"X-RateLimit-Remaining": "-1", "X-RateLimit-Reset": "-5"},
    {"RateLimit": '"default";r=5;t=9'}, {"RateLimit": "nonsense"},
])  # fmt: skip
def test_otherwise_nothing_is_held_back(fields: dict[str, str]) -> None:
    assert wait_s([(name.encode(), value.encode()) for name, value in fields.items()], NOW) is None
