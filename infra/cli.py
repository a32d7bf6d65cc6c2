"""The `crossover` command: one subcommand a job, each in its own module of `infra.commands`, imported only when asked for."""

from __future__ import annotations

import importlib
import json
import os
import signal
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
    """Console entry point: a `KitError` becomes one line on standard error and its exit code; with `--json` that line is JSON.

    `way` is another way to a deployed stage than AWS's own (infra/commands/at_stage.py).
    """
    as_json = "--json" in (sys.argv[1:] if arguments is None else arguments)
    try:
        cli(arguments, standalone_mode=False, obj=way)
        sys.stdout.flush()
    except BrokenPipeError:  # as of `| head -1`
        sys.exit(128 + signal.SIGPIPE)
    except KitError as error:
        _say(_short(str(error)), error.exit_code, as_json=as_json)
        sys.exit(error.exit_code)
    except OSError as error:  # a path that cannot be one (too long, say); what else fails of a file is told where it is opened
        if error.filename is None:
            raise
        _say(f"{_short(str(error.filename))}: {error.strerror}", InputError.exit_code, as_json=as_json)
        sys.exit(InputError.exit_code)
    except click.ClickException as error:
        if as_json:
            _say(error.format_message(), error.exit_code, as_json=True)
        else:
            error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _say("interrupted", 130, as_json=as_json)
        sys.exit(130)
    except click.exceptions.Exit as leave:
        sys.exit(leave.exit_code)
    finally:
        _last_flush()


def _last_flush() -> None:
    """What nobody reads any more is thrown away here, or the interpreter would end with a code of its own."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(error: str, code: int, *, as_json: bool) -> None:
    click.echo(json.dumps({"error": error, "exit_code": code}) if as_json else f"crossover: {error}", err=True)


def _short(said: str) -> str:
    """What is wrong may quote what a file holds, which may be megabytes."""
    return said if len(said) <= LONGEST else f"{said[: LONGEST // 2]} … {said[-LONGEST // 2 :]}"


if __name__ == "__main__":
    main()
