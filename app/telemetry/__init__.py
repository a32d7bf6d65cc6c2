"""What the service tells about itself: event-loop lag, tasks alive, searches and each supplier's outcomes.

`counters.py` counts searches, `loop_lag.py` watches the loop, `exposition.py` writes both as Prometheus text.
"""
