"""The systemd units of an instance, from the templates in `systemd/`, and how the times of a drain fit into each other."""

from __future__ import annotations

from pathlib import Path
from string import Template

from instance.cloud import DUAL_STACK
from instance.settings import Settings

TEMPLATES = Path(__file__).parent / "systemd"
SECRETS_PATH = "/run/crossover/secrets"
DRAIN_FILE = "/run/crossover-agent/drain"
"""Written by the agent; systemd stops the service when it is there."""

LAME_DUCK_S = 45
"""Unready, but answering. The load balancer goes on sending for up to some 17 s after an instance was deregistered; where
deregistering fails, its health check takes 30 to 40 s to find the instance unready (three failures, 10 s apart)."""

STOP_TIMEOUT_S = 80
"""Longer than the lame-duck phase and the supervisor's own limit (app/serving/), so that systemd kills only what does not end
by itself."""

SERVICE, SECRETS, AGENT = "crossover.service", "crossover-secrets.service", "crossover-agent.service"
DRAIN_PATH, DRAIN = "crossover-drain.path", "crossover-drain.service"


def render_units(settings: Settings) -> dict[str, str]:
    """Every unit by its file's name. The number of workers is in the service's environment file, which it reads last, so that
    what it sets wins over the secret."""
    names = [SERVICE, AGENT, DRAIN_PATH, DRAIN, *([SECRETS] if settings.reads_secret else [])]
    dual_stack = [line for line in settings.environment if line.startswith(f"{DUAL_STACK}=")]
    values = {
        "directory": f"/opt/crossover/{settings.sha256}",
        "python": f"python{settings.python}",
        "region": settings.region,
        "port": settings.port,
        "lame_duck_s": LAME_DUCK_S,
        "stop_timeout_s": STOP_TIMEOUT_S,
        "secrets_path": SECRETS_PATH,
        "drain_file": DRAIN_FILE,
        "dual_stack": "".join(f"Environment={line}\n" for line in dual_stack),
        "requires_secrets": f"Requires={SECRETS}\nAfter={SECRETS}\n" if settings.reads_secret else "",
        "secrets_file": f"EnvironmentFile={SECRETS_PATH}\n" if settings.reads_secret else "",
    }
    return {name: Template((TEMPLATES / name).read_text()).substitute(values) for name in names}
