"""The fleet's small parts: addresses, delays, target states, and the keeper that outlives the lab."""

from __future__ import annotations

import random
import subprocess
import time
from statistics import median, quantiles

import pytest

from infra.errors import KitError
from infra.lab.live.instances.addresses import Network
from infra.lab.live.instances.boots import BootDelay
from infra.lab.live.instances.instance import target_state
from infra.lab.live.instances.keeper import Keeper
from infra.lab.live.instances.process_table import CpuMeter, running


def test_two_labs_have_networks_of_their_own_and_an_instance_keeps_the_end_of_its_address() -> None:
    with Network(random.Random(1)) as one, Network(random.Random(1)) as other:
        here, there = one.take("10.40.1.23"), other.take("10.40.1.23")
        assert here.startswith("127.") and here.endswith(".1.23")
        assert here != there
        with pytest.raises(KitError, match="two instances have the private address"):
            one.take("10.41.1.23")
        one.give_back(here)
        assert one.take("10.41.1.23") == here


def test_a_boot_takes_as_long_as_its_distribution_says() -> None:
    chance = random.Random(7)
    assert {BootDelay(40, 40).draw(chance) for _ in range(5)} == {40}
    drawn = [BootDelay(40, 90).draw(chance) for _ in range(4_000)]
    assert median(drawn) == pytest.approx(40, rel=0.05)
    assert quantiles(drawn, n=20)[-1] == pytest.approx(90, rel=0.1)


@pytest.mark.parametrize(
    ("state", "target"),
    [
        ("Pending", "InService"),
        ("Pending:Wait", "InService"),
        ("Pending:Proceed", "InService"),
        ("InService", "InService"),
        ("Terminating", "Terminated"),
        ("Terminating:Wait", "Terminated"),
        ("Terminated", "Terminated"),
        ("EnteringStandby", "Standby"),
        ("Standby", "Standby"),
        ("Detaching", "Detached"),
    ],
)
def test_the_metadata_service_says_where_the_instance_is_going(state: str, target: str) -> None:
    assert target_state(state) == target


def test_the_keeper_kills_what_it_keeps_and_nothing_that_it_was_told_to_forget() -> None:
    kept, forgotten = (subprocess.Popen(["sleep", "60"], start_new_session=True) for _ in range(2))
    try:
        with Keeper() as keeper:
            keeper.keep(kept.pid)
            keeper.keep(forgotten.pid)
            keeper.forget(forgotten.pid)
        assert kept.wait(5) == -9
        assert forgotten.poll() is None
    finally:
        for process in (kept, forgotten):
            process.kill()
            process.wait()


def test_cpu_is_counted_by_group_from_one_look_to_the_next() -> None:
    with subprocess.Popen(["sh", "-c", "while :; do :; done"], start_new_session=True) as busy:
        try:
            meter = CpuMeter()
            meter.since_last({busy.pid})
            began = time.monotonic()
            time.sleep(0.4)
            used = meter.since_last({busy.pid})[busy.pid]
            assert 0.02 < used <= time.monotonic() - began + 0.05
        finally:
            busy.kill()
    assert meter.since_last({busy.pid}) == {}
    assert busy.pid not in {process.pid for process in running()}
