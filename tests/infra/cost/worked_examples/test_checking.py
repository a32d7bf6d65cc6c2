"""Published worked examples, priced by the real functions from the shipped book: each to the cent, or to what its publication
rounds, and how. Those in `published.json` stand in the repository; further ones lie beside it, where they are present."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from infra.cost.lines.line import total
from infra.cost.prices.book import PriceBook
from infra.cost.worked_examples.checking import (
    DIFFERS,
    LINES_ROUNDED,
    TO_THE_CENT,
    WITHIN,
    Checked,
    Refused,
    check_example,
    check_file,
    rounded,
)
from infra.cost.worked_examples.inputs import Inputs
from infra.cost.worked_examples.kinds import KINDS, kind_of
from infra.cost.worked_examples.machines import fargate
from infra.cost.worked_examples.network import lcus
from infra.cost.worked_examples.reading import Example, read_examples
from infra.errors import InputError

PUBLISHED = Path(__file__).parent / "published.json"
OWN = {each.id: each for each in read_examples(PUBLISHED)}

# Publications that do not state the cent: what each rounds.
ROUNDED = {
    "lambda-streaming-ssr": LINES_ROUNDED,  # 39.04 for 39.046
    "lambda-managed-instances-api": WITHIN,  # the discounted hour to 0.0457 from 0.045696: a cent in 2,000 hours
    "cmp-devtocash": WITHIN,  # to a dollar; takes the free GB-seconds off, and not the free million requests
    "lambda-tenant-isolation": WITHIN,  # 333.334 told as 333.34
}


@pytest.mark.parametrize("example", OWN.values(), ids=OWN)
def test_own_examples_are_reproduced(example: Example, book: PriceBook) -> None:
    _agrees(check_example(example, book))


def test_examples_beside_the_project_are_reproduced(shared_data: Path, book: PriceBook) -> None:
    examples = read_examples(shared_data / "price-cases" / "cases.json")
    assert examples
    for example in examples:
        _agrees(check_example(example, book))


def _agrees(checked: Checked) -> None:
    said = f"{checked.example.id}: {checked.ours} for {checked.example.published}"
    expected = ROUNDED.get(checked.example.id)
    if expected is None:
        assert checked.verdict in (TO_THE_CENT, LINES_ROUNDED), said
    else:
        assert checked.verdict == expected, said


def test_every_kind_but_those_without_a_source_has_an_example(shared_data: Path) -> None:
    beside = {each.kind for each in read_examples(shared_data / "price-cases" / "cases.json")}
    of_another = {"ec2-spot", "fargate-spot", "inter-az", "lambda-vs-ec2"}  # a kind that has some, with one input fixed
    assert set(KINDS) - beside - {each.kind for each in OWN.values()} == {"app-runner", *of_another}


def test_each_line_is_quantity_times_price(book: PriceBook) -> None:
    for example in OWN.values():
        for line in check_example(example, book).lines:
            assert line.usd == line.quantity * line.unit_price, example.id


def _example(kind: str, total_usd: str = "1", /, **inputs: object) -> Example:
    return Example(
        id="x", kind=kind, inputs=Inputs("x", inputs), published=Decimal(total_usd), tolerance=Decimal(0), source="", note=""
    )


def test_what_differs_is_said(book: PriceBook) -> None:
    assert check_example(_example("nat", "32.86", hours=730), book).verdict == DIFFERS
    assert check_example(_example("nat", "32.85", hours=730), book).verdict == TO_THE_CENT


@pytest.mark.parametrize(
    ("kind", "inputs", "said"),
    [
        ("lambda", {"duration_ms": 1, "memory_mb": 128}, "x: requests: is missing; give a number"),
        ("lambda", {"requests": -1, "duration_ms": 1, "memory_mb": 128}, "x: requests: -1 must be a number of 0 or more"),
        ("lambda", {"requests": "many", "duration_ms": 1, "memory_mb": 128}, "x: requests: 'many' must be a number"),
        ("lambda", {"requests": True, "duration_ms": 1, "memory_mb": 128}, "x: requests: True must be a number"),
        ("lambda", {"requests": 1, "duration_ms": 1, "memory_mb": 1, "arch": "mips"}, "x: arch: 'mips' must be x86 or arm"),
        ("nat", {"hours": 1, "gigabytes": 9}, "x: gigabytes: unknown to this kind of example, which has: .*gb"),
        ("lambda+pc", {"memory_mb": 128, "pc": 7}, "x: pc: must be a table, not 7"),
        ("lambda+stream", {"requests": 1, "payloads": [["1", "7 TB"]]}, r"x: payloads: \['1', '7 TB'\] must be a count and"),
        ("ebs", {"gb": 1, "iops": 5, "volume_type": "st1"}, "no price of iops for this kind of volume"),
        ("fargate", {"vcpu": 1, "gb": 2, "seconds_per_day": 5}, "x: days: is missing"),
        ("sqs", {}, "x: nothing is used; give one or more of requests, fifo_requests"),
        ("sqs", {"reqs": 5}, "x: reqs: unknown to this kind of example, which has: fifo_requests, free_tier, "),
        (
            "ec2",
            {"type": "c7g.large", "purchase": "reserved"},
            "no rate of 'reserved' for c7g.large; plans with rates .* reserved-3y",
        ),
        ("nat", {"hours": 1, "region": "eu-west-1"}, "x: region: 'eu-west-1', but the prices are of us-east-1; give --region"),
        ("alb", {"targets": "pigeons"}, "x: targets: 'pigeon' must be one of ec2, "),
        ("ec2", {"type": "c7g.large", "discount": 32}, "x: discount: 32 must be a share of 0 to 1, or 0% to 100%"),
        ("lambda+stream", {"payloads": [[-5, "7 MB"]]}, r"x: payloads: \[-5, '7 MB'\] must be a count and a size"),
        ("lambda", {"rps": "1e999999", "hours": 5, "memory_mb": 128}, "x: rps: '1e999999' must be a number"),
        ("lambda", {"memory_mb": 1, "memoryMb": 2}, "x: memory_mb, memoryMb: are one input; give one of them"),
        (
            "lambda",
            {"memory_mb": "much", "requests": 1, "duration_ms": 1},
            "x: memory_mb: 'much' must be a number of 0 or more",
        ),
        ("lambda", {"requests_per_day": 5, "duration_ms": 1, "memory_mb": 1}, "seconds, hours, days, .* is missing"),
        ("elasticache", {"nodes": 1, "node_type": "cache.x"}, "no price for AmazonElastiCache node_cache.x_valkey"),
    ],
)
def test_inputs_that_cannot_be_priced_are_one_line(kind: str, inputs: dict[str, object], said: str, book: PriceBook) -> None:
    with pytest.raises(InputError, match=said):
        check_example(_example(kind, **inputs), book)


def test_a_kind_may_go_by_another_name(tmp_path: Path, book: PriceBook) -> None:
    file = tmp_path / "cases.json"
    warm = {"concurrency": 50, "hours": 100, "requests": 10_000_000, "duration_ms": 350, "memory_mb": 512, "arch": "arm64"}
    cases = [
        {"id": "a", "kind": "nat-gateway", "inputs": {"hours": 730, "gb": 100}, "expected": {"total": 37.35}},
        {"id": "b", "kind": "lambda-provisioned", "inputs": warm, "expected": {"total": 45.61}},
    ]
    file.write_text(json.dumps({"cases": cases}))
    assert [check_example(each, book).verdict for each in read_examples(file)] == [TO_THE_CENT] * 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "line 1, column 2: not JSON"),
        ("[]", "must have cases, a list of worked examples"),
        ('{"cases": [7]}', "case 1: must be a table with id, kind, inputs and expected"),
        ('{"cases": [{"id": "a", "kind": "teleport"}]}', "a: kind: 'teleport' must be one of alb, "),
        ('{"cases": [{"id": "a", "kind": "nat"}]}', "a: inputs: must be a table"),
        ('{"cases": [{"id": "a", "kind": "nat", "inputs": {}}]}', "a: expected: must be a table with the total"),
        ('{"cases": [{"id": "a", "kind": "nat", "inputs": {}, "expected": {}}]}', "a: expected: total: is missing"),
        (
            '{"cases": [{"id": "a", "kind": "nat", "inputs": {}, "expected": {"total": 1e400}}]}',
            r"a: expected: total: 1e\+400 must be 1e-18 to 1e\+18, or 0",
        ),
    ],
)
def test_a_malformed_file_names_file_example_and_field(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "cases.json"
    file.write_text(text)
    with pytest.raises(InputError, match=said) as error:
        read_examples(file)
    assert str(file) in str(error.value)


def test_provisioned_concurrency_rounds_up_to_five_minutes_and_a_snapshot_to_three_hours(book: PriceBook) -> None:
    warm = {"concurrency": 1, "hours": "0.01", "requests": 1, "duration_ms": 1}
    lines = check_example(_example("lambda+pc", memory_mb=1024, pc=warm), book).lines
    assert next(line for line in lines if line.dimension == "provisioned_concurrency_x86_64").quantity == 300
    inputs = {"requests": 1, "duration_ms": 1, "memory_mb": 1024, "snapstart": {"active_seconds": 5, "restores": 2}}
    lines = check_example(_example("lambda+snapstart", **inputs), book).lines
    assert {line.dimension: line.quantity for line in lines}["snapstart_cache"] == 3 * 3600
    assert {line.dimension: line.quantity for line in lines}["snapstart_restore"] == 2


def test_free_allowances_are_taken_off_where_the_example_has_them(book: PriceBook) -> None:
    spent = {"requests": 0, "duration_ms": 0, "memory_mb": 1024, "payloads": [[200 * 1024, "7 MB"]]}
    assert check_example(_example("lambda+stream", **spent), book).ours == Decimal("1.6")
    assert check_example(_example("lambda+stream", **spent, free_tier=True), book).ours == Decimal("0.8")
    assert check_example(_example("cloudwatch", alarms=12, free_tier=True), book).ours == Decimal("0.2")


def test_load_balancer_example_matches_in_each_dimension(shared_data: Path) -> None:
    cases = json.loads((shared_data / "price-cases" / "cases.json").read_text(), parse_float=Decimal, parse_int=Decimal)
    case = next(case for case in cases["cases"] if case["id"] == "alb-example1")
    found, expected = lcus(Inputs("alb-example1", case["inputs"])), case["expected"]["lcu"]
    assert found.new_connections == pytest.approx(float(expected["new"]), abs=0.005)
    assert found.active_connections == pytest.approx(float(expected["active"]), abs=0.005)
    assert found.processed_bytes == pytest.approx(float(expected["bytes"]), abs=0.005)
    assert found.rule_evaluations == pytest.approx(float(expected["rules"]), abs=0.005)


def test_bytes_to_functions_and_to_instances_add_up(book: PriceBook) -> None:
    """300 KB/s are 1.08 GB an hour; 120 of them to Lambda count 0.4 GB an LCU."""
    found = lcus(Inputs("x", {"bytes_per_s_kb": 300, "lambda_bytes_per_s_kb": 120}))
    assert found.processed_bytes == pytest.approx(0.648 + 0.432 / 0.4)
    alone = lcus(Inputs("x", {"bytes_per_s_kb": 300, "targets": "lambda"}))
    assert alone.processed_bytes == pytest.approx(1.08 / 0.4)


def test_the_other_side_of_a_comparison_is_an_example_of_its_own(shared_data: Path, book: PriceBook) -> None:
    cases = json.loads((shared_data / "price-cases" / "cases.json").read_text(), parse_float=Decimal, parse_int=Decimal)
    case = next(case for case in cases["cases"] if case["id"] == "cmp-devtocash")
    lines = fargate(book, Inputs("fargate", case["inputs"]["fargate"]))
    assert rounded(total(lines)) == rounded(case["expected"]["fargate"])


def test_managed_instances_calculator_is_reproduced(shared_data: Path, book: PriceBook) -> None:
    """How AWS-samples' calculator sizes is its own; what it charges for a size is to the cent ours, but for functions, whose
    price it rounds up by 2%."""
    found = check_file(shared_data / "price-cases" / "lambda-managed-instances.json", book)
    verdicts = Counter((each.example.kind, each.verdict) for each in found if isinstance(each, Checked))
    assert verdicts == {("lambda-mi", TO_THE_CENT): 10, ("lambda", WITHIN): 10, ("ec2", TO_THE_CENT): 10}


PLAN = {"requests": 10_000_000, "duration_s": 60, "memory_mb": 512, "arch": "arm", "savings_plan": "compute-1y"}
FLEET = {"requests_million": 100, "instance": "m7g.xlarge", "discount_percent": 72, "instance_hours": 2000}
MOBILE = {"requests": 3_000_000, "duration_ms": 120, "memory_mb": 1536, "free_tier": True}
SALE = {"requests": 2_000_000, "duration_ms": 280, "memory_mb": 4096}
WARM = {"requests": 7_440_000, "duration_ms": 2000, "memory_mb": 1024}
SITE = {"rps": 5, "rules": 60, "hours": 720}


@pytest.mark.parametrize(
    ("kind", "inputs", "usd"),
    [
        ("lambda", {"million_requests": 3, "duration_s": 0.12, "memory_gb": 1.5, "arch": "x86-64", "free_tier": "yes"}, "2.73"),
        ("lambda", {"requests": "3 million", "duration": "120 ms", "memory": "1536 MB", "free_tier": True}, "2.73"),
        ("lambda", {**MOBILE, "requests": "3,000,000", "arch": "Graviton2"}, "2.27"),
        ("lambda", {"requestsPerDay": 100_000, "days": 30, "durationMs": 120, "memoryMb": 1536, "free_tier": True}, "2.73"),
        ("lambda", {"requests_per_second": 100, "hours": 730, "duration_ms": 100, "memory_mb": 512}, "271.56"),
        ("lambda", PLAN, "3522.02"),
        ("lambda+provisioned-concurrency", {**SALE, "provisioned_concurrency": 7, "pc_hours": 24}, "32.26"),
        ("lambda-snapstart", {**WARM, "cached_hours": 744, "restores": 74_400}, "263.92"),
        ("lambda-managed-instances", FLEET, "160.35"),
        ("fargate", {"tasks": 2, "cpu_units": 1024, "memory_mb": 2048, "hours": 730}, "72.08"),
        ("fargate-spot", {"vcpu": 1, "gb": 2, "hours": 730}, "11.89"),
        ("ec2", {"instances": 2, "type": "c7g.large", "purchase": "compute-1y"}, "71.98"),
        ("ebs", {"volume_type": "gp2", "gb": 2000, "hours": 12}, "3.33"),
        ("ec2", {"type": "z9.huge", "hours": 10, "price": 3, "region": "us-east-1"}, "30"),
        ("ebs", {"gb": 2000, "iops": 1000, "seconds": 43200, "gb_price": 0.125, "iops_price": 0.065}, "5.25"),
        ("elasticache", {"node": "cache.x9", "count": 2, "hours": 730, "price": 0.1}, "146"),
        ("alb", {**SITE, "new_connections_per_second": 1, "active_connections": 120, "processed_gb_per_hour": 1.08}, "22.42"),
        ("alb", {**SITE, "new_conn_s": 1, "conn_lifetime_min": 2, "bytes_per_s_kb": 300, "lambda_share": 0.4}, "26.15"),
        ("nat", {"nat_gateways": 2, "tb": 1, "hours": 730}, "111.78"),
        ("data-transfer-out", {"egress_tb": 1}, "92.16"),
        ("cross-az", {"gb": 1000}, "20"),
        ("dynamodb-on-demand", {"writes": 1_000_000, "reads_million": 1}, "0.75"),
        ("elasticache-serverless", {"gb": 1, "hours": 730, "ecpu": 1_000_000_000, "price": 0.1}, "75.3"),
        ("lambda-vs-ec2", {**MOBILE, "ec2": {"type": "t3.medium", "hours": 730}}, "2.73"),
    ],
)  # fmt: skip
def test_the_same_example_in_other_words_and_units_costs_the_same(
    kind: str, inputs: dict[str, object], usd: str, book: PriceBook
) -> None:
    name = kind_of(kind)
    assert name is not None
    checked = check_example(_example(name, usd, **inputs), book)
    assert checked.verdict == TO_THE_CENT, checked.ours


def test_one_that_cannot_be_priced_hides_no_other(tmp_path: Path, book: PriceBook) -> None:
    file = tmp_path / "cases.json"
    good = {"id": "a", "kind": "nat", "inputs": {"hours": 730}, "expected": {"total": 32.85}}
    file.write_text(json.dumps({"cases": [{"id": "b", "kind": "teleport"}, good, {**good, "id": "c", "inputs": {"x": 1}}]}))
    first, second, third = check_file(file, book)
    assert isinstance(second, Checked)
    assert isinstance(first, Refused)
    assert first.reason.startswith(f"{file}: b: kind: 'teleport' must be one of alb, ")
    assert isinstance(third, Refused)
    assert third.id == "c"


def test_a_case_of_the_calculators_that_lacks_a_field_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "cases.json"
    file.write_text(json.dumps([{"name": "a", "input": {}, "output": {"lmi_cost": {}}}]))
    with pytest.raises(InputError, match=r"cases\.json: case 1: 'standard_lambda_cost': is missing in this case"):
        read_examples(file)
