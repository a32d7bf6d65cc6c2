"""Lambda's concurrency as its API reference has it: provisioned concurrency, which moto lacks, and the account's settings.

What was asked for is IN_PROGRESS until as many environments are ready: as the lab tells (`PUT /_lab/environments
{"function:alias": 3}`), else after `READY_AFTER_S` lab seconds. It begins anew when the alias is pointed at another version.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from moto.awslambda import urls
from moto.awslambda.exceptions import InvalidParameterValueException, LambdaClientError
from moto.awslambda.responses import LambdaResponse

from infra.errors import InputError
from infra.lab.aws.lab_pages import LabPages, entries
from infra.lab.aws.quotas import Quotas
from infra.lab.lab_time import LabTime

PAGE = "/_lab/environments"
READY_AFTER_S = 60.0
NONE_LEFT = 100  # kept free for functions without a reservation ("Configuring reserved concurrency", Lambda Developer Guide)

PATHS = (
    r"{0}/(?P<api_version>[^/]+)/functions/(?P<function_name>[\w_:%-]+)/provisioned-concurrency/?$",
    r"{0}/(?P<api_version>[^/]+)/account-settings/?$",
)
MISSING = "No Provisioned Concurrency Config found for this function"


class NoConfig(LambdaClientError):
    code = 404

    def __init__(self) -> None:
        super().__init__("ProvisionedConcurrencyConfigNotFoundException", MISSING)


@dataclass(slots=True)
class Config:
    """Of one alias or version; `since` is the lab time from which it is being made ready."""

    asked: int
    version: str
    since: float


class Provisioned:
    """By function's name and alias (or version), within each of moto's Lambda backends."""

    def __init__(self, lab_time: LabTime, quotas: Quotas) -> None:
        self._time, self._quotas = lab_time, quotas
        self._told: dict[str, int] = {}

    def tell(self, told: Any) -> dict[str, Any]:
        """The page; null forgets what was told."""
        for key, ready in entries(told, "function:alias and how many environments are ready").items():
            if key.count(":") != 1 or not (ready is None or (type(ready) is int and ready >= 0)):
                raise InputError(f"{key}: must be function:alias, and its value a whole number not below 0, or null")
        self._told = {key: ready for key, ready in {**self._told, **told}.items() if ready is not None}
        return {}

    def put(self, backend: Any, name: str, qualifier: str | None, asked: int) -> dict[str, Any]:
        function = backend.get_function(name, qualifier)
        if qualifier is None or str(function.version) == "$LATEST":
            raise InvalidParameterValueException(
                "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
            )
        reserved = backend.get_function(name).reserved_concurrency
        most = int(reserved) if reserved else self._unreserved(backend, but=name) - NONE_LEFT
        if not 1 <= asked <= most:
            raise InvalidParameterValueException(
                f"Requested Provisioned Concurrency must be between 1 and {most}, the "
                f"{'reserved concurrency of the function' if reserved else 'unreserved concurrency of the account but 100'}"
            )
        _configs(backend)[function.function_name, qualifier] = Config(asked, str(function.version), self._time.now())
        return self.get(backend, name, qualifier)

    def get(self, backend: Any, name: str, qualifier: str | None) -> dict[str, Any]:
        function = backend.get_function(name, qualifier)
        config = _configs(backend).get((function.function_name, qualifier))
        if config is None:
            raise NoConfig
        if config.version != str(function.version):
            config.version, config.since = str(function.version), self._time.now()
        told = self._told.get(f"{function.function_name}:{qualifier}")
        if told is None:
            told = config.asked if self._time.now() >= config.since + READY_AFTER_S else 0
        ready = min(told, config.asked)
        return {
            "RequestedProvisionedConcurrentExecutions": config.asked,
            "AvailableProvisionedConcurrentExecutions": ready,
            "AllocatedProvisionedConcurrentExecutions": ready,
            "Status": "READY" if ready >= config.asked else "IN_PROGRESS",
            "LastModified": datetime.fromtimestamp(config.since, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000"),
        }

    def delete(self, backend: Any, name: str, qualifier: str | None) -> None:
        function = backend.get_function(name, qualifier)
        _configs(backend).pop((function.function_name, qualifier), None)

    def listed(self, backend: Any, name: str) -> list[dict[str, Any]]:
        function = backend.get_function(name)
        return [
            {**self.get(backend, name, qualifier), "FunctionArn": f"{function.function_arn}:{qualifier}"}
            for of, qualifier in list(_configs(backend))
            if of == function.function_name
        ]

    def account(self, backend: Any) -> dict[str, Any]:
        functions = list(backend.list_functions())
        return {
            "AccountLimit": {
                "TotalCodeSize": 80_530_636_800,
                "CodeSizeUnzipped": 262_144_000,
                "CodeSizeZipped": 52_428_800,
                "ConcurrentExecutions": self._quotas.values["lambda-concurrency"],
                "UnreservedConcurrentExecutions": self._unreserved(backend),
            },
            "AccountUsage": {"TotalCodeSize": sum(each.code_size for each in functions), "FunctionCount": len(functions)},
        }

    def _unreserved(self, backend: Any, but: str = "") -> int:
        """What no function has reserved, and none without a reservation keeps provisioned, but for the one named."""
        left = self._quotas.values["lambda-concurrency"]
        for function in backend.list_functions():
            kept = sum(each.asked for (name, _), each in _configs(backend).items() if name == function.function_name)
            if function.function_name != but:
                left -= int(function.reserved_concurrency or kept)
        return max(left, 0)


def _configs(backend: Any) -> dict[tuple[str, str | None], Config]:
    """Kept in the backend, which moto makes anew when it is reset."""
    found: dict[tuple[str, str | None], Config] = backend.__dict__.setdefault("provisioned_concurrency", {})
    return found


class Calls:
    def __init__(self, provisioned: Provisioned) -> None:
        self._provisioned = provisioned

    def put(self, response: Any) -> Any:
        name, qualifier = _asked(response)
        asked = int(response.json_body["ProvisionedConcurrentExecutions"])
        return 202, {"status": 202}, json.dumps(self._provisioned.put(response.backend, name, qualifier, asked))

    def get(self, response: Any) -> Any:
        """The list has the same path, with `List=ALL`."""
        name, qualifier = _asked(response)
        if "List" in response.querystring:
            return json.dumps({"ProvisionedConcurrencyConfigs": self._provisioned.listed(response.backend, name)})
        return json.dumps(self._provisioned.get(response.backend, name, qualifier))

    def delete(self, response: Any) -> Any:
        self._provisioned.delete(response.backend, *_asked(response))
        return 204, {"status": 204}, ""

    def account(self, response: Any) -> Any:
        return json.dumps(self._provisioned.account(response.backend))


def _asked(response: Any) -> tuple[str, str | None]:
    return unquote(response.path.rstrip("/").split("/")[-2]), response.querystring.get("Qualifier", [None])[0]


def install(pages: LabPages, lab_time: LabTime, quotas: Quotas) -> Provisioned:
    provisioned = Provisioned(lab_time, quotas)
    calls = Calls(provisioned)
    for name, call in (
        ("put_provisioned_concurrency_config", lambda response: calls.put(response)),
        ("get_provisioned_concurrency_config", lambda response: calls.get(response)),
        ("list_provisioned_concurrency_configs", lambda response: calls.get(response)),
        ("delete_provisioned_concurrency_config", lambda response: calls.delete(response)),
        ("get_account_settings", lambda response: calls.account(response)),
    ):
        setattr(LambdaResponse, name, call)
    urls.url_paths.update(dict.fromkeys(PATHS, LambdaResponse.dispatch))
    pages.add("PUT", PAGE, provisioned.tell)
    return provisioned
