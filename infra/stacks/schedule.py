"""The stack of scheduled switches, where a stage has it (`switch.scheduled`): what `crossover schedule` works on."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import CfnOutput
from constructs import Construct

from infra.components.switcher import Switcher
from infra.config import Stage
from infra.stacks.stage_stack import StageStack


class ScheduleStack(StageStack):
    def __init__(self, scope: Construct, id: str, *, stage: Stage, code: Path) -> None:
        super().__init__(scope, id, stage=stage, about="scheduled switches")
        self.switcher = Switcher(self, "Switcher", stage=stage, code=code)
        CfnOutput(self, "ScheduleGroup", value=stage.resource_prefix)
        CfnOutput(self, "SwitcherArn", value=self.switcher.function.function_arn)
        CfnOutput(self, "SchedulerRoleArn", value=self.switcher.starter.role_arn)
        CfnOutput(self, "DeadLettersArn", value=self.switcher.letters.queue_arn)
        CfnOutput(self, "DeadLettersUrl", value=self.switcher.letters.queue_url)
