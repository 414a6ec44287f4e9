"""The numbers of `limits` that are about relays and finding people. Sizes in bytes, times in seconds."""

from typing import Final

# --- queues (SPEC.md section 11) ---

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

# --- what a relay bears ---

REQUESTS_PER_QUEUE: Final = 64
"""Messages in a request queue: each is a first contact."""

QUEUE_UNUSED: Final = 90 * 24 * 3600
"""A queue without subscription for so long is deleted."""

USE_INTERVAL: Final = 12 * 3600
"""How often it is noted which queues have a subscription: use is kept to the day, and no day is left out."""

QUEUES_PER_NETWORK: Final = 64
QUEUES_PERIOD: Final = 3600.0
"""Queues that may be made from one /24 or /56 in this time."""

TASK_INTERVAL: Final = 1.0
"""A link gets one task of work in this time."""

STATUS_INTERVAL: Final = 10.0
"""A link may change its directory entry or its status once in this time."""

HANDSHAKE_TOTAL: Final = 60.0
"""Deadline for the whole handshake of an anonymous client."""

RECORD_DEADLINE: Final = 60.0
"""A record that has begun, on a link with a relay; and what follows of a message that has."""

PASS_WAIT: Final = 30.0
"""A pass of a circuit works for so long."""

CONNECTIONS: Final = 16_384
"""Streams at one relay, as far as the system lets it have files."""

CONNECTIONS_PER_NETWORK: Final = 256
"""Streams from one /24 or /56: a school or an office behind one address."""

FILES_KEPT: Final = 64
"""File descriptors that streams may not use: database, vault, logs, circuits that are being joined."""

FILES_OF_CIRCUIT: Final = 6
"""File descriptors of one circuit: two sockets and two pipes with two ends each."""

HALF_OPEN: Final = 256
"""Handshakes in progress at a relay."""

HALF_OPEN_PER_NETWORK: Final = 16
"""… from one /24 or /56: an office whose router has just come back."""

HANDSHAKES_PER_SECOND: Final = 2
HANDSHAKES_BURST: Final = 64
"""Handshakes from one /24 or /56: so many at once, and then so many a second."""

PUZZLE_HALF_OPEN: Final = 32
"""Handshakes in progress from which on callers get a puzzle first."""

LOOKS_PER_SECOND: Final = 2
LOOKS_BURST: Final = 128
"""Pages and entries of the directory for one /24 or /56: so many at once, and then so many a second. Two
thousand people can be looked through at once; who copies a large directory is slow, as are all who share
that address."""

RSA_AT_ONCE: Final = 8
"""RSA operations given to the vault at once; the other handshakes wait."""

REQUEST_RATE: Final = 2_000
"""Requests a second that one network may make for long; then it is not read for a while."""

BYTES_RATE: Final = 32 * 1024 * 1024
"""Bytes a second that are read from one network for long; then it is not read for a while."""

HANDED_WAIT: Final = 0.05
"""A message that was handed to a subscriber is written to the disk if it is not acknowledged in this time."""

HANDED_MAX: Final = 64 * 1024 * 1024
"""Bytes of messages in memory on their way to somebody or to the disk; more are answered as too many."""

PARTIAL_MAX: Final = 64 * 1024 * 1024
"""Bytes in memory of records and requests that have begun, on all links together."""

PARTIAL_PER_NETWORK: Final = 8 * 1024 * 1024
"""… on the links from one /24 or /56, so that nobody else is dropped for what one network has begun."""

PARTIAL_SMALL: Final = 8 * 1024
"""A link that has begun less than this is not dropped for either."""

CLIENT_WAITING: Final = 512 * 1024
"""Bytes that wait for a slow client before nothing more is read from it or brought to it."""

WAITING_MAX: Final = 256 * 1024 * 1024
WAITING_PER_NETWORK: Final = 32 * 1024 * 1024
"""Bytes that wait for all slow clients, and for those of one /24 or /56, before the slowest are dropped."""

CLIENT_STALL: Final = 60.0
"""A client that has taken nothing of what waits for it for so long is dropped."""

FETCH_MAX: Final = 16
"""Messages read from the disk at once for one subscription."""

FETCH_OCTETS: Final = 1024 * 1024
"""Bytes of messages read at once for one subscription …"""

FETCHED_TOGETHER: Final = 16 * 1024 * 1024
"""… and for all in one transaction, after which each gets one message more and no others."""

FETCH_AGAIN: Final = 5.0
"""What the disk could not read for a subscription is looked for again after this time."""

QUEUES_KNOWN: Final = 8_192
"""Queues without subscription that are kept in memory once they have been used."""

DISK_FREE: Final = 256 * 1024 * 1024
"""Bytes of its disk that a relay leaves free: room for the log of its database, and for others."""

ROW_COSTS: Final = 1024
"""Bytes that a queue with nothing in it takes on the disk, and any other row beside what it holds."""

VAULT_AGAIN: Final = 10.0
"""A relay whose keys could not be opened again tries that after this time."""

TROUBLE_SHOWN: Final = 60.0
"""What the disk did not do is written into the log once in this time, and /health says it for so long."""

WRITES_TOGETHER: Final = 256
"""Writes in one transaction."""

EXPIRY_INTERVAL: Final = 600.0
"""How often what has expired is deleted."""

EXPIRY_STEP: Final = 500
"""Rows deleted in one transaction, so that messages need not wait for long."""

EXPIRY_OCTETS: Final = 16 * 1024 * 1024
"""Bytes of messages deleted in one transaction: all are overwritten, and pass through the database's log."""

TOKENS: Final = 10_000
"""Tokens, and people listed, that an owner may name."""

TRAFFIC_HEX: Final = 32
TRAFFIC_HEX_MAX: Final = 4096
"""Bytes of a message that the monitor shows."""

TRAFFIC_HEX_WINDOW: Final = 128
"""… of a relay that the window hosts."""

TRAFFIC_ROWS: Final = 1_000
"""Rows that the window's monitor keeps."""

HOSTED_PORT: Final = 42100
"""Where a relay that the window hosts listens unless told otherwise: beside the program's own port."""

HOSTED_START: Final = 60.0
"""A relay that the window starts is up within this time; making its keys is part of it."""

TRAFFIC_WAITING: Final = 1_000
"""Lines that wait for a slow reader of the monitor; then it misses some, and is told how many."""

CIRCUITS: Final = 256
"""Circuits at a time at one relay."""
