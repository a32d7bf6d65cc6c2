"""Moving live traffic between the lanes: preflight -> plan -> prewarm -> shift -> verify -> commit or roll back -> cool down.

`weights`, `plan`, `record`, `verdict`, `moves`, `preflight` and `transition` are pure: what is known goes in, what to do
comes out. `driver` asks the ports, writes the record before each mutation, and does one thing after the other;
`ports` says what it needs of the world, `aws` answers them on AWS.

Whoever finds a record continues it: each phase looks at what is so, not at what was done before.
Imports no `aws_cdk`: an operator's rollback must not start Node.
"""
