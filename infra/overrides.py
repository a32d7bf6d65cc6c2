"""Turns `key=value` settings, as a deployment gives them on its command line, into a validated `Stage`.

Keys are the fields of `infra.config.Stage`, nested ones dotted: `region`, `lambda_lane.memory_mb`. `stage` and
`arch` are accepted for `name` and `architecture`. Imports no `aws_cdk`.
"""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.config import DEFAULT_STAGE, INSTANCE_TYPES, Stage
from infra.errors import InputError

ALIASES = {"stage": "name", "arch": "architecture"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One key that a deployment may set; `about` says what it means."""

    key: str
    kind: Any
    about: str


def settable(owner: type[Any] = Stage, prefix: str = "") -> dict[str, Setting]:
    """Every key a deployment may set, in the order of the stage's fields."""
    keys: dict[str, Setting] = {}
    hints = typing.get_type_hints(owner)
    for field in dataclasses.fields(owner):
        kind, key = hints[field.name], prefix + field.name
        if dataclasses.is_dataclass(kind):
            keys |= settable(typing.cast("type[Any]", kind), f"{field.name}.")
        else:
            keys[key] = Setting(key, kind, field.metadata["about"])
    return keys


def key_values(given: Iterable[str]) -> dict[str, object]:
    """`["region=eu-west-1"]` as `-c` gives it. Raises `InputError` for one without `=`."""
    pairs = [each.partition("=") for each in given]
    for key, equals, _ in pairs:
        if not equals:
            raise InputError(f"-c {key}: must be KEY=VALUE, as -c lambda_lane.memory_mb=2048")
    return {key: value for key, _, value in pairs}


def flat_keys(table: Mapping[str, Any], prefix: str = "") -> dict[str, object]:
    """Dotted keys and sub-tables alike: `{"network": {"cidr": x}}` becomes `{"network.cidr": x}`. A group may be empty; an
    empty table in the place of a value stays one, and is refused as one."""
    flat: dict[str, object] = {}
    for key, value in table.items():
        inner = isinstance(value, dict) and (value or not prefix)
        flat |= flat_keys(value, f"{prefix}{key}.") if inner else {prefix + key: value}
    return flat


def value_of(stage: Stage, key: str) -> object:
    """The stage's value of a key of `settable()`."""
    group, dot, name = key.partition(".")
    value: object = getattr(getattr(stage, group), name) if dot else getattr(stage, group)
    return value


def as_text(value: object) -> str:
    """A value as it is given on a command line."""
    if isinstance(value, tuple):
        return ",".join(value) or "none"
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def override(values: Mapping[str, object], stage: Stage = DEFAULT_STAGE) -> Stage:
    """`stage` with `values` put in; a new architecture brings its own instance types unless they are given too.

    Raises `InputError` naming the key and what would be right.
    """
    kinds = settable()
    parsed: dict[str, object] = {}
    for given, value in values.items():
        key = ALIASES.get(given, given)
        if key not in kinds:
            raise InputError(f"setting {given!r} is not known{_suggestion(given, [*kinds, *ALIASES])}")
        parsed[key] = _parse(given, value, kinds[key].kind)
    architecture = parsed.get("architecture")
    if isinstance(architecture, str) and architecture in INSTANCE_TYPES:
        parsed.setdefault("container_lane.instance_types", INSTANCE_TYPES[architecture])
    return _replace(stage, parsed)


def _replace(stage: Stage, parsed: Mapping[str, object]) -> Stage:
    own: dict[str, Any] = {}
    nested: dict[str, dict[str, Any]] = {}
    for key, value in parsed.items():
        group, dot, name = key.partition(".")
        if dot:
            nested.setdefault(group, {})[name] = value
        else:
            own[key] = value
    for group, changes in nested.items():
        own[group] = dataclasses.replace(getattr(stage, group), **changes)
    return dataclasses.replace(stage, **own)


def _parse(key: str, value: object, kind: Any) -> object:
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value).strip()
    if isinstance(kind, types.UnionType):
        if text.lower() in ("", "none"):
            return None
        kind = next(option for option in typing.get_args(kind) if option is not types.NoneType)
    if typing.get_origin(kind) is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if kind is str:
        return text
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise InputError(f"setting {key!r}: {text!r} must be true or false")
        return text.lower() == "true"
    try:
        return kind(text)
    except ValueError:
        wanted = "a whole number" if kind is int else "a number"
        raise InputError(f"setting {key!r}: {text!r} must be {wanted}") from None


def _suggestion(given: str, known: list[str]) -> str:
    near = difflib.get_close_matches(given, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else "; `crossover settings` lists them"
