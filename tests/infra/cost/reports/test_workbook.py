"""The workbook beside the engine: recalculated by LibreOffice as delivered, and with other inputs, to the cent."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from infra.config import Cache, Stage
from infra.cost.compare import Comparison, compare
from infra.cost.lane import CostOptions
from infra.cost.likely import Likely
from infra.cost.lines.line import LineItem
from infra.cost.prices.book import PriceBook, Tier
from infra.cost.profile import WorkloadProfile
from infra.cost.reports.workbook.build import workbook_bytes
from infra.cost.reports.workbook.traffic import MAX_STEPS
from infra.cost.simulation.answer import Band
from infra.cost.simulation.draws import Uncertainty
from infra.cost.traffic.profile import TrafficProfile, flat_rate
from tests.infra.cost.conftest import lane, profile_with
from tests.infra.cost.reports.recalculate import changed, named, recalculate

CENT = 0.005
DAY = TrafficProfile(
    step_s=900,
    rates=tuple(20 + 18.5 * ((step * 7) % 11) for step in range(96)),
    source="a day of quarters of an hour",
    start=datetime(2026, 11, 2, tzinfo=UTC),
)


@dataclass(frozen=True, slots=True)
class World:
    """Everything that a comparison is made of, to be changed in one place or another."""

    profile: WorkloadProfile
    traffic: TrafficProfile
    book: PriceBook
    stage: Stage
    options: CostOptions

    def compare(self) -> Comparison:
        return compare(self.profile, self.traffic, self.book, self.stage, options=self.options)


Change = Callable[[World], World]


def both_lanes(**figures: float | None) -> Change:
    def apply(world: World) -> World:
        lanes = {
            name: msgspec.structs.replace(getattr(world.profile, name), **figures) for name in ("lambda_lane", "container_lane")
        }
        return replace(world, profile=msgspec.structs.replace(world.profile, **lanes))

    return apply


def fleet(**settings: Any) -> Change:
    return lambda world: replace(
        world,
        stage=replace(world.stage, container_lane=replace(world.stage.container_lane, **settings)),
    )


def lambda_lane(**settings: Any) -> Change:
    return lambda world: replace(
        world,
        stage=replace(world.stage, lambda_lane=replace(world.stage.lambda_lane, **settings)),
    )


def watch(**settings: Any) -> Change:
    return lambda world: replace(world, stage=replace(world.stage, watch=replace(world.stage.watch, **settings)))


def options(**settings: Any) -> Change:
    return lambda world: replace(world, options=replace(world.options, **settings))


def traffic(factor: float) -> Change:
    return lambda world: replace(world, traffic=replace(world.traffic, rates=tuple(r * factor for r in world.traffic.rates)))


def price(service: str, dimension: str, usd: str) -> Change:
    def apply(world: World) -> World:
        found = replace(world.book.price(service, dimension), tiers=(Tier(Decimal(0), None, Decimal(usd)),))
        return replace(world, book=replace(world.book, prices={**world.book.prices, (service, dimension): found}))

    return apply


def instance_price(name: str, usd: str) -> Change:
    """On demand alone: the spot estimate is a price of its own on the sheet."""

    def apply(world: World) -> World:
        kept = world.book.instance(name)
        dearer = replace(kept.on_demand, tiers=(Tier(Decimal(0), None, Decimal(usd)),))
        return replace(
            world, book=replace(world.book, instances={**world.book.instances, name: replace(kept, on_demand=dearer)})
        )

    return apply


EDITS: Mapping[str, tuple[Mapping[str, float], Change]] = {
    "CPU": ({"lambda_cpu_ms": 21.5, "container_cpu_ms": 21.5}, both_lanes(cpu_ms_per_search=21.5)),
    "waiting": ({"lambda_wait_ms": 95.0, "container_wait_ms": 95.0}, both_lanes(wait_ms=95.0)),
    "rate": ({"traffic_scale": 2.75}, traffic(2.75)),
    "rate into the second tiers": ({"traffic_scale": 60.0}, traffic(60.0)),
    "memory": ({"lambda_memory_mb": 512}, lambda_lane(memory_mb=512)),
    "spot share, a budget": (
        {"spot_percent": 35, "budget_usd": 500},
        lambda world: watch(monthly_budget_usd=500, email="finance@example.com")(fleet(spot_percent=35)(world)),
    ),
    "fleet": (
        {"min_instances": 5, "on_demand_base": 4, "max_instances": 7},
        fleet(min_instances=5, on_demand_base=4, max_instances=7),
    ),
    "target": ({"target_utilization": 0.35}, fleet(target_utilization=0.35)),
    "price of LCUs": ({"price_AWSELB_alb_lcu": 0.0125}, price("AWSELB", "alb_lcu", "0.0125")),
    "price of instances": ({"price_AmazonEC2_c7g_large_on_demand": 0.1}, instance_price("c7g.large", "0.1")),
    "free tiers": ({"free_tier": 1}, options(free_tier=True)),
    "length of a month": ({"month_hours": 720}, options(month_hours=Decimal(720))),
    "CPU scale": ({"cpu_scale": 1.4}, options(cpu_scale=1.4)),
    "answers": ({"lambda_response_bytes": 9e4, "container_response_bytes": 9e4}, both_lanes(response_bytes=9e4)),
    "connections": (
        {"requests_per_connection": 12, "listener_rules": 40},
        options(requests_per_connection=12, listener_rules=40),
    ),
}

SPLIT = "a split with a savings plan"
NETWORK: Mapping[str, Change] = {
    "NAT gateways, WAF, cache, provisioned": lambda world: replace(
        world,
        stage=replace(
            world.stage,
            secret="prod/suppliers",
            network=replace(world.stage.network, egress="nat_gateway"),
            traffic=replace(world.stage.traffic, waf=True),
            cache=Cache(kind="serverless"),
            search=replace(world.stage.search, emf_s=10),
            lambda_lane=replace(world.stage.lambda_lane, provisioned_concurrency=40),
        ),
    ),
    "NAT instances, cache nodes, SnapStart": lambda world: replace(
        world,
        stage=replace(
            world.stage,
            secret="prod/suppliers",
            network=replace(world.stage.network, egress="nat_instance"),
            cache=Cache(kind="nodes", node_type="cache.t3.micro", replicas=2),
            container_lane=replace(world.stage.container_lane, cloudwatch_agent=True),
            lambda_lane=replace(world.stage.lambda_lane, snap_start=True, ephemeral_mb=2048),
        ),
    ),
    "HTTP API, IPv6": lambda world: replace(
        world,
        stage=replace(
            world.stage,
            lanes=("lambda",),
            network=replace(world.stage.network, egress="ipv6"),
            lambda_lane=replace(world.stage.lambda_lane, front="http_api"),
        ),
    ),
    "Managed Instances": lambda_lane(managed_concurrency=16, memory_mb=2048, runtime_client="asyncio"),
    "nothing known of bytes": both_lanes(
        request_bytes=None,
        response_bytes=None,
        upstream_bytes_in=None,
        upstream_bytes_out=None,
        log_bytes_per_search=None,
    ),
    "scheduled minimums": lambda world: replace(
        fleet(schedules=("min=6@30 7 * * 1-5", "min=3@0 19 * * 1-5"))(world), traffic=flat_rate(37.5)
    ),
    "one rate, free tiers": lambda world: replace(options(free_tier=True)(world), traffic=flat_rate(37.5)),
    "more steps than a sheet holds": lambda world: replace(
        world, traffic=replace(DAY, step_s=60, rates=tuple(30.0 + step % 50 for step in range(MAX_STEPS + 1)))
    ),
}


@pytest.fixture(scope="module")
def world(book: PriceBook, stage: Stage, options: CostOptions) -> World:
    return World(profile_with(lane(cpu_ms_per_search=7.0), lane(cpu_ms_per_search=6.0)), DAY, book, stage, options)


@dataclass(frozen=True, slots=True)
class Batch:
    """Workbooks as delivered and as LibreOffice has recalculated them, and what the engine says of the same inputs."""

    delivered: Mapping[str, Path]
    recalculated: Mapping[str, Workbook]
    expected: Mapping[str, Comparison]


@pytest.fixture(scope="module")
def batch(world: World, tmp_path_factory: pytest.TempPathFactory) -> Batch:
    """All cases in one start of LibreOffice."""
    folder = tmp_path_factory.mktemp("workbooks")
    expected = {"as delivered": world.compare()}
    files = {"as delivered": folder / "delivered.xlsx", SPLIT: folder / "split.xlsx"}
    expected[SPLIT] = compare(
        world.profile,
        DAY,
        world.book,
        world.stage,
        options=replace(world.options, savings_plan="compute-1y"),
        lambda_percent=70,
    )
    files[SPLIT].write_bytes(workbook_bytes(expected[SPLIT]))
    files["as delivered"].write_bytes(workbook_bytes(expected["as delivered"]))
    for number, (name, (values, change)) in enumerate(EDITS.items()):
        expected[name] = change(world).compare()
        files[name] = changed(files["as delivered"], values, folder / f"edit-{number}.xlsx")
    for number, (name, change) in enumerate(NETWORK.items()):
        expected[name] = change(world).compare()
        files[name] = folder / f"stage-{number}.xlsx"
        files[name].write_bytes(workbook_bytes(expected[name]))
    done = recalculate(list(files.values()), folder)
    return Batch(files, {name: done[path.name] for name, path in files.items()}, expected)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["as delivered", *EDITS, *NETWORK])
def test_recalculated_totals_are_the_engines_to_the_cent(batch: Batch, case: str) -> None:
    workbook, expected = batch.recalculated[case], batch.expected[case]
    for priced in expected.lanes:
        assert named(workbook, f"{priced.lane}_usd_month") == pytest.approx(float(priced.usd_per_month), rel=0, abs=CENT)
        assert named(workbook, f"{priced.lane}_usd_day") == pytest.approx(float(priced.usd_per_day), rel=0, abs=CENT)
        million = float(priced.usd_per_million_searches)
        assert named(workbook, f"{priced.lane}_usd_million") == pytest.approx(million, rel=0, abs=CENT)
    assert named(workbook, "cheaper_lane") == expected.cheaper.lane
    given = expected.stage.watch.monthly_budget_usd
    for priced in expected.lanes:
        kept = "no budget given" if given is None else "NO" if priced.usd_per_month > given else "yes"
        assert named(workbook, f"{priced.lane}_in_budget") == kept


@pytest.mark.slow
@pytest.mark.parametrize("case", ["as delivered", *EDITS, *NETWORK])
def test_every_line_is_the_engines_to_the_cent(batch: Batch, case: str) -> None:
    amounts = [
        (str(row[0]).removesuffix(", tier 1"), row[4])
        for row in batch.recalculated[case]["Line items"].iter_rows(min_row=4, values_only=True)
        if isinstance(row[4], (int, float)) and row[6] in ("formula", "fixed value")
    ]
    lines = [line for priced in batch.expected[case].lanes for line in priced.lines]
    wanted = [(line.name.removesuffix(", tier 1"), float(line.usd)) for line in lines]
    names = {name for name, _ in wanted}
    unused = [amount for name, amount in amounts if name not in names]
    found = [(name, amount) for name, amount in amounts if name in names]
    assert unused == [0] * len(unused)
    assert [name for name, _ in found] == [name for name, _ in wanted]
    for (name, amount), (_, usd) in zip(found, wanted, strict=True):
        assert amount == pytest.approx(usd, rel=0, abs=CENT), name


@pytest.mark.slow
@pytest.mark.parametrize("case", ["as delivered", *NETWORK])
def test_values_beside_formulas_are_what_the_formulas_come_to(batch: Batch, case: str) -> None:
    """For whoever reads the file without computing: a preview, a script."""
    computed = batch.recalculated[case]
    compared = 0
    for sheet in load_workbook(batch.delivered[case], data_only=True):
        for row in sheet.iter_rows():
            for cell in row:
                now = computed[sheet.title][cell.coordinate].value
                if isinstance(cell.value, (int, float)):
                    assert now == pytest.approx(cell.value, rel=1e-7, abs=1e-6), (sheet.title, cell.coordinate)
                    compared += 1
                else:
                    assert (now or "") == (cell.value or ""), (sheet.title, cell.coordinate)
    assert compared > 300


@pytest.mark.slow
def test_a_splits_total_is_the_engines_and_its_parts_make_it(batch: Batch) -> None:
    workbook, split = batch.recalculated[SPLIT], batch.expected[SPLIT].split
    assert split is not None
    assert named(workbook, "split_usd_month") == pytest.approx(float(split.whole.usd_per_month), rel=0, abs=CENT)
    rows = list(workbook["Split"].iter_rows(min_row=4, values_only=True))
    parts = {str(row[0]): row[4] for row in rows if str(row[0]).startswith("of it ")}
    own = dict(zip(("of it Lambda", "of it containers"), (each.usd_per_month for each in split.own), strict=True))
    for name, usd in own.items():
        assert parts[name] == pytest.approx(float(usd), rel=0, abs=CENT)
    assert sum(float(usd) for usd in parts.values()) == pytest.approx(float(split.whole.usd_per_month), rel=0, abs=CENT)


@pytest.mark.slow
def test_inputs_that_a_lane_cannot_serve_are_said(batch: Batch) -> None:
    text = [
        str(cell)
        for row in batch.recalculated["rate into the second tiers"]["Totals"].iter_rows(values_only=True)
        for cell in row
    ]
    assert sum(" steps exceed it" in cell for cell in text) == 2


@pytest.mark.parametrize("case", [name for name in NETWORK if name != "more steps than a sheet holds"])
def test_every_line_of_what_a_stage_may_have_is_live(world: World, case: str) -> None:
    sheet = load_workbook(io.BytesIO(workbook_bytes(NETWORK[case](world).compare())))["Line items"]
    kinds = [row[6] for row in sheet.iter_rows(min_row=4, values_only=True) if row[6]]
    assert set(kinds) == {"formula"}


def test_a_split_has_a_sheet_whose_prices_are_live(world: World) -> None:
    split = replace(world, options=replace(world.options, savings_plan="compute-1y"))
    comparison = compare(split.profile, DAY, split.book, split.stage, options=split.options, lambda_percent=70)
    assert comparison.split is not None
    whole = comparison.split.whole
    workbook = load_workbook(io.BytesIO(workbook_bytes(comparison)))
    rows = [row for row in workbook["Split"].iter_rows(min_row=4, values_only=True) if row[6]]
    assert [row[0] for row in rows] == [line.name for line in whole.lines]
    assert {row[6] for row in rows} == {"Lambda", "containers", "both", "savings plan"}
    assert all(str(row[3]).startswith("=Prices!") for row in rows)
    assert listed(workbook, "the split: its quantities are as reported")
    assert "Split" not in load_workbook(io.BytesIO(workbook_bytes(world.compare()))).sheetnames


def test_how_sure_the_totals_are_stands_below_them_as_reported(world: World) -> None:
    comparison = world.compare()
    bands = {lane.lane: Band(low=120.0, typical=130.0, high=150.0) for lane in comparison.lanes}
    sure = Likely(usd_per_month=bands, share=0.93, worlds=200, uncertainty=Uncertainty(), unknown={})
    workbook = load_workbook(io.BytesIO(workbook_bytes(replace(comparison, likely=sure))))
    assert listed(workbook, "as reported, not computed here: In 9 of 10 of 200 worlds")
    assert listed(workbook, "$120 to $150 on the Lambda lane")
    assert listed(workbook, "in 93% of them")


def test_gaps_of_the_traffic_and_the_last_bills_budget_stand_in_it(world: World) -> None:
    gaps = replace(world.traffic, notes=("3 of 96 steps were missing, filled on the straight line between their neighbours",))
    comparison = replace(world.compare(), traffic=gaps, billed={"budget": {"usd": "812.50", "over": True}})
    workbook = load_workbook(io.BytesIO(workbook_bytes(comparison)))
    assert listed(workbook, "3 of 96 steps were missing")
    assert named(workbook, "budget_usd") == 812.5


def test_what_is_not_live_is_marked_and_listed(world: World) -> None:
    comparison = NETWORK["more steps than a sheet holds"](world).compare()
    workbook = load_workbook(io.BytesIO(workbook_bytes(comparison)))
    assert "Steps" not in workbook.sheetnames
    assert listed(workbook, "45,001 steps are more than the 45,000")


def test_a_line_without_a_formula_is_a_value_that_says_so(world: World) -> None:
    comparison = world.compare()
    kept = comparison.container_lane
    extra = replace(
        kept.lines[0], name="Savings Plan", dimension="compute", quantity=Decimal(-3), usd=-3 * kept.lines[0].unit_price
    )
    workbook = load_workbook(
        io.BytesIO(workbook_bytes(replace(comparison, container_lane=replace(kept, lines=(*kept.lines, extra)))))
    )
    (row,) = [row for row in workbook["Line items"].iter_rows(values_only=True) if row[0] == "Savings Plan"]
    assert (row[1], row[6]) == (-3, "fixed value")
    assert listed(workbook, "container lane: Savings Plan")


def test_one_dimension_at_two_prices_keeps_them_apart(world: World) -> None:
    comparison = world.compare()
    kept = comparison.container_lane
    line = replace(kept.lines[0], name="Credit", unit_price=Decimal("-0.01"), usd=kept.lines[0].quantity * Decimal("-0.01"))
    workbook = load_workbook(
        io.BytesIO(workbook_bytes(replace(comparison, container_lane=replace(kept, lines=(*kept.lines, line)))))
    )
    rows = {str(row[0]): row for row in workbook["Line items"].iter_rows(values_only=True)}
    priced = {
        name: workbook["Prices"][str(rows[name][3]).removeprefix("=Prices!").replace("$", "")].value
        for name in rows
        if name in (line.name, kept.lines[0].name)
    }
    assert priced == {line.name: -0.01, kept.lines[0].name: float(kept.lines[0].unit_price)}


def listed(workbook: Workbook, text: str) -> bool:
    return any(text in str(row[0]) for row in workbook["Totals"].iter_rows(values_only=True))


def test_every_input_is_a_named_cell_and_every_price_has_its_source(world: World) -> None:
    workbook = load_workbook(io.BytesIO(workbook_bytes(world.compare())))
    names = set(workbook.defined_names)
    inputs = [row for row in workbook["Inputs"].iter_rows(min_row=4, values_only=True) if row[5]]
    assert len(inputs) > 50
    assert {row[5] for row in inputs} <= names
    prices = [row for row in workbook["Prices"].iter_rows(min_row=4, values_only=True) if row[5] is not None]
    assert {row[10] for row in prices} <= names
    assert all(row[6] and row[7] and row[8] for row in prices)


def test_same_inputs_give_the_same_bytes(world: World) -> None:
    assert workbook_bytes(world.compare()) == workbook_bytes(world.compare())


def test_text_that_looks_like_a_formula_stays_text(world: World) -> None:
    nasty = replace(world.compare(), traffic=replace(DAY, source="=1+1"))
    workbook = load_workbook(io.BytesIO(workbook_bytes(nasty)))
    assert workbook["Traffic"]["A1"].data_type == "s"


def test_line_items_carry_note_and_source(world: World) -> None:
    comparison = world.compare()
    rows = load_workbook(io.BytesIO(workbook_bytes(comparison)))["Line items"].iter_rows(values_only=True)
    text = {str(row[0]): row for row in rows}
    line: LineItem
    for line in comparison.container_lane.lines:
        row = text.get(line.name) or text[f"{line.name}, tier 1"]
        assert line.note in str(row[7])
