"""AWS clients with time-outs and retries, and what their errors mean to the switch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

from infra import aws_calls
from infra.aws_calls import NOT_AWS, AwsClients, one_line
from infra.aws_calls import error_code as code
from infra.switching.ports import Unreachable

__all__ = ["Aws", "asked", "code", "is_busy", "served_at"]

# Worth asking again beside what is a server's fault by its status (Common Errors, and each service's own API reference).
BUSY = frozenset(
    {
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ResourceContention",
        "ScalingActivityInProgress",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
        "TooManyUpdates",
    }
)


class Aws(AwsClients):
    """Not to be waited for long: a look that is late is worth less than the next."""

    read_s, attempts = 8, 4


@contextmanager
def asked(what: str) -> Iterator[None]:
    """`Unreachable` for what may answer another time, `KitError` for what will not; one line each."""
    from botocore import exceptions as wrong
    from botocore.parsers import ResponseParserError

    with aws_calls.asked(what):
        try:
            yield
        except wrong.ClientError as error:
            if is_busy(error):
                raise Unreachable(f"{what}: {one_line(error)}") from None
            raise
        except (wrong.HTTPClientError, wrong.ConnectionError) as error:
            raise Unreachable(f"{what}: {one_line(error)}") from None
        except ResponseParserError:
            raise Unreachable(f"{what}: {NOT_AWS}") from None


def is_busy(error: Any) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code(error) in BUSY or status >= 500 or status == 429


def served_at(answer: dict[str, Any]) -> float | None:
    """When AWS answered, by its own clock (whole seconds); None where the answer does not say."""
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        return None if date is None else parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None
