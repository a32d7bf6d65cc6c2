"""How a switch is asked for, whichever way, and what stands between its proposal and its beginning."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.errors import InputError, KitError
from infra.operating.orders import Take
from infra.switching.aws.proposal import Proposal, Request, propose
from infra.switching.hooks import shown
from infra.switching.need import Measured
from infra.switching.plan import Limits, Plan, check_steps
from infra.switching.preflight import Refusal
from infra.switching.record import driven_by

if TYPE_CHECKING:
    from infra.switching.driver import Driver
    from infra.switching.record import Record

__all__ = ["Proposal", "Request", "beginning", "document", "in_the_way", "measured", "needed", "propose", "request_of"]


MOST_QUIET_S = 1_800.0
"""Half of what a switch waits at most for the old lane to fall quiet (`infra.switching.transition.NEVER_QUIET_S`)."""


def in_the_way(proposal: Proposal, *, force: bool) -> list[Refusal]:
    """What keeps the switch from beginning, with or without force."""
    return [each for each in proposal.refusals if not (force and each.forcible)]


def needed(proposal: Proposal) -> Plan | None:
    """The plan, None where there is nothing to do; `KitError` where nothing moves and yet something is not right."""
    facts = proposal.facts
    if proposal.plan is None and facts.last is not None and not facts.last.ended:
        raise KitError(f"traffic is split so at this moment, and {driven_by(facts.last, facts.now)}")
    if proposal.plan is None and facts.rule != facts.parameter:
        holds = [
            f"the {name} holds {weights or 'no weights'}"
            for name, weights in (("rule", facts.rule), ("parameter", facts.parameter))
        ]
        raise KitError(f"there is nothing to move, but {' and '.join(holds)}: `crossover doctor` says how to mend it")
    return proposal.plan


def beginning(proposal: Proposal, *, why: str, left_out: tuple[str, ...] = ()) -> Take:
    """Takes the lock. Whatever was against it, and gates of the settings that were left out, stand in the record and the
    history as gone over."""
    plan = proposal.plan
    assert plan is not None, "there is nothing to begin"
    forced = (*map(str, proposal.refusals), *left_out)
    digests = (proposal.facts.digests.get("lambda"), proposal.facts.digests.get("container"))

    def take(driver: Driver) -> Record:
        return driver.begin(plan, why=why or "no reason given", digests=digests, forced=forced)

    return take


def request_of(options: dict[str, Any]) -> Request:
    """From the texts and numbers of `infra.commands.switch_plan.plan_options`, under its names."""
    try:
        steps = tuple(int(part) for part in options["steps"].split(","))
    except ValueError:
        raise InputError(f"--steps {options['steps']!r}: must be whole numbers that rise to 100, as 1,5,25,50,100") from None
    check_steps(steps)
    if not 0 <= options["quiet_s"] <= MOST_QUIET_S:
        raise InputError(f"--quiet-s {options['quiet_s']:g}: must be 0 to {MOST_QUIET_S:g} seconds")
    return Request(
        steps=steps,
        limits=_limits(options["limits"], options["bake_s"]),
        units=options["units"],
        measured=None if (path := options["profile"]) is None else lambda lane: measured(path, lane),
        standby=options["standby"],
        quiet_s=options["quiet_s"],
        allow_version_skew=options["allow_version_skew"],
        smoke_path=options["smoke_path"],
        blind=True,
    )


def _limits(given: tuple[str, ...], bake_s: float | None) -> Limits:
    values: dict[str, Any] = {}
    for text in given:
        name, _, value = text.partition("=")
        if name not in Limits.__struct_fields__:
            raise InputError(f"--limit {text!r}: must be NAME=VALUE, NAME one of {', '.join(Limits.__struct_fields__)}")
        try:
            values[name] = None if (name, value) == ("loop_lag_ms", "none") else float(value)
        except ValueError:
            raise InputError(f"--limit {text!r}: {value!r} is no number") from None
    samples = values.get("min_samples")
    if samples is not None:
        if not samples.is_integer():
            raise InputError(f"--limit min_samples={samples:g}: must be a whole number")
        values["min_samples"] = int(samples)
    if bake_s is not None:
        values["bake_s"] = bake_s
        values.setdefault("max_bake_s", max(bake_s, Limits().max_bake_s))
    return Limits(**values)


def measured(path: Path, lane: str) -> Measured:
    from infra.cost.profile import read_profile

    profile = read_profile(path)
    told = profile.container_lane if lane == "container" else profile.lambda_lane
    return Measured(cpu_ms=told.cpu_ms_per_search, wait_ms=told.wait_ms)


def document(proposal: Proposal) -> dict[str, Any]:
    """For programs. Targets as they may be shown."""
    import msgspec

    plan = None if proposal.plan is None else msgspec.to_builtins(proposal.plan)
    if plan is not None:
        plan["callouts"] |= {name: [*map(shown, plan["callouts"][name])] for name in ("gates", "hooks", "notify")}
    return {
        "plan": plan,
        "refusals": [
            {"check": each.check, "seen": each.seen, "right": each.right, "forcible": each.forcible}
            for each in proposal.refusals
        ],
        "doubts": list(proposal.doubts),
    }
