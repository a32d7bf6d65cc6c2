"""The simulator's ASGI app: `/<supplier>/…` speaks that supplier's wire format, `/_sim/…` controls the simulation."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import msgspec

from infra.errors import InputError
from infra.lab.simulator import answers
from infra.lab.simulator.answers import Stay
from infra.lab.simulator.faults import Fault, Latency, parse_fault
from infra.lab.simulator.inventory import SUPPLIERS, inventory

KEY, SECRET = "lab-key", "lab-secret"
TOKEN_LIFE_S = 1799
HUGE_BYTES = 200 * 1024 * 1024
JSON = b"application/json"

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]


class Reply(NamedTuple):
    status: int
    body: bytes
    content_type: bytes = JSON


class Refused(Exception):
    """A request that the vendor would refuse."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(status)
        self.reply = Reply(status, msgspec.json.encode(body))


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
            await self._supplier(supplier, path, scope, body, send)
        else:
            await _answer(send, Reply(404, b'{"error":"no such supplier"}'))

    async def _supplier(self, supplier: str, path: str, scope: Message, body: bytes, send: Send) -> None:
        counts = self.counts[supplier]
        counts[0] += 1
        counts[1] += len(body) + len(scope["raw_path"]) + len(scope["query_string"]) + _size(scope["headers"])
        await asyncio.sleep(self.latency.next_s(supplier))
        fault = self.faults.get(supplier) or self.faults.get("*")
        if fault is not None and fault.kind not in ("lie",):
            await self._misbehave(fault, SUPPLIERS[supplier], scope, send)
            return
        try:
            reply = _FORMATS[SUPPLIERS[supplier]](self, supplier, path, scope, body)
        except Refused as refused:
            reply = refused.reply
        except (KeyError, ValueError, TypeError, msgspec.DecodeError) as error:
            reply = Reply(
                400, msgspec.json.encode({"errors": [{"code": 477, "title": "INVALID FORMAT", "detail": str(error)}]})
            )
        if fault is not None:
            reply = reply._replace(body=_with_lies(reply.body))
        counts[2] += len(reply.body) + 150
        await _answer(send, reply)

    async def _misbehave(self, fault: Fault, wire_format: str, scope: Message, send: Send) -> None:
        transport: asyncio.Transport | None = scope.get("crossover.transport")
        match fault.kind:
            case "status":
                await _answer(send, Reply(fault.status, b'{"error":"simulated"}'))
            case "garbage":
                await _answer(send, Reply(200, b"<html>\xff\xfe not what you wanted"))
            case "empty":
                await _answer(send, Reply(200, b""))
            case "throttle":
                status = 403 if wire_format == "hotelbeds" else 429
                await _answer(send, Reply(status, b'{"error":{"code":"QUOTA","message":"quota exceeded"}}'))
            case "redirect":
                headers = [(b"location", b"http://elsewhere.invalid/"), (b"content-length", b"0")]
                await send({"type": "http.response.start", "status": 302, "headers": headers})
                await send({"type": "http.response.body", "body": b""})
            case "huge":
                await _stream(send, b" " * 65_536, HUGE_BYTES // 65_536, 0)
            case "drip":
                await _stream(send, b"[", 10_000, 0.05)
            case "truncated":
                await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5000")]})
                await send({"type": "http.response.body", "body": b'[{"property_id":"1', "more_body": True})
                if transport is not None:
                    transport.close()
            case "reset":
                if transport is not None:
                    transport.abort()
            case "hang":
                await asyncio.sleep(3600)

    def _control(self, method: str, path: str, body: bytes) -> Reply:
        try:
            return self._set(method, path, body.decode().strip())
        except InputError as error:
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
        elif (method, path) == ("POST", "tokens/revoke"):
            self.tokens.clear()
        elif what == "faults" and method == "DELETE":
            self.faults = {} if name in ("", "*") else {k: v for k, v in self.faults.items() if k != name}
        elif what == "faults" and method == "PUT" and (name == "*" or name in SUPPLIERS):
            self.faults[name] = parse_fault(text)
        else:
            return Reply(404, b'{"error":"no such control"}')
        return Reply(200, b'{"status":"done"}')

    def _stats(self) -> dict[str, Any]:
        return {
            "connections": {"accepted": self.connections_accepted, "open": self.connections_open},
            "suppliers": {
                supplier: {"requests": requests, "bytes_in": bytes_in, "bytes_out": bytes_out}
                for supplier, (requests, bytes_in, bytes_out) in self.counts.items()
            },
        }


def _rapid(simulator: Simulator, supplier: str, path: str, scope: Message, body: bytes) -> Reply:
    if (scope["method"], path) != ("GET", "v3/properties/availability"):
        raise Refused(404, {"type": "resource_not_found", "message": "no such resource"})
    fields = dict(part.split("=", 1) for part in _header(scope, b"authorization").removeprefix("EAN ").split(","))
    stamp = fields["timestamp"]
    signature = hashlib.sha512(f"{KEY}{SECRET}{stamp}".encode()).hexdigest()
    if (fields["APIKey"], fields["Signature"]) != (KEY, signature) or abs(time.time() - int(stamp)) > 300:
        raise Refused(401, {"type": "request_unauthenticated", "message": "Data required to process this request is wrong"})
    query = parse_qs(scope["query_string"].decode(), strict_parsing=True)
    ids = tuple(query["property_id"])
    for required in ("country_code", "language", "rate_plan_count", "sales_channel", "sales_environment"):
        if required not in query:
            raise Refused(400, {"type": "invalid_input", "message": f"{required} is required"})
    if len(ids) > 250:
        raise Refused(400, {"type": "invalid_input", "message": "at most 250 property_id"})
    adults, _, ages = query["occupancy"][0].partition("-")
    stay = _stay(query["checkin"][0], query["checkout"][0], int(adults), ages.split(",") if ages else [], query["currency"][0])
    return Reply(200, answers.rapid(simulator.seed, supplier, ids, stay))


def _amadeus(simulator: Simulator, supplier: str, path: str, scope: Message, body: bytes) -> Reply:
    now = time.time()
    if (scope["method"], path) == ("POST", "v1/security/oauth2/token"):
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if form != {"grant_type": "client_credentials", "client_id": KEY, "client_secret": SECRET}:
            raise Refused(
                401, {"error": "invalid_client", "error_description": "Client credentials are invalid", "code": 38187}
            )
        token = hashlib.blake2b(f"{supplier}{now}".encode(), digest_size=14).hexdigest()
        simulator.tokens[token] = now + TOKEN_LIFE_S
        granted = {"type": "amadeusOAuth2Token", "token_type": "Bearer", "access_token": token, "expires_in": TOKEN_LIFE_S}
        return Reply(200, msgspec.json.encode(granted))
    if (scope["method"], path) != ("GET", "v3/shopping/hotel-offers"):
        raise Refused(404, {"errors": [{"status": 404, "code": 38196, "title": "Resource not found"}]})
    if simulator.tokens.get(_header(scope, b"authorization").removeprefix("Bearer "), 0.0) < now:
        raise Refused(401, {"errors": [{"status": 401, "code": 38192, "title": "Invalid access token"}]})
    query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode(), strict_parsing=True).items()}
    ids = tuple(query["hotelIds"].split(","))
    if len(ids) > 20:
        raise Refused(
            400, {"errors": [{"status": 400, "code": 477, "title": "INVALID FORMAT", "detail": "at most 20 hotelIds"}]}
        )
    stay = _stay(query["checkInDate"], query["checkOutDate"], int(query["adults"]), [], query["currency"])
    rendered = answers.amadeus(simulator.seed, supplier, ids, stay)
    if rendered is None:
        raise Refused(400, {"errors": [{"status": 400, "code": 3664, "title": "NO ROOMS AVAILABLE AT REQUESTED PROPERTY"}]})
    return Reply(200, rendered, b"application/vnd.amadeus+json")


