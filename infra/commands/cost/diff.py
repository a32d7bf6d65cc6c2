"""`crossover cost diff`: two reports against each other, for a pull request."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from infra.cost.report_diff import compare_reports, markdown, read_report


@click.command("diff")
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of Markdown.")
def command(before: Path, after: Path, as_json: bool) -> None:
    """Say what a change costs: Markdown for a pull request's comment, from two reports.

    \b
    Examples:
      crossover cost report --scenario production.toml --json > after.json
      crossover cost diff before.json after.json
    """
    old, new = read_report(before), read_report(after)
    found = compare_reports(old, new)
    if not as_json:
        click.echo(markdown(found, new), nl=False)
        return
    document = {
        each.lane: {
            "before_usd": f"{each.before:f}",
            "after_usd": f"{each.after:f}",
            "change_usd": f"{each.usd:f}",
            "lines": [{"name": line.name, "change_usd": f"{line.usd:f}", "why": line.why} for line in each.lines],
        }
        for each in found
    }
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
