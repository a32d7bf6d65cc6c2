"""The load balancer's double: weights, limits, error codes, and the exact events of an ALB."""

from __future__ import annotations

import asyncio
import base64
import gzip
import io
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from infra.errors import InputError
from infra.lab.lambda_lane import LambdaLane
from infra.lab.load_balancer import LANE_HEADER, LoadBalancer
from tests.infra.lab.test_lambda_lane import MakeCode, code_of

__all__ = ["code_of"]

ECHO = """
import json
def handler(event, context):
    path = event["path"]
    if path == "/boom":
        raise ValueError("boom")
    if path == "/big":
        return {"statusCode": 200, "body": "x" * (1024 * 1024)}
    if path == "/junk":
        return ["no", "answer"]
    if path == "/slow":
        import time; time.sleep(5)
    if path == "/split":
        return {"statusCode": 200, "multiValueHeaders": {"x-own": ["1\\r\\nx-injected: 2"]}, "body": ""}
    if path == "/status":
        return {"statusCode": 42, "body": ""}
    if "headers" in event:
        return {"statusCode": 201, "headers": {"content-type": "application/json"}, "body": json.dumps(event)}
    headers = {"content-type": ["application/json"], "set-cookie": ["a=1", "b=2"]}
    headers |= {"connection": ["close, x-hop"], "x-hop": ["1"]}
    return {"statusCode": 201, "multiValueHeaders": headers, "headers": {"x-other-form": "1"}, "body": json.dumps(event)}
"""


@pytest.fixture
def more() -> asyncio.Event:
    """Until it is set, the instance keeps the rest of a streamed answer back."""
    return asyncio.Event()


