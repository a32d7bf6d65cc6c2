"""Starts and stops the processes of a run: the upstream and one service at a time, each pinned, each ended by us."""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, NamedTuple

from benchmarks.variants import ROOT, Place, Unavailable, Variant
from benchmarks.workload import suppliers_json, write_catalogue

START_LIMIT_S = 30.0
STOP_LIMIT_S = 2.0
PR_SET_PDEATHSIG = 1


def _child(cores: set[int]) -> Callable[[], None]:
    """What a child does before its program: stay on its cores, and end when we do, however we end."""
    parent, libc = os.getpid(), ctypes.CDLL(None)

    def prepare() -> None:
        os.sched_setaffinity(0, cores)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


class Upstream(NamedTuple):
    """The running suppliers."""

    pid: int
    urls: list[str]
    control: str

    def ask(self, target: str) -> dict[str, int]:
        """`/none`, `/lognormal?seed=N` or `/stats`; answers its counters."""
        connection = http.client.HTTPConnection(self.control.removeprefix("http://"), timeout=5)
        with contextlib.closing(connection):
            connection.request("GET", target)
            counters: dict[str, int] = json.loads(connection.getresponse().read())
            return counters


@contextlib.contextmanager
def upstream(cores: set[int], *, tls: Path | None = None, gzipped: bool = False) -> Iterator[Upstream]:
    """Run the suppliers until the context ends."""
    command = [sys.executable, "-m", "benchmarks.upstream"]
    command += ["--tls", str(tls)] if tls else []
    command += ["--gzip"] if gzipped else []
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, preexec_fn=_child(cores)
    )
    try:
        assert process.stdout is not None
        listening = json.loads(process.stdout.readline())
        yield Upstream(process.pid, listening["urls"], listening["control"])
    finally:
        _stop(process)


def place_for(folder: Path, suppliers: Upstream) -> Place:
    """A folder with what the peers and the service are told of these suppliers."""
    place = Place(folder, folder / "suppliers.json", write_catalogue(folder, suppliers.urls))
    place.suppliers.write_text(suppliers_json(suppliers.urls))
    return place


class Service(NamedTuple):
    """The service under test, answering."""

    pid: int
    port: int


@contextlib.contextmanager
def service(variant: Variant, place: Place, cores: set[int], extra: Mapping[str, str]) -> Iterator[Service]:
    """Run one variant until the context ends; raises `Unavailable` with its last line when it does not start."""
    port = _free_port()
    environment = {
        **os.environ,
        "BENCH_SUPPLIERS": str(place.suppliers),
        "CROSSOVER_CATALOGUE": str(place.catalogue),
        **extra,
        **variant.environment,
    }
    command = variant.command(place, port)
    with (place.folder / f"{variant.name}.log").open("w+") as log:
        process = subprocess.Popen(
            command, cwd=variant.folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            preexec_fn=_child(cores), start_new_session=True,
        )  # fmt: skip
        try:
            _await_health(process, port, log)
            yield Service(process.pid, port)
        finally:
            _stop(process)


def _await_health(process: subprocess.Popen[bytes], port: int, log: IO[str]) -> None:
    limit = time.monotonic() + START_LIMIT_S
    while time.monotonic() < limit:
        if process.poll() is not None:
            log.seek(0)
            said = [line for line in log.read().splitlines() if line.strip()]
            raise Unavailable(f"ended with code {process.returncode}: {said[-1] if said else 'it said nothing'}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.05)
    raise Unavailable(f"did not answer /healthz within {START_LIMIT_S:g} s")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask, then end: the process and the workers in the session that we gave it."""
    if process.stdin is not None:
        process.stdin.close()
    process.terminate()
    try:
        process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
