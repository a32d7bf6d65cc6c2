"""The same search service, as users of other stacks would write it. Each is one file, takes a port, reads `BENCH_SUPPLIERS`.

The job: validate the query, ask 40 suppliers (Rapid availability, signed) with a deadline of 1.5 s, parse the JSON, keep
hotels and offers, merge by property id, sort by price, answer JSON with one outcome per supplier. One worker process each.
"""
