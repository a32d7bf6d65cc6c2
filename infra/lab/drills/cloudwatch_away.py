"""CloudWatch does not answer the operator: nothing is promoted on silence, and after the step's time traffic goes home.

Everybody else's metrics go on. Both lanes are well all the time, so no request may fail.
"""

from __future__ import annotations

from infra.lab.drills.bad_lane import KEY, Bad

CLOUDWATCH_AWAY = Bad(
    "cloudwatch-away",
    "CloudWatch answers the operator with errors from the first step on",
    "lambda",
    lambda lab: lab.strike_api(action="cloudwatch:*", kind="error", key=KEY),
    "what is not known is not promoted",
    window_s=120.0,
).drill
