"""Identical work in flight is done once: callers that ask for the same key share one task.

A caller that goes away leaves the others their answer; when the last one is gone, the task is cancelled.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
P = TypeVar("P")

log = logging.getLogger("crossover.singleflight")


class Flight(Generic[P]):
    """One piece of work under way. Whoever does it may `publish` parts; a listener that comes late hears them all."""

    __slots__ = ("_listeners", "_published", "waiters")

    def __init__(self) -> None:
        self.waiters = 0
        self._published: list[P] = []
        self._listeners: list[Callable[[P], None]] = []

    def publish(self, part: P) -> None:
        self._published.append(part)
        for listener in tuple(self._listeners):
            self._tell(listener, part)

    def listen(self, listener: Callable[[P], None]) -> None:
        self._listeners.append(listener)
        for part in tuple(self._published):
            self._tell(listener, part)

    def forget(self, listener: Callable[[P], None]) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)

    def _tell(self, listener: Callable[[P], None], part: P) -> None:
        try:
            listener(part)
        except Exception:  # one caller's listener must not break what others wait for
            log.exception("a listener failed and hears no more")
            self.forget(listener)


class SingleFlight(Generic[K, P, V]):
    """Flights by key. `shared` counts callers that joined work already under way."""

    def __init__(self) -> None:
        self._flights: dict[K, tuple[Flight[P], asyncio.Task[V]]] = {}
        self.shared = 0

    def __len__(self) -> int:
        return len(self._flights)

    def __contains__(self, key: K) -> bool:
        return key in self._flights

    async def do(
        self,
        key: K,
        make: Callable[[Flight[P]], Coroutine[Any, Any, V]],
        *,
        listener: Callable[[P], None] | None = None,
    ) -> V:
        """What `make` returns or raises, made once for all who ask for `key` at the same time.

        Being cancelled costs the others nothing. The last caller to leave cancels the work and waits until it has ended.
        """
        found = self._flights.get(key)
        if found is None:
            flight: Flight[P] = Flight()
            task = asyncio.get_running_loop().create_task(make(flight))
            self._flights[key] = flight, task
            task.add_done_callback(lambda _: self._forget(key, flight))
        else:
            flight, task = found
            self.shared += 1
        flight.waiters += 1
        if listener is not None:
            flight.listen(listener)
        try:
            return await asyncio.shield(task)
        finally:
            flight.waiters -= 1
            if listener is not None:
                flight.forget(listener)
            if not flight.waiters and not task.done():
                self._forget(key, flight)  # whoever comes now starts anew
                task.cancel()
                await asyncio.wait([task])

    def _forget(self, key: K, flight: Flight[P]) -> None:
        found = self._flights.get(key)
        if found is not None and found[0] is flight:
            del self._flights[key]
