"""What brings a stage to life that is deployed into the local AWS: requests are served, instances run, metrics are published.

    ports.py      what the parts need of each other

The control plane is moto (`infra.lab.aws`), asked over boto3 as any AWS is; nothing here is told what the stacks are. What AWS
itself would know and moto cannot (which target is healthy, which instance has booted) is told to it through its pages under
`/_lab/` (`infra.lab.aws`).
"""
