"""A synthesized stage as a change of the service's code and of the load balancer makes it, without synthesizing it anew: the
bundle is the same zip with one more file in it, under its own digest, which also names the function's version; the load
balancer has another idle timeout. Both lanes' stacks then deploy other bytes, which they verify and tell like any others."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import zipfile
from pathlib import Path

from infra.errors import KitError

FILE = "another.txt"
DIGEST = re.compile(r"CROSSOVER_BUNDLE_SHA256\W+([0-9a-f]{64})")
VERSION = re.compile(r"\w+CurrentVersion[0-9A-F]{8}([0-9a-f]{32})")
"""The CDK ends a version's logical id with a digest of what the function is: another id is another version."""
IDLE_TIMEOUT = re.compile(r'"idle_timeout\.timeout_seconds",\s*"Value": "\d+"')
IDLE_TIMEOUT_S = 55


def digest_of(assembly: Path) -> str:
    """The SHA-256 (hex) of the bundle that a cloud assembly deploys. `KitError` where it deploys none."""
    for path in sorted(assembly.glob("*.template.json")):
        if found := DIGEST.search(path.read_text()):
            return found[1]
    raise KitError(f"{assembly}: deploys no bundle")


def another(assembly: Path) -> Path:
    """The changed one, beside it; made once."""
    made = assembly.with_name(f"{assembly.name}.another")
    if not made.exists():
        shutil.copytree(assembly, made)
        put_another(made)
    return made


def put_another(assembly: Path) -> str:
    """Changes a cloud assembly in place; the new bundle's SHA-256 (hex). `KitError` where it deploys none."""
    templates, former = sorted(assembly.glob("*.template.json")), digest_of(assembly)
    asset = next((path for path in sorted(assembly.glob("asset.*.zip")) if _sha256(path) == former), None)
    if asset is None:
        raise KitError(f"{assembly}: has no asset of the bundle that it deploys")
    key = asset.name.split(".")[1]
    made = assembly / "another.zip"
    made.write_bytes(asset.read_bytes())
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr(zipfile.ZipInfo(FILE, date_time=(1980, 1, 1, 0, 0, 0)), former)
    digest = _sha256(made)
    asset.unlink()
    made.rename(assembly / f"asset.{digest}.zip")
    changes = {former: digest, key: digest}
    for path in templates:
        before, text = _sha256(path), path.read_text()
        told = {
            found[0]: f'"idle_timeout.timeout_seconds", "Value": "{IDLE_TIMEOUT_S}"' for found in IDLE_TIMEOUT.finditer(text)
        }
        versions = {found[1]: digest[: len(found[1])] for found in VERSION.finditer(text)}
        _replace(path, {**changes, **told, **versions})
        changes[before] = _sha256(path)  # a template is an asset too, known by its own digest
    for path in (*sorted(assembly.glob("*.assets.json")), assembly / "manifest.json"):
        _replace(path, changes)
        json.loads(path.read_text())
    return digest


def _replace(path: Path, changes: dict[str, str]) -> None:
    text = path.read_text()
    for old, new in changes.items():
        text = text.replace(old, new)
    path.write_text(text)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
