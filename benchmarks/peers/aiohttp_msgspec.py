"""aiohttp server and client on uvloop, decoding into msgspec structs: what a careful asyncio team would write."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
import uvloop
from aiohttp import web

from benchmarks.peers.search import DEADLINE_S, LIMIT, SUPPLIERS, availability_url, check, headers


class Amount(msgspec.Struct):
    value: str
    currency: str


class Total(msgspec.Struct):
    request_currency: Amount


class Totals(msgspec.Struct):
    inclusive: Total


class Pricing(msgspec.Struct):
    totals: Totals


class Rate(msgspec.Struct):
    id: str
    occupancy_pricing: dict[str, Pricing]
    refundable: bool | None = None


class Room(msgspec.Struct):
    room_name: str
    rates: list[Rate]


class Property(msgspec.Struct):
    property_id: str
    rooms: list[Room]


class Offer(msgspec.Struct):
    supplier: str
    offer_id: str
    room: str
    price: float
    currency: str
    refundable: bool | None


class Hotel(msgspec.Struct):
    id: str
    offers: list[Offer]


class Outcome(msgspec.Struct):
    supplier: str
    status: str


class Result(msgspec.Struct):
    search: dict[str, Any]
    hotels_found: int
    hotels: list[Hotel]
    outcomes: list[Outcome]
    elapsed_ms: float


decode = msgspec.json.Decoder(list[Property]).decode
encode = msgspec.json.Encoder().encode
CLIENT: web.AppKey[aiohttp.ClientSession] = web.AppKey("client", aiohttp.ClientSession)
Answer = tuple[str, str, list[Property]]


async def ask(
    client: aiohttp.ClientSession, supplier: dict[str, Any], search: dict[str, Any], signed: dict[str, str]
) -> Answer:
    try:
        async with client.get(availability_url(supplier, search), headers=signed) as response:
            response.raise_for_status()
            return supplier["id"], "ok", decode(await response.read())
    except TimeoutError:
        return supplier["id"], "timeout", []
    except (aiohttp.ClientError, msgspec.MsgspecError):
        return supplier["id"], "error", []


def merge(answers: list[Answer], occupancy: str) -> list[Hotel]:
    hotels: dict[str, Hotel] = {}
    for supplier, _, properties in answers:
        for prop in properties:
            hotel = hotels.get(prop.property_id)
            if hotel is None:
                hotel = hotels[prop.property_id] = Hotel(prop.property_id, [])
            for room in prop.rooms:
                for rate in room.rates:
                    price = rate.occupancy_pricing[occupancy].totals.inclusive.request_currency
                    offer = Offer(supplier, rate.id, room.room_name, float(price.value), price.currency, rate.refundable)
                    hotel.offers.append(offer)
    for hotel in hotels.values():
        hotel.offers.sort(key=lambda offer: offer.price)
    return sorted(hotels.values(), key=lambda hotel: hotel.offers[0].price)


async def search(request: web.Request) -> web.Response:
    started = time.perf_counter()
    query, errors = check(request.query)
    if query is None:
        return web.json_response(errors, status=422)
    client, signed = request.app[CLIENT], headers()
    answers = await asyncio.gather(*(ask(client, supplier, query, signed) for supplier in SUPPLIERS))
    hotels = merge(answers, str(query["adults"]))
    outcomes = [Outcome(supplier, status) for supplier, status, _ in answers]
    elapsed_ms = round((time.perf_counter() - started) * 1000, 1)
    body = encode(Result(query, len(hotels), hotels[:LIMIT], outcomes, elapsed_ms))
    return web.Response(body=body, content_type="application/json")


async def healthz(_: web.Request) -> web.Response:
    return web.json_response({"status": "live"})


async def open_client(app: web.Application) -> AsyncIterator[None]:
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=DEADLINE_S)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as client:
        app[CLIENT] = client
        yield


def main() -> None:
    app = web.Application()
    app.cleanup_ctx.append(open_client)
    app.add_routes([web.get("/search", search), web.get("/healthz", healthz)])
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None, loop=uvloop.new_event_loop())


if __name__ == "__main__":
    main()
