"""The directory of a relay that is up: policies, checks, status, pages."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from messenger.core import relay_limits
from messenger.core.ids import Fingerprint, format_fingerprint
from messenger.crypto.rsa import Label
from messenger.protocol.directory import Entry, read_page
from messenger.protocol.relay_answers import Done, Failed, Page
from messenger.protocol.relay_finding import Browse, LookUp, Publish, SetStatus, Status, Withdraw
from messenger.protocol.relay_queues import QueueKind
from messenger.protocol.relay_word import Code, DirectoryPolicy, RelayFlag, Welcome
from tests.helpers.keys import identity
from tests.helpers.links import NOW, bundle
from tests.helpers.relays import Box, Site, Visitor, relay_in

WEEK = 7 * 86400


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two entries of one link."""
    monkeypatch.setattr(relay_limits, "STATUS_INTERVAL", 0.0)


def entry(
    site: Site,
    box: Box,
    who: str = "alice",
    relay: Fingerprint | None = None,
    **changes: Any,  # noqa: ANN401 -- any field
) -> bytes:
    """An entry of somebody for this relay, or for another one."""
    draft = Entry(bundle(who), NOW, NOW + WEEK - 60, who.title(), "", box.send_id, box.send_key, b"q" * 32)
    draft = msgspec.structs.replace(draft, **changes)
    needed = draft.needed(relay or site.started.fingerprint)
    return draft.signed(identity(who).signing.sign(Label.DIRECTORY, needed.fields)).encode()


async def publish(visitor: Visitor, box: Box, raw: bytes, token: bytes = b"") -> Done | Failed:
    request = Publish(0, box.recv_id, Status.ONLINE, raw, token)
    answer: Done | Failed = await visitor.ask(request, box.recv_key)
    return answer


async def one(visitor: Visitor, who: str = "alice", token: bytes = b"") -> Any:  # noqa: ANN401
    return await visitor.ask(LookUp(0, identity(who).fingerprint, token))


def code(answer: object) -> Code | None:
    return answer.code if isinstance(answer, Failed) else None


async def test_somebody_publishes_is_found_and_goes(folder: Path) -> None:
    async with relay_in(folder, directory="open") as site:
        alice, other = await site.visitor(), await site.visitor()
        assert (await other.word(Welcome)).directory is DirectoryPolicy.OPEN
        box = await alice.make(QueueKind.REQUESTS)
        assert code(await one(other)) is Code.ABSENT
        assert isinstance(await publish(alice, box, entry(site, box)), Done)
        page = await one(other)
        assert isinstance(page, Page)
        asked = LookUp(0, identity("alice").fingerprint)
        (found,) = read_page(page, asked, site.started.fingerprint, NOW)
        assert (found.entry.name, found.status) == ("Alice", Status.ONLINE)
        assert isinstance(await alice.ask(SetStatus(0, box.recv_id, Status.BUSY), box.recv_key), Done)
        assert (await one(other)).entries[0][0] is Status.BUSY
        await alice.close()
        while (await one(other)).entries[0][0] is not Status.OFFLINE:
            pass
        again = await site.visitor()
        assert isinstance(await again.ask(Withdraw(0, box.recv_id), box.recv_key), Done)
        assert code(await one(other)) is Code.ABSENT
        assert code(await again.ask(Withdraw(0, box.recv_id), box.recv_key)) is Code.ABSENT


async def test_pages_of_the_directory(folder: Path) -> None:
    async with relay_in(folder, directory="open") as site:
        visitor = await site.visitor()
        people = ("alice", "carol", "mallory", "dora")
        for who in people:
            box = await visitor.make(QueueKind.REQUESTS)
            assert isinstance(await publish(visitor, box, entry(site, box, who)), Done)
        found, after = [], b""
        while True:
            asked = Browse(0, after, 3)
            page = await visitor.ask(asked)
            entries = read_page(page, asked, site.started.fingerprint, NOW)
            found += [each.entry.fingerprint for each in entries]
            if not page.next:
                break
            after = page.next
        assert found == sorted(identity(who).fingerprint for who in people)


def spoilt(raw: bytes) -> bytes:
    """With another last byte, whatever it was."""
    return raw[:-1] + bytes((raw[-1] ^ 1,))


