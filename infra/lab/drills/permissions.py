"""Which of a function's calls its role does not allow: what the local AWS was called against what the deployed policies name.

By action alone. Resources and conditions are held to the stacks' own names by their tests.
"""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from urllib.parse import unquote

from infra.lab.aws.api_call import IAM_NAMES
from infra.lab.live.lab import Lab
from infra.lab.live.scheduled.by_the_clock import KEY


def unpermitted(lab: Lab, function: str) -> list[str]:
    """Actions of the function's calls so far, of which its role says nothing."""
    role = lab.aws.client("lambda").get_function_configuration(FunctionName=function)["Role"].rpartition("/")[2]
    roles = lab.aws.client("iam")
    allowed: list[str] = []
    for name in roles.list_role_policies(RoleName=role)["PolicyNames"]:
        document = roles.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        read = json.loads(unquote(document)) if isinstance(document, str) else document
        for statement in read["Statement"]:
            actions = statement["Action"]
            allowed += [actions] if isinstance(actions, str) else actions
    return sorted(each for each in called(lab) if not any(fnmatchcase(each, action) for action in allowed))


def called(lab: Lab) -> set[str]:
    """`service:Action` of every call that was made with the switcher's key."""
    found = re.findall(rf"called ([a-z-]+):(\w+) with {KEY} ", (lab.logs / "aws.log").read_text(errors="replace"))
    return {f"{IAM_NAMES.get(service, service)}:{action}" for service, action in found}
