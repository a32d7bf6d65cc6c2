"""The suppliers, simulated: one process that speaks every wire format from one seeded, deterministic inventory.

`inventory.py` makes up true hotels and what each supplier says of them; `answers.py` renders them in each vendor's wire
format; `vendors.py` checks requests and answers or refuses them as each vendor does; `faults.py` holds how a supplier can
misbehave; `service.py` is the ASGI app, `serve.py` runs it.
"""
