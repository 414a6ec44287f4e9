"""Sentences of the demonstration: what the two people say, and what is said about them."""

from typing import Final

from messenger.text.catalogue import _

ALICE: Final = _("Alice Example")
BOB: Final = _("Bob Example")
"""Names of the two; long enough that no cable carries them by chance."""

CONVERSATION: Final[tuple[tuple[int, str], ...]] = (
    (0, _("Hello Bob! Can anybody on this cable read along?")),
    (1, _("They see that we talk, and how much. Not one word of it. 🔒")),
    (0, _("Not even שלום or مرحبا?")),
    (1, _("Not even those. Every few seconds the key is thrown away and a new one made, too.")),
    (0, _("Good. Then I can say it: the cake is for you. 🎂")),
)
"""Who says what: 0 is Alice, 1 is Bob."""

# --- steps ---

MAKING_KEYS: Final = _("Two people make their keys")
LISTENING: Final = _("Bob listens, Alice calls; the cable between them is tapped")
ASKING: Final = _("Alice is shown a fingerprint before anything about her leaves her computer")
ACCEPTING: Final = _("Bob is asked about a stranger, and accepts")
COMPARING: Final = _("Both compare the safety number")
TALKING: Final = _("They talk")
SENDING: Final = _("Bob sends Alice a file, on a stream of its own")
PARTING: Final = _("They say goodbye")
WIRE: Final = _("What the tap has recorded")
DISK: Final = _("What is on their disks")

RELAY_STARTING: Final = _("A relay makes its keys and begins")
RELAY_TELLING: Final = _(
    "Bob tells Alice by which relay he can be written to; from now on neither can be called"
)
RELAY_WAITING: Final = _("Bob is off; Alice writes to him, and switches off too")
RELAY_READING: Final = _("Alice is off; Bob switches on, and reads")
RELAY_FILE: Final = _("Both are there, and reach each other only through the relay: Alice sends a file")

RELAY_WINDOW: Final = _("The relay")
RELAY_SEES: Final = _("It keeps what is sealed, and cannot read it. This is everything that it sees:")
"""What stands above what the relay sees."""

LEFT_BEHIND: Final = _("When you read this I am asleep already: the recipe follows tomorrow.")
"""What Alice writes while Bob is off."""

# --- what is checked ---

SAME_FINGERPRINT: Final = _("the fingerprint that Alice sees is Bob's")
REQUEST_FINGERPRINT: Final = _("the fingerprint that Bob sees is Alice's")
KNOWS_NAME: Final = _("each knows the other's name")
SAME_NUMBER: Final = _("both see the same number")
ARRIVED: Final = _("every message arrived as it was written, and its author knows that it was read")
FILE_NAME: Final = "recipe-for-the-cake.txt"
FILE_LINE: Final = _("Flour, eggs, butter, and a secret that no eavesdropper reads. ")
"""What the file says, over and over."""
SAME_FILE: Final = _("what Alice has is what Bob sent, byte for byte")
FILE_TOLD: Final = _("Bob knows that she has it whole")
NO_FILE: Final = _("no word of the file is in the recording")
LEFT: Final = _("Bob has seen Alice leave, and the line is closed")
ONLY_LOOKED: Final = _("the first call ended before Alice said who she is")
FIVE_MESSAGES: Final = _("the handshake was five messages, in their order")
ONLY_RECORDS: Final = _("everything after it is sealed records, of sizes that are multiples of 256 bytes")
NO_WORDS: Final = _("no word of the conversation is in the recording")
NO_NAMES: Final = _("no name is in it")
NO_FINGERPRINTS: Final = _("no fingerprint is in it")
NO_KEYS: Final = _("no public key of either person is in it")
SAME_HISTORY: Final = _("both databases hold the same conversation")
RELAY_TOLD: Final = _("Alice was asked before her program connected to his relay")
RELAY_BLIND: Final = _("no word and no name is in what the relay prints, or in its files")
RELAY_READ: Final = _("Bob reads what Alice wrote")
RELAY_WAY: Final = _("their link goes through the relay, and by no other way")
RELAY_SAME_FILE: Final = _("the file that Bob has is the one that Alice sent")
NOT_READABLE: Final = _("no word and no name can be read in the files of either profile")

