"""A spot pool is taken back in the middle of a shift to the container lane.

Of the instances that the switch has prewarmed, all of one type in one zone get EC2's notice at once and are gone two minutes
later. Each leaves its target group at the notice and drains; the group launches replacements when it sees that they are to be
replaced. The switch goes on: no request fails, and those who are left carry the load.
"""

from __future__ import annotations

import time

from infra.lab.drills.calling import Calling
from infra.lab.drills.drill import Criteria, Drill, Figures
from infra.lab.drills.ground import ground_of
from infra.lab.drills.operators import Operator
from infra.lab.drills.switches import BRISKLY
from infra.lab.live.lab import Lab
from infra.switching.weights import all_on

RPS = 80.0
INSTANCES = 4
NOTICE_S = 120.0
"""Lab seconds from the notice to the end (Amazon EC2 User Guide, "Spot Instance interruption notices")."""


def run(lab: Lab, rounds: int) -> Figures:
    """Once, in more steps where there are more rounds: a pool that was taken back stays empty for a while."""
    ground = ground_of(lab)
    ground.put(all_on("lambda"))
    began = time.time()
    how = ("--steps", "100" if rounds == 1 else "50,100", "--units", str(INSTANCES), *BRISKLY)
    with Calling(lab.url, rps=RPS) as calling:
        with Operator(lab, "switch", "container", *how) as operator:
            operator.await_phase("verify")
            lost = lab.strike("reclaim")
            struck = time.time()
            fewest = _fewest_ready(lab, until=struck + lab.time.real_s(NOTICE_S))
            ended = operator.end()
        gone = {each["InstanceId"] for each in ground.standing()}.isdisjoint(lost)
        requests = calling.stop()
    return Figures.of(
        "spot-pool-lost", requests, ended, began, prewarmed=INSTANCES, lost=len(lost), fewest_ready=fewest, gone=int(gone)
    )


def _fewest_ready(lab: Lab, until: float) -> int:
    fleet = ground_of(lab).fleet
    fewest = INSTANCES
    while time.time() < until:
        fewest = min(fewest, fleet.ready())
        time.sleep(0.3)
    return fewest


SPOT_LOST = Drill(
    name="spot-pool-lost",
    about="all spot instances of one type and zone are taken back while traffic moves to them",
    runbook="drill-spot-pool-lost.md",
    run=run,
    criteria=Criteria(outcome="done", least={"lost": 2.0, "gone": 1.0, "fewest_ready": 1.0}),
)
