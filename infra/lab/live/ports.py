"""What the parts of a live stage need of each other."""

from __future__ import annotations

from typing import Protocol


class Addresses(Protocol):
    """Where the instances listen."""

    def address(self, instance_id: str, port: int) -> tuple[str, int] | None:
        """Host and port on this machine of an instance's port; None where no such instance runs (its packets go nowhere)."""
        ...
