"""What Lambda's managed Python runtime starts an environment's process with: its command and its variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from infra.lab.processes import minimal_environment

TASK_ROOT = "/var/task"
ASYNCIO_CLIENT = f"{TASK_ROOT}/lambda_handler/start"
"""The wrapper script of the bundle that starts its own runtime client."""


@dataclass(frozen=True, slots=True)
class Code:
    """What an environment runs: a directory, the interpreter, and variables on top of Lambda's own. `concurrency` above 1 is
    that of an environment on Lambda Managed Instances."""

    tree: Path
    python: Path
    env: Mapping[str, str]
    runtime: Path
    handler: str = "lambda_handler.handler.handler"
    concurrency: int = 1
    snap_start: bool = False

    def with_asyncio_client(self, concurrency: int = 1) -> Code:
        """The same with the bundle's own runtime client, which serves so many at once."""
        return replace(self, env={**self.env, "AWS_LAMBDA_EXEC_WRAPPER": ASYNCIO_CLIENT}, concurrency=concurrency)

    def command(self) -> list[str | Path]:
        """AWS's client, or the wrapper script with what would start it as arguments."""
        command: list[str | Path] = [self.python, "-m", "awslambdaric", self.handler]
        wrapper = self.env.get("AWS_LAMBDA_EXEC_WRAPPER")
        return command if wrapper is None else [wrapper.replace(TASK_ROOT, str(self.tree), 1), *command]

    def variables(self, port: int, *, memory_mb: int, log_stream: str) -> dict[str, str]:
        """What the managed runtime sets, then the function's own variables."""
        python = next((part for part in self.runtime.name.split("py") if part), "3.13")
        managed = {"AWS_LAMBDA_MAX_CONCURRENCY": str(self.concurrency)} if self.concurrency > 1 else {}
        return minimal_environment(
            {
                "_HANDLER": self.handler,
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
                "AWS_EXECUTION_ENV": f"AWS_Lambda_python{python}",
                "AWS_LAMBDA_FUNCTION_NAME": "crossover-lab",
                "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
                "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/crossover-lab",
                "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
                "AWS_LAMBDA_INITIALIZATION_TYPE": self._initialization_type(),
                "AWS_REGION": "us-east-1",
                "AWS_DEFAULT_REGION": "us-east-1",
                "LAMBDA_TASK_ROOT": str(self.tree),
                "PYTHONPATH": f"{self.tree}:{self.runtime}",
                "PYTHONDONTWRITEBYTECODE": "1",
                **managed,
                **self.env,
            }
        )

    def _initialization_type(self) -> str:
        if self.concurrency > 1:
            return "lambda-managed-instances"
        return "snap-start" if self.snap_start else "on-demand"
