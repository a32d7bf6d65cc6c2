"""The page in a real Chromium: what it shows, its buttons by mouse and keyboard, and what it says when nobody answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from infra.switching.driver import LEASE_S, Driver
from infra.switching.plan import Need, make_plan
from infra.switching.record import Phase, Wish
from infra.switching.weights import Weights, all_on
from tests.conftest import CHROMIUM_FLAGS, require_program
from tests.infra.console.scripted import T0, Scripted, ScriptedSchedules, Served, serving, weekday
from tests.infra.console.test_actions import HELD_AT, anna, eventually, record_of

pytestmark = pytest.mark.slow  # Chromium

REBOUND = "rebound.example"
"""A stranger's name, whose DNS has come to lead to this machine."""
NASTY = "weekday load <img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = require_program("chromium")
    expect.set_options(timeout=15_000)  # the machine may have much else to do
    with sync_playwright() as playwright:
        flags = [*CHROMIUM_FLAGS, f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1"]
        launched = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield launched
        launched.close()


@contextmanager
def page_of(browser: Browser, served: Served, width: int = 1280) -> Iterator[Page]:
    """No word of the browser's console goes unnoticed, but for answers that refuse."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if "status of 4" not in message.text else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(served.url)
    expect(page.locator("#stage")).to_have_text("prod")
    yield page
    assert problems == []
    context.close()


def button(page: Page, command: str) -> None:
    page.locator(f"[data-command={command}]").click()


def fits(page: Page, width: int, picture: Path) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width, f"scrolls sideways at {width} px"
    page.screenshot(path=picture, full_page=True)


def test_a_switch_is_begun_through_the_dialogs_watched_and_seen_to_end(
    browser: Browser, stage: Scripted, served: Served, tmp_path: Path
) -> None:
    with page_of(browser, served) as page:
        assert "key" not in page.url  # out of the address at once, and of the history
        expect(page.locator("#share-lambda")).to_have_text("100%")
        expect(page.locator("#places")).to_contain_text("rule 100:0, parameter 100:0 (lambda:container): ✓ they agree")
        expect(page.locator("#headline")).to_have_text("No switch yet.")
        expect(page.locator("[data-lane=container] dd").nth(2)).to_have_text("–")  # the p99 of no request
        expect(page.locator("#charts svg")).to_have_count(6)
        button(page, "plan")
        page.get_by_label("% on Lambda").fill("")  # chooses the split, of which nothing is said
        page.get_by_text("Show the plan").click()
        expect(page.locator("#dialog-error")).to_contain_text("'split /100': must be lambda, container, or split")
        page.get_by_label("all to containers").check()
        page.get_by_text("Options").click()
        page.get_by_label("to have ready").fill("many")
        page.get_by_text("Show the plan").click()
        expect(page.locator("#dialog-error")).to_contain_text("not understood: Expected `int | null`, got `str` - at `$.units`")
        page.get_by_label("to have ready").fill("")
        page.get_by_text("Show the plan").click()
        dialog = page.locator("#dialog")
        expect(dialog).to_contain_text("prod: lambda 100% → container 100%")
        expect(dialog).to_contain_text("This moves live traffic to container 100%.")
        assert stage.store.load() is None
        stage.clock.until = HELD_AT
        dialog.get_by_label("Why, for the history").fill(NASTY)
        dialog.get_by_label("Type the stage's name").fill("prd")
        dialog.get_by_text("Move traffic").click()
        expect(page.locator("#dialog-error")).to_have_text("that is not 'prod': nothing was changed")
        assert stage.store.load() is None
        dialog.get_by_label("Type the stage's name").fill("prod")
        dialog.get_by_text("Move traffic").click()
        expect(page.locator("#dialog-said")).to_contain_text("has begun")
        dialog.get_by_role("button", name="Close").click()
        expect(page.locator("#headline")).to_have_text("To container 100%: verify, step 2 of 5 (95:5)")
        expect(page.locator("#steps [aria-current=step]")).to_contain_text("5%")
        expect(page.locator("#steps li.gone")).to_have_count(2)  # prewarm and 1%
        expect(page.locator("#waits")).to_contain_text("200 requests on the container lane")
        expect(page.locator("#about")).to_contain_text(NASTY)
        expect(page.locator("#history")).to_contain_text(NASTY)
        for width in (390, 1280):
            fits(page, width, tmp_path / f"running-{width}.png")
        figures = page.locator("#history details").first
        figures.locator("summary").click()
        expect(figures.locator("tbody tr")).to_have_count(2)
        expect(figures).to_contain_text("Judged by its limit alone: container loop lag ms (not-on-lambda)")
        stage.clock.until = float("inf")
        expect(page.locator("#headline")).to_contain_text("✓ done", timeout=15_000)
        expect(page.locator("#share-container")).to_have_text("100%")
        expect(page.locator("#history details[open]")).to_have_count(1)  # it stayed unfolded all the while
        assert "owned" not in page.title()
        assert page.locator("#history img, #history script, #about img").count() == 0


def test_with_the_keyboard_alone_a_switch_is_held_and_aborted(
    browser: Browser, stage: Scripted, served: Served, tmp_path: Path
) -> None:
    with page_of(browser, served) as page:
        page.keyboard.press("Tab")
        expect(page.locator("[data-command=plan]")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#dialog")).to_be_visible()
        page.keyboard.press("Enter")  # the first button of a form is its own
        name = page.get_by_label("Type the stage's name")
        expect(name).to_be_visible()
        stage.clock.until = HELD_AT
        page.keyboard.type("keys only")
        page.keyboard.press("Tab")
        page.keyboard.type("prod")
        page.keyboard.press("Enter")
        expect(page.locator("#dialog-said")).to_contain_text("has begun")
        fits(page, 390, tmp_path / "dialog-390.png")
        page.keyboard.press("Escape")
        expect(page.locator("#dialog")).to_be_hidden()
        for command, says, then in (
            ("pause", "It stays at", "pause asked"),
            ("abort", "Traffic goes back to lambda 100%", "abort asked"),
        ):
            expect(page.locator(f"[data-command={command}]")).to_be_enabled()
            page.locator(f"[data-command={command}]").focus()
            page.keyboard.press("Enter")
            expect(page.locator("#dialog")).to_contain_text(says)
            page.keyboard.press("Shift+Tab")  # from Cancel
            page.keyboard.press("Enter")
            expect(page.locator("#dialog-said")).to_be_visible()
            page.keyboard.press("Escape")
            stage.clock.until += 12
            expect(page.locator("#history")).to_contain_text(then)
        stage.clock.until = float("inf")
        expect(page.locator("#headline")).to_contain_text("↩ rolled back", timeout=15_000)
        expect(page.locator("#share-lambda")).to_have_text("100%")
        assert record_of(stage).why == "keys only"


def test_what_is_against_it_is_shown_before_and_gone_over_with_a_reason(
    browser: Browser, stage: Scripted, served: Served
) -> None:
    stage.alarms["container"] = "ALARM"
    with page_of(browser, served) as page:
        expect(page.locator("#alerts")).to_contain_text("The container lane's alarm fires: docs/runbooks/container.md")
        button(page, "plan")
        page.get_by_text("Show the plan").click()
        expect(page.locator("#against")).to_contain_text("✗ alarms: the container lane's alarm fires")
        page.get_by_label("Type the stage's name").fill("prod")
        page.get_by_text("Move traffic").click()
        expect(page.locator("#dialog-error")).to_contain_text("refused, no traffic was moved")
        page.get_by_label("Force: go over it").check()
        page.get_by_text("Move traffic").click()
        expect(page.locator("#dialog-error")).to_contain_text("say why")
        page.get_by_label("Why it is gone over").fill("it is the alarm that this mends")
        page.get_by_text("Move traffic").click()
        expect(page.locator("#dialog-said")).to_contain_text("has begun")
        eventually(lambda: record_of(stage).ended, "it does not end")
        expect(page.locator("#about")).to_contain_text("it is the alarm that this mends")


def test_a_second_page_watches_and_only_the_one_with_the_key_has_buttons(
    browser: Browser, stage: Scripted, served: Served
) -> None:
    with page_of(browser, served) as page:
        expect(page.locator("[data-command=plan]")).to_be_enabled()
        watching = page.context.new_page()
        watching.goto(served.base)
        expect(watching.locator("#share-lambda")).to_have_text("100%")
        expect(watching.locator("[data-command=plan]")).to_be_disabled()
        expect(watching.locator("#buttons-note")).to_contain_text("the URL that the console printed has the key")
        page.reload()
        expect(page.locator("[data-command=plan]")).to_be_enabled()
    stranger = browser.new_page()
    stranger.goto(served.base)
    expect(stranger.locator("#alerts")).to_contain_text("open the URL that the console printed")
    expect(stranger.locator("#stage")).to_have_text("–")
    stranger.close()


def test_another_operator_s_switch_is_shown_and_its_lost_driver_cried_out(
    browser: Browser, stage: Scripted, served: Served
) -> None:
    plan = make_plan(stage="prod", start=Weights(100, 0), goal=all_on("container"), need=Need(units=6, why="given as --units"))
    assert plan is not None
    Driver(stage.connect().world, owner="anna@laptop:1").begin(plan, why="cheaper")
    with page_of(browser, served) as page:
        expect(page.locator("#about")).to_contain_text("anna@laptop:1, at work; its lease runs")
        expect(page.locator("[data-command=back]")).to_be_hidden()
        button(page, "plan")
        page.get_by_text("Show the plan").click()
        expect(page.locator("#dialog")).to_contain_text("anna@laptop:1 is switching, at prewarm.")
        expect(page.get_by_text("Move traffic")).to_have_count(0)
        page.keyboard.press("Escape")
        stage.let_pass(LEASE_S + 5)
        expect(page.locator("#alerts")).to_contain_text("NOBODY DRIVES THE SWITCH: anna@laptop:1 is gone, it stands at prewarm")
        button(page, "resume")
        expect(page.locator("#dialog")).to_contain_text("This console drives the switch from prewarm, on to container 100%.")
        page.locator("#dialog").get_by_role("button", name="Resume").click()
        expect(page.locator("#dialog-said")).to_contain_text("this console drives it from prewarm on")
        eventually(lambda: record_of(stage).phase is Phase.DONE, "it does not end")


def test_a_lane_is_prewarmed_with_its_progress_shown_and_released(browser: Browser, stage: Scripted, served: Served) -> None:
    lane = stage.lanes.lanes["container"]
    lane.prewarms, stage.clock.until = False, T0 + 10
    with page_of(browser, served) as page:
        button(page, "prewarm")
        page.keyboard.press("Tab")
        page.keyboard.type("6")
        page.keyboard.press("Enter")
        dialog = page.locator("#dialog")
        expect(dialog).to_contain_text("the container lane keeps 6 instances at least (2 before)")
        expect(dialog).to_contain_text("crossover prewarm container --units 6 --wait-s 900 --stage prod")
        dialog.get_by_label("Type the stage's name").fill("prd")
        dialog.get_by_role("button", name="Prewarm").click()
        expect(page.locator("#dialog-error")).to_have_text("that is not 'prod': nothing was changed")
        assert lane.floor == 2
        dialog.get_by_label("Type the stage's name").fill("prod")
        dialog.get_by_role("button", name="Prewarm").click()
        expect(page.locator("#dialog-said")).to_contain_text("for 900 s at most")
        page.keyboard.press("Escape")
        card = page.locator("[data-lane=container]")
        expect(card.get_by_role("status")).to_have_text("Prewarm: 2 of 6 instances ready")
        expect(card.locator("progress")).to_have_js_property("value", 2)
        expect(card.locator(".readying small")).to_contain_text("waits until 08:15:00Z")
        lane.ready, stage.clock.until = 6, T0 + 40
        expect(card.get_by_role("status")).to_have_text("Prewarm: ✓ 6 ready on the container lane, 6 were asked for")
        expect(card.locator("progress")).to_be_hidden()
        expect(page.locator("#findings")).to_contain_text("the group keeps 6 instances at least, its template says 2")
        expect(page.locator("#findings code")).to_have_text("crossover prewarm container --release --stage prod")
        button(page, "prewarm")
        page.get_by_text("Release instead").click()
        expect(dialog).to_contain_text("The container lane keeps 6 at least. Released, it keeps 2")
        dialog.get_by_label("Type the stage's name").fill("prod")
        dialog.get_by_role("button", name="Release").click()
        expect(page.locator("#dialog-said")).to_contain_text("from 2 up")
        assert lane.floor == 2


def test_an_abort_shows_for_whom_it_waits_and_until_when(browser: Browser, stage: Scripted, served: Served) -> None:
    anna(stage)
    stage.clock.until = T0 + 10
    with page_of(browser, served) as page:
        button(page, "abort")
        expect(page.locator("#dialog")).to_contain_text("this console goes back itself when its lease ends, at 08:01:30Z")
        page.locator("#dialog").get_by_role("button", name="Abort").click()
        expect(page.locator("#dialog-said")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#awaited")).to_contain_text("this console waits for anna@laptop:1 to go back, until 08:01:30Z")
        expect(page.locator("[data-command=abort]")).to_be_disabled()
        stage.clock.until = float("inf")
        expect(page.locator("#headline")).to_contain_text("↩ rolled back to lambda 100%", timeout=15_000)
        expect(page.locator("#awaited")).to_be_hidden()


def test_what_a_plan_lacks_can_be_given_and_what_was_given_stays(browser: Browser, stage: Scripted, served: Served) -> None:
    stage.requests_last_hour = 10  # as of a lane that was left more than an hour ago
    with page_of(browser, served) as page:
        button(page, "plan")
        page.get_by_text("Options").click()
        page.get_by_label("Limits").fill("error_percent=5")
        page.get_by_text("Show the plan").click()
        expect(page.locator("#against")).to_contain_text("--units")
        page.get_by_text("Change…").click()
        expect(page.get_by_label("Limits")).to_have_value("error_percent=5")
        page.get_by_label("to have ready").fill("4")
        page.keyboard.press("Enter")
        expect(page.locator("#dialog")).to_contain_text("4 instances: given as --units")
        expect(page.locator("#dialog")).to_contain_text("errors ≤ 5%")
        expect(page.locator("#against")).to_have_count(0)


def test_scheduled_switches_are_shown_and_held(browser: Browser, stage: Scripted, served: Served) -> None:
    stage.schedules = ScriptedSchedules(weekday("container", 7 * 60, "412.50"))
    with page_of(browser, served) as page:
        entry = page.locator("#scheduled li")
        expect(entry).to_have_text("2027-01-18 07:00 Europe/Berlin: to container mon-fri-0700-container, saves $412.50 a month")
        button(page, "hold")
        page.locator("#dialog").get_by_role("button", name="Pause all").click()
        expect(page.locator("#dialog-said")).to_have_text("paused: mon-fri-0700-container")
        page.keyboard.press("Escape")
        expect(entry).to_contain_text("paused: to container")
        expect(page.locator("[data-command=hold]")).to_be_disabled()


ATTACK = """async (console) => {
  const gained = [];
  const attempt = (name, path, more) =>
    fetch(console + path, { method: "POST", credentials: "include", body: "{}", ...more })
      .then((answer) => answer.type === "opaque" || gained.push(name), () => null);
  await attempt("simple", "/do/pause", { mode: "no-cors", headers: { "Content-Type": "text/plain" } });
  await attempt("json", "/do/pause", { headers: { "Content-Type": "application/json" } });
  await attempt("key", "/session", { headers: { "Content-Type": "application/json", "X-Crossover-Key": "guessed" } });
  await fetch(console + "/events", { credentials: "include" }).then(() => gained.push("read"), () => null);
  const settled = (tag, name, attributes) => new Promise((resolve) => {
    const element = Object.assign(document.createElement(tag), attributes);
    element.onload = () => resolve(gained.push(name));
    element.onerror = () => resolve();
    document.body.append(element);
  });
  await settled("script", "script", { src: console + "/page/parts.js" });
  await settled("img", "img", { src: console + "/page/icon.svg" });
  await new Promise((resolve) => {
    const stream = new EventSource(console + "/events", { withCredentials: true });
    stream.onopen = () => resolve(gained.push("stream"));
    stream.onerror = () => resolve(stream.close());
  });
  return gained;
}"""


FRAME = "(console) => document.body.append(Object.assign(document.createElement('iframe'), { src: console }))"


@pytest.fixture
def trap() -> Iterator[str]:
    """A page at another port of this machine, to which browsers send the console's cookie too."""

    class Trap(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>a trap</title>")

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Trap) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join(10)


def test_a_page_of_another_origin_in_the_same_browser_gains_nothing(
    browser: Browser, stage: Scripted, served: Served, trap: str
) -> None:
    with page_of(browser, served) as page:  # its cookie is in this browser
        anna(stage)
        asked = len(stage.store.events)
        stranger = page.context.new_page()
        stranger.goto(trap)
        assert stranger.evaluate(ATTACK, served.base) == []
        with stranger.expect_console_message(lambda message: "frame-ancestors 'none'" in message.text):
            stranger.evaluate(FRAME, served.base)
        rebound = stranger.goto(f"http://{REBOUND}:{served.port}/")
        assert rebound is not None
        assert (rebound.status, rebound.text()) == (403, "this is no name of the console")
        assert record_of(stage).wish is Wish.GO_ON
        assert len(stage.store.events) == asked
        expect(page.locator("#link")).to_have_text("live")


def test_old_data_say_their_age_and_a_console_that_is_gone_is_told_loudly(browser: Browser, stage: Scripted) -> None:
    with serving(stage) as served, page_of(browser, served) as page:
        expect(page.locator("#link")).to_contain_text("live")
        stage.mishaps.always = lambda name: name == "timeline"
        stage.let_pass(90)
        age = page.locator("[data-piece=figures]")
        expect(age).to_contain_text("s OLD: timeline: no answer")
        expect(page.locator("#charts svg")).to_have_count(6)  # what was seen last stays
        stage.mishaps.always = lambda name: True
        expect(page.locator("#alerts")).to_contain_text(
            "AWS does not answer, what is below is of 08:01:30Z and older: load: no answer"
        )
        served.end.set()
        expect(page.locator("#alerts")).to_contain_text("THE CONSOLE HAS ENDED", timeout=10_000)
        expect(page.locator("#alerts p").first).to_contain_text("THE CONSOLE HAS ENDED")
        expect(page.locator("#link")).to_have_text("ended")
        expect(page.locator("[data-command=plan]")).to_be_disabled()
    assert stage.clock.now() == T0 + 90


def test_a_record_that_cannot_be_read_does_not_say_that_its_driver_is_gone(
    browser: Browser, stage: Scripted, served: Served
) -> None:
    anna(stage)
    with page_of(browser, served) as page:
        expect(page.locator("#link")).to_have_text("live")
        stage.mishaps.always = lambda name: True
        stage.let_pass(LEASE_S + 5)
        expect(page.locator("#alerts")).to_contain_text("Whether anna@laptop:1 still drives the switch is not known")
        expect(page.locator("#alerts")).not_to_contain_text("NOBODY DRIVES")
        expect(page.locator("#link")).to_have_text("AWS not seen")
        expect(page.locator("#about")).to_contain_text("as last seen: its lease ended")
        expect(page.locator("[data-piece=record]")).to_have_text("95 s OLD")  # why stands above, once


def test_a_console_that_is_not_heard_any_more_is_told_loudly_and_found_again(browser: Browser, served: Served) -> None:
    with page_of(browser, served) as page:
        page.clock.install()
        page.reload()
        expect(page.locator("#link")).to_contain_text("live")
        with served.frozen():
            page.clock.run_for(10_000)
            expect(page.locator("#alerts")).to_contain_text("CONNECTION LOST: nothing heard of the console")
            expect(page.locator("body")).to_have_class("lost")
        expect(page.locator("#link")).to_contain_text("live", timeout=15_000)
        expect(page.locator("#alerts p")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_in_both_schemes(browser: Browser, served: Served, scheme: Literal["light", "dark"]) -> None:
    """WCAG 2.2, contrast (minimum): 4.5 to 1 for text of this size."""
    with page_of(browser, served) as page:
        page.emulate_media(color_scheme=scheme)
        for element in (
            "#stage",
            "#place",
            "#share-lambda",
            "#share-container",
            "#state",
            ".age",
            "#places",
            ".alarm",
            "button:enabled",
            "dt",
        ):
            page.locator(element).first.wait_for()
            # In one go: what is found may be drawn anew before it is asked.
            ratio = page.evaluate(f"(selector) => ({CONTRAST})(document.querySelector(selector))", element)
            assert ratio >= 4.5, f"{element}: {ratio:.2f}"


CONTRAST = """(element) => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const channels = (text) => {
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const luminance = (text) => {
    const [red, green, blue] = channels(text).map((value) => linear(value / 255));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  let under = element;
  while (getComputedStyle(under).backgroundColor === 'rgba(0, 0, 0, 0)') under = under.parentElement;
  const both = [luminance(getComputedStyle(element).color), luminance(getComputedStyle(under).backgroundColor)];
  return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
}"""
