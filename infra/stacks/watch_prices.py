"""The dashboard's unit prices, from the price book of the stage's region: the same figures that the cost report uses."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from infra.components.watch.cost import BalancerPrices, FunctionPrices, InstancePrices, Prices
from infra.config import Stage
from infra.cost.lines.ec2 import mean_spot
from infra.cost.prices.book import Price, PriceBook
from infra.cost.prices.file import load_price_book
from infra.errors import InputError

HOURS_A_MONTH = 730
Said = list[tuple[str, Price]]
Found = TypeVar("Found")


def unit_prices(stage: Stage) -> Prices:
    """What the price book knows of what the stage deploys; what it does not know stays unknown, with the reason."""
    try:
        book = load_price_book(stage.region)
    except InputError as missing:
        return Prices(function=str(missing), instances=str(missing), balancer=str(missing))
    said: Said = []
    return Prices(
        function=_known(_function, stage, book, said, "lambda" in stage.lanes),
        instances=_known(_instances, stage, book, said, "container" in stage.lanes),
        balancer=_known(_balancer, stage, book, said, stage.has_load_balancer),
        said=tuple(_in_words(name, price) for name, price in said),
    )


def _known(
    find: Callable[[Stage, PriceBook], tuple[Found, Said]], stage: Stage, book: PriceBook, said: Said, deployed: bool
) -> Found | str:
    if not deployed:
        return "not deployed"
    try:
        found, sources = find(stage, book)
    except InputError as missing:
        return str(missing)
    said.extend(sources)
    return found


def _function(stage: Stage, book: PriceBook) -> tuple[FunctionPrices, Said]:
    request, gb_second = book.price("AWSLambda", "requests"), book.price("AWSLambda", f"duration_{stage.architecture}")
    said = [("Lambda request", request), ("Lambda GB-second", gb_second)]
    front = Decimal(0)
    if stage.lambda_lane.front == "http_api":
        api = book.price("AmazonApiGateway", "http_api")
        front = api.usd
        said.append(("HTTP API request", api))
    prices = FunctionPrices(
        request=request.usd + front,
        gb_second=gb_second.usd,
        kept_gb_second=book.price("AWSLambda", f"provisioned_concurrency_{stage.architecture}").usd,
        on_kept_gb_second=book.price("AWSLambda", f"provisioned_duration_{stage.architecture}").usd,
    )
    return prices, said


def _instances(stage: Stage, book: PriceBook) -> tuple[InstancePrices, Said]:
    """As in the cost report: on demand at the first type's price, spot at the types' mean estimate."""
    types = stage.container_lane.instance_types
    on_demand, spot = book.instance(types[0]).on_demand, mean_spot(book, types)
    volume, address = book.price("AmazonEBS", "gp3_storage"), book.price("AmazonVPC", "public_ipv4")
    said = [(f"{types[0]} on demand", on_demand), ("spot hour, mean estimate", spot), ("gp3 GB-month", volume)]
    beside = round(volume.usd * stage.container_lane.volume_gb / HOURS_A_MONTH, 7)
    if stage.network.egress == "public":
        beside += address.usd
        said.append(("public IPv4 hour", address))
    return InstancePrices(on_demand_hour=on_demand.usd, spot_hour=spot.usd, beside_hour=beside), said


def _balancer(stage: Stage, book: PriceBook) -> tuple[BalancerPrices, Said]:
    hour, lcu, address = (
        book.price("AWSELB", "alb_hour"),
        book.price("AWSELB", "alb_lcu"),
        book.price("AmazonVPC", "public_ipv4"),
    )
    addresses = address.usd * len(stage.network.availability_zones)
    return BalancerPrices(hour=hour.usd + addresses, lcu_hour=lcu.usd), [("load balancer hour", hour), ("LCU-hour", lcu)]


def _in_words(name: str, price: Price) -> str:
    return f"{name} ${price.usd.normalize():f} ({price.as_of or 'no date'}: {price.source.partition(' (')[0]})"
