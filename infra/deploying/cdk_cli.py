"""The CDK CLI that package.json pins, and the Node it runs on: is it there, is it right, and how it is run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from infra.errors import KitError
from infra.wheels import ROOT

OLDEST_NODE = 20
CLI = Path("node_modules") / ".bin" / "cdk"


def require_node() -> None:
    """CDK's Python library runs on Node; raises `KitError` where Node is missing or too old."""
    node = shutil.which("node")
    if node is None:
        raise KitError(f"synth and deploy need Node {OLDEST_NODE} or newer on PATH, and there is none")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = version.lstrip("v").partition(".")[0]
    if not major.isdigit() or int(major) < OLDEST_NODE:
        raise KitError(f"synth and deploy need Node {OLDEST_NODE} or newer, {node} is {version or 'not answering'}")


def pinned_version(root: Path = ROOT) -> str:
    """The CLI's version in package.json, which reads what the locked library writes."""
    version: str = json.loads((root / "package.json").read_text())["devDependencies"]["aws-cdk"]
    return version


def require_cli_version(version: str | None, root: Path = ROOT) -> None:
    """Raises `KitError` for a CLI that cannot read the assembly: of another major version, or older than the pinned one.
    `None` is no CLI at all: someone runs the app by itself."""
    pinned = pinned_version(root)
    if version is None or (_numbers(version)[:1] == _numbers(pinned)[:1] and _numbers(version) >= _numbers(pinned)):
        return
    raise KitError(
        f"the CDK CLI is {version}, and this checkout needs {pinned} or a newer 2.x: "
        "run `npx cdk` inside the checkout, after `make setup`"
    )


def installed_cli(root: Path = ROOT) -> Path:
    """The pinned CLI's program; raises `KitError` where it is not installed, or another version is."""
    package = root / "node_modules" / "aws-cdk" / "package.json"
    if not (root / CLI).exists() or not package.exists():
        raise KitError(f"the CDK CLI is not installed ({root / CLI} is missing): run `make setup`")
    require_cli_version(json.loads(package.read_text())["version"], root)
    return root / CLI


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def run_cli(arguments: Sequence[str], environment: dict[str, str] | None = None, root: Path = ROOT) -> int:
    """Run the pinned CLI in the checkout, its output straight to the terminal; returns its exit status."""
    return subprocess.run(
        [installed_cli(root), *arguments], cwd=root, env=environment or dict(os.environ), check=False
    ).returncode
