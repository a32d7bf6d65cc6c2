"""The locked wheels: read from `uv.lock`, installed for a target with their hashes, and reduced to what runs.

Never a source distribution, never an unlocked version: what is not in the lock is not installed.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from infra.elf import strip_unmapped
from infra.errors import KitError

ROOT = Path(__file__).resolve().parent.parent
PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}
DROPPED_SUFFIXES = (".pyi", ".pyx", ".pxd", ".c", ".h", ".pyc", ".typed")
DROPPED_FOLDERS = frozenset({"__pycache__", "tests", "bin"})
KEPT_METADATA = ("METADATA", "LICENSE", "LICENCE", "COPYING", "NOTICE", "AUTHORS")


def uv() -> str:
    """The locked uv beside the running interpreter."""
    from uv import find_uv_bin

    try:
        return os.fspath(find_uv_bin())
    except FileNotFoundError:
        raise KitError("uv is not beside this Python: run `make setup`") from None


def locked_requirements(group: str | None) -> str:
    """A dependency group of `uv.lock` (`None`: all of them) as hashed requirements, without the project itself."""
    command = [uv(), "export", "--locked", "--offline", "--quiet", "--no-emit-project", "--no-header", "--no-annotate"]
    command += ["--all-groups"] if group is None else ["--only-group", group]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise KitError(f"uv.lock does not match pyproject.toml (run `uv lock` and commit it): {one_line(done.stderr)}")
    return done.stdout


class AlteredWheel(KitError):
    """An installed file is not the one that its wheel holds."""


def install_locked(requirements: str, into: Path, *, python: str, architecture: str | None = None, cached: bool = True) -> None:
    """Install hashed wheels (never a source distribution) for a target into a folder; `cached=False` fetches them anew."""
    command = [uv(), "pip", "install", "--quiet", "--no-config", "--require-hashes", "--no-deps", "--only-binary", ":all:"]
    command += ["--target", os.fspath(into), "--python-version", python, "--link-mode", "copy", "--no-compile-bytecode"]
    command += [] if cached else ["--no-cache"]
    if architecture is not None:
        command += ["--python-platform", PLATFORMS[architecture]]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
        listed.write(requirements)
        listed.flush()
        done = subprocess.run(
            [*command, "-r", listed.name],
            cwd=into.parent,
            capture_output=True,
            text=True,
            check=False,
            env=_clean_environment(),
        )
    if done.returncode:
        raise KitError(f"the locked wheels for Python {python} could not be installed: {one_line(done.stderr)}")


def _clean_environment() -> dict[str, str]:
    """The caller's environment without an active virtual environment, which `--target` must not look at."""
    return {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}


def locked_files(requirements: str, into: Path, *, python: str, architecture: str) -> dict[str, bytes]:
    """The files of hashed wheels, by path, installed into a folder. uv's cache does not check again what it once unpacked, and
    shares those files with virtual environments: wheels whose files another program has changed there are fetched anew."""
    install_locked(requirements, into, python=python, architecture=architecture)
    try:
        return wheel_files(into)
    except AlteredWheel:
        shutil.rmtree(into)
        install_locked(requirements, into, python=python, architecture=architecture, cached=False)
        return wheel_files(into)


def wheel_files(installed: Path) -> dict[str, bytes]:
    """The wheels' files that are needed at run time, by path: checked against the wheels' own hashes, shared objects cut.

    Licences and METADATA stay, they must travel with the code. Read at once and written anew, for on some machines an agent
    adds its certificate authority to every certificate store that it finds. Raises `AlteredWheel`.
    """
    recorded = _recorded_hashes(installed)
    kept = {}
    for path in sorted(path for path in installed.rglob("*") if path.is_file()):
        name = path.relative_to(installed).as_posix()
        if not _is_needed(name):
            continue
        content = path.read_bytes()
        if recorded.get(name, content) not in (content, hashlib.sha256(content).digest()):
            raise AlteredWheel(f"{name} is not what its wheel holds: another program has changed it; build again")
        kept[name] = strip_unmapped(content) if ".so" in path.name else content
    return kept


def _recorded_hashes(installed: Path) -> dict[str, bytes]:
    """Path -> SHA-256, as the wheels' RECORD files state them."""
    hashes = {}
    for record in installed.glob("*.dist-info/RECORD"):
        for name, stated, _ in csv.reader(record.read_text(encoding="utf-8").splitlines()):
            kind, _, value = stated.partition("=")
            if kind == "sha256":
                hashes[name] = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    return hashes


def _is_needed(name: str) -> bool:
    *folders, file = name.split("/")
    if DROPPED_FOLDERS & set(folders) or file.endswith(DROPPED_SUFFIXES) or file == ".lock":
        return False
    if folders and folders[0].endswith(".dist-info"):
        return file.upper().startswith(KEPT_METADATA) or "licenses" in folders
    return True


def one_line(text: str) -> str:
    """A program's complaint as one line, shortened."""
    joined = " ".join(text.split())
    return (joined if len(joined) <= 400 else joined[:399] + "…") or "no reason given"
