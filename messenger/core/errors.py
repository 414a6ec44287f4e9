"""Every error that crosses a package boundary, in one tree.

Two questions sort them: is it ours or theirs, and is it the world or a bug?

    SottoError
    ├── InputError            a person typed or chose something that cannot be used
    │   ├── AddressError      an address or invite link that cannot be read
    │   └── SettingError      a setting outside its bounds
    ├── ConnectError          a conversation could not be opened; carries a Reason
    ├── RelayError            a relay did not do what it was asked for; carries a RelayProblem
    ├── ProtocolError         the byte stream of a link
    │   ├── RemoteProtocolError   the other side broke the rules: close and keep silent
    │   └── LocalProtocolError    we called the protocol in the wrong order: a bug
    ├── CryptoError           a key, tag, signature or ciphertext that does not hold
    ├── VaultError            the process that owns the keys cannot do what was asked
    │   ├── WrongPassphrase
    │   ├── KeyFileError      the key file is missing, damaged, or from another profile
    │   └── KeyringMissing    the system keyring that holds the secret cannot be reached
    │       └── RecoveryNeeded    … and the recovery passphrase opens the profile all the same
    ├── RelayFailed           a relay in a process of its own does not start, or does not answer
    ├── ProfileError          the profile as a whole
    │   ├── ProfileInUse      another running program holds it
    │   └── ProfileMissing    nothing has been set up there yet
    └── StorageError          the disk or the database
        ├── DiskFull
        ├── DiskReadOnly
        ├── DatabaseDamaged
        ├── DatabaseTooNew    written by a later version of the program
        ├── FileError         a file that is sent, or the place of one that comes
        │   ├── SourceChanged     it is no longer what was offered
        │   ├── SourceGone
        │   ├── SourceUnreadable
        │   ├── TooManyFiles      more, or deeper, than one transfer may have
        │   ├── DestinationGone   the folder that files come into
        │   └── StagingLost       what had come of a transfer is not there any more
        └── StorageBug        SQL that cannot be right: a bug

Texts in exceptions are for logs and developers and never hold secrets or message
text; `messenger.text.explain` turns an error into the sentence that a person reads.
"""

from enum import StrEnum


class SottoError(Exception):
    """Base of all errors that this program raises on purpose."""


class InputProblem(StrEnum):
    """What is wrong with something that a person typed or chose."""

    EMPTY = "empty"
    TOO_LONG = "too long"
    BAD_ADDRESS = "bad address"
    BAD_PORT = "bad port"
    BAD_INVITE = "bad invite"
    BAD_RELAY = "bad relay"
    INVITE_VERSION = "invite of a later version"
    OWN_ADDRESS = "own address"
    BAD_VALUE = "bad value"
    NOT_ALLOWED = "not allowed"
    NO_PASSPHRASE = "no passphrase"  # noqa: S105
    NOT_EXPORT = "not an export"
    EXPORT_VERSION = "export of a later version"
    NEW_KEY = "new key"
    UNKNOWN = "unknown"


class InputError(SottoError):
    """A person typed or chose something that cannot be used.

    Args:
        problem: What is wrong, for `text.explain`.
        detail: The offending part, safe to show, or an empty string.
    """

    def __init__(self, problem: InputProblem, detail: str = "") -> None:
        super().__init__(f"{problem.value}: {detail}" if detail else problem.value)
        self.problem = problem
        self.detail = detail


class AddressError(InputError):
    """An address or invite link cannot be read."""


class SettingError(InputError):
    """A setting does not exist or its value is outside its bounds."""


class Reason(StrEnum):
    """Why a conversation could not be opened, or why it ended."""

    UNRESOLVED = "unresolved"  # the host name has no address
    UNREACHABLE = "unreachable"  # no route, or the network is down
    NOBODY = "nobody"  # the connection was refused: nothing listens there
    TIMEOUT = "timeout"  # no answer to the connection attempt
    SILENT = "silent"  # connected, but the other side said nothing in time
    NOT_SOTTO = "not sotto"  # something else answered on that port
    REFUSED = "refused"  # a Sotto program (or nothing we can tell) closed during the greeting
    WRONG_PERSON = "wrong person"  # the key is not the one that was expected
    OWN_KEY = "own key"  # it is this very program
    DECLINED = "declined"  # the person here did not accept the key that was shown
    BLOCKED = "blocked"  # the contact is blocked here
    BUSY = "busy"  # too many connections at once
    VERSION = "version"  # no protocol version in common
    PORT_TAKEN = "port taken"
    PORT_FORBIDDEN = "port forbidden"
    BAD_HOST = "bad host"  # the address to listen on is not one of this machine
    CLOSED = "closed"  # the other side said goodbye
    INTERRUPTED = "interrupted"  # the stream ended without a goodbye
    BROKEN = "broken"  # the stream was damaged or forged
    STOPPING = "stopping"  # this program is closing
    RELAY_SILENT = "relay silent"  # the only way is through a relay, which does not answer


