"""`python -m infra.lab.live.serve STAGE --region R --port N`: the process of a live stage. The local AWS is
the one at `AWS_ENDPOINT_URL`.

Prints one line of JSON, `{"url": …, "faults": …}`, once requests are served, and tells the local AWS the same (`/_lab/live`),
so that whoever knows the one finds the other. Ends at SIGTERM, and with the process that started it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import logging
import os
import signal
import sys
from typing import Any

from infra.lab.live.as_deployed import AsDeployed
from infra.lab.live.fault_pages import FaultPages
from infra.lab.live.instances.boots import BootDelay
from infra.lab.live.stage import LiveOptions, LiveStage
from infra.lab.operator import lab_time_at
from infra.lab.page_call import call
from infra.switching.aws.calls import Aws
from infra.switching.aws.resources import find


def clients(region: str) -> Any:
    """Makes boto3's clients, one of each service: they may be used from several threads."""
    import boto3
    from botocore.config import Config

    session = boto3.Session(region_name=region)
    config = Config(retries={"mode": "standard", "total_max_attempts": 3}, max_pool_connections=20, read_timeout=20)
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            made[service] = session.client(service, config=config)
        return made[service]

    return client


async def serve(stage: str, region: str, options: LiveOptions) -> None:
    aws_url = os.environ["AWS_ENDPOINT_URL"]
    resources = await asyncio.to_thread(find, Aws(region), stage)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    lab_time = await asyncio.to_thread(lab_time_at, aws_url)
    deployed = await asyncio.to_thread(AsDeployed, Aws(region), resources)
    async with (
        LiveStage(resources, client=clients(region), aws_url=aws_url, lab_time=lab_time, options=options) as live,
        FaultPages(live, deployed.restore) as pages,
    ):
        told = {"url": live.front.url, "faults": pages.url, "stage": stage}
        await asyncio.to_thread(call, "PUT", f"{aws_url}/_lab/live", told)
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        _set_aside()
        await stop.wait()


def _set_aside() -> None:
    """What is there stays for good, AWS's service models above all. Walking them took the collector 0.15 s now and then, in
    which no request went through: as many then came at once as environments had been started, and the rest met cold starts."""
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("stage")
    parser.add_argument("--region", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--no-suppliers", action="store_true", help="a service of the user's own asks none")
    parser.add_argument("--no-schedules", action="store_true", help="EventBridge Scheduler stands still at first")
    parser.add_argument("--latency", default=LiveOptions().latency, help="of the suppliers")
    parser.add_argument("--boot-s", type=float, default=BootDelay().median_s)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    wanted = LiveOptions(
        port=arguments.port,
        suppliers=not arguments.no_suppliers,
        schedules=not arguments.no_schedules,
        latency=arguments.latency,
        boot_s=BootDelay(arguments.boot_s, arguments.boot_s),
    )
    asyncio.run(serve(arguments.stage, arguments.region, wanted))
