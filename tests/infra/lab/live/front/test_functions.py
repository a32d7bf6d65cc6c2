"""The Lambda lane of a live stage: code, settings and alias of a function that was deployed into moto, run for real."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import sys
import zipfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from infra.errors import KitError
from infra.lab.lambda_lane import InvokeResult
from infra.lab.live.front.alias import Alias, LambdaFaults, Named
from infra.lab.live.front.counts import Tally
from infra.lab.live.front.function_code import Version, Versions
from infra.lab.live.front.functions import LiveFunctions
from tests.infra.lab.live.front.targets import until
from tests.infra.switching.aws.moto_stage import REGION, aws_in_moto

HANDLER = """
import os, time
def handler(event, context):
    time.sleep(event.get("sleep", 0))
    while "until" in event and not os.path.exists(event["until"]):
        time.sleep(0.01)
    if event.get("boom"):
        raise ValueError("boom")
    return {"text": "%s", "own": os.environ.get("OWN"), "added": os.environ.get("ADDED"),
            "memory": context.memory_limit_in_mb, "version": context.function_version, "name": context.function_name}
"""
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"


def zipped(text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("tiny.py"), HANDLER % text)  # with no time in it: the same text is the same zip
        start = zipfile.ZipInfo("start")
        start.external_attr = 0o755 << 16
        archive.writestr(start, "#!/bin/sh\n")
    return buffer.getvalue()


@dataclass
class Concurrency:
    """moto's Lambda, with what it lacks: provisioned concurrency."""

    client: Any
    provisioned: int | None = None
    exceptions: Any = field(init=False)

    def __post_init__(self) -> None:
        self.exceptions = self.client.exceptions

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def get_provisioned_concurrency_config(self, FunctionName: str, Qualifier: str) -> dict[str, Any]:
        if self.provisioned is None:
            told: Any = {"Error": {"Code": "ProvisionedConcurrencyConfigNotFoundException", "Message": ""}}
            raise self.exceptions.ProvisionedConcurrencyConfigNotFoundException(told, "GetProvisionedConcurrencyConfig")
        return {"RequestedProvisionedConcurrentExecutions": self.provisioned}


@dataclass
class Deployed:
    lambda_: Any
    s3: Any
    concurrency: Concurrency
    arn: str = ""

    def publish(self, text: str) -> str:
        """New code, as a deployment has it, and a version of it; the alias stays where it is."""
        key = f"{text}.zip"
        self.s3.put_object(Bucket="assets", Key=key, Body=zipped(text))
        self.lambda_.update_function_code(FunctionName="search", S3Bucket="assets", S3Key=key)
        version: str = self.lambda_.publish_version(FunctionName="search")["Version"]
        return version

    def lead_to(self, version: str) -> None:
        self.lambda_.update_alias(FunctionName="search", Name="live", FunctionVersion=version)


