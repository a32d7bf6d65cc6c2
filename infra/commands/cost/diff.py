"""`crossover cost diff`: two reports, or two syntheses, against each other, for a pull request."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from infra.commands.cost.deployed import compare_assembly
from infra.commands.cost.traffic import Given, traffic_options
from infra.commands.printing import print_json
from infra.config import DEFAULT_STAGE
from infra.cost.cloud_assembly.changes import ResourceChange, resource_changes
from infra.cost.cloud_assembly.reading import read_assembly
from infra.cost.lane import CostOptions
from infra.cost.profile import read_profile
from infra.cost.reports.diff import compare_reports, markdown
from infra.cost.reports.file import read_report
from infra.cost.reports.report import report_document
from infra.cost.scenario import load_scenario
from infra.errors import InputError
from infra.stage_file import DEFAULT_FILE


@click.command("diff")
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("--assembly", is_flag=True, help="BEFORE and AFTER are folders of synthesized templates, not reports.")
@traffic_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of Markdown.")
def command(
    before: Path,
    after: Path,
    assembly: bool,
    given: Given,
    as_json: bool,
) -> None:
    """Say what a change costs: Markdown for a pull request's comment, from two reports or two syntheses.

    \b
    Examples:
      crossover cost report --scenario production.toml --json > after.json
      crossover cost diff before.json after.json
      crossover cost diff --assembly main/cdk.out cdk.out --profile profile.json --rps 100
    """
    differing: tuple[ResourceChange, ...] = ()
    if assembly:
        documents = _priced((before, after), given)
        differing = resource_changes(read_assembly(before), read_assembly(after))
    elif given.scenario or given.profile or given.has_traffic:
        raise InputError("workload and traffic stand in the reports; give them with --assembly only")
    else:
        documents = (read_report(before), read_report(after))
    found = compare_reports(*documents)
    if not as_json:
        click.echo(
            markdown(found, documents[1], tuple(f"`{each.id}` ({each.type}): {each.what}" for each in differing)), nl=False
        )
        return
    told: dict[str, object] = {
        each.lane: {
            "before_usd": f"{each.before:f}",
            "after_usd": f"{each.after:f}",
            "change_usd": f"{each.usd:f}",
            "lines": [
                {"name": line.name, "change_usd": f"{line.usd:f}", "why": line.why, "resources": list(line.resources)}
                for line in each.lines
            ],
        }
        for each in found
    }
    if assembly:
        told["resources"] = [{"id": each.id, "type": each.type, "what": each.what} for each in differing]
    print_json(told)


def _priced(folders: tuple[Path, Path], given: Given) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Both syntheses as reports of the same day, workload and traffic."""
    today = datetime.now(tz=UTC).date()
    if given.scenario is not None:
        if given.has_traffic:
            raise InputError("traffic: stands in the scenario; give it there, or leave out --scenario")
        read = load_scenario(given.scenario, report_date=today, profile=given.profile)
        measured, searches, options, stage = read.profile, read.traffic, read.options, read.stage
    else:
        measured, searches = read_profile(given.measured()), given.read_traffic()
        options, stage = CostOptions(report_date=today), DEFAULT_STAGE
    named = given.scenario is not None

    def report(folder: Path) -> Mapping[str, Any]:
        priced = compare_assembly(folder, measured, searches, stage, options, stages=DEFAULT_FILE, named=named)
        return report_document(priced)

    return report(folders[0]), report(folders[1])
