"""JSON as every command writes it: the same document, the same bytes."""

from __future__ import annotations


def json_bytes(document: object) -> bytes:
    """Two spaces deep, keys in the order given, a line's end at the end; msgspec's own types may stand in it."""
    import msgspec

    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
