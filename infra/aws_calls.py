"""AWS clients of one region with time-outs and retries, and one line for what goes wrong.

As it is for what only reads AWS; the switch's (`infra.switching.aws.calls`) are less patient, and tell what is worth asking
again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from infra.errors import InputError, KitError

EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException"})
# What a request is answered that was signed by a wrong clock: S3's and EC2's code; the others' is that of any bad signature.
SKEWED = frozenset({"RequestExpired", "RequestTimeTooSkewed"})
NOT_AWS = "what answers does not speak as AWS does: a proxy, a network's login page, or another AWS_ENDPOINT_URL"
SKEWED_SIGNATURE = ("Signature expired", "Signature not yet current")


class AwsClients:
    """Clients, each made when it is first asked for, but for those given. `AWS_ENDPOINT_URL` and profiles are boto3's."""

    connect_s, read_s, attempts = 3, 30, 5

    def __init__(self, region: str | None, clients: Mapping[str, Any] | None = None) -> None:
        import boto3
        from botocore.exceptions import BotoCoreError

        try:
            self._session = boto3.Session(region_name=region)
        except BotoCoreError as error:
            raise InputError(f"AWS credentials: {one_line(error)}") from None
        if self._session.region_name is None:
            raise InputError("region: give --region, or set AWS_REGION")
        self.region: str = self._session.region_name
        self._clients: dict[str, Any] = dict(clients or {})

    def client(self, service: str) -> Any:
        if service not in self._clients:
            from botocore.config import Config

            config = Config(
                connect_timeout=self.connect_s,
                read_timeout=self.read_s,
                retries={"mode": "standard", "total_max_attempts": self.attempts},
            )
            try:
                with asked(f"{service} in {self.region}"):
                    self._clients[service] = self._session.client(service, config=config)
            except ValueError as error:  # of an endpoint that is no URL
                raise InputError(f"AWS_ENDPOINT_URL, or the profile's endpoint_url: {one_line(error)}") from None
        return self._clients[service]


@contextmanager
def asked(what: str) -> Iterator[None]:
    """AWS's errors as a `KitError` of one line that says what was asked."""
    from botocore import exceptions as wrong
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ResponseParserError:
        raise KitError(f"{what}: {NOT_AWS}") from None
    except wrong.ClientError as error:
        if error_code(error) in EXPIRED:
            raise KitError(f"{what}: the AWS credentials have expired; renew them, as with `aws sso login`") from None
        if is_skewed(error):
            raise KitError(f"{what}: AWS refuses what this machine's clock signs: set the clock, it is minutes off") from None
        raise KitError(f"{what}: {one_line(error)}") from None
    except (wrong.NoCredentialsError, wrong.PartialCredentialsError):
        raise KitError("no AWS credentials were found; give some, as with `aws configure` or AWS_PROFILE") from None
    except wrong.BotoCoreError as error:
        raise KitError(f"{what}: {one_line(error)}") from None


def error_code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def is_skewed(error: Any) -> bool:
    """AWS takes a request within five minutes of the time at which it was signed."""
    message = str(error.response.get("Error", {}).get("Message", ""))
    return error_code(error) in SKEWED or message.startswith(SKEWED_SIGNATURE)


def one_line(error: Exception) -> str:
    return " ".join(str(error).split())
