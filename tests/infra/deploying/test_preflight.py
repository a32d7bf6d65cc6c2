"""What would make a deployment fail is said before it, each in one line with what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.config import Stage
from infra.deploying.account import AwsAccount
from infra.deploying.preflight import preflight
from infra.deploying.stacks import StackState
from infra.errors import KitError

STAGE = Stage(name="prod", account="111122223333")


@dataclass
class FakeAccount:
    number: str = "111122223333"
    is_bootstrapped: bool = True
    status: str = "UPDATE_COMPLETE"
    unreachable: str | None = None

    def id(self) -> str:
        if self.unreachable is not None:
            raise KitError(self.unreachable)
        return self.number

    def bootstrapped(self) -> bool:
        return self.is_bootstrapped

    def stacks(self, stage: str, expected: Sequence[str] = ()) -> list[StackState]:
        return [StackState(f"crossover-{stage}-lambda", self.status)]


def problems(account: FakeAccount, assembly: Path | None = None) -> dict[str, str]:
    checks = [check for check in preflight(STAGE, account, assembly) if check.about not in ("Node", "CDK CLI")]
    return {check.about: check.problem for check in checks if check.problem is not None}


def test_what_is_right_has_no_problem() -> None:
    assert problems(FakeAccount()) == {}


def test_credentials_of_another_account_are_refused_and_nothing_more_is_asked_of_it() -> None:
    assert problems(FakeAccount(number="444455556666", is_bootstrapped=False)) == {
        "credentials": "stage prod belongs to account 111122223333, and these credentials to 444455556666: use its own"
    }


def test_an_account_without_bootstrap_names_the_command() -> None:
    assert problems(FakeAccount(is_bootstrapped=False)) == {
        "bootstrap of us-east-1": "account 111122223333 is not bootstrapped for the CDK in us-east-1: "
        "run `npx cdk bootstrap aws://111122223333/us-east-1` once"
    }


def test_a_stack_that_waits_for_a_person_is_named_with_what_to_do() -> None:
    (problem,) = problems(FakeAccount(status="UPDATE_ROLLBACK_FAILED")).values()
    assert problem == (
        "crossover-prod-lambda is UPDATE_ROLLBACK_FAILED: could not be brought back: "
        "`aws cloudformation continue-update-rollback --stack-name crossover-prod-lambda`"
    )


def test_an_aws_that_cannot_be_asked_is_one_problem() -> None:
    assert problems(FakeAccount(unreachable="no AWS credentials were found")) == {
        "credentials": "no AWS credentials were found"
    }


def test_an_assembly_that_is_not_there_is_a_problem_like_the_others(tmp_path: Path) -> None:
    (problem,) = problems(FakeAccount(), tmp_path).values()
    assert "no synthesized assembly" in problem


def test_no_credentials_and_no_aws_are_one_line_each(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(KitError, match=r"^no AWS credentials were found; give some, as with `aws configure` or AWS_PROFILE$"):
        AwsAccount("us-east-1").id()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(KitError, match=r"^AWS could not be asked: Could not connect to the endpoint URL"):
        AwsAccount("us-east-1").id()
