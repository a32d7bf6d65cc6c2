"""Both lanes ask suppliers with the keys of a secret in AWS Secrets Manager (moto's), and so does a service of one's own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.lab.container_lane import ContainerLane
from infra.lab.lambda_lane import LambdaLane, runtime_folder
from infra.lab.runtime_api import Code
from tests.conftest import ROOT
from tests.fakes import future_search
from tests.lambda_handler.test_handler import call, event
from tests.secret_values.doubles import REGION, Cloud, moto_server

FRONT = "http_api_v2"
CATALOGUE = """
content = "{content}"

[suppliers.rapid-01]
format = "rapid"
url = "${{suppliers}}/rapid-01"
timeout_ms = 5000
key = "${{RAPID_KEY}}"
secret = "${{RAPID_SECRET}}"
"""
OWN_SERVICE = """
import os
TOKEN = os.environ["TOKEN"]

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b'"' + TOKEN.encode() + b'"'})

def create_app():
    return app
"""


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with moto_server() as cloud:
        cloud.create("suppliers", {"RAPID_KEY": "lab-key", "RAPID_SECRET": "lab-secret", "TOKEN": "from the secret"})
        yield cloud


@pytest.fixture
def service(simulator_url: str, tmp_path: Path) -> dict[str, str]:
    """The environment of a search service whose one supplier has its credentials in the secret."""
    catalogue = tmp_path / "catalogue.toml"
    catalogue.write_text(CATALOGUE.format(content=ROOT / "app" / "suppliers" / "data" / "content.json"))
    return {
        "CROSSOVER_SUPPLIERS_URL": simulator_url,
        "CROSSOVER_CATALOGUE": str(catalogue),
        "CROSSOVER_DEADLINE_MS": "8000",
    }


@asynccontextmanager
async def lambda_lane(environment: Mapping[str, str], tree: Path = ROOT) -> AsyncIterator[LambdaLane]:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    runtime = runtime_folder(version, Path(sys.executable))
    async with LambdaLane(Code(tree, Path(sys.executable), environment, runtime)) as lane:
        yield lane


def outcome(answer: dict[str, Any]) -> str:
    (only,) = answer["outcomes"]
    status: str = only["status"]
    return status


async def test_the_lambda_lane_asks_with_the_secrets_key(cloud: Cloud, service: dict[str, str]) -> None:
    async with lambda_lane({**service, **cloud.environment("suppliers")}) as lane:
        assert outcome((await call(lane, event(FRONT, future_search())))[2]) == "ok"


async def test_what_the_lanes_environment_sets_wins_over_the_secret(cloud: Cloud, service: dict[str, str]) -> None:
    async with lambda_lane({**service, **cloud.environment("suppliers", RAPID_KEY="another")}) as lane:
        refused = (await call(lane, event(FRONT, future_search())))[2]
    assert refused["error"]["code"] == "no_supplier_answered"


async def test_a_secret_that_cannot_be_read_fails_init_with_its_one_line(cloud: Cloud, service: dict[str, str]) -> None:
    async with lambda_lane({**service, **cloud.environment("nowhere")}) as lane:
        failed = await lane.invoke(b"{}")
    assert failed.error_type == "Runtime.InitError"
    assert f"CROSSOVER_SECRET: secret 'nowhere' in {REGION}: there is no such secret there".encode() in failed.payload


async def test_a_service_of_ones_own_finds_the_values_while_it_is_imported(cloud: Cloud, tmp_path: Path) -> None:
    for package in ("app", "lambda_handler", "secret_values"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "app" / "bootstrap.py").write_text(OWN_SERVICE)
    async with lambda_lane(cloud.environment("suppliers"), tmp_path) as lane:
        assert (await call(lane, event(FRONT, "/any")))[2] == "from the secret"


async def test_the_container_lane_asks_with_what_was_written(cloud: Cloud, service: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "secrets"
    command = [sys.executable, "-m", "secret_values", "--write", str(path)]
    subprocess.run(command, cwd=ROOT, env=cloud.environment("suppliers"), check=True, timeout=30)
    shown = subprocess.run(["env", "-i", "sh", "-c", f"set -a; . {path}; exec env -0"], capture_output=True, check=True)
    written = dict(pair.split("=", 1) for pair in shown.stdout.decode().split("\0") if pair)
    container = ContainerLane(ROOT, Path(sys.executable), {**service, **written}, workers=1)
    async with container as lane, httpx.AsyncClient(timeout=20) as client:
        assert outcome((await client.get(lane.url + future_search())).json()) == "ok"


def test_the_cold_start_without_a_secret_does_not_import_what_reads_one() -> None:
    code = "import lambda_handler.handler, sys; print([name for name in sys.modules if name.startswith('secret_values')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
