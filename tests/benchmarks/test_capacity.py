"""Finding what a service holds: up while held, down while not, and one noisy second ends nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks.capacity import LEAST_RPS, MOST_RPS, delayed_share, errors_share, highest_held, in_time
from benchmarks.load import NOT_SENT, Window


def holding(most: float, noisy: int | None = None) -> tuple[list[float], Callable[[float], bool]]:
    asked: list[float] = []

    def ask(rps: float) -> bool:
        asked.append(rps)
        return rps <= most and len(asked) != noisy

    return asked, ask


@pytest.mark.parametrize("first", [10.0, 200.0])
def test_the_last_rate_held_is_found_from_below_and_from_above(first: float) -> None:
    _, ask = holding(100.0)
    found = highest_held(ask, first, step=1.2)
    assert found is not None and 100 / 1.2 < found <= 100


@pytest.mark.parametrize("noisy", [1, 2, 3])
def test_a_rate_is_too_much_only_when_twice_not_held(noisy: int) -> None:
    _, ask = holding(100.0, noisy)
    found = highest_held(ask, 50.0)
    assert found is not None and found > 100 / 1.2


def test_nobody_is_asked_more_than_the_generator_can_or_less_than_is_worth_it() -> None:
    asked, ask = holding(1e9)
    assert highest_held(ask, 1e6) == MOST_RPS and max(asked) == MOST_RPS
    asked, ask = holding(0.0)
    assert highest_held(ask, 50.0) is None and min(asked) >= LEAST_RPS


def test_a_late_answer_is_an_error_and_what_was_not_sent_too() -> None:
    window = Window(seconds=2.0, due=8, latencies_ms=[100.0] * 5 + [2_600.0])
    window.failures[NOT_SENT] = 2
    assert in_time(window) == 5
    assert errors_share(window) == 0.5
    assert errors_share(Window()) is None


def test_delayed_is_what_takes_longer_than_the_median_by_more_than_noise() -> None:
    assert delayed_share(Window(latencies_ms=[10.0] * 97 + [40.0] * 3)) == 0.03
    assert delayed_share(Window()) is None
