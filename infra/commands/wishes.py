"""Leaves an operator's wish with a running switch, and says what will come of it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
import msgspec

from infra.commands.at_stage import who
from infra.switching.driver import wish
from infra.switching.record import Event, Record, Wish

if TYPE_CHECKING:
    from infra.switching.aws.control import Control

MEANINGS = {
    Wish.PAUSE: "holds at its step; a lane that falls sick is left all the same",
    Wish.GO_ON: "goes on",
    Wish.PROMOTE: "takes its next step now",
    Wish.ABORT: "goes back to where it started",
    Wish.OVERRULE: "goes over the gate that holds it",
}


def leave(control: Control, asked: Wish, *, as_json: bool) -> Record:
    """`KitError` where there is no unfinished switch."""
    record = wish(control.store, asked)
    said = Event(at=control.world.clock.now(), switch=record.id, who=who(), what=f"{asked} asked", phase=record.phase)
    control.store.append(said)
    driven = record.lease_until > control.world.clock.now()
    if as_json:
        told = {"switch": record.id, "wish": asked, "at": record.where, "owner": record.owner, "driven": driven}
        sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
    else:
        gone = "" if driven else f"; its driver is gone: `crossover resume --stage {control.resources.stage}`"
        click.echo(f"crossover: {record.owner}'s switch, at {record.where}, {MEANINGS[asked]}{gone}", err=True)
    return record
