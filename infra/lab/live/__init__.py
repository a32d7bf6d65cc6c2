"""What brings a stage to life that is deployed into the local AWS: requests are served, instances run, metrics are published.

    ports.py      what the parts need of each other
    fleet.py      the instance manager: follows the autoscaling group; instance.py is one instance, faults.py what befalls it
                  (group.py what it asks AWS; boots.py, bundles.py, addresses.py, programs.py, aws_command.py, changes.py what
                  an instance starts with; machine.py, systemd.py, unit_file.py, process_table.py, keeper.py its processes)

The control plane is moto (`infra.lab.aws`), asked over boto3 as any AWS is; nothing here is told what the stacks are. What AWS
itself would know and moto cannot (which target is healthy, which instance has booted) is told to it through its pages under
`/_lab/` (`infra.lab.aws`).
"""
