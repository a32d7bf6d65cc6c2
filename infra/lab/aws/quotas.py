"""Account quotas that a switch asks for: vCPUs on demand and on spot, and Lambda's environments at once.

    GET|PUT /_lab/quotas   {"lambda-concurrency": 1000, "vcpus-on-demand": 640, "vcpus-spot": 640}

Lambda's is AWS's default; a new account's vCPUs are few and grow with use, so what stands here is an account in use.
"""

from __future__ import annotations

from typing import Any

from moto.servicequotas.models import ServiceQuotasBackend

from infra.errors import InputError
from infra.lab.aws.lab_pages import LabPages, entries

# Names and codes as in "Amazon EC2 endpoints and quotas", AWS General Reference.
EC2_CODES = {
    "L-1216C47A": ("vcpus-on-demand", "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances"),
    "L-34B43A08": ("vcpus-spot", "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests"),
}

_get_service_quota = ServiceQuotasBackend.get_service_quota


class Quotas:
    def __init__(self) -> None:
        self.values: dict[str, int] = {"lambda-concurrency": 1_000, "vcpus-on-demand": 640, "vcpus-spot": 640}

    def get(self, _: Any) -> dict[str, int]:
        return dict(self.values)

    def put(self, told: Any) -> dict[str, int]:
        given = entries(told, f"{', '.join(self.values)} and their values")
        for name, value in given.items():
            if name not in self.values:
                raise InputError(f"{name} is no quota here; there are {', '.join(self.values)}")
            if type(value) is not int or value < 0:
                raise InputError(f"{name} must be a whole number, not below 0")
        self.values.update(given)
        return dict(self.values)

    def of_ec2(self, backend: Any, service_code: str, quota_code: str) -> dict[str, Any]:
        if service_code != "ec2" or quota_code not in EC2_CODES:
            found: dict[str, Any] = _get_service_quota(backend, service_code, quota_code)
            return found
        name, called = EC2_CODES[quota_code]
        return {
            "ServiceCode": "ec2",
            "ServiceName": "Amazon Elastic Compute Cloud (Amazon EC2)",
            "QuotaArn": f"arn:aws:servicequotas:{backend.region_name}:{backend.account_id}:ec2/{quota_code}",
            "QuotaCode": quota_code,
            "QuotaName": called,
            "Value": float(self.values[name]),
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
        }


def install(pages: LabPages) -> Quotas:
    quotas = Quotas()

    def get_service_quota(backend: Any, service_code: str, quota_code: str) -> dict[str, Any]:
        return quotas.of_ec2(backend, service_code, quota_code)

    setattr(ServiceQuotasBackend, "get_service_quota", get_service_quota)  # noqa: B010
    pages.add("GET", "/_lab/quotas", quotas.get)
    pages.add("PUT", "/_lab/quotas", quotas.put)
    return quotas
