"""A relay from its start to its end: keys, database, door, watch."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from messenger.core import limits, relay_limits
from messenger.core.address import Address, parse_address
from messenger.core.errors import KeyFileError, SottoError, StorageError, VaultError, WrongPassphrase
from messenger.core.ids import Fingerprint
from messenger.core.models import AddressKind
from messenger.crypto.protection import Protection
from messenger.crypto.vault import OpenedVault, Vault
from messenger.crypto.vault_wire import VaultState
from messenger.net.doors import Door
from messenger.net.interfaces import reachable_addresses
from messenger.net.splice import SplicePump
from messenger.protocol.relay_invite import RelayInvite
from messenger.relay.broker import Broker, NoRoom
from messenger.relay.connection import Connection
from messenger.relay.control import RelayControl
from messenger.relay.doorkeeper import Doorkeeper
from messenger.relay.embedded import Disk, EmbeddedBroker, unix_seconds
from messenger.relay.house import House, Keys
from messenger.relay.options import OptionError, RelayOptions, public_addresses
from messenger.relay.status import StatusServer
from messenger.storage.lock import ProfileLock

log: Final = logging.getLogger(__name__)

DATABASE: Final = "relay.db"
_KEY_BITS: Final = 3072
MAKING_KEYS: Final = "making keys"
"""The first step of a first start."""
_USEFUL: Final = (AddressKind.LAN, AddressKind.GLOBAL)
_EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 -- nobody can be reached at these


@dataclass(frozen=True, slots=True)
class Started:
    """A relay that is up.

    Attributes:
        port: Where it listens.
        addresses: Others can reach it at these, with the port.
        fingerprint: Who it is.
        link: For clients: all of that in one.
        streams: How many it can hold.
    """

    port: int
    addresses: tuple[str, ...]
    fingerprint: Fingerprint
    link: str
    streams: int


class Relay:
    """One relay.

    Args:
        folder: Its data: keys, database, lock. Made on first start.
        options: Of its owner, with the files that they name read in.
        progress: Called when new keys are about to be made, and with each `vault_wire.Step` of that.
        stop: Called when a local program asks the relay to end.
    """

    def __init__(
        self,
        folder: Path,
        options: RelayOptions,
        progress: Callable[[str], None] | None = None,
        stop: Callable[[], None] | None = None,
    ) -> None:
        self._folder = folder
        self._options = options
        self._progress = progress
        self._stop_asked = stop
        self._started_as: Started | None = None
        self._noted = 0
        self._keyless = False
        self._up = contextlib.AsyncExitStack()
        self.house: House
        self.controlled = False
        """Whether programs of the same user can watch it."""
        self.unprotected = False
        """Whether a passphrase was given, and the keys have none."""

    async def start(self) -> Started:
        """Open everything and listen.

        Raises:
            ConnectError: The port is taken, or forbidden.
            OptionError: The passphrase file is needed, or cannot be read.
            ProfileInUse: Another relay runs on the folder.
            VaultError, StorageError: Keys or database cannot be used.
        """
        async with contextlib.AsyncExitStack() as stack:
            stack.callback((await asyncio.to_thread(ProfileLock, self._folder)).release)
            keys, db_key = await self._open_keys(stack)
            most, circuits = room(self._options.connections, self._options.circuits)
            options = replace(self._options, circuits=circuits)
            broker: Broker = await EmbeddedBroker.open(
                self._folder / DATABASE,
                db_key,
                partial(_quota, options),
                options.keep,
                Disk(options.disk_bytes, options.disk_free),
            )
            stack.push_async_callback(broker.close)
            house = self.house = House(options, keys, broker, unix_seconds)
            doorkeeper = Doorkeeper(house, most)
            stack.push_async_callback(self._settle)
            pump = house.circuits.pump = SplicePump(asyncio.get_running_loop().call_soon_threadsafe)
            stack.push_async_callback(asyncio.to_thread, pump.close)
            await self._open_side_doors(stack, house)
            door = await Door.open(partial(Connection, house, doorkeeper), options.port, options.host)
            stack.push_async_callback(doorkeeper.close)
            stack.callback(door.close)
            for job in (doorkeeper.watch(), self._keep_house(), self._keep_vault()):
                stack.push_async_callback(_end, asyncio.create_task(job))
            started = self._started_as = self._started(door.port, most)
            self._up = stack.pop_all()
        return started

    async def _open_side_doors(self, stack: contextlib.AsyncExitStack, house: House) -> None:
        """For the owner alone: what passes, and how it is."""
        if self._options.status_port:
            status = StatusServer(house.counters, self.ailing)
            await status.start(self._options.status_port)
            stack.push_async_callback(status.close)
        control = RelayControl(self._folder, house.monitor, self.status, self._stop_asked)
        try:
            await control.start()
        except OSError as e:
            log.warning("no control socket: %s", e.strerror)
            return
        stack.push_async_callback(control.close)
        self.controlled = True

    def status(self) -> dict[str, Any]:
        """How the relay is, as the control socket tells it."""
        counted = {"fingerprint": self.house.keys.fingerprint.hex(), **asdict(self.house.counters)}
        if self._started_as is not None:
            port, addresses, link = self._started_as.port, self._started_as.addresses, self._started_as.link
            counted.update(port=port, addresses=addresses, link=link)
        return counted

    def ailing(self) -> str:
        """What the relay cannot do right now, in a word; an empty text if it is well."""
        if self._keyless:
            return "keys"
        return "disk" if self.house.in_trouble() else ""

    async def stop(self) -> None:
        """Say goodbye to everybody, write what is in memory, and close everything."""
        await self._up.aclose()

    async def _settle(self) -> None:
        self.house.circuits.close()
        await self.house.settle()
        await self.house.queues.close()
        await self.house.settle()

    async def _open_keys(self, stack: contextlib.AsyncExitStack) -> tuple[Keys, bytes]:
        vault = await Vault.start()
        stack.push_async_callback(vault.close)
        opened = await self._opened(vault)
        return Keys(vault, opened.bundle), opened.db_key

    async def _opened(self, vault: Vault) -> OpenedVault:
        folder = self._folder
        state = await vault.status(folder)
        if state is VaultState.NEW:
            if (folder / DATABASE).exists():
                raise KeyFileError("there is the database of a relay, and its keys are missing")
            passphrase = self._passphrase()
            way = Protection.PASSPHRASE if passphrase else Protection.FILE
            if self._progress is not None:
                self._progress(MAKING_KEYS)
            await vault.create(folder, _KEY_BITS, way, passphrase, self._progress)
            return await vault.finish_import()
        if state is VaultState.OPENS:
            self.unprotected = bool(self._options.passphrase_file)
            return await vault.open(folder)
        passphrase = self._passphrase()
        if not passphrase:
            raise OptionError("passphrase_file", "the keys of this relay have a passphrase")
        try:
            return await vault.open(folder, passphrase)
        except WrongPassphrase as e:
            raise OptionError("passphrase_file", "it does not hold the passphrase of this relay") from e

    def _passphrase(self) -> str:
        path = self._options.passphrase_file
        if not path:
            return ""
        try:
            passphrase = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as e:
            raise OptionError("passphrase_file", "the file cannot be read") from e
        if not passphrase:  # else new keys would have none
            raise OptionError("passphrase_file", "the file is empty")
        return passphrase

    def _started(self, port: int, streams: int) -> Started:
        addresses = self._addresses(port)
        fingerprint = self.house.keys.fingerprint
        link = RelayInvite(fingerprint, tuple(parse_address(text) for text in addresses)).encode()
        return Started(port, addresses, fingerprint, link, streams)

    def _addresses(self, port: int) -> tuple[str, ...]:
        host = self._options.host
        if self._options.public:
            return tuple(str(each) for each in public_addresses(self._options, port))
        if host and host not in _EVERYWHERE:
            return (str(Address(host, port)),)
        found = [each for each in reachable_addresses(port) if _fits(each.text, host)]
        useful = [each.text for each in found if each.kind in _USEFUL]
        return tuple(useful or [each.text for each in found if each.kind is AddressKind.LOOPBACK])

    async def tidy(self) -> None:
        """Delete what is out of date, and count what is left.

        Raises:
            StorageError: It could not be done; it is tried again later.
        """
        await self._note_use()
        more = True
        while more:
            gone, more = await self.house.broker.expire()
            for queue in gone:
                self.house.queues.gone(queue)
        counters, totals = self.house.counters, await self.house.broker.totals()
        counters.queues, counters.entries, counters.disk_room = totals.queues, totals.entries, totals.room
        counters.messages_kept, counters.octets_kept = totals.messages, totals.octets
        if totals.room < max(limits.ENVELOPE_BUCKETS):
            self.house.trouble(NoRoom())

    async def _keep_house(self) -> None:
        """Now and then delete what is out of date, and replace the exchange key when that is due."""
        house = self.house
        while True:
            try:
                await self.tidy()
            except StorageError as e:
                house.trouble(e)
            try:
                left = house.keys.bundle.not_before + limits.KEXCERT_LIFETIME - house.unix()
                if left < limits.KEXCERT_OVERLAP:
                    house.keys.bundle = await house.keys.vault.renew()
                    log.info("the exchange key was replaced")
            except StorageError as e:
                house.trouble(e)
            except VaultError as e:
                log.warning("the exchange key could not be replaced: %s", type(e).__name__)
            await asyncio.sleep(relay_limits.EXPIRY_INTERVAL)

    async def _keep_vault(self) -> None:
        """When the process with the keys ends, start another: without one nobody new gets a link."""
        keys = self.house.keys
        async with contextlib.AsyncExitStack() as stack:
            while True:
                await keys.vault.ended()
                self._keyless = True
                log.error("the process with the keys has ended; another one is started")
                try:
                    async with contextlib.AsyncExitStack() as unless_open:
                        vault = await Vault.start()
                        unless_open.push_async_callback(vault.close)
                        keys.bundle = (await self._opened(vault)).bundle
                        stack.push_async_exit(unless_open.pop_all())
                    keys.vault, self._keyless = vault, False
                except SottoError as e:
                    log.warning("the keys cannot be opened: %s", type(e).__name__)
                    await asyncio.sleep(relay_limits.VAULT_AGAIN)

    async def _note_use(self) -> None:
        """Now and then: a subscription counts as use of its queue for as long as it lasts."""
        broker, now = self.house.broker, self.house.unix()
        if 0 <= now - self._noted < relay_limits.USE_INTERVAL:
            return
        used = self.house.queues.known.subscribed()
        for start in range(0, len(used), relay_limits.EXPIRY_STEP):
            part = used[start : start + relay_limits.EXPIRY_STEP]
            await asyncio.gather(*(broker.subscribed(queue) for queue in part))
        self._noted = now


def room(streams: int, circuits: int) -> tuple[int, int]:
    """How many streams and circuits the system has files for, after its limit was raised as far as we may.

    Where it has too few for all, circuits get half of them at most.

    Args:
        streams: Streams that the owner would have.
        circuits: Circuits at a time that the owner would have; each takes two sockets and two pipes.

    Returns:
        Streams, at least one, and circuits, perhaps none.
    """
    if sys.platform == "win32":  # pragma: no cover -- it has no such limit
        return streams, circuits
    import resource

    need = relay_limits.FILES_KEPT + streams + relay_limits.FILES_OF_CIRCUIT * circuits
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < need:
        soft = need if hard == resource.RLIM_INFINITY else min(need, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    files = max(soft - relay_limits.FILES_KEPT, 0)
    if files < need - relay_limits.FILES_KEPT:
        circuits = min(circuits, files // (2 * relay_limits.FILES_OF_CIRCUIT))
    return max(min(streams, files - relay_limits.FILES_OF_CIRCUIT * circuits), 1), circuits


def _fits(address: str, host: str) -> bool:
    """Whether an address leads to whoever listens on `host`: on everything, or on one of `_EVERYWHERE`."""
    return not host or address.startswith("[") == (":" in host)


def _quota(options: RelayOptions, kind: int) -> tuple[int, int]:
    messages = options.queue_messages
    return (min(messages, relay_limits.REQUESTS_PER_QUEUE) if kind == 2 else messages), options.queue_bytes


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
