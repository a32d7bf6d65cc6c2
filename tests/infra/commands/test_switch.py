"""The switch's commands from end to end, on moto with a clock that jumps and CloudWatch's figures made from the weights."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace as changed

from infra.cli import cli
from infra.errors import InputError, KitError
from infra.operating import scheduled
from infra.overrides import override
from infra.switching.aws.schedules import Listed
from infra.switching.driver import LEASE_S, Driver, wish
from infra.switching.record import Event, Phase, Wish
from tests.conftest import ROOT, free_port
from tests.infra.switching.aws.live_stage import T0, LiveStage, name_lanes
from tests.infra.switching.aws.moto_stage import MotoStage, aws_in_moto, deploy, refusal
from tests.infra.switching.world import Killed


@pytest.fixture(scope="module")
def cloud() -> Iterator[MotoStage]:
    with aws_in_moto():
        stage = deploy()
        name_lanes(stage)
        yield stage


@pytest.fixture
def live(cloud: MotoStage) -> LiveStage:
    return LiveStage(cloud.restore())


def crossover(live: LiveStage, *arguments: str, input: str | None = None) -> Result:
    command, *rest = arguments
    return CliRunner().invoke(cli, [command, "--stage", "prod", *rest], obj=live.connect, standalone_mode=False, input=input)


def code(result: Result) -> int:
    if isinstance(result.exception, KitError):
        return result.exception.exit_code
    if result.exception is not None:
        raise result.exception
    return 0


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


QUICK = ("--steps", "50,100", "--quiet-s", "30", "--units", "4", "--yes")


def test_a_switch_moves_traffic_in_steps_prewarms_and_lets_go(live: LiveStage) -> None:
    done = crossover(live, "switch", "container", "--why", "weekday load", *QUICK)
    assert code(done) == 0, done.output
    assert live.splits == [
        {"lambda": 100, "container": 0},
        {"lambda": 50, "container": 50},
        {"lambda": 0, "container": 100},
    ]
    assert live.moto.parameter() == "0:100"
    group = live.moto.group()
    assert (group["MinSize"], group["DesiredCapacity"]) == (2, 4)  # its floor is let down, its load keeps the rest
    assert live.asked == ["lambda /version", "container /version"] + 3 * ["container /search"]
    for said in ("prod: lambda 100% → container 100%", "4 instances: given as --units", "is well"):
        assert said in done.stderr
    record = live.control.store.load()
    assert record is not None
    assert (record.phase, record.why, record.forced) == (Phase.DONE, "weekday load", ())
    assert record.digests[0] == record.digests[1] is not None


def test_json_tells_each_event_and_the_result_in_lines(live: LiveStage) -> None:
    told = lines(crossover(live, "switch", "container", *QUICK, "--json"))
    assert told[-1]["result"] == "done"
    promoted = [event for event in told[:-1] if "is well after" in event["what"]]
    assert len(promoted) == 2
    assert promoted[0]["figures"]["container"]["requests"] >= 200
    assert promoted[0]["figures"]["container"]["loop_lag_ms"] == 5.0
    assert promoted[0]["figures"]["container"]["uncompared"] == {"loop_lag_ms": "not-on-lambda"}
    assert promoted[1]["figures"]["container"]["uncompared"]["p99_ms"] == "too-few-requests"  # nothing is left on Lambda
    history = lines(crossover(live, "history", "--json"))
    assert [event["what"] for event in history] == [event["what"] for event in told[:-1]]


def test_a_lane_that_answers_with_errors_is_left_again_with_exit_3(live: LiveStage) -> None:
    live.errors["container"] = 0.2
    done = crossover(live, "switch", "container", *QUICK)
    assert code(done) == 3
    assert "20.00% errors, allowed are 1.00%" in str(done.exception)
    assert live.splits[-1] == {"lambda": 100, "container": 0}
    assert live.moto.parameter() == "100:0"
    assert live.moto.group()["MinSize"] == 2


def test_a_lane_of_which_cloudwatch_tells_nothing_is_not_promoted(live: LiveStage) -> None:
    live.clock.on_sleep.append(lambda now: setattr(live, "silent", True))
    done = crossover(live, "switch", "container", *QUICK)
    assert code(done) == 3
    assert "what is not known is not promoted" in str(done.exception)
    assert live.moto.parameter() == "100:0"


def test_what_the_preflight_finds_is_refused_with_what_would_be_right_and_nothing_is_changed(live: LiveStage) -> None:
    live.digests["container"] = "cd" * 32
    live.smoke_status = 500
    live.moto.metrics.alarms["crossover-prod-container"] = "ALARM"
    done = crossover(live, "switch", "container", "--steps", "100", "--units", "40", "--yes")
    assert code(done) == 1
    for said in (
        "versions: the container lane runs bundle cdcdcdcdcdcd, the lambda lane abababababab",
        "alarms: the container lane's alarm fires",
        "smoke: 0 of 3 requests to the container lane were answered: HTTP 500",
        "capacity: 40 instances are needed (given as --units), 10 are the most; raise container_lane.max_instances",
        "--force goes over it",
    ):
        assert said in str(done.exception)
    assert live.control.store.load() is None
    assert live.moto.parameter() == "100:0"


def test_a_refusal_is_told_to_programs_too(live: LiveStage) -> None:
    live.smoke_status = 503
    refused = crossover(live, "switch", "container", *QUICK, "--json")
    assert code(refused) == 1
    (told,) = lines(refused)
    assert (told["result"], told["switch"]) == ("refused", None)
    assert told["reason"].startswith("smoke: 0 of 3 requests")
    assert [(each["check"], each["forcible"]) for each in told["refusals"]] == [("smoke", True)]


def test_cloudwatch_that_goes_away_is_waited_for_and_then_gone_back_from(live: LiveStage) -> None:
    live.clock.on_sleep.append(lambda now: setattr(live.moto.metrics, "failing", refusal("InternalServiceFault", 500)))
    done = crossover(live, "switch", "container", *QUICK)
    assert code(done) == 3
    assert "what is not known is not promoted" in str(done.exception)
    assert live.moto.parameter() == "100:0"


def test_credentials_that_end_in_the_middle_are_exit_4_and_resumed_with_others(live: LiveStage) -> None:
    def expire(now: float) -> None:
        if live.splits[-1]["container"] == 50:
            live.moto.metrics.failing = refusal("ExpiredToken", 403)

    live.clock.on_sleep.append(expire)
    done = crossover(live, "switch", "container", *QUICK)
    assert code(done) == 4
    assert "the AWS credentials have expired; renew them" in str(done.exception)
    assert "the switch stopped at verify, step 1 of 2 (50:50): see `crossover status --stage prod`" in str(done.exception)
    live.clock.on_sleep.remove(expire)
    live.moto.metrics.failing = None
    assert code(crossover(live, "resume")) == 0


def test_force_goes_over_a_firing_alarm_and_stands_in_the_record_and_the_history(live: LiveStage) -> None:
    live.moto.metrics.alarms["crossover-prod-container"] = "ALARM"
    assert code(crossover(live, "switch", "container", *QUICK, "--force")) == 0
    record = live.control.store.load()
    assert record is not None
    assert record.forced == ("alarms: the container lane's alarm fires; see docs/runbooks/ for what it names",)
    assert "FORCED over alarms" in live.control.store.history(100)[0].what


def test_gates_hooks_and_notifications_are_called_by_options_and_shown_without_their_secrets(
    live: LiveStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, hook = tmp_path / "gate", tmp_path / "hook"
    for path, text in ((gate, "cat >> gates; echo >> gates"), (hook, "cat >> hooks; echo >> hooks")):
        path.write_text(f"#!/bin/sh\ncd {tmp_path}\n{text}\n")
        path.chmod(0o755)
    monkeypatch.setenv("NOBODY", f"http://127.0.0.1:{free_port()}/sEcReT")
    options = ("--gate", f"command:{gate} --token abc", "--hook", f"command:{hook}", "--notify", "slack:env:NOBODY")
    planned = crossover(live, "plan", "container", *QUICK[:-1], *options, "--json")
    assert json.loads(planned.stdout)["plan"]["callouts"]["gates"] == [f"command:{gate} …"]
    done = crossover(live, "switch", "container", *QUICK, *options)
    assert code(done) == 0, done.output
    asked = [json.loads(line) for line in (tmp_path / "gates").read_text().splitlines()]
    called = [json.loads(line) for line in (tmp_path / "hooks").read_text().splitlines()]
    assert [(told["event"], told["step"]["number"]) for told in asked] == [("before-step", 1), ("before-step", 2)]
    assert [told["event"] for told in called] == ["step-done", "step-done", "done"]
    for text in (planned.output, done.output, "".join(event.what for event in live.control.store.history(100))):
        assert "abc" not in text and "sEcReT" not in text
    assert any("env:NOBODY could not be told of begun" in event.what for event in live.control.store.history(100))


def test_a_gate_that_cannot_be_called_is_refused_and_force_does_not_help(live: LiveStage) -> None:
    refused = crossover(live, "switch", "container", *QUICK, "--gate", "env:CROSSOVER_NO_GATE", "--force")
    assert code(refused) == 1
    assert "gates: env:CROSSOVER_NO_GATE: the environment variable CROSSOVER_NO_GATE is not set" in str(refused.exception)
    assert live.control.store.load() is None


def test_gates_of_the_settings_that_an_option_leaves_out_stand_in_the_record_and_a_rollback_asks_none(
    live: LiveStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = override({"stage": "prod", "switch.gates": "env:CROSSOVER_NO_GATE", "switch.gate_hold_s": "60"})
    monkeypatch.setattr("infra.operating.callouts.settings_of", lambda name: stage)
    assert "gates: env:CROSSOVER_NO_GATE" in str(crossover(live, "switch", "container", *QUICK).exception)
    assert code(crossover(live, "switch", "container", *QUICK, "--gate", "none")) == 0
    record = live.control.store.load()
    assert record is not None
    assert record.forced == ("gates: env:CROSSOVER_NO_GATE left out",)
    assert code(crossover(live, "rollback", "--yes", "--quiet-s", "30")) == 0


def test_an_operator_goes_over_a_gate_only_while_it_holds(live: LiveStage) -> None:
    assert str(crossover(live, "promote", "--over-gate").exception) == "there is no unfinished switch"
    said: list[Result] = []

    def over(now: float) -> None:
        record = live.control.store.load()
        if record is not None and record.held and not said:
            assert "held: exit code 1" in crossover(live, "status").stdout
            said.append(crossover(live, "promote", "--over-gate"))
            said.append(crossover(live, "promote", "--over-gate", "--yes"))

    live.clock.on_sleep.append(over)
    options = ("--steps", "100", "--quiet-s", "30", "--units", "4", "--yes", "--gate", "command:false")
    assert code(crossover(live, "switch", "container", *options)) == 0
    assert str(said[0].exception) == "prod is production and this is no terminal: say --yes"
    assert "goes over the gate that holds it" in said[1].stderr
    assert any("by an operator's word (exit code 1)" in event.what for event in live.control.store.history(100))


def test_production_wants_its_name_typed_or_yes(live: LiveStage) -> None:
    refused = crossover(live, "switch", "container", "--steps", "100", "--units", "2")
    assert code(refused) == 1
    assert str(refused.exception) == "prod is production and this is no terminal: say --yes"
    assert live.control.store.load() is None


def test_a_dry_run_and_plan_print_the_same_and_change_nothing(live: LiveStage) -> None:
    dry = crossover(live, "switch", "split", "30/70", "--dry-run", "--json", "--units", "3")
    planned = crossover(live, "plan", "split", "30/70", "--json", "--units", "3")
    assert code(dry) == code(planned) == 0
    assert json.loads(dry.stdout) == json.loads(planned.stdout)
    plan = json.loads(dry.stdout)["plan"]
    assert [step["weights"] for step in plan["steps"]] == ["99:1", "96:4", "82:18", "65:35", "30:70"]
    assert live.control.store.load() is None
    assert len(live.splits) == 1


def test_the_need_is_by_what_the_lanes_do_now(live: LiveStage) -> None:
    unknown = crossover(live, "plan", "container")
    assert code(unknown) == 1
    assert "the container lane had fewer than 1,000 requests in the last hour; give --profile FILE" in str(unknown.exception)
    live.moto.restore("0:100")
    planned = json.loads(crossover(live, "plan", "lambda", "--json").stdout)
    assert planned["plan"]["need"] == {"units": 40, "why": "100.0 requests/s of 0.40 s each (as in the last hour)"}


def test_traffic_that_is_split_so_already_is_left_alone(live: LiveStage) -> None:
    done = crossover(live, "switch", "lambda", "--yes")
    assert code(done) == 0
    assert "split so already: lambda 100%" in done.stderr
    (told,) = lines(crossover(live, "switch", "lambda", "--yes", "--json"))
    assert told == {"result": "done", "reason": "traffic is split so already: lambda 100%", "switch": None}


def test_a_switch_without_a_driver_is_found_resumed_and_finished(live: LiveStage) -> None:
    proposal = json.loads(crossover(live, "plan", "container", *QUICK[:-1], "--json").stdout)
    assert proposal["refusals"] == []

    def die(now: float) -> None:
        if live.splits[-1]["container"] == 50:
            live.clock.on_sleep.remove(die)
            raise KeyboardInterrupt

    live.clock.on_sleep.append(die)
    stopped = crossover(live, "switch", "container", *QUICK)
    assert code(stopped) == 130
    assert "stopped at verify, step 1 of 2 (50:50); traffic stays as it is" in str(stopped.exception)
    assert "crossover resume --stage prod" in str(stopped.exception)
    assert "ITS DRIVER IS GONE" in crossover(live, "status").stdout
    found = crossover(live, "doctor")
    assert code(found) == 1
    assert "stands at verify, step 1 of 2 (50:50) and nobody drives it" in found.stdout
    assert code(crossover(live, "resume")) == 0
    assert live.moto.parameter() == "0:100"
    assert code(crossover(live, "resume")) == 1


def test_a_driver_that_was_killed_holds_its_lease_for_a_while_and_is_then_resumed(live: LiveStage) -> None:
    def die(now: float) -> None:
        if live.splits[-1]["container"] == 50:
            live.clock.on_sleep.remove(die)
            raise Killed

    live.clock.on_sleep.append(die)
    with pytest.raises(Killed):
        crossover(live, "switch", "container", *QUICK)
    store = live.control.store
    left = store.load()
    assert left is not None
    store.save(changed(left, owner="anna@laptop:1"))  # of another process than this test's
    assert "anna@laptop:1 is switching" in str(crossover(live, "resume").exception)
    live.clock.sleep(LEASE_S)
    assert code(crossover(live, "resume")) == 0
    assert live.moto.parameter() == "0:100"


def test_a_switch_that_has_lost_its_driver_is_aborted_by_the_command_itself(live: LiveStage) -> None:
    def die(now: float) -> None:
        if live.splits[-1]["container"] == 50:
            live.clock.on_sleep.remove(die)
            raise KeyboardInterrupt

    live.clock.on_sleep.append(die)
    crossover(live, "switch", "container", *QUICK)
    aborted = crossover(live, "abort")
    assert code(aborted) == 3
    assert "aborted by an operator" in str(aborted.exception)
    assert live.moto.parameter() == "100:0"


def test_the_second_operator_is_told_who_and_where(live: LiveStage) -> None:
    from infra.operating.proposal import propose, request_of
    from infra.switching.weights import all_on

    options = {"steps": "50,100", "limits": (), "bake_s": None, "units": 4, "profile": None, "standby": None}
    request = request_of({**options, "quiet_s": 30.0, "allow_version_skew": False, "smoke_path": None})
    plan = propose(live.control, all_on("container"), request).plan
    assert plan is not None
    Driver(live.control.world, owner="anna@laptop:1").begin(plan, why="cheaper")
    for command in (("switch", "container", *QUICK), ("resume",)):
        busy = crossover(live, *command)
        assert code(busy) == 1
        assert "anna@laptop:1 is switching since 0 min, at prewarm; its driver is at work" in str(busy.exception)
    live.moto.metrics.alarms["crossover-prod-container"] = "ALARM"  # whatever else is against it, who is at it comes first
    refused = crossover(live, "plan", "container", *QUICK[:-1], "--json")
    assert code(refused) == 1
    first = json.loads(refused.stdout)["refusals"][0]
    assert (first["check"], first["forcible"]) == ("switching", False)
    here = crossover(live, "switch", "lambda", "--yes")
    assert code(here) == 1 and "traffic is split so at this moment, and anna@laptop:1 is switching" in str(here.exception)
    for name, asked in (("pause", Wish.PAUSE), ("abort", Wish.ABORT)):
        live.clock.at += 1
        if asked is Wish.ABORT:
            live.clock.on_sleep.append(lambda now: wish(live.control.store, Wish.GO_ON))
            assert code(crossover(live, name)) == 0
            continue
        left = crossover(live, name, "--json")
        assert code(left) == 0
        assert json.loads(left.stdout)["driven"] is True
        record = live.control.store.load()
        assert record is not None and record.wish is asked
        assert live.control.store.history(1)[0].what == f"{asked} asked"


def test_aborting_waits_for_a_driver_that_obeys_and_goes_back_itself_where_that_one_died_a_moment_ago(live: LiveStage) -> None:
    def die(now: float) -> None:
        if live.splits[-1]["container"] == 50:
            live.clock.on_sleep.remove(die)
            raise Killed

    live.clock.on_sleep.append(die)
    with pytest.raises(Killed):
        crossover(live, "switch", "container", *QUICK)
    record = live.control.store.load()
    assert record is not None and record.lease_until > live.clock.now()

    def obey(now: float) -> None:
        wish(live.control.store, Wish.GO_ON)

    live.clock.on_sleep.append(obey)
    assert code(crossover(live, "abort")) == 0
    live.clock.on_sleep.remove(obey)
    aborted = crossover(live, "abort", "--json")
    assert code(aborted) == 3
    assert lines(aborted)[0]["driven"] is True
    assert live.clock.now() >= record.lease_until
    assert live.splits[-1] == {"lambda": 100, "container": 0}


def test_leaving_the_container_lane_keeps_its_instances_until_the_end(cloud: MotoStage) -> None:
    live = LiveStage(cloud.restore("0:100"))
    import boto3

    scaling = boto3.client("autoscaling", "us-east-1")
    scaling.update_auto_scaling_group(AutoScalingGroupName=cloud.resources.group, DesiredCapacity=4)
    arguments = ("lambda", "--steps", "50,100", "--quiet-s", "30", "--units", "4")
    plan = json.loads(crossover(live, "plan", *arguments, "--json").stdout)["plan"]
    assert (plan["keep"], plan["keep_floor"]) == (4, 2)
    assert "keep     container lane, 4 instances until the end" in crossover(live, "plan", *arguments).output
    minima: set[int] = set()
    live.clock.on_sleep.append(
        lambda now: minima.add(live.moto.group()["MinSize"]) if live.splits[-1]["lambda"] == 50 else None
    )
    assert code(crossover(live, "switch", *arguments, "--yes")) == 0
    assert minima == {4}
    assert (live.moto.group()["MinSize"], live.moto.group()["DesiredCapacity"]) == (2, 2)


def test_rollback_goes_back_hours_later_with_what_the_lane_had_then(cloud: MotoStage) -> None:
    """By then the lane's last hour tells nothing, and at night nobody knows a number for --units."""
    live = LiveStage(cloud.restore("0:100"))
    assert code(crossover(live, "switch", "lambda", "--steps", "100", "--quiet-s", "30", "--units", "4", "--yes")) == 0
    live.clock.sleep(2 * 3_600)
    assert "had fewer than 1,000 requests in the last hour" in str(crossover(live, "plan", "container").exception)
    dry = crossover(live, "rollback", "--dry-run")
    assert code(dry) == 0 and "2 instances: as before switch" in dry.stdout
    assert live.moto.parameter() == "100:0"
    back = crossover(live, "rollback", "--yes", "--quiet-s", "30")
    assert code(back) == 0, back.output
    assert "2 instances: as before switch" in back.stderr
    assert live.moto.parameter() == "0:100"


