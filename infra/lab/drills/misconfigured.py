"""The target lane's instances were deployed with a wrong setting: they start, call themselves healthy, and fail every search.

A switch asks the lane for a search first, and is refused. One whose operator has it ask for something else (`--smoke-path`)
gives the lane its first share, and is back within that step's time with no more requests hurt than the share.
"""

from __future__ import annotations

import math
import time

from infra.lab.drills.bad_lane import CONNECTIONS, PERCENT, RPS, SLACK_S, TAKEN_UP_S, WINDOW_S, hurt_of
from infra.lab.drills.both_sick import PATHS
from infra.lab.drills.calling import Calling
from infra.lab.drills.drill import Criteria, Drill, Figures
from infra.lab.drills.ground import Ground, ground_of
from infra.lab.drills.operators import Operator
from infra.lab.drills.switches import BRISKLY, UNITS
from infra.lab.live.lab import Lab
from infra.switching.weights import all_on

NOWHERE = "http://127.0.0.1:9"
HOW = ("--steps", f"{PERCENT},100", "--limit", f"max_bake_s={WINDOW_S:g}", *UNITS["container"], *BRISKLY)


def run(lab: Lab, rounds: int) -> Figures:
    """Once, however many rounds."""
    ground = ground_of(lab)
    ground.put(all_on("lambda"))
    began = time.time()
    lab.strike("misconfigure", variables={"CROSSOVER_SUPPLIERS_URL": NOWHERE})
    _replace_instances(lab, ground)
    with Calling(lab.url, rps=RPS, connections=CONNECTIONS, paths=PATHS) as calling:
        with Operator(lab, "switch", "container", *HOW) as operator:
            refused = operator.end()
        unmoved = ground.traffic.rule() == all_on("lambda")
        with Operator(lab, "switch", "container", *HOW, "--smoke-path", "/version") as operator:
            struck = operator.await_phase("verify").at
            ended = operator.end()
        time.sleep(TAKEN_UP_S)
        requests = calling.stop()
    lab.repair()
    _replace_instances(lab, ground)
    back = ended.first("rolled-back") or ended.at
    hurt, beyond = hurt_of(requests.between(struck, back + TAKEN_UP_S), math.inf)
    return Figures.of(
        "target-misconfigured",
        requests,
        ended,
        began,
        refused_exit=refused.code,
        refused_moved=int(not unmoved),
        back_after_lab_s=round((back - struck) * lab.time.speed),
        hurt=hurt,
        beyond_share=beyond,
    )


def _replace_instances(lab: Lab, ground: Ground) -> None:
    """All that serve, by others that start as things are now."""
    for instance in ground.standing():
        lab.strike("kill", instance=instance["InstanceId"])
    ground.await_whole()


MISCONFIGURED = Drill(
    name="target-misconfigured",
    about="the target lane's instances ask suppliers that are not there",
    runbook="drill-target-misconfigured.md",
    run=run,
    criteria=Criteria(
        most_failed=None,
        outcome="rolled-back",
        says="errors, allowed are 1.00%",
        most={"refused_moved": 0.0, "back_after_lab_s": WINDOW_S + SLACK_S, "beyond_share": 0.0},
        least={"refused_exit": 1.0},
    ),
)
