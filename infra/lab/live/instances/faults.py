"""What may happen to the instances of a group: to one, to a spot pool, to those that start from now on.

| fault | what is real of it |
|---|---|
| `kill` | every process is killed and the address is gone, as when a host fails; EC2 notices or does not |
| `crash` | the service's supervisor is killed; systemd cleans up and starts it anew |
| `freeze`, `thaw` | every process stands still; connections stay, new ones are taken by the kernel, nothing is answered |
| `slow_down` | every process runs in a part of each tenth of a second |
| `interrupt`, `reclaim_pool` | EC2 plans to take spot instances away: the metadata service tells, then they are gone |
| `fail_boots` | the next instances do not boot |
| `misconfigure` | the service of the next instances has another environment, as after a wrong deployment |

None of them lies between a caller and the service: an answer is the service's own. Errors come from a service that cannot reach
its suppliers (`misconfigure`), or from the suppliers: a lane that has a simulator of its own can be made to fail alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from infra.errors import InputError
from infra.lab.live.instances.boots import BootFault
from infra.lab.live.instances.fleet import Fleet

NOTICE_S = 120.0
"""Lab seconds between a spot instance's notice and its end (Amazon EC2 User Guide, "Spot Instance interruption notices")."""


class Faults:
    """Of one fleet. Each raises `KitError` for an instance that is not there."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._unnoticed: set[str] = set()

    async def kill(self, instance_id: str, *, noticed: bool = True) -> None:
        """`noticed`: EC2 calls it terminated at once; else it says `running` until a health check of the group's finds out,
        or all is repaired."""
        await self._fleet.instance(instance_id).power_off()
        if noticed:
            await asyncio.to_thread(self._fleet.group.tell_terminated, instance_id)
        else:
            self._unnoticed.add(instance_id)

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

    async def interrupt(self, instance_id: str) -> None:
        """Notice now, and the end two lab minutes later, whether or not the instance has left by then. Of spot instances."""
        await asyncio.to_thread(self._fleet.group.reclaim, [self._fleet.instance(instance_id).instance_id], NOTICE_S)

    async def reclaim_pool(self, instance_type: str, zone: str, *, warning_s: float = 0.0) -> list[str]:
        """Every spot instance of this type and zone: rebalance recommendation, and `warning_s` lab seconds later the notice
        (AWS may give both at once). Returns their ids."""
        spot = [told for told in self._fleet.launched.values() if told.spot and told.instance_id in self._fleet.instances]
        pool = [told.instance_id for told in spot if (told.instance_type, told.zone) == (instance_type, zone)]
        if not pool:
            pools = sorted({f"{told.instance_type} in {told.zone}" for told in spot})
            raise InputError(f"no spot instance is a {instance_type} in {zone}; there are {', '.join(pools) or 'none'}")
        await asyncio.to_thread(self._fleet.group.reclaim, pool, NOTICE_S + warning_s)
        return pool

    def fail_boots(self, count: int, fault: BootFault) -> None:
        """Of the next `count` instances, on top of what was asked for before."""
        self._fleet.boot_faults.extend([fault] * count)

    def misconfigure(self, changes: Mapping[str, str | None]) -> None:
        """Variables of the service's environment, for instances that start from now on; `None` takes one away. With
        `CROSSOVER_SUPPLIERS_URL` where nobody listens, an instance is ready and answers each search with 503."""
        self._fleet.environment |= changes

    async def repair(self) -> None:
        """Instances that start from now on are sound again, and EC2 notices which have failed."""
        unnoticed, self._unnoticed = self._unnoticed & self._fleet.instances.keys(), set()
        for instance_id in unnoticed:
            await asyncio.to_thread(self._fleet.group.tell_terminated, instance_id)
        self._fleet.boot_faults.clear()
        self._fleet.environment = dict(self._fleet.options.environment)
