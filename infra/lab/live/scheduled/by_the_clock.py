"""The environments of functions that keep lab time: their clock, the deadline they are told, and the SDK beside their code."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

from infra.lab.lab_time import LabTime
from infra.lab.lambda_lane import InvokeResult, LambdaLane, runtime_folder
from infra.lab.live.front.function_code import Version

CLOCK = Path(__file__).resolve().parent / "clock"
AT_ONCE = 4
KEY = "switcher-role"
"""Access key of functions that are invoked so, by which faults and the log of calls tell them apart."""


class ByTheClock:
    """One function's. Environments stay until its code or settings change; what is under way then ends in them."""

    def __init__(self, lab_time: LabTime, aws_url: str) -> None:
        self._time, self._aws_url = lab_time, aws_url
        self._version: Version | None = None
        self._lane: LambdaLane | None = None
        self._changing = asyncio.Lock()
        self._under_way: Counter[LambdaLane] = Counter()
        self._heard: Counter[str] = Counter()
        self.told = {"runs": 0, "failed": 0, "memory_mb": 0}
        """How often it ran, how often to an error, and the most memory that an environment had."""

    async def run(self, version: Version, event: bytes) -> InvokeResult:
        lane = await self._lane_of(version)
        self._under_way[lane] += 1
        try:
            result = await lane.invoke(event)
        finally:
            self._under_way[lane] -= 1
            await self._end_if_over(lane)
        self.told["runs"] += 1
        self.told["failed"] += result.error_type is not None
        self.told["memory_mb"] = max(self.told["memory_mb"], int(result.max_memory_mb or 0))
        return result

    def new_lines(self) -> list[str]:
        """What the function has logged since it was last asked."""
        lines = Counter([] if self._lane is None else self._lane.log_lines())
        heard, self._heard = self._heard, lines
        return list((lines - heard).elements())

    async def _lane_of(self, version: Version) -> LambdaLane:
        async with self._changing:
            if self._lane is None or version != self._version:
                before = self._lane
                variables = await asyncio.to_thread(self._variables, version)
                self._lane = LambdaLane(
                    replace(version.code, env={**version.code.env, **variables}),
                    memory_mb=version.memory_mb,
                    concurrency=AT_ONCE,
                    timeout_s=version.timeout_s,
                    lab_time=self._time,
                )
                self._version, self._heard = version, Counter()
                if before is not None:
                    await self._end_if_over(before)
            return self._lane

    async def _end_if_over(self, lane: LambdaLane) -> None:
        if lane is not self._lane and not self._under_way[lane]:
            del self._under_way[lane]
            await lane.__aexit__(None, None, None)

    def _variables(self, version: Version) -> dict[str, str]:
        code = version.code
        sdk = runtime_folder(code.runtime.name.removeprefix("py"), code.python, "sdk")
        return {
            "AWS_ENDPOINT_URL": self._aws_url,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_EC2_METADATA_DISABLED": "true",
            "CROSSOVER_LAB_SPEED": repr(self._time.speed),
            "CROSSOVER_LAB_ORIGIN": repr(self._time.origin),
            "PYTHONPATH": f"{CLOCK}:{code.tree}:{code.runtime}:{sdk}",
        }

    async def stop(self) -> None:
        lanes = {*self._under_way, *([] if self._lane is None else [self._lane])}
        self._lane = None
        for lane in lanes:
            await lane.__aexit__(None, None, None)
