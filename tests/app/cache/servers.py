"""Real Redis or Valkey servers for the tests: one server, or a primary with a replica and three Sentinels."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import redis as sync_redis

from tests.conftest import free_port, require_program


def program() -> str:
    return shutil.which("valkey-server") or require_program("redis-server")


class Server:
    """One process on loopback; `options` are lines of its configuration file."""

    def __init__(self, folder: Path, *options: str, port: int | None = None, sentinel: bool = False) -> None:
        self.port = port or free_port()
        self._file = folder / f"{self.port}.conf"
        self._sentinel = sentinel
        own = () if sentinel else ('save ""', "appendonly no", "repl-diskless-sync-delay 0", "repl-timeout 5")
        lines = (f"port {self.port}", "bind 127.0.0.1", f"dir {folder}", "loglevel warning", *own, *options)
        self._file.write_text("\n".join(lines) + "\n")
        self.start()

    def start(self) -> None:
        command = [program(), str(self._file), *(["--sentinel"] if self._sentinel else [])]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.until(self._listens)
        except AssertionError:
            self.kill()
            raise

    def _listens(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True

    def client(self, password: str | None = None) -> sync_redis.Redis:
        return sync_redis.Redis(port=self.port, password=password, socket_timeout=2)

    def until(self, true: Callable[[], object], limit_s: float = 15) -> None:
        """Wait until `true()` is so; a server that does not answer yet is not so."""
        end = time.monotonic() + limit_s
        while True:
            try:
                if true():
                    return
            except (sync_redis.RedisError, OSError):
                pass
            assert time.monotonic() < end, f"not so within {limit_s:g} s"
            time.sleep(0.02)

    def freeze(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def server(folder: Path, *options: str) -> Iterator[Server]:
    running = Server(folder, *options)
    try:
        yield running
    finally:
        running.thaw()
        running.kill()


class Watched:
    """A primary and its replica, watched by three Sentinels as `mymaster`."""

    def __init__(self, folder: Path, *, down_after_ms: int) -> None:
        self.primary = Server(folder)
        self.replica = Server(folder, f"replicaof 127.0.0.1 {self.primary.port}")
        watch = (
            f"sentinel monitor mymaster 127.0.0.1 {self.primary.port} 2",
            f"sentinel down-after-milliseconds mymaster {down_after_ms}",
            "sentinel failover-timeout mymaster 4000",
        )
        self.sentinels = [Server(folder, *watch, sentinel=True) for _ in range(3)]
        for sentinel in self.sentinels:
            sentinel.until(partial(self._knows_all, sentinel))

    def _knows_all(self, sentinel: Server) -> bool:
        state = sentinel.client().sentinel_master("mymaster")
        return int(state["num-slaves"]) == 1 and int(state["num-other-sentinels"]) == 2  # type: ignore[index]

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/mymaster"

    def primary_port(self) -> int:
        """Where the Sentinels say that the primary is."""
        answer = self.sentinels[0].client().sentinel_get_master_addr_by_name("mymaster")
        return int(answer[1])  # type: ignore[index]


@contextmanager
def watched(folder: Path, *, down_after_ms: int = 1_000) -> Iterator[Watched]:
    group = Watched(folder, down_after_ms=down_after_ms)
    try:
        yield group
    finally:
        for each in (*group.sentinels, group.replica, group.primary):
            each.kill()
