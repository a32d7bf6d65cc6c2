"""AWS clients with time-outs and retries, and what their errors mean to the switch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

from infra.errors import InputError, KitError
from infra.switching.ports import Unreachable

CONNECT_S, READ_S, ATTEMPTS = 3, 8, 4
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
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException"})
# What a request is answered that was signed by a wrong clock: S3's and EC2's code; the others' is that of any bad signature.
SKEWED = frozenset({"RequestExpired", "RequestTimeTooSkewed"})
SKEWED_SIGNATURE = ("Signature expired", "Signature not yet current")


class Aws:
    """Clients of one region, each made when it is first asked for, but for those given. `AWS_ENDPOINT_URL` and profiles are
    boto3's."""

    def __init__(self, region: str | None, clients: Mapping[str, Any] | None = None) -> None:
        import boto3
        from botocore.exceptions import BotoCoreError

        try:
            self._session = boto3.Session(region_name=region)
        except BotoCoreError as error:
            raise InputError(f"AWS credentials: {_line(error)}") from None
        if self._session.region_name is None:
            raise InputError("region: give --region, or set AWS_REGION")
        self.region: str = self._session.region_name
        self._clients: dict[str, Any] = dict(clients or {})

    def client(self, service: str) -> Any:
        if service not in self._clients:
            from botocore.config import Config

            config = Config(
                connect_timeout=CONNECT_S, read_timeout=READ_S, retries={"mode": "standard", "total_max_attempts": ATTEMPTS}
            )
            with asked(f"{service} in {self.region}"):
                self._clients[service] = self._session.client(service, config=config)
        return self._clients[service]


@contextmanager
def asked(what: str) -> Iterator[None]:
    """`Unreachable` for what may answer another time, `KitError` for what will not; one line each."""
    from botocore import exceptions as wrong

    try:
        yield
    except wrong.ClientError as error:
        if is_busy(error):
            raise Unreachable(f"{what}: {_line(error)}") from None
        if code(error) in EXPIRED:
            raise KitError(f"{what}: the AWS credentials have expired; renew them, as with `aws sso login`") from None
        if is_skewed(error):
            raise KitError(f"{what}: AWS refuses what this machine's clock signs: set the clock, it is minutes off") from None
        raise KitError(f"{what}: {_line(error)}") from None
    except (wrong.NoCredentialsError, wrong.PartialCredentialsError):
        raise KitError("no AWS credentials were found; give some, as with `aws configure` or AWS_PROFILE") from None
    except (wrong.HTTPClientError, wrong.ConnectionError) as error:
        raise Unreachable(f"{what}: {_line(error)}") from None
    except wrong.BotoCoreError as error:
        raise KitError(f"{what}: {_line(error)}") from None


def code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def is_busy(error: Any) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code(error) in BUSY or status >= 500 or status == 429


def is_skewed(error: Any) -> bool:
    """AWS takes a request within five minutes of the time at which it was signed."""
    message = str(error.response.get("Error", {}).get("Message", ""))
    return code(error) in SKEWED or message.startswith(SKEWED_SIGNATURE)


def served_at(answer: dict[str, Any]) -> float | None:
    """When AWS answered, by its own clock (whole seconds); None where the answer does not say."""
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        return None if date is None else parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
