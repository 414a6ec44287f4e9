"""Every number that bounds something, with its reason. Sizes in bytes, times in seconds."""

from typing import Final

# --- wire: framing and handshake (SPEC.md sections 4 and 5) ---

NONCE_SIZE: Final = 32
"""Nonce of each side in a handshake."""

XWING_PUBLIC_SIZE: Final = 1216
"""X-Wing public key: ML-KEM-768 (1184) then X25519 (32), draft-connolly-cfrg-xwing-kem."""

XWING_CIPHERTEXT_SIZE: Final = 1120
"""X-Wing ciphertext: ML-KEM-768 (1088) then X25519 (32)."""

RSA_SIZES: Final = (384, 512)
"""Accepted RSA moduli in bytes: 3072 and 4096 bits."""

HANDSHAKE_MESSAGE_MAX: Final = {1: 1400, 2: 3600, 3: 3600, 4: 1500, 5: 32, 6: 33}
"""Largest body of each handshake message by type; a longer one is refused at its header.

With two 4096-bit keys M2 carries 1675 bytes of key material and M3 2187, capabilities at most 108.
"""

PUZZLE_BITS: Final = 16
"""Difficulty of the puzzle under load: some 0.1 s of work for the caller, 1 µs for us to check."""

PUZZLE_BITS_MAX: Final = 20
"""The most that a caller accepts: a second or two."""

PUZZLE_HALF_OPEN: Final = 16
"""Handshakes in progress at a listener from which strangers get a puzzle."""

CAPS_MAX: Final = 108
"""Capability block inside a handshake message with every field filled."""

SUITES_MAX: Final = 16
"""Most suites that M1 may list."""

HANDSHAKE_FIRST: Final = 5.0
"""Deadline for the first handshake message."""

HANDSHAKE_STEP: Final = 10.0
"""Deadline for each further handshake message."""
FIRST_WORDS: Final = HANDSHAKE_STEP
"""Deadline for the first words of whoever comes in and is not a contact."""

HANDSHAKE_TOTAL: Final = 30.0
"""Deadline for the whole handshake, without the time a person takes to look at a fingerprint."""

CONFIRM_PEER: Final = 120.0
"""How long a dialler may look at an unknown fingerprint before the attempt is given up.

The listener waits HANDSHAKE_STEP only, so the dialler hangs up meanwhile and dials again by fingerprint.
"""

HALF_OPEN_TOTAL: Final = 64
HALF_OPEN_PER_NETWORK: Final = 4
"""Handshakes in progress at one listener, and of these from one /24 (IPv4) or /56 (IPv6)."""

HANDSHAKE_FAILURE_DELAY: Final = 0.05
"""A failed handshake is closed no sooner than this, plus jitter, so that failures look alike."""

HANDSHAKE_FAILURE_JITTER: Final = 0.02
"""Upper bound of the random part of the closing delay."""

# --- wire: records (SPEC.md section 5) ---

RECORD_CONTENT_MAX: Final = 256 * 1024
"""Most content bytes in one record: the best measured size for AES-256-GCM."""

RECORD_PADDING: Final = 256
"""Chat records are padded to a multiple of this."""

TAG_SIZE: Final = 16
"""AES-256-GCM tag."""

RECORD_INNER_HEADER: Final = 4
"""Type (1) and content length (3) inside each record."""

RECORD_CIPHERTEXT_MAX: Final = RECORD_CONTENT_MAX + RECORD_PADDING + TAG_SIZE
"""Most bytes of one record after its outer header: the longest content needs one more step of padding."""

RECORDS_PER_KEY: Final = 2**22
"""Records under one key before it must have been replaced (TLS 1.3 allows 2^24.5)."""

BYTES_PER_KEY: Final = 2**34
"""Bytes under one key before it must have been replaced."""

REKEY_INTERVAL: Final = 5.0
"""Seconds between key exchanges while packets flow (a lane's may be set to 1 to 60)."""

REKEY_STAGGER: Final = 1.0
"""How much longer the responder waits, so that both rarely offer at once."""

REKEY_IDLE: Final = 60.0
"""After this long without a packet the next one waits for fresh keys."""

