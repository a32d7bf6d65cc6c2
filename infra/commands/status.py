"""`crossover status`: how traffic is split, how both lanes are, and who is switching."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from infra.commands.at_stage import connected, stage_options
from infra.commands.printing import wide_console

if TYPE_CHECKING:
    from infra.switching.aws.control import Control


@click.command("status")
@stage_options
@click.option("--watch", is_flag=True, help="Again and again, until Ctrl-C.")
@click.option("--every", type=click.FloatRange(1), default=10.0, show_default=True, help="Seconds between looks of --watch.")
def command(stage: str, region: str | None, as_json: bool, watch: bool, every: float) -> None:
    """Show how traffic is split, how both lanes have been for five minutes, and who is switching.

    \b
    Examples:
      crossover status --stage prod
      crossover status --stage prod --watch
      crossover status --stage prod --json
    """
    from infra.operating.status import look
    from infra.switching.ports import Unreachable

    control = connected(stage, region)
    if not watch:
        _print(look(control), as_json=as_json)
        return
    if as_json or not sys.stdout.isatty():
        while True:
            try:
                _print(look(control), as_json=as_json)
                sys.stdout.flush()
            except Unreachable as error:
                click.echo(f"crossover: {error}", err=True)
            control.world.clock.sleep(every)
    _watch(control, every)


def _print(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        import msgspec

        sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
        return
    wide_console().print(screen(told))


def _watch(control: Control, every: float) -> None:
    """In place, on a terminal; what cannot be asked this time is said below what was seen last."""
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    from infra.operating.status import look
    from infra.switching.ports import Unreachable

    shown: Any = Text("…")
    with Live(shown, auto_refresh=False) as live:
        while True:
            try:
                shown = screen(look(control))
                live.update(shown, refresh=True)
            except Unreachable as error:
                live.update(Group(shown, Text(str(error), style="yellow")), refresh=True)
            control.world.clock.sleep(every)


def screen(told: dict[str, Any]) -> Any:
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    moment = time.strftime("%H:%M:%SZ", time.gmtime(told["at"]))
    table = Table(
        box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), title=f"{told['stage']} ({told['region']}), {moment}", title_justify="left"
    )
    for column in ("lane", "weight", "ready", "requests", "errors", "p99", "throttles", "loop lag"):
        table.add_column(column, justify="left" if column == "lane" else "right", no_wrap=True)
    for lane, its in told["lanes"].items():
        share = "-" if told["split"] is None else f"{told['split'][lane]:.0%}"
        figures = [_number(its[name]) for name in ("ready", "requests", "errors")]
        times = [_ms(its["p99_ms"]), _number(its["throttled"]), _ms(its["loop_lag_ms"])]
        table.add_row(lane, share, *figures, *times)
    lines: list[Any] = [table]
    if told["rule"] != told["parameter"]:
        lines.append(
            Text(f"rule {told['rule']}, parameter {told['parameter']}: `crossover doctor --stage {told['stage']}`", style="red")
        )
    if told["deploying"]:
        lines.append(Text(f"being deployed: {', '.join(told['deploying'])}", style="yellow"))
    lines.append(Text(_switch(told)))
    lines += [Text(why, style="yellow") for why in told["unknown"]]
    lines.append(Text("Figures are of the last five minutes as far as CloudWatch has them; - is not known.", style="dim"))
    return Group(*lines)


def _switch(told: dict[str, Any]) -> str:
    its = told["switch"]
    if its is None:
        return "No switch yet."
    minutes = (told["at"] - its["started"]) / 60
    if its["ended"]:
        reason = f": {its['reason']}" if its["reason"] else ""
        return f"Last switch {its['id']} to {its['goal']} by {its['owner']}, {minutes:,.0f} min ago: {its['phase']}{reason}"
    driven = "" if its["driven"] else f"; ITS DRIVER IS GONE: `crossover resume --stage {told['stage']}`"
    asked = "" if its["wish"] == "go-on" else f", {its['wish']} asked"
    return f"Switch {its['id']} to {its['goal']} by {its['owner']} since {minutes:,.0f} min, at {its['at']}{asked}{driven}"


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f} ms"
