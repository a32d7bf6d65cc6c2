"""The five requests that an instance sends to AWS, each signed with its role's credentials of that moment.

All are of AWS's query protocol: a form of `Action`, `Version` and parameters, answered in XML. Sources: the API references of
Elastic Load Balancing (2015-12-01), Amazon EC2 Auto Scaling (2011-01-01), AWS CloudFormation (2010-05-15) and Amazon CloudWatch
(2010-08-01).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urlencode

from instance.errors import CloudError, NothingWaits
from secret_values.credentials import find_credentials
from secret_values.endpoints import read_endpoint
from secret_values.errors import SecretError
from secret_values.exchange import Answer, Request, Unanswered, send
from secret_values.signing import signed

ENDPOINT = "AWS_ENDPOINT_URL"
DUAL_STACK = "AWS_USE_DUALSTACK_ENDPOINT"
DOMAINS = ("amazonaws.com", "amazonaws.com.cn")
"""Of most regions, and of China's."""

DUAL_STACK_DOMAINS = ("api.aws", "api.amazonwebservices.com.cn")
"""Reached over IPv6 too; AWS SDKs and Tools Reference Guide, "Dual-stack and FIPS endpoints"."""

NAMESPACE = "Crossover"
TIMEOUT_S, LIMIT_S = 2.0, 5.0
THROTTLED = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"})
NO_ACTION = "No active Lifecycle Action"
SAID_AT_MOST = 200


class Service(NamedTuple):
    """`name` is both in the host's name and in the signature."""

    name: str
    version: str


LOAD_BALANCING = Service("elasticloadbalancing", "2015-12-01")
AUTO_SCALING = Service("autoscaling", "2011-01-01")
CLOUDFORMATION = Service("cloudformation", "2010-05-15")
CLOUDWATCH = Service("monitoring", "2010-08-01")


class Figure(NamedTuple):
    """One value of one metric; `unit` is CloudWatch's name for it."""

    name: str
    unit: str
    value: float


class Cloud:
    """Each method returns when AWS has accepted, else raises `CloudError`. `environment` may hold credentials and an endpoint
    (docs/architecture.md); on an instance it holds neither."""

    def __init__(self, region: str, environment: Mapping[str, str], *, pause: Callable[[float], None] = time.sleep) -> None:
        self._region = region
        self._environment = environment
        self._pause = pause

    def deregister(self, target_group: str, instance: str) -> None:
        """Take the instance out of the target group. Doing so again does no harm."""
        self._call(LOAD_BALANCING, "DeregisterTargets", {"TargetGroupArn": target_group, "Targets.member.1.Id": instance})

    def complete(self, hook: str, *, group: str, instance: str, result: str) -> None:
        """Let the group go on with this instance: `result` is CONTINUE or ABANDON. Raises `NothingWaits` where no action of
        this hook is waiting."""
        parameters = {
            "LifecycleHookName": hook,
            "AutoScalingGroupName": group,
            "InstanceId": instance,
            "LifecycleActionResult": result,
        }
        try:
            self._call(AUTO_SCALING, "CompleteLifecycleAction", parameters)
        except CloudError as error:
            if NO_ACTION in str(error):
                raise NothingWaits(str(error), error.code) from None
            raise

    def signal(self, *, stack: str, resource: str, instance: str, status: str) -> None:
        """Tell CloudFormation SUCCESS or FAILURE; refused where no creation or update of the stack is waiting."""
        parameters = {"StackName": stack, "LogicalResourceId": resource, "UniqueId": instance, "Status": status}
        self._call(CLOUDFORMATION, "SignalResource", parameters)

    def publish(self, group: str, figures: list[Figure]) -> None:
        """One PutMetricData with all figures, of the group as the only dimension."""
        parameters = {"Namespace": NAMESPACE}
        for number, figure in enumerate(figures, 1):
            member = f"MetricData.member.{number}"
            parameters |= {
                f"{member}.MetricName": figure.name,
                f"{member}.Unit": figure.unit,
                f"{member}.Value": f"{figure.value:.6g}",
                f"{member}.Dimensions.member.1.Name": "AutoScalingGroupName",
                f"{member}.Dimensions.member.1.Value": group,
            }
        self._call(CLOUDWATCH, "PutMetricData", parameters)

    def _call(self, service: Service, action: str, parameters: Mapping[str, str]) -> None:
        body = urlencode({"Action": action, "Version": service.version, **parameters}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        try:
            request = Request("POST", self._url(service), headers, body)
            credentials = find_credentials(self._environment, pause=self._pause)
            answer = send(
                lambda: signed(request, credentials, region=self._region, service=service.name, at=datetime.now(UTC)),
                timeout_s=TIMEOUT_S,
                limit_s=LIMIT_S,
                passing=_is_passing,
                pause=self._pause,
            )
        except (SecretError, Unanswered) as error:
            raise CloudError(f"{action}: {error}") from None
        if answer.status != 200:
            code = _element(answer, "Code")
            said = " ".join(part for part in (code, _element(answer, "Message")) if part)
            raise CloudError(f"{action}: answered {answer.status} {said}".rstrip(), code)

    def _url(self, service: Service) -> str:
        given = self._environment.get(ENDPOINT)
        if given:
            return read_endpoint(ENDPOINT, given)
        domains = DUAL_STACK_DOMAINS if self._environment.get(DUAL_STACK, "").lower() == "true" else DOMAINS
        return f"https://{service.name}.{self._region}.{domains[self._region.startswith('cn-')]}/"


def _is_passing(answer: Answer) -> bool:
    return answer.status >= 500 or answer.status == 429 or _element(answer, "Code") in THROTTLED


def _element(answer: Answer, name: str) -> str:
    """The text of the first such element of an error's XML, on one line and of a bounded length; empty where there is none.
    A refusal is read for people and for two names: no parser of what a server may send is needed for it."""
    found = re.search(rf"<{name}>([^<]*)</{name}>", answer.body.decode("utf-8", "replace"))
    return " ".join(found[1].split())[:SAID_AT_MOST] if found else ""
