"""The instance's metadata service, version 2: a session token, kept and renewed, then what it opens.

Source: Amazon EC2 User Guide, "Use the Instance Metadata Service to access instance metadata".
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from instance.errors import MetadataError
from secret_values.credentials import METADATA_SETTING, METADATA_URL
from secret_values.endpoints import read_endpoint
from secret_values.exchange import Answer, Request, Unanswered, send

TOKEN_S = 21_600
"""The longest that a session may last."""

RENEWED_S = TOKEN_S / 2
TIMEOUT_S, LIMIT_S = 1.0, 3.0
"""For one step of an attempt, and for all attempts of one request: whoever asks comes back in a moment anyway."""


class Metadata:
    """`get` answers a path's text, `None` where the service says that there is none."""

    def __init__(
        self, url: str, *, clock: Callable[[], float] = time.monotonic, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._url = url.rstrip("/")
        self._clock = clock
        self._pause = pause
        self._token = ""
        self._token_until = 0.0

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Metadata:
        return cls(read_endpoint(METADATA_SETTING, environment.get(METADATA_SETTING) or METADATA_URL))

    def get(self, path: str) -> str | None:
        """`path` is below `/latest/meta-data/`. Raises `MetadataError`."""
        answer = self._ask(path)
        if answer.status == 401:  # the session has ended before its time, as after a hibernation
            self._token_until = 0.0
            answer = self._ask(path)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise MetadataError(f"the metadata service answered {path} with {answer.status}")
        return answer.body.decode("utf-8", "replace").strip()

    def instance_id(self) -> str:
        found = self.get("instance-id")
        if not found:
            raise MetadataError("the metadata service does not know this instance's id")
        return found

    def group(self) -> str | None:
        """The name of the autoscaling group that launched this instance; `None` where there is none, or where the launch
        template does not let instances read their tags (InstanceMetadataTags)."""
        return self.get("tags/instance/aws:autoscaling:groupName") or None

    def _ask(self, path: str) -> Answer:
        if self._clock() >= self._token_until:
            self._renew()
        return self._send(Request("GET", f"{self._url}/latest/meta-data/{path}", {"X-aws-ec2-metadata-token": self._token}))

    def _renew(self) -> None:
        headers = {"X-aws-ec2-metadata-token-ttl-seconds": str(TOKEN_S)}
        answer = self._send(Request("PUT", f"{self._url}/latest/api/token", headers))
        token = answer.body.decode("latin-1").strip()
        if answer.status != 200 or not (token.isascii() and token.isprintable() and token):
            raise MetadataError(f"the metadata service gave no session token (status {answer.status})")
        self._token, self._token_until = token, self._clock() + RENEWED_S

    def _send(self, request: Request) -> Answer:
        try:
            return send(lambda: request, timeout_s=TIMEOUT_S, limit_s=LIMIT_S, pause=self._pause)
        except Unanswered as error:
            raise MetadataError(f"the metadata service at {self._url} cannot be asked: {error}") from None
