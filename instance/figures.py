"""What the service's `/metrics` says, as the instance's figures for CloudWatch.

Each of several workers answers for itself, and whichever takes the connection answers; so the instance asks, each time over a
new connection, until it has heard every worker or has asked often enough. A busy worker takes connections more rarely: where
one was not heard, the figures are those of the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from instance.cloud import Figure

ASKED_PER_WORKER = 8
PROCESS = "crossover_worker_process"
BUSY = "crossover_event_loop_busy_share"
LAG = 'crossover_event_loop_lag_milliseconds{quantile="0.99"}'
IN_FLIGHT = "crossover_searches_in_flight"
_HELD_BACK = re.compile(r'crossover_breaker_state\{supplier="[^"]*",state="open"\}')


class Told(NamedTuple):
    """One worker's answer; `None` is unknown, as each figure of a service of one's own is."""

    process: float | None
    busy_share: float | None
    lag_p99_ms: float | None
    in_flight: float | None
    held_back: float | None


def read(text: str) -> Told:
    """Prometheus' text, of which anything that is not a figure of ours is passed over."""
    values: dict[str, float] = {}
    for line in text.splitlines():
        name, _, value = line.rpartition(" ")
        if line.startswith("crossover_") and re.fullmatch(r"[0-9.e+-]+", value):
            values[name] = float(value)
    states = [value for name, value in values.items() if _HELD_BACK.fullmatch(name)]
    return Told(values.get(PROCESS), values.get(BUSY), values.get(LAG), values.get(IN_FLIGHT), sum(states) if states else None)


def hear(ask: Callable[[], str | None], workers: int) -> list[Told]:
    """The answers of the workers that were heard, one each. `ask` gives `None` where nobody answers."""
    heard: dict[float | None, Told] = {}
    for _ in range(ASKED_PER_WORKER * workers):
        text = ask()
        if text is None:
            break
        told = read(text)
        heard[told.process] = told
        if len(heard) >= workers or told.process is None:
            break
    return list(heard.values())


def figures(heard: Iterable[Told]) -> list[Figure]:
    """The instance's: how busy its loops are in the mean, the worst lag, all searches, the most suppliers that one worker holds
    back. What is unknown is left out."""
    heard = list(heard)
    busy = [told.busy_share for told in heard if told.busy_share is not None]
    lag = [told.lag_p99_ms for told in heard if told.lag_p99_ms is not None]
    in_flight = [told.in_flight for told in heard if told.in_flight is not None]
    held_back = [told.held_back for told in heard if told.held_back is not None]
    found = []
    if busy:
        found.append(Figure("EventLoopBusy", "Percent", 100 * sum(busy) / len(busy)))
    if lag:
        found.append(Figure("EventLoopLagP99", "Milliseconds", max(lag)))
    if in_flight:
        found.append(Figure("SearchesInFlight", "Count", sum(in_flight)))
    if held_back:
        found.append(Figure("SuppliersHeldBack", "Count", max(held_back)))
    return found
