"""What every test may lean on: the shared reference data, and system programs, each skipped with its reason where absent."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

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
