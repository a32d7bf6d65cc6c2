"""What one price of the book is in AWS's Price List: its offer, its usage type, and how the list's unit becomes the book's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from infra.cost.prices.offers import Product

HOURS_A_MONTH = 730
GLOBAL = "aws-other"
"""Where the list has offers of no region, as a region's name in its addresses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One price of the book. Usage types are without the region's prefix, the first that the list has is taken (regions have
    different ones); where none is known, the attribute `group` stands for them. `attributes` and `family` must be equal. The
    list's price times `factor` is the book's. `to` is a kind of other region that data goes to, `known_from` where the filter
    is from."""

    service: str
    dimension: str
    unit: str
    offer: str
    usagetypes: tuple[str, ...]
    known_from: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    family: str | None = None
    factor: Fraction = Fraction(1)
    to: str | None = None

    @property
    def named(self) -> str:
        """What the list is searched for."""
        return " or ".join(self.usagetypes) or f"group {self.attributes['group']}"

    def takes(self, product: Product, region: str) -> bool:
        """Whether this is the product, or one of several that are."""
        return (
            (not self.usagetypes or product.usagetype in self.usagetypes)
            and (self.family is None or product.family == self.family)
            and all(product.attributes.get(name, "") == value for name, value in self.attributes_in(region).items())
        )

    def attributes_in(self, region: str) -> dict[str, str]:
        """The attributes that the product has in this region."""
        return {**self.attributes, **({} if self.to is None else {"toRegionCode": destination(self.to, region)})}


def destination(to: str, region: str) -> str:
    """The region whose price stands for a kind of destination, as Infracost chooses it (resources/aws/data_transfer.go)."""
    if to == "us-east":
        return "us-east-2" if region == "us-east-1" else "us-east-1"
    return "us-west-2" if region in ("us-east-1", "us-west-1") else "us-west-1"
