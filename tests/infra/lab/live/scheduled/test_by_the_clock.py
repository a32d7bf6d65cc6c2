"""Functions that keep lab time run in the process of the load balancer, whose loop must not wait for them."""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path

import pytest

from infra.lab.lab_time import LabTime
from infra.lab.live.front.function_code import Version
from infra.lab.live.scheduled import by_the_clock
from infra.lab.live.scheduled.by_the_clock import ByTheClock
from infra.lab.managed_runtime import Code


async def test_what_a_function_needs_is_looked_for_beside_the_loop_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []

    def runtime_folder(*_: object) -> Path:
        looked.append(threading.get_ident())
        return tmp_path

    monkeypatch.setattr(by_the_clock, "runtime_folder", runtime_folder)
    version = Version("1", Code(tmp_path, Path(sys.executable), {}, tmp_path / "py3.13"), 128, 3.0)
    function = ByTheClock(LabTime(1.0), "http://127.0.0.1:9")
    results = await asyncio.gather(*(function.run(version, b"{}") for _ in range(2)))
    await function.stop()
    assert all(each.error_type for each in results), "there is nothing to run in these folders"
    assert len(looked) == 1 and looked[0] != threading.get_ident()
