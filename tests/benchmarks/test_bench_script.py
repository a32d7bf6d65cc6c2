"""scripts/bench without the name of a benchmark says how it is used."""

from __future__ import annotations

import subprocess

import pytest

from tests.conftest import ROOT


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["running"]])
def test_what_names_no_benchmark_is_a_usage_error_with_their_names(arguments: list[str]) -> None:
    done = subprocess.run([ROOT / "scripts" / "bench", *arguments], capture_output=True, text=True)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("usage: scripts/bench NAME [options]")
    assert {"fanout", "telemetry"} < set(line.split()) and "upstream" not in line
