"""Loopback addresses for a lab's instances: each has one of its own, so that all listen on the deployed port.

127.0.0.0/8 is the loopback's (RFC 1122, 3.2.1.3), and Linux answers on all of it. A lab takes 127.N.0.0/16 for itself, and an
instance the last two parts of its private address: a VPC is a /16 at most.
"""

from __future__ import annotations

import random
import socket
from types import TracebackType

from infra.errors import KitError

NETWORKS = range(2, 255)
CLAIM_PORT = 8_999
"""Held at 127.N.0.1, where no instance is: the first four addresses of a subnet are AWS's."""


class Network:
    """A context manager: from entering to leaving the network is this lab's, whatever else runs on the machine."""

    def __init__(self, chance: random.Random | None = None) -> None:
        self._chance = chance or random.Random()
        self._taken: set[str] = set()

    def __enter__(self) -> Network:
        for number in self._chance.sample(NETWORKS, len(NETWORKS)):
            claim = socket.socket()
            try:
                claim.bind((f"127.{number}.0.1", CLAIM_PORT))
            except OSError:
                claim.close()
                continue
            self._claim, self._number = claim, number
            return self
        raise KitError("no network of 127.0.0.0/8 is free for the lab's instances")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._claim.close()

    def take(self, private_ip: str) -> str:
        """The address of a new instance. Raises `KitError` where another one has it."""
        third, fourth = private_ip.split(".")[2:]
        address = f"127.{self._number}.{third}.{fourth}"
        if address in self._taken:
            raise KitError(f"two instances have the private address …{third}.{fourth}: the lab has room for one VPC")
        self._taken.add(address)
        return address

    def give_back(self, address: str) -> None:
        self._taken.discard(address)
