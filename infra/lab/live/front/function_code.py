"""One published version of a deployed function: what its environments run, read from the local AWS and unpacked once."""

from __future__ import annotations

import base64
import hashlib
import io
import urllib.request
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.bundle import find_interpreter
from infra.errors import KitError
from infra.lab.lambda_lane import runtime_folder
from infra.lab.managed_runtime import Code

EXECUTABLE = 0o755
FETCH_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Version:
    """A version's settings, which never change; `code` has the lab's additions to its variables."""

    name: str
    code: Code
    memory_mb: int
    timeout_s: float


def fetch(url: str) -> bytes:
    """What GetFunction's signed URL leads to. Raises `OSError`."""
    with urllib.request.urlopen(url, timeout=FETCH_TIMEOUT_S) as answer:  # noqa: S310 - the local AWS names it
        whole: bytes = answer.read()
    return whole


class Versions:
    """Reads versions and unpacks their code below `folder`, each zip once. `additions` are put into the environment of every
    function, over its own variables: where the lab's suppliers and its AWS are. Call it from one thread at a time."""

    def __init__(
        self, lambda_: Any, folder: Path, additions: Mapping[str, str], *, fetch: Callable[[str], bytes] = fetch
    ) -> None:
        self._lambda, self._folder, self._additions, self._fetch = lambda_, folder, additions, fetch

    def read(self, function: str, version: str) -> Version:
        """Raises `KitError` for a version that cannot run here."""
        told = self._lambda.get_function(FunctionName=function, Qualifier=version)
        settings = told["Configuration"]
        tree = self._tree(told)
        python = settings["Runtime"].removeprefix("python")
        interpreter = find_interpreter(python) if settings["Runtime"].startswith("python") else None
        if interpreter is None:
            raise KitError(f"function {function}: its runtime {settings['Runtime']} is not on this machine")
        region = settings["FunctionArn"].split(":")[3]
        managed = {
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_LAMBDA_FUNCTION_NAME": function,
            "AWS_LAMBDA_FUNCTION_VERSION": version,
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function}",
        }
        own = settings.get("Environment", {}).get("Variables", {})
        code = Code(
            tree,
            interpreter,
            {**managed, **own, **self._additions},
            runtime_folder(python, interpreter),
            settings["Handler"],
            snap_start=settings.get("SnapStart", {}).get("ApplyOn") == "PublishedVersions",
        )
        return Version(version, code, int(settings["MemorySize"]), float(settings["Timeout"]))

    def _tree(self, told: Mapping[str, Any]) -> Path:
        digest = told["Configuration"]["CodeSha256"]
        tree = self._folder / hashlib.sha256(digest.encode()).hexdigest()[:16]
        if not tree.is_dir():
            zipped = self._download(told)
            found = base64.b64encode(hashlib.sha256(zipped).digest()).decode()
            if found != digest:
                raise KitError(f"function {told['Configuration']['FunctionName']}: its code is {found}, not {digest}")
            _unpack(zipped, tree)
        return tree

    def _download(self, told: Mapping[str, Any]) -> bytes:
        name, location = told["Configuration"]["FunctionName"], told.get("Code", {}).get("Location", "")
        try:
            return self._fetch(location)
        except (OSError, ValueError) as error:
            raise KitError(f"function {name}: its code cannot be had from {location or 'nowhere'}: {error}") from None


def _unpack(zipped: bytes, into: Path) -> None:
    """Whole or not at all; what may be executed stays so, which `extractall` forgets."""
    partial = into.with_suffix(".partial")
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        archive.extractall(partial)
        for member in archive.infolist():
            if (member.external_attr >> 16) & 0o111:
                (partial / member.filename).chmod(EXECUTABLE)
    partial.rename(into)
