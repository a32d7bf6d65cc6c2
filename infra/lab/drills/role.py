"""Which of the switcher's calls its role does not allow: what the local AWS was called against what was deployed.

By action alone. Resources and conditions are held to the stacks' own names by their tests.
"""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase

from infra.lab.aws.api_call import IAM_NAMES
from infra.lab.live.lab import Lab
from infra.lab.live.scheduled.by_the_clock import KEY


def unpermitted(lab: Lab) -> list[str]:
    """Actions of its calls so far of which the role that Lambda takes on in the stage's schedule stack says nothing."""
    stack = f"{lab.stage.resource_prefix}-schedule"
    body = lab.aws.client("cloudformation").get_template(StackName=stack)["TemplateBody"]
    template = json.loads(body) if isinstance(body, str) else body
    roles = [each["Properties"] for each in template["Resources"].values() if each["Type"] == "AWS::IAM::Role"]
    allowed: list[str] = []
    for role in roles:
        if "lambda.amazonaws.com" in json.dumps(role["AssumeRolePolicyDocument"]):
            statements = [each for policy in role["Policies"] for each in policy["PolicyDocument"]["Statement"]]
            for actions in (each["Action"] for each in statements):
                allowed += [actions] if isinstance(actions, str) else actions
    return sorted(each for each in called(lab) if not any(fnmatchcase(each, action) for action in allowed))


def called(lab: Lab) -> set[str]:
    """`service:Action` of every call that was made with the switcher's key."""
    found = re.findall(rf"called ([a-z-]+):(\w+) with {KEY} ", (lab.logs / "aws.log").read_text(errors="replace"))
    return {f"{IAM_NAMES.get(service, service)}:{action}" for service, action in found}
