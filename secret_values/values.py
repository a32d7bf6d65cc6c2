"""What the secret must hold: a JSON object whose names are variables and whose values are text, as both lanes can set them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from secret_values.errors import SecretError

RESERVED = ("AWS_", "LAMBDA_", "LD_", "PYTHON")
"""Beginnings of variables that the lanes, the loader and the interpreter read for themselves."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NOT_TEXT = re.compile("[\0\ufeff\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""What no environment file may hold (systemd.exec(5), `EnvironmentFile=`); the last two of each further plane besides."""

_KINDS = {bool: "true or false", int: "a number", float: "a number", type(None): "null", list: "a list", dict: "an object"}


def read_values(where: str, text: object) -> dict[str, str]:
    """The values by name. Raises `SecretError` beginning with `where`; of the secret it repeats names of variables only."""
    if not isinstance(text, str):
        raise SecretError(f"{where}: is binary (SecretBinary); store a JSON object of text values as SecretString")
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise SecretError(f'{where}: is not a JSON object of text values, such as {{"RAPID_KEY": "…", "RAPID_SECRET": "…"}}')
    for place, (name, value) in enumerate(values.items(), 1):
        # The name is not repeated: a key pasted on the wrong side of the colon would stand in a log.
        if not _NAME.fullmatch(name):
            raise SecretError(f"{where}: name {place} of {len(values)} must be letters, digits and underscores, no digit first")
        if name.startswith(RESERVED):
            raise SecretError(f"{where}: {name} is not for a secret to set, as is all that begins with {', '.join(RESERVED)}")
        if not isinstance(value, str):
            raise SecretError(f'{where}: {name}: must be text in quotes, such as "8"; it is {_KINDS[type(value)]}')
        if _NOT_TEXT.search(value) or any(ord(letter) & 0xFFFE == 0xFFFE for letter in value):
            raise SecretError(
                f"{where}: {name}: holds a character that no variable can hold (NUL, a byte order mark, half a pair)"
            )
    return values


def unset_ones(values: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The values whose variable the environment does not set: what it sets wins over the secret."""
    return {name: value for name, value in values.items() if name not in environment}
