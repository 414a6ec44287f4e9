"""What the owner of a relay can choose, declared once: flags, options file and help follow from here."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, get_args, get_origin

from messenger.core import limits, relay_limits
from messenger.core.address import Address, parse_address
from messenger.core.errors import AddressError, InputError, InputProblem
from messenger.core.ids import Fingerprint, parse_fingerprint
from messenger.crypto.hkdf import digest
from messenger.protocol.relay_word import DirectoryPolicy, RelayFlag, Welcome
from messenger.relay.circuits import Rules

_TEXT: Final = "utf-8-sig"
"""Some editors put a mark before the first character of a file, which is no part of a token."""

_HELP: Final = "help"
_LEAST: Final = "least"
_MOST: Final = "most"
_ONE_OF: Final = "one of"

DIRECTORY: Final = {
    "off": DirectoryPolicy.NONE,
    "open": DirectoryPolicy.OPEN,
    "token": DirectoryPolicy.TOKEN,
    "listed": DirectoryPolicy.LISTED,
}
"""Who may publish an entry, by the words of the owner."""


def option(
    default: Any,  # noqa: ANN401 -- typed by the field
    help_: str,
    *,
    least: int | None = None,
    most: int | None = None,
    one_of: Sequence[str] = (),
) -> Any:  # noqa: ANN401
    """Declare one option.

    Args:
        default: Its value, of the field's type.
        help_: What it is, for people.
        least: Smallest number allowed.
        most: Largest number allowed.
        one_of: All texts allowed; any if it is empty.
    """
    return field(default=default, metadata={_HELP: help_, _LEAST: least, _MOST: most, _ONE_OF: tuple(one_of)})


@dataclass(frozen=True, slots=True)
class RelayOptions:
    """All options of a relay. In the options file they have these names, as flags dashes for underscores."""

    port: int = option(
        limits.DEFAULT_PORT, "Port to listen on; a taken one is an error.", least=0, most=65535
    )
    host: str = option("", "Address to listen on; all of this computer if it is empty.")
    public: tuple[str, ...] = option((), "Addresses that clients use, for the link of the relay.")
    passphrase_file: str = option("", "File with the passphrase of the keys, if they have one.")
    directory: str = option("off", "Who may publish in the directory.", one_of=tuple(DIRECTORY))
    token_file: str = option("", "File with invitation tokens, one a line.")
    listed_file: str = option("", "File with fingerprints of people who may publish, one a line.")
    queue_token: bool = option(default=False, help_="Making a queue needs a token.")
    find_token: bool = option(default=False, help_="Looking into the directory needs a token.")
    queue_messages: int = option(
        relay_limits.QUEUE_MESSAGES, "Messages that a queue holds.", least=1, most=100_000
    )
    queue_bytes: int = option(
        relay_limits.QUEUE_BYTES, "Bytes that a queue holds.", least=max(limits.ENVELOPE_BUCKETS), most=2**31
    )
    keep_days: int = option(21, "Days that a message is kept.", least=1, most=21)
    disk_bytes: int = option(
        0, "Bytes that everything kept may take together; 0 for all but disk_free.", least=0, most=2**50
    )
    disk_free: int = option(
        relay_limits.DISK_FREE, "Bytes of its disk that the relay leaves free.", least=0, most=2**50
    )
    subscriptions: int = option(
        relay_limits.QUEUES_PER_LINK, "Subscriptions of one link.", least=1, most=4096
    )
    connections: int = option(
        relay_limits.CONNECTIONS, "Streams at a time, as far as the system allows.", least=1, most=10**6
    )
    connections_per_network: int = option(
        relay_limits.CONNECTIONS_PER_NETWORK, "Streams at a time from one /24 or /56.", least=1, most=10**6
    )
    handshakes: int = option(relay_limits.HALF_OPEN, "Handshakes at a time.", least=1, most=4096)
    handshakes_per_network: int = option(
        relay_limits.HALF_OPEN_PER_NETWORK, "Handshakes at a time from one /24 or /56.", least=1, most=4096
    )
    requests_per_network: int = option(
        relay_limits.REQUEST_RATE, "Requests a second from one /24 or /56.", least=1, most=10**9
    )
    bytes_per_network: int = option(
        relay_limits.BYTES_RATE, "Bytes a second from one /24 or /56.", least=2**16, most=2**40
    )
    queues_per_network: int = option(
        relay_limits.QUEUES_PER_NETWORK, "Queues made in an hour from one /24 or /56.", least=1, most=10**9
    )
    circuits: int = option(relay_limits.CIRCUITS, "Circuits at a time; 0 for none.", least=0, most=10**5)
    circuits_per_link: int = option(
        relay_limits.CIRCUITS_PER_LINK, "Circuits at a time of one link.", least=0, most=4096
    )
    circuit_bytes: int = option(
        relay_limits.CIRCUIT_BYTES, "Bytes that one circuit carries.", least=2**20, most=2**50
    )
    circuit_seconds: int = option(
        relay_limits.CIRCUIT_SECONDS, "Seconds that one circuit lasts.", least=60, most=7 * 24 * 3600
    )
    show_traffic: bool = option(default=False, help_="Print everything that the relay sees of each message.")
    traffic_bytes: int = option(
        relay_limits.TRAFFIC_HEX,
        "Bytes of each message that are shown.",
        least=0,
        most=relay_limits.TRAFFIC_HEX_MAX,
    )
    status_port: int = option(
        0, "Port on this computer for /metrics and /health; 0 for none.", least=0, most=65535
    )
    log_addresses: bool = option(default=False, help_="Write the addresses of clients into the log.")
    log_json: bool = option(default=False, help_="Write the log as JSON, one object a line.")
    tokens: frozenset[bytes] = field(default=frozenset(), repr=False)
    """SHA-256 of each in `token_file`: with these it takes as long for a wrong one, and never long."""
    listed: frozenset[Fingerprint] = field(default=frozenset(), repr=False)
    """Read from `listed_file`."""

    def welcome(self) -> Welcome:
        """What clients are told first."""
        flags = RelayFlag(0)
        if self.queue_token:
            flags |= RelayFlag.QUEUE_TOKEN
        if self.find_token:
            flags |= RelayFlag.FIND_TOKEN
        return Welcome(
            flags=flags,
            directory=DIRECTORY[self.directory],
            messages=self.queue_messages,
            octets=self.queue_bytes,
            ttl=self.keep,
            queues=self.subscriptions,
            circuits=self.circuit_rules().per_link,
            circuit_bytes=self.circuit_bytes,
            circuit_seconds=self.circuit_seconds,
        )

    @property
    def keep(self) -> int:
        """Seconds that a message is kept."""
        return self.keep_days * 24 * 3600

    def circuit_rules(self) -> Rules:
        """What circuits may cost; where there are none no link has any, so that nobody is called in vain."""
        per_link = self.circuits_per_link if self.circuits else 0
        return Rules(self.circuits, per_link, self.circuit_bytes, self.circuit_seconds)

    def knows_token(self, token: bytes) -> bool:
        """Whether a token is one of the owner's."""
        return digest(token) in self.tokens

    def lists(self, fingerprint: Fingerprint) -> bool:
        """Whether the owner has listed somebody."""
        return fingerprint in self.listed


