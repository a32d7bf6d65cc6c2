"""A synthesized stage with another bundle: the same zip with one more file in it, under its own digest, as any change of the
service's code makes it. Both lanes' stacks then deploy other bytes, which they verify and tell like any others."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from pathlib import Path

from infra.errors import KitError

FILE = "another.txt"
DIGEST = re.compile(r"CROSSOVER_BUNDLE_SHA256\W+([0-9a-f]{64})")


def put_another(assembly: Path) -> str:
    """Changes a cloud assembly in place; the new bundle's SHA-256 (hex). `KitError` where it deploys none."""
    templates = sorted(assembly.glob("*.template.json"))
    former = next((found[1] for path in templates if (found := DIGEST.search(path.read_text()))), None)
    asset = next((path for path in sorted(assembly.glob("asset.*.zip")) if _sha256(path) == former), None)
    if former is None or asset is None:
        raise KitError(f"{assembly}: deploys no bundle that can be changed")
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
        before = _sha256(path)
        _replace(path, changes)
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
