"""What happens at its time: EventBridge Scheduler invokes what is due, and Lambda runs what it was given to run later.

scheduler.py     follows schedules, invokes their functions in lab time; retries, dead letters (deliveries.py)
invocations.py   Lambda's queue of asynchronous invocations: runs them, tries again, tells where failures go
by_the_clock.py  the function's environments, whose clocks keep lab time (clock/sitecustomize.py)
"""
