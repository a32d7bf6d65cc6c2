"""The services that are compared, how each is started, and why one cannot run here.

Every variant is one worker process on one core, listens on a loopback port, and serves `/search` and `/healthz`.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
GO_LIBRARIES = Path("/usr/share/gocode")
"""Where Debian's golang-*-dev packages put their sources."""

GO_CACHE = HERE / "out" / "go-cache"
"""Kept between runs: compiling Go's standard library anew takes half a minute."""


class Unavailable(Exception):
    """This variant cannot run on this machine; the message is one line saying what is missing."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run keeps its files: peers' `suppliers.json`, the service's `catalogue.toml`, built programs."""

    folder: Path
    suppliers: Path
    catalogue: Path


@dataclass(frozen=True, slots=True)
class Variant:
    """`prepare` answers the command up to the port (raising `Unavailable`); `environment` is added to ours."""

    name: str
    what: str
    prepare: Callable[[Place], list[str]]
    port_argument: str = "{port}"
    environment: dict[str, str] = field(default_factory=dict)
    folder: Path = ROOT

    def command(self, place: Place, port: int) -> list[str]:
        return [*self.prepare(place), *self.port_argument.format(port=port).split()]


def _python(*arguments: str, needs: tuple[str, ...]) -> Callable[[Place], list[str]]:
    def prepare(_: Place) -> list[str]:
        missing = [module for module in needs if importlib.util.find_spec(module) is None]
        if missing:
            raise Unavailable(f"not installed: {', '.join(missing)} (uv sync --group bench)")
        return [sys.executable, *arguments]

    return prepare


def _go(name: str, *libraries: str) -> Callable[[Place], list[str]]:
    def prepare(place: Place) -> list[str]:
        if shutil.which("go") is None:
            raise Unavailable("Go is not installed (Debian: apt install golang-go)")
        for library in libraries:
            if not (GO_LIBRARIES / "src" / library).is_dir():
                package = f"golang-{library.replace('.com', '').replace('/', '-')}-dev"
                raise Unavailable(f"{library} is not in {GO_LIBRARIES} (Debian: apt install {package})")
        program = place.folder / name
        if not program.exists():
            modules = {"GO111MODULE": "off", "GOPATH": str(GO_LIBRARIES), "GOFLAGS": "", "GOPROXY": "off"}
            source = HERE / "peers" / name / "main.go"
            built = subprocess.run(
                ["go", "build", "-o", str(program), str(source)],
                env={**os.environ, **modules, "GOCACHE": str(GO_CACHE)},
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if built.returncode:
                raise Unavailable(f"go build: {built.stderr.strip().splitlines()[-1]}")
        return [str(program)]

    return prepare


def crossover(bundle: Path | None = None, python: str = sys.executable) -> Variant:
    """The service itself: from the checkout, or from an unpacked bundle (with an interpreter of the bundle's version)."""
    environment = {"CROSSOVER_LANE": "container"}
    if bundle is not None:
        environment |= {"PYTHONPATH": str(bundle), "PYTHONNOUSERSITE": "1"}
    return Variant(
        "crossover",
        "this service: Starlette shell, adapters, consolidation, ranking, telemetry",
        lambda _: [python, "-m", "app.serve", "--workers", "1"],
        port_argument="--port {port}",
        environment=environment,
        folder=bundle or ROOT,
    )


PEERS: dict[str, Variant] = {
    variant.name: variant
    for variant in (
        Variant(
            "flask_requests",
            "Flask, threads, requests (gunicorn gthread)",
            _python("-m", "gunicorn", "benchmarks.peers.flask_requests:app", "--workers", "1", "--worker-class",
                    "gthread", "--threads", "64", "--keep-alive", "75", "--no-control-socket",
                    needs=("flask", "gunicorn", "requests")),
            port_argument="--bind 127.0.0.1:{port}",
        ),
        Variant(
            "quart_httpx",
            "Quart (hypercorn), one shared httpx client",
            _python("-m", "hypercorn", "benchmarks.peers.quart_httpx:app", "--workers", "0", "--worker-class",
                    "uvloop", needs=("quart", "hypercorn", "httpx")),
            port_argument="--bind 127.0.0.1:{port}",
        ),
        Variant(
            "fastapi_httpx",
            "FastAPI (uvicorn), one shared httpx client",
            _python("-m", "uvicorn", "benchmarks.peers.fastapi_httpx:app", "--host", "127.0.0.1", "--loop", "uvloop",
                    "--http", "httptools", "--no-access-log", "--log-level", "warning",
                    needs=("fastapi", "uvicorn", "httpx")),
            port_argument="--port {port}",
        ),
        Variant(
            "aiohttp_msgspec",
            "aiohttp server and client, msgspec",
            _python("-m", "benchmarks.peers.aiohttp_msgspec", needs=("aiohttp", "msgspec", "uvloop")),
        ),
        Variant("go_nethttp", "Go net/http, encoding/json", _go("go_nethttp"), environment={"GOMAXPROCS": "1"}),
        Variant(
            "go_fasthttp",
            "Go fasthttp, jsoniter",
            _go("go_fasthttp", "github.com/valyala/fasthttp", "github.com/json-iterator/go"),
            environment={"GOMAXPROCS": "1"},
        ),
    )
}  # fmt: skip
NAMES = ("crossover", *PEERS)


def _same_program(name: str, what: str, mode: str, block_ms: int = 0) -> Variant:
    return Variant(
        name,
        what,
        _python("-m", "uvicorn", "benchmarks.peers.threads_or_asyncio:app", "--host", "127.0.0.1", "--loop", "uvloop",
                "--http", "httptools", "--no-access-log", "--log-level", "warning", needs=("starlette", "uvicorn")),
        port_argument="--port {port}",
        environment={"BENCH_MODE": mode, "BENCH_BLOCK_MS": str(block_ms)},
    )  # fmt: skip


BLOCK_MS = 50
EQUAL_WORK: dict[str, Variant] = {
    variant.name: variant
    for variant in (
        _same_program("threads", "one program, a thread per call", "threads"),
        _same_program("asyncio", "the same program, a task per call", "asyncio"),
        _same_program("threads_blocking", f"threads, 1% of searches sleep {BLOCK_MS} ms", "threads", BLOCK_MS),
        _same_program("asyncio_blocking", f"asyncio, 1% of searches sleep {BLOCK_MS} ms", "asyncio", BLOCK_MS),
    )
}
"""For benchmarks.article only: one program whose calls differ in nothing but being threads or tasks."""
