"""What a repair takes back of a fleet's faults. What the faults themselves do to real instances: test_fleet.py."""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace
from typing import Any, cast

from infra.lab.live.instances.boots import BootFault
from infra.lab.live.instances.faults import Faults
from infra.lab.live.instances.fleet import Fleet, FleetOptions


class Standing:
    """Two instances, and what EC2 was told of."""

    def __init__(self) -> None:
        self.instances = dict.fromkeys(("i-1", "i-2"), self)
        self.options = FleetOptions(environment={"A": "1"})
        self.environment: dict[str, str | None] = {}
        self.boot_faults = deque[BootFault]()
        self.told: list[str] = []
        self.group: Any = SimpleNamespace(tell_terminated=self.told.append)

    def instance(self, _: str) -> Standing:
        return self

    async def power_off(self) -> None: ...


async def test_a_repair_has_ec2_notice_what_failed_once_and_the_next_instances_are_sound() -> None:
    fleet = Standing()
    faults = Faults(cast(Fleet, fleet))
    faults.fail_boots(2, BootFault.HANGS)
    faults.misconfigure({"A": None})
    await faults.kill("i-1", noticed=False)
    await faults.kill("i-2", noticed=False)
    del fleet.instances["i-2"]  # a health check found out
    assert fleet.told == []
    for _ in range(2):
        await faults.repair()
        assert (fleet.told, fleet.environment, len(fleet.boot_faults)) == (["i-1"], {"A": "1"}, 0)
