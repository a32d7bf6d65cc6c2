"""What is said of the requests of a drill: which failed, which were hurt, how late the slowest were."""

from __future__ import annotations

from infra.lab.drills.bad_lane import HURT_MS, hurt_of
from infra.lab.drills.figures import Figures
from infra.lab.drills.operators import Ended, Told
from infra.lab.drills.requests import Requests
from infra.lab.drills.switches import slowest


def requests(*rows: tuple[float, float, int, str]) -> Requests:
    """Each `(due, ms, status, lane)`."""
    made = Requests()
    for row in rows:
        made.add(*row)
    return made


def test_failures_are_told_by_their_reason() -> None:
    made = requests((0, 5, 200, "lambda"), (1, 5, 502, ""), (2, 5, 502, ""), (3, 5, 0, "ServerDisconnectedError: gone"))
    assert (made.count, made.failed, made.of_lane("lambda")) == (4, 3, 1)
    assert made.reasons == {"HTTP 502": 2, "ServerDisconnectedError: gone": 1}


def test_a_time_is_what_was_due_in_it() -> None:
    made = requests((0, 5, 200, ""), (1, 6, 200, ""), (2, 7, 200, ""))
    assert made.between(1, 2).ms == [6]


def test_the_quantile_is_of_what_was_answered() -> None:
    made = requests(*((0.0, float(ms), 200, "") for ms in range(1, 101)), (0, 9_000, 504, ""))
    assert made.quantile_ms(0.99) == 100
    assert requests((0, 9, 504, "")).quantile_ms(0.99) is None


def test_hurt_are_the_failed_and_the_late_and_chance_is_allowed_for() -> None:
    well = [(0.0, 5.0, 200, "")] * 800
    late, failed = (0.0, HURT_MS + 1, 200, ""), (0.0, 5.0, 502, "")
    assert hurt_of(requests(*well, *[late] * 100, *[failed] * 100)) == (200, 0)
    count, beyond = hurt_of(requests(*well[:500], *[failed] * 500))
    assert count == 500 and 200 < beyond < 300


def test_traffic_moves_with_the_first_answer_of_another_lane_or_the_first_failure() -> None:
    home = [(float(due), 5.0, 200, "lambda") for due in range(9)]
    assert requests(*home, (9, 5, 200, "")).moved_at() is None
    assert requests((9, 1, 200, "container"), *home).moved_at() == 9
    assert requests(*home, (7, 5, 502, ""), (9, 5, 200, "container")).moved_at() == 7


def test_the_ratio_is_of_what_came_after_the_move_to_what_came_before() -> None:
    made = requests(*((0.0, 10.0, 200, "lambda"),) * 5, *((1.0, 12.0, 200, "container"),) * 5)
    assert (made.p99_ratio(1.0), made.p99_ratio(None), made.p99_ratio(0.0), made.p99_ratio(2.0)) == (1.2, None, None, None)


def test_what_instances_that_boot_make_slow_is_neither_steady_nor_of_the_move() -> None:
    steady, booting = [(0.0, 10.0, 200, "lambda")] * 5, [(5.0, 3_000.0, 200, "lambda")] * 5
    made = requests(*steady, *booting, *((8.0, 12.0, 200, "container"),) * 5)
    events = (Told(4.0, {"phase": "prewarm"}), Told(7.0, {"phase": "shift"}))
    figures = Figures.of("one", made, Ended(0, "done", "", events, 3.0, 9.0), began=0.0)
    assert figures.p99_ratio == 1.2


def switch(goal: str, at: float) -> tuple[str, Ended]:
    """Ten seconds of moving, and ten of the falling lane's quiet."""
    events = tuple(Told(when, {"phase": phase}) for phase, when in (("shift", at), ("verify", at), ("cool", at + 10)))
    return goal, Ended(0, "done", "", events, at - 1, at + 20)


def test_what_is_moving_is_held_against_the_slower_lane_alone() -> None:
    made = Requests()
    for second in range(40):
        moving, lane_ms = second % 20 < 10, 40.0 if second < 20 else 20.0
        for _ in range(10):
            made.add(second, 44.0 if moving else lane_ms, 200, "")
    ratio, more = slowest(made, [switch("lambda", 0.0), switch("container", 20.0)])
    assert ratio == 1.1
    assert more == {"p99_ms": 44.0, "lambda_p99_ms": 40.0, "container_p99_ms": 20.0}


def test_the_spread_is_what_one_lanes_own_steady_times_differ_by() -> None:
    made = Requests()
    for second in range(60):
        for _ in range(10):
            made.add(second, 60.0 if second >= 50 else 40.0, 200, "")
    _, more = slowest(made, [switch("lambda", 0.0), switch("container", 20.0), switch("lambda", 40.0)])
    assert (more["steady_spread"], more["usual_ratio"]) == (1.5, 0.8)


def test_without_both_lanes_steady_there_is_no_ratio() -> None:
    assert slowest(requests((0, 5, 200, "")), [switch("lambda", 0.0)]) == (None, {})
