"""A local AWS: moto's server on loopback, with what the CDK CLI needs of CloudFormation and moto lacks.

    targets.py           what a load balancer tells of targets, and what drains
    balancing.py         weights that AWS refuses, attributes and targets in templates
    groups.py            autoscaling groups whose instances take their time (`--live`); members.py: an instance and its hooks;
                         launches.py: which is launched and which goes first; group_calls.py: Auto Scaling's calls on them
    group_templates.py   a group's hooks and policies in templates, its update in place
    instance_pages.py    which instance has booted, which spot instance is reclaimed
    lambda_functions.py  functions that can be run as deployed: architecture, reservation, each version's code
    provisioned.py       provisioned concurrency and the account's settings; quotas.py: the account's quotas
    lambda_resources.py  Lambda aliases, versions and their attributes in templates
    invocations.py       asynchronous invocations: their settings in templates, events that wait to be run
    scheduler/           EventBridge Scheduler: what it refuses, groups and schedules in templates
    secrets.py           generated secrets, references to them, tagged keys
    lab_pages.py         pages under `/_lab/`, where the lab tells it what AWS would know
    calls.py             who called what
    watching.py          what follows, in one go
    lab_clock.py         lab time in its answers
    api_faults.py        calls that fail: api_call.py knows which one is made, api_errors.py how its service words an error
    cloudwatch/          metrics and alarms
    signals.py           what a stack answers that waits for no signal
    target_tracking.py   groups that follow their metrics, by their scaling_policies.py
    stack_life.py        deletion in reverse order, rollback with its events, exports that are in use
    stack_update.py      an update in CloudFormation's order
    deletions.py         what moto leaves of a deleted stack
    server.py            the process: `python -m infra.lab.aws.server PORT`
    local_aws.py         starting it, and the CDK CLI against it

Nothing here decides what is deployed: the templates are those that go to AWS.
"""
