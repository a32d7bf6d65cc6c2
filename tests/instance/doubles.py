"""Stand-ins for what an instance talks to: AWS's query APIs, and a `/metrics` of several workers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from infra.components.boot.render import Boot, render_environment, render_settings
from infra.lab.metadata_service import MetadataService
from instance.settings import ENVIRONMENT_PATH, PATH, Settings, read_settings
from tests.secret_values.doubles import Asked, Told, serving

REGION = "eu-west-1"
INSTANCE = "i-0123456789abcdef0"
GROUP = "crossover-dev-container-InstanceGroup-1A2B"
TARGET_GROUP = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/crossover/0123456789abcdef"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "never-shown"}
BOOT = Boot(
    bundle_uri="s3://assets/key.zip",
    sha256="0" * 64,
    python="3.13",
    region=REGION,
    stack="crossover-dev-container",
    group="InstanceGroup",
    target_group=TARGET_GROUP,
    port=8123,
    workers_per_vcpu=2,
    environment={"CROSSOVER_LANE": "container", "CROSSOVER_SUPPLIERS_URL": "https://s.example.com/it's?a=$b"},
)
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/suppliers-AbCdEf"
WITH_SECRET = replace(BOOT, environment={**BOOT.environment, "CROSSOVER_SECRET": SECRET})
NO_ACTION = ("ValidationError", f"No active Lifecycle Action found with instance ID {INSTANCE}")


def settings_in(root: Path, boot: Boot = BOOT, **changes: Any) -> Settings:
    """The settings as user data writes them below `root`."""
    (root / PATH).parent.mkdir(parents=True, exist_ok=True)
    changed = replace(boot, **changes)
    (root / PATH).write_text(render_settings(changed))
    (root / ENVIRONMENT_PATH).write_text(f"{render_environment(changed)}\n")
    return read_settings(root)


class Call(NamedTuple):
    """A request that AWS accepted or refused; `service` is whose key signed it."""

    service: str
    action: str
    parameters: Mapping[str, str]


class Aws:
    """The query APIs: keeps every call, and answers 200 unless told to refuse an action; `on_call` is what else an
    action that is not refused does."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.refusals: dict[str, tuple[str, str]] = {}
        self.on_call: dict[str, Callable[[Mapping[str, str]], None]] = {}
        self.url = ""

    def called(self, action: str) -> list[Mapping[str, str]]:
        return [call.parameters for call in self.calls if call.action == action]

    def environment(self, metadata: MetadataService | None = None) -> dict[str, str]:
        """What a process needs to find this double, and with it the metadata service's."""
        if metadata is None:
            return {"AWS_ENDPOINT_URL": self.url, **KEYS}
        return {"AWS_ENDPOINT_URL": self.url, "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url}

    def answer(self, asked: Asked) -> Told:
        form = dict(parse_qsl(asked.body.decode(), strict_parsing=True))
        scope = re.search(r"Credential=[^/]+/\d{8}/[a-z0-9-]+/([a-z]+)/aws4_request", asked.headers["authorization"])
        assert scope is not None and asked.headers["x-amz-date"]
        action = form.pop("Action")
        self.calls.append(Call(scope[1], action, form))
        if action not in self.refusals:
            if also := self.on_call.get(action):
                also(form)
            return Told(200, f"<{action}Response/>".encode())
        code, message = self.refusals[action]
        error = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        )
        return Told(400, error.encode())


@contextmanager
def aws() -> Iterator[Aws]:
    double = Aws()
    with serving(double.answer) as server:
        double.url = server.url
        yield double
