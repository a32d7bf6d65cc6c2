"""What a change of a schedule is as an entry: what the lanes need, what it saves, and whom the switcher asks and tells."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from infra.errors import KitError
from infra.operating.stage import settings_of

if TYPE_CHECKING:
    from infra.switching.aws.schedules import Entry
    from infra.switching.plan import Callouts
    from infra.switching.schedule import Change, Schedule


def entry_of(schedule: Schedule, change: Change, stage: str, saved: Mapping[str, Decimal | None], source: str | None) -> Entry:
    from infra.operating.proposal import measured
    from infra.switching.aws.schedules import Entry

    told = {}
    if schedule.profile is not None and change.units is None:
        told = {
            lane: (one.cpu_ms, one.wait_ms) for lane in ("lambda", "container") for one in [measured(schedule.profile, lane)]
        }
    saves = saved[change.name]
    return Entry(
        name=change.name,
        to=change.to,
        days=change.days,
        minute=change.minute,
        steps=change.steps,
        units=change.units,
        measured=told,
        callouts=callouts_for_the_switcher(stage),
        limits=change.limits,
        smoke_path=schedule.smoke_path,
        allow_version_skew=schedule.allow_version_skew,
        saves_usd=None if saves is None else str(saves),
        saving_by=None if saves is None else source,
    )


def callouts_for_the_switcher(stage: str) -> Callouts:
    """The stage's, as far as a function can call them: it has no commands and none of an operator's variables."""
    from infra.config import Stage
    from infra.settings.switching import target_of
    from infra.switching.plan import Callouts

    settings = settings_of(stage) or Stage()
    kept: dict[str, tuple[str, ...]] = {}
    for name in ("gates", "hooks", "notify"):
        targets = getattr(settings.switch, name)
        kept[name] = tuple(each for each in targets if target_of(each).kind in ("url", "secret"))
        lost = [target_of(each).shown for each in targets if each not in kept[name]]
        if lost and name == "gates":
            raise KitError(
                f"switch.gates: {', '.join(lost)} cannot be called from the switcher, and no gate is left out: "
                "use an https:// URL or secret:NAME"
            )
        if lost:
            click.echo(f"crossover: warning: switch.{name}: {', '.join(lost)} cannot be called from the switcher", err=True)
    return Callouts(
        **kept,
        timeout_s=float(settings.switch.hook_timeout_s),
        hold_s=float(settings.switch.gate_hold_s),
        runbooks=settings.watch.runbooks_url,
    )
