"""The bundle: the same bytes twice, nothing in it that is not needed, and clear refusals."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra import bundle as bundle_module
from infra import bundle_files, wheels
from infra.bundle import (
    Bundle,
    BundleTarget,
    build_bundle,
    bundle_at_hand,
    ensure_bundle,
    find_interpreter,
    local_target,
)
from infra.errors import InputError, KitError
from tests.conftest import ROOT


@pytest.mark.slow
def test_two_builds_in_different_places_and_moods_have_the_same_digest(local_bundle: Bundle, tmp_path: Path) -> None:
    script = (
        "import os, sys; os.umask(0o077); from pathlib import Path; from infra.bundle import *; "
        f"print(build_bundle(BundleTarget({local_bundle.target.python!r}, {local_bundle.target.architecture!r}), "
        f"out=Path({str(tmp_path / 'a longer path' / 'elsewhere')!r})).sha256)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "TZ": "Pacific/Auckland", "LC_ALL": "C"}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == local_bundle.sha256


def test_the_zip_holds_the_very_files_of_the_tree_and_its_digest_is_the_files(local_bundle: Bundle) -> None:
    assert hashlib.sha256(local_bundle.zip.read_bytes()).hexdigest() == local_bundle.sha256
    with zipfile.ZipFile(local_bundle.zip) as archive:
        zipped = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    files = {
        path.relative_to(local_bundle.tree).as_posix(): path.read_bytes()
        for path in local_bundle.tree.rglob("*")
        if path.is_file()
    }
    assert sum(map(len, zipped.values())) == local_bundle.unzipped_bytes
    assert zipped.keys() == files.keys()
    different = [name for name, content in files.items() if zipped[name] != content]
    assert set(different) <= {"certifi/cacert.pem"}, "an agent of the machine may add to a certificate store, to nothing else"


def test_it_holds_the_service_and_no_tooling_and_is_byte_compiled(local_bundle: Bundle) -> None:
    names = {path.relative_to(local_bundle.tree).as_posix() for path in local_bundle.tree.rglob("*") if path.is_file()}
    ours = {"app/bootstrap.py", "app/suppliers/catalogue.toml", "lambda_handler/handler.py", "secret_values/__main__.py"}
    ours |= {"instance/boot.py", "instance/agent.py", "instance/systemd/crossover.service"}
    assert {*ours, "uvloop/__init__.py"} <= names
    tops = {name.partition("/")[0] for name in names}
    assert not tops & {"infra", "tests", "boto3", "pytest", "aws_cdk", "bin"}
    assert not [name for name in names if name.endswith((".pyi", ".pyx", ".c"))]
    assert any("LICENSE" in name.upper() for name in names), "licences must travel with the code"
    assert local_bundle.byte_compiled
    assert any(name.startswith("app/__pycache__/bootstrap.") for name in names)


def test_what_lambda_starts_as_a_wrapper_script_may_be_executed_and_nothing_else(local_bundle: Bundle) -> None:
    files = [path for path in local_bundle.tree.rglob("*") if path.is_file()]
    executable = {path.relative_to(local_bundle.tree).as_posix() for path in files if path.stat().st_mode & 0o111}
    with zipfile.ZipFile(local_bundle.zip) as archive:
        zipped = {entry.filename for entry in archive.infolist() if entry.external_attr >> 16 & 0o111}
    assert executable == zipped == {"lambda_handler/start"}


def test_the_stripped_extensions_still_load_in_the_target_interpreter(local_bundle: Bundle) -> None:
    interpreter = find_interpreter(local_bundle.target.python)
    assert interpreter is not None
    code = f"import sys; sys.path.insert(0, {str(local_bundle.tree)!r}); import uvloop, httptools, msgspec"
    subprocess.run([interpreter, "-I", "-S", "-c", code], check=True)


def test_what_is_imported_only_where_traces_are_wanted_is_there_and_finds_its_way_without_entry_points(
    local_bundle: Bundle,
) -> None:
    interpreter = find_interpreter(local_bundle.target.python)
    assert interpreter is not None
    assert not list(local_bundle.tree.rglob("entry_points.txt"))
    code = f"""
import asyncio, sys
sys.path.insert(0, {str(local_bundle.tree)!r})
from app.settings import Settings
from app.telemetry.tracing.export import open_pipeline
from app.telemetry.tracing.spans import Traces

async def main():
    settings = Settings.from_environment({{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}}).traces
    async with open_pipeline(settings, about={{}}, hosts={{}}) as pipeline:
        Traces(pipeline)

