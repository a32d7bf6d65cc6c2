"""Traffic from a file: a series or an access log, whichever its first line says."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from infra.cost.large_files import open_text
from infra.cost.traffic.access_log import is_access_log_line, read_access_log
from infra.cost.traffic.profile import TrafficProfile
from infra.cost.traffic.series import read_series
from infra.errors import InputError

LONGEST_HEADER = 1 << 16


def load_traffic(path: Path) -> TrafficProfile:
    """Read a CSV series or an access log of an Application Load Balancer (a file, or a folder of them; .gz too).

    Which of them it is, the first line tells. Raises `InputError` naming file, line and field.
    """
    if path.is_dir():
        return read_access_log(path)
    with open_text(path, errors="replace") as lines:
        first = next((line for line in iter(partial(lines.readline, LONGEST_HEADER), "") if line.strip()), "")
    if not first:
        raise InputError(f"{path}: line 1: empty; a series starts with a header such as timestamp,value")
    return read_access_log(path) if is_access_log_line(first) else read_series(path)
