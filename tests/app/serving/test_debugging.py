"""The debug switch logs what holds the loop for a millisecond, a console looks into it while it runs; both off by default."""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path

import httpx
import pytest

from app.core.errors import ConfigurationError
from app.serving.debugging import console
from tests.app.serving.test_supervisor import serving, tree
from tests.conftest import free_port

__all__ = ["tree"]

A_TERMINAL = b"\xff\xfb\x18\xff\xfa\x18\x00xterm\xff\xf0" + b"\xff\xfb\x1f\xff\xfa\x1f\x00\xc8\x00\x32\xff\xf0"
"""Telnet: my terminal is an xterm of 200 by 50."""


@pytest.mark.slow
def test_debug_names_the_callback_that_held_the_loop_and_never_kills_a_worker(tree: Path) -> None:
    with serving(tree, "--debug") as (_, url):
        before = httpx.get(url).text
        assert httpx.get(f"{url}/block?s=4", timeout=10).text == "blocked", "longer than the watchdog allows otherwise"
        assert httpx.get(url).text == before
    slow = [line for line in (tree / "stderr").read_text().splitlines() if "took 4." in line]
    assert slow
    assert "Executing" in slow[0]


@pytest.mark.slow
def test_without_it_nothing_is_logged(tree: Path) -> None:
    with serving(tree) as (_, url):
        httpx.get(f"{url}/block?s=0.1", timeout=10)
    assert "Executing" not in (tree / "stderr").read_text()


@pytest.mark.slow
def test_the_console_shows_the_tasks_of_the_running_loop_on_loopback_only(tree: Path) -> None:
    port = free_port()
    with serving(tree, "--console-port", str(port)) as (_, url):
        assert httpx.get(url).status_code == 200
        with socket.create_connection(("127.0.0.1", port), timeout=10) as caller:
            caller.settimeout(1)
            caller.sendall(A_TERMINAL)
            said, end = b"", time.monotonic() + 15
            while b"_serve" not in said and time.monotonic() < end:
                try:
                    said += caller.recv(65_536)
                except TimeoutError:
                    caller.sendall(b"ps\r")
        assert b"_serve" in said, said[-500:]


def test_without_aiomonitor_the_console_is_a_wrong_setting_like_any_other(tree: Path) -> None:
    (tree / "aiomonitor.py").write_text("raise ImportError")
    with serving(tree, "--console-port", "1") as (process, url):
        assert (process.wait(30), url) == (2, "")
    lines = (tree / "stderr").read_text().splitlines()
    assert lines == ["app.serve: --console-port: needs aiomonitor, which the bundle does not carry: pip install aiomonitor"]


def test_where_the_console_is_not_installed_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiomonitor", None)
    with pytest.raises(ConfigurationError, match="pip install aiomonitor"), console(None, 1):  # type: ignore[arg-type]
        pass
