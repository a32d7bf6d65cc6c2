"""`crossover cost`: what both lanes cost. `report` is what is meant where no subcommand stands."""

from __future__ import annotations

import importlib

import click

COMMANDS = {
    "report": "Price both lanes for a traffic profile and compare them.",
    "diff": "Say what a change costs, from two reports.",
    "check": "Refuse a report that is over a budget or dearer than before.",
    "actuals": "Hold the bill against the estimate, line by line, and forecast the month.",
    "simulate": "Run a year of the traffic on every lane and instance type.",
    "crossover": "Say where the cheaper lane changes, by burstiness and waiting.",
    "optimize": "Find the cheapest configuration that holds the objective.",
    "schedule": "Say which lane is cheaper hour by hour, and what a schedule or the hybrid saves.",
    "sensitivity": "Say which input moves the answer, and by how much.",
}


class CostGroup(click.Group):
    """Imports a subcommand when it is asked for; `crossover cost --profile …` is `crossover cost report --profile …`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in (*COMMANDS, "--help", "-h"):
            args = ["report", *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"infra.commands.cost.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group("cost", cls=CostGroup)
def command() -> None:
    """Price both lanes for a traffic profile and compare them.

    \b
    Examples:
      crossover cost report --profile out/demo/profile.json --rps 100
      crossover cost report --scenario examples/article.toml
      crossover cost simulate --profile out/demo/profile.json --shape fortnight --peak-rps 1000

    Without a subcommand it is `report`.
    """
