"""Odd requests, as data: what callers, scanners and broken clients send. `parity_fronts.py` says them in each front's language.

`unsure` marks what a load balancer may refuse, change or not pass on, and nobody documents: of those it is asked only that no
lane makes a 5xx of it.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass

HOST = "search.example.com"
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request as a client sends it; `host=None` sends no Host. A body gets its Content-Length unless one is given."""

    name: str
    target: str = "/echo"
    method: str = "GET"
    host: str | None = HOST
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    unsure: str = ""


def _target(name: str, target: str, unsure: str = "") -> Case:
    return Case(name=name, target=target, unsure=unsure)


def _header(name: str, *pairs: tuple[str, str], unsure: str = "") -> Case:
    return Case(name=name, headers=pairs, unsure=unsure)


def _host(name: str, host: str | None, unsure: str = "") -> Case:
    return Case(name=name, host=host, unsure=unsure)


def _body(name: str, body: bytes, kind: str | None, *more: tuple[str, str], method: str = "POST") -> Case:
    typed = (("Content-Type", kind),) if kind else ()
    return Case(name=name, method=method, headers=(*typed, *more), body=body)


PATHS = (
    _target("encoded slash", "/a%2Fb%2fc"),
    _target("encoded percent", "/a%252Fb%2520c"),
    _target("encoded space and plus", "/a%20b+c%2Bd"),
    _target("encoded unicode", "/S%C3%A3o%20Paulo/%E2%98%95"),
    _target("encoded bytes that are no UTF-8", "/%ff%fe"),
    _target("broken escapes", "/100%/%zz/%2"),
    _target("encoded question mark and hash", "/a%3Fb%23c?d=1"),
    _target("encoded NUL and line break", "/a%00b%0d%0ac"),
    _target("double slashes", "//a//b/"),
    _target("dots", "/a/../b/./c"),
    _target("encoded dots", "/a/%2e%2e/b"),
    _target("parameters of a path segment", "/a;b=1/c;d"),
    _target("reserved characters", "/a:b@c!$&'()*,=~-._"),
    _target("characters that should be encoded", '/a|b{c}^`d"<e>\\f'),
    _target("a very long path", "/" + "a" * 15_000),
    _target("the root", "/"),
    _target("absolute form", f"http://{HOST}/echo?x=1"),
    _target("bytes that are not ASCII in the path", "/café", "not a URI (RFC 3986)"),
    _target("a space in the target", "/a b", "not a URI (RFC 3986)"),
    _target("a fragment", "/a#b", "clients keep it to themselves (RFC 9110, 7.1)"),
    Case(name="asterisk form", method="OPTIONS", target="*", unsure="the load balancer's own to answer"),
)
QUERIES = (
    _target("plus, encoded plus and space", "/echo?a=1+2&b=1%2B2&c=1%202"),
    _target("repeated keys", "/echo?a=1&a=2&a=1&b=3"),
    _target("repeated keys between others", "/echo?a=1&b=2&a=3"),
    _target("a key without a value", "/echo?a&b=&c=1"),
    _target("equals signs in a value", "/echo?a=b=c==&d=%3D"),
    _target("ampersands in a row", "/echo?&&a=1&&"),
    _target("a value without a key", "/echo?=a&=b"),
    _target("an empty query", "/echo?"),
    _target("question marks", "/echo?a=?&b??=1"),
    _target("semicolons", "/echo?a=1;b=2"),
    _target("encoded keys", "/echo?a%5Bb%5D=1&%C3%A3=%C3%A3"),
    _target("brackets", "/echo?a[]=1&a[]=2&b[c]=3"),
    _target("broken escapes in a query", "/echo?a=%&b=%zz&c=%2"),
    _target("escapes that are no UTF-8", "/echo?a=%ff%fe"),
    _target("upper and lower case escapes", "/echo?a=%2f%2F"),
    _target("a very long query", "/echo?a=" + "b" * 10_000),
    _target("a URL in a query", "/echo?u=https%3A%2F%2Fexample.com%2Fa%3Fb%3Dc%26d"),
    _target("bytes that are not ASCII in the query", "/echo?a=é", "not a URI (RFC 3986)"),
)
HEADERS = (
    _header("repeated headers", ("X-Twice", "1"), ("x-twice", "2"), ("X-TWICE", "1")),
    _header("an empty header", ("X-Empty", ""), ("X-After", "1")),
    _header("commas", ("Accept", "text/html, application/json;q=0.9"), ("X-List", "a,b")),
    _header("cookies", ("Cookie", "a=1; b=2; c=\"x y\"")),
    _header("two cookie headers", ("Cookie", "a=1"), ("Cookie", "b=2"), unsure="RFC 6265 lets a client send one"),
    _header("UTF-8 in a header", ("X-City", "São Paulo")),
    _header("latin-1 in a header", ("X-City", "S\udce3o"), unsure="no text that JSON can hold"),
    _header("a quoted string", ("X-Quoted", '"a, \\"b\\""')),
    _header("a long header", ("X-Long", "v" * 15_000)),
    _header("many headers", *((f"X-{number}", str(number)) for number in range(80))),
    _header("names with digits, underscores and dots", ("X_Under", "1"), ("X.Dot", "2"), ("X-1", "3"),
            unsure="dropped where the load balancer drops invalid header fields"),
    _header("a claimed forwarded chain", ("X-Forwarded-For", "9.9.9.9, 8.8.8.8")),
    _header("a forwarded chain that is none", ("X-Forwarded-For", "banana, [::1]:80, ,")),
    _header("a claimed port", ("X-Forwarded-Port", "banana")),
    _header("a claimed scheme", ("X-Forwarded-Proto", "gopher")),
    _header("a claimed forwarded header", ("Forwarded", "for=;host=\"a:b\";proto=gopher")),
    _header("authorization", ("Authorization", "Basic ZTp4")),
    _header("a range", ("Range", "bytes=0-1,banana")),
    _header("conditions that are none", ("If-None-Match", '"1", W/"'), ("If-Modified-Since", "yesterday")),
    _header("a coding that nobody knows", ("Accept-Encoding", "banana;q=x, gzip;q=")),
    _header("expectations", ("Expect", "banana")),
    _header("a timeout that is none", ("X-Request-Timeout-Ms", "banana"), ("X-Envoy-Expected-Rq-Timeout-Ms", "-1")),
    _header("a trace that is none", ("traceparent", "00-banana"), ("tracestate", "=,="), ("baggage", "=")),
    _header("upgrade to a web socket", ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Key", "x"),
            unsure="refused with 400 before a Lambda target"),
    _header("two lengths", ("Content-Length", "0"), ("Content-Length", "0"), unsure="ambiguous (AWS http-desync-guardian)"),
    _header("a length that is none", ("Content-Length", "banana"), unsure="severe (AWS http-desync-guardian)"),
    Case(name="a length and chunks", headers=(("Content-Length", "0"), ("Transfer-Encoding", "chunked")), method="POST",
         body=b"0\r\n\r\n", unsure="ambiguous (AWS http-desync-guardian)"),
)  # fmt: skip
HOSTS = (
    _host("a port", f"{HOST}:8443"),
    _host("IPv4", "127.0.0.1:80"),
    _host("IPv6", "[::1]"),
    _host("IPv6 with a port", "[2001:db8::1]:8080"),
    _host("a port that is none", "a:b"),
    _host("a port that is too long", "a:" + "9" * 5_000),
    _host("a port out of range", "a:99999"),
    _host("digits that are not ASCII", "a:\u0661", "no host by RFC 9110"),
    _host("an open bracket", "[::1"),
    _host("colons", ":::"),
    _host("upper case", "SEARCH.Example.COM"),
    _host("an empty host", ""),
    _host("user and path", "user:pass@host/path?x#y"),
    _host("no host", None, "HTTP/1.1 demands it"),
    Case(name="two hosts", headers=(("Host", "other.example.com"),), unsure="400 by RFC 9112, 3.2"),
)
BODIES = (
    _body("JSON", json.dumps({"a": "é ☕"}, ensure_ascii=False).encode(), "application/json"),
    _body("JSON with a charset", b"{}", "application/json; charset=utf-8"),
    _body("a form", b"a=1+2&b=%26&a=2", "application/x-www-form-urlencoded"),
    _body("text", "Grüße\r\n".encode(), "text/plain"),
    _body("text that is no UTF-8", b"caf\xe9", "text/plain; charset=latin-1"),
    _body("binary", bytes(range(256)), "application/octet-stream"),
    _body("binary without a type", bytes(range(255, -1, -1)), None),
    _body("binary that claims to be JSON", b"\xff\x00\xfe", "application/json"),
    _body("XML", "<a>é</a>".encode(), "application/xml"),
    _body("compressed JSON", gzip.compress(b'{"a": 1}', mtime=0), "application/json", ("Content-Encoding", "gzip")),
    _body("many parts", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n',
          "multipart/form-data; boundary=x"),
    _body("a body that ends in a line break", b"a\n\n", "text/plain"),
    _body("a body of NULs", b"\x00" * 10, "text/plain"),
    _body("a megabyte of text", b"x" * MEGABYTE, "text/plain"),
    _body("a megabyte of bytes", bytes(range(256)) * 4096, "application/octet-stream"),
    _body("a body with GET", b"{}", "application/json", method="GET"),
    _body("a body with DELETE", b"{}", "application/json", method="DELETE"),
    Case(name="an empty body", method="POST", headers=(("Content-Length", "0"),)),
    Case(name="no body", method="POST"),
    Case(name="a type without a body", method="PUT", headers=(("Content-Type", "application/json"), ("Content-Length", "0"))),
)  # fmt: skip
METHODS = (
    *(Case(name=f"method {method}", method=method) for method in ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "PROPFIND")),
    *(
        Case(name=f"method {method}", method=method, unsure="only some servers know it")
        for method in ("TRACE", "BANANA", "get", "CONNECT")
    ),
)
ANSWERS = (
    *(Case(name=f"answer {answer}, {method}", method=method, target=f"/answer/{answer}")
      for answer in (
          "cookies", "one-cookie", "binary", "text-that-is-none", "text", "xml", "no-type", "empty", "pieces", "no-content",
          "not-modified", "redirect", "unavailable", "teapot", "half-a-megabyte",
      )
      for method in ("GET", "HEAD")),
    Case(name="answer failure", target="/answer/failure"),
)  # fmt: skip
ECHO = (*PATHS, *QUERIES, *HEADERS, *HOSTS, *BODIES, *METHODS, *ANSWERS)
"""For the service that says what it was asked (tests/infra/own_service/echo)."""

