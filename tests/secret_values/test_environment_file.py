"""What is written is what systemd reads, to the letter; nobody else may read it; and it is there whole or not at all."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secret_values.environment_file import render, write
from secret_values.errors import SecretError
from secret_values.values import read_values
from tests.conftest import require_program

AWKWARD = {
    "PLAIN": "abc123",
    "EMPTY": "",
    "SPACES": "  two  spaces ",
    "QUOTES": "a\"b'c",
    "BACKSLASHES": "\\ \\\\ \\n \\",
    "DOLLARS": "$HOME ${HOME} $$",
    "TICKS": "`id`",
    "LINES": "one\ntwo\n\nthree\n",
    "CONTINUED": "one\\\ntwo",
    "RETURNS": "one\r\ntwo\t",
    "COMMENT": "# no ; comment = here",
    "LETTERS": "käse 日本 \U0001f511",
    "_1": "!%&*()[]{}|<>?~^",
}
TEXT = st.text(st.characters(exclude_characters="\0\ufeff", exclude_categories=["Cs", "Cn"]), max_size=40)


def shell_reads(path: Path) -> dict[str, str]:
    """The file as a POSIX shell reads it: another reader of the same quoting."""
    done = subprocess.run(["env", "-i", "sh", "-c", f"set -a; . {path}; exec env -0"], capture_output=True, check=True, env={})
    return dict(pair.split("=", 1) for pair in done.stdout.decode().split("\0") if pair)


def systemd_reads(path: Path, values: dict[str, str]) -> bool:
    """Whether systemd reads these values there. Conditions on `os-release` go through the parser of `EnvironmentFile=`."""
    quoted = [value.replace("\\", r"\\").replace("'", r"\'") for value in values.values()]
    conditions = [f"ConditionOSRelease='{name}={value}'" for name, value in zip(values, quoted, strict=True)]
    analyze = require_program("systemd-analyze")
    environment = {**os.environ, "SYSTEMD_OS_RELEASE": str(path)}
    return (
        subprocess.run([analyze, "condition", *conditions], env=environment, capture_output=True, check=False).returncode == 0
    )


@pytest.mark.parametrize("name", sorted(AWKWARD.keys() - {"EMPTY", "SPACES"}))  # a condition can state neither
def test_systemd_reads_each_awkward_value_to_the_letter(name: str, tmp_path: Path) -> None:
    path = tmp_path / "secrets"
    write(path, AWKWARD)
    assert systemd_reads(path, {name: AWKWARD[name]})
    assert not systemd_reads(path, {name: AWKWARD[name] + "x"})


def test_a_shell_reads_the_same(tmp_path: Path) -> None:
    write(tmp_path / "secrets", AWKWARD)
    assert shell_reads(tmp_path / "secrets").items() >= AWKWARD.items()


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.from_regex(r"X[A-Za-z0-9_]{0,8}", fullmatch=True), TEXT, max_size=6))
def test_whatever_a_secret_may_hold_survives(tmp_path_factory: pytest.TempPathFactory, values: dict[str, str]) -> None:
    path = tmp_path_factory.mktemp("any") / "secrets"
    path.write_text(render(read_values("secret", json.dumps(values))), newline="")
    assert shell_reads(path).items() >= values.items()


def test_only_the_owner_may_read_it_and_an_old_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "secrets"
    path.write_text("OLD=1\n")
    path.chmod(0o644)
    write(path, {"NEW": "2"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == 'NEW="2"\n'
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match=r"/none/secrets: cannot be written \(No such file or directory\)"):
        write(tmp_path / "none" / "secrets", {"A": "1"})
    (tmp_path / "folder").mkdir()
    with pytest.raises(SecretError, match="folder: cannot be written"):
        write(tmp_path / "folder", {"A": "1"})
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]
