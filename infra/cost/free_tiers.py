"""What of a lane's lines is free of charge each month: the allowances that never expire, of an account that nothing else uses.

Lambda's and transfer out's are taken off where those are priced, for they decide the tiers (`infra.cost.lines`); all others
here, once for all lines of a price together. Left out are allowances of an account's first twelve months (EC2, EBS, load
balancers, S3, addresses, API Gateway, ElastiCache) and the credits of newer accounts. The price book has each with its source.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from itertools import groupby

from infra.cost.lane import CostOptions, LaneCost
from infra.cost.lines.line import LineItem, base_name
from infra.cost.prices.book import FreeTier, PriceBook

OWN = frozenset({"AWSLambda", "AWSDataTransfer"})
"""Services whose lines have taken theirs already."""


def allowance(book: PriceBook, line: LineItem) -> FreeTier | None:
    """What is free of a line's price; None where nothing is, or the line has taken it already."""
    return None if line.service in OWN else book.free_tiers.get((line.service, line.dimension))


def with_free_tiers(lane: LaneCost, book: PriceBook, options: CostOptions) -> LaneCost:
    """The lane with its free quantities taken off, where the options ask for it."""
    return replace(lane, lines=take_free(lane.lines, book)) if options.free_tier else lane


def take_free(lines: Iterable[LineItem], book: PriceBook, *, beside: Iterable[LineItem] = ()) -> tuple[LineItem, ...]:
    """The lines, in their order, each with what is free of it: the first of a price take its allowance first, of which
    `beside`, lines of the same account, have had theirs. Within the tiers of one line the last units are free, as `priced`
    has it."""
    taken: dict[tuple[str, str], Decimal] = {}
    for line in beside:
        key = (line.service, line.dimension)
        taken[key] = taken.get(key, Decimal(0)) + line.free
    result: list[LineItem] = []
    for _, group in groupby(lines, key=lambda line: (line.service, line.dimension, base_name(line))):
        own = list(group)
        free, key = allowance(book, own[0]), (own[0].service, own[0].dimension)
        if free is not None:
            rest = free.quantity - taken.get(key, Decimal(0))
            for number in reversed(range(len(own))):
                part = min(rest, own[number].quantity)
                rest -= part
                own[number] = own[number].less(part) if part else own[number]
            taken[key] = free.quantity - rest
        result += own
    return tuple(result)
