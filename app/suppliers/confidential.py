"""Keeps an account's key, secret and tokens out of messages: a supplier may send back in its answer what it was sent.

What is wrong with an answer is told with a part of it (an id, a currency, a host), and that goes to logs and to callers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from urllib.parse import quote_plus

SHORTEST = 6
"""Less than this is no secret, and would blot out ordinary words."""

TELLING = 8
"""So many characters of its beginning give a confidential text away: a message may hold it cut."""

TOKENS_KEPT = 2
BLOT = "***"


class Confidential:
    """The texts of one account that no message may hold. `repr` shows none of them."""

    __slots__ = ("_texts", "_tokens")

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = tuple(text for text in texts if len(text) >= SHORTEST)
        self._tokens: deque[str] = deque(maxlen=TOKENS_KEPT)

    def granted(self, token: str) -> None:
        """A token is confidential too, as long as it is one of the last ones."""
        if len(token) >= SHORTEST:
            self._tokens.append(token)

    def blot(self, text: str) -> str:
        """`text` without any of them, whole or cut, in either case, percent-encoded or not."""
        for confidential in (*self._texts, *self._tokens):
            for form in {confidential, quote_plus(confidential)}:
                text = _blot(text, form)
        return text

    def blot_error(self, error: BaseException) -> None:
        """The same for what an error says."""
        error.args = tuple(self.blot(part) if isinstance(part, str) else part for part in error.args)


def _blot(text: str, confidential: str) -> str:
    wanted = confidential.lower()
    place = text.lower().find(wanted[:TELLING])
    while place >= 0:
        end = place
        while end < len(text) and end - place < len(wanted) and text[end].lower() == wanted[end - place]:
            end += 1
        text = text[:place] + BLOT + text[max(end, place + 1) :]
        place = text.lower().find(wanted[:TELLING], place + len(BLOT))
    return text
