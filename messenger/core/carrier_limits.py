"""The numbers of `limits` for those who use relays. Times in seconds."""

from typing import Final

from messenger.core import limits

OWN_RELAYS_MAX: Final = 4
"""Relays at which people write to us: as many as are told to a contact, `relay_limits.PLACES_MAX`."""

RELAYS_KNOWN: Final = 64
"""With more relays known, those at which nobody is written to any more are forgotten at once, and not minutes
later: a contact may name others again and again."""

MORE_LINKS: Final = 15
"""Further links with a relay of ours, for more queues than one link may have."""

RELAY_IDLE: Final = 120.0
"""A link with a relay that is not ours is closed when nothing was asked on it for so long."""

WORK_SLACK: Final = 1.1
"""Tasks of work are asked for a little more slowly than `relay_limits.TASK_INTERVAL`: clocks differ."""

QUEUE_WAIT: Final = 20.0
"""Whoever has added a relay, or wants to be found there, waits at most so long for link and queue; and
whoever calls somebody through one for the link."""

JOIN_WAIT: Final = 35.0
"""A relay joins a circuit, or gives it up, within this time: a pass works for 30 s."""

RINGS_AT_ONCE: Final = 4
"""Circuits that one contact opens to us and that are not links yet."""

RINGS_ALL: Final = 32
"""… and that all of them do."""

RELAY_TICK: Final = 5.0
"""How often a link with a relay looks at the clock."""

PREKEYS_PER_RELAY: Final = 16
"""Prekeys that one relay has to hand out: a quarter of those in a list."""

PREKEYS_LOW: Final = 4
"""With fewer left at a relay it is given others."""

CARRIED_AT_ONCE: Final = 16
"""Messages to one person that are on their way to a relay without an answer."""

CARRIED_LEAST: Final = 3600
"""A message without a receipt is handed over again when a relay has kept it for as long as it does, no sooner
than after this time, and at the latest after `limits.MAILBOX_LIFETIME`, whatever it says."""

CARRIED_ANEW: Final = limits.RATCHET_EPOCH_MESSAGES // 2
"""It is sealed anew for that, but for this many messages of an epoch, which are for what was never sealed."""

CARRY_AGAIN: Final = 60.0
"""Something that a relay would not take is tried again after so long, if it does not say when, then after
twice as long, and so on …"""

CARRY_AGAIN_MAX: Final = 3600.0
"""… at the latest after so long, whatever it says."""

LOSSES_FORGOTTEN: Final = 24 * 3600.0
"""A relay that loses queues of ours again within this time is asked for new ones after pauses like these."""

RETIRED_KEPT: Final = 21 * 24 * 3600
"""A queue of which nobody is told any more is deleted when nothing has come for so long, and it is empty."""

RETIRED_MOST: Final = 365 * 24 * 3600
"""… and if the contact has shown to know of another one, or has been away for so long."""

QUEUE_AGE: Final = 180 * 24 * 3600
"""A queue for a contact is replaced by another one after so long."""

FIRST_WORDS_MAX: Final = 8 * 1024
"""Longest text in a first contact with an invite, UTF-8 bytes: its envelope has 16384."""
