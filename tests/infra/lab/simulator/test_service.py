"""The simulator's process: what it does when clients leave, when it is told to stop, and when its port is taken."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pytest

from infra.lab.simulator.faults import Latency, parse_fault
from infra.lab.simulator.service import HUGE_BYTES, HUGE_PART, Simulator
from tests.conftest import ROOT


class Client:
    """An ASGI client that leaves after `patience` parts of the answer, or after 50 ms of silence."""

    def __init__(self, patience: int) -> None:
        self.parts = 0
        self._patience = patience
        self._asked = False
        self._left = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b""}
        with suppress(TimeoutError):
            await asyncio.wait_for(self._left.wait(), 0.05)
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        self.parts += 1
        if self.parts >= self._patience:
            self._left.set()


@pytest.mark.parametrize(("fault", "most_parts"), [("huge", 40), ("hang", 0), ("drip", 5)])
async def test_a_fault_stops_when_its_client_leaves(fault: str, most_parts: int) -> None:
    simulator = Simulator(7, Latency("fixed:0", 7), {"*": parse_fault(fault)})
    client = Client(patience=10)
    scope = {"type": "http", "method": "GET", "path": "/rapid-01/x", "raw_path": b"/x", "query_string": b"", "headers": []}
    async with asyncio.timeout(2):
        await simulator(scope, client.receive, client.send)  # type: ignore[arg-type]
    assert client.parts <= most_parts < HUGE_BYTES // len(HUGE_PART)


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "infra.cli", "simulator", "--port", "0", "--latency", "fixed:0", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip().removeprefix("listening on ")
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_at_once_and_cleanly_while_an_answer_hangs(number: signal.Signals) -> None:
    with running() as (process, url):
        httpx.put(f"{url}/_sim/faults/*", content="hang").raise_for_status()
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as waiting:
            waiting.sendall(b"GET /rapid-01/x HTTP/1.1\r\nHost: x\r\n\r\n")
            started = time.monotonic()
            while httpx.get(f"{url}/_sim/stats").json()["suppliers"]["rapid-01"]["requests"] == 0:
                assert time.monotonic() - started < 5
            process.send_signal(number)
            assert process.wait(timeout=2) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


def test_a_port_in_use_is_one_line_and_exit_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "infra.cli", "simulator", "--port", str(port)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("crossover: ")]
    assert line == f"crossover: cannot listen on 127.0.0.1:{port}: Address already in use; name a free port with --port"


def test_a_reset_is_a_tcp_reset() -> None:
    with running() as (_, url):
        httpx.put(f"{url}/_sim/faults/rapid-01", content="reset").raise_for_status()
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(b"GET /rapid-01/x HTTP/1.1\r\nHost: x\r\n\r\n")
            with pytest.raises(ConnectionResetError):
                connection.recv(1)


def test_control_changes_latency_and_faults_while_running() -> None:
    with running() as (_, url), httpx.Client(base_url=url) as client:
        assert client.put("/_sim/faults/*", content="status:503").status_code == 200
        assert client.get("/rapid-01/x").status_code == client.get("/liteapi-12/x").status_code == 503
        client.put("/_sim/faults/rapid-01", content="status:418").raise_for_status()
        assert client.get("/rapid-01/x").status_code == 418, "a supplier's own fault comes first"
        assert client.delete("/_sim/faults").status_code == 200
        assert client.get("/rapid-01/x").status_code == 404
        client.put("/_sim/latency", content="fixed:150").raise_for_status()
        started = time.perf_counter()
        client.get("/rapid-01/x")
        assert time.perf_counter() - started >= 0.15
        wrong = client.put("/_sim/faults/rapid-01", content="explode")
        assert wrong.status_code == 422
        assert wrong.json()["error"].startswith("unknown fault 'explode'; known: status:<code>, garbage")
        client.post("/_sim/stats/reset").raise_for_status()
        stats = client.get("/_sim/stats").json()
        assert {tuple(counts.values()) for counts in stats["suppliers"].values()} == {(0, 0, 0)}
        assert client.get("/nobody/x").status_code == client.get("/_sim/nothing").status_code == 404
