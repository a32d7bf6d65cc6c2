"""How much of a lane a rate of requests needs: the arithmetic that the cost model prices and a switch prepares for.

Means only: queueing within a second is not simulated. Imports nothing of the kit, so that cost and switching can share it.
"""

from __future__ import annotations

import math

FULL_VCPU_MB = 1_769
"""Memory at which a function has one vCPU (AWS Lambda documentation)."""


def cpu_share(memory_mb: int) -> float:
    """Share of one vCPU that a single-threaded handler gets: memory / 1,769 MB, and never more than one."""
    return min(1.0, memory_mb / FULL_VCPU_MB)


def seconds_on_lambda(*, cpu_ms: float, wait_ms: float, memory_mb: int, cpu_scale: float = 1.0) -> float:
    """Billed seconds of one request: CPU stretched by the CPU share, waiting as it is, and half of the
    millisecond to which Lambda rounds up."""
    return (cpu_ms * cpu_scale / cpu_share(memory_mb) + wait_ms + 0.5) / 1000


def environments(rps: float, seconds: float) -> float:
    """Environments at work at once, by Little's law: rate × duration."""
    return rps * seconds


def rps_per_instance(*, cpu_ms: float, vcpu: int, workers_per_vcpu: int, utilization: float, cpu_scale: float = 1.0) -> float:
    """Requests a second that one instance serves at that share of its CPU; a worker uses at most one vCPU."""
    return min(vcpu, vcpu * workers_per_vcpu) * utilization / (cpu_ms * cpu_scale / 1000)


def instances(rps: float, per_instance: float) -> int:
    """Whole instances for a rate, none for no rate."""
    return math.ceil(rps / per_instance - 1e-9)