REKEY_ANSWER: Final = 30.0
"""An OFFER or ACCEPT must be answered within this time."""

REKEY_LEAST: Final = 1.0
"""A peer's offers must be at least this far apart."""

REKEY_RECORDS: Final = 2**20
REKEY_BYTES: Final = 2**32
"""Records and bytes under one key after which fresh ones are offered, whatever the time."""

PING_MAX: Final = 8
"""Content of a ping or pong."""

EMPTY_RECORDS_MAX: Final = 32
"""Consecutive records without content before the link is closed."""

RECORD_DEADLINE: Final = 30.0
"""A record that has begun must be complete within this time."""

READ_SIZE: Final = 256 * 1024
"""Bytes asked from a socket at once."""

WRITE_HIGH_WATER: Final = 4 * 1024 * 1024
"""Bytes waiting for a slow reader before senders wait."""

WRITE_MAX: Final = 16 * 1024 * 1024
"""Bytes waiting for a slow reader at which it is dropped."""

PACKET_MAX: Final = 192 * 1024
"""Largest encoded application packet."""

CLOSE_WAIT: Final = 2.0
"""How long a closing side waits for the other's goodbye."""

KEEPALIVE_INTERVAL: Final = 10.0
"""An idle link sends a ping this often."""

KEEPALIVE_TIMEOUT: Final = 25.0
"""A link that has been silent for this long is dead (DESIGN: noticed within 30 s)."""

# --- application ---

ORDER_MAX: Final = 2**42 - 1
"""Largest order of a message, which is a time in milliseconds: the year 2109."""

ORDER_TIE_BITS: Final = 21
"""Bits of a message's id that decide between two messages of the same order."""

CLOCK_AHEAD: Final = 24 * 3600
"""How far ahead of our clock a message may stand; what claims to be of later stands there."""

TEXT_MAX: Final = 64 * 1024
"""Longest text message in UTF-8 bytes (10,000 characters of any script fit)."""

STRANGER_TEXT_MAX: Final = 4 * 1024
"""Longest text in UTF-8 bytes from somebody who has not been accepted."""

STRANGER_MESSAGES_MAX: Final = 20
"""Messages kept for one unanswered message request; more are left at the sender."""

REQUESTS_MAX: Final = 100
"""Unanswered message requests kept; a stranger beyond that is refused."""

NAME_MAX: Final = 64
"""Longest name of a person in characters."""

NAME_BYTES_MAX: Final = 256
"""Longest name of a person in UTF-8 bytes."""

ADDRESSES_PER_CONTACT: Final = 8
"""Addresses remembered for one contact, newest first."""

UNACKNOWLEDGED_MAX: Final = 256
"""Messages on their way to one peer without receipt; further ones wait in the outbox."""

OUTBOX_MAX: Final = 100_000
"""Waiting messages of one conversation that are handled at once when it is blocked."""

RECEIPTS_PER_PACKET: Final = 512
"""Message ids in one receipt."""

PAGE: Final = 200
"""Messages read at once for a view."""

# --- invites (SPEC.md section 3) ---

INVITE_SECRET_SIZE: Final = 16
INVITE_LIFETIME: Final = 7 * 24 * 3600.0
"""An invite can be used once, within seven days."""

INVITE_TEXT_MAX: Final = 1024
"""Longest invite link in characters."""

INVITE_ADDRESSES_MAX: Final = 8
INVITES_OPEN_MAX: Final = 64
"""Invites waiting to be used."""

# --- network ---

DEFAULT_PORT: Final = 42000
"""The port that is tried first, and the one that an address without a port means."""

PORT_SEARCH: Final = 100
"""Ports tried after the default one before any free port is taken."""

PORT_SCAN_MAX: Final = 4096
"""Ports looked at in one scan for free ones."""

DIAL_TIMEOUT: Final = 10.0
"""Time for one TCP connection attempt."""

DIAL_STAGGER: Final = 0.25
"""Head start of one address over the next (RFC 8305 section 5)."""

