"""Write the test vectors of the protocol: ``python -m tests.vectors.make_sotto``.

Nothing in them is random, so that a second run writes the same bytes; a test does that.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.vectors import (
    sotto_files,
    sotto_first,
    sotto_links,
    sotto_packets,
    sotto_people,
    sotto_records,
    sotto_refused,
    sotto_relay_links,
    sotto_relays,
    sotto_sealed,
)
from tests.vectors.sotto_people import Json

FOLDER: Final = Path(__file__).parent / "sotto"


def files() -> Iterator[tuple[str, Json]]:
    """Every file with what it holds."""
    yield "primitives", sotto_people.primitives()
    yield "identities", sotto_people.identities()
    yield "invites", sotto_people.invites()
    yield "packets", sotto_packets.packets()
    for case in sotto_links.CASES:
        yield f"handshake-{case.name}", sotto_links.handshake(case)
    for kind in range(1, 6):
        yield f"refused-M{kind}", sotto_refused.refused(kind)
    yield "channel", sotto_records.channel()
    yield "refused-records", sotto_records.refused()
    yield "lane", sotto_records.lane()
    yield "files", sotto_files.files()
    yield "relays", sotto_relays.relays()
    yield "relay-links", sotto_relay_links.relay_links()
    yield "circuits", sotto_relays.circuits()
    yield "directory", sotto_relays.directory()
    yield "nearby", sotto_relays.nearby()
    yield "envelopes", sotto_sealed.envelopes()
    yield "sealed-session", sotto_sealed.session()
    yield "prekeys", sotto_first.prekeys()
    yield "first-contact", sotto_first.first_contact()


def text(content: Json) -> str:
    """A file as it is written; bytes in hexadecimal."""
    return json.dumps(content, indent=1, ensure_ascii=False, default=bytes.hex) + "\n"


def main() -> None:
    """Write them all."""
    for name, content in files():
        (FOLDER / f"{name}.json").write_text(text(content), encoding="utf-8")


if __name__ == "__main__":
    main()
