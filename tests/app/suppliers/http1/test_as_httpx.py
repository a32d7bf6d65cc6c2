"""One suite, run against stock `httpx.AsyncClient` and against ours: what a user of httpx relies on is the same."""

from __future__ import annotations

import asyncio
import gzip
import logging
import pickle
import zlib

import httpx
import pytest

from app.suppliers.http1.client import AcceleratedClient
from app.suppliers.http1.message import Messages
from tests.app.suppliers.http1.scripted import CLOSE, SILENCE, ScriptedServer, plain, serving

Client = type[httpx.AsyncClient]
pytestmark = pytest.mark.parametrize("client_type", [httpx.AsyncClient, AcceleratedClient], ids=["stock", "accelerated"])

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n"
ANSWERS: dict[str, tuple[bytes | tuple[bytes, ...], int, bytes]] = {
    "a length": (plain(b"hello"), 200, b"hello"),
    "a length, byte by byte": (tuple(bytes([b]) for b in plain(b"hello")), 200, b"hello"),
    "no body": (plain(b""), 200, b""),
    "chunks": (CHUNKED, 200, b"hello world"),
    "chunks, cut anywhere": (tuple(CHUNKED[i : i + 7] for i in range(0, len(CHUNKED), 7)), 200, b"hello world"),
    "204": (b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n", 204, b""),
    "304": (b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n', 304, b""),
    "404 with a body": (plain(b"no", status="404 Not Found"), 404, b"no"),
    "500 without a reason": (plain(b"", status="500 "), 500, b""),
    "100 before it": (b"HTTP/1.1 100 Continue\r\n\r\n" + plain(b"hello"), 200, b"hello"),
    "103 before it": (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + plain(b"hello"), 200, b"hello"),
    "gzip": (plain(gzip.compress(b"hello"), "Content-Encoding: gzip"), 200, b"hello"),
    "gzip, two members": (plain(gzip.compress(b"hel") + gzip.compress(b"lo"), "Content-Encoding: gzip"), 200, b"hel"),
    "deflate": (plain(zlib.compress(b"hello"), "Content-Encoding: deflate"), 200, b"hello"),
    "deflate without its header": (plain(zlib.compress(b"hello")[2:-4], "Content-Encoding: deflate"), 200, b"hello"),
    "an unknown coding": (plain(b"hello", "Content-Encoding: mine"), 200, b"hello"),
    "a redirect": (plain(b"", "Location: /elsewhere", status="302 Found"), 302, b""),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_is_read_whole_and_its_connection_kept(client_type: Client, name: str) -> None:
    answer, status, body = ANSWERS[name]
    async with serving(ScriptedServer([answer])) as server, client_type() as client:
        for _ in range(3):
            response = await client.get(f"{server.url}/x")
            assert response.status_code == status
            assert response.content.startswith(body), "of several gzip members stock httpx reads the first"
            assert response.http_version == "HTTP/1.1" and response.is_closed
    assert server.connections == 1, "the connection is kept"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\nhello",
        b"HTTP/1.0 200 OK\r\n\r\nhello",
        plain(b"hello", "Connection: close"),
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    ],
    ids=["until the end", "1.0 until the end", "close", "1.0"],
)
async def test_an_answer_that_ends_its_connection_is_whole(client_type: Client, answer: bytes) -> None:
    async with serving(ScriptedServer([answer], close_after=True)) as server, client_type() as client:
        for _ in range(3):
            assert (await client.get(f"{server.url}/x")).content == b"hello"
    assert server.connections == 3


async def test_head_has_no_body_and_keeps_its_connection(client_type: Client) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"
    async with serving(ScriptedServer([head, plain(b"hello")])) as server, client_type() as client:
        first = await client.head(f"{server.url}/x")
        assert (first.content, first.headers["content-length"]) == (b"", "5000")
        assert (await client.get(f"{server.url}/x")).content == b"hello"
    assert server.connections == 1


async def test_a_response_is_an_httpx_response(client_type: Client) -> None:
    answer = plain(
        b'{"a": [1]}', "Content-Type: application/json; charset=utf-8", "X-Two: 1", "X-Two: 2", status="404 Not Found"
    )
    async with serving(ScriptedServer([answer])) as server, client_type() as client:
        url = f"{server.url}/x?a=b%20c&d=e"
        response = await client.get(url, headers={"X-Mine": "1"})
    assert isinstance(response, httpx.Response)
    assert response.json() == {"a": [1]} and response.text == '{"a": [1]}'
    assert response.headers.get_list("x-two") == ["1", "2"] and response.headers["content-type"].startswith("application/json")
    assert response.request.headers["x-mine"] == "1" and str(response.url) == url
    assert response.request.method == "GET" and response.reason_phrase == "Not Found" and response.is_client_error
    assert response.elapsed.total_seconds() > 0 and response.history == [] and response.next_request is None
    assert response.is_stream_consumed and response.encoding == "utf-8" and response.num_bytes_downloaded >= 0
    assert [part async for part in response.aiter_bytes()] == [b'{"a": [1]}'] and await response.aread() == b'{"a": [1]}'
    assert repr(response) == "<Response [404 Not Found]>"
    with pytest.raises(httpx.HTTPStatusError, match="404 Not Found"):
        response.raise_for_status()
    again = pickle.loads(pickle.dumps(response))
    assert (again.status_code, again.content, again.headers) == (404, response.content, response.headers)
    assert again.request.headers["x-mine"] == "1"


async def test_what_goes_over_the_wire(client_type: Client) -> None:
    async with serving(ScriptedServer([plain(b"")])) as server, client_type(headers={"User-Agent": "me/1"}) as client:
        await client.get(f"{server.url}/a/b?c=d%20e&f=%C3%A9", headers={"X-Mine": "1", "accept": "text/x"})
        await client.post(f"{server.url}/p", content=b"body", headers={"Content-Type": "text/plain"})
        await client.post(f"{server.url}/p")
    got, posted, empty = map(fields_of, server.requests)
    assert got[0] == "GET /a/b?c=d%20e&f=%C3%A9 HTTP/1.1"
    assert got[1] == {
        "host": f"127.0.0.1:{server.port}", "accept": "text/x", "accept-encoding": "gzip, deflate", "connection": "keep-alive",
        "user-agent": "me/1", "x-mine": "1",
    }  # fmt: skip
    assert (posted[0], posted[1]["content-length"], posted[1]["content-type"]) == ("POST /p HTTP/1.1", "4", "text/plain")
    assert server.requests[1].endswith(b"\r\n\r\nbody") and empty[1]["content-length"] == "0"


def fields_of(request: bytes) -> tuple[str, dict[str, str]]:
    first, *lines = request.split(b"\r\n\r\n")[0].decode().split("\r\n")
    return first, {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        ("", "/"),
        ("?a=b", "/?a=b"),
        ("/a b", "/a%20b"),
        ("/é?ü=ö", "/%C3%A9?%C3%BC=%C3%B6"),
        ("/a/../b", "/b"),
        ("/a#fragment", "/a"),
        ("/a%2fb", "/a%2fb"),
    ],
)
async def test_urls_that_need_care(client_type: Client, target: str, sent: str) -> None:
    async with serving(ScriptedServer([plain(b"")])) as server, client_type() as client:
        await client.get(server.url + target)
    assert server.requests[0].split(b" ")[1].decode() == sent


