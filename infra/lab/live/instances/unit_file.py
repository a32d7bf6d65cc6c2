"""Reads systemd's units, as far as the instance's go: what is run, with which environment, how it is started anew and stopped.

Their sandboxing is passed over: the lab has no users to give them. Source: systemd.service(5), systemd.exec(5),
systemd.kill(5), systemd.path(5).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.errors import KitError

DEFAULT_STOP_S = 90.0
DEFAULT_RESTART_S = 0.1
KNOWN = {"Type": ("exec", "oneshot"), "Restart": ("always", "no"), "KillMode": ("control-group",)}
"""Of these settings no other value is understood; where one is missing, the first of Type, the last of the others holds."""

_ASSIGNED = re.compile(r'^[ \t]*(\w+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\n]*))', re.MULTILINE | re.DOTALL)
_TAKEN_IN_QUOTES = re.compile(r'\\(["\\$`])')


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """`command` is as written: with absolute paths and `${NAME}`. `environment` is the unit's own, over which its
    `environment_files` go. `restart_s` is the pause before it is started anew, `None` where it is not; an exit code of
    `final_codes` is never followed by a start. `path` is what a path unit waits for."""

    name: str
    command: tuple[str, ...] = ()
    oneshot: bool = False
    directory: str = "/"
    environment: Mapping[str, str]
    environment_files: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    runtime_directories: tuple[str, ...] = ()
    restart_s: float | None = None
    final_codes: frozenset[int] = frozenset()
    stop_s: float = DEFAULT_STOP_S
    path: str | None = None


def read_unit(file: Path) -> Unit:
    """Raises `KitError` where the unit asks for something that is not known here."""
    settings = _settings(file.read_text())

    def words(name: str) -> tuple[str, ...]:
        return tuple(word for value in settings.get(name, []) for word in shlex.split(value))

    def last(name: str, otherwise: str) -> str:
        value = settings.get(name, [otherwise])[-1]
        if name in KNOWN and value not in KNOWN[name]:
            raise KitError(f"{file.name}: {name}={value} is not known to the lab, only {' and '.join(KNOWN[name])}")
        return value

    last("KillMode", "control-group")
    restarts = last("Restart", "no") == "always"
    return Unit(
        name=file.name,
        command=words("ExecStart"),
        oneshot=last("Type", "exec") == "oneshot",
        directory=last("WorkingDirectory", "/"),
        environment=dict(pair.split("=", 1) for pair in words("Environment")),
        environment_files=words("EnvironmentFile"),
        requires=words("Requires"),
        runtime_directories=words("RuntimeDirectory"),
        restart_s=float(last("RestartSec", str(DEFAULT_RESTART_S))) if restarts else None,
        final_codes=frozenset(map(int, words("RestartPreventExitStatus"))),
        stop_s=float(last("TimeoutStopSec", str(DEFAULT_STOP_S))),
        path=last("PathExists", "") or None,
    )


def _settings(text: str) -> dict[str, list[str]]:
    """Every value by its name; no name means different things in two sections of these units."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith(("#", ";")):
            found.setdefault(name.strip(), []).append(value.strip())
    return found


def read_environment_file(text: str) -> dict[str, str]:
    """`NAME=value` by line; in double quotes a value may hold line breaks, and a backslash takes four characters literally."""
    values = {}
    for found in _ASSIGNED.finditer(text):
        name, quoted, plain = found.groups()
        values[name] = _TAKEN_IN_QUOTES.sub(r"\1", quoted) if quoted is not None else re.sub(r"\\(.)", r"\1", plain.rstrip())
    return values


def put_in(word: str, environment: Mapping[str, str]) -> str:
    """`word` with each `${NAME}` replaced; nothing where there is no such variable, as systemd has it."""
    return re.sub(r"\$\{(\w+)\}", lambda found: environment.get(found[1], ""), word)
