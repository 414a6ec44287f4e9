"""`sotto relays`: the relays that a profile uses."""

from typing import Final

from messenger.cli.exits import Exit, Stop
from messenger.cli.inbox import Inbox
from messenger.cli.options import Options
from messenger.cli.profile import open_profile
from messenger.cli.runner import engine_on
from messenger.cli.terminal import Terminal
from messenger.core.errors import AddressError
from messenger.core.ids import Fingerprint, parse_fingerprint
from messenger.core.relays import Relay, RelayOnline, RelayUnreachable, RelayUse
from messenger.engine.events import RelayChanged
from messenger.text import relays as words

_OURS: Final = (RelayUse.OWN, RelayUse.LEAVING)


async def add(terminal: Terminal, target: str, token: str, options: Options) -> Exit:
    """Use a relay, and say whether it answers.

    Raises:
        SottoError: It is not used; nothing was changed.
    """
    async with engine_on(options, terminal) as (engine, inbox):
        await open_profile(engine, inbox, terminal, name=options.name, ask_passphrase=options.ask_passphrase)
        inbox.clear()
        fingerprint = (await engine.add_relay(target, token)).fingerprint
        relay = (await _tried(inbox, {fingerprint}))[fingerprint]
        if not isinstance(relay.state, RelayOnline):
            terminal.say(words.added(relay))
            return Exit.UNREACHABLE
        opened = await engine.opened_relay(fingerprint)  # else an invite would name no place there
        relay = next((each for each in await engine.relays() if each.fingerprint == fingerprint), relay)
        terminal.say(words.added(relay, opened=opened))
        return Exit.OK if opened else Exit.UNREACHABLE


async def _tried(inbox: Inbox, wanted: set[Fingerprint]) -> dict[Fingerprint, Relay]:
    """How it stands with relays after the first attempt to connect to each."""
    tried: dict[Fingerprint, Relay] = {}
    while wanted - tried.keys():
        event = await inbox.next()
        if isinstance(event, RelayChanged) and event.relay.fingerprint in wanted and _is_known(event.relay):
            tried[event.relay.fingerprint] = event.relay
    return tried


def _is_known(relay: Relay) -> bool:
    state = relay.state
    return isinstance(state, RelayOnline) or (
        isinstance(state, RelayUnreachable) and state.reason is not None
    )


async def show(terminal: Terminal, options: Options) -> Exit:
    """List the relays."""
    async with engine_on(options, terminal) as (engine, inbox):
        await open_profile(engine, inbox, terminal, name=options.name, ask_passphrase=options.ask_passphrase)
        relays = await engine.relays()
        waiting = {each.fingerprint for each in relays if each.use in _OURS and not _is_known(each)}
        tried = await _tried(inbox, waiting)
        for relay in relays:
            terminal.out(words.row(tried.get(relay.fingerprint, relay)))
        if not relays:
            terminal.say(words.NONE)
        return Exit.OK


async def remove(terminal: Terminal, which: str, options: Options, *, at_once: bool) -> Exit:
    """Do not use a relay any more.

    Raises:
        Stop: There is no such relay.
    """
    async with engine_on(options, terminal) as (engine, inbox):
        await open_profile(engine, inbox, terminal, name=options.name, ask_passphrase=options.ask_passphrase)
        relay = _chosen(await engine.relays(), which)
        await engine.remove_relay(relay.fingerprint, at_once=at_once)
        terminal.say(words.removed(relay, at_once=at_once))
        return Exit.OK


def _chosen(relays: list[Relay], which: str) -> Relay:
    fingerprint = _fingerprint(which)
    found = [relay for relay in relays if relay.fingerprint == fingerprint or which in relay.addresses]
    if len(found) > 1:
        raise Stop(words.AMBIGUOUS, Exit.USAGE)
    if not found:
        raise Stop(words.UNKNOWN, Exit.USAGE)
    return found[0]


def _fingerprint(text: str) -> Fingerprint | None:
    try:
        return parse_fingerprint(text)
    except AddressError:
        return None