@dataclass(frozen=True)
class Clients:
    lambda_: Any
    s3: Any
    role: str


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    with aws_in_moto():
        session = boto3.Session(region_name=REGION)
        s3 = session.client("s3")
        s3.create_bucket(Bucket="assets")
        role = session.client("iam").create_role(RoleName="function", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        yield Clients(session.client("lambda"), s3, role)


@pytest.fixture
def deployed(clients: Clients) -> Iterator[Deployed]:
    lambda_, s3 = clients.lambda_, clients.s3
    s3.put_object(Bucket="assets", Key="none.zip", Body=zipped("none"))
    lambda_.create_function(
        FunctionName="search",
        Runtime=RUNTIME,
        Role=clients.role,
        Handler="tiny.handler",
        Code={"S3Bucket": "assets", "S3Key": "none.zip"},
        MemorySize=512,
        Timeout=10,
        Environment={"Variables": {"OWN": "own", "ADDED": "of the function"}},
    )
    made = Deployed(lambda_, s3, Concurrency(lambda_))
    alias = lambda_.create_alias(FunctionName="search", Name="live", FunctionVersion=made.publish("first"))
    made.arn = alias["AliasArn"]
    yield made
    lambda_.delete_function(FunctionName="search")


@pytest.fixture
def versions(deployed: Deployed, tmp_path: Path) -> Versions:
    def fetch(url: str) -> bytes:
        """moto names a place outside the machine, with the key at its end."""
        try:
            whole: bytes = deployed.s3.get_object(Bucket="assets", Key=url.rpartition("/")[2])["Body"].read()
        except deployed.s3.exceptions.NoSuchKey:
            raise OSError("404 Not Found") from None
        return whole

    return Versions(deployed.lambda_, tmp_path, {"ADDED": "of the lab"}, fetch=fetch)


@pytest.fixture
def tally() -> Tally:
    return Tally()


@pytest.fixture
async def functions(deployed: Deployed, versions: Versions, tally: Tally) -> AsyncIterator[LiveFunctions]:
    async with LiveFunctions(deployed.concurrency, versions, tally, most_environments=3, problem=pytest.fail) as live:
        live.follow([deployed.arn])
        yield live


def said(result: InvokeResult) -> dict[str, Any]:
    assert result.error_type is None, result.payload
    told: dict[str, Any] = json.loads(result.payload)
    return told


async def test_an_event_runs_the_code_of_the_aliass_version_with_the_functions_settings(
    deployed: Deployed, functions: LiveFunctions, tally: Tally
) -> None:
    waiting = asyncio.create_task(functions.invoke(deployed.arn, b"{}"))
    await functions.catch_up(deployed.arn)
    told = said(await waiting)
    assert told == {"text": "first", "own": "own", "added": "of the lab", "memory": "512", "version": "1", "name": "search"}
    counts = tally.now.functions["search:live"]
    assert (counts.invocations, counts.errors, counts.throttles, counts.at_once) == (1, 0, 0, {1.0: 1})
    assert sum(counts.duration_ms.values()) == 1


async def test_an_alias_that_moves_leads_to_the_new_version_and_ends_the_old_one_after_its_last_event(
    deployed: Deployed, functions: LiveFunctions, tmp_path: Path
) -> None:
    await functions.catch_up(deployed.arn)
    said(await functions.invoke(deployed.arn, b"{}"))
    second = deployed.publish("second")
    await functions.catch_up(deployed.arn)
    assert said(await functions.invoke(deployed.arn, b"{}"))["text"] == "first", "a version that no alias has is not run"
    slow = asyncio.create_task(functions.invoke(deployed.arn, json.dumps({"until": str(tmp_path / "now")}).encode()))
    await asyncio.sleep(0.05)
    deployed.lead_to(second)
    await functions.catch_up(deployed.arn)
    alias = functions.aliases[deployed.arn]
    assert said(await functions.invoke(deployed.arn, b"{}"))["text"] == "second"
    assert len(alias._under_way) == 2, "the first version's event is still under way"
    (tmp_path / "now").touch()
    assert said(await slow)["text"] == "first"
    assert list(alias._under_way) == [alias._lane], "its environments ended with it"


async def test_events_under_load_see_no_error_while_the_alias_moves(deployed: Deployed, functions: LiveFunctions) -> None:
    await functions.catch_up(deployed.arn)
    texts: list[str] = []
    ended = asyncio.Event()

    async def caller() -> None:
        while not ended.is_set():
            texts.append(said(await functions.invoke(deployed.arn, b"{}"))["text"])

    callers = [asyncio.create_task(caller()) for _ in range(5)]  # more than there are environments
    await until(lambda: len(texts) > 50)
    deployed.lead_to(deployed.publish("second"))
    await functions.catch_up(deployed.arn)
    await until(lambda: texts.count("second") > 50)
    ended.set()
    await asyncio.gather(*callers)
    assert set(texts) == {"first", "second"}
    assert functions.aliases[deployed.arn].environments <= 3


async def test_what_fails_in_the_code_is_an_error_and_still_an_invocation(
    deployed: Deployed, functions: LiveFunctions, tally: Tally
) -> None:
    deployed.lambda_.update_function_configuration(FunctionName="search", Timeout=1)
    deployed.lead_to(deployed.publish("hasty"))
    await functions.catch_up(deployed.arn)
    assert (await functions.invoke(deployed.arn, b'{"boom": 1}')).error_type is not None
    late = await functions.invoke(deployed.arn, b'{"sleep": 9}')
    assert late.error_type == "Sandbox.Timedout", "after the function's own second"
    counts = tally.now.functions["search:live"]
    assert (counts.invocations, counts.errors) == (2, 2)


async def test_reserved_concurrency_throttles_and_so_does_the_lab(
    deployed: Deployed, functions: LiveFunctions, tally: Tally
) -> None:
    deployed.lambda_.put_function_concurrency(FunctionName="search", ReservedConcurrentExecutions=1)
    await functions.catch_up(deployed.arn)
    slow = asyncio.create_task(functions.invoke(deployed.arn, b'{"sleep": 0.2}'))
    await asyncio.sleep(0.05)
    assert (await functions.invoke(deployed.arn, b"{}")).status == 429
    said(await slow)
    functions.set_faults(LambdaFaults(limit=0))
    assert (await functions.invoke(deployed.arn, b"{}")).status == 429
    functions.set_faults(LambdaFaults())
    said(await functions.invoke(deployed.arn, b"{}"))
    counts = tally.now.functions["search:live"]
    assert (counts.invocations, counts.throttles, max(counts.at_once)) == (2, 2, 1.0)


async def test_the_lab_makes_a_function_slow_or_lets_it_fail(deployed: Deployed, functions: LiveFunctions) -> None:
    await functions.catch_up(deployed.arn)
    functions.set_faults(LambdaFaults(latency_s=0.2))
    started = asyncio.get_running_loop().time()
    said(await functions.invoke(deployed.arn, b"{}"))
    assert asyncio.get_running_loop().time() - started > 0.2
    functions.set_faults(LambdaFaults(errors=1.0))
    assert (await functions.invoke(deployed.arn, b"{}")).error_type == "Unhandled"


async def test_provisioned_environments_are_started_ahead_and_told(
    deployed: Deployed, versions: Versions, tally: Tally
) -> None:
    told: list[Any] = []

    async def take(request: web.Request) -> web.Response:
        told.append(await request.json())
        return web.Response()

    app = web.Application()
    app.router.add_put("/_lab/environments", take)
    async with TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        async with LiveFunctions(deployed.concurrency, versions, tally, aws_url=url, problem=pytest.fail) as functions:
            functions.follow([deployed.arn])
            deployed.concurrency.provisioned = 2
            await functions.catch_up(deployed.arn)
            assert functions.aliases[deployed.arn].environments == 2
            three = await asyncio.gather(*(functions.invoke(deployed.arn, b'{"sleep": 0.1}') for _ in range(3)))
            assert sorted(result.init_ms is None for result in three) == [False, True, True], "one more is a cold start"
            counts = tally.now.functions["search:live"]
            assert (counts.on_provisioned, counts.spilled) == (2, 1)
            await functions.catch_up(deployed.arn)
            deployed.concurrency.provisioned = 3
            await functions.catch_up(deployed.arn)
            deployed.concurrency.provisioned = None
            await functions.catch_up(deployed.arn)
    assert [each["search:live"] for each in told] == [0, 2, 3, 0]


async def test_a_function_that_no_group_leads_to_any_more_ends_its_environments(
    deployed: Deployed, functions: LiveFunctions
) -> None:
    await functions.catch_up(deployed.arn)
    said(await functions.invoke(deployed.arn, b"{}"))
    lane = functions.aliases[deployed.arn]._lane
    assert lane is not None
    (environment,) = lane.environments
    await functions.forget(deployed.arn)
    assert functions.aliases == {}
    assert not environment.alive


def test_code_is_unpacked_once_and_what_may_be_executed_stays_so(versions: Versions, deployed: Deployed) -> None:
    code = versions.read("search", "1").code
    first = code.tree
    assert code.env["AWS_REGION"] == REGION
    assert (first / "start").stat().st_mode & 0o111
    deployed.s3.delete_object(Bucket="assets", Key="first.zip")
    assert versions.read("search", "1").code.tree == first


def test_code_that_cannot_be_had_is_said(deployed: Deployed, versions: Versions) -> None:
    deployed.s3.delete_object(Bucket="assets", Key="first.zip")
    with pytest.raises(KitError, match=r"^function search: its code cannot be had from https://.*/first\.zip: 404 Not Found$"):
        versions.read("search", "1")


def test_code_that_is_not_what_the_version_has_is_refused(deployed: Deployed, versions: Versions) -> None:
    deployed.s3.put_object(Bucket="assets", Key="first.zip", Body=zipped("another"))
    with pytest.raises(KitError, match="function search: its code is"):
        versions.read("search", "1")


async def test_a_function_whose_code_cannot_be_read_is_told_and_tried_again(
    deployed: Deployed, versions: Versions, tally: Tally
) -> None:
    problems: list[str] = []
    deployed.s3.delete_object(Bucket="assets", Key="first.zip")
    async with LiveFunctions(deployed.concurrency, versions, tally, problem=problems.append) as functions:
        functions.follow([deployed.arn])
        await functions.catch_up(deployed.arn)
        assert "cannot be had" in problems[0]
        deployed.s3.put_object(Bucket="assets", Key="first.zip", Body=zipped("first"))
        await functions.catch_up(deployed.arn)
        assert len(problems) == 1


@pytest.mark.parametrize(
    ("arn", "named", "resource"),
    [
        ("arn:aws:lambda:us-east-1:1:function:search:live", Named("search", "live"), "search:live"),
        ("arn:aws:lambda:us-east-1:1:function:search", Named("search", "$LATEST"), "search"),
    ],
)
def test_an_arn_names_function_and_alias(arn: str, named: Named, resource: str) -> None:
    assert Named.of(arn) == named
    assert named.resource == resource


async def test_environments_that_are_being_started_when_the_lab_ends_end_with_it(
    deployed: Deployed, versions: Versions, tally: Tally
) -> None:
    version = versions.read("search", "1")
    alias = Alias(Named("search", "live"), tally, most_environments=50)
    starting = asyncio.create_task(alias.lead_to(version, 50))
    await until(lambda: len(_environments(version)) >= 2)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    assert _environments(version) == []


def _environments(version: Version) -> list[int]:
    """Process ids of those that run its code."""
    found, tree = [], str(version.code.tree)
    for each in psutil.Process().children():
        with contextlib.suppress(psutil.Error):  # it ends just now
            if each.status() != psutil.STATUS_ZOMBIE and each.cwd() == tree:
                found.append(each.pid)
    return found


async def test_a_function_without_code_keeps_events_waiting_and_not_failing(tally: Tally) -> None:
    alias = Alias(Named("search", "live"), tally, most_environments=1)
    waiting = asyncio.create_task(alias.invoke(b"{}"))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert alias.at_once == 0
