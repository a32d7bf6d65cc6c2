"""`stages.toml`: a stage's values, and one line for what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.errors import InputError
from infra.stage_file import load_stage
from tests.conftest import ROOT


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "stages.toml"
    path.write_text(
        """
[dev]
[prod]
region = "eu-west-1"
container_lane.instance_types = ["c7g.xlarge", "m7g.xlarge"]
watch.alarms = false
[prod.lambda_lane]
memory_mb = 2048
"""
    )
    return path


def test_a_stage_has_the_files_values_and_then_the_command_lines(file: Path) -> None:
    stage = load_stage({"stage": "prod", "region": "eu-north-1"}, file)
    assert stage.name == "prod"
    assert stage.region == "eu-north-1"
    assert stage.lambda_lane.memory_mb == 2048
    assert stage.container_lane.instance_types == ("c7g.xlarge", "m7g.xlarge")
    assert stage.watch.alarms is False


def test_without_a_name_it_is_dev(file: Path) -> None:
    assert load_stage({}, file).name == "dev"


def test_every_stage_that_is_shipped_is_valid() -> None:
    for name in ("dev", "staging", "prod"):
        assert load_stage({"stage": name}, ROOT / "stages.toml").name == name


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("[dev]\n[prod]\n", "prd", "stages.toml: no stage 'prd'; it has dev, prod: add a table [prd]"),
        ("", "dev", "stages.toml: no stage 'dev'; it has none"),
        ("region = 'x'\n", "dev", "stages.toml: region: stands outside a stage"),
        ("[dev\n", "dev", "stages.toml: is no TOML"),
        ("[dev]\nlambda_lane.memory_mb = 64\n", "dev", "stages.toml: [dev]: stage 'dev': lambda_lane.memory_mb: must be 128"),
        ("[dev]\nreggion = 'x'\n", "dev", "stages.toml: [dev]: setting 'reggion' is not known; did you mean 'region'?"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, text: str, name: str, said: str) -> None:
    path = tmp_path / "stages.toml"
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        load_stage({"stage": name}, path)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.toml: cannot be read \(No such file"):
        load_stage({}, tmp_path / "none.toml")