def _hotelbeds(simulator: Simulator, supplier: str, path: str, scope: Message, body: bytes) -> Reply:
    if (scope["method"], path) != ("POST", "hotel-api/1.0/hotels"):
        raise Refused(404, {"error": {"code": "NOT_FOUND", "message": "no such resource"}})
    now = int(time.time())
    valid = {hashlib.sha256(f"{KEY}{SECRET}{stamp}".encode()).hexdigest() for stamp in range(now - 5, now + 2)}
    if _header(scope, b"api-key") != KEY or _header(scope, b"x-signature") not in valid:
        raise Refused(403, {"error": "Signature verification failed"})
    asked = msgspec.json.decode(body)
    room = asked["occupancies"][0]
    ages = [pax["age"] for pax in room.get("paxes", ()) if pax["type"] == "CH"]
    if len(ages) != room["children"]:
        raise Refused(400, {"error": {"code": "INVALID_DATA", "message": "ages of children are missing"}})
    stay = _stay(asked["stay"]["checkIn"], asked["stay"]["checkOut"], room["adults"], ages, "EUR")
    ids = tuple(map(str, asked["hotels"]["hotel"]))
    return Reply(200, answers.hotelbeds(simulator.seed, supplier, ids, stay))


def _liteapi(simulator: Simulator, supplier: str, path: str, scope: Message, body: bytes) -> Reply:
    if (scope["method"], path) != ("POST", "v3.0/hotels/rates"):
        raise Refused(404, {"error": {"code": 404, "message": "no such resource"}})
    if _header(scope, b"x-api-key") != KEY:
        raise Refused(401, {"error": {"code": 401, "message": "invalid API key"}})
    asked = msgspec.json.decode(body)
    for required in ("occupancies", "currency", "guestNationality", "checkin", "checkout"):
        if required not in asked:
            raise Refused(400, {"error": {"code": 4002, "message": f"{required} is required"}})
    party = asked["occupancies"][0]
    stay = _stay(asked["checkin"], asked["checkout"], party["adults"], party.get("children", []), asked["currency"])
    rendered = answers.liteapi(simulator.seed, supplier, tuple(asked["hotelIds"]), stay)
    if rendered is None:
        return Reply(200, b'{"error":{"code":2001,"message":"no availability found"}}')
    return Reply(200, rendered)


_FORMATS = {"rapid": _rapid, "amadeus": _amadeus, "hotelbeds": _hotelbeds, "liteapi": _liteapi}


def _stay(check_in: str, check_out: str, adults: int, ages: list[Any], currency: str) -> Stay:
    return Stay(date.fromisoformat(check_in), date.fromisoformat(check_out), adults, tuple(map(int, ages)), currency)


def _with_lies(body: bytes) -> bytes:
    """Every price below zero, whatever the format writes it as."""
    for name in (b'"value":', b'"total":', b'"net":', b'"amount":'):
        body = body.replace(name + b'"', name + b'"-')
        for digit in b"123456789":
            body = body.replace(name + bytes([digit]), name + b"-" + bytes([digit]))
    return body


def _header(scope: Message, name: bytes) -> str:
    return next((value.decode() for key, value in scope["headers"] if key == name), "")


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
    headers = [(b"content-type", reply.content_type), (b"content-length", b"%d" % len(reply.body))]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


async def _stream(send: Send, part: bytes, times: int, pause_s: float) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", JSON)]})
    for _ in range(times):
        await send({"type": "http.response.body", "body": part, "more_body": True})
        await asyncio.sleep(pause_s)
    await send({"type": "http.response.body", "body": b""})
