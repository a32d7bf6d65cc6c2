"""What to ask AWS's price list query API: filters under which it answers what the book wants of an offer, and little else.

Filters: AWS Price List API reference, `Filter`. The API passes over a field that it does not know, so what it answers is looked
through once more (`price_query`), and usage types are asked for as parts of a name, because each begins with its region's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.cost.prices.wish import GLOBAL, Wish
from infra.cost.prices.wishes import FEE_USAGE, INSTANCE_ATTRIBUTES, INSTANCE_USAGE

INBOUND = "AWS Inbound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question: products whose usage type has `part` in it, and whose attributes are `equal`."""

    part: str = ""
    equal: Mapping[str, str] = field(default_factory=dict)

    def filters(self) -> list[dict[str, Any]]:
        parts = [{"Type": "CONTAINS", "Field": "usagetype", "Value": self.part}] if self.part else []
        return parts + [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in sorted(self.equal.items())]

    def covers(self, other: Ask) -> bool:
        """Whether the answer holds the other's too."""
        return self.part in other.part and self.equal.items() <= other.equal.items()


def asks_of_wishes(wishes: Iterable[Wish], region: str, *, anywhere: bool = False) -> list[Ask]:
    """The questions for these wishes of one offer, without those that another one answers; `anywhere` leaves out the place."""
    every = [
        Ask(part=part, equal=_equal(wish, region) | ({} if anywhere else place(wish, region)))
        for wish in wishes
        for part in wish.usagetypes or ("",)
    ]
    return [ask for ask in every if not any(other != ask and other.covers(ask) for other in every)]


def asks_of_instances(offer: str, types: Iterable[str], region: str) -> list[Ask]:
    """Instance types on demand family by family, and the fees that Lambda takes for managing them."""
    here = {"regionCode": region}
    if offer == "AWSLambda":
        return [Ask(part=FEE_USAGE, equal=here)]
    families = sorted({name.partition(".")[0] for name in types}) if offer == "AmazonEC2" else []
    return [Ask(part=f"{INSTANCE_USAGE}{family}.", equal={**INSTANCE_ATTRIBUTES, **here}) for family in families]


def place(wish: Wish, region: str) -> dict[str, str]:
    """The attribute that names the region of such a product: of data that goes somewhere, where from, or where to."""
    if region == GLOBAL:
        return {}
    if wish.offer != "AWSDataTransfer":
        return {"regionCode": region}
    return {"toRegionCode" if wish.attributes["transferType"] == INBOUND else "fromRegionCode": region}


def _equal(wish: Wish, region: str) -> dict[str, str]:
    """Attributes that are asked for; an empty one cannot be."""
    named = {name: value for name, value in wish.attributes_in(region).items() if value}
    return named | ({} if wish.family is None else {"productFamily": wish.family})
