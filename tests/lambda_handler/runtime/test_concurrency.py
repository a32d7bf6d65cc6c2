"""Many invocations in one environment, as on Lambda Managed Instances: one process, one loop, nobody waits for another."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from infra.bundle import Bundle, find_interpreter
from infra.lab.lambda_lane import LambdaLane, runtime_folder
from infra.lab.parity import first_difference
from infra.lab.runtime_api import Code
from tests.fakes import future_search
from tests.lambda_handler.runtime.own_app import own_code
from tests.lambda_handler.test_handler import call, event

FRONT = "alb_multi_value_headers"
FRONTS = (FRONT, "http_api_v2", "function_url", "alb_single_value_headers")


@pytest.mark.slow
async def test_the_bundles_answers_at_sixteen_at_once_are_those_of_awss_client(
    local_bundle: Bundle, shared_simulator_url: str
) -> None:
    python = find_interpreter(local_bundle.target.python)
    assert python is not None
    env = {"CROSSOVER_SUPPLIERS_URL": shared_simulator_url, "CROSSOVER_LANE": "lambda", "CROSSOVER_DEADLINE_MS": "8000"}
    code = Code(local_bundle.tree, python, env, runtime_folder(local_bundle.target.python, python))
    events = [event(front, future_search(adults=str(adults))) for adults in (1, 2, 3, 4) for front in FRONTS]
    events += [event(front, path) for front in FRONTS for path in ("/healthz", "/search?adults=0", "/nowhere")]
    async with LambdaLane(code, timeout_s=30) as lane:
        expected = [await call(lane, made) for made in events]
    async with LambdaLane(code.with_asyncio_client(16), concurrency=1, timeout_s=30) as lane:
        await lane.prewarm(1)
        answers = await asyncio.gather(*(call(lane, made) for made in events[:16]))
        answers += [await call(lane, made) for made in events[16:]]
        assert lane.cold_starts == 1
    assert [status for status, _, _ in answers] == [200] * 16 + [200, 422, 404] * len(FRONTS)
    for made, theirs, ours in zip(events, expected, answers, strict=True):
        assert first_difference(_comparable(theirs), _comparable(ours)) is None, made


def _comparable(answer: tuple[int, dict[str, str], Any]) -> Any:
    """Without lengths, which differ with the digits of the times in the body."""
    status, headers, body = answer
    return {"status": status, "headers": {name: v for name, v in headers.items() if name != "content-length"}, "body": body}


async def test_slow_ones_do_not_block_fast_ones(tmp_path: Path) -> None:
    async with LambdaLane(own_code(tmp_path).with_asyncio_client(16), concurrency=1) as lane:
        await lane.prewarm(1)
        began = time.perf_counter()
        slow = [asyncio.create_task(call(lane, event(FRONT, "/sleep?s=2.5&name=slow"))) for _ in range(15)]
        await asyncio.sleep(0.5)
        fast = (await call(lane, event(FRONT, "/")))[2]
        assert time.perf_counter() - began < 2.5
        assert fast["running"] == 16
        await asyncio.gather(*slow)
        assert time.perf_counter() - began < 10, "one after the other they would take 37 s"
        assert (await call(lane, event(FRONT, "/")))[2]["most"] == 16
        assert lane.cold_starts == 1


async def test_over_the_environments_limit_another_one_is_started_or_the_call_throttled(tmp_path: Path) -> None:
    async with LambdaLane(own_code(tmp_path).with_asyncio_client(2), concurrency=2) as lane:
        await lane.prewarm(1)
        held = [asyncio.create_task(call(lane, event(FRONT, "/sleep?s=3&name=x"))) for _ in range(2)]
        await asyncio.sleep(0.2)
        other = (await call(lane, event(FRONT, "/")))[2]
        assert (lane.cold_starts, other["most"]) == (2, 1)
        held += [asyncio.create_task(call(lane, event(FRONT, "/sleep?s=3&name=x"))) for _ in range(2)]
        await asyncio.sleep(0.2)
        assert (await lane.invoke(json.dumps(event(FRONT, "/")).encode())).status == 429
        await asyncio.gather(*held)


async def test_one_past_its_deadline_is_cancelled_and_the_others_go_on(tmp_path: Path) -> None:
    async with LambdaLane(own_code(tmp_path).with_asyncio_client(4), concurrency=1, timeout_s=1.0) as lane:
        await lane.prewarm(1)
        hanging = asyncio.create_task(lane.invoke(json.dumps(event(FRONT, "/sleep?s=60&name=hangs")).encode()))
        await asyncio.sleep(0.5)
        others = await asyncio.gather(*(call(lane, event(FRONT, "/sleep?s=0.7&name=quick")) for _ in range(3)))
        assert [status for status, _, _ in others] == [200, 200, 200]
        late = await hanging
        assert (late.error_type, late.billed_ms) == ("Sandbox.Timedout", 1_000)
        state = (await call(lane, event(FRONT, "/")))[2]
        assert (state["cancelled"], state["running"]) == (1, 1), "the work that nobody waits for has ended"
        again = await asyncio.gather(*(call(lane, event(FRONT, "/sleep?s=0.2&name=again")) for _ in range(4)))
        assert len(again) == 4
        assert (await call(lane, event(FRONT, "/")))[2]["most"] == 4, "its place is free again"
        assert lane.cold_starts == 1


async def test_each_log_line_carries_the_id_of_its_own_request(tmp_path: Path) -> None:
    code = own_code(tmp_path, AWS_LAMBDA_LOG_FORMAT="JSON", AWS_LAMBDA_LOG_LEVEL="INFO").with_asyncio_client(16)
    async with LambdaLane(code, concurrency=1) as lane:
        await lane.prewarm(1)
        made = [json.dumps(event(FRONT, f"/sleep?s=0.3&name=n{number}")).encode() for number in range(8)]
        results = await asyncio.gather(*map(lane.invoke, made), lane.invoke(json.dumps(event(FRONT, "/raise")).encode()))
        lines = [json.loads(line) for line in lane.log_lines()]
    ids = {f"n{number}": result.request_id for number, result in enumerate(results[:8])}
    told = {(line["message"], line["requestId"]) for line in lines if line["logger"] == "own"}
    assert told == {(f"{when} {name}", request_id) for name, request_id in ids.items() for when in ("before", "after")}
    (error,) = [line for line in lines if line["level"] == "ERROR"]
    assert (error["errorType"], error["errorMessage"]) == ("LookupError", "nothing is here")
    assert error["requestId"] == results[8].request_id
    assert any("answered" in entry for entry in error["stackTrace"])
