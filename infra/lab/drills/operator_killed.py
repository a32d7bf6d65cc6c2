"""The operator's command is killed (kill -9) after each thing it says, and somebody else goes on.

A switch is killed again and again on its way: right after the event that the record holds, before, in or after what that event
brings about. Whoever comes next takes it over by `resume`. In the long form also: waiting for the dead one's lease, both ways,
and `abort` by another, for a switch that was killed in each of its phases. `doctor` must find nothing wrong afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from infra.lab.drills.calling import Calling
from infra.lab.drills.drill import Criteria, Drill, Figures
from infra.lab.drills.ground import ground_of
from infra.lab.drills.operators import Ended, Operator, Told
from infra.lab.drills.switches import BRISKLY, UNITS
from infra.lab.live.lab import Lab
from infra.switching.driver import LEASE_S
from infra.switching.record import ENDED
from infra.switching.weights import all_on

RPS = 60.0
ABORTED_IN = ("prewarm", "shift", "verify", "cool")


def run(lab: Lab, rounds: int) -> Figures:
    """One round: one switch of one step. More: a switch each, and one that is aborted in each phase."""
    ground = ground_of(lab)
    ground.put(all_on("container"))
    began, kills, wrong = time.time(), 0, list[str]()
    with Calling(lab.url, rps=RPS) as calling:
        for number in range(rounds):
            goal = ("lambda", "container")[number % 2]
            killed, ended = _killed_all_the_way(lab, goal, "100" if rounds == 1 else "50,100", wait=number > 0)
            kills += killed
            wrong += _against(lab, ended, "done", goal)
        if rounds > 1:
            home, goal = (goal, "container" if goal == "lambda" else "lambda")
            for phase in ABORTED_IN:
                kills += 1
                ended = _aborted(lab, goal, phase)
                wrong += _against(lab, ended, "rolled-back", home)
        requests = calling.stop()
    return Figures.of(
        "operator-killed",
        requests,
        ended,
        began,
        kills=kills,
        wrong_ends=len(wrong),
        **({"wrong": "; ".join(wrong)} if wrong else {}),
    )


def _killed_all_the_way(lab: Lab, goal: str, steps: str, *, wait: bool) -> tuple[int, Ended]:
    """How many were killed, and how the last one ended. `wait`: for the lease of the one before, instead of taking over."""
    command: tuple[str, ...] = ("switch", goal, "--steps", steps, *UNITS[goal], *BRISKLY)
    for kills in range(100):
        with Operator(lab, *command) as operator:
            if operator.await_event(_news).phase in ENDED:
                return kills, operator.end()
            operator.process.kill()
        if wait:
            time.sleep(lab.time.real_s(LEASE_S))
        command = ("resume",) if wait else ("resume", "--take-over")
    raise AssertionError("a switch that never ends")


def _aborted(lab: Lab, goal: str, phase: str) -> Ended:
    with Operator(lab, "switch", goal, "--steps", "50,100", *UNITS[goal], *BRISKLY) as operator:
        operator.await_event(lambda told: told.phase == phase)
        operator.process.kill()
    with Operator(lab, "abort") as operator:
        return operator.end()


def _news(told: Told) -> bool:
    return told.phase != "" and not told.what.startswith("resumed by")


def _against(lab: Lab, ended: Ended, outcome: str, lane: str) -> Iterator[str]:
    traffic = ground_of(lab).traffic
    if ended.outcome != outcome:
        yield f"it ended {ended.outcome}: {ended.said}"
    if (traffic.rule(), traffic.parameter()) != (all_on(lane), all_on(lane)):
        yield f"rule {traffic.rule()}, parameter {traffic.parameter()}"
    doctor = lab.operator("doctor", "--json")
    if doctor.returncode != 0:
        yield doctor.stdout


OPERATOR_KILLED = Drill(
    name="operator-killed",
    about="the operator's command is killed after each thing it says, and another goes on",
    runbook="drill-operator-killed.md",
    run=run,
    criteria=Criteria(most={"wrong_ends": 0.0}, least={"kills": 5.0}),
)
