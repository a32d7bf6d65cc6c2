"""The whole front against a moto server: what is changed in elbv2 is followed, checked, and published."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import boto3
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from infra.lab.lab_time import LabTime
from infra.lab.live.front.front import FrontSettings, LiveFront
from tests.infra.lab.live.front.targets import Instances, Served, serving, until
from tests.infra.lab.live.front.test_followed import Deployed, deployed, elbv2
from tests.infra.switching.aws.moto_stage import REGION

__all__ = ["deployed", "elbv2"]


class Pages:
    """The local AWS's own pages."""

    def __init__(self) -> None:
        self.health: dict[str, Any] = {}
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.health = await request.json()
        return web.Response()


@pytest.fixture
async def pages() -> AsyncIterator[Pages]:
    pages, app = Pages(), web.Application()
    app.router.add_put("/_lab/target-health", pages.take)
    async with TestServer(app) as server:
        pages.url = str(server.make_url("")).rstrip("/")
        yield pages


def instance(group: str, elbv2: Any) -> str:
    """A running instance in moto, registered."""
    made = boto3.Session().client("ec2", REGION).run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)
    id: str = made["Instances"][0]["InstanceId"]
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": id}])
    return id


async def test_a_deployed_load_balancer_is_followed_served_checked_and_published(
    deployed: Deployed, pages: Pages, tmp_path: Path
) -> None:
    async with serving("one") as one, serving("two") as two, aiohttp.ClientSession() as session:
        ids = [instance(group, deployed.elbv2) for group in deployed.groups]
        problems: list[str] = []
        settings = FrontSettings(load_balancer=deployed.balancer, folder=tmp_path, follow_every_s=0.05)
        async with LiveFront(
            settings,
            client=lambda service: boto3.Session().client(service, REGION),
            aws_url=pages.url,
            addresses=Instances(dict(zip(ids, (one.port, two.port), strict=True))),
            lab_time=LabTime(300.0),
            problem=problems.append,
        ) as front:

            async def served_by(target: Served) -> None:
                async with asyncio.timeout(10):
                    while True:
                        async with session.get(front.url) as answer:
                            assert answer.status == 200
                            if await answer.text() == target.name:
                                return
                        await asyncio.sleep(0.01)

            await served_by(one)
            deployed.weigh(0, 100)
            await served_by(two)
            one_group, two_group = deployed.groups
            await until(lambda: pages.health.get(two_group, {}).get(ids[1], {}).get("State") == "healthy")
            deployed.elbv2.deregister_targets(TargetGroupArn=one_group, Targets=[{"Id": ids[0]}])
            await until(lambda: pages.health[one_group].get(ids[0], {}) is None)
            await until(
                lambda: published() >= {"RequestCount", "HealthyHostCount", "NewConnectionCount", "ActiveConnectionCount"}
            )
    assert problems == []


def published() -> set[str]:
    told = boto3.Session().client("cloudwatch", REGION).list_metrics(Namespace="AWS/ApplicationELB")["Metrics"]
    return {each["MetricName"] for each in told}
