"""Where a callout leads, and what of it may be shown."""

from __future__ import annotations

import pytest

from infra.errors import InputError
from infra.overrides import override
from infra.settings.switching import target_of


@pytest.mark.parametrize(
    ("text", "kind", "slack", "shown"),
    [
        ("https://hooks.slack.com/services/T0/B0/x", "url", True, "https://hooks.slack.com/…"),
        ("https://anna:pw@h.example:8443/x?token=y", "url", False, "https://h.example:8443/…"),
        ("http://127.0.0.1:9000", "url", False, "http://127.0.0.1:9000"),
        ("slack:https://chat.example.com/hooks/x", "url", True, "https://chat.example.com/…"),
        ("env:GATE_URL", "env", False, "env:GATE_URL"),
        ("slack:secret:crossover/slack", "secret", True, "secret:crossover/slack"),
        ("command:./gate --token abc", "command", False, "command:./gate …"),
        ("command:./gate", "command", False, "command:./gate"),
    ],
)
def test_targets_are_told_apart_and_show_no_secret(text: str, kind: str, slack: bool, shown: str) -> None:
    target = target_of(text)
    assert (target.kind, target.slack, target.shown) == (kind, slack, shown)


@pytest.mark.parametrize(
    "text",
    [
        "htps://x",
        "https://",
        "http://[::1",
        "env:",
        "env:A B",
        "secret:",
        "command:",
        'command:"a',
        "slack:command:a",
        "./gate",
    ],
)
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the text may be a secret
        target_of(text)
    with pytest.raises(InputError, match=r"switch\.gates: .* must be an http:// or https:// URL, env:NAME"):
        override({"switch.gates": text})


def test_lists_come_from_one_setting() -> None:
    stage = override({"switch.gates": "env:A,command:./b c", "switch.notify": ["slack:env:S"], "switch.gate_hold_s": "60"})
    assert (stage.switch.gates, stage.switch.notify) == (("env:A", "command:./b c"), ("slack:env:S",))
    for wrong in ({"switch.hook_timeout_s": "46"}, {"switch.gate_hold_s": "0"}):
        with pytest.raises(InputError, match="must be 1 to"):
            override(wrong)
