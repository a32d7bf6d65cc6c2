"""The commands as processes of their own, over HTTP to moto's server, as `AWS_ENDPOINT_URL` leads them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from tests.conftest import ROOT, free_port
from tests.infra.switching.aws.moto_stage import REGION, deploy

pytestmark = pytest.mark.slow  # real processes


@dataclass(frozen=True)
class Cloud:
    url: str

    def environment(self, **changed: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        aws = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        return {name: value for name, value in {**kept, **aws, **changed}.items() if value}

    def crossover(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command, env = [sys.executable, "-m", "infra.cli", *arguments], self.environment(**environment)
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://localhost:{port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        boto3.setup_default_session()
        deploy("30:70")
    yield Cloud(f"http://localhost:{port}")
    server.stop()


def test_a_stage_is_found_in_the_region_of_its_table_in_stages_toml(cloud: Cloud) -> None:
    done = cloud.crossover("doctor", "--stage", "prod", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"stage": "prod", "findings": []}
    assert cloud.crossover("history", "--stage", "prod").stdout == "No switch of prod yet.\n"


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        (("doctor", "--stage", "prod", "--region", "eu-west-1"), {}, "stage 'prod' is not deployed in eu-west-1: no stack"),
        (("status", "--stage", "moon"), {"AWS_REGION": "us-east-1"}, "stage 'moon' is not deployed in us-east-1"),
        (
            ("status", "--stage", "prod"),
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
            "no AWS credentials were found",
        ),
        (("pause", "--stage", "prod"), {}, "there is no unfinished switch"),
        (("status", "--stage", "prod"), {"AWS_ENDPOINT_URL": "http://localhost:9"}, "Could not connect to the endpoint URL"),
    ],
)
def test_what_is_wrong_is_one_line_and_no_traceback(
    cloud: Cloud, arguments: tuple[str, ...], environment: dict[str, str], message: str
) -> None:
    done = cloud.crossover(*arguments, **environment)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_with_json_what_is_wrong_is_json_too(cloud: Cloud) -> None:
    wrong = (("pause", "--stage", "prod"), 1), (("status", "--stage", "prod", "--every", "0"), 2)
    for arguments, expected in wrong:
        done = cloud.crossover(*arguments, "--json")
        assert (done.returncode, done.stdout) == (expected, "")
        told = json.loads(done.stderr)
        assert told["exit_code"] == expected
        assert told["error"]


def test_help_and_wrong_usage_load_no_aws() -> None:
    names = (
        "console",
        "switch",
        "status",
        "plan",
        "doctor",
        "resume",
        "history",
        "prewarm",
        "rollback",
        "abort",
        "pause",
        "promote",
    )
    script = (
        "import importlib, sys\n"
        f"for name in {names}: importlib.import_module(f'infra.commands.{{name}}')\n"
        "print(sorted({'aiohttp', 'boto3', 'botocore', 'aws_cdk', 'rich.live'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_console_drives_a_switch_lets_go_of_it_when_told_to_end_and_the_command_line_goes_back(cloud: Cloud) -> None:
    command = [sys.executable, "-m", "infra.cli", "console", "--stage", "prod", "--port", "0", "--no-browser"]
    console = subprocess.Popen(
        command, cwd=ROOT, env=cloud.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert console.stdout is not None
        base, _, key = console.stdout.readline().strip().partition("/#key=")
        headers = {"Origin": base, "X-Crossover-Key": key}
        with httpx.Client(base_url=base, headers=headers, timeout=60) as page:
            assert page.post("/session", json={}).status_code == 200
            look_at_first(next(seen(page)))
            begin_forced(page)
            at_verify = next(told for told in seen(page) if told["switch"] and told["switch"]["phase"] == "verify")
            assert at_verify["driving"]["running"] is True
        console.terminate()
        _, said = console.communicate(timeout=60)
    finally:
        console.kill()
        console.communicate()
    assert console.returncode == 130
    assert "stopped at verify, step 1 of 5 (29:71); traffic stays as it is" in said
    assert "nobody drives it" in cloud.crossover("doctor", "--stage", "prod").stdout
    aborted = cloud.crossover("abort", "--stage", "prod")
    assert aborted.returncode == 3
    assert "rolled back to 30:70 (lambda:container): aborted by an operator" in aborted.stderr


def look_at_first(told: dict[str, Any]) -> None:
    assert (told["rule"], told["parameter"], told["agree"], told["account"]) == ("30:70", "30:70", True, "123456789012")
    assert told["lanes"]["container"]["ready"] == 2
    assert told["lanes"]["lambda"]["ready"] is None  # moto has no provisioned concurrency
    assert [name for name, piece in told["pieces"].items() if piece["wrong"]] == ["floors", "lambda"]


def begin_forced(page: httpx.Client) -> None:
    """No service answers in moto, nor tells its loop lag."""
    plan = page.post("/do/plan", json={"goal": "container", "units": 2, "limits": ["loop_lag_ms=none"]}).json()
    assert {each["check"] for each in plan["refusals"]} == {"versions", "smoke"}
    order = {"proposal": plan["proposal"], "typed": "prod", "force": True, "reason": "no service in moto"}
    assert page.post("/do/switch", json=order).status_code == 200


def seen(page: httpx.Client) -> Iterator[dict[str, Any]]:
    with page.stream("GET", "/events") as answer:
        for line in answer.iter_lines():
            if line.startswith("data: {"):
                yield json.loads(line.removeprefix("data: "))
