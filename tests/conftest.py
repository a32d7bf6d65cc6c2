"""What every test may lean on: the shared reference data, and system programs, each skipped with its reason where absent."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import psutil
import pytest

from infra.bundle import Bundle, ensure_bundle, local_target

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = Path(os.environ.get("CROSSOVER_SHARED_DATA", ROOT.parent / "shared" / "data"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with a slow test come first: handed out last, one of them would keep all other workers waiting."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The published specs, examples, traces and price cases that are not part of the project."""
    if not SHARED_DATA.is_dir():
        pytest.skip("reference data (CROSSOVER_SHARED_DATA) is not on this machine")
    return SHARED_DATA


CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def absent(what: str) -> NoReturn:
    """Skip the test for what this machine lacks; fail it where CI promised that."""
    if os.environ.get("CROSSOVER_CI"):
        pytest.fail(f"{what}, and this CI run promised it")
    pytest.skip(what)


def require_program(name: str) -> str:
    """Path of a system program, else the test is skipped or failed (`absent`)."""
    return shutil.which(name) or absent(f"{name} is not installed")


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def local_bundle() -> Bundle:
    """The bundle of the sources as they are, for this machine."""
    return ensure_bundle(local_target())


@pytest.fixture
def simulator_url() -> Iterator[str]:
    """A simulator process of its own, answering after 2 ms."""
    with _simulator() as url:
        yield url


@pytest.fixture(scope="session")
def shared_simulator_url() -> Iterator[str]:
    """The same for tests that change nothing in it: one for all of them."""
    with _simulator() as url:
        yield url


@contextmanager
def _simulator() -> Iterator[str]:
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
