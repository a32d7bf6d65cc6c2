"""Keys, secrets and tokens of suppliers stand in no log, answer, metric or `repr`, even if suppliers send them back."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from app.bootstrap import create_app
from app.core.errors import ConfigurationError
from app.settings import Settings
from app.suppliers.catalogue import load_catalogue
from app.suppliers.formats.account import Account
from app.suppliers.formats.known import FORMATS
from app.suppliers.wire import WireRequest
from tests.app.suppliers.http1.scripted import listening, plain
from tests.fakes import future_search

# Longer than any part of an answer that a message repeats: a beginning of one is a leak too.
KEY = "keymark1" + "Kk9" * 40
SECRET = "secmark1" + "Ss9" * 40
TOKEN = "tokmark1" + "Tt9" * 40
PASSWORD = "pwdmark1"
LEAK = re.compile("keymark1|secmark1|tokmark1|pwdmark1", re.IGNORECASE)
TOKEN_ANSWER = plain(json.dumps({"access_token": TOKEN, "expires_in": 1_799}).encode())


def priced(currency: str, id_: str) -> dict[str, Any]:
    """What each format answers, with these texts sent back in it."""
    rate = {
        "id": KEY,
        "occupancy_pricing": {"2": {"totals": {"inclusive": {"request_currency": {"value": "1", "currency": currency}}}}},
    }
    offer = {"id": id_, "price": {"currency": currency, "total": "1"}, "checkInDate": "2026-01-01"}
    room = {"name": "r", "rates": [{"rateKey": id_, "net": "1"}]}
    retail = {"name": "r", "retailRate": {"total": [{"amount": 1, "currency": currency}]}}
    return {
        "rapid": [{"property_id": "1", "rooms": [{"room_name": "r", "rates": [rate]}]}],
        "amadeus": {"data": [{"hotel": {"hotelId": "1"}, "offers": [offer]}]},
        "hotelbeds": {"hotels": {"hotels": [{"code": 1, "currency": currency, "rooms": [room]}]}},
        "liteapi": {"data": [{"hotelId": "1", "roomTypes": [{"offerId": id_, "rates": [retail]}]}]},
    }


def failure(mode: str, wire_format: str, request: bytes) -> bytes:
    """An answer that sends the request, or what it held, back in one of many ways."""
    sent_back = request + f" {KEY} {SECRET} {TOKEN}".encode()
    answers = {
        "unauthorized": plain(sent_back, status="401 Unauthorized"),
        "forbidden": plain(b"bad signature " + sent_back, status="403 Forbidden"),
        "broken": plain(sent_back, status="500 Internal Server Error"),
        "reason": plain(b"", status=f"500 {KEY} {SECRET}"),
        "echo": plain(sent_back),
        "currency": plain(json.dumps(priced(KEY, SECRET)[wire_format]).encode()),
        "offer": plain(json.dumps(priced(SECRET, TOKEN if wire_format == "amadeus" else KEY)[wire_format]).encode()),
        "error": plain(json.dumps({"error": {"code": 1, "message": f"{SECRET} {KEY}"}}).encode()),
        "redirect": plain(b"", f"Location: http://{KEY}/{SECRET}", status="302 Found"),
        "encoding": plain(b"x", f"Content-Encoding: {SECRET}"),
        "status": f"HTTP/1.1 {KEY} {SECRET}\r\n\r\n".encode(),
        "header": f"HTTP/1.1 200 OK\r\n{KEY} {SECRET}\r\n\r\n".encode(),
        "length": f"HTTP/1.1 200 OK\r\nContent-Length: {KEY}\r\n\r\n".encode(),
        "silence": b"",
    }
    return answers[mode]


MODES = (
    *("unauthorized", "forbidden", "broken", "reason", "echo", "currency", "offer", "error"),
    *("redirect", "encoding", "status", "header", "length", "silence"),
)


async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    request = head + await reader.readexactly(length)
    _, wire_format, mode, path = request.split(b" ")[1].decode().split("/", 3)
    granted = "oauth2" in path and mode not in ("unauthorized", "silence")
    writer.write(TOKEN_ANSWER if granted else failure(mode, wire_format, request))
    await writer.drain()
    writer.close()


@pytest.fixture
async def settings(tmp_path: Path) -> AsyncIterator[Settings]:
    """A service of suppliers of each format that fail in each way, and one of each where nobody listens."""
    async with listening(handle) as port:
        lines, hotels = ['content = "content.json"'], {}
        for wire_format in FORMATS:
            for mode in (*MODES, "refused"):
                name = f"{wire_format}-{mode}"
                url = f"http://127.0.0.1:{1 if mode == 'refused' else port}/{wire_format}/{mode}"
                lines += [f"[suppliers.{name}]", f'format = "{wire_format}"', f'url = "{url}"', "timeout_ms = 4000"]
                lines += ['key = "${KEY}"', 'secret = "${SECRET}"']
                hotels[name] = {"LON": [["1", "Hotel Alba", 51.5, -0.12]]}
        (tmp_path / "catalogue.toml").write_text("\n".join(lines))
        (tmp_path / "content.json").write_text(json.dumps({"places": {"LON": "London"}, "hotels": hotels}))
        yield Settings.from_environment(
            {
                "KEY": KEY,
                "SECRET": SECRET,
                "CROSSOVER_CATALOGUE": str(tmp_path / "catalogue.toml"),
                "CROSSOVER_CACHE_URL": f"redis://:{PASSWORD}@127.0.0.1:1",
                "CROSSOVER_FRESH_S": "60",
                "CROSSOVER_DEADLINE_MS": "5000",
                "CROSSOVER_OPS": "on",
                "CROSSOVER_EMF_S": "1",
                "CROSSOVER_ADMISSION": "off",
            }
        )


async def everything_said(app: Starlette) -> dict[str, str]:
    """The answers of every route by path, after searches that failed."""
    said = {}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", timeout=20) as client,
    ):
        paths = [future_search(), future_search(adults="1"), future_search().replace("/search", "/search/stream"), "/metrics"]
        for path in (*paths, "/version", "/ops", "/ops/data", "/readyz", "/openapi.json", future_search(adults="0")):
            said[path] = (await client.get(path)).text
        await asyncio.sleep(1.2)  # the embedded metrics' interval
    return said


async def test_what_suppliers_send_back_stands_in_no_log_and_no_answer(
    settings: Settings, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    answers = await everything_said(create_app(settings))
    outcomes = {outcome["supplier"]: outcome for outcome in json.loads(answers[future_search()])["error"]["outcomes"]}
    assert outcomes["rapid-currency"]["status"] == "malformed", "the searches reach the suppliers"
    said = {**answers, "log": caplog.text, "output": str(capfd.readouterr())}
    assert {where: LEAK.findall(text) for where, text in said.items() if LEAK.search(text)} == {}


def test_no_repr_shows_them(settings: Settings) -> None:
    catalogue = load_catalogue(settings.catalogue, variables=settings.catalogue_variables)
    entry = catalogue.suppliers[0]
    assert (entry.key, entry.secret) == (KEY, SECRET)
    account = Account(supplier=entry.id, url=entry.url, key=entry.key, secret=entry.secret, hotels={})
    account.confidential.granted(TOKEN)
    app = create_app(settings)
    request = WireRequest("GET", entry.url, {"Authorization": KEY}, SECRET.encode())
    parts = (request, account, account.confidential, FORMATS["amadeus"](account))
    for shown in (settings, catalogue, entry, *parts, app, app.state.service):
        assert not LEAK.search(repr(shown)), type(shown).__name__


@pytest.mark.parametrize("field", ["format", "url"])
def test_a_wrong_field_of_the_catalogue_is_told_as_it_stands_there(field: str, tmp_path: Path) -> None:
    fields = {"format": "rapid", "url": "https://x.example", "timeout_ms": 500, "key": "k", field: "ftp://${KEY}"}
    lines = ["[suppliers.a]", *(f"{name} = {json.dumps(value)}" for name, value in fields.items())]
    path = tmp_path / "catalogue.toml"
    path.write_text("\n".join(['content = "x"', *lines]))
    with pytest.raises(ConfigurationError, match=re.escape(f"suppliers.a.{field}:")) as refused:
        load_catalogue(path, variables={"KEY": KEY})
    assert "'ftp://${KEY}'" in str(refused.value)
    assert not LEAK.search(str(refused.value))
