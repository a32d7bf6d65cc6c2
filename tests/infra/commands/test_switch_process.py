"""The commands as processes of their own, over HTTP to moto's server, as `AWS_ENDPOINT_URL` leads them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.conftest import ROOT, free_port
from tests.infra.switching.aws.moto_stage import REGION, deploy

pytestmark = pytest.mark.slow  # real processes


@dataclass(frozen=True)
class Cloud:
    url: str

    def crossover(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        aws = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        command = [sys.executable, "-m", "infra.cli", *arguments]
        env = {name: value for name, value in {**kept, **aws, **environment}.items() if value}
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


def test_help_and_wrong_usage_load_no_aws() -> None:
    names = ("switch", "status", "plan", "doctor", "resume", "history", "prewarm", "rollback", "abort", "pause", "promote")
    script = (
        "import importlib, sys\n"
        f"for name in {names}: importlib.import_module(f'infra.commands.{{name}}')\n"
        "print(sorted({'boto3', 'botocore', 'aws_cdk', 'rich.live'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
