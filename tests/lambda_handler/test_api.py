"""Events in payload format 2.0: the path is decoded once, whichever front hands it on, and the answer is of that format."""

from __future__ import annotations

from typing import Any

import pytest
from mangum.types import LambdaConfig

from lambda_handler.api import ApiEvent

CONFIG = LambdaConfig(api_gateway_base_path="/", text_mime_types=[], exclude_headers=[])
HTTP_API, FUNCTION_URL = "abc.execute-api.us-east-1.amazonaws.com", "abc.lambda-url.us-east-1.on.aws"


def api(domain: str, path: str, decoded: str = "", **changed: Any) -> ApiEvent:
    event: dict[str, Any] = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"Host": domain, "x-forwarded-proto": "https", "x-forwarded-port": "443"},
        "requestContext": {
            "domainName": domain, "http": {"method": "GET", "path": decoded or path, "sourceIp": "198.51.100.7"},
        },
        **changed,
    }  # fmt: skip
    return ApiEvent(event, None, CONFIG)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("event", "path", "raw_path"),
    [
        (api(FUNCTION_URL, "/a%2520b", "/a%20b"), "/a%20b", b"/a%2520b"),
        (api(FUNCTION_URL, "/a%2Fb", "/a/b"), "/a/b", b"/a%2Fb"),
        (api(HTTP_API, "/a%20b"), "/a%20b", b"/a%2520b"),
        (api(HTTP_API, "/S\u00e3o Paulo"), "/S\u00e3o Paulo", b"/S%C3%A3o%20Paulo"),
        (api("search.example.com", "/100%"), "/100%", b"/100%25"),
    ],
)
def test_a_path_is_decoded_once(event: ApiEvent, path: str, raw_path: bytes) -> None:
    assert (event.scope["path"], event.scope["raw_path"]) == (path, raw_path)


def test_cookies_stand_in_the_headers_again() -> None:
    def cookies(event: ApiEvent) -> list[bytes]:
        return [value for name, value in event.scope["headers"] if name == b"cookie"]

    assert cookies(api(HTTP_API, "/", cookies=["a=1", "b=2"])) == [b"a=1; b=2"]
    assert cookies(api(FUNCTION_URL, "/", cookies=["a=1"], headers={"cookie": "a=1;b"})) == [b"a=1;b"]
    assert cookies(api(HTTP_API, "/", headers=None)) == []


def test_the_query_and_the_caller_are_as_the_front_says() -> None:
    scope = api(HTTP_API, "/", rawQueryString="a=%2B&a=+&b").scope
    assert (scope["query_string"], scope["client"], scope["scheme"]) == (b"a=%2B&a=+&b", ("198.51.100.7", 0), "https")


@pytest.mark.parametrize("host", ["a:b", "[::1]:8080", "a:" + "9" * 5_000])
def test_a_strange_host_is_no_error(host: str) -> None:
    assert api(HTTP_API, "/", headers={"host": host, "x-forwarded-port": "banana"}).scope["server"][1] in (80, 8080)


def test_repeated_headers_become_one_and_cookies_stay_apart() -> None:
    headers = [[b"Vary", b"a"], [b"vary", b"b"], [b"set-cookie", b"a=1"], [b"set-cookie", b"b=2"]]
    made = api(HTTP_API, "/")({"status": 204, "headers": headers, "body": b""})
    assert made == {
        "statusCode": 204, "headers": {"vary": "a,b"}, "cookies": ["a=1", "b=2"], "body": "", "isBase64Encoded": False,
    }  # fmt: skip
