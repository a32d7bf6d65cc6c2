"""Test cases of AWS-samples' calculator (github.com/aws-samples/sample-aws-lambda-managed-instances), each as three worked
examples: what it charges for the size that it found, on instances that Lambda manages, as functions, on one's own instances.

How many instances it takes is the calculator's own. Its price of functions is $1.7e-9 a ms and 128 MB, which is arm64's
$1.33334e-5 a GB-s rounded up, so its dollars of functions are up to 2% higher.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from infra.errors import InputError

SOURCE = "aws-samples, calculator of Lambda Managed Instances"
MONTH_HOURS = 730
FUNCTIONS_ROUNDED = Decimal("0.02")
ROUNDED = "its price a ms and 128 MB is rounded up"


def is_calculated(case: object) -> bool:
    return isinstance(case, dict) and isinstance(case.get("input"), dict) and isinstance(case.get("output"), dict)


def worked_out(where: str, case: Mapping[str, Any]) -> Iterator[dict[str, object]]:
    """The three examples of a case; `InputError` names the field that it has not."""
    try:
        given, told, name = case["input"], case["output"], case.get("name", "case")
        fleet, function, own = told["lmi_cost"], told["standard_lambda_cost"], told["ec2_cost"]
        requests, kind = given["requestsPerMonth"], given["instanceType"]
        running = {"requests": requests, "duration_s": given["durationSec"], "memory_mb": given["memoryPerExec"]}
        managed = {"requests": requests, "instances": told["capacity"]["instances_with_buffer"], "hours": MONTH_HOURS}
        hosts = {"instances": own["num_instances"], "hours": MONTH_HOURS, "type": kind, "discount": fleet["discount_rate"]}
        examples: tuple[tuple[str, str, dict[str, object], Any], ...] = (
            ("managed", "lambda-mi", {**managed, "instance": kind, "discount": fleet["discount_rate"]}, fleet["total_cost"]),
            ("functions", "lambda", {**running, "arch": given["arch"], "discount": function["discount_rate"]}, None),
            ("instances", "ec2", hosts, own["total_cost"]),
        )
        functions_usd = Decimal(str(function["total_cost"]))
    except (KeyError, TypeError, ArithmeticError) as error:
        raise InputError(f"{where}: {error}: is missing in this case of the calculator's") from None
    for what, example, inputs, usd in examples:
        published = functions_usd if usd is None else usd
        yield {
            "id": f"{name}: {what}",
            "kind": example,
            "inputs": inputs,
            "expected": {"total": published},
            "tolerance_usd": functions_usd * FUNCTIONS_ROUNDED if usd is None else 0,
            "note": ROUNDED if usd is None else "",
            "source": SOURCE,
        }
