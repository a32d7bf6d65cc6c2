"""Drills by the command line: named, listed, and their results written for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.cli import cli
from infra.commands.lab_drill import write_results
from infra.errors import InputError, KitError
from infra.lab.drills import run
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
    result = Result(figures=figures, missed=("2 requests failed, 0 may",))
    write_results(out, [result], ("one", "other"), rounds=3, speed=30)
    told = json.loads(out.read_text())
    assert (told["rounds"], told["speed"], told["not_run"]) == (3, 30, ["other"])
    one = told["drills"]["one"]
    assert (one["requests"], one["failed"], one["p99_ratio"], one["reasons"]) == (10, 2, 1.1, {"HTTP 502": 2})
    assert (one["missed"], one["reset_s"]) == (["2 requests failed, 0 may"], None)


def test_a_run_that_is_ended_early_leaves_what_it_has_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ended_early(*_: object, **__: object) -> Iterator[Result]:
        yield Result(figures=Figures(drill="switches", requests=10, failed=0, seconds=1.5, p99_ratio=1.1), reset_s=0.1)
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "run_drills", ended_early)
    monkeypatch.setattr(run, "drill_lab", lambda *_, **__: nullcontext())
    out = tmp_path / "drills.json"
    out.write_text("another run's")
    answer = CliRunner().invoke(cli, ["lab", "drill", "switches", "clock-skew", "--out", str(out)])
    told = json.loads(out.read_text())
    assert answer.exit_code != 0 and "switches" in answer.output
    assert (list(told["drills"]), told["not_run"]) == (["switches"], ["clock-skew"])


def test_a_stage_that_cannot_be_reset_leaves_drills_that_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missed = Result(figures=Figures(drill="switches", requests=10, failed=0, seconds=1.5), missed=("it was not reset",))
    monkeypatch.setattr(run, "run_drills", lambda *_, **__: iter([missed]))
    monkeypatch.setattr(run, "drill_lab", lambda *_, **__: nullcontext())
    answer = CliRunner().invoke(cli, ["lab", "drill", "switches", "clock-skew", "--out", str(tmp_path / "drills.json")])
    assert isinstance(answer.exception, KitError)
    assert str(answer.exception) == "not as it must be: switches, clock-skew (not run)"
