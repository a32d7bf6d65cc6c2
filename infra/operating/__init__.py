"""What an operator does at a stage, whichever way it is asked for: the commands and the watch page are both made of this.

    stage.py       who asks, what production is, a stage's settings
    proposal.py    from a goal to a plan and what is against it; reads only
    orders.py      pause, promote, abort, resume, roll back: what each leaves in the record, and when somebody must drive
    prewarming.py  a lane made ready ahead of load, and let go again
    scheduled.py   scheduled switches: how each is told, paused, resumed
    driving.py     one driver to its end, and what its end means
    status.py      what is so now

It knows neither terminal nor page.
"""
