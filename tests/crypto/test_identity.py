"""Bundles, certificates and safety numbers."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import limits
from messenger.core.errors import CryptoError
from messenger.core.ids import Fingerprint
from messenger.crypto.hkdf import vec
from messenger.crypto.identity import Bundle, KexCert, safety_number
from messenger.crypto.rsa import Label
from tests.helpers.keys import identity

NOW = 1_800_000_000
ALICE, BOB, DORA = identity("alice"), identity("bob"), identity("dora")


def parts(bundle: Bundle) -> tuple[bytes, bytes, bytes]:
    """Modulus, body and signature as they go into the wire form."""
    body = KexCert(bundle.not_before, bundle.not_after, bundle.exchange).encode()
    return bundle.signing.modulus, body, bundle.signature


def wire(modulus: bytes, body: bytes, signature: bytes) -> bytes:
    return vec(modulus) + vec(body) + vec(signature)


@pytest.mark.parametrize(("who", "size"), [("alice", 1176), ("dora", 1560)])
def test_a_bundle_survives_the_wire(who: str, size: int) -> None:
    bundle = identity(who).bundle(NOW)
    data = bundle.encode()
    assert len(data) == size
    assert data == wire(*parts(bundle))
    again = Bundle.decode(data)
    assert again == bundle
    again.verify(NOW)
    assert again.fingerprint == identity(who).fingerprint == hashlib.sha256(bundle.signing.spki).digest()
    assert again.not_after - again.not_before == limits.KEXCERT_LIFETIME


def test_the_body_to_the_byte() -> None:
    _, body, _ = parts(ALICE.bundle(NOW))
    assert body[:16] == NOW.to_bytes(8, "big") + (NOW + 90 * 24 * 3600).to_bytes(8, "big")
    assert body[16:18] == b"\x01\x80"
    assert body[18:] == ALICE.exchange.public.modulus


def test_the_signature_covers_fingerprint_and_body() -> None:
    modulus, body, signature = parts(ALICE.bundle(NOW))
    ALICE.signing.public.verify(Label.KEXCERT, (ALICE.fingerprint, body), signature)
    other = ALICE.signing.sign(Label.KEXCERT, (BOB.fingerprint, body))
    with pytest.raises(CryptoError):
        Bundle.decode(wire(modulus, body, other)).verify(NOW)


def test_every_truncation_and_extension_is_refused() -> None:
    data = ALICE.bundle(NOW).encode()
    for size in (*range(0, len(data), 13), len(data) - 1):
        with pytest.raises(CryptoError):
            Bundle.decode(data[:size])
    with pytest.raises(CryptoError):
        Bundle.decode(data + b"\x00")


def test_every_changed_byte_is_refused() -> None:
    data = ALICE.bundle(NOW).encode()

    def read(changed: bytes) -> None:
        Bundle.decode(changed).verify(NOW)

    for position in (*range(450), *range(450, len(data), 11)):
        with pytest.raises(CryptoError):
            read(data[:position] + bytes([data[position] ^ 0x40]) + data[position + 1 :])


def refused_bundles() -> dict[str, bytes]:
    modulus, body, signature = parts(ALICE.bundle(NOW))
    times, exchange = body[:16], ALICE.exchange.public
    long = NOW.to_bytes(8, "big") + (NOW + limits.KEXCERT_LIFETIME + 1).to_bytes(8, "big")
    return {
        "no certificate": vec(modulus) + vec(b"") + vec(signature),
        "no exchange key": wire(modulus, times, signature),
        "empty exchange key": wire(modulus, times + vec(b""), signature),
        "trailing bytes in the body": wire(modulus, body + b"\x00", signature),
        "exchange key cut": wire(modulus, body[:-1], signature),
        "exchange key is the signing key": wire(modulus, times + vec(modulus), signature),
        "even exchange key": wire(modulus, body[:-1] + b"\x00", signature),
        "even signing key": wire(modulus[:-1] + b"\x00", body, signature),
        "2048-bit signing key": wire(modulus[:256], body, signature[:256]),
        "2048-bit exchange key": wire(modulus, times + vec(exchange.modulus[:255] + b"\x01"), signature),
        "8192-bit signing key": wire(modulus * 2 + modulus[:256], body, signature * 2 + signature[:256]),
        "signature too short": wire(modulus, body, signature[:-1]),
        "signature too long": wire(modulus, body, signature + b"\x00"),
        "zero-padded modulus": wire(b"\x00" + modulus, body, signature),
        "91 days": wire(modulus, long + vec(exchange.modulus), signature),
        "no time at all": wire(modulus, times[:8] * 2 + vec(exchange.modulus), signature),
        "ends before it begins": wire(modulus, times[8:] + times[:8] + vec(exchange.modulus), signature),
        "DER instead of a modulus": wire(ALICE.signing.public.spki, body, signature),
    }


@pytest.mark.parametrize("what", refused_bundles())
def test_malformed_bundles_are_refused_before_any_signature(what: str) -> None:
    with pytest.raises(CryptoError):
        Bundle.decode(refused_bundles()[what])


def test_a_certificate_by_somebody_else_is_refused() -> None:
    _, body, _ = parts(ALICE.bundle(NOW))
    forged = BOB.signing.sign(Label.KEXCERT, (ALICE.fingerprint, body))
    with pytest.raises(CryptoError):
        replace(ALICE.bundle(NOW), signature=forged).verify(NOW)


@pytest.mark.parametrize("label", [label for label in Label if label is not Label.KEXCERT])
def test_a_signature_for_another_purpose_is_no_certificate(label: Label) -> None:
    _, body, _ = parts(ALICE.bundle(NOW))
    with pytest.raises(CryptoError):
        replace(ALICE.bundle(NOW), signature=ALICE.signing.sign(label, (ALICE.fingerprint, body))).verify(NOW)


@pytest.mark.parametrize(
    ("now", "valid"),
    [
        (NOW - limits.CLOCK_SKEW - 1, False),
        (NOW - limits.CLOCK_SKEW, True),
        (NOW + limits.KEXCERT_LIFETIME + limits.CLOCK_SKEW, True),
        (NOW + limits.KEXCERT_LIFETIME + limits.CLOCK_SKEW + 1, False),
    ],
)
def test_validity(now: int, valid: bool) -> None:
    bundle = ALICE.bundle(NOW)
    if valid:
        bundle.verify(now)
    else:
        with pytest.raises(CryptoError, match=r"valid yet|expired"):
            bundle.verify(now)


def test_nobody_certifies_their_signing_key_or_an_impossible_time() -> None:
    with pytest.raises(CryptoError):
        Bundle.issue(ALICE.signing, ALICE.signing.public, NOW)
    for not_before in (-1, 2**64 - 1):
        with pytest.raises(CryptoError):
            Bundle.issue(ALICE.signing, ALICE.exchange.public, not_before)


def test_a_bundle_of_mixed_sizes() -> None:
    bundle = Bundle.issue(DORA.signing, ALICE.exchange.public, NOW)
    Bundle.decode(bundle.encode()).verify(NOW)


@given(st.binary(max_size=1700))
def test_garbage_gives_one_kind_of_error(data: bytes) -> None:
    with pytest.raises(CryptoError):
        Bundle.decode(data)


def digits(fingerprint: bytes) -> str:
    """The docstring of `safety_number` once more, in other words."""
    h = (1).to_bytes(2, "big") + fingerprint
    for _ in range(5200):
        h = hashlib.sha512(h + fingerprint).digest()
    return "".join(str(int.from_bytes(h[at : at + 5], "big") % 100_000).zfill(5) for at in range(0, 30, 5))


def test_safety_numbers() -> None:
    number = safety_number(ALICE.fingerprint, BOB.fingerprint)
    assert number == safety_number(BOB.fingerprint, ALICE.fingerprint)
    assert len(number) == 60
    assert number.isdigit()
    assert number == "".join(sorted([digits(ALICE.fingerprint), digits(BOB.fingerprint)]))
    assert number != safety_number(ALICE.fingerprint, DORA.fingerprint)


def test_a_fixed_safety_number() -> None:
    number = safety_number(Fingerprint(bytes(32)), Fingerprint(b"\xff" * 32))
    assert number == "070367343405989536890266283348638918950020523903985129938320"
