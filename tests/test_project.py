"""The tools of `make check` look at what they are meant to look at."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
MODULE = re.compile(
    r"^\s*(?:from aws_cdk import (?P<modules>aws_\w+)|from (?P<from>aws_cdk\.aws_\w+)|import (?P<import>aws_cdk\.aws_\w+))",
    re.M,
)


def test_types_of_every_cdk_module_that_is_used_are_checked() -> None:
    used = set[str]()
    for source in (ROOT / "infra").rglob("*.py"):
        for found in MODULE.finditer(source.read_text()):
            used.add(found["from"] or found["import"] or f"aws_cdk.{found['modules']}")
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["overrides"]
    (read,) = (set(each["module"]) for each in overrides if each.get("follow_imports") == "normal")
    assert used and read == used | {"aws_cdk"}