@pytest.fixture
async def instance(more: asyncio.Event) -> AsyncIterator[TestServer]:
    async def handler(request: web.Request) -> web.StreamResponse:
        if request.path == "/reset":
            assert request.transport is not None
            request.transport.abort()
        if request.path in ("/stream", "/cut"):
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b"first")
            await more.wait()
            if request.path == "/cut":
                assert request.transport is not None
                request.transport.abort()
            await response.write(b", last")
            return response
        payload = {"path": request.raw_path, "headers": dict(request.headers), "body": (await request.read()).decode("latin-1")}
        return web.json_response(payload, headers={"Connection": "close", "X-Own": "1"})

    app = web.Application(client_max_size=8 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", handler)
    server = TestServer(app)
    async with server:
        yield server


@pytest.fixture
async def balancer(code_of: MakeCode, instance: TestServer) -> AsyncIterator[LoadBalancer]:
    async with (
        LambdaLane(code_of(ECHO), concurrency=1, timeout_s=0.5) as lane,
        LoadBalancer(lane, str(instance.make_url("")).rstrip("/")) as balancer,
    ):
        yield balancer


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


TO_LAMBDA, TO_CONTAINER = {LANE_HEADER: "lambda"}, {LANE_HEADER: "container"}


async def test_a_lambda_target_gets_the_event_an_alb_sends(balancer: LoadBalancer, session: aiohttp.ClientSession) -> None:
    url = URL(f"{balancer.url}/a%20b/c?x=1&x=2&city=S%C3%A3o%20Paulo&empty=", encoded=True)
    headers = [*TO_LAMBDA.items(), ("X-Twice", "1"), ("X-Twice", "2"), ("X-Forwarded-For", "9.9.9.9")]
    headers += [
        ("X-Forwarded-Proto", "https"),
        ("X-Amzn-Trace-Id", "Self=1-0-0;Root=1-1-1;CalledFrom=app"),
        ("Host", "example.com"),
    ]
    async with session.post(url, data=b'{"a": 1}', headers=[*headers, ("Content-Type", "application/json")]) as answer:
        event = await answer.json()
        assert answer.status == 201
        assert answer.headers.getall("Set-Cookie") == ["a=1", "b=2"]
        assert "X-Other-Form" not in answer.headers, "a target group with multi-value headers reads those only"
        assert "X-Hop" not in answer.headers
    assert event["httpMethod"] == "POST"
    assert event["path"] == "/a%20b/c"
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"], "city": ["S%C3%A3o%20Paulo"], "empty": [""]}
    assert event["multiValueHeaders"]["x-twice"] == ["1", "2"]
    assert event["multiValueHeaders"]["x-forwarded-for"] == ["9.9.9.9, 127.0.0.1"]
    assert event["multiValueHeaders"]["x-forwarded-proto"] == ["http"], "a client cannot claim another scheme"
    assert event["multiValueHeaders"]["x-forwarded-port"] == [str(URL(balancer.url).port)]
    (trace,) = event["multiValueHeaders"]["x-amzn-trace-id"]
    assert re.fullmatch("Self=1-[0-9a-f]{8}-[0-9a-f]{24};Root=1-1-1;CalledFrom=app", trace)
    assert "targetGroupArn" in event["requestContext"]["elb"]
    assert (event["body"], event["isBase64Encoded"]) == ('{"a": 1}', False)


async def test_binary_bodies_are_base64_and_single_value_headers_keep_the_last(
    code_of: MakeCode, session: aiohttp.ClientSession
) -> None:
    async with (
        LambdaLane(code_of(ECHO)) as lane,
        LoadBalancer(lane, "http://127.0.0.1:1", multi_value_headers=False) as balancer,
    ):
        data, kind = bytes(range(256)), {"Content-Type": "application/octet-stream"}
        async with session.put(f"{balancer.url}/?x=1&x=2", data=data, headers=TO_LAMBDA | kind) as answer:
            event = await answer.json()
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == data
    assert event["queryStringParameters"] == {"x": "2"}
    assert "multiValueHeaders" not in event


@pytest.mark.parametrize(
    ("path", "status"), [("/boom", 502), ("/big", 502), ("/junk", 502), ("/slow", 502), ("/split", 502), ("/status", 502)]
)
async def test_what_a_function_gets_wrong_is_502(
    balancer: LoadBalancer, session: aiohttp.ClientSession, path: str, status: int
) -> None:
    async with session.get(balancer.url + path, headers=TO_LAMBDA) as answer:
        assert answer.status == status
        assert "502 Bad Gateway" in await answer.text()
    assert balancer.groups["lambda"].elb_status[502] == 1
    assert not balancer.groups["lambda"].target_status


async def test_a_body_over_1_mb_is_413_for_lambda_and_fine_for_instances(
    balancer: LoadBalancer, session: aiohttp.ClientSession
) -> None:
    body = b"x" * (1024 * 1024 + 1)
    async with session.post(balancer.url, data=io.BytesIO(body), headers=TO_LAMBDA) as answer:
        assert answer.status == 413
    async with session.post(balancer.url, data=io.BytesIO(body), headers=TO_CONTAINER) as answer:
        assert len((await answer.json())["body"]) == len(body)


async def test_throttled_calls_are_502_as_an_alb_answers_them(balancer: LoadBalancer, session: aiohttp.ClientSession) -> None:
    async def call(path: str) -> int:
        async with session.get(balancer.url + path, headers=TO_LAMBDA) as answer:
            return answer.status

    await call("/")
    slow = asyncio.create_task(call("/slow"))
    await asyncio.sleep(0.1)
    assert await call("/") == 502
    assert await slow == 502


async def test_instances_are_proxied_with_their_headers_but_not_the_connections(
    balancer: LoadBalancer, session: aiohttp.ClientSession
) -> None:
    async with session.get(f"{balancer.url}/p?q=%20", headers=TO_CONTAINER) as answer:
        seen = await answer.json()
        assert answer.headers["X-Own"] == "1"
        assert answer.headers.get("Connection") != "close"
    assert seen["path"] == "/p?q=%20"
    assert seen["headers"]["X-Forwarded-Port"]


async def test_a_reset_by_the_instance_is_502_and_not_sent_again(
    balancer: LoadBalancer, session: aiohttp.ClientSession
) -> None:
    async with session.get(f"{balancer.url}/reset", headers=TO_CONTAINER) as answer:
        assert answer.status == 502
        assert answer.headers["Server"] == "awselb/2.0"
    assert balancer.groups["container"].requests == 1


async def test_requests_are_split_by_weight(balancer: LoadBalancer, session: aiohttp.ClientSession) -> None:
    balancer.set_weights(0, 100)
    for _ in range(10):
        async with session.get(balancer.url) as answer:
            await answer.read()
    assert (balancer.groups["lambda"].requests, balancer.groups["container"].requests) == (0, 10)
    balancer.set_weights(20, 80)
    chosen = [balancer._choose() for _ in range(4_000)]
    assert 0.17 < chosen.count("lambda") / len(chosen) < 0.23


@pytest.mark.parametrize("weights", [(0, 0), (-1, 5), (1000, 1)])
def test_weights_that_elbv2_refuses_are_refused(tmp_path: Path, weights: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="each must be 0 to 999, and not both 0"):
        LoadBalancer(None, "http://127.0.0.1:1", weights=weights)  # type: ignore[arg-type]


async def test_events_are_json_that_any_lambda_target_reads(balancer: LoadBalancer, session: aiohttp.ClientSession) -> None:
    async with session.get(f"{balancer.url}/x", headers=TO_LAMBDA) as answer:
        event = json.loads(await answer.read())
    assert event["body"] == ""
    assert event["isBase64Encoded"] is False


async def test_a_text_body_that_is_no_text_is_base64(balancer: LoadBalancer, session: aiohttp.ClientSession) -> None:
    async with session.post(balancer.url, data=b"\xff\xfe", headers=TO_LAMBDA | {"Content-Type": "text/plain"}) as answer:
        event = await answer.json()
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == b"\xff\xfe"


async def test_a_body_with_a_content_coding_is_base64_whatever_its_type(
    balancer: LoadBalancer, session: aiohttp.ClientSession
) -> None:
    kind = {"Content-Type": "application/json", "Content-Encoding": "identity"}
    async with session.post(balancer.url, data=b"{}", headers=TO_LAMBDA | kind) as answer:
        event = await answer.json()
    assert (event["body"], event["isBase64Encoded"]) == (base64.b64encode(b"{}").decode(), True)


@pytest.mark.parametrize("lane", [TO_LAMBDA, TO_CONTAINER])
async def test_trace_goes_to_no_target(balancer: LoadBalancer, session: aiohttp.ClientSession, lane: dict[str, str]) -> None:
    async with session.request("TRACE", balancer.url, headers=lane) as answer:
        assert answer.status == 405
        assert answer.headers["Server"] == "awselb/2.0"


async def test_a_body_sent_compressed_reaches_an_instance_as_it_was_sent(
    balancer: LoadBalancer, session: aiohttp.ClientSession
) -> None:
    path = URL(f"{balancer.url}/%7Ea?x=%3A&y=1+2&y=%2B", encoded=True)
    async with session.post(path, data=gzip.compress(b"some"), headers=TO_CONTAINER | {"Content-Encoding": "gzip"}) as answer:
        seen = await answer.json()
    assert seen["body"] == "some", "the instance, not the load balancer, decompresses"
    assert seen["headers"]["Content-Encoding"] == "gzip"
    assert seen["path"] == "/%7Ea?x=%3A&y=1+2&y=%2B", "a path must not be rewritten on its way"


async def test_a_streamed_answer_is_passed_on_as_it_comes(
    balancer: LoadBalancer, session: aiohttp.ClientSession, more: asyncio.Event
) -> None:
    async with session.get(f"{balancer.url}/stream", headers=TO_CONTAINER) as answer:
        assert await answer.content.readany() == b"first"
        more.set()
        assert await answer.read() == b", last"
    assert balancer.groups["container"].target_status[200] == 1


async def test_an_answer_cut_short_is_never_passed_on_as_whole(
    balancer: LoadBalancer, session: aiohttp.ClientSession, more: asyncio.Event
) -> None:
    async with session.get(f"{balancer.url}/cut", headers=TO_CONTAINER) as answer:
        assert await answer.content.readany() == b"first"
        more.set()
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()


async def test_a_lane_that_does_not_exist_is_no_lane_asked_for(balancer: LoadBalancer, session: aiohttp.ClientSession) -> None:
    balancer.set_weights(0, 1)
    async with session.get(f"{balancer.url}/p", headers={LANE_HEADER: "elsewhere"}) as answer:
        assert answer.headers["X-Own"] == "1"


async def test_a_silent_instance_is_504(code_of: MakeCode, session: aiohttp.ClientSession) -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with (
        server,
        LambdaLane(code_of(ECHO)) as lane,
        LoadBalancer(lane, url, weights=(0, 1), idle_timeout_s=0.2) as balancer,
        session.get(balancer.url) as answer,
    ):
        assert answer.status == 504
        assert "504 Gateway Time-out" in await answer.text()
