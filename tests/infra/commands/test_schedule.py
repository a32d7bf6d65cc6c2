"""`crossover schedule` from end to end on moto's EventBridge Scheduler."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import msgspec
import pytest
from click.testing import CliRunner, Result

from infra.cli import cli
from infra.errors import InputError, KitError
from infra.overrides import override
from infra.switching.aws.calls import Aws
from infra.switching.aws.schedules import Entry
from tests.infra.switching.aws.moto_stage import PREFIX, REGION, aws_in_moto, make_stack

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:crossover-prod-schedule-Switcher"
ROLE = "arn:aws:iam::123456789012:role/crossover-prod-schedule-Starter"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:crossover-prod-schedule-DeadLetters"
WEEK = """
timezone = "Europe/Berlin"

[[change]]
days = "MON-FRI"
at = "07:00"
to = "container"
units = 6

[[change]]
days = "MON-FRI"
at = "22:00"
to = "lambda"
units = 40
steps = [10, 50, 100]
"""
DAY, NIGHT = "mon-fri-0700-container", "mon-fri-2200-lambda"


class Reached:
    """What the command asks of a stage: its AWS."""

    def __init__(self) -> None:
        self.aws = Aws(REGION)


@pytest.fixture
def scheduler() -> Iterator[Any]:
    with aws_in_moto():
        outputs = {"ScheduleGroup": PREFIX, "SwitcherArn": FUNCTION, "SchedulerRoleArn": ROLE, "DeadLettersArn": QUEUE}
        make_stack(f"{PREFIX}-schedule", outputs)
        client = boto3.Session(region_name=REGION).client("scheduler")
        client.create_schedule_group(Name=PREFIX)
        target = {"Arn": FUNCTION, "RoleArn": ROLE, "Input": '{"kind": "tick"}'}
        window = {"Mode": "OFF"}
        client.create_schedule(
            GroupName=PREFIX, Name="tick", ScheduleExpression="rate(1 minute)", FlexibleTimeWindow=window, Target=target
        )
        yield client


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "week.toml"
    path.write_text(WEEK)
    return path


def schedule(*arguments: object) -> Result:
    command, *rest = map(str, arguments)
    given = ["schedule", command, *rest, "--stage", "prod"]
    return CliRunner().invoke(cli, given, obj=lambda stage, region: Reached(), standalone_mode=False)


def code(result: Result) -> int:
    if isinstance(result.exception, KitError):
        return result.exception.exit_code
    if result.exception is not None:
        raise result.exception
    return 0


def names(scheduler: Any) -> set[str]:
    return {each["Name"] for each in scheduler.list_schedules(GroupName=PREFIX)["Schedules"]}


def entry_of(scheduler: Any, name: str) -> Entry:
    told = scheduler.get_schedule(GroupName=PREFIX, Name=name)["Target"]["Input"]
    return msgspec.json.decode(told, type=Entry)


def test_a_file_becomes_entries_that_start_the_switcher_in_their_own_time_zone(scheduler: Any, file: Path) -> None:
    assert code(schedule("set", file, "--yes")) == 0
    assert names(scheduler) == {"tick", DAY, NIGHT}
    told = scheduler.get_schedule(GroupName=PREFIX, Name=DAY)
    assert (told["ScheduleExpression"], told["ScheduleExpressionTimezone"]) == ("cron(0 7 ? * MON-FRI *)", "Europe/Berlin")
    assert told["FlexibleTimeWindow"] == {"Mode": "OFF"}
    target = told["Target"]
    assert (target["Arn"], target["RoleArn"], target["DeadLetterConfig"]["Arn"]) == (FUNCTION, ROLE, QUEUE)
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 900, "MaximumRetryAttempts": 5}
    entry = entry_of(scheduler, NIGHT)
    assert (entry.to, entry.units, entry.steps, entry.moment) == ("lambda", 40, (10, 50, 100), "<aws.scheduler.scheduled-time>")


def test_set_twice_changes_nothing_and_another_file_changes_what_differs(scheduler: Any, file: Path) -> None:
    schedule("set", file, "--yes")
    assert "the schedule is so already" in schedule("set", file, "--yes").stderr
    file.write_text(WEEK.replace("units = 6", "units = 8").replace('at = "22:00"', 'at = "23:00"'))
    dry = schedule("set", file, "--dry-run", "--json")
    changes = {DAY: "changed", "mon-fri-2300-lambda": "added", NIGHT: "removed"}
    assert json.loads(dry.stdout)["changes"] == changes
    assert entry_of(scheduler, DAY).units == 6
    assert json.loads(schedule("set", file, "--yes", "--json").stdout)["changes"] == changes
    assert names(scheduler) == {"tick", DAY, "mon-fri-2300-lambda"}
    assert entry_of(scheduler, DAY).units == 8


def test_a_paused_entry_stays_paused_through_a_change_until_it_is_resumed(scheduler: Any, file: Path) -> None:
    schedule("set", file, "--yes")
    assert code(schedule("pause", DAY)) == 0
    file.write_text(WEEK.replace("units = 6", "units = 8"))
    schedule("set", file, "--yes")
    states = {each["name"]: (each["state"], each["next"]) for each in json.loads(schedule("list", "--json").stdout)["entries"]}
    assert states[DAY] == ("disabled", None)
    assert states[NIGHT][0] == "enabled" and "T22:00:00+0" in states[NIGHT][1]
    assert "paused" in schedule("list").stdout
    assert code(schedule("resume")) == 0
    entry = entry_of(scheduler, DAY)
    assert entry.units == 8
    assert scheduler.get_schedule(GroupName=PREFIX, Name=DAY)["State"] == "ENABLED"


def test_the_saving_of_the_cost_engine_stands_beside_each_entry(scheduler: Any, file: Path, tmp_path: Path) -> None:
    schedule("set", file, "--yes")
    assert "- is not known" in schedule("list").stdout
    hours = [{"hour": hour, "lambda_usd": 2.0, "container_usd": 1.0} for hour in range(24)]
    (tmp_path / "saving.json").write_text(json.dumps({"schema": 1, "traffic": "year.csv", "hours": hours}))
    assert code(schedule("set", file, "--yes", "--saving", tmp_path / "saving.json")) == 0
    entries = {each["name"]: each for each in json.loads(schedule("list", "--json").stdout)["entries"]}
    assert (entries[DAY]["saves_usd_per_month"], entries[DAY]["saving_by"]) == ("325.89", "year.csv")
    assert entries[NIGHT]["saves_usd_per_month"] == "-404.11"  # from Friday's night to Monday's morning too
    assert "$325.89" in schedule("list").stdout


def test_removing_takes_out_what_is_named_or_all_and_never_the_tick(scheduler: Any, file: Path) -> None:
    schedule("set", file, "--yes")
    assert isinstance(schedule("remove").exception, InputError)
    wrong = schedule("remove", "mon")
    assert code(wrong) == 1
    assert str(wrong.exception) == f"there is no scheduled switch mon; there are {DAY}, {NIGHT}"
    assert code(schedule("remove", DAY)) == 0
    assert names(scheduler) == {"tick", NIGHT}
    assert code(schedule("remove", "--all")) == 0
    assert names(scheduler) == {"tick"}
    assert "No scheduled switch of prod." in schedule("list").stdout


def test_what_another_tool_put_into_the_group_is_listed_and_left_alone(scheduler: Any, file: Path) -> None:
    scheduler.create_schedule(
        GroupName=PREFIX,
        Name="theirs",
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": FUNCTION, "RoleArn": ROLE},
    )
    schedule("set", file, "--yes")
    assert names(scheduler) == {"tick", "theirs", DAY, NIGHT}
    assert "theirs" in schedule("list").stdout
    assert "was not written by this tool" in str(schedule("pause", "theirs").exception)


def test_callouts_of_the_stage_go_along_as_far_as_a_function_can_call_them(
    scheduler: Any, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stage(**settings: str) -> None:
        made = override({"stage": "prod", **{key.replace("__", "."): value for key, value in settings.items()}})
        monkeypatch.setattr("infra.commands.schedule_entries.settings_of", lambda name: made)

    stage(switch__gates="secret:prod/gate", switch__notify="slack:env:SLACK_URL,slack:secret:prod/slack")
    done = schedule("set", file, "--yes")
    assert "warning: switch.notify: env:SLACK_URL cannot be called from the switcher" in done.stderr
    callouts = entry_of(scheduler, DAY).callouts
    assert (callouts.gates, callouts.notify) == (("secret:prod/gate",), ("slack:secret:prod/slack",))
    stage(switch__gates="command:./freeze --now")
    refused = schedule("set", file, "--yes")
    assert "switch.gates: command:./freeze … cannot be called from the switcher" in str(refused.exception)


def test_production_wants_a_yes_and_a_stage_without_a_switcher_is_told_how_to_get_one(scheduler: Any, file: Path) -> None:
    assert "prod is production and this is no terminal" in str(schedule("set", file).exception)
    assert names(scheduler) == {"tick"}
    cloud = boto3.Session(region_name=REGION).client("cloudformation")
    cloud.delete_stack(StackName=f"{PREFIX}-schedule")
    missing = schedule("list")
    assert "deploy the stage with switch.scheduled=true first" in str(missing.exception)
    make_stack(f"{PREFIX}-schedule", {"ScheduleGroup": PREFIX})
    assert "has no output SwitcherArn: deploy the stage anew" in str(schedule("list").exception)
