"""Lambda refuses invocations in the middle of a shift, as where the account's concurrency is used up by others.

A throttled invocation is a 502 of the load balancer for its caller. The switch must be back within the step's time, and no more
requests may be hurt than the step gave to the lane (`bad_lane.py` says how both are told).
"""

from __future__ import annotations

from infra.lab.drills.bad_lane import Bad

LAMBDA_THROTTLED = Bad(
    "lambda-throttled",
    "the function may run no more than none at once, from its first traffic on",
    "lambda",
    lambda lab: lab.strike("lambda", limit=0),
    "lambda: ",
    most_failed=None,
).drill
