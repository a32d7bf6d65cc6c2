"""What a switch waits for, in each of its phases."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from infra.console.waiting import Waiting, waiting
from infra.switching.plan import Need, make_plan
from infra.switching.record import Phase, Record, Wish
from infra.switching.verdict import Figures
from infra.switching.weights import Weights, all_on

NOW = 1_000.0
PLAN = make_plan(
    stage="prod", start=Weights(100, 0), goal=all_on("container"), need=Need(units=6, why="because"), standby=0, floor=2
)
assert PLAN is not None
RECORD = Record(
    id="1", plan=PLAN, phase=Phase.PREWARM, owner="anna", why="", started=900, since=980, step=1, rollback_to="100:0"
)
WELL = Figures(requests=1_000, errors=0, p99_ms=400, throttled=0, loop_lag_ms=5, healthy=6)


@pytest.mark.parametrize(
    ("phase", "ready", "figures", "what", "by"),
    [
        (Phase.PREWARM, None, {}, "6 instances of the container lane (how many are ready is not known)", 980 + 900),
        (Phase.SHIFT, None, {}, "parameter and rule to hold lambda 95%, container 5%, read back", 980 + 120),
        (
            Phase.VERIFY,
            None,
            {},
            "200 requests on the container lane (its minutes are not known yet); 40 s more at this step",
            1_580,
        ),
        (
            Phase.VERIFY,
            None,
            {"container": replace(WELL, requests=20)},
            "200 requests on the container lane (20 seen); 40 s more at this step",
            1_580,
        ),
        (
            Phase.VERIFY,
            None,
            {"container": replace(WELL, loop_lag_ms=None)},
            "(1,000 seen); 40 s more at this step; container: loop lag not known",
            1_580,
        ),
        (Phase.COOL, None, {}, "the lambda lane to have had no request for 120 s", 980 + 3_600),
        (Phase.SCALE_DOWN, None, {}, "the lambda lane to be down to 0", 980 + 120),
        (Phase.RELEASE, None, {}, "the container lane to follow its load again, from 2 up", 980 + 120),
        (Phase.ROLL_BACK, None, {}, "parameter and rule to hold lambda 100% again", None),
    ],
)
def test_each_phase_says_what_and_until_when(
    phase: Phase, ready: int | None, figures: dict[str, Figures], what: str, by: float | None
) -> None:
    told = waiting(replace(RECORD, phase=phase), NOW, figures, ready)
    assert told.what.endswith(what)
    assert (told.by, told.held) == (by, False)


def test_a_sick_lane_is_named_before_the_driver_acts() -> None:
    told = waiting(replace(RECORD, phase=Phase.VERIFY), NOW, {"container": replace(WELL, errors=100)}, 6)
    assert told.health == "sick"
    assert told.what.endswith("sick: container: 10.00% errors, allowed are 1.00%")


def test_a_pause_holds_where_the_driver_obeys_it() -> None:
    paused = replace(RECORD, wish=Wish.PAUSE)
    held = {phase for phase in Phase if waiting(replace(paused, phase=phase), NOW, {}, 2).held}
    assert held == {Phase.PREWARM, Phase.GATE, Phase.VERIFY, Phase.COOL}


def test_an_abort_waits_for_nothing_but_its_driver() -> None:
    aborted = replace(RECORD, wish=Wish.ABORT)
    assert waiting(replace(aborted, phase=Phase.VERIFY), NOW, {}, 2) == Waiting("the abort to be taken up")
    assert waiting(replace(aborted, phase=Phase.ROLL_BACK), NOW, {}, 2).what == "parameter and rule to hold lambda 100% again"


def test_a_pause_stops_the_time_of_what_it_holds_and_not_of_instances_that_do_not_come() -> None:
    paused = replace(RECORD, wish=Wish.PAUSE)
    limited = {phase: waiting(replace(paused, phase=phase), NOW, {}, 2).by is not None for phase in Phase}
    assert [phase for phase in (Phase.GATE, Phase.VERIFY) if limited[phase]] == []
    assert limited[Phase.PREWARM]  # two of six
    assert waiting(replace(paused, phase=Phase.PREWARM), NOW, {}, 6).by is None
