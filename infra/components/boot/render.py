"""Renders the user data of the container lane's instances: settings, then the program in boot.sh. Needs no CDK.

The settings and the environment are what `instance/settings.py` reads on the instance; a test holds the two together.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
DUAL_STACK = "AWS_USE_DUALSTACK_ENDPOINT"
USER_DATA_LIMIT_BYTES = 16_384  # before base64 (Amazon EC2 documentation, "User data")
BOOT_HOOK = "boot"
"""The group's hook that holds a launching instance back until it serves."""

DRAIN_HOOK = "drain"
"""The group's hook that holds a terminating instance until it has drained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """What one instance must know. `stack` and `group` name what CloudFormation waits for; strings may be tokens.
    `target_group` is the ARN of the group that the instance leaves when its end is announced."""

    bundle_uri: str
    sha256: str
    python: str
    region: str
    stack: str
    group: str
    target_group: str
    port: int
    workers_per_vcpu: int
    environment: Mapping[str, str]
    cloudwatch_agent: bool = False


def render_settings(boot: Boot) -> str:
    """`/etc/crossover/instance.json`. A CDK token survives in it: it is text that needs no escaping, and so is its value."""
    settings = {
        "sha256": boot.sha256,
        "python": boot.python,
        "region": boot.region,
        "stack": boot.stack,
        "resource": boot.group,
        "target_group": boot.target_group,
        "boot_hook": BOOT_HOOK,
        "drain_hook": DRAIN_HOOK,
        "port": boot.port,
        "workers_per_vcpu": boot.workers_per_vcpu,
        "cloudwatch_agent": boot.cloudwatch_agent,
    }
    return json.dumps(settings, indent=1)


def render_environment(boot: Boot) -> str:
    """`/etc/crossover/environment`, the service's, to which the boot program adds the number of workers."""
    return "\n".join(f"{name}={value}" for name, value in sorted(boot.environment.items()))


def render_user_data(boot: Boot) -> str:
    """The whole shell program, as cloud-init runs it once, as root."""
    settings = {
        "BUNDLE_URI": boot.bundle_uri,
        "SHA256": boot.sha256,
        "PYTHON": f"python{boot.python}",
        "REGION": boot.region,
        "STACK": boot.stack,
        "GROUP": boot.group,
        "HOOK": BOOT_HOOK,
        "SETTINGS": render_settings(boot),
        "ENVIRONMENT": render_environment(boot),
    }
    lines = [f"{name}={_quoted(value)}" for name, value in settings.items()]
    if DUAL_STACK in boot.environment:
        lines.append(f"export {DUAL_STACK}={_quoted(boot.environment[DUAL_STACK])}")  # for the AWS CLI in boot.sh
    return "\n".join(["#!/bin/bash", *lines, (HERE / "boot.sh").read_text()])


def _quoted(value: str) -> str:
    """Quoted for the shell. A CDK token survives: it is text that no single quote can be in."""
    return shlex.quote(value)
