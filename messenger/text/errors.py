"""What went wrong, in one or two short sentences: what happened and what to do about it."""

from typing import Final

from messenger.core import errors, limits
from messenger.core.errors import InputProblem, Reason, RelayProblem
from messenger.text.catalogue import _
from messenger.text.settings import SETTINGS

_THERE: Final = _("that address")

_REASONS: Final[dict[Reason, str]] = {
    Reason.UNRESOLVED: _("The name {where} could not be found. Check the spelling, or type the IP address."),
    Reason.UNREACHABLE: _(
        "There is no way to {where} from here. Check that both computers are on a network."
    ),
    Reason.NOBODY: _(
        "Nobody answers at {where}. Check the port, and that Sotto is running and listening there."
    ),
    Reason.TIMEOUT: _(
        "{where} did not answer in time. Check the address; a firewall there may be in the way."
    ),
    Reason.SILENT: _("Something at {where} took the call but said nothing. Check the port, then try again."),
    Reason.NOT_SOTTO: _(
        "That port speaks something else: {where} answered, but not as Sotto. Check the port."
    ),
    Reason.REFUSED: _(
        "{where} hung up during the greeting. They may only take people they know: ask for an invite link."
    ),
    Reason.WRONG_PERSON: _(
        "This is not the person you expected: {where} answered with another key. Ask for a new invite link."
    ),
    Reason.OWN_KEY: _(
        "That is this computer: {where} leads back to yourself. Type the other person's address."
    ),
    Reason.DECLINED: _("You did not accept the key that was shown, so nothing was sent."),
    Reason.BLOCKED: _("You have blocked this person. Unblock them first."),
    Reason.BUSY: _("Too many connections are open at {where} right now. Try again in a moment."),
    Reason.VERSION: _("{where} runs a version of Sotto that this one cannot talk to. Update both programs."),
    Reason.PORT_TAKEN: _("Port {port} is used by another program. Choose another port or find a free one."),
    Reason.PORT_FORBIDDEN: _("This computer does not allow port {port}. Choose a port of 1024 or higher."),
    Reason.BAD_HOST: _("{where} is not an address of this computer. Choose one of the addresses shown."),
    Reason.CLOSED: _("They said goodbye. Messages wait here until you meet again."),
    Reason.INTERRUPTED: _("The connection was cut; nothing is lost. Try again."),
    Reason.BROKEN: _(
        "The connection was closed because data arrived damaged; nothing of it was used. Try again, and check"
        " date and time on both computers if it stays."
    ),
    Reason.STOPPING: _("Sotto is closing. Start it again to go on."),
    Reason.RELAY_SILENT: _(
        "The relay does not answer. What you write waits here; Sotto tries again by itself."
    ),
}

_PROBLEMS: Final[dict[InputProblem, str]] = {
    InputProblem.EMPTY: _("There is nothing there yet. Type something first."),
    InputProblem.TOO_LONG: _("That is too long. Shorten it and try again."),
    InputProblem.BAD_ADDRESS: _(
        "“{detail}” is not an address. Type one like 192.168.1.5, example.org:42000 or [fe80::1%eth0]:42000."
    ),
    InputProblem.BAD_PORT: _("“{detail}” is not a port. Ports are numbers from 1 to 65535."),
    InputProblem.BAD_INVITE: _("This link is damaged or incomplete. Copy the whole link and try again."),
    InputProblem.BAD_RELAY: _(
        "That is no relay. Paste its link, which begins with sotto://relay/, or type its address, a blank and"
        " its whole fingerprint."
    ),
    InputProblem.INVITE_VERSION: _(
        "This invite link comes from a later version of Sotto. Update this program."
    ),
    InputProblem.OWN_ADDRESS: _("That is your own address. Type the other person's address."),
    InputProblem.BAD_VALUE: _("That value cannot be used here. Choose another one."),
    InputProblem.NOT_ALLOWED: _("That is not possible right now."),
    InputProblem.NO_PASSPHRASE: _("Without a passphrase locking keeps nobody out. Set one first."),
    InputProblem.NOT_EXPORT: _(
        "This file is no export of a Sotto profile, or it is damaged or incomplete. Choose another one."
    ),
    InputProblem.EXPORT_VERSION: _(
        "This export was made by a later version of Sotto. Update this program and try again."
    ),
    InputProblem.NEW_KEY: _(
        "They have a new key, so nothing is sent. First compare the safety number, or say that you trust it."
    ),
    InputProblem.UNKNOWN: _("There is no such thing here any more. It may have been deleted."),
}

_RELAYS: Final[dict[RelayProblem, str]] = {
    RelayProblem.UNKNOWN: _(
        "The relay is of an earlier version that cannot do this. Ask its owner to update."
    ),
    RelayProblem.DENIED: _("The relay has no such mailbox any more. It is made again by itself."),
    RelayProblem.FULL: _("The mailbox at the relay is full. What you write waits here until there is room."),
    RelayProblem.BUSY: _("The relay has too much to do right now. Sotto tries again by itself."),
    RelayProblem.LIMIT: _("The relay allows no more than this at a time. Sotto tries again by itself."),
    RelayProblem.PUZZLE: _("The relay did not accept the work that it had asked for. Try again."),
    RelayProblem.TOKEN: _("This relay is only for people who were invited to it. Ask its owner for a link."),
    RelayProblem.ABSENT: _("There is nobody of that kind at the relay right now."),
    RelayProblem.REFUSED: _("The relay did not take this. Sotto tries another way."),
    RelayProblem.TROUBLE: _("The relay has trouble of its own. Sotto tries again by itself."),
}

