"""EventBridge Scheduler of the lab: what is due is invoked at its moment, tried again, and told of where it cannot be."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from infra.lab.lab_time import LabTime
from infra.lab.lambda_lane import InvokeResult
from infra.lab.live.scheduled.by_the_clock import CLOCK
from infra.lab.live.scheduled.invocations import failure
from infra.lab.live.scheduled.scheduler import LiveScheduler

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:switcher"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:letters"
T0 = datetime(2027, 1, 1, 6, 59, 30, tzinfo=UTC).timestamp()


class Aws:
    """Scheduler's, Lambda's and SQS's clients in one. `refusals` are what Lambda answers before it takes an event."""

    def __init__(self, expression: str, **policy: int) -> None:
        target = {
            "Arn": FUNCTION,
            "Input": json.dumps({"at": "<aws.scheduler.scheduled-time>", "try": "<aws.scheduler.attempt-number>"}),
            "DeadLetterConfig": {"Arn": QUEUE},
            "RetryPolicy": policy,
        }
        self.told = {"Name": "mon", "ScheduleExpression": expression, "ScheduleExpressionTimezone": "UTC", "Target": target}
        self.refusals: list[tuple[int, str]] = []
        self.invoked: list[dict[str, str]] = []
        self.letters: list[dict[str, Any]] = []
        self.changed = datetime(2027, 1, 1, tzinfo=UTC)

    def __call__(self, service: str) -> Aws:
        return self

    def get_paginator(self, name: str) -> Aws:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"Schedules": [{"Arn": "arn:mon", "Name": "mon", "GroupName": "g", "LastModificationDate": self.changed}]}]

    def get_schedule(self, **_: Any) -> dict[str, Any]:
        return self.told

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> None:
        assert (FunctionName, InvocationType) == (FUNCTION, "Event")
        if self.refusals:
            status, code = self.refusals.pop(0)
            told = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
            raise ClientError(told, "Invoke")
        self.invoked.append(json.loads(Payload))

    def get_queue_url(self, **_: Any) -> dict[str, str]:
        return {"QueueUrl": "url"}

    def send_message(self, **told: Any) -> None:
        self.letters.append(told)


def run(aws: Aws, until: Callable[[], bool], *, speed: float = 600.0, on: bool = True) -> list[int]:
    """The lab's scheduler from half a minute before seven on, for twenty seconds at most; how often Lambda took an event."""
    accepted: list[int] = []

    async def watch() -> None:
        lab_time = LabTime(speed, (T0 - speed * time.time()) / (1 - speed))
        async with LiveScheduler(client=aws, lab_time=lab_time, accepted=lambda: accepted.append(1), on=on):
            await _until(until)

    asyncio.run(watch())
    return accepted


async def _until(so: Callable[[], bool]) -> None:
    end = time.monotonic() + 20.0
    while not so() and time.monotonic() < end:
        await asyncio.sleep(0.005)


def test_an_entry_is_started_at_its_moment_which_its_input_tells() -> None:
    aws = Aws("cron(0 7 ? * * *)")
    assert run(aws, lambda: bool(aws.invoked)) == [1]
    assert aws.invoked == [{"at": "2027-01-01T07:00:00Z", "try": "1"}]
    assert aws.letters == []


def test_what_is_refused_for_a_while_is_tried_again() -> None:
    aws = Aws("cron(0 7 ? * * *)", MaximumRetryAttempts=5, MaximumEventAgeInSeconds=900)
    aws.refusals = [(429, "TooManyRequestsException"), (500, "ServiceException")]
    assert run(aws, lambda: bool(aws.invoked)) == [1]
    assert aws.invoked == [{"at": "2027-01-01T07:00:00Z", "try": "3"}]


def attributes(letter: dict[str, Any]) -> dict[str, str]:
    return {name: each["StringValue"] for name, each in letter["MessageAttributes"].items()}


def test_attempts_that_are_used_up_or_an_event_that_is_too_old_is_a_dead_letter() -> None:
    for policy, condition in (
        ({"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 900}, "MaximumRetryAttempts"),
        ({"MaximumRetryAttempts": 50, "MaximumEventAgeInSeconds": 60}, "MaximumEventAgeInSeconds"),
    ):
        aws = Aws("cron(0 7 ? * * *)", **policy)
        aws.refusals = [(429, "TooManyRequestsException")] * 60
        assert run(aws, lambda told=aws.letters: bool(told)) == []  # type: ignore[misc]
        told = attributes(aws.letters[0])
        assert told["EXHAUSTED_RETRY_CONDITION"] == condition
        assert (told["ERROR_CODE"], told["SCHEDULED_TIME"]) == ("AWSLambda.TooManyRequestsException", "2027-01-01T07:00:00Z")
        assert json.loads(aws.letters[0]["MessageBody"])["at"] == "2027-01-01T07:00:00Z"


def test_a_function_that_is_not_there_is_not_tried_again() -> None:
    aws = Aws("cron(0 7 ? * * *)", MaximumRetryAttempts=5)
    aws.refusals = [(404, "ResourceNotFoundException")]
    run(aws, lambda: bool(aws.letters))
    told = attributes(aws.letters[0])
    assert (told["RETRY_ATTEMPTS"], told.get("EXHAUSTED_RETRY_CONDITION")) == ("0", None)
    assert aws.invoked == []


def test_while_it_stands_still_nothing_is_due() -> None:
    aws = Aws("rate(1 minute)")
    began = time.monotonic()
    run(aws, lambda: time.monotonic() - began > 0.3, on=False)
    assert aws.invoked == []


def test_a_rate_goes_on_from_when_the_schedule_was_seen() -> None:
    aws = Aws("rate(1 minute)")
    run(aws, lambda: len(aws.invoked) >= 3)
    moments = [datetime.fromisoformat(each["at"]).timestamp() for each in aws.invoked[:3]]
    assert [later - earlier for earlier, later in itertools.pairwise(moments)] == [60.0, 60.0]


def test_an_environments_clock_keeps_lab_time_and_its_sleeps_are_short() -> None:
    now = time.time()
    code = (
        "import time; at, steady = time.time(), time.monotonic(); time.sleep(60); "
        "print(at, time.time() - at, time.monotonic() - steady)"
    )
    variables = {"CROSSOVER_LAB_SPEED": "1000", "CROSSOVER_LAB_ORIGIN": str(now), "PYTHONPATH": str(CLOCK)}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **variables}, capture_output=True, text=True, check=True, timeout=30
    )
    told, slept, steady = map(float, done.stdout.split())
    assert now <= told <= now + 1000 * (time.time() - now)
    assert 60 <= slept < 30_000
    assert 60 <= steady < 30_000


def test_a_destination_is_told_what_the_function_was_given_and_how_it_failed() -> None:
    result = InvokeResult("r", 200, b'{"errorMessage": "refused"}', 1.0, 1, None, None, "Failed")
    told = failure(FUNCTION, '{"kind": "switch"}', "id", result, attempts=1, at=T0)
    assert told["timestamp"] == "2027-01-01T06:59:30.000Z"
    assert told["requestPayload"] == {"kind": "switch"}
    assert told["responsePayload"] == {"errorMessage": "refused"}
    assert told["requestContext"]["approximateInvokeCount"] == 1
