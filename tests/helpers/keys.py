"""Fixed identities for tests, so that no test has to wait for key generation.

The keys lie in ``tests/vectors/sotto/keys.json``, for everybody to read: they protect
nothing and must never be used outside tests. ``python -m tests.helpers.keys`` wrote them.
"""

import functools
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from messenger.core.ids import Fingerprint
from messenger.crypto import keystore
from messenger.crypto.identity import Bundle
from messenger.crypto.keycontent import KeyContent
from messenger.crypto.keystore import Cost, Keys, Protection
from messenger.crypto.rsa import Label, PrivateKey

PATH: Final = Path(__file__).parent.parent / "vectors" / "sotto" / "keys.json"

SIZES: Final = {"alice": 3072, "bob": 3072, "carol": 3072, "mallory": 3072, "dora": 4096}
"""Everybody there is, with the size of their keys in bits."""

CHEAP: Final = Cost(memory_kib=64 * 1024, passes=2, lanes=4)
"""The cheapest Argon2id that a key file may ask for."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody's two keys.

    Attributes:
        name: Key of `SIZES`.
        signing: Signing key.
        exchange: Exchange key.
    """

    name: str
    signing: PrivateKey
    exchange: PrivateKey

    @property
    def fingerprint(self) -> Fingerprint:
        """Who it is."""
        return self.signing.public.fingerprint

    def bundle(self, not_before: int | None = None) -> Bundle:
        """Certify the exchange key from ``not_before`` (Unix seconds; a minute ago unless given) on."""
        return Bundle.issue(
            self.signing, self.exchange.public, int(time.time()) - 60 if not_before is None else not_before
        )


@functools.cache
def identity(name: str) -> Identity:
    """The test identity of that name: alice, bob, carol, mallory (3072 bits) or dora (4096)."""
    entry = json.loads(PATH.read_text())["keys"][name]
    signing, exchange = (PrivateKey.from_bytes(bytes.fromhex(entry[use])) for use in ("signing", "exchange"))
    return Identity(name, signing, exchange)


def make_profile(
    folder: Path,
    who: str,
    passphrase: str | None = None,
    protection: Protection | None = None,
    *,
    now: int | None = None,
    cost: Cost = CHEAP,
) -> Keys:
    """Write the key files of a profile, with the keys of a test identity.

    Args:
        folder: Profile folder; made when missing.
        who: Name of the identity.
        passphrase: Protects the profile, unless it is None.
        protection: Protection.PASSPHRASE with a passphrase and Protection.FILE without, unless given.
        now: Unix seconds from which the exchange key is certified; now unless given.
        cost: Of Argon2id, within limits.ARGON2_*_RANGE.
    """
    if protection is None:
        protection = Protection.FILE if passphrase is None else Protection.PASSPHRASE
    keys = identity(who)
    certified = int(time.time()) if now is None else now
    bundle = Bundle.issue(keys.signing, keys.exchange.public, certified)
    keystore.prepare(folder)
    content = KeyContent(keys.signing, keys.exchange, bundle)
    return keystore.install(folder, keystore.fresh(content, protection), passphrase or "", cost=cost)


def belongs_to(keys: Keys, who: str) -> bool:
    """Whether unlocked keys are that person's, fit together and work."""
    signature = keys.signing.sign(Label.GROUP, (b"x",))
    keys.signing.public.verify(Label.GROUP, (b"x",), signature)
    keys.bundle.verify(keys.bundle.not_before)
    halves = (keys.signing.public, keys.exchange.public)
    return halves == (keys.bundle.signing, keys.bundle.exchange) and halves[0] == identity(who).signing.public


def main() -> None:
    """Make new keys for everybody; every test vector that was made with the old ones is void then."""
    keys = {
        name: {use: PrivateKey.generate(bits).to_bytes().hex() for use in ("signing", "exchange")}
        for name, bits in SIZES.items()
    }
    comment = (
        "TEST KEYS, public on purpose: never use them for anything but tests. vec(p) vec(q) in hexadecimal."
    )
    PATH.write_text(json.dumps({"comment": comment, "keys": keys}, indent=1) + "\n")


if __name__ == "__main__":
    main()
