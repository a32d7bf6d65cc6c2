"""The switcher: a Lambda function that begins scheduled switches and drives them, as an operator would at a terminal.

EventBridge Scheduler starts it at an entry's time (`Entry`), and each minute besides (`Tick`). A switch may take longer than
the fifteen minutes that a function has: it drives until its time is nearly up and lets go of its lease, and the next tick goes
on from the record. What fails raises, which puts the event into the dead-letter queue, of which the stage's alarm tells.
It goes on only with switches that it began: one that an operator took over, or began, is the operator's. An entry that
Scheduler starts twice (it promises once at least) is made once: the record says which start it was.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from infra.errors import KitError
from infra.switching.aws.calls import Aws
from infra.switching.aws.control import Control, control_of
from infra.switching.aws.proposal import Proposal, Request, propose
from infra.switching.aws.schedules import LATEST_S, Entry, Tick
from infra.switching.driver import Busy, Driver
from infra.switching.hooks import Happened, payload
from infra.switching.need import Measured
from infra.switching.observe import World
from infra.switching.plan import Plan
from infra.switching.ports import Clock, Superseded, Unreachable
from infra.switching.record import EXIT_CODES, Event, Phase, Record
from infra.switching.telling import LAST_WORDS_S
from infra.switching.weights import parse_goal

OWNER = "schedule:"
"""What the owner of a record that the switcher drives begins with."""
PATIENCE, PAUSE_S = 10, 20.0
"""How often AWS is asked again before a switch is begun, and after how long."""
RESERVE_S = 150.0
"""Left of the function's time when it lets go: longer than a look, the longest gate and a call's retries take."""


class Failed(Exception):
    """A scheduled switch was refused, rolled back, or could not be made. Lambda hands the event on to the queue."""


class OutOfTime(BaseException):
    """The function's time is nearly up. No `Exception`: nothing on the way may take it for a failure of its own."""


class LimitedClock:
    """A clock whose sleep ends the driver when `left_s` says so: between two looks, where a kill does no harm either."""

    def __init__(self, clock: Clock, left_s: Callable[[], float]) -> None:
        self._clock, self._left_s = clock, left_s

    def now(self) -> float:
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        if self._left_s() - seconds < RESERVE_S:
            raise OutOfTime
        self._clock.sleep(seconds)


def handler(event: Any, context: Any) -> dict[str, Any]:
    """As Lambda calls it. The stage is in `CROSSOVER_STAGE`."""
    told = msgspec.convert(event, Entry | Tick)
    began = time.monotonic()
    seconds = context.get_remaining_time_in_millis() / 1000
    try:
        control = control_of(_clients(os.environ.get("AWS_REGION")), os.environ["CROSSOVER_STAGE"])
    except Unreachable as error:
        if isinstance(told, Tick):
            return {"result": f"not known: {error}"}
        raise
    return run(control, told, who=f"{OWNER}{context.aws_request_id}", left_s=lambda: seconds - (time.monotonic() - began))


@functools.cache
def _clients(region: str | None) -> Aws:
    """Those of the environment, which serves a tick each minute for hours: made anew each time they kept memory until a
    collection, from 54 to 94 MB within seven ticks in a lab."""
    return Aws(region)


