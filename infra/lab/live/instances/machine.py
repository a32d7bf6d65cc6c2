"""The machine under an instance: its processes, as one that can be frozen, slowed down and cut off from its power."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.lab.live.instances.keeper import Keeper
from infra.lab.live.instances.process_table import has_members
from infra.lab.processes import Child, minimal_environment, spawn

SLICE_S = 0.1
"""Of a machine that is slowed down: the period in which Linux itself deals out a CPU quota (CFS bandwidth control,
`cpu.cfs_period_us`)."""

LOOK_S = 0.1


class Machine:
    """Every process that runs on the instance is started by `start` and belongs to its process group or a descendant's. `off`
    is for good."""

    def __init__(self, keeper: Keeper, *, vcpus: int) -> None:
        self._keeper = keeper
        here = sorted(os.sched_getaffinity(0))
        self._cpus = random.sample(here, min(vcpus, len(here)))
        self._children: dict[int, Child] = {}
        self._slowed: asyncio.Task[None] | None = None
        self.vcpus = vcpus
        self.frozen = False
        self.off = False

    def groups(self) -> set[int]:
        """The process groups that run here."""
        return set(self._children)

    async def start(self, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path, confined: bool) -> Child:
        """`confined` to as many CPUs as the instance has, for who counts them; the others share the machine's as the kernel
        sees fit. Raises `OSError`."""
        child = await spawn(command, env=minimal_environment(env), cwd=cwd, log=log, cpus=self._cpus if confined else None)
        self._children[child.pid] = child
        self._keeper.keep(child.pid)
        if self.off:
            await self._end(child)
        elif self.frozen:
            child.tell(signal.SIGSTOP)
        return child

    async def ended(self, child: Child, *, kill_after_s: float) -> int:
        """The exit code of a process, once nobody of its group is left. Whoever stays behind is asked to go, and killed when
        the time is up (KillMode=control-group)."""
        code = await child.wait()
        if has_members(child.pid):
            _signal(child.pid, signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(kill_after_s):
                    while has_members(child.pid):  # noqa: ASYNC110 (nobody tells: they are no children of ours)
                        await asyncio.sleep(LOOK_S)
        await self._end(child)
        return code

    def freeze(self) -> None:
        """Everything stops where it is: connections stay and are even taken by the kernel, but nobody answers."""
        self.frozen = True
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        self.frozen = False
        self._signal_all(signal.SIGCONT)

    def slow_down(self, share: float) -> None:
        """Run in the first `share` (above 0, up to 1) of each tenth of a second, as a machine does whose CPU credits are used
        up or whose neighbours are noisy. 1 is full speed."""
        if self._slowed is not None:
            self._slowed.cancel()
            self._slowed = None
        if share < 1:
            self._slowed = asyncio.create_task(self._run_in_part(share))

    async def _run_in_part(self, share: float) -> None:
        try:
            while not self.off:
                await asyncio.sleep(SLICE_S * share)
                if not self.frozen:
                    self._signal_all(signal.SIGSTOP)
                await asyncio.sleep(SLICE_S * (1 - share))
                if not self.frozen:
                    self._signal_all(signal.SIGCONT)
        finally:
            if not self.frozen:
                self._signal_all(signal.SIGCONT)

    async def cut_power(self) -> None:
        """SIGKILL to everything, at once."""
        self.off = True
        self._signal_all(signal.SIGKILL)
        for child in list(self._children.values()):
            await self._end(child)
        if self._slowed is not None:
            self._slowed.cancel()

    def _signal_all(self, number: signal.Signals) -> None:
        for group in self._children:
            _signal(group, number)

    async def _end(self, child: Child) -> None:
        _signal(child.pid, signal.SIGKILL)
        await child.kill()
        if self._children.pop(child.pid, None) is not None:
            self._keeper.forget(child.pid)


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)
