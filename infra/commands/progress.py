"""Progress of long work on standard error: a line a step with the time it began, and a bar for counts on a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn


class Steps:
    """Call it with what is done next. `count(total, what)` returns a function to call with how many more are done."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._console = Console(stderr=True, highlight=False)
        self._started = time.perf_counter()
        self._bar = Progress(
            TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), console=self._console, transient=True
        )

    def __enter__(self) -> Steps:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    @property
    def elapsed_s(self) -> float:
        return time.perf_counter() - self._started

    def __call__(self, step: str) -> None:
        self._console.print(f"[dim]{self.elapsed_s:6.1f} s[/dim]  {self._name}: {step}")

    def count(self, total: int, what: str) -> Callable[[int], None]:
        """A bar of its own, shown on a terminal only."""
        task = self._bar.add_task(what, total=total)

        def advance(more: int) -> None:
            self._bar.advance(task, more)

        return advance
