"""An operator's command as a drill follows it: events as they come, the end, and none left behind."""

from __future__ import annotations

import os
import sys
from typing import cast

import pytest

from infra.errors import KitError
from infra.lab.drills.operators import Operator
from infra.lab.live.lab import Lab

SWITCHES = """
import sys, time
print('{"phase": "shift", "what": "now lambda 1%"}', flush=True)
print('no event', flush=True)
time.sleep(float(sys.argv[1]))
print('{"phase": "rolled-back", "what": "rolled back"}')
print('{"result": "rolled-back", "reason": "lambda: sick"}')
print('crossover: rolled back to 0:100', file=sys.stderr)
sys.exit(3)
"""
REFUSED = "import sys; print('crossover: refused', file=sys.stderr); sys.exit(1)"


class Commands:
    """What a drill asks of a lab to start an operator: here a script that tells what a switch would."""

    def __init__(self, script: str, *arguments: str) -> None:
        self._command = [sys.executable, "-c", script, *arguments]

    def operator_command(self, *arguments: str) -> list[str]:
        return [*self._command, *arguments]

    def operator_environment(self, key: str = "") -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "AWS_ACCESS_KEY_ID": key}


def operator(script: str, *arguments: str) -> Operator:
    return Operator(cast(Lab, Commands(script, *arguments)), "switch", "lambda")


def test_events_are_told_as_they_come_and_all_of_them_at_the_end() -> None:
    with operator(SWITCHES, "0.2") as running:
        assert running.await_phase("shift").what == "now lambda 1%"
        assert running.process.poll() is None
        ended = running.end()
    assert (ended.code, ended.outcome, ended.said) == (3, "rolled-back", "lambda: sick")
    assert [each.phase for each in ended.events] == ["shift", "rolled-back"]
    first, last = ended.first("shift"), ended.first("rolled-back")
    assert first is not None and last is not None and ended.began < first < last <= ended.at
    assert ended.first("done") is None


def test_a_refusal_is_its_error_line() -> None:
    with operator(REFUSED) as running:
        ended = running.end()
    assert (ended.code, ended.outcome, ended.said, ended.events) == (1, "", "crossover: refused", ())


def test_an_event_that_does_not_come_is_one_clear_line() -> None:
    with operator(REFUSED) as running, pytest.raises(KitError, match="ended before such an event"):
        running.await_phase("shift")
    with operator(SWITCHES, "30") as running:
        running.await_phase("shift")
        with pytest.raises(KitError, match=r"no such event within 0\.3 s; it said 'now lambda 1%'"):
            running.await_phase("done", limit_s=0.3)


def test_leaving_ends_what_still_runs() -> None:
    with operator(SWITCHES, "60") as running:
        running.await_phase("shift")
    assert running.process.returncode == -9
