"""One program twice: each call of a fan-out is a thread's (`BENCH_MODE=threads`) or a task's (`asyncio`), all else is equal.

The same server (uvicorn, Starlette), sockets, request bytes, JSON, merging; a pool of idle connections per supplier; one wait
for all calls that ends at the deadline. With `BENCH_BLOCK_MS` every 100th search sleeps that long without yielding.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import socket
import time
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from benchmarks.peers.search import DEADLINE_S, SUPPLIERS, availability_url, check, headers, offers_of, result

SEARCH_THREADS, CALL_THREADS = 64, 400
"""As the Flask peer has them."""

BLOCK_S = int(os.environ.get("BENCH_BLOCK_MS", "0")) / 1000
BLOCK_EVERY = 100
numbers = itertools.count(1)
pool = ThreadPoolExecutor(CALL_THREADS)
Call = tuple[str, str, list[dict[str, Any]]]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
idle_sockets: dict[str, deque[socket.socket]] = {supplier["id"]: deque() for supplier in SUPPLIERS}
idle_streams: dict[str, deque[Streams]] = {supplier["id"]: deque() for supplier in SUPPLIERS}


def request_to(supplier: dict[str, Any], search: dict[str, Any]) -> tuple[tuple[str, int], bytes]:
    """The supplier's address and the whole request."""
    url = urlsplit(availability_url(supplier, search))
    assert url.hostname is not None and url.port is not None
    lines = [f"GET {url.path}?{url.query} HTTP/1.1", f"Host: {url.netloc}", *(f"{k}: {v}" for k, v in headers().items())]
    return (url.hostname, url.port), ("\r\n".join(lines) + "\r\n\r\n").encode()


def length_of(head: bytes) -> int:
    """What Content-Length says; raises `ValueError` unless the status is 200."""
    status, *fields = head.decode("latin-1").split("\r\n")
    if not status.startswith("HTTP/1.1 200 "):
        raise ValueError(status)
    return next(int(field.partition(":")[2]) for field in fields if field.lower().startswith("content-length:"))


def read_offers(supplier: dict[str, Any], search: dict[str, Any], body: bytes) -> list[dict[str, Any]]:
    return offers_of(supplier["id"], json.loads(body), str(search["adults"]))


def ask_in_thread(supplier: dict[str, Any], search: dict[str, Any]) -> list[dict[str, Any]]:
    address, request = request_to(supplier, search)
    idle = idle_sockets[supplier["id"]]
    try:
        connection = idle.pop()
    except IndexError:
        connection = socket.create_connection(address, timeout=DEADLINE_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(request)
    data = b""
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += receive(connection)
    whole = end + 4 + length_of(data[:end])
    while len(data) < whole:
        data += receive(connection)
    idle.append(connection)
    return read_offers(supplier, search, data[end + 4 :])


def receive(connection: socket.socket) -> bytes:
    data = connection.recv(65_536)
    if not data:
        raise ConnectionResetError
    return data


async def ask_in_task(supplier: dict[str, Any], search: dict[str, Any]) -> list[dict[str, Any]]:
    address, request = request_to(supplier, search)
    idle = idle_streams[supplier["id"]]
    reader, writer = idle.pop() if idle else await asyncio.open_connection(*address)
    try:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(length_of(head))
    except BaseException:
        writer.close()
        raise
    idle.append((reader, writer))
    return read_offers(supplier, search, body)


def answers_of(calls: list[Any]) -> list[Call]:
    """Finished or not, threads' futures and tasks tell the same."""
    answers: list[Call] = []
    for supplier, call in zip(SUPPLIERS, calls, strict=True):
        if not call.done() or call.cancelled():
            call.cancel()
            answers.append((supplier["id"], "timeout", []))
        elif call.exception() is not None:
            answers.append((supplier["id"], "error", []))
        else:
            answers.append((supplier["id"], "ok", call.result()))
    return answers


def block_sometimes() -> None:
    if BLOCK_S and next(numbers) % BLOCK_EVERY == 0:
        time.sleep(BLOCK_S)


def search_in_threads(request: Request) -> JSONResponse:
    started = time.perf_counter()
    query, errors = check(request.query_params)
    if query is None:
        return JSONResponse(errors, status_code=422)
    block_sometimes()
    calls = [pool.submit(ask_in_thread, supplier, query) for supplier in SUPPLIERS]
    wait(calls, timeout=DEADLINE_S)
    return JSONResponse(result(query, answers_of(calls), started))


async def search_in_tasks(request: Request) -> JSONResponse:
    started = time.perf_counter()
    query, errors = check(request.query_params)
    if query is None:
        return JSONResponse(errors, status_code=422)
    block_sometimes()
    calls = [asyncio.create_task(ask_in_task(supplier, query)) for supplier in SUPPLIERS]
    await asyncio.wait(calls, timeout=DEADLINE_S)
    return JSONResponse(result(query, answers_of(calls), started))


async def healthz(_: Request) -> JSONResponse:
    return JSONResponse({"status": "live"})


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    anyio.to_thread.current_default_thread_limiter().total_tokens = SEARCH_THREADS
    yield
    pool.shutdown(wait=False, cancel_futures=True)


search = {"threads": search_in_threads, "asyncio": search_in_tasks}[os.environ["BENCH_MODE"]]
app = Starlette(routes=[Route("/search", search), Route("/healthz", healthz)], lifespan=lifespan)