def test_without_cloudwatch_a_switch_begins_by_force_alone(live: LiveStage) -> None:
    live.moto.metrics.failing = refusal("InternalServiceFault", 500)
    planned = crossover(live, "plan", "container", *QUICK[:-1], "--limit", "loop_lag_ms=none", "--json")
    assert code(planned) == 1
    (against,) = json.loads(planned.stdout)["refusals"]
    assert against["seen"] == "whether the container lane's alarm fires is not known: CloudWatch does not answer"
    assert (against["check"], against["forcible"]) == ("alarms", True)


def test_what_steps_cannot_be_judged_by_is_said_before_and_keeps_nobody_from_it(live: LiveStage) -> None:
    samples = ("--limit", "min_samples=100000")
    planned = crossover(live, "plan", "container", *QUICK[:-1], *samples, "--json")
    assert code(planned) == 0
    (doubt,) = json.loads(planned.stdout)["doubts"]
    assert "requests/s step 1 sees some" in doubt and "requests of the 100,000 it is judged by" in doubt
    assert "--limit min_samples=48000 at most" in doubt
    assert "doubtful" in crossover(live, "plan", "container", *QUICK[:-1], *samples).output
    assert json.loads(crossover(live, "plan", "container", *QUICK[:-1], "--json").stdout)["doubts"] == []


