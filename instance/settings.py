"""What user data tells an instance: `/etc/crossover/instance.json`, and the service's environment in
`/etc/crossover/environment`; both are written at boot (infra/components/boot/render.py) and hold no secret.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from instance.errors import InstanceError
from instance.service import LOOPBACK

PATH, ENVIRONMENT_PATH = "etc/crossover/instance.json", "etc/crossover/environment"
"""Below the root folder."""

SERVICE_HOST = "CROSSOVER_SERVICE_HOST"


_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "str": (lambda value: isinstance(value, str), "text"),
    "int": (lambda value: type(value) is int, "a number"),
    "bool": (lambda value: isinstance(value, bool), "true or false"),
}
"""By the annotation of a field of `Settings`: what its value in the file must be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`sha256` (hex) names the bundle's folder. `stack` and `resource` are where CloudFormation waits for a signal.
    `environment` are lines `NAME=value` of the service's environment file."""

    sha256: str
    python: str
    region: str
    stack: str
    resource: str
    target_group: str
    boot_hook: str
    drain_hook: str
    port: int
    workers_per_vcpu: int
    cloudwatch_agent: bool
    environment: tuple[str, ...]

    @property
    def reads_secret(self) -> bool:
        return any(line.startswith("CROSSOVER_SECRET=") for line in self.environment)


def service_host(environment: Mapping[str, str]) -> str:
    """The address at which the service of this instance is asked."""
    return environment.get(SERVICE_HOST) or LOOPBACK


def read_settings(root: Path) -> Settings:
    """Raises `InstanceError` naming the file and what is wrong with it."""
    path = root / PATH
    try:
        stated = json.loads(_read(path))
    except ValueError:
        raise InstanceError(f"{path}: is not JSON") from None
    return _settings(path, stated, tuple(_read(root / ENVIRONMENT_PATH).splitlines()))


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise InstanceError(f"{path}: cannot be read ({error.strerror}); user data writes it at boot") from None


def _settings(path: Path, stated: Any, environment: tuple[str, ...]) -> Settings:
    known = {field.name: field.type for field in fields(Settings) if field.name != "environment"}
    if not isinstance(stated, dict) or stated.keys() != known.keys():
        raise InstanceError(f"{path}: must be an object of {', '.join(sorted(known))}, no more and no less")
    for name, value in stated.items():
        holds, called = _KINDS[str(known[name])]
        if not holds(value):
            raise InstanceError(f"{path}: {name}: must be {called}")
    return Settings(**stated, environment=environment)