RESOLVE_TIMEOUT: Final = 10.0
NAME_ADDRESSES_MAX: Final = 16
"""Addresses of one host name that are tried, IPv6 and IPv4 in turn: whoever has the name says how many."""

LISTEN_BACKLOG: Final = 128
ACCEPT_PAUSE: Final = 0.1
"""Pause after a connection could not be accepted, for example because file descriptors ran out."""

SIMULTANEOUS_MS: Final = 10_000
"""Two links between the same two people that came up within this time may be a simultaneous open."""

RECONNECT_FIRST: Final = 1.0
RECONNECT_MAX: Final = 60.0
"""Bounds of the pause between attempts to reach a contact, before jitter."""

LINK_PROVEN: Final = 10.0
"""A link that ends sooner counts as a failed attempt to reach somebody: the pauses grow on."""

UPKEEP_INTERVAL: Final = 600.0
"""How often certificates and the age of links are looked at."""

RELINK_AFTER: Final = 3600.0
"""A link is replaced by a new one, with new signatures, after this time."""

STOP_DEADLINE: Final = 5.0
"""The engine is down at the latest this long after it was told to stop."""

# --- identity and key files (SPEC.md section 2) ---

RSA_SMALL_PRIMES: Final = 10_000
"""A modulus with a prime factor below this is refused; the test costs 60 microseconds."""

SAFETY_ITERATIONS: Final = 5200
"""SHA-512 rounds for each half of a safety number, as in Signal's: a few milliseconds each."""

KEXCERT_LIFETIME: Final = 90 * 24 * 3600
"""An exchange key is valid for 90 days."""

KEXCERT_OVERLAP: Final = 14 * 24 * 3600
"""It is replaced this long before it ends."""

CLOCK_SKEW: Final = 24 * 3600
"""How far two machines' clocks may differ before a certificate counts as not yet valid or expired."""

EXCHANGE_KEYS_OLD: Final = 2
"""Exchange keys that are kept after they were replaced, for first contacts on their way. Within the 42 days
of PREKEY_KEPT one is replaced once, unless a clock was wrong."""

SUCCESSION_MAX: Final = 2070
"""A statement of succession between two 4096-bit keys; with 3072 bits it has 1558 bytes."""

SUCCESSIONS_MAX: Final = 64
"""Statements of succession with which one link may begin; each costs the reader two signature checks."""

KEY_FILE_MAX: Final = 64 * 1024
"""Largest key file that is read."""

ARGON2_MEMORY_KIB: Final = 256 * 1024
ARGON2_TIME: Final = 3
ARGON2_LANES: Final = 4
"""Argon2id for new key files: 256 MiB, 3 passes, 4 lanes (0.9 s)."""

ARGON2_MEMORY_KIB_RANGE: Final = (64 * 1024, 1024 * 1024)
ARGON2_TIME_RANGE: Final = (2, 10)
ARGON2_LANES_RANGE: Final = (1, 8)
"""Parameters that are accepted from a file."""

PASSPHRASE_MAX: Final = 1024
"""Longest passphrase in UTF-8 bytes."""

KEYRING_TIMEOUT: Final = 120.0
"""How long the system keyring may wait for a person to unlock it."""

VAULT_MESSAGE_MAX: Final = 256 * 1024
"""Largest message between the program and its vault process."""

VAULT_START: Final = 30.0
"""Time for the vault process to come up on a slow machine."""

VAULT_STOP: Final = 2.0
"""Time for the vault process to end by itself before it is ended."""

VAULT_CALLS_MAX: Final = 32
"""RSA operations waiting in the vault; further handshakes are refused as busy."""

# --- control socket ---

CONTROL_MESSAGE_MAX: Final = 64 * 1024
CONTROL_TIMEOUT: Final = 2.0
"""Time for a running program to answer a second start."""

DEMO_STEP: Final = 30.0
"""A step of the demonstration that takes longer has failed; no step makes keys."""

# --- storage ---

DATABASE_KEY_SIZE: Final = 32
"""Raw key of the database cipher (ChaCha20-Poly1305)."""

DATABASE_CACHE_KIB: Final = 8 * 1024
"""Page cache of the writing connection."""

