"""docs/deploy.md: every setting that it gives is one, its example is valid, and what it says one will see is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra.overrides import ALIASES, override, settable
from infra.stage_file import load_stage
from tests.conftest import ROOT

TEXT = (ROOT / "docs" / "deploy.md").read_text()
README = (ROOT / "README.md").read_text()
SOURCES = "\n".join(path.read_text() for path in sorted((ROOT / "infra").rglob("*.py")))
NOT_OURS = ("Export … cannot be deleted as it is in use by …",)


def messages() -> list[str]:
    table = TEXT.partition("| you see | do |")[2]
    return [found for found in re.findall(r"^\| `([^`]+)`", table, re.MULTILINE) if found not in NOT_OURS]


@pytest.mark.parametrize("document", [TEXT, README])
def test_every_setting_in_a_command_is_one(document: str) -> None:
    keys = set(re.findall(r"-c ([a-z_.]+)=", document))
    assert "stage" in keys
    assert keys <= {*settable(), *ALIASES, "stages"}


def test_the_five_ways_of_the_readme_are_those_of_the_page() -> None:
    ways = re.findall(r"^(?:\$ )?npx cdk deploy --all .*?(?=  +#)", README, re.MULTILINE)
    assert len(ways) == 5
    assert all(f"$ {way.strip()}" in TEXT for way in ways)


def test_the_example_stage_is_valid(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    file = tmp_path / "stages.toml"
    file.write_text(block)
    assert load_stage({"stage": "prod"}, file).account == "111122223333"


def test_values_in_the_commands_go_together() -> None:
    for line in re.findall(r"^npx cdk deploy --all .*", README, re.MULTILINE):
        override(dict(re.findall(r"-c ([a-z_.]+)=(\S+)", line)))


@pytest.mark.parametrize("message", messages())
def test_what_the_page_says_one_sees_is_said_somewhere(message: str) -> None:
    for fragment in filter(None, (part.strip(" `,;:") for part in message.split("…"))):
        assert fragment in SOURCES or fragment.replace("20", "{OLDEST_NODE}") in SOURCES, fragment


def test_every_file_that_the_page_draws_on_is_there() -> None:
    for name in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", TEXT):
        assert (ROOT / "docs" / name).is_file()
