"""`crossover cost sensitivity`: which input moves each lane's month and the crossover, and by how much."""

from __future__ import annotations

import click

from infra.commands.cost.inputs import plain_table, read_inputs, say_prices, with_prices, world_of
from infra.commands.cost.traffic import Given, scenario_options
from infra.commands.printing import print_json, wide_console
from infra.cost.sensitivity import Effect, Point, Sensitivity, sensitivity, sensitivity_document

BAR = 10


@click.command("sensitivity")
@scenario_options
@click.option("--vary", type=click.FloatRange(0.01, 0.9), default=0.2, show_default=True, help="Share by which inputs change.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(
    given: Given,
    vary: float,
    as_json: bool,
) -> None:
    """Vary each input by the same share and say what that does to each lane's month and to the crossover, widest first.

    \b
    Examples:
      crossover cost sensitivity --scenario examples/article.toml
      crossover cost sensitivity --profile out/demo/profile.json --rps 100 --vary 0.5
      crossover cost sensitivity --profile out/demo/profile.json --shape fortnight --json
    """
    read = read_inputs(given)
    world = world_of(read)
    found = sensitivity(world, vary)
    if as_json:
        print_json(with_prices({"schema": 1, "traffic": read.traffic.source, **sensitivity_document(found)}, read, world.book))
    else:
        _print(found, read.traffic.source)
        say_prices(read, world.book)


def _print(found: Sensitivity, source: str) -> None:
    base = found.base
    crossover = "none" if base.crossover_rps is None else f"{base.crossover_rps:,.3g}/s"
    title = (
        f"{source}: Lambda ${base.lambda_usd:,.2f}, containers ${base.container_usd:,.2f} a month, crossover {crossover}; "
        f"each input ±{found.share:.0%}"
    )
    table = plain_table(title, "Input", "low", "high", "Lambda $", "containers $", "crossover, /s")
    widest = max((float(each.swing(base)) for each in found.effects), default=0.0)
    table.add_column("most that either moves")
    for each in found.effects:
        swing = float(each.swing(base))
        bar = "█" * round(BAR * swing / widest) if widest else ""
        table.add_row(each.name, each.low, each.high, *_moves(each, base), f"{bar} {swing:,.2f}")
    console = wide_console()
    console.print(table)
    for each in found.effects:
        if each.refused is not None:
            console.print(f"{each.name}: {each.refused}")


def _moves(each: Effect, base: Point) -> tuple[str, str, str]:
    sides = (each.at_low, each.at_high)
    functions = " ".join("-" if side is None else f"{side.lambda_usd - base.lambda_usd:+,.0f}" for side in sides)
    instances = " ".join("-" if side is None else f"{side.container_usd - base.container_usd:+,.0f}" for side in sides)
    rates = " ".join("none" if side is None or side.crossover_rps is None else f"{side.crossover_rps:,.3g}" for side in sides)
    return functions, instances, rates
