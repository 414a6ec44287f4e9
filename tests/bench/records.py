"""Cost of a record: ours against AES-256-GCM of the same library without a protocol around it.

``us_64b``: µs to seal and open one record of 64 bytes. ``gb_s_256k``: GB/s through both, in
records of 256 KiB.
"""

import os
import time
from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from messenger.protocol.channel import Channel
from messenger.protocol.records import RecordBuffer
from messenger.protocol.rekey import Epoch
from tests.bench.report import Case, Sample, measure, options

SMALL, LARGE = 64, 256 * 1024
SMALL_COUNT, LARGE_COUNT = 5_000, 400


def sotto() -> Sample:
    """Two channels, one sealing and one opening."""
    epoch, secret = Epoch(os.urandom(32), os.urandom(32)), os.urandom(32)
    here, there = (Channel(epoch, secret, initiator=side) for side in (True, False))

    buffer = RecordBuffer()

    def through(content: bytes) -> None:
        here.send(content)
        for _ in there.receive_data(here.data_to_send()):
            pass

    def bulk(content: bytes) -> None:
        """As for a file: the content was read into the buffer, which costs the bare cipher the same."""
        for _ in there.receive_data(here.send_in_place(buffer, len(content))):
            pass

    return _timed(through, bulk)


def bare() -> Sample:
    """The cipher alone, with counted nonces and a four-byte header as additional data."""
    cipher, numbers = AESGCM(os.urandom(32)), iter(range(2**32))

    def through(content: bytes) -> None:
        nonce = next(numbers).to_bytes(12, "big")
        cipher.decrypt(nonce, cipher.encrypt(nonce, content, b"head"), b"head")

    return _timed(through, through)


def _timed(run: Callable[[bytes], None], bulk: Callable[[bytes], None]) -> Sample:
    small, large = os.urandom(SMALL), os.urandom(LARGE)
    started = time.process_time()
    for _ in range(SMALL_COUNT):
        run(small)
    us = (time.process_time() - started) / SMALL_COUNT * 1e6
    started = time.process_time()
    for _ in range(LARGE_COUNT):
        bulk(large)
    seconds = time.process_time() - started
    return {"us_64b": us, "gb_s_256k": LARGE * LARGE_COUNT / seconds / 1e9}


if __name__ == "__main__":
    chosen = options(__doc__ or "")
    measure(
        [Case("sotto", sotto), Case("bare", bare)],
        {"us_64b": "µs", "gb_s_256k": "GB/s"},
        runs=chosen.runs,
        as_json=chosen.json,
    )