Wrong = Callable[[Site, Box], bytes]


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (lambda site, box: entry(site, box, send_id=b"x" * 24), Code.DENIED),
        (lambda _site, _box: b"\x01nonsense", Code.REFUSED),
        (lambda site, box: entry(site, box, not_after=NOW - 1), Code.REFUSED),
        (lambda site, box: entry(site, box, not_after=NOW + 9 * 86400), Code.REFUSED),
        (lambda site, box: entry(site, box, relay=Fingerprint(b"o" * 32)), Code.REFUSED),
        (lambda site, box: spoilt(entry(site, box)), Code.REFUSED),
    ],
)
async def test_an_entry_that_may_not_be_there(folder: Path, wrong: Wrong, expected: Code) -> None:
    async with relay_in(folder, directory="open") as site:
        visitor = await site.visitor()
        box = await visitor.make(QueueKind.REQUESTS)
        assert code(await publish(visitor, box, wrong(site, box))) is expected


async def test_an_entry_needs_a_greater_serial_and_a_request_queue(folder: Path) -> None:
    async with relay_in(folder, directory="open") as site:
        visitor = await site.visitor()
        box, contact = await visitor.make(QueueKind.REQUESTS), await visitor.make()
        assert code(await publish(visitor, contact, entry(site, contact))) is Code.DENIED
        assert isinstance(await publish(visitor, box, entry(site, box)), Done)
        assert code(await publish(visitor, box, entry(site, box))) is Code.REFUSED
        assert isinstance(await publish(visitor, box, entry(site, box, serial=NOW + 1)), Done)
        await visitor.delete(box)
        assert code(await one(visitor)) is Code.ABSENT


async def test_tokens(folder: Path, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("# given to friends\nopen sesame\n")
    options = {"directory": "token", "queue_token": True, "find_token": True, "token_file": str(tokens)}
    async with relay_in(folder, **options) as site:
        visitor = await site.visitor()
        flags = (await visitor.word(Welcome)).flags
        assert flags == RelayFlag.QUEUE_TOKEN | RelayFlag.FIND_TOKEN
        with pytest.raises(AssertionError, match="TOKEN"):
            await visitor.make(QueueKind.REQUESTS)
        box = await visitor.make(QueueKind.REQUESTS, token=b"open sesame")
        assert code(await publish(visitor, box, entry(site, box), b"wrong")) is Code.TOKEN
        assert isinstance(await publish(visitor, box, entry(site, box), b"open sesame"), Done)
        assert code(await one(visitor)) is Code.TOKEN
        assert isinstance(await one(visitor, token=b"open sesame"), Page)


async def test_only_listed_people(folder: Path, tmp_path: Path) -> None:
    listed = tmp_path / "listed"
    listed.write_text(format_fingerprint(identity("carol").fingerprint) + "\n")
    async with relay_in(folder, directory="listed", listed_file=str(listed)) as site:
        visitor = await site.visitor()
        box, other = [await visitor.make(QueueKind.REQUESTS) for _ in range(2)]
        assert code(await publish(visitor, box, entry(site, box))) is Code.REFUSED
        assert isinstance(await publish(visitor, other, entry(site, other, "carol")), Done)


async def test_without_a_directory_nothing_is_known(site: Site) -> None:
    visitor = await site.visitor()
    box = await visitor.make(QueueKind.REQUESTS)
    assert code(await publish(visitor, box, entry(site, box))) is Code.UNKNOWN
    assert code(await one(visitor)) is Code.UNKNOWN
    assert code(await visitor.ask(SetStatus(0, box.recv_id, Status.AWAY), box.recv_key)) is Code.UNKNOWN


async def test_changes_come_slowly(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_limits, "STATUS_INTERVAL", 1000.0)
    async with relay_in(folder, directory="open") as site:
        visitor = await site.visitor()
        box = await visitor.make(QueueKind.REQUESTS)
        assert isinstance(await publish(visitor, box, entry(site, box)), Done)
        assert code(await visitor.ask(SetStatus(0, box.recv_id, Status.AWAY), box.recv_key)) is Code.BUSY


async def test_who_copies_the_directory_is_slowed_down(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_limits, "LOOKS_BURST", 3)
    monkeypatch.setattr(relay_limits, "LOOKS_PER_SECOND", 0.001)
    async with relay_in(folder, directory="open") as site:
        eager, neighbour = await site.visitor(), await site.visitor()
        answers = [await eager.ask(Browse(0, b"", 1)) for _ in range(3)]
        assert all(isinstance(each, Page) for each in answers)
        refused = await eager.ask(Browse(0, b"", 1))
        assert isinstance(refused, Failed)
        assert (refused.code, refused.seconds) == (Code.BUSY, 1)
        assert code(await one(neighbour)) is Code.BUSY, "both kinds, for everybody from that network"
        assert (await eager.make()).recv_id, "what else it asks is done"
