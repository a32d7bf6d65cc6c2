"""The CDK app's entry point: a wrong setting or a missing Node is one line and an exit code, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra import app
from infra.errors import KitError
from tests.conftest import ROOT, require_program


def run_app(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.app"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def fake_node(folder: Path, answer: str) -> str:
    node = folder / "node"
    node.write_text(f"#!/bin/sh\necho '{answer}'\n")
    node.chmod(0o755)
    return str(folder)


def test_missing_node_is_one_line(tmp_path: Path) -> None:
    done = run_app({"PATH": str(tmp_path)})
    assert done.returncode == 1
    assert done.stderr == "crossover: synth and deploy need Node 20 or newer on PATH, and there is none\n"


@pytest.mark.parametrize("answer", ["v18.20.4", "", "banana"])
def test_node_that_will_not_do_is_named(answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", fake_node(tmp_path, answer))
    with pytest.raises(KitError, match=r"need Node 20 or newer, \S+/node is (v18\.20\.4|not answering|banana)$"):
        app.require_node()


@pytest.mark.slow
def test_wrong_setting_is_one_line_that_names_it() -> None:
    require_program("node")
    context = json.dumps({"arch": "riscv", "@aws-cdk/core:checkSecretUsage": True})
    done = run_app({**os.environ, "CDK_CONTEXT_JSON": context})
    assert done.returncode == 2
    assert done.stderr == "crossover: stage 'dev': architecture: 'riscv', must be arm64 or x86_64\n"


def test_cdks_own_context_is_not_taken_for_settings() -> None:
    context = {"@aws-cdk/core:x": True, "aws:cdk:version-reporting": False, "cli-telemetry": False, "stage": "prod"}
    assert app.settings(context) == {"stage": "prod"}


def test_every_other_command_starts_without_node(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "infra.cli", "--help"],
        cwd=ROOT,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
