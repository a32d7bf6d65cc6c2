"""Drills: one thing that happens to a live stage under load, the real switch and its operator at work, and what became of the
requests.

    drill.py      what a drill is: its run, its page in docs/runbooks/, what must come of it (criteria.py), what it tells
    catalogue.py  all of them, by name
    ground.py     the stage as it is before each drill, and again after
    operators.py  an operator's command under way: its events as they come, and how it ended
    calling.py, callers.py, requests.py   callers who never stop, and every request of theirs
    run.py        one after the other on one lab, each judged; `crossover lab drill` is the command
    another_bundle.py, versions.py   a stage with other bytes; which bundle each lane tells of
    role.py           calls of the switcher that its role does not allow

Every other module is one drill, or several of a kind.
"""
