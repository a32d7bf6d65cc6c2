"""`crossover prewarm`: have a lane ready ahead of a switch, or let it follow its load again."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from infra.commands.at_stage import confirm, connected, stage_options
from infra.operating import prewarming
from infra.switching.weights import LANES


@click.command("prewarm")
@click.argument("lane", type=click.Choice(LANES))
@stage_options
@click.option("--units", type=click.IntRange(1), help="Instances or environments.  [default: for all traffic of this hour]")
@click.option("--profile", type=click.Path(path_type=Path), help="Measured profile that says what a request needs.")
@click.option(
    "--wait-s",
    type=click.IntRange(0),
    default=prewarming.WAIT_S,
    show_default=True,
    help="How long to wait until they are ready.",
)
@click.option("--release", is_flag=True, help="Let the container lane follow its load again, from its template's minimum up.")
@click.option("--yes", is_flag=True, help="Do not ask for the stage's name.")
def command(
    lane: str,
    stage: str,
    region: str | None,
    as_json: bool,
    units: int | None,
    profile: Path | None,
    wait_s: int,
    release: bool,
    yes: bool,
) -> None:
    """Have a lane's instances or environments ready, and keep them; no traffic moves.

    A switch prewarms by itself; this is for load that is known to come. Never fewer than there are, never more than the lane
    may have. It stays so until --release or the next deployment that changes the group.

    \b
    Examples:
      crossover prewarm container --stage prod --units 12
      crossover prewarm container --stage prod --release --yes
    """
    import msgspec

    control = connected(stage, region)
    if release:
        least = prewarming.released_floor(control, lane)
        confirm(stage, f"The {lane} lane would follow its load again, from {least} instances up.", yes=yes)
        said = prewarming.release(control, lane)
    else:
        asked = prewarming.propose(control, lane, units=units, profile=profile)
        if not as_json:
            click.echo(f"crossover: {asked.words}", err=True)
        confirm(stage, f"This asks for {asked.units} {asked.kind} ahead of load.", yes=yes)
        prewarming.begin(control, asked)
        said = prewarming.wait(control, asked, wait_s=wait_s)
    if as_json:
        ready, floor = control.lanes.ready(lane), control.lanes.floor(lane)
        sys.stdout.write(msgspec.json.encode({"lane": lane, "ready": ready, "at_least": floor}).decode() + "\n")
    else:
        click.echo(f"crossover: {said}", err=True)
