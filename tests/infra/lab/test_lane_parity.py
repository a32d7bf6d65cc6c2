"""Odd requests get the same answer from both lanes of one bundle: the real runtime client with each front's events, and the
real uvicorn workers. What a front changes is said in `parity_fronts.py` and docs/parity.md; nothing else may differ."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from infra.bundle import Bundle, find_interpreter, local_target
from infra.lab.container_lane import ContainerLane
from infra.lab.lambda_lane import LambdaLane, runtime_folder
from infra.lab.runtime_api import Code
from infra.own_service import load_service
from tests.infra.lab.parity_corpus import ECHO, SEARCH, Case
from tests.infra.lab.parity_fronts import CALLER, FRONTS, Answer, ask

pytestmark = pytest.mark.slow

OWN_SERVICE = Path(__file__).parent.parent / "own_service" / "echo"


@pytest.fixture(scope="module")
def echo(local_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle with the echoing service laid over it, as `--service` does."""
    tree = Path(shutil.copytree(local_bundle.tree, tmp_path_factory.mktemp("echo") / "tree"))
    shutil.rmtree(tree / "app" / "__pycache__")
    for name, content in load_service(OWN_SERVICE).files().items():
        (tree / name).write_bytes(content)
    return tree


def interpreter() -> Path:
    python = find_interpreter(local_target().python)
    assert python is not None
    return python


@asynccontextmanager
async def both_lanes(tree: Path) -> AsyncIterator[tuple[LambdaLane, int]]:
    code = Code(tree, interpreter(), {}, runtime_folder(local_target().python, interpreter()))
    async with LambdaLane(code, concurrency=1) as function, ContainerLane(tree, interpreter(), {}, workers=1) as container:
        port = urlsplit(container.url).port
        assert port is not None
        yield function, port


async def differences(tree: Path, corpus: tuple[Case, ...]) -> list[str]:
    """One line for each case that the lanes answer differently, or with a 5xx that nobody asked for."""
    found: list[str] = []
    answered: dict[Case, Answer] = {}
    async with both_lanes(tree) as (function, port):
        for (name, front), case in product(FRONTS.items(), corpus):
            asked = front.asked(case)
            if asked not in answered:
                answered[asked] = ask(port, asked)
            result = await function.invoke(json.dumps(front.event(case)).encode())
            if result.error_type is not None:
                found.append(f"{name}, {case.name}: the function fails: {result.payload[:300]!r}")
                continue
            got, expected = front.answer(case, result.payload), front.expected(answered[asked])
            if case.unsure:
                found += [f"{name}, {case.name}: {each.status}" for each in (got, expected) if each.status >= 500]
            elif got != expected:
                found.append(f"{name}, {case.name}: {_difference(got, expected)}")
        assert function.cold_starts == 1, "an environment ended on the way"
    return found


def _difference(got: Answer, expected: Answer) -> str:
    for part in ("status", "headers", "body"):
        one, other = getattr(got, part), getattr(expected, part)
        if isinstance(one, dict) and isinstance(other, dict):
            keys = [key for key in one.keys() | other.keys() if one.get(key) != other.get(key)]
            one, other = {key: one.get(key) for key in keys}, {key: other.get(key) for key in keys}
        if one != other:
            return f"{part}: Lambda {str(one)[:300]}, container {str(other)[:300]}"
    return ""


async def test_what_a_service_is_asked_and_answers_is_the_same_on_both_lanes(echo: Path) -> None:
    assert "\n".join(await differences(echo, ECHO)) == ""


async def test_the_search_service_refuses_odd_requests_alike_on_both_lanes(local_bundle: Bundle) -> None:
    assert "\n".join(await differences(local_bundle.tree, SEARCH)) == ""


async def test_an_instance_believes_the_callers_address_and_scheme_from_the_named_network_alone(echo: Path) -> None:
    said = {}
    for network in ("127.0.0.0/8", "10.40.0.0/16"):
        async with ContainerLane(echo, interpreter(), {"FORWARDED_ALLOW_IPS": network}, workers=1) as lane:
            answer = ask(urlsplit(lane.url).port or 0, Case(name="any", headers=(("X-Forwarded-For", "9.9.9.9"),)))
            said[network] = (answer.body["scheme"], answer.body["client"])
    assert said == {"127.0.0.0/8": ("https", CALLER), "10.40.0.0/16": ("http", "127.0.0.1")}


def test_the_corpus_names_each_case_once() -> None:
    for corpus in (ECHO, SEARCH):
        assert [name for name, count in Counter(case.name for case in corpus).items() if count > 1] == []
