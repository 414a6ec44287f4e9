"""What a program and its vault process say to each other.

Each message is a u32 length and that many bytes of MessagePack: an array of the message's
name, the number of the call and the fields. Messages carry passphrases and keys, so none
shows its fields when printed; passphrases cross as bytes of `write_passphrase`.
"""

from enum import StrEnum
from typing import Final

import msgspec

from messenger.core import errors, limits
from messenger.core.errors import InputError, InputProblem, SottoError, VaultError
from messenger.crypto.protection import Protection
from messenger.crypto.rsa import Label

LENGTH_SIZE: Final = 4


class VaultState(StrEnum):
    """What a profile folder needs before its keys can be used."""

    NEW = "new"  # nothing there yet: create
    LOCKED = "locked"  # a passphrase opens it
    OPENS = "opens"  # it opens by itself


class Step(StrEnum):
    """Progress of creating a profile or a new identity, in this order."""

    SIGNING_KEY = "signing key made"
    EXCHANGE_KEY = "exchange key made"


class Message(msgspec.Struct, frozen=True, array_like=True, tag=True, forbid_unknown_fields=True):
    """Base of all messages.

    Attributes:
        call: Number of the call that this asks or answers; 0 for `Ready`.
    """

    call: int

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.call})"


class Status(Message, frozen=True):
    """Ask for the state of a profile folder (`os.fsencode` of its path): answered by `State`."""

    folder: bytes


class Create(Message, frozen=True):
    """Make keys and a profile of them in memory: answered by `Progress` twice, then `Result`, its db key."""

    folder: bytes
    bits: int
    protection: Protection
    passphrase: bytes


class Open(Message, frozen=True):
    """Unlock a profile: answered by `Opened`."""

    folder: bytes
    passphrase: bytes


class Sign(Message, frozen=True):
    """Sign with the signing key: answered by `Result`."""

    label: Label
    fields: list[bytes]


class Unwrap(Message, frozen=True):
    """Open an OAEP ciphertext with an exchange key: answered by `Result`, 32 bytes, whatever came.

    Attributes:
        older: 0 for the present key, 1 for the one before it, and so on.
    """

    label: bytes
    ciphertext: bytes
    older: int = 0


class ChangeProtection(Message, frozen=True):
    """Wrap the root key of the open profile anew: answered by `Done`."""

    current: bytes
    protection: Protection
    passphrase: bytes


class SetRecovery(Message, frozen=True):
    """Let a passphrase open the open profile when its keyring is gone: answered by `Done`."""

    passphrase: bytes


class Export(Message, frozen=True):
    """Seal the person's keys under a passphrase for a file: answered by `Exported`."""

    passphrase: bytes


class ReadExport(Message, frozen=True):
    """Open the head of an export, and hold its keys for `PrepareImport`: answered by `Exported`."""

    head: bytes
    passphrase: bytes


class PrepareImport(Message, frozen=True):
    """Make a profile in memory of the keys that `ReadExport` holds: answered by `Result`, its db key."""

    folder: bytes
    protection: Protection
    passphrase: bytes


class Import(Message, frozen=True):
    """Put the profile that `Create` or `PrepareImport` made on disk, and open it: answered by `Opened`."""


class Renew(Message, frozen=True):
    """Make and certify a new exchange key for the open profile: answered by `Result`, the new bundle."""


class ForgetOld(Message, frozen=True):
    """Forget the exchange keys that were replaced long enough ago: answered by `Done`."""


class Succeed(Message, frozen=True):
    """Make the keys of a new identity for `Adopt`: answered by `Progress` twice, then `Result`.

    The result is a `Succession` with that serial, signed by the old and by the new signing key.
    """

    serial: int


class Adopt(Message, frozen=True):
    """Put the keys that `Succeed` made in the place of the old ones: answered by `Result`, the new bundle."""


class Ready(Message, frozen=True):
    """The vault process is up."""


class Progress(Message, frozen=True):
    """A step of a long call is done."""

    step: Step


class State(Message, frozen=True):
    """Answer to `Status`."""

    state: VaultState


class Opened(Message, frozen=True):
    """Answer to `Open` and `Import`."""

    bundle: bytes
    db_key: bytes
    protection: Protection
    renewal_due: bool


class Exported(Message, frozen=True):
    """Answer to `Export` and `ReadExport`.

    Attributes:
        head: Of the file; empty in the answer to `ReadExport`.
        stream: Secret of what follows it.
        db_key: Key of the database in it.
    """

    head: bytes
    stream: bytes
    db_key: bytes


class Result(Message, frozen=True):
    """Answer of one byte string."""

    data: bytes


class Done(Message, frozen=True):
    """Answer without content."""


class Failed(Message, frozen=True):
    """The call failed with one of our errors.

    Attributes:
        kind: Name of its class in core.errors.
        text: Its text, or the value of the InputProblem.
    """

    kind: str
    text: str


Request = (
    Status
    | Create
    | Open
    | Sign
    | Unwrap
    | ChangeProtection
    | SetRecovery
    | Export
    | ReadExport
    | PrepareImport
    | Import
    | Renew
    | ForgetOld
    | Succeed
    | Adopt
)
Reply = Ready | Progress | State | Opened | Exported | Result | Done | Failed

_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are no message; bad UTF-8 and deep nesting have their own errors."""

_encoder = msgspec.msgpack.Encoder()
_requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


def write_passphrase(text: str) -> bytes:
    """A passphrase for a message; what is not proper text crosses too, for the vault to refuse."""
    return text.encode("utf-8", "surrogatepass")


def read_passphrase(data: bytes) -> str:
    """The passphrase that `write_passphrase` wrote.

    Raises:
        VaultError: It is none.
    """
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise VaultError("not a passphrase") from None  # the cause would quote it


def frame(message: Message) -> bytes:
    """Write a message with its length.

    Raises:
        VaultError: It is longer than limits.VAULT_MESSAGE_MAX.
    """
    body = _encoder.encode(message)
    if len(body) > limits.VAULT_MESSAGE_MAX:
        raise VaultError("too long for the vault")
    return len(body).to_bytes(LENGTH_SIZE, "big") + body


def frame_size(head: bytes) -> int:
    """Read the length of a message.

    Raises:
        VaultError: It is zero or more than limits.VAULT_MESSAGE_MAX.
    """
    size = int.from_bytes(head, "big")
    if not 0 < size <= limits.VAULT_MESSAGE_MAX:
        raise VaultError("not the length of a message")
    return size


def read_request(body: bytes) -> Request:
    """Read a request.

    Raises:
        VaultError: It is none.
    """
    try:
        return _requests.decode(body)
    except _UNREADABLE:
        raise VaultError("not a request") from None  # the cause could quote a field


def read_reply(body: bytes) -> Reply:
    """Read a reply.

    Raises:
        VaultError: It is none.
    """
    try:
        return _replies.decode(body)
    except _UNREADABLE:
        raise VaultError("not a reply") from None


def failure(call: int, error: SottoError) -> Failed:
    """Put an error into a message."""
    text = error.problem.value if isinstance(error, InputError) else str(error)
    return Failed(call, type(error).__name__, text)


def error_of(failed: Failed) -> SottoError:
    """The error that a message stands for; one of an unknown class becomes a plain VaultError."""
    if failed.kind == InputError.__name__:
        return InputError(InputProblem(failed.text))
    kind = getattr(errors, failed.kind, None)
    if isinstance(kind, type) and issubclass(kind, SottoError):
        return kind(failed.text)
    return VaultError(f"{failed.kind}: {failed.text}")
