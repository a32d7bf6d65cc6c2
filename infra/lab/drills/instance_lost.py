"""An instance is lost in the middle of a shift to the container lane, and nothing says so.

Killed: EC2 goes on calling it running. Frozen: it takes connections and answers none. Only the load balancer's health check
finds out; until then its share of the lane's requests is hurt, and no more. The switch leaves the lane within the step's time.
Afterwards the group needs a new instance, so neither is a test.
"""

from __future__ import annotations

from infra.lab.drills.bad_lane import HURT_MS, Bad

INSTANCE_KILLED = Bad(
    "instance-killed",
    "the only instance of the lane that has just been given its first traffic dies, and EC2 does not notice",
    "container",
    lambda lab: lab.strike("kill", noticed=False),
    "container: ",
    most_failed=None,
).drill
INSTANCE_FROZEN = Bad(
    "instance-frozen",
    "the only instance of the lane that has just been given its first traffic stands still",
    "container",
    lambda lab: lab.strike("freeze"),
    "container: ",
    most_failed=None,
    late_ms=HURT_MS,
).drill
