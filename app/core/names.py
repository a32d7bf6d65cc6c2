"""Hotels' names compared: the words that tell hotels apart, those that forbid a merge, and the chain's brand."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

_GENERIC = frozenset(
    {
        "a", "and", "apartments", "at", "by", "de", "del", "der", "des", "di", "du", "el", "hostel", "hotel", "hoteles",
        "hotels", "inn", "la", "le", "les", "of", "resort", "suites", "the", "und", "y",
    }
)  # fmt: skip
_SPELLINGS = {
    "apts": "apartments", "bw": "western", "ctr": "center", "centre": "center", "centrum": "center", "dwtn": "downtown",
    "gd": "grand", "htl": "hotel", "intl": "international", "mt": "mount", "rés": "residence", "res": "residence",
    "st": "saint", "ste": "saint", "sq": "square", "stn": "station",
}  # fmt: skip
_SISTERS = frozenset(
    {
        "airport", "annex", "annexe", "budget", "courtyard", "dependance", "east", "est", "express", "i", "ii", "iii", "iv",
        "junior", "nord", "north", "ost", "ouest", "plus", "premium", "residence", "residences", "select", "south", "styles",
        "sud", "tower", "v", "west",
    }
)  # fmt: skip
"""Words that name a sister of a hotel (a chain's other brand, the second house, the other side of town)."""

_COMMON = frozenset(
    {
        "bed", "boutique", "breakfast", "central", "center", "city", "club", "court", "downtown", "garden", "grand", "guest",
        "house", "international", "lodge", "new", "palace", "park", "place", "plaza", "royal", "square", "station", "villa",
    }
)  # fmt: skip
"""Words of so many hotels' names that one of them alone proves nothing."""

_FAMILIES = frozenset({"accor", "choice", "hilton", "hyatt", "ihg", "marriott", "radisson", "wyndham"})
"""Owners of brands: their name tells one of their hotels only where no brand of theirs stands beside it."""

_BRANDS = frozenset(
    {
        *_FAMILIES, "aloft", "andaz", "ac", "baymont", "cambria", "candlewood", "canopy by hilton", "citizenm", "clarion",
        "comfort inn", "comfort suites", "conrad", "courtyard", "crowne plaza", "days inn", "doubletree", "econo lodge",
        "element", "embassy suites", "even", "fairfield", "four points", "four seasons", "grand hyatt", "hampton",
        "hilton garden", "holiday inn", "holiday inn express", "home2", "homewood", "howard johnson", "hyatt centric",
        "hyatt house", "hyatt place", "hyatt regency", "ibis", "ibis budget", "ibis styles", "indigo", "intercontinental",
        "jw marriott", "kimpton", "la quinta", "le meridien", "mandarin oriental", "melia", "mercure", "motel 6", "motel one",
        "moxy", "nh", "nh collection", "novotel", "park hyatt", "park inn", "park plaza", "premier inn", "pullman", "quality",
        "radisson blu", "radisson red", "ramada", "red roof", "renaissance", "residence inn", "ritz carlton", "scandic",
        "sheraton", "sleep inn", "sofitel", "springhill", "staybridge", "super 8", "towneplace", "travelodge", "tryp",
        "voco", "w", "waldorf astoria", "westin", "western", "western plus", "western premier", "wyndham garden",
        "wyndham grand",
    }
)  # fmt: skip
"""Chains' brands as they stand in hotels' names, normalised. Two brands never share a hotel's name."""

_PHRASE_WORDS = max(len(brand.split()) for brand in _BRANDS)


class Name(NamedTuple):
    """A normalised name: the words that tell hotels apart, those among them that veto (numbers, sisters' words), and the
    brand if it names one."""

    words: frozenset[str]
    vetoes: frozenset[str]
    brand: str | None


@lru_cache(maxsize=50_000)
def normalise(name: str) -> Name:
    """`"Hôtel Le St-Régis 2"` -> words {saint, regis, 2}: no accents, case, punctuation or generic words."""
    words = [_SPELLINGS.get(word, word) for word in plain_words(name.replace("&", " and "))]
    telling = frozenset(word for word in words if word not in _GENERIC) or frozenset(words)
    vetoes = frozenset(word for word in telling if word in _SISTERS or any(map(str.isdigit, word)))
    return Name(telling, vetoes, _brand(words))


def plain_words(text: str) -> list[str]:
    """The words of a text without accents, case and punctuation; apostrophes join."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c)).replace("'", "").replace("’", "")
    return re.findall(r"[^\W_]+", plain)


def _brand(words: list[str]) -> str | None:
    """The longest brand among the words; an owner's name only where it stands alone (not `Courtyard by Marriott`)."""
    found = [
        phrase
        for size in range(_PHRASE_WORDS, 0, -1)
        for start in range(len(words) - size + 1)
        if (phrase := " ".join(words[start : start + size])) in _BRANDS and (start == 0 or words[start - 1] != "by")
    ]
    return next((phrase for phrase in found if phrase not in _FAMILIES), found[0] if found else None)


@lru_cache(maxsize=50_000)
def name_similarity(a: Name, b: Name, *, corroborated: bool = False, identified: bool = False) -> float:
    """How alike two names are, 0 to 1: words shared over words in all; 0 when a word that vetoes is in one only, or when
    they name two brands.

    One name may carry a chain or a district more than the other: containment counts too, when two words agree. Where
    something else says that it is one hotel (`corroborated`: the same spot), one word that is no common one is enough;
    where it is all but proven (`identified`: the same address or phone), a misspelt word is the same word too.
    """
    if a.vetoes != b.vetoes or (a.brand and b.brand and a.brand != b.brand):
        return 0.0
    common = a.words & b.words
    shared = len(common)
    union = len(a.words | b.words)
    enough = shared >= 2 or union == 1
    if identified:
        misspelt = sum(any(_misspelt(word, other) for other in b.words - a.words) for word in a.words - b.words)
        shared, union = shared + misspelt, union - misspelt
        enough = enough or misspelt > 0
    if corroborated or identified:
        enough = enough or not common <= _COMMON
    if not shared:
        return 0.0
    containment = shared / min(len(a.words), len(b.words)) if enough else 0.0
    return max(shared / union, 0.9 * containment)


def _misspelt(one: str, two: str) -> bool:
    """Whether two long words differ by one letter more, less, other, or by two neighbours changed round."""
    if len(one) > len(two):
        one, two = two, one
    if len(one) < 6 or len(two) - len(one) > 1 or one[0] != two[0]:
        return False
    at = next((n for n, (x, y) in enumerate(zip(one, two, strict=False)) if x != y), len(one))
    if len(one) < len(two):
        return one[at:] == two[at + 1 :]
    return one[at + 1 :] == two[at + 1 :] or (one[at : at + 2] == two[at : at + 2][::-1] and one[at + 2 :] == two[at + 2 :])
