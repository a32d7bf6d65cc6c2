"""What may happen to the instances of a group: to one, to a spot pool, to those that start from now on.

| fault | what is real of it |
|---|---|
| `kill` | every process is killed and the address is gone, as when a host fails; EC2 notices or does not |
| `crash` | the service's supervisor is killed; systemd cleans up and starts it anew |
| `freeze`, `thaw` | every process stands still; connections stay, new ones are taken by the kernel, nothing is answered |
| `slow_down` | every process runs in a part of each tenth of a second |
| `recommend_rebalance`, `interrupt`, `reclaim_pool` | the metadata service's word; two lab minutes later the machine is gone |
| `fail_boots` | the next instances do not boot |
| `misconfigure` | the service of the next instances has another environment, as after a wrong deployment |

None of them lies between a caller and the service: an answer is the service's own. Errors come from a service that is
misconfigured (suppliers it cannot reach) or from the suppliers themselves (the simulator's faults).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

from infra.errors import InputError
from infra.lab.live.boots import BootFault
from infra.lab.live.fleet import Fleet

NOTICE_S = 120.0
"""Lab seconds between a spot instance's notice and its end (Amazon EC2 User Guide, "Spot Instance interruption notices")."""


class Faults:
    """Of one fleet. Each raises `KitError` for an instance that is not there."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    async def kill(self, instance_id: str, *, noticed: bool = True) -> None:
        """`noticed`: EC2 calls it terminated at once; else it says `running` until a health check of the group's finds out."""
        await self._fleet.instance(instance_id).power_off()
        if noticed:
            await asyncio.to_thread(self._fleet.group.tell_terminated, instance_id)

    def crash(self, instance_id: str) -> None:
        self._fleet.instance(instance_id).crash()

    def freeze(self, instance_id: str) -> None:
        self._fleet.instance(instance_id).machine.freeze()

    def thaw(self, instance_id: str) -> None:
        self._fleet.instance(instance_id).machine.thaw()

    def slow_down(self, instance_id: str, share: float) -> None:
        """To `share` of its speed, above 0 and up to 1, which is full speed again."""
        if not 0 < share <= 1:
            raise InputError(f"share {share:g}: must be above 0 and at most 1")
        self._fleet.instance(instance_id).machine.slow_down(share)

    def recommend_rebalance(self, instance_id: str) -> None:
        self._fleet.instance(instance_id).metadata.recommend_rebalance(at=self._now())

    def interrupt(self, instance_id: str) -> None:
        """Notice now, and the end two lab minutes later, whether or not the instance has left by then."""
        at = self._fleet.clock.now() + NOTICE_S
        self._fleet.instance(instance_id).metadata.interrupt(at=datetime.fromtimestamp(at, UTC))
        self._fleet.begin(self._take(instance_id))

    def reclaim_pool(self, instance_type: str, zone: str, *, warning_s: float = 0.0) -> list[str]:
        """Every spot instance of this type and zone: rebalance recommendation, and `warning_s` lab seconds later the notice
        (AWS may give both at once). Returns their ids."""
        pool = [
            told.instance_id
            for told in self._fleet.launched.values()
            if (told.instance_type, told.zone) == (instance_type, zone)
            and told.spot
            and told.instance_id in self._fleet.instances
        ]
        for instance_id in pool:
            self.recommend_rebalance(instance_id)
        self._fleet.begin(self._interrupt_all(pool, warning_s))
        return pool

    def fail_boots(self, count: int, fault: BootFault) -> None:
        """Of the next `count` instances, on top of what was asked for before."""
        self._fleet.boot_faults.extend([fault] * count)

    def misconfigure(self, changes: Mapping[str, str | None]) -> None:
        """Variables of the service's environment, for instances that start from now on; `None` takes one away."""
        self._fleet.environment |= changes

    def repair(self) -> None:
        """Instances that start from now on are sound again."""
        self._fleet.boot_faults.clear()
        self._fleet.environment = dict(self._fleet.options.environment)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._fleet.clock.now(), UTC)

    async def _interrupt_all(self, pool: list[str], warning_s: float) -> None:
        await asyncio.sleep(self._fleet.clock.real_s(warning_s))
        for instance_id in pool:
            if instance_id in self._fleet.instances:
                self.interrupt(instance_id)

    async def _take(self, instance_id: str) -> None:
        await asyncio.sleep(self._fleet.clock.real_s(NOTICE_S))
        if instance_id in self._fleet.instances:
            await self.kill(instance_id)
