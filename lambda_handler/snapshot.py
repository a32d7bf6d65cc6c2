"""SnapStart: what an environment restored from a snapshot of INIT must not share with the others that were restored from it.

All of them continue with one memory. `random` would give each of them the same numbers, and with them the same ids of spans
and the same jitter; the loop's clock has moved on while nothing ran. Nothing else needs care: no connection is opened before
the first search, TLS and `uuid4` take their randomness from the kernel, and the kernel's event queue is in the snapshot too.
"""

from __future__ import annotations

import os
import random

SNAP_START = "snap-start"


def taken() -> bool:
    """Whether Lambda is going to snapshot this environment once it has initialised."""
    return os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == SNAP_START


def prepare() -> None:
    """Have `restored` called after each restore, by AWS's runtime client or ours. Does nothing without SnapStart."""
    if taken():
        from snapshot_restore_py import register_after_restore  # AWS puts it beside the bundle

        register_after_restore(restored)


def restored() -> None:
    random.seed()
