"""The load balancer of a deployed stage: nodes on one loopback port that do what elbv2 was told. The kernel spreads connections
over them."""

from __future__ import annotations

import os
import socket
from types import TracebackType

from infra.errors import KitError
from infra.lab.live.front.followed import Snapshot
from infra.lab.live.front.groups import Target
from infra.lab.live.front.node import Around, Node

LAGS_S = (2.0, 5.0)
LEAST_DELAY_S = 5.0


class LiveBalancer:
    """The nodes, one for each of `lags_s`. An async context manager; `url` is where they listen."""

    def __init__(
        self,
        around: Around,
        first: Snapshot,
        *,
        lags_s: tuple[float, ...] = LAGS_S,
        port: int = 0,
        seed: int = 0,
        least_delay_s: float = LEAST_DELAY_S,
    ) -> None:
        self._roster, self._lab_time, self._port = around.roster, around.lab_time, port
        self._least_delay_s = least_delay_s
        self._nodes = [Node(around, first, lag_s=lag_s, seed=seed + number) for number, lag_s in enumerate(lags_s)]
        self.url = ""

    async def __aenter__(self) -> LiveBalancer:
        try:
            for node, listening in zip(self._nodes, _sockets(self._port, len(self._nodes)), strict=True):
                await node.start(listening)
                self._port = listening.getsockname()[1]
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        self.url = f"http://127.0.0.1:{self._port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for node in self._nodes:
            await node.stop()

    @property
    def connections(self) -> int:
        return sum(node.connections for node in self._nodes)

    def learn(self, snapshot: Snapshot, read_at: float) -> None:
        """Of a change that was read at this moment, in lab seconds since 1970."""
        self._roster.learn(snapshot, read_at)
        for node in self._nodes:
            node.learn(snapshot, read_at)

    def let_go(self, now: float) -> list[Target]:
        """Forget targets whose deregistration delay is over, and tell which. Requests take real time: what is in flight has
        had `least_delay_s` of it before it is cut off, or the delay where that is shorter."""
        over = self._roster.over(now)
        for arn, target, delay_s in over:
            in_s = max(0.0, min(delay_s, self._least_delay_s) - self._lab_time.real_s(delay_s))
            for node in self._nodes:
                node.cut_off(arn, target, in_s)
        return [target for _, target, _ in over]


def _sockets(port: int, count: int) -> list[socket.socket]:
    """So many sockets on one port. Asks first without sharing it, which another load balancer on it would grant."""
    try:
        with socket.create_server(("127.0.0.1", port)) as alone:
            port = alone.getsockname()[1]
    except OSError as error:
        raise KitError(f"the load balancer cannot listen on port {port}: {os.strerror(error.errno or 0)}") from None
    return [socket.create_server(("127.0.0.1", port), backlog=2048, reuse_port=True) for _ in range(count)]
