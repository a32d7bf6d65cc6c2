"""What only the accelerated client does: resending, capping, TLS resumption, its pool, checked addresses, copies."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from app.core.errors import SupplierUnavailable
from app.suppliers.http1.client import AcceleratedClient, Unaccelerated
from app.suppliers.http1.decoding import ResponseTooLarge
from app.suppliers.http1.tls import ResumingContext
from benchmarks.certificates import make_certificates
from tests.app.suppliers.http1.scripted import CLOSE, SILENCE, ScriptedServer, listening, plain, serving, until


async def test_a_request_on_a_kept_connection_that_turns_out_closed_is_sent_again() -> None:
    async with serving(ScriptedServer([plain(b"first"), CLOSE, plain(b"third")])) as server, AcceleratedClient() as client:
        assert (await client.get(f"{server.url}/1")).content == b"first"
        assert (await client.get(f"{server.url}/2")).content == b"third"
    assert (server.connections, len(server.requests)) == (2, 3)


async def test_a_request_on_a_new_connection_is_never_sent_again() -> None:
    async with serving(ScriptedServer([CLOSE, plain(b"second")])) as server, AcceleratedClient() as client:
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            await client.get(f"{server.url}/1")
    assert len(server.requests) == 1


@pytest.mark.parametrize(("resend", "sent"), [(None, 2), (True, 3)])
async def test_a_post_is_sent_again_only_where_the_caller_says_it_may(resend: bool | None, sent: int) -> None:
    async with serving(ScriptedServer([plain(b"1"), CLOSE, plain(b"3")])) as server, AcceleratedClient() as client:
        await client.exchange("POST", f"{server.url}/1", {}, b"a").future
        again = client.exchange("POST", f"{server.url}/2", {}, b"b", resend=resend).future
        if resend:
            assert (await again).body == b"3"
        else:
            with pytest.raises(httpx.RemoteProtocolError):
                await again
    assert len(server.requests) == sent


async def test_an_answer_that_has_begun_is_not_asked_for_again() -> None:
    script = [plain(b"1"), plain(b"hello")[:-2], plain(b"3")]
    server = ScriptedServer(script)
    async with serving(server), AcceleratedClient(timeout=httpx.Timeout(5, read=0.1)) as client:
        await client.get(f"{server.url}/1")
        with pytest.raises(httpx.ReadTimeout):
            await client.get(f"{server.url}/2")
    assert len(server.requests) == 2


async def test_bytes_after_an_answer_are_never_the_next_answer() -> None:
    async with (
        serving(ScriptedServer([plain(b"mine") + plain(b"not yours"), plain(b"yours")])) as server,
        AcceleratedClient() as client,
    ):
        assert (await client.get(f"{server.url}/1")).content == b"mine"
        assert (await client.get(f"{server.url}/2")).content == b"yours"
    assert server.connections == 2


async def test_bytes_that_come_later_unasked_end_the_idle_connection() -> None:
    late = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(plain(b"mine"))
        await late.wait()
        writer.write(plain(b"not yours"))
        await reader.read()

    async with listening(handle) as port, AcceleratedClient() as client:
        assert (await client.get(f"http://127.0.0.1:{port}/1")).content == b"mine"
        (origin,) = client.origins.values()
        assert len(origin.idle) == 1
        late.set()
        await until(lambda: not origin.idle)
        assert not origin.idle and not origin.connections


TWO_CHUNKS = (b"200\r\n" + b"x" * 512 + b"\r\n") * 2
TOO_LARGE = {
    "announced": plain(b"x" * 1_001),
    "in chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + TWO_CHUNKS,
    "unpacked": plain(gzip.compress(b"x" * 1_001), "Content-Encoding: gzip"),
    "without an end": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_001,
}  # fmt: skip


@pytest.mark.parametrize("name", TOO_LARGE)
async def test_answers_are_capped_on_decoded_bytes(name: str) -> None:
    async with (
        serving(ScriptedServer([TOO_LARGE[name], plain(b"x" * 1_000)])) as server,
        AcceleratedClient(max_response_bytes=1_000) as client,
    ):
        with pytest.raises(ResponseTooLarge, match="larger than 1000 bytes"):
            await client.get(f"{server.url}/1")
        assert len((await client.get(f"{server.url}/2")).content) == 1_000


async def test_a_head_without_end_is_given_up() -> None:
    endless = b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 100) for n in range(1_000))
    async with serving(ScriptedServer([endless])) as server, AcceleratedClient() as client:
        with pytest.raises(httpx.RemoteProtocolError, match="header fields over"):
            await client.get(f"{server.url}/1")


async def test_a_packed_body_that_stops_short_is_no_answer() -> None:
    packed = gzip.compress(b"hello" * 100)[:-9]
    async with serving(ScriptedServer([plain(packed, "Content-Encoding: gzip")])) as server, AcceleratedClient() as client:
        with pytest.raises(httpx.DecodingError, match="stops short"):
            await client.get(f"{server.url}/1")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """The authority's file, and a server context for 127.0.0.1."""
    authority = make_certificates(tmp_path_factory.mktemp("tls"))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(authority.with_name("server.pem"), authority.with_name("server.key"))
    return authority, server


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
async def test_tls_connections_are_verified_kept_and_resumed(
    certificate: tuple[Path, ssl.SSLContext], version: ssl.TLSVersion
) -> None:
    authority, tls = certificate
    tls.minimum_version, tls.maximum_version = ssl.TLSVersion.TLSv1_2, version

    def trusting() -> ResumingContext:
        context = ResumingContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(authority)
        return context

    server = ScriptedServer([plain(b"1"), plain(b"2"), plain(b"3", "Connection: close"), plain(b"4")])
    async with serving(server, tls), AcceleratedClient(tls=trusting) as client:
        url = f"https://127.0.0.1:{server.port}/x"
        assert [(await client.get(url)).content for _ in range(4)] == [b"1", b"2", b"3", b"4"]
    assert server.resumed == [False, True], "two connections; the second resumes the session of the first"


