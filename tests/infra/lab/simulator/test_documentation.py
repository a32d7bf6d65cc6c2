"""docs/suppliers.md tells of every fault, format, outcome and catalogue field, and its examples are right."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from app.core.models import OutcomeStatus
from app.suppliers.catalogue import FIELDS
from app.suppliers.formats.known import FORMATS
from infra.lab.simulator.faults import KINDS, read_scenario
from tests.conftest import ROOT

TEXT = (ROOT / "docs" / "suppliers.md").read_text(encoding="utf-8")
EXAMPLES = [re.sub(r"^ {3}", "", example, flags=re.M) for example in re.findall(r"```toml\n(.*?)```", TEXT, re.S)]


@pytest.mark.parametrize("name", [*KINDS, *FORMATS, *(str(status) for status in OutcomeStatus)])
def test_every_fault_format_and_outcome_is_described(name: str) -> None:
    assert re.search(rf"\|[^\n]*`{name}[`:]", TEXT), f"{name} stands in no table of docs/suppliers.md"


def test_the_catalogues_example_names_every_field_and_no_other() -> None:
    (supplier,) = tomllib.loads(EXAMPLES[0])["suppliers"].values()
    assert set(supplier) == set(FIELDS)


def test_the_scenario_example_is_one(tmp_path: Path) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text(EXAMPLES[1])
    assert set(read_scenario(path).faults) == {"rapid-01", "hotelbeds-03"}