class ConnectError(SottoError):
    """A conversation could not be opened, or a port could not be listened on.

    Args:
        reason: Why, for `text.explain`.
        detail: Host, port or fingerprint concerned, safe to show, or an empty string.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail


class RelayProblem(StrEnum):
    """Why a relay did not do something; the codes of SPEC.md 11.4."""

    UNKNOWN = "unknown"  # it is an older relay, which cannot do this
    DENIED = "denied"  # there is no such queue
    FULL = "full"
    BUSY = "busy"
    LIMIT = "limit"  # as many queues or circuits as it allows
    PUZZLE = "puzzle"
    TOKEN = "token"  # noqa: S105 -- its owner lets in only those who have one
    ABSENT = "absent"  # nobody can be called there, or found by that fingerprint
    REFUSED = "refused"
    TROUBLE = "trouble"


class RelayError(SottoError):
    """A relay did not do what it was asked for.

    Args:
        problem: Why, for `text.explain`.
        seconds: When to try again, 0 if it did not say.
    """

    def __init__(self, problem: RelayProblem, seconds: float = 0.0) -> None:
        super().__init__(problem.value)
        self.problem = problem
        self.seconds = seconds


class RelayFailed(SottoError):
    """A relay that was started here has ended, or does not answer.

    Args:
        what: For the log.
        words: The sentence with which it ended, or an empty text.
    """

    def __init__(self, what: str = "", *, words: str = "") -> None:
        super().__init__(what)
        self.words = words


class ProtocolError(SottoError):
    """Something is wrong with the byte stream of a link."""


class RemoteProtocolError(ProtocolError):
    """The other side broke the rules; the link must be closed without a word.

    Args:
        detail: What was wrong, for the log; never bytes that the other side sent.
        reason: What a person who was dialling should be told.
    """

    def __init__(self, detail: str, reason: Reason = Reason.BROKEN) -> None:
        super().__init__(detail)
        self.reason = reason


class LocalProtocolError(ProtocolError):
    """Our own code used a protocol object out of turn; always a bug."""


class CryptoError(SottoError):
    """A key, tag, signature or ciphertext does not hold."""


class VaultError(SottoError):
    """The vault process cannot do what was asked."""


class WrongPassphrase(VaultError):
    """The passphrase does not open the key file; nothing was changed."""


class KeyFileError(VaultError):
    """The key file is missing, damaged, or belongs to another profile; nothing was changed."""


class KeyringMissing(VaultError):
    """The secret of this profile is kept in the system keyring, which cannot be reached."""


class RecoveryNeeded(KeyringMissing):
    """The system keyring cannot be reached; the recovery passphrase opens the profile all the same."""


class ProfileError(SottoError):
    """The profile folder cannot be used."""


class ProfileInUse(ProfileError):
    """Another running program holds this profile."""


class ProfileMissing(ProfileError):
    """Nothing has been set up in this profile folder yet."""


class StorageError(SottoError):
    """The disk or the database cannot do what was asked; nothing was lost."""


class DiskFull(StorageError):
    """There is no room left on the disk."""


class DiskReadOnly(StorageError):
    """The folder or file cannot be written to."""


class DatabaseDamaged(StorageError):
    """The database file is damaged, was tampered with, or the key does not fit."""


class DatabaseTooNew(StorageError):
    """The database was written by a later version of the program."""


class StorageBug(StorageError):
    """SQL that cannot be right: a bug of ours."""


class FileError(StorageError):
    """A file that is sent cannot be read, or one that comes cannot be put where it belongs."""


class SourceChanged(FileError):
    """A file that was offered has been changed since."""


class SourceGone(FileError):
    """A file that was offered, or chosen, is not there any more."""


class SourceUnreadable(FileError):
    """A file that was offered, or chosen, cannot be read."""


class TooManyFiles(FileError):
    """What was chosen has more files, or folders in folders, than one transfer may have."""


class DestinationGone(FileError):
    """The folder that files should come into is not there any more, or is no folder."""


class StagingLost(FileError):
    """What had come of a transfer is not there any more, or is not what was written there."""
