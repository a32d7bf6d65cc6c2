"""The fewest instances that the group may have at each step of the traffic: its minimum, as scheduled actions have set it.

An action (`container_lane.schedules`, UTC) sets the minimum, which stays until the next one fires; so the group's own minimum
counts only before the first (EC2 Auto Scaling User Guide, "Scheduled scaling"). Traffic without a calendar is repeated over a
week that begins on a Monday at 0 h; expressions that do not fire the same every week cannot be laid on it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import gcd

from infra.config import ContainerLane
from infra.cost.traffic.profile import TrafficProfile
from infra.settings.cron import Cron, read_cron

WEEK_S = 7 * 86_400
DAY_S = 86_400
MONDAY = datetime(2001, 1, 1, tzinfo=UTC)
BEFORE_DAYS, BEFORE_DAYS_WEEKLY = 366, 8
"""How far back the action is looked for that set the minimum with which a profile begins."""

Actions = tuple[tuple[Cron, int], ...]


def unknown_minimums(fleet: ContainerLane, traffic: TrafficProfile) -> str | None:
    """Why the scheduled minimums of this traffic cannot be told, as something that is not priced; None where they can."""
    if not _moves(fleet) or _known(fleet, traffic):
        return None
    return (
        "what scheduled minimums add that fire by day of the month or by month (container_lane.schedules): this traffic has no "
        "calendar; give a series with times"
    )


def is_scheduled(fleet: ContainerLane, traffic: TrafficProfile) -> bool:
    """Whether the minimum is another than `min_instances` at some time, and can be told."""
    return _moves(fleet) and _known(fleet, traffic)


def lay_out(traffic: TrafficProfile, fleet: ContainerLane) -> TrafficProfile:
    """The same traffic in steps of which each has one minimum, over whole weeks where it has no calendar; itself where it is
    so already, or where no schedule moves the minimum."""
    if not is_scheduled(fleet, traffic):
        return traffic
    first = _start(traffic)
    begins_s = 60 * (60 * first.hour + first.minute)
    step_s = gcd(traffic.step_s, *(60 * minute - begins_s for cron, _ in _actions(fleet.schedules) for minute in cron.minutes))
    length_s = len(traffic.rates) * traffic.step_s
    times = 1 if traffic.start is not None else WEEK_S // gcd(length_s, WEEK_S)
    if step_s == traffic.step_s and times == 1:
        return traffic
    finer = traffic.step_s // step_s
    note = "it has no calendar: for container_lane.schedules it is repeated over a week from Monday, 0 h UTC"
    return replace(
        traffic,
        step_s=step_s,
        rates=tuple(rate for rate in traffic.rates for _ in range(finer)) * times,
        notes=(*traffic.notes, note) if times > 1 else traffic.notes,
    )


def minimums(fleet: ContainerLane, traffic: TrafficProfile) -> tuple[int, ...]:
    """Instances at least, of each step of traffic that is laid out (`lay_out`)."""
    if not is_scheduled(fleet, traffic):
        return (fleet.min_instances,) * len(traffic.rates)
    return _by_step(fleet.schedules, fleet.min_instances, _start(traffic), traffic.step_s, len(traffic.rates))


def weekly_shares(fleet: ContainerLane, traffic: TrafficProfile) -> tuple[tuple[int, float], ...]:
    """Of steady traffic the minimums of the week, each with its share of the time, lowest first."""
    found = minimums(fleet, lay_out(traffic, fleet))
    return tuple((least, found.count(least) / len(found)) for least in sorted(set(found)))


def _moves(fleet: ContainerLane) -> bool:
    return any(fleet.scheduled_minimum(each) != fleet.min_instances for each in fleet.schedules)


def _known(fleet: ContainerLane, traffic: TrafficProfile) -> bool:
    return traffic.start is not None or all(cron.weekly for cron, _ in _actions(fleet.schedules))


def _start(traffic: TrafficProfile) -> datetime:
    """To the minute, as schedules are."""
    return (traffic.start or MONDAY).astimezone(UTC).replace(second=0, microsecond=0)


@lru_cache(maxsize=64)
def _actions(schedules: tuple[str, ...]) -> Actions:
    return tuple((read_cron(ContainerLane.scheduled_cron(each)), ContainerLane.scheduled_minimum(each)) for each in schedules)


@lru_cache(maxsize=64)
def _by_step(schedules: tuple[str, ...], least: int, start: datetime, step_s: int, steps: int) -> tuple[int, ...]:
    found: list[int] = []
    actions = _actions(schedules)
    before = timedelta(days=BEFORE_DAYS_WEEKLY if all(cron.weekly for cron, _ in actions) else BEFORE_DAYS)
    for fires, minimum in _firings(actions, start - before, start + timedelta(seconds=steps * step_s)):
        earlier = -(-int((fires - start).total_seconds()) // step_s)  # steps that begin before it fires
        found += [least] * (earlier - len(found))
        least = minimum
    return (*found, *[least] * (steps - len(found)))


def _firings(actions: Actions, start: datetime, end: datetime) -> list[tuple[datetime, int]]:
    """Every firing from the day of `start` up to `end`, in order; of several at one moment the last in the list wins."""
    midnight = start.replace(hour=0, minute=0)
    days = [midnight + timedelta(days=number) for number in range((end - midnight).days + 1)]
    firings = [
        (day + timedelta(minutes=minute), minimum)
        for cron, minimum in actions
        for day in days
        if cron.fires_on(day)
        for minute in cron.minutes
    ]
    return sorted((each for each in firings if each[0] < end), key=lambda each: each[0])
