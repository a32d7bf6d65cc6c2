"""The switcher's code: what `infra.switching.aws.switcher` imports, and the one locked wheel that it needs beside AWS's boto3.

A folder, which CDK zips; the same bytes from the same sources, so that nothing is deployed anew for nothing.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from infra.bundle import BundleTarget
from infra.errors import KitError
from infra.own_service import source_files
from infra.wheels import ROOT, locked_files, locked_requirements

FOLDERS = ("infra/settings", "infra/switching")
MODULES = ("infra/__init__.py", "infra/aws_calls.py", "infra/config.py", "infra/errors.py", "infra/sizing.py")
WHEEL = "msgspec"
HANDLER = "infra.switching.aws.switcher.handler"


def build_switcher(target: BundleTarget, out: Path | None = None) -> Path:
    """The folder for a target, made anew: a second's work."""
    out = out or ROOT / "out" / "switcher"
    out.mkdir(parents=True, exist_ok=True)
    final = out / str(target)
    with tempfile.TemporaryDirectory(dir=out, prefix=".building-") as scratch:
        wheels, tree = Path(scratch) / "wheels", Path(scratch) / "tree"
        files = locked_files(_requirement(), wheels, python=target.python, architecture=target.architecture)
        files |= source_files(ROOT, *FOLDERS) | {name: (ROOT / name).read_bytes() for name in MODULES}
        for name, content in files.items():
            path = tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o644)
        if final.exists():
            shutil.rmtree(final)
        tree.rename(final)
    return final


def _requirement() -> str:
    """The wheel's own lines of the lock, with its hashes."""
    found = re.search(rf"^{WHEEL}==[^\n]*(\n {{4}}--hash=[^\n]*)+\n", locked_requirements("service"), re.MULTILINE)
    if found is None:
        raise KitError(f"uv.lock does not lock {WHEEL} with its hashes for the service")
    return found[0]
