"""What every test may lean on: the shared reference data, and system programs, each skipped with its reason where absent."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra.bundle import Bundle, ensure_bundle, local_target

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = Path(os.environ.get("CROSSOVER_SHARED_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The published specs, examples, traces and price cases that are not part of the project."""
    if not SHARED_DATA.is_dir():
        pytest.skip("reference data (CROSSOVER_SHARED_DATA) is not on this machine")
    return SHARED_DATA


def require_program(name: str) -> str:
    """Path of a system program; skips the test where it is absent, fails it where CI promised to install it."""
    path = shutil.which(name)
    if path is None:
        if os.environ.get("CROSSOVER_CI"):
            pytest.fail(f"{name} is not installed, and this CI run promised it")
        pytest.skip(f"{name} is not installed")
    return path


@pytest.fixture(scope="session")
def local_bundle() -> Bundle:
    """The bundle of the sources as they are, for this machine."""
    return ensure_bundle(local_target())


@pytest.fixture
def simulator_url() -> Iterator[str]:
    """A simulator process of its own, answering after 2 ms."""
    command = [sys.executable, "-m", "infra.cli", "simulator", "--port", "0", "--latency", "fixed:2"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip().removeprefix("listening on ")
        process.terminate()


def descendants_with(marker: str) -> list[int]:
    """Processes on this machine whose environment carries this marker: what a test started, however deep."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(marker in value for value in process.environ().values()):
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found