class OptionError(InputError):
    """An option does not exist or has a value that it cannot have.

    Args:
        name: As it was written.
        what: What is wrong, for the person who wrote it.
    """

    def __init__(self, name: str, what: str) -> None:
        super().__init__(InputProblem.BAD_VALUE, f"{name}: {what}")
        self.name = name
        self.what = what


@dataclass(frozen=True, slots=True)
class Declared:
    """One option, for help and flags.

    Attributes:
        name: In the options file.
        kind: "number", "text", "switch" or "list".
        default: Its value unless it is chosen.
        help: What it is.
        one_of: All texts allowed; any if it is empty.
    """

    name: str
    kind: str
    default: object
    help: str
    one_of: tuple[str, ...]

    @property
    def flag(self) -> str:
        """As it is written on the command line."""
        return "--" + self.name.replace("_", "-")


def declared() -> list[Declared]:
    """All options, in the order in which they are shown."""
    kinds = {int: "number", str: "text", bool: "switch"}
    return [
        Declared(
            each.name,
            "list" if get_origin(each.type) is tuple else kinds[each.type],  # type: ignore[index]
            each.default,
            each.metadata[_HELP],
            each.metadata[_ONE_OF],
        )
        for each in fields(RelayOptions)
        if _HELP in each.metadata
    ]


