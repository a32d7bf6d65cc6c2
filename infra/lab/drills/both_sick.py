"""Both lanes are sick at once: the switch ends on the less sick one, and says so in capitals.

The suppliers fail, so every search fails on either lane, and on Lambda half of all invocations fail beside. The less sick one
is the container lane, whether traffic was just coming to it or just leaving it: a first round goes to it, a second one away.
"""

from __future__ import annotations

import time

from infra.lab.drills.calling import Calling
from infra.lab.drills.drill import Criteria, Drill, Figures
from infra.lab.drills.ground import ground_of
from infra.lab.drills.operators import Ended, Operator
from infra.lab.drills.switches import BRISKLY, UNITS
from infra.lab.live.lab import Lab
from infra.switching.aws import probe
from infra.switching.weights import all_on, other

RPS = 80.0
SEARCH = "/search?place=LON&check_in=2027-03-01&check_out=2027-03-03&adults=2"
PATHS = (*("/version",) * 9, SEARCH)
PERCENT = 25
SHOUTED = "BOTH LANES ARE SICK"
IN_A_ROW, ANSWERS_S = 10, 90.0


def run(lab: Lab, rounds: int) -> Figures:
    """At most two rounds: a third would tell nothing new."""
    ground = ground_of(lab)
    began, stayed = time.time(), 0
    with Calling(lab.url, rps=RPS, connections=96, paths=PATHS) as calling:
        for goal in ("container", "lambda")[: min(rounds, 2)]:
            ground.put(all_on(other(goal)))
            _await_answers(lab, goal)
            ended = _one(lab, goal)
            stayed += ground.traffic.rule() == all_on("container")
            lab.repair()
        requests = calling.stop()
    done = min(rounds, 2)
    return Figures.of("both-sick", requests, ended, began, switches=done, elsewhere=done - stayed)


def _await_answers(lab: Lab, lane: str) -> None:
    """Until a lane answers searches again: after a round its circuit breakers stay open though suppliers are well, and the
    preflight's smoke search would meet them."""
    ground = ground_of(lab)
    headers = probe.lane_headers(ground.aws, ground.resources)[lane]

    def answers() -> bool:
        return all(probe.get(f"{lab.url}{SEARCH}", headers).status == 200 for _ in range(IN_A_ROW))

    ground.until(answers, ANSWERS_S, f"the {lane} lane does not answer searches though its suppliers are well,")


def _one(lab: Lab, goal: str) -> Ended:
    ground_of(lab).forget()
    with Operator(lab, "switch", goal, "--steps", f"{PERCENT},100", *UNITS[goal], *BRISKLY) as operator:
        operator.await_phase("verify")
        lab.strike("suppliers", fault="status:500")
        lab.strike("lambda", errors=0.5)
        return operator.end()


BOTH_SICK = Drill(
    name="both-sick",
    about="the suppliers fail, and half of the function's invocations: no lane is well",
    runbook="drill-both-sick.md",
    run=run,
    criteria=Criteria(most_failed=None, outcome="rolled-back", says=SHOUTED, most={"elsewhere": 0.0}),
)
