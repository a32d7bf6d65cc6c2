"""The name of a stage's load balancer: where the lab's own one listens, so that the address among the stacks' outputs is right.

`GET` and `PUT /_lab/live` hold what the process that serves a live stage tells of itself: `{"url": …, "faults": …}`.
"""

from __future__ import annotations

from typing import Any

from moto.elbv2.models import FakeLoadBalancer

from infra.lab.aws.lab_pages import LabPages, entries

PAGE = "/_lab/live"


def install(front: str, pages: LabPages) -> None:
    """`front` is `host:port`; empty leaves load balancers the names that AWS would give them."""
    told: dict[str, Any] = {}
    pages.add("GET", PAGE, lambda _: told)
    pages.add("PUT", PAGE, lambda body: told.update(entries(body, "what a live stage tells of itself")) or told)
    if not front:
        return
    make = FakeLoadBalancer.__init__

    def make_here(balancer: Any, *arguments: Any, **named: Any) -> None:
        make(balancer, *arguments, **named)
        balancer.dns_name = front

    setattr(FakeLoadBalancer, "__init__", make_here)  # noqa: B010 - by its name, as moto makes them
