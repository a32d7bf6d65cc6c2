"""The sheets *Traffic* (hours, for the load balancer's LCUs) and *Steps* (for environments and instances).

A sheet of steps is written up to `MAX_STEPS`, a month of minutes. Of a longer profile the hours stay live, and what steps
decide is written as fixed figures on *Workings*, marked as such.
"""

from __future__ import annotations

from datetime import timedelta

from infra.cost.compare import Comparison
from infra.cost.lines import load_balancer
from infra.cost.minimums import is_scheduled, minimums
from infra.cost.reports.workbook.needs import Needs
from infra.cost.reports.workbook.sheet import FORMULA, INPUT, Book
from infra.cost.traffic.profile import TrafficProfile

MAX_STEPS = 45_000
FIRST = 3
"""Row (from 0) of the first hour or step."""


def held(traffic: TrafficProfile) -> bool:
    """Whether the steps of this traffic stand in the workbook."""
    return len(traffic.rates) <= MAX_STEPS


def steps_range(traffic: TrafficProfile, column: str) -> str:
    return f"Steps!${column}${FIRST + 1}:${column}${FIRST + len(traffic.rates)}"


def hours_range(traffic: TrafficProfile, column: str) -> str:
    return f"Traffic!${column}${FIRST + 1}:${column}${FIRST + len(traffic.hourly())}"


def write_traffic(book: Book, comparison: Comparison) -> None:
    """Hours with their LCUs on both lanes."""
    traffic = comparison.traffic
    sheet = book.sheet("Traffic", (10, 20, 16, 10, 20, 20))
    book.put(sheet, 0, 0, f"Traffic by the hour: {traffic.source}", "title")
    about = "The mean of the hour's steps" if held(traffic) else "Change a rate, or traffic_scale on Inputs for all of them"
    book.put(sheet, 1, 0, f"{about}. LCUs are the largest of four dimensions, never their sum.", "lead")
    titles = ("Hour", "Starts", "Searches a second", "Hours", "LCUs before Lambda", "LCUs before containers")
    book.head(sheet, FIRST - 1, titles)
    hourly = traffic.hourly()
    per_hour = 3600 // traffic.step_s if 3600 % traffic.step_s == 0 else 1
    for number, (rate, hours) in enumerate(hourly):
        row = FIRST + number
        book.put(sheet, row, 0, number + 1, "plain")
        book.put(sheet, row, 1, _when(traffic, number * per_hour), "plain")
        if held(traffic):
            first = FIRST + 1 + number * per_hour
            last = min(first + per_hour - 1, FIRST + len(traffic.rates))
            book.compute(sheet, row, 2, f"AVERAGE(Steps!$D${first}:$D${last})", rate, FORMULA)
        else:
            book.put(sheet, row, 2, rate, INPUT)
        book.put(sheet, row, 3, hours, "plain")
        for column, (lane, target) in enumerate((("lambda", "lambda"), ("container", "instance")), start=4):
            book.compute(
                sheet, row, column, lcu_formula(f"$C{row + 1}", lane, traffic), _lcu(comparison, rate, target), FORMULA
            )
    sheet.freeze_panes(FIRST, 0)


def lcu_formula(cell: str, lane: str, traffic: TrafficProfile) -> str:
    rate = cell if held(traffic) else f"{cell}*traffic_scale"
    return (
        f"{rate}*MAX(1/requests_per_connection/lcu_new_connections,"
        f"1/requests_per_connection*{lane}_connection_s/lcu_active_connections,"
        f"{lane}_caller_bytes*3600/1E9/lcu_gb_{lane},"
        "MAX(0,listener_rules-free_rules)/lcu_rules)"
    )


def _lcu(comparison: Comparison, rate: float, target: str) -> float:
    lane = comparison.profile.lambda_lane if target == "lambda" else comparison.profile.container_lane
    options = comparison.options
    return load_balancer.lcu(
        requests_per_s=rate,
        new_connections_per_s=rate / options.requests_per_connection,
        connection_seconds=(lane.cpu_ms_per_search + lane.wait_ms) / 1000 + comparison.stage.traffic.idle_timeout_s,
        bytes_per_s=rate * ((lane.request_bytes or 0) + (lane.response_bytes or 0)),
        rules=options.listener_rules,
        target=target,
    ).billed


def write_steps(book: Book, comparison: Comparison, needs: Needs) -> None:
    """Each step's environments of Lambda, or its instances where Lambda is to manage them, and the fleet's instances."""
    traffic = comparison.traffic
    fleet = comparison.stage.container_lane
    clock = minimums(fleet, traffic) if is_scheduled(fleet, traffic) else None
    about = "Change a rate given; traffic_scale on Inputs multiplies all of them."
    if clock is not None:
        about += " The fewest instances of each step are container_lane.schedules'."
    sheet = book.sheet("Steps", (10, 20, 16, 16, 18, 18, 18, 14, 14, 14, 14))
    book.put(sheet, 0, 0, f"Steps of {traffic.step_s} s: {traffic.source}", "title")
    book.put(sheet, 1, 0, about, "lead")
    lambda_titles = ("Lambda: environments", "Beyond provisioned", "New ones")
    if needs.managed is not None:
        lambda_titles = ("Lambda: environments", "Lambda: instances", "")
    titles = ("Step", "Starts", "Rate given", "Searches a second", *lambda_titles, "Instances wanted", "Running", "On demand")
    book.head(sheet, FIRST - 1, titles if clock is None else (*titles, "At least"))
    last = FIRST + len(traffic.rates)
    for number, rate in enumerate(traffic.rates):
        row = FIRST + number
        book.put(sheet, row, 0, number + 1, "plain")
        book.put(sheet, row, 1, _when(traffic, number), "plain")
        book.put(sheet, row, 2, rate, INPUT)
        at, before = row + 1, row if number else last
        cells = needs.steps[number]
        if needs.managed is not None:
            ours = [
                f"MAX(managed_least,D{at}*lambda_seconds/managed_concurrency)",
                f"MAX(managed_least,ROUNDUP(MAX(0,D{at}/managed_rps_per_instance-1E-9),0))",
                None,
            ]
        else:
            ours = [f"D{at}*lambda_seconds", f"MAX(0,E{at}-provisioned)", f"MAX(0,F{at}-F{before})"]
        formulas = [
            f"C{at}*traffic_scale",
            *ours,
            f"ROUNDUP(MAX(0,D{at}/rps_per_instance-1E-9),0)",
            f"MIN(MAX({'min_instances' if clock is None else f'K{at}'},H{at}),max_instances)",
            f"MIN(I{at},on_demand_base)+ROUNDUP((I{at}-MIN(I{at},on_demand_base))*(100-spot_percent)/100,0)",
        ]
        for column, (formula, value) in enumerate(zip(formulas, (rate, *cells), strict=True), start=3):
            if formula is not None:
                book.compute(sheet, row, column, formula, value, FORMULA)
        if clock is not None:
            book.put(sheet, row, 10, clock[number], INPUT)
    sheet.freeze_panes(FIRST, 2)


def _when(traffic: TrafficProfile, step: int) -> str:
    seconds = step * traffic.step_s
    if traffic.start is None:
        return f"hour {seconds / 3600:g}"
    return (traffic.start + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M")
