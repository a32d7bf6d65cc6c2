"""Reads `stages.toml`: a table of settings for every stage of a deployment. Imports no `aws_cdk`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from infra.config import DEFAULT_STAGE, Stage
from infra.documents import read_toml
from infra.errors import InputError
from infra.overrides import flat_keys, override

DEFAULT_FILE = Path("stages.toml")


def load_stage(settings: Mapping[str, object], file: Path = DEFAULT_FILE) -> Stage:
    """The stage that `settings` name (`stage`, else `dev`), with the file's values and then with the settings' own.

    Raises `InputError` naming the file, the stage and the key, for a stage that the file does not have too.
    """
    tables = _read(file)
    name = str(settings.get("stage", settings.get("name", DEFAULT_STAGE.name)))
    if name not in tables:
        raise InputError(f"{file}: no stage {name!r}; it has {', '.join(sorted(tables)) or 'none'}: add a table [{name}]")
    try:
        override({**tables[name], "name": name})
    except InputError as error:
        raise InputError(f"{file}: [{name}]: {error}") from error
    return override({**tables[name], **settings})


def _read(file: Path) -> dict[str, dict[str, object]]:
    document = read_toml(file)
    for name, table in document.items():
        if not isinstance(table, dict):
            raise InputError(f"{file}: {name}: stands outside a stage; settings go into a table, as [prod]")
    return {name: flat_keys(table) for name, table in document.items()}
