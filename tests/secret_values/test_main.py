"""`python -m secret_values` as the unit of an instance runs it: the file, the exit codes, and one line on standard error."""

from __future__ import annotations

import stat
import subprocess
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path

from tests.conftest import ROOT
from tests.secret_values.doubles import Cloud

VALUES = {"RAPID_KEY": "marker-of-key", "RAPID_SECRET": "marker of $secret"}


def run(environment: Mapping[str, str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "secret_values", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=dict(environment), capture_output=True, text=True, timeout=30, check=False)


def test_it_writes_what_the_environment_does_not_set(cloud: Cloud, tmp_path: Path) -> None:
    name = uuid.uuid4().hex
    cloud.create(name, VALUES)
    path = tmp_path / "secrets"
    done = run(cloud.environment(name, RAPID_KEY="own"), "--write", path)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"secret_values: wrote 1 of 2 values to {path}; the environment sets the other 1\n"
    assert path.read_text() == 'RAPID_SECRET="marker of \\$secret"\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_secret_that_cannot_be_read_is_1_and_leaves_the_old_file(cloud: Cloud, tmp_path: Path) -> None:
    path = tmp_path / "secrets"
    path.write_text("OLD=1\n")
    done = run(cloud.environment("nowhere"), "--write", path)
    assert done.returncode == 1
    assert done.stderr.startswith("secret_values: CROSSOVER_SECRET: secret 'nowhere' in eu-west-1: there is no such secret")
    assert done.stderr.count("\n") == 1
    assert path.read_text() == "OLD=1\n"


def test_a_wrong_setting_or_argument_is_2(tmp_path: Path) -> None:
    done = run({}, "--write", tmp_path / "secrets")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "CROSSOVER_SECRET: is not set" in done.stderr
    assert run({}).returncode == 2


def test_the_help_has_an_example_and_the_exit_codes() -> None:
    shown = run({}, "--help").stdout
    assert "example: CROSSOVER_SECRET=" in shown
    assert "exit codes: 0 written, 1" in shown
