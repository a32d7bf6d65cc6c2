"""CPU and memory of a process and all its descendants, read from /proc (Linux).

CPU is user + system time of every live process in the tree, and of children it has already waited for, so a recycled
worker still counts. The kernel reports it in ticks of 10 ms: measure windows long enough for that.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def cpu_s(root: int) -> float:
    """Seconds of CPU the tree under `root` has used so far; raises `ProcessLookupError` when `root` is gone."""
    total = 0
    for pid in tree(root):
        fields = _stat(pid)
        if fields is not None:
            total += sum(int(fields[index]) for index in (11, 12, 13, 14))  # utime, stime, cutime, cstime
    return total * TICK_S


def peak_rss_mb(root: int) -> float:
    """Sum over the tree of each live process's peak resident set (VmHWM), in MB of 10^6 bytes. Shared pages count once
    per process, so for a tree of forked workers this overstates."""
    return sum(_status_kb(pid, "VmHWM:") for pid in tree(root)) * 1024 / 1e6


def pss_mb(root: int) -> float | None:
    """Sum over the tree of the proportional set size now, in MB of 10^6 bytes; `None` where the kernel does not say."""
    total = 0.0
    for pid in tree(root):
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            return None
        total += next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0)
    return total * 1024 / 1e6


def tree(root: int) -> list[int]:
    """`root` and its descendants, parents first. Raises `ProcessLookupError` when `root` is gone."""
    if _stat(root) is None:
        raise ProcessLookupError(f"process {root} is gone")
    found = [root]
    for pid in found:
        found.extend(_children(pid))
    return found


def _children(pid: int) -> Iterable[int]:
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            yield from map(int, (thread / "children").read_text().split())
    except OSError:
        return


def _stat(pid: int) -> list[str] | None:
    """Fields of /proc/pid/stat from the third on (the second, the name, may hold spaces)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _status_kb(pid: int, field: str) -> int:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith(field)), 0)


def machine_busy_s() -> float:
    """Seconds of CPU that everything on this machine has used since boot, time stolen by the hypervisor included."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, fields[1:9])
    return (user + nice + system + irq + softirq + steal) * TICK_S
