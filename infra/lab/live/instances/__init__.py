"""A live stage's instances.

fleet.py                  the instance manager, which follows the autoscaling group
group.py                  what it asks of AWS
instance.py, faults.py    one instance, and what befalls it
boots.py, bundles.py, addresses.py, programs.py, aws_command.py, changes.py   what an instance starts with
machine.py, systemd.py, unit_file.py, process_table.py, keeper.py             its processes
"""
