"""The local cloud: everything that AWS would run, as real processes on loopback.

    simulator/         the suppliers
    managed_runtime.py what Lambda starts an environment's process with: AWS's runtime client, or the bundle's own
    runtime_api.py     one Lambda environment: the Lambda Runtime API that the real runtime client polls
    lambda_lane.py     environments, cold starts, throttling, limits, REPORT lines
    cold_starts.py     how long a bundle and an empty handler take to start
    system_logs.py     what Lambda itself writes of an invocation
    container_lane.py  uvicorn workers from the same bundle
    metadata_service.py  an instance's metadata service, with spot notices and the group's wishes
    load_balancer.py   an Application Load Balancer's double in front of both
    forwarding.py      what any load balancer's double does once a target is chosen
    target_events.py   its events and answers
    processes.py       child processes that cannot be left behind
    cloud.py           all of it together
    load.py, queries.py, parity.py, measure.py   asking it, comparing it, measuring it

`aws/` is a local AWS to deploy into, `live/` what makes a stage live that is deployed there.

Nothing outlives its owner: every process is told by the kernel when its parent dies.
"""
