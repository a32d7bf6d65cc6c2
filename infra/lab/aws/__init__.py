"""A local AWS: moto's server on loopback, with what the CDK CLI needs of CloudFormation and moto lacks.

    lambda_resources.py  Lambda aliases, versions and their attributes in templates
    secrets.py           generated secrets, references to them, tagged keys
    lab_pages.py         pages under `/_lab/`, where the lab tells it what AWS would know
    calls.py             who called what
    watching.py          what follows, in one go
    lab_clock.py         lab time in its answers
    api_faults.py        calls that fail: api_call.py knows which one is made, api_errors.py how its service words an error
    cloudwatch/          metrics and alarms
    target_tracking.py   groups that follow their metrics, by their scaling_policies.py
    stack_life.py        deletion in reverse order, rollback with its events, exports that are in use
    stack_update.py      an update in CloudFormation's order
    deletions.py         what moto leaves of a deleted stack
    server.py            the process: `python -m infra.lab.aws.server PORT`
    local_aws.py         starting it, and the CDK CLI against it

Nothing here decides what is deployed: the templates are those that go to AWS.
"""
