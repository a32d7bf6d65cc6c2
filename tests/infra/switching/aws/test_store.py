"""The record is written on condition of its version, also when an answer is lost; the history only grows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from msgspec.structs import replace

from infra.errors import KitError
from infra.switching.aws.calls import Aws
from infra.switching.aws.store import DynamoStore
from infra.switching.plan import make_plan
from infra.switching.ports import Superseded, Unreachable
from infra.switching.record import Event, Phase, Record
from infra.switching.weights import all_on
from tests.infra.switching.aws.moto_stage import REGION, MotoStage, make_table, refusal

TABLE = "crossover-prod-switch"


def record(**more: Any) -> Record:
    plan = make_plan(stage="prod", start=all_on("lambda"), goal=all_on("container"))
    assert plan is not None
    told = {"id": "a1", "plan": plan, "phase": Phase.PREWARM, "owner": "anna", "why": "cheaper", "started": 1.0, "since": 1.0}
    return Record(**{**told, **more})


def event(number: int, what: str = "said") -> Event:
    return Event(
        at=1_000_000.0 + number, switch="a1", who="anna", what=f"{what} {number}", phase=Phase.VERIFY, figures={"n": number}
    )


@pytest.fixture
def store(cloud: MotoStage) -> DynamoStore:
    make_table()
    return DynamoStore(Aws(REGION), TABLE)


def test_what_was_written_is_read_back_with_its_version(store: DynamoStore) -> None:
    assert store.load() is None
    written = store.save(record())
    assert written.version == 1
    assert store.load() == written
    assert store.save(replace(written, phase=Phase.SHIFT)).version == 2
    item = boto3.client("dynamodb", REGION).get_item(TableName=TABLE, Key={"pk": {"S": "record"}, "sk": {"S": "record"}})[
        "Item"
    ]
    assert item["version"] == {"N": "2"}


def test_a_write_over_another_version_is_superseded(store: DynamoStore) -> None:
    first = store.save(record())
    with pytest.raises(Superseded):
        store.save(record(owner="ben"))  # a new record, where there is one
    store.save(replace(first, owner="ben"))
    with pytest.raises(Superseded):
        store.save(replace(first, phase=Phase.SHIFT))
    loaded = store.load()
    assert loaded is not None
    assert loaded.owner == "ben"


class Lossy:
    """DynamoDB whose next calls go wrong: refused, or done without an answer."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.next: list[tuple[str, Exception | None]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            done, error = self.next.pop(0) if self.next else ("yes", None)
            answer = getattr(self._real, name)(**arguments) if done in ("yes", "twice") else None
            if done == "twice":  # botocore tried again what had been done already
                answer = getattr(self._real, name)(**arguments)
            if error is not None:
                raise error
            return answer

        return call


@pytest.fixture
def lossy(cloud: MotoStage) -> Lossy:
    make_table()
    return Lossy(boto3.client("dynamodb", REGION))


def test_an_attempt_that_meets_its_own_earlier_one_is_no_defeat(lossy: Lossy) -> None:
    store = DynamoStore(Aws(REGION, {"dynamodb": lossy}), TABLE)
    first = store.save(record())
    lossy.next = [("twice", None)]
    assert store.save(replace(first, phase=Phase.SHIFT)).version == 2


@pytest.mark.parametrize(
    "error",
    [
        refusal("ProvisionedThroughputExceededException"),
        refusal("ThrottlingException"),
        refusal("InternalServerError", 500),
        refusal("Whatever", 503),
        ReadTimeoutError(endpoint_url="http://x"),
        EndpointConnectionError(endpoint_url="http://x"),
    ],
)
@pytest.mark.parametrize("done", ["yes", "no"])
def test_no_answer_is_unreachable_whether_or_not_it_was_written(lossy: Lossy, error: Exception, done: str) -> None:
    store = DynamoStore(Aws(REGION, {"dynamodb": lossy}), TABLE)
    lossy.next = [(done, error)]
    with pytest.raises(Unreachable, match=f"table {TABLE}"):
        store.save(record())
    assert (store.load() is not None) == (done == "yes")


def test_what_will_not_answer_another_time_is_one_clear_line(lossy: Lossy) -> None:
    store = DynamoStore(Aws(REGION, {"dynamodb": lossy}), TABLE)
    lossy.next = [("no", refusal("AccessDeniedException", message="not authorized"))]
    with pytest.raises(KitError, match="not authorized") as raised:
        store.load()
    assert not isinstance(raised.value, Unreachable)
    lossy.next = [("no", refusal("ExpiredTokenException"))]
    with pytest.raises(KitError, match="credentials have expired; renew them"):
        store.load()
    for code, message in (
        ("InvalidSignatureException", "Signature expired: 20260301T080000Z is now earlier than 20260301T085500Z"),
        ("SignatureDoesNotMatch", "Signature not yet current: 20260301T100000Z is still later than 20260301T090500Z"),
        ("RequestExpired", "Request has expired."),
    ):
        lossy.next = [("no", refusal(code, message=message))]
        with pytest.raises(KitError, match="set the clock, it is minutes off"):
            store.load()
    with pytest.raises(KitError, match="there is no table elsewhere in us-east-1: deploy the stage's foundation stack anew"):
        DynamoStore(Aws(REGION), "elsewhere").load()


def test_history_is_told_oldest_first_and_the_last_ones_only(store: DynamoStore) -> None:
    for number in range(5):
        store.append(event(number))
    store.append(event(4, "also"))  # at the same moment
    assert store.history(3)[0].what == "said 3"
    assert {each.what for each in store.history(3)[1:]} == {"said 4", "also 4"}
    assert len(store.history(100)) == 6
    assert store.history(1)[0].figures == {"n": 4}


def test_history_beyond_one_page_is_read_on(store: DynamoStore) -> None:
    for number in range(6):
        store.append(event(number, "x" * 300_000))  # a page of Query is 1 MB
    assert [each.figures["n"] for each in store.history(6)] == list(range(6))


def test_what_no_item_holds_is_refused(store: DynamoStore) -> None:
    with pytest.raises(KitError, match="over DynamoDB's 400 KB: shorten --why"):
        store.save(record(why="w" * 400_000))
    assert store.load() is None


def test_what_another_version_wrote_is_one_clear_line_and_hides_no_other_event(store: DynamoStore) -> None:
    table = boto3.client("dynamodb", REGION)
    store.append(event(1))
    of_a_newer = '{"at":1000002.0,"switch":"a2","who":"ben","what":"later","phase":"rehearse"}'
    table.put_item(
        TableName=TABLE, Item={"pk": {"S": "history"}, "sk": {"S": "0001000002.000#000000#ab"}, "body": {"S": of_a_newer}}
    )
    first, second = store.history(10)
    assert (first.what, second.at, second.switch) == ("said 1", 1_000_002.0, "-")
    assert second.what.startswith("of another version of this tool") and second.what.endswith(of_a_newer)
    body = {"S": '{"id":"a3","phase":"rehearse"}'}
    table.put_item(TableName=TABLE, Item={"pk": {"S": "record"}, "sk": {"S": "record"}, "version": {"N": "1"}, "body": body})
    with pytest.raises(KitError, match=r"of another version of this tool \(.*\): go on with the checkout that wrote it"):
        store.load()
