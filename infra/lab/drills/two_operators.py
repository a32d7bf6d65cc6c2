"""Two operators at one stage: the second is told who is at it, since when and at which step; then takes the switch over.

Anna switches. Ben's own switch is refused. He pauses hers, and it holds; he takes it over, and her command stops by itself
before it changes anything more. Carla aborts what Ben now drives, and it goes back.
"""

from __future__ import annotations

import time

from infra.errors import UnknownState
from infra.lab.drills.calling import Calling
from infra.lab.drills.drill import Criteria, Drill, Figures
from infra.lab.drills.ground import ground_of
from infra.lab.drills.operators import Operator
from infra.lab.drills.switches import BRISKLY, UNITS
from infra.lab.live.lab import Lab
from infra.switching.weights import all_on

RPS = 60.0
HOW = ("--steps", "50,100", *UNITS["lambda"], *BRISKLY)


def run(lab: Lab, rounds: int) -> Figures:
    """Once, however many rounds."""
    ground = ground_of(lab)
    ground.put(all_on("container"))
    began = time.time()
    with Calling(lab.url, rps=RPS) as calling, Operator(lab, "switch", "lambda", *HOW) as anna:
        anna.await_phase("verify")
        refused = lab.operator("switch", "lambda", *HOW)
        paused = lab.operator("pause")
        held = ground.traffic.rule()
        with Operator(lab, "resume", "--take-over") as ben:
            ben.await_event(lambda told: told.what.startswith("resumed by"))
            unmoved = ground.traffic.rule() == held
            first = anna.end()
            aborted = lab.operator("abort")
            ended = ben.end()
        requests = calling.stop()
    return Figures.of(
        "two-operators",
        requests,
        ended,
        began,
        second_refused=int(refused.returncode == 1 and _says_who(refused.stderr, str(anna.process.pid))),
        held=int(paused.returncode == 0 and unmoved),
        first_stopped=int(first.code == UnknownState.exit_code and "this driver stops" in first.said),
        abort_exit=aborted.returncode,
        home=int(ground.traffic.rule() == ground.traffic.parameter() == all_on("container")),
    )


def _says_who(said: str, pid: str) -> bool:
    """The holder's name ends with their process, and `at` names the phase and the step."""
    return f":{pid} is switching since" in said and "at verify, step 1 of 2" in said


TWO_OPERATORS = Drill(
    name="two-operators",
    about="a second operator is refused, pauses, takes over; the first one's command stops; a third aborts",
    runbook="drill-two-operators.md",
    run=run,
    criteria=Criteria(
        outcome="rolled-back",
        says="aborted by an operator",
        most={"abort_exit": 0.0},
        least={"second_refused": 1.0, "held": 1.0, "first_stopped": 1.0, "home": 1.0},
    ),
)
