"""Keeps an account's key, secret and tokens out of messages: a supplier may send back in its answer what it was sent.

What is wrong with an answer is told with a part of it (an id, a currency, a host), and that goes to logs and to callers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
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
        self._texts = frozenset(form for text in texts for form in _forms(text))
        self._tokens: deque[frozenset[str]] = deque(maxlen=TOKENS_KEPT)

    def granted(self, token: str) -> None:
        """A token is confidential too, as long as it is one of the last ones."""
        if len(token) >= SHORTEST:
            self._tokens.append(_forms(token))

    def blot(self, text: str) -> str:
        """`text` without any of them, whole or cut, in either case, percent-encoded or not, and as `repr` writes them."""
        folded, shown, done = _folded(text), "", 0
        places = (place for form in self._texts.union(*self._tokens) for place in _places(folded, form))
        for start, end in sorted(places):
            if start > done or not shown:
                shown += text[done:start] + BLOT
            done = max(done, end)
        return shown + text[done:]

    def blot_error(self, error: BaseException) -> None:
        """The same for what an error says."""
        error.args = tuple(self.blot(part) if isinstance(part, str) else part for part in error.args)


def _forms(text: str) -> frozenset[str]:
    """How messages may spell it, folded; none where it is too short. Some letters are more than one in the other case; header
    fields are read as Latin-1; `repr` escapes apostrophes only where there is a quotation mark too."""
    if len(text) < SHORTEST:
        return frozenset()
    spellings = {text, text.lower(), text.upper(), text.encode(errors="replace").decode("latin-1")}
    forms = {form for each in spellings for form in (each, repr(each)[1:-1], repr(f'{each}"')[1:-2])}
    return frozenset(_folded(form) for form in (*forms, quote_plus(text, errors="replace")))


def _places(folded: str, form: str) -> Iterator[tuple[int, int]]:
    """Where `folded` holds the telling beginning of `form`, from there to the end of what goes on like it."""
    place = folded.find(form[:TELLING])
    while place >= 0:
        length = len(form[:TELLING])
        while length < len(form) and folded.startswith(form[length], place + length):
            length += 1
        yield place, place + length
        place = folded.find(form[:TELLING], place + 1)


def _folded(text: str) -> str:
    """For comparing in either case; character by character, so that a place in it is the same place in `text`."""
    if text.isascii():
        return text.lower()
    return "".join(folded if len(folded := letter.upper().lower()) == 1 else letter for letter in text)
