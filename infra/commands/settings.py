"""`crossover settings`: every key that a deployment may set, with a stage's value, its default and its meaning."""

from __future__ import annotations

from pathlib import Path

import click
from rich import box
from rich.markup import escape
from rich.table import Table

from infra.commands.printing import print_json, wide_console
from infra.config import DEFAULT_STAGE, Stage
from infra.overrides import as_text, settable, value_of
from infra.stage_file import DEFAULT_FILE, load_stage


@click.command("settings")
@click.option("--stage", "name", help="A stage of the file.  [default: the kit's own defaults alone]")
@click.option("--stages", "file", type=click.Path(path_type=Path), default=DEFAULT_FILE, show_default=True, help="The file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("--markdown", is_flag=True, help="Print the table of docs/settings.md.")
def command(name: str | None, file: Path, as_json: bool, markdown: bool) -> None:
    """List every key that a deployment may set, with its value and its meaning.

    \b
    A key stands in stages.toml in the stage's table, or on the command line of the CDK:
      npx cdk deploy --all -c stage=prod -c lambda_lane.memory_mb=2048

    \b
    Examples:
      crossover settings
      crossover settings --stage prod
      crossover settings --stage prod --json
    """
    if markdown:
        click.echo(settings_table(), nl=False)
        return
    stage = DEFAULT_STAGE if name is None else load_stage({"stage": name}, file)
    if as_json:
        print_json(_document(stage))
    else:
        _print(stage)


def settings_table() -> str:
    """The table of docs/settings.md."""
    rows = [f"| `{key}` | `{as_text(value_of(DEFAULT_STAGE, key))}` | {each.about} |" for key, each in settable().items()]
    return "\n".join(["| key | default | meaning |", "|---|---|---|", *rows]) + "\n"


def _document(stage: Stage) -> dict[str, dict[str, object]]:
    return {
        key: {"value": value_of(stage, key), "default": value_of(DEFAULT_STAGE, key), "about": each.about}
        for key, each in settable().items()
    }


def _print(stage: Stage) -> None:
    table = Table(box=box.SIMPLE_HEAD, title=f"Settings of stage {stage.name}", title_justify="left")
    for column in ("key", "value", "meaning"):
        table.add_column(column, no_wrap=column == "key")
    for key, each in settable().items():
        value = as_text(value_of(stage, key))
        changed = value != as_text(value_of(DEFAULT_STAGE, key))
        table.add_row(key, f"[bold]{escape(value)}[/bold]" if changed else escape(value), escape(each.about))
    wide_console().print(table)
