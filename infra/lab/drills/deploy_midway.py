"""`cdk deploy` in the middle of a switch, under load: it changes the load balancer, and what both lanes run: another bundle.

The traffic stack fills its rule from the parameter, which the switch writes first, so the deployment writes the switch's own
weights. The function gets a new version and its alias moves; the instances are replaced, one launched before one ends: between
the two the lanes run different bundles, which is looked for here. The switch goes on by itself meanwhile; in the long form a
second one, the way back, is held at its middle step until the deployment has ended, and at the end only one lane is deployed:
the next switch is then refused, but for who allows the skew.
"""

from __future__ import annotations

import time
from pathlib import Path

from infra.errors import KitError
from infra.lab.drills.another_bundle import another, digest_of
from infra.lab.drills.calling import Calling
from infra.lab.drills.drill import Criteria, Drill, Figures
from infra.lab.drills.ground import Ground, ground_of
from infra.lab.drills.operators import Ended, Operator
from infra.lab.drills.switches import BRISKLY, UNITS
from infra.lab.drills.versions import Versions
from infra.lab.live.lab import Lab
from infra.switching.weights import Weights, all_on, parse_weights

RPS = 60.0
HALF = parse_weights("50:50")
REPLACED_S = 60.0
PATIENTLY = ("--limit", "p99_ms=15000", "--limit", "p99_floor_ms=15000")
"""The CDK CLI deploys on the CPUs that the lanes have here, which no lane is to be blamed for."""


def run(lab: Lab, rounds: int) -> Figures:
    """One round: a switch to Lambda. More: also the way back, held meanwhile, however many rounds. The stage is left as the
    last deployment made it, which no other drill notices; the next time the change is taken back."""
    ground = ground_of(lab)
    ground.put(all_on("container"))
    began = time.time()
    before, other = _now_and_other(lab, ground)
    versions = Versions(lab, ground)
    with Calling(lab.url, rps=RPS) as calling:
        ended, goal = _switch_and_deploy(lab, ground, versions, "lambda", other, held=False), "lambda"
        if rounds > 1 and ended.code == 0:
            ended, goal = _switch_and_deploy(lab, ground, versions, "container", before, held=True), "container"
        at_goal = ground.traffic.rule() == ground.traffic.parameter() == all_on(goal)
        agree = versions.await_agreed()
        requests = calling.stop()
    if rounds > 1 and ended.code == 0:
        _require_refused(lab, versions, other)
    more = {"at_goal": int(at_goal), "skewed": versions.skewed, "agree": int(agree), "deployments": min(rounds, 2)}
    return Figures.of("deploy-midway", requests, ended, began, **more)


def _now_and_other(lab: Lab, ground: Ground) -> tuple[Path, Path]:
    """The assembly that is deployed now, and the one that is not: the first one, and the one with another bundle."""
    function = lab.aws.client("lambda").get_function_configuration(FunctionName=ground.resources.function, Qualifier="live")
    first, changed = lab.assembly, another(lab.assembly)
    is_first = function["Environment"]["Variables"]["CROSSOVER_BUNDLE_SHA256"] == digest_of(first)
    return (first, changed) if is_first else (changed, first)


def _require_refused(lab: Lab, versions: Versions, other: Path) -> None:
    """Deploy the function alone, another bundle; `KitError` where the next switch is not refused for it, or cannot be allowed.
    The whole stage is then deployed so, in any case: no other drill's switch would begin."""
    lab.deploy_one("lambda", other)
    try:
        if not versions.await_differing():
            raise KitError("the lanes do not tell two bundles though the function alone was deployed")
        refused = lab.operator("switch", "lambda", *UNITS["lambda"], *BRISKLY)
        if refused.returncode != 1 or "the lambda lane runs bundle" not in refused.stderr:
            raise KitError(f"lanes of two bundles: the switch ended with {refused.returncode}: {refused.stderr.strip()}")
        allowed = lab.operator("plan", "lambda", *UNITS["lambda"], "--allow-version-skew")
        if allowed.returncode != 0:
            raise KitError(f"lanes of two bundles, allowed: {allowed.stderr.strip()}")
    finally:
        lab.deploy(other)


def _switch_and_deploy(lab: Lab, ground: Ground, versions: Versions, goal: str, assembly: Path, *, held: bool) -> Ended:
    """`KitError` where the deployment wrote weights that are not the switch's, or replaced nothing."""
    before = _runs(lab, ground)
    with Operator(lab, "switch", goal, "--steps", "50,100", *UNITS[goal], *BRISKLY, *PATIENTLY) as operator:
        operator.await_phase("verify")
        if held:
            lab.operator("pause")
        with versions.watching():
            lab.deploy(assembly)
            _require_own_weights(ground, (HALF,) if held else (HALF, all_on(goal)))
            _await_other(lab, ground, before)
        if held:
            lab.operator("resume")
        return operator.end()


def _require_own_weights(ground: Ground, may: tuple[Weights, ...]) -> None:
    """Read once more where the switch may just be writing one after the other."""
    for _ in range(5):
        rule, parameter = ground.traffic.rule(), ground.traffic.parameter()
        if rule == parameter and rule in may:
            return
        time.sleep(0.2)
    raise KitError(f"after the deployment the rule has {rule}, the parameter {parameter}")


def _runs(lab: Lab, ground: Ground) -> tuple[str, frozenset[str]]:
    """The function's live version, and the instances that serve."""
    functions = lab.aws.client("lambda")
    version: str = functions.get_alias(FunctionName=ground.resources.function, Name="live")["FunctionVersion"]
    return version, frozenset(each["InstanceId"] for each in ground.standing() if each["LifecycleState"] == "InService")


def _await_other(lab: Lab, ground: Ground, before: tuple[str, frozenset[str]]) -> None:
    """Until another version is live and every instance has been replaced."""
    end = time.monotonic() + REPLACED_S
    while time.monotonic() < end:
        version, instances = _runs(lab, ground)
        if version != before[0] and instances and not instances & before[1]:
            return
        time.sleep(0.5)
    raise KitError(f"the deployment has not replaced version {before[0]} and {', '.join(before[1])} after {REPLACED_S:g} s")


DEPLOY_MIDWAY = Drill(
    name="deploy-midway",
    about="cdk deploy changes the load balancer and both lanes' bundle in the middle of a switch",
    runbook="drill-deploy-midway.md",
    run=run,
    criteria=Criteria(outcome="done", least={"at_goal": 1.0, "skewed": 1.0, "agree": 1.0}),
)