async def test_a_certificate_nobody_vouches_for_is_refused(certificate: tuple[Path, ssl.SSLContext]) -> None:
    async with serving(ScriptedServer([plain(b"")]), certificate[1]) as server, AcceleratedClient() as client:
        with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
            await client.get(f"https://127.0.0.1:{server.port}/x")
    assert server.requests == []


async def test_no_more_connections_than_allowed_and_first_come_first_served() -> None:
    done: list[int] = []
    async with (
        serving(ScriptedServer([plain(b"x")])) as server,
        AcceleratedClient(limits=httpx.Limits(max_connections=3)) as client,
    ):

        async def get(number: int) -> None:
            await client.get(f"{server.url}/{number}")
            done.append(number)

        await asyncio.gather(*[get(number) for number in range(60)])
    assert server.connections <= 3
    asked = [int(request.split(b" ")[1][1:]) for request in server.requests]
    assert sorted(done) == list(range(60)) and max(abs(a - b) for a, b in zip(asked, range(60), strict=True)) <= 3


async def test_a_caller_that_gives_up_costs_no_connection() -> None:
    slow = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for body in (b"1", b"2"):
            await reader.readuntil(b"\r\n\r\n")
            await slow.wait()
            writer.write(plain(body))
        await reader.read()

    async with listening(handle) as port, AcceleratedClient() as client:
        url = f"http://127.0.0.1:{port}"
        asked = asyncio.ensure_future(client.get(f"{url}/1"))
        while not (client.origins and all(origin.connections for origin in client.origins.values())):
            await asyncio.sleep(0.005)
        asked.cancel()
        await asyncio.wait([asked])
        slow.set()
        (origin,) = client.origins.values()
        await until(lambda: bool(origin.idle))
        assert (await client.get(f"{url}/2")).content == b"2", "the first answer was read and dropped"
        assert origin.opened == 1


async def test_an_answer_nobody_waits_for_is_dropped_after_a_moment() -> None:
    async with serving(ScriptedServer([SILENCE])) as server, AcceleratedClient(timeout=None) as client:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.get(f"{server.url}/1"), 0.02)
        (origin,) = client.origins.values()
        assert len(origin.connections) == 1
        await until(lambda: not origin.connections)


async def test_idle_connections_are_closed_in_time() -> None:
    limits = httpx.Limits(keepalive_expiry=0.1)
    async with serving(ScriptedServer([plain(b"x")])) as server, AcceleratedClient(limits=limits) as client:
        await client.get(f"{server.url}/1")
        (origin,) = client.origins.values()
        assert len(origin.idle) == 1
        await until(lambda: not origin.connections)


async def test_addresses_are_those_that_resolve_names() -> None:
    asked: list[tuple[str, int]] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append((host, port))
        return ["127.0.0.2", "127.0.0.1"]  # nobody listens on the first

    async with serving(ScriptedServer([plain(b"here")])) as server, AcceleratedClient(resolve=resolve) as client:
        assert (await client.get(f"http://supplier.example:{server.port}/x")).content == b"here"
    assert asked == [("supplier.example", server.port)]
    assert b"Host: supplier.example" in server.requests[0]


async def test_an_address_that_is_refused_is_the_callers_failure_and_nothing_goes_around_it() -> None:
    async def refuse(host: str, port: int) -> Sequence[str]:
        raise SupplierUnavailable(f"{host} is private")

    async with serving(ScriptedServer([plain(b"")])) as server, AcceleratedClient(resolve=refuse) as client:
        with pytest.raises(SupplierUnavailable, match="is private"):
            await client.get(f"{server.url}/x")
        with pytest.raises(Unaccelerated):
            await client.get(f"{server.url}/a b")
    assert server.connections == 0


async def test_a_copy_answers_where_the_first_is_silent() -> None:
    async with serving(ScriptedServer([SILENCE, plain(b"copy")])) as server, AcceleratedClient() as client:
        url = f"{server.url}/x"
        exchange = client.exchange("GET", url)
        await until(lambda: bool(server.requests))
        exchange.send_copy()
        assert (await exchange.future).body == b"copy"


async def test_a_copy_that_fails_does_not_fail_the_first() -> None:
    async with serving(ScriptedServer([SILENCE, CLOSE])) as server, AcceleratedClient() as client:
        url = f"{server.url}/x"
        exchange = client.exchange("GET", url)
        await until(lambda: bool(server.requests))
        exchange.send_copy()
        await until(lambda: exchange.copies < 2)
        assert not exchange.future.done()
        exchange.future.cancel()


async def test_every_copy_of_an_abandoned_exchange_lets_its_connection_go() -> None:
    async with serving(ScriptedServer([SILENCE])) as server, AcceleratedClient(timeout=None) as client:
        exchange = client.exchange("GET", f"{server.url}/x")
        exchange.send_copy()
        await until(lambda: len(server.requests) == 2)
        exchange.future.cancel()
        (origin,) = client.origins.values()
        await until(lambda: not origin.connections)


async def test_closing_ends_what_is_on_its_way() -> None:
    async with serving(ScriptedServer([SILENCE])) as server:
        client = AcceleratedClient()
        pending = client.exchange("GET", f"{server.url}/x").future
        await until(lambda: bool(server.requests))
        await client.aclose()
        with pytest.raises(httpx.ReadError, match="the client was closed"):
            await pending
