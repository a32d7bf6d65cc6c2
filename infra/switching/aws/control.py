"""Everything that the commands ask of one stage on AWS, wired in one place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from infra.config import DEFAULT_STAGE
from infra.switching.aws import probe
from infra.switching.aws.calls import Aws, asked
from infra.switching.aws.clock import AwsClock
from infra.switching.aws.lanes import AwsLanes
from infra.switching.aws.quotas import VcpuQuotas
from infra.switching.aws.resources import Resources, find, prefix_of
from infra.switching.aws.schedules import Schedules, place_of
from infra.switching.aws.secret import secret_text
from infra.switching.aws.store import DynamoStore
from infra.switching.aws.traffic import AwsTraffic
from infra.switching.calling import CallingHooks
from infra.switching.doctor import Places
from infra.switching.need import Load, Machines
from infra.switching.observe import World
from infra.switching.plan import Limits, Need
from infra.switching.ports import Clock, Unreachable
from infra.switching.preflight import Facts, Quota, Smoke

SMOKES = 3


class Control:
    """`world` is what a driver drives; the rest is asked before."""

    def __init__(self, aws: Aws, resources: Resources, clock: Clock, get: probe.Get = probe.get) -> None:
        self.resources = resources
        self.aws, self._get = aws, get
        self.lanes = AwsLanes(aws, resources, clock)
        self.traffic = AwsTraffic(aws, resources)
        self._quotas = VcpuQuotas(aws, self.lanes.fleet)
        self.store = DynamoStore(aws, resources.table)
        self.hooks = CallingHooks(lambda name: secret_text(Aws(aws.region), name))  # asked by other threads
        self.world = World(clock=clock, store=self.store, traffic=self.traffic, lanes=self.lanes, hooks=self.hooks)

    def load(self) -> Load:
        return self.lanes.load()

    def machines(self, lane: str) -> Machines:
        """Of the lane that is asked about; the group's target, else what stages have that set none."""
        if lane == "lambda":
            return Machines(vcpu=None, target_cpu=0.0, memory_mb=self.lanes.functions.memory_mb())
        target = self.lanes.fleet.target_cpu() or DEFAULT_STAGE.container_lane.target_utilization
        return Machines(vcpu=self.lanes.fleet.vcpus(), target_cpu=target, memory_mb=None)

    def quotas_for(self, lane: str, need: Need | str) -> tuple[Quota, ...]:
        """The account's that so many units draw on; none for Lambda, whose concurrency is `most`."""
        return self._quotas.for_group_of(need.units) if lane == "container" and isinstance(need, Need) else ()

    def facts(
        self, rising: str, *, need: Need | str, load: Load, limits: Limits, smoke_path: str | None, blind: bool = False
    ) -> Facts:
        """`blind`: an alarm that CloudWatch does not tell is not known, and no error."""
        headers = probe.lane_headers(self.aws, self.resources)
        return Facts(
            now=self.world.clock.now(),
            rising=rising,
            parameter=self.traffic.parameter(),
            rule=self.traffic.rule(),
            last=self.store.load(),
            digests={lane: self._digest(lane, headers) for lane in self.resources.target_groups},
            need=need,
            most=self.lanes.most(rising),
            alarm=self._alarm_or_unknown(rising) if blind else self.alarm(rising),
            smoke=self._smoke(rising, headers, smoke_path),
            quotas=self.quotas_for(rising, need),
            changing=self.resources.changing,
            loop_lag_told=load.lag_told,
            limits=limits,
        )

    def places(self, asked_weights: str | None = None) -> Places:
        """`asked_weights` are those of the stage's settings, where there are any."""
        return Places(
            stage=self.resources.stage,
            parameter=self.traffic.parameter_text(),
            parameter_weights=self.traffic.parameter(),
            rule=self.traffic.rule(),
            record=self.store.load(),
            now=self.world.clock.now(),
            floor=self.lanes.floor("container"),
            template_floor=self.template_floor(),
            rule_arn=self.resources.rule,
            target_groups=self.resources.target_groups,
            template_weights=self._template_value("foundation", "AWS::SSM::Parameter", "Value"),
            asked_weights=asked_weights,
            changing=self.resources.changing,
        )

    def template_floor(self) -> int | None:
        """The group's minimum size as the container stack's template has it; None where the template does not say."""
        size = self._template_value("container", "AWS::AutoScaling::AutoScalingGroup", "MinSize")
        return int(size) if size is not None and size.isdigit() else None

    def alarm(self, lane: str) -> str | None:
        """State of the lane's composite alarm; None where the stage has none."""
        name = f"{prefix_of(self.resources.stage)}-{lane}"
        with asked(f"alarm {name}"):
            answer = self.aws.client("cloudwatch").describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])
        states = [alarm["StateValue"] for alarm in answer.get("CompositeAlarms", [])]
        return states[0] if states else None

    def schedules(self) -> Schedules | None:
        """None where the stage was deployed without its switcher."""
        place = place_of(self.aws, self.resources.stage)
        return None if place is None else Schedules(self.aws, place)

    def _alarm_or_unknown(self, lane: str) -> str | None:
        try:
            return self.alarm(lane)
        except Unreachable:
            return "UNKNOWN"

    def _template_value(self, end: str, kind: str, name: str) -> str | None:
        """One property of the only resource of its kind in a deployed template, where it is a plain value."""
        stack = f"{prefix_of(self.resources.stage)}-{end}"
        with asked(f"template of {stack}"):
            body = self.aws.client("cloudformation").get_template(StackName=stack)["TemplateBody"]
        found = body.get("Resources", {}).values() if isinstance(body, dict) else ()
        values = [each.get("Properties", {}).get(name) for each in found if each.get("Type") == kind]
        return str(values[0]) if len(values) == 1 and isinstance(values[0], str | int) else None

    def _digest(self, lane: str, headers: dict[str, dict[str, str]]) -> str | None:
        return probe.digest(self._get, self.resources.url, lane, headers[lane]) if lane in headers else None

    def _smoke(self, lane: str, headers: dict[str, dict[str, str]], path: str | None) -> Smoke:
        if lane not in headers:
            return Smoke(answered=0, of=0, wrong="no rule of the listener lets a request choose its lane (traffic.lane_header)")
        answers = [self._get(self.resources.url + (path or self._search()), headers[lane]) for _ in range(SMOKES)]
        wrong = [answer.wrong or f"HTTP {answer.status}" for answer in answers if answer.status != 200]
        return Smoke(answered=SMOKES - len(wrong), of=SMOKES, wrong=wrong[-1] if wrong else "")

    def _search(self) -> str:
        """A search in the near future; any place will do, and no hotel is an answer too."""
        begin = datetime.fromtimestamp(self.world.clock.now(), UTC).date() + timedelta(days=30)
        return f"/search?place=LON&check_in={begin}&check_out={begin + timedelta(days=2)}&adults=2"


def connect(stage: str, region: str | None) -> Control:
    """The stage in AWS; one clear line where it is not there."""
    return control_of(Aws(region), stage)


def control_of(aws: Aws, stage: str) -> Control:
    """By clients that are there."""
    resources = find(aws, stage)
    return Control(aws, resources, AwsClock(resources.served_at))
