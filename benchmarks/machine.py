"""The machine a figure was taken on: its processor and versions, and which cores belong to whom."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

PACKAGES = (
    "aiohttp", "fastapi", "flask", "gunicorn", "httptools", "httpx", "hypercorn", "msgspec", "quart", "requests",
    "uvicorn", "uvloop",
)  # fmt: skip


class Cores(NamedTuple):
    """`service` is for the service under test alone; `rest` for the upstream and the generator."""

    service: set[int]
    rest: set[int]

    @property
    def shared(self) -> bool:
        """One core only: the service shares it, and figures are worth less."""
        return self.service == self.rest


def split_cores() -> Cores:
    """The first core we may use for the service, the others for the rest."""
    first, *others = sorted(os.sched_getaffinity(0))
    return Cores({first}, set(others) or {first})


def describe() -> dict[str, object]:
    """Processor, kernel, load average at the start, and the versions of everything measured; `None` where absent."""
    model = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "processor": model[0] if model else platform.machine(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "load_average_1m": os.getloadavg()[0],
        "python": platform.python_version(),
        "go": go_version(),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def go_version() -> str | None:
    if shutil.which("go") is None:
        return None
    return subprocess.run(["go", "version"], capture_output=True, text=True, check=True).stdout.split()[2]


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
