"""Content codings of answers, capped on decoded bytes: a few kB can unpack to gigabytes."""

from __future__ import annotations

import zlib

import httpx

KNOWN = frozenset((b"gzip", b"x-gzip", b"deflate"))


class ResponseTooLarge(httpx.RemoteProtocolError):
    """The answer is larger than the client reads, after decoding; its connection was closed."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the answer is larger than {limit} bytes")


def decode(coding: bytes, packed: bytes, limit: int) -> bytes:
    """The content of a body packed as `coding` (one of `KNOWN`); raises `httpx.DecodingError` when it is not whole, and
    `ResponseTooLarge` once it unpacks to more than `limit` bytes."""
    if not packed:
        return packed
    raw_deflate = coding == b"deflate" and packed[0] & 0x0F != 8  # some servers send it without the zlib header
    wbits = -zlib.MAX_WBITS if raw_deflate else zlib.MAX_WBITS | 32  # 32: gzip or zlib, whichever it is
    parts: list[bytes] = []
    left = limit
    while packed:
        unpack = zlib.decompressobj(wbits)
        try:
            part = unpack.decompress(packed, left + 1)
        except zlib.error as error:
            raise httpx.DecodingError(f"the body is not {coding.decode()}: {error}") from None
        left -= len(part)
        if left < 0:
            raise ResponseTooLarge(limit)
        if not unpack.eof:
            raise httpx.DecodingError("the body is packed, and stops short")
        parts.append(part)
        packed = unpack.unused_data  # a gzip body may have several members
        if packed and (coding == b"deflate" or not packed.startswith(b"\x1f\x8b")):
            break  # padding after the last member
    return parts[0] if len(parts) == 1 else b"".join(parts)
