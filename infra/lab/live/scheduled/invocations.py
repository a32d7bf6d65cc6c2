"""Lambda's queue of asynchronous invocations: what the local AWS has accepted is run, tried again, and told where it fails.

After an error of the function Lambda waits a minute and tries again, then two minutes ("How Lambda handles errors and retries
with asynchronous invocation", Developer Guide), as often as the function's settings say; then it tells the destination for
failures. Throttled events, which Lambda keeps for hours, do not come about here: nothing limits these functions.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from infra.errors import KitError
from infra.lab.lab_time import LabTime
from infra.lab.lambda_lane import InvokeResult
from infra.lab.live.front.alias import Named
from infra.lab.live.front.function_code import Versions
from infra.lab.live.scheduled.by_the_clock import ByTheClock
from infra.lab.page_call import call

RETRIES = 2
"""Where a function's settings name none."""
WAITS_S = (60.0, 120.0)
EVERY_S = 1.0

log = logging.getLogger("crossover.lab")


class LiveInvocations:
    """An async context manager. `client` makes boto3's clients of the local AWS at `aws_url`; leaving it ends what runs."""

    def __init__(self, *, client: Callable[[str], Any], aws_url: str, versions: Versions, lab_time: LabTime) -> None:
        self._client, self._aws_url, self._versions, self._time = client, aws_url, versions, lab_time
        self._functions: dict[str, ByTheClock] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._reading = asyncio.Lock()
        self.accepted = asyncio.Event()
        """Set by whoever knows that there is something to take."""

    async def __aenter__(self) -> LiveInvocations:
        self._start(self._take())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(function.stop() for function in self._functions.values()))

    def told(self) -> dict[str, Any]:
        """By function, what has been run; for a page or a person."""
        return {name: dict(function.told) for name, function in self._functions.items()}

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take(self) -> None:
        while True:
            try:
                async with asyncio.timeout(EVERY_S):
                    await self.accepted.wait()
            except TimeoutError:
                pass
            self.accepted.clear()
            try:
                taken = await asyncio.to_thread(call, "POST", f"{self._aws_url}/_lab/invocations", {})
            except (KitError, OSError) as error:
                log.warning("invocations: %s", error)
                continue
            for each in taken:
                self._start(self._carry_out(each["function"], each["event"], each["request_id"]))

    async def _carry_out(self, arn: str, event: str, request_id: str) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        named = Named.of(arn)
        try:
            settings = await asyncio.to_thread(self._settings, named.function)
            retries = settings.get("MaximumRetryAttempts", RETRIES)
            for attempt in range(retries + 1):
                if attempt:
                    await asyncio.sleep(self._time.real_s(WAITS_S[attempt - 1]))
                result = await self._run(named, event)
                if result.error_type is None:
                    return
            destination = settings.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
            if destination:
                told = failure(arn, event, request_id, result, attempts=retries + 1, at=self._time.now())
                await asyncio.to_thread(send, self._client("sqs"), destination, told)
        except (BotoCoreError, ClientError, KitError, OSError) as error:
            log.warning("invocation of %s: %s", named.function, error)

    async def _run(self, named: Named, event: str) -> InvokeResult:
        async with self._reading:  # which unpacks code, by one at a time
            version = await asyncio.to_thread(self._versions.read, named.function, named.alias)
        function = self._functions.setdefault(named.resource, ByTheClock(self._time, self._aws_url))
        result = await function.run(version, event.encode())
        for line in (*function.new_lines(), result.report(version.memory_mb).replace("\t", "  ")):
            log.info("%s: %s", named.function, line)
        return result

    def _settings(self, function: str) -> dict[str, Any]:
        functions = self._client("lambda")
        try:
            found: dict[str, Any] = functions.get_function_event_invoke_config(FunctionName=function)
        except functions.exceptions.ResourceNotFoundException:
            return {}
        return found


def failure(arn: str, event: str, request_id: str, result: InvokeResult, *, attempts: int, at: float) -> dict[str, Any]:
    """What a destination is told ("Capturing records of Lambda asynchronous invocations", Developer Guide)."""
    return {
        "version": "1.0",
        "timestamp": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": request_id,
            "functionArn": f"{arn}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": attempts,
        },
        "requestPayload": json.loads(event),
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": json.loads(result.payload or b"null"),
    }


def send(sqs: Any, queue_arn: str, body: Any, attributes: dict[str, str] | None = None) -> None:
    """To a queue by its ARN; text goes as it is."""
    name = queue_arn.rpartition(":")[2]
    told = {key: {"DataType": "String", "StringValue": value} for key, value in (attributes or {}).items()}
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=body if isinstance(body, str) else json.dumps(body), MessageAttributes=told)
