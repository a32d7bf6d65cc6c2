"""What the service tells about itself: event-loop lag, tasks alive, searches and each supplier's outcomes.

`counters.py` counts searches, `loop_lag.py` watches the loop, `metrics.py` gathers what every other part counts,
`exposition.py` writes all of it as Prometheus text.
"""