def test_rollback_is_a_switch_to_where_traffic_was_and_is_no_surprise(live: LiveStage) -> None:
    none = crossover(live, "rollback", "--yes")
    assert code(none) == 1
    assert "there has been no switch of prod to go back from" in str(none.exception)
    assert code(crossover(live, "switch", "container", *QUICK)) == 0
    assert code(crossover(live, "rollback", "--yes", "--quiet-s", "30")) == 0
    assert live.splits[-1] == {"lambda": 100, "container": 0}
    assert live.moto.group()["DesiredCapacity"] == 2  # down to its minimum once it was quiet


def test_weights_changed_by_hand_are_found_by_doctor_and_refused(live: LiveStage) -> None:
    assert code(crossover(live, "doctor")) == 0
    assert code(crossover(live, "switch", "container", *QUICK)) == 0
    import boto3

    boto3.client("ssm", "us-east-1").put_parameter(
        Name="/crossover/prod/traffic-weights", Value="20:80", Type="String", Overwrite=True
    )
    found = crossover(live, "doctor", "--json")
    assert code(found) == 1
    (finding,) = json.loads(found.stdout)["findings"]
    assert finding["what"].startswith("the rule holds 0:100 and the parameter 20:80, which the next deployment writes")
    assert finding["mend"].endswith("traffic-weights --value 0:100; or `crossover switch` with --force to what is right")
    again = crossover(live, "switch", "container", *QUICK)
    assert code(again) == 1
    assert "nothing to move, but the rule holds 0:100 and the parameter holds 20:80" in str(again.exception)
    refused = crossover(live, "switch", "lambda", *QUICK)
    assert "weights: the parameter holds 20:80, the rule 0:100" in str(refused.exception)


