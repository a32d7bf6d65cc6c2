"""Renders the user data of the container lane's instances: settings, then the program in boot.sh. Needs no CDK."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

HERE = Path(__file__).parent
READY_TIMEOUT_S = 120
# Longer than the service's own graceful stop (app/serving/), so that systemd kills only what does not end by itself.
STOP_TIMEOUT_S = 35
SECRETS_PATH = "/run/crossover/secrets"
DUAL_STACK = "AWS_USE_DUALSTACK_ENDPOINT"
USER_DATA_LIMIT_BYTES = 16_384  # before base64 (Amazon EC2 documentation, "User data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """What one instance must know. `stack` and `group` name what CloudFormation waits for; strings may be tokens."""

    bundle_uri: str
    sha256: str
    python: str
    region: str
    stack: str
    group: str
    port: int
    workers_per_vcpu: int
    environment: Mapping[str, str]

    @property
    def reads_secret(self) -> bool:
        return "CROSSOVER_SECRET" in self.environment


def render_unit(boot: Boot) -> str:
    """The systemd unit; the number of workers is known on the instance only and comes from its environment file, which is
    read last, so that what it sets wins over the secret."""
    unit = "crossover-secrets.service"
    return Template((HERE / "crossover.service").read_text()).substitute(
        directory=f"/opt/crossover/{boot.sha256}",
        python=f"python{boot.python}",
        port=boot.port,
        stop_timeout_s=STOP_TIMEOUT_S,
        requires_secrets=f"Requires={unit}\nAfter={unit}\n" if boot.reads_secret else "",
        secrets_file=f"EnvironmentFile={SECRETS_PATH}\n" if boot.reads_secret else "",
    )


def render_secrets_unit(boot: Boot) -> str:
    """The unit that reads the secret: the service itself is kept from the metadata service and its credentials."""
    return Template((HERE / "crossover-secrets.service").read_text()).substitute(
        directory=f"/opt/crossover/{boot.sha256}",
        python=f"python{boot.python}",
        region=boot.region,
        secrets_path=SECRETS_PATH,
    )


def render_user_data(boot: Boot) -> str:
    """The whole shell program, as cloud-init runs it once, as root."""
    settings: dict[str, object] = {
        "BUNDLE_URI": boot.bundle_uri,
        "SHA256": boot.sha256,
        "PYTHON": f"python{boot.python}",
        "REGION": boot.region,
        "STACK": boot.stack,
        "GROUP": boot.group,
        "PORT": boot.port,
        "WORKERS_PER_VCPU": boot.workers_per_vcpu,
        "READY_TIMEOUT_S": READY_TIMEOUT_S,
        "ENVIRONMENT": "\n".join(f"{name}={value}" for name, value in sorted(boot.environment.items())),
        "UNIT": render_unit(boot),
    }
    programs = ["boot.sh"]
    if boot.reads_secret:
        settings["SECRETS_UNIT"] = render_secrets_unit(boot)
        programs.insert(0, "secrets.sh")
    lines = [f"{name}={_quoted(value)}" for name, value in settings.items()]
    if DUAL_STACK in boot.environment:
        lines.append(f"export {DUAL_STACK}={_quoted(boot.environment[DUAL_STACK])}")  # for the AWS CLI in boot.sh
    return "\n".join(["#!/bin/bash", *lines, *((HERE / program).read_text() for program in programs)])


def _quoted(value: object) -> str:
    """Quoted for the shell. A CDK token survives: it is text that no single quote can be in."""
    return shlex.quote(str(value))
