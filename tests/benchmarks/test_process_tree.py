"""CPU of a process tree counts children that live and children that have ended."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from benchmarks import process_tree

BURN = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\n"
ENDED_CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BURN!r}]); print(flush=True); input()"
LIVE_CHILD = (
    f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {BURN + 'print(flush=True); input()'!r}], "
    "stdin=subprocess.PIPE, stdout=subprocess.PIPE); p.stdout.readline(); print(flush=True); input(); p.communicate(b'x')"
)


@pytest.fixture(params=[ENDED_CHILD, LIVE_CHILD], ids=["ended", "live"])
def parent(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", request.param], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.communicate(b"\n")


def test_cpu_and_memory_of_children_count(parent: subprocess.Popen[bytes]) -> None:
    assert process_tree.cpu_s(parent.pid) >= 0.28
    assert process_tree.peak_rss_mb(parent.pid) > 3
    pss = process_tree.pss_mb(parent.pid)
    assert pss is None or pss > 1


def test_a_process_that_is_gone_is_an_error_not_zero() -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    with pytest.raises(ProcessLookupError, match=str(ended.pid)):
        process_tree.cpu_s(ended.pid)
