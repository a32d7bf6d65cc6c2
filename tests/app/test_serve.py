"""The container lane's entry point as a real process: clear refusals, a drained stop, no orphans."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from app.serving.worker import KEEP_ALIVE_S
from tests.conftest import ROOT
from tests.fakes import future_search


@contextmanager
def serving(*arguments: str, **variables: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    env = {**os.environ, **{f"CROSSOVER_{name}": value for name, value in variables.items()}}
    command = [sys.executable, "-m", "app.serve", "--port", "0", *arguments]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip().removeprefix("listening on ")
        try:
            if url:
                wait_until_ready(url)
            yield process, url
        finally:
            process.kill()


def wait_until_ready(url: str) -> None:
    for _ in range(200):
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError("never ready")


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **{f"CROSSOVER_{name}": value for name, value in variables.items()}}
    command = [sys.executable, "-m", "app.serve", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=30, check=False)


def test_a_port_in_use_is_one_line_and_exit_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("--port", str(port))
    assert done.returncode == 1
    assert done.stderr == f"app.serve: cannot listen on 127.0.0.1:{port}: Address already in use\n"


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (("--port", "99999"), 2, "argument --port: '99999' must be a whole number from 0 to 65535"),
        (("--workers", "0"), 2, "argument --workers: '0' must be a whole number from 1 to 256"),
        (("--lame-duck-s", "-1"), 2, "argument --lame-duck-s: '-1' must be a whole number from 0 to 300"),
        (("--host", "no.such.host.invalid"), 1, "cannot listen on no.such.host.invalid:8000: no such host"),
    ],
)
def test_a_wrong_argument_is_one_line(arguments: tuple[str, ...], code: int, line: str) -> None:
    done = run(*arguments)
    assert done.returncode == code
    assert line in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_wrong_catalogue_or_setting_is_one_line_and_exit_2(tmp_path: Path) -> None:
    catalogue = tmp_path / "mine.toml"
    catalogue.write_text('content = "c.json"\n[suppliers.one]\nformat = "soap"\n')
    done = run("--port", "0", "--workers", "2", CATALOGUE=str(catalogue))
    assert done.returncode == 2
    assert done.stderr == (
        f"app.serve: {catalogue}: suppliers.one.format: unknown format 'soap'; known: amadeus, hotelbeds, liteapi, rapid\n"
    )
    assert run("--port", "0", DEADLINE_MS="1").returncode == 2


def test_it_answers_searches_and_keeps_connections_longer_than_a_load_balancer(simulator_url: str) -> None:
    assert KEEP_ALIVE_S > 60
    with serving(SUPPLIERS_URL=simulator_url, LANE="container") as (_, url), httpx.Client(base_url=url, timeout=10) as client:
        answer = client.get(future_search())
        assert answer.status_code == 200
        assert answer.json()["hotels_found"] > 20
        assert answer.headers["content-encoding"] == "gzip"
        assert client.get("/version").json()["lane"] == "container"


@pytest.mark.slow
def test_a_stop_lets_requests_in_flight_finish(simulator_url: str) -> None:
    httpx.put(f"{simulator_url}/_sim/latency", content="fixed:600")
    with serving(SUPPLIERS_URL=simulator_url) as (process, url):
        answers: list[int] = []
        search = threading.Thread(target=lambda: answers.append(httpx.get(url + future_search(), timeout=10).status_code))
        search.start()
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        search.join(10)
        assert answers == [200]
        assert process.wait(10) == 0


def keep_asking(url: str, path: str, until: Callable[[], bool]) -> list[httpx.Response | httpx.TransportError]:
    """One keep-alive caller, asking again as soon as it is answered, till the server refuses or `until` says so."""
    seen: list[httpx.Response | httpx.TransportError] = []
    with httpx.Client(base_url=url, timeout=10) as client:
        while not until():
            try:
                seen.append(client.get(path))
            except httpx.TransportError as error:
                seen.append(error)
                if isinstance(error, httpx.ConnectError):
                    break
    return seen


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_lame_duck_says_it_is_not_ready_and_answers_until_nobody_asks(simulator_url: str, workers: int) -> None:
    with serving("--workers", str(workers), "--lame-duck-s", "2", SUPPLIERS_URL=simulator_url) as (process, url):
        halt = threading.Event()
        with ThreadPoolExecutor(2) as callers:
            asking = [callers.submit(keep_asking, url, path, halt.is_set) for path in ("/healthz", future_search())]
            time.sleep(0.5)
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGTERM)  # systemd and the supervisor both tell a worker: not a reason to hurry
            time.sleep(1.5)  # the supervisor looks for signals every half second
            unready = httpx.get(f"{url}/readyz")
            halt.set()  # as a load balancer does once it has seen that
            answers = [answer for caller in asking for answer in caller.result(10)]
        assert (unready.status_code, unready.json()["error"]["message"]) == (503, "draining")
        assert {answer.status_code if isinstance(answer, httpx.Response) else repr(answer) for answer in answers} == {200}
        ends = [answer.headers.get("connection") == "close" for answer in answers if isinstance(answer, httpx.Response)]
        assert True in ends
        assert False in ends, "connections live until the drain begins"
        assert process.wait(10) == 0


@pytest.mark.slow
def test_killing_a_worker_mid_load_costs_its_requests_in_flight_and_it_is_replaced(simulator_url: str) -> None:
    with serving("--workers", "2", SUPPLIERS_URL=simulator_url) as (process, url):
        supervisor = psutil.Process(process.pid)
        workers = {child.pid for child in supervisor.children() if "app.serving.worker" in child.cmdline()}
        assert len(workers) == 2
        halt = threading.Event()
        with ThreadPoolExecutor(4) as callers:
            asking = [callers.submit(keep_asking, url, future_search(), halt.is_set) for _ in range(4)]
            time.sleep(1)
            os.kill(min(workers), signal.SIGKILL)
            time.sleep(3)
            halt.set()
            answers = [answer for caller in asking for answer in caller.result(10)]
        failed = [answer for answer in answers if not (isinstance(answer, httpx.Response) and answer.status_code == 200)]
        assert len(failed) <= 4, "at most the one request of each caller that was in flight"
        assert len(answers) - len(failed) > 20
        now = {child.pid for child in supervisor.children() if "app.serving.worker" in child.cmdline()}
        assert len(now) == 2
        assert len(now & workers) == 1


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_their_supervisor_and_free_the_port(simulator_url: str, number: signal.Signals) -> None:
    with serving("--workers", "2", SUPPLIERS_URL=simulator_url) as (process, url):
        workers = psutil.Process(process.pid).children(recursive=True)
        assert len(workers) >= 2
        process.send_signal(number)
        process.wait(15)
        _, left = psutil.wait_procs(workers, timeout=10)
        assert left == []
        port = int(url.rpartition(":")[2])
        socket.create_server(("127.0.0.1", port)).close()
