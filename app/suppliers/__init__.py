"""Everything about suppliers: who they are, what they speak, how they are reached.

`catalogue.py` reads which suppliers there are; `content.py` which hotels each has where; `formats/` speaks their wire
formats (building requests and parsing answers, without I/O); `transport.py` sends them; `registry.py` puts it together as
the core's `Supplier`; `rates.py` holds dated exchange rates.
"""
