"""Values as a file that systemd's `EnvironmentFile=` reads back to the letter (systemd.exec(5)), readable by its owner only.

A POSIX shell reads it too: `set -a; . FILE`.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from secret_values.errors import SecretError

_ESCAPED = re.compile(r'["\\$`]')
"""In double quotes a backslash takes these, and these only, literally; line breaks stand for themselves."""


def render(values: Mapping[str, str]) -> str:
    """One `NAME="value"` after the other. Values are as `values.read_values` lets them through."""
    return "".join('{}="{}"\n'.format(name, _ESCAPED.sub(r"\\\g<0>", value)) for name, value in values.items())


def write(path: Path, values: Mapping[str, str]) -> None:
    """Write the file, mode 0600, whole or not at all; what was there before stays until then. Raises `SecretError`."""
    made: str | None = None
    try:
        descriptor, made = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # 0600, whatever the umask
        with os.fdopen(descriptor, "wb") as file:
            file.write(render(values).encode())
        Path(made).replace(path)
    except OSError as error:
        if made is not None:
            Path(made).unlink(missing_ok=True)
        raise SecretError(f"{path}: cannot be written ({error.strerror})") from None
