"""What the buttons do. The rules are the commands' (`infra.operating`); beside them each action says what it would do first,
has a production stage named where the command has, and gives a reason where it forces. All of it blocks."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.console.driving import HERE, Drives
from infra.console.readying import Readying
from infra.console.sent import BeginOrder, PlanOrder, PrewarmOrder, PromoteOrder, ScheduleOrder, WishOrder
from infra.errors import InputError, KitError
from infra.operating import orders, prewarming, scheduled
from infra.operating.callouts import callouts_of, warnings
from infra.operating.proposal import Proposal, beginning, document, in_the_way, needed, propose, request_of
from infra.operating.stage import must_be_named
from infra.switching.plan import DEFAULT_STEPS
from infra.switching.record import Wish
from infra.switching.weights import UNITS, parse_goal, parse_weights

if TYPE_CHECKING:
    from infra.switching.aws.control import Control

KEPT, FRESH_S = 8, 600.0
"""How many plans are remembered to be carried out, and for how long."""


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
        readying: Readying | None = None,
        *,
        profile: Path | None = None,
        moment: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stage, self._connect, self._drives, self._profile, self._moment = stage, connect, drives, profile, moment
        self._readying = readying or Readying()
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
        return {"said": orders.leave(self._connect(), Wish.PAUSE).words}

    def promote(self, order: PromoteOrder) -> dict[str, Any]:
        must_be_named(self._stage, order.typed)
        return {"said": orders.promote(self._connect(), step=order.step, over_gate=order.over_gate).words}

    def abort(self, order: WishOrder) -> dict[str, Any]:
        control = self._connect()
        left, here = self._drives.go_back(control)
        if not left.driven:
            return {"said": left.words}
        mine = "" if here else "; should it be gone, this console goes back itself when its lease ends"
        return {"said": left.words + mine}

    def resume(self, order: WishOrder) -> dict[str, Any]:
        control, said = self._connect(), _Said()
        take = orders.resume(control, said, here=HERE, take_over=order.take_over, awaits=False)
        if take is not None:
            record = self._drives.begin(control, take)
            said.words.append(f"this console drives it from {record.where} on")
        return {"said": "; ".join(said.words)}

    def look_at_prewarm(self, order: PrewarmOrder) -> dict[str, Any]:
        """What a prewarm would change, or the release of one. Reads only."""
        control = self._connect()
        if order.release:
            floor = prewarming.released_floor(control, order.lane)
            return {"lane": order.lane, "release": True, "floor": control.lanes.floor(order.lane), "released": floor}
        asked = prewarming.propose(control, order.lane, units=order.units, profile=self._profile)
        told = {"kind": asked.kind, "why": asked.why, "ready": asked.ready, "floor": asked.floor, "most": asked.most}
        return {"lane": asked.lane, "release": False, "units": asked.units, "words": asked.words, **told}

    def prewarm(self, order: PrewarmOrder) -> dict[str, Any]:
        must_be_named(self._stage, order.typed)
        control = self._connect()
        if order.release:
            return {"said": self._readying.release(control, order.lane)}
        if order.units is None:
            raise InputError("units: say how many, as the look before it said")
        asked = prewarming.propose(control, order.lane, units=order.units)
        self._readying.begin(control, asked, order.wait_s)
        return {"said": f"{asked.words}; the page shows how many are ready, for {order.wait_s:g} s at most"}

    def schedule(self, order: ScheduleOrder) -> dict[str, Any]:
        """`crossover schedule pause` and `resume`."""
        schedules = self._connect().schedules()
        if schedules is None:
            raise KitError(f"{self._stage} has no scheduled switches: deploy it with switch.scheduled=true first")
        said: list[str] = []
        scheduled.set_states(schedules, order.names, on=order.on, told=said.append)
        return {"said": "; ".join(said) or f"all are {'resumed' if order.on else 'paused'} already"}

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
        "units": UNITS[plan.rising],
        "falling": plan.falling,
        "forcible": all(each.forcible for each in proposal.refusals),
    }
