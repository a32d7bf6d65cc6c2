"""Asks one of the lab's own pages: the local AWS's under `/_lab/`, or the live stage's faults."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from infra.errors import InputError, KitError

JSON = {"content-type": "application/json"}


def call(method: str, url: str, body: Mapping[str, Any] | None = None) -> Any:
    """JSON to and from one of the lab's pages; its error line is raised as `KitError`."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, method=method, headers=JSON)  # noqa: S310 - the lab's own
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        told = error.read().decode(errors="replace")
        try:
            line = json.loads(told)["error"]
        except (ValueError, KeyError, TypeError):
            line = f"HTTP {error.code} {told[:200]}"
        raise InputError(line) from None
    except OSError as error:
        raise KitError(f"the lab does not answer at {url}: {error}") from None
