"""Everybody in the invented profile, and what is said, offered and told there."""

from typing import Final

from messenger.core.transfers import TransferState, Trouble, Wish

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

LONG: Final = (
    "Here is the plan for Saturday, all of it, so that nobody has to ask twice. "
    "We meet at the old boat house at nine, not at the station, because the 9:12 does not run on weekends. "
)

ODD_LINK: Final = "https://bank.example@xn--e1awd7f.example/login"
"""A link that is made to deceive."""

LONG_NAME: Final = "Everybody in the long street behind the old water tower"
"""Somebody with more name than room."""

TALK: Final[dict[str, list[tuple[int, bool, str]]]] = {
    "Bob": [
        (-(DAY + 3 * HOUR), False, "Did you get the drawings for the bridge?"),
        (-(DAY + 3 * HOUR) + MINUTE, True, "Yes! Printing them now. They look great."),
        (-(DAY + 2 * HOUR), True, "One question: is the left pier 40 cm or 45?"),
        (-55 * MINUTE, False, "45. I measured it again this morning, the old plan was wrong."),
        (
            -54 * MINUTE,
            False,
            "The whole survey is at https://example.org/survey/2026 if you like to check",
        ),
        (-50 * MINUTE, True, "I trust you. But I checked anyway: you are right."),
        (
            -49 * MINUTE,
            True,
            "Shall we meet tomorrow? I could be there at nine, or later if you prefer.",
        ),
        (
            -48 * MINUTE,
            True,
            "Run `survey.py`:\n```\nfor pier in piers:\n    print(pier)\n```",
        ),
        (-31 * MINUTE, False, "Nine is fine"),
        (-30 * MINUTE, False, "👍"),
        (-12 * MINUTE, False, "אני אביא את הקפה ☕"),
        (-9 * MINUTE, True, "Perfect, see you there."),
    ],
    "Carol": [
        (-2 * DAY, True, LONG * 3),
        (-3 * HOUR, False, "Thank you for the list, that helps a lot."),
        (-2 * HOUR, False, "Could you bring the long ladder?"),
        (-2 * HOUR + MINUTE, False, "And the blue rope, if you find it"),
    ],
    "Dave": [(-26 * HOUR, False, "The parcel came, everything in one piece.")],
    "Erin": [(-4 * DAY, True, "Good luck on Monday!")],
    "Mallory": [(-20 * MINUTE, False, "Hi, we met at the fair. Is this you?")],
    "Grace": [(-5 * DAY, False, "I have a new computer."), (-5 * DAY + MINUTE, True, "Lucky you!")],
    "Heidi": [(-7 * DAY, True, "Are you coming on Friday?"), (-6 * DAY, False, "Yes, both of us")],
    "Ivan": [(-8 * DAY, False, "Call me back"), (-7 * DAY, True, "I will, as soon as I am home.")],
    "Judy": [(-9 * DAY, False, "The code of the gate is the same as last year")],
    LONG_NAME: [
        (
            -10 * DAY,
            False,
            "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
        ),
        (-10 * DAY + MINUTE, True, "x" * 120),
    ],
}
"""What was said: milliseconds before now, whether it is ours, and the words."""

CROWD: Final = "The house"
"""Somebody with very many unread messages."""
UNREAD: Final = 3_000

FILES: Final = (
    ("survey 2026.pdf", False, "file", 3_400_000),
    ("bridge.jpg", False, "picture", 1_900_000),
    ("Rechnung_final.pdf.exe", False, "file", 640_000),
    ("film of the crane.mkv", True, "film", 912_000_000),
    ("drawings", True, "folder", 48_000_000),
    ("notes.txt", True, "file", 12_000),
)
"""Names of invented files that Frank and Alice offer each other, who offers, kind and size."""

STANDS: Final[tuple[dict[str, object], ...]] = (
    {"state": TransferState.OFFERED},
    {
        "state": TransferState.DONE,
        "theirs": Wish.GO,
        "mine": Wish.DONE,
        "placed": ("/home/alice/bridge.jpg",),
    },
    {"state": TransferState.OFFERED},
    {"state": TransferState.RUNNING, "done": 365_000_000, "speed": 41_000_000, "seconds_left": 14},
    {"state": TransferState.PAUSED, "theirs": Wish.PAUSED, "done": 12_000_000},
    {"state": TransferState.FAILED, "mine": Wish.FAILED, "trouble": Trouble.SOURCE_CHANGED},
)
"""How the invented files stand."""

RELAYS: Final = ("203.0.113.7:42100", "[2001:db8::17]:42100", "198.51.100.20:443")
"""Where invented relays are: ours, one that a contact has, and one that the person is asked about."""


SECONDS_KEPT: Final = 8 * 3600
"""The timer of a conversation whose messages disappear."""

PASSING: Final[tuple[dict[str, object], ...]] = (
    {"event": "in", "link": 3, "queue": "9f31c0", "bytes": 4096, "hex": "8c5a0f9d17e2b4467730aa51f2c4d9e0"},
    {"event": "out", "link": 5, "queue": "9f31c0", "bytes": 4096, "hex": "8c5a0f9d17e2b4467730aa51f2c4d9e0"},
    {"event": "ring", "link": 5, "to": 3},
    {"event": "circuit", "links": [5, 3]},
    {"event": "in", "link": 7, "queue": "04be77", "bytes": 16384, "hex": "51f2c4d9e08c5a0f9d17e2b4467730aa"},
    {"event": "circuit over", "links": [5, 3], "bytes": 912_004_116},
)
"""What an invented relay sees."""