_ERRORS: Final[dict[type[errors.SottoError], str]] = {
    errors.SottoError: _("Something went wrong. Try again; if it stays, start Sotto again."),
    errors.ProtocolError: _("The connection was closed because of an error in it. Try again."),
    errors.RemoteProtocolError: _(
        "The other program broke the rules of the conversation, so the line was closed."
    ),
    errors.LocalProtocolError: _("Sotto made a mistake on this connection and closed it. Please report it."),
    errors.CryptoError: _("A key or signature does not hold, so nothing of it was used. Try again."),
    errors.RelayFailed: _(
        "The relay does not answer. Wait a moment and try again; relay.log in its folder says more."
    ),
    errors.VaultError: _("The part of Sotto that keeps your keys does not answer. Start Sotto again."),
    errors.WrongPassphrase: _("That passphrase does not open this profile. Check Caps Lock and try again."),
    errors.KeyFileError: _(
        "The key file of this profile is missing or damaged. Nothing was changed; restore it from a backup."
    ),
    errors.KeyringMissing: _(
        "The secret of this profile is in the system keyring, which does not answer. Unlock it and try again."
    ),
    errors.RecoveryNeeded: _(
        "The system keyring no longer has the secret of this profile. Type the recovery passphrase instead."
    ),
    errors.ProfileError: _("This profile folder cannot be used. Choose another one."),
    errors.ProfileInUse: _("Sotto is already running with this profile. Use the window that is open."),
    errors.ProfileMissing: _("Nothing has been set up in this profile yet. Start Sotto to create one."),
    errors.StorageError: _(
        "The disk did not do what was asked. Nothing was lost; check the disk and try again."
    ),
    errors.DiskFull: _("The disk is full. Free some space and try again; nothing was lost."),
    errors.DiskReadOnly: _("That folder cannot be written to. Check its permissions or choose another one."),
    errors.DatabaseDamaged: _(
        "The database of this profile is damaged or belongs to another. Nothing was changed."
        " Restore a backup."
    ),
    errors.DatabaseTooNew: _("This profile was used by a later version of Sotto. Update this program."),
    errors.FileError: _("A file could not be read or written. Check the disk that it is on and try again."),
    errors.SourceChanged: _("A file was changed while it was being sent. Send it again."),
    errors.SourceGone: _("A file is no longer where it was. Put it back, or send it from its new place."),
    errors.SourceUnreadable: _("A file cannot be read. Check its permissions and the disk that it is on."),
    errors.TooManyFiles: _(
        "That is too much for one transfer. Send it in parts, or pack it into an archive first."
    ),
    errors.DestinationGone: _("The folder for received files is not there any more. Choose another one."),
    errors.StagingLost: _("What had arrived of these files is gone from the disk. Let them be sent again."),
    errors.StorageBug: _(
        "Sotto asked the database for something impossible. Please report it; nothing was lost."
    ),
}


def explain(error: BaseException) -> str:
    """Say in one or two short sentences what happened and what to do about it.

    Args:
        error: Any error; one that the program did not raise on purpose is named as a fault of ours.
    """
    match error:
        case errors.InputError(problem=InputProblem.TOO_LONG, detail=detail) if detail.isdigit():
            return too_long(int(detail))
        case errors.SettingError(detail=name) if name in SETTINGS:
            return _("“{setting}” cannot take that value. Choose another one.").format(
                setting=SETTINGS[name][0]
            )
        case errors.InputError(problem=problem, detail=detail):
            return _PROBLEMS[problem].format(detail=detail or "…")
        case errors.ConnectError(reason=reason, detail=detail):
            return _sentence(_REASONS[reason].format(where=detail or _THERE, port=detail or "?"))
        case errors.RelayError(problem=problem):
            return _RELAYS[problem]
        case errors.RelayFailed(words=words) if words:
            return words
        case errors.SottoError():
            return next(_ERRORS[kind] for kind in type(error).__mro__ if kind in _ERRORS)
    return unexpected(type(error).__name__)


def unexpected(kind: str) -> str:
    """Say that a part of the program failed in a way nobody planned for.

    Args:
        kind: The name of the error, without content.
    """
    return _("Something inside Sotto failed ({kind}). Your messages are safe; the log says more.").format(
        kind=kind
    )


def too_long(most: int) -> str:
    """Say that a text is longer than allowed.

    Args:
        most: The limit that was passed: `limits.NAME_MAX` means characters, anything else bytes.
    """
    if most == limits.NAME_MAX:
        return _("A name has at most {most} characters. Choose a shorter one.").format(most=most)
    return _("That is too long: a message holds {most} kilobytes. Split it and send the parts.").format(
        most=most // 1024
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
