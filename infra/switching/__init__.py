"""Moving live traffic between the lanes: preflight -> plan -> prewarm -> shift -> verify -> commit or roll back -> cool down.

Pure, what is known goes in and what to do comes out: `weights`, `need` (how much of a lane), `plan`, `preflight` (what is
against it), `record`, `verdict` (is a lane well), `moves` and `transition` (the one place that decides), `hooks` (what
receivers are told), `doctor`. `driver` has `observe` ask the ports, writes the record before each mutation, and does one thing
after the other; `telling` tells of it, `calling` and `call` reach gates, hooks and notifications. `ports` says what is needed
of the world, `aws` answers them on AWS. `schedule` and `schedule_saving` are a week's switches, which `aws.switcher` makes.

Whoever finds a record continues it: each phase looks at what is so, not at what was done before.
Imports no `aws_cdk`: an operator's rollback must not start Node.
"""
