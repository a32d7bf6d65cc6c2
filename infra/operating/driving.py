"""One driver to its end: how it is stopped, what of its errors a person must know, and what its end means."""

from __future__ import annotations

import traceback

from infra.errors import KitError, RolledBack, UnknownState
from infra.operating.orders import Take
from infra.switching.driver import Busy, Driver
from infra.switching.ports import Superseded
from infra.switching.record import EXIT_CODES, Record


class Stopped(KitError):
    """The driver was told to stop; the record says where."""

    exit_code = 130


def drive(driver: Driver, take: Take, *, stage: str, stops: tuple[type[BaseException], ...]) -> Record:
    """`take` begins a switch or takes one over. Returns when it has ended, however it ended. One of `stops`, raised from
    within, leaves the lease to whoever resumes, and becomes `Stopped`; what stops in the middle otherwise, `UnknownState`."""
    record: Record | None = None
    try:
        record = take(driver)
        return driver.run(record)
    except stops:
        left = driver.let_go()
        if record is None and left is None:
            raise Stopped("stopped before anything was changed") from None
        where = f"at {left.where}" if left is not None else "and its record could not be read"
        on, back = (f"`crossover {command} --stage {stage}`" for command in ("resume", "abort"))
        raise Stopped(f"stopped {where}; traffic stays as it is. To go on: {on}; to go back: {back}") from None
    except (UnknownState, Superseded, Busy):
        raise
    except Exception as error:
        if record is None:
            raise
        left = driver.let_go()
        where = "" if left is None else f" at {left.where}"
        said = str(error) if isinstance(error, KitError) else f"a mistake of this tool, {_where_from(error)}"
        raise UnknownState(
            f"{said}; the switch stopped{where}: see `crossover status --stage {stage}`, then `crossover resume` or `abort`"
        ) from error


def _where_from(error: Exception) -> str:
    """One line of what a traceback would say: an operator needs the stage's state first."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {' '.join(str(error).split())} ({last.filename}:{last.lineno})"


def must_be_done(record: Record) -> None:
    """Raises with its exit code where a switch has ended otherwise."""
    code = EXIT_CODES[record.phase]
    if code == RolledBack.exit_code:
        raise RolledBack(f"rolled back to {record.rollback_to} (lambda:container): {record.reason}")
    if code:
        raise KitError(f"refused: {record.reason}")
