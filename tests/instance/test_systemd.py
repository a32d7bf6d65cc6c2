"""The units under a systemd of their own: that the sandboxes let each program do its work, that the agent's word reaches the
service without any privilege, and that an agent which dies goes on. Times are shortened: a lame-duck phase of 2 s.

Needs root, for the machine is made of namespaces, and a system's Python that can run the bundle.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infra.bundle import PYTHONS, BundleTarget, ensure_bundle, local_target
from tests.conftest import ROOT
from tests.instance.doubles import settings_in

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
SYSTEMD = Path("/lib/systemd/systemd")
NAMESPACES = ["unshare", "--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup", "--fork", "--kill-child"]
LAME_DUCK_S = 2


def system_python() -> str:
    """Minor version of `/usr/bin/python3`, the only one that a user without a home can run; else the test is skipped."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a machine of namespaces")
    if not SYSTEMD.exists() or shutil.which("unshare") is None:
        pytest.skip("systemd or unshare is not installed")
    version = Path("/usr/bin/python3").resolve().name.removeprefix("python")
    if version not in PYTHONS or not shutil.which(f"python{version}", path="/usr/bin"):
        pytest.skip(f"the system's Python is {version}, the bundle needs one of {', '.join(PYTHONS)}")
    return version


@contextmanager
def cgroup() -> Iterator[Path]:
    """A cgroup (version 2) of the machine's own; what is left in it at the end is killed."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    root = next((Path(mount[1]) for mount in mounts if mount[2] == "cgroup2"), None)
    if root is None:
        pytest.skip("no cgroup2 is mounted")
    own = root / f"crossover-test-{os.getpid()}"
    try:
        own.mkdir()
    except OSError:
        pytest.skip("cgroups cannot be made here")
    try:
        yield own
    finally:
        (own / "cgroup.kill").write_text("1")
        subprocess.run(["find", own, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"], capture_output=True, check=False)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What rehearsal.py saw."""
    python = system_python()
    folder = tmp_path_factory.mktemp("machine")
    tree, programs, out = folder / "tree", folder / "programs", folder / "out"
    shutil.copytree(ensure_bundle(BundleTarget(python, local_target().architecture)).tree, tree)
    units = tree / "instance" / "units.py"
    units.write_text(re.sub(r"LAME_DUCK_S = \d+", f"LAME_DUCK_S = {LAME_DUCK_S}", units.read_text()))
    shutil.rmtree(tree / "instance" / "__pycache__", ignore_errors=True)  # it would go before the changed source
    for name in ("infra/__init__.py", "infra/lab/__init__.py", "infra/lab/metadata_service.py"):
        (programs / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, programs / name)
    shutil.copy(HERE / "rehearsal.py", programs)
    out.mkdir()
    environment = {"CROSSOVER_LANE": "container", "CROSSOVER_SUPPLIERS_URL": "http://127.0.0.1:9"}
    settings_in(programs, sha256="rehearsed", python=python, port=8000, workers_per_vcpu=1, environment=environment)
    with cgroup() as own:
        enter = f'echo $$ > {own}/cgroup.procs; exec {" ".join(NAMESPACES)} {HERE}/namespaces.sh "$@"'
        done = subprocess.run(
            ["bash", "-c", enter, "enter", tree, programs, out], capture_output=True, text=True, timeout=120, check=False
        )
    if not (out / "told.json").exists():
        logs = "".join(path.read_text() for path in out.glob("*log"))
        if not logs and done.returncode:
            pytest.skip(f"no machine can be made of namespaces here: {done.stderr.strip()[-200:]}")
        pytest.fail(f"the rehearsal did not end: {logs[-2000:]}")
    found: dict[str, Any] = json.loads((out / "told.json").read_text())
    found["logs"] = {path.stem: path.read_text() for path in out.glob("*.log")}
    return found


def test_the_boot_program_brings_every_unit_up(told: dict[str, Any]) -> None:
    assert told["boot"] == 0, told
    assert told["booted"] == {
        "crossover.service": "active",
        "crossover-agent.service": "active",
        "crossover-drain.path": "active",
        "crossover-drain.service": "inactive",
    }
    assert told["users"] == ["crossover", "crossover-agent"], "users of their own, made for the time they run"
    assert told["calls"][:2] == ["CompleteLifecycleAction boot CONTINUE", "SignalResource"]
    print(f"\nboot program under systemd: {told['boot_s']:.1f} s")


def test_a_service_that_refuses_a_setting_is_given_up_at_once(told: dict[str, Any]) -> None:
    assert "refused: the service refuses its settings; journalctl -u crossover says which" in told["refused"]
    assert told["calls_refused"] == []
    assert told["logs"]["crossover"].count("CROSSOVER_DEADLINE_MS") == 1, "one start"


def test_the_agents_word_drains_the_service_and_no_request_fails(told: dict[str, Any]) -> None:
    assert told["drain_after_s"] < 5, "a look every two seconds"
    assert set(told["requests"]) == {"200, kept", "200, close"}, told["requests"]
    assert told["requests"]["200, close"] > 10
    assert told["result"] == "success"
    assert LAME_DUCK_S + 1.5 < told["gone_after_s"] < 15
    print(f"\ndrained T+{told['drain_after_s']:.1f} s, gone T+{told['gone_after_s']:.1f} s; {dict(told['requests'])}")


def test_an_agent_that_dies_is_started_again_and_ends_what_was_begun(told: dict[str, Any]) -> None:
    assert "going on with a departure that began" in told["logs"]["crossover-agent"]
    assert [call for call in told["calls"] if call != "PutMetricData"] == [
        "CompleteLifecycleAction boot CONTINUE",
        "SignalResource",
        "DeregisterTargets",
        "DeregisterTargets",
        "CompleteLifecycleAction drain CONTINUE",
    ]
    assert told["left"] == {
        "crossover.service": "inactive",
        "crossover-agent.service": "active",
        "crossover-drain.path": "active",
        "crossover-drain.service": "active",
    }
