"""Says what comes of an operator's wish that was left with a running switch."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click
import msgspec

from infra.operating.orders import Left


def telling(*, as_json: bool) -> Callable[[Left], None]:
    def tell(left: Left) -> None:
        record = left.record
        if as_json:
            told = {
                "switch": record.id,
                "wish": left.asked,
                "at": record.where,
                "owner": record.owner,
                "driven": left.driven,
            }
            sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
        else:
            click.echo(f"crossover: {left.words}", err=True)

    return tell
