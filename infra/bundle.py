"""One reproducible artifact for both lanes: the service and its locked dependencies, as a directory and as a zip.

    export the locked `service` group -> install its hashed wheels for the target -> add the service -> check and strip
    -> byte-compile -> zip with sorted names and fixed dates -> SHA-256 of the zip is the bundle's digest

A service of the user's own (`infra.own_service`) is laid over the kit's, with the wheels that it needs beside them.

Nothing about the machine or the moment gets into the bytes; the git revision stands beside the zip, in `bundle.json`.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from infra.bundle_files import is_whole, refuse_over_limit, write_tree, zip_files
from infra.errors import InputError, KitError
from infra.own_service import OwnService, source_files
from infra.wheels import PLATFORMS, ROOT, locked_files, locked_requirements, one_line, uv

DEFAULT_OUT = ROOT / "out" / "bundle"
SOURCES = ("app", "lambda_handler", "secret_values", "instance")

BUILDER = "3"
"""Changed whenever this module makes other bytes of the same sources, so that old bundles are built anew."""

PYTHONS = ("3.11", "3.12", "3.13", "3.14")

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BundleTarget:
    """What the bundle runs on: a CPython minor version and a Linux architecture (`arm64` or `x86_64`)."""

    python: str = "3.13"
    architecture: str = "arm64"

    def __post_init__(self) -> None:
        if self.python not in PYTHONS:
            raise InputError(f"python: {self.python!r} is not one of {', '.join(PYTHONS)}")
        if self.architecture not in PLATFORMS:
            raise InputError(f"architecture: {self.architecture!r} is not one of {', '.join(PLATFORMS)}")

    def __str__(self) -> str:
        return f"{self.architecture}-py{self.python}"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A built bundle. `sha256` (hex) is the digest of the zip; sizes are in bytes; `tree` holds the very files of the zip;
    `service` is the user's own that it ships, `None` for the search service."""

    tree: Path
    zip: Path
    sha256: str
    zip_bytes: int
    unzipped_bytes: int
    target: BundleTarget
    byte_compiled: bool
    git_revision: str | None
    warnings: tuple[str, ...]
    service: OwnService | None = None


def local_target() -> BundleTarget:
    """The target that runs on this machine: Python 3.13 where that interpreter is found, else the running minor version."""
    machine = platform.machine()
    architecture = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}.get(machine.lower())
    if architecture is None or sys.platform != "linux":
        raise KitError(f"no bundle can run here ({sys.platform} {machine}): the lanes are Linux on arm64 or x86_64")
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    return BundleTarget("3.13" if find_interpreter("3.13") else running, architecture)


_finding = threading.Lock()


def find_interpreter(python: str) -> Path | None:
    """An interpreter of this minor version on this machine, or `None`; never downloads one. It is looked for once a process,
    and by one thread at a time: what finds it, `sysconfig` among it, is not made for several. Not for an event loop: it may
    start processes."""
    with _finding:
        return _found(python)


@functools.cache
def _found(python: str) -> Path | None:
    if python == f"{sys.version_info.major}.{sys.version_info.minor}":
        # The interpreter itself, not the virtual environment's: a lane must not find the kit's own packages.
        return Path(getattr(sys, "_base_executable", sys.executable))
    found = subprocess.run(
        [uv(), "python", "find", "--no-python-downloads", "--no-project", python], capture_output=True, text=True, check=False
    )
    if found.returncode == 0:
        return Path(found.stdout.strip())
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))  # uv sees only the versions pyenv has activated
    installed = pyenv.glob(f"versions/{python}.*/bin/python{python}")
    return max(installed, key=lambda path: [int(n) for n in re.findall(r"\d+", path.parts[-3])], default=None)


def ensure_bundle(
    target: BundleTarget,
    *,
    service: OwnService | None = None,
    out: Path | None = None,
    progress: Progress | None = None,
) -> Bundle:
    """The bundle of the sources as they are now: the one at hand when nothing changed, else a new one."""
    return _bundle(target, service, out, progress, reuse=True)


def bundle_at_hand(target: BundleTarget, *, service: OwnService | None = None, out: Path | None = None) -> Bundle | None:
    """The bundle of the sources as they are now where it has been built, else `None`; builds nothing."""
    out = out or (DEFAULT_OUT / service.name if service else DEFAULT_OUT)
    requirements = locked_requirements("service") + (service.requirements if service else "")
    return _read(out / str(target), _fingerprint(target, requirements, service, out))


def build_bundle(
    target: BundleTarget,
    *,
    service: OwnService | None = None,
    out: Path | None = None,
    progress: Progress | None = None,
) -> Bundle:
    """Build anew, whether or not there is one at hand."""
    return _bundle(target, service, out, progress, reuse=False)


def _bundle(
    target: BundleTarget, service: OwnService | None, out: Path | None, progress: Progress | None, *, reuse: bool
) -> Bundle:
    out = out or (DEFAULT_OUT / service.name if service else DEFAULT_OUT)
    with _lock(out):
        requirements = locked_requirements("service") + (service.requirements if service else "")
        fingerprint = _fingerprint(target, requirements, service, out)
        at_hand = _read(out / str(target), fingerprint) if reuse else None
        if at_hand is None:
            at_hand = _build(target, requirements, fingerprint, out, service, progress or (lambda _: None))
        # the same bytes may have been committed since
        return replace(at_hand, git_revision=_git_revision(service), service=service)


