"""The Lambda lane with the real runtime client and tiny handlers: what Lambda would do, done."""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.lab.cold_starts import measure_bare_cold_starts
from infra.lab.lambda_lane import InvokeResult, LambdaLane, runtime_folder
from infra.lab.runtime_api import RESPONSE_LIMIT, Code
from infra.lab.system_logs import system_logs

HANDLER = """
import os, time
starts = [0]
def handler(event, context):
    starts[0] += 1
    if event.get("sleep"):
        time.sleep(event["sleep"])
    if event.get("die"):
        os._exit(7)
    if event.get("boom"):
        raise ValueError("boom")
    if event.get("big"):
        return "x" * event["big"]
    remaining = context.get_remaining_time_in_millis()
    return {"pid": os.getpid(), "count": starts[0], "memory": context.memory_limit_in_mb, "remaining": remaining,
            "home": os.environ.get("HOME"), "own": os.environ.get("OWN")}
"""
REPORT = re.compile(
    r"REPORT RequestId: ([0-9a-f-]{36})\tDuration: ([\d.]+) ms\tBilled Duration: (\d+) ms\tMemory Size: (\d+) MB"
    r"\tMax Memory Used: (\d+) MB(?:\tInit Duration: ([\d.]+) ms)?"
)

MakeCode = Callable[[str], Code]


@pytest.fixture
def code_of(tmp_path: Path) -> MakeCode:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    runtime = runtime_folder(version, Path(sys.executable))

    def make(text: str = HANDLER) -> Code:
        (tmp_path / "tiny.py").write_text(text)
        return Code(tmp_path, Path(sys.executable), {"OWN": "set"}, runtime, "tiny.handler")

    return make


def answer(result: InvokeResult) -> dict[str, object]:
    assert result.error_type is None, result.payload
    parsed: dict[str, object] = json.loads(result.payload)
    return parsed


async def test_first_call_is_a_cold_start_and_later_ones_reuse_the_environment(code_of: MakeCode) -> None:
    async with LambdaLane(code_of(HANDLER), memory_mb=512) as lane:
        first, second = await lane.invoke(b"{}"), await lane.invoke(b"{}")
    one, two = answer(first), answer(second)
    assert first.init_ms is not None
    assert second.init_ms is None
    assert one["pid"] == two["pid"]
    assert (one["count"], two["count"]) == (1, 2)
    assert one["memory"] == "512"
    assert 8_000 < int(str(one["remaining"])) <= 10_000
    assert (one["own"], one["home"]) == ("set", None), "the caller's environment must not leak in"


async def test_report_lines_bill_init_on_the_cold_start_only(code_of: MakeCode) -> None:
    async with LambdaLane(code_of(HANDLER), memory_mb=512) as lane:
        await lane.invoke(b'{"sleep": 0.05}')
        await lane.invoke(b"{}")
        cold, warm = (REPORT.fullmatch(line) for line in lane.reports)
    assert cold is not None
    assert warm is not None
    assert 0 <= int(cold[3]) - float(cold[2]) - float(cold[6]) < 1.02
    assert float(cold[2]) >= 50
    assert warm[6] is None
    assert int(warm[3]) == math.ceil(float(warm[2]))
    assert (cold[4], int(cold[5]) > 5) == ("512", True)


async def test_lambdas_own_log_lines_are_json_with_what_was_billed(code_of: MakeCode) -> None:
    async with LambdaLane(code_of(HANDLER), memory_mb=512) as lane:
        cold, warm = await lane.invoke(b"{}"), await lane.invoke(b"{}")
    started, report = (json.loads(line) for line in system_logs(cold, 512))
    assert (started["type"], started["record"]["requestId"]) == ("platform.start", cold.request_id)
    assert (report["type"], report["record"]["status"]) == ("platform.report", "success")
    metrics = report["record"]["metrics"]
    assert (metrics["billedDurationMs"], metrics["memorySizeMB"]) == (cold.billed_ms, 512)
    assert metrics["initDurationMs"] == pytest.approx(cold.init_ms, abs=0.001)
    assert "initDurationMs" not in system_logs(warm, 512)[1]


async def test_one_environment_takes_one_event_at_a_time_and_more_are_started_on_demand(code_of: MakeCode) -> None:
    async with LambdaLane(code_of(HANDLER), concurrency=3) as lane:
        results = await asyncio.gather(*(lane.invoke(b'{"sleep": 0.3}') for _ in range(3)))
        assert len({answer(result)["pid"] for result in results}) == 3
        assert len(lane.environments) == lane.cold_starts == 3
        for _ in range(20):  # one after the other: a free environment is always found
            answer(await lane.invoke(b"{}"))
        assert lane.cold_starts == 3