def test_status_shows_both_lanes_and_what_is_not_known(live: LiveStage) -> None:
    told = json.loads(crossover(live, "status", "--json").stdout)
    assert told["split"] == {"lambda": 1.0, "container": 0.0}
    assert told["lanes"]["lambda"]["requests"] == 24_000  # the four whole minutes of five
    assert told["lanes"]["container"]["p99_ms"] is None
    assert told["switch"] is None
    live.silent = True
    assert json.loads(crossover(live, "status", "--json").stdout)["lanes"]["lambda"]["requests"] == 24_000
    shown = crossover(live, "status").stdout
    assert "No switch yet." in shown and "500 ms" in shown
    live.moto.metrics.failing = refusal("InternalServiceFault", 500)
    away = json.loads(crossover(live, "status", "--json").stdout)
    assert (away["split"], away["lanes"]["container"]["ready"]) == (told["split"], told["lanes"]["container"]["ready"])
    assert away["lanes"]["lambda"]["requests"] is None
    assert away["unknown"] == ["CloudWatch: An error occurred (InternalServiceFault) when calling the Anything operation: no"]
    assert "InternalServiceFault" in crossover(live, "status").stdout


def test_what_json_says_is_in_the_docs(live: LiveStage) -> None:
    section = (ROOT / "docs/operate.md").read_text().partition("\n## JSON\n")[2].partition("\n## ")[0]
    told = [json.loads(crossover(live, "status", "--json").stdout), json.loads(crossover(live, "doctor", "--json").stdout)]
    told.append(json.loads(crossover(live, "plan", "container", *QUICK[:-1], "--json").stdout))
    told += lines(crossover(live, "switch", "container", *QUICK, "--json"))
    told += lines(crossover(live, "history", "--json"))
    told.append(json.loads(crossover(live, "status", "--json").stdout))
    told.append(json.loads(crossover(live, "prewarm", "container", "--units", "2", "--yes", "--json").stdout))
    listed = Listed(name="x", expression="cron(0 7 * * ? *)", timezone="UTC", state="ENABLED", entry=None)
    told.append({"entries": [scheduled.document(listed, T0)], "changes": None})
    keys = {key for document in told for key in _keys(document)}
    assert {"loop_lag_ms", "doubts", "driven", "lately", "uncompared", "digests", "at_least", "result"} <= keys
    assert {key for key in keys if f"`{key}`" not in section} == set()


