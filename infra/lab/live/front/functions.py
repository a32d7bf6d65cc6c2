"""The Lambda lane of a deployed stage: follows every function that a target group invokes, its alias and its concurrency."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

import aiohttp

from infra.errors import KitError
from infra.lab.lambda_lane import InvokeResult
from infra.lab.live.front.alias import Alias, LambdaFaults, Named, Wanted
from infra.lab.live.front.counts import Tally
from infra.lab.live.front.function_code import Versions

MOST_ENVIRONMENTS = 16


class LiveFunctions:
    """By ARN. An async context manager; leaving it ends every environment. `aws_url` is where the local AWS has its pages,
    None where nobody is told how many environments have been started ahead."""

    def __init__(
        self,
        lambda_: Any,
        versions: Versions,
        tally: Tally,
        *,
        aws_url: str | None = None,
        most_environments: int = MOST_ENVIRONMENTS,
        problem: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._lambda, self._versions, self._tally = lambda_, versions, tally
        self._aws_url = aws_url
        self._most = most_environments
        self._problem = problem
        self._told: dict[str, int] = {}
        self.aliases: dict[str, Alias] = {}

    async def __aenter__(self) -> LiveFunctions:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(alias.stop() for alias in self.aliases.values()))

    async def invoke(self, arn: str, event: bytes) -> InvokeResult:
        return await self._alias(arn).invoke(event)

    def follow(self, arns: Iterable[str]) -> None:
        """Take up functions that are new; those that are known stay, for events may still come to them, until `forget`."""
        for arn in arns:
            self._alias(arn)

    async def forget(self, arn: str) -> None:
        """No target group leads to it any more; its environments end."""
        alias = self.aliases.pop(arn, None)
        if alias is not None:
            await alias.stop()

    def set_faults(self, faults: LambdaFaults) -> None:
        """For every function that is known."""
        for alias in self.aliases.values():
            alias.faults = faults

    async def run(self, every_s: float) -> None:
        """Until cancelled: ask every so many real seconds what is wanted of each function, and do it."""
        while True:
            await asyncio.gather(*(self.catch_up(arn) for arn in list(self.aliases)))
            await asyncio.sleep(every_s)

    async def catch_up(self, arn: str) -> None:
        """Once, for one function that is followed."""
        from botocore.exceptions import BotoCoreError, ClientError

        alias = self.aliases.get(arn)
        if alias is None:
            return
        try:
            alias.wanted = wanted = await asyncio.to_thread(self._wanted, alias.named)
            if wanted.version != alias.version:
                version = await asyncio.to_thread(self._versions.read, alias.named.function, wanted.version)
                await self._tell(alias, 0)  # environments started ahead are a version's own
                await alias.lead_to(version, wanted.provisioned)
            await alias.top_up()
            await self._tell(alias, alias.provisioned)
        except (BotoCoreError, ClientError, KitError, aiohttp.ClientError, TimeoutError) as error:
            self._problem(f"function {alias.named.resource}: {error}")

    def _wanted(self, named: Named) -> Wanted:
        reserved = self._lambda.get_function_concurrency(FunctionName=named.function).get("ReservedConcurrentExecutions")
        if named.alias.isdigit() or named.alias == "$LATEST":
            return Wanted(named.alias, reserved)
        version = self._lambda.get_alias(FunctionName=named.function, Name=named.alias)["FunctionVersion"]
        try:
            kept = self._lambda.get_provisioned_concurrency_config(FunctionName=named.function, Qualifier=named.alias)
        except self._lambda.exceptions.ProvisionedConcurrencyConfigNotFoundException:
            return Wanted(version, reserved)
        return Wanted(version, reserved, int(kept["RequestedProvisionedConcurrentExecutions"]))

    async def _tell(self, alias: Alias, there: int) -> None:
        """How many environments are there of those that were asked for; none can be asked for without an alias or version."""
        resource = alias.named.resource
        if self._aws_url is None or ":" not in resource or self._told.get(resource) == there:
            return
        url, limit = f"{self._aws_url}/_lab/environments", aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(timeout=limit) as session, session.put(url, json={resource: there}) as answer:
            if answer.status >= 300:
                raise KitError(f"its environments were not taken: {answer.status} {await answer.text()}")
        self._told[resource] = there

    def _alias(self, arn: str) -> Alias:
        found = self.aliases.get(arn)
        if found is None:
            found = self.aliases[arn] = Alias(Named.of(arn), self._tally, most_environments=self._most)
        return found
