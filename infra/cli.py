"""The `crossover` command: one subcommand a job, each in its own module of `infra.commands`, imported only when asked for."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import click

from infra.errors import InputError, KitError

COMMANDS: dict[str, str] = {
    "abort": "Have a running switch go back.",
    "audit": "Ask for known vulnerabilities of what is locked.",
    "bundle": "Build the one artifact that both lanes run.",
    "console": "Serve the watch page of a stage on this machine.",
    "cost": "Price both lanes for a traffic profile and compare them.",
    "demo": "Bundle, run, load, measure, price and compare both lanes here.",
    "deploy": "Deploy a stage, and say what is left when it fails.",
    "doctor": "Say what is not as a switch left it, and how to mend it.",
    "history": "List what switches did, when, by whom and why.",
    "lab": "Run both lanes behind a load balancer on this machine.",
    "measure": "Measure what the bundle needs on each lane.",
    "pause": "Hold a running switch at its step.",
    "plan": "Say what a switch would do, and what is against it.",
    "policy": "Print the IAM policies of deployer, operator and finance.",
    "prewarm": "Have a lane's instances or environments ready.",
    "prices": "Show the price book.",
    "promote": "Have a running switch take its next step now.",
    "resume": "Go on with a switch that is paused or has lost its driver.",
    "rollback": "Go back to where traffic was before the last switch.",
    "schedule": "Switch by the clock, with what it saves beside each change.",
    "settings": "List every key that a deployment may set.",
    "simulator": "Serve the simulated suppliers.",
    "status": "Show how traffic is split and how both lanes are.",
    "switch": "Move live traffic between the lanes, step by step.",
}

LONGEST = 4_000
"""Characters of an error that are shown."""


class LazyGroup(click.Group):
    """Lists every command without importing any, so that starting costs milliseconds."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"infra.commands.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="crossover")
def cli() -> None:
    """Run one service on AWS Lambda and on EC2, measure it, price it, compare the two.

    \b
    Examples:
      crossover demo
      crossover bundle --arch arm64 --python 3.13
      crossover cost --profile out/demo/profile.json --traffic traffic.csv

    Exit codes: 0 done, 1 refused or failed, 2 usage, 3 rolled back, 4 unknown state.
    """


def main(arguments: Sequence[str] | None = None, way: object = None) -> None:
    """Console entry point: a `KitError` becomes one line on standard error and its exit code.

    `way` is another way to a deployed stage than AWS's own (infra/commands/at_stage.py).
    """
    try:
        cli(arguments, standalone_mode=False, obj=way)
    except KitError as error:
        click.echo(f"crossover: {_short(str(error))}", err=True)
        sys.exit(error.exit_code)
    except OSError as error:  # a path that cannot be one (too long, say); what else fails of a file is told where it is opened
        if error.filename is None:
            raise
        click.echo(f"crossover: {_short(str(error.filename))}: {error.strerror}", err=True)
        sys.exit(InputError.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("crossover: interrupted", err=True)
        sys.exit(130)
    except click.exceptions.Exit as leave:
        sys.exit(leave.exit_code)


def _short(said: str) -> str:
    """What is wrong may quote what a file holds, which may be megabytes."""
    return said if len(said) <= LONGEST else f"{said[: LONGEST // 2]} … {said[-LONGEST // 2 :]}"


if __name__ == "__main__":
    main()
