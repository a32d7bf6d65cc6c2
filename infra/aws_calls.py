"""AWS clients of one region with time-outs and retries, and one line for what goes wrong. For what only reads AWS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from infra.errors import InputError, KitError

CONNECT_S, READ_S, ATTEMPTS = 3, 30, 5
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})


class AwsClients:
    """Clients, each made when it is first asked for, but for those given. `AWS_ENDPOINT_URL` and profiles are boto3's."""

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
    """AWS's errors as a `KitError` of one line that says what was asked."""
    from botocore import exceptions as wrong

    try:
        yield
    except wrong.ClientError as error:
        if error_code(error) in EXPIRED:
            raise KitError(f"{what}: the AWS credentials have expired; renew them, as with `aws sso login`") from None
        raise KitError(f"{what}: {_line(error)}") from None
    except (wrong.NoCredentialsError, wrong.PartialCredentialsError):
        raise KitError("no AWS credentials were found; give some, as with `aws configure` or AWS_PROFILE") from None
    except wrong.BotoCoreError as error:
        raise KitError(f"{what}: {_line(error)}") from None


def error_code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
