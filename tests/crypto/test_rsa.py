"""RSA keys: strict import, closed labels, implicit rejection."""

import hashlib
import itertools
import math
import pickle

import pytest
from Crypto.PublicKey import RSA
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import limits
from messenger.core.errors import CryptoError
from messenger.crypto import rsa
from messenger.crypto.hkdf import lp
from messenger.crypto.rsa import Label, PrivateKey, PublicKey, oaep_label, to_be_signed
from tests.helpers.keys import SIZES, identity

ALICE, BOB, DORA = identity("alice"), identity("bob"), identity("dora")
HASH = hashlib.sha256(b"transcript").digest()
LABEL = oaep_label("oaep I>R", HASH)


@pytest.mark.parametrize("who", SIZES)
def test_the_encoding_is_the_standard_one(who: str) -> None:
    for key in (identity(who).signing.public, identity(who).exchange.public):
        library = RSA.construct((int.from_bytes(key.modulus, "big"), 65537))
        assert key.spki == library.export_key(format="DER")
        assert key.fingerprint == hashlib.sha256(key.spki).digest()
        assert len(key.modulus) * 8 == SIZES[who]


def multiple(factor: int) -> bytes:
    """An odd 3072-bit multiple of a small prime, with no smaller one in it."""
    for cofactor in itertools.count((3 << 3070) // factor | 1, 2):
        if math.gcd(cofactor, 3 * 5 * 7 * 11 * 13) == 1:
            return (factor * cofactor).to_bytes(384, "big")
    raise AssertionError


def refused_moduli() -> dict[str, bytes]:
    good = ALICE.signing.public.modulus
    n = int.from_bytes(good, "big")
    library = RSA.construct((n, 65537))
    return {
        "empty": b"",
        "512 bits": good[:64],
        "1024 bits": good[:128],
        "2048 bits": good[:256],
        "3064 bits": good[:-1],
        "3071 bits": bytes([good[0] & 0x7F]) + good[1:],
        "3080 bits": b"\xff" + good,
        "8192 bits": good * 2 + good[:256],
        "16384 bits": (good * 6)[:2048],
        "zero-padded": b"\x00" + good,
        "zero-padded to 4096 bits": good.rjust(512, b"\x00"),
        "zero": bytes(384),
        "all ones": b"\xff" * 384,
        "even": good[:-1] + bytes([good[-1] ^ 1]),
        "power of three": (3**1938).to_bytes(384, "big"),
        "square": pow(math.isqrt(n) | 1, 2).to_bytes(384, "big"),
        "multiple of 3": multiple(3),
        "multiple of 9973": multiple(9973),
        "a factor": ALICE.signing.to_bytes()[2:194],
        "SubjectPublicKeyInfo": ALICE.signing.public.spki,
        "PEM": library.export_key(),
        "OpenSSH": library.export_key(format="OpenSSH"),
        "X.509": b"-----BEGIN CERTIFICATE-----".ljust(384, b"A"),
        "private key": ALICE.signing.to_bytes(),
        "private key, PKCS #8": ALICE.signing._key.export_key(format="DER", pkcs=8),
    }


@pytest.mark.parametrize("what", refused_moduli())
def test_strange_keys_are_refused(what: str) -> None:
    with pytest.raises(CryptoError):
        PublicKey.from_modulus(refused_moduli()[what])


def test_the_reason_for_each_refusal_is_the_one_meant() -> None:
    """The numbers above are of the right size and odd where size and oddness are not the point."""
    for what in ("power of three", "square", "multiple of 3", "multiple of 9973"):
        modulus = refused_moduli()[what]
        assert len(modulus) == 384
        assert modulus[0] >= 0x80
        assert modulus[-1] & 1
    assert limits.RSA_SMALL_PRIMES > 9973


def test_small_primes_are_all_there() -> None:
    product = rsa._small_primes()
    primes = [n for n in range(3, limits.RSA_SMALL_PRIMES) if all(n % d for d in range(2, math.isqrt(n) + 1))]
    assert product == math.prod(primes)


@given(st.binary(max_size=520))
def test_garbage_is_no_key(data: bytes) -> None:
    with pytest.raises(CryptoError):
        PublicKey.from_modulus(data)


def test_public_keys_are_values() -> None:
    first, again = (
        ALICE.signing.public,
        PublicKey.from_modulus(bytes(bytearray(ALICE.signing.public.modulus))),
    )
    assert first == again
    assert hash(first) == hash(again)
    assert first != BOB.signing.public
    assert first != first.modulus
    assert len({first, again, BOB.signing.public}) == 2
    with pytest.raises(AttributeError):
        first.modulus = b""  # type: ignore[misc]
    assert repr(first) == f"PublicKey(3072, {first.fingerprint.hex()[:8]})"


def test_the_bytes_that_are_signed() -> None:
    assert to_be_signed(Label.LINK_I, (b"a", b"")) == (
        b" " * 64 + b"sotto/1 link I\x00" + b"\x00\x00\x00\x01a" + b"\x00\x00\x00\x00"
    )
    for label in Label:
        assert to_be_signed(label, [b"x"]) == b" " * 64 + b"sotto/1 " + label.encode() + b"\x00" + lp(b"x")
    assert {label.value for label in Label} == {
        "kexcert",
        "link I",
        "link R",
        "prekeys",
        "seal init",
        "group",
        "succession",
        "directory",
    }


@pytest.fixture(scope="module")
def signatures() -> dict[Label, bytes]:
    return {label: ALICE.signing.sign(label, (b"one", b"two")) for label in Label}


@pytest.mark.parametrize(("signed", "presented"), list(itertools.product(Label, Label)))
def test_a_signature_counts_for_its_own_label_only(
    signatures: dict[Label, bytes], signed: Label, presented: Label
) -> None:
    verify = ALICE.signing.public.verify
    if signed is presented:
        verify(presented, (b"one", b"two"), signatures[signed])
    else:
        with pytest.raises(CryptoError):
            verify(presented, (b"one", b"two"), signatures[signed])


@pytest.mark.parametrize(
    "fields",
    [(), (b"one",), (b"onetwo",), (b"one", b"two", b""), (b"two", b"one"), (b"on", b"etwo")],
    ids=str,
)
def test_a_signature_counts_for_its_own_fields_only(
    signatures: dict[Label, bytes], fields: tuple[bytes, ...]
) -> None:
    with pytest.raises(CryptoError):
        ALICE.signing.public.verify(Label.GROUP, fields, signatures[Label.GROUP])


def test_damaged_and_foreign_signatures(signatures: dict[Label, bytes]) -> None:
    good, fields = signatures[Label.GROUP], (b"one", b"two")
    n = int.from_bytes(ALICE.signing.public.modulus, "big")
    damaged = [
        b"",
        good[:-1],
        good + b"\x00",
        b"\x00" + good,
        bytes(384),
        b"\xff" * 384,
        (n - 1).to_bytes(384, "big"),
        b"\x00" * 383 + b"\x01",
        *(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :] for at in range(0, 384, 7)),
    ]
    if (same := int.from_bytes(good, "big") + n) < 1 << 3072:
        damaged.append(same.to_bytes(384, "big"))
    for signature in damaged:
        with pytest.raises(CryptoError):
            ALICE.signing.public.verify(Label.GROUP, fields, signature)
    with pytest.raises(CryptoError):
        BOB.signing.public.verify(Label.GROUP, fields, good)
    with pytest.raises(CryptoError):
        DORA.signing.public.verify(Label.GROUP, fields, good)


