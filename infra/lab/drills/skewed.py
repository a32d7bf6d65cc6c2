"""`python -m infra.lab.drills.skewed SECONDS COMMAND …`: as `infra.lab.operator`, on a laptop whose clock is so far off.

The process's own clock is turned before anything asks for the time, and so is the one by which boto3 signs its requests.
"""

from __future__ import annotations

import sys
import time
from datetime import datetime, timedelta


def turn(seconds: float) -> None:
    """For the rest of this process."""
    import botocore.auth

    right, signing = time.time, botocore.auth.get_current_datetime

    def now() -> float:
        return right() + seconds

    def signing_now(remove_tzinfo: bool = True) -> datetime:
        moment: datetime = signing(remove_tzinfo)
        return moment + timedelta(seconds=seconds)

    time.time = now
    botocore.auth.get_current_datetime = signing_now


if __name__ == "__main__":
    turn(float(sys.argv[1]))
    from infra.lab.operator import main

    main(sys.argv[2:])
