"""Distributions of samples at hand, and profiles of before there were any."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from infra.cost.profile import Distribution, distribution, read_profile, write_profile
from infra.errors import InputError
from tests.infra.cost.conftest import profile_with


def test_percentiles_are_samples_by_their_rank() -> None:
    told = distribution([float(n) for n in range(100, 0, -1)])
    assert told == Distribution(samples=100, mean=50.5, p5=5, p50=50, p95=95, p99=99, highest=100)
    assert distribution([7.0]) == Distribution(samples=1, mean=7, p5=7, p50=7, p95=7, p99=7, highest=7)
    assert distribution([]) is None


def test_distributions_are_written_and_read_and_an_older_profile_has_none(tmp_path: Path) -> None:
    told = distribution([1.0, 2.0])
    assert told is not None
    profile = replace(profile_with(), lab={"lambda": {"duration_ms": told}})
    write_profile(profile, tmp_path / "p.json")
    assert read_profile(tmp_path / "p.json") == profile
    document = msgspec.json.decode((tmp_path / "p.json").read_bytes())
    del document["lab"], document["live"]
    (tmp_path / "old.json").write_bytes(msgspec.json.encode(document))
    assert read_profile(tmp_path / "old.json").lab is None


def test_where_it_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file/p\.json: cannot be written \("):
        write_profile(profile_with(), tmp_path / "file" / "p.json")


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("lambda_lane", "wait_ms"), 1e308, "lambda_lane.wait_ms: 1e+308 is not a measured figure; must be 0 to 3,600,000"),
        (
            ("container_lane", "cpu_ms_per_search"),
            0,
            "container_lane.cpu_ms_per_search: 0 is not a measured figure; must be above 0",
        ),
        (("lambda_lane", "response_bytes"), -1, "lambda_lane.response_bytes: -1 is not"),
        (("conditions", "searches_per_second"), 1e308, "conditions.searches_per_second: 1e+308 is not"),
        (("bundle", "zip_bytes"), -1, "bundle.zip_bytes: -1 is not"),
        (("bundle", "sha256"), "ab\u0000", "bundle.sha256: must be words on one line"),
        (("machine",), "x" * 40_000, "machine: must be words on one line, 2,000 characters at most"),
        (("measured_at",), "yesterday", "measured_at: 'yesterday' must be a time in ISO 8601"),
    ],
)
def test_what_no_measurement_gives_is_refused_with_file_and_field(
    place: tuple[str, ...], value: object, said: str, tmp_path: Path
) -> None:
    document = msgspec.to_builtins(profile_with())
    inner = document
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    path = tmp_path / "p.json"
    path.write_bytes(msgspec.json.encode(document))
    with pytest.raises(InputError) as refused:
        read_profile(path)
    assert str(refused.value).startswith(f"{path}: {said}")
