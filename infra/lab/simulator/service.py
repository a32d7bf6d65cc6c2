"""The simulator's ASGI app: `/<supplier>/…` speaks that supplier's wire format, `/_sim/…` controls the simulation."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any

import msgspec

from infra.errors import InputError
from infra.lab.simulator.faults import Fault, Latency, parse_fault
from infra.lab.simulator.inventory import SUPPLIERS, inventory
from infra.lab.simulator.vendors import JSON, VENDORS, Reply, Request, Vendor, ask

HUGE_BYTES = 200 * 1024 * 1024
HUGE_PART = b" " * 65_536
HEAD_BYTES = 150
"""About what the status line and header fields of an answer take."""

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]


class Simulator:
    """Holds the simulation's state: seed, latency, faults, tokens, counts."""

    def __init__(self, seed: int, latency: Latency, faults: dict[str, Fault] | None = None) -> None:
        self.seed = seed
        self.latency = latency
        self.faults = dict(faults or {})
        self.inventory = inventory(seed)
        self.tokens: dict[str, float] = {}
        self.connections_accepted = 0
        self.connections_open = 0
        self.reset_counts()

    def reset_counts(self) -> None:
        self.counts = {supplier: [0, 0, 0] for supplier in SUPPLIERS}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await _read(receive)
        supplier, _, path = scope["path"][1:].partition("/")
        if supplier == "_sim":
            await _answer(send, self._control(scope["method"], path, body))
        elif supplier in SUPPLIERS:
            await self._supplier(supplier, path, scope, body, receive, send)
        else:
            await _answer(send, Reply(404, b'{"error":"no such supplier"}'))

    async def _supplier(self, supplier: str, path: str, scope: Message, body: bytes, receive: Receive, send: Send) -> None:
        counts = self.counts[supplier]
        counts[0] += 1
        counts[1] += len(body) + len(scope["raw_path"]) + len(scope["query_string"]) + _size(scope["headers"])
        await asyncio.sleep(self.latency.next_s(supplier))
        vendor = VENDORS[SUPPLIERS[supplier]]
        fault = self.faults.get(supplier) or self.faults.get("*")
        if fault is not None and fault.kind not in LIES:
            transport = scope.get("crossover.transport")
            await _while_connected(receive, _misbehave(fault, vendor, transport, send))
            return
        request = Request(
            self.seed,
            supplier,
            scope["method"],
            path,
            scope["query_string"],
            dict(scope["headers"]),
            body,
            time.time(),
            self.tokens,
        )
        reply = ask(vendor, request)
        if fault is not None:
            reply = reply._replace(body=LIES[fault.kind](reply.body))
        counts[2] += len(reply.body) + HEAD_BYTES
        await _answer(send, reply)

    def _control(self, method: str, path: str, body: bytes) -> Reply:
        try:
            return self._set(method, path, body.decode().strip())
        except (InputError, UnicodeDecodeError) as error:
            return Reply(422, msgspec.json.encode({"error": str(error)}))

    def _set(self, method: str, path: str, text: str) -> Reply:
        what, _, name = path.partition("/")
        if (method, path) == ("GET", "health"):
            return Reply(200, b'{"status":"up"}')
        if (method, path) == ("GET", "stats"):
            return Reply(200, msgspec.json.encode(self._stats()))
        if (method, path) == ("POST", "stats/reset"):
            self.reset_counts()
        elif (method, path) == ("PUT", "latency"):
            self.latency = Latency(text, self.seed)
        elif (method, path) == ("POST", "tokens/expire"):
            self.tokens = dict.fromkeys(self.tokens, 0.0)
        elif what == "faults" and method == "DELETE":
            self.faults = {} if name in ("", "*") else {k: v for k, v in self.faults.items() if k != name}
        elif what == "faults" and method == "PUT" and (name == "*" or name in SUPPLIERS):
            self.faults[name] = parse_fault(text)
        else:
            return Reply(404, msgspec.json.encode({"error": f"no such control: {method} /_sim/{path}"}))
        return Reply(200, b'{"status":"done"}')

    def _stats(self) -> dict[str, Any]:
        return {
            "connections": {"accepted": self.connections_accepted, "open": self.connections_open},
            "suppliers": {
                supplier: {"requests": requests, "bytes_in": bytes_in, "bytes_out": bytes_out}
                for supplier, (requests, bytes_in, bytes_out) in self.counts.items()
            },
        }


async def _misbehave(fault: Fault, vendor: Vendor, transport: asyncio.Transport | None, send: Send) -> None:
    match fault.kind:
        case "status":
            await _answer(send, Reply(fault.status, b'{"error":"simulated"}'))
        case "garbage":
            await _answer(send, Reply(200, b"<html>\xff\xfe not what you wanted"))
        case "empty":
            await _answer(send, Reply(200, b""))
        case "throttle":
            await _answer(send, vendor.throttled)
        case "redirect":
            headers = [(b"location", b"http://elsewhere.invalid/"), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 302, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
        case "huge":
            await _stream(send, HUGE_PART, HUGE_BYTES // len(HUGE_PART), 0)
        case "drip":
            await _stream(send, b" ", 10_000, 0.05)
        case "truncated":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5000")]})
            await send({"type": "http.response.body", "body": b'[{"property_id":"1', "more_body": True})
            if transport is not None:
                transport.close()
        case "reset":
            if transport is not None:
                _reset(transport)
        case "hang":
            await asyncio.Event().wait()


async def _while_connected(receive: Receive, work: Coroutine[Any, Any, None]) -> None:
    """Run `work` until it is done or the client has left: nobody reads what is sent after that."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    tasks = asyncio.ensure_future(work), asyncio.ensure_future(gone())
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _reset(transport: asyncio.Transport) -> None:
    """Close with a TCP reset instead of the usual end of stream."""
    with socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _below_zero(body: bytes) -> bytes:
    """Every price below zero, whatever the format writes it as."""
    for name in (b'"value":', b'"total":', b'"net":', b'"amount":'):
        body = body.replace(name + b'"', name + b'"-')
        for digit in b"123456789":
            body = body.replace(name + bytes([digit]), name + b"-" + bytes([digit]))
    return body


def _in_another_currency(body: bytes) -> bytes:
    return re.sub(rb'"currency":"[A-Z]{3}"', b'"currency":"CZK"', body)


LIES: dict[str, Callable[[bytes], bytes]] = {"lie": _below_zero, "currency": _in_another_currency}
"""Faults that change a right answer, instead of replacing it."""


def _size(headers: list[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) + 4 for name, value in headers) + 16


async def _read(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _answer(send: Send, reply: Reply) -> None:
    headers = [(b"content-type", reply.content_type)]
    if reply.status != 204:
        headers.append((b"content-length", b"%d" % len(reply.body)))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


async def _stream(send: Send, part: bytes, times: int, pause_s: float) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", JSON)]})
    for _ in range(times):
        await send({"type": "http.response.body", "body": part, "more_body": True})
        await asyncio.sleep(pause_s)
    await send({"type": "http.response.body", "body": b""})
