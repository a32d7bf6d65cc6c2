"""Parity: the same searches on both lanes must give identical answers, fields that hold a time aside.

The simulator's latencies must be held still (`fixed`), so that no supplier times out on one lane and not on the other.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

TIMING_FIELDS = frozenset({"elapsed_ms"})
"""Names of response fields that hold a measured time and so differ between any two runs."""

COMPARED_HEADERS = ("content-type", "cache-control")


@dataclass(frozen=True, slots=True)
class Difference:
    """One search answered differently; `where` is the JSON path (`$.hotels[0].name`) of the first difference."""

    path: str
    where: str
    lambda_value: str
    container_value: str


@dataclass(frozen=True, slots=True)
class Parity:
    """How many searches were asked of both lanes, and how many answers were identical."""

    queries: int
    identical: int
    differences: tuple[Difference, ...]


async def check_parity(
    lambda_url: str,
    container_url: str,
    paths: Sequence[str],
    *,
    lambda_headers: dict[str, str] | None = None,
    container_headers: dict[str, str] | None = None,
    concurrency: int = 4,
    progress: Callable[[int], None] | None = None,
) -> Parity:
    """Ask every path of both lanes and compare status, headers that matter, and the JSON body."""
    gate = asyncio.Semaphore(concurrency)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:

        async def one(path: str) -> Difference | None:
            async with gate:
                a, b = await asyncio.gather(
                    _ask(session, lambda_url + path, lambda_headers),
                    _ask(session, container_url + path, container_headers),
                )
            if progress is not None:
                progress(1)
            found = first_difference(a, b)
            return None if found is None else Difference(path, *found)

        found = [d for d in await asyncio.gather(*map(one, paths)) if d is not None]
    return Parity(queries=len(paths), identical=len(paths) - len(found), differences=tuple(found))


async def _ask(session: aiohttp.ClientSession, url: str, headers: dict[str, str] | None) -> dict[str, Any]:
    async with session.get(url, headers=headers) as response:
        body = await response.read()
    try:
        parsed = json.loads(body)
    except ValueError:
        parsed = body.decode(errors="replace")
    answered = {name: response.headers.get(name) for name in COMPARED_HEADERS}
    return {"status": response.status, "headers": answered, "body": parsed}


def first_difference(a: Any, b: Any, where: str = "$") -> tuple[str, str, str] | None:
    """Where two JSON values first differ, with both values shortened; `None` when they are the same."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(a.keys() | b.keys()):
            if key in TIMING_FIELDS:
                continue
            if key not in a or key not in b:
                return f"{where}.{key}", _short(a.get(key, "absent")), _short(b.get(key, "absent"))
            if found := first_difference(a[key], b[key], f"{where}.{key}"):
                return found
        return None
    if isinstance(a, list) and isinstance(b, list):
        for index, (x, y) in enumerate(zip(a, b, strict=False)):
            if found := first_difference(x, y, f"{where}[{index}]"):
                return found
        return None if len(a) == len(b) else (f"{where}.length", str(len(a)), str(len(b)))
    return None if a == b and type(a) is type(b) else (where, _short(a), _short(b))


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "…"
