"""The options that say what is measured and what traffic it meets, the same of every cost command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from infra.commands.live_stage import read_live_traffic
from infra.cost.traffic.file import load_traffic
from infra.cost.traffic.profile import TrafficProfile, flat_rate
from infra.cost.traffic.shape import generate_bursty_fortnight, load_shape
from infra.errors import InputError

Command = TypeVar("Command", bound=Callable[..., Any])

OPTIONS = (
    click.option("--scenario", type=click.Path(path_type=Path), help="A file with workload, traffic, stage, objective."),
    click.option("--profile", type=click.Path(path_type=Path), help="Profile written by `crossover measure`."),
    click.option("--traffic", type=click.Path(path_type=Path), help="CSV series, access log (.gz, folder), cloudwatch:STAGE."),
    click.option("--rps", type=float, help="One steady rate, in searches a second."),
    click.option("--shape", help="A shape shipped with the kit (fortnight), or a file like it."),
    click.option("--peak-rps", type=float, help="Scale the traffic so that its highest step is this rate."),
)


def traffic_options(command: Command) -> Command:
    """`--scenario`, or `--profile` with one of `--traffic`, `--rps`, `--shape`; for `read_traffic`."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def read_traffic(path: Path | None, rps: float | None, shape: str | None, peak_rps: float | None) -> TrafficProfile:
    """The one that was given; `InputError` where none was, or several."""
    if sum(given is not None for given in (path, rps, shape)) != 1:
        raise InputError("traffic: give exactly one of --rps, --traffic and --shape")
    if shape is not None:
        return generate_bursty_fortnight(load_shape(shape), peak_rps=peak_rps)
    if rps is not None:
        if peak_rps is not None:
            raise InputError("--peak-rps: a steady rate has no peak to scale; use --rps alone")
        return flat_rate(rps)
    assert path is not None
    profile = read_live_traffic(str(path)) if str(path).startswith("cloudwatch:") else load_traffic(path)
    return profile if peak_rps is None else profile.scaled_to_peak(peak_rps)
