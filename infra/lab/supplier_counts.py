"""The simulated suppliers beside a measurement: what they have counted, set to nought, and how slow they are."""

from __future__ import annotations

import json

import aiohttp

from infra.lab.cloud import LocalCloud


async def control(cloud: LocalCloud, method: str, path: str, body: str = "") -> bytes:
    """Ask the simulator's own pages; it must be there."""
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"{cloud.simulator_url}/_sim/{path}", data=body.encode()) as answer,
    ):
        answer.raise_for_status()
        return await answer.read()


async def set_latency(cloud: LocalCloud, latency: str) -> None:
    """Change the suppliers' latency while they run."""
    await control(cloud, "PUT", "latency", latency)


Counts = dict[str, dict[str, int]]


async def supplier_counts(cloud: LocalCloud) -> Counts | None:
    """What the simulated suppliers have counted; `None` without them."""
    if cloud.simulator_url is None:
        return None
    counts: Counts = json.loads(await control(cloud, "GET", "stats"))["suppliers"]
    return counts


def per_search(counts: Counts | None, name: str, searches: int) -> float | None:
    """The mean of one count, over all suppliers; `None` where nobody counted."""
    return None if counts is None else round(sum(count[name] for count in counts.values()) / searches, 1)
