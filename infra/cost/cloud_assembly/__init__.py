"""What a cloud assembly (`cdk.out`) will deploy, for pricing it: read the templates (`reading`), tell the stage's settings from
them (`settings`), tie each line of the bill to logical ids and list what has no line (`billing`), all without `aws_cdk`
(`pricing` puts the three together)."""
