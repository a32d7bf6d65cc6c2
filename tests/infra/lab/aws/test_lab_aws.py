"""`crossover lab aws` deploys a stage into a local AWS, tells how to look around, and leaves nothing when it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import boto3
import psutil
import pytest

from infra.errors import KitError
from infra.lab.aws.local_aws import LocalAws
from tests.conftest import ROOT, absent, descendants_with, require_program

pytestmark = pytest.mark.slow

MARKER = "lab-aws-test"


@pytest.fixture(autouse=True)
def cli() -> None:
    require_program("node")
    if not (ROOT / "node_modules" / ".bin" / "cdk").exists():
        absent("the CDK CLI is not installed (npm ci)")


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            KitError, match=rf"^the local AWS cannot listen on port {port}: Address already in use; take another$"
        ):
            LocalAws("us-east-1", port=port).__enter__()


def test_whoever_dies_while_it_starts_leaves_no_server_behind() -> None:
    """kill -9, before the server itself has run a line."""
    script = (
        "import os, signal\n"
        "from infra.lab.aws.local_aws import LocalAws\n"
        "def die(self):\n"
        "    print(self._server.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "LocalAws._await_port = die\n"
        "LocalAws('us-east-1').__enter__()\n"
    )
    owner = subprocess.run([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=60, check=False)
    assert owner.returncode == -signal.SIGKILL
    server, end = int(owner.stdout), time.monotonic() + 15
    while psutil.pid_exists(server) and psutil.Process(server).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end, "the server outlived its owner"
        time.sleep(0.05)


def test_a_stage_with_lambda_alone_is_deployed_shown_and_gone_on_interrupt() -> None:
    command = [
        sys.executable,
        "-m",
        "infra.cli",
        "lab",
        "aws",
        "--stages",
        "tests/infra/stacks/stages.toml",
        "--stage",
        "trial",
    ]
    command += ["-c", "lanes=lambda", "-c", "lambda_lane.front=function_url", "-c", "account=111122223333", "--port", "0"]
    environment = {**os.environ, "CROSSOVER_TEST_MARKER": MARKER, "LANG": MARKER}  # LANG goes to the local AWS's processes too
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        shown = []
        for line in process.stdout:
            shown.append(line)
            if line.startswith("  npx cdk destroy"):
                break
        text = "".join(shown)
        assert "crossover-trial-lambda  CREATE_COMPLETE\n  FunctionName" in text
        (export,) = [line for line in shown if line.startswith("  export AWS_ENDPOINT_URL=")]
        url = export.partition("=")[2].split()[0]
        session = boto3.Session("any", "key", region_name="us-east-1")
        (function,) = session.client("lambda", endpoint_url=url).list_functions()["Functions"]
        assert function["FunctionArn"].startswith("arn:aws:lambda:us-east-1:111122223333:function:")
        vpcs = session.client("ec2", endpoint_url=url).describe_vpcs()["Vpcs"]
        assert [vpc["IsDefault"] for vpc in vpcs] == [True]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
    end = time.monotonic() + 5
    while descendants_with(MARKER) and time.monotonic() < end:
        time.sleep(0.1)
    assert descendants_with(MARKER) == []
