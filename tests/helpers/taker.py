"""A program that takes sealed messages and is killed meanwhile: ``python -m tests.helpers.taker FOLDER KEY``.

It tries every message of a folder again and again from the first, as a carrier does that never hears
what became of them, and prints a line for each one that is safely on disk.
"""

import os
import sys
from pathlib import Path

from messenger.core.errors import RemoteProtocolError
from messenger.engine.sealed_in import take_message
from messenger.engine.sealed_store import Desk
from messenger.storage.store import Store
from tests.helpers.engines import DATABASE
from tests.helpers.sealing import BOB, NOW


def main(folder: Path, key: bytes) -> None:
    """Take what is there, then say so."""
    store = Store.open(folder / DATABASE, key)
    for path in sorted(folder.glob("*.sealed")):
        try:
            taken = take_message(Desk(store, BOB, NOW * 1000), path.read_bytes())
        except RemoteProtocolError:
            continue
        (added,) = (arrival.added for arrival in taken.arrivals if arrival.added is not None)
        os.write(1, f"{added.text}\n".encode())
    store.close()
    os.write(1, b"done\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), bytes.fromhex(sys.argv[2]))
