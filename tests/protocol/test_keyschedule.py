"""The key schedule, against HMAC and SHA-256 of the standard library and the text of SPEC.md 4.2 and 4.3."""

import hashlib
import hmac
import os
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core.ids import Fingerprint
from messenger.protocol import keyschedule as keys
from tests.protocol.strategies import exactly, plainly

SECRETS = exactly(32)


def hash_of(*fields: bytes) -> bytes:
    return hashlib.sha256(b"".join(len(field).to_bytes(4, "big") + field for field in fields)).digest()


def extract(salt: bytes, material: bytes) -> bytes:
    return hmac.digest(salt, material, "sha256")


def expand(secret: bytes, label: str, context: bytes = b"", size: int = 32) -> bytes:
    info = b"sotto/1 " + label.encode() + b"\0" + len(context).to_bytes(4, "big") + context
    return hmac.digest(secret, info + size.to_bytes(2, "big") + b"\x01", "sha256")[:size]


@plainly
@given(SECRETS, st.binary(max_size=100))
def test_proofs_of_knowing_each_other(secret: bytes, text: bytes) -> None:
    assert keys.mac1(Fingerprint(secret), text) == extract(expand(secret, "mac1"), text)[:16]
    assert keys.knock_tag(secret, text) == extract(secret, text)[:16]
    assert keys.invite_proof(secret[:16], text) == extract(secret[:16], text)


@pytest.mark.parametrize("size", [0, 15, 17, 32])
def test_an_invite_secret_has_16_bytes(size: int) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        keys.invite_proof(bytes(size), bytes(32))


@plainly
@given(st.binary(max_size=50), st.binary(max_size=50), SECRETS)
def test_transcript(m1: bytes, header: bytes, earlier: bytes) -> None:
    assert keys.after_hello(m1, header) == hash_of(b"LINK", m1, header)
    assert keys.retried(m1, header) == hash_of(m1, header)
    assert keys.after_hello(m1, header, earlier) == hash_of(b"LINK", earlier, m1, header)
    assert keys.after(earlier, m1) == hash_of(earlier, m1)


@plainly
@given(SECRETS, SECRETS, SECRETS)
def test_secrets(secret: bytes, wrapped: bytes, transcript: bytes) -> None:
    assert keys.first_secret(transcript, secret) == extract(transcript, secret)
    master = extract(expand(secret, "derived"), wrapped + transcript)
    assert keys.next_secret(secret, wrapped, transcript) == master
    for role in "IR":
        mac = extract(expand(master, f"fin {role}"), transcript)
        assert keys.finished(master, role, transcript) == mac
    link = keys.link_secrets(master, transcript)
    assert link.from_initiator == expand(master, "ap I")
    assert link.from_responder == expand(master, "ap R")
    assert link.rekey == expand(master, "rekey")
    assert link.exporter == expand(master, "exporter", transcript)
    assert keys.record_key(secret) == (expand(secret, "key"), expand(secret, "iv", b"", 12))
    assert keys.export(secret, "knock", wrapped) == expand(secret, "exp knock", wrapped)


def test_no_two_secrets_of_a_link_are_the_same() -> None:
    master, transcript = os.urandom(32), os.urandom(32)
    link = keys.link_secrets(master, transcript)
    everything = [
        master,
        *(getattr(link, name) for name in link.__struct_fields__),
        *(keys.record_key(secret)[0] for secret in (link.from_initiator, link.from_responder)),
        *(keys.export(link.exporter, label, b"") for label in ("knock", "continue", "lane")),
        *(keys.finished(master, role, transcript) for role in "IR"),
    ]
    assert all(one != other for one, other in combinations(everything, 2))


def test_secrets_are_not_shown() -> None:
    link = keys.link_secrets(os.urandom(32), os.urandom(32))
    assert repr(link) == str(link) == "LinkSecrets()"
