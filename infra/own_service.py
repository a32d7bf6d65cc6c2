"""A service of the user's own in place of the search core: one folder, read and checked here (docs/bring-your-own-service.md).

    app/bootstrap.py   its `create_app()` returns the ASGI app
    anything else      the service's own packages and files
    service.toml       what is asked of it when it is compared and measured, and its settings
    requirements.txt   optional: the wheels it needs beside the kit's, pinned and hashed

The bundle is the kit's sources with these files laid over them: `app/bootstrap.py` is replaced, nothing else may be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from infra.documents import read_text, read_toml
from infra.errors import InputError

MANIFEST = "service.toml"
REQUIREMENTS = "requirements.txt"
REPLACED = frozenset({"app/__init__.py", "app/bootstrap.py"})
"""The kit's files that a service's own replace."""

NOT_SOURCES = (".*", "__pycache__", "*.pyc", "*.md", "*~")
"""Files beside the sources that editors, systems and Python leave there."""

RESERVED = ("CROSSOVER_", "AWS_", "LAMBDA_", "PYTHON")
"""Beginnings of variables that the lanes set themselves."""


@dataclass(frozen=True, slots=True)
class OwnService:
    """`requests` are GET paths; `environment` is set on both lanes, in the lab with `lab_environment` over it;
    `requirements` is pip's format with hashes, empty where the kit's wheels are enough."""

    folder: Path
    requests: tuple[str, ...]
    environment: Mapping[str, str]
    lab_environment: Mapping[str, str]
    requirements: str

    @property
    def name(self) -> str:
        return self.folder.name

    def files(self) -> dict[str, bytes]:
        """What the bundle gets of the folder, by path."""
        found = source_files(self.folder)
        return {name: content for name, content in found.items() if name != MANIFEST and not name.startswith("requirements.")}

    def laid_over(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """`files` (the kit's and the wheels') with the service's over them; `InputError` where it would replace others."""
        own = self.files()
        for name in sorted(own.keys() & files.keys() - REPLACED):
            raise InputError(f"{self.folder / name}: the bundle has a file of that name; use a package of your own beside app/")
        return {**files, **own}


def source_files(root: Path, *folders: str) -> dict[str, bytes]:
    """The files of `root` (or of these folders in it) by path, without what editors and Python leave beside them."""
    found = {}
    for path in sorted(path for folder in folders or (".",) for path in (root / folder).rglob("*") if path.is_file()):
        parts = path.relative_to(root).parts
        if not any(fnmatch(part, pattern) for part in parts for pattern in NOT_SOURCES):
            found["/".join(parts)] = path.read_bytes()
    return found


def load_service(folder: Path) -> OwnService:
    """Read a service's folder. Raises `InputError` naming the file, what is wrong with it, and what would be right."""
    folder = folder.resolve()
    if not (folder / "app" / "bootstrap.py").is_file():
        raise InputError(f"{folder}: holds no app/bootstrap.py, whose create_app() returns the ASGI app")
    path = folder / MANIFEST
    stated = read_toml(path, besides="; it names the requests to measure with")
    known = ("requests", "environment", "lab_environment")
    for key in stated.keys() - set(known):
        raise InputError(f"{path}: {key!r} is not known; known: {', '.join(known)}")
    return OwnService(
        folder,
        _requests(path, stated.get("requests")),
        _environment(path, "environment", stated.get("environment", {})),
        _environment(path, "lab_environment", stated.get("lab_environment", {})),
        _requirements(folder / REQUIREMENTS),
    )


def _requests(path: Path, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise InputError(f'{path}: requests: must list at least one path to GET, as ["/quote?symbol=ACME"]')
    for each in value:
        if not isinstance(each, str) or not re.fullmatch(r"/[!-~]*", each):
            raise InputError(f"{path}: requests: {each!r} must be a path that begins with / and is percent-encoded")
    return tuple(value)


def _environment(path: Path, table: str, value: Any) -> dict[str, str]:
    """Text that systemd's EnvironmentFile= and Lambda both take as it stands."""
    right: tuple[tuple[Callable[[str, Any], bool], str], ...] = (
        (lambda name, _: re.fullmatch(r"[A-Za-z][A-Za-z0-9_]+", name) is not None, "is not a variable's name"),
        (lambda name, _: not name.startswith(RESERVED), f"is the lanes' own, as is all that begins with {', '.join(RESERVED)}"),
        (lambda _, text: isinstance(text, str), 'must be text in quotes, as "8"'),
        (lambda _, text: re.fullmatch(r"[ -~]*", text) is not None, "must be printable ASCII on one line"),
        (lambda _, text: not re.search(r"[\"'\\]|^ | $", text), "must hold no quote or backslash, nor a space at an end"),
    )
    if not isinstance(value, dict):
        raise InputError(f"{path}: {table}: must be a table of variables")
    for name, text in value.items():
        for holds, reason in right:
            if not holds(name, text):
                raise InputError(f"{path}: {table}.{name}: {reason}")
    return dict(value)


def _requirements(path: Path) -> str:
    """Every requirement must be pinned and hashed: what is not locked is not installed."""
    if not path.exists():
        return ""
    text = read_text(path)
    for line in text.replace("\\\n", " ").splitlines():
        line = line.partition(" #")[0].strip()
        if line and not line.startswith("#") and not ("==" in line and "--hash=" in line):
            raise InputError(
                f"{path}: {line!r} is not pinned with its hashes; write it with `uv pip compile --universal --generate-hashes`"
            )
    return text
