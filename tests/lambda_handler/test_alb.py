"""An ALB's event becomes the scope that uvicorn would have made of the request, and the answer goes back in the event's form.

The corpus of tests/infra/lab/test_lane_parity.py holds the two lanes against each other; here stand the mapping's own promises.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mangum.types import LambdaConfig
from starlette.requests import Request

from lambda_handler.alb import AlbEvent, server_of

CONFIG = LambdaConfig(api_gateway_base_path="/", text_mime_types=[], exclude_headers=[])


def alb(**changed: Any) -> AlbEvent:
    event: dict[str, Any] = {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/a/0"}},
        "httpMethod": "GET",
        "path": "/",
        "multiValueQueryStringParameters": {},
        "multiValueHeaders": {"host": ["example.com"], "x-forwarded-proto": ["https"], "x-forwarded-port": ["443"]},
        "body": "",
        "isBase64Encoded": False,
        **changed,
    }
    return AlbEvent({name: value for name, value in event.items() if value is not ...}, None, CONFIG)  # type: ignore[arg-type]


def single(**changed: Any) -> AlbEvent:
    given = {"multiValueHeaders": ..., "multiValueQueryStringParameters": ..., "headers": {}, "queryStringParameters": {}}
    return alb(**{**given, **changed})


def answer(event: AlbEvent, *headers: tuple[bytes, bytes], body: bytes = b"", status: int = 200) -> dict[str, Any]:
    return event({"status": status, "headers": [[*pair] for pair in headers], "body": body})


@pytest.mark.parametrize(
    ("sent", "path"),
    [("/a%2Fb%20c+d", "/a/b c+d"), ("/%E2%98%95", "/☕"), ("/100%/%zz", "/100%/%zz"), ("/a%252Fb", "/a%2Fb"), ("", "/")],
)
def test_a_path_is_decoded_once_and_kept_as_it_was_sent(sent: str, path: str) -> None:
    scope = alb(path=sent).scope
    assert (scope["path"], scope["raw_path"]) == (path, (sent or "/").encode())


def test_a_query_stays_as_it_was_sent() -> None:
    query = {"a": ["1+2", "%2B%20"], "b%5B%5D": ["%zz", ""]}
    assert alb(multiValueQueryStringParameters=query).scope["query_string"] == b"a=1+2&a=%2B%20&b%5B%5D=%zz&b%5B%5D="
    assert single(queryStringParameters={"a": "%2B", "b": ""}).scope["query_string"] == b"a=%2B&b="


@pytest.mark.parametrize("nothing", [None, ..., {}])
def test_maps_that_are_null_absent_or_empty_are_empty(nothing: Any) -> None:
    for scope in (
        alb(multiValueQueryStringParameters=nothing).scope,
        single(queryStringParameters=nothing, headers=nothing).scope,
        alb(multiValueHeaders=nothing, multiValueQueryStringParameters=nothing, headers=nothing, body=None).scope,
    ):
        assert scope["query_string"] == b""
    assert single(headers=nothing).scope["headers"] == []


def test_of_both_forms_the_multi_value_one_is_read() -> None:
    scope = alb(headers={"x-a": "2"}, queryStringParameters={"a": "2"}, multiValueHeaders={"X-A": ["1", "2"]},
                multiValueQueryStringParameters={"a": ["1", "2"]}).scope  # fmt: skip
    assert scope["headers"] == [[b"x-a", b"1"], [b"x-a", b"2"]]
    assert scope["query_string"] == b"a=1&a=2"
    assert single(multiValueHeaders=None, headers={"x-a": "1"}).scope["headers"] == [[b"x-a", b"1"]]


@pytest.mark.parametrize(
    ("host", "forwarded_port", "server"),
    [
        ("example.com", "443", ("example.com", 443)),
        ("example.com:8080", "443", ("example.com", 8080)),
        ("[::1]", "443", ("[::1]", 443)),
        ("[::1]:8080", "", ("[::1]", 8080)),
        ("a:b", "443", ("a", 80)),
        ("example.com", "banana", ("example.com", 80)),
        ("example.com", "٣", ("example.com", 80)),
        ("a:" + "9" * 5_000, "", ("a", 80)),
        ("", "", ("", 80)),
        ("[::1", "443", ("[:", 1)),
    ],
)
def test_what_is_no_port_is_no_error(host: str, forwarded_port: str, server: tuple[str, int]) -> None:
    assert server_of(host, forwarded_port) == server


def test_the_caller_is_who_called_the_load_balancer_not_who_it_claims_to_be() -> None:
    headers = {"x-forwarded-for": ["9.9.9.9, banana, 198.51.100.7"], "x-forwarded-proto": ["gopher"]}
    scope = alb(multiValueHeaders=headers).scope
    assert scope["client"] == ("198.51.100.7", 0)
    assert scope["scheme"] == "https", "an app that builds URLs must find a scheme that it knows"


def test_text_stays_text_and_all_else_is_base64() -> None:
    typed = (b"content-type", b"application/json")
    assert answer(alb(), typed, body="é".encode())["body"] == "é"
    for body, *headers in (
        (b"\xff", typed),
        (b"{}", typed, (b"content-encoding", b"gzip")),
        (b"{}",),
        (b"<a/>", (b"content-type", b"application/xml")),
    ):
        made = answer(alb(), *headers, body=body)
        assert made["isBase64Encoded"] is True
        assert base64.b64decode(made["body"]) == body
    assert answer(alb(), typed) == {
        "statusCode": 200, "body": "", "isBase64Encoded": False, "multiValueHeaders": {"content-type": ["application/json"]},
    }  # fmt: skip


def test_an_answer_to_head_has_no_body_but_its_length() -> None:
    made = answer(alb(httpMethod="HEAD"), (b"content-length", b"5"), body=b"\xff" * 5)
    assert (made["body"], made["isBase64Encoded"]) == ("", False)
    assert made["multiValueHeaders"] == {"content-length": ["5"]}


COOKIES = ((b"Set-Cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"set-cookie", b"c=3"))


def test_repeated_headers_are_all_answered_in_the_form_of_the_request() -> None:
    assert answer(alb(), *COOKIES)["multiValueHeaders"] == {"set-cookie": ["a=1", "b=2", "c=3"]}
    headers = answer(single(), *COOKIES, (b"vary", b"accept"))["headers"]
    assert sorted(headers.values()) == ["a=1", "accept", "b=2", "c=3"]
    assert {name.lower() for name in headers} == {"set-cookie", "vary"}
    assert "multiValueHeaders" not in answer(single(multiValueHeaders=None), *COOKIES)


@pytest.mark.parametrize(("value", "text"), [("é".encode(), "é"), (b"caf\xe9", "café"), (b"", "")])
def test_a_headers_bytes_are_no_error(value: bytes, text: str) -> None:
    assert answer(alb(), (b"x-a", value))["multiValueHeaders"] == {"x-a": [text]}
    assert answer(single(), (b"x-a", value))["headers"] == {"x-a": text}


def test_a_body_is_bytes_however_it_came() -> None:
    assert alb(body="é").body == "é".encode()
    assert alb(body=base64.b64encode(b"\xff").decode(), isBase64Encoded=True).body == b"\xff"
    assert alb(body=None).body == b""


ANY = st.text(st.characters(exclude_categories=()), max_size=12) | st.sampled_from(
    ["[::1", "a:b", ":", "%", "%zz", "//", "?", "\ud800", "a:" + "9" * 5_000, "banana", "http", "", "é"]
)
NAMES = ANY | st.sampled_from(["host", "x-forwarded-port", "x-forwarded-proto", "x-forwarded-for", "cookie", "content-type"])


@given(
    headers=st.dictionaries(NAMES, st.lists(ANY, max_size=3), max_size=5),
    query=st.dictionaries(ANY, st.lists(ANY, max_size=3), max_size=3),
    path=ANY,
)
def test_whatever_a_caller_sends_is_a_scope_or_cannot_be_read(
    headers: dict[str, list[str]], query: dict[str, list[str]], path: str
) -> None:
    """What cannot be read is a ValueError, which the handler answers with 400; what can, an app can read on."""
    try:
        scope = alb(multiValueHeaders=headers, multiValueQueryStringParameters=query, path=path).scope
    except ValueError:
        assert any("\ud800" <= letter <= "\udfff" for letter in json.dumps([headers, query, path], ensure_ascii=False))
        return
    request = Request({**scope, "headers": [(name, value) for name, value in scope["headers"]]})
    assert isinstance(str(request.url), str)
    assert request.url.path is not None
    assert dict(request.query_params) is not None
    assert request.cookies is not None
    assert isinstance(request.headers.get("host", ""), str)
