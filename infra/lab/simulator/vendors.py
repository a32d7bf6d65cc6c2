"""What each vendor's server does with a request: checks its credentials, reads it, and answers or refuses in its own shape.

Refusals follow the published examples: Rapid's `type`/`message`, Amadeus's `errors` with codes of its canned messages,
Hotelbeds's `error`, LiteAPI's `error` with `code` and `message`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, MutableMapping
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import msgspec

from infra.lab.simulator import answers
from infra.lab.simulator.answers import Stay

KEY, SECRET = "lab-key", "lab-secret"
TOKEN_LIFE_S = 1799
RAPID_CLOCK_S, HOTELBEDS_CLOCK_S = 300, 120
RAPID_IDS, AMADEUS_IDS = 250, 20
JSON = b"application/json"
_OFFSETS = sorted(range(-HOTELBEDS_CLOCK_S, HOTELBEDS_CLOCK_S + 1), key=abs)


class Reply(NamedTuple):
    status: int
    body: bytes
    content_type: bytes = JSON


class Refused(Exception):
    """A request that the vendor refuses."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class Request(NamedTuple):
    """One request to one supplier; header names are lower-case. `tokens` maps an access token -> when it ends."""

    seed: int
    supplier: str
    method: str
    path: str
    query: bytes
    headers: Mapping[bytes, bytes]
    body: bytes
    now: float
    tokens: MutableMapping[str, float]

    def header(self, name: bytes) -> str:
        return self.headers.get(name, b"").decode("latin-1")

    def fields(self) -> dict[str, list[str]]:
        return parse_qs(self.query.decode(), keep_blank_values=True)


class Vendor(NamedTuple):
    """`answer` may raise `Refused`, or `ValueError` and its like for a request it cannot read: then `invalid` is the answer."""

    answer: Callable[[Request], Reply]
    invalid: Callable[[str], Reply]
    throttled: Reply


def ask(vendor: Vendor, request: Request) -> Reply:
    """What the vendor answers, refusals included; never raises for a bad request."""
    try:
        return vendor.answer(request)
    except Refused as refused:
        return refused.reply
    except KeyError as error:
        return vendor.invalid(f"{error.args[0]} is required")
    except (ValueError, TypeError, LookupError, AttributeError, msgspec.DecodeError) as error:
        return vendor.invalid(str(error))


def _reply(status: int, body: object) -> Reply:
    return Reply(status, msgspec.json.encode(body))


def _rapid_error(status: int, kind: str, message: str, *errors: dict[str, object]) -> Reply:
    return _reply(status, {"type": kind, "message": message, **({"errors": errors} if errors else {})})


def _rapid_invalid(detail: str) -> Reply:
    return _rapid_error(
        400,
        "invalid_input",
        "An invalid request was sent in, please check the nested errors for details.",
        {"type": "invalid_input", "message": detail, "fields": []},
    )


def _rapid(request: Request) -> Reply:
    if (request.method, request.path) != ("GET", "v3/properties/availability"):
        raise Refused(_rapid_error(404, "resource_not_found", "The requested resource could not be found."))
    stated = dict(
        part.split("=", 1) for part in request.header(b"authorization").removeprefix("EAN ").split(",") if "=" in part
    )
    stamp = stated.get("timestamp", "")
    signature = hashlib.sha512(f"{KEY}{SECRET}{stamp}".encode()).hexdigest()
    known = (stated.get("APIKey"), stated.get("Signature")) == (KEY, signature)
    if not known or not stamp.isdigit() or abs(request.now - int(stamp)) > RAPID_CLOCK_S:
        message = "Data required to authenticate your request is missing or inaccurate."
        raise Refused(_rapid_error(401, "request_unauthenticated", message))
    fields = request.fields()
    required = ("checkin", "checkout", "currency", "country_code", "language", "occupancy", "property_id", "rate_plan_count")
    for name in (*required, "sales_channel", "sales_environment"):
        if not fields.get(name, [""])[0]:
            raise ValueError(f"{name} is required")
    ids = tuple(fields["property_id"])
    if len(ids) > RAPID_IDS:
        raise ValueError(f"property_id: at most {RAPID_IDS}, got {len(ids)}")
    adults, _, ages = fields["occupancy"][0].partition("-")
    children = ages.split(",") if ages else []
    stay = _stay(fields["checkin"][0], fields["checkout"][0], adults, children, fields["currency"][0])
    return Reply(200, answers.rapid(request.seed, request.supplier, ids, stay))


def _amadeus_error(status: int, code: int, title: str, detail: str = "") -> Reply:
    error = {"status": status, "code": code, "title": title, **({"detail": detail} if detail else {})}
    return _reply(status, {"errors": [error]})


