"""How busy a worker may be before its 99th percentile passes the objective.

A worker's event loop is one server; with Poisson arrivals and exponential service its time in system is exponential with
mean s / (1 − ρ) (M/M/1; Kleinrock, Queueing Systems I, 3.2), and the 99th percentile of that is ln 100 means. Suppliers'
waiting does not queue, so what the queue adds to the percentile measured at low load is ln 100 · s · ρ / (1 − ρ).
"""

from __future__ import annotations

import math

import numpy as np

from infra.cost.simulation.arrivals import Floats

LN_100 = math.log(100)


def ceiling(cpu_s: Floats, unloaded_p99_s: Floats, objective_s: float) -> Floats:
    """The highest utilization, 0 to 1, at which the 99th percentile is within the objective; 0 where it never is."""
    room = objective_s - unloaded_p99_s
    queue = LN_100 * cpu_s
    return np.where(room > 0, room / (room + queue), 0.0)
