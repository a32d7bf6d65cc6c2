"""The bundles that a lab's instances have fetched, each kept and unpacked once: disk, and memory of its shared objects, are the
same for all of them. What is fetched and whether its digest is the deployed one is the instances' own business.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.errors import KitError
from infra.lab.processes import minimal_environment, spawn

Client = Callable[[str], Any]
"""A boto3 client of the local AWS, by the service's name."""


class Bundles:
    """In `folder`, which is the lab's."""

    def __init__(self, folder: Path, client: Client) -> None:
        self._folder = folder
        self._client = client
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def fetch(self, uri: str, into: Path) -> None:
        """An S3 object as a file of the instance's own. Raises `KitError` as `aws s3 cp` fails."""
        async with self._locks[uri]:
            kept = await asyncio.to_thread(self._fetched, uri)
        await asyncio.to_thread(shutil.copyfile, kept, into)

    async def unpack(self, archive: Path, into: Path, interpreter: Path) -> tuple[int, str]:
        """As `python -m zipfile -e` does, the exit code and what it says; `into` becomes a link to what all instances share."""
        digest = hashlib.sha256(await asyncio.to_thread(archive.read_bytes)).hexdigest()
        tree = self._folder / digest
        async with self._locks[digest]:
            if not tree.exists():
                partial = tree.with_suffix(".partial")
                shutil.rmtree(partial, ignore_errors=True)  # of an attempt that failed
                command: list[str | Path] = [interpreter, "-m", "zipfile", "-e", archive, partial]
                log = self._folder / f"{digest}.log"
                child = await spawn(command, env=minimal_environment({}), cwd=self._folder, log=log)
                try:
                    code = await child.wait()
                finally:
                    await child.kill()
                if code:
                    return code, child.log_tail()
                partial.rename(tree)
        into.symlink_to(tree)  # noqa: ASYNC240 (one entry in a folder)
        return 0, ""

    def _fetched(self, uri: str) -> Path:
        from botocore.exceptions import BotoCoreError, ClientError

        parts = urlsplit(uri)
        key = parts.path.lstrip("/")
        try:
            tag: str = self._client("s3").head_object(Bucket=parts.netloc, Key=key)["ETag"]
            kept = self._folder / (tag.strip('"') + ".zip")
            if not kept.exists():
                partial = kept.with_suffix(".partial")
                self._client("s3").download_file(parts.netloc, key, str(partial))
                partial.rename(kept)
        except (BotoCoreError, ClientError) as error:
            raise KitError(f"fatal error: {error}") from None
        return kept
