"""The clock of the operator's laptop is wrong: minutes do no harm, and with more AWS takes none of its requests.

A switch that took its own laptop's time would ask CloudWatch for minutes that are hours away in the lab, and hold a lease that
nobody else's clock knows; it goes by AWS's time instead. AWS itself refuses what was signed more than five minutes away from
its own time (infra/lab/aws/signing_time.py), so a laptop that is an hour off is told so before it has changed anything.
"""

from __future__ import annotations

import time

from msgspec.structs import replace

from infra.lab.drills.calling import Calling
from infra.lab.drills.drill import Criteria, Drill, Figures
from infra.lab.drills.ground import ground_of
from infra.lab.drills.operators import Operator
from infra.lab.drills.switches import BRISKLY, UNITS
from infra.lab.live.lab import Lab
from infra.switching.weights import all_on, other

RPS = 60.0
NEAR_S, FAR_S = 240.0, 3_600.0
HOW = ("--steps", "100", *BRISKLY)


def run(lab: Lab, rounds: int) -> Figures:
    """A laptop that is an hour ahead, and is refused; then one that is minutes ahead, every second round behind."""
    ground = ground_of(lab)
    ground.put(all_on("container"))
    began, unmoved = time.time(), True
    with Calling(lab.url, rps=RPS) as calling:
        for number in range(rounds):
            way = -1 if number % 2 else 1
            goal = "container" if number % 2 else "lambda"
            with Operator(lab, "switch", goal, *HOW, *UNITS[goal], skew_s=way * FAR_S) as operator:
                refused = operator.end()
            unmoved &= ground.traffic.rule() == all_on(other(goal)) and refused.code != 0
            with Operator(lab, "switch", goal, *HOW, *UNITS[goal], skew_s=way * NEAR_S) as operator:
                ended = operator.end()
            if ended.code != 0:
                break
        requests = calling.stop()
    figures = Figures.of("clock-skew", requests, ended, began, hour_off_moved=int(not unmoved), hour_off_exit=refused.code)
    return replace(figures, said=ended.said or refused.said)


CLOCK_SKEW = Drill(
    name="clock-skew",
    about="the operator's laptop is an hour off, and then four minutes",
    runbook="drill-clock-skew.md",
    run=run,
    criteria=Criteria(most_failed=0, outcome="done", says="set the clock", most={"hour_off_moved": 0.0}),
)
