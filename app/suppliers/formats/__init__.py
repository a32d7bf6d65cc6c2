"""One module per published wire format: it builds the requests of a search and parses the answers; it opens nothing.

A format is a class called with a supplier's credentials, base URL and content; `search` builds, sends through the given
transport, and parses. `FORMATS` in `known.py` lists them by the name that a catalogue uses.
"""
