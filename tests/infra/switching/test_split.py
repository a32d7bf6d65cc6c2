"""Whether traffic follows the weights is asked of the last minutes: what went astray before they were taken up is over."""

from __future__ import annotations

from infra.switching.moves import Seen
from infra.switching.plan import make_plan
from infra.switching.record import Phase, Record
from infra.switching.transition import advance
from infra.switching.verdict import Figures
from infra.switching.weights import Weights, all_on

GOAL = all_on("lambda")


def last_step(since: float) -> Record:
    plan = make_plan(stage="prod", start=Weights(50, 50), goal=GOAL, percents=(100,))
    assert plan is not None
    return Record(id="one", plan=plan, phase=Phase.VERIFY, owner="ann", why="", started=since, since=since)


def lane(name: str, requests: int) -> Figures:
    own = {"throttled": 0} if name == "lambda" else {"loop_lag_ms": 5.0, "healthy": 2}
    return Figures(requests=requests, errors=0, p99_ms=20.0, **own)


def seen(whole: tuple[int, int], recent: tuple[int, int]) -> Seen:
    """Each `(lambda, container)` requests, five minutes into the step."""
    return Seen(
        now=1_300.0,
        parameter=GOAL,
        rule=GOAL,
        figures={"lambda": lane("lambda", whole[0]), "container": lane("container", whole[1])},
        recent={"lambda": lane("lambda", recent[0]), "container": lane("container", recent[1])},
    )


def test_what_a_lane_got_before_the_weights_were_taken_up_does_not_hold_a_switch() -> None:
    """Half of the first minute's requests, of which all later ones make less and less, and never little enough in time."""
    assert advance(last_step(1_000.0), seen((700, 100), (400, 0))).record.phase is Phase.COOL


def test_a_lane_that_is_still_given_requests_holds_it_whatever_was_before() -> None:
    assert advance(last_step(1_000.0), seen((100_000, 40), (360, 40))).record.phase is Phase.VERIFY