def checked(values: Mapping[str, object], base: RelayOptions | None = None) -> RelayOptions:
    """Options with some of them chosen.

    Args:
        values: By their names.
        base: Where the others come from; the defaults unless it is given.

    Raises:
        OptionError: One does not exist, is of the wrong kind, or out of bounds.
    """
    known = {each.name: each for each in fields(RelayOptions) if _HELP in each.metadata}
    chosen: dict[str, object] = {}
    for name, value in values.items():
        if name not in known:
            near = get_close_matches(name, known, n=1)
            raise OptionError(
                name,
                f"there is no such option; do you mean {near[0]}?" if near else "there is no such option",
            )
        chosen[name] = _checked(name, value, known[name].type, known[name].metadata)
    return replace(base or RelayOptions(), **chosen)  # type: ignore[arg-type]


def from_file(path: Path) -> dict[str, object]:
    """The values in an options file (TOML); `checked` judges them.

    Raises:
        OptionError: It cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding=_TEXT))
    except (OSError, UnicodeDecodeError) as e:
        raise OptionError(str(path), "the file cannot be read") from e
    except tomllib.TOMLDecodeError as e:
        raise OptionError(str(path), str(e)) from e


def public_addresses(options: RelayOptions, port: int) -> tuple[Address, ...]:
    """What the owner says that clients use.

    Args:
        options: Of the owner.
        port: Of those that have none of their own.

    Raises:
        OptionError: One is not an address.
    """
    found = []
    for text in options.public:
        try:
            found.append(parse_address(text, port))
        except AddressError as e:
            raise OptionError("public", f"“{text}” is not an address") from e
    return tuple(found)


def with_files(options: RelayOptions) -> RelayOptions:
    """Read the files that options name, and look whether the addresses in them can be read.

    Raises:
        OptionError: One is missing where it is needed, or does not hold what it should.
    """
    public_addresses(options, limits.DEFAULT_PORT)
    tokens = [line.encode() for line in _lines("token_file", options.token_file)]
    if not all(0 < len(token) <= relay_limits.TOKEN_MAX for token in tokens):
        raise OptionError("token_file", f"a token has 1 to {relay_limits.TOKEN_MAX} bytes")
    needs = options.queue_token or options.find_token or options.directory == "token"
    if needs and not tokens:
        raise OptionError("token_file", "there are no tokens, and the options ask for some")
    try:
        listed = [parse_fingerprint(line) for line in _lines("listed_file", options.listed_file)]
    except AddressError as e:
        raise OptionError("listed_file", "a line is not a fingerprint") from e
    if options.directory == "listed" and not options.listed_file:
        raise OptionError("listed_file", "only people who are listed may publish, and no list is named")
    return replace(options, tokens=frozenset(map(digest, tokens)), listed=frozenset(listed))


def _lines(name: str, path: str) -> list[str]:
    if not path:
        return []
    try:
        lines = [line.strip() for line in Path(path).read_text(encoding=_TEXT).splitlines()]
    except (OSError, UnicodeDecodeError) as e:
        raise OptionError(name, "the file cannot be read") from e
    found = [line for line in lines if line and not line.startswith("#")]
    if len(found) > relay_limits.TOKENS:
        raise OptionError(name, f"more than {relay_limits.TOKENS} lines")
    return found


def _checked(name: str, value: object, kind: Any, bounds: Mapping[str, Any]) -> object:  # noqa: ANN401
    if get_origin(kind) is tuple:
        inner = get_args(kind)[0]
        if not isinstance(value, list | tuple) or not all(isinstance(each, inner) for each in value):
            raise OptionError(name, "a list of texts is needed")
        return tuple(value)
    words = {int: "a number is needed", str: "a text is needed", bool: "true or false is needed"}
    if type(value) is not kind:
        raise OptionError(name, words[kind])
    if isinstance(value, int) and not isinstance(value, bool):
        least, most = bounds[_LEAST], bounds[_MOST]
        if (least is not None and value < least) or (most is not None and value > most):
            raise OptionError(name, f"it must be {least} to {most}")
    one_of = bounds[_ONE_OF]
    if one_of and value not in one_of:
        raise OptionError(name, "it must be one of " + ", ".join(one_of))
    return value
