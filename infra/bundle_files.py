"""A bundle's files as bytes on disk: written as a tree, zipped with sorted names and fixed dates, and whole still or not."""

from __future__ import annotations

import hashlib
import stat
import zipfile
import zlib
from pathlib import Path

from infra.errors import KitError

PROGRAMS = frozenset({"lambda_handler/start"})
"""Files that are run, not imported: Lambda starts this one as a wrapper script."""

LAMBDA_UNZIPPED_LIMIT = 250 * 1024 * 1024
"""AWS Lambda quota: deployment package, unzipped, layers included."""


def write_tree(tree: Path, files: dict[str, bytes]) -> None:
    """`files` are contents by their path in the tree, with forward slashes."""
    for name, content in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(_mode(name))


def _mode(name: str) -> int:
    return 0o755 if name in PROGRAMS else 0o644


def refuse_over_limit(files: dict[str, bytes]) -> int:
    """Their sum in bytes. Raises `KitError` where Lambda would not take them."""
    sizes: dict[str, int] = {}
    for name, content in files.items():
        top = name.partition("/")[0]
        sizes[top] = sizes.get(top, 0) + len(content)
    total = sum(sizes.values())
    if total > LAMBDA_UNZIPPED_LIMIT:
        largest = sorted(sizes, key=lambda name: -sizes[name])[:3]
        named = ", ".join(f"{name} {sizes[name] / 2**20:.0f} MB" for name in largest)
        raise KitError(f"the bundle has {total / 2**20:.0f} MB unzipped, Lambda takes at most 250; the largest: {named}")
    return total


def zip_files(files: dict[str, bytes], archive: Path) -> str:
    """Zip with sorted names, one date and fixed permissions; returns the SHA-256 (hex) of the zip."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as zipped:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = (stat.S_IFREG | _mode(name)) << 16
            entry.create_system = 3
            entry.compress_type = zipfile.ZIP_DEFLATED
            zipped.writestr(entry, files[name], compresslevel=9)
    return _sha256(archive)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_whole(folder: Path, sha256: str) -> bool:
    """Whether the zip has its digest still and the tree holds the zip's very files: what was edited by hand is built anew.
    Certificate stores may differ, for an agent of the machine may have added its own authority."""
    try:
        if _sha256(folder / "bundle.zip") != sha256:
            return False
        with zipfile.ZipFile(folder / "bundle.zip") as archive:
            zipped = {entry.filename: entry.CRC for entry in archive.infolist()}
        files = {path.relative_to(folder / "tree").as_posix(): path for path in _files(folder / "tree")}
        return zipped.keys() == files.keys() and all(
            zlib.crc32(files[name].read_bytes()) == crc for name, crc in zipped.items() if not name.endswith(".pem")
        )
    except (OSError, zipfile.BadZipFile):
        return False


def _files(tree: Path) -> list[Path]:
    return sorted((path for path in tree.rglob("*") if path.is_file()), key=lambda path: path.relative_to(tree).as_posix())
