"""Scheduled switches: an entry comes due, and the stage's function switches, with nobody at a terminal.

First while an operator is switching: the function is refused, says so in the history and in the dead-letter queue, and moves
nothing. Then by itself: it switches to Lambda and is done. A function may run for fifteen minutes, and this one lets go two and
a half before; in the short form it has fewer, so that a tick must go on from the record there too.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from infra.errors import KitError
from infra.lab.drills.calling import Calling
from infra.lab.drills.deploy_midway import PATIENTLY
from infra.lab.drills.drill import Criteria, Drill, Figures
from infra.lab.drills.ground import Ground, ground_of
from infra.lab.drills.operators import Operator
from infra.lab.drills.role import unpermitted
from infra.lab.drills.switches import BRISKLY, UNITS
from infra.lab.live.lab import Lab
from infra.switching.aws.schedules import Place, find_place
from infra.switching.record import Event, Record
from infra.switching.weights import all_on

RPS = 60.0
STEPS, LONG_STEPS = [100], [10, 25, 50, 100]
SHORT_S = 330
"""Of the function's time, in lab seconds: three minutes until it lets go."""
AHEAD_MIN = (3, 8, 20)
"""How far ahead an entry is put, and when the command that puts it was slower, the next: it takes a lab minute or so."""
DUE_S, DONE_S = 900.0, 5_400.0
"""Lab seconds after an entry's moment until the history must tell of it, and until its switch must have ended."""
HOURS_12 = 12 * 60
ZONE = "Asia/Kolkata"
"""Half an hour off the others, and its clock is never put forward, whatever the time of the drill."""
# A tick in each two seconds takes CPU that the lanes have here, which no lane is to be blamed for.
WEEK = """
timezone = "{zone}"
limits.min_samples = 50
limits.p99_ms = 15000
limits.p99_floor_ms = 15000

[[change]]
days = "MON-SUN"
at = "{at}"
to = "lambda"
units = 10
steps = {steps}

[[change]]
days = "MON-SUN"
at = "{back}"
to = "container"
units = 1
"""


def run(lab: Lab, rounds: int) -> Figures:
    """Once; in the long form with the function's own fifteen minutes and more steps."""
    ground = ground_of(lab)
    place = find_place(ground.aws, lab.stage.name)
    ground.put(all_on("container"))
    began = time.time()
    short = rounds == 1
    with _scheduling(lab, place, SHORT_S if short else None), Calling(lab.url, rps=RPS) as calling:
        letters = _Letters(ground, place)
        refused = _refused(lab, ground, letters)
        record, events = _switched(lab, ground, STEPS if short else LONG_STEPS)
        requests = calling.stop()
        told = _of_function(lab, place)
        wrong = letters.new()
        beyond = unpermitted(lab)
    at_goal = ground.traffic.rule() == ground.traffic.parameter() == all_on("lambda")
    return Figures(
        drill="scheduled",
        requests=requests.count,
        failed=requests.failed,
        seconds=time.time() - began,
        p99_ratio=requests.p99_ratio(requests.moved_at()),
        outcome=str(record.phase),
        said="; ".join([record.reason or record.why, *(f"its role does not allow {action}" for action in beyond)]),
        reasons=dict(requests.reasons),
        more={
            **refused,
            "at_goal": int(at_goal),
            "handed_on": sum(each.what.startswith("resumed by schedule:") for each in events),
            "lab_min": round((events[-1].at - record.started) / 60, 1),
            "memory_mb": told["memory_mb"],
            "letters": len(wrong),
            "unpermitted": len(beyond),
        },
    )


@contextmanager
def _scheduling(lab: Lab, place: Place, limit_s: int | None) -> Iterator[None]:
    """EventBridge Scheduler at work and the function with so much time, until left; then as it was, with no entries."""
    functions = lab.aws.client("lambda")
    before = functions.get_function_configuration(FunctionName=place.function)["Timeout"]
    if limit_s is not None:
        functions.update_function_configuration(FunctionName=place.function, Timeout=limit_s)
    lab.strike("schedules", on=True)
    try:
        yield
    finally:
        lab.strike("schedules", on=False)
        functions.update_function_configuration(FunctionName=place.function, Timeout=before)
        lab.operator("schedule", "remove", "--all")


