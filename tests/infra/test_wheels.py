"""Locked wheels: what their own hashes vouch for, whatever happened to uv's cache."""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

import pytest

from infra.bundle import local_target
from infra.wheels import AlteredWheel, install_locked, locked_files, locked_requirements, wheel_files

STORE = "certifi/cacert.pem"


@pytest.mark.slow
def test_a_file_changed_in_uvs_cache_is_fetched_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("UV_CACHE_DIR", str(cache))
    found = re.search(r"^certifi==.*?(?=^\S)", locked_requirements("service") + "\nend", re.MULTILINE | re.DOTALL)
    assert found
    certifi = found.group()
    python, architecture = f"{sys.version_info.major}.{sys.version_info.minor}", local_target().architecture
    install_locked(certifi, tmp_path / "first", python=python, architecture=architecture)
    unharmed = (tmp_path / "first" / STORE).read_bytes()
    for path in cache.rglob("cacert.pem"):
        path.write_bytes(unharmed + b"one authority more\n")
    install_locked(certifi, tmp_path / "second", python=python, architecture=architecture)
    with pytest.raises(AlteredWheel, match=re.escape(f"{STORE} is not what its wheel holds")):
        wheel_files(tmp_path / "second")
    files = locked_files(certifi, tmp_path / "third", python=python, architecture=architecture)
    assert hashlib.sha256(files[STORE]).digest() == hashlib.sha256(unharmed).digest()
