"""Both lanes from one bundle behind the load balancer: the same bytes, one lifespan an environment, nothing left behind."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import psutil
import pytest

from infra.bundle import Bundle
from infra.errors import KitError
from infra.lab.cloud import CloudOptions, LocalCloud
from infra.lab.load import run_load
from infra.lab.load_balancer import LANE_HEADER
from infra.lab.measure import Overloaded, Plan, measure, place_codes
from infra.lab.parity import check_parity
from infra.lab.queries import search_paths
from infra.lab.supplier_counts import set_latency
from tests.conftest import ROOT, descendants_with
from tests.fakes import future_search

pytestmark = pytest.mark.slow


@pytest.fixture
async def cloud(local_bundle: Bundle) -> AsyncIterator[LocalCloud]:
    async with LocalCloud(local_bundle, CloudOptions(latency="fixed:2", concurrency=6, deadline_ms=5_000)) as cloud:
        yield cloud


async def get(cloud: LocalCloud, lane: str, path: str) -> tuple[int, object]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(cloud.balancer.url + path, headers={LANE_HEADER: lane}) as answer,
    ):
        return answer.status, await answer.json(content_type=None)


async def connections_accepted(cloud: LocalCloud) -> int:
    async with aiohttp.ClientSession() as session, session.get(f"{cloud.simulator_url}/_sim/stats") as answer:
        return int((await answer.json())["connections"]["accepted"])


async def test_both_lanes_run_the_bundle_and_say_which(cloud: LocalCloud) -> None:
    for lane in ("lambda", "container"):
        status, version = await get(cloud, lane, "/version")
        assert status == 200
        assert isinstance(version, dict)
        assert version["bundle_sha256"] == cloud.bundle.sha256
        assert (version["lane"], version["git_revision"]) == (lane, cloud.bundle.git_revision)
        assert version["python"].startswith(cloud.bundle.target.python)


async def test_200_invocations_start_the_app_once_and_keep_its_connections(cloud: LocalCloud) -> None:
    path = future_search()
    status, first = await get(cloud, "lambda", path)
    assert status == 200
    assert isinstance(first, dict)
    assert first["complete"] is True
    after_first = await connections_accepted(cloud)
    for _ in range(199):
        assert (await get(cloud, "lambda", path))[0] == 200
    assert cloud.lambda_lane.cold_starts == 1
    opened = await connections_accepted(cloud) - after_first  # hedged calls take a second connection
    assert opened <= 200 * 45 * 0.01, "upstream connections must live across invocations"
    metrics = await get_text(cloud, "lambda", "/metrics")
    assert "crossover_search_duration_milliseconds_count 200" in metrics, "the app was started more than once"


async def get_text(cloud: LocalCloud, lane: str, path: str) -> str:
    async with (
        aiohttp.ClientSession() as session,
        session.get(cloud.balancer.url + path, headers={LANE_HEADER: lane}) as answer,
    ):
        return await answer.text()


async def test_a_bundle_replaced_meanwhile_changes_nothing_that_runs(local_bundle: Bundle, tmp_path: Path) -> None:
    tree = Path(shutil.copytree(local_bundle.tree, tmp_path / "tree"))
    async with LocalCloud(replace(local_bundle, tree=tree), CloudOptions(latency="fixed:2", workers=1)) as cloud:
        shutil.rmtree(tree)
        for lane in ("lambda", "container"):  # the Lambda lane starts its first environment only now
            assert (await get(cloud, lane, "/version"))[0] == 200
        folder = cloud.bundle.tree.parent
        assert folder.is_dir()
    assert not folder.exists()


async def test_a_bundle_that_is_gone_is_one_clear_line(local_bundle: Bundle, tmp_path: Path) -> None:
    cloud = LocalCloud(replace(local_bundle, tree=tmp_path / "gone"), CloudOptions())
    with pytest.raises(KitError, match="was replaced while the lab started; start it again"):
        await cloud.__aenter__()


async def test_the_same_searches_get_identical_answers_on_both_lanes(cloud: LocalCloud) -> None:
    paths = search_paths(place_codes(cloud), seed=5, today=datetime.now(UTC).date())
    asked = [next(paths) for _ in range(20)]
    bad = ["/search?place=LON", "/search?place=XXX&check_in=2027-01-01&check_out=1", "/nowhere", "/search?adults=%C3%BC%20x"]
    bad += [
        f"{future_search()}&place=PAR",
        f"{future_search()}&currency=",
        "/search?place=%ff&check_in=+",
        "//search",
        "/%73earch",
    ]
    parity = await check_parity(
        cloud.balancer.url,
        cloud.balancer.url,
        asked + bad,
        lambda_headers={LANE_HEADER: "lambda"},
        container_headers={LANE_HEADER: "container"},
        concurrency=2,
    )
    assert parity.differences == ()
    assert (parity.queries, parity.identical) == (29, 29)


async def test_measuring_gives_every_figure_from_real_processes(cloud: LocalCloud) -> None:
    await set_latency(cloud, "fixed:30")
    plan = Plan(rps=2, searches=12, warm_up=3, cold_starts=1, container_starts=1)
    steps: list[str] = []
    profile = await measure(cloud, plan, step=steps.append)
    assert profile.bundle is not None and profile.bundle.sha256 == cloud.bundle.sha256
    assert profile.conditions is not None and profile.conditions.suppliers == 45
    for lane in (profile.lambda_lane, profile.container_lane):
        assert lane.searches == 12
        assert lane.cpu_ms_per_search > 1
        assert lane.wait_ms > 10, "waiting for suppliers of 30 ms must show"
        assert lane.duration_p50_ms <= lane.duration_p99_ms
        assert lane.memory_mb > 20
        assert lane.upstream_bytes_in is not None and lane.upstream_bytes_in > 45 * 1_000
        assert lane.response_bytes is not None and lane.response_bytes > 1_000
    assert profile.lambda_lane.bare_cold_start_ms is not None
    assert profile.lambda_lane.cold_start_ms > profile.lambda_lane.bare_cold_start_ms
    assert len(steps) == 3
    assert profile.lab is not None
    processes = {
        name: len(lane.peaks_mb()) for name, lane in (("lambda", cloud.lambda_lane), ("container", cloud.container_lane))
    }
    for name, lane in (("lambda", profile.lambda_lane), ("container", profile.container_lane)):
        spread = profile.lab[name]
        assert {figure: told.samples for figure, told in spread.items()} == {
            "duration_ms": 12, "cpu_ms": 12, "wait_ms": 12, "cold_start_ms": 1, "request_bytes": 12, "response_bytes": 12,
            "memory_mb": processes[name], "upstream_bytes_in": 12, "upstream_bytes_out": 12,
        }  # fmt: skip
        assert spread["upstream_bytes_in"].mean == pytest.approx(lane.upstream_bytes_in, rel=0.3)
        assert spread["memory_mb"].highest == pytest.approx(lane.memory_mb, abs=0.1)
        assert spread["duration_ms"].p50 == pytest.approx(lane.duration_p50_ms, rel=0.3)
        assert spread["cpu_ms"].mean == pytest.approx(lane.cpu_ms_per_search, rel=0.3)


async def test_a_machine_that_cannot_hold_the_load_is_measured_at_a_lower_one_or_refused(cloud: LocalCloud) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.put(f"{cloud.simulator_url}/_sim/faults/*", data="status:500") as done,
    ):
        assert done.status == 200
    steps: list[str] = []
    with pytest.raises(Overloaded, match=r"the lambda lane failed 2 of 2 searches at 1/s \(2 × 503, 0 broken\)"):
        await measure(cloud, Plan(rps=2, searches=4, warm_up=2, cold_starts=1, container_starts=1), step=steps.append)
    assert any("again at half the rate" in step for step in steps)


async def test_killing_a_worker_under_load_costs_at_most_its_requests_in_flight(cloud: LocalCloud) -> None:
    victim = cloud.container_lane.worker_pids()[0]
    load = asyncio.create_task(
        run_load(
            cloud.balancer.url,
            search_paths(place_codes(cloud), seed=1, today=datetime.now(UTC).date()),
            rps=2,
            requests=16,
            seed=1,
            headers={LANE_HEADER: "container"},
        )
    )
    await asyncio.sleep(2)
    os.kill(victim, signal.SIGKILL)
    result = await load
    assert result.sent == 16
    assert result.failed <= 4
    assert result.statuses[502] == result.failed - result.broken
    assert victim not in cloud.container_lane.worker_pids()
    assert len(cloud.container_lane.worker_pids()) == 2, "the killed worker must be replaced"


async def test_killing_a_lambda_environment_mid_search_is_one_502(cloud: LocalCloud) -> None:
    await set_latency(cloud, "fixed:400")
    await cloud.lambda_lane.prewarm(1)
    search = asyncio.create_task(get_text(cloud, "lambda", future_search()))
    await asyncio.sleep(0.2)
    (environment,) = cloud.lambda_lane.environments
    os.kill(environment.pid, signal.SIGKILL)
    assert "502 Bad Gateway" in await search
    assert (await get(cloud, "lambda", future_search()))[0] == 200


async def test_a_supplier_fault_costs_that_supplier_only(cloud: LocalCloud) -> None:
    kinds = {
        "rapid-01": "status:500",
        "rapid-02": "garbage",
        "liteapi-01": "redirect",
        "hotelbeds-01": "huge",
        "liteapi-02": "hang",
    }
    async with aiohttp.ClientSession() as session:
        for supplier, kind in kinds.items():
            async with session.put(f"{cloud.simulator_url}/_sim/faults/{supplier}", data=kind) as answer:
                assert answer.status == 200
    status, found = await get(cloud, "container", future_search())
    assert status == 200
    assert isinstance(found, dict)
    outcomes = {outcome["supplier"]: outcome["status"] for outcome in found["outcomes"]}
    assert {supplier: outcomes[supplier] for supplier in kinds} == {
        "rapid-01": "error",
        "rapid-02": "malformed",
        "liteapi-01": "error",
        "hotelbeds-01": "malformed",
        "liteapi-02": "timeout",
    }
    assert sum(status == "ok" for status in outcomes.values()) == 40
    assert found["hotels_found"] > 20


def start(arguments: Sequence[str], marker: str) -> subprocess.Popen[str]:
    env = {**os.environ, "CROSSOVER_TEST_MARKER": marker}
    return subprocess.Popen(
        [sys.executable, "-m", "infra.cli", *arguments],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_running_however_the_lab_ends(local_bundle: Bundle, how: signal.Signals) -> None:
    with start(["lab", "up", "--port", "0", "--simulator-port", "0", "--latency", "fixed:1"], f"lab-{how}") as lab:
        assert lab.stdout is not None
        lines = [lab.stdout.readline() for _ in range(4)]
        assert lines[0].startswith("load balancer  http://127.0.0.1:")
        deadline = time.monotonic() + 10
        while len(children := set(children_of(lab.pid))) < 4 and time.monotonic() < deadline:
            time.sleep(0.05)  # the first worker answers while others still start
        assert len(children) >= 4, "simulator, supervisor, its resource tracker and workers"
        lab.send_signal(how)
        code = lab.wait(30)
        lab.communicate()
    assert code == (-signal.SIGKILL if how == signal.SIGKILL else 0)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and alive(children):
        time.sleep(0.05)
    assert alive(children) == set()
    assert descendants_with(f"lab-{how}") == []


def children_of(pid: int) -> list[int]:
    return [child.pid for child in psutil.Process(pid).children(recursive=True)]


def alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE}


def test_ctrl_c_while_the_lab_starts_leaves_nothing_running(local_bundle: Bundle) -> None:
    with start(["lab", "up", "--port", "0", "--simulator-port", "0"], "starting") as lab:
        assert lab.stderr is not None
        while "starting the container lane" not in lab.stderr.readline():
            assert lab.poll() is None
        children = set(children_of(lab.pid))
        lab.send_signal(signal.SIGINT)
        assert lab.wait(30) == 0
        output, errors = lab.communicate()
    assert "Traceback" not in errors
    assert children
    assert alive(children) == set()
    assert "load balancer" not in output


def test_a_port_in_use_is_one_clear_line(local_bundle: Bundle) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with start(["lab", "up", "--port", str(port), "--simulator-port", "0"], "port") as lab:
            _, errors = lab.communicate(timeout=60)
        assert lab.returncode == 1
        assert f"crossover: the load balancer cannot listen on port {port}: Address already in use" in errors
        assert "Traceback" not in errors
        with start(["simulator", "--port", str(port)], "port") as simulator:
            _, errors = simulator.communicate(timeout=60)
        assert simulator.returncode == 1
        assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in errors
