"""The command line: help with examples for every command, clear refusals, a quick start."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from infra.cli import COMMANDS, main
from infra.commands.lab import parse_weights
from tests.conftest import ROOT

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Exit code, standard output and error of a command line, in this process: each process of its own costs a start."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = 0
        try:
            main(arguments)
        except SystemExit as leave:
            code = int(leave.code or 0)
        return code, *capfd.readouterr()

    return run


def in_a_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_every_command_is_listed_and_documented() -> None:
    listed = in_a_process("--help")
    assert listed.returncode == 0
    readme = (ROOT / "README.md").read_text()
    for name in COMMANDS:
        assert f"\n  {name} " in listed.stdout
        assert f"`crossover {name}" in readme, f"README does not name `crossover {name}`"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_with_an_example(name: str, run: Run) -> None:
    code, shown, _ = run(name, "--help")
    assert code == 0
    nested = run(name, {"lab": "up", "prices": "show"}[name], "--help")[1] if name in ("lab", "prices") else ""
    assert f"crossover {name}" in shown + nested
    assert "Example" in shown + nested


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("lambda",), "No such command"),
        (("lab", "up", "--weights", "lambda=1000,container=1"), "must be like lambda=30,container=70"),
        (("deploy", "--stage", "prod", "-c", "region"), "-c region: must be KEY=VALUE, as -c lambda_lane.memory_mb=2048"),
        (("deploy", "--stage", "qa"), "stages.toml: no stage 'qa'; it has dev, prod, staging: add a table [qa]"),
        (("lab", "aws", "-c", "region"), "-c region: must be KEY=VALUE"),
        (("lab", "up", "--port", "99999"), "99999 is not in the range 0<=x<=65535"),
        (("lab", "up", "--workers", "0"), "0 is not in the range 1<=x<=64"),
        (("demo", "--rps", "0"), "--rps must be above 0"),
        (("simulator", "--latency", "slow"), "latency: 'slow' must be lognormal or fixed:<ms>"),
        (("measure", "--searches", "0"), "--searches 1 to 100000"),
    ],
)
def test_wrong_usage_is_exit_2_with_what_would_be_right(arguments: tuple[str, ...], message: str, run: Run) -> None:
    code, _, errors = run(*arguments)
    assert code == 2
    assert message in errors


def test_wrong_usage_has_no_traceback() -> None:
    done = in_a_process("demo", "--rps", "0")
    assert done.returncode == 2
    assert "--rps must be above 0" in done.stderr
    assert "Traceback" not in done.stderr


def test_weights_are_read_or_refused() -> None:
    assert parse_weights("lambda=30,container=70") == (30, 70)
    assert parse_weights("container=1") == (0, 1)


def test_the_command_line_starts_without_node_and_without_heavy_imports() -> None:
    script = (
        "import sys, infra.cli, infra.commands.lab; print(sorted({'aws_cdk', 'altair', 'moto', 'fastapi'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_pipe_that_nobody_reads_any_more_does_not_change_what_the_exit_code_says() -> None:
    script = (
        "import sys, infra.cli\n"
        "from infra.operating.driving import Stopped\n"
        "def stop(*_, **__):\n"
        "    sys.stdout.write('what nobody reads')\n"
        "    raise Stopped('stopped at verify')\n"
        "infra.cli.cli = stop\n"
        "infra.cli.main(['switch'])\n"
    )
    unread, output = os.pipe()
    os.close(unread)
    buffered = {**os.environ, "PYTHONUNBUFFERED": ""}
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command, cwd=ROOT, env=buffered, stdout=output, stderr=subprocess.PIPE, text=True, timeout=60, check=False
    )
    os.close(output)
    assert (done.returncode, done.stderr) == (130, "crossover: stopped at verify\n")
