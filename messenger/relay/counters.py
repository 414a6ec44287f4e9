"""What a relay counts of itself; numbers without anybody's name in them."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """Since the relay was started, unless it says something else."""

    streams: int = 0
    """Open now."""
    streams_taken: int = 0
    streams_refused: int = 0
    """Turned away at the door: too many."""
    greeting: int = 0
    """Handshakes in progress now."""
    handshakes: int = 0
    """That were completed."""
    handshakes_failed: int = 0
    clients: int = 0
    """Links that are up now."""
    clients_dropped: int = 0
    """Links that broke a rule, went silent, or did not take what waited for them."""
    throttled: int = 0
    """Times that a link was not read for a while, as too much came from its network."""
    requests: int = 0
    messages_in: int = 0
    messages_out: int = 0
    octets_in: int = 0
    """Bytes of envelopes that came."""
    octets_out: int = 0
    circuits: int = 0
    """Joined now."""
    circuits_joined: int = 0
    circuit_octets: int = 0
    queues: int = 0
    """Now, as the four after it: looked up now and then."""
    messages_kept: int = 0
    octets_kept: int = 0
    entries: int = 0
    """In the directory."""
    disk_room: int = 0
    """Bytes that may be kept besides."""
    troubles: int = 0
    """Things that the disk did not do."""
