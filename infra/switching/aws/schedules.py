"""The scheduled switches of a stage, as entries of EventBridge Scheduler in the stage's own group.

An entry starts the stage's switcher (`infra.switching.aws.switcher`) with its `Input`. The group, the function, the role and
the queue are the schedule stack's; entries are not in a template, for operators change them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Struct

from infra.errors import KitError
from infra.switching.aws.calls import Aws, asked
from infra.switching.aws.resources import outputs_of, prefix_of
from infra.switching.plan import DEFAULT_STEPS, Callouts, Limits

LATEST_S = 900
"""A start that Scheduler could not make within so long is not made: traffic does not move at a time nobody asked for."""
ATTEMPTS = 5
MOMENT = "<aws.scheduler.scheduled-time>"
"""Scheduler puts the moment in its place (User Guide, "Context attributes")."""
ON, OFF = "ENABLED", "DISABLED"


class Entry(Struct, frozen=True, kw_only=True, tag_field="kind", tag="switch"):
    """What an entry tells the switcher, and `crossover schedule list` a reader. `measured` has CPU and waiting in milliseconds
    of one request by lane. `days` are 0 (Monday) to 6, `minute` is of the day; `saves_usd` is dollars a month, as text."""

    name: str
    to: str
    days: tuple[int, ...]
    minute: int
    steps: tuple[int, ...] = DEFAULT_STEPS
    units: int | None = None
    measured: dict[str, tuple[float, float]] = {}
    callouts: Callouts = Callouts()
    limits: Limits = Limits()
    smoke_path: str | None = None
    allow_version_skew: bool = False
    saves_usd: str | None = None
    saving_by: str | None = None
    moment: str = MOMENT


class Tick(Struct, frozen=True, tag_field="kind", tag="tick"):
    """Each minute: is there a switch of the switcher's own that nobody drives?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """`entry` is None for one that this tool did not write."""

    name: str
    expression: str
    timezone: str
    state: str
    entry: Entry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What the schedule stack made: the group's name, ARNs of the rest."""

    group: str
    function: str
    role: str
    dead_letters: str


def find_place(aws: Aws, stage: str) -> Place:
    """`KitError` where the stage has no switcher."""
    place = place_of(aws, stage)
    if place is None:
        stack = f"{prefix_of(stage)}-schedule"
        raise KitError(f"there is no stack {stack} in {aws.region}: deploy the stage with switch.scheduled=true first")
    return place


def place_of(aws: Aws, stage: str) -> Place | None:
    """None where the stage has no switcher."""
    stack = f"{prefix_of(stage)}-schedule"
    outputs = outputs_of(aws, stack)
    if outputs is None:
        return None
    try:
        return Place(
            group=outputs["ScheduleGroup"],
            function=outputs["SwitcherArn"],
            role=outputs["SchedulerRoleArn"],
            dead_letters=outputs["DeadLettersArn"],
        )
    except KeyError as missing:
        raise KitError(
            f"stack {stack} has no output {missing.args[0]}: deploy the stage anew, as `npx cdk deploy --all`"
        ) from None


class Schedules:
    """Raises `Unreachable` and `KitError` as `asked` does."""

    def __init__(self, aws: Aws, place: Place) -> None:
        self._aws, self._place = aws, place

    def all(self) -> tuple[Listed, ...]:
        """By name; the tick, which is the stack's, is left out."""
        client, found = self._client(), []
        with asked(f"schedules of {self._place.group}"):
            pages = client.get_paginator("list_schedules").paginate(GroupName=self._place.group)
            names = [each["Name"] for page in pages for each in page["Schedules"]]
            for name in sorted(names):
                told = client.get_schedule(GroupName=self._place.group, Name=name)
                read = _read(told["Target"].get("Input"))
                if isinstance(read, Tick):
                    continue
                found.append(
                    Listed(
                        name=name,
                        expression=told["ScheduleExpression"],
                        timezone=told.get("ScheduleExpressionTimezone") or "UTC",
                        state=told["State"],
                        entry=read,
                    )
                )
        return tuple(found)

    def write(self, entry: Entry, expression: str, timezone: str, *, state: str, new: bool) -> None:
        with asked(f"schedule {entry.name}"):
            call = self._client().create_schedule if new else self._client().update_schedule
            call(**self._body(entry, expression, timezone, state))

    def set_state(self, listed: Listed, state: str) -> None:
        """An update replaces the whole entry, so all of it is given again."""
        if listed.entry is None:
            raise KitError(f"schedule {listed.name} was not written by this tool: change it where it was made")
        self.write(listed.entry, listed.expression, listed.timezone, state=state, new=False)

    def remove(self, name: str) -> None:
        with asked(f"schedule {name}"):
            self._client().delete_schedule(GroupName=self._place.group, Name=name)

    def _body(self, entry: Entry, expression: str, timezone: str, state: str) -> Mapping[str, Any]:
        return {
            "GroupName": self._place.group,
            "Name": entry.name,
            "Description": f"crossover: switch to {entry.to}",
            "ScheduleExpression": expression,
            "ScheduleExpressionTimezone": timezone,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "State": state,
            "Target": {
                "Arn": self._place.function,
                "RoleArn": self._place.role,
                "Input": msgspec.json.encode(entry).decode(),
                "DeadLetterConfig": {"Arn": self._place.dead_letters},
                "RetryPolicy": {"MaximumEventAgeInSeconds": LATEST_S, "MaximumRetryAttempts": ATTEMPTS},
            },
        }

    def _client(self) -> Any:
        return self._aws.client("scheduler")


def _read(text: str | None) -> Entry | Tick | None:
    try:
        return msgspec.json.decode(text or "", type=Entry | Tick)
    except msgspec.DecodeError:
        return None
