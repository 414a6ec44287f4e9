"""The numbers of `limits` that are about relays and finding people. Sizes in bytes, times in seconds."""

from typing import Final

# --- queues (SPEC.md section "Relays", SECURITY.md 3.7) ---

QUEUE_ID_SIZE: Final = 24
"""Each of a queue's two ids: too many to find one by trying."""

QUEUE_KEY_SIZE: Final = 32
"""Each of a queue's keys."""

TOKEN_MAX: Final = 32
"""An invitation token of a relay's owner."""

QUEUE_MESSAGES: Final = 128
QUEUE_BYTES: Final = 16 * 1024 * 1024
"""What a queue holds before it is full."""

QUEUES_PER_LINK: Final = 64
"""Subscriptions of one link."""

REQUEST_ENVELOPE_MAX: Final = 16 * 1024
"""Largest envelope in a request queue: a first contact of a stranger with 4096-bit keys has some 11 KiB."""

REQUESTS_OPEN_MAX: Final = 64
"""Requests of one link without an answer."""

WINDOW_MAX: Final = 64
"""Messages of one subscription without acknowledgement."""

ACKS_PER_REQUEST: Final = 64
"""Hashes in one acknowledgement."""

ANSWER_WAIT: Final = 30.0
"""A request is answered within this time, or the link is given up."""

WELCOME_WAIT: Final = 10.0
"""A relay says its quotas within this time after the link is up."""

UNKNOWN_MAX: Final = 64 * 1024
"""Longest body of a message of a type that only later versions know."""

PREKEY_LIST_MAX: Final = 4174
"""A prekey list with 65 hashes and 4096-bit keys."""

# --- places ---

PLACE_ADDRESS_MAX: Final = 259
"""A host name of 253 characters, a colon and a port."""

PLACES_MAX: Final = 4
"""Places that a contact names at once, each at another relay."""

# --- circuits (SPEC.md section "Circuits") ---

PASS_SIZE: Final = 32
"""The right to one end of a circuit."""

CIRCUITS_PER_LINK: Final = 8
"""Circuits at a time that somebody called or was called to on one link."""

CIRCUIT_BYTES: Final = 2**30
CIRCUIT_SECONDS: Final = 2 * 3600
"""What one circuit may carry, in both directions together, and how long it may last."""

CIRCUIT_IDLE: Final = 120.0
"""A circuit is ended when nothing has come from either end for so long."""

CIRCUIT_STALL: Final = 60.0
"""A circuit is ended when an end has taken nothing of what waits for it for so long."""

CIRCUIT_WINDOW: Final = 256 * 1024
"""Bytes of one end that a relay holds for the other: one record of the largest size."""

# --- directory (SPEC.md section "Directory") ---

ENTRY_LIFETIME: Final = 7 * 24 * 3600
"""How long a directory entry may be valid from now on."""

ABOUT_MAX: Final = 256
"""Words about oneself in a directory entry, UTF-8 bytes."""

ENTRY_MAX: Final = 2697
"""A directory entry with 4096-bit keys and the longest texts."""

PAGE_MAX: Final = 16
"""Entries in one page of the directory."""

# --- nearby (SPEC.md section "Nearby") ---

ANNOUNCEMENT_MAX: Final = 1024
"""TXT data of an announcement that are read."""

ANNOUNCED_NAME_MAX: Final = 250
"""UTF-8 bytes of a name in an announcement: a string of a TXT record has at most 255 with its key."""
