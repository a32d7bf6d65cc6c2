"""`python -m tests.infra.lab.live.instances.forsaken URL GROUP`: a lab that is left alone, with one instance of
the group, frozen once it serves; prints its folder then. Ends only when it is killed."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import boto3

from infra.lab.lab_time import LabTime
from infra.lab.live.instances.boots import BootDelay
from infra.lab.live.instances.faults import Faults
from infra.lab.live.instances.fleet import Fleet, FleetOptions
from infra.lab.live.instances.group import AwsGroup
from infra.lab.live.instances.instance import State
from tests.infra.lab.aws.live_aws import REGION


async def main(url: str, group: str) -> None:
    def client(service: str) -> Any:
        return boto3.Session("test", "test", region_name=REGION).client(service, endpoint_url=url)

    options = FleetOptions(delay=BootDelay(1.0, 1.0), look_s=0.2)
    async with Fleet(AwsGroup(group, client, url), client, url, LabTime(20.0), options) as fleet:
        while not any(instance.state is State.SERVING for instance in fleet.instances.values()):
            await asyncio.sleep(0.1)
        (instance,) = fleet.instances.values()
        Faults(fleet).freeze(instance.instance_id)
        print(instance.root.parent, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
