"""The Lambda lane in AWS's runtime client and in ours: every front's events, read right and answered in that front's shape."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest

from infra.lab.lambda_lane import LambdaLane, runtime_folder
from infra.lab.runtime_api import Code
from tests.app.telemetry.tracing.collector import collecting
from tests.conftest import ROOT
from tests.fakes import future_search

EVENTS = Path(__file__).parent / "events"
FRONTS = sorted(path.stem for path in EVENTS.glob("*.json"))


CLIENTS = ("aws", "asyncio")


def lane_of(shared_simulator_url: str, client: str = "aws", **more: str) -> LambdaLane:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    runtime = runtime_folder(version, Path(sys.executable))
    env = {"CROSSOVER_SUPPLIERS_URL": shared_simulator_url, "CROSSOVER_LANE": "lambda", "CROSSOVER_DEADLINE_MS": "8000", **more}
    code = Code(ROOT, Path(sys.executable), env, runtime)
    return LambdaLane(code.with_asyncio_client() if client == "asyncio" else code)


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def lane(shared_simulator_url: str, client: str) -> AsyncIterator[LambdaLane]:
    async with lane_of(shared_simulator_url, client) as lane:
        yield lane


def event(front: str, path: str, **headers: str) -> dict[str, Any]:
    """A front's event for this path: ALBs pass query values percent-encoded, the others the raw query string."""
    made: dict[str, Any] = json.loads((EVENTS / f"{front}.json").read_text())
    bare, _, query = path.partition("?")
    if front.startswith("alb"):
        made["path"] = bare
        pairs = {name: quote(value) for name, value in parse_qsl(query)}
        if "multi" in front:
            made["multiValueQueryStringParameters"] = {name: [value] for name, value in pairs.items()}
            made["multiValueHeaders"] |= {name.replace("_", "-"): [value] for name, value in headers.items()}
            return made
        made["queryStringParameters"] = pairs
    else:
        made |= {"rawPath": bare, "rawQueryString": query}
        made["requestContext"]["http"]["path"] = bare
    made["headers"] |= {name.replace("_", "-"): value for name, value in headers.items()}
    return made