def _build(
    target: BundleTarget, requirements: str, fingerprint: str, out: Path, service: OwnService | None, progress: Progress
) -> Bundle:
    """Builds beside the final place and renames at the end: an interrupted build leaves what was there before."""
    with tempfile.TemporaryDirectory(dir=out, prefix=".building-") as scratch:
        tree = Path(scratch) / "tree"
        progress(f"installing locked wheels for {target}")
        wheels = Path(scratch) / "wheels"
        files = locked_files(requirements, wheels, python=target.python, architecture=target.architecture)
        files |= source_files(ROOT, *SOURCES)
        if service is not None:
            files = service.laid_over(files)
        write_tree(tree, files)
        interpreter = find_interpreter(target.python)
        warnings = []
        if interpreter is not None:
            progress("byte-compiling")
            byte_compile(interpreter, tree)
            files |= {path.relative_to(tree).as_posix(): path.read_bytes() for path in tree.rglob("*.pyc")}
        else:
            warnings.append(
                f"no Python {target.python} on this machine: the bundle has no byte-code (slow cold start) and cannot run here"
            )
        unzipped = refuse_over_limit(files)
        progress("zipping")
        archive = Path(scratch) / "bundle.zip"
        digest = zip_files(files, archive)
        bundle = {
            "sha256": digest,
            "zip_bytes": archive.stat().st_size,
            "unzipped_bytes": unzipped,
            "python": target.python,
            "architecture": target.architecture,
            "byte_compiled": interpreter is not None,
            "git_revision": _git_revision(service),
            "warnings": warnings,
            "fingerprint": fingerprint,
        }
        (Path(scratch) / "bundle.json").write_text(json.dumps(bundle, indent=2) + "\n")
        final = out / str(target)
        if final.exists():
            final.rename(Path(scratch) / "replaced")
        final.mkdir()
        for name in ("tree", "bundle.zip", "bundle.json"):  # bundle.json last: without it the folder counts as nothing
            (Path(scratch) / name).rename(final / name)
    built = _read(final, fingerprint)
    assert built is not None
    return built


def _read(folder: Path, fingerprint: str) -> Bundle | None:
    try:
        stated = json.loads((folder / "bundle.json").read_bytes())
    except (OSError, ValueError):
        return None
    if stated.get("fingerprint") != fingerprint or not is_whole(folder, stated["sha256"]):
        return None
    return Bundle(
        folder / "tree",
        folder / "bundle.zip",
        stated["sha256"],
        stated["zip_bytes"],
        stated["unzipped_bytes"],
        BundleTarget(stated["python"], stated["architecture"]),
        stated["byte_compiled"],
        stated["git_revision"],
        tuple(stated["warnings"]),
    )


def byte_compile(interpreter: Path, tree: Path) -> None:
    """Unchecked-hash byte-code: valid whatever the files' dates, and never looked at again (`/var/task` is read-only)."""
    command = [os.fspath(interpreter), "-s", "-m", "compileall", "-q", "-j", "1", "--invalidation-mode", "unchecked-hash"]
    done = subprocess.run(
        [*command, "-s", os.fspath(tree), os.fspath(tree)],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONHASHSEED": "0", "PATH": os.environ.get("PATH", "")},
    )
    if done.returncode:
        raise KitError(f"byte-compiling failed: {one_line(done.stdout + done.stderr)}")


def _has_interpreter(python: str, out: Path) -> bool:
    """Whether byte-code can be made. Finding an interpreter starts many; one that was found before is there still when its
    file is."""
    found_before = out / f".python-{python}"
    with suppress(OSError):
        if os.access(found_before.read_text(), os.X_OK):
            return True
    interpreter = find_interpreter(python)
    if interpreter is not None:
        with suppress(OSError):
            found_before.write_text(str(interpreter))
    return interpreter is not None


def _fingerprint(target: BundleTarget, requirements: str, service: OwnService | None, out: Path) -> str:
    """What the bytes depend on: target, builder, locked wheels, sources, and whether byte-code can be made."""
    hashed = hashlib.sha256()
    hashed.update(f"{BUILDER}\0{target}\0{_has_interpreter(target.python, out)}\0{requirements}\0".encode())
    sources = source_files(ROOT, *SOURCES) | (service.files() if service else {})
    for name, content in sorted(sources.items()):
        hashed.update(f"{name}\0".encode() + hashlib.sha256(content).digest())
    return hashed.hexdigest()


def _git_revision(service: OwnService | None) -> str | None:
    """The commit the sources are at, with `-dirty` when the bundled ones differ from it; `None` outside a repository.
    Of a service of the user's own it is its repository's."""
    folder, sources = (service.folder, ["."]) if service else (ROOT, [*SOURCES, "uv.lock"])
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=False)
    if head.returncode:
        return None
    status = subprocess.run(
        ["git", "status", "--porcelain", "--", *sources], cwd=folder, capture_output=True, text=True, check=False
    )
    return head.stdout.strip() + ("-dirty" if status.stdout.strip() else "")


@contextmanager
def _lock(out: Path) -> Iterator[None]:
    """One build at a time; leftovers of a killed one are removed."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: bundles cannot be kept there ({error.strerror})") from None
    with (out / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for leftover in out.glob(".building-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield
