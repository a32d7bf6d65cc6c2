"""`crossover console`: the watch page of a stage, on this machine only."""

from __future__ import annotations

import asyncio
import signal
import tempfile
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from infra.commands.at_stage import way_to

if TYPE_CHECKING:
    from infra.console.server import Console

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command("console")
@click.option("--stage", required=True, help="Which deployment.")
@click.option("--region", help="AWS region.  [default: the stage's in stages.toml, else as AWS's own tools have it]")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=8765, show_default=True, help="On 127.0.0.1; 0 takes a free one."
)
@click.option("--read-only", is_flag=True, help="A page without the buttons that change anything.")
@click.option("--no-browser", is_flag=True, help="Print the page's URL only.")
@click.option("--profile", type=click.Path(path_type=Path), help="Measured profile that says what a request needs.")
def command(stage: str, region: str | None, port: int, read_only: bool, no_browser: bool, profile: Path | None) -> None:
    """Serve the watch page of a stage: its weights, both lanes, the running switch, the history, and the commands as buttons.

    For this machine's browser alone, by the URL that is printed: it holds the key of this start. A switch that is begun on
    the page is driven by this process: closing the page leaves it running, ending this process lets go of it as Ctrl-C does
    of `crossover switch`.

    \b
    Examples:
      crossover console --stage prod
      crossover console --stage prod --read-only --port 0 --no-browser

    Exit codes: 0 ended, 1 the stage or the port is not to be had, 130 ended while a switch was under way.
    """
    from infra.commands.switch_run import Show
    from infra.console.server import Console, Options
    from infra.operating.driving import Stopped

    connect, show = way_to(stage, region), Show(as_json=False)
    options = Options(port=port, read_only=read_only, profile=profile, say=show.say, tell=show.tell)
    said = asyncio.run(_serve(Console(connect(), connect, options), stage, browser=not no_browser))
    if said:
        raise Stopped(said)


async def _serve(console: Console, stage: str, *, browser: bool) -> str:
    """Until a signal. A second one ends at once, and the lease by itself."""
    url = await console.start()
    click.echo(url)
    click.echo(f"crossover: the page of {stage}, for this machine alone; Ctrl-C ends it", err=True)
    loop, ending = asyncio.get_running_loop(), asyncio.Event()
    for number in SIGNALS:
        loop.add_signal_handler(number, ending.set)
    with tempfile.TemporaryDirectory(prefix="crossover-console-") as folder:
        if browser:
            _open(url, Path(folder))
        await ending.wait()
    for number in SIGNALS:
        loop.remove_signal_handler(number)
    click.echo("crossover: ending", err=True)
    return await console.stop()


def _open(url: str, folder: Path, show: Callable[[str], object] = webbrowser.open) -> None:
    """Through a file that only its owner may read: arguments of a process are read by everybody on the machine."""
    way = folder / "console.html"
    way.touch(mode=0o600)
    way.write_text(f'<!doctype html><meta http-equiv="refresh" content="0;url={url}"><a href="{url}">The watch page</a>\n')
    show(way.as_uri())