async def test_the_most_recently_used_environment_is_taken_first(code_of: MakeCode) -> None:
    async with LambdaLane(code_of(HANDLER), concurrency=3) as lane:
        await lane.prewarm(3)
        used = set()
        for _ in range(6):
            used.add(answer(await lane.invoke(b"{}"))["pid"])
            await asyncio.sleep(0.1)  # it polls again meanwhile
        assert len(used) == 1, "the others stay idle, so that they could be taken down"


async def test_over_the_concurrency_limit_calls_are_throttled_not_queued(code_of: MakeCode) -> None:
    async with LambdaLane(code_of(HANDLER), concurrency=1) as lane:
        await lane.prewarm(1)
        slow = asyncio.create_task(lane.invoke(b'{"sleep": 0.4}'))
        await asyncio.sleep(0.1)
        refused = await lane.invoke(b"{}")
        assert (refused.status, refused.error_type, refused.billed_ms) == (429, "TooManyRequestsException", 0)
        answer(await slow)
        assert len(lane.reports) == 1, "a throttled call has no REPORT line"


async def test_a_call_over_the_time_limit_is_killed_and_the_next_gets_a_new_environment(code_of: MakeCode) -> None:
    async with LambdaLane(code_of(HANDLER), timeout_s=0.3) as lane:
        first = answer(await lane.invoke(b"{}"))
        late = await lane.invoke(b'{"sleep": 5}')
        assert late.error_type == "Sandbox.Timedout"
        assert b"Task timed out after 0.30 seconds" in late.payload
        assert late.billed_ms == 300
        again = await lane.invoke(b"{}")
        assert again.init_ms is not None
        assert answer(again)["pid"] != first["pid"]


async def test_an_environment_killed_mid_request_is_an_error_and_is_replaced(code_of: MakeCode) -> None:
    async with LambdaLane(code_of(HANDLER)) as lane:
        pid = int(str(answer(await lane.invoke(b"{}"))["pid"]))
        running = asyncio.create_task(lane.invoke(b'{"sleep": 5}'))
        await asyncio.sleep(0.2)
        os.kill(pid, signal.SIGKILL)
        killed = await running
        assert killed.error_type == "Runtime.ExitError"
        assert killed.duration_ms < 3_000
        exited = await lane.invoke(b'{"die": true}')
        assert exited.error_type == "Runtime.ExitError"
        assert b"exit status 7" in exited.payload
        assert answer(await lane.invoke(b"{}"))["count"] == 1


async def test_an_environment_killed_while_idle_is_noticed(code_of: MakeCode) -> None:
    async with LambdaLane(code_of(HANDLER)) as lane:
        pid = int(str(answer(await lane.invoke(b"{}"))["pid"]))
        os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.2)
        assert answer(await lane.invoke(b"{}"))["pid"] != pid


async def test_a_handlers_exception_is_its_answer_and_the_environment_lives_on(code_of: MakeCode) -> None:
    async with LambdaLane(code_of(HANDLER)) as lane:
        failed = await lane.invoke(b'{"boom": true}')
        assert failed.error_type is not None
        assert json.loads(failed.payload)["errorMessage"] == "boom"
        answer(await lane.invoke(b"{}"))
        assert lane.cold_starts == 1


async def test_a_handler_that_cannot_be_imported_says_why(code_of: MakeCode) -> None:
    async with LambdaLane(code_of("import nothing_of_this_name\n")) as lane:
        failed = await lane.invoke(b"{}")
    assert failed.error_type == "Runtime.InitError"
    assert b"nothing_of_this_name" in failed.payload


async def test_payload_limits_are_lambdas_own(code_of: MakeCode) -> None:
    async with LambdaLane(code_of(HANDLER)) as lane:
        too_big = await lane.invoke(json.dumps({"pad": "x" * (6 * 1024 * 1024)}).encode())
        assert (too_big.status, too_big.error_type) == (413, "RequestEntityTooLargeException")
        fits = await lane.invoke(json.dumps({"big": RESPONSE_LIMIT - 2}).encode())
        assert fits.error_type is None
        assert len(fits.payload) == RESPONSE_LIMIT
        over = await lane.invoke(json.dumps({"big": RESPONSE_LIMIT - 1}).encode())
        assert over.error_type == "Function.ResponseSizeTooLarge"
        answer(await lane.invoke(b"{}"))


async def test_cpu_and_memory_of_environments_are_counted_also_after_their_end(code_of: MakeCode) -> None:
    async with LambdaLane(code_of(HANDLER), timeout_s=0.3) as lane:
        await lane.invoke(b"{}")
        before = lane.cpu_seconds()
        assert before > 0
        await lane.invoke(b'{"sleep": 5}')
        assert not lane.environments
        assert lane.cpu_seconds() >= before
        assert max(lane.peaks_mb()) > 5


async def test_a_bare_cold_start_is_measured(code_of: MakeCode) -> None:
    (only,) = await measure_bare_cold_starts(code_of(HANDLER), 1)
    assert 10 < only < 5_000
