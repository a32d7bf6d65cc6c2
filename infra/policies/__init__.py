"""Least-privilege IAM policies of the people around a stage, and of CloudFormation.

    templates     what the synthesized stacks hold: resource types, names, roles, what must be assumed to deploy them
    execution     what CloudFormation may do with them: from the resource types' own schemas
    deployer      what the person who runs `cdk deploy` may do
    operator      what moving traffic, looking and rolling back take
    finance       what reading the bill takes
    document      statements, and their packing into managed policies of IAM's size

Nothing here calls AWS or imports `aws_cdk`.
"""
