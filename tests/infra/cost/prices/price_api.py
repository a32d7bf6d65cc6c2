"""AWS's price list query API and Savings Plans API for tests: real HTTP on loopback, answered from generated offer files.

Speaks what boto3 does: JSON 1.1 with `X-Amz-Target` for `GetProducts`, JSON over a path for the rates of plans; pages by token,
filters as the API reference describes them, products of several regions in one offer. moto has neither of the two.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from tests.infra.cost.prices.offer_files import PUBLISHED, OfferFile, PlanFile

Answer = dict[str, Any]


class PriceApi:
    """What AWS has, and what it was asked; `page` is the most it puts into one answer, `trouble` what it says first."""

    def __init__(self, files: Iterable[OfferFile], plans: PlanFile | None = None, *, page: int = 100) -> None:
        self._files, self._plans, self._page = list(files), plans, page
        self.trouble: list[str] = []
        self.asked: list[Mapping[str, Any]] = []

    def get_products(self, told: Mapping[str, Any]) -> Answer:
        self.asked.append(told)
        items = [
            item
            for file in self._files
            if file.offer == told["ServiceCode"]
            for item in _items(file)
            if all(_matches(item["product"], each) for each in told.get("Filters", ()))
        ]
        start, size = int(told.get("NextToken", 0)), min(self._page, told.get("MaxResults", 100))
        more = {"NextToken": str(start + size)} if start + size < len(items) else {}
        return {"FormatVersion": "aws_v1", "PriceList": [json.dumps(item) for item in items[start : start + size]], **more}

    def offering_rates(self, told: Mapping[str, Any]) -> Answer:
        self.asked.append(told)
        rates = [each for each in _rates(self._plans) if _is_asked_for(each, told)] if self._plans else []
        start, size = int(told.get("nextToken", 0)), min(self._page, told["maxResults"])
        return {
            "searchResults": rates[start : start + size],
            "nextToken": str(start + size) if start + size < len(rates) else "",
        }


def _items(file: OfferFile) -> Iterator[Answer]:
    """Every product whole: with its terms, and with what the offer file says of itself."""
    for sku, product in file.products.items():
        terms = {"OnDemand": file.terms.get(sku), "Reserved": file.reserved.get(sku)}
        yield {
            "product": product,
            "serviceCode": file.offer,
            "terms": {kind: each for kind, each in terms.items() if each},
            "version": file.version,
            "publicationDate": PUBLISHED,
        }


def _matches(product: Mapping[str, Any], told: Mapping[str, str]) -> bool:
    fields = {**product["attributes"], "productFamily": product["productFamily"]}
    value, wanted = str(fields.get(told["Field"], "")), told["Value"]
    return {"TERM_MATCH": value == wanted, "CONTAINS": wanted in value}[told["Type"]]


def _rates(file: PlanFile) -> Iterator[Answer]:
    plans = {each["sku"]: each for each in file.products}
    for term in file.terms:
        plan = plans[term["sku"]]
        years = int(plan["attributes"]["purchaseTerm"].removesuffix("yr"))
        for rate in term["rates"]:
            kind, _, name = rate["discountedUsageType"].partition(":")
            tenancy = "dedicated" if "Dedicated" in kind else "shared"
            system = "Linux/UNIX" if rate["discountedOperation"] == "RunInstances" else "Windows"
            of_instances = {"instanceFamily": name.partition(".")[0], "productDescription": system, "tenancy": tenancy}
            own = of_instances if rate["discountedServiceCode"] == "AmazonEC2" else {}
            yield {
                "savingsPlanOffering": {
                    "offeringId": plan["sku"],
                    "paymentOption": plan["attributes"]["purchaseOption"],
                    "planType": plan["productFamily"].removesuffix("SavingsPlans"),
                    "durationSeconds": years * 31_536_000,
                    "currency": rate["discountedRate"]["currency"],
                },
                "rate": rate["discountedRate"]["price"],
                "productType": {"AmazonEC2": "EC2", "AWSLambda": "Lambda"}.get(rate["discountedServiceCode"], "Fargate"),
                "serviceCode": rate["discountedServiceCode"],
                "usageType": rate["discountedUsageType"],
                "operation": rate["discountedOperation"],
                "properties": [{"name": name, "value": value} for name, value in {"region": file.region, **own}.items()],
            }


def _is_asked_for(rate: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    properties = {each["name"]: each["value"] for each in rate["properties"]}
    return (
        rate["productType"] in told["products"]
        and rate["savingsPlanOffering"]["planType"] in told["savingsPlanTypes"]
        and all(properties.get(each["name"]) in each["values"] for each in told["filters"])
    )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: no waiting for the acknowledgement of the first
    api: PriceApi

    def do_POST(self) -> None:
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.api.trouble:
            code = self.api.trouble.pop(0)
            self._answer(400, {"__type": f"com.amazonaws.pricing#{code}", "Message": f"made for a test: {code}"}, code)
        elif self.headers.get("X-Amz-Target") == "AWSPriceListService.GetProducts":
            self._answer(200, self.api.get_products(told))
        else:
            assert self.path == "/DescribeSavingsPlansOfferingRates"
            self._answer(200, self.api.offering_rates(told))

    def _answer(self, status: int, document: Answer, error: str = "") -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        if error:
            self.send_header("x-amzn-ErrorType", error)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(api: PriceApi) -> Iterator[str]:
    """The URL at which the API answers."""
    handler = type("Handler", (_Handler,), {"api": api})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class Direct:
    """The same answers without HTTP, as boto3's clients give them."""

    def __init__(self, api: PriceApi) -> None:
        self._api = api

    def client(self, service: str) -> Direct:
        return self

    def get_paginator(self, operation: str) -> Direct:
        assert operation == "get_products"
        return self

    def paginate(self, *, PaginationConfig: Mapping[str, int], **told: Any) -> Iterator[Answer]:
        more: Answer = {}
        while True:
            page = self._api.get_products({**told, "MaxResults": PaginationConfig["PageSize"], **more})
            yield page
            if "NextToken" not in page:
                return
            more = {"NextToken": page["NextToken"]}

    def describe_savings_plans_offering_rates(self, **told: Any) -> Answer:
        return self._api.offering_rates(told)
