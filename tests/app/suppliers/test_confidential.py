"""Messages keep their sense and lose what is confidential in them."""

from __future__ import annotations

import pytest

from app.suppliers.confidential import Confidential

KEPT = Confidential(("key-0123456789", "a secret/with+signs", "short"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("offer 17: price 0 EUR", "offer 17: price 0 EUR"),
        ("rate key-0123456789: price", "rate ***: price"),
        ("rate KEY-0123456789x, key-0123456789", "rate ***x, ***"),
        ("priced in key-01234", "priced in ***"),
        ("key-012 is too little to tell", "key-012 is too little to tell"),
        ("form a+secret%2Fwith%2Bsigns", "form ***"),
        ("'a secret/wi", "'***"),
        ("short words stay", "short words stay"),
        ("", ""),
    ],
)
def test_confidential_texts_are_blotted_out_whole_or_cut(text: str, shown: str) -> None:
    assert KEPT.blot(text) == shown


def test_the_last_tokens_are_confidential_and_old_ones_are_forgotten() -> None:
    account = Confidential(())
    for token in ("token-one", "token-two", "token-three"):
        account.granted(token)
    assert account.blot("token-one token-two token-three") == "token-one *** ***"


def test_an_error_loses_them_and_stays_the_same_error() -> None:
    error = ValueError("for key-0123456789", 7)
    KEPT.blot_error(error)
    assert error.args == ("for ***", 7)
