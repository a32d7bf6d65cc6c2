"""The switcher's folder runs by itself: an interpreter without this project's packages imports the handler from it."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from infra.bundle import find_interpreter, local_target
from infra.switcher_code import HANDLER, build_switcher
from tests.conftest import absent

pytestmark = pytest.mark.slow  # installs a wheel


def digest(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_handler_is_imported_from_the_folder_alone_and_the_same_sources_make_the_same_bytes(tmp_path: Path) -> None:
    target = local_target()
    interpreter = find_interpreter(target.python) or absent(f"no Python {target.python}")
    tree = build_switcher(target, tmp_path)
    assert digest(build_switcher(target, tmp_path)) == digest(tree)
    module, _, name = HANDLER.rpartition(".")
    code = (
        f"import sys; sys.path.insert(0, {str(tree)!r}); import {module} as m; assert callable(m.{name}); "
        "import infra; print(*infra.__path__, sorted(set(sys.modules) & {'boto3', 'click', 'rich', 'aws_cdk'}))"
    )
    done = subprocess.run([str(interpreter), "-I", "-S", "-B", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{tree / 'infra'} []"
    names = set(digest(tree))
    assert "infra/switching/driver.py" in names and "msgspec/__init__.py" in names
    assert not {name for name in names if name.startswith(("infra/commands", "infra/cost", "app/"))}
