"""Starts the suppliers' simulator (`crossover simulator`) as a process of the lab's own."""

from __future__ import annotations

import sys
from pathlib import Path

from infra.lab.processes import Child, minimal_environment, spawn
from infra.wheels import ROOT


async def start_suppliers(log: Path, *, seed: int, latency: str, port: int = 0) -> tuple[Child, str]:
    """The process and its URL. Raises `KitError` with the end of its log where it does not start."""
    command = [sys.executable, "-m", "infra.cli", "simulator", "--port", str(port), "--seed", str(seed), "--latency", latency]
    child = await spawn(command, env=minimal_environment({"PYTHONPATH": str(ROOT)}), cwd=ROOT, log=log, read_stdout=True)
    return child, (await child.first_line(20)).removeprefix("listening on ")