def _amadeus(request: Request) -> Reply:
    if (request.method, request.path) == ("POST", "v1/security/oauth2/token"):
        return _amadeus_token(request)
    if (request.method, request.path) != ("GET", "v3/shopping/hotel-offers"):
        raise Refused(_amadeus_error(404, 38196, "Resource not found"))
    ends = request.tokens.get(request.header(b"authorization").removeprefix("Bearer "))
    if ends is None:
        raise Refused(_amadeus_error(401, 38190, "Invalid access token"))
    if ends < request.now:
        raise Refused(_amadeus_error(401, 38192, "Access token expired"))
    fields = {name: values[0] for name, values in request.fields().items()}
    ids = tuple(fields["hotelIds"].split(","))
    if len(ids) > AMADEUS_IDS:
        raise ValueError(f"hotelIds: at most {AMADEUS_IDS}, got {len(ids)}")
    stay = _stay(fields["checkInDate"], fields["checkOutDate"], fields["adults"], [], fields["currency"])
    rendered = answers.amadeus(request.seed, request.supplier, ids, stay)
    if rendered is None:
        raise Refused(_amadeus_error(400, 3664, "NO ROOMS AVAILABLE AT REQUESTED PROPERTY"))
    return Reply(200, rendered, b"application/vnd.amadeus+json")


def _amadeus_token(request: Request) -> Reply:
    form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    if form != {"grant_type": "client_credentials", "client_id": KEY, "client_secret": SECRET}:
        error = {"error": "invalid_client", "error_description": "Client credentials are invalid", "code": 38187}
        raise Refused(_reply(401, {**error, "title": "Invalid parameters"}))
    token = hashlib.blake2b(f"{request.supplier}{request.now}".encode(), digest_size=14).hexdigest()
    request.tokens[token] = request.now + TOKEN_LIFE_S
    granted = {"type": "amadeusOAuth2Token", "token_type": "Bearer", "access_token": token, "expires_in": TOKEN_LIFE_S}
    return _reply(200, {**granted, "state": "approved", "scope": ""})


def _hotelbeds_error(status: int, code: str, message: str) -> Reply:
    return _reply(status, {"error": {"code": code, "message": message}})


def _hotelbeds(request: Request) -> Reply:
    if (request.method, request.path) != ("POST", "hotel-api/1.0/hotels"):
        raise Refused(_hotelbeds_error(404, "NOT_FOUND", "no such resource"))
    stated, now = request.header(b"x-signature"), int(request.now)
    signed = any(stated == hashlib.sha256(f"{KEY}{SECRET}{now + off}".encode()).hexdigest() for off in _OFFSETS)
    if request.header(b"api-key") != KEY or not signed:
        raise Refused(_reply(403, {"error": "Request signature verification failed"}))
    asked = msgspec.json.decode(request.body)
    room = asked["occupancies"][0]
    ages = [pax["age"] for pax in room.get("paxes", ()) if pax["type"] == "CH"]
    if len(ages) != room["children"]:
        raise ValueError(f"occupancies: {room['children']} children, but the ages of {len(ages)}")
    stay = _stay(asked["stay"]["checkIn"], asked["stay"]["checkOut"], room["adults"], ages, "EUR")
    ids = tuple(map(str, asked["hotels"]["hotel"]))
    return Reply(200, answers.hotelbeds(request.seed, request.supplier, ids, stay))


def _liteapi_error(status: int, code: int, message: str, description: str) -> Reply:
    return _reply(status, {"error": {"code": code, "message": message, "description": description}})


def _liteapi(request: Request) -> Reply:
    if (request.method, request.path) != ("POST", "v3.0/hotels/rates"):
        raise Refused(_liteapi_error(404, 404, "not found", "no such resource"))
    if request.header(b"x-api-key") != KEY:
        raise Refused(_liteapi_error(401, 401, "unauthorized", "invalid API key"))
    asked = msgspec.json.decode(request.body)
    for required in ("occupancies", "currency", "guestNationality", "checkin", "checkout"):
        if required not in asked:
            raise ValueError(f"{required} is required")
    party = asked["occupancies"][0]
    stay = _stay(asked["checkin"], asked["checkout"], party["adults"], party.get("children", []), asked["currency"])
    rendered = answers.liteapi(request.seed, request.supplier, tuple(asked["hotelIds"]), stay)
    return Reply(204, b"") if rendered is None else Reply(200, rendered)


def _stay(check_in: str, check_out: str, adults: str | int, ages: list[Any], currency: str) -> Stay:
    stay = Stay(date.fromisoformat(check_in), date.fromisoformat(check_out), int(adults), tuple(map(int, ages)), currency)
    if stay.nights < 1:
        raise ValueError(f"check-out {check_out} must be after check-in {check_in}")
    if not 1 <= stay.adults <= 9:
        raise ValueError(f"adults: from 1 to 9, got {stay.adults}")
    return stay


VENDORS: Mapping[str, Vendor] = {
    "rapid": Vendor(
        _rapid,
        _rapid_invalid,
        _rapid_error(429, "too_many_requests", "You have reached your capacity for this type of request."),
    ),
    "amadeus": Vendor(
        _amadeus,
        lambda detail: _amadeus_error(400, 477, "INVALID FORMAT", detail),
        _amadeus_error(429, 38194, "Too many requests", "The network rate limit is exceeded, please try again later"),
    ),
    "hotelbeds": Vendor(
        _hotelbeds,
        lambda detail: _hotelbeds_error(400, "INVALID_DATA", detail),
        _reply(403, {"error": "Quota exceeded"}),
    ),
    "liteapi": Vendor(
        _liteapi,
        lambda detail: _liteapi_error(400, 4000, "bad request", detail),
        _liteapi_error(429, 429, "too many requests", "rate limit exceeded"),
    ),
}
