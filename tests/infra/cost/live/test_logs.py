"""A profile from a live deployment's logs: Lambda's REPORT records in every form, and access log entries."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import cli
from infra.cost.live.logs import Histogram, read_logs
from infra.cost.live.profile import live_profile
from infra.cost.profile import read_profile, write_profile
from infra.errors import InputError
from tests.infra.cost.conftest import lane, profile_with

ID = "5f1b6b4e-7d2c-4b0e-9c59-0a3b3e1f2d11"


def report(duration: float, *, memory: int = 1769, used: int = 130, init: float | None = None, status: str = "") -> str:
    cold = "" if init is None else f"\tInit Duration: {init:.2f} ms"
    failed = f"\tStatus: {status}" if status else ""
    return (
        f"REPORT RequestId: {ID}\tDuration: {duration:.2f} ms\tBilled Duration: {duration:.0f} ms\t"
        f"Memory Size: {memory} MB\tMax Memory Used: {used} MB{cold}{failed}\t"
    )


def platform(duration: float, *, init: float | None = None, status: str = "success") -> str:
    metrics = {"durationMs": duration, "billedDurationMs": 1, "memorySizeMB": 1769, "maxMemoryUsedMB": 130}
    cold = {} if init is None else {"initDurationMs": init}
    record = {"requestId": ID, "status": status, "metrics": {**metrics, **cold}}
    return json.dumps({"time": "2026-11-20T10:00:00.000Z", "type": "platform.report", "record": record})


def entry(target: str = "10.40.0.7:8000", seconds: float = 0.25, status: int = 200, target_status: str = "200") -> str:
    return (
        f"https 2026-11-20T10:00:00.123456Z app/cross/50dc6c495c0c9188 203.0.113.7:40312 {target} 0.001 {seconds} 0.000 "
        f'{status} {target_status} 310 18000 "GET https://search.example.com:443/search?city=Rome HTTP/1.1" "agent one" - - '
        "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/x/1"
    )


def noise() -> list[str]:
    return ["INIT_START Runtime Version: python:3.13", f"START RequestId: {ID} Version: 7", f"END RequestId: {ID}", ""]


def exported_by_console(lines: list[str]) -> str:
    return json.dumps([{"@timestamp": "2026-11-20 10:00:00.000", "@message": line} for line in lines], indent=1)


def exported_by_cli(lines: list[str]) -> str:
    rows = [[{"field": "@message", "value": line}, {"field": "@ptr", "value": "x"}] for line in lines]
    return json.dumps({"results": rows, "status": "Complete"})


@pytest.mark.parametrize("form", ["text.log", "text.log.gz", "platform.jsonl", "platform.json", "console.json", "cli.json"])
def test_reports_are_read_in_every_form(form: str, tmp_path: Path) -> None:
    one = platform if form.startswith("platform") else report
    lines = [one(100.0 + n, init=500.0 if n % 50 == 0 else None) for n in range(200)] + [one(9.0, status="timeout")]
    text = "\n".join([*noise(), *lines] if form.startswith("text") else lines)
    text = exported_by_console(lines) if form == "console.json" else exported_by_cli(lines) if form == "cli.json" else text
    path = tmp_path / form
    path.write_bytes(gzip.compress(text.encode()) if form.endswith(".gz") else text.encode())
    live = read_logs([path])["lambda"]
    assert (live.searches, live.errors, live.memory_sizes) == (200, 1, {1769})
    assert live.duration_ms.sum / 200 == pytest.approx(199.5)
    assert live.duration_ms.percentile(0.5) == pytest.approx(199.5, rel=0.01)
    assert (live.cold_start_ms.count, live.cold_start_ms.highest) == (4, 500)
    assert live.memory_mb.highest == 130


def test_lines_of_the_clis_tail_and_odd_bytes_are_read(tmp_path: Path) -> None:
    line = f"2026-11-20T10:00:00.123000+00:00 2026/11/20/[7]5f1b {report(300)}\n"
    quoted = '{"message": "REPORT RequestId: x  Duration: 9 ms"}\n'
    (tmp_path / "r.log").write_bytes(b"\xff\xfe what a caller sent\n" + (line + quoted).encode())
    assert read_logs([tmp_path / "r.log"])["lambda"].searches == 1


def as_csv(lines: list[str]) -> str:
    cells = (line.replace('"', '""') for line in lines)
    return "@timestamp,@message\n" + "".join(f'2026-11-20 10:00:00.000,"{cell}\n"\n' for cell in cells)


def by_events(lines: list[str]) -> str:
    return json.dumps(
        {"events": [{"timestamp": 1, "message": f"{line}\n"} for line in lines], "searchedLogStreams": []}, indent=1
    )


@pytest.mark.parametrize("one", [report, platform])
def test_tails_tables_and_events_of_the_cli_are_read_as_they_are(one: Callable[[float], str], tmp_path: Path) -> None:
    lines = [one(100), one(300)]
    (tmp_path / "tail.log").write_text(
        "".join(f"2026-11-20T10:00:00.123000+00:00 2026/11/20/[7]5f1b {line}\n" for line in lines)
    )
    (tmp_path / "table.csv").write_text(as_csv(lines))
    (tmp_path / "events.json").write_text(by_events(lines))
    live = read_logs([tmp_path])["lambda"]
    assert (live.searches, live.errors, live.duration_ms.sum, live.memory_mb.count) == (6, 0, 1200, 6)


def test_a_report_may_be_traced_restored_or_pasted(tmp_path: Path) -> None:
    traced = report(100) + "\tXRAY TraceId: 1-5f\tSegmentId: 77\tSampled: true\t"
    restored = report(100) + "\tRestore Duration: 300.12 ms\tBilled Restore Duration: 75 ms\t"
    (tmp_path / "r.log").write_text("\n".join([traced, restored, report(100).replace("\t", " ")]))
    live = read_logs([tmp_path / "r.log"])["lambda"]
    assert (live.searches, live.duration_ms.sum, live.cold_start_ms.sum) == (3, 300, 300.12)


@pytest.mark.slow
def test_an_export_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "e.json"
    path.write_text('{"queryLanguage": "CWLI", ' + exported_by_cli([report(300)] * 40_000)[1:])
    peak = "int(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])"
    program = (
        "from pathlib import Path; from infra.cost.live.logs import read_logs\n"
        f"before = {peak}\n"
        f"assert read_logs([Path({str(path)!r})])['lambda'].searches == 40_000; print({peak} - before)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert path.stat().st_size > 8_000_000
    assert int(done.stdout) < 4_000, "KiB: the file is not held in memory"


def test_access_logs_tell_lanes_apart_by_their_target(tmp_path: Path) -> None:
    lines = [entry()] * 3 + [entry(target="-", seconds=0.5)] * 2
    lines += [entry(status=504, target_status="-", seconds=-1), entry(status=460, target_status="-", seconds=-1)]
    lines += [entry(status=503, target_status="503"), entry(status=502, target_status="-", target="-", seconds=-1)]
    (tmp_path / "a.log").write_text("\n".join(lines))
    lanes = read_logs([tmp_path])
    assert (lanes["container"].target_ms.count, lanes["container"].errors) == (3, 2)
    assert (lanes["lambda"].target_ms.count, lanes["lambda"].errors) == (2, 0)
    assert lanes["container"].target_ms.highest == pytest.approx(250)
    assert lanes["lambda"].response_bytes.sum == 36_000


def test_the_live_figures_take_the_labs_place_and_cpu_stays(tmp_path: Path) -> None:
    lab = profile_with(lambda_lane=lane(cpu_ms_per_search=10.0))
    (tmp_path / "r.log").write_text("\n".join(report(320.0, memory=884, used=151, init=450.0) for _ in range(100)))
    (tmp_path / "a.log").write_text("\n".join([entry()] * 150))
    live = live_profile(lab, read_logs([tmp_path]), source="logs")
    assert live.lambda_lane.cpu_ms_per_search == 10
    assert live.lambda_lane.wait_ms == pytest.approx(320 - 10 / (884 / 1769), abs=0.01)
    assert (live.lambda_lane.memory_mb, live.lambda_lane.cold_start_ms, live.lambda_lane.cold_start_samples) == (151, 450, 100)
    assert live.container_lane.wait_ms == pytest.approx(250 - 6)
    assert (live.container_lane.request_bytes, live.container_lane.response_bytes) == (310, 18000)
    assert live.container_lane.upstream_bytes_in == lab.container_lane.upstream_bytes_in
    assert live.live is not None
    assert live.live["lambda"]["duration_ms"].samples == 100
    assert live.live["lambda"]["wait_ms"].samples == 100
    assert live.live["lambda"]["wait_ms"].mean == pytest.approx(live.lambda_lane.wait_ms, abs=0.002)
    assert live.live["container"]["target_ms"].p99 == pytest.approx(250, rel=0.005)
    assert live.machine.endswith("(CPU); live: logs")


@given(st.lists(st.floats(0.01, 900_000), min_size=1, max_size=200))
def test_percentiles_are_within_half_a_percent(values: list[float]) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    for share in (0.05, 0.5, 0.99):
        rank = max(1, -(-len(values) * round(share * 100) // 100))
        assert histogram.percentile(share) == pytest.approx(sorted(values)[rank - 1], rel=0.006)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.log", "START RequestId: x", "a.log: no REPORT line of Lambda and no access log entry in it"),
        ("a.log", report(1).replace("1.00 ms", "soon ms"), "a.log: line 1: durationMs: 'soon' must be a number"),
        ("a.log", report(1).replace("Max Memory Used: 130 MB", ""), "line 1: maxMemoryUsedMB: None must be a number"),
        ("a.log", report(1).replace("1.00 ms", "-1 ms"), "line 1: durationMs: -1.0 must be a number of 0 or more"),
        ("a.log", '{"type":"platform.report"}\n'.replace(":", ": "), "line 1: platform.report: has no record.metrics"),
        ("a.log", "https 2026-11-20T10:00:00Z app 1.2.3.4:5", "line 1: 4 fields, an access log entry has at least 13"),
        ("a.log", entry().replace(" 310 ", " many "), "line 1: received_bytes: 'many' must be a number"),
        ("a.log", report(1).replace("1.00 ms", "nan ms"), "line 1: durationMs: nan must be a number of 0 or more"),
        ("a.log", report(1).replace("1.00 ms", "1_0 ms"), "line 1: durationMs: '1_0' must be a number"),
        ("a.log", report(1).replace("1.00 ms", "1e300 ms"), "line 1: durationMs: 1e+300 is more than can be (901000 at most)"),
        ("a.log", report(1, memory=0), "line 1: memorySizeMB: 0 must be a whole number of 128 or more"),
        ("a.log", report(1, used=99_999_999), "line 1: maxMemoryUsedMB: 1e+08 is more than can be"),
        ("a.log", report(1)[:60], "line 1: durationMs: None must be a number"),
        (
            "a.jsonl",
            platform(1).replace('"durationMs": 1', '"durationMs": true'),
            "line 1: durationMs: 'True' must be a number",
        ),
        ("a.jsonl", platform(1)[:90], "line 1: platform.report: has no record.metrics"),
        ("a.log", entry(seconds=1e9), "line 1: target_processing_time: 1e+09 is more than can be (4100 at most)"),
        ("a.json", "[\n {,}]", "a.json: line 2, column 3: not JSON"),
        ("a.json", "[" * 100_000, "a.json: nested more than 16 deep"),
        ("a.json", '{"results": {"a": 1}}', "a.json: results: must be the list of rows that Logs Insights exports"),
        ("a.json", '{\n"status": "Complete"\n}', "a.json: results: must be the list of rows"),
        ("a.json", "[1]", "a.json: row 1: @message: missing"),
        ("a.json", '[{"@timestamp": "x"}]', "a.json: row 1: @message: missing; query it with `fields @message`"),
    ],
)
def test_what_is_wrong_is_one_line_with_its_place(name: str, text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        read_logs([path])
    assert said in str(refused.value)


def test_too_few_or_foreign_samples_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.log"
    path.write_text("\n".join([report(300)] * 99))
    with pytest.raises(InputError, match="99 searches of the lambda lane; 100 or more are needed"):
        live_profile(profile_with(), read_logs([path]), source="x")
    path.write_text("\n".join([report(3)] * 100))
    with pytest.raises(InputError, match=r"takes 3\.0 ms on average, less than the 7\.0 ms of CPU in the profile"):
        live_profile(profile_with(), read_logs([path]), source="x")
    path.write_text("\n".join([report(300), report(300, memory=512)] * 100))
    with pytest.raises(InputError, match=r"REPORT lines of 512 MB, 1769 MB; give logs \(or --days\) of one memory size"):
        live_profile(profile_with(), read_logs([path]), source="x")


def test_the_command_writes_a_profile_that_cost_reads(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs, lab, out = tmp_path / "r.log", tmp_path / "lab.json", tmp_path / "live.json"
    logs.write_text("\n".join([report(300)] * 100))
    write_profile(profile_with(), lab)
    monkeypatch.setattr(
        "sys.argv", ["crossover", "measure", "--from-logs", str(logs), "--profile", str(lab), "--out", str(out)]
    )
    cli.main()
    assert "lambda duration_ms: mean 300.0" in capfd.readouterr().err
    assert read_profile(out).lambda_lane.wait_ms == pytest.approx(293)
    monkeypatch.setattr("sys.argv", ["crossover", "measure", "--from-logs", str(logs)])
    with pytest.raises(SystemExit) as refused:
        cli.main()
    assert refused.value.code == 2
    assert "--from-logs and --profile: give both or neither" in capfd.readouterr().err
