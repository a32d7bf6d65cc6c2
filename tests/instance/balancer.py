"""A load balancer of instances, as hard on them as the real one: keep-alive connections that it uses again whenever it likes,
and requests that it goes on sending for a while to an instance that was deregistered or that its health check found unready.

It never sends a request twice: whatever an instance does not answer is a failure that a caller would have seen.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field

HEALTH_FAILURES = 3


@dataclass(slots=True)
class Target:
    port: int
    sends_until: float = float("inf")
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)
    answered: Counter[str] = field(default_factory=Counter)
    unready: int = 0


class Balancer:
    """`leak_s` is how long a target that is out still gets requests. `seen` counts what came of all requests: `200`, another
    status, or the error's name; `late` how many an instance answered after it was out."""

    def __init__(self, ports: dict[str, int], *, leak_s: float, seed: int = 1) -> None:
        self.targets = {name: Target(port) for name, port in ports.items()}
        self.seen: Counter[str] = Counter()
        self.late: Counter[str] = Counter()
        self.slowest_ms = 0.0
        self.halted = False
        self._leak_s = leak_s
        self._rng = random.Random(seed)

    def deregister(self, name: str) -> None:
        """May be called from another thread, and again."""
        target = self.targets[name]
        target.sends_until = min(target.sends_until, time.monotonic() + self._leak_s)

    def out(self, name: str) -> bool:
        return self.targets[name].sends_until != float("inf")

    async def check_health(self, every_s: float) -> None:
        """`/readyz` of every target that is in, until halted."""
        while not self.halted:
            for name, target in self.targets.items():
                if not self.out(name):
                    status, _ = await self._ask(target, "/readyz", close=True)
                    target.unready = 0 if status == "200" else target.unready + 1
                    if target.unready >= HEALTH_FAILURES:
                        self.deregister(name)
            await asyncio.sleep(every_s)

    async def request(self, path: str) -> None:
        now = time.monotonic()
        name = self._rng.choice([name for name, target in self.targets.items() if now < target.sends_until])
        target = self.targets[name]
        status, close = await self._ask(target, path)
        self.seen[status] += 1
        if status == "200" and self.out(name):
            self.late[name] += 1
            self.seen["late, told to close" if close else "late, kept alive"] += 1
        self.slowest_ms = max(self.slowest_ms, (time.monotonic() - now) * 1000)

    async def _ask(self, target: Target, path: str, *, close: bool = False) -> tuple[str, bool]:
        """The status or the error's name, and whether the target has closed the connection."""
        try:
            reader, writer = await self._connection(target)
            last = "Connection: close\r\n" if close else ""
            writer.write(f"GET {path} HTTP/1.1\r\nHost: balancer\r\n{last}\r\n".encode())
            answer = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).lower()
            length = int(answer.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await asyncio.wait_for(reader.readexactly(length), 10)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            return type(error).__name__, True
        closed = b"connection: close" in answer
        if closed:
            writer.close()
        else:
            target.idle.append((reader, writer))
        return answer.split()[1].decode(), closed

    async def _connection(self, target: Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while target.idle:
            reader, writer = target.idle.pop(self._rng.randrange(len(target.idle)))
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", target.port)

    def close(self) -> None:
        for target in self.targets.values():
            for _, writer in target.idle:
                writer.close()
