"""The numbers of `limits` that are about sleep, pulled cables, and an identity in two places. In seconds."""

from typing import Final

PROBE_PATIENCE: Final = 5.0
"""How long a link may take for a sign of life when the world has changed: two round trips of a bad line."""

OUTLOOK_INTERVAL: Final = 5.0
"""How often the clocks are compared, to see that the computer has slept."""

OUTLOOK_ADDRESSES: Final = 30.0
"""How often our own addresses are looked at where the system does not tell that they have changed."""

OUTLOOK_SETTLE: Final = 0.5
"""After a change of the network more changes follow; they are looked at together."""

SLEPT: Final = 4.0
"""More than this between two looks than there should be, and the computer has slept."""

DOUBLES_WITHIN: Final = 600.0
"""If so soon once more a contact keeps a link with us that is not ours, somebody else is us, too."""
