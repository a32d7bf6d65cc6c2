"""`cdk deploy` in the middle of a switch, under load: it changes the load balancer, and what both lanes run.

The traffic stack fills its rule from the parameter, which the switch writes first, so the deployment writes the switch's own
weights. The function gets a new version and its alias moves; the instances are replaced, one launched before one ends. First a
switch is held at its middle step until the deployment has ended; then another one, the way back, goes on by itself while the
change is taken back.
"""

from __future__ import annotations

import time

from infra.errors import KitError
from infra.lab.drills.calling import Calling
from infra.lab.drills.drill import Criteria, Drill, Figures
from infra.lab.drills.ground import Ground, ground_of
from infra.lab.drills.operators import Operator
from infra.lab.drills.switches import BRISKLY, UNITS
from infra.lab.live.lab import Lab
from infra.switching.weights import all_on, parse_weights

RPS = 60.0
HALF = parse_weights("50:50")
CHANGE = ("traffic.idle_timeout_s=55", "search.deadline_ms=1400")
"""The load balancer, and the environment of both lanes' service."""
REPLACED_S = 60.0


def run(lab: Lab, rounds: int) -> Figures:
    """Once, however many rounds."""
    ground = ground_of(lab)
    ground.put(all_on("container"))
    before = _runs(lab, ground)
    began = time.time()
    with Calling(lab.url, rps=RPS) as calling:
        lab.synth(*CHANGE)
        with Operator(lab, "switch", "lambda", "--steps", "50,100", *UNITS["lambda"], *BRISKLY) as operator:
            operator.await_phase("verify")
            lab.operator("pause")
            took = _deploy(lab)
            kept = ground.traffic.rule() == ground.traffic.parameter() == HALF
            after = _await_other(lab, ground, before)
            lab.operator("resume")
            held = operator.end()
        lab.synth()
        with Operator(lab, "switch", "container", "--steps", "25,50,75,100", *UNITS["container"], *BRISKLY) as operator:
            operator.await_phase("verify")
            _deploy(lab)
            ended = operator.end()
        _await_other(lab, ground, after)
        requests = calling.stop()
    goal = ground.traffic.rule() == ground.traffic.parameter() == all_on("container")
    return Figures.of(
        "deploy-midway",
        requests,
        ended,
        began,
        weights_kept=int(kept),
        held_done=int(held.code == 0),
        at_goal=int(goal),
        deploy_s=round(took),
    )


def _deploy(lab: Lab) -> float:
    """Real seconds that it took."""
    began = time.monotonic()
    lab.deploy()
    return time.monotonic() - began


def _runs(lab: Lab, ground: Ground) -> tuple[str, frozenset[str]]:
    """The function's live version, and the instances that serve."""
    functions = lab.aws.client("lambda")
    version: str = functions.get_alias(FunctionName=ground.resources.function, Name="live")["FunctionVersion"]
    return version, frozenset(each["InstanceId"] for each in ground.standing() if each["LifecycleState"] == "InService")


def _await_other(lab: Lab, ground: Ground, before: tuple[str, frozenset[str]]) -> tuple[str, frozenset[str]]:
    """Until another version is live and every instance has been replaced."""
    end = time.monotonic() + REPLACED_S
    while time.monotonic() < end:
        version, instances = _runs(lab, ground)
        if version != before[0] and instances and not instances & before[1]:
            return version, instances
        time.sleep(0.5)
    raise KitError(f"the deployment has not replaced version {before[0]} and {', '.join(before[1])} after {REPLACED_S:g} s")


DEPLOY_MIDWAY = Drill(
    name="deploy-midway",
    about="cdk deploy changes the load balancer and both lanes in the middle of a switch",
    runbook="drill-deploy-midway.md",
    run=run,
    criteria=Criteria(outcome="done", least={"weights_kept": 1.0, "held_done": 1.0, "at_goal": 1.0}),
    slow=True,
)
