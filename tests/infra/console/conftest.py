"""A scripted stage, a console that serves it, and a page's way to ask it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, ClassVar

import httpx
import pytest

from tests.infra.console.scripted import Scripted, Served, serving


class Asker:
    """Asks as the page does: `enter` shows the key, `do` presses a button, `seen` is the newest document."""

    opened: ClassVar[list[httpx.Client]] = []

    def __init__(self, served: Served) -> None:
        self.http = httpx.Client(base_url=served.base, timeout=20)
        self.opened.append(self.http)
        self.headers = {"Origin": served.base, "Sec-Fetch-Site": "same-origin", "X-Crossover-Key": served.key}

    def enter(self) -> Asker:
        assert self.http.post("/session", json={}, headers=self.headers).status_code == 200
        return self

    def do(self, name: str, **order: Any) -> httpx.Response:
        return self.http.post(f"/do/{name}", json=order, headers=self.headers)

    def events(self) -> Iterator[tuple[str, str]]:
        with self.http.stream("GET", "/events") as answer:
            name = ""
            for line in answer.iter_lines():
                kind, _, value = line.partition(": ")
                if kind == "event":
                    name = value
                elif kind == "data" or line == "data:":
                    yield name, value

    def seen(self) -> dict[str, Any]:
        for name, data in self.events():
            if name == "seen":
                told: dict[str, Any] = json.loads(data)
                return told
        raise AssertionError("the stream ended")

    def planned(self, goal: str = "container", **options: Any) -> str:
        told = self.do("plan", goal=goal, **options).json()
        assert told.get("proposal"), told
        return str(told["proposal"])


@pytest.fixture
def stage() -> Scripted:
    return Scripted()


@pytest.fixture
def served(stage: Scripted) -> Iterator[Served]:
    with serving(stage) as it:
        yield it


@pytest.fixture
def asker(served: Served) -> Asker:
    return Asker(served).enter()


@pytest.fixture(autouse=True)
def _nothing_stays_open() -> Iterator[None]:
    yield
    while Asker.opened:
        Asker.opened.pop().close()
