"""The Lambda lane's environments: how many there may be at once, and how many are kept started."""

from __future__ import annotations

from typing import Any

from infra.switching.aws.calls import Aws, asked, code
from infra.switching.aws.resources import ALIAS, Resources

NEVER_KEPT = 100
"""Of the account's unreserved concurrency (AWS Lambda Developer Guide, "Configuring provisioned concurrency")."""


class Functions:
    """The function and its alias `live`. Where the stage keeps no environments started, there is nothing to raise or to let
    down: Lambda starts them as requests come."""

    def __init__(self, aws: Aws, resources: Resources) -> None:
        self._aws, self._name = aws, resources.function

    def most(self) -> int:
        """Environments at once: what is reserved for the function, else what the account has left for all without; of that as
        many as may be kept started, where the stage keeps some."""
        with asked(f"function {self._name}"):
            reserved = self._client.get_function_concurrency(FunctionName=self._name).get("ReservedConcurrentExecutions")
            if reserved is not None:
                return int(reserved)
            unreserved = int(self._client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"])
        return unreserved if self._kept() is None else unreserved - NEVER_KEPT

    def ready(self) -> int:
        """Environments that are started, where the stage keeps some; else what may run at once."""
        kept = self._kept()
        return self.most() if kept is None else int(kept.get("AvailableProvisionedConcurrentExecutions", 0))

    def floor(self) -> int:
        kept = self._kept()
        return 0 if kept is None else int(kept["RequestedProvisionedConcurrentExecutions"])

    def raise_to(self, units: int) -> None:
        """Only where some are kept started already: else what is kept would be billed without anybody having asked for it."""
        before = self.floor()
        if before and before < (units := min(units, self.most())):
            self._keep(units)

    def release(self, units: int) -> None:
        before = self.floor()
        if before > units:
            self._keep(units)

    def memory_mb(self) -> int:
        with asked(f"function {self._name}"):
            return int(self._client.get_function_configuration(FunctionName=self._name, Qualifier=ALIAS)["MemorySize"])

    def _keep(self, units: int) -> None:
        with asked(f"function {self._name}"):
            if units:
                self._client.put_provisioned_concurrency_config(
                    FunctionName=self._name, Qualifier=ALIAS, ProvisionedConcurrentExecutions=units
                )
            else:
                self._client.delete_provisioned_concurrency_config(FunctionName=self._name, Qualifier=ALIAS)

    def _kept(self) -> dict[str, Any] | None:
        from botocore.exceptions import ClientError

        with asked(f"function {self._name}"):
            try:
                kept: dict[str, Any] = self._client.get_provisioned_concurrency_config(FunctionName=self._name, Qualifier=ALIAS)
            except ClientError as error:
                if code(error) == "ProvisionedConcurrencyConfigNotFoundException":
                    return None
                raise
            return kept

    @property
    def _client(self) -> Any:
        return self._aws.client("lambda")
