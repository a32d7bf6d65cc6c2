"""One odd request in each front's language, and what each front changes in it on the way (docs/parity.md).

`expected` makes of what the container lane answered what the front's own changes leave of it; all else must be the same.
"""

from __future__ import annotations

import base64
import gzip
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from http.client import HTTPResponse
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from infra.lab.target_events import http_answer, is_text, target_event
from tests.infra.lab.parity_corpus import Case

CALLER = "198.51.100.7"
TRACE = "Root=1-65f00000-0123456789abcdef01234567"
OWN_HEADERS = ("x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "x-amzn-trace-id")
"""A front sets these itself, whatever the caller claims; the caller's chain stays before its address."""

OF_THE_CONNECTION = ("date", "server", "connection", "keep-alive", "transfer-encoding")
"""Headers of an answer that are about the last hop alone."""

LITERAL = "/!$&'()*+,;=:@~"
Said = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, list[str]]
    body: Any


def sent_on(case: Case) -> list[tuple[str, str]]:
    """The request's headers as a load balancer sends them on."""
    claimed = [value for name, value in case.headers if name.lower() == "x-forwarded-for"]
    pairs = [] if case.host is None else [("host", case.host)]
    pairs += [(name.lower(), value) for name, value in case.headers if name.lower() not in OWN_HEADERS]
    if case.body and not any(name == "content-length" for name, _ in pairs):
        pairs.append(("content-length", str(len(case.body))))
    own = (", ".join([*claimed, CALLER]), "443", "https", TRACE)
    return [*pairs, *zip(OWN_HEADERS, own, strict=True)]


def on_the_wire(case: Case) -> bytes:
    lines = [f"{case.method} {case.target} HTTP/1.1", *(f"{name}: {value}" for name, value in sent_on(case))]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + case.body


def ask(port: int, case: Case) -> Answer:
    """The container lane's answer; sent as bytes, for every HTTP client mends what it is given."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(on_the_wire(case))
        with HTTPResponse(connection, method=case.method) as response:
            response.begin()
            pairs = [(name, _utf8(value)) for name, value in response.getheaders()]
            return _answer(case, response.status, pairs, response.read())


def _utf8(value: str) -> str:
    """`http.client` reads latin-1."""
    return value.encode("latin-1").decode()


def _answer(case: Case, status: int, pairs: list[tuple[str, str]], body: bytes) -> Answer:
    headers: dict[str, list[str]] = {}
    for name, value in pairs:
        headers.setdefault(name.lower(), []).append(value)
    if "gzip" in headers.get("content-encoding", []):
        body = gzip.decompress(body)  # which holds the time of compressing
        headers.pop("content-length", None)
    left_out = OF_THE_CONNECTION if case.method == "HEAD" else (*OF_THE_CONNECTION, "content-length")
    kept = {name: values for name, values in headers.items() if name not in left_out}
    is_json = kept.get("content-type") == ["application/json"] and body
    return Answer(status, kept, json.loads(body) if is_json else body)


def _by_name(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    for name, value in pairs:
        readable = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        headers.setdefault(name, []).append(readable)
    return headers


def _path_and_query(case: Case) -> tuple[str, str]:
    target = case.target
    if target.startswith("http://"):
        target = target.removeprefix("http://" + urlsplit(target).netloc)
    path, _, query = target.partition("?")
    return path, query


def _alb_event(case: Case, *, multi_value: bool) -> Said:
    headers = _by_name(sent_on(case))
    text = is_text(headers, case.body)
    return target_event(case.method, *_path_and_query(case), headers, case.body, text=text, multi_value=multi_value)


def _api_event(case: Case, *, function_url: bool) -> Said:
    """Payload format 2.0, after events recorded of both fronts (hotsock/voker on GitHub, `vokerhttp/testdata`)."""
    path, query = _path_and_query(case)
    headers = _by_name(sent_on(case))
    cookies = headers.get("cookie", []) if function_url else headers.pop("cookie", [])
    text = is_text(headers, case.body)
    body = case.body.decode() if text and case.body else base64.b64encode(case.body).decode()
    decoded = unquote(path).partition("?")[0]
    domain = "abc.lambda-url.us-east-1.on.aws" if function_url else "abc.execute-api.us-east-1.amazonaws.com"
    event: Said = {
        "version": "2.0",
        "rawPath": path if function_url else decoded,
        "rawQueryString": query,
        "headers": {name: ",".join(values) for name, values in headers.items()},
        "requestContext": {
            "domainName": domain,
            "http": {"method": case.method, "path": decoded, "sourceIp": CALLER},
        },
        "isBase64Encoded": bool(case.body) and not text,
    }
    if cookies:
        event["cookies"] = [cookie for value in cookies for cookie in value.split("; ")]
    return event | ({"body": body} if body else {})


def _alb_answer(case: Case, payload: bytes, *, multi_value: bool) -> Answer:
    response = http_answer(payload, multi_value=multi_value, head=case.method == "HEAD")
    assert response is not None, f"no answer that a load balancer takes: {payload[:300]!r}"
    body = response.body
    assert isinstance(body, bytes)
    pairs = [(name, value) for name, value in response.headers.items() if response.headers.getall(name)]
    return _answer(case, response.status, pairs, body)


def _api_answer(case: Case, payload: bytes) -> Answer:
    answer = json.loads(payload)
    body = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()
    pairs = [*answer["headers"].items(), *(("set-cookie", cookie) for cookie in answer.get("cookies", []))]
    return _answer(case, answer["statusCode"], pairs, body)


def _grouped(query: str) -> dict[str, list[str]]:
    """A load balancer tells of a query's values by key: what is lost is how keys were mixed, and `a` from `a=`."""
    values: dict[str, list[str]] = {}
    for name, _, value in (pair.partition("=") for pair in query.split("&") if pair):
        values.setdefault(name, []).append(value)
    return values


