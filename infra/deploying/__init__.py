"""Around `cdk deploy`: what must be right before it, and what is left after one that failed. Imports no `aws_cdk`.

cdk_cli.py     the pinned CDK CLI and the Node it runs on
preflight.py   every check before a deployment, each with what to do
assembly.py    a synthesized assembly (`cdk.out`): its stacks, and the bundle it deploys
stacks.py      the stage's stacks as CloudFormation has them, and the first thing that failed
account.py     asking AWS, over boto3
"""
