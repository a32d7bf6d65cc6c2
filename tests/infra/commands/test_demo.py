"""`make demo` for real, small: bundle, both lanes, parity, load, prices, report; and Ctrl-C at any time leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, SHARED_DATA, descendants_with

pytestmark = pytest.mark.slow

TRACE = SHARED_DATA / "traces" / "elb_request_count_8c0756.csv"
SMALL = ["--queries", "12", "--searches", "10", "--rps", "2"]


class Run:
    def __init__(self, out: Path, done: subprocess.CompletedProcess[str]) -> None:
        self.out = out
        self.done = done
        self.report: dict[str, Any] = json.loads((out / "report.json").read_text())


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run through make, as the README says, on the real load-balancer trace where it is at hand."""
    out = tmp_path_factory.mktemp("demo")
    traffic = ["--traffic", str(TRACE)] if TRACE.exists() else []
    command = [sys.executable, "-m", "infra.cli", "demo", "--out", str(out), *SMALL, *traffic]
    env = {**os.environ, "CROSSOVER_TEST_MARKER": "demo-run", "COLUMNS": "120"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return Run(out, done)


def test_the_lanes_answer_identically_and_the_report_says_so(demo: Run) -> None:
    assert demo.report["parity"] == {"queries": 12, "identical": 12}
    assert "answered 12 of 12 searches identically" in demo.done.stdout
    assert f"Report: {demo.out / 'report.html'}" in demo.done.stdout


def test_the_report_holds_what_was_measured_on_each_lane(demo: Run) -> None:
    for lane in ("lambda", "container"):
        measured = demo.report["measured"][lane]
        assert measured["cpu_ms_per_search"] > 1
        assert measured["wait_ms"] > 50, "the slowest of 45 lognormal suppliers takes long"
        assert measured["memory_mb"] > 20
        assert measured["cold_start_ms"] > 50
    assert demo.report["bundle"]["sha256"] == json.loads((demo.out / "profile.json").read_text())["bundle"]["sha256"]


def test_the_lines_add_up_to_the_bill_and_name_their_sources(demo: Run) -> None:
    for name in ("lambda", "container"):
        lane = demo.report["lanes"][name]
        assert lane["usd_per_month"] > 0
        assert lane["usd_per_million_searches"] > 0
        total = sum(Decimal(line["usd_exact"]) for line in lane["lines"])
        assert round(float(total), 2) == lane["usd_per_month"]
        for line in lane["lines"]:
            assert abs(Decimal(line["quantity"]) * Decimal(line["unit_price"]) - Decimal(line["usd_exact"])) < Decimal("0.01")
    assert demo.report["prices"]["as_of"]
    assert demo.report["prices"]["source"]
    assert demo.report["crossover_rps"] is None or demo.report["crossover_rps"] > 0


@pytest.mark.skipif(not TRACE.exists(), reason="the reference trace (CROSSOVER_SHARED_DATA) is not on this machine")
def test_the_bill_is_for_the_real_trace(demo: Run) -> None:
    assert TRACE.name in json.dumps(demo.report["traffic"])
    assert demo.report["traffic"]["peak_rps"] == pytest.approx(656 / 300, rel=0.01)


def test_the_profile_prices_the_shipped_fortnight_at_1000_a_second_too(demo: Run) -> None:
    command = [sys.executable, "-m", "infra.cli", "cost", "--profile", str(demo.out / "profile.json"), "--shape", "fortnight"]
    done = subprocess.run([*command, "--peak-rps", "1000", "--json"], cwd=ROOT, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert report["traffic"]["peak_rps"] == 1000
    assert report["parity"] is None


def test_progress_is_on_standard_error_and_nothing_is_left_running(demo: Run) -> None:
    assert "demo: asking both lanes the same 12 searches" in demo.done.stderr
    assert "\x1b[" not in demo.done.stdout + demo.done.stderr, "no colours away from a terminal"
    assert descendants_with("demo-run") == []


def test_a_malformed_series_is_refused_before_anything_starts(tmp_path: Path) -> None:
    series = tmp_path / "mine.csv"
    series.write_text("timestamp,value\n2026-01-01 00:00:00,12\n2026-01-01 00:05:00,many\n")
    command = [sys.executable, "-m", "infra.cli", "demo", "--traffic", str(series)]
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert f"{series}" in done.stderr
    assert "line 3" in done.stderr
    assert "many" in done.stderr
    assert "Traceback" not in done.stderr
    assert time.monotonic() - started < 15


@pytest.mark.parametrize("step", ["starting the container lane", "asking both lanes", "loading the Lambda lane"])
def test_ctrl_c_at_any_time_leaves_no_process_behind(tmp_path: Path, step: str) -> None:
    marker = f"interrupted-{step}"
    command = [sys.executable, "-m", "infra.cli", "demo", "--out", str(tmp_path), "--queries", "4", "--searches", "500"]
    env = {**os.environ, "CROSSOVER_TEST_MARKER": marker}
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        seen = ""
        while step not in seen:
            line = process.stderr.readline()
            assert line, seen
            seen += line
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(30) == 130
    assert "crossover: interrupted" in rest
    assert "Traceback" not in rest
    assert descendants_with(marker) == []
    assert not (tmp_path / "report.json").exists()
