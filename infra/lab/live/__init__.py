"""What brings a stage to life that is deployed into the local AWS: requests are served, instances run, metrics are published.

    ports.py          what the parts need of each other
    front.py          what serves requests, of
      listeners.py, groups.py                   listener, rules and target groups as plain data
      followed.py                               reads them of elbv2 again and again; what changed takes effect late
      roster.py                                 who may be given requests: lag, leakage, fail-open, slow start
      health.py, probing.py                     when a target is healthy; asking it, and telling elbv2's double
      node.py, balancer.py                      takes requests and sends each to a target, over real sockets
      function_code.py, alias.py, functions.py  the Lambda lane that follows what was deployed
      counts.py, metrics.py, publisher.py       what AWS would publish of each lab minute
    fleet.py          the instance manager, which follows the autoscaling group, of
      instance.py, faults.py                    one instance, and what befalls it
      group.py                                  what is asked of AWS
      boots.py, bundles.py, addresses.py, programs.py, aws_command.py, changes.py   what an instance starts with
      machine.py, systemd.py, unit_file.py, process_table.py, keeper.py             its processes
    stage.py          front and fleet of one deployed stage; fault_pages.py what may befall it, over HTTP; serve.py it all
    lab.py            the whole cloud in a box, for whoever drives it from outside

The control plane is moto (`infra.lab.aws`), asked over boto3 as any AWS is; nothing here is told what the stacks are. What AWS
itself would know and moto cannot (which target is healthy, which instance has booted) is told to it through its pages under
`/_lab/` (`infra.lab.aws`).
"""
