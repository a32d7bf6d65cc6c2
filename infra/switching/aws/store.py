"""The record and the history of a stage in one DynamoDB table.

`pk` is `record` (one item, written on condition of its version) or `history` (one item an event, `sk` its time, its number in
this process and a random end; only ever added). Reads are consistent: a driver that takes over must see the last write.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from infra.errors import KitError
from infra.switching.aws.calls import Aws, asked, code
from infra.switching.ports import Superseded
from infra.switching.record import Event, Phase, Record, decode, encode

MOST_BYTES = 380_000
"""An item holds 400 KB, its keys and the names of its attributes included (Amazon DynamoDB, service quotas)."""
RECORD_KEY = {"pk": {"S": "record"}, "sk": {"S": "record"}}


class DynamoStore:
    """Raises `Superseded`, `Unreachable`, or `KitError` where the table is not there."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws, self._table = aws, table
        self._number = itertools.count()

    def load(self) -> Record | None:
        item = self._call("get_item", Key=RECORD_KEY, ConsistentRead=True).get("Item")
        if item is None:
            return None
        try:
            return decode(item["body"]["S"])
        except msgspec.DecodeError as error:
            raise KitError(
                f"table {self._table}: the record is of another version of this tool ({error}): go on with the checkout that "
                "wrote it, or the newest"
            ) from None

    def save(self, record: Record) -> Record:
        written = replace(record, version=record.version + 1)
        body = _text(encode(written))
        condition = "attribute_not_exists(pk)" if record.version == 0 else "version = :before"
        before = {} if record.version == 0 else {"ExpressionAttributeValues": {":before": {"N": str(record.version)}}}
        item = {**RECORD_KEY, "version": {"N": str(written.version)}, "body": {"S": body}}
        try:
            self._call("put_item", Item=item, ConditionExpression=condition, **before)
        except Superseded:
            # An attempt of ours that got no answer may have been written, and the next one have met itself.
            if self.load() != written:
                raise
        return written

    def append(self, event: Event) -> None:
        key = {"pk": {"S": "history"}, "sk": {"S": f"{event.at:017.3f}#{next(self._number):06}#{uuid.uuid4().hex[:8]}"}}
        self._call("put_item", Item={**key, "body": {"S": _text(msgspec.json.encode(event))}})

    def history(self, last: int) -> Sequence[Event]:
        """The last so many, oldest first."""
        found: list[Event] = []
        more: dict[str, Any] = {}
        while len(found) < last:
            answer = self._call(
                "query",
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": "history"}},
                ScanIndexForward=False,
                ConsistentRead=True,
                Limit=last - len(found),
                **more,
            )
            found += [_event(item) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                break
            more = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        return found[::-1]

    def _call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        from botocore.exceptions import ClientError

        with asked(f"table {self._table}"):
            try:
                answer: dict[str, Any] = getattr(self._aws.client("dynamodb"), operation)(TableName=self._table, **arguments)
            except ClientError as error:
                if code(error) == "ConditionalCheckFailedException":
                    raise Superseded("the switch's record has been written by somebody else") from None
                if code(error) == "ResourceNotFoundException":
                    raise KitError(
                        f"there is no table {self._table} in {self._aws.region}: deploy the stage's foundation stack anew"
                    ) from None
                raise
            return answer


def _event(item: dict[str, Any]) -> Event:
    """One that another version of this tool wrote, and this one cannot read, must not hide the others."""
    text = item["body"]["S"]
    try:
        return msgspec.json.decode(text, type=Event)
    except msgspec.DecodeError as error:
        at = float(item["sk"]["S"].partition("#")[0])
        return Event(at=at, switch="-", who="-", what=f"of another version of this tool ({error}): {text}", phase=Phase.REFUSED)


def _text(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise KitError(f"the switch's record would be {len(data):,} bytes, over DynamoDB's 400 KB: shorten --why")
    return data.decode()