def _keys(told: object) -> Iterator[str]:
    """But for a plan's own, which is the tool's (`infra.switching.plan`)."""
    if isinstance(told, dict):
        for key, value in told.items():
            yield key
            yield from () if key == "plan" else _keys(value)
    elif isinstance(told, list):
        for each in told:
            yield from _keys(each)


def test_watching_looks_again_and_again(live: LiveStage) -> None:
    looks: list[float] = []

    def enough(now: float) -> None:
        looks.append(now)
        if len(looks) == 3:
            raise KeyboardInterrupt

    live.clock.on_sleep.append(enough)
    watched = CliRunner().invoke(
        cli, ["status", "--stage", "prod", "--watch", "--json"], obj=live.connect, standalone_mode=True
    )
    assert [told["at"] for told in map(json.loads, watched.stdout.splitlines())] == [T0, T0 + 20, T0 + 40]


def test_prewarm_raises_and_release_lets_go(live: LiveStage) -> None:
    for asked in (("--units", "5"), ("--release",)):
        unnamed = crossover(live, "prewarm", "container", *asked)
        assert str(unnamed.exception) == "prod is production and this is no terminal: say --yes"
    assert (live.moto.group()["MinSize"], live.control.store.history(1)) == (2, [])
    assert code(crossover(live, "prewarm", "container", "--units", "5", "--yes", "--json")) == 0
    assert live.moto.group()["MinSize"] == 5
    assert live.control.store.history(1)[0].what == "5 ready on the container lane, 5 were asked for"
    assert code(crossover(live, "doctor")) == 1
    assert code(crossover(live, "prewarm", "container", "--release", "--yes")) == 0
    assert live.moto.group()["MinSize"] == 2
    too_many = crossover(live, "prewarm", "container", "--units", "50")
    assert str(too_many.exception).startswith(
        "refused, nothing was raised: capacity: 50 instances are needed (given as --units)"
    )
    assert live.moto.group()["MinSize"] == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("switch", "moon"), "must be lambda, container, or split LAMBDA/CONTAINER"),
        (("switch", "container", "--steps", "5,x"), "must be whole numbers that rise to 100"),
        (("switch", "container", "--limit", "speed=1"), "NAME one of error_percent"),
        (("switch", "container", "--limit", "p99_ms=fast"), "'fast' is no number"),
        (("switch", "container", "--limit", "p99_ms=0"), "limits.p99_ms: must be more than 0"),
        (("switch", "container", "--limit", "p99_ms=nan"), "limits.p99_ms: must be more than 0, not nan"),
        (("switch", "container", "--limit", "p99_ms=inf"), "limits.p99_ms: must be more than 0, not inf"),
        (("switch", "container", "--limit", "error_percent=101"), "limits.error_percent: must be at most 100"),
        (("switch", "container", "--limit", "min_samples=inf"), "min_samples=inf: must be a whole number"),
        (("switch", "container", "--limit", "min_samples=0.5"), "min_samples=0.5: must be a whole number"),
        (("switch", "container", "--bake-s", "inf"), "limits.bake_s: must be more than 0, not inf"),
        (("switch", "container", "--bake-s", "-5"), "limits.bake_s: must be more than 0"),
        (("switch", "container", "--quiet-s", "nan"), "--quiet-s nan: must be 0 to 1800 seconds"),
        (("switch", "container", "--quiet-s", "-1"), "--quiet-s -1: must be 0 to 1800 seconds"),
        (("switch", "container", "--steps", "100,50"), "steps 100,50: must rise from 1 or more to 100"),
        (("switch", "container", "--steps", "10,10,100"), "steps 10,10,100: must rise"),
        (("switch", "container", "--steps", "50,150"), "steps 50,150: must rise"),
        (("switch", "split", "70/40"), "together 100"),
        (("switch", "split", "0/0"), "together 100"),
        (("switch", "container", "--gate", "./freeze"), "--gate './freeze': must be an http:// or https:// URL"),
        (("rollback", "--notify", "none", "--notify", "env:A"), "--notify 'none': must be"),
    ],
)
def test_wrong_usage_is_exit_2_before_anything_is_asked(arguments: tuple[str, ...], message: str) -> None:
    def nobody(stage: str, region: str | None) -> None:
        pytest.fail("asked")

    command, *rest = arguments
    done = CliRunner().invoke(cli, [command, "--stage", "prod", *rest], obj=nobody, standalone_mode=False)
    assert isinstance(done.exception, InputError)
    assert message in str(done.exception)


