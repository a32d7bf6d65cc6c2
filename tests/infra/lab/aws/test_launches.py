"""Purchase options, pools, and who leaves first."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.lab.aws.launches import POOL_DRY_S, SpotPools, leave_first, on_demand_share


def group(base: int, percent: int) -> Any:
    distribution = {"OnDemandBaseCapacity": base, "OnDemandPercentageAboveBaseCapacity": percent}
    return SimpleNamespace(mixed_instances_policy={"InstancesDistribution": distribution})


def member(name: str, *, spot: bool, zone: str = "a", version: int = 1, since: float = 0.0, protected: bool = False) -> Any:
    return SimpleNamespace(
        instance=SimpleNamespace(id=name), spot=spot, zone=zone, version=version, since=since, protected_from_scale_in=protected
    )


def leaving(which: Any, candidates: list[Any], count: int) -> list[str]:
    return [each.instance.id for each in leave_first(which, candidates, count)]


@pytest.mark.parametrize(
    ("base", "percent", "count", "on_demand"),
    [(2, 20, 1, 1), (2, 20, 2, 2), (2, 20, 3, 3), (2, 20, 8, 4), (0, 0, 5, 0), (0, 100, 5, 5)],
)
def test_on_demand_are_the_base_and_the_share_above_it_rounded_up(base: int, percent: int, count: int, on_demand: int) -> None:
    assert on_demand_share(group(base, percent), count) == on_demand


def test_a_group_without_a_mixture_is_on_demand() -> None:
    assert on_demand_share(SimpleNamespace(mixed_instances_policy=None), 3) == 3


def test_each_zone_has_a_pool_of_its_own_and_another_type_once_that_is_dry() -> None:
    pools, types, zones = SpotPools(), ["one", "two"], ["a", "b", "c"]
    assert [pools.best(types, zones, zone, 0.0) for zone in zones] == ["one", "two", "one"]
    pools.reclaim("one", "a", 0.0)
    assert [pools.best(types, zones, zone, 1.0) for zone in zones] == ["two", "two", "one"]
    assert pools.best(types, zones, "a", POOL_DRY_S) == "one"
    pools.reclaim("two", "a", 1.0)
    assert pools.best(types, zones, "a", 2.0) == "one", "with no other left the first is tried again"


def test_first_goes_what_there_is_too_much_of_then_the_fullest_zone_the_oldest_template_the_oldest() -> None:
    kept = [member("base", spot=False), member("spot", spot=True)]
    assert leaving(group(1, 0), kept, 1) == ["spot"]
    assert leaving(group(0, 0), kept, 1) == ["base"]
    zones = [member("alone", spot=True, zone="a"), member("older", spot=True, zone="b", since=1.0)]
    zones.append(member("newer", spot=True, zone="b", since=2.0))
    assert leaving(group(0, 0), zones, 2) == ["older", "alone"]
    templates = [member("new", spot=True, version=2, since=0.0), member("old", spot=True, version=1, since=5.0)]
    assert leaving(group(0, 0), templates, 1) == ["old"]


def test_what_is_protected_stays() -> None:
    assert leaving(group(0, 0), [member("one", spot=True, protected=True), member("two", spot=True)], 2) == ["two"]


@given(st.lists(st.booleans(), min_size=1, max_size=12), st.integers(0, 4), st.integers(0, 100), st.data())
def test_as_many_leave_as_are_asked_for_and_the_mixture_is_kept(
    spots: list[bool], base: int, percent: int, data: st.DataObject
) -> None:
    count = data.draw(st.integers(0, len(spots)))
    candidates = [member(str(number), spot=spot) for number, spot in enumerate(spots)]
    gone = leave_first(group(base, percent), candidates, count)
    assert len(gone) == len({each.instance.id for each in gone}) == count
    before, after = spots.count(False), sum(not each.spot for each in candidates if each not in gone)
    wanted = on_demand_share(group(base, percent), len(spots) - count)
    assert after >= min(before, wanted), "on demand goes below its share only where there was less"