def _joined(values: dict[str, list[str]]) -> str:
    return "&".join(f"{name}={value}" for name, several in values.items() for value in several)


def _multi_value(said: Said) -> Said:
    return said | {"query_string": _joined(_grouped(said["query_string"]))}


def _last_values(case: Case) -> Case:
    """What is left of a request where every name may stand once: the value sent last."""
    target, mark, query = case.target.partition("?")
    last = {name: values[-1:] for name, values in _grouped(query).items()}
    headers = {name.lower(): (name, value) for name, value in case.headers}
    return replace(case, target=f"{target}{mark}{_joined(last)}", headers=tuple(headers.values()))


def _function_url(said: Said) -> Said:
    return said | {"headers": {name: [",".join(values)] for name, values in said["headers"].items()}}


def _http_api(said: Said) -> Said:
    path = said["path"].partition("?")[0]
    return _function_url(said) | {"path": path, "raw_path": quote(path, safe=LITERAL)}


@dataclass(frozen=True, slots=True)
class Front:
    """`event` says a request in the front's language, `answer` reads the function's. `changed` is what the front makes of what
    a service is told, `asked` what it leaves of a request. `joins`: an answer's repeated headers become one, but cookies."""

    event: Callable[[Case], Said]
    answer: Callable[[Case, bytes], Answer]
    changed: Callable[[Said], Said]
    joins: bool = False
    asked: Callable[[Case], Case] = lambda case: case

    def expected(self, container: Answer) -> Answer:
        headers, body = container.headers, container.body
        if self.joins:
            headers = {name: values if name == "set-cookie" else [",".join(values)] for name, values in headers.items()}
        return Answer(container.status, headers, self.changed(body) if isinstance(body, dict) and "raw_path" in body else body)


FRONTS = {
    "ALB, multi-value headers": Front(
        lambda case: _alb_event(case, multi_value=True),
        lambda case, payload: _alb_answer(case, payload, multi_value=True),
        _multi_value,
    ),
    "ALB, single-value headers": Front(
        lambda case: _alb_event(case, multi_value=False),
        lambda case, payload: _alb_answer(case, payload, multi_value=False),
        _multi_value,
        asked=_last_values,
    ),
    "HTTP API": Front(lambda case: _api_event(case, function_url=False), _api_answer, _http_api, joins=True),
    "function URL": Front(lambda case: _api_event(case, function_url=True), _api_answer, _function_url, joins=True),
}