_STAY = "check_in=2020-01-01&check_out=2020-01-02"
SEARCH = (
    *(Case(name=f"{name}: {path}", target=path, headers=headers)
      for path in ("/healthz", "/search")
      for name, headers in {case.name: case.headers for case in HEADERS if not case.unsure}.items()),
    *(Case(name=f"{case.name}: {path}", target=path, host=case.host, unsure=case.unsure)
      for path in ("/healthz", "/search", "/docs") for case in HOSTS),
    *(Case(name=f"HEAD {path}", method="HEAD", target=path) for path in ("/healthz", "/search", "/nowhere", "/docs")),
    *(Case(name=f"{method} /search", method=method, target="/search") for method in ("POST", "PUT", "OPTIONS", "PROPFIND")),
    *(_target(f"query {query}", f"/search?{query}") for query in (
        "", "place=", f"place=S%C3%A3o+Paulo&{_STAY}", f"place=S%C3%A3o%20Paulo&{_STAY}", f"place=%ff&{_STAY}",
        "place=%&adults=%zz", "place=LON&place=PAR&adults=0&adults=-1", "adults=1%2B1&children=4%2C7",
        "children=4,7,,&currency=%E2%82%AC",
        "limit=99999999999999999999999", "limit=%D9%A1", "place=LON&check_in=2020-13-45&check_out=banana", "place=a=b&x", "&&&",
    )),
    *(_target(path, path) for path in (
        "/nowhere", "/search/", "/readyz/", "/search%2F", "/%73earch", "//search", "/search/..", "/docs",
        "/openapi.json", "/favicon.ico", "/.env", "/search/stream/", "/healthz?a=1&a=2", "/healthz%00",
    )),
    *(Case(name=f"{case.name} to /search", target="/search", method=case.method, headers=case.headers, body=case.body)
      for case in BODIES),
    Case(name="compressed", target="/openapi.json", headers=(("Accept-Encoding", "gzip"),)),
    Case(name="a deadline that is none", target="/search", headers=(("X-Request-Timeout-Ms", "banana"),)),
    Case(name="absolute form", target=f"http://{HOST}/healthz"),
)  # fmt: skip
"""For the search service: what it refuses, redirects and answers without asking a supplier."""
