"""EventBridge Scheduler: invokes in lab time what is due, as the schedules that the local AWS holds say.

It invokes a function asynchronously and knows only whether Lambda took the event, as AWS's does; what becomes of it is Lambda's
(invocations.py). A window that is not `OFF` is used at its beginning. What was due while it stood still is not made up for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any
from zoneinfo import ZoneInfo

from infra.lab.aws.scheduler.expressions import read_expression
from infra.lab.lab_time import LabTime
from infra.lab.live.scheduled.deliveries import Deliveries, Due

EVERY_S = 1.0
"""Between two readings, in real seconds; an invocation is at its moment all the same."""

log = logging.getLogger("crossover.lab")


@dataclass(slots=True)
class Followed:
    """`changed` names this version of it, `since` is the lab's moment at which it was first seen so; `due` is None where it is
    never due again."""

    changed: datetime
    told: dict[str, Any]
    since: float
    due: float | None

    def after(self, moment: float) -> float | None:
        zone = ZoneInfo(self.told.get("ScheduleExpressionTimezone") or "UTC")
        return read_expression(self.told["ScheduleExpression"]).after(moment, self.since, zone)


class LiveScheduler:
    """An async context manager. `client` makes boto3's clients of the local AWS; `accepted` is called when Lambda has taken an
    event. While it is not `on`, nothing is due."""

    def __init__(
        self, *, client: Callable[[str], Any], lab_time: LabTime, accepted: Callable[[], None], on: bool = True
    ) -> None:
        self._client, self._time, self.on = client, lab_time, on
        self._deliveries = Deliveries(client, lab_time, accepted)
        self._followed: dict[str, Followed] = {}
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> LiveScheduler:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._deliveries.stop()

    def told(self) -> dict[str, Any]:
        """By name, when each is due next; for a page or a person."""
        return {each.told["Name"]: each.due for each in self._followed.values()} if self.on else {}

    async def _run(self) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        while True:
            try:
                if self.on:
                    await self._follow()
                    self._start_due()
                else:
                    self._followed.clear()
            except (BotoCoreError, ClientError) as error:
                log.warning("schedules: %s", error)
            await asyncio.sleep(self._pause_s())

    def _pause_s(self) -> float:
        next_due = min((each.due for each in self._followed.values() if each.due is not None), default=None)
        to_go = EVERY_S if next_due is None else self._time.real_s(next_due - self._time.now())
        return max(0.0, min(EVERY_S, to_go))

    async def _follow(self) -> None:
        there = await asyncio.to_thread(self._list)
        self._followed = {arn: each for arn, each in self._followed.items() if arn in there}
        for arn, listed in there.items():
            known = self._followed.get(arn)
            if known is not None and known.changed == listed["LastModificationDate"]:
                continue
            told = await asyncio.to_thread(self._get, listed)
            now = self._time.now()
            made = Followed(changed=listed["LastModificationDate"], told=told, since=now, due=None)
            made.due = made.after(now)
            self._followed[arn] = made

    def _list(self) -> dict[str, Any]:
        pages = self._client("scheduler").get_paginator("list_schedules").paginate(State="ENABLED")
        return {each["Arn"]: each for page in pages for each in page["Schedules"]}

    def _get(self, listed: dict[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = self._client("scheduler").get_schedule(GroupName=listed["GroupName"], Name=listed["Name"])
        return told

    def _start_due(self) -> None:
        now = self._time.now()
        for arn, each in self._followed.items():
            while each.due is not None and each.due <= now:
                self._deliveries.start(Due(arn=arn, target=each.told["Target"], moment=each.due))
                each.due = each.after(each.due)
