"""Takes pictures of the watch page in every state an operator may meet it in, to be looked at after a change of it.

    .venv/bin/python scripts/console_states.py FOLDER [STATE …] [--size phone] [--scheme dark]

Writes FOLDER/STATE-WIDTH-SCHEME.png at the widths of a phone, a laptop and a wide screen, light and dark. Needs Chromium on
PATH. The stage is a scripted one in memory, as in console_pictures.py; the page and every decision on it are the real ones.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from infra.errors import KitError  # noqa: E402 - a script finds its project first
from infra.operating.orders import leave  # noqa: E402
from infra.operating.proposal import propose, request_of  # noqa: E402
from infra.switching.driver import LEASE_S, Driver  # noqa: E402
from infra.switching.record import Wish  # noqa: E402
from infra.switching.weights import Weights, all_on  # noqa: E402
from scripts.console_pictures import one_that_went_back, scripted  # noqa: E402
from tests.infra.console.scripted import Scripted, serving  # noqa: E402

WIDTHS = {"phone": 390, "laptop": 1280, "wide": 1920}
SCHEMES = ("light", "dark")
MID_S = 330.0


class Halt(BaseException):
    """As kill -9 does to a driver."""


def driven(stage: Scripted, seconds: float = MID_S) -> None:
    """Anna's switch, so many seconds after it began; her driver is not there any more, and its lease still runs."""
    options = {"steps": "1,5,25,50,100", "limits": (), "bake_s": None, "units": 6, "profile": None, "standby": None}
    request = request_of({**options, "quiet_s": 120.0, "allow_version_skew": False, "smoke_path": None})
    plan = propose(stage.connect(), all_on("container"), request).plan
    assert plan is not None
    until = stage.clock.now() + seconds

    def halt(now: float) -> None:
        if now >= until:
            raise Halt

    stage.clock.on_sleep.append(halt)
    driver = Driver(stage.connect().world, owner="anna@laptop:4711")
    with suppress(Halt):
        driver.run(driver.begin(plan, why="weekday load"))
    stage.clock.on_sleep.remove(halt)


def idle(stage: Scripted) -> None:
    one_that_went_back(stage)
    driven(stage, 1e9)
    stage.let_pass(600)


def paused(stage: Scripted) -> None:
    driven(stage)
    leave(stage.connect(), Wish.PAUSE)


def dead(stage: Scripted) -> None:
    driven(stage)
    stage.let_pass(LEASE_S + 40)


def both_sick(stage: Scripted) -> None:
    for lane in stage.lanes.lanes.values():
        lane.error_share = 0.06
    stage.lanes.lanes["container"].error_share = 0.11
    stage.alarms.update({"lambda": "ALARM", "container": "ALARM"})
    driven(stage, 1e9)


def nothing(stage: Scripted) -> None:
    """No switch yet, and nothing else to tell of."""


def differing(stage: Scripted) -> None:
    stage.traffic.in_parameter, stage.lanes.lanes["container"].floor = Weights(20, 80), 5


def prewarming(stage: Scripted) -> None:
    stage.lanes.lanes["container"].prewarms, stage.clock.until = False, stage.clock.now()


def silent(stage: Scripted, page: Page) -> None:
    stage.mishaps.always = lambda name: True
    expect(page.locator("#alerts")).to_contain_text("AWS does not answer")
    stage.let_pass(200)


def expired(stage: Scripted, page: Page) -> None:
    def refuse(name: str, do: Callable[[], Any]) -> Any:
        raise KitError(f"{name}: the AWS credentials have expired; renew them, as with `aws sso login`")

    stage.mishaps.around = refuse  # type: ignore[method-assign]
    expect(page.locator("#alerts")).to_contain_text("AWS refuses")


def aborting(stage: Scripted, page: Page) -> None:
    stage.clock.until = stage.clock.now() + 10
    page.locator("[data-command=abort]").click()
    page.get_by_label("Type the stage's name").fill("prod")
    page.locator("#dialog").get_by_role("button", name="Abort").click()
    expect(page.locator("#dialog-said")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#awaited")).to_be_visible()


def readying(stage: Scripted, page: Page) -> None:
    page.locator("[data-command=prewarm]").click()
    page.get_by_label("How many").fill("8")
    page.get_by_text("Show what it raises").click()
    page.get_by_label("Type the stage's name").fill("prod")
    page.locator("#dialog").get_by_role("button", name="Prewarm").click()
    expect(page.locator("#dialog-said")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("progress:visible")).to_have_count(1)


def ask(stage: Scripted, page: Page) -> None:
    page.locator("[data-command=plan]").click()
    page.get_by_text("Options").click()


def forced(stage: Scripted, page: Page) -> None:
    stage.alarms["container"] = "ALARM"
    page.locator("[data-command=plan]").click()
    page.get_by_text("Show the plan").click()
    expect(page.locator("#against")).to_be_visible()


def raises(stage: Scripted, page: Page) -> None:
    page.locator("[data-command=prewarm]").click()
    page.get_by_text("Show what it raises").click()
    expect(page.get_by_text("the lane may have")).to_be_visible()


def confirming(stage: Scripted, page: Page) -> None:
    page.locator("[data-command=abort]").click()


def look(stage: Scripted, page: Page) -> None:
    """The page itself."""


STATES: dict[str, tuple[Callable[[Scripted], None], Callable[[Scripted, Page], None]]] = {
    "no-history": (nothing, look),
    "idle": (idle, look),
    "mid-switch": (driven, look),
    "paused": (paused, look),
    "rolled-back": (one_that_went_back, look),
    "driver-dead": (dead, look),
    "aborting": (driven, aborting),
    "both-sick": (both_sick, look),
    "differing": (differing, look),
    "unreachable": (driven, silent),
    "expired": (driven, expired),
    "prewarming": (prewarming, readying),
    "dialog-ask": (nothing, ask),
    "dialog-forced": (nothing, forced),
    "dialog-prewarm": (nothing, raises),
    "dialog-abort": (driven, confirming),
}


def main(folder: Path, names: list[str], sizes: list[str], schemes: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=60_000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        for name in names or STATES:
            before, then = STATES[name]
            stage = scripted()
            before(stage)
            with serving(stage) as served:
                page = chromium.new_page(viewport={"width": WIDTHS["laptop"], "height": 900})
                page.set_default_timeout(120_000)
                page.goto(served.url)
                expect(page.locator("#link")).to_have_text("live")
                then(stage, page)
                for size in sizes or WIDTHS:
                    page.set_viewport_size({"width": WIDTHS[size], "height": 900})
                    for scheme in schemes or SCHEMES:
                        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                        page.wait_for_timeout(300)
                        page.screenshot(path=folder / f"{name}-{size}-{scheme}.png", full_page=not name.startswith("dialog"))
                page.close()
                stage.clock.until = float("inf")
            print(name, flush=True)
        chromium.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("states", nargs="*", metavar="STATE", help=", ".join(STATES))
    parser.add_argument("--size", action="append", choices=list(WIDTHS), default=[])
    parser.add_argument("--scheme", action="append", choices=list(SCHEMES), default=[])
    given = parser.parse_args()
    if unknown := set(given.states) - set(STATES):
        parser.error(f"there is no state {', '.join(sorted(unknown))}; there are {', '.join(STATES)}")
    main(given.folder, given.states, given.size, given.scheme)
