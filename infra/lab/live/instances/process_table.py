"""What the kernel says of all processes at once: cheap enough to look at often (proc_pid_stat(5))."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
ENDED = "ZX"


class Running(NamedTuple):
    """`group` is the process group, which is the session of whoever was spawned by us. `cpu_s` holds that of the children it
    has waited for."""

    pid: int
    group: int
    cpu_s: float


def running() -> Iterator[Running]:
    """Each process that has not ended."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            stat = (folder / "stat").read_text(errors="replace")
        except OSError:
            continue
        fields = stat.rpartition(")")[2].split()  # the name before it may hold anything
        if fields[0] not in ENDED:
            yield Running(int(folder.name), int(fields[2]), sum(map(int, fields[11:15])) / TICKS_PER_S)


def has_members(group: int) -> bool:
    return any(process.group == group for process in running())


class CpuMeter:
    """CPU seconds of a changing set of process groups between two looks. What a group used after the last look before its end
    is lost."""

    def __init__(self) -> None:
        self._before: dict[int, float] = {}

    def since_last(self, groups: set[int]) -> dict[int, float]:
        """By group, 0 or more; a group that is new counts from its start."""
        now: dict[int, float] = {}
        for process in running():
            if process.group in groups:
                now[process.group] = now.get(process.group, 0.0) + process.cpu_s
        used = {group: max(0.0, total - self._before.get(group, 0.0)) for group, total in now.items()}
        self._before = now
        return used
