"""What a switch remembers: one DynamoDB table with the record of the stage's switch and the history of all of them."""

from __future__ import annotations

from aws_cdk import CfnOutput, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

# Pinned: with another logical id CloudFormation would make a new, empty table and lose sight of the history.
LOGICAL_ID = "SwitchTable"


class SwitchState(Construct):
    """Owns the table, whose name is generated and told as the output `SwitchTableName`.

    Paid by the request: a switch writes a few hundred items, cents a year. It outlives the stack, for it is the record of
    who moved production's traffic; a deployment after that makes a new one. Point-in-time recovery covers 35 days, a deleted
    table too. DynamoDB encrypts every table; the key is its own, for the table holds no secret.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        text = [dynamodb.CfnTable.AttributeDefinitionProperty(attribute_name=name, attribute_type="S") for name in ("pk", "sk")]
        keys = [
            dynamodb.CfnTable.KeySchemaProperty(attribute_name=name, key_type=kind)
            for name, kind in (("pk", "HASH"), ("sk", "RANGE"))
        ]
        self.table = dynamodb.CfnTable(
            self,
            "Table",
            attribute_definitions=text,
            key_schema=keys,
            billing_mode="PAY_PER_REQUEST",
            point_in_time_recovery_specification=dynamodb.CfnTable.PointInTimeRecoverySpecificationProperty(
                point_in_time_recovery_enabled=True
            ),
        )
        self.table.override_logical_id(LOGICAL_ID)
        # A first deployment that fails leaves none behind.
        self.table.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        CfnOutput(self, "Name", value=self.table.ref).override_logical_id(f"{LOGICAL_ID}Name")
