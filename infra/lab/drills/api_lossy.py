"""AWS's API throttles the operator, and carries out calls whose answer is lost: the switch ends all the same.

What is throttled is asked again by boto3, and what boto3 gives up by the driver at its next look. A write whose answer is lost
is done twice, which does no harm: weights are set, not added to, and the record knows its own writing again.
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
THROTTLED = {"elasticloadbalancing:*": 2, "ssm:*": 2, "dynamodb:*": 2, "lambda:*": 1}
LOST = {"elasticloadbalancing:ModifyRule": 1, "ssm:PutParameter": 1, "dynamodb:PutItem": 4}
"""Calls each. A client tries one four times, so four in a row are one that it gives up."""


def run(lab: Lab, rounds: int) -> Figures:
    """A switch a round, there and back."""
    ground = ground_of(lab)
    ground.put(all_on("container"))
    began, steps = time.time(), "100" if rounds == 1 else "50,100"
    with Calling(lab.url, rps=RPS) as calling:
        for number in range(rounds):
            goal = ("lambda", "container")[number % 2]
            with Operator(lab, "switch", goal, "--steps", steps, *UNITS[goal], *BRISKLY, key=KEY) as operator:
                operator.await_phase("prewarm")
                faults = _strike(lab)
                ended = operator.end()
            struck = sum(each["struck"] for each in lab.api_faults() if each["id"] in faults)
            lab.repair()
            if ended.code != 0:
                break
        requests = calling.stop()
    wrong = int(ground.traffic.rule() != all_on(goal)) + int(ground.traffic.parameter() != all_on(goal))
    return Figures.of("api-lossy", requests, ended, began, calls_struck=struck, places_wrong=wrong)


def _strike(lab: Lab) -> set[int]:
    lost = [lab.strike_api(action=action, kind="after", times=times, key=KEY) for action, times in LOST.items()]
    throttled = [lab.strike_api(action=action, kind="throttle", times=times, key=KEY) for action, times in THROTTLED.items()]
    return {int(fault["id"]) for fault in [*lost, *throttled]}


API_LOSSY = Drill(
    name="api-lossy",
    about="calls of the operator are throttled, and calls are carried out whose answer is lost",
    runbook="drill-api-lossy.md",
    run=run,
    criteria=Criteria(outcome="done", most={"places_wrong": 0.0}, least={"calls_struck": 10.0}),
)
