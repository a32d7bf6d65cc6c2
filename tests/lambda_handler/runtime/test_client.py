"""Our runtime client beside AWS's, one event at a time: the same answers, errors and contexts; INIT, SnapStart and the end."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.lab.lambda_lane import LambdaLane
from infra.lab.processes import spawn
from infra.lab.runtime_api import RESPONSE_LIMIT, Code
from tests.lambda_handler.runtime.own_app import own_code
from tests.lambda_handler.runtime.test_connection import scripted
from tests.lambda_handler.test_handler import CLIENTS, call, event

FRONT = "alb_multi_value_headers"


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> Callable[[Code], Code]:
    """Puts one of the two clients in charge of the code."""
    return Code.with_asyncio_client if request.param == "asyncio" else lambda code: code


async def test_the_app_finds_the_invocations_context(tmp_path: Path, client: Callable[[Code], Code]) -> None:
    async with LambdaLane(client(own_code(tmp_path)), memory_mb=512) as lane:
        _, _, context = await call(lane, event(FRONT, "/context"))
        assert context["id"] == lane.results[-1].request_id
        assert 8_000 < context.pop("remaining") <= 10_000
        assert context | {"id": ""} == {
            "id": "",
            "name": "crossover-lab",
            "trace": "Root=1-",
            "memory": "512",
            "arn": "arn:aws:lambda:us-east-1:000000000000:function:crossover-lab",
        }
        assert (await call(lane, event(FRONT, "/")))[2]["startups"] == 1


async def test_an_app_that_raises_is_answered_for_and_the_environment_lives_on(
    tmp_path: Path, client: Callable[[Code], Code]
) -> None:
    async with LambdaLane(client(own_code(tmp_path))) as lane:
        failed = await lane.invoke(json.dumps(event(FRONT, "/raise")).encode())
        assert json.loads(failed.payload)["statusCode"] == 500
        assert json.loads(failed.payload)["body"] == "Internal Server Error"
        assert any("nothing is here" in line for line in lane.log_lines())
        await call(lane, event(FRONT, "/"))
        assert lane.cold_starts == 1


@pytest.mark.parametrize(("sent", "kind"), [(b'{"no": "front"}', "RuntimeError"), (b"not json", "Runtime.UnmarshalError")])
async def test_an_event_of_no_front_is_the_documented_error(
    tmp_path: Path, client: Callable[[Code], Code], sent: bytes, kind: str
) -> None:
    async with LambdaLane(client(own_code(tmp_path))) as lane:
        failed = await lane.invoke(sent)
        told: dict[str, Any] = json.loads(failed.payload)
        assert told.keys() == {"errorMessage", "errorType", "requestId", "stackTrace"}
        assert (told["errorType"], told["requestId"]) == (kind, failed.request_id)
        await call(lane, event(FRONT, "/"))
        assert lane.cold_starts == 1


async def test_an_answer_over_the_limit_fails_that_invocation_alone(tmp_path: Path) -> None:
    async with LambdaLane(own_code(tmp_path).with_asyncio_client()) as lane:
        over = await lane.invoke(json.dumps(event(FRONT, f"/big?size={RESPONSE_LIMIT}")).encode())
        assert over.error_type == "Function.ResponseSizeTooLarge"
        await call(lane, event(FRONT, "/"))
        assert lane.cold_starts == 1, "AWS's client ends here, and the next search is a cold start"


async def test_init_that_fails_says_why(tmp_path: Path, client: Callable[[Code], Code]) -> None:
    async with LambdaLane(client(own_code(tmp_path, BROKEN="yes"))) as lane:
        failed = await lane.invoke(b"{}")
    assert failed.error_type == "Runtime.InitError"
    assert b"LookupError" in failed.payload
    assert b"there is no way to start" in failed.payload


async def test_sigterm_lets_the_app_leave_its_lifespan(tmp_path: Path) -> None:
    async with LambdaLane(own_code(tmp_path).with_asyncio_client()) as lane:
        await lane.prewarm(1)
        (environment,) = lane.environments
        slow = asyncio.create_task(call(lane, event(FRONT, "/sleep?s=0.2&name=last")))
        await asyncio.sleep(0.1)
        os.kill(environment.pid, signal.SIGTERM)
        assert (await slow)[0] == 200, "what is in flight is finished"
        async with asyncio.timeout(2):
            while environment.alive:
                await asyncio.sleep(0.01)
    assert (tmp_path / "left").read_text() == "left"


async def test_an_environment_whose_runtime_api_gives_up_ends_with_one_line(tmp_path: Path) -> None:
    body = json.dumps(event(FRONT, "/")).encode()
    head = b"HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: one\r\nContent-Length: %d\r\n\r\n"
    broken = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
    code = own_code(tmp_path, AWS_LAMBDA_LOG_FORMAT="JSON").with_asyncio_client()
    async with scripted(head % len(body) + body, broken) as (address, asked):
        variables = code.variables(int(address.rpartition(":")[2]), memory_mb=512, log_stream="log")
        child = await spawn(code.command(), env=variables, cwd=tmp_path, log=tmp_path / "log")
        try:
            assert await asyncio.wait_for(child.wait(), 10) == 1
        finally:
            await child.kill()
    assert b"/invocation/one/response" in asked[1]
    (line,) = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert (line["level"], line["message"]) == ("ERROR", "the Runtime API answered 500 to an answer")


async def test_environments_restored_from_one_snapshot_draw_their_own_random_numbers(
    tmp_path: Path, client: Callable[[Code], Code]
) -> None:
    same = random.Random(7).random()
    code = client(own_code(tmp_path))
    async with LambdaLane(code) as lane:
        assert (await call(lane, event(FRONT, "/random")))[2] == same
    async with LambdaLane(replace(code, snap_start=True)) as lane:
        assert (await call(lane, event(FRONT, "/random")))[2] != same
        (environment,) = lane.environments
        assert environment.restored
