"""The data that travels along the search flow: frozen, slotted, money always `Decimal` with its currency.

What a search makes by the hundred is kept out of the garbage collector's sight (`gc=False`): it cannot hold a cycle.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct


class Money(Struct, frozen=True, gc=False):
    """An exact amount in an ISO 4217 currency; in JSON the amount is a string, so no reader rounds it."""

    amount: Decimal
    currency: str


class Occupancy(Struct, frozen=True):
    """Who sleeps in the one room searched for: number of adults, and the age in years of each child."""

    adults: int
    children: tuple[int, ...] = ()


class SearchQuery(Struct, frozen=True):
    """One hotel search. `place` is a place code of the content file (`LON`); `currency` is what prices are shown in."""

    place: str
    check_in: date
    check_out: date
    occupancy: Occupancy
    currency: str

    @property
    def nights(self) -> int:
        return (self.check_out - self.check_in).days


class SupplierOffer(Struct, frozen=True, gc=False):
    """One bookable rate as its supplier states it.

    `total` is the whole stay including taxes, payable at booking; `due_at_property` is what the guest pays on the spot
    besides (`None`: the supplier says nothing). `floor` is the lowest price the supplier lets us sell at, if any.
    `refundable` is `None` when unknown.
    """

    offer_id: str
    room: str
    board: str
    total: Money
    due_at_property: Money | None = None
    floor: Money | None = None
    refundable: bool | None = None


class SupplierHotel(Struct, frozen=True, gc=False):
    """One hotel as one supplier describes it; coordinates in degrees (WGS 84), `None` when not given."""

    supplier: str
    hotel_id: str
    name: str
    latitude: float | None
    longitude: float | None
    offers: tuple[SupplierOffer, ...]


class Listing(Struct, frozen=True, gc=False):
    """One hotel as a supplier's content lists it: what tells whether two listings are one hotel.

    `address` (house number and street) and `phone` are as written, `None` where the supplier gives none.
    """

    supplier: str
    hotel_id: str
    name: str
    latitude: float | None
    longitude: float | None
    address: str | None = None
    phone: str | None = None


class OutcomeStatus(StrEnum):
    OK = "ok"
    TIMEOUT = "timeout"
    ERROR = "error"
    MALFORMED = "malformed"
    SKIPPED = "skipped"
    """Not asked: the supplier cannot express this search (its outcome's detail says why)."""

    HELD_BACK = "held_back"
    """Not asked, though it could have answered: its circuit is open, too many calls are in flight, or it asked us to wait."""


class SupplierOutcome(Struct, frozen=True):
    """What became of one supplier in one search; `detail` says why when `status` is not `ok`.

    `cached_age_ms` is set when the supplier was not asked because its recent answer still counts: how long ago the search
    that asked it ended. The other fields are that search's.
    """

    supplier: str
    status: OutcomeStatus
    elapsed_ms: float
    hotels: int = 0
    offers: int = 0
    detail: str | None = None
    cached_age_ms: float | None = None


class Offer(Struct, frozen=True, gc=False):
    """An offer as shown: `price` is what the guest pays us (markup applied, in the query's currency);
    `supplier_price` is the supplier's own amount, unconverted."""

    supplier: str
    offer_id: str
    room: str
    board: str
    price: Money
    supplier_price: Money
    due_at_property: Money | None
    refundable: bool | None


class Hotel(Struct, frozen=True):
    """One hotel after consolidation, offers cheapest first. `supplier_ids` maps supplier -> that supplier's hotel id."""

    id: str
    name: str
    latitude: float | None
    longitude: float | None
    supplier_ids: dict[str, str]
    offers: tuple[Offer, ...]


class SearchResult(Struct, frozen=True):
    """The answer to a search: hotels in rank order and exactly one outcome per configured supplier, in catalogue order.

    `hotels_found` counts before the page limit; `complete` is true when every supplier that was asked answered `ok`.
    """

    search: SearchQuery
    hotels_found: int
    hotels: tuple[Hotel, ...]
    outcomes: tuple[SupplierOutcome, ...]
    complete: bool
    elapsed_ms: float
