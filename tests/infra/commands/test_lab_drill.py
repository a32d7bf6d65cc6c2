"""Drills by the command line: named, listed, and their results written for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.cli import cli
from infra.commands.lab_drill import write_results
from infra.errors import InputError
from infra.lab.drills.catalogue import DRILLS
from infra.lab.drills.figures import Figures
from infra.lab.drills.run import Result


def test_all_drills_are_listed_with_what_happens() -> None:
    told = CliRunner().invoke(cli, ["lab", "drill", "--list"]).output.splitlines()
    assert [line.split()[0] for line in told] == [drill.name for drill in DRILLS]


def test_a_drill_that_is_not_there_is_a_usage_error_before_anything_starts() -> None:
    answer = CliRunner().invoke(cli, ["lab", "drill", "nowhere"])
    assert isinstance(answer.exception, InputError)
    with pytest.raises(InputError, match="no drill nowhere"):
        raise answer.exception


def test_results_are_written_by_the_drills_name(tmp_path: Path) -> None:
    figures = Figures(drill="one", requests=10, failed=2, seconds=1.5, p99_ratio=1.1, reasons={"HTTP 502": 2})
    out = tmp_path / "new" / "drills.json"
    write_results(out, [Result(figures=figures, missed=("2 requests failed, 0 may",))], rounds=3, speed=30)
    told = json.loads(out.read_text())
    assert (told["rounds"], told["speed"]) == (3, 30)
    one = told["drills"]["one"]
    assert (one["requests"], one["failed"], one["p99_ratio"], one["reasons"]) == (10, 2, 1.1, {"HTTP 502": 2})
    assert (one["missed"], one["reset_s"]) == (["2 requests failed, 0 may"], None)
