"""All drills, in the order in which they are run: last the one after which circuit breakers to suppliers stay open a while."""

from __future__ import annotations

from infra.errors import InputError
from infra.lab.drills.api_lossy import API_LOSSY
from infra.lab.drills.bad_lane import BAD_LANES
from infra.lab.drills.both_sick import BOTH_SICK
from infra.lab.drills.clock_skew import CLOCK_SKEW
from infra.lab.drills.cloudwatch_away import CLOUDWATCH_AWAY
from infra.lab.drills.deploy_midway import DEPLOY_MIDWAY
from infra.lab.drills.drill import Drill
from infra.lab.drills.instance_lost import INSTANCE_FROZEN, INSTANCE_KILLED
from infra.lab.drills.lambda_throttled import LAMBDA_THROTTLED
from infra.lab.drills.misconfigured import MISCONFIGURED
from infra.lab.drills.network_dropped import NETWORK_DROPPED
from infra.lab.drills.operator_killed import OPERATOR_KILLED
from infra.lab.drills.scheduled import SCHEDULED
from infra.lab.drills.spot_lost import SPOT_LOST
from infra.lab.drills.switches import SWITCHES
from infra.lab.drills.two_operators import TWO_OPERATORS

DRILLS: tuple[Drill, ...] = (
    SWITCHES,
    *BAD_LANES,
    MISCONFIGURED,
    CLOCK_SKEW,
    LAMBDA_THROTTLED,
    INSTANCE_KILLED,
    INSTANCE_FROZEN,
    SPOT_LOST,
    CLOUDWATCH_AWAY,
    API_LOSSY,
    NETWORK_DROPPED,
    OPERATOR_KILLED,
    TWO_OPERATORS,
    SCHEDULED,
    DEPLOY_MIDWAY,
    BOTH_SICK,
)


def chosen(names: tuple[str, ...] = ()) -> tuple[Drill, ...]:
    """Those of these names, in the catalogue's order; all where none is named."""
    known = {drill.name for drill in DRILLS}
    if wrong := [name for name in names if name not in known]:
        raise InputError(f"no drill {', '.join(wrong)}; there are {', '.join(drill.name for drill in DRILLS)}")
    return tuple(drill for drill in DRILLS if not names or drill.name in names)
