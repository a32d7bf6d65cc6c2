"""Turns the clock of a function's environment to lab time; Python imports it at its start, where its folder is on the path.

A function that waits for minutes of CloudWatch waits for the lab's. Its requests are signed by the time of life, which
`datetime` goes on telling.
"""

import os
import time
from typing import SupportsIndex

_speed, _origin = float(os.environ["CROSSOVER_LAB_SPEED"]), float(os.environ["CROSSOVER_LAB_ORIGIN"])
_now, _steady, _sleep = time.time, time.monotonic, time.sleep


def _time() -> float:
    return _origin + (_now() - _origin) * _speed


def _monotonic() -> float:
    return _steady() * _speed


def _wait(seconds: float | SupportsIndex) -> None:
    _sleep(float(seconds) / _speed)


time.time, time.monotonic, time.sleep = _time, _monotonic, _wait
