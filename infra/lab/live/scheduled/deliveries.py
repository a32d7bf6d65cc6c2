"""One delivery: what is due is invoked; what is refused for a while is tried again, and in the end a dead letter tells of it.

"Retry attempts with exponential backoff continue until either the maximum number of attempts is made or until the duration of
the MaximumEventAgeInSeconds is reached" (API Reference, RetryPolicy); what will not be otherwise the next time, such as a
function that is not there, is not tried again. The dead letter is the target's input, with the error in its attributes
("Configuring a schedule's dead-letter queue", User Guide).
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from infra.lab.aws.scheduler.expressions import stamp
from infra.lab.lab_time import LabTime
from infra.lab.live.scheduled.invocations import send

FIRST_WAIT_S = 1.0
AGE_S, ATTEMPTS = 86_400, 185
BUSY = (429, 500, 502, 503, 504)

log = logging.getLogger("crossover.lab")


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A schedule's target at one of its moments (lab seconds since 1970)."""

    arn: str
    target: dict[str, Any]
    moment: float
    execution: str = field(default_factory=lambda: str(uuid.uuid4()))

    def input(self, attempt: int) -> str:
        """With the context attributes that Scheduler puts in ("Adding context attributes", User Guide)."""
        text: str = self.target.get("Input") or "{}"
        values = {
            "schedule-arn": self.arn,
            "scheduled-time": stamp(self.moment),
            "execution-id": self.execution,
            "attempt-number": str(attempt),
        }
        for name, value in values.items():
            text = text.replace(f"<aws.scheduler.{name}>", value)
        return text


class Deliveries:
    """Those under way."""

    def __init__(self, client: Callable[[str], Any], lab_time: LabTime, accepted: Callable[[], None]) -> None:
        self._client, self._time, self._accepted = client, lab_time, accepted
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, due: Due) -> None:
        task = asyncio.create_task(self._deliver(due))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _deliver(self, due: Due) -> None:
        policy = due.target.get("RetryPolicy", {})
        most, age_s = policy.get("MaximumRetryAttempts", ATTEMPTS), policy.get("MaximumEventAgeInSeconds", AGE_S)
        attempt, wait_s = 0, FIRST_WAIT_S
        while True:
            wrong = await asyncio.to_thread(self._invoke, due, attempt + 1)
            if wrong is None:
                return self._accepted()
            code, message, again = wrong
            exhausted = ""
            if again and attempt >= most:
                exhausted = "MaximumRetryAttempts"
            elif again and self._time.now() + wait_s - due.moment > age_s:
                exhausted = "MaximumEventAgeInSeconds"
            if exhausted or not again:
                log.warning("schedule %s: %s: %s", due.arn, code, message)
                return await asyncio.to_thread(self._give_up, due, attempt, code, message, exhausted)
            await asyncio.sleep(self._time.real_s(wait_s))
            attempt, wait_s = attempt + 1, wait_s * 2

    def _invoke(self, due: Due, attempt: int) -> tuple[str, str, bool] | None:
        """None where the event was taken; else an error's code and message, and whether it is worth another attempt."""
        from botocore.exceptions import BotoCoreError, ClientError

        arn: str = due.target["Arn"]
        if ":lambda:" not in arn:
            return "Unsupported", f"the lab invokes functions, not {arn}", False
        try:
            self._client("lambda").invoke(FunctionName=arn, InvocationType="Event", Payload=due.input(attempt).encode())
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            told = error.response["Error"]
            return f"AWSLambda.{told['Code']}", str(told.get("Message", "")), status in BUSY
        except BotoCoreError as error:
            return "AWS.Scheduler.InternalServerError", str(error), True
        return None

    def _give_up(self, due: Due, attempt: int, code: str, message: str, exhausted: str) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        queue = due.target.get("DeadLetterConfig", {}).get("Arn")
        if not queue:
            return
        attributes = {
            "ERROR_CODE": code,
            "ERROR_MESSAGE": message or code,
            "EXECUTION_ID": due.execution,
            "IS_PAYLOAD_TRUNCATED": "false",
            "RETRY_ATTEMPTS": str(attempt),
            "SCHEDULED_TIME": stamp(due.moment),
            "SCHEDULE_ARN": due.arn,
            "TARGET_ARN": due.target["Arn"],
            **({"EXHAUSTED_RETRY_CONDITION": exhausted} if exhausted else {}),
        }
        try:
            send(self._client("sqs"), queue, due.input(attempt + 1), attributes)
        except (BotoCoreError, ClientError) as error:
            log.warning("schedule %s: its dead letter was not taken: %s", due.arn, error)
