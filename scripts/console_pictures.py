"""Makes the pictures of docs/operate.md: the watch page in the middle of a switch, and a switch in a terminal.

    .venv/bin/python scripts/console_pictures.py

Needs Chromium on PATH. The stage is a scripted one in memory (tests/infra/console/scripted.py); the page, the commands and
every decision on it are the real ones.
"""

from __future__ import annotations

import io
import math
import os
import random
import re
import shutil
import socket
import sys
import time
from pathlib import Path
from unittest.mock import patch

import rich.console
from playwright.sync_api import Page, expect, sync_playwright
from rich._export_format import CONSOLE_SVG_FORMAT

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from infra.cli import cli  # noqa: E402 - a script finds its project first
from infra.operating.proposal import propose, request_of  # noqa: E402
from infra.switching.driver import Driver  # noqa: E402
from infra.switching.weights import all_on  # noqa: E402
from tests.infra.console.scripted import T0, Scripted, ScriptedSchedules, serving, weekday  # noqa: E402

PICTURES = ROOT / "docs" / "operate"
HOURS, STEP_3_S = 0.6, 320.0
WHY = "weekday load"
WIDE, TALL = 1180, 1720


def scripted() -> Scripted:
    """About 400 searches a second, on Lambda alone."""
    stage = Scripted(rps=400.0)
    stage.requests_last_hour = 1_000_000
    stage.lanes.lanes["lambda"].p99_ms, stage.lanes.lanes["container"].p99_ms = 610.0, 520.0
    stage.lanes.lanes["lambda"].ready, stage.lanes.lanes["lambda"].floor = 1_000, 0
    stage.lanes.wobble = wobble
    stage.lanes.begin()
    stage.schedules = ScriptedSchedules(weekday("container", 7 * 60, "412.50"), weekday("lambda", 22 * 60, "96.20"))
    return stage


def wobble(minute: float, name: str) -> float:
    """Up and down by the hour, and a little by chance, the same each time."""
    chance = random.Random(f"{minute} {name}").gauss(0, 0.025)
    return 1 + (0.09 * math.sin((minute - T0) / 900) if name == "requests" else 0.0) + chance


def one_that_went_back(stage: Scripted) -> None:
    """Earlier that day: the container lane answered with errors, and was left again."""
    options = {"steps": "1,5,25,50,100", "limits": (), "bake_s": None, "units": 4, "profile": None, "standby": None}
    request = request_of({**options, "quiet_s": 120.0, "allow_version_skew": False, "smoke_path": None})
    plan = propose(stage.connect(), all_on("container"), request).plan
    assert plan is not None
    stage.lanes.lanes["container"].error_share = 0.034
    driver = Driver(stage.connect().world, owner="ben@desk:2113")
    driver.run(driver.begin(plan, why="cheaper from eight on"))
    stage.lanes.lanes["container"].error_share = 0.0
    stage.let_pass(HOURS * 3_600)


def of_the_page(page: Page, stage: Scripted) -> None:
    expect(page.locator("#charts svg")).to_have_count(6)
    page.locator("[data-command=plan]").click()
    page.get_by_text("Show the plan").click()
    page.get_by_label("Why, for the history").fill(WHY)
    page.locator("#dialog").screenshot(path=PICTURES / "plan.png")
    page.get_by_label("Type the stage's name").fill("prod")
    stage.clock.until = stage.clock.now() + STEP_3_S
    page.get_by_text("Move traffic").click()
    expect(page.locator("#dialog-said")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#headline")).to_contain_text("verify, step 3 of 5")
    page.evaluate("document.activeElement.blur()")
    page.wait_for_timeout(1_500)  # the split moves there
    page.screenshot(path=PICTURES / "page.png", full_page=True, clip={"x": 0, "y": 0, "width": WIDE, "height": TALL})


def of_the_terminal(stage: Scripted) -> None:
    """What `crossover switch` prints, every line of it, as rich draws it."""
    recorder = rich.console.Console(record=True, file=io.StringIO(), width=140, force_terminal=False, highlight=False)
    recorder.print(f'[green]$[/green] crossover switch container --stage prod --why "{WHY}" --yes')
    arguments = ["switch", "container", "--stage", "prod", "--why", WHY, "--yes"]
    with (
        patch.object(rich.console, "Console", lambda **_: recorder),
        patch("infra.commands.switch_run.Console", lambda **_: recorder),
    ):
        cli(arguments, obj=stage.connect, standalone_mode=False)
    recorder.print()
    # Without the fonts that rich would have it load: the reader's own will do, and a picture asks nobody for anything.
    own = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    svg = recorder.export_svg(title="crossover switch", unique_id="switch", code_format=own)
    (PICTURES / "switch.svg").write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n")


def main() -> None:
    os.environ.update(LOGNAME="anna", TZ="UTC")
    time.tzset()
    PICTURES.mkdir(exist_ok=True)
    stage = scripted()
    one_that_went_back(stage)
    with patch.object(socket, "gethostname", lambda: "laptop"):
        with serving(stage) as served, sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            expect.set_options(timeout=60_000)
            page = chromium.new_page(viewport={"width": WIDE, "height": 900})
            page.set_default_timeout(120_000)
            page.goto(served.url)
            of_the_page(page, stage)
            chromium.close()
        of_the_terminal(scripted())
    for picture in sorted(PICTURES.iterdir()):
        print(f"{picture.relative_to(ROOT)}: {picture.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
