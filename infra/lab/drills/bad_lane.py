"""The lane that traffic is moved to is not well: it errs, is slow, tells nothing of itself, or no traffic reaches it.

It befalls the lane once it has its first share of the traffic, when the preflight has long been passed. The switch must be back
within that step's time (`back_after_lab_s`), with no more requests hurt than the step gave to the lane. Hurt is a request that
failed, or where lateness is what befalls the lane took longer than `HURT_MS`, from the strike until the load balancer has taken
up the way back; `beyond_share` is how many there were more than the step's share of all, with four standard deviations for
chance: none may be. (A machine with too much to do makes requests late that no lane is to blame for.)
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from infra.lab.drills.calling import Calling
from infra.lab.drills.drill import Criteria, Drill, Figures
from infra.lab.drills.ground import ground_of
from infra.lab.drills.operators import Operator
from infra.lab.drills.requests import Requests
from infra.lab.drills.switches import BRISKLY, UNITS
from infra.lab.live.lab import Lab
from infra.switching.weights import all_on, other

RPS, CONNECTIONS = 80.0, 96
PERCENT = 20
HURT_MS = 700.0
SIGMAS = 4.0
WINDOW_S, SILENT_WINDOW_S = 300.0, 150.0
"""What a step may take at most in these drills (ten minutes where an operator says nothing): of a lane that is found sick
within it, and of one of which nothing will be known however long."""
SLACK_S = 90.0
"""Lab seconds: looks at a busy AWS, and writing the weights back."""
TAKEN_UP_S = 1.0
"""Real seconds until every node of the load balancer has new weights, and what it sent before is answered."""
KEY = "AKIAOPERATOR"
"""The operator's own, so that what befalls others' calls does not befall theirs."""


@dataclass(frozen=True, slots=True)
class Bad:
    """`strike` befalls the lane `goal`; `before` the switch begins, where it would be too late afterwards."""

    name: str
    about: str
    goal: str
    strike: Callable[[Lab], object]
    says: str
    most_failed: int | None = 0
    before: bool = False
    window_s: float = WINDOW_S
    late_ms: float = math.inf

    def run(self, lab: Lab, rounds: int) -> Figures:
        """Once, however many rounds: what becomes of it does not depend on how often."""
        ground_of(lab).put(all_on(other(self.goal)))
        began = time.time()
        how = ("--steps", f"{PERCENT},100", "--limit", f"max_bake_s={self.window_s:g}", *UNITS[self.goal], *BRISKLY)
        with Calling(lab.url, rps=RPS, connections=CONNECTIONS) as calling:
            if self.before:
                self.strike(lab)
            with Operator(lab, "switch", self.goal, *how, key=KEY) as operator:
                struck = operator.await_phase("verify").at
                if not self.before:
                    self.strike(lab)
                    struck = time.time()
                ended = operator.end()
            time.sleep(TAKEN_UP_S)
            requests = calling.stop()
        back = ended.first("rolled-back") or ended.at
        hurt, beyond = hurt_of(requests.between(struck, back + TAKEN_UP_S), self.late_ms)
        back_after_lab_s = round((back - struck) * lab.time.speed)
        more = {"back_after_lab_s": back_after_lab_s, "hurt": hurt, "beyond_share": beyond}
        return Figures.of(self.name, requests, ended, began, **more)

    @property
    def drill(self) -> Drill:
        most = {"back_after_lab_s": self.window_s + SLACK_S, "beyond_share": 0.0}
        criteria = Criteria(most_failed=self.most_failed, outcome="rolled-back", says=self.says, most=most)
        return Drill(self.name, self.about, f"drill-{self.name}.md", self.run, criteria)


def hurt_of(requests: Requests, late_ms: float = HURT_MS) -> tuple[int, int]:
    """How many, and how many of them beyond the step's share."""
    hurt = sum(status != 200 or ms > late_ms for status, ms in zip(requests.status, requests.ms, strict=True))
    share = PERCENT / 100
    most = share * requests.count + SIGMAS * math.sqrt(share * (1 - share) * requests.count)
    return hurt, max(0, math.ceil(hurt - most))


def _deaf_balancer(lab: Lab) -> None:
    """The load balancer goes on by the rules that it knows: what is written to them does not reach it."""
    lab.strike_api(action="elasticloadbalancing:DescribeRules", kind="error", key=lab.aws.credentials[0])


def _mute_agents(lab: Lab) -> None:
    """The instances' figures, which they publish by their role; the load balancer's own still come."""
    lab.strike_api(action="cloudwatch:PutMetricData", kind="refuse", key="ASIA*")


BAD_LANES = tuple(
    bad.drill
    for bad in (
        Bad(
            "target-errs",
            "half of the invocations fail on the lane that has just been given its first traffic",
            "lambda",
            lambda lab: lab.strike("lambda", errors=0.5),
            "errors, allowed are 1.00%",
            most_failed=None,
        ),
        Bad(
            "target-slow",
            "the lane that has just been given its first traffic answers a second later",
            "lambda",
            lambda lab: lab.strike("lambda", latency_s=1.0),
            "lambda: p99",
            late_ms=HURT_MS,
        ),
        Bad(
            "target-silent",
            "the lane that has just been given its first traffic answers, and tells nothing of how its instances are",
            "container",
            _mute_agents,
            "container: loop lag not known",
            window_s=SILENT_WINDOW_S,
        ),
        Bad(
            "target-unreached",
            "the load balancer does not take up new weights: no request reaches the target lane",
            "lambda",
            _deaf_balancer,
            "what is not known is not promoted",
            before=True,
            window_s=SILENT_WINDOW_S,
        ),
    )
)
