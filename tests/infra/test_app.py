"""The CDK app's entry point: a wrong setting or a missing Node is one line and an exit code, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra import app
from infra.config import Stage
from infra.deploying.cdk_cli import pinned_version, require_node
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
        require_node()


def test_wrong_setting_is_one_line_that_names_it() -> None:
    require_program("node")
    context = json.dumps({"arch": "riscv", "@aws-cdk/core:checkSecretUsage": True})
    done = run_app({**os.environ, "CDK_CONTEXT_JSON": context})
    assert done.returncode == 2
    assert done.stderr == "crossover: stage 'dev': architecture: 'riscv', must be arm64 or x86_64\n"


def test_cdks_own_context_is_not_taken_for_settings() -> None:
    context = {"@aws-cdk/core:x": True, "aws:cdk:version-reporting": False, "cli-telemetry": False, "stage": "prod"}
    assert app.settings(context) == {"stage": "prod"}


def test_context_too_long_for_a_variable_comes_in_a_file(tmp_path: Path) -> None:
    overflow = tmp_path / "context.json"
    overflow.write_text(json.dumps({"region": "eu-west-1"}))
    environment = {"CDK_CONTEXT_JSON": json.dumps({"stage": "prod"}), "CONTEXT_OVERFLOW_LOCATION_ENV": str(overflow)}
    assert app.given_context(environment) == {"stage": "prod", "region": "eu-west-1"}
    assert app.given_context({}) == {}


def test_credentials_of_another_account_than_the_stages_are_told_at_synthesis() -> None:
    stage = Stage(name="prod", account="111122223333", suppliers_url="https://suppliers.internal.example.com")
    assert app.warnings(stage, None, {"CDK_DEFAULT_ACCOUNT": "444455556666"}) == [
        "stage prod belongs to account 111122223333 and these credentials to 444455556666: deploying it with them is refused"
    ]
    assert app.warnings(stage, None, {"CDK_DEFAULT_ACCOUNT": "111122223333"}) == []
    assert app.warnings(stage, None, {}) == []


def test_a_cdk_cli_that_cannot_read_the_assembly_is_refused_before_anything_starts() -> None:
    require_program("node")
    done = run_app({**os.environ, "CDK_CLI_VERSION": "3.0.0"})
    assert done.returncode == 1
    assert done.stderr == (
        f"crossover: the CDK CLI is 3.0.0, and this checkout needs {pinned_version()} or a newer 2.x: "
        "run `npx cdk` inside the checkout, after `make setup`\n"
    )


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


ASKED_WHILE_IMPORTING = """
import aws_cdk, cdk_nag
from jsii._kernel.providers.process import _NodeProcess
asked = []
_NodeProcess.send = lambda self, request, kind: asked.append(type(request).__name__)
import infra.stacks.assembly
print(asked)
"""


def test_importing_the_stacks_asks_node_nothing_for_another_thread_does_meanwhile() -> None:
    require_program("node")
    environment = {**os.environ, "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20"}
    done = subprocess.run(
        [sys.executable, "-c", ASKED_WHILE_IMPORTING],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "[]\n", done.stderr