def _schedule(lab: Lab, steps: list[int]) -> float:
    """Put an entry that comes due soon, by `crossover schedule set`; the lab's moment of it."""
    for ahead in AHEAD_MIN:
        due = (lab.time.now() // 60 + ahead) * 60
        minute = _minute(due)
        with tempfile.TemporaryDirectory(prefix="crossover-week-") as folder:
            file = Path(folder) / "week.toml"
            back = (minute + HOURS_12) % (24 * 60)
            file.write_text(WEEK.format(zone=ZONE, at=_clock(minute), back=_clock(back), steps=steps))
            done = lab.operator("schedule", "set", str(file), "--yes", "--json")
        if done.returncode != 0:
            raise KitError(f"the schedule was not set: {done.stderr.strip()}")
        names = {each["name"] for each in json.loads(done.stdout)["entries"]}
        if names != {f"mon-sun-{_clock(minute).replace(':', '')}-lambda", f"mon-sun-{_clock(back).replace(':', '')}-container"}:
            raise KitError(f"the stage's schedule has {', '.join(sorted(names))}")
        if lab.time.now() < due - 30:
            return due
    raise KitError(f"setting a schedule takes more than {AHEAD_MIN[-1]} lab minutes")


def _minute(moment: float) -> int:
    local = datetime.fromtimestamp(moment, ZoneInfo(ZONE))
    return local.hour * 60 + local.minute


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _refused(lab: Lab, ground: Ground, letters: _Letters) -> dict[str, int]:
    """An entry comes due while an operator is switching, and holds."""
    due = _schedule(lab, STEPS)
    with Operator(lab, "switch", "lambda", "--steps", "50,100", *UNITS["lambda"], *BRISKLY, *PATIENTLY) as anna:
        anna.await_phase("verify")
        lab.operator("pause")
        held = ground.traffic.rule()
        said = _await_event(lab, ground, due, "was refused")
        unmoved = ground.traffic.rule() == ground.traffic.parameter() == held
        who = f":{anna.process.pid} is switching, at "
        letter = letters.await_entrys(lab, due)
        lab.operator("abort")
        anna.end()
    return {
        "refused_told": int(who in said.what and said.who.startswith("schedule:")),
        "refused_letter": int(who in letter["responsePayload"]["errorMessage"] and letter["requestPayload"]["to"] == "lambda"),
        "refused_moved": int(not unmoved),
    }


def _switched(lab: Lab, ground: Ground, steps: list[int]) -> tuple[Record, list[Event]]:
    """An entry comes due, and the function switches. The record of it, and its history."""
    due = _schedule(lab, steps)
    begun = _await_event(lab, ground, due, "scheduled: mon-sun-")
    while (record := ground.store.load()) is None or record.id != begun.switch or not record.ended:
        if lab.time.now() > due + DONE_S:
            where = record.where if record else "no record"
            raise KitError(f"the scheduled switch has not ended after {DONE_S:g} lab s: {where}")
        time.sleep(0.3)
    time.sleep(1.0)  # its last event is written after the record
    return record, [each for each in ground.store.history(200) if each.switch == record.id]


def _await_event(lab: Lab, ground: Ground, due: float, text: str) -> Event:
    """The first from the lab's moment `due` on whose words have `text`. A minute is what clocks may differ by."""
    while lab.time.now() < due + DUE_S:
        for each in ground.store.history(20):
            if each.at >= due - 60 and text in each.what:
                return each
        time.sleep(0.3)
    raise KitError(f"nothing in the history says {text!r} {DUE_S:g} lab s after it was due")


def _of_function(lab: Lab, place: Place) -> dict[str, Any]:
    found: dict[str, Any] = lab.told()["invoked"][place.function.rpartition(":")[2]]
    return found


class _Letters:
    """What comes into the dead-letter queue from now on."""

    def __init__(self, ground: Ground, place: Place) -> None:
        self._sqs = ground.aws.client("sqs")
        self._url = self._sqs.get_queue_url(QueueName=place.dead_letters.rpartition(":")[2])["QueueUrl"]
        while self.new():  # of another time
            pass

    def new(self) -> list[dict[str, Any]]:
        found = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", [])
        for each in found:
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=each["ReceiptHandle"])
        return [json.loads(each["Body"]) for each in found]

    def await_entrys(self, lab: Lab, due: float) -> dict[str, Any]:
        """That of an entry which was due then."""
        while lab.time.now() < due + DUE_S:
            for each in self.new():
                if each["requestPayload"].get("kind") == "switch":
                    return each
            time.sleep(0.3)
        raise KitError("the dead-letter queue has no message of the entry")


SCHEDULED = Drill(
    name="scheduled",
    about="an entry of the schedule comes due while an operator switches, then by itself",
    runbook="drill-scheduled.md",
    run=run,
    criteria=Criteria(
        outcome="done",
        says="scheduled: mon-sun-",
        most={"refused_moved": 0.0, "letters": 0.0, "memory_mb": 256.0, "unpermitted": 0.0},
        least={"refused_told": 1.0, "refused_letter": 1.0, "at_goal": 1.0, "handed_on": 1.0},
    ),
)