asyncio.run(main())
"""
    done = subprocess.run([interpreter, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_is_built_again_while_nothing_changed(local_bundle: Bundle) -> None:
    steps: list[str] = []
    assert ensure_bundle(local_bundle.target, progress=steps.append) == local_bundle
    assert steps == []


@pytest.fixture
def out(local_bundle: Bundle, tmp_path: Path) -> Path:
    """A place with a copy of the bundle."""
    shutil.copytree(local_bundle.tree.parent, tmp_path / "out" / str(local_bundle.target))
    return tmp_path / "out"


def test_a_bundle_is_at_hand_wherever_it_lies(local_bundle: Bundle, out: Path) -> None:
    found = bundle_at_hand(local_bundle.target, out=out)
    assert found is not None and found.sha256 == local_bundle.sha256


@pytest.mark.parametrize("harm", ["zip", "edited", "added"])
def test_a_bundle_that_was_tampered_with_is_none(local_bundle: Bundle, out: Path, harm: str) -> None:
    tree = out / str(local_bundle.target) / "tree"
    if harm == "zip":
        archive = tree.parent / "bundle.zip"
        archive.write_bytes(archive.read_bytes()[:1000])
    elif harm == "edited":
        (tree / "app" / "serve.py").write_text("print('changed')\n")
    else:
        (tree / "app" / "more.py").write_text("")
    assert bundle_at_hand(local_bundle.target, out=out) is None


@pytest.mark.slow
def test_a_bundle_that_was_tampered_with_is_built_anew(local_bundle: Bundle, out: Path) -> None:
    (out / str(local_bundle.target) / "tree" / "app" / "serve.py").write_text("print('changed')\n")
    steps: list[str] = []
    assert ensure_bundle(local_bundle.target, out=out, progress=steps.append).sha256 == local_bundle.sha256
    assert steps


def test_what_editors_leave_beside_the_sources_is_not_shipped(local_bundle: Bundle) -> None:
    leftover = ROOT / "app" / ".ports.py.swp"
    leftover.write_text("x")
    try:
        steps: list[str] = []
        assert ensure_bundle(local_bundle.target, progress=steps.append).sha256 == local_bundle.sha256
        assert steps == []
    finally:
        leftover.unlink()


def test_the_interpreter_of_a_lane_does_not_see_the_kits_packages() -> None:
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    interpreter = find_interpreter(running)
    assert interpreter is not None
    assert subprocess.run([interpreter, "-c", "import infra.bundle"], cwd="/", capture_output=True, check=False).returncode == 1


def test_a_lock_behind_pyproject_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = (ROOT / "pyproject.toml").read_text().replace('    "mangum>=', '    "six>=1.16",\n    "mangum>=')
    (tmp_path / "pyproject.toml").write_text(changed)
    for name in ("uv.lock", "README.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.setattr(wheels, "ROOT", tmp_path)
    with pytest.raises(KitError, match=r"uv\.lock does not match pyproject\.toml"):
        wheels.locked_requirements("service")


def test_a_place_that_cannot_be_written_is_one_line() -> None:
    with pytest.raises(InputError, match="bundles cannot be kept there"):
        ensure_bundle(local_target(), out=Path("/proc/nowhere"))


@pytest.mark.slow
def test_the_other_architecture_is_cross_built_with_its_own_wheels(local_bundle: Bundle, tmp_path: Path) -> None:
    other = {"x86_64": "arm64", "arm64": "x86_64"}[local_bundle.target.architecture]
    built = build_bundle(BundleTarget(local_bundle.target.python, other), out=tmp_path)
    machine = {"arm64": 0xB7, "x86_64": 0x3E}[other]
    objects = list(built.tree.rglob("*.so"))
    assert objects
    assert all(int.from_bytes(path.read_bytes()[18:20], "little") == machine for path in objects)
    assert built.sha256 != local_bundle.sha256


@pytest.mark.slow
def test_without_the_target_interpreter_the_loss_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_module, "find_interpreter", lambda python: None)
    built = build_bundle(BundleTarget("3.13", "x86_64"), out=tmp_path)
    assert not built.byte_compiled
    assert "no Python 3.13 on this machine" in built.warnings[0]
    assert not list(built.tree.rglob("*.pyc"))


@pytest.mark.slow
def test_over_lambdas_limit_it_refuses_naming_the_largest_and_leaves_the_old_one(
    local_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle_files, "LAMBDA_UNZIPPED_LIMIT", 1_000_000)
    with pytest.raises(
        KitError, match=r"MB unzipped, Lambda takes at most 250; the largest: redis \d+ MB, opentelemetry \d+ MB"
    ):
        build_bundle(local_bundle.target)
    monkeypatch.undo()
    steps: list[str] = []
    assert ensure_bundle(local_bundle.target, progress=steps.append).sha256 == local_bundle.sha256
    assert steps == [], "a refused build must leave the bundle at hand as it was"


def test_a_lock_that_does_not_match_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = "httpx==0.28.1 --hash=sha256:" + "0" * 64
    monkeypatch.setattr(bundle_module, "locked_requirements", lambda group: wrong)
    with pytest.raises(KitError, match=r"the locked wheels for Python 3\.13 could not be installed") as caught:
        build_bundle(BundleTarget("3.13", "arm64"), out=tmp_path)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "arm64-py3.13").exists()


@pytest.mark.parametrize(("python", "architecture"), [("3.9", "arm64"), ("3.13", "mips")])
def test_an_unknown_target_is_refused(python: str, architecture: str) -> None:
    with pytest.raises(InputError, match="is not one of"):
        BundleTarget(python, architecture)


def test_the_command_prints_path_digest_and_sizes_as_json(local_bundle: Bundle) -> None:
    command = [sys.executable, "-m", "infra.cli", "bundle", "--local", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    stated = json.loads(done.stdout)
    assert stated["sha256"] == local_bundle.sha256
    assert Path(stated["path"]) == local_bundle.zip
    assert (stated["zip_bytes"], stated["unzipped_bytes"]) == (local_bundle.zip_bytes, local_bundle.unzipped_bytes)


def test_the_bundle_stays_small(local_bundle: Bundle) -> None:
    assert local_bundle.unzipped_bytes < 36_000_000
