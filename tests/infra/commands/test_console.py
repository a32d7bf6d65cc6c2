"""`crossover console` as a process: what it prints, and how it ends. What the page does is tests/infra/console."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from infra.commands.console import _open
from tests.conftest import ROOT

SERVE = """
from infra.cli import cli
from tests.infra.console.scripted import Scripted
cli(["console", "--stage", "prod", "--port", "0", "--no-browser"], obj=Scripted().connect, standalone_mode=False)
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_url_alone_is_on_standard_output_and_a_signal_ends_it(number: signal.Signals) -> None:
    command = [sys.executable, "-c", SERVE]
    console = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert console.stdout is not None
        url = console.stdout.readline().strip()
        assert httpx.get(url).status_code == 200
        console.send_signal(number)
        more, said = console.communicate(timeout=30)
    finally:
        console.kill()
        console.communicate()
    assert console.returncode == 0
    assert more == ""
    assert said.splitlines() == ["crossover: the page of prod, for this machine alone; Ctrl-C ends it", "crossover: ending"]


def test_the_browser_is_led_there_by_a_file_that_others_cannot_read_and_not_by_an_argument(tmp_path: Path) -> None:
    shown: list[str] = []
    _open("http://127.0.0.1:1/#key=secret", tmp_path, shown.append)
    (way,) = tmp_path.iterdir()
    assert shown == [way.as_uri()]
    assert "secret" not in shown[0]
    assert way.stat().st_mode & 0o077 == 0
    assert "url=http://127.0.0.1:1/#key=secret" in way.read_text()
