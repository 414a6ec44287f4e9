"""A relay whose disk fails says so, and never that a queue is gone."""

import asyncio
import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from messenger.core import limits, relay_limits
from messenger.core.errors import DiskFull, VaultError
from messenger.crypto.identity import Bundle
from messenger.crypto.vault import Vault
from messenger.protocol.relay_answers import Done, Ended, Failed
from messenger.protocol.relay_queues import Delete, NewQueue, QueueKind, Send, Subscribe
from messenger.protocol.relay_word import Code
from messenger.relay.embedded import EmbeddedBroker
from messenger.relay.ports import Letter
from messenger.relay.subscription import Subscription
from tests.conftest import LogGuard
from tests.helpers.keys import make_profile
from tests.helpers.patience import PATIENCE
from tests.helpers.relays import Site, Visitor, envelope, relay_in


def failing(*_: Any) -> "asyncio.Future[Any]":  # noqa: ANN401 -- of any call
    """What a broker gives whose disk is full."""
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    future.set_exception(DiskFull("no room"))
    return future


def breaking(site: Site, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let a call of the broker fail from now on."""
    broker = site.relay.house.broker
    return lambda name: monkeypatch.setattr(broker, name, failing)


async def let_in(site: Site) -> None:
    """Call until the relay can greet somebody."""
    async with asyncio.timeout(PATIENCE):
        while True:
            visitor = await Visitor.call(site.started.port, site.started.fingerprint)
            try:
                await visitor.up()
                return
            except AssertionError:  # it was sent away
                continue
            finally:
                await visitor.close()


async def test_a_search_that_fails_is_no_queue_that_is_gone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, logs: LogGuard
) -> None:
    logs.expect("storage: DiskFull")
    async with relay_in(folder) as site:
        owner = await site.visitor()
        box = await owner.make()
    async with relay_in(folder) as site:
        fail = breaking(site, monkeypatch)
        fail("by_send")
        fail("by_recv")
        owner = await site.visitor()
        for request, key in (
            (Send(0, box.send_id, envelope(1)), box.send_key),
            (Subscribe(0, box.recv_id), box.recv_key),
            (Delete(0, box.recv_id), box.recv_key),
        ):
            answer = await owner.ask(request, key)
            assert isinstance(answer, Failed)
            assert answer.code is Code.TROUBLE


async def test_what_the_disk_does_not_take_is_not_durable(
    site: Site, monkeypatch: pytest.MonkeyPatch, logs: LogGuard
) -> None:
    logs.expect("storage: DiskFull")
    owner, writer = await site.visitor(), await site.visitor()
    box = await owner.make()
    tag = await owner.subscribe(box)
    with monkeypatch.context() as patched:
        breaking(site, patched)("put")
        sent = writer.post(Send(0, box.send_id, envelope(1)), box.send_key)
        assert await owner.arrived(tag, acknowledge=False) == envelope(1)
        assert getattr(await writer.answer(sent), "code", None) is Code.TROUBLE
    assert isinstance(await writer.send(box, envelope(1)), Done)
    assert (await site.relay.house.broker.totals()).messages == 1
    monkeypatch.setattr(relay_limits, "HANDED_WAIT", PATIENCE)  # what is handed over now is not written too
    owner.acknowledge(tag, envelope(1))
    sent = writer.post(Send(0, box.send_id, envelope(2)), box.send_key)
    assert await owner.arrived(tag) == envelope(2)
    assert isinstance(await writer.answer(sent), Done)
    assert site.relay.house.queues.octets == 0


async def test_what_was_lost_with_its_subscription_is_counted_once(
    site: Site, monkeypatch: pytest.MonkeyPatch, logs: LogGuard
) -> None:
    logs.expect("storage: DiskFull")
    monkeypatch.setattr(relay_limits, "HANDED_WAIT", 0.5)
    owner, writer = await site.visitor(), await site.visitor()
    box, other = await owner.make(), await writer.make()
    tag = await owner.subscribe(box)
    with monkeypatch.context() as patched:
        breaking(site, patched)("put")
        sent = writer.post(Send(0, box.send_id, envelope(1)), box.send_key)
        assert await owner.arrived(tag, acknowledge=False) == envelope(1)
        await owner.close()  # before it had to be written
        assert getattr(await writer.answer(sent), "code", None) is Code.TROUBLE
    tag = await writer.subscribe(other)  # by the time that this is written, the other would have been
    sent = writer.post(Send(0, other.send_id, envelope(2)), other.send_key)
    assert await writer.arrived(tag, acknowledge=False) == envelope(2)
    assert isinstance(await writer.answer(sent), Done)
    assert (await site.relay.house.broker.totals()).messages == 1, "its writer was told that it is lost"
    assert site.relay.house.queues.octets == 0


async def test_what_the_disk_does_not_take_is_not_kept_in_memory(
    site: Site, monkeypatch: pytest.MonkeyPatch, logs: LogGuard
) -> None:
    """Whoever sends it again brings it along: it can be stored all the same, once the disk takes it."""
    logs.expect("storage: DiskFull")
    owner, writer = await site.visitor(), await site.visitor()
    box = await owner.make()
    tag = await owner.subscribe(box)
    sizes: list[int] = []
    lost = Subscription.lost

    def looked_at(self: Subscription, letter: Letter) -> None:
        lost(self, letter)
        sizes.append(len(letter.envelope))

    monkeypatch.setattr(Subscription, "lost", looked_at)
    with monkeypatch.context() as patched:
        breaking(site, patched)("put")
        sent = writer.post(Send(0, box.send_id, envelope(1)), box.send_key)
        assert await owner.arrived(tag, acknowledge=False) == envelope(1)
        assert getattr(await writer.answer(sent), "code", None) is Code.TROUBLE
    assert sizes == [0]
    assert isinstance(await writer.send(box, envelope(1)), Done)
    assert await owner.arrived(await owner.subscribe(box)) == envelope(1)
    assert site.relay.house.queues.octets == 0


async def test_what_the_disk_could_not_read_is_brought_without_anybody_asking(
    site: Site, monkeypatch: pytest.MonkeyPatch, logs: LogGuard
) -> None:
    logs.expect("storage: DiskFull")
    monkeypatch.setattr(relay_limits, "FETCH_AGAIN", 0.05)
    owner, writer = await site.visitor(), await site.visitor()
    box = await owner.make()
    assert isinstance(await writer.send(box, envelope(1)), Done)
    broker, tried = site.relay.house.broker, asyncio.Event()
    fetch = broker.fetch

    def at_first_failing(*what: Any) -> "asyncio.Future[Any]":  # noqa: ANN401 -- as the broker has it
        if tried.is_set():
            return fetch(*what)
        tried.set()
        return failing()

    monkeypatch.setattr(broker, "fetch", at_first_failing)
    tag = await owner.subscribe(box)
    assert await owner.arrived(tag) == envelope(1)
    assert tried.is_set()


async def test_what_could_not_be_read_for_somebody_who_has_gone_is_passed_over(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asyncio would write of an error that nobody looked at into the log."""
    answers: list[asyncio.Future[Any]] = []

    def never(*_: Any) -> "asyncio.Future[Any]":  # noqa: ANN401 -- as the broker has it
        answers.append(asyncio.get_running_loop().create_future())
        return answers[-1]

    monkeypatch.setattr(site.relay.house.broker, "fetch", never)
    owner, other = await site.visitor(), await site.visitor()
    box = await owner.make()
    tag = await owner.subscribe(box)
    await other.subscribe(box)
    assert (await owner.word(Ended)).tag == tag
    answers.pop(0).set_exception(DiskFull("no room"))
    await other.make()
    gc.collect()
    assert site.relay.house.counters.troubles == 0


async def test_a_queue_that_cannot_be_made(
    site: Site, monkeypatch: pytest.MonkeyPatch, logs: LogGuard
) -> None:
    logs.expect("storage: DiskFull")
    breaking(site, monkeypatch)("make")
    owner = await site.visitor()
    answer = await owner.ask(NewQueue(0, QueueKind.CONTACT, bytes(32), bytes(32)))
    assert getattr(answer, "code", None) is Code.TROUBLE


async def test_trouble_of_one_kind_is_logged_once_in_a_while_and_counted_each_time(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Else whoever goes on asking would fill up a disk that is full."""
    owner = await site.visitor()
    assert not site.relay.ailing()
    breaking(site, monkeypatch)("make")
    for _ in range(5):
        answer = await owner.ask(NewQueue(0, QueueKind.CONTACT, bytes(32), bytes(32)))
        assert getattr(answer, "code", None) is Code.TROUBLE
    assert site.relay.house.counters.troubles == 5
    assert caplog.messages == ["storage: DiskFull"]
    assert site.relay.ailing() == "disk"
    monkeypatch.setattr(relay_limits, "TROUBLE_SHOWN", 0.0)
    assert not site.relay.ailing()


async def test_a_disk_that_does_not_tidy_is_no_secret_and_keeps_no_key_from_being_replaced(
    folder: Path, monkeypatch: pytest.MonkeyPatch, logs: LogGuard
) -> None:
    logs.expect("storage: DiskFull")
    logs.expect("the exchange key could not be replaced: VaultError")
    asked = asyncio.Event()

    async def renew(_self: Vault) -> Bundle:
        asked.set()
        raise VaultError("not now")

    monkeypatch.setattr(EmbeddedBroker, "expire", failing)
    monkeypatch.setattr(Vault, "renew", renew)
    monkeypatch.setattr(limits, "KEXCERT_OVERLAP", limits.KEXCERT_LIFETIME * 2)
    async with relay_in(folder) as site:
        async with asyncio.timeout(PATIENCE):
            await asked.wait()
        assert site.relay.house.counters.troubles == 1


@pytest.mark.parametrize("passphrase", ["", "correct horse"])
async def test_a_relay_whose_keys_have_lost_their_process_opens_them_again(
    tmp_path: Path, logs: LogGuard, passphrase: str
) -> None:
    """Else it would look well, keep those who are there, and let nobody new in."""
    logs.expect("the process with the keys has ended")
    folder, options = tmp_path / "relay", {}
    make_profile(folder, "bob", passphrase or None)
    if passphrase:
        secret = tmp_path / "secret"
        secret.write_text(passphrase)
        options["passphrase_file"] = str(secret)
    async with relay_in(folder, **options) as site:
        before = await site.visitor()
        keys = site.relay.house.keys
        first = keys.vault
        first._child.kill()
        async with asyncio.timeout(PATIENCE):
            await first.ended()
            assert site.relay.ailing() == "keys"
        await let_in(site)
        assert keys.vault is not first
        assert not site.relay.ailing()
        assert before.there


async def test_keys_that_cannot_be_opened_again_are_tried_again(
    site: Site, monkeypatch: pytest.MonkeyPatch, logs: LogGuard
) -> None:
    logs.expect("the process with the keys has ended")
    logs.expect("the keys cannot be opened: VaultError")
    monkeypatch.setattr(relay_limits, "VAULT_AGAIN", 0.05)
    tried, start = asyncio.Event(), Vault.start

    async def at_first_failing() -> Vault:
        if tried.is_set():
            return await start()
        tried.set()
        raise VaultError("no memory")

    monkeypatch.setattr(Vault, "start", at_first_failing)
    keys = site.relay.house.keys
    first = keys.vault
    first._child.kill()
    async with asyncio.timeout(PATIENCE):
        await first.ended()
    await let_in(site)
    assert tried.is_set()