async def test_every_kind_of_argument_still_works(client_type: Client) -> None:
    async with serving(ScriptedServer([plain(b"ok", "Set-Cookie: s=1")])) as server, client_type() as client:
        await client.post(f"{server.url}/json", json={"a": 1})
        await client.post(f"{server.url}/form", data={"a": "1"})
        await client.post(f"{server.url}/files", files={"f": b"bytes"})
        await client.get(f"{server.url}/params", params={"q": "a b"})
        await client.get(httpx.URL(f"{server.url}/url"), headers=httpx.Headers({"X-A": "b"}))
        await client.get(f"{server.url}/auth", auth=("me", "secret"))
        async with client.stream("GET", f"{server.url}/stream") as response:
            assert [part async for part in response.aiter_raw()] == [b"ok"]
        sent = await client.send(client.build_request("GET", f"{server.url}/send"))
        assert sent.content == b"ok"
        await client.post(f"{server.url}/large", content=b"x" * 200_000)
    lines = [fields_of(request) for request in server.requests]
    assert [line[0].split(" ")[1] for line in lines][:5] == ["/json", "/form", "/files", "/params?q=a+b", "/url"]
    assert lines[1][1]["cookie"] == "s=1", "a cookie that was set is sent back"
    assert "authorization" in lines[5][1] and lines[8][1]["content-length"] == "200000"


async def test_what_is_set_on_the_client_is_obeyed_whenever_it_is_set(client_type: Client) -> None:
    seen: list[str] = []

    async def hook(request: httpx.Request) -> None:
        seen.append(request.url.path)

    redirect = plain(b"", "Location: /b", status="302 Found")
    async with (
        serving(ScriptedServer([plain(b""), plain(b""), plain(b""), redirect, plain(b"there")])) as server,
        client_type() as client,
    ):
        kept = client.headers
        await client.get(f"{server.url}/1")
        kept["X-Late"] = "1"
        await client.get(f"{server.url}/2")
        client.event_hooks = {"request": [hook]}
        await client.get(f"{server.url}/3")
        client.follow_redirects = True
        response = await client.get(f"{server.url}/a")
    assert [fields_of(request)[1].get("x-late") for request in server.requests[:2]] == [None, "1"]
    assert seen == ["/3", "/a", "/b"] and response.content == b"there" and len(response.history) == 1


