"""Child processes end with their owner, have a deadline for stopping, and are accounted for."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from infra.errors import KitError
from infra.lab.processes import Child, minimal_environment, spawn
from tests.conftest import ROOT, descendants_with

BUSY = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"


async def run(tmp_path: Path, code: str, *, read_stdout: bool = True, **env: str) -> Child:
    command = [sys.executable, "-u", "-c", code]
    return await spawn(command, env=minimal_environment(env), cwd=tmp_path, log=tmp_path / "child.log", read_stdout=read_stdout)


async def test_a_child_that_ends_at_once_gives_its_reason(tmp_path: Path) -> None:
    child = await run(tmp_path, "import sys; sys.exit('no such thing')")
    with pytest.raises(KitError, match="a process did not start: no such thing"):
        await child.first_line(10)


async def test_a_child_that_says_nothing_in_time_is_ended(tmp_path: Path) -> None:
    child = await run(tmp_path, "import time; time.sleep(60)")
    with pytest.raises(KitError, match="it said nothing"):
        await child.first_line(0.3)
    assert not child.alive


async def test_a_child_is_ended_when_waiting_for_it_is_cancelled(tmp_path: Path) -> None:
    child = await run(tmp_path, "import time; time.sleep(60)")
    waiting = asyncio.create_task(child.first_line(30))
    await asyncio.sleep(0.1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not child.alive


async def test_a_child_that_prints_a_lot_is_never_stopped_by_a_full_pipe(tmp_path: Path) -> None:
    child = await run(tmp_path, "print('ready')\nfor n in range(20_000): print('x' * 99)")
    assert await child.first_line(10) == "ready"
    assert await asyncio.wait_for(child.wait(), 20) == 0
    deadline = time.monotonic() + 5
    while child.log.stat().st_size < 2_000_000 and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    assert child.log.stat().st_size == 2_000_000
    await child.stop()


async def test_a_child_that_ignores_the_polite_signal_is_killed_at_the_deadline(tmp_path: Path) -> None:
    ignoring = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up'); time.sleep(60)"
    child = await run(tmp_path, ignoring)
    await child.first_line(10)
    started = time.monotonic()
    await child.stop(grace_s=0.3)
    assert 0.3 <= time.monotonic() - started < 5
    assert child.exit_status == -signal.SIGKILL


async def test_what_a_child_leaves_behind_is_ended_with_it(tmp_path: Path) -> None:
    code = "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    child = await run(tmp_path, code + "print(p.pid); time.sleep(60)")
    grandchild = psutil.Process(int(await child.first_line(10)))
    await child.stop()
    _, alive = await asyncio.to_thread(psutil.wait_procs, [grandchild], 5)
    assert alive == []


async def test_cpu_of_ended_descendants_is_counted(tmp_path: Path) -> None:
    code = f"import subprocess, sys, time; subprocess.run([sys.executable, '-c', {BUSY!r}]); print('done'); time.sleep(60)"
    child = await run(tmp_path, code)
    await child.first_line(20)
    assert child.cpu_seconds() >= 0.3
    await child.kill()
    assert child.cpu_seconds() >= 0.3


async def test_a_child_killed_by_someone_else_keeps_the_last_reading(tmp_path: Path) -> None:
    child = await run(tmp_path, BUSY + "\nprint('done'); time.sleep(60)")
    await child.first_line(20)
    peak = child.observe()
    os.kill(child.pid, signal.SIGKILL)
    assert await child.wait() == -signal.SIGKILL
    assert child.cpu_seconds() >= 0.3
    assert peak is not None and child.observe() == peak > 3
    await child.stop()


async def test_nothing_of_the_callers_environment_gets_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    child = await run(tmp_path, "import os; print(sorted(os.environ))", OWN="1")
    assert "SECRET" not in (line := await child.first_line(10))
    assert "'OWN'" in line
    await child.stop()


PARENT = """
import asyncio, sys, tempfile
from pathlib import Path
from infra.lab.processes import minimal_environment, spawn

async def main():
    folder = Path(tempfile.gettempdir())
    code = "import time; print('up', flush=True); time.sleep(60)"
    env = minimal_environment({"MARKER": sys.argv[1]})
    child = await spawn([sys.executable, "-c", code], env=env, cwd=folder, log=Path(sys.argv[2]), read_stdout=True)
    print(await child.first_line(20), flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_a_child_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    marker = f"processes-{os.getpid()}"
    command = [sys.executable, "-c", PARENT, marker, str(tmp_path / "log")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "up\n"
        assert descendants_with(marker)
        parent.kill()
    deadline = time.monotonic() + 5
    while descendants_with(marker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert descendants_with(marker) == []
