"""Sentences of `sotto relay`."""

from typing import Final

from messenger.core.ids import Fingerprint
from messenger.text.catalogue import _
from messenger.text.terminal import fingerprint_lines

HELP: Final = _(
    "Start a relay: it keeps sealed messages for people who are away, and joins people who cannot reach each"
    " other. It cannot read what passes."
)
USAGE: Final = _("sotto relay [--data DIR] [--config FILE] [OPTION…]")
OPTION_DATA: Final = _("Folder of the relay: its keys and its database. It is made on first start.")
OPTION_INPUT: Final = _(
    "Stop when standard input ends, unless its last line is “stay”: for programs that start a relay of"
    " their own."
)
OPTION_CONFIG: Final = _("File with options (TOML); flags go before it.")
MAKING_KEYS: Final = _("Making the keys of this relay; that takes some seconds.")
IN_USE: Final = _("A relay is already running on this folder.")
RUNNING: Final = _("The relay is running. People can reach it at:")
FINGERPRINT: Final = _("Its fingerprint:")
LINK: Final = _("Its link, for everybody who may use it:")
STOPPING: Final = _("The relay says goodbye.")
NO_METRICS: Final = _(
    "/metrics and /health need the package prometheus-client: install it, for example with"
    " “pip install 'sotto[metrics]'”, or leave status_port at 0."
)
NO_CONTROL: Final = _("Other programs cannot watch this relay: its folder takes no socket.")
NO_PASSPHRASE: Final = _(
    "The keys of this relay were made without a passphrase, so passphrase_file is not used."
)
FEWER_STREAMS: Final = _(
    "The system allows {streams} streams at a time, not {wanted}; raise its limit of open files for more."
)


def running(addresses: tuple[str, ...], fingerprint: Fingerprint, link: str) -> str:
    """What is told when a relay is up.

    Args:
        addresses: With ports.
        fingerprint: Of the relay.
        link: For clients.
    """
    told = "\n".join(f"    {address}" for address in addresses)
    return f"{RUNNING}\n{told}\n{FINGERPRINT}\n{fingerprint_lines(fingerprint)}\n{LINK}\n    {link}"


def bad_option(name: str, what: str) -> str:
    """Say what is wrong with an option.

    Args:
        name: As it was written.
        what: What is wrong with it.
    """
    return _("“{name}” cannot be used: {what}.").format(name=name, what=what)


def unknown_flag(name: str, near: str) -> str:
    """Say that there is no such flag.

    Args:
        name: As it was written.
        near: One that there is, or an empty text.
    """
    if near:
        return _("There is no option {name}; do you mean {near}?").format(name=name, near=near)
    return _("There is no option {name}; “sotto relay --help” shows them all.").format(name=name)


def fewer_streams(streams: int, wanted: int) -> str:
    """Say that the system lets us have fewer files than the owner wants streams."""
    return FEWER_STREAMS.format(streams=streams, wanted=wanted)