async def test_a_base_url_and_default_parameters_are_obeyed(client_type: Client) -> None:
    async with (
        serving(ScriptedServer([plain(b"")])) as server,
        client_type(base_url=server.url + "/v1", params={"k": "v"}) as client,
    ):
        await client.get("/x")
    assert server.requests[0].startswith(b"GET /v1/x?k=v ")


PATIENT, IMPATIENT = httpx.Timeout(5), httpx.Timeout(5, read=0.1)
FAILURES: dict[str, tuple[ScriptedServer, type[httpx.TransportError], httpx.Timeout]] = {
    "closes without an answer": (ScriptedServer([CLOSE]), httpx.RemoteProtocolError, PATIENT),
    "closes in the head": (ScriptedServer([b"HTTP/1.1 200 OK\r\nConte"], close_after=True), httpx.RemoteProtocolError, PATIENT),
    "closes in the body": (ScriptedServer([plain(b"hello")[:-1]], close_after=True), httpx.RemoteProtocolError, PATIENT),
    "closes in a chunk": (ScriptedServer([CHUNKED[:-20]], close_after=True), httpx.RemoteProtocolError, PATIENT),
    "speaks something else": (ScriptedServer([b"SSH-2.0-OpenSSH\r\n"], close_after=True), httpx.RemoteProtocolError, PATIENT),
    "is silent": (ScriptedServer([SILENCE]), httpx.ReadTimeout, IMPATIENT),
    "stops in the body": (ScriptedServer([plain(b"hello")[:-1]]), httpx.ReadTimeout, IMPATIENT),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_failures_are_httpxs_with_their_request(client_type: Client, name: str) -> None:
    server, kind, timeout = FAILURES[name]
    async with serving(server), client_type(timeout=timeout) as client:
        with pytest.raises(kind) as failed:
            await client.get(f"{server.url}/x")
    assert failed.value.request.url.path == "/x"


async def test_nobody_listening_is_a_connect_error(client_type: Client) -> None:
    async with serving(ScriptedServer([plain(b"")])) as server:
        pass
    async with client_type() as client:
        with pytest.raises(httpx.ConnectError) as failed:
            await client.get(f"{server.url}/x")
    assert failed.value.request.method == "GET"


@pytest.mark.parametrize("url", ["ftp://a/b", "/relative", "http://", "http://[::1/x", "http://a:99999/"])
async def test_urls_that_lead_nowhere(client_type: Client, url: str) -> None:
    async with client_type() as client:
        with pytest.raises((httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.ConnectError, httpx.LocalProtocolError)):
            await client.get(url)


async def test_a_header_field_cannot_smuggle_another(client_type: Client) -> None:
    async with serving(ScriptedServer([plain(b"")])) as server, client_type() as client:
        with pytest.raises(httpx.LocalProtocolError):
            await client.get(f"{server.url}/x", headers={"X-A": "1\r\nX-B: 2"})
    assert server.requests == []


async def test_no_free_connection_is_a_pool_timeout(client_type: Client) -> None:
    limits = httpx.Limits(max_connections=1)
    async with (
        serving(ScriptedServer([SILENCE])) as server,
        client_type(limits=limits, timeout=httpx.Timeout(0.4, pool=0.1)) as client,
    ):
        first = asyncio.create_task(client.get(f"{server.url}/1"))
        await asyncio.sleep(0.05)
        with pytest.raises(httpx.PoolTimeout):
            await client.get(f"{server.url}/2")
        with pytest.raises(httpx.ReadTimeout):
            await first


async def test_a_connection_the_server_closed_while_idle_is_not_used_again(client_type: Client) -> None:
    async with serving(ScriptedServer([plain(b"hello")], close_after=True)) as server, client_type() as client:
        for _ in range(4):
            assert (await client.get(f"{server.url}/x")).content == b"hello"
    assert server.connections == 4


async def test_a_closed_client_says_so(client_type: Client) -> None:
    client = client_type()
    await client.aclose()
    with pytest.raises(RuntimeError, match="closed"):
        await client.get("http://127.0.0.1:1/x")


async def test_requests_are_logged_as_httpx_logs_them(client_type: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="httpx"):
        async with serving(ScriptedServer([plain(b"")])) as server, client_type() as client:
            await client.get(f"{server.url}/x")
    assert [record.getMessage() for record in caplog.records] == [f'HTTP Request: GET {server.url}/x "HTTP/1.1 200 OK"']


def test_messages_are_written_only_as_httpx_would_write_them(client_type: Client) -> None:
    from hypothesis import given, settings
    from hypothesis import strategies as st

    messages = Messages([])

    @settings(max_examples=300, deadline=None)
    @given(st.text(alphabet=st.sampled_from("/ab.%2fF?&=+~!$'()*,;:@ é#<>\"[]{}|\\^`\x7f"), max_size=12))
    def agrees(text: str) -> None:
        target = "/" + text
        if messages.write("GET", "h", target, None, None) is not None:
            assert httpx.URL("http://h" + target).raw_path == target.encode()

    agrees()
