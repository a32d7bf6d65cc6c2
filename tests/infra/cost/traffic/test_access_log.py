"""Access logs of an Application Load Balancer."""

from __future__ import annotations

import gzip
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.cost.traffic.file import load_traffic
from infra.errors import InputError

ENTRY = (
    "{kind} {time} app/my-lb/50dc6c495c0c9188 192.0.2.1:2817 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366 "
    '"GET http://example.com:80/search?place=LIS HTTP/1.1" "agent/1.0" - - '
    "arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/t/73e2 "
    '"Root=1-5833-7b" "-" "-" 0 {time} "forward" "-" "-" "10.0.0.1:80" "200" "-" "-"\n'
)


def entry(time: str, kind: str = "https") -> str:
    return ENTRY.format(kind=kind, time=time)


def test_entries_are_counted_by_the_minute_and_silent_minutes_are_zero(tmp_path: Path) -> None:
    path = tmp_path / "lb.log"
    path.write_text(
        entry("2026-01-31T23:58:59.999999Z")
        + entry("2026-01-31T23:58:01.000000Z", "h2") * 2
        + entry("2026-02-01T00:00:00.000001Z", "http")
    )
    profile = load_traffic(path)
    assert profile.step_s == 60
    assert profile.rates == (3 / 60, 0.0, 1 / 60)
    assert profile.start == datetime(2026, 1, 31, 23, 58, tzinfo=UTC)
    assert any("1 minutes without an entry" in note for note in profile.notes)


def test_folder_of_gzipped_logs_is_one_log(tmp_path: Path) -> None:
    for number in range(2):
        text = entry(f"2026-01-31T10:0{number}:00.000000Z") * (number + 1)
        (tmp_path / f"part{number}.log.gz").write_bytes(gzip.compress(text.encode()))
    assert load_traffic(tmp_path).rates == (1 / 60, 2 / 60)


def test_long_log_is_streamed(tmp_path: Path) -> None:
    path = tmp_path / "lb.log.gz"
    with gzip.open(path, "wt") as stream:
        for minute in range(40):
            stream.write(entry(f"2026-01-31T10:{minute:02}:00.000000Z") * 500)
    tracemalloc.start()
    profile = load_traffic(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert profile.parameters["entries"] == 20_000
    assert peak < 1_000_000, "8 MB of log should not be held in memory"


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("gopher 2026-01-31T10:00:00Z x\n", r"lb\.log: line 2: type: 'gopher' must be one of http, https"),
        ("https yesterday x\n", r"lb\.log: line 2: time: 'yesterday' must be ISO 8601 in UTC"),
        ("https 2026-01-31T10:01:00+02:00 x\n", r"lb\.log: line 2: time: .* must be ISO 8601 in UTC"),
        ("https\n", r"lb\.log: line 2: type"),
        (entry("2029-01-31T10:00:00.000000Z"), "at most a year"),
        (entry("2026-01-31T10:00:99.000000Z"), r"lb\.log: line 2: time: '2026-01-31T10:00:99.000000Z' must be"),
        (entry("2026-01-31T10:00:00.000000+00:00"), r"lb\.log: line 2: time"),
        (entry("2026-01-31T10:00:00.000000Z")[:70] + "\n", r"lb\.log: line 2: 4 fields, an access log entry has at least 13"),
        ("\0\0\0\n", r"lb\.log: line 2: type: .* must be one of"),
        ("x" * 1_100_000, r"lb\.log: line 2: 1,048,576 characters or more; a log has an entry on each line"),
    ],
)
def test_malformed_entry_names_file_line_and_field(tmp_path: Path, second: str, message: str) -> None:
    path = tmp_path / "lb.log"
    path.write_text(entry("2026-01-31T10:00:00.000000Z") + second)
    with pytest.raises(InputError, match=message):
        load_traffic(path)


def test_blank_lines_and_bytes_that_are_no_utf8_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "lb.log"
    path.write_bytes(b"\n\n" + entry("2026-01-31T10:00:00.000000Z").encode().replace(b"agent", b"ag\xff\xfent") * 2)
    assert load_traffic(path).rates == (2 / 60,)


def test_a_packed_log_that_is_damaged_in_the_middle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lb.log.gz"
    packed = bytearray(gzip.compress("".join(entry(f"2026-01-31T10:00:00.{n:06}Z") for n in range(3_000)).encode()))
    packed[len(packed) // 2] ^= 0xFF
    path.write_bytes(packed)
    with pytest.raises(InputError, match=r"lb\.log\.gz"):
        load_traffic(path)


def test_folder_without_logs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no \*\.log or \*\.log\.gz"):
        load_traffic(tmp_path)
