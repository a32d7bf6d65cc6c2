"""The sheet *Workings*: from inputs and traffic to the quantities of a month, each a named formula."""

from __future__ import annotations

from infra.cost import capacity
from infra.cost.compare import Comparison
from infra.cost.lane import Month
from infra.cost.profile import LaneProfile
from infra.cost.reports.workbook.needs import Needs, managed_rps
from infra.cost.reports.workbook.sheet import FIXED, FORMULA, Book, Figure, Value
from infra.cost.reports.workbook.traffic import MAX_STEPS, held, hours_range, steps_range


def write_workings(book: Book, comparison: Comparison, needs: Needs) -> None:
    sheet = book.sheet("Workings", (44, 20, 16, 64, 44, 28))
    book.put(sheet, 0, 0, "Workings", "title")
    book.put(sheet, 1, 0, "What a search and a month need. Nothing is typed in here.", "lead")
    book.head(sheet, 2, ("Figure", "Value", "Unit", "How", "In this workbook", "Name in formulas"))
    book.figures(sheet, 3, (*_month(comparison), *_lambda(comparison, needs), *_container(comparison, needs)))
    sheet.freeze_panes(3, 1)


def fixed_by_steps(comparison: Comparison) -> str | None:
    """Why what steps decide is fixed, where it is."""
    count = len(comparison.traffic.rates)
    if held(comparison.traffic):
        return None
    return f"fixed value: {count:,} steps are more than the {MAX_STEPS:,} that stand in a workbook"


def _month(comparison: Comparison) -> list[Figure]:
    traffic = comparison.traffic
    month = Month(traffic=traffic, hours=comparison.options.month_hours)
    rates, hours = hours_range(traffic, "C"), hours_range(traffic, "D")
    scale = "" if held(traffic) else "*traffic_scale"
    return [
        _formula("profile_hours", "Length of the traffic profile", f"SUM({hours})", traffic.hours, "hours"),
        _formula("month_factor", "Times that it fits a month", "month_hours/profile_hours", month.factor),
        _formula(
            "searches",
            "Searches a month",
            f"SUMPRODUCT({rates},{hours})*3600{scale}*month_factor",
            month.searches,
            "searches",
        ),
        *_edge(comparison, comparison.profile.lambda_lane, "lambda", 0),
        *_edge(comparison, comparison.profile.container_lane, "container", 1),
    ]


def _edge(comparison: Comparison, lane: LaneProfile, name: str, column: int) -> list[Figure]:
    timeout = comparison.stage.traffic.idle_timeout_s
    connection = (lane.cpu_ms_per_search + lane.wait_ms) / 1000 + timeout
    callers = (lane.request_bytes or 0) + (lane.response_bytes or 0)
    out, into = _sum(lane.response_bytes, lane.upstream_bytes_out), _sum(lane.request_bytes, lane.upstream_bytes_in)
    suppliers = _sum(lane.upstream_bytes_in, lane.upstream_bytes_out)
    month = Month(traffic=comparison.traffic, hours=comparison.options.month_hours)
    lcus, hours = hours_range(comparison.traffic, "EF"[column]), hours_range(comparison.traffic, "D")
    given = comparison.lanes[column].lines
    lcu_hours = sum(float(line.quantity) for line in given if line.name == "Load balancer LCUs")
    figures = [
        _formula(
            f"{name}_connection_s",
            f"A connection is open, {name} lane",
            f"({name}_cpu_ms+{name}_wait_ms)/1000+idle_timeout_s",
            connection,
            "s",
        ),
        _formula(
            f"{name}_caller_bytes",
            f"Bytes between callers and the {name} lane a search",
            f"N({name}_request_bytes)+N({name}_response_bytes)",
            callers,
            "bytes",
        ),
        _gigabytes(
            f"{name}_out_gb", f"Out to the internet, {name} lane", name, "response_bytes", "upstream_out_bytes", month, out
        ),
        _gigabytes(
            f"{name}_in_gb", f"In from the internet, {name} lane", name, "request_bytes", "upstream_in_bytes", month, into
        ),
        _gigabytes(
            f"{name}_supplier_gb",
            f"To and from suppliers, {name} lane",
            name,
            "upstream_in_bytes",
            "upstream_out_bytes",
            month,
            suppliers,
        ),
    ]
    if lcu_hours:
        sums = f"SUMPRODUCT({lcus},{hours})*month_factor"
        figures.append(_formula(f"{name}_lcu_hours", f"LCU-hours, {name} lane", sums, lcu_hours, "LCU-hours"))
    return figures


