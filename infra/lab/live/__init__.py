"""What brings a stage to life that is deployed into the local AWS: requests are served, instances run, metrics are published.

    ports.py          what the parts need of each other
    front/            load balancer and functions: what serves requests
    instances/        the instances of the autoscaling group, as real processes
    scheduled/        what happens at its time: EventBridge Scheduler, and functions that are run later
    stage.py          all of one deployed stage; fault_pages.py what may befall it, over HTTP; serve.py their process
    as_deployed.py    what it goes back to
    lab.py            the whole cloud in a box, for whoever drives it from outside

The control plane is moto (`infra.lab.aws`), asked over boto3 as any AWS is; nothing here is told what the stacks are. What AWS
itself would know and moto cannot (which target is healthy, which instance has booted) is told to it through its pages under
`/_lab/` (`infra.lab.aws`).
"""
