"""Fingerprints as people read and type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core.errors import AddressError
from messenger.core.ids import (
    FINGERPRINT_SIZE,
    Fingerprint,
    format_fingerprint,
    parse_fingerprint,
    short_fingerprint,
)

fingerprints = st.binary(min_size=FINGERPRINT_SIZE, max_size=FINGERPRINT_SIZE).map(Fingerprint)


@given(fingerprints)
def test_what_is_written_can_be_read(fingerprint: Fingerprint) -> None:
    text = format_fingerprint(fingerprint)
    assert parse_fingerprint(text) == fingerprint
    assert parse_fingerprint(text.upper()) == fingerprint
    assert parse_fingerprint(text.replace(" ", "-")) == fingerprint
    assert parse_fingerprint("\n".join(text.split())) == fingerprint


@given(fingerprints)
def test_shape(fingerprint: Fingerprint) -> None:
    groups = format_fingerprint(fingerprint).split(" ")
    assert len(groups) == 14
    assert {len(group) for group in groups} == {4}
    assert short_fingerprint(fingerprint) == " ".join(groups[:2])


def test_a_fixed_one() -> None:
    assert format_fingerprint(Fingerprint(bytes(32))).replace(" ", "")[:52] == "a" * 52


@given(fingerprints, st.integers(0, 55), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_one_wrong_letter_is_noticed(fingerprint: Fingerprint, place: int, letter: str) -> None:
    text = format_fingerprint(fingerprint).replace(" ", "")
    wrong = text[:place] + letter + text[place + 1 :]
    try:
        read = parse_fingerprint(wrong)
    except AddressError:
        assert wrong != text
    else:  # one in a million: the letter and the checksum fit together
        assert (read == fingerprint) == (wrong == text)


@pytest.mark.parametrize("text", ["", "a" * 55, "a" * 57, "1" * 56, "ä" * 56, "a" * 55 + "!", "a" * 56])
def test_no_fingerprint(text: str) -> None:
    with pytest.raises(AddressError):
        parse_fingerprint(text)


def test_the_four_spare_bits_are_zero() -> None:
    """52 letters hold 260 bits: a second spelling of the same 256 must not be accepted."""
    text = format_fingerprint(Fingerprint(bytes(32))).replace(" ", "")
    with pytest.raises(AddressError):
        parse_fingerprint(text[:51] + "b" + text[52:])


@given(st.text(max_size=80))
def test_anything_typed_gives_a_fingerprint_or_an_address_error(text: str) -> None:
    try:
        fingerprint = parse_fingerprint(text)
    except AddressError:
        return
    assert len(fingerprint) == FINGERPRINT_SIZE
