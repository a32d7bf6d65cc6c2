"""Measures cold starts, from spawning an environment to its first poll: of a bundle, and of the floor none can go below."""

from __future__ import annotations

import tempfile
from pathlib import Path

from infra.lab.lambda_lane import LambdaLane
from infra.lab.runtime_api import Code

BARE_HANDLER = "def handler(event, context):\n    return {}\n"


async def measure_cold_starts(code: Code, count: int) -> list[float]:
    """Init Durations (ms) of `count` environments, started one after the other."""
    found = []
    for _ in range(count):
        async with LambdaLane(code, concurrency=1) as lane:
            found += await lane.prewarm(1)
    return found


async def measure_bare_cold_starts(code: Code, count: int) -> list[float]:
    """The same for an empty handler on the same interpreter and runtime client: the floor no bundle can go below."""
    with tempfile.TemporaryDirectory(prefix="crossover-bare-") as folder:
        (Path(folder) / "bare.py").write_text(BARE_HANDLER)
        return await measure_cold_starts(Code(Path(folder), code.python, {}, code.runtime, "bare.handler"), count)
