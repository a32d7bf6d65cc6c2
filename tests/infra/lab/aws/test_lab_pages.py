"""Pages under `/_lab/`: JSON in and out, one line for a request that is wrong, and moto behind them as before."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import Client

from infra.lab.aws.lab_pages import LabPages, entries


def double(told: Any) -> dict[str, int]:
    return {name: 2 * number for name, number in entries(told, "names and numbers").items()}


def broken(told: Any) -> None:
    raise LookupError("nothing is there")


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(DomainDispatcherApplication, "__call__", DomainDispatcherApplication.__call__)  # put back afterwards
    pages = LabPages()
    pages.add("PUT", "/_lab/double", double)
    pages.add("GET", "/_lab/double", lambda _: {"doubled": "numbers"})
    pages.add("POST", "/_lab/broken", broken)
    pages.install()
    return Client(DomainDispatcherApplication(create_backend_app))


def test_a_page_takes_json_and_answers_json(client: Client) -> None:
    answer = client.put("/_lab/double", data=json.dumps({"a": 2}))
    assert (answer.status_code, answer.content_type, answer.json) == (200, "application/json", {"a": 4})
    assert client.get("/_lab/double").json == {"doubled": "numbers"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("PUT", "/_lab/double", "{", 400, "/_lab/double: the body is not JSON: "),
        ("PUT", "/_lab/double", "[1]", 400, "/_lab/double: the body must be an object of names and numbers"),
        ("PUT", "/_lab/double", "", 400, "/_lab/double: the body must be an object of names and numbers"),
        ("POST", "/_lab/double", "{}", 405, "/_lab/double: POST is not for it, but GET, PUT"),
        ("GET", "/_lab/nothing", "", 404, "/_lab/nothing: no such page; there are /_lab/broken, /_lab/double"),
        ("POST", "/_lab/broken", "", 500, "/_lab/broken: LookupError: nothing is there"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(client: Client, method: str, path: str, body: str, status: int, said: str) -> None:
    answer = client.open(path, method=method, data=body)
    assert answer.status_code == status
    error = json.loads(answer.data)["error"]
    assert error.startswith(said)
    assert "\n" not in error


def test_all_else_is_motos(client: Client) -> None:
    assert b"ListAllMyBucketsResult" in client.get("/").data


def test_a_page_elsewhere_is_refused() -> None:
    with pytest.raises(ValueError, match="not under"):
        LabPages().add("GET", "/time", double)
