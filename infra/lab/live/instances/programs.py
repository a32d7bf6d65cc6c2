"""The system's programs on an instance that cannot be the real ones here: `aws`, `dnf`, `systemctl`, and `python3.x` as far as
it unpacks the bundle. Each is a small file in the instance's `/usr/bin` that hands its arguments to the lab, and ends as told.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from infra.errors import KitError

BIN = "usr/bin"
SOCKET = "run/lab.sock"
UNPACK = "lab-unpack"

Program = Callable[[Sequence[str]], Awaitable[tuple[int, str]]]
"""Takes the arguments, gives the exit code and what it says on standard error."""

ASKING = """#!{python} -IS
import os, socket, sys
lab = socket.socket(socket.AF_UNIX)
lab.connect({socket!r})
lab.sendall("\\0".join([os.path.basename(sys.argv[0]), *sys.argv[1:]]).encode() + b"\\n")
code, _, said = lab.makefile().read().partition(" ")
if said:
    print(said, file=sys.stderr)
sys.exit(int(code or 1))
"""

PYTHON = """#!/bin/sh
# The bundle is unpacked once for all instances of the lab.
if [ "$1 $2" = "-m zipfile" ]; then exec {unpack} "$4" "$5"; fi
exec {python} "$@"
"""

log = logging.getLogger("crossover.lab")


class Programs:
    """`programs` by their names. Open from `open` to `close`."""

    def __init__(self, root: Path, python: Path, programs: Mapping[str, Program]) -> None:
        self._root = root
        self._python = python
        self._programs = programs
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        socket = self._root / SOCKET
        socket.parent.mkdir(parents=True, exist_ok=True)
        self._server = await asyncio.start_unix_server(self._answer, socket)
        for name in self._programs:
            self._write(name, ASKING.format(python=self._python, socket=str(socket)))

    def add_python(self, name: str, interpreter: Path) -> None:
        """As the package of that name does."""
        self._write(name, PYTHON.format(unpack=self._root / BIN / UNPACK, python=interpreter))

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    def _write(self, name: str, text: str) -> None:
        file = self._root / BIN / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            name, *arguments = (await reader.readline()).decode().rstrip("\n").split("\0")
            writer.write("{} {}".format(*await self._run(name, arguments)).encode())
            await writer.drain()
        except (ConnectionError, UnicodeError, ValueError):
            pass  # whoever asked has been killed meanwhile
        finally:
            writer.close()

    async def _run(self, name: str, arguments: list[str]) -> tuple[int, str]:
        try:
            return await self._programs[name](arguments)
        except KitError as error:
            return 1, str(error)
        except Exception as error:
            log.exception("%s on %s", name, self._root.name)
            return 1, f"{name}: {error}"
