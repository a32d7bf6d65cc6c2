"""One alias of a deployed function: what it points at runs in environments of the real runtime client.

An alias that is moved leads new events to the new version once its code is here; what the old one has under way ends there,
and its environments with it. Concurrency is Lambda's: events under way of all versions, up to what is reserved for the
function or is left of the account's. A machine runs far fewer environments than AWS (`most_environments`); beyond them an
event waits, where AWS would start one more, and is not throttled for the machine's want of room.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import uuid
from dataclasses import dataclass

from infra.lab.lambda_lane import InvokeResult, LambdaLane
from infra.lab.live.front.counts import Tally
from infra.lab.live.front.function_code import Version
from infra.lab.runtime_api import EnvironmentGone, error_payload

ACCOUNT_CONCURRENCY = 1_000
INVOKE_LIMIT_S = 60.0
"""How long an event waits for a function whose code is not here yet."""


@dataclass(frozen=True, slots=True)
class LambdaFaults:
    """What the lab does to a function: at most `limit` events at once, `latency_s` more real seconds for each, and a share of
    them (0 to 1) that fail with no invocation of the code."""

    limit: int | None = None
    latency_s: float = 0.0
    errors: float = 0.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What AWS was told of an alias: its version, and the function's concurrency."""

    version: str
    reserved: int | None = None
    provisioned: int = 0


@dataclass(frozen=True, slots=True)
class Named:
    """A function's ARN in parts; `alias` may be a version's number, or `$LATEST` where the ARN names none."""

    function: str
    alias: str

    @classmethod
    def of(cls, arn: str) -> Named:
        parts = arn.split(":")
        return cls(parts[6], parts[7] if len(parts) > 7 else "$LATEST")

    @property
    def resource(self) -> str:
        """As CloudWatch names it."""
        return self.function if self.alias == "$LATEST" else f"{self.function}:{self.alias}"


class Alias:
    """One alias, or version, that a target group invokes."""

    def __init__(self, named: Named, tally: Tally, *, most_environments: int, seed: int = 0) -> None:
        self.named = named
        self.faults = LambdaFaults()
        self._tally = tally
        self._most = most_environments
        self._room = asyncio.Semaphore(most_environments)
        self._rng = random.Random(seed)
        self._ready = asyncio.Event()
        self._lane: LambdaLane | None = None
        self._under_way: dict[LambdaLane, int] = {}
        self.wanted: Wanted | None = None
        self.version: str | None = None
        self.at_once = 0
        self._stopped = False

    @property
    def environments(self) -> int:
        """Of the version that gets new events, alive now."""
        return 0 if self._lane is None else len(self._lane.environments)

    @property
    def provisioned(self) -> int:
        """How many of the environments that were asked for ahead of requests are there."""
        return min(self.environments, 0 if self.wanted is None else self.wanted.provisioned)

    def _limit(self) -> int:
        reserved = ACCOUNT_CONCURRENCY if self.wanted is None or self.wanted.reserved is None else self.wanted.reserved
        return reserved if self.faults.limit is None else min(reserved, self.faults.limit)

    async def invoke(self, event: bytes) -> InvokeResult:
        counts = self._tally.now.function(self.named.resource)
        if self.at_once >= self._limit():
            result = _refused(429, "TooManyRequestsException", "Rate Exceeded.")
        else:
            self.at_once += 1
            counts.at_once[float(self.at_once)] += 1
            if kept := self.provisioned:
                counts.on_provisioned += self.at_once <= kept
                counts.spilled += self.at_once > kept
            try:
                result = await self._run(event)
            finally:
                self.at_once -= 1
        self._tally.now.function(self.named.resource).ended(result)
        return result

    async def _run(self, event: bytes) -> InvokeResult:
        if self.faults.latency_s:
            await asyncio.sleep(self.faults.latency_s)
        if self.faults.errors and self._rng.random() < self.faults.errors:
            return _refused(200, "Unhandled", "the lab lets this invocation fail")
        async with self._room:
            try:
                async with asyncio.timeout(INVOKE_LIMIT_S):
                    await self._ready.wait()
            except TimeoutError:
                return _refused(500, "ServiceException", "the function's code is not here")
            lane = self._lane
            assert lane is not None
            self._under_way[lane] = self._under_way.get(lane, 0) + 1
            try:
                return await lane.invoke(event)
            finally:
                self._under_way[lane] -= 1
                if lane is not self._lane and not self._under_way[lane]:
                    del self._under_way[lane]
                    await lane.__aexit__(None, None, None)

    async def lead_to(self, version: Version, provisioned: int) -> None:
        """New events go to this version from now on, once as many environments as are provisioned have been started."""
        # Twice the room: environments that are started ahead stand beside those that events start.
        lane = LambdaLane(version.code, memory_mb=version.memory_mb, concurrency=2 * self._most, timeout_s=version.timeout_s)
        try:
            await self._start_ahead(lane, provisioned)
        except BaseException:  # the lab ends
            await lane.__aexit__(None, None, None)
            raise
        if self._stopped:
            return await lane.__aexit__(None, None, None)
        before, self._lane, self.version = self._lane, lane, version.name
        self._ready.set()
        if before is not None and not self._under_way.get(before):
            self._under_way.pop(before, None)
            await before.__aexit__(None, None, None)

    async def top_up(self) -> None:
        """Start what is missing of the environments that are provisioned."""
        if self._lane is not None and self.wanted is not None and self.provisioned < self.wanted.provisioned:
            await self._start_ahead(self._lane, self.wanted.provisioned)

    async def _start_ahead(self, lane: LambdaLane, count: int) -> None:
        with contextlib.suppress(EnvironmentGone):  # AWS would go on trying; events that come tell what is wrong
            await lane.prewarm(min(count, self._most))

    async def stop(self) -> None:
        self._stopped = True
        lanes = {*self._under_way, *([] if self._lane is None else [self._lane])}
        for lane in lanes:
            await lane.__aexit__(None, None, None)


def _refused(status: int, kind: str, message: str) -> InvokeResult:
    return InvokeResult(str(uuid.uuid4()), status, error_payload(kind, message), 0.0, 0, None, None, kind)
