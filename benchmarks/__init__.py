"""What the service costs per search, beside what its users would otherwise have written. Never gates a test.

    python -m benchmarks.fanout       CPU per search of the service and of its peers, under one load
    python -m benchmarks.cold_start   cold start and CPU per invocation on the Lambda lane, beside a bare runtime client

workload -> upstream (40 suppliers) <- service under test (peers/ or app/) <- load; process_tree measures, report prints.
"""
