"""Connections reset while workers are recycled: 64 callers on keep-alive connections, and servers that replace their workers.

    python -m benchmarks.recycle [--quick]

The same tiny answer under uvicorn with `--limit-max-requests` (with and without jitter), gunicorn with `--max-requests` (with
jitter), and `app.serve --recycle-after`; two workers each. A reset is a connection that ends after a request has been sent and
before its answer is whole. Writes benchmarks/out/recycle.json. Exit code 0: measured; 2: wrong usage; 130: interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.command import OUT, run, write
from benchmarks.running import service
from benchmarks.variants import ROOT, Place, Unavailable, Variant

SHIPPED_JSON = OUT / "recycle.json"
CALLERS = 64
PID_HEADER = b"x-pid: "

BOOTSTRAP = """
import os

def create_app():
    async def app(scope, receive, send):
        if scope["type"] == "http":
            headers = [(b"content-length", b"2"), (b"x-pid", b"%d" % os.getpid())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"ok"})
    return app

application = create_app()

def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Length", "2"), ("X-Pid", str(os.getpid()))])
    return [b"ok"]
"""


def variants(folder: Path, requests: int) -> list[Variant]:
    """Each recycles a worker after about `requests` requests."""
    limit, jitter = str(requests), str(requests // 5)
    uvicorn = [
        *(sys.executable, "-m", "uvicorn", "app.bootstrap:application", "--workers", "2", "--no-access-log"),
        *("--loop", "uvloop", "--http", "httptools", "--timeout-keep-alive", "75", "--log-level", "critical"),
        *("--limit-max-requests", limit),
    ]
    jittery = [*uvicorn, "--limit-max-requests-jitter", jitter]
    gunicorn = [
        *(sys.executable, "-m", "gunicorn", "app.bootstrap:wsgi", "--workers", "2", "--worker-class", "gthread"),
        *("--threads", "64", "--keep-alive", "75", "--no-control-socket"),
        *("--max-requests", limit, "--max-requests-jitter", jitter),
    ]
    ours = [sys.executable, "-m", "app.serve", "--workers", "2", "--recycle-after", limit]
    made = [
        Variant("uvicorn", "--limit-max-requests", lambda _: uvicorn, "--port {port}"),
        Variant("uvicorn_jitter", "the same with a jitter of a fifth", lambda _: jittery, "--port {port}"),
        Variant("gunicorn", "threads, --max-requests, a jitter of a fifth", lambda _: gunicorn, "--bind 127.0.0.1:{port}"),
        Variant("app.serve", "--recycle-after", lambda _: ours, "--port {port}"),
    ]
    return [replace(each, folder=folder) for each in made]


async def load(port: int, seconds: float) -> dict[str, Any]:
    """All callers for so long; what they saw."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    seen: Counter[str] = Counter()
    pids: set[bytes] = set()

    async def call() -> None:
        reader = writer = None
        while loop.time() < end:
            sent = False
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                assert reader is not None
                sent = True
                writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).lower()
                await reader.readexactly(2)
                pids.add(head.partition(PID_HEADER)[2].partition(b"\r\n")[0])
                seen["answers"] += 1
                if b"connection: close" in head:
                    writer.close()
                    writer = None
                await asyncio.sleep(0.005)
            except (OSError, asyncio.IncompleteReadError, TimeoutError):
                seen["resets" if sent else "refused"] += 1
                if writer is not None:
                    writer.close()
                writer = None
                await asyncio.sleep(0.01)
        if writer is not None:
            writer.close()

    await asyncio.gather(*(call() for _ in range(CALLERS)))
    return {"answers": seen["answers"], "resets": seen["resets"], "refused": seen["refused"], "recycles": max(0, len(pids) - 2)}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recycle", description="Resets while workers are recycled.")
    parser.add_argument("--quick", action="store_true", help="a third of the time")
    parser.add_argument("--json", type=Path, default=SHIPPED_JSON, help="where to write the figures (default %(default)s)")
    options = parser.parse_args(arguments)
    seconds, requests = (4.0, 1_000) if options.quick else (20.0, 3_000)
    measured: dict[str, dict[str, Any]] = {}
    skipped: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="crossover-bench-") as name:
        folder = Path(name)
        _service_of_our_own(folder)
        place = Place(folder, folder / "none", folder / "none")
        for variant in variants(folder, requests):
            try:
                with service(variant, place, set(os.sched_getaffinity(0)), {"PYTHONDONTWRITEBYTECODE": "1"}) as running:
                    measured[variant.name] = asyncio.run(load(running.port, seconds))
            except Unavailable as reason:
                skipped[variant.name] = str(reason)
    _print(measured, skipped)
    document = {
        "benchmark": "recycle",
        "quick": options.quick,
        "machine": machine.describe(),
        "requests": requests,
        "variants": measured,
        "skipped": skipped,
    }
    write(document, options.json)
    return 0


def _service_of_our_own(folder: Path) -> None:
    """The kit's `app` with the tiny answer in the place of the search (docs/bring-your-own-service.md)."""
    (folder / "app").mkdir()
    for name in ("__init__.py", "serve.py", "serving", "core"):
        (folder / "app" / name).symlink_to(ROOT / "app" / name)
    (folder / "app" / "bootstrap.py").write_text(BOOTSTRAP)


def _print(measured: dict[str, dict[str, Any]], skipped: dict[str, str]) -> None:
    table = Table(title=f"{CALLERS} keep-alive callers while workers are recycled")
    table.add_column("server")
    for column in ("answers", "recycles", "resets", "refused"):
        table.add_column(column, justify="right")
    for name, figures in measured.items():
        table.add_row(name, *(f"{figures[column]:,}" for column in ("answers", "recycles", "resets", "refused")))
    console = Console()
    console.print(table)
    for name, reason in skipped.items():
        console.print(f"{name}: skipped: {reason}", highlight=False)


if __name__ == "__main__":
    run(main)
