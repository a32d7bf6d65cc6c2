"""The operator's network is away for a while in the middle of a shift: none of their calls reaches AWS, and then they do again.

Traffic stays as the last step left it; callers notice nothing. When the network is back, the same command goes on: what it had
decided before and could not write is decided anew. Nobody else may have taken the switch meanwhile; here nobody does.
"""

from __future__ import annotations

import time

from infra.lab.drills.calling import Calling
from infra.lab.drills.drill import Criteria, Drill, Figures
from infra.lab.drills.ground import ground_of
from infra.lab.drills.operators import Operator
from infra.lab.drills.switches import BRISKLY, UNITS
from infra.lab.live.lab import Lab
from infra.switching.weights import all_on

RPS = 80.0
KEY = "AKIAOPERATOR"
AWAY_S = 5.0
"""Real seconds, so that boto3's own attempts, which wait in real time, do not outlast it: in the lab over two minutes."""
PATIENT = ("--limit", "max_bake_s=1800")
"""The default would send traffic home if the network stayed away for longer than a step may take."""


def run(lab: Lab, rounds: int) -> Figures:
    """A switch a round, there and back; the network goes at its first step."""
    ground = ground_of(lab)
    ground.put(all_on("container"))
    began, moved = time.time(), 0
    with Calling(lab.url, rps=RPS) as calling:
        for number in range(rounds):
            goal = ("lambda", "container")[number % 2]
            how = ("--steps", "100" if rounds == 1 else "50,100", *UNITS[goal], *BRISKLY, *PATIENT)
            with Operator(lab, "switch", goal, *how, key=KEY) as operator:
                operator.await_phase("verify")
                lab.strike_api(action="*", kind="refuse", key=KEY)
                before = ground.traffic.rule()
                time.sleep(AWAY_S)
                moved += ground.traffic.rule() != before
                lab.repair()
                ended = operator.end()
            if ended.code != 0:
                break
        requests = calling.stop()
    return Figures.of("network-dropped", requests, ended, began, moved_while_away=moved, away_lab_s=AWAY_S * lab.time.speed)


NETWORK_DROPPED = Drill(
    name="network-dropped",
    about="no call of the operator reaches AWS for some minutes in the middle of a shift",
    runbook="drill-network-dropped.md",
    run=run,
    criteria=Criteria(outcome="done", most={"moved_while_away": 0.0}),
)
