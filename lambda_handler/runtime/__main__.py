"""Starts the runtime client: `python -m lambda_handler.runtime`, in place of AWS's own."""

from __future__ import annotations

import asyncio
import logging
import os
import sys

from lambda_handler import snapshot
from lambda_handler.runtime import logs
from lambda_handler.runtime.connection import Connection
from lambda_handler.runtime.errors import ERROR_TYPE, described, encoded

log = logging.getLogger("crossover.lambda")

BEFORE_SNAPSHOT, AFTER_RESTORE = "Runtime.BeforeSnapshotError", "Runtime.AfterRestoreError"


def main() -> int:
    """0 after SIGTERM; 1 when INIT failed, which Lambda has been told, or the Runtime API does."""
    address = os.environ["AWS_LAMBDA_RUNTIME_API"]
    concurrency = int(os.environ.get("AWS_LAMBDA_MAX_CONCURRENCY") or 1)
    logs.install()
    try:
        from lambda_handler.application import loop  # opens the app: this is what INIT takes
        from lambda_handler.runtime import pollers
    except Exception as error:
        asyncio.run(_tell(address, "/init/error", error))
        return 1
    if snapshot.taken() and not loop.run_until_complete(_through_snapshot(address)):
        return 1
    try:
        loop.run_until_complete(pollers.run(address, concurrency))
    except pollers.RuntimeApiFailed as error:
        log.error("%s", error)
        return 1
    return 0


async def _through_snapshot(address: str) -> bool:
    """Hooks before the snapshot, the snapshot, which `/restore/next` waits for, and hooks after each restore."""
    from snapshot_restore_py import get_after_restore, get_before_snapshot

    path, kind = "/init/error", BEFORE_SNAPSHOT
    connection = Connection(address)
    try:
        for hook, arguments, named in reversed(get_before_snapshot()):
            hook(*arguments, **named)
        await connection.get("/restore/next")
        path, kind = "/restore/error", AFTER_RESTORE
        for hook, arguments, named in get_after_restore():
            hook(*arguments, **named)
    except Exception as error:
        await _tell(address, path, error, kind)
        return False
    finally:
        connection.close()
    return True


async def _tell(address: str, path: str, error: Exception, kind: str | None = None) -> None:
    description = described(error, kind=kind)
    log.error("INIT failed: %s", error, exc_info=error)
    connection = Connection(address)
    try:
        await connection.post(path, encoded(description), f"{ERROR_TYPE}: {description['errorType']}\r\n")
    except OSError as unreachable:
        log.error("Lambda cannot be told: %s", unreachable)
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
