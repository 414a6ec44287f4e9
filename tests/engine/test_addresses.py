"""Where contacts are: the newest addresses first, several of each, and all of them tried at once."""

from messenger.core import limits
from messenger.core.settings import changed
from messenger.crypto import keystore
from messenger.engine.events import ContactChanged
from messenger.storage.store import Store
from tests.helpers.engines import DATABASE, People, Person, fresh_port, fresh_ports, friends


def stored(person: Person) -> Store:
    """The database of somebody whose engine does not run."""
    return Store.open(person.folder / DATABASE, keystore.unlock(person.folder, "").db_key)


async def test_a_port_that_changes_while_they_talk_is_told(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    await friends(alice, bob)
    old, mark = await bob.address(), alice.mark
    await bob.engine.change_settings({"port": fresh_port()})
    both = (await bob.address(), old)
    await alice.wait_for(ContactChanged, lambda e: e.contact.addresses[:2] == both, since=mark)


async def test_who_moved_calls_and_is_found_there_afterwards(people: People) -> None:
    """Nobody is at the old port any more, so only what was said in that call leads to the new one."""
    alice, bob = await people("alice"), await people("bob")
    here, _ = await friends(alice, bob)
    for _round in range(2):
        old, mark = await bob.address(), alice.mark
        await bob.engine.stop()
        store = stored(bob)
        store.meta.save_settings(changed(store.meta.settings(), {"port": fresh_port(), "reconnect": True}))
        store.close()
        await bob.start()
        new = await bob.address()
        assert new != old
        await at_first(alice, new, since=mark)
        await bob.engine.change_settings({"reconnect": False})
        await alice.restart()
        await alice.online(here)
        assert alice.engine._running is not None
        session = alice.engine._running.peers.session(here)
        assert session is not None
        assert session.initiated
        assert str(session.connection.stream.address) == new


async def at_first(person: Person, address: str, *, since: int) -> None:
    """Wait until a contact has this as the newest address."""
    await person.wait_for(ContactChanged, lambda e: e.contact.addresses[:1] == (address,), since=since)


async def test_the_one_that_answers_is_found_among_many_that_do_not(people: People) -> None:
    """Seven where nobody listens, and the right one last."""
    alice, bob = await people("alice"), await people("bob", reconnect=False)
    here, _ = await friends(alice, bob)
    right = await bob.address()
    await alice.engine.stop()
    store = stored(alice)
    wrong = [f"127.0.0.1:{port}" for port in fresh_ports(limits.ADDRESSES_PER_CONTACT - 1)]
    for address in (right, *wrong):
        store.contacts.note_address(here, address)
    assert store.contacts.all()[0].addresses == (*reversed(wrong), right)
    store.close()
    await alice.start()
    await alice.online(here)
    await alice.wait_for(ContactChanged, lambda e: e.contact.addresses[0] == right)