def test_signature_plus_modulus_is_refused() -> None:
    """The same residue in another range, for which a key with a small modulus leaves room."""
    n = int.from_bytes(ALICE.signing.public.modulus, "big")
    for number in itertools.count():
        fields = (number.to_bytes(4, "big"),)
        signature = int.from_bytes(ALICE.signing.sign(Label.GROUP, fields), "big")
        if signature + n < 1 << 3072:
            break
    with pytest.raises(CryptoError):
        ALICE.signing.public.verify(Label.GROUP, fields, (signature + n).to_bytes(384, "big"))


def test_signatures_are_randomised_and_sized() -> None:
    for who, size in ((ALICE, 384), (DORA, 512)):
        first, second = (who.signing.sign(Label.PREKEYS, (b"x",)) for _ in range(2))
        assert first != second
        assert len(first) == len(second) == size


def test_a_faulty_computation_never_leaves() -> None:
    """A key whose private exponent is wrong computes wrong signatures; the check keeps them in."""
    key = ALICE.signing._key
    broken = PrivateKey(RSA.construct((key.n, key.e, key.d + 2, key.p, key.q), consistency_check=False))
    with pytest.raises(CryptoError):
        broken.sign(Label.GROUP, (b"x",))


def test_oaep_labels() -> None:
    assert oaep_label("oaep I>R", HASH) == b"oaep I>R\x00" + HASH
    assert oaep_label("oaep R>I", HASH) == b"oaep R>I\x00" + HASH
    assert oaep_label("oaep seal", HASH) == b"oaep seal\x00" + HASH
    for direction, transcript in (
        ("oaep", HASH),
        ("", HASH),
        ("oaep I>R", HASH[:31]),
        ("oaep I>R", HASH + b"\x00"),
    ):
        with pytest.raises(CryptoError):
            oaep_label(direction, transcript)


@pytest.mark.parametrize("who", ["alice", "dora"])
def test_a_wrapped_secret_opens(who: str) -> None:
    key = identity(who).exchange
    secret = hashlib.sha256(who.encode()).digest()
    first, second = key.public.wrap(LABEL, secret), key.public.wrap(LABEL, secret)
    assert first != second
    assert len(first) == len(key.public.modulus)
    assert key.unwrap(LABEL, first) == key.unwrap(LABEL, second) == secret
    assert key.unwrap(LABEL, key.public.wrap(LABEL, b"short"), 5) == b"short"