# --- what is shown ---

HANDSHAKE: Final[dict[str, str]] = {
    "M1": _("a fresh X-Wing key (ML-KEM-768 and X25519)"),
    "M2": _("a secret for that key; sealed: Bob's RSA keys"),
    "M3": _("sealed: a secret for Bob's RSA key (OAEP), Alice's RSA keys and signature (PSS)"),
    "M4": _("sealed: a secret for Alice's RSA key (OAEP), Bob's signature (PSS); a check of all before"),
    "M5": _("a check of all before"),
    "RETRY": _("a puzzle, because the callee is busy"),
}
"""What each handshake message holds, by its name."""

RECORD: Final = _("One message on the cable: four bytes of header, then AES-256-GCM:")
GOOD: Final = "✓"
BAD: Final = "✗"
PASSED: Final = _("Every step was checked, and every check passed.")
FAILED: Final = _("Something was not as it should be; the lines marked with ✗ say what.")
WITH_WINDOWS: Final = _("Close both windows to end the demonstration; nothing of it is kept.")


def key_line(name: str, bits: int, seconds: float) -> str:
    """Say whose keys were made."""
    return _("{name}: two RSA keys of {bits} bits, {seconds:.1f} s; fingerprint").format(
        name=name, bits=bits, seconds=seconds
    )


def listening_line(bob: str, tap: str) -> str:
    """Say where the callee listens and where the tap is."""
    return _("Bob listens on {bob}; Alice calls {tap}, where the tap passes everything on").format(
        bob=bob, tap=tap
    )


def said(name: str, text: str, milliseconds: float) -> str:
    """One message of the conversation, and how long it took until its author knew that it was delivered."""
    return _("{name}: {text}  (delivered after {ms:.1f} ms)").format(name=name, text=text, ms=milliseconds)


def file_line(size: int, seconds: float) -> str:
    """How much was sent, and how long that took."""
    speed = size / seconds / 1e6 if seconds else 0.0
    return _("{size} bytes in {seconds:.2f} s, {speed:.0f} MB/s").format(
        size=size, seconds=seconds, speed=speed
    )


def message_line(name: str, sender: str, size: int, milliseconds: float) -> str:
    """One handshake message on the cable."""
    return _("{name}  {sender:<5}  {size:>5} bytes  at {ms:5.1f} ms  {what}").format(
        name=name, sender=sender, size=size, ms=milliseconds, what=HANDSHAKE[name]
    )


def total_line(connections: int, size: int, records: int) -> str:
    """How much the tap has recorded."""
    return _("{connections} connections, {size} bytes, {records} records").format(
        connections=connections, size=size, records=records
    )


def disk_line(messages: int, size: int) -> str:
    """How much is on the disks."""
    return _("{messages} messages each; {size} KiB of files in all").format(
        messages=messages, size=size // 1024
    )


def switched_off(name: str) -> str:
    """What stands in the window of somebody whose program is switched off."""
    return _("{name} has switched off.").format(name=name)


def relay_line(name: str, text: str) -> str:
    """A message that somebody left behind at the relay."""
    return _("{name}: {text}").format(name=name, text=text)


def relay_holds(size: int) -> str:
    """Say what the relay has of a message."""
    return _("All that the relay has of it, {size} bytes, of which these are the first:").format(size=size)


def relay_file(name: str, size: int) -> str:
    """Say what was sent through the relay."""
    return _("{name}, {size} KiB").format(name=name, size=size // 1024)


def step_time(seconds: float) -> str:
    """How long one step took."""
    return _("{seconds:.3f} s").format(seconds=seconds)


def time_line(seconds: float) -> str:
    """How long everything took."""
    return _("{seconds:.1f} s in all").format(seconds=seconds)