def run(control: Control, told: Entry | Tick, *, who: str, left_s: Callable[[], float]) -> dict[str, Any]:
    """One invocation. Returns what came of it, for the log; raises `Failed` where a person must look."""
    world = control.world
    limited = World(
        clock=LimitedClock(world.clock, left_s), store=world.store, traffic=world.traffic, lanes=world.lanes, hooks=world.hooks
    )
    driver = Driver(limited, owner=who, say=_log, tell=_log_event)
    if isinstance(told, Tick):
        try:
            record = world.store.load()
        except Unreachable as error:  # no failure of a switch: there is another tick in a minute
            return {"result": f"not known: {error}"}
        if record is None or record.ended or not record.owner.startswith(OWNER):
            return {"result": "nothing to do"}
        if record.lease_until > world.clock.now():
            return {"result": "is driven", "switch": record.id, "at": record.where}
        return _drive(driver, lambda: driver.take_over(quiet=True))
    late_s = world.clock.now() - datetime.fromisoformat(told.moment).timestamp()
    if late_s > LATEST_S:
        raise Failed(_refuse(control, told, None, who, f"it was started {late_s / 60:.0f} min late: traffic is left as it is"))
    why = f"scheduled: {told.name} of {told.moment}"
    try:
        proposal = _proposed(control, told, limited.clock)
    except KitError as error:
        raise Failed(_refuse(control, told, None, who, str(error))) from None
    plan, facts = proposal.plan, proposal.facts
    if facts.last is not None and facts.last.why == why:
        return {"result": "was begun before", "switch": facts.last.id}
    if plan is None:
        return {"result": "traffic is split so already"}
    if facts.last is not None and not facts.last.ended:
        raise Failed(_refuse(control, told, plan, who, f"{facts.last.owner} is switching, at {facts.last.where}"))
    if proposal.refusals:
        raise Failed(_refuse(control, told, plan, who, "; ".join(map(str, proposal.refusals))))
    digests = (facts.digests.get("lambda"), facts.digests.get("container"))
    return _drive(driver, lambda: driver.begin(plan, why=why, digests=digests))


def _proposed(control: Control, entry: Entry, clock: Clock) -> Proposal:
    """AWS may be away for a moment; nobody is there to ask again."""
    for _ in range(PATIENCE):
        try:
            return propose(control, parse_goal(tuple(entry.to.split())), _request(entry))
        except Unreachable:
            clock.sleep(PAUSE_S)
    return propose(control, parse_goal(tuple(entry.to.split())), _request(entry))


def _request(entry: Entry) -> Request:
    def measured(lane: str) -> Measured:
        cpu_ms, wait_ms = entry.measured[lane]
        return Measured(cpu_ms=cpu_ms, wait_ms=wait_ms)

    return Request(
        steps=entry.steps,
        limits=entry.limits,
        units=entry.units,
        measured=measured if entry.measured else None,
        smoke_path=entry.smoke_path,
        allow_version_skew=entry.allow_version_skew,
        callouts=entry.callouts,
    )


def _drive(driver: Driver, take: Callable[[], Record]) -> dict[str, Any]:
    try:
        record = driver.run(take())
    except OutOfTime:
        left = driver.let_go()
        return {"result": "continues", "at": None if left is None else left.where}
    except (Superseded, Busy) as error:
        return {"result": "left to another", "why": str(error)}
    except KitError as error:
        driver.let_go()  # the next tick tries again
        raise Failed(str(error)) from None
    if EXIT_CODES[record.phase]:
        raise Failed(f"switch {record.id} {record.phase}: {record.reason}")
    return {"result": str(record.phase), "switch": record.id}


def _refuse(control: Control, entry: Entry, plan: Plan | None, who: str, why: str) -> str:
    """Into the history, and told to whom the entry names; no traffic was moved."""
    said = f"scheduled switch {entry.name} to {entry.to} was refused: {why}"
    now = control.world.clock.now()
    control.store.append(Event(at=now, switch=entry.name, who=who, what=said, phase=Phase.REFUSED))
    if plan is not None:
        record = Record(
            id=entry.name, plan=plan, phase=Phase.REFUSED, owner=who, why="scheduled", started=now, since=now, reason=why
        )
        for target in entry.callouts.notify:
            told = payload(Happened.REFUSED, replace(record, version=int(now)), target=target, at=now, said=said)
            control.world.hooks.send(target, told, entry.callouts.timeout_s)
        control.world.hooks.close(LAST_WORDS_S)
    return said


def _log(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - Lambda's log


def _log_event(event: Event) -> None:
    print(msgspec.json.encode(event).decode(), flush=True)  # noqa: T201 - Lambda's log
