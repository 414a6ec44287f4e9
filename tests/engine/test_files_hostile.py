"""Offers and lists of files by somebody who means harm, between two engines: refused, or made harmless."""

import os
from pathlib import Path

import msgspec
import pytest

from messenger.core import offering
from messenger.core.errors import DiskFull
from messenger.core.file_names import safe_name, shown_name
from messenger.core.ids import MESSAGE_ID_SIZE
from messenger.core.offering import Offering
from messenger.crypto.hashing import manifest_root
from messenger.engine import files as files_module
from messenger.protocol import packets
from tests.engine.test_files import Pair, both_done, file, names, offered, pair
from tests.engine.test_files_attacked import SIZE, fails, link

__all__ = ["pair"]


def offers(monkeypatch: pytest.MonkeyPatch, entries: object, size: int, files: int = 1) -> None:
    """Whatever is offered from now on, this list of files is offered instead."""
    manifest = msgspec.msgpack.encode(entries)
    body = offering.encode(
        Offering(
            names=("a",), tops=1, files=files, folders=0, size=size, root=manifest_root(manifest),
            manifest=len(manifest), media=0,
        )
    )  # fmt: skip
    monkeypatch.setattr(files_module, "described", lambda _found, _thumbnail: (body, manifest))


@pytest.mark.parametrize(
    "path",
    [
        [".."], ["."], [""], ["/etc/passwd"], ["a/b"], ["a\0b"], ["..", "..", "a"], ["a", "b"],
        ["a"] * 33, ["a"] * 10_000, ["a" * 1025], [],
    ],
    ids=lambda path: repr(path)[:20],
)  # fmt: skip
async def test_a_path_that_leads_elsewhere(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: list[str]
) -> None:
    offers(monkeypatch, [[path, SIZE, 0, False, False]], SIZE)
    await fails(pair, tmp_path)


@pytest.mark.parametrize(
    "entries",
    [
        [[["a"], SIZE + 1, 0, False, False]],
        [[["a"], 10**18, 0, False, False]],
        [[["a"], SIZE, 0, False, False], [["b"], 0, 0, False, False]],
        [[["a"], SIZE, 0, False, False], [["a", "b"], 0, 0, False, False]],
        [[["a"], SIZE, 0, False, False], [["a"], 0, 0, False, False]],
        [[["a"], SIZE, 0, False, True]],
        [[["a"], -1, 0, False, False]],
        [],
    ],
    ids=["larger", "huge", "more files", "in a file", "twice", "folder with bytes", "negative", "none"],
)  # fmt: skip
async def test_a_list_of_files_that_lies(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entries: list[object]
) -> None:
    offers(monkeypatch, entries, SIZE)
    await fails(pair, tmp_path)


async def test_names_that_some_system_takes_for_something_else(pair: Pair, tmp_path: Path) -> None:
    """They arrive, inside of the folder, under names that are nothing but names."""
    evil = [
        "CON", "nul.txt", "COM1.tar.gz", "C:evil", "a\\..\\..\\b", "\\\\server\\share", "ends. ", "-rf",
        "\u202egpj.exe", "a\u200bb", "a\x1b[31mb", "a\nb", "file:stream", "~", ".profile", "..\u2024",
    ]  # fmt: skip
    for number, name in enumerate(evil):
        file(tmp_path / "here" / name, number)
    offer = await offered(pair, *(tmp_path / "here" / name for name in evil))
    assert all(name == shown_name(name) for name in offer.names)
    await pair[1].engine.accept_files(offer.id, tmp_path / "out" / "there")
    done = await both_done(pair)
    assert names(tmp_path / "out") == ["there"]
    arrived = names(tmp_path / "out" / "there")
    assert len(arrived) == len(evil)
    assert all(safe_name(name) == name and name.isprintable() for name in arrived)
    assert sorted(Path(path).name for path in done.placed) == arrived


async def test_an_offer_of_more_than_there_can_be(pair: Pair) -> None:
    alice, bob, to_bob = pair
    honest = offering.encode(
        Offering(
            names=("a",), tops=1, files=1, folders=0, size=2**53, root=bytes(32), manifest=9, media=0
        )
    )  # fmt: skip
    fields = msgspec.msgpack.decode(honest)
    fields[4] = 10**18
    connection, since = await link(alice, bob), alice.mark
    body = msgspec.msgpack.encode(fields)
    connection.post(packets.Offer(os.urandom(MESSAGE_ID_SIZE), 1, bytes(32), 0, body, 0, 0))
    await alice.offline(to_bob, since=since)
    assert await bob.engine.transfers() == []


async def test_the_largest_offer_there_can_be_finds_no_room(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offers(monkeypatch, [[["a"], 2**53, 0, False, False]], 2**53)
    offer = await offered(pair, file(tmp_path / "a", 1))
    with pytest.raises(DiskFull):
        await pair[1].engine.accept_files(offer.id, tmp_path / "there")
    assert not names(tmp_path / "there")
