"""EventBridge Scheduler, where moto's is laxer or shorter than AWS's.

expressions.py   `cron(…)`, `rate(…)` and `at(…)`: read, or refused, and when each is due
checks.py        what AWS refuses in a schedule and moto takes
resources.py     schedules and their groups in templates

Who invokes what is due is `infra.lab.live.scheduled`.
"""
