"""Cuts a shared object down to what the dynamic loader maps, on any machine for any architecture.

The loader reads program headers only; debug information, symbol tables for debuggers and the section table lie behind the
last loaded segment and are never mapped (uvloop's wheel carries 14 MB of them). Done here and not with `strip`, so that a
bundle's bytes depend on no tool of the machine it was built on.
"""

from __future__ import annotations

import struct

PT_NULL = 0
_SECTION_FIELDS_AT = {"e_shoff": (0x28, "<Q"), "e_shnum": (0x3C, "<H"), "e_shstrndx": (0x3E, "<H")}


def strip_unmapped(image: bytes) -> bytes:
    """The image of a 64-bit little-endian ELF file without what no segment covers; anything else comes back as it is."""
    if len(image) < 64 or image[:4] != b"\x7fELF" or image[4] != 2 or image[5] != 1:
        return image
    (table_at,) = struct.unpack_from("<Q", image, 0x20)
    entry_size, count = struct.unpack_from("<HH", image, 0x36)
    end = max(64, table_at + entry_size * count)
    for index in range(count):
        at = table_at + index * entry_size
        (kind,) = struct.unpack_from("<I", image, at)
        (offset,) = struct.unpack_from("<Q", image, at + 0x08)
        (size,) = struct.unpack_from("<Q", image, at + 0x20)
        if kind != PT_NULL:
            end = max(end, offset + size)
    if end >= len(image):
        return image
    stripped = bytearray(image[:end])
    for at, form in _SECTION_FIELDS_AT.values():
        struct.pack_into(form, stripped, at, 0)
    return bytes(stripped)
