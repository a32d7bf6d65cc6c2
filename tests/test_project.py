"""The tools of `make check` look at what they are meant to look at."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
MADE = {"node_modules", "out", "cdk.out"}
MODULE = re.compile(r"^\s*(?:from aws_cdk import (?P<modules>aws_\w+)|(?:from|import) (?P<module>aws_cdk\.\w+))", re.M)


@pytest.fixture(scope="module")
def mypy() -> dict[str, Any]:
    settings: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    return settings


def test_types_are_checked_wherever_there_is_python(mypy: dict[str, Any]) -> None:
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "." and path.name not in MADE}
    assert {name for name in folders if any((ROOT / name).rglob("*.py"))} == set(mypy["packages"])


def test_types_of_every_cdk_module_that_is_used_are_checked(mypy: dict[str, Any]) -> None:
    used = {
        found["module"] or f"aws_cdk.{found['modules']}"
        for package in mypy["packages"]
        for source in (ROOT / package).rglob("*.py")
        for found in MODULE.finditer(source.read_text())
    }
    (read,) = (set(each["module"]) for each in mypy["overrides"] if each.get("follow_imports") == "normal")
    assert used and read == used | {"aws_cdk"}