def _gigabytes(name: str, label: str, lane: str, first: str, second: str, month: Month, size: float) -> Figure:
    formula = f"searches*(N({lane}_{first})+N({lane}_{second}))/1E9"
    return _formula(name, label, formula, month.gigabytes(size), "GB")


def _sum(*sizes: float | None) -> float:
    return sum(size or 0 for size in sizes)


def _lambda(comparison: Comparison, needs: Needs) -> list[Figure]:
    traffic, settings = comparison.traffic, comparison.stage.lambda_lane
    month = Month(traffic=traffic, hours=comparison.options.month_hours)
    if needs.managed is not None:
        return _managed(comparison, needs, month)
    need = needs.lambda_
    assert need is not None
    share = capacity.cpu_share(settings.memory_mb)
    peak, cold = steps_range(traffic, "E"), comparison.lambda_lane.capacity["cold_starts_per_month"]
    gb = settings.memory_mb / 1024
    searches, seconds, init = float(month.searches), round(need.seconds_per_search, 6), round(need.init_seconds, 6)
    running = searches * seconds * gb
    kept = "IF(provisioned>0,1-SUM({beyond})/SUM({all}),0)".format(beyond=steps_range(traffic, "F"), all=peak)
    return [
        _formula("lambda_cpu_share", "vCPU of the function", "MIN(1,lambda_memory_mb/full_vcpu_mb)", share),
        _formula(
            "lambda_seconds",
            "Billed time of a search",
            "(lambda_cpu_ms*cpu_scale/lambda_cpu_share+lambda_wait_ms+rounding_ms)/1000",
            need.seconds_per_search,
            "s",
            "CPU shrinks with memory, waiting does not",
        ),
        _formula(
            "lambda_init_seconds",
            "Init of a cold start",
            "lambda_cold_start_ms*cpu_scale/lambda_cpu_share/1000",
            need.init_seconds,
            "s",
        ),
        _stepped(comparison, "lambda_peak", "Environments at the peak", f"MAX({peak})", need.peak_environments),
        _stepped(comparison, "cold_in_profile", "New environments", f"SUM({steps_range(traffic, 'G')})", need.cold_starts),
        _stepped(comparison, "provisioned_share", "Share of the time on provisioned ones", kept, need.provisioned_share),
        _formula(
            "cold_starts",
            "Cold starts a month",
            "MAX(cold_in_profile*month_factor,lambda_peak-provisioned,0)",
            cold,
            "",
            "a rise from one step to the next; at least the peak's",
        ),
        _formula(
            "lambda_running_gb_s",
            "Running, a month",
            "searches*ROUND(lambda_seconds,6)*lambda_memory_mb/1024",
            running,
            "GB-s",
            "seconds to a millionth, as the engine takes them",
        ),
        _formula(
            "lambda_used_gb_s",
            "Of it on provisioned environments",
            "MIN(lambda_running_gb_s,lambda_running_gb_s*provisioned_share)",
            min(running, running * need.provisioned_share),
            "GB-s",
        ),
        _formula(
            "lambda_init_gb_s",
            "Init, a month",
            "IF(snap_start=1,0,cold_starts*ROUND(lambda_init_seconds,6)*lambda_memory_mb/1024)",
            0 if settings.snap_start else cold * init * gb,
            "GB-s",
        ),
        *_over_limit(comparison, "concurrency_limit", need.steps_over_limit),
    ]


