"""Workers are recycled without a reset connection, replaced when they die or block, and never outlive their supervisor."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from tests.conftest import ROOT

APP = """
import asyncio, os, sys, time
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

async def answer(request):
    await asyncio.sleep(0.002)
    return PlainTextResponse(str(os.getpid()))

async def block(request):
    time.sleep(float(request.query_params.get("s", "60")))
    return PlainTextResponse("blocked")

def create_app():
    if os.environ.get("FAIL_AT_START"):
        sys.exit(7)
    return Starlette(routes=[Route("/", answer), Route("/block", block)])
"""
"""A service of one's own (docs/bring-your-own-service.md) that can be told to block its loop."""

CALLERS = 32


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The kit's `app` with another service in the place of the search."""
    (tmp_path / "app").mkdir()
    for name in ("__init__.py", "serve.py", "serving", "core"):
        (tmp_path / "app" / name).symlink_to(ROOT / "app" / name)
    (tmp_path / "app" / "bootstrap.py").write_text(APP)
    return tmp_path


@contextmanager
def serving(tree: Path, *arguments: str, **variables: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "app.serve", "--port", "0", *arguments]
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **variables}
    errors = (tree / "stderr").open("w")
    with errors, subprocess.Popen(command, cwd=tree, env=env, stdout=subprocess.PIPE, stderr=errors, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip().removeprefix("listening on ")
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def workers(process: subprocess.Popen[str]) -> set[int]:
    found = set()
    for child in psutil.Process(process.pid).children():
        with suppress(psutil.Error):  # it has just ended
            if "app.serving.worker" in child.cmdline():
                found.add(child.pid)
    return found


class Callers:
    """Callers with a keep-alive connection each, asking as soon as they are answered; a closed connection is opened anew, which
    is an error only when it closes on a request that has been sent."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname, parts.port)
        self.seen: Counter[str] = Counter()
        self.pids: Counter[str] = Counter()
        self.halt = False

    async def run(self) -> None:
        await asyncio.gather(*(self._call() for _ in range(CALLERS)))

    async def _call(self) -> None:
        reader = writer = None
        while not self.halt:
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection(*self._address)
                assert reader is not None
                writer.write(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                self.pids[(await reader.readexactly(length)).decode()] += 1
                self.seen["ok"] += 1
                if b"connection: close" in head.lower():
                    self.seen["told to close"] += 1
                    writer.close()
                    writer = None
                await asyncio.sleep(0.003)
            except (OSError, asyncio.IncompleteReadError) as error:
                self.seen[type(error).__name__] += 1
                writer = None
                await asyncio.sleep(0.01)
        if writer is not None:
            writer.close()


@pytest.mark.slow
async def test_recycled_workers_reset_no_connection(tree: Path) -> None:
    with serving(tree, "--workers", "2", "--recycle-after", "1000") as (process, url):
        callers = Callers(url)
        load = asyncio.create_task(callers.run())
        began = time.monotonic()
        while len(callers.pids) < 6 and time.monotonic() - began < 40:
            await asyncio.sleep(0.1)
        callers.halt = True
        await load
        assert len(callers.pids) >= 6, f"too few recycles: {callers.seen}"
        assert set(callers.seen) == {"ok", "told to close"}, callers.seen
        assert process.poll() is None


@pytest.mark.slow
async def test_sighup_replaces_every_worker_and_resets_no_connection(tree: Path) -> None:
    with serving(tree, "--workers", "2") as (process, url):
        while len(workers(process)) < 2:
            await asyncio.sleep(0.05)
        before = workers(process)
        callers = Callers(url)
        load = asyncio.create_task(callers.run())
        await asyncio.sleep(0.3)
        process.send_signal(signal.SIGHUP)
        began = time.monotonic()
        while workers(process) & before and time.monotonic() - began < 20:
            await asyncio.sleep(0.1)
        callers.halt = True
        await load
        assert not workers(process) & before
        assert set(callers.seen) == {"ok", "told to close"}, callers.seen


@pytest.mark.slow
async def test_sigterm_to_every_process_at_once_drains_once_and_resets_no_connection(tree: Path) -> None:
    """As systemd's KillMode=control-group does it: the workers are told directly, and by their supervisor once more."""
    with serving(tree, "--workers", "2", "--lame-duck-s", "2") as (process, url):
        while len(workers(process)) < 2:
            await asyncio.sleep(0.05)
        callers = Callers(url)
        load = asyncio.create_task(callers.run())
        await asyncio.sleep(0.5)
        began = time.monotonic()
        for pid in (process.pid, *workers(process)):
            os.kill(pid, signal.SIGTERM)
        await asyncio.sleep(0.5)
        before = callers.seen["ok"]
        await asyncio.sleep(1.2)
        callers.halt = True
        await load
        assert callers.seen["ok"] > before, "it goes on answering"
        assert set(callers.seen) == {"ok", "told to close"}, callers.seen
        assert await asyncio.to_thread(process.wait, 10) == 0
        assert 3.4 < time.monotonic() - began < 8, "the lame-duck phase, then 1.5 s to move on"


@pytest.mark.slow
def test_a_blocked_loop_is_seen_its_stack_is_written_and_its_worker_replaced(tree: Path) -> None:
    with serving(tree) as (process, url):
        (blocked,) = workers(process)
        with socket.create_connection((urlsplit(url).hostname, urlsplit(url).port)) as caller:
            caller.sendall(b"GET /block HTTP/1.1\r\nHost: test\r\n\r\n")
            time.sleep(0.2)
            began = time.monotonic()
            answer = httpx.get(url, timeout=20)
            took_s = time.monotonic() - began
        assert answer.status_code == 200
        assert answer.text != str(blocked)
        assert took_s < 10, "5 s on a machine with nothing else to do"
        assert not psutil.pid_exists(blocked)
    said = (tree / "stderr").read_text()
    assert f"worker {blocked}: its event loop has been blocked for" in said
    assert "in block" in said, "the stack says where"


@pytest.mark.slow
def test_a_blocked_worker_whose_supervisor_is_killed_does_not_hold_the_port_for_ever(tree: Path) -> None:
    script = (ROOT / "app" / "serving" / "worker.py").read_text()
    (tree / "app" / "serving").unlink()
    (tree / "app" / "serving").mkdir()
    for name in ("__init__.py", "supervisor.py", "messages.py", "debugging.py"):
        (tree / "app" / "serving" / name).symlink_to(ROOT / "app" / "serving" / name)
    quick = script.replace("GRACEFUL_STOP_S = 20", "GRACEFUL_STOP_S = 1").replace(
        "ABANDONED_LIMIT_S = 5.0", "ABANDONED_LIMIT_S = 0.5"
    )
    (tree / "app" / "serving" / "worker.py").write_text(quick)
    with serving(tree) as (process, url):
        (worker,) = (psutil.Process(pid) for pid in workers(process))
        with socket.create_connection((urlsplit(url).hostname, urlsplit(url).port)) as caller:
            caller.sendall(b"GET /block HTTP/1.1\r\nHost: test\r\n\r\n")
            time.sleep(0.3)
            process.kill()
            assert psutil.wait_procs([worker], timeout=15)[1] == []
        socket.create_server(("127.0.0.1", int(url.rpartition(":")[2]))).close()


def test_when_no_worker_starts_it_gives_up_with_one_line(tree: Path) -> None:
    with serving(tree, "--workers", "2", FAIL_AT_START="1") as (process, url):
        assert url == ""
        assert process.wait(30) == 1
    assert (tree / "stderr").read_text().splitlines()[-1].endswith("no worker starts; giving up")


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced_at_once(tree: Path) -> None:
    with serving(tree) as (process, url):
        (first,) = workers(process)
        os.kill(first, signal.SIGKILL)
        answer = httpx.get(url, timeout=20)
        assert answer.status_code == 200
        assert workers(process) == {int(answer.text)} != {first}
