"""What one library makes the other opens; and OpenSSL's own command, where it is installed."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from Crypto.Cipher import AES
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from messenger.crypto import aead
from messenger.crypto.rsa import Label, PrivateKey, PublicKey, oaep_label, to_be_signed
from tests.helpers.keys import identity

PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
LABEL = oaep_label("oaep R>I", hashlib.sha256(b"transcript").digest())
OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), LABEL)
WHO = pytest.mark.parametrize("who", ["bob", "dora"])


def their_public(key: PublicKey) -> RSAPublicKey:
    loaded = serialization.load_der_public_key(key.spki)
    assert isinstance(loaded, RSAPublicKey)
    return loaded


def their_private(key: PrivateKey) -> RSAPrivateKey:
    loaded = serialization.load_der_private_key(key._key.export_key(format="DER", pkcs=8), None)
    assert isinstance(loaded, RSAPrivateKey)
    return loaded


@WHO
def test_signatures_both_ways(who: str) -> None:
    key, fields = identity(who).signing, (b"one", b"two")
    message = to_be_signed(Label.LINK_R, fields)
    their_public(key.public).verify(key.sign(Label.LINK_R, fields), message, PSS, hashes.SHA256())
    key.public.verify(Label.LINK_R, fields, their_private(key).sign(message, PSS, hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        their_public(key.public).verify(key.sign(Label.LINK_I, fields), message, PSS, hashes.SHA256())


@WHO
def test_wrapped_secrets_both_ways(who: str) -> None:
    key, secret = identity(who).exchange, os.urandom(32)
    assert their_private(key).decrypt(key.public.wrap(LABEL, secret), OAEP) == secret
    assert key.unwrap(LABEL, their_public(key.public).encrypt(secret, OAEP)) == secret


def test_records_both_ways() -> None:
    for size in (0, 1, 15, 16, 17, 1000):
        key, nonce, other, text = os.urandom(32), os.urandom(12), os.urandom(12), os.urandom(size)
        sealed = aead.seal_once(key, nonce, text, b"aad")
        cipher = AES.new(key, AES.MODE_GCM, nonce=nonce)
        cipher.update(b"aad")
        assert cipher.decrypt_and_verify(sealed[:-16], sealed[-16:]) == text
        cipher = AES.new(key, AES.MODE_GCM, nonce=other)
        cipher.update(b"aad")
        assert aead.open_once(key, other, b"".join(cipher.encrypt_and_digest(text)), b"aad") == text


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command here")
@WHO
def test_openssl_verifies_our_signatures(who: str, tmp_path: Path) -> None:
    key, fields = identity(who).signing, (b"entry",)
    (tmp_path / "key.der").write_bytes(key.public.spki)
    (tmp_path / "message").write_bytes(to_be_signed(Label.GROUP, fields))
    (tmp_path / "signature").write_bytes(key.sign(Label.GROUP, fields))
    options = ["rsa_padding_mode:pss", "rsa_pss_saltlen:32", "rsa_mgf1_md:sha256"]
    command = [
        "openssl",
        "dgst",
        "-sha256",
        "-keyform",
        "DER",
        "-verify",
        "key.der",
        "-signature",
        "signature",
    ]
    for option in options:
        command += ["-sigopt", option]
    done = subprocess.run([*command, "message"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "Verified OK"), done.stderr
