"""A second service on the kit: docs/bring-your-own-service.md done to the letter, and what a folder may not be."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.bundle import find_interpreter, local_target
from infra.errors import InputError
from infra.lab.lambda_lane import LambdaLane, runtime_folder
from infra.lab.runtime_api import Code
from infra.own_service import load_service
from tests.conftest import ROOT, absent, descendants_with, require_program

QUOTES = Path(__file__).parent / "own_service" / "quotes"
DOCUMENT = (ROOT / "docs" / "bring-your-own-service.md").read_text()
COMMANDS = [line.removeprefix("$ ") for line in DOCUMENT.splitlines() if line.startswith("$ ")]
MARKER = "own-service"


class Checkout:
    """The document's commands, with its `../quotes` and `out/` in a folder of the test's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.service = Path(shutil.copytree(QUOTES, folder / "quotes"))
        self.out = folder / "out"
        programs = f"{ROOT / '.venv' / 'bin'}:{ROOT / '.setup' / 'uv' / 'bin'}:{Path(sys.executable).parent}"
        self.environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "CROSSOVER_TEST_MARKER": MARKER}

    def arguments(self, start: str) -> list[str]:
        """The one command of the document that begins so."""
        (command,) = [command for command in COMMANDS if command.startswith(start)]
        return shlex.split(command.replace("../quotes", str(self.service)).replace("out/", f"{self.out}/"))

    def run(self, start: str, *more: str) -> str:
        done = subprocess.run(
            [*self.arguments(start), *more],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout(tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def bundle(checkout: Checkout) -> dict[str, Any]:
    built: dict[str, Any] = json.loads(checkout.run("crossover bundle", "--json"))
    return built


def test_the_document_shows_the_files_that_are_tested() -> None:
    shown = dict(re.findall(r"\*\*`quotes/([^`]+)`\*\*\n\n```\w+\n(.*?)```", DOCUMENT, re.DOTALL))
    assert {"app/bootstrap.py", "quotes/web.py", "service.toml"} == shown.keys()
    for name, text in shown.items():
        assert text == (QUOTES / name).read_text(), name
    assert (QUOTES / "requirements.in").read_text().strip() in DOCUMENT


@pytest.mark.slow
def test_the_bundle_is_the_kit_with_the_service_laid_over_it(bundle: dict[str, Any]) -> None:
    with zipfile.ZipFile(bundle["path"]) as archive:
        names = set(archive.namelist())
        assert archive.read("app/bootstrap.py") == (QUOTES / "app" / "bootstrap.py").read_bytes()
        assert archive.read("quotes/web.py") == (QUOTES / "quotes" / "web.py").read_bytes()
        assert archive.read("app/serve.py") == (ROOT / "app" / "serve.py").read_bytes()
    assert {"lambda_handler/handler.py", "sortedcontainers/__init__.py", "uvicorn/__init__.py"} <= names
    assert names.isdisjoint({"service.toml", "requirements.txt", "requirements.in"})


@pytest.mark.slow
def test_both_lanes_answer_alike_and_are_measured_and_priced(checkout: Checkout) -> None:
    said = checkout.run("crossover demo")
    assert "answered 30 of 30 searches identically" in said
    profile = json.loads((checkout.out / "quotes" / "profile.json").read_text())
    report = json.loads((checkout.out / "quotes" / "report.json").read_text())
    for name in ("lambda", "container"):
        measured = profile[f"{name}_lane"]
        assert (measured["searches"], measured["errors"]) == (80, 0)
        assert 0 < measured["cpu_ms_per_search"] < 100
        assert 100 < measured["response_bytes"] < 1_000, "the answer of /quote, not that of a search"
        assert measured["upstream_bytes_out"] is None, "nobody counted, so unknown"
        assert report["lanes"][name]["usd_per_month"] > 0
        assert any(f"between the {name.replace('lambda', 'Lambda')} lane" in gap for gap in report["not_priced"])
    assert profile["conditions"]["suppliers"] is None
    html = (checkout.out / "quotes" / "report.html").read_text()
    assert "None suppliers" not in html
    assert "an unknown number to suppliers" in html
    assert "$" in checkout.run("crossover cost")
    assert descendants_with(MARKER) == []


@pytest.fixture
def lab(checkout: Checkout) -> Iterator[str]:
    command = [*checkout.arguments("crossover lab up")[:-1], "0"]  # any port that is free
    with subprocess.Popen(command, cwd=ROOT, env=checkout.environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield line.removeprefix("load balancer  ").strip()
        process.terminate()


@pytest.mark.slow
def test_each_lane_answers_what_the_document_asks(lab: str, checkout: Checkout) -> None:
    answers = {}
    for lane in ("lambda", "container"):
        *_, url = checkout.arguments(f"curl -H 'x-crossover-lane: {lane}'")
        request = urllib.request.Request(url.replace("http://127.0.0.1:8080", lab), headers={"x-crossover-lane": lane})
        with urllib.request.urlopen(request, timeout=30) as answer:
            answers[lane] = json.load(answer)
    assert answers["lambda"] == answers["container"] == {"price": "101.35", "since": 540, "currency": "EUR"}


@pytest.mark.slow
def test_a_deployment_ships_the_service_and_its_settings_on_both_lanes(checkout: Checkout) -> None:
    require_program("node")
    context = dict(pair.split("=", 1) for pair in checkout.arguments("npx cdk deploy") if "=" in pair)
    assembly = checkout.folder / "assembly"
    environment = {**checkout.environment, "CDK_CONTEXT_JSON": json.dumps(context), "CDK_OUTDIR": str(assembly)}
    done = subprocess.run(
        [sys.executable, "-m", "infra.app"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "suppliers_url is still" not in done.stderr
    function = (assembly / "crossover-dev-lambda.template.json").read_text()
    instances = (assembly / "crossover-dev-container.template.json").read_text()
    assert '"QUOTES_CURRENCY": "USD"' in function
    assert "QUOTES_CURRENCY=USD" in instances
    sha256 = re.search(r'"CROSSOVER_BUNDLE_SHA256": "([0-9a-f]{64})"', function)
    assert sha256 is not None
    assert sha256[1] in instances


@pytest.mark.slow
def test_the_locked_requirements_are_made_as_the_document_says(checkout: Checkout) -> None:
    made = checkout.service / "requirements.txt"
    before = made.read_text()
    made.unlink()
    checkout.out.mkdir(exist_ok=True)
    checkout.run("uv export")
    compiled = subprocess.run(
        checkout.arguments("uv pip compile"), cwd=ROOT, env=checkout.environment, capture_output=True, text=True, check=False
    )
    if "Failed to fetch" in compiled.stderr or "error sending request" in compiled.stderr:
        made.write_text(before)
        absent("the package index cannot be reached")
    assert compiled.returncode == 0, compiled.stderr
    assert load_service(checkout.service).requirements.count("--hash=sha256:") >= 2
    assert "sortedcontainers==" in made.read_text()


PLAIN = """
async def app(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"plain"})

def create_app():
    return app
"""


@pytest.fixture
def plain(bundle: dict[str, Any], tmp_path: Path) -> Path:
    """An unpacked bundle of an app that is one function, knows no lifespan and has no `state`."""
    tree = Path(shutil.copytree(bundle["tree"], tmp_path / "tree"))
    shutil.rmtree(tree / "app" / "__pycache__")
    (tree / "app" / "bootstrap.py").write_text(PLAIN)
    return tree


def interpreter() -> Path:
    python = find_interpreter(local_target().python)
    assert python is not None
    return python


@pytest.mark.slow
async def test_a_plain_asgi_function_runs_on_lambda(plain: Path) -> None:
    event = json.loads((ROOT / "tests" / "lambda_handler" / "events" / "alb_multi_value_headers.json").read_text())
    code = Code(plain, interpreter(), {}, runtime_folder(local_target().python, interpreter()))
    async with LambdaLane(code) as lane:
        for _ in range(2):
            result = await lane.invoke(json.dumps(event).encode())
            assert result.error_type is None, result.payload
            assert json.loads(result.payload)["body"] == "plain"


@pytest.mark.slow
def test_a_plain_asgi_function_answers_through_the_lame_duck_phase(plain: Path) -> None:
    command = [str(interpreter()), "-m", "app.serve", "--port", "0", "--lame-duck-s", "2"]
    with subprocess.Popen(command, cwd=plain, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip().removeprefix("listening on ")
        for _ in range(2):
            with urllib.request.urlopen(f"{url}/readyz", timeout=30) as answer:
                assert answer.read() == b"plain"
            server.terminate()
        assert server.wait(30) == 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(QUOTES, tmp_path / "quotes"))


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ("", "service.toml: requests: must list at least one path to GET"),
        ("requests = 3", "requests: must list at least one path"),
        ('requests = ["quote"]', "requests: 'quote' must be a path that begins with /"),
        ('requests = ["/a b"]', "requests: '/a b' must be a path that begins with / and is percent-encoded"),
        ('requests = ["/"]\npath = "/"', "service.toml: 'path' is not known; known: requests, environment, lab_environment"),
        ('requests = ["/"]\nenvironment = 3', "environment: must be a table of variables"),
        ('requests = ["/"]\n[environment]\nA-B = "x"', "environment.A-B: is not a variable's name"),
        ('requests = ["/"]\n[environment]\nAWS_REGION = "x"', "environment.AWS_REGION: is the lanes' own"),
        ('requests = ["/"]\n[environment]\nSIZE = 3', "environment.SIZE: must be text in quotes"),
        ('requests = ["/"]\n[lab_environment]\nLINES = "a\\nb"', "lab_environment.LINES: must be printable ASCII on one line"),
        ('requests = ["/"]\n[environment]\nQUOTED = "a\'b"', "environment.QUOTED: must hold no quote or backslash"),
        ("requests = [", "service.toml: is no TOML"),
    ],
)
def test_a_wrong_manifest_is_one_line_that_names_what_is_wrong(folder: Path, manifest: str, reason: str) -> None:
    (folder / "service.toml").write_text(manifest)
    with pytest.raises(InputError, match=re.escape(reason)):
        load_service(folder)


def test_a_folder_without_an_app_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "infra.cli", "bundle", "--service", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == f"crossover: {tmp_path}: holds no app/bootstrap.py, whose create_app() returns the ASGI app\n"


@pytest.mark.parametrize("line", ["sortedcontainers", "sortedcontainers==2.4.0", "-r other.txt"])
def test_requirements_that_are_not_locked_are_refused(folder: Path, line: str) -> None:
    (folder / "requirements.txt").write_text(f"# a comment\n{line}\n")
    with pytest.raises(InputError, match=f"'{line}' is not pinned with its hashes; write it with `uv pip compile"):
        load_service(folder)


def test_a_file_of_the_kit_is_not_replaced_unseen(folder: Path) -> None:
    (folder / "app" / "serve.py").write_text("")
    kit = {"app/bootstrap.py": b"kit", "app/serve.py": b"kit", "app/core/models.py": b"kit"}
    with pytest.raises(InputError, match=r"quotes/app/serve\.py: the bundle has a file of that name"):
        load_service(folder).laid_over(kit)
    (folder / "app" / "serve.py").unlink()
    (folder / ".secret").write_text("not shipped")
    laid = load_service(folder).laid_over(kit)
    assert laid.keys() == {*kit, "quotes/__init__.py", "quotes/web.py"}
    assert laid["app/bootstrap.py"] == (QUOTES / "app" / "bootstrap.py").read_bytes()
