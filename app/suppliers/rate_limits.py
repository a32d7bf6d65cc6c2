"""How long a supplier wants to be left alone: by `Retry-After`, or by fields that say how many calls are left, when none are.

Of the latter are read `RateLimit: "name";r=0;t=30` (IETF draft-ietf-httpapi-ratelimit-headers), and any pair of fields
`…-Remaining` and `…-Reset`: `X-RateLimit-…`, the draft's older `RateLimit-…`, Expedia Rapid's `Rate-Limit-Minute-…` (a
percentage, and epoch milliseconds). A reset is seconds from now, or a time since 1970 in seconds or milliseconds: told apart
by size.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.utils import parsedate_to_datetime

EPOCH_S, EPOCH_MS = 1e9, 1e11
"""Resets above these are times, not durations: a duration of 30 years is none."""

_DRAFT = re.compile(rb"(?:^|;)\s*(r|t)=(\d{1,12})")


def retry_after_s(said: bytes, now: float) -> float | None:
    """Seconds that a `Retry-After` asks for: it is seconds, or a date (RFC 9110, 10.2.3); `None` for what is neither."""
    said = said.strip()
    if said.isdigit():
        return float(said)
    try:
        return parsedate_to_datetime(said.decode("latin-1")).timestamp() - now
    except (TypeError, ValueError):
        return None


def wait_s(headers: Sequence[tuple[bytes, bytes]], now: float) -> float | None:
    """Seconds until calls are allowed again, when these fields say that none are left; `now` is Unix time in seconds."""
    longest = None
    for name, value in headers:
        tail = name[-9:].lower()
        if tail == b"remaining":
            wait = _pair(headers, name, value, now)
        elif tail == b"ratelimit":
            wait = _draft(value)
        else:
            continue
        if wait is not None and (longest is None or wait > longest):
            longest = wait
    return longest


def _pair(headers: Sequence[tuple[bytes, bytes]], name: bytes, value: bytes, now: float) -> float | None:
    remaining = _number(value)
    if remaining is None or remaining > 0:
        return None
    reset_name = name[:-9].lower() + b"reset"
    for other, text in headers:
        if other.lower() == reset_name:
            reset = _number(text)
            if reset is None:
                return None
            if reset > EPOCH_MS:
                reset = reset / 1000 - now
            elif reset > EPOCH_S:
                reset -= now
            return max(0.0, reset)
    return None


def _draft(value: bytes) -> float | None:
    found = dict(_DRAFT.findall(value))
    return float(found[b"t"]) if found.get(b"r") == b"0" and b"t" in found else None


def _number(text: bytes) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < 1e16 else None
