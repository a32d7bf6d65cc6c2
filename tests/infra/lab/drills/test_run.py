"""Drills one after the other: one that breaks is told as missed, with what broke it, and does not end the others."""

from __future__ import annotations

import logging
import subprocess
from typing import cast

import pytest

from infra.errors import KitError
from infra.lab.drills.drill import Drill, Figures
from infra.lab.drills.run import carry_out
from infra.lab.live.lab import Lab


def broken(error: Exception) -> tuple[Figures, tuple[str, ...]]:
    def run(lab: Lab, rounds: int) -> Figures:
        raise error

    return carry_out(cast(Lab, None), Drill("one", "breaks", "drill-one.md", run), 1)


def test_a_drill_that_breaks_is_missed_and_says_why() -> None:
    figures, missed = broken(KitError("no instance serves"))
    assert missed == ("it could not be carried out: no instance serves",)
    assert (figures.drill, figures.requests, figures.p99_ratio) == ("one", 0, None)


def test_what_nobody_foresaw_is_missed_too_and_its_trace_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        _, missed = broken(subprocess.TimeoutExpired("crossover pause", 120))
    assert missed == ("it could not be carried out: TimeoutExpired('crossover pause', 120)",)
    assert caplog.records[0].exc_info is not None
