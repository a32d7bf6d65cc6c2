"""Drives one switch to its end: look, decide, write the record, then do the one thing.

The record is written before each mutation and each mutation may be done twice, so a driver that dies between any two lines
leaves a record from which the next one goes on. The lease says that somebody is at it; a record whose lease has run out may be
taken over, and the former driver finds out at its next write, before it changes anything else.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from msgspec.structs import replace

from infra.errors import KitError, UnknownState
from infra.switching.hooks import Happened, happenings
from infra.switching.moves import Action, Look, Move, Prewarm, Release, ScaleDown, Seen, Write
from infra.switching.observe import World, look, unless_unreachable
from infra.switching.plan import Plan
from infra.switching.ports import Store, Superseded, Unreachable
from infra.switching.record import Event, Phase, Record, Wish, attended, driven_by
from infra.switching.telling import LAST_WORDS_S, Telling, begun_with
from infra.switching.transition import advance

LEASE_S = 90.0
"""Longer than the longest stretch without a write: a look, a pause, and the retries of one call."""
GIVE_UP_S = 600.0
"""How long the record cannot be written before the driver stops and says that the state is unknown to it."""
STALE_S = 30.0
"""A move that could not be written for so long is decided anew: lanes change in less."""
TRIES = 20
"""Of writing into a record whose driver writes every few seconds."""


class Busy(KitError):
    """Somebody else is switching this stage."""


class Driver:
    """`owner` names who drives, each process by another name. `say` hears what goes wrong on the way, `tell` each event of the
    history, `watch` each look. One driver drives one switch."""

    def __init__(
        self,
        world: World,
        *,
        owner: str,
        say: Callable[[str], None] = lambda text: None,
        tell: Callable[[Event], None] = lambda event: None,
        watch: Callable[[Record, Seen], None] = lambda record, seen: None,
    ) -> None:
        self._world, self._owner, self._say, self._watch = world, owner, say, watch
        self._telling = Telling(world, owner=owner, say=say, hear=tell)
        self._unwritten_since: float | None = None

    def begin(
        self, plan: Plan, *, why: str, digests: tuple[str | None, str | None] = (None, None), forced: tuple[str, ...] = ()
    ) -> Record:
        """Take the lock with a new record; `Busy` where a switch has not ended."""
        before = self._world.store.load()
        if before is not None and not before.ended:
            raise Busy(self._who(before))
        now = self._world.clock.now()
        record = Record(
            id=uuid.uuid4().hex[:12],
            plan=plan,
            phase=Phase.PREWARM,
            owner=self._owner,
            why=why,
            started=now,
            since=now,
            forced=forced,
            digests=digests,
            lease_until=now + LEASE_S,
            version=0 if before is None else before.version,
        )
        record = self._first(record)
        steps = ", ".join(step.weights for step in plan.steps)
        over = f"; FORCED over {'; '.join(forced)}" if forced else ""
        said = f"switch from {plan.start} to {plan.goal} by {steps} (lambda:container): {why}{over}"
        self._telling.event(record, said, begun=begun_with(record))
        self._telling.call_out(Happened.BEGUN, record, said)
        return record

    def _first(self, record: Record) -> Record:
        """The lock, once it is known to be ours: a record nobody knows of would hold everybody off until its lease ends."""
        clock = self._world.clock
        began = clock.now()
        while True:
            try:
                return self._world.store.save(record)
            except Superseded:
                stored = self._world.store.load()
                if stored is not None and stored.id == record.id:
                    return stored
                raise Busy(self._who(stored)) from None
            except Unreachable as error:
                if clock.now() - began > STALE_S:
                    raise UnknownState(
                        f"whether the switch has begun is not known ({error}); it has moved no traffic: see `crossover status`"
                    ) from None
                clock.sleep(1.0)

    def take_over(self, *, force: bool = False, quiet: bool = False) -> Record:
        """The unfinished record as ours; `Busy` where its lease still runs, unless forced. `quiet`: nobody is notified."""
        for _ in range(TRIES):
            record = self._world.store.load()
            if record is None or record.ended:
                raise KitError("there is no unfinished switch")
            now = self._world.clock.now()
            if record.owner != self._owner and record.lease_until > now and not force:
                raise Busy(self._who(record))
            mine = replace(attended(record, now), owner=self._owner, lease_until=now + LEASE_S)
            try:
                taken = self._world.store.save(mine)
            except Superseded:
                continue  # its driver wrote at the same time, or somebody left a wish
            alone_s = taken.unattended_s - record.unattended_s
            alone = f"; nobody drove it for {alone_s:.0f} s" if alone_s else ""
            said = f"resumed by {self._owner} at {taken.where}{alone}"
            self._telling.event(taken, said)
            if record.owner != self._owner and not quiet:
                self._telling.call_out(Happened.TAKEN_OVER, taken, said)
            return taken
        raise KitError("the record changes too often to take it over; try again")

    def run(self, record: Record) -> Record:
        """To the end: done, rolled back or refused. `UnknownState` where the record cannot be written for long,
        `Superseded` where somebody else took over."""
        hooks = self._world.hooks
        try:
            record = self._run(record)
            hooks.close(LAST_WORDS_S)
            self._telling.failures(record)
        finally:
            hooks.close(0.0)
        return record

    def _run(self, record: Record) -> Record:
        looked = self._world.clock.now()
        while not record.ended:
            record = self._with_wish(record)
            now = self._world.clock.now()
            driven = attended(record, now)  # after a laptop's sleep its limits are not long over
            if driven is record and record.wish is Wish.PAUSE:  # nor after a pause
                driven = replace(record, unattended_s=record.unattended_s + now - looked)
            looked = now
            seen = look(self._world, driven)
            self._watch(driven, seen)
            move = advance(driven, seen)
            written = self._write(record, move)
            if written is None:
                continue  # what was decided is not so any more: look anew
            before, record = record, written
            if move.say:
                self._telling.event(record, move.say, move)
            for happened in happenings(before, record):
                at = before if happened is Happened.STEP_DONE else record
                self._telling.call_out(happened, at, move.say, move)
            self._telling.failures(record)
            # A laptop that slept since the write may have been taken over: it looks anew before it changes anything.
            if not record.ended and self._world.clock.now() < record.lease_until:
                self._do(move.action)
        return record

    def let_go(self) -> Record | None:
        """Leave the lease, for whoever resumes it; the record as it stands. None where it is not ours, or cannot be reached."""
        try:
            record = self._world.store.load()
            if record is None or record.ended or record.owner != self._owner:
                return None
            return self._world.store.save(replace(record, lease_until=self._world.clock.now()))
        except KitError:
            return None

    def _with_wish(self, record: Record) -> Record:
        """What an operator has asked for meanwhile stands in the store; everything else there must be ours."""
        stored = unless_unreachable(self._world.store.load)
        if stored is None:
            return record
        if stored.id != record.id or stored.owner != self._owner:
            raise Superseded(f"{self._who(stored)}; this driver stops")
        return stored if stored.version >= record.version else record

    def _write(self, record: Record, move: Move) -> Record | None:
        """Written before anything is done, renewing the lease; an unreachable store is asked again until it answers. None where
        an operator's wish came between, or so long passed that the move rests on figures of another time."""
        clock = self._world.clock
        began = clock.now()
        while clock.now() - began <= STALE_S:
            moved = replace(move.record, version=record.version, lease_until=clock.now() + LEASE_S)
            try:
                written = self._world.store.save(moved)
                self._unwritten_since = None
                return written
            except Unreachable as error:
                self._not_written(record, error)
                clock.sleep(1.0)
            except Superseded:
                pass  # by whom, and what of it, the record says
            try:
                stored = self._world.store.load()
            except Unreachable as error:
                self._not_written(record, error)
                clock.sleep(1.0)
                continue
            if stored is None or stored.id != record.id or stored.owner != self._owner:
                raise Superseded(f"{self._who(stored)}; this driver stops")
            if stored.version > record.version:
                return stored if _same(stored, moved) else None  # written after all, or a wish
        return None

    def _not_written(self, record: Record, error: Unreachable) -> None:
        """`UnknownState` where it has been so for long."""
        now = self._world.clock.now()
        self._unwritten_since = now if self._unwritten_since is None else self._unwritten_since
        if now - self._unwritten_since > GIVE_UP_S:
            raise UnknownState(
                f"the switch's record cannot be written ({error}); it stands at {record.where}: "
                "`crossover resume` goes on from there"
            ) from None

    def _do(self, action: Action) -> None:
        """One thing. What fails is tried again at the next look, which sees that it is not so."""
        world = self._world
        try:
            if isinstance(action, Write):
                world.traffic.write(action.weights)
            elif isinstance(action, Prewarm):
                world.lanes.prewarm(action.lane, action.units)
                world.clock.sleep(Look().after_s)
            elif isinstance(action, ScaleDown):
                world.lanes.scale_down(action.lane, action.units)
            elif isinstance(action, Release):
                world.lanes.release(action.lane, action.units)
            else:
                world.clock.sleep(action.after_s)
        except Unreachable as error:
            self._say(f"{error}: trying again")
            world.clock.sleep(1.0)

    def _who(self, record: Record | None) -> str:
        return driven_by(record, self._world.clock.now())


def _same(stored: Record, moved: Record) -> bool:
    """Whether it is what was to be written, whichever attempt wrote it."""
    return replace(stored, lease_until=0.0, version=0) == replace(moved, lease_until=0.0, version=0)


def wish(store: Store, asked: Wish, heed: Callable[[Record], None] = lambda record: None) -> Record:
    """Leave a wish for the running switch; written over whatever version there is. `heed` raises where it would be in vain."""
    for _ in range(TRIES):
        record = store.load()
        if record is None or record.ended:
            raise KitError("there is no unfinished switch")
        heed(record)
        try:
            return store.save(replace(record, wish=asked))
        except Superseded:
            continue  # its driver wrote at the same time
    raise KitError("the record changes too often to write into it; try again")