def bad_ciphertexts() -> dict[str, tuple[bytes, bytes]]:
    """Label and ciphertext of everything that must look alike."""
    key = ALICE.exchange.public
    good, n = key.wrap(LABEL, b"s" * 32), int.from_bytes(key.modulus, "big")
    return {
        "label of the other direction": (oaep_label("oaep R>I", HASH), good),
        "label of another transcript": (oaep_label("oaep I>R", hashlib.sha256(b"other").digest()), good),
        "flipped bit": (LABEL, good[:-1] + bytes([good[-1] ^ 1])),
        "zero": (LABEL, bytes(384)),
        "one": (LABEL, bytes(383) + b"\x01"),
        "the modulus": (LABEL, key.modulus),
        "above the modulus": (LABEL, b"\xff" * 384),
        "n - 1": (LABEL, (n - 1).to_bytes(384, "big")),
        "too short": (LABEL, good[:-1]),
        "too long": (LABEL, good + b"\x00"),
        "empty": (LABEL, b""),
        "for the signing key": (LABEL, ALICE.signing.public.wrap(LABEL, b"s" * 32)),
        "for somebody else": (LABEL, BOB.exchange.public.wrap(LABEL, b"s" * 32)),
        "31 bytes": (LABEL, key.wrap(LABEL, b"s" * 31)),
        "33 bytes": (LABEL, key.wrap(LABEL, b"s" * 33)),
        "0 bytes": (LABEL, key.wrap(LABEL, b"")),
        "raw RSA of a small number": (LABEL, pow(2, 65537, n).to_bytes(384, "big")),
    }


@pytest.mark.parametrize("what", bad_ciphertexts())
def test_whatever_is_wrong_gives_fresh_random_bytes(what: str) -> None:
    label, ciphertext = bad_ciphertexts()[what]
    first, second = (ALICE.exchange.unwrap(label, ciphertext) for _ in range(2))
    assert len(first) == len(second) == 32
    assert first != second
    assert first not in {b"s" * 32, bytes(32)}


def test_too_much_to_wrap() -> None:
    with pytest.raises(CryptoError):
        ALICE.exchange.public.wrap(LABEL, bytes(384 - 2 * 32 - 1))
    largest = bytes(384 - 2 * 32 - 2)
    assert ALICE.exchange.unwrap(LABEL, ALICE.exchange.public.wrap(LABEL, largest), len(largest)) == largest


@pytest.mark.parametrize("who", ["alice", "dora"])
def test_private_keys_survive_storage(who: str) -> None:
    key = identity(who).signing
    data = key.to_bytes()
    assert len(data) == 4 + len(key.public.modulus)
    again = PrivateKey.from_bytes(data)
    assert again.public == key.public
    assert again.to_bytes() == data
    key.public.verify(Label.GROUP, (b"x",), again.sign(Label.GROUP, (b"x",)))


def refused_private_keys() -> dict[str, bytes]:
    data = ALICE.signing.to_bytes()
    p, q = data[2:194], data[196:]
    length = b"\x00\xc0"
    divides = next(c for c in itertools.count(int.from_bytes(q, "big") | 1, 2) if c % 65537 == 1)
    return {
        "empty": b"",
        "truncated": data[:-1],
        "extended": data + b"\x00",
        "lengths differ": length + p + b"\x00\xbf" + q,
        "2048 bits": b"\x00\x80" + p[:128] + b"\x00\x80" + q[:128],
        "p = q": length + p + length + p,
        "product too small": length + b"\x01" + p[1:] + length + q,
        "even factor": length + p[:-1] + b"\x00" + length + q,
        "65537 divides q - 1": length + p + length + divides.to_bytes(192, "big"),
        "zero factor": length + bytes(192) + length + q,
    }


@pytest.mark.parametrize("what", refused_private_keys())
def test_strange_private_keys_are_refused(what: str) -> None:
    with pytest.raises(CryptoError):
        PrivateKey.from_bytes(refused_private_keys()[what])


@pytest.mark.parametrize("bits", [0, 512, 1024, 2048, 3071, 3073, 3080, 8192])
def test_no_other_sizes_are_made(bits: int) -> None:
    with pytest.raises(CryptoError):
        PrivateKey.generate(bits)


def test_a_new_key() -> None:
    key = PrivateKey.generate(3072)
    assert len(key.public.modulus) == 384
    assert key.public not in {identity(who).signing.public for who in SIZES}
    key.public.verify(Label.GROUP, (b"x",), key.sign(Label.GROUP, (b"x",)))
    p, q = (int.from_bytes(part, "big") for part in (key.to_bytes()[2:194], key.to_bytes()[196:]))
    assert p * q == int.from_bytes(key.public.modulus, "big")
    assert abs(p - q) > 1 << (1536 - 100)


def test_private_keys_show_nothing() -> None:
    key = ALICE.signing
    text = repr(key) + str(key) + f"{key}"
    for secret in (key._key.p, key._key.q, key._key.d):
        assert str(secret) not in text
        assert f"{secret:x}" not in text
    assert len(repr(key)) < 60
    assert not hasattr(key, "__dict__")
    with pytest.raises(TypeError):
        pickle.dumps(key)
