"""The search flow, free of web frameworks, HTTP clients and AWS.

    SearchQuery -> fanout (ask every supplier at once, under one deadline)
                -> consolidate (the same hotel from many suppliers becomes one entry)
                -> rank (markup, currency, order)
                -> SearchResult (hotels plus one outcome per supplier)

`search.py` runs the flow; `models.py` holds the data that travels along it; `ports.py` what it needs from outside.
"""
