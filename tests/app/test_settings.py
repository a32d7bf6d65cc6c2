"""Settings: read once, every wrong variable named."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from app.core.errors import ConfigurationError
from app.settings import SHIPPED_CATALOGUE, Settings
from tests.conftest import ROOT


def test_defaults_hold_without_any_variable() -> None:
    settings = Settings.from_environment({})
    assert (settings.lane, settings.deadline_ms, settings.markup_percent) == ("local", 1_500, Decimal(8))
    assert settings.catalogue == SHIPPED_CATALOGUE
    assert settings.bundle_sha256 is None


def test_the_catalogue_sees_the_environment_and_the_suppliers_url() -> None:
    settings = Settings.from_environment({"CROSSOVER_SUPPLIERS_URL": "http://127.0.0.1:1/", "RAPID_KEY": "k"})
    assert settings.catalogue_variables["suppliers"] == "http://127.0.0.1:1"
    assert settings.catalogue_variables["RAPID_KEY"] == "k"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("LANE", "ec2", "CROSSOVER_LANE: 'ec2' is not one of lambda, container, local"),
        ("DEADLINE_MS", "soon", "CROSSOVER_DEADLINE_MS: 'soon' must be a whole number from 50 to 60000"),
        ("DEADLINE_MS", "1500.7", "CROSSOVER_DEADLINE_MS: '1500.7' must be a whole number"),
        ("DEADLINE_MS", "1", "CROSSOVER_DEADLINE_MS: '1' must be"),
        ("MARKUP_PERCENT", "NaN", "CROSSOVER_MARKUP_PERCENT: 'NaN' must be a number from 0 to 100"),
        ("SUPPLIERS_URL", "ftp://x", "CROSSOVER_SUPPLIERS_URL: 'ftp://x' must begin with http:// or https://"),
    ],
)
def test_a_wrong_variable_is_named_with_what_would_be_right(name: str, value: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        Settings.from_environment({f"CROSSOVER_{name}": value})


def test_every_variable_is_documented() -> None:
    documented = (ROOT / "docs" / "architecture.md").read_text()
    for name in re.findall(r'read\.\w+\("(\w+)"', (ROOT / "app" / "settings.py").read_text()):
        assert f"`CROSSOVER_{name}`" in documented, name