def _managed(comparison: Comparison, needs: Needs, month: Month) -> list[Figure]:
    traffic, need = comparison.traffic, needs.managed
    assert need is not None
    total = f"SUM({steps_range(traffic, 'F')})*{traffic.step_s}/3600"
    settings = comparison.stage.lambda_lane
    return [
        _formula(
            "lambda_seconds", "Time of a search", "(lambda_cpu_ms*cpu_scale+lambda_wait_ms)/1000", need.seconds_per_search, "s"
        ),
        _formula(
            "managed_rps_per_instance",
            "Searches a second of one instance",
            "instance_vcpu*target_utilization/(lambda_cpu_ms*cpu_scale/1000)",
            managed_rps(comparison),
        ),
        _stepped(comparison, "managed_hours_in_profile", "Instance-hours of the profile", total, need.instance_hours),
        _formula(
            "managed_hours",
            "Instance-hours a month",
            "managed_hours_in_profile*month_factor",
            need.instance_hours * month.factor,
            "hours",
        ),
        _constant("managed_limit", "Environments that the stage allows", settings.managed_max_environments),
        *_over_limit(comparison, "managed_limit", need.steps_over_limit),
    ]


def _over_limit(comparison: Comparison, limit: str, value: int) -> list[Figure]:
    count = f'COUNTIF({steps_range(comparison.traffic, "E")},">"&{limit})'
    return [_stepped(comparison, "lambda_steps_over", "Steps beyond what Lambda allows", count, value)]


def _container(comparison: Comparison, needs: Needs) -> list[Figure]:
    traffic, need = comparison.traffic, needs.container
    month = Month(traffic=traffic, hours=comparison.options.month_hours)
    hours = f"*{traffic.step_s}/3600"
    on_demand, running = f"SUM({steps_range(traffic, 'J')})", f"SUM({steps_range(traffic, 'I')})"
    over = f'COUNTIF({steps_range(traffic, "H")},">"&max_instances)'
    return [
        _formula(
            "rps_per_instance",
            "Searches a second of one instance",
            "MIN(instance_vcpu,instance_vcpu*workers_per_vcpu)*target_utilization/(container_cpu_ms*cpu_scale/1000)",
            need.rps_per_instance,
            "",
            "at the CPU that the fleet aims at; a worker uses at most one vCPU",
        ),
        _stepped(comparison, "on_demand_in_profile", "On demand, of the profile", on_demand + hours, need.on_demand_hours),
        _stepped(comparison, "spot_in_profile", "On spot, of the profile", f"({running}-{on_demand}){hours}", need.spot_hours),
        _formula(
            "on_demand_hours",
            "On demand, a month",
            "on_demand_in_profile*month_factor",
            need.on_demand_hours * month.factor,
            "hours",
        ),
        _formula("spot_hours", "On spot, a month", "spot_in_profile*month_factor", need.spot_hours * month.factor, "hours"),
        _formula(
            "instance_hours", "Instances, a month", "on_demand_hours+spot_hours", need.instance_hours * month.factor, "hours"
        ),
        _stepped(comparison, "container_steps_over", "Steps beyond the largest fleet", over, need.steps_over_capacity),
    ]


def _formula(name: str, label: str, formula: str, value: Value, unit: str = "", why: str = "") -> Figure:
    return Figure(name=name, label=label, value=value, unit=unit, why=why, formula=formula, kind=FORMULA)


def _stepped(comparison: Comparison, name: str, label: str, formula: str, value: float) -> Figure:
    """A figure that the steps decide: a formula over them, or a value where they are too many."""
    reason = fixed_by_steps(comparison)
    if reason is None:
        return _formula(name, label, formula, value)
    return Figure(name=name, label=label, value=value, why=reason, kind=FIXED)


def _constant(name: str, label: str, value: float) -> Figure:
    return Figure(name=name, label=label, value=value)