READER_CACHE_KIB: Final = 4 * 1024
"""Page cache of each reading connection: some thousand messages."""

DATABASE_BUSY: Final = 5.0
"""The writer waits this long for a lock; only a second program or a backup tool can hold one."""

READER_BUSY: Final = 0.25
"""A reader waits this long; it runs in the window's thread and a write never makes it wait."""

# --- sealed messages (SPEC.md section 10) ---

ENVELOPE_BUCKETS: Final = (4 * 1024, 16 * 1024, 64 * 1024, 256 * 1024)
"""Sizes of an envelope as the relay sees it, nonce and tag included; nothing else is told by its size."""

SEALED_PAYLOAD_MAX: Final = PACKET_MAX
"""Largest payload of a sealed message; with all headers it fits into the largest envelope."""

SEALED_PACKETS_MAX: Final = 16
"""Packets in one payload: a greeting, receipts, and some messages."""

FIRST_CONTACTS_AT_ONCE: Final = 2
"""First contacts being opened; each costs the vault an RSA operation before it is known whose it is."""

PREKEYS_LEAST: Final = 16
"""A new list of prekeys is made when fewer of those in the last one can still be used once."""

PREKEY_LIST_RENEW: Final = 7 * 24 * 3600
"""A new list of prekeys is made this long after the last, when half of its time is over."""

STRANGER_PAYLOAD_MAX: Final = STRANGER_TEXT_MAX + 1024
"""Largest payload of a first contact by somebody unknown: the text, a name, and the packets around them."""

MAILBOX_LIFETIME: Final = 21 * 24 * 3600
"""How long a relay keeps an envelope that nobody fetches."""

RATCHET_EPOCH_MESSAGES: Final = 1_000
"""Messages of one epoch. A sender waits for a word of the receiver before it seals more, so that no
loss leaves a gap that the receiver refuses to follow."""

RATCHET_SKIP_SESSION: Final = 5_000
"""Message keys kept for the missing messages of all epochs of a session; the oldest make room."""

RATCHET_SKIP_KEPT: Final = 30 * 24 * 3600
"""How long a message key is kept for a message that may still arrive: the mailbox and some days."""

RATCHET_KEYS_MAX: Final = 2
"""Private ratchet keys alive at once; the rules of the ratchet need no third."""

RATCHET_COUNTER_MAX: Final = 2**31 - 1
"""Largest epoch; a session that reaches it waits for a new one."""

SESSIONS_OLD_MAX: Final = 5
"""Sessions kept with one contact besides the one for sending and our first contacts without an answer."""

SEED_INTERVAL: Final = 24 * 3600
"""A link seeds a new session when the one for sending is older than this; more often, the reconnecting
of a bad line would push out sessions in which messages are still on their way."""

SESSION_RANK_MAX: Final = 2**53
"""Largest rank of a session, which is a time in milliseconds unless somebody's clock is wild."""

SESSIONS_OLD_KEPT: Final = 30 * 24 * 3600
"""How long a session that was replaced can still be received in: the mailbox and some days."""

OPENINGS_WAITING_MAX: Final = 5
"""First contacts sent to one person without an answer."""

OPENINGS_WAITING_KEPT: Final = 2 * MAILBOX_LIFETIME
"""How long a first contact may be answered: it and the answer may each lie at the relay."""

BUNDLE_MAX: Final = 1560
"""An identity bundle with two 4096-bit keys; with 3072 bits it has 1176 bytes."""

PREKEYS_MAX: Final = 64
"""One-time prekeys in a list, besides the one of last resort."""

PREKEY_LIST_LIFETIME: Final = 14 * 24 * 3600
"""How long a prekey list may be valid from now on; a relay cannot serve an old one for longer."""

PREKEY_LISTED: Final = 7 * 24 * 3600
"""A prekey is put into lists for this long after it was made."""

PREKEY_KEPT: Final = 42 * 24 * 3600
"""Private prekeys and the ids of first contacts are kept for this long: twice MAILBOX_LIFETIME, and just
PREKEY_LISTED, PREKEY_LIST_LIFETIME and MAILBOX_LIFETIME one after the other."""
