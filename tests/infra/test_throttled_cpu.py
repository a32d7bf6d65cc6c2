"""Lambda's duration at another memory, as derived, against a process whose CPU is held to the share that the memory brings.

Lambda holds a function to its share by a quota for each 20 ms (the kernel's CFS bandwidth control). Here a child is stopped for
the rest of each 20 ms instead, which needs no rights; the share is what the clock says it ran, so a busy machine spoils little.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time

import pytest

from infra.cost.capacity import cpu_share, lambda_seconds
from tests.infra.cost.conftest import lane

PERIOD_S = 0.02
SEARCHES = 6
WAIT_S = 0.1
CHILD = f"""
import sys, time
for _ in range({SEARCHES}):
    began, cpu = time.perf_counter(), time.process_time()
    time.sleep({WAIT_S} / 2)
    while time.process_time() - cpu < 0.1:
        pass
    time.sleep({WAIT_S} / 2)
    print(time.perf_counter() - began, time.process_time() - cpu, flush=True)
"""


def throttled(share: float) -> tuple[list[tuple[float, float]], float]:
    """(seconds, CPU seconds) of each search under the share, and the share that it had."""
    with subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True) as child:
        ran = stopped = 0.0
        while child.poll() is None:
            begun = time.perf_counter()
            time.sleep(PERIOD_S * share)
            if share == 1:
                continue
            os.kill(child.pid, signal.SIGSTOP)
            held = time.perf_counter()
            time.sleep(PERIOD_S * (1 - share))
            os.kill(child.pid, signal.SIGCONT)
            ran, stopped = ran + held - begun, stopped + time.perf_counter() - held
        assert child.stdout is not None
        rows = [tuple(float(each) for each in line.split()) for line in child.stdout]
    return [(row[0], row[1]) for row in rows], ran / (ran + stopped) if stopped else 1.0


@pytest.mark.slow
@pytest.mark.parametrize("memory_mb", [1769, 884, 442])
def test_derived_duration_is_what_a_throttled_process_takes(memory_mb: int) -> None:
    rows, share = throttled(cpu_share(memory_mb))
    assert len(rows) == SEARCHES
    had = memory_mb if share == 1 else round(1769 * share)
    ratios = []
    for seconds, cpu_s in rows:
        derived = lambda_seconds(lane(cpu_ms_per_search=cpu_s * 1000, wait_ms=WAIT_S * 1000), had, 1.0)
        ratios.append(seconds / derived)
    # Other processes take CPU too, so single searches may be late; none is early by more than a period or two.
    assert min(ratios) < 1.3
    assert statistics.median(ratios) > 0.85
