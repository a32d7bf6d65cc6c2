"""What runs on an instance of the container lane beside the service: the boot program and the agent.

    user data (fetch, verify, unpack) -> boot: units -> service ready -> the group is told, then CloudFormation
    agent: notice of the end -> deregister -> the service drains -> the group is told; and figures to CloudWatch each minute

Standard library only, from the same verified bundle as the service, whose process never reaches AWS. How to ask AWS (signing,
credentials, one request with its limits) is shared with `secret_values`. What happens when: docs/instances.md.
"""
