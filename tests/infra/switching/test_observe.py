"""What a look asks of the lanes: a step's requests from its beginning, and its split from when the weights are everywhere."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from infra.switching.moves import Seen
from infra.switching.observe import SPLIT_S, SPREAD_S, World, look
from infra.switching.plan import make_plan
from infra.switching.record import Phase, Record
from infra.switching.verdict import Figures
from infra.switching.weights import all_on, parse_weights
from tests.infra.switching.world import FakeClock, FakeLanes, FakeStore, FakeTraffic, Mishaps

BEGAN = 1_000_000.0


@dataclass
class Slow(FakeLanes):
    """Lanes of a load balancer that goes on with the old weights for `lag_s`, and then has the new ones alone."""

    lag_s: float = 20.0
    asked: list[float] = field(default_factory=list)

    def __init__(self, clock: FakeClock, traffic: FakeTraffic) -> None:
        super().__init__(Mishaps(), clock, traffic)
        self.asked = []

    def figures(self, lane: str, since: float) -> Figures:
        self.asked.append(since)
        late = max(0.0, BEGAN + self.lag_s - since)
        requests = late if lane == "lambda" else self._clock.now() - since - late
        return Figures(requests=round(100 * requests), errors=0, p99_ms=400.0, throttled=0, loop_lag_ms=1.0, healthy=2)


def seen_after(seconds: float, phase: Phase = Phase.VERIFY) -> tuple[Seen, Slow]:
    clock = FakeClock(BEGAN + seconds)
    traffic = FakeTraffic(Mishaps(), parse_weights("0:100"))
    lanes = Slow(clock, traffic)
    plan = make_plan(stage="prod", start=all_on("lambda"), goal=all_on("container"), percents=(100,))
    assert plan is not None
    record = Record(id="a", plan=plan, phase=phase, owner="me", why="", started=BEGAN, since=BEGAN)
    return look(World(clock=clock, store=FakeStore(Mishaps()), traffic=traffic, lanes=lanes), record), lanes


def test_the_split_is_judged_by_requests_after_the_weights_were_everywhere() -> None:
    seen, _ = seen_after(600)
    assert seen.of("lambda").requests == 2_000
    assert seen.lately("lambda").requests == 0
    assert seen.lately("container").requests == 100 * SPLIT_S


@pytest.mark.parametrize("seconds", [0, SPREAD_S - 1])
def test_before_that_a_sick_lane_is_seen_and_the_split_is_not_known(seconds: float) -> None:
    seen, lanes = seen_after(seconds)
    assert seen.of("container").errors == 0
    assert seen.lately("container") == Figures()
    assert set(lanes.asked) == {BEGAN}


def test_no_other_phase_asks_twice() -> None:
    _, lanes = seen_after(600, Phase.COOL)
    assert len(lanes.asked) == 2
