"""The options that say what is measured and what traffic it meets, declared once for every cost command, which gets them as one
value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Any

import click

from infra.commands.live_stage import read_live_traffic
from infra.cost.traffic.file import load_traffic
from infra.cost.traffic.profile import TrafficProfile, flat_rate
from infra.cost.traffic.shape import generate_bursty_fortnight, load_shape
from infra.errors import InputError

Command = Callable[..., None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What stood on the command line, as it stood there; None: was not given."""

    scenario: Path | None
    profile: Path | None
    traffic: Path | None
    rps: float | None
    shape: str | None
    peak_rps: float | None
    stage_name: str | None = None

    @property
    def has_traffic(self) -> bool:
        return any(each is not None for each in (self.traffic, self.rps, self.shape, self.peak_rps))

    def measured(self) -> Path:
        """The profile; `InputError` where none was given."""
        if self.profile is None:
            raise InputError("give --profile, written by `crossover measure`, or --scenario")
        return self.profile

    def read_traffic(self) -> TrafficProfile:
        """The one that was given; `InputError` where none was, or several."""
        if sum(given is not None for given in (self.traffic, self.rps, self.shape)) != 1:
            raise InputError("traffic: give exactly one of --rps, --traffic and --shape")
        if self.shape is not None:
            return generate_bursty_fortnight(load_shape(self.shape), peak_rps=self.peak_rps)
        if self.rps is not None:
            if self.peak_rps is not None:
                raise InputError("--peak-rps: a steady rate has no peak to scale; use --rps alone")
            return flat_rate(self.rps)
        assert self.traffic is not None
        path = self.traffic
        profile = read_live_traffic(str(path)) if str(path).startswith("cloudwatch:") else load_traffic(path)
        return profile if self.peak_rps is None else profile.scaled_to_peak(self.peak_rps)


OPTIONS = (
    click.option("--scenario", type=click.Path(path_type=Path), help="A file with workload, traffic, stage, objective."),
    click.option("--profile", type=click.Path(path_type=Path), help="Profile written by `crossover measure`."),
    click.option("--traffic", type=click.Path(path_type=Path), help="CSV series, access log (.gz, folder), cloudwatch:STAGE."),
    click.option("--rps", type=float, help="One steady rate, in searches a second."),
    click.option("--shape", help="A shape shipped with the kit (fortnight), or a file like it."),
    click.option("--peak-rps", type=float, help="Scale the traffic so that its highest step is this rate."),
)
STAGE = click.option("--stage", "stage_name", help="A stage of stages.toml: its settings.  [default: the kit's own defaults]")


def traffic_options(command: Command) -> Command:
    """`--scenario`, or `--profile` with one of `--traffic`, `--rps`, `--shape`; the command gets them as `given`."""
    return _gathered(command, OPTIONS)


def scenario_options(command: Command) -> Command:
    """`traffic_options` and `--stage`."""
    return _gathered(command, (*OPTIONS, STAGE))


def _gathered(command: Command, declared: Sequence[Callable[[Command], Command]]) -> Command:
    @wraps(command)
    def gathered(**options: Any) -> None:
        command(given=Given(**{each.name: options.pop(each.name, None) for each in fields(Given)}), **options)

    made: Command = gathered
    for option in reversed(declared):
        made = option(made)
    return made
