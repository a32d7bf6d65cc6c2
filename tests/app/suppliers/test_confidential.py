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
        ("\u0130key-0123456789", "\u0130***"),
        ("\u0130\u0130\u0130 a secret/wi", "\u0130\u0130\u0130 ***"),
        ("key-0123456789 and a secret/with", "*** and ***"),
        ("key-0123456789key-01234", "***"),
        ("", ""),
    ],
)
def test_confidential_texts_are_blotted_out_whole_or_cut(text: str, shown: str) -> None:
    assert KEPT.blot(text) == shown


@pytest.mark.parametrize(
    "secret", ["o'clock-01234", "clock-01234's tail", "back\\slash-01234", "slash-01234\\tail", "tab-01234\ttail"]
)
@pytest.mark.parametrize("around", ["{}", "it's {}", 'it"s {}', "'\" {}"])
def test_one_that_repr_escapes_is_blotted_out_to_its_end(secret: str, around: str) -> None:
    sent = around.format(secret)
    message = f"content-encoding {sent!r} was not asked for"
    assert Confidential((secret,)).blot(message) == message.replace(repr(sent)[1:-1], repr(around.format("***"))[1:-1])


@pytest.mark.parametrize("secret", ["s\u00e9cret-01234", "secret-01\u00e934", "secret-0123\u4f60\u0130", "\u0130stanbul-0123"])
def test_one_that_is_not_ascii_is_blotted_out_however_it_was_read(secret: str) -> None:
    header = secret.encode().decode("latin-1")
    for said in (secret, secret.lower(), secret.upper(), header, repr(header)[1:-1]):
        assert Confidential((secret,)).blot(f"\u0130: {said}, {said}.") == "\u0130: ***, ***."


def test_the_longer_of_two_that_begin_alike_leaves_nothing() -> None:
    account = Confidential(("same-beginning", "same-beginning-and-more"))
    assert account.blot("same-beginning-and-more, same-beginning") == "***, ***"
    assert Confidential(("abcdefgh", "efghijklmnop")).blot("in abcdefghijklmnop.") == "in ***."


def test_the_last_tokens_are_confidential_and_old_ones_are_forgotten() -> None:
    account = Confidential(())
    for token in ("token-one", "token-two", "token-three"):
        account.granted(token)
    assert account.blot("token-one token-two token-three") == "token-one *** ***"


def test_an_error_loses_them_and_stays_the_same_error() -> None:
    error = ValueError("for key-0123456789", 7)
    KEPT.blot_error(error)
    assert error.args == ("for ***", 7)
