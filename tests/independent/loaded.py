"""The program with loaded dice: it draws what a test vector says, so that every byte must be the same.

Its own code stays as it is. What the foreign libraries draw inside is given to them where they are
called: ML-KEM and X25519 ephemerals (`cryptography`), the seed of OAEP (`pycryptodome`).
"""

import functools
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from Crypto.PublicKey import MLKEM
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from messenger.crypto.rsa import Label
from messenger.protocol.handshake import (
    Established,
    Handshake,
    HandshakeEvent,
    PuzzleNeeded,
    SignNeeded,
    UnwrapNeeded,
)
from messenger.protocol.puzzle import solve
from tests.helpers.keys import PATH, Identity


class Drawer:
    """Stands for `os.urandom`: gives what it was filled with, in order."""

    def __init__(self, values: Iterable[bytes]) -> None:
        self._values = list(values)

    def __call__(self, size: int) -> bytes:
        value = self._values.pop(0)
        assert len(value) == size
        return value


@contextmanager
def loaded(coins: Iterable[bytes] = (), seeds: Iterable[bytes] = ()) -> Iterator[None]:
    """Load the libraries' dice.

    Args:
        coins: 64 bytes for each encapsulation.
        seeds: 32 bytes for each OAEP encryption.
    """
    lattice, curve, oaep = Drawer(c[:32] for c in coins), Drawer(c[32:] for c in coins), Drawer(seeds)

    class Kem:
        @staticmethod
        def from_public_bytes(raw: bytes) -> SimpleNamespace:
            key = MLKEM.construct(param_set=MLKEM.ML_KEM_768, ek=raw)
            return SimpleNamespace(encapsulate=lambda: key._encaps(lattice(32)))

    class Curve:
        from_private_bytes = staticmethod(X25519PrivateKey.from_private_bytes)

        @staticmethod
        def generate() -> X25519PrivateKey:
            return X25519PrivateKey.from_private_bytes(curve(32))

    with pytest.MonkeyPatch.context() as patch:
        if coins:
            asymmetric = "cryptography.hazmat.primitives.asymmetric"  # where the program looks each time
            patch.setattr(f"{asymmetric}.mlkem.MLKEM768PublicKey", Kem)
            patch.setattr(f"{asymmetric}.x25519.X25519PrivateKey", Curve)
        if seeds:
            patch.setattr("Crypto.Cipher.oaep.Random", SimpleNamespace(get_random_bytes=oaep))
        yield


class Party:
    """One role of the program's handshake, which answers its questions and notes them.

    Args:
        handshake: Fresh.
        keys: What it unwraps with.
        signature: What it says when it is asked to sign, if it holds for what is asked; a new
            signature if this is empty.
    """

    def __init__(self, handshake: Handshake, keys: Identity | None, signature: bytes) -> None:
        self.handshake = handshake
        self.asked: list[HandshakeEvent] = []
        self.established: Established | None = None
        self._keys, self.signature = keys, signature

    def receive(self, data: bytes) -> None:
        """Take bytes and answer what is asked."""
        self.handshake.receive_data(data)
        while events := self.handshake.events():
            for event in events:
                self.asked.append(event)
                self._answer(event)

    def _answer(self, event: HandshakeEvent) -> None:
        match event:
            case Established():
                self.established = event
            case PuzzleNeeded(material, bits):
                self.handshake.solved(solve(material, bits))
            case SignNeeded(label, fields):
                self._sign(label, fields)
            case UnwrapNeeded(label, ciphertext):
                assert self._keys is not None
                self.handshake.unwrapped(self._keys.exchange.unwrap(label, ciphertext))
            case _:
                self.handshake.accept()

    def _sign(self, label: Label, fields: tuple[bytes, ...]) -> None:
        assert self._keys is not None
        signature = self.signature or self._keys.signing.sign(label, fields)
        self._keys.signing.public.verify(label, fields, signature)
        self.handshake.signed(signature)

    def sent(self) -> bytes:
        """What it wants to send now."""
        return self.handshake.data_to_send()


def binary(value: Any) -> bytes:  # noqa: ANN401 -- from JSON
    """A hexadecimal value."""
    return bytes.fromhex(value)


@functools.cache
def vectors(name: str) -> Any:  # noqa: ANN401 -- from JSON
    """One file of vectors."""
    return json.loads((PATH.parent / f"{name}.json").read_text("utf-8"))
