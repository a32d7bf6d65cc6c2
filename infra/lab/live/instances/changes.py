"""What the lab changes on an instance, and no more: its address, the times that pass faster, where AWS and the metadata service
are, and settings of the service that the lab is given."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from infra.lab.lab_time import LabTime
from infra.lab.live.instances.programs import BIN
from infra.lab.live.instances.unit_file import Unit
from instance.agent import LOOK_S, PUBLISH_S
from instance.departure import GONE_BY_S
from instance.settings import SERVICE_HOST
from instance.units import AGENT, SECRETS, SERVICE

RETRY_PAUSE_S = 5.0
"""Of user data, between its attempts (infra/components/boot/boot.sh)."""

SHORTEST_LOOK_S, SHORTEST_PUBLISH_S = 0.5, 1.0
"""Real seconds: of a very fast lab's agents, which must not need the machine for themselves."""

SHORTEST_GONE_BY_S = 10.0
"""Real seconds: what is in flight at a service that ends takes as long as ever."""

TRUSTED = "127.0.0.0/8"
"""The lab's network is loopback: from there comes the load balancer's word on the caller's address."""


class Changes:
    """Of one instance. `environment` goes over the deployed one of the service; `None` takes a variable away. `metadata_url` is
    set once it is known."""

    def __init__(self, root: Path, address: str, clock: LabTime, aws_url: str, environment: Mapping[str, str | None]) -> None:
        self.metadata_url = ""
        self._root = root
        self._address = address
        self._clock = clock
        self._aws_url = aws_url
        self._environment = environment

    def for_user_data(self) -> dict[str, str]:
        return {
            **self._always(),
            **self._for_aws(),
            "CROSSOVER_ROOT": str(self._root),
            "CROSSOVER_RETRY_PAUSE_S": f"{self._clock.real_s(RETRY_PAUSE_S):.3f}",
        }

    def for_unit(self, name: str) -> Mapping[str, str | None]:
        """Goes over a unit's own environment."""
        if name in (AGENT, SECRETS):
            return {**self._always(), **self._for_aws()}
        return {**self._always(), "FORWARDED_ALLOW_IPS": TRUSTED, **self._environment}

    def of_unit(self, unit: Unit) -> Unit:
        """What a machine needs, as the end of requests in flight, does not get faster."""
        real_s = self._clock.real_s
        if unit.name == AGENT:
            more = {
                "--root": "/",  # below the instance's own, as every path in a unit
                "--look-s": f"{max(SHORTEST_LOOK_S, real_s(LOOK_S)):g}",
                "--publish-s": f"{max(SHORTEST_PUBLISH_S, real_s(PUBLISH_S)):g}",
                "--gone-by-s": f"{max(min(GONE_BY_S, SHORTEST_GONE_BY_S), real_s(GONE_BY_S)):g}",
            }
            return replace(unit, command=(*unit.command, *(word for pair in more.items() for word in pair)))
        if unit.name != SERVICE:
            return unit
        words = list(unit.command)
        words[words.index("--host") + 1] = self._address
        at = words.index("--lame-duck-s") + 1
        deployed_s = int(words[at])
        lame_duck_s = math.ceil(real_s(deployed_s))  # it takes whole seconds
        words[at] = str(lame_duck_s)
        return replace(unit, command=tuple(words), stop_s=unit.stop_s - deployed_s + lame_duck_s)

    def _always(self) -> dict[str, str]:
        return {"PATH": f"{self._root / BIN}:/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}

    def _for_aws(self) -> dict[str, str]:
        """What the boot program and the agent must be told, where on an instance the defaults are right."""
        return {
            "AWS_ENDPOINT_URL": self._aws_url,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.metadata_url,
            SERVICE_HOST: self._address,
        }
