"""A local AWS whose minutes pass fast, as a test asks and tells it."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.config import Config

from infra.lab.aws.local_aws import LocalAws

REGION = "us-east-1"
WAIT_S = 20.0


@dataclass(frozen=True)
class FastLab:
    """`page` calls one of the lab's own pages; `client` has no retries of its own but for those asked for."""

    aws: LocalAws
    session: boto3.Session = field(default_factory=lambda: boto3.Session(region_name=REGION))  # which reads a service once

    def client(self, service: str, *, key: str = "test", attempts: int = 1, read_s: float = 5.0) -> Any:
        config = Config(retries={"mode": "standard", "total_max_attempts": attempts}, read_timeout=read_s, connect_timeout=2)
        keys = {"aws_access_key_id": key, "aws_secret_access_key": "secret"}
        return self.session.client(service, endpoint_url=self.aws.url, config=config, **keys)

    def page(self, method: str, path: str, told: Any = None) -> Any:
        body = None if told is None else json.dumps(told).encode()
        with urllib.request.urlopen(urllib.request.Request(self.aws.url + path, body, method=method), timeout=5) as answer:
            return json.load(answer)

    def refused(self, method: str, path: str, told: Any = None) -> str:
        with pytest.raises(urllib.error.HTTPError) as raised:
            self.page(method, path, told)
        assert raised.value.code == 400
        return str(json.load(raised.value)["error"])

    def minute(self) -> int:
        """The lab minute that is on, by its beginning."""
        return int(self.aws.time.now()) // 60 * 60

    def until(self, holds: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + WAIT_S
        while not holds():
            assert time.monotonic() < end, f"never: {what}\n{self.aws.log.read_text()[-2000:]}"
            time.sleep(0.02)
