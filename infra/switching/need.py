"""How many instances or environments the rising lane needs for its share of the traffic, and by which figures; and whether
a switch's steps will see enough requests to be judged.

The arithmetic is `infra.sizing`, which the cost model prices; the figures are a measured profile's, or what the lanes do now.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from infra import sizing
from infra.switching.plan import Need, Plan
from infra.switching.weights import between, parse_weights

UNSEEN_S = 120.0
"""Of a step CloudWatch does not tell: until its first whole minute begins, and the last ones, which come late."""
FEWEST_REQUESTS = 1_000
"""Of fewer requests the CPU or the duration of one is not told from what else goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One request on one lane, by a profile (`crossover measure`)."""

    cpu_ms: float
    wait_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What the stage does now. `rps` is of its busiest minute; the rest is over the last hour, None where it is not known.
    `requests` are each lane's, `cpu_share` of the container lane's instances, `seconds` a request took on Lambda; `lag_told`
    says whether any instance told its event-loop lag."""

    rps: float | None
    requests: dict[str, int | None]
    cpu_share: float | None = None
    instances: int | None = None
    seconds: float | None = None
    lag_told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """What the lanes' units are: an instance's vCPUs and the share of its CPU that scaling keeps, a function's memory."""

    vcpu: int | None
    target_cpu: float
    memory_mb: int | None


def given(units: int) -> Need:
    """What a person asked for."""
    return Need(units=units, why="given as --units")


def need_of(lane: str, share: float, load: Load, machines: Machines, measured: Measured | None) -> Need | str:
    """The need, or why it cannot be told. `share` is the lane's of all requests at the goal."""
    if load.rps is None:
        return "the rate of requests is not known: CloudWatch has nothing of the last hour"
    rps = load.rps * share
    return _instances(rps, load, machines, measured) if lane == "container" else _environments(rps, load, machines, measured)


def few_samples(plan: Plan, rps: float | None) -> Iterator[str]:
    """The first step that will not see `min_samples` within `max_bake_s` at this rate, in words, with what would."""
    if rps is None:
        return
    limits, rising = plan.limits, plan.rising
    start, goal = parse_weights(plan.start), parse_weights(plan.goal)
    seconds = max(limits.max_bake_s - UNSEEN_S, limits.bake_s)
    for number, step in enumerate(plan.steps, 1):
        expected = int(rps * parse_weights(step.weights).share(rising) * seconds)
        if expected >= limits.min_samples:
            continue
        sees = {percent: rps * between(start, goal, percent).share(rising) * seconds for percent in range(1, 101)}
        first = next((percent for percent, requests in sees.items() if requests >= limits.min_samples), None)
        if first is not None:
            fewer = f"--steps {first}{',100' if first < 100 else ''}, --limit min_samples=N, or "
        else:
            fewer = (
                f"--steps 100, with --limit min_samples={most} at most or "
                if (most := int(sees[100]))
                else "--steps 100, with "
            )
        yield (
            f"at {rps:,.1f} requests/s step {number} sees some {expected:,} requests of the {limits.min_samples:,} it is "
            f"judged by, and traffic goes back after {limits.max_bake_s:g} s: {fewer}`crossover promote` by your own judgement"
        )
        return


def _instances(rps: float, load: Load, machines: Machines, measured: Measured | None) -> Need | str:
    if machines.vcpu is None:
        return "the group's instance types are not known"
    if measured is not None:
        cpu_ms, source = measured.cpu_ms, "by the profile"
    else:
        requests = load.requests.get("container")
        if requests is None or requests < FEWEST_REQUESTS or not load.cpu_share or not load.instances:
            return (
                f"the CPU of a request is not known: the container lane had fewer than {FEWEST_REQUESTS:,} requests "
                "in the last hour"
            )
        cpu_ms = 1000 * load.cpu_share * load.instances * machines.vcpu * 3600 / requests
        source = "as in the last hour"
    one = sizing.rps_per_instance(cpu_ms=cpu_ms, vcpu=machines.vcpu, workers_per_vcpu=1, utilization=machines.target_cpu)
    units = max(1, sizing.instances(rps, one))
    each = f"{cpu_ms:.1f} ms CPU each ({source})"
    return Need(units=units, why=f"{rps:.1f} requests/s of {each} on {machines.vcpu} vCPUs at {machines.target_cpu:.0%}")


def _environments(rps: float, load: Load, machines: Machines, measured: Measured | None) -> Need | str:
    if measured is not None:
        if machines.memory_mb is None:
            return "the function's memory is not known"
        seconds = sizing.seconds_on_lambda(cpu_ms=measured.cpu_ms, wait_ms=measured.wait_ms, memory_mb=machines.memory_mb)
        source = "by the profile"
    else:
        requests = load.requests.get("lambda")
        if requests is None or requests < FEWEST_REQUESTS or load.seconds is None:
            return (
                f"the duration of a request is not known: the Lambda lane had fewer than {FEWEST_REQUESTS:,} requests "
                "in the last hour"
            )
        seconds, source = load.seconds, "as in the last hour"
    units = max(1, math.ceil(sizing.environments(rps, seconds) - 1e-9))
    return Need(units=units, why=f"{rps:.1f} requests/s of {seconds:.2f} s each ({source})")
