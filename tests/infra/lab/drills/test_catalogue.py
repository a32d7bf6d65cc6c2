"""Each drill has a name of its own, a criterion, and a page in docs/runbooks/ that says what to do."""

from __future__ import annotations

import pytest

from infra.errors import InputError
from infra.lab.drills.catalogue import DRILLS, chosen
from infra.lab.drills.drill import Drill
from tests.conftest import ROOT

RUNBOOKS = ROOT / "docs" / "runbooks"
HEADINGS = ["What one sees", "What the switch does", "What to do", "The drill"]
by_name = pytest.mark.parametrize("drill", DRILLS, ids=lambda drill: drill.name)


def test_names_are_their_own() -> None:
    assert len({drill.name for drill in DRILLS}) == len(DRILLS)


@by_name
def test_a_drill_can_fail(drill: Drill) -> None:
    criteria = drill.criteria
    assert criteria.most_failed is not None or criteria.outcome or criteria.most or criteria.least


def test_every_page_of_a_drill_has_its_drill() -> None:
    assert {path.name for path in RUNBOOKS.glob("drill-*.md")} == {drill.runbook for drill in DRILLS}


@by_name
def test_its_page_says_what_one_sees_what_the_switch_does_what_to_do_and_how_to_rehearse_it(drill: Drill) -> None:
    text = (RUNBOOKS / drill.runbook).read_text()
    assert [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")] == HEADINGS
    assert "```console\n$ " in text
    assert f"make drills ONLY={drill.name}\n" in text


def test_drills_are_chosen_by_name_in_the_catalogues_order() -> None:
    names = tuple(drill.name for drill in DRILLS)
    assert chosen(names[::-1]) == DRILLS == chosen()
    with pytest.raises(InputError, match=f"no drill nowhere; there are {names[0]}, "):
        chosen(("nowhere",))
