"""Asks AWS what a deployment must know before and after: whose credentials, bootstrapped or not, which stacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from infra.deploying.stacks import StackState, first_failure, is_of_stage
from infra.errors import KitError

BOOTSTRAP_VERSION = "/cdk-bootstrap/hnb659fds/version"


class Account(Protocol):
    """An AWS account in one region, as far as deploying asks it. Raises `KitError` where AWS cannot be asked."""

    def id(self) -> str: ...

    def bootstrapped(self) -> bool: ...

    def stacks(self, stage: str, expected: Sequence[str] = ()) -> list[StackState]:
        """The stage's stacks, those of `expected` first and in that order, whether or not they are there."""
        ...


class AwsAccount:
    """Over boto3, with the credentials that boto3 and the CDK CLI find alike."""

    def __init__(self, region: str) -> None:
        self._region = region

    def _client(self, service: str) -> Any:
        import boto3
        from botocore.config import Config

        return boto3.Session().client(
            service, region_name=self._region, config=Config(retries={"total_max_attempts": 3}, connect_timeout=10)
        )

    def id(self) -> str:
        with _one_line():
            account: str = self._client("sts").get_caller_identity()["Account"]
            return account

    def bootstrapped(self) -> bool:
        from botocore.exceptions import ClientError

        with _one_line():
            try:
                self._client("ssm").get_parameter(Name=BOOTSTRAP_VERSION)
            except ClientError as error:
                if error.response["Error"]["Code"] == "ParameterNotFound":
                    return False
                raise
            return True

    def stacks(self, stage: str, expected: Sequence[str] = ()) -> list[StackState]:
        with _one_line():
            client = self._client("cloudformation")
            pages = client.get_paginator("describe_stacks").paginate()
            all_stacks = {stack["StackName"]: stack for page in pages for stack in page["Stacks"]}
            own = [name for name, stack in all_stacks.items() if is_of_stage(stack.get("Description", ""), stage)]
            own.sort(key=lambda name: all_stacks[name]["CreationTime"])
            names = [*expected, *(name for name in own if name not in expected)]
            return [self._state(client, name, all_stacks.get(name)) for name in names]

    @staticmethod
    def _state(client: Any, name: str, stack: dict[str, Any] | None) -> StackState:
        if stack is None:
            return StackState(name, None)
        state = StackState(name, stack["StackStatus"])
        if state.complete:
            return state
        pages = client.get_paginator("describe_stack_events").paginate(StackName=stack["StackId"])
        return StackState(name, state.status, first_failure(event for page in pages for event in page["StackEvents"]))


@contextmanager
def _one_line() -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except NoCredentialsError:
        raise KitError("no AWS credentials were found; give some, as with `aws configure` or AWS_PROFILE") from None
    except (BotoCoreError, ClientError) as error:
        raise KitError(f"AWS could not be asked: {' '.join(str(error).split())}") from None
