"""The generated fortnight."""

from __future__ import annotations

from pathlib import Path
from statistics import mean

import msgspec
import pytest

from infra.cost.traffic.shape import SHAPES, generate_bursty_fortnight, load_shape
from infra.errors import InputError


def test_fortnight_has_five_minute_steps_and_meets_its_peak() -> None:
    profile = generate_bursty_fortnight(load_shape("fortnight"))
    assert (profile.step_s, len(profile.rates)) == (300, 14 * 288)
    assert profile.peak_rps == 1000
    assert profile.parameters["seed"] == 20260105
    assert generate_bursty_fortnight(load_shape("fortnight"), peak_rps=50).peak_rps == 50


def test_same_parameters_give_the_same_traffic_and_another_seed_does_not() -> None:
    shape = load_shape("fortnight")
    assert generate_bursty_fortnight(shape) == generate_bursty_fortnight(shape)
    assert generate_bursty_fortnight(msgspec.structs.replace(shape, seed=1)) != generate_bursty_fortnight(shape)


def test_evenings_are_busier_than_nights_and_weekends_than_weekdays() -> None:
    rates = generate_bursty_fortnight(msgspec.structs.replace(load_shape("fortnight"), bursts_per_day=0.0)).rates
    hour = 12
    nights = [rates[day * 288 + 8 * hour] for day in range(14)]
    evenings = [rates[day * 288 + 20 * hour] for day in range(14)]
    assert min(evenings) > 3 * max(nights)
    saturday, monday = mean(rates[5 * 288 : 6 * 288]), mean(rates[:288])
    assert saturday / monday == pytest.approx(1.25, rel=0.05)


def test_growth_is_by_the_same_share_each_thirty_days() -> None:
    calm = msgspec.structs.replace(load_shape("fortnight"), days=61, bursts_per_day=0.0, noise=0.0, growth_per_month=0.1)
    rates = generate_bursty_fortnight(calm).rates
    assert rates[42 * 288 + 77] / rates[77] == pytest.approx(1.1**1.4, rel=1e-4)
    assert mean(rates[56 * 288 : 57 * 288]) / mean(rates[28 * 288 : 29 * 288]) == pytest.approx(1.1 ** (28 / 30), rel=1e-4)


def test_bursts_rise_above_the_curve() -> None:
    shape = load_shape("fortnight")
    calm = generate_bursty_fortnight(msgspec.structs.replace(shape, bursts_per_day=0.0))
    bursty = generate_bursty_fortnight(shape)
    assert bursty.peak_rps / bursty.mean_rps > 1.3 * calm.peak_rps / calm.mean_rps


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("days = 14", "days = 0", "days: must be 1 to 366"),
        ("growth_per_month = 0.0", "growth_per_month = 99", "growth_per_month: must be a share of -0.9 to 10"),
        ("days = 14", "day = 14", "unknown field `day`"),
        ("noise = 0.06", "noise = nan", "noise: must be 0 to 0.5"),
        ("burst_factor = [1.4, 3.0]", "burst_factor = [3.0, 1.4]", "burst_factor"),
        ("burst_factor = [1.4, 3.0]", "burst_factor = [1.4, 1e30]", "burst_factor: must be .low, high., of 1 to 1000"),
        ("step_s = 300", "step_s = 7", "step_s: must divide an hour"),
        ("days = 14", "days = ", "Invalid value .at line 6"),
    ],
)
def test_malformed_shape_names_file_and_field(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = (SHAPES / "fortnight.toml").read_text()
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=rf"mine\.toml: .*{message}"):
        load_shape(str(path))


def test_unknown_shape_names_those_there_are() -> None:
    with pytest.raises(InputError, match="shape 'month': not a file, nor one of: fortnight"):
        load_shape("month")
