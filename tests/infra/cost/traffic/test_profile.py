"""Traffic profiles and which reader a file gets."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from infra.cost.traffic.file import load_traffic
from infra.cost.traffic.profile import TrafficProfile, flat_rate
from infra.errors import InputError


def test_flat_rate_is_one_hour_at_that_rate() -> None:
    profile = flat_rate(100)
    assert (profile.hours, profile.searches, profile.mean_rps, profile.peak_rps) == (1.0, 360_000.0, 100.0, 100.0)


@pytest.mark.parametrize("rps", [0, -1, float("nan"), float("inf"), 1e9])
def test_impossible_flat_rate_is_refused(rps: float) -> None:
    with pytest.raises(InputError, match="rps"):
        flat_rate(rps)


def test_profile_without_traffic_is_refused() -> None:
    with pytest.raises(InputError, match="no traffic"):
        TrafficProfile(step_s=60, rates=(), source="x")
    with pytest.raises(InputError, match="every step is 0"):
        TrafficProfile(step_s=60, rates=(0.0, 0.0), source="x")
    with pytest.raises(InputError, match="step 1: rate: -2 is negative"):
        TrafficProfile(step_s=60, rates=(1.0, -2.0), source="x")


def test_scaling_keeps_the_shape_and_meets_the_peak() -> None:
    profile = TrafficProfile(step_s=60, rates=(1.0, 4.0, 2.0), source="x").scaled_to_peak(1000)
    assert profile.rates == (250.0, 1000.0, 500.0)
    assert "scaled to a peak of 1000/s" in profile.source


def test_hours_are_means_and_the_last_may_be_short() -> None:
    profile = TrafficProfile(step_s=1800, rates=(1.0, 3.0, 5.0), source="x")
    assert profile.hourly() == ((2.0, 1.0), (5.0, 0.5))


def test_steps_that_do_not_fit_an_hour_stay_as_they_are() -> None:
    assert TrafficProfile(step_s=7000, rates=(1.0,), source="x").hourly() == ((1.0, 7000 / 3600),)


def test_gzipped_series_reads_like_the_plain_one(tmp_path: Path) -> None:
    text = "timestamp,value\n2026-01-01 00:00,60\n2026-01-01 00:01,120\n"
    (tmp_path / "a.csv").write_text(text)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text.encode()))
    assert load_traffic(tmp_path / "a.csv").rates == load_traffic(tmp_path / "a.csv.gz").rates == (1.0, 2.0)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.csv", None, "cannot be read"),
        ("empty.csv", b"", "line 1: empty"),
        ("cut.csv.gz", gzip.compress(b"timestamp,value\n" * 1000, mtime=0)[:40], "not a whole gzip file"),
        ("plain.csv.gz", b"timestamp,value\n", "not a whole gzip file"),
        ("latin.csv", b"timestamp,value\n2026-01-01,\xff\xfe\n", "not a text file in UTF-8"),
    ],
)
def test_unreadable_file_is_named(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=f"{name}.*{message}"):
        load_traffic(path)