async def call(lane: LambdaLane, made: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
    result = await lane.invoke(json.dumps(made).encode())
    assert result.error_type is None, result.payload
    answer = json.loads(result.payload)
    headers = dict(answer.get("headers") or {}) | {k: v[0] for k, v in (answer.get("multiValueHeaders") or {}).items()}
    body = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    return answer["statusCode"], headers, json.loads(body)


@pytest.mark.parametrize("front", FRONTS)
async def test_every_front_gets_a_whole_search(lane: LambdaLane, front: str) -> None:
    status, headers, body = await call(
        lane, event(front, future_search(children="4,7", currency="eur"), accept_encoding="gzip")
    )
    assert status == 200
    assert headers["content-type"] == "application/json"
    assert headers["content-encoding"] == "gzip"
    assert body["search"]["occupancy"] == {"adults": 2, "children": [4, 7]}
    assert body["hotels"][0]["offers"][0]["price"]["currency"] == "EUR"
    assert len(body["outcomes"]) == 45


@pytest.mark.parametrize("front", FRONTS)
async def test_every_front_gets_the_one_error_shape(lane: LambdaLane, front: str) -> None:
    status, _, body = await call(lane, event(front, "/search?place=S%C3%A3o%20Paulo&adults=0"))
    assert status == 422
    reasons = {wrong["field"]: wrong["reason"] for wrong in body["error"]["fields"]}
    assert "unknown place 'São Paulo'" in reasons["place"], "a percent-encoded value must reach the app decoded once"
    assert (await call(lane, event(front, "/nowhere")))[0] == 404


async def test_one_loop_and_one_lifespan_serve_every_front(lane: LambdaLane) -> None:
    for front in FRONTS:
        assert (await call(lane, event(front, "/readyz")))[0] == 200
    assert lane.cold_starts == 1


async def test_what_cannot_be_read_is_a_bad_request_and_no_function_error(lane: LambdaLane) -> None:
    for front in FRONTS:
        half_a_character = event(front, "/healthz", x_odd="\ud800")
        no_base64 = event(front, "/healthz") | {"body": "a", "isBase64Encoded": True}
        for made in (half_a_character, no_base64):
            status, headers, body = await call(lane, made)
            assert (status, headers["content-type"], body["error"]["code"]) == (400, "application/json", "bad_request")


async def test_time_between_invocations_is_not_event_loop_lag(lane: LambdaLane) -> None:
    for _ in range(2):
        assert (await call(lane, event(FRONTS[0], future_search())))[0] == 200
        await asyncio.sleep(1.5)
    result = await lane.invoke(json.dumps(event(FRONTS[0], "/metrics")).encode())
    text = json.loads(result.payload)["body"]
    worst = re.search(r'lag_milliseconds\{quantile="1"\} ([0-9.]+)', text)
    assert worst is None or float(worst[1]) < 1_400, text


async def test_json_logs_are_one_object_a_line_and_none_for_each_supplier_call(shared_simulator_url: str, client: str) -> None:
    wanted = {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO", "CROSSOVER_EMF_S": "1"}
    async with lane_of(shared_simulator_url, client, **wanted) as lane:
        for _ in range(3):
            assert (await call(lane, event(FRONTS[0], future_search())))[0] == 200
            await asyncio.sleep(1.1)
        lines = [json.loads(line) for line in lane.log_lines()]
    assert [line["searches"] for line in lines if "_aws" in line], "embedded metrics pass as they are"
    about_itself = [line for line in lines if "_aws" not in line and line["logger"] == "crossover.lambda"]
    assert [line["message"] for line in about_itself] == (
        [] if client == "aws" else ["the bundle's runtime client takes 1 at once"]
    )
    assert [line for line in lines if "_aws" not in line and line not in about_itself] == []


async def test_traces_are_sent_before_the_environment_freezes(shared_simulator_url: str, client: str) -> None:
    with collecting() as collector:
        traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_TRACES_SAMPLER": "always_on"}
        async with lane_of(shared_simulator_url, client, **traced) as lane:
            for number in range(1, 6):
                assert (await call(lane, event(FRONTS[0], future_search())))[0] == 200
                if len(collector.spans) == number * 46:
                    break  # on a busy machine the time that an invocation waits may not be enough
            else:
                pytest.fail("after none of five answers all spans were with the collector")


async def test_a_collector_that_hangs_keeps_an_invocation_waiting_briefly(shared_simulator_url: str) -> None:
    with collecting() as collector:
        collector.delay_s = 1.5
        async with lane_of(
            shared_simulator_url, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_TRACES_SAMPLER="always_on"
        ) as lane:
            await call(lane, event(FRONTS[0], "/readyz"))
            assert (await call(lane, event(FRONTS[0], future_search())))[0] == 200
            assert collector.received == [], "the answer came before the collector's"


async def test_a_wrong_setting_is_one_clear_init_error(client: str) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    code = Code(ROOT, Path(sys.executable), {"CROSSOVER_LANE": "moon"}, runtime_folder(version, Path(sys.executable)))
    async with LambdaLane(code.with_asyncio_client() if client == "asyncio" else code) as lane:
        failed = await lane.invoke(b"{}")
    assert failed.error_type == "Runtime.InitError"
    assert b"CROSSOVER_LANE: 'moon' is not one of lambda, container, local" in failed.payload


def test_the_cold_start_imports_no_command_line_server_or_test_tool() -> None:
    """What was found in the import profile and is not needed; each cost milliseconds of every cold start."""
    unwanted = ("click", "rich", "uvicorn", "argparse", "multiprocessing.pool", "unittest", "yaml", "xml.etree.ElementTree")
    code = f"import lambda_handler.handler, sys; print([name for name in {unwanted} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
