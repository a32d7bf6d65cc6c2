"""docs/architecture.md names every variable that is read here, docs/deploy.md how to use them."""

from __future__ import annotations

import re

from secret_values.values import RESERVED
from tests.conftest import ROOT

READ = re.compile(r"\"((?:AWS|CROSSOVER)_[A-Z0-9_]*[A-Z0-9])\"")


def test_every_variable_is_documented() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "secret_values").glob("*.py"))
    documented = (ROOT / "docs" / "architecture.md").read_text()
    names = set(READ.findall(sources))
    assert {"CROSSOVER_SECRET", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_SECRETS_MANAGER"} <= names
    assert sorted(name for name in names if f"`{name}`" not in documented) == []


def test_every_refused_beginning_is_documented() -> None:
    documented = (ROOT / "docs" / "suppliers.md").read_text()
    assert [prefix for prefix in RESERVED if f"`{prefix}`" not in documented] == []
