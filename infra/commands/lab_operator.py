"""`crossover lab operator`: another command of `crossover`, carried out in the lab and in its time."""

from __future__ import annotations

import click


@click.command("operator", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("arguments", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND...")
def operator(arguments: tuple[str, ...]) -> None:
    """Carry out a command on a stage of the lab, with the lab's clock.

    AWS_ENDPOINT_URL, keys and region are those that the lab shows. Where the lab's minutes pass faster than ours, so do the
    minutes that a switch waits; in a lab of speed 1 the command itself does the same.

    \b
    Examples:
      crossover lab operator -- switch container --stage dev --yes
      crossover lab operator -- status --stage dev
    """
    from infra.lab.operator import main

    main(arguments)
