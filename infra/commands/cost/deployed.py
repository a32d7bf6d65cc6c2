"""Pricing a cloud assembly from the command line: the stage beside it, and what may not be given with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
from click.core import ParameterSource

from infra.config import DEFAULT_STAGE, Stage
from infra.cost.cloud_assembly.pricing import price_assembly
from infra.cost.cloud_assembly.reading import CloudAssembly, read_assembly
from infra.cost.compare import Comparison
from infra.cost.lane import CostOptions
from infra.cost.prices.file import load_price_book
from infra.cost.profile import WorkloadProfile
from infra.cost.traffic.profile import TrafficProfile
from infra.errors import InputError
from infra.stage_file import load_stage


def compare_assembly(
    path: Path,
    profile: WorkloadProfile,
    traffic: TrafficProfile,
    stage: Stage,
    options: CostOptions,
    *,
    stages: Path,
    named: bool,
) -> Comparison:
    """Price what a folder of templates deploys. `stage` is the one the reader `named`; where none was, the file of stages is
    asked for the assembly's own, and where that has none there is nothing to differ from."""
    assembly = read_assembly(path)
    beside = stage if named else _of_file(assembly, stages)
    given = beside or DEFAULT_STAGE
    book = load_price_book(assembly.region or given.region)
    if assembly.region is None:
        given = replace(given, region=book.region)
    return price_assembly(assembly, profile, traffic, book, given, options=options, say_drift=beside is not None)


def _of_file(assembly: CloudAssembly, stages: Path) -> Stage | None:
    try:
        return None if assembly.stage is None else load_stage({"stage": assembly.stage}, stages)
    except InputError:
        if stages.is_file() and _was_given("file"):
            raise
        return None


def refuse_beside_assembly() -> None:
    """What templates decide is not decided again beside them."""
    for name, option in (("changes", "--set"), ("region", "--region"), ("memory_mb", "--memory-mb")):
        if _was_given(name):
            raise InputError(
                f"{option}: stands in the templates; synthesize with it (`cdk synth -c KEY=VALUE`), or leave out --assembly"
            )


def _was_given(name: str) -> bool:
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE
