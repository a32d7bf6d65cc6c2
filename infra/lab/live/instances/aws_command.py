"""`aws` on an instance, as far as user data uses it: fetching the bundle, and telling of a failed boot."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.lab.live.instances.boots import BootFault
from infra.lab.live.instances.bundles import Bundles, Client

MISSPELT = 252
"""The exit code of AWS's own command line for arguments that it does not know."""

FAILED = 254


class AwsCommand:
    """`fault` is this instance's, if any."""

    def __init__(self, client: Client, bundles: Bundles, fault: BootFault | None) -> None:
        self._client = client
        self._bundles = bundles
        self._fault = fault

    async def run(self, arguments: Sequence[str]) -> tuple[int, str]:
        """Exit code and what it says."""
        service, operation, *rest = arguments
        if (service, operation) == ("s3", "cp"):
            uri, into = [word for word in rest if not word.startswith("--")]
            return await self._copy(uri, Path(into))
        act = TELLING.get((service, operation))
        if act is None:
            return MISSPELT, f"the lab's aws does not know {service} {operation}"
        options = {name.removeprefix("--"): value for name, value in zip(rest[::2], rest[1::2], strict=True)}
        return await asyncio.to_thread(_told, functools.partial(act, self._client(service), options))

    async def _copy(self, uri: str, into: Path) -> tuple[int, str]:
        await self._bundles.fetch(uri, into)
        if self._fault is BootFault.WRONG_DIGEST:
            with into.open("ab") as file:
                file.write(b"not deployed")
        return 0, ""


def _told(act: Callable[[], Any]) -> tuple[int, str]:
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        act()
    except (BotoCoreError, ClientError, ResponseParserError) as error:  # the last is moto's 500 for what it lacks
        return FAILED, str(error)
    return 0, ""


def _signal_resource(client: Any, options: Mapping[str, str]) -> None:
    client.signal_resource(
        StackName=options["stack-name"],
        LogicalResourceId=options["logical-resource-id"],
        UniqueId=options["unique-id"],
        Status=options["status"],
    )


def _put_metric_data(client: Any, options: Mapping[str, str]) -> None:
    name, _, value = options["dimensions"].partition("=")
    figure = {
        "MetricName": options["metric-name"],
        "Unit": options["unit"],
        "Value": float(options["value"]),
        "Dimensions": [{"Name": name, "Value": value}],
    }
    client.put_metric_data(Namespace=options["namespace"], MetricData=[figure])


def _complete_lifecycle_action(client: Any, options: Mapping[str, str]) -> None:
    client.complete_lifecycle_action(
        LifecycleHookName=options["lifecycle-hook-name"],
        AutoScalingGroupName=options["auto-scaling-group-name"],
        InstanceId=options["instance-id"],
        LifecycleActionResult=options["lifecycle-action-result"],
    )


TELLING: Mapping[tuple[str, str], Callable[[Any, Mapping[str, str]], None]] = {
    ("cloudformation", "signal-resource"): _signal_resource,
    ("cloudwatch", "put-metric-data"): _put_metric_data,
    ("autoscaling", "complete-lifecycle-action"): _complete_lifecycle_action,
}
