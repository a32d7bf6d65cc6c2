"""Which gates, hooks and notifications a switch has: those of the stage's settings, unless others are named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.config import Stage
from infra.errors import InputError
from infra.operating.stage import settings_of
from infra.settings.switching import TARGETS, is_target, target_of
from infra.switching.hooks import shown
from infra.switching.plan import Callouts, Plan

if TYPE_CHECKING:
    from infra.switching.aws.control import Control

NONE = "none"


def callouts_of(stage: str, options: dict[str, Any], *, gated: bool = True) -> tuple[Callouts, tuple[str, ...]]:
    """The callouts, and what an option leaves out that the settings ask for. Without `gated` the settings' gates do not
    count: the way back is open. `InputError` for what is no target."""
    given = {name: _given(name, options[name]) for name in ("gates", "hooks", "notify")}
    settings = settings_of(stage)
    told = (settings or Stage()).switch
    standing = told.gates if gated else ()
    left_out = tuple(
        f"gates: {shown(gate)} left out" for gate in standing if given["gates"] is not None and gate not in given["gates"]
    )
    callouts = Callouts(
        gates=standing if given["gates"] is None else given["gates"],
        hooks=told.hooks if given["hooks"] is None else given["hooks"],
        notify=told.notify if given["notify"] is None else given["notify"],
        timeout_s=float(told.hook_timeout_s),
        hold_s=float(told.gate_hold_s),
        runbooks=(settings or Stage()).watch.runbooks_url,
    )
    return callouts, left_out


def _given(name: str, targets: tuple[str, ...]) -> tuple[str, ...] | None:
    """None where the option was not given, which leaves it to the settings."""
    if not targets:
        return None
    if targets == (NONE,):
        return ()
    option = {"gates": "--gate", "hooks": "--hook"}.get(name, "--notify")
    for target in targets:
        if not is_target(target):
            raise InputError(f"{option} {target[:12]!r}: must be {TARGETS}, or none alone")
    return targets


def warnings(control: Control, plan: Plan) -> list[str]:
    """What is told to nobody, and secrets that stand where they should not; neither is in the switch's way."""
    callouts = plan.callouts
    said = [f"{problem}; it will not be told" for problem in control.hooks.problems((*callouts.hooks, *callouts.notify))]
    for target in (*callouts.gates, *callouts.hooks, *callouts.notify):
        found = target_of(target)
        if found.kind == "url" and found.slack:
            said.append(
                f"{found.shown} is an incoming webhook's URL, which is a secret, and stands in plain text in the switch's "
                "record: say slack:env:NAME or slack:secret:NAME"
            )
    return said
