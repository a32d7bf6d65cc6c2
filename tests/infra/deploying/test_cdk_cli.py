"""A CDK CLI that cannot read what is synthesized is refused in one line, and so is one that is not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.deploying.cdk_cli import installed_cli, pinned_version, require_cli_version
from infra.errors import KitError


def checkout(folder: Path, *, pinned: str, installed: str | None) -> Path:
    (folder / "package.json").write_text(json.dumps({"devDependencies": {"aws-cdk": pinned}}))
    if installed is not None:
        package = folder / "node_modules" / "aws-cdk" / "package.json"
        package.parent.mkdir(parents=True)
        package.write_text(json.dumps({"version": installed}))
        program = folder / "node_modules" / ".bin" / "cdk"
        program.parent.mkdir()
        program.touch()
    return folder


@pytest.mark.parametrize("version", ["2.1147.9", "1.204.0", "3.0.0"])
def test_a_cli_of_another_major_version_or_older_than_the_pinned_one_is_refused(version: str, tmp_path: Path) -> None:
    root = checkout(tmp_path, pinned="2.1148.1", installed=None)
    with pytest.raises(KitError, match=rf"^the CDK CLI is {version}, and this checkout needs 2\.1148\.1 or a newer 2\.x: run"):
        require_cli_version(version, root)


@pytest.mark.parametrize("version", ["2.1148.1", "2.1149.0", "2.2000.0", None])
def test_the_pinned_cli_a_newer_2_and_none_at_all_will_do(version: str | None, tmp_path: Path) -> None:
    require_cli_version(version, checkout(tmp_path, pinned="2.1148.1", installed=None))


def test_a_cli_that_is_not_installed_names_the_command_that_installs_it(tmp_path: Path) -> None:
    with pytest.raises(KitError, match="run `make setup`"):
        installed_cli(checkout(tmp_path, pinned="2.1148.1", installed=None))


def test_an_installed_cli_is_held_against_the_pinned_version(tmp_path: Path) -> None:
    root = checkout(tmp_path, pinned="2.1148.1", installed="3.0.0")
    with pytest.raises(KitError, match=r"the CDK CLI is 3\.0\.0"):
        installed_cli(root)


def test_the_pinned_version_is_exact() -> None:
    assert all(part.isdigit() for part in pinned_version().split("."))
