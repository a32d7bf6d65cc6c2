"""Open-loop load: requests leave at Poisson times whatever the answers do, so a slow lane cannot slow its own load.

Latency counts from the moment a request was due, so waiting for the generator or for a connection is not hidden
(no coordinated omission).
"""

from __future__ import annotations

import asyncio
import random
import statistics
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import aiohttp

MAX_REQUESTS = 200_000
"""No run sends more; a bound against a mistyped rate or duration."""


@dataclass(slots=True)
class LoadResult:
    """What came of one run. Latencies in ms, of successful requests; sizes in bytes of whole HTTP messages, estimated
    from the head as written and the body as received, still compressed."""

    duration_s: float = 0.0
    sent: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    broken: int = 0
    latencies_ms: list[float] = field(default_factory=list)
    response_bytes: list[int] = field(default_factory=list)
    request_bytes: list[int] = field(default_factory=list)

    @property
    def succeeded(self) -> int:
        return self.statuses[200]

    @property
    def failed(self) -> int:
        return self.sent - self.succeeded

    @property
    def mean_response_bytes(self) -> float:
        return statistics.fmean(self.response_bytes)

    @property
    def mean_request_bytes(self) -> float:
        return statistics.fmean(self.request_bytes)


async def run_load(
    base_url: str,
    paths: Iterator[str],
    *,
    rps: float,
    requests: int,
    seed: int,
    headers: dict[str, str] | None = None,
    timeout_s: float = 30.0,
    progress: Callable[[int], None] | None = None,
) -> LoadResult:
    """Send `requests` GETs at a mean of `rps` per second and wait for all of them.

    A broken connection or a time-out counts in `broken`; nothing is retried.
    """
    if not 0 < requests <= MAX_REQUESTS:
        raise ValueError(f"requests: must be 1 to {MAX_REQUESTS}")
    rng = random.Random(seed)
    result = LoadResult()
    loop = asyncio.get_running_loop()
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        base_url, timeout=timeout, connector=connector, headers=headers, auto_decompress=False
    ) as session:
        session._retry_connection = False  # aiohttp would resend a GET and so hide a reset; a test holds this
        started = loop.time()
        due = started
        async with asyncio.TaskGroup() as group:
            for _ in range(requests):
                due += rng.expovariate(rps)
                await asyncio.sleep(due - loop.time())
                group.create_task(_one(session, next(paths), due, result, progress))
        result.duration_s = loop.time() - started
    return result


async def _one(
    session: aiohttp.ClientSession, path: str, due: float, result: LoadResult, progress: Callable[[int], None] | None
) -> None:
    result.sent += 1
    try:
        async with session.get(path) as response:
            body = await response.read()
    except (aiohttp.ClientError, TimeoutError):
        result.broken += 1
    else:
        result.statuses[response.status] += 1
        if response.status == 200:
            result.latencies_ms.append((asyncio.get_running_loop().time() - due) * 1000)
            result.response_bytes.append(len(body) + _head_bytes(response.raw_headers))
            sent = tuple((k.encode(), v.encode()) for k, v in response.request_info.headers.items())
            result.request_bytes.append(len(path) + _head_bytes(sent))
    if progress is not None:
        progress(1)


def _head_bytes(headers: tuple[tuple[bytes, bytes], ...]) -> int:
    """Size of an HTTP/1.1 head: one line of about 15 bytes, then `name: value` lines."""
    return 17 + sum(len(name) + len(value) + 4 for name, value in headers)
