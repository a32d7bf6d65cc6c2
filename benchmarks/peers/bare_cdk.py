"""The least that anyone would call a CDK app of three stacks in Python: one bucket in each."""

from __future__ import annotations

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_s3 as s3

app = App()
for name in ("one", "two", "three"):
    s3.Bucket(Stack(app, name, env=Environment(region="us-east-1")), "Bucket")
app.synth()
