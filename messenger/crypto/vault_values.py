"""What the vault process gives to the rest of the program."""

from dataclasses import dataclass, field

from messenger.crypto import vault_wire as wire
from messenger.crypto.identity import Bundle
from messenger.crypto.protection import Protection


@dataclass(frozen=True, slots=True)
class OpenedVault:
    """What an opened profile gives to the rest of the program.

    Attributes:
        bundle: What others are given; its fingerprint is the person.
        db_key: 32-byte key of the database.
        protection: What protects the key files.
        renewal_due: The exchange key should have been replaced, but the disk would not take
            the new one; call `Vault.renew` later.
    """

    bundle: Bundle
    db_key: bytes = field(repr=False)
    protection: Protection
    renewal_due: bool


@dataclass(frozen=True, slots=True)
class ExportKeys:
    """What the program needs of an export.

    Attributes:
        head: First bytes of the file; empty for one that is read.
        stream: Secret of what follows, for `archive`.
        db_key: Key of the database in it.
    """

    head: bytes
    stream: bytes = field(repr=False)
    db_key: bytes = field(repr=False)


def opened_from(reply: wire.Opened) -> OpenedVault:
    """The value of an answer."""
    return OpenedVault(Bundle.decode(reply.bundle), reply.db_key, reply.protection, reply.renewal_due)


def exported_from(reply: wire.Exported) -> ExportKeys:
    """The value of an answer."""
    return ExportKeys(reply.head, reply.stream, reply.db_key)
