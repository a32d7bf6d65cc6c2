"""Switches back and forth under constant load: not one request fails, and the slowest are as fast as ever.

**The p99 ratio.** The two lanes do not have the same p99, and a mixture of both has one between theirs. So the p99 while
traffic moves (from a switch's first step until its last is judged well) is held against the worse of the two lanes' steady
ones: a lane's p99 over all its `cool` phases, in which it alone has the traffic and the operator's command looks as often as
while traffic moves; in a lab its looks cost CPU that the lanes could have. `steady_spread` is how far the same lane's steady
p99 differs between its phases, largest over smallest: what the machine does by itself. `usual_ratio` is the same as the ratio
of the medians of all switches, in which a few stalls do not show.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from itertools import chain
from statistics import median

from infra.errors import KitError
from infra.lab.drills.calling import Calling
from infra.lab.drills.drill import Criteria, Drill, Figures
from infra.lab.drills.ground import ground_of
from infra.lab.drills.operators import Ended, Operator
from infra.lab.drills.requests import Requests
from infra.lab.live.lab import Lab
from infra.switching.weights import all_on

RPS = 100.0
STEPS, LONG_STEPS, LONG_ROUNDS = "50,100", "10,25,50,100", 10
STEADY_S = 1.0
BRISKLY = ("--yes", "--quiet-s", "30", "--limit", "min_samples=50", "--limit", "p99_floor_ms=300")
"""A switch in as few lab minutes as CloudWatch's own allow. A machine with fewer CPUs than the lab has processes lets one of
them wait now and then, which is no lane's fault: a lane is slow from 0.3 s beyond one and a half times the other on."""
UNITS = {"lambda": ("--units", "10"), "container": ("--units", "1")}
"""What carries a drill's load."""


def run(lab: Lab, rounds: int) -> Figures:
    """Two switches a round: to Lambda, and back."""
    ground_of(lab).put(all_on("container"))
    began, ended = time.time(), []
    steps = LONG_STEPS if rounds >= LONG_ROUNDS else STEPS
    with Calling(lab.url, rps=RPS) as calling:
        time.sleep(STEADY_S)
        for goal in ("lambda", "container") * rounds:
            with Operator(lab, "switch", goal, "--steps", steps, *UNITS[goal], *BRISKLY) as operator:
                ended.append((goal, operator.end()))
            if ended[-1][1].code != 0:
                break
        time.sleep(STEADY_S)
        requests = calling.stop()
    last = ended[-1][1]
    ratio, more = slowest(requests, ended)
    return Figures(
        drill="switches",
        requests=requests.count,
        failed=requests.failed,
        seconds=time.time() - began,
        p99_ratio=ratio,
        outcome=last.outcome,
        said=last.said,
        reasons=dict(requests.reasons),
        more={"switches": sum(switch.code == 0 for _, switch in ended), **more},
    )


def slowest(requests: Requests, ended: list[tuple[str, Ended]]) -> tuple[float | None, dict[str, float]]:
    steady: dict[str, list[Requests]] = defaultdict(list)
    moving = []
    for goal, switch in ended:
        first, cool = switch.first("shift"), switch.first("cool")
        if first is not None and cool is not None:
            moving.append(requests.between(first, cool))
            steady[goal].append(requests.between(cool, switch.at))
    if len(steady) < 2:
        return None, {}
    shifting, p99s = _p99(moving), {lane: _p99(parts) for lane, parts in steady.items()}
    more = {"p99_ms": shifting, **{f"{lane}_p99_ms": ms for lane, ms in p99s.items()}}
    if any(len(parts) > 1 for parts in steady.values()):
        usual = max(_usual(parts) for parts in steady.values())
        more |= {"usual_ratio": _usual(moving) / usual, "steady_spread": max(_spread(parts) for parts in steady.values())}
    return round(shifting / max(p99s.values()), 3), {name: round(value, 2) for name, value in more.items()}


def _p99(parts: Iterable[Requests]) -> float:
    """Of all of them together."""
    whole = Requests(ms=list(chain(*(part.ms for part in parts))), status=list(chain(*(part.status for part in parts))))
    found = whole.quantile_ms(0.99)
    if found is None:
        raise KitError("no request was answered")
    return found


def _usual(parts: list[Requests]) -> float:
    """The p99 of a part as it is in the middle of all parts: a stall of the machine is in few of them."""
    return median(_p99([part]) for part in parts)


def _spread(parts: list[Requests]) -> float:
    p99s = [ms for part in parts if (ms := part.quantile_ms(0.99)) is not None]
    return max(p99s) / min(p99s) if p99s else 1.0


SWITCHES = Drill(
    name="switches",
    about="two switches a round, to Lambda and back, under constant keep-alive load",
    runbook="drill-switches.md",
    run=run,
    criteria=Criteria(
        most_failed=0, p99_ratio=10.0, outcome="done", long_rounds=LONG_ROUNDS, long_p99_ratio=1.2, long_requests=50_000
    ),
)
