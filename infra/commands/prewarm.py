"""`crossover prewarm`: have a lane ready ahead of a switch, or let it follow its load again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from infra.commands.at_stage import connected, stage_options
from infra.errors import InputError, KitError
from infra.operating.proposal import measured
from infra.operating.stage import who
from infra.switching.need import need_of
from infra.switching.weights import LANES

if TYPE_CHECKING:
    from infra.switching.aws.control import Control

LOOK_S = 5.0


@click.command("prewarm")
@click.argument("lane", type=click.Choice(LANES))
@stage_options
@click.option("--units", type=click.IntRange(1), help="Instances or environments.  [default: for all traffic of this hour]")
@click.option("--profile", type=click.Path(path_type=Path), help="Measured profile that says what a request needs.")
@click.option("--wait-s", type=click.IntRange(0), default=900, show_default=True, help="How long to wait until they are ready.")
@click.option("--release", is_flag=True, help="Let the container lane follow its load again, from its template's minimum up.")
def command(
    lane: str,
    stage: str,
    region: str | None,
    as_json: bool,
    units: int | None,
    profile: Path | None,
    wait_s: int,
    release: bool,
) -> None:
    """Have a lane's instances or environments ready, and keep them; no traffic moves.

    A switch prewarms by itself; this is for load that is known to come. Never fewer than there are, never more than the lane
    may have. It stays so until --release or the next deployment that changes the group.

    \b
    Examples:
      crossover prewarm container --stage prod --units 12
      crossover prewarm container --stage prod --release
    """
    import msgspec

    control = connected(stage, region)
    record = control.store.load()
    if record is not None and not record.ended:
        raise KitError(f"{record.owner}'s switch is at {record.where}: it sees to its lanes by itself")
    if release:
        said = _release(control, lane)
    else:
        need = units if units is not None else _need(control, lane, profile)
        said = _raise(control, lane, need, wait_s)
    _write_down(control, said)
    if as_json:
        ready, floor = control.lanes.ready(lane), control.lanes.floor(lane)
        sys.stdout.write(msgspec.json.encode({"lane": lane, "ready": ready, "at_least": floor}).decode() + "\n")
    else:
        click.echo(f"crossover: {said}", err=True)


def _write_down(control: Control, said: str) -> None:
    """In the history too, though it is no switch."""
    from infra.switching.record import Event, Phase

    event = Event(at=control.world.clock.now(), switch="prewarm", who=who(), what=said, phase=Phase.PREWARM)
    control.store.append(event)


def _need(control: Control, lane: str, profile: Path | None) -> int:
    told = None if profile is None else measured(profile, lane)
    need = need_of(lane, 1.0, control.load(), control.machines(lane), told)
    if isinstance(need, str):
        raise KitError(f"{need}; give --profile FILE (`crossover measure`), or --units N")
    return need.units


def _raise(control: Control, lane: str, units: int, wait_s: int) -> str:
    most, clock = control.lanes.most(lane), control.world.clock
    if units > most:
        raise KitError(f"{units} were asked for, the {lane} lane may have {most}")
    control.lanes.prewarm(lane, units)
    until = clock.now() + wait_s
    while (ready := control.lanes.ready(lane) or 0) < units:
        if clock.now() >= until:
            raise KitError(f"{ready} of {units} are ready on the {lane} lane after {wait_s} s; the rest may come yet")
        clock.sleep(LOOK_S)
    return f"{ready} ready on the {lane} lane, {units} were asked for"


def _release(control: Control, lane: str) -> str:
    if lane != "container":
        raise InputError("--release: for the container lane; what Lambda keeps started is a setting of the stage")
    floor = control.template_floor()
    if floor is None:
        raise KitError("the container stack's template does not say how many instances the group has at least")
    control.lanes.release(lane, floor)
    return f"the container lane follows its load again, from {control.lanes.floor(lane)} up"
