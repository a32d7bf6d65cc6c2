"""Who is asked and who is told while traffic moves: gates, hooks and notifications of a switch.

The words are those of progressive delivery tools: a *gate* must pass before traffic is increased (Flagger's
`confirm-traffic-increase`), a *hook* is called after a step and never counts (`post-rollout`).
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from urllib.parse import urlsplit

from infra.settings.setting import Checks, setting

SLACK_HOST = "hooks.slack.com"
TARGETS = (
    "an http:// or https:// URL, env:NAME (a variable that holds one), secret:NAME (a secret that does), or command:PROGRAM …"
)
NAMES = {"env": r"[A-Za-z_][A-Za-z0-9_]*", "secret": r"[A-Za-z0-9/_+=.@:-]{1,600}"}
MOST_TIMEOUT_S = 45
"""Well within a driver's lease (`infra.switching.driver.LEASE_S`), which is renewed after each answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a callout leads. `kind` is `url`, `env`, `secret` or `command`; `value` the URL, the name or the command line.
    `slack`: the body is Slack's."""

    kind: str
    value: str
    slack: bool = False

    @property
    def shown(self) -> str:
        """For people and logs: an incoming webhook's URL is itself the secret, and a command's arguments may hold one."""
        if self.kind == "url":
            return shown_url(self.value)
        if self.kind == "command":
            words = shlex.split(self.value)
            return f"command:{words[0]}{' …' if words[1:] else ''}"
        return f"{self.kind}:{self.value}"


def shown_url(url: str) -> str:
    """Scheme, host and port: what follows, and what stands before the host, may be secret."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{'/…' if parts.path.strip('/') or parts.query else ''}"


def target_of(text: str) -> Target:
    """`slack:` before a target asks for Slack's form of message, which a URL at hooks.slack.com gets by itself. ValueError for
    what is none of `TARGETS`."""
    slack, rest = text.startswith("slack:"), text.removeprefix("slack:")
    kind, _, value = rest.partition(":")
    if kind in ("http", "https"):
        parts = urlsplit(rest)
        host = parts.hostname if re.fullmatch(r"https?://[^\s/]+\S*", rest) and parts.port != 0 else None
        if host:
            return Target(kind="url", value=rest, slack=slack or host == SLACK_HOST)
    elif kind in NAMES and re.fullmatch(NAMES[kind], value):
        return Target(kind=kind, value=value, slack=slack)
    elif kind == "command" and not slack and _words(value):
        return Target(kind=kind, value=value)
    raise ValueError(text)


def is_target(text: str) -> bool:
    try:
        target_of(text)
    except ValueError:
        return False
    return True


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:  # a quote that is not closed
        return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """What `crossover switch` asks and tells (docs/operate.md#gates-hooks-and-notifications)."""

    gates: tuple[str, ...] = setting(
        (),
        "comma-separated, asked before each step, which waits until all say yes: "
        "[operate.md](operate.md#gates-hooks-and-notifications)",
    )
    hooks: tuple[str, ...] = setting((), "comma-separated, called after each step and at the end; never hold anything up")
    notify: tuple[str, ...] = setting(
        (), "comma-separated, told what a switch does; `slack:env:NAME` for Slack with its URL in that variable"
    )
    hook_timeout_s: int = setting(10, "when a call of a gate, a hook or a notification is given up")
    gate_hold_s: int = setting(600, "how long a gate may hold a step; then back, or refused where nothing was moved")

    scheduled: bool = setting(
        False,
        "a function of the stage's own that makes the switches of `crossover schedule`: [operate.md](operate.md#schedules)",
    )

    def checks(self) -> Checks:
        lists = {"gates": self.gates, "hooks": self.hooks, "notify": self.notify}
        return (
            *(
                (is_target(text), f"switch.{name}: {_shown(text)} must be {TARGETS}")
                for name, targets in lists.items()
                for text in targets
            ),
            (1 <= self.hook_timeout_s <= MOST_TIMEOUT_S, f"switch.hook_timeout_s: must be 1 to {MOST_TIMEOUT_S}"),
            (1 <= self.gate_hold_s <= 86_400, "switch.gate_hold_s: must be 1 to 86400"),
        )


def _shown(text: str) -> str:
    """Of what is no target only the beginning: it may be a secret."""
    return repr(text if len(text) <= 12 else f"{text[:12]}…")
