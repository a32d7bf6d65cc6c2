"""Gates, hooks and notifications against a real HTTP server and real commands: also such as hang, fail, fork or are missing."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from infra.errors import KitError
from infra.switching.calling import CallingHooks
from infra.switching.driver import Driver
from infra.switching.hooks import Happened, payload
from infra.switching.plan import Callouts, Limits, make_plan
from infra.switching.record import Phase, Record
from infra.switching.weights import all_on
from tests.conftest import free_port
from tests.infra.switching.world import stage_at

PLAN = make_plan(stage="prod", start=all_on("lambda"), goal=all_on("container"))
assert PLAN is not None
RECORD = Record(id="a1b2", plan=PLAN, phase=Phase.GATE, owner="anna@laptop", why="cheaper", started=0.0, since=0.0)


def told(happened: Happened = Happened.BEFORE_STEP, target: str = "env:X") -> dict[str, Any]:
    return payload(happened, RECORD, target=target, at=1_000.0, said="now container 5%")


def no_secret(name: str) -> str:
    raise KitError(f"secret {name}: is not there")


@dataclass
class Receiver:
    """What came, and how it is answered: `statuses` in turn, the last one again; `hang` answers byte by byte without an end."""

    url: str
    came: list[tuple[dict[str, str], Any]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=lambda: [200])
    body: bytes = b"ok"
    hang: bool = False
    over: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.came.append((dict(self.headers), json.loads(body)))
            status = found.statuses[min(len(found.came), len(found.statuses)) - 1]
            self.send_response(status)
            if status in (301, 302, 307):
                self.send_header("Location", f"{found.url}/elsewhere")
            if found.hang:
                self.flush_headers()
                while not found.over.wait(0.05):
                    self.wfile.write(b"X-Slow: 1\r\n")
                    self.wfile.flush()
                return
            self.send_header("Content-Length", str(len(found.body)))
            self.end_headers()
            self.wfile.write(found.body)

        def do_GET(self) -> None:
            found.came.append(({}, "GET"))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

        def handle(self) -> None:
            with contextlib.suppress(OSError):  # the caller has gone
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found = Receiver(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
    thread.start()
    yield found
    found.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def hooks() -> Iterator[CallingHooks]:
    made = CallingHooks(no_secret)
    yield made
    made.close(0.0)


def script(tmp_path: Path, text: str) -> str:
    """A command that runs this Python."""
    path = tmp_path / "hook.py"
    path.write_text(text)
    return f"command:{sys.executable} -S -E {path}"


# Gates over HTTP


def test_a_gate_that_answers_2xx_passes_and_was_sent_the_payload(receiver: Receiver, hooks: CallingHooks) -> None:
    receiver.statuses = [204]
    receiver.body = b""
    assert hooks.ask(receiver.url, told(), 5.0).passes
    ((headers, body),) = receiver.came
    assert body == told()
    assert headers["Content-Type"] == "application/json"
    assert (headers["X-Crossover-Event"], headers["X-Crossover-Delivery"]) == ("before-step", told()["id"])


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 423, 429, 500, 503])
def test_a_gate_that_answers_anything_else_holds_with_the_end_of_its_answer(
    receiver: Receiver, hooks: CallingHooks, status: int
) -> None:
    receiver.statuses, receiver.body = [status], b"x" * 1_000 + b"\n change freeze  until noon"
    answer = hooks.ask(receiver.url, told(), 5.0)
    assert not answer.passes
    assert answer.words.startswith(f"HTTP {status}: …")
    assert answer.words.endswith("change freeze until noon")
    assert len(answer.words) < 330
    assert len(receiver.came) == 1  # and no redirect is followed


def test_a_gate_that_hangs_is_given_up_though_bytes_come(receiver: Receiver, hooks: CallingHooks) -> None:
    receiver.hang = True
    began = time.monotonic()
    answer = hooks.ask(receiver.url, told(), 0.5)
    assert time.monotonic() - began < 5.0
    assert (answer.passes, answer.words) == (False, "no answer within 0.5 s")


def test_a_gate_that_nobody_serves_holds(hooks: CallingHooks) -> None:
    answer = hooks.ask(f"http://127.0.0.1:{free_port()}/gate", told(), 5.0)
    assert not answer.passes
    assert "refused" in answer.words


def test_a_secret_in_a_url_is_not_in_what_is_said(receiver: Receiver, hooks: CallingHooks) -> None:
    url = f"{receiver.url}/services/T0/B0/sEcReT"
    receiver.statuses, receiver.body = [404], f"no such hook {url}, T0: /services/T0/B0/sEcReT".encode()
    answer = hooks.ask(url, told(), 5.0)
    assert "no such hook" in answer.words
    assert "sEcReT" not in answer.words
    hooks.send(url, told(Happened.DONE), 5.0)
    hooks.close(5.0)
    (failure,) = hooks.failures()
    assert "could not be told of done: HTTP 404" in failure
    assert "sEcReT" not in failure


# Gates that are commands


def test_a_command_gets_the_payload_on_its_input_and_passes_with_exit_code_0(tmp_path: Path, hooks: CallingHooks) -> None:
    command = script(
        tmp_path,
        "import json, os, sys\n"
        "told = json.load(sys.stdin)\n"
        "found = [os.environ[f'CROSSOVER_{name}'] for name in ('EVENT', 'STAGE', 'DELIVERY')]\n"
        "sys.exit(found != [told['event'], told['stage'], told['id']])\n",
    )
    answer = hooks.ask(command, told(), 10.0)
    assert answer.passes, answer.words


def test_a_command_that_fails_holds_with_the_end_of_its_output(tmp_path: Path, hooks: CallingHooks) -> None:
    command = script(
        tmp_path, "import sys\nprint('x' * 5000, flush=True)\nprint('p99 is 900 ms', file=sys.stderr)\nsys.exit(3)"
    )
    answer = hooks.ask(command, told(), 10.0)
    assert not answer.passes
    assert answer.words.startswith("exit code 3: …")
    assert answer.words.endswith("p99 is 900 ms")


def test_a_command_that_is_not_there_holds_and_is_known_before(hooks: CallingHooks) -> None:
    answer = hooks.ask("command:./no-such-gate --token abc", told(), 5.0)
    assert (answer.passes, answer.words) == (False, "could not be started: No such file or directory")
    assert hooks.problem("command:./no-such-gate --token abc") == "command:./no-such-gate …: there is no such program here"


def _running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def _gone(pid: int) -> bool:
    until = time.monotonic() + 5
    while _running(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not _running(pid)


FORKS = "import os, sys, time\npid = os.fork()\nif pid == 0:\n    time.sleep(600)\nopen(sys.argv[1], 'w').write(str(pid))\n"


def test_a_slow_command_is_killed_with_all_that_it_started(tmp_path: Path, hooks: CallingHooks) -> None:
    note = tmp_path / "pid"
    command = f"{script(tmp_path, FORKS + 'print(1, flush=True); time.sleep(600)')} {note}"
    answer = hooks.ask(command, told(), 3.0)
    assert (answer.passes, answer.words) == (False, "killed after 3 s: 1")
    assert _gone(int(note.read_text()))


def test_what_a_command_leaves_behind_holds_nothing_up_and_ends_with_it(tmp_path: Path, hooks: CallingHooks) -> None:
    note = tmp_path / "pid"
    began = time.monotonic()
    answer = hooks.ask(f"{script(tmp_path, FORKS)} {note}", told(), 20.0)
    assert answer.passes
    assert time.monotonic() - began < 10
    assert _gone(int(note.read_text()))


def test_a_command_is_killed_when_the_operator_stops_the_switch(tmp_path: Path, hooks: CallingHooks) -> None:
    note = tmp_path / "pid"

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    def when_it_runs() -> None:
        until = time.monotonic() + 10
        while not (note.exists() and note.read_text()) and time.monotonic() < until:
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, stop)
    waiter = threading.Thread(target=when_it_runs)
    waiter.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            hooks.ask(f"{script(tmp_path, FORKS + 'time.sleep(600)')} {note}", told(), 60.0)
    finally:
        waiter.join()
        signal.signal(signal.SIGUSR1, before)
    assert _gone(int(note.read_text()))


# Where targets lead


def test_a_url_comes_from_a_variable_or_a_secret_and_is_asked_for_once(receiver: Receiver) -> None:
    asked: list[str] = []

    def secret(name: str) -> str:
        asked.append(name)
        return f"{receiver.url}/hook\n"

    hooks = CallingHooks(secret, {"GATE_URL": f"{receiver.url}/gate"})
    for target in ("env:GATE_URL", "secret:crossover/slack", "secret:crossover/slack"):
        assert hooks.problem(target) is None
        assert hooks.ask(target, told(), 5.0).passes
    assert asked == ["crossover/slack"]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("env:NOT_SET", "env:NOT_SET: the environment variable NOT_SET is not set"),
        ("env:WRONG", "env:WRONG: env:WRONG holds no http:// or https:// URL"),
        ("secret:gone", "secret:gone: secret gone: is not there"),
    ],
)
def test_a_target_that_leads_nowhere_is_told_without_what_it_holds(target: str, said: str) -> None:
    hooks = CallingHooks(no_secret, {"WRONG": "hunter2"})
    assert hooks.problem(target) == said
    assert not hooks.ask(target, told(), 5.0).passes
    hooks.send(target, told(Happened.DONE), 5.0)
    hooks.close(5.0)
    assert len(hooks.failures()) == 1


def test_slack_gets_its_form_of_message_and_others_the_payload(receiver: Receiver) -> None:
    hooks = CallingHooks(no_secret, {"URL": receiver.url})
    hooks.send("slack:env:URL", told(Happened.ROLLED_BACK), 5.0)
    hooks.send("env:URL", told(Happened.ROLLED_BACK), 5.0)
    hooks.close(5.0)
    assert hooks.failures() == []
    bodies = sorted((body for _, body in receiver.came), key=lambda body: "blocks" in body)
    assert bodies[0]["event"] == "rolled-back"
    assert set(bodies[1]) == {"text", "blocks"}


# What is told


def test_a_receiver_that_is_busy_is_told_again_with_the_same_id(receiver: Receiver, hooks: CallingHooks) -> None:
    receiver.statuses = [429, 200]
    hooks.send(receiver.url, told(Happened.DONE), 5.0)
    hooks.close(5.0)
    assert hooks.failures() == []
    assert len({headers["X-Crossover-Delivery"] for headers, _ in receiver.came}) == 1
    assert len(receiver.came) == 2


def test_messages_come_in_order(receiver: Receiver, hooks: CallingHooks) -> None:
    sent = [Happened.BEGUN, Happened.STEP_DONE, Happened.HELD, Happened.DONE]
    for happened in sent:
        hooks.send(receiver.url, told(happened), 5.0)
    hooks.close(5.0)
    assert [body["event"] for _, body in receiver.came] == sent


def test_a_hook_that_is_under_way_at_the_end_is_killed(tmp_path: Path, hooks: CallingHooks) -> None:
    note = tmp_path / "pid"
    hooks.send(f"{script(tmp_path, FORKS + 'time.sleep(600)')} {note}", told(Happened.DONE), 60.0)
    until = time.monotonic() + 10
    while not (note.exists() and note.read_text()) and time.monotonic() < until:
        time.sleep(0.02)
    hooks.close(0.1)
    assert _gone(int(note.read_text()))
    (failure,) = hooks.failures()
    assert failure.endswith("was not told of the last 1: given up after 0.1 s at the end")


def test_receivers_that_are_down_or_hang_do_not_slow_a_switch(receiver: Receiver, tmp_path: Path) -> None:
    """A whole switch on a clock that jumps: what it takes in real time is what its receivers cost, and the wait at the end."""
    receiver.hang = True
    hooks = CallingHooks(no_secret)
    stage = stage_at("100:0")
    stage.hooks = hooks  # type: ignore[assignment]
    slow = script(tmp_path, "import time\ntime.sleep(600)")
    down = f"http://127.0.0.1:{free_port()}"
    plan = make_plan(
        stage="prod",
        start=all_on("lambda"),
        goal=all_on("container"),
        limits=Limits(min_samples=50),
        callouts=Callouts(hooks=(slow,), notify=(receiver.url, down), timeout_s=45.0),
    )
    assert plan is not None
    driver = Driver(stage.world, owner="ops@laptop")
    began = time.monotonic()
    moments: list[float] = []
    stage.clock.on_sleep.append(lambda now: moments.append(time.monotonic()))
    record = driver.run(driver.begin(plan, why="cheaper"))
    assert record.phase is Phase.DONE
    assert moments[-1] - began < 5.0  # a call that was waited for would take 45
    assert time.monotonic() - began < 15.0
    failed = [event.what for event in stage.store.events if "told of" in event.what]
    assert any("was not told of the last" in text and "hook.py" not in text for text in failed)
    assert not [child for child in psutil.Process().children() if str(tmp_path) in " ".join(child.cmdline())]
