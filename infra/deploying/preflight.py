"""Everything that must be right before a deployment, each checked by itself, each with what to do in the same line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.config import Stage
from infra.deploying.account import Account
from infra.deploying.assembly import bundle_problem, read_assembly
from infra.deploying.cdk_cli import installed_cli, require_node
from infra.errors import KitError


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at; `problem` says what is wrong and what to do, `None` that it is right."""

    about: str
    problem: str | None


def preflight(stage: Stage, account: Account, assembly: Path | None) -> Iterator[Check]:
    """`assembly` is one that was synthesized before; `None`: it is made by the deployment itself, from the sources."""
    yield _check("Node", require_node)
    yield _check("CDK CLI", installed_cli)
    if assembly is not None:
        yield _check(f"bundle in {assembly}", lambda: bundle_problem(read_assembly(assembly), stage))
    credentials = _check("credentials", lambda: _account_problem(stage, account))
    yield credentials
    if credentials.problem is None:
        yield _check(f"bootstrap of {stage.region}", lambda: _bootstrap_problem(stage, account))
        yield _check("stacks", lambda: _stacks_problem(stage, account))


def _check(about: str, look: Callable[[], object]) -> Check:
    try:
        found = look()
    except KitError as error:
        return Check(about, str(error))
    return Check(about, found if isinstance(found, str) else None)


def _account_problem(stage: Stage, account: Account) -> str | None:
    current = account.id()
    if stage.account is None or current == stage.account:
        return None
    return f"stage {stage.name} belongs to account {stage.account}, and these credentials to {current}: use its own"


def _bootstrap_problem(stage: Stage, account: Account) -> str | None:
    if account.bootstrapped():
        return None
    return (
        f"account {account.id()} is not bootstrapped for the CDK in {stage.region}: "
        f"run `npx cdk bootstrap aws://{account.id()}/{stage.region}` once"
    )


def _stacks_problem(stage: Stage, account: Account) -> str | None:
    blocked = [f"{state.name} is {state.status}: {state.meaning}" for state in account.stacks(stage.name) if state.blocked]
    return "; ".join(blocked) or None
