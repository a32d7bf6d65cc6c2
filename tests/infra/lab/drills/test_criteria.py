"""A drill is judged by what it says must come of it, and by nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from infra.lab.drills.criteria import Criteria
from infra.lab.drills.figures import Figures


def figures(**more: Any) -> Figures:
    return Figures(drill="one", **({"requests": 1_000, "failed": 0, "seconds": 10.0} | more))


@pytest.mark.parametrize(
    ("criteria", "told", "missed"),
    [
        (Criteria(), {}, ()),
        (Criteria(), {"requests": 0}, ("no request was made",)),
        (Criteria(), {"failed": 1}, ("1 requests failed, 0 may",)),
        (Criteria(most_failed=None), {"failed": 900}, ()),
        (Criteria(long_rounds=1, long_p99_ratio=1.2), {"p99_ratio": 1.21}, ("p99 is 1.21 of steady, 1.2 is the most",)),
        (Criteria(long_rounds=1, long_p99_ratio=1.2), {}, ("p99 is not known of steady, 1.2 is the most",)),
        (Criteria(outcome="done"), {"outcome": "rolled-back", "said": "why"}, ("the switch ended rolled-back, not done: why",)),
        (Criteria(outcome="done"), {"said": "why"}, ("the switch ended in no way, not done: why",)),
        (Criteria(says="SICK"), {"said": "sick"}, ("its operator was not told 'SICK' but 'sick'",)),
        (Criteria(most={"late_s": 2.0}), {"more": {"late_s": 2.5}}, ("late_s 2.5, 2 is the most",)),
        (Criteria(least={"switches": 20}), {"more": {"switches": 19}}, ("switches 19, 20 is the least",)),
        (Criteria(least={"switches": 20}), {}, ("switches is not known",)),
    ],
)
def test_each_criterion_tells_what_was_and_what_may_be(criteria: Criteria, told: dict[str, Any], missed: tuple[str]) -> None:
    assert criteria.missed(figures(**told)) == missed


def test_a_long_run_is_held_to_more() -> None:
    criteria = Criteria(long_p99_ratio=1.2, long_requests=50_000)
    short = figures(p99_ratio=2.0)
    assert criteria.missed(short, rounds=9) == ()
    assert criteria.missed(short, rounds=10) == (
        "p99 is 2.00 of steady, 1.2 is the most",
        "1,000 requests, 50,000 are the least",
    )


def test_the_line_has_what_a_person_asks_first() -> None:
    told = figures(p99_ratio=1.04, failed=2, reasons={"HTTP 502": 2}, outcome="done", more={"switches": 20}, seconds=61.4)
    assert told.line == ("one: 1,000 requests, 2 failed (HTTP 502: 2), p99 1.04 of steady, done, switches 20, 61 s")
