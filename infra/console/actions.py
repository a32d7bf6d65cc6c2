"""What the buttons do. The rules are the commands' (`infra.operating`); beside them each action says what it would do first,
names the stage where it is production, and gives a reason where it forces. All of it blocks."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta, Struct

from infra.console.driving import Drives
from infra.errors import InputError, KitError
from infra.operating import orders
from infra.operating.callouts import callouts_of, warnings
from infra.operating.proposal import Proposal, beginning, document, in_the_way, needed, propose, request_of
from infra.operating.stage import must_be_named
from infra.switching.plan import DEFAULT_STEPS
from infra.switching.record import Wish
from infra.switching.weights import parse_goal, parse_weights

if TYPE_CHECKING:
    from infra.switching.aws.control import Control

KEPT, FRESH_S = 8, 600.0
"""How many plans are remembered to be carried out, and for how long."""
LONGEST = 2_000
Text = Annotated[str, Meta(max_length=LONGEST)]


class PlanOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """`goal` as `crossover switch` takes it; `back` instead of it is `crossover rollback`. The rest are its options."""

    goal: Text = ""
    back: bool = False
    steps: Text | None = None
    bake_s: float | None = None
    limits: tuple[Text, ...] = ()
    units: Annotated[int, Meta(ge=1)] | None = None
    standby: Annotated[int, Meta(ge=0)] | None = None
    quiet_s: float = 120.0
    allow_version_skew: bool = False
    smoke_path: Text | None = None
    gates: tuple[Text, ...] = ()
    hooks: tuple[Text, ...] = ()
    notify: tuple[Text, ...] = ()


class BeginOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """`proposal` is a plan's number. `reason` says why what is against it is gone over."""

    proposal: Text
    why: Text = ""
    typed: Text = ""
    force: bool = False
    reason: Text = ""


class WishOrder(Struct, frozen=True, forbid_unknown_fields=True):
    typed: Text = ""
    take_over: bool = False
    over_gate: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    control: Control
    proposal: Proposal
    default_why: str
    left_out: tuple[str, ...]
    made: float


class Actions:
    """`connect` is asked for each action, as each command does. `profile` is what `--profile` is to `crossover switch`."""

    def __init__(
        self,
        stage: str,
        connect: Callable[[], Control],
        drives: Drives,
        *,
        profile: Path | None = None,
        moment: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stage, self._connect, self._drives, self._profile, self._moment = stage, connect, drives, profile, moment
        self._kept: dict[str, Kept] = {}
        self._lock = threading.Lock()

    def plan(self, order: PlanOrder) -> dict[str, Any]:
        """Reads only. The answer's `proposal` is what `begin` takes; None where there is nothing to do."""
        steps = order.steps or ("100" if order.back else ",".join(map(str, DEFAULT_STEPS)))
        given = {
            "steps": steps,
            "limits": order.limits,
            "bake_s": order.bake_s,
            "units": order.units,
            "profile": self._profile,
            "standby": order.standby,
            "quiet_s": order.quiet_s,
            "allow_version_skew": order.allow_version_skew,
            "smoke_path": order.smoke_path or None,
        }
        options = {"gates": order.gates, "hooks": order.hooks, "notify": order.notify}
        callouts, left_out = callouts_of(self._stage, options, gated=not order.back)
        request = replace(request_of(given), callouts=callouts)
        wanted = None if order.back else parse_goal(tuple(order.goal.split()))
        control = self._connect()
        why = ""
        if wanted is None:
            back = orders.where_back(control)
            if back is None:
                raise KitError("a switch is under way: abort it, and it goes back")
            wanted, why = back
            request = replace(request, before=orders.carried_before(control))
        proposal = propose(control, wanted, request)
        plan = needed(proposal)
        if plan is None:
            return {"proposal": None, "goal": wanted.words, **document(proposal)}
        kept = Kept(control, proposal, why, left_out, self._moment())
        return {
            "proposal": self._keep(kept),
            **_in_words(proposal),
            "warnings": [*proposal.doubts, *warnings(control, plan), *left_out],
        }

    def begin(self, order: BeginOrder) -> dict[str, Any]:
        """Carry out a plan that was shown."""
        kept = self._shown(order.proposal)
        proposal, plan = kept.proposal, kept.proposal.plan
        assert plan is not None, "only what can be begun is kept"
        against = in_the_way(proposal, force=order.force)
        if against:
            raise KitError(f"refused, no traffic was moved: {'; '.join(map(str, against))}")
        if order.force and proposal.refusals and not order.reason.strip():
            raise InputError("say why what is against it is gone over: it stands in the history")
        must_be_named(self._stage, order.typed)
        rule = kept.control.traffic.rule()
        if rule != proposal.facts.rule:
            raise KitError(f"traffic is split {rule or 'otherwise'} by now, the plan begins at {plan.start}: look at it again")
        why = order.why.strip() or kept.default_why
        if order.force and proposal.refusals:
            why = f"{why or 'no reason given'}; forced: {order.reason.strip()}"
        record = self._drives.begin(kept.control, beginning(proposal, why=why, left_out=kept.left_out))
        with self._lock:
            self._kept.pop(order.proposal, None)
        return {"said": f"switch {record.id} has begun; it goes on when this page is closed, and ends with the console"}

    def pause(self, order: WishOrder) -> dict[str, Any]:
        must_be_named(self._stage, order.typed)
        return {"said": orders.leave(self._connect(), Wish.PAUSE).words}

    def promote(self, order: WishOrder) -> dict[str, Any]:
        must_be_named(self._stage, order.typed)
        return {"said": orders.promote(self._connect(), over_gate=order.over_gate).words}

    def abort(self, order: WishOrder) -> dict[str, Any]:
        must_be_named(self._stage, order.typed)
        control, said = self._connect(), _Said()
        return self._driven(control, orders.abort(control, said), said)

    def resume(self, order: WishOrder) -> dict[str, Any]:
        must_be_named(self._stage, order.typed)
        control, said = self._connect(), _Said()
        return self._driven(control, orders.resume(control, said, take_over=order.take_over), said)

    def _driven(self, control: Control, take: orders.Take | None, said: _Said) -> dict[str, Any]:
        if take is not None:
            record = self._drives.begin(control, take)
            said.words.append(f"this console drives it from {record.where} on")
        return {"said": "; ".join(said.words)}

    def _keep(self, kept: Kept) -> str:
        with self._lock:
            while len(self._kept) >= KEPT:
                del self._kept[next(iter(self._kept))]
            number = secrets.token_hex(8)
            self._kept[number] = kept
        return number

    def _shown(self, number: str) -> Kept:
        with self._lock:
            kept = self._kept.get(number)
        if kept is None or self._moment() - kept.made > FRESH_S:
            raise KitError("that plan is too old, or of another start of the console: look at it again")
        return kept


class _Said:
    """Hears what comes of a wish."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def __call__(self, left: orders.Left) -> None:
        self.words.append(left.words)


def _in_words(proposal: Proposal) -> dict[str, Any]:
    """The plan as the page shows it: the same facts as `infra.commands.switch_plan.show` has."""
    plan = proposal.plan
    assert plan is not None
    return {
        **document(proposal),
        "start": parse_weights(plan.start).words,
        "goal": parse_weights(plan.goal).words,
        "steps": [parse_weights(step.weights).words for step in plan.steps],
        "units": "instances" if plan.rising == "container" else "environments",
        "falling": plan.falling,
        "forcible": all(each.forcible for each in proposal.refusals),
    }
