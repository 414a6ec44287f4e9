"""`sotto relays`, and a conversation with somebody who is away."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from messenger.cli.exits import Exit
from messenger.core.errors import AddressError, InputProblem, RelayError, RelayProblem
from messenger.core.ids import format_fingerprint
from messenger.core.models import MessageState
from messenger.protocol.invite import NO_SECRET, Invite, read_invite, write_invite
from messenger.storage.relay_queues import QueueRow
from messenger.text import records
from messenger.text import relays as words
from messenger.text.errors import explain
from tests.helpers.engines import People, prepare
from tests.helpers.keys import identity
from tests.helpers.relay_users import strangers_can_write, uses
from tests.helpers.relays import prepare as prepare_relay
from tests.helpers.relays import relay_in
from tests.helpers.small_relay import SmallRelay
from tests.helpers.terminal import Result, run


async def sotto(*arguments: str, typed: bytes = b"") -> Result:
    """Run the program beside this loop, which the relay needs."""
    return await asyncio.to_thread(run, *arguments, typed=typed)


async def test_add_list_and_remove(relay: SmallRelay, tmp_path: Path) -> None:
    where = "--profile", str(prepare(tmp_path / "alice", "alice"))
    empty = await sotto("relays", "list", *where)
    assert (empty.code, empty.out) == (Exit.OK, "")
    assert words.NONE in empty.err
    added = await sotto("relays", "add", relay.target, *where)
    assert added.code == Exit.OK, added.err
    assert f"Connected to 127.0.0.1:{relay.port}" in added.err
    listed = await sotto("relays", "list", *where)
    assert f"127.0.0.1:{relay.port}  yours  Connected" in listed.out
    assert format_fingerprint(relay.fingerprint) in listed.out
    removed = await sotto("relays", "remove", f"127.0.0.1:{relay.port}", "--now", *where)
    assert removed.code == Exit.OK, removed.err
    assert (await sotto("relays", "list", *where)).out == ""
    unknown = await sotto("relays", "remove", f"127.0.0.1:{relay.port}", *where)
    assert (unknown.code, unknown.sentence()) == (Exit.USAGE, words.UNKNOWN)
    bad = await sotto("relays", "add", "sotto://relay/AAAA", *where)
    assert bad.code == Exit.USAGE


@pytest.mark.parametrize(
    "target", ["203.0.113.1:42000", "203.0.113.1:42000 tq35 tfcd", "relay.example.org", "?"]
)
async def test_what_is_no_relay_is_told_how_one_is_named(target: str, tmp_path: Path) -> None:
    where = "--profile", str(prepare(tmp_path / "alice", "alice"))
    wrong = await sotto("relays", "add", target, *where)
    assert (wrong.code, wrong.sentence()) == (Exit.USAGE, explain(AddressError(InputProblem.BAD_RELAY)))


async def test_an_address_with_the_fingerprint_of_another(relay: SmallRelay, tmp_path: Path) -> None:
    """It is told of a relay, not of a person who may be asked for an invite."""
    where = "--profile", str(prepare(tmp_path / "alice", "alice"))
    other = format_fingerprint(identity("carol").fingerprint)
    wrong = await sotto("relays", "add", f"127.0.0.1:{relay.port} {other}", *where)
    assert wrong.code == Exit.UNREACHABLE
    assert "ask its owner for the link" in wrong.err


async def test_the_link_that_lasts(relay: SmallRelay, people: People, tmp_path: Path) -> None:
    alone = await sotto("invite", "--lasting", "--profile", str(prepare(tmp_path / "alice", "alice")))
    assert (alone.code, alone.out) == (Exit.FAILED, "")
    assert records.NO_LASTING_LINK in alone.err
    bob = await people("bob", listen=False)
    await uses(bob, relay.target)
    await strangers_can_write(bob)
    await bob.engine.stop()
    told = await sotto("invite", "--lasting", "--profile", str(bob.folder))
    assert told.code == Exit.OK, told.err
    link = read_invite(told.out.strip())
    assert (link.fingerprint, link.secret, len(link.places)) == (bob.fingerprint, NO_SECRET, 1)


async def test_what_is_written_to_somebody_away_is_left_at_their_relay(
    relay: SmallRelay, people: People, tmp_path: Path
) -> None:
    bob = await people("bob", listen=False)
    await uses(bob, relay.target)
    await strangers_can_write(bob)
    await relay.until(lambda: any(queue.prekeys for queue in relay.queues))
    invite = read_invite(await bob.engine.make_invite())
    link = write_invite(Invite(invite.fingerprint, invite.secret, (), invite.places))
    await bob.engine.stop()
    alice = prepare(tmp_path / "alice", "alice")
    done = await sotto("chat", link, "--profile", str(alice), typed=b"I was here\n")
    assert done.code == Exit.OK, done.err
    assert "waits for them at a relay" in done.err
    await bob.start()
    heard = await bob.hears("I was here")
    assert heard.state is MessageState.UNREAD


async def test_who_has_added_a_relay_can_invite_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command ends when there is something to invite to, though the relay thinks about it for a while."""
    where = "--profile", str(prepare(tmp_path / "alice", "alice"))
    async with relay_in(prepare_relay(tmp_path / "relay", "mallory")) as site:
        broker, go, loop = site.relay.house.broker, asyncio.Event(), asyncio.get_running_loop()
        make = broker.make

        def slow(*how: Any) -> "asyncio.Future[QueueRow]":  # noqa: ANN401 -- as they come
            async def later() -> QueueRow:
                loop.call_later(0.5, go.set)
                await go.wait()
                return await make(*how)

            return asyncio.ensure_future(later())

        monkeypatch.setattr(broker, "make", slow)
        added = await sotto("relays", "add", site.started.link, *where)
        assert added.code == Exit.OK, added.err
        assert "People can write to you there from now on" in added.err
        told = await sotto("invite", "--lasting", *where)
        assert told.code == Exit.OK, told.err
        assert [place.relay for place in read_invite(told.out.strip()).places] == [site.started.fingerprint]


async def test_a_relay_that_refuses_says_why(tmp_path: Path) -> None:
    """Too many queues have been made from here; nobody waits for what will not be."""
    where = "--profile", str(prepare(tmp_path / "alice", "alice"))
    async with relay_in(prepare_relay(tmp_path / "relay", "mallory"), queues_per_network=1) as site:
        await (await site.visitor()).make()
        added = await sotto("relays", "add", site.started.link, *where)
        assert "nobody can write to you there yet" in added.err
        assert explain(RelayError(RelayProblem.BUSY)) in added.err
        assert added.code == Exit.UNREACHABLE
