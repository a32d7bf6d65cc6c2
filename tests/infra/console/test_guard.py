"""Over HTTP: nobody but the page of this start, in this browser, on this machine, reads or changes anything."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import httpx
import pytest

from infra.config import Stage
from infra.console.guard import HEADERS
from infra.console.server import PAGE
from infra.errors import KitError
from infra.settings.switching import Switch
from infra.switching.ports import Said
from tests.infra.console.conftest import Asker
from tests.infra.console.scripted import T0, Scripted, Served, serving
from tests.infra.console.test_actions import eventually


@pytest.mark.parametrize(
    ("path", "changed", "status"),
    [
        # A name that its owner's DNS points to 127.0.0.1, once his page is loaded from there.
        ("/", {"Host": "evil.example:{port}", "Origin": "http://evil.example:{port}"}, 403),
        ("/events", {"Host": "evil.example:{port}", "Origin": "http://evil.example:{port}"}, 403),
        ("/events", {"Host": "127.0.0.1", "Origin": "http://127.0.0.1"}, 403),
        ("/events", {"Origin": "http://evil.example"}, 403),
        ("/events", {"Origin": "null"}, 403),
        ("/events", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("/events", {"Sec-Fetch-Site": "same-site"}, 403),  # another port of this machine
        ("/events", {"Cookie": ""}, 401),
        ("/events", {"Cookie": "crossover-console-{port}=guessed"}, 401),
        ("/nothing", {"Cookie": ""}, 401),
        ("/nothing", {}, 404),
        ("/page/../server.py", {}, 404),
        ("/do/switch", {}, 405),
    ],
)
def test_reading_takes_this_host_this_origin_and_the_cookie(
    served: Served, asker: Asker, path: str, changed: dict[str, str], status: int
) -> None:
    headers = {name: value.format(port=served.port) for name, value in {**asker.headers, **changed}.items()}
    with asker.http.stream("GET", path, headers=headers) as answer:
        assert answer.status_code == status
        answer.read()
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    assert "111122223333" not in answer.text


@pytest.mark.parametrize("path", ["/do/prewarm", "/do/switch", "/do/plan", "/session"])
@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Host": "evil.example:{port}", "Origin": "http://evil.example:{port}"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://localhost:{port}"}, 403),  # not the name by which it is asked
        ({"Origin": None}, 403),
        ({"X-Crossover-Key": None}, 403),
        ({"X-Crossover-Key": "guessed"}, 403),
        ({"X-Crossover-Key": "schlüssel".encode()}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),  # what a form of another page can send
    ],
)
def test_changing_takes_the_key_and_a_page_of_this_origin(
    served: Served, stage: Scripted, asker: Asker, path: str, changed: dict[str, str | bytes | None], status: int
) -> None:
    wanted = {"Content-Type": "application/json", **asker.headers, **changed}
    headers = {
        name.encode(): value.format(port=served.port).encode() if isinstance(value, str) else value
        for name, value in wanted.items()
        if value is not None
    }
    asked = len(stage.mishaps.calls)
    answer = asker.http.post(path, content=b"{}", headers=headers)
    assert answer.status_code == status
    assert "set-cookie" not in answer.headers
    assert len(stage.mishaps.calls) == asked


def test_the_key_without_the_cookie_changes_nothing_and_the_cookie_without_the_key_neither(served: Served) -> None:
    fresh = Asker(served)
    assert fresh.do("pause").status_code == 401
    fresh.enter()
    del fresh.headers["X-Crossover-Key"]
    assert fresh.seen()["stage"] == "prod"
    assert fresh.do("pause").status_code == 403


def test_the_cookie_is_for_this_host_and_no_script(served: Served) -> None:
    set_cookie = Asker(served).enter().http.post("/session", json={}, headers=Asker(served).headers).headers["set-cookie"]
    name, _, flags = set_cookie.partition(";")
    assert name.startswith(f"crossover-console-{served.port}=")
    assert served.key not in name  # whoever reads the cookie on another port has not the key
    assert {flag.strip() for flag in flags.split(";")} == {"HttpOnly", "Path=/", "SameSite=Strict"}


def test_the_page_s_files_hold_nothing_of_the_stage_and_load_nothing_from_elsewhere(served: Served) -> None:
    for path in sorted(PAGE.iterdir()):
        answer = httpx.get(f"{served.base}/page/{path.name}")
        assert answer.status_code == 200
        assert served.key not in answer.text
        foreign = answer.text.replace("http://www.w3.org/2000/svg", "")
        assert "http:" not in foreign and "https:" not in foreign
        for sink in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", " onclick", "style="):
            assert sink not in answer.text, f"{path.name}: {sink}"
    assert httpx.get(served.base).text == (PAGE / "index.html").read_text()


def test_each_start_has_a_key_of_its_own(stage: Scripted) -> None:
    keys = set()
    for _ in range(2):
        with serving(stage) as served:
            keys.add(served.key)
    assert len(keys) == 2
    assert all(len(key) >= 43 for key in keys)  # 256 bits


def test_it_listens_on_127_0_0_1_alone(served: Served) -> None:
    socket.create_connection(("127.0.0.1", served.port), timeout=5).close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", served.port), timeout=5)


def test_a_port_that_is_taken_is_one_clear_line(stage: Scripted, served: Served) -> None:
    with (
        pytest.raises(KitError, match=f"--port {served.port}: .*; say another, or 0 for a free one"),
        serving(stage, port=served.port),
    ):
        pass


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"{", 400, "not understood"),
        (b'{"goal": "moon"}', 400, "must be lambda, container, or split"),
        (b'{"goal": "container", "units": 0}', 400, "not understood"),
        (b'{"goal": "container", "stage": "other"}', 400, "unknown field `stage`"),
        (b'{"goal": "container", "steps": "5,x"}', 400, "must be whole numbers"),
        (b'{"goal": "container", "limits": ["speed=1"]}', 400, "NAME one of"),
        (b'{"goal": "' + 70_000 * b"a" + b'"}', 413, ""),
    ],
)
def test_what_is_sent_wrong_is_refused_in_words(asker: Asker, body: bytes, status: int, says: str) -> None:
    answer = asker.http.post("/do/plan", content=body, headers={**asker.headers, "Content-Type": "application/json"})
    assert answer.status_code == status
    assert says in answer.text


def test_reading_only_has_a_plan_and_no_way_to_change_anything(stage: Scripted, tmp_path: Path) -> None:
    with serving(stage, read_only=True) as served:
        asker = Asker(served).enter()
        proposal = asker.planned()
        for name in ("switch", "pause", "promote", "abort", "resume", "prewarm-plan", "prewarm", "schedule"):
            assert asker.do(name, typed="prod").status_code == 404
        assert asker.do("switch", proposal=proposal, typed="prod").status_code == 404
        assert asker.seen()["console"]["read_only"] is True
    assert stage.store.load() is None


def test_no_target_s_secret_is_on_the_page(stage: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """An incoming webhook's URL is one; so may be what stands in a gate's."""
    hook, gate = "https://hooks.slack.com/services/T0/B0/s3cret", "https://user:s3cret@gate.example.com/s3cret?token=s3cret"
    settings = Stage(name="prod", switch=Switch(gates=(gate,), hooks=(hook,), notify=(hook,), gate_hold_s=3_600))
    monkeypatch.setattr("infra.operating.callouts.settings_of", lambda name: settings)
    stage.hooks.answers[gate] = Said(passes=False, words="frozen")
    with serving(stage) as served:
        asker = Asker(served).enter()
        plan = asker.do("plan", goal="container")
        assert "gate.example.com" in plan.text
        stage.clock.until = T0 + 30
        begun = asker.do("switch", proposal=plan.json()["proposal"], typed="prod")
        assert begun.status_code == 200, begun.text
        eventually(lambda: asker.seen()["switch"]["held"] == "frozen", "no gate is asked")
        seen = json.dumps(asker.seen())
        assert "gate.example.com" in seen
        for told in (plan.text, begun.text, seen):
            assert "s3cret" not in told
            assert served.key not in told


def test_what_is_not_http_is_refused_too(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as raw:
        raw.sendall(b"GET /events HTTP/1.1\r\n\r\n")  # without a Host
        answer = raw.recv(4096)
    assert answer.split(b" ", 2)[1] in (b"400", b"403")
    assert b"111122223333" not in answer
