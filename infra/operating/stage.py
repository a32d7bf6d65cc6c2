"""Who asks, which stage is production, and what stages.toml says of it."""

from __future__ import annotations

import getpass
import os
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import InputError, KitError

if TYPE_CHECKING:
    from infra.config import Stage


def settings_of(stage: str) -> Stage | None:
    """As stages.toml has them; None for a stage that is not in that file, or was deployed without it."""
    from infra.stage_file import DEFAULT_FILE, load_stage

    if not Path(DEFAULT_FILE).exists():
        return None
    try:
        return load_stage({"stage": stage})
    except InputError:
        return None


def asked_weights(stage: str) -> str | None:
    """The weights that stages.toml asks for, which doctor holds against those that were deployed."""
    settings = settings_of(stage)
    return f"{settings.traffic.lambda_weight}:{settings.traffic.container_weight}" if settings else None


def who() -> str:
    """Who drives, each process by a name of its own."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "somebody"
    return f"{user}@{socket.gethostname()}:{os.getpid()}"


def is_stage_name(stage: str) -> bool:
    """As `infra.config.Stage` asks of a name; names of stacks are made of it."""
    return re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,31}", stage) is not None


def is_production(stage: str) -> bool:
    return stage.lower().startswith("prod")


def must_be_named(stage: str, typed: str) -> None:
    """`KitError` where what was typed is not the name of a production stage."""
    if is_production(stage) and typed.strip() != stage:
        raise KitError(f"that is not {stage!r}: nothing was changed")
