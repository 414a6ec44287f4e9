"""A stream of sealed pieces."""

import io
import os

import pytest
from Crypto.Cipher import AES
from hypothesis import given, settings
from hypothesis import strategies as st

from messenger.core.errors import InputError, InputProblem
from messenger.crypto import archive
from messenger.crypto.hkdf import expand


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "PIECE", 10)
    monkeypatch.setattr(archive, "PART_PIECES", 3)


def sealed(secret: bytes, plain: bytes) -> bytes:
    sink, told = io.BytesIO(), list[int]()
    archive.seal(secret, io.BytesIO(plain), sink, told.append)
    assert told == sorted(told)
    assert told[-1] == len(plain)
    return sink.getvalue()


def opened(secret: bytes, data: bytes) -> bytes:
    sink, told = io.BytesIO(), list[int]()
    archive.unseal(secret, io.BytesIO(data), sink, told.append)
    assert told[-1] == len(sink.getvalue())
    return sink.getvalue()


@pytest.mark.parametrize(
    "size", [0, 1, archive.PIECE - 1, archive.PIECE, archive.PIECE + 1, 3 * archive.PIECE]
)
def test_every_length_comes_back(size: int) -> None:
    secret, plain = os.urandom(32), os.urandom(size)
    data = sealed(secret, plain)
    assert len(data) == size + 16 * (size // archive.PIECE + 1)
    assert opened(secret, data) == plain


@pytest.mark.usefixtures("small")
def test_the_stream_to_the_byte() -> None:
    secret, plain = os.urandom(32), bytes(range(75))
    expected = b""
    for number in range(8):
        part = expand(secret, "export part", (number // 3).to_bytes(8, "big"), 44)
        nonce = (int.from_bytes(part[32:], "big") ^ number % 3).to_bytes(12, "big")
        piece, last = plain[number * 10 : number * 10 + 10], b"\x01" if number == 7 else b"\x00"
        expected += _by_the_other_library(part[:32], nonce, piece, last)
    assert sealed(secret, plain) == expected


def _by_the_other_library(key: bytes, nonce: bytes, piece: bytes, last: bytes) -> bytes:
    cipher = AES.new(key, AES.MODE_GCM, nonce=nonce)
    cipher.update(last)
    text, tag = cipher.encrypt_and_digest(piece)
    return text + tag


@settings(max_examples=40, deadline=None)
@given(data=st.data(), size=st.integers(0, 95))
def test_any_change_is_noticed(data: st.DataObject, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archive, "PIECE", 10)
        patch.setattr(archive, "PART_PIECES", 3)
        secret = os.urandom(32)
        whole = sealed(secret, os.urandom(size))
        pieces = [whole[start : start + 26] for start in range(0, len(whole), 26)]
        place = data.draw(st.integers(0, len(whole) - 1))
        changed = [
            whole[:place] + bytes((whole[place] ^ 1,)) + whole[place + 1 :],
            whole[:place],
            whole + b"x",
            b"".join(pieces[:-1]),
            b"".join(pieces + pieces[-1:]),
            b"".join(pieces[1:]),
        ]
        if len(pieces) > 2:
            changed += [b"".join((pieces[1], pieces[0], *pieces[2:])), b"".join(pieces[:1] + pieces)]
        for broken in changed:
            with pytest.raises(InputError) as caught:
                opened(secret, broken)
            assert caught.value.problem is InputProblem.NOT_EXPORT
        with pytest.raises(InputError):
            opened(os.urandom(32), whole)


def test_nothing_of_a_changed_piece_is_written() -> None:
    secret = os.urandom(32)
    data = bytearray(sealed(secret, bytes(archive.PIECE) + b"second"))
    data[-1] ^= 1
    sink = io.BytesIO()
    with pytest.raises(InputError):
        archive.unseal(secret, io.BytesIO(data), sink, lambda _: None)
    assert sink.getvalue() == bytes(archive.PIECE)
