"""What a command prints for a program to read."""

from __future__ import annotations

import sys

from infra.documents import json_bytes


def print_json(document: object) -> None:
    sys.stdout.buffer.write(json_bytes(document))
