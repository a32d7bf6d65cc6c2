"""docs/instances.md states the times, figures and names that the code has; docs/architecture.md the variables it reads."""

from __future__ import annotations

import re

from infra.components.boot.render import BOOT_HOOK, DRAIN_HOOK
from instance.boot import READY_TIMEOUT_S
from instance.departure import GONE_BY_S
from instance.figures import figures, read
from instance.units import DRAIN_FILE, LAME_DUCK_S, STOP_TIMEOUT_S, TEMPLATES
from tests.conftest import ROOT
from tests.instance.test_figures import ONE

PAGE = (ROOT / "docs" / "instances.md").read_text()


def test_times_are_the_codes() -> None:
    for stated in (
        f"to T+{LAME_DUCK_S} s",
        f"T+{STOP_TIMEOUT_S} s | systemd kills",
        f"T+{GONE_BY_S:g} s | the agent gives up",
        f"({READY_TIMEOUT_S:g} s at most)",
    ):
        assert stated in PAGE, stated


def test_each_figure_unit_file_and_hook_is_named() -> None:
    for figure in figures([read(ONE)]):
        assert f"| `{figure.name}` | {figure.unit} |" in PAGE
    for path in TEMPLATES.iterdir():
        assert f"`{path.name}`" in PAGE
    assert f"`{DRAIN_FILE}`" in PAGE
    assert f"hook `{BOOT_HOOK}`" in PAGE and f"hook `{DRAIN_HOOK}`" in PAGE


def test_every_variable_is_documented() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "instance").glob("*.py"))
    names = set(re.findall(r"\"((?:AWS|CROSSOVER)_[A-Z0-9_]*[A-Z0-9])\"", sources))
    documented = (ROOT / "docs" / "architecture.md").read_text()
    assert names and [name for name in sorted(names) if f"`{name}`" not in documented] == []
