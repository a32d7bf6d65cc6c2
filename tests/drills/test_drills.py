"""Every drill in its short form, on one live stage: what may go wrong while traffic moves. And on the same stage, for it takes
half a minute to come up, `crossover lab show`, `fault`, `repair` and `reset`, as a person in another shell has them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from infra.lab.drills.catalogue import DRILLS
from infra.lab.drills.ground import Ground
from infra.lab.live.lab import Lab
from infra.switching.weights import parse_weights
from tests.conftest import ROOT
from tests.drills.conftest import RunDrill

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", [drill.name for drill in DRILLS])
def test_a_drill_ends_as_it_must(name: str, run_drill: RunDrill, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print()
        run_drill(name)


def crossover(lab: Lab, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.cli", "lab", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=lab.operator_environment(), capture_output=True, text=True, timeout=30, check=False
    )


def test_it_is_shown_broken_and_brought_back(lab: Lab, ground: Ground) -> None:
    shown = json.loads(crossover(lab, "show", "--json").stdout)
    (instance,) = shown["instances"]
    assert shown["url"] == lab.url
    assert shown["instances"][instance]["state"] == "serving"
    assert f"{instance}  serving   InService" in crossover(lab, "show").stdout

    assert crossover(lab, "fault", "crash", f"instance={instance}").stdout == f"crash: {instance}\n"
    struck = crossover(lab, "fault", "api", "action=ssm:*", "kind=error")
    assert json.loads(struck.stdout)["action"] == "ssm:*"
    assert lab.operator("status", "--json").returncode == 1
    assert crossover(lab, "repair").returncode == 0
    assert lab.operator("status", "--json").returncode == 0

    ground.forget()
    ground.traffic.write(parse_weights("30:70"))
    assert crossover(lab, "reset").returncode == 0
    assert ground.traffic.rule() == parse_weights("0:100")
    ground.await_whole()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("fault", "earthquake"), "crossover: no fault 'earthquake'; there are kill, crash, "),
        (("fault", "kill", "instance=i-none"), "crossover: kill: i-none: no such instance in "),
        (("fault", "slow", "share=7"), "crossover: slow: share 7: must be above 0 and at most 1\n"),
        (("fault", "slow", "speed=1"), "crossover: slow: Object contains unknown field `speed`\n"),
        (("fault", "api", "action=*", "kind=gone"), "crossover: /_lab/faults: "),
    ],
)
def test_what_cannot_be_done_is_one_line(lab: Lab, arguments: tuple[str, ...], said: str) -> None:
    done = crossover(lab, *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1


def test_a_lab_that_is_not_there_is_one_line(lab: Lab) -> None:
    environment = {name: value for name, value in lab.operator_environment().items() if name != "AWS_ENDPOINT_URL"}
    command = [sys.executable, "-m", "infra.cli", "lab", "show"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        2,
        "crossover: AWS_ENDPOINT_URL: not set; `crossover lab up --stage NAME` shows what to export\n",
    )