@pytest.mark.parametrize("stage", ["", "../x", "a b", "1st", "x" * 33])
def test_what_is_no_stage_name_is_exit_2_before_anything_is_asked(stage: str) -> None:
    for command in ("status", "history", "abort"):
        done = CliRunner().invoke(cli, [command, "--stage", stage], obj=lambda *_: pytest.fail("asked"), standalone_mode=False)
        assert isinstance(done.exception, InputError)
        assert "--stage" in str(done.exception)


def test_wishes_without_a_switch_are_refused(live: LiveStage) -> None:
    for command in ("pause", "promote", "abort", "resume"):
        assert str(crossover(live, command).exception) == "there is no unfinished switch"
    with pytest.raises(KitError, match="there is no unfinished switch"):
        wish(live.control.store, Wish.PAUSE)


def test_a_signal_that_is_ignored_stays_so_as_under_nohup(live: LiveStage) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        live.clock.on_sleep.append(lambda now: os.kill(os.getpid(), signal.SIGHUP))
        assert code(crossover(live, "switch", "container", *QUICK)) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_reader_that_goes_away_stops_the_switch_as_a_closed_terminal_does(
    live: LiveStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    import msgspec

    from infra.commands.switch_run import Show

    tell, told = Show.tell, list[str]()

    def gone(self: Show, event: Event) -> None:
        told.append(event.what)
        if len(told) == 4:
            monkeypatch.setattr(msgspec.json, "encode", broken)
        tell(self, event)

    def broken(*_: object) -> bytes:
        monkeypatch.undo()
        raise BrokenPipeError

    monkeypatch.setattr(Show, "tell", gone)
    stopped = crossover(live, "switch", "container", *QUICK, "--json")
    assert code(stopped) == 130
    assert "traffic stays as it is" in str(stopped.exception)
    (result,) = [line for line in lines(stopped) if "result" in line]
    assert result["result"] == "stopped" and result["switch"]
    record = live.control.store.load()
    assert record is not None and record.lease_until <= live.clock.now()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_a_record_that_can_be_resumed_at_once(live: LiveStage, number: signal.Signals) -> None:
    before = signal.getsignal(number)

    def arrive(now: float) -> None:
        if live.splits[-1]["container"] == 50:
            live.clock.on_sleep.remove(arrive)
            os.kill(os.getpid(), number)

    live.clock.on_sleep.append(arrive)
    assert code(crossover(live, "switch", "container", *QUICK)) == 130
    assert signal.getsignal(number) is before
    record = live.control.store.load()
    assert record is not None
    assert (record.ended, record.lease_until <= live.clock.now()) == (False, True)


def test_the_name_is_typed_on_a_terminal() -> None:
    for typed, expected in ((b"prod\n", b"went on"), (b"yes\n", b"that is not 'prod': nothing was changed")):
        script = (
            "from infra.commands.at_stage import confirm; confirm('prod', 'This moves traffic.', yes=False); print('went on')"
        )
        ours, theirs = pty.openpty()
        child = subprocess.Popen(
            [sys.executable, "-c", script], stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT
        )
        os.write(ours, typed)
        said, _ = child.communicate(timeout=30)
        os.close(ours)
        os.close(theirs)
        assert b"This moves traffic." in said
        assert expected in said


def test_killed_at_each_of_its_events_it_is_resumed_from_the_table_and_ends_on_the_goal(cloud: MotoStage) -> None:
    """The walk over every single call is test_driver's; this one is over DynamoDB, the rule and the group."""
    kills = 0
    while True:
        live = LiveStage(cloud.restore())
        append, left = live.control.store.append, kills

        def fatal(event: Event, append: Any = append) -> None:
            nonlocal left
            append(event)
            if left == 0:
                raise Killed
            left -= 1

        control = live.control
        control.store.append = fatal  # type: ignore[method-assign]
        arguments = ["switch", "--stage", "prod", "container", "--steps", "100", "--quiet-s", "30", "--units", "4", "--yes"]
        try:
            done = CliRunner().invoke(cli, arguments, obj=lambda *_, control=control: control, standalone_mode=False)
            assert code(done) == 0
            break
        except Killed:
            kills += 1
        record = live.control.store.load()
        assert record is not None
        if not record.ended:
            live.clock.at += LEASE_S + 1
            assert code(crossover(live, "resume")) == 0
        assert live.moto.parameter() == "0:100"
        assert live.moto.weights_in_rule() == {"lambda": 0, "container": 100}
        assert live.moto.group()["MinSize"] == 2
    assert kills == 6  # begun, prewarmed, read back, well, quiet, released
